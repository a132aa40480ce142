//! An identity provider that keeps to `OpenID` Connect, except where a test has it misbehave.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Map, Value, json};

use crate::site::NOW;

pub(crate) const CLIENT: &str = "auditfolio";
pub(crate) const SECRET: &str = "geheim-4711";
const CODE: &str = "c0de";
const ACCESS: &str = "acce55";

/// How a token is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Signed {
    #[default]
    Right,
    /// A bit of the signature is turned.
    Turned,
    /// By a key that is not published, under the name of the one that is.
    OtherKey,
    /// HMAC with the published key as the secret, as if it were shared.
    PublicKeyAsSecret,
    /// HMAC with the client's secret.
    ClientSecret,
    /// No signature at all.
    Not,
}

/// In which ways the provider misbehaves. Values are put in place of the right ones; null takes one away.
#[derive(Debug, Clone)]
pub(crate) struct Lie {
    pub(crate) metadata: Value,
    pub(crate) header: Value,
    pub(crate) claims: Value,
    pub(crate) signed: Signed,
    /// In place of the published keys.
    pub(crate) keys: Option<Value>,
    pub(crate) userinfo: Value,
    /// In place of the token endpoint's answer.
    pub(crate) tokens: Option<(u16, Value)>,
    /// Paths that are answered only when the provider stops.
    pub(crate) silent: &'static str,
    /// A path that answers with another status, and with an address to go on to.
    pub(crate) elsewhere: &'static str,
    /// A path that answers with so many bytes.
    pub(crate) endless: &'static str,
}

impl Default for Lie {
    fn default() -> Self {
        Self {
            metadata: json!({}),
            header: json!({}),
            claims: json!({}),
            signed: Signed::Right,
            keys: None,
            userinfo: json!({}),
            tokens: None,
            silent: "-",
            elsewhere: "-",
            endless: "-",
        }
    }
}

#[derive(Default)]
struct Inner {
    lie: Lie,
    /// Of the sign-in under way.
    nonce: String,
    challenge: String,
    redirect: String,
    code_used: bool,
    asked: HashMap<String, u32>,
    kid: String,
    stopped: bool,
}

/// The provider, on a port of this machine, until it is dropped.
pub(crate) struct Evil {
    pub(crate) issuer: String,
    inner: Arc<(Mutex<Inner>, Condvar)>,
    keys: Arc<[EcdsaKeyPair; 2]>,
}

fn key_pair() -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.as_ref(), &random).unwrap()
}

