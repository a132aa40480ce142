//! Ways to a provider and back, and logout tokens that were heeded. What is secret is stored as a hash.

use sqlx::PgConnection;
use time::OffsetDateTime;

/// A way that was begun.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct Attempt {
    pub browser_hash: Vec<u8>,
    pub provider: String,
    pub purpose: String,
    pub next: String,
    pub expires_at: OffsetDateTime,
    pub used_at: Option<OffsetDateTime>,
}

pub(super) async fn begin(
    tx: &mut PgConnection,
    state_hash: &[u8],
    attempt: &Attempt,
    now: OffsetDateTime,
) -> sqlx::Result<()> {
    // Kept for a day, so that a late answer is told from a forged one.
    sqlx::query("delete from sign_in_attempt where expires_at < $1")
        .bind(now - time::Duration::days(1))
        .execute(&mut *tx)
        .await?;
    sqlx::query(
        "insert into sign_in_attempt (state_hash, browser_hash, provider, purpose, next, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(state_hash)
    .bind(&attempt.browser_hash)
    .bind(&attempt.provider)
    .bind(&attempt.purpose)
    .bind(&attempt.next)
    .bind(now)
    .bind(attempt.expires_at)
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// Uses a way up, and gives it as it was before: a second answer finds `used_at`.
pub(super) async fn take(
    tx: &mut PgConnection,
    state_hash: &[u8],
    now: OffsetDateTime,
) -> sqlx::Result<Option<Attempt>> {
    let found: Option<Attempt> = sqlx::query_as(
        "select browser_hash, provider, purpose, next, expires_at, used_at from sign_in_attempt
         where state_hash = $1 for update",
    )
    .bind(state_hash)
    .fetch_optional(&mut *tx)
    .await?;
    sqlx::query("update sign_in_attempt set used_at = $2 where state_hash = $1 and used_at is null")
        .bind(state_hash)
        .bind(now)
        .execute(&mut *tx)
        .await?;
    Ok(found)
}

/// Notes a logout token; whether it is the first time.
pub(super) async fn heed(
    tx: &mut PgConnection,
    (issuer, jti_hash): (&str, &[u8]),
    expires_at: OffsetDateTime,
    now: OffsetDateTime,
) -> sqlx::Result<bool> {
    sqlx::query("delete from logout_token where expires_at < $1").bind(now).execute(&mut *tx).await?;
    let done = sqlx::query(
        "insert into logout_token (issuer, jti_hash, expires_at) values ($1, $2, $3) on conflict do nothing",
    )
    .bind(issuer)
    .bind(jti_hash)
    .bind(expires_at)
    .execute(&mut *tx)
    .await?;
    Ok(done.rows_affected() > 0)
}
