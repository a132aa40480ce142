//! Brings one place up to date: what is new is read, put into runs, and committed together.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use sqlx::{PgConnection, PgPool};
use time::Date;

use super::coverage::Coverage;
use super::day::Day;
use super::day_patch::{self, NotTaken};
use super::db::{self, DeliveryChange, DeliveryRow, ObjectRow, OutcomeRow, StoredState};
use super::ids::{Ids, at};
use super::ladder::Tally;
use super::names::Names;
use super::open::Source;
use super::patience::Patience;
use super::plan::{self, Again, DayPlan, Outcome};
use super::read_day::{self, DayReading, Judged, Reader, Said, Speaker};
use super::registry::Registry;
use super::source::{Limits, Object, PlaceName};
use super::splice::Patch;
use super::standing::Standing;
use super::store::{self, Notes, StorePatch, StoredDay};
use super::witness::{self, Times};
use super::{inferred, presence_db};
use crate::compliance::DeliveryState;

/// What all places of a collection share.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) db: PgPool,
    pub(super) organization_id: i16,
    pub(super) collection_id: i64,
    pub(super) source: Source,
    pub(super) coverage: Coverage,
    /// With all places together.
    pub(super) patience: Patience,
    pub(super) limits: Limits,
    pub(super) recheck: bool,
    /// Evaluations that a worker reads before it commits what was read: bounds memory, whatever the number of days.
    pub(super) batch_evaluations: usize,
    pub(super) registry: Registry,
    /// Set once nothing more can be collected: whoever still reads stops.
    pub(super) stop: AtomicBool,
}

impl Context {
    /// An error once the collection has failed elsewhere.
    pub(super) fn go_on(&self) -> anyhow::Result<()> {
        anyhow::ensure!(!self.stop.load(Ordering::Relaxed), "the collection failed elsewhere");
        Ok(())
    }

    pub(super) fn again(&self) -> Again {
        Again { collection_id: self.collection_id, all: self.recheck, unpacked_limit: self.limits.unpacked_bytes }
    }

    pub(super) fn reader<'a>(&'a self, work: &'a Work) -> Reader<'a> {
        Reader {
            source: &self.source,
            account_id: &work.name.account_id,
            limits: &self.limits,
            vocabulary: &self.registry.vocabulary,
            patience: &work.patience,
            patience_with_all: &self.patience,
            objects: &work.objects,
        }
    }
}

/// A place and the objects that the source lists for it.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) place_id: i32,
    pub(super) name: PlaceName,
    pub(super) objects: Vec<Object>,
    pub(super) patience: Patience,
    /// Days of which a snapshot could not be reached, and why: not tried again in this collection.
    given_up: Mutex<BTreeMap<Date, DeliveryState>>,
}

impl Work {
    pub(super) fn new(place_id: i32, name: PlaceName, objects: Vec<Object>) -> Self {
        Self { place_id, name, objects, patience: Patience::with_place(), given_up: Mutex::default() }
    }

    fn carried(&self) -> Carried {
        let given_up = self.given_up.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Carried { given_up, ..Carried::default() }
    }
}

/// Brings the place up to date and says what that took. Safe to repeat and to interrupt.
pub(super) async fn collect(context: &Arc<Context>, work: Arc<Work>) -> anyhow::Result<Tally> {
    let mut tally = Tally::default();
    let mut carried = work.carried();
    loop {
        let batch = snapshots(context, &work, carried).await?;
        tally.add(&batch.tally);
        carried = batch.carried;
        if batch.complete {
            break;
        }
    }
    tally.add(&inferred::collect(context, &work, carried).await?);
    if context.recheck {
        tally.add(&super::recheck::place(context, &work).await?);
    }
    Ok(tally)
}

/// Reads one day of a place, and notes why we do.
pub(super) async fn by_files(
    context: &Arc<Context>,
    work: &Arc<Work>,
    day: Date,
    note: Option<String>,
) -> anyhow::Result<Tally> {
    let Batch { tally, carried, .. } =
        snapshots(context, work, Carried { only: Some(day), note, ..work.carried() }).await?;
    *work.given_up.lock().unwrap_or_else(PoisonError::into_inner) = carried.given_up;
    Ok(tally)
}

/// Writes what a query said of a place's object.
///
/// # Errors
///
/// [`NotTaken`], where it does not fit to what the store has; nothing is written then.
pub(super) async fn by_query(
    context: &Arc<Context>,
    work: &Arc<Work>,
    day: Date,
    mut names: Names,
    said: Said,
) -> anyhow::Result<Tally> {
    let vocabulary = &context.registry.vocabulary;
    vocabulary.admit(names.statuses.texts(), names.resource_types.texts()).map_err(NotTaken)?;
    let mut tx = context.db.begin().await?;
    db::lock_place(&mut tx, work.place_id).await?;
    let standing = Arc::new(Standing::load(&mut tx, work.place_id).await?);
    let reading = {
        let days = plan::days(&work.objects, &standing.stored, context.again());
        day_patch::taken(&days, day, &standing, said)?
    };
    let times;
    (times, names) = {
        let (context, work, standing) = (Arc::clone(context), Arc::clone(work), Arc::clone(&standing));
        tokio::task::spawn_blocking(move || {
            anyhow::Ok((witness::after(&context, &work, &standing, vec![Day::from(day)], &mut names)?, names))
        })
        .await
        .context("reading was cut off")??
    };
    let mut tally = Tally::default();
    let ids = Ids::resolve(&context.registry, &mut tx, work.place_id, &names).await?;
    write(context, &mut tx, work, &standing, &ids, vec![reading], &times, &mut tally).await?;
    tx.commit().await?;
    Ok(tally)
}

