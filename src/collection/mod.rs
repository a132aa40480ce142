//! Bringing evidence in: one run reads a source and writes the store.
//!
//! [`run`] lists a delivery bucket's folder, brings every place up to date that has something new, several places at a
//! time, and ends with the count [`ladder`]. What one place needs is committed together, so a run that is cut off loses
//! nothing and the next one finishes its work.

mod command;
mod copy;
pub mod day;
mod db;
pub mod files;
mod gather;
mod history;
mod history_db;
mod ids;
mod inferred;
pub mod ladder;
mod names;
pub mod page;
mod place;
mod plan;
mod presence_db;
mod progress;
mod read_day;
mod recheck;
mod recount;
mod registry;
mod rollup;
mod rollup_db;
mod run;
mod run_db;
pub mod source;
pub mod splice;
mod store;
mod vocabulary;
mod witness;

pub(crate) use command::region;
pub use command::{CollectArgs, command};
pub use ladder::Ladder;
pub use progress::Progress;
pub use run::{Cancelled, Options, Outcome, run};
