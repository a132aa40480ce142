//! What a core rule says on a day, put together from its names in the places of a scope.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use time::{Date, Duration};

use crate::compliance::core::history::{PlaceDays, PlaceSpan, RuleDay, rule_days};
use crate::compliance::core::{Counts, PlaceDay};
use crate::compliance::db::evaluations::{self as rows_db, Asked, FailingRow};
use crate::compliance::db::{
    Rule,
    rules::{self as rules_db, Held},
};
use crate::compliance::filter::{Filter, Which};
use crate::compliance::shown::Shown;
use crate::definition::Parameters;
use crate::error::Error;
use crate::web::View;
use crate::web::format::{count, plural};

/// Days that are looked back on.
const DAYS: i64 = 90;
/// Failing evaluations kept, the longest first.
const OLDEST: i64 = 50;

/// What a page of a rule asks the store.
pub(super) struct Asking<'a> {
    pub(super) core_name: &'a str,
    pub(super) filter: &'a Filter,
    pub(super) places: &'a [&'a PlaceDay],
    pub(super) rule_ids: &'a [i32],
    /// The type asked for.
    resource_type_id: Option<i16>,
}

/// The id of no resource type, which a type that was never seen has.
const NO_TYPE: i16 = -1;

/// What one name of the rule says in one place.
pub(super) struct RuleCounts {
    pub(super) place_id: i32,
    pub(super) rule_id: i32,
    pub(super) counts: Counts,
}

/// What the store says.
pub(super) struct Found {
    pub(super) counted: Vec<RuleCounts>,
    /// Places, of those that are known, and the names that exist there.
    pub(super) present: Vec<(i32, i32)>,
}

/// How the rule went.
pub(super) struct Past {
    pub(super) first: Date,
    pub(super) days: Vec<RuleDay>,
    pub(super) oldest: Vec<FailingRow>,
}

impl<'a> Asking<'a> {
    pub(super) fn new(
        shown: &Shown,
        core_name: &'a str,
        filter: &'a Filter,
        places: &'a [&'a PlaceDay],
        rule_ids: &'a [i32],
    ) -> Self {
        let resource_type_id = filter.resource_type_id(&shown.catalog).unwrap_or(Some(NO_TYPE));
        Self { core_name, filter, places, rule_ids, resource_type_id }
    }

    fn place_ids(&self) -> Vec<i32> {
        self.places.iter().map(|place| place.place_id).collect()
    }

    fn known_ids(&self) -> Vec<i32> {
        self.places.iter().filter(|place| place.known()).map(|place| place.place_id).collect()
    }

    fn key(&self, view: &View, what: &str) -> Option<String> {
        let (scope, of) = (self.filter.scope_words(), self.resource_type_id);
        view.key(&format!("rule {what} {} {:?} {of:?} {scope}", view.as_of, self.core_name))
    }

    /// What it says on the day.
    pub(super) async fn found(&self, shown: &Shown, view: &mut View) -> Result<Arc<Found>, Error> {
        let key = self.key(view, "now");
        if let Some(found) = shown.recall(key.as_deref()) {
            return Ok(found);
        }
        let held = self.held(view, view.as_of).await?;
        Ok(remembered(shown, key, &held, view.as_of))
    }

    /// What it says on the day, and how it went until then.
    pub(super) async fn found_and_past(
        &self,
        shown: &Shown,
        view: &mut View,
    ) -> Result<(Arc<Found>, Arc<Past>), Error> {
        let (now_key, past_key) = (self.key(view, "now"), self.key(view, "past"));
        let past = shown.recall(past_key.as_deref());
        if let (Some(found), Some(past)) = (shown.recall(now_key.as_deref()), past) {
            return Ok((found, past));
        }
        let first = (view.as_of - Duration::days(DAYS - 1)).max(view.first_day);
        let held = self.held(view, first).await?;
        let found = remembered(shown, now_key, &held, view.as_of);
        let past = Arc::new(self.past(shown, view, first, &held).await?);
        let ids: usize = past.oldest.iter().map(|row| row.id.len()).sum();
        shown.remember(past_key, &past, past.days.len() * size_of::<RuleDay>() + past.oldest.len() * 64 + ids);
        Ok((found, past))
    }

    async fn held(&self, view: &mut View, first: Date) -> Result<Vec<Held>, Error> {
        let (places, known) = (self.place_ids(), self.known_ids());
        let days = (first, view.as_of);
        let held =
            rules_db::history(&mut view.read, (&places, &known), self.rule_ids, self.resource_type_id, days).await?;
        Ok(held)
    }

    /// What the rule asks for in the places that have it.
    pub(super) async fn parameters(
        &self,
        shown: &Shown,
        view: &mut View,
        present: &[(i32, i32)],
    ) -> Result<Arc<Parameters>, Error> {
        let key = self.key(view, "parameters");
        if let Some(parameters) = shown.recall(key.as_deref()) {
            return Ok(parameters);
        }
        let named: Vec<(i32, String)> = present
            .iter()
            .filter_map(|(place_id, rule_id)| Some((*place_id, shown.catalog.rule(*rule_id)?.1.name.clone())))
            .collect();
        let parameters = Arc::new(Parameters::load(&mut view.read, &named, view.as_of).await?);
        shown.remember(key, &parameters, parameters.weight());
        Ok(parameters)
    }

    async fn past(&self, shown: &Shown, view: &mut View, first: Date, held: &[Held]) -> Result<Past, Error> {
        let place_days = place_days(shown, view, first).await?;
        let here: BTreeSet<i32> = self.place_ids().into_iter().collect();
        let place_days: Vec<PlaceDays> =
            place_days.iter().filter(|place| here.contains(&place.place_id)).cloned().collect();
        let spans: Vec<PlaceSpan> = held
            .iter()
            .filter(|held| !held.presence)
            .map(|held| PlaceSpan {
                place_id: held.place_id,
                first: held.first_day,
                end: held.end_day,
                failing: held.counts.not_complying,
                spoken: held.counts.complying + held.counts.not_complying,
            })
            .collect();
        let known = self.known_ids();
        let asked = Asked {
            day: view.as_of,
            place_ids: &known,
            rule_ids: Some(self.rule_ids),
            resource_type_ids: self.resource_type_id.as_ref().map(std::slice::from_ref),
        };
        let several = shown.catalog.several(&known, Some(self.rule_ids));
        Ok(Past {
            first,
            days: rule_days(&spans, &place_days, first, view.as_of),
            oldest: rows_db::oldest_failing(&mut view.read, &asked, &several, OLDEST).await?,
        })
    }
}

