//! What happens to a request besides answers: accepted, returned, declined, withdrawn, due another day.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use super::core::{Event, Side, Stand};
use super::db;
use super::form::{Typed, turn};
use super::page::{Here, here_in_room, here_of_team, number, one, onward, show};
use super::shown::Shown;
use crate::State;
use crate::audit_log;
use crate::engagement::page::object;
use crate::error::Error;
use crate::people::{Maker, acted};
use crate::web::Visit;

/// What the last part of an address asks for.
fn event(act: &str) -> Result<Event, Error> {
    match act {
        "accept" => Ok(Event::Accepted),
        "return" => Ok(Event::Returned),
        "withdraw" => Ok(Event::Withdrawn),
        "decline" => Ok(Event::Declined),
        "due" => Ok(Event::DueChanged),
        _ => Err(Error::NotFound),
    }
}

pub(super) async fn of_room(
    request: HttpRequest,
    state: web::Data<State>,
    visit: Visit,
    path: web::Path<(String, String)>,
    fields: web::Form<Vec<(String, String)>>,
) -> Result<HttpResponse, Error> {
    let here = here_in_room(&visit)?;
    turned((&request, &state), visit, here, (number(&path.0)?, event(&path.1)?), &fields).await
}

pub(super) async fn of_team(
    request: HttpRequest,
    state: web::Data<State>,
    _maker: Maker,
    mut visit: Visit,
    path: web::Path<(String, String, String)>,
    fields: web::Form<Vec<(String, String)>>,
) -> Result<HttpResponse, Error> {
    let here = here_of_team(&mut visit, &path.0).await?;
    turned((&request, &state), visit, here, (number(&path.1)?, event(&path.2)?), &fields).await
}

async fn turned(
    (request, state): (&HttpRequest, &State),
    visit: Visit,
    here: Here,
    (number, event): (i32, Event),
    fields: &[(String, String)],
) -> Result<HttpResponse, Error> {
    let mut typed = Typed::of(fields);
    typed.set("kind", event.word());
    let today = state.clock.now().date();
    let due_day = match turn(&typed, (event == Event::DueChanged).then_some(today), event.needs_reason()) {
        Ok(due_day) => due_day,
        Err(problems) => return show(state, visit, &here, number, typed, problems).await,
    };
    let mut tx = state.db.begin().await?;
    db::lock(&mut tx, here.engagement_id).await?;
    let shown = one(&mut tx, here.engagement_id, number, today).await?;
    let after = stands_after(&shown, event, here.side)?;
    let request_id = shown.request.engagement_request_id;
    let reason = typed.get("reason");
    db::happen(&mut tx, request_id, (event.word(), reason, due_day), &visit.user.identity).await?;
    let (before, after) = match due_day {
        Some(day) => (shown.due_day.to_string(), day.to_string()),
        None => (shown.stand.words().to_owned(), after.words().to_owned()),
    };
    let detail = json!({ "request": number, "before": before, "after": after, "reason": reason });
    let entry = acted(&visit.user, request, event.act(), object(here.engagement_id)).detail(detail);
    audit_log::record(&mut tx, &entry).await?;
    tx.commit().await?;
    Ok(onward(&visit, &here, number))
}

/// How a request stands after an event; a conflict where it cannot happen, which is how somebody learns that somebody else
/// was faster.
pub(super) fn stands_after(shown: &Shown, event: Event, side: Side) -> Result<Stand, Error> {
    shown.stand.after(event, side).map_err(|why| {
        let number = shown.request.number;
        Error::Conflict(format!(
            "Request {number} is {}: {why}. Load its page again to see how it stands.",
            shown.stand.words()
        ))
    })
}
