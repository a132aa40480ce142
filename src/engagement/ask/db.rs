//! Requests as they are stored. Rooms read them in their own, confined transaction.

use sqlx::{FromRow, PgConnection, PgExecutor};
use time::{Date, OffsetDateTime};

use super::form::{Answer, Asked, Piece};

/// A request, without what happened to it.
#[derive(Debug, Clone, FromRow)]
pub(super) struct Request {
    pub engagement_request_id: i64,
    pub number: i32,
    pub title: String,
    pub wanted: String,
    pub due_day: Date,
    pub first_day: Option<Date>,
    pub last_day: Option<Date>,
    pub asked_by: String,
    pub asked_for: Option<String>,
    pub asked_at: OffsetDateTime,
}

/// What happened to a request, with the evidence where it is an answer.
#[derive(Debug, Clone, FromRow)]
pub(super) struct Row {
    pub engagement_request_id: i64,
    pub kind: String,
    pub reason: String,
    pub due_day: Option<Date>,
    pub made_by: String,
    pub made_at: OffsetDateTime,
    pub engagement_answer_id: Option<i64>,
    pub answer_kind: Option<String>,
    pub note: Option<String>,
    pub first_day: Option<Date>,
    pub last_day: Option<Date>,
    pub pack_id: Option<String>,
    pub artifact_file_id: Option<i64>,
    pub artifact_document_id: Option<i64>,
    pub file_name: Option<String>,
    pub core_name: Option<String>,
    pub status: Option<String>,
    pub job_id: Option<i64>,
    pub media_type: Option<String>,
    pub size_bytes: Option<i64>,
    pub sha256: Option<Vec<u8>>,
    pub known_at_collection: Option<i64>,
    pub rows: Option<i64>,
    pub frozen_at: Option<OffsetDateTime>,
    pub ended_by: Option<String>,
    pub ended_at: Option<OffsetDateTime>,
    pub end_reason: Option<String>,
}

/// The requests of an engagement in their order, or the one of a number.
pub(super) async fn requests(
    db: impl PgExecutor<'_>,
    engagement_id: i64,
    number: Option<i32>,
) -> sqlx::Result<Vec<Request>> {
    sqlx::query_as(
        "select engagement_request_id, number, title, wanted, due_day, first_day, last_day, asked_by, asked_for, asked_at
         from engagement_request where engagement_id = $1 and ($2::integer is null or number = $2) order by number limit 5000",
    )
    .bind(engagement_id)
    .bind(number)
    .fetch_all(db)
    .await
}

/// What happened to the requests of an engagement, or to one of them, in order.
pub(super) async fn events(
    db: impl PgExecutor<'_>,
    engagement_id: i64,
    request_id: Option<i64>,
) -> sqlx::Result<Vec<Row>> {
    sqlx::query_as(
        "select e.engagement_request_id, e.kind, e.reason, e.due_day, e.made_by, e.made_at, a.engagement_answer_id,
             a.kind as answer_kind, a.note, a.first_day, a.last_day, a.pack_id, a.artifact_file_id, a.artifact_document_id,
             a.file_name, a.core_name, a.status, a.job_id, d.media_type, d.size_bytes,
             coalesce(d.sha256, f.sha256) as sha256, f.known_at_collection, f.rows, f.frozen_at,
             n.ended_by, n.ended_at, n.reason as end_reason
         from engagement_request_event e
         join engagement_request r using (engagement_request_id)
         left join engagement_answer a using (engagement_request_event_id)
         left join engagement_answer_frozen f using (engagement_answer_id)
         left join engagement_answer_end n using (engagement_answer_id)
         left join artifact_document d using (artifact_document_id)
         where r.engagement_id = $1 and ($2::bigint is null or r.engagement_request_id = $2)
         order by e.engagement_request_event_id",
    )
    .bind(engagement_id)
    .bind(request_id)
    .fetch_all(db)
    .await
}

/// Makes requests of an engagement wait for each other until the transaction ends: numbers are without holes, and nothing
/// happens to a request that somebody else is changing.
pub(super) async fn lock(db: &mut PgConnection, engagement_id: i64) -> sqlx::Result<()> {
    sqlx::query("select from engagement where engagement_id = $1 for update").bind(engagement_id).execute(db).await?;
    Ok(())
}

/// Keeps a request and gives its number. Call it under [`lock`].
pub(super) async fn ask(db: &mut PgConnection, engagement_id: i64, asked: &Asked, asked_by: &str) -> sqlx::Result<i32> {
    sqlx::query_scalar(
        "insert into engagement_request (engagement_id, number, title, wanted, due_day, first_day, last_day, asked_by, asked_for)
         select $1, coalesce(max(number), 0) + 1, $2, $3, $4, $5, $6, $7, $8 from engagement_request where engagement_id = $1
         returning number",
    )
    .bind(engagement_id)
    .bind(&asked.title)
    .bind(&asked.wanted)
    .bind(asked.due_day)
    .bind(asked.days.map(|(first, _)| first))
    .bind(asked.days.map(|(_, last)| last))
    .bind(asked_by)
    .bind(&asked.asked_for)
    .fetch_one(db)
    .await
}

