//! What stands around every page: the bar with the as-of day, the sections, the way back.

use std::sync::Arc;

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, REFRESH};
use actix_web::{HttpRequest, HttpResponse, Responder, ResponseError as _};
use askama::Template;
use time::Date;

use super::address::{Address, Encoded};
use super::{assets, format, is_of_rooms};
use crate::compliance::scoped::Scoped;
use crate::engagement::Room;
use crate::error::Error;
use crate::people::{Role, User};
use crate::retention::Floor;

/// A template as an answer. A failed render becomes the error page.
#[derive(Debug)]
pub struct Page<T>(pub T);

impl<T: Template> Page<T> {
    /// The page as an answer that the browser asks for again after so many seconds, for pages of running work.
    pub fn refreshed_after(self, seconds: Option<u32>) -> HttpResponse {
        let mut response = self.answer(StatusCode::OK);
        if let Some(seconds) = seconds {
            response.headers_mut().insert(REFRESH, seconds.into());
        }
        response
    }

    /// The page as an answer with another status than 200, e.g. 422 for a form with errors.
    pub fn answer(self, status: StatusCode) -> HttpResponse {
        match self.0.render() {
            Ok(html) => {
                HttpResponse::build(status).insert_header((CONTENT_TYPE, "text/html; charset=utf-8")).body(html)
            }
            Err(error) => {
                let error = Error::from(error);
                tracing::error!(error = ?error, "a page could not be rendered");
                error.error_response()
            }
        }
    }
}

impl<T: Template> Responder for Page<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.answer(StatusCode::OK)
    }
}

/// The sections of the portal, in the order of the row below the bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    Overview,
    Accounts,
    Rules,
    Changes,
    Evaluations,
    Delivery,
    Artifact,
    Notices,
    Collections,
    Packs,
    Engagements,
    /// The first page of the room that an auditor is in.
    Room,
    AuditLog,
}

impl Section {
    /// Of the company's own people.
    const TEAM: [Self; 12] = [
        Self::Overview,
        Self::Accounts,
        Self::Rules,
        Self::Changes,
        Self::Evaluations,
        Self::Delivery,
        Self::Artifact,
        Self::Notices,
        Self::Collections,
        Self::Packs,
        Self::Engagements,
        Self::AuditLog,
    ];

    /// Of an auditor in a room.
    const ROOM: [Self; 8] = [
        Self::Room,
        Self::Overview,
        Self::Accounts,
        Self::Rules,
        Self::Changes,
        Self::Evaluations,
        Self::Delivery,
        Self::Packs,
    ];

    /// Whether its pages can be narrowed to an account and a Region.
    pub fn has_scope(&self) -> bool {
        !matches!(
            self,
            Self::Artifact
                | Self::Notices
                | Self::Collections
                | Self::Packs
                | Self::Engagements
                | Self::Room
                | Self::AuditLog
        )
    }

    pub fn title(&self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Accounts => "Accounts",
            Self::Rules => "Rules",
            Self::Changes => "Changes",
            Self::Evaluations => "Evaluations",
            Self::Delivery => "Delivery",
            Self::Artifact => "AWS’s reports",
            Self::Notices => "Notices",
            Self::Collections => "Collections",
            Self::Packs => "Packs",
            Self::Engagements => "Engagements",
            Self::Room => "Room",
            Self::AuditLog => "Audit log",
        }
    }

    pub fn path(&self) -> &'static str {
        match self {
            Self::Overview => "/",
            Self::Accounts => "/accounts",
            Self::Rules => "/rules",
            Self::Changes => "/changes",
            Self::Evaluations => "/evaluations",
            Self::Delivery => "/delivery",
            Self::Artifact => "/artifact",
            Self::Notices => "/notices",
            Self::Collections => "/collections",
            Self::Packs => "/packs",
            Self::Engagements => "/engagements",
            Self::Room => "/room",
            Self::AuditLog => "/audit-log",
        }
    }
}

/// What goes on with the reader from section to section where it can, beside day and scope.
pub const SCOPE: [&str; 2] = ["account", "region"];

/// A step of the way back from a detail page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crumb {
    pub title: String,
    pub href: String,
}

/// The days that can be chosen and the one that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days {
    pub first: Date,
    pub latest: Date,
    pub as_of: Date,
}

/// The frame of one page, made by [`super::View::frame`] or [`super::Visit::frame`].
#[derive(Debug, Clone)]
pub struct Frame {
    /// The words of `<title>` before the product's name.
    pub title: String,
    pub section: Option<Section>,
    pub crumbs: Vec<Crumb>,
    /// Whether this installation has demo identities.
    pub demo: bool,
    pub user: Option<User>,
    pub organization: Option<String>,
    /// Where the kept evidence begins, where any was removed.
    pub floor: Option<Floor>,
    /// Why completeness against the organisation is not established, where it is not.
    pub incomplete: Option<&'static str>,
    pub days: Option<Days>,
    /// The day that links carry on; an error page has it and no days.
    pub as_of: Option<Date>,
    /// The scope that is read; `None` is the whole organisation.
    pub scope: Option<Arc<Scoped>>,
    /// The room that an auditor is in.
    pub room: Option<Room>,
    /// The scope that links carry on; an error page has it and no scope.
    pub scope_name: Option<String>,
    /// Whether the page is about the whole organisation whatever the scope, though its section is not.
    pub whole: bool,
    /// This page's own address, with its filters.
    pub address: Address,
    /// Whether the sections are shown: not before sign-in.
    pub sections: bool,
}

