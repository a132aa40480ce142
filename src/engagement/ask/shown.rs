//! Requests as both sides' pages show them. Pure.

use std::collections::BTreeMap;

use time::{Date, OffsetDateTime};

use super::content::Content;
use super::core::{Event, Stand, stand};
use super::db::{Request, Row};
use crate::artifact::Released;
use crate::jobs;
use crate::web::address::Encoded;
use crate::web::{Address, format};

/// A request as it stands.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    pub(super) request: Request,
    pub(super) stand: Stand,
    /// The day it is due on now.
    pub(super) due_day: Date,
    pub(super) overdue: bool,
    pub(super) rows: Vec<Row>,
}

impl Shown {
    pub(super) fn of(request: Request, rows: Vec<Row>, today: Date) -> Self {
        let stand = stand(rows.iter().filter_map(|row| Event::of(&row.kind)));
        let due_day = rows.iter().rev().find_map(|row| row.due_day).unwrap_or(request.due_day);
        Self { stand, due_day, overdue: stand.is_overdue(due_day, today), request, rows }
    }

    /// "open", "open, overdue".
    pub(super) fn stand_words(&self) -> String {
        if self.overdue { format!("{}, overdue", self.stand.words()) } else { self.stand.words().to_owned() }
    }

    /// "asked by ann; entered by bob".
    pub(super) fn asked_words(&self) -> String {
        match &self.request.asked_for {
            Some(whom) => format!("for {whom}, entered by {}", self.request.asked_by),
            None => format!("by {}", self.request.asked_by),
        }
    }

    /// Which days the evidence is to speak of.
    pub(super) fn days_words(&self) -> Option<String> {
        let (first, last) = self.request.first_day.zip(self.request.last_day)?;
        Some(days_words(first, last))
    }

    /// How many pieces of evidence were given.
    pub(super) fn answers(&self) -> i64 {
        i64::try_from(self.rows.iter().filter(|row| row.engagement_answer_id.is_some()).count()).unwrap_or(i64::MAX)
    }
}

/// Each request of an engagement as it stands, in their order.
pub(super) fn all(requests: Vec<Request>, rows: Vec<Row>, today: Date) -> Vec<Shown> {
    let mut by_request: BTreeMap<i64, Vec<Row>> = BTreeMap::new();
    for row in rows {
        by_request.entry(row.engagement_request_id).or_default().push(row);
    }
    let shown = requests.into_iter().map(|request| {
        let rows = by_request.remove(&request.engagement_request_id).unwrap_or_default();
        Shown::of(request, rows, today)
    });
    shown.collect()
}

/// "3 Nov 2026", "1 Nov 2026 to 3 Nov 2026".
pub(super) fn days_words(first: Date, last: Date) -> String {
    if first == last { format::day(first) } else { format!("{} to {}", format::day(first), format::day(last)) }
}

/// A step of a request's course.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) at: OffsetDateTime,
    pub(super) who: String,
    pub(super) words: String,
    pub(super) reason: String,
    pub(super) evidence: Option<Evidence>,
}

/// What an answer gives.
#[derive(Debug)]
pub(super) struct Evidence {
    pub(super) answer_id: i64,
    /// "A note", "A file".
    pub(super) what: &'static str,
    /// Which days it speaks of.
    pub(super) days: String,
    pub(super) note: String,
    /// Where it is had, with the words of the link; none while it is frozen, and of a file that was withdrawn.
    pub(super) link: Option<(String, String)>,
    /// What is to be said of it besides.
    pub(super) facts: Vec<String>,
    /// Whether it waits for its job.
    pub(super) waits: bool,
    pub(super) is_file: bool,
    /// When, by whom and why it was withdrawn.
    pub(super) ended: Option<String>,
}

/// What else a page knows of the evidence: packs by id with their titles, AWS's reports, jobs that freeze.
pub(super) struct Beside<'a> {
    pub(super) packs: &'a [(String, String, Date, Date)],
    pub(super) reports: &'a [Released],
    pub(super) jobs: &'a BTreeMap<i64, jobs::Standing>,
    /// Where the request's page is: files are below it.
    pub(super) path: &'a str,
}

