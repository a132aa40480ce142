//! Days of a place that has no snapshot yet, inferred from its history objects.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Context as _;
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::day::Day;
use super::db::{self, DeliveryChange, DeliveryRow, HistoryRow, NewHistoryItem};
use super::gather::Names;
use super::history::{self, HistoryItem};
use super::ladder::Tally;
use super::place::{self, Context, Ids, Standing, Work, at, empty_row};
use super::plan::{self, Outcome};
use super::read_day::{self, HistoryReading, Judged, Reader};
use super::rollup;
use super::source::{Object, Unreachable, Unreached};
use super::splice::Entry;
use super::store::{self, StorePatch};
use crate::compliance::DeliveryState;

/// Reads new history objects from before the place's first snapshot and infers those days anew; days on or after it are
/// the snapshots' alone.
pub(super) async fn collect(context: &Arc<Context>, work: &Arc<Work>, mut names: Names) -> anyhow::Result<Tally> {
    let mut tx = context.db.begin().await?;
    db::lock_place(&mut tx, work.place_id).await?;
    let standing = Standing::load(&mut tx, work.place_id).await?;
    let first_snapshot = standing.first_snapshot().unwrap_or(Day::INFINITY);
    let (mut to_read, mut late) = (Vec::new(), Vec::new());
    let (mut overtaken, mut missed) = (Vec::new(), Missed::new());
    let days = plan::days(&work.objects, &standing.seen, context.recheck);
    // That snapshot may be the place's first: what history says from its day on waits until it is known.
    let unreached = days.iter().filter(|day| !day.snapshots.is_empty()).find_map(|day| {
        let row = standing.row(day.day.into())?;
        row.state.0.unreached().then_some((day.day, row.state.0))
    });
    for day in &days {
        for candidate in &day.history {
            let speaks = Day::from(day.day) < first_snapshot;
            let unread = candidate.seen.is_none_or(|seen| seen.outcome == Outcome::Superseded);
            if let Some((from, state)) = unreached.filter(|(from, _)| speaks && unread && day.day >= *from) {
                let reason = format!("left to the next collection: the snapshot of {from} could not be reached");
                missed.push((candidate.object.clone(), Unreached { state, reason }));
                continue;
            }
            match (candidate.seen, speaks) {
                (None, true) => to_read.push(candidate.object.clone()),
                // It came after a first snapshot whose day a later, silent one has taken over.
                (Some(seen), true) if seen.outcome == Outcome::Superseded => to_read.push(candidate.object.clone()),
                (None, false) => late.push(Judged::superseded(
                    candidate.object,
                    "the place's snapshots speak from its first one on".to_owned(),
                )),
                (Some(seen), false) if seen.outcome == Outcome::Collected => overtaken.push(seen.object_id),
                _ => {}
            }
        }
    }
    let outlived =
        standing.rows.iter().any(|row| row.state.0 == DeliveryState::InferredFromHistory && row.day >= first_snapshot);
    let mut tally = Tally::default();
    if to_read.is_empty() && late.is_empty() && missed.is_empty() && !outlived {
        return Ok(tally);
    }
    place::record(context, &mut tx, work.place_id, &late.iter().collect::<Vec<_>>(), &mut tally).await?;
    let overtaken: Vec<_> = overtaken
        .into_iter()
        .map(|id| place::superseded_row(id, "the place's snapshots speak from its first one on"))
        .collect();
    db::record_outcomes(&mut tx, context.collection_id, &overtaken).await?;
    if !to_read.is_empty() || !missed.is_empty() || outlived {
        let readings;
        (readings, missed, names) = {
            let (context, work) = (Arc::clone(context), Arc::clone(work));
            tokio::task::spawn_blocking(move || {
                let readings = read_all(&context, &work, &to_read, &mut missed, &mut names)?;
                anyhow::Ok((readings, missed, names))
            })
            .await
            .context("reading was cut off")??
        };
        for (object, why) in &missed {
            tally.miss(work.place_id, object.key.day.into(), &[(object.name.clone(), why.clone())]);
        }
        let ids = Ids::resolve(context, &mut tx, work.place_id, &names).await?;
        let mut seen_on = keep(context, &mut tx, work, &ids, readings, &mut tally).await?;
        for (object, why) in missed {
            seen_on.entry(object.key.day.into()).or_default().missed.get_or_insert(why.state);
        }
        rewrite(context, &mut tx, work, &standing, &ids, &seen_on, first_snapshot, &mut tally).await?;
    }
    tx.commit().await?;
    Ok(tally)
}

