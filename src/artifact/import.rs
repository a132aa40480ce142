//! Reads what the AWS CLI writes: `aws artifact list-reports`, `list-report-versions`, `get-report-metadata` and
//! `list-customer-agreements`, one answer a file.
//!
//! A file is known by how its name begins. The account whose agreements a file lists stands in its name, since an empty
//! list names none: `list-customer-agreements-111122223333.json`. Where the CLI was refused, what it said is kept in a
//! file of the same name that ends in `.error`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::facts::Facts;
use super::history::Told;
use crate::aws::role::is_account_id;

/// A report's id and the number of a version.
pub(super) type VersionKey = (String, i64);

/// Entries of an answer that were understood, and whether that is all of them: silence of what was left out says nothing.
#[derive(Debug)]
struct Entries<T> {
    entries: T,
    whole: bool,
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

/// What a folder says.
#[derive(Debug, Default)]
pub(super) struct Imported {
    pub(super) reports: Option<Reports>,
    pub(super) agreements: BTreeMap<String, Agreements>,
    /// What could not be understood, each with its file and where in it.
    pub(super) problems: Vec<String>,
    /// When the newest of the files was written.
    pub(super) written_at: Option<OffsetDateTime>,
}

/// What a file is, by its name.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    ListReports,
    ListReportVersions,
    GetReportMetadata,
    ListCustomerAgreements { account_id: String, refused: bool },
}

/// Larger files are no answers of the AWS CLI.
const LARGEST_BYTES: u64 = 64 * 1024 * 1024;

/// Reads every answer in a folder. One that cannot be read is a problem; the rest goes on.
pub(super) fn read(folder: &Path) -> anyhow::Result<Imported> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect())
        .with_context(|| format!("cannot read the folder {}", folder.display()))?;
    paths.sort();
    let mut imported = Imported::default();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Some(answer) = answer(&name) else { continue };
        match take(&path, answer, &mut imported) {
            Ok(written_at) => imported.written_at = imported.written_at.max(Some(written_at)),
            Err(error) => imported.problems.push(format!("{name}: {error:#}")),
        }
    }
    if imported.written_at.is_none() && imported.problems.is_empty() {
        bail!(
            "{} holds no answer of the AWS CLI: files that begin with list-reports, list-report-versions, \
             get-report-metadata or list-customer-agreements-ACCOUNT",
            folder.display()
        );
    }
    Ok(imported)
}

fn answer(name: &str) -> Option<Answer> {
    let (stem, ending) = name.rsplit_once('.')?;
    let refused = ending == "error";
    if let Some(rest) = stem.strip_prefix("list-customer-agreements-") {
        let account_id = rest.get(..12).filter(|id| is_account_id(id))?.to_owned();
        return (refused || ending == "json").then_some(Answer::ListCustomerAgreements { account_id, refused });
    }
    if ending != "json" {
        return None;
    }
    // The longer name first: both begin alike.
    [
        ("list-report-versions", Answer::ListReportVersions),
        ("list-reports", Answer::ListReports),
        ("get-report-metadata", Answer::GetReportMetadata),
    ]
    .into_iter()
    .find(|(prefix, _)| stem.starts_with(prefix))
    .map(|(_, answer)| answer)
}

/// Takes a file in whole, or nothing of it.
fn take(path: &Path, answer: Answer, imported: &mut Imported) -> anyhow::Result<OffsetDateTime> {
    let metadata = std::fs::metadata(path)?;
    ensure!(metadata.len() <= LARGEST_BYTES, "is larger than {LARGEST_BYTES} bytes");
    let text = std::fs::read_to_string(path)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut problems = Vec::new();
    match answer {
        Answer::ListReports => {
            let read = versions(&text, "reports", &mut problems)?;
            let reports = imported.reports.get_or_insert_default();
            reports.all_listed = read.whole;
            add(&mut reports.versions, read.entries, false);
        }
        Answer::ListReportVersions => {
            let read = versions(&text, "reports", &mut problems)?;
            let reports = imported.reports.get_or_insert_default();
            if read.whole {
                reports.versions_of.extend(read.entries.iter().map(|((report_id, _), _)| report_id.clone()));
            }
            add(&mut reports.versions, read.entries, false);
        }
        Answer::GetReportMetadata => {
            let read = versions(&text, "reportDetails", &mut problems)?;
            add(&mut imported.reports.get_or_insert_default().versions, read.entries, true);
        }
        Answer::ListCustomerAgreements { account_id, refused } => {
            let read = if refused {
                let said = text.split_whitespace().collect::<Vec<_>>().join(" ");
                ensure!(!said.is_empty(), "is empty: keep what the AWS CLI said in it");
                Err(said.replace('\0', "\u{fffd}").chars().take(1000).collect())
            } else {
                let read = agreements(&text, &mut problems)?;
                // What was left out may be the very agreement that is looked for.
                if read.whole { Ok(read.entries) } else { Err(format!("{name} was not understood as a whole")) }
            };
            ensure!(!imported.agreements.contains_key(&account_id), "account {account_id} stands in another file too");
            imported.agreements.insert(account_id, read);
        }
    }
    imported.problems.extend(problems.into_iter().map(|problem| format!("{name}: {problem}")));
    Ok(OffsetDateTime::from(metadata.modified()?))
}

