//! Expected accounts and Regions, their life dates, and scope sets.

pub mod accounts;
mod core;
mod db;
mod live;
mod places;
mod reading;
pub mod scope;

pub use self::core::{Account, AccountList, BEGINNING, Days, Listing, Origin, Placement};
pub use accounts::AccountFile;
pub use db::{current, derive, listed, note_reading, take};
pub use live::read as read_organizations;
pub use places::{NamedPlace, places};
pub use reading::Listed;
