//! Somebody who reads the pages of evaluations, on evidence that was collected from real objects.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use auditfolio::State;
use auditfolio::clock::Clock;
use auditfolio::compliance::memo::Memo;
use scraper::{Html, Selector};
use sqlx::PgPool;

use crate::bucket::{Bucket, REGION};
use crate::collection::collect;

/// Somebody signed in.
pub(crate) struct Reader {
    state: State,
    cookie: String,
}

impl Reader {
    pub(crate) async fn new(db: &PgPool) -> Self {
        Self::with(db, Clock::Real, "viewer").await
    }

    /// Somebody who reads at a moment.
    pub(crate) async fn at(db: &PgPool, now: time::OffsetDateTime) -> Self {
        Self::with(db, Clock::Fixed(now), "viewer").await
    }

    /// Somebody of another role.
    pub(crate) async fn as_role(db: &PgPool, role: &str) -> Self {
        Self::with(db, Clock::Real, role).await
    }

    async fn with(db: &PgPool, clock: Clock, role: &str) -> Self {
        let state = State {
            db: db.clone(),
            memo: Memo::default(),
            clock,
            demo: true,
            grace: time::Duration::hours(6),
            letter_months: auditfolio::artifact::LETTER_MONTHS,
            classification: auditfolio::packs::build::DEFAULT_CLASSIFICATION.into(),
            duties: Arc::default(),
            gate: Arc::default(),
            sign_in: Arc::default(),
        };
        Self::of(state, role).await
    }

    /// Somebody who reads what a program of these settings shows.
    pub(crate) async fn of(state: State, role: &str) -> Self {
        let app = init_service(auditfolio::web::app(state.clone())).await;
        let request = TestRequest::post()
            .uri("/sign-in")
            .insert_header(("origin", "http://localhost:8080"))
            .insert_header(("sec-fetch-site", "same-origin"))
            .set_form([("role", role)])
            .to_request();
        let response = call_service(&app, request).await;
        let cookie = response.headers().get("set-cookie").unwrap().to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        Self { state, cookie }
    }

    pub(crate) async fn ask(&self, address: &str) -> (StatusCode, String) {
        let app = init_service(auditfolio::web::app(self.state.clone())).await;
        let request = TestRequest::get().uri(address).insert_header(("cookie", self.cookie.as_str())).to_request();
        let response = call_service(&app, request).await;
        let status = response.status();
        (status, String::from_utf8(read_body(response).await.to_vec()).unwrap())
    }

    pub(crate) async fn page(&self, address: &str) -> Html {
        let (status, html) = self.ask(address).await;
        assert_eq!(status, StatusCode::OK, "{address}: {html}");
        assert!(html.len() < 100_000, "{address} has {} bytes", html.len());
        Html::parse_document(&html)
    }

    pub(crate) async fn json(&self, address: &str) -> Vec<serde_json::Value> {
        let (status, text) = self.ask(address).await;
        assert_eq!(status, StatusCode::OK, "{address}: {text}");
        serde_json::from_str(&text).unwrap()
    }
}

pub(crate) fn texts(html: &Html, selector: &str) -> Vec<String> {
    html.select(&Selector::parse(selector).unwrap())
        .map(|element| element.text().flat_map(str::split_whitespace).collect::<Vec<_>>().join(" "))
        .collect()
}

pub(crate) fn links(html: &Html, selector: &str) -> Vec<String> {
    html.select(&Selector::parse(selector).unwrap()).filter_map(|a| a.value().attr("href")).map(str::to_owned).collect()
}

pub(crate) const C: &str = "COMPLIANT";
pub(crate) const N: &str = "NON_COMPLIANT";
pub(crate) const OTHER: &str = "111122223333";

/// Three days of two places; the second place is silent on the last.
pub(crate) async fn three_days(name: &str) -> (PgPool, Reader) {
    let db = crate::harness::database().await;
    let bucket = Bucket::new(name);
    let quiet = [("quiet", [("s3-bucket-versioning-enabled", N)].as_slice())];
    for day in [1, 2] {
        bucket.snapshot_of(OTHER, REGION, day, 5, &quiet);
    }
    let rule = "s3-bucket-logging-enabled";
    bucket.snapshot(1, 5, &[("a", &[(rule, C)]), ("b", &[(rule, N)]), ("c", &[(rule, N)]), ("d/e:f ü", &[(rule, N)])]);
    bucket.snapshot(2, 5, &[("a", &[(rule, N)]), ("b", &[(rule, N)]), ("c", &[(rule, N)]), ("d/e:f ü", &[(rule, N)])]);
    bucket.snapshot(3, 5, &[("a", &[(rule, C)]), ("b", &[(rule, C)]), ("d/e:f ü", &[(rule, "INSUFFICIENT_DATA")])]);
    collect(&db, &bucket).await;
    let reader = Reader::new(&db).await;
    (db, reader)
}

pub(crate) fn selector(text: &str) -> Selector {
    Selector::parse(text).unwrap()
}

/// Every row of a paged table from its first page to its last, checked on the way back; and how many pages it has.
pub(crate) async fn walk(
    reader: &Reader,
    address: &str,
    table: &str,
    keys: fn(&Html) -> Vec<String>,
) -> (Vec<String>, usize) {
    let link = |html: &Html, rel: &str| {
        let found = links(html, &format!("nav a[rel={rel}][href$='#{table}']"));
        found.first().map(|href| href.split('#').next().unwrap().to_owned())
    };
    let mut address = address.to_owned();
    let mut pages: Vec<Vec<String>> = Vec::new();
    loop {
        let html = reader.page(&address).await;
        pages.push(keys(&html));
        let Some(next) = link(&html, "next") else { break };
        address = next;
    }
    for page in pages.iter().rev().skip(1) {
        let html = reader.page(&address).await;
        address = link(&html, "prev").expect("the way back");
        assert_eq!(&keys(&reader.page(&address).await), page, "{address}");
    }
    (pages.concat(), pages.len())
}
