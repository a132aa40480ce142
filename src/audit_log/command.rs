//! `auditfolio audit`: the log's checkpoint, its lines, and whether it is whole.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use sqlx::PgPool;

use super::chain::{self, Checkpoint, Linked};
use super::check::{Check, Checked, MOST_FAULTS};
use super::{Entry, chain_db, record_alone};
use crate::State;
use crate::database::read_only;

/// What to do with the audit log.
#[derive(Debug, Clone, Subcommand)]
pub enum AuditCommand {
    /// Say whether every entry is as it was written and follows the one before, and name what is not. Exit code 1 where anything is wrong.
    Verify(VerifyArgs),
    /// Print how far the log has come, as one line of JSON: kept elsewhere, it shows later whether the log up to there is the same.
    Checkpoint,
    /// Write the whole log to standard output as JSON lines, in the order of the chain.
    Export,
}

/// Arguments of `audit verify`.
#[derive(Debug, Clone, Args)]
pub struct VerifyArgs {
    /// A checkpoint to hold the log against: a file (of `audit checkpoint`, or from the ZIP beside a pack), or ENTRIES:HASH as a
    /// pack prints them; can be given more than once.
    #[arg(long = "checkpoint", value_name = "FILE")]
    pub checkpoints: Vec<String>,
}

/// Carries out `auditfolio audit`.
pub async fn command(command: &AuditCommand, state: &State) -> anyhow::Result<ExitCode> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let code = match command {
        AuditCommand::Verify(args) => {
            let checkpoints = args.checkpoints.iter().map(|given| read(given)).collect::<anyhow::Result<_>>()?;
            let checked = verify(&state.db, checkpoints).await?;
            writeln!(out, "{}", checked.report())?;
            if checked.whole() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        AuditCommand::Checkpoint => {
            writeln!(out, "{}", chain_db::checkpoint(&state.db, state.clock.now()).await?.json())?;
            ExitCode::SUCCESS
        }
        AuditCommand::Export => {
            record_alone(&state.db, &Entry::by_operator("export audit log", "")).await?;
            export(&state.db, &mut out).await?;
            ExitCode::SUCCESS
        }
    };
    out.flush()?;
    Ok(code)
}

/// A checkpoint as it is given, with the name that it is called by.
fn read(given: &str) -> anyhow::Result<(String, Checkpoint)> {
    let typed = given.split_once(':').is_some_and(|(entries, head)| entries.parse::<i64>().is_ok() && head.len() == 64);
    let text = if typed && !Path::new(given).exists() {
        given.to_owned()
    } else {
        std::fs::read_to_string(given).with_context(|| format!("reading {given}"))?
    };
    let checkpoint = Checkpoint::parse(&text).map_err(|why| anyhow::anyhow!("{given}: {why}"))?;
    Ok((given.to_owned(), checkpoint))
}

/// Reads the whole chain, as it is at one moment, and holds it against checkpoints; each has the name that it is called by.
pub async fn verify(db: &PgPool, checkpoints: Vec<(String, Checkpoint)>) -> anyhow::Result<Checked> {
    let mut tx = read_only(db).await?;
    let mut check = Check::new(checkpoints);
    loop {
        let links = chain_db::links_after(&mut tx, check.position()).await?;
        if links.is_empty() {
            break;
        }
        for linked in links {
            check.add(linked);
        }
    }
    let most = i64::try_from(MOST_FAULTS)?;
    let mut after = i64::MIN;
    loop {
        let unlinked = chain_db::unlinked_after(&mut *tx, after, most).await?;
        let Some(last) = unlinked.last() else { break };
        after = *last;
        for audit_log_id in unlinked {
            check.add_unlinked(audit_log_id);
        }
    }
    Ok(check.end())
}

/// Writes a line for each entry, in the order of the chain.
async fn export(db: &PgPool, out: &mut impl std::io::Write) -> anyhow::Result<()> {
    let mut tx = read_only(db).await?;
    let mut position = 0;
    loop {
        let links = chain_db::links_after(&mut tx, position).await?;
        let Some(last) = links.last() else { return Ok(()) };
        position = last.link.position;
        for Linked { link, entry } in links {
            let entry = entry.with_context(|| {
                format!("entry {} is gone: “auditfolio audit verify” names all that is wrong", link.audit_log_id)
            })?;
            writeln!(out, "{}", chain::line(&link, &entry))?;
        }
    }
}
