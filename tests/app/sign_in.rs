//! Sign-in by an identity provider: the good way, and each way in which a provider or a stranger may misbehave.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, OnceLock};

use actix_web::cookie::Cookie;
use actix_web::http::{Method, StatusCode};
use actix_web::test::TestRequest;
use auditfolio::State;
use auditfolio::people::{Grants, GroupsFrom, Provider, ProviderSettings, Role, SignIn};
use serde_json::{Value, json};
use sqlx::PgPool;
use time::{Duration, OffsetDateTime};
use tracing::field::Field;
use tracing::{Dispatch, Event, Subscriber};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

use crate::evil::{CLIENT, Evil, Lie, SECRET, Signed, logout_claims, read_form};
use crate::harness::database;
use crate::site::{Answer, NOW, Site, ask, get, site_of, state_at};

const PUBLIC: &str = "http://127.0.0.1:8080";

fn settings(evil: &Evil) -> ProviderSettings {
    let grants = [("portal-admins", Role::Administrator), ("grc", Role::ComplianceManager), ("readers", Role::Viewer)];
    ProviderSettings {
        name: "company".to_owned(),
        title: "Example Ltd".to_owned(),
        issuer: evil.issuer.clone(),
        client_id: CLIENT.to_owned(),
        client_secret: Some(SECRET.parse().unwrap()),
        scopes: vec!["profile".to_owned(), "email".to_owned()],
        groups_claim: "groups".to_owned(),
        groups_from: GroupsFrom::IdToken,
        grants: Grants(grants.map(|(group, role)| (group.to_owned(), role)).into()),
        auditors: false,
    }
}

fn state_with(db: &PgPool, now: OffsetDateTime, settings: Vec<ProviderSettings>) -> State {
    let providers = settings.into_iter().map(|settings| {
        let patience = std::time::Duration::from_secs(2);
        Provider::new(settings, Some(SECRET.into())).patience(patience)
    });
    let sign_in = SignIn {
        providers: providers.collect(),
        public_url: Some(PUBLIC.parse().unwrap()),
        trusted_proxies: vec!["127.0.0.1".parse().unwrap()],
    };
    State { demo: false, sign_in: Arc::new(sign_in), ..state_at(db, now) }
}

async fn site_with(db: &PgPool, evil: &Evil) -> Site {
    site_of(state_with(db, NOW, vec![settings(evil)])).await
}

/// The settings of a provider that nobody signs in by here.
pub(crate) fn named(name: &str) -> Arc<SignIn> {
    let settings = ProviderSettings { name: name.to_owned(), ..settings(&Evil::start()) };
    let providers = vec![Provider::new(settings, Some(SECRET.into()))];
    Arc::new(SignIn { providers, public_url: None, trusted_proxies: Vec::new() })
}

/// A sign-in that has been sent to the provider.
struct Begun {
    /// The browser's own cookie.
    browser: Cookie<'static>,
    /// What the provider was asked.
    asked: HashMap<String, String>,
}

async fn begin(site: &Site, evil: &Evil, next: &str) -> Begun {
    let answer = ask(site, Method::GET, &format!("/sign-in/company/start?next={next}"), None, None).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    let (address, query) = answer.header("location").split_once('?').unwrap();
    assert_eq!(address, format!("{}/authorize", evil.issuer));
    let asked = read_form(query);
    evil.arrives(&asked);
    Begun { browser: answer.cookie.unwrap(), asked }
}

/// The browser comes back from the provider with this query.
async fn comes_back(site: &Site, query: &str, cookies: &[&Cookie<'static>]) -> Answer {
    let mut request = TestRequest::get()
        .uri(&format!("/sign-in/company/callback?{query}"))
        .insert_header(("sec-fetch-site", "cross-site"));
    for cookie in cookies {
        request = request.cookie((*cookie).clone());
    }
    (site.0)(request).await
}

async fn signs_in(site: &Site, evil: &Evil) -> Answer {
    let begun = begin(site, evil, "/").await;
    comes_back(site, &evil.answer_of(&begun.asked["state"]), &[&begun.browser]).await
}

async fn signed_in(site: &Site, evil: &Evil) -> Cookie<'static> {
    let answer = signs_in(site, evil).await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/"), "{}", answer.text);
    answer.cookie.unwrap()
}

/// The reasons of refusals, oldest first.
async fn reasons(db: &PgPool) -> Vec<String> {
    sqlx::query_scalar(
        "select detail->>'reason' from audit_log where act in ('sign-in refused', 'sign-out refused') order by audit_log_id",
    )
    .fetch_all(db)
    .await
    .unwrap()
}

async fn sessions(db: &PgPool) -> i64 {
    sqlx::query_scalar("select count(*) from session").fetch_one(db).await.unwrap()
}

/// What is logged in this thread.
#[derive(Debug, Clone, Default)]
struct Said(Arc<Mutex<Vec<String>>>);

impl<S: Subscriber> Layer<S> for Said {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = event.metadata().target().to_owned();
        event.record(&mut |field: &Field, value: &dyn Debug| {
            line = format!("{line} {field}={value:?}");
        });
        self.0.lock().unwrap().push(line);
    }
}

/// With one dispatcher alone tracing asks whichever thread comes first to a callsite whether it listens.
static SECOND: OnceLock<Dispatch> = OnceLock::new();

impl Said {
    fn listen() -> (Self, tracing::subscriber::DefaultGuard) {
        SECOND.get_or_init(|| Dispatch::new(Registry::default().with(Self::default())));
        let said = Self::default();
        let guard = tracing::subscriber::set_default(Registry::default().with(said.clone()));
        (said, guard)
    }

