//! A provider at work: its description and keys as it last gave them, the way to it, and what a code is worth.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use openidconnect::core::{
    CoreAuthDisplay, CoreAuthenticationFlow, CoreClaimName, CoreClaimType, CoreClient, CoreClientAuthMethod,
    CoreErrorResponseType, CoreGrantType, CoreJsonWebKey, CoreJsonWebKeySet, CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm, CoreResponseMode, CoreResponseType, CoreSubjectIdentifierType, CoreTokenResponse,
};
use openidconnect::http::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use openidconnect::http::{Request, StatusCode};
use openidconnect::url::Url;
use openidconnect::{
    AccessToken, AccessTokenHash, AdditionalProviderMetadata, AuthType, AuthorizationCode, ClientId, ClientSecret,
    CsrfToken, EndSessionUrl, HttpResponse, JsonWebKey as _, JsonWebKeyUse, Nonce, OAuth2TokenResponse as _,
    PkceCodeChallenge, PkceCodeVerifier, ProviderMetadata, RedirectUrl, RequestTokenError, Scope, TokenResponse as _,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::groups::{self, Granted};
use super::http::{self, Http};
use super::refusal::{Reason, Refusal};
use super::settings::{GroupsFrom, ProviderSettings, is_safe};
use super::token::{self, Token, Wanted};

/// After this, description and keys are read anew.
const FRESH: time::Duration = time::Duration::minutes(10);
/// Tokens that name an unknown key make us ask for the keys again at most this often.
const KEYS_AGAIN: time::Duration = time::Duration::minutes(1);

/// What providers say of themselves beside what every one says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct More {
    pub end_session_endpoint: Option<EndSessionUrl>,
    /// RFC 9207.
    pub authorization_response_iss_parameter_supported: Option<bool>,
    pub code_challenge_methods_supported: Option<Vec<String>>,
    pub backchannel_logout_supported: Option<bool>,
}

impl AdditionalProviderMetadata for More {}

/// What a provider says of itself.
pub(super) type Metadata = ProviderMetadata<
    More,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// One identity provider.
#[derive(Debug)]
pub struct Provider {
    pub settings: ProviderSettings,
    secret: Option<SecretString>,
    http: Http,
    known: Mutex<Known>,
}

/// What was read, and when.
#[derive(Debug, Default)]
struct Known {
    metadata: Option<(OffsetDateTime, Arc<Metadata>)>,
    keys: Option<(OffsetDateTime, Arc<CoreJsonWebKeySet>)>,
    keys_asked_again: Option<OffsetDateTime>,
}

/// Who a provider says that somebody is.
#[derive(Debug, Clone)]
pub(in crate::people) struct Told {
    pub subject: String,
    pub name: String,
    pub email: String,
    pub email_verified: bool,
    pub granted: Granted,
    /// The provider's own session.
    pub sid: Option<String>,
    pub id_token: SecretString,
    /// The names of the claims that came, for the self-test.
    pub claims: Vec<String>,
}

/// What only the browser that began knows: nothing of it is stored here.
pub(super) struct Secrets {
    pub state: String,
    pub nonce: String,
    /// PKCE's verifier.
    pub verifier: String,
}

impl Provider {
    /// `secret` is what the settings' `client_secret` is or refers to.
    pub fn new(settings: ProviderSettings, secret: Option<SecretString>) -> Self {
        Self { settings, secret, http: Http::new(http::PATIENCE), known: Mutex::default() }
    }

    /// With another time limit for each question.
    #[must_use]
    pub fn patience(self, patience: Duration) -> Self {
        Self { http: Http::new(patience), ..self }
    }

