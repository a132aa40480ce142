//! One collection with its count ladder, its objects and what it changed.

use std::sync::Arc;

use actix_web::{HttpResponse, web};
use askama::Template;
use time::OffsetDateTime;

use super::super::Ladder;
use super::super::athena::{Engine, Spent, spent};
use super::REFRESH_SECONDS;
use super::athena::{self, QueryRow};
use super::db::{self, CollectionRow, OBJECT_ORDERS, ObjectRow, RestatedDay, Which};
use super::objects::{self, ladder_lines, oddities};
use crate::State;
use crate::error::Error;
use crate::organization::{self, NamedPlace};
use crate::web::download::Format;
use crate::web::form::{Choice, Filters};
use crate::web::keyset::{Keyed, Keyset};
use crate::web::parts::{Empty, Provenance};
use crate::web::table::{self, Column, PAGE_ROWS, PLACE_KEYS, Place, Sort, Table, Window, number, text};
use crate::web::{Address, Frame, Page, Read, Section, Visit, filters};

#[derive(Template)]
#[template(path = "collections/show.html")]
struct ShowPage {
    frame: Frame,
    collection: CollectionRow,
    now: OffsetDateTime,
    ladder: Option<Ladder>,
    outcomes: Vec<(String, i64)>,
    failed: Vec<ObjectRow>,
    failed_table: Table,
    restated: Vec<RestatedDay>,
    restated_table: Table,
    filters: Filters,
    objects: Vec<ObjectRow>,
    table: Table,
    /// The same without filters.
    everything: String,
    unreadable_href: String,
    /// Whether there are more objects than are counted.
    more_than: bool,
    provenance: Provenance,
    asked: Asked,
}

/// What Athena was asked.
#[derive(Default)]
struct Asked {
    /// The newest queries.
    queries: Vec<QueryRow>,
    /// The one whose text was asked for.
    query: Option<QueryRow>,
    /// `None` where another engine collected.
    spent: Option<Spent>,
}

const TABLE: [Column; 10] = [
    text("Object").by("found"),
    text("Outcome").by("outcome"),
    text("Account").by("account"),
    text("Region").by("region"),
    text("Day").by("day").most_first(),
    text("Kind").by("kind"),
    number("Bytes").by("bytes"),
    number("Items").by("items"),
    number("Compliance items").by("compliance-items"),
    number("Evaluations").by("evaluations"),
];

/// Restated days on a page.
const RESTATED: usize = 50;
/// Queries of Athena on a page, the newest.
const QUERIES: i64 = 50;

/// The places that the filters leave; `None` is all.
fn chosen(address: &Address, places: &[NamedPlace]) -> Option<Vec<i32>> {
    let (account, region) = (address.get("account"), address.get("region"));
    if account.is_none() && region.is_none() {
        return None;
    }
    let meant = places.iter().filter(|place| place.is_asked_for(account, region));
    Some(meant.map(|place| place.place_id).collect())
}

/// How many objects had which outcome. It stays the same until the next collection; while one runs, its own change.
async fn outcomes(
    state: &State,
    visit: &mut Visit,
    organization_id: i16,
    collection_id: i64,
) -> Result<Arc<Vec<(String, i64)>>, Error> {
    let key = visit.standing.key(organization_id, &format!("outcomes {collection_id}"));
    if let Some(outcomes) = key.as_deref().and_then(|key| state.memo.get(key)) {
        return Ok(outcomes);
    }
    let outcomes = Arc::new(db::outcomes(&mut visit.read, collection_id).await?);
    if let Some(key) = key {
        state.memo.put(key, Arc::clone(&outcomes), 200);
    }
    Ok(outcomes)
}

/// How many objects the filters leave: known from the outcomes, or counted where a place is chosen.
async fn total(read: &mut Read, which: &Which, outcomes: &[(String, i64)]) -> Result<i64, Error> {
    match (&which.place_ids, &which.outcome) {
        (Some(_), _) => Ok(db::count_objects(read, which).await?),
        (None, Some(outcome)) => Ok(outcomes.iter().filter(|(of, _)| of == outcome).map(|(_, count)| count).sum()),
        (None, None) => Ok(outcomes.iter().map(|(_, count)| count).sum()),
    }
}

/// The days that a collection changed; they stay the same until the next collection.
async fn restated(
    state: &State,
    visit: &mut Visit,
    organization_id: i16,
    collection: &CollectionRow,
) -> Result<Arc<Vec<RestatedDay>>, Error> {
    let id = collection.collection_id;
    let key = visit.standing.key(organization_id, &format!("restated {id}"));
    if let Some(days) = key.as_deref().and_then(|key| state.memo.get(key)) {
        return Ok(days);
    }
    let days = Arc::new(db::restated(&mut visit.read, organization_id, id).await?);
    if let Some(key) = key {
        state.memo.put(key, Arc::clone(&days), days.len() * size_of::<RestatedDay>());
    }
    Ok(days)
}

fn provenance(collection: &CollectionRow) -> Provenance {
    Provenance::default()
        .line("Objects", "Each object that this collection read or left out, with its size, ETag and SHA-256.")
        .line("Counts", "Counted as the objects were read, and again from the store as the collection ended: the ladder holds both.")
        .line("Read by", format!("Auditfolio {} ({})", collection.program_version, collection.program_commit))
}

