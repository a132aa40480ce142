//! Everybody who signs in by a provider, with what they are or were, for administrators.

use actix_web::http::header::LOCATION;
use actix_web::web::{self, Data, Path};
use actix_web::{HttpRequest, HttpResponse, Responder};
use askama::Template;
use time::{Date, OffsetDateTime, Time};

use super::person_db::{self, ListedPerson, ORDERS, Person};
use super::session::{Administrator, IDLE};
use super::{Role, acted, db, enter};
use crate::State;
use crate::audit_log;
use crate::error::Error;
use crate::web::keyset::{Keyed, Keyset};
use crate::web::table::{self, Column, PAGE_ROWS, PLACE_KEYS, Place, Sort, Table, number, text};
use crate::web::{Access, Endpoint, Frame, Page, Visit, filters, format, parse_day};

/// The last one is of now alone: what was cannot be changed.
const TABLE: [Column; 8] = [
    text("Who").by("who"),
    text("E-mail"),
    text("Role"),
    text("Why, and since when"),
    text("Provider and subject"),
    text("Last sign-in").by("seen").most_first(),
    number("Sessions now"),
    text("Change"),
];

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/people", Access::Administrators, || web::get().to(list)),
        Endpoint::post("/people/{person_id}/disable", Access::Administrators, || web::post().to(disable)),
        Endpoint::post("/people/{person_id}/enable", Access::Administrators, || web::post().to(enable)),
        Endpoint::post("/people/{person_id}/end-sessions", Access::Administrators, || web::post().to(end_sessions)),
    ]
}

#[derive(Template)]
#[template(path = "people/people.html")]
struct PeoplePage {
    frame: Frame,
    people: Vec<ListedPerson>,
    table: Table,
    /// The day that is asked for; `None` is now.
    on: Option<Date>,
    today: Date,
    /// Whether there is a provider to test.
    providers: bool,
}

impl ListedPerson {
    /// What to call them on the page.
    pub(super) fn called(&self) -> &str {
        [&self.name, &self.email, &self.subject].into_iter().find(|name| !name.is_empty()).map_or("", String::as_str)
    }

    /// Why they have their role, and since when.
    pub(super) fn because(&self) -> String {
        match (&self.why, self.since) {
            (Some(why), Some(since)) => format!("{why}, {}", format::at(since)),
            _ => String::new(),
        }
    }

    pub(super) fn role_title(&self) -> &'static str {
        self.role.as_deref().and_then(Role::parse).map_or("none yet", Role::title)
    }
}

impl Person {
    /// For the audit log: who it is for good.
    fn detail(&self, sessions_ended: u64) -> serde_json::Value {
        serde_json::json!({ "issuer": self.issuer, "subject": self.subject, "sessions_ended": sessions_ended })
    }
}

async fn list(_: Administrator, state: Data<State>, mut visit: Visit) -> Result<impl Responder, Error> {
    let now = state.clock.now();
    let on = match visit.address.get("on").filter(|text| !text.is_empty()) {
        None => None,
        Some(text) => {
            Some(parse_day(text).ok_or_else(|| Error::Invalid("“on” is a day, written as YYYY-MM-DD.".to_owned()))?)
        }
    };
    visit.address.only(&[&PLACE_KEYS, &["on"]])?;
    let until = on.map_or(now, end_of);
    let columns = if on.is_none() { &TABLE[..] } else { &TABLE[..TABLE.len() - 1] };
    let sort = Sort::of(&visit.address, columns, Sort::down("seen"));
    let place = Place::of(&visit.address, 2)?;
    let keyset = Keyset::of(&ORDERS, sort, &place, false)?;
    let mut found = person_db::list(&mut *visit.read, until, (now, now - IDLE), &keyset, PAGE_ROWS + 1).await?;
    let more = table::cut(&mut found, &place);
    let total = person_db::count(&mut *visit.read, until).await?;
    let key = |row: Option<&Keyed<ListedPerson>>| row.map(|keyed| keyed.key(&keyed.row.person_id));
    let table = Table::whole("people", "People", columns, &visit.address, found.len()).sorted(sort);
    let mut table = table.paged(&place, key(found.first()), key(found.last()), more, total);
    table.provenance = false;
    let people = found.into_iter().map(|keyed| keyed.row).collect();
    let frame = Frame { section: None, ..visit.frame(crate::web::Section::Overview, "People") };
    let providers = !state.sign_in.providers.is_empty();
    Ok(Page(PeoplePage { frame, people, table, on, today: now.date(), providers }))
}

/// The last moment of a day.
fn end_of(day: Date) -> OffsetDateTime {
    day.with_time(Time::MAX).assume_utc()
}

async fn disable(
    admin: Administrator,
    request: HttpRequest,
    state: Data<State>,
    person_id: Path<String>,
) -> Result<HttpResponse, Error> {
    set_disabled(&admin, &request, &state, &person_id, true).await
}

async fn enable(
    admin: Administrator,
    request: HttpRequest,
    state: Data<State>,
    person_id: Path<String>,
) -> Result<HttpResponse, Error> {
    set_disabled(&admin, &request, &state, &person_id, false).await
}

async fn set_disabled(
    Administrator(user): &Administrator,
    request: &HttpRequest,
    state: &State,
    person_id: &str,
    disabled: bool,
) -> Result<HttpResponse, Error> {
    let person_id: i64 = person_id.parse().map_err(|_invalid| Error::NotFound)?;
    if disabled && user.person_id == Some(person_id) {
        return Err(Error::Conflict("Nobody disables themselves: another administrator does.".to_owned()));
    }
    let mut tx = state.db.begin().await?;
    if let Some(person) =
        person_db::set_disabled(&mut tx, person_id, disabled, (&user.identity, state.clock.now())).await?
    {
        let ended = if disabled { db::end_of_person(&mut *tx, person_id).await? } else { 0 };
        let act = if disabled { "disable person" } else { "enable person" };
        let detail = person.detail(ended);
        let entry = acted(user, request, act, enter::identity(person_id, &person.name, &person.email)).detail(detail);
        audit_log::record(&mut tx, &entry).await?;
    } else if person_db::find(&mut *tx, person_id).await?.is_none() {
        return Err(Error::NotFound);
    }
    tx.commit().await?;
    Ok(HttpResponse::SeeOther().insert_header((LOCATION, "/people")).finish())
}

async fn end_sessions(
    Administrator(user): Administrator,
    request: HttpRequest,
    state: Data<State>,
    person_id: Path<String>,
) -> Result<HttpResponse, Error> {
    let person_id: i64 = person_id.parse().map_err(|_invalid| Error::NotFound)?;
    let mut tx = state.db.begin().await?;
    let person = person_db::find(&mut *tx, person_id).await?.ok_or(Error::NotFound)?;
    let ended = db::end_of_person(&mut *tx, person_id).await?;
    let called = enter::identity(person_id, &person.name, &person.email);
    let entry = acted(&user, &request, "end sessions", called).detail(person.detail(ended));
    audit_log::record(&mut tx, &entry).await?;
    tx.commit().await?;
    Ok(HttpResponse::SeeOther().insert_header((LOCATION, "/people")).finish())
}
