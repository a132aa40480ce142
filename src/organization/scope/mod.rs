//! Scope sets: named sets of accounts by organizational unit, account tag or list, dated and with a reason.
//!
//! A scope is resolved to accounts as early as can be, so that everything behind it only knows accounts. Who belongs is
//! decided for one day: the as-of day. Earlier days on the same page, in a trend, a comparison or a pack's period, are
//! those of the same accounts.

mod core;
mod db;
mod form;
pub mod page;
mod show;

use std::collections::BTreeMap;

use sqlx::PgConnection;
use time::Date;

pub use self::core::{Definition, End, Listed, Member, Membership, Selector, is_name, membership};

/// Up to where something is known: a collection, whose account lists count, and a number of the record of definitions
/// and ends. Larger than any is everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    pub collection: i64,
    pub record: i64,
}

impl Known {
    pub const ALL: Self = Self { collection: i64::MAX, record: i64::MAX };
}

/// Why a name gives no set of accounts.
#[derive(Debug, thiserror::Error)]
pub enum Unresolved {
    #[error("there is no scope “{0}”")]
    Unknown(String),
    #[error("scope {name} is undecided on {day}: {why}. Collect with --organizations, or end the definition")]
    Undecided { name: String, day: Date, why: String },
    #[error("scope {name} holds no account on {day}")]
    Empty { name: String, day: Date },
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// A scope on a day: which accounts it holds, by what, and by whose word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    pub name: String,
    /// As the newest definition has it.
    pub title: String,
    pub day: Date,
    /// All that were ever made under the name, as far as is known, in the order they were made.
    pub definitions: Vec<Definition>,
    pub membership: Membership,
    /// The list that told units and tags; `None` where none is known.
    pub listed: Option<Listed>,
}

impl Resolved {
    /// What definitions of one name hold; `None` without any.
    pub fn of(definitions: Vec<Definition>, listed: Option<Listed>, day: Date) -> Option<Self> {
        let newest = definitions.last()?;
        Some(Self {
            name: newest.name.clone(),
            title: newest.title.clone(),
            day,
            membership: membership(&definitions, listed.as_ref(), day),
            definitions,
            listed,
        })
    }

    /// Itself, where it can be spoken for: everything decided, and somebody in it.
    pub fn decided(self) -> Result<Self, Unresolved> {
        let Self { name, day, .. } = &self;
        if !self.membership.undecided.is_empty() {
            let why = self.membership.undecided.join("; ");
            return Err(Unresolved::Undecided { name: name.clone(), day: *day, why });
        }
        if self.membership.accounts.is_empty() {
            return Err(Unresolved::Empty { name: name.clone(), day: *day });
        }
        Ok(self)
    }

    /// Twelve-digit ids in order.
    pub fn account_ids(&self) -> Vec<String> {
        self.membership.accounts.keys().cloned().collect()
    }

    /// The newest number of the record that it rests on.
    pub fn record(&self) -> i64 {
        let numbers = |one: &Definition| one.record.max(one.end.as_ref().map_or(0, |end| end.record));
        self.definitions.iter().map(numbers).max().unwrap_or_default()
    }

    /// The definitions that hold on the day.
    pub fn in_force(&self) -> impl Iterator<Item = &Definition> {
        self.definitions.iter().filter(|one| one.holds_on(self.day))
    }

    /// Whether every definition in force lists its accounts, so that no account list has a say.
    pub fn is_by_list(&self) -> bool {
        self.in_force().all(|one| matches!(one.selector, Selector::Accounts(_)))
    }

    /// The day of the account list that told units and tags; `None` where none did.
    pub fn told_on(&self) -> Option<Date> {
        self.listed.as_ref().filter(|_| !self.is_by_list()).map(|listed| listed.listed_on)
    }

    /// "definition 3", "definitions 3, 7".
    pub fn why_in(&self, account_id: &str) -> String {
        let by = self.membership.accounts.get(account_id).map(Vec::as_slice).unwrap_or_default();
        let numbers: Vec<String> = by.iter().map(ToString::to_string).collect();
        let word = if numbers.len() == 1 { "definition" } else { "definitions" };
        format!("{word} {}", numbers.join(", "))
    }

    /// Why no definition chooses an account: what the list that speaks says of it.
    pub fn why_out(&self, account_id: &str) -> String {
        match &self.listed {
            _ if self.in_force().next().is_none() => "no definition is in force that day".to_owned(),
            _ if self.is_by_list() => "on no list of the scope".to_owned(),
            Some(listed) => format!("chosen by no definition: {}", listed.of(account_id)),
            None => "chosen by no definition".to_owned(),
        }
    }
}

/// Names and titles of the scopes that were ever defined, by name.
pub async fn names(db: &mut PgConnection, organization_id: i16) -> sqlx::Result<Vec<(String, String)>> {
    db::names(db, organization_id).await
}

/// Makes a definition under a name and a title, for a reason and in somebody's name, and gives its number.
pub async fn define(
    db: &mut PgConnection,
    organization_id: i16,
    (name, title): (&str, &str),
    selector: &Selector,
    first_day: Date,
    (reason, made_by): (&str, &str),
) -> sqlx::Result<i64> {
    db::make(db, &db::New { organization_id, name, title, selector, first_day, reason, made_by }).await
}

/// What a scope holds on a day, as far as is known.
pub async fn resolve(
    db: &mut PgConnection,
    organization_id: i16,
    name: &str,
    day: Date,
    known: Known,
) -> Result<Resolved, Unresolved> {
    let unknown = || Unresolved::Unknown(name.to_owned());
    if !is_name(name) {
        return Err(unknown());
    }
    let definitions = db::definitions(db, organization_id, Some(name), known.record).await?;
    if definitions.is_empty() {
        return Err(unknown());
    }
    let listed = db::listed(db, organization_id, day, known.collection).await?;
    Resolved::of(definitions, listed, day).ok_or_else(unknown)
}

/// Every scope on a day, by name.
async fn all(db: &mut PgConnection, organization_id: i16, day: Date) -> sqlx::Result<Vec<Resolved>> {
    let mut by_name: BTreeMap<String, Vec<Definition>> = BTreeMap::new();
    for definition in db::definitions(db, organization_id, None, Known::ALL.record).await? {
        by_name.entry(definition.name.clone()).or_default().push(definition);
    }
    if by_name.is_empty() {
        return Ok(Vec::new());
    }
    let listed = db::listed(db, organization_id, day, Known::ALL.collection).await?;
    let mut resolved = Vec::new();
    for definitions in by_name.into_values() {
        // The list is large and the same for all: only who belongs is kept of it.
        let membership = membership(&definitions, listed.as_ref(), day);
        if let Some(scope) = Resolved::of(definitions, None, day) {
            resolved.push(Resolved { membership, ..scope });
        }
    }
    Ok(resolved)
}
