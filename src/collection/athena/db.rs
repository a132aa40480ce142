//! Rows of queries.

use sqlx::{FromRow, PgConnection, PgPool};
use time::Date;

use crate::aws::athena::{Execution, Question};

/// What is asked, and where.
#[derive(Debug, Clone)]
pub(super) struct NewQuery<'a> {
    pub(super) collection_id: i64,
    pub(super) question: &'a str,
    pub(super) question_key: &'a str,
    pub(super) day: Date,
    pub(super) attempt: i32,
    pub(super) token: &'a str,
    pub(super) asked: Question<'a>,
    pub(super) marks: &'a [String],
    pub(super) objects: i32,
    pub(super) expected_bytes: u64,
}

/// A query that another collection left behind.
#[derive(Debug, Clone, FromRow)]
pub(super) struct OpenQuery {
    pub(super) athena_query_id: i64,
    pub(super) token: String,
    pub(super) sql: String,
    pub(super) parameters: Vec<String>,
    pub(super) workgroup: String,
    pub(super) database_name: String,
    pub(super) output: Option<String>,
    pub(super) marks: Vec<String>,
    pub(super) execution_id: Option<String>,
}

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// When a collection began, in microseconds since 1970.
pub(super) async fn begun_us(db: &PgPool, collection_id: i64) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "select (extract(epoch from started_at) * 1000000)::bigint from collection where collection_id = $1",
    )
    .bind(collection_id)
    .fetch_one(db)
    .await
}

/// Attempts at a question that this collection has made.
pub(super) async fn attempts(db: &PgPool, collection_id: i64, question_key: &str) -> sqlx::Result<i32> {
    sqlx::query_scalar(
        "select coalesce(max(attempt), 0) from athena_query where collection_id = $1 and question_key = $2",
    )
    .bind(collection_id)
    .bind(question_key)
    .fetch_one(db)
    .await
}

/// Writes a query down before it is started.
pub(super) async fn add(db: &PgPool, query: &NewQuery<'_>) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "insert into athena_query (collection_id, question, question_key, day, attempt, token, sql, parameters, workgroup,
                                   database_name, output, marks, objects, expected_bytes)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) returning athena_query_id",
    )
    .bind(query.collection_id)
    .bind(query.question)
    .bind(query.question_key)
    .bind(query.day)
    .bind(query.attempt)
    .bind(query.token)
    .bind(query.asked.sql)
    .bind(query.asked.parameters)
    .bind(query.asked.workgroup)
    .bind(query.asked.database)
    .bind(query.asked.output)
    .bind(query.marks)
    .bind(query.objects)
    .bind(number(query.expected_bytes))
    .fetch_one(db)
    .await
}

pub(super) async fn started(db: &PgPool, query_id: i64, execution_id: &str) -> sqlx::Result<()> {
    sqlx::query("update athena_query set execution_id = $2, state = 'QUEUED' where athena_query_id = $1")
        .bind(query_id)
        .bind(execution_id)
        .execute(db)
        .await?;
    Ok(())
}

/// Notes that a query was never started, and why.
pub(super) async fn not_started(db: &PgPool, query_id: i64, reason: &str) -> sqlx::Result<()> {
    sqlx::query("update athena_query set state = 'not started', reason = $2 where athena_query_id = $1")
        .bind(query_id)
        .bind(reason)
        .execute(db)
        .await?;
    Ok(())
}

/// Notes how a query stands; `price_billionths` once it has ended.
pub(super) async fn seen(
    db: &PgPool,
    query_id: i64,
    execution: &Execution,
    price_billionths: Option<u64>,
) -> sqlx::Result<()> {
    let reason = Some(execution.why.reason.as_str()).filter(|reason| !reason.is_empty());
    sqlx::query(
        "update athena_query set state = $2, reason = $3, submitted_at = $4, completed_at = $5, bytes_scanned = $6,
                price_billionths = $7, result_location = $8, engine_version = $9
         where athena_query_id = $1",
    )
    .bind(query_id)
    .bind(execution.state.word())
    .bind(reason)
    .bind(execution.submitted_at)
    .bind(execution.completed_at)
    .bind(number(execution.bytes_scanned))
    .bind(price_billionths.map(number))
    .bind(&execution.result)
    .bind(&execution.engine)
    .execute(db)
    .await?;
    Ok(())
}

