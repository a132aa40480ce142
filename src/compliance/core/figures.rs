//! The two figures that always stand together: *complying of known* and *at least*.

use std::fmt;
use std::fmt::Write as _;
use std::iter::Sum;
use std::ops::{Add, AddAssign};

use crate::web::format::{count, plural};

/// Evaluations by status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    pub complying: i64,
    pub not_complying: i64,
    pub insufficient_data: i64,
    pub not_applicable: i64,
    pub unrecognised: i64,
}

impl Counts {
    /// `INSUFFICIENT_DATA` and words that we do not know.
    pub fn unknown(&self) -> i64 {
        self.insufficient_data + self.unrecognised
    }

    pub fn all(&self) -> i64 {
        self.complying + self.not_complying + self.insufficient_data + self.not_applicable + self.unrecognised
    }

    /// Those that turn unknown when a day brings no evidence: all but `NOT_APPLICABLE`.
    pub fn carried(&self) -> i64 {
        self.all() - self.not_applicable
    }
}

impl Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            complying: self.complying + other.complying,
            not_complying: self.not_complying + other.not_complying,
            insufficient_data: self.insufficient_data + other.insufficient_data,
            not_applicable: self.not_applicable + other.not_applicable,
            unrecognised: self.unrecognised + other.unrecognised,
        }
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), Add::add)
    }
}

/// A part of a whole that is not nothing. Shown in percent with one decimal, rounded to the less pleasing side: 100.0 %
/// complying means all, and 0.0 % unknown means none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    part: i64,
    whole: i64,
    rounded_up: bool,
}

impl Share {
    /// A share that had better be large, rounded down; `None` of nothing.
    pub fn of(part: i64, whole: i64) -> Option<Self> {
        (whole > 0).then_some(Self { part, whole, rounded_up: false })
    }

    /// A share that had better be small, rounded up; `None` of nothing.
    pub fn of_missing(part: i64, whole: i64) -> Option<Self> {
        (whole > 0).then_some(Self { part, whole, rounded_up: true })
    }

    /// In tenths of a percent, 0 to 1000.
    pub fn tenths(self) -> i64 {
        let (part, whole) = (i128::from(self.part) * 1000, i128::from(self.whole));
        let more = if self.rounded_up { whole - 1 } else { 0 };
        i64::try_from((part + more) / whole).unwrap_or(i64::MAX)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A no-break space, so that a figure never parts from its unit.
        write!(f, "{}.{}\u{a0}%", self.tenths() / 10, self.tenths() % 10)
    }
}

/// What can be said of the share that complies, whatever the unknown would have said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtLeast {
    Share(Share),
    /// Expected accounts, or Regions of accounts that were seen elsewhere, have never delivered: how much is unknown is
    /// itself unknown.
    NotComputable(NeverSeen),
    /// No evaluations at all.
    Nothing,
}

/// What was expected and never delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NeverSeen {
    /// Whole accounts: none of their Regions was ever known.
    pub accounts: i64,
    /// Account-Regions of accounts that were known in another Region.
    pub places: i64,
}

impl NeverSeen {
    pub fn any(self) -> bool {
        self.accounts > 0 || self.places > 0
    }
}

impl fmt::Display for NeverSeen {
    /// "2 accounts and 1 account-Region never seen".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (accounts, places) = (plural(self.accounts, "account"), plural(self.places, "account-Region"));
        match self {
            Self { places: 0, .. } => write!(f, "{accounts} never seen"),
            Self { accounts: 0, .. } => write!(f, "{places} never seen"),
            _ => write!(f, "{accounts} and {places} never seen"),
        }
    }
}

impl fmt::Display for AtLeast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Share(share) => share.fmt(f),
            Self::NotComputable(never_seen) => write!(f, "not computable: {never_seen}"),
            Self::Nothing => f.write_str("no evaluations"),
        }
    }
}

/// What a scope adds up to on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// Of the evaluations delivered for the day.
    pub counts: Counts,
    /// Last known evaluations of expected places without evidence that day.
    pub carried: i64,
    pub never_seen: NeverSeen,
}

impl Figures {
    /// Evaluations that say COMPLIANT or `NON_COMPLIANT`.
    pub fn known(&self) -> i64 {
        self.counts.complying + self.counts.not_complying
    }

    pub fn unknown(&self) -> i64 {
        self.counts.unknown() + self.carried
    }

    /// C / (C + NC).
    pub fn complying_of_known(&self) -> Option<Share> {
        Share::of(self.counts.complying, self.known())
    }

    /// C / (C + NC + unknown).
    pub fn at_least(&self) -> AtLeast {
        if self.never_seen.any() {
            return AtLeast::NotComputable(self.never_seen);
        }
        Share::of(self.counts.complying, self.known() + self.unknown()).map_or(AtLeast::Nothing, AtLeast::Share)
    }

    /// *At least* of those account-Regions that have delivered: what trends draw where the whole is not computable.
    pub fn at_least_of_seen(&self) -> Option<Share> {
        Share::of(self.counts.complying, self.known() + self.unknown())
    }

    /// Unknown / (C + NC + unknown).
    pub fn unknown_share(&self) -> Option<Share> {
        Share::of_missing(self.unknown(), self.known() + self.unknown())
    }

