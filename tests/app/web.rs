//! What every page shares: rights, sign-in, headers, errors, and the pages of delivery and collections.

use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};

use actix_web::body::MessageBody;
use actix_web::cookie::Cookie;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::header::HeaderMap;
use actix_web::http::{Method, StatusCode};
use actix_web::test::{self, TestRequest};
use auditfolio::State;
use auditfolio::clock::Clock;
use auditfolio::web::{Access, app, endpoints};
use futures_util::future::LocalBoxFuture;
use scraper::{Html, Selector};
use sqlx::PgPool;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use crate::bucket::{ACCOUNT, Bucket, REGION};
use crate::collection::collect;
use crate::harness::database;

const NOW: OffsetDateTime = datetime!(2026-11-07 12:00 UTC);
const ROLES: [&str; 3] = ["auditor", "compliance-manager", "administrator"];

fn state_at(db: &PgPool, now: OffsetDateTime) -> State {
    State { db: db.clone(), memo: auditfolio::compliance::memo::Memo::default(), clock: Clock::Fixed(now), demo: true }
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
    cookie: Option<Cookie<'static>>,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    fn texts(&self, selector: &str) -> Vec<String> {
        let words = |element: scraper::ElementRef<'_>| {
            element.text().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
        };
        Html::parse_document(&self.text).select(&Selector::parse(selector).unwrap()).map(words).collect()
    }
}

/// The app, called in this process.
struct Site(Box<dyn Fn(TestRequest) -> LocalBoxFuture<'static, Answer>>);

async fn site_of(state: State) -> Site {
    let app = Rc::new(test::init_service(app(state)).await);
    Site(Box::new(move |request| {
        let app = Rc::clone(&app);
        Box::pin(async move { answer(app.call(request.to_request()).await.unwrap()).await })
    }))
}

async fn site(db: &PgPool) -> Site {
    site_of(state_at(db, NOW)).await
}

/// Sends one request, as a browser on one of the portal's own pages would.
async fn ask(
    site: &Site,
    method: Method,
    address: &str,
    cookie: Option<&Cookie<'static>>,
    form: Option<&str>,
) -> Answer {
    let mut request =
        TestRequest::default().method(method).uri(address).insert_header(("sec-fetch-site", "same-origin"));
    if let Some(cookie) = cookie {
        request = request.cookie(cookie.clone());
    }
    if let Some(form) = form {
        request =
            request.insert_header(("content-type", "application/x-www-form-urlencoded")).set_payload(form.to_owned());
    }
    (site.0)(request).await
}

async fn answer<B: MessageBody>(response: ServiceResponse<B>) -> Answer {
    let cookie = response.response().cookies().next().map(Cookie::into_owned);
    let (status, headers) = (response.status(), response.headers().clone());
    let body = test::read_body(response).await;
    Answer { status, headers, cookie, text: String::from_utf8_lossy(&body).into_owned() }
}

async fn get(site: &Site, cookie: &Cookie<'static>, address: &str) -> Answer {
    ask(site, Method::GET, address, Some(cookie), None).await
}

async fn sign_in(site: &Site, role: &str) -> Cookie<'static> {
    let answer = ask(site, Method::POST, "/sign-in", None, Some(&format!("role={role}&next=/delivery"))).await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/delivery"));
    answer.cookie.unwrap()
}

/// Three days of one place, the second one missing, and an object that cannot be read.
async fn collected() -> PgPool {
    // A folder of its own for each test: they run at once.
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let db = database().await;
    let bucket = Bucket::new(&format!("web-{}", COUNT.fetch_add(1, Ordering::Relaxed)));
    bucket.snapshot(
        1,
        5,
        &[("bucket-a", &[("s3-encrypted", "COMPLIANT")]), ("bucket-b", &[("s3-encrypted", "NON_COMPLIANT")])],
    );
    bucket.snapshot(3, 5, &[("bucket-a", &[("s3-encrypted", "NON_COMPLIANT")])]);
    bucket.put(&crate::bucket::snapshot_name(ACCOUNT, REGION, 4, 5), b"no gzip");
    collect(&db, &bucket).await;
    db
}

