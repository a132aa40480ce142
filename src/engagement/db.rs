//! Engagements as they are stored: what was agreed, who was invited, which packs lie in the room.

use sqlx::{FromRow, PgConnection, PgExecutor};
use time::{Date, OffsetDateTime};

use super::core::{Change, Moment, Terms, changes};
use crate::people::User;

#[derive(Debug, FromRow)]
struct TermsRow {
    engagement_id: i64,
    engagement_terms_id: i64,
    title: String,
    scope_name: Option<String>,
    scope_record: i64,
    core_names: Option<Vec<String>>,
    first_day: Date,
    last_day: Date,
    opens_at: OffsetDateTime,
    closes_at: OffsetDateTime,
    reason: String,
    made_by: String,
    made_at: OffsetDateTime,
}

impl TermsRow {
    fn into_terms(self) -> (i64, Terms) {
        let terms = Terms {
            record: self.engagement_terms_id,
            title: self.title,
            scope_name: self.scope_name,
            scope_record: self.scope_record,
            core_names: self.core_names,
            first_day: self.first_day,
            last_day: self.last_day,
            opens_at: self.opens_at,
            closes_at: self.closes_at,
            reason: self.reason,
            made_by: self.made_by,
            made_at: self.made_at,
        };
        (self.engagement_id, terms)
    }
}

const TERMS: &str = "select engagement_id, engagement_terms_id, title, scope_name, scope_record, core_names, first_day,
     last_day, opens_at, closes_at, reason, made_by, made_at from engagement_terms t join engagement using (engagement_id)";

/// All terms of one engagement, in the order they were made; none where there is no such engagement.
pub(super) async fn terms(db: impl PgExecutor<'_>, engagement_id: i64) -> sqlx::Result<Vec<Terms>> {
    let sql = sqlx::AssertSqlSafe(format!("{TERMS} where engagement_id = $1 order by engagement_terms_id"));
    let rows: Vec<TermsRow> = sqlx::query_as(sql).bind(engagement_id).fetch_all(db).await?;
    Ok(rows.into_iter().map(|row| row.into_terms().1).collect())
}

/// The terms in force of an organisation's engagement and what changed after its room had opened; `None` where it has no such
/// engagement.
pub async fn agreed(
    db: &mut PgConnection,
    organization_id: i16,
    engagement_id: i64,
) -> sqlx::Result<Option<(Terms, Vec<Change>)>> {
    if !is_of(&mut *db, organization_id, engagement_id).await? {
        return Ok(None);
    }
    let all = terms(db, engagement_id).await?;
    let changes = changes(&all);
    Ok(all.into_iter().next_back().map(|terms| (terms, changes)))
}

/// The terms in force of every engagement of an organisation, the newest engagement first.
pub(super) async fn all(db: impl PgExecutor<'_>, organization_id: i16) -> sqlx::Result<Vec<(i64, Terms)>> {
    let sql = sqlx::AssertSqlSafe(format!(
        "{TERMS} where organization_id = $1 and not exists (
             select from engagement_terms n
             where n.engagement_id = t.engagement_id and n.engagement_terms_id > t.engagement_terms_id)
         order by engagement_id desc"
    ));
    let rows: Vec<TermsRow> = sqlx::query_as(sql).bind(organization_id).fetch_all(db).await?;
    Ok(rows.into_iter().map(TermsRow::into_terms).collect())
}

/// The terms in force of an organisation's engagements whose rooms have not closed.
pub async fn not_closed(
    db: &mut PgConnection,
    organization_id: i16,
    now: OffsetDateTime,
) -> sqlx::Result<Vec<(i64, Terms)>> {
    let all = all(db, organization_id).await?;
    Ok(all.into_iter().filter(|(_, terms)| terms.moment(now) != Moment::Closed).collect())
}

