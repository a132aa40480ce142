//! Days put together from history objects, for a place that has no snapshot yet.

use std::collections::BTreeMap;

use super::day::Day;
use super::splice::Entry;
use super::store::PackValue;

/// One compliance item of a history object, in row ids of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HistoryItem {
    /// Microseconds since 1970.
    pub captured_at: i64,
    pub state_id: i64,
    pub resource_id: i32,
    pub deleted: bool,
    /// (rule, status): the whole list replaces the resource's evaluations.
    pub rules: Vec<(i32, i16)>,
}

/// One conformance-pack item of a history object, in row ids of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HistoryPack {
    /// Microseconds since 1970.
    pub captured_at: i64,
    pub state_id: i64,
    pub pack_id: i32,
    /// AWS's verdict; `None` where the pack is deleted.
    pub value: Option<PackValue>,
    /// Rules that exist with the pack, whether they evaluated anything or not.
    pub rules: Vec<i32>,
}

/// The last item of each resource and pack, by capture time and then configurationStateId, of all that were taken.
#[derive(Debug, Default)]
pub(super) struct Fold {
    items: BTreeMap<i32, HistoryItem>,
    packs: BTreeMap<i32, HistoryPack>,
}

impl Fold {
    /// Takes an item: one that was delivered later and captured earlier changes nothing.
    pub(super) fn take(&mut self, item: HistoryItem) {
        let last = self.items.get(&item.resource_id);
        if last.is_none_or(|last| (item.captured_at, item.state_id) >= (last.captured_at, last.state_id)) {
            self.items.insert(item.resource_id, item);
        }
    }

    pub(super) fn take_pack(&mut self, pack: HistoryPack) {
        let last = self.packs.get(&pack.pack_id);
        if last.is_none_or(|last| (pack.captured_at, pack.state_id) >= (last.captured_at, last.state_id)) {
            self.packs.insert(pack.pack_id, pack);
        }
    }

    /// The evaluations of a day up to which all was taken.
    pub(super) fn evaluations(&self, day: Day) -> impl Iterator<Item = Entry<(i32, i32), i16, Option<i64>>> {
        self.items.values().filter(|item| !item.deleted).flat_map(move |item| {
            item.rules.iter().map(move |&(rule_id, value)| Entry {
                key: (rule_id, item.resource_id),
                day,
                value,
                note: Some(item.captured_at),
            })
        })
    }

    /// AWS's verdicts on packs on that day.
    pub(super) fn packs(&self, day: Day) -> impl Iterator<Item = Entry<i32, PackValue, ()>> {
        let packs = self.packs.values();
        packs.filter_map(move |pack| Some(Entry { key: pack.pack_id, day, value: pack.value?, note: () }))
    }

    /// The rules that exist on that day, ascending.
    pub(super) fn rules(&self) -> Vec<i32> {
        let evaluated =
            self.items.values().filter(|item| !item.deleted).flat_map(|item| item.rules.iter().map(|rule| rule.0));
        let named = self.packs.values().filter(|pack| pack.value.is_some()).flat_map(|pack| pack.rules.iter().copied());
        let mut rules: Vec<i32> = evaluated.chain(named).collect();
        rules.sort_unstable();
        rules.dedup();
        rules
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(captured_at: i64, deleted: bool, rules: &[(i32, i16)]) -> HistoryItem {
        HistoryItem { captured_at, state_id: 0, resource_id: 5, deleted, rules: rules.to_vec() }
    }

    fn pack(captured_at: i64, deleted: bool, compliant_rules: i32, rules: &[i32]) -> HistoryPack {
        let value = PackValue { status_id: 1, compliant_rules, non_compliant_rules: 0, total_rules: 2 };
        let value = (!deleted).then_some(value);
        HistoryPack { captured_at, state_id: 0, pack_id: 3, value, rules: rules.to_vec() }
    }

    fn said(fold: &Fold) -> Vec<(i32, i16)> {
        fold.evaluations(Day(1)).map(|entry| (entry.key.0, entry.value)).collect()
    }

    #[test]
    fn the_last_item_replaces_the_whole_list_and_a_deletion_ends_it() {
        let mut fold = Fold::default();
        fold.take(item(10, false, &[(1, 1), (2, 1)]));
        assert_eq!(said(&fold), [(1, 1), (2, 1)]);
        fold.take(item(30, false, &[(1, 2)]));
        // Delivered later, but captured before the item above: it changes nothing.
        fold.take(item(20, false, &[(1, 1), (2, 2)]));
        assert_eq!(said(&fold), [(1, 2)]);
        assert_eq!(fold.rules(), [1]);
        fold.take(item(40, true, &[]));
        assert_eq!((said(&fold), fold.rules()), (vec![], vec![]));
    }

    #[test]
    fn a_pack_gives_its_verdict_and_its_rules_until_it_is_deleted() {
        let mut fold = Fold::default();
        fold.take(item(10, false, &[(1, 1)]));
        fold.take_pack(pack(10, false, 2, &[1, 7]));
        fold.take_pack(pack(5, false, 0, &[8]));
        let verdicts = |fold: &Fold| fold.packs(Day(1)).map(|it| it.value.compliant_rules).collect::<Vec<_>>();
        assert_eq!((verdicts(&fold), fold.rules()), (vec![2], vec![1, 7]));
        fold.take_pack(pack(11, true, 0, &[]));
        assert_eq!((verdicts(&fold), fold.rules()), (vec![], vec![1]));
    }
}
