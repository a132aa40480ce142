//! Reading Artifact itself: AWS's reports once, and the agreements of each account.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt as _, stream};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::{Date, OffsetDateTime};

use super::db::{self, NewReading};
use super::history::{Held, is_described, is_news};
use super::keep::{Overtaken, keep_agreements, keep_failure, keep_reports, named};
use super::notices;
use super::settings::ArtifactSettings;
use super::told::{Agreements, Reports, VersionKey, agreements, versions};
use crate::audit_log::{self, Entry};
use crate::aws::artifact::{Artifact, Fields};
use crate::aws::{AwsSettings, Clients, Failure};
use crate::web::format;
use crate::{State, organization};

/// What to read, and in whose name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sync<'a> {
    /// The organisation's name.
    pub organization: &'a str,
    pub settings: &'a ArtifactSettings,
    pub aws: &'a AwsSettings,
}

/// What reading Artifact came to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Tally {
    pub versions_read: usize,
    pub versions_changed: usize,
    pub accounts_read: usize,
    pub agreements_changed: usize,
    /// Why the reports were not read.
    pub reports_failure: Option<String>,
    /// Accounts whose agreements were not read, each with the reason.
    pub not_read: BTreeMap<String, String>,
    /// What of the reports was not read or not understood.
    pub problems: Vec<String>,
}

impl Tally {
    /// Whether everything was read.
    pub(super) fn is_whole(&self) -> bool {
        self.reports_failure.is_none() && self.not_read.is_empty() && self.problems.is_empty()
    }

    /// In a sentence or two, for a person.
    pub(super) fn words(&self) -> String {
        let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let reports = match &self.reports_failure {
            Some(why) => format!("AWS’s reports were not read: {why}."),
            None => format!(
                "{} of AWS’s reports read, {} new or changed.",
                format::plural(number(self.versions_read), "version"),
                format::count(number(self.versions_changed)),
            ),
        };
        format!(
            "{reports} Agreements of {} read, of {} not; {} new or changed.",
            format::plural(number(self.accounts_read), "account"),
            format::count(number(self.not_read.len())),
            format::count(number(self.agreements_changed)),
        )
    }
}

/// Reads everything and keeps it: the reports in one transaction, each account's agreements in one of their own, so that
/// what was read stands whatever comes after. `report` is told how many of how many accounts are done.
///
/// # Errors
///
/// The store cannot be read or written. What AWS refuses is no error: it is in the tally, and on the pages.
pub(super) async fn sync(
    state: &State,
    what: Sync<'_>,
    entry: Entry,
    report: impl Fn(usize, usize),
) -> anyhow::Result<Tally> {
    let mut connection = state.db.acquire().await?;
    let organization_id = organization::current(&mut connection, what.organization).await?;
    let today = state.clock.now().date();
    let listed = db::accounts_on(&mut connection, organization_id, today).await?;
    let held = db::held_versions(&mut connection, organization_id).await?;
    drop(connection);
    let clients = Clients::load(what.aws).await.map(|clients| clients.in_region(&what.settings.artifact_region));
    let keeper = Keeper { state, organization_id, source: &what.source() };
    let mut tally = Tally::default();
    reports(&keeper, clients.as_ref(), &held, what, &mut tally).await?;
    accounts(&keeper, clients.as_ref(), listed.into_iter().map(|row| row.account_id), what, &mut tally, report).await?;
    let detail = serde_json::json!({
        "versions": tally.versions_read, "versions_changed": tally.versions_changed,
        "accounts_read": tally.accounts_read, "agreements_changed": tally.agreements_changed,
        "reports_not_read": tally.reports_failure, "accounts_not_read": tally.not_read.len(),
        "not_understood": tally.problems.len(), "not_understood_first": named(&tally.problems),
    });
    let mut tx = state.db.begin().await?;
    audit_log::record(&mut tx, &entry.detail(detail)).await?;
    notices::decide(&mut tx, state, what.organization).await?;
    tx.commit().await?;
    crate::jobs::wake();
    Ok(tally)
}

impl Sync<'_> {
    fn source(&self) -> String {
        format!("AWS Artifact in {}", self.settings.artifact_region)
    }

    fn at_a_time(&self) -> usize {
        usize::from(self.aws.accounts_at_a_time.max(1))
    }
}

/// Where readings go.
struct Keeper<'a> {
    state: &'a State,
    organization_id: i16,
    source: &'a str,
}

