//! One collection with its count ladder, its objects and what it changed.

use std::sync::Arc;

use actix_web::{HttpResponse, web};
use askama::Template;
use time::OffsetDateTime;

use super::super::Ladder;
use super::db::{self, CollectionRow, Found, RestatedDay};
use super::objects::{self, ladder_lines, oddities};
use super::objects_db::{self, COUNTED, OBJECT_ORDERS, ObjectRow, Which};
use super::queries::{self, Asked};
use super::{REFRESH_SECONDS, chosen};
use crate::State;
use crate::error::Error;
use crate::organization::{self, NamedPlace};
use crate::retention::Floor;
use crate::web::download::Format;
use crate::web::form::{Choice, Filters};
use crate::web::keyset::{Keyed, Keyset};
use crate::web::list::{Field, List};
use crate::web::parts::{Empty, Provenance};
use crate::web::table::{self, Column, PAGE_ROWS, PLACE_KEYS, Place, Sort, Table, number, text};
use crate::web::{Frame, Page, Section, Visit, filters, format, parse_day};

#[derive(Template)]
#[template(path = "collections/show.html")]
struct ShowPage {
    frame: Frame,
    collection: CollectionRow,
    /// What the queries of the month in which it began came to: their number, bytes scanned and price.
    month: (i64, i64, i64),
    month_name: String,
    now: OffsetDateTime,
    ladder: Option<Ladder>,
    outcomes: Vec<(String, i64)>,
    /// Where the kept evidence begins, where the collection brought evidence of days before.
    floor: Option<Floor>,
    failed: Vec<ObjectRow>,
    failed_table: Table,
    restated: Vec<RestatedDay>,
    restated_table: Table,
    filters: Filters,
    objects: Vec<ObjectRow>,
    table: Table,
    /// Whether Athena may have read them.
    by_query: bool,
    /// The same without filters.
    everything: String,
    unreadable_href: String,
    /// Whether there are more objects than are counted.
    more_than: bool,
    provenance: Provenance,
    asked: Asked,
}

/// The columns of the objects; the last only where Athena collected.
const TABLE: [Column; 11] = [
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
    text("Read by query").by("query"),
];

/// What narrows the objects.
const FILTERS: [&str; 5] = ["outcome", "account", "region", "day", "query"];
/// What else the page can be asked for: the places in its lists and what orders them.
const LISTS: [&str; 6] = ["rows", RESTATED_ID, RESTATED_SORT, queries::ID, queries::SORT, FAILED_SORT];

const FAILED: [Column; 5] = [
    text("Object").by("found"),
    text("Why").by("why"),
    text("Account").by("account"),
    text("Region").by("region"),
    text("Day").by("day").most_first(),
];
const FAILED_SORT: &str = "unreadable-sort";

const RESTATED_ID: &str = "restated";
const RESTATED_SORT: &str = "restated-sort";
/// Restated days on a page.
const RESTATED: usize = 50;

fn restated_list() -> List<RestatedDay> {
    let fields = vec![
        Field::text("Day", "day", |day: &RestatedDay| day.day.into()).most_first(),
        Field::number("Account-Regions", "account-regions", |day| day.places.into()),
        Field::number("Of them late", "late", |day| day.late.into()),
        Field::number("Rows added", "rows-added", |day| day.rows_added.into()),
        Field::number("Rows removed", "rows-removed", |day| day.rows_removed.into()),
    ];
    List::new(RESTATED_ID, RESTATED_SORT, RESTATED, fields)
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
    visit.address.only(&[&FILTERS, &LISTS, &PLACE_KEYS])?;
    let found = db::find(&mut visit.read, organization.id, collection_id).await?.ok_or(Error::NotFound)?;
    let Found { row: collection, month_queries, month_bytes_scanned, month_price_billionths } = found;
    let places = organization::places(&mut visit.read, organization.id).await?;
    let format = Format::of(&visit.address)?;
    if let Some(format) = format.filter(|_| queries::is_asked_for(&visit.address)) {
        return Ok(queries::download_of(format, visit, collection_id));
    }
    let asked = queries::load(&state, &mut visit, organization.id, &collection).await?;
    let which = which(&visit, collection_id, &places, &asked)?;
    if let Some(format) = format.filter(|_| visit.address.get("rows").is_none()) {
        let (_, sort) = order(&visit, asked.list.is_some());
        let first = Keyset::of(&OBJECT_ORDERS, sort, &Place::First, false)?;
        return Ok(objects::download_of(format, visit, which, first));
    }
    let restated = restated(&state, &mut visit, organization.id, &collection).await?;
    let restated: Vec<&RestatedDay> = restated.iter().collect();
    if let Some(format) = format {
        return if restated_list().is_asked_for(&visit.address) {
            let stem = format!("collection-{collection_id}-restated");
            Ok(restated_list().download(format, &stem, &visit.address, restated))
        } else {
            Err(Error::Invalid("The rows of this page are its objects, restated and queries.".to_owned()))
        };
    }
    let outcomes = outcomes(&state, &mut visit, organization.id, collection_id).await?;
    let by_query = asked.list.is_some();
    let (objects, table) = object_page(&mut visit, &which, &outcomes, by_query).await?;
    let (failed, failed_table) = failed(&mut visit, collection_id, &outcomes).await?;
    let caption = "Days that were collected before and that this collection changed";
    let (restated, restated_table) = restated_list().table(&visit.address, caption, restated)?;
    let ladder: Option<Ladder> =
        collection.ladder.clone().map(serde_json::from_value).transpose().map_err(anyhow::Error::from)?;
    let running = collection.running();
    let page = ShowPage {
        frame: visit
            .frame(Section::Collections, format!("Collection {collection_id}"))
            .crumb("Collections", "/collections"),
        month: (month_queries, month_bytes_scanned, month_price_billionths),
        month_name: format::month_and_year(collection.started_at),
        now: state.clock.now(),
        ladder,
        filters: choices(&visit, &places),
        everything: visit.address.start().without(&FILTERS).to_string(),
        unreadable_href: visit.address.start().without(&FILTERS).with("outcome", "unreadable").to_string() + "#objects",
        more_than: table.total > COUNTED,
        provenance: provenance(&collection),
        by_query,
        asked,
        floor: visit.standing.floor.clone().filter(|floor| collection.first_day.is_some_and(|day| floor.removed(day))),
        collection,
        outcomes: outcomes.to_vec(),
        failed,
        failed_table,
        restated: restated.into_iter().cloned().collect(),
        restated_table,
        objects,
        table,
    };
    Ok(Page(page).refreshed_after(running.then_some(REFRESH_SECONDS)))
}

