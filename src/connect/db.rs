//! The results of self-tests.

use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;

use super::check::{Row, works};

/// What a self-test found.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct Check {
    pub(super) checked_at: OffsetDateTime,
    pub(super) checked_by: String,
    /// What was tested: the settings in words.
    pub(super) settings: Json<Vec<(String, String)>>,
    pub(super) results: Json<Vec<Row>>,
}

/// Keeps what a self-test found. Gives its id.
pub(super) async fn insert(
    tx: &mut PgConnection,
    organization: &str,
    by: &str,
    settings: &[(String, String)],
    rows: &[Row],
) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "insert into connect_check (organization, checked_by, settings, works, results) values ($1, $2, $3, $4, $5)
         returning connect_check_id",
    )
    .bind(organization)
    .bind(by)
    .bind(Json(settings))
    .bind(works(rows))
    .bind(Json(rows))
    .fetch_one(tx)
    .await
}

/// The newest self-test for an organisation.
pub(super) async fn newest(db: impl PgExecutor<'_>, organization: &str) -> sqlx::Result<Option<Check>> {
    sqlx::query_as(
        "select checked_at, checked_by, settings, results from connect_check where organization = $1
         order by connect_check_id desc limit 1",
    )
    .bind(organization)
    .fetch_optional(db)
    .await
}

/// The self-test that is queued or running, if one is.
pub(super) async fn unfinished(db: impl PgExecutor<'_>, organization: &str) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar(
        "select job_id from job where kind = 'check' and state in ('queued', 'running') and payload->>'organization' = $1
         order by job_id limit 1",
    )
    .bind(organization)
    .fetch_optional(db)
    .await
}
