//! Failing evaluations of a rule day by day, as bars and as a table.

use std::fmt::Write as _;

use time::Date;

use super::standing::Past;
use crate::compliance::core::history::RuleDay;
use crate::web::format::{count, day, plural};
use crate::web::list::{Field, List};

/// Failing evaluations day by day, as bars.
pub(super) struct Bars {
    pub(super) days: Vec<RuleDay>,
    pub(super) most: i64,
    pub(super) sentence: String,
}

/// The same figures as a table.
pub(super) fn daily() -> List<RuleDay> {
    let fields = vec![
        Field::text("Day (UTC)", "day", |on: &RuleDay| on.day.into()),
        Field::number("Failing", "failing", |on| on.failing.into()),
        Field::number("of known", "known", |on| on.spoken.into()),
        Field::number("Account-Regions known", "known_account_regions", |on| on.known_places.into()),
        Field::number("Last known to fail", "last_known_to_fail", |on| on.silent_failing.into()),
        Field::number("Account-Regions silent", "silent_account_regions", |on| on.silent_places.into()),
    ];
    List::new("daily", "daily-sort", usize::MAX, fields)
}

pub(super) fn bars(past: &Past, until: Date) -> Bars {
    let days = past.days.clone();
    let known = days.iter().filter(|day| day.known_places > 0).count();
    let failing = days.iter().filter(|day| day.failing > 0).count();
    let silent = days.iter().filter(|day| day.silent_failing > 0).count();
    let worst = days.iter().rev().max_by_key(|day| day.failing);
    let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    let words = |days: usize| plural(number(days), "known day");
    let mut sentence = match worst {
        Some(worst) if worst.failing > 0 => format!(
            "Failing on {} of {} from {} to {} (UTC); most on {}: {}.",
            count(number(failing)),
            words(known),
            day(past.first),
            day(until),
            day(worst.day),
            count(worst.failing)
        ),
        _ => format!("Failing on none of {} from {} to {} (UTC).", words(known), day(past.first), day(until)),
    };
    if silent > 0 {
        let on = if silent == 1 { "1 day".to_owned() } else { format!("{} days", count(number(silent))) };
        _ = write!(
            sentence,
            " On {on} some account-Regions brought no evidence; what was last known to fail there is hatched."
        );
    }
    let most = days.iter().map(|day| day.failing + day.silent_failing).max().unwrap_or_default();
    Bars { days, most, sentence }
}

impl Bars {
    pub(super) fn width(&self) -> usize {
        self.days.len().max(1)
    }

    /// Height of a bar, of 100; what fails at all can be seen.
    fn height(&self, failing: i64) -> i64 {
        if self.most == 0 || failing == 0 { 0 } else { (failing * 100 / self.most).max(2) }
    }

    /// Heights of a day's two parts: failing, and on top of it last known to fail.
    pub(super) fn heights(&self, day: &RuleDay) -> (i64, i64) {
        let failing = self.height(day.failing);
        let all = self.height(day.failing + day.silent_failing).max(failing);
        (failing, all - failing)
    }
}
