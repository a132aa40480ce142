//! Integration tests: the real program parts on a real Postgres.
//!
//! One module per feature. `harness::database()` gives a test its own migrated, empty database.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod audit_log;
mod backup;
mod bucket;
mod collection;
mod collection_laws;
mod compliance;
mod database;
mod demo;
mod export;
mod harness;
mod jobs;
mod knowledge;
mod mail;
mod notices;
mod packs;
mod private;
mod reader;
mod sample;
mod sample_collected;
mod sample_counts;
mod schedule;
mod serve;
mod web;
