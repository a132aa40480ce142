//! The self-test as a job.

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::{check, db};
use crate::State;
use crate::jobs::{self, Job, Progress};

/// Who asked for a self-test; the payload of a job of kind check. What is tested is in the settings of the program that
/// does it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Asked {
    /// The organisation's name.
    pub(super) organization: String,
    #[serde(rename = "created_by")]
    pub(super) by: String,
    /// Whether `by` is a demo identity.
    pub(super) demo: bool,
}

/// Carries out a job of kind check; see [`jobs`].
pub async fn carry_out(state: State, job: Job, progress: Progress) -> anyhow::Result<()> {
    let duties = &state.duties;
    let (Some(setup), Some(collecting)) = (&duties.setup, &duties.collecting) else {
        anyhow::bail!("this program is not set up to collect")
    };
    let asked: Asked = serde_json::from_value(job.payload.clone()).context("reading who asked for the test")?;
    collecting.ensure_for(&asked.organization)?;
    let rows = Box::pin(check::run(setup, None, |done, total| progress.set(done, total, "steps"))).await;
    let mut tx = state.db.begin().await?;
    let id = db::insert(&mut tx, &asked.organization, &asked.by, &setup.words(), &rows).await?;
    anyhow::ensure!(jobs::finish(&mut tx, job.claim, &id.to_string()).await?, "another worker has taken the job up");
    tx.commit().await?;
    Ok(())
}
