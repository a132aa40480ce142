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

/// The columns of [`Standing`].
pub(super) const STANDING: &str = "job_id, kind, state, created_by, created_at, started_at, finished_at, attempts,
     progress_done, progress_total, progress_unit, failure, result, not_before, cancel_asked_by, retry_of,
     (select r.job_id from job r where r.retry_of = job.job_id) as retried_as";

/// The collection that is queued or running, if one is.
pub async fn unfinished_collection(db: impl PgExecutor<'_>) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar("select job_id from job where kind = 'collect' and state in ('queued', 'running')")
        .fetch_optional(db)
        .await
}

/// Whether an error says that a job of a kind of which there is one at a time is queued or running already.
pub fn is_one_at_a_time(error: &sqlx::Error) -> bool {
    let constraint = error.as_database_error().and_then(|error| error.constraint());
    matches!(constraint, Some("job_one_collection_idx" | "job_one_retention_idx"))
}

/// Says where the result of a running job will be, before it is done.
pub async fn say_result(db: &PgPool, claim: Claim, result: &str) -> sqlx::Result<()> {
    sqlx::query("update job set result = $3 where job_id = $1 and attempts = $2 and state = 'running'")
        .bind(claim.job_id)
        .bind(claim.attempt)
        .bind(result)
        .execute(db)
        .await?;
    Ok(())
}

/// Where a job stands.
pub async fn find(db: impl PgExecutor<'_>, job_id: i64) -> sqlx::Result<Option<Standing>> {
    let sql = format!("select {STANDING} from job where job_id = $1");
    sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(job_id).fetch_optional(db).await
}

/// Marks the job done, in the transaction that stores its result. False: the lease is lost, roll back.
pub async fn finish(tx: &mut PgConnection, claim: Claim, result: &str) -> sqlx::Result<bool> {
    let done: Option<String> = sqlx::query_scalar(
        "update job set state = 'done', finished_at = clock_timestamp(), lease_until = null, result = $3,
                failure = null, progress_done = progress_total
         where job_id = $1 and attempts = $2 and state = 'running' returning kind",
    )
    .bind(claim.job_id)
    .bind(claim.attempt)
    .bind(result)
    .fetch_optional(&mut *tx)
    .await?;
    let Some(kind) = done else { return Ok(false) };
    let entry = audit_log::Entry::by_system("finish job", format!("job {}", claim.job_id))
        .detail(serde_json::json!({ "kind": kind, "result": result }));
    audit_log::record(tx, &entry).await?;
    Ok(true)
}

/// Takes the oldest job of these kinds that is due: queued, or left by a worker whose lease ran out.
pub(super) async fn claim(db: &PgPool, kinds: &[Kind], lease: Duration) -> sqlx::Result<Option<Job>> {
    let mut tx = db.begin().await?;
    let row: Option<(i64, String, serde_json::Value, String, i32)> = sqlx::query_as(
        "update job
         set state = 'running', attempts = attempts + 1, started_at = clock_timestamp(),
             lease_until = clock_timestamp() + make_interval(secs => $1), progress_done = 0, progress_total = 0,
             progress_unit = ''
         where job_id = (
             select job_id from job
             where kind = any($2)
               and (state = 'queued' and (not_before is null or not_before <= clock_timestamp())
                    or state = 'running' and lease_until < clock_timestamp() and cancel_asked_at is null)
             order by job_id limit 1 for update skip locked)
         returning job_id, kind, payload, created_by, attempts",
    )
    .bind(lease.as_secs_f64())
    .bind(kinds.iter().map(|kind| kind.word()).collect::<Vec<_>>())
    .fetch_optional(&mut *tx)
    .await?;
    let Some((job_id, word, payload, created_by, attempt)) = row else {
        return Ok(None);
    };
    let kind = Kind::of(&word).ok_or_else(|| sqlx::Error::Decode(format!("unknown kind of job: {word}").into()))?;
    let entry = audit_log::Entry::by_system("start job", format!("job {job_id}"))
        .detail(serde_json::json!({ "kind": word, "attempt": attempt, "created_by": created_by }));
    audit_log::record(&mut tx, &entry).await?;
    tx.commit().await?;
    Ok(Some(Job { claim: Claim { job_id, attempt }, kind, payload, created_by }))
}

