//! Days of a place that has no snapshot yet, inferred from its history objects.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context as _;
use sqlx::PgConnection;

use super::day::Day;
use super::db::{self, DeliveryChange, DeliveryRow, OutcomeRow};
use super::history::{HistoryItem, HistoryPack};
use super::history_db::{self, Kept};
use super::ids::{Ids, at};
use super::ladder::Tally;
use super::names::Names;
use super::place::{self, Context, Standing, Work, empty_row};
use super::plan::{self, Outcome};
use super::read_day::{self, HistoryReading, Judged};
use super::source::Object;
use super::splice::{self, Entry};
use super::store::{self, Notes, StorePatch};
use super::witness;
use super::{presence_db, rollup};
use crate::compliance::DeliveryState;

/// Why a history object does not speak.
const OVERTAKEN: &str = "the place's snapshots speak from its first one on";

/// Reads new history objects from before the place's first snapshot and infers those days anew; days on or after it are
/// the snapshots' alone.
pub(super) async fn collect(context: &Arc<Context>, work: &Arc<Work>, mut names: Names) -> anyhow::Result<Tally> {
    let mut tx = context.db.begin().await?;
    db::lock_place(&mut tx, work.place_id).await?;
    let standing = Arc::new(Standing::load(&mut tx, work.place_id).await?);
    let untold = history_db::first_untold(&mut tx, work.place_id).await?;
    let Turns { to_read, late, overtaken, outlived } = Turns::of(context, work, &standing);
    let mut tally = Tally::default();
    let read_from = to_read.iter().map(|object| Day::from(object.key.day)).min();
    let from = [read_from, untold, outlived.first().copied()].into_iter().flatten().min();
    if from.is_none() && late.is_empty() && overtaken.is_empty() {
        return Ok(tally);
    }
    place::record(context, &mut tx, work.place_id, &late.iter().collect::<Vec<_>>(), &mut tally).await?;
    db::record_outcomes(&mut tx, context.collection_id, &overtaken).await?;
    if let Some(from) = from {
        let mut seen_on = SeenOn::new();
        names = read(context, &mut tx, work, to_read, names, &mut seen_on, &mut tally).await?;
        let times;
        (times, names) = {
            let (context, work, standing) = (Arc::clone(context), Arc::clone(work), Arc::clone(&standing));
            // What can follow a changed day: the first snapshot those before it, any known day those taken back.
            let first = standing.first_snapshot().map(|first| Day(first.0 - 1));
            let changed: Vec<Day> = first.into_iter().chain(outlived.iter().copied()).collect();
            tokio::task::spawn_blocking(move || {
                (witness::after(&context, &work, &standing, changed, &mut names), names)
            })
            .await
            .context("reading was cut off")?
        };
        let ids = Ids::resolve(&context.registry, &mut tx, work.place_id, &names).await?;
        let rewrite = Rewrite { context, work, standing: &standing, ids: &ids, notes: Notes::of(&times, &ids), from };
        rewrite.run(&mut tx, &outlived, &seen_on, &mut tally).await?;
    }
    tx.commit().await?;
    Ok(tally)
}

/// Which part the place's history objects and inferred days have from now on.
struct Turns {
    to_read: Vec<Object>,
    /// New ones that do not speak.
    late: Vec<Judged>,
    /// Those that spoke and do no longer.
    overtaken: Vec<OutcomeRow>,
    /// Inferred days that are the snapshots' now, ascending.
    outlived: Vec<Day>,
}

impl Turns {
    fn of(context: &Context, work: &Work, standing: &Standing) -> Self {
        let first_snapshot = standing.first_snapshot().unwrap_or(Day::INFINITY);
        let mut turns = Self { to_read: vec![], late: vec![], overtaken: vec![], outlived: vec![] };
        for day in plan::days(&work.objects, &standing.stored, context.again()) {
            let speaks = Day::from(day.day) < first_snapshot;
            for candidate in &day.history {
                let Some(object) = candidate.object else { continue };
                match (candidate.seen.map(|seen| (seen.outcome, seen.object_id)), speaks) {
                    // Superseded: it came after a first snapshot whose day a later, silent one has taken over.
                    (None | Some((Outcome::Superseded, _)), true) => turns.to_read.push(object.clone()),
                    (None, false) => turns.late.push(Judged::superseded(object, OVERTAKEN.to_owned())),
                    (Some((Outcome::Collected, object_id)), false) => {
                        turns.overtaken.push(place::superseded_row(object_id, OVERTAKEN));
                    }
                    _ => {}
                }
            }
        }
        let inferred = standing.rows.iter().filter(|row| row.state.0 == DeliveryState::InferredFromHistory);
        turns.outlived = inferred.map(|row| row.day).filter(|day| *day >= first_snapshot).collect();
        turns
    }
}

