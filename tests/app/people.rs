//! The list of everybody who signs in by a provider: now and on a day that is past, page by page.

use actix_web::http::StatusCode;
use scraper::{Html, Selector};
use sqlx::PgPool;

use crate::harness::database;
use crate::site::{Site, get, sign_in, site};

/// People of a provider who were first seen on one day and last seen on another, all of them viewers.
async fn people(db: &PgPool, count: i32) {
    for sql in [
        "insert into person (issuer, subject, provider, name, first_seen_at, last_seen_at)
         select 'https://login.example.com', n::text, 'company', 'Person ' || lpad(n::text, 4, '0'),
             '2026-11-01 08:00Z', '2026-11-05 08:00Z'::timestamptz - make_interval(mins => n / 2)
         from generate_series(1, $1) n",
        "insert into person_role (person_id, role, since, why)
         select person_id, 'viewer', '2026-11-01 08:00Z', 'group readers' from person where person_id <= $1",
    ] {
        sqlx::query(sql).bind(count).execute(db).await.unwrap();
    }
}

async fn rows(site: &Site, address: &str) -> Vec<String> {
    let admin = sign_in(site, "administrator").await;
    let page = get(site, &admin, address).await;
    assert_eq!(page.status, StatusCode::OK, "{address}: {}", page.text);
    page.texts("#people tbody tr")
}

#[actix_web::test]
async fn on_a_past_day_people_are_what_they_were_then() {
    let db = database().await;
    people(&db, 2).await;
    for sql in [
        "insert into person_role (person_id, role, since, why) values
             (1, 'administrator', '2026-11-03 09:00Z', 'group portal-admins'), (1, 'auditor', '2026-11-05 08:00Z', 'none')",
        "insert into person_standing (person_id, disabled, since, changed_by) values
             (2, true, '2026-11-03 23:59:59Z', 'x'), (2, false, '2026-11-04 10:00Z', 'x')",
        "insert into person (issuer, subject, provider, name, first_seen_at, last_seen_at) values
             ('https://login.example.com', '3', 'company', 'Late', '2026-11-04 00:00Z', '2026-11-04 00:00Z')",
    ] {
        sqlx::query(sql).execute(&db).await.unwrap();
    }
    let app = site(&db).await;
    let has = async |address: &str, expected: [&[&str]; 3]| {
        let found = rows(&app, &format!("{address}sort=who")).await;
        let of = |name: &str| found.iter().find(|row| row.contains(name)).cloned().unwrap_or_default();
        for (name, words) in ["Person 0001", "Person 0002", "Late"].into_iter().zip(expected) {
            assert_eq!(of(name).is_empty(), words.is_empty(), "{address} {name}: {found:?}");
            for word in words {
                let (is_there, word) = word.strip_prefix('!').map_or((true, *word), |word| (false, word));
                assert_eq!(of(name).contains(word), is_there, "{address} {name} {word}: {found:?}");
            }
        }
    };
    has("/people?on=2026-10-31&", [&[], &[], &[]]).await;
    has("/people?on=2026-11-02&", [&["Viewer", "group readers"], &["Viewer", "!disabled"], &[]]).await;
    has("/people?on=2026-11-03&", [&["Administrator", "group portal-admins"], &["disabled"], &[]]).await;
    has("/people?on=2026-11-04&", [&["Administrator"], &["!disabled"], &["none yet"]]).await;
    has("/people?", [&["Auditor"], &["!disabled"], &["none yet"]]).await;
    let admin = sign_in(&app, "administrator").await;
    let past = get(&app, &admin, "/people?on=2026-11-03").await;
    assert!(!past.text.contains("/disable"), "what was cannot be changed");
    assert_eq!(get(&app, &admin, "/people?on=yesterday").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(get(&app, &admin, "/people?off=1").await.status, StatusCode::BAD_REQUEST);
}

#[actix_web::test]
async fn everybody_is_on_one_of_the_pages_and_on_one_alone() {
    let db = database().await;
    people(&db, 250).await;
    let app = site(&db).await;
    let admin = sign_in(&app, "administrator").await;
    for begin in ["/people", "/people?on=2026-11-02", "/people?sort=who", "/people?sort=-who&on=2026-11-02"] {
        let (mut address, mut seen, mut pages) = (begin.to_owned(), Vec::new(), 0);
        loop {
            let page = get(&app, &admin, &address).await;
            assert_eq!(page.status, StatusCode::OK, "{address}: {}", page.text);
            seen.extend(page.texts("#people tbody th"));
            pages += 1;
            let html = Html::parse_document(&page.text);
            let next = html.select(&Selector::parse("a[rel=next]").unwrap()).next().and_then(|link| link.attr("href"));
            let Some(next) = next else { break };
            address = next.split('#').next().unwrap().to_owned();
        }
        assert_eq!((pages, seen.len()), (3, 250), "{begin}");
        if begin.contains("sort=who") {
            assert!(seen.is_sorted(), "{seen:?}");
        }
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 250, "{begin}");
    }
}
