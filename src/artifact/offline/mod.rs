//! A Business Associate Addendum that was signed outside Artifact: recorded by hand, with its document.

pub(super) mod db;
mod form;
pub(super) mod page;
pub(super) mod sample;
