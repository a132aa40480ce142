//! Sessions: only the hash of a token is stored.

use sqlx::PgExecutor;
use time::OffsetDateTime;

/// A session as it is stored.
#[derive(Debug, sqlx::FromRow)]
pub struct SessionRow {
    pub identity: String,
    pub role: String,
    pub demo: bool,
    pub seen_at: OffsetDateTime,
    pub engagement_id: Option<i64>,
}

/// The session of a token that is neither past its end nor idle since `idle_since`.
pub(super) async fn find(
    db: impl PgExecutor<'_>,
    token_hash: &[u8],
    now: OffsetDateTime,
    idle_since: OffsetDateTime,
) -> sqlx::Result<Option<SessionRow>> {
    sqlx::query_as(
        "select identity, role, demo, seen_at, engagement_id from session
         where token_hash = $1 and expires_at > $2 and seen_at > $3",
    )
    .bind(token_hash)
    .bind(now)
    .bind(idle_since)
    .fetch_optional(db)
    .await
}

pub(super) async fn touch(db: impl PgExecutor<'_>, token_hash: &[u8], now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query("update session set seen_at = $2 where token_hash = $1").bind(token_hash).bind(now).execute(db).await?;
    Ok(())
}

pub(super) struct NewSession<'a> {
    pub token_hash: &'a [u8],
    pub identity: &'a str,
    pub role: &'a str,
    pub demo: bool,
    pub now: OffsetDateTime,
    pub expires_at: OffsetDateTime,
}

pub(super) async fn insert(db: impl PgExecutor<'_>, session: &NewSession<'_>) -> sqlx::Result<()> {
    sqlx::query(
        "insert into session (token_hash, identity, role, demo, created_at, seen_at, expires_at)
         values ($1, $2, $3, $4, $5, $5, $6)",
    )
    .bind(session.token_hash)
    .bind(session.identity)
    .bind(session.role)
    .bind(session.demo)
    .bind(session.now)
    .bind(session.expires_at)
    .execute(db)
    .await?;
    Ok(())
}

pub(super) async fn delete(db: impl PgExecutor<'_>, token_hash: &[u8]) -> sqlx::Result<()> {
    sqlx::query("delete from session where token_hash = $1").bind(token_hash).execute(db).await?;
    Ok(())
}

/// Forgets sessions that can no longer be used.
pub(super) async fn delete_ended(
    db: impl PgExecutor<'_>,
    now: OffsetDateTime,
    idle_since: OffsetDateTime,
) -> sqlx::Result<()> {
    sqlx::query("delete from session where expires_at <= $1 or seen_at <= $2")
        .bind(now)
        .bind(idle_since)
        .execute(db)
        .await?;
    Ok(())
}
