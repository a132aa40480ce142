//! The queue's SQL. Times are Postgres's own: workers on several machines need not agree on the clock.

use std::time::Duration;

use sqlx::{PgConnection, PgExecutor, PgPool};

use super::{Claim, Job, Kind, Reached, Standing};

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

/// All of [`Standing`]; a caller adds which ones.
pub(super) const STANDING: &str =
    "select job_id, kind, state, created_by, created_at, started_at, finished_at, attempts, progress_done,
            progress_total, progress_unit, failure, result, not_before, cancel_asked_by, retry_of,
            (select r.job_id from job r where r.retry_of = job.job_id) as retried_as
     from job";

/// The collection that is queued or running, if one is.
pub async fn unfinished_collection(db: impl PgExecutor<'_>) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar("select job_id from job where kind = 'collect' and state in ('queued', 'running')")
        .fetch_optional(db)
        .await
}

/// Whether an error says that a collection is queued or running already.
pub fn is_collecting(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(|error| error.constraint()) == Some("job_one_collection_idx")
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
    sqlx::query_as(sqlx::AssertSqlSafe(format!("{STANDING} where job_id = $1"))).bind(job_id).fetch_optional(db).await
}

/// Marks the job done, in the transaction that stores its result. False: the lease is lost, roll back.
pub async fn finish(tx: &mut PgConnection, claim: Claim, result: &str) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "update job set state = 'done', finished_at = clock_timestamp(), lease_until = null, result = $3,
                failure = null, progress_done = progress_total
         where job_id = $1 and attempts = $2 and state = 'running'",
    )
    .bind(claim.job_id)
    .bind(claim.attempt)
    .bind(result)
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Takes the oldest job of these kinds that is due: queued, or left by a worker whose lease ran out.
pub(super) async fn claim(db: &PgPool, kinds: &[Kind], lease: Duration) -> sqlx::Result<Option<Job>> {
    let row: Option<(i64, String, serde_json::Value, String, i32)> = sqlx::query_as(
        "update job
         set state = 'running', attempts = attempts + 1, started_at = clock_timestamp(),
             lease_until = clock_timestamp() + make_interval(secs => $1), progress_done = 0, progress_total = 0
         where job_id = (
             select job_id from job
             where kind = any($2)
               and (state = 'queued' and (not_before is null or not_before <= clock_timestamp())
                    or state = 'running' and lease_until < clock_timestamp())
             order by job_id limit 1 for update skip locked)
         returning job_id, kind, payload, created_by, attempts",
    )
    .bind(lease.as_secs_f64())
    .bind(kinds.iter().map(|kind| kind.word()).collect::<Vec<_>>())
    .fetch_optional(db)
    .await?;
    let Some((job_id, word, payload, created_by, attempt)) = row else {
        return Ok(None);
    };
    let kind = Kind::of(&word).ok_or_else(|| sqlx::Error::Decode(format!("unknown kind of job: {word}").into()))?;
    Ok(Some(Job { claim: Claim { job_id, attempt }, kind, payload, created_by }))
}

