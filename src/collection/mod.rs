//! Bringing evidence in: one run reads a source and writes the store.
//!
//! [`run`] lists a delivery bucket, in S3 or as a folder, brings every place up to date that has something new, several places at a
//! time, and ends with the count [`ladder`]. What one place needs is committed together, so a run that is cut off loses
//! nothing and the next one finishes its work.

pub mod athena;
mod bucket;
mod command;
mod copy;
pub mod day;
mod day_patch;
mod db;
mod difference;
pub mod files;
mod gather;
mod history;
mod inferred;
pub mod ladder;
mod location;
mod open;
pub mod page;
mod place;
mod plan;
mod progress;
mod read_day;
mod recheck;
mod registry;
mod rollup;
mod run;
mod run_db;
mod settle;
pub mod source;
pub mod splice;
mod store;

pub use athena::{AthenaSettings, Engine};
pub(crate) use command::parse_day;
pub use command::{CollectArgs, command};
pub use ladder::Ladder;
pub use location::Location;
pub use progress::Progress;
pub use run::{Options, Outcome, run};
