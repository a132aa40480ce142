//! Sign-in and sign-out.

use actix_web::http::header::LOCATION;
use actix_web::web::{self, Data, Form, Query};
use actix_web::{HttpRequest, HttpResponse, Responder};
use askama::Template;
use serde::Deserialize;

use super::session::{self, IDLE, LONGEST};
use super::{Role, User, acted, db};
use crate::State;
use crate::audit_log;
use crate::error::Error;
use crate::web::{Access, Endpoint, Frame, Page};

pub fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/sign-in", Access::Everybody, || web::get().to(form)),
        Endpoint::post("/sign-in", Access::Everybody, || web::post().to(sign_in)),
        Endpoint::post("/sign-out", Access::Everybody, || web::post().to(sign_out)),
    ]
}

#[derive(Debug, Deserialize)]
struct Next {
    #[serde(default)]
    next: String,
}

#[derive(Template)]
#[template(path = "people/sign_in.html")]
struct SignInPage {
    frame: Frame,
    next: String,
    roles: [Role; 4],
}

async fn form(state: Data<State>, query: Query<Next>) -> impl Responder {
    Page(SignInPage {
        frame: Frame::bare("Sign in", state.demo),
        next: local_path(&query.next).to_owned(),
        roles: Role::ALL,
    })
}

#[derive(Debug, Deserialize)]
struct SignIn {
    role: String,
    #[serde(default)]
    next: String,
}

async fn sign_in(request: HttpRequest, state: Data<State>, form: Form<SignIn>) -> Result<HttpResponse, Error> {
    if !state.demo {
        return Err(Error::Forbidden("The demo sign-in is not switched on here."));
    }
    let role = Role::parse(&form.role).ok_or_else(|| Error::Invalid("Choose one of the four roles.".to_owned()))?;
    let token = session::new_token()?;
    let now = state.clock.now();
    let identity = format!("demo {}", role.word());
    let mut transaction = state.db.begin().await?;
    if let Some(old) = session::token_hash(&request) {
        db::delete(&mut *transaction, &old).await?;
    }
    db::delete_ended(&mut *transaction, now, now - IDLE).await?;
    let session = db::NewSession {
        token_hash: &session::hash(&token),
        identity: &identity,
        role: role.word(),
        demo: true,
        now,
        expires_at: now + LONGEST,
    };
    db::insert(&mut *transaction, &session).await?;
    let user = User { identity: identity.clone(), role, demo: true, person_id: None, engagement_id: None };
    audit_log::record(&mut transaction, &acted(&user, &request, "sign in", role.word())).await?;
    transaction.commit().await?;
    Ok(HttpResponse::SeeOther()
        .insert_header((LOCATION, local_path(&form.next)))
        .cookie(session::cookie(&request, &token))
        .finish())
}

async fn sign_out(request: HttpRequest, state: Data<State>) -> Result<HttpResponse, Error> {
    if let (Some(user), Some(hash)) = (session::find(&request).await?, session::token_hash(&request)) {
        let mut transaction = state.db.begin().await?;
        db::delete(&mut *transaction, &hash).await?;
        audit_log::record(&mut transaction, &acted(&user, &request, "sign out", "")).await?;
        transaction.commit().await?;
    }
    Ok(HttpResponse::SeeOther().insert_header((LOCATION, "/sign-in")).cookie(session::cookie(&request, "")).finish())
}

/// The path to go on to, or the first page where it would lead elsewhere.
fn local_path(next: &str) -> &str {
    let local = next.starts_with('/')
        && !next.starts_with("//")
        && next.bytes().all(|byte| (b'!'..=b'~').contains(&byte) && byte != b'\\');
    if local { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_path_of_this_site_is_followed_after_sign_in() {
        assert_eq!(local_path("/rules?as_of=2026-11-22"), "/rules?as_of=2026-11-22");
        for elsewhere in ["", "rules", "//evil.example", "/\\evil.example", "https://evil.example", "/a\nb", "/\tb"] {
            assert_eq!(local_path(elsewhere), "/", "{elsewhere:?}");
        }
    }
}
