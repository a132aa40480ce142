//! Errors as pages: what happened, what to do, the request id; never a cause, which the log has once.

use actix_web::http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::http::{ConnectionType, Method, StatusCode};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, web};
use askama::Template;
use time::OffsetDateTime;

use super::address::{Address, Encoded};
use super::format;
use super::frame::{Frame, Page};
use super::guard::RequestId;
use super::view::parse_day;
use crate::State;
use crate::engagement::Moment;
use crate::error::Error;
use crate::people::{User, is_shown};

#[derive(Template)]
#[template(path = "error/error.html")]
struct ErrorPage {
    frame: Frame,
    said: Said,
    request_id: String,
}

/// What an error page says: what happened, what to do.
struct Said {
    title: &'static str,
    happened: String,
    todo: String,
    link: Option<(String, String)>,
}

pub(super) fn failed(request: &HttpRequest, id: &RequestId, error: Option<&Error>, status: StatusCode) -> HttpResponse {
    match error {
        Some(Error::Internal(cause)) => {
            tracing::error!(error = format!("{cause:#}"), "a request failed");
        }
        Some(Error::Unavailable(cause)) => {
            tracing::error!(error = format!("{cause:#}"), "the database does not answer");
        }
        None if status.is_server_error() => tracing::error!(%status, "a request failed"),
        Some(_) | None => {}
    }
    if is_shown(request) {
        let here = Address::parse(request.path(), request.query_string());
        return finished(problem(&said(&here, error, status), status, id), error);
    }
    let demo = request.app_data::<web::Data<State>>().is_some_and(|state| state.demo);
    if matches!(error, Some(Error::SignInNeeded)) && matches!(*request.method(), Method::GET | Method::HEAD) {
        let here = request.uri().path_and_query().map_or("/", |path| path.as_str());
        let location = Address::new("/sign-in").with("next", here).to_string();
        return HttpResponse::SeeOther().insert_header((LOCATION, location)).finish();
    }
    if matches!(error, Some(Error::NoRoom)) && matches!(*request.method(), Method::GET | Method::HEAD) {
        return HttpResponse::SeeOther().insert_header((LOCATION, "/rooms")).finish();
    }
    let here = Address::parse(request.path(), request.query_string());
    let mut said = said(&here, error, status);
    let mut frame = Frame::bare(said.title, demo);
    frame.sections = !matches!(error, Some(Error::SignInNeeded | Error::RoomShut { .. } | Error::SignInRefused(_)));
    frame.user = request.extensions().get::<User>().cloned();
    let dayless = |error: &Error| {
        matches!(
            error,
            Error::DayNotCollected { .. }
                | Error::DayRemoved { .. }
                | Error::NothingCollected
                | Error::NothingKept(_)
                | Error::NothingOfPeriod { .. }
        )
    };
    if !error.is_some_and(dayless) {
        frame.as_of = here.get("as_of").and_then(parse_day);
    }
    if !matches!(error, Some(Error::NoSuchScope(_) | Error::ScopeUndecided { .. })) {
        frame.scope_name = here.get("scope").map(str::to_owned);
    }
    if let (None, Some(Error::NotFound), Some(_)) = (&said.link, error, frame.as_of) {
        said.link = Some((frame.href("/"), "Open the overview for the same day".to_owned()));
    }
    let page = ErrorPage { frame, said, request_id: id.0.clone() };
    finished(Page(page).answer(status), error)
}

/// The same for a program: RFC 9457. What is no failure for a reader, as that nothing was collected yet, is one for a program
/// that asked for rows.
fn problem(said: &Said, status: StatusCode, id: &RequestId) -> HttpResponse {
    let status = if status.is_success() { StatusCode::NOT_FOUND } else { status };
    let problem = serde_json::json!({
        "type": "about:blank", "title": said.title, "status": status.as_u16(),
        "detail": format!("{} {}", said.happened, said.todo), "request_id": id.0,
    });
    let mut answer = HttpResponse::build(status);
    answer.insert_header((CONTENT_TYPE, "application/problem+json"));
    if status == StatusCode::UNAUTHORIZED {
        answer.insert_header((WWW_AUTHENTICATE, "Bearer realm=\"auditfolio\", error=\"invalid_token\""));
    }
    answer.body(problem.to_string())
}

/// What a program gets where there is a page alone.
pub(super) fn pageless(id: &RequestId) -> HttpResponse {
    let said = Said {
        title: "Not acceptable",
        happened: "At this address there is a page, and a token gets no pages.".to_owned(),
        todo: "Ask for format=json, format=jsonl or format=csv.".to_owned(),
        link: None,
    };
    problem(&said, StatusCode::NOT_ACCEPTABLE, id)
}