/// Every route and who may use it. A route that is missing here fails the test.
const RIGHTS: &[(&str, &str, Access)] = &[
    ("GET", "/static/{name}", Access::Everybody),
    ("GET", "/favicon.ico", Access::Everybody),
    ("GET", "/sign-in", Access::Everybody),
    ("POST", "/sign-in", Access::Everybody),
    ("POST", "/sign-out", Access::Everybody),
    ("GET", "/", Access::SignedIn),
    ("GET", "/accounts", Access::SignedIn),
    ("GET", "/accounts/{account_id}", Access::SignedIn),
    ("GET", "/rules", Access::SignedIn),
    ("GET", "/rules/{core_name}", Access::SignedIn),
    ("GET", "/rule-definitions", Access::SignedIn),
    ("GET", "/resources", Access::SignedIn),
    ("GET", "/changes", Access::SignedIn),
    ("GET", "/evaluations", Access::SignedIn),
    ("GET", "/delivery", Access::SignedIn),
    ("GET", "/collections", Access::SignedIn),
    ("GET", "/collections/{collection_id}", Access::SignedIn),
    ("GET", "/scopes", Access::SignedIn),
    ("POST", "/scopes", Access::Makers),
    ("GET", "/scopes/new", Access::Makers),
    ("GET", "/scopes/{scope_definition_id}/end", Access::Makers),
    ("POST", "/scopes/{scope_definition_id}/end", Access::Makers),
    ("GET", "/jobs/{job_id}", Access::SignedIn),
    ("GET", "/packs", Access::SignedIn),
    ("POST", "/packs", Access::Makers),
    ("GET", "/packs/new", Access::Makers),
    ("GET", "/packs/{pack_id}", Access::SignedIn),
    ("GET", "/packs/{pack_id}/pack.pdf", Access::SignedIn),
    ("GET", "/packs/{pack_id}/pack.zip", Access::SignedIn),
    ("GET", "/packs/{pack_id}/pack.sig", Access::SignedIn),
    ("GET", "/installation-key.pem", Access::SignedIn),
];