/// A job that has ended or waits again, for the record.
type Ended = (i64, String, String, Option<String>);

/// Records which of these have failed or were cancelled, in the transaction that says so on the job.
async fn record_ends(tx: &mut PgConnection, jobs: &[Ended]) -> sqlx::Result<()> {
    for (job_id, kind, state, failure) in jobs {
        let act = match state.as_str() {
            "failed" => "fail job",
            "cancelled" => "end cancelled job",
            _ => continue,
        };
        let entry = audit_log::Entry::by_system(act, format!("job {job_id}"))
            .detail(serde_json::json!({ "kind": kind, "failure": failure }));
        audit_log::record(tx, &entry).await?;
    }
    Ok(())
}

/// Ends the jobs that their workers left and that nobody should take up again: those that were to be cancelled, and
/// those that no worker has brought to an end in so many attempts.
pub(super) async fn give_up(db: &PgPool, attempts: i32) -> sqlx::Result<u64> {
    let mut tx = db.begin().await?;
    let given_up: Vec<Ended> = sqlx::query_as(
        "update job
         set state = case when cancel_asked_at is null then 'failed' else 'cancelled' end,
             finished_at = clock_timestamp(), lease_until = null,
             failure = case when cancel_asked_at is null then
                 'given up after ' || attempts - failures || ' attempts: each time the program ended before the job did'
             end
         where state = 'running' and lease_until < clock_timestamp()
           and (attempts - failures >= $1 or cancel_asked_at is not null)
         returning job_id, kind, state, failure",
    )
    .bind(attempts)
    .fetch_all(&mut *tx)
    .await?;
    record_ends(&mut tx, &given_up).await?;
    tx.commit().await?;
    Ok(u64::try_from(given_up.len()).unwrap_or(u64::MAX))
}

/// Keeps the job for another while and writes how far it has come. `None`: the lease is lost; else whether somebody
/// asked for the job's end.
pub(super) async fn renew(db: &PgPool, claim: Claim, lease: Duration, reached: Reached) -> sqlx::Result<Option<bool>> {
    sqlx::query_scalar(
        "update job
         set lease_until = clock_timestamp() + make_interval(secs => $3),
             progress_done = $4, progress_total = $5, progress_unit = $6
         where job_id = $1 and attempts = $2 and state = 'running'
         returning cancel_asked_at is not null",
    )
    .bind(claim.job_id)
    .bind(claim.attempt)
    .bind(lease.as_secs_f64())
    .bind(reached.done)
    .bind(reached.total)
    .bind(reached.unit)
    .fetch_optional(db)
    .await
}

/// Records why a job failed, on the job and in the audit log. Does nothing where the lease is lost.
pub(super) async fn fail(db: &PgPool, claim: Claim, failure: &str) -> sqlx::Result<()> {
    let mut tx = db.begin().await?;
    let failed: Option<Ended> = sqlx::query_as(
        "update job set state = 'failed', finished_at = clock_timestamp(), lease_until = null, not_before = null,
                failures = failures + 1, failure = $3
         where job_id = $1 and attempts = $2 and state = 'running' returning job_id, kind, state, failure",
    )
    .bind(claim.job_id)
    .bind(claim.attempt)
    .bind(failure)
    .fetch_optional(&mut *tx)
    .await?;
    record_ends(&mut tx, failed.as_slice()).await?;
    tx.commit().await
}

/// How often an attempt of the job has failed before.
pub(super) async fn failures(db: &PgPool, claim: Claim) -> sqlx::Result<i32> {
    sqlx::query_scalar("select failures from job where job_id = $1").bind(claim.job_id).fetch_one(db).await
}