pub(crate) fn coded(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// An object with some of its values replaced, or with null taken away.
fn altered(mut base: Value, with: &Value) -> Value {
    let fields = base.as_object_mut().unwrap();
    for (name, value) in with.as_object().unwrap() {
        if value.is_null() {
            fields.remove(name);
        } else {
            fields.insert(name.clone(), value.clone());
        }
    }
    base
}

impl Evil {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let inner = Inner { kid: "one".to_owned(), ..Inner::default() };
        let evil = Self {
            issuer,
            inner: Arc::new((Mutex::new(inner), Condvar::new())),
            keys: Arc::new([key_pair(), key_pair()]),
        };
        let (issuer, inner, keys) = (evil.issuer.clone(), Arc::clone(&evil.inner), Arc::clone(&evil.keys));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { break };
                if inner.0.lock().unwrap().stopped {
                    break;
                }
                let one = Self { issuer: issuer.clone(), inner: Arc::clone(&inner), keys: Arc::clone(&keys) };
                std::thread::spawn(move || {
                    // Who asked may have gone.
                    let _answered = one.answer(stream);
                    std::mem::forget(one);
                });
            }
        });
        evil
    }

    /// From now on the provider misbehaves so.
    pub(crate) fn lies(&self, lie: Lie) {
        self.inner.0.lock().unwrap().lie = lie;
    }

    /// From now on tokens are signed under another name of the key, and it is published so.
    pub(crate) fn rotates(&self, kid: &str) {
        kid.clone_into(&mut self.inner.0.lock().unwrap().kid);
    }

    /// Somebody has been sent here with this address.
    pub(crate) fn arrives(&self, parameters: &HashMap<String, String>) {
        let mut inner = self.inner.0.lock().unwrap();
        inner.nonce.clone_from(&parameters["nonce"]);
        inner.challenge.clone_from(&parameters["code_challenge"]);
        inner.redirect.clone_from(&parameters["redirect_uri"]);
        inner.code_used = false;
    }

    /// How often a path was asked for.
    pub(crate) fn asked(&self, path: &str) -> u32 {
        self.inner.0.lock().unwrap().asked.get(path).copied().unwrap_or_default()
    }

    /// The answer that the provider gives the browser.
    pub(crate) fn answer_of(&self, state: &str) -> String {
        let issuer: String = form(&[("iss", &self.issuer)]);
        format!("code={CODE}&state={state}&{issuer}")
    }

    /// A signed token of these claims, as the present lie has it.
    pub(crate) fn token(&self, kind: &str, claims: &Value) -> String {
        let inner = self.inner.0.lock().unwrap();
        self.token_of(&inner, kind, claims)
    }

    fn token_of(&self, inner: &Inner, kind: &str, claims: &Value) -> String {
        let header = altered(json!({ "alg": "ES256", "kid": inner.kid, "typ": kind }), &inner.lie.header);
        let signed =
            format!("{}.{}", coded(header.to_string()), coded(altered(claims.clone(), &inner.lie.claims).to_string()));
        let by = |key: &EcdsaKeyPair| key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap().as_ref().to_vec();
        let hmac = |secret: &[u8]| {
            let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret);
            ring::hmac::sign(&key, signed.as_bytes()).as_ref().to_vec()
        };
        let signature = match inner.lie.signed {
            Signed::Right => by(&self.keys[0]),
            Signed::Turned => {
                let mut signature = by(&self.keys[0]);
                signature[7] ^= 1;
                signature
            }
            Signed::OtherKey => by(&self.keys[1]),
            Signed::PublicKeyAsSecret => hmac(self.keys[0].public_key().as_ref()),
            Signed::ClientSecret => hmac(SECRET.as_bytes()),
            Signed::Not => Vec::new(),
        };
        format!("{signed}.{}", coded(signature))
    }

    /// The published form of a key.
    pub(crate) fn key(&self, n: usize, kid: Option<&str>) -> Value {
        let point = self.keys[n].public_key().as_ref();
        let mut key = json!({ "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256",
            "x": coded(&point[1..33]), "y": coded(&point[33..65]) });
        if let Some(kid) = kid {
            key["kid"] = kid.into();
        }
        key
    }

    fn answer(&self, mut stream: TcpStream) -> std::io::Result<()> {
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut first = String::new();
        reader.read_line(&mut first)?;
        let mut headers = HashMap::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            headers.insert(name.to_ascii_lowercase(), value.to_owned());
        }
        let length: usize = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let target = first.split(' ').nth(1).unwrap_or_default();
        let path = target.split('?').next().unwrap_or_default().to_owned();

        let (lock, stopped) = &*self.inner;
        let mut inner = lock.lock().unwrap();
        *inner.asked.entry(path.clone()).or_default() += 1;
        if path == inner.lie.silent {
            drop(stopped.wait_while(inner, |inner| !inner.stopped).unwrap());
            return Ok(());
        }
        if path == inner.lie.elsewhere {
            return write!(
                stream,
                "HTTP/1.1 302 Found\r\nlocation: {}/jwks\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
                self.issuer
            );
        }
        if path == inner.lie.endless {
            // Who asks reads only the beginning.
            drop(inner);
            stream.set_write_timeout(Some(Duration::from_secs(10)))?;
            let bytes = vec![b' '; 10 * 1024 * 1024];
            write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                bytes.len()
            )?;
            return stream.write_all(&bytes);
        }
        let (status, answer) = self.answer_to(&mut inner, &path, &headers, &body);
        drop(inner);
        let text = answer.to_string();
        write!(
            stream,
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}",
            text.len()
        )
    }

    fn answer_to(&self, inner: &mut Inner, path: &str, headers: &HashMap<String, String>, body: &[u8]) -> (u16, Value) {
        let issuer = &self.issuer;
        match path {
            "/.well-known/openid-configuration" => {
                let metadata = json!({
                    "issuer": issuer,
                    "authorization_endpoint": format!("{issuer}/authorize"),
                    "token_endpoint": format!("{issuer}/token"),
                    "userinfo_endpoint": format!("{issuer}/userinfo"),
                    "jwks_uri": format!("{issuer}/jwks"),
                    "end_session_endpoint": format!("{issuer}/end"),
                    "response_types_supported": ["code"],
                    "subject_types_supported": ["public"],
                    "scopes_supported": ["openid", "profile", "email"],
                    "id_token_signing_alg_values_supported": ["ES256", "HS256", "none"],
                    "code_challenge_methods_supported": ["S256"],
                    "authorization_response_iss_parameter_supported": true,
                    "backchannel_logout_supported": true,
                });
                (200, altered(metadata, &inner.lie.metadata))
            }
            "/jwks" => {
                (200, inner.lie.keys.clone().unwrap_or_else(|| json!({ "keys": [self.key(0, Some(&inner.kid))] })))
            }
            "/token" => inner.lie.tokens.clone().unwrap_or_else(|| self.tokens(inner, headers, body)),
            "/userinfo" if headers.get("authorization").is_some_and(|value| *value == format!("Bearer {ACCESS}")) => {
                (200, altered(json!({ "sub": "42", "groups": ["portal-admins"] }), &inner.lie.userinfo))
            }
            "/authorize" => (200, json!({})),
            _ => (404, json!({})),
        }
    }

    fn tokens(&self, inner: &mut Inner, headers: &HashMap<String, String>, body: &[u8]) -> (u16, Value) {
        let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("{CLIENT}:{SECRET}")));
        if headers.get("authorization") != Some(&basic) {
            return (401, json!({ "error": "invalid_client" }));
        }
        let given = read_form(std::str::from_utf8(body).unwrap());
        let verifier = ring::digest::digest(&ring::digest::SHA256, given["code_verifier"].as_bytes());
        let right = given["grant_type"] == "authorization_code"
            && given["code"] == CODE
            && given["redirect_uri"] == inner.redirect
            && coded(verifier) == inner.challenge;
        if !right || std::mem::replace(&mut inner.code_used, true) {
            return (400, json!({ "error": "invalid_grant" }));
        }
        let half = &ring::digest::digest(&ring::digest::SHA256, ACCESS.as_bytes()).as_ref()[..16].to_vec();
        let now = NOW.unix_timestamp();
        let claims = json!({
            "iss": self.issuer, "sub": "42", "aud": CLIENT, "exp": now + 300, "iat": now, "nonce": inner.nonce, "sid": "sid-1",
            "at_hash": coded(half), "name": "Ada Lovelace", "email": "ada@example.com", "email_verified": true,
            "groups": ["portal-admins", "everybody"],
        });
        let token = self.token_of(inner, "JWT", &claims);
        (200, json!({ "access_token": ACCESS, "token_type": "Bearer", "expires_in": 300, "id_token": token }))
    }
}

