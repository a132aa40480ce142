//! The delivered objects behind a day, found by their ids or by place and day.

use sqlx::{AssertSqlSafe, FromRow, PgConnection};
use time::{Date, OffsetDateTime};

use crate::web::keyset::{Keyed, Keyset, Kind, Order};

/// Which objects.
#[derive(Debug, Clone)]
pub(in crate::compliance) enum Those {
    /// These, and the history objects of places up to a day each: what figures stand on.
    Sources { ids: Vec<i64>, history: Vec<(i32, Date)> },
    /// All that was delivered for a day of some places.
    Delivered { place_ids: Vec<i32>, day: Date },
}

#[derive(Debug, Clone, FromRow)]
pub(in crate::compliance) struct ObjectRow {
    pub object_id: i64,
    pub account_id: String,
    pub region: String,
    pub day: Date,
    pub kind: String,
    pub key: String,
    pub taken_at: Option<OffsetDateTime>,
    pub size_bytes: i64,
    pub etag: Option<String>,
    pub version_id: Option<String>,
    pub sha256: Option<Vec<u8>>,
    pub items: Option<i64>,
    pub compliance_items: Option<i64>,
    pub evaluations: Option<i64>,
    /// Its standing by the last collection that looked at it; `None` where none did yet.
    pub outcome: Option<String>,
    pub reason: Option<String>,
    /// The collection that read it, and the execution of Athena by which it did.
    pub collection_id: Option<i64>,
    pub execution_id: Option<String>,
    /// How many objects are meant, where that was asked for.
    pub total: Option<i64>,
}

/// What the objects can be sorted on.
pub(super) const ORDERS: [Order; 10] = [
    Order { name: "account", expression: "p.account_id || ' ' || p.region", kind: Kind::Text },
    Order { name: "region", expression: "p.region", kind: Kind::Text },
    Order { name: "day", expression: "(o.day - date '1970-01-01')::bigint", kind: Kind::Number },
    Order { name: "object", expression: "o.key", kind: Kind::Text },
    Order { name: "taken", expression: "coalesce(o.taken_at, timestamptz 'epoch')", kind: Kind::Moment },
    Order { name: "bytes", expression: "o.size_bytes", kind: Kind::Number },
    // Objects that were not read have no counts, and stand before those that hold nothing.
    Order { name: "evaluations", expression: "coalesce(o.evaluations, -1)::bigint", kind: Kind::Number },
    Order { name: "outcome", expression: "coalesce(w.outcome, '')", kind: Kind::Text },
    Order { name: "collection", expression: "coalesce(o.read_by, -1)::bigint", kind: Kind::Number },
    Order { name: "query", expression: "coalesce(q.execution_id, '')", kind: Kind::Text },
];

const BY_ACCOUNT: Keyset = Keyset::first(ORDERS[0], false);

const COLUMNS: &str = "o.object_id, p.account_id, p.region, o.day, o.kind, o.key, o.taken_at, o.size_bytes, o.etag,
     o.version_id, o.sha256, o.items, o.compliance_items, o.evaluations, w.outcome, w.reason, o.read_by as collection_id,
     q.execution_id";

const SOURCES: &str = "select object_id from unnest($4::bigint[]) as i (object_id)
     union all
     select h.object_id from unnest($5::integer[], $6::date[]) as u (place_id, until)
     join object h on h.place_id = u.place_id and h.day <= u.until
     where h.kind = 'history' and h.read_by is not null";

const DELIVERED: &str = "select object_id from object d
     where d.place_id = any($5::integer[]) and d.day = ($6::date[])[1] and $4::bigint[] is not null";

/// The objects that are meant, so many at most of a page; with `counted`, each says how many are meant.
pub(in crate::compliance) async fn objects(
    db: &mut PgConnection,
    those: &Those,
    page: &Keyset,
    most: i64,
    counted: bool,
) -> sqlx::Result<Vec<Keyed<ObjectRow>>> {
    let none = Vec::new();
    let (meant, ids, place_ids, days) = match those {
        Those::Sources { ids, history } => {
            let (places, days): (Vec<i32>, Vec<Date>) = history.iter().copied().unzip();
            (SOURCES, ids, places, days)
        }
        Those::Delivered { place_ids, day } => (DELIVERED, &none, place_ids.clone(), vec![*day]),
    };
    let (value, id) = page.bounds();
    let from = format!(
        "({meant}) m join object o using (object_id) join place p using (place_id)
         left join lateral (
             select outcome, reason from object_outcome w where w.object_id = o.object_id
             order by w.collection_id desc limit 1
         ) w on true
         left join object_outcome r on r.object_id = o.object_id and r.collection_id = o.read_by
         left join athena_query q on q.athena_query_id = r.athena_query_id where true"
    );
    let total = if counted { format!("(select count(*) from ({meant}) counted)") } else { "null::bigint".to_owned() };
    let columns = format!("{COLUMNS}, {total} as total");
    let AssertSqlSafe(statement) = page.select(&columns, &from, "o.object_id", "bigint");
    sqlx::query_as(AssertSqlSafe(statement))
        .bind(value)
        .bind(id)
        .bind(most)
        .bind(ids)
        .bind(place_ids)
        .bind(days)
        .fetch_all(db)
        .await
}

/// The object that a place's figures stand on.
pub(in crate::compliance) async fn one(db: &mut PgConnection, object_id: i64) -> sqlx::Result<Option<ObjectRow>> {
    let those = Those::Sources { ids: vec![object_id], history: Vec::new() };
    Ok(objects(db, &those, &BY_ACCOUNT, 1, false).await?.pop().map(|keyed| keyed.row))
}
