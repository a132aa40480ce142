//! Everything that differs between two days, and the part of it that the filters leave, in order.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use time::{Date, Duration};

use crate::compliance::core::PlaceDay;
use crate::compliance::core::changes::{Change, Context, failed_and_complied};
use crate::compliance::db::evaluations::{Asked, Part, counted};
use crate::compliance::db::{self, changes as changes_db};
use crate::compliance::filter::{Filter, Which};
use crate::compliance::shown::Shown;
use crate::error::Error;
use crate::web::View;

/// An evaluation that changed, by the store's ids.
#[derive(Debug, Clone, Copy)]
pub(super) struct Changed {
    pub(super) change: Change,
    pub(super) place_id: i32,
    pub(super) rule_id: i32,
    pub(super) resource_id: i32,
    pub(super) resource_type_id: i16,
    pub(super) old: Option<i16>,
    pub(super) new: Option<i16>,
    pub(super) day: Date,
    /// Whether its place has no evidence at all on the later day.
    pub(super) silent: bool,
}

/// A place that had evidence on the earlier day and has none on the later.
#[derive(Debug, Clone)]
pub(super) struct Lost {
    pub(super) place_id: i32,
    pub(super) account_id: String,
    pub(super) account_name: String,
    pub(super) region: String,
    /// Evaluations that said COMPLIANT or `NON_COMPLIANT` on the earlier day and became unknown; 0 where the place is no
    /// longer expected. What was unknown then did not become it.
    pub(super) evaluations: i64,
    pub(super) expected: bool,
    /// The first day without evidence.
    pub(super) day: Date,
}

/// Everything that changed between two days, in text order.
#[derive(Debug, Default)]
pub(in crate::compliance) struct Between {
    pub(super) changed: Vec<Changed>,
    pub(super) lost: Vec<Lost>,
}

/// A class with its counts.
pub(in crate::compliance) struct ClassLine {
    pub(in crate::compliance) change: Change,
    pub(in crate::compliance) evaluations: i64,
    /// Of them, those whose evidence stopped with their whole account and Region.
    pub(super) silent: i64,
    pub(in crate::compliance) href: String,
}

impl Between {
    /// Compares two days; `view` and `shown` are of the later.
    pub(in crate::compliance) async fn load(shown: &Shown, view: &mut View, from: Date) -> Result<Arc<Self>, Error> {
        let key = view.key(&format!("changes {from} {}", view.as_of));
        if let Some(between) = shown.recall(key.as_deref()) {
            return Ok(between);
        }
        let known: Vec<i32> = shown.places.iter().filter(|place| place.known()).map(|place| place.place_id).collect();
        let several = shown.catalog.several(&known, None);
        let rows = changes_db::differing(&mut view.read, &known, &several, from, view.as_of).await?;
        let mut earlier = db::places(&mut view.read, view.organization_id, from).await?;
        // Who belongs is decided on the later day: an account that came or went with its scope is no change.
        earlier.retain(|place| view.holds(&place.account_id));
        let between =
            Arc::new(Self { changed: rows.iter().filter_map(classify).collect(), lost: lost(&earlier, shown, from) });
        shown.remember(key, &between, between.changed.len() * size_of::<Changed>() + between.lost.len() * 240);
        Ok(between)
    }

    /// What the filters leave.
    pub(in crate::compliance) async fn left(
        &self,
        shown: &Shown,
        view: &mut View,
        filter: &Filter,
        from: Date,
    ) -> Result<Self, Error> {
        let mut spoken = FxHashMap::default();
        let (rule_ids, wanted_type) = (filter.rule_ids(&shown.catalog), filter.resource_type_id(&shown.catalog));
        let place_ids: Vec<i32> = self.silent(filter).map(|lost| lost.place_id).collect();
        if let Ok(resource_type_id) = wanted_type
            && filter.narrows_rules()
            && !place_ids.is_empty()
        {
            let asked = Asked {
                day: from,
                place_ids: &place_ids,
                rule_ids: rule_ids.as_deref(),
                resource_type_ids: resource_type_id.as_ref().map(std::slice::from_ref),
            };
            let counts = counted(&mut view.read, &asked, Part::Whole).await?;
            spoken = counts.iter().map(|of| (of.place_id, of.counts().complying + of.counts().not_complying)).collect();
        }
        Ok(self.leave(shown, filter, &spoken))
    }