fn remembered(shown: &Shown, key: Option<String>, held: &[Held], as_of: Date) -> Arc<Found> {
    let found = Arc::new(Found::of(held, as_of));
    let weight = found.counted.len() * size_of::<RuleCounts>() + found.present.len() * 8;
    shown.remember(key, &found, weight);
    found
}

impl Found {
    fn of(held: &[Held], as_of: Date) -> Self {
        Self {
            counted: rules_db::counts_on(held, as_of)
                .into_iter()
                .map(|((place_id, rule_id), counts)| RuleCounts { place_id, rule_id, counts })
                .collect(),
            present: held.iter().filter(|held| held.presence).map(|held| (held.place_id, held.rule_id)).collect(),
        }
    }
}

/// The known and expected days of every place: alike for all rules.
async fn place_days(shown: &Shown, view: &mut View, first: Date) -> Result<Arc<Vec<PlaceDays>>, Error> {
    let key = view.key(&format!("known days {first} {}", view.as_of));
    if let Some(days) = shown.recall(key.as_deref()) {
        return Ok(days);
    }
    let ids: Vec<i32> = shown.places.iter().map(|place| place.place_id).collect();
    let days = Arc::new(rules_db::place_days(&mut view.read, &ids, first, view.as_of).await?);
    let weight = days.iter().map(|place| 80 + place.known.len() * 4).sum();
    shown.remember(key, &days, weight);
    Ok(days)
}

/// A rule's standing on a day.
pub(super) struct Standing<'a> {
    pub(super) counts: Counts,
    pub(super) carried: i64,
    failing_accounts: i64,
    accounts: i64,
    present: i64,
    /// Id and name of accounts with evidence for the day in which the rule does not exist.
    pub(super) absent: Vec<(&'a str, &'a str)>,
    /// Whether some place has the rule under several names.
    pub(super) several_names: bool,
}