/// A full description goes before a line of a list.
fn add(all: &mut BTreeMap<VersionKey, Told>, read: Vec<(VersionKey, Facts)>, full: bool) {
    for (key, facts) in read {
        if full || !all.get(&key).is_some_and(|told| told.full) {
            all.insert(key, Told { facts, full });
        }
    }
}

/// The objects under a key of an answer: a list, or one.
fn objects(text: &str, key: &str) -> anyhow::Result<Vec<Value>> {
    let answer: Map<String, Value> =
        serde_json::from_str(text).with_context(|| format!("is not what the AWS CLI writes: {{\"{key}\": …}}"))?;
    let is_page = |name: &str| answer.get(name).is_some_and(|token| !token.is_null());
    ensure!(!is_page("nextToken") && !is_page("NextToken"), "is one page of several: let the AWS CLI fetch all pages");
    match answer.get(key) {
        Some(Value::Array(objects)) => Ok(objects.clone()),
        Some(object @ Value::Object(_)) => Ok(vec![object.clone()]),
        _ => bail!("has no \"{key}\""),
    }
}

fn versions(text: &str, key: &str, problems: &mut Vec<String>) -> anyhow::Result<Entries<Vec<(VersionKey, Facts)>>> {
    let mut versions = Vec::new();
    let mut left_out = 0;
    let found = each(text, key, problems)?;
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
    Ok(Entries { entries: versions, whole })
}

fn agreements(text: &str, problems: &mut Vec<String>) -> anyhow::Result<Entries<BTreeMap<String, Told>>> {
    let mut agreements = BTreeMap::new();
    let found = each(text, "customerAgreements", problems)?;
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
    Ok(Entries { entries: agreements, whole })
}

fn each(text: &str, key: &str, problems: &mut Vec<String>) -> anyhow::Result<Entries<Vec<(usize, Facts)>>> {
    let mut each = Vec::new();
    let mut whole = true;
    for (index, object) in objects(text, key)?.into_iter().enumerate() {
        let Value::Object(fields) = object else {
            whole = false;
            problems.push(format!("entry {index}: is no object, so it is left out"));
            continue;
        };
        let (facts, unclear) = Facts::of(fields);
        problems.extend(unclear.into_iter().map(|why| format!("entry {index}: {why}")));
        each.push((index, facts));
    }
    Ok(Entries { entries: each, whole })
}

/// `report-` and 16 letters or digits: <https://docs.aws.amazon.com/artifact/latest/APIReference/API_ReportSummary.html>.
pub(super) fn is_report_id(text: &str) -> bool {
    text.strip_prefix("report-").is_some_and(|id| id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_file_is_known_by_its_name() {
        assert_eq!(answer("list-reports.json"), Some(Answer::ListReports));
        assert_eq!(answer("list-report-versions-report-0123456789abcdef.json"), Some(Answer::ListReportVersions));
        assert_eq!(answer("list-reports.txt"), None);
        let agreements = |refused| Answer::ListCustomerAgreements { account_id: "012345678901".to_owned(), refused };
        assert_eq!(answer("list-customer-agreements-012345678901.json"), Some(agreements(false)));
        assert_eq!(answer("list-customer-agreements-012345678901.error"), Some(agreements(true)));
        assert_eq!(answer("list-customer-agreements-01234567890.json"), None);
        assert_eq!(answer("list-customer-agreements-äöü.json"), None);
    }

    #[test]
    fn one_page_of_several_is_refused_and_a_bad_entry_is_not() {
        let mut problems = Vec::new();
        let error = versions(r#"{"reports": [], "nextToken": "x"}"#, "reports", &mut problems).unwrap_err();
        assert!(error.to_string().contains("one page of several"));
        let text = r#"{"reports": [{"id": "report-0123456789abcdef", "version": 2}, {"id": "report-1", "version": 1},
                                   7, {"id": "report-0123456789abcdeg", "version": 0}], "nextToken": null}"#;
        let read = versions(text, "reports", &mut problems).unwrap();
        assert_eq!((read.entries.len(), read.whole), (1, false));
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert!(versions("[]", "reports", &mut problems).is_err());
        assert!(versions("{}", "reports", &mut problems).is_err());
    }

    #[test]
    fn a_full_description_goes_before_a_line_of_a_list_whichever_comes_first() {
        let key = ("report-0123456789abcdef".to_owned(), 1);
        let mut all = BTreeMap::new();
        add(&mut all, vec![(key.clone(), Facts::default())], true);
        add(&mut all, vec![(key.clone(), Facts::default())], false);
        assert!(all[&key].full);
    }
}
