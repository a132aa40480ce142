//! Rule definitions: how reading them went, what changed, and all of them as CSV and JSON.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use askama::Template;
use time::Date;

use super::core::{change_words, changes};
use super::history_db::{self as db, Held, PlaceReading, Which};
use super::outcome::Outcome;
use crate::compliance::rule_name;
use crate::error::Error;
use crate::organization::{self, NamedPlace};
use crate::web::address::{Encoded, account_path};
use crate::web::download::{Cell, Format, download};
use crate::web::form::Filters;
use crate::web::list::{Field, List};
use crate::web::parts::{Empty, Provenance};
use crate::web::table::Table;
use crate::web::{Access, Endpoint, Frame, Page, Section, View, filters, format, parse_day};

pub fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::get("/rule-definitions", Access::Rooms, || web::get().to(show))]
}

/// Rows of a page of each table.
const ROWS: usize = 50;
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
    /// All definitions as CSV, JSON and JSON lines.
    files: [String; 3],
    provenance: Provenance,
}

#[derive(Clone)]
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

/// What the page can be asked for beside the day.
const KEYS: [&str; 10] =
    ["account", "region", "rule", "from", "unread", "changed", "unread-sort", "changed-sort", "rows", "format"];

/// Places that could not be read at the last try.
fn unread() -> List<PlaceReading> {
    fn last(reading: &PlaceReading) -> Option<&(Outcome, Date, String)> {
        reading.last.as_ref()
    }
    let fields = vec![
        Field::text("Account", "account_id", |reading: &PlaceReading| reading.account_id.as_str().into()),
        Field::text("Region", "region", |reading| reading.region.as_str().into()),
        Field::text("Cause", "cause", |reading| last(reading).map(|(outcome, ..)| outcome.word()).into()),
        Field::unseen("failure", |reading| last(reading).map(|(.., why)| why.as_str()).into()),
        Field::text("Tried on", "tried_on", |reading: &PlaceReading| last(reading).map(|(_, day, _)| *day).into())
            .most_first(),
        Field::text("Last read on", "last_read_on", |reading: &PlaceReading| reading.read_on.into()).most_first(),
    ];
    List::new("unread", "unread-sort", ROWS, fields)
}

/// Changes of what rules ask for. They come with the latest first.
fn changed() -> List<ChangedRow> {
    let fields = vec![
        Field::text("Rule", "rule", |row: &ChangedRow| row.rule.as_str().into()),
        Field::text("Account", "account_id", |row| row.account_id.as_str().into()),
        Field::text("Region", "region", |row| row.region.as_str().into()),
        Field::text("Change", "change", |row| row.words.as_str().into()),
        Field::text("Seen before", "seen_before", |row: &ChangedRow| row.seen.into()).most_first(),
        Field::text("Found on", "found_on", |row: &ChangedRow| row.found.into()).most_first(),
    ];
    List::new("changed", "changed-sort", ROWS, fields)
}

async fn show(mut view: View) -> Result<HttpResponse, Error> {
    view.address.only(&[&KEYS])?;
    let rule = view.address.get("rule").map(str::to_owned);
    let mut everywhere = organization::places(&mut view.read, view.organization_id).await?;
    everywhere.retain(|place| view.holds(&place.account_id));
    let (account, region) = (view.address.get("account"), view.address.get("region"));
    let here = everywhere.iter().filter(|place| place.is_asked_for(account, region));
    let place_ids: Vec<i32> = here.map(|place| place.place_id).collect();
    let format = Format::of(&view.address)?;
    let wanted = view.address.get("rows").unwrap_or("definitions");
    if !["definitions", "unread", "changed"].contains(&wanted) {
        return Err(Error::Invalid("The rows are those of definitions, unread or changed.".to_owned()));
    }
    if let Some(format) = format.filter(|_| wanted == "definitions") {
        return rows(format, view, place_ids, rule);
    }
    let (day, readings) = db::speaking_readings(&mut view.read, &place_ids, view.as_of).await?;
    if let Some(format) = format.filter(|_| unread().is_asked_for(&view.address)) {
        let stem = view.stem("rule-definitions-unread");
        return Ok(unread().download(format, &stem, &view.address, unread_of(&readings)));
    }
    let which = Which { place_ids: &place_ids, names: None, first: view.first_day, last: day, known_at: i64::MAX };
    let pairs = db::changed(&mut view.read, which).await?;
    let rows = changed_rows(&pairs, rule.as_deref());
    if let Some(format) = format {
        return Ok(changed().download(format, &view.stem("rule-definitions-changed"), &view.address, rows));
    }
    let page = page(&view, &everywhere, day, &readings, rows)?;
    Ok(Page(page).answer(actix_web::http::StatusCode::OK))
}