/// By day: whether one of its history objects read now can be read.
type SeenOn = BTreeMap<Day, bool>;

/// Reads objects and keeps what they held, as many at a time as fit in a batch.
async fn read(
    context: &Arc<Context>,
    tx: &mut PgConnection,
    work: &Arc<Work>,
    to_read: Vec<Object>,
    mut names: Names,
    seen_on: &mut SeenOn,
    tally: &mut Tally,
) -> anyhow::Result<Names> {
    let to_read = Arc::new(to_read);
    let mut next = 0;
    while next < to_read.len() {
        let readings;
        (readings, names) = {
            let (context, work, to_read) = (Arc::clone(context), Arc::clone(work), Arc::clone(&to_read));
            tokio::task::spawn_blocking(move || {
                let mut readings = Vec::new();
                let mut evaluations = 0;
                for object in to_read.iter().skip(next) {
                    let reading = read_day::history(context.reader(&work), object, &mut names);
                    evaluations += reading.truth.items.iter().map(|(_, rules)| 1 + rules.len()).sum::<usize>();
                    readings.push(reading);
                    if evaluations > context.batch_evaluations {
                        break;
                    }
                }
                (readings, names)
            })
            .await
            .context("reading was cut off")?
        };
        next += readings.len();
        let ids = Ids::resolve(&context.registry, tx, work.place_id, &names).await?;
        keep(context, tx, work, &ids, readings, seen_on, tally).await?;
    }
    Ok(names)
}

/// Stores what was read.
async fn keep(
    context: &Context,
    tx: &mut PgConnection,
    work: &Work,
    ids: &Ids,
    readings: Vec<HistoryReading>,
    seen_on: &mut SeenOn,
    tally: &mut Tally,
) -> anyhow::Result<()> {
    let mut attributes = Vec::new();
    let judged: Vec<&Judged> = readings.iter().map(|reading| &reading.judged).collect();
    let object_ids = place::record(context, tx, work.place_id, &judged, tally).await?;
    let mut kept = Vec::with_capacity(readings.len());
    for (reading, object_id) in readings.into_iter().zip(object_ids) {
        let day = Day::from(reading.judged.object.key.day);
        attributes.extend(reading.truth.attributes.iter().map(|one| (at(&ids.rules, one.rule), one.clone(), day)));
        *seen_on.entry(day).or_default() |= reading.judged.reading.is_some();
        let items = reading.truth.items.into_iter().map(|(item, rules)| HistoryItem {
            captured_at: item.captured_at,
            state_id: item.state_id,
            resource_id: at(&ids.resources, item.resource),
            deleted: item.deleted,
            rules: rules.iter().map(|&(rule, status)| (at(&ids.rules, rule), at(&ids.statuses, status))).collect(),
        });
        let packs = reading.truth.packs.into_iter().map(|(pack, rules)| HistoryPack {
            captured_at: pack.captured_at,
            state_id: pack.state_id,
            pack_id: at(&ids.packs, pack.pack),
            value: place::pack_value(&pack, ids),
            rules: rules.iter().map(|&rule| at(&ids.rules, rule)).collect(),
        });
        kept.push(Kept { object_id, day, items: items.collect(), packs: packs.collect() });
    }
    history_db::keep(tx, work.place_id, &kept).await?;
    presence_db::note_attributes(tx, work.place_id, &attributes).await?;
    Ok(())
}

/// Infers days again, from the first on whose evaluations may have changed.
struct Rewrite<'a> {
    context: &'a Context,
    work: &'a Work,
    standing: &'a Standing,
    ids: &'a Ids,
    notes: Notes,
    from: Day,
}

