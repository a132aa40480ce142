//! One version of a report: its file with hash and terms, who may have it, and its review record.

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use time::Date;

use super::content::MediaType;
use super::db::{self, FileRow, Which};
use super::job::{Asked, What};
use super::review::{Opinion, ReviewForm, value};
use super::review_db::{self, ReviewRow};
use super::terms_page::not_set_up;
use crate::State;
use crate::artifact::notices;
use crate::artifact::page::{about, provenance, report_path, versions};
use crate::artifact::speaking::Version;
use crate::artifact::told::is_report_id;
use crate::audit_log;
use crate::error::Error;
use crate::jobs;
use crate::people::{Maker, acted, put_on_record};
use crate::web::form::Problems;
use crate::web::parts::Provenance;
use crate::web::stored::stored;
use crate::web::{Frame, Page, Section, Visit, filters, format};

/// The longest reason that is taken, in characters.
const REASON: usize = 1_000;

#[derive(Template)]
#[template(path = "artifact/version.html")]
struct VersionPage {
    frame: Frame,
    version: Version,
    files: Vec<FileRow>,
    reviews: Vec<ReviewRow>,
    /// Whether this person keeps reviews and lets auditors have files.
    may_act: bool,
    /// Whether the terms can be asked for here.
    may_fetch: bool,
    form: ReviewForm,
    problems: Problems,
    provenance: Provenance,
    today: Date,
}

impl VersionPage {
    fn act(&self, act: &str) -> String {
        self.frame.href(&format!("{}/{act}", version_path(&self.version.report_id, self.version.version)))
    }

    fn file_act(&self, file: &FileRow, act: &str) -> String {
        self.frame.href(&format!("/artifact/files/{}/{act}", file.artifact_file_id))
    }

    fn download_path(&self, file: &FileRow) -> String {
        self.frame.href(&format!("/artifact/files/{}/{}", file.artifact_file_id, file_name(file)))
    }

    fn may_have(&self, file: &FileRow) -> bool {
        self.may_act || file.released_by.is_some()
    }

    /// Whether the newest review is past its next day.
    fn is_due(&self) -> bool {
        self.reviews.first().and_then(|review| review.next_due).is_some_and(|due| due <= self.today)
    }
}

/// The page of a version.
pub(in crate::artifact) fn version_path(report_id: &str, version: i64) -> String {
    format!("{}/versions/{version}", report_path(report_id))
}

fn file_name(file: &FileRow) -> String {
    format!("{}-{}.{}", file.report_id, file.version, file.media_type().ending())
}

pub(in crate::artifact) fn number(text: &str) -> Result<i64, Error> {
    text.parse().map_err(|_not_a_number| Error::NotFound)
}

type Path = web::Path<(String, String)>;

pub(in crate::artifact) async fn show(
    state: web::Data<State>,
    mut visit: Visit,
    path: Path,
) -> Result<HttpResponse, Error> {
    visit.address.only(&[])?;
    page(&state, &mut visit, &path, ReviewForm::default(), Problems::default()).await
}

/// The version of the address.
async fn find(state: &State, visit: &mut Visit, path: &Path) -> Result<(i16, Version), Error> {
    let (organization_id, day) = about(state, visit)?;
    let (report_id, version) = (path.0.as_str(), number(&path.1)?);
    if !is_report_id(report_id) {
        return Err(Error::NotFound);
    }
    let all = versions(visit, organization_id, Some(report_id), day).await?;
    let found = all.into_iter().find(|one| one.version == version);
    Ok((organization_id, found.ok_or(Error::NotFound)?))
}

