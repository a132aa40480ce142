//! The log's page: entries that a filter leaves, found by indexes whatever the length of the log.

use sqlx::postgres::PgArguments;
use sqlx::query::QueryAs;
use sqlx::{AssertSqlSafe, PgConnection, Postgres};
use time::OffsetDateTime;

use super::acts::Kind;
use super::chain::{Link, Written};
use super::chain_db::{COLUMNS, Row};
use crate::web::keyset::{Keyed, Keyset, Kind as KeyKind, Order};

/// Of `audit_log l`: not what an auditor looked at and drew in a room that is not closed, which is the auditor's alone until
/// then or until it is published. That a sample's job ran tells of it too.
const SHOWN: &str = "(l.act not in ('view', 'ask for sample', 'draw sample')
     or coalesce(l.detail ->> 'engagement', substring(l.object from '^engagement ([0-9]+)$'), '') <> all (array(
         select t.engagement_id::text from engagement_terms t
         where t.closes_at > now()
           and not exists (select from engagement_terms later
               where later.engagement_id = t.engagement_id and later.engagement_terms_id > t.engagement_terms_id)
           and not exists (select from engagement_publication p where p.engagement_id = t.engagement_id))))
     and not (l.act in ('start job', 'finish job', 'fail job', 'end cancelled job') and l.detail ->> 'kind' = 'sample')";

/// Which entries are meant.
#[derive(Debug, Clone, Default)]
pub(super) struct Which {
    pub(super) actor: Option<String>,
    pub(super) kind: Option<Kind>,
    pub(super) act: Option<String>,
    pub(super) object: Option<String>,
    pub(super) from: Option<OffsetDateTime>,
    /// The first moment that is not meant any more.
    pub(super) before: Option<OffsetDateTime>,
}

impl Which {
    pub(super) fn all(&self) -> bool {
        let Self { actor, kind, act, object, from, before } = self;
        actor.is_none() && kind.is_none() && act.is_none() && object.is_none() && from.is_none() && before.is_none()
    }

    /// The conditions that are asked for, of `$4` to `$9`. Those that are not are left out, so that each filter has a plan
    /// of its own.
    fn conditions(&self) -> String {
        let other = self.kind == Some(Kind::Other);
        let conditions = [
            (self.actor.is_some(), "l.actor = $4"),
            (self.kind.is_some() && !other, "l.act = any($5)"),
            (other, "not l.act = any($5)"),
            (self.act.is_some(), "l.act = $6"),
            (self.object.is_some(), "l.object = $7"),
            (self.from.is_some(), "l.at >= $8"),
            (self.before.is_some(), "l.at < $9"),
        ];
        conditions.into_iter().filter(|(asked, _)| *asked).map(|(_, condition)| format!(" and {condition}")).collect()
    }

    fn bind<'q, T>(&'q self, query: QueryAs<'q, Postgres, T, PgArguments>) -> QueryAs<'q, Postgres, T, PgArguments> {
        query
            .bind(&self.actor)
            .bind(self.kind.map(Kind::acts))
            .bind(&self.act)
            .bind(&self.object)
            .bind(self.from)
            .bind(self.before)
    }
}

/// What the table can be sorted on.
pub(super) const ORDERS: [Order; 1] = [Order { name: "at", expression: "l.at", kind: KeyKind::Moment }];

/// An entry, and its link where it has one.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    pub(super) audit_log_id: i64,
    pub(super) entry: Written,
    pub(super) link: Option<Link>,
}

/// The entries that are meant, so many at most of a page.
pub(super) async fn list(
    db: &mut PgConnection,
    which: &Which,
    page: &Keyset,
    most: i64,
) -> sqlx::Result<Vec<Keyed<Shown>>> {
    let (value, id) = page.bounds();
    let from = format!(
        "audit_log l left join audit_chain c on c.audit_log_id = l.audit_log_id where {SHOWN}{}",
        which.conditions()
    );
    let query = sqlx::query_as::<_, Keyed<Row>>(page.select(COLUMNS, &from, "l.audit_log_id", "bigint"));
    let rows = which.bind(query.bind(value).bind(id).bind(most)).fetch_all(db).await?;
    Ok(rows.into_iter().filter_map(|Keyed { row, sort_key }| Some(Keyed { row: shown(row)?, sort_key })).collect())
}

/// One entry.
pub(super) async fn find(db: &mut PgConnection, audit_log_id: i64) -> sqlx::Result<Option<Shown>> {
    let statement = format!(
        "select {COLUMNS} from audit_log l left join audit_chain c on c.audit_log_id = l.audit_log_id
         where l.audit_log_id = $1 and {SHOWN}"
    );
    let row: Option<Row> = sqlx::query_as(AssertSqlSafe(statement)).bind(audit_log_id).fetch_optional(db).await?;
    Ok(row.and_then(shown))
}

fn shown(row: Row) -> Option<Shown> {
    let (audit_log_id, link, entry) = row.take_apart();
    entry.map(|entry| Shown { audit_log_id, entry, link })
}

/// Entries that are counted at most.
pub(super) const COUNTED: i64 = 10_000;

/// How many entries are meant; one more than [`COUNTED`] where there are more, so that the page of a long log need not read
/// it to its end.
pub(super) async fn count(db: &mut PgConnection, which: &Which) -> sqlx::Result<i64> {
    // Three arguments that only a page of the list has.
    let none = None::<String>;
    let statement = format!(
        "select count(*) from (select from audit_log l where {SHOWN}{} limit {COUNTED} + 1) counted",
        which.conditions()
    );
    let query = sqlx::query_as::<_, (i64,)>(AssertSqlSafe(statement)).bind(none.clone()).bind(none.clone()).bind(none);
    Ok(which.bind(query).fetch_one(db).await?.0)
}
