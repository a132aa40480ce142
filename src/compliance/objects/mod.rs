//! The delivered objects that the figures of a day stand on: where "How do we know?" ends.

pub(super) mod db;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, Data};
use askama::Template;
use time::Date;

use self::db::{ORDERS, ObjectRow, Those};
use super::core::{Evidence, PlaceDay, Sources};
use super::filter::{self, Filter, Offers};
use super::shown::{Shown, link, nothing_left, query_href};
use crate::State;
use crate::error::Error;
use crate::web::download::{Format, download};
use crate::web::form::{Choice, Filters};
use crate::web::format::{at, day, hex, object_name};
use crate::web::keyset::{Keyed, Keyset};
use crate::web::parts::{Empty, Provenance};
use crate::web::table::{self, Column, PAGE_ROWS, PLACE_KEYS, Place, Sort, Table};
use crate::web::{Access, Address, Endpoint, Frame, Page, Section, View, filters};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::get("/objects", Access::Rooms, || web::get().to(list))]
}

/// The objects that the figures of some account-Regions on a day stand on.
pub(super) fn href_on(view: &View, on: Date, places: &[(&str, &str)]) -> String {
    let mut address = Address::new("/objects");
    for (key, value) in places {
        address = address.with(key, value);
    }
    if let Some(scope) = view.scope.as_ref().filter(|scope| !scope.room) {
        address = address.with("scope", &scope.name);
    }
    address.with("as_of", on).to_string()
}

const COLUMNS: [Column; 10] = [
    table::text("Object").by("object"),
    table::text("Account").by("account"),
    table::text("Region").by("region"),
    table::text("Day").by("day").most_first(),
    table::text("Taken").by("taken").most_first(),
    table::number("Bytes").by("bytes"),
    table::number("Evaluations").by("evaluations"),
    table::text("Outcome").by("outcome"),
    table::text("Read by collection").by("collection").most_first(),
    table::text("In query").by("query"),
];

const DOWNLOAD: [&str; 18] = [
    "object_id",
    "account_id",
    "region",
    "day",
    "kind",
    "key",
    "size_bytes",
    "etag",
    "version_id",
    "sha256",
    "taken_at",
    "items",
    "compliance_items",
    "evaluations",
    "outcome",
    "reason",
    "collection_id",
    "athena_execution_id",
];

#[derive(Template)]
#[template(path = "compliance/objects.html")]
struct ObjectsPage {
    frame: Frame,
    lead: String,
    filters: Filters,
    table: Table,
    rows: Vec<ObjectRow>,
    empty: Option<Empty>,
    provenance: Provenance,
}

impl ObjectRow {
    fn name(&self) -> String {
        object_name(&self.key)
    }

    fn sha256_words(&self) -> String {
        self.sha256.as_deref().map_or_else(|| "not read by us".to_owned(), hex)
    }

    /// The collection and the execution of Athena by which it read the object.
    pub(super) fn query(&self) -> Option<(i64, &str)> {
        Some((self.collection_id?, self.execution_id.as_deref()?))
    }

    /// The execution that read it, and where that stands.
    fn query_link(&self) -> Option<(&str, String)> {
        self.query().map(|(collection_id, execution)| (execution, query_href(collection_id, execution)))
    }

    /// What it is, for "How do we know?".
    pub(super) fn lines(&self, provenance: Provenance) -> Provenance {
        let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "none: it comes from a folder".to_owned());
        let taken = self.taken_at.map_or_else(|| "not said by its name".to_owned(), at);
        provenance
            .line("Object", self.key.as_str())
            .line("SHA-256", self.sha256_words())
            .line("ETag", or_none(&self.etag))
            .line("Captured", format!("{taken}, for {} (UTC)", day(self.day)))
    }
}

/// The parameter that asks for all that was delivered for the day, and not only what figures stand on.
const ALL: &str = "all";

