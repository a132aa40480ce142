//! What every page shares: rights, sign-in, headers, errors, the day, the scope.

use actix_web::http::{Method, StatusCode};
use actix_web::test::TestRequest;
use auditfolio::State;
use auditfolio::web::{Access, endpoints};
use scraper::{Html, Selector};
use time::Duration;

use crate::bucket::{ACCOUNT, REGION};
use crate::harness::database;
use crate::site::{NOW, ROLES, ask, collected, get, sign_in, site, site_of, state_at};

/// Every route and who may use it. A route that is missing here fails the test.
const RIGHTS: &[(&str, &str, Access)] = &[
    ("GET", "/static/{name}", Access::Everybody),
    ("GET", "/favicon.ico", Access::Everybody),
    ("GET", "/healthz", Access::Everybody),
    ("GET", "/readyz", Access::Everybody),
    ("GET", "/metrics", Access::Everybody),
    ("GET", "/sign-in", Access::Everybody),
    ("POST", "/sign-in", Access::Everybody),
    ("POST", "/sign-out", Access::Everybody),
    ("GET", "/sign-in/link", Access::Everybody),
    ("POST", "/sign-in/link", Access::Everybody),
    ("GET", "/sign-in/test", Access::Administrators),
    ("POST", "/sign-in/test", Access::Administrators),
    ("GET", "/sign-in/test/{name}", Access::Administrators),
    ("GET", "/sign-in/{name}/start", Access::Everybody),
    ("GET", "/sign-in/{name}/callback", Access::Everybody),
    ("GET", "/sign-in/{name}/signed-out", Access::Everybody),
    ("POST", "/sign-in/{name}/back-channel", Access::Everybody),
    ("GET", "/account/sessions", Access::SignedIn),
    ("POST", "/account/sessions/{session_id}/end", Access::SignedIn),
    ("GET", "/account/tokens", Access::SignedIn),
    ("POST", "/account/tokens", Access::SignedIn),
    ("POST", "/account/tokens/{token_id}/end", Access::SignedIn),
    ("GET", "/people/tokens", Access::Administrators),
    ("POST", "/people/tokens/{token_id}/end", Access::Administrators),
    ("GET", "/people", Access::Administrators),
    ("POST", "/people/{person_id}/disable", Access::Administrators),
    ("POST", "/people/{person_id}/enable", Access::Administrators),
    ("POST", "/people/{person_id}/end-sessions", Access::Administrators),
    ("GET", "/", Access::Rooms),
    ("GET", "/accounts", Access::Rooms),
    ("GET", "/accounts/{account_id}", Access::Rooms),
    ("GET", "/rules", Access::Rooms),
    ("GET", "/rules/{core_name}", Access::Rooms),
    ("GET", "/rules/{core_name}/names", Access::Rooms),
    ("GET", "/rule-definitions", Access::Rooms),
    ("GET", "/resources", Access::Rooms),
    ("GET", "/changes", Access::Rooms),
    ("GET", "/evaluations", Access::Rooms),
    ("GET", "/objects", Access::Rooms),
    ("GET", "/delivery", Access::Rooms),
    ("GET", "/scopes", Access::Team),
    ("POST", "/scopes", Access::Makers),
    ("GET", "/scopes/new", Access::Makers),
    ("GET", "/scopes/{name}", Access::Team),
    ("GET", "/scopes/{name}/{scope_definition_id}/end", Access::Makers),
    ("POST", "/scopes/{name}/{scope_definition_id}/end", Access::Makers),
    ("GET", "/engagements", Access::Team),
    ("POST", "/engagements", Access::Makers),
    ("GET", "/engagements/new", Access::Makers),
    ("GET", "/engagements/{engagement_id}", Access::Team),
    ("GET", "/engagements/{engagement_id}/terms", Access::Makers),
    ("POST", "/engagements/{engagement_id}/terms", Access::Makers),
    ("POST", "/engagements/{engagement_id}/close", Access::Makers),
    ("GET", "/engagements/{engagement_id}/log", Access::Team),
    ("POST", "/engagements/{engagement_id}/packs", Access::Makers),
    ("POST", "/engagements/{engagement_id}/packs/{number}/end", Access::Makers),
    ("POST", "/engagements/{engagement_id}/auditors", Access::Makers),
    ("POST", "/engagements/{engagement_id}/auditors/{auditor_id}/end", Access::Makers),
    ("GET", "/rooms", Access::SignedIn),
    ("POST", "/rooms/{engagement_id}", Access::SignedIn),
    ("GET", "/room", Access::Rooms),
    ("GET", "/room/log", Access::Rooms),
    ("GET", "/room/samples", Access::Rooms),
    ("POST", "/room/samples", Access::Rooms),
    ("GET", "/room/samples/{sample_id}", Access::Rooms),
    ("GET", "/room/samples/{sample_id}/population.jsonl", Access::Rooms),
    ("POST", "/room/publish", Access::Rooms),
    ("GET", "/room/requests", Access::Rooms),
    ("POST", "/room/requests", Access::Rooms),
    ("GET", "/room/requests/{number}", Access::Rooms),
    ("POST", "/room/requests/{number}/{act}", Access::Rooms),
    ("GET", "/room/requests/{number}/files/{answer_id}/{name}", Access::Rooms),
    ("GET", "/room/requests/{number}/views/{answer_id}/rows.jsonl", Access::Rooms),
    ("GET", "/engagements/{engagement_id}/requests", Access::Team),
    ("POST", "/engagements/{engagement_id}/requests", Access::Makers),
    ("GET", "/engagements/{engagement_id}/requests/{number}", Access::Team),
    ("POST", "/engagements/{engagement_id}/requests/{number}/answers", Access::Makers),
    ("POST", "/engagements/{engagement_id}/requests/{number}/files/{answer_id}/end", Access::Makers),
    ("GET", "/engagements/{engagement_id}/requests/{number}/files/{answer_id}/{name}", Access::Team),
    ("GET", "/engagements/{engagement_id}/requests/{number}/views/{answer_id}/rows.jsonl", Access::Team),
    ("POST", "/engagements/{engagement_id}/requests/{number}/{act}", Access::Makers),
    ("GET", "/engagements/{engagement_id}/samples/{sample_id}", Access::Team),
    ("GET", "/collections", Access::Team),
    ("GET", "/collections/{collection_id}", Access::Team),
    ("POST", "/collections", Access::Makers),
    ("GET", "/connect", Access::Makers),
    ("POST", "/connect/check", Access::Makers),
    ("GET", "/connect/{name}", Access::Makers),
    ("GET", "/jobs", Access::Team),
    ("GET", "/jobs/{job_id}", Access::Team),
    ("POST", "/jobs/{job_id}/cancel", Access::Makers),
    ("POST", "/jobs/{job_id}/retry", Access::Makers),
    ("GET", "/notices", Access::Team),
    ("GET", "/notices/{notice_id}", Access::Team),
    ("POST", "/notices/{notice_id}/acknowledge", Access::Makers),
    ("GET", "/packs", Access::Rooms),
    ("POST", "/packs", Access::Makers),
    ("GET", "/packs/new", Access::Makers),
    ("GET", "/packs/{pack_id}", Access::Rooms),
    ("GET", "/packs/{pack_id}/pack.pdf", Access::Rooms),
    ("GET", "/packs/{pack_id}/pack.zip", Access::Rooms),
    ("GET", "/packs/{pack_id}/pack.sig", Access::Rooms),
    ("POST", "/packs/{pack_id}/propose", Access::Makers),
    ("POST", "/packs/{pack_id}/return", Access::Makers),
    ("POST", "/packs/{pack_id}/approve", Access::Makers),
    ("POST", "/packs/{pack_id}/supersede", Access::Makers),
    ("POST", "/packs/{pack_id}/withdraw", Access::Makers),
    ("GET", "/conformance-packs", Access::Rooms),
    ("GET", "/conformance-packs/{name}", Access::Rooms),
    ("GET", "/artifact", Access::Team),
    ("GET", "/artifact/agreements", Access::Team),
    ("GET", "/artifact/reports/{report_id}", Access::Team),
    ("POST", "/artifact/reports/{report_id}/kind", Access::Makers),
    ("POST", "/artifact/sync", Access::Makers),
    ("GET", "/artifact/agreements/recorded", Access::Team),
    ("POST", "/artifact/agreements/recorded", Access::Makers),
    ("POST", "/artifact/agreements/recorded/{id}/withdraw", Access::Makers),
    ("GET", "/artifact/agreements/recorded/{id}/{name}", Access::Team),
    ("GET", "/artifact/reports/{report_id}/versions/{version}", Access::Team),
    ("POST", "/artifact/reports/{report_id}/versions/{version}/terms", Access::Makers),
    ("POST", "/artifact/reports/{report_id}/versions/{version}/review", Access::Makers),
    ("GET", "/artifact/terms/{terms_id}", Access::Team),
    ("POST", "/artifact/terms/{terms_id}", Access::Makers),
    ("GET", "/artifact/terms/{terms_id}/{name}", Access::Team),
    ("POST", "/artifact/files/{file_id}/release", Access::Makers),
    ("POST", "/artifact/files/{file_id}/withdraw", Access::Makers),
    ("GET", "/artifact/files/{file_id}/{name}", Access::Rooms),
    ("GET", "/aggregator", Access::Team),
    ("GET", "/results", Access::Team),
    ("POST", "/results/notes", Access::Makers),
    ("GET", "/audit-log", Access::Makers),
    ("GET", "/audit-log/{audit_log_id}", Access::Makers),
    ("GET", "/installation-key.pem", Access::SignedIn),
];