fn unread_of(readings: &[PlaceReading]) -> Vec<PlaceReading> {
    let is_unread = |reading: &&PlaceReading| !matches!(&reading.last, Some((Outcome::Read, ..)) | None);
    readings.iter().filter(is_unread).cloned().collect()
}

/// Those of the named rules, the latest first.
fn changed_rows(pairs: &[(Held, Held)], rule: Option<&str>) -> Vec<ChangedRow> {
    let mut rows: Vec<ChangedRow> = pairs
        .iter()
        .filter(|(old, _)| is_named(&old.definition.name, rule))
        .filter_map(|(old, new)| changed_row(old, new))
        .collect();
    rows.sort_by(|one, other| {
        other.found.cmp(&one.found).then_with(|| {
            (&one.rule, &one.account_id, &one.region).cmp(&(&other.rule, &other.account_id, &other.region))
        })
    });
    rows
}

fn page(
    view: &View,
    everywhere: &[NamedPlace],
    day: Date,
    readings: &[PlaceReading],
    rows: Vec<ChangedRow>,
) -> Result<ShowPage, Error> {
    let address = &view.address;
    let caption = "Account-Regions whose rules could not be read at the last try";
    let (unread, unread_table) = unread().table(address, caption, unread_of(readings))?;
    let (changed, changed_table) = changed().table(address, "What rules ask for, found changed", rows)?;
    let whole = address.start().with("as_of", view.as_of);
    Ok(ShowPage {
        frame: view.frame(Section::Rules, "Rule definitions").crumb("Rules", "/rules"),
        as_of: view.as_of,
        day,
        lead: lead(readings),
        asked: readings.iter().any(|reading| reading.last.is_some()),
        filters: Filters::new(address)
            .accounts(everywhere.iter().map(|place| (place.account_id.as_str(), place.account_name.as_str())))
            .regions(everywhere.iter().map(|place| place.region.as_str()))
            .text("rule", "Rule", "name, or part of it"),
        unread,
        unread_table,
        changed,
        changed_table,
        files: ["csv", "json", "jsonl"].map(|format| whole.with("format", format).to_string()),
        provenance: Provenance::default()
            .line("What is read", "The answer of AWS Config’s DescribeConfigRules, account by account and Region by Region, through each account’s member role.")
            .line("What is a change", "Two readings one after the other that differ. It happened between their days.")
            .link("Which readings", "Collections, with how asking each account went", view.frame(Section::Rules, "").href("/collections")),
    })
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
fn rows(format: Format, mut view: View, place_ids: Vec<i32>, rule: Option<String>) -> Result<HttpResponse, Error> {
    let from = match view.address.get("from") {
        None => None,
        Some(text) => Some(parse_day(text).filter(|day| *day <= view.as_of).ok_or_else(|| {
            Error::Invalid("The first day is a day up to the as-of day, written as YYYY-MM-DD.".to_owned())
        })?),
    };
    Ok(download(format, &view.stem("rule-definitions"), &COLUMNS, |mut rows| async move {
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
    }))
}

fn rule_path(core_name: &str) -> String {
    format!("/rules/{}", Encoded(core_name))
}
