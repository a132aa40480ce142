//! What a period says of one evaluation: counts of days, and its deviations as intervals. Pure.

use time::Date;

use crate::collection::day::Day;
use crate::compliance::status::{COMPLIANT, NON_COMPLIANT, NOT_APPLICABLE};

/// How a deviation ended. Only an observed COMPLIANT is "good again".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ended {
    GoodAgain,
    /// The resource has no evaluation any more, by this rule or any other.
    GoneWithResource,
    /// The rule is gone from the place.
    GoneWithRule,
    /// Rule and resource are still there, but the rule no longer evaluates the resource.
    NoLongerEvaluated,
    /// `INSUFFICIENT_DATA` or a status that we do not know.
    BecameUnknown,
    /// `NOT_APPLICABLE`.
    BecameNotApplicable,
    /// Still `NON_COMPLIANT` on the last known day of the period.
    Open,
}

impl Ended {
    /// The word in exports, on pages and in packs.
    pub fn word(self) -> &'static str {
        match self {
            Self::GoodAgain => "good again",
            Self::GoneWithResource => "gone with resource",
            Self::GoneWithRule => "gone with rule",
            Self::NoLongerEvaluated => "no longer evaluated",
            Self::BecameUnknown => "became unknown",
            Self::BecameNotApplicable => "became not applicable",
            Self::Open => "open",
        }
    }
}

/// An interval of known days on which an evaluation was observed `NON_COMPLIANT` and nothing else.
///
/// A period has those that were not known to have ended when it began: with a gap at the period's start, the last day
/// observed bad may lie before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deviation {
    /// The last known day before `first_day_bad` that said COMPLIANT, however long before the period; `None` if none ever, or
    /// if it is not known any more: see `before_removed`.
    pub last_day_known_good: Option<Date>,
    /// Whether it is not known any more if there was a last day known good, because evidence from before the first day kept
    /// was removed. `first_day_bad` is then the first day of the run, as it reads now, and `gap_days` are counted from the
    /// first day that is still told.
    pub before_removed: bool,
    /// May lie before the period.
    pub first_day_bad: Date,
    pub last_day_bad: Date,
    /// Within the period, and only where it ended "good again".
    pub first_day_good_again: Option<Date>,
    /// The first known day of the period that said anything else than `NON_COMPLIANT`; `None` where it is open.
    pub first_day_otherwise: Option<Date>,
    /// Days without evidence from the last day known good (else the first day bad) until the day that ended the
    /// interval (else the end of the period).
    pub gap_days: u32,
    pub ended: Ended,
}

/// Days of the period, counted for one evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PeriodCounts {
    /// Days on which the place was expected to deliver.
    pub expected: u32,
    /// Known days on which the evaluation was there, whatever its status.
    pub observed: u32,
    pub complying: u32,
    pub not_complying: u32,
    /// `INSUFFICIENT_DATA` and unrecognised on known days, and days of an expected place without evidence after a day
    /// that said COMPLIANT, `NON_COMPLIANT` or unknown.
    pub unknown: u32,
}

/// A status that held from `first` until before `end`, as in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    pub first: Day,
    pub end: Day,
    pub status_id: i16,
}

/// What days say of a place: which are known, on which it was expected to deliver.
#[derive(Debug, Clone)]
pub struct Calendar {
    first: Day,
    /// For each day from `first` on, and one past the last: counts of the days before it.
    sums: Vec<Sums>,
    known: Vec<Day>,
    /// The first day kept, where a day before it speaks for kept ones.
    removed_before: Option<Day>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    known: u32,
    expected: u32,
    expected_gaps: u32,
}

