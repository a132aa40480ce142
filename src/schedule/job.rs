//! A collection as a job: its progress, its end, and the notices that follow.

use std::pin::pin;
use std::time::Duration;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::Collecting;
use crate::State;
use crate::collection::{self, Cancelled, Outcome};
use crate::jobs::{self, Claim, Ending, Job, Progress};
use crate::notices::{self, Collected};

/// Who asked for a collection; the payload of a job of kind collect. What is collected is in the settings of the
/// program that does it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The organisation's name.
    pub organization: String,
    #[serde(rename = "created_by")]
    pub by: String,
    /// Whether `by` is a demo identity.
    pub demo: bool,
}

/// How often the collection's progress becomes the job's.
const TELL_EVERY: Duration = Duration::from_millis(250);

/// Carries out a job of kind collect; see [`jobs`].
pub async fn carry_out(state: State, job: Job, progress: Progress) -> anyhow::Result<()> {
    let collecting = state.duties.collecting.as_ref().context("this program is not set up to collect")?;
    let asked: Asked = serde_json::from_value(job.payload.clone()).context("reading who asked for the collection")?;
    collecting.ensure_for(&asked.organization)?;
    let own = collection::Progress::stopped_by(progress.cancelled().clone());
    let ended = collect(&state, collecting, &asked, job.claim, &progress, &own).await;
    match ended {
        Ok(outcome) => {
            let mut tx = state.db.begin().await?;
            notices::decide(
                &mut tx,
                &state,
                &collecting.source.notices,
                &asked.organization,
                &Collected::Finished { collection_id: outcome.collection_id },
            )
            .await
            .context("the collection finished, but what there is to notice could not be decided")?;
            anyhow::ensure!(
                jobs::finish(&mut tx, job.claim, &outcome.collection_id.to_string()).await?,
                "another worker has taken the job up"
            );
            tx.commit().await?;
            jobs::wake();
            Ok(())
        }
        Err(error) if error.is::<Cancelled>() => Err(Ending::Cancelled.into()),
        Err(error) => {
            let failed = Collected::Failed {
                collection_id: own.collection_id(),
                job_id: Some(job.claim.job_id),
                failure: format!("{error:#}"),
            };
            notices::after(&state, &collecting.source.notices, &asked.organization, &failed).await;
            Err(error)
        }
    }
}

async fn collect(
    state: &State,
    collecting: &Collecting,
    asked: &Asked,
    claim: Claim,
    progress: &Progress,
    own: &collection::Progress,
) -> anyhow::Result<Outcome> {
    let options = collecting.options(asked, state.clock)?;
    let mut run = pin!(collection::run(&state.db, &options, own));
    let mut said = None;
    loop {
        tokio::select! {
            ended = &mut run => return ended,
            () = tokio::time::sleep(TELL_EVERY) => {
                let unit = if own.total() == 0 { own.step_words() } else { "objects" };
                progress.set(own.done(), own.total(), unit);
                if said != own.collection_id() && let Some(collection_id) = own.collection_id() {
                    match jobs::say_result(&state.db, claim, &collection_id.to_string()).await {
                        Ok(()) => said = Some(collection_id),
                        // The collection goes on, and this is said later.
                        Err(error) => tracing::warn!("saying which collection a job makes: {error}"),
                    }
                }
            }
        }
    }
}
