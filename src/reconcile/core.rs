//! The same result in two ways, side by side. Pure.

use serde::{Deserialize, Serialize};

use crate::compliance::core::Counts;
use crate::compliance::{DeliveryState, Status};

/// What the aggregator says of a rule in an account and Region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Theirs {
    pub(super) compliance: Status,
    /// Resources that make it so; `None` where AWS does not count them.
    pub(super) count: Option<i64>,
    /// Whether AWS stopped counting there: so many at least.
    pub(super) capped: bool,
}

/// How the aggregator last heard from an account and Region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Source {
    Succeeded,
    Failed,
    /// AWS says that what it has is not the most recent.
    Outdated,
    /// It is among the sources with a status that we do not know.
    Unrecognised,
    /// It is not among the sources.
    Unnamed,
}

impl Source {
    /// Reads AWS's word.
    pub(super) fn parse(word: &str) -> Self {
        match word {
            "SUCCEEDED" => Self::Succeeded,
            "FAILED" => Self::Failed,
            "OUTDATED" => Self::Outdated,
            _ => Self::Unrecognised,
        }
    }
}

/// What holds for all results of an account and Region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// The store's day.
    pub(super) day: DeliveryState,
    pub(super) source: Source,
}

/// What the two ways come to. The numbers are those of column `comparison.verdict`, what needs a look first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Verdict {
    Differ,
    OnlyHere,
    OnlyThere,
    NotComparable,
    Agree,
}

impl Verdict {
    pub(super) const ALL: [Self; 5] = [Self::Differ, Self::OnlyHere, Self::OnlyThere, Self::NotComparable, Self::Agree];

    /// The number in the store.
    pub(super) fn id(self) -> i16 {
        match self {
            Self::Differ => 0,
            Self::OnlyHere => 1,
            Self::OnlyThere => 2,
            Self::NotComparable => 3,
            Self::Agree => 4,
        }
    }

    /// Reads [`Self::id`].
    pub(super) fn of_id(id: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.id() == id)
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Differ => "differ",
            Self::OnlyHere => "only here",
            Self::OnlyThere => "only there",
            Self::NotComparable => "not comparable",
            Self::Agree => "agree",
        }
    }

    /// The name used in addresses and classes.
    pub(super) fn slug(self) -> &'static str {
        match self {
            Self::Differ => "differ",
            Self::OnlyHere => "only-here",
            Self::OnlyThere => "only-there",
            Self::NotComparable => "not-comparable",
            Self::Agree => "agree",
        }
    }

    /// Reads [`Self::slug`].
    pub(super) fn parse(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.slug() == slug)
    }

    /// The shape beside the word.
    pub(super) fn shape(self) -> char {
        match self {
            Self::Differ => '≠',
            Self::OnlyHere => '◧',
            Self::OnlyThere => '◨',
            Self::NotComparable => '?',
            Self::Agree => '=',
        }
    }
}

/// A result that one side or both have, compared; `reason` is why it cannot be, and empty elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Compared {
    pub(super) verdict: Verdict,
    pub(super) reason: String,
}

impl Compared {
    pub(super) fn plain(verdict: Verdict) -> Self {
        Self { verdict, reason: String::new() }
    }

    pub(super) fn not_comparable(reason: impl Into<String>) -> Self {
        Self { verdict: Verdict::NotComparable, reason: reason.into() }
    }
}

/// A rule's verdict from what it says of resources, by AWS's own order: one that fails makes the rule fail. `None` of
/// nothing, and of words that we do not know where they could change the verdict.
pub(super) fn verdict_of(counts: &Counts) -> Option<Status> {
    if counts.not_complying > 0 {
        return Some(Status::NonCompliant);
    }
    if counts.unrecognised > 0 {
        return None;
    }
    if counts.complying > 0 {
        Some(Status::Compliant)
    } else if counts.insufficient_data > 0 {
        Some(Status::InsufficientData)
    } else {
        (counts.not_applicable > 0).then_some(Status::NotApplicable)
    }
}

/// Compares what the store says of a rule in an account and Region with what the aggregator says; `None` where neither
/// says anything. `ours` is nothing where the store's day is not known.
pub(super) fn compare(place: Place, ours: Option<Counts>, theirs: Option<&Theirs>) -> Option<Compared> {
    let ours = ours.filter(|counts| counts.all() > 0);
    by_place(place, ours.is_some(), theirs.is_some()).unwrap_or_else(|| Some(both(&ours?, theirs?)))
}

