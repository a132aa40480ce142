//! Scopes: the list of them, and the forms that make and end definitions. They are about the whole organisation, whatever
//! scope is read, and also show a scope that is undecided.

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use time::Date;

use super::core::{Definition, Listed, is_name};
use super::form::{EndForm, NewForm, Unit, matching};
use super::{Known, Resolved, all, db, show};
use crate::State;
use crate::audit_log;
use crate::error::Error;
use crate::people::{Maker, acted};
use crate::web::download::Format;
use crate::web::form::{CHOICES, Problems};
use crate::web::list::{Field, List};
use crate::web::parts::{Empty, Provenance};
use crate::web::table::Table;
use crate::web::{Access, Address, Endpoint, Frame, Organization, Page, Section, Visit, filters};

pub fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/scopes", Access::Team, || web::get().to(list)),
        Endpoint::post("/scopes", Access::Makers, || web::post().to(create)),
        Endpoint::get("/scopes/new", Access::Makers, || web::get().to(new)),
        Endpoint::get("/scopes/{name}", Access::Team, || web::get().to(show::show)),
        Endpoint::get("/scopes/{name}/{scope_definition_id}/end", Access::Makers, || web::get().to(end)),
        Endpoint::post("/scopes/{name}/{scope_definition_id}/end", Access::Makers, || web::post().to(close)),
    ]
}

/// Scopes of a page of the list.
const ROWS: usize = 100;

/// Scopes by name.
fn scopes() -> List<Resolved> {
    let fields = vec![
        Field::unseen("day", |scope: &Resolved| scope.day.into()),
        Field::text("Scope", "scope", |scope| scope.name.as_str().into()),
        Field::text("Title", "title", |scope| scope.title.as_str().into()),
        // Undecided is no number.
        Field::number("Accounts", "accounts", |scope| {
            scope.membership.undecided.is_empty().then(|| counted(scope.membership.accounts.len())).into()
        }),
        Field::text("Definitions in force", "definitions_in_force", |scope: &Resolved| {
            counted(scope.in_force().count()).into()
        })
        .most_first(),
        Field::unseen("definitions", |scope| counted(scope.definitions.len()).into()),
        Field::text("Undecided", "undecided", |scope: &Resolved| scope.membership.undecided.join("; ").into())
            .most_first(),
    ];
    List::new("scopes", "sort", ROWS, fields)
}

