//! Reads the objects of a place's day until one speaks.

use time::Date;

use super::athena::Gone;
use super::day::Day;
use super::gather::{DayTruth, Gatherer, HistoryTruth, left_out};
use super::names::{Attribute, Names};
use super::open::{Source, Taken};
use super::patience::Patience;
use super::plan::{self, Candidate, DayPlan, Outcome, Turn, Verdict};
use super::source::{Limits, Object, Reading, Unreachable, Unreached, Unreadable};
use super::vocabulary::Vocabulary;
use crate::compliance::DeliveryState;

/// How the bytes of an object are reached, and within what limits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) source: &'a Source,
    pub(super) account_id: &'a str,
    pub(super) limits: &'a Limits,
    pub(super) vocabulary: &'a Vocabulary,
    pub(super) patience: &'a Patience,
    pub(super) patience_with_all: &'a Patience,
    /// All objects of the place.
    pub(super) objects: &'a [Object],
}

impl Reader<'_> {
    /// SHA-256 of an object's bytes.
    pub(super) fn hash(&self, object: &Object) -> Result<Taken<Vec<u8>>, Unreachable> {
        self.patiently(|| self.source.hash(object))
    }

    /// Asks for an object, if there is patience left with its place.
    fn patiently<T>(&self, ask: impl FnOnce() -> Result<T, Unreachable>) -> Result<T, Unreachable> {
        if let Some(why) = self.patience.spent().or_else(|| self.patience_with_all.spent()) {
            return Err(Unreachable::Now(why));
        }
        let answer = ask();
        match &answer {
            Ok(_) => {
                self.patience.reached();
                self.patience_with_all.reached();
            }
            Err(Unreachable::Now(why)) => {
                // What is denied is asked for quickly, and says nothing of others.
                if matches!(why.state, DeliveryState::Throttled | DeliveryState::NotReachable) {
                    self.patience_with_all.missed(why, || false);
                }
                self.patience.missed(why, || {
                    let newest = self.objects.iter().max_by_key(|it| (it.key.day, it.key.taken_at));
                    newest.is_some_and(|newest| self.source.reaches(newest))
                });
            }
            Err(Unreachable::Ever(_)) => {}
        }
        answer
    }

    /// Reads one object. What one that fails had handed on is taken back.
    fn read<'n>(&self, object: &Object, names: &'n mut Names) -> Result<Taken<(Reading, Gatherer<'n>)>, Unreachable> {
        let mut gatherer = Gatherer::new(names, Day::from(object.key.day));
        let taken = match self.patiently(|| self.source.read(object, self.account_id, self.limits, &mut gatherer)) {
            Ok(taken) => taken,
            Err(unreachable) => {
                gatherer.give_up();
                return Err(unreachable);
            }
        };
        let admitted = taken.outcome.and_then(|reading| {
            let (statuses, resource_types) = gatherer.new_words();
            let sha256 = Some(reading.sha256);
            let refused = |reason| Unreadable { reason, position: 0, unpacked: true, sha256, retry_above: None };
            self.vocabulary.admit(statuses, resource_types).map_err(refused)?;
            Ok(reading)
        });
        let outcome = match admitted {
            Ok(reading) => Ok((reading, gatherer)),
            Err(unreadable) => {
                gatherer.give_up();
                Err(unreadable)
            }
        };
        Ok(Taken { outcome, version_id: taken.version_id })
    }
}

/// What became of one object that no collection had judged.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) object: Object,
    pub(super) outcome: Outcome,
    pub(super) reading: Option<Reading>,
    pub(super) unreadable: Option<Unreadable>,
    pub(super) reason: Option<String>,
    pub(super) left_out: LeftOut,
    pub(super) packs_left_out: LeftOut,
    /// Pack verdicts that it gives its day.
    pub(super) packs: u64,
    /// The query that read it; `None` where we did.
    pub(super) query_id: Option<i64>,
}

/// What a day is told from, where only what differs was read.
#[derive(Debug)]
pub(super) struct Difference {
    /// The place's last known day before.
    pub(super) since: Day,
    /// The object that speaks for that day.
    pub(super) object_id: i64,
    pub(super) gone: Gone,
}

/// What was said of an object by a query.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) query_id: i64,
    /// The object's name, `ETag` and `VersionId`.
    pub(super) name: String,
    pub(super) etag: Option<String>,
    pub(super) version_id: Option<String>,
    pub(super) reading: Reading,
    pub(super) left_out: LeftOut,
    /// Pack items of deleted packs.
    pub(super) packs_deleted: u64,
    pub(super) truth: DayTruth,
    pub(super) attributes: Vec<Attribute>,
    pub(super) difference: Option<Difference>,
}

/// What was read and is not stored, by reason.
pub(super) type LeftOut = std::collections::BTreeMap<&'static str, u64>;

