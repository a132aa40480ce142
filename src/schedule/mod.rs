//! Scheduled collection: `serve` looks for deliveries on its own, every so often and whenever somebody asks.
//!
//! The schedule is a row that all programs of a database share, so each due time is met once. What is due becomes a
//! job of kind collect, of which at most one is queued or running.

mod core;
mod db;
mod job;
pub mod page;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio_util::sync::CancellationToken;

pub use job::{Asked, carry_out};

use crate::State;
use crate::artifact::ArtifactArgs;
use crate::audit_log::{ActorKind, Entry};
use crate::aws::AwsSettings;
use crate::clock::Clock;
use crate::collection::{self, AthenaSettings, CollectArgs, Engine, Location};
use crate::connect::Setup;
use crate::notices::NoticeArgs;
use crate::reconcile::AggregatorSettings;
use crate::settings::length;
use crate::{audit_log, jobs};

/// Settings of scheduled collection.
#[derive(Debug, Clone, clap::Args)]
pub struct ScheduleArgs {
    /// Where `serve` collects from, on its own or when somebody asks it to: as `collect --from`.
    #[arg(long, env = "AUDITFOLIO_COLLECT_FROM")]
    pub collect_from: Option<Location>,
    /// Account lists, as `collect --accounts`, separated by commas. A folder stands for all its .json files, looked for
    /// anew each time.
    #[arg(long, env = "AUDITFOLIO_COLLECT_ACCOUNTS", value_delimiter = ',')]
    pub collect_accounts: Vec<PathBuf>,
    /// Regions that should deliver, separated by commas: as `collect --regions`.
    #[arg(long, env = "AUDITFOLIO_COLLECT_REGIONS", value_delimiter = ',', value_parser = collection::region)]
    pub collect_regions: Vec<String>,
    /// How often to look for deliveries, e.g. 1h or 30m; a minute at least. Without it only when somebody asks.
    #[arg(long, env = "AUDITFOLIO_COLLECT_EVERY", value_parser = length)]
    pub collect_every: Option<Duration>,
    /// An object that unpacks to more bytes than this is not read.
    #[arg(long, env = "AUDITFOLIO_UNPACKED_LIMIT", default_value_t = collection::source::Limits::default().unpacked_bytes)]
    pub collect_unpacked_limit: u64,
    /// Known days of a bucket that are listed again, before its last whole listing: as `collect --relist-days`.
    #[arg(long, env = "AUDITFOLIO_RELIST_DAYS", default_value_t = collection::RELIST_DAYS)]
    pub collect_relist_days: u16,
    /// Read the accounts from AWS Organizations: as `collect --organizations`.
    #[arg(long, env = "AUDITFOLIO_ORGANIZATIONS")]
    pub collect_organizations: bool,
    /// Ask the accounts what their rules ask for: as `collect --rule-definitions`.
    #[arg(long, env = "AUDITFOLIO_RULE_DEFINITIONS")]
    pub collect_rule_definitions: bool,
    /// Who reads the objects of a bucket in S3: as `collect --engine`.
    #[arg(long, env = "AUDITFOLIO_ENGINE", value_enum, default_value_t)]
    pub collect_engine: Engine,
    #[command(flatten, next_help_heading = "Athena")]
    pub athena: AthenaSettings,
    #[command(flatten, next_help_heading = "Comparing with AWS")]
    pub aggregator: AggregatorSettings,
    #[command(flatten, next_help_heading = "Reaching AWS")]
    pub aws: AwsSettings,
}

impl ScheduleArgs {
    /// What the settings ask for; `None` where no source is set.
    pub fn collecting(&self, organization: &str, notices: &NoticeArgs) -> anyhow::Result<Option<Collecting>> {
        let Some(from) = self.collect_from.clone() else {
            if self.collect_every.is_some() {
                bail!("--collect-every needs to know where to look: add --collect-from");
            }
            return Ok(None);
        };
        if self.collect_every.is_some_and(|every| every < Duration::from_mins(1)) {
            bail!("--collect-every is shorter than a minute: AWS Config delivers every hour at most");
        }
        let source = CollectArgs {
            accounts: self.collect_accounts.clone(),
            regions: self.collect_regions.clone(),
            organizations: self.collect_organizations,
            relist_days: self.collect_relist_days,
            rule_definitions: self.collect_rule_definitions,
            unpacked_limit: self.collect_unpacked_limit,
            engine: self.collect_engine,
            athena: self.athena.clone(),
            aggregator: self.aggregator.clone(),
            aws: self.aws.clone(),
            notices: notices.clone(),
            ..CollectArgs::of(from)
        };
        Ok(Some(Collecting { organization: organization.to_owned(), source, every: self.collect_every }))
    }
}

