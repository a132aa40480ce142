//! `auditfolio retain`.

use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::pin::pin;
use std::time::Duration;

use anyhow::bail;
use time::Date;

use super::remove::{self, Asked, Done};
use super::remove_db::{Counts, TABLES};
use super::span::Retain;
use crate::State;
use crate::audit_log::{self, ActorKind};
use crate::jobs::{Progress, Reached};

/// Says what the retention setting would remove, by table; nothing is removed without --apply.
#[derive(Debug, Clone, clap::Args)]
pub struct RetainArgs {
    /// Remove it. What is removed cannot be brought back; packs that were issued stay.
    #[arg(long)]
    pub apply: bool,
}

/// Carries out `auditfolio retain`.
pub async fn command(args: &RetainArgs, retain: Retain, organization: &str, state: &State) -> anyhow::Result<()> {
    let Some(span) = retain.span() else {
        bail!("the retention setting is never, so nothing is removed: set --retain, e.g. to 7y");
    };
    let by = (audit_log::operator(), ActorKind::Operator);
    let asked = Asked::of(span, organization, state.clock.now().date(), by);
    if !args.apply {
        let (first_day, counts) = remove::count(&state.db, organization, asked.first_day).await?;
        print!("{}", would(&asked, first_day, &counts));
        return Ok(());
    }
    match shown(state, &asked).await? {
        None => println!("Nothing is older than {}: nothing was removed.", asked.setting),
        Some(done) => {
            println!("Evidence before {} was removed (removal {}).", done.first_day, done.retention_id);
            print!("{}", lines(|table| done.removed.get(table).copied()));
        }
    }
    Ok(())
}

/// Removes it; on a terminal a line says how far it has come.
async fn shown(state: &State, asked: &Asked) -> anyhow::Result<Option<Done>> {
    let progress = Progress::default();
    let mut removal = pin!(remove::remove(&state.db, asked, &progress));
    let terminal = std::io::stderr().is_terminal();
    let done = loop {
        tokio::select! {
            done = &mut removal => break done,
            () = tokio::time::sleep(SAY_EVERY), if terminal => {
                let Reached { done, total, unit } = progress.reached();
                eprint!("\r\u{1b}[K{done} of {total} {unit}");
            }
        }
    };
    if terminal {
        eprint!("\r\u{1b}[K");
    }
    done
}

/// How often a terminal is told.
const SAY_EVERY: Duration = Duration::from_millis(250);

/// What a removal would take away, for a person.
fn would(asked: &Asked, first_day: Date, counts: &Counts) -> String {
    if counts.is_empty() {
        return format!("Nothing is older than {}: nothing would be removed.\n", asked.setting);
    }
    let first_day_words = if first_day > asked.first_day {
        format!("{first_day}, which an earlier removal set")
    } else {
        first_day.to_string()
    };
    format!(
        "With --retain {} the first day kept is {first_day_words}. These rows would be removed; give --apply to do so:\n{}",
        asked.setting,
        lines(|table| counts.get(table).copied())
    )
}

fn lines(rows: impl Fn(&str) -> Option<i64>) -> String {
    let mut text = String::new();
    for table in TABLES {
        if let Some(rows) = rows(table).filter(|rows| *rows > 0) {
            writeln!(text, "  {table} {rows}").expect("writing to a string does not fail");
        }
    }
    text
}
