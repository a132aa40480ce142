//! `auditfolio artifact`: what the AWS CLI wrote, or what AWS says when it is asked, into the store.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{bail, ensure};
use indicatif::ProgressBar;
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::db::{self, NewReading};
use super::documents::db::{self as documents, NewFile};
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
    /// what the CLI said where it was refused. Reports themselves are stored: get-report-REPORT-VERSION.pdf or .zip.
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
    files_stored: usize,
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
    let imported = tokio::task::spawn_blocking(move || import::read(&path)).await??;
    let Some(read_at) = read_at.or(imported.written_at) else {
        bail!("nothing could be read: {}", imported.problems.join("; "));
    };
    ensure!(read_at <= state.clock.now(), "{} is in the future", format::at(read_at));
    let source = folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy().into_owned();
    let outcome = keep(state, organization, &imported, read_at, &source).await?;
    let words = format!(
        "Artifact as of {}: {} of reports read, {} new or changed; agreements of {} read, of {} not; {} new or changed; \
         {} stored.",
        format::at(read_at),
        plural(outcome.versions_read, "version"),
        outcome.versions_changed,
        plural(outcome.accounts_read, "account"),
        outcome.accounts_not_read,
        outcome.agreements_changed,
        plural(outcome.files_stored, "document"),
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
    imported: &Imported,
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
    for file in &imported.files {
        outcome.files_stored += usize::from(keep_file(&mut tx, organization_id, file, source).await?);
    }
    let detail = serde_json::json!({
        "files_stored": outcome.files_stored, "read_at": format::at(read_at), "source": source, "versions": outcome.versions_read,
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

/// Stores a report that lay beside the answers, unless its version has these bytes already.
async fn keep_file(
    tx: &mut PgConnection,
    organization_id: i16,
    file: &import::File,
    source: &str,
) -> anyhow::Result<bool> {
    let of = (file.report_id.as_str(), file.version);
    let sha256 = ring::digest::digest(&ring::digest::SHA256, &file.bytes);
    if documents::is_held(tx, organization_id, of, sha256.as_ref()).await? {
        return Ok(false);
    }
    let document_id = documents::store(tx, organization_id, file.media_type, &file.bytes).await?;
    let stored_by = audit_log::operator();
    let (report_id, version) = of;
    let new =
        NewFile { organization_id, report_id, version, document_id, terms_id: None, source, stored_by: &stored_by };
    documents::insert_file(tx, &new).await?;
    Ok(true)
}