async fn page(
    state: &State,
    visit: &mut Visit,
    path: &Path,
    form: ReviewForm,
    problems: Problems,
) -> Result<HttpResponse, Error> {
    let (organization_id, version) = find(state, visit, path).await?;
    let number = version.version;
    let report_id = Some(version.report_id.as_str());
    let files = db::files(&mut visit.read, Which::Of { organization_id, report_id, until: None }).await?;
    let reviews = review_db::reviews(&mut visit.read, organization_id, report_id, None).await?;
    let name = format!("{} version {number}", version.name);
    let title = if problems.is_empty() { name } else { format!("Error: {name}") };
    let frame = visit.frame(Section::Artifact, title);
    let frame = frame.crumb("AWS’s reports", "/artifact").crumb(&version.name, &report_path(&version.report_id));
    let may_act = visit.user.role.makes_packs();
    let status = if problems.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = VersionPage {
        files: files.into_iter().filter(|file| file.version == number).collect(),
        reviews: reviews.into_iter().filter(|review| review.version == number).collect(),
        may_act,
        may_fetch: may_act && state.duties.syncing.is_some(),
        form,
        problems,
        provenance: provenance(None)
            .line("The file", "As it was fetched from AWS, or brought in from a folder: SHA-256 and size of its bytes.")
            .line(
                "Who accepted",
                "The person who opened the terms and ticked that they accept them; in the audit log.",
            ),
        today: state.clock.now().date(),
        frame,
        version,
    };
    Ok(Page(page).answer(status))
}

/// Lets the terms be fetched, to be read.
pub(in crate::artifact) async fn ask_terms(
    request: HttpRequest,
    state: web::Data<State>,
    Maker(user): Maker,
    mut visit: Visit,
    path: Path,
) -> Result<HttpResponse, Error> {
    let (organization_id, version) = find(&state, &mut visit, &path).await?;
    let Some(syncing) = &state.duties.syncing else { return Err(not_set_up()) };
    let (report_id, version) = (version.report_id, version.version);
    let object = format!("report {report_id} version {version}");
    let asked = Asked {
        organization: syncing.organization.clone(),
        by: user.identity.clone(),
        demo: user.demo,
        what: What::Terms { organization_id, report_id, version },
    };
    let payload = serde_json::to_value(&asked).map_err(anyhow::Error::from)?;
    let mut tx = state.db.begin().await?;
    let job_id = jobs::enqueue(&mut tx, jobs::Kind::Document, &payload, &user.identity).await?;
    let entry = acted(&user, &request, "ask for terms of report", object).detail(serde_json::json!({ "job": job_id }));
    audit_log::record(&mut tx, &entry).await?;
    tx.commit().await?;
    jobs::wake();
    Ok(HttpResponse::SeeOther().insert_header((LOCATION, format!("/jobs/{job_id}"))).finish())
}

/// Keeps a review.
pub(in crate::artifact) async fn review(
    request: HttpRequest,
    state: web::Data<State>,
    Maker(user): Maker,
    mut visit: Visit,
    path: Path,
    fields: web::Form<Vec<(String, String)>>,
) -> Result<HttpResponse, Error> {
    let (organization_id, version) = find(&state, &mut visit, &path).await?;
    let form = ReviewForm::of(&fields);
    let mut problems = Problems::default();
    let Some(review) = form.read(state.clock.now().date(), &mut problems) else {
        return page(&state, &mut visit, &path, form, problems).await;
    };
    let of = (version.report_id.as_str(), version.version);
    let mut tx = state.db.begin().await?;
    let id = review_db::insert(&mut tx, organization_id, of, &review, &user.identity).await?;
    let detail = serde_json::json!({ "report": of.0, "version": of.1, "reviewer": review.reviewer,
                                     "opinion": review.opinion.slug(), "conclusion": review.conclusion });
    let entry = acted(&user, &request, "record review of report", format!("review {id}")).detail(detail);
    audit_log::record(&mut tx, &entry).await?;
    if let Some(organization) = &visit.organization {
        notices::decide(&mut tx, &state, &organization.name).await?;
    }
    tx.commit().await?;
    Ok(back(&visit, of))
}

fn back(visit: &Visit, (report_id, version): (&str, i64)) -> HttpResponse {
    let location = visit.frame(Section::Artifact, "").href(&version_path(report_id, version));
    HttpResponse::SeeOther().insert_header((LOCATION, location)).finish()
}

