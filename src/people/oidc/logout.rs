//! Sign-out on both sides: here and at the provider, whoever begins.

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderValue, REFRESH};
use actix_web::web::{self, Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse, Responder};
use askama::Template;
use openidconnect::url::{Url, form_urlencoded};
use time::OffsetDateTime;

use super::answer;
use super::db;
use super::page::note;
use super::provider::Provider;
use super::refusal::{Reason, Refusal};
use super::refused;
use super::token::SKEW_SECONDS;
use crate::State;
use crate::audit_log::{self, Entry};
use crate::error::Error;
use crate::people::remote;
use crate::people::session::{browser_cookie, browser_secret, hash};
use crate::web::{Access, Endpoint, Frame, Page, RequestId};

/// Of a way to the provider's sign-out and back.
pub(super) const PURPOSE: &str = "sign-out";
/// What the log and the audit log call a sign-out that came to nothing.
const REFUSED: &str = "sign-out refused";

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/sign-in/{name}/signed-out", Access::Everybody, || web::get().to(signed_out)),
        Endpoint::post("/sign-in/{name}/back-channel", Access::Everybody, || web::post().to(back_channel)),
    ]
}

/// Whether a path is the one that a provider's own server posts to.
pub fn is_back_channel(path: &str) -> bool {
    let name = path.strip_prefix("/sign-in/").and_then(|rest| rest.strip_suffix("/back-channel"));
    name.is_some_and(|name| !name.is_empty() && !name.contains('/'))
}

#[derive(Template)]
#[template(path = "people/leaving.html")]
struct LeavingPage {
    frame: Frame,
    provider: String,
    onward: String,
}

/// After the session has ended here: the page that leads to the provider's sign-out, where it has one and answers.
///
/// A page and not a redirect: the policy of forms (`form-action`) keeps what a form leads to on this site.
pub(in crate::people) async fn leave(
    request: &HttpRequest,
    state: &State,
    name: &str,
    id_token: Option<&str>,
) -> Result<Option<HttpResponse>, Error> {
    let (Some(provider), Some(public)) = (state.sign_in.provider(name), &state.sign_in.public_url) else {
        return Ok(None);
    };
    let metadata = match provider.metadata(state.clock.now()).await {
        Ok(metadata) => metadata,
        Err(refusal) => {
            tracing::warn!(provider = name, reason = refusal.reason.word(), "signed out here alone");
            return Ok(None);
        }
    };
    let Some(end) = &metadata.additional_metadata().end_session_endpoint else { return Ok(None) };
    let (browser, secrets) = note(request, state, provider, PURPOSE, "/sign-in").await?;
    let back = public.of(&format!("/sign-in/{name}/signed-out"));
    let onward = onward(end.url(), &provider.settings.client_id, id_token, (&back, &secrets.state));
    let page = LeavingPage {
        frame: Frame::bare("Signing out", state.demo),
        provider: provider.settings.title.clone(),
        onward: onward.to_string(),
    };
    let mut answer = Page(page).answer(StatusCode::OK);
    let refresh = HeaderValue::from_str(&format!("0; url={onward}"));
    answer.headers_mut().insert(REFRESH, refresh.map_err(anyhow::Error::from)?);
    answer.add_cookie(&browser_cookie(request, &browser)).map_err(anyhow::Error::from)?;
    Ok(Some(answer))
}

/// <https://openid.net/specs/openid-connect-rpinitiated-1_0.html#RPLogout>
fn onward(end: &Url, client_id: &str, id_token: Option<&str>, (back, state): (&str, &str)) -> Url {
    let mut onward = end.clone();
    {
        let mut query = onward.query_pairs_mut();
        if let Some(hint) = id_token {
            query.append_pair("id_token_hint", hint);
        }
        query.append_pair("client_id", client_id);
        query.append_pair("post_logout_redirect_uri", back);
        query.append_pair("state", state);
    }
    onward
}

#[derive(Template)]
#[template(path = "people/signed_out.html")]
struct SignedOutPage {
    frame: Frame,
    provider: String,
}

/// Back from the provider's sign-out. Without the state of a sign-out that this browser began, it is not believed.
async fn signed_out(request: HttpRequest, state: Data<State>, name: Path<String>) -> Result<HttpResponse, Error> {
    let provider = state.sign_in.provider(&name).ok_or(Error::NotFound)?;
    match returned(&request, &state, provider).await? {
        Ok(()) => {
            let page = SignedOutPage {
                frame: Frame::bare("Signed out", state.demo),
                provider: provider.settings.title.clone(),
            };
            Ok(Page(page).respond_to(&request))
        }
        Err(refusal) => Err(refused(&request, &state, REFUSED, &name, &refusal).await),
    }
}