    /// What the provider says of itself, as it said within the last minutes.
    pub(super) async fn metadata(&self, now: OffsetDateTime) -> Result<Arc<Metadata>, Refusal> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).metadata.clone();
        if let Some((_, metadata)) = known.filter(|(at, _)| now - *at < FRESH) {
            return Ok(metadata);
        }
        let metadata = Arc::new(self.discover().await?.0);
        self.known.lock().unwrap_or_else(PoisonError::into_inner).metadata = Some((now, Arc::clone(&metadata)));
        Ok(metadata)
    }

    /// Asks the provider what it is; with the answer's `Date`, for the self-test.
    pub(super) async fn discover(&self) -> Result<(Metadata, Option<String>), Refusal> {
        let issuer = self.settings.issuer.trim_end_matches('/');
        let answer = self.get(&format!("{issuer}/.well-known/openid-configuration"), None).await?;
        let date = answer.headers().get("date").and_then(|date| date.to_str().ok()).map(str::to_owned);
        let metadata: Metadata =
            serde_json::from_slice(answer.body()).map_err(|error| Refusal::with(Reason::DiscoveryUnreadable, error))?;
        let said = metadata.issuer().as_str();
        if said != self.settings.issuer {
            let found = format!("the provider says {said:?}, the setting is {:?}", self.settings.issuer);
            return Err(Refusal::with(Reason::DiscoveryIssuer, found));
        }
        if metadata.token_endpoint().is_none() {
            return Err(Reason::TokenEndpointMissing.into());
        }
        let more = metadata.additional_metadata();
        let ends =
            [Some(metadata.authorization_endpoint().url()), more.end_session_endpoint.as_ref().map(EndSessionUrl::url)];
        let unsafe_one = ends.into_iter().flatten().find(|url| !is_safe(url)).map(ToString::to_string);
        match unsafe_one {
            Some(address) => Err(Refusal::with(Reason::Insecure, address)),
            None => Ok((metadata, date)),
        }
    }

    /// The provider's keys, as it gave them within the last minutes.
    pub(super) async fn keys(
        &self,
        metadata: &Metadata,
        now: OffsetDateTime,
    ) -> Result<Arc<CoreJsonWebKeySet>, Refusal> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).keys.clone();
        match known.filter(|(at, _)| now - *at < FRESH) {
            Some((_, keys)) => Ok(keys),
            None => self.ask_for_keys(metadata, now).await,
        }
    }

    /// Keys that may have come since; `None` where they were asked for a moment ago already.
    async fn newer_keys(
        &self,
        metadata: &Metadata,
        now: OffsetDateTime,
    ) -> Result<Option<Arc<CoreJsonWebKeySet>>, Refusal> {
        {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if known.keys_asked_again.is_some_and(|at| now - at < KEYS_AGAIN) {
                return Ok(None);
            }
            known.keys_asked_again = Some(now);
        }
        self.ask_for_keys(metadata, now).await.map(Some)
    }

    async fn ask_for_keys(&self, metadata: &Metadata, now: OffsetDateTime) -> Result<Arc<CoreJsonWebKeySet>, Refusal> {
        let keys = Arc::new(self.published_keys(metadata).await?);
        self.known.lock().unwrap_or_else(PoisonError::into_inner).keys = Some((now, Arc::clone(&keys)));
        Ok(keys)
    }

    async fn published_keys(&self, metadata: &Metadata) -> Result<CoreJsonWebKeySet, Refusal> {
        let answer = self.get(metadata.jwks_uri().as_str(), None).await?;
        serde_json::from_slice(answer.body()).map_err(|error| Refusal::with(Reason::KeysUnreadable, error))
    }

    /// How many keys the provider publishes now that could have signed a token, for the self-test.
    pub(super) async fn keys_now(&self, metadata: &Metadata) -> Result<u32, Refusal> {
        let keys = self.published_keys(metadata).await?;
        let signs = |key: &&CoreJsonWebKey| key.key_use().is_none_or(JsonWebKeyUse::allows_signature);
        Ok(keys.keys().iter().filter(signs).map(|_| 1).sum())
    }

    /// The status that the provider answers a browser at an address with, for the self-test.
    pub(super) async fn knock(&self, address: Url) -> Result<u16, Refusal> {
        let request = Request::get(address.as_str()).header(ACCEPT, "text/html").body(Vec::new());
        let request = request.map_err(|error| Refusal::with(Reason::Unreachable, error))?;
        Ok(self.http.call(request).await?.status().as_u16())
    }

    async fn get(&self, address: &str, bearer: Option<&AccessToken>) -> Result<HttpResponse, Refusal> {
        let mut request = Request::get(address).header(ACCEPT, "application/json");
        if let Some(token) = bearer {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", token.secret()))
                .map_err(|_invalid| Refusal::with(Reason::TokenAnswer, "the access token cannot stand in a header"))?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        let request = request.body(Vec::new()).map_err(|error| Refusal::with(Reason::Unreachable, error))?;
        let answer = self.http.call(request).await?;
        match answer.status() {
            StatusCode::OK => Ok(answer),
            status => Err(Refusal::with(Reason::AnswerStatus, format!("{status} at {address}"))),
        }
    }

    /// Where the browser goes to sign in.
    pub(super) fn way(&self, metadata: &Metadata, redirect: &RedirectUrl, secrets: &Secrets) -> Url {
        let client = CoreClient::from_provider_metadata(metadata.clone(), self.client_id(), None)
            .set_redirect_uri(redirect.clone());
        let verifier = PkceCodeVerifier::new(secrets.verifier.clone());
        let (state, nonce) = (secrets.state.clone(), secrets.nonce.clone());
        let request = client.authorize_url(
            CoreAuthenticationFlow::AuthorizationCode,
            move || CsrfToken::new(state),
            move || Nonce::new(nonce),
        );
        request
            .add_scopes(self.settings.scopes.iter().cloned().map(Scope::new))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .url()
            .0
    }

    fn client_id(&self) -> ClientId {
        ClientId::new(self.settings.client_id.clone())
    }

    /// What a code is worth: who the provider says that somebody is.
    pub(super) async fn redeem(
        &self,
        metadata: &Metadata,
        (code, redirect): (&str, &RedirectUrl),
        secrets: &Secrets,
        now: OffsetDateTime,
    ) -> Result<Told, Refusal> {
        let answer = self.exchange(metadata, code, redirect, secrets, now).await?;
        let text = answer.id_token().ok_or(Reason::IdTokenMissing)?.to_string();
        let token = Token::open(&text, &["JWT"])?;
        let subject = token::check_id(&token.claims, &self.wanted(now), &secrets.nonce)?;
        let keys = self.verified(&token, metadata, now).await?;
        check_access_token(&token, &keys, answer.access_token())?;
        let userinfo = match self.settings.groups_from {
            GroupsFrom::Userinfo => Some(self.userinfo(metadata, answer.access_token(), subject).await?),
            GroupsFrom::IdToken => None,
        };
        Ok(self.told(&token.claims, userinfo.as_ref(), subject, &text))
    }

    async fn exchange(
        &self,
        metadata: &Metadata,
        code: &str,
        redirect: &RedirectUrl,
        secrets: &Secrets,
        now: OffsetDateTime,
    ) -> Result<CoreTokenResponse, Refusal> {
        let secret = self.secret.as_ref().map(|secret| ClientSecret::new(secret.expose_secret().to_owned()));
        let client = CoreClient::from_provider_metadata(metadata.clone(), self.client_id(), secret)
            .set_redirect_uri(redirect.clone())
            .set_auth_type(auth_type(metadata));
        let http = |request| self.http.call(request);
        let answer = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|_unset| Reason::TokenEndpointMissing)?
            .set_pkce_verifier(PkceCodeVerifier::new(secrets.verifier.clone()))
            .request_async(&http)
            .await;
        answer.map_err(|error| match error {
            RequestTokenError::Request(refusal) => refusal,
            RequestTokenError::ServerResponse(said) => {
                let reason = match said.error() {
                    CoreErrorResponseType::InvalidGrant => Reason::CodeRefused,
                    CoreErrorResponseType::InvalidClient | CoreErrorResponseType::UnauthorizedClient => {
                        Reason::ClientRefused
                    }
                    _ => Reason::TokenRefused,
                };
                Refusal::with(reason, said)
            }
            // The library reads the ID token with the answer: what is wrong with it, our own checks say.
            RequestTokenError::Parse(error, body) => {
                self.mistake_in(&body, secrets, now).unwrap_or_else(|| Refusal::with(Reason::TokenAnswer, error.path()))
            }
            RequestTokenError::Other(why) => Refusal::with(Reason::TokenAnswer, why),
        })
    }

    /// Why an answer of the token endpoint cannot be read, where it is for its ID token.
    fn mistake_in(&self, body: &[u8], secrets: &Secrets, now: OffsetDateTime) -> Option<Refusal> {
        let answer: Value = serde_json::from_slice(body).ok()?;
        let text = answer.get("id_token")?.as_str()?;
        let token = match Token::open(text, &["JWT"]) {
            Ok(token) => token,
            Err(refusal) => return Some(refusal),
        };
        token::check_id(&token.claims, &self.wanted(now), &secrets.nonce).err()
    }

    fn wanted(&self, now: OffsetDateTime) -> Wanted<'_> {
        Wanted { issuer: &self.settings.issuer, client_id: &self.settings.client_id, now: now.unix_timestamp() }
    }

    /// The keys, one of which signed the token; asked for again where the token names one that is not among them.
    pub(super) async fn verified(
        &self,
        token: &Token<'_>,
        metadata: &Metadata,
        now: OffsetDateTime,
    ) -> Result<Arc<CoreJsonWebKeySet>, Refusal> {
        let keys = self.keys(metadata, now).await?;
        let unknown = match token.signed_by(&keys) {
            Ok(_) => return Ok(keys),
            Err(refusal) if refusal.reason == Reason::KeyUnknown => refusal,
            Err(refusal) => return Err(refusal),
        };
        let keys = self.newer_keys(metadata, now).await?.ok_or(unknown)?;
        token.signed_by(&keys).map(|_| keys)
    }

    async fn userinfo(
        &self,
        metadata: &Metadata,
        access: &AccessToken,
        of: &str,
    ) -> Result<Map<String, Value>, Refusal> {
        let endpoint = metadata.userinfo_endpoint().ok_or(Reason::UserinfoMissing)?;
        let answer = self.get(endpoint.as_str(), Some(access)).await?;
        let Ok(Value::Object(claims)) = serde_json::from_slice(answer.body()) else {
            return Err(Reason::UserinfoUnreadable.into());
        };
        token::check_userinfo(&claims, of)?;
        Ok(claims)
    }

    fn told(&self, id: &Map<String, Value>, userinfo: Option<&Map<String, Value>>, subject: &str, text: &str) -> Told {
        let claim = |name: &str| userinfo.and_then(|claims| claims.get(name)).or_else(|| id.get(name));
        let word = |name: &str| claim(name).and_then(Value::as_str).map(shortened).unwrap_or_default();
        let names = [Some(id), userinfo].into_iter().flatten().flat_map(Map::keys);
        let settings = &self.settings;
        Told {
            subject: subject.to_owned(),
            name: word("name"),
            email: word("email"),
            // Some write it as a text.
            email_verified: claim("email_verified").is_some_and(|said| *said == Value::Bool(true) || *said == "true"),
            granted: if settings.auditors {
                Granted::least("the provider is for auditors")
            } else {
                groups::granted(userinfo.unwrap_or(id), &settings.groups_claim, &settings.grants)
            },
            sid: id.get("sid").and_then(Value::as_str).map(str::to_owned),
            id_token: text.into(),
            claims: names.cloned().collect(),
        }
    }

    /// Opens and checks a logout token.
    pub(super) async fn logged_out(&self, text: &str, now: OffsetDateTime) -> Result<token::Ended, Refusal> {
        let token = Token::open(text, &["logout+jwt", "JWT"])?;
        let ended = token::check_logout(&token.claims, &self.wanted(now))?;
        let metadata = self.metadata(now).await?;
        self.verified(&token, &metadata, now).await?;
        Ok(ended)
    }
}

