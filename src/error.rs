//! The one error type of the web side. A page never shows a cause: the log has it, once, beside the request id.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};

use time::OffsetDateTime;

use crate::engagement::Moment;
use crate::people::{Dead, Reason, Turn};
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
    /// Somebody could not be signed in or out. The log and the audit log have the reason already.
    #[error("sign-in refused: {}", .0.word())]
    SignInRefused(Reason),
    /// A token lets nobody in. The log and the audit log have the reason already.
    #[error("token refused: {}", .0.word())]
    TokenRefused(Dead),
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
    /// More was asked for than is given in a length of time; after so long there is more.
    #[error("too many requests: come back in {seconds} s")]
    TooMany { seconds: u64 },
    /// More was sent than is taken. The sentence is shown and says how much is.
    #[error("too large: {0}")]
    TooLarge(String),
    /// The address or the headers are longer than any browser's.
    #[error("headers or address too large")]
    LargeHead,
    /// What belongs to the request came too slowly.
    #[error("the request came too slowly")]
    TooSlow,
    /// The answer was not ready in time.
    #[error("the answer took too long")]
    TookTooLong,
    /// The database does not answer.
    #[error("unavailable")]
    Unavailable(#[source] anyhow::Error),
    #[error(transparent)]
    Internal(anyhow::Error),
}

impl Error {
    /// After how many seconds the same may be asked again, where that would help.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::TooMany { seconds } => Some(*seconds),
            Self::Busy => Some(30),
            Self::TookTooLong | Self::Unavailable(_) => Some(10),
            _ => None,
        }
    }

    /// Whether the rest of the request is not wanted any more, so that its connection ends.
    pub fn ends_connection(&self) -> bool {
        matches!(self, Self::TooLarge(_) | Self::LargeHead | Self::TooSlow | Self::TookTooLong)
    }
}

impl From<anyhow::Error> for Error {
    fn from(error: anyhow::Error) -> Self {
        let of_database =
            |cause: &(dyn std::error::Error + 'static)| cause.downcast_ref::<sqlx::Error>().is_some_and(is_away);
        if error.chain().any(of_database) { Self::Unavailable(error) } else { Self::Internal(error) }
    }
}

/// Whether the database is away or going, whatever was asked of it: classes 08, 53 and 57P of its error codes.
///
/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
fn is_away(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(database) => {
            database.code().is_some_and(|code| ["08", "53", "57P"].iter().any(|class| code.starts_with(class)))
                || crate::database::is_refused(error)
        }
        _ => false,
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        if is_away(&error) { Self::Unavailable(error.into()) } else { Self::Internal(error.into()) }
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
            Self::SignInNeeded | Self::TokenRefused(_) => StatusCode::UNAUTHORIZED,
            Self::SignInRefused(reason) => match reason.turn() {
                Turn::Again => StatusCode::BAD_REQUEST,
                Turn::Denied => StatusCode::FORBIDDEN,
                Turn::Settings | Turn::Provider => StatusCode::BAD_GATEWAY,
                Turn::Down => StatusCode::SERVICE_UNAVAILABLE,
            },
            Self::Invalid(_) => StatusCode::BAD_REQUEST,
            Self::Conflict(_) | Self::ScopeUndecided { .. } => StatusCode::CONFLICT,
            Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::LargeHead => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Busy | Self::TookTooLong | Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        // Without a body: the page needs the request, which only the middleware has.
        HttpResponse::new(self.status_code())
    }
}