    fn lines(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// The newest refusal is on record for this reason, and one line has been logged since that says it to the operator.
async fn refused_for(db: &PgPool, said: &Said, reason: &str, described: &str) -> Vec<String> {
    assert_eq!(reasons(db).await.last().map(String::as_str), Some(reason), "{described}");
    let lines = said.lines();
    let of_it: Vec<&String> = lines.iter().filter(|line| line.contains(&format!("reason=\"{reason}\""))).collect();
    assert_eq!(of_it.len(), 1, "{described}: {lines:?}");
    assert!(of_it[0].contains("meaning=") && of_it[0].contains(" refused"), "{described}: {of_it:?}");
    lines
}

#[actix_web::test]
async fn somebody_signs_in_by_a_provider_with_the_role_of_their_group() {
    let (db, evil) = (database().await, Evil::start());
    let site = site_with(&db, &evil).await;
    let page = ask(&site, Method::GET, "/sign-in?next=/account/sessions", None, None).await;
    assert_eq!(page.texts("main a"), ["Sign in with Example Ltd"]);
    assert!(page.text.contains("/sign-in/company/start?next=%2Faccount%2Fsessions"), "{}", page.text);

    let begun = begin(&site, &evil, "/account/sessions").await;
    let asked = |name: &str| begun.asked[name].as_str();
    assert_eq!((asked("response_type"), asked("code_challenge_method"), asked("client_id")), ("code", "S256", CLIENT));
    assert_eq!(asked("scope"), "openid profile email");
    assert_eq!(asked("redirect_uri"), format!("{PUBLIC}/sign-in/company/callback"));
    assert!([asked("state"), asked("nonce"), asked("code_challenge")].iter().all(|secret| secret.len() >= 43));
    let back = comes_back(&site, &evil.answer_of(asked("state")), &[&begun.browser]).await;
    assert_eq!((back.status, back.header("location")), (StatusCode::SEE_OTHER, "/account/sessions"), "{}", back.text);
    let cookie = back.cookie.unwrap();
    assert_eq!(cookie.name(), "auditfolio_session");
    let page = get(&site, &cookie, "/account/sessions").await;
    assert_eq!(page.texts("#sessions tbody tr").len(), 1);
    assert_eq!(page.texts(".bar__user span"), ["Administrator"]);

    let person: (String, String, String, bool) =
        sqlx::query_as("select issuer, subject, email, email_verified from person").fetch_one(&db).await.unwrap();
    assert_eq!(person, (evil.issuer.clone(), "42".to_owned(), "ada@example.com".to_owned(), true));
    let role: (String, String) = sqlx::query_as("select role, why from person_role").fetch_one(&db).await.unwrap();
    assert_eq!(role, ("administrator".to_owned(), "group portal-admins".to_owned()));
    let act: (String, String, String, Value) =
        sqlx::query_as("select actor, actor_kind, act, detail from audit_log").fetch_one(&db).await.unwrap();
    assert_eq!((act.0.as_str(), act.1.as_str(), act.2.as_str()), ("Ada Lovelace (person 1)", "person", "sign in"));
    assert_eq!((act.3["issuer"].as_str(), act.3["subject"].as_str()), (Some(evil.issuer.as_str()), Some("42")));
    // Nothing that would let somebody in is stored as it is.
    let stored: String =
        sqlx::query_scalar("select string_agg(a::text, ' ') from sign_in_attempt a").fetch_one(&db).await.unwrap();
    for secret in [asked("state"), asked("nonce"), asked("code_challenge"), begun.browser.value()] {
        assert!(!stored.contains(secret));
    }
}

/// A lie, and the word of the reason that it is refused for.
fn lies(evil: &Evil) -> Vec<(&'static str, Lie)> {
    let now = NOW.unix_timestamp();
    let claims = |claims: Value| Lie { claims, ..Lie::default() };
    let header = |header: Value| Lie { header, ..Lie::default() };
    let metadata = |metadata: Value| Lie { metadata, ..Lie::default() };
    let tokens = |status: u16, answer: Value| Lie { tokens: Some((status, answer)), ..Lie::default() };
    let keys = |keys: Value| Lie { keys: Some(keys), ..Lie::default() };
    let none = |alg: &str| Lie { header: json!({ "alg": alg }), signed: Signed::Not, ..Lie::default() };
    let others = json!({ "keys": [evil.key(0, None), evil.key(1, None)] });
    vec![
        ("issuer", claims(json!({ "iss": "https://evil.example" }))),
        ("issuer", claims(json!({ "iss": format!("{}/", evil.issuer) }))),
        ("issuer", claims(json!({ "iss": null }))),
        ("subject-missing", claims(json!({ "sub": null }))),
        ("subject-missing", claims(json!({ "sub": "" }))),
        ("audience-missing", claims(json!({ "aud": null }))),
        ("audience", claims(json!({ "aud": "another" }))),
        ("authorized-party", claims(json!({ "aud": [CLIENT, "another"] }))),
        ("authorized-party", claims(json!({ "aud": [CLIENT, "another"], "azp": "another" }))),
        ("authorized-party", claims(json!({ "azp": "another" }))),
        ("expiry-missing", claims(json!({ "exp": null }))),
        ("expired", claims(json!({ "exp": now - 61 }))),
        ("issued-missing", claims(json!({ "iat": null }))),
        ("issued-in-future", claims(json!({ "iat": now + 61 }))),
        ("not-yet-valid", claims(json!({ "nbf": now + 61 }))),
        ("nonce-missing", claims(json!({ "nonce": null }))),
        ("nonce", claims(json!({ "nonce": "another" }))),
        ("access-token-hash", claims(json!({ "at_hash": "AAAAAAAAAAAAAAAAAAAAAA" }))),
        ("signature", Lie { signed: Signed::Turned, ..Lie::default() }),
        ("signature", Lie { signed: Signed::OtherKey, ..Lie::default() }),
        ("signature", Lie { signed: Signed::Not, ..Lie::default() }),
        ("alg-none", none("none")),
        ("alg-none", none("None")),
        (
            "alg-symmetric",
            Lie { header: json!({ "alg": "HS256" }), signed: Signed::PublicKeyAsSecret, ..Lie::default() },
        ),
        ("alg-symmetric", Lie { header: json!({ "alg": "HS256" }), signed: Signed::ClientSecret, ..Lie::default() }),
        ("alg-unknown", header(json!({ "alg": "XS256" }))),
        ("key-unknown", header(json!({ "alg": "RS256" }))),
        ("header-critical", header(json!({ "crit": ["exp"] }))),
        ("token-type", header(json!({ "typ": "logout+jwt" }))),
        // The header's own key and addresses of keys are not looked at.
        (
            "signature",
            Lie {
                header: json!({ "jwk": evil.key(1, Some("one")), "jku": format!("{}/others", evil.issuer), "x5u": "https://evil.example/x5u" }),
                signed: Signed::OtherKey,
                ..Lie::default()
            },
        ),
        ("key-unknown", header(json!({ "kid": "../../../dev/null" }))),
        ("key-unknown", header(json!({ "kid": "one' or '1'='1" }))),
        ("key-ambiguous", Lie { header: json!({ "kid": null }), ..keys(others) }),
        ("key-unknown", keys(json!({ "keys": [] }))),
        (
            "key-unknown",
            keys(json!({ "keys": [{ "kty": "oct", "kid": "one", "k": "AAAA" }, { "kty": "new", "kid": "one" }] })),
        ),
        ("keys-unreadable", keys(json!(["no", "keys"]))),
        ("answer-too-large", Lie { endless: "/jwks", ..Lie::default() }),
        ("answer-too-large", Lie { endless: "/token", ..Lie::default() }),
        ("slow", Lie { silent: "/jwks", ..Lie::default() }),
        ("slow", Lie { silent: "/token", ..Lie::default() }),
        ("answer-status", Lie { elsewhere: "/jwks", ..Lie::default() }),
        ("insecure", metadata(json!({ "token_endpoint": "http://login.example.com/token" }))),
        ("insecure", metadata(json!({ "jwks_uri": "http://login.example.com/jwks" }))),
        ("code-refused", tokens(400, json!({ "error": "invalid_grant" }))),
        ("client-refused", tokens(401, json!({ "error": "invalid_client" }))),
        ("token-refused", tokens(400, json!({ "error": "invalid_request" }))),
        ("id-token-missing", tokens(200, json!({ "access_token": "a", "token_type": "Bearer" }))),
        ("token-malformed", tokens(200, json!({ "access_token": "a", "token_type": "Bearer", "id_token": "a.b" }))),
        ("token-answer", tokens(200, json!({ "id_token": "a.b.c".len() }))),
        ("token-too-large", claims(json!({ "padding": "x".repeat(600_000) }))),
    ]
}

#[actix_web::test]
async fn each_lie_of_a_provider_is_refused_for_its_own_reason() {
    let evil = Evil::start();
    let (db, (said, _guard)) = (database().await, Said::listen());
    for (reason, lie) in lies(&evil) {
        let described = format!("{reason}: {lie:?}").chars().take(400).collect::<String>();
        sqlx::query("delete from session").execute(&db).await.unwrap();
        // A new program each time: what it has read of the provider is not the next one's.
        let site = site_with(&db, &evil).await;
        evil.lies(lie);
        let answer = signs_in(&site, &evil).await;
        evil.lies(Lie::default());
        assert!(answer.status.is_client_error() || answer.status.is_server_error(), "{described}: {}", answer.status);
        assert!(answer.cookie.is_none(), "{described}");
        assert_eq!(sessions(&db).await, 0, "{described}");
        assert_eq!(answer.texts("h1").len(), 1, "{described}");
        assert_eq!(answer.texts("main code"), [answer.header("x-request-id").to_owned()], "{described}");
        let lines = refused_for(&db, &said, reason, &described).await;
        for secret in [SECRET, "acce55", "c0de", "eyJ"] {
            assert!(
                !lines.iter().any(|line| line.starts_with("auditfolio") && line.contains(secret)),
                "{described}: {lines:?}"
            );
            assert!(!answer.text.contains(secret), "{described}");
        }
    }
    let site = site_with(&db, &evil).await;
    signed_in(&site, &evil).await;
    let kept: String =
        sqlx::query_scalar("select string_agg(a::text, ' ') from audit_log a").fetch_one(&db).await.unwrap();
    for secret in [SECRET, "acce55", "c0de", "eyJ"] {
        assert!(!kept.contains(secret), "{secret}");
    }
}

#[actix_web::test]
async fn a_provider_that_is_not_what_the_settings_say_is_refused_before_anybody_is_sent_there() {
    let (db, evil) = (database().await, Evil::start());
    let (said, _guard) = Said::listen();
    for (reason, status, lie) in [
        (
            "discovery-issuer",
            StatusCode::BAD_GATEWAY,
            Lie { metadata: json!({ "issuer": "https://evil.example" }), ..Lie::default() },
        ),
        (
            "discovery-issuer",
            StatusCode::BAD_GATEWAY,
            Lie { metadata: json!({ "issuer": format!("{}/", evil.issuer) }), ..Lie::default() },
        ),
        (
            "discovery-unreadable",
            StatusCode::BAD_GATEWAY,
            Lie { metadata: json!({ "jwks_uri": null }), ..Lie::default() },
        ),
        (
            "token-endpoint-missing",
            StatusCode::BAD_GATEWAY,
            Lie { metadata: json!({ "token_endpoint": null }), ..Lie::default() },
        ),
        (
            "insecure",
            StatusCode::BAD_GATEWAY,
            Lie { metadata: json!({ "authorization_endpoint": "http://login.example.com/" }), ..Lie::default() },
        ),
        (
            "insecure",
            StatusCode::BAD_GATEWAY,
            Lie { metadata: json!({ "end_session_endpoint": "javascript:alert(1)" }), ..Lie::default() },
        ),
        (
            "answer-status",
            StatusCode::SERVICE_UNAVAILABLE,
            Lie { elsewhere: "/.well-known/openid-configuration", ..Lie::default() },
        ),
        (
            "answer-too-large",
            StatusCode::BAD_GATEWAY,
            Lie { endless: "/.well-known/openid-configuration", ..Lie::default() },
        ),
        (
            "slow",
            StatusCode::SERVICE_UNAVAILABLE,
            Lie { silent: "/.well-known/openid-configuration", ..Lie::default() },
        ),
    ] {
        evil.lies(lie);
        let site = site_with(&db, &evil).await;
        let answer = ask(&site, Method::GET, "/sign-in/company/start", None, None).await;
        assert_eq!((answer.status, answer.header("location")), (status, ""), "{reason}");
        refused_for(&db, &said, reason, reason).await;
    }
}

#[actix_web::test]
async fn an_answer_belongs_to_the_browser_and_the_sign_in_that_asked_for_it() {
    let (db, evil) = (database().await, Evil::start());
    let site = site_with(&db, &evil).await;
    let (said, _guard) = Said::listen();
    let refused = async |answer: Answer, reason: &str| {
        assert!(answer.status.is_client_error() || answer.status.is_server_error(), "{reason}: {}", answer.status);
        assert!(answer.cookie.is_none(), "{reason}");
        refused_for(&db, &said, reason, reason).await;
    };
    let good = |begun: &Begun| evil.answer_of(&begun.asked["state"]);

    let (mine, other) = (begin(&site, &evil, "/").await, begin(&site, &evil, "/").await);
    // Login CSRF: the state of one browser in another.
    refused(comes_back(&site, &good(&mine), &[&other.browser]).await, "other-browser").await;
    refused(comes_back(&site, &good(&other), &[]).await, "other-browser").await;
    for (query, reason) in [
        (String::new(), "state-missing"),
        ("code=c0de".to_owned(), "state-missing"),
        ("code=c0de&state=0000".to_owned(), "state-unknown"),
    ] {
        refused(comes_back(&site, &query, &[&mine.browser]).await, reason).await;
    }
    let answers: [(fn(String, &str) -> String, &str); 10] = [
        (|query: String, _: &str| format!("{query}&code=other"), "parameter-twice"),
        (|query: String, state: &str| format!("{query}&state={state}"), "parameter-twice"),
        (|query: String, _: &str| format!("{query}&iss=x"), "parameter-twice"),
        (|_: String, state: &str| format!("code=c0de&state={state}"), "answer-issuer-missing"),
        (|_: String, state: &str| format!("code=c0de&state={state}&iss=https%3A%2F%2Fevil.example"), "answer-issuer"),
        (|query: String, _: &str| query.replace("code=c0de", "code=injected"), "code-refused"),
        (|query: String, _: &str| query.replace("code=c0de", "code="), "code-missing"),
        (|query: String, _: &str| query.replace("code=c0de", "error=access_denied"), "denied"),
        (
            |query: String, _: &str| query.replace("code=c0de", "error=invalid_scope&error_description=%0d%0aX"),
            "provider-said",
        ),
        (|query: String, _: &str| format!("{query}&error=server_error"), "answer-status"),
    ];
    for (altered, reason) in answers {
        let begun = begin(&site, &evil, "/").await;
        let query = altered(good(&begun), &begun.asked["state"]);
        refused(comes_back(&site, &query, &[&begun.browser]).await, reason).await;
    }
    // A state is used once, whatever came of it.
    let begun = begin(&site, &evil, "/").await;
    assert_eq!(comes_back(&site, &good(&begun), &[&begun.browser]).await.status, StatusCode::SEE_OTHER);
    refused(comes_back(&site, &good(&begun), &[&begun.browser]).await, "state-used").await;
    // A code of one sign-in in another: PKCE and the nonce are of the browser and the state.
    let (victim, attacker) = (begin(&site, &evil, "/").await, begin(&site, &evil, "/").await);
    refused(comes_back(&site, &good(&victim), &[&victim.browser]).await, "code-refused").await;
    drop(attacker);
    // Too late.
    let begun = begin(&site, &evil, "/").await;
    let later = site_of(state_with(&db, NOW + Duration::minutes(10), vec![settings(&evil)])).await;
    refused(comes_back(&later, &good(&begun), &[&begun.browser]).await, "state-expired").await;
    assert_eq!(sessions(&db).await, 1);
}

#[actix_web::test]
async fn an_answer_that_comes_to_another_providers_address_is_refused() {
    let (db, evil, second) = (database().await, Evil::start(), Evil::start());
    let other =
        ProviderSettings { name: "other".to_owned(), auditors: true, grants: Grants::default(), ..settings(&second) };
    let site = site_of(state_with(&db, NOW, vec![settings(&evil), other])).await;
    let (said, _guard) = Said::listen();
    let begun = begin(&site, &evil, "/").await;
    let query = evil.answer_of(&begun.asked["state"]);
    let request = TestRequest::get().uri(&format!("/sign-in/other/callback?{query}")).cookie(begun.browser.clone());
    let answer = (site.0)(request).await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    assert_eq!(reasons(&db).await, ["state-other-provider"]);
    refused_for(&db, &said, "state-other-provider", "").await;
    assert_eq!(second.asked("/token"), 0);
}

#[actix_web::test]
async fn only_a_link_of_the_portal_leads_to_a_provider_and_only_to_a_path_of_the_portal_back() {
    let (db, evil) = (database().await, Evil::start());
    let site = site_with(&db, &evil).await;
    for from in ["cross-site", "same-site", "none"] {
        let request =
            TestRequest::get().uri("/sign-in/company/start?next=/rules").insert_header(("sec-fetch-site", from));
        let answer = (site.0)(request).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (StatusCode::SEE_OTHER, "/sign-in?next=%2Frules"),
            "{from}"
        );
    }
    for next in [
        "https://evil.example",
        "//evil.example",
        "/%5Cevil.example",
        "https:evil.example",
        "%2F%2Fevil",
        "@evil",
        "/%0d%0aX",
    ] {
        let begun = begin(&site, &evil, next).await;
        let answer = comes_back(&site, &evil.answer_of(&begun.asked["state"]), &[&begun.browser]).await;
        assert_eq!(answer.header("location"), "/", "{next}");
    }
    assert_eq!(ask(&site, Method::GET, "/sign-in/nobody/start", None, None).await.status, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn who_somebody_is_goes_by_issuer_and_subject_and_what_they_are_by_groups() {
    let (db, evil) = (database().await, Evil::start());
    let site = site_with(&db, &evil).await;
    let mut many: Vec<String> = (0..5_000).map(|n| format!("group-{n}")).collect();
    many.push("grc".to_owned());
    for (claims, role) in [
        (json!({ "sub": "1" }), "administrator"),
        // Somebody else with the same address.
        (json!({ "sub": "2", "groups": "grc" }), "compliance-manager"),
        (json!({ "sub": "3", "groups": many }), "compliance-manager"),
        (json!({ "sub": "4", "groups": null }), "auditor"),
        (json!({ "sub": "5", "groups": [] }), "auditor"),
        (json!({ "sub": "6", "groups": ["portal-\u{430}dmins", "Portal-Admins", " portal-admins"] }), "auditor"),
        (json!({ "sub": "7", "groups": "portal-admins grc" }), "auditor"),
        (json!({ "sub": "8", "groups": { "portal-admins": true } }), "auditor"),
        (json!({ "sub": "9", "groups": null, "_claim_names": { "groups": "src1" } }), "auditor"),
        (json!({ "sub": "10", "groups": ["readers"] }), "viewer"),
    ] {
        let described = claims.to_string().chars().take(200).collect::<String>();
        evil.lies(Lie { claims, ..Lie::default() });
        signed_in(&site, &evil).await;
        let found: String = sqlx::query_scalar("select role from session order by session_id desc limit 1")
            .fetch_one(&db)
            .await
            .unwrap();
        assert_eq!(found, role, "{described}");
    }
    let people: i64 = sqlx::query_scalar("select count(*) from person").fetch_one(&db).await.unwrap();
    assert_eq!(people, 10);
    // A changed address is the same person; a changed role is a new line of the history, the same one is not.
    for (claims, lines) in
        [(json!({ "sub": "1", "email": "new@example.com" }), 1), (json!({ "sub": "1", "groups": ["grc"] }), 2)]
    {
        evil.lies(Lie { claims, ..Lie::default() });
        signed_in(&site, &evil).await;
        let history: i64 =
            sqlx::query_scalar("select count(*) from person_role where person_id = 1").fetch_one(&db).await.unwrap();
        assert_eq!(history, lines);
    }
}

#[actix_web::test]
async fn keys_are_read_again_when_they_change_and_not_for_every_unknown_name() {
    let (db, evil) = (database().await, Evil::start());
    let site = site_with(&db, &evil).await;
    signed_in(&site, &evil).await;
    signed_in(&site, &evil).await;
    assert_eq!((evil.asked("/jwks"), evil.asked("/.well-known/openid-configuration")), (1, 1));
    evil.rotates("two");
    signed_in(&site, &evil).await;
    assert_eq!(evil.asked("/jwks"), 2);
    evil.lies(Lie { header: json!({ "kid": "flood" }), ..Lie::default() });
    for _ in 0..20 {
        assert_eq!(signs_in(&site, &evil).await.status, StatusCode::BAD_GATEWAY);
    }
    assert_eq!(evil.asked("/jwks"), 2, "asked again within a minute");
    evil.lies(Lie::default());
    signed_in(&site, &evil).await;
    // After ten minutes, in any case; a key that signs just before it is published is found then.
    let later = site_of(state_with(&db, NOW + Duration::minutes(1), vec![settings(&evil)])).await;
    signed_in(&later, &evil).await;
    assert_eq!(evil.asked("/jwks"), 3);
}

#[actix_web::test]
async fn a_provider_that_is_down_lets_nobody_in_and_nobody_out() {
    let db = database().await;
    let evil = Evil::start();
    let site = site_with(&db, &evil).await;
    let cookie = signed_in(&site, &evil).await;
    let gone = settings(&evil);
    drop(evil);
    let fresh = site_of(state_with(&db, NOW, vec![gone])).await;
    let answer = ask(&fresh, Method::GET, "/sign-in/company/start", None, None).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.texts("h1"), ["The identity provider does not answer"]);
    assert_eq!(reasons(&db).await, ["unreachable"]);
    assert_eq!(ask(&fresh, Method::GET, "/sign-in", None, None).await.status, StatusCode::OK);
    assert_eq!(get(&fresh, &cookie, "/account/sessions").await.status, StatusCode::OK);
    let out = ask(&fresh, Method::POST, "/sign-out", Some(&cookie), None).await;
    assert_eq!((out.status, out.header("location")), (StatusCode::SEE_OTHER, "/sign-in"));
}

#[actix_web::test]
async fn groups_can_come_from_userinfo_which_must_be_of_the_same_person() {
    let (db, evil) = (database().await, Evil::start());
    let settings = ProviderSettings { groups_from: GroupsFrom::Userinfo, ..settings(&evil) };
    let site = async || site_of(state_with(&db, NOW, vec![settings.clone()])).await;
    let (said, _guard) = Said::listen();
    let userinfo = |userinfo: Value| Lie { userinfo, claims: json!({ "groups": null }), ..Lie::default() };
    evil.lies(userinfo(json!({ "groups": ["grc"], "name": "Countess" })));
    signed_in(&site().await, &evil).await;
    let found: (String, String) = sqlx::query_as("select role, identity from session").fetch_one(&db).await.unwrap();
    assert_eq!(found, ("compliance-manager".to_owned(), "Countess (person 1)".to_owned()));
    for (reason, lie) in [
        ("userinfo-subject", userinfo(json!({ "sub": "43" }))),
        ("userinfo-subject", userinfo(json!({ "sub": null }))),
        ("answer-too-large", Lie { endless: "/userinfo", ..Lie::default() }),
        ("userinfo-missing", Lie { metadata: json!({ "userinfo_endpoint": null }), ..Lie::default() }),
        ("insecure", Lie { metadata: json!({ "userinfo_endpoint": "http://evil.example/" }), ..Lie::default() }),
    ] {
        evil.lies(lie);
        assert!(signs_in(&site().await, &evil).await.cookie.is_none(), "{reason}");
        refused_for(&db, &said, reason, reason).await;
    }
}

#[actix_web::test]
async fn people_of_a_provider_for_auditors_are_auditors_whatever_their_groups() {
    let (db, evil) = (database().await, Evil::start());
    let settings = ProviderSettings { auditors: true, grants: Grants::default(), ..settings(&evil) };
    let site = site_of(state_with(&db, NOW, vec![settings])).await;
    signed_in(&site, &evil).await;
    let role: (String, String) = sqlx::query_as("select role, why from person_role").fetch_one(&db).await.unwrap();
    assert_eq!(role, ("auditor".to_owned(), "the provider is for auditors".to_owned()));
}

#[actix_web::test]
async fn who_is_disabled_is_out_at_once_and_stays_out_until_enabled() {
    let (db, evil) = (database().await, Evil::start());
    let site = site_with(&db, &evil).await;
    let admin = signed_in(&site, &evil).await;
    evil.lies(Lie { claims: json!({ "sub": "2", "name": "<b>Bob</b>", "groups": ["grc"] }), ..Lie::default() });
    let (bob, again) = (signed_in(&site, &evil).await, signed_in(&site, &evil).await);
    let post =
        async |address: &str, cookie: &Cookie<'static>| ask(&site, Method::POST, address, Some(cookie), None).await;

    assert_eq!(get(&site, &bob, "/people").await.status, StatusCode::FORBIDDEN);
    let people = get(&site, &admin, "/people").await;
    assert_eq!(people.texts("#people tbody th"), ["<b>Bob</b> person 2", "Ada Lovelace person 1"]);
    assert_eq!(get(&site, &bob, "/account/sessions").await.texts("#sessions tbody tr").len(), 2);
    // One ends one's own sessions and nobody else's.
    let first: i64 =
        sqlx::query_scalar("select min(session_id) from session where person_id = 2").fetch_one(&db).await.unwrap();
    assert_eq!(post(&format!("/account/sessions/{first}/end"), &admin).await.status, StatusCode::NOT_FOUND);
    assert_eq!(post(&format!("/account/sessions/{first}/end"), &again).await.status, StatusCode::SEE_OTHER);
    assert_eq!(get(&site, &bob, "/account/sessions").await.status, StatusCode::SEE_OTHER);

    assert_eq!(post("/people/1/disable", &admin).await.status, StatusCode::CONFLICT, "nobody disables themselves");
    assert_eq!(post("/people/9/disable", &admin).await.status, StatusCode::NOT_FOUND);
    assert_eq!(post("/people/2/disable", &admin).await.header("location"), "/people");
    assert_eq!(get(&site, &again, "/account/sessions").await.status, StatusCode::SEE_OTHER);
    assert_eq!(signs_in(&site, &evil).await.status, StatusCode::FORBIDDEN);
    assert_eq!(reasons(&db).await, ["disabled"]);
    assert_eq!(post("/people/2/enable", &admin).await.status, StatusCode::SEE_OTHER);
    let bob = signed_in(&site, &evil).await;
    assert_eq!(post("/people/2/end-sessions", &admin).await.status, StatusCode::SEE_OTHER);
    assert_eq!(get(&site, &bob, "/account/sessions").await.status, StatusCode::SEE_OTHER);
    let acts: Vec<String> = sqlx::query_scalar("select act || ' ' || object from audit_log where actor_kind = 'person' and act not in ('sign in', 'refuse') order by audit_log_id").fetch_all(&db).await.unwrap();
    let of_bob = |act: &str| format!("{act} <b>Bob</b> (person 2)");
    assert_eq!(
        acts,
        [format!("end session {first}"), of_bob("disable person"), of_bob("enable person"), of_bob("end sessions")]
    );
}

#[actix_web::test]
async fn sign_out_leads_on_to_the_providers_and_back_with_its_own_state() {
    let (db, evil) = (database().await, Evil::start());
    let site = site_with(&db, &evil).await;
    let cookie = signed_in(&site, &evil).await;
    let out = ask(&site, Method::POST, "/sign-out", Some(&cookie), None).await;
    assert_eq!((out.status, out.texts("h1")), (StatusCode::OK, vec!["Signing out".to_owned()]));
    assert_eq!(get(&site, &cookie, "/account/sessions").await.status, StatusCode::SEE_OTHER);
    let (address, query) = out.header("refresh").strip_prefix("0; url=").unwrap().split_once('?').unwrap();
    assert_eq!(address, format!("{}/end", evil.issuer));
    let asked = read_form(query);
    assert_eq!(asked["post_logout_redirect_uri"], format!("{PUBLIC}/sign-in/company/signed-out"));
    assert!(asked["id_token_hint"].starts_with("eyJ") && asked["client_id"] == CLIENT);
    let browser = out.headers.get_all("set-cookie").find_map(|line| {
        let pair = line.to_str().unwrap().split(';').next()?;
        pair.strip_prefix("auditfolio_sign_in=").map(|value| Cookie::new("auditfolio_sign_in", value.to_owned()))
    });
    let browser = browser.unwrap();
    let (said, _guard) = Said::listen();
    let back = async |query: &str, cookie: Option<&Cookie<'static>>| {
        ask(&site, Method::GET, &format!("/sign-in/company/signed-out?{query}"), cookie, None).await
    };
    let refused = async |query: &str, cookie: &Cookie<'static>, reason: &str| {
        assert_eq!(back(query, Some(cookie)).await.status, StatusCode::BAD_REQUEST, "{reason}");
        refused_for(&db, &said, reason, query).await;
    };
    refused("", &browser, "state-missing").await;
    refused("state=0000", &browser, "state-unknown").await;
    // The state of a sign-out is none of a sign-in, and the other way round.
    let begun = begin(&site, &evil, "/").await;
    refused(&format!("state={}", begun.asked["state"]), &begun.browser, "state-unknown").await;
    let good = format!("state={}", asked["state"]);
    let done = back(&good, Some(&browser)).await;
    assert_eq!((done.status, done.texts("h1")), (StatusCode::OK, vec!["Signed out".to_owned()]));
    refused(&good, &browser, "state-used").await;
    assert_eq!(reasons(&db).await, ["state-missing", "state-unknown", "state-unknown", "state-used"]);
}

