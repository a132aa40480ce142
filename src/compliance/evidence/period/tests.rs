#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;

use super::*;

const DAYS: i32 = 24;

fn date(day: i32) -> Date {
    Day(day).date().unwrap()
}

/// A made-up place and evaluation: what each day is, now and at the knowledge point.
#[derive(Debug, Clone)]
struct Life {
    /// Known at the knowledge point.
    known: Vec<bool>,
    expected: Vec<bool>,
    /// What a known day says at the knowledge point.
    then: Vec<Option<i16>>,
    /// Days ever known and what they say now; days known then are among them.
    ever: Vec<bool>,
    now: Vec<Option<i16>>,
    from: i32,
    until: i32,
}

fn status() -> impl Strategy<Value = Option<i16>> {
    prop_oneof![
        2 => Just(None),
        4 => Just(Some(1)),
        4 => Just(Some(2)),
        1 => Just(Some(3)),
        1 => Just(Some(4)),
        1 => Just(Some(100)),
    ]
}

fn life() -> impl Strategy<Value = Life> {
    let days = usize::try_from(DAYS).unwrap();
    let bools = |share| proptest::collection::vec(proptest::bool::weighted(share), days);
    let statuses = || {
        // Each value holds for a few days, as in life.
        proptest::collection::vec((status(), 1..6_usize), days).prop_map(move |spells| {
            spells.into_iter().flat_map(|(status, length)| vec![status; length]).take(days).collect::<Vec<_>>()
        })
    };
    (bools(0.7), bools(0.9), bools(0.2), bools(0.15), statuses(), statuses(), 0..DAYS, 0..DAYS).prop_map(
        |(known, expected, later, restated, then, other, one, two)| Life {
            ever: known.iter().zip(&later).map(|(known, later)| *known || *later).collect(),
            now: restated
                .iter()
                .zip(&then)
                .zip(&other)
                .map(|((restated, then), other)| *if *restated { other } else { then })
                .collect(),
            known,
            expected,
            then,
            from: one.min(two),
            until: one.max(two),
        },
    )
}

fn at<T: Copy>(values: &[T], day: i32) -> T {
    values[usize::try_from(day).unwrap()]
}

/// The runs that a store keeps of days: a value holds from a known day until a known day says otherwise.
fn segments(life: &Life) -> Vec<Segment> {
    let mut segments: Vec<Segment> = Vec::new();
    let mut value = None;
    for day in (0..DAYS).filter(|day| at(&life.ever, *day)) {
        let said = at(&life.now, day);
        if said != value {
            if value.is_some() {
                segments.last_mut().unwrap().end = Day(day);
            }
            segments.extend(said.map(|status_id| Segment { first: Day(day), end: Day::INFINITY, status_id }));
            value = said;
        }
    }
    segments
}

fn calendar(life: &Life) -> Calendar {
    let known: Vec<Day> = (0..DAYS).filter(|day| at(&life.known, *day)).map(Day).collect();
    Calendar::new(Day(0), Day(life.until), &known, |day| at(&life.expected, day.0))
}

/// Days known then that say something else now.
fn undone(life: &Life) -> Vec<(Day, Option<i16>)> {
    (0..DAYS)
        .filter(|day| at(&life.known, *day) && at(&life.then, *day) != at(&life.now, *day))
        .map(|day| (Day(day), at(&life.then, day)))
        .collect()
}

