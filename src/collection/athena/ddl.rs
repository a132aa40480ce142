//! `auditfolio aws ddl`: the statement that makes Athena's table of snapshots.

use std::time::Duration;

use anyhow::Context as _;
use time::Date;
use time::macros::date;

use super::settings::AthenaSettings;
use super::statement;
use crate::aws::athena::{Question, State};
use crate::aws::{AwsSettings, Clients};
use crate::collection::location::Location;

/// Before AWS Config was there.
const FIRST_DAY: Date = date!(2014 - 01 - 01);
/// Looks at a statement that makes a table, before it is given up.
const MOST_LOOKS: u32 = 120;

/// Prints the statement that makes Athena's table of the delivery bucket's snapshots.
#[derive(Debug, clap::Args)]
pub struct DdlArgs {
    /// The delivery bucket with the prefix before `AWSLogs/`, e.g. `s3://acme-config/o-abc123`.
    #[arg(long)]
    pub from: Location,
    /// Regions that deliver, separated by commas [default: AWS's commercial Regions].
    #[arg(long, value_delimiter = ',')]
    pub regions: Vec<String>,
    /// First day that the table has.
    #[arg(long, value_parser = crate::collection::parse_day, default_value_t = FIRST_DAY)]
    pub first_day: Date,
    /// Make the table instead of only printing the statement. The database must be there.
    #[arg(long)]
    pub create: bool,
    #[command(flatten, next_help_heading = "Athena")]
    pub athena: AthenaSettings,
    #[command(flatten, next_help_heading = "Reaching AWS")]
    pub aws: AwsSettings,
}

/// The statement that makes the table of a delivery bucket's snapshots, without any Regions given of AWS's commercial ones.
/// Pure.
///
/// # Errors
///
/// Evidence is not in S3, or a name could end the quotes around it; in words for a person.
pub fn table_statement(from: &Location, athena: &AthenaSettings, regions: &[String]) -> Result<String, String> {
    since(FIRST_DAY, from, athena, regions)
}

fn since(first_day: Date, from: &Location, athena: &AthenaSettings, regions: &[String]) -> Result<String, String> {
    statement::create_table(&athena.database, &athena.table, &location(from)?, regions, first_day)
}

/// Runs the command.
pub async fn command(args: &DdlArgs) -> anyhow::Result<()> {
    let athena = &args.athena;
    let statement = since(args.first_day, &args.from, athena, &args.regions).map_err(anyhow::Error::msg)?;
    print!("{statement}");
    if args.create {
        create(args, &statement).await?;
        eprintln!("made the table {}.{}", athena.database, athena.table);
    }
    Ok(())
}

async fn create(args: &DdlArgs, statement: &str) -> anyhow::Result<()> {
    let client = Clients::load(&args.aws).await.map_err(anyhow::Error::msg)?.archive().await.athena();
    // Comments are for who reads the statement.
    let sql: String = statement.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join("\n");
    let question = Question {
        sql: &sql,
        parameters: &[],
        token: None,
        database: args.athena.database.as_ref(),
        workgroup: args.athena.workgroup.as_ref(),
        output: args.athena.output.as_deref(),
    };
    let execution_id = client.start(question).await?;
    for _ in 0..MOST_LOOKS {
        let execution = client.look(&execution_id).await?;
        match execution.state {
            State::Succeeded => return Ok(()),
            State::Failed | State::Cancelled => {
                anyhow::bail!("Athena did not make the table: {}", execution.why.reason)
            }
            State::Queued | State::Running => tokio::time::sleep(Duration::from_millis(500)).await,
        }
    }
    client.stop(&execution_id).await.context("the statement runs on")?;
    anyhow::bail!("Athena did not make the table in a minute: the statement was stopped")
}

/// The folder that holds accounts.
fn location(from: &Location) -> Result<String, String> {
    let Location::Bucket { name, prefix } = from else {
        return Err("Athena reads a bucket in S3: give --from s3://BUCKET/PREFIX".to_owned());
    };
    Ok(match prefix.find("AWSLogs/") {
        Some(at) => format!("s3://{name}/{}AWSLogs/", prefix.get(..at).unwrap_or_default()),
        None => format!("s3://{name}/{prefix}AWSLogs/"),
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

    use super::*;

    #[test]
    fn the_table_begins_where_the_accounts_are() {
        for (from, wanted) in [
            ("s3://acme", "s3://acme/AWSLogs/"),
            ("s3://acme/o-abc", "s3://acme/o-abc/AWSLogs/"),
            ("s3://acme/o-abc/AWSLogs/111122223333/", "s3://acme/o-abc/AWSLogs/"),
        ] {
            assert_eq!(location(&from.parse().unwrap()).unwrap(), wanted);
        }
        assert!(location(&"/folder".parse().unwrap()).is_err());
    }
}
