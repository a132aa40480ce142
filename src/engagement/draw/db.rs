//! Samples as they are stored. Rooms read them in their own, confined transaction.

use sqlx::{FromRow, PgConnection, PgExecutor};
use time::{Date, OffsetDateTime};

use super::core::{Drawn, Strata, Taken};
use super::form::Asked;

/// A sample that was asked for, with what came of it.
#[derive(Debug, Clone, FromRow)]
pub(super) struct Sample {
    pub engagement_sample_id: i64,
    pub engagement_id: i64,
    pub engagement_terms_id: i64,
    pub as_of: Date,
    pub core_name: Option<String>,
    pub status: Option<String>,
    pub size: i32,
    pub seed: String,
    pub strata: String,
    pub purpose: String,
    pub asked_by: String,
    pub asked_at: OffsetDateTime,
    pub job_id: i64,
    pub known_at_collection: Option<i64>,
    pub population_rows: Option<i64>,
    pub population_sha256: Option<Vec<u8>>,
    pub drawn_at: Option<OffsetDateTime>,
}

impl Sample {
    /// "of the whole population", "of each account".
    pub(super) fn strata_words(&self) -> &'static str {
        Strata::of(&self.strata).map_or("", Strata::words)
    }
}

const SAMPLES: &str = "select s.*, d.known_at_collection, d.population_rows, d.population_sha256, d.drawn_at
     from engagement_sample s left join engagement_sample_drawn d using (engagement_sample_id)";

/// The samples of an engagement, the newest first.
pub(super) async fn of_engagement(db: impl PgExecutor<'_>, engagement_id: i64) -> sqlx::Result<Vec<Sample>> {
    let sql = sqlx::AssertSqlSafe(format!(
        "{SAMPLES} where engagement_id = $1 order by engagement_sample_id desc limit 1000"
    ));
    sqlx::query_as(sql).bind(engagement_id).fetch_all(db).await
}

/// A sample of an engagement.
pub(super) async fn find(
    db: impl PgExecutor<'_>,
    engagement_id: i64,
    engagement_sample_id: i64,
) -> sqlx::Result<Option<Sample>> {
    let sql = sqlx::AssertSqlSafe(format!("{SAMPLES} where engagement_id = $1 and engagement_sample_id = $2"));
    sqlx::query_as(sql).bind(engagement_id).bind(engagement_sample_id).fetch_optional(db).await
}

/// A sample by its number, for the job that draws it.
pub(super) async fn by_number(db: impl PgExecutor<'_>, engagement_sample_id: i64) -> sqlx::Result<Option<Sample>> {
    let sql = sqlx::AssertSqlSafe(format!("{SAMPLES} where engagement_sample_id = $1"));
    sqlx::query_as(sql).bind(engagement_sample_id).fetch_optional(db).await
}

/// A row that was drawn.
#[derive(Debug, Clone, FromRow)]
pub(super) struct RowDrawn {
    pub ordinal: i32,
    pub stratum: String,
    pub digest: Vec<u8>,
    pub account_id: String,
    pub region: String,
    pub rule_name: String,
    pub resource_type: String,
    pub resource_id: String,
    pub status: String,
}

/// The rows of a sample in their order; at most as many as a sample can have.
pub(super) async fn rows(db: impl PgExecutor<'_>, engagement_sample_id: i64) -> sqlx::Result<Vec<RowDrawn>> {
    sqlx::query_as(
        "select ordinal, stratum, digest, account_id, region, rule_name, resource_type, resource_id, status
         from engagement_sample_row where engagement_sample_id = $1 order by ordinal limit 10000",
    )
    .bind(engagement_sample_id)
    .fetch_all(db)
    .await
}

/// Number of the next sample: the job that draws it names it, and it names the job.
pub(super) async fn next_number(db: impl PgExecutor<'_>) -> sqlx::Result<i64> {
    sqlx::query_scalar("select nextval(pg_get_serial_sequence('engagement_sample', 'engagement_sample_id'))")
        .fetch_one(db)
        .await
}

pub(super) async fn ask(
    db: &mut PgConnection,
    (number, job_id): (i64, i64),
    (engagement_id, engagement_terms_id): (i64, i64),
    asked: &Asked,
    asked_by: &str,
) -> sqlx::Result<()> {
    sqlx::query(
        "insert into engagement_sample (engagement_sample_id, engagement_id, engagement_terms_id, as_of, core_name, status,
             size, seed, strata, purpose, asked_by, job_id)
         overriding system value values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(number)
    .bind(engagement_id)
    .bind(engagement_terms_id)
    .bind(asked.as_of)
    .bind(&asked.core_name)
    .bind(&asked.status)
    .bind(asked.size)
    .bind(&asked.seed)
    .bind(asked.strata.word())
    .bind(&asked.purpose)
    .bind(asked_by)
    .bind(job_id)
    .execute(db)
    .await?;
    Ok(())
}

/// Keeps what was drawn: in the transaction that ends the job.
pub(super) async fn keep(
    db: &mut PgConnection,
    engagement_sample_id: i64,
    known_at: i64,
    drawn: &Drawn,
) -> sqlx::Result<()> {
    sqlx::query(
        "insert into engagement_sample_drawn (engagement_sample_id, known_at_collection, population_rows, population_sha256)
         values ($1, $2, $3, $4)",
    )
    .bind(engagement_sample_id)
    .bind(known_at)
    .bind(drawn.rows)
    .bind(&drawn.sha256)
    .execute(&mut *db)
    .await?;
    let of = |index: usize| -> Vec<&str> {
        drawn.taken.iter().map(|(_, taken)| taken.row.get(index).map_or("", String::as_str)).collect()
    };
    let strata: Vec<&str> = drawn.taken.iter().map(|(stratum, _)| stratum.as_str()).collect();
    let digests: Vec<&[u8]> = drawn.taken.iter().map(|(_, Taken { digest, .. })| digest.as_slice()).collect();
    sqlx::query(
        "insert into engagement_sample_row (engagement_sample_id, ordinal, stratum, digest, account_id, region, rule_name,
             resource_type, resource_id, status)
         select $1, ordinal, stratum, digest, account_id, region, rule_name, resource_type, resource_id, status
         from unnest($2::text[], $3::bytea[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[])
             with ordinality t (stratum, digest, account_id, region, rule_name, resource_type, resource_id, status, ordinal)",
    )
    .bind(engagement_sample_id)
    .bind(strata)
    .bind(digests)
    .bind(of(0))
    .bind(of(1))
    .bind(of(2))
    .bind(of(3))
    .bind(of(4))
    .bind(of(5))
    .execute(db)
    .await?;
    Ok(())
}

/// Whether an auditor has shown the team what was viewed and drawn in a room.
pub(super) async fn is_published(db: impl PgExecutor<'_>, engagement_id: i64) -> sqlx::Result<bool> {
    sqlx::query_scalar("select exists (select from engagement_publication where engagement_id = $1)")
        .bind(engagement_id)
        .fetch_one(db)
        .await
}

/// Shows it; false where it was shown before.
pub(super) async fn publish(db: &mut PgConnection, engagement_id: i64, published_by: &str) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "insert into engagement_publication (engagement_id, published_by) values ($1, $2)
         on conflict (engagement_id) do nothing",
    )
    .bind(engagement_id)
    .bind(published_by)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}
