//! Answers to requests: what the team gives, and how both sides have it.

use actix_multipart::Multipart;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;
use sqlx::PgConnection;

use super::content::Content;
use super::core::{Event, Side};
use super::db::{self, Lies, Row};
use super::form::{Answer, Known, Piece, Typed, answer};
use super::freeze::{Wanted, rows};
use super::page::{Here, here_in_room, here_of_team, number, one, onward, show};
use super::turn::stands_after;
use crate::State;
use crate::artifact::{released, store, stream};
use crate::audit_log;
use crate::engagement::db as engagements;
use crate::engagement::form::reason;
use crate::engagement::page::object;
use crate::error::Error;
use crate::jobs::{self, Kind};
use crate::people::{Maker, acted, put_on_record};
use crate::web::form::value;
use crate::web::stored::stored;
use crate::web::upload::{Sent, read};
use crate::web::{Access, Endpoint, Visit, format};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::post("/engagements/{engagement_id}/requests/{number}/answers", Access::Makers, || {
            web::post().to(give)
        }),
        Endpoint::post("/engagements/{engagement_id}/requests/{number}/files/{answer_id}/end", Access::Makers, || {
            web::post().to(end)
        }),
        Endpoint::get("/engagements/{engagement_id}/requests/{number}/files/{answer_id}/{name}", Access::Team, || {
            web::get().to(file_of_team)
        }),
        Endpoint::get(
            "/engagements/{engagement_id}/requests/{number}/views/{answer_id}/rows.jsonl",
            Access::Team,
            || web::get().to(rows_of_team),
        ),
        Endpoint::get("/room/requests/{number}/files/{answer_id}/{name}", Access::Rooms, || {
            web::get().to(file_of_room)
        }),
        Endpoint::get("/room/requests/{number}/views/{answer_id}/rows.jsonl", Access::Rooms, || {
            web::get().to(rows_of_room)
        }),
    ]
}

async fn give(
    request: HttpRequest,
    state: web::Data<State>,
    Maker(user): Maker,
    mut visit: Visit,
    path: web::Path<(String, String)>,
    parts: Multipart,
) -> Result<HttpResponse, Error> {
    let here = here_of_team(&mut visit, &path.0).await?;
    let number = number(&path.1)?;
    let Sent { fields, file } = read(parts, "file").await?;
    let typed = Typed::of(&fields);
    let today = state.clock.now().date();
    let rules = engagements::core_names(&mut *visit.read, here.organization_id).await?;
    let rules = here.terms.core_names.clone().unwrap_or(rules);
    let packs: Vec<_> = db::packs(&mut *visit.read, here.engagement_id).await?;
    let packs: Vec<_> = packs.into_iter().map(|(id, _, first, last)| (id, first, last)).collect();
    let reports = released(&mut visit.read, here.organization_id).await?;
    let reports: Vec<_> = reports.into_iter().map(|report| (report.file_id, report.days)).collect();
    let days = visit.days.map(|days| (days.first.max(here.terms.first_day), days.latest.min(here.terms.last_day)));
    let known = Known {
        today,
        days: days.filter(|(first, last)| first <= last),
        rules: &rules,
        packs: &packs,
        reports: &reports,
    };
    let answer = match answer(&typed, file, &known) {
        Ok(answer) => answer,
        Err(problems) => return show(&state, visit, &here, number, typed, problems).await,
    };
    let mut tx = state.db.begin().await?;
    db::lock(&mut tx, here.engagement_id).await?;
    let shown = one(&mut tx, here.engagement_id, number, today).await?;
    let after = stands_after(&shown, Event::Answered, Side::Team)?;
    let of = (here.organization_id, shown.request.engagement_request_id, here.terms.record);
    let (answer_id, sha256) = keep(&mut tx, of, &answer, &user.identity).await?;
    let detail = json!({
        "request": number, "answer": answer_id, "kind": answer.piece.word(), "evidence_from": answer.days.0.to_string(),
        "evidence_until": answer.days.1.to_string(), "sha256": sha256, "before": shown.stand.words(), "after": after.words(),
    });
    let entry = acted(&user, &request, Event::Answered.act(), object(here.engagement_id)).detail(detail);
    audit_log::record(&mut tx, &entry).await?;
    tx.commit().await?;
    jobs::wake();
    Ok(onward(&visit, &here, number))
}

/// Keeps an answer with its evidence, and gives its number and a file's SHA-256. `terms` are those that a view is frozen
/// within. Call it under [`db::lock`].
pub(super) async fn keep(
    tx: &mut PgConnection,
    (organization_id, request_id, terms): (i16, i64, i64),
    answer: &Answer,
    made_by: &str,
) -> anyhow::Result<(i64, Option<String>)> {
    let event_id = db::happen(&mut *tx, request_id, (Event::Answered.word(), "", None), made_by).await?;
    let answer_id = db::next_answer(&mut *tx).await?;
    let (mut lies, mut sha256) = (Lies::default(), None);
    match &answer.piece {
        Piece::File { content, bytes, .. } => {
            lies.document_id = Some(store(&mut *tx, organization_id, content.media_type(), bytes).await?);
            sha256 = Some(format::hex(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref()));
        }
        Piece::View(_) => {
            let payload = serde_json::to_value(Wanted { answer: answer_id })?;
            lies.job_id = Some(jobs::enqueue(&mut *tx, Kind::Freeze, &payload, made_by).await?);
            lies.terms_id = Some(terms);
        }
        Piece::Note | Piece::Pack(_) | Piece::Report(_) => {}
    }
    db::answer(tx, (answer_id, event_id), answer, lies).await?;
    Ok((answer_id, sha256))
}