/// Puts a job back that failed, to be tried again after a while. One that was to be cancelled ends.
pub(super) async fn put_off(db: &PgPool, claim: Claim, failure: &str, wait: Duration) -> sqlx::Result<()> {
    let mut tx = db.begin().await?;
    let put_off: Option<Ended> = sqlx::query_as(
        "update job set failures = failures + 1, failure = $3, lease_until = null,
                state = case when cancel_asked_at is null then 'queued' else 'cancelled' end,
                finished_at = case when cancel_asked_at is not null then clock_timestamp() end,
                not_before = case when cancel_asked_at is null then clock_timestamp() + make_interval(secs => $4) end
         where job_id = $1 and attempts = $2 and state = 'running' returning job_id, kind, state, failure",
    )
    .bind(claim.job_id)
    .bind(claim.attempt)
    .bind(failure)
    .bind(wait.as_secs_f64())
    .fetch_optional(&mut *tx)
    .await?;
    record_ends(&mut tx, put_off.as_slice()).await?;
    tx.commit().await
}

/// Records that a job ended because somebody asked for its end.
pub(super) async fn cancelled(db: &PgPool, claim: Claim) -> sqlx::Result<()> {
    let mut tx = db.begin().await?;
    let cancelled: Option<Ended> = sqlx::query_as(
        "update job set state = 'cancelled', finished_at = clock_timestamp(), lease_until = null
         where job_id = $1 and attempts = $2 and state = 'running' returning job_id, kind, state, failure",
    )
    .bind(claim.job_id)
    .bind(claim.attempt)
    .fetch_optional(&mut *tx)
    .await?;
    record_ends(&mut tx, cancelled.as_slice()).await?;
    tx.commit().await
}

/// Gives a job back that this worker may not finish, as if it had not been taken.
pub(super) async fn give_back(db: &PgPool, claim: Claim) -> sqlx::Result<()> {
    let mut tx = db.begin().await?;
    let given_back: Option<Ended> = sqlx::query_as(
        "update job set state = case when cancel_asked_at is null then 'queued' else 'cancelled' end,
                finished_at = case when cancel_asked_at is not null then clock_timestamp() end,
                attempts = attempts - 1, lease_until = null
         where job_id = $1 and attempts = $2 and state = 'running' returning job_id, kind, state, failure",
    )
    .bind(claim.job_id)
    .bind(claim.attempt)
    .fetch_optional(&mut *tx)
    .await?;
    record_ends(&mut tx, given_back.as_slice()).await?;
    tx.commit().await
}

/// Asks for a job's end: at once where it waits, by its worker where it runs. False: it has ended already.
pub(super) async fn ask_to_cancel(tx: &mut PgConnection, job_id: i64, by: &str) -> sqlx::Result<bool> {
    let asked = sqlx::query(
        "update job set cancel_asked_at = coalesce(cancel_asked_at, clock_timestamp()),
                cancel_asked_by = coalesce(cancel_asked_by, $2),
                finished_at = case state when 'queued' then clock_timestamp() end,
                not_before = null,
                state = case state when 'queued' then 'cancelled' else state end
         where job_id = $1 and state in ('queued', 'running')",
    )
    .bind(job_id)
    .bind(by)
    .execute(tx)
    .await?;
    Ok(asked.rows_affected() == 1)
}

/// Puts a failed or cancelled job into the queue again, as a new job for whoever asks. `None`: there is nothing to
/// retry, or it was retried already.
pub(super) async fn retry(
    tx: &mut PgConnection,
    job_id: i64,
    by: &str,
    payload: &serde_json::Value,
) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar(
        "insert into job (kind, payload, created_by, retry_of)
         select kind, payload || $3, $2, job_id from job
         where job_id = $1 and state in ('failed', 'cancelled')
         on conflict (retry_of) do nothing returning job_id",
    )
    .bind(job_id)
    .bind(by)
    .bind(payload)
    .fetch_optional(tx)
    .await
}
