//! Rule definitions: how reading them went, what changed, and all of them as CSV and JSON.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use askama::Template;
use time::Date;

use super::core::{Outcome, change_words, changes};
use super::history_db::{self as db, Held, PlaceReading, Which};
use crate::compliance::rule_name;
use crate::error::Error;
use crate::web::address::Encoded;
use crate::web::download::{Cell, Format, download};
use crate::web::form::Filters;
use crate::web::parts::Empty;
use crate::web::table::{Column, Table, text};
use crate::web::{Access, Address, Endpoint, Frame, Page, Section, View, filters, format};

pub fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::get("/rule-definitions", Access::SignedIn, || web::get().to(show))]
}

/// Rows of each table; the rest is counted and in the files.
const ROWS: usize = 200;
/// Places read from the store at a time.
const BATCH: usize = 50;

#[derive(Template)]
#[template(path = "definition/show.html")]
struct ShowPage {
    frame: Frame,
    as_of: Date,
    /// The day whose readings are shown.
    day: Date,
    lead: String,
    asked: bool,
    filters: Filters,
    unread: Vec<PlaceReading>,
    unread_table: Table,
    changed: Vec<ChangedRow>,
    changed_table: Table,
    csv: String,
    json: String,
}

struct ChangedRow {
    rule: String,
    core_name: String,
    account_id: String,
    region: String,
    words: String,
    /// The last day that it was seen as it was, and the first as it is.
    seen: Date,
    found: Date,
}

async fn show(mut view: View) -> Result<HttpResponse, Error> {
    let scope = |account: &String| view.scope.as_ref().is_none_or(|scope| scope.holds(account));
    let account: Option<Vec<String>> = match view.address.get("account") {
        Some(account) => Some(vec![account.to_owned()].into_iter().filter(scope).collect()),
        None => view.scope_accounts().map(<[String]>::to_vec),
    };
    let region = view.address.get("region").map(str::to_owned);
    let rule = view.address.get("rule").map(str::to_owned);
    let place_ids = db::places(&mut view.read, view.organization_id, account.as_deref(), region.as_deref()).await?;
    if let Some(format) = Format::of(&view.address)? {
        return Ok(rows(format, view, place_ids, rule));
    }
    let day = db::speaking_day(&mut view.read, &place_ids, view.as_of).await?;
    let readings = db::readings(&mut view.read, &place_ids, day, i64::MAX).await?;
    let which = Which { place_ids: &place_ids, names: None, first: view.first_day, last: day, known_at: i64::MAX };
    let mut changed: Vec<ChangedRow> = db::changed(&mut view.read, which)
        .await?
        .iter()
        .filter(|(old, _)| is_named(&old.definition.name, rule.as_deref()))
        .filter_map(|(old, new)| changed_row(old, new))
        .collect();
    changed.sort_by(|one, other| {
        other.found.cmp(&one.found).then_with(|| {
            (&one.rule, &one.account_id, &one.region).cmp(&(&other.rule, &other.account_id, &other.region))
        })
    });
    Ok(Page(page(&view, day, readings, changed)).answer(actix_web::http::StatusCode::OK))
}

fn page(view: &View, day: Date, readings: Vec<PlaceReading>, mut changed: Vec<ChangedRow>) -> ShowPage {
    let address = &view.address;
    let lead = lead(&readings);
    let asked = readings.iter().any(|reading| reading.last.is_some());
    let is_unread = |reading: &PlaceReading| !matches!(&reading.last, Some((Outcome::Read, ..)) | None);
    let mut unread: Vec<PlaceReading> = readings.into_iter().filter(is_unread).collect();
    let columns = [text("Account"), text("Region"), text("Cause"), text("Tried on"), text("Last read on")];
    let unread_table = cut(&mut unread, "unread", "Account-Regions whose rules could not be read", &columns, address);
    let columns =
        [text("Rule"), text("Account"), text("Region"), text("Change"), text("Seen before"), text("Found on")];
    let changed_table = cut(&mut changed, "changed", "What rules ask for, found changed", &columns, address);
    let download = |format: &str| address.with("format", format).with("as_of", view.as_of).to_string();
    ShowPage {
        frame: view.frame(Section::Rules, "Rule definitions").crumb("Rules", "/rules"),
        as_of: view.as_of,
        day,
        lead,
        asked,
        filters: Filters::new(address)
            .text("account", "Account", "twelve digits")
            .text("region", "Region", "such as eu-central-1")
            .text("rule", "Rule", "name, or part of it"),
        unread,
        unread_table,
        changed,
        changed_table,
        csv: download("csv"),
        json: download("json"),
    }
}

