//! The rules of a conformance pack, over the places where it is deployed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use time::Date;

use super::core::{RuleCounts, Said};
use super::db::{self, Delivered};
use crate::compliance::Severity;
use crate::compliance::core::PlaceDay;
use crate::compliance::db::rules as rules_db;
use crate::compliance::filter::Filter;
use crate::compliance::shown::{Shown, link};
use crate::error::Error;
use crate::web::View;
use crate::web::address::Encoded;
use crate::web::list::{Field, List};

/// Where a pack is deployed, and what its rules say there where the day is known.
#[derive(Debug, Default)]
pub(super) struct Ours {
    pub(super) delivered: Vec<Delivered>,
    /// Place, rule and what it says.
    said: Vec<(i32, i32, Said)>,
}

impl Ours {
    /// What the pack's rules say on the day; it stays the same until the next collection.
    pub(super) async fn load(shown: &Shown, view: &mut View, name: &str) -> Result<Arc<Self>, Error> {
        let key = view.key(&format!("conformance pack {} {name:?}", view.as_of));
        if let Some(ours) = shown.recall(key.as_deref()) {
            return Ok(ours);
        }
        let delivered = db::delivered(&mut view.read, view.organization_id, Some(name), view.as_of).await?;
        let rule_ids: Vec<i32> =
            shown.catalog.rules.iter().filter(|rule| rule.pack == name).map(|rule| rule.rule_id).collect();
        let here: BTreeSet<i32> = delivered.iter().map(|one| one.place_id).collect();
        let known = |place_id: &i32| shown.place(*place_id).is_some_and(PlaceDay::known);
        let place_ids: Vec<i32> = here.into_iter().filter(known).collect();
        let (read, day) = (&mut view.read, view.as_of);
        let held = rules_db::history(read, (&place_ids, &place_ids), &rule_ids, None, (day, day)).await?;
        let counted = rules_db::counts_on(&held, day);
        let said = held
            .iter()
            .filter(|one| one.presence)
            .map(|one| {
                let said = counted.get(&(one.place_id, one.rule_id)).map_or(Said::NoData, Said::of);
                (one.place_id, one.rule_id, said)
            })
            .collect();
        let ours = Arc::new(Self { delivered, said });
        shown.remember(key, &ours, ours.delivered.len() * 320 + ours.said.len() * size_of::<(i32, i32, Said)>());
        Ok(ours)
    }

    /// The pack's rules in each place.
    pub(super) fn by_place(&self) -> BTreeMap<i32, RuleCounts> {
        let mut places: BTreeMap<i32, RuleCounts> = BTreeMap::new();
        for (place_id, _, said) in &self.said {
            places.entry(*place_id).or_default().add(*said);
        }
        places
    }
}

/// A rule of the pack over the places that are known.
#[derive(Debug)]
pub(super) struct RuleLine {
    day: Date,
    pack: String,
    pub(super) core_name: String,
    pub(super) severity: Severity,
    pub(super) href: String,
    pub(super) counts: RuleCounts,
}

/// The rules that the filter leaves over some places, those that fail most first.
pub(super) fn lines(
    shown: &Shown,
    view: &View,
    (pack, ours): (&str, &Ours),
    place_ids: &BTreeSet<i32>,
    filter: &Filter,
) -> Vec<RuleLine> {
    let rule_ids: Option<BTreeSet<i32>> =
        filter.rule_ids(&shown.catalog).map(|rule_ids| rule_ids.into_iter().collect());
    let mut rules: BTreeMap<&str, (Severity, RuleCounts)> = BTreeMap::new();
    for (place_id, rule_id, said) in &ours.said {
        let is_meant = rule_ids.as_ref().is_none_or(|rule_ids| rule_ids.contains(rule_id));
        if let (true, true, Some((_, rule))) = (is_meant, place_ids.contains(place_id), shown.catalog.rule(*rule_id)) {
            rules.entry(&rule.core_name).or_insert((rule.severity(), RuleCounts::default())).1.add(*said);
        }
    }
    let scope = filter.pairs(&["rule", "name", "origin", "pack", "severity"]);
    let mut lines: Vec<RuleLine> = rules
        .into_iter()
        .map(|(core_name, (severity, counts))| RuleLine {
            day: view.as_of,
            pack: pack.to_owned(),
            href: link(view, &format!("/rules/{}", Encoded(core_name)), &scope),
            core_name: core_name.to_owned(),
            severity,
            counts,
        })
        .collect();
    lines.sort_by(|one, other| (-one.counts.failing, &one.core_name).cmp(&(-other.counts.failing, &other.core_name)));
    lines
}

pub(super) fn rules() -> List<RuleLine> {
    let fields = vec![
        Field::unseen("day", |line: &RuleLine| line.day.into()),
        Field::unseen("conformance_pack", |line| line.pack.as_str().into()),
        Field::text("Rule", "rule", |line| line.core_name.as_str().into()),
        Field::text("Severity", "severity", |line: &RuleLine| line.severity.word().into())
            .ordered(|line| line.severity.rank().into())
            .most_first(),
        Field::number("Account-Regions", "account_regions", |line| line.counts.all.into()),
        Field::number("Failing", "failing", |line| line.counts.failing.into()),
        Field::number("Complying", "complying", |line| line.counts.complying.into()),
        Field::number("Without data", "without_data", |line| line.counts.no_data().into()),
    ];
    List::new("rules", "rules-sort", 50, fields)
}
