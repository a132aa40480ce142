//! People, what they were when, and who was shut out.

use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;

use crate::web::keyset::{Keyed, Keyset, Kind, Order};

/// Who a provider says that somebody is.
pub(super) struct Seen<'a> {
    pub issuer: &'a str,
    pub subject: &'a str,
    pub provider: &'a str,
    pub name: &'a str,
    pub email: &'a str,
    pub email_verified: bool,
    pub now: OffsetDateTime,
}

/// The person of an issuer and subject, new or known, and since when they are shut out. The row stays locked until the
/// transaction ends, so that nobody is let in and shut out at once.
pub(super) async fn see(tx: &mut PgConnection, seen: &Seen<'_>) -> sqlx::Result<(i64, Option<OffsetDateTime>)> {
    // First those who are known: an insert that finds them would use up a number each time.
    let known = sqlx::query_as(
        "update person set provider = $3, name = $4, email = $5, email_verified = $6, last_seen_at = $7
         where issuer = $1 and subject = $2 returning person_id, disabled_at",
    );
    let known = known.bind(seen.issuer).bind(seen.subject).bind(seen.provider).bind(seen.name).bind(seen.email);
    if let Some(person) = known.bind(seen.email_verified).bind(seen.now).fetch_optional(&mut *tx).await? {
        return Ok(person);
    }
    sqlx::query_as(
        "insert into person (issuer, subject, provider, name, email, email_verified, first_seen_at, last_seen_at)
         values ($1, $2, $3, $4, $5, $6, $7, $7)
         on conflict on constraint person_issuer_subject_key do update
             set provider = $3, name = $4, email = $5, email_verified = $6, last_seen_at = $7
         returning person_id, disabled_at",
    )
    .bind(seen.issuer)
    .bind(seen.subject)
    .bind(seen.provider)
    .bind(seen.name)
    .bind(seen.email)
    .bind(seen.email_verified)
    .bind(seen.now)
    .fetch_one(tx)
    .await
}

/// Writes a role into the history unless it is the last one there, for the same reason; whether it was written.
pub(super) async fn note_role(
    db: impl PgExecutor<'_>,
    person_id: i64,
    (role, why): (&str, &str),
    now: OffsetDateTime,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "insert into person_role (person_id, role, since, why)
         select $1, $2, $3, $4
         where ($2, $4) is distinct from (
             select (role, why) from person_role where person_id = $1 order by person_role_id desc limit 1)",
    )
    .bind(person_id)
    .bind(role)
    .bind(now)
    .bind(why)
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Shuts somebody out or lets them in again. `None` where there is no such person, or nothing changes.
pub(super) async fn set_disabled(
    tx: &mut PgConnection,
    person_id: i64,
    disabled: bool,
    (by, now): (&str, OffsetDateTime),
) -> sqlx::Result<Option<Person>> {
    let changed = sqlx::query(
        "update person set disabled_at = case when $2 then $3::timestamptz end
         where person_id = $1 and (disabled_at is null) = $2",
    )
    .bind(person_id)
    .bind(disabled)
    .bind(now)
    .execute(&mut *tx)
    .await?;
    if changed.rows_affected() == 0 {
        return Ok(None);
    }
    sqlx::query("insert into person_standing (person_id, disabled, since, changed_by) values ($1, $2, $3, $4)")
        .bind(person_id)
        .bind(disabled)
        .bind(now)
        .bind(by)
        .execute(&mut *tx)
        .await?;
    find(&mut *tx, person_id).await
}

/// A person as they are now.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(super) struct Person {
    pub issuer: String,
    pub subject: String,
    pub name: String,
    pub email: String,
}

pub(super) async fn find(db: impl PgExecutor<'_>, person_id: i64) -> sqlx::Result<Option<Person>> {
    sqlx::query_as("select issuer, subject, name, email from person where person_id = $1")
        .bind(person_id)
        .fetch_optional(db)
        .await
}

/// A person on the list, as of a moment.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(super) struct ListedPerson {
    pub person_id: i64,
    pub provider: String,
    pub issuer: String,
    pub subject: String,
    pub name: String,
    pub email: String,
    pub last_seen_at: OffsetDateTime,
    pub role: Option<String>,
    pub since: Option<OffsetDateTime>,
    pub why: Option<String>,
    pub disabled: bool,
    /// Live sessions now.
    pub sessions: i64,
}

/// What the table can be sorted on.
pub(super) const ORDERS: [Order; 2] = [
    Order { name: "who", expression: "coalesce(nullif(p.name, ''), nullif(p.email, ''), p.subject)", kind: Kind::Text },
    Order { name: "seen", expression: "p.last_seen_at", kind: Kind::Moment },
];

/// Everybody who had been seen by a moment, with what they were then: so many at most of a page.
pub(super) async fn list(
    db: impl PgExecutor<'_>,
    until: OffsetDateTime,
    (now, idle_since): (OffsetDateTime, OffsetDateTime),
    page: &Keyset,
    most: i64,
) -> sqlx::Result<Vec<Keyed<ListedPerson>>> {
    let (value, id) = page.bounds();
    let columns = "p.person_id, p.provider, p.issuer, p.subject, p.name, p.email, p.last_seen_at,
         r.role, r.since, r.why, coalesce(s.disabled, false) as disabled,
         (select count(*) from session x where x.person_id = p.person_id and x.expires_at > $5 and x.seen_at > $6)
             as sessions";
    let from = "person p
         left join lateral (
             select role, since, why from person_role r where r.person_id = p.person_id and r.since <= $4
             order by person_role_id desc limit 1) r on true
         left join lateral (
             select disabled from person_standing s where s.person_id = p.person_id and s.since <= $4
             order by person_standing_id desc limit 1) s on true
         where p.first_seen_at <= $4";
    sqlx::query_as(page.select(columns, from, "p.person_id", "bigint"))
        .bind(value)
        .bind(id)
        .bind(most)
        .bind(until)
        .bind(now)
        .bind(idle_since)
        .fetch_all(db)
        .await
}

/// How many had been seen by a moment.
pub(super) async fn count(db: impl PgExecutor<'_>, until: OffsetDateTime) -> sqlx::Result<i64> {
    sqlx::query_scalar("select count(*) from person where first_seen_at <= $1").bind(until).fetch_one(db).await
}