/// Keeps what happens to a request. Call it under [`lock`].
pub(super) async fn happen(
    db: &mut PgConnection,
    request_id: i64,
    (kind, reason, due_day): (&str, &str, Option<Date>),
    made_by: &str,
) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "insert into engagement_request_event (engagement_request_id, kind, reason, due_day, made_by)
         values ($1, $2, $3, $4, $5) returning engagement_request_event_id",
    )
    .bind(request_id)
    .bind(kind)
    .bind(reason)
    .bind(due_day)
    .bind(made_by)
    .fetch_one(db)
    .await
}

/// Where an answer's evidence lies: an uploaded document, or the terms and the job of a view.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Lies {
    pub document_id: Option<i64>,
    pub terms_id: Option<i64>,
    pub job_id: Option<i64>,
}

/// Number of the next answer: the job that freezes it names it, and it names the job.
pub(super) async fn next_answer(db: impl PgExecutor<'_>) -> sqlx::Result<i64> {
    sqlx::query_scalar("select nextval(pg_get_serial_sequence('engagement_answer', 'engagement_answer_id'))")
        .fetch_one(db)
        .await
}

pub(super) async fn answer(
    db: &mut PgConnection,
    (answer_id, event_id): (i64, i64),
    answer: &Answer,
    lies: Lies,
) -> sqlx::Result<()> {
    let (mut pack, mut report, mut name, mut rule, mut status) = (None, None, None, None, None);
    match &answer.piece {
        Piece::Note => {}
        Piece::File { name: of_file, .. } => name = Some(of_file),
        Piece::View(slice) => (rule, status) = (slice.core_name.as_ref(), slice.status.as_ref()),
        Piece::Pack(id) => pack = Some(id),
        Piece::Report(id) => report = Some(*id),
    }
    sqlx::query(
        "insert into engagement_answer (engagement_answer_id, engagement_request_event_id, kind, note, first_day, last_day,
             pack_id, artifact_file_id, artifact_document_id, file_name, engagement_terms_id, core_name, status, job_id)
         overriding system value values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
    )
    .bind(answer_id)
    .bind(event_id)
    .bind(answer.piece.word())
    .bind(&answer.note)
    .bind(answer.days.0)
    .bind(answer.days.1)
    .bind(pack)
    .bind(report)
    .bind(lies.document_id)
    .bind(name)
    .bind(lies.terms_id)
    .bind(rule)
    .bind(status)
    .bind(lies.job_id)
    .execute(db)
    .await?;
    Ok(())
}

/// A view that is to be frozen, or was.
#[derive(Debug, Clone, FromRow)]
pub(super) struct View {
    pub engagement_answer_id: i64,
    pub engagement_id: i64,
    pub number: i32,
    pub engagement_terms_id: i64,
    pub first_day: Date,
    pub core_name: Option<String>,
    pub status: Option<String>,
    pub known_at_collection: Option<i64>,
}

/// The view of an answer; `None` where there is no such answer, or it is no view.
pub(super) async fn view(db: impl PgExecutor<'_>, answer_id: i64) -> sqlx::Result<Option<View>> {
    sqlx::query_as(
        "select a.engagement_answer_id, r.engagement_id, r.number, a.engagement_terms_id, a.first_day, a.core_name, a.status,
             f.known_at_collection
         from engagement_answer a join engagement_request_event e using (engagement_request_event_id)
         join engagement_request r using (engagement_request_id)
         left join engagement_answer_frozen f using (engagement_answer_id)
         where a.engagement_answer_id = $1 and a.kind = 'view'",
    )
    .bind(answer_id)
    .fetch_optional(db)
    .await
}

/// Keeps what was frozen: in the transaction that ends the job.
pub(super) async fn freeze(
    db: &mut PgConnection,
    answer_id: i64,
    known_at: i64,
    (rows, sha256): (i64, &[u8]),
) -> sqlx::Result<()> {
    sqlx::query(
        "insert into engagement_answer_frozen (engagement_answer_id, known_at_collection, rows, sha256) values ($1, $2, $3, $4)",
    )
    .bind(answer_id)
    .bind(known_at)
    .bind(rows)
    .bind(sha256)
    .execute(db)
    .await?;
    Ok(())
}

/// Withdraws a file; false where it was withdrawn before, or is none of the engagement's.
pub(super) async fn end(
    db: &mut PgConnection,
    (engagement_id, answer_id): (i64, i64),
    reason: &str,
    ended_by: &str,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "insert into engagement_answer_end (engagement_answer_id, reason, ended_by)
         select a.engagement_answer_id, $3, $4 from engagement_answer a
         join engagement_request_event e using (engagement_request_event_id)
         join engagement_request r using (engagement_request_id)
         where r.engagement_id = $1 and a.engagement_answer_id = $2 and a.kind = 'file'
         on conflict (engagement_answer_id) do nothing",
    )
    .bind(engagement_id)
    .bind(answer_id)
    .bind(reason)
    .bind(ended_by)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Packs that lie in the room of an engagement, with the days they speak of.
pub(super) async fn packs(
    db: impl PgExecutor<'_>,
    engagement_id: i64,
) -> sqlx::Result<Vec<(String, String, Date, Date)>> {
    sqlx::query_as(
        "select p.pack_id, p.title, p.from_day, p.as_of_day from engagement_pack s join pack p using (pack_id)
         where s.engagement_id = $1
             and not exists (select from engagement_pack_end e where e.engagement_pack_id = s.engagement_pack_id)
         order by s.engagement_pack_id desc limit 500",
    )
    .bind(engagement_id)
    .fetch_all(db)
    .await
}