impl Keeper<'_> {
    fn reading<'r>(
        &'r self,
        account_id: Option<&'r str>,
        read_at: OffsetDateTime,
        problems: &'r [String],
    ) -> NewReading<'r> {
        let organization_id = self.organization_id;
        NewReading { organization_id, account_id, read_at, source: self.source, failure: None, problems }
    }

    fn today(&self) -> Date {
        self.state.clock.now().date()
    }

    async fn reports(&self, read: &Result<Reports, String>, problems: &[String]) -> anyhow::Result<usize> {
        let (problems, read_at) = (named(problems), self.state.clock.now());
        let new = self.reading(None, read_at, &problems);
        let mut tx = self.state.db.begin().await?;
        db::lock(&mut tx).await?;
        let kept = match read {
            Ok(reports) => keep_reports(&mut tx, &new, reports).await,
            Err(failure) => keep_failure(&mut tx, &new, failure).await.map(|()| 0),
        };
        let changed = unless_overtaken(kept)?;
        tx.commit().await?;
        Ok(changed)
    }

    async fn agreements(&self, account_id: &str, read: &Agreements, problems: &[String]) -> anyhow::Result<usize> {
        let new = self.reading(Some(account_id), self.state.clock.now(), problems);
        let mut tx = self.state.db.begin().await?;
        db::lock(&mut tx).await?;
        let changed = unless_overtaken(keep_agreements(&mut tx, &new, read).await)?;
        tx.commit().await?;
        Ok(changed)
    }
}

/// Somebody else kept a later reading meanwhile: that says all this one could.
fn unless_overtaken(kept: anyhow::Result<usize>) -> anyhow::Result<usize> {
    match kept {
        Err(error) if error.is::<Overtaken>() => Ok(0),
        other => other,
    }
}

async fn reports(
    keeper: &Keeper<'_>,
    clients: Result<&Clients, &String>,
    held: &BTreeMap<VersionKey, Held>,
    what: Sync<'_>,
    tally: &mut Tally,
) -> anyhow::Result<()> {
    let mut problems = Vec::new();
    let read = match clients {
        Err(why) => Err(why.clone()),
        Ok(clients) => read_reports(&clients.artifact(), held, (what.at_a_time(), keeper.today()), &mut problems)
            .await
            .map_err(|failure| failure.explained()),
    };
    tally.versions_changed = keeper.reports(&read, &problems).await?;
    tally.versions_read = read.as_ref().map_or(0, |reports| reports.versions.len());
    tally.reports_failure = read.err();
    tally.problems = problems;
    Ok(())
}

/// Every report with every version. A report whose versions cannot be read is a problem, and the rest goes on; what would
/// fail alike for all ends it.
async fn read_reports(
    aws: &Artifact,
    held: &BTreeMap<VersionKey, Held>,
    (at_a_time, today): (usize, Date),
    problems: &mut Vec<String>,
) -> Result<Reports, Failure> {
    let mut reports = Reports::default();
    let listed = versions(values(aws.reports().await?), problems);
    reports.all_listed = listed.whole;
    let ids: BTreeSet<String> = listed.entries.iter().map(|((id, _), _)| id.clone()).collect();
    reports.add(listed.entries, false);
    let asked = ids.iter().map(async |id| (id, aws.versions(id).await));
    let mut answers = stream::iter(asked.collect::<Vec<_>>()).buffer_unordered(at_a_time);
    while let Some((id, answer)) = answers.next().await {
        match answer {
            Err(failure) if failure.kind.ends_all() => return Err(failure),
            Err(failure) => problems.push(failure.to_string()),
            Ok(found) => {
                let mut unclear = Vec::new();
                let found = versions(values(found), &mut unclear);
                if found.whole && found.entries.iter().all(|((report_id, _), _)| report_id == id) {
                    reports.versions_of.insert(id.clone());
                }
                problems.extend(unclear.into_iter().map(|why| format!("versions of {id}: {why}")));
                reports.add(found.entries, false);
            }
        }
    }
    drop(answers);
    describe(aws, &mut reports, held, (at_a_time, today), problems).await?;
    // In one order, whichever answer came first.
    problems.sort();
    Ok(reports)
}

/// Days within which each version is asked for in full again.
const DESCRIBED_WITHIN: i64 = 7;

/// Whether a version that is known in full is asked for again: that it was deleted, say, stands in no list. The newest of a
/// report is asked for each time, of the others as many each day as makes a round.
fn is_asked_again((report_id, version): &VersionKey, newest: i64, today: Date) -> bool {
    let place = report_id.bytes().map(i64::from).sum::<i64>() + version + i64::from(today.to_julian_day());
    *version == newest || place.rem_euclid(DESCRIBED_WITHIN) == 0
}

