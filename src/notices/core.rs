//! Which notices open and close, from what the store says. Pure.
//!
//! A cause is a kind and what it is about; its members are the places or accounts in which it was seen. An open notice
//! covers its members, so that the same cause is told once; it is closed when none of them shows the cause any more.

mod unread;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use time::{Date, OffsetDateTime};

use super::kind::Kind;
use crate::definition::Outcome;

/// An account in a Region, as notices name it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PlaceName {
    pub(super) account_id: String,
    pub(super) region: String,
}

impl PlaceName {
    /// The member of a notice that stands for it.
    pub(super) fn member(&self) -> String {
        format!("{} {}", self.account_id, self.region)
    }

    /// Reads [`Self::member`].
    pub(super) fn of_member(member: &str) -> Option<Self> {
        let (account_id, region) = member.split_once(' ')?;
        Some(Self { account_id: account_id.to_owned(), region: region.to_owned() })
    }
}

/// A place that is expected now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) name: PlaceName,
    /// Empty where no account list names it.
    pub(super) account_name: String,
    /// The first day on which it is expected.
    pub(super) expected_since: Date,
    /// When its last snapshot was taken, readable or not.
    pub(super) last_snapshot_at: Option<OffsetDateTime>,
    /// Of a place that never had a snapshot: when its last history object was written. Its days are inferred from that.
    pub(super) last_history_at: Option<OffsetDateTime>,
    /// The day of its last readable snapshot, if that holds no compliance items and an earlier one did.
    pub(super) without_items_on: Option<Date>,
}

/// A rule that was in a place on one day and is not there on its latest known one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Gone {
    pub(super) core_name: String,
    pub(super) place: PlaceName,
    /// The last day with it.
    pub(super) before: Date,
    /// The place's latest known day, without it.
    pub(super) day: Date,
}

/// A critical rule in an account on the latest known days of its places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failing {
    pub(super) core_name: String,
    pub(super) account_id: String,
    pub(super) not_complying: i64,
    /// The day before, and how many did not comply then. `None`: nothing is known of an earlier day.
    pub(super) before: Option<(Date, i64)>,
}

/// Objects that a collection left unreadable and that are so still.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unreadable {
    pub(super) collection_id: i64,
    pub(super) objects: i64,
    /// Names of some of them.
    pub(super) names: Vec<String>,
}

/// How reading AWS Config's aggregator went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AggregatorReading {
    pub(super) aggregator: String,
    /// Cause and words, where it could not be read.
    pub(super) failure: Option<(String, String)>,
}

/// A place of which the collection could not read what its rules ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Undefined {
    pub(super) cause: Outcome,
    pub(super) place: PlaceName,
    /// What AWS said, where it was asked.
    pub(super) failure: String,
}

/// A notice that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Open {
    pub(super) notice_id: i64,
    pub(super) kind: Kind,
    pub(super) about: String,
    pub(super) members: BTreeSet<String>,
    pub(super) as_of_day: Option<Date>,
}

/// What the store says after a collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) now: OffsetDateTime,
    pub(super) silent_after: Duration,
    /// The newest collected day.
    pub(super) as_of: Option<Date>,
    pub(super) open: Vec<Open>,
    pub(super) said: Said,
}

/// What there is to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    /// After a collection that failed: the failure alone.
    Failed {
        collection_id: Option<i64>,
        job_id: Option<i64>,
        failure: String,
    },
    Finished(Box<Evidence>),
}

/// What a finished collection left in the store.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Evidence {
    pub(super) collection_id: i64,
    pub(super) places: Vec<Place>,
    pub(super) gone: Vec<Gone>,
    /// Of the members of open notices: core rule and place, still without the rule.
    pub(super) still_gone: BTreeSet<(String, String)>,
    /// Every critical rule and account with a failing evaluation now.
    pub(super) failing: Vec<Failing>,
    /// Of this collection and of those that open notices are about.
    pub(super) unreadable: Vec<Unreadable>,
    /// Files of this collection that could not even be looked at: how many, and names of some.
    pub(super) unlisted: (i64, Vec<String>),
    /// Of this collection; `None` where it asked no aggregator.
    pub(super) aggregator: Option<AggregatorReading>,
    /// Of this collection.
    pub(super) undefined: Vec<Undefined>,
    /// Of the members of open notices: expected today, and not read the last time either.
    pub(super) still_undefined: BTreeSet<String>,
}

/// A notice to open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Opening {
    pub(super) kind: Kind,
    pub(super) about: String,
    pub(super) sentence: String,
    /// What was seen; `members` is among it.
    pub(super) facts: Value,
}

/// A notice to close, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Closing {
    pub(super) notice_id: i64,
    pub(super) because: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Decision {
    pub(super) opened: Vec<Opening>,
    pub(super) closed: Vec<Closing>,
}

impl Decision {
    pub(super) fn is_empty(&self) -> bool {
        self.opened.is_empty() && self.closed.is_empty()
    }
}

/// What the notice about files that could not be looked at is about, and its one member.
const LISTING: &str = "listing";
/// What the notice about failed collections is about, and its one member.
const COLLECTIONS: &str = "collections";

