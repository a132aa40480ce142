//! Days of a place that has no snapshot yet, inferred from its history objects.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Context as _;
use sqlx::PgConnection;

use super::day::Day;
use super::day_patch;
use super::db::{self, DeliveryChange, DeliveryRow};
use super::history::{HistoryItem, HistoryPack};
use super::history_db::{self, Kept};
use super::ids::{Ids, at};
use super::ladder::Tally;
use super::names::Names;
use super::place::{self, Carried, Context, Work, empty_row};
use super::read_day::{self, HistoryReading, Judged};
use super::source::{Object, Unreachable, Unreached};
use super::splice::{self, Entry};
use super::standing::Standing;
use super::store::{self, Notes, StorePatch};
use super::turns::{Missed, Turns};
use super::witness;
use super::{presence_db, rollup};
use crate::compliance::DeliveryState;

/// Reads new history objects from before the place's first snapshot and infers those days anew; days on or after it are
/// the snapshots' alone.
pub(super) async fn collect(context: &Arc<Context>, work: &Arc<Work>, carried: Carried) -> anyhow::Result<Tally> {
    let Carried { mut names, given_up, .. } = carried;
    let mut tx = context.db.begin().await?;
    db::lock_place(&mut tx, work.place_id).await?;
    let standing = Arc::new(Standing::load(&mut tx, work.place_id).await?);
    let untold = history_db::first_untold(&mut tx, work.place_id).await?;
    let Turns { to_read, mut missed, waiting, late, overtaken, outlived } =
        Turns::of(context, work, &standing, &given_up);
    let mut tally = Tally::default();
    let read_from = to_read.iter().map(|object| Day::from(object.key.day)).min();
    let missed_from = missed.first().map(|(day, _)| day);
    let from = [read_from, missed_from, untold, outlived.first().copied()].into_iter().flatten().min();
    if from.is_none() && late.is_empty() && overtaken.is_empty() {
        return Ok(tally);
    }
    place::record(context, &mut tx, work.place_id, &late.iter().collect::<Vec<_>>(), &mut tally).await?;
    db::record_outcomes(&mut tx, context.collection_id, &overtaken).await?;
    if let Some(from) = from {
        let mut seen_on = SeenOn::new();
        // These days come before the snapshots that were read: what was seen there was not seen here yet.
        names.last_attributes.clear();
        names = read(context, &mut tx, work, to_read, names, &mut missed, &mut seen_on, &mut tally).await?;
        let held = missed.first().into_iter().chain(waiting).min_by_key(|it| it.0);
        for (object, why) in missed.objects {
            let day = Day::from(object.key.day);
            seen_on.entry(day).or_default().missed.get_or_insert(why.state);
            tally.miss(work.place_id, day, &[(object.name, why)]);
        }
        let times;
        (times, names) = {
            let (context, work, standing) = (Arc::clone(context), Arc::clone(work), Arc::clone(&standing));
            // What can follow a changed day: the first snapshot those before it, any known day those taken back.
            let first = standing.first_snapshot().map(|first| Day(first.0 - 1));
            let changed: Vec<Day> = first.into_iter().chain(outlived.iter().copied()).collect();
            tokio::task::spawn_blocking(move || {
                anyhow::Ok((witness::after(&context, &work, &standing, changed, &mut names)?, names))
            })
            .await
            .context("reading was cut off")??
        };
        let ids = Ids::resolve(&context.registry, &mut tx, work.place_id, &names).await?;
        let notes = Notes::of(&times, &ids);
        let rewrite = Rewrite { context, work, standing: &standing, ids: &ids, notes, from, held };
        rewrite.run(&mut tx, &outlived, &seen_on, &mut tally).await?;
    }
    tx.commit().await?;
    Ok(tally)
}

/// By day: what its history objects held, those read now.
type SeenOn = BTreeMap<Day, Seen>;

/// What the history objects of one day held.
#[derive(Debug, Default)]
struct Seen {
    readable: bool,
    /// Why one of them could not be reached.
    missed: Option<DeliveryState>,
}

