//! What the figures of the overview are of: every evaluation of some places, or those that the filters leave there.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use time::Date;

use crate::compliance::core::days::{PlaceCounts, day_figures};
use crate::compliance::core::{Counts, PlaceDay};
use crate::compliance::db::evaluations::{Asked, Failing, failing_by_age};
use crate::compliance::db::totals::{self, DayTotal, Places};
use crate::compliance::filter::{self, Filter, Which};
use crate::compliance::shown::Shown;
use crate::error::Error;
use crate::web::View;

/// The evaluations that the overview is of.
pub(super) struct Of {
    /// The days up to the as-of day.
    pub(super) days: Arc<Vec<DayTotal>>,
    /// What they say on the as-of day, place by place; `None` where the filters leave them all.
    narrowed: Option<Arc<Narrowed>>,
}

/// Evaluations of some rules or of a resource type.
struct Narrowed {
    days: Arc<Vec<DayTotal>>,
    /// On the as-of day, by place.
    counts: FxHashMap<i32, Counts>,
    /// How many said COMPLIANT or `NON_COMPLIANT` on the earlier day of the changes, by place.
    spoken: FxHashMap<i32, i64>,
}

impl Of {
    /// From one day to the as-of day; `changes_from` is the earlier day of the changes, among them.
    pub(super) async fn load(
        shown: &Shown,
        view: &mut View,
        filter: &Filter,
        places: &[&PlaceDay],
        (from, changes_from): (Date, Date),
    ) -> Result<Self, Error> {
        if !filter.narrows_rules() {
            return Ok(Self { days: whole(shown, view, filter, places, from).await?, narrowed: None });
        }
        // Which status is asked for changes nothing of what is counted.
        let asked = Filter { which: Which::All, ..filter.clone() };
        let key = view.key(&format!("overview {} {asked:?}", view.as_of));
        let narrowed: Arc<Narrowed> = if let Some(narrowed) = shown.recall(key.as_deref()) {
            narrowed
        } else {
            let spans = spans(shown, view, filter, places, from).await?;
            let narrowed = Arc::new(Narrowed::of(&spans, (from, view.as_of), changes_from));
            let bytes = narrowed.days.len() * size_of::<DayTotal>() + spans.len() * 80;
            shown.remember(key, &narrowed, bytes);
            narrowed
        };
        Ok(Self { days: Arc::clone(&narrowed.days), narrowed: Some(narrowed) })
    }

    /// The places with what counts there on the as-of day.
    pub(super) fn places(&self, places: &[&PlaceDay]) -> Option<Vec<PlaceDay>> {
        self.narrowed.as_ref().map(|of| filter::narrowed(places, &of.counts))
    }

    /// What silent places said on the earlier day of the changes; empty where it is not asked for.
    pub(super) fn spoken(&self) -> FxHashMap<i32, i64> {
        self.narrowed.as_ref().map(|of| of.spoken.clone()).unwrap_or_default()
    }
}

impl Narrowed {
    fn of(spans: &[PlaceCounts], (from, until): (Date, Date), changes_from: Date) -> Self {
        let total = |(day, figures)| DayTotal { day, figures };
        let spoken = |place: &PlaceCounts| {
            let counts = place.counts_on(changes_from);
            (place.place_id, counts.complying + counts.not_complying)
        };
        Self {
            days: Arc::new(day_figures(spans, from, until).into_iter().map(total).collect()),
            counts: spans.iter().map(|place| (place.place_id, place.counts_on(until))).collect(),
            spoken: spans.iter().map(spoken).collect(),
        }
    }
}

/// The days of the organisation as they were summed, or those of the places that are read. Those of a scope are of all
/// its accounts, also of Regions that neither deliver nor are expected to any more.
async fn whole(
    shown: &Shown,
    view: &mut View,
    filter: &Filter,
    places: &[&PlaceDay],
    from: Date,
) -> Result<Arc<Vec<DayTotal>>, Error> {
    let scope = filter.scope_words();
    if scope.is_empty() && view.scope.is_none() {
        return Ok(Arc::new(totals::trend(&mut view.read, view.organization_id, from, view.as_of).await?));
    }
    let key = view.key(&format!("trend {} {scope}", view.as_of));
    if let Some(trend) = shown.recall(key.as_deref()) {
        return Ok(trend);
    }
    let ids: Vec<i32> = match &view.scope {
        Some(of) if scope.is_empty() => totals::places_of(&mut view.read, view.organization_id, &of.accounts).await?,
        _ => places.iter().map(|place| place.place_id).collect(),
    };
    let trend = Arc::new(totals::trend_of(&mut view.read, &ids, from, view.as_of).await?);
    shown.remember(key, &trend, trend.len() * size_of::<DayTotal>());
    Ok(trend)
}

/// The same places' days, of what the filters leave.
async fn spans(
    shown: &Shown,
    view: &mut View,
    filter: &Filter,
    places: &[&PlaceDay],
    from: Date,
) -> Result<Vec<PlaceCounts>, Error> {
    let ids: Vec<i32> = places.iter().map(|place| place.place_id).collect();
    let scope = view.scope.clone();
    let places = match &scope {
        _ if !filter.scope_words().is_empty() => Places::These(&ids),
        Some(scope) => Places::Of(&scope.accounts),
        None => Places::All,
    };
    let (rule_ids, resource_type_id) = left(shown, filter);
    let asked = (rule_ids.as_deref(), resource_type_id);
    let days = (from, view.as_of);
    Ok(totals::spans(&mut view.read, view.organization_id, places, asked, days).await?)
}

/// The rules and the resource type that the filters leave; no rule where nothing has the type.
fn left(shown: &Shown, filter: &Filter) -> (Option<Vec<i32>>, Option<i16>) {
    match filter.resource_type_id(&shown.catalog) {
        Ok(resource_type_id) => (filter.rule_ids(&shown.catalog), resource_type_id),
        Err(_) => (Some(Vec::new()), None),
    }
}

/// What fails of it, by severity and age; nothing where a status is asked for that no failure has.
pub(super) async fn failing(
    shown: &Shown,
    view: &mut View,
    filter: &Filter,
    places: &[&PlaceDay],
) -> Result<Arc<Vec<Failing>>, Error> {
    if !filter.which.meets(Which::NonCompliant) {
        return Ok(Arc::default());
    }
    let what = if filter.narrows_rules() {
        format!("{:?}", Filter { which: Which::All, ..filter.clone() })
    } else {
        filter.scope_words()
    };
    let key = view.key(&format!("failing {} {what}", view.as_of));
    if let Some(failing) = shown.recall(key.as_deref()) {
        return Ok(failing);
    }
    let place_ids: Vec<i32> = places.iter().filter(|place| place.known()).map(|place| place.place_id).collect();
    let (rule_ids, resource_type_id) = left(shown, filter);
    let asked = Asked {
        day: view.as_of,
        place_ids: &place_ids,
        rule_ids: rule_ids.as_deref(),
        resource_type_ids: resource_type_id.as_ref().map(std::slice::from_ref),
    };
    let several = shown.catalog.several(&place_ids, rule_ids.as_deref());
    let failing = Arc::new(failing_by_age(&mut view.read, &asked, &several).await?);
    shown.remember(key, &failing, failing.len() * 16);
    Ok(failing)
}