async fn back_channel(site: &Site, body: String) -> Answer {
    // As a server posts it: with neither Origin nor Sec-Fetch-Site.
    let request = TestRequest::post().uri("/sign-in/company/back-channel").set_payload(body);
    (site.0)(request.insert_header(("content-type", "application/x-www-form-urlencoded"))).await
}

#[actix_web::test]
async fn a_provider_ends_sessions_by_a_logout_token_and_by_nothing_else() {
    let (db, evil) = (database().await, Evil::start());
    let site = site_with(&db, &evil).await;
    let cookie = signed_in(&site, &evil).await;
    let good = logout_claims(&evil.issuer, "j-1");
    let (said, _guard) = Said::listen();
    let claims = |claims: Value| Lie { claims, ..Lie::default() };
    for (reason, lie) in [
        ("issuer", claims(json!({ "iss": "https://evil.example" }))),
        ("audience", claims(json!({ "aud": "another" }))),
        ("alg-none", Lie { header: json!({ "alg": "none" }), signed: Signed::Not, ..Lie::default() }),
        ("alg-symmetric", Lie { header: json!({ "alg": "HS256" }), signed: Signed::ClientSecret, ..Lie::default() }),
        ("signature", Lie { signed: Signed::OtherKey, ..Lie::default() }),
        ("logout-event", claims(json!({ "events": null }))),
        ("logout-event", claims(json!({ "events": { "http://schemas.openid.net/event/other": {} } }))),
        ("logout-nonce", claims(json!({ "nonce": "n" }))),
        ("logout-nobody", claims(json!({ "sid": null, "sub": null }))),
        ("logout-id-missing", claims(json!({ "jti": null }))),
        ("issued-missing", claims(json!({ "iat": null }))),
        ("expiry-missing", claims(json!({ "exp": null }))),
        ("expired", claims(json!({ "exp": NOW.unix_timestamp() - 60 }))),
        ("token-type", Lie { header: json!({ "typ": "at+jwt" }), ..Lie::default() }),
    ] {
        evil.lies(lie);
        let answer = back_channel(&site, format!("logout_token={}", evil.token("logout+jwt", &good))).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{reason}");
        assert!(!answer.text.contains(reason), "{reason}: {}", answer.text);
        refused_for(&db, &said, reason, reason).await;
    }
    evil.lies(Lie::default());
    let token = evil.token("logout+jwt", &good);
    for (reason, body) in [
        ("logout-token-missing", String::new()),
        ("token-malformed", "logout_token=".to_owned()),
        ("logout-token-missing", format!("logout_token={token}&logout_token={token}")),
    ] {
        assert_eq!(back_channel(&site, body.clone()).await.status, StatusCode::BAD_REQUEST, "{reason}");
        refused_for(&db, &said, reason, &body).await;
    }
    assert_eq!(get(&site, &cookie, "/account/sessions").await.status, StatusCode::OK);

    let other = evil.token("logout+jwt", &json!({ "sid": "sid-2", "iss": good["iss"], "aud": good["aud"], "iat": good["iat"], "exp": good["exp"], "events": good["events"], "jti": "j-2" }));
    assert_eq!(back_channel(&site, format!("logout_token={other}")).await.status, StatusCode::OK);
    assert_eq!(
        get(&site, &cookie, "/account/sessions").await.status,
        StatusCode::OK,
        "another session of the provider"
    );
    let answer = back_channel(&site, format!("logout_token={token}")).await;
    assert_eq!((answer.status, answer.header("cache-control")), (StatusCode::OK, "no-store"));
    assert_eq!(get(&site, &cookie, "/account/sessions").await.status, StatusCode::SEE_OTHER);
    let again = signed_in(&site, &evil).await;
    assert_eq!(back_channel(&site, format!("logout_token={token}")).await.status, StatusCode::BAD_REQUEST);
    refused_for(&db, &said, "logout-used", "the token again").await;
    let of_person = evil.token("logout+jwt", &json!({ "sub": "42", "iss": good["iss"], "aud": good["aud"], "iat": good["iat"], "exp": good["exp"], "events": good["events"], "jti": "j-3" }));
    assert_eq!(back_channel(&site, format!("logout_token={of_person}")).await.status, StatusCode::OK);
    assert_eq!(get(&site, &again, "/account/sessions").await.status, StatusCode::SEE_OTHER);
    let ended: i64 =
        sqlx::query_scalar("select count(*) from audit_log where act = 'end session'").fetch_one(&db).await.unwrap();
    assert_eq!(ended, 2);
}