/// What this program collects when it is asked to.
#[derive(Debug, Clone)]
pub struct Collecting {
    pub organization: String,
    pub source: CollectArgs,
    /// `None`: only when somebody asks.
    pub every: Option<Duration>,
}

impl Collecting {
    /// Refuses a job that is asked for another organisation: on one database there may be several, each with a program that
    /// reaches its own AWS.
    pub fn ensure_for(&self, organization: &str) -> anyhow::Result<()> {
        anyhow::ensure!(
            organization == self.organization,
            "it is asked for “{organization}”, and this program collects for “{}”",
            self.organization
        );
        Ok(())
    }

    /// Where it looks, in words.
    pub fn source_words(&self) -> String {
        self.source.from.to_string()
    }

    /// What of AWS it uses; Artifact is no part of collecting.
    pub fn setup(&self) -> Setup {
        let source = self.source.clone();
        let CollectArgs { from, organizations, rule_definitions, engine, athena, aggregator, aws, regions, .. } =
            source;
        let (artifact, secrets) = (ArtifactArgs::default(), Vec::new());
        Setup { from, organizations, rule_definitions, engine, aggregator, athena, artifact, aws, regions, secrets }
    }

    fn options(&self, asked: &Asked, clock: Clock) -> anyhow::Result<collection::Options> {
        let mut args = self.source.clone();
        args.accounts = account_lists(&args.accounts)?;
        let actor_kind = if asked.demo { ActorKind::Demo } else { ActorKind::System };
        Ok(collection::Options { actor_kind, clock, ..args.options(&self.organization, asked.by.clone()) })
    }
}

/// The files that are meant: a folder stands for its .json files, in the order of their names.
fn account_lists(paths: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            files.extend(json_files(path).with_context(|| format!("account lists in {}", path.display()))?);
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

fn json_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    let mut files: Vec<PathBuf> =
        entries.into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "json")).collect();
    files.sort();
    Ok(files)
}

/// Between two looks at the schedule: another program may have changed it.
const LOOK_EVERY: Duration = Duration::from_secs(15);

/// Keeps the schedule until `stop`. Does nothing where none is set.
pub async fn keep(state: State, stop: CancellationToken) {
    let Some((collecting, every)) =
        state.duties.collecting.as_ref().and_then(|collecting| Some((collecting, collecting.every?)))
    else {
        return;
    };
    let mut set = false;
    while !stop.is_cancelled() {
        let looked = async {
            if !set {
                db::set(&state.db, every, &collecting.source_words()).await?;
                set = true;
            }
            look(&state.db, &collecting.organization).await
        };
        let wait = match looked.await {
            Ok(wait) => wait.min(LOOK_EVERY),
            Err(error) => {
                tracing::warn!("the schedule of collections: {error:#}");
                LOOK_EVERY
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Puts a collection into the queue if one is due and none is queued or running; whoever comes to the row first does it
/// for all programs. Gives the time until the next one.
pub async fn look(db: &sqlx::PgPool, organization: &str) -> anyhow::Result<Duration> {
    let mut tx = db.begin().await?;
    let Some(due) = db::due(&mut tx).await? else {
        tx.commit().await?;
        return Ok(db::until_due(db).await?);
    };
    let asked = Asked { organization: organization.to_owned(), by: "schedule".to_owned(), demo: false };
    let mut enqueued = false;
    if jobs::unfinished_collection(&mut *tx).await?.is_none() {
        let job_id = jobs::enqueue(&mut tx, jobs::Kind::Collect, &serde_json::to_value(&asked)?, &asked.by).await?;
        audit_log::record(&mut tx, &Entry::by_system("schedule collection", format!("job {job_id}"))).await?;
        enqueued = true;
    }
    db::move_on(&mut tx, core::next_due(due.due_at, due.every(), due.now)).await?;
    tx.commit().await?;
    if enqueued {
        jobs::wake();
    }
    Ok(db::until_due(db).await?)
}