/// Asks for the fields that a list leaves out: of versions that are new or changed, of which they are not known yet, and
/// again of those whose turn it is.
async fn describe(
    aws: &Artifact,
    reports: &mut Reports,
    held: &BTreeMap<VersionKey, Held>,
    (at_a_time, today): (usize, Date),
    problems: &mut Vec<String>,
) -> Result<(), Failure> {
    let mut newest: BTreeMap<&str, i64> = BTreeMap::new();
    for (report_id, version) in reports.versions.keys() {
        let held = newest.entry(report_id).or_insert(*version);
        *held = (*held).max(*version);
    }
    let due = reports.versions.iter().filter(|(key, told)| {
        let held = held.get(key);
        held.is_none_or(|held| !is_described(&held.facts))
            || is_news(held, told).is_some()
            || newest.get(key.0.as_str()).is_some_and(|newest| is_asked_again(key, *newest, today))
    });
    let due: Vec<VersionKey> = due.map(|(key, _)| key.clone()).collect();
    let asked = due.iter().map(async |(id, version)| (id, version, aws.metadata(id, *version).await));
    let mut answers = stream::iter(asked.collect::<Vec<_>>()).buffer_unordered(at_a_time);
    while let Some((id, version, answer)) = answers.next().await {
        match answer {
            Err(failure) if failure.kind.ends_all() => return Err(failure),
            Err(failure) => problems.push(format!("version {version}: {failure}")),
            Ok(found) => {
                let mut unclear = Vec::new();
                let found = versions(values(found.into_iter().collect()), &mut unclear);
                let (same, other): (Vec<_>, Vec<_>) =
                    found.entries.into_iter().partition(|((a, b), _)| a == id && b == version);
                if same.is_empty() || !other.is_empty() {
                    unclear.push("the answer is not about it".to_owned());
                }
                problems.extend(unclear.into_iter().map(|why| format!("version {version} of {id} in full: {why}")));
                reports.add(same, true);
            }
        }
    }
    Ok(())
}

async fn accounts(
    keeper: &Keeper<'_>,
    clients: Result<&Clients, &String>,
    listed: impl Iterator<Item = String>,
    what: Sync<'_>,
    tally: &mut Tally,
    report: impl Fn(usize, usize),
) -> anyhow::Result<()> {
    let own = match clients {
        Ok(clients) => known(clients).await,
        Err(_) => BTreeMap::new(),
    };
    let ids: BTreeSet<String> = listed.chain(own.keys().cloned()).collect();
    let (total, own) = (ids.len(), &own);
    report(0, total);
    let work = ids.iter().map(async |account_id| {
        let (read, problems) = match clients {
            Ok(clients) => read_agreements(clients, own, account_id).await,
            Err(why) => (Err(why.clone()), Vec::new()),
        };
        let kept = keeper.agreements(account_id, &read, &problems).await;
        (account_id, read, problems, kept)
    });
    let mut work = stream::iter(work.collect::<Vec<_>>()).buffer_unordered(what.at_a_time());
    let mut done = 0;
    while let Some((account_id, read, problems, kept)) = work.next().await {
        tally.agreements_changed += kept?;
        match read {
            Ok(_) => tally.accounts_read += 1,
            Err(why) => {
                tally.not_read.insert(account_id.clone(), why);
            }
        }
        tally.problems.extend(problems.into_iter().map(|why| format!("agreements of {account_id}: {why}")));
        done += 1;
        report(done, total);
    }
    Ok(())
}

/// Credentials that are an account's own already, by the account: those of the role that reads Organizations (the
/// management account's, where it is one of its roles) and the program's. Where STS does not say whose they are, the
/// member role is taken like for any other account.
async fn known(clients: &Clients) -> BTreeMap<String, Clients> {
    let mut known = BTreeMap::new();
    for clients in [clients.clone(), clients.organization().await] {
        if let Ok(identity) = clients.sts().who().await {
            known.insert(identity.account_id, clients);
        }
    }
    known
}

async fn read_agreements(
    clients: &Clients,
    own: &BTreeMap<String, Clients>,
    account_id: &str,
) -> (Agreements, Vec<String>) {
    let clients = match own.get(account_id) {
        Some(own) => own.clone(),
        None => match clients.member(account_id).await {
            Ok(Some(member)) => member,
            Ok(None) => {
                return (
                    Err("no role to ask member accounts with is set: give --aws-member-role".to_owned()),
                    Vec::new(),
                );
            }
            Err(why) => return (Err(why), Vec::new()),
        },
    };
    let found = match clients.artifact().agreements(&format!("account {account_id}")).await {
        Ok(found) => found,
        Err(failure) => return (Err(failure.to_string()), Vec::new()),
    };
    let mut problems = Vec::new();
    let read = agreements(values(found), &mut problems);
    // What was left out may be the very agreement that is looked for.
    let read = if read.whole { Ok(read.entries) } else { Err(format!("not understood: {}", problems.join("; "))) };
    (read, problems)
}

fn values(entries: Vec<Fields>) -> Vec<Value> {
    entries.into_iter().map(Value::Object).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_say_what_was_not_read() {
        let whole = Tally { versions_read: 12, versions_changed: 1, accounts_read: 3, ..Tally::default() };
        assert!(whole.is_whole());
        assert_eq!(
            whole.words(),
            "12 versions of AWS’s reports read, 1 new or changed. Agreements of 3 accounts read, of 0 not; 0 new or changed."
        );
        let not_read = BTreeMap::from([("1".to_owned(), "denied".to_owned())]);
        let refused = Tally { reports_failure: Some("denied".to_owned()), not_read, ..Tally::default() };
        assert!(!refused.is_whole());
        assert!(
            refused.words().starts_with("AWS’s reports were not read: denied. Agreements of 0 accounts read, of 1 not")
        );
    }
}