#[actix_web::test]
async fn a_one_time_link_lets_an_administrator_in_once() {
    let (db, evil) = (database().await, Evil::start());
    let state = state_with(&db, NOW, vec![settings(&evil)]);
    let site = site_of(state.clone()).await;
    let token = "a".repeat(64);
    let hash = ring::digest::digest(&ring::digest::SHA256, token.as_bytes());
    sqlx::query("insert into admin_link (token_hash, made_by, made_at, expires_at) values ($1, 'root', $2, $3)")
        .bind(hash.as_ref())
        .bind(NOW)
        .bind(NOW + Duration::minutes(15))
        .execute(&db)
        .await
        .unwrap();
    let shown = ask(&site, Method::GET, &format!("/sign-in/link?token={token}"), None, None).await;
    assert_eq!(
        (shown.status, shown.cookie.is_none()),
        (StatusCode::OK, true),
        "to look at the link does not use it up"
    );
    let follow =
        async |token: &str| ask(&site, Method::POST, "/sign-in/link", None, Some(&format!("token={token}"))).await;
    let (said, _guard) = Said::listen();
    assert_eq!(follow("b").await.status, StatusCode::FORBIDDEN);
    refused_for(&db, &said, "link-unknown", "b").await;
    let cookie = follow(&token).await.cookie.unwrap();
    assert!(said.lines().iter().any(|line| line.contains("an administrator signed in by a one-time link")));
    assert_eq!(get(&site, &cookie, "/people").await.status, StatusCode::OK);
    assert_eq!(follow(&token).await.status, StatusCode::FORBIDDEN);
    refused_for(&db, &said, "link-used", "the link again").await;
    assert_eq!(reasons(&db).await, ["link-unknown", "link-used"]);
    let act: (String, String) =
        sqlx::query_as("select actor, actor_kind from audit_log where act = 'sign in by admin link'")
            .fetch_one(&db)
            .await
            .unwrap();
    assert_eq!(act, ("administrator by link 1 of root".to_owned(), "operator".to_owned()));
}

