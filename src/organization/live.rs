//! Reading AWS Organizations itself.
//!
//! The cheapest way to every account's place in the tree is down the tree: two short listings a unit. Asking each account
//! for its parent would be one call an account, and the units' names would still be wanted. Tags are one call an account
//! whatever one does.

use std::collections::BTreeMap;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use time::Date;

use super::accounts::AccountFile;
use super::core::{AccountList, Listing, Origin, Placement};
use crate::aws::failure::{Asked, Failure};
use crate::aws::organizations::{Account, Organizations, Unit};
use crate::aws::role::is_account_id;
use crate::aws::{AwsSettings, Clients};

/// Organizations allows a root and five levels of units below it:
/// <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html>. More is a circle.
const LEVELS: usize = 16;

/// Reads all accounts with their places in the tree and their tags, whole or not at all.
///
/// # Errors
///
/// In words for a person: which action failed, for whom, as whom.
pub async fn read(settings: &AwsSettings, today: Date) -> Result<AccountFile, String> {
    let aws = Clients::load(settings).await?.organization().await.organizations();
    whole(&aws, usize::from(settings.accounts_at_a_time.max(1)), today).await.map_err(|failure| failure.to_string())
}

async fn whole(aws: &Organizations, at_a_time: usize, today: Date) -> Result<AccountFile, Failure> {
    let accounts = aws.accounts().await?;
    let asked = Asked { action: "organizations:ListAccounts", subject: "the organisation", role: aws.role() };
    if accounts.is_empty() {
        // There is always the management account: an empty list is no list.
        return Err(Failure::transient(asked, "the answer names no account"));
    }
    let tree = tree(aws).await?;
    let listings: Vec<_> = accounts.into_iter().map(|account| listing(aws, &tree, account)).collect();
    let mut accounts: Vec<Listing> = stream::iter(listings).buffer_unordered(at_a_time).try_collect().await?;
    accounts.sort_by(|one, other| one.account_id.cmp(&other.account_id));
    if accounts.windows(2).any(|pair| pair[0].account_id == pair[1].account_id) {
        return Err(Failure::transient(asked, "the answer names an account twice"));
    }
    if let Some(odd) = accounts.iter().find(|one| !is_account_id(&one.account_id)) {
        return Err(Failure::transient(asked, &format!("{:?} is not the id of an account", odd.account_id)));
    }
    let source = match aws.role() {
        Some(role) => format!("AWS Organizations, as {role}"),
        None => "AWS Organizations".to_owned(),
    };
    let sha256 = fingerprint(&accounts);
    Ok(AccountFile { list: AccountList { listed_on: today, accounts }, source, sha256, origin: Origin::Organizations })
}

/// The organisation's tree as it was walked.
#[derive(Debug, Default)]
struct Tree {
    /// The way to each root and unit, itself included, by id.
    ways: BTreeMap<String, Vec<Unit>>,
    /// What each account stands in, by the account's id.
    parents: BTreeMap<String, String>,
}

async fn tree(aws: &Organizations) -> Result<Tree, Failure> {
    let mut tree = Tree::default();
    let mut open: Vec<Vec<Unit>> = aws.roots().await?.into_iter().map(|root| vec![root]).collect();
    while let Some(way) = open.pop() {
        let Some(last) = way.last() else { continue };
        let id = last.id.clone();
        if way.len() > LEVELS || tree.ways.contains_key(&id) {
            let action = "organizations:ListOrganizationalUnitsForParent";
            return Err(Failure::transient(
                Asked { action, subject: &id, role: aws.role() },
                "the units go round in circles",
            ));
        }
        for unit in aws.units(&id).await? {
            open.push(way.iter().cloned().chain([unit]).collect());
        }
        for account in aws.accounts_in(&id).await? {
            tree.parents.insert(account, id.clone());
        }
        tree.ways.insert(id, way);
    }
    Ok(tree)
}

/// An account with its place and its tags. One that was moved while the tree was walked is asked where it is.
async fn listing(aws: &Organizations, tree: &Tree, account: Account) -> Result<Listing, Failure> {
    let parent = match tree.parents.get(&account.id) {
        Some(parent) => Some(parent.clone()),
        None => aws.parent(&account.id).await?,
    };
    let way = parent.as_ref().and_then(|parent| tree.ways.get(parent));
    let Some(way) = way else {
        let asked = Asked { action: "organizations:ListParents", subject: &account.id, role: aws.role() };
        return Err(Failure::transient(asked, "the organisation's tree changed while it was read"));
    };
    let tags = aws.tags(&account.id).await?;
    Ok(Listing {
        name: account.name.unwrap_or_else(|| account.id.clone()),
        account_id: account.id,
        email: account.email,
        arn: account.arn,
        status: account.state.unwrap_or_else(|| "ACTIVE".to_owned()),
        joined_at: account.joined_at,
        joined_method: account.joined_method,
        placement: Some(Placement {
            ids: way.iter().map(|unit| unit.id.clone()).collect(),
            names: way.iter().map(|unit| unit.name.clone()).collect(),
        }),
        tags: Some(tags),
    })
}

/// SHA-256 of what was read, in one order, so that an unchanged organisation is told from a changed one.
fn fingerprint(accounts: &[Listing]) -> [u8; 32] {
    let rows: Vec<serde_json::Value> = accounts
        .iter()
        .map(|one| {
            serde_json::json!([
                one.account_id,
                one.name,
                one.email,
                one.arn,
                one.status,
                one.joined_method,
                one.joined_at.map(time::OffsetDateTime::unix_timestamp),
                one.placement.as_ref().map(|placement| (&placement.ids, &placement.names)),
                one.tags,
            ])
        })
        .collect();
    let mut sha256 = [0; 32];
    let text = serde_json::Value::Array(rows).to_string();
    sha256.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, text.as_bytes()).as_ref());
    sha256
}
