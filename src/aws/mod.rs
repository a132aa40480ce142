//! The only place that knows the AWS SDK: clients come from here, and only our own types leave.
//!
//! [`AwsSettings`] says how to reach AWS, [`Clients`] makes a service's client with the right credentials, [`role`] names
//! the roles they assume, and [`failure`] turns every SDK error into ours. A service has a file of its own ([`s3`],
//! [`athena`], [`artifact`], [`organizations`], [`config_rules`], [`config_aggregator`], [`secrets`], [`sts`]).
//! Nothing here looks for credentials before the first client is asked for.

pub mod artifact;
pub mod athena;
mod clients;
pub mod config_aggregator;
pub mod config_rules;
pub mod failure;
mod fetch;
pub mod organizations;
mod paging;
pub mod role;
pub mod s3;
pub mod secrets;
mod settings;
pub mod sts;

pub use clients::Clients;
pub(crate) use clients::plain_connector;
pub use failure::{Failure, Kind};
pub use settings::AwsSettings;
