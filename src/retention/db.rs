//! The record of removals.

use std::collections::BTreeMap;

use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor};
use time::{Date, OffsetDateTime};

use super::Floor;

/// Where the kept evidence of an organisation begins; `None`: nothing was ever removed.
pub async fn floor(db: impl PgExecutor<'_>, organization_id: i16) -> sqlx::Result<Option<Floor>> {
    sqlx::query_as(
        "select first_day, (started_at at time zone 'UTC')::date as removed_on, setting from retention
         where organization_id = $1 order by first_day desc limit 1",
    )
    .bind(organization_id)
    .fetch_optional(db)
    .await
}

/// A removal as it is on record.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Removal {
    pub retention_id: i64,
    pub setting: String,
    pub first_day: Date,
    pub first_day_before: Option<Date>,
    pub started_by: String,
    pub started_at: OffsetDateTime,
    /// `None`: under way, or cut off.
    pub finished_at: Option<OffsetDateTime>,
    /// Rows removed, by table.
    pub removed: Json<BTreeMap<String, i64>>,
}

impl Removal {
    /// Rows removed, of all tables.
    pub fn rows(&self) -> i64 {
        self.removed.values().sum()
    }
}

/// The newest removals, the newest first.
pub async fn removals(db: impl PgExecutor<'_>, organization_id: i16, most: i64) -> sqlx::Result<Vec<Removal>> {
    sqlx::query_as(
        "select retention_id, setting, first_day, first_day_before, started_by, started_at, finished_at, removed
         from retention where organization_id = $1 order by first_day desc limit $2",
    )
    .bind(organization_id)
    .bind(most)
    .fetch_all(db)
    .await
}

pub(super) async fn organization(db: impl PgExecutor<'_>, name: &str) -> sqlx::Result<Option<i16>> {
    sqlx::query_scalar("select organization_id from organization where name = $1").bind(name).fetch_optional(db).await
}

/// Whether a removal was cut off.
pub(super) async fn unfinished(db: impl PgExecutor<'_>, organization_id: i16) -> sqlx::Result<bool> {
    sqlx::query_scalar("select exists (select from retention where organization_id = $1 and finished_at is null)")
        .bind(organization_id)
        .fetch_one(db)
        .await
}

/// Begins a removal: raises the floor. Gives its id.
pub(super) async fn begin(
    tx: &mut PgConnection,
    organization_id: i16,
    (setting, started_by): (&str, &str),
    first_day: Date,
    before: Option<Date>,
) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "insert into retention (organization_id, setting, first_day, first_day_before, started_by)
         values ($1, $2, $3, $4, $5) returning retention_id",
    )
    .bind(organization_id)
    .bind(setting)
    .bind(first_day)
    .bind(before)
    .bind(started_by)
    .fetch_one(tx)
    .await
}

/// The removal of a floor, if it was cut off.
pub(super) async fn cut_off(
    db: impl PgExecutor<'_>,
    organization_id: i16,
    first_day: Date,
) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar(
        "select retention_id from retention where organization_id = $1 and first_day = $2 and finished_at is null",
    )
    .bind(organization_id)
    .bind(first_day)
    .fetch_optional(db)
    .await
}

/// Counts rows, in the transaction that removes them.
pub(super) async fn add(tx: &mut PgConnection, retention_id: i64, table: &str, rows: i64) -> sqlx::Result<()> {
    sqlx::query(
        "update retention
         set removed = jsonb_set(removed, array[$2], to_jsonb(coalesce((removed ->> $2)::bigint, 0) + $3))
         where retention_id = $1",
    )
    .bind(retention_id)
    .bind(table)
    .bind(rows)
    .execute(tx)
    .await?;
    Ok(())
}

/// Ends a removal, and those before it that were cut off: their work is done. Gives what was removed, by table.
pub(super) async fn finish(
    tx: &mut PgConnection,
    organization_id: i16,
    retention_id: i64,
) -> sqlx::Result<BTreeMap<String, i64>> {
    sqlx::query(
        "update retention set finished_at = clock_timestamp() where organization_id = $1 and finished_at is null",
    )
    .bind(organization_id)
    .execute(&mut *tx)
    .await?;
    let removed: Json<BTreeMap<String, i64>> =
        sqlx::query_scalar("select removed from retention where retention_id = $1")
            .bind(retention_id)
            .fetch_one(tx)
            .await?;
    Ok(removed.0)
}

/// Whether a removal was asked for, by a job, on a day (UTC) or later, or still waits.
pub(super) async fn asked_since(db: impl PgExecutor<'_>, organization: &str, day: Date) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "select exists (select from job where kind = 'retain' and payload ->> 'organization' = $1
                        and ((created_at at time zone 'UTC')::date >= $2 or state in ('queued', 'running')))",
    )
    .bind(organization)
    .bind(day)
    .fetch_one(db)
    .await
}
