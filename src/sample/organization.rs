//! The made-up organisation: its accounts with their parts in the story, and Organizations' account lists.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::json;
use time::macros::{format_description, time};
use time::{Date, Duration, OffsetDateTime};

use super::options::Choice;
use super::random::Random;

/// What is special about an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Ordinary,
    /// Nobody looks after it: many rules are broken and stay so.
    Neglected,
    /// Delivers history objects and never a snapshot.
    HistoryOnly,
    /// Stops recording compliance items; its last Region records none at first.
    StopsRecording,
    /// Was made, never delivered, and was closed.
    NeverDelivers,
    /// Joined in the middle; history comes before its first snapshot.
    Joined,
    /// Left the organisation, and delivers a little longer.
    Left,
}

/// An account of the organisation.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) role: Role,
    /// Position among the accounts of its role.
    pub(super) ordinal: usize,
    /// How readily rules are broken in it: 100 is as usual.
    pub(super) looseness: u32,
    /// Whether the incident strikes it.
    pub(super) incident: bool,
    pub(super) joined: OffsetDateTime,
    /// Days since the first at which it joined; 0 where it was there before.
    pub(super) joins: u32,
    /// Days since the first from which Organizations no longer lists it, or as SUSPENDED.
    pub(super) leaves: Option<u32>,
}

impl Account {
    /// The name in letters that every AWS name may have.
    pub(super) fn slug(&self) -> String {
        let words = self.name.split(|one: char| !one.is_ascii_alphanumeric());
        words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-").to_lowercase()
    }
}

/// The days on which things happen, counted from the first.
#[derive(Debug, Clone, Copy)]
pub(super) struct Story {
    pub(super) days: u32,
}

impl Story {
    /// The day at this share of the time. From 10 days on each ten per cent is another day.
    pub(super) fn at(self, percent: u32) -> u32 {
        self.days * percent / 100
    }

    pub(super) fn incident(self) -> u32 {
        self.at(62)
    }

    pub(super) fn redeployment(self) -> u32 {
        self.at(40)
    }
}

/// The organisation with its accounts, and the choice that it is made from.
#[derive(Debug)]
pub(super) struct Organization {
    pub(super) choice: Choice,
    pub(super) story: Story,
    pub(super) first_day: Date,
    pub(super) id: String,
    pub(super) accounts: Vec<Account>,
    /// Days since the first of which there is an account list.
    pub(super) list_days: Vec<u32>,
}

/// Name, looseness, whether the incident strikes.
const ORDINARY: [(&str, u32, bool); 18] = [
    ("Management", 45, false),
    ("Research & Development", 210, false),
    ("payments-prod", 55, true),
    ("webshop-prod", 75, true),
    ("security-log-archive", 30, false),
    ("security-audit", 30, false),
    ("platform-network", 65, false),
    ("platform-shared-services", 85, false),
    ("payments-staging", 140, false),
    ("webshop-staging", 160, false),
    ("data-lake-prod", 95, true),
    ("analytics-prod", 110, false),
    ("crm-prod", 90, true),
    ("mobile-backend-prod", 85, true),
    ("iot-fleet-prod", 120, false),
    ("hr-systems", 100, false),
    ("finance-erp", 70, false),
    ("backup-vault", 40, false),
];

const SPECIAL: [(&str, u32, Role); 6] = [
    ("dr-standby", 90, Role::HistoryOnly),
    ("marketing-sites", 130, Role::StopsRecording),
    ("divested-field-operations", 120, Role::Left),
    ("acquired-northwind", 180, Role::Joined),
    ("sandbox-interns", 100, Role::NeverDelivers),
    ("legacy-datacentre", 100, Role::Neglected),
];

const TEAMS: [&str; 12] = [
    "billing",
    "search",
    "identity",
    "logistics",
    "partner-portal",
    "reporting",
    "machine-learning",
    "support",
    "content",
    "pricing",
    "fraud",
    "notifications",
];
const STAGES: [(&str, u32); 4] = [("prod", 80), ("staging", 140), ("dev", 190), ("test", 170)];

