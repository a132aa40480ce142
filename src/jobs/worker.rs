//! Takes jobs from the queue, one at a time, and keeps their lease while they run.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use futures_util::future::BoxFuture;
use sqlx::PgPool;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::core::{TRIES, wait_before};
use super::{Ending, Job, Kind, Progress, Standing, db};
use crate::State;
use crate::database::admitted;

/// Does a job. Commits the result together with [`super::finish`]; an error fails the job for good.
pub type CarryOut = fn(State, Job, Progress) -> BoxFuture<'static, anyhow::Result<()>>;

/// The worker's times.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How often an idle worker looks for jobs of other programs.
    pub poll: Duration,
    /// How often progress is written.
    pub progress: Duration,
    /// How long a job stays with a worker that says nothing more.
    pub lease: Duration,
    /// A job is taken up so many times at most.
    pub attempts: i32,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            poll: Duration::from_millis(500),
            progress: Duration::from_millis(250),
            lease: Duration::from_secs(15),
            attempts: 3,
        }
    }
}

/// Wakes this program's worker; the poll finds what this misses.
static WAKE: Notify = Notify::const_new();

/// Tells this program's workers that a job was committed.
pub fn wake() {
    WAKE.notify_waiters();
}

/// Works until `stop`. A job under way is then given back to the queue.
///
/// Collections have a worker of their own, so that a pack need not wait for one. A kind of job that this program is not
/// set up for is left to those that are.
pub async fn work(state: State, stop: CancellationToken) {
    let (mut short, mut long) = (vec![Kind::Pack, Kind::Sample, Kind::Freeze], Vec::new());
    short.extend(state.duties.mail.is_some().then_some(Kind::Digest));
    short.extend(state.duties.setup.is_some().then_some(Kind::Check));
    short.extend(state.duties.collecting.is_some().then_some(Kind::Notes));
    if state.duties.syncing.is_some() {
        short.extend([Kind::Artifact, Kind::Document]);
    }
    long.extend(state.duties.collecting.is_some().then_some(Kind::Collect));
    long.extend(state.duties.retention.is_some().then_some(Kind::Retain));
    let workers = [short, long].into_iter().filter(|kinds| !kinds.is_empty()).map(|kinds| {
        let (state, stop) = (state.clone(), stop.clone());
        async move { work_with(state, stop, Pace::default(), &kinds, carry_out).await }
    });
    futures_util::future::join_all(workers).await;
}

/// [`work`] on some kinds of jobs, one at a time, with other times and another hand.
pub async fn work_with(state: State, stop: CancellationToken, pace: Pace, kinds: &[Kind], carry_out: CarryOut) {
    while !stop.is_cancelled() {
        let worked = match next(&state, &stop, pace, kinds, carry_out).await {
            Ok(worked) => worked,
            Err(error) => {
                tracing::warn!("the job queue: {error:#}");
                false
            }
        };
        if !worked {
            tokio::select! {
                () = stop.cancelled() => {}
                () = WAKE.notified() => {}
                () = tokio::time::sleep(pace.poll) => {}
            }
        }
    }
}

/// Does the next job, if one is due.
async fn next(
    state: &State,
    stop: &CancellationToken,
    pace: Pace,
    kinds: &[Kind],
    carry_out: CarryOut,
) -> anyhow::Result<bool> {
    admitted(|| db::give_up(&state.db, pace.attempts)).await?;
    let Some(job) = db::claim(&state.db, kinds, pace.lease).await? else {
        return Ok(false);
    };
    let (claim, kind) = (job.claim, job.kind);
    tracing::info!(job = claim.job_id, kind = kind.word(), attempt = claim.attempt, "job taken up");
    let progress = Progress::default();
    let mut task = tokio::spawn(carry_out(state.clone(), job, progress.clone()));
    let ended = loop {
        tokio::select! {
            ended = &mut task => break Ended::ByItself(ended),
            kept = keep(&state.db, claim, pace, &progress) => match kept {
                Kept::LeaseLost => break Ended::LeaseLost,
                // From here on it is kept until it has ended.
                Kept::CancelAsked if kind.ends_by_itself() => progress.cancelled.cancel(),
                Kept::CancelAsked => break Ended::Cancelled,
            },
            () = stop.cancelled() => break Ended::Stopped,
        }
    };
    match ended {
        Ended::ByItself(outcome) => settle(state, claim, outcome).await?,
        Ended::LeaseLost => {
            leave(task, kind, &progress, stop).await;
            tracing::warn!(job = claim.job_id, "job lost: its lease ran out");
        }
        Ended::Cancelled => {
            abort(task).await;
            db::cancelled(&state.db, claim).await?;
            tracing::info!(job = claim.job_id, "job cancelled");
        }
        Ended::Stopped => {
            leave(task, kind, &progress, stop).await;
            db::give_back(&state.db, claim).await?;
            tracing::info!(job = claim.job_id, "job given back");
        }
    }
    Ok(true)
}

enum Ended {
    ByItself(Result<anyhow::Result<()>, tokio::task::JoinError>),
    LeaseLost,
    Cancelled,
    Stopped,
}

