//! What of the demo an earlier start has done.

use sqlx::PgPool;
use time::Date;

/// Whether a collection of the organisation has finished.
pub(super) async fn collected(db: &PgPool, organization: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "select exists (
             select from collection join organization using (organization_id)
             where name = $1 and state = 'finished')",
    )
    .bind(organization)
    .fetch_one(db)
    .await
}

/// The oldest pack of the organisation.
pub(super) async fn first_pack(db: &PgPool, organization: &str) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar(
        "select pack_id from pack join organization using (organization_id)
         where name = $1 order by pack.created_at, pack_id limit 1",
    )
    .bind(organization)
    .fetch_optional(db)
    .await
}

/// A pack's job that a killed start has left.
pub(super) async fn unfinished_pack_job(db: &PgPool) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar("select min(job_id) from job where kind = 'pack' and state in ('queued', 'running')")
        .fetch_one(db)
        .await
}

/// The first day on which anything was delivered.
pub(super) async fn first_day(db: &PgPool, organization: &str) -> sqlx::Result<Option<Date>> {
    sqlx::query_scalar(
        "select min(day) from delivery join place using (place_id) join organization using (organization_id)
         where name = $1 and until_collection is null",
    )
    .bind(organization)
    .fetch_one(db)
    .await
}
