//! A page that walks the way to a provider step by step, and says of each failure in words what to change.

use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Form, Path};
use actix_web::{HttpRequest, HttpResponse, Responder};
use askama::Template;
use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use super::page::{begin, redirect};
use super::provider::{Metadata, Provider, Secrets, Told};
use super::refusal::{Reason, Refusal};
use super::refused;
use super::settings::GroupsFrom;
use super::token::{ALGORITHMS, SKEW_SECONDS};
use crate::State;
use crate::audit_log;
use crate::error::Error;
use crate::people::session::{self, Administrator};
use crate::people::{Role, acted};
use crate::web::{Access, Endpoint, Frame, Page, Section, Visit, format};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/sign-in/test", Access::Administrators, || web::get().to(choose)),
        Endpoint::post("/sign-in/test", Access::Administrators, || web::post().to(walk)),
        Endpoint::get("/sign-in/test/{name}", Access::Administrators, || web::get().to(round_trip)),
    ]
}

/// One step with how it went.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    what: &'static str,
    outcome: Outcome,
    words: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Passes,
    Fails,
    /// Works, but not as well as it could.
    Differs,
}

impl Outcome {
    fn word(self) -> &'static str {
        match self {
            Self::Passes => "passes",
            Self::Fails => "fails",
            Self::Differs => "look at this",
        }
    }
}

impl Step {
    fn of(what: &'static str, outcome: Outcome, words: impl Into<String>) -> Self {
        Self { what, outcome, words: words.into() }
    }

    fn refused(what: &'static str, refusal: &Refusal) -> Self {
        let found = if refusal.found.is_empty() { String::new() } else { format!(" Found: {}.", refusal.found) };
        Self::of(what, Outcome::Fails, format!("{} ({}){found}", refusal.reason.meaning(), refusal.reason.word()))
    }
}

struct Choice {
    name: String,
    title: String,
    issuer: String,
}

#[derive(Template)]
#[template(path = "people/test.html")]
struct TestPage {
    frame: Frame,
    choices: Vec<Choice>,
    /// Of the provider that was walked.
    walked: Option<Walked>,
}

struct Walked {
    name: String,
    title: String,
    steps: Vec<Step>,
    /// Whether the way through the provider remains to be gone.
    onward: bool,
}

impl TestPage {
    fn new(state: &State, frame: Frame, walked: Option<Walked>) -> Self {
        let choice = |provider: &Provider| {
            let settings = &provider.settings;
            Choice { name: settings.name.clone(), title: settings.title.clone(), issuer: settings.issuer.clone() }
        };
        Self { frame, choices: state.sign_in.providers.iter().map(choice).collect(), walked }
    }
}

const TITLE: &str = "Test of the identity providers";

fn framed(visit: &Visit) -> Frame {
    Frame { section: None, ..visit.frame(Section::Overview, TITLE).crumb("People", "/people") }
}

async fn choose(_: Administrator, state: Data<State>, visit: Visit) -> impl Responder {
    Page(TestPage::new(&state, framed(&visit), None))
}

#[derive(Debug, Deserialize)]
struct Chosen {
    #[serde(default)]
    provider: String,
}

async fn walk(
    Administrator(user): Administrator,
    request: HttpRequest,
    state: Data<State>,
    visit: Visit,
    form: Form<Chosen>,
) -> Result<HttpResponse, Error> {
    let provider = state.sign_in.provider(&form.provider).ok_or(Error::NotFound)?;
    let frame = framed(&visit);
    // The page's transaction is not kept open while a provider is waited for.
    drop(visit);
    let steps = steps(&state, provider).await?;
    let entry = acted(&user, &request, "test provider", provider.settings.name.as_str());
    let mut tx = state.db.begin().await?;
    audit_log::record(&mut tx, &entry).await?;
    tx.commit().await?;
    let onward = steps.iter().all(|step| step.outcome != Outcome::Fails);
    let (name, title) = (provider.settings.name.clone(), provider.settings.title.clone());
    Ok(Page(TestPage::new(&state, frame, Some(Walked { name, title, steps, onward }))).answer(StatusCode::OK))
}

