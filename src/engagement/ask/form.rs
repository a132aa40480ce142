//! The forms of requests and answers: from what was typed to what is meant. Pure.

use std::collections::BTreeMap;

use time::Date;

use super::content::Content;
use crate::engagement::draw::form::{Slice, slice};
use crate::web::form::Problems;
use crate::web::parse_day;

/// The longest texts that are taken, in characters.
const TITLE: usize = 200;
const TEXT: usize = 4_000;
/// Years ahead that a due day may lie.
const YEARS: i32 = 10;

/// Fields as typed, shown again where something is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Typed(pub(super) BTreeMap<String, String>);

impl Typed {
    pub(super) fn of(fields: &[(String, String)]) -> Self {
        Self(fields.iter().map(|(name, value)| (name.clone(), clean(value))).collect())
    }

    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), clean(value));
    }

    pub(super) fn get(&self, name: &str) -> &str {
        self.0.get(name).map(String::as_str).unwrap_or_default()
    }
}

/// Postgres holds no NUL.
fn clean(value: &str) -> String {
    value.trim().replace('\0', "\u{fffd}")
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) title: String,
    pub(super) wanted: String,
    pub(super) due_day: Date,
    /// The days that the evidence is to speak of.
    pub(super) days: Option<(Date, Date)>,
    /// For whom the team enters it.
    pub(super) asked_for: Option<String>,
}

/// A due day as typed.
fn due(typed: &str, today: Date, problems: &mut Problems) -> Option<Date> {
    let latest = today.replace_year(today.year() + YEARS).unwrap_or(today);
    let day = parse_day(typed);
    match day {
        None => problems.add("due_day", "Enter the day until which it is wanted, as YYYY-MM-DD."),
        Some(day) if day < today => problems.add("due_day", format!("That day is past: today is {today} (UTC).")),
        Some(day) if day > latest => problems.add("due_day", format!("Enter a day before {latest}.")),
        Some(_) => return day,
    }
    None
}

/// Checks what is asked for. `period` is the engagement's; `by_team` whether the team enters it for somebody.
pub(super) fn asked(typed: &Typed, today: Date, (first, last): (Date, Date), by_team: bool) -> Result<Asked, Problems> {
    let mut problems = Problems::default();
    problems.text("title", "title", typed.get("title"), TITLE);
    problems.text("wanted", "text", typed.get("wanted"), TEXT);
    let due_day = due(typed.get("due_day"), today, &mut problems);
    let days = match (typed.get("first_day"), typed.get("last_day")) {
        ("", "") => None,
        ("", _) => {
            problems.add("first_day", "Enter the first day too, or neither.");
            None
        }
        (from, until) => {
            let (from, until) = (parse_day(from), parse_day(if until.is_empty() { from } else { until }));
            match (from, until) {
                (Some(from), Some(until)) if first <= from && from <= until && until <= last => Some((from, until)),
                _ => {
                    problems
                        .add("first_day", format!("Enter days of the audited period, {first} to {last}, in order."));
                    None
                }
            }
        }
    };
    let asked_for = by_team.then(|| typed.get("asked_for").to_owned());
    if let Some(asked_for) = &asked_for {
        problems.text("asked_for", "name", asked_for, TITLE);
    }
    match due_day {
        Some(due_day) if problems.is_empty() => Ok(Asked {
            title: typed.get("title").to_owned(),
            wanted: typed.get("wanted").to_owned(),
            due_day,
            days,
            asked_for,
        }),
        _ => Err(problems),
    }
}

/// A reason, and with a change of the due day the new one.
pub(super) fn turn(typed: &Typed, with_due: Option<Date>, needs_reason: bool) -> Result<Option<Date>, Problems> {
    let mut problems = Problems::default();
    let reason = typed.get("reason");
    if needs_reason || !reason.is_empty() {
        problems.text("reason", "reason", reason, 1_000);
    }
    let due_day = with_due.and_then(|today| due(typed.get("due_day"), today, &mut problems));
    if problems.is_empty() { Ok(due_day) } else { Err(problems) }
}

/// What the evidence is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Note,
    File { content: Content, name: String, bytes: Vec<u8> },
    View(Slice),
    Pack(String),
    Report(i64),
}

impl Piece {
    /// The word in column `engagement_answer.kind`.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::File { .. } => "file",
            Self::View(_) => "view",
            Self::Pack(_) => "pack",
            Self::Report(_) => "report",
        }
    }
}

