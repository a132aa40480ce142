//! Charts as geometry: pure functions from figures to shapes, which a template prints as SVG.
//!
//! Horizontal places are percentages and vertical ones pixels, so that a chart fills any width while its words keep
//! their size. Colours come from classes and patterns, never from `style` attributes. A page that has strips places
//! `{{ Patterns }}` once, before the first.

mod trend;

use std::fmt;

use askama::Template;
use time::{Date, Duration};

pub use self::trend::{Trend, TrendDay};
use super::format;
use super::parts::html_safe;
use crate::compliance::{DeliveryState, Status};

/// A horizontal place or width in hundredths of a percent of the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent(i64);

impl Percent {
    /// `part` of `whole`, at most all of it.
    fn of(part: i64, whole: i64) -> Self {
        if whole <= 0 { Self(0) } else { Self((part * 10_000 / whole).clamp(0, 10_000)) }
    }

    fn to(self, end: Self) -> Self {
        Self(end.0 - self.0)
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 % 100 {
            0 => write!(f, "{}%", self.0 / 100),
            rest => write!(f, "{}.{rest:02}%", self.0 / 100),
        }
    }
}

fn days_between(first: Date, end: Date) -> i64 {
    (end - first).whole_days()
}

/// What fills a stretch of days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fill {
    Delivery(DeliveryState),
    Status(Status),
    /// Days that nobody can speak for, in a history of statuses.
    Gap,
    /// Nothing was there to be evaluated.
    Absent,
}

impl Fill {
    fn slug(&self) -> &'static str {
        match self {
            Self::Delivery(state) => state.slug(),
            Self::Status(status) => status.slug(),
            Self::Gap => "gap",
            Self::Absent => "absent",
        }
    }

    /// The pattern's name, where it is not one plain colour.
    fn pattern(&self) -> Option<&'static str> {
        match self {
            Self::Delivery(DeliveryState::Delivered | DeliveryState::RegionOff)
            | Self::Status(Status::Compliant | Status::NonCompliant)
            | Self::Absent => None,
            other => Some(other.slug()),
        }
    }
}

/// A stretch of days that look the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    pub first: Date,
    /// The day after the last.
    pub end: Date,
    pub fill: Fill,
    /// What it is, without its days.
    pub words: String,
    /// Where it leads; a stretch that leads somewhere can be reached by keyboard.
    pub href: Option<String>,
}

impl Segment {
    /// "missing, 3 Nov 2026 to 5 Nov 2026, 3 days".
    pub fn sentence(&self) -> String {
        format!("{}, {}", self.words, span(self.first, self.end))
    }
}

/// "3 Nov 2026 to 5 Nov 2026, 3 days"; `end` is the day after the last.
pub fn span(first: Date, end: Date) -> String {
    let days = days_between(first, end);
    match end.previous_day() {
        Some(last) if days > 1 => {
            format!("{} to {}, {}", format::day(first), format::day(last), format::plural(days, "day"))
        }
        _ => format!("{}, 1 day", format::day(first)),
    }
}

/// Days one after the other that are equal become one stretch. Days must be in order; a day that is not given
/// interrupts.
pub fn segments<T: PartialEq>(days: impl IntoIterator<Item = (Date, T)>) -> Vec<(Date, Date, T)> {
    let mut runs: Vec<(Date, Date, T)> = Vec::new();
    for (day, value) in days {
        let end = day.next_day().unwrap_or(day);
        match runs.last_mut() {
            Some(run) if run.1 == day && run.2 == value => run.1 = end,
            _ => runs.push((day, end, value)),
        }
    }
    runs
}

/// One horizontal band of days: a place's delivery, or a rule's results for a resource.
#[derive(Debug, Clone, Template)]
#[template(path = "parts/strip.html")]
pub struct Strip {
    /// Says what the band shows to those who do not see it.
    label: String,
    parts: Vec<StripPart>,
    links: bool,
}

#[derive(Debug, Clone)]
struct StripPart {
    x: Percent,
    width: Percent,
    slug: &'static str,
    pattern: Option<&'static str>,
    sentence: String,
    href: Option<String>,
}

impl Strip {
    /// A band from `first` until before `end`; stretches outside are cut off.
    pub fn new(label: impl Into<String>, first: Date, end: Date, segments: &[Segment]) -> Self {
        let whole = days_between(first, end);
        let place = |day: Date| Percent::of(days_between(first, day.clamp(first, end)), whole);
        let parts: Vec<StripPart> = segments
            .iter()
            .filter(|segment| segment.first < end && segment.end > first)
            .map(|segment| StripPart {
                x: place(segment.first),
                width: place(segment.first).to(place(segment.end)),
                slug: segment.fill.slug(),
                pattern: segment.fill.pattern(),
                sentence: segment.sentence(),
                href: segment.href.clone(),
            })
            .collect();
        Self { label: label.into(), links: parts.iter().any(|part| part.href.is_some()), parts }
    }

    /// A sample of a fill for a legend, whose words stand beside it.
    pub fn swatch(segment: &Segment) -> Self {
        Self::new("", segment.first, segment.end, std::slice::from_ref(segment))
    }
}

