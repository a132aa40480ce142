//! Bringing evidence in: one run reads a source and writes the store.
//!
//! [`run`] lists a delivery bucket, in S3 or as a folder, brings every place up to date that has something new, several places at a
//! time, and ends with the count [`ladder`]. What one place needs is committed together, so a run that is cut off loses
//! nothing and the next one finishes its work.

mod all_places;
pub mod athena;
mod bucket;
mod command;
mod copy;
mod coverage;
pub mod day;
mod day_patch;
mod db;
mod difference;
pub mod files;
mod gather;
mod history;
mod history_db;
mod ids;
mod inferred;
pub mod ladder;
mod lists;
mod location;
mod names;
mod open;
pub mod page;
mod patience;
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
mod settle;
mod settle_db;
mod settled;
pub mod source;
pub mod splice;
mod standing;
mod store;
mod turns;
mod vocabulary;
mod witness;

pub use athena::{AthenaSettings, Engine};
pub use command::{CollectArgs, RELIST_DAYS, command};
pub(crate) use command::{parse_day, region};
pub use ladder::Ladder;
pub use location::Location;
pub use progress::Progress;
pub use run::{Cancelled, Options, Outcome, run};
pub(crate) use run_db::turn;
