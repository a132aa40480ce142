//! What every page of evaluations begins with: the collections, the day's places, the names.

use std::sync::Arc;

use actix_web::web::Data;
use rustc_hash::FxHashMap;
use time::Date;

use super::core::{Evidence, PlaceDay, Sources};
use super::db::{self, Catalog};
use super::filter::Filter;
use super::objects::db::ObjectRow;
use crate::State;
use crate::error::Error;
use crate::web::address::KEPT;
use crate::web::format::{at, day, plural};
use crate::web::parts::{Empty, Provenance};
use crate::web::table::{PAGE_ROWS, Place, Table};
use crate::web::{Address, Standing, View, is_of_rooms};

/// The places of a day, by account and Region.
#[derive(Debug, Default)]
pub(super) struct Places {
    list: Vec<PlaceDay>,
    at: FxHashMap<i32, usize>,
}

impl Places {
    pub(super) fn of(list: Vec<PlaceDay>) -> Self {
        Self { at: list.iter().enumerate().map(|(at, place)| (place.place_id, at)).collect(), list }
    }

    /// About how much memory they take.
    fn weight(&self) -> usize {
        self.list.iter().map(|place| 400 + place.unit.len()).sum()
    }

    /// Where a place stands.
    pub(super) fn rank(&self, place_id: i32) -> Option<usize> {
        self.at.get(&place_id).copied()
    }
}

impl std::ops::Deref for Places {
    type Target = [PlaceDay];

    fn deref(&self) -> &Self::Target {
        &self.list
    }
}

/// A day of the organisation, read once for a page.
pub(super) struct Shown {
    pub(super) state: Data<State>,
    pub(super) standing: Standing,
    /// Those that are neither expected nor known are left out.
    pub(super) places: Arc<Places>,
    pub(super) catalog: Arc<Catalog>,
}

impl Shown {
    pub(super) async fn load(state: Data<State>, view: &mut View) -> Result<Self, Error> {
        let organization_id = view.organization_id;
        let standing = view.standing.clone();
        let key = standing.key(organization_id, "catalog");
        let catalog = if let Some(catalog) = recalled(&state, key.as_deref()) {
            catalog
        } else {
            let catalog = Arc::new(db::catalog(&mut view.read, organization_id).await?);
            let weight = catalog.weight();
            remember(&state, key, &catalog, weight);
            catalog
        };
        let places = whole(&state, &standing, &mut view.read, organization_id, view.as_of).await?;
        let places = match &view.scope {
            None => places,
            Some(scope) => {
                let key = view.key(&format!("places {}", view.as_of));
                if let Some(places) = recalled(&state, key.as_deref()) {
                    places
                } else {
                    let held = places.iter().filter(|place| scope.holds(&place.account_id));
                    let places = Arc::new(Places::of(held.cloned().collect()));
                    remember(&state, key, &places, places.weight());
                    places
                }
            }
        };
        Ok(Self { state, standing, places, catalog })
    }

    pub(super) fn place(&self, place_id: i32) -> Option<&PlaceDay> {
        self.places.get(self.places.rank(place_id)?)
    }

    /// The Region of a place; empty where the day has no such place.
    pub(super) fn region(&self, place_id: i32) -> &str {
        self.place(place_id).map_or("", |place| place.region.as_str())
    }