impl Frame {
    /// A frame that needs no database: sign-in and error pages.
    pub fn bare(title: impl Into<String>, demo: bool) -> Self {
        Self {
            title: title.into(),
            section: None,
            crumbs: Vec::new(),
            demo,
            user: None,
            organization: None,
            floor: None,
            incomplete: None,
            days: None,
            as_of: None,
            scope: None,
            room: None,
            scope_name: None,
            whole: false,
            address: Address::default(),
            sections: false,
        }
    }

    /// Whether the page goes back over days, so that it has to say that some were removed: all pages say it at their foot.
    pub fn goes_back(&self) -> bool {
        let sections = [Section::Overview, Section::Changes, Section::Delivery, Section::Collections, Section::Packs];
        self.section.is_some_and(|section| sections.contains(&section))
    }

    /// With one more step of the way back; `path` gets the as-of day.
    #[must_use]
    pub fn crumb(mut self, title: impl Into<String>, path: &str) -> Self {
        let href = self.href(path);
        self.crumbs.push(Crumb { title: title.into(), href });
        self
    }

    /// The address of a page for the same as-of day and scope. `path` may have a query; its values must be encoded. Empty
    /// where the page is the team's and the reader an auditor: then there are words and no link.
    pub fn href(&self, path: &str) -> String {
        if self.room.is_some() && !is_of_rooms(path) {
            return String::new();
        }
        let as_of = self.as_of.map(|as_of| format!("as_of={as_of}"));
        let scope = self.scope_name.as_ref().map(|name| format!("scope={}", Encoded(name)));
        let kept: Vec<String> = [scope, as_of].into_iter().flatten().collect();
        if kept.is_empty() {
            return path.to_owned();
        }
        let (path, fragment) = path.split_once('#').map_or((path, None), |(path, f)| (path, Some(f)));
        let join = if path.contains('?') { '&' } else { '?' };
        let fragment = fragment.map(|f| format!("#{f}")).unwrap_or_default();
        format!("{path}{join}{}{fragment}", kept.join("&"))
    }

    /// The same for another as-of day.
    pub fn href_on(&self, path: &str, day: &Date) -> String {
        Self { as_of: Some(*day), ..self.clone() }.href(path)
    }

    /// The address of a section, with what of this page goes on with the reader: day and scope, and account and Region
    /// where the section can be narrowed to them.
    pub fn section_href(&self, section: &Section) -> String {
        let mut address = Address::new(section.path());
        if section.has_scope() && self.section.is_some_and(|here| here.has_scope()) {
            for (key, value) in self.scope() {
                address = address.with(&key, value);
            }
        }
        if let Some(name) = &self.scope_name {
            address = address.with("scope", name);
        }
        match self.as_of {
            Some(as_of) => address.with("as_of", as_of).to_string(),
            None => address.to_string(),
        }
    }

    /// Whether what is shown is the scope's alone.
    pub fn narrowed(&self) -> bool {
        self.scope.is_some() && !self.whole && self.section.is_some_and(|here| here.has_scope())
    }

    /// This page without the scope.
    pub fn unscoped(&self) -> Address {
        self.address.start().without(&["scope"])
    }

    /// The account and Region that the page is narrowed to.
    pub fn scope(&self) -> Vec<(String, String)> {
        self.address.pairs().iter().filter(|(key, _)| SCOPE.contains(&key.as_str())).cloned().collect()
    }

    /// Account and Region in words, with the same page without them; nothing where the page cannot be narrowed.
    pub fn scope_words(&self) -> Option<(String, Address)> {
        let scope: Vec<String> = self.scope().into_iter().map(|(_, value)| value).collect();
        let shown = self.section.is_some_and(|here| here.has_scope()) && self.crumbs.is_empty() && !scope.is_empty();
        shown.then(|| (scope.join(", "), self.address.start().without(&SCOPE)))
    }

    /// Query parameters that the as-of form keeps: filters and sort, not the place in a paged table.
    pub fn kept(&self) -> Vec<(String, String)> {
        self.address.start().without(&["as_of"]).pairs().to_vec()
    }

    /// This page as of another day, with the same filters.
    pub fn on(&self, day: &Date) -> Address {
        self.address.start().with("as_of", day)
    }

    /// The day before the one shown, if it is among the collected ones.
    pub fn earlier(&self) -> Option<Date> {
        self.days.filter(|days| days.as_of > days.first).and_then(|days| days.as_of.previous_day())
    }

    /// The day after the one shown, if it is among the collected ones.
    pub fn later(&self) -> Option<Date> {
        self.days.filter(|days| days.as_of < days.latest).and_then(|days| days.as_of.next_day())
    }

    /// The sections that there are for whoever sees the page.
    pub fn all_sections(&self) -> Vec<Section> {
        match &self.user {
            Some(user) if user.role == Role::Auditor => Section::ROOM.to_vec(),
            Some(user) if user.role.makes_packs() => Section::TEAM.to_vec(),
            _ => Section::TEAM.into_iter().filter(|section| *section != Section::AuditLog).collect(),
        }
    }

    /// Whether the page's links lead where its reader may go: an auditor has no collections, scopes or settings.
    pub fn is_team(&self) -> bool {
        self.room.is_none()
    }

    pub fn css(&self) -> String {
        assets::css_href()
    }

    pub fn icon(&self) -> String {
        assets::icon_href()
    }

    pub fn words(&self, day: &Date) -> String {
        format::day(*day)
    }

    pub fn version(&self) -> &'static str {
        concat!(env!("CARGO_PKG_VERSION"), " (", env!("AUDITFOLIO_COMMIT"), ")")
    }
}
