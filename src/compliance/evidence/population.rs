//! The population of a day: every delivered evaluation of a scope, place by place.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use sqlx::PgConnection;
use time::{Date, OffsetDateTime};

use super::db::statuses;
use super::population_db as db;
use super::{KnownAt, Scope};
use crate::compliance::status::{COMPLIANT, INSUFFICIENT_DATA, NON_COMPLIANT, NOT_APPLICABLE};
use crate::compliance::{DeliveryState, Severity, Status};

/// A batch ends after the rule that brings it here. It bounds memory where one place holds very many evaluations.
const BATCH_ROWS: i64 = 200_000;

/// An account in a Region.
#[derive(Debug, Clone, PartialEq, Eq, Hash, sqlx::FromRow)]
pub struct Place {
    pub place_id: i32,
    /// Twelve digits.
    pub account_id: String,
    pub region: String,
}

/// A rule by its name as delivered, with what the rule data knows of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pub rule_id: i32,
    pub name: String,
    /// Without the affixes of conformance packs, Security Hub and Control Tower.
    pub core_name: String,
    /// What ends the name where a deployment of a conformance pack or a standard made it, and is another in each.
    pub suffix: Option<String>,
    /// AWS's source identifier; `None` where the rule data does not know the rule.
    pub identifier: Option<String>,
    pub severity: Severity,
    pub title: Option<String>,
}

/// One evaluation on one day.
#[derive(Debug, Clone, Copy)]
pub struct DayRow<'a> {
    pub day: Date,
    pub place: &'a Place,
    pub rule: &'a Rule,
    pub resource_type: &'a str,
    pub resource_id: &'a str,
    pub status: &'a Status,
    /// When the item was captured that first said so; `None` where that time was not kept.
    pub since: Option<OffsetDateTime>,
    /// When the snapshot was taken that the day stands on; `None` for days inferred from history.
    pub snapshot_at: Option<OffsetDateTime>,
    pub delivery: DeliveryState,
}

/// Status words by their id in the store.
pub(super) type Statuses = FxHashMap<i16, Status>;

/// The resources of a place, in the order of their types and ids.
#[derive(Debug, Default)]
pub(super) struct Resources {
    types: Vec<String>,
    /// Index in `types`, and the id.
    ids: Vec<(usize, String)>,
    rank: FxHashMap<i32, usize>,
}

impl Resources {
    pub(super) async fn of(db: &mut PgConnection, place_id: i32) -> sqlx::Result<Self> {
        let mut resources = Self::default();
        for group in db::resources(db, place_id).await? {
            let resource_type = resources.types.len();
            resources.types.push(group.resource_type);
            for (resource_id, id) in group.resource_ids.into_iter().zip(group.ids) {
                resources.rank.insert(resource_id, resources.ids.len());
                resources.ids.push((resource_type, id));
            }
        }
        Ok(resources)
    }

    /// The place of a resource in the order.
    pub(super) fn rank(&self, resource_id: i32) -> anyhow::Result<usize> {
        self.rank.get(&resource_id).copied().ok_or_else(|| {
            anyhow::anyhow!("the store has a run of resource {resource_id}, which its place does not have")
        })
    }

    /// Type and id by rank.
    pub(super) fn text(&self, rank: usize) -> (&str, &str) {
        self.ids
            .get(rank)
            .map_or(("", ""), |(resource_type, id)| (self.types.get(*resource_type).map_or("", String::as_str), id))
    }
}

#[derive(Debug)]
struct Entry {
    resource: usize,
    status_id: i16,
    since: Option<OffsetDateTime>,
}

/// Some rules of one place on a day.
#[derive(Debug)]
pub struct DayBatch {
    day: Date,
    place: db::DayPlace,
    resources: Arc<Resources>,
    statuses: Arc<Statuses>,
    rules: Vec<(Rule, Vec<Entry>)>,
}

