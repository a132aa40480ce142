//! Expected accounts and Regions, and their life dates.

pub mod accounts;
mod core;
mod db;

pub use self::core::{Account, AccountList, BEGINNING, Days, Listing};
pub use accounts::AccountFile;
pub use db::{current, derive, take};
