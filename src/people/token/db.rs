//! Tokens: only the hash of one is stored.

use sqlx::{PgConnection, PgExecutor};
use time::{Date, OffsetDateTime};

/// A token as a request finds it, with whom it is of.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct TokenRow {
    pub api_token_id: i64,
    pub scopes: Vec<String>,
    pub engagement_id: Option<i64>,
    pub expires_at: OffsetDateTime,
    pub ended: bool,
    pub used_today: bool,
    pub demo_role: Option<String>,
    pub person_id: Option<i64>,
    pub name: Option<String>,
    pub email: Option<String>,
    pub provider: Option<String>,
    pub disabled: bool,
    pub last_seen_at: Option<OffsetDateTime>,
    /// The newest of the person's.
    pub role: Option<String>,
}

pub(super) async fn find(db: impl PgExecutor<'_>, token_hash: &[u8], today: Date) -> sqlx::Result<Option<TokenRow>> {
    sqlx::query_as(
        "select t.api_token_id, t.scopes, t.engagement_id, t.expires_at, e.api_token_id is not null as ended,
             exists (select from api_token_use u where u.api_token_id = t.api_token_id and u.day = $2) as used_today,
             t.demo_role, t.person_id, p.name, p.email, p.provider, p.disabled_at is not null as disabled, p.last_seen_at,
             (select role from person_role r where r.person_id = t.person_id order by person_role_id desc limit 1) as role
         from api_token t
         left join api_token_end e using (api_token_id)
         left join person p on p.person_id = t.person_id
         where t.token_hash = $1",
    )
    .bind(token_hash)
    .bind(today)
    .fetch_optional(db)
    .await
}

/// Notes that a token was used on a day.
pub(super) async fn used(db: impl PgExecutor<'_>, api_token_id: i64, day: Date) -> sqlx::Result<()> {
    sqlx::query("insert into api_token_use (api_token_id, day) values ($1, $2) on conflict do nothing")
        .bind(api_token_id)
        .bind(day)
        .execute(db)
        .await?;
    Ok(())
}

/// Whose tokens are meant.
#[derive(Debug, Clone, Copy)]
pub(super) enum Whose<'a> {
    Everybodys,
    Persons(i64),
    Demos(&'a str),
}

impl<'a> Whose<'a> {
    /// Whether everybody's are meant, else the person's or the demo identity's.
    fn parts(self) -> (bool, Option<i64>, Option<&'a str>) {
        match self {
            Self::Everybodys => (true, None, None),
            Self::Persons(person_id) => (false, Some(person_id), None),
            Self::Demos(role) => (false, None, Some(role)),
        }
    }
}

pub(super) struct NewToken<'a> {
    pub public_id: &'a str,
    pub token_hash: &'a [u8],
    pub person_id: Option<i64>,
    pub demo_role: Option<&'a str>,
    pub name: &'a str,
    pub scopes: &'a [&'static str],
    pub engagement_id: Option<i64>,
    pub made_by: &'a str,
    pub now: OffsetDateTime,
    pub expires_at: OffsetDateTime,
}

pub(super) async fn insert(tx: &mut PgConnection, token: &NewToken<'_>) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "insert into api_token (public_id, token_hash, person_id, demo_role, name, scopes, engagement_id, made_by, made_at,
             expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) returning api_token_id",
    )
    .bind(token.public_id)
    .bind(token.token_hash)
    .bind(token.person_id)
    .bind(token.demo_role)
    .bind(token.name)
    .bind(token.scopes)
    .bind(token.engagement_id)
    .bind(token.made_by)
    .bind(token.now)
    .bind(token.expires_at)
    .fetch_one(tx)
    .await
}

/// A token on a list.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(super) struct ListedToken {
    pub api_token_id: i64,
    pub public_id: String,
    pub name: String,
    pub scopes: Vec<String>,
    /// The title of the room that it is confined to.
    pub room: Option<String>,
    pub made_by: String,
    pub made_at: OffsetDateTime,
    pub expires_at: OffsetDateTime,
    pub used_on: Option<Date>,
    pub ended_by: Option<String>,
    pub ended_at: Option<OffsetDateTime>,
}

/// Tokens, the newest first, at most `limit`.
pub(super) async fn list(db: impl PgExecutor<'_>, whose: Whose<'_>, limit: i64) -> sqlx::Result<Vec<ListedToken>> {
    let (all, person_id, demo_role) = whose.parts();
    sqlx::query_as(
        "select t.api_token_id, t.public_id, t.name, t.scopes, t.made_by, t.made_at, t.expires_at, e.ended_by, e.ended_at,
             (select title from engagement_terms x where x.engagement_id = t.engagement_id
              order by engagement_terms_id desc limit 1) as room,
             (select max(day) from api_token_use u where u.api_token_id = t.api_token_id) as used_on
         from api_token t left join api_token_end e using (api_token_id)
         where $1 or t.person_id = $2 or t.demo_role = $3
         order by t.api_token_id desc limit $4",
    )
    .bind(all)
    .bind(person_id)
    .bind(demo_role)
    .bind(limit)
    .fetch_all(db)
    .await
}

/// How many of somebody's tokens let a program in.
pub(super) async fn live(db: impl PgExecutor<'_>, whose: Whose<'_>, now: OffsetDateTime) -> sqlx::Result<i64> {
    let (all, person_id, demo_role) = whose.parts();
    sqlx::query_scalar(
        "select count(*) from api_token t left join api_token_end e using (api_token_id)
         where ($1 or t.person_id = $2 or t.demo_role = $3) and e.api_token_id is null and t.expires_at > $4",
    )
    .bind(all)
    .bind(person_id)
    .bind(demo_role)
    .bind(now)
    .fetch_one(db)
    .await
}

/// Ends one of somebody's tokens: its name, and whether it was not ended before; `None` where there is no such one.
pub(super) async fn end(
    tx: &mut PgConnection,
    whose: Whose<'_>,
    api_token_id: i64,
    (by, now): (&str, OffsetDateTime),
) -> sqlx::Result<Option<(String, bool)>> {
    let (all, person_id, demo_role) = whose.parts();
    let name: Option<String> = sqlx::query_scalar(
        "select name from api_token where api_token_id = $4 and ($1 or person_id = $2 or demo_role = $3)",
    )
    .bind(all)
    .bind(person_id)
    .bind(demo_role)
    .bind(api_token_id)
    .fetch_optional(&mut *tx)
    .await?;
    let Some(name) = name else { return Ok(None) };
    let done = sqlx::query(
        "insert into api_token_end (api_token_id, ended_by, ended_at) values ($1, $2, $3) on conflict do nothing",
    )
    .bind(api_token_id)
    .bind(by)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(Some((name, done.rows_affected() > 0)))
}