/// What an invitation has to be of, for somebody to have it: bound to the person, or to the demo's auditor by name.
/// $1 is the person, $2 the identity where it is a demo one.
const INVITED: &str = "exists (
     select from engagement_auditor a
     left join engagement_binding b using (engagement_auditor_id)
     where a.engagement_id = t.engagement_id and (b.person_id = $1 or b.person_id is null and a.email = $2)
         and not exists (select from engagement_auditor_end e where e.engagement_auditor_id = a.engagement_auditor_id))";

/// The demo's auditor has no e-mail address: what stands for it in an invitation.
pub(super) const DEMO_AUDITOR: &str = "demo auditor";

fn demo_identity(user: &User) -> Option<&str> {
    user.demo.then_some(user.identity.as_str())
}

/// The terms in force of the engagements that somebody is invited to, the newest first.
pub async fn rooms_of(db: impl PgExecutor<'_>, user: &User) -> sqlx::Result<Vec<(i64, Terms)>> {
    let sql = sqlx::AssertSqlSafe(format!(
        "{TERMS} where {INVITED} and not exists (
             select from engagement_terms n
             where n.engagement_id = t.engagement_id and n.engagement_terms_id > t.engagement_terms_id)
         order by engagement_id desc limit 200"
    ));
    let rows: Vec<TermsRow> = sqlx::query_as(sql).bind(user.person_id).bind(demo_identity(user)).fetch_all(db).await?;
    Ok(rows.into_iter().map(TermsRow::into_terms).collect())
}

/// All terms of an organisation's engagement that somebody is invited to, in the order they were made; none where they
/// are not.
pub(super) async fn room(
    db: impl PgExecutor<'_>,
    user: &User,
    organization_id: i16,
    engagement_id: i64,
) -> sqlx::Result<Vec<Terms>> {
    let sql = sqlx::AssertSqlSafe(format!(
        "{TERMS} where {INVITED} and engagement_id = $3 and organization_id = $4 order by engagement_terms_id"
    ));
    let rows: Vec<TermsRow> = sqlx::query_as(sql)
        .bind(user.person_id)
        .bind(demo_identity(user))
        .bind(engagement_id)
        .bind(organization_id)
        .fetch_all(db)
        .await?;
    Ok(rows.into_iter().map(|row| row.into_terms().1).collect())
}

/// What a room's transaction may see, as the settings that row-level security reads.
#[derive(Debug, Clone, FromRow)]
pub(super) struct Sight {
    pub places: Vec<i32>,
    pub rules: Vec<i32>,
    pub accounts: Vec<String>,
    /// Of the accounts, those that neither delivered for the day nor were expected to.
    pub absent: i64,
}

/// The places of some accounts, or of all, and the rules of some core names, or of all, that exist or existed in them.
pub(super) async fn sight(
    db: &mut PgConnection,
    organization_id: i16,
    account_ids: Option<&[String]>,
    core_names: Option<&[String]>,
    day: Date,
) -> sqlx::Result<Sight> {
    sqlx::query_as(
        "with seen as (
             select place_id, account_id from place
             where organization_id = $1 and ($2::text[] is null or account_id = any($2))
         ), belongs as (
             select unnest($2::text[]) collate \"C\" as account_id
             union select account_id from account where $2::text[] is null and organization_id = $1
             union select account_id from seen
         ), here as (
             select account_id from seen s
             where exists (select from expected_place e where e.place_id = s.place_id and e.until_collection is null
                           and e.first_day <= $4 and e.end_day > $4)
                 or exists (select from delivery d where d.place_id = s.place_id and d.day = $4
                            and d.until_collection is null and d.known)
         )
         select array(select place_id from seen order by place_id) as places,
             array(select r.rule_id from rule r where r.organization_id = $1 and ($3::text[] is null or r.core_name = any($3))
                   and r.rule_id in (select p.rule_id from rule_presence p where p.place_id in (select place_id from seen))
                   order by r.rule_id) as rules,
             array(select account_id from belongs order by account_id collate \"C\") as accounts,
             (select count(*) from belongs where account_id not in (select account_id from here)) as absent",
    )
    .bind(organization_id)
    .bind(account_ids)
    .bind(core_names)
    .bind(day)
    .fetch_one(db)
    .await
}

