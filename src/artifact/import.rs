//! Reads what the AWS CLI writes: `aws artifact list-reports`, `list-report-versions`, `get-report-metadata` and
//! `list-customer-agreements`, one answer a file.
//!
//! A file is known by how its name begins. The account whose agreements a file lists stands in its name, since an empty
//! list names none: `list-customer-agreements-111122223333.json`. Where the CLI was refused, what it said is kept in a
//! file of the same name that ends in `.error`. A report itself lies beside them under the name of the call that gave it:
//! `get-report-REPORT-VERSION.pdf`, or `.zip`; with it what people did elsewhere: its terms, `terms-REPORT-VERSION.pdf`, and
//! the [`records`] of who accepted them, of a review and of a release to auditors.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::documents::content::{self, MediaType};
use super::documents::imported::{Beside, Document};
use super::records;
use super::told::{Agreements, Reports, VersionKey, agreements, is_report_id, versions};
use crate::aws::role::is_account_id;

/// What a folder says.
#[derive(Debug, Default)]
pub(super) struct Imported {
    pub(super) reports: Option<Reports>,
    pub(super) agreements: BTreeMap<String, Agreements>,
    /// Documents and records of versions.
    pub(super) beside: BTreeMap<VersionKey, Beside>,
    /// What could not be understood, each with its file and where in it.
    pub(super) problems: Vec<String>,
    /// When the newest of the files was written.
    pub(super) written_at: Option<OffsetDateTime>,
}

/// What a file is, by its name.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Of(VersionKey, Part),
    ListReports,
    ListReportVersions,
    GetReportMetadata,
    ListCustomerAgreements { account_id: String, refused: bool },
}

/// What of a version a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Report,
    Terms,
    Acceptance,
    Review,
    Release,
}

/// Larger files are no answers of the AWS CLI.
const LARGEST_BYTES: u64 = 64 * 1024 * 1024;
/// Nor are larger ones records: their texts have bounds.
const LARGEST_RECORD_BYTES: u64 = 4 << 20;

/// Reads every answer in a folder, at the moment `now`. One that cannot be read is a problem; the rest goes on.
pub(super) fn read(folder: &Path, now: OffsetDateTime) -> anyhow::Result<Imported> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect())
        .with_context(|| format!("cannot read the folder {}", folder.display()))?;
    paths.sort();
    let mut imported = Imported::default();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Some(answer) = answer(&name) else { continue };
        match take(&path, answer, &mut imported, now) {
            Ok(written_at) => imported.written_at = imported.written_at.max(Some(written_at)),
            Err(error) => imported.problems.push(format!("{name}: {error:#}")),
        }
    }
    imported.problems.extend(imported.beside.iter_mut().filter_map(|(key, beside)| unpaired(key, beside)));
    if imported.written_at.is_none() && imported.problems.is_empty() {
        bail!(
            "{} holds no answer of the AWS CLI: files that begin with list-reports, list-report-versions, \
             get-report-metadata, get-report-REPORT-VERSION or list-customer-agreements-ACCOUNT",
            folder.display()
        );
    }
    Ok(imported)
}

