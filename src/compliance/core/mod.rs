//! Decisions about collected results, apart from SQL and pages: the two figures, evidence, age, changes, history.

pub mod changes;
pub mod days;
pub mod evidence;
pub mod figures;
pub mod history;
pub mod sources;

pub use changes::{Change, Held};
pub use evidence::{Evidence, PlaceDay};
pub use figures::{AtLeast, Counts, Figures, NeverSeen, Share};
pub use sources::{Source, Sources};

/// How long a deviation has been open on a day, from the day it was first observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Age {
    UpToAWeek,
    UpToAMonth,
    UpToAQuarter,
    Longer,
}

impl Age {
    pub const ALL: [Self; 4] = [Self::UpToAWeek, Self::UpToAMonth, Self::UpToAQuarter, Self::Longer];

    /// Of so many days, the first one counted.
    pub fn of(days: i64) -> Self {
        match days {
            ..=7 => Self::UpToAWeek,
            8..=30 => Self::UpToAMonth,
            31..=90 => Self::UpToAQuarter,
            _ => Self::Longer,
        }
    }

    /// The fewest and the most days; no most for the last.
    pub fn days(self) -> (i64, Option<i64>) {
        match self {
            Self::UpToAWeek => (1, Some(7)),
            Self::UpToAMonth => (8, Some(30)),
            Self::UpToAQuarter => (31, Some(90)),
            Self::Longer => (91, None),
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::UpToAWeek => "1–7 days",
            Self::UpToAMonth => "8–30 days",
            Self::UpToAQuarter => "31–90 days",
            Self::Longer => "over 90 days",
        }
    }

    /// The name used in addresses.
    pub fn slug(self) -> &'static str {
        match self {
            Self::UpToAWeek => "7",
            Self::UpToAMonth => "30",
            Self::UpToAQuarter => "90",
            Self::Longer => "over-90",
        }
    }

    /// Reads [`Self::slug`].
    pub fn parse(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|age| age.slug() == slug)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_age_is_within_the_days_it_names() {
        for days in 1..400 {
            let age = Age::of(days);
            let (least, most) = age.days();
            assert!(least <= days && most.is_none_or(|most| days <= most), "{days}");
            assert_eq!(Age::parse(age.slug()), Some(age));
        }
    }
}