/// Month names over bands of days.
#[derive(Debug, Clone, Template)]
#[template(path = "parts/axis.html")]
pub struct Axis {
    ticks: Vec<Tick>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Tick {
    x: Percent,
    words: String,
}

impl Axis {
    /// For bands from `first` until before `end`.
    pub fn new(first: Date, end: Date) -> Self {
        Self { ticks: ticks(first, end) }
    }
}

/// The firsts of months, thinned so that at most seven stand side by side; the first day where no month begins.
fn ticks(first: Date, end: Date) -> Vec<Tick> {
    let whole = days_between(first, end);
    let mut starts = Vec::new();
    let mut day = first.replace_day(1).unwrap_or(first);
    while day < end {
        if day >= first {
            starts.push(day);
        }
        day = next_month(day);
        if starts.len() > 1200 {
            break;
        }
    }
    if starts.is_empty() {
        return vec![Tick { x: Percent(0), words: format::short_day(first) }];
    }
    let step = starts.len().div_ceil(7);
    starts
        .iter()
        .step_by(step)
        .map(|day| Tick {
            x: Percent::of(days_between(first, *day), whole),
            words: if day.month() == time::Month::January {
                format!("{} {}", format::month(*day), day.year())
            } else {
                format::month(*day).to_owned()
            },
        })
        // A word that begins here would run out of the picture.
        .filter(|tick| tick.x <= Percent(9_400))
        .collect()
}

fn next_month(day: Date) -> Date {
    let next = day.checked_add(Duration::days(32 - i64::from(day.day()))).unwrap_or(Date::MAX);
    next.replace_day(1).unwrap_or(next)
}

/// The patterns that strips are filled with, once on a page.
#[derive(Debug, Clone, Copy, Default, Template)]
#[template(path = "parts/patterns.html")]
pub struct Patterns;

html_safe!(Strip, Axis, Patterns);

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    #[test]
    fn equal_days_become_one_stretch_and_a_missing_day_interrupts() {
        let runs = segments([
            (date!(2026 - 11 - 01), 'a'),
            (date!(2026 - 11 - 02), 'a'),
            (date!(2026 - 11 - 03), 'b'),
            (date!(2026 - 11 - 05), 'b'),
        ]);
        assert_eq!(
            runs,
            [
                (date!(2026 - 11 - 01), date!(2026 - 11 - 03), 'a'),
                (date!(2026 - 11 - 03), date!(2026 - 11 - 04), 'b'),
                (date!(2026 - 11 - 05), date!(2026 - 11 - 06), 'b'),
            ]
        );
    }

    #[test]
    fn a_band_fills_its_width_without_gaps_of_its_own() {
        let (first, end) = (date!(2026 - 08 - 25), date!(2026 - 11 - 23));
        let days: Vec<Date> = (0..90).map(|n| first + Duration::days(n)).collect();
        let parts: Vec<Segment> = segments(days.iter().map(|day| (*day, day.day() % 3)))
            .into_iter()
            .map(|(first, end, _)| Segment { first, end, fill: Fill::Gap, words: "x".to_owned(), href: None })
            .collect();
        let strip = Strip::new("strip", first, end, &parts);
        let mut x = Percent(0);
        for part in &strip.parts {
            assert_eq!(part.x, x);
            x = Percent(part.x.0 + part.width.0);
        }
        assert_eq!(x, Percent(10_000));
    }

    #[test]
    fn stretches_outside_the_band_are_cut_off() {
        let (first, end) = (date!(2026 - 11 - 01), date!(2026 - 11 - 11));
        let whole =
            Segment { first: date!(2025 - 01 - 01), end: Date::MAX, fill: Fill::Gap, words: String::new(), href: None };
        let before = Segment { end: first, ..whole.clone() };
        let strip = Strip::new("strip", first, end, &[whole, before]);
        assert_eq!(strip.parts.len(), 1);
        assert_eq!((strip.parts[0].x, strip.parts[0].width), (Percent(0), Percent(10_000)));
    }

    #[test]
    fn places_are_written_as_percentages() {
        assert_eq!(Percent::of(1, 3).to_string(), "33.33%");
        assert_eq!(Percent::of(1, 2).to_string(), "50%");
        assert_eq!(Percent::of(5, 2).to_string(), "100%");
        assert_eq!(Percent::of(1, 0).to_string(), "0%");
        assert_eq!(Percent::of(1, 1000).to_string(), "0.10%");
    }

    #[test]
    fn months_are_named_at_most_seven_times() {
        let names = |first, end| ticks(first, end).into_iter().map(|tick| tick.words).collect::<Vec<_>>();
        assert_eq!(names(date!(2026 - 08 - 25), date!(2026 - 11 - 23)), ["Sep", "Oct", "Nov"]);
        assert_eq!(names(date!(2026 - 12 - 30), date!(2027 - 01 - 20)), ["Jan 2027"]);
        assert_eq!(names(date!(2026 - 11 - 03), date!(2026 - 11 - 09)), ["3 Nov"]);
        assert!(names(date!(2020 - 01 - 01), date!(2026 - 11 - 09)).len() <= 7);
    }
}