/// Decides what is new and what is over.
pub(super) fn decide(facts: &Facts) -> Decision {
    match &facts.said {
        Said::Failed { collection_id, job_id, failure } => {
            let covered = facts.open.iter().any(|open| open.kind == Kind::CollectionFailed);
            let opening = || Opening {
                kind: Kind::CollectionFailed,
                about: COLLECTIONS.to_owned(),
                sentence: words::collection_failed(*collection_id, failure),
                facts: json!({ "members": [COLLECTIONS], "collection": collection_id, "job": job_id, "failure": failure }),
            };
            Decision { opened: (!covered).then(opening).into_iter().collect(), closed: Vec::new() }
        }
        Said::Finished(evidence) => {
            let opened = [
                silent(facts, evidence),
                dropped(facts, evidence),
                gone(facts, evidence),
                failing(facts, evidence),
                unreadable(facts, evidence),
                unread::aggregator(facts, evidence),
                unread::definitions(facts, evidence),
            ];
            let over = |open: &Open| over(facts, evidence, open);
            let closed = facts
                .open
                .iter()
                .filter_map(|open| over(open).map(|because| Closing { notice_id: open.notice_id, because }));
            Decision { opened: opened.concat(), closed: closed.collect() }
        }
    }
}

impl Facts {
    /// Whether an open notice tells of a member already. Where the member is known to have been well on a day, only a
    /// notice that is newer than that day does.
    fn covered(&self, kind: Kind, about: &str, member: &str, well_on: Option<Date>) -> bool {
        self.open.iter().any(|open| {
            open.kind == kind
                && open.about == about
                && open.members.contains(member)
                && well_on.is_none_or(|well| open.as_of_day.is_none_or(|day| day > well))
        })
    }

    fn is_silent(&self, place: &Place) -> bool {
        let last = place.last_snapshot_at.or(place.last_history_at);
        let since = last.unwrap_or_else(|| place.expected_since.midnight().assume_utc());
        self.now - since > self.silent_after
    }
}

fn silent(facts: &Facts, evidence: &Evidence) -> Vec<Opening> {
    let silent = evidence.places.iter().filter(|place| facts.is_silent(place));
    let new = silent.filter(|place| {
        let member = place.name.member();
        !facts.covered(Kind::PlaceSilent, &member, &member, None)
    });
    new.map(|place| Opening {
        kind: Kind::PlaceSilent,
        about: place.name.member(),
        sentence: words::silent(place),
        facts: json!({
            "members": [place.name.member()], "account": place.name.account_id, "account_name": place.account_name,
            "region": place.name.region, "last_snapshot_at": place.last_snapshot_at.map(crate::web::format::at),
            "last_history_at": place.last_history_at.map(crate::web::format::at),
            "expected_since": place.expected_since.to_string(), "silent_after_seconds": facts.silent_after.as_secs(),
        }),
    })
    .collect()
}

fn dropped(facts: &Facts, evidence: &Evidence) -> Vec<Opening> {
    let dropped = evidence.places.iter().filter_map(|place| Some((place, place.without_items_on?)));
    let new = dropped.filter(|(place, _)| {
        let member = place.name.member();
        !facts.covered(Kind::ItemsDropped, &member, &member, None)
    });
    new.map(|(place, day)| Opening {
        kind: Kind::ItemsDropped,
        about: place.name.member(),
        sentence: words::dropped(place, day),
        facts: json!({
            "members": [place.name.member()], "account": place.name.account_id, "account_name": place.account_name,
            "region": place.name.region, "day": day.to_string(),
        }),
    })
    .collect()
}

fn gone(facts: &Facts, evidence: &Evidence) -> Vec<Opening> {
    let mut rules: BTreeMap<&str, Vec<&Gone>> = BTreeMap::new();
    for one in &evidence.gone {
        if !facts.covered(Kind::RuleGone, &one.core_name, &one.place.member(), Some(one.before)) {
            rules.entry(&one.core_name).or_default().push(one);
        }
    }
    rules
        .into_iter()
        .map(|(core_name, places)| {
            let members: BTreeSet<String> = places.iter().map(|one| one.place.member()).collect();
            Opening {
                kind: Kind::RuleGone,
                about: core_name.to_owned(),
                sentence: words::gone(core_name, &members),
                facts: json!({
                    "members": members, "rule": core_name, "places": members.len(),
                    "day": places.iter().map(|one| one.day).max().map(|day| day.to_string()),
                }),
            }
        })
        .collect()
}

fn failing(facts: &Facts, evidence: &Evidence) -> Vec<Opening> {
    let mut rules: BTreeMap<&str, Vec<&Failing>> = BTreeMap::new();
    for one in &evidence.failing {
        let Some((before, 0)) = one.before else { continue };
        if !facts.covered(Kind::CriticalFailing, &one.core_name, &one.account_id, Some(before)) {
            rules.entry(&one.core_name).or_default().push(one);
        }
    }
    rules
        .into_iter()
        .map(|(core_name, accounts)| {
            let members: BTreeSet<&String> = accounts.iter().map(|one| &one.account_id).collect();
            let evaluations: i64 = accounts.iter().map(|one| one.not_complying).sum();
            Opening {
                kind: Kind::CriticalFailing,
                about: core_name.to_owned(),
                sentence: words::failing(core_name, &members, evaluations),
                facts: json!({
                    "members": members, "rule": core_name, "accounts": members.len(), "evaluations": evaluations,
                }),
            }
        })
        .collect()
}

