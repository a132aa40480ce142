//! A collection's queries of Athena, for its page.

use sqlx::{FromRow, PgConnection};
use time::{Date, OffsetDateTime};

pub(super) use crate::collection::athena::usd;
use crate::web::format;

/// Parameters of a query that its page shows.
const PARAMETERS_SHOWN: usize = 200;

/// One attempt at a question.
#[derive(Debug, FromRow)]
pub(super) struct QueryRow {
    pub athena_query_id: i64,
    pub collection_id: i64,
    pub taken_up_by: Option<i64>,
    pub question: String,
    pub day: Date,
    pub attempt: i32,
    pub sql: String,
    pub parameters: Vec<String>,
    pub workgroup: String,
    pub database_name: String,
    pub objects: i64,
    pub execution_id: Option<String>,
    pub state: String,
    pub reason: Option<String>,
    pub submitted_at: Option<OffsetDateTime>,
    pub completed_at: Option<OffsetDateTime>,
    pub bytes_scanned: Option<i64>,
    pub price_billionths: Option<i64>,
    pub result_rows: Option<i64>,
    pub result_location: Option<String>,
    pub engine_version: Option<String>,
}

impl QueryRow {
    /// "17 Nov 2026 06:00:01 UTC to 17 Nov 2026 06:00:09 UTC".
    pub(super) fn times(&self) -> String {
        let at = |at: Option<OffsetDateTime>| at.map_or_else(|| "not yet".to_owned(), format::at);
        format!("{} to {}", at(self.submitted_at), at(self.completed_at))
    }

    pub(super) fn state_words(&self) -> String {
        let taken = self.taken_up_by.filter(|by| *by != self.collection_id);
        let taken = taken.map_or_else(String::new, |by| format!(", result read by collection {by}"));
        match &self.reason {
            Some(reason) => format!("{}{taken}: {reason}", self.state),
            None => format!("{}{taken}", self.state),
        }
    }

    pub(super) fn where_words(&self) -> String {
        let engine = self.engine_version.as_deref().unwrap_or("Athena");
        format!("{engine}, workgroup {}, database {}", self.workgroup, self.database_name)
    }

    pub(super) fn result_words(&self) -> String {
        match (&self.result_location, self.state.as_str()) {
            (Some(location), _) => location.clone(),
            (None, "SUCCEEDED") => "kept by the workgroup".to_owned(),
            (None, _) => "none".to_owned(),
        }
    }

    /// The first parameters; a query over many objects has as many more.
    pub(super) fn parameter_words(&self) -> String {
        let shown = self.parameters.iter().take(PARAMETERS_SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
        match self.parameters.len().saturating_sub(PARAMETERS_SHOWN) {
            0 => shown,
            more => format!("{shown} and {more} more"),
        }
    }

    pub(super) fn price(&self) -> String {
        self.price_billionths.map_or_else(|| "–".to_owned(), usd)
    }
}

const COLUMNS: &str = "athena_query_id, collection_id, taken_up_by, question, day, attempt, workgroup, database_name,
    objects::bigint as objects, execution_id, state, reason, submitted_at, completed_at, bytes_scanned, price_billionths,
    result_rows, result_location, engine_version";

/// The newest queries that a collection asked, or whose results it read; without their texts, which are long.
pub(super) async fn queries(db: &mut PgConnection, collection_id: i64, limit: i64) -> sqlx::Result<Vec<QueryRow>> {
    let statement = sqlx::AssertSqlSafe(format!(
        "select {COLUMNS}, '' as sql, '{{}}'::text[] as parameters
         from athena_query where collection_id = $1 or taken_up_by = $1 order by athena_query_id desc limit $2"
    ));
    sqlx::query_as(statement).bind(collection_id).bind(limit).fetch_all(db).await
}

/// One of them with its text.
pub(super) async fn query(db: &mut PgConnection, collection_id: i64, query_id: i64) -> sqlx::Result<Option<QueryRow>> {
    let statement = sqlx::AssertSqlSafe(format!(
        "select {COLUMNS}, sql, parameters from athena_query
         where (collection_id = $1 or taken_up_by = $1) and athena_query_id = $2"
    ));
    sqlx::query_as(statement).bind(collection_id).bind(query_id).fetch_optional(db).await
}