#[actix_web::test]
async fn the_test_page_walks_to_the_provider_and_says_what_fails() {
    let (db, evil) = (database().await, Evil::start());
    let site = site_with(&db, &evil).await;
    let admin = signed_in(&site, &evil).await;
    let walk = async |lie: Lie| {
        evil.lies(lie);
        let answer = ask(&site, Method::POST, "/sign-in/test", Some(&admin), Some("provider=company")).await;
        assert_eq!(answer.status, StatusCode::OK);
        answer
    };
    let good = walk(Lie::default()).await;
    let failing = |answer: &Answer| -> Vec<String> {
        let cells = |of: &str| answer.texts(&format!("#steps tbody {of}"));
        let rows = cells("th").into_iter().zip(cells("td:nth-of-type(1)")).zip(cells("td:nth-of-type(2)"));
        let fails = rows.filter(|((_, result), _)| result == "fails");
        fails.map(|((step, _), words)| format!("{step}: {words}")).collect()
    };
    assert_eq!((failing(&good), good.texts("#steps tbody tr").len()), (Vec::new(), 8), "{}", good.text);
    let metadata = |metadata: Value| Lie { metadata, ..Lie::default() };
    for (lie, step, words) in [
        (metadata(json!({ "issuer": "https://login.example.com" })), "Description", "to the last slash"),
        (metadata(json!({ "scopes_supported": ["openid", "email"] })), "Scopes", "does not have profile"),
        (metadata(json!({ "id_token_signing_alg_values_supported": ["HS256"] })), "Signatures", "by no algorithm"),
        (
            metadata(json!({ "authorization_endpoint": format!("{}/nothing", evil.issuer) })),
            "Client and redirect address",
            "/sign-in/company/callback exactly so",
        ),
        (Lie { keys: Some(json!({ "keys": [] })), ..Lie::default() }, "Keys", "no key"),
    ] {
        let answer = walk(lie).await;
        let rows = failing(&answer);
        assert!(rows.len() == 1 && rows[0].starts_with(step) && rows[0].contains(words), "{step}: {rows:?}");
    }
    // Through the provider and back: what a sign-in would have come to, and nobody is signed in by it.
    let through = async |lie: Lie| {
        evil.lies(lie);
        let way = get(&site, &admin, "/sign-in/test/company").await;
        let asked = read_form(way.header("location").split_once('?').unwrap().1);
        evil.arrives(&asked);
        let before = sessions(&db).await;
        let back = comes_back(&site, &evil.answer_of(&asked["state"]), &[&way.cookie.unwrap(), &admin]).await;
        assert_eq!((back.status, sessions(&db).await), (StatusCode::OK, before));
        back
    };
    let claims = |claims: Value| Lie { claims, ..Lie::default() };
    let back = through(Lie::default()).await;
    assert!(failing(&back).is_empty() && back.text.contains("The role would be Administrator"), "{}", back.text);
    for (lie, words) in [
        (claims(json!({ "aud": "another" })), "compare client_id"),
        (claims(json!({ "exp": NOW.unix_timestamp() - 600 })), "a clock is wrong"),
        (claims(json!({ "groups": null })), "set groups_from to userinfo"),
    ] {
        let back = through(lie).await;
        let rows = failing(&back);
        assert!(rows.len() == 1 && rows[0].contains(words), "{words}: {rows:?}");
    }
}

