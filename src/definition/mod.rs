//! What AWS Config's rules ask for, account by account and Region by Region: parameters, scope, frequency, as history.
//!
//! Delivered files name a rule and nothing else of it. [`read`] asks each account through its member role, [`core`] tells
//! changes from what stayed, and whoever could not be asked has a state of its own: never "no parameters".

mod core;
mod db;
pub(crate) mod history_db;
mod outcome;
pub mod page;
mod parameters;
mod read;

pub use self::core::{Change, Definition, Variant, variants};
pub(crate) use self::core::{change_words, changes};
pub(crate) use self::page::{COLUMNS, cells};
pub(crate) use self::parameters::{PARAMETERS_KEYS, Parameters, ParametersPart, why};
pub use outcome::{Outcome, Unread};
pub use read::{Asked, Tally, read};