impl Drop for Evil {
    fn drop(&mut self) {
        self.inner.0.lock().unwrap().stopped = true;
        self.inner.1.notify_all();
        // The thread that waits for callers sees it when one comes.
        let _woken = TcpStream::connect(self.issuer.trim_start_matches("http://"));
    }
}

/// Pairs as a form or a query.
pub(crate) fn form(pairs: &[(&str, &str)]) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let encoded = |text: &str| {
        text.bytes().fold(String::new(), |all, byte| {
            if plain(byte) { format!("{all}{}", char::from(byte)) } else { format!("{all}%{byte:02X}") }
        })
    };
    pairs.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect::<Vec<_>>().join("&")
}

/// The pairs of a form or a query.
pub(crate) fn read_form(text: &str) -> HashMap<String, String> {
    actix_web::web::Query::<HashMap<String, String>>::from_query(text).unwrap().into_inner()
}

/// The claims of a logout token.
pub(crate) fn logout_claims(issuer: &str, jti: &str) -> Value {
    let now = NOW.unix_timestamp();
    let mut claims = Map::new();
    claims.insert("http://schemas.openid.net/event/backchannel-logout".to_owned(), json!({}));
    json!({ "iss": issuer, "aud": CLIENT, "iat": now, "exp": now + 120, "jti": jti, "sid": "sid-1", "sub": "42", "events": claims })
}
