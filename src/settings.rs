//! The command line and every setting. Each value has a flag, an environment variable and a line of help.

use std::path::PathBuf;
use std::time::Duration;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::artifact::LETTER_MONTHS;
use crate::audit_log::command::AuditCommand;
use crate::audit_log::in_force::{InForce, in_force};
use crate::compliance::evidence::export::ExportArgs;
use crate::connect::command::{CheckArgs, PrintArgs};
use crate::database::backup::FileArgs;
use crate::demo::DemoArgs;
use crate::packs::build::{DEFAULT_CLASSIFICATION, classification};
use crate::packs::command::{PackArgs, VerifyArgs};
use crate::retention::{Retain, RetainArgs};
use crate::secret::Secret;
use crate::server::ServeArgs;
use crate::telemetry::LogSettings;

/// Compliance portal for AWS: Config rule results day by day, with audit packs.
#[derive(Debug, Parser)]
#[command(name = "auditfolio", version)]
pub struct Settings {
    #[command(flatten)]
    pub store: StoreSettings,
    #[command(flatten)]
    pub log: LogSettings,
    #[command(subcommand)]
    pub command: Command,
    /// What the command was given, in words, for the audit log.
    #[arg(skip)]
    pub in_force: InForce,
}

impl Settings {
    /// From the command line and the environment.
    pub fn read() -> Result<Self, clap::Error> {
        let mut command = Self::command();
        let matches = command.try_get_matches_from_mut(std::env::args_os())?;
        let settings = Self::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
        Ok(Self { in_force: in_force(&command, &matches), ..settings })
    }
}

/// Where the store is.
#[derive(Debug, Clone, clap::Args)]
pub struct StoreSettings {
    /// Postgres to use, e.g. `postgres://user@host/auditfolio?sslmode=verify-full`. Without it a private Postgres is started in the data folder.
    /// May be `secretsmanager:NAME-OR-ARN`: a secret that is such an address, or the JSON object that RDS keeps.
    #[arg(long, global = true, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<Secret>,
    /// Password for an address that has none, e.g. `secretsmanager:NAME-OR-ARN#password`. One that is kept in Secrets
    /// Manager is read again when the database refuses it.
    #[arg(long, global = true, env = "AUDITFOLIO_DATABASE_PASSWORD", hide_env_values = true)]
    pub database_password: Option<Secret>,
    /// Folder of the private Postgres and other local data [default: ~/.local/share/auditfolio, for root /var/lib/auditfolio].
    #[arg(long, global = true, env = "AUDITFOLIO_DATA")]
    pub data: Option<PathBuf>,
    /// Folder of PostgreSQL's programs (initdb, `pg_ctl`, postgres), instead of looking for them.
    #[arg(long, global = true, env = "AUDITFOLIO_POSTGRES_PROGRAMS")]
    pub postgres_programs: Option<PathBuf>,
    /// User that the private Postgres runs as when root starts it [default: postgres, else nobody].
    #[arg(long, global = true, env = "AUDITFOLIO_POSTGRES_USER")]
    pub postgres_user: Option<String>,
    /// Name of the organisation that commands work on.
    #[arg(long, global = true, env = "AUDITFOLIO_ORGANIZATION", default_value = "Organisation")]
    pub organization: String,
    /// Hours after midnight UTC until which a day may still receive deliveries; a pack of such a day says that it is open.
    #[arg(long, global = true, env = "AUDITFOLIO_GRACE_HOURS", default_value_t = 6, value_name = "HOURS",
          value_parser = clap::value_parser!(u16).range(0..=720))]
    pub grace_hours: u16,
    /// Months after a SOC report's end beyond which the days that a continued-operations letter addresses are named as
    /// such, on pages and in packs. It changes no gap and no addressed day.
    #[arg(long, global = true, env = "AUDITFOLIO_ARTIFACT_LETTER_MONTHS", default_value_t = LETTER_MONTHS,
          value_name = "MONTHS", value_parser = clap::value_parser!(u16).range(1..=60))]
    pub artifact_letter_months: u16,
    /// What packs are classified as where nobody says otherwise, on the cover and at the foot of each page: up to 60 characters.
    #[arg(long, global = true, env = "AUDITFOLIO_PACK_CLASSIFICATION", default_value = DEFAULT_CLASSIFICATION,
          value_name = "WORDS", value_parser = classification)]
    pub pack_classification: String,
    /// How long evidence is kept, in whole years, months or days: 7y, 36m, 400d, at least 90d; or never to remove any. `serve`
    /// removes what is older once a day, `retain` when it is asked to.
    #[arg(long, global = true, env = "AUDITFOLIO_RETAIN", default_value_t, value_name = "SPAN")]
    pub retain: Retain,
}