    pub(super) fn recall<T: Send + Sync + 'static>(&self, key: Option<&str>) -> Option<Arc<T>> {
        recalled(&self.state, key)
    }

    pub(super) fn remember<T: Send + Sync + 'static>(&self, key: Option<String>, value: &Arc<T>, bytes: usize) {
        remember(&self.state, key, value, bytes);
    }

    /// Where the same results stand beside AWS's aggregator, if it was read.
    pub(super) fn beside_aggregator(&self, view: &View, of: (&str, &str)) -> Option<String> {
        self.standing.compared.then(|| link(view, "/aggregator", &[of]))
    }

    /// Where the figures come from: what arrived, the objects that they stand on, and who read those. `filter` is what
    /// leaves the places of the evidence.
    pub(super) fn provenance(&self, view: &View, evidence: &Evidence<'_>, filter: &Filter) -> Provenance {
        self.provenance_with(view, evidence, filter, None)
    }

    /// The same of one account in a Region, with its object.
    pub(super) fn provenance_with(
        &self,
        view: &View,
        evidence: &Evidence<'_>,
        filter: &Filter,
        object: Option<&ObjectRow>,
    ) -> Provenance {
        let href = |path: &str| view.frame(crate::web::Section::Overview, "").href(path);
        let provenance = Provenance::default().link("Evidence", evidence.sentence(), href("/delivery"));
        let mut provenance = sources(view, evidence, filter, object, provenance);
        if let (Some(id), Some(finished_at)) = (self.standing.collection_id, self.standing.finished_at) {
            let engine = self.standing.engine.as_deref().unwrap_or_default();
            let source = self.standing.source.as_deref().unwrap_or_default();
            provenance = provenance.link(
                "Known at",
                format!("collection {id} ({engine}), finished {}, from {source}", at(finished_at)),
                href(&format!("/collections/{id}")),
            );
        }
        if self.standing.running {
            provenance =
                provenance.link("Running", "a collection is under way: figures may still change", href("/collections"));
        }
        if !view.organization.listed() {
            provenance = provenance.link(
                "Completeness",
                "completeness against the organisation not established",
                href("/delivery#expected"),
            );
        }
        provenance.link("Rows", format!("every evaluation as of {} (UTC)", day(view.as_of)), href("/evaluations"))
    }
}

/// Collections, and queries, that a page names; the objects name all.
const NAMED: usize = 3;

/// The objects behind the figures, and who read them.
fn sources(
    view: &View,
    evidence: &Evidence<'_>,
    filter: &Filter,
    object: Option<&ObjectRow>,
    provenance: Provenance,
) -> Provenance {
    let sources = Sources::of(evidence.places.iter().copied());
    if sources.none() {
        return provenance.line("Objects", "none: no account-region shown was known up to the day");
    }
    let objects = super::objects::href_on(view, view.as_of, &filter.place_pairs());
    let words = format!("{}; with key, ETag, SHA-256 and time of capture", sources.sentence());
    let mut provenance = provenance.link("Objects", words, objects.as_str());
    if let Some(object) = object {
        provenance = object.lines(provenance);
    }
    provenance = provenance.line("Read by", sources.readers());
    let (newest, more) = sources.newest_collections(NAMED);
    let links = newest.into_iter().map(|id| {
        let places = sources.collections.get(&id).copied().unwrap_or_default();
        let places = plural(i64::try_from(places).unwrap_or(i64::MAX), "account-region");
        (format!("collection {id} ({places})"), link(view, &format!("/collections/{id}"), &[]))
    });
    let more = (more > 0).then(|| (format!("and {more} before them"), objects.clone() + "&sort=-collection"));
    provenance = provenance.links("Collected by", links.chain(more));
    let by_query: Vec<_> =
        evidence.places.iter().filter_map(|place| place.source).filter(|it| it.query_id.is_some()).collect();
    if sources.queries.is_empty() || sources.queries.len() > NAMED {
        return provenance;
    }
    if let Some((collection_id, execution)) = object.and_then(ObjectRow::query) {
        return provenance.links("Query", [(execution.to_owned(), query_href(collection_id, execution))]);
    }
    let queries = sources.queries.iter().rev().filter_map(|query| {
        let collection_id = by_query.iter().find(|source| source.query_id == Some(*query))?.collection_id;
        Some((format!("query {query} of collection {collection_id}"), query_href(collection_id, &query.to_string())))
    });
    provenance.links("Queries", queries)
}

/// A query of a collection with its text and its objects, by its execution id or its number.
pub(super) fn query_href(collection_id: i64, query: &str) -> String {
    Address::new(format!("/collections/{collection_id}")).with("query", query).to_string() + "#query"
}

/// A table of a page with the day that its rows are of.
pub(super) fn as_of<T>(view: &View, (rows, table): (Vec<T>, Table)) -> (Vec<T>, Table) {
    (rows, table.as_of(view.as_of))
}

