//! The population of a period: every account x Region x rule x resource that any known day of it has, place by place.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use sqlx::PgConnection;
use time::Date;

use super::deliveries::Expectations;
use super::period::{Calendar, Deviation, PeriodFacts, Segment, facts, put_back};
use super::period_db as db;
use super::population::{Place, Resources, Rule, take_rules};
use super::population_db::RuleCount;
use super::presence::{Presence, Timelines};
use super::{Ended, KnownAt, PeriodCounts, Scope};
use crate::collection::day::Day;
use crate::compliance::status::NON_COMPLIANT;
use crate::retention;

/// One evaluation over a period.
#[derive(Debug, Clone, Copy)]
pub struct PeriodRow<'a> {
    pub place: &'a Place,
    pub rule: &'a Rule,
    pub resource_type: &'a str,
    pub resource_id: &'a str,
    pub counts: PeriodCounts,
    /// In the order of their days. One that went on under another name of the rule's timeline, because a conformance
    /// pack was deployed again, stands whole at the name under which it was last observed.
    pub deviations: &'a [super::Deviation],
}

/// Some rules of one place over a period.
#[derive(Debug)]
pub struct PeriodBatch {
    place: Place,
    resources: Arc<Resources>,
    rules: Vec<(Rule, Vec<(usize, PeriodFacts)>)>,
}

