//! One-time links: only the hash of a token is stored.

use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;

pub(super) async fn insert(
    db: impl PgExecutor<'_>,
    token_hash: &[u8],
    made_by: &str,
    (now, expires_at): (OffsetDateTime, OffsetDateTime),
) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "insert into admin_link (token_hash, made_by, made_at, expires_at) values ($1, $2, $3, $4) returning admin_link_id",
    )
    .bind(token_hash)
    .bind(made_by)
    .bind(now)
    .bind(expires_at)
    .fetch_one(db)
    .await
}

/// A link as it was before it was used.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct Link {
    pub admin_link_id: i64,
    pub made_by: String,
    pub expires_at: OffsetDateTime,
    pub used_at: Option<OffsetDateTime>,
}

/// The link of a token, which nobody else can use before the transaction ends.
pub(super) async fn lock(tx: &mut PgConnection, token_hash: &[u8]) -> sqlx::Result<Option<Link>> {
    sqlx::query_as(
        "select admin_link_id, made_by, expires_at, used_at from admin_link where token_hash = $1 for update",
    )
    .bind(token_hash)
    .fetch_optional(tx)
    .await
}

pub(super) async fn use_up(tx: &mut PgConnection, admin_link_id: i64, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query("update admin_link set used_at = $2 where admin_link_id = $1")
        .bind(admin_link_id)
        .bind(now)
        .execute(tx)
        .await?;
    Ok(())
}
