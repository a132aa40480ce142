//! What an auditor sees of engagements: the rooms, the way in, and a room's first page.

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::core::{Change, Moment, Terms};
use super::page::page_below;
use super::{ask, db, page};
use crate::State;
use crate::artifact::{Released, released};
use crate::audit_log;
use crate::error::Error;
use crate::people::{Role, Ticket, User, acted};
use crate::web::parts::Empty;
use crate::web::{Access, Endpoint, Frame, Page, Section, Visit, filters};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/rooms", Access::SignedIn, || web::get().to(list)),
        Endpoint::post("/rooms/{engagement_id}", Access::SignedIn, || web::post().to(walk_in)),
        Endpoint::get("/room", Access::Rooms, || web::get().to(show)),
    ]
}

#[derive(Template)]
#[template(path = "engagement/rooms.html")]
struct RoomsPage {
    frame: Frame,
    rooms: Vec<(i64, Terms, Moment)>,
    here: Option<i64>,
    empty: Option<Empty>,
}

/// The rooms that somebody is invited to.
async fn list(state: web::Data<State>, user: User) -> Result<HttpResponse, Error> {
    let now = state.clock.now();
    let rooms = db::rooms_of(&state.db, &user).await?;
    let rooms: Vec<(i64, Terms, Moment)> =
        rooms.into_iter().map(|(id, terms)| (id, terms.clone(), terms.moment(now))).collect();
    let empty = rooms.is_empty().then(|| match user.role {
        Role::Auditor => Empty::new(
            "No rooms",
            "You are not invited to an engagement, or not with the e-mail address that you signed in with. Ask the \
             compliance team which address they invited.",
        ),
        _ => Empty::new("No rooms", "Rooms are for auditors. The compliance team’s list is that of engagements.")
            .next("See engagements", "/engagements"),
    });
    let here =
        user.engagement_id.filter(|here| rooms.iter().any(|(id, _, moment)| id == here && *moment == Moment::Open));
    let frame = Frame { user: Some(user), ..Frame::bare("Your rooms", state.demo) };
    Ok(Page(RoomsPage { frame, rooms, here, empty }).answer(StatusCode::OK))
}

async fn walk_in(
    request: HttpRequest,
    state: web::Data<State>,
    user: User,
    id: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let id: i64 = id.parse().map_err(|_not_a_number| Error::NotFound)?;
    if user.role != Role::Auditor {
        return Err(Error::Forbidden("Rooms are for auditors: read the engagement’s page instead."));
    }
    let ticket = Ticket::of(&request).ok_or(Error::SignInNeeded)?;
    let mut tx = state.db.begin().await?;
    let organization_id = db::organization_of(&mut *tx, id).await?.ok_or(Error::NoRoom)?;
    let room = super::enter(&mut tx, &user, (organization_id, id), ticket.now).await?;
    db::walk_in(&mut tx, &ticket.hash, room.engagement_id).await?;
    let detail = serde_json::json!({ "engagement": id });
    audit_log::record(&mut tx, &acted(&user, &request, "enter room", page::object(id)).detail(detail)).await?;
    tx.commit().await?;
    Ok(HttpResponse::SeeOther().insert_header((LOCATION, "/room")).finish())
}

#[derive(Template)]
#[template(path = "engagement/room.html")]
struct RoomPage {
    frame: Frame,
    terms: Terms,
    changes: Vec<Change>,
    accounts: String,
    requests: Vec<ask::Line>,
    reports: Vec<Released>,
}

/// The first page of the room: what was agreed, and what changed since.
async fn show(state: web::Data<State>, mut visit: Visit) -> Result<HttpResponse, Error> {
    visit.address.only(&[])?;
    let room = visit.room.clone().ok_or(Error::NotFound)?;
    let organization_id = visit.organization.as_ref().ok_or(Error::NotFound)?.id;
    let requests = ask::lines(&mut visit.read, room.engagement_id(), state.clock.now().date()).await?;
    let reports = released(&mut visit.read, organization_id).await?;
    let page = RoomPage {
        frame: Frame { whole: true, ..visit.frame(Section::Room, "Room") },
        terms: room.terms.clone(),
        changes: room.changes.clone(),
        requests,
        reports,
        accounts: visit.scope.as_ref().map(|scope| scope.accounts_words()).unwrap_or_default(),
    };
    Ok(Page(page).answer(StatusCode::OK))
}