/// The objects that the filters leave. Those of a day, or of a query, which is of one, are found by place and day.
fn which(visit: &Visit, collection_id: i64, places: &[NamedPlace], asked: &Asked) -> Result<Which, Error> {
    let address = &visit.address;
    let day = match address.get("day") {
        None => None,
        Some(text) => Some(parse_day(text).ok_or_else(|| Error::Invalid(format!("“{text}” is not a day.")))?),
    };
    // One that was never started has read nothing, and no object names it.
    let query = asked.query.as_ref();
    let day = day.or(query.map(|query| query.day));
    let everywhere = || day.map(|_| places.iter().map(|place| place.place_id).collect());
    Ok(Which {
        collection_id,
        outcome: address.get("outcome").map(str::to_owned),
        place_ids: chosen(address, places).or_else(everywhere),
        day,
        query_id: query.map(|query| query.athena_query_id),
    })
}

/// The columns of the objects, which query read each among them where there are queries, and what orders them.
fn order(visit: &Visit, by_query: bool) -> (&'static [Column], Sort) {
    let columns = if by_query { &TABLE[..] } else { TABLE.split_last().map_or(&TABLE[..], |(_, columns)| columns) };
    (columns, Sort::of(&visit.address, columns, Sort::up("found")))
}

/// A page of the objects that the filters leave, with its table.
async fn object_page(
    visit: &mut Visit,
    which: &Which,
    outcomes: &[(String, i64)],
    by_query: bool,
) -> Result<(Vec<ObjectRow>, Table), Error> {
    let (columns, sort) = order(visit, by_query);
    let place = Place::of(&visit.address, 2)?;
    let keyset = Keyset::of(&OBJECT_ORDERS, sort, &place, false)?;
    let mut objects = objects_db::objects(&mut visit.read, which, &keyset, PAGE_ROWS + 1, !which.whole()).await?;
    let more = table::cut(&mut objects, &place);
    let counted = objects.first().map_or(Some(0), |keyed| keyed.row.total);
    let is_meant = |outcome: &str| which.outcome.as_deref().is_none_or(|asked| asked == outcome);
    // Known from the outcomes, where no more than an outcome is asked for.
    let all = || outcomes.iter().filter(|(outcome, _)| is_meant(outcome)).map(|(_, count)| count).sum();
    let total = counted.filter(|_| !which.whole()).unwrap_or_else(all);
    let row_key = |row: Option<&Keyed<ObjectRow>>| row.map(|keyed| keyed.key(&keyed.row.object_id));
    let table = Table::whole("objects", "Objects", columns, &visit.address, objects.len())
        .sorted(sort)
        .paged(&place, row_key(objects.first()), row_key(objects.last()), more, total)
        .with_formats();
    Ok((objects.into_iter().map(|keyed| keyed.row).collect(), table))
}

/// The first of the objects that could not be read, in the order of the address.
async fn failed(
    visit: &mut Visit,
    collection_id: i64,
    outcomes: &[(String, i64)],
) -> Result<(Vec<ObjectRow>, Table), Error> {
    let total = outcomes.iter().find(|(outcome, _)| outcome == "unreadable").map_or(0, |(_, count)| *count);
    let asked = Sort::asked(&visit.address, FAILED_SORT, &FAILED);
    let keyset = Keyset::of(&OBJECT_ORDERS, asked.unwrap_or(Sort::up("found")), &Place::First, false)?;
    let which = Which { collection_id, outcome: Some("unreadable".to_owned()), ..Which::default() };
    let failed = if total > 0 {
        objects_db::objects(&mut visit.read, &which, &keyset, PAGE_ROWS, false).await?
    } else {
        Vec::new()
    };
    let caption = "Objects that could not be read, and why";
    let mut table =
        Table::whole("unreadable", caption, &FAILED, &visit.address, failed.len()).sorted_by(FAILED_SORT, asked);
    table.total = total;
    // The same rows stand among the objects, page by page.
    table.formats = Some(visit.address.start().without(&FILTERS).with("outcome", "unreadable"));
    Ok((failed.into_iter().map(|keyed| keyed.row).collect(), table))
}

fn choices(visit: &Visit, places: &[NamedPlace]) -> Filters {
    let choice = |word: &str| Choice::new(word, word);
    let filters = Filters::new(&visit.address)
        .select(
            "outcome",
            "Outcome",
            "All outcomes",
            ["collected", "superseded", "unreadable", "changed"].map(choice).to_vec(),
        )
        .accounts(places.iter().map(|place| (place.account_id.as_str(), place.account_name.as_str())))
        .regions(places.iter().map(|place| place.region.as_str()))
        .day("day", "Day");
    // A query's row sets it; it is shown so that it can be seen and taken away.
    if visit.address.get("query").is_some() { filters.text("query", "Query", "execution id") } else { filters }
}
