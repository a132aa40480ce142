//! What arrived of what was expected: gaps by cause, the organisation against what delivered, the calendar.

mod core;
mod db;
pub mod page;
mod rows;
mod stopped;
