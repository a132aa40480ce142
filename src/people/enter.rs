//! The one way in: a new token, a session, and the sign-in on record, in one transaction.

use actix_web::HttpRequest;
use actix_web::cookie::Cookie;
use actix_web::http::header::USER_AGENT;
use secrecy::ExposeSecret as _;
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::oidc::{ProviderSettings, Reason, Refusal, Told};
use super::session::{self, IDLE, Kind, LONGEST, User};
use super::{acted, db, person_db, remote};
use crate::State;
use crate::audit_log;
use crate::engagement;
use crate::error::Error;

/// What the provider wants back at sign-out goes into an address: a longer one is not kept.
const LONGEST_HINT: usize = 4000;

/// What a session keeps of the provider.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Of<'a> {
    pub provider: Option<&'a str>,
    pub sid: Option<&'a str>,
    pub id_token: Option<&'a str>,
}

/// Opens a session in place of the one that the browser had, and gives its cookie. The caller writes the audit log.
pub(super) async fn open(
    tx: &mut PgConnection,
    request: &HttpRequest,
    user: &User,
    of: Of<'_>,
    now: OffsetDateTime,
) -> Result<Cookie<'static>, Error> {
    let token = session::new_token()?;
    if let Some(old) = session::token_hash(request) {
        db::delete(&mut *tx, &old).await?;
    }
    db::delete_ended(&mut *tx, now, now - IDLE).await?;
    let agent = request.headers().get(USER_AGENT).and_then(|agent| agent.to_str().ok());
    let session = db::NewSession {
        token_hash: &session::hash(&token),
        identity: &user.identity,
        role: user.role.word(),
        kind: user.kind,
        person_id: user.person_id,
        provider: of.provider,
        sid: of.sid,
        id_token: of.id_token.filter(|token| token.len() <= LONGEST_HINT),
        remote: remote(request),
        user_agent: agent.map(|agent| agent.chars().take(300).collect()),
        now,
        expires_at: now + LONGEST,
    };
    db::insert(&mut *tx, &session).await?;
    Ok(session::cookie(request, &token))
}

/// How a person is called in the audit log and on what they make: a name to read, and the number that is theirs alone.
pub(super) fn identity(person_id: i64, name: &str, email: &str) -> String {
    match (name, email) {
        ("", "") => format!("person {person_id}"),
        ("", email) => format!("{email} (person {person_id})"),
        (name, _) => format!("{name} (person {person_id})"),
    }
}

/// Lets in whom a provider has authenticated; the inner error is a refusal, which is on record nowhere yet.
pub(super) async fn person(
    request: &HttpRequest,
    state: &State,
    provider: &ProviderSettings,
    told: &Told,
) -> Result<Result<Cookie<'static>, Refusal>, Error> {
    let now = state.clock.now();
    let mut tx = state.db.begin().await?;
    let seen = person_db::Seen {
        issuer: &provider.issuer,
        subject: &told.subject,
        provider: &provider.name,
        name: &told.name,
        email: &told.email,
        email_verified: told.email_verified,
        now,
    };
    let (person_id, disabled_at) = person_db::see(&mut tx, &seen).await?;
    let identity = identity(person_id, &told.name, &told.email);
    if disabled_at.is_some() {
        return Ok(Err(Refusal::with(Reason::Disabled, identity)));
    }
    let role = told.granted.role;
    person_db::note_role(&mut *tx, person_id, (role.word(), &told.granted.why), now).await?;
    // Invitations are by address: one that is not proven to be theirs binds nothing.
    let invitations = match told.email.as_str() {
        email if told.email_verified && !email.is_empty() => {
            engagement::bind(&mut tx, person_id, &provider.name, email).await?
        }
        _ => 0,
    };
    let user = User {
        identity,
        role,
        demo: false,
        kind: Kind::Oidc,
        person_id: Some(person_id),
        engagement_id: None,
        token_id: None,
    };
    let id_token = Some(told.id_token.expose_secret());
    let of = Of { provider: Some(&provider.name), sid: told.sid.as_deref(), id_token };
    let cookie = open(&mut tx, request, &user, of, now).await?;
    let entry = acted(&user, request, "sign in", role.word()).detail(serde_json::json!({
        "provider": provider.name, "issuer": provider.issuer, "subject": told.subject, "why": told.granted.why,
        "invitations_bound": invitations, "engagements": engagement::told_in(&mut *tx, &user).await?,
    }));
    audit_log::record(&mut tx, &entry).await?;
    tx.commit().await?;
    Ok(Ok(cookie))
}
