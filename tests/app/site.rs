//! The app, called in this process, and somebody signed in.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use actix_web::body::{MessageBody, to_bytes};
use actix_web::cookie::Cookie;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::header::HeaderMap;
use actix_web::http::{Method, StatusCode};
use actix_web::test::{self, TestRequest};
use auditfolio::State;
use auditfolio::clock::Clock;
use auditfolio::web::app;
use futures_util::future::LocalBoxFuture;
use scraper::{Html, Selector};
use sqlx::PgPool;
use time::OffsetDateTime;
use time::macros::datetime;

use crate::bucket::{ACCOUNT, Bucket, REGION};
use crate::collection::collect;
use crate::harness::database;

pub(crate) const NOW: OffsetDateTime = datetime!(2026-11-07 12:00 UTC);
pub(crate) const ROLES: [&str; 4] = ["auditor", "viewer", "compliance-manager", "administrator"];

pub(crate) fn state_at(db: &PgPool, now: OffsetDateTime) -> State {
    State {
        db: db.clone(),
        memo: auditfolio::compliance::memo::Memo::default(),
        clock: Clock::Fixed(now),
        demo: true,
        grace: time::Duration::hours(6),
        letter_months: auditfolio::artifact::LETTER_MONTHS,
        classification: auditfolio::packs::build::DEFAULT_CLASSIFICATION.into(),
        duties: Arc::default(),
        gate: Arc::default(),
        sign_in: Arc::default(),
    }
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) cookie: Option<Cookie<'static>>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    pub(crate) fn texts(&self, selector: &str) -> Vec<String> {
        let words = |element: scraper::ElementRef<'_>| {
            element.text().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
        };
        Html::parse_document(&self.text).select(&Selector::parse(selector).unwrap()).map(words).collect()
    }
}

/// The app.
pub(crate) struct Site(pub(crate) Box<dyn Fn(TestRequest) -> LocalBoxFuture<'static, Answer>>);

pub(crate) async fn site_of(state: State) -> Site {
    let app = Rc::new(test::init_service(app(state)).await);
    Site(Box::new(move |request| {
        let app = Rc::clone(&app);
        Box::pin(async move {
            match app.call(request.to_request()).await {
                Ok(response) => answer(response).await,
                // As actix answers where what was to answer is given up.
                Err(error) => {
                    let response = error.error_response();
                    let (status, headers) = (response.status(), response.headers().clone());
                    let body = to_bytes(response.into_body()).await.unwrap();
                    Answer { status, headers, cookie: None, text: String::from_utf8_lossy(&body).into_owned() }
                }
            }
        })
    }))
}

pub(crate) async fn site(db: &PgPool) -> Site {
    site_of(state_at(db, NOW)).await
}

/// Sends one request, as a browser on one of the portal's own pages would.
pub(crate) async fn ask(
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

pub(crate) async fn get(site: &Site, cookie: &Cookie<'static>, address: &str) -> Answer {
    ask(site, Method::GET, address, Some(cookie), None).await
}

/// The addresses of a page's links within the portal, by their shape: a page of each kind.
pub(crate) fn kinds(html: &str) -> BTreeMap<String, String> {
    let links = Selector::parse("main a[href^='/'], header a[href^='/']").unwrap();
    Html::parse_document(html)
        .select(&links)
        .filter_map(|link| link.attr("href"))
        .filter(|href| !href.contains("format="))
        .map(|href| {
            let path = href.split(['?', '#']).next().unwrap_or_default();
            let mut parts = path.split('/').skip(1);
            let first = parts.next().unwrap_or_default();
            (format!("/{first} {}", parts.count()), href.split('#').next().unwrap_or_default().to_owned())
        })
        .collect()
}

pub(crate) async fn sign_in(site: &Site, role: &str) -> Cookie<'static> {
    let answer = ask(site, Method::POST, "/sign-in", None, Some(&format!("role={role}&next=/delivery"))).await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/delivery"));
    answer.cookie.unwrap()
}

/// Three days of one place, the second one missing, and an object that cannot be read.
pub(crate) async fn collected() -> PgPool {
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
