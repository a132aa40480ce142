//! The file of identity providers and the portal's own address. A mistake is found at start, and named with the file, the
//! place within and what would be right.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context as _, bail};
use openidconnect::url::Url;
use serde_json::{Map, Value};

use super::groups::Grants;
use crate::people::Role;
use crate::secret::Secret;
use crate::web::forwarded::Network;

/// Settings of sign-in.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct SignInArgs {
    /// JSON file that lists the identity providers (`OpenID` Connect) that people sign in by. README shows one.
    #[arg(long, env = "AUDITFOLIO_IDENTITY_PROVIDERS", value_name = "FILE")]
    pub identity_providers: Option<PathBuf>,
    /// Address of the portal as browsers reach it, e.g. `https://audit.example.com`: providers send people back to it.
    #[arg(long, env = "AUDITFOLIO_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<PublicUrl>,
    /// Address or network of a reverse proxy, e.g. 10.0.0.5 or 10.0.0.0/8, whose X-Forwarded-For, X-Forwarded-Proto or
    /// Forwarded headers are believed; repeat it for several. From anybody else they are ignored.
    #[arg(long = "trusted-proxy", env = "AUDITFOLIO_TRUSTED_PROXIES", value_name = "ADDRESS", value_delimiter = ',')]
    pub trusted_proxies: Vec<Network>,
}

impl SignInArgs {
    /// Reads the file of providers. Nothing is asked of a provider yet: one that is down keeps nobody from starting.
    pub fn providers(&self) -> anyhow::Result<Vec<ProviderSettings>> {
        let Some(file) = &self.identity_providers else { return Ok(Vec::new()) };
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("--identity-providers: {} cannot be read", file.display()))?;
        let providers = read(&text).map_err(|mistake| anyhow::anyhow!("{}: {mistake}", file.display()))?;
        if self.public_url.is_none() {
            bail!(
                "--identity-providers needs the portal’s own address, which providers send people back to: add --public-url, \
                 e.g. https://audit.example.com"
            );
        }
        Ok(providers)
    }
}

/// Where browsers reach the portal: scheme and host, without a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(String);

impl FromStr for PublicUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bare = text.strip_suffix('/').unwrap_or(text);
        let wanted =
            || format!("{text:?} is not the address of a site with nothing after it, like https://audit.example.com");
        let url = Url::parse(bare).map_err(|_invalid| wanted())?;
        if url.origin().ascii_serialization() != bare {
            return Err(wanted());
        }
        if !is_safe(&url) {
            return Err(format!(
                "{text:?} has to begin with https://; http:// is only for this machine itself (127.0.0.1)"
            ));
        }
        Ok(Self(bare.to_owned()))
    }
}

impl PublicUrl {
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// The whole address of a path of this site.
    pub fn of(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Over HTTPS, or on this machine.
pub(super) fn is_safe(url: &Url) -> bool {
    let here = matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
    url.scheme() == "https" || (url.scheme() == "http" && here)
}

/// Where the groups of a person are said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupsFrom {
    IdToken,
    Userinfo,
}

/// One provider of the file.
#[derive(Debug, Clone)]
pub struct ProviderSettings {
    /// In addresses, in the audit log and in the table of sessions.
    pub name: String,
    /// On the sign-in page.
    pub title: String,
    pub issuer: String,
    pub client_id: String,
    /// `None` for a client without one, which PKCE alone protects.
    pub client_secret: Option<Secret>,
    /// Beside `openid`.
    pub scopes: Vec<String>,
    pub groups_claim: String,
    pub groups_from: GroupsFrom,
    pub grants: Grants,
    /// Its people are auditors, whatever their groups.
    pub auditors: bool,
}

const KEYS: [&str; 10] = [
    "name",
    "title",
    "issuer",
    "client_id",
    "client_secret",
    "scopes",
    "groups_claim",
    "groups_from",
    "roles",
    "auditors",
];
/// Words of addresses below `/sign-in/`.
const RESERVED: [&str; 2] = ["test", "link"];

/// Reads the list. The error begins with the place within, e.g. `[0].issuer`.
pub(super) fn read(text: &str) -> Result<Vec<ProviderSettings>, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| format!("it is not JSON: {error}"))?;
    let list = value.as_array().filter(|list| !list.is_empty());
    let list = list.ok_or("it is to be a list of providers: [{\"name\": \"company\", \"issuer\": ...}]")?;
    let mut providers: Vec<ProviderSettings> = Vec::new();
    for (n, value) in list.iter().enumerate() {
        let provider = provider(value).map_err(|(key, mistake)| match key {
            "" => format!("[{n}]: {mistake}"),
            key => format!("[{n}].{key}: {mistake}"),
        })?;
        if let Some(of) = providers.iter().position(|other| other.name == provider.name) {
            return Err(format!("[{n}].name: {:?} is the name of [{of}] already", provider.name));
        }
        if let Some(of) = providers.iter().position(|other| other.issuer == provider.issuer) {
            return Err(format!(
                "[{n}].issuer: it is that of [{of}] already, and a person is known by issuer and subject: give each provider \
                 once"
            ));
        }
        providers.push(provider);
    }
    Ok(providers)
}

