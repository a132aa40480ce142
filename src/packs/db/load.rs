//! What a pack says beyond the evidence that everybody reads: its organisation, its knowledge point, its provenance.

use sqlx::{FromRow, PgConnection};
use time::{Date, OffsetDateTime};

use crate::compliance::evidence::{KnownAt, Scope};
use crate::packs::model::Collection;

pub(in crate::packs) async fn organization(db: &mut PgConnection, name: &str) -> sqlx::Result<Option<i16>> {
    sqlx::query_scalar("select organization_id from organization where name = $1").bind(name).fetch_optional(db).await
}

pub(in crate::packs) async fn finished_at(db: &mut PgConnection, known_at: KnownAt) -> sqlx::Result<OffsetDateTime> {
    sqlx::query_scalar("select coalesce(finished_at, started_at) from collection where collection_id = $1")
        .bind(known_at.0)
        .fetch_one(db)
        .await
}

/// The first and the last day with anything delivered in the organisation, of those that are kept.
pub(in crate::packs) async fn collected_days(
    db: &mut PgConnection,
    organization_id: i16,
    known_at: KnownAt,
) -> sqlx::Result<Option<(Date, Date)>> {
    let (first, last): (Option<Date>, Option<Date>) = sqlx::query_as(
        // A place's last known day before the first day kept is there for the days that go on from it.
        "select greatest(min(d.day), (select max(first_day) from retention where organization_id = $1)), max(d.day)
         from place p join delivery d using (place_id)
         where p.organization_id = $1 and d.since_collection <= $2
             and (d.until_collection is null or d.until_collection > $2)",
    )
    .bind(organization_id)
    .bind(known_at.0)
    .fetch_one(db)
    .await?;
    Ok(first.zip(last).filter(|(first, last)| first <= last))
}

#[derive(Debug, FromRow)]
struct CollectionRow {
    collection_id: i64,
    engine: String,
    source: String,
    started_by: String,
    started_at: OffsetDateTime,
    finished_at: Option<OffsetDateTime>,
    program_version: String,
    program_commit: String,
}

pub(in crate::packs) async fn collections(db: &mut PgConnection, ids: &[i64]) -> sqlx::Result<Vec<Collection>> {
    let rows: Vec<CollectionRow> = sqlx::query_as(
        "select collection_id, engine, source, started_by, started_at, finished_at, program_version, program_commit
         from collection where collection_id = any($1) order by collection_id",
    )
    .bind(ids)
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Collection {
            collection_id: row.collection_id,
            engine: row.engine,
            source: row.source,
            started_by: row.started_by,
            started: row.started_at,
            finished: row.finished_at,
            program: format!("{} ({})", row.program_version, row.program_commit),
        })
        .collect())
}

/// The account lists that were known: day, source, SHA-256.
pub(in crate::packs) async fn account_lists(
    db: &mut PgConnection,
    organization_id: i16,
    known_at: KnownAt,
) -> sqlx::Result<Vec<(Date, String, Vec<u8>)>> {
    sqlx::query_as(
        "select listed_on, source, sha256 from account_list
         where organization_id = $1 and collection_id <= $2 order by listed_on, account_list_id",
    )
    .bind(organization_id)
    .bind(known_at.0)
    .fetch_all(db)
    .await
}

/// A query of Athena that read objects, its text included.
#[derive(Debug, FromRow)]
pub(in crate::packs) struct Query {
    pub(in crate::packs) execution_id: Option<String>,
    pub(in crate::packs) collection_id: i64,
    pub(in crate::packs) question: String,
    pub(in crate::packs) day: Date,
    pub(in crate::packs) engine_version: Option<String>,
    pub(in crate::packs) workgroup: String,
    pub(in crate::packs) database_name: String,
    pub(in crate::packs) submitted_at: Option<OffsetDateTime>,
    pub(in crate::packs) completed_at: Option<OffsetDateTime>,
    pub(in crate::packs) bytes_scanned: Option<i64>,
    pub(in crate::packs) result_rows: Option<i64>,
    pub(in crate::packs) result_location: Option<String>,
    /// Objects that it was asked of, those that days are told from included.
    pub(in crate::packs) objects: i32,
    /// Objects of the scope and days that it read.
    pub(in crate::packs) objects_read: i64,
    pub(in crate::packs) sql: String,
    /// One a `?` of the text.
    pub(in crate::packs) parameters: Vec<String>,
}

/// The queries that read objects of a scope and its days, as known then.
pub(in crate::packs) async fn queries(
    db: &mut PgConnection,
    scope: &Scope,
    (from, until): (Date, Date),
    known_at: KnownAt,
) -> sqlx::Result<Vec<Query>> {
    sqlx::query_as(
        "select q.execution_id, q.collection_id, q.question, q.day, q.engine_version, q.workgroup, q.database_name,
                q.submitted_at, q.completed_at, q.bytes_scanned, q.result_rows, q.result_location, q.objects,
                w.objects_read, q.sql, q.parameters
         from athena_query q join (
             select w.athena_query_id, count(*) as objects_read
             from object_outcome w join object o using (object_id) join place p using (place_id)
             where w.athena_query_id is not null and p.organization_id = $1
                 and ($2::text[] is null or p.account_id = any($2))
                 and o.day between $3 and $4 and w.collection_id <= $5
             group by w.athena_query_id
         ) w using (athena_query_id)
         order by q.athena_query_id",
    )
    .bind(scope.organization_id)
    .bind(&scope.accounts)
    .bind(from)
    .bind(until)
    .bind(known_at.0)
    .fetch_all(db)
    .await
}
