//! States of packs: a pack is stored as a draft, and what happens to it afterwards stands beside it. Its bytes never change.

pub mod core;
pub mod db;

pub use self::core::{Course, Event, Standing, Step};