/// A stored file, for who may have it.
pub(in crate::artifact) async fn download(
    request: HttpRequest,
    state: web::Data<State>,
    mut visit: Visit,
    path: Path,
) -> Result<HttpResponse, Error> {
    let file = file(&state, &mut visit, &path.0).await?;
    if path.1 != file_name(&file) {
        return Err(Error::NotFound);
    }
    let user = visit.user.clone();
    drop(visit.read);
    if !user.role.makes_packs() && file.released_by.is_none() {
        return Err(Error::Forbidden("This document is not released to auditors: ask the compliance team for it."));
    }
    let name = file_name(&file);
    let detail = serde_json::json!({ "report": file.report_id, "version": file.version,
                                     "sha256": format::hex(&file.sha256), "recipient": user.identity,
                                     "released_by": file.released_by });
    let object = format!("file {}", file.artifact_file_id);
    put_on_record(&state, &user, &request, ("download AWS report", object), detail).await?;
    sent(&state, (file.artifact_document_id, file.size_bytes, &file.sha256), (file.media_type(), &name))
}

async fn file(state: &State, visit: &mut Visit, id: &str) -> Result<FileRow, Error> {
    let (organization_id, _) = about(state, visit)?;
    let found = db::files(&mut visit.read, Which::File(number(id)?)).await?.into_iter().next();
    found.filter(|file| file.organization_id == organization_id).ok_or(Error::NotFound)
}

/// A document as it was stored.
pub(in crate::artifact) fn sent(
    state: &State,
    (document_id, size_bytes, sha256): (i64, i64, &[u8]),
    (media_type, name): (MediaType, &str),
) -> Result<HttpResponse, Error> {
    stored(name, media_type.word(), size_bytes, sha256, db::stream(state.db.clone(), document_id))
}

/// Lets auditors have a file, in the name of somebody who has read its terms.
pub(in crate::artifact) async fn release(
    request: HttpRequest,
    state: web::Data<State>,
    Maker(user): Maker,
    mut visit: Visit,
    path: web::Path<String>,
    fields: web::Form<Vec<(String, String)>>,
) -> Result<HttpResponse, Error> {
    let file = file(&state, &mut visit, &path).await?;
    let of = (file.report_id.as_str(), file.version);
    let reason = value(&fields, "reason");
    let mut problems = Problems::default();
    // Terms that were accepted elsewhere cannot be opened here: who releases the file says that they read them.
    let has_read = db::has_read_terms_of(&mut visit.read, file.organization_id, of, &user.identity).await?;
    if file.artifact_terms_id.is_some() && !has_read {
        problems
            .add("reason", "Open the terms of this version and read them first: they say whether it may be passed on.");
    } else if value(&fields, "read") != "yes" {
        problems.add("read", "Tick that you have read the terms and that they allow it.");
    }
    if reason.is_empty() || reason.chars().count() > REASON {
        problems.add("reason", "Say why auditors may have it, in up to 1,000 characters.");
    }
    if !problems.is_empty() {
        let path = web::Path::from((file.report_id.clone(), file.version.to_string()));
        return page(&state, &mut visit, &path, ReviewForm::default(), problems).await;
    }
    let mut tx = state.db.begin().await?;
    if db::release(&mut tx, file.artifact_file_id, &user.identity, &reason).await? {
        let detail = serde_json::json!({ "report": of.0, "version": of.1, "reason": reason,
                                         "before": { "released_by": file.released_by },
                                         "after": { "released_by": user.identity } });
        let object = format!("file {}", file.artifact_file_id);
        audit_log::record(&mut tx, &acted(&user, &request, "release report to auditors", object).detail(detail))
            .await?;
    }
    tx.commit().await?;
    Ok(back(&visit, of))
}

/// Ends that auditors may have a file.
pub(in crate::artifact) async fn withdraw(
    request: HttpRequest,
    state: web::Data<State>,
    Maker(user): Maker,
    mut visit: Visit,
    path: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let file = file(&state, &mut visit, &path).await?;
    let of = (file.report_id.as_str(), file.version);
    let mut tx = state.db.begin().await?;
    if db::withdraw(&mut tx, file.artifact_file_id, &user.identity).await? {
        let object = format!("file {}", file.artifact_file_id);
        let entry = acted(&user, &request, "withdraw report from auditors", object);
        let detail = serde_json::json!({ "report": of.0, "version": of.1,
                                         "before": { "released_by": file.released_by },
                                         "after": { "released_by": null } });
        audit_log::record(&mut tx, &entry.detail(detail)).await?;
    }
    tx.commit().await?;
    Ok(back(&visit, of))
}