/// An address of a route.
fn example(path: &str) -> String {
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
            let refused = *access == Access::Makers && role == "auditor";
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
    let cookie = sign_in(&app, "auditor").await;
    let css = get(&app, &cookie, "/delivery").await.text;
    let css = css.split("href=\"/static/app").nth(1).unwrap().split('"').next().unwrap();
    for address in [
        "/delivery",
        "/sign-in",
        "/nowhere",
        "/static/nothing",
        "/delivery?as_of=x",
        "/delivery?format=csv",
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
    let cookie = sign_in(&app, "auditor").await;
    assert!(cookie.http_only().unwrap());
    assert_eq!(cookie.value().len(), 64, "256 bits");
    let stored: Vec<u8> = sqlx::query_scalar("select token_hash from session").fetch_one(&db).await.unwrap();
    assert_ne!(stored, cookie.value().as_bytes());

    let other = sign_in(&app, "auditor").await;
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
    assert_eq!(ask(&app, Method::POST, "/sign-in", None, Some("role=auditor")).await.status, StatusCode::FORBIDDEN);
    assert_eq!(get(&app, &cookie, "/delivery").await.status, StatusCode::SEE_OTHER);
    assert!(!get(&app, &cookie, "/sign-in").await.text.contains("Demo identity"));
}

#[actix_web::test]
async fn errors_are_pages_that_say_what_to_do_and_never_why() {
    let db = collected().await;
    let app = site(&db).await;
    let cookie = sign_in(&app, "auditor").await;
    let cases = [
        ("/nowhere", StatusCode::NOT_FOUND, "Not found"),
        ("/collections/none", StatusCode::NOT_FOUND, "Not found"),
        ("/collections/999", StatusCode::NOT_FOUND, "Not found"),
        ("/delivery?as_of=2026-11-31", StatusCode::NOT_FOUND, "Not a collected day"),
        ("/delivery?as_of=2027-01-01", StatusCode::NOT_FOUND, "Not a collected day"),
        ("/delivery?format=xlsx", StatusCode::BAD_REQUEST, "Not understood"),
        ("/delivery?state=sunny", StatusCode::BAD_REQUEST, "Not understood"),
        ("/collections/1?after=%5B%22x%22%5D", StatusCode::BAD_REQUEST, "Not understood"),
        ("/sign-out", StatusCode::METHOD_NOT_ALLOWED, "Not possible here"),
    ];
    for (address, status, title) in cases {
        let answer = get(&app, &cookie, address).await;
        assert_eq!((answer.status, answer.texts("h1")), (status, vec![title.to_owned()]), "{address}");
        assert_eq!(answer.texts("main code"), [answer.header("x-request-id").to_owned()], "{address}");
        assert_eq!(answer.texts(".demo"), ["Demo identity, not authenticated"], "{address}");
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
    let cookie = sign_in(&app, "auditor").await;
    let delivery = get(&app, &cookie, "/delivery").await;
    assert_eq!((delivery.status, delivery.texts("h1")), (StatusCode::OK, vec!["Nothing collected yet".to_owned()]));
    assert!(delivery.text.contains("auditfolio collect --from FOLDER"));
    assert_eq!(get(&app, &cookie, "/collections").await.texts(".empty__what"), ["No collections yet"]);
}

#[actix_web::test]
async fn the_as_of_day_is_in_the_page_and_in_every_link() {
    let db = collected().await;
    let app = site(&db).await;
    let cookie = sign_in(&app, "auditor").await;
    let latest = get(&app, &cookie, "/delivery").await;
    assert_eq!(latest.texts(".asof__latest"), ["latest, Wednesday 4 November 2026 (UTC)"]);
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
async fn delivery_counts_the_same_on_the_page_and_in_every_format() {
    let db = collected().await;
    let app = site(&db).await;
    let cookie = sign_in(&app, "auditor").await;
    let csv = get(&app, &cookie, "/delivery?format=csv").await;
    assert_eq!(csv.header("content-disposition"), "attachment; filename=\"delivery-2026-11-04.csv\"");
    let rows: Vec<csv::StringRecord> =
        csv::Reader::from_reader(csv.text.as_bytes()).records().map(Result::unwrap).collect();
    let states: Vec<(&str, &str, &str)> = rows.iter().map(|row| (&row[2], &row[4], &row[6])).collect();
    assert_eq!(
        states,
        [
            ("delivered", "2026-11-01", "1"),
            ("missing", "2026-11-02", "1"),
            ("delivered", "2026-11-03", "1"),
            ("unreadable", "2026-11-04", "1"),
        ]
    );
    let json: serde_json::Value =
        serde_json::from_str(&get(&app, &cookie, "/delivery?format=json").await.text).unwrap();
    assert_eq!(json.as_array().unwrap().len(), rows.len());
    let lines = get(&app, &cookie, "/delivery?format=jsonl").await.text;
    assert_eq!(lines.lines().count(), rows.len());
    let recorded: Vec<(String, String)> =
        sqlx::query_as("select actor, object from audit_log where act = 'download rows' order by audit_log_id")
            .fetch_all(&db)
            .await
            .unwrap();
    let by_auditor = |ending: &str| ("demo auditor".to_owned(), format!("delivery-2026-11-04.{ending}"));
    assert_eq!(recorded, [by_auditor("csv"), by_auditor("json"), by_auditor("jsonl")]);
    let page = get(&app, &cookie, "/delivery").await;
    assert!(page.text.contains("Completeness against the organisation not established"));
    let legend = page.texts(".legend li");
    assert!(legend.iter().any(|entry| entry == "delivered, 2 days"), "{legend:?}");
    assert!(legend.iter().any(|entry| entry == "unreadable, 1 day"), "{legend:?}");
}

#[actix_web::test]
async fn a_collection_shows_its_ladder_and_unreadable_objects_first() {
    let db = collected().await;
    let app = site(&db).await;
    let cookie = sign_in(&app, "auditor").await;
    let page = get(&app, &cookie, "/collections/1").await;
    assert_eq!(page.texts("#ladder tbody td:last-child"), ["yes", "yes", "yes", "yes"]);
    assert_eq!(page.texts("#unreadable tbody tr").len(), 1);
    assert!(page.texts("#unreadable tbody td")[0].contains("byte"), "reason and position");
    assert_eq!(page.texts("#objects tbody tr").len(), 3);
    let filtered = get(&app, &cookie, "/collections/1?outcome=unreadable").await;
    assert_eq!(filtered.texts("#objects tbody tr").len(), 1);
    let csv = get(&app, &cookie, "/collections/1?outcome=collected&format=csv").await;
    assert_eq!(csv.text.lines().count(), 1 + 2);
    assert_eq!(get(&app, &cookie, "/collections").await.texts("#collections tbody th"), ["1"]);
}

#[actix_web::test]
async fn objects_are_paged_forth_and_back_without_loss() {
    let db = database().await;
    let bucket = Bucket::new("web-paging");
    for day in 1..=28 {
        for hour in 1..=5 {
            bucket.snapshot(day, hour, &[("a", &[("r", "COMPLIANT")])]);
        }
    }
    collect(&db, &bucket).await;
    let app = site(&db).await;
    let cookie = sign_in(&app, "auditor").await;
    let first = get(&app, &cookie, "/collections/1").await;
    assert_eq!(first.texts("#objects + * , .table-foot__rows").last().unwrap(), "Rows 1 to 100 of 140");
    let link = |answer: &Answer, rel: &str| {
        let page = Html::parse_document(&answer.text);
        let selector = Selector::parse(&format!("nav[aria-label^=\"Pages of Objects\"] a[rel={rel}]")).unwrap();
        page.select(&selector).next().map(|link| link.attr("href").unwrap().to_owned())
    };
    assert_eq!(link(&first, "prev"), None);
    let second = get(&app, &cookie, &link(&first, "next").unwrap()).await;
    assert_eq!(second.texts("#objects tbody tr").len(), 40);
    assert_eq!(link(&second, "next"), None);
    let back = get(&app, &cookie, &link(&second, "prev").unwrap()).await;
    assert_eq!(back.texts("#objects tbody th"), first.texts("#objects tbody th"));
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
