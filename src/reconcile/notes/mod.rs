//! AWS's notes on what fails under a rule in an account and Region: fetched by a job when somebody asks, shown beside
//! the evidence and no part of it.

mod db;
pub(crate) mod page;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

pub(crate) use self::db::{ResourceNote, of_resource};

use crate::State;
use crate::aws::config_aggregator::Noted;
use crate::aws::{Clients, Failure, Kind as FailureKind};
use crate::collection::CollectArgs;
use crate::jobs::{self, Ending, Job};
use crate::web::Address;

/// What was asked for; the payload of a job of kind notes. How AWS is reached is in the settings of the program that
/// does it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Asked {
    /// The organisation's name.
    pub(crate) organization: String,
    pub(crate) organization_id: i16,
    pub(crate) account_id: String,
    pub(crate) region: String,
    /// The rule's name as delivered.
    pub(crate) rule: String,
    #[serde(rename = "created_by")]
    pub(crate) by: String,
    /// Whether `by` is a demo identity.
    pub(crate) demo: bool,
}

/// The page of a rule in an account and Region, which shows the notes.
pub(crate) fn address((account_id, region): (&str, &str), rule: &str) -> String {
    Address::new("/results").with("account", account_id).with("region", region).with("rule", rule).to_string()
}

/// Carries out a job of kind notes; see [`jobs`].
pub(crate) async fn carry_out(state: State, job: Job) -> anyhow::Result<()> {
    let collecting = state.duties.collecting.as_ref().context("this program is not told how to reach AWS")?;
    let asked: Asked = serde_json::from_value(job.payload.clone()).context("reading which notes are asked for")?;
    collecting.ensure_for(&asked.organization)?;
    let notes = fetch(&collecting.source, &asked).await?;
    let aggregator = collecting.source.aggregator.aggregator.as_deref().unwrap_or_default();
    let mut tx = state.db.begin().await?;
    db::keep(&mut tx, &asked, job.claim.job_id, aggregator, &notes).await?;
    anyhow::ensure!(
        jobs::finish(&mut tx, job.claim, &address((&asked.account_id, &asked.region), &asked.rule)).await?,
        "another worker has taken the job up"
    );
    tx.commit().await?;
    Ok(())
}

/// Asks the aggregator; without one the account itself, through its member role.
async fn fetch(settings: &CollectArgs, asked: &Asked) -> anyhow::Result<Vec<Noted>> {
    let clients = Clients::load(&settings.aws).await.map_err(anyhow::Error::msg)?;
    let fetched = if let Some(name) = &settings.aggregator.aggregator {
        let region = settings.aggregator.aggregator_region.as_deref().unwrap_or(clients.region());
        let aggregator =
            clients.of_aggregator(settings.aggregator.aggregator_role.as_ref(), region).await.aggregator(name);
        aggregator.notes(&asked.rule, &asked.account_id, &asked.region).await
    } else {
        let member = clients.member(&asked.account_id).await.map_err(anyhow::Error::msg)?;
        let member =
            member.context("neither an aggregator nor a member role is set: give --aggregator or --aws-member-role")?;
        let place = format!("{} in account {}, Region {}", asked.rule, asked.account_id, asked.region);
        member.in_region(&asked.region).config_rules().notes(&asked.rule, &place).await
    };
    fetched.map_err(|failure| ended(&failure))
}

fn ended(failure: &Failure) -> anyhow::Error {
    match failure.kind {
        FailureKind::Throttled | FailureKind::ServerError | FailureKind::Transient => {
            Ending::Later(failure.to_string()).into()
        }
        _ => anyhow::Error::msg(failure.explained()),
    }
}