type Mistake = (&'static str, String);

fn provider(value: &Value) -> Result<ProviderSettings, Mistake> {
    let fields = value.as_object().ok_or(("", "it is to be an object of settings".to_owned()))?;
    if let Some(unknown) = fields.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(("", format!("{unknown:?} is no setting; those are {}", KEYS.join(", "))));
    }
    let name = needed(fields, "name", "a word for addresses and records, e.g. \"company\"")?;
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.len() > 32 || !name.chars().all(word) || RESERVED.contains(&name.as_str()) {
        let mistake =
            format!("{name:?} is to be of at most 32 letters a to z, digits and hyphens, and neither test nor link");
        return Err(("name", mistake));
    }
    let auditors = match fields.get("auditors") {
        None => false,
        Some(Value::Bool(auditors)) => *auditors,
        Some(_) => return Err(("auditors", "it is to be true or false".to_owned())),
    };
    let grants = grants(fields.get("roles"))?;
    if auditors && !grants.0.is_empty() {
        return Err((
            "roles",
            "people of a provider for auditors have no other role: leave out roles, or auditors".to_owned(),
        ));
    }
    let groups_from = match text(fields, "groups_from")?.as_deref() {
        None | Some("id-token") => GroupsFrom::IdToken,
        Some("userinfo") => GroupsFrom::Userinfo,
        Some(other) => return Err(("groups_from", format!("{other:?} is to be \"id-token\" or \"userinfo\""))),
    };
    Ok(ProviderSettings {
        title: needed(fields, "title", "what the sign-in page calls it, e.g. \"Example Ltd\"")?,
        issuer: issuer(needed(fields, "issuer", "the provider’s issuer, e.g. \"https://login.example.com\"")?)?,
        client_id: needed(fields, "client_id", "what the provider registered this portal as")?,
        client_secret: secret(text(fields, "client_secret")?)?,
        scopes: scopes(fields.get("scopes"))?,
        groups_claim: text(fields, "groups_claim")?.unwrap_or_else(|| "groups".to_owned()),
        groups_from,
        grants,
        auditors,
        name,
    })
}

/// A text that may be missing, but not empty. The mistake never quotes it: it may be the secret.
fn text(fields: &Map<String, Value>, key: &'static str) -> Result<Option<String>, Mistake> {
    match fields.get(key) {
        None => Ok(None),
        Some(Value::String(text)) if !text.trim().is_empty() => Ok(Some(text.clone())),
        Some(_) => Err((key, "it is to be a text that is not empty".to_owned())),
    }
}

fn needed(fields: &Map<String, Value>, key: &'static str, what: &str) -> Result<String, Mistake> {
    text(fields, key)?.ok_or_else(|| (key, format!("it is missing: {what}")))
}

