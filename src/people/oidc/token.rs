//! What a token says, taken apart and judged without a clock, a network or a key of its own: pure, and strict.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use openidconnect::core::{CoreJsonWebKey, CoreJsonWebKeySet, CoreJwsSigningAlgorithm};
use openidconnect::{JsonWebKey as _, JsonWebKeyAlgorithm, JsonWebKeyUse, JwsSigningAlgorithm as _};
use serde_json::{Map, Value};

use super::refusal::{Reason, Refusal};

/// No provider's token is nearly as large, with thousands of groups in it.
const MOST_BYTES: usize = 512 * 1024;
/// How far the provider's clock may be from ours.
pub(super) const SKEW_SECONDS: i64 = 60;
/// What makes a token one of sign-out: <https://openid.net/specs/openid-connect-backchannel-1_0.html#LogoutToken>.
const LOGOUT_EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// The signatures that are taken: those by a key that only the provider has.
pub(super) const ALGORITHMS: [(&str, CoreJwsSigningAlgorithm); 9] = [
    ("RS256", CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256),
    ("RS384", CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384),
    ("RS512", CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512),
    ("PS256", CoreJwsSigningAlgorithm::RsaSsaPssSha256),
    ("PS384", CoreJwsSigningAlgorithm::RsaSsaPssSha384),
    ("PS512", CoreJwsSigningAlgorithm::RsaSsaPssSha512),
    ("ES256", CoreJwsSigningAlgorithm::EcdsaP256Sha256),
    ("ES384", CoreJwsSigningAlgorithm::EcdsaP384Sha384),
    ("EdDSA", CoreJwsSigningAlgorithm::EdDsa),
];

/// A signed token. Nothing of it is to be believed before [`Self::signed_by`].
pub(super) struct Token<'a> {
    algorithm: CoreJwsSigningAlgorithm,
    key_id: Option<String>,
    pub(super) claims: Map<String, Value>,
    signed: &'a str,
    signature: Vec<u8>,
}

impl<'a> Token<'a> {
    /// Takes a token apart. `types` are what its header may call it; it need not. Addresses and keys in the header (`jku`,
    /// `x5u`, `jwk`) are not looked at: keys come from the provider's own address alone.
    pub(super) fn open(text: &'a str, types: &[&str]) -> Result<Self, Refusal> {
        if text.len() > MOST_BYTES {
            return Err(Reason::TokenTooLarge.into());
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(Reason::TokenMalformed)?;
        let (header, claims) = signed.split_once('.').ok_or(Reason::TokenMalformed)?;
        let object = |part: &str| match serde_json::from_slice(&decoded(part)?) {
            Ok(Value::Object(object)) => Ok::<_, Refusal>(object),
            _ => Err(Reason::TokenMalformed.into()),
        };
        let (header, claims) = (object(header)?, object(claims)?);
        let algorithm = algorithm(header.get("alg"))?;
        if header.contains_key("crit") {
            return Err(Reason::HeaderCritical.into());
        }
        if let Some(named) = header.get("typ") {
            let named = named.as_str().unwrap_or_default();
            let bare = named.strip_prefix("application/").unwrap_or(named);
            if !types.iter().any(|known| bare.eq_ignore_ascii_case(known)) {
                return Err(Refusal::with(Reason::TokenType, format!("typ is {named:?}")));
            }
        }
        let key_id = header.get("kid").and_then(Value::as_str).map(str::to_owned);
        Ok(Self { algorithm, key_id, claims, signed, signature: decoded(signature)? })
    }

    /// Whether one of the provider's keys signed it. [`Reason::KeyUnknown`] may mean that the keys are old.
    pub(super) fn signed_by(&self, keys: &CoreJsonWebKeySet) -> Result<&CoreJwsSigningAlgorithm, Refusal> {
        self.key(keys)?
            .verify_signature(&self.algorithm, self.signed.as_bytes(), &self.signature)
            .map_err(|_why| Reason::Signature)?;
        Ok(&self.algorithm)
    }

    /// The one key that can have signed it. Keys for other uses and of other kinds are as if they were not there.
    pub(super) fn key<'k>(&self, keys: &'k CoreJsonWebKeySet) -> Result<&'k CoreJsonWebKey, Refusal> {
        let fits = |key: &&CoreJsonWebKey| {
            let named = self.key_id.is_none() || key.key_id().map(|id| id.as_str()) == self.key_id.as_deref();
            let of_use = key.key_use().is_none_or(JsonWebKeyUse::allows_signature);
            let of_algorithm = match key.signing_alg() {
                JsonWebKeyAlgorithm::Unspecified => true,
                JsonWebKeyAlgorithm::Algorithm(algorithm) => *algorithm == self.algorithm,
                JsonWebKeyAlgorithm::Unsupported => false,
            };
            named && of_use && of_algorithm && self.algorithm.key_type().as_ref() == Some(key.key_type())
        };
        let mut fitting = keys.keys().iter().filter(fits);
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Ok(key),
            (Some(_), Some(_)) => Err(Reason::KeyAmbiguous.into()),
            (None, _) => Err(Refusal::with(Reason::KeyUnknown, format!("kid is {:?}", self.key_id))),
        }
    }
}