/// Withdraws a file that should not have been given.
async fn end(
    request: HttpRequest,
    state: web::Data<State>,
    Maker(user): Maker,
    mut visit: Visit,
    path: web::Path<(String, String, String)>,
    fields: web::Form<Vec<(String, String)>>,
) -> Result<HttpResponse, Error> {
    let here = here_of_team(&mut visit, &path.0).await?;
    let number = number(&path.1)?;
    let answer_id: i64 = path.2.parse().map_err(|_not_a_number| Error::NotFound)?;
    let why = match reason(&value(&fields, "reason")) {
        Ok(why) => why,
        Err(problems) => return show(&state, visit, &here, number, Typed::of(&fields), problems).await,
    };
    let row = find(&mut visit, &here, number, answer_id).await?;
    let mut tx = state.db.begin().await?;
    if !db::end(&mut tx, (here.engagement_id, answer_id), &why, &user.identity).await? {
        return Err(Error::Conflict("This file was withdrawn already.".to_owned()));
    }
    let detail = json!({ "request": number, "answer": answer_id, "file": row.file_name, "reason": why });
    let entry = acted(&user, &request, "withdraw file", object(here.engagement_id)).detail(detail);
    audit_log::record(&mut tx, &entry).await?;
    tx.commit().await?;
    Ok(onward(&visit, &here, number))
}

/// An answer to a request of the engagement.
async fn find(visit: &mut Visit, here: &Here, number: i32, answer_id: i64) -> Result<Row, Error> {
    let shown = one(&mut visit.read, here.engagement_id, number, here.terms.first_day).await?;
    shown.rows.into_iter().find(|row| row.engagement_answer_id == Some(answer_id)).ok_or(Error::NotFound)
}

async fn file_of_room(
    request: HttpRequest,
    state: web::Data<State>,
    visit: Visit,
    path: web::Path<(String, String, String)>,
) -> Result<HttpResponse, Error> {
    let here = here_in_room(&visit)?;
    file((&request, &state), visit, here, (&path.0, &path.1, &path.2)).await
}

async fn file_of_team(
    request: HttpRequest,
    state: web::Data<State>,
    mut visit: Visit,
    path: web::Path<(String, String, String, String)>,
) -> Result<HttpResponse, Error> {
    let here = here_of_team(&mut visit, &path.0).await?;
    file((&request, &state), visit, here, (&path.1, &path.2, &path.3)).await
}

async fn file(
    (request, state): (&HttpRequest, &State),
    mut visit: Visit,
    here: Here,
    (of, answer_id, name): (&str, &str, &str),
) -> Result<HttpResponse, Error> {
    let number = number(of)?;
    let answer_id: i64 = answer_id.parse().map_err(|_not_a_number| Error::NotFound)?;
    let row = find(&mut visit, &here, number, answer_id).await?;
    let (Some(document_id), Some(file_name), Some(sha256)) = (row.artifact_document_id, row.file_name, row.sha256)
    else {
        return Err(Error::NotFound);
    };
    if name != file_name {
        return Err(Error::NotFound);
    }
    if row.ended_at.is_some() && here.side == Side::Auditor {
        return Err(Error::Conflict(format!(
            "The team withdrew this file: {}. Its hash stays on the request’s page.",
            row.end_reason.unwrap_or_default()
        )));
    }
    let kept = row.media_type.as_deref().and_then(Content::parse);
    let content = kept.ok_or_else(|| anyhow::anyhow!("the media type of document {document_id} is not known"))?;
    let user = visit.user.clone();
    drop(visit.read);
    let detail = json!({ "request": number, "answer": answer_id, "file": file_name, "sha256": format::hex(&sha256),
                         "recipient": user.identity });
    let object = object(here.engagement_id);
    put_on_record(state, &user, request, ("download answer", object), detail).await?;
    let bytes = row.size_bytes.unwrap_or_default();
    stored(&file_name, content.media_type(), bytes, &sha256, stream(state.db.clone(), document_id))
}

async fn rows_of_room(
    state: web::Data<State>,
    visit: Visit,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Error> {
    let here = here_in_room(&visit)?;
    frozen(&state, visit, here, (&path.0, &path.1)).await
}

async fn rows_of_team(
    state: web::Data<State>,
    mut visit: Visit,
    path: web::Path<(String, String, String)>,
) -> Result<HttpResponse, Error> {
    let here = here_of_team(&mut visit, &path.0).await?;
    frozen(&state, visit, here, (&path.1, &path.2)).await
}

async fn frozen(
    state: &State,
    mut visit: Visit,
    here: Here,
    (of, answer_id): (&str, &str),
) -> Result<HttpResponse, Error> {
    let answer_id: i64 = answer_id.parse().map_err(|_not_a_number| Error::NotFound)?;
    find(&mut visit, &here, number(of)?, answer_id).await?;
    let view = db::view(&mut *visit.read, answer_id).await?.ok_or(Error::NotFound)?;
    let known_at = view.known_at_collection.ok_or_else(|| Error::Conflict("The view is not frozen yet.".to_owned()))?;
    drop(visit.read);
    Ok(rows(state.clone(), &view, known_at))
}
