//! Collections, and one collection with its count ladder, its objects and what it changed.

mod db;

use actix_web::{HttpResponse, web};
use askama::Template;
use time::OffsetDateTime;

use self::db::{CollectionRow, ObjectRow, RestatedDay, Which};
use super::Ladder;
use crate::State;
use crate::error::Error;
use crate::web::download::{Format, download};
use crate::web::form::{Choice, Filters};
use crate::web::parts::Empty;
use crate::web::table::{self, PAGE_ROWS, Place, Table, number, text};
use crate::web::{Access, Endpoint, Frame, Page, Section, Visit, filters, format};

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
        self.state == "running"
    }

    /// "finished", or what went wrong.
    fn state_words(&self) -> String {
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
}

async fn list(state: web::Data<State>, mut visit: Visit) -> Result<HttpResponse, Error> {
    let place = Place::of(&visit.address, 1)?;
    let key = |parts: &[String]| parts[0].parse::<i64>().map_err(|_not_a_number| bad_place());
    let (mut rows, total) = match &visit.organization {
        None => (Vec::new(), 0),
        Some(organization) => {
            let rows = match &place {
                Place::First => db::list(&mut visit.read, organization.id, None, PAGE_ROWS + 1).await?,
                Place::After(parts) => {
                    db::list(&mut visit.read, organization.id, Some(key(parts)?), PAGE_ROWS + 1).await?
                }
                Place::Before(parts) => {
                    db::list_above(&mut visit.read, organization.id, key(parts)?, PAGE_ROWS + 1).await?
                }
            };
            (rows, db::count(&mut visit.read, organization.id).await?)
        }
    };
    let more = table::cut(&mut rows, &place);
    let columns = [
        text("Collection"),
        text("State"),
        text("Source"),
        text("Days"),
        text("Started"),
        text("Took"),
        text("By"),
        number("Objects"),
        number("Unreadable"),
    ];
    let row_key = |row: Option<&CollectionRow>| row.map(|row| table::key(&[row.collection_id]));
    let table = Table::whole("collections", "Collections, newest first", &columns, &visit.address, rows.len()).paged(
        &place,
        row_key(rows.first()),
        row_key(rows.last()),
        more,
        total,
    );
    let running = rows.iter().any(CollectionRow::running);
    let frame = visit.frame(Section::Collections, "Collections");
    let page = ListPage { frame, rows, table, now: state.clock.now() };
    Ok(Page(page).refreshed_after(running.then_some(REFRESH_SECONDS)))
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
}

async fn show(state: web::Data<State>, mut visit: Visit, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let collection_id: i64 = id.parse().map_err(|_not_a_number| Error::NotFound)?;
    let organization = visit.organization.clone().ok_or(Error::NotFound)?;
    let collection = db::find(&mut visit.read, organization.id, collection_id).await?.ok_or(Error::NotFound)?;
    let which = Which {
        collection_id,
        outcome: visit.address.get("outcome").map(str::to_owned),
        account: visit.address.get("account").map(str::to_owned),
        region: visit.address.get("region").map(str::to_owned),
    };
    if let Some(format) = Format::of(&visit.address)? {
        return Ok(rows(format, visit, which));
    }
    let place = Place::of(&visit.address, 1)?;
    let key = |parts: &[String]| parts[0].parse::<i64>().map_err(|_not_a_number| bad_place());
    let read = &mut visit.read;
    let mut objects = match &place {
        Place::First => db::objects(read, &which, 0, PAGE_ROWS + 1).await?,
        Place::After(parts) => db::objects(read, &which, key(parts)?, PAGE_ROWS + 1).await?,
        Place::Before(parts) => db::objects_before(read, &which, key(parts)?, PAGE_ROWS + 1).await?,
    };
    let more = table::cut(&mut objects, &place);
    let total = db::count_objects(read, &which).await?;
    let unreadable = Which { collection_id, outcome: Some("unreadable".to_owned()), ..Which::default() };
    let failed = db::objects(read, &unreadable, 0, PAGE_ROWS).await?;
    let outcomes = db::outcomes(read, collection_id).await?;
    let restated = db::restated(read, organization.id, collection_id).await?;
    let places = db::places(read, organization.id).await?;

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
    let unreadable_count = outcomes.iter().find(|(outcome, _)| outcome == "unreadable").map_or(0, |(_, count)| *count);
    let mut failed_table = Table::whole(
        "unreadable",
        "Objects that could not be read, and why",
        &[text("Object"), text("Why"), text("Account"), text("Region"), text("Day")],
        address,
        failed.len(),
    );
    failed_table.total = unreadable_count;
    let restated_table = Table::whole(
        "restated",
        "Days that were collected before and that this collection changed",
        &[text("Day"), number("Account-Regions"), number("Of them late"), number("Rows added"), number("Rows removed")],
        address,
        restated.len(),
    );
    let running = collection.running();
    let ladder: Option<Ladder> =
        collection.ladder.clone().map(serde_json::from_value).transpose().map_err(anyhow::Error::from)?;
    let page = ShowPage {
        frame: visit
            .frame(Section::Collections, format!("Collection {collection_id}"))
            .crumb("Collections", "/collections"),
        now: state.clock.now(),
        ladder,
        filters: choices(&visit, places),
        collection,
        outcomes,
        failed,
        failed_table,
        restated,
        restated_table,
        objects,
        table,
    };
    Ok(Page(page).refreshed_after(running.then_some(REFRESH_SECONDS)))
}

fn choices(visit: &Visit, places: Vec<(String, Vec<String>)>) -> Filters {
    let regions: std::collections::BTreeSet<String> = places.iter().flat_map(|(_, regions)| regions.clone()).collect();
    let choice = |word: String| Choice::new(word.clone(), word);
    let outcomes = ["collected", "superseded", "unreadable", "changed"].map(|word| choice(word.to_owned())).to_vec();
    Filters::new(&visit.address)
        .select("outcome", "Outcome", "All outcomes", outcomes)
        .select("account", "Account", "All accounts", places.into_iter().map(|(account, _)| choice(account)).collect())
        .select("region", "Region", "All Regions", regions.into_iter().map(choice).collect())
}

/// What else the ladder counted, as names and counts.
fn ladder_lines(ladder: &Ladder) -> Vec<(String, u64)> {
    let mut lines = vec![
        ("Objects seen before".to_owned(), ladder.objects_seen_before),
        ("Objects collected".to_owned(), ladder.objects_collected),
        ("Objects superseded".to_owned(), ladder.objects_superseded),
        ("Objects unreadable".to_owned(), ladder.objects_unreadable),
        ("Objects not reached".to_owned(), ladder.objects_unreached),
        ("Objects of days that were not asked for".to_owned(), ladder.objects_outside_days),
    ];
    let reasons = [
        ("Evaluations left out", &ladder.left_out),
        ("Evaluations of history items left out", &ladder.history_left_out),
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
        ("name not understood", &ladder.malformed),
        ("could not be looked at", &ladder.unlisted),
        ("not reached; the next collection tries again", &ladder.unreached),
        ("changed after it was collected", &ladder.changed),
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
            let objects = db::objects(&mut visit.read, &which, after, 1000).await?;
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
