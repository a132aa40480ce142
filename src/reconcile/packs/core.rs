//! A conformance pack in an account and Region, told in two ways. Pure.

use crate::compliance::Status;
use crate::reconcile::core::{Compared, Place, Verdict, by_place};

/// AWS's verdict on a pack and its counts of rules. They are never cut short: unlike those of a rule's resources they have
/// no limit in AWS's answer.
///
/// <https://docs.aws.amazon.com/config/latest/APIReference/API_AggregateConformancePackCompliance.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::reconcile) struct Said {
    pub(super) compliance: Status,
    pub(super) compliant: i32,
    pub(super) non_compliant: i32,
    pub(super) total: i32,
}

impl Said {
    /// "3 failing, 120 complying, 7 without data, of 130 rules", from AWS's own counts.
    pub(in crate::reconcile) fn words(&self) -> String {
        let number = |count: i32| crate::web::format::count(i64::from(count));
        let without = i64::from(self.total) - i64::from(self.compliant) - i64::from(self.non_compliant);
        format!(
            "{} failing, {} complying, {} without data, of {}",
            number(self.non_compliant),
            number(self.compliant),
            // Counts that do not add up are AWS's: none is less than none.
            crate::web::format::count(without.max(0)),
            crate::web::format::plural(self.total.into(), "rule")
        )
    }
}

/// What was delivered of packs of one name in an account and Region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::reconcile) struct Ours {
    pub(super) said: Said,
    /// Whether a name was delivered; the aggregator tells nothing else.
    pub(super) named: bool,
    /// How many packs of the name the day has. AWS has one at a time; two may be delivered of a day on which one was
    /// deployed anew.
    pub(super) packs: i64,
}

/// Compares what was delivered of a pack in an account and Region with what the aggregator says; `None` where neither says
/// anything.
pub(in crate::reconcile) fn compare(place: Place, ours: Option<&Ours>, theirs: Option<&Said>) -> Option<Compared> {
    if let Some(ours) = ours.filter(|_| place.day.known()) {
        if !ours.named {
            return Some(Compared::not_comparable("its name was not delivered, and AWS tells packs by name"));
        }
        if ours.packs > 1 {
            return Some(Compared::not_comparable(format!("{} packs of this name were delivered", ours.packs)));
        }
    }
    by_place(place, ours.is_some(), theirs.is_some()).unwrap_or_else(|| Some(both(&ours?.said, theirs?)))
}

