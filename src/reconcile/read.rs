//! Asks the aggregator, whole or not at all, keeps what it says and has it compared with the store.

use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgPool};
use time::Date;
use tokio_util::sync::CancellationToken;

use super::core::Totals;
use super::settings::AggregatorSettings;
use super::{compare, db};
use crate::aws::config_aggregator::{Aggregator, PackResult, RuleResult, Source};
use crate::aws::role::is_account_id;
use crate::aws::{AwsSettings, Clients, Failure, Kind};
use crate::collection::Cancelled;
use crate::definition::Outcome;

/// What to ask, and for which collection.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub organization_id: i16,
    pub collection_id: i64,
    pub aws: &'a AwsSettings,
    pub aggregator: &'a AggregatorSettings,
    /// Cancelled when somebody asks for the collection's end.
    pub stop: Option<&'a CancellationToken>,
}

impl Asked<'_> {
    /// Waits for AWS, unless somebody asks for the end: the store is never left in the middle of a statement.
    async fn unless_stopped<T>(&self, answer: impl Future<Output = T>) -> Result<T, Cancelled> {
        let stopped = async {
            match self.stop {
                Some(stop) => stop.cancelled().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            answer = answer => Ok(answer),
            () = stopped => Err(Cancelled),
        }
    }
}

/// What asking came to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Tally {
    pub aggregator: String,
    /// Why it was not read; nothing is kept or compared then.
    pub failure: Option<String>,
    pub sources: u64,
    /// Sources that AWS could not collect from, or whose data it calls outdated.
    pub sources_behind: u64,
    /// Rules' results, and conformance packs' verdicts.
    pub rules: u64,
    pub packs: u64,
    /// The day of the store that it was compared with; `None` before there is one.
    pub day: Option<Date>,
    pub totals: Totals,
    /// The same of conformance packs.
    pub pack_totals: Totals,
}

impl Tally {
    /// What it came to, in words.
    pub fn words(&self) -> String {
        match (&self.failure, self.day) {
            (Some(_), _) => "not read, nothing was compared".to_owned(),
            (None, None) => "read, and nothing was collected yet to compare it with".to_owned(),
            (None, Some(day)) => {
                let rules = format!("{}, of {} (UTC)", self.totals.words(), crate::web::format::day(day));
                match self.pack_totals.all() {
                    0 => rules,
                    _ => format!("{rules}; conformance packs: {}", self.pack_totals.words()),
                }
            }
        }
    }
}

/// What the aggregator said beside the rules' results, which are staged.
struct Answer {
    sources: Vec<Source>,
    packs: Vec<PackResult>,
}

/// Reads the aggregator that the settings name and compares it with the store's newest day; `None` where they name none.
///
/// # Errors
///
/// The store cannot be written, or somebody asked for the end ([`Cancelled`]). What AWS refuses is no error: it is in the
/// tally and stored.
pub async fn read(store: &PgPool, asked: Asked<'_>) -> anyhow::Result<Option<Tally>> {
    let Some(name) = &asked.aggregator.aggregator else { return Ok(None) };
    let mut connection = store.acquire().await?;
    let started_at = db::begin(&mut connection).await?;
    let (region, role, answer) = match reached(asked, name).await {
        Ok((region, aggregator)) => {
            let answer = ask(&mut connection, asked, &aggregator).await?;
            (region, aggregator.role().map(ToString::to_string), answer.map_err(|failure| unread(&failure)))
        }
        Err(why) => {
            let unread = db::Unread { cause: Outcome::Failed.word(), why };
            (asked.aggregator.aggregator_region.clone().unwrap_or_default(), None, Err(unread))
        }
    };
    let reading = db::Reading {
        organization_id: asked.organization_id,
        collection_id: asked.collection_id,
        aggregator: name,
        region: &region,
        role: role.as_deref(),
        started_at,
    };
    let mut tx = sqlx::Connection::begin(&mut *connection).await?;
    let tally = match answer {
        Ok(answer) => keep(&mut tx, reading, &answer).await?,
        Err(unread) => {
            db::note_failure(&mut tx, reading, &unread).await?;
            Tally { failure: Some(unread.why), ..Tally::default() }
        }
    };
    tx.commit().await?;
    db::end(&mut connection).await?;
    Ok(Some(Tally { aggregator: name.clone(), ..tally }))
}