/// Writes down how a job ended, unless it did so itself.
async fn settle(
    state: &State,
    claim: super::Claim,
    outcome: Result<anyhow::Result<()>, tokio::task::JoinError>,
) -> anyhow::Result<()> {
    let failure = match outcome {
        Ok(Ok(())) => {
            let unfinished = db::find(&state.db, claim.job_id).await?.is_some_and(|job| job.state == "running");
            if !unfinished {
                tracing::info!(job = claim.job_id, "job done");
                return Ok(());
            }
            "the job ended without a result".to_owned()
        }
        Ok(Err(error)) => match error.downcast_ref::<Ending>() {
            Some(Ending::Cancelled) => {
                tracing::info!(job = claim.job_id, "job cancelled");
                return Ok(db::cancelled(&state.db, claim).await?);
            }
            Some(Ending::Later(why)) => {
                let failed_before = db::failures(&state.db, claim).await?;
                if let Some(wait) = wait_before(failed_before + 1) {
                    tracing::warn!(job = claim.job_id, "job failed and is tried again: {why}");
                    return Ok(db::put_off(&state.db, claim, why, wait).await?);
                }
                format!("{why} (given up after {TRIES} attempts)")
            }
            None => format!("{error:#}"),
        },
        Err(_panicked) => "an error in the program itself; its log says more".to_owned(),
    };
    tracing::error!(job = claim.job_id, "job failed: {failure}");
    db::fail(&state.db, claim, &failure).await?;
    Ok(())
}

/// Why a job is no longer only kept.
enum Kept {
    LeaseLost,
    CancelAsked,
}

/// How long somebody who cancels a job waits at most until its worker hears of it.
const HEARD_WITHIN: Duration = Duration::from_secs(1);

/// Renews the lease and writes progress; ends when the lease is lost, or once when the job's end is asked for.
async fn keep(db: &PgPool, claim: super::Claim, pace: Pace, progress: &Progress) -> Kept {
    let mut written = progress.reached();
    let mut renewed = Instant::now();
    let renew_after = HEARD_WITHIN.min(pace.lease / 3);
    loop {
        tokio::time::sleep(pace.progress.min(renew_after)).await;
        let reached = progress.reached();
        if reached == written && renewed.elapsed() < renew_after {
            continue;
        }
        match db::renew(db, claim, pace.lease, reached).await {
            Ok(Some(true)) if !progress.cancelled.is_cancelled() => return Kept::CancelAsked,
            Ok(Some(_)) => {
                written = reached;
                renewed = Instant::now();
            }
            // The database may come back before the lease is over.
            Err(error) if renewed.elapsed() < pace.lease => {
                tracing::warn!("keeping a job: {error}");
            }
            Ok(None) | Err(_) => return Kept::LeaseLost,
        }
    }
}

/// How long a job that ends by itself may hold up the program's end. Shorter than a lease.
const LEAVE_WITHIN: Duration = Duration::from_secs(10);

/// Ends a job that is not this worker's to finish. One that ends by itself is let come to its next safe point: cut off in
/// the middle of a statement it would give connections back that are of no use to the rest of the program.
async fn leave(mut task: JoinHandle<anyhow::Result<()>>, kind: Kind, progress: &Progress, stop: &CancellationToken) {
    if kind.ends_by_itself() {
        progress.cancelled.cancel();
        let too_long = async {
            stop.cancelled().await;
            tokio::time::sleep(LEAVE_WITHIN).await;
        };
        tokio::select! {
            _ended = &mut task => return,
            () = too_long => {}
        }
    }
    abort(task).await;
}

async fn abort(task: JoinHandle<anyhow::Result<()>>) {
    task.abort();
    let _aborted = task.await;
}

/// Which part of the program does which kind of job.
fn carry_out(state: State, job: Job, progress: Progress) -> BoxFuture<'static, anyhow::Result<()>> {
    match job.kind {
        Kind::Pack => Box::pin(crate::packs::build::carry_out(state, job, progress)),
        Kind::Collect => Box::pin(crate::schedule::carry_out(state, job, progress)),
        Kind::Digest => Box::pin(crate::notices::send_digest(state, job)),
        Kind::Check => Box::pin(crate::connect::carry_out(state, job, progress)),
        Kind::Notes => Box::pin(crate::reconcile::notes::carry_out(state, job)),
        Kind::Artifact => Box::pin(crate::artifact::carry_out(state, job, progress)),
        Kind::Document => Box::pin(crate::artifact::carry_out_document(state, job)),
        Kind::Sample => Box::pin(crate::engagement::carry_out(state, job, progress)),
        Kind::Freeze => Box::pin(crate::engagement::freeze(state, job, progress)),
        Kind::Retain => Box::pin(crate::retention::carry_out(state, job, progress)),
    }
}

/// Makes packs in this program until one job has ended, e.g. for the command line. Gives the job's result.
pub async fn run_to_end(state: &State, job_id: i64, mut report: impl FnMut(&Standing)) -> anyhow::Result<String> {
    let stop = CancellationToken::new();
    let worker = tokio::spawn({
        let (state, stop) = (state.clone(), stop.clone());
        async move { work_with(state, stop, Pace::default(), &[Kind::Pack], carry_out).await }
    });
    let ended = loop {
        let standing = db::find(&state.db, job_id).await?.context("the job has gone")?;
        report(&standing);
        match standing.state.as_str() {
            "done" => break standing.result.context("the job has no result"),
            "failed" => break Err(anyhow::anyhow!(standing.failure.unwrap_or_default())),
            "cancelled" => break Err(anyhow::anyhow!("the job was cancelled")),
            _ => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    };
    stop.cancel();
    worker.await?;
    ended
}
