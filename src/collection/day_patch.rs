//! What a day that was read puts into a place's store. Pure.

use time::Date;

use super::day::Day;
use super::db::DeliveryRow;
use super::gather::PackVerdict;
use super::ids::{Ids, at};
use super::place::empty_row;
use super::plan::DayPlan;
use super::read_day::{self, DayReading, Difference, Judged, Said};
use super::splice::Entry;
use super::standing::Standing;
use super::store::{PackValue, StorePatch, StoredDay};
use super::{difference, rollup};
use crate::compliance::DeliveryState;

/// Why what a query said of a place's day cannot be taken, in words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct NotTaken(pub(super) String);

/// What a day holds once it is put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counts {
    /// Evaluations by class: complying, not complying, insufficient data, not applicable, unrecognised.
    pub(super) evaluations: [i64; 5],
    /// Verdicts on packs.
    pub(super) packs: usize,
}

/// What a query said of a day, if it was asked of the object that speaks and told from the day that the store has before it.
pub(super) fn taken(days: &[DayPlan<'_>], day: Date, standing: &Standing, said: Said) -> Result<DayReading, NotTaken> {
    let not_taken = |why: &str| NotTaken(why.to_owned());
    let plan = days.iter().find(|plan| plan.day == day).ok_or_else(|| not_taken("the day has no objects any more"))?;
    let day = Day::from(day);
    if let Some(Difference { since, object_id, .. }) = &said.difference {
        let before = standing.before(day);
        if before.is_none_or(|row| row.day != *since || row.object_id != Some(*object_id)) {
            return Err(not_taken("the day that Athena told it from is no longer what it was"));
        }
    }
    let verdict = |object_id| standing.verdict(day, object_id);
    read_day::answered(plan, said, verdict).ok_or_else(|| not_taken("another object of the day is to be read first"))
}

fn forget(patch: &mut StorePatch, day: Day) {
    patch.runs.forgotten.push(day);
    patch.presence.forgotten.push(day);
    patch.packs.forgotten.push(day);
}

/// Puts a day into the patch. `told_from`: what the store has of the day that it is told from.
pub(super) fn add(
    patch: &mut StorePatch,
    ids: &Ids,
    reading: &DayReading,
    state: DeliveryState,
    standing: &Standing,
    told_from: StoredDay,
) -> Counts {
    let day = Day::from(reading.day);
    let mut counts = Counts::default();
    if !state.known() {
        if standing.row(day).is_some_and(|row| row.state.0.known()) {
            forget(patch, day);
        }
        return counts;
    }
    let whole = whole(ids, reading, day, told_from);
    for entry in &whole.evaluations {
        counts.evaluations[rollup::class(entry.value)] += 1;
    }
    counts.packs = whole.packs.len();
    patch.runs.known.push(day);
    patch.presence.known.push(day);
    patch.packs.known.push(day);
    patch.runs.entries.extend(whole.evaluations);
    patch.presence.entries.extend(whole.rules.into_iter().map(|key| Entry { key, day, value: (), note: () }));
    patch.packs.entries.extend(whole.packs.into_iter().map(|(key, value)| Entry { key, day, value, note: () }));
    counts
}

/// All that is so on a day.
struct Whole {
    evaluations: Vec<Entry<(i32, i32), i16, Option<i64>>>,
    rules: Vec<i32>,
    packs: Vec<(i32, PackValue)>,
}

/// What was read; where that is only what differs, with what is the same.
fn whole(ids: &Ids, reading: &DayReading, day: Day, told_from: StoredDay) -> Whole {
    let truth = &reading.truth;
    let evaluations = truth.evaluations.iter().map(|evaluation| Entry {
        key: (at(&ids.rules, evaluation.rule), at(&ids.resources, evaluation.resource)),
        day,
        value: at(&ids.statuses, evaluation.status),
        note: Some(evaluation.captured_at),
    });
    let packs = truth.packs.iter().filter_map(|pack| Some((at(&ids.packs, pack.pack), pack_value(pack, ids)?)));
    let mut whole = Whole {
        evaluations: evaluations.collect(),
        rules: truth.rules.iter().map(|&rule| at(&ids.rules, rule)).collect(),
        packs: packs.collect(),
    };
    if let Some(Difference { gone, .. }) = &reading.difference {
        // What did not change continues a run, whose note is that of its first day.
        let same = told_from.evaluations.into_iter().map(|(key, value)| Entry { key, day, value, note: None });
        let left =
            gone.evaluations.iter().map(|&(rule, resource)| (at(&ids.rules, rule), at(&ids.resources, resource)));
        difference::complete(&mut whole.evaluations, same, left, |entry| entry.key);
        let left = gone.rules.iter().map(|&rule| at(&ids.rules, rule));
        difference::complete(&mut whole.rules, told_from.rules, left, |&rule| rule);
        let left = gone.packs.iter().map(|&pack| at(&ids.packs, pack));
        difference::complete(&mut whole.packs, told_from.packs, left, |one| one.0);
    }
    whole
}

/// A verdict in row ids; `None` where the pack is deleted.
pub(super) fn pack_value(pack: &PackVerdict, ids: &Ids) -> Option<PackValue> {
    Some(PackValue {
        status_id: at(&ids.statuses, pack.status?),
        compliant_rules: pack.compliant_rules,
        non_compliant_rules: pack.non_compliant_rules,
        total_rules: pack.total_rules,
    })
}

/// Whether a day that a query told holds as much as the query counted.
pub(super) fn check(judged: &Judged, state: DeliveryState, made: Counts) -> Result<(), NotTaken> {
    let Some(reading) = judged.reading.as_ref().filter(|_| judged.query_id.is_some() && state.known()) else {
        return Ok(());
    };
    let left_out: u64 = judged.left_out.values().sum();
    for (what, counted, made) in [
        ("evaluations", reading.evaluations.checked_sub(left_out), made.evaluations.iter().sum()),
        ("verdicts on packs", Some(judged.packs), i64::try_from(made.packs).unwrap_or(i64::MAX)),
    ] {
        if counted.and_then(|counted| i64::try_from(counted).ok()) != Some(made) {
            let counted = counted.unwrap_or_default();
            return Err(NotTaken(format!("Athena counts {counted} {what} and its rows make {made}")));
        }
    }
    Ok(())
}

pub(super) fn row(judged: &Judged, object_id: i64, state: DeliveryState, day: Day, counts: Counts) -> DeliveryRow {
    let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    let read = judged.reading.as_ref();
    let [complying, not_complying, insufficient_data, not_applicable, unrecognised] = counts.evaluations;
    DeliveryRow {
        object_id: Some(object_id),
        snapshot_at: judged.object.key.taken_at,
        items: read.map_or(0, |reading| number(reading.items)),
        compliance_items: read.map_or(0, |reading| number(reading.compliance_items)),
        complying,
        not_complying,
        insufficient_data,
        not_applicable,
        unrecognised,
        ..empty_row(day, state)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use time::macros::date;

    use super::*;
    use crate::collection::athena::Gone;
    use crate::collection::db::StoredState;
    use crate::collection::gather::DayTruth;
    use crate::collection::plan::{self, Again};
    use crate::collection::read_day::LeftOut;
    use crate::collection::source::{Key, Kind, Object, PlaceName, Reading};

    const BEFORE: Date = date!(2026 - 11 - 17);
    const DAY: Date = date!(2026 - 11 - 19);

    fn snapshot() -> Object {
        let place = PlaceName { account_id: "111122223333".to_owned(), region: "eu-central-1".to_owned() };
        Object {
            name: "k".to_owned(),
            key: Key { place, day: DAY, kind: Kind::Snapshot, taken_at: None, resource_type: None },
            size_bytes: 10,
            modified_ns: None,
            etag: Some("e".to_owned()),
            version_id: None,
        }
    }

    fn said(etag: &str, since: Option<(Date, i64)>) -> Said {
        Said {
            query_id: 1,
            name: "k".to_owned(),
            etag: Some(etag.to_owned()),
            version_id: None,
            reading: Reading { compliance_items: 1, evaluations: 3, pack_items: 2, ..Reading::default() },
            left_out: LeftOut::from([("twice", 1)]),
            packs_deleted: 1,
            truth: DayTruth::default(),
            attributes: vec![],
            difference: since.map(|(day, object_id)| Difference {
                since: day.into(),
                object_id,
                gone: Gone::default(),
            }),
        }
    }

    fn taken_with(rows: &[(Date, i64)], said: Said) -> Result<DayReading, NotTaken> {
        let row = |&(day, object_id): &(Date, i64)| DeliveryRow {
            object_id: Some(object_id),
            state: StoredState(DeliveryState::Delivered),
            ..empty_row(day.into(), DeliveryState::Delivered)
        };
        let rows = rows.iter().map(row).collect();
        let standing = Standing { rows, stored: vec![], known: vec![], ever_known: vec![] };
        let objects = [snapshot()];
        let days = plan::days(&objects, &[], Again { collection_id: 1, all: false, unpacked_limit: 0 });
        taken(&days, DAY, &standing, said)
    }

    #[test]
    fn a_day_is_taken_only_from_the_day_before_as_it_was_asked_about() {
        let since = Some((BEFORE, 7));
        assert!(taken_with(&[(BEFORE, 7)], said("e", since)).is_ok());
        // Restated meanwhile: by another object, by a day in between, or gone.
        assert!(taken_with(&[(BEFORE, 8)], said("e", since)).is_err());
        assert!(taken_with(&[(BEFORE, 7), (date!(2026 - 11 - 18), 9)], said("e", since)).is_err());
        assert!(taken_with(&[], said("e", since)).is_err());
        // The whole population needs no day before.
        assert!(taken_with(&[(BEFORE, 8)], said("e", None)).is_ok());
    }

    #[test]
    fn what_was_said_of_another_version_is_not_taken() {
        assert!(taken_with(&[], said("other", None)).is_err());
    }

    #[test]
    fn a_day_holds_as_much_as_was_counted_or_is_not_taken() {
        let reading = taken_with(&[], said("e", None)).unwrap();
        let state = reading.state.unwrap();
        assert_eq!(state, DeliveryState::Delivered);
        let judged = &reading.judged[0];
        let made = |complying, packs| Counts { evaluations: [complying, 1, 0, 0, 0], packs };
        assert_eq!(check(judged, state, made(1, 1)), Ok(()));
        assert!(check(judged, state, made(2, 1)).unwrap_err().to_string().contains("counts 2 evaluations"));
        assert!(check(judged, state, made(1, 0)).unwrap_err().to_string().contains("1 verdicts on packs"));
        assert_eq!(check(judged, DeliveryState::NoComplianceItems, made(9, 9)), Ok(()));
    }
}
