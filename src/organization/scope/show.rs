//! One scope on a day: how it is defined, who belongs, who does not, and why.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use askama::Template;
use time::Date;

use super::core::{Definition, Selector};
use super::page::{about, frame, provenance};
use super::{Known, Resolved, Unresolved, resolve};
use crate::State;
use crate::compliance::scoped::{AccountCount, account_counts};
use crate::error::Error;
use crate::web::address::Encoded;
use crate::web::download::{Cell, Format, download};
use crate::web::parts::Provenance;
use crate::web::table::{Column, Table, Window, number, text};
use crate::web::{Address, Frame, Page, Visit, filters, format};

/// Rows of a page of each table.
const ROWS: usize = 50;

const DEFINITIONS: [Column; 7] = [
    number("Definition"),
    text("Accounts by"),
    text("Days (UTC)"),
    text("Reason"),
    text("Made"),
    text("Ended"),
    text("Change"),
];

const IN: [Column; 5] =
    [text("Account"), text("Name"), number("Account-Regions"), number("Evaluations"), text("Why in")];

const OUT: [Column; 5] =
    [text("Account"), text("Name"), number("Account-Regions"), number("Evaluations"), text("Why out")];

/// An account in or out.
struct Line {
    count: AccountCount,
    why: String,
    href: String,
    /// Neither expected nor delivered on the day.
    absent: bool,
}

#[derive(Template)]
#[template(path = "organization/scope.html")]
struct ShowPage {
    frame: Frame,
    scope: Resolved,
    lead: String,
    read_href: String,
    definitions: Vec<(Definition, String, Option<String>)>,
    definitions_table: Table,
    inside: Vec<Line>,
    inside_table: Table,
    outside: Vec<Line>,
    outside_table: Table,
    new_href: Option<String>,
    provenance: Provenance,
}

pub(super) async fn show(state: Data<State>, mut visit: Visit, name: Path<String>) -> Result<HttpResponse, Error> {
    visit.address.only(&[&["definitions", "in", "out", "rows", "format"]])?;
    let (organization, day) = about(&visit)?;
    let scope = match resolve(&mut visit.read, organization.id, &name, day, Known::ALL).await {
        Ok(scope) => scope,
        Err(Unresolved::Database(error)) => return Err(error.into()),
        Err(_) => return Err(Error::NoSuchScope(name.into_inner())),
    };
    let counts = account_counts(&state, &visit.standing, &mut visit.read, organization.id, day).await?;
    let (inside, outside) = lines(&scope, counts);
    if let Some(format) = Format::of(&visit.address)? {
        return rows(format, &visit.address, scope, inside, outside);
    }
    let page = page(&visit, scope, inside, outside)?;
    Ok(Page(page).answer(StatusCode::OK))
}

/// Accounts in and out, each by id. Links lead to an account in the scope, or in the whole organisation.
fn lines(scope: &Resolved, counts: Vec<AccountCount>) -> (Vec<Line>, Vec<Line>) {
    let href = |account_id: &str, inside: bool| {
        let address = Address::new(format!("/accounts/{}", Encoded(account_id)));
        let address = if inside { address.with("scope", &scope.name) } else { address };
        address.with("as_of", scope.day).to_string()
    };
    let (mut inside, mut outside) = (Vec::new(), Vec::new());
    let holds = |account_id: &str| scope.membership.accounts.contains_key(account_id);
    let here: std::collections::BTreeSet<String> = counts.iter().map(|count| count.account_id.clone()).collect();
    for count in counts {
        let belongs = holds(&count.account_id);
        let why = if belongs { scope.why_in(&count.account_id) } else { scope.why_out(&count.account_id) };
        let line = Line { href: href(&count.account_id, belongs), why, absent: false, count };
        if belongs { inside.push(line) } else { outside.push(line) }
    }
    for account_id in scope.membership.accounts.keys().filter(|id| !here.contains(*id)) {
        let count = AccountCount { account_id: account_id.clone(), ..AccountCount::default() };
        inside.push(Line { href: href(account_id, true), why: scope.why_in(account_id), absent: true, count });
    }
    inside.sort_by(|one, other| one.count.account_id.cmp(&other.count.account_id));
    // What an undecided definition would choose may be among them.
    if !scope.membership.undecided.is_empty() {
        for line in &mut outside {
            "undecided".clone_into(&mut line.why);
        }
    }
    (inside, outside)
}

fn page(visit: &Visit, scope: Resolved, inside: Vec<Line>, outside: Vec<Line>) -> Result<ShowPage, Error> {
    let address = &visit.address;
    let frame = frame(visit, scope.title.clone()).crumb("Scopes", "/scopes");
    let may_make = visit.user.role.makes_packs();
    let newest_first: Vec<Definition> = scope.definitions.iter().rev().cloned().collect();
    let window = Window::of(address, "definitions", ROWS, newest_first.len())?;
    let definitions: Vec<_> = window
        .rows(&newest_first)
        .iter()
        .map(|one| {
            let end = frame.href(&format!("/scopes/{}/{}/end", one.name, one.record));
            (one.clone(), one.selector.words(scope.listed.as_ref()), (may_make && one.end.is_none()).then_some(end))
        })
        .collect();
    let caption = "Definitions, the newest first";
    let definitions_table = Table::whole("definitions", caption, &DEFINITIONS, address, definitions.len())
        .windowed(&window)
        .with_formats_of("definitions");
    let lead = lead(&scope, &inside, &outside);
    let (inside, inside_table) = window_of(address, "in", "Each account in the scope, by id", &IN, inside, scope.day)?;
    let (outside, outside_table) =
        window_of(address, "out", "Each account out of it, by id", &OUT, outside, scope.day)?;
    Ok(ShowPage {
        lead,
        read_href: Address::new("/").with("scope", &scope.name).with("as_of", scope.day).to_string(),
        definitions,
        definitions_table,
        inside,
        inside_table,
        outside,
        outside_table,
        new_href: may_make.then(|| frame.href(&format!("/scopes/new?name={}", scope.name))),
        provenance: provenance(&frame),
        frame,
        scope,
    })
}

