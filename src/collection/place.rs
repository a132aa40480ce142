//! Brings one place up to date: what is new is read, put into runs, and committed together.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use sqlx::{PgConnection, PgPool};
use time::Date;

use super::day::Day;
use super::db::{self, DeliveryChange, DeliveryRow, ObjectRow, OutcomeRow, StoredState};
use super::gather::Names;
use super::ladder::Tally;
use super::open::Source;
use super::plan::{self, DayPlan, Outcome, Verdict};
use super::read_day::{self, DayReading, Judged, Reader, Speaker};
use super::registry::{self, Registry};
use super::source::{Limits, Object, PlaceName};
use super::splice::{Calendar, Entry, Patch};
use super::store::{self, PackValue, StorePatch};
use super::{inferred, rollup};
use crate::compliance::DeliveryState;

/// Evaluations read before what was read is committed: bounds memory, whatever the number of days.
const BATCH_EVALUATIONS: usize = 1_500_000;

/// What all places of a collection share.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) db: PgPool,
    pub(super) organization_id: i16,
    pub(super) collection_id: i64,
    pub(super) source: Source,
    pub(super) limits: Limits,
    pub(super) recheck: bool,
    pub(super) registry: Registry,
    /// Set once the collection has failed: whoever still reads stops.
    pub(super) stop: AtomicBool,
}

impl Context {
    /// An error once the collection has failed elsewhere.
    pub(super) fn go_on(&self) -> anyhow::Result<()> {
        anyhow::ensure!(!self.stop.load(Ordering::Relaxed), "the collection failed elsewhere");
        Ok(())
    }
}

/// A place and the objects that the source lists for it.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) place_id: i32,
    pub(super) name: PlaceName,
    pub(super) objects: Vec<Object>,
}

/// Brings the place up to date and says what that took. Safe to repeat and to interrupt.
pub(super) async fn collect(context: &Arc<Context>, work: Arc<Work>) -> anyhow::Result<Tally> {
    let mut tally = Tally::default();
    let mut carried = Carried::default();
    loop {
        let batch = snapshots(context, &work, carried).await?;
        tally.add(&batch.tally);
        carried = batch.carried;
        if batch.complete {
            break;
        }
    }
    tally.add(&inferred::collect(context, &work, carried.names).await?);
    if context.recheck {
        tally.add(&super::recheck::place(context, &work).await?);
    }
    Ok(tally)
}

/// A place's store as a transaction found it.
pub(super) struct Standing {
    pub(super) seen: HashMap<plan::Version, plan::Seen>,
    pub(super) rows: Vec<DeliveryRow>,
    pub(super) known: Vec<Day>,
    pub(super) ever_known: Vec<Day>,
}

impl Standing {
    pub(super) async fn load(db: &mut PgConnection, place_id: i32) -> sqlx::Result<Self> {
        let rows = db::deliveries(db, place_id).await?;
        Ok(Self {
            seen: db::seen(db, place_id).await?,
            known: rows.iter().filter(|row| row.state.0.known()).map(|row| row.day).collect(),
            ever_known: db::ever_known(db, place_id).await?,
            rows,
        })
    }

    pub(super) fn row(&self, day: Day) -> Option<&DeliveryRow> {
        self.rows.iter().find(|row| row.day == day)
    }

    pub(super) fn calendar(&self) -> Calendar<'_> {
        Calendar { known: &self.known, ever_known: &self.ever_known }
    }

    /// The first day with a snapshot that holds compliance items.
    pub(super) fn first_snapshot(&self) -> Option<Day> {
        self.rows
            .iter()
            .find(|row| matches!(row.state.0, DeliveryState::Delivered | DeliveryState::DeliveredLaterUnreadable))
            .map(|row| row.day)
    }
}