fn issuer(issuer: String) -> Result<String, Mistake> {
    let url = Url::parse(&issuer).ok().filter(|url| url.host_str().is_some_and(|host| !host.is_empty()));
    let plain = url.filter(|url| {
        url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none()
    });
    match plain {
        Some(url) if is_safe(&url) => Ok(issuer),
        Some(_) => {
            Err(("issuer", format!("{issuer:?} has to begin with https://; http:// is only for this machine itself")))
        }
        None => Err((
            "issuer",
            format!("{issuer:?} is no issuer like \"https://login.example.com/realms/x\", without ? and #"),
        )),
    }
}

fn secret(text: Option<String>) -> Result<Option<Secret>, Mistake> {
    text.map(|text| text.parse()).transpose().map_err(|mistake: String| ("client_secret", mistake))
}

fn scopes(value: Option<&Value>) -> Result<Vec<String>, Mistake> {
    let Some(value) = value else { return Ok(vec!["profile".to_owned(), "email".to_owned()]) };
    let wanted = || ("scopes", "it is to be a list of words, e.g. [\"openid\", \"profile\", \"email\"]".to_owned());
    let mut scopes = Vec::new();
    for scope in value.as_array().ok_or_else(wanted)? {
        // The characters of RFC 6749, section 3.3.
        let word = |b: u8| (b'!'..=b'~').contains(&b) && b != b'"' && b != b'\\';
        let scope = scope.as_str().filter(|scope| !scope.is_empty() && scope.bytes().all(word)).ok_or_else(wanted)?;
        // The library asks for openid in any case.
        if scope != "openid" {
            scopes.push(scope.to_owned());
        }
    }
    Ok(scopes)
}

