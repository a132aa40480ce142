//! The queue's SQL. Times are Postgres's own: workers on several machines need not agree on the clock.

use std::time::Duration;

use sqlx::{PgConnection, PgExecutor, PgPool};

use super::{Claim, Job, Kind, Reached, Standing};
use crate::audit_log;

/// Puts a job into the queue; call [`super::wake`] after the commit. Gives the job's id.
pub async fn enqueue(
    tx: &mut PgConnection,
    kind: Kind,
    payload: &serde_json::Value,
    created_by: &str,
) -> sqlx::Result<i64> {
    sqlx::query_scalar("insert into job (kind, payload, created_by) values ($1, $2, $3) returning job_id")
        .bind(kind.word())
        .bind(payload)
        .bind(created_by)
        .fetch_one(tx)
        .await
}

/// Where a job stands.
pub async fn find(db: impl PgExecutor<'_>, job_id: i64) -> sqlx::Result<Option<Standing>> {
    sqlx::query_as(
        "select job_id, kind, state, created_by, created_at, finished_at, attempts,
                progress_done, progress_total, progress_unit, failure, result
         from job where job_id = $1",
    )
    .bind(job_id)
    .fetch_optional(db)
    .await
}

/// Marks the job done, in the transaction that stores its result. False: the lease is lost, roll back.
pub async fn finish(tx: &mut PgConnection, claim: Claim, result: &str) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "update job set state = 'done', finished_at = clock_timestamp(), lease_until = null, result = $3,
                progress_done = progress_total
         where job_id = $1 and attempts = $2 and state = 'running'",
    )
    .bind(claim.job_id)
    .bind(claim.attempt)
    .bind(result)
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Takes the oldest job that is due: queued, or left by a worker whose lease ran out.
pub(super) async fn claim(db: &PgPool, lease: Duration) -> sqlx::Result<Option<Job>> {
    let row: Option<(i64, String, serde_json::Value, String, i32)> = sqlx::query_as(
        "update job
         set state = 'running', attempts = attempts + 1, started_at = coalesce(started_at, clock_timestamp()),
             lease_until = clock_timestamp() + make_interval(secs => $1), progress_done = 0
         where job_id = (
             select job_id from job
             where state = 'queued' or (state = 'running' and lease_until < clock_timestamp())
             order by job_id limit 1 for update skip locked)
         returning job_id, kind, payload, created_by, attempts",
    )
    .bind(lease.as_secs_f64())
    .fetch_optional(db)
    .await?;
    let Some((job_id, word, payload, created_by, attempt)) = row else {
        return Ok(None);
    };
    let kind = Kind::of(&word).ok_or_else(|| sqlx::Error::Decode(format!("unknown kind of job: {word}").into()))?;
    Ok(Some(Job { claim: Claim { job_id, attempt }, kind, payload, created_by }))
}

/// Fails the jobs that no worker has brought to an end in so many attempts.
pub(super) async fn give_up(db: &PgPool, attempts: i32) -> sqlx::Result<u64> {
    let mut tx = db.begin().await?;
    let given_up: Vec<(i64, String, String)> = sqlx::query_as(
        "update job
         set state = 'failed', finished_at = clock_timestamp(), lease_until = null,
             failure = 'given up after ' || attempts || ' attempts: each time the program ended before the job did'
         where state = 'running' and lease_until < clock_timestamp() and attempts >= $1
         returning job_id, kind, failure",
    )
    .bind(attempts)
    .fetch_all(&mut *tx)
    .await?;
    for (job_id, kind, failure) in &given_up {
        audit_log::record(&mut tx, &failed(*job_id, kind, failure)).await?;
    }
    tx.commit().await?;
    Ok(u64::try_from(given_up.len()).unwrap_or(u64::MAX))
}

fn failed(job_id: i64, kind: &str, failure: &str) -> audit_log::Entry {
    audit_log::Entry::by_system("fail job", format!("job {job_id}"))
        .detail(serde_json::json!({ "kind": kind, "failure": failure }))
}

/// Keeps the job for another while and writes how far it has come. False: the lease is lost.
pub(super) async fn renew(db: &PgPool, claim: Claim, lease: Duration, reached: Reached) -> sqlx::Result<bool> {
    let renewed = sqlx::query(
        "update job
         set lease_until = clock_timestamp() + make_interval(secs => $3),
             progress_done = $4, progress_total = $5, progress_unit = $6
         where job_id = $1 and attempts = $2 and state = 'running'",
    )
    .bind(claim.job_id)
    .bind(claim.attempt)
    .bind(lease.as_secs_f64())
    .bind(reached.done)
    .bind(reached.total)
    .bind(reached.unit)
    .execute(db)
    .await?;
    Ok(renewed.rows_affected() == 1)
}

/// Records why a job failed, on the job and in the audit log. Does nothing where the lease is lost.
pub(super) async fn fail(db: &PgPool, claim: Claim, failure: &str) -> sqlx::Result<()> {
    let mut tx = db.begin().await?;
    let kind: Option<String> = sqlx::query_scalar(
        "update job set state = 'failed', finished_at = clock_timestamp(), lease_until = null, failure = $3
         where job_id = $1 and attempts = $2 and state = 'running' returning kind",
    )
    .bind(claim.job_id)
    .bind(claim.attempt)
    .bind(failure)
    .fetch_optional(&mut *tx)
    .await?;
    if let Some(kind) = kind {
        audit_log::record(&mut tx, &failed(claim.job_id, &kind, failure)).await?;
    }
    tx.commit().await
}

/// Gives a job back that this worker may not finish, as if it had not been taken.
pub(super) async fn give_back(db: &PgPool, claim: Claim) -> sqlx::Result<()> {
    sqlx::query(
        "update job set state = 'queued', attempts = attempts - 1, lease_until = null
         where job_id = $1 and attempts = $2 and state = 'running'",
    )
    .bind(claim.job_id)
    .bind(claim.attempt)
    .execute(db)
    .await?;
    Ok(())
}