/// What one batch hands to the next.
#[derive(Debug, Default)]
struct Carried {
    names: Names,
    /// Days of which an object could not be reached: not tried again in this collection.
    given_up: BTreeSet<Date>,
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
    let (readings, complete);
    (readings, carried, complete) = {
        let (context, work, standing) = (Arc::clone(context), Arc::clone(work), Arc::clone(&standing));
        tokio::task::spawn_blocking(move || {
            let (readings, complete) = read_batch(&context, &work, &standing, &mut carried)?;
            anyhow::Ok((readings, carried, complete))
        })
        .await
        .context("reading was cut off")??
    };
    let mut tally = Tally::default();
    if !readings.is_empty() {
        let ids = Ids::resolve(context, &mut tx, work.place_id, &carried.names).await?;
        write(context, &mut tx, work, &standing, &ids, readings, &mut tally).await?;
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
    let reader = Reader { source: &context.source, account_id: &work.name.account_id, limits: &context.limits };
    let mut readings = Vec::new();
    let mut evaluations = 0;
    let days = plan::days(&work.objects, &standing.seen, context.recheck);
    for day in days.iter().filter(|day| needs_snapshots(day)) {
        if carried.given_up.contains(&day.day) {
            continue;
        }
        if evaluations > BATCH_EVALUATIONS {
            return Ok((readings, false));
        }
        let verdict = |object_id| {
            let silent = standing
                .rows
                .iter()
                .any(|row| row.object_id == Some(object_id) && row.state.0 == DeliveryState::NoComplianceItems);
            if silent { Verdict::Silent } else { Verdict::Speaks }
        };
        context.go_on()?;
        let reading = read_day::snapshots(reader, day, &mut carried.names, verdict)?;
        evaluations += reading.truth.evaluations.len();
        if !reading.unreached.is_empty() {
            carried.given_up.insert(day.day);
        }
        readings.push(reading);
    }
    Ok((readings, true))
}

fn needs_snapshots(day: &DayPlan<'_>) -> bool {
    day.snapshots.iter().any(|candidate| candidate.seen.is_none())
}

/// Row ids of the names in [`Names`], by number.
pub(super) struct Ids {
    pub(super) rules: Vec<i32>,
    pub(super) statuses: Vec<i16>,
    pub(super) resources: Vec<i32>,
    /// By row id.
    pub(super) resource_types: HashMap<i32, i16>,
    packs: Vec<i32>,
}

impl Ids {
    pub(super) async fn resolve(
        context: &Context,
        tx: &mut PgConnection,
        place_id: i32,
        names: &Names,
    ) -> anyhow::Result<Self> {
        let mut packs = Vec::new();
        let mut cores = HashMap::new();
        for (id, name) in names.packs.texts().iter().zip(&names.pack_names) {
            let (pack_id, renamed) = registry::conformance_pack(tx, place_id, id, name).await?;
            packs.push(pack_id);
            let suffix = id.strip_prefix("conformance-pack-").unwrap_or(id);
            let core = crate::compliance::rule_name::core_pack_name(name);
            if renamed && !core.is_empty() {
                registry::name_pack(tx, context.organization_id, suffix, core).await?;
            }
            if !core.is_empty() {
                cores.insert(suffix.to_owned(), core.to_owned());
            }
        }
        let types = context.registry.resource_types(names.resource_types.texts()).await?;
        let type_of = |number: &u32| usize::try_from(*number).map(|at| types[at]).expect("u32 fits usize");
        let resource_types: Vec<i16> = names.resource_list.iter().map(|(number, _)| type_of(number)).collect();
        let ids: Vec<&str> = names.resource_list.iter().map(|(_, id)| &**id).collect();
        let resources = registry::resources(tx, place_id, &resource_types, &ids).await?;
        anyhow::ensure!(resources.len() == ids.len(), "the store did not take {} resources", ids.len());
        Ok(Self {
            rules: context.registry.rules(names.rules.texts(), &cores).await?,
            statuses: context.registry.statuses(names.statuses.texts()).await?,
            resource_types: resources.iter().copied().zip(resource_types).collect(),
            resources,
            packs,
        })
    }
}

pub(super) fn at<T: Copy>(ids: &[T], number: u32) -> T {
    ids[usize::try_from(number).expect("u32 fits usize")]
}

async fn write(
    context: &Context,
    tx: &mut PgConnection,
    work: &Work,
    standing: &Standing,
    ids: &Ids,
    readings: Vec<DayReading>,
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
        let row = match &reading.speaker {
            Some(Speaker::Standing) => {
                let Some(row) = standing.row(day) else { continue };
                // Only the words about it can change: it was collected, and a later object cannot be read.
                if row.state.0 == state {
                    continue;
                }
                DeliveryRow { state: StoredState(state), ..row.clone() }
            }
            Some(Speaker::New(index)) => {
                patch_day(&mut patch, ids, reading, state, day, standing);
                let row = new_row(reading, *index, object_ids[*index], state, day, ids);
                tally.stored += if state.known() { row.evaluations() } else { 0 };
                row
            }
            None => {
                let before = standing.row(day).map(|row| row.state.0);
                // What history says of the day stands: no readable snapshot speaks against it.
                if before == Some(DeliveryState::InferredFromHistory) {
                    continue;
                }
                let known = standing.row(day).filter(|row| row.state.0.known());
                let row = match known {
                    // What was collected stands; what came after it could not be reached.
                    Some(row) if state.unreached() => {
                        DeliveryRow { state: StoredState(DeliveryState::DeliveredLaterUnreadable), ..row.clone() }
                    }
                    Some(_) => {
                        forget(&mut patch, day);
                        empty_row(day, state)
                    }
                    None => empty_row(day, state),
                };
                if standing.row(day) == Some(&row) {
                    continue;
                }
                row
            }
        };
        rows.push(row);
    }
    store::note_attributes(tx, work.place_id, &attributes).await?;
    let written = store::write(tx, work.place_id, context.collection_id, standing.calendar(), patch, ids).await?;
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

fn forget(patch: &mut StorePatch, day: Day) {
    patch.runs.forgotten.push(day);
    patch.presence.forgotten.push(day);
    patch.packs.forgotten.push(day);
}

fn patch_day(
    patch: &mut StorePatch,
    ids: &Ids,
    reading: &DayReading,
    state: DeliveryState,
    day: Day,
    standing: &Standing,
) {
    if !state.known() {
        if standing.row(day).is_some_and(|row| row.state.0.known()) {
            forget(patch, day);
        }
        return;
    }
    let truth = &reading.truth;
    patch.runs.known.push(day);
    patch.presence.known.push(day);
    patch.packs.known.push(day);
    patch.runs.entries.extend(truth.evaluations.iter().map(|evaluation| Entry {
        key: (at(&ids.rules, evaluation.rule), at(&ids.resources, evaluation.resource)),
        day,
        value: at(&ids.statuses, evaluation.status),
        note: Some(evaluation.captured_at),
    }));
    patch.presence.entries.extend(truth.rules.iter().map(|&rule| Entry {
        key: at(&ids.rules, rule),
        day,
        value: (),
        note: (),
    }));
    patch.packs.entries.extend(truth.packs.iter().map(|pack| Entry {
        key: at(&ids.packs, pack.pack),
        day,
        value: PackValue {
            status_id: at(&ids.statuses, pack.status),
            compliant_rules: pack.compliant_rules,
            non_compliant_rules: pack.non_compliant_rules,
            total_rules: pack.total_rules,
        },
        note: (),
    }));
}

fn new_row(
    reading: &DayReading,
    index: usize,
    object_id: i64,
    state: DeliveryState,
    day: Day,
    ids: &Ids,
) -> DeliveryRow {
    let mut counts = [0_i64; 5];
    for evaluation in &reading.truth.evaluations {
        counts[rollup::class(at(&ids.statuses, evaluation.status))] += 1;
    }
    let judged = &reading.judged[index];
    let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    let read = judged.reading.as_ref();
    DeliveryRow {
        object_id: Some(object_id),
        snapshot_at: judged.object.key.taken_at,
        items: read.map_or(0, |reading| number(reading.items)),
        compliance_items: read.map_or(0, |reading| number(reading.compliance_items)),
        complying: counts[0],
        not_complying: counts[1],
        insufficient_data: counts[2],
        not_applicable: counts[3],
        unrecognised: counts[4],
        ..empty_row(day, state)
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
        evaluations: 0,
        left_out: serde_json::json!({}),
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
            evaluations: i64::try_from(read).unwrap_or(i64::MAX),
            left_out: serde_json::to_value(&one.left_out)?,
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
