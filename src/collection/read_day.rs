//! Reads the objects of a place's day until one speaks.

use time::Date;

use super::gather::{Attribute, DayTruth, Gatherer, Item, Names};
use super::open::Source;
use super::plan::{self, Candidate, DayPlan, Outcome, Verdict};
use super::source::{Limits, Object, Reading, Unreachable, Unreached, Unreadable};
use crate::compliance::DeliveryState;

/// How the bytes of an object are reached, and within what limits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) source: &'a Source,
    pub(super) account_id: &'a str,
    pub(super) limits: &'a Limits,
}

/// What became of one object that no collection had judged.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) object: Object,
    pub(super) outcome: Outcome,
    pub(super) reading: Option<Reading>,
    pub(super) unreadable: Option<Unreadable>,
    pub(super) reason: Option<String>,
    pub(super) left_out: std::collections::BTreeMap<&'static str, u64>,
}

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
    pub(super) attributes: Vec<Attribute>,
    pub(super) judged: Vec<Judged>,
    /// Objects that spoke before and no longer do.
    pub(super) superseded: Vec<i64>,
    /// Names of objects that could not be reached, and why. They are not judged.
    pub(super) unreached: Vec<(String, Unreached)>,
}

/// Reads the day's snapshots, latest first, until one can be read.
///
/// `standing` tells whether an object collected before holds compliance items. An error ends the collection.
pub(super) fn snapshots(
    reader: Reader<'_>,
    plan: &DayPlan<'_>,
    names: &mut Names,
    standing: impl Fn(i64) -> Verdict,
) -> anyhow::Result<DayReading> {
    let mut day = DayReading {
        day: plan.day,
        state: None,
        speaker: None,
        truth: DayTruth::default(),
        attributes: vec![],
        judged: vec![],
        superseded: vec![],
        unreached: vec![],
    };
    let mut verdicts = Vec::new();
    for candidate in &plan.snapshots {
        if day.speaker.is_some() {
            day.supersede(candidate);
            continue;
        }
        verdicts.push(match candidate.seen {
            Some(seen) if matches!(seen.outcome, Outcome::Collected | Outcome::Changed) => {
                day.speaker = Some(Speaker::Standing);
                standing(seen.object_id)
            }
            Some(seen) if seen.outcome == Outcome::Unreadable => Verdict::Unreadable,
            _ => day.read(reader, candidate.object, names)?,
        });
    }
    day.state = plan::state(&verdicts);
    Ok(day)
}

impl DayReading {
    fn read(&mut self, reader: Reader<'_>, object: &Object, names: &mut Names) -> anyhow::Result<Verdict> {
        let mut gatherer = Gatherer::new(names);
        let taken = match reader.source.read(object, reader.account_id, reader.limits, &mut gatherer) {
            Ok(taken) => taken,
            Err(Unreachable::Now(unreached)) => {
                let state = unreached.state;
                self.unreached.push((object.name.clone(), unreached));
                return Ok(Verdict::Unreached(state));
            }
            Err(Unreachable::Ever(why)) => anyhow::bail!(why),
        };
        let object = &Object { version_id: taken.version_id, ..object.clone() };
        Ok(match taken.outcome {
            Ok(reading) => {
                let verdict = if reading.compliance_items > 0 { Verdict::Speaks } else { Verdict::Silent };
                self.attributes = std::mem::take(&mut gatherer.attributes);
                self.truth = gatherer.day();
                self.speaker = Some(Speaker::New(self.judged.len()));
                self.judged.push(Judged {
                    object: object.clone(),
                    outcome: Outcome::Collected,
                    reading: Some(reading),
                    unreadable: None,
                    reason: None,
                    left_out: std::mem::take(&mut self.truth.left_out),
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
            None => {
                self.judged.push(Judged::superseded(candidate.object, "a later snapshot of the day speaks".to_owned()));
            }
            Some(seen) if seen.outcome == Outcome::Collected => self.superseded.push(seen.object_id),
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
            left_out: std::collections::BTreeMap::new(),
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

/// What a history object holds: items, and their rule lists with the graver status where a rule stands twice.
#[derive(Debug)]
pub(super) struct HistoryReading {
    pub(super) judged: Judged,
    pub(super) items: Vec<(Item, Vec<(u32, u32)>)>,
    pub(super) attributes: Vec<Attribute>,
}

/// Reads one history object.
pub(super) fn history(reader: Reader<'_>, object: &Object, names: &mut Names) -> Result<HistoryReading, Unreachable> {
    let mut gatherer = Gatherer::new(names);
    let taken = reader.source.read(object, reader.account_id, reader.limits, &mut gatherer)?;
    let object = &Object { version_id: taken.version_id, ..object.clone() };
    Ok(match taken.outcome {
        Ok(reading) => {
            let attributes = std::mem::take(&mut gatherer.attributes);
            let mut left_out = std::collections::BTreeMap::new();
            let items = gatherer.history(&mut left_out);
            let judged = Judged {
                outcome: Outcome::Collected,
                reading: Some(reading),
                reason: None,
                left_out,
                ..Judged::superseded(object, String::new())
            };
            HistoryReading { judged, items, attributes }
        }
        Err(unreadable) => {
            HistoryReading { judged: Judged::unreadable(object, unreadable), items: vec![], attributes: vec![] }
        }
    })
}
