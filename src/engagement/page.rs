//! What the team sees and does of engagements: the list, one of them, its terms and its auditors.

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde_json::json;
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::core::{Change, Moment, Terms, changes};
use super::db::{self, Auditor, NewTerms, PackHere};
use super::form::{Asked, Invited, Known, TermsForm, moment_text, reason};
use super::{ask, draw, log, role_db, room, shared};
use crate::State;
use crate::artifact;
use crate::audit_log;
use crate::error::Error;
use crate::organization::scope;
use crate::packs::state::Course;
use crate::packs::state::db::courses;
use crate::people::{Maker, Provider, acted};
use crate::web::download::Format;
use crate::web::form::{Choice, Problems, value};
use crate::web::list::{Field, List};
use crate::web::parts::Empty;
use crate::web::table::Table;
use crate::web::{Access, Endpoint, Frame, Page, Section, Visit, filters};

pub fn endpoints() -> Vec<Endpoint> {
    [
        vec![
            Endpoint::get("/engagements", Access::Team, || web::get().to(list)),
            Endpoint::post("/engagements", Access::Makers, || web::post().to(create)),
            Endpoint::get("/engagements/new", Access::Makers, || web::get().to(new)),
            Endpoint::get("/engagements/{engagement_id}", Access::Team, || web::get().to(show)),
            Endpoint::get("/engagements/{engagement_id}/terms", Access::Makers, || web::get().to(terms)),
            Endpoint::post("/engagements/{engagement_id}/terms", Access::Makers, || web::post().to(agree)),
            Endpoint::post("/engagements/{engagement_id}/close", Access::Makers, || web::post().to(close)),
            Endpoint::post("/engagements/{engagement_id}/auditors", Access::Makers, || web::post().to(invite)),
            Endpoint::post("/engagements/{engagement_id}/auditors/{auditor_id}/end", Access::Makers, || {
                web::post().to(uninvite)
            }),
        ],
        shared::endpoints(),
        room::endpoints(),
        draw::page::endpoints(),
        log::endpoints(),
        ask::page::endpoints(),
    ]
    .concat()
}

/// Engagements of a page of the list.
const ROWS: usize = 100;

/// An engagement with its standing at the moment of the page.
#[derive(Debug, Clone)]
struct Line {
    id: i64,
    terms: Terms,
    moment: Moment,
}

fn engagements() -> List<Line> {
    let fields = vec![
        Field::unseen("engagement", |line: &Line| line.id.into()),
        Field::text("Engagement", "title", |line| line.terms.title.as_str().into()),
        Field::text("Room", "room", |line: &Line| line.moment.words().into()),
        Field::text("Audited period (UTC)", "first_day", |line: &Line| line.terms.first_day.into()).most_first(),
        Field::unseen("last_day", |line| line.terms.last_day.into()),
        Field::text("Scope", "scope", |line| line.terms.scope_words().into()),
        Field::text("Rules", "rules", |line| line.terms.rules_words().into()),
        Field::text("Opens", "opens_at", |line: &Line| line.terms.opens_at.into()).most_first(),
        Field::text("Closes", "closes_at", |line: &Line| line.terms.closes_at.into()).most_first(),
    ];
    List::new("engagements", "sort", ROWS, fields)
}

#[derive(Template)]
#[template(path = "engagement/list.html")]
struct ListPage {
    frame: Frame,
    lead: String,
    lines: Vec<Line>,
    table: Table,
    empty: Option<Empty>,
    may_make: bool,
}

