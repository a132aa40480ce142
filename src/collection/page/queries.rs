//! What was asked of Athena on a collection's page: what it came to, the queries as a list, one with its text.

use std::sync::Arc;

use actix_web::HttpResponse;

use super::super::athena::Engine;
use super::athena::{self, QueryRow};
use super::db::CollectionRow;
use crate::State;
use crate::error::Error;
use crate::web::download::{Cell, Format, download};
use crate::web::list::{Field, List};
use crate::web::table::Table;
use crate::web::{Address, Visit};

/// The list in the address: its first row, and what orders it.
pub(super) const ID: &str = "queries";
pub(super) const SORT: &str = "queries-sort";
/// Queries on a page.
const SHOWN: usize = 50;

/// What Athena was asked.
#[derive(Default)]
pub(super) struct Asked {
    /// Those of the page, with their table; `None` where another engine collected.
    pub(super) list: Option<(Vec<QueryRow>, Table)>,
    /// The one that was asked for, with its text.
    pub(super) query: Option<QueryRow>,
    pub(super) spent: Sum,
    /// The page without the rows of other tables, to which a query's word is added.
    pub(super) base: Address,
}

/// What queries came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) queries: i64,
    pub(super) bytes_scanned: i64,
    /// Billionths of the currency that the price is in.
    pub(super) price_billionths: i64,
}

impl Asked {
    /// Where a query stands with its text and its objects.
    pub(super) fn href(&self, query: &QueryRow) -> String {
        self.base.with("query", query.word()).to_string() + "#query"
    }

    /// Whether there is nothing to show.
    pub(super) fn none(&self) -> bool {
        self.list.as_ref().is_none_or(|(_, table)| table.total == 0)
    }
}

/// What a collection's own queries came to; those of others whose results it read were paid for there.
fn sum(queries: &[QueryRow], collection_id: i64) -> Sum {
    let mut sum = Sum::default();
    for query in queries.iter().filter(|query| query.collection_id == collection_id) {
        sum.queries += 1;
        sum.bytes_scanned += query.bytes_scanned.unwrap_or_default();
        sum.price_billionths += query.price_billionths.unwrap_or_default();
    }
    sum
}

fn list() -> List<QueryRow> {
    let fields = vec![
        Field::text("Question", "question", |query: &QueryRow| query.question.as_str().into()),
        Field::text("Day", "day", |query: &QueryRow| query.day.into()).most_first(),
        Field::text("State", "state", |query| query.state.as_str().into()),
        Field::text("Began", "submitted", |query: &QueryRow| query.submitted_at.into()).most_first(),
        Field::text("Ended", "completed", |query: &QueryRow| query.completed_at.into()).most_first(),
        Field::number("Objects asked of", "objects", |query| query.objects.into()),
        Field::number("Bytes scanned", "bytes", |query| query.bytes_scanned.into()),
        Field::number("Price", "price", |query| query.price_billionths.into()),
        Field::number("Rows", "result-rows", |query| query.result_rows.into()),
    ];
    List::new(ID, SORT, SHOWN, fields)
}

/// Whether the rows that an address asks for are the queries.
pub(super) fn is_asked_for(address: &Address) -> bool {
    list().is_asked_for(address)
}

/// Loads them; `NotFound` where the address names a query that the collection has not.
pub(super) async fn load(
    state: &State,
    visit: &mut Visit,
    organization_id: i16,
    collection: &CollectionRow,
) -> Result<Asked, Error> {
    let wanted = visit.address.get("query").map(str::to_owned);
    if collection.engine != Engine::Athena.word() {
        return if wanted.is_some() { Err(Error::NotFound) } else { Ok(Asked::default()) };
    }
    let id = collection.collection_id;
    let key = visit.standing.key(organization_id, &format!("queries {id}"));
    let remembered: Option<Arc<Vec<QueryRow>>> =
        key.as_deref().filter(|_| wanted.is_none()).and_then(|key| state.memo.get(key));
    let queries = match remembered {
        Some(queries) => queries,
        None => Arc::new(athena::queries(&mut visit.read, id, wanted.as_deref()).await?),
    };
    let query = queries.iter().find(|query| query.sql.is_some()).cloned();
    if wanted.is_some() && query.is_none() {
        return Err(Error::NotFound);
    }
    let rows: Vec<&QueryRow> = queries.iter().collect();
    let (shown, table) = list().table(&visit.address, "Queries of Athena, the newest first unless sorted", rows)?;
    let asked = Asked {
        list: Some((shown.into_iter().cloned().collect(), table)),
        query,
        spent: sum(&queries, id),
        base: visit.address.start().without(&["query"]),
    };
    if let Some(key) = key.filter(|_| wanted.is_none()) {
        let weight = queries.iter().map(QueryRow::weight).sum();
        state.memo.put(key, queries, weight);
    }
    Ok(asked)
}

const COLUMNS: [&str; 21] = [
    "athena_query_id",
    "execution_id",
    "collection_id",
    "taken_up_by",
    "question",
    "day",
    "attempt",
    "state",
    "reason",
    "engine_version",
    "workgroup",
    "database",
    "submitted_at",
    "completed_at",
    "objects_asked_of",
    "bytes_scanned",
    "price_billionths",
    "result_rows",
    "result_location",
    "sql",
    "parameters",
];

/// Texts are read in pieces: one may be tens of kilobytes.
const PIECE: i64 = 50;

/// Every query with its text, the newest first. The parameters are a JSON array, one entry a `?` of the text.
pub(super) fn download_of(format: Format, mut visit: Visit, collection_id: i64) -> HttpResponse {
    download(format, &format!("collection-{collection_id}-queries"), &COLUMNS, move |mut rows| async move {
        let mut after = None;
        loop {
            let part = athena::with_texts(&mut visit.read, collection_id, after, PIECE).await?;
            let Some(last) = part.last() else { break };
            after = Some(last.athena_query_id);
            for query in part {
                let parameters = serde_json::Value::from(query.parameters.unwrap_or_default()).to_string();
                rows.push([
                    query.athena_query_id.into(),
                    query.execution_id.into(),
                    query.collection_id.into(),
                    query.taken_up_by.into(),
                    query.question.into(),
                    query.day.into(),
                    query.attempt.into(),
                    query.state.into(),
                    query.reason.into(),
                    query.engine_version.into(),
                    query.workgroup.into(),
                    query.database_name.into(),
                    query.submitted_at.into(),
                    query.completed_at.into(),
                    query.objects.into(),
                    query.bytes_scanned.into(),
                    query.price_billionths.into(),
                    query.result_rows.into(),
                    query.result_location.into(),
                    query.sql.into(),
                    Cell::Json(parameters),
                ])
                .await?;
            }
        }
        Ok(rows)
    })
}
