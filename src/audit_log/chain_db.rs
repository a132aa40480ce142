//! The chain in Postgres: read in order, piece by piece.

use sqlx::{AssertSqlSafe, FromRow, PgConnection, PgExecutor};
use time::OffsetDateTime;

use super::chain::{Checkpoint, Link, Linked, Written};
use crate::web::format::hex;

/// Links that are read at once.
const LINKS: i64 = 5000;

/// A time as it is hashed; null where it is infinite or has more than four digits of a year.
macro_rules! utc {
    ($column:literal) => {
        concat!(
            "case when ",
            $column,
            " between '0001-01-01Z' and '9999-12-31Z' then to_char(",
            $column,
            " at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') end"
        )
    };
}

/// The columns of a [`Row`], of `audit_log l` and `audit_chain c`.
pub(super) const COLUMNS: &str = concat!(
    "c.link_position, c.previous, ",
    utc!("c.linked_at"),
    " as linked_at, c.linked_by, c.hash,
     coalesce(l.audit_log_id, c.audit_log_id) as audit_log_id, l.audit_log_id is not null as written, ",
    utc!("l.at"),
    " as at, l.actor, l.actor_kind, l.act, l.object, l.detail::text as detail, l.remote, l.request_id"
);

/// An entry with its link, either of which may be missing.
#[derive(Debug, Clone, FromRow)]
pub(super) struct Row {
    audit_log_id: i64,
    written: bool,
    link_position: Option<i64>,
    previous: Option<Vec<u8>>,
    linked_at: Option<String>,
    linked_by: Option<String>,
    hash: Option<Vec<u8>>,
    at: Option<String>,
    actor: Option<String>,
    actor_kind: Option<String>,
    act: Option<String>,
    object: Option<String>,
    detail: Option<String>,
    remote: Option<String>,
    request_id: Option<String>,
}

impl Row {
    pub(super) fn take_apart(self) -> (i64, Option<Link>, Option<Written>) {
        let text = Option::<String>::unwrap_or_default;
        let entry = self.written.then(|| Written {
            at: self.at,
            actor: text(self.actor),
            actor_kind: text(self.actor_kind),
            act: text(self.act),
            object: text(self.object),
            detail: text(self.detail),
            remote: self.remote,
            request_id: self.request_id,
        });
        let link = self.link_position.map(|position| Link {
            position,
            audit_log_id: self.audit_log_id,
            previous: self.previous.unwrap_or_default(),
            linked_at: self.linked_at,
            linked_by: text(self.linked_by),
            hash: self.hash.unwrap_or_default(),
        });
        (self.audit_log_id, link, entry)
    }
}

/// The links after a position, in order, so many that memory stays flat; none at the end.
pub(super) async fn links_after(db: &mut PgConnection, position: i64) -> sqlx::Result<Vec<Linked>> {
    let statement = format!(
        "select {COLUMNS} from (select * from audit_chain where link_position > $1 order by link_position limit $2) c
         left join audit_log l using (audit_log_id) order by c.link_position"
    );
    let rows: Vec<Row> = sqlx::query_as(AssertSqlSafe(statement)).bind(position).bind(LINKS).fetch_all(db).await?;
    let linked = rows.into_iter().map(Row::take_apart);
    Ok(linked.filter_map(|(_, link, entry)| link.map(|link| Linked { link, entry })).collect())
}

/// Entries after an id that have no link, so many at most.
pub(super) async fn unlinked_after(db: impl PgExecutor<'_>, audit_log_id: i64, most: i64) -> sqlx::Result<Vec<i64>> {
    sqlx::query_scalar(
        "select audit_log_id from audit_log l
         where audit_log_id > $1 and not exists (select from audit_chain c where c.audit_log_id = l.audit_log_id)
         order by audit_log_id limit $2",
    )
    .bind(audit_log_id)
    .bind(most)
    .fetch_all(db)
    .await
}

/// How far the log had come at a moment.
pub async fn checkpoint(db: impl PgExecutor<'_>, at: OffsetDateTime) -> sqlx::Result<Checkpoint> {
    newest(db, Some(at)).await
}

/// The newest checkpoint, or the newest of those up to a moment.
pub(super) async fn newest(db: impl PgExecutor<'_>, at: Option<OffsetDateTime>) -> sqlx::Result<Checkpoint> {
    let newest: Option<(i64, Vec<u8>, Option<String>)> = sqlx::query_as(concat!(
        "select link_position, hash, ",
        utc!("linked_at"),
        " from audit_chain where $1::timestamptz is null or linked_at <= $1 order by link_position desc limit 1"
    ))
    .bind(at)
    .fetch_optional(db)
    .await?;
    Ok(newest.map_or_else(Checkpoint::empty, |(entries, head, linked_at)| Checkpoint {
        entries,
        head: hex(&head),
        linked_at,
    }))
}
