//! The extractors that every page starts from: who asks, about which organisation, as of which day.

use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, web};
use futures_util::future::LocalBoxFuture;
use sqlx::Postgres;
use time::macros::format_description;
use time::{Date, OffsetDateTime};

use super::address::Address;
use super::db;
use super::frame::{Days, Frame, Section};
use crate::State;
use crate::compliance::scoped::{Asked, Scoped};
use crate::database::admitted;
use crate::engagement::{self, Room, Terms};
use crate::error::Error;
use crate::people::{AsOf, Bearer, Role, Ticket, User, admit, let_in};
use crate::retention::Floor;

/// One read-only transaction: everything on a page is from one moment of the store.
pub type Read = sqlx::Transaction<'static, Postgres>;

/// The organisation that is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    pub id: i16,
    pub name: String,
    /// Whether an account list, and whether a list of Regions, was ever read.
    pub accounts_listed: bool,
    pub regions_listed: bool,
}

impl Organization {
    /// Whether what never delivered can be missed: only with both lists is it known what should deliver.
    pub fn listed(&self) -> bool {
        self.accounts_listed && self.regions_listed
    }

    /// What every page says where completeness is not established.
    fn notice(&self) -> Option<&'static str> {
        match (self.accounts_listed, self.regions_listed) {
            (true, true) => None,
            (false, false) => Some("neither an account list nor a list of Regions was read"),
            (false, true) => Some("no account list was read"),
            (true, false) => Some("no list of Regions was read"),
        }
    }
}

/// What the store stands on: its newest collections.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    newest_collection: Option<i64>,
    /// Whether a program is collecting now.
    pub running: bool,
    /// Collections that have no end on record, running or not.
    unfinished: Option<String>,
    /// The newest that finished.
    pub collection_id: Option<i64>,
    pub finished_at: Option<OffsetDateTime>,
    pub source: Option<String>,
    pub engine: Option<String>,
    /// Whether results of AWS's aggregator were compared.
    pub compared: bool,
    /// Where the kept evidence begins, where any was removed.
    pub floor: Option<Floor>,
    /// Notices that are open, and those of them that nobody has acknowledged.
    pub open_notices: (i64, i64),
    /// The room that the transaction is confined to, with its terms.
    room: Option<String>,
}

impl Standing {
    /// Of a transaction that is confined to a room from here on. What concerns the team alone is left out.
    pub fn confine(&mut self, room: String) {
        self.room = Some(room);
        self.compared = false;
        self.open_notices = (0, 0);
    }

    /// The key of something that depends on the store as it stands; `None` while a collection changes it.
    ///
    /// A collection without an end on record is named: its program is gone, or has ended it since this transaction
    /// began, and then what is read here is older than what the next page reads.
    pub fn key(&self, organization_id: i16, what: &str) -> Option<String> {
        let newest = self.newest_collection.filter(|_| !self.running)?;
        let unfinished = self.unfinished.as_deref().unwrap_or_default();
        let kept_from = self.floor.as_ref().map(|floor| floor.first_day.to_string()).unwrap_or_default();
        let room = self.room.as_deref().unwrap_or_default();
        Some(format!("{organization_id}|{newest}|{unfinished}|{kept_from}|{room}|{what}"))
    }
}

/// A signed-in request, with or without collected days: for collections, packs and jobs.
#[derive(Debug)]
pub struct Visit {
    pub user: User,
    pub organization: Option<Organization>,
    pub days: Option<Days>,
    /// The scope that is read, undecided or not; `None` is the whole organisation.
    pub scope: Option<Arc<Scoped>>,
    /// The room that an auditor is in: everything that is read is of it.
    pub room: Option<Room>,
    pub standing: Standing,
    pub read: Read,
    pub address: Address,
    pub demo: bool,
}

/// A signed-in request about a collected day.
#[derive(Debug)]
pub struct View {
    pub user: User,
    pub organization_id: i16,
    pub organization: Organization,
    pub as_of: Date,
    pub first_day: Date,
    pub latest: Date,
    /// Whether the day shown is the latest.
    pub latest_is: bool,
    /// The scope that is read, decided; `None` is the whole organisation.
    pub scope: Option<Arc<Scoped>>,
    /// The room that an auditor is in: everything that is read is of it.
    pub room: Option<Room>,
    pub standing: Standing,
    /// All queries of the page go through it.
    pub read: Read,
    /// Path and query of this page: filters, sort, place in the table.
    pub address: Address,
    pub demo: bool,
}

impl Visit {
    /// Why there is no day to show.
    pub fn without_days(&self) -> Error {
        if let Some(room) = &self.room {
            let Terms { first_day, last_day, .. } = *room.terms();
            return Error::NothingOfPeriod { first_day, last_day };
        }
        self.standing.floor.clone().map_or(Error::NothingCollected, Error::NothingKept)
    }

