//! Scopes: what they hold today, how they came to be, and the forms that make and end them.

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::core::{Definition, Selector};
use super::db::{self, Row};
use super::form::{EndForm, NewForm};
use super::resolve;
use crate::State;
use crate::audit_log;
use crate::error::Error;
use crate::people::{Maker, acted};
use crate::web::form::Problems;
use crate::web::parts::Empty;
use crate::web::{Access, Address, Endpoint, Frame, Page, Section, View, filters};

pub fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/scopes", Access::SignedIn, || web::get().to(list)),
        Endpoint::post("/scopes", Access::Makers, || web::post().to(create)),
        Endpoint::get("/scopes/new", Access::Makers, || web::get().to(new)),
        Endpoint::get("/scopes/{scope_definition_id}/end", Access::Makers, || web::get().to(end)),
        Endpoint::post("/scopes/{scope_definition_id}/end", Access::Makers, || web::post().to(close)),
    ]
}

/// One scope with everything that was ever said of it.
struct ScopeLine {
    name: String,
    accounts: usize,
    undecided: String,
    listed_on: Option<String>,
    href: String,
    definitions: Vec<Line>,
}

struct Line {
    id: i64,
    replace_path: String,
    end_path: String,
    words: String,
    reason: String,
    made: String,
    ended: Option<String>,
    holds: bool,
    may_end: bool,
}

#[derive(Template)]
#[template(path = "organization/scopes.html")]
struct ListPage {
    frame: Frame,
    scopes: Vec<ScopeLine>,
    may_make: bool,
    as_of: time::Date,
}

async fn list(mut view: View) -> Result<HttpResponse, Error> {
    let rows = db::rows(&mut view.read, view.organization_id, None).await?;
    let mut scopes = Vec::new();
    for of_name in rows.chunk_by(|one, other| one.name == other.name) {
        let Some(first) = of_name.first() else { continue };
        let resolved = resolve(&mut view.read, view.organization_id, &first.name, view.as_of, i64::MAX).await;
        let resolved = resolved.map_err(anyhow::Error::from)?;
        let href = Address::new("/").with("as_of", view.as_of).with("scope", &first.name).to_string();
        scopes.push(ScopeLine {
            name: first.name.clone(),
            accounts: resolved.accounts.len(),
            undecided: resolved.undecided,
            listed_on: resolved.listed_on,
            href,
            definitions: of_name.iter().map(|row| line(row, view.as_of)).collect(),
        });
    }
    let may_make = view.user.role.makes_packs();
    let frame = Frame { scoped: false, ..view.frame(Section::Accounts, "Scopes").crumb("Accounts", "/accounts") };
    Ok(Page(ListPage { frame, scopes, may_make, as_of: view.as_of }).answer(StatusCode::OK))
}

fn end_path(scope_definition_id: i64) -> String {
    format!("/scopes/{scope_definition_id}/end")
}

fn line(row: &Row, day: time::Date) -> Line {
    use crate::web::format::at;
    let definition = row.definition();
    let mut made = format!("{}, by {}", at(row.made_at), row.made_by);
    if let Some(replaces) = row.replaces {
        made = format!("{made}, in place of definition {replaces}");
    }
    let ended = row.ended_at.map(|ended_at| {
        let by = row.ended_by.clone().unwrap_or_default();
        format!("{}, by {by}: {}", at(ended_at), row.end_reason.clone().unwrap_or_default())
    });
    Line {
        id: row.scope_definition_id,
        replace_path: format!("/scopes/new?replaces={}", row.scope_definition_id),
        end_path: end_path(row.scope_definition_id),
        words: definition.words(),
        reason: row.reason.clone(),
        made,
        holds: definition.holds_on(day),
        may_end: ended.is_none(),
        ended,
    }
}

#[derive(Template)]
#[template(path = "organization/scope_new.html")]
struct NewPage {
    frame: Frame,
    form: NewForm,
    problems: Problems,
    units: Vec<(String, String)>,
    /// The definition that is being replaced, in words.
    replaced: Option<String>,
}

fn new_page(
    view: &View,
    form: NewForm,
    problems: Problems,
    units: Vec<(String, String)>,
    replaced: Option<&Definition>,
) -> Page<NewPage> {
    let title = if problems.is_empty() { "New scope definition" } else { "Error: New scope definition" };
    let frame = view.frame(Section::Accounts, title).crumb("Accounts", "/accounts").crumb("Scopes", "/scopes");
    let replaced = replaced.map(|one| format!("{}: {}", one.name, one.words()));
    Page(NewPage { frame: Frame { scoped: false, ..frame }, form, problems, units, replaced })
}

async fn find(view: &mut View, id: &str) -> Result<Row, Error> {
    let id: i64 = id.parse().map_err(|_not_a_number| Error::NotFound)?;
    let rows = db::rows(&mut view.read, view.organization_id, None).await?;
    rows.into_iter().find(|row| row.scope_definition_id == id).ok_or(Error::NotFound)
}

async fn new(mut view: View, _maker: Maker) -> Result<HttpResponse, Error> {
    let replaces = view.address.get("replaces").map(str::to_owned);
    let replaced = match &replaces {
        Some(id) => Some(find(&mut view, id).await?.definition()),
        None => None,
    };
    let units = db::units(&mut view.read, view.organization_id).await?;
    let mut form = NewForm {
        kind: if units.is_empty() { "accounts".to_owned() } else { "unit".to_owned() },
        first_day: view.as_of.to_string(),
        ..NewForm::default()
    };
    if let Some(one) = &replaced {
        fill(&mut form, one);
    }
    Ok(new_page(&view, form, Problems::default(), units, replaced.as_ref()).answer(StatusCode::OK))
}

