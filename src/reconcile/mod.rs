//! What AWS Config's aggregator says beside what was delivered: the same results in two ways, and where they differ.
//!
//! The aggregator is read after a collection's places and kept as history; [`core`] compares it with the store's newest
//! day, rule by rule, and [`packs`] conformance pack by conformance pack. The aggregator says what is now, a day is a
//! snapshot: both times stand beside every difference.

mod compare;
mod compare_db;
mod core;
mod db;
pub(crate) mod notes;
mod packs;
pub mod page;
mod page_db;
mod read;
mod rows;
mod settings;

pub use self::core::Totals;
pub use read::{Asked, Tally, read};
pub use settings::AggregatorSettings;
