//! The engine that lets Amazon Athena read the snapshots.
//!
//! The listing of the bucket says which object speaks for a place's day, as it does for `files`. Then, day by day and for
//! many places at once, Athena is asked what those objects say otherwise than the objects of each place's own last known
//! day ([`ask`], `sql/changes_of_a_day.sql`); what it answers ([`answer`]) goes through the same writer as what `files`
//! reads. An object that Athena cannot read, or sees something in that needs a closer look, is read by `files` from S3.

mod answer;
mod ask;
mod batch;
mod cost;
mod csv;
mod db;
mod ddl;
mod end;
mod identifier;
mod life;
mod query;
mod session;
mod settings;
mod settle;
mod statement;

pub(super) use answer::Gone;
pub(super) use batch::collect;
pub use cost::Price;
pub(super) use cost::usd;
pub use db::Spent;
pub use ddl::{DdlArgs, command as ddl, table_statement};
pub(super) use session::Session;
pub use settings::{AthenaSettings, Engine};