/// Reads objects and keeps what they held, as many at a time as fit in a batch; adds those that could not be reached to
/// `missed`.
#[expect(clippy::too_many_arguments, reason = "one step of collect, apart only for its length")]
async fn read(
    context: &Arc<Context>,
    tx: &mut PgConnection,
    work: &Arc<Work>,
    to_read: Vec<Object>,
    mut names: Names,
    missed: &mut Missed,
    seen_on: &mut SeenOn,
    tally: &mut Tally,
) -> anyhow::Result<Names> {
    let to_read = Arc::new(to_read);
    let mut next = 0;
    while next < to_read.len() {
        let (readings, unreached);
        (readings, unreached, names) = {
            let (context, work, to_read) = (Arc::clone(context), Arc::clone(work), Arc::clone(&to_read));
            tokio::task::spawn_blocking(move || {
                let (readings, unreached) = read_batch(&context, &work, &to_read[next..], &mut names)?;
                anyhow::Ok((readings, unreached, names))
            })
            .await
            .context("reading was cut off")??
        };
        next += readings.len() + unreached.len();
        missed.objects.extend(unreached);
        let ids = Ids::resolve(&context.registry, tx, work.place_id, &names).await?;
        keep(context, tx, work, &ids, readings, seen_on, tally).await?;
    }
    Ok(names)
}

/// Reads the first objects, as many as fit in a batch; says which of them could not be reached. An error ends the
/// collection.
fn read_batch(
    context: &Context,
    work: &Work,
    objects: &[Object],
    names: &mut Names,
) -> anyhow::Result<(Vec<HistoryReading>, Vec<(Object, Unreached)>)> {
    let (mut readings, mut unreached) = (Vec::new(), Vec::new());
    let mut evaluations = 0;
    for object in objects {
        context.go_on()?;
        match read_day::history(context.reader(work), object, names) {
            Ok(reading) => {
                evaluations += reading.truth.items.iter().map(|(_, rules)| 1 + rules.len()).sum::<usize>();
                readings.push(reading);
            }
            Err(Unreachable::Now(why)) => unreached.push((object.clone(), why)),
            Err(ever) => return Err(ever.into()),
        }
        if evaluations > context.batch_evaluations {
            break;
        }
    }
    Ok((readings, unreached))
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
        seen_on.entry(day).or_default().readable |= reading.judged.reading.is_some();
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
            value: day_patch::pack_value(&pack, ids),
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
    /// What could not be reached may change each day from this one on: none of them is newly inferred until it is.
    held: Option<(Day, DeliveryState)>,
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
        let mut settled = BTreeSet::new();
        for (day, compliance) in history_db::days(tx, self.work.place_id, self.from, first_snapshot).await? {
            let items = history_db::take(tx, self.work.place_id, day, &mut fold).await?;
            if compliance && !self.silent(day) {
                settled.insert(day);
                match self.holds(day) {
                    Some(state) => self.hold(day, state, &mut batch, tally),
                    None => batch.add(day, items, &fold),
                }
            }
            if batch.patch.runs.entries.len() > self.context.batch_evaluations {
                self.write(tx, std::mem::take(&mut batch), &mut known, tally).await?;
            }
        }
        for (&day, seen) in seen_on.iter().filter(|(day, _)| !settled.contains(day) && !self.silent(**day)) {
            // Nothing but history of other types, or nothing that can be read.
            let told = self.standing.row(day).map(|row| row.state.0);
            if let Some(state) = seen.missed {
                if told.is_none_or(|told| !told.known()) && !unreadable.contains(&day) {
                    self.hold(day, state, &mut batch, tally);
                }
                continue;
            }
            match (told.filter(|state| !state.unreached()), seen.readable) {
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

    /// Why a day is not inferred. One that is inferred already is so with what is read now.
    fn holds(&self, day: Day) -> Option<DeliveryState> {
        let (from, state) = self.held?;
        let inferred = self.standing.row(day).is_some_and(|row| row.state.0 == DeliveryState::InferredFromHistory);
        (day >= from && !inferred).then_some(state)
    }

    /// Leaves a day to the next collection.
    fn hold(&self, day: Day, state: DeliveryState, batch: &mut Inferred, tally: &mut Tally) {
        tally.unreached_days.insert((self.work.place_id, day));
        batch.rows.push(empty_row(day, state));
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