impl<'a> Standing<'a> {
    pub(super) fn of(shown: &'a Shown, places: &[&'a PlaceDay], found: &Found) -> Self {
        let mut counts = Counts::default();
        let mut carried = 0;
        let mut failing: BTreeSet<&str> = BTreeSet::new();
        let mut names: BTreeMap<i32, i64> = BTreeMap::new();
        for counted in &found.counted {
            let Some(place) = shown.place(counted.place_id) else { continue };
            if place.known() {
                counts += counted.counts;
                *names.entry(place.place_id).or_default() += 1;
                if counted.counts.not_complying > 0 {
                    failing.insert(&place.account_id);
                }
            } else if place.expected {
                carried += counted.counts.carried();
            }
        }
        let known: BTreeMap<&str, &str> = places
            .iter()
            .filter(|place| place.known())
            .map(|place| (place.account_id.as_str(), place.account_name.as_str()))
            .collect();
        let here: BTreeSet<&str> = found
            .present
            .iter()
            .filter_map(|(place_id, _)| shown.place(*place_id))
            .map(|place| place.account_id.as_str())
            .collect();
        let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        Self {
            counts,
            carried,
            failing_accounts: number(failing.len()),
            accounts: number(known.len()),
            present: number(here.len()),
            absent: known.into_iter().filter(|(id, _)| !here.contains(id)).collect(),
            several_names: names.values().any(|names| *names > 1),
        }
    }

    /// "Fails on 37 of 1,204 resources in 6 of 24 accounts; not present in 3."
    pub(super) fn sentence(&self) -> String {
        let known = self.counts.complying + self.counts.not_complying;
        let what = if self.several_names { "evaluation" } else { "resource" };
        let mut sentence = if self.present == 0 && known == 0 {
            format!("Exists in none of {} with evidence for the day", plural(self.accounts, "account"))
        } else if self.counts.not_complying == 0 {
            format!("Fails on none of {} in {}", plural(known, what), plural(self.accounts, "account"))
        } else {
            format!(
                "Fails on {} of {} in {} of {}",
                count(self.counts.not_complying),
                plural(known, what),
                count(self.failing_accounts),
                plural(self.accounts, "account")
            )
        };
        if !self.absent.is_empty() && self.present > 0 {
            _ = write!(sentence, "; not present in {}", count(self.accounts - self.present));
        }
        let unknown = self.counts.unknown() + self.carried;
        if unknown > 0 {
            _ = write!(sentence, "; {} unknown", count(unknown));
        }
        sentence.push('.');
        sentence
    }

    /// How many evaluations say what, of the status asked for.
    pub(super) fn facts(
        &self,
        which: Which,
        rows: &dyn Fn(&str) -> String,
    ) -> Vec<(&'static str, i64, Option<String>)> {
        [
            ("NON_COMPLIANT", self.counts.not_complying, Which::NonCompliant),
            ("COMPLIANT", self.counts.complying, Which::Compliant),
            ("INSUFFICIENT_DATA", self.counts.insufficient_data, Which::InsufficientData),
            ("unrecognised status", self.counts.unrecognised, Which::Unrecognised),
            ("unknown: no evidence that day", self.carried, Which::Carried),
            ("NOT_APPLICABLE", self.counts.not_applicable, Which::NotApplicable),
        ]
        .into_iter()
        .filter(|(.., status)| which.meets(*status))
        .map(|(words, evaluations, status)| (words, evaluations, (evaluations > 0).then(|| rows(status.slug()))))
        .collect()
    }
}

/// Names under which a rule is delivered that came by the same conformance pack or in the same other way, or one name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Variant {
    pub(super) names: Vec<String>,
    pub(super) origin: String,
    pub(super) pack: String,
    pub(super) accounts: i64,
    pub(super) places: i64,
    pub(super) counts: Counts,
}

/// The names of a rule, put together by `group`: a deployment gives a rule a name of its own in each account and Region.
pub(super) fn variants<'r, K: Ord>(
    shown: &Shown,
    rules: &[&'r Rule],
    found: &Found,
    group: impl Fn(&'r Rule) -> K,
) -> Vec<Variant> {
    let mut variants: BTreeMap<K, (Variant, BTreeSet<&str>, BTreeSet<i32>)> = BTreeMap::new();
    let by_id: BTreeMap<i32, &'r Rule> = rules.iter().map(|rule| (rule.rule_id, *rule)).collect();
    for rule in rules {
        let (variant, ..) = variants.entry(group(rule)).or_default();
        variant.names.push(rule.name.clone());
        variant.origin.clone_from(&rule.origin);
        variant.pack.clone_from(&rule.pack);
    }
    for (place_id, rule_id) in &found.present {
        if let (Some(rule), Some(place)) = (by_id.get(rule_id), shown.place(*place_id)) {
            let (_, accounts, places) = variants.entry(group(rule)).or_default();
            accounts.insert(&place.account_id);
            places.insert(*place_id);
        }
    }
    for counted in &found.counted {
        let known = shown.place(counted.place_id).is_some_and(PlaceDay::known);
        if let (Some(rule), true) = (by_id.get(&counted.rule_id), known) {
            variants.entry(group(rule)).or_default().0.counts += counted.counts;
        }
    }
    let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    variants
        .into_values()
        .map(|(variant, accounts, places)| Variant {
            accounts: number(accounts.len()),
            places: number(places.len()),
            ..variant
        })
        .collect()
}
