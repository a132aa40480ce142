//! From dated lists of accounts and Regions to the days on which each place should deliver.

use std::collections::{BTreeMap, BTreeSet};

use time::Date;

/// What a list was made by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    File,
    Organizations,
}

impl Origin {
    /// As the store has it.
    pub fn word(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Organizations => "organizations",
        }
    }
}

/// Where an account stands in the organisation's tree: the root and the units below it, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    pub ids: Vec<String>,
    pub names: Vec<String>,
}

/// One account as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Twelve digits.
    pub account_id: String,
    pub name: String,
    pub email: Option<String>,
    pub arn: Option<String>,
    /// Organizations' word for the account's state: ACTIVE, SUSPENDED, `PENDING_CLOSURE` ...
    pub status: String,
    pub joined_at: Option<time::OffsetDateTime>,
    /// `CREATED` or `INVITED`; a file may not say.
    pub joined_method: Option<String>,
    /// `None`: the list does not say.
    pub placement: Option<Placement>,
    /// `None`: the list does not say.
    pub tags: Option<BTreeMap<String, String>>,
}

/// Organizations' account list as of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountList {
    pub listed_on: Date,
    pub accounts: Vec<Listing>,
}

/// Days from `first` until before `end`; `None` is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Days {
    pub first: Date,
    pub end: Option<Date>,
}

/// Before any evidence can exist: AWS Config did not.
pub const BEGINNING: Date = time::macros::date!(1970 - 01 - 01);

/// The days on which something that lists name belonged, in order.
///
/// `lists` are ascending by day; each tells whether the thing is on it, and since when if that is known. The first list
/// speaks for the days before it. A thing leaves on the day of the first list without it. One that comes back with a start
/// from before it left (a suspended account that is active again keeps the day on which it joined) is back from the list
/// that shows it again: nothing tells of an earlier day.
fn membership(lists: &[(Date, Option<Option<Date>>)]) -> Vec<Days> {
    let mut spans: Vec<Days> = Vec::new();
    let mut open: Option<Date> = None;
    let mut left: Option<Date> = None;
    for (at, (listed_on, present)) in lists.iter().enumerate() {
        match (present, open) {
            (Some(since), None) => {
                let unknown_start = if at == 0 { BEGINNING } else { *listed_on };
                let since = since.unwrap_or(unknown_start);
                open = Some(if left.is_some_and(|left| since <= left) { *listed_on } else { since });
            }
            (None, Some(first)) => {
                spans.extend((first < *listed_on).then_some(Days { first, end: Some(*listed_on) }));
                (open, left) = (None, Some(*listed_on));
            }
            _ => {}
        }
    }
    spans.extend(open.map(|first| Days { first, end: None }));
    spans
}

/// An account's life in the organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub account_id: String,
    /// As the latest list that has the account shows it.
    pub name: String,
    pub status: String,
    pub days: Vec<Days>,
}

/// Whether an account in this state delivers: a suspended or closed one does not, one that waits for its activation does
/// not yet. <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_account_state.html>
fn delivers(status: &str) -> bool {
    !matches!(status, "SUSPENDED" | "CLOSED" | "PENDING_ACTIVATION")
}

/// The accounts of all lists, by id. `lists` are ascending by day.
pub(super) fn accounts(lists: &[AccountList]) -> Vec<Account> {
    let mut latest: BTreeMap<&str, &Listing> = BTreeMap::new();
    for listing in lists.iter().flat_map(|list| &list.accounts) {
        latest.insert(&listing.account_id, listing);
    }
    let by_id: Vec<(Date, BTreeMap<&str, &Listing>)> = lists
        .iter()
        .map(|list| {
            let delivering = list.accounts.iter().filter(|it| delivers(&it.status));
            (list.listed_on, delivering.map(|it| (it.account_id.as_str(), it)).collect())
        })
        .collect();
    latest
        .into_iter()
        .map(|(account_id, listing)| {
            let presence: Vec<_> = by_id
                .iter()
                .map(|(listed_on, accounts)| {
                    let since = |it: &&Listing| it.joined_at.map(|at| at.to_offset(time::UtcOffset::UTC).date());
                    (*listed_on, accounts.get(account_id).map(since))
                })
                .collect();
            Account {
                account_id: account_id.to_owned(),
                name: listing.name.clone(),
                status: listing.status.clone(),
                days: membership(&presence),
            }
        })
        .collect()
}

/// The days on which each Region is expected. `lists` are ascending by day.
pub(super) fn regions(lists: &[(Date, Vec<String>)]) -> BTreeMap<String, Vec<Days>> {
    let names: BTreeSet<&String> = lists.iter().flat_map(|(_, regions)| regions).collect();
    names
        .into_iter()
        .map(|name| {
            let presence: Vec<_> =
                lists.iter().map(|(listed_on, regions)| (*listed_on, regions.contains(name).then_some(None))).collect();
            (name.clone(), membership(&presence))
        })
        .collect()
}

