//! What happened to packs, as it is stored: never altered.

use sqlx::{FromRow, PgConnection, PgExecutor};
use time::OffsetDateTime;

use super::core::{Course, Courses, Event, Step};

#[derive(Debug, FromRow)]
struct Row {
    pack_event_id: i64,
    pack_id: String,
    kind: String,
    by_identity: String,
    by_role: Option<String>,
    demo: bool,
    note: Option<String>,
    other_pack_id: Option<String>,
    made_at: OffsetDateTime,
}

/// What happened to some packs.
pub async fn courses(db: impl PgExecutor<'_>, pack_ids: &[&str]) -> sqlx::Result<Courses> {
    let rows: Vec<Row> = sqlx::query_as(
        "select pack_event_id, pack_id, kind, by_identity, by_role, demo, note, other_pack_id, made_at
         from pack_event where pack_id = any($1) order by pack_event_id",
    )
    .bind(pack_ids)
    .fetch_all(db)
    .await?;
    let mut courses = Courses::new();
    for row in rows {
        let step = Step::parse(&row.kind)
            .ok_or_else(|| sqlx::Error::Decode(format!("unknown kind of event: {}", row.kind).into()))?;
        courses.entry(row.pack_id).or_default().0.push(Event {
            record: row.pack_event_id,
            step,
            by: row.by_identity,
            role: row.by_role,
            demo: row.demo,
            note: row.note,
            other: row.other_pack_id,
            at: row.made_at,
        });
    }
    Ok(courses)
}

/// What happened to one pack.
pub async fn course(db: impl PgExecutor<'_>, pack_id: &str) -> sqlx::Result<Course> {
    Ok(courses(db, &[pack_id]).await?.remove(pack_id).unwrap_or_default())
}

/// Holds a pack until the end of the transaction, so that nothing happens to it between a decision and its record; gives what
/// happened so far.
pub async fn hold(tx: &mut PgConnection, pack_id: &str) -> sqlx::Result<Course> {
    sqlx::query("select pg_advisory_xact_lock(hashtextextended('pack ' || $1, 0))")
        .bind(pack_id)
        .execute(&mut *tx)
        .await?;
    course(tx, pack_id).await
}

/// A step to be put on record.
#[derive(Debug, Clone, Copy)]
pub struct NewEvent<'a> {
    pub step: Step,
    pub by: &'a str,
    pub role: Option<&'a str>,
    pub demo: bool,
    pub note: Option<&'a str>,
    pub other: Option<&'a str>,
}

/// Puts a step on record; gives its number.
pub async fn add(tx: &mut PgConnection, pack_id: &str, new: &NewEvent<'_>) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "insert into pack_event (pack_id, kind, by_identity, by_role, demo, note, other_pack_id)
         values ($1, $2, $3, $4, $5, $6, $7) returning pack_event_id",
    )
    .bind(pack_id)
    .bind(new.step.word())
    .bind(new.by)
    .bind(new.role)
    .bind(new.demo)
    .bind(new.note)
    .bind(new.other)
    .fetch_one(tx)
    .await
}

/// What a pack was asked for with; `None` of one that was issued before it was kept.
pub async fn request(db: impl PgExecutor<'_>, pack_id: &str) -> sqlx::Result<Option<serde_json::Value>> {
    sqlx::query_scalar("select request from pack_request where pack_id = $1").bind(pack_id).fetch_optional(db).await
}

/// Keeps what a pack was asked for with.
pub async fn keep_request(tx: &mut PgConnection, pack_id: &str, request: &serde_json::Value) -> sqlx::Result<()> {
    sqlx::query("insert into pack_request (pack_id, request) values ($1, $2)")
        .bind(pack_id)
        .bind(request)
        .execute(tx)
        .await?;
    Ok(())
}

/// The newest job that makes the final pack of an approval, with its state.
pub async fn making(db: impl PgExecutor<'_>, approval: i64) -> sqlx::Result<Option<(i64, String)>> {
    sqlx::query_as(
        "select job_id, state from job where kind = 'pack' and (payload -> 'final_of' ->> 'approval')::bigint = $1
         order by job_id desc limit 1",
    )
    .bind(approval)
    .fetch_optional(db)
    .await
}

/// A download of a pack, as the audit log has it.
#[derive(Debug, Clone, FromRow)]
pub struct Download {
    pub at: OffsetDateTime,
    /// Who has it since.
    pub actor: String,
    pub file: String,
    /// The engagement in whose room it was.
    pub engagement_id: Option<i64>,
}

/// The newest downloads of a pack, and how many there are.
pub async fn downloads(db: &mut PgConnection, pack_id: &str, most: i64) -> sqlx::Result<(Vec<Download>, i64)> {
    let newest = sqlx::query_as(
        "select at, actor, coalesce(detail ->> 'file', '') as file, (detail ->> 'engagement')::bigint as engagement_id
         from audit_log where act = 'download pack' and object = $1 order by at desc, audit_log_id desc limit $2",
    )
    .bind(pack_id)
    .bind(most)
    .fetch_all(&mut *db)
    .await?;
    let all = sqlx::query_scalar("select count(*) from audit_log where act = 'download pack' and object = $1")
        .bind(pack_id)
        .fetch_one(db)
        .await?;
    Ok((newest, all))
}
