//! Files of a pack, streamed as they were stored.

use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use actix_web::{HttpRequest, HttpResponse, web};

use super::show;
use crate::State;
use crate::error::Error;
use crate::packs::db::{self, Part, Stored};
use crate::packs::names::{self, Names};
use crate::packs::sign;
use crate::packs::state::core::Step;
use crate::packs::state::db as states;
use crate::people::{User, put_on_record};
use crate::web::stored::{attachment, stored, tag};
use crate::web::{Address, Visit, format};

type Asked = (HttpRequest, web::Data<State>, Visit, web::Path<String>);

pub(super) async fn pdf(
    request: HttpRequest,
    state: web::Data<State>,
    visit: Visit,
    id: web::Path<String>,
) -> Result<HttpResponse, Error> {
    part((request, state, visit, id), Part::Pdf).await
}

pub(super) async fn zip(
    request: HttpRequest,
    state: web::Data<State>,
    visit: Visit,
    id: web::Path<String>,
) -> Result<HttpResponse, Error> {
    part((request, state, visit, id), Part::Zip).await
}

async fn part((request, state, mut visit, id): Asked, part: Part) -> Result<HttpResponse, Error> {
    let pack = find(&mut visit, &id).await?;
    let names = Names::of(&pack.pack_id);
    let (name, bytes, sha256) = match part {
        Part::Pdf => (names.pdf, pack.pdf_bytes, pack.pdf_sha256),
        Part::Zip => (names.zip, pack.zip_bytes, pack.zip_sha256),
    };
    // One connection is enough for a download; the read-only transaction has answered its question.
    drop(visit.read);
    let tag = tag(&sha256);
    if matches(&request, &tag) {
        return Ok(HttpResponse::NotModified().insert_header((ETAG, tag)).finish());
    }
    record(&state, &request, &visit.user, &pack.pack_id, &name).await?;
    stored(&name, part.media_type(), bytes, &sha256, db::stream(state.db.clone(), pack.pack_id, part))
}

pub(super) async fn signature(
    request: HttpRequest,
    state: web::Data<State>,
    mut visit: Visit,
    id: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let pack = find(&mut visit, &id).await?;
    let name = Names::of(&pack.pack_id).signature;
    record(&state, &request, &visit.user, &pack.pack_id, &name).await?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "application/octet-stream"))
        .insert_header((CONTENT_DISPOSITION, attachment(&name)))
        .insert_header((CONTENT_ENCODING, "identity"))
        .body(pack.signature))
}

/// The public key that `?key=` names, or the newest.
pub(super) async fn key(request: HttpRequest, mut visit: Visit) -> Result<HttpResponse, Error> {
    let address = Address::parse(request.path(), request.query_string());
    let keys = db::public_keys(&mut *visit.read).await?;
    let asked = address.get("key");
    let (_, key) = keys.into_iter().find(|(id, _)| asked.is_none_or(|asked| asked == id)).ok_or(Error::NotFound)?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "application/x-pem-file"))
        .insert_header((CONTENT_DISPOSITION, attachment(names::KEY)))
        .body(sign::pem(&key)))
}

/// A pack that is handed out: in a room, one that was withdrawn is not.
async fn find(visit: &mut Visit, pack_id: &str) -> Result<Stored, Error> {
    let pack = show::find(visit, pack_id).await?;
    if visit.room.is_some() {
        let course = states::course(&mut *visit.read, &pack.pack_id).await?;
        if let Some(end) = course.end().filter(|end| end.step == Step::Withdraw) {
            return Err(Error::Conflict(format!(
                "Pack {} was withdrawn on {} and is not handed out any more. Reason: {}",
                pack.pack_id,
                format::at(end.at),
                end.note.as_deref().unwrap_or_default()
            )));
        }
    }
    Ok(pack)
}

fn matches(request: &HttpRequest, tag: &str) -> bool {
    let asked = request.headers().get(IF_NONE_MATCH).and_then(|tags| tags.to_str().ok());
    asked.is_some_and(|tags| tags.split(',').any(|one| one.trim() == tag))
}

async fn record(state: &State, request: &HttpRequest, user: &User, pack_id: &str, file: &str) -> Result<(), Error> {
    let detail = serde_json::json!({ "file": file, "recipient": user.identity });
    put_on_record(state, user, request, ("download pack", pack_id), detail).await
}
