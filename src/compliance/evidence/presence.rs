//! Which rules were where, and when they came and went, as known at a collection.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;
use sqlx::PgConnection;
use time::Date;

use super::period::{Segment, put_back};
use super::{KnownAt, Scope};
use super::{db, period_db, presence_db};
use crate::collection::day::Day;
use crate::compliance::Severity;

/// Days from the first until before the second.
type Days = (Day, Day);

/// On which days rules were in a place.
#[derive(Debug, Default)]
pub(super) struct Presence {
    stored: FxHashMap<i32, Vec<Days>>,
    /// Days that read otherwise at the knowledge point.
    undone: FxHashMap<i32, Vec<(Day, bool)>>,
}

impl Presence {
    /// Of some rules, or of all that the place ever had.
    pub(super) async fn load(
        db: &mut PgConnection,
        place_id: i32,
        only: Option<&[i32]>,
        known_at: KnownAt,
    ) -> sqlx::Result<Self> {
        let mut presence = Self::default();
        for (rule_id, first, end) in presence_db::presence(db, place_id, only).await? {
            presence.stored.entry(rule_id).or_default().push((first, end));
        }
        for (rule_id, day, was_present) in presence_db::undone_presence(db, place_id, only, known_at).await? {
            presence.undone.entry(rule_id).or_default().push((day, was_present));
        }
        Ok(presence)
    }

    /// Whether a rule was there on a known day.
    pub(super) fn of(&self, rule_id: i32, day: Day) -> bool {
        let undone = self.undone.get(&rule_id).into_iter().flatten().find(|(of, _)| *of == day);
        undone.map_or_else(
            || self.stored.get(&rule_id).into_iter().flatten().any(|(first, end)| *first <= day && day < *end),
            |(_, was_present)| *was_present,
        )
    }

    /// Every rule with its days, as the known days say: from a day that has it until one that has not.
    fn lives<'a>(&'a self, known: &'a [Day]) -> impl Iterator<Item = (i32, Vec<Days>)> {
        let rule_ids: BTreeSet<i32> = self.stored.keys().chain(self.undone.keys()).copied().collect();
        rule_ids.into_iter().map(|rule_id| {
            let stored = self.stored.get(&rule_id).into_iter().flatten();
            let segments: Vec<Segment> =
                stored.map(|&(first, end)| Segment { first, end, status_id: PRESENT }).collect();
            let undone = self.undone.get(&rule_id).into_iter().flatten();
            let undone: Vec<_> = undone.map(|&(day, present)| (day, present.then_some(PRESENT))).collect();
            (rule_id, life(&put_back(&segments, &undone), known))
        })
    }
}

/// Presence has no status: any number will do.
const PRESENT: i16 = 0;

/// The days of segments as known days tell them: a gap ends nothing.
fn life(segments: &[Segment], known: &[Day]) -> Vec<Days> {
    let mut lives: Vec<Days> = Vec::new();
    let mut there = false;
    for &day in known {
        let here = segments.iter().any(|segment| segment.first <= day && day < segment.end);
        match (there, here, lives.last_mut()) {
            (false, true, _) => lives.push((day, Day::INFINITY)),
            (true, false, Some((_, end))) => *end = day,
            _ => {}
        }
        there = here;
    }
    lives
}

/// Days of several places as one list of stretches.
fn union(mut all: Vec<Days>) -> Vec<Days> {
    all.sort_unstable();
    let mut union: Vec<Days> = Vec::new();
    for (first, end) in all {
        match union.last_mut() {
            Some((_, reached)) if first <= *reached => *reached = (*reached).max(end),
            _ => union.push((first, end)),
        }
    }
    union
}

/// A core rule that some place of a scope had on a day of a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleLife {
    pub core_name: String,
    /// AWS's source identifier; `None` where the rule data does not know the rule.
    pub identifier: Option<String>,
    pub severity: Severity,
    /// As delivered: with the affixes of conformance packs, Security Hub and Control Tower.
    pub names: BTreeSet<String>,
    /// Account-Regions that had it on the last day, or when last known.
    pub places: u64,
    /// Days after the first on which it came to the first of its places, or came back.
    pub appeared: Vec<Date>,
    /// Days of the period from which no place had it.
    pub vanished: Vec<Date>,
}

#[derive(Default)]
struct Gathered {
    names: BTreeSet<String>,
    places: BTreeSet<i32>,
    days: Vec<Days>,
}