/// A table of the first rows, which says how many there are.
fn cut<T>(rows: &mut Vec<T>, id: &'static str, caption: &str, columns: &[Column], address: &Address) -> Table {
    let total = rows.len();
    rows.truncate(ROWS);
    let mut table = Table::whole(id, caption, columns, address, rows.len());
    table.total = i64::try_from(total).unwrap_or(i64::MAX);
    table
}

/// "Rules of 69 of 72 account-Regions were read, last on 24 Nov 2026; 3 could not be read at the last try: 2 denied …"
fn lead(readings: &[PlaceReading]) -> String {
    let number = |number: usize| format::count(i64::try_from(number).unwrap_or(i64::MAX));
    let read = readings.iter().filter(|reading| reading.read_on.is_some()).count();
    let Some(last) = readings.iter().filter_map(|reading| reading.last.as_ref()).map(|(_, day, _)| *day).max() else {
        return "The rules’ parameters were never read from AWS Config.".to_owned();
    };
    let mut causes: BTreeMap<Outcome, usize> = BTreeMap::new();
    for (outcome, ..) in readings.iter().filter_map(|reading| reading.last.as_ref()) {
        if *outcome != Outcome::Read {
            *causes.entry(*outcome).or_default() += 1;
        }
    }
    let all = number(readings.len());
    let mut sentence = format!(
        "The rules of {} of {all} account-Regions were read; last tried on {}",
        number(read),
        format::day(last)
    );
    if !causes.is_empty() {
        let words: Vec<String> =
            causes.iter().map(|(outcome, places)| format!("{} {}", number(*places), outcome.word())).collect();
        sentence = format!("{sentence}, and not read then: {}", words.join(", "));
    }
    sentence + "."
}

fn is_named(name: &str, part: Option<&str>) -> bool {
    part.is_none_or(|part| name.to_lowercase().contains(&part.to_lowercase()) || rule_name::parse(name).core == part)
}

fn changed_row(old: &Held, new: &Held) -> Option<ChangedRow> {
    let found = changes(&old.definition, &new.definition);
    (!found.is_empty()).then(|| ChangedRow {
        core_name: rule_name::parse(&new.definition.name).core,
        rule: new.definition.name.clone(),
        account_id: new.account_id.clone(),
        region: new.region.clone(),
        words: change_words(&found),
        seen: old.last_day,
        found: new.first_day,
    })
}

/// Columns of a file of definitions.
pub(crate) const COLUMNS: [&str; 20] = [
    "account_id",
    "region",
    "rule",
    "owner",
    "source_identifier",
    "parameters",
    "scope",
    "frequency",
    "source_details",
    "modes",
    "state",
    "created_by",
    "arn",
    "config_rule_id",
    "description",
    "first_seen_day",
    "first_seen_collection",
    "last_seen_day",
    "last_seen_collection",
    "found_changed_or_gone_day",
];

/// A row under [`COLUMNS`].
pub(crate) fn cells(held: &Held) -> [Cell; 20] {
    let one = &held.definition;
    // An empty text is no JSON: AWS said nothing.
    let json = |text: &String| if text.is_empty() { Cell::Nothing } else { Cell::Json(text.clone()) };
    [
        held.account_id.as_str().into(),
        held.region.as_str().into(),
        one.name.as_str().into(),
        one.owner.as_str().into(),
        one.source_identifier.as_str().into(),
        json(&one.parameters),
        json(&one.scope),
        one.frequency.as_str().into(),
        json(&one.source_details),
        one.modes.join(" ").into(),
        one.state.as_str().into(),
        one.created_by.as_str().into(),
        one.arn.as_str().into(),
        one.config_rule_id.as_str().into(),
        one.description.as_str().into(),
        held.first_day.into(),
        held.first_collection.into(),
        held.last_day.into(),
        held.last_collection.into(),
        held.end_day.into(),
    ]
}

/// Every definition that the filters leave and that held on a day from `from` (in the address; else the as-of day) to the
/// as-of day.
fn rows(format: Format, mut view: View, place_ids: Vec<i32>, rule: Option<String>) -> HttpResponse {
    let from = view.address.get("from").and_then(crate::web::parse_day);
    download(format, &format!("rule-definitions-{}", view.as_of), &COLUMNS, |mut rows| async move {
        let last = db::speaking_day(&mut view.read, &place_ids, view.as_of).await?;
        let first = from.unwrap_or(last).min(last);
        for batch in place_ids.chunks(BATCH) {
            let which = Which { place_ids: batch, names: None, first, last, known_at: i64::MAX };
            for held in db::held(&mut view.read, which).await? {
                if is_named(&held.definition.name, rule.as_deref()) {
                    rows.push(cells(&held)).await?;
                }
            }
        }
        Ok(rows)
    })
}

fn rule_path(core_name: &str) -> String {
    format!("/rules/{}", Encoded(core_name))
}

fn account_path(account_id: &str) -> String {
    format!("/accounts/{}", Encoded(account_id))
}
