//! A conformance pack in an account and Region: AWS's verdict beside ours. Pure.

use crate::compliance::Status;
use crate::error::Error;

/// Rules of a pack by what is known of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct RuleCounts {
    pub(super) failing: i64,
    pub(super) complying: i64,
    pub(super) all: i64,
}

impl RuleCounts {
    /// Rules that neither fail nor comply: they have no data. Never less than none, whatever AWS's counts are.
    pub(super) fn no_data(self) -> i64 {
        (self.all - self.failing - self.complying).max(0)
    }

    /// With one rule more.
    pub(super) fn add(&mut self, said: Said) {
        self.all += 1;
        match said {
            Said::Fails => self.failing += 1,
            Said::Complies => self.complying += 1,
            Said::NoData => {}
        }
    }

    /// What the rules come to: AWS says COMPLIANT where some have no data, we do not.
    pub(super) fn verdict(self) -> Option<Status> {
        if self.failing > 0 {
            Some(Status::NonCompliant)
        } else if self.all == 0 {
            None
        } else if self.no_data() > 0 {
            Some(Status::InsufficientData)
        } else {
            Some(Status::Compliant)
        }
    }

    /// "5 of 130 rules have no data"; `None` where all have.
    pub(super) fn no_data_words(self) -> Option<String> {
        let without = self.no_data();
        let number = crate::web::format::count;
        let have = if without == 1 { "has" } else { "have" };
        (without > 0)
            .then(|| format!("{} of {} {have} no data", number(without), crate::web::format::plural(self.all, "rule")))
    }

    /// "3 fail, 120 comply, 7 without data, of 130".
    pub(super) fn words(self) -> String {
        let number = crate::web::format::count;
        format!(
            "{} failing, {} complying, {} without data, of {}",
            number(self.failing),
            number(self.complying),
            number(self.no_data()),
            number(self.all)
        )
    }
}

/// AWS's verdict on a pack in a place, as a page is narrowed by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    NonCompliant,
    Compliant,
    /// COMPLIANT, with rules without data.
    Hollow,
    InsufficientData,
    /// A word that we do not know.
    Unrecognised,
    /// No evidence for the day.
    Unknown,
}

impl Verdict {
    pub(super) const ALL: [Self; 6] =
        [Self::NonCompliant, Self::Compliant, Self::Hollow, Self::InsufficientData, Self::Unrecognised, Self::Unknown];

    /// The word in addresses.
    pub(super) fn slug(self) -> &'static str {
        match self {
            Self::NonCompliant => "non-compliant",
            Self::Compliant => "compliant",
            Self::Hollow => "hollow",
            Self::InsufficientData => "insufficient-data",
            Self::Unrecognised => "unrecognised",
            Self::Unknown => "unknown",
        }
    }

    /// Reads [`Self::slug`].
    ///
    /// # Errors
    /// What is none of the choices.
    pub(super) fn parse(slug: &str) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|verdict| verdict.slug() == slug)
            .ok_or_else(|| Error::Invalid(format!("“{slug}” is none of the choices for verdict.")))
    }

    pub(super) fn words(self) -> &'static str {
        match self {
            Self::NonCompliant => "NON_COMPLIANT",
            Self::Compliant => "COMPLIANT",
            Self::Hollow => "COMPLIANT, with rules without data",
            Self::InsufficientData => "INSUFFICIENT_DATA",
            Self::Unrecognised => "unrecognised status",
            Self::Unknown => "no evidence that day",
        }
    }

    /// Whether it is that of a pack in a place: AWS's word and counts, and whether the day is known.
    pub(super) fn is_of(self, known: bool, status: &Status, theirs: RuleCounts) -> bool {
        match self {
            Self::Unknown => !known,
            Self::Hollow => known && *status == Status::Compliant && theirs.no_data() > 0,
            Self::NonCompliant => known && *status == Status::NonCompliant,
            Self::Compliant => known && *status == Status::Compliant,
            Self::InsufficientData => known && *status == Status::InsufficientData,
            Self::Unrecognised => known && matches!(status, Status::Unrecognised(_) | Status::NotApplicable),
        }
    }
}

/// What a rule of the pack says in a place, from how its resources are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    Fails,
    Complies,
    NoData,
}

impl Said {
    /// A rule fails where a resource does; it complies where one does and all are understood.
    pub(super) fn of(counts: &crate::compliance::core::Counts) -> Self {
        if counts.not_complying > 0 {
            Self::Fails
        } else if counts.complying > 0 && counts.unrecognised == 0 {
            Self::Complies
        } else {
            Self::NoData
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compliance::core::Counts;

    #[test]
    fn a_pack_complies_only_where_every_rule_does() {
        let of = |failing, complying, all| RuleCounts { failing, complying, all };
        let cases = [
            (of(0, 130, 130), Some(Status::Compliant), None),
            (of(0, 129, 130), Some(Status::InsufficientData), Some("1 of 130 rules has no data")),
            (of(1, 100, 130), Some(Status::NonCompliant), Some("29 of 130 rules have no data")),
            (of(0, 0, 3), Some(Status::InsufficientData), Some("3 of 3 rules have no data")),
            (of(0, 0, 0), None, None),
            // Counts of AWS that do not add up.
            (of(0, 5, 3), Some(Status::Compliant), None),
        ];
        for (counts, verdict, words) in cases {
            assert_eq!((counts.verdict(), counts.no_data_words().as_deref()), (verdict, words), "{counts:?}");
        }
    }

    #[test]
    fn a_pack_in_a_place_has_one_verdict_and_may_be_hollow_besides() {
        let whole = RuleCounts { failing: 0, complying: 3, all: 3 };
        let hollow = RuleCounts { failing: 0, complying: 2, all: 3 };
        let odd = Status::Unrecognised("ODD".to_owned());
        let cases: [(bool, Status, RuleCounts, &[Verdict]); 5] = [
            (true, Status::Compliant, whole, &[Verdict::Compliant]),
            (true, Status::Compliant, hollow, &[Verdict::Compliant, Verdict::Hollow]),
            (true, Status::NonCompliant, hollow, &[Verdict::NonCompliant]),
            (true, odd, whole, &[Verdict::Unrecognised]),
            (false, Status::Compliant, hollow, &[Verdict::Unknown]),
        ];
        for (known, status, theirs, verdicts) in cases {
            let found: Vec<Verdict> =
                Verdict::ALL.into_iter().filter(|verdict| verdict.is_of(known, &status, theirs)).collect();
            assert_eq!(found, verdicts, "{known} {status}");
        }
        for verdict in Verdict::ALL {
            assert_eq!(Verdict::parse(verdict.slug()).ok(), Some(verdict));
        }
        assert!(Verdict::parse("green").is_err());
    }

    #[test]
    fn a_rule_of_which_nothing_is_known_neither_fails_nor_complies() {
        let of = |complying, not_complying, unrecognised| {
            Said::of(&Counts { complying, not_complying, unrecognised, ..Counts::default() })
        };
        assert_eq!((of(3, 1, 1), of(3, 0, 0)), (Said::Fails, Said::Complies));
        assert_eq!((of(3, 0, 1), of(0, 0, 0)), (Said::NoData, Said::NoData));
    }
}