pub(super) async fn show(
    state: web::Data<State>,
    mut visit: Visit,
    id: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let collection_id: i64 = id.parse().map_err(|_not_a_number| Error::NotFound)?;
    let organization = visit.organization.clone().ok_or(Error::NotFound)?;
    visit.address.only(&[&["outcome", "account", "region", "restated", "query"], &PLACE_KEYS])?;
    let collection = db::find(&mut visit.read, organization.id, collection_id).await?.ok_or(Error::NotFound)?;
    let places = organization::places(&mut visit.read, organization.id).await?;
    let which = Which {
        collection_id,
        outcome: visit.address.get("outcome").map(str::to_owned),
        place_ids: chosen(&visit.address, &places),
    };
    if let Some(format) = Format::of(&visit.address)? {
        return Ok(objects::download_of(format, visit, which));
    }
    let place = Place::of(&visit.address, 2)?;
    let sort = Sort::of(&visit.address, &TABLE, Sort::up("found"));
    let keyset = Keyset::of(&OBJECT_ORDERS, sort, &place, false)?;
    let mut objects = db::objects(&mut visit.read, &which, &keyset, PAGE_ROWS + 1).await?;
    let more = table::cut(&mut objects, &place);
    let ladder: Option<Ladder> =
        collection.ladder.clone().map(serde_json::from_value).transpose().map_err(anyhow::Error::from)?;
    let outcomes = outcomes(&state, &mut visit, organization.id, collection_id).await?;
    let read = &mut visit.read;
    let total = total(read, &which, &outcomes).await?;
    let unreadable_count = outcomes.iter().find(|(outcome, _)| outcome == "unreadable").map_or(0, |(_, count)| *count);
    let failed = if unreadable_count > 0 { db::bad_objects(read, collection_id, PAGE_ROWS).await? } else { Vec::new() };
    let restated = restated(&state, &mut visit, organization.id, &collection).await?;

    let asked = asked(&mut visit, organization.id, &collection).await?;

    let address = &visit.address;
    let row_key = |row: Option<&Keyed<ObjectRow>>| row.map(|keyed| keyed.key(&keyed.row.object_id));
    let table = Table::whole("objects", "Objects", &TABLE, address, objects.len())
        .sorted(sort)
        .paged(&place, row_key(objects.first()), row_key(objects.last()), more, total)
        .with_formats();
    let mut failed_table = Table::whole(
        "unreadable",
        "Objects that could not be read, and why",
        &[text("Object"), text("Why"), text("Account"), text("Region"), text("Day")],
        address,
        failed.len(),
    );
    failed_table.total = unreadable_count;
    let unreadable_href = visit.address.start().with("outcome", "unreadable").to_string() + "#objects";
    let window = Window::of(address, "restated", RESTATED, restated.len())?;
    let restated_table = Table::whole(
        "restated",
        "Days that were collected before and that this collection changed",
        &[text("Day"), number("Account-Regions"), number("Of them late"), number("Rows added"), number("Rows removed")],
        address,
        restated.len(),
    )
    .windowed(&window);
    let running = collection.running();
    let provenance = provenance(&collection);
    let page = ShowPage {
        frame: visit
            .frame(Section::Collections, format!("Collection {collection_id}"))
            .crumb("Collections", "/collections"),
        now: state.clock.now(),
        ladder,
        filters: choices(&visit, &places),
        everything: visit.address.start().without(&["outcome", "account", "region"]).to_string(),
        unreadable_href,
        more_than: total > db::COUNTED,
        provenance,
        asked,
        collection,
        outcomes: outcomes.to_vec(),
        failed,
        failed_table,
        restated: window.rows(&restated).to_vec(),
        restated_table,
        objects: objects.into_iter().map(|keyed| keyed.row).collect(),
        table,
    };
    Ok(Page(page).refreshed_after(running.then_some(REFRESH_SECONDS)))
}

async fn asked(visit: &mut Visit, organization_id: i16, collection: &CollectionRow) -> Result<Asked, Error> {
    let wanted = visit.address.get("query").map(|id| id.parse::<i64>().map_err(|_not_a_number| Error::NotFound));
    if collection.engine != Engine::Athena.word() {
        return if wanted.is_some() { Err(Error::NotFound) } else { Ok(Asked::default()) };
    }
    let (id, read) = (collection.collection_id, &mut visit.read);
    let query = match wanted.transpose()? {
        Some(wanted) => Some(athena::query(read, id, wanted).await?.ok_or(Error::NotFound)?),
        None => None,
    };
    let queries = athena::queries(read, id, QUERIES).await?;
    Ok(Asked { queries, query, spent: Some(spent(read, organization_id, id).await?) })
}

fn choices(visit: &Visit, places: &[NamedPlace]) -> Filters {
    let choice = |word: &str| Choice::new(word, word);
    Filters::new(&visit.address)
        .select(
            "outcome",
            "Outcome",
            "All outcomes",
            ["collected", "superseded", "unreadable", "changed"].map(choice).to_vec(),
        )
        .accounts(places.iter().map(|place| (place.account_id.as_str(), place.account_name.as_str())))
        .regions(places.iter().map(|place| place.region.as_str()))
}
