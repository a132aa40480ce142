//! The sign-in page, the demo's sign-in, and sign-out.

use actix_web::http::header::LOCATION;
use actix_web::web::{self, Data, Form, Query};
use actix_web::{HttpRequest, HttpResponse, Responder};
use askama::Template;
use serde::Deserialize;

use super::session::{self, Kind};
use super::{Role, User, account_page, acted, db, enter, link, oidc, people_page, token};
use crate::State;
use crate::audit_log;
use crate::engagement;
use crate::error::Error;
use crate::web::{Access, Address, Endpoint, Frame, Page};

pub fn endpoints() -> Vec<Endpoint> {
    let here = vec![
        Endpoint::get("/sign-in", Access::Everybody, || web::get().to(form)),
        Endpoint::post("/sign-in", Access::Everybody, || web::post().to(sign_in)),
        Endpoint::post("/sign-out", Access::Everybody, || web::post().to(sign_out)),
    ];
    let (own, everybodys) = (account_page::endpoints(), people_page::endpoints());
    [here, link::endpoints(), oidc::page::endpoints(), own, everybodys, token::page::endpoints()].concat()
}

#[derive(Debug, Deserialize)]
struct Next {
    #[serde(default)]
    next: String,
}

/// A provider to choose.
struct Door {
    title: String,
    /// For outside auditors.
    auditors: bool,
    href: String,
}

#[derive(Template)]
#[template(path = "people/sign_in.html")]
struct SignInPage {
    frame: Frame,
    next: String,
    roles: Vec<Role>,
    doors: Vec<Door>,
}

async fn form(state: Data<State>, query: Query<Next>) -> impl Responder {
    let next = local_path(&query.next).to_owned();
    let door = |provider: &oidc::Provider| Door {
        title: provider.settings.title.clone(),
        auditors: provider.settings.auditors,
        href: Address::new(format!("/sign-in/{}/start", provider.settings.name)).with("next", &next).to_string(),
    };
    Page(SignInPage {
        frame: Frame::bare("Sign in", state.demo),
        doors: state.sign_in.providers.iter().map(door).collect(),
        roles: Role::ALL.to_vec(),
        next,
    })
}

#[derive(Debug, Deserialize)]
struct DemoSignIn {
    role: String,
    #[serde(default)]
    next: String,
}

async fn sign_in(request: HttpRequest, state: Data<State>, form: Form<DemoSignIn>) -> Result<HttpResponse, Error> {
    if !state.demo {
        return Err(Error::Forbidden("The demo sign-in is not switched on here."));
    }
    let role = Role::parse(&form.role).ok_or_else(|| Error::Invalid("Choose one of the four roles.".to_owned()))?;
    let identity = format!("demo {}", role.word());
    let user =
        User { identity, role, demo: true, kind: Kind::Demo, person_id: None, engagement_id: None, token_id: None };
    let mut transaction = state.db.begin().await?;
    let cookie = enter::open(&mut transaction, &request, &user, enter::Of::default(), state.clock.now()).await?;
    let detail = serde_json::json!({ "engagements": engagement::told_in(&mut *transaction, &user).await? });
    audit_log::record(&mut transaction, &acted(&user, &request, "sign in", role.word()).detail(detail)).await?;
    transaction.commit().await?;
    Ok(HttpResponse::SeeOther().insert_header((LOCATION, local_path(&form.next))).cookie(cookie).finish())
}

async fn sign_out(request: HttpRequest, state: Data<State>) -> Result<HttpResponse, Error> {
    let mut ended = None;
    if let (Some(user), Some(hash)) = (session::find(&request).await?, session::token_hash(&request)) {
        let mut transaction = state.db.begin().await?;
        ended = db::delete(&mut *transaction, &hash).await?;
        let detail = serde_json::json!({ "engagements": engagement::told_in(&mut *transaction, &user).await? });
        audit_log::record(&mut transaction, &acted(&user, &request, "sign out", "").detail(detail)).await?;
        transaction.commit().await?;
    }
    let onward = match ended.as_ref().and_then(|row| Some((row.provider.as_deref()?, row.id_token.as_deref()))) {
        Some((provider, id_token)) => oidc::leave(&request, &state, provider, id_token).await?,
        None => None,
    };
    let mut answer = onward.unwrap_or_else(|| HttpResponse::SeeOther().insert_header((LOCATION, "/sign-in")).finish());
    answer.add_cookie(&session::cookie(&request, "")).map_err(anyhow::Error::from)?;
    Ok(answer)
}

/// The path to go on to, or the first page where it would lead elsewhere.
pub(super) fn local_path(next: &str) -> &str {
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
        for elsewhere in [
            "",
            "rules",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "https:evil.example",
            "@evil.example",
            "/a\nb",
            "/\tb",
            "/a\r\nLocation: https://evil.example",
            "\\/evil.example",
            "javascript:alert(1)",
            " /rules",
        ] {
            assert_eq!(local_path(elsewhere), "/", "{elsewhere:?}");
        }
    }
}
