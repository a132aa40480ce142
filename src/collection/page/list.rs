//! The list of collections.

use actix_web::{HttpResponse, web};
use askama::Template;
use time::OffsetDateTime;

use super::db::{self, COLLECTION_ORDERS, CollectionRow, Those};
use super::{REFRESH_SECONDS, chosen};
use crate::error::Error;
use crate::organization::{self, NamedPlace};
use crate::web::download::{Cell, Format, download};
use crate::web::form::{Choice, Filters};
use crate::web::keyset::{Keyed, Keyset};
use crate::web::parts::{Empty, Provenance};
use crate::web::table::{self, Column, PAGE_ROWS, PLACE_KEYS, Place, Sort, Table, number, text};
use crate::web::{Address, Frame, Page, Section, Visit, filters};
use crate::{State, retention, schedule};

#[derive(Template)]
#[template(path = "collections/list.html")]
struct ListPage {
    frame: Frame,
    rows: Vec<CollectionRow>,
    table: Table,
    now: OffsetDateTime,
    provenance: Provenance,
    schedule: schedule::page::Standing,
    retention: retention::page::Standing,
    filters: Filters,
    /// The same without filters, where there are any.
    everything: Option<String>,
}

const LIST: [&str; 16] = [
    "collection_id",
    "state",
    "failure",
    "engine",
    "source",
    "first_day",
    "last_day",
    "started_by",
    "started_at",
    "finished_at",
    "program_version",
    "program_commit",
    "objects_done",
    "objects_total",
    "objects_unreadable",
    "ladder",
];

/// What narrows the list. An account and a Region leave the collections that brought evidence of them.
const FILTERS: [&str; 5] = ["state", "engine", "outcome", "account", "region"];
const STATES: [&str; 4] = ["finished", "failed", "interrupted", "running"];
const ENGINES: [&str; 2] = ["files", "athena"];

const TABLE: [Column; 9] = [
    text("Collection").by("collection").most_first(),
    text("State").by("state"),
    text("Source").by("source"),
    text("Days").by("days").most_first(),
    text("Started").by("started").most_first(),
    text("Took").by("took").most_first(),
    text("By").by("by"),
    number("Objects").by("objects"),
    number("Unreadable").by("unreadable"),
];

pub(super) async fn list(state: web::Data<State>, mut visit: Visit) -> Result<HttpResponse, Error> {
    visit.address.only(&[&PLACE_KEYS, &FILTERS])?;
    let organization_id = visit.organization.as_ref().map(|organization| organization.id);
    let places = match organization_id {
        Some(id) => organization::places(&mut visit.read, id).await?,
        None => Vec::new(),
    };
    let those = those(&visit.address, organization_id.unwrap_or_default(), &places)?;
    let sort = Sort::of(&visit.address, &TABLE, Sort::down("collection"));
    if let Some(format) = Format::of(&visit.address)? {
        let first = Keyset::of(&COLLECTION_ORDERS, sort, &Place::First, false)?;
        return Ok(list_rows(format, visit, those, first));
    }
    let place = Place::of(&visit.address, 2)?;
    let keyset = Keyset::of(&COLLECTION_ORDERS, sort, &place, false)?;
    let (mut rows, total) = match organization_id {
        None => (Vec::new(), 0),
        Some(_) => (
            db::list(&mut visit.read, &those, &keyset, PAGE_ROWS + 1).await?,
            db::count(&mut visit.read, &those).await?,
        ),
    };
    let more = table::cut(&mut rows, &place);
    let row_key = |row: Option<&Keyed<CollectionRow>>| row.map(|keyed| keyed.key(&keyed.row.collection_id));
    let table = Table::whole("collections", "Collections", &TABLE, &visit.address, rows.len())
        .sorted(sort)
        .with_formats()
        .paged(&place, row_key(rows.first()), row_key(rows.last()), more, total);
    let rows: Vec<CollectionRow> = rows.into_iter().map(|keyed| keyed.row).collect();
    let running = rows.iter().any(CollectionRow::running);
    let schedule = schedule::page::Standing::load(&state, &mut visit).await?;
    let retention = retention::page::Standing::load(&state, &mut visit).await?;
    let frame = visit.frame(Section::Collections, "Collections");
    let provenance = Provenance::default()
        .line("What is a collection", "One run of the program that read delivered objects; its row is never deleted.")
        .line(
            "Counts and times",
            "Each collection counts what it does and writes it down as it ends, by the database’s clock.",
        );
    let narrowed = FILTERS.iter().any(|filter| visit.address.get(filter).is_some());
    let everything = narrowed.then(|| visit.address.start().without(&FILTERS).to_string());
    let filters = choices(&visit.address, &places);
    let now = state.clock.now();
    let page = ListPage { frame, rows, table, now, provenance, schedule, retention, filters, everything };
    Ok(Page(page).refreshed_after(running.then_some(REFRESH_SECONDS)))
}

/// The collections that the filters leave; a word that no filter has is refused.
fn those(address: &Address, organization_id: i16, places: &[NamedPlace]) -> Result<Those, Error> {
    let word = |name: &str, choices: &[&str]| match address.get(name) {
        Some(text) if !choices.contains(&text) => {
            Err(Error::Invalid(format!("“{text}” is none of the choices for {name}.")))
        }
        found => Ok(found.map(str::to_owned)),
    };
    Ok(Those {
        organization_id,
        state: word("state", &STATES)?,
        engine: word("engine", &ENGINES)?,
        unreadable: word("outcome", &["unreadable"])?.is_some(),
        place_ids: chosen(address, places),
    })
}

fn choices(address: &Address, places: &[NamedPlace]) -> Filters {
    let choice = |word: &str| Choice::new(word, word);
    Filters::new(address)
        .select("state", "State", "All states", STATES.map(choice).to_vec())
        .select("engine", "Engine", "All engines", ENGINES.map(choice).to_vec())
        .select("outcome", "Objects", "Any objects", vec![Choice::new("unreadable", "some unreadable")])
        .accounts(places.iter().map(|place| (place.account_id.as_str(), place.account_name.as_str())))
        .regions(places.iter().map(|place| place.region.as_str()))
}

/// Every collection that the filters leave, in the order of the page.
fn list_rows(format: Format, mut visit: Visit, those: Those, first: Keyset) -> HttpResponse {
    download(format, "collections", &LIST, |mut rows| async move {
        let mut page = first;
        loop {
            let part = db::list(&mut visit.read, &those, &page, 1000).await?;
            let Some(last) = part.last() else { break };
            page = page.after(last.sort_key.clone(), last.row.collection_id.to_string());
            for Keyed { row, .. } in part {
                let unreadable = row.unreadable();
                rows.push([
                    row.collection_id.into(),
                    row.state.into(),
                    row.failure.into(),
                    row.engine.into(),
                    row.source.into(),
                    row.first_day.into(),
                    row.last_day.into(),
                    row.started_by.into(),
                    row.started_at.into(),
                    row.finished_at.into(),
                    row.program_version.into(),
                    row.program_commit.into(),
                    row.objects_done.into(),
                    row.objects_total.into(),
                    unreadable.into(),
                    row.ladder.map_or(Cell::Nothing, |ladder| Cell::Json(ladder.to_string())),
                ])
                .await?;
            }
        }
        Ok(rows)
    })
}