impl DayBatch {
    /// The evaluations, in the order of rule name, resource type and resource id.
    pub fn rows(&self) -> impl Iterator<Item = DayRow<'_>> {
        self.rules.iter().flat_map(move |(rule, entries)| {
            entries.iter().map(move |entry| {
                let (resource_type, resource_id) = self.resources.text(entry.resource);
                DayRow {
                    day: self.day,
                    place: &self.place.place,
                    rule,
                    resource_type,
                    resource_id,
                    status: self.statuses.get(&entry.status_id).unwrap_or(&NO_STATUS),
                    since: entry.since,
                    snapshot_at: self.place.snapshot_at,
                    delivery: self.place.state,
                }
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

/// Statuses are loaded before what refers to them, in one transaction, so this is never seen.
static NO_STATUS: Status = Status::Unrecognised(String::new());

/// Reads the evaluations of a day: those of every place whose delivery was known, in the bytewise order of account,
/// Region, rule name, resource type and resource id.
#[derive(Debug)]
pub struct DayPopulation {
    day: Date,
    known_at: KnownAt,
    statuses: Arc<Statuses>,
    places: std::vec::IntoIter<db::DayPlace>,
    current: Option<CurrentPlace>,
}

#[derive(Debug)]
struct CurrentPlace {
    place: db::DayPlace,
    resources: Arc<Resources>,
    rules: std::iter::Peekable<std::vec::IntoIter<db::RuleCount>>,
    /// What the day said before it was restated, by rule.
    undo: FxHashMap<i32, Vec<db::Undone>>,
}

impl DayPopulation {
    /// Begins to read.
    pub async fn open(db: &mut PgConnection, scope: &Scope, day: Date, known_at: KnownAt) -> anyhow::Result<Self> {
        let statuses = Arc::new(statuses(db).await?);
        let places = db::day_places(db, scope, day, known_at).await?;
        Ok(Self { day, known_at, statuses, places: places.into_iter(), current: None })
    }

    /// The next batch; `None` at the end. Give it the connection that it was opened with.
    pub async fn next(&mut self, db: &mut PgConnection) -> anyhow::Result<Option<DayBatch>> {
        loop {
            if let Some(current) = &mut self.current
                && current.rules.peek().is_some()
            {
                let batch = current.batch(db, self.day, &self.statuses).await?;
                return Ok(Some(batch));
            }
            let Some(place) = self.places.next() else {
                return Ok(None);
            };
            self.current = Some(CurrentPlace::open(db, place, self.day, self.known_at).await?);
        }
    }
}

impl CurrentPlace {
    async fn open(db: &mut PgConnection, place: db::DayPlace, day: Date, known_at: KnownAt) -> anyhow::Result<Self> {
        let place_id = place.place.place_id;
        let mut undo: FxHashMap<i32, Vec<db::Undone>> = FxHashMap::default();
        for undone in db::undone(db, place_id, day, known_at).await? {
            undo.entry(undone.rule_id).or_default().push(undone);
        }
        let rule_ids: Vec<i32> = undo.keys().copied().collect();
        let rules = db::day_rules(db, place_id, day, &rule_ids).await?;
        let resources = Arc::new(Resources::of(db, place_id).await?);
        Ok(Self { place, resources, rules: rules.into_iter().peekable(), undo })
    }

    async fn batch(&mut self, db: &mut PgConnection, day: Date, statuses: &Arc<Statuses>) -> anyhow::Result<DayBatch> {
        let rules = take_rules(&mut self.rules);
        let rule_ids: Vec<i32> = rules.iter().map(|rule| rule.rule_id).collect();
        let mut entries: FxHashMap<i32, Vec<Entry>> = FxHashMap::default();
        for group in db::day_runs(db, self.place.place.place_id, day, &rule_ids).await? {
            let undone: FxHashSet<i32> =
                self.undo.get(&group.rule_id).into_iter().flatten().map(|undone| undone.resource_id).collect();
            let of_rule = entries.entry(group.rule_id).or_default();
            of_rule.reserve(group.resource_ids.len());
            for ((resource_id, status_id), since) in
                group.resource_ids.into_iter().zip(group.status_ids).zip(group.since)
            {
                if !undone.contains(&resource_id) {
                    of_rule.push(Entry { resource: self.resources.rank(resource_id)?, status_id, since });
                }
            }
        }
        for undone in rule_ids.iter().filter_map(|rule_id| self.undo.get(rule_id)).flatten() {
            if let Some(status_id) = undone.old_status_id {
                let resource = self.resources.rank(undone.resource_id)?;
                let since = undone.old_item_captured_at;
                entries.entry(undone.rule_id).or_default().push(Entry { resource, status_id, since });
            }
        }
        let rules = rules
            .into_iter()
            .map(|rule| {
                let mut entries = entries.remove(&rule.rule_id).unwrap_or_default();
                entries.sort_unstable_by_key(|entry| entry.resource);
                (rule.into_rule(), entries)
            })
            .collect();
        let (place, resources) = (self.place.clone(), Arc::clone(&self.resources));
        Ok(DayBatch { day, place, resources, statuses: Arc::clone(statuses), rules })
    }
}

/// Rules up to about [`BATCH_ROWS`], at least one.
pub(super) fn take_rules(rules: &mut std::iter::Peekable<std::vec::IntoIter<db::RuleCount>>) -> Vec<db::RuleCount> {
    let (mut taken, mut rows) = (Vec::new(), 0);
    while rows < BATCH_ROWS
        && let Some(rule) = rules.next()
    {
        rows += rule.runs;
        taken.push(rule);
    }
    taken
}

/// Evaluations counted by severity and status.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Totals {
    counts: std::collections::BTreeMap<Severity, StatusCounts>,
}

/// Evaluations counted by status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StatusCounts {
    pub complying: i64,
    pub not_complying: i64,
    pub insufficient_data: i64,
    pub not_applicable: i64,
    pub unrecognised: i64,
}

impl StatusCounts {
    /// All of them.
    pub fn sum(self) -> i64 {
        self.complying + self.not_complying + self.insufficient_data + self.not_applicable + self.unrecognised
    }

    pub(super) fn at(&mut self, status_id: i16) -> &mut i64 {
        match status_id {
            COMPLIANT => &mut self.complying,
            NON_COMPLIANT => &mut self.not_complying,
            INSUFFICIENT_DATA => &mut self.insufficient_data,
            NOT_APPLICABLE => &mut self.not_applicable,
            _ => &mut self.unrecognised,
        }
    }

    fn of(&mut self, status: &Status) -> &mut i64 {
        match status {
            Status::Compliant => &mut self.complying,
            Status::NonCompliant => &mut self.not_complying,
            Status::InsufficientData => &mut self.insufficient_data,
            Status::NotApplicable => &mut self.not_applicable,
            Status::Unrecognised(_) => &mut self.unrecognised,
        }
    }
}

impl std::ops::AddAssign for StatusCounts {
    fn add_assign(&mut self, other: Self) {
        self.complying += other.complying;
        self.not_complying += other.not_complying;
        self.insufficient_data += other.insufficient_data;
        self.not_applicable += other.not_applicable;
        self.unrecognised += other.unrecognised;
    }
}

impl Totals {
    /// Counts one evaluation of a day population.
    pub fn add(&mut self, row: &DayRow<'_>) {
        *self.counts.entry(row.rule.severity).or_default().of(row.status) += 1;
    }

    /// The counts of a severity.
    pub fn of(&self, severity: Severity) -> StatusCounts {
        self.counts.get(&severity).copied().unwrap_or_default()
    }

    /// The counts over all severities.
    pub fn all(&self) -> StatusCounts {
        self.counts.values().fold(StatusCounts::default(), |mut all, counts| {
            all += *counts;
            all
        })
    }

    pub(super) fn at(&mut self, severity: Severity) -> &mut StatusCounts {
        self.counts.entry(severity).or_default()
    }
}

/// The totals of a day from the roll-up, apart from the runs: what a count ladder holds against the sum of the rows.
pub async fn totals(db: &mut PgConnection, scope: &Scope, day: Date, known_at: KnownAt) -> anyhow::Result<Totals> {
    let places = db::day_places(db, scope, day, known_at).await?;
    let days = vec![day; places.len()];
    let place_ids = places.iter().map(|place| place.place.place_id).collect();
    totals_of(db, &db::PlaceDays { place_ids, days }, known_at).await
}

/// The last known evaluations of places without evidence of a day: each place's last known day up to it, as known.
pub async fn carried(db: &mut PgConnection, place_ids: &[i32], day: Date, known_at: KnownAt) -> anyhow::Result<Totals> {
    let of = db::last_known_days(db, place_ids, day, known_at).await?;
    totals_of(db, &of, known_at).await
}

async fn totals_of(db: &mut PgConnection, of: &db::PlaceDays, known_at: KnownAt) -> anyhow::Result<Totals> {
    let mut totals = Totals::default();
    for row in db::rolled_up(db, of).await? {
        *totals.at(Severity::from_id(row.severity)) += row.counts();
    }
    for change in db::restated_totals(db, of, known_at).await? {
        let counts = totals.at(Severity::from_id(change.severity));
        if let Some(status_id) = change.now_status_id {
            *counts.at(status_id) -= change.evaluations;
        }
        if let Some(status_id) = change.then_status_id {
            *counts.at(status_id) += change.evaluations;
        }
    }
    totals.counts.retain(|_, counts| *counts != StatusCounts::default());
    Ok(totals)
}