fn counted(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The organisation and the as-of day of a page about scopes.
pub(super) fn about(visit: &Visit) -> Result<(Organization, Date), Error> {
    let organization = visit.organization.clone().ok_or(Error::NothingCollected)?;
    Ok((organization, visit.days.ok_or_else(|| visit.without_days())?.as_of))
}

/// The frame of a page about scopes.
pub(super) fn frame(visit: &Visit, title: impl Into<String>) -> Frame {
    Frame { whole: true, ..visit.frame(Section::Accounts, title).crumb("Accounts", "/accounts") }
}

#[derive(Template)]
#[template(path = "organization/scopes.html")]
struct ListPage {
    frame: Frame,
    lead: String,
    /// Each with its page and the overview in it.
    scopes: Vec<(Resolved, String, String)>,
    table: Table,
    empty: Option<Empty>,
    may_make: bool,
    provenance: Provenance,
}

async fn list(mut visit: Visit) -> Result<HttpResponse, Error> {
    visit.address.only(&[&["scopes", "sort", "rows", "format"]])?;
    let (organization, day) = about(&visit)?;
    let all = all(&mut visit.read, organization.id, day).await?;
    if let Some(format) = Format::of(&visit.address)? {
        return Ok(scopes().download(format, &format!("scopes-{day}"), &visit.address, all));
    }
    let frame = frame(&visit, "Scopes");
    let number = all.len();
    let (shown, table) = scopes().table(&visit.address, "Scopes", all)?;
    let line = |scope: Resolved| {
        let overview = Address::new("/").with("scope", &scope.name).with("as_of", day).to_string();
        let page = frame.href(&format!("/scopes/{}", scope.name));
        (scope, page, overview)
    };
    let may_make = visit.user.role.makes_packs();
    let page = ListPage {
        lead: lead(number),
        table: table.as_of(day),
        empty: (number == 0).then(|| empty(may_make, &frame)),
        scopes: shown.into_iter().map(line).collect(),
        may_make,
        provenance: provenance(&frame),
        frame,
    };
    Ok(Page(page).answer(StatusCode::OK))
}

fn lead(scopes: usize) -> String {
    if scopes == 0 {
        return "No scope is defined: pages, packs and exports are about every account.".to_owned();
    }
    format!(
        "{}. Who belongs to a scope is decided for each day, by the definitions that hold on it and by the account list \
         that speaks for it.",
        crate::web::format::plural(i64::try_from(scopes).unwrap_or(i64::MAX), "scope")
    )
}

fn empty(may_make: bool, frame: &Frame) -> Empty {
    let what = "A scope names the accounts of one audit: production, cardholder data, health data, sandbox. Accounts are \
                chosen by organizational unit, by account tag or by a list, with a first day and a reason.";
    if may_make {
        Empty::new("No scopes", what).next("Define the first scope", frame.href("/scopes/new"))
    } else {
        Empty::new("No scopes", format!("{what} Compliance managers define it."))
    }
}

/// How it is known who belongs.
pub(super) fn provenance(frame: &Frame) -> Provenance {
    Provenance::default()
        .line("What is a scope", "All accounts that at least one of its definitions in force on the day chooses.")
        .line(
            "Units and tags",
            "Those of the latest account list of AWS Organizations up to the day, else of the first after it.",
        )
        .line(
            "Definitions",
            "Never altered or deleted: they are ended, with a reason. Each act stands in the audit log.",
        )
        .link("Account lists", "Collections, with what each of them read", frame.href("/collections"))
}

#[derive(Template)]
#[template(path = "organization/scope_new.html")]
struct NewPage {
    frame: Frame,
    form: NewForm,
    problems: Problems,
    /// Those that fit what was typed, at most [`CHOICES`].
    units: Vec<Unit>,
    all_units: usize,
    listed_on: Option<Date>,
    names: Vec<(String, String)>,
    action: String,
}

/// The units to choose from: of the list that speaks for the as-of day.
async fn choices(visit: &mut Visit) -> Result<(Vec<Unit>, Option<Date>), Error> {
    let (organization, day) = about(visit)?;
    let listed = db::listed(&mut visit.read, organization.id, day, Known::ALL.collection).await?;
    Ok((listed.as_ref().map(Listed::units).unwrap_or_default(), listed.map(|listed| listed.listed_on)))
}

async fn new_page(
    visit: &mut Visit,
    form: NewForm,
    problems: Problems,
    (units, listed_on): (Vec<Unit>, Option<Date>),
) -> Result<HttpResponse, Error> {
    let (organization, _) = about(visit)?;
    let names = super::names(&mut visit.read, organization.id).await?;
    let (title, status) = if problems.is_empty() {
        ("New scope definition", StatusCode::OK)
    } else {
        ("Error: New scope definition", StatusCode::UNPROCESSABLE_ENTITY)
    };
    let frame = frame(visit, title).crumb("Scopes", "/scopes");
    let action = frame.href("/scopes");
    let fit = matching(&form.unit, &units);
    let fit: Vec<&Unit> = if fit.is_empty() { units.iter().collect() } else { fit };
    let page = NewPage {
        units: fit.into_iter().take(CHOICES).cloned().collect(),
        all_units: units.len(),
        frame,
        form,
        problems,
        listed_on,
        names,
        action,
    };
    Ok(Page(page).answer(status))
}

async fn new(mut visit: Visit, _maker: Maker) -> Result<HttpResponse, Error> {
    visit.address.only(&[&["name", "unit"]])?;
    let (organization, day) = about(&visit)?;
    let (units, listed_on) = choices(&mut visit).await?;
    let name = visit.address.get("name").unwrap_or_default().to_owned();
    let names = super::names(&mut visit.read, organization.id).await?;
    let form = NewForm {
        title: names.into_iter().find(|(known, _)| *known == name).map(|(_, title)| title).unwrap_or_default(),
        name,
        kind: if units.is_empty() { "accounts".to_owned() } else { "unit".to_owned() },
        unit: visit.address.get("unit").unwrap_or_default().to_owned(),
        first_day: day.to_string(),
        ..NewForm::default()
    };
    new_page(&mut visit, form, Problems::default(), (units, listed_on)).await
}

async fn create(
    request: HttpRequest,
    state: web::Data<State>,
    Maker(user): Maker,
    mut visit: Visit,
    fields: web::Form<Vec<(String, String)>>,
) -> Result<HttpResponse, Error> {
    let form = NewForm::of(&fields);
    let (organization, _) = about(&visit)?;
    let known = choices(&mut visit).await?;
    let asked = match form.parse(&known.0) {
        Ok(asked) => asked,
        Err(problems) => return new_page(&mut visit, form, problems, known).await,
    };
    let mut tx = state.db.begin().await?;
    let new = db::New {
        organization_id: organization.id,
        name: &asked.name,
        title: &asked.title,
        selector: &asked.selector,
        first_day: asked.first_day,
        reason: &asked.reason,
        made_by: &user.identity,
    };
    let record = db::make(&mut tx, &new).await?;
    let detail = serde_json::json!({
        "definition": record, "title": asked.title, "by": asked.selector.words(None),
        "first_day": asked.first_day.to_string(), "reason": asked.reason,
    });
    let entry = acted(&user, &request, "make scope definition", format!("scope {}", asked.name)).detail(detail);
    audit_log::record(&mut tx, &entry).await?;
    tx.commit().await?;
    Ok(back(&visit, &asked.name))
}

fn back(visit: &Visit, name: &str) -> HttpResponse {
    let location = visit.frame(Section::Accounts, "").href(&format!("/scopes/{name}"));
    HttpResponse::SeeOther().insert_header((LOCATION, location)).finish()
}

#[derive(Template)]
#[template(path = "organization/scope_end.html")]
struct EndPage {
    frame: Frame,
    form: EndForm,
    problems: Problems,
    definition: Definition,
    words: String,
    action: String,
}

/// A definition by its name and number, that is not ended yet, and what it chooses by in words.
async fn find(visit: &mut Visit, (name, record): &(String, String)) -> Result<(Definition, String), Error> {
    let record: i64 = record.parse().map_err(|_not_a_number| Error::NotFound)?;
    if !is_name(name) {
        return Err(Error::NotFound);
    }
    let (organization, day) = about(visit)?;
    let all = db::definitions(&mut visit.read, organization.id, Some(name), Known::ALL.record).await?;
    let one = all.into_iter().find(|one| one.record == record).ok_or(Error::NotFound)?;
    if one.end.is_some() {
        return Err(ended());
    }
    let listed = db::listed(&mut visit.read, organization.id, day, Known::ALL.collection).await?;
    let words = one.selector.words(listed.as_ref());
    Ok((one, words))
}

fn ended() -> Error {
    Error::Conflict("This definition has been ended already.".to_owned())
}

fn end_page(
    visit: &Visit,
    form: EndForm,
    problems: Problems,
    (definition, words): (Definition, String),
) -> Page<EndPage> {
    let title = if problems.is_empty() { "End scope definition" } else { "Error: End scope definition" };
    let page = format!("/scopes/{}", definition.name);
    let frame = frame(visit, title).crumb("Scopes", "/scopes").crumb(definition.name.clone(), &page);
    let action = frame.href(&format!("{page}/{}/end", definition.record));
    Page(EndPage { frame, form, problems, definition, words, action })
}

async fn end(mut visit: Visit, _maker: Maker, which: web::Path<(String, String)>) -> Result<HttpResponse, Error> {
    visit.address.only(&[])?;
    let (_, day) = about(&visit)?;
    let found = find(&mut visit, &which).await?;
    let form = EndForm { end_day: day.to_string(), reason: String::new() };
    Ok(end_page(&visit, form, Problems::default(), found).answer(StatusCode::OK))
}

async fn close(
    request: HttpRequest,
    state: web::Data<State>,
    Maker(user): Maker,
    mut visit: Visit,
    which: web::Path<(String, String)>,
    fields: web::Form<Vec<(String, String)>>,
) -> Result<HttpResponse, Error> {
    let found = find(&mut visit, &which).await?;
    let form = EndForm::of(&fields);
    let (end_day, reason) = match form.parse() {
        Ok(asked) => asked,
        Err(problems) => return Ok(end_page(&visit, form, problems, found).answer(StatusCode::UNPROCESSABLE_ENTITY)),
    };
    let (definition, words) = found;
    let mut tx = state.db.begin().await?;
    if !db::end(&mut tx, definition.record, end_day, &reason, &user.identity).await? {
        return Err(ended());
    }
    let detail = serde_json::json!({
        "definition": definition.record, "by": words, "reason": reason,
        "before": { "no_longer_from": null }, "after": { "no_longer_from": end_day.to_string() },
    });
    let entry = acted(&user, &request, "end scope definition", format!("scope {}", definition.name)).detail(detail);
    audit_log::record(&mut tx, &entry).await?;
    tx.commit().await?;
    Ok(back(&visit, &definition.name))
}