fn both(ours: &Said, theirs: &Said) -> Compared {
    if matches!(ours.compliance, Status::Unrecognised(_)) {
        return Compared::not_comparable("the pack here has a verdict that we do not know");
    }
    if matches!(theirs.compliance, Status::Unrecognised(_)) {
        return Compared::not_comparable("AWS says a word that we do not know");
    }
    Compared::plain(if ours == theirs { Verdict::Agree } else { Verdict::Differ })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::compliance::DeliveryState;
    use crate::reconcile::core::Source;

    const KNOWN: Place = Place { day: DeliveryState::Delivered, source: Source::Succeeded };

    fn said(word: &str, non_compliant: i32, compliant: i32, total: i32) -> Said {
        Said { compliance: Status::parse(word), compliant, non_compliant, total }
    }

    fn ours(said: Said) -> Ours {
        Ours { said, named: true, packs: 1 }
    }

    fn verdict(place: Place, ours: Option<&Ours>, theirs: Option<&Said>) -> Option<Verdict> {
        compare(place, ours, theirs).map(|compared| compared.verdict)
    }

    #[test]
    fn a_verdict_and_each_count_must_be_the_same_to_agree() {
        let here = ours(said("NON_COMPLIANT", 3, 9, 12));
        let cases = [
            (said("NON_COMPLIANT", 3, 9, 12), Verdict::Agree),
            (said("COMPLIANT", 3, 9, 12), Verdict::Differ),
            (said("NON_COMPLIANT", 4, 9, 12), Verdict::Differ),
            (said("NON_COMPLIANT", 3, 8, 12), Verdict::Differ),
            (said("NON_COMPLIANT", 3, 9, 13), Verdict::Differ),
            (said("SOMETHING_NEW", 3, 9, 12), Verdict::NotComparable),
        ];
        for (there, wanted) in cases {
            assert_eq!(verdict(KNOWN, Some(&here), Some(&there)), Some(wanted), "{there:?}");
        }
        let odd = ours(said("SOMETHING_NEW", 3, 9, 12));
        assert_eq!(verdict(KNOWN, Some(&odd), Some(&said("COMPLIANT", 0, 1, 1))), Some(Verdict::NotComparable));
    }

    #[test]
    fn one_side_alone_says_which() {
        let (here, there) = (ours(said("COMPLIANT", 0, 2, 2)), said("COMPLIANT", 0, 2, 2));
        assert_eq!(verdict(KNOWN, Some(&here), None), Some(Verdict::OnlyHere));
        assert_eq!(verdict(KNOWN, None, Some(&there)), Some(Verdict::OnlyThere));
        assert_eq!(verdict(KNOWN, None, None), None);
        let silent = Place { day: DeliveryState::Missing, ..KNOWN };
        let found = compare(silent, Some(&here), Some(&there)).expect("AWS says something");
        assert_eq!(
            (found.verdict, found.reason.as_str()),
            (Verdict::NotComparable, "no evidence here for the day: missing")
        );
        assert_eq!(verdict(silent, Some(&here), None), None, "what was last known is not of the day");
    }

    #[test]
    fn what_cannot_be_told_apart_by_name_is_not_comparable() {
        let there = said("COMPLIANT", 0, 2, 2);
        let nameless = Ours { named: false, ..ours(there.clone()) };
        assert_eq!(verdict(KNOWN, Some(&nameless), None), Some(Verdict::NotComparable));
        let twice = Ours { packs: 2, ..ours(there.clone()) };
        let found = compare(KNOWN, Some(&twice), Some(&there)).expect("both say something");
        assert_eq!(found.reason, "2 packs of this name were delivered");
    }

    #[test]
    fn rules_without_data_are_what_aws_counts_neither_way() {
        assert_eq!(said("COMPLIANT", 0, 125, 130).words(), "0 failing, 125 complying, 5 without data, of 130 rules");
        assert_eq!(said("COMPLIANT", 0, 3, 1).words(), "0 failing, 3 complying, 0 without data, of 1 rule");
    }

    fn sides() -> impl Strategy<Value = Said> {
        let words = ["COMPLIANT", "NON_COMPLIANT", "INSUFFICIENT_DATA", "SOMETHING_NEW"];
        (proptest::sample::select(words.to_vec()), 0..3_i32, 0..3_i32, 0..3_i32).prop_map(
            |(word, non_compliant, compliant, more)| {
                said(word, non_compliant, compliant, non_compliant + compliant + more)
            },
        )
    }

    fn places() -> impl Strategy<Value = Place> {
        let sources = [Source::Succeeded, Source::Failed, Source::Outdated, Source::Unrecognised, Source::Unnamed];
        (proptest::sample::select(DeliveryState::ALL.to_vec()), proptest::sample::select(sources.to_vec()))
            .prop_map(|(day, source)| Place { day, source })
    }

    proptest! {
        #[test]
        fn each_outcome_means_what_it_says(
            place in places(),
            said in proptest::option::of(sides()),
            named in any::<bool>(),
            packs in 1..3_i64,
            theirs in proptest::option::of(sides()),
        ) {
            let ours = said.map(|said| Ours { said, named, packs });
            let found = compare(place, ours.as_ref(), theirs.as_ref());
            let here = ours.is_some() && place.day.known();
            prop_assert_eq!(found.is_none(), !here && theirs.is_none());
            if let Some(found) = found {
                prop_assert_eq!(found.reason.is_empty(), found.verdict != Verdict::NotComparable);
                match found.verdict {
                    Verdict::OnlyHere => prop_assert!(here && theirs.is_none()),
                    Verdict::OnlyThere => prop_assert!(!here && theirs.is_some()),
                    Verdict::Agree => {
                        prop_assert!(here && place.source == Source::Succeeded);
                        prop_assert_eq!(ours.map(|ours| ours.said), theirs);
                    }
                    Verdict::Differ => {
                        prop_assert!(here && theirs.is_some());
                        prop_assert_ne!(ours.map(|ours| ours.said), theirs);
                    }
                    Verdict::NotComparable => {}
                }
            }
        }
    }
}
