//! One scope on a day: how it is defined, who belongs, who does not, and why.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use askama::Template;
use time::Date;

use super::core::{Definition, End, Selector};
use super::page::{about, frame, provenance};
use super::{Known, Resolved, Unresolved, resolve};
use crate::State;
use crate::compliance::scoped::{AccountCount, account_counts};
use crate::error::Error;
use crate::web::address::Encoded;
use crate::web::download::{Cell, Format};
use crate::web::list::{Field, List};
use crate::web::parts::Provenance;
use crate::web::table::Table;
use crate::web::{Address, Frame, Page, Visit, filters, format};

/// Rows of a page of each table.
const ROWS: usize = 50;

/// An account in or out.
struct Line {
    count: AccountCount,
    why: String,
    href: String,
    /// Neither expected nor delivered on the day.
    absent: bool,
    day: Date,
    scope: String,
}

/// A definition with what it chooses by, in words, and where it can be ended.
struct Defined {
    one: Definition,
    words: String,
    end_href: Option<String>,
}

#[derive(Template)]
#[template(path = "organization/scope.html")]
struct ShowPage {
    frame: Frame,
    scope: Resolved,
    lead: String,
    read_href: String,
    definitions: Vec<Defined>,
    definitions_table: Table,
    inside: Vec<Line>,
    inside_table: Table,
    outside: Vec<Line>,
    outside_table: Table,
    new_href: Option<String>,
    provenance: Provenance,
}

/// What the page can be asked for beside the day.
const KEYS: [&str; 8] = ["definitions", "in", "out", "definitions-sort", "in-sort", "out-sort", "rows", "format"];

