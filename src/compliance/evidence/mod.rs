//! The evidence in whole: every evaluation of a day or a period, every delivery, every object, as known at a collection.
//!
//! Exports, packs and downloads read here, so that they cannot disagree. Everything comes in batches of bounded size, in
//! the bytewise order of the text keys, and should be read in one [`crate::database::read_only`] transaction.

mod db;
mod deliveries;
mod deliveries_db;
pub mod export;
pub mod period;
mod period_db;
mod period_population;
mod population;
mod population_db;
mod presence;
mod presence_db;
mod scope;

pub use deliveries::{
    Account, Deliveries, Gap, NeverSeenPlace, Object, ObjectVersion, Objects, PlaceDay, PlaceDays, accounts,
    completeness_established, gaps, hex, never_seen,
};
pub use period::{Deviation, Ended, PeriodCounts};
pub use period_population::{PeriodBatch, PeriodPopulation, PeriodRow};
pub use population::{DayBatch, DayPopulation, DayRow, Place, Rule, StatusCounts, Totals, carried, totals};
pub use presence::{RuleLife, rule_lives};
pub use scope::{KnownAt, Scope, Unsettled};
