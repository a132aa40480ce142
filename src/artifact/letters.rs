//! What is to be said of letters that bridge from a report to the next one, beside how many days they address. Pure.
//!
//! How far a letter may reach is no rule of anybody's: auditors commonly take three months, so an installation sets it, and
//! no gap and no addressed day depends on it.

use super::periods::Gap;
use crate::web::format;

/// Months that letters commonly bridge.
pub const LETTER_MONTHS: u16 = 3;

/// A sentence part on days that letters address too long after a report's end, or after none; `None` where there are no
/// such days.
pub(super) fn warning(gaps: &[Gap], months: u16) -> Option<String> {
    let sum = |of: fn(&Gap) -> i64| gaps.iter().map(of).sum::<i64>();
    let addressed = sum(|gap| gap.addressed);
    let late = sum(|gap| gap.late);
    let after_none = sum(|gap| if gap.ended.is_none() { gap.addressed } else { 0 });
    let of = |days: i64| format!("{} of {} addressed", format::count(days), format::plural(addressed, "day"));
    let mut parts = Vec::new();
    if late > 0 {
        let months = format::plural(months.into(), "month");
        let verb = if late == 1 { "lies" } else { "lie" };
        parts.push(format!("{} {verb} more than {months} after the report’s end", of(late)));
    }
    if after_none > 0 {
        let verb = if after_none == 1 { "follows" } else { "follow" };
        parts.push(format!("{} {verb} no report that is known", of(after_none)));
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}

#[cfg(test)]
mod tests {
    use time::Date;
    use time::macros::date;

    use super::super::periods::Span;
    use super::*;

    fn gap(addressed: i64, late: i64, ended: Option<Date>) -> Gap {
        let span = Span { first: date!(2026 - 10 - 01), last: date!(2027 - 01 - 31) };
        Gap { span, addressed, late, ended, letters: vec![0] }
    }

    #[test]
    fn what_reaches_too_far_or_from_nowhere_is_said_and_the_rest_is_not() {
        let ended = Some(date!(2026 - 09 - 30));
        assert_eq!(warning(&[], 3), None);
        assert_eq!(warning(&[gap(92, 0, ended)], 3), None);
        for (gaps, words) in [
            (vec![gap(123, 31, ended)], "31 of 123 days addressed lie more than 3 months after the report’s end"),
            (vec![gap(93, 1, ended)], "1 of 93 days addressed lies more than 3 months after the report’s end"),
            (vec![gap(92, 0, None)], "92 of 92 days addressed follow no report that is known"),
            (
                vec![gap(40, 9, ended), gap(1, 0, None)],
                "9 of 41 days addressed lie more than 3 months after the report’s end, 1 of 41 days addressed follows no \
                 report that is known",
            ),
        ] {
            assert_eq!(warning(&gaps, 3).as_deref(), Some(words));
        }
        assert!(warning(&[gap(93, 1, ended)], 1).is_some_and(|words| words.contains("more than 1 month after")));
    }
}