impl Organization {
    pub(super) fn new(choice: Choice) -> Self {
        let story = Story { days: choice.days };
        let first_day = choice.until - Duration::days(i64::from(choice.days) - 1);
        let mut random = Random::new(choice.seed, &["organization"]);
        let id = format!("o-{}", random.lower(10));
        let accounts = accounts(&choice, story, first_day, &mut random);
        let mut list_days = BTreeSet::from([0]);
        list_days.extend(accounts.iter().filter_map(|account| account.leaves));
        // A list while the account that is closed later was still open.
        list_days.extend(accounts.iter().filter(|one| one.role == Role::NeverDelivers).map(|one| one.joins));
        list_days.retain(|&day| day < choice.days);
        Self { choice, story, first_day, id, accounts, list_days: list_days.into_iter().collect() }
    }

    pub(super) fn date(&self, day: u32) -> Date {
        self.first_day + Duration::days(i64::from(day))
    }

    /// The day from which the account is no longer expected, where that is within the sample.
    pub(super) fn expected_until(&self, account: &Account) -> Option<u32> {
        account.leaves.filter(|day| self.list_days.contains(day))
    }

    pub(super) fn expects(&self, account: &Account, day: u32) -> bool {
        account.joins <= day && self.expected_until(account).is_none_or(|until| day < until)
    }

    /// What `aws organizations list-accounts` printed on a day.
    pub(super) fn account_list(&self, day: u32) -> String {
        let management = &self.accounts[0].id;
        let mut listed = Vec::new();
        for account in self.accounts.iter().filter(|account| account.joins <= day) {
            let gone = account.leaves.is_some_and(|leaves| leaves <= day);
            if gone && account.role == Role::Left {
                continue;
            }
            let status = if gone { "SUSPENDED" } else { "ACTIVE" };
            let method = if account.role == Role::Joined || account.ordinal == 0 { "INVITED" } else { "CREATED" };
            listed.push(json!({
                "Id": account.id,
                "Arn": format!("arn:aws:organizations::{management}:account/{}/{}", self.id, account.id),
                "Email": format!("aws+{}@example.com", account.slug()),
                "Name": account.name,
                "Status": status,
                "State": status,
                "JoinedMethod": method,
                "JoinedTimestamp": account.joined
                    .format(format_description!(
                        "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]+00:00"
                    ))
                    .expect("a time of this century can be written"),
            }));
        }
        // The AWS CLI indents by four.
        let mut text = Vec::new();
        let mut writer =
            serde_json::Serializer::with_formatter(&mut text, serde_json::ser::PrettyFormatter::with_indent(b"    "));
        serde::Serialize::serialize(&json!({ "Accounts": listed }), &mut writer).expect("plain JSON can be written");
        let mut text = String::from_utf8(text).expect("JSON is UTF-8");
        text.push('\n');
        text
    }
}