#[actix_web::test]
async fn an_invitation_is_of_who_first_proves_its_address() {
    let (db, evil) = (database().await, Evil::start());
    let site = site_with(&db, &evil).await;
    sqlx::query("insert into organization (name) values ('Example')").execute(&db).await.unwrap();
    let invited = async || {
        let sql = "select subject from engagement_binding join person using (person_id)";
        let bound: Vec<String> = sqlx::query_scalar(sql).fetch_all(&db).await.unwrap();
        bound
    };
    sqlx::query("insert into engagement (organization_id, created_by) select organization_id, 'x' from organization")
        .execute(&db)
        .await
        .unwrap();
    sqlx::query("insert into engagement_auditor (engagement_id, email, invited_by) select engagement_id, 'ada@example.com', 'x' from engagement")
        .execute(&db)
        .await
        .unwrap();
    for (claims, bound) in [
        (json!({ "sub": "1", "email_verified": false }), vec![]),
        (json!({ "sub": "1", "email_verified": null }), vec![]),
        (json!({ "sub": "2", "email": "Ada@Example.com" }), vec!["2"]),
        (json!({ "sub": "3" }), vec!["2"]),
    ] {
        evil.lies(Lie { claims: claims.clone(), ..Lie::default() });
        signed_in(&site, &evil).await;
        assert_eq!(invited().await, bound, "{claims}");
    }
}