async fn returned(request: &HttpRequest, state: &State, provider: &Provider) -> Result<Result<(), Refusal>, Error> {
    let answer = match answer::read(request.query_string()) {
        Ok(answer) => answer,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let now = state.clock.now();
    let mut tx = state.db.begin().await?;
    let attempt = db::take(&mut tx, &hash(&answer.state), now).await?;
    tx.commit().await?;
    let browser_hash = browser_secret(request).as_deref().map(hash);
    let belongs = answer::belongs(attempt.as_ref(), &provider.settings.name, browser_hash.as_deref(), now);
    Ok(match (belongs, attempt) {
        (Ok(()), Some(attempt)) if attempt.purpose == PURPOSE => Ok(()),
        (Ok(()), _) => Err(Reason::StateUnknown.into()),
        (Err(reason), _) => Err(reason.into()),
    })
}

/// A provider says who has signed out there. What is refused gets no reason: the log has it.
///
/// <https://openid.net/specs/openid-connect-backchannel-1_0.html>
async fn back_channel(
    request: HttpRequest,
    state: Data<State>,
    name: Path<String>,
    body: Bytes,
) -> Result<HttpResponse, Error> {
    let provider = state.sign_in.provider(&name).ok_or(Error::NotFound)?;
    let ended = match logout_token(&request, &body) {
        Ok(token) => ended(&request, &state, provider, &token).await?,
        Err(refusal) => Err(refusal),
    };
    match ended {
        Ok(()) => Ok(HttpResponse::Ok().finish()),
        Err(refusal) => match refused(&request, &state, REFUSED, &name, &refusal).await {
            // Nothing of the reason's page is for a server.
            Error::SignInRefused(_) => Ok(HttpResponse::BadRequest().finish()),
            other => Err(other),
        },
    }
}

/// The one logout token of a form.
fn logout_token(request: &HttpRequest, body: &[u8]) -> Result<String, Refusal> {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded") {
        return Err(Reason::LogoutTokenMissing.into());
    }
    let mut tokens = form_urlencoded::parse(body).filter(|(name, _)| name == "logout_token");
    match (tokens.next(), tokens.next()) {
        (Some((_, token)), None) => Ok(token.into_owned()),
        _ => Err(Reason::LogoutTokenMissing.into()),
    }
}

async fn ended(
    request: &HttpRequest,
    state: &State,
    provider: &Provider,
    token: &str,
) -> Result<Result<(), Refusal>, Error> {
    let now = state.clock.now();
    let ended = match provider.logged_out(token, now).await {
        Ok(ended) => ended,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let settings = &provider.settings;
    // Until it would be refused for its age.
    let until = OffsetDateTime::from_unix_timestamp(ended.expires.saturating_add(2 * SKEW_SECONDS));
    let until = until.unwrap_or(now + time::Duration::days(365));
    let mut tx = state.db.begin().await?;
    if !db::heed(&mut tx, (&settings.issuer, &hash(&ended.jti)), until, now).await? {
        return Ok(Err(Reason::LogoutUsed.into()));
    }
    let (sid, subject) = (ended.sid.as_deref(), ended.subject.as_deref());
    let of = (settings.name.as_str(), settings.issuer.as_str());
    let identities = crate::people::db::end_of_provider(&mut *tx, of, sid, subject).await?;
    tracing::info!(provider = settings.name, sessions = identities.len(), "signed out by the provider");
    for identity in &identities {
        let entry = Entry {
            remote: remote(request),
            request_id: RequestId::of(request),
            ..Entry::by_system("end session", identity.as_str())
                .detail(serde_json::json!({ "provider": settings.name, "why": "signed out at the provider" }))
        };
        audit_log::record(&mut tx, &entry).await?;
    }
    tx.commit().await?;
    Ok(Ok(()))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

    use super::*;

    #[test]
    fn only_the_back_channel_takes_posts_of_servers() {
        assert!(is_back_channel("/sign-in/company/back-channel"));
        for other in [
            "/sign-in//back-channel",
            "/sign-in/a/b/back-channel",
            "/sign-in/company/back-channel/",
            "/packs/back-channel",
            "/sign-in",
        ] {
            assert!(!is_back_channel(other), "{other}");
        }
    }

    #[test]
    fn the_way_to_the_providers_sign_out_names_the_client_and_the_way_back() {
        let end = Url::parse("https://login.example.com/end?theme=a").unwrap();
        let onward = onward(&end, "audit folio", Some("h.i.n"), ("https://audit.example.com/b", "s"));
        assert_eq!(
            onward.as_str(),
            "https://login.example.com/end?theme=a&id_token_hint=h.i.n&client_id=audit+folio\
             &post_logout_redirect_uri=https%3A%2F%2Faudit.example.com%2Fb&state=s"
        );
    }
}
