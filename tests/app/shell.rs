//! What stands around every page, in this process: headers, same-site, limits, health and metrics.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::HeaderMap;
use actix_web::http::{Method, StatusCode};
use actix_web::test::TestRequest;
use auditfolio::State;
use auditfolio::people::SignIn;
use auditfolio::settings::{Command, Settings};
use auditfolio::web::{Access, Gate, endpoints};
use clap::Parser as _;
use sqlx::PgPool;

use crate::harness::database;
use crate::site::{Answer, NOW, Site, ask, collected, get, sign_in, site, site_of, state_at};
use crate::web::example;

/// What every answer has, whatever it is.
const HEADERS: [(&str, &str); 6] = [
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ("x-frame-options", "DENY"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
];

fn looks_hard(answer: &Answer, what: &str) {
    for (name, value) in HEADERS {
        assert_eq!(answer.header(name), value, "{what}: {name}");
    }
    let policy = answer.header("content-security-policy");
    for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"] {
        assert!(policy.split("; ").any(|one| one == part), "{what}: {policy}");
    }
    assert!(!policy.contains("unsafe"), "{what}: {policy}");
    assert_eq!(answer.header("x-request-id").len(), 16, "{what}");
    let is_asset = answer.status == StatusCode::OK && (what.contains("/static/app") || what.contains("/favicon"));
    assert_eq!(answer.header("cache-control") == "no-store", !is_asset, "{what}: {}", answer.header("cache-control"));
    assert!(answer.text.is_empty() || !answer.header("content-type").is_empty(), "{what}");
    assert_eq!(answer.header("strict-transport-security"), "", "{what}: this is plain HTTP");
    for leak in ["server", "x-powered-by", "access-control-allow-origin"] {
        assert_eq!(answer.header(leak), "", "{what}");
    }
}

#[actix_web::test]
async fn every_route_answers_with_the_headers_whatever_comes_of_it() {
    let db = collected().await;
    let app = site(&db).await;
    let cookie = sign_in(&app, "administrator").await;
    let mut seen = std::collections::BTreeSet::new();
    for endpoint in endpoints() {
        let address = example(endpoint.path);
        let form = (endpoint.method == Method::POST).then_some("x=1");
        for (who, cookie) in [("nobody", None), ("administrator", Some(&cookie))] {
            // An end of the session would end the test.
            if ["/sign-out", "/account/sessions/{session_id}/end"].contains(&endpoint.path) {
                continue;
            }
            let answer = ask(&app, endpoint.method.clone(), &address, cookie, form).await;
            looks_hard(&answer, &format!("{} {address} as {who}: {}", endpoint.method, answer.status));
            seen.insert(answer.status.as_u16());
        }
        let other = ask(&app, Method::DELETE, &address, Some(&cookie), None).await;
        looks_hard(&other, &format!("DELETE {address}: {}", other.status));
        seen.insert(other.status.as_u16());
    }
    let page = get(&app, &cookie, "/delivery").await.text;
    let css = page.split("href=\"/static/app").nth(1).unwrap().split('"').next().unwrap();
    let large = TestRequest::post().uri("/sign-in").insert_header(("sec-fetch-site", "same-origin"));
    let large = large.insert_header(("content-length", "99999999"));
    let long = TestRequest::get().uri("/rules").insert_header(("accept", "x".repeat(40_000)));
    for (what, answer) in [
        (format!("/static/app{css}"), get(&app, &cookie, &format!("/static/app{css}")).await),
        ("/evaluations?format=csv".to_owned(), get(&app, &cookie, "/evaluations?format=csv").await),
        ("/nowhere".to_owned(), get(&app, &cookie, "/nowhere").await),
        ("/rules?as_of=never".to_owned(), get(&app, &cookie, "/rules?as_of=never").await),
        ("too much".to_owned(), (app.0)(large).await),
        ("too long".to_owned(), (app.0)(long).await),
    ] {
        looks_hard(&answer, &what);
        seen.insert(answer.status.as_u16());
    }
    db.close().await;
    let away = get(&app, &cookie, "/rules").await;
    looks_hard(&away, "the database is away");
    assert_eq!((away.status, away.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "10"));
    assert!(away.text.contains("The database does not answer.") && away.text.contains("Request id"), "{}", away.text);
    for status in [200, 303, 400, 401, 403, 404, 405, 413, 431] {
        assert!(seen.contains(&status), "no answer was {status}: {seen:?}");
    }
}

