//! The one error type of the web side. A page never shows a cause: the log has it, once, beside the request id.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};

use time::OffsetDateTime;

use crate::engagement::Moment;
use crate::retention::Floor;

/// Why a request has no answer of its own. `web::guard` turns it into a page in the usual frame.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is nothing here, or nothing that this person may see.
    #[error("not found")]
    NotFound,
    /// Signed in, and not allowed. The sentence says who is.
    #[error("forbidden: {0}")]
    Forbidden(&'static str),
    #[error("sign-in needed")]
    SignInNeeded,
    /// An auditor asks for a page of a room without having entered one.
    #[error("no room")]
    NoRoom,
    /// The room of an engagement is not open: it opens, or closed, at a moment.
    #[error("the room of {title:?} is {}", .moment.words())]
    RoomShut { title: String, moment: Moment, at: OffsetDateTime },
    /// Nothing was collected of the period that a room shows.
    #[error("nothing collected of the period")]
    NothingOfPeriod { first_day: time::Date, last_day: time::Date },
    /// The address or form cannot be understood. The sentence is shown and says what would be.
    #[error("invalid: {0}")]
    Invalid(String),
    /// The sentence is shown and says what stands in the way.
    #[error("conflict: {0}")]
    Conflict(String),
    /// A day was asked for that is not among the collected ones.
    #[error("day not collected: {asked}")]
    DayNotCollected { asked: String, first: time::Date, latest: time::Date },
    /// A day was asked for whose evidence was removed; the parameter of the address that asks for it.
    #[error("{} asks for a day before {}, the first day kept", .parameter, .floor.first_day)]
    DayRemoved { parameter: &'static str, floor: Floor },
    /// All evidence was older than the retention setting keeps.
    #[error("nothing kept from {} on", .0.first_day)]
    NothingKept(Floor),
    /// A scope was asked for that was never defined.
    #[error("no such scope: {0}")]
    NoSuchScope(String),
    /// Who belongs to a scope cannot be told, so that no figure could be the scope's.
    #[error("scope {name} is undecided: {why}")]
    ScopeUndecided { name: String, why: String },
    /// The page is about an account that does not belong to the scope on the day.
    #[error("account {account_id} is not in scope {name}")]
    OutOfScope { name: String, account_id: String },
    /// No collection has finished yet, so there is no day to show. Not a failure: an empty state.
    #[error("nothing collected yet")]
    NothingCollected,
    /// So many downloads are under way that one more would keep pages waiting.
    #[error("too many downloads at once")]
    Busy,
    /// The database does not answer.
    #[error("unavailable")]
    Unavailable(#[source] sqlx::Error),
    #[error(transparent)]
    Internal(#[from] anyhow::Error),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) => Self::Unavailable(error),
            error if crate::database::is_refused(&error) => Self::Unavailable(error),
            other => Self::Internal(other.into()),
        }
    }
}

impl From<askama::Error> for Error {
    fn from(error: askama::Error) -> Self {
        Self::Internal(error.into())
    }
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::NothingCollected | Self::NothingKept(_) | Self::NothingOfPeriod { .. } => StatusCode::OK,
            Self::DayRemoved { .. } => StatusCode::GONE,
            Self::NotFound | Self::DayNotCollected { .. } | Self::NoSuchScope(_) | Self::OutOfScope { .. } => {
                StatusCode::NOT_FOUND
            }
            Self::Forbidden(_) | Self::NoRoom | Self::RoomShut { .. } => StatusCode::FORBIDDEN,
            Self::SignInNeeded => StatusCode::UNAUTHORIZED,
            Self::Invalid(_) => StatusCode::BAD_REQUEST,
            Self::Conflict(_) | Self::ScopeUndecided { .. } => StatusCode::CONFLICT,
            Self::Busy | Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        // Without a body: the page needs the request, which only the middleware has.
        HttpResponse::new(self.status_code())
    }
}
