//! The schedule's row. Times are Postgres's own: programs on several machines need not agree on the clock.

use std::time::Duration;

use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;

/// A due time that has come, with the row locked.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct Due {
    pub(super) due_at: OffsetDateTime,
    every_seconds: i32,
    pub(super) now: OffsetDateTime,
}

impl Due {
    pub(super) fn every(&self) -> Duration {
        Duration::from_secs(u64::try_from(self.every_seconds).unwrap_or(1))
    }
}

/// Sets the schedule. A new one is due at once; a known one when it was due, or earlier where it became more frequent.
pub(super) async fn set(db: impl PgExecutor<'_>, every: Duration, source: &str) -> sqlx::Result<()> {
    sqlx::query(
        "insert into collect_schedule (every_seconds, source, due_at) values ($1, $2, clock_timestamp())
         on conflict (collect_schedule_id) do update
         set every_seconds = excluded.every_seconds, source = excluded.source, kept_at = clock_timestamp(),
             due_at = least(collect_schedule.due_at,
                            clock_timestamp() + make_interval(secs => excluded.every_seconds))",
    )
    .bind(i32::try_from(every.as_secs()).unwrap_or(i32::MAX))
    .bind(source)
    .execute(db)
    .await?;
    Ok(())
}

/// The due time that has come, if one has; whoever gets it holds the row until the end of the transaction.
pub(super) async fn due(tx: &mut PgConnection) -> sqlx::Result<Option<Due>> {
    sqlx::query(
        "update collect_schedule set kept_at = clock_timestamp() where kept_at < clock_timestamp() - interval '10 s'",
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query_as(
        "select due_at, every_seconds, clock_timestamp() as now from collect_schedule
         where due_at <= clock_timestamp() for update",
    )
    .fetch_optional(tx)
    .await
}

pub(super) async fn move_on(tx: &mut PgConnection, due_at: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query("update collect_schedule set due_at = $1").bind(due_at).execute(tx).await?;
    Ok(())
}

/// How long until the next collection is due.
pub(super) async fn until_due(db: impl PgExecutor<'_>) -> sqlx::Result<Duration> {
    let seconds: Option<f64> = sqlx::query_scalar(
        "select greatest(extract(epoch from due_at - clock_timestamp()), 0.05)::float8 from collect_schedule",
    )
    .fetch_optional(db)
    .await?;
    // Without a row there is nothing to wait for; a minute later there may be.
    Ok(Duration::from_secs_f64(seconds.unwrap_or(60.0)))
}

/// The schedule as pages show it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct Kept {
    pub(super) every_seconds: i32,
    pub(super) source: String,
    pub(super) due_at: OffsetDateTime,
}

/// The schedule, if a program keeps it.
pub(super) async fn kept(db: impl PgExecutor<'_>) -> sqlx::Result<Option<Kept>> {
    sqlx::query_as(
        "select every_seconds, source, due_at from collect_schedule
         where kept_at > clock_timestamp() - interval '1 min'",
    )
    .fetch_optional(db)
    .await
}