/// The object that speaks for a day.
#[derive(Debug)]
pub(super) enum Speaker {
    /// It was collected before and still speaks.
    Standing,
    /// The judged object at this index.
    New(usize),
}

/// What the snapshots of a day turned out to say.
#[derive(Debug)]
pub(super) struct DayReading {
    pub(super) day: Date,
    /// `None`: the day has no snapshot.
    pub(super) state: Option<DeliveryState>,
    pub(super) speaker: Option<Speaker>,
    /// What the speaker says, where it was read now.
    pub(super) truth: DayTruth,
    /// What the truth is told from; `None`: it is whole.
    pub(super) difference: Option<Difference>,
    pub(super) attributes: Vec<Attribute>,
    pub(super) judged: Vec<Judged>,
    /// Objects judged before that have no say any more.
    pub(super) superseded: Vec<i64>,
    /// Names of objects that could not be reached, and why. They are not judged.
    pub(super) unreached: Vec<(String, Unreached)>,
}

/// Reads the day's snapshots, latest first, until one can be read.
///
/// `standing` tells of the object that speaks for the day so far what it is; of any other object nothing. An error ends the
/// collection.
pub(super) fn snapshots(
    reader: Reader<'_>,
    plan: &DayPlan<'_>,
    names: &mut Names,
    standing: impl Fn(i64) -> Option<Verdict>,
) -> Result<DayReading, Unreachable> {
    let mut day = DayReading::new(plan.day);
    let mut verdicts = Vec::new();
    for candidate in &plan.snapshots {
        if day.speaker.is_some() {
            day.supersede(candidate);
            continue;
        }
        match candidate.turn(&standing) {
            Turn::Stands(verdict) => {
                day.speaker = Some(Speaker::Standing);
                verdicts.push(verdict);
            }
            Turn::Unreadable => verdicts.push(Verdict::Unreadable),
            Turn::Read(object) => verdicts.push(day.read(reader, object, names)?),
            Turn::Passed => {}
        }
    }
    day.state = plan::state(&verdicts);
    Ok(day)
}

/// What a query said of a day's snapshot, and what that makes of the others.
///
/// `None`: the object that it was asked of is not the one that would be read next.
pub(super) fn answered(
    plan: &DayPlan<'_>,
    said: Said,
    standing: impl Fn(i64) -> Option<Verdict>,
) -> Option<DayReading> {
    let mut day = DayReading::new(plan.day);
    let mut verdicts = Vec::new();
    let mut said = Some(said);
    for candidate in &plan.snapshots {
        if day.speaker.is_some() {
            day.supersede(candidate);
            continue;
        }
        match candidate.turn(&standing) {
            Turn::Unreadable => verdicts.push(Verdict::Unreadable),
            Turn::Read(object) => {
                let said = said.take().filter(|said| said.name == object.name && said.etag == object.etag)?;
                verdicts.push(day.take(object, said));
            }
            Turn::Stands(_) => return None,
            Turn::Passed => {}
        }
    }
    day.state = plan::state(&verdicts);
    day.speaker.is_some().then_some(day)
}

impl DayReading {
    fn new(day: Date) -> Self {
        Self {
            day,
            state: None,
            speaker: None,
            truth: DayTruth::default(),
            difference: None,
            attributes: vec![],
            judged: vec![],
            superseded: vec![],
            unreached: vec![],
        }
    }

    fn take(&mut self, object: &Object, said: Said) -> Verdict {
        let Said { query_id, version_id, reading, left_out, packs_deleted, truth, attributes, difference, .. } = said;
        let object = &Object { version_id, ..object.clone() };
        let verdict = if reading.compliance_items > 0 { Verdict::Speaks } else { Verdict::Silent };
        let packs = reading.pack_items.saturating_sub(packs_deleted);
        let mut packs_left_out = LeftOut::new();
        for (reason, count) in [
            (left_out::DELETED_PACK, packs_deleted),
            (left_out::SILENT_DAY, if verdict == Verdict::Silent { packs } else { 0 }),
        ] {
            if count > 0 {
                packs_left_out.insert(reason, count);
            }
        }
        self.speaker = Some(Speaker::New(self.judged.len()));
        self.truth = truth;
        self.difference = difference;
        self.attributes = attributes;
        self.judged.push(Judged {
            outcome: Outcome::Collected,
            reading: Some(reading),
            reason: None,
            left_out,
            packs_left_out,
            packs: if verdict == Verdict::Speaks { packs } else { 0 },
            query_id: Some(query_id),
            ..Judged::superseded(object, String::new())
        });
        verdict
    }

    /// Whether the store's evaluations of the day may be others from now on.
    pub(super) fn changes(&self) -> bool {
        matches!(self.speaker, Some(Speaker::New(_)))
    }

