//! Collections, and one collection with its count ladder, its objects and what it changed.

mod db;

use std::sync::Arc;

use actix_web::{HttpResponse, web};
use askama::Template;
use time::OffsetDateTime;

use self::db::{CollectionRow, ObjectRow, PlaceRow, RestatedDay, Which};
use super::Ladder;
use crate::State;
use crate::compliance::is_account;
use crate::error::Error;
use crate::web::download::{Cell, Format, download};
use crate::web::form::{Choice, Filters};
use crate::web::parts::{Empty, Provenance};
use crate::web::table::{self, PAGE_ROWS, PLACE_KEYS, Place, Sort, Table, Window, number, text};
use crate::web::{Access, Address, Endpoint, Frame, Page, Read, Section, Visit, filters, format};

pub fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/collections", Access::SignedIn, || web::get().to(list)),
        Endpoint::get("/collections/{collection_id}", Access::SignedIn, || web::get().to(show)),
    ]
}

/// Seconds after which the page of a running collection is asked for again.
const REFRESH_SECONDS: u32 = 2;

impl CollectionRow {
    fn running(&self) -> bool {
        self.alive
    }

    /// "finished", or what went wrong.
    fn state_words(&self) -> String {
        if self.state == "running" && !self.alive {
            return "interrupted: the program ended before the collection did. What it committed stands, and the next \
                    collection finishes the work"
                .to_owned();
        }
        match &self.failure {
            Some(failure) => format!("{}: {failure}", self.state),
            None => self.state.clone(),
        }
    }

    fn days_words(&self) -> String {
        match (self.first_day, self.last_day) {
            (Some(first), Some(last)) => format!("{} to {}", format::day(first), format::day(last)),
            _ => "–".to_owned(),
        }
    }

    fn took(&self, now: OffsetDateTime) -> String {
        format::duration(self.finished_at.unwrap_or(now) - self.started_at)
    }

    /// "1,203 of 4,000 objects, 400 a second, about 7 seconds left".
    fn progress_words(&self, now: OffsetDateTime) -> String {
        format::progress(self.objects_done, self.objects_total, "object", now - self.started_at)
    }

    fn unreadable(&self) -> Option<i64> {
        self.ladder.as_ref()?.get("objects_unreadable")?.as_i64()
    }
}

impl ObjectRow {
    fn name(&self) -> String {
        format::object_name(&self.key)
    }

    fn sha256_words(&self) -> String {
        self.sha256.as_deref().map_or_else(|| "not read by us".to_owned(), format::hex)
    }

    fn reason_words(&self) -> String {
        let reason = self.reason.clone().unwrap_or_default();
        match self.position_bytes {
            Some(position) => format!("{reason}, at byte {}", format::count(position)),
            None => reason,
        }
    }
}

