//! Which objects of a place's day speak, and which must be read to know it: decisions apart from reading.

use std::collections::{BTreeMap, HashMap};

use time::Date;

use super::source::{Kind, Object};
use crate::compliance::DeliveryState;

/// What a collection made of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Collected,
    Superseded,
    Unreadable,
    /// Its bytes are no longer those that were collected.
    Changed,
}

impl Outcome {
    /// The word in column `object_outcome.outcome`.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Collected => "collected",
            Self::Superseded => "superseded",
            Self::Unreadable => "unreadable",
            Self::Changed => "changed",
        }
    }

    /// Reads [`Self::word`].
    pub(super) fn parse(word: &str) -> Option<Self> {
        [Self::Collected, Self::Superseded, Self::Unreadable, Self::Changed].into_iter().find(|it| it.word() == word)
    }
}

/// What tells one version of an object from another. S3's `VersionId` does not: a listing lacks it, and a version with the
/// same `ETag` and size has the same content.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Version {
    pub name: String,
    pub size_bytes: u64,
    pub modified_ns: Option<i64>,
    pub etag: Option<String>,
}

impl From<&Object> for Version {
    fn from(object: &Object) -> Self {
        Self {
            name: object.name.clone(),
            size_bytes: object.size_bytes,
            modified_ns: object.modified_ns,
            etag: object.etag.clone(),
        }
    }
}

/// An object version that an earlier collection saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    pub object_id: i64,
    pub outcome: Outcome,
}

/// An object of the listing with what is known of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate<'a> {
    pub object: &'a Object,
    pub seen: Option<Seen>,
}

/// The objects of one day of a place.
#[derive(Debug, Clone)]
pub(super) struct DayPlan<'a> {
    pub day: Date,
    /// The snapshot that speaks is the first readable one of these: latest first.
    pub snapshots: Vec<Candidate<'a>>,
    /// In order of time.
    pub history: Vec<Candidate<'a>>,
}

/// Groups a place's objects by day.
///
/// With `again`, objects that could not be read are taken as new.
pub(super) fn days<'a>(objects: &'a [Object], seen: &HashMap<Version, Seen>, again: bool) -> Vec<DayPlan<'a>> {
    let mut days: BTreeMap<Date, DayPlan<'a>> = BTreeMap::new();
    for object in objects {
        let seen =
            seen.get(&Version::from(object)).copied().filter(|seen| !(again && seen.outcome == Outcome::Unreadable));
        let day = object.key.day;
        let plan = days.entry(day).or_insert_with(|| DayPlan { day, snapshots: vec![], history: vec![] });
        match object.key.kind {
            Kind::Snapshot => plan.snapshots.push(Candidate { object, seen }),
            Kind::History => plan.history.push(Candidate { object, seen }),
        }
    }
    let time = |candidate: &Candidate<'_>| (candidate.object.key.taken_at, candidate.object.name.clone());
    for plan in days.values_mut() {
        plan.snapshots.sort_by_key(|candidate| std::cmp::Reverse(time(candidate)));
        plan.history.sort_by_key(time);
    }
    days.into_values().collect()
}

/// What one snapshot turned out to be when its turn came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It can be read and holds compliance items.
    Speaks,
    /// It can be read and holds none.
    Silent,
    Unreadable,
    /// It could not be reached this time; the state says why.
    Unreached(DeliveryState),
}

/// The state of a day by its snapshots, from the latest on, up to the first that could be read.
///
/// `None`: the day has no snapshot.
pub(super) fn state(latest_first: &[Verdict]) -> Option<DeliveryState> {
    match latest_first {
        [] => None,
        [Verdict::Speaks, ..] => Some(DeliveryState::Delivered),
        [.., Verdict::Speaks] => Some(DeliveryState::DeliveredLaterUnreadable),
        [.., Verdict::Silent] => Some(DeliveryState::NoComplianceItems),
        // What could not be reached may yet turn out to be readable.
        all => all
            .iter()
            .find_map(|verdict| match verdict {
                Verdict::Unreached(state) => Some(*state),
                _ => None,
            })
            .or(Some(DeliveryState::Unreadable)),
    }
}

#[cfg(test)]
mod tests {
    use time::macros::{date, datetime};

    use super::super::source::{Key, PlaceName};
    use super::*;

    fn snapshot(name: &str, hour: u8) -> Object {
        Object {
            name: name.to_owned(),
            key: Key {
                place: PlaceName { account_id: "111122223333".to_owned(), region: "eu-central-1".to_owned() },
                day: date!(2026 - 11 - 20),
                kind: Kind::Snapshot,
                taken_at: Some(datetime!(2026-11-20 00:00 UTC) + time::Duration::hours(i64::from(hour))),
                resource_type: None,
            },
            size_bytes: 10,
            modified_ns: Some(1),
            etag: None,
            version_id: None,
        }
    }

    #[test]
    fn the_latest_snapshot_by_its_own_time_comes_first() {
        let objects = [snapshot("a", 9), snapshot("b", 23), snapshot("c", 11)];
        let days = days(&objects, &HashMap::new(), false);
        let names: Vec<_> = days[0].snapshots.iter().map(|candidate| candidate.object.name.as_str()).collect();
        assert_eq!(names, ["b", "c", "a"]);
        assert!(days[0].snapshots.iter().all(|candidate| candidate.seen.is_none()));
    }

    #[test]
    fn an_object_is_new_again_once_its_size_or_time_differs() {
        let before = snapshot("a", 9);
        let seen = HashMap::from([(Version::from(&before), Seen { object_id: 1, outcome: Outcome::Collected })]);
        let touched = Object { modified_ns: Some(2), ..before.clone() };
        let is_new = |object| days(std::slice::from_ref(object), &seen, false)[0].snapshots[0].seen.is_none();
        assert!(!is_new(&before));
        assert!(is_new(&touched));
    }

    #[test]
    fn the_last_readable_snapshot_decides_the_state() {
        use DeliveryState as S;
        use Verdict::{Silent, Speaks, Unreached, Unreadable};
        assert_eq!(state(&[]), None);
        assert_eq!(state(&[Speaks]), Some(S::Delivered));
        assert_eq!(state(&[Unreadable, Speaks]), Some(S::DeliveredLaterUnreadable));
        assert_eq!(state(&[Unreadable, Silent]), Some(S::NoComplianceItems));
        assert_eq!(state(&[Unreadable, Unreadable]), Some(S::Unreadable));
        assert_eq!(state(&[Unreached(S::Denied), Speaks]), Some(S::DeliveredLaterUnreadable));
        assert_eq!(state(&[Unreadable, Unreached(S::Throttled), Unreadable]), Some(S::Throttled));
    }
}