/// The causes are those of rules that were not read; an aggregator may not be there at all besides.
fn unread(failure: &Failure) -> db::Unread {
    let cause = if failure.kind == Kind::NotFound { "not found" } else { Outcome::of(failure).word() };
    db::Unread { cause, why: failure.to_string() }
}

async fn reached(asked: Asked<'_>, name: &str) -> Result<(String, Aggregator), String> {
    let settings = asked.aggregator;
    let clients = Clients::load(asked.aws).await?;
    let region = settings.aggregator_region.clone().unwrap_or_else(|| clients.region().to_owned());
    Ok((region.clone(), clients.of_aggregator(settings.aggregator_role.as_ref(), &region).await.aggregator(name)))
}

/// Asks for everything; the rules' results, of which there may be millions, go into the staging table page by page.
async fn ask(
    db: &mut PgConnection,
    asked: Asked<'_>,
    aggregator: &Aggregator,
) -> anyhow::Result<Result<Answer, Failure>> {
    let sources = match asked.unless_stopped(aggregator.sources()).await? {
        Ok(sources) => sources,
        Err(failure) => return Ok(Err(failure)),
    };
    let mut rules = aggregator.rules();
    loop {
        match asked.unless_stopped(rules.next()).await? {
            Ok(Some(page)) => {
                if let Some(odd) = page.iter().find_map(odd_rule) {
                    return Ok(Err(aggregator.odd("config:DescribeAggregateComplianceByConfigRules", &odd)));
                }
                db::stage(db, &page).await?;
            }
            Ok(None) => break,
            Err(failure) => return Ok(Err(failure)),
        }
    }
    if let Some((account_id, region, rule)) = db::contradiction(db).await? {
        let what =
            format!("the answer says two things of {rule} in {account_id} {region}: it changed while it was read");
        return Ok(Err(aggregator.odd("config:DescribeAggregateComplianceByConfigRules", &what)));
    }
    Ok(asked.unless_stopped(aggregator.packs()).await?.and_then(|packs| match packs.iter().find_map(odd_pack) {
        Some(odd) => Err(aggregator.odd("config:DescribeAggregateComplianceByConformancePacks", &odd)),
        None => Ok(Answer { sources, packs }),
    }))
}

fn odd_rule(one: &RuleResult) -> Option<String> {
    let whole = is_account_id(&one.account_id) && !one.region.is_empty() && !one.rule.is_empty();
    (!whole || one.compliance.is_empty()).then(|| {
        format!(
            "the answer has a result without a rule, account, Region or word: {:?} of {:?}",
            one.rule, one.account_id
        )
    })
}

fn odd_pack(one: &PackResult) -> Option<String> {
    let whole = is_account_id(&one.account_id) && !one.region.is_empty() && !one.name.is_empty();
    (!whole || one.compliance.is_empty()).then(|| {
        format!("the answer has a pack without a name, account, Region or word: {:?} of {:?}", one.name, one.account_id)
    })
}

async fn keep(db: &mut PgConnection, reading: db::Reading<'_>, answer: &Answer) -> anyhow::Result<Tally> {
    let number = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
    let day = db::newest_day(db, reading.organization_id).await?;
    let rules = db::staged(db).await?;
    let counts = db::Counted { sources: answer.sources.len(), rules, packs: answer.packs.len(), day };
    let reading_id = db::note_whole(db, reading, &counts).await?;
    db::keep_sources(db, reading.organization_id, reading_id, &answer.sources).await?;
    db::keep_rules(db, reading.organization_id, reading_id).await?;
    db::keep_packs(db, reading.organization_id, reading_id, &answer.packs).await?;
    let totals = match day {
        Some(day) => compare::compare(db, reading.organization_id, day).await?,
        None => compare::Both::default(),
    };
    Ok(Tally {
        aggregator: String::new(),
        failure: None,
        sources: number(answer.sources.len()),
        sources_behind: number(answer.sources.iter().filter(|source| source.status != "SUCCEEDED").count()),
        rules: u64::try_from(rules)?,
        packs: number(answer.packs.len()),
        day,
        totals: totals.rules,
        pack_totals: totals.packs,
    })
}