/// What the forms of an answer are checked against.
pub(super) struct Known<'a> {
    pub(super) today: Date,
    /// First and last day of the room that were collected.
    pub(super) days: Option<(Date, Date)>,
    /// Core names of the room's rules, in order.
    pub(super) rules: &'a [String],
    /// Ids of packs that lie in the room, with the days they speak of.
    pub(super) packs: &'a [(String, Date, Date)],
    /// Numbers of AWS's reports that are released, with the days they speak of where AWS gives any.
    pub(super) reports: &'a [(i64, Option<(Date, Date)>)],
}

/// An answer as it is meant: the evidence, a note on it, and the days that it speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) piece: Piece,
    pub(super) note: String,
    pub(super) days: (Date, Date),
}

/// Checks an answer. `file` is what was sent with it: its name and its bytes.
pub(super) fn answer(typed: &Typed, file: Option<(String, Vec<u8>)>, known: &Known<'_>) -> Result<Answer, Problems> {
    let mut problems = Problems::default();
    let note = typed.get("note");
    let kind = typed.get("kind");
    if kind == "note" || !note.is_empty() {
        problems.text("note", "note", note, TEXT);
    }
    let found = match kind {
        "note" => own_days(typed, known.today, &mut problems).map(|days| (Piece::Note, days)),
        "file" => {
            let days = own_days(typed, known.today, &mut problems);
            let content = match &file {
                None => Err("Choose a file.".to_owned()),
                Some((_, bytes)) => Content::of(bytes).map_err(|why| format!("The file cannot be taken: {why}.")),
            };
            match (content, file, days) {
                (Ok(content), Some((sent, bytes)), Some(days)) => {
                    Some((Piece::File { content, name: content.name(&sent), bytes }, days))
                }
                (Err(why), ..) => {
                    problems.add("file", why);
                    None
                }
                _ => None,
            }
        }
        "view" => match known.days {
            None => {
                problems.add("as_of", "No day of the period was collected yet: there is nothing to freeze.");
                None
            }
            Some(days) => {
                let typed = (typed.get("as_of"), typed.get("rule"), typed.get("status"));
                slice(typed, days, known.rules, &mut problems).map(|slice| {
                    let day = slice.as_of;
                    (Piece::View(slice), (day, day))
                })
            }
        },
        "pack" => {
            let pack = known.packs.iter().find(|(id, ..)| id == typed.get("pack"));
            if pack.is_none() {
                problems.add("pack", "Choose one of the packs that lie in the room.");
            }
            pack.map(|(id, first, last)| (Piece::Pack(id.clone()), (*first, *last)))
        }
        "report" => {
            let report = known.reports.iter().find(|(id, _)| id.to_string() == typed.get("report"));
            if report.is_none() {
                problems.add("report", "Choose one of AWS’s reports that are released to auditors.");
            }
            report.map(|(id, days)| (Piece::Report(*id), days.unwrap_or((known.today, known.today))))
        }
        _ => {
            problems.add("kind", "Choose what the answer is: a note, a file, a view, a pack or a report.");
            None
        }
    };
    match found {
        Some((piece, days)) if problems.is_empty() => Ok(Answer { piece, note: note.to_owned(), days }),
        _ => Err(problems),
    }
}

