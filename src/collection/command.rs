//! `auditfolio collect`.

use std::path::PathBuf;
use std::process::ExitCode;

use time::Date;

use super::athena::{self, AthenaSettings, Engine, Spent};
use super::files::keys::is_region;
use super::location::Location;
use super::progress::Progress;
use super::run::{self, Options, Outcome};
use super::source::Limits;
use crate::aws::AwsSettings;
use crate::notices::{self, NoticeArgs};
use crate::reconcile::AggregatorSettings;
use crate::{State, audit_log};

/// AWS Config delivers late now and then, not weeks late.
pub const RELIST_DAYS: u16 = 7;

/// Brings the evidence of a delivery bucket into the store.
///
/// Exit status: 0 whole; 2 something is there that cannot be read, now or before; 1 it does not add up or could not run.
#[derive(Debug, Clone, clap::Args)]
pub struct CollectArgs {
    /// The delivery bucket, e.g. `s3://acme-config/o-abc123`, or a folder with its objects, under any prefix.
    #[arg(long)]
    pub from: Location,
    /// Account list as `aws organizations list-accounts` writes it; its day is in its name (accounts-2026-11-22.json) or
    /// its modification time. Can be given several times, one a day.
    #[arg(long)]
    pub accounts: Vec<PathBuf>,
    /// Read the accounts from AWS Organizations itself, with their organizational units and tags.
    #[arg(long, env = "AUDITFOLIO_ORGANIZATIONS")]
    pub organizations: bool,
    /// Regions that should deliver, separated by commas.
    #[arg(long, value_delimiter = ',', value_parser = region)]
    pub regions: Vec<String>,
    /// First day to look at, e.g. 2026-11-01.
    #[arg(long, value_parser = parse_day)]
    pub since: Option<Date>,
    /// Last day to look at.
    #[arg(long, value_parser = parse_day)]
    pub until: Option<Date>,
    /// Days before the last whole listing of a bucket that are listed again though they are known. Known days before them
    /// are listed with --since, --until or --recheck only; gaps always.
    #[arg(long, env = "AUDITFOLIO_RELIST_DAYS", default_value_t = RELIST_DAYS)]
    pub relist_days: u16,
    /// Hash collected objects again and report those that changed; read all unreadable ones again. Those whose bytes
    /// could not be reached, or that unpack to more than a limit since raised, are always read again.
    #[arg(long)]
    pub recheck: bool,
    /// Ask each expected account, in each of its Regions, what its rules ask for: parameters, scope, frequency.
    #[arg(long, env = "AUDITFOLIO_RULE_DEFINITIONS")]
    pub rule_definitions: bool,
    /// An object that unpacks to more bytes than this is not read.
    #[arg(long, env = "AUDITFOLIO_UNPACKED_LIMIT", default_value_t = Limits::default().unpacked_bytes)]
    pub unpacked_limit: u64,
    /// Who reads the objects of a bucket in S3.
    #[arg(long, env = "AUDITFOLIO_ENGINE", value_enum, default_value_t)]
    pub engine: Engine,
    #[command(flatten, next_help_heading = "Athena")]
    pub athena: AthenaSettings,
    #[command(flatten, next_help_heading = "Comparing with AWS")]
    pub aggregator: AggregatorSettings,
    #[command(flatten, next_help_heading = "Reaching AWS")]
    pub aws: AwsSettings,
    #[command(flatten, next_help_heading = "Notices")]
    pub notices: NoticeArgs,
}

impl CollectArgs {
    /// All of a source, as without any option.
    pub fn of(from: Location) -> Self {
        Self {
            from,
            accounts: Vec::new(),
            organizations: false,
            regions: Vec::new(),
            since: None,
            until: None,
            relist_days: RELIST_DAYS,
            recheck: false,
            rule_definitions: false,
            unpacked_limit: Limits::default().unpacked_bytes,
            engine: Engine::default(),
            athena: AthenaSettings::default(),
            aggregator: AggregatorSettings::default(),
            aws: AwsSettings::default(),
            notices: NoticeArgs::default(),
        }
    }

    /// What to collect, for an organisation and in somebody's name.
    pub fn options(&self, organization: &str, started_by: String) -> Options {
        Options {
            organization: organization.to_owned(),
            from: self.from.clone(),
            aws: self.aws.clone(),
            engine: self.engine,
            athena: self.athena.clone(),
            aggregator: self.aggregator.clone(),
            accounts: self.accounts.clone(),
            organizations: self.organizations,
            regions: self.regions.clone(),
            since: self.since,
            until: self.until,
            relist_days: self.relist_days,
            recheck: self.recheck,
            rule_definitions: self.rule_definitions,
            limits: Limits { unpacked_bytes: self.unpacked_limit, ..Limits::default() },
            started_by,
            ..Options::default()
        }
    }
}

/// Reads a day.
pub(crate) fn parse_day(text: &str) -> Result<Date, String> {
    Date::parse(text, time::macros::format_description!("[year]-[month]-[day]"))
        .map_err(|error| format!("is not a day like 2026-11-22: {error}"))
}

/// Reads the name of a Region.
pub(crate) fn region(text: &str) -> Result<String, String> {
    let text = text.trim();
    if is_region(text) { Ok(text.to_owned()) } else { Err("is not the name of a Region like eu-central-1".to_owned()) }
}