    fn read(&mut self, reader: Reader<'_>, object: &Object, names: &mut Names) -> Result<Verdict, Unreachable> {
        let taken = match reader.read(object, names) {
            Ok(taken) => taken,
            Err(Unreachable::Now(unreached)) => {
                let state = unreached.state;
                self.unreached.push((object.name.clone(), unreached));
                return Ok(Verdict::Unreached(state));
            }
            Err(ever) => return Err(ever),
        };
        let object = &Object { version_id: taken.version_id, ..object.clone() };
        Ok(match taken.outcome {
            Ok((reading, gatherer)) => {
                let verdict = if reading.compliance_items > 0 { Verdict::Speaks } else { Verdict::Silent };
                self.truth = gatherer.day();
                self.attributes = std::mem::take(&mut self.truth.attributes);
                let packs = u64::try_from(self.truth.packs.len()).unwrap_or(u64::MAX);
                let mut packs_left_out = std::mem::take(&mut self.truth.packs_left_out);
                if verdict == Verdict::Silent && packs > 0 {
                    packs_left_out.insert(left_out::SILENT_DAY, packs);
                }
                self.speaker = Some(Speaker::New(self.judged.len()));
                self.judged.push(Judged {
                    object: object.clone(),
                    outcome: Outcome::Collected,
                    reading: Some(reading),
                    unreadable: None,
                    reason: None,
                    left_out: std::mem::take(&mut self.truth.left_out),
                    packs_left_out,
                    packs: if verdict == Verdict::Speaks { packs } else { 0 },
                    query_id: None,
                });
                verdict
            }
            Err(unreadable) => {
                self.judged.push(Judged::unreadable(object, unreadable));
                Verdict::Unreadable
            }
        })
    }

    fn supersede(&mut self, candidate: &Candidate<'_>) {
        match candidate.seen {
            None => self.judged.extend(
                candidate.object.map(|it| Judged::superseded(it, "a later snapshot of the day speaks".to_owned())),
            ),
            // One that could not be read either: what it says does not matter any more.
            Some(seen) if matches!(seen.outcome, Outcome::Collected | Outcome::Unreadable) => {
                self.superseded.push(seen.object_id);
            }
            Some(_) => {}
        }
    }
}

impl Judged {
    pub(super) fn superseded(object: &Object, reason: String) -> Self {
        Self {
            object: object.clone(),
            outcome: Outcome::Superseded,
            reading: None,
            unreadable: None,
            reason: Some(reason),
            left_out: LeftOut::new(),
            packs_left_out: LeftOut::new(),
            packs: 0,
            query_id: None,
        }
    }

    pub(super) fn unreadable(object: &Object, unreadable: Unreadable) -> Self {
        Self {
            outcome: Outcome::Unreadable,
            reason: Some(unreadable.reason.clone()),
            unreadable: Some(unreadable),
            ..Self::superseded(object, String::new())
        }
    }
}

/// What the object of a day says that was collected before, where it is there unchanged: for times that the store does not
/// keep. An error ends the collection.
///
/// `known`: the SHA-256 of what was collected; where nobody hashed it, the `ETag`, which reading insists on.
pub(super) fn again(
    reader: Reader<'_>,
    object: &Object,
    (sha256, etag): (Option<&[u8]>, Option<&str>),
    names: &mut Names,
) -> Result<Option<DayTruth>, Unreachable> {
    if sha256.is_none() && etag.is_none() {
        return Ok(None);
    }
    let taken = match reader.read(object, names) {
        Ok(taken) => taken,
        Err(Unreachable::Now(_)) => return Ok(None),
        Err(ever) => return Err(ever),
    };
    let Ok((reading, gatherer)) = taken.outcome else { return Ok(None) };
    if sha256.is_some_and(|sha256| reading.sha256 != *sha256) {
        gatherer.give_up();
        return Ok(None);
    }
    Ok(Some(gatherer.day()))
}

/// What a history object holds.
#[derive(Debug)]
pub(super) struct HistoryReading {
    pub(super) judged: Judged,
    pub(super) truth: HistoryTruth,
}

/// Reads one history object.
pub(super) fn history(reader: Reader<'_>, object: &Object, names: &mut Names) -> Result<HistoryReading, Unreachable> {
    let taken = reader.read(object, names)?;
    let object = &Object { version_id: taken.version_id, ..object.clone() };
    Ok(match taken.outcome {
        Ok((reading, gatherer)) => {
            let mut truth = gatherer.history();
            let judged = Judged {
                outcome: Outcome::Collected,
                reading: Some(reading),
                reason: None,
                left_out: std::mem::take(&mut truth.left_out),
                ..Judged::superseded(object, String::new())
            };
            HistoryReading { judged, truth }
        }
        Err(unreadable) => {
            HistoryReading { judged: Judged::unreadable(object, unreadable), truth: HistoryTruth::default() }
        }
    })
}