/// What one batch hands to the next.
#[derive(Debug, Default)]
pub(super) struct Carried {
    pub(super) names: Names,
    /// Days of which a snapshot could not be reached, and why: not tried again in this collection.
    pub(super) given_up: BTreeMap<Date, DeliveryState>,
    /// The only day to read; `None`: all that are new.
    only: Option<Date>,
    /// Why we read what is read, for its record.
    note: Option<String>,
}

struct Batch {
    tally: Tally,
    carried: Carried,
    complete: bool,
}

/// Reads and commits as many days with new snapshots as fit in a batch.
async fn snapshots(context: &Arc<Context>, work: &Arc<Work>, mut carried: Carried) -> anyhow::Result<Batch> {
    let mut tx = context.db.begin().await?;
    db::lock_place(&mut tx, work.place_id).await?;
    let standing = Arc::new(Standing::load(&mut tx, work.place_id).await?);
    let (readings, complete, times);
    (readings, carried, complete, times) = {
        let (context, work, standing) = (Arc::clone(context), Arc::clone(work), Arc::clone(&standing));
        tokio::task::spawn_blocking(move || {
            let (readings, complete) = read_batch(&context, &work, &standing, &mut carried)?;
            let changed: Vec<Day> = readings.iter().filter(|it| it.changes()).map(|it| Day::from(it.day)).collect();
            let times = witness::after(&context, &work, &standing, changed, &mut carried.names)?;
            anyhow::Ok((readings, carried, complete, times))
        })
        .await
        .context("reading was cut off")??
    };
    let mut tally = Tally::default();
    if !readings.is_empty() {
        let ids = Ids::resolve(&context.registry, &mut tx, work.place_id, &carried.names).await?;
        write(context, &mut tx, work, &standing, &ids, readings, &times, &mut tally).await?;
        tx.commit().await?;
    }
    Ok(Batch { tally, carried, complete })
}

fn read_batch(
    context: &Context,
    work: &Work,
    standing: &Standing,
    carried: &mut Carried,
) -> anyhow::Result<(Vec<DayReading>, bool)> {
    let mut readings = Vec::new();
    let mut evaluations = 0;
    let days = plan::days(&work.objects, &standing.stored, context.again());
    for day in days.iter().filter(|day| needs_snapshots(day)) {
        if carried.given_up.contains_key(&day.day) || carried.only.is_some_and(|only| only != day.day) {
            continue;
        }
        if evaluations > context.batch_evaluations {
            return Ok((readings, false));
        }
        let verdict = |object_id| standing.verdict(Day::from(day.day), object_id);
        context.go_on()?;
        let mut reading = read_day::snapshots(context.reader(work), day, &mut carried.names, verdict)?;
        for judged in reading.judged.iter_mut().filter(|judged| judged.outcome == Outcome::Collected) {
            judged.reason.clone_from(&carried.note);
        }
        evaluations += reading.truth.evaluations.len();
        carried.given_up.extend(reading.unreached.first().map(|(_, why)| (day.day, why.state)));
        readings.push(reading);
    }
    Ok((readings, true))
}

fn needs_snapshots(day: &DayPlan<'_>) -> bool {
    day.snapshots.iter().any(|candidate| candidate.seen.is_none())
}