type Missed = Vec<(Object, Unreached)>;

/// Reads history objects; those that could not be reached are added to `missed`. An error ends the collection.
fn read_all(
    context: &Context,
    work: &Work,
    objects: &[Object],
    missed: &mut Missed,
    names: &mut Names,
) -> anyhow::Result<Vec<HistoryReading>> {
    let reader = Reader { source: &context.source, account_id: &work.name.account_id, limits: &context.limits };
    let mut readings = Vec::new();
    for object in objects {
        context.go_on()?;
        match read_day::history(reader, object, names) {
            Ok(reading) => readings.push(reading),
            Err(Unreachable::Now(why)) => missed.push((object.clone(), why)),
            Err(Unreachable::Ever(why)) => anyhow::bail!(why),
        }
    }
    Ok(readings)
}

/// What the history objects of one day held, those read now.
#[derive(Debug, Default)]
struct SeenOn {
    compliance_items: i64,
    readable: bool,
    /// Why one of them could not be reached.
    missed: Option<DeliveryState>,
}

/// Stores what was read; says for each day what its objects held.
async fn keep(
    context: &Context,
    tx: &mut PgConnection,
    work: &Work,
    ids: &Ids,
    readings: Vec<HistoryReading>,
    tally: &mut Tally,
) -> anyhow::Result<BTreeMap<Day, SeenOn>> {
    let mut seen_on: BTreeMap<Day, SeenOn> = BTreeMap::new();
    let mut attributes = Vec::new();
    let judged: Vec<&Judged> = readings.iter().map(|reading| &reading.judged).collect();
    let object_ids = place::record(context, tx, work.place_id, &judged, tally).await?;
    for (reading, object_id) in readings.iter().zip(object_ids) {
        let date = reading.judged.object.key.day;
        let day = Day::from(date);
        attributes.extend(reading.attributes.iter().map(|one| (at(&ids.rules, one.rule), one.clone(), day)));
        let seen = seen_on.entry(day).or_default();
        seen.readable |= reading.judged.reading.is_some();
        seen.compliance_items += i64::try_from(reading.items.len()).unwrap_or(i64::MAX);
        let mut items = Vec::with_capacity(reading.items.len());
        for (ordinal, (item, rules)) in (0_i32..).zip(&reading.items) {
            let captured_at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(item.captured_at) * 1000)
                .context("a capture time is out of range")?;
            items.push(NewHistoryItem {
                object_id,
                ordinal,
                day: date,
                row: HistoryRow {
                    day,
                    captured_at,
                    state_id: item.state_id,
                    resource_id: at(&ids.resources, item.resource),
                    deleted: item.deleted,
                    rule_ids: rules.iter().map(|&(rule, _)| at(&ids.rules, rule)).collect(),
                    status_ids: rules.iter().map(|&(_, status)| at(&ids.statuses, status)).collect(),
                },
            });
        }
        db::add_history_items(tx, work.place_id, &items).await?;
    }
    store::note_attributes(tx, work.place_id, &attributes).await?;
    Ok(seen_on)
}