#[actix_web::test]
async fn every_form_refuses_what_no_page_of_the_portal_sent() {
    let db = collected().await;
    let app = site(&db).await;
    let cookie = sign_in(&app, "administrator").await;
    let acts = async || -> i64 { sqlx::query_scalar("select count(*) from audit_log").fetch_one(&db).await.unwrap() };
    let before = acts().await;
    let foreign: [&[(&str, &str)]; 8] = [
        &[],
        &[("origin", "http://evil.example")],
        &[("origin", "null")],
        &[("origin", "http://localhost.evil.example:8080"), ("host", "localhost:8080")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "none")],
        &[("origin", "http://evil.example"), ("content-type", "text/plain")],
    ];
    // A provider's own server posts to its back channel; the token that it brings is the proof.
    let by_token = "/sign-in/{name}/back-channel";
    let unsafe_ones =
        endpoints().into_iter().filter(|endpoint| endpoint.method != Method::GET && endpoint.path != by_token);
    let mut tried = 0;
    for endpoint in unsafe_ones {
        for headers in foreign {
            let mut request = TestRequest::default().method(endpoint.method.clone()).uri(&example(endpoint.path));
            for header in headers.iter().copied() {
                request = request.insert_header(header);
            }
            if !headers.iter().any(|(name, _)| *name == "content-type") {
                request = request.insert_header(("content-type", "application/x-www-form-urlencoded"));
            }
            let answer = (app.0)(request.cookie(cookie.clone()).set_payload("role=administrator")).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{} {headers:?}", endpoint.path);
            assert!(answer.text.contains("This was sent from another site."), "{}", answer.text);
            tried += 1;
        }
    }
    assert!(tried > 100, "{tried}");
    assert_eq!(acts().await, before, "nothing was done");
}

/// What Mozilla's Observatory gives an answer for what it shows, by its published scores:
/// <https://github.com/mozdevs/mdn-http-observatory>. What only a public name shows (preloading, redirection) is left out.
fn observatory(page: &Answer, cookies: &[String]) -> i32 {
    let policy = page.header("content-security-policy");
    let (mut score, mut bonus) = (100, 0);
    if policy.is_empty() {
        score -= 25;
    } else if policy.contains("unsafe-inline") || policy.contains("unsafe-eval") {
        score -= 20;
    } else if policy.contains("default-src 'none'") {
        bonus += 10;
    }
    let age = page.header("strict-transport-security").split(';').find_map(|part| part.trim().strip_prefix("max-age="));
    match age.and_then(|age| age.parse::<u64>().ok()) {
        None => score -= 20,
        Some(age) if age < 15_552_000 => score -= 10,
        Some(_) => {}
    }
    if policy.contains("frame-ancestors") {
        bonus += 5;
    } else if page.header("x-frame-options").is_empty() {
        score -= 20;
    }
    if page.header("x-content-type-options") != "nosniff" {
        score -= 5;
    }
    if page.header("access-control-allow-origin") == "*" {
        score -= 50;
    }
    if page.text.contains("<script src=\"http") {
        score -= 50;
    }
    let has = |cookie: &str, word: &str| cookie.split("; ").any(|part| part.starts_with(word));
    for cookie in cookies {
        score -= if has(cookie, "Secure") { 0 } else { 40 };
        score -= if has(cookie, "HttpOnly") { 0 } else { 30 };
    }
    if !cookies.is_empty() && cookies.iter().all(|cookie| has(cookie, "SameSite")) {
        bonus += 5;
    }
    if score >= 90 { score + bonus } else { score }
}

