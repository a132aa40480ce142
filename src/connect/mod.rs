//! Connecting an organisation: what Auditfolio must be allowed in AWS, as policies and templates, and a self-test.
//!
//! [`permissions`] is the one list that everything here is made of; [`setup`] says which settings there are. Pages show
//! what a job has tried: they never call AWS.

pub mod check;
pub mod cloudformation;
pub mod command;
mod db;
mod job;
pub mod page;
pub mod permissions;
pub mod policy;
pub mod setup;

pub use job::carry_out;
pub use setup::Setup;