#[actix_web::test]
async fn an_invitation_of_one_provider_is_not_bound_by_the_same_address_at_another() {
    let db = crate::rooms::engaged("sign-in-invited", &[("auditors", "bob@example.com")]).await;
    let (company, other) = (Evil::start(), Evil::start());
    let second = ProviderSettings { name: "auditors".to_owned(), title: "Auditors".to_owned(), ..settings(&other) };
    let site = site_of(state_with(&db, NOW, vec![settings(&company), second])).await;
    let team = signed_in(&site, &company).await;
    let page = get(&site, &team, "/engagements/1").await;
    assert_eq!(page.texts("#provider option"), ["Any of them", "Example Ltd", "Auditors"]);
    let invite = async |form: &str| ask(&site, Method::POST, "/engagements/1/auditors", Some(&team), Some(form)).await;
    let wrong = invite("email=ada@example.com&provider=nobody").await;
    assert_eq!(wrong.texts(".problems a"), ["Choose one of the identity providers, or any of them."]);
    assert!(wrong.text.contains("value=\"ada@example.com\""), "{}", wrong.text);
    assert_eq!(invite("email=ada@example.com&provider=auditors").await.status, StatusCode::SEE_OTHER);
    let shown = get(&site, &team, "/engagements/1").await;
    assert!(shown.text.contains("by auditors alone"), "{}", shown.text);

    let bound = async || {
        let sql = "select p.provider from engagement_binding join person p using (person_id)";
        sqlx::query_scalar::<_, String>(sql).fetch_all(&db).await.unwrap()
    };
    // Ada has the address at both, and it is verified at both.
    signed_in(&site, &company).await;
    assert_eq!(bound().await, Vec::<String>::new());
    let way = ask(&site, Method::GET, "/sign-in/auditors/start", None, None).await;
    let asked = read_form(way.header("location").split_once('?').unwrap().1);
    other.arrives(&asked);
    let query = other.answer_of(&asked["state"]);
    let request = TestRequest::get().uri(&format!("/sign-in/auditors/callback?{query}")).cookie(way.cookie.unwrap());
    let back = (site.0)(request).await;
    assert_eq!(back.status, StatusCode::SEE_OTHER, "{}", back.text);
    assert_eq!(bound().await, ["auditors"]);
}

