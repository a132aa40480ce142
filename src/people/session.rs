//! The session cookie and the extractors that prove a sign-in.

use actix_web::cookie::{Cookie, SameSite};
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, web};
use futures_util::future::LocalBoxFuture;
use ring::rand::SecureRandom as _;
use time::{Duration, OffsetDateTime};

use super::db::SessionRow;
use super::token::Bearer;
use super::{Role, db};
use crate::State;
use crate::audit_log::ActorKind;
use crate::database::admitted;
use crate::error::Error;
use crate::web::forwarded::is_secure;
use crate::web::{Access, access};

/// A session ends when nothing was asked for this long.
pub(super) const IDLE: Duration = Duration::hours(2);
/// A session ends this long after the sign-in, whatever was asked.
pub(super) const LONGEST: Duration = Duration::hours(12);
/// `seen_at` is written at most this often, so that reading pages does not write.
const TOUCH_EVERY: Duration = Duration::minutes(1);

/// Plain HTTP is only for loopback, where a Secure cookie would not come back.
const PLAIN_COOKIE: &str = "auditfolio_session";
const SECURE_COOKIE: &str = "__Host-auditfolio_session";

/// How somebody came in. The words are those of column `session.kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// As a demo identity, not authenticated.
    Demo,
    /// By an identity provider.
    Oidc,
    /// By a one-time link from the command line.
    AdminLink,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Demo, Self::Oidc, Self::AdminLink];

    /// The word in column `session.kind`.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Demo => "demo",
            Self::Oidc => "oidc",
            Self::AdminLink => "admin-link",
        }
    }

    /// How far the audit log trusts the name.
    pub(super) fn actor_kind(self) -> ActorKind {
        match self {
            Self::Demo => ActorKind::Demo,
            Self::Oidc => ActorKind::Person,
            // Whoever has the command line made the link.
            Self::AdminLink => ActorKind::Operator,
        }
    }
}

/// Somebody who is signed in. A handler that takes it is closed to everybody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Who, as written to the audit log. Of a person it ends with their number, which no other has.
    pub identity: String,
    pub role: Role,
    /// A demo identity is not authenticated.
    pub demo: bool,
    pub kind: Kind,
    /// Who it is for good, if a provider says so: `person.person_id`.
    pub person_id: Option<i64>,
    /// The engagement whose room an auditor has entered. Whether it is open to them is another question.
    pub engagement_id: Option<i64>,
    /// The token that a program shows in their name: `api_token.api_token_id`.
    pub token_id: Option<i64>,
}

/// Somebody who is signed in and may do more than read: make packs, collect, end jobs, acknowledge notices.
#[derive(Debug, Clone)]
pub struct Maker(pub User);

impl FromRequest for User {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { find(&request).await?.ok_or(Error::SignInNeeded) })
    }
}

impl FromRequest for Maker {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { allowed(&request, Access::Makers).await.map(Self) })
    }
}

/// An administrator who is signed in.
#[derive(Debug, Clone)]
pub struct Administrator(pub User);

impl FromRequest for Administrator {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { allowed(&request, Access::Administrators).await.map(Self) })
    }
}

/// Who is signed in, with a role that routes of an access are for.
async fn allowed(request: &HttpRequest, access: Access) -> Result<User, Error> {
    let user = find(request).await?.ok_or(Error::SignInNeeded)?;
    match access.refuses(user.role) {
        None => Ok(user),
        Some(why) => Err(Error::Forbidden(why)),
    }
}

/// Who is signed in, if somebody is.
pub(super) async fn find(request: &HttpRequest) -> Result<Option<User>, Error> {
    if let Some(user) = Bearer::user(request) {
        return let_in(request, user).map(Some);
    }
    let Some(ticket) = Ticket::of(request) else { return Ok(None) };
    let state = request.app_data::<web::Data<State>>().expect("every app is built with its state");
    let found = admitted(|| db::find(&state.db, &ticket.hash, ticket.now, ticket.idle_since())).await?;
    match found {
        Some(row) => admit(request, &ticket, row).await,
        None => Ok(None),
    }
}

/// What a request shows to be let in: looked up here, or by a page in the statement that it begins with.
#[derive(Debug, Clone)]
pub struct Ticket {
    /// SHA-256 of the token.
    pub hash: Vec<u8>,
    pub now: OffsetDateTime,
}

impl Ticket {
    /// `None` without a session cookie.
    pub fn of(request: &HttpRequest) -> Option<Self> {
        let state = request.app_data::<web::Data<State>>().expect("every app is built with its state");
        Some(Self { hash: token_hash(request)?, now: state.clock.now() })
    }

    /// A session that was not used since is over.
    pub fn idle_since(&self) -> OffsetDateTime {
        self.now - IDLE
    }
}

