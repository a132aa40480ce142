//! What a reading tells, whoever fetched it: entries of AWS's answers, understood or left out.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::facts::Facts;
use super::history::Told;

/// A report's id and the number of a version.
pub(super) type VersionKey = (String, i64);

/// Entries of an answer that were understood, and whether that is all of them: silence of what was left out says nothing.
#[derive(Debug)]
pub(super) struct Entries<T> {
    pub(super) entries: T,
    pub(super) whole: bool,
}

/// What was read of reports.
#[derive(Debug, Default)]
pub(super) struct Reports {
    pub(super) versions: BTreeMap<VersionKey, Told>,
    /// Whether the list of all reports is among what was read.
    pub(super) all_listed: bool,
    /// Reports whose versions were all listed.
    pub(super) versions_of: BTreeSet<String>,
}

/// What was read of an account's agreements: by their id, or why not.
pub(super) type Agreements = Result<BTreeMap<String, Told>, String>;

impl Reports {
    /// Takes versions in. A full description goes before a line of a list, whichever comes first.
    pub(super) fn add(&mut self, read: Vec<(VersionKey, Facts)>, full: bool) {
        for (key, facts) in read {
            if full || !self.versions.get(&key).is_some_and(|told| told.full) {
                self.versions.insert(key, Told { facts, full });
            }
        }
    }
}

/// Versions of reports among the entries of an answer.
pub(super) fn versions(entries: Vec<Value>, problems: &mut Vec<String>) -> Entries<Vec<(VersionKey, Facts)>> {
    let mut versions = Vec::new();
    let mut left_out = 0;
    let found = each(entries, problems);
    for (index, facts) in found.entries {
        let id = facts.text("id").to_owned();
        let version = facts.0.get("version").and_then(Value::as_i64).filter(|version| *version >= 1);
        if let Some(version) = version.filter(|_| is_report_id(&id)) {
            versions.push(((id, version), facts));
        } else {
            left_out += 1;
            problems.push(format!("entry {index}: has no id (report-…) or no version, so it is left out"));
        }
    }
    let whole = left_out == 0 && found.whole;
    Entries { entries: versions, whole }
}

/// Agreements among the entries of an answer, by their id.
pub(super) fn agreements(entries: Vec<Value>, problems: &mut Vec<String>) -> Entries<BTreeMap<String, Told>> {
    let mut agreements = BTreeMap::new();
    let found = each(entries, problems);
    let mut whole = found.whole;
    for (index, facts) in found.entries {
        let id = facts.text("id").to_owned();
        if id.is_empty() {
            whole = false;
            problems.push(format!("entry {index}: has no id, so it is left out"));
        } else if agreements.insert(id.clone(), Told { facts, full: true }).is_some() {
            problems.push(format!("entry {index}: {id} stands twice; the last one is taken"));
        }
    }
    Entries { entries: agreements, whole }
}

fn each(entries: Vec<Value>, problems: &mut Vec<String>) -> Entries<Vec<(usize, Facts)>> {
    let mut each = Vec::new();
    let mut whole = true;
    for (index, object) in entries.into_iter().enumerate() {
        let Value::Object(fields) = object else {
            whole = false;
            problems.push(format!("entry {index}: is no object, so it is left out"));
            continue;
        };
        let (facts, unclear) = Facts::of(fields);
        problems.extend(unclear.into_iter().map(|why| format!("entry {index}: {why}")));
        each.push((index, facts));
    }
    Entries { entries: each, whole }
}

/// `report-` and 16 letters or digits: <https://docs.aws.amazon.com/artifact/latest/APIReference/API_ReportSummary.html>.
pub(super) fn is_report_id(text: &str) -> bool {
    text.strip_prefix("report-").is_some_and(|id| id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_bad_entry_is_left_out_and_said_and_the_rest_is_taken() {
        let mut problems = Vec::new();
        let entries = vec![
            json!({"id": "report-0123456789abcdef", "version": 2}),
            json!({"id": "report-1", "version": 1}),
            json!(7),
            json!({"id": "report-0123456789abcdeg", "version": 0}),
        ];
        let read = versions(entries, &mut problems);
        assert_eq!((read.entries.len(), read.whole), (1, false));
        assert_eq!(problems.len(), 3, "{problems:?}");
    }

    #[test]
    fn a_full_description_goes_before_a_line_of_a_list_whichever_comes_first() {
        let key = ("report-0123456789abcdef".to_owned(), 1);
        let mut reports = Reports::default();
        reports.add(vec![(key.clone(), Facts::default())], true);
        reports.add(vec![(key.clone(), Facts::default())], false);
        assert!(reports.versions[&key].full);
    }
}
