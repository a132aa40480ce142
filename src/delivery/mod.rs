//! What arrived of what was expected: gaps by cause, the organisation against what delivered, the calendar.

mod calendar;
mod core;
mod db;
mod found;
mod known;
mod lists;
pub mod page;
mod rows;
mod stopped;
