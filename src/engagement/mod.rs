//! Engagements: one audit each, and its room, which shows auditors a scope and a period between two moments and nothing else.
//!
//! Two walls stand around a room. The pages ask for its places alone (`compliance::scoped`), and Postgres shows them no other
//! row (row-level security, see the migration): a forgotten condition finds nothing.

mod ask;
mod confine;
mod core;
mod db;
mod demo;
mod draw;
mod form;
mod log;
mod log_db;
pub mod page;
mod role_db;
mod room;
mod shared;

pub(crate) use self::ask::carry_out as freeze;
pub use self::confine::{Room, confine, enter};
pub use self::core::{Change, Moment, Terms};
pub use self::db::{agreed, bind, not_closed, rooms_of};
pub use self::demo::sample;
pub(crate) use self::draw::carry_out;
pub use self::log_db::told_in;
pub use self::role_db::{READ, is_ready, make_ready};