fn said(here: &Address, error: Option<&Error>, status: StatusCode) -> Said {
    let plain = |title, happened: &str, todo: &str| Said {
        title,
        happened: happened.to_owned(),
        todo: todo.to_owned(),
        link: None,
    };
    match error {
        Some(Error::NotFound) => not_found(),
        Some(Error::Forbidden(who)) => plain("Not allowed", "You may not do this here.", who),
        Some(Error::TokenRefused(dead)) => {
            plain("Token refused", dead.meaning(), "Make a new one at /account/tokens, if you should have access.")
        }
        Some(Error::SignInNeeded) => Said {
            link: Some(("/sign-in".to_owned(), "Sign in".to_owned())),
            ..plain("Sign in first", "This needs a sign-in, or the one you had has ended.", "Sign in and try again.")
        },
        Some(Error::NoRoom) => Said {
            link: Some(rooms()),
            ..plain(
                "No room",
                "This belongs to the room of an engagement.",
                "Enter one of the rooms that you are invited to.",
            )
        },
        Some(Error::RoomShut { title, moment, at }) => shut(title, *moment, *at),
        Some(Error::NothingOfPeriod { first_day, last_day }) => Said {
            link: Some(("/room".to_owned(), "Open the first page of the room".to_owned())),
            ..plain(
                "Nothing collected of the period",
                &format!(
                    "The audited period is {} to {} (UTC). Of its days none has been collected.",
                    format::day(*first_day),
                    format::day(*last_day)
                ),
                "Come back when the period has begun, or ask the compliance team.",
            )
        },
        Some(Error::SignInRefused(reason)) => {
            let (title, happened, todo) = reason.turn().said();
            Said { link: Some(("/sign-in".to_owned(), "Sign in again".to_owned())), ..plain(title, happened, todo) }
        }
        Some(Error::Invalid(what)) => plain("Not understood", "The request cannot be answered as it stands.", what),
        Some(Error::Conflict(what)) => plain("Not possible now", "The request stands against something else.", what),
        Some(Error::DayNotCollected { asked, first, latest }) => Said {
            title: "Not a collected day",
            happened: format!("There is nothing to show as of “{asked}”."),
            todo: format!(
                "Collected days run from {} to {} (UTC). Choose one of them, written as YYYY-MM-DD.",
                format::day(*first),
                format::day(*latest)
            ),
            link: Some((
                here.clone().with("as_of", latest).to_string(),
                format!("Open this page as of {}", format::day(*latest)),
            )),
        },
        Some(Error::DayRemoved { parameter, floor }) => Said {
            title: "The evidence was removed",
            happened: floor.sentence(),
            todo: format!("The first day kept is {} (UTC). Choose it or a later one.", format::day(floor.first_day)),
            link: Some((
                here.clone().with(parameter, floor.first_day).to_string(),
                format!("Open this page for {}", format::day(floor.first_day)),
            )),
        },
        Some(Error::NothingKept(floor)) => Said {
            title: "The evidence was removed",
            happened: format!("{} Nothing was collected of later days.", floor.sentence()),
            todo: "Collect again: what is delivered now is kept.".to_owned(),
            link: Some(("/collections".to_owned(), "See collections and removals".to_owned())),
        },
        Some(Error::NoSuchScope(name)) => Said {
            link: Some(without_scope(here)),
            ..plain(
                "No such scope",
                &format!("No scope is called “{name}”."),
                "Check the name in the address, or choose one of the scopes that are defined.",
            )
        },
        Some(Error::ScopeUndecided { name, why }) => Said {
            link: Some((definitions_of(here, name), "See how the scope is defined".to_owned())),
            ..plain(
                "The scope is undecided",
                &format!(
                    "Who belongs to scope {name} on that day cannot be told, so no figure can be the scope’s. {why}."
                ),
                "Collect with --organizations, or end the definition.",
            )
        },
        Some(Error::OutOfScope { name, account_id }) => Said {
            link: Some(without_scope(here)),
            ..plain(
                "Not in this scope",
                &format!("Account {account_id} does not belong to scope {name} on that day."),
                "Read it in the whole organisation.",
            )
        },
        Some(Error::NothingCollected) => Said {
            link: Some(("/collections".to_owned(), "See collections".to_owned())),
            ..plain(
                "Nothing collected yet",
                "Here you will read the organisation’s AWS Config rule results, day by day. No collection has \
                 finished, so there is no day to show.",
                "Run “auditfolio collect --from FOLDER” on a copy of the delivery bucket, or “auditfolio demo” to \
                 look at a made-up organisation.",
            )
        },
        Some(Error::Busy) => plain(
            "Too many downloads at once",
            "As many downloads are under way as this installation allows.",
            "Try again in a minute, when one of them is done.",
        ),
        Some(Error::TooMany { seconds }) => plain(
            "Too many requests",
            "More was asked for from here, or by you, than this installation answers at once.",
            &format!("Try again in {}.", format::plural(i64::try_from(*seconds).unwrap_or(i64::MAX), "second")),
        ),
        Some(Error::TooLarge(most)) => plain("Too large", "More was sent than is taken.", most),
        Some(Error::LargeHead) => plain(
            "Too long",
            "The address, or what the browser sent with it, is too long.",
            "Shorten the address, or delete this site’s cookies and try again.",
        ),
        Some(Error::TooSlow) => plain(
            "Too slow",
            "What was sent did not arrive in time. Nothing was changed.",
            "Send it again, over a better line or in a smaller file.",
        ),
        Some(Error::TookTooLong) => plain(
            "Not available now",
            "The answer took too long. Nothing was changed.",
            "Try again in a minute, or ask for less: a shorter period, one account, a scope.",
        ),
        Some(Error::Unavailable(_)) => plain(
            "Not available now",
            "The database does not answer.",
            "Try again in a minute. If it stays so, tell whoever runs this installation the request id.",
        ),
        Some(Error::Internal(_)) | None => match status {
            StatusCode::NOT_FOUND => not_found(),
            StatusCode::METHOD_NOT_ALLOWED => {
                plain("Not possible here", "This address does not take that.", "Go back and use the page’s own form.")
            }
            StatusCode::PAYLOAD_TOO_LARGE => {
                plain("Too large", "More was sent than this form takes.", "Send less, e.g. a shorter title.")
            }
            status if status.is_client_error() => plain(
                "Not understood",
                "The address or the form cannot be read.",
                "Go back and try again, or start from the first page.",
            ),
            _ => plain(
                "Something failed",
                "The page could not be made. Nothing was changed.",
                "Try again. If it stays so, tell whoever runs this installation the request id: the log has the cause.",
            ),
        },
    }
}

