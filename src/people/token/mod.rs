//! Tokens by which a program reads in somebody's name: personal, of a scope, for a time, shown once.
//!
//! What is decided is pure: [`core`] judges a token as it stands, [`reads`] says what of the portal tokens may ask for.

mod bearer;
mod core;
mod db;
mod form;
pub(super) mod page;
mod reads;

pub use self::bearer::{AsOf, Bearer, check, is_shown};
pub use self::core::Dead;
pub use self::reads::{Gives, Scope, what};
