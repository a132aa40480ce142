//! Counts of a place's runs per rule and resource type, as runs of days that change only when a count does.

use std::collections::BTreeMap;

use super::day::Day;
use crate::compliance::status;

/// What is counted together: row ids of a rule and a resource type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Group {
    pub rule_id: i32,
    pub resource_type_id: i16,
}

/// Evaluations by status: complying, not complying, insufficient data, not applicable, unrecognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counts(pub [i32; 5]);

/// The place of a status in [`Counts`].
pub(super) fn class(status_id: i16) -> usize {
    match status_id {
        status::COMPLIANT => 0,
        status::NON_COMPLIANT => 1,
        status::INSUFFICIENT_DATA => 2,
        status::NOT_APPLICABLE => 3,
        _ => 4,
    }
}

/// Counts that held from `first` until before `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    pub group: Group,
    pub first: Day,
    pub end: Day,
    pub counts: Counts,
}

/// A run of one evaluation that came (`by` 1) or went (`by` -1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Delta {
    pub group: Group,
    pub first: Day,
    pub end: Day,
    pub status_id: i16,
    pub by: i32,
}

/// What to write, rows by their stored form.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Changes {
    pub delete: Vec<Row>,
    pub insert: Vec<Row>,
}

/// Puts what came and went into a place's counts. `rows` are the stored rows that touch any of the deltas' days.
pub(super) fn apply(rows: &[Row], deltas: &[Delta]) -> Changes {
    let mut groups: BTreeMap<Group, BTreeMap<Day, Counts>> = BTreeMap::new();
    for delta in deltas {
        let steps = groups.entry(delta.group).or_default();
        let class = class(delta.status_id);
        steps.entry(delta.first).or_default().0[class] += delta.by;
        steps.entry(delta.end).or_default().0[class] -= delta.by;
    }
    let mut old: BTreeMap<Group, Vec<Row>> = BTreeMap::new();
    for row in rows {
        let Some(steps) = groups.get_mut(&row.group) else { continue };
        old.entry(row.group).or_default().push(*row);
        for (class, count) in row.counts.0.into_iter().enumerate() {
            steps.entry(row.first).or_default().0[class] += count;
            steps.entry(row.end).or_default().0[class] -= count;
        }
    }
    let mut changes = Changes::default();
    for (group, steps) in groups {
        let fresh = encode(group, &steps);
        let old = old.remove(&group).unwrap_or_default();
        changes.delete.extend(old.iter().filter(|row| !fresh.contains(row)));
        changes.insert.extend(fresh.iter().filter(|row| !old.contains(row)));
    }
    changes
}

fn encode(group: Group, steps: &BTreeMap<Day, Counts>) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let mut counts = Counts::default();
    let mut days = steps.iter().peekable();
    while let Some((&first, step)) = days.next() {
        for (count, by) in counts.0.iter_mut().zip(step.0) {
            *count += by;
        }
        let Some(&(&end, _)) = days.peek() else { break };
        if counts == Counts::default() {
            continue;
        }
        match rows.last_mut() {
            Some(last) if last.end == first && last.counts == counts => last.end = end,
            _ => rows.push(Row { group, first, end, counts }),
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GROUP: Group = Group { rule_id: 7, resource_type_id: 2 };

    fn delta(first: i32, end: i32, status_id: i16, by: i32) -> Delta {
        Delta { group: GROUP, first: Day(first), end: Day(end), status_id, by }
    }

    #[test]
    fn a_status_that_turns_moves_one_count() {
        let stored = Row { group: GROUP, first: Day(1), end: Day::INFINITY, counts: Counts([5, 1, 0, 0, 0]) };
        let turned = [delta(3, i32::MAX, status::COMPLIANT, -1), delta(3, i32::MAX, status::NON_COMPLIANT, 1)];
        let changes = apply(&[stored], &turned);
        assert_eq!(changes.delete, [stored]);
        assert_eq!(
            changes.insert,
            [Row { end: Day(3), ..stored }, Row { first: Day(3), counts: Counts([4, 2, 0, 0, 0]), ..stored }]
        );
    }

    proptest! {
        #[test]
        fn the_counts_equal_a_table_of_every_day(
            batches in prop::collection::vec(
                prop::collection::vec((0_i32..10, 1_i32..8, 1_i16..6), 1..6), 1..6)
        ) {
            let mut stored: Vec<Row> = vec![];
            let mut table = [[0_i32; 5]; 20];
            for batch in batches {
                let deltas: Vec<Delta> = batch
                    .iter()
                    .map(|&(first, length, status)| delta(first, first + length, status, 1))
                    .collect();
                for delta in &deltas {
                    for (day, counts) in (0_i32..).zip(table.iter_mut()) {
                        counts[class(delta.status_id)] +=
                            i32::from(delta.first.0 <= day && day < delta.end.0);
                    }
                }
                let changes = apply(&stored, &deltas);
                stored.retain(|row| !changes.delete.contains(row));
                stored.extend(changes.insert);
                for (day, counts) in (0_i32..).zip(table) {
                    let covering: Vec<[i32; 5]> = stored
                        .iter()
                        .filter(|row| row.first <= Day(day) && Day(day) < row.end)
                        .map(|row| row.counts.0)
                        .collect();
                    let expected = if counts == [0; 5] { vec![] } else { vec![counts] };
                    prop_assert_eq!(covering, expected);
                }
            }
        }
    }
}
