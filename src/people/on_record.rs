//! Acts of signed-in people that change nothing by themselves: on record before what they are about is handed out, and what
//! cannot be recorded is not handed out.

use actix_web::HttpRequest;
use serde_json::Value;

use super::{User, acted};
use crate::State;
use crate::audit_log;
use crate::error::Error;

/// Records what somebody is about to get, in which engagement's room, and by which token. Runs beside the page's read-only transaction, on a connection of its own.
pub async fn put_on_record(
    state: &State,
    user: &User,
    request: &HttpRequest,
    (act, object): (&'static str, impl Into<String>),
    detail: Value,
) -> Result<(), Error> {
    let mut detail = detail;
    if let (Some(engagement_id), Value::Object(fields)) = (user.engagement_id, &mut detail) {
        fields.insert("engagement".to_owned(), engagement_id.into());
    }
    if let (Some(token_id), Value::Object(fields)) = (user.token_id, &mut detail) {
        fields.insert("token".to_owned(), token_id.into());
    }
    let entry = acted(user, request, act, object).detail(detail);
    Ok(audit_log::record_alone(&state.db, &entry).await?)
}

/// Records that somebody looks at evidence: the page, with its filters and its day.
pub async fn viewed(state: &State, user: &User, request: &HttpRequest) -> Result<(), Error> {
    let page = request.uri().path_and_query().map_or_else(|| request.path().to_owned(), ToString::to_string);
    put_on_record(state, user, request, ("view", page), Value::Object(serde_json::Map::new())).await
}