/// Runs the command.
pub async fn command(state: &State, organization: &str, args: &CollectArgs) -> anyhow::Result<ExitCode> {
    let options = args.options(organization, audit_log::operator());
    let progress = Progress::shown();
    let outcome = run::run(&state.db, &options, &progress).await;
    progress.end();
    notices::after_collection(state, &args.notices, organization, &outcome, &progress).await;
    let outcome = outcome?;
    print!("{}", report(&outcome));
    Ok(if outcome.ladder.whole() { ExitCode::SUCCESS } else { ExitCode::from(2) })
}

/// The count ladder and everything that could not be read, for a person.
pub(super) fn report(outcome: &Outcome) -> String {
    use std::fmt::Write as _;
    let ladder = &outcome.ladder;
    let mut text = String::new();
    let mut line = |args: std::fmt::Arguments<'_>| writeln!(text, "{args}").expect("writing to a string does not fail");
    line(format_args!("Collection {}", outcome.collection_id));
    for note in &outcome.notes {
        line(format_args!("  {note}"));
    }
    if let Some(why) = &ladder.accounts_unread {
        line(format_args!("  accounts not read, the last account list stands: {why}"));
    }
    line(format_args!("  objects listed {}", ladder.objects_listed));
    line(format_args!(
        "    seen before {}, collected {}, superseded {}, unreadable {}",
        ladder.objects_seen_before, ladder.objects_collected, ladder.objects_superseded, ladder.objects_unreadable
    ));
    if ladder.objects_unreached > 0 {
        line(format_args!("    not reached {}: the next collection tries them again", ladder.objects_unreached));
    }
    if ladder.objects_before_kept > 0 {
        line(format_args!(
            "    not read {}: of days before the first day kept, whose evidence was removed",
            ladder.objects_before_kept
        ));
    }
    if ladder.objects_outside_days > 0 {
        line(format_args!("    and {} of days that were not asked for", ladder.objects_outside_days));
    }
    if ladder.objects_still_unreadable > 0 {
        line(format_args!(
            "    and {} that could not be read before and are still there",
            ladder.objects_still_unreadable
        ));
    }
    for (reason, count) in &ladder.ignored {
        line(format_args!("  not evidence: {reason} {count}"));
    }
    line(format_args!("  evaluations read {}, stored {}", ladder.evaluations_read, ladder.evaluations_stored));
    for (reason, count) in &ladder.left_out {
        line(format_args!("    left out: {reason} {count}"));
    }
    if ladder.history_evaluations > 0 {
        line(format_args!(
            "  evaluations in history items {}, {} days inferred",
            ladder.history_evaluations, ladder.days_inferred
        ));
    }
    line(format_args!("  days of account-regions written {}", ladder.days_written));
    if let Some(read) = &ladder.definitions {
        line(format_args!(
            "  rule definitions: {} of {} account-Regions read, {} rules, {} new or changed, {} ended",
            read.read, read.places, read.rules, read.opened, read.closed
        ));
        for (cause, places) in &read.failed {
            line(format_args!("    not read: {cause} {places}"));
        }
    }
    if let Some(read) = &ladder.aggregator {
        line(format_args!("  aggregator {}: {}", read.aggregator, read.words()));
    }
    if let Some(spent) = &outcome.spent {
        line(format_args!("{}", spent_words(spent)));
    }
    for step in ladder.steps() {
        let (left, right) = (step.left, step.right);
        let closes = if step.closes() { "closes" } else { "DOES NOT CLOSE" };
        line(format_args!("  {}: {} {} = {} {}: {closes}", step.name, left.1, left.0, right.1, right.0));
    }
    let unreadable = outcome.unreadable.iter().chain(&ladder.still_unreadable).chain(&ladder.unreached);
    let problems = unreadable.chain(&ladder.malformed).chain(&ladder.unlisted).chain(&ladder.changed);
    let aggregator: Vec<(String, String)> = ladder
        .aggregator
        .iter()
        .filter_map(|read| Some((format!("aggregator {}", read.aggregator), read.failure.clone()?)))
        .collect();
    let problems = problems.chain(&aggregator).chain(ladder.definitions.iter().flat_map(|read| &read.failures));
    for (name, why) in ladder.skipped.iter().chain(problems) {
        line(format_args!("  {name}: {why}"));
    }
    text
}

/// What Athena's queries came to.
fn spent_words(spent: &Spent) -> String {
    format!(
        "  Athena: {} queries scanned {} bytes, price {}; this month {} bytes, {}",
        spent.queries,
        spent.bytes_scanned,
        athena::usd(spent.price_billionths),
        spent.month_bytes_scanned,
        athena::usd(spent.month_price_billionths)
    )
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Alone {
        #[command(flatten)]
        collect: CollectArgs,
    }

    #[test]
    fn a_bucket_on_the_command_line_is_no_folder() {
        let from = |text: &str| Alone::try_parse_from(["collect", "--from", text]).map(|args| args.collect.from).ok();
        let bucket = Location::Bucket { name: "acme-config".to_owned(), prefix: "o-abc/".to_owned() };
        assert_eq!(from("s3://acme-config/o-abc"), Some(bucket));
        assert_eq!(from("evidence"), Some(Location::Folder("evidence".into())));
        assert_eq!(from("s3://UPPER"), None);
    }
}