impl PeriodBatch {
    /// The evaluations, in the order of rule name, resource type and resource id.
    pub fn rows(&self) -> impl Iterator<Item = PeriodRow<'_>> {
        self.rules.iter().flat_map(move |(rule, entries)| {
            entries.iter().map(move |(resource, facts)| {
                let (resource_type, resource_id) = self.resources.text(*resource);
                let PeriodFacts { counts, deviations } = facts;
                PeriodRow { place: &self.place, rule, resource_type, resource_id, counts: *counts, deviations }
            })
        })
    }

    /// How many evaluations.
    pub fn len(&self) -> usize {
        self.rules.iter().map(|(_, entries)| entries.len()).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Reads the evaluations of a period, in the bytewise order of account, Region, rule name, resource type and resource id.
#[derive(Debug)]
pub struct PeriodPopulation {
    from: Day,
    until: Day,
    known_at: KnownAt,
    /// The first day kept.
    floor: Option<Day>,
    expectations: Expectations,
    places: std::vec::IntoIter<Place>,
    current: Option<CurrentPlace>,
}

#[derive(Debug)]
struct CurrentPlace {
    place: Place,
    calendar: Calendar,
    /// The last known day before the period, else its first day: runs from here on say what the period's gaps carry.
    start: Day,
    resources: Arc<Resources>,
    timelines: Timelines,
    rules: std::iter::Peekable<std::vec::IntoIter<RuleCount>>,
}

impl PeriodPopulation {
    /// Begins to read the days `from..=until`.
    pub async fn open(
        db: &mut PgConnection,
        scope: &Scope,
        from: Date,
        until: Date,
        known_at: KnownAt,
    ) -> anyhow::Result<Self> {
        let expectations = Expectations::load(db, scope, known_at).await?;
        let places = super::db::places(db, scope).await?;
        let floor = retention::floor(&mut *db, scope.organization_id).await?.map(|floor| Day::from(floor.first_day));
        let (from, until) = (Day::from(from), Day::from(until));
        Ok(Self { from, until, known_at, floor, expectations, places: places.into_iter(), current: None })
    }

    /// The next batch; `None` at the end. Give it the connection that it was opened with.
    pub async fn next(&mut self, db: &mut PgConnection) -> anyhow::Result<Option<PeriodBatch>> {
        loop {
            if let Some(current) = &mut self.current
                && current.rules.peek().is_some()
            {
                let batch = current.batch(db, (self.from, self.until), self.known_at).await?;
                return Ok(Some(batch));
            }
            let Some(place) = self.places.next() else {
                return Ok(None);
            };
            self.current = self.open_place(db, place).await?;
        }
    }

    /// `None` where no day of the period is known.
    async fn open_place(&self, db: &mut PgConnection, place: Place) -> anyhow::Result<Option<CurrentPlace>> {
        let mut known = db::known_days(db, place.place_id, self.until, self.known_at).await?;
        // Whether the rest is removed already or not.
        if let Some(floor) = self.floor {
            known.drain(..known.partition_point(|day| *day < floor).saturating_sub(1));
        }
        if !known.iter().any(|day| *day >= self.from) {
            return Ok(None);
        }
        let first = known.first().copied().unwrap_or(self.from).min(self.from);
        let expected = |day| self.expectations.expected(place.place_id, day);
        let calendar = Calendar::new(first, self.until, &known, expected).removed_before(self.floor);
        let start = calendar.last_known_before(self.from).unwrap_or(self.from);
        let rules = db::period_rules(db, place.place_id, (start, self.until), self.known_at).await?;
        let resources = Arc::new(Resources::of(db, place.place_id).await?);
        let timelines = Timelines::load(db, place.place_id, self.known_at).await?;
        Ok(Some(CurrentPlace { place, calendar, start, resources, timelines, rules: rules.into_iter().peekable() }))
    }
}

type Key = (i32, i32);

/// What single days said of an evaluation at the knowledge point and say otherwise now.
type Undone = FxHashMap<Key, Vec<(Day, Option<i16>)>>;

/// A deviation that ended where its evaluation was absent and the rule was not: the resource and that day.
struct Question {
    at: (usize, usize, usize),
    resource_id: i32,
    day: Day,
}

impl CurrentPlace {
    async fn batch(
        &mut self,
        db: &mut PgConnection,
        period: (Day, Day),
        known_at: KnownAt,
    ) -> anyhow::Result<PeriodBatch> {
        let rules = take_rules(&mut self.rules);
        let rule_ids: Vec<i32> = rules.iter().map(|rule| rule.rule_id).collect();
        let rule_ids = self.timelines.with(&rule_ids);
        let place_id = self.place.place_id;
        let window = (self.start, period.1);
        let mut undone = group(db::undone_days(db, place_id, &rule_ids, window, known_at).await?);
        let mut segments = segments(db::period_runs(db, place_id, &rule_ids, window).await?, &undone);
        self.look_back(db, period, known_at, &mut segments, &mut undone).await?;

        let presence = Presence::load(db, place_id, Some(&rule_ids), known_at).await?;
        let mut questions = Vec::new();
        let mut found = Vec::with_capacity(rules.len());
        for (rule_index, rule) in rules.into_iter().enumerate() {
            let mut of_rule: Vec<(usize, i32, &Life)> = segments
                .get(&rule.rule_id)
                .into_iter()
                .flatten()
                .map(|(resource_id, life)| Ok((self.resources.rank(*resource_id)?, *resource_id, life)))
                .collect::<anyhow::Result<_>>()?;
            of_rule.sort_unstable_by_key(|(rank, ..)| *rank);
            let mut entries = Vec::with_capacity(of_rule.len());
            for (rank, resource_id, life) in of_rule {
                let Some(mut facts) = self.facts(life, period, &[rule.rule_id], &presence) else { continue };
                if let Some(names) = self.timelines.of(rule.rule_id)
                    && let Some(joined) = joined(names, resource_id, &segments)
                {
                    let whole = self.facts(&joined, period, names, &presence);
                    facts.deviations = whole.map(|whole| whole.deviations).unwrap_or_default();
                    facts.deviations.retain(|deviation| {
                        self.stands_at(deviation, names, resource_id, &segments, period) == Some(rule.rule_id)
                    });
                }
                for (index, deviation) in facts.deviations.iter().enumerate() {
                    if let (Ended::GoneWithResource, Some(day)) = (deviation.ended, deviation.first_day_otherwise) {
                        let at = (rule_index, entries.len(), index);
                        questions.push(Question { at, resource_id, day: Day::from(day) });
                    }
                }
                entries.push((rank, facts));
            }
            found.push((rule.into_rule(), entries));
        }
        self.resolve(db, known_at, &questions, &mut found).await?;
        Ok(PeriodBatch { place: self.place.clone(), resources: Arc::clone(&self.resources), rules: found })
    }

    /// Loads the whole history of evaluations with a deviation whose last good day lies before the window.
    async fn look_back(
        &self,
        db: &mut PgConnection,
        period: (Day, Day),
        known_at: KnownAt,
        segments: &mut Segments,
        undone: &mut Undone,
    ) -> anyhow::Result<()> {
        // Where evidence was removed, the names that a failure began under are still there.
        let first = self.calendar.known().first();
        let earlier = first.is_some_and(|first| *first < self.start) || self.calendar.is_cut();
        if !earlier {
            return Ok(());
        }
        let mut keys: FxHashSet<Key> = FxHashSet::default();
        for (rule_id, lives) in &*segments {
            let names = self.timelines.of(*rule_id).unwrap_or(std::slice::from_ref(rule_id));
            let bad = |life: &Life| life.segments.iter().any(|segment| segment.status_id == NON_COMPLIANT);
            for (resource_id, life) in lives.iter().filter(|(_, life)| bad(life)) {
                let joined = joined(names, *resource_id, segments);
                let segments = &joined.as_ref().unwrap_or(life).segments;
                let facts = facts(segments, &self.calendar, self.start, period, |_| Ended::GoneWithResource);
                let deviations = facts.map(|facts| facts.deviations).unwrap_or_default();
                if deviations.iter().any(|deviation| deviation.last_day_known_good.is_none()) {
                    keys.extend(names.iter().map(|name| (*name, *resource_id)));
                }
            }
        }
        if keys.is_empty() {
            return Ok(());
        }
        let (rule_ids, resource_ids): (Vec<i32>, Vec<i32>) = keys.iter().copied().unzip();
        let place_id = self.place.place_id;
        let before = db::undone_before(db, place_id, (&rule_ids, &resource_ids), self.start, known_at).await?;
        for (key, days) in group(before) {
            let all = undone.entry(key).or_default();
            all.extend(days);
        }
        let mut stored: FxHashMap<Key, Vec<Segment>> = FxHashMap::default();
        for run in db::history_runs(db, place_id, (&rule_ids, &resource_ids), period.1).await? {
            stored.entry((run.rule_id, run.resource_id)).or_default().push(run.segment());
        }
        for key in keys {
            let whole = stored.remove(&key).unwrap_or_default();
            let whole = put_back(&whole, undone.get(&key).map_or(&[], Vec::as_slice));
            segments.entry(key.0).or_default().insert(key.1, Life { segments: whole, whole: true });
        }
        Ok(())
    }

    /// What the period says of a life; `names` are those that the rule goes by in it.
    fn facts(&self, life: &Life, period: (Day, Day), names: &[i32], presence: &Presence) -> Option<PeriodFacts> {
        let start = if life.whole { Day(i32::MIN) } else { self.start };
        facts(&life.segments, &self.calendar, start, period, |day| {
            let present = names.iter().any(|rule_id| presence.of(*rule_id, day));
            if present { Ended::GoneWithResource } else { Ended::GoneWithRule }
        })
    }

    /// The name at which a deviation of a timeline stands: the one under which it was last observed, if the period
    /// has a row of it, else the one that ended it.
    fn stands_at(
        &self,
        deviation: &Deviation,
        names: &[i32],
        resource_id: i32,
        segments: &Segments,
        (from, until): (Day, Day),
    ) -> Option<i32> {
        let life = |rule_id: &i32| segments.get(rule_id).and_then(|lives| lives.get(&resource_id));
        let name_on = |day: Day| {
            let said = |rule_id: &&i32| {
                let segments = life(rule_id).into_iter().flat_map(|life| &life.segments);
                segments.into_iter().any(|segment| segment.first <= day && day < segment.end)
            };
            names.iter().find(said).copied()
        };
        let has_row = |rule_id: &i32| {
            let segments = life(rule_id).into_iter().flat_map(|life| &life.segments);
            segments.into_iter().any(|segment| {
                let first = self.calendar.first_known_from(segment.first.max(from));
                first.is_some_and(|first| first < segment.end && first <= until)
            })
        };
        let otherwise = || deviation.first_day_otherwise.and_then(|day| name_on(Day::from(day)));
        name_on(Day::from(deviation.last_day_bad)).filter(has_row).or_else(otherwise)
    }

    /// Tells resources that are gone from those that a rule merely stopped to evaluate.
    async fn resolve(
        &self,
        db: &mut PgConnection,
        known_at: KnownAt,
        questions: &[Question],
        found: &mut [(Rule, Vec<(usize, PeriodFacts)>)],
    ) -> anyhow::Result<()> {
        if questions.is_empty() {
            return Ok(());
        }
        let resource_ids: Vec<i32> = questions.iter().map(|question| question.resource_id).collect();
        let days: Vec<Day> = questions.iter().map(|question| question.day).collect();
        let present: FxHashSet<(i32, Day)> =
            db::present_resources(db, self.place.place_id, &resource_ids, &days, known_at).await?.into_iter().collect();
        for question in questions.iter().filter(|question| present.contains(&(question.resource_id, question.day))) {
            let (rule, entry, index) = question.at;
            let deviation = found
                .get_mut(rule)
                .and_then(|(_, entries)| entries.get_mut(entry))
                .and_then(|(_, facts)| facts.deviations.get_mut(index));
            if let Some(deviation) = deviation {
                deviation.ended = Ended::NoLongerEvaluated;
            }
        }
        Ok(())
    }
}

/// What an evaluation said over time, as known at the knowledge point.
#[derive(Debug, Default)]
struct Life {
    /// Ascending.
    segments: Vec<Segment>,
    /// Whether they reach back to the first day.
    whole: bool,
}

/// By rule, then by resource.
type Segments = FxHashMap<i32, FxHashMap<i32, Life>>;

fn group(rows: Vec<db::UndoneDay>) -> Undone {
    let mut undone = Undone::default();
    for row in rows {
        undone.entry((row.rule_id, row.resource_id)).or_default().push((row.day, row.old_status_id));
    }
    undone
}

fn segments(runs: Vec<db::PeriodRuns>, undone: &Undone) -> Segments {
    let mut segments = Segments::default();
    for group in runs {
        let of_rule = segments.entry(group.rule_id).or_default();
        for (((resource_id, first), end), status_id) in
            group.resource_ids.into_iter().zip(group.first_days).zip(group.end_days).zip(group.status_ids)
        {
            of_rule.entry(resource_id).or_default().segments.push(Segment { first, end, status_id });
        }
        for life in of_rule.values_mut() {
            life.segments.sort_unstable_by_key(|segment| segment.first);
        }
    }
    for ((rule_id, resource_id), days) in undone {
        let life = segments.entry(*rule_id).or_default().entry(*resource_id).or_default();
        life.segments = put_back(&life.segments, days);
    }
    segments
}

/// What the names of a timeline say of a resource one after the other; `None` where one name alone does, or two speak
/// of the same day.
fn joined(names: &[i32], resource_id: i32, segments: &Segments) -> Option<Life> {
    let life = |rule_id: &i32| segments.get(rule_id).and_then(|lives| lives.get(&resource_id));
    let lives: Vec<&Life> = names.iter().filter_map(life).filter(|life| !life.segments.is_empty()).collect();
    if lives.len() < 2 {
        return None;
    }
    let mut all: Vec<Segment> = lives.iter().flat_map(|life| &life.segments).copied().collect();
    all.sort_unstable_by_key(|segment| segment.first);
    let apart = all.is_sorted_by(|one, next| one.end <= next.first);
    apart.then(|| Life { segments: all, whole: lives.iter().all(|life| life.whole) })
}
