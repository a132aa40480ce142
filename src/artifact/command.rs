//! `auditfolio artifact`: what the AWS CLI wrote, or what AWS says when it is asked, into the store.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{bail, ensure};
use indicatif::ProgressBar;
use time::OffsetDateTime;

use super::db::{self, NewReading};
use super::documents::imported::{self, Kept, Origin};
use super::import::{self, Imported};
use super::keep::{keep_agreements, keep_reports, named};
use super::notices;
use super::settings::ArtifactSettings;
use super::sync::{self, Sync};
use crate::audit_log::{self, Entry};
use crate::aws::AwsSettings;
use crate::web::format;
use crate::{State, organization};

/// Settings of `artifact import`.
#[derive(Debug, Clone, clap::Args)]
pub struct ImportArgs {
    /// Folder with what the AWS CLI wrote: list-reports.json, list-report-versions-REPORT.json,
    /// get-report-metadata-*.json, list-customer-agreements-ACCOUNT.json, and list-customer-agreements-ACCOUNT.error with
    /// what the CLI said where it was refused. Reports themselves are stored: get-report-REPORT-VERSION.pdf or .zip; and so
    /// is what people recorded of them elsewhere: acceptance-REPORT-VERSION.json with terms-REPORT-VERSION.pdf,
    /// review-REPORT-VERSION.json, release-REPORT-VERSION.json.
    pub folder: PathBuf,
    /// When AWS answered, e.g. 2026-11-22T10:00:00Z [default: when the newest of the files was written].
    #[arg(long, value_parser = moment)]
    pub read_at: Option<OffsetDateTime>,
}

/// Settings of `artifact sync`.
#[derive(Debug, Clone, clap::Args)]
pub struct SyncArgs {
    #[command(flatten)]
    pub settings: ArtifactSettings,
    #[command(flatten, next_help_heading = "Reaching AWS")]
    pub aws: AwsSettings,
}

fn moment(text: &str) -> Result<OffsetDateTime, String> {
    OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339)
        .map_err(|error| format!("{text:?} is not a time like 2026-11-22T10:00:00Z: {error}"))
}

/// What an import changed.
#[derive(Debug, Default)]
struct Outcome {
    versions_read: usize,
    versions_changed: usize,
    accounts_read: usize,
    accounts_not_read: usize,
    agreements_changed: usize,
    kept: Kept,
}

/// Imports a folder. Exit status: 0 whole; 2 something in it was not understood; 1 it could not be read or kept.
pub async fn import(state: &State, organization: &str, args: &ImportArgs) -> anyhow::Result<ExitCode> {
    let (words, problems) = import_folder(state, organization, &args.folder, args.read_at).await?;
    println!("{words}");
    for problem in &problems {
        eprintln!("not understood: {problem}");
    }
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(2) })
}

/// Reads Artifact. Exit status: 0 whole; 2 something was not read or not understood; 1 nothing could be kept.
pub async fn sync(state: &State, organization: &str, args: &SyncArgs) -> anyhow::Result<ExitCode> {
    let what = Sync { organization, settings: &args.settings, aws: &args.aws };
    let progress = Shown::new();
    let entry = Entry::by_operator("sync from Artifact", "");
    let tally = Box::pin(sync::sync(state, what, entry, |done, total| progress.set(done, total))).await?;
    progress.end();
    println!("{}", tally.words());
    for (account_id, why) in &tally.not_read {
        eprintln!("agreements of {account_id} not read: {why}");
    }
    for problem in &tally.problems {
        eprintln!("not understood: {problem}");
    }
    Ok(if tally.is_whole() { ExitCode::SUCCESS } else { ExitCode::from(2) })
}

/// A bar on a terminal, a line every hundred accounts otherwise.
struct Shown(Option<ProgressBar>);

impl Shown {
    fn new() -> Self {
        Self(std::io::stderr().is_terminal().then(|| ProgressBar::new(0)))
    }