impl Beside<'_> {
    /// The course of a request, in order.
    pub(super) fn steps(&self, rows: &[Row]) -> Vec<Step> {
        let step = |row: &Row| Step {
            at: row.made_at,
            who: row.made_by.clone(),
            words: match (Event::of(&row.kind), row.due_day) {
                (Some(Event::DueChanged), Some(day)) => format!("due by {} from here on", format::day(day)),
                (Some(event), _) => event.word().to_owned(),
                (None, _) => format!("{}: not known to this version", row.kind),
            },
            reason: row.reason.clone(),
            evidence: self.evidence(row),
        };
        rows.iter().map(step).collect()
    }

    fn evidence(&self, row: &Row) -> Option<Evidence> {
        let answer_id = row.engagement_answer_id?;
        let (first, last) = row.first_day.zip(row.last_day)?;
        let mut evidence = Evidence {
            answer_id,
            what: "A note",
            days: days_words(first, last),
            note: row.note.clone().unwrap_or_default(),
            link: None,
            facts: Vec::new(),
            waits: false,
            is_file: false,
            ended: None,
        };
        match row.answer_kind.as_deref() {
            Some("file") => self.file(row, &mut evidence),
            Some("view") => self.view(row, first, &mut evidence),
            Some("pack") => {
                evidence.what = "A pack";
                let id = row.pack_id.clone().unwrap_or_default();
                match self.packs.iter().find(|(pack, ..)| *pack == id) {
                    Some((_, title, ..)) => evidence.link = Some((format!("/packs/{id}"), title.clone())),
                    None => evidence.facts.push(format!("pack {id} does not lie in the room any more")),
                }
            }
            Some("report") => {
                evidence.what = "A report of AWS";
                match self.reports.iter().find(|report| Some(report.file_id) == row.artifact_file_id) {
                    Some(report) => {
                        let words = format!("{} version {}", report.name, report.version);
                        evidence.link = Some((report.path.clone(), words));
                        evidence.facts.push(format!("SHA-256 {}", format::hex(&report.sha256)));
                        if report.days.is_none() {
                            "none that AWS gives".clone_into(&mut evidence.days);
                        }
                    }
                    None => evidence.facts.push("it is not released to auditors any more".to_owned()),
                }
            }
            _ => {}
        }
        Some(evidence)
    }

    fn file(&self, row: &Row, evidence: &mut Evidence) {
        evidence.what = "A file";
        evidence.is_file = true;
        let name = row.file_name.clone().unwrap_or_default();
        let sha256 = row.sha256.as_deref().map(format::hex).unwrap_or_default();
        let known = row.media_type.as_deref().and_then(Content::parse);
        let kind = known.map_or("unknown", Content::media_type);
        evidence.facts.push(format!("{kind}, {}", format::bytes(row.size_bytes.unwrap_or_default())));
        evidence.facts.push(format!("SHA-256 {sha256}"));
        if let (Some(at), Some(by)) = (row.ended_at, &row.ended_by) {
            let why = row.end_reason.as_deref().unwrap_or_default();
            evidence.ended = Some(format!("{name} was withdrawn on {} by {by}: {why}", format::at(at)));
        } else {
            evidence.link = Some((format!("{}/files/{}/{}", self.path, evidence.answer_id, Encoded(&name)), name));
        }
    }

    fn view(&self, row: &Row, day: Date, evidence: &mut Evidence) {
        evidence.what = "A frozen view";
        let rule = row.core_name.as_deref().map_or("all rules".to_owned(), |rule| format!("rule {rule}"));
        let status =
            row.status.as_deref().map_or("every result".to_owned(), |status| format!("AWS Config result {status}"));
        evidence.facts.push(format!("evaluations of {}, {rule}, {status}", format::day(day)));
        match (row.known_at_collection, row.rows, row.sha256.as_deref(), row.frozen_at) {
            (Some(known_at), Some(rows), Some(sha256), Some(at)) => {
                evidence.facts.push(format!("as known at collection {known_at}, frozen on {}", format::at(at)));
                evidence.facts.push(format!("SHA-256 {}", format::hex(sha256)));
                let words = format!("{} as JSON lines", format::plural(rows, "evaluation"));
                evidence.link = Some((format!("{}/views/{}/rows.jsonl", self.path, evidence.answer_id), words));
            }
            _ => match row.job_id.and_then(|job| self.jobs.get(&job)) {
                Some(job) if matches!(job.state.as_str(), "queued" | "running") => {
                    evidence.waits = true;
                    evidence
                        .facts
                        .push(format!("being frozen: {} read", format::plural(job.progress_done, "evaluation")));
                }
                Some(job) => {
                    let why = job.failure.as_deref().unwrap_or("its job was cancelled");
                    evidence.facts.push(format!("not frozen: {why}"));
                }
                None => evidence.facts.push("not frozen: its job is gone".to_owned()),
            },
        }
        let live = Address::new("/evaluations").with("as_of", day);
        let live = row.core_name.iter().fold(live, |address, rule| address.with("rule", rule));
        evidence.facts.push(format!("what the portal says of it now: {live}"));
    }
}

