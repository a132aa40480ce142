//! The list of jobs.

use sqlx::PgConnection;

use super::super::Standing;
use super::super::db::STANDING;
use crate::web::keyset::{Keyed, Keyset, Kind, Order};

/// Which jobs a list shows.
#[derive(Debug, Clone, Default)]
pub(super) struct Which {
    pub(super) state: Option<String>,
    pub(super) kind: Option<String>,
}

/// What the list of jobs can be sorted on.
pub(super) const ORDERS: [Order; 6] = [
    Order { name: "job", expression: "job_id", kind: Kind::Number },
    Order { name: "kind", expression: "kind", kind: Kind::Text },
    Order { name: "state", expression: "state", kind: Kind::Text },
    Order { name: "by", expression: "created_by", kind: Kind::Text },
    Order { name: "asked", expression: "created_at", kind: Kind::Moment },
    // Of one that has not begun nothing; of one that runs, the time until this page was read.
    Order {
        name: "took",
        expression: "(extract(epoch from coalesce(finished_at, now()) - coalesce(started_at, finished_at, now())) * 1000000)::bigint",
        kind: Kind::Number,
    },
];

/// The jobs that are meant, so many at most of a page.
pub(super) async fn list(
    db: &mut PgConnection,
    which: &Which,
    page: &Keyset,
    most: i64,
) -> sqlx::Result<Vec<Keyed<Standing>>> {
    let (value, id) = page.bounds();
    // What an auditor has drawn is the auditor's own: the room's pages say how that stands.
    let meant = "job where kind <> 'sample' and ($4::text is null or state = $4) and ($5::text is null or kind = $5)";
    sqlx::query_as(page.select(STANDING, meant, "job_id", "bigint"))
        .bind(value)
        .bind(id)
        .bind(most)
        .bind(&which.state)
        .bind(&which.kind)
        .fetch_all(db)
        .await
}

/// How many jobs are meant.
pub(super) async fn count(db: &mut PgConnection, which: &Which) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "select count(*) from job where kind <> 'sample' and ($1::text is null or state = $1) and ($2::text is null or kind = $2)",
    )
    .bind(&which.state)
    .bind(&which.kind)
    .fetch_one(db)
    .await
}
