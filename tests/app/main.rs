//! Integration tests: the real program parts on a real Postgres.
//!
//! One module per feature. `harness::database()` gives a test its own migrated, empty database.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod audit_log;
mod aws;
mod backup;
mod bucket;
mod collection;
mod collection_laws;
mod compliance;
mod database;
mod definitions;
mod demo;
mod export;
mod harness;
mod jobs;
mod knowledge;
mod organizations;
mod packs;
mod private;
mod reader;
mod s3;
mod sample;
mod sample_collected;
mod sample_counts;
mod scopes;
mod serve;
mod web;
