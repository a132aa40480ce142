//! Work that takes longer than a request: a queue in Postgres and its worker.
//!
//! A job is done at least once: a worker that dies loses its lease and another takes the job up again. So a job commits
//! its result and [`finish`] in one transaction; a worker that has lost its lease cannot.

mod core;
mod db;
pub mod page;
mod worker;

use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

pub use db::{enqueue, find, finish, is_one_at_a_time, say_result, unfinished_collection};
pub use worker::{CarryOut, Pace, run_to_end, wake, work, work_with};

/// What kinds of work there are. The words are those of column `job.kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Making an audit pack.
    Pack,
    /// Looking for deliveries and collecting them; at most one is queued or running.
    Collect,
    /// Sending the e-mail that tells of notices.
    Digest,
    /// Trying the permissions in AWS.
    Check,
    /// Fetching AWS's notes on what fails under a rule in an account and Region.
    Notes,
    /// Reading AWS's reports and agreements from Artifact.
    Artifact,
    /// Fetching a report's terms, or the report, from Artifact.
    Document,
    /// Removing evidence that is older than the retention setting keeps; at most one of an organisation is queued or running.
    Retain,
    /// Drawing a sample in the room of an engagement.
    Sample,
    /// Freezing a view that a request of an engagement is answered with.
    Freeze,
}

impl Kind {
    /// The word in column `job.kind`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pack => "pack",
            Self::Collect => "collect",
            Self::Digest => "digest",
            Self::Check => "check",
            Self::Notes => "notes",
            Self::Artifact => "artifact",
            Self::Document => "document",
            Self::Retain => "retain",
            Self::Sample => "sample",
            Self::Freeze => "freeze",
        }
    }

    pub const ALL: [Self; 10] = [
        Self::Pack,
        Self::Collect,
        Self::Digest,
        Self::Check,
        Self::Notes,
        Self::Artifact,
        Self::Document,
        Self::Retain,
        Self::Sample,
        Self::Freeze,
    ];

    /// Reads [`Self::word`].
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// What is being done, as a heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Pack => "Making a pack",
            Self::Collect => "Collecting deliveries",
            Self::Digest => "Sending the notices",
            Self::Check => "Testing the permissions in AWS",
            Self::Notes => "Fetching AWS’s notes",
            Self::Artifact => "Reading AWS Artifact",
            Self::Document => "Fetching a document of AWS’s",
            Self::Retain => "Removing old evidence",
            Self::Sample => "Drawing a sample",
            Self::Freeze => "Freezing a view",
        }
    }

    /// Whether a cancelled job of this kind ends by itself at its next safe point. The others are cut off: they commit
    /// nothing before their end.
    fn ends_by_itself(self) -> bool {
        matches!(self, Self::Collect | Self::Retain)
    }
}

/// A hold on a job: the number of the attempt tells it from earlier and later ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    pub job_id: i64,
    pub attempt: i32,
}

/// A job in hand.
#[derive(Debug, Clone)]
pub struct Job {
    pub claim: Claim,
    pub kind: Kind,
    pub payload: serde_json::Value,
    pub created_by: String,
}

/// Where a job stands, for pages and the command line.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Standing {
    pub job_id: i64,
    pub kind: String,
    /// queued, running, done, failed or cancelled.
    pub state: String,
    pub created_by: String,
    pub created_at: time::OffsetDateTime,
    /// When the latest attempt began.
    pub started_at: Option<time::OffsetDateTime>,
    pub finished_at: Option<time::OffsetDateTime>,
    pub attempts: i32,
    pub progress_done: i64,
    pub progress_total: i64,
    pub progress_unit: String,
    pub failure: Option<String>,
    /// Where the result is, e.g. a pack's id.
    pub result: Option<String>,
    /// When a job that failed is tried again by itself.
    pub not_before: Option<time::OffsetDateTime>,
    /// Who asked for its end.
    pub cancel_asked_by: Option<String>,
    /// The failed job that this one does again.
    pub retry_of: Option<i64>,
    /// The job that does this failed one again.
    pub retried_as: Option<i64>,
}

/// How a job ends other than done or failed for good. Any other error fails it.
#[derive(Debug, thiserror::Error)]
pub enum Ending {
    /// It was asked to stop and did.
    #[error("cancelled")]
    Cancelled,
    /// It failed, and another attempt may succeed: it waits and is tried again, up to a number of times.
    #[error("{0}")]
    Later(String),
}

/// How far a job has come, and whether it should stop. Cheap to use from anywhere; the worker writes it a few times a
/// second at most.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    reached: Arc<Mutex<Reached>>,
    cancelled: CancellationToken,
}

/// So many of so many units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reached {
    pub done: i64,
    pub total: i64,
    pub unit: &'static str,
}

impl Progress {
    /// Says how far the job has come, e.g. 12 of 500 pages.
    pub fn set(&self, done: usize, total: usize, unit: &'static str) {
        let count = |number| i64::try_from(number).unwrap_or(i64::MAX);
        let reached = Reached { done: count(done), total: count(total), unit };
        *self.reached.lock().unwrap_or_else(PoisonError::into_inner) = reached;
    }

    /// How far the job has come.
    pub fn reached(&self) -> Reached {
        *self.reached.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Cancelled when somebody asks for the job's end; a job that heeds it gives [`Ending::Cancelled`].
    pub fn cancelled(&self) -> &CancellationToken {
        &self.cancelled
    }
}
