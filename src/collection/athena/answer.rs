//! Makes of a result's rows what each place's object says, one place after the other. Pure.

use std::collections::BTreeMap;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::csv::Record;
use crate::collection::day::Day;
use crate::collection::gather::{DayTruth, Evaluation, PackVerdict, left_out};
use crate::collection::names::{Attribute, Names};
use crate::collection::source::{PlaceName, Reading};

/// The columns of `changes_of_a_day.sql`, in order.
const COLUMNS: [&str; 18] = [
    "account",
    "region",
    "kind",
    "a",
    "b",
    "c",
    "new_value",
    "old_value",
    "captured_at",
    "objects",
    "items",
    "compliance_items",
    "pack_items",
    "evaluations",
    "older",
    "twice",
    "packs_deleted",
    "doubts",
];
/// Columns before the counts.
const TEXTS: usize = 9;

/// What an object holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Held {
    pub(super) snapshot_id: Option<String>,
    pub(super) objects: u64,
    pub(super) items: u64,
    pub(super) compliance_items: u64,
    pub(super) pack_items: u64,
    pub(super) evaluations: u64,
    /// Of those: in items that a newer one of the same resource overtakes.
    pub(super) older: u64,
    /// Of those: of a rule that stands in the item before.
    pub(super) twice: u64,
    /// Of the pack items: of deleted packs.
    pub(super) packs_deleted: u64,
    /// Items that the reader of files must look at.
    pub(super) doubts: u64,
}

impl Held {
    /// Evaluations of the day, once those that do not count are left out.
    pub(super) fn stored(&self) -> Option<u64> {
        self.evaluations.checked_sub(self.older)?.checked_sub(self.twice)
    }

    pub(super) fn left_out(&self) -> BTreeMap<&'static str, u64> {
        [(left_out::OLDER_ITEM, self.older), (left_out::RULE_TWICE, self.twice)]
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .collect()
    }

    pub(super) fn reading(&self, size_bytes: u64) -> Reading {
        Reading {
            size_bytes,
            snapshot_id: self.snapshot_id.clone().filter(|id| !id.is_empty()),
            items: self.items,
            compliance_items: self.compliance_items,
            evaluations: self.evaluations,
            pack_items: self.pack_items,
            ..Reading::default()
        }
    }
}

/// Names that are on the day before and no longer are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::collection) struct Gone {
    /// (rule, resource)
    pub(in crate::collection) evaluations: Vec<(u32, u32)>,
    pub(in crate::collection) rules: Vec<u32>,
    pub(in crate::collection) packs: Vec<u32>,
}

/// What Athena says of one place.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) place: PlaceName,
    pub(super) new: Option<Held>,
    pub(super) old: Option<Held>,
    pub(super) names: Names,
    /// What is new or otherwise than before.
    pub(super) truth: DayTruth,
    pub(super) attributes: Vec<Attribute>,
    pub(super) gone: Gone,
    /// Values that the store cannot take, such as the 31st of November.
    pub(super) odd: u64,
}

/// Why a result is not an answer to what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Athena's result is not as the question wants it: {0}")]
pub(super) struct Unexpected(String);

/// Takes rows in their order, which keeps a place's together.
#[derive(Debug)]
pub(super) struct Assembler {
    /// The day that was asked about.
    day: Day,
    header: bool,
    current: Option<Answer>,
    pub(super) rows: u64,
}

impl Assembler {
    pub(super) fn new(day: Day) -> Self {
        Self { day, header: false, current: None, rows: 0 }
    }

    /// Takes a row; gives the place before it once that is complete.
    pub(super) fn take(&mut self, record: &Record) -> Result<Option<Answer>, Unexpected> {
        if !self.header {
            self.header = true;
            let named = record.iter().map(Option::as_deref).eq(COLUMNS.into_iter().map(Some));
            return if named { Ok(None) } else { Err(Unexpected(format!("its columns are {record:?}"))) };
        }
        self.rows += 1;
        if record.len() != COLUMNS.len() {
            return Err(Unexpected(format!("row {} has {} values", self.rows, record.len())));
        }
        let place = PlaceName { account_id: text(record, 0).to_owned(), region: text(record, 1).to_owned() };
        let mut done = None;
        if self.current.as_ref().is_none_or(|answer| answer.place != place) {
            done = self.current.replace(Answer::of(place));
        }
        let rows = self.rows;
        if let Some(answer) = &mut self.current {
            answer.take(record, self.day).map_err(|what| Unexpected(format!("row {rows}: {what}")))?;
        }
        Ok(done)
    }

