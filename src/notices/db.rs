//! Notices as they are kept: opened, closed once, acknowledged once.

use sqlx::{FromRow, PgConnection};
use time::{Date, OffsetDateTime};

use super::core::{Closing, Open, Opening};
use super::kind::Kind;
use crate::web::keyset::{Keyed, Keyset, Kind as OrderKind, Order};

/// Space of the advisory locks around decisions.
const DECISION_LOCK: i32 = 0x6166_6e6f;

/// Waits until no other decision about the organisation is under way; held to the transaction's end.
pub(super) async fn lock(tx: &mut PgConnection, organization_id: i16) -> sqlx::Result<()> {
    sqlx::query("select pg_advisory_xact_lock($1, $2)")
        .bind(DECISION_LOCK)
        .bind(i32::from(organization_id))
        .execute(tx)
        .await?;
    Ok(())
}

/// The last collection that all causes were looked at after.
pub(super) async fn last_whole_decision(db: &mut PgConnection, organization_id: i16) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar("select max(collection_id) from notice_decision where organization_id = $1 and whole")
        .bind(organization_id)
        .fetch_one(db)
        .await
}

pub(super) async fn insert_decision(
    tx: &mut PgConnection,
    organization_id: i16,
    collection_id: Option<i64>,
    whole: bool,
    now: OffsetDateTime,
) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "insert into notice_decision (organization_id, collection_id, whole, decided_at) values ($1, $2, $3, $4)
         returning notice_decision_id",
    )
    .bind(organization_id)
    .bind(collection_id)
    .bind(whole)
    .bind(now)
    .fetch_one(tx)
    .await
}

pub(super) async fn open(
    tx: &mut PgConnection,
    organization_id: i16,
    (decision_id, as_of, now): (i64, Option<Date>, OffsetDateTime),
    opening: &Opening,
) -> sqlx::Result<()> {
    sqlx::query(
        "insert into notice (organization_id, kind, about, sentence, as_of_day, facts, opened_at, opened_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(organization_id)
    .bind(opening.kind.word())
    .bind(&opening.about)
    .bind(&opening.sentence)
    .bind(as_of)
    .bind(&opening.facts)
    .bind(now)
    .bind(decision_id)
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn close(
    tx: &mut PgConnection,
    decision_id: i64,
    now: OffsetDateTime,
    closing: &Closing,
) -> sqlx::Result<()> {
    sqlx::query(
        "update notice set closed_at = $2, closed_by = $3, closed_because = $4
         where notice_id = $1 and closed_at is null",
    )
    .bind(closing.notice_id)
    .bind(now)
    .bind(decision_id)
    .bind(closing.because)
    .execute(tx)
    .await?;
    Ok(())
}

#[derive(FromRow)]
struct OpenRow {
    notice_id: i64,
    kind: String,
    about: String,
    members: Vec<String>,
    as_of_day: Option<Date>,
}

/// All notices of the organisation that are open.
pub(super) async fn open_notices(db: &mut PgConnection, organization_id: i16) -> sqlx::Result<Vec<Open>> {
    let rows: Vec<OpenRow> = sqlx::query_as(
        "select notice_id, kind, about, as_of_day,
                array(select jsonb_array_elements_text(facts -> 'members')) as members
         from notice where organization_id = $1 and closed_at is null order by notice_id",
    )
    .bind(organization_id)
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            let kind = Kind::parse(&row.kind)
                .ok_or_else(|| sqlx::Error::Decode(format!("unknown kind of notice: {}", row.kind).into()))?;
            Ok(Open {
                notice_id: row.notice_id,
                kind,
                about: row.about,
                members: row.members.into_iter().collect(),
                as_of_day: row.as_of_day,
            })
        })
        .collect()
}

/// A notice as pages and digests show it.
#[derive(Debug, Clone, FromRow)]
pub(super) struct Notice {
    pub(super) notice_id: i64,
    pub(super) kind: String,
    pub(super) about: String,
    pub(super) sentence: String,
    pub(super) as_of_day: Option<Date>,
    pub(super) facts: serde_json::Value,
    pub(super) opened_at: OffsetDateTime,
    pub(super) opened_after: Option<i64>,
    pub(super) closed_at: Option<OffsetDateTime>,
    pub(super) closed_after: Option<i64>,
    pub(super) closed_because: Option<String>,
    pub(super) acknowledged_at: Option<OffsetDateTime>,
    pub(super) acknowledged_by: Option<String>,
}

/// The columns of [`Notice`].
const NOTICE: &str = "n.notice_id, n.kind, n.about, n.sentence, n.as_of_day, n.facts, n.opened_at,
     o.collection_id as opened_after, n.closed_at, c.collection_id as closed_after, n.closed_because,
     n.acknowledged_at, n.acknowledged_by";

const NOTICES: &str = "notice n
     join notice_decision o on o.notice_decision_id = n.opened_by
     left join notice_decision c on c.notice_decision_id = n.closed_by";