async fn steps(state: &State, provider: &Provider) -> Result<Vec<Step>, Error> {
    let now = state.clock.now();
    let redirect = redirect(state, provider)?;
    let (metadata, date) = match provider.discover().await {
        Ok(found) => found,
        Err(refusal) => return Ok(vec![Step::refused("Description of the provider", &refusal)]),
    };
    let mut steps = vec![
        Step::of(
            "Description of the provider",
            Outcome::Passes,
            format!("Read; it calls itself {}.", metadata.issuer().as_str()),
        ),
        clock(date.as_deref(), now),
    ];
    steps.push(match provider.keys_now(&metadata).await {
        Ok(0) => Step::of("Keys", Outcome::Fails, "The provider publishes no key that can be used."),
        Ok(count) => Step::of("Keys", Outcome::Passes, format::plural(i64::from(count), "key")),
        Err(refusal) => Step::refused("Keys", &refusal),
    });
    steps.extend([
        algorithms(&metadata),
        pkce(&metadata),
        scopes(&metadata, &provider.settings.scopes),
        sign_out(&metadata),
    ]);
    let secrets = Secrets::of("test", "test");
    let address = redirect.as_str();
    steps.push(match provider.knock(provider.way(&metadata, &redirect, &secrets)).await {
        Ok(status) if status < 400 => {
            Step::of("Client and redirect address", Outcome::Passes, format!("The provider takes client_id with {address}."))
        }
        Ok(status) => {
            let words = format!(
                "The provider answers {status} to the request for a sign-in. Register the redirect address {address} exactly so, \
                 and compare client_id ({:?}), the scopes, and that the client may use the code flow.",
                provider.settings.client_id
            );
            Step::of("Client and redirect address", Outcome::Fails, words)
        }
        Err(refusal) => Step::refused("Client and redirect address", &refusal),
    });
    Ok(steps)
}

/// Whether the provider's clock, by the `Date` of its answer, is near ours.
fn clock(date: Option<&str>, now: OffsetDateTime) -> Step {
    let what = "Clock";
    // A date of HTTP says GMT, which is +0000.
    let said = date.and_then(|date| OffsetDateTime::parse(&date.replace("GMT", "+0000"), &Rfc2822).ok());
    let Some(said) = said else {
        return Step::of(what, Outcome::Differs, "The provider does not say what time it is.");
    };
    let apart = (now - said).whole_seconds();
    let words = format!("The provider says {}, this machine {} (UTC).", format::at(said), format::at(now));
    if apart.abs() > SKEW_SECONDS {
        let more = format!(
            "{words} They are {} s apart, and {SKEW_SECONDS} s are allowed: set the wrong one right.",
            apart.abs()
        );
        Step::of(what, Outcome::Fails, more)
    } else {
        Step::of(what, Outcome::Passes, words)
    }
}

fn algorithms(metadata: &Metadata) -> Step {
    let offered = metadata.id_token_signing_alg_values_supported();
    let common: Vec<&str> =
        ALGORITHMS.iter().filter(|(_, algorithm)| offered.contains(algorithm)).map(|(name, _)| *name).collect();
    if common.is_empty() {
        let words = "The provider signs by no algorithm that is known here: RS256, PS256, ES256 and EdDSA are.";
        Step::of("Signatures", Outcome::Fails, words)
    } else {
        Step::of(
            "Signatures",
            Outcome::Passes,
            format!("Of those that the provider offers, taken are {}.", common.join(", ")),
        )
    }
}

fn pkce(metadata: &Metadata) -> Step {
    match &metadata.additional_metadata().code_challenge_methods_supported {
        Some(methods) if methods.iter().any(|method| method == "S256") => Step::of("PKCE", Outcome::Passes, "S256"),
        Some(_) => Step::of("PKCE", Outcome::Fails, "The provider does not offer S256."),
        None => {
            Step::of("PKCE", Outcome::Differs, "The provider does not say that it knows PKCE; it is sent in any case.")
        }
    }
}

fn scopes(metadata: &Metadata, wanted: &[String]) -> Step {
    let Some(offered) = metadata.scopes_supported() else {
        return Step::of("Scopes", Outcome::Differs, "The provider does not say which scopes it has.");
    };
    let missing: Vec<&str> =
        wanted.iter().map(String::as_str).filter(|scope| !offered.iter().any(|one| one.as_str() == *scope)).collect();
    if missing.is_empty() {
        Step::of("Scopes", Outcome::Passes, format!("openid {}", wanted.join(" ")))
    } else {
        let words = format!(
            "The provider does not have {}: take it out of the setting scopes, or add it there.",
            missing.join(", ")
        );
        Step::of("Scopes", Outcome::Fails, words)
    }
}