    /// The last place.
    pub(super) fn finish(&mut self) -> Result<Option<Answer>, Unexpected> {
        if !self.header {
            return Err(Unexpected("it has no header".to_owned()));
        }
        Ok(self.current.take())
    }
}

fn text(record: &Record, at: usize) -> &str {
    record.get(at).and_then(Option::as_deref).unwrap_or_default()
}

impl Answer {
    fn of(place: PlaceName) -> Self {
        Self {
            place,
            new: None,
            old: None,
            names: Names::default(),
            truth: DayTruth::default(),
            attributes: Vec::new(),
            gone: Gone::default(),
            odd: 0,
        }
    }

    fn take(&mut self, record: &Record, day: Day) -> Result<(), String> {
        let [a, b, c] = [text(record, 3), text(record, 4), text(record, 5)];
        let new = record.get(6).and_then(Option::as_deref);
        let old = record.get(7).and_then(Option::as_deref);
        match text(record, 2) {
            "counts" => self.counts(a, new.or(old), record)?,
            "evaluation" => self.evaluation(a, b, c, new, text(record, 8)),
            "rule" => {
                let rule = self.names.rules.number(a);
                if new.is_some() { self.truth.rules.push(rule) } else { self.gone.rules.push(rule) }
            }
            "attribute" if new.is_some() && !(b.is_empty() && c.is_empty()) => {
                let rule = self.names.rules.number(a);
                self.attributes.push(Attribute { rule, arn: b.into(), config_rule_id: c.into() });
            }
            "attribute" => {}
            "pack" => self.pack(a, new, day)?,
            "resource" => {
                self.names.resource(b, c);
            }
            other => return Err(format!("there is no kind {other:?}")),
        }
        Ok(())
    }

    fn counts(&mut self, side: &str, snapshot_id: Option<&str>, record: &Record) -> Result<(), String> {
        let mut counts = [0_u64; COLUMNS.len() - TEXTS];
        for (count, value) in counts.iter_mut().zip(record.iter().skip(TEXTS)) {
            if let Some(value) = value {
                *count = value.parse().map_err(|_no_number| format!("{value:?} is no count"))?;
            }
        }
        let [objects, items, compliance_items, pack_items, evaluations, older, twice, packs_deleted, doubts] = counts;
        let held = Held {
            snapshot_id: snapshot_id.map(str::to_owned),
            objects,
            items,
            compliance_items,
            pack_items,
            evaluations,
            older,
            twice,
            packs_deleted,
            doubts,
        };
        let slot = match side {
            "new" => &mut self.new,
            "old" => &mut self.old,
            other => return Err(format!("there is no side {other:?}")),
        };
        if slot.replace(held).is_some() {
            return Err(format!("the {side} object is counted twice"));
        }
        Ok(())
    }

    fn evaluation(&mut self, rule: &str, resource_type: &str, id: &str, status: Option<&str>, captured_at: &str) {
        let rule = self.names.rules.number(rule);
        let resource = self.names.resource(resource_type, id);
        let Some(status) = status else {
            self.gone.evaluations.push((rule, resource));
            return;
        };
        let status = self.names.statuses.number(status);
        let captured_at = OffsetDateTime::parse(captured_at, &Rfc3339)
            .ok()
            .and_then(|at| i64::try_from(at.unix_timestamp_nanos().div_euclid(1000)).ok());
        match captured_at {
            Some(captured_at) => self.truth.evaluations.push(Evaluation { rule, resource, status, captured_at }),
            None => self.odd += 1,
        }
    }

