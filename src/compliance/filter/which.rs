//! Which evaluations of a day a status means.

use crate::compliance::core::{Counts, PlaceDay};
use crate::compliance::status;

/// Which evaluations of a day, by what they say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::compliance) enum Which {
    /// All that was delivered for the day, and the last known of places without evidence.
    #[default]
    All,
    Delivered,
    Compliant,
    NonCompliant,
    InsufficientData,
    NotApplicable,
    Unrecognised,
    /// Last known evaluations of expected places without evidence for the day.
    Carried,
    /// All that counts as unknown.
    Unknown,
}

impl Which {
    pub(in crate::compliance) const CHOICES: [(Self, &'static str, &'static str); 8] = [
        (Self::NonCompliant, "non-compliant", "NON_COMPLIANT"),
        (Self::Compliant, "compliant", "COMPLIANT"),
        (Self::Unknown, "unknown", "unknown, all kinds"),
        (Self::InsufficientData, "insufficient-data", "INSUFFICIENT_DATA"),
        (Self::Unrecognised, "unrecognised", "unrecognised status"),
        (Self::Carried, "carried", "unknown: no evidence that day"),
        (Self::NotApplicable, "not-applicable", "NOT_APPLICABLE"),
        (Self::Delivered, "delivered", "delivered that day"),
    ];

    pub(in crate::compliance) fn parse(slug: &str) -> Option<Self> {
        Self::CHOICES.into_iter().find(|(_, name, _)| *name == slug).map(|(which, ..)| which)
    }

    /// The word in addresses.
    pub(in crate::compliance) fn slug(self) -> &'static str {
        Self::CHOICES.into_iter().find(|(which, ..)| *which == self).map_or("", |(_, slug, _)| slug)
    }

    /// The word in sentences and choices.
    pub(in crate::compliance) fn words(self) -> &'static str {
        Self::CHOICES.into_iter().find(|(which, ..)| *which == self).map_or("any status", |(_, _, words)| words)
    }

    /// Whether there can be an evaluation that both mean.
    pub(in crate::compliance) fn meets(self, other: Self) -> bool {
        let both = |known, status_id| self.matches(known, status_id) && other.matches(known, status_id);
        status::CLASSES.into_iter().any(|status_id| both(true, status_id) || both(false, status_id))
    }

    /// Of [`status::CLASSES`], those that are meant.
    pub(in crate::compliance) fn statuses(self, known: bool) -> Vec<i16> {
        status::CLASSES.into_iter().filter(|status_id| self.matches(known, *status_id)).collect()
    }

    /// How many evaluations of a place are meant.
    pub(in crate::compliance) fn count(self, known: bool, counts: &Counts) -> i64 {
        match (self, known) {
            (Self::All | Self::Delivered, true) => counts.all(),
            (Self::Compliant, true) => counts.complying,
            (Self::NonCompliant, true) => counts.not_complying,
            (Self::InsufficientData, true) => counts.insufficient_data,
            (Self::NotApplicable, true) => counts.not_applicable,
            (Self::Unrecognised, true) => counts.unrecognised,
            (Self::Unknown, true) => counts.unknown(),
            (Self::All | Self::Carried | Self::Unknown, false) => counts.carried(),
            _ => 0,
        }
    }

    /// How many evaluations of a place on its day are meant.
    pub(in crate::compliance) fn of_place(self, place: &PlaceDay) -> i64 {
        match (place.known(), &place.last_known) {
            (true, _) => self.count(true, &place.counts),
            (false, Some((_, counts))) if place.expected => self.count(false, counts),
            _ => 0,
        }
    }

    /// Whether an evaluation is meant, by the row id of its status.
    pub(in crate::compliance) fn matches(self, known: bool, status_id: i16) -> bool {
        let mut counts = Counts::default();
        *match status_id {
            status::COMPLIANT => &mut counts.complying,
            status::NON_COMPLIANT => &mut counts.not_complying,
            status::INSUFFICIENT_DATA => &mut counts.insufficient_data,
            status::NOT_APPLICABLE => &mut counts.not_applicable,
            _ => &mut counts.unrecognised,
        } = 1;
        self.count(known, &counts) == 1
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_status_meets_the_kinds_that_it_holds() {
        for (which, other, meets) in [
            (Which::All, Which::Carried, true),
            (Which::Unknown, Which::Carried, true),
            (Which::Unknown, Which::Unrecognised, true),
            (Which::Unknown, Which::NonCompliant, false),
            (Which::Delivered, Which::Carried, false),
            (Which::Compliant, Which::NonCompliant, false),
        ] {
            assert_eq!((which.meets(other), other.meets(which)), (meets, meets), "{which:?} {other:?}");
        }
    }

    proptest! {
        #[test]
        fn every_evaluation_is_counted_where_it_is_listed(known: bool, status_id in 1_i16..6, which in 0_usize..9) {
            let which = Which::CHOICES.get(which).map_or(Which::All, |(which, ..)| *which);
            let mut counts = Counts::default();
            match status_id {
                1 => counts.complying = 1,
                2 => counts.not_complying = 1,
                3 => counts.insufficient_data = 1,
                4 => counts.not_applicable = 1,
                _ => counts.unrecognised = 1,
            }
            prop_assert_eq!(which.count(known, &counts) == 1, which.matches(known, status_id));
        }

        #[test]
        fn delivered_and_carried_are_all(known: bool, complying in 0..9_i64, not_applicable in 0..9_i64, odd in 0..9_i64) {
            let counts = Counts { complying, not_applicable, unrecognised: odd, ..Counts::default() };
            let sum = Which::Delivered.count(known, &counts) + Which::Carried.count(known, &counts);
            prop_assert_eq!(sum, Which::All.count(known, &counts));
        }
    }
}
