//! What a pack says beyond the evidence that everybody reads: its organisation, its knowledge point, its provenance.

use sqlx::{FromRow, PgConnection};
use time::{Date, OffsetDateTime};

use crate::compliance::evidence::KnownAt;
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

/// The first and the last day with anything delivered in the organisation.
pub(in crate::packs) async fn collected_days(
    db: &mut PgConnection,
    organization_id: i16,
    known_at: KnownAt,
) -> sqlx::Result<Option<(Date, Date)>> {
    let (first, last): (Option<Date>, Option<Date>) = sqlx::query_as(
        "select min(d.day), max(d.day) from place p join delivery d using (place_id)
         where p.organization_id = $1 and d.since_collection <= $2
             and (d.until_collection is null or d.until_collection > $2)",
    )
    .bind(organization_id)
    .bind(known_at.0)
    .fetch_one(db)
    .await?;
    Ok(first.zip(last))
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
