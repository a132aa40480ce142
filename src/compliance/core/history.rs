//! How something went day by day: the bands of a resource's rules, the days of a rule.

use std::collections::BTreeSet;

use time::{Date, Duration};

/// A value that held from a day until before another (`None`: still holds).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span<T> {
    pub first: Date,
    pub end: Option<Date>,
    pub value: T,
}

/// A stretch of days, both counted, with what is known of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch<T> {
    pub first: Date,
    pub last: Date,
    pub seen: Seen<T>,
}

/// What a day says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen<T> {
    Value(T),
    /// The place delivered, and said nothing here.
    Absent,
    /// No evidence; the value is what was last known, where there was one.
    Gap(Option<T>),
}

impl<T> Stretch<T> {
    pub fn days(&self) -> i64 {
        (self.last - self.first).whole_days() + 1
    }
}

/// The days from one to another as stretches: what was held on known days, gaps where the place was not known.
///
/// Of spans that overlap (two names of a timeline on one day) the later in the list wins.
pub fn stretches<T: Copy + PartialEq>(
    spans: &[Span<T>],
    known: &BTreeSet<Date>,
    from: Date,
    until: Date,
) -> Vec<Stretch<T>> {
    let mut stretches: Vec<Stretch<T>> = Vec::new();
    let mut day = from;
    while day <= until {
        let held = spans
            .iter()
            .rev()
            .find(|span| span.first <= day && span.end.is_none_or(|end| day < end))
            .map(|span| span.value);
        let seen = match (known.contains(&day), held) {
            (true, Some(value)) => Seen::Value(value),
            (true, None) => Seen::Absent,
            (false, held) => Seen::Gap(held),
        };
        match stretches.last_mut() {
            Some(last) if last.seen == seen => last.last = day,
            _ => stretches.push(Stretch { first: day, last: day, seen }),
        }
        let Some(next) = day.checked_add(Duration::DAY) else { break };
        day = next;
    }
    stretches
}

/// A day of a rule over several places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleDay {
    pub day: Date,
    pub failing: i64,
    /// C + NC.
    pub spoken: i64,
    /// Places known that day.
    pub known_places: i64,
    /// Last known to fail, in places that should have delivered that day and did not: silence is no improvement.
    pub silent_failing: i64,
    /// Places that should have delivered that day and are not known.
    pub silent_places: i64,
}

/// What is known of a place's days.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PlaceDays {
    pub place_id: i32,
    pub known: Vec<Date>,
    /// First day and the day after the last, of each time that it should deliver.
    pub expected: Vec<(Date, Date)>,
}

/// Counts of a place that held from a day until before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlaceSpan {
    pub place_id: i32,
    pub first: Date,
    pub end: Date,
    pub failing: i64,
    pub spoken: i64,
}

/// What a place is on one of the days.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    NotExpected,
    Silent,
    Known,
}