/// An address of a route.
pub(crate) fn example(path: &str) -> String {
    let segment = |part: &str| match part {
        "{name}" => "app.css".to_owned(),
        "{account_id}" => ACCOUNT.to_owned(),
        part if part.starts_with('{') => "1".to_owned(),
        part => part.to_owned(),
    };
    path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

#[actix_web::test]
async fn every_route_is_in_the_table_of_rights_and_keeps_to_it() {
    let db = collected().await;
    let app = site(&db).await;
    let listed: Vec<(String, &str, Access)> =
        RIGHTS.iter().map(|(method, path, access)| ((*method).to_owned(), *path, *access)).collect();
    for endpoint in endpoints() {
        let route = (endpoint.method.to_string(), endpoint.path, endpoint.access);
        assert!(listed.contains(&route), "{route:?} is not in the table of rights");
    }
    assert_eq!(endpoints().len(), listed.len(), "the table of rights names routes that are gone");

    for (method, path, access) in RIGHTS {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let form = (method == Method::POST).then_some("");
        let address = example(path);
        let anonymous = ask(&app, method.clone(), &address, None, form).await;
        let turned_away = match (*access, &method) {
            (Access::Everybody, _) => !matches!(anonymous.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN),
            (_, &Method::GET) => anonymous.header("location").starts_with("/sign-in?next="),
            _ => anonymous.status == StatusCode::UNAUTHORIZED,
        };
        assert!(turned_away, "{method} {address} without sign-in: {}", anonymous.status);
        for role in ROLES {
            let cookie = sign_in(&app, role).await;
            let status = ask(&app, method.clone(), &address, Some(&cookie), form).await.status;
            let refused = match *access {
                // Nobody is invited anywhere here.
                Access::SignedIn if *path == "/rooms/{engagement_id}" => true,
                Access::Everybody | Access::SignedIn => false,
                // Without a room: led to the rooms where there is something to read.
                Access::Rooms => role == "auditor" && method != Method::GET,
                Access::Team => role == "auditor",
                Access::Makers => matches!(role, "auditor" | "viewer"),
                Access::Administrators => role != "administrator",
            };
            assert_eq!(status == StatusCode::FORBIDDEN, refused, "{method} {address} as {role}: {status}");
            assert_ne!(status, StatusCode::UNAUTHORIZED, "{method} {address} as {role}");
            assert!(!status.is_server_error(), "{method} {address} as {role}: {status}");
        }
    }
}

#[actix_web::test]
async fn every_answer_has_the_security_headers() {
    let db = collected().await;
    let app = site(&db).await;
    let cookie = sign_in(&app, "viewer").await;
    let css = get(&app, &cookie, "/delivery").await.text;
    let css = css.split("href=\"/static/app").nth(1).unwrap().split('"').next().unwrap();
    for address in [
        "/delivery",
        "/sign-in",
        "/nowhere",
        "/static/nothing",
        "/delivery?as_of=x",
        "/delivery?format=csv",
        "/jobs",
        "/notices",
        "/notices?format=csv",
        &format!("/static/app{css}"),
    ] {
        let answer = get(&app, &cookie, address).await;
        assert!(
            answer.header("content-security-policy").starts_with("default-src 'none'; style-src 'self'"),
            "{address}"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{address}");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin", "{address}");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin", "{address}");
        assert!(!answer.header("permissions-policy").is_empty(), "{address}");
        assert_eq!(answer.header("x-request-id").len(), 16, "{address}");
        let kept = answer.header("cache-control");
        assert_eq!(kept.contains("immutable"), address.starts_with("/static/app"), "{address}: {kept}");
        assert!(kept.contains("immutable") || kept == "no-store", "{address}: {kept}");
    }
}

#[actix_web::test]
async fn a_form_from_another_site_is_refused_before_its_handler() {
    let db = database().await;
    let app = site(&db).await;
    for headers in [&[("sec-fetch-site", "cross-site")][..], &[("origin", "http://evil.example")], &[]] {
        let mut request = TestRequest::post().uri("/sign-in").set_payload("role=administrator");
        for header in headers {
            request = request.insert_header(*header);
        }
        let answer = (app.0)(request).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert!(answer.cookie.is_none());
    }
    let sessions: i64 = sqlx::query_scalar("select count(*) from session").fetch_one(&db).await.unwrap();
    assert_eq!(sessions, 0);
}

#[actix_web::test]
async fn a_session_is_a_hash_of_its_token_and_ends_idle_old_or_signed_out() {
    let db = collected().await;
    let app = site(&db).await;
    let cookie = sign_in(&app, "viewer").await;
    assert!(cookie.http_only().unwrap());
    assert_eq!(cookie.value().len(), 64, "256 bits");
    let stored: Vec<u8> = sqlx::query_scalar("select token_hash from session").fetch_one(&db).await.unwrap();
    assert_ne!(stored, cookie.value().as_bytes());

    let other = sign_in(&app, "viewer").await;
    assert_ne!(cookie.value(), other.value(), "each sign-in has a token of its own");

    let status = async |after: Duration| {
        let later = site_of(state_at(&db, NOW + after)).await;
        get(&later, &cookie, "/delivery").await.status
    };
    assert_eq!(status(Duration::minutes(119)).await, StatusCode::OK);
    // Asked at 119 minutes, so idle from there on.
    assert_eq!(status(Duration::minutes(238)).await, StatusCode::OK);
    assert_eq!(status(Duration::minutes(359)).await, StatusCode::SEE_OTHER, "idle for two hours");
    for hours in 1..=11 {
        sqlx::query("update session set seen_at = $1").bind(NOW + Duration::hours(hours)).execute(&db).await.unwrap();
    }
    assert_eq!(status(Duration::minutes(12 * 60 - 1)).await, StatusCode::OK);
    assert_eq!(status(Duration::hours(12)).await, StatusCode::SEE_OTHER, "twelve hours old");

    let out = ask(&app, Method::POST, "/sign-out", Some(&other), None).await;
    assert_eq!((out.status, out.header("location")), (StatusCode::SEE_OTHER, "/sign-in"));
    assert_eq!(get(&app, &other, "/delivery").await.status, StatusCode::SEE_OTHER);
    let acts: Vec<String> =
        sqlx::query_scalar("select act from audit_log where actor_kind = 'demo' order by audit_log_id")
            .fetch_all(&db)
            .await
            .unwrap();
    assert_eq!(acts, ["sign in", "sign in", "sign out"]);
}

#[actix_web::test]
async fn without_the_demo_nobody_signs_in_and_demo_sessions_do_not_count() {
    let db = collected().await;
    let demo = site(&db).await;
    let cookie = sign_in(&demo, "administrator").await;
    let app = site_of(State { demo: false, ..state_at(&db, NOW) }).await;
    assert_eq!(ask(&app, Method::POST, "/sign-in", None, Some("role=viewer")).await.status, StatusCode::FORBIDDEN);
    assert_eq!(get(&app, &cookie, "/delivery").await.status, StatusCode::SEE_OTHER);
    assert!(!get(&app, &cookie, "/sign-in").await.text.contains("Demo identity"));
}

#[actix_web::test]
async fn errors_are_pages_that_say_what_to_do_and_never_why() {
    let db = collected().await;
    let app = site(&db).await;
    let cookie = sign_in(&app, "viewer").await;
    let cases = [
        ("/nowhere", StatusCode::NOT_FOUND, "Not found"),
        ("/collections/none", StatusCode::NOT_FOUND, "Not found"),
        ("/collections/999", StatusCode::NOT_FOUND, "Not found"),
        ("/delivery?as_of=2026-11-31", StatusCode::NOT_FOUND, "Not a collected day"),
        ("/delivery?as_of=2027-01-01", StatusCode::NOT_FOUND, "Not a collected day"),
        ("/delivery?format=xlsx", StatusCode::BAD_REQUEST, "Not understood"),
        ("/delivery?state=sunny", StatusCode::BAD_REQUEST, "Not understood"),
        ("/collections/1?after=%5B%22x%22%5D", StatusCode::BAD_REQUEST, "Not understood"),
        // What a page does not know is refused, so that no row is left out or put in unasked.
        ("/delivery?severity=high", StatusCode::BAD_REQUEST, "Not understood"),
        ("/changes?to=2026-11-02", StatusCode::BAD_REQUEST, "Not understood"),
        ("/rules?age=7", StatusCode::BAD_REQUEST, "Not understood"),
        ("/collections/1?severity=high", StatusCode::BAD_REQUEST, "Not understood"),
        ("/jobs?state=sunny", StatusCode::BAD_REQUEST, "Not understood"),
        ("/jobs/999", StatusCode::NOT_FOUND, "Not found"),
        ("/notices?kind=x", StatusCode::BAD_REQUEST, "Not understood"),
        ("/notices/999", StatusCode::NOT_FOUND, "Not found"),
        ("/sign-out", StatusCode::METHOD_NOT_ALLOWED, "Not possible here"),
    ];
    for (address, status, title) in cases {
        let answer = get(&app, &cookie, address).await;
        assert_eq!((answer.status, answer.texts("h1")), (status, vec![title.to_owned()]), "{address}");
        assert_eq!(answer.texts("main code"), [answer.header("x-request-id").to_owned()], "{address}");
        assert_eq!(answer.texts(".demo"), ["Demo identity, not authenticated"], "{address}");
    }
    let nowhere = get(&app, &cookie, "/nowhere?as_of=2026-11-02").await;
    let links = Selector::parse(".sections a, main a").unwrap();
    let page = Html::parse_document(&nowhere.text);
    assert!(page.select(&links).count() >= 9);
    for link in page.select(&links) {
        assert!(link.attr("href").unwrap().ends_with("?as_of=2026-11-02"), "{}", link.html());
    }
    let range = get(&app, &cookie, "/delivery?as_of=2027-01-01").await.text;
    assert!(range.contains("1 Nov 2026 to 4 Nov 2026"), "{range}");

    let bad_form = ask(&app, Method::POST, "/sign-in", None, Some("%ff=%ff")).await;
    assert_eq!((bad_form.status, bad_form.texts("h1")), (StatusCode::BAD_REQUEST, vec!["Not understood".to_owned()]));
    let large = "x".repeat(100_000);
    let large = ask(&app, Method::POST, "/sign-in", None, Some(&format!("role={large}"))).await;
    assert!(large.status.is_client_error());
    assert_eq!(large.texts("h1").len(), 1);

    sqlx::query("drop table object_outcome").execute(&db).await.unwrap();
    let failed = get(&app, &cookie, "/collections/1").await;
    assert_eq!(
        (failed.status, failed.texts("h1")),
        (StatusCode::INTERNAL_SERVER_ERROR, vec!["Something failed".to_owned()])
    );
    assert!(!failed.text.contains("object_outcome") && !failed.text.contains("relation"), "{}", failed.text);
}

#[actix_web::test]
async fn an_empty_store_says_what_to_do() {
    let db = database().await;
    let app = site(&db).await;
    let cookie = sign_in(&app, "viewer").await;
    let delivery = get(&app, &cookie, "/delivery").await;
    assert_eq!((delivery.status, delivery.texts("h1")), (StatusCode::OK, vec!["Nothing collected yet".to_owned()]));
    assert!(delivery.text.contains("auditfolio collect --from FOLDER"));
    for (address, what) in
        [("/collections", "No collections yet"), ("/jobs", "No jobs yet"), ("/notices", "No notices")]
    {
        assert_eq!(get(&app, &cookie, address).await.texts(".empty__what"), [what]);
    }
}

#[actix_web::test]
async fn the_as_of_day_is_in_the_page_and_in_every_link() {
    let db = collected().await;
    let app = site(&db).await;
    let cookie = sign_in(&app, "viewer").await;
    let latest = get(&app, &cookie, "/delivery").await;
    assert_eq!(latest.texts(".asof__latest"), ["latest, 4 Nov 2026 (UTC)"]);
    let earlier = get(&app, &cookie, "/delivery?as_of=2026-11-02&region=eu-central-1").await;
    assert_eq!(earlier.texts(".asof__latest"), ["not the latest; latest is 4 Nov 2026"]);
    let page = Html::parse_document(&earlier.text);
    let links = Selector::parse(".sections a, .table a, .bar a").unwrap();
    for link in page.select(&links) {
        let href = link.attr("href").unwrap();
        assert!(href.contains("as_of=2026-11-"), "{href}");
    }
    let kept = Selector::parse(".asof input[type=hidden]").unwrap();
    let kept: Vec<_> =
        page.select(&kept).map(|input| (input.attr("name").unwrap(), input.attr("value").unwrap())).collect();
    assert_eq!(kept, [("region", "eu-central-1")]);
}

#[actix_web::test]
async fn the_scope_goes_from_section_to_section() {
    let db = collected().await;
    let app = site(&db).await;
    let cookie = sign_in(&app, "viewer").await;
    let page = get(&app, &cookie, &format!("/accounts?account={ACCOUNT}&region={REGION}&sort=account")).await;
    assert_eq!(page.texts(".bar__scope bdi"), [format!("{ACCOUNT}, {REGION}")]);
    let html = Html::parse_document(&page.text);
    let links: Vec<&str> =
        html.select(&Selector::parse(".sections a").unwrap()).map(|link| link.attr("href").unwrap()).collect();
    let scoped = format!("account={ACCOUNT}&region={REGION}");
    assert_eq!(links.iter().filter(|href| href.contains(&scoped)).count(), 6, "{links:?}");
    for href in links {
        assert!(!href.contains("sort="), "{href}");
        assert_eq!(get(&app, &cookie, href).await.status, StatusCode::OK, "{href}");
    }
    let all = html.select(&Selector::parse(".bar__scope a").unwrap()).next().unwrap().attr("href").unwrap();
    assert_eq!(all, "/accounts?sort=account");
}

#[actix_web::test]
async fn every_page_says_where_completeness_is_not_established() {
    let db = collected().await;
    let app = site(&db).await;
    let cookie = sign_in(&app, "administrator").await;
    let pages: Vec<String> = endpoints()
        .iter()
        .filter(|endpoint| endpoint.method == Method::GET)
        .filter(|endpoint| !matches!(endpoint.access, Access::Everybody | Access::SignedIn))
        .map(|endpoint| example(endpoint.path))
        .collect();
    let notices = async |why: &str| {
        let mut with = 0;
        for address in &pages {
            let answer = get(&app, &cookie, address).await;
            let page = answer.status == StatusCode::OK && answer.header("content-type").starts_with("text/html");
            let said = answer.texts("main > .note");
            let is_said = said.iter().any(|note| note.contains("not established") && note.contains(why));
            with += usize::from(page && is_said);
            assert!(!page || is_said || why.is_empty(), "{address}: {said:?}");
        }
        with
    };
    assert!(notices("neither an account list nor a list of Regions").await > 8);
    sqlx::query(
        "insert into account_list (organization_id, collection_id, listed_on, source, sha256)
         select organization_id, 1, '2026-11-01', 'accounts.json', sha256('a') from organization",
    )
    .execute(&db)
    .await
    .unwrap();
    assert!(notices("no list of Regions was read").await > 8, "one list is not enough");
    sqlx::query(
        "insert into region_list (organization_id, collection_id, listed_on, regions)
         select organization_id, 1, '2026-11-01', '{eu-central-1}' from organization",
    )
    .execute(&db)
    .await
    .unwrap();
    assert_eq!(notices("").await, 0);
}

#[actix_web::test]
async fn every_page_is_well_made() {
    let db = collected().await;
    let app = site(&db).await;
    let cookie = sign_in(&app, "administrator").await;
    let mut titles = std::collections::BTreeSet::new();
    for endpoint in endpoints() {
        if endpoint.method != Method::GET || endpoint.path.starts_with("/static") {
            continue;
        }
        let address = example(endpoint.path);
        let answer = get(&app, &cookie, &address).await;
        if answer.status != StatusCode::OK || !answer.header("content-type").starts_with("text/html") {
            continue;
        }
        let page = Html::parse_document(&answer.text);
        let all = |selector: &str| page.select(&Selector::parse(selector).unwrap()).count();
        assert!(titles.insert(answer.texts("title").concat()), "{address}: the title is another page's");
        assert_eq!(all("h1"), 1, "{address}");
        assert_eq!(all("main"), 1, "{address}");
        assert_eq!(all("script") + all("[style]") + all("style") + all("[onclick]"), 0, "{address}");
        assert_eq!(
            all("table") - all("table > caption, [role=region][aria-label] > table"),
            0,
            "{address}: a table without a name"
        );
        assert_eq!(all("thead th:not([scope=col])") + all("tbody th:not([scope=row])"), 0, "{address}");
        assert!(answer.text.len() < 100_000, "{address}: {} bytes", answer.text.len());
        for field in page.select(&Selector::parse("input:not([type=hidden]), select, textarea").unwrap()) {
            let id = field.attr("id").unwrap_or_default();
            let named = all(&format!("label[for=\"{id}\"]")) == 1
                || field
                    .ancestors()
                    .any(|parent| parent.value().as_element().is_some_and(|element| element.name() == "label"));
            assert!(named, "{address}: {} has no label", field.html());
        }
    }
    assert!(titles.len() >= 4, "{titles:?}");
}

#[actix_web::test]
async fn the_style_sheet_stays_small() {
    assert!(include_str!("../../static/app.css").len() < 30_000);
}