/// Infers all days before the first snapshot again and takes back those after it.
#[expect(clippy::too_many_arguments, reason = "one step of collect, apart only for its length")]
async fn rewrite(
    context: &Context,
    tx: &mut PgConnection,
    work: &Work,
    standing: &Standing,
    ids: &Ids,
    seen_on: &BTreeMap<Day, SeenOn>,
    first_snapshot: Day,
    tally: &mut Tally,
) -> anyhow::Result<()> {
    let items: Vec<HistoryItem> = db::history_items(tx, work.place_id)
        .await?
        .into_iter()
        .filter(|row| row.day < first_snapshot)
        .map(|row| HistoryItem {
            day: row.day,
            captured_at: i64::try_from(row.captured_at.unix_timestamp_nanos() / 1000).unwrap_or(i64::MAX),
            state_id: row.state_id,
            resource_id: row.resource_id,
            deleted: row.deleted,
            rules: row.rule_ids.into_iter().zip(row.status_ids).collect(),
        })
        .collect();
    // A readable snapshot without compliance items speaks for its own day; history still tells what led to later ones.
    let silent = |day: &Day| {
        standing.row(*day).is_some_and(|row| row.state.0 == DeliveryState::NoComplianceItems && row.object_id.is_some())
    };
    // What could not be reached may change each later day: none of them is inferred until it is.
    let missed = seen_on.iter().find_map(|(&day, seen)| Some((day, seen.missed?)));
    let told = |day: &Day| missed.is_none_or(|(from, _)| *day < from);
    let days: BTreeSet<Day> = items.iter().map(|item| item.day).filter(|day| !silent(day)).collect();
    let inferred: BTreeSet<Day> = days.iter().copied().filter(told).collect();
    let mut rows: Vec<DeliveryRow> = Vec::new();
    if let Some((_, state)) = missed {
        let hidden = days.iter().copied().chain(seen_on.keys().copied()).filter(|day| !told(day) && !silent(day));
        let hidden = hidden.filter(|day| *day < first_snapshot).collect::<BTreeSet<Day>>();
        let unknown = hidden.into_iter().filter(|day| standing.row(*day).is_none_or(|row| !row.state.0.known()));
        rows.extend(unknown.map(|day| empty_row(day, state)));
    }
    let mut patch = StorePatch::default();
    let entries = history::infer(&items, &inferred);
    for &day in &inferred {
        let mut counts = [0_i64; 5];
        for entry in entries.iter().filter(|entry| entry.day == day) {
            counts[rollup::class(entry.value)] += 1;
        }
        let on_day = items.iter().filter(|item| item.day == day).count();
        let on_day = i64::try_from(on_day).unwrap_or(i64::MAX);
        rows.push(DeliveryRow {
            items: on_day,
            compliance_items: on_day,
            complying: counts[0],
            not_complying: counts[1],
            insufficient_data: counts[2],
            not_applicable: counts[3],
            unrecognised: counts[4],
            ..empty_row(day, DeliveryState::InferredFromHistory)
        });
    }
    let mut present: Vec<(Day, i32)> = entries.iter().map(|entry| (entry.day, entry.key.0)).collect();
    present.sort_unstable();
    present.dedup();
    patch.presence.entries = present.into_iter().map(|(day, key)| Entry { key, day, value: (), note: () }).collect();
    patch.runs.entries = entries;
    let known: Vec<Day> = inferred.iter().copied().collect();
    let outlived: Vec<Day> = standing
        .rows
        .iter()
        .filter(|row| row.state.0 == DeliveryState::InferredFromHistory && row.day >= first_snapshot)
        .map(|row| row.day)
        .collect();
    for days in [&mut patch.runs.known, &mut patch.presence.known, &mut patch.packs.known] {
        days.clone_from(&known);
    }
    for days in [&mut patch.runs.forgotten, &mut patch.presence.forgotten, &mut patch.packs.forgotten] {
        days.clone_from(&outlived);
    }
    let unreadable = db::unreadable_snapshot_days(tx, work.place_id).await?;
    rows.extend(outlived.iter().map(|&day| {
        let state = if unreadable.contains(&day) { DeliveryState::Unreadable } else { DeliveryState::Missing };
        empty_row(day, state)
    }));
    for (&day, seen) in seen_on {
        // Nothing but history of other types, or nothing that can be read.
        if told(&day) && !inferred.contains(&day) && standing.row(day).is_none_or(|row| row.state.0.unreached()) {
            let state = if seen.readable { DeliveryState::NoComplianceItems } else { DeliveryState::Unreadable };
            rows.push(empty_row(day, state));
        }
    }
    let written = store::write(tx, work.place_id, context.collection_id, standing.calendar(), patch, ids).await?;
    let changes: Vec<DeliveryChange> = rows
        .into_iter()
        .filter(|row| standing.row(row.day) != Some(row))
        .map(|row| {
            let (rows_added, rows_removed) = written.difference(&row, standing.row(row.day));
            DeliveryChange { row, rows_added, rows_removed }
        })
        .collect();
    let inferred = changes.iter().filter(|it| it.row.state.0 == DeliveryState::InferredFromHistory).count();
    tally.days += u64::try_from(changes.len()).unwrap_or(u64::MAX);
    tally.inferred_days += u64::try_from(inferred).unwrap_or(u64::MAX);
    db::set_deliveries(tx, work.place_id, context.collection_id, &changes).await?;
    Ok(())
}