impl Calendar {
    /// Days `first..=last`. `known` is ascending; days outside are left out.
    pub fn new(first: Day, last: Day, known: &[Day], expected: impl Fn(Day) -> bool) -> Self {
        let known: Vec<Day> = known.iter().copied().filter(|day| (first..=last).contains(day)).collect();
        let mut sums = vec![Sums::default()];
        let mut sum = Sums::default();
        let mut ahead = known.iter().peekable();
        for day in (first.0..=last.0).map(Day) {
            let is_known = ahead.next_if(|known| **known == day).is_some();
            let is_expected = expected(day);
            sum.known += u32::from(is_known);
            sum.expected += u32::from(is_expected);
            sum.expected_gaps += u32::from(is_expected && !is_known);
            sums.push(sum);
        }
        Self { first, sums, known, removed_before: None }
    }

    /// The same where evidence from before a day was removed. Of the days before it only the last one known is left.
    #[must_use]
    pub fn removed_before(mut self, floor: Option<Day>) -> Self {
        self.removed_before = floor.filter(|floor| self.known.first().is_some_and(|first| first < floor));
        self
    }

    /// Whether days before the first known one were removed.
    pub fn is_cut(&self) -> bool {
        self.removed_before.is_some()
    }

    /// Days known, ascending.
    pub fn known(&self) -> &[Day] {
        &self.known
    }

    /// Days of `[from, end)` on which the place was expected.
    pub fn expected_in(&self, from: Day, end: Day) -> u32 {
        self.between(from, end, |sums| sums.expected)
    }

    fn known_in(&self, from: Day, end: Day) -> u32 {
        self.between(from, end, |sums| sums.known)
    }

    fn expected_gaps_in(&self, from: Day, end: Day) -> u32 {
        self.between(from, end, |sums| sums.expected_gaps)
    }

    fn between(&self, from: Day, end: Day, what: impl Fn(&Sums) -> u32) -> u32 {
        let at = |day: Day| {
            let index = usize::try_from(i64::from(day.0) - i64::from(self.first.0)).unwrap_or(0);
            self.sums.get(index).or(self.sums.last()).map_or(0, &what)
        };
        at(end).saturating_sub(at(from))
    }

    /// The first known day from one on.
    pub fn first_known_from(&self, day: Day) -> Option<Day> {
        self.known.get(self.known.partition_point(|known| *known < day)).copied()
    }

    /// The last known day before one.
    pub fn last_known_before(&self, day: Day) -> Option<Day> {
        let after = self.known.partition_point(|known| *known < day);
        after.checked_sub(1).and_then(|index| self.known.get(index)).copied()
    }
}

/// Segments with single days put back to what they said before they were restated (`None`: the evaluation was absent).
pub fn put_back(segments: &[Segment], days: &[(Day, Option<i16>)]) -> Vec<Segment> {
    let mut result = segments.to_vec();
    for (day, status_id) in days {
        let next = Day(day.0.saturating_add(1));
        result = result
            .into_iter()
            .flat_map(|segment| {
                let left = Segment { end: segment.end.min(*day), ..segment };
                let right = Segment { first: segment.first.max(next), ..segment };
                [left, right]
            })
            .filter(|segment| segment.first < segment.end)
            .collect();
        result.extend(status_id.map(|status_id| Segment { first: *day, end: next, status_id }));
        result.sort_unstable_by_key(|segment| segment.first);
    }
    result
}

/// What one evaluation was on known days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Good,
    Bad,
    Unknown,
    NotApplicable,
    Absent,
}

impl Class {
    fn of(status_id: i16) -> Self {
        match status_id {
            COMPLIANT => Self::Good,
            NON_COMPLIANT => Self::Bad,
            NOT_APPLICABLE => Self::NotApplicable,
            _ => Self::Unknown,
        }
    }

    /// Whether the last known evaluation counts as unknown on a day without evidence.
    fn carries(self) -> bool {
        matches!(self, Self::Good | Self::Bad | Self::Unknown)
    }
}

/// Known days in succession that were of one class.
#[derive(Debug, Clone, Copy)]
struct Block {
    class: Class,
    first: Day,
    last: Day,
}

