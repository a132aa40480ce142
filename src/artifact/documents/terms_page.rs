//! Reading the terms of a report, and accepting them: a deliberate act of a person who has opened them.

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use time::OffsetDateTime;

use super::content::MediaType;
use super::db::{self, TermsRow};
use super::job::{Asked, What};
use super::page::{number, sent, version_path};
use super::review::value;
use crate::State;
use crate::artifact::page::{about, versions};
use crate::audit_log;
use crate::error::Error;
use crate::jobs;
use crate::people::{Maker, acted};
use crate::web::form::Problems;
use crate::web::{Frame, Page, Section, Visit, filters, format};

#[derive(Template)]
#[template(path = "artifact/terms.html")]
struct TermsPage {
    frame: Frame,
    name: String,
    terms: TermsRow,
    version_href: String,
    /// When this person opened them first.
    read_at: Option<OffsetDateTime>,
    /// Whether they can be accepted: their token is there.
    open: bool,
    may_accept: bool,
    problems: Problems,
}

impl TermsPage {
    fn path(&self) -> String {
        self.frame.href(&format!("/artifact/terms/{}", self.terms.artifact_terms_id))
    }

    fn document_path(&self) -> String {
        let ending = MediaType::parse(&self.terms.media_type).unwrap_or(MediaType::Pdf).ending();
        self.frame.href(&format!("/artifact/terms/{}/terms.{ending}", self.terms.artifact_terms_id))
    }
}

pub(in crate::artifact) async fn show(
    state: web::Data<State>,
    mut visit: Visit,
    id: web::Path<String>,
) -> Result<HttpResponse, Error> {
    visit.address.only(&[])?;
    page(&state, &mut visit, &id, Problems::default()).await
}

async fn page(state: &State, visit: &mut Visit, id: &str, problems: Problems) -> Result<HttpResponse, Error> {
    let (terms, name) = find(state, visit, id).await?;
    let version_path = version_path(&terms.report_id, terms.version);
    let title = if problems.is_empty() { "Terms".to_owned() } else { "Error: Terms".to_owned() };
    let frame = visit.frame(Section::Artifact, title).crumb("AWS’s reports", "/artifact").crumb(&name, &version_path);
    let status = if problems.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = TermsPage {
        version_href: frame.href(&version_path),
        read_at: db::read_at(&mut visit.read, terms.artifact_terms_id, &visit.user.identity).await?,
        open: terms.used_at.is_none() && terms.accepted_by.is_none(),
        may_accept: visit.user.role.makes_packs() && state.duties.syncing.is_some(),
        frame,
        name,
        terms,
        problems,
    };
    Ok(Page(page).answer(status))
}

async fn find(state: &State, visit: &mut Visit, id: &str) -> Result<(TermsRow, String), Error> {
    let (organization_id, day) = about(state, visit)?;
    let terms = db::terms(&mut visit.read, number(id)?).await?;
    let terms = terms.filter(|terms| terms.organization_id == organization_id).ok_or(Error::NotFound)?;
    let all = versions(visit, organization_id, Some(&terms.report_id), day).await?;
    let version = all.iter().find(|one| one.version == terms.version);
    let name = version.map_or_else(|| terms.report_id.clone(), |version| version.name.clone());
    Ok((terms, name))
}

/// The document itself; that this person opened it is on record.
pub(in crate::artifact) async fn document(
    request: HttpRequest,
    state: web::Data<State>,
    mut visit: Visit,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Error> {
    let (terms, _) = find(&state, &mut visit, &path.0).await?;
    let media_type = MediaType::parse(&terms.media_type).unwrap_or(MediaType::Pdf);
    if path.1 != format!("terms.{}", media_type.ending()) {
        return Err(Error::NotFound);
    }
    let user = visit.user.clone();
    drop(visit.read);
    let mut tx = state.db.begin().await?;
    db::note_read(&mut tx, terms.artifact_terms_id, &user.identity).await?;
    let entry = acted(&user, &request, "open terms of report", format!("terms {}", terms.artifact_terms_id));
    audit_log::record(&mut tx, &entry).await?;
    tx.commit().await?;
    let name = format!("terms-{}-{}.{}", terms.report_id, terms.version, media_type.ending());
    sent(&state, (terms.artifact_document_id, terms.size_bytes, &terms.sha256), (media_type, &name))
}

/// Keeps who accepts, and lets the report be fetched with the token of these terms.
pub(in crate::artifact) async fn accept(
    request: HttpRequest,
    state: web::Data<State>,
    Maker(user): Maker,
    mut visit: Visit,
    id: web::Path<String>,
    fields: web::Form<Vec<(String, String)>>,
) -> Result<HttpResponse, Error> {
    let (terms, _) = find(&state, &mut visit, &id).await?;
    let Some(syncing) = &state.duties.syncing else { return Err(not_set_up()) };
    let terms_id = terms.artifact_terms_id;
    let mut problems = Problems::default();
    if db::read_at(&mut visit.read, terms_id, &user.identity).await?.is_none() {
        problems.add("accept", "Open the terms and read them first.");
    } else if value(&fields, "accept") != "yes" {
        problems.add("accept", "Tick that you have read the terms and accept them.");
    }
    if !problems.is_empty() {
        return page(&state, &mut visit, &id, problems).await;
    }
    let used = || Error::Conflict("These terms have been accepted already: ask for them again.".to_owned());
    if terms.used_at.is_some() {
        return Err(used());
    }
    let asked = Asked {
        organization: syncing.organization.clone(),
        by: user.identity.clone(),
        demo: user.demo,
        what: What::Report { terms_id },
    };
    let payload = serde_json::to_value(&asked).map_err(anyhow::Error::from)?;
    let mut tx = state.db.begin().await?;
    if !db::accept(&mut tx, terms_id, &user.identity, user.demo).await? {
        return Err(used());
    }
    let job_id = jobs::enqueue(&mut tx, jobs::Kind::Document, &payload, &user.identity).await?;
    let detail = serde_json::json!({ "report": terms.report_id, "version": terms.version, "job": job_id,
                                     "terms_sha256": format::hex(&terms.sha256) });
    let entry = acted(&user, &request, "accept terms of report", format!("terms {terms_id}")).detail(detail);
    audit_log::record(&mut tx, &entry).await?;
    tx.commit().await?;
    jobs::wake();
    Ok(HttpResponse::SeeOther().insert_header((LOCATION, format!("/jobs/{job_id}"))).finish())
}

pub(super) fn not_set_up() -> Error {
    Error::Conflict(
        "This installation does not read Artifact by itself: start it with --artifact-every, or import the file with \
         “auditfolio artifact import”."
            .to_owned(),
    )
}