fn sign_out(metadata: &Metadata) -> Step {
    let more = metadata.additional_metadata();
    let here = if more.end_session_endpoint.is_some() {
        "Sign-out here leads on to the provider’s."
    } else {
        "The provider has no sign-out of its own: sign-out ends the session here alone."
    };
    let there = if more.backchannel_logout_supported == Some(true) {
        "It can tell of sign-outs there; register the address that ends in /back-channel for it."
    } else {
        "It does not tell of sign-outs there: sessions here go on until they end by themselves."
    };
    Step::of("Sign-out", Outcome::Passes, format!("{here} {there}"))
}

async fn round_trip(
    _: Administrator,
    request: HttpRequest,
    state: Data<State>,
    visit: Visit,
    name: Path<String>,
) -> Result<HttpResponse, Error> {
    let provider = state.sign_in.provider(&name).ok_or(Error::NotFound)?;
    let frame = framed(&visit);
    drop(visit);
    match begin(&request, &state, provider, "test", "/sign-in/test").await? {
        Ok(answer) => Ok(answer),
        Err(refusal) => Ok(report(&state, frame, provider, &Err(refusal))),
    }
}

/// Back from the provider: what a sign-in would have come to. Nobody is signed in by it.
pub(super) async fn arrived(
    request: &HttpRequest,
    state: &State,
    provider: &Provider,
    told: Result<Told, Refusal>,
) -> Result<HttpResponse, Error> {
    let user = session::find(request).await?.filter(|user| user.role == Role::Administrator);
    let Some(user) = user else {
        let name = &provider.settings.name;
        return Err(refused(request, state, "test refused", name, &Reason::TestElse.into()).await);
    };
    let frame = Frame { user: Some(user), sections: true, ..Frame::bare(TITLE, state.demo) }.crumb("People", "/people");
    Ok(report(state, frame, provider, &told))
}

fn report(state: &State, frame: Frame, provider: &Provider, told: &Result<Told, Refusal>) -> HttpResponse {
    let steps = match told {
        Ok(told) => arrived_steps(provider, told),
        Err(refusal) => vec![Step::refused("Through the provider and back", refusal)],
    };
    let (name, title) = (provider.settings.name.clone(), provider.settings.title.clone());
    Page(TestPage::new(state, frame, Some(Walked { name, title, steps, onward: false }))).answer(StatusCode::OK)
}

fn arrived_steps(provider: &Provider, told: &Told) -> Vec<Step> {
    let settings = &provider.settings;
    let claim = &settings.groups_claim;
    let came = format!("Claims that came: {}.", told.claims.join(", "));
    let who = format!("Subject {:?}, name {:?}, e-mail {:?}.", told.subject, told.name, told.email);
    let role = format!("The role would be {}: {}.", told.granted.role.title(), told.granted.why);
    let named = claim.trim_start_matches('/').split('/').next().unwrap_or_default();
    let groups = if settings.auditors || told.claims.iter().any(|name| name == named) {
        Step::of("Role", Outcome::Passes, role)
    } else {
        let elsewhere = match settings.groups_from {
            GroupsFrom::IdToken => "set groups_from to userinfo if the provider names them there",
            GroupsFrom::Userinfo => "set groups_from to id-token if the provider names them there",
        };
        let words = format!(
            "{role} The claim {claim:?} did not come: ask for a scope that brings it, have the provider add it for this client, \
             or {elsewhere}. Some providers leave it out for people with very many groups."
        );
        Step::of("Role", if settings.grants.0.is_empty() { Outcome::Differs } else { Outcome::Fails }, words)
    };
    vec![
        Step::of(
            "Through the provider and back",
            Outcome::Passes,
            "Code, signature, audience, times and nonce are right.",
        ),
        Step::of("Who", Outcome::Passes, format!("{who} {came}")),
        groups,
    ]
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_wrong_clock_is_told_from_a_right_one() {
        let now = datetime!(2026-11-24 08:00 UTC);
        assert_eq!(clock(Some("Tue, 24 Nov 2026 08:00:59 GMT"), now).outcome, Outcome::Passes);
        let wrong = clock(Some("Tue, 24 Nov 2026 07:50:00 GMT"), now);
        assert_eq!(wrong.outcome, Outcome::Fails);
        assert!(wrong.words.contains("600 s apart"), "{}", wrong.words);
        assert_eq!(clock(Some("soon"), now).outcome, Outcome::Differs);
        assert_eq!(clock(None, now).outcome, Outcome::Differs);
    }
}