#[derive(Template)]
#[template(path = "collections/list.html")]
struct ListPage {
    frame: Frame,
    rows: Vec<CollectionRow>,
    table: Table,
    now: OffsetDateTime,
    provenance: Provenance,
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

async fn list(state: web::Data<State>, mut visit: Visit) -> Result<HttpResponse, Error> {
    visit.address.only(&[&PLACE_KEYS])?;
    let place = Place::of(&visit.address, 1)?;
    let key = |parts: &[String]| parts[0].parse::<i64>().map_err(|_not_a_number| bad_place());
    if let Some(format) = Format::of(&visit.address)? {
        return Ok(list_rows(format, visit));
    }
    let columns = [
        text("Collection").by("collection").most_first(),
        text("State"),
        text("Source"),
        text("Days"),
        text("Started"),
        text("Took"),
        text("By"),
        number("Objects"),
        number("Unreadable"),
    ];
    let sort = Sort::of(&visit.address, &columns, Sort::down("collection"));
    let (mut rows, total) = match &visit.organization {
        None => (Vec::new(), 0),
        Some(organization) => {
            let (beside, backwards) = match &place {
                Place::First => (None, false),
                Place::After(parts) => (Some(key(parts)?), false),
                Place::Before(parts) => (Some(key(parts)?), true),
            };
            let downwards = sort.descending != backwards;
            let rows = db::list(&mut visit.read, organization.id, beside, downwards, PAGE_ROWS + 1).await?;
            (rows, db::count(&mut visit.read, organization.id).await?)
        }
    };
    let more = table::cut(&mut rows, &place);
    let row_key = |row: Option<&CollectionRow>| row.map(|row| table::key(&[row.collection_id]));
    let table = Table::whole("collections", "Collections", &columns, &visit.address, rows.len())
        .sorted(sort)
        .with_formats()
        .paged(&place, row_key(rows.first()), row_key(rows.last()), more, total);
    let running = rows.iter().any(CollectionRow::running);
    let frame = visit.frame(Section::Collections, "Collections");
    let provenance = Provenance::default()
        .line("What is a collection", "One run of the program that read delivered objects; its row is never deleted.")
        .line(
            "Counts and times",
            "Each collection counts what it does and writes it down as it ends, by the database’s clock.",
        );
    let page = ListPage { frame, rows, table, provenance, now: state.clock.now() };
    Ok(Page(page).refreshed_after(running.then_some(REFRESH_SECONDS)))
}

/// Every collection, the newest first.
fn list_rows(format: Format, mut visit: Visit) -> HttpResponse {
    download(format, "collections", &LIST, |mut rows| async move {
        let Some(organization) = visit.organization.clone() else { return Ok(rows) };
        let mut below = None;
        loop {
            let part = db::list(&mut visit.read, organization.id, below, true, 1000).await?;
            let Some(last) = part.last() else { break };
            below = Some(last.collection_id);
            for row in part {
                let time = |at: OffsetDateTime| at.format(&time::format_description::well_known::Rfc3339).ok();
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
                    time(row.started_at).into(),
                    row.finished_at.and_then(time).into(),
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

fn bad_place() -> Error {
    Error::Invalid("The place in the table is not one of its own links. Start from its first page.".to_owned())
}

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
}

/// Restated days on a page.
const RESTATED: usize = 50;

/// The places that the filters leave; `None` is all.
fn chosen(address: &Address, places: &[PlaceRow]) -> Option<Vec<i32>> {
    let (account, region) = (address.get("account"), address.get("region"));
    if account.is_none() && region.is_none() {
        return None;
    }
    let meant = |place: &&PlaceRow| {
        account.is_none_or(|asked| is_account(asked, &place.account_id, &place.account_name))
            && region.is_none_or(|asked| asked == place.region)
    };
    Some(places.iter().filter(meant).map(|place| place.place_id).collect())
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

async fn show(state: web::Data<State>, mut visit: Visit, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let collection_id: i64 = id.parse().map_err(|_not_a_number| Error::NotFound)?;
    let organization = visit.organization.clone().ok_or(Error::NotFound)?;
    visit.address.only(&[&["outcome", "account", "region", "after", "before", "row", "restated", "format"]])?;
    let collection = db::find(&mut visit.read, organization.id, collection_id).await?.ok_or(Error::NotFound)?;
    let places = db::places(&mut visit.read, organization.id).await?;
    let which = Which {
        collection_id,
        outcome: visit.address.get("outcome").map(str::to_owned),
        place_ids: chosen(&visit.address, &places),
    };
    if let Some(format) = Format::of(&visit.address)? {
        return Ok(rows(format, visit, which));
    }
    let place = Place::of(&visit.address, 1)?;
    let key = |parts: &[String]| parts[0].parse::<i64>().map_err(|_not_a_number| bad_place());
    let read = &mut visit.read;
    let mut objects = match &place {
        Place::First => db::objects(read, &which, 0, false, PAGE_ROWS + 1).await?,
        Place::After(parts) => db::objects(read, &which, key(parts)?, false, PAGE_ROWS + 1).await?,
        Place::Before(parts) => db::objects(read, &which, key(parts)?, true, PAGE_ROWS + 1).await?,
    };
    let more = table::cut(&mut objects, &place);
    let ladder: Option<Ladder> =
        collection.ladder.clone().map(serde_json::from_value).transpose().map_err(anyhow::Error::from)?;
    let outcomes = outcomes(&state, &mut visit, organization.id, collection_id).await?;
    let read = &mut visit.read;
    let total = total(read, &which, &outcomes).await?;
    let unreadable_count = outcomes.iter().find(|(outcome, _)| outcome == "unreadable").map_or(0, |(_, count)| *count);
    let failed = if unreadable_count > 0 { db::bad_objects(read, collection_id, PAGE_ROWS).await? } else { Vec::new() };
    let restated = restated(&state, &mut visit, organization.id, &collection).await?;

    let address = &visit.address;
    let row_key = |row: Option<&ObjectRow>| row.map(|row| table::key(&[row.object_id]));
    let columns = [
        text("Object"),
        text("Outcome"),
        text("Account"),
        text("Region"),
        text("Day"),
        text("Kind"),
        number("Bytes"),
        number("Items"),
        number("Compliance items"),
        number("Evaluations"),
    ];
    let table = Table::whole("objects", "Objects, in the order they were found", &columns, address, objects.len())
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
        collection,
        outcomes: outcomes.to_vec(),
        failed,
        failed_table,
        restated: window.rows(&restated).to_vec(),
        restated_table,
        objects,
        table,
    };
    Ok(Page(page).refreshed_after(running.then_some(REFRESH_SECONDS)))
}

fn choices(visit: &Visit, places: &[PlaceRow]) -> Filters {
    let choice = |word: &str| Choice::new(word, word);
    let mut accounts: Vec<&PlaceRow> = places.iter().collect();
    accounts.dedup_by(|one, other| one.account_id == other.account_id);
    Filters::new(&visit.address)
        .select(
            "outcome",
            "Outcome",
            "All outcomes",
            ["collected", "superseded", "unreadable", "changed"].map(choice).to_vec(),
        )
        .accounts(accounts.iter().map(|place| (place.account_id.as_str(), place.account_name.as_str())))
        .regions(places.iter().map(|place| place.region.as_str()))
}

/// What else the ladder counted, as names and counts.
fn ladder_lines(ladder: &Ladder) -> Vec<(String, u64)> {
    let mut lines = vec![
        ("Objects seen before".to_owned(), ladder.objects_seen_before),
        ("Objects collected".to_owned(), ladder.objects_collected),
        ("Objects superseded".to_owned(), ladder.objects_superseded),
        ("Objects unreadable".to_owned(), ladder.objects_unreadable),
        ("Objects unreadable before and still there".to_owned(), ladder.objects_still_unreadable),
        ("Objects not reached".to_owned(), ladder.objects_unreached),
        ("Objects of days that were not asked for".to_owned(), ladder.objects_outside_days),
    ];
    let reasons = [
        ("Evaluations left out", &ladder.left_out),
        ("Evaluations of history items left out", &ladder.history_left_out),
        ("Conformance-pack items left out", &ladder.packs_left_out),
        ("Files ignored", &ladder.ignored),
    ];
    for (what, counts) in reasons {
        lines.extend(counts.iter().map(|(reason, count)| (format!("{what}: {reason}"), *count)));
    }
    lines.extend([
        ("Evaluations in history items".to_owned(), ladder.history_evaluations),
        ("Days written".to_owned(), ladder.days_written),
        ("Days inferred from history".to_owned(), ladder.days_inferred),
        ("Objects read again".to_owned(), ladder.rechecked),
    ]);
    lines
}

/// Names that the ladder keeps beside its counts, each with what is wrong.
fn oddities(ladder: &Ladder) -> Vec<(&'static str, &str, &str)> {
    let lists = [
        ("could not be read before and is still there", &ladder.still_unreadable),
        ("name not understood", &ladder.malformed),
        ("could not be looked at", &ladder.unlisted),
        ("not reached; the next collection tries again", &ladder.unreached),
        ("changed after it was collected", &ladder.changed),
        ("does not add up", &ladder.disagreeing),
    ];
    lists
        .into_iter()
        .flat_map(|(what, names)| names.iter().map(move |(name, why)| (what, name.as_str(), why.as_str())))
        .collect()
}

const COLUMNS: [&str; 16] = [
    "object_id",
    "key",
    "outcome",
    "reason",
    "position_bytes",
    "account_id",
    "region",
    "day",
    "kind",
    "size_bytes",
    "etag",
    "version_id",
    "sha256",
    "items",
    "compliance_items",
    "evaluations",
];

/// Every object of the collection that the filters leave.
fn rows(format: Format, mut visit: Visit, which: Which) -> HttpResponse {
    let stem = format!("collection-{}-objects", which.collection_id);
    download(format, &stem, &COLUMNS, |mut rows| async move {
        let mut after = 0;
        loop {
            let objects = db::objects(&mut visit.read, &which, after, false, 1000).await?;
            let Some(last) = objects.last() else { break };
            after = last.object_id;
            for object in objects {
                let sha256 = object.sha256.as_deref().map(format::hex);
                rows.push([
                    object.object_id.into(),
                    object.key.into(),
                    object.outcome.into(),
                    object.reason.into(),
                    object.position_bytes.into(),
                    object.account_id.into(),
                    object.region.into(),
                    object.day.into(),
                    object.kind.into(),
                    object.size_bytes.into(),
                    object.etag.into(),
                    object.version_id.into(),
                    sha256.into(),
                    object.items.into(),
                    object.compliance_items.into(),
                    object.evaluations.into(),
                ])
                .await?;
            }
        }
        Ok(rows)
    })
}
