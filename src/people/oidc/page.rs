//! The way to a provider and back.

use actix_web::http::header::{HeaderName, LOCATION};
use actix_web::web::{self, Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use openidconnect::RedirectUrl;
use serde::Deserialize;

use super::answer::{self, Answer};
use super::db::{self, Attempt};
use super::provider::{Metadata, Provider, Secrets, Told};
use super::refusal::{Reason, Refusal};
use super::{logout, refused, self_test};
use crate::State;
use crate::error::Error;
use crate::people::enter;
use crate::people::session::{self, browser_cookie, browser_secret, hash};
use crate::web::{Access, Address, Endpoint};

/// What the log and the audit log call a sign-in that came to nothing.
const REFUSED: &str = "sign-in refused";

pub(in crate::people) fn endpoints() -> Vec<Endpoint> {
    let mut endpoints = self_test::endpoints();
    endpoints.extend([
        Endpoint::get("/sign-in/{name}/start", Access::Everybody, || web::get().to(start)),
        Endpoint::get("/sign-in/{name}/callback", Access::Everybody, || web::get().to(callback)),
    ]);
    endpoints.extend(logout::endpoints());
    endpoints
}

#[derive(Debug, Deserialize)]
struct Next {
    #[serde(default)]
    next: String,
}

async fn start(
    request: HttpRequest,
    state: Data<State>,
    name: Path<String>,
    query: Query<Next>,
) -> Result<HttpResponse, Error> {
    let provider = state.sign_in.provider(&name).ok_or(Error::NotFound)?;
    let next = crate::people::page::local_path(&query.next);
    // Nobody is to be signed in by a page elsewhere: only a link of ours leads on.
    let site = request.headers().get(HeaderName::from_static("sec-fetch-site"));
    if site.is_some_and(|site| site != "same-origin") {
        let sign_in = Address::new("/sign-in").with("next", next).to_string();
        return Ok(HttpResponse::SeeOther().insert_header((LOCATION, sign_in)).finish());
    }
    match begin(&request, &state, provider, "sign-in", next).await? {
        Ok(answer) => Ok(answer),
        Err(refusal) => Err(refused(&request, &state, REFUSED, &name, &refusal).await),
    }
}

/// Sends the browser to the provider; the inner error is a refusal, which is on record nowhere yet.
pub(super) async fn begin(
    request: &HttpRequest,
    state: &State,
    provider: &Provider,
    purpose: &str,
    next: &str,
) -> Result<Result<HttpResponse, Refusal>, Error> {
    let now = state.clock.now();
    let metadata = match provider.metadata(now).await {
        Ok(metadata) => metadata,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let redirect = redirect(state, provider)?;
    let (browser, secrets) = note(request, state, provider, purpose, next).await?;
    let way = provider.way(&metadata, &redirect, &secrets);
    Ok(Ok(HttpResponse::SeeOther()
        .insert_header((LOCATION, way.as_str()))
        .cookie(browser_cookie(request, &browser))
        .finish()))
}

/// Notes a way that is begun. Gives the secret of the browser, which is in its cookie alone, and what comes of it.
pub(super) async fn note(
    request: &HttpRequest,
    state: &State,
    provider: &Provider,
    purpose: &str,
    next: &str,
) -> Result<(String, Secrets), Error> {
    let now = state.clock.now();
    // The same one for ways that are begun side by side, in two tabs.
    let browser = match browser_secret(request) {
        Some(secret) => secret,
        None => session::new_token()?,
    };
    let secrets = Secrets::of(&browser, &session::new_token()?);
    let attempt = Attempt {
        browser_hash: hash(&browser),
        provider: provider.settings.name.clone(),
        purpose: purpose.to_owned(),
        next: next.to_owned(),
        expires_at: now + session::ON_THE_WAY,
        used_at: None,
    };
    let mut tx = state.db.begin().await?;
    db::begin(&mut tx, &hash(&secrets.state), &attempt, now).await?;
    tx.commit().await?;
    Ok((browser, secrets))
}

/// Where the provider sends the browser back to.
pub(super) fn redirect(state: &State, provider: &Provider) -> Result<RedirectUrl, Error> {
    let public = state.sign_in.public_url.as_ref();
    let public = public.ok_or_else(|| anyhow::anyhow!("there are identity providers and no --public-url"))?;
    let address = public.of(&format!("/sign-in/{}/callback", provider.settings.name));
    RedirectUrl::new(address).map_err(|error| anyhow::Error::from(error).into())
}

impl Secrets {
    /// Nonce and verifier are of the browser's secret and the state: nothing of them is stored.
    pub(super) fn of(browser: &str, state: &str) -> Self {
        let made = |what: &str| crate::web::format::hex(&hash(&format!("{what} {browser} {state}")));
        Self { nonce: made("nonce"), verifier: made("verifier"), state: state.to_owned() }
    }
}

async fn callback(request: HttpRequest, state: Data<State>, name: Path<String>) -> Result<HttpResponse, Error> {
    let provider = state.sign_in.provider(&name).ok_or(Error::NotFound)?;
    let (purpose, outcome) = match taken(&request, &state, provider).await? {
        Ok((answer, attempt, secrets)) => {
            let told = told(&state, provider, &answer, &secrets).await;
            if attempt.purpose == "test" {
                return self_test::arrived(&request, &state, provider, told).await;
            }
            (attempt, told)
        }
        Err(refusal) => return Err(refused(&request, &state, REFUSED, &name, &refusal).await),
    };
    let entered = match outcome {
        Ok(told) => enter::person(&request, &state, &provider.settings, &told).await?,
        Err(refusal) => Err(refusal),
    };
    match entered {
        Ok(cookie) => {
            Ok(HttpResponse::SeeOther().insert_header((LOCATION, purpose.next.as_str())).cookie(cookie).finish())
        }
        Err(refusal) => Err(refused(&request, &state, REFUSED, &name, &refusal).await),
    }
}

/// The answer with the way that it belongs to, which is used up by it.
async fn taken(
    request: &HttpRequest,
    state: &State,
    provider: &Provider,
) -> Result<Result<(Answer, Attempt, Secrets), Refusal>, Error> {
    let answer = match answer::read(request.query_string()) {
        Ok(answer) => answer,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let now = state.clock.now();
    let browser = browser_secret(request);
    let mut tx = state.db.begin().await?;
    let attempt = db::take(&mut tx, &hash(&answer.state), now).await?;
    tx.commit().await?;
    let browser_hash = browser.as_deref().map(hash);
    let belongs = answer::belongs(attempt.as_ref(), &provider.settings.name, browser_hash.as_deref(), now);
    Ok(match (belongs, attempt, browser) {
        (Ok(()), Some(attempt), Some(_)) if attempt.purpose == logout::PURPOSE => Err(Reason::StateUnknown.into()),
        (Ok(()), Some(attempt), Some(browser)) => {
            let secrets = Secrets::of(&browser, &answer.state);
            Ok((answer, attempt, secrets))
        }
        (Err(reason), ..) => Err(reason.into()),
        (Ok(()), ..) => Err(Reason::StateUnknown.into()),
    })
}

/// Who the provider says that somebody is.
async fn told(state: &State, provider: &Provider, answer: &Answer, secrets: &Secrets) -> Result<Told, Refusal> {
    let now = state.clock.now();
    let metadata = provider.metadata(now).await?;
    let promised = names_itself(&metadata);
    answer::check_issuer(answer.issuer.as_deref(), &provider.settings.issuer, promised)?;
    let code = answer::code(&answer.outcome)?;
    let redirect = redirect(state, provider).map_err(|error| Refusal::with(Reason::TokenRefused, error))?;
    provider.redeem(&metadata, (code, &redirect), secrets, now).await
}

fn names_itself(metadata: &Metadata) -> bool {
    metadata.additional_metadata().authorization_response_iss_parameter_supported == Some(true)
}
