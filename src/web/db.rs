//! What the frame asks.

use sqlx::PgExecutor;
use time::Date;

#[derive(Debug, sqlx::FromRow)]
pub(super) struct OrganizationRow {
    pub organization_id: i16,
    pub name: String,
    pub first_day: Option<Date>,
    pub latest: Option<Date>,
    pub listed: bool,
}

/// The organisation that the portal shows, with its days: those of `day_total`, which a collection writes as it
/// finishes. Where there are several organisations, the first that has days.
pub(super) async fn organization(db: impl PgExecutor<'_>) -> sqlx::Result<Option<OrganizationRow>> {
    sqlx::query_as(
        "select * from (
         select o.organization_id, o.name,
                (select min(day) from day_total t where t.organization_id = o.organization_id) as first_day,
                (select max(day) from day_total t where t.organization_id = o.organization_id) as latest,
                exists (select 1 from account_list l where l.organization_id = o.organization_id) as listed
         from organization o) each
         order by first_day is null, organization_id
         limit 1",
    )
    .fetch_optional(db)
    .await
}