    /// The frame of a page in a section; the title names the page.
    pub fn frame(&self, section: Section, title: impl Into<String>) -> Frame {
        Frame {
            section: Some(section),
            user: Some(self.user.clone()),
            organization: self.organization.as_ref().map(|organization| organization.name.clone()),
            floor: self.standing.floor.clone(),
            incomplete: self.organization.as_ref().and_then(Organization::notice),
            days: self.days,
            as_of: self.days.map(|days| days.as_of),
            scope_name: self.scope.as_ref().filter(|scope| !scope.room).map(|scope| scope.name.clone()),
            room: self.room.clone(),
            scope: self.scope.clone(),
            address: self.address.clone(),
            sections: true,
            ..Frame::bare(title, self.demo)
        }
    }
}

impl View {
    /// The frame of a page in a section; the title names the page.
    pub fn frame(&self, section: Section, title: impl Into<String>) -> Frame {
        Frame {
            section: Some(section),
            user: Some(self.user.clone()),
            organization: Some(self.organization.name.clone()),
            floor: self.standing.floor.clone(),
            incomplete: self.organization.notice(),
            days: Some(Days { first: self.first_day, latest: self.latest, as_of: self.as_of }),
            as_of: Some(self.as_of),
            scope_name: self.scope.as_ref().filter(|scope| !scope.room).map(|scope| scope.name.clone()),
            room: self.room.clone(),
            scope: self.scope.clone(),
            address: self.address.clone(),
            sections: true,
            ..Frame::bare(title, self.demo)
        }
    }

    /// The key of something that depends on the store as it stands and on the scope, among what is remembered.
    pub fn key(&self, what: &str) -> Option<String> {
        match &self.scope {
            None => self.standing.key(self.organization_id, what),
            Some(scope) => self.standing.key(self.organization_id, &format!("scope {}|{what}", scope.digest)),
        }
    }

    /// Whether an account belongs to what is read.
    pub fn holds(&self, account_id: &str) -> bool {
        self.scope.as_ref().is_none_or(|scope| scope.holds(account_id))
    }

    /// Refuses a page about an account that the scope leaves out.
    pub fn require(&self, account_id: &str) -> Result<(), Error> {
        match &self.scope {
            // Whether there is such an account elsewhere is not told.
            Some(scope) if !scope.holds(account_id) && scope.room => Err(Error::NotFound),
            Some(scope) if !scope.holds(account_id) => {
                Err(Error::OutOfScope { name: scope.name.clone(), account_id: account_id.to_owned() })
            }
            _ => Ok(()),
        }
    }

    /// The name of a file of rows, which says its scope.
    pub fn stem(&self, what: impl std::fmt::Display) -> String {
        match &self.scope {
            None => format!("{what}-{}", self.as_of),
            Some(scope) if scope.room => format!("{what}-{}", self.as_of),
            Some(scope) => format!("{what}-{}-scope-{}", self.as_of, scope.name),
        }
    }
}

/// Years that a day in an address can have: before them AWS was not, beyond them days cannot be added to.
const YEARS: std::ops::RangeInclusive<i32> = 1970..=9000;

/// Reads `YYYY-MM-DD`.
pub fn parse_day(text: &str) -> Option<Date> {
    let day = Date::parse(text, format_description!("[year]-[month]-[day]")).ok();
    day.filter(|day| YEARS.contains(&day.year()))
}

