//! A collection's queries of Athena, for its page: a list of them, and one with its text.

use sqlx::{AssertSqlSafe, FromRow, PgConnection};
use time::{Date, OffsetDateTime};

pub(super) use crate::collection::athena::usd;
use crate::web::format;

/// Parameters of a query that its page shows.
const PARAMETERS_SHOWN: usize = 200;

/// One attempt at a question.
#[derive(Debug, Clone, FromRow)]
pub(super) struct QueryRow {
    pub athena_query_id: i64,
    pub collection_id: i64,
    pub taken_up_by: Option<i64>,
    pub question: String,
    pub day: Date,
    pub attempt: i32,
    /// Of the one whose text was asked for.
    pub sql: Option<String>,
    pub parameters: Option<Vec<String>>,
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
    /// Its word in the address: the execution id, or its number where it was never started.
    pub(super) fn word(&self) -> String {
        self.execution_id.clone().unwrap_or_else(|| self.athena_query_id.to_string())
    }

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
        let all = self.parameters.as_deref().unwrap_or_default();
        let shown = all.iter().take(PARAMETERS_SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
        match all.len().saturating_sub(PARAMETERS_SHOWN) {
            0 => shown,
            more => format!("{shown} and {more} more"),
        }
    }

    pub(super) fn price(&self) -> String {
        self.price_billionths.map_or_else(|| "–".to_owned(), usd)
    }

    /// About how much memory it takes, without its text.
    pub(super) fn weight(&self) -> usize {
        let words = [&self.execution_id, &self.reason, &self.result_location, &self.engine_version];
        let words: usize = words.into_iter().flatten().map(String::len).sum();
        size_of::<Self>() + words + self.question.len() + self.workgroup.len() + self.database_name.len()
    }
}

const COLUMNS: &str = "athena_query_id, collection_id, taken_up_by, question, day, attempt, workgroup, database_name,
    objects::bigint as objects, execution_id, state, reason, submitted_at, completed_at, bytes_scanned, price_billionths,
    result_rows, result_location, engine_version";

/// Every query that a collection asked, or whose result it read, the newest first; of them one with its text, by its word
/// in the address.
pub(super) async fn queries(
    db: &mut PgConnection,
    collection_id: i64,
    with_text: Option<&str>,
) -> sqlx::Result<Vec<QueryRow>> {
    // One that was never started has no other word than its number. Texts are long: only the one that is shown is read.
    let statement = format!(
        "select {COLUMNS}, case when asked then sql end as sql, case when asked then parameters end as parameters
         from (select *, execution_id = $2 or athena_query_id::text = $2 as asked
               from athena_query where collection_id = $1 or taken_up_by = $1) q
         order by athena_query_id desc"
    );
    sqlx::query_as(AssertSqlSafe(statement)).bind(collection_id).bind(with_text).fetch_all(db).await
}

/// Of the queries of a collection those after one, the newest first and with their texts.
pub(super) async fn with_texts(
    db: &mut PgConnection,
    collection_id: i64,
    after: Option<i64>,
    most: i64,
) -> sqlx::Result<Vec<QueryRow>> {
    let statement = format!(
        "select {COLUMNS}, sql, parameters from athena_query
         where (collection_id = $1 or taken_up_by = $1) and ($2::bigint is null or athena_query_id < $2)
         order by athena_query_id desc limit $3"
    );
    sqlx::query_as(AssertSqlSafe(statement)).bind(collection_id).bind(after).bind(most).fetch_all(db).await
}
