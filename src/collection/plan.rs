//! Which objects of a place's day speak, and which must be read to know it: decisions apart from reading.

use std::collections::{BTreeMap, HashMap, HashSet};

use time::{Date, OffsetDateTime};

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
    /// Of an unreadable one whose bytes need not be at fault: see [`super::source::Unreadable`].
    pub retry_above: Option<u64>,
}

/// An object version as the store has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stored {
    pub version: Version,
    pub seen: Seen,
    pub day: Date,
    pub kind: Kind,
    pub taken_at: Option<OffsetDateTime>,
    pub sha256: Option<Vec<u8>>,
    /// The collection that saw it first, and the one that judged it last.
    pub first_collection: i64,
    pub judged_by: i64,
    /// Why it is unreadable.
    pub reason: Option<String>,
}

/// Which unreadable objects are read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Again {
    /// This collection, which reads none twice.
    pub collection_id: i64,
    /// All.
    pub all: bool,
    /// Those that could not be reached, and those that unpack to more than a limit below this one.
    pub unpacked_limit: u64,
}

impl Again {
    fn reads(self, it: &Stored) -> bool {
        it.seen.outcome == Outcome::Unreadable
            && it.judged_by < self.collection_id
            && (self.all || it.seen.retry_above.is_some_and(|limit| self.unpacked_limit > limit))
    }
}

/// An object of a day: one that the source lists, or one that an earlier collection saw and the source lists no more.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate<'a> {
    /// `None`: the source lists it no more.
    pub object: Option<&'a Object>,
    /// `None`: to be read.
    pub seen: Option<Seen>,
}

/// What is to be done about a snapshot while no later one of its day speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn<'a> {
    /// It was collected before and speaks.
    Stands(Verdict),
    Unreadable,
    Read(&'a Object),
    /// It has no say, and cannot be read any more.
    Passed,
}

impl<'a> Candidate<'a> {
    /// Decides it. `standing` tells of the object that speaks for the day so far what it is; of any other object nothing.
    pub(super) fn turn(&self, standing: impl Fn(i64) -> Option<Verdict>) -> Turn<'a> {
        let spoke = |seen: &Seen| matches!(seen.outcome, Outcome::Collected | Outcome::Changed);
        if let Some(verdict) = self.seen.filter(spoke).and_then(|seen| standing(seen.object_id)) {
            Turn::Stands(verdict)
        } else if self.seen.is_some_and(|seen| seen.outcome == Outcome::Unreadable) {
            Turn::Unreadable
        } else {
            self.object.map_or(Turn::Passed, Turn::Read)
        }
    }
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
/// A day is decided by all its evidence, wherever it is now: snapshots that spoke or could not be read stay candidates
/// when the source lists them no more (expired, overwritten, or collected from another copy of the bucket).
pub(super) fn days<'a>(objects: &'a [Object], stored: &'a [Stored], again: Again) -> Vec<DayPlan<'a>> {
    type Order<'a> = (Option<OffsetDateTime>, &'a str, bool, i64);
    let by_version: HashMap<&Version, &Stored> = stored.iter().map(|it| (&it.version, it)).collect();
    let mut days: BTreeMap<Date, (Vec<(Order<'a>, Candidate<'a>)>, Vec<(Order<'a>, Candidate<'a>)>)> = BTreeMap::new();
    let mut listed = HashSet::new();
    for object in objects {
        let found = by_version.get(&Version::from(object)).copied();
        listed.extend(found.map(|it| it.seen.object_id));
        let seen = found.filter(|it| !again.reads(it)).map(|it| it.seen);
        let (snapshots, history) = days.entry(object.key.day).or_default();
        let order = (object.key.taken_at, object.name.as_str(), true, i64::MAX);
        match object.key.kind {
            Kind::Snapshot => snapshots.push((order, Candidate { object: Some(object), seen })),
            Kind::History => history.push((order, Candidate { object: Some(object), seen })),
        }
    }
    for it in stored.iter().filter(|it| it.kind == Kind::Snapshot && it.seen.outcome != Outcome::Superseded) {
        if let Some((snapshots, _)) = days.get_mut(&it.day)
            && !listed.contains(&it.seen.object_id)
        {
            // Of two versions of one name the one that is listed is the later one.
            let order = (it.taken_at, it.version.name.as_str(), false, it.seen.object_id);
            snapshots.push((order, Candidate { object: None, seen: Some(it.seen) }));
        }
    }
    let plan = |(day, (mut snapshots, mut history)): (Date, (Vec<(Order<'a>, _)>, Vec<(Order<'a>, _)>))| {
        snapshots.sort_by(|(one, _), (other, _)| other.cmp(one));
        history.sort_by_key(|(order, _)| *order);
        let candidates = |list: Vec<(Order<'a>, _)>| list.into_iter().map(|(_, candidate)| candidate).collect();
        DayPlan { day, snapshots: candidates(snapshots), history: candidates(history) }
    };
    days.into_iter().map(plan).collect()
}

