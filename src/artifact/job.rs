//! Reading Artifact as a job: on its own every so often, and whenever somebody asks.

use std::time::Duration;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use tokio_util::sync::CancellationToken;

use super::db;
use super::sync::{Sync, sync};
use crate::State;
use crate::audit_log::{self, Entry};
use crate::jobs::{self, Job, Progress};

/// Who asked for it; the payload of a job of kind artifact. What is read is in the settings of the program that does it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Asked {
    /// The organisation's name.
    pub(super) organization: String,
    #[serde(rename = "created_by")]
    pub(super) by: String,
    /// Whether `by` is a demo identity.
    pub(super) demo: bool,
}

/// Puts a reading into the queue unless one is queued or running; gives the job's id and whether it is new.
pub(super) async fn enqueue(tx: &mut PgConnection, asked: &Asked) -> anyhow::Result<(i64, bool)> {
    db::lock(tx).await?;
    if let Some(job_id) = db::unfinished_job(tx).await? {
        return Ok((job_id, false));
    }
    let payload = serde_json::to_value(asked)?;
    Ok((jobs::enqueue(tx, jobs::Kind::Artifact, &payload, &asked.by).await?, true))
}

/// Carries out a job of kind artifact; see [`jobs`].
pub async fn carry_out(state: State, job: Job, progress: Progress) -> anyhow::Result<()> {
    let syncing = state.duties.syncing.as_ref().context("this program is not set up to read Artifact")?;
    let asked: Asked = serde_json::from_value(job.payload.clone()).context("reading who asked for it")?;
    anyhow::ensure!(
        asked.organization == syncing.organization,
        "it is asked for “{}”, and this program reads Artifact for “{}”",
        asked.organization,
        syncing.organization
    );
    let what = Sync { organization: &syncing.organization, settings: &syncing.settings, aws: &syncing.aws };
    let entry = if asked.demo {
        Entry::by_demo(asked.by, "sync from Artifact", format!("job {}", job.claim.job_id))
    } else {
        Entry::by_system("sync from Artifact", format!("job {}", job.claim.job_id))
    };
    let tally = Box::pin(sync(&state, what, entry, |done, total| progress.set(done, total, "accounts"))).await?;
    let mut tx = state.db.begin().await?;
    anyhow::ensure!(jobs::finish(&mut tx, job.claim, &tally.words()).await?, "another worker has taken the job up");
    tx.commit().await?;
    Ok(())
}

/// How often it is looked whether a reading is due.
const LOOK_EVERY: Duration = Duration::from_mins(1);

/// Reads Artifact every so often until `stop`. Does nothing where that is not set.
pub async fn keep(state: State, stop: CancellationToken) {
    while let Some(syncing) = state.duties.syncing.as_ref().filter(|_| !stop.is_cancelled()) {
        if let Err(error) = look(&state, &syncing.organization, syncing.every).await {
            tracing::warn!("reading Artifact: {error:#}");
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

/// Puts a reading into the queue if the last one was put there `every` ago; whoever looks first does it for all programs of
/// the database.
pub async fn look(state: &State, organization: &str, every: Duration) -> anyhow::Result<()> {
    let asked = Asked { organization: organization.to_owned(), by: "schedule".to_owned(), demo: false };
    let mut tx = state.db.begin().await?;
    db::lock(&mut tx).await?;
    if !db::is_due(&mut tx, every).await? {
        return Ok(());
    }
    let (job_id, new) = enqueue(&mut tx, &asked).await?;
    if new {
        audit_log::record(&mut tx, &Entry::by_system("schedule sync from Artifact", format!("job {job_id}"))).await?;
    }
    tx.commit().await?;
    jobs::wake();
    Ok(())
}