fn accounts(choice: &Choice, story: Story, first_day: Date, random: &mut Random) -> Vec<Account> {
    let total = usize::try_from(choice.accounts).expect("a few thousand accounts");
    let special = if total >= 10 { SPECIAL.len() } else { total * SPECIAL.len() / 10 };
    let mut ids = BTreeSet::new();
    let mut accounts = Vec::new();
    for index in 0..total - special {
        let (name, looseness, incident) = match ORDINARY.get(index) {
            Some(&(name, looseness, incident)) => (name.to_owned(), looseness, incident),
            None => further(index),
        };
        accounts.push((name, looseness, incident, Role::Ordinary, index));
    }
    for &(name, looseness, role) in SPECIAL.iter().take(special) {
        accounts.push((name.to_owned(), looseness, false, role, 0));
    }
    // The incident has to strike somebody in the smallest organisation too.
    if !accounts.iter().any(|account| account.2) {
        accounts[0].2 = true;
    }
    let make = |(name, looseness, incident, role, ordinal): (String, u32, bool, Role, usize)| {
        let lead =
            if ordinal == 2 && role == Role::Ordinary { "00" } else { *random.pick(&["1", "2", "4", "5", "7", "9"]) };
        let mut id = String::new();
        while id.is_empty() || !ids.insert(id.clone()) {
            lead.clone_into(&mut id);
            write!(id, "{}", random.digits(12 - lead.len())).expect("writing to a string cannot fail");
        }
        let (joins, leaves) = match role {
            Role::NeverDelivers => (story.at(30), Some(story.at(37).max(story.at(30) + 1))),
            Role::Joined => (story.at(45), None),
            Role::Left => (0, Some(story.at(70).max(1))),
            _ => (0, None),
        };
        let day = if joins > 0 || role == Role::NeverDelivers || role == Role::Joined {
            first_day + Duration::days(i64::from(joins))
        } else {
            first_day - Duration::days(i64::from(random.between(200, 1_900)))
        };
        let joined =
            day.with_time(time!(08:00)).assume_utc() + Duration::milliseconds(i64::from(random.below(30_000_000)));
        Account { id, name, role, ordinal, looseness, incident, joined, joins, leaves }
    };
    accounts.into_iter().map(make).collect()
}

/// Names for organisations larger than the list.
fn further(index: usize) -> (String, u32, bool) {
    let number = index - ORDINARY.len();
    let team = TEAMS[number % TEAMS.len()];
    let (stage, looseness) = STAGES[number / TEAMS.len() % STAGES.len()];
    let round = number / (TEAMS.len() * STAGES.len()) + 1;
    let name = if round == 1 { format!("{team}-{stage}") } else { format!("{team}-{stage}-{round}") };
    (name, looseness, number % 9 == 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn organization(accounts: u32, days: u32) -> Organization {
        let mut options = crate::sample::Options::new("unused");
        options.accounts = accounts;
        options.days = days;
        Organization::new(options.choice(time::macros::date!(2026 - 03 - 31)))
    }

    #[test]
    fn ten_accounts_hold_every_role() {
        let organization = organization(10, 10);
        for (_, _, role) in SPECIAL {
            assert_eq!(organization.accounts.iter().filter(|account| account.role == role).count(), 1, "{role:?}");
        }
        assert_eq!(organization.accounts.iter().filter(|account| account.id.starts_with("00")).count(), 1);
        assert!(organization.accounts.iter().all(|account| account.id.len() == 12));
    }

    #[test]
    fn names_and_ids_differ_in_an_organisation_of_hundreds() {
        let organization = organization(700, 3);
        let names: BTreeSet<&str> = organization.accounts.iter().map(|account| account.name.as_str()).collect();
        let ids: BTreeSet<&str> = organization.accounts.iter().map(|account| account.id.as_str()).collect();
        assert_eq!((names.len(), ids.len()), (700, 700));
    }

    #[test]
    fn an_account_is_expected_until_the_list_that_lacks_it_or_shows_it_suspended() {
        let organization = organization(12, 20);
        let find =
            |role| organization.accounts.iter().find(|account| account.role == role).expect("every role is there");
        let left = find(Role::Left);
        assert!(organization.expects(left, 13) && !organization.expects(left, 14));
        assert!(organization.account_list(6).contains(&left.id) && !organization.account_list(14).contains(&left.id));
        let closed = find(Role::NeverDelivers);
        assert!(
            !organization.expects(closed, 5) && organization.expects(closed, 6) && !organization.expects(closed, 7)
        );
        assert!(
            !organization.account_list(6).contains("SUSPENDED") && organization.account_list(7).contains("SUSPENDED")
        );
        assert_eq!(organization.list_days, [0, 6, 7, 14]);
    }

    #[test]
    fn a_single_account_on_a_single_day_is_an_organisation_too() {
        let organization = organization(1, 1);
        assert_eq!(organization.accounts.len(), 1);
        assert_eq!(organization.list_days, [0]);
    }
}