    fn set(&self, done: usize, total: usize) {
        match &self.0 {
            Some(bar) => {
                bar.set_length(u64::try_from(total).unwrap_or(u64::MAX));
                bar.set_position(u64::try_from(done).unwrap_or(u64::MAX));
            }
            None if done.is_multiple_of(100) || done == total => {
                eprintln!("agreements: {done} of {total} accounts");
            }
            None => {}
        }
    }

    fn end(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

/// Imports a folder; gives what changed in words, and what in it was not understood.
pub async fn import_folder(
    state: &State,
    organization: &str,
    folder: &Path,
    read_at: Option<OffsetDateTime>,
) -> anyhow::Result<(String, Vec<String>)> {
    let path = folder.to_owned();
    let now = state.clock.now();
    let mut imported = tokio::task::spawn_blocking(move || import::read(&path, now)).await??;
    let Some(read_at) = read_at.or(imported.written_at) else {
        bail!("nothing could be read: {}", imported.problems.join("; "));
    };
    ensure!(read_at <= now, "{} is in the future", format::at(read_at));
    let source = folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy().into_owned();
    let outcome = keep(state, organization, &mut imported, read_at, &source).await?;
    let words = format!(
        "Artifact as of {}: {} of reports read, {} new or changed; agreements of {} read, of {} not; {} new or changed; \
         {} and {} of people stored.",
        format::at(read_at),
        plural(outcome.versions_read, "version"),
        outcome.versions_changed,
        plural(outcome.accounts_read, "account"),
        outcome.accounts_not_read,
        outcome.agreements_changed,
        plural(outcome.kept.documents, "document"),
        plural(outcome.kept.records, "record"),
    );
    Ok((words, imported.problems))
}

fn plural(number: usize, word: &str) -> String {
    format::plural(i64::try_from(number).unwrap_or(i64::MAX), word)
}

/// Keeps what was read, all of it or nothing.
async fn keep(
    state: &State,
    organization: &str,
    imported: &mut Imported,
    read_at: OffsetDateTime,
    source: &str,
) -> anyhow::Result<Outcome> {
    let mut tx = state.db.begin().await?;
    let organization_id = organization::current(&mut tx, organization).await?;
    db::lock(&mut tx).await?;
    let problems = named(&imported.problems);
    let new = NewReading { organization_id, account_id: None, read_at, source, failure: None, problems: &problems };
    let mut outcome = Outcome::default();
    if let Some(reports) = &imported.reports {
        outcome.versions_read = reports.versions.len();
        outcome.versions_changed = keep_reports(&mut tx, &new, reports).await?;
    }
    for (account_id, read) in &imported.agreements {
        let new = NewReading { account_id: Some(account_id), problems: &[], ..new.clone() };
        outcome.agreements_changed += keep_agreements(&mut tx, &new, read).await?;
        match read {
            Ok(_) => outcome.accounts_read += 1,
            Err(_) => outcome.accounts_not_read += 1,
        }
    }
    let origin = Origin { organization_id, source, operator: &audit_log::operator() };
    let listed = db::held_versions(&mut tx, organization_id).await?;
    for (key, beside) in &imported.beside {
        if !listed.contains_key(key) {
            imported.problems.push(format!("{}-{}: is left out, since no list has that version", key.0, key.1));
            continue;
        }
        let kept = imported::keep(&mut tx, origin, key, beside, &mut imported.problems).await?;
        outcome.kept.documents += kept.documents;
        outcome.kept.records += kept.records;
    }
    let detail = serde_json::json!({
        "documents_stored": outcome.kept.documents, "records_stored": outcome.kept.records, "read_at": format::at(read_at), "source": source, "versions": outcome.versions_read,
        "versions_changed": outcome.versions_changed, "accounts_read": outcome.accounts_read,
        "accounts_not_read": outcome.accounts_not_read, "agreements_changed": outcome.agreements_changed,
        "not_understood": imported.problems.len(),
        "not_understood_first": problems,
    });
    audit_log::record(&mut tx, &Entry::by_operator("import from Artifact", source).detail(detail)).await?;
    notices::decide(&mut tx, state, organization).await?;
    tx.commit().await?;
    Ok(outcome)
}
