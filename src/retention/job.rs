//! Removal as a job of the queue, once a day.

use std::time::Duration;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::remove::{Asked, remove};
use super::span::{Retain, Span};
use super::{db, remove_db};
use crate::State;
use crate::audit_log::{self, ActorKind, Entry};
use crate::jobs::{self, Job, Kind, Progress};

/// What this program keeps, and for which organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duty {
    pub organization: String,
    pub span: Span,
}

impl Duty {
    /// What a setting asks for; `None` where it is never.
    pub fn of(retain: Retain, organization: &str) -> Option<Self> {
        Some(Self { organization: organization.to_owned(), span: retain.span()? })
    }
}

/// The payload of a job of kind retain. What is kept is in the settings of the program that does it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Payload {
    organization: String,
    created_by: String,
}

/// Carries out a job of kind retain; see [`jobs`].
pub async fn carry_out(state: State, job: Job, progress: Progress) -> anyhow::Result<()> {
    let duty = state.duties.retention.as_ref().context("this program is not set up to remove evidence")?;
    let payload: Payload = serde_json::from_value(job.payload).context("reading whose evidence is to be removed")?;
    anyhow::ensure!(
        payload.organization == duty.organization,
        "it is asked for “{}”, and this program keeps the evidence of “{}”",
        payload.organization,
        duty.organization
    );
    let by = (payload.created_by, ActorKind::System);
    let asked = Asked::of(duty.span, &duty.organization, state.clock.now().date(), by);
    let done = remove(&state.db, &asked, &progress).await?;
    let result = done.map_or_else(|| "none".to_owned(), |done| done.retention_id.to_string());
    let mut tx = state.db.begin().await?;
    anyhow::ensure!(jobs::finish(&mut tx, job.claim, &result).await?, "another worker has taken the job up");
    tx.commit().await?;
    Ok(())
}

/// Between two looks at whether a removal is due.
const LOOK_EVERY: Duration = Duration::from_mins(1);

/// Has evidence removed once a day until `stop`. Does nothing where the setting is never.
pub async fn keep(state: State, stop: CancellationToken) {
    let Some(duty) = state.duties.retention.clone() else { return };
    while !stop.is_cancelled() {
        if let Err(error) = look(&state, &duty).await {
            tracing::warn!("removal by the retention setting: {error:#}");
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

/// Puts a removal into the queue where one is due: anything is older than the setting keeps, or a removal was cut off, and none
/// was asked for today (UTC). Whoever comes first does it for all programs. Says whether it did.
pub async fn look(state: &State, duty: &Duty) -> anyhow::Result<bool> {
    let today = state.clock.now().date();
    if db::asked_since(&state.db, &duty.organization, today).await? {
        return Ok(false);
    }
    let Some(organization_id) = db::organization(&state.db, &duty.organization).await? else { return Ok(false) };
    let first_day = duty.span.first_day_kept(today);
    let floor = db::floor(&state.db, organization_id).await?;
    let first_day = floor.map_or(first_day, |floor| floor.first_day.max(first_day));
    let mut read = crate::database::read_only(&state.db).await?;
    if !db::unfinished(&mut *read, organization_id).await?
        && !remove_db::any_at_all(&mut read, organization_id, first_day).await?
    {
        return Ok(false);
    }
    drop(read);
    let payload = Payload { organization: duty.organization.clone(), created_by: "retention".to_owned() };
    let mut tx = state.db.begin().await?;
    let job_id = match jobs::enqueue(&mut tx, Kind::Retain, &serde_json::to_value(&payload)?, &payload.created_by).await
    {
        // Two programs at once.
        Err(error) if jobs::is_one_at_a_time(&error) => return Ok(false),
        other => other?,
    };
    audit_log::record(&mut tx, &Entry::by_system("schedule removal", format!("job {job_id}"))).await?;
    tx.commit().await?;
    jobs::wake();
    Ok(true)
}
