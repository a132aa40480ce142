//! What stands around every page: the bar with the as-of day, the sections, the way back.

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, REFRESH};
use actix_web::{HttpRequest, HttpResponse, Responder, ResponseError as _};
use askama::Template;
use time::Date;

use super::address::Address;
use super::{assets, format};
use crate::error::Error;
use crate::organization::scope;
use crate::people::User;

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
    Collections,
    Packs,
}

impl Section {
    pub const ALL: [Self; 8] = [
        Self::Overview,
        Self::Accounts,
        Self::Rules,
        Self::Changes,
        Self::Evaluations,
        Self::Delivery,
        Self::Collections,
        Self::Packs,
    ];

    pub fn title(&self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Accounts => "Accounts",
            Self::Rules => "Rules",
            Self::Changes => "Changes",
            Self::Evaluations => "Evaluations",
            Self::Delivery => "Delivery",
            Self::Collections => "Collections",
            Self::Packs => "Packs",
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
            Self::Collections => "/collections",
            Self::Packs => "/packs",
        }
    }
}

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
    pub days: Option<Days>,
    /// The scope that links keep; `None` is every account.
    pub scope: Option<scope::Shown>,
    /// Whether this page is of the scope's accounts only, and so says what that leaves out.
    pub scoped: bool,
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
            days: None,
            scope: None,
            scoped: false,
            address: Address::default(),
            sections: false,
        }
    }

    /// With one more step of the way back; `path` gets the as-of day.
    #[must_use]
    pub fn crumb(mut self, title: impl Into<String>, path: &str) -> Self {
        let href = self.href(path);
        self.crumbs.push(Crumb { title: title.into(), href });
        self
    }

    /// The address of a page for the same as-of day and scope. `path` may have a query; its values must be encoded.
    pub fn href(&self, path: &str) -> String {
        match self.days {
            Some(days) => {
                let (path, fragment) = path.split_once('#').map_or((path, None), |(path, f)| (path, Some(f)));
                let join = if path.contains('?') { '&' } else { '?' };
                let fragment = fragment.map(|f| format!("#{f}")).unwrap_or_default();
                // A scope's name is of characters that need no encoding.
                let scope = self.scope.as_ref().map(|it| format!("&scope={}", it.resolved.name)).unwrap_or_default();
                format!("{path}{join}as_of={}{scope}{fragment}", days.as_of)
            }
            None => path.to_owned(),
        }
    }

    /// Query parameters that the as-of form keeps: filters and sort, not the place in a paged table.
    pub fn kept(&self) -> Vec<(String, String)> {
        let left_out = ["as_of", "after", "before", "row", "format"];
        self.address.pairs().iter().filter(|(key, _)| !left_out.contains(&key.as_str())).cloned().collect()
    }

    /// This page as of another day, with the same filters.
    pub fn on(&self, day: &Date) -> Address {
        self.address.without(&["after", "before", "row", "format"]).with("as_of", day)
    }

    /// The day before the one shown, if it is among the collected ones.
    pub fn earlier(&self) -> Option<Date> {
        self.days.filter(|days| days.as_of > days.first).and_then(|days| days.as_of.previous_day())
    }

    /// The day after the one shown, if it is among the collected ones.
    pub fn later(&self) -> Option<Date> {
        self.days.filter(|days| days.as_of < days.latest).and_then(|days| days.as_of.next_day())
    }

    /// This page without its scope.
    pub fn unscoped(&self) -> Address {
        self.address.without(&["scope", "after", "before", "row", "format"])
    }

    pub fn all_sections(&self) -> [Section; 8] {
        Section::ALL
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

    pub fn long_words(&self, day: &Date) -> String {
        format::long_day(*day)
    }

    pub fn version(&self) -> &'static str {
        concat!(env!("CARGO_PKG_VERSION"), " (", env!("AUDITFOLIO_COMMIT"), ")")
    }
}
