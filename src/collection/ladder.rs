//! The count ladder: everything that was seen is accounted for, or the collection fails.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::day::Day;
use super::plan::Outcome;
use super::read_day::Judged;
use super::source::{Kind, Unreached};

/// What bringing places up to date came to.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) collected: u64,
    pub(super) superseded: u64,
    pub(super) new_unreadable: u64,
    pub(super) read_again: u64,
    /// Names of objects that could not be read, and why.
    pub(super) unreadable: Vec<(String, String)>,
    pub(super) snapshot_evaluations: u64,
    pub(super) history_evaluations: u64,
    pub(super) left_out: BTreeMap<&'static str, u64>,
    pub(super) history_left_out: BTreeMap<&'static str, u64>,
    /// Place-days whose delivery this collection wrote.
    pub(super) days: u64,
    pub(super) inferred_days: u64,
    /// Evaluations of those days, as written from snapshots.
    pub(super) stored: i64,
    /// Conformance-pack items in snapshots, and what became of them.
    pub(super) packs_read: u64,
    pub(super) packs_stored: u64,
    pub(super) packs_left_out: BTreeMap<&'static str, u64>,
    pub(super) history_packs_read: u64,
    pub(super) rechecked: u64,
    /// Names of objects whose bytes changed after they were collected, and how.
    pub(super) changed: Vec<(String, String)>,
    /// Names of objects that could not be reached, and why.
    pub(super) unreached: Vec<(String, String)>,
    /// Places' days that such objects are of.
    pub(super) unreached_days: BTreeSet<(i32, Day)>,
    /// Names of collected objects that could not be reached to hash them again, and why.
    pub(super) not_rechecked: Vec<(String, String)>,
}

impl Tally {
    /// Counts an object; `new` is false for one that an earlier collection saw and that was read again.
    pub(super) fn judge(&mut self, judged: &Judged, new: bool) {
        match judged.outcome {
            _ if !new => self.read_again += 1,
            Outcome::Collected | Outcome::Changed => self.collected += 1,
            Outcome::Superseded => self.superseded += 1,
            Outcome::Unreadable => self.new_unreadable += 1,
        }
        if let Some(unreadable) = &judged.unreadable {
            self.unreadable.push((judged.object.name.clone(), unreadable.to_string()));
        }
        let evaluations = judged.reading.as_ref().map_or(0, |reading| reading.evaluations);
        let (read, left_out) = match judged.object.key.kind {
            Kind::Snapshot => (&mut self.snapshot_evaluations, &mut self.left_out),
            Kind::History => (&mut self.history_evaluations, &mut self.history_left_out),
        };
        *read += evaluations;
        let packs = judged.reading.as_ref().map_or(0, |reading| reading.pack_items);
        match judged.object.key.kind {
            Kind::Snapshot => self.packs_read += packs,
            Kind::History => self.history_packs_read += packs,
        }
        self.packs_stored += judged.packs;
        for (sum, more) in [(left_out, &judged.left_out), (&mut self.packs_left_out, &judged.packs_left_out)] {
            for (&reason, count) in more {
                *sum.entry(reason).or_default() += count;
            }
        }
    }