/// Raises the second wall for the rest of the transaction: it goes on as a role that sees what it is given here.
pub(super) async fn wall(
    db: &mut PgConnection,
    engagement_id: i64,
    sight: &Sight,
    all_rules: bool,
    last_day: Date,
) -> sqlx::Result<()> {
    sqlx::query(
        "select set_config('auditfolio.places', ($1::integer[])::text, true),
             set_config('auditfolio.rules', ($2::integer[])::text, true),
             set_config('auditfolio.accounts', ($3::text[])::text, true),
             set_config('auditfolio.all_rules', case when $4 then 'yes' else 'no' end, true),
             set_config('auditfolio.last_day', $5::date::text, true),
             set_config('auditfolio.engagement', $6::bigint::text, true),
             set_config('role', 'auditfolio_room', true)",
    )
    .bind(&sight.places)
    .bind(&sight.rules)
    .bind(&sight.accounts)
    .bind(all_rules)
    .bind(last_day)
    .bind(engagement_id)
    .execute(db)
    .await?;
    Ok(())
}

/// Puts a session into a room.
pub(super) async fn walk_in(db: &mut PgConnection, token_hash: &[u8], engagement_id: i64) -> sqlx::Result<()> {
    sqlx::query("update session set engagement_id = $2 where token_hash = $1")
        .bind(token_hash)
        .bind(engagement_id)
        .execute(db)
        .await?;
    Ok(())
}

/// How something of an engagement ended, where it has.
#[derive(Debug, Clone, FromRow)]
pub(super) struct End {
    pub ended_by: Option<String>,
    pub ended_at: Option<OffsetDateTime>,
    pub end_reason: Option<String>,
}

/// Who was invited to an engagement.
#[derive(Debug, Clone, FromRow)]
pub(super) struct Auditor {
    pub engagement_auditor_id: i64,
    pub email: String,
    pub provider: Option<String>,
    pub invited_by: String,
    pub invited_at: OffsetDateTime,
    pub bound_at: Option<OffsetDateTime>,
    #[sqlx(flatten)]
    pub end: End,
}

pub(super) async fn auditors(db: impl PgExecutor<'_>, engagement_id: i64) -> sqlx::Result<Vec<Auditor>> {
    sqlx::query_as(
        "select engagement_auditor_id, email, provider, invited_by, invited_at, bound_at, ended_by, ended_at,
             e.reason as end_reason
         from engagement_auditor
         left join engagement_binding using (engagement_auditor_id)
         left join engagement_auditor_end e using (engagement_auditor_id)
         where engagement_id = $1 order by engagement_auditor_id",
    )
    .bind(engagement_id)
    .fetch_all(db)
    .await
}

/// Binds the invitations of an address, which an identity provider says is verified, to the person who signs in with it.
/// An invitation is bound once: whoever has the address later finds nothing. Gives how many were bound.
///
/// Call it in the transaction of the sign-in.
pub async fn bind(db: &mut PgConnection, person_id: i64, provider: &str, verified_email: &str) -> sqlx::Result<u64> {
    let bound = sqlx::query(
        "insert into engagement_binding (engagement_auditor_id, person_id)
         select engagement_auditor_id, $1 from engagement_auditor a
         where email = lower($3) and (provider is null or provider = $2)
             and not exists (select from engagement_auditor_end e
                             where e.engagement_auditor_id = a.engagement_auditor_id)
         on conflict (engagement_auditor_id) do nothing",
    )
    .bind(person_id)
    .bind(provider)
    .bind(verified_email)
    .execute(db)
    .await?;
    Ok(bound.rows_affected())
}

/// New terms, as a form or a command asks for them.
#[derive(Debug, Clone)]
pub(super) struct NewTerms<'a> {
    pub title: &'a str,
    pub scope_name: Option<&'a str>,
    pub core_names: Option<&'a [String]>,
    pub first_day: Date,
    pub last_day: Date,
    pub opens_at: OffsetDateTime,
    pub closes_at: OffsetDateTime,
    pub reason: &'a str,
    pub made_by: &'a str,
}