impl StoreSettings {
    /// The settings that may refer to secrets.
    pub fn secrets(&self) -> Vec<(&'static str, Option<&Secret>)> {
        vec![("--database-url", self.database_url.as_ref()), ("--database-password", self.database_password.as_ref())]
    }

    /// `grace_hours` as a time.
    pub fn grace(&self) -> time::Duration {
        time::Duration::hours(self.grace_hours.into())
    }
}

/// Reads a length of time: a whole number and s, m, h or d, e.g. 36h.
pub fn length(text: &str) -> Result<Duration, String> {
    let wanted = || format!("{text:?} is not a length of time like 90s, 30m, 36h or 2d");
    let unit = text.chars().last().ok_or_else(wanted)?;
    let seconds: u64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return Err(wanted()),
    };
    let number: u64 = text.strip_suffix(unit).and_then(|number| number.parse().ok()).ok_or_else(wanted)?;
    // Longer than ten years is a slip of the keyboard.
    match number.checked_mul(seconds) {
        Some(length @ 1..=315_360_000) => Ok(Duration::from_secs(length)),
        _ => Err(format!("{text:?} is not between a second and ten years")),
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Try Auditfolio on a sample organisation: makes it, collects it, makes a pack and serves the portal on this machine.
    Demo(DemoArgs),
    /// Make up an organisation in the layout and file shapes of AWS Config, with the true counts beside it.
    Sample(crate::sample::Options),
    /// Serve the portal until stopped.
    Serve(Box<ServeArgs>),
    /// Bring the evidence of a delivery bucket, in S3 or as a folder, into the store.
    Collect(Box<crate::collection::CollectArgs>),
    /// Bring in what AWS Artifact says of AWS: reports and agreements.
    Artifact {
        #[command(subcommand)]
        command: ArtifactCommand,
    },
    /// Set AWS up for Auditfolio.
    Aws {
        #[command(subcommand)]
        command: AwsCommand,
    },
    /// Get in without an identity provider.
    Admin {
        #[command(subcommand)]
        command: AdminCommand,
    },
    /// Bring the database's schema up to date.
    Migrate,
    /// Write the whole database to a new file.
    Backup(FileArgs),
    /// Read a backup into an empty database.
    Restore(FileArgs),
    /// Say what the retention setting would remove, or remove it.
    Retain(RetainArgs),
    /// Write the whole population of a day or a period to standard output.
    Export(ExportArgs),
    /// Make an audit pack, store it and write it to a file.
    Pack(PackArgs),
    /// Say whether a file is a pack of this installation, unchanged.
    Verify(VerifyArgs),
    /// Check the audit log, export it, or say how far it has come.
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// Measure the making of a PDF with so many rows, without a store.
    #[command(hide = true)]
    BenchPack { rows: usize },
}

/// How to get in without an identity provider.
#[derive(Debug, Subcommand)]
pub enum AdminCommand {
    /// Print a link that signs in an administrator, once and soon: for the first setup, and for when the provider is down.
    Link(crate::people::link::LinkArgs),
}

/// What to bring in of AWS Artifact.
#[derive(Debug, Subcommand)]
pub enum ArtifactCommand {
    /// Import what the AWS CLI wrote: aws artifact list-reports, list-report-versions, list-customer-agreements.
    Import(crate::artifact::command::ImportArgs),
    /// Read AWS's reports and the agreements of every account from Artifact itself.
    Sync(Box<crate::artifact::command::SyncArgs>),
}

/// What to set up in AWS.
#[derive(Debug, Subcommand)]
pub enum AwsCommand {
    /// Print the statement that makes Athena's table of the delivery bucket's snapshots, or make the table.
    Ddl(Box<crate::collection::athena::DdlArgs>),
    /// Print the least policy that the settings need.
    Policy(Box<PrintArgs>),
    /// Print the `CloudFormation` template of a role and what belongs to it.
    Cloudformation(Box<PrintArgs>),
    /// Try every permission that the settings need, and name what is missing.
    Check(Box<CheckArgs>),
}

impl Command {
    /// What is logged unless a setting says otherwise: people read what other commands print.
    pub fn default_log(&self) -> &'static str {
        match self {
            Self::Serve(_) => "warn,auditfolio=info",
            // Slow statements are for operators, not for who runs a command.
            _ => "warn,sqlx::query=error",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_is_a_number_and_a_unit() {
        let seconds = |text| length(text).map(|length| length.as_secs());
        assert_eq!(seconds("90s"), Ok(90));
        assert_eq!(seconds("36h"), Ok(36 * 3600));
        assert_eq!(seconds("2d"), Ok(2 * 86_400));
        for wrong in ["", "h", "36", "1.5h", "-1h", "0m", "1 h", "99999999999999999999h", "18446744073709551615d", "ü"]
        {
            assert!(length(wrong).is_err(), "{wrong}");
        }
    }
}
