//! Which days before the first day kept still speak for kept days. Pure.

use std::collections::BTreeSet;

use crate::collection::day::Day;

/// A known day of a place: from which collection on it was so, and until before which one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct Known {
    pub(super) day: Day,
    pub(super) since_collection: i64,
    /// `None`: it is so now.
    pub(super) until_collection: Option<i64>,
}

/// The days that a place's kept days go on from: at each knowledge point the last one known before the first day kept. What was
/// last known of a place stands for it on every day without evidence, until it delivers again.
///
/// `before` are the place's known days before the first day kept, in any order. `from` is the first knowledge point that says
/// anything of a kept day; `None` where none does. Now counts in any case.
pub(super) fn anchors(mut before: Vec<Known>, from: Option<i64>) -> BTreeSet<Day> {
    // Knowledge points that no later day speaks at, as stretches: first, and the one after the last.
    let mut open: Vec<(i64, i64)> = vec![(from.unwrap_or(NOW), i64::MAX)];
    before.sort_unstable_by_key(|known| std::cmp::Reverse(known.day));
    let mut anchors = BTreeSet::new();
    for known in before {
        let (since, until) = (known.since_collection, known.until_collection.unwrap_or(i64::MAX));
        let speaks = |(first, end): &(i64, i64)| since < *end && until > *first;
        if !open.iter().any(speaks) {
            continue;
        }
        anchors.insert(known.day);
        open = open
            .into_iter()
            .flat_map(|(first, end)| [(first, end.min(since)), (first.max(until), end)])
            .filter(|(first, end)| first < end)
            .collect();
    }
    anchors
}

/// A knowledge point after every collection.
const NOW: i64 = i64::MAX - 1;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn known(day: i32, since: i64, until: Option<i64>) -> Known {
        Known { day: Day(day), since_collection: since, until_collection: until }
    }

    fn of(before: &[Known], from: Option<i64>) -> Vec<i32> {
        anchors(before.to_vec(), from).into_iter().map(|day| day.0).collect()
    }

    #[test]
    fn the_last_known_day_stays() {
        let before = [known(3, 1, None), known(5, 2, None), known(4, 2, None)];
        assert_eq!(of(&before, Some(2)), [5]);
        assert_eq!(of(&before, None), [5], "there may be no kept day yet");
        assert_eq!(of(&[], Some(1)), Vec::<i32>::new());
    }

    #[test]
    fn so_does_the_last_known_day_of_each_knowledge_point() {
        // Day 5 came late, and collection 9 took it back.
        let before = [known(3, 1, None), known(5, 4, Some(9))];
        assert_eq!(of(&before, Some(1)), [3, 5]);
        assert_eq!(of(&before, Some(4)), [3, 5]);
        assert_eq!(of(&before, Some(9)), [3], "nobody asks for what was known before");
        assert_eq!(of(&before, None), [3]);
    }

    proptest! {
        #[test]
        fn they_are_what_each_knowledge_point_finds(
            rows in prop::collection::vec((0..6_i32, 1..8_i64, prop::option::of(1..5_i64)), 0..12),
            from in prop::option::of(1..10_i64),
        ) {
            let rows: Vec<Known> =
                rows.into_iter().map(|(day, since, lasts)| known(day, since, lasts.map(|lasts| since + lasts))).collect();
            let points = from.map_or(100..=100, |from| from..=100);
            let last = |point: i64| {
                let at = |row: &&Known| row.since_collection <= point && row.until_collection.is_none_or(|until| until > point);
                rows.iter().filter(at).map(|row| row.day).max()
            };
            let wanted: BTreeSet<Day> = points.filter_map(last).collect();
            prop_assert_eq!(anchors(rows.clone(), from), wanted.clone());
            // A removal that was cut off finds the same ones again, however much of the rest is gone.
            let left: Vec<Known> = rows.iter().filter(|row| wanted.contains(&row.day)).copied().collect();
            prop_assert_eq!(anchors(left, from), wanted);
        }
    }
}
