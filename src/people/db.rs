//! Sessions: only the hash of a token is stored.

use sqlx::PgExecutor;
use time::OffsetDateTime;

use super::session::Kind;

/// A session as a request finds it.
#[derive(Debug, sqlx::FromRow)]
pub struct SessionRow {
    pub identity: String,
    pub role: String,
    pub demo: bool,
    pub seen_at: OffsetDateTime,
    pub engagement_id: Option<i64>,
    pub kind: String,
    pub person_id: Option<i64>,
    pub provider: Option<String>,
}

/// The session of a token that is neither past its end nor idle since `idle_since`.
pub(super) async fn find(
    db: impl PgExecutor<'_>,
    token_hash: &[u8],
    now: OffsetDateTime,
    idle_since: OffsetDateTime,
) -> sqlx::Result<Option<SessionRow>> {
    sqlx::query_as(
        "select identity, role, demo, seen_at, engagement_id, kind, person_id, provider from session
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
    pub kind: Kind,
    pub person_id: Option<i64>,
    pub provider: Option<&'a str>,
    pub sid: Option<&'a str>,
    pub id_token: Option<&'a str>,
    pub remote: Option<String>,
    pub user_agent: Option<String>,
    pub now: OffsetDateTime,
    pub expires_at: OffsetDateTime,
}

pub(super) async fn insert(db: impl PgExecutor<'_>, session: &NewSession<'_>) -> sqlx::Result<()> {
    sqlx::query(
        "insert into session (token_hash, identity, role, demo, created_at, seen_at, expires_at, kind, person_id, provider,
             sid, id_token, remote, user_agent)
         values ($1, $2, $3, $4, $5, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(session.token_hash)
    .bind(session.identity)
    .bind(session.role)
    .bind(session.kind == Kind::Demo)
    .bind(session.now)
    .bind(session.expires_at)
    .bind(session.kind.word())
    .bind(session.person_id)
    .bind(session.provider)
    .bind(session.sid)
    .bind(session.id_token)
    .bind(&session.remote)
    .bind(&session.user_agent)
    .execute(db)
    .await?;
    Ok(())
}

/// What a session leaves for the provider's own sign-out.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct EndedRow {
    pub provider: Option<String>,
    pub id_token: Option<String>,
}

pub(super) async fn delete(db: impl PgExecutor<'_>, token_hash: &[u8]) -> sqlx::Result<Option<EndedRow>> {
    sqlx::query_as("delete from session where token_hash = $1 returning provider, id_token")
        .bind(token_hash)
        .fetch_optional(db)
        .await
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

/// A session on a list.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(super) struct ListedSession {
    pub session_id: i64,
    pub created_at: OffsetDateTime,
    pub seen_at: OffsetDateTime,
    pub expires_at: OffsetDateTime,
    pub remote: Option<String>,
    pub user_agent: Option<String>,
    pub provider: Option<String>,
    /// Whether it is the one that asks.
    pub this: bool,
}

/// The live sessions of whom a token belongs to, newest first. A demo identity and a one-time link are nobody's: of them
/// there is this session alone.
pub(super) async fn list_own(
    db: impl PgExecutor<'_>,
    token_hash: &[u8],
    now: OffsetDateTime,
    idle_since: OffsetDateTime,
) -> sqlx::Result<Vec<ListedSession>> {
    sqlx::query_as(
        "select s.session_id, s.created_at, s.seen_at, s.expires_at, s.remote, s.user_agent, s.provider,
             s.token_hash = own.token_hash as this
         from session own join session s on s.token_hash = own.token_hash or s.person_id = own.person_id
         where own.token_hash = $1 and s.expires_at > $2 and s.seen_at > $3
         order by s.created_at desc, s.session_id desc limit 200",
    )
    .bind(token_hash)
    .bind(now)
    .bind(idle_since)
    .fetch_all(db)
    .await
}

/// Ends one of the sessions of whom a token belongs to; whether there was such a one.
pub(super) async fn end_own(db: impl PgExecutor<'_>, token_hash: &[u8], session_id: i64) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "delete from session s using session own
         where own.token_hash = $1 and s.session_id = $2
             and (s.token_hash = own.token_hash or s.person_id = own.person_id)",
    )
    .bind(token_hash)
    .bind(session_id)
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Ends all sessions of a person; how many there were.
pub(super) async fn end_of_person(db: impl PgExecutor<'_>, person_id: i64) -> sqlx::Result<u64> {
    let done = sqlx::query("delete from session where person_id = $1").bind(person_id).execute(db).await?;
    Ok(done.rows_affected())
}

/// Ends the sessions that a provider has ended: the one that it calls `sid`, else all of the person with the subject.
pub(super) async fn end_of_provider(
    db: impl PgExecutor<'_>,
    (provider, issuer): (&str, &str),
    sid: Option<&str>,
    subject: Option<&str>,
) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "delete from session s using person p
         where s.person_id = p.person_id and s.provider = $1 and p.issuer = $2
             and ($3::text is null or s.sid = $3) and ($4::text is null or p.subject = $4)
         returning s.identity",
    )
    .bind(provider)
    .bind(issuer)
    .bind(sid)
    .bind(subject)
    .fetch_all(db)
    .await
}