fn rooms() -> (String, String) {
    ("/rooms".to_owned(), "See your rooms".to_owned())
}

/// A room before its opening, or after its closing.
fn shut(title: &str, moment: Moment, at: OffsetDateTime) -> Said {
    let (name, happened, todo) = if moment == Moment::NotYet {
        ("The room is not open yet", "opens", "Come back then, or ask the compliance team to open it earlier.")
    } else {
        (
            "The room is closed",
            "closed",
            "What you downloaded stays valid and can still be checked. Ask the compliance team if you need more.",
        )
    };
    Said {
        title: name,
        happened: format!("The room of “{title}” {happened} on {}.", format::at(at)),
        todo: todo.to_owned(),
        link: Some(rooms()),
    }
}

/// The same page of the whole organisation.
fn without_scope(here: &Address) -> (String, String) {
    (here.start().without(&["scope"]).to_string(), "Open this page for the whole organisation".to_owned())
}

/// The page of a scope as of the same day, which is about the whole organisation.
fn definitions_of(here: &Address, name: &str) -> String {
    let page = Address::new(format!("/scopes/{}", Encoded(name)));
    match here.get("as_of") {
        Some(day) => page.with("as_of", day).to_string(),
        None => page.to_string(),
    }
}

fn not_found() -> Said {
    Said {
        title: "Not found",
        happened: "There is nothing at this address, or nothing that you may see.".to_owned(),
        todo: "Check the address, or start from one of the sections above.".to_owned(),
        link: None,
    }
}

/// The page of a request that is gone with what was done for it.
pub(super) fn late(error: &Error, demo: bool, id: &RequestId, by_token: bool) -> HttpResponse {
    let said = said(&Address::new("/"), Some(error), error_status(error));
    if by_token {
        return finished(problem(&said, error_status(error), id), Some(error));
    }
    let page = ErrorPage { frame: Frame::bare(said.title, demo), said, request_id: id.0.clone() };
    finished(Page(page).answer(error_status(error)), Some(error))
}

/// Says when to come back, and ends a connection of which nothing more is wanted.
fn finished(mut page: HttpResponse, error: Option<&Error>) -> HttpResponse {
    if let Some(seconds) = error.and_then(Error::retry_after) {
        page.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    // Actix's own refusals of a body are no error of ours, and what is left of the body is no more wanted.
    let is_cut = matches!(page.status(), StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT);
    if is_cut || error.is_some_and(Error::ends_connection) {
        page.head_mut().set_connection_type(ConnectionType::Close);
    }
    page
}

pub(super) fn error_status(error: &Error) -> StatusCode {
    actix_web::ResponseError::status_code(error)
}
