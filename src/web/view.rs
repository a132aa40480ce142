//! The extractors that every page starts from: who asks, about which organisation, as of which day.

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use futures_util::future::LocalBoxFuture;
use sqlx::Postgres;
use time::Date;
use time::macros::format_description;

use super::address::Address;
use super::db;
use super::frame::{Days, Frame, Section};
use crate::State;
use crate::error::Error;
use crate::organization::scope;
use crate::people::User;

/// One read-only transaction: everything on a page is from one moment of the store.
pub type Read = sqlx::Transaction<'static, Postgres>;

/// The organisation that is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    pub id: i16,
    pub name: String,
    /// Whether an account list was ever read. Without one "completeness against the organisation not established".
    pub listed: bool,
}

/// A signed-in request, with or without collected days: for collections, packs and jobs.
#[derive(Debug)]
pub struct Visit {
    pub user: User,
    pub organization: Option<Organization>,
    pub days: Option<Days>,
    /// The scope that the address names, on the as-of day.
    pub scope: Option<scope::Shown>,
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
    /// The scope that the address names, on the as-of day; `None` is every account.
    pub scope: Option<scope::Shown>,
    /// All queries of the page go through it.
    pub read: Read,
    /// Path and query of this page: filters, sort, place in the table.
    pub address: Address,
    pub demo: bool,
}

impl Visit {
    /// The frame of a page in a section; the title names the page.
    pub fn frame(&self, section: Section, title: impl Into<String>) -> Frame {
        Frame {
            section: Some(section),
            user: Some(self.user.clone()),
            organization: self.organization.as_ref().map(|organization| organization.name.clone()),
            days: self.days,
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
            days: Some(Days { first: self.first_day, latest: self.latest, as_of: self.as_of }),
            scope: self.scope.clone(),
            scoped: self.scope.is_some(),
            address: self.address.clone(),
            sections: true,
            ..Frame::bare(title, self.demo)
        }
    }

    /// Makes another day the page's, also for who belongs to the scope.
    pub async fn turn_to(&mut self, day: Date) -> Result<(), Error> {
        self.as_of = day;
        if let Some(scope) = &self.scope {
            let name = scope.resolved.name.clone();
            let shown = scope::shown(&mut self.read, self.organization_id, &name, day).await.map_err(unresolved)?;
            self.scope = Some(shown);
        }
        Ok(())
    }

    /// The accounts of the scope; `None` is every account.
    pub fn scope_accounts(&self) -> Option<&[String]> {
        self.scope.as_ref().map(|scope| scope.resolved.accounts.as_slice())
    }
}

/// Reads `YYYY-MM-DD`.
pub fn parse_day(text: &str) -> Option<Date> {
    Date::parse(text, format_description!("[year]-[month]-[day]")).ok()
}

async fn visit(request: HttpRequest) -> Result<Visit, Error> {
    let user = User::extract(&request).await?;
    let state = request.app_data::<web::Data<State>>().expect("every app is built with its state");
    let mut read = state.db.begin_with("begin isolation level repeatable read, read only").await?;
    let row = db::organization(&mut *read).await?;
    let address = Address::parse(request.path(), request.query_string());
    let days = match row.as_ref().and_then(|row| row.first_day.zip(row.latest)) {
        None => None,
        Some((first, latest)) => Some(Days { first, latest, as_of: chosen(&address, first, latest)? }),
    };
    let scope = match (address.get("scope"), &row, days) {
        (Some(name), Some(row), Some(days)) => {
            Some(scope::shown(&mut read, row.organization_id, name, days.as_of).await.map_err(unresolved)?)
        }
        _ => None,
    };
    Ok(Visit {
        user,
        organization: row.map(|row| Organization { id: row.organization_id, name: row.name, listed: row.listed }),
        days,
        scope,
        read,
        address,
        demo: state.demo,
    })
}

fn unresolved(error: scope::Unresolved) -> Error {
    match error {
        scope::Unresolved::Unknown(name) => Error::Invalid(format!("There is no scope “{name}”.")),
        scope::Unresolved::Database(error) => error.into(),
    }
}

/// The day in the address, or the latest where it names none.
fn chosen(address: &Address, first: Date, latest: Date) -> Result<Date, Error> {
    match address.get("as_of") {
        None | Some("latest") => Ok(latest),
        Some(text) => parse_day(text)
            .filter(|day| (first..=latest).contains(day))
            .ok_or_else(|| Error::DayNotCollected { asked: text.to_owned(), first, latest }),
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
            let (Some(organization), Some(days)) = (visit.organization, visit.days) else {
                return Err(Error::NothingCollected);
            };
            Ok(Self {
                user: visit.user,
                organization_id: organization.id,
                organization,
                as_of: days.as_of,
                first_day: days.first,
                latest: days.latest,
                latest_is: days.as_of == days.latest,
                scope: visit.scope,
                read: visit.read,
                address: visit.address,
                demo: visit.demo,
            })
        })
    }
}
