//! What became of an evaluation between two days.

use crate::compliance::status;

/// An evaluation's status on a day, by its row id in table `status`.
pub type Held = i16;

/// The classes of change between two days. Only an observed COMPLIANT is "fixed".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    NewlyFailing,
    Fixed,
    Reopened,
    BecameUnknown,
    GoneWithResource,
    GoneWithRule,
    /// Rule and resource are still there, but the rule no longer speaks of the resource, or says `NOT_APPLICABLE`.
    NoLongerEvaluated,
}

impl Change {
    pub const ALL: [Self; 7] = [
        Self::NewlyFailing,
        Self::Fixed,
        Self::Reopened,
        Self::BecameUnknown,
        Self::GoneWithResource,
        Self::GoneWithRule,
        Self::NoLongerEvaluated,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::NewlyFailing => "newly failing",
            Self::Fixed => "fixed",
            Self::Reopened => "reopened",
            Self::BecameUnknown => "became unknown",
            Self::GoneWithResource => "gone with resource",
            Self::GoneWithRule => "gone with rule",
            Self::NoLongerEvaluated => "no longer evaluated",
        }
    }

    /// What the class holds, in a sentence.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::NewlyFailing => {
                "NON_COMPLIANT on the later day, not on the earlier, and never failing and complying before."
            }
            Self::Fixed => "NON_COMPLIANT on the earlier day; COMPLIANT was observed on the later.",
            Self::Reopened => "NON_COMPLIANT on the later day; failed before, complied since, fails again.",
            Self::BecameUnknown => {
                "COMPLIANT or NON_COMPLIANT on the earlier day; INSUFFICIENT_DATA, an unrecognised status or no evidence on the later."
            }
            Self::GoneWithResource => {
                "Evaluated on the earlier day; no rule speaks of the resource on the later. Not fixed."
            }
            Self::GoneWithRule => {
                "Evaluated on the earlier day; the rule is absent from the account and Region on the later. Not fixed."
            }
            Self::NoLongerEvaluated => {
                "Evaluated on the earlier day; on the later, rule and resource exist but the rule does not speak of it or says NOT_APPLICABLE. Not fixed."
            }
        }
    }

    /// The name used in addresses.
    pub fn slug(self) -> &'static str {
        match self {
            Self::NewlyFailing => "newly-failing",
            Self::Fixed => "fixed",
            Self::Reopened => "reopened",
            Self::BecameUnknown => "became-unknown",
            Self::GoneWithResource => "gone-with-resource",
            Self::GoneWithRule => "gone-with-rule",
            Self::NoLongerEvaluated => "no-longer-evaluated",
        }
    }

    /// Reads [`Self::slug`].
    pub fn parse(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|change| change.slug() == slug)
    }

    /// Classifies; `None` where nothing changed that has a class.
    ///
    /// `old` and `new` are what the two days say; `None` is no evaluation. Both days are known.
    pub fn of(old: Option<Held>, new: Option<Held>, context: Context) -> Option<Self> {
        let failing = Some(status::NON_COMPLIANT);
        let spoken = matches!(old, Some(status::COMPLIANT | status::NON_COMPLIANT));
        match (old, new) {
            _ if old == new => None,
            (_, new) if new == failing => Some(if context.failed_before { Self::Reopened } else { Self::NewlyFailing }),
            (old, Some(status::COMPLIANT)) => (old == failing).then_some(Self::Fixed),
            // A resource whose last status was unknown or not applicable takes nothing with it.
            _ if !spoken => None,
            (_, Some(status::NOT_APPLICABLE)) => Some(Self::NoLongerEvaluated),
            (_, Some(_)) => Some(Self::BecameUnknown),
            (_, None) if !context.rule_present => Some(Self::GoneWithRule),
            (_, None) if !context.resource_present => Some(Self::GoneWithResource),
            (_, None) => Some(Self::NoLongerEvaluated),
        }
    }
}