    /// The same where it is known how many evaluations of each silent place, of those that the filters leave, said
    /// COMPLIANT or `NON_COMPLIANT` on the earlier day; it is not asked where they leave all rules and resources.
    pub(in crate::compliance) fn leave(&self, shown: &Shown, filter: &Filter, spoken: &FxHashMap<i32, i64>) -> Self {
        let places: FxHashSet<i32> = filter.places(&shown.places).into_iter().map(|place| place.place_id).collect();
        let is_rule: Option<FxHashSet<i32>> = filter.rule_ids(&shown.catalog).map(|rules| rules.into_iter().collect());
        let wanted_type = filter.resource_type_id(&shown.catalog);
        let says = |new: Option<i16>| match new {
            _ if filter.which == Which::All => true,
            Some(status_id) => filter.which.matches(true, status_id),
            None => false,
        };
        let meant = |changed: &&Changed| {
            places.contains(&changed.place_id)
                && is_rule.as_ref().is_none_or(|rules| rules.contains(&changed.rule_id))
                && wanted_type.is_ok_and(|wanted| wanted.is_none_or(|wanted| wanted == changed.resource_type_id))
                && says(changed.new)
        };
        let mut lost: Vec<Lost> = self.silent(filter).cloned().collect();
        if filter.narrows_rules() {
            for lost in &mut lost {
                let spoken = spoken.get(&lost.place_id).copied().unwrap_or_default();
                lost.evaluations = if lost.expected { spoken } else { 0 };
            }
            lost.retain(|lost| lost.evaluations > 0);
        }
        Self { changed: self.changed.iter().filter(meant).copied().collect(), lost }
    }

    /// The places that fell silent, of those that the filters leave.
    fn silent<'a>(&'a self, filter: &'a Filter) -> impl Iterator<Item = &'a Lost> {
        let silent = matches!(filter.which, Which::All | Which::Carried | Which::Unknown);
        let here = move |lost: &&Lost| silent && filter.is_of(&lost.account_id, &lost.account_name, &lost.region);
        self.lost.iter().filter(here)
    }

    /// How many evaluations each class has, and of them those of places without evidence.
    fn counts(&self) -> BTreeMap<Change, (i64, i64)> {
        let mut counts: BTreeMap<Change, (i64, i64)> = BTreeMap::new();
        for changed in &self.changed {
            counts.entry(changed.change).or_default().0 += 1;
        }
        let silent: i64 = self.lost.iter().map(|lost| lost.evaluations).sum();
        let unknown = counts.entry(Change::BecameUnknown).or_default();
        unknown.0 += silent;
        unknown.1 = silent;
        counts
    }

    /// A line for each class, also those without any.
    pub(in crate::compliance) fn classes(&self, href: impl Fn(Change) -> String) -> Vec<ClassLine> {
        let counts = self.counts();
        let line = |change| {
            let (evaluations, silent) = counts.get(&change).copied().unwrap_or_default();
            ClassLine { change, evaluations, silent, href: href(change) }
        };
        Change::ALL.into_iter().map(line).collect()
    }
}

fn classify(row: &changes_db::Differing) -> Option<Changed> {
    let context = Context {
        failed_before: failed_and_complied(&row.before),
        rule_present: row.rule_present,
        resource_present: row.resource_present,
    };
    Some(Changed {
        change: Change::of(row.old_status_id, row.new_status_id, context)?,
        place_id: row.place_id,
        rule_id: row.rule_id,
        resource_id: row.resource_id,
        resource_type_id: row.resource_type_id,
        old: row.old_status_id,
        new: row.new_status_id,
        day: row.day,
        silent: false,
    })
}

fn lost(earlier: &[PlaceDay], shown: &Shown, from: Date) -> Vec<Lost> {
    let silent = earlier.iter().filter(|place| place.known());
    let silent = silent.filter(|place| !shown.place(place.place_id).is_some_and(PlaceDay::known));
    silent
        .map(|place| {
            let now = shown.place(place.place_id);
            let expected = now.is_some_and(|now| now.expected);
            let last = now.and_then(|now| now.last_known.map(|(day, _)| day)).unwrap_or(from);
            Lost {
                place_id: place.place_id,
                account_id: place.account_id.clone(),
                account_name: place.account_name.clone(),
                region: place.region.clone(),
                evaluations: if expected { place.counts.complying + place.counts.not_complying } else { 0 },
                expected,
                day: last + Duration::DAY,
            }
        })
        .collect()
}