fn unreadable(facts: &Facts, evidence: &Evidence) -> Vec<Opening> {
    let of_collections = evidence.unreadable.iter().map(|one| {
        let sentence = words::unreadable(one.collection_id, one.objects);
        let facts = json!({ "members": [one.collection_id.to_string()], "collection": one.collection_id,
                            "objects": one.objects, "names": one.names });
        (one.collection_id.to_string(), one.objects, sentence, facts)
    });
    let (files, names) = &evidence.unlisted;
    let unlisted = (
        LISTING.to_owned(),
        *files,
        words::unlisted(*files),
        json!({ "members": [LISTING], "files": files, "names": names }),
    );
    of_collections
        .chain([unlisted])
        .filter(|(about, count, ..)| *count > 0 && !facts.covered(Kind::ObjectsUnreadable, about, about, None))
        .map(|(about, _, sentence, facts)| Opening { kind: Kind::ObjectsUnreadable, about, sentence, facts })
        .collect()
}

/// Why a notice is over, if it is: none of its members shows the cause any more.
fn over(facts: &Facts, evidence: &Evidence, open: &Open) -> Option<&'static str> {
    let place = |member: &String| evidence.places.iter().find(|place| place.name.member() == *member);
    let any = |holds: &dyn Fn(&String) -> bool| open.members.iter().any(holds);
    let (holds, because) = match open.kind {
        Kind::PlaceSilent => {
            let expected = any(&|member| place(member).is_some());
            let because = if expected { "It delivers again." } else { "It is no longer expected to deliver." };
            (any(&|member| place(member).is_some_and(|place| facts.is_silent(place))), because)
        }
        Kind::ItemsDropped => {
            let expected = any(&|member| place(member).is_some());
            let because = if expected {
                "Its last readable snapshot holds compliance items again."
            } else {
                "It is no longer expected to deliver."
            };
            (any(&|member| place(member).is_some_and(|place| place.without_items_on.is_some())), because)
        }
        Kind::RuleGone => (
            any(&|member| evidence.still_gone.contains(&(open.about.clone(), member.clone()))),
            "Each account-Region has the rule again, or is no longer expected to deliver.",
        ),
        Kind::CriticalFailing => (
            any(&|member| evidence.failing.iter().any(|one| one.core_name == open.about && one.account_id == *member)),
            "No evaluation of it fails in these accounts on their latest known days, or they are no longer expected to deliver.",
        ),
        Kind::CollectionFailed => (false, "A later collection finished."),
        Kind::ObjectsUnreadable if open.about == LISTING => {
            (evidence.unlisted.0 > 0, "A later collection could look at everything.")
        }
        Kind::ObjectsUnreadable => (
            evidence.unreadable.iter().any(|one| one.collection_id.to_string() == open.about && one.objects > 0),
            "Each of them was read later, or a later snapshot of its day was.",
        ),
        // A collection that asks no aggregator says nothing of it.
        Kind::AggregatorUnread => (
            evidence.aggregator.as_ref().is_none_or(|reading| reading.failure.is_some()),
            "The aggregator was read whole again.",
        ),
        Kind::DefinitionsUnread => (
            any(&|member| evidence.still_undefined.contains(member)),
            "The rules of each were read again, or it is no longer expected to deliver.",
        ),
        // A collection says nothing of Artifact: see [`seen_now`].
        Kind::ReportVersion | Kind::ReviewDue | Kind::CertificateEnding | Kind::ArtifactUnread | Kind::ReportGap => {
            return None;
        }
    };
    (!holds).then_some(because)
}

/// A cause as somebody sees it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub kind: Kind,
    /// With the kind it is the cause; its one member, too.
    pub about: String,
    pub sentence: String,
    /// What was seen, as a JSON object.
    pub facts: Value,
}

/// Opens what is seen now and not open, and closes what of these kinds is open and not seen any more, each with why.
pub(super) fn seen_now(open: &[Open], kinds: &[(Kind, &'static str)], seen: &[Seen]) -> Decision {
    let is = |open: &Open, seen: &Seen| open.kind == seen.kind && open.about == seen.about;
    let new = seen.iter().filter(|seen| !open.iter().any(|open| is(open, seen)));
    let opened = new.map(|seen| {
        let mut facts = seen.facts.clone();
        facts["members"] = json!([seen.about]);
        Opening { kind: seen.kind, about: seen.about.clone(), sentence: seen.sentence.clone(), facts }
    });
    let over = open.iter().filter_map(|open| {
        let (_, because) = kinds.iter().find(|(kind, _)| *kind == open.kind)?;
        let gone = !seen.iter().any(|seen| is(open, seen));
        gone.then_some(Closing { notice_id: open.notice_id, because })
    });
    Decision { opened: opened.collect(), closed: over.collect() }
}

#[cfg(test)]
mod tests;
