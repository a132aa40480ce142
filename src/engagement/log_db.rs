//! Of the audit log what both sides of an engagement see: sign-ins of its auditors and downloads in its room.

use sqlx::{FromRow, PgConnection, PgExecutor};
use time::OffsetDateTime;

use super::db;
use crate::people::{Role, User};
use crate::web::keyset::{Keyed, Keyset, Kind, Order};

/// An entry as both sides see it.
#[derive(Debug, Clone, FromRow)]
pub(super) struct Entry {
    pub audit_log_id: i64,
    pub at: OffsetDateTime,
    pub actor: String,
    pub act: String,
    pub object: String,
    /// The file that was downloaded, or the address of its rows.
    pub file: Option<String>,
    pub remote: Option<String>,
}

/// What the table can be sorted on.
pub(super) const ORDERS: [Order; 1] = [Order { name: "at", expression: "l.at", kind: Kind::Moment }];

/// Entries of an engagement, so many at most of a page.
pub(super) async fn list(
    db: &mut PgConnection,
    engagement_id: i64,
    page: &Keyset,
    most: i64,
) -> sqlx::Result<Vec<Keyed<Entry>>> {
    let (value, id) = page.bounds();
    let columns = "l.audit_log_id, l.at, l.actor, l.act, l.object,
         coalesce(l.detail ->> 'file', l.detail ->> 'address') as file, l.remote";
    let from = "audit_log l where audit_shown_in(l.act, l.detail) @> array[$4::text]";
    let statement = page.select(columns, from, "l.audit_log_id", "bigint");
    sqlx::query_as(statement).bind(value).bind(id).bind(most).bind(engagement_id.to_string()).fetch_all(db).await
}

pub(super) async fn count(db: &mut PgConnection, engagement_id: i64) -> sqlx::Result<i64> {
    sqlx::query_scalar("select count(*) from audit_log l where audit_shown_in(l.act, l.detail) @> array[$1::text]")
        .bind(engagement_id.to_string())
        .fetch_one(db)
        .await
}

/// The engagements that a sign-in is told in: those that an auditor is invited to.
pub async fn told_in(db: impl PgExecutor<'_>, user: &User) -> sqlx::Result<Vec<i64>> {
    if user.role != Role::Auditor {
        return Ok(Vec::new());
    }
    Ok(db::rooms_of(db, user).await?.into_iter().map(|(id, _)| id).collect())
}
