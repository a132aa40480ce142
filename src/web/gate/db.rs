//! What the database says of itself and of the work in it, for those who watch the program.

use sqlx::{FromRow, PgConnection};
use time::OffsetDateTime;

/// How many there are of a kind in a state.
#[derive(Debug, Clone, FromRow)]
pub(super) struct Count {
    pub(super) kind: String,
    pub(super) state: String,
    pub(super) number: i64,
}

/// Jobs by kind and state.
pub(super) async fn jobs(db: &mut PgConnection) -> sqlx::Result<Vec<Count>> {
    sqlx::query_as("select kind, state, count(*) as number from job group by kind, state order by kind, state")
        .fetch_all(db)
        .await
}

/// Collections by state, and when the newest finished one ended.
pub(super) async fn collections(db: &mut PgConnection) -> sqlx::Result<(Vec<Count>, Option<OffsetDateTime>)> {
    let counts = sqlx::query_as(
        "select 'collection' as kind, state, count(*) as number from collection group by state order by state",
    )
    .fetch_all(&mut *db)
    .await?;
    let finished_at = sqlx::query_scalar("select max(finished_at) from collection where state = 'finished'");
    Ok((counts, finished_at.fetch_one(db).await?))
}

/// Sessions that have not ended.
pub(super) async fn sessions(db: &mut PgConnection, now: OffsetDateTime) -> sqlx::Result<i64> {
    sqlx::query_scalar("select count(*) from session where expires_at > $1").bind(now).fetch_one(db).await
}
