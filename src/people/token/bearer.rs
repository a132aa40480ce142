//! A request that shows a token: who it is for, before any handler sees it.

use actix_web::http::Method;
use actix_web::http::header::AUTHORIZATION;
use actix_web::web::Data;
use actix_web::{HttpMessage as _, HttpRequest};
use time::Date;

use super::core::{Dead, Owner, Standing, is_token, judge};
use super::db::{self, TokenRow};
use super::reads::{Gives, Scope, what};
use crate::State;
use crate::audit_log::{self, Entry};
use crate::database::admitted;
use crate::error::Error;
use crate::people::session::{hash, token_hash};
use crate::people::{Kind, User, enter, put_on_record, remote};
use crate::web::forwarded::Caller;
use crate::web::{Address, RequestId};

/// Whom a request's token lets in. Only [`check`] makes one.
#[derive(Debug, Clone)]
pub struct Bearer {
    user: User,
    gives: Option<Gives>,
}

/// What the figures of an answer are as of, for its head: the day, and the collection they are known by.
#[derive(Debug, Clone, Copy)]
pub struct AsOf {
    pub day: Option<Date>,
    pub collection_id: Option<i64>,
}

impl Bearer {
    /// Who it is, of a request that [`check`] let in.
    pub fn user(request: &HttpRequest) -> Option<User> {
        request.extensions().get::<Self>().map(|bearer| bearer.user.clone())
    }

    /// The address of a request with the format that the token's program reads: the one that the address names, else the one
    /// that it accepts, else JSON.
    pub fn address(request: &HttpRequest, address: Address) -> Address {
        let gives = request.extensions().get::<Self>().and_then(|bearer| bearer.gives);
        if gives != Some(Gives::Rows) || address.get("format").is_some() {
            return address;
        }
        let accept = request.headers().get("accept").and_then(|accept| accept.to_str().ok()).unwrap_or_default();
        address.with("format", format_of(accept))
    }
}

/// The first format that is accepted, by its media type.
fn format_of(accept: &str) -> &'static str {
    let mut kinds = accept.split(',').map(|kind| kind.split(';').next().unwrap_or_default().trim());
    let format = |kind: &str| match kind {
        "text/csv" => Some("csv"),
        "application/jsonl" | "application/x-ndjson" => Some("jsonl"),
        "application/json" => Some("json"),
        _ => None,
    };
    kinds.find_map(format).unwrap_or("json")
}

/// The token that a request shows. What watches the program has a token of its own.
fn shown(request: &HttpRequest) -> Option<&str> {
    if request.path() == "/metrics" {
        return None;
    }
    let (scheme, token) = request.headers().get(AUTHORIZATION)?.to_str().ok()?.trim().split_once(' ')?;
    let token = scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())?;
    // A proxy before the portal may add a bearer of its own to what a browser sends: that is no token of ours.
    (is_token(token) || token_hash(request).is_none()).then_some(token)
}

/// Whether a request shows a token, and so comes from a program: its errors are no pages.
pub fn is_shown(request: &HttpRequest) -> bool {
    shown(request).is_some()
}

/// Lets a request with a token in, so that handlers find [`Bearer`]; does nothing where it shows none.
///
/// # Errors
///
/// [`Error::TokenRefused`], on record already, [`Error::Forbidden`] for what its scopes do not hold or tokens never do,
/// [`Error::Invalid`] with a session beside it, [`Error::TooMany`] where too many were refused from the address.
pub async fn check(request: &HttpRequest, state: &Data<State>) -> Result<(), Error> {
    let Some(token) = shown(request) else { return Ok(()) };
    if token_hash(request).is_some() {
        return Err(Error::Invalid("Send a token or a session’s cookie, not both.".to_owned()));
    }
    let now = state.clock.now();
    let row = if is_token(token) {
        let hash = hash(token);
        admitted(|| db::find(&state.db, &hash, now.date())).await?
    } else {
        None
    };
    let Some(row) = row else { return Err(refuse(request, state, None, Dead::Unknown).await) };
    let (id, engagement_id) = (row.api_token_id, row.engagement_id);
    let known = row.provider.as_deref().is_some_and(|name| state.sign_in.provider(name).is_some());
    let person = (row.person_id, row.name.clone(), row.email.clone());
    let (used_today, standing) = (row.used_today, standing(row, state.demo, known));
    let (role, scopes) = match judge(&standing, now) {
        Ok(alive) => alive,
        Err(dead) => return Err(refuse(request, state, Some(id), dead).await),
    };
    let (kind, person_id, identity) = match person {
        (Some(person_id), name, email) => {
            let (name, email) = (name.unwrap_or_default(), email.unwrap_or_default());
            (Kind::Oidc, Some(person_id), enter::identity(person_id, &name, &email))
        }
        (None, ..) => (Kind::Demo, None, format!("demo {}", role.word())),
    };
    let user = User { identity, role, demo: kind == Kind::Demo, kind, person_id, engagement_id, token_id: Some(id) };
    let pattern = request.match_pattern();
    let reads = pattern.as_deref().and_then(what);
    if let Err(why) = allowed(request.method(), pattern.is_some(), reads, &scopes) {
        let object = format!("{} {}", request.method(), request.path());
        let detail = serde_json::json!({ "role": role.word(), "why": why });
        put_on_record(state, &user, request, ("refuse", object), detail).await?;
        return Err(Error::Forbidden(why));
    }
    if !used_today {
        db::used(&state.db, id, now.date()).await?;
    }
    request.extensions_mut().insert(Bearer { user, gives: reads.map(|(_, gives)| gives) });
    Ok(())
}