    fn pack(&mut self, id: &str, value: Option<&str>, day: Day) -> Result<(), String> {
        let Some(value) = value else {
            let pack = self.names.pack(id, day, "");
            self.gone.packs.push(pack);
            return Ok(());
        };
        let parts: Vec<&str> = value.splitn(6, '|').collect();
        let &[compliant, non_compliant, total, deleted, status, name] = parts.as_slice() else {
            return Err(format!("{value:?} is no verdict on a pack"));
        };
        let pack = self.names.pack(id, day, name);
        if deleted == "deleted" {
            self.gone.packs.push(pack);
            return Ok(());
        }
        let count = |text: &str| text.parse::<i32>().map_err(|_no_number| format!("{text:?} is no count of rules"));
        let counts = [count(compliant)?, count(non_compliant)?, count(total)?];
        let status = self.names.statuses.number(status);
        self.truth.packs.push(PackVerdict::said(pack, status, counts));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

    use super::super::csv::Reader;
    use super::*;

    const HEADER: &str = "\"account\",\"region\",\"kind\",\"a\",\"b\",\"c\",\"new_value\",\"old_value\",\"captured_at\",\
        \"objects\",\"items\",\"compliance_items\",\"pack_items\",\"evaluations\",\"older\",\"twice\",\"packs_deleted\",\"doubts\"\n";

    fn answers(lines: &[&str]) -> Result<Vec<Answer>, String> {
        let mut records = Vec::new();
        let mut reader = Reader::new();
        let body = format!("{HEADER}{}\n", lines.join("\n"));
        reader.push(body.as_bytes(), &mut records).unwrap();
        reader.finish().unwrap();
        let mut assembler = Assembler::new(Day(0));
        let mut answers = Vec::new();
        for record in &records {
            answers.extend(assembler.take(record).map_err(|error| error.to_string())?);
        }
        answers.extend(assembler.finish().map_err(|error| error.to_string())?);
        Ok(answers)
    }

    fn row(account: &str, rest: &str, counts: &str) -> String {
        format!("\"{account}\",\"eu-central-1\",{rest},{counts}")
    }

    #[test]
    fn rows_of_a_place_become_what_its_object_says() {
        let none = ",,,,,,,,";
        let lines = [
            row(
                "1",
                "\"counts\",\"new\",\"\",\"\",\"6292\",,",
                "\"1\",\"9\",\"3\",\"1\",\"7\",\"2\",\"1\",\"1\",\"0\"",
            ),
            row("1", "\"counts\",\"old\",\"\",\"\",,\"6291\",", "\"1\",\"8\",\"2\",,\"4\",,,,\"0\""),
            row("1", "\"evaluation\",\"r\",\"T\",\"a\",\"COMPLIANT\",,\"2026-10-01T04:00:00.001Z\"", none),
            row("1", "\"evaluation\",\"r\",\"T\",\"b\",,\"COMPLIANT\",", none),
            row("1", "\"rule\",\"s\",\"\",\"\",\"present\",,", none),
            row("1", "\"rule\",\"t\",\"\",\"\",,\"present\",", none),
            row("1", "\"attribute\",\"r\",\"arn\",\"id\",\"present\",,", none),
            row("1", "\"attribute\",\"t\",\"arn\",\"id\",,\"present\",", none),
            row("1", "\"pack\",\"p\",\"\",\"\",\"1|2|3||COMPLIANT|A|B\",,", none),
            row("1", "\"pack\",\"q\",\"\",\"\",\"0|0|0|deleted||Q\",\"1|0|1||COMPLIANT|Q\",", none),
            row("2", "\"counts\",\"new\",\"\",\"\",\"\",,", "\"1\",\"0\",,,,,,,\"0\""),
        ];
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let answers = answers(&lines).unwrap();
        assert_eq!(answers.len(), 2);
        let first = &answers[0];
        assert_eq!(first.new.as_ref().unwrap().stored(), Some(4));
        assert_eq!(first.old.as_ref().unwrap().stored(), Some(4));
        assert_eq!(first.truth.evaluations.len(), 1);
        assert_eq!(first.truth.evaluations[0].captured_at, 1_790_827_200_001_000);
        assert_eq!(first.gone.evaluations.len(), 1);
        assert_eq!((first.truth.rules.len(), first.gone.rules.len(), first.attributes.len()), (1, 1, 1));
        assert_eq!((first.truth.packs.len(), first.gone.packs.len()), (1, 1));
        let named = |name: &str| Some((Day(0), Box::<str>::from(name)));
        assert_eq!(first.names.pack_names, [named("A|B"), named("Q")]);
        assert_eq!(first.new.as_ref().unwrap().packs_deleted, 1);
        assert_eq!(answers[1].new, Some(Held { objects: 1, snapshot_id: Some(String::new()), ..Held::default() }));
    }

    #[test]
    fn what_the_question_does_not_give_is_refused_with_its_row() {
        let none = ",,,,,,,,";
        for (rest, words) in [
            ("\"other\",\"\",\"\",\"\",,,", "no kind"),
            ("\"counts\",\"both\",\"\",\"\",,,", "no side"),
            ("\"pack\",\"p\",\"\",\"\",\"1|2|3\",,", "no verdict"),
        ] {
            let error = answers(&[&row("1", rest, none)]).unwrap_err();
            assert!(error.contains(words) && error.contains("row 1"), "{error}");
        }
        let soon = row("1", "\"evaluation\",\"r\",\"T\",\"a\",\"COMPLIANT\",,\"2026-11-31T00:00:00.000Z\"", none);
        assert_eq!(answers(&[&soon]).unwrap()[0].odd, 1);
        let mut assembler = Assembler::new(Day(0));
        assert!(assembler.take(&vec![Some("_col0".to_owned())]).is_err());
        assert!(Assembler::new(Day(0)).finish().is_err());
    }
}
