//! Which of AWS's reports speak for which days of an audit period. All days are whole days, both ends included.

use time::{Date, Month};

/// Days from the first to the last, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Span {
    pub(super) first: Date,
    pub(super) last: Date,
}

impl Span {
    /// `None` where the last day comes before the first.
    pub(super) fn new(first: Date, last: Date) -> Option<Self> {
        (first <= last).then_some(Self { first, last })
    }

    pub(super) fn days(self) -> i64 {
        (self.last - self.first).whole_days() + 1
    }

    pub(super) fn holds(self, day: Date) -> bool {
        self.first <= day && day <= self.last
    }

    /// The days that both have.
    pub(super) fn within(self, other: Self) -> Option<Self> {
        Self::new(self.first.max(other.first), self.last.min(other.last))
    }
}

/// A stretch of days for which the same reports speak.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) span: Span,
    /// The callers' numbers of the reports, in their order; more than one where periods overlap.
    pub(super) by: Vec<usize>,
}

/// Days for which none speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Gap {
    pub(super) span: Span,
    /// Of its days, those that a letter of AWS's management addresses. The gap stays as long as it is.
    pub(super) addressed: i64,
    /// Of those, the ones that lie later after [`Self::ended`] than letters are to reach.
    pub(super) late: i64,
    /// The last day of the report before it, which letters bridge from; `None` where no report ended before.
    pub(super) ended: Option<Date>,
    /// The callers' numbers of those letters.
    pub(super) letters: Vec<usize>,
}

/// What reports say of a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spoken {
    pub(super) stretches: Vec<Stretch>,
    pub(super) gaps: Vec<Gap>,
    /// Days of the period that were still to come, for which none speaks: no gap yet.
    pub(super) to_come: i64,
}

impl Spoken {
    pub(super) fn gap_days(&self) -> i64 {
        self.gaps.iter().map(|gap| gap.span.days()).sum()
    }

    pub(super) fn addressed_days(&self) -> i64 {
        self.gaps.iter().map(|gap| gap.addressed).sum()
    }
}

/// Cuts a period into stretches and gaps. `reports` and `letters` are the days each speaks for, `today` the last day
/// that has begun; letters are to reach `months` beyond a report, which changes no gap and no addressed day.
pub(super) fn speak(period: Span, today: Date, reports: &[Span], letters: &[Span], months: u16) -> Spoken {
    let mut spoken = Spoken { stretches: Vec::new(), gaps: Vec::new(), to_come: 0 };
    for (span, by) in cut(period, reports) {
        if !by.is_empty() {
            spoken.stretches.push(Stretch { span, by });
            continue;
        }
        let past = span.within(Span { first: span.first.min(today), last: today });
        spoken.to_come += span.days() - past.map_or(0, Span::days);
        if let Some(span) = past {
            let said = cut(span, letters).into_iter().filter(|(_, by)| !by.is_empty());
            // No report speaks within a gap, so the last one before it is the last one before each of its days.
            let ended = reports.iter().map(|report| report.last).filter(|last| *last < span.first).max();
            let within = ended.and_then(|ended| bridged_until(ended, months));
            let mut gap = Gap { span, addressed: 0, late: 0, ended, letters: Vec::new() };
            for (part, by) in said {
                gap.addressed += part.days();
                gap.late += within.and_then(Date::next_day).and_then(|first| after(part, first)).map_or(0, Span::days);
                gap.letters.extend(by);
            }
            gap.letters.sort_unstable();
            gap.letters.dedup();
            spoken.gaps.push(gap);
        }
    }
    spoken
}

/// A part's days from `first` on.
fn after(part: Span, first: Date) -> Option<Span> {
    Span::new(part.first.max(first), part.last)
}

/// The period in its longest parts over which the same spans hold, in order.
fn cut(period: Span, spans: &[Span]) -> Vec<(Span, Vec<usize>)> {
    let mut begins: Vec<Date> = vec![period.first];
    for span in spans.iter().filter_map(|span| span.within(period)) {
        begins.push(span.first);
        begins.extend(span.last.next_day().filter(|day| *day <= period.last));
    }
    begins.sort_unstable();
    begins.dedup();
    let ends = begins.iter().skip(1).filter_map(|day| day.previous_day()).chain([period.last]);
    begins
        .iter()
        .zip(ends)
        .map(|(&first, last)| {
            let by = (0..spans.len()).filter(|&index| spans[index].holds(first)).collect();
            (Span { first, last }, by)
        })
        .collect()
}

