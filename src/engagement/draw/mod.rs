//! Samples: an auditor names a day, a size and a seed, and gets rows that anybody can draw again from the same population.

pub(super) mod core;
mod db;
pub(super) mod form;
pub(super) mod job;
pub(super) mod page;

pub(crate) use self::job::carry_out;