    /// Counts objects of a place's day that could not be reached.
    pub(super) fn miss(&mut self, place_id: i32, day: Day, unreached: &[(String, Unreached)]) {
        for (name, why) in unreached {
            self.unreached.push((name.clone(), why.to_string()));
            self.unreached_days.insert((place_id, day));
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.collected += other.collected;
        self.superseded += other.superseded;
        self.new_unreadable += other.new_unreadable;
        self.read_again += other.read_again;
        self.unreadable.extend_from_slice(&other.unreadable);
        self.snapshot_evaluations += other.snapshot_evaluations;
        self.history_evaluations += other.history_evaluations;
        self.packs_read += other.packs_read;
        self.packs_stored += other.packs_stored;
        self.history_packs_read += other.history_packs_read;
        for (sum, more) in [
            (&mut self.left_out, &other.left_out),
            (&mut self.history_left_out, &other.history_left_out),
            (&mut self.packs_left_out, &other.packs_left_out),
        ] {
            for (&reason, count) in more {
                *sum.entry(reason).or_default() += count;
            }
        }
        self.days += other.days;
        self.inferred_days += other.inferred_days;
        self.stored += other.stored;
        self.rechecked += other.rechecked;
        self.changed.extend_from_slice(&other.changed);
        self.unreached.extend_from_slice(&other.unreached);
        self.unreached_days.extend(&other.unreached_days);
        self.not_rechecked.extend_from_slice(&other.not_rechecked);
    }
}

/// The ladder of one collection, as stored and shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Ladder {
    /// Objects of AWS Config that the source lists within the days asked for.
    pub objects_listed: u64,
    /// Of those: judged by an earlier collection and unchanged.
    pub objects_seen_before: u64,
    pub objects_collected: u64,
    pub objects_superseded: u64,
    pub objects_unreadable: u64,
    /// Of those seen before: read again, because they had to be or to recheck them.
    pub objects_read_again: u64,
    /// Objects that the source lists, that an earlier collection could not read and that were not read again now.
    pub objects_still_unreadable: u64,
    /// Their names, and why (at most 1,000 are kept).
    pub still_unreadable: Vec<(String, String)>,
    /// Of all read now: names of those that could not be read, and why (at most 1,000 are kept).
    pub unreadable: Vec<(String, String)>,
    /// Could not be reached this time (denied, throttled …): the next collection tries again.
    pub objects_unreached: u64,
    /// Names of those, and why (at most 1,000 are kept).
    pub unreached: Vec<(String, String)>,
    /// Not counted in `objects_listed`: of days that were not asked for. A bucket's are not even listed.
    pub objects_outside_days: u64,
    /// Counted in `objects_listed` and not read: of days whose evidence was removed by the retention setting.
    pub objects_before_kept: u64,
    /// Not AWS Config's delivered evidence, by reason.
    pub ignored: BTreeMap<String, u64>,
    /// Names that look like AWS Config's and are not, and what is wrong with them (at most 1,000 are kept).
    pub malformed: Vec<(String, String)>,
    /// Folders, files and prefixes that could not be looked at.
    pub unlisted: Vec<(String, String)>,
    /// What was not looked at on purpose, and why.
    pub skipped: Vec<(String, String)>,
    /// Evaluations in snapshots that were read and speak for their day.
    pub evaluations_read: u64,
    /// Evaluations of the days that this collection wrote, as its delivery rows count them.
    pub evaluations_stored: u64,
    /// The same days counted again in the store's roll-up, after all was committed.
    pub evaluations_in_store: u64,
    /// Read and not stored, by reason.
    pub left_out: BTreeMap<String, u64>,
    /// Evaluations in items of history objects, kept as items.
    pub history_evaluations: u64,
    pub history_left_out: BTreeMap<String, u64>,
    /// The evaluations of the same objects counted again in the items kept.
    pub history_in_store: u64,
    /// Conformance-pack items in snapshots that were read and speak for their day; those that give the day a verdict; the
    /// verdicts counted again in the store; those left out, by reason.
    pub packs_read: u64,
    pub packs_stored: u64,
    pub packs_in_store: u64,
    pub packs_left_out: BTreeMap<String, u64>,
    /// Conformance-pack items in history objects, and those counted again in the items kept.
    pub history_packs_read: u64,
    pub history_packs_in_store: u64,
    pub days_written: u64,
    pub days_inferred: u64,
    /// Days of account-Regions that no finished collection vouches for yet: written by this one, or by one before that
    /// failed or was interrupted.
    pub days_due: u64,
    /// Of those: days whose counts are the same in their object's record, their delivery, the runs and the roll-up.
    pub days_agreeing: u64,
    /// Of those: days that disagree, and how (at most 20 are kept).
    pub disagreeing: Vec<(String, String)>,
    /// Evaluations of the latest day, counted in the runs and in the roll-up.
    pub latest_in_runs: u64,
    pub latest_in_rollup: u64,
    pub rechecked: u64,
    /// Objects whose bytes changed after they were collected.
    pub changed: Vec<(String, String)>,
    /// Why Organizations could not be read, where it was asked: the last account list stands.
    pub accounts_unread: Option<String>,
    /// What asking the accounts for their rules came to, where it was asked.
    pub definitions: Option<crate::definition::Tally>,
    /// What comparing with AWS Config's aggregator came to, where one is named.
    pub aggregator: Option<crate::reconcile::Tally>,
}

