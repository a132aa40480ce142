//! Packs: the list, one pack with its facts and downloads, the form that asks for a new one.

mod db;
mod download;
mod form;
mod list;
mod lists;
mod show;
mod states;

use std::sync::Arc;

use actix_web::{HttpResponse, web};
use askama::Template;

use self::form::{Asked, NewForm};
use super::build::Request;
use super::db::{self as store, Restatement, Stored};
use crate::State;
use crate::audit_log;
use crate::compliance::core::Share;
use crate::engagement::{self, Terms};
use crate::error::Error;
use crate::jobs;
use crate::organization::scope;
use crate::people::{Maker, User, acted};
use crate::web::form::Problems;
use crate::web::{Access, Endpoint, Frame, Page, Section, View, Visit, filters, format};

pub fn endpoints() -> Vec<Endpoint> {
    let mut endpoints = vec![
        Endpoint::get("/packs", Access::Rooms, || web::get().to(list::list)),
        Endpoint::post("/packs", Access::Makers, || web::post().to(create)),
        Endpoint::get("/packs/new", Access::Makers, || web::get().to(new)),
        Endpoint::get("/packs/{pack_id}", Access::Rooms, || web::get().to(show::show)),
        Endpoint::get("/packs/{pack_id}/pack.pdf", Access::Rooms, || web::get().to(download::pdf)),
        Endpoint::get("/packs/{pack_id}/pack.zip", Access::Rooms, || web::get().to(download::zip)),
        Endpoint::get("/packs/{pack_id}/pack.sig", Access::Rooms, || web::get().to(download::signature)),
        Endpoint::get("/installation-key.pem", Access::SignedIn, || web::get().to(download::key)),
    ];
    endpoints.extend(states::endpoints());
    endpoints
}

/// What later collections changed of some packs: it takes time with every account-Region that they changed, and stays the
/// same until the next.
async fn restated(state: &State, visit: &mut Visit, pack_ids: &[&str]) -> Result<Arc<Vec<Restatement>>, Error> {
    let organization_id = visit.organization.as_ref().map_or(0, |organization| organization.id);
    let key = visit.standing.key(organization_id, &format!("restated {}", pack_ids.join(" ")));
    if let Some(restated) = key.as_deref().and_then(|key| state.memo.get(key)) {
        return Ok(restated);
    }
    let restated = Arc::new(store::restated_since(&mut *visit.read, pack_ids).await?);
    if let Some(key) = key {
        state.memo.put(key, Arc::clone(&restated), restated.len() * (size_of::<Restatement>() + 32));
    }
    Ok(restated)
}

impl Restatement {
    /// "restated on 23 Nov 2026 06:00:00 UTC by collection 7: +12 −3 rows".
    fn sentence(&self) -> String {
        let at = self.finished_at.map(|at| format!("on {} ", format::at(at))).unwrap_or_default();
        let unfinished = match self.state.as_str() {
            "finished" => "",
            "failed" => ", which failed (what it had brought by then stands)",
            _ => ", which was interrupted (what it had brought by then stands)",
        };
        let late = match self.late_days {
            0 => String::new(),
            days => format!(", {} of gaps filled late", format::plural(days, "account-Region-day")),
        };
        format!(
            "restated {at}by collection {}{unfinished}: +{} −{} rows{late}",
            self.collection_id,
            format::count(self.rows_added),
            format::count(self.rows_removed)
        )
    }
}

impl Stored {
    fn days_words(&self) -> String {
        if self.from_day == self.as_of_day {
            format::day(self.as_of_day)
        } else {
            format!("{} to {}", format::day(self.from_day), format::day(self.as_of_day))
        }
    }

    fn scope_words(&self) -> String {
        let scope = self.cover.get("scope").and_then(|scope| scope.get("name")).and_then(|name| name.as_str());
        if let (Some(name), Some(accounts)) = (scope, &self.account_ids) {
            let accounts = i64::try_from(accounts.len()).unwrap_or(i64::MAX);
            return format!("scope {name}, {}", format::plural(accounts, "account"));
        }
        match &self.account_ids {
            None => "all accounts".to_owned(),
            Some(accounts) => format::plural(i64::try_from(accounts.len()).unwrap_or(i64::MAX), "account"),
        }
    }

    fn gaps_words(&self) -> String {
        if self.gap_days == 0 {
            return format!("no gaps in {}", format::plural(self.expected_days, "expected day"));
        }
        let share = Share::of_missing(self.gap_days, self.expected_days).map(|share| share.to_string());
        format!(
            "{} of {} expected days, {}",
            format::plural(self.gap_days, "gap-day"),
            format::count(self.expected_days),
            share.unwrap_or_default()
        )
    }

    fn path(&self) -> String {
        format!("/packs/{}", crate::web::address::Encoded(&self.pack_id))
    }
}

#[derive(Template)]
#[template(path = "packs/new.html")]
struct NewPage {
    frame: Frame,
    form: NewForm,
    problems: Problems,
    accounts: Vec<db::Account>,
    /// Names and titles.
    scopes: Vec<(String, String)>,
    /// Numbers and titles.
    engagements: Vec<(String, String)>,
}

/// What the form offers.
struct Offered {
    accounts: Vec<db::Account>,
    scopes: Vec<(String, String)>,
    engagements: Vec<(String, String)>,
}

async fn offered(state: &State, view: &mut View) -> Result<Offered, Error> {
    let accounts = db::accounts(&mut view.read, view.organization_id).await?;
    let scopes = scope::names(&mut view.read, view.organization_id).await?;
    let open = engagement::not_closed(&mut view.read, view.organization_id, state.clock.now()).await?;
    let engagements = open.into_iter().map(|(id, terms)| (id.to_string(), terms.title)).collect();
    Ok(Offered { accounts, scopes, engagements })
}