#[expect(clippy::too_many_arguments, reason = "one step of snapshots, apart only for its length")]
async fn write(
    context: &Context,
    tx: &mut PgConnection,
    work: &Work,
    standing: &Standing,
    ids: &Ids,
    readings: Vec<DayReading>,
    times: &Times,
    tally: &mut Tally,
) -> anyhow::Result<()> {
    let mut patch = StorePatch::default();
    let mut rows = Vec::new();
    let mut attributes = Vec::new();
    let judged: Vec<&Judged> = readings.iter().flat_map(|reading| &reading.judged).collect();
    let recorded = record(context, tx, work.place_id, &judged, tally).await?;
    let superseded: Vec<OutcomeRow> = readings
        .iter()
        .flat_map(|reading| &reading.superseded)
        .map(|&id| superseded_row(id, "a later snapshot of the day speaks"))
        .collect();
    db::record_outcomes(tx, context.collection_id, &superseded).await?;
    let mut recorded = recorded.as_slice();
    for reading in &readings {
        let day = Day::from(reading.day);
        tally.miss(work.place_id, day, &reading.unreached);
        let object_ids;
        (object_ids, recorded) = recorded.split_at(reading.judged.len());
        attributes.extend(reading.attributes.iter().map(|one| (at(&ids.rules, one.rule), one.clone(), day)));
        let Some(state) = reading.state else { continue };
        let before = standing.row(day);
        let row = match &reading.speaker {
            // Only the words about it can change: it was collected, and a later object cannot be read.
            Some(Speaker::Standing) => before.map(|row| DeliveryRow { state: StoredState(state), ..row.clone() }),
            Some(Speaker::New(index)) => {
                let told_from = match &reading.difference {
                    Some(difference) => store::stored_day(tx, work.place_id, difference.since).await?,
                    None => StoredDay::default(),
                };
                let judged = &reading.judged[*index];
                let counts = day_patch::add(&mut patch, ids, reading, state, standing, told_from);
                day_patch::check(judged, state, counts)?;
                let row = day_patch::row(judged, object_ids[*index], state, day, counts);
                tally.stored += if state.known() { row.evaluations() } else { 0 };
                Some(row)
            }
            None => Some(without_speaker(day, state, before)),
        };
        rows.extend(row.filter(|row| before != Some(row)));
    }
    presence_db::note_attributes(tx, work.place_id, &attributes).await?;
    let notes = Notes::of(times, ids);
    let calendar = standing.calendar();
    let written = store::write(tx, work.place_id, context.collection_id, calendar, patch, ids, &notes).await?;
    let changes: Vec<DeliveryChange> = rows
        .into_iter()
        .map(|row| {
            let (rows_added, rows_removed) = written.difference(&row, standing.row(row.day));
            DeliveryChange { row, rows_added, rows_removed }
        })
        .collect();
    tally.days += u64::try_from(changes.len()).unwrap_or(u64::MAX);
    db::set_deliveries(tx, work.place_id, context.collection_id, &changes).await?;
    Ok(())
}

/// What a day is of whose snapshots none can be read: what was known of it stands, because nothing readable speaks against
/// it.
fn without_speaker(day: Day, state: DeliveryState, before: Option<&DeliveryRow>) -> DeliveryRow {
    match before {
        Some(row) if row.state.0 == DeliveryState::InferredFromHistory => row.clone(),
        Some(row) if row.state.0.known() => {
            DeliveryRow { state: StoredState(DeliveryState::DeliveredLaterUnreadable), ..row.clone() }
        }
        _ => empty_row(day, state),
    }
}

pub(super) fn empty_row(day: Day, state: DeliveryState) -> DeliveryRow {
    DeliveryRow {
        day,
        state: StoredState(state),
        object_id: None,
        snapshot_at: None,
        items: 0,
        compliance_items: 0,
        complying: 0,
        not_complying: 0,
        insufficient_data: 0,
        not_applicable: 0,
        unrecognised: 0,
    }
}

pub(super) fn superseded_row(object_id: i64, reason: &str) -> OutcomeRow {
    OutcomeRow {
        object_id,
        outcome: Outcome::Superseded,
        reason: Some(reason.to_owned()),
        position_bytes: None,
        retry_above: None,
        evaluations: 0,
        left_out: serde_json::json!({}),
        query_id: None,
    }
}

/// Records judged objects with their outcomes; returns their row ids, in order.
pub(super) async fn record(
    context: &Context,
    tx: &mut PgConnection,
    place_id: i32,
    judged: &[&Judged],
    tally: &mut Tally,
) -> anyhow::Result<Vec<i64>> {
    let rows: Vec<ObjectRow<'_>> = judged
        .iter()
        .map(|one| ObjectRow {
            object: &one.object,
            reading: one.reading.as_ref(),
            sha256: one.unreadable.as_ref().and_then(|unreadable| unreadable.sha256),
            ours: one.query_id.is_none(),
        })
        .collect();
    let recorded = db::record_objects(tx, place_id, context.collection_id, &rows).await?;
    let mut outcomes = Vec::with_capacity(judged.len());
    for (one, (object_id, new)) in judged.iter().zip(recorded) {
        let read = one.reading.as_ref().map_or(0, |reading| reading.evaluations);
        outcomes.push(OutcomeRow {
            object_id,
            outcome: one.outcome,
            reason: one.reason.clone(),
            position_bytes: one.unreadable.as_ref().map(|it| i64::try_from(it.position).unwrap_or(i64::MAX)),
            retry_above: one
                .unreadable
                .as_ref()
                .and_then(|it| it.retry_above)
                .map(|limit| i64::try_from(limit).unwrap_or(i64::MAX)),
            evaluations: i64::try_from(read).unwrap_or(i64::MAX),
            left_out: serde_json::to_value(&one.left_out)?,
            query_id: one.query_id,
        });
        tally.judge(one, new);
    }
    db::record_outcomes(tx, context.collection_id, &outcomes).await?;
    Ok(outcomes.into_iter().map(|row| row.object_id).collect())
}

/// An empty patch.
pub(super) fn no_patch<K, V, N>() -> Patch<K, V, N> {
    Patch { known: vec![], forgotten: vec![], entries: vec![] }
}
