//! The pages of requests: the same for auditors in the room and for the team, each with what that side can do.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde_json::json;
use time::Date;

use super::core::{Event, Side};
use super::db;
use super::form::{Typed, asked};
use super::shown::{Beside, Evidence, Shown, Step, all, days_words};
use super::{give, turn};
use crate::State;
use crate::artifact::{Released, released};
use crate::audit_log;
use crate::engagement::core::Terms;
use crate::engagement::draw::form::STATUSES;
use crate::engagement::page::{found, object, page_below};
use crate::error::Error;
use crate::jobs;
use crate::people::{Maker, acted};
use crate::web::field::{Entry, Field};
use crate::web::form::Problems;
use crate::web::{Access, Endpoint, Frame, Page, Section, Visit, filters};

pub(in crate::engagement) fn endpoints() -> Vec<Endpoint> {
    let pages = vec![
        Endpoint::get("/room/requests", Access::Rooms, || web::get().to(list_room)),
        Endpoint::post("/room/requests", Access::Rooms, || web::post().to(ask_room)),
        Endpoint::get("/room/requests/{number}", Access::Rooms, || web::get().to(show_room)),
        Endpoint::post("/room/requests/{number}/{act}", Access::Rooms, || web::post().to(turn::of_room)),
        Endpoint::get("/engagements/{engagement_id}/requests", Access::Team, || web::get().to(list_team)),
        Endpoint::post("/engagements/{engagement_id}/requests", Access::Makers, || web::post().to(ask_team)),
        Endpoint::get("/engagements/{engagement_id}/requests/{number}", Access::Team, || web::get().to(show_team)),
    ];
    let last = vec![
        // After the one whose last part is a word: the first that fits is taken.
        Endpoint::post("/engagements/{engagement_id}/requests/{number}/{act}", Access::Makers, || {
            web::post().to(turn::of_team)
        }),
    ];
    [pages, give::endpoints(), last].concat()
}

/// From where a request is looked at.
pub(super) struct Here {
    pub(super) engagement_id: i64,
    pub(super) organization_id: i16,
    pub(super) side: Side,
    /// Where the list is.
    pub(super) path: String,
    pub(super) terms: Terms,
}

pub(super) fn here_in_room(visit: &Visit) -> Result<Here, Error> {
    let room = visit.room.as_ref().ok_or(Error::NotFound)?;
    Ok(Here {
        engagement_id: room.engagement_id(),
        organization_id: visit.organization.as_ref().ok_or(Error::NotFound)?.id,
        side: Side::Auditor,
        path: "/room/requests".to_owned(),
        terms: room.terms().clone(),
    })
}

pub(super) async fn here_of_team(visit: &mut Visit, id: &str) -> Result<Here, Error> {
    let (engagement_id, all) = found(visit, id).await?;
    Ok(Here {
        engagement_id,
        organization_id: visit.organization.as_ref().ok_or(Error::NotFound)?.id,
        side: Side::Team,
        path: format!("/engagements/{engagement_id}/requests"),
        terms: all.last().cloned().ok_or(Error::NotFound)?,
    })
}

impl Here {
    pub(super) fn page_of(&self, number: i32) -> String {
        page_below(&self.path, number)
    }

    fn frame(&self, visit: &Visit, title: impl Into<String>) -> Frame {
        match self.side {
            Side::Auditor => Frame { whole: true, ..visit.frame(Section::Room, title).crumb("Room", "/room") },
            Side::Team => visit
                .frame(Section::Engagements, title)
                .crumb("Engagements", "/engagements")
                .crumb(self.terms.title.clone(), &format!("/engagements/{}", self.engagement_id)),
        }
    }
}

pub(super) fn number(text: &str) -> Result<i32, Error> {
    text.parse().map_err(|_not_a_number| Error::NotFound)
}

/// A request with its course; not found where there is none of that number.
pub(super) async fn one(
    read: &mut sqlx::PgConnection,
    engagement_id: i64,
    number: i32,
    today: Date,
) -> Result<Shown, Error> {
    let requests = db::requests(&mut *read, engagement_id, Some(number)).await?;
    let request = requests.into_iter().next().ok_or(Error::NotFound)?;
    let rows = db::events(read, engagement_id, Some(request.engagement_request_id)).await?;
    Ok(Shown::of(request, rows, today))
}

/// A request as another page lists it.
#[derive(Debug, Clone)]
pub(in crate::engagement) struct Line {
    pub number: i32,
    pub title: String,
    pub stand: String,
    pub due_day: Date,
    pub overdue: bool,
    pub asked: String,
    pub answers: i64,
}

