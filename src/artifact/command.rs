//! `auditfolio artifact import`: what the AWS CLI wrote, into the store.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{bail, ensure};
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::db::{self, NewReading};
use super::history::news;
use super::import::{self, Agreements, Imported, Reports};
use crate::audit_log::{self, Entry};
use crate::web::format;
use crate::{State, organization};

/// Settings of `artifact import`.
#[derive(Debug, Clone, clap::Args)]
pub struct ImportArgs {
    /// Folder with what the AWS CLI wrote: list-reports.json, list-report-versions-REPORT.json,
    /// get-report-metadata-*.json, list-customer-agreements-ACCOUNT.json, and list-customer-agreements-ACCOUNT.error with
    /// what the CLI said where it was refused.
    pub folder: PathBuf,
    /// When AWS answered, e.g. 2026-11-22T10:00:00Z [default: when the newest of the files was written].
    #[arg(long, value_parser = moment)]
    pub read_at: Option<OffsetDateTime>,
}

fn moment(text: &str) -> Result<OffsetDateTime, String> {
    OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339)
        .map_err(|error| format!("{text:?} is not a time like 2026-11-22T10:00:00Z: {error}"))
}

/// Of what was not understood, so many stand in the audit log; all are printed.
const NAMED_PROBLEMS: usize = 20;

/// What an import changed.
#[derive(Debug, Default)]
struct Outcome {
    versions_read: usize,
    versions_changed: usize,
    accounts_read: usize,
    accounts_not_read: usize,
    agreements_changed: usize,
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
        "Artifact as of {}: {} of reports read, {} new or changed; agreements of {} read, of {} not; {} new or changed.",
        format::at(read_at),
        plural(outcome.versions_read, "version"),
        outcome.versions_changed,
        plural(outcome.accounts_read, "account"),
        outcome.accounts_not_read,
        outcome.agreements_changed,
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
    let new = NewReading { organization_id, account_id: None, read_at, source, failure: None };
    let mut outcome = Outcome::default();
    if let Some(reports) = &imported.reports {
        outcome.versions_read = reports.versions.len();
        outcome.versions_changed = keep_reports(&mut tx, &new, reports).await?;
    }
    for (account_id, read) in &imported.agreements {
        let new = NewReading { account_id: Some(account_id), ..new.clone() };
        outcome.agreements_changed += keep_agreements(&mut tx, &new, read).await?;
        match read {
            Ok(_) => outcome.accounts_read += 1,
            Err(_) => outcome.accounts_not_read += 1,
        }
    }
    let detail = serde_json::json!({
        "read_at": format::at(read_at), "source": source, "versions": outcome.versions_read,
        "versions_changed": outcome.versions_changed, "accounts_read": outcome.accounts_read,
        "accounts_not_read": outcome.accounts_not_read, "agreements_changed": outcome.agreements_changed,
        "not_understood": imported.problems.len(),
        "not_understood_first": imported.problems.iter().take(NAMED_PROBLEMS).collect::<Vec<_>>(),
    });
    audit_log::record(&mut tx, &Entry::by_operator("import from Artifact", source).detail(detail)).await?;
    tx.commit().await?;
    Ok(outcome)
}

/// History is told forwards: a reading from before one that is kept would change what was known then.
async fn in_order(db: &mut PgConnection, new: &NewReading<'_>) -> anyhow::Result<()> {
    let last = db::last_read_at(db, new.organization_id, new.account_id).await?;
    let what = new.account_id.map_or_else(|| "reports".to_owned(), |id| format!("agreements of account {id}"));
    if let Some(last) = last.filter(|last| *last > new.read_at) {
        bail!(
            "{what} of {} are already kept: what was read before, on {}, can no longer be added",
            format::at(last),
            format::at(new.read_at)
        );
    }
    Ok(())
}

async fn keep_reports(db: &mut PgConnection, new: &NewReading<'_>, reports: &Reports) -> anyhow::Result<usize> {
    in_order(db, new).await?;
    let reading = db::add_reading(db, new).await?;
    let held = db::held_versions(db, new.organization_id).await?;
    let told_reports: BTreeSet<&String> = reports.versions.keys().map(|(id, _)| id).collect();
    let news = news(&held, &reports.versions, |(report_id, _)| {
        // Silence says something where the versions were listed, or where the whole report is gone from the list of all.
        reports.versions_of.contains(report_id) || (reports.all_listed && !told_reports.contains(report_id))
    });
    db::write_versions(db, new.organization_id, reading, &news).await?;
    Ok(news.len())
}

async fn keep_agreements(db: &mut PgConnection, new: &NewReading<'_>, read: &Agreements) -> anyhow::Result<usize> {
    in_order(db, new).await?;
    let account_id = new.account_id.unwrap_or_default();
    let agreements = match read {
        Ok(agreements) => agreements,
        Err(failure) => {
            db::add_reading(db, &NewReading { failure: Some(failure), ..new.clone() }).await?;
            return Ok(0);
        }
    };
    let reading = db::add_reading(db, new).await?;
    let held = db::held_agreements(db, new.organization_id, account_id).await?;
    let news = news(&held, agreements, |_| true);
    db::write_agreements(db, new.organization_id, account_id, reading, &news).await?;
    Ok(news.len())
}