    /// The page's answer in one sentence.
    pub fn sentence(&self) -> String {
        if self.known() + self.unknown() == 0 {
            return "No evaluations that comply or not: nothing was delivered for this scope.".to_owned();
        }
        let mut sentence = if self.known() == 0 {
            "No evaluation is known".to_owned()
        } else {
            let comply = if self.counts.complying == 1 { "complies" } else { "comply" };
            format!("{} of {} known evaluations {comply}", count(self.counts.complying), count(self.known()))
        };
        match self.unknown() {
            0 => sentence.push_str("; none is unknown"),
            1 => sentence.push_str("; 1 is unknown"),
            unknown => _ = write!(sentence, "; {} are unknown", count(unknown)),
        }
        match self.at_least() {
            AtLeast::Share(share) => _ = write!(sentence, ": at least {share}."),
            AtLeast::NotComputable(_) => _ = write!(sentence, ". At least: {}.", self.at_least()),
            AtLeast::Nothing => sentence.push('.'),
        }
        sentence
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counts() -> impl Strategy<Value = Counts> {
        (0..5_000_i64, 0..5_000_i64, 0..500_i64, 0..500_i64, 0..50_i64).prop_map(
            |(complying, not_complying, insufficient_data, not_applicable, unrecognised)| Counts {
                complying,
                not_complying,
                insufficient_data,
                not_applicable,
                unrecognised,
            },
        )
    }

    /// Places of an unchanged population, some of them without evidence.
    fn figures_of(places: &[(Counts, bool)]) -> Figures {
        let mut figures = Figures::default();
        for (counts, delivered) in places {
            if *delivered {
                figures.counts += *counts;
            } else {
                figures.carried += counts.carried();
            }
        }
        figures
    }

    fn tenths(figures: &Figures) -> Option<i64> {
        match figures.at_least() {
            AtLeast::Share(share) => Some(share.tenths()),
            _ => None,
        }
    }

    proptest! {
        #[test]
        fn at_least_does_not_rise_when_evidence_becomes_a_gap(
            places in prop::collection::vec((counts(), any::<bool>()), 1..8), lost in 0_usize..8
        ) {
            let before = figures_of(&places);
            let mut after = places.clone();
            let lost = lost % places.len();
            after[lost].1 = false;
            let after = figures_of(&after);
            prop_assert!(tenths(&after) <= tenths(&before));
            prop_assert_eq!(before.known() + before.unknown(), after.known() + after.unknown());
        }

        #[test]
        fn one_hundred_percent_means_all(counts in counts(), carried in 0..3_i64) {
            let figures = Figures { counts, carried, ..Figures::default() };
            if let AtLeast::Share(share) = figures.at_least() {
                prop_assert_eq!(
                    share.tenths() == 1000,
                    counts.not_complying == 0 && figures.unknown() == 0
                );
            }
            if let Some(share) = figures.complying_of_known() {
                prop_assert_eq!(share.tenths() == 1000, counts.not_complying == 0);
            }
        }

        #[test]
        fn at_least_is_never_above_complying_of_known(counts in counts(), carried in 0..5_000_i64) {
            let figures = Figures { counts, carried, ..Figures::default() };
            if let (Some(at_least), Some(of_known)) = (tenths(&figures), figures.complying_of_known()) {
                prop_assert!(at_least <= of_known.tenths());
            }
        }
    }

    #[test]
    fn a_share_is_rounded_to_the_less_pleasing_side() {
        assert_eq!(Share::of_missing(1, 2_000_000).unwrap().to_string(), "0.1\u{a0}%");
        assert_eq!(Share::of_missing(0, 2_000_000).unwrap().to_string(), "0.0\u{a0}%");
        assert_eq!(Share::of_missing(i64::MAX - 1, i64::MAX).unwrap().to_string(), "100.0\u{a0}%");
        assert_eq!(Share::of(1_999_999, 2_000_000).unwrap().to_string(), "99.9\u{a0}%");
        assert_eq!(Share::of(i64::MAX - 1, i64::MAX).unwrap().to_string(), "99.9\u{a0}%");
        assert_eq!(Share::of(0, 7).unwrap().to_string(), "0.0\u{a0}%");
        assert_eq!(Share::of(0, 0), None);
    }

    #[test]
    fn the_sentence_gives_both_figures() {
        let counts = Counts { complying: 1284, not_complying: 23, insufficient_data: 14, ..Counts::default() };
        let mut figures = Figures { counts, carried: 200, ..Figures::default() };
        assert_eq!(
            figures.sentence(),
            "1,284 of 1,307 known evaluations comply; 214 are unknown: at least 84.4\u{a0}%."
        );
        figures.never_seen.accounts = 2;
        assert_eq!(
            figures.sentence(),
            "1,284 of 1,307 known evaluations comply; 214 are unknown. At least: not computable: 2 accounts never seen."
        );
        figures.never_seen = NeverSeen { accounts: 0, places: 1 };
        assert_eq!(figures.at_least().to_string(), "not computable: 1 account-Region never seen");
        figures.never_seen = NeverSeen { accounts: 1, places: 3 };
        assert_eq!(figures.at_least().to_string(), "not computable: 1 account and 3 account-Regions never seen");
        let nothing = Figures::default();
        assert_eq!(nothing.sentence(), "No evaluations that comply or not: nothing was delivered for this scope.");
        let unknown = Figures { carried: 1, ..Figures::default() };
        assert_eq!(unknown.sentence(), "No evaluation is known; 1 is unknown: at least 0.0\u{a0}%.");
    }
}