fn window_of(
    address: &Address,
    id: &'static str,
    caption: &str,
    columns: &[Column],
    lines: Vec<Line>,
    day: Date,
) -> Result<(Vec<Line>, Table), Error> {
    let window = Window::of(address, id, ROWS, lines.len())?;
    let table = Table::whole(id, caption, columns, address, window.to - window.from)
        .as_of(day)
        .windowed(&window)
        .with_formats_of(id);
    Ok((lines.into_iter().skip(window.from).take(window.to - window.from).collect(), table))
}

fn evaluations(lines: &[Line]) -> i64 {
    lines.iter().map(|line| line.count.evaluations).sum()
}

/// "2 accounts with 3 evaluations belong on 2 Nov 2026 (UTC), by the account list of …; 1 account with 1 evaluation is left out."
fn lead(scope: &Resolved, inside: &[Line], outside: &[Line]) -> String {
    let day = format::day(scope.day);
    if !scope.membership.undecided.is_empty() {
        return format!("Who belongs on {day} (UTC) is undecided. {}.", scope.membership.undecided.join(". "));
    }
    let words = |lines: &[Line]| {
        let accounts = i64::try_from(lines.len()).unwrap_or(i64::MAX);
        format!("{} with {}", format::plural(accounts, "account"), format::plural(evaluations(lines), "evaluation"))
    };
    let list = scope.told_on().map(|day| format!(", by the account list of {}", format::day(day))).unwrap_or_default();
    format!(
        "{} {} on {day} (UTC){list}; {} {} left out.",
        words(inside),
        if inside.len() == 1 { "belongs" } else { "belong" },
        words(outside),
        if outside.len() == 1 { "is" } else { "are" }
    )
}

const DEFINITION_COLUMNS: [&str; 17] = [
    "scope",
    "definition",
    "title",
    "by",
    "organizational_unit",
    "tag_key",
    "tag_value",
    "accounts",
    "first_day",
    "reason",
    "made_by",
    "made_at",
    "no_longer_from",
    "end_number",
    "end_reason",
    "ended_by",
    "ended_at",
];

fn definition_cells(one: &Definition) -> [Cell; 17] {
    let (by, unit, key, value, accounts) = match &one.selector {
        Selector::Unit(id) => ("organizational unit", Some(id.clone()), None, None, None),
        Selector::Tag { key, value } => ("account tag", None, Some(key.clone()), Some(value.clone()), None),
        Selector::Accounts(ids) => ("list", None, None, None, Some(ids.iter().cloned().collect::<Vec<_>>().join(" "))),
    };
    let end = one.end.as_ref();
    [
        one.name.as_str().into(),
        one.record.into(),
        one.title.as_str().into(),
        by.into(),
        unit.into(),
        key.into(),
        value.into(),
        accounts.into(),
        one.first_day.into(),
        one.reason.as_str().into(),
        one.made_by.as_str().into(),
        one.made_at.into(),
        end.map(|end| end.day).into(),
        end.map(|end| end.record).into(),
        end.map(|end| end.reason.clone()).into(),
        end.map(|end| end.made_by.clone()).into(),
        end.map(|end| end.made_at).into(),
    ]
}

const ACCOUNT_COLUMNS: [&str; 7] =
    ["day", "scope", "account_id", "account_name", "account_regions", "evaluations", "why"];

/// The rows of one of the page's tables; those of who belongs where none is named.
fn rows(
    format: Format,
    address: &Address,
    scope: Resolved,
    inside: Vec<Line>,
    outside: Vec<Line>,
) -> Result<HttpResponse, Error> {
    let stem = |rows: &str| format!("scope-{}-{rows}-{}", scope.name, scope.day);
    let (stem, lines) = match address.get("rows") {
        None | Some("in") => (stem("in"), inside),
        Some("out") => (stem("out"), outside),
        Some("definitions") => {
            let stem = stem("definitions");
            return Ok(download(format, &stem, &DEFINITION_COLUMNS, move |mut to| async move {
                for one in &scope.definitions {
                    to.push(definition_cells(one)).await?;
                }
                Ok(to)
            }));
        }
        Some(_) => return Err(Error::Invalid("The rows are those of definitions, in or out.".to_owned())),
    };
    let (day, name) = (scope.day, scope.name);
    Ok(download(format, &stem, &ACCOUNT_COLUMNS, move |mut to| async move {
        for line in lines {
            to.push([
                day.into(),
                name.as_str().into(),
                line.count.account_id.into(),
                line.count.name.into(),
                line.count.places.into(),
                line.count.evaluations.into(),
                line.why.into(),
            ])
            .await?;
        }
        Ok(to)
    }))
}