/// How many listed objects are to be judged.
pub(super) fn new_objects(objects: &[Object], stored: &[Stored], again: Again) -> usize {
    let seen: HashMap<&Version, &Stored> = stored.iter().map(|it| (&it.version, it)).collect();
    let is_new = |object: &&Object| seen.get(&Version::from(*object)).is_none_or(|it| again.reads(it));
    objects.iter().filter(is_new).count()
}

/// Whether seen history objects have another part to play than they played: `first_snapshot` is the first day from which
/// snapshots alone speak.
pub(super) fn history_turned(objects: &[Object], stored: &[Stored], first_snapshot: Option<Date>) -> bool {
    let seen: HashMap<&Version, Seen> = stored.iter().map(|it| (&it.version, it.seen)).collect();
    objects.iter().filter(|object| object.key.kind == Kind::History).any(|object| {
        let speaks = first_snapshot.is_none_or(|first| object.key.day < first);
        match seen.get(&Version::from(object)).map(|seen| seen.outcome) {
            Some(Outcome::Collected) => !speaks,
            Some(Outcome::Superseded) => speaks,
            _ => false,
        }
    })
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

    const NOT_AGAIN: Again = Again { collection_id: 2, all: false, unpacked_limit: 100 };

    fn stored(object: &Object, object_id: i64, outcome: Outcome) -> Stored {
        Stored {
            version: Version::from(object),
            seen: Seen { object_id, outcome, retry_above: None },
            day: object.key.day,
            kind: object.key.kind,
            taken_at: object.key.taken_at,
            sha256: None,
            first_collection: 1,
            judged_by: 1,
            reason: None,
        }
    }

    fn names<'a>(plan: &DayPlan<'a>) -> Vec<(Option<&'a str>, Option<i64>)> {
        let name = |it: &Candidate<'a>| (it.object.map(|object| object.name.as_str()), it.seen.map(|it| it.object_id));
        plan.snapshots.iter().map(name).collect()
    }

    #[test]
    fn the_latest_snapshot_by_its_own_time_comes_first() {
        let objects = [snapshot("a", 9), snapshot("b", 23), snapshot("c", 11)];
        let days = days(&objects, &[], NOT_AGAIN);
        assert_eq!(names(&days[0]), [(Some("b"), None), (Some("c"), None), (Some("a"), None)]);
    }

    #[test]
    fn an_object_is_new_again_once_its_size_or_time_differs() {
        let before = snapshot("a", 9);
        let stored = [stored(&before, 1, Outcome::Superseded)];
        let touched = Object { modified_ns: Some(2), ..before.clone() };
        let seen = |object| names(&days(std::slice::from_ref(object), &stored, NOT_AGAIN)[0])[0].1;
        assert_eq!(seen(&before), Some(1));
        assert_eq!(seen(&touched), None);
        assert_eq!(new_objects(&[before, touched], &stored, NOT_AGAIN), 1);
    }

    #[test]
    fn what_the_source_lists_no_more_still_counts_for_its_day() {
        let (early, late) = (snapshot("a", 9), snapshot("b", 23));
        let expired = [stored(&late, 7, Outcome::Collected), stored(&snapshot("c", 22), 8, Outcome::Superseded)];
        let listing = [early];
        assert_eq!(names(&days(&listing, &expired, NOT_AGAIN)[0]), [(None, Some(7)), (Some("a"), None)]);
        let overwritten = [stored(&Object { size_bytes: 9, ..late.clone() }, 7, Outcome::Collected)];
        let listing = [late];
        assert_eq!(names(&days(&listing, &overwritten, NOT_AGAIN)[0]), [(Some("b"), None), (None, Some(7))]);
    }

    #[test]
    fn an_object_whose_bytes_need_not_be_at_fault_is_read_again() {
        let object = [snapshot("a", 9)];
        let with = |retry_above, again| {
            let mut stored = stored(&object[0], 1, Outcome::Unreadable);
            stored.seen.retry_above = retry_above;
            new_objects(&object, &[stored], again) == 1
        };
        assert!(!with(None, NOT_AGAIN));
        assert!(with(None, Again { all: true, ..NOT_AGAIN }));
        assert!(with(Some(0), NOT_AGAIN));
        assert!(!with(Some(100), NOT_AGAIN));
        assert!(with(Some(100), Again { unpacked_limit: 101, ..NOT_AGAIN }));
        assert!(!with(Some(0), Again { collection_id: 1, ..NOT_AGAIN }), "once in a collection");
    }

    #[test]
    fn history_has_its_turn_when_the_first_snapshot_moves() {
        let mut history = snapshot("h", 6);
        history.key.kind = Kind::History;
        let history = [history];
        let turned = |outcome, first| history_turned(&history, &[stored(&history[0], 1, outcome)], first);
        let (before, after) = (Some(date!(2026 - 11 - 20)), Some(date!(2026 - 11 - 21)));
        assert!(turned(Outcome::Collected, before) && !turned(Outcome::Collected, after));
        assert!(!turned(Outcome::Collected, None));
        assert!(turned(Outcome::Superseded, after) && turned(Outcome::Superseded, None));
        assert!(!turned(Outcome::Superseded, before));
        assert!(!turned(Outcome::Unreadable, after));
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
