//! What a day that was read puts into a place's store. Pure.

use super::day::Day;
use super::db::DeliveryRow;
use super::gather::PackVerdict;
use super::place::{Ids, Standing, at, empty_row};
use super::read_day::{DayReading, Difference, Judged};
use super::splice::Entry;
use super::store::{PackValue, StorePatch, StoredDay};
use super::{difference, rollup};
use crate::compliance::DeliveryState;

/// A query counted other evaluations than its rows make.
#[derive(Debug, thiserror::Error)]
#[error("Athena counts {counted} evaluations and its rows make {made}")]
pub(super) struct Disagreement {
    counted: i64,
    made: i64,
}

pub(super) fn forget(patch: &mut StorePatch, day: Day) {
    patch.runs.forgotten.push(day);
    patch.presence.forgotten.push(day);
    patch.packs.forgotten.push(day);
}

/// Puts a day into the patch; says how many evaluations it has by status. `before`: the day that it is told from.
pub(super) fn patch_day(
    patch: &mut StorePatch,
    ids: &Ids,
    reading: &DayReading,
    state: DeliveryState,
    day: Day,
    standing: &Standing,
    before: StoredDay,
) -> [i64; 5] {
    let mut counts = [0_i64; 5];
    if !state.known() {
        if standing.row(day).is_some_and(|row| row.state.0.known()) {
            forget(patch, day);
        }
        return counts;
    }
    let mut evaluations: Vec<_> = reading
        .truth
        .evaluations
        .iter()
        .map(|evaluation| Entry {
            key: (at(&ids.rules, evaluation.rule), at(&ids.resources, evaluation.resource)),
            day,
            value: at(&ids.statuses, evaluation.status),
            note: Some(evaluation.captured_at),
        })
        .collect();
    let mut rules: Vec<i32> = reading.truth.rules.iter().map(|&rule| at(&ids.rules, rule)).collect();
    let mut packs: Vec<(i32, PackValue)> = reading.truth.packs.iter().map(|pack| pack_value(pack, ids)).collect();
    if let Some(Difference { gone, .. }) = &reading.difference {
        // What did not change continues a run, whose note is that of its first day.
        let same = before.evaluations.into_iter().map(|(key, value)| Entry { key, day, value, note: None });
        let left =
            gone.evaluations.iter().map(|&(rule, resource)| (at(&ids.rules, rule), at(&ids.resources, resource)));
        difference::complete(&mut evaluations, same, left, |entry| entry.key);
        difference::complete(&mut rules, before.rules, gone.rules.iter().map(|&rule| at(&ids.rules, rule)), |&rule| {
            rule
        });
        difference::complete(&mut packs, before.packs, gone.packs.iter().map(|&pack| at(&ids.packs, pack)), |one| {
            one.0
        });
    }
    for entry in &evaluations {
        counts[rollup::class(entry.value)] += 1;
    }
    patch.runs.known.push(day);
    patch.presence.known.push(day);
    patch.packs.known.push(day);
    patch.runs.entries.extend(evaluations);
    patch.presence.entries.extend(rules.into_iter().map(|key| Entry { key, day, value: (), note: () }));
    patch.packs.entries.extend(packs.into_iter().map(|(key, value)| Entry { key, day, value, note: () }));
    counts
}

fn pack_value(pack: &PackVerdict, ids: &Ids) -> (i32, PackValue) {
    let value = PackValue {
        status_id: at(&ids.statuses, pack.status),
        compliant_rules: pack.compliant_rules,
        non_compliant_rules: pack.non_compliant_rules,
        total_rules: pack.total_rules,
    };
    (at(&ids.packs, pack.pack), value)
}

/// Whether a day that a query told has as many evaluations as the query counted.
pub(super) fn check_counts(judged: &Judged, state: DeliveryState, counts: [i64; 5]) -> Result<(), Disagreement> {
    let Some(reading) = judged.reading.as_ref().filter(|_| judged.query_id.is_some() && state.known()) else {
        return Ok(());
    };
    let left_out: u64 = judged.left_out.values().sum();
    let counted = i64::try_from(reading.evaluations.saturating_sub(left_out)).unwrap_or(i64::MAX);
    let made = counts.iter().sum();
    if counted == made { Ok(()) } else { Err(Disagreement { counted, made }) }
}

pub(super) fn new_row(
    judged: &Judged,
    object_id: i64,
    state: DeliveryState,
    day: Day,
    counts: [i64; 5],
) -> DeliveryRow {
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
