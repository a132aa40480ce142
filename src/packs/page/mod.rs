//! Packs: the list, one pack with its facts and downloads, the form that asks for a new one.

mod db;
mod download;
mod form;

use actix_web::{HttpResponse, web};
use askama::Template;

use self::form::{Asked, NewForm};
use super::build::Request;
use super::db::{Restatement, Stored};
use super::names::{self, Names};
use crate::State;
use crate::audit_log;
use crate::error::Error;
use crate::jobs;
use crate::organization::scope;
use crate::people::{Maker, User, acted};
use crate::web::form::Problems;
use crate::web::parts::{Empty, Provenance};
use crate::web::table::{Table, number, text};
use crate::web::{Access, Endpoint, Frame, Page, Section, View, Visit, filters, format};

pub fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/packs", Access::SignedIn, || web::get().to(list)),
        Endpoint::post("/packs", Access::Makers, || web::post().to(create)),
        Endpoint::get("/packs/new", Access::Makers, || web::get().to(new)),
        Endpoint::get("/packs/{pack_id}", Access::SignedIn, || web::get().to(show)),
        Endpoint::get("/packs/{pack_id}/pack.pdf", Access::SignedIn, || web::get().to(download::pdf)),
        Endpoint::get("/packs/{pack_id}/pack.zip", Access::SignedIn, || web::get().to(download::zip)),
        Endpoint::get("/packs/{pack_id}/pack.sig", Access::SignedIn, || web::get().to(download::signature)),
        Endpoint::get("/installation-key.pem", Access::SignedIn, || web::get().to(download::key)),
    ]
}

impl Restatement {
    /// "restated on 23 Nov 2026 06:00:00 UTC by collection 7: +12 −3 rows".
    fn sentence(&self) -> String {
        let at = self.finished_at.map(|at| format!("on {} ", format::at(at))).unwrap_or_default();
        let late = match self.late_days {
            0 => String::new(),
            days => format!(", {} of gaps filled late", format::plural(days, "account-Region-day")),
        };
        format!(
            "restated {at}by collection {}: +{} −{} rows{late}",
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
        let named = self.cover.get("scope").and_then(|scope| scope.get("name")).and_then(|name| name.as_str());
        match &self.account_ids {
            Some(accounts) if named.is_some() => {
                let accounts = format::plural(i64::try_from(accounts.len()).unwrap_or(i64::MAX), "account");
                format!("{}, {accounts}", named.unwrap_or_default())
            }
            None => "all accounts".to_owned(),
            Some(accounts) => format::plural(i64::try_from(accounts.len()).unwrap_or(i64::MAX), "account"),
        }
    }

    fn gaps_words(&self) -> String {
        if self.gap_days == 0 {
            return format!("no gaps in {}", format::plural(self.expected_days, "expected day"));
        }
        let share = format::percent(self.gap_days, self.expected_days).unwrap_or_default();
        format!(
            "{} of {} expected days, {share}",
            format::plural(self.gap_days, "gap-day"),
            format::count(self.expected_days)
        )
    }

    fn path(&self) -> String {
        format!("/packs/{}", crate::web::address::Encoded(&self.pack_id))
    }
}

#[derive(Template)]
#[template(path = "packs/list.html")]
struct ListPage {
    frame: Frame,
    packs: Vec<(Stored, Vec<Restatement>)>,
    table: Table,
    may_make: bool,
}

async fn list(mut visit: Visit) -> Result<HttpResponse, Error> {
    let (packs, restated) = match &visit.organization {
        None => (Vec::new(), Vec::new()),
        Some(organization) => (
            super::db::list(&mut *visit.read, organization.id).await?,
            super::db::restated(&mut *visit.read, organization.id).await?,
        ),
    };
    let packs: Vec<_> = packs
        .into_iter()
        .map(|pack| {
            let of_pack = restated.iter().filter(|one| one.pack_id == pack.pack_id).cloned().collect();
            (pack, of_pack)
        })
        .collect();
    let columns = [
        text("Pack"),
        text("Days"),
        text("Scope"),
        text("Made"),
        text("By"),
        number("Pages"),
        number("Evaluations"),
        number("NON_COMPLIANT"),
        text("Gaps"),
    ];
    let table = Table::whole("packs", "Packs, newest first", &columns, &visit.address, packs.len());
    let may_make = visit.user.role.makes_packs();
    Ok(Page(ListPage { frame: visit.frame(Section::Packs, "Packs"), packs, table, may_make })
        .answer(actix_web::http::StatusCode::OK))
}

#[derive(Template)]
#[template(path = "packs/show.html")]
struct ShowPage {
    frame: Frame,
    pack: Stored,
    names: Names,
    restated: Vec<Restatement>,
    cover: Cover,
    provenance: Provenance,
}

/// What the cover says, as stored beside the pack.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Cover {
    captured_to: Option<String>,
    received: String,
    generated: String,
    clock_set: bool,
    day_open: bool,
    completeness_established: bool,
    gaps_line: String,
    notices: Vec<String>,
    parameters: String,
    parameter_changes: Vec<CoverChange>,
    register_rows: u64,
    register_printed: bool,
    deviation_rows: u64,
    results: Vec<CoverResult>,
    checks: Vec<CoverCheck>,
    attachments: Vec<CoverAttachment>,
    program: String,
    key_fingerprint: String,
}

