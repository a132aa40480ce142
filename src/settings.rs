//! The command line and every setting. Each value has a flag, an environment variable and a line of help.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use secrecy::SecretString;

/// Compliance portal for AWS: Config rule results day by day, with audit packs.
#[derive(Debug, Parser)]
#[command(name = "auditfolio", version)]
pub struct Settings {
    #[command(flatten)]
    pub store: StoreSettings,
    #[command(subcommand)]
    pub command: Command,
}

/// Where the store is.
#[derive(Debug, Clone, clap::Args)]
pub struct StoreSettings {
    /// Postgres to use, e.g. postgres://user@host/auditfolio. Without it a private Postgres is started in the data folder.
    #[arg(long, global = true, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<SecretString>,
    /// Folder of the private Postgres and other local data.
    #[arg(long, global = true, env = "AUDITFOLIO_DATA")]
    pub data: Option<PathBuf>,
    /// Name of the organisation that commands work on.
    #[arg(
        long,
        global = true,
        env = "AUDITFOLIO_ORGANIZATION",
        default_value = "Organisation"
    )]
    pub organization: String,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {}