pub(super) async fn show(state: Data<State>, mut visit: Visit, name: Path<String>) -> Result<HttpResponse, Error> {
    visit.address.only(&[&KEYS])?;
    let (organization, day) = about(&visit)?;
    let scope = match resolve(&mut visit.read, organization.id, &name, day, Known::ALL).await {
        Ok(scope) => scope,
        Err(Unresolved::Database(error)) => return Err(error.into()),
        Err(_) => return Err(Error::NoSuchScope(name.into_inner())),
    };
    let counts = account_counts(&state, &visit.standing, &mut visit.read, organization.id, day).await?;
    let (inside, outside) = lines(&scope, counts);
    if let Some(format) = Format::of(&visit.address)? {
        return rows(format, &visit, &scope, (inside, outside));
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
    let line = |count: AccountCount, inside: bool, absent: bool| Line {
        href: href(&count.account_id, inside),
        why: if inside { scope.why_in(&count.account_id) } else { scope.why_out(&count.account_id) },
        absent,
        day: scope.day,
        scope: scope.name.clone(),
        count,
    };
    let (mut inside, mut outside) = (Vec::new(), Vec::new());
    let holds = |account_id: &str| scope.membership.accounts.contains_key(account_id);
    let here: std::collections::BTreeSet<String> = counts.iter().map(|count| count.account_id.clone()).collect();
    for count in counts {
        let belongs = holds(&count.account_id);
        if belongs { &mut inside } else { &mut outside }.push(line(count, belongs, false));
    }
    for account_id in scope.membership.accounts.keys().filter(|id| !here.contains(*id)) {
        let count = AccountCount { account_id: account_id.clone(), ..AccountCount::default() };
        inside.push(line(count, true, true));
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
    let defined = defined(&scope, may_make.then_some(&frame));
    let (definitions, definitions_table) = definitions().table(address, "Definitions, the newest first", defined)?;
    let lead = lead(&scope, &inside, &outside);
    let (inside, inside_table) =
        accounts("in", "in-sort", "Why in").table(address, "Each account in the scope", inside)?;
    let (outside, outside_table) =
        accounts("out", "out-sort", "Why out").table(address, "Each account out of it", outside)?;
    Ok(ShowPage {
        lead,
        read_href: Address::new("/").with("scope", &scope.name).with("as_of", scope.day).to_string(),
        definitions,
        definitions_table,
        inside,
        inside_table: inside_table.as_of(scope.day),
        outside,
        outside_table: outside_table.as_of(scope.day),
        new_href: may_make.then(|| frame.href(&format!("/scopes/new?name={}", scope.name))),
        provenance: provenance(&frame),
        frame,
        scope,
    })
}

/// The definitions, the newest first; the frame is that of somebody who may end them.
fn defined(scope: &Resolved, may_end: Option<&Frame>) -> Vec<Defined> {
    let end = |one: &Definition| may_end.map(|frame| frame.href(&format!("/scopes/{}/{}/end", one.name, one.record)));
    let definition = |one: &Definition| Defined {
        words: one.selector.words(scope.listed.as_ref()),
        end_href: if one.end.is_none() { end(one) } else { None },
        one: one.clone(),
    };
    scope.definitions.iter().rev().map(definition).collect()
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

fn definitions() -> List<Defined> {
    let fields = vec![
        Field::unseen("scope", |line: &Defined| line.one.name.as_str().into()),
        Field::number("Definition", "definition", |line| line.one.record.into()),
        Field::unseen("title", |line| line.one.title.as_str().into()),
        Field::text("Accounts by", "by", |line: &Defined| kind(&line.one.selector).into())
            .ordered(|line| line.words.as_str().into()),
        Field::unseen("organizational_unit", |line| match &line.one.selector {
            Selector::Unit(id) => id.as_str().into(),
            _ => Cell::Nothing,
        }),
        Field::unseen("tag_key", |line| match &line.one.selector {
            Selector::Tag { key, .. } => key.as_str().into(),
            _ => Cell::Nothing,
        }),
        Field::unseen("tag_value", |line| match &line.one.selector {
            Selector::Tag { value, .. } => value.as_str().into(),
            _ => Cell::Nothing,
        }),
        Field::unseen("accounts", |line| match &line.one.selector {
            Selector::Accounts(ids) => ids.iter().cloned().collect::<Vec<_>>().join(" ").into(),
            _ => Cell::Nothing,
        }),
        Field::text("Days (UTC)", "first_day", |line: &Defined| line.one.first_day.into()).most_first(),
        Field::text("Reason", "reason", |line| line.one.reason.as_str().into()),
        Field::unseen("made_by", |line| line.one.made_by.as_str().into()),
        Field::text("Made", "made_at", |line: &Defined| line.one.made_at.into()).most_first(),
        Field::unseen("no_longer_from", |line| end(line).map(|end| end.day).into()),
        Field::unseen("end_number", |line| end(line).map(|end| end.record).into()),
        Field::unseen("end_reason", |line| end(line).map(|end| end.reason.clone()).into()),
        Field::unseen("ended_by", |line| end(line).map(|end| end.made_by.clone()).into()),
        Field::text("Ended", "ended_at", |line: &Defined| end(line).map(|end| end.made_at).into()).most_first(),
    ];
    List::new("definitions", "definitions-sort", ROWS, fields)
}

fn end(line: &Defined) -> Option<&End> {
    line.one.end.as_ref()
}

/// By what accounts are chosen.
fn kind(selector: &Selector) -> &'static str {
    match selector {
        Selector::Unit(_) => "organizational unit",
        Selector::Tag { .. } => "account tag",
        Selector::Accounts(_) => "list",
    }
}

/// Accounts by id.
fn accounts(id: &'static str, sort: &'static str, why: &'static str) -> List<Line> {
    let fields = vec![
        Field::unseen("day", |line: &Line| line.day.into()),
        Field::unseen("scope", |line| line.scope.as_str().into()),
        Field::text("Account", "account_id", |line| line.count.account_id.as_str().into()),
        Field::text("Name", "account_name", |line| line.count.name.as_str().into()),
        Field::number("Account-Regions", "account_regions", |line| line.count.places.into()),
        Field::number("Evaluations", "evaluations", |line| line.count.evaluations.into()),
        Field::text(why, "why", |line| line.why.as_str().into()),
    ];
    List::new(id, sort, ROWS, fields)
}

/// The rows of one of the page's tables; those of who belongs where none is named.
fn rows(
    format: Format,
    visit: &Visit,
    scope: &Resolved,
    (inside, outside): (Vec<Line>, Vec<Line>),
) -> Result<HttpResponse, Error> {
    let (address, stem) = (&visit.address, |rows: &str| format!("scope-{}-{rows}-{}", scope.name, scope.day));
    Ok(match address.get("rows") {
        None | Some("in") => accounts("in", "in-sort", "Why in").download(format, &stem("in"), address, inside),
        Some("out") => accounts("out", "out-sort", "Why out").download(format, &stem("out"), address, outside),
        Some("definitions") => definitions().download(format, &stem("definitions"), address, defined(scope, None)),
        Some(_) => return Err(Error::Invalid("The rows are those of definitions, in or out.".to_owned())),
    })
}