async fn list(state: web::Data<State>, mut visit: Visit) -> Result<HttpResponse, Error> {
    visit.address.only(&[&["engagements", "sort", "rows", "format"]])?;
    let organization = visit.organization.clone().ok_or(Error::NothingCollected)?;
    let now = state.clock.now();
    let all = db::all(&mut *visit.read, organization.id).await?;
    let lines: Vec<Line> = all.into_iter().map(|(id, terms)| Line { id, moment: terms.moment(now), terms }).collect();
    if let Some(format) = Format::of(&visit.address)? {
        return Ok(engagements().download(format, "engagements", &visit.address, lines));
    }
    let frame = visit.frame(Section::Engagements, "Engagements");
    let may_make = visit.user.role.makes_packs();
    let what = "An engagement is one audit: a period, a scope and a room that opens and closes by itself. Auditors who are \
                invited see the room, and of the organisation nothing else.";
    let empty = lines.is_empty().then(|| {
        let empty = Empty::new("No engagements", what);
        if may_make { empty.next("Make the first engagement", frame.href("/engagements/new")) } else { empty }
    });
    let open = lines.iter().filter(|line| line.moment == Moment::Open).count();
    let lead = format!("{} of {} open now. {what}", open, crate::web::format::plural(counted(lines.len()), "room"));
    let (lines, table) = engagements().table(&visit.address, "Engagements, the newest first", lines)?;
    Ok(Page(ListPage { frame, lead, lines, table, empty, may_make }).answer(StatusCode::OK))
}

