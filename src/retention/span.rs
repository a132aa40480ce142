//! How long evidence is kept: the setting, and the first day that it keeps. Pure.

use std::fmt;
use std::str::FromStr;

use time::{Date, Duration, Month};

/// Less than this is a slip of the finger: a quarter's audit would find nothing.
const LEAST_DAYS: u32 = 90;
const LEAST_MONTHS: u32 = 3;
/// More than this cannot be meant.
const MOST_YEARS: u32 = 1_000;

/// How long evidence is kept; removed is what is older.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Retain {
    /// For ever.
    #[default]
    Never,
    For(Span),
}

impl Retain {
    /// The span, where there is one.
    pub fn span(self) -> Option<Span> {
        match self {
            Self::Never => None,
            Self::For(span) => Some(span),
        }
    }
}

impl fmt::Display for Retain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => f.write_str("never"),
            Self::For(span) => span.fmt(f),
        }
    }
}

impl FromStr for Retain {
    type Err = String;

    /// Reads `never` or a [`Span`]. The error says what would be right.
    fn from_str(text: &str) -> Result<Self, String> {
        if text == "never" { Ok(Self::Never) } else { text.parse().map(Self::For) }
    }
}

/// Whole years, months or days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    number: u32,
    unit: Unit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Years,
    Months,
    Days,
}

impl Unit {
    fn letter(self) -> char {
        match self {
            Self::Years => 'y',
            Self::Months => 'm',
            Self::Days => 'd',
        }
    }

    /// The fewest and the most that are taken.
    fn limits(self) -> (u32, u32) {
        match self {
            Self::Years => (1, MOST_YEARS),
            Self::Months => (LEAST_MONTHS, MOST_YEARS * 12),
            Self::Days => (LEAST_DAYS, MOST_YEARS * 366),
        }
    }
}

impl Span {
    /// The first day kept on a day, both in UTC: evidence of it is as old as the span, of the day before older.
    ///
    /// Calendar arithmetic: the day of the month stays, or is the month's last where the month is shorter. So nothing is
    /// removed before its time, and nothing kept more than three days longer.
    pub fn first_day_kept(self, today: Date) -> Date {
        match self.unit {
            Unit::Days => today.checked_sub(Duration::days(i64::from(self.number))).unwrap_or(Date::MIN),
            Unit::Months => months_before(today, self.number),
            Unit::Years => months_before(today, self.number.saturating_mul(12)),
        }
    }
}

