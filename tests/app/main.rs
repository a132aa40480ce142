//! Integration tests: the real program parts on a real Postgres.
//!
//! One module per feature. `harness::database()` gives a test its own migrated, empty database.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod artifact;
mod artifact_documents;
mod artifact_sync;
mod at_least;
mod athena;
mod athena_ended;
mod audit_log;
mod aws;
mod aws_unanswered;
mod backup;
mod bucket;
mod changes;
mod collection;
mod collection_faults;
mod collection_laws;
mod collection_model;
mod collection_program;
mod compliance;
mod conformance;
mod connect;
mod database;
mod definitions;
mod deliveries;
mod demo;
mod evaluations;
mod evidence_laws;
mod export;
mod harness;
mod jobs;
mod knowledge;
mod mail;
mod notices;
mod organizations;
mod pack_evidence;
mod packs;
mod pages;
mod portal;
mod private;
mod provenance;
mod queries;
mod reader;
mod reconcile;
mod reconcile_packs;
mod s3;
mod s3_unreached;
mod sample;
mod sample_collected;
mod sample_counts;
mod schedule;
mod scope_evidence;
mod scopes;
mod secrets;
mod serve;
mod site;
mod sorted_lists;
mod sorted_tables;
mod tables_of_delivery;
mod tables_of_overview;
mod tables_of_pages;
mod upgrade;
mod web;
mod world;
