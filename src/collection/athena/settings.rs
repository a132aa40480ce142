//! How Athena is asked.

use std::num::NonZeroU16;

use super::cost::Price;
use super::identifier::{Name, Workgroup};

/// Who reads a bucket's objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Engine {
    /// This program reads every object.
    #[default]
    Files,
    /// Amazon Athena reads the snapshots, and only what differs from the day before travels.
    Athena,
}

impl Engine {
    /// The word in column `collection.engine`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Athena => "athena",
        }
    }
}

/// How Athena is asked.
#[derive(Debug, Clone, clap::Args)]
pub struct AthenaSettings {
    /// Workgroup that the queries run in.
    #[arg(long = "athena-workgroup", env = "AUDITFOLIO_ATHENA_WORKGROUP", default_value = "primary")]
    pub workgroup: Workgroup,
    /// Database that the table of snapshots is in.
    #[arg(long = "athena-database", env = "AUDITFOLIO_ATHENA_DATABASE", default_value = "auditfolio")]
    pub database: Name,
    /// Table of snapshots, as `auditfolio aws ddl` makes it.
    #[arg(long = "athena-table", env = "AUDITFOLIO_ATHENA_TABLE", default_value = "config_snapshots")]
    pub table: Name,
    /// Where results go, e.g. `s3://acme-athena/auditfolio/` [default: where the workgroup puts them].
    #[arg(long = "athena-output", env = "AUDITFOLIO_ATHENA_OUTPUT", value_parser = output)]
    pub output: Option<String>,
    /// Accounts in one query.
    #[arg(long = "athena-batch", env = "AUDITFOLIO_ATHENA_BATCH", default_value = "50")]
    pub batch: NonZeroU16,
    /// Queries that run at a time.
    #[arg(long = "athena-queries", env = "AUDITFOLIO_ATHENA_QUERIES", default_value_t = 4,
        value_parser = clap::value_parser!(u8).range(1..=20))]
    pub queries: u8,
    /// Minutes that a query may take, waiting in Athena's queue included.
    #[arg(long = "athena-minutes", env = "AUDITFOLIO_ATHENA_MINUTES", default_value_t = 30,
        value_parser = clap::value_parser!(u16).range(1..=1_440))]
    pub minutes: u16,
    /// Price of a scanned terabyte in US dollars, to show what queries cost.
    #[arg(long = "athena-price-per-tb", env = "AUDITFOLIO_ATHENA_PRICE_PER_TB", default_value = "5")]
    pub price_per_tb: Price,
    /// Bytes that one collection may scan; it ends before a query that would go beyond [default: no limit].
    #[arg(long = "athena-limit-bytes", env = "AUDITFOLIO_ATHENA_LIMIT_BYTES")]
    pub limit_bytes: Option<u64>,
}

impl Default for AthenaSettings {
    fn default() -> Self {
        let name = |name: &str| name.parse().expect("it is a name");
        Self {
            workgroup: "primary".parse().expect("it is a workgroup's name"),
            database: name("auditfolio"),
            table: name("config_snapshots"),
            output: None,
            batch: NonZeroU16::new(50).expect("it is not zero"),
            queries: 4,
            minutes: 30,
            price_per_tb: "5".parse().expect("it is a price"),
            limit_bytes: None,
        }
    }
}

/// An address of S3 that ends in `/`.
fn output(text: &str) -> Result<String, String> {
    let address = text.strip_prefix("s3://").ok_or("it does not begin with s3://")?;
    let bucket = address.split('/').next().unwrap_or_default();
    if bucket.is_empty() {
        return Err("it names no bucket".to_owned());
    }
    Ok(if text.ends_with('/') { text.to_owned() } else { format!("{text}/") })
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Alone {
        #[command(flatten)]
        athena: AthenaSettings,
    }

    #[test]
    fn what_is_said_without_a_setting_is_the_default() {
        let parsed = Alone::parse_from(["auditfolio"]).athena;
        assert_eq!(format!("{parsed:?}"), format!("{:?}", AthenaSettings::default()));
    }

    #[test]
    fn results_go_to_a_folder_of_a_bucket() {
        assert_eq!(output("s3://acme/athena"), Ok("s3://acme/athena/".to_owned()));
        assert_eq!(output("s3://acme/"), Ok("s3://acme/".to_owned()));
        assert!(output("/athena").is_err());
        assert!(output("s3:///x").is_err());
    }
}