/// Adds up the counts of each day over the places. A span stays open over a gap: on a silent day it is what was last
/// known.
pub fn rule_days(spans: &[PlaceSpan], places: &[PlaceDays], from: Date, until: Date) -> Vec<RuleDay> {
    let length = usize::try_from((until - from).whole_days() + 1).unwrap_or(0);
    let at = |day: Date| usize::try_from((day - from).whole_days()).unwrap_or(0).min(length);
    let empty = |day| RuleDay { day, failing: 0, spoken: 0, known_places: 0, silent_failing: 0, silent_places: 0 };
    let mut days: Vec<RuleDay> = (0..length)
        .filter_map(|offset| from.checked_add(Duration::days(i64::try_from(offset).ok()?)))
        .map(empty)
        .collect();
    let mut marks_of: rustc_hash::FxHashMap<i32, Vec<Mark>> = rustc_hash::FxHashMap::default();
    for place in places {
        let marks = marks_of.entry(place.place_id).or_insert_with(|| vec![Mark::NotExpected; length]);
        for (first, end) in &place.expected {
            for mark in marks.get_mut(at((*first).max(from))..at(*end)).unwrap_or_default() {
                *mark = Mark::Silent;
            }
        }
        for day in place.known.iter().filter(|day| (from..=until).contains(*day)) {
            marks[at(*day)] = Mark::Known;
        }
    }
    for marks in marks_of.values() {
        for (day, mark) in days.iter_mut().zip(marks) {
            day.known_places += i64::from(*mark == Mark::Known);
            day.silent_places += i64::from(*mark == Mark::Silent);
        }
    }
    for span in spans {
        let Some(marks) = marks_of.get(&span.place_id) else { continue };
        for offset in at(span.first.max(from))..at(span.end) {
            match marks[offset] {
                Mark::Known => {
                    days[offset].failing += span.failing;
                    days[offset].spoken += span.spoken;
                }
                Mark::Silent => days[offset].silent_failing += span.failing,
                Mark::NotExpected => {}
            }
        }
    }
    days
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::date;

    use super::*;

    const FROM: Date = date!(2026 - 11 - 01);

    fn on(day: i64) -> Date {
        FROM + Duration::days(day)
    }

    #[test]
    fn a_gap_is_neither_closed_nor_bridged() {
        let spans = [Span { first: on(0), end: Some(on(5)), value: 'C' }, Span { first: on(5), end: None, value: 'N' }];
        let known: BTreeSet<Date> = [0, 1, 2, 5, 6].map(on).into();
        let stretch = |first, last, seen| Stretch { first: on(first), last: on(last), seen };
        assert_eq!(
            stretches(&spans, &known, on(0), on(7)),
            [
                stretch(0, 2, Seen::Value('C')),
                stretch(3, 4, Seen::Gap(Some('C'))),
                stretch(5, 6, Seen::Value('N')),
                stretch(7, 7, Seen::Gap(Some('N'))),
            ]
        );
    }

    #[test]
    fn a_day_that_says_nothing_is_absent() {
        let spans = [Span { first: on(1), end: Some(on(2)), value: 'C' }];
        let known: BTreeSet<Date> = [0, 1, 2].map(on).into();
        let seen: Vec<_> = stretches(&spans, &known, on(0), on(2)).into_iter().map(|s| s.seen).collect();
        assert_eq!(seen, [Seen::Absent, Seen::Value('C'), Seen::Absent]);
    }

    proptest! {
        #[test]
        fn stretches_cover_every_day_once(
            spans in prop::collection::vec((0_i64..30, prop::option::of(1_i64..20), 0_u8..3), 0..6),
            known in prop::collection::btree_set(0_i64..30, 0..30), length in 1_i64..30
        ) {
            let spans: Vec<_> = spans.into_iter()
                .map(|(first, days, value)| Span { first: on(first), end: days.map(|days| on(first + days)), value })
                .collect();
            let known: BTreeSet<Date> = known.into_iter().map(on).collect();
            let found = stretches(&spans, &known, on(0), on(length - 1));
            prop_assert_eq!(found.iter().map(Stretch::days).sum::<i64>(), length);
            for pair in found.windows(2) {
                prop_assert_eq!(pair[0].last + Duration::DAY, pair[1].first);
                prop_assert!(pair[0].seen != pair[1].seen);
            }
        }

        #[test]
        fn a_rules_days_equal_a_table_of_every_day(
            spans in prop::collection::vec((0_i32..3, 0_i64..12, 1_i64..12, 0_i64..9, 0_i64..9), 0..8),
            known in prop::collection::vec((0_i32..3, 0_i64..10), 0..20),
            expected in prop::collection::vec((0_i32..3, 0_i64..10, 1_i64..12), 0..4)
        ) {
            let spans: Vec<_> = spans.into_iter()
                .map(|(place_id, first, days, failing, complying)| PlaceSpan {
                    place_id, first: on(first), end: on(first + days), failing, spoken: failing + complying
                })
                .collect();
            let places: Vec<PlaceDays> = (0..3)
                .map(|place_id| PlaceDays {
                    place_id,
                    known: known.iter().filter(|(of, _)| *of == place_id).map(|(_, day)| on(*day)).collect(),
                    expected: expected.iter()
                        .filter(|(of, ..)| *of == place_id)
                        .map(|(_, first, days)| (on(*first), on(first + days)))
                        .collect(),
                })
                .collect();
            for (offset, day) in (0_i64..).zip(rule_days(&spans, &places, on(0), on(9))) {
                let is_known = |place: i32| known.contains(&(place, offset));
                let is_expected = |place: i32| {
                    expected.iter().any(|(of, first, days)| *of == place && (*first..first + days).contains(&offset))
                };
                let failing = |meant: &dyn Fn(i32) -> bool| -> i64 {
                    spans.iter()
                        .filter(|span| span.first <= on(offset) && on(offset) < span.end && meant(span.place_id))
                        .map(|span| span.failing)
                        .sum()
                };
                prop_assert_eq!(day.failing, failing(&is_known));
                prop_assert_eq!(day.silent_failing, failing(&|place| is_expected(place) && !is_known(place)));
                prop_assert_eq!(day.day, on(offset));
            }
        }
    }
}