fn grants(value: Option<&Value>) -> Result<Grants, Mistake> {
    let mut grants = Grants::default();
    let Some(value) = value else { return Ok(grants) };
    let roles =
        value.as_object().ok_or(("roles", "it is to be an object like {\"viewer\": [\"grc-readers\"]}".to_owned()))?;
    for (word, groups) in roles {
        let known = || Role::ALL.iter().rev().map(|role| role.word()).collect::<Vec<_>>().join(", ");
        let role = Role::parse(word).ok_or_else(|| ("roles", format!("{word:?} is no role; those are {}", known())))?;
        let list = || ("roles", format!("{word:?} is to be a list of names of groups, e.g. [\"grc-readers\"]"));
        for group in groups.as_array().ok_or_else(list)? {
            let group = group.as_str().filter(|group| !group.is_empty()).ok_or_else(list)?;
            if grants.0.insert(group.to_owned(), role).is_some_and(|before| before != role) {
                return Err(("roles", format!("the group {group:?} stands at two roles: leave one of them")));
            }
        }
    }
    Ok(grants)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

    use serde_json::json;

    use super::*;

    fn company(altered: &Value) -> Value {
        let mut one = json!({ "name": "company", "title": "Example Ltd", "issuer": "https://login.example.com",
            "client_id": "auditfolio", "client_secret": "geheim" });
        for (key, value) in altered.as_object().unwrap() {
            match value {
                Value::Null => one.as_object_mut().unwrap().remove(key),
                value => one.as_object_mut().unwrap().insert(key.clone(), value.clone()),
            };
        }
        one
    }

    #[test]
    fn a_provider_has_settings_and_the_secret_is_never_shown() {
        let auditors = json!({ "name": "auditors", "title": "Auditors", "issuer": "http://127.0.0.1:9/realms/a/",
            "client_id": "x", "auditors": true, "groups_from": "userinfo" });
        let roles = json!({ "administrator": ["portal-admins"], "compliance-manager": ["grc", "grc-2"] });
        let file = json!([company(&json!({ "roles": roles, "scopes": ["openid", "email"] })), auditors]);
        let providers = read(&file.to_string()).unwrap();
        assert_eq!(providers.len(), 2);
        assert_eq!(providers[0].scopes, ["email"]);
        assert_eq!(providers[0].grants.0["grc-2"], Role::ComplianceManager);
        assert_eq!((providers[0].groups_claim.as_str(), providers[0].groups_from), ("groups", GroupsFrom::IdToken));
        assert!(providers[1].auditors && providers[1].client_secret.is_none());
        assert_eq!(providers[1].scopes, ["profile", "email"]);
        assert!(!format!("{providers:?}").contains("geheim"));
    }

    #[test]
    fn a_mistake_is_named_with_its_place_and_what_would_be_right() {
        let of = |altered: Value| read(&json!([company(&altered)]).to_string()).unwrap_err();
        for (mistake, said) in [
            (of(json!({ "name": null })), "[0].name: it is missing: a word"),
            (of(json!({ "name": "The Company" })), "[0].name: \"The Company\" is to be of at most 32"),
            (of(json!({ "name": "test" })), "neither test nor link"),
            (
                of(json!({ "issuer": "http://login.example.com" })),
                "[0].issuer: \"http://login.example.com\" has to begin with https://",
            ),
            (of(json!({ "issuer": "login.example.com" })), "is no issuer like"),
            (of(json!({ "issuer": "https://a.example/?x" })), "without ? and #"),
            (of(json!({ "issuer": 1 })), "[0].issuer: it is to be a text"),
            (of(json!({ "client_id": "" })), "[0].client_id: it is to be a text"),
            (
                of(json!({ "client_secret": "secretsmanager:a b" })),
                "[0].client_secret: \"a b\" is not the name of a secret",
            ),
            (of(json!({ "clientid": "x" })), "[0]: \"clientid\" is no setting; those are name, title"),
            (of(json!({ "scopes": "openid email" })), "[0].scopes: it is to be a list of words"),
            (of(json!({ "scopes": ["openid email"] })), "[0].scopes: it is to be a list of words"),
            (of(json!({ "groups_from": "token" })), "[0].groups_from: \"token\" is to be \"id-token\" or \"userinfo\""),
            (of(json!({ "roles": { "root": ["a"] } })), "[0].roles: \"root\" is no role; those are administrator, "),
            (of(json!({ "roles": { "administrator": "a" } })), "[0].roles: \"administrator\" is to be a list"),
            (
                of(json!({ "roles": { "administrator": ["a"], "auditor": ["a"] } })),
                "[0].roles: the group \"a\" stands at two roles",
            ),
            (
                of(json!({ "roles": { "administrator": ["a"] }, "auditors": true })),
                "[0].roles: people of a provider for auditors",
            ),
            (of(json!({ "auditors": "yes" })), "[0].auditors: it is to be true or false"),
            (read("[{").unwrap_err(), "it is not JSON: "),
            (read("{}").unwrap_err(), "it is to be a list of providers"),
            (read("[]").unwrap_err(), "it is to be a list of providers"),
            (read("[1]").unwrap_err(), "[0]: it is to be an object"),
            (
                read(&json!([company(&json!({})), company(&json!({}))]).to_string()).unwrap_err(),
                "[1].name: \"company\" is the name of [0]",
            ),
            (
                read(&json!([company(&json!({})), company(&json!({ "name": "b" }))]).to_string()).unwrap_err(),
                "[1].issuer: it is that of [0]",
            ),
        ] {
            assert!(mistake.contains(said), "{mistake}");
            assert!(!mistake.contains("geheim"), "{mistake}");
        }
    }

    #[test]
    fn the_portals_address_is_a_site_over_https() {
        let of = |text: &str| text.parse::<PublicUrl>().map(|url| url.of("/a"));
        assert_eq!(of("https://audit.example.com/"), Ok("https://audit.example.com/a".to_owned()));
        assert_eq!(of("http://127.0.0.1:8080"), Ok("http://127.0.0.1:8080/a".to_owned()));
        for wrong in [
            "",
            "audit.example.com",
            "https://a.example/x",
            "https://a.example?x",
            "https://me@a.example",
            "http://a.example",
            "ftp://a.example",
            "https://A.example",
        ] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
    }
}