/// Whether the access token is the one that the ID token names, where it names one.
fn check_access_token(token: &Token<'_>, keys: &CoreJsonWebKeySet, access: &AccessToken) -> Result<(), Refusal> {
    let Some(named) = token.claims.get("at_hash") else { return Ok(()) };
    let hash = AccessTokenHash::from_token(access, token.signed_by(keys)?, token.key(keys)?);
    match hash {
        Ok(hash) if named.as_str() == Some(hash.as_str()) => Ok(()),
        Ok(_) | Err(_) => Err(Reason::AccessTokenHash.into()),
    }
}

/// How the client shows its secret: in the header unless the provider takes it in the body alone.
fn auth_type(metadata: &Metadata) -> AuthType {
    match metadata.token_endpoint_auth_methods_supported() {
        Some(methods)
            if methods.contains(&CoreClientAuthMethod::ClientSecretPost)
                && !methods.contains(&CoreClientAuthMethod::ClientSecretBasic) =>
        {
            AuthType::RequestBody
        }
        _ => AuthType::BasicAuth,
    }
}

/// A name as pages and the audit log show it: of one line, and not longer than a name.
fn shortened(text: &str) -> String {
    text.chars().filter(|c| super::refusal::is_plain(*c)).take(200).collect::<String>().trim().to_owned()
}