/// Ends the jobs that their workers left and that nobody should take up again: those that were to be cancelled, and
/// those that no worker has brought to an end in so many attempts.
pub(super) async fn give_up(db: &PgPool, attempts: i32) -> sqlx::Result<u64> {
    let given_up = sqlx::query(
        "update job
         set state = case when cancel_asked_at is null then 'failed' else 'cancelled' end,
             finished_at = clock_timestamp(), lease_until = null,
             failure = case when cancel_asked_at is null then
                 'given up after ' || attempts || ' attempts: each time the program ended before the job did' end
         where state = 'running' and lease_until < clock_timestamp()
           and (attempts - failures >= $1 or cancel_asked_at is not null)",
    )
    .bind(attempts)
    .execute(db)
    .await?;
    Ok(given_up.rows_affected())
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

/// Records why a job failed.
pub(super) async fn fail(db: &PgPool, claim: Claim, failure: &str) -> sqlx::Result<()> {
    sqlx::query(
        "update job set state = 'failed', finished_at = clock_timestamp(), lease_until = null, not_before = null,
                failures = failures + 1, failure = $3
         where job_id = $1 and attempts = $2 and state = 'running'",
    )
    .bind(claim.job_id)
    .bind(claim.attempt)
    .bind(failure)
    .execute(db)
    .await?;
    Ok(())
}

/// How often an attempt of the job has failed before.
pub(super) async fn failures(db: &PgPool, claim: Claim) -> sqlx::Result<i32> {
    sqlx::query_scalar("select failures from job where job_id = $1").bind(claim.job_id).fetch_one(db).await
}

/// Puts a job back that failed, to be tried again after a while. One that was to be cancelled ends.
pub(super) async fn put_off(db: &PgPool, claim: Claim, failure: &str, wait: Duration) -> sqlx::Result<()> {
    sqlx::query(
        "update job set failures = failures + 1, failure = $3, lease_until = null,
                state = case when cancel_asked_at is null then 'queued' else 'cancelled' end,
                finished_at = case when cancel_asked_at is not null then clock_timestamp() end,
                not_before = case when cancel_asked_at is null then clock_timestamp() + make_interval(secs => $4) end
         where job_id = $1 and attempts = $2 and state = 'running'",
    )
    .bind(claim.job_id)
    .bind(claim.attempt)
    .bind(failure)
    .bind(wait.as_secs_f64())
    .execute(db)
    .await?;
    Ok(())
}

/// Records that a job ended because somebody asked for its end.
pub(super) async fn cancelled(db: &PgPool, claim: Claim) -> sqlx::Result<()> {
    sqlx::query(
        "update job set state = 'cancelled', finished_at = clock_timestamp(), lease_until = null
         where job_id = $1 and attempts = $2 and state = 'running'",
    )
    .bind(claim.job_id)
    .bind(claim.attempt)
    .execute(db)
    .await?;
    Ok(())
}

/// Gives a job back that this worker may not finish, as if it had not been taken.
pub(super) async fn give_back(db: &PgPool, claim: Claim) -> sqlx::Result<()> {
    sqlx::query(
        "update job set state = case when cancel_asked_at is null then 'queued' else 'cancelled' end,
                finished_at = case when cancel_asked_at is not null then clock_timestamp() end,
                attempts = attempts - 1, lease_until = null
         where job_id = $1 and attempts = $2 and state = 'running'",
    )
    .bind(claim.job_id)
    .bind(claim.attempt)
    .execute(db)
    .await?;
    Ok(())
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

/// Which jobs a list shows.
#[derive(Debug, Clone, Default)]
pub(super) struct Which {
    pub(super) state: Option<String>,
    pub(super) kind: Option<String>,
}

const WHICH: &str = "where ($1::text is null or state = $1) and ($2::text is null or kind = $2)";

/// The newest jobs whose number is below the given one, newest first.
pub(super) async fn list(
    db: &mut PgConnection,
    which: &Which,
    below: Option<i64>,
    limit: i64,
) -> sqlx::Result<Vec<Standing>> {
    let sql = format!("{STANDING} {WHICH} and ($3::bigint is null or job_id < $3) order by job_id desc limit $4");
    sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(&which.state)
        .bind(&which.kind)
        .bind(below)
        .bind(limit)
        .fetch_all(db)
        .await
}

/// The same, for the page before: numbers above the given one, lowest first.
pub(super) async fn list_above(
    db: &mut PgConnection,
    which: &Which,
    above: i64,
    limit: i64,
) -> sqlx::Result<Vec<Standing>> {
    let sql = format!("{STANDING} {WHICH} and job_id > $3 order by job_id limit $4");
    sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(&which.state)
        .bind(&which.kind)
        .bind(above)
        .bind(limit)
        .fetch_all(db)
        .await
}

pub(super) async fn count(db: &mut PgConnection, which: &Which) -> sqlx::Result<i64> {
    sqlx::query_scalar(sqlx::AssertSqlSafe(format!("select count(*) from job {WHICH}")))
        .bind(&which.state)
        .bind(&which.kind)
        .fetch_one(db)
        .await
}