/// What a class depends on beside the two statuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Context {
    /// The evaluation failed before, and complied between then and now.
    pub failed_before: bool,
    /// The rule exists in the place on the later day.
    pub rule_present: bool,
    /// Some rule speaks of the resource on the later day.
    pub resource_present: bool,
}

/// Whether an evaluation that fails now failed before and complied in between: its statuses up to now, oldest first,
/// without the present failure.
pub fn failed_and_complied(before: &[Held]) -> bool {
    let failed = before.iter().position(|held| *held == status::NON_COMPLIANT);
    failed.is_some_and(|failed| before[failed..].contains(&status::COMPLIANT))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const C: Option<Held> = Some(status::COMPLIANT);
    const NC: Option<Held> = Some(status::NON_COMPLIANT);
    const ID: Option<Held> = Some(status::INSUFFICIENT_DATA);
    const NA: Option<Held> = Some(status::NOT_APPLICABLE);
    const ODD: Option<Held> = Some(status::FIRST_UNRECOGNISED);
    const THERE: Context = Context { failed_before: false, rule_present: true, resource_present: true };

    #[test]
    fn only_an_observed_compliant_is_fixed() {
        assert_eq!(Change::of(NC, C, THERE), Some(Change::Fixed));
        for new in [ID, NA, ODD, None] {
            assert_ne!(Change::of(NC, new, THERE), Some(Change::Fixed));
        }
    }

    #[test]
    fn what_failed_and_complied_before_is_reopened() {
        assert_eq!(Change::of(C, NC, THERE), Some(Change::NewlyFailing));
        assert_eq!(Change::of(None, NC, THERE), Some(Change::NewlyFailing));
        assert_eq!(Change::of(C, NC, Context { failed_before: true, ..THERE }), Some(Change::Reopened));
        assert!(failed_and_complied(&[1, 2, 1]));
        assert!(failed_and_complied(&[2, 3, 1, 3]));
        assert!(!failed_and_complied(&[1, 2]), "it went without complying again");
        assert!(!failed_and_complied(&[1, 3]));
    }

    #[test]
    fn silence_is_told_from_going() {
        let gone = Context { rule_present: true, resource_present: false, failed_before: false };
        assert_eq!(Change::of(NC, ID, THERE), Some(Change::BecameUnknown));
        assert_eq!(Change::of(C, ODD, THERE), Some(Change::BecameUnknown));
        assert_eq!(Change::of(C, None, gone), Some(Change::GoneWithResource));
        assert_eq!(Change::of(NC, None, Context { rule_present: false, ..gone }), Some(Change::GoneWithRule));
        assert_eq!(Change::of(NC, None, THERE), Some(Change::NoLongerEvaluated));
        assert_eq!(Change::of(NC, NA, THERE), Some(Change::NoLongerEvaluated));
        assert_eq!(Change::of(ID, None, gone), None);
        assert_eq!(Change::of(C, C, THERE), None);
        assert_eq!(Change::of(ID, C, THERE), None);
    }

    proptest! {
        #[test]
        fn failures_balance(
            pairs in prop::collection::vec(
                (prop::option::of(1_i16..6), prop::option::of(1_i16..6), any::<bool>(), any::<bool>(), any::<bool>()),
                0..60)
        ) {
            let mut open = 0_i64;
            for (old, new, failed_before, rule_present, resource_present) in &pairs {
                let context = Context {
                    failed_before: *failed_before, rule_present: *rule_present, resource_present: *resource_present
                };
                open += i64::from(*old == NC);
                match Change::of(*old, *new, context) {
                    Some(Change::NewlyFailing | Change::Reopened) => open += 1,
                    Some(_) if *old == NC => open -= 1,
                    _ => {}
                }
            }
            let later = pairs.iter().filter(|(_, new, ..)| *new == NC).count();
            prop_assert_eq!(open, i64::try_from(later).unwrap());
        }
    }
}