impl Rewrite<'_> {
    /// Infers the days before the first snapshot and takes back those after it.
    async fn run(
        &self,
        tx: &mut PgConnection,
        outlived: &[Day],
        seen_on: &SeenOn,
        tally: &mut Tally,
    ) -> anyhow::Result<()> {
        let first_snapshot = self.standing.first_snapshot().unwrap_or(Day::INFINITY);
        let unreadable = db::unreadable_snapshot_days(tx, self.work.place_id).await?;
        let mut known = (self.standing.known.clone(), self.standing.ever_known.clone());
        let mut batch = Inferred::default();
        batch.forget(outlived);
        batch.rows.extend(outlived.iter().map(|&day| {
            let state = if unreadable.contains(&day) { DeliveryState::Unreadable } else { DeliveryState::Missing };
            empty_row(day, state)
        }));
        let mut fold = history_db::before(tx, self.work.place_id, self.from).await?;
        let mut inferred = Vec::new();
        for (day, compliance) in history_db::days(tx, self.work.place_id, self.from, first_snapshot).await? {
            let items = history_db::take(tx, self.work.place_id, day, &mut fold).await?;
            if compliance && !self.silent(day) {
                inferred.push(day);
                batch.add(day, items, &fold);
            }
            if batch.patch.runs.entries.len() > self.context.batch_evaluations {
                self.write(tx, std::mem::take(&mut batch), &mut known, tally).await?;
            }
        }
        for (&day, &readable) in seen_on.iter().filter(|(day, _)| !inferred.contains(day)) {
            // Nothing but history of other types, or nothing that can be read.
            let told = self.standing.row(day).map(|row| row.state.0);
            match (told, readable) {
                (None, false) => batch.rows.push(empty_row(day, DeliveryState::Unreadable)),
                (None, true) => batch.rows.push(empty_row(day, DeliveryState::NoComplianceItems)),
                (Some(DeliveryState::Unreadable), true) if !unreadable.contains(&day) => {
                    batch.rows.push(empty_row(day, DeliveryState::NoComplianceItems));
                }
                _ => {}
            }
        }
        self.write(tx, batch, &mut known, tally).await
    }

    /// A readable snapshot without compliance items speaks for its own day; history still tells what led to later ones.
    fn silent(&self, day: Day) -> bool {
        let row = self.standing.row(day);
        row.is_some_and(|row| row.state.0 == DeliveryState::NoComplianceItems && row.object_id.is_some())
    }

    async fn write(
        &self,
        tx: &mut PgConnection,
        batch: Inferred,
        (known, ever_known): &mut (Vec<Day>, Vec<Day>),
        tally: &mut Tally,
    ) -> anyhow::Result<()> {
        let calendar = splice::Calendar { known, ever_known };
        let after = splice::known_after(calendar, &batch.patch.runs);
        let collection_id = self.context.collection_id;
        let place_id = self.work.place_id;
        let written = store::write(tx, place_id, collection_id, calendar, batch.patch, self.ids, &self.notes).await?;
        ever_known.extend(&after);
        ever_known.sort_unstable();
        ever_known.dedup();
        *known = after;
        let changes: Vec<DeliveryChange> = batch
            .rows
            .into_iter()
            .filter(|row| self.standing.row(row.day) != Some(row))
            .map(|row| {
                let (rows_added, rows_removed) = written.difference(&row, self.standing.row(row.day));
                DeliveryChange { row, rows_added, rows_removed }
            })
            .collect();
        let inferred = changes.iter().filter(|it| it.row.state.0 == DeliveryState::InferredFromHistory).count();
        tally.days += u64::try_from(changes.len()).unwrap_or(u64::MAX);
        tally.inferred_days += u64::try_from(inferred).unwrap_or(u64::MAX);
        db::set_deliveries(tx, place_id, collection_id, &changes).await?;
        Ok(())
    }
}

/// Days to write together.
#[derive(Default)]
struct Inferred {
    patch: StorePatch,
    rows: Vec<DeliveryRow>,
}

impl Inferred {
    fn forget(&mut self, days: &[Day]) {
        for forgotten in
            [&mut self.patch.runs.forgotten, &mut self.patch.presence.forgotten, &mut self.patch.packs.forgotten]
        {
            forgotten.extend(days);
        }
    }

    /// Adds a day on which so many items were delivered.
    fn add(&mut self, day: Day, items: usize, fold: &super::history::Fold) {
        let patch = &mut self.patch;
        for known in [&mut patch.runs.known, &mut patch.presence.known, &mut patch.packs.known] {
            known.push(day);
        }
        let mut counts = [0_i64; 5];
        patch.runs.entries.extend(fold.evaluations(day).inspect(|entry| counts[rollup::class(entry.value)] += 1));
        patch.packs.entries.extend(fold.packs(day));
        let rules = fold.rules().into_iter();
        patch.presence.entries.extend(rules.map(|key| Entry { key, day, value: (), note: () }));
        let items = i64::try_from(items).unwrap_or(i64::MAX);
        self.rows.push(DeliveryRow {
            items,
            compliance_items: items,
            complying: counts[0],
            not_complying: counts[1],
            insufficient_data: counts[2],
            not_applicable: counts[3],
            unrecognised: counts[4],
            ..empty_row(day, DeliveryState::InferredFromHistory)
        });
    }
}