/// What the list of notices can be sorted on.
pub(super) const ORDERS: [Order; 6] = [
    // As index notice_list_idx has it.
    Order {
        name: "state",
        expression: "(case when n.closed_at is not null then 0 when n.acknowledged_at is not null then 1 else 2 end)::bigint",
        kind: OrderKind::Number,
    },
    Order { name: "notice", expression: "n.sentence", kind: OrderKind::Text },
    Order { name: "kind", expression: "n.kind", kind: OrderKind::Text },
    Order { name: "opened", expression: "n.opened_at", kind: OrderKind::Moment },
    // What is open or not acknowledged comes after every moment.
    Order { name: "closed", expression: "coalesce(n.closed_at, timestamptz '9999-12-31')", kind: OrderKind::Moment },
    Order {
        name: "acknowledged",
        expression: "coalesce(n.acknowledged_at, timestamptz '9999-12-31')",
        kind: OrderKind::Moment,
    },
];

/// Which notices a list shows.
#[derive(Debug, Clone, Default)]
pub(super) struct Which {
    pub(super) organization_id: i16,
    /// `Some(true)`: open ones.
    pub(super) open: Option<bool>,
    pub(super) kind: Option<String>,
    pub(super) acknowledged: Option<bool>,
}

/// The notices that are meant, so many at most of a page.
pub(super) async fn list(
    db: &mut PgConnection,
    which: &Which,
    page: &Keyset,
    most: i64,
) -> sqlx::Result<Vec<Keyed<Notice>>> {
    let (value, id) = page.bounds();
    let meant = format!(
        "{NOTICES} where n.organization_id = $4 and ($5::boolean is null or (n.closed_at is null) = $5)
           and ($6::text is null or n.kind = $6) and ($7::boolean is null or (n.acknowledged_at is not null) = $7)"
    );
    sqlx::query_as(page.select(NOTICE, &meant, "n.notice_id", "bigint"))
        .bind(value)
        .bind(id)
        .bind(most)
        .bind(which.organization_id)
        .bind(which.open)
        .bind(&which.kind)
        .bind(which.acknowledged)
        .fetch_all(db)
        .await
}

/// How many notices are meant.
pub(super) async fn count(db: &mut PgConnection, which: &Which) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "select count(*) from notice
         where organization_id = $1 and ($2::boolean is null or (closed_at is null) = $2)
           and ($3::text is null or kind = $3) and ($4::boolean is null or (acknowledged_at is not null) = $4)",
    )
    .bind(which.organization_id)
    .bind(which.open)
    .bind(&which.kind)
    .bind(which.acknowledged)
    .fetch_one(db)
    .await
}

pub(super) async fn find(db: &mut PgConnection, organization_id: i16, notice_id: i64) -> sqlx::Result<Option<Notice>> {
    let sql = format!("select {NOTICE} from {NOTICES} where n.organization_id = $1 and n.notice_id = $2");
    sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(organization_id).bind(notice_id).fetch_optional(db).await
}

/// Marks a notice as seen by somebody. False: there is none, or somebody did so before.
pub(super) async fn acknowledge(
    tx: &mut PgConnection,
    notice_id: i64,
    by: &str,
    now: OffsetDateTime,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "update notice set acknowledged_at = $2, acknowledged_by = $3
         where notice_id = $1 and acknowledged_at is null",
    )
    .bind(notice_id)
    .bind(now)
    .bind(by)
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(super) async fn insert_digest(tx: &mut PgConnection, decision_id: i64, message_id: &str) -> sqlx::Result<()> {
    sqlx::query("insert into notice_digest (notice_decision_id, message_id) values ($1, $2)")
        .bind(decision_id)
        .bind(message_id)
        .execute(tx)
        .await?;
    Ok(())
}

/// An e-mail to send.
#[derive(Debug, Clone, FromRow)]
pub(super) struct Digest {
    pub(super) message_id: String,
    pub(super) sent_at: Option<OffsetDateTime>,
    pub(super) collection_id: Option<i64>,
    pub(super) decided_at: OffsetDateTime,
}

pub(super) async fn digest(db: &mut PgConnection, decision_id: i64) -> sqlx::Result<Option<Digest>> {
    sqlx::query_as(
        "select message_id, sent_at, collection_id, decided_at
         from notice_digest join notice_decision using (notice_decision_id) where notice_decision_id = $1",
    )
    .bind(decision_id)
    .fetch_optional(db)
    .await
}

/// What a decision opened, and what it closed.
pub(super) async fn decided(db: &mut PgConnection, decision_id: i64) -> sqlx::Result<(Vec<Notice>, Vec<Notice>)> {
    let sql = |column| format!("select {NOTICE} from {NOTICES} where n.{column} = $1 order by n.notice_id");
    let opened = sqlx::query_as(sqlx::AssertSqlSafe(sql("opened_by"))).bind(decision_id).fetch_all(&mut *db).await?;
    let closed = sqlx::query_as(sqlx::AssertSqlSafe(sql("closed_by"))).bind(decision_id).fetch_all(db).await?;
    Ok((opened, closed))
}

pub(super) async fn sent(tx: &mut PgConnection, decision_id: i64, recipients: i32) -> sqlx::Result<()> {
    sqlx::query(
        "update notice_digest set sent_at = clock_timestamp(), recipients = $2
         where notice_decision_id = $1 and sent_at is null",
    )
    .bind(decision_id)
    .bind(recipients)
    .execute(tx)
    .await?;
    Ok(())
}