#[cfg(test)]
mod tests {
    use time::macros::{date, datetime};

    use super::*;

    fn request() -> Request {
        Request {
            engagement_request_id: 4,
            number: 1,
            title: "Key rotation".to_owned(),
            wanted: "The policy".to_owned(),
            due_day: date!(2026 - 12 - 01),
            first_day: None,
            last_day: None,
            asked_by: "ann".to_owned(),
            asked_for: Some("Bob".to_owned()),
            asked_at: datetime!(2026-11-20 10:00 UTC),
        }
    }

    fn row(kind: &str, due_day: Option<Date>) -> Row {
        Row {
            engagement_request_id: 4,
            kind: kind.to_owned(),
            reason: "because".to_owned(),
            due_day,
            made_by: "cem".to_owned(),
            made_at: datetime!(2026-11-21 10:00 UTC),
            engagement_answer_id: None,
            answer_kind: None,
            note: None,
            first_day: None,
            last_day: None,
            pack_id: None,
            artifact_file_id: None,
            artifact_document_id: None,
            file_name: None,
            core_name: None,
            status: None,
            job_id: None,
            media_type: None,
            size_bytes: None,
            sha256: None,
            known_at_collection: None,
            rows: None,
            frozen_at: None,
            ended_by: None,
            ended_at: None,
            end_reason: None,
        }
    }

    #[test]
    fn the_due_day_is_the_last_that_was_set_and_the_first_stays_on_record() {
        let rows =
            vec![row("due-changed", Some(date!(2026 - 12 - 10))), row("due-changed", Some(date!(2026 - 12 - 05)))];
        let shown = Shown::of(request(), rows, date!(2026 - 12 - 06));
        assert_eq!((shown.due_day, shown.request.due_day), (date!(2026 - 12 - 05), date!(2026 - 12 - 01)));
        assert_eq!(shown.stand_words(), "open, overdue");
        assert_eq!(shown.asked_words(), "for Bob, entered by ann");
        assert_eq!(Shown::of(request(), vec![row("answered", None)], date!(2026 - 12 - 06)).stand_words(), "answered");
    }

    #[test]
    fn a_view_is_had_once_it_is_frozen_and_a_file_until_it_is_withdrawn() {
        let jobs = BTreeMap::new();
        let beside = Beside { packs: &[], reports: &[], jobs: &jobs, path: "/room/requests/1" };
        let answer = |kind: &str| Row {
            engagement_answer_id: Some(9),
            answer_kind: Some(kind.to_owned()),
            first_day: Some(date!(2026 - 11 - 03)),
            last_day: Some(date!(2026 - 11 - 03)),
            ..row("answered", None)
        };
        let of = |row: Row| beside.steps(&[row]).remove(0).evidence.expect("it is an answer");
        assert!(of(answer("view")).link.is_none());
        let frozen = Row {
            known_at_collection: Some(7),
            rows: Some(1),
            sha256: Some(vec![0xab; 32]),
            frozen_at: Some(datetime!(2026-11-21 10:00 UTC)),
            ..answer("view")
        };
        let link = of(frozen).link.expect("it is frozen");
        assert_eq!(link, ("/room/requests/1/views/9/rows.jsonl".to_owned(), "1 evaluation as JSON lines".to_owned()));
        let file = Row { file_name: Some("a b.csv".to_owned()), ..answer("file") };
        assert_eq!(of(file.clone()).link.expect("it is there").0, "/room/requests/1/files/9/a%20b.csv");
        let ended = Row {
            ended_at: Some(datetime!(2026-11-22 10:00 UTC)),
            ended_by: Some("cem".to_owned()),
            end_reason: Some("the wrong one".to_owned()),
            ..file
        };
        let ended = of(ended);
        assert!(ended.link.is_none() && ended.ended.is_some_and(|words| words.contains("the wrong one")));
        let gone = Row { pack_id: Some("p".to_owned()), ..answer("pack") };
        assert!(of(gone).facts.concat().contains("does not lie in the room"));
    }
}
