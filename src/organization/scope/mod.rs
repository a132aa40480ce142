//! Scope sets: named sets of accounts by organizational unit, account tag or list, dated and with a reason.
//!
//! A scope is resolved to accounts as early as can be, so that everything behind it only knows accounts.

mod core;
mod db;
mod form;
pub mod page;

use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use time::Date;

pub use self::core::{Definition, Member, Membership, Selector, is_name, membership};

/// A scope on a day: which accounts it holds, and by what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolved {
    pub name: String,
    /// Twelve-digit ids in order.
    pub accounts: Vec<String>,
    /// Each definition that holds on the day, in words with its days.
    pub definitions: Vec<String>,
    /// Each one's reason.
    pub reasons: Vec<String>,
    /// The day of the account list that tells units and tags; `None` where there is none.
    pub listed_on: Option<String>,
    /// What could not be decided, and why; empty where all could.
    pub undecided: String,
}

impl Resolved {
    /// Itself, where it can be spoken for: everything decided, and somebody in it.
    ///
    /// # Errors
    ///
    /// Why not, in words that say what to do.
    pub fn decided(self, day: Date) -> Result<Self, String> {
        if !self.undecided.is_empty() {
            return Err(format!("scope {}: {}", self.name, self.undecided));
        }
        if self.accounts.is_empty() {
            return Err(format!("scope {} holds no account on {day}", self.name));
        }
        Ok(self)
    }
}

/// Names of the scopes that were ever defined, in order.
pub async fn names(db: &mut PgConnection, organization_id: i16) -> sqlx::Result<Vec<String>> {
    db::names(db, organization_id).await
}

/// Why a name gives no set of accounts.
#[derive(Debug, thiserror::Error)]
pub enum Unresolved {
    #[error("there is no scope “{0}”")]
    Unknown(String),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// A scope as a page shows it: resolved on its as-of day, with what it leaves out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    pub resolved: Resolved,
    pub accounts_left_out: i64,
    /// Delivered for the day by accounts that it leaves out.
    pub evaluations_left_out: i64,
}

impl Shown {
    /// Whether an account belongs.
    pub fn holds(&self, account_id: &str) -> bool {
        self.resolved.accounts.binary_search_by(|one| one.as_str().cmp(account_id)).is_ok()
    }
}

/// Resolves a scope for a page.
pub async fn shown(db: &mut PgConnection, organization_id: i16, name: &str, day: Date) -> Result<Shown, Unresolved> {
    let resolved = resolve(db, organization_id, name, day, i64::MAX).await?;
    let (accounts_left_out, evaluations_left_out) = db::left_out(db, organization_id, &resolved.accounts, day).await?;
    Ok(Shown { resolved, accounts_left_out, evaluations_left_out })
}

/// What a scope holds on a day, by the account lists that were known at a collection (`i64::MAX`: all).
pub async fn resolve(
    db: &mut PgConnection,
    organization_id: i16,
    name: &str,
    day: Date,
    known_at: i64,
) -> Result<Resolved, Unresolved> {
    let definitions = db::definitions(db, organization_id, Some(name)).await?;
    if definitions.is_empty() {
        return Err(Unresolved::Unknown(name.to_owned()));
    }
    let listed = db::listed(db, organization_id, day, known_at).await?;
    let membership = membership(&definitions, listed.as_ref().map(|(_, members)| members.as_slice()), day);
    let holding: Vec<&Definition> = definitions.iter().filter(|one| one.holds_on(day)).collect();
    Ok(Resolved {
        name: name.to_owned(),
        accounts: membership.accounts.into_iter().collect(),
        definitions: holding.iter().map(|one| one.words()).collect(),
        reasons: holding.iter().map(|one| one.reason.clone()).collect(),
        listed_on: listed.map(|(listed_on, _)| listed_on.to_string()),
        undecided: membership.undecided.unwrap_or_default(),
    })
}
