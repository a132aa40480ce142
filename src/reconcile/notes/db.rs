//! Keeping and finding AWS's notes.

use sqlx::{FromRow, PgConnection};
use time::{Date, OffsetDateTime};

use super::Asked;
use crate::aws::config_aggregator::Noted;
use crate::web::keyset::{Keyed, Keyset, Kind, Order};

/// Keeps what was fetched.
pub(super) async fn keep(
    db: &mut PgConnection,
    asked: &Asked,
    job_id: i64,
    aggregator: &str,
    notes: &[Noted],
) -> sqlx::Result<()> {
    let clean = |text: &str| text.replace('\0', "\u{fffd}");
    let reading_id: i64 = sqlx::query_scalar(
        "insert into note_reading (organization_id, job_id, account_id, region, rule_name, aggregator, fetched_by)
         values ($1, $2, $3, $4, $5, $6, $7) returning note_reading_id",
    )
    .bind(asked.organization_id)
    .bind(job_id)
    .bind(&asked.account_id)
    .bind(&asked.region)
    .bind(&asked.rule)
    .bind(aggregator)
    .bind(&asked.by)
    .fetch_one(&mut *db)
    .await?;
    sqlx::query(
        "insert into note (note_reading_id, resource_type, resource_id, annotation, recorded_at, invoked_at)
         select distinct on (resource_type, resource_id) $1, n.*
         from unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[])
             n (resource_type, resource_id, annotation, recorded_at, invoked_at)
         order by resource_type, resource_id, recorded_at desc nulls last",
    )
    .bind(reading_id)
    .bind(notes.iter().map(|note| clean(&note.resource_type)).collect::<Vec<_>>())
    .bind(notes.iter().map(|note| clean(&note.resource_id)).collect::<Vec<_>>())
    .bind(notes.iter().map(|note| note.annotation.as_deref().map(clean)).collect::<Vec<_>>())
    .bind(notes.iter().map(|note| note.recorded_at).collect::<Vec<_>>())
    .bind(notes.iter().map(|note| note.invoked_at).collect::<Vec<_>>())
    .execute(db)
    .await?;
    Ok(())
}

/// The place and the rule that a page is about, as the store has them, and what is known of the day.
#[derive(Debug, Clone, FromRow)]
pub(super) struct Subject {
    pub(super) account_name: String,
    pub(super) place_id: Option<i32>,
    pub(super) rule_id: Option<i32>,
    pub(super) core_name: Option<String>,
    pub(super) known: bool,
    pub(super) state: Option<String>,
    /// The last fetch of notes.
    pub(super) note_reading_id: Option<i64>,
    pub(super) fetched_at: Option<OffsetDateTime>,
    pub(super) fetched_by: Option<String>,
    /// The aggregator that was asked; empty where the account itself was.
    pub(super) aggregator: Option<String>,
    pub(super) notes: i64,
    /// The job that fetches them now or next, and why its last attempt failed.
    pub(super) job_id: Option<i64>,
    pub(super) put_off: Option<String>,
    /// Why the last job failed, if none fetched them since.
    pub(super) failed_job_id: Option<i64>,
    pub(super) failure: Option<String>,
}

/// A rule by its name in an account and Region.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named<'a> {
    pub(super) organization_id: i16,
    pub(super) account_id: &'a str,
    pub(super) region: &'a str,
    pub(super) rule: &'a str,
}

pub(super) async fn subject(db: &mut PgConnection, named: Named<'_>, day: Date) -> sqlx::Result<Subject> {
    sqlx::query_as(
        "select coalesce(a.name, '') as account_name, p.place_id, r.rule_id, r.core_name,
             coalesce(d.known, false) as known, d.state, n.note_reading_id, n.fetched_at, n.fetched_by,
             n.aggregator, (select count(*) from note where note_reading_id = n.note_reading_id) as notes,
             j.job_id, j.failure as put_off, f.job_id as failed_job_id, f.failure
         from (select $1::smallint as organization_id, $2::text as account_id, $3::text as region, $4::text as rule_name) w
         left join place p using (organization_id, account_id, region)
         left join account a using (organization_id, account_id)
         left join rule r on r.organization_id = w.organization_id and r.name = w.rule_name
         left join delivery d on d.place_id = p.place_id and d.day = $5 and d.until_collection is null
         left join lateral (
             select * from note_reading n
             where (n.organization_id, n.account_id, n.region, n.rule_name)
                 = (w.organization_id, w.account_id, w.region, w.rule_name)
             order by note_reading_id desc limit 1
         ) n on true
         left join lateral (
             select job_id, failure from job
             where kind = 'notes' and state in ('queued', 'running') and payload ->> 'account_id' = w.account_id
                 and payload ->> 'rule' = w.rule_name and payload ->> 'region' = w.region
                 and payload ->> 'organization_id' = w.organization_id::text
             order by job_id limit 1
         ) j on true
         left join lateral (
             select job_id, failure from job
             where kind = 'notes' and state = 'failed' and job_id > coalesce(n.job_id, 0)
                 and payload ->> 'account_id' = w.account_id and payload ->> 'rule' = w.rule_name
                 and payload ->> 'region' = w.region and payload ->> 'organization_id' = w.organization_id::text
             order by job_id desc limit 1
         ) f on true",
    )
    .bind(named.organization_id)
    .bind(named.account_id)
    .bind(named.region)
    .bind(named.rule)
    .bind(day)
    .fetch_one(db)
    .await
}

