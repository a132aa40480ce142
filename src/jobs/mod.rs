//! Work that takes longer than a request: a queue in Postgres and its worker.
//!
//! A job is done at least once: a worker that dies loses its lease and another takes the job up again. So a job commits
//! its result and [`finish`] in one transaction; a worker that has lost its lease cannot.

mod db;
pub mod page;
mod worker;

use std::sync::{Arc, Mutex, PoisonError};

pub use db::{enqueue, find, finish};
pub use worker::{CarryOut, Pace, run_to_end, wake, work, work_with};

/// What kinds of work there are. The words are those of column `job.kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Making an audit pack.
    Pack,
}

impl Kind {
    /// The word in column `job.kind`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pack => "pack",
        }
    }

    fn of(word: &str) -> Option<Self> {
        [Self::Pack].into_iter().find(|kind| kind.word() == word)
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
    /// queued, running, done or failed.
    pub state: String,
    pub created_by: String,
    pub created_at: time::OffsetDateTime,
    pub finished_at: Option<time::OffsetDateTime>,
    pub attempts: i32,
    pub progress_done: i64,
    pub progress_total: i64,
    pub progress_unit: String,
    pub failure: Option<String>,
    /// Where the result is, e.g. a pack's id.
    pub result: Option<String>,
}

/// How far a job has come. Cheap to set from anywhere; the worker writes it a few times a second at most.
#[derive(Debug, Clone, Default)]
pub struct Progress(Arc<Mutex<Reached>>);

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
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = reached;
    }

    /// How far the job has come.
    pub fn reached(&self) -> Reached {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