/// A form that begins with what is replaced.
fn fill(form: &mut NewForm, replaced: &Definition) {
    form.name.clone_from(&replaced.name);
    form.replaces = replaced.id.to_string();
    match &replaced.selector {
        Selector::Unit { id, .. } => {
            "unit".clone_into(&mut form.kind);
            form.unit.clone_from(id);
        }
        Selector::Tag { key, value } => {
            "tag".clone_into(&mut form.kind);
            form.tag = format!("{key}={value}");
        }
        Selector::Accounts(accounts) => {
            "accounts".clone_into(&mut form.kind);
            form.accounts = accounts.iter().cloned().collect::<Vec<_>>().join("\n");
        }
    }
}

async fn create(
    request: HttpRequest,
    state: web::Data<State>,
    Maker(user): Maker,
    mut view: View,
    fields: web::Form<Vec<(String, String)>>,
) -> Result<HttpResponse, Error> {
    let form = NewForm::of(&fields);
    let units = db::units(&mut view.read, view.organization_id).await?;
    let replaced = if form.replaces.is_empty() { None } else { Some(find(&mut view, &form.replaces).await?) };
    let replaced = replaced.map(|row| row.definition());
    let known: Vec<&str> = units.iter().map(|(id, _)| id.as_str()).collect();
    let asked = form.parse(&known).and_then(|asked| match &replaced {
        Some(one) if one.name != asked.name => {
            let mut problems = Problems::default();
            problems.add("name", format!("A definition of {} is replaced: keep its name.", one.name));
            Err(problems)
        }
        _ => Ok(asked),
    });
    let asked = match asked {
        Ok(asked) => asked,
        Err(problems) => {
            let page = new_page(&view, form, problems, units, replaced.as_ref());
            return Ok(page.answer(StatusCode::UNPROCESSABLE_ENTITY));
        }
    };
    let mut tx = state.db.begin().await?;
    if let Some(one) = &replaced
        && !db::end(&mut tx, one.id, asked.first_day, &asked.reason, &user.identity).await?
    {
        return Err(Error::Conflict("This definition has been ended already: make a new one instead.".to_owned()));
    }
    let new = db::New {
        organization_id: view.organization_id,
        name: &asked.name,
        selector: &asked.selector,
        first_day: asked.first_day,
        end_day: asked.end_day,
        reason: &asked.reason,
        made_by: &user.identity,
        replaces: replaced.as_ref().map(|one| one.id),
    };
    let id = db::make(&mut tx, &new).await?;
    let act = if replaced.is_some() { "replace scope definition" } else { "make scope definition" };
    let entry = acted(&user, &request, act, format!("scope {}", asked.name)).detail(serde_json::json!({
        "scope_definition_id": id, "by": asked.selector.words(), "first_day": asked.first_day.to_string(),
        "last_day": asked.end_day.and_then(time::Date::previous_day).map(|day| day.to_string()),
        "reason": asked.reason, "replaces": replaced.as_ref().map(|one| one.id),
    }));
    audit_log::record(&mut tx, &entry).await?;
    tx.commit().await?;
    Ok(back(&view))
}

fn back(view: &View) -> HttpResponse {
    let location = Address::new("/scopes").with("as_of", view.as_of).to_string();
    HttpResponse::SeeOther().insert_header((LOCATION, location)).finish()
}

#[derive(Template)]
#[template(path = "organization/scope_end.html")]
struct EndPage {
    frame: Frame,
    form: EndForm,
    problems: Problems,
    definition: Definition,
    action: String,
}

fn end_page(view: &View, form: EndForm, problems: Problems, definition: Definition) -> Page<EndPage> {
    let title = if problems.is_empty() { "End scope definition" } else { "Error: End scope definition" };
    let frame = view.frame(Section::Accounts, title).crumb("Accounts", "/accounts").crumb("Scopes", "/scopes");
    let action = frame.href(&end_path(definition.id));
    Page(EndPage { frame: Frame { scoped: false, ..frame }, form, problems, definition, action })
}

async fn end(mut view: View, _maker: Maker, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let row = find(&mut view, &id).await?;
    let form = EndForm { end_day: view.as_of.to_string(), reason: String::new() };
    Ok(end_page(&view, form, Problems::default(), row.definition()).answer(StatusCode::OK))
}

async fn close(
    request: HttpRequest,
    state: web::Data<State>,
    Maker(user): Maker,
    mut view: View,
    id: web::Path<String>,
    fields: web::Form<Vec<(String, String)>>,
) -> Result<HttpResponse, Error> {
    let row = find(&mut view, &id).await?;
    let form = EndForm::of(&fields);
    let (end_day, reason) = match form.parse() {
        Ok(asked) => asked,
        Err(problems) => {
            return Ok(end_page(&view, form, problems, row.definition()).answer(StatusCode::UNPROCESSABLE_ENTITY));
        }
    };
    let mut tx = state.db.begin().await?;
    if !db::end(&mut tx, row.scope_definition_id, end_day, &reason, &user.identity).await? {
        return Err(Error::Conflict("This definition has been ended already.".to_owned()));
    }
    let entry = acted(&user, &request, "end scope definition", format!("scope {}", row.name)).detail(
        serde_json::json!({"scope_definition_id": row.scope_definition_id, "from": end_day.to_string(), "reason": reason}),
    );
    audit_log::record(&mut tx, &entry).await?;
    tx.commit().await?;
    Ok(back(&view))
}
