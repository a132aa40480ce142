//! What the store says of an account on a day, beside its places.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use time::{Date, Duration};

use crate::compliance::core::{Counts, PlaceDay};
use crate::compliance::db::evaluations::{Asked, Failing, failing_by_age};
use crate::compliance::db::{self, resource as account_db, rules as rules_db};
use crate::compliance::filter::{self, Filter, NoSuchType, Which};
use crate::compliance::shown::Shown;
use crate::error::Error;
use crate::web::View;

/// Days of the delivery strips.
const DAYS: i64 = 90;

/// What does not depend on the filters.
pub(super) struct Told {
    /// The first day of the strips.
    pub(super) first: Date,
    pub(super) about: account_db::About,
    pub(super) days: Vec<account_db::PlaceOn>,
}

/// An account on a page.
pub(super) struct Of<'a> {
    pub(super) id: &'a str,
    /// Its places, whatever the filters.
    pub(super) places: &'a [PlaceDay],
    pub(super) filter: &'a Filter,
    rule_ids: Option<Vec<i32>>,
    rules: Option<FxHashSet<i32>>,
    pub(super) resource_type: Result<Option<i16>, NoSuchType>,
}

/// The account's places; those also that neither delivered nor were expected on the day.
pub(super) async fn places_of(shown: &Shown, view: &mut View, id: &str) -> Result<Vec<PlaceDay>, Error> {
    let of = |places: &[PlaceDay]| -> Vec<PlaceDay> {
        places.iter().filter(|place| place.account_id == id).cloned().collect()
    };
    let places = of(&shown.places);
    if !places.is_empty() {
        return Ok(places);
    }
    Ok(of(&db::places(&mut view.read, view.organization_id, view.as_of).await?))
}

impl<'a> Of<'a> {
    pub(super) fn new(shown: &Shown, id: &'a str, places: &'a [PlaceDay], filter: &'a Filter) -> Self {
        let rule_ids = filter.rule_ids(&shown.catalog);
        Self {
            id,
            places,
            filter,
            rules: rule_ids.as_ref().map(|rule_ids| rule_ids.iter().copied().collect()),
            rule_ids,
            resource_type: filter.resource_type_id(&shown.catalog),
        }
    }

    fn place_ids(&self) -> Vec<i32> {
        self.places.iter().map(|place| place.place_id).collect()
    }

    /// Whether the filters leave a rule.
    pub(super) fn holds(&self, rule_id: i32) -> bool {
        self.rules.as_ref().is_none_or(|rules| rules.contains(&rule_id))
    }

    /// Whether the filters ask for evaluations of some kind or type, and not for rules alone.
    pub(super) fn asks_for_evaluations(&self) -> bool {
        self.filter.which != Which::All || self.filter.resource_type.is_some()
    }

    pub(super) async fn told(&self, shown: &Shown, view: &mut View) -> Result<Arc<Told>, Error> {
        let key = view.key(&format!("account {} {:?}", view.as_of, self.id));
        if let Some(told) = shown.recall(key.as_deref()) {
            return Ok(told);
        }
        let (ids, of) = (self.place_ids(), (view.organization_id, self.id));
        let first = (view.as_of - Duration::days(DAYS - 1)).max(view.first_day);
        let told = Arc::new(Told {
            first,
            about: account_db::about(&mut view.read, of, &ids, view.as_of).await?,
            days: account_db::days(&mut view.read, &ids, first, view.as_of).await?,
        });
        let about = &told.about;
        let files: usize = about.objects.iter().map(|object| 200 + object.key.len()).sum();
        let weight = files + about.lists.len() * 300 + about.verdicts.len() * 300 + told.days.len() * 16;
        shown.remember(key, &told, weight);
        Ok(told)
    }

    /// The rules that exist in its places, with what they say of the type that the filters ask for.
    pub(super) async fn present(&self, shown: &Shown, view: &mut View) -> Result<Arc<Vec<rules_db::InPlace>>, Error> {
        let Ok(resource_type_id) = self.resource_type else { return Ok(Arc::default()) };
        let key = view.key(&format!("account rules {} {:?} {resource_type_id:?}", view.as_of, self.id));
        if let Some(present) = shown.recall(key.as_deref()) {
            return Ok(present);
        }
        let ids = self.place_ids();
        let present = Arc::new(rules_db::in_places(&mut view.read, &ids, resource_type_id, view.as_of).await?);
        shown.remember(key, &present, present.len() * size_of::<rules_db::InPlace>());
        Ok(present)
    }

    /// The places of the Region asked for, with what the rules and the type asked for say there.
    pub(super) fn narrowed(&self, present: &[rules_db::InPlace]) -> Vec<PlaceDay> {
        let places = self.filter.places(self.places);
        if !self.filter.narrows_rules() {
            return places.into_iter().cloned().collect();
        }
        let mut counts: FxHashMap<i32, Counts> = FxHashMap::default();
        for rule in present.iter().filter(|rule| self.holds(rule.rule_id)) {
            *counts.entry(rule.place_id).or_default() += rule.counts.into();
        }
        filter::narrowed(&places, &counts)
    }

    /// What fails of what the filters leave, by severity and age.
    pub(super) async fn failing(&self, shown: &Shown, view: &mut View) -> Result<Arc<Vec<Failing>>, Error> {
        let Ok(resource_type_id) = self.resource_type else { return Ok(Arc::default()) };
        if !self.filter.which.meets(Which::NonCompliant) {
            return Ok(Arc::default());
        }
        let all = Filter { which: Which::All, ..self.filter.clone() };
        let key = view.key(&format!("account failing {} {all:?}", view.as_of));
        if let Some(failing) = shown.recall(key.as_deref()) {
            return Ok(failing);
        }
        let known = self.filter.places(self.places).into_iter().filter(|place| place.known());
        let place_ids: Vec<i32> = known.map(|place| place.place_id).collect();
        let asked = Asked {
            day: view.as_of,
            place_ids: &place_ids,
            rule_ids: self.rule_ids.as_deref(),
            resource_type_ids: resource_type_id.as_ref().map(std::slice::from_ref),
        };
        let several = shown.catalog.several(&place_ids, asked.rule_ids);
        let failing = Arc::new(failing_by_age(&mut view.read, &asked, &several).await?);
        shown.remember(key, &failing, failing.len() * size_of::<Failing>());
        Ok(failing)
    }
}
