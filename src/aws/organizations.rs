//! AWS Organizations: accounts, the tree they stand in, their tags. Only the management account and delegated
//! administrators may ask.

use std::collections::BTreeMap;

use time::OffsetDateTime;

use super::failure::{Asked, Failure};
use super::paging::{Pages, moment};
use super::role::RoleArn;

/// What a call that names no account or unit is about.
const WHOLE: &str = "the organisation";

/// An organisation as some credentials see it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Organizations {
    client: aws_sdk_organizations::Client,
    role: Option<RoleArn>,
}

/// A member account: <https://docs.aws.amazon.com/organizations/latest/APIReference/API_Account.html>.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub id: String,
    pub arn: Option<String>,
    pub name: Option<String>,
    pub email: Option<String>,
    /// `State`; where that is absent, the older `Status` (retired in September 2026).
    pub state: Option<String>,
    /// `CREATED` or `INVITED`.
    pub joined_method: Option<String>,
    pub joined_at: Option<OffsetDateTime>,
}

/// The root or an organizational unit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unit {
    pub id: String,
    pub name: String,
}

impl Organizations {
    pub(super) fn new(client: aws_sdk_organizations::Client, role: Option<&RoleArn>) -> Self {
        Self { client, role: role.cloned() }
    }

    /// The role whose credentials are used; `None` for the program's own.
    pub fn role(&self) -> Option<&RoleArn> {
        self.role.as_ref()
    }

    fn asked<'a>(&'a self, action: &'static str, subject: &'a str) -> Asked<'a> {
        Asked { action, subject, role: self.role.as_ref() }
    }

    /// Every account: <https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html>.
    pub async fn accounts(&self) -> Result<Vec<Account>, Failure> {
        let asked = self.asked("organizations:ListAccounts", WHOLE);
        let (mut pages, mut found) = (Pages::default(), Vec::new());
        loop {
            let call = self.client.list_accounts().set_next_token(pages.token());
            let page = call.send().await.map_err(|error| Failure::of_sdk(&error, asked))?;
            for one in page.accounts.unwrap_or_default() {
                let Some(id) = one.id else {
                    return Err(Failure::transient(asked, "the list has an account without an id"));
                };
                let status = one.status.as_ref().map(|status| status.as_str().to_owned());
                found.push(Account {
                    id,
                    arn: one.arn,
                    name: one.name,
                    email: one.email,
                    state: one.state.as_ref().map(|state| state.as_str().to_owned()).or(status),
                    joined_method: one.joined_method.as_ref().map(|method| method.as_str().to_owned()),
                    joined_at: one.joined_timestamp.as_ref().and_then(moment),
                });
            }
            if !pages.turn(page.next_token, asked)? {
                return Ok(found);
            }
        }
    }

    /// One account, if there is any: one call.
    pub async fn first_account(&self) -> Result<Option<String>, Failure> {
        let asked = self.asked("organizations:ListAccounts", WHOLE);
        let call = self.client.list_accounts().max_results(1);
        let page = call.send().await.map_err(|error| Failure::of_sdk(&error, asked))?;
        Ok(page.accounts.unwrap_or_default().into_iter().find_map(|one| one.id))
    }

    /// The root: <https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListRoots.html>.
    pub async fn roots(&self) -> Result<Vec<Unit>, Failure> {
        let asked = self.asked("organizations:ListRoots", WHOLE);
        let (mut pages, mut found) = (Pages::default(), Vec::new());
        loop {
            let call = self.client.list_roots().set_next_token(pages.token());
            let page = call.send().await.map_err(|error| Failure::of_sdk(&error, asked))?;
            for one in page.roots.unwrap_or_default() {
                found.push(unit(one.id, one.name, asked)?);
            }
            if !pages.turn(page.next_token, asked)? {
                return Ok(found);
            }
        }
    }

    /// The units directly below one:
    /// <https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListOrganizationalUnitsForParent.html>.
    pub async fn units(&self, parent: &str) -> Result<Vec<Unit>, Failure> {
        let asked = self.asked("organizations:ListOrganizationalUnitsForParent", parent);
        let (mut pages, mut found) = (Pages::default(), Vec::new());
        loop {
            let call = self.client.list_organizational_units_for_parent().parent_id(parent);
            let call = call.set_next_token(pages.token());
            let page = call.send().await.map_err(|error| Failure::of_sdk(&error, asked))?;
            for one in page.organizational_units.unwrap_or_default() {
                found.push(unit(one.id, one.name, asked)?);
            }
            if !pages.turn(page.next_token, asked)? {
                return Ok(found);
            }
        }
    }

    /// Ids of the accounts directly in the root or a unit:
    /// <https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccountsForParent.html>.
    pub async fn accounts_in(&self, parent: &str) -> Result<Vec<String>, Failure> {
        let asked = self.asked("organizations:ListAccountsForParent", parent);
        let (mut pages, mut found) = (Pages::default(), Vec::new());
        loop {
            let call = self.client.list_accounts_for_parent().parent_id(parent).set_next_token(pages.token());
            let page = call.send().await.map_err(|error| Failure::of_sdk(&error, asked))?;
            found.extend(page.accounts.unwrap_or_default().into_iter().filter_map(|one| one.id));
            if !pages.turn(page.next_token, asked)? {
                return Ok(found);
            }
        }
    }

    /// The id of what an account stands in:
    /// <https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListParents.html>.
    pub async fn parent(&self, account_id: &str) -> Result<Option<String>, Failure> {
        let asked = self.asked("organizations:ListParents", account_id);
        let (mut pages, mut found) = (Pages::default(), None);
        loop {
            let call = self.client.list_parents().child_id(account_id).set_next_token(pages.token());
            let page = call.send().await.map_err(|error| Failure::of_sdk(&error, asked))?;
            found = found.or(page.parents.unwrap_or_default().into_iter().find_map(|one| one.id));
            if !pages.turn(page.next_token, asked)? {
                return Ok(found);
            }
        }
    }

    /// An account's tags: <https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListTagsForResource.html>.
    pub async fn tags(&self, account_id: &str) -> Result<BTreeMap<String, String>, Failure> {
        let asked = self.asked("organizations:ListTagsForResource", account_id);
        let (mut pages, mut found) = (Pages::default(), BTreeMap::new());
        loop {
            let call = self.client.list_tags_for_resource().resource_id(account_id).set_next_token(pages.token());
            let page = call.send().await.map_err(|error| Failure::of_sdk(&error, asked))?;
            found.extend(page.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)));
            if !pages.turn(page.next_token, asked)? {
                return Ok(found);
            }
        }
    }
}

fn unit(id: Option<String>, name: Option<String>, asked: Asked<'_>) -> Result<Unit, Failure> {
    let Some(id) = id else { return Err(Failure::transient(asked, "the list has a unit without an id")) };
    Ok(Unit { name: name.unwrap_or_else(|| id.clone()), id })
}