/// The known days of `[start, end)` as blocks, without those before the first segment.
fn blocks(segments: &[Segment], calendar: &Calendar, start: Day, end: Day) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::with_capacity(segments.len());
    let mut add = |class: Class, from: Day, to: Day| {
        let first = calendar.first_known_from(from).filter(|day| *day < to);
        if let (Some(first), Some(last)) = (first, calendar.last_known_before(to)) {
            match blocks.last_mut() {
                Some(block) if block.class == class => block.last = last,
                None if class == Class::Absent => {}
                _ => blocks.push(Block { class, first, last }),
            }
        }
    };
    let mut reached = start;
    for segment in segments {
        let (first, last) = (segment.first.max(start), segment.end.min(end));
        if first >= last {
            continue;
        }
        add(Class::Absent, reached, first);
        add(Class::of(segment.status_id), first, last);
        reached = last;
    }
    add(Class::Absent, reached, end);
    blocks
}

/// The first day of the `NON_COMPLIANT` segments, one after the other, that a day is of.
fn began(segments: &[Segment], day: Day) -> Day {
    let bad =
        segments.iter().rev().filter(|segment| segment.first <= day && Class::of(segment.status_id) == Class::Bad);
    bad.fold(day, |began, segment| if segment.end >= began { segment.first.min(began) } else { began })
}

/// What a period says of an evaluation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeriodFacts {
    pub counts: PeriodCounts,
    pub deviations: Vec<Deviation>,
}

/// The facts of the period `[from, until]`, from segments that are complete from day `start` on; `None` if no known day
/// of the period has the evaluation.
///
/// `absent` says how a deviation ended that a known day found absent: it is given that day.
pub fn facts(
    segments: &[Segment],
    calendar: &Calendar,
    start: Day,
    (from, until): (Day, Day),
    mut absent: impl FnMut(Day) -> Ended,
) -> Option<PeriodFacts> {
    let end = Day(until.0.saturating_add(1));
    let blocks = blocks(segments, calendar, start.min(from), end);
    let mut counts = PeriodCounts { expected: calendar.expected_in(from, end), ..PeriodCounts::default() };
    let mut deviations = Vec::new();
    let mut known_good = None;
    for (index, block) in blocks.iter().enumerate() {
        let next = blocks.get(index + 1);
        let stop = next.map_or(end, |next| next.first);
        let days = calendar.known_in(block.first.max(from), Day(block.last.0 + 1).max(from));
        if block.class != Class::Absent {
            counts.observed += days;
        }
        match block.class {
            Class::Good => {
                counts.complying += days;
                known_good = Some(block.last);
            }
            Class::Bad => counts.not_complying += days,
            Class::Unknown => counts.unknown += days,
            Class::NotApplicable | Class::Absent => {}
        }
        if block.class.carries() {
            counts.unknown += calendar.expected_gaps_in(block.first.max(from), stop.max(from));
        }
        if block.class == Class::Bad && stop > from {
            let since = known_good.unwrap_or(block.first);
            let before_removed = known_good.is_none() && calendar.removed_before.is_some();
            let first_bad = if before_removed && index == 0 { began(segments, block.first) } else { block.first };
            let ended = match next.map(|next| (next.class, next.first)) {
                None | Some((Class::Bad, _)) => Ended::Open,
                Some((Class::Good, _)) => Ended::GoodAgain,
                Some((Class::Unknown, _)) => Ended::BecameUnknown,
                Some((Class::NotApplicable, _)) => Ended::BecameNotApplicable,
                Some((Class::Absent, day)) => absent(day),
            };
            let first_day_otherwise = next.and_then(|next| next.first.date());
            deviations.push(Deviation {
                last_day_known_good: known_good.and_then(Day::date),
                before_removed,
                first_day_bad: first_bad.date()?,
                last_day_bad: block.last.date()?,
                first_day_good_again: first_day_otherwise.filter(|_| ended == Ended::GoodAgain),
                first_day_otherwise,
                gap_days: u32::try_from(stop.0 - since.0).unwrap_or(0).saturating_sub(calendar.known_in(since, stop)),
                ended,
            });
        }
    }
    (counts.observed > 0).then_some(PeriodFacts { counts, deviations })
}

#[cfg(test)]
mod tests;