/// The rules of a scope in the days `from..=until`, by core name.
pub async fn rule_lives(
    db: &mut PgConnection,
    scope: &Scope,
    from: Date,
    until: Date,
    known_at: KnownAt,
) -> anyhow::Result<Vec<RuleLife>> {
    let (from, until) = (Day::from(from), Day::from(until));
    let mut of_rule: BTreeMap<i32, (BTreeSet<i32>, Vec<Days>)> = BTreeMap::new();
    for place in db::places(db, scope).await? {
        let known = period_db::known_days(db, place.place_id, until, known_at).await?;
        let presence = Presence::load(db, place.place_id, None, known_at).await?;
        for (rule_id, days) in presence.lives(&known) {
            let days: Vec<Days> = days.into_iter().filter(|(first, end)| *first <= until && *end > from).collect();
            if days.is_empty() {
                continue;
            }
            let (places, all) = of_rule.entry(rule_id).or_default();
            if days.iter().any(|(_, end)| *end > until) {
                places.insert(place.place_id);
            }
            all.extend(days);
        }
    }
    let rule_ids: Vec<i32> = of_rule.keys().copied().collect();
    let mut by_core: BTreeMap<(String, Option<String>, Severity), Gathered> = BTreeMap::new();
    for rule in presence_db::rules(db, &rule_ids).await? {
        let severity = rule.severity();
        let Some((places, days)) = of_rule.remove(&rule.rule_id) else { continue };
        let gathered = by_core.entry((rule.core_name, rule.source_identifier, severity)).or_default();
        gathered.names.insert(rule.name);
        gathered.places.extend(places);
        gathered.days.extend(days);
    }
    let lives = by_core.into_iter().map(|((core_name, identifier, severity), Gathered { names, places, days })| {
        let days = union(days);
        RuleLife {
            core_name,
            identifier,
            severity,
            names,
            places: u64::try_from(places.len()).unwrap_or(u64::MAX),
            appeared: days.iter().filter(|(first, _)| *first > from).filter_map(|(first, _)| first.date()).collect(),
            vanished: days.iter().filter(|(_, end)| *end <= until).filter_map(|(_, end)| end.date()).collect(),
        }
    });
    Ok(lives.collect())
}

/// The names of rules in a place that are one after the other on the same timeline: a conformance pack that is
/// deployed again gives its rules new names.
#[derive(Debug, Default)]
pub(super) struct Timelines {
    /// Only timelines of more than one name.
    names: FxHashMap<i32, Vec<i32>>,
}

impl Timelines {
    pub(super) async fn load(db: &mut PgConnection, place_id: i32, known_at: KnownAt) -> sqlx::Result<Self> {
        let mut timelines: FxHashMap<i32, Vec<i32>> = FxHashMap::default();
        for (rule_id, timeline_id) in presence_db::timelines(db, place_id, known_at).await? {
            timelines.entry(timeline_id).or_default().push(rule_id);
        }
        timelines.retain(|_, rule_ids| rule_ids.len() > 1);
        let names = timelines.into_values();
        Ok(Self { names: names.flat_map(|all| all.clone().into_iter().map(move |id| (id, all.clone()))).collect() })
    }

    /// All names of a rule's timeline, itself among them; `None` where it is the only one.
    pub(super) fn of(&self, rule_id: i32) -> Option<&[i32]> {
        self.names.get(&rule_id).map(Vec::as_slice)
    }

    /// Rules and all other names of their timelines.
    pub(super) fn with(&self, rule_ids: &[i32]) -> Vec<i32> {
        let others = rule_ids.iter().filter_map(|rule_id| self.of(*rule_id)).flatten();
        let all: BTreeSet<i32> = rule_ids.iter().chain(others).copied().collect();
        all.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(all: &[(i32, i32)]) -> Vec<Days> {
        all.iter().map(|&(first, end)| (Day(first), Day(end))).collect()
    }

    #[test]
    fn a_rule_lives_until_a_known_day_is_without_it_and_may_come_back() {
        let segments = [(1, 4), (7, 9)].map(|(first, end)| Segment { first: Day(first), end: Day(end), status_id: 0 });
        let known = [1, 2, 6, 8, 9].map(Day);
        assert_eq!(life(&segments, &known), days(&[(1, 6), (8, 9)]));
        assert_eq!(life(&segments, &[Day(2), Day(8)]), [(Day(2), Day::INFINITY)], "nothing known in between");
    }

    #[test]
    fn places_together_have_a_rule_while_one_of_them_has() {
        assert_eq!(union(days(&[(5, 7), (1, 3), (3, 5), (9, 10), (2, 4)])), days(&[(1, 7), (9, 10)]));
    }
}
