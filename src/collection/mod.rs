//! Bringing evidence in: one run reads a source and writes the store.

pub mod day;
pub mod files;
pub mod source;
pub mod splice;