/// What the account and Region decide already, given which sides say something of a result; `None` where what they say
/// is to be compared. What is still known of a place whose day is not known is not of the day: nobody says it.
pub(super) fn by_place(place: Place, here: bool, there: bool) -> Option<Option<Compared>> {
    let here = here && place.day.known();
    if !here && !there {
        return Some(None);
    }
    if !place.day.known() {
        // Nothing is expected there and nothing came: the aggregator knows a place that the evidence does not.
        return Some(Some(if place.day == DeliveryState::NotExpected {
            Compared::plain(Verdict::OnlyThere)
        } else {
            Compared::not_comparable(format!("no evidence here for the day: {}", place.day.word()))
        }));
    }
    let source = match place.source {
        Source::Succeeded => None,
        Source::Failed => Some("AWS could not collect from the source"),
        Source::Outdated => Some("AWS says that its data of the source are outdated"),
        Source::Unrecognised => Some("the source has a status that we do not know"),
        // What nobody aggregates is missing there for that reason; a result all the same is of unknown age.
        Source::Unnamed => there.then_some("the source is not among those whose status AWS tells"),
    };
    match (source, here, there) {
        (Some(reason), ..) => Some(Some(Compared::not_comparable(reason))),
        (None, true, true) => None,
        (None, true, false) => Some(Some(Compared::plain(Verdict::OnlyHere))),
        (None, false, _) => Some(Some(Compared::plain(Verdict::OnlyThere))),
    }
}

/// A rule of which every resource is `NOT_APPLICABLE` is `INSUFFICIENT_DATA` to AWS:
/// <https://docs.aws.amazon.com/config/latest/APIReference/API_DescribeComplianceByConfigRule.html>.
fn as_of_a_rule(status: Status) -> Status {
    if status == Status::NotApplicable { Status::InsufficientData } else { status }
}

fn both(ours: &Counts, theirs: &Theirs) -> Compared {
    let Some(verdict) = verdict_of(ours) else {
        return Compared::not_comparable("a resource here has a status that we do not know");
    };
    if matches!(theirs.compliance, Status::Unrecognised(_)) {
        return Compared::not_comparable("AWS says a word that we do not know");
    }
    let counted = match theirs.count {
        Some(count) if verdict == Status::NonCompliant => {
            if theirs.capped {
                ours.not_complying >= count
            } else {
                ours.not_complying == count
            }
        }
        // AWS counts only what fails.
        _ => true,
    };
    let same = as_of_a_rule(verdict) == as_of_a_rule(theirs.compliance.clone());
    Compared::plain(if same && counted { Verdict::Agree } else { Verdict::Differ })
}

/// Results by what comparing them came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Totals {
    pub differ: u64,
    pub only_here: u64,
    pub only_there: u64,
    pub not_comparable: u64,
    pub agree: u64,
}

impl Totals {
    pub(super) fn add(&mut self, verdict: Verdict, results: u64) {
        *match verdict {
            Verdict::Differ => &mut self.differ,
            Verdict::OnlyHere => &mut self.only_here,
            Verdict::OnlyThere => &mut self.only_there,
            Verdict::NotComparable => &mut self.not_comparable,
            Verdict::Agree => &mut self.agree,
        } += results;
    }

    pub(super) fn of(&self, verdict: Verdict) -> u64 {
        match verdict {
            Verdict::Differ => self.differ,
            Verdict::OnlyHere => self.only_here,
            Verdict::OnlyThere => self.only_there,
            Verdict::NotComparable => self.not_comparable,
            Verdict::Agree => self.agree,
        }
    }

    pub fn all(&self) -> u64 {
        self.differ + self.only_here + self.only_there + self.not_comparable + self.agree
    }

    /// "1,000 agree, 3 differ, 2 only here, 1 only there, 7 not comparable".
    pub fn words(&self) -> String {
        let words = [Verdict::Agree, Verdict::Differ, Verdict::OnlyHere, Verdict::OnlyThere, Verdict::NotComparable]
            .map(|verdict| {
                let number = i64::try_from(self.of(verdict)).unwrap_or(i64::MAX);
                format!("{} {}", crate::web::format::count(number), verdict.word())
            });
        words.join(", ")
    }
}

#[cfg(test)]
mod tests;