fn decoded(part: &str) -> Result<Vec<u8>, Refusal> {
    BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|_invalid| Reason::TokenMalformed.into())
}

fn algorithm(named: Option<&Value>) -> Result<CoreJwsSigningAlgorithm, Refusal> {
    let named = named.and_then(Value::as_str).ok_or(Reason::TokenMalformed)?;
    match named {
        _ if named.eq_ignore_ascii_case("none") => Err(Reason::AlgNone.into()),
        _ if named.starts_with("HS") => Err(Refusal::with(Reason::AlgSymmetric, format!("alg is {named:?}"))),
        _ => match ALGORITHMS.iter().find(|(name, _)| *name == named) {
            Some((_, algorithm)) => Ok(algorithm.clone()),
            None => Err(Refusal::with(Reason::AlgUnknown, format!("alg is {named:?}"))),
        },
    }
}

/// Whom a token must be from and for, and when it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub issuer: &'a str,
    pub client_id: &'a str,
    /// Seconds since 1970.
    pub now: i64,
}

/// Whether an ID token is the provider's, for us, of now and of this sign-in. Gives its subject.
///
/// <https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation>
pub(super) fn check_id<'c>(
    claims: &'c Map<String, Value>,
    wanted: &Wanted<'_>,
    nonce: &str,
) -> Result<&'c str, Refusal> {
    check_common(claims, wanted)?;
    let subject = subject(claims).ok_or(Reason::SubjectMissing)?;
    match claims.get("nonce") {
        None | Some(Value::Null) => Err(Reason::NonceMissing.into()),
        Some(Value::String(said)) if said == nonce => Ok(subject),
        Some(_) => Err(Reason::Nonce.into()),
    }
}

/// Whom a logout token ends the sessions of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ended {
    pub sid: Option<String>,
    pub subject: Option<String>,
    /// The token's own name.
    pub jti: String,
    /// Seconds since 1970.
    pub expires: i64,
}

/// Whether a logout token is the provider's, for us and of now.
///
/// <https://openid.net/specs/openid-connect-backchannel-1_0.html#Validation>
pub(super) fn check_logout(claims: &Map<String, Value>, wanted: &Wanted<'_>) -> Result<Ended, Refusal> {
    let expires = check_common(claims, wanted)?;
    // Refused even where it is null: an ID token has one.
    if claims.contains_key("nonce") {
        return Err(Reason::LogoutNonce.into());
    }
    if !claims.get("events").and_then(|events| events.get(LOGOUT_EVENT)).is_some_and(Value::is_object) {
        return Err(Reason::LogoutEvent.into());
    }
    let text = |name: &str| claims.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    let (sid, subject) = (text("sid"), subject(claims).map(str::to_owned));
    if sid.is_none() && subject.is_none() {
        return Err(Reason::LogoutNobody.into());
    }
    Ok(Ended { sid, subject, jti: text("jti").ok_or(Reason::LogoutIdMissing)?, expires })
}