/// The requests of an engagement, in their order.
pub(in crate::engagement) async fn lines(
    read: &mut sqlx::PgConnection,
    engagement_id: i64,
    today: Date,
) -> Result<Vec<Line>, Error> {
    let requests = db::requests(&mut *read, engagement_id, None).await?;
    let rows = db::events(read, engagement_id, None).await?;
    let line = |shown: Shown| Line {
        number: shown.request.number,
        stand: shown.stand_words(),
        asked: shown.asked_words(),
        answers: shown.answers(),
        due_day: shown.due_day,
        overdue: shown.overdue,
        title: shown.request.title,
    };
    Ok(all(requests, rows, today).into_iter().map(line).collect())
}

#[derive(Template)]
#[template(path = "engagement/requests.html")]
struct ListPage {
    frame: Frame,
    path: String,
    lines: Vec<Line>,
    by_team: bool,
    may_ask: bool,
    period: String,
    typed: Typed,
    problems: Problems,
}

impl ListPage {
    fn field<'a>(&'a self, name: &'a str, label: &'a str, hint: &str, input: Entry) -> Field<'a> {
        let problem = self.problems.of(name);
        let value = self.typed.get(name);
        Field { id: name.to_owned(), name, label, hint: hint.to_owned(), input, value, problem }
    }

    fn period_hint(&self) -> String {
        format!("Within the audited period, {}.", self.period)
    }
}

async fn list_room(state: web::Data<State>, visit: Visit) -> Result<HttpResponse, Error> {
    visit.address.only(&[])?;
    let here = here_in_room(&visit)?;
    list(&state, visit, here, Typed::default(), Problems::default()).await
}

async fn list_team(state: web::Data<State>, mut visit: Visit, id: web::Path<String>) -> Result<HttpResponse, Error> {
    visit.address.only(&[])?;
    let here = here_of_team(&mut visit, &id).await?;
    list(&state, visit, here, Typed::default(), Problems::default()).await
}

async fn list(
    state: &State,
    mut visit: Visit,
    here: Here,
    typed: Typed,
    problems: Problems,
) -> Result<HttpResponse, Error> {
    let lines = lines(&mut visit.read, here.engagement_id, state.clock.now().date()).await?;
    let (title, status) = if problems.is_empty() {
        ("Requests", StatusCode::OK)
    } else {
        ("Error: Requests", StatusCode::UNPROCESSABLE_ENTITY)
    };
    let page = ListPage {
        frame: here.frame(&visit, title),
        lines,
        by_team: here.side == Side::Team,
        may_ask: here.side == Side::Auditor || visit.user.role.makes_packs(),
        period: days_words(here.terms.first_day, here.terms.last_day),
        path: here.path,
        typed,
        problems,
    };
    Ok(Page(page).answer(status))
}

async fn ask_room(
    request: HttpRequest,
    state: web::Data<State>,
    visit: Visit,
    fields: web::Form<Vec<(String, String)>>,
) -> Result<HttpResponse, Error> {
    let here = here_in_room(&visit)?;
    ask(&request, &state, visit, here, &fields).await
}

async fn ask_team(
    request: HttpRequest,
    state: web::Data<State>,
    _maker: Maker,
    mut visit: Visit,
    id: web::Path<String>,
    fields: web::Form<Vec<(String, String)>>,
) -> Result<HttpResponse, Error> {
    let here = here_of_team(&mut visit, &id).await?;
    ask(&request, &state, visit, here, &fields).await
}

async fn ask(
    request: &HttpRequest,
    state: &State,
    visit: Visit,
    here: Here,
    fields: &[(String, String)],
) -> Result<HttpResponse, Error> {
    let typed = Typed::of(fields);
    let period = (here.terms.first_day, here.terms.last_day);
    let asked = match asked(&typed, state.clock.now().date(), period, here.side == Side::Team) {
        Ok(asked) => asked,
        Err(problems) => return list(state, visit, here, typed, problems).await,
    };
    let mut tx = state.db.begin().await?;
    db::lock(&mut tx, here.engagement_id).await?;
    let number = db::ask(&mut tx, here.engagement_id, &asked, &visit.user.identity).await?;
    let detail = json!({
        "request": number, "title": asked.title, "due_day": asked.due_day.to_string(), "for": asked.asked_for,
        "from": asked.days.map(|(first, _)| first.to_string()), "until": asked.days.map(|(_, last)| last.to_string()),
    });
    let entry = acted(&visit.user, request, "ask for evidence", object(here.engagement_id)).detail(detail);
    audit_log::record(&mut tx, &entry).await?;
    tx.commit().await?;
    Ok(onward(&visit, &here, number))
}

