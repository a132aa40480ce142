//! One's own sessions: to see them, and to end those that one does not know.

use actix_web::http::header::LOCATION;
use actix_web::web::{self, Data, Path};
use actix_web::{HttpRequest, HttpResponse, Responder};
use askama::Template;

use super::db::{self, ListedSession};
use super::session::{IDLE, LONGEST, Ticket, User};
use super::{Role, acted, session};
use crate::State;
use crate::audit_log;
use crate::error::Error;
use crate::web::{Access, Endpoint, Frame, Page, filters, format};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/account/sessions", Access::SignedIn, || web::get().to(list)),
        Endpoint::post("/account/sessions/{session_id}/end", Access::SignedIn, || web::post().to(end)),
    ]
}

#[derive(Template)]
#[template(path = "people/sessions.html")]
struct SessionsPage {
    frame: Frame,
    user: User,
    sessions: Vec<ListedSession>,
    idle: String,
    longest: String,
}

async fn list(request: HttpRequest, state: Data<State>, user: User) -> Result<impl Responder, Error> {
    let ticket = Ticket::of(&request).ok_or(Error::SignInNeeded)?;
    let sessions = db::list_own(&state.db, &ticket.hash, ticket.now, ticket.idle_since()).await?;
    let sections = user.role != Role::Auditor;
    let frame = Frame { user: Some(user.clone()), sections, ..Frame::bare("Your sessions", state.demo) };
    let (idle, longest) = (format::duration(IDLE), format::duration(LONGEST));
    Ok(Page(SessionsPage { frame, user, sessions, idle, longest }))
}

async fn end(
    request: HttpRequest,
    state: Data<State>,
    user: User,
    session_id: Path<String>,
) -> Result<HttpResponse, Error> {
    let session_id: i64 = session_id.parse().map_err(|_invalid| Error::NotFound)?;
    let hash = session::token_hash(&request).ok_or(Error::SignInNeeded)?;
    let mut tx = state.db.begin().await?;
    if !db::end_own(&mut *tx, &hash, session_id).await? {
        return Err(Error::NotFound);
    }
    audit_log::record(&mut tx, &acted(&user, &request, "end session", session_id.to_string())).await?;
    tx.commit().await?;
    Ok(HttpResponse::SeeOther().insert_header((LOCATION, "/account/sessions")).finish())
}