/// The same day so many months later; the month's last day where it has no such day (29 February, the 31st).
pub(super) fn months_after(day: Date, months: u16) -> Option<Date> {
    let count = i32::from(u8::from(day.month())) - 1 + i32::from(months);
    let year = day.year().checked_add(count / 12)?;
    let month = Month::try_from(u8::try_from(count % 12 + 1).ok()?).ok()?;
    Date::from_calendar_date(year, month, day.day().min(month.length(year))).ok()
}

/// The last day that is no more than so many months after a report's end. The end of a month leads to the end of a month:
/// three months after 30 September end on 31 December. `None` beyond every calendar.
fn bridged_until(ended: Date, months: u16) -> Option<Date> {
    let until = months_after(ended, months)?;
    let ends_month = ended.day() == ended.month().length(ended.year());
    if ends_month { until.replace_day(until.month().length(until.year())).ok() } else { Some(until) }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use time::Duration;
    use time::macros::date;

    use super::*;

    fn span(first: Date, last: Date) -> Span {
        Span::new(first, last).unwrap()
    }

    const YEAR: Span = Span { first: date!(2026 - 01 - 01), last: date!(2026 - 12 - 31) };

    #[test]
    fn a_letter_addresses_days_of_a_gap_and_never_shortens_it() {
        let reports =
            [span(date!(2025 - 10 - 01), date!(2026 - 03 - 31)), span(date!(2026 - 05 - 25), date!(2026 - 12 - 31))];
        let letters = [span(date!(2026 - 04 - 01), date!(2026 - 06 - 30))];
        let spoken = speak(YEAR, date!(2027 - 01 - 05), &reports, &letters, 3);
        assert_eq!(spoken.gaps.len(), 1);
        assert_eq!(spoken.gaps[0].span, span(date!(2026 - 04 - 01), date!(2026 - 05 - 24)));
        assert_eq!((spoken.gap_days(), spoken.addressed_days()), (54, 54));
        assert_eq!(spoken.gaps[0].letters, [0]);
        assert_eq!(spoken.stretches.len(), 2);
    }

    #[test]
    fn overlaps_are_stretches_of_both() {
        let reports =
            [span(date!(2026 - 01 - 01), date!(2026 - 06 - 30)), span(date!(2026 - 06 - 01), date!(2026 - 12 - 31))];
        let spoken = speak(YEAR, date!(2027 - 01 - 05), &reports, &[], 3);
        let by: Vec<&[usize]> = spoken.stretches.iter().map(|stretch| stretch.by.as_slice()).collect();
        assert_eq!(by, [&[0][..], &[0, 1], &[1]]);
        assert!(spoken.gaps.is_empty());
    }

    #[test]
    fn days_still_to_come_are_no_gap() {
        let spoken = speak(YEAR, date!(2026 - 11 - 24), &[span(date!(2026 - 01 - 01), date!(2026 - 10 - 31))], &[], 3);
        assert_eq!((spoken.gap_days(), spoken.to_come), (24, 37));
        let spoken = speak(YEAR, date!(2025 - 11 - 24), &[], &[], 3);
        assert_eq!((spoken.gaps.len(), spoken.to_come), (0, 365), "a period that has not begun");
    }

    #[test]
    fn months_end_with_their_last_day() {
        let after = |day, months| months_after(day, months).unwrap();
        assert_eq!(after(date!(2024 - 02 - 29), 12), date!(2025 - 02 - 28));
        assert_eq!(after(date!(2023 - 02 - 28), 12), date!(2024 - 02 - 28));
        assert_eq!(after(date!(2026 - 11 - 30), 3), date!(2027 - 02 - 28));
        assert_eq!(after(date!(2026 - 12 - 31), 12), date!(2027 - 12 - 31));
        assert_eq!(months_after(Date::MAX, 12), None);
    }

    #[test]
    fn letters_reach_so_many_months_from_a_reports_end_to_the_same_day_or_the_months_last() {
        for (ended, months, until) in [
            (date!(2026 - 09 - 30), 3, date!(2026 - 12 - 31)),
            (date!(2026 - 03 - 31), 3, date!(2026 - 06 - 30)),
            (date!(2025 - 11 - 30), 3, date!(2026 - 02 - 28)),
            (date!(2027 - 11 - 30), 3, date!(2028 - 02 - 29)),
            (date!(2028 - 02 - 29), 12, date!(2029 - 02 - 28)),
            (date!(2027 - 02 - 28), 12, date!(2028 - 02 - 29)),
            (date!(2026 - 11 - 29), 3, date!(2027 - 02 - 28)),
            (date!(2026 - 09 - 15), 1, date!(2026 - 10 - 15)),
        ] {
            assert_eq!(bridged_until(ended, months), Some(until), "{ended} {months}");
        }
        assert_eq!(bridged_until(Date::MAX, 3), None);
    }

    #[test]
    fn days_that_a_letter_addresses_late_are_counted_and_change_nothing() {
        let reports = [span(date!(2025 - 04 - 01), date!(2025 - 09 - 30))];
        let of = |letter: Span, months| {
            let spoken = speak(YEAR, date!(2027 - 01 - 05), &reports, &[letter], months);
            let gap = &spoken.gaps[0];
            (gap.span.days(), gap.addressed, gap.late)
        };
        let letter = span(date!(2025 - 10 - 01), date!(2026 - 02 - 28));
        // The report ended before the period did begin: 31 December is the last day of three months.
        assert_eq!(of(letter, 3), (365, 59, 59));
        assert_eq!(of(letter, 4), (365, 59, 28));
        assert_eq!(of(letter, 5), (365, 59, 0));
        assert_eq!(of(letter, u16::MAX), (365, 59, 0), "beyond the calendar nothing is late");
        // One that speaks of days to come.
        assert_eq!(of(span(date!(2026 - 12 - 01), date!(2027 - 06 - 30)), 3), (365, 31, 31));
    }

    #[test]
    fn a_letter_after_no_report_bridges_none() {
        let later = [span(date!(2026 - 05 - 01), date!(2026 - 12 - 31))];
        let letters = [span(date!(2026 - 01 - 01), date!(2026 - 03 - 31))];
        let spoken = speak(YEAR, date!(2027 - 01 - 05), &later, &letters, 3);
        assert_eq!((spoken.gaps[0].ended, spoken.gaps[0].addressed, spoken.gaps[0].late), (None, 90, 0));
    }

    fn spans() -> impl Strategy<Value = Vec<Span>> {
        // From before the leap day to beyond the period, whole and partly outside.
        let one = (0i64..420, 0i64..130).prop_map(|(from, days)| {
            let first = date!(2023 - 11 - 15) + Duration::days(from);
            Span { first, last: first + Duration::days(days) }
        });
        proptest::collection::vec(one, 0..6)
    }

    /// By the numbers of months and days: told otherwise than by adding months.
    fn is_late(day: Date, reports: &[Span], months: u16) -> bool {
        let Some(ended) = reports.iter().map(|report| report.last).filter(|last| *last < day).max() else {
            return false;
        };
        let month = |day: Date| i64::from(day.year()) * 12 + i64::from(u8::from(day.month()));
        let last = if ended.next_day().unwrap().day() == 1 { 31 } else { ended.day() };
        (month(day) - month(ended), day.day()) > (i64::from(months), last)
    }

    proptest! {
        #[test]
        fn stretches_and_gaps_are_what_a_calendar_says_day_by_day(
            reports in spans(), letters in spans(), length in 1i64..400, ahead in -20i64..420,
            months in 1u16..8,
        ) {
            let first = date!(2023 - 12 - 20);
            let period = Span { first, last: first + Duration::days(length - 1) };
            let today = first + Duration::days(ahead);
            let spoken = speak(period, today, &reports, &letters, months);

            let mut days = Vec::new();
            for stretch in &spoken.stretches {
                prop_assert!(!stretch.by.is_empty());
                days.extend((0..stretch.span.days()).map(|day| (stretch.span.first + Duration::days(day), stretch.by.clone())));
            }
            let mut addressed = 0;
            for gap in &spoken.gaps {
                days.extend((0..gap.span.days()).map(|day| (gap.span.first + Duration::days(day), Vec::new())));
                addressed += gap.addressed;
            }
            days.sort();

            let (mut truth, mut to_come, mut truly_addressed, mut truly_late, mut speaking) = (Vec::new(), 0, 0, 0, BTreeSet::new());
            for day in (0..length).map(|day| first + Duration::days(day)) {
                let by: Vec<usize> = (0..reports.len()).filter(|&index| reports[index].holds(day)).collect();
                if by.is_empty() && day > today {
                    to_come += 1;
                    continue;
                }
                if by.is_empty() {
                    let said: Vec<usize> = (0..letters.len()).filter(|&index| letters[index].holds(day)).collect();
                    truly_addressed += i64::from(!said.is_empty());
                    truly_late += i64::from(!said.is_empty() && is_late(day, &reports, months));
                    speaking.extend(said);
                }
                truth.push((day, by));
            }
            prop_assert_eq!(days, truth);
            prop_assert_eq!(spoken.to_come, to_come);
            prop_assert_eq!(addressed, truly_addressed);
            let letters: BTreeSet<usize> = spoken.gaps.iter().flat_map(|gap| gap.letters.iter().copied()).collect();
            prop_assert_eq!(letters, speaking);
            prop_assert_eq!(spoken.gaps.iter().map(|gap| gap.late).sum::<i64>(), truly_late);
        }
    }
}
