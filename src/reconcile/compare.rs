//! Compares the last whole reading with the store's newest day, some accounts at a time: rules, then conformance packs.

use std::collections::BTreeMap;

use sqlx::PgConnection;
use time::Date;

use super::compare_db::{self as db, Row, Side};
use super::core::{Compared, Place, Source, Theirs, Totals, compare as compare_one};
use super::packs;
use crate::compliance::{DeliveryState, Status, rule_name};

/// Accounts compared at a time: some ten thousand results.
const ACCOUNTS: usize = 50;

/// The statuses of an aggregator's sources.
#[derive(Debug, Default)]
struct Sources {
    accounts: BTreeMap<(String, String), Source>,
    /// Of organisations, by Region ('' where AWS names none): they stand for the accounts that have none of their own.
    organizations: BTreeMap<String, Source>,
}

impl Sources {
    fn of(&self, account_id: &str, region: &str) -> Source {
        let own = self.accounts.get(&(account_id.to_owned(), region.to_owned()));
        let organization = || self.organizations.get(region).or_else(|| self.organizations.get(""));
        own.or_else(organization).copied().unwrap_or(Source::Unnamed)
    }
}

/// What comparing came to: of rules, and of conformance packs.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Both {
    pub(super) rules: Totals,
    pub(super) packs: Totals,
}

/// What is known of some accounts' places on the day.
struct Known<'a> {
    days: BTreeMap<(String, String), DeliveryState>,
    sources: &'a Sources,
}

impl Known<'_> {
    fn of(&self, account_id: &str, region: &str) -> Place {
        let key = (account_id.to_owned(), region.to_owned());
        Place {
            day: self.days.get(&key).copied().unwrap_or(DeliveryState::NotExpected),
            source: self.sources.of(account_id, region),
        }
    }
}

/// Writes tables `comparison` and `pack_comparison` anew for a day, and gives what it came to.
pub(super) async fn compare(db: &mut PgConnection, organization_id: i16, day: Date) -> anyhow::Result<Both> {
    let mut sources = Sources::default();
    for (kind, id, region, status) in db::source_statuses(db, organization_id).await? {
        let status = Source::parse(&status);
        if kind == "ORGANIZATION" {
            sources.organizations.insert(region, status);
        } else {
            sources.accounts.insert((id, region), status);
        }
    }
    let mut totals = Both::default();
    for accounts in db::accounts(db, organization_id).await?.chunks(ACCOUNTS) {
        let days = db::places(db, organization_id, day, accounts).await?.into_iter().collect();
        let known = Known { days, sources: &sources };
        let mut rows = Vec::new();
        for side in db::sides(db, organization_id, day, accounts).await? {
            if let Some(row) = compared(known.of(&side.account_id, &side.region), side) {
                totals.rules.add(row.compared.verdict, 1);
                rows.push(row);
            }
        }
        db::keep_comparison(db, organization_id, accounts, &rows).await?;
        let mut rows = Vec::new();
        for side in packs::db::sides(db, organization_id, day, accounts).await? {
            let place = known.of(&side.account_id, &side.region);
            if let Some(compared) = packs::compare(place, side.here().as_ref(), side.there().as_ref()) {
                totals.packs.add(compared.verdict, 1);
                rows.push(packs::db::Row { side, compared });
            }
        }
        packs::db::keep(db, organization_id, accounts, &rows).await?;
    }
    Ok(totals)
}

fn compared(place: Place, side: Side) -> Option<Row> {
    let theirs = side.there_compliance.as_deref().map(|word| Theirs {
        compliance: Status::parse(word),
        count: side.there_count.map(i64::from),
        capped: side.there_capped,
    });
    let ours = side.here.counts();
    let compared: Compared = compare_one(place, ours, theirs.as_ref())?;
    let core_name = rule_name::parse(&side.rule_name).core;
    Some(Row { side, core_name, compared })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organisations_status_stands_for_accounts_without_one_of_their_own() {
        let mut sources = Sources::default();
        assert_eq!(sources.of("111122223333", "eu-central-1"), Source::Unnamed);
        sources.organizations.insert("eu-central-1".to_owned(), Source::Succeeded);
        sources.accounts.insert(("111122223333".to_owned(), "eu-central-1".to_owned()), Source::Failed);
        assert_eq!(sources.of("111122223333", "eu-central-1"), Source::Failed);
        assert_eq!(sources.of("444455556666", "eu-central-1"), Source::Succeeded);
        assert_eq!(sources.of("444455556666", "eu-west-1"), Source::Unnamed);
        sources.organizations.insert(String::new(), Source::Outdated);
        assert_eq!(sources.of("444455556666", "eu-west-1"), Source::Outdated);
    }
}