fn standing(row: TokenRow, demo: bool, known: bool) -> Standing {
    let owner = match (row.demo_role, row.last_seen_at) {
        (None, Some(signed_in_at)) => Owner::Person { role: row.role, disabled: row.disabled, known, signed_in_at },
        (role, _) => Owner::Demo { role: role.unwrap_or_default(), on: demo },
    };
    Standing {
        expires_at: row.expires_at,
        ended: row.ended,
        scopes: row.scopes,
        engagement_id: row.engagement_id,
        owner,
    }
}

/// Whether tokens with some scopes may ask for a route. An address without a route has nothing that could be seen.
fn allowed(
    method: &Method,
    is_route: bool,
    reads: Option<(Scope, Gives)>,
    scopes: &[Scope],
) -> Result<(), &'static str> {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return Err("A token reads. Sign in to change something.");
    }
    match reads {
        Some((scope, _)) if scopes.contains(&scope) => Ok(()),
        Some((Scope::Evidence, _)) => Err("The token has not the scope evidence."),
        Some((Scope::Documents, _)) => Err("The token has not the scope documents."),
        Some((Scope::Log, _)) => Err("The token has not the scope log."),
        None if is_route => Err("Tokens do not read this: sign in."),
        None => Ok(()),
    }
}

/// Writes the refusal of a token down, as often as its address may try.
async fn refuse(request: &HttpRequest, state: &State, token_id: Option<i64>, dead: Dead) -> Error {
    if let Err(error) = state.gate.limits.refused_token(Caller::of(request).address) {
        return error;
    }
    let reason = dead.word();
    tracing::warn!(reason, token = token_id, meaning = dead.meaning(), "token refused");
    let object = token_id.map_or_else(String::new, |id| format!("token {id}"));
    let detail = serde_json::json!({ "reason": reason, "address": request.path() });
    let (remote, request_id) = (remote(request), RequestId::of(request));
    let entry = Entry { remote, request_id, ..Entry::by_system("token refused", object).detail(detail) };
    match audit_log::record_alone(&state.db, &entry).await {
        Ok(()) => Error::TokenRefused(dead),
        Err(error) => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_gets_the_format_that_it_accepts_or_json() {
        for (accept, format) in [
            ("", "json"),
            ("*/*", "json"),
            ("text/html", "json"),
            ("text/csv", "csv"),
            ("application/x-ndjson;q=0.9, text/csv", "jsonl"),
            ("application/json, text/csv", "json"),
        ] {
            assert_eq!(format_of(accept), format, "{accept}");
        }
    }

    #[test]
    fn a_token_reads_what_its_scopes_hold_and_changes_nothing() {
        let evidence = Some((Scope::Evidence, Gives::Rows));
        assert_eq!(allowed(&Method::GET, true, evidence, &[Scope::Evidence]), Ok(()));
        assert_eq!(allowed(&Method::HEAD, true, evidence, &[Scope::Evidence]), Ok(()));
        assert!(allowed(&Method::POST, true, evidence, &[Scope::Evidence]).is_err());
        assert!(allowed(&Method::GET, true, evidence, &[Scope::Documents, Scope::Log]).is_err());
        assert!(allowed(&Method::GET, true, None, &Scope::ALL).is_err());
        assert_eq!(allowed(&Method::GET, false, None, &[]), Ok(()));
    }
}
