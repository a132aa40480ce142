//! Days put together from history objects, for a place that has no snapshot yet.

use std::collections::{BTreeMap, BTreeSet};

use super::day::Day;
use super::splice::Entry;

/// One compliance item of a history object, in row ids of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HistoryItem {
    /// The day in the object's path.
    pub day: Day,
    /// Microseconds since 1970.
    pub captured_at: i64,
    pub state_id: i64,
    pub resource_id: i32,
    pub deleted: bool,
    /// (rule, status): the whole list replaces the resource's evaluations.
    pub rules: Vec<(i32, i16)>,
}

/// What each of `days` says: all items up to that day, the last of each resource by capture time and then
/// configurationStateId.
pub(super) fn infer(items: &[HistoryItem], days: &BTreeSet<Day>) -> Vec<Entry<(i32, i32), i16, Option<i64>>> {
    let mut by_day: Vec<&HistoryItem> = items.iter().collect();
    by_day.sort_by_key(|item| item.day);
    let mut pending = by_day.into_iter().peekable();
    let mut latest: BTreeMap<i32, &HistoryItem> = BTreeMap::new();
    let mut entries = Vec::new();
    for &day in days {
        while let Some(item) = pending.next_if(|item| item.day <= day) {
            let last = latest.entry(item.resource_id).or_insert(item);
            if (item.captured_at, item.state_id) >= (last.captured_at, last.state_id) {
                *last = item;
            }
        }
        for item in latest.values().filter(|item| !item.deleted) {
            entries.extend(item.rules.iter().map(|&(rule_id, value)| Entry {
                key: (rule_id, item.resource_id),
                day,
                value,
                note: Some(item.captured_at),
            }));
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(day: i32, captured_at: i64, deleted: bool, rules: &[(i32, i16)]) -> HistoryItem {
        HistoryItem { day: Day(day), captured_at, state_id: 0, resource_id: 5, deleted, rules: rules.to_vec() }
    }

    #[test]
    fn the_last_item_replaces_the_whole_list_and_a_deletion_ends_it() {
        let items = [
            item(1, 10, false, &[(1, 1), (2, 1)]),
            item(2, 30, false, &[(1, 2)]),
            // Delivered on day 2, but captured before the item above: it changes nothing.
            item(2, 20, false, &[(1, 1), (2, 2)]),
            item(4, 40, true, &[]),
        ];
        let days = BTreeSet::from([Day(1), Day(2), Day(4)]);
        let said: Vec<_> =
            infer(&items, &days).into_iter().map(|entry| (entry.day.0, entry.key.0, entry.value)).collect();
        assert_eq!(said, [(1, 1, 1), (1, 2, 1), (2, 1, 2)]);
    }
}
