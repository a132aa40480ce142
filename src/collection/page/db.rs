//! Collections with their objects and what they changed.

use sqlx::{FromRow, PgConnection};
use time::{Date, OffsetDateTime};

#[derive(Debug, FromRow)]
pub(super) struct CollectionRow {
    pub collection_id: i64,
    pub engine: String,
    pub source: String,
    pub state: String,
    pub failure: Option<String>,
    pub started_by: String,
    pub started_at: OffsetDateTime,
    pub finished_at: Option<OffsetDateTime>,
    pub program_version: String,
    pub program_commit: String,
    pub first_day: Option<Date>,
    pub last_day: Option<Date>,
    pub objects_done: i64,
    pub objects_total: i64,
    pub ladder: Option<serde_json::Value>,
}

/// The newest collections whose number is below (or, in reverse, above) the given one, newest first.
pub(super) async fn list(
    db: &mut PgConnection,
    organization_id: i16,
    below: Option<i64>,
    limit: i64,
) -> sqlx::Result<Vec<CollectionRow>> {
    sqlx::query_as(
        "select collection_id, engine, source, state, failure, started_by, started_at, finished_at, program_version,
                program_commit, first_day, last_day, objects_done, objects_total, ladder
         from collection
         where organization_id = $1 and ($2::bigint is null or collection_id < $2)
         order by collection_id desc limit $3",
    )
    .bind(organization_id)
    .bind(below)
    .bind(limit)
    .fetch_all(db)
    .await
}

/// The same, for the page before: numbers above the given one, lowest first.
pub(super) async fn list_above(
    db: &mut PgConnection,
    organization_id: i16,
    above: i64,
    limit: i64,
) -> sqlx::Result<Vec<CollectionRow>> {
    sqlx::query_as(
        "select collection_id, engine, source, state, failure, started_by, started_at, finished_at, program_version,
                program_commit, first_day, last_day, objects_done, objects_total, ladder
         from collection where organization_id = $1 and collection_id > $2
         order by collection_id limit $3",
    )
    .bind(organization_id)
    .bind(above)
    .bind(limit)
    .fetch_all(db)
    .await
}

pub(super) async fn count(db: &mut PgConnection, organization_id: i16) -> sqlx::Result<i64> {
    sqlx::query_scalar("select count(*) from collection where organization_id = $1")
        .bind(organization_id)
        .fetch_one(db)
        .await
}

pub(super) async fn find(
    db: &mut PgConnection,
    organization_id: i16,
    collection_id: i64,
) -> sqlx::Result<Option<CollectionRow>> {
    sqlx::query_as(
        "select collection_id, engine, source, state, failure, started_by, started_at, finished_at, program_version,
                program_commit, first_day, last_day, objects_done, objects_total, ladder
         from collection where organization_id = $1 and collection_id = $2",
    )
    .bind(organization_id)
    .bind(collection_id)
    .fetch_optional(db)
    .await
}

/// How many objects had which outcome.
pub(super) async fn outcomes(db: &mut PgConnection, collection_id: i64) -> sqlx::Result<Vec<(String, i64)>> {
    sqlx::query_as(
        "select outcome, count(*) from object_outcome where collection_id = $1 group by outcome order by outcome",
    )
    .bind(collection_id)
    .fetch_all(db)
    .await
}

/// Which objects of a collection.
#[derive(Debug, Clone, Default)]
pub(super) struct Which {
    pub collection_id: i64,
    pub outcome: Option<String>,
    pub account: Option<String>,
    pub region: Option<String>,
}

#[derive(Debug, FromRow)]
pub(super) struct ObjectRow {
    pub object_id: i64,
    pub outcome: String,
    pub reason: Option<String>,
    pub position_bytes: Option<i64>,
    pub account_id: String,
    pub region: String,
    pub day: Date,
    pub kind: String,
    pub key: String,
    pub size_bytes: i64,
    pub etag: Option<String>,
    pub version_id: Option<String>,
    pub sha256: Option<Vec<u8>>,
    pub items: Option<i64>,
    pub compliance_items: Option<i64>,
    pub evaluations: Option<i64>,
}

