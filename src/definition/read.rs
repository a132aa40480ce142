//! Asks every expected account in every Region for its rules, some at a time, and keeps what they say.

use std::collections::BTreeMap;

use futures_util::{StreamExt as _, stream};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use time::Date;

use super::core::{Definition, is_of};
use super::db::{self, Place};
use super::outcome::Outcome;
use crate::aws::failure::Asked as Call;
use crate::aws::{AwsSettings, Clients, Failure};

/// Names kept of places that could not be read; more are counted only.
const NAMES_KEPT: usize = 1_000;

/// What to ask, and for which collection.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub organization_id: i16,
    pub collection_id: i64,
    pub day: Date,
    pub aws: &'a AwsSettings,
}

/// What asking came to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tally {
    /// Account-Regions that were to be asked.
    pub places: u64,
    pub read: u64,
    /// Those that could not be read, by cause.
    pub failed: BTreeMap<String, u64>,
    /// Rules in the places that were read.
    pub rules: u64,
    /// Definitions that are new or changed, and those that changed or went.
    pub opened: u64,
    pub closed: u64,
    /// Places that could not be read, and why (at most 1,000 are kept).
    pub failures: Vec<(String, String)>,
}

impl Tally {
    fn add(&mut self, place: &Place, kept: &Kept) {
        match kept {
            Kept::Read { rules, opened, closed } => {
                self.read += 1;
                self.rules += rules;
                self.opened += opened;
                self.closed += closed;
            }
            Kept::Failed(outcome, why) => {
                *self.failed.entry(outcome.word().to_owned()).or_default() += 1;
                if self.failures.len() < NAMES_KEPT {
                    self.failures.push((place.words(), why.clone()));
                }
            }
        }
    }

    /// Places that were accounted for: read or failed.
    pub fn accounted(&self) -> u64 {
        self.read + self.failed.values().sum::<u64>()
    }
}

/// What became of one place.
enum Kept {
    Read { rules: u64, opened: u64, closed: u64 },
    Failed(Outcome, String),
}

/// Reads the rules of every account and Region that is expected on the day.
///
/// # Errors
///
/// The store cannot be written. What AWS refuses, or missing settings, is no error: it is in the tally and stored.
pub async fn read(store: &PgPool, asked: Asked<'_>) -> anyhow::Result<Tally> {
    let places = db::expected(&mut *store.acquire().await?, asked.organization_id, asked.day).await?;
    let mut tally = Tally { places: u64::try_from(places.len())?, ..Tally::default() };
    if places.is_empty() {
        return Ok(tally);
    }
    let clients = match Clients::load(asked.aws).await {
        Ok(clients) => clients,
        Err(why) => {
            for place in &places {
                let kept = keep(store, asked, place, Err((Outcome::Failed, why.clone()))).await?;
                tally.add(place, &kept);
            }
            return Ok(tally);
        }
    };
    let mut accounts: BTreeMap<&str, Vec<&Place>> = BTreeMap::new();
    for place in &places {
        accounts.entry(&place.account_id).or_default().push(place);
    }
    let at_a_time = usize::from(asked.aws.accounts_at_a_time.max(1));
    let clients = &clients;
    let work: Vec<_> = accounts
        .into_iter()
        .map(|(account_id, places)| one_account(store, asked, clients, account_id, places))
        .collect();
    let mut work = stream::iter(work).buffer_unordered(at_a_time);
    while let Some(done) = work.next().await {
        for (place, kept) in done? {
            tally.add(place, &kept);
        }
    }
    tally.failures.sort();
    Ok(tally)
}

/// One account, Region after Region: its role is assumed once.
async fn one_account<'a>(
    store: &PgPool,
    asked: Asked<'_>,
    clients: &Clients,
    account_id: &str,
    places: Vec<&'a Place>,
) -> anyhow::Result<Vec<(&'a Place, Kept)>> {
    let member = match clients.member(account_id).await {
        Ok(Some(member)) => Ok(member),
        Ok(None) => Err((Outcome::NoMemberRole, format!("{}: give --aws-member-role", Outcome::NoMemberRole.cause()))),
        Err(why) => Err((Outcome::Failed, why)),
    };
    let mut done = Vec::with_capacity(places.len());
    for place in places {
        let answer = match &member {
            Ok(member) => rules(member, place).await,
            Err(refused) => Err(refused.clone()),
        };
        done.push((place, keep(store, asked, place, answer).await?));
    }
    Ok(done)
}

type Answer = Result<Vec<Definition>, (Outcome, String)>;

async fn rules(member: &Clients, place: &Place) -> Answer {
    let subject = format!("account {}, Region {}", place.account_id, place.region);
    let failed = |failure: Failure| (Outcome::of(&failure), failure.to_string());
    let rules = member.in_region(&place.region).config_rules().rules(&subject).await.map_err(failed)?;
    if let Some(other) = rules.iter().find(|rule| !is_of(&rule.arn, &place.account_id, &place.region)) {
        let asked = Call { action: "config:DescribeConfigRules", subject: &subject, role: member.role() };
        let why = format!("the answer has a rule of another account or Region: {:?}", other.arn);
        return Err(failed(Failure::transient(asked, &why)));
    }
    Ok(rules.iter().map(Definition::of).collect())
}

async fn keep(store: &PgPool, asked: Asked<'_>, place: &Place, answer: Answer) -> anyhow::Result<Kept> {
    let mut tx = store.begin().await?;
    let reading = db::Reading { place_id: place.place_id, collection_id: asked.collection_id, day: asked.day };
    let kept = match answer {
        Ok(rules) => {
            let (opened, closed) = db::keep(&mut tx, reading, &rules).await?;
            Kept::Read { rules: u64::try_from(rules.len())?, opened, closed }
        }
        Err((outcome, why)) => {
            db::note_failure(&mut tx, reading, outcome, &why).await?;
            Kept::Failed(outcome, why)
        }
    };
    tx.commit().await?;
    Ok(kept)
}
