//! Audit packs: content, PDF, signature, store.
//!
//! The store gives a [`model`], [`content`] puts it into words and order, [`layout`] sets pages, [`pdf`] draws them,
//! [`sign`] signs the bytes, [`db`] keeps them. Everything between the store and the bytes is pure, so that the same
//! evidence, request and printed clock give the same bytes.

mod artifact;
pub mod asked;
pub mod bench;
pub mod build;
mod bundle;
pub mod command;
pub mod content;
pub mod csv;
pub mod db;
mod definitions;
pub mod facts;
pub mod finalise;
mod gather;
pub mod layout;
pub mod model;
pub mod names;
pub mod page;
pub mod pdf;
mod pseudonym;
mod pseudonym_db;
mod scope_set;
pub mod sign;
pub mod stage;
pub mod state;
pub mod verify;
mod zip;

pub use build::{BuildError, Request, Said, build};