fn answer(name: &str) -> Option<Answer> {
    let (stem, ending) = name.rsplit_once('.')?;
    for (prefix, part, endings) in PARTS {
        if let Some(key) = stem.strip_prefix(prefix).and_then(version_key) {
            return endings.contains(&ending).then_some(Answer::Of(key, part));
        }
    }
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

/// How names of files that are of a version begin and end.
const PARTS: [(&str, Part, &[&str]); 5] = [
    ("get-report-", Part::Report, &["pdf", "zip"]),
    ("terms-", Part::Terms, &["pdf", "zip"]),
    ("acceptance-", Part::Acceptance, &["json"]),
    ("review-", Part::Review, &["json"]),
    ("release-", Part::Release, &["json"]),
];

/// `report-0123456789abcdef-2`.
fn version_key(text: &str) -> Option<VersionKey> {
    let (report_id, version) = text.rsplit_once('-')?;
    let version = version.parse().ok().filter(|version| *version >= 1)?;
    is_report_id(report_id).then(|| (report_id.to_owned(), version))
}

/// Takes a file of a version in whole, or nothing of it.
fn take_part(
    path: &Path,
    (key, part): (VersionKey, Part),
    imported: &mut Imported,
    now: OffsetDateTime,
) -> anyhow::Result<()> {
    let size = std::fs::metadata(path)?.len();
    let mut read = Beside::default();
    match part {
        Part::Report => read.report = Some(document(path, size)?),
        Part::Terms => read.terms = Some(document(path, size)?),
        Part::Acceptance => read.acceptance = Some(records::acceptance(&record(path, size)?, now)?),
        Part::Review => read.review = Some(records::review(&record(path, size)?, now)?),
        Part::Release => read.release = Some(records::release(&record(path, size)?)?),
    }
    imported.beside.entry(key).or_default().add(read);
    Ok(())
}

fn document(path: &Path, size: u64) -> anyhow::Result<Document> {
    ensure!(size <= u64::try_from(content::LARGEST_BYTES)?, "is larger than any report");
    let bytes = std::fs::read(path)?;
    let media_type = MediaType::of(&bytes).map_err(anyhow::Error::msg)?;
    Ok(Document { media_type, bytes })
}

fn record(path: &Path, size: u64) -> anyhow::Result<String> {
    ensure!(size <= LARGEST_RECORD_BYTES, "is larger than any record");
    Ok(std::fs::read_to_string(path)?)
}

/// Leaves out an acceptance without its terms, and terms without their acceptance: neither says anything alone.
fn unpaired((report_id, version): &VersionKey, beside: &mut Beside) -> Option<String> {
    let (is, lacks) = match (beside.acceptance.is_some(), beside.terms.is_some()) {
        (true, false) => ("acceptance", "terms"),
        (false, true) => ("terms", "acceptance"),
        _ => return None,
    };
    (beside.acceptance, beside.terms) = (None, None);
    Some(format!("{is}-{report_id}-{version}: is left out, since {lacks}-{report_id}-{version} is not beside it"))
}

/// Takes a file in whole, or nothing of it.
fn take(path: &Path, answer: Answer, imported: &mut Imported, now: OffsetDateTime) -> anyhow::Result<OffsetDateTime> {
    let metadata = std::fs::metadata(path)?;
    if let Answer::Of(key, part) = answer {
        take_part(path, (key, part), imported, now)?;
        return Ok(OffsetDateTime::from(metadata.modified()?));
    }
    ensure!(metadata.len() <= LARGEST_BYTES, "is larger than {LARGEST_BYTES} bytes");
    let text = std::fs::read_to_string(path)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut problems = Vec::new();
    match answer {
        Answer::Of(..) => {}
        Answer::ListReports => {
            let read = versions(objects(&text, "reports")?, &mut problems);
            let reports = imported.reports.get_or_insert_default();
            reports.all_listed = read.whole;
            reports.add(read.entries, false);
        }
        Answer::ListReportVersions => {
            let read = versions(objects(&text, "reports")?, &mut problems);
            let reports = imported.reports.get_or_insert_default();
            if read.whole {
                reports.versions_of.extend(read.entries.iter().map(|((report_id, _), _)| report_id.clone()));
            }
            reports.add(read.entries, false);
        }
        Answer::GetReportMetadata => {
            let read = versions(objects(&text, "reportDetails")?, &mut problems);
            imported.reports.get_or_insert_default().add(read.entries, true);
        }
        Answer::ListCustomerAgreements { account_id, refused } => {
            let read = if refused {
                let said = text.split_whitespace().collect::<Vec<_>>().join(" ");
                ensure!(!said.is_empty(), "is empty: keep what the AWS CLI said in it");
                Err(said.replace('\0', "\u{fffd}").chars().take(1000).collect())
            } else {
                let read = agreements(objects(&text, "customerAgreements")?, &mut problems);
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
        let of = |part| Some(Answer::Of(("report-0123456789abcdef".to_owned(), 12), part));
        assert_eq!(answer("get-report-report-0123456789abcdef-12.pdf"), of(Part::Report));
        assert_eq!(answer("terms-report-0123456789abcdef-12.zip"), of(Part::Terms));
        assert_eq!(answer("acceptance-report-0123456789abcdef-12.json"), of(Part::Acceptance));
        assert_eq!(answer("review-report-0123456789abcdef-12.json"), of(Part::Review));
        assert_eq!(answer("release-report-0123456789abcdef-12.json"), of(Part::Release));
        assert_eq!(answer("release-report-0123456789abcdef-12.pdf"), None);
        for other in ["get-report-report-0123-12.pdf", "get-report-report-0123456789abcdef-0.pdf", "get-report-a.exe"] {
            assert_eq!(answer(other), None, "{other}");
        }
    }

    #[test]
    fn one_page_of_several_is_refused_and_so_is_what_is_no_answer() {
        let error = objects(r#"{"reports": [], "nextToken": "x"}"#, "reports").unwrap_err();
        assert!(error.to_string().contains("one page of several"));
        let last = objects(r#"{"reports": [{}], "nextToken": null}"#, "reports").unwrap();
        assert_eq!(last.len(), 1);
        assert!(objects("[]", "reports").is_err());
        assert!(objects("{}", "reports").is_err());
    }
}
