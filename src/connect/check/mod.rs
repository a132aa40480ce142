//! The self-test: each permission is tried with a call that changes nothing, and the result names what is missing.

mod artifact;
mod config;
mod report;
mod run;

pub use report::{Missing, Outcome, Row, summary, works};
pub use run::run;