/// What both kinds must say. Gives when the token ends.
fn check_common(claims: &Map<String, Value>, wanted: &Wanted<'_>) -> Result<i64, Refusal> {
    let issuer = claims.get("iss").and_then(Value::as_str).unwrap_or_default();
    if issuer != wanted.issuer {
        return Err(Refusal::with(Reason::Issuer, format!("iss is {issuer:?}, the setting is {:?}", wanted.issuer)));
    }
    check_audience(claims, wanted.client_id)?;
    let found = |at: i64| format!("the token says {at}, the clock here {}", wanted.now);
    let expires = seconds(claims, "exp", Reason::ExpiryMissing)?.ok_or(Reason::ExpiryMissing)?;
    if expires <= wanted.now - SKEW_SECONDS {
        return Err(Refusal::with(Reason::Expired, found(expires)));
    }
    let issued = seconds(claims, "iat", Reason::IssuedMissing)?.ok_or(Reason::IssuedMissing)?;
    if issued > wanted.now + SKEW_SECONDS {
        return Err(Refusal::with(Reason::IssuedInFuture, found(issued)));
    }
    if let Some(from) = seconds(claims, "nbf", Reason::NotYetValid)?.filter(|from| *from > wanted.now + SKEW_SECONDS) {
        return Err(Refusal::with(Reason::NotYetValid, found(from)));
    }
    Ok(expires)
}

fn check_audience(claims: &Map<String, Value>, client_id: &str) -> Result<(), Refusal> {
    let audience: Vec<&str> = match claims.get("aud") {
        None | Some(Value::Null) => return Err(Reason::AudienceMissing.into()),
        Some(Value::Array(list)) if list.is_empty() => return Err(Reason::AudienceMissing.into()),
        Some(Value::Array(list)) => list.iter().map(|one| one.as_str().unwrap_or_default()).collect(),
        Some(one) => vec![one.as_str().unwrap_or_default()],
    };
    if !audience.contains(&client_id) {
        let found = format!("aud is {audience:?}, the setting client_id is {client_id:?}");
        return Err(Refusal::with(Reason::Audience, found));
    }
    match claims.get("azp") {
        None | Some(Value::Null) if audience.len() == 1 => Ok(()),
        Some(Value::String(party)) if party == client_id => Ok(()),
        party => {
            let found = format!("azp is {party:?}, aud is {audience:?}, the setting client_id is {client_id:?}");
            Err(Refusal::with(Reason::AuthorizedParty, found))
        }
    }
}

/// `sub`: of at most 255 characters of ASCII, by its specification.
fn subject(claims: &Map<String, Value>) -> Option<&str> {
    let said = claims.get("sub")?.as_str()?;
    (!said.is_empty() && said.len() <= 255 && said.bytes().all(|byte| (b' '..=b'~').contains(&byte))).then_some(said)
}

/// A moment in seconds since 1970, where there is one. What is no number is as good as missing, or worse.
fn seconds(claims: &Map<String, Value>, name: &str, otherwise: Reason) -> Result<Option<i64>, Refusal> {
    match claims.get(name) {
        None => Ok(None),
        Some(value) => {
            let whole = value.to_string().split('.').next().and_then(|whole| whole.parse::<i64>().ok());
            match whole.filter(|_| value.is_number()) {
                Some(seconds) => Ok(Some(seconds)),
                None => Err(Refusal::with(otherwise, format!("{name} is {value}"))),
            }
        }
    }
}

