//! Accounts with what Artifact lists for them, as pages and packs have them. Pure.

use std::collections::{BTreeMap, BTreeSet};

use time::{Date, OffsetDateTime};

use super::agreements::{AccountBaa, Read, baa_of, is_baa, is_in_force, is_organizations};
use super::db::{AccountRow, AgreementRow, ReadingRow};
use super::facts::Facts;
use super::offline::db::OfflineRow;

/// An account with what is listed for it.
#[derive(Clone)]
pub(super) struct Row {
    pub(super) account_id: String,
    pub(super) name: String,
    pub(super) health: Mark,
    pub(super) held: AccountBaa,
    pub(super) read: Option<ReadingRow>,
    /// What of it was recorded by hand and is in force.
    pub(super) recorded: Option<String>,
}

impl Row {
    /// Those an auditor asks about first: nothing listed, nothing known, and nothing recorded by hand.
    pub(super) fn is_open(&self) -> bool {
        self.held.baa.is_open() && self.recorded.is_none()
    }

    /// "none listed; recorded by hand: BAA of 2024".
    pub(super) fn words(&self) -> String {
        match &self.recorded {
            Some(title) => format!("{}; recorded by hand: {title}", self.held.baa.words()),
            None => self.held.baa.words().to_owned(),
        }
    }

    /// Why the last try to read its own agreements failed.
    pub(super) fn why_not_read(&self) -> Option<&str> {
        self.read.as_ref().and_then(|read| read.failure.as_deref())
    }
}

/// Another agreement than a BAA, by its name.
pub(super) struct OtherRow {
    pub(super) name: String,
    pub(super) accounts: i64,
    pub(super) of_organization: bool,
}

/// The scope that marks accounts with health data.
pub(super) struct Health {
    pub(super) name: String,
    pub(super) accounts: BTreeSet<String>,
    /// Why it is not known of every account whether it belongs.
    pub(super) undecided: Option<String>,
}

impl Health {
    pub(super) fn mark(&self, account_id: &str) -> Mark {
        match (self.accounts.contains(account_id), &self.undecided) {
            (true, _) => Mark::Health,
            (false, Some(_)) => Mark::NotKnown,
            (false, None) => Mark::None,
        }
    }
}

/// Whether an account handles health data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Health,
    NotKnown,
    None,
}

impl Mark {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Health => "yes",
            Self::NotKnown => "not known",
            Self::None => "not marked",
        }
    }
}

/// An agreement as Artifact last listed it for an account.
pub(super) struct ListedRow {
    pub(super) account_id: String,
    pub(super) name: String,
    /// AWS's words: `DEFAULT`, `CUSTOM` or `MODIFIED`; `ACTIVE`, `CUSTOMER_TERMINATED` or `AWS_TERMINATED`.
    pub(super) kind: String,
    pub(super) state: String,
    pub(super) from: Option<Date>,
    pub(super) until: Option<Date>,
    pub(super) of_organization: bool,
    /// Whether it is still listed.
    pub(super) listed: bool,
    /// What is accepted with it, and what follows from ending it: AWS's words.
    pub(super) acceptance_terms: String,
    pub(super) terminate_terms: String,
}

/// Every agreement that was ever listed, account by account.
pub(super) fn listed(agreements: &[AgreementRow]) -> Vec<ListedRow> {
    let row = |row: &AgreementRow| {
        let facts = row.facts();
        let given = |name: &str| match facts.text(name) {
            "" => "not given".to_owned(),
            text => text.to_owned(),
        };
        ListedRow {
            account_id: row.account_id.clone(),
            name: given("name"),
            kind: given("type"),
            state: given("state"),
            from: facts.day("effectiveStart"),
            until: facts.day("effectiveEnd"),
            of_organization: is_organizations(&facts),
            listed: row.listed,
            acceptance_terms: facts.texts("acceptanceTerms"),
            terminate_terms: facts.texts("terminateTerms"),
        }
    };
    let mut rows: Vec<ListedRow> = agreements.iter().map(row).collect();
    rows.sort_by(|one, other| {
        (&one.account_id, &one.name, one.from).cmp(&(&other.account_id, &other.name, other.from))
    });
    rows
}

/// What accounts of the organisation list: what an account lists that is not of it on the day is of another one.
pub(super) fn of_members(agreements: Vec<AgreementRow>, members: &[AccountRow]) -> Vec<AgreementRow> {
    let members: BTreeSet<&str> = members.iter().map(|account| account.account_id.as_str()).collect();
    agreements.into_iter().filter(|row| members.contains(row.account_id.as_str())).collect()
}

pub(super) fn rows(
    accounts: Vec<AccountRow>,
    agreements: &[AgreementRow],
    readings: &[ReadingRow],
    health: Option<&Health>,
    (recorded, known_at): (&[OfflineRow], Option<OffsetDateTime>),
    day: Date,
) -> Vec<Row> {
    let by_account: BTreeMap<&str, &ReadingRow> =
        readings.iter().filter_map(|row| row.account_id.as_deref().map(|id| (id, row))).collect();
    let mut held: BTreeMap<&str, Vec<Facts>> = BTreeMap::new();
    for row in agreements.iter().filter(|row| row.listed) {
        held.entry(&row.account_id).or_default().push(row.facts());
    }
    let is_read = |id: &str| by_account.get(id).is_some_and(|row| row.failure.is_none());
    let told: Vec<Facts> = held.iter().filter(|(id, _)| is_read(id)).flat_map(|(_, facts)| facts.clone()).collect();
    let organizations: Vec<&Facts> = told.iter().filter(|facts| is_organizations(facts)).collect();
    let mut rows: Vec<Row> = accounts
        .into_iter()
        .map(|account| {
            let reading = by_account.get(account.account_id.as_str()).copied();
            let read = reading.map(|row| Read {
                failure: row.failure.clone(),
                agreements: held.get(account.account_id.as_str()).cloned().unwrap_or_default(),
            });
            Row {
                held: baa_of(read.as_ref(), &organizations, account.joined_on, day),
                health: health.map_or(Mark::None, |health| health.mark(&account.account_id)),
                read: reading.cloned(),
                recorded: recorded
                    .iter()
                    .find(|one| one.holds(&account.account_id, day, known_at))
                    .map(|one| one.title.clone()),
                account_id: account.account_id,
                name: account.name,
            }
        })
        .collect();
    // Accounts with health data and nothing that is known to hold lead the page.
    rows.sort_by_key(|row| {
        let (open, health) = (row.is_open(), row.health == Mark::Health);
        (!(health && open), !open, !health)
    });
    rows
}

pub(super) fn others(agreements: &[AgreementRow], readings: &[ReadingRow], day: Date) -> Vec<OtherRow> {
    let failed: BTreeSet<&str> =
        readings.iter().filter(|row| row.failure.is_some()).filter_map(|row| row.account_id.as_deref()).collect();
    let mut by_name: BTreeMap<String, (BTreeSet<&str>, bool)> = BTreeMap::new();
    for row in agreements.iter().filter(|row| row.listed && !failed.contains(row.account_id.as_str())) {
        let facts = row.facts();
        if !is_baa(&facts) && is_in_force(&facts, day) {
            let entry = by_name.entry(facts.text("name").to_owned()).or_default();
            entry.0.insert(&row.account_id);
            entry.1 |= is_organizations(&facts);
        }
    }
    let row = |(name, (accounts, of_organization)): (String, (BTreeSet<&str>, bool))| OtherRow {
        name,
        accounts: i64::try_from(accounts.len()).unwrap_or(i64::MAX),
        of_organization,
    };
    by_name.into_iter().map(row).collect()
}