pub(super) fn onward(visit: &Visit, here: &Here, number: i32) -> HttpResponse {
    let page = here.page_of(number);
    let location = match here.side {
        Side::Auditor => page,
        Side::Team => visit.frame(Section::Engagements, "").href(&page),
    };
    HttpResponse::SeeOther().insert_header((LOCATION, location)).finish()
}

#[derive(Template)]
#[template(path = "engagement/request.html")]
struct ShowPage {
    frame: Frame,
    /// Where its forms lead.
    path: String,
    shown: Shown,
    steps: Vec<Step>,
    by_team: bool,
    may_answer: bool,
    /// Whether it is due after the room has closed.
    late: bool,
    packs: Vec<(String, String, Date, Date)>,
    reports: Vec<Released>,
    statuses: [&'static str; 4],
    days: Option<(Date, Date)>,
    typed: Typed,
    problems: Problems,
}

impl ShowPage {
    /// Whether something can happen to the request by this side.
    fn may(&self, event: Event) -> bool {
        let side = if self.by_team { Side::Team } else { Side::Auditor };
        (!self.by_team || self.may_answer) && self.shown.stand.after(event, side).is_ok()
    }

    fn end_path(&self, evidence: &Evidence) -> String {
        format!("{}/files/{}/end", self.path, evidence.answer_id)
    }

    /// A field of one of the forms: what was typed and what is wrong belong to the form that was sent.
    fn field<'a>(&'a self, kind: &str, name: &'a str, label: &'a str, hint: &str, input: Entry) -> Field<'a> {
        let hint = hint.to_owned();
        if self.is_sent(kind) {
            let (value, problem) = (self.typed.get(name), self.problems.of(name));
            return Field { id: name.to_owned(), name, label, hint, input, value, problem };
        }
        Field { id: format!("{kind}-{name}"), name, label, hint, input, value: "", problem: None }
    }

    fn days_hint(&self) -> String {
        self.days.map_or("No day of the period was collected yet.".to_owned(), |(first, last)| {
            format!("Of the audited period: {}.", days_words(first, last))
        })
    }

    /// Whether a form is the one that was sent with something wrong.
    fn is_sent(&self, kind: &str) -> bool {
        self.typed.get("kind") == kind && !self.problems.is_empty()
    }
}

async fn show_room(state: web::Data<State>, visit: Visit, path: web::Path<String>) -> Result<HttpResponse, Error> {
    visit.address.only(&[])?;
    let here = here_in_room(&visit)?;
    show(&state, visit, &here, number(&path)?, Typed::default(), Problems::default()).await
}

async fn show_team(
    state: web::Data<State>,
    mut visit: Visit,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Error> {
    visit.address.only(&[])?;
    let here = here_of_team(&mut visit, &path.0).await?;
    show(&state, visit, &here, number(&path.1)?, Typed::default(), Problems::default()).await
}

pub(super) async fn show(
    state: &State,
    mut visit: Visit,
    here: &Here,
    number: i32,
    typed: Typed,
    problems: Problems,
) -> Result<HttpResponse, Error> {
    let shown = one(&mut visit.read, here.engagement_id, number, state.clock.now().date()).await?;
    let packs = db::packs(&mut *visit.read, here.engagement_id).await?;
    let reports = released(&mut visit.read, here.organization_id).await?;
    let mut jobs = BTreeMap::new();
    for job_id in shown.rows.iter().filter(|row| row.frozen_at.is_none()).filter_map(|row| row.job_id) {
        if let Some(job) = jobs::find(&state.db, job_id).await? {
            jobs.insert(job_id, job);
        }
    }
    let path = here.page_of(number);
    let beside = Beside { packs: &packs, reports: &reports, jobs: &jobs, path: &path };
    let steps = beside.steps(&shown.rows);
    let waits = steps.iter().any(|step| step.evidence.as_ref().is_some_and(|evidence| evidence.waits));
    let title = format!("Request {number}");
    let title = if problems.is_empty() { title } else { format!("Error: {title}") };
    let status = if problems.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let refresh = (waits && problems.is_empty()).then_some(2);
    let page = ShowPage {
        frame: here.frame(&visit, title).crumb("Requests", &here.path),
        path,
        late: !shown.stand.is_ended() && shown.due_day > here.terms.closes_at.date(),
        shown,
        steps,
        by_team: here.side == Side::Team,
        may_answer: visit.user.role.makes_packs(),
        packs,
        reports,
        statuses: STATUSES,
        days: visit.days.map(|days| (days.first.max(here.terms.first_day), days.latest.min(here.terms.last_day))),
        typed,
        problems,
    };
    let mut answer = Page(page).refreshed_after(refresh);
    *answer.status_mut() = status;
    Ok(answer)
}