impl<'a> NewTerms<'a> {
    /// The same again.
    pub(super) fn of(terms: &'a Terms) -> Self {
        Self {
            title: &terms.title,
            scope_name: terms.scope_name.as_deref(),
            core_names: terms.core_names.as_deref(),
            first_day: terms.first_day,
            last_day: terms.last_day,
            opens_at: terms.opens_at,
            closes_at: terms.closes_at,
            reason: &terms.reason,
            made_by: &terms.made_by,
        }
    }
}

pub(super) async fn make(db: &mut PgConnection, organization_id: i16, made_by: &str) -> sqlx::Result<i64> {
    sqlx::query_scalar("insert into engagement (organization_id, created_by) values ($1, $2) returning engagement_id")
        .bind(organization_id)
        .bind(made_by)
        .fetch_one(db)
        .await
}

/// Adds terms: from its commit on they hold. The scope set is taken as its record stands now.
pub(super) async fn agree(db: &mut PgConnection, engagement_id: i64, new: &NewTerms<'_>) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "insert into engagement_terms (engagement_id, title, scope_name, scope_record, core_names, first_day, last_day,
             opens_at, closes_at, reason, made_by)
         values ($1, $2, $3,
             coalesce(greatest((select max(scope_definition_id) from scope_definition),
                               (select max(scope_end_id) from scope_end)), 0),
             $4, $5, $6, $7, $8, $9, $10)
         returning engagement_terms_id",
    )
    .bind(engagement_id)
    .bind(new.title)
    .bind(new.scope_name)
    .bind(new.core_names)
    .bind(new.first_day)
    .bind(new.last_day)
    .bind(new.opens_at)
    .bind(new.closes_at)
    .bind(new.reason)
    .bind(new.made_by)
    .fetch_one(db)
    .await
}

/// The organisation that an engagement is of.
pub(super) async fn organization_of(db: impl PgExecutor<'_>, engagement_id: i64) -> sqlx::Result<Option<i16>> {
    sqlx::query_scalar("select organization_id from engagement where engagement_id = $1")
        .bind(engagement_id)
        .fetch_optional(db)
        .await
}

/// Whether the engagement is one of the organisation's.
pub(super) async fn is_of(db: impl PgExecutor<'_>, organization_id: i16, engagement_id: i64) -> sqlx::Result<bool> {
    sqlx::query_scalar("select exists (select from engagement where organization_id = $1 and engagement_id = $2)")
        .bind(organization_id)
        .bind(engagement_id)
        .fetch_one(db)
        .await
}

/// Invites an address; false where it stands invited already.
pub(super) async fn invite(
    db: &mut PgConnection,
    engagement_id: i64,
    email: &str,
    provider: Option<&str>,
    invited_by: &str,
) -> sqlx::Result<bool> {
    let made = sqlx::query(
        "insert into engagement_auditor (engagement_id, email, provider, invited_by)
         select $1, $2, $3, $4 where not exists (
             select from engagement_auditor a where engagement_id = $1 and email = $2 and provider is not distinct from $3
                 and not exists (select from engagement_auditor_end e
                                 where e.engagement_auditor_id = a.engagement_auditor_id))",
    )
    .bind(engagement_id)
    .bind(email)
    .bind(provider)
    .bind(invited_by)
    .execute(db)
    .await?;
    Ok(made.rows_affected() == 1)
}

/// Ends an invitation of an engagement; `None` where there is none that stands, else its address.
pub(super) async fn uninvite(
    db: &mut PgConnection,
    (engagement_id, engagement_auditor_id): (i64, i64),
    reason: &str,
    ended_by: &str,
) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar(
        "with ended as (
             insert into engagement_auditor_end (engagement_auditor_id, reason, ended_by)
             select engagement_auditor_id, $3, $4 from engagement_auditor
             where engagement_id = $1 and engagement_auditor_id = $2
             on conflict (engagement_auditor_id) do nothing
             returning engagement_auditor_id)
         select email from engagement_auditor join ended using (engagement_auditor_id)",
    )
    .bind(engagement_id)
    .bind(engagement_auditor_id)
    .bind(reason)
    .bind(ended_by)
    .fetch_optional(db)
    .await
}

