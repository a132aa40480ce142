//! What every page begins with, in one statement: who asks, which organisation, which days, what the store stands on.

use sqlx::{AssertSqlSafe, PgExecutor};
use time::{Date, OffsetDateTime};

use crate::people::{SessionRow, Ticket};

#[derive(Debug, sqlx::FromRow)]
pub(super) struct VisitRow {
    #[sqlx(flatten)]
    pub session: SessionRow,
    #[sqlx(flatten)]
    pub organization: OrganizationRow,
}

#[derive(Debug, sqlx::FromRow)]
pub(super) struct OrganizationRow {
    pub organization_id: Option<i16>,
    pub name: Option<String>,
    pub first_day: Option<Date>,
    pub latest: Option<Date>,
    pub accounts_listed: Option<bool>,
    pub regions_listed: Option<bool>,
    pub newest_collection: Option<i64>,
    pub running: Option<bool>,
    pub unfinished: Option<String>,
    pub collection_id: Option<i64>,
    pub finished_at: Option<OffsetDateTime>,
    pub source: Option<String>,
    pub engine: Option<String>,
    /// Whether results of AWS's aggregator were compared.
    pub compared: Option<bool>,
    pub open_notices: Option<i64>,
    pub new_notices: Option<i64>,
    /// Where the kept evidence begins, where any was removed.
    pub kept_from: Option<Date>,
    pub removed_on: Option<Date>,
    pub retention: Option<String>,
    /// The newest number of the record of scope definitions and their ends.
    pub scope_record: Option<i64>,
}

/// What is asked of the organisation that the portal shows, with [`FOUND`].
const COLUMNS: &str = "
    o.organization_id, o.name, o.first_day, o.latest,
    exists (select from account_list l where l.organization_id = o.organization_id) as accounts_listed,
    exists (select from region_list l where l.organization_id = o.organization_id) as regions_listed,
    (select max(collection_id) from collection c where c.organization_id = o.organization_id)
        as newest_collection,
    exists (select from comparison x where x.organization_id = o.organization_id) as compared,
    u.running, u.unfinished, f.collection_id, f.finished_at, f.source, f.engine, n.open_notices, n.new_notices,
    k.first_day as kept_from, k.removed_on, k.setting as retention,
    greatest((select max(scope_definition_id) from scope_definition), (select max(scope_end_id) from scope_end))
        as scope_record";

/// The organisation that the portal shows and its days: those of `day_total`, which a collection writes as it finishes. Where
/// there are several organisations, the first that has days.
const FOUND: &str = "
left join lateral (
    select * from (
        select organization_id, name,
            -- Days before the first one kept are gone, whether they are removed already or not.
            (select min(day) from day_total t where t.organization_id = o.organization_id
                 and t.day >= coalesce(r.first_day, '-infinity')) as first_day,
            (select max(day) from day_total t where t.organization_id = o.organization_id
                 and t.day >= coalesce(r.first_day, '-infinity')) as latest
        from organization o
        left join (select organization_id, max(first_day) as first_day from retention group by 1) r
            using (organization_id)) each
    order by first_day is null, organization_id limit 1
) o on true
left join lateral (
    select bool_or(collection_is_running(collection_id)) as running,
        string_agg(collection_id::text, ' ' order by collection_id) as unfinished
    from collection c where c.organization_id = o.organization_id and c.state = 'running'
) u on true
left join lateral (
    select collection_id, finished_at, source, engine from collection c
    where c.organization_id = o.organization_id and c.state = 'finished' order by collection_id desc limit 1
) f on true
left join lateral (
    select first_day, (started_at at time zone 'UTC')::date as removed_on, setting from retention r
    where r.organization_id = o.organization_id order by first_day desc limit 1
) k on true
left join lateral (
    select count(*) as open_notices, count(*) filter (where acknowledged_at is null) as new_notices
    from notice n where n.organization_id = o.organization_id and n.closed_at is null
) n on true";

/// The session of a ticket with the organisation that the portal shows.
pub(super) async fn visit(db: impl PgExecutor<'_>, ticket: &Ticket) -> sqlx::Result<Option<VisitRow>> {
    sqlx::query_as(AssertSqlSafe(format!(
        "select s.identity, s.role, s.demo, s.seen_at, s.engagement_id, s.kind, s.person_id, s.provider, {COLUMNS}
         from session s {FOUND}
         where s.token_hash = $1 and s.expires_at > $2 and s.seen_at > $3"
    )))
    .bind(&ticket.hash)
    .bind(ticket.now)
    .bind(ticket.idle_since())
    .fetch_optional(db)
    .await
}

/// The organisation that the portal shows, for who is known already.
pub(super) async fn organization(db: impl PgExecutor<'_>) -> sqlx::Result<OrganizationRow> {
    sqlx::query_as(AssertSqlSafe(format!("select {COLUMNS} from (select) s {FOUND}"))).fetch_one(db).await
}