/// Whether what userinfo says is of the person of the ID token.
pub(super) fn check_userinfo(userinfo: &Map<String, Value>, of: &str) -> Result<(), Refusal> {
    if userinfo.get("sub").and_then(Value::as_str) == Some(of) { Ok(()) } else { Err(Reason::UserinfoSubject.into()) }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_800_000_000;
    const WANTED: Wanted<'_> = Wanted { issuer: "https://login.example.com", client_id: "auditfolio", now: NOW };

    /// Claims that are right, with some of them altered; null takes one away.
    fn claims(base: &Value, altered: &Value) -> Map<String, Value> {
        let mut claims = base.as_object().unwrap().clone();
        for (name, value) in altered.as_object().unwrap() {
            match value {
                Value::Null => claims.remove(name),
                value => claims.insert(name.clone(), value.clone()),
            };
        }
        claims
    }

    fn id(altered: &Value) -> Result<String, &'static str> {
        let base = json!({ "iss": WANTED.issuer, "sub": "42", "aud": "auditfolio", "exp": NOW + 300, "iat": NOW, "nonce": "n" });
        let claims = claims(&base, altered);
        check_id(&claims, &WANTED, "n").map(str::to_owned).map_err(|refusal| refusal.reason.word())
    }

    #[test]
    fn an_id_token_is_of_the_provider_for_us_of_now_and_of_this_sign_in() {
        for good in [
            json!({}),
            json!({ "aud": ["auditfolio"] }),
            json!({ "aud": ["auditfolio", "other"], "azp": "auditfolio" }),
            json!({ "azp": "auditfolio" }),
            json!({ "exp": NOW - 59 }),
            json!({ "iat": NOW + 60 }),
            json!({ "nbf": NOW + 60 }),
            json!({ "iat": 1_800_000_000.5 }),
        ] {
            assert_eq!(id(&good), Ok("42".to_owned()), "{good}");
        }
        for (bad, reason) in [
            (json!({ "iss": null }), "issuer"),
            (json!({ "iss": "https://login.example.com/" }), "issuer"),
            (json!({ "iss": "https://evil.example" }), "issuer"),
            (json!({ "iss": ["https://login.example.com"] }), "issuer"),
            (json!({ "sub": null }), "subject-missing"),
            (json!({ "sub": "" }), "subject-missing"),
            (json!({ "sub": 42 }), "subject-missing"),
            (json!({ "sub": "x".repeat(256) }), "subject-missing"),
            (json!({ "sub": "4\n2" }), "subject-missing"),
            (json!({ "aud": null }), "audience-missing"),
            (json!({ "aud": [] }), "audience-missing"),
            (json!({ "aud": "other" }), "audience"),
            (json!({ "aud": "Auditfolio" }), "audience"),
            (json!({ "aud": ["other"] }), "audience"),
            (json!({ "aud": { "auditfolio": 1 } }), "audience"),
            (json!({ "aud": ["auditfolio", "other"] }), "authorized-party"),
            (json!({ "aud": ["auditfolio", "other"], "azp": "other" }), "authorized-party"),
            (json!({ "azp": "other" }), "authorized-party"),
            (json!({ "azp": 1 }), "authorized-party"),
            (json!({ "exp": null }), "expiry-missing"),
            (json!({ "exp": "1900000000" }), "expiry-missing"),
            (json!({ "exp": NOW - 60 }), "expired"),
            (json!({ "exp": -1.0e300 }), "expiry-missing"),
            (json!({ "iat": null }), "issued-missing"),
            (json!({ "iat": "now" }), "issued-missing"),
            (json!({ "iat": NOW + 61 }), "issued-in-future"),
            (json!({ "nbf": NOW + 61 }), "not-yet-valid"),
            (json!({ "nbf": "x" }), "not-yet-valid"),
            (json!({ "nonce": null }), "nonce-missing"),
            (json!({ "nonce": "m" }), "nonce"),
            (json!({ "nonce": ["n"] }), "nonce"),
        ] {
            assert_eq!(id(&bad), Err(reason), "{bad}");
        }
    }

    #[test]
    fn a_logout_token_is_no_id_token() {
        let logout = |altered: &Value| {
            let base = json!({ "iss": WANTED.issuer, "aud": "auditfolio", "exp": NOW + 120, "iat": NOW, "jti": "j",
                "sid": "s", "events": { LOGOUT_EVENT: {} } });
            check_logout(&claims(&base, altered), &WANTED).map_err(|refusal| refusal.reason.word())
        };
        let ended = Ended { sid: Some("s".to_owned()), subject: None, jti: "j".to_owned(), expires: NOW + 120 };
        assert_eq!(logout(&json!({})), Ok(ended));
        assert_eq!(logout(&json!({ "sid": null, "sub": "42" })).unwrap().subject.as_deref(), Some("42"));
        for (bad, reason) in [
            (json!({ "iss": "https://evil.example" }), "issuer"),
            (json!({ "aud": "other" }), "audience"),
            (json!({ "iat": null }), "issued-missing"),
            (json!({ "exp": null }), "expiry-missing"),
            (json!({ "exp": NOW - 60 }), "expired"),
            (json!({ "events": null }), "logout-event"),
            (json!({ "events": {} }), "logout-event"),
            (json!({ "events": { "http://example.com/other": {} } }), "logout-event"),
            (json!({ "events": [LOGOUT_EVENT] }), "logout-event"),
            (json!({ "events": { LOGOUT_EVENT: "yes" } }), "logout-event"),
            (json!({ "nonce": "n" }), "logout-nonce"),
            (json!({ "sid": null }), "logout-nobody"),
            (json!({ "sid": "" }), "logout-nobody"),
            (json!({ "jti": null }), "logout-id-missing"),
        ] {
            assert_eq!(logout(&bad), Err(reason), "{bad}");
        }
        let mut with_null =
            claims(&json!({ "iss": WANTED.issuer, "aud": "auditfolio", "exp": NOW + 1, "iat": NOW }), &json!({}));
        with_null.insert("nonce".to_owned(), Value::Null);
        assert_eq!(check_logout(&with_null, &WANTED).unwrap_err().reason, Reason::LogoutNonce);
    }

    #[test]
    fn a_token_is_signed_by_an_algorithm_of_the_list() {
        let token = |header: &Value| {
            let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
            let text = format!("{}.{}.c2ln", part(header), part(&json!({ "a": 1 })));
            Token::open(&text, &["JWT"]).map(|_| ()).map_err(|refusal| refusal.reason.word())
        };
        for good in [
            json!({ "alg": "RS256" }),
            json!({ "alg": "ES256", "typ": "jwt" }),
            json!({ "alg": "EdDSA", "typ": "application/jwt", "kid": "1", "jku": "https://evil.example/keys", "jwk": {} }),
        ] {
            assert_eq!(token(&good), Ok(()), "{good}");
        }
        for (bad, reason) in [
            (json!({}), "token-malformed"),
            (json!({ "alg": ["RS256"] }), "token-malformed"),
            (json!({ "alg": "none" }), "alg-none"),
            (json!({ "alg": "NoNe" }), "alg-none"),
            (json!({ "alg": "HS256" }), "alg-symmetric"),
            (json!({ "alg": "HS512" }), "alg-symmetric"),
            (json!({ "alg": "rs256" }), "alg-unknown"),
            (json!({ "alg": "ES256K" }), "alg-unknown"),
            (json!({ "alg": "RSA-OAEP" }), "alg-unknown"),
            (json!({ "alg": "RS256", "typ": "logout+jwt" }), "token-type"),
            (json!({ "alg": "RS256", "typ": 1 }), "token-type"),
            (json!({ "alg": "RS256", "crit": ["b64"], "b64": false }), "header-critical"),
        ] {
            assert_eq!(token(&bad), Err(reason), "{bad}");
        }
        for text in
            ["", "a", "a.b", "e30.e30", "e30=.e30.x", "W10.W10.x", "!.!.!", "eyJhbGciOiJSUzI1NiJ9.e30.e30.e30.e30"]
        {
            assert_eq!(Token::open(text, &["JWT"]).err().unwrap().reason, Reason::TokenMalformed, "{text}");
        }
        let long = "x".repeat(MOST_BYTES + 1);
        assert_eq!(Token::open(&long, &["JWT"]).err().unwrap().reason, Reason::TokenTooLarge);
    }

    #[test]
    fn userinfo_is_of_the_same_person() {
        let of = |value: &Value| check_userinfo(value.as_object().unwrap(), "42").is_ok();
        assert!(of(&json!({ "sub": "42" })));
        for other in [json!({}), json!({ "sub": "43" }), json!({ "sub": 42 }), json!({ "sub": "42 " })] {
            assert!(!of(&other), "{other}");
        }
    }
}