/// Core names of the rules that were ever delivered, in order; in a room, of those that it shows.
pub(super) async fn core_names(db: impl PgExecutor<'_>, organization_id: i16) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar("select distinct core_name from rule where organization_id = $1 order by core_name")
        .bind(organization_id)
        .fetch_all(db)
        .await
}

/// The organisation of a name, where it has no engagement yet.
pub(super) async fn organization_without(db: &mut PgConnection, name: &str) -> sqlx::Result<Option<i16>> {
    sqlx::query_scalar(
        "select organization_id from organization o where name = $1
             and not exists (select from engagement e where e.organization_id = o.organization_id)",
    )
    .bind(name)
    .fetch_optional(db)
    .await
}

/// The first accounts of an organisation by id.
pub(super) async fn some_accounts(
    db: impl PgExecutor<'_>,
    organization_id: i16,
    number: i64,
) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar("select account_id from account where organization_id = $1 order by account_id limit $2")
        .bind(organization_id)
        .bind(number)
        .fetch_all(db)
        .await
}

/// A pack that lies in a room, or did.
#[derive(Debug, Clone, FromRow)]
pub(super) struct PackHere {
    pub engagement_pack_id: i64,
    pub pack_id: String,
    pub title: String,
    pub shared_by: String,
    pub shared_at: OffsetDateTime,
    pub wider_because: Option<String>,
    #[sqlx(flatten)]
    pub end: End,
}

pub(super) async fn packs(db: impl PgExecutor<'_>, engagement_id: i64) -> sqlx::Result<Vec<PackHere>> {
    sqlx::query_as(
        "select engagement_pack_id, pack_id, title, shared_by, shared_at, wider_because, ended_by, ended_at,
             e.reason as end_reason
         from engagement_pack join pack using (pack_id) left join engagement_pack_end e using (engagement_pack_id)
         where engagement_id = $1 order by engagement_pack_id limit 500",
    )
    .bind(engagement_id)
    .fetch_all(db)
    .await
}

/// Puts a pack into a room; false where it lies there already.
pub(super) async fn share(
    db: &mut PgConnection,
    engagement_id: i64,
    pack_id: &str,
    wider_because: Option<&str>,
    shared_by: &str,
) -> sqlx::Result<bool> {
    let made = sqlx::query(
        "insert into engagement_pack (engagement_id, pack_id, wider_because, shared_by)
         select $1, $2, $3, $4 where not exists (
             select from engagement_pack s where engagement_id = $1 and pack_id = $2
                 and not exists (select from engagement_pack_end e where e.engagement_pack_id = s.engagement_pack_id))",
    )
    .bind(engagement_id)
    .bind(pack_id)
    .bind(wider_because)
    .bind(shared_by)
    .execute(db)
    .await?;
    Ok(made.rows_affected() == 1)
}

/// Takes a pack out of a room; `None` where it does not lie there, else its id.
pub(super) async fn unshare(
    db: &mut PgConnection,
    (engagement_id, engagement_pack_id): (i64, i64),
    reason: &str,
    ended_by: &str,
) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar(
        "with ended as (
             insert into engagement_pack_end (engagement_pack_id, reason, ended_by)
             select engagement_pack_id, $3, $4 from engagement_pack
             where engagement_id = $1 and engagement_pack_id = $2
             on conflict (engagement_pack_id) do nothing
             returning engagement_pack_id)
         select pack_id from engagement_pack join ended using (engagement_pack_id)",
    )
    .bind(engagement_id)
    .bind(engagement_pack_id)
    .bind(reason)
    .bind(ended_by)
    .fetch_optional(db)
    .await
}