async fn list(state: Data<State>, mut view: View) -> Result<HttpResponse, Error> {
    let filter = Filter::parse(&view.address, Offers::default(), &[&PLACE_KEYS[..], &[ALL]].concat())?;
    let format = Format::of(&view.address)?;
    let all = match view.address.get(ALL) {
        None => false,
        Some("yes") => true,
        Some(other) => return Err(Error::Invalid(format!("“{other}” is none of the choices for {ALL}."))),
    };
    let place = Place::of(&view.address, 2)?;
    let shown = Shown::load(state, &mut view).await?;
    let places = filter.places(&shown.places);
    let those = those(&places, all, view.as_of);
    let sort = Sort::of(&view.address, &COLUMNS, Sort::up("account"));
    if let Some(format) = format {
        let first = Keyset::of(&ORDERS, sort, &Place::First, false)?;
        return Ok(rows(format, view, those, first));
    }
    let keyset = Keyset::of(&ORDERS, sort, &place, false)?;
    let mut objects = db::objects(&mut view.read, &those, &keyset, PAGE_ROWS + 1, true).await?;
    let more = table::cut(&mut objects, &place);
    let total = objects.first().and_then(|keyed| keyed.row.total).unwrap_or_default();
    let key = |row: Option<&Keyed<ObjectRow>>| row.map(|keyed| keyed.key(&keyed.row.object_id));
    let caption = if all { "Objects that were delivered for the day" } else { "Objects that the figures stand on" };
    let table = Table::whole("objects", caption, &COLUMNS, &view.address, objects.len())
        .sorted(sort)
        .as_of(view.as_of)
        .with_formats()
        .paged(&place, key(objects.first()), key(objects.last()), more, total);
    let evidence = Evidence::of(view.as_of, places.iter().copied());
    let which = vec![Choice::new("yes", "all delivered for the day")];
    let page = ObjectsPage {
        lead: lead(&places, view.as_of),
        filters: filter::form(&view.address, &shown.places, &shown.catalog, Offers::default()).select(
            ALL,
            "Objects",
            "what the figures stand on",
            which,
        ),
        empty: objects.is_empty().then(|| empty(&view, &filter)),
        provenance: shown.provenance(&view, &evidence, &filter),
        frame: view.frame(Section::Delivery, "Objects"),
        rows: objects.into_iter().map(|keyed| keyed.row).collect(),
        table,
    };
    Ok(Page(page).answer(StatusCode::OK))
}

/// Pure.
fn those(places: &[&PlaceDay], all: bool, day: Date) -> Those {
    if all {
        return Those::Delivered { place_ids: places.iter().map(|place| place.place_id).collect(), day };
    }
    let counts = places.iter().filter(|place| place.known() || place.expected);
    let (mut ids, mut history) = (Vec::new(), Vec::new());
    for (place, source) in counts.filter_map(|place| Some((place, place.source?))) {
        match source.object_id {
            Some(object_id) => ids.push(object_id),
            None if source.inferred => history.push((place.place_id, source.day)),
            None => {}
        }
    }
    Those::Sources { ids, history }
}

fn lead(places: &[&PlaceDay], on: Date) -> String {
    let sources = Sources::of(places.iter().copied());
    format!("The figures of {} (UTC) stand on: {}.", day(on), sources.sentence())
}

fn empty(view: &View, filter: &Filter) -> Empty {
    if *filter == Filter::default() && view.address.get(ALL).is_none() {
        return Empty::new(
            "No objects to show",
            format!("Nothing was delivered for {} (UTC), nor before it.", day(view.as_of)),
        )
        .next("See what was delivered when", link(view, "/delivery", &[]));
    }
    nothing_left("No objects to show", &view.address)
}

/// Every object that the filters leave, in the order of the page.
fn rows(format: Format, mut view: View, those: Those, first: Keyset) -> HttpResponse {
    download(format, &view.stem("objects"), &DOWNLOAD, |mut to| async move {
        let mut page = first;
        loop {
            let part = db::objects(&mut view.read, &those, &page, 1000, false).await?;
            let Some(last) = part.last() else { break };
            page = page.after(last.sort_key.clone(), last.row.object_id.to_string());
            for Keyed { row, .. } in part {
                let sha256 = row.sha256.as_deref().map(hex);
                to.push([
                    row.object_id.into(),
                    row.account_id.into(),
                    row.region.into(),
                    row.day.into(),
                    row.kind.into(),
                    row.key.into(),
                    row.size_bytes.into(),
                    row.etag.into(),
                    row.version_id.into(),
                    sha256.into(),
                    row.taken_at.into(),
                    row.items.into(),
                    row.compliance_items.into(),
                    row.evaluations.into(),
                    row.outcome.into(),
                    row.reason.into(),
                    row.collection_id.into(),
                    row.execution_id.into(),
                ])
                .await?;
            }
        }
        Ok(to)
    })
}