/// Every place of a day that is expected or known, whatever the scope.
pub(super) async fn whole(
    state: &State,
    standing: &Standing,
    read: &mut sqlx::PgConnection,
    organization_id: i16,
    day: Date,
) -> Result<Arc<Places>, Error> {
    let key = standing.key(organization_id, &format!("places {day}"));
    if let Some(places) = recalled(state, key.as_deref()) {
        return Ok(places);
    }
    let mut places = db::places(read, organization_id, day).await?;
    places.retain(|place| place.expected || place.known());
    let places = Arc::new(Places::of(places));
    remember(state, key, &places, places.weight());
    Ok(places)
}

pub(super) fn recalled<T: Send + Sync + 'static>(state: &State, key: Option<&str>) -> Option<Arc<T>> {
    state.memo.get(key?)
}

pub(super) fn remember<T: Send + Sync + 'static>(state: &State, key: Option<String>, value: &Arc<T>, bytes: usize) {
    if let Some(key) = key {
        state.memo.put(key, Arc::clone(value), bytes);
    }
}

/// A table that the filters leave nothing of.
pub(super) fn nothing_left(what: &str, address: &Address) -> Empty {
    let mut cleared = Address::new(address.path());
    for key in KEPT {
        if let Some(value) = address.get(key) {
            cleared = cleared.with(key, value);
        }
    }
    Empty::new(what, "No row of this day has all that the filters ask for.")
        .next("Clear the filters", cleared.to_string())
}

/// An address asks for rows as a file that the page does not have.
pub(super) fn no_such_rows() -> Error {
    Error::Invalid("This page has no such rows: its tables link to those that it has.".to_owned())
}

/// The address of a page with its parameters, for the same as-of day and scope. Empty where the page is the team's and the
/// reader an auditor: then there are words and no link.
pub(super) fn link(view: &View, path: &str, pairs: &[(&str, &str)]) -> String {
    if view.room.is_some() && !is_of_rooms(path) {
        return String::new();
    }
    let mut address = Address::new(path);
    for (key, value) in pairs {
        if !value.is_empty() {
            address = address.with(key, value);
        }
    }
    if let Some(scope) = view.scope.as_ref().filter(|scope| !scope.room) {
        address = address.with("scope", &scope.name);
    }
    address.with("as_of", view.as_of).to_string()
}

/// The part of a list that a page of its table shows, and whether more follow in the direction asked. `key` is unique.
pub(super) fn page_of<'a, T>(items: &'a [T], at: &Place, key: impl Fn(&T) -> &str) -> Result<(&'a [T], bool), Error> {
    let rows = usize::try_from(PAGE_ROWS).unwrap_or(100);
    let find = |wanted: &[String]| {
        let found = items.iter().position(|item| wanted.first().is_some_and(|wanted| key(item) == wanted));
        found.ok_or_else(|| Error::Invalid("The row that this page begins at is no longer in the table.".to_owned()))
    };
    Ok(match at {
        Place::First => (&items[..items.len().min(rows)], items.len() > rows),
        Place::After(wanted) => {
            let first = find(wanted)? + 1;
            let end = items.len().min(first + rows);
            (&items[first..end], items.len() > end)
        }
        Place::Before(wanted) => {
            let end = find(wanted)?;
            let first = end.saturating_sub(rows);
            (&items[first..end], first > 0)
        }
    })
}

/// In how many of the accounts that are known each core rule exists; `what` names the places among what is remembered.
pub(super) async fn presence(
    shown: &Shown,
    view: &mut View,
    places: &[&PlaceDay],
    what: &str,
) -> Result<Arc<FxHashMap<String, i64>>, Error> {
    let key = view.key(&format!("presence {} {what}", view.as_of));
    if let Some(presence) = shown.recall(key.as_deref()) {
        return Ok(presence);
    }
    let known: Vec<i32> = places.iter().filter(|place| place.known()).map(|place| place.place_id).collect();
    let rows = db::rules::presence(&mut view.read, &known, view.as_of).await?;
    let presence: Arc<FxHashMap<String, i64>> = Arc::new(rows.into_iter().collect());
    shown.remember(key, &presence, presence.len() * 120);
    Ok(presence)
}

/// Accounts with a known day among places that stand by account.
pub(super) fn known_accounts(places: &[&PlaceDay]) -> i64 {
    let known = places.chunk_by(|one, other| one.account_id == other.account_id);
    let known = known.filter(|of| of.iter().any(|place| place.known())).count();
    i64::try_from(known).unwrap_or(i64::MAX)
}