fn counted(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[derive(Template)]
#[template(path = "engagement/show.html")]
struct ShowPage {
    frame: Frame,
    id: i64,
    terms_path: String,
    log_path: String,
    requests_path: String,
    terms: Terms,
    moment: Moment,
    changes: Vec<Change>,
    auditors: Vec<Auditor>,
    packs: Vec<(PackHere, Course)>,
    /// Number and words; `None` while they are the auditors' own.
    samples: Option<Vec<(i64, String)>>,
    requests: Vec<ask::Line>,
    may_make: bool,
    /// Whether the database can raise the wall of a room.
    ready: bool,
    invited: Invited,
    /// The providers that an invitation can be kept to, where there are several.
    providers: Vec<Choice>,
    problems: Problems,
}

/// Where a request is, below the list of requests.
pub(super) fn page_below(path: impl std::fmt::Display, number: impl std::fmt::Display) -> String {
    format!("{path}/{number}")
}

/// Where the form leads that ends an invitation, or takes a pack out.
fn ending_path(id: impl std::fmt::Display, of: &str, number: impl std::fmt::Display) -> String {
    format!("/engagements/{id}/{of}/{number}/end")
}

async fn show(state: web::Data<State>, visit: Visit, id: web::Path<String>) -> Result<HttpResponse, Error> {
    visit.address.only(&[])?;
    page(&state, visit, &id, Invited::default(), Problems::default()).await
}

pub(super) async fn page(
    state: &State,
    mut visit: Visit,
    id: &str,
    invited: Invited,
    problems: Problems,
) -> Result<HttpResponse, Error> {
    let (id, all) = found(&mut visit, id).await?;
    let terms = all.last().cloned().ok_or(Error::NotFound)?;
    let auditors = db::auditors(&mut *visit.read, id).await?;
    let packs = db::packs(&mut *visit.read, id).await?;
    let ids: Vec<&str> = packs.iter().map(|pack| pack.pack_id.as_str()).collect();
    let courses = courses(&mut *visit.read, &ids).await?;
    let packs = packs.into_iter().map(|pack| (courses.get(&pack.pack_id).cloned().unwrap_or_default(), pack));
    let packs = packs.map(|(course, pack)| (pack, course)).collect();
    let moment = terms.moment(state.clock.now());
    let samples = draw::page::shown(&mut visit.read, id, moment).await?;
    let requests = ask::lines(&mut visit.read, id, state.clock.now().date()).await?;
    let ready = role_db::is_ready(&mut visit.read).await?;
    let status = if problems.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let frame = visit.frame(Section::Engagements, terms.title.clone()).crumb("Engagements", "/engagements");
    let page = ShowPage {
        frame,
        id,
        terms_path: format!("/engagements/{id}/terms"),
        log_path: format!("/engagements/{id}/log"),
        requests_path: format!("/engagements/{id}/requests"),
        moment,
        samples,
        requests,
        changes: changes(&all),
        terms,
        auditors,
        packs,
        may_make: visit.user.role.makes_packs(),
        ready,
        invited,
        providers: providers(state),
        problems,
    };
    Ok(Page(page).answer(status))
}

/// Providers to choose from; none where there is no choice.
fn providers(state: &State) -> Vec<Choice> {
    let all = &state.sign_in.providers;
    let choice = |provider: &Provider| Choice::new(&provider.settings.name, &provider.settings.title);
    if all.len() > 1 { all.iter().map(choice).collect() } else { Vec::new() }
}

/// An engagement of the organisation by the number in an address, with all its terms.
pub(super) async fn found(visit: &mut Visit, id: &str) -> Result<(i64, Vec<Terms>), Error> {
    let id: i64 = id.parse().map_err(|_not_a_number| Error::NotFound)?;
    let organization = visit.organization.as_ref().ok_or(Error::NotFound)?;
    if !db::is_of(&mut *visit.read, organization.id, id).await? {
        return Err(Error::NotFound);
    }
    Ok((id, db::terms(&mut *visit.read, id).await?))
}

#[derive(Template)]
#[template(path = "engagement/terms.html")]
struct TermsPage {
    frame: Frame,
    /// Whether it is a new engagement.
    new: bool,
    form: TermsForm,
    problems: Problems,
    scopes: Vec<(String, String)>,
    action: String,
    demo: bool,
}

fn terms_page(
    state: &State,
    visit: &Visit,
    (form, problems): (TermsForm, Problems),
    scopes: Vec<(String, String)>,
    standing: Option<(i64, &Terms)>,
) -> HttpResponse {
    let what = if standing.is_none() { "New engagement" } else { "Change the terms" };
    let (title, status) = if problems.is_empty() {
        (what.to_owned(), StatusCode::OK)
    } else {
        (format!("Error: {what}"), StatusCode::UNPROCESSABLE_ENTITY)
    };
    let mut frame = visit.frame(Section::Engagements, title).crumb("Engagements", "/engagements");
    let mut action = frame.href("/engagements");
    if let Some((id, terms)) = standing {
        frame = frame.crumb(terms.title.clone(), &format!("/engagements/{id}"));
        action = frame.href(&format!("/engagements/{id}/terms"));
    }
    let (new, demo) = (standing.is_none(), state.demo);
    Page(TermsPage { frame, new, form, problems, scopes, action, demo }).answer(status)
}

/// Names of scopes and of rules, which the form offers and is checked against.
async fn choices(visit: &mut Visit) -> Result<(Vec<(String, String)>, Vec<String>), Error> {
    let organization = visit.organization.clone().ok_or(Error::NothingCollected)?;
    let scopes = scope::names(&mut visit.read, organization.id).await?;
    Ok((scopes, db::core_names(&mut *visit.read, organization.id).await?))
}

async fn new(state: web::Data<State>, _maker: Maker, mut visit: Visit) -> Result<HttpResponse, Error> {
    visit.address.only(&[])?;
    let (scopes, _) = choices(&mut visit).await?;
    let opens = state.clock.now();
    let days = visit.days;
    let form = TermsForm {
        first_day: days.map(|days| days.first.to_string()).unwrap_or_default(),
        last_day: days.map(|days| days.latest.to_string()).unwrap_or_default(),
        opens_at: moment_text(opens),
        closes_at: moment_text(opens + time::Duration::days(30)),
        scope: visit.scope.as_ref().map(|scope| scope.name.clone()).unwrap_or_default(),
        ..TermsForm::default()
    };
    Ok(terms_page(&state, &visit, (form, Problems::default()), scopes, None))
}

async fn create(
    request: HttpRequest,
    state: web::Data<State>,
    Maker(user): Maker,
    mut visit: Visit,
    fields: web::Form<Vec<(String, String)>>,
) -> Result<HttpResponse, Error> {
    let form = TermsForm::of(&fields);
    let (scopes, rules) = choices(&mut visit).await?;
    let known = Known { scopes: &scopes, rules: &rules, now: state.clock.now(), demo: state.demo };
    let asked = match form.parse(known) {
        Ok(asked) => asked,
        Err(problems) => return Ok(terms_page(&state, &visit, (form, problems), scopes, None)),
    };
    let organization = visit.organization.clone().ok_or(Error::NothingCollected)?;
    if !role_db::is_ready(&mut visit.read).await? {
        return Err(not_ready());
    }
    let mut tx = state.db.begin().await?;
    let id = db::make(&mut tx, organization.id, &user.identity).await?;
    let terms = asked.terms(&user.identity);
    db::agree(&mut tx, id, &terms).await?;
    let mut detail = detail_and_reason(&terms);
    for address in &asked.auditors {
        db::invite(&mut tx, id, address, None, &user.identity).await?;
    }
    detail["auditors"] = json!(asked.auditors);
    let entry = acted(&user, &request, "make engagement", object(id)).detail(detail);
    audit_log::record(&mut tx, &entry).await?;
    look_at_reports(&mut tx, &state, &visit).await?;
    tx.commit().await?;
    Ok(back(&visit, id))
}

/// Whether AWS's reports speak for the periods as they are now.
async fn look_at_reports(tx: &mut PgConnection, state: &State, visit: &Visit) -> Result<(), Error> {
    let organization = visit.organization.as_ref().ok_or(Error::NothingCollected)?;
    Ok(artifact::decide_notices(tx, state, &organization.name).await?)
}

fn not_ready() -> Error {
    Error::Conflict(
        "The database has no role auditfolio_room, so that a room could not be kept to its scope. Whoever runs this \
         installation finds in its log what to do."
            .to_owned(),
    )
}

/// As the audit log names an engagement.
pub(super) fn object(id: i64) -> String {
    format!("engagement {id}")
}

impl Asked {
    fn terms<'a>(&'a self, made_by: &'a str) -> NewTerms<'a> {
        NewTerms {
            title: &self.title,
            scope_name: self.scope_name.as_deref(),
            core_names: self.core_names.as_deref(),
            first_day: self.first_day,
            last_day: self.last_day,
            opens_at: self.opens_at,
            closes_at: self.closes_at,
            reason: &self.reason,
            made_by,
        }
    }
}

/// Terms as the audit log has them before and after a change.
fn detail(terms: &NewTerms<'_>) -> serde_json::Value {
    json!({
        "title": terms.title, "scope": terms.scope_name, "rules": terms.core_names,
        "first_day": terms.first_day.to_string(), "last_day": terms.last_day.to_string(),
        "opens_at": moment_text(terms.opens_at), "closes_at": moment_text(terms.closes_at),
    })
}

/// The same with the reason for them.
fn detail_and_reason(terms: &NewTerms<'_>) -> serde_json::Value {
    let mut detail = detail(terms);
    detail["reason"] = json!(terms.reason);
    detail
}

pub(super) fn back(visit: &Visit, id: i64) -> HttpResponse {
    let location = visit.frame(Section::Engagements, "").href(&format!("/engagements/{id}"));
    HttpResponse::SeeOther().insert_header((LOCATION, location)).finish()
}

async fn terms(
    state: web::Data<State>,
    _maker: Maker,
    mut visit: Visit,
    id: web::Path<String>,
) -> Result<HttpResponse, Error> {
    visit.address.only(&[])?;
    let (id, all) = found(&mut visit, &id).await?;
    let standing = all.last().ok_or(Error::NotFound)?;
    let (scopes, _) = choices(&mut visit).await?;
    let form = TermsForm::standing(standing);
    Ok(terms_page(&state, &visit, (form, Problems::default()), scopes, Some((id, standing))))
}

async fn agree(
    request: HttpRequest,
    state: web::Data<State>,
    Maker(user): Maker,
    mut visit: Visit,
    id: web::Path<String>,
    fields: web::Form<Vec<(String, String)>>,
) -> Result<HttpResponse, Error> {
    let (id, all) = found(&mut visit, &id).await?;
    let standing = all.last().ok_or(Error::NotFound)?;
    let form = TermsForm { auditors: String::new(), ..TermsForm::of(&fields) };
    let (scopes, rules) = choices(&mut visit).await?;
    let known = Known { scopes: &scopes, rules: &rules, now: state.clock.now(), demo: state.demo };
    let asked = match form.parse(known) {
        Ok(asked) => asked,
        Err(problems) => {
            return Ok(terms_page(&state, &visit, (form, problems), scopes, Some((id, standing))));
        }
    };
    let mut tx = state.db.begin().await?;
    let terms = asked.terms(&user.identity);
    db::agree(&mut tx, id, &terms).await?;
    let before = detail(&NewTerms::of(standing));
    let detail = json!({ "before": before, "after": detail_and_reason(&terms), "reason": asked.reason });
    let entry = acted(&user, &request, "change engagement", object(id)).detail(detail);
    audit_log::record(&mut tx, &entry).await?;
    look_at_reports(&mut tx, &state, &visit).await?;
    tx.commit().await?;
    Ok(back(&visit, id))
}

/// Closes a room that is open, from now on.
async fn close(
    request: HttpRequest,
    state: web::Data<State>,
    Maker(user): Maker,
    mut visit: Visit,
    id: web::Path<String>,
    fields: web::Form<Vec<(String, String)>>,
) -> Result<HttpResponse, Error> {
    let (number, all) = found(&mut visit, &id).await?;
    let standing = all.last().ok_or(Error::NotFound)?;
    let why = match reason(&value(&fields, "reason")) {
        Ok(why) => why,
        Err(problems) => return page(&state, visit, &id, Invited::default(), problems).await,
    };
    let now: OffsetDateTime = state.clock.now();
    if standing.moment(now) != Moment::Open {
        return Err(Error::Conflict(format!("The room is {}.", standing.moment(now).words())));
    }
    let mut tx = state.db.begin().await?;
    let new = NewTerms { closes_at: now, reason: &why, made_by: &user.identity, ..NewTerms::of(standing) };
    db::agree(&mut tx, number, &new).await?;
    let detail = json!({ "before": moment_text(standing.closes_at), "reason": why });
    audit_log::record(&mut tx, &acted(&user, &request, "close engagement", object(number)).detail(detail)).await?;
    look_at_reports(&mut tx, &state, &visit).await?;
    tx.commit().await?;
    Ok(back(&visit, number))
}

async fn invite(
    request: HttpRequest,
    state: web::Data<State>,
    Maker(user): Maker,
    mut visit: Visit,
    id: web::Path<String>,
    fields: web::Form<Vec<(String, String)>>,
) -> Result<HttpResponse, Error> {
    let (number, _) = found(&mut visit, &id).await?;
    let typed = Invited::of(&fields);
    let names: Vec<String> = providers(&state).into_iter().map(|provider| provider.value).collect();
    let (found, provider) = match typed.check(&names, state.demo) {
        Ok(asked) => asked,
        Err(problems) => return page(&state, visit, &id, typed, problems).await,
    };
    let mut tx = state.db.begin().await?;
    for address in &found {
        if db::invite(&mut tx, number, address, provider.as_deref(), &user.identity).await? {
            let detail = json!({ "email": address, "provider": provider });
            let entry = acted(&user, &request, "invite auditor", object(number)).detail(detail);
            audit_log::record(&mut tx, &entry).await?;
        }
    }
    tx.commit().await?;
    Ok(back(&visit, number))
}

async fn uninvite(
    request: HttpRequest,
    state: web::Data<State>,
    Maker(user): Maker,
    mut visit: Visit,
    which: web::Path<(String, String)>,
    fields: web::Form<Vec<(String, String)>>,
) -> Result<HttpResponse, Error> {
    let (id, auditor) = which.into_inner();
    let (number, _) = found(&mut visit, &id).await?;
    let auditor: i64 = auditor.parse().map_err(|_not_a_number| Error::NotFound)?;
    let why = match reason(&value(&fields, "reason")) {
        Ok(why) => why,
        Err(problems) => return page(&state, visit, &id, Invited::default(), problems).await,
    };
    let mut tx = state.db.begin().await?;
    let ended = db::uninvite(&mut tx, (number, auditor), &why, &user.identity).await?;
    let email = ended.ok_or_else(|| Error::Conflict("This invitation has ended already.".to_owned()))?;
    let detail = json!({ "email": email, "reason": why });
    audit_log::record(&mut tx, &acted(&user, &request, "end invitation", object(number)).detail(detail)).await?;
    tx.commit().await?;
    Ok(back(&visit, number))
}