#[derive(Debug, serde::Deserialize)]
struct CoverChange {
    rule: String,
    change: String,
    place: String,
    last_seen_before: String,
    first_seen_after: String,
}

#[derive(Debug, serde::Deserialize)]
struct CoverResult {
    severity: String,
    rules: u64,
    resources: u64,
    complying: u64,
    not_complying: u64,
    not_applicable: u64,
    unknown: u64,
    deviations: u64,
}

#[derive(Debug, serde::Deserialize)]
struct CoverCheck {
    what: String,
    /// What was counted, and the count.
    one: (String, u64),
    other: (String, u64),
    closes: bool,
}

#[derive(Debug, serde::Deserialize)]
struct CoverAttachment {
    name: String,
    what: String,
    rows: u64,
    sha256: String,
}

async fn show(mut visit: Visit, pack_id: web::Path<String>) -> Result<HttpResponse, Error> {
    let organization = visit.organization.clone().ok_or(Error::NotFound)?;
    let pack = super::db::find(&mut *visit.read, &pack_id)
        .await?
        .filter(|pack| pack.organization_id == organization.id)
        .ok_or(Error::NotFound)?;
    let restated = super::db::restated_since(&mut *visit.read, &pack.pack_id).await?;
    let cover: Cover = serde_json::from_value(pack.cover.clone()).map_err(anyhow::Error::from)?;
    let provenance = Provenance::default()
        .link(
            "Knowledge point",
            format!("What was known after collection {}", pack.known_at_collection),
            format!("/collections/{}", pack.known_at_collection),
        )
        .line("Received", cover.received.clone())
        .line("Made by", format!("Auditfolio {}", cover.program))
        .line("Objects, hashes and collections", "objects.csv in the pack lists every delivered object that was read.");
    let frame = visit.frame(Section::Packs, pack.title.clone()).crumb("Packs", "/packs");
    let names = Names::of(&pack.pack_id);
    Ok(Page(ShowPage { frame, pack, names, restated, cover, provenance }).answer(actix_web::http::StatusCode::OK))
}

#[derive(Template)]
#[template(path = "packs/new.html")]
struct NewPage {
    frame: Frame,
    form: NewForm,
    problems: Problems,
    accounts: Vec<db::Account>,
    scopes: Vec<String>,
}

async fn new(mut view: View, _maker: Maker) -> Result<HttpResponse, Error> {
    let accounts = db::accounts(&mut view.read, view.organization_id).await?;
    let form = NewForm {
        title: format!("AWS Config evaluation evidence, {}", view.organization.name),
        from: String::new(),
        as_of: view.as_of.to_string(),
        accounts: view.address.all("account").map(str::to_owned).collect(),
        scope: view.address.get("scope").unwrap_or_default().to_owned(),
    };
    let scopes = scope::names(&mut view.read, view.organization_id).await?;
    Ok(new_page(&view, form, Problems::default(), (accounts, scopes)).answer(actix_web::http::StatusCode::OK))
}

fn new_page(
    view: &View,
    form: NewForm,
    problems: Problems,
    (accounts, scopes): (Vec<db::Account>, Vec<String>),
) -> Page<NewPage> {
    let title = if problems.is_empty() { "New pack" } else { "Error: New pack" };
    let frame = Frame { scoped: false, ..view.frame(Section::Packs, title).crumb("Packs", "/packs") };
    Page(NewPage { frame, form, problems, accounts, scopes })
}

async fn create(
    request: actix_web::HttpRequest,
    state: web::Data<State>,
    Maker(user): Maker,
    mut view: View,
    fields: web::Form<Vec<(String, String)>>,
) -> Result<HttpResponse, Error> {
    let form = NewForm::of(&fields);
    let accounts = db::accounts(&mut view.read, view.organization_id).await?;
    let known: Vec<&str> = accounts.iter().map(|account| account.account_id.as_str()).collect();
    let scopes = scope::names(&mut view.read, view.organization_id).await?;
    match form.parse(view.first_day, view.latest, &known, &scopes) {
        Err(problems) => Ok(new_page(&view, form, problems, (accounts, scopes))
            .answer(actix_web::http::StatusCode::UNPROCESSABLE_ENTITY)),
        Ok(asked) => {
            let job_id = enqueue(&state, &request, &user, &view.organization.name, asked).await?;
            Ok(HttpResponse::SeeOther()
                .insert_header((actix_web::http::header::LOCATION, format!("/jobs/{job_id}?as_of={}", view.as_of)))
                .finish())
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
        "accounts": asked.accounts, "scope": asked.scope,
    });
    let payload = serde_json::to_value(Request {
        organization: organization.to_owned(),
        title: asked.title,
        from: asked.from,
        as_of: asked.as_of,
        accounts: asked.accounts,
        scope: asked.scope,
        known_at: None,
        at: None,
        created_by: user.identity.clone(),
        demo: user.demo,
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