#[actix_web::test]
async fn behind_https_the_portal_scores_what_an_observatory_can_see_of_it() {
    let db = collected().await;
    let trusted_proxies = vec!["192.0.2.1".parse().unwrap()];
    let sign_in = Arc::new(SignIn { trusted_proxies, ..SignIn::default() });
    let app = site_of(State { sign_in, ..state_at(&db, NOW) }).await;
    let https_by = |request: TestRequest, proxy: &str| {
        request.peer_addr(proxy.parse().unwrap()).insert_header(("x-forwarded-proto", "https"))
    };
    let by_another = (app.0)(https_by(TestRequest::get().uri("/sign-in"), "192.0.2.2:4711")).await;
    assert_eq!(by_another.header("strict-transport-security"), "", "only a proxy of the settings is believed");
    let https = |request: TestRequest| https_by(request, "192.0.2.1:4711");
    let signed = https(TestRequest::post().uri("/sign-in")).insert_header(("sec-fetch-site", "same-origin"));
    let signed = (app.0)(signed.set_form([("role", "viewer")])).await;
    let cookies: Vec<String> =
        signed.headers.get_all("set-cookie").map(|cookie| cookie.to_str().unwrap().to_owned()).collect();
    assert!(cookies.len() == 1 && cookies[0].starts_with("__Host-"), "{cookies:?}");
    let session = signed.cookie.clone().unwrap();
    for address in ["/sign-in", "/", "/rules", "/nowhere"] {
        let page = (app.0)(https(TestRequest::get().uri(address)).cookie(session.clone())).await;
        assert_eq!(page.header("strict-transport-security"), "max-age=31536000; includeSubDomains", "{address}");
        let score = observatory(&page, &cookies);
        println!("{address}: {score}");
        assert!(score >= 115, "{address}: {score}");
    }
    let bare = Answer { status: StatusCode::OK, headers: HeaderMap::default(), text: String::new(), cookie: None };
    assert_eq!(observatory(&bare, &["a=b".to_owned()]), -40, "the scores can fall");
}

/// A state with the limits of these arguments.
async fn limited(db: &PgPool, arguments: &[&str]) -> State {
    let settings = Settings::try_parse_from([&["auditfolio", "serve"], arguments].concat()).unwrap();
    let Command::Serve(args) = settings.command else { panic!("it serves") };
    let gate = Arc::new(Gate::new(&args.gate, &args.schedule.aws).await.unwrap());
    State { gate, ..state_at(db, NOW) }
}

fn is_too_many(answer: &Answer) -> bool {
    let seconds: u64 = answer.header("retry-after").parse().unwrap_or_default();
    answer.status == StatusCode::TOO_MANY_REQUESTS
        && answer.text.contains("Too many requests")
        && (1..=3600).contains(&seconds)
        && answer.text.contains(&format!(
            "Try again in {}",
            auditfolio::web::format::plural(seconds.try_into().unwrap(), "second")
        ))
}