/// The days that a file or note speaks of, which are not the day on which it is put here.
fn own_days(typed: &Typed, today: Date, problems: &mut Problems) -> Option<(Date, Date)> {
    let from = parse_day(typed.get("evidence_from"));
    let until = match typed.get("evidence_until") {
        "" => from,
        text => parse_day(text),
    };
    match (from, until) {
        (Some(from), Some(until)) if from <= until && until <= today => Some((from, until)),
        (Some(_), Some(until)) if until > today => {
            problems.add("evidence_from", "Evidence cannot speak of days that have not come.");
            None
        }
        _ => {
            problems
                .add("evidence_from", "Enter the day, or the first and last day, that the evidence itself speaks of.");
            None
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use time::macros::date;

    use super::*;

    const TODAY: Date = date!(2026 - 12 - 01);
    const PERIOD: (Date, Date) = (date!(2026 - 11 - 01), date!(2026 - 11 - 30));

    fn typed(fields: &[(&str, &str)]) -> Typed {
        Typed(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    fn names(problems: Problems) -> Vec<&'static str> {
        problems.found.into_iter().map(|(field, _)| field).collect()
    }

    #[test]
    fn a_request_names_what_is_wanted_and_until_when() {
        let whole = [("title", "Key rotation"), ("wanted", "The policy"), ("due_day", "2026-12-08")];
        let with = |changes: &[(&str, &str)]| typed(&[&whole[..], changes].concat());
        let request = asked(&with(&[("first_day", "2026-11-02")]), TODAY, PERIOD, false).unwrap();
        assert_eq!(request.days, Some((date!(2026 - 11 - 02), date!(2026 - 11 - 02))));
        assert_eq!((request.due_day, request.asked_for), (date!(2026 - 12 - 08), None));
        let wrong =
            |changes: &[(&str, &str)], by_team| names(asked(&with(changes), TODAY, PERIOD, by_team).unwrap_err());
        assert_eq!(wrong(&[("title", "")], false), ["title"]);
        assert_eq!(wrong(&[("wanted", "")], false), ["wanted"]);
        assert_eq!(wrong(&[("due_day", "2026-11-30")], false), ["due_day"]);
        assert_eq!(wrong(&[("due_day", "2040-01-01")], false), ["due_day"]);
        assert_eq!(wrong(&[("due_day", "soon")], false), ["due_day"]);
        assert_eq!(wrong(&[("last_day", "2026-11-02")], false), ["first_day"]);
        assert_eq!(wrong(&[("first_day", "2026-10-31")], false), ["first_day"]);
        assert_eq!(wrong(&[("first_day", "2026-11-05"), ("last_day", "2026-11-04")], false), ["first_day"]);
        assert_eq!(wrong(&[], true), ["asked_for"]);
        assert_eq!(
            asked(&with(&[("asked_for", "Ann")]), TODAY, PERIOD, true).unwrap().asked_for.as_deref(),
            Some("Ann")
        );
    }

    #[test]
    fn an_answer_is_one_piece_of_evidence_with_its_own_days() {
        let rules = ["r".to_owned()];
        let packs = [("p1".to_owned(), date!(2026 - 11 - 01), date!(2026 - 11 - 03))];
        let known = Known { today: TODAY, days: Some(PERIOD), rules: &rules, packs: &packs, reports: &[(7, None)] };
        let say = |fields: &[(&str, &str)], file: Option<&[u8]>| {
            answer(&typed(fields), file.map(|bytes| ("a.txt".to_owned(), bytes.to_vec())), &known).map_err(names)
        };
        let note = say(&[("kind", "note"), ("note", "See"), ("evidence_from", "2026-11-20")], None).unwrap();
        assert_eq!(note.days, (date!(2026 - 11 - 20), date!(2026 - 11 - 20)));
        let days = [("kind", "file"), ("evidence_from", "2026-10-01"), ("evidence_until", "2026-10-31")];
        let file = say(&days, Some(b"a,b\n")).unwrap();
        assert!(matches!(&file.piece, Piece::File { content: Content::Text, name, .. } if name == "a.txt"));
        assert_eq!(file.days, (date!(2026 - 10 - 01), date!(2026 - 10 - 31)));
        let view = say(&[("kind", "view"), ("as_of", "2026-11-03"), ("rule", "r")], None).unwrap();
        assert_eq!(view.days, (date!(2026 - 11 - 03), date!(2026 - 11 - 03)));
        assert_eq!(say(&[("kind", "pack"), ("pack", "p1")], None).unwrap().days.1, date!(2026 - 11 - 03));
        assert_eq!(say(&[("kind", "report"), ("report", "7")], None).unwrap().piece, Piece::Report(7));

        assert_eq!(say(&[("kind", "note"), ("note", "See")], None), Err(vec!["evidence_from"]));
        let ahead = [("kind", "note"), ("note", "See"), ("evidence_from", "2026-12-02")];
        assert_eq!(say(&ahead, None), Err(vec!["evidence_from"]));
        assert_eq!(say(&days, None), Err(vec!["file"]));
        assert_eq!(say(&days, Some(b"\x7fELF\xff")), Err(vec!["file"]));
        assert_eq!(say(&[("kind", "view"), ("as_of", "2026-10-03")], None), Err(vec!["as_of"]));
        assert_eq!(say(&[("kind", "view"), ("as_of", "2026-11-03"), ("rule", "x")], None), Err(vec!["rule"]));
        assert_eq!(say(&[("kind", "pack"), ("pack", "p2")], None), Err(vec!["pack"]));
        assert_eq!(say(&[("kind", "report"), ("report", "8")], None), Err(vec!["report"]));
        assert_eq!(say(&[("kind", "")], None), Err(vec!["kind"]));
    }
}