const OBJECTS: &str =
    "select o.object_id, x.outcome, x.reason, x.position_bytes, p.account_id, p.region, o.day, o.kind,
           o.key, o.size_bytes, o.etag, o.version_id, o.sha256, o.items, o.compliance_items, o.evaluations
    from object_outcome x join object o using (object_id) join place p using (place_id)
    where x.collection_id = $1 and ($2::text is null or x.outcome = $2)
      and ($3::text is null or p.account_id = $3) and ($4::text is null or p.region = $4)";

/// Objects after the given one, in the order they were registered.
pub(super) async fn objects(
    db: &mut PgConnection,
    which: &Which,
    after: i64,
    limit: i64,
) -> sqlx::Result<Vec<ObjectRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!("{OBJECTS} and x.object_id > $5 order by x.object_id limit $6")))
        .bind(which.collection_id)
        .bind(&which.outcome)
        .bind(&which.account)
        .bind(&which.region)
        .bind(after)
        .bind(limit)
        .fetch_all(db)
        .await
}

/// Objects before the given one, the last first.
pub(super) async fn objects_before(
    db: &mut PgConnection,
    which: &Which,
    before: i64,
    limit: i64,
) -> sqlx::Result<Vec<ObjectRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!("{OBJECTS} and x.object_id < $5 order by x.object_id desc limit $6")))
        .bind(which.collection_id)
        .bind(&which.outcome)
        .bind(&which.account)
        .bind(&which.region)
        .bind(before)
        .bind(limit)
        .fetch_all(db)
        .await
}

pub(super) async fn count_objects(db: &mut PgConnection, which: &Which) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "select count(*) from object_outcome x join object o using (object_id) join place p using (place_id)
         where x.collection_id = $1 and ($2::text is null or x.outcome = $2)
           and ($3::text is null or p.account_id = $3) and ($4::text is null or p.region = $4)",
    )
    .bind(which.collection_id)
    .bind(&which.outcome)
    .bind(&which.account)
    .bind(&which.region)
    .fetch_one(db)
    .await
}

/// Accounts and Regions of a collection's objects, to choose from.
pub(super) async fn places(db: &mut PgConnection, organization_id: i16) -> sqlx::Result<Vec<(String, Vec<String>)>> {
    sqlx::query_as(
        "select account_id, array_agg(region order by region) from place where organization_id = $1
         group by account_id order by account_id",
    )
    .bind(organization_id)
    .fetch_all(db)
    .await
}

/// A day that had been collected and that this collection changed.
#[derive(Debug, FromRow)]
pub(super) struct RestatedDay {
    pub day: Date,
    pub places: i64,
    /// Of those, how many had been gaps: a late delivery.
    pub late: i64,
    pub rows_added: i64,
    pub rows_removed: i64,
}

/// Days that this collection changed after an earlier one had collected them or a later day.
pub(super) async fn restated(
    db: &mut PgConnection,
    organization_id: i16,
    collection_id: i64,
) -> sqlx::Result<Vec<RestatedDay>> {
    sqlx::query_as(
        "with earlier as (select max(last_day) as latest from collection
                          where organization_id = $1 and collection_id < $2 and state = 'finished')
         select d.day, count(*) as places, count(*) filter (where b.known is not true) as late,
                sum(d.rows_added)::bigint as rows_added, sum(d.rows_removed)::bigint as rows_removed
         from delivery d cross join earlier
         left join delivery b on b.place_id = d.place_id and b.day = d.day and b.until_collection = $2
         where d.since_collection = $2 and (b.place_id is not null or d.day <= earlier.latest)
         group by d.day order by d.day desc",
    )
    .bind(organization_id)
    .bind(collection_id)
    .fetch_all(db)
    .await
}
