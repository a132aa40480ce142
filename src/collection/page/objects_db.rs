//! The objects of a collection, with the query that read each.

use sqlx::{FromRow, PgConnection};
use time::{Date, OffsetDateTime};

use crate::web::keyset::{Keyed, Keyset, Kind, Order};

/// Which objects of a collection.
#[derive(Debug, Clone, Default)]
pub(super) struct Which {
    pub collection_id: i64,
    pub outcome: Option<String>,
    /// `None` is all.
    pub place_ids: Option<Vec<i32>>,
    pub day: Option<Date>,
    /// The query of Athena that read them.
    pub query_id: Option<i64>,
}

impl Which {
    /// Whether no more narrows them than their outcome.
    pub(super) fn whole(&self) -> bool {
        self.place_ids.is_none() && self.day.is_none() && self.query_id.is_none()
    }

    /// The condition, with its values as `$4` to `$8`. What is not asked for is not in it: the planner, which may see the
    /// values no more, could use no index for it.
    fn condition(&self) -> String {
        let or = |asked: bool, condition: &str, value: &str| {
            if asked { condition.to_owned() } else { format!("{value} is null") }
        };
        // Said twice: the second is what the partial index holds.
        let bad = matches!(self.outcome.as_deref(), Some("unreadable" | "changed"));
        let outcome = if bad { "x.outcome = $5 and x.outcome in ('unreadable', 'changed')" } else { "x.outcome = $5" };
        [
            "x.collection_id = $4".to_owned(),
            or(self.outcome.is_some(), outcome, "$5::text"),
            or(self.place_ids.is_some(), "o.place_id = any($6)", "$6::integer[]"),
            or(self.day.is_some(), "o.day = $7", "$7::date"),
            or(self.query_id.is_some(), "x.athena_query_id = $8", "$8::bigint"),
        ]
        .join(" and ")
    }
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
    pub taken_at: Option<OffsetDateTime>,
    pub size_bytes: i64,
    pub etag: Option<String>,
    pub version_id: Option<String>,
    pub sha256: Option<Vec<u8>>,
    pub items: Option<i64>,
    pub compliance_items: Option<i64>,
    pub evaluations: Option<i64>,
    /// The execution of Athena that read it for this collection.
    pub execution_id: Option<String>,
    /// How many are meant, where that was asked for; one more than [`COUNTED`] for more than that.
    pub total: Option<i64>,
}

/// What a collection's objects can be sorted on.
pub(super) const OBJECT_ORDERS: [Order; 12] = [
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
    Order { name: "query", expression: "coalesce(q.execution_id, '')", kind: Kind::Text },
    Order { name: "why", expression: "coalesce(x.reason, '')", kind: Kind::Text },
];

const OBJECT: &str = "o.object_id, x.outcome, x.reason, x.position_bytes, p.account_id, p.region, o.day, o.kind, o.key,
     o.taken_at, o.size_bytes, o.etag, o.version_id, o.sha256, o.items, o.compliance_items, o.evaluations, q.execution_id";

const OUTCOMES: &str = "object_outcome x join object o using (object_id) join place p using (place_id)
     left join athena_query q using (athena_query_id)";

/// A count is exact up to here; beyond it is "more than".
pub(super) const COUNTED: i64 = 1_000_000;

/// The objects that are meant, so many at most of a page; with `counted`, each says how many are meant.
pub(super) async fn objects(
    db: &mut PgConnection,
    which: &Which,
    page: &Keyset,
    most: i64,
    counted: bool,
) -> sqlx::Result<Vec<Keyed<ObjectRow>>> {
    let (value, id) = page.bounds();
    let condition = which.condition();
    let total = if counted {
        format!(
            "(select count(*) from (select from object_outcome x join object o using (object_id) where {condition}
                                    limit {COUNTED} + 1) counted)"
        )
    } else {
        "null::bigint".to_owned()
    };
    let columns = format!("{OBJECT}, {total} as total");
    sqlx::query_as(page.select(&columns, &format!("{OUTCOMES} where {condition}"), "x.object_id", "bigint"))
        .bind(value)
        .bind(id)
        .bind(most)
        .bind(which.collection_id)
        .bind(&which.outcome)
        .bind(&which.place_ids)
        .bind(which.day)
        .bind(which.query_id)
        .fetch_all(db)
        .await
}