/// One step of the ladder: two counts that must be equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub name: &'static str,
    pub left: (&'static str, u64),
    pub right: (&'static str, u64),
}

impl Step {
    pub fn closes(&self) -> bool {
        self.left.1 == self.right.1
    }
}

impl Ladder {
    /// The steps, in the order of the data's way.
    pub fn steps(&self) -> Vec<Step> {
        let left_out: u64 = self.left_out.values().sum();
        let mut steps = vec![
            Step {
                name: "Objects",
                left: ("listed", self.objects_listed),
                right: (
                    "seen before + collected + superseded + unreadable + not reached + before the first day kept",
                    self.objects_seen_before
                        + self.objects_collected
                        + self.objects_superseded
                        + self.objects_unreadable
                        + self.objects_unreached
                        + self.objects_before_kept,
                ),
            },
            Step {
                name: "Evaluations of snapshots",
                left: ("read", self.evaluations_read),
                right: ("stored + left out", self.evaluations_stored + left_out),
            },
            Step {
                name: "Evaluations of the days written",
                left: ("stored", self.evaluations_stored),
                right: ("counted again in the store", self.evaluations_in_store),
            },
            Step {
                name: "Evaluations of history objects",
                left: ("read", self.history_evaluations),
                right: ("kept + left out", self.history_in_store + self.history_left_out.values().sum::<u64>()),
            },
            Step {
                name: "Conformance-pack items of snapshots",
                left: ("read", self.packs_read),
                right: ("stored + left out", self.packs_stored + self.packs_left_out.values().sum::<u64>()),
            },
            Step {
                name: "Conformance-pack verdicts of the days written",
                left: ("stored", self.packs_stored),
                right: ("counted again in the store", self.packs_in_store),
            },
            Step {
                name: "Conformance-pack items of history objects",
                left: ("read", self.history_packs_read),
                right: ("kept", self.history_packs_in_store),
            },
            Step {
                name: "Days that no finished collection vouches for yet",
                left: ("written", self.days_due),
                right: ("the same in objects, deliveries, runs and roll-up", self.days_agreeing),
            },
            Step {
                name: "Evaluations of the latest day",
                left: ("in the runs", self.latest_in_runs),
                right: ("in the roll-up", self.latest_in_rollup),
            },
        ];
        steps.extend(self.definitions.as_ref().map(|read| Step {
            name: "Account-Regions asked for their rules",
            left: ("expected", read.places),
            right: ("read + not read, by cause", read.accounted()),
        }));
        steps
    }

    pub fn closes(&self) -> bool {
        self.steps().iter().all(Step::closes)
    }

    /// Whether everything that was there could be read.
    pub fn whole(&self) -> bool {
        self.objects_unreadable == 0
            && self.unreadable.is_empty()
            && self.objects_still_unreadable == 0
            && self.objects_unreached == 0
            && self.unreached.is_empty()
            && self.malformed.is_empty()
            && self.unlisted.is_empty()
            && self.changed.is_empty()
            && self.accounts_unread.is_none()
            && self.definitions.as_ref().is_none_or(|read| read.failed.is_empty())
            && self.aggregator.as_ref().is_none_or(|read| read.failure.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_object_or_evaluation_keeps_the_ladder_open() {
        let whole = Ladder {
            objects_listed: 3,
            objects_collected: 2,
            objects_superseded: 1,
            evaluations_read: 10,
            evaluations_stored: 9,
            evaluations_in_store: 9,
            left_out: BTreeMap::from([("twice".to_owned(), 1)]),
            ..Ladder::default()
        };
        assert!(whole.closes());
        assert!(!Ladder { objects_listed: 4, ..whole.clone() }.closes());
        assert!(Ladder { objects_listed: 4, objects_before_kept: 1, ..whole.clone() }.closes());
        assert!(!Ladder { evaluations_in_store: 8, ..whole.clone() }.closes());
        assert!(!Ladder { days_due: 2, days_agreeing: 1, ..whole.clone() }.closes());
        assert!(!Ladder { latest_in_runs: 1, ..whole }.closes());
    }
}