async fn visit(request: HttpRequest) -> Result<Visit, Error> {
    let state = request.app_data::<web::Data<State>>().expect("every app is built with its state");
    let now = state.clock.now();
    let (mut read, user, row) = if let Some(user) = Bearer::user(&request) {
        let mut read = begin(state.db.clone()).await?;
        let row = db::organization(&mut *read).await?;
        (read, let_in(&request, user)?, row)
    } else {
        let ticket = Ticket::of(&request).ok_or(Error::SignInNeeded)?;
        let mut read = begin(state.db.clone()).await?;
        let row = db::visit(&mut *read, &ticket).await?.ok_or(Error::SignInNeeded)?;
        let user = admit(&request, &ticket, row.session).await?.ok_or(Error::SignInNeeded)?;
        (read, user, row.organization)
    };
    let room = match (user.role, user.engagement_id) {
        (Role::Auditor, Some(engagement_id)) => {
            let organization_id = row.organization_id.ok_or(Error::NoRoom)?;
            Some(engagement::enter(&mut read, &user, (organization_id, engagement_id), now).await?)
        }
        (Role::Auditor, None) => return Err(Error::NoRoom),
        _ => None,
    };
    let address = Bearer::address(&request, Address::parse(request.path(), request.query_string()));
    let kept = (row.kept_from, row.removed_on, row.retention);
    let floor = match kept {
        (Some(first_day), Some(removed_on), Some(setting)) => Some(Floor { first_day, removed_on, setting }),
        _ => None,
    };
    let collected = row.first_day.zip(row.latest);
    let days = match (collected, &room) {
        (Some((first, latest)), Some(room)) => room.days(first, latest),
        (collected, _) => collected,
    };
    let days = match days {
        None => None,
        Some((first, latest)) => Some(Days { first, latest, as_of: chosen(&address, first, latest, floor.as_ref())? }),
    };
    let organization = row.organization_id.zip(row.name).map(|(id, name)| Organization {
        id,
        name,
        accounts_listed: row.accounts_listed.unwrap_or(false),
        regions_listed: row.regions_listed.unwrap_or(false),
    });
    let record = row.scope_record.unwrap_or_default();
    let mut standing = Standing {
        newest_collection: row.newest_collection,
        running: row.running.unwrap_or(false),
        unfinished: row.unfinished,
        collection_id: row.collection_id,
        finished_at: row.finished_at,
        source: row.source,
        engine: row.engine,
        compared: row.compared.unwrap_or(false),
        floor,
        open_notices: (row.open_notices.unwrap_or_default(), row.new_notices.unwrap_or_default()),
        room: None,
    };
    let scope = match (&room, address.get("scope"), &organization, days) {
        (Some(room), _, Some(organization), days) => {
            let day = days.map_or(room.terms().last_day, |days| days.as_of);
            Some(engagement::confine(state, &mut read, &mut standing, organization.id, room, day).await?)
        }
        (None, Some(name), Some(organization), Some(days)) => {
            let asked = Asked { organization_id: organization.id, name, day: days.as_of, record };
            Some(Scoped::load(state, &standing, &mut read, asked).await?)
        }
        _ => None,
    };
    if user.token_id.is_some() {
        let day = days.map(|days| days.as_of);
        request.extensions_mut().insert(AsOf { day, collection_id: standing.collection_id });
    }
    Ok(Visit { user, organization, days, scope, room, standing, read, address, demo: state.demo })
}

/// Begins the page's transaction, in a task of its own: who leaves before the answer drops the handler, and a BEGIN that
/// nobody waits for any more would give its connection back within a transaction, with what was true then for the next.
async fn begin(db: sqlx::PgPool) -> Result<Read, Error> {
    let begun = async move {
        admitted(|| async { db.begin_with("begin isolation level repeatable read, read only").await }).await
    };
    Ok(actix_web::rt::spawn(begun).await.map_err(anyhow::Error::from)??)
}

/// The day in the address, or the latest where it names none.
fn chosen(address: &Address, first: Date, latest: Date, floor: Option<&Floor>) -> Result<Date, Error> {
    match address.get("as_of") {
        None | Some("latest") => Ok(latest),
        Some(text) => kept(parse_day(text), "as_of", floor)?
            .filter(|day| (first..=latest).contains(day))
            .ok_or_else(|| Error::DayNotCollected { asked: text.to_owned(), first, latest }),
    }
}

/// A day that a parameter of the address asks for, unless its evidence was removed.
pub fn kept(day: Option<Date>, parameter: &'static str, floor: Option<&Floor>) -> Result<Option<Date>, Error> {
    match (day, floor) {
        (Some(day), Some(floor)) if floor.removed(day) => Err(Error::DayRemoved { parameter, floor: floor.clone() }),
        _ => Ok(day),
    }
}

impl FromRequest for Visit {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        Box::pin(visit(request.clone()))
    }
}

impl FromRequest for View {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let visit = visit(request).await?;
            let without_days = visit.without_days();
            let (Some(organization), Some(days)) = (visit.organization, visit.days) else {
                return Err(without_days);
            };
            if let Some(scope) = visit.scope.as_ref().filter(|scope| !scope.undecided.is_empty()) {
                let why = scope.undecided.join("; ");
                return Err(Error::ScopeUndecided { name: scope.name.clone(), why });
            }
            Ok(Self {
                scope: visit.scope,
                room: visit.room,
                user: visit.user,
                organization_id: organization.id,
                organization,
                as_of: days.as_of,
                first_day: days.first,
                latest: days.latest,
                latest_is: days.as_of == days.latest,
                standing: visit.standing,
                read: visit.read,
                address: visit.address,
                demo: visit.demo,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_that_days_cannot_be_added_to_is_none() {
        assert!(parse_day("2026-11-24").is_some() && parse_day("1970-01-01").is_some());
        for text in ["9999-12-31", "-9999-01-05", "1969-12-31", "2026-02-30", "24-11-2026", ""] {
            assert_eq!(parse_day(text), None, "{text}");
        }
    }
}
