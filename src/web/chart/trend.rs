//! The two figures over days: *at least* as a line, with the unknown as a band above it.

use askama::Template;
use time::Date;

use super::{Tick, ticks};
use crate::web::format;
use crate::web::parts::html_safe;

/// One day of a trend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrendDay {
    pub day: Date,
    pub complying: i64,
    pub not_complying: i64,
    pub unknown: i64,
    /// False where an expected account, or a Region of one, has never delivered: then *at least* is not computable.
    pub computable: bool,
}

impl TrendDay {
    /// *At least* = C / (C + NC + unknown), in hundredths of a percent, rounded down.
    pub fn at_least(&self) -> Option<i64> {
        if self.computable { share(self.complying, self.complying + self.not_complying + self.unknown) } else { None }
    }

    /// *Complying of known* = C / (C + NC), in hundredths of a percent, rounded down.
    pub fn of_known(&self) -> Option<i64> {
        share(self.complying, self.complying + self.not_complying)
    }

    /// *At least* as it is said.
    pub fn at_least_words(&self) -> String {
        if !self.computable {
            return "not computable".to_owned();
        }
        format::percent(self.complying, self.complying + self.not_complying + self.unknown)
            .unwrap_or_else(|| "–".to_owned())
    }

    /// *Complying of known* as it is said.
    pub fn of_known_words(&self) -> String {
        format::percent(self.complying, self.complying + self.not_complying).unwrap_or_else(|| "–".to_owned())
    }

    fn day_words(&self) -> String {
        format::day(self.day)
    }
}

fn share(part: i64, whole: i64) -> Option<i64> {
    (whole > 0).then(|| i64::try_from(i128::from(part) * 10_000 / i128::from(whole)).unwrap_or(0))
}

const TREND_HEIGHT: i64 = 200;

/// The *at least* line with the band up to *complying of known*, shaded as unknown. The page has its figures as a table.
#[derive(Debug, Clone, Template)]
#[template(path = "parts/trend.html")]
pub struct Trend {
    id: &'static str,
    caption: String,
    days: Vec<TrendDay>,
    /// Where the axis begins, in percent.
    base: i64,
    grid: Vec<Grid>,
    ticks: Vec<Tick>,
    line: String,
    band: String,
    description: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Grid {
    y: i64,
    percent: i64,
}

impl Trend {
    /// A chart of days in order; `id` is unique on the page.
    pub fn new(id: &'static str, caption: impl Into<String>, days: Vec<TrendDay>) -> Self {
        let base = base(&days);
        let y = |share: i64| TREND_HEIGHT - (share - base * 100) * TREND_HEIGHT / ((100 - base) * 100);
        let step = if base < 50 {
            20
        } else if base < 80 {
            10
        } else {
            5
        };
        let grid = (base..=100)
            .filter(|percent| percent % step == 0)
            .map(|percent| Grid { y: y(percent * 100), percent })
            .collect();
        let (line, band) = shapes(&days, y);
        let ticks = match (days.first(), days.last()) {
            (Some(first), Some(last)) => ticks(first.day, last.day.next_day().unwrap_or(last.day)),
            _ => Vec::new(),
        };
        let description = description(&days);
        Self { id, caption: caption.into(), days, base, grid, ticks, line, band, description }
    }

    #[expect(clippy::unused_self, reason = "the template asks the chart for it")]
    fn height(&self) -> i64 {
        TREND_HEIGHT
    }

    fn width(&self) -> usize {
        self.days.len().max(1)
    }
}

/// The ten percent at or below the lowest figure, so that the axis begins there; 90 at most.
fn base(days: &[TrendDay]) -> i64 {
    days.iter()
        .flat_map(|day| [day.at_least(), day.of_known()])
        .flatten()
        .min()
        .map_or(0, |lowest| lowest / 1000 * 10)
        .min(90)
}

/// Steps, a day wide each: a day speaks for itself and not for the way to the next. Days without a figure interrupt.
fn shapes(days: &[TrendDay], y: impl Fn(i64) -> i64) -> (String, String) {
    use std::fmt::Write as _;
    let mut line = String::new();
    let mut band = String::new();
    let mut drawing = false;
    for (x, day) in days.iter().enumerate() {
        let (at_least, of_known) = (day.at_least(), day.of_known());
        match at_least {
            Some(share) => {
                let _ = write!(line, "{}{} {}H{}", if drawing { "L" } else { "M" }, x, y(share), x + 1);
                drawing = true;
            }
            None => drawing = false,
        }
        if let (Some(low), Some(high)) = (at_least.or(Some(0)), of_known)
            && high > low
        {
            let low = low.max(0);
            let _ = write!(band, "M{x} {}H{}V{}H{x}Z", y(high), x + 1, y(low).min(TREND_HEIGHT));
        }
    }
    (line, band)
}

fn description(days: &[TrendDay]) -> String {
    let (Some(first), Some(last)) = (days.first(), days.last()) else {
        return "No days to show.".to_owned();
    };
    format!(
        "{} to {}: at least {} on the first day and {} on the last; of known evaluations {} and {} comply.",
        first.day_words(),
        last.day_words(),
        first.at_least_words(),
        last.at_least_words(),
        first.of_known_words(),
        last.of_known_words()
    )
}

html_safe!(Trend);

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    fn day(day: Date, complying: i64, not_complying: i64, unknown: i64) -> TrendDay {
        TrendDay { day, complying, not_complying, unknown, computable: true }
    }

    #[test]
    fn the_axis_begins_at_the_ten_percent_below_the_lowest_figure() {
        let trend = |days: &[TrendDay]| Trend::new("t", "T", days.to_vec());
        assert_eq!(trend(&[day(date!(2026 - 11 - 01), 85, 15, 0)]).base, 80);
        assert_eq!(trend(&[day(date!(2026 - 11 - 01), 100, 0, 0)]).base, 90);
        assert_eq!(trend(&[day(date!(2026 - 11 - 01), 1, 99, 0)]).base, 0);
        assert_eq!(trend(&[]).base, 0);
    }

    #[test]
    fn a_day_without_a_figure_interrupts_the_line() {
        let days = [
            day(date!(2026 - 11 - 01), 9, 1, 0),
            day(date!(2026 - 11 - 02), 0, 0, 0),
            day(date!(2026 - 11 - 03), 9, 1, 0),
        ];
        let trend = Trend::new("t", "T", days.to_vec());
        assert_eq!(trend.line.matches('M').count(), 2);
        assert_eq!(trend.band, "", "nothing is unknown");
    }

    #[test]
    fn the_band_stands_between_the_two_figures() {
        let trend = Trend::new("t", "T", vec![day(date!(2026 - 11 - 01), 90, 0, 10)]);
        // 90 % is the base and 100 % the top.
        assert_eq!(trend.band, "M0 0H1V200H0Z");
        assert_eq!(trend.line, "M0 200H1");
    }
}