/// The same day so many months before, or that month's last day.
fn months_before(day: Date, months: u32) -> Date {
    let month = i64::from(day.year()) * 12 + i64::from(u8::from(day.month())) - 1 - i64::from(months);
    let year = i32::try_from(month.div_euclid(12)).unwrap_or(i32::MIN);
    let of_year = u8::try_from(month.rem_euclid(12) + 1).ok().and_then(|number| Month::try_from(number).ok());
    let of_year = of_year.expect("1 to 12 are months");
    Date::from_calendar_date(year, of_year, day.day().min(of_year.length(year))).unwrap_or(Date::MIN)
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.number, self.unit.letter())
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = || format!("{text:?} is neither never nor whole years, months or days like 7y, 36m or 400d");
        let unit = match text.chars().last() {
            Some('y') => Unit::Years,
            Some('m') => Unit::Months,
            Some('d') => Unit::Days,
            _ => return Err(wanted()),
        };
        let digits = text.strip_suffix(unit.letter()).unwrap_or_default();
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(wanted());
        }
        let (least, most) = unit.limits();
        let number = digits.parse().unwrap_or(u32::MAX);
        if number < least {
            return Err(format!(
                "{text:?} would remove evidence that is younger than a quarter, and nothing brings it back: keep at least \
                 {LEAST_DAYS}d, {LEAST_MONTHS}m or 1y"
            ));
        }
        if number > most {
            return Err(format!("{text:?} is more than {MOST_YEARS} years: to keep evidence for ever, say never"));
        }
        Ok(Self { number, unit })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;
    use time::macros::date;

    use super::*;

    fn first(span: &str, today: Date) -> Date {
        span.parse::<Span>().unwrap().first_day_kept(today)
    }

    #[test]
    fn the_first_day_kept_is_the_same_day_of_its_month() {
        assert_eq!(first("7y", date!(2026 - 11 - 30)), date!(2019 - 11 - 30));
        assert_eq!(first("36m", date!(2026 - 11 - 30)), date!(2023 - 11 - 30));
        assert_eq!(first("400d", date!(2026 - 11 - 30)), date!(2025 - 10 - 26));
        assert_eq!(first("12m", date!(2026 - 01 - 01)), date!(2025 - 01 - 01));
        assert_eq!(first("3m", date!(2026 - 01 - 31)), date!(2025 - 10 - 31));
    }

    #[test]
    fn a_month_that_is_shorter_has_its_last_day_for_it() {
        assert_eq!(first("3m", date!(2026 - 05 - 31)), date!(2026 - 02 - 28));
        assert_eq!(first("3m", date!(2024 - 05 - 31)), date!(2024 - 02 - 29));
        assert_eq!(first("1y", date!(2024 - 02 - 29)), date!(2023 - 02 - 28));
        assert_eq!(first("4y", date!(2024 - 02 - 29)), date!(2020 - 02 - 29));
        assert_eq!(first("1y", date!(2025 - 02 - 28)), date!(2024 - 02 - 28));
    }

    #[test]
    fn what_is_no_span_is_refused_with_what_would_be_one() {
        for text in ["", "y", "7", "7 y", "-7y", "+7y", "7.5y", "7Y", "seven years", "7y6m", "7w", "Never", "ü", "7y "]
        {
            let error = text.parse::<Retain>().unwrap_err();
            assert!(error.contains("like 7y, 36m or 400d"), "{text}: {error}");
        }
        for text in ["0y", "0m", "0d", "89d", "2m", "1d", "000d"] {
            let error = text.parse::<Retain>().unwrap_err();
            assert!(error.contains("at least 90d, 3m or 1y"), "{text}: {error}");
        }
        for text in ["1001y", "12001m", "366001d", "99999999999999999999y"] {
            let error = text.parse::<Retain>().unwrap_err();
            assert!(error.contains("more than 1000 years"), "{text}: {error}");
        }
    }

    #[test]
    fn a_setting_is_written_as_it_is_read() {
        for text in ["never", "7y", "36m", "400d", "90d", "3m", "1y", "1000y"] {
            assert_eq!(text.parse::<Retain>().unwrap().to_string(), text);
        }
        assert_eq!("007y".parse::<Retain>().unwrap().to_string(), "7y");
        assert_eq!(Retain::default(), Retain::Never);
    }

    fn spans() -> impl Strategy<Value = Span> {
        let of = |unit: Unit| {
            let (least, _) = unit.limits();
            (least..least + 500).prop_map(move |number| Span { number, unit })
        };
        prop_oneof![of(Unit::Years), of(Unit::Months), of(Unit::Days)]
    }

    /// The same day so many months later, or that month's last day.
    fn months_after(day: Date, months: u32) -> Date {
        let mut later = day.replace_day(1).unwrap();
        for _ in 0..months {
            later += Duration::days(i64::from(later.month().length(later.year())));
        }
        later.replace_day(day.day().min(later.month().length(later.year()))).unwrap()
    }

    fn over(span: Span, day: Date) -> Date {
        match span.unit {
            Unit::Days => day + Duration::days(i64::from(span.number)),
            Unit::Months => months_after(day, span.number),
            Unit::Years => months_after(day, span.number * 12),
        }
    }

    proptest! {
        #[test]
        fn a_day_is_kept_for_its_span_and_hardly_longer(span in spans(), julian in 2_440_000..2_490_000) {
            let today = Date::from_julian_day(julian).unwrap();
            let first = span.first_day_kept(today);
            let removed = first.previous_day().unwrap();
            prop_assert!(over(span, removed) <= today, "{} goes before its {} are over", removed, span);
            prop_assert!(over(span, first) + Duration::days(3) >= today, "{} stays long after its {}", first, span);
        }

        #[test]
        fn the_first_day_kept_never_goes_back(span in spans(), julian in 2_440_000..2_490_000) {
            let today = Date::from_julian_day(julian).unwrap();
            let (first, next) = (span.first_day_kept(today), span.first_day_kept(today.next_day().unwrap()));
            prop_assert!(first <= next);
        }
    }
}
