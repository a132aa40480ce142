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

const COLLECTION: &str =
    "collection_id, engine, source, state, failure, started_by, started_at, finished_at, program_version, program_commit,
     first_day, last_day, objects_done, objects_total, ladder,
     case when state = 'running' then collection_is_running(collection_id) else false end as alive";

/// Which collections of an organisation.
#[derive(Debug, Clone, Default)]
pub(super) struct Those {
    pub organization_id: i16,
    pub state: Option<String>,
    pub engine: Option<String>,
    /// Only those with objects that could not be read.
    pub unreadable: bool,
    /// Those that brought evidence of one of these; `None` is all.
    pub place_ids: Option<Vec<i32>>,
}

/// `$4` to `$8` are those of [`Those`].
const THOSE: &str = "collection where organization_id = $4 and ($5::text is null or state = $5)
     and ($6::text is null or engine = $6) and (not $7 or coalesce((ladder->>'objects_unreadable')::bigint, 0) > 0)
     and ($8::integer[] is null or collection_id = any (
         array(select distinct since_collection from delivery where place_id = any($8))))";

/// The collections that are meant, so many at most of a page.
pub(super) async fn list(
    db: &mut PgConnection,
    those: &Those,
    page: &Keyset,
    most: i64,
) -> sqlx::Result<Vec<Keyed<CollectionRow>>> {
    let (value, id) = page.bounds();
    sqlx::query_as(page.select(COLLECTION, THOSE, "collection_id", "bigint"))
        .bind(value)
        .bind(id)
        .bind(most)
        .bind(those.organization_id)
        .bind(&those.state)
        .bind(&those.engine)
        .bind(those.unreadable)
        .bind(&those.place_ids)
        .fetch_all(db)
        .await
}

pub(super) async fn count(db: &mut PgConnection, those: &Those) -> sqlx::Result<i64> {
    let nothing = "$1::text is null and $2::text is null and $3::text is null";
    sqlx::query_scalar(AssertSqlSafe(format!("select count(*) from {THOSE} and {nothing}")))
        .bind(None::<&str>)
        .bind(None::<&str>)
        .bind(None::<&str>)
        .bind(those.organization_id)
        .bind(&those.state)
        .bind(&those.engine)
        .bind(those.unreadable)
        .bind(&those.place_ids)
        .fetch_one(db)
        .await
}

/// A collection, and what the queries of Athena of its month (UTC) came to, of all collections.
#[derive(Debug, FromRow)]
pub(super) struct Found {
    #[sqlx(flatten)]
    pub row: CollectionRow,
    pub month_queries: i64,
    pub month_bytes_scanned: i64,
    pub month_price_billionths: i64,
}

pub(super) async fn find(
    db: &mut PgConnection,
    organization_id: i16,
    collection_id: i64,
) -> sqlx::Result<Option<Found>> {
    let sql = format!(
        "select {COLLECTION}, month_queries, month_bytes_scanned, month_price_billionths
         from collection c left join lateral (
             select count(*) as month_queries, coalesce(sum(q.bytes_scanned), 0)::bigint as month_bytes_scanned,
                 coalesce(sum(q.price_billionths), 0)::bigint as month_price_billionths
             from athena_query q join collection o on o.collection_id = q.collection_id
             where c.engine = 'athena' and o.organization_id = $1
                 and date_trunc('month', q.created_at at time zone 'UTC')
                     = date_trunc('month', c.started_at at time zone 'UTC')
         ) m on true
         where organization_id = $1 and collection_id = $2"
    );
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