/// Lets in whom a session that is neither past its end nor idle belongs to.
pub async fn admit(request: &HttpRequest, ticket: &Ticket, row: SessionRow) -> Result<Option<User>, Error> {
    let state = request.app_data::<web::Data<State>>().expect("every app is built with its state");
    // A demo session must not outlive the demo setting.
    if row.demo && !state.demo {
        return Ok(None);
    }
    let known = Role::parse(&row.role).zip(Kind::ALL.into_iter().find(|kind| kind.word() == row.kind));
    let Some((role, kind)) = known.filter(|(_, kind)| row.demo == (*kind == Kind::Demo)) else {
        return Ok(None);
    };
    // Nor does a session outlive its provider in the settings.
    if row.provider.is_some_and(|name| state.sign_in.provider(&name).is_none()) {
        return Ok(None);
    }
    let user = User {
        identity: row.identity,
        role,
        demo: row.demo,
        kind,
        person_id: row.person_id,
        engagement_id: row.engagement_id.filter(|_| role == Role::Auditor),
        token_id: None,
    };
    let user = let_in(request, user)?;
    if ticket.now - row.seen_at > TOUCH_EVERY {
        db::touch(&state.db, &ticket.hash, ticket.now).await?;
    }
    Ok(Some(user))
}

/// Lets in somebody who is known, by a session or a token, as far as their role and their limits go.
///
/// # Errors
///
/// [`Error::Forbidden`] where the route is not for the role, [`Error::TooMany`].
pub fn let_in(request: &HttpRequest, user: User) -> Result<User, Error> {
    let state = request.app_data::<web::Data<State>>().expect("every app is built with its state");
    // For the guard, which writes downloads and refusals to the audit log and shows on an error page only what there is for somebody.
    let is_first = request.extensions_mut().insert(user.clone()).is_none();
    // A path without an entry has no handler, so that nobody can see anything there.
    if let Some(why) = access(request).and_then(|access| access.refuses(user.role)) {
        return Err(Error::Forbidden(why));
    }
    // A handler may ask twice who it is for; that is one request.
    if is_first {
        let limits = &state.gate.limits;
        match user.token_id {
            None => limits.person(&user.identity, request.method(), request.path(), request.query_string())?,
            Some(token_id) => limits.token(token_id)?,
        }
    }
    Ok(user)
}

/// SHA-256 of the token in the request's cookie.
pub(super) fn token_hash(request: &HttpRequest) -> Option<Vec<u8>> {
    let cookie = request.cookie(cookie_name(request))?;
    Some(hash(cookie.value()))
}

pub(super) fn hash(token: &str) -> Vec<u8> {
    ring::digest::digest(&ring::digest::SHA256, token.as_bytes()).as_ref().to_vec()
}

/// 256 random bits as text.
pub(super) fn new_token() -> Result<String, Error> {
    let mut bytes = [0_u8; 32];
    ring::rand::SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|error| anyhow::anyhow!("the system's random source failed: {error}"))?;
    Ok(crate::web::format::hex(&bytes))
}

fn cookie_name(request: &HttpRequest) -> &'static str {
    if is_secure(request) { SECURE_COOKIE } else { PLAIN_COOKIE }
}

/// How long the way to a provider and back may take.
pub(super) const ON_THE_WAY: Duration = Duration::minutes(10);

fn browser_cookie_name(request: &HttpRequest) -> &'static str {
    if is_secure(request) { "__Host-auditfolio_sign_in" } else { "auditfolio_sign_in" }
}

/// The secret that binds a way to a provider and back to this browser.
pub(super) fn browser_secret(request: &HttpRequest) -> Option<String> {
    let cookie = request.cookie(browser_cookie_name(request))?;
    let made_here = |text: &str| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    Some(cookie.value().to_owned()).filter(|text| made_here(text))
}

/// The cookie of [`browser_secret`]. Lax: the provider's page, of another site, leads back.
pub(super) fn browser_cookie(request: &HttpRequest, secret: &str) -> Cookie<'static> {
    Cookie::build(browser_cookie_name(request), secret.to_owned())
        .path("/")
        .http_only(true)
        .secure(is_secure(request))
        .same_site(SameSite::Lax)
        .max_age(ON_THE_WAY)
        .finish()
}

/// The cookie that carries a token, or with an empty token the one that removes it.
pub(super) fn cookie(request: &HttpRequest, token: &str) -> Cookie<'static> {
    let cookie = Cookie::build(cookie_name(request), token.to_owned())
        .path("/")
        .http_only(true)
        .secure(is_secure(request))
        .same_site(SameSite::Lax);
    if token.is_empty() {
        cookie.expires(OffsetDateTime::UNIX_EPOCH).finish()
    } else {
        // No expiry: the browser forgets it when it closes; the server ends it in any case.
        cookie.finish()
    }
}
