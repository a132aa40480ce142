//! Recording a BAA with its document, and withdrawing what should not have been recorded.

use actix_multipart::Multipart;
use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::db::{self, OfflineRow};
use super::form::OfflineForm;
use crate::State;
use crate::artifact::db::accounts_on;
use crate::artifact::documents::content::MediaType;
use crate::artifact::documents::db::store;
use crate::artifact::documents::page::{number, sent};
use crate::artifact::documents::review::value;
use crate::artifact::page::about;
use crate::audit_log;
use crate::error::Error;
use crate::people::{Maker, acted, put_on_record};
use crate::web::form::Problems;
use crate::web::upload::{Sent, read};
use crate::web::{Frame, Page, Section, Visit, filters, format};

const REASON: usize = 1_000;

#[derive(Template)]
#[template(path = "artifact/offline.html")]
struct OfflinePage {
    frame: Frame,
    rows: Vec<OfflineRow>,
    form: OfflineForm,
    problems: Problems,
    may_record: bool,
}

impl OfflinePage {
    fn path(&self, more: &str) -> String {
        self.frame.href(&format!("{PATH}{more}"))
    }

    fn document_path(&self, row: &OfflineRow) -> String {
        let ending = MediaType::parse(&row.media_type).unwrap_or(MediaType::Pdf).ending();
        self.path(&format!("/{}/document.{ending}", row.artifact_offline_agreement_id))
    }
}

/// Where recorded agreements are.
pub(in crate::artifact) const PATH: &str = "/artifact/agreements/recorded";

pub(in crate::artifact) async fn show(state: web::Data<State>, mut visit: Visit) -> Result<HttpResponse, Error> {
    visit.address.only(&[])?;
    page(&state, &mut visit, OfflineForm::default(), Problems::default()).await
}

async fn page(state: &State, visit: &mut Visit, form: OfflineForm, problems: Problems) -> Result<HttpResponse, Error> {
    let (organization_id, _) = about(state, visit)?;
    let rows = db::offline(&mut visit.read, organization_id, None).await?;
    let title = if problems.is_empty() { "Recorded agreements" } else { "Error: Recorded agreements" };
    let frame = visit.frame(Section::Artifact, title);
    let frame = frame.crumb("AWS’s reports", "/artifact").crumb("AWS’s agreements", "/artifact/agreements");
    let status = if problems.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    Ok(Page(OfflinePage { frame, rows, form, problems, may_record: visit.user.role.makes_packs() }).answer(status))
}

/// Keeps what somebody records.
pub(in crate::artifact) async fn record(
    request: HttpRequest,
    state: web::Data<State>,
    Maker(user): Maker,
    mut visit: Visit,
    parts: Multipart,
) -> Result<HttpResponse, Error> {
    let Sent { fields, file } = read(parts, "document").await?;
    let mut form = OfflineForm::default();
    for (name, value) in &fields {
        form.set(name, value);
    }
    let document = file.map(|(_, bytes)| bytes);
    let (organization_id, day) = about(&state, &visit)?;
    let members = accounts_on(&mut visit.read, organization_id, day).await?;
    let mut problems = Problems::default();
    let said = form.read(|id| members.iter().any(|account| account.account_id == id), &mut problems);
    let media_type = match &document {
        None => Err("Choose the agreement’s document: a PDF or a ZIP.".to_owned()),
        Some(bytes) => MediaType::of(bytes).map_err(|why| format!("The document cannot be taken: {why}.")),
    };
    if let Err(why) = &media_type {
        problems.add("document", why);
    }
    let (Some(said), Ok(media_type), Some(bytes)) = (said, media_type, document) else {
        return page(&state, &mut visit, form, problems).await;
    };
    let mut tx = state.db.begin().await?;
    let document_id = store(&mut tx, organization_id, media_type.word(), &bytes).await?;
    let id = db::insert(&mut tx, organization_id, &said, document_id, &user.identity).await?;
    let sha256 = ring::digest::digest(&ring::digest::SHA256, &bytes);
    let detail = serde_json::json!({ "account": said.account_id, "title": said.title, "from": said.from.to_string(),
                                     "until": said.until.map(|day| day.to_string()),
                                     "sha256": format::hex(sha256.as_ref()) });
    let entry = acted(&user, &request, "record agreement", format!("agreement {id}")).detail(detail);
    audit_log::record(&mut tx, &entry).await?;
    tx.commit().await?;
    Ok(back(&visit))
}

fn back(visit: &Visit) -> HttpResponse {
    let location = visit.frame(Section::Artifact, "").href(PATH);
    HttpResponse::SeeOther().insert_header((LOCATION, location)).finish()
}

async fn find(state: &State, visit: &mut Visit, id: &str) -> Result<OfflineRow, Error> {
    let (organization_id, _) = about(state, visit)?;
    let id = number(id)?;
    let rows = db::offline(&mut visit.read, organization_id, None).await?;
    rows.into_iter().find(|row| row.artifact_offline_agreement_id == id).ok_or(Error::NotFound)
}

/// The document of a recorded agreement.
pub(in crate::artifact) async fn document(
    request: HttpRequest,
    state: web::Data<State>,
    mut visit: Visit,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Error> {
    let row = find(&state, &mut visit, &path.0).await?;
    let media_type = MediaType::parse(&row.media_type).unwrap_or(MediaType::Pdf);
    if path.1 != format!("document.{}", media_type.ending()) {
        return Err(Error::NotFound);
    }
    let user = visit.user.clone();
    drop(visit.read);
    let object = format!("agreement {}", row.artifact_offline_agreement_id);
    let detail = serde_json::json!({ "sha256": format::hex(&row.sha256), "recipient": user.identity });
    put_on_record(&state, &user, &request, ("download agreement", object), detail).await?;
    let name = format!("agreement-{}.{}", row.artifact_offline_agreement_id, media_type.ending());
    sent(&state, (row.artifact_document_id, row.size_bytes, &row.sha256), (media_type, &name))
}

/// Withdraws a record, with the reason.
pub(in crate::artifact) async fn withdraw(
    request: HttpRequest,
    state: web::Data<State>,
    Maker(user): Maker,
    mut visit: Visit,
    id: web::Path<String>,
    fields: web::Form<Vec<(String, String)>>,
) -> Result<HttpResponse, Error> {
    let row = find(&state, &mut visit, &id).await?;
    let because = value(&fields, "because");
    if because.is_empty() || because.chars().count() > REASON {
        let mut problems = Problems::default();
        problems.add("because", "Say why it should not have been recorded, in up to 1,000 characters.");
        return page(&state, &mut visit, OfflineForm::default(), problems).await;
    }
    let of = (row.organization_id, row.artifact_offline_agreement_id);
    let mut tx = state.db.begin().await?;
    if db::withdraw(&mut tx, of, &user.identity, &because).await? {
        let entry = acted(&user, &request, "withdraw agreement", format!("agreement {}", of.1));
        audit_log::record(&mut tx, &entry.detail(serde_json::json!({ "because": because }))).await?;
    }
    tx.commit().await?;
    Ok(back(&visit))
}
