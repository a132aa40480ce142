//! What a period says of one evaluation: counts of days, and its deviations as intervals. Pure.

use time::Date;

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
    /// INSUFFICIENT_DATA or a status that we do not know.
    BecameUnknown,
    /// NOT_APPLICABLE.
    BecameNotApplicable,
    /// Still NON_COMPLIANT on the last known day of the period.
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

/// An interval of known days on which an evaluation was observed NON_COMPLIANT and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deviation {
    /// The last known day before `first_day_bad` that said COMPLIANT, however long before the period; `None` if none ever.
    pub last_day_known_good: Option<Date>,
    /// May lie before the period.
    pub first_day_bad: Date,
    pub last_day_bad: Date,
    /// Within the period, and only where it ended "good again".
    pub first_day_good_again: Option<Date>,
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
    /// INSUFFICIENT_DATA and unrecognised on known days, and days of an expected place without evidence after a day
    /// that said COMPLIANT, NON_COMPLIANT or unknown.
    pub unknown: u32,
}