/// Notes that all of a result is in the store.
pub(super) async fn read(db: &PgPool, query_id: i64, collection_id: i64, rows: u64) -> sqlx::Result<()> {
    sqlx::query(
        "update athena_query set read_at = clock_timestamp(), result_rows = $3,
                taken_up_by = nullif($2, collection_id)
         where athena_query_id = $1",
    )
    .bind(query_id)
    .bind(collection_id)
    .bind(number(rows))
    .execute(db)
    .await?;
    Ok(())
}

/// Queries that collections which no longer run left unread, about any of these objects.
pub(super) async fn left_behind(
    db: &PgPool,
    organization_id: i16,
    collection_id: i64,
    day: Option<Date>,
    marks: &[String],
) -> sqlx::Result<Vec<OpenQuery>> {
    sqlx::query_as(
        "select q.athena_query_id, q.token, q.sql, q.parameters, q.workgroup, q.database_name, q.output, q.marks,
                q.execution_id
         from athena_query q join collection c using (collection_id)
         where c.organization_id = $1 and c.state <> 'running' and q.collection_id <> $2
           and ($3::date is null or (q.day = $3 and q.marks && $4))
           and q.read_at is null and q.state in ('starting', 'QUEUED', 'RUNNING', 'SUCCEEDED')
         order by q.athena_query_id desc",
    )
    .bind(organization_id)
    .bind(collection_id)
    .bind(day)
    .bind(marks)
    .fetch_all(db)
    .await
}

/// Notes that a left query is given up.
pub(super) async fn given_up(db: &PgPool, query_id: i64, collection_id: i64, reason: &str) -> sqlx::Result<()> {
    sqlx::query(
        "update athena_query set reason = $3, taken_up_by = nullif($2, collection_id), read_at = clock_timestamp(),
                state = case when state = 'starting' then 'not started' when state = 'SUCCEEDED' then state
                             else 'CANCELLED' end
         where athena_query_id = $1",
    )
    .bind(query_id)
    .bind(collection_id)
    .bind(reason)
    .execute(db)
    .await?;
    Ok(())
}

/// Queries of this collection that may still run.
pub(super) async fn running(db: &PgPool, collection_id: i64) -> sqlx::Result<Vec<(i64, String)>> {
    sqlx::query_as(
        "select athena_query_id, execution_id from athena_query
         where collection_id = $1 and execution_id is not null and state in ('QUEUED', 'RUNNING')",
    )
    .bind(collection_id)
    .fetch_all(db)
    .await
}

/// What queries came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct Spent {
    pub queries: i64,
    pub bytes_scanned: i64,
    /// Billionths of the currency that the price is in.
    pub price_billionths: i64,
    /// The same of all queries of the month in which the collection began (UTC).
    pub month_queries: i64,
    pub month_bytes_scanned: i64,
    pub month_price_billionths: i64,
}

/// What a collection's queries came to, and those of its month.
pub(super) async fn spent(db: &mut PgConnection, organization_id: i16, collection_id: i64) -> sqlx::Result<Spent> {
    sqlx::query_as(
        "select count(*) filter (where own) as queries,
                coalesce(sum(bytes_scanned) filter (where own), 0)::bigint as bytes_scanned,
                coalesce(sum(price_billionths) filter (where own), 0)::bigint as price_billionths,
                count(*) filter (where in_month) as month_queries,
                coalesce(sum(bytes_scanned) filter (where in_month), 0)::bigint as month_bytes_scanned,
                coalesce(sum(price_billionths) filter (where in_month), 0)::bigint as month_price_billionths
         from (select q.bytes_scanned, q.price_billionths, q.collection_id = $2 as own,
                      date_trunc('month', q.created_at at time zone 'UTC')
                      = (select date_trunc('month', started_at at time zone 'UTC')
                         from collection where collection_id = $2) as in_month
               from athena_query q join collection c using (collection_id) where c.organization_id = $1) q",
    )
    .bind(organization_id)
    .bind(collection_id)
    .fetch_one(db)
    .await
}