/// Whether a job fetches these notes now or next.
pub(super) async fn waiting(db: &mut PgConnection, named: Named<'_>) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar(
        "select job_id from job
         where kind = 'notes' and state in ('queued', 'running') and payload ->> 'account_id' = $2
             and payload ->> 'rule' = $4 and payload ->> 'region' = $3 and payload ->> 'organization_id' = $1::smallint::text
         order by job_id limit 1",
    )
    .bind(named.organization_id)
    .bind(named.account_id)
    .bind(named.region)
    .bind(named.rule)
    .fetch_optional(db)
    .await
}

/// What fails here, there or on both sides, with AWS's note.
#[derive(Debug, Clone, FromRow)]
pub(super) struct FailingRow {
    pub(super) resource_type: String,
    pub(super) resource_id: String,
    /// The first day of the run; null where it does not fail here.
    pub(super) since: Option<Date>,
    /// Whether AWS named it.
    pub(super) noted: bool,
    pub(super) annotation: Option<String>,
    pub(super) recorded_at: Option<OffsetDateTime>,
    pub(super) invoked_at: Option<OffsetDateTime>,
}

pub(super) const ORDERS: [Order; 2] = [
    Order { name: "resource", expression: "resource_id", kind: Kind::Text },
    Order { name: "since", expression: "coalesce(since - date '1970-01-01', 2000000)::bigint", kind: Kind::Number },
];

/// What is asked of the failing resources of a rule in a place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Failing {
    pub(super) place_id: Option<i32>,
    pub(super) rule_id: Option<i32>,
    pub(super) day: Date,
    pub(super) note_reading_id: Option<i64>,
}

const FAILING: &str = "(
         select coalesce(o.resource_type, t.resource_type) as resource_type,
             coalesce(o.resource_id, t.resource_id) as resource_id, o.since, t.resource_id is not null as noted,
             t.annotation, t.recorded_at, t.invoked_at,
             coalesce(o.resource_type, t.resource_type) || '/' || coalesce(o.resource_id, t.resource_id) as id
         from (
             select y.name as resource_type, s.id as resource_id, u.first_day as since
             from run u join resource s using (resource_id) join resource_type y using (resource_type_id)
             where u.place_id = $4 and u.rule_id = $5 and u.status_id = 2 and u.first_day <= $6 and u.end_day > $6
         ) o
         full join (select * from note where note_reading_id = $7) t using (resource_type, resource_id)
     ) failing where true";

pub(super) async fn failing(
    db: &mut PgConnection,
    asked: Failing,
    page: &Keyset,
    most: i64,
) -> sqlx::Result<Vec<Keyed<FailingRow>>> {
    let (value, id) = page.bounds();
    let columns = "resource_type, resource_id, since, noted, annotation, recorded_at, invoked_at";
    sqlx::query_as(page.select(columns, FAILING, "id", "text collate \"C\""))
        .bind(value)
        .bind(id)
        .bind(most)
        .bind(asked.place_id)
        .bind(asked.rule_id)
        .bind(asked.day)
        .bind(asked.note_reading_id)
        .fetch_all(db)
        .await
}

/// How many there are: failing here, and failing at AWS only.
pub(super) async fn count(db: &mut PgConnection, asked: Failing) -> sqlx::Result<(i64, i64)> {
    let sql = format!(
        "select count(*) filter (where since is not null), count(*) filter (where since is null)
         from {FAILING} and $1::text is null and $2::text is null and $3::bigint is null"
    );
    sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(None::<String>)
        .bind(None::<String>)
        .bind(None::<i64>)
        .bind(asked.place_id)
        .bind(asked.rule_id)
        .bind(asked.day)
        .bind(asked.note_reading_id)
        .fetch_one(db)
        .await
}

/// What AWS noted on a resource under a rule.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct ResourceNote {
    pub(crate) rule_name: String,
    pub(crate) annotation: Option<String>,
    pub(crate) recorded_at: Option<OffsetDateTime>,
    pub(crate) fetched_at: OffsetDateTime,
}

/// AWS's notes on a resource, from the last fetch of each rule. At most so many.
pub(crate) async fn of_resource(
    db: &mut PgConnection,
    organization_id: i16,
    (account_id, region): (&str, &str),
    (resource_type, resource_id): (&str, &str),
    most: i64,
) -> sqlx::Result<Vec<ResourceNote>> {
    sqlx::query_as(
        "select r.rule_name, n.annotation, n.recorded_at, r.fetched_at
         from note n join note_reading r using (note_reading_id)
         where n.resource_id = $5 and n.resource_type = $4 and r.organization_id = $1 and r.account_id = $2
             and r.region = $3
             and not exists (select from note_reading l
                 where (l.organization_id, l.account_id, l.region, l.rule_name)
                     = (r.organization_id, r.account_id, r.region, r.rule_name)
                     and l.note_reading_id > r.note_reading_id)
         order by r.rule_name limit $6",
    )
    .bind(organization_id)
    .bind(account_id)
    .bind(region)
    .bind(resource_type)
    .bind(resource_id)
    .bind(most)
    .fetch_all(db)
    .await
}
