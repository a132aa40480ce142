//! Collections with their objects and what they changed.

use sqlx::{AssertSqlSafe, FromRow, PgConnection};
use time::{Date, OffsetDateTime};

use crate::web::keyset::{Keyed, Keyset, Kind, Order};

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
    /// Whether its program lives: a row that says "running" may have outlived it.
    pub alive: bool,
}

/// What the list of collections can be sorted on.
pub(super) const COLLECTION_ORDERS: [Order; 9] = [
    Order { name: "collection", expression: "collection_id", kind: Kind::Number },
    Order { name: "state", expression: "state", kind: Kind::Text },
    Order { name: "source", expression: "source", kind: Kind::Text },
    Order { name: "days", expression: "coalesce(last_day - date '1970-01-01', -1)::bigint", kind: Kind::Number },
    Order { name: "started", expression: "started_at", kind: Kind::Moment },
    // Of one that is not finished, the time until this page was read.
    Order {
        name: "took",
        expression: "(extract(epoch from coalesce(finished_at, now()) - started_at) * 1000000)::bigint",
        kind: Kind::Number,
    },
    Order { name: "by", expression: "started_by", kind: Kind::Text },
    Order { name: "objects", expression: "objects_total", kind: Kind::Number },
    Order {
        name: "unreadable",
        expression: "coalesce((ladder->>'objects_unreadable')::bigint, -1)",
        kind: Kind::Number,
    },
];

/// The newest first.
pub(super) const NEWEST: Keyset = Keyset::first(COLLECTION_ORDERS[0], true);

const COLLECTION: &str =
    "collection_id, engine, source, state, failure, started_by, started_at, finished_at, program_version, program_commit,
     first_day, last_day, objects_done, objects_total, ladder,
     case when state = 'running' then collection_is_running(collection_id) else false end as alive";

/// The collections of an organisation, so many at most of a page.
pub(super) async fn list(
    db: &mut PgConnection,
    organization_id: i16,
    page: &Keyset,
    most: i64,
) -> sqlx::Result<Vec<Keyed<CollectionRow>>> {
    let (value, id) = page.bounds();
    sqlx::query_as(page.select(COLLECTION, "collection where organization_id = $4", "collection_id", "bigint"))
        .bind(value)
        .bind(id)
        .bind(most)
        .bind(organization_id)
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
    let sql = format!("select {COLLECTION} from collection where organization_id = $1 and collection_id = $2");
    sqlx::query_as(AssertSqlSafe(sql)).bind(organization_id).bind(collection_id).fetch_optional(db).await
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
    /// `None` is all.
    pub place_ids: Option<Vec<i32>>,
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

/// What a collection's objects can be sorted on.
pub(super) const OBJECT_ORDERS: [Order; 10] = [
    Order { name: "found", expression: "x.object_id", kind: Kind::Number },
    Order { name: "outcome", expression: "x.outcome", kind: Kind::Text },
    Order { name: "account", expression: "p.account_id", kind: Kind::Text },
    Order { name: "region", expression: "p.region", kind: Kind::Text },
    Order { name: "day", expression: "(o.day - date '1970-01-01')::bigint", kind: Kind::Number },
    Order { name: "kind", expression: "o.kind", kind: Kind::Text },
    Order { name: "bytes", expression: "o.size_bytes", kind: Kind::Number },
    // Objects that were not read have no counts, and stand before those that hold nothing.
    Order { name: "items", expression: "coalesce(o.items, -1)::bigint", kind: Kind::Number },
    Order { name: "compliance-items", expression: "coalesce(o.compliance_items, -1)::bigint", kind: Kind::Number },
    Order { name: "evaluations", expression: "coalesce(o.evaluations, -1)::bigint", kind: Kind::Number },
];

/// In the order in which they were found.
pub(super) const AS_FOUND: Keyset = Keyset::first(OBJECT_ORDERS[0], false);

const OBJECT: &str = "o.object_id, x.outcome, x.reason, x.position_bytes, p.account_id, p.region, o.day, o.kind, o.key,
     o.size_bytes, o.etag, o.version_id, o.sha256, o.items, o.compliance_items, o.evaluations";

const OUTCOMES: &str = "object_outcome x join object o using (object_id) join place p using (place_id)";

/// The objects that are meant, so many at most of a page.
pub(super) async fn objects(
    db: &mut PgConnection,
    which: &Which,
    page: &Keyset,
    most: i64,
) -> sqlx::Result<Vec<Keyed<ObjectRow>>> {
    let (value, id) = page.bounds();
    let meant = format!(
        "{OUTCOMES} where x.collection_id = $4 and ($5::text is null or x.outcome = $5)
             and ($6::integer[] is null or o.place_id = any($6))"
    );
    sqlx::query_as(page.select(OBJECT, &meant, "x.object_id", "bigint"))
        .bind(value)
        .bind(id)
        .bind(most)
        .bind(which.collection_id)
        .bind(&which.outcome)
        .bind(&which.place_ids)
        .fetch_all(db)
        .await
}

/// The objects that somebody must look at: those that could not be read, and those that changed after they were.
pub(super) async fn bad_objects(db: &mut PgConnection, collection_id: i64, limit: i64) -> sqlx::Result<Vec<ObjectRow>> {
    // Said twice: the second is what the partial index holds.
    let sql = format!(
        "select {OBJECT} from {OUTCOMES} where x.collection_id = $1
             and x.outcome = 'unreadable' and x.outcome in ('unreadable', 'changed') order by x.object_id limit $2"
    );
    sqlx::query_as(AssertSqlSafe(sql)).bind(collection_id).bind(limit).fetch_all(db).await
}

/// A count is exact up to here; beyond it is "more than".
pub(super) const COUNTED: i64 = 1_000_000;

pub(super) async fn count_objects(db: &mut PgConnection, which: &Which) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "select count(*) from (
             select from object_outcome x join object o using (object_id)
             where x.collection_id = $1 and ($2::text is null or x.outcome = $2)
                 and ($3::integer[] is null or o.place_id = any($3))
             limit $4 + 1) counted",
    )
    .bind(which.collection_id)
    .bind(&which.outcome)
    .bind(&which.place_ids)
    .bind(COUNTED)
    .fetch_one(db)
    .await
}

/// A day that had been collected and that this collection changed.
#[derive(Debug, Clone, FromRow)]
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
         from earlier join delivery d on earlier.latest is not null
         left join delivery b on b.place_id = d.place_id and b.day = d.day and b.until_collection = $2
         where d.since_collection = $2 and (b.place_id is not null or d.day <= earlier.latest)
         group by d.day order by d.day desc",
    )
    .bind(organization_id)
    .bind(collection_id)
    .fetch_all(db)
    .await
}
