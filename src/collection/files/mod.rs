//! Delivery-channel objects read straight from a folder.
//!
//! [`keys`] says what a name means, [`list`] finds the objects, [`read`] takes one apart.

pub mod keys;
mod list;
mod read;

pub use list::{Listing, list};
pub use read::read;