#[actix_web::test]
async fn the_audit_log_has_the_address_that_a_proxy_of_the_settings_names_and_no_other() {
    let (db, evil) = (database().await, Evil::start());
    let site = site_with(&db, &evil).await;
    for (peer, named) in [("127.0.0.1:4711", "203.0.113.7"), ("198.51.100.9:4711", "198.51.100.9")] {
        let request = TestRequest::get()
            .uri("/sign-in/company/callback?state=0")
            .peer_addr(peer.parse().unwrap())
            .insert_header(("x-forwarded-for", "1.2.3.4, 203.0.113.7"));
        assert_eq!((site.0)(request).await.status, StatusCode::BAD_REQUEST);
        let sql = "select remote from audit_log order by audit_log_id desc limit 1";
        assert_eq!(sqlx::query_scalar::<_, String>(sql).fetch_one(&db).await.unwrap(), named);
    }
}

#[actix_web::test]
async fn behind_https_the_cookies_are_of_https_alone() {
    let (db, evil) = (database().await, Evil::start());
    let state = state_with(&db, NOW, vec![settings(&evil)]);
    let sign_in = SignIn {
        providers: vec![Provider::new(settings(&evil), Some(SECRET.into()))],
        public_url: Some("https://audit.example.com".parse().unwrap()),
        trusted_proxies: Vec::new(),
    };
    let site = site_of(State { sign_in: Arc::new(sign_in), ..state }).await;
    let begun = begin(&site, &evil, "/").await;
    assert_eq!(begun.asked["redirect_uri"], "https://audit.example.com/sign-in/company/callback");
    let cookie = comes_back(&site, &evil.answer_of(&begun.asked["state"]), &[&begun.browser]).await.cookie.unwrap();
    for cookie in [&begun.browser, &cookie] {
        assert!(cookie.name().starts_with("__Host-auditfolio_"), "{cookie}");
        assert!(
            cookie.secure() == Some(true) && cookie.http_only() == Some(true) && cookie.path() == Some("/"),
            "{cookie}"
        );
        assert_eq!(cookie.same_site(), Some(actix_web::cookie::SameSite::Lax), "{cookie}");
    }
}