/// The same facts from a walk over a table of every day.
fn brute_force(life: &Life) -> Option<PeriodFacts> {
    let mut counts = PeriodCounts::default();
    let mut deviations: Vec<Deviation> = Vec::new();
    let mut last_known: Option<Option<i16>> = None;
    let mut known_good = None;
    let mut open: Option<Deviation> = None;
    let mut gaps_since_good = 0;
    for day in 0..=life.until {
        let in_period = day >= life.from;
        if in_period && at(&life.expected, day) {
            counts.expected += 1;
        }
        if !at(&life.known, day) {
            gaps_since_good += 1;
            if let Some(deviation) = &mut open {
                deviation.gap_days += 1;
            }
            if in_period && at(&life.expected, day) && matches!(last_known, Some(Some(1 | 2 | 3 | 100))) {
                counts.unknown += 1;
            }
            continue;
        }
        let said = at(&life.then, day);
        last_known = Some(said);
        if in_period {
            counts.observed += u32::from(said.is_some());
            match said {
                Some(1) => counts.complying += 1,
                Some(2) => counts.not_complying += 1,
                Some(3 | 100) => counts.unknown += 1,
                _ => {}
            }
        }
        if said == Some(2) {
            open.get_or_insert(Deviation {
                before_removed: false,
                last_day_known_good: known_good.map(date),
                first_day_bad: date(day),
                last_day_bad: date(day),
                first_day_good_again: None,
                first_day_otherwise: None,
                gap_days: if known_good.is_some() { gaps_since_good } else { 0 },
                ended: Ended::Open,
            })
            .last_day_bad = date(day);
        } else if let Some(mut deviation) = open.take() {
            deviation.ended = match said {
                Some(1) => Ended::GoodAgain,
                Some(4) => Ended::BecameNotApplicable,
                Some(_) => Ended::BecameUnknown,
                None => Ended::GoneWithResource,
            };
            deviation.first_day_otherwise = Some(date(day));
            deviation.first_day_good_again = (said == Some(1)).then(|| date(day));
            if day > life.from {
                deviations.push(deviation);
            }
        }
        if said == Some(1) {
            known_good = Some(day);
            gaps_since_good = 0;
        }
    }
    deviations.extend(open);
    (counts.observed > 0).then_some(PeriodFacts { counts, deviations })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn facts_from_runs_equal_those_from_a_table_of_every_day(life in life()) {
        let segments = put_back(&segments(&life), &undone(&life));
        let found = facts(&segments, &calendar(&life), Day(0), (Day(life.from), Day(life.until)), |_| Ended::GoneWithResource);
        prop_assert_eq!(found, brute_force(&life));
    }

    #[test]
    fn a_window_from_the_last_known_day_gives_the_same_unless_a_deviation_lacks_its_good_day(life in life()) {
        let calendar = calendar(&life);
        let segments = put_back(&segments(&life), &undone(&life));
        let start = calendar.last_known_before(Day(life.from)).unwrap_or(Day(life.from));
        let period = (Day(life.from), Day(life.until));
        let seen: Vec<Segment> = segments.iter().copied().filter(|segment| segment.end > start).collect();
        let short = facts(&seen, &calendar, start, period, |_| Ended::GoneWithResource);
        let lacks = short.iter().flat_map(|facts| &facts.deviations).any(|deviation| deviation.last_day_known_good.is_none());
        if !lacks {
            prop_assert_eq!(&short, &facts(&segments, &calendar, Day(0), period, |_| Ended::GoneWithResource));
        }
        prop_assert_eq!(short.map(|facts| facts.counts), brute_force(&life).map(|facts| facts.counts));
    }
}

#[test]
fn a_gap_neither_closes_nor_bridges_a_deviation_silently() {
    let known: Vec<Day> = [0, 1, 4, 5, 8].map(Day).to_vec();
    let calendar = Calendar::new(Day(0), Day(9), &known, |_| true);
    let segments = [
        Segment { first: Day(0), end: Day(1), status_id: 1 },
        Segment { first: Day(1), end: Day(8), status_id: 2 },
        Segment { first: Day(8), end: Day::INFINITY, status_id: 1 },
    ];

    let facts = facts(&segments, &calendar, Day(0), (Day(0), Day(9)), |_| unreachable!()).unwrap();

    assert_eq!(facts.counts, PeriodCounts { expected: 10, observed: 5, complying: 2, not_complying: 3, unknown: 5 });
    assert_eq!(
        facts.deviations,
        [Deviation {
            before_removed: false,
            last_day_known_good: Some(date(0)),
            first_day_bad: date(1),
            last_day_bad: date(5),
            first_day_good_again: Some(date(8)),
            first_day_otherwise: Some(date(8)),
            gap_days: 4,
            ended: Ended::GoodAgain,
        }]
    );
}

#[test]
fn a_rule_that_vanished_does_not_count_as_good_again() {
    let known: Vec<Day> = (0..4).map(Day).collect();
    let calendar = Calendar::new(Day(0), Day(3), &known, |_| true);
    let segments = [Segment { first: Day(0), end: Day(2), status_id: 2 }];

    let facts = facts(&segments, &calendar, Day(0), (Day(0), Day(3)), |day| {
        assert_eq!(day, Day(2));
        Ended::GoneWithRule
    })
    .unwrap();

    let deviation = facts.deviations[0];
    assert_eq!((deviation.ended, deviation.first_day_good_again), (Ended::GoneWithRule, None));
    assert_eq!(deviation.first_day_otherwise, Some(date(2)));
}