/// Days that lie in both.
pub(super) fn intersect(left: &[Days], right: &[Days]) -> Vec<Days> {
    let mut both = Vec::new();
    for one in left {
        for other in right {
            let first = one.first.max(other.first);
            let end = match (one.end, other.end) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            };
            if end.is_none_or(|end| first < end) {
                both.push(Days { first, end });
            }
        }
    }
    both.sort_unstable();
    both
}

#[cfg(test)]
mod tests {
    use time::macros::{date, datetime};

    use super::*;

    fn listing(id: &str, status: &str, joined_at: Option<time::OffsetDateTime>) -> Listing {
        Listing {
            account_id: id.to_owned(),
            name: format!("account {id}"),
            email: None,
            arn: None,
            status: status.to_owned(),
            joined_at,
            joined_method: None,
            placement: None,
            tags: None,
        }
    }

    #[test]
    fn an_account_that_is_closed_or_not_yet_active_is_not_expected() {
        for state in ["SUSPENDED", "CLOSED", "PENDING_ACTIVATION"] {
            let lists = [AccountList { listed_on: date!(2026 - 03 - 01), accounts: vec![listing("1", state, None)] }];
            assert!(accounts(&lists)[0].days.is_empty(), "{state}");
        }
        let closing = listing("1", "PENDING_CLOSURE", None);
        let lists = [AccountList { listed_on: date!(2026 - 03 - 01), accounts: vec![closing] }];
        assert!(!accounts(&lists)[0].days.is_empty(), "it delivers until it is closed");
    }

    #[test]
    fn an_account_is_expected_from_joining_until_the_first_list_without_it() {
        let joined = Some(datetime!(2026-03-04 23:30 +02:00));
        let lists = [
            AccountList { listed_on: date!(2026 - 03 - 01), accounts: vec![listing("1", "ACTIVE", None)] },
            AccountList {
                listed_on: date!(2026 - 04 - 01),
                accounts: vec![listing("1", "ACTIVE", None), listing("2", "ACTIVE", joined)],
            },
            AccountList {
                listed_on: date!(2026 - 05 - 01),
                accounts: vec![listing("1", "SUSPENDED", None), listing("2", "ACTIVE", joined)],
            },
        ];
        let accounts = accounts(&lists);
        assert_eq!(accounts[0].days, [Days { first: BEGINNING, end: Some(date!(2026 - 05 - 01)) }]);
        assert_eq!(accounts[1].days, [Days { first: date!(2026 - 03 - 04), end: None }]);
    }

    #[test]
    fn an_account_that_came_back_is_not_expected_in_between() {
        let lists = [
            (date!(2026 - 01 - 01), Some(Some(date!(2025 - 01 - 01)))),
            (date!(2026 - 02 - 01), None),
            (date!(2026 - 03 - 01), Some(Some(date!(2026 - 02 - 20)))),
        ];
        assert_eq!(
            membership(&lists),
            [
                Days { first: date!(2025 - 01 - 01), end: Some(date!(2026 - 02 - 01)) },
                Days { first: date!(2026 - 02 - 20), end: None },
            ]
        );
    }

    #[test]
    fn an_account_that_is_active_again_is_expected_from_the_list_that_says_so() {
        let joined = Some(datetime!(2025-01-01 00:00 UTC));
        let list = |listed_on, status| AccountList { listed_on, accounts: vec![listing("1", status, joined)] };
        let lists = [
            list(date!(2026 - 01 - 01), "ACTIVE"),
            list(date!(2026 - 02 - 01), "SUSPENDED"),
            list(date!(2026 - 03 - 01), "ACTIVE"),
        ];
        assert_eq!(
            accounts(&lists)[0].days,
            [
                Days { first: date!(2025 - 01 - 01), end: Some(date!(2026 - 02 - 01)) },
                Days { first: date!(2026 - 03 - 01), end: None },
            ]
        );
    }

    #[test]
    fn days_of_account_and_region_are_cut_to_both() {
        let account = [Days { first: date!(2026 - 01 - 01), end: Some(date!(2026 - 02 - 01)) }];
        let region = [Days { first: date!(2026 - 01 - 15), end: None }];
        assert_eq!(
            intersect(&account, &region),
            [Days { first: date!(2026 - 01 - 15), end: Some(date!(2026 - 02 - 01)) }]
        );
        let after = [Days { first: date!(2026 - 02 - 01), end: None }];
        assert!(intersect(&account, &after).is_empty());
    }
}