#[actix_web::test]
async fn who_asks_too_often_is_told_when_to_come_back_and_others_are_not() {
    let db = collected().await;
    let limits = ["--limit-downloads", "2/1h", "--limit-changes", "3/1h", "--limit-sign-in", "6/1h"];
    let app = site_of(limited(&db, &limits).await).await;
    let (viewer, manager) = (sign_in(&app, "viewer").await, sign_in(&app, "compliance-manager").await);
    for _ in 0..2 {
        assert_eq!(get(&app, &viewer, "/rules?format=csv").await.status, StatusCode::OK);
    }
    assert!(is_too_many(&get(&app, &viewer, "/accounts?format=jsonl").await));
    assert_eq!(get(&app, &viewer, "/accounts").await.status, StatusCode::OK, "pages go on");
    assert_eq!(get(&app, &manager, "/rules?format=csv").await.status, StatusCode::OK, "another's");
    for _ in 0..3 {
        let asked = ask(&app, Method::POST, "/packs", Some(&manager), Some("title=")).await;
        assert_eq!(asked.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    assert!(is_too_many(&ask(&app, Method::POST, "/packs", Some(&manager), Some("title=")).await));

    let from = |address: &str, method: Method| {
        let peer: SocketAddr = address.parse().unwrap();
        TestRequest::default()
            .method(method)
            .uri("/sign-in")
            .peer_addr(peer)
            .insert_header(("sec-fetch-site", "same-origin"))
    };
    for _ in 0..6 {
        let tried = (app.0)(from("192.0.2.1:1", Method::POST).set_form([("role", "nobody")])).await;
        assert_eq!(tried.status, StatusCode::BAD_REQUEST);
    }
    assert!(is_too_many(&(app.0)(from("192.0.2.1:2", Method::POST).set_form([("role", "viewer")])).await));
    assert_eq!((app.0)(from("192.0.2.1:3", Method::GET)).await.status, StatusCode::OK, "the form itself");
    assert_eq!(
        (app.0)(from("192.0.2.2:1", Method::POST).set_form([("role", "viewer")])).await.status,
        StatusCode::SEE_OTHER
    );
}

async fn bare(app: &Site, address: &str) -> Answer {
    ask(app, Method::GET, address, None, None).await
}

#[actix_web::test]
async fn health_and_readiness_say_what_is_missing_and_nothing_of_the_inside() {
    let db = database().await;
    let state = state_at(&db, NOW);
    let stopping = state.gate.stopping.clone();
    let app = site_of(state).await;
    let ready = bare(&app, "/readyz").await;
    assert_eq!((ready.status, ready.header("content-type")), (StatusCode::OK, "text/plain; charset=utf-8"));
    assert_eq!(ready.text, "program: serves\ndatabase: answers\nmigrations: in force\n");
    stopping.cancel();
    let ready = bare(&app, "/readyz").await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(ready.text.starts_with("program: stops\n"), "{}", ready.text);

    sqlx::query("delete from _sqlx_migrations where version = (select max(version) from _sqlx_migrations)")
        .execute(&db)
        .await
        .unwrap();
    let due = bare(&site(&db).await, "/readyz").await;
    assert_eq!(due.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(due.text, "program: serves\ndatabase: answers\nmigrations: due\n");
    db.close().await;
    let app = site(&db).await;
    let away = bare(&app, "/readyz").await;
    assert_eq!(away.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(away.text, "program: serves\ndatabase: does not answer\nmigrations: not known\n");
    let alive = bare(&app, "/healthz").await;
    assert_eq!((alive.status, alive.text.as_str()), (StatusCode::OK, "alive\n"));
}

#[actix_web::test]
async fn metrics_are_for_who_has_the_token_and_count_by_route() {
    let db = collected().await;
    let app = site_of(limited(&db, &["--metrics-token", "geheim-7"]).await).await;
    let cookie = sign_in(&app, "viewer").await;
    get(&app, &cookie, "/rules/s3-bucket?as_of=2026-11-05").await;
    get(&app, &cookie, "/wp-admin%22%7D%201").await;
    get(&app, &cookie, "/rules?format=csv").await;
    let asked = async |header: Option<&str>| {
        let mut request = TestRequest::get().uri("/metrics");
        if let Some(header) = header {
            request = request.insert_header(("authorization", header));
        }
        (app.0)(request).await
    };
    for wrong in [None, Some("Bearer geheim-8"), Some("Basic geheim-7"), Some("Bearer ")] {
        let refused = asked(wrong).await;
        assert_eq!(
            (refused.status, refused.header("www-authenticate")),
            (StatusCode::UNAUTHORIZED, "Bearer"),
            "{wrong:?}"
        );
        assert!(!refused.text.contains("http_route"), "{wrong:?}");
    }
    let metrics = asked(Some("Bearer geheim-7")).await;
    assert_eq!(metrics.status, StatusCode::OK);
    for line in [
        "# TYPE http_server_request_duration_seconds histogram",
        "http_server_request_duration_seconds_count{http_request_method=\"GET\",http_route=\"/rules/{core_name}\",http_response_status_code=\"404\"} 1",
        "http_server_request_duration_seconds_count{http_request_method=\"GET\",http_route=\"\",http_response_status_code=\"404\"} 1",
        "auditfolio_downloads_total 1",
        "auditfolio_database_up 1",
        "auditfolio_collections{state=\"finished\"} 1",
        "auditfolio_sessions 1",
    ] {
        assert!(metrics.text.lines().any(|one| one == line), "{line}: {}", metrics.text);
    }
    for line in metrics.text.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(value.parse::<f64>().is_ok() && name.starts_with(|first: char| first.is_ascii_lowercase()), "{line}");
    }
    assert!(!metrics.text.contains("wp-admin") && !metrics.text.contains("s3-bucket"), "{}", metrics.text);
    assert_eq!(
        bare(&site(&db).await, "/metrics").await.status,
        StatusCode::NOT_FOUND,
        "without a token it is not there"
    );
    assert!(endpoints().iter().any(|endpoint| endpoint.path == "/metrics" && endpoint.access == Access::Everybody));
}

#[actix_web::test]
async fn a_page_that_takes_too_long_is_given_up_with_a_page() {
    let db = collected().await;
    let app = site_of(limited(&db, &["--page-time", "1s"]).await).await;
    let cookie = sign_in(&app, "viewer").await;
    let mut lock = db.begin().await.unwrap();
    sqlx::query("lock table session in access exclusive mode").execute(&mut *lock).await.unwrap();
    let begun = std::time::Instant::now();
    let request = TestRequest::get().uri("/rules").cookie(cookie.clone());
    let late = (app.0)(request).await;
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    looks_hard(&late, "too late");
    assert_eq!((late.status, late.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "10"));
    assert!(late.text.contains("The answer took too long.") && late.text.contains("Request id"), "{}", late.text);
    lock.rollback().await.unwrap();
    assert_eq!(get(&app, &cookie, "/rules").await.status, StatusCode::OK);
}
