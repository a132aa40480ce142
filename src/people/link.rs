//! A one-time link from the command line that lets an administrator in without a provider: for the first setup, and for
//! when the provider is down. Loud in the log and in the audit log.

use actix_web::http::header::LOCATION;
use actix_web::web::{self, Data, Form, Query};
use actix_web::{HttpRequest, HttpResponse, Responder};
use askama::Template;
use serde::Deserialize;
use time::OffsetDateTime;

use super::link_db::{self, Link};
use super::oidc::{PublicUrl, Reason, refused};
use super::session::{Kind, User, hash, new_token};
use super::{Role, acted, enter};
use crate::State;
use crate::audit_log::{self, Entry, operator};
use crate::error::Error;
use crate::web::{Access, Endpoint, Frame, Page};

/// Settings of `admin link`.
#[derive(Debug, Clone, clap::Args)]
pub struct LinkArgs {
    /// How long the link can be used, at most a day, e.g. 15m.
    #[arg(long, default_value = "15m", value_name = "LENGTH", value_parser = within_a_day)]
    pub valid: std::time::Duration,
    /// Address of the portal as browsers reach it.
    #[arg(long, env = "AUDITFOLIO_PUBLIC_URL", default_value = "http://127.0.0.1:8080", value_name = "URL")]
    pub public_url: PublicUrl,
}

fn within_a_day(text: &str) -> Result<std::time::Duration, String> {
    let length = crate::settings::length(text)?;
    if length <= std::time::Duration::from_hours(24) {
        Ok(length)
    } else {
        Err("a link is good for a day at most".to_owned())
    }
}

/// Prints a link. The token is printed and nowhere else.
pub async fn command(args: &LinkArgs, state: &State) -> anyhow::Result<()> {
    let token = new_token().map_err(|error| anyhow::anyhow!("{error}"))?;
    let (now, made_by) = (state.clock.now(), operator());
    let expires_at = now + args.valid;
    let mut tx = state.db.begin().await?;
    let id = link_db::insert(&mut *tx, &hash(&token), &made_by, (now, expires_at)).await?;
    let entry = Entry::by_operator("make admin link", id.to_string())
        .detail(serde_json::json!({ "expires_at": crate::web::format::at(expires_at) }));
    audit_log::record(&mut tx, &entry).await?;
    tx.commit().await?;
    tracing::warn!(link = id, made_by, "a one-time link for an administrator was made");
    println!("{}", args.public_url.of(&format!("/sign-in/link?token={token}")));
    eprintln!(
        "This link signs in an administrator, once, until {} (UTC). Give it to nobody else; its use is on record.",
        crate::web::format::at(expires_at)
    );
    Ok(())
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/sign-in/link", Access::Everybody, || web::get().to(show)),
        Endpoint::post("/sign-in/link", Access::Everybody, || web::post().to(follow)),
    ]
}

#[derive(Debug, Deserialize)]
struct Token {
    token: String,
}

#[derive(Template)]
#[template(path = "people/link.html")]
struct LinkPage {
    frame: Frame,
    token: String,
}

/// Asks first: what follows links by itself, such as a mail program, must not use it up.
async fn show(request: HttpRequest, state: Data<State>, query: Query<Token>) -> impl Responder {
    let page = LinkPage { frame: Frame::bare("Sign in as administrator", state.demo), token: query.into_inner().token };
    Page(page).respond_to(&request)
}

async fn follow(request: HttpRequest, state: Data<State>, form: Form<Token>) -> Result<HttpResponse, Error> {
    let now = state.clock.now();
    let mut tx = state.db.begin().await?;
    let link = link_db::lock(&mut tx, &hash(&form.token)).await?;
    let link = match usable(link, now) {
        Ok(link) => link,
        Err(reason) => {
            drop(tx);
            return Err(refused(&request, &state, "sign-in refused", "admin link", &reason.into()).await);
        }
    };
    link_db::use_up(&mut tx, link.admin_link_id, now).await?;
    let identity = format!("administrator by link {} of {}", link.admin_link_id, link.made_by);
    let user = User {
        identity,
        role: Role::Administrator,
        demo: false,
        kind: Kind::AdminLink,
        person_id: None,
        engagement_id: None,
        token_id: None,
    };
    let cookie = enter::open(&mut tx, &request, &user, enter::Of::default(), now).await?;
    let entry = acted(&user, &request, "sign in by admin link", link.admin_link_id.to_string());
    audit_log::record(&mut tx, &entry).await?;
    tx.commit().await?;
    tracing::warn!(link = link.admin_link_id, made_by = link.made_by, "an administrator signed in by a one-time link");
    Ok(HttpResponse::SeeOther().insert_header((LOCATION, "/")).cookie(cookie).finish())
}

/// A link is good once, and soon.
fn usable(link: Option<Link>, now: OffsetDateTime) -> Result<Link, Reason> {
    let link = link.ok_or(Reason::LinkUnknown)?;
    if link.used_at.is_some() {
        return Err(Reason::LinkUsed);
    }
    if link.expires_at <= now { Err(Reason::LinkExpired) } else { Ok(link) }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_link_is_good_once_and_soon() {
        let now = datetime!(2026-12-01 08:00 UTC);
        let link = |expires_at, used_at| Link { admin_link_id: 1, made_by: "root".to_owned(), expires_at, used_at };
        let soon = now + time::Duration::SECOND;
        assert!(usable(Some(link(soon, None)), now).is_ok());
        assert_eq!(usable(None, now), Err(Reason::LinkUnknown));
        assert_eq!(usable(Some(link(now, None)), now), Err(Reason::LinkExpired));
        assert_eq!(usable(Some(link(soon, Some(now))), now), Err(Reason::LinkUsed));
    }

    #[test]
    fn a_link_is_good_for_a_day_at_most() {
        assert!(within_a_day("24h").is_ok() && within_a_day("25h").is_err() && within_a_day("0m").is_err());
    }
}
