//! A scope as the pages read it: who belongs on the as-of day, and what it leaves out.

use actix_web::web::Data;
use sqlx::PgConnection;
use time::Date;

use super::core::PlaceDay;
use super::filter::Which;
use super::shown::{recalled, remember, whole};
use crate::State;
use crate::error::Error;
use crate::organization::scope::{Known, Resolved, Unresolved, resolve};
use crate::web::address::Encoded;
use crate::web::{Standing, format};

/// A scope on the as-of day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scoped {
    pub name: String,
    pub title: String,
    pub day: Date,
    /// Twelve-digit ids in order.
    pub accounts: Vec<String>,
    /// The day of the account list that told units and tags; `None` where none did.
    pub listed_on: Option<Date>,
    /// What could not be decided, and why, in sentences without a full stop.
    pub undecided: Vec<String>,
    /// Of its accounts, those that neither delivered nor were expected to.
    pub absent: i64,
    pub left_out: LeftOut,
    /// Tells this set of accounts from others, among what is remembered.
    pub digest: String,
    /// Whether it is what the room of an engagement shows: no link carries it on, and what it leaves out is not told.
    pub room: bool,
}

/// What is not in a scope, of what was delivered or expected on its day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LeftOut {
    pub accounts: i64,
    /// As the list of evaluations counts them: delivered for the day, or last known of places without evidence.
    pub evaluations: i64,
}

/// Who asks for a scope: as of which day, and by which record of definitions.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub organization_id: i16,
    pub name: &'a str,
    pub day: Date,
    /// The newest number of the record of definitions and ends.
    pub record: i64,
}

impl Scoped {
    /// What the room of an engagement shows on a day: its accounts, and how many of them neither delivered nor were
    /// expected to.
    pub fn of_room(
        title: String,
        day: Date,
        (accounts, absent): (Vec<String>, i64),
        listed_on: Option<Date>,
        undecided: Vec<String>,
    ) -> Self {
        Self {
            name: String::new(),
            title,
            day,
            listed_on,
            undecided,
            absent,
            left_out: LeftOut::default(),
            digest: digest(&accounts),
            room: true,
            accounts,
        }
    }
}

fn digest(accounts: &[String]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, accounts.join(" ").as_bytes());
    format::hex(digest.as_ref())
}

impl Scoped {
    /// Resolves a scope for a page. One that is undecided comes back so: whoever shows figures must refuse it.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchScope`] for a name that was never defined.
    pub async fn load(
        state: &Data<State>,
        standing: &Standing,
        read: &mut PgConnection,
        asked: Asked<'_>,
    ) -> Result<std::sync::Arc<Self>, Error> {
        let Asked { organization_id, name, day, record } = asked;
        let key = standing.key(organization_id, &format!("scope {record} {day} {name:?}"));
        if let Some(scoped) = recalled(state, key.as_deref()) {
            return Ok(scoped);
        }
        let resolved = match resolve(read, organization_id, name, day, Known::ALL).await {
            Ok(resolved) => resolved,
            Err(Unresolved::Database(error)) => return Err(error.into()),
            Err(_) => return Err(Error::NoSuchScope(name.to_owned())),
        };
        let whole = whole(state, standing, read, organization_id, day).await?;
        let scoped = std::sync::Arc::new(Self::of(resolved, &whole));
        remember(state, key, &scoped, 400 + scoped.accounts.len() * 40);
        Ok(scoped)
    }

    /// `whole` are the places of the day, by account.
    fn of(resolved: Resolved, whole: &[PlaceDay]) -> Self {
        let accounts = resolved.account_ids();
        let mut scoped = Self {
            digest: digest(&accounts),
            room: false,
            listed_on: resolved.told_on(),
            name: resolved.name,
            title: resolved.title,
            day: resolved.day,
            undecided: resolved.membership.undecided,
            absent: 0,
            left_out: LeftOut::default(),
            accounts,
        };
        let mut present = 0;
        for of_account in whole.chunk_by(|one, other| one.account_id == other.account_id) {
            if of_account.first().is_some_and(|place| scoped.holds(&place.account_id)) {
                present += 1;
            } else {
                scoped.left_out.accounts += 1;
                scoped.left_out.evaluations += of_account.iter().map(|place| Which::All.of_place(place)).sum::<i64>();
            }
        }
        scoped.absent = scoped.count() - present;
        scoped
    }

    /// Whether an account belongs.
    pub fn holds(&self, account_id: &str) -> bool {
        self.accounts.binary_search_by(|one| one.as_str().cmp(account_id)).is_ok()
    }

    pub fn count(&self) -> i64 {
        i64::try_from(self.accounts.len()).unwrap_or(i64::MAX)
    }

    /// The page of the scope.
    pub fn path(&self) -> String {
        format!("/scopes/{}", Encoded(&self.name))
    }

    /// "2 accounts", or why not.
    pub fn accounts_words(&self) -> String {
        if self.undecided.is_empty() { format::plural(self.count(), "account") } else { "undecided".to_owned() }
    }

    /// "1 account with 3 evaluations".
    pub fn left_out_words(&self) -> String {
        format!(
            "{} with {}",
            format::plural(self.left_out.accounts, "account"),
            format::plural(self.left_out.evaluations, "evaluation")
        )
    }

    /// Who belongs, since when that holds on the page, and who of them is silent: for the head of a page.
    pub fn sentence(&self) -> String {
        let belong = if self.count() == 1 { "belongs" } else { "belong" };
        let list = self
            .listed_on
            .map(|listed_on| format!(", by the account list of {}", format::day(listed_on)))
            .unwrap_or_default();
        let absent = match self.absent {
            0 => String::new(),
            absent if absent == self.count() => {
                " None of them delivered anything for that day or was expected to.".to_owned()
            }
            absent => format!(
                " {} of them neither delivered anything for that day nor {} expected to.",
                format::count(absent),
                if absent == 1 { "was" } else { "were" }
            ),
        };
        format!(
            "{} {belong} to it on {} (UTC){list}.{absent} Earlier days on this page, in trends and comparisons, are those \
             of the same accounts.",
            format::plural(self.count(), "account"),
            format::day(self.day)
        )
    }
}

/// An account with what it has on a day.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccountCount {
    pub account_id: String,
    /// Empty where no account list names it.
    pub name: String,
    /// Account-Regions that were expected or delivered.
    pub places: i64,
    /// As [`LeftOut::evaluations`].
    pub evaluations: i64,
}

/// Every account that delivered for a day or was expected to, by id.
pub async fn account_counts(
    state: &Data<State>,
    standing: &Standing,
    read: &mut PgConnection,
    organization_id: i16,
    day: Date,
) -> Result<Vec<AccountCount>, Error> {
    let whole = whole(state, standing, read, organization_id, day).await?;
    let accounts = whole.chunk_by(|one, other| one.account_id == other.account_id);
    Ok(accounts
        .filter_map(|of_account| {
            let first = of_account.first()?;
            Some(AccountCount {
                account_id: first.account_id.clone(),
                name: first.account_name.clone(),
                places: i64::try_from(of_account.len()).unwrap_or(i64::MAX),
                evaluations: of_account.iter().map(|place| Which::All.of_place(place)).sum(),
            })
        })
        .collect())
}
