//! Requests of an engagement: auditors ask for evidence, the team answers it, and both see how it stands.

mod content;
mod core;
mod db;
mod demo;
mod form;
mod freeze;
mod give;
pub(super) mod page;
mod shown;
mod turn;

pub(super) use self::demo::sample;
pub(crate) use self::freeze::carry_out;
pub(super) use self::page::{Line, lines};
