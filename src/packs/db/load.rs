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

/// Whether a Region list was known.
pub(in crate::packs) async fn has_region_list(
    db: &mut PgConnection,
    organization_id: i16,
    known_at: KnownAt,
) -> sqlx::Result<bool> {
    sqlx::query_scalar("select exists (select from region_list where organization_id = $1 and collection_id <= $2)")
        .bind(organization_id)
        .bind(known_at.0)
        .fetch_one(db)
        .await
}

/// A core rule that some place of the scope had on a day of the pack, under any of its names.
#[derive(Debug, FromRow)]
pub(in crate::packs) struct RulePresence {
    pub(in crate::packs) core_name: String,
    /// As delivered: with the affixes of conformance packs, Security Hub and Control Tower.
    pub(in crate::packs) names: Vec<String>,
    pub(in crate::packs) source_identifier: Option<String>,
    pub(in crate::packs) severity: i16,
    /// Account-Regions on the as-of day.
    pub(in crate::packs) places: i64,
    pub(in crate::packs) first_day: Date,
    /// The day from which no place had it; null while one still has it.
    pub(in crate::packs) end_day: Option<Date>,
}

pub(in crate::packs) async fn rules(
    db: &mut PgConnection,
    scope: &Scope,
    from: Date,
    as_of: Date,
) -> sqlx::Result<Vec<RulePresence>> {
    sqlx::query_as(
        "select r.core_name, array_agg(distinct r.name) as names, r.source_identifier, r.severity,
             count(distinct rp.place_id) filter (where $4 >= rp.first_day and $4 < rp.end_day) as places,
             min(rp.first_day) as first_day, nullif(max(rp.end_day), 'infinity') as end_day
         from place p join rule_presence rp using (place_id) join rule r using (rule_id)
         where p.organization_id = $1 and ($2::text[] is null or p.account_id = any($2))
             and rp.first_day <= $4 and rp.end_day > $3
         group by r.core_name, r.source_identifier, r.severity
         order by r.core_name, r.source_identifier, r.severity",
    )
    .bind(scope.organization_id)
    .bind(&scope.accounts)
    .bind(from)
    .bind(as_of)
    .fetch_all(db)
    .await
}

/// The last known evaluations (complying, not complying, unknown) of places without evidence of the day, by severity.
pub(in crate::packs) async fn carried(
    db: &mut PgConnection,
    place_ids: &[i32],
    day: Date,
) -> sqlx::Result<Vec<(i16, i64)>> {
    sqlx::query_as(
        "select r.severity, sum(u.complying + u.not_complying + u.insufficient_data + u.unrecognised)::bigint
         from rollup u join rule r using (rule_id)
         where u.place_id = any($1) and u.first_day <= $2 and u.end_day > $2
         group by r.severity",
    )
    .bind(place_ids)
    .bind(day)
    .fetch_all(db)
    .await
}