/// The terms of the engagement that the form names, with its number; `None` where there is none.
async fn named(view: &mut View, number: &str) -> Result<Option<(i64, Terms)>, Error> {
    let Ok(number) = number.parse::<i64>() else { return Ok(None) };
    let found = engagement::agreed(&mut view.read, view.organization_id, number).await?;
    Ok(found.map(|(terms, _)| (number, terms)))
}

async fn new(state: web::Data<State>, mut view: View, _maker: Maker) -> Result<HttpResponse, Error> {
    let offered = offered(&state, &mut view).await?;
    let engagement = view.address.get("engagement").unwrap_or_default().to_owned();
    let terms = named(&mut view, &engagement).await?;
    if !engagement.is_empty() && terms.is_none() {
        return Err(Error::NotFound);
    }
    let form = NewForm {
        title: format!("AWS Config evaluation evidence, {}", view.organization.name),
        from: String::new(),
        as_of: if terms.is_some() { String::new() } else { view.as_of.to_string() },
        classification: state.classification.to_string(),
        recipient: String::new(),
        engagement,
        pseudonyms: false,
        accounts: view.address.all("account").map(str::to_owned).collect(),
        scope: view.scope.as_ref().map(|scope| scope.name.clone()).unwrap_or_default(),
    };
    let form = match &terms {
        Some((_, terms)) => form.of_engagement(terms, (view.first_day, view.latest)),
        None => form,
    };
    Ok(new_page(&view, form, Problems::default(), offered).answer(actix_web::http::StatusCode::OK))
}

fn new_page(
    view: &View,
    form: NewForm,
    problems: Problems,
    Offered { accounts, scopes, engagements }: Offered,
) -> Page<NewPage> {
    let title = if problems.is_empty() { "New pack" } else { "Error: New pack" };
    Page(NewPage {
        frame: view.frame(Section::Packs, title).crumb("Packs", "/packs"),
        form,
        problems,
        accounts,
        scopes,
        engagements,
    })
}

async fn create(
    request: actix_web::HttpRequest,
    state: web::Data<State>,
    Maker(user): Maker,
    mut view: View,
    fields: web::Form<Vec<(String, String)>>,
) -> Result<HttpResponse, Error> {
    let mut form = NewForm::of(&fields);
    // Not sent is not the same as emptied.
    if !fields.iter().any(|(name, _)| name == "classification") {
        form.classification = state.classification.to_string();
    }
    let terms = named(&mut view, &form.engagement).await?;
    if let Some((_, terms)) = &terms {
        form = form.of_engagement(terms, (view.first_day, view.latest));
    }
    let offered = offered(&state, &mut view).await?;
    let known: Vec<&str> = offered.accounts.iter().map(|account| account.account_id.as_str()).collect();
    let asked = match form.parse((view.first_day, view.latest), &known, view.standing.floor.as_ref(), terms.as_ref()) {
        Err(problems) => Err(problems),
        Ok(asked) => checked(&mut view, asked).await?,
    };
    match asked {
        Err(problems) => {
            Ok(new_page(&view, form, problems, offered).answer(actix_web::http::StatusCode::UNPROCESSABLE_ENTITY))
        }
        Ok(asked) => {
            let job_id = enqueue(&state, &request, &user, &view.organization.name, asked).await?;
            Ok(HttpResponse::SeeOther()
                .insert_header((
                    actix_web::http::header::LOCATION,
                    view.frame(Section::Packs, "").href(&format!("/jobs/{job_id}")),
                ))
                .finish())
        }
    }
}

/// What is asked for, if its scope has accounts on the day.
async fn checked(view: &mut View, asked: Asked) -> Result<Result<Asked, Problems>, Error> {
    let Some(name) = &asked.scope else { return Ok(Ok(asked)) };
    let known = scope::Known { record: asked.scopes_at.unwrap_or(i64::MAX), ..scope::Known::ALL };
    let resolved = scope::resolve(&mut view.read, view.organization_id, name, asked.as_of, known).await;
    match resolved.and_then(scope::Resolved::decided) {
        Ok(_) => Ok(Ok(asked)),
        Err(scope::Unresolved::Database(error)) => Err(error.into()),
        Err(unresolved) => {
            let mut problems = Problems::default();
            problems.add("scope", format!("No pack can be made: {unresolved}."));
            Ok(Err(problems))
        }
    }
}

async fn enqueue(
    state: &State,
    request: &actix_web::HttpRequest,
    user: &User,
    organization: &str,
    asked: Asked,
) -> Result<i64, Error> {
    let detail = serde_json::json!({
        "title": asked.title, "from": asked.from.map(|day| day.to_string()), "as_of": asked.as_of.to_string(),
        "accounts": asked.accounts, "scope": asked.scope, "classification": asked.said.classification,
        "recipient": asked.said.recipient, "engagement": asked.said.engagement, "pseudonyms": asked.said.pseudonyms,
    });
    let payload = serde_json::to_value(Request {
        organization: organization.to_owned(),
        title: asked.title,
        from: asked.from,
        as_of: asked.as_of,
        accounts: asked.accounts,
        scope: asked.scope,
        scopes_at: asked.scopes_at,
        known_at: None,
        at: None,
        created_by: user.identity.clone(),
        demo: user.demo,
        said: asked.said,
        final_of: None,
    })
    .map_err(anyhow::Error::from)?;
    let mut transaction = state.db.begin().await?;
    let job_id = jobs::enqueue(&mut transaction, jobs::Kind::Pack, &payload, &user.identity).await?;
    let entry = acted(user, request, "ask for pack", format!("job {job_id}")).detail(detail);
    audit_log::record(&mut transaction, &entry).await?;
    transaction.commit().await?;
    jobs::wake();
    Ok(job_id)
}
