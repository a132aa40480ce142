//! Athena: starts queries, says how they stand, gives their results page by page.

use aws_sdk_athena::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_athena::types::{
    AthenaError, ManagedQueryResultsConfiguration, QueryExecution, QueryExecutionContext, QueryExecutionState,
    QueryExecutionStatistics, ResultConfiguration,
};
use aws_sdk_s3::config::http::HttpResponse;
use time::OffsetDateTime;

use super::failure::{Asked, Failure};
use super::role::RoleArn;

const START: &str = "athena:StartQueryExecution";
const LOOK: &str = "athena:GetQueryExecution";
const STOP: &str = "athena:StopQueryExecution";
const RESULTS: &str = "athena:GetQueryResults";

/// Athena as some credentials see it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Athena {
    client: aws_sdk_athena::Client,
    role: Option<RoleArn>,
}

/// A query to start.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    pub sql: &'a str,
    /// Literals for the question marks in the statement's text: a text stands in its own quotes.
    pub parameters: &'a [String],
    /// Asking again with the same token gives the query that it started.
    pub token: Option<&'a str>,
    pub database: &'a str,
    pub workgroup: &'a str,
    /// `s3://…`; `None` where the workgroup says where results go.
    pub output: Option<&'a str>,
}

/// How a query stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Queued,
    Running,
    Succeeded,
    Failed,
    Cancelled,
}

impl State {
    /// AWS's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Queued => "QUEUED",
            Self::Running => "RUNNING",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
        }
    }

    pub fn ended(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

/// Why a query ended as it did: <https://docs.aws.amazon.com/athena/latest/ug/error-reference.html>.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Why {
    /// `StateChangeReason`; empty where there is none.
    pub reason: String,
    pub error_type: Option<i32>,
    pub retryable: bool,
}

/// What Athena says of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    pub state: State,
    pub why: Why,
    pub submitted_at: Option<OffsetDateTime>,
    pub completed_at: Option<OffsetDateTime>,
    pub bytes_scanned: u64,
    /// The result object, `s3://BUCKET/KEY`; `None` where the workgroup keeps results itself.
    pub result: Option<String>,
    pub engine: Option<String>,
}

/// Some rows of a result.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The first row of the first page is the header.
    pub rows: Vec<Vec<Option<String>>>,
    pub next: Option<String>,
}

impl Athena {
    pub(super) fn new(client: aws_sdk_athena::Client, role: Option<&RoleArn>) -> Self {
        Self { client, role: role.cloned() }
    }

    fn failure<E>(&self, error: &SdkError<E, HttpResponse>, action: &'static str, subject: &str) -> Failure
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        Failure::of_sdk(error, Asked { action, subject, role: self.role.as_ref() })
    }

    /// Starts a query; gives its id.
    ///
    /// <https://docs.aws.amazon.com/athena/latest/APIReference/API_StartQueryExecution.html>
    pub async fn start(&self, question: Question<'_>) -> Result<String, Failure> {
        let context = QueryExecutionContext::builder().database(question.database).build();
        let output = question.output.map(|output| ResultConfiguration::builder().output_location(output).build());
        let parameters = (!question.parameters.is_empty()).then(|| question.parameters.to_vec());
        let subject = format!("workgroup {}", question.workgroup);
        let answer = self
            .client
            .start_query_execution()
            .query_string(question.sql)
            .set_execution_parameters(parameters)
            .set_client_request_token(question.token.map(str::to_owned))
            .query_execution_context(context)
            .work_group(question.workgroup)
            .set_result_configuration(output)
            .send()
            .await
            .map_err(|error| self.failure(&error, START, &subject))?;
        answer.query_execution_id.ok_or_else(|| {
            let asked = Asked { action: START, subject: &subject, role: self.role.as_ref() };
            Failure::transient(asked, "the answer has no QueryExecutionId")
        })
    }

    /// How a query stands.
    ///
    /// <https://docs.aws.amazon.com/athena/latest/APIReference/API_GetQueryExecution.html>
    pub async fn look(&self, execution_id: &str) -> Result<Execution, Failure> {
        let subject = format!("query {execution_id}");
        let answer = self
            .client
            .get_query_execution()
            .query_execution_id(execution_id)
            .send()
            .await
            .map_err(|error| self.failure(&error, LOOK, &subject))?;
        answer.query_execution.as_ref().and_then(execution).ok_or_else(|| {
            let asked = Asked { action: LOOK, subject: &subject, role: self.role.as_ref() };
            Failure::transient(asked, "the answer does not say how the query stands")
        })
    }

    /// Stops a query; one that has ended stays as it is.
    pub async fn stop(&self, execution_id: &str) -> Result<(), Failure> {
        let call = self.client.stop_query_execution().query_execution_id(execution_id);
        let stopped = call.send().await;
        stopped.map(drop).map_err(|error| self.failure(&error, STOP, &format!("query {execution_id}")))
    }

    /// Rows of a result, from the page that `token` names on.
    ///
    /// <https://docs.aws.amazon.com/athena/latest/APIReference/API_GetQueryResults.html>
    pub async fn page(&self, execution_id: &str, token: Option<String>) -> Result<Page, Failure> {
        let call = self.client.get_query_results().query_execution_id(execution_id).set_next_token(token);
        let answer =
            call.send().await.map_err(|error| self.failure(&error, RESULTS, &format!("query {execution_id}")))?;
        let rows = answer.result_set.map(|set| set.rows.unwrap_or_default()).unwrap_or_default();
        let values = |row: aws_sdk_athena::types::Row| {
            row.data.unwrap_or_default().into_iter().map(|datum| datum.var_char_value).collect()
        };
        Ok(Page { rows: rows.into_iter().map(values).collect(), next: answer.next_token })
    }
}

fn execution(found: &QueryExecution) -> Option<Execution> {
    let status = found.status()?;
    let state = match status.state()? {
        QueryExecutionState::Queued => State::Queued,
        QueryExecutionState::Running => State::Running,
        QueryExecutionState::Succeeded => State::Succeeded,
        QueryExecutionState::Failed => State::Failed,
        QueryExecutionState::Cancelled => State::Cancelled,
        _ => return None,
    };
    let error = status.athena_error();
    let reason = status.state_change_reason().or_else(|| error.and_then(|error| error.error_message()));
    let at = |at: &aws_sdk_athena::primitives::DateTime| OffsetDateTime::from_unix_timestamp(at.secs()).ok();
    let scanned = found.statistics().and_then(QueryExecutionStatistics::data_scanned_in_bytes);
    let managed = found.managed_query_results_configuration().is_some_and(ManagedQueryResultsConfiguration::enabled);
    let result = found.result_configuration().and_then(|result| result.output_location());
    Some(Execution {
        state,
        why: Why {
            reason: reason.unwrap_or_default().to_owned(),
            error_type: error.and_then(AthenaError::error_type),
            retryable: error.is_some_and(AthenaError::retryable),
        },
        submitted_at: status.submission_date_time().and_then(at),
        completed_at: status.completion_date_time().and_then(at),
        bytes_scanned: scanned.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or_default(),
        result: result.filter(|_| !managed).map(str::to_owned),
        engine: found.engine_version().and_then(|engine| engine.effective_engine_version()).map(str::to_owned),
    })
}
