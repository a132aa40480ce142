//! Pages after a removal: kept days as before, removed days never as empty ones.

use std::sync::Arc;

use actix_web::http::{Method, StatusCode};
use auditfolio::packs::verify::{Verdict, verify};
use auditfolio::packs::{BuildError, Request, build, db as stored};
use auditfolio::retention::Duty;
use auditfolio::{Duties, State, jobs};
use scraper::{Html, Selector};
use time::macros::date;

use crate::queries::{MOST, first_visit};
use crate::retention::remove;
use crate::site::{NOW, ask, collected, get, sign_in, site, site_of, state_at};

const REMOVED: &str = "Evidence before 3 Nov 2026 was removed on ";

/// What stands on a page beside the notes of what was removed.
fn text(html: &str) -> String {
    let document = Html::parse_document(html);
    let main = document.select(&Selector::parse("main").unwrap()).next().unwrap();
    let of = |element: scraper::ElementRef<'_>| element.text().collect::<String>();
    let whole = of(main);
    let notes = main.select(&Selector::parse("p.note").unwrap()).map(of).collect::<Vec<_>>();
    let rest = notes.iter().fold(whole, |text, note| text.replace(note, ""));
    rest.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[actix_web::test]
async fn kept_days_look_as_before() {
    let db = collected().await;
    let mut before = Vec::new();
    for path in ["/evaluations", "/rules", "/accounts", "/rules/s3-encrypted", "/objects", "/accounts/012345678901"] {
        for day in ["2026-11-03", "2026-11-04"] {
            for rest in ["", "&format=csv"] {
                before.push(format!("{path}?as_of={day}{rest}"));
            }
        }
    }
    let (app, mut pages) = (site(&db).await, Vec::new());
    let cookie = sign_in(&app, "viewer").await;
    for address in &before {
        pages.push(get(&app, &cookie, address).await);
    }
    remove(&db, "Example", date!(2026 - 11 - 03)).await.unwrap();
    let app = site(&db).await;
    let cookie = sign_in(&app, "viewer").await;
    for (address, was) in before.iter().zip(pages) {
        let is = get(&app, &cookie, address).await;
        assert_eq!(is.status, was.status, "{address}");
        // Charts of days begin where the kept days do.
        if address.contains("format=csv")
            || ["/evaluations", "/rules?", "/accounts?"].iter().any(|it| address.starts_with(it))
        {
            let told = |text: &str| if text.contains("<main") { self::text(text) } else { text.to_owned() };
            assert_eq!(told(&is.text), told(&was.text), "{address}");
        }
        if !address.contains("format") {
            assert!(is.texts("footer")[0].contains(REMOVED), "{address}: the foot of each page says it");
        }
    }
}

#[actix_web::test]
async fn a_removed_day_is_never_an_empty_one() {
    let db = collected().await;
    let app = site(&db).await;
    let cookie = sign_in(&app, "compliance-manager").await;
    assert!(!get(&app, &cookie, "/delivery").await.text.contains("was removed on"));
    remove(&db, "Example", date!(2026 - 11 - 03)).await.unwrap();
    for (address, next) in [
        ("/?as_of=2026-11-01", "/?as_of=2026-11-03"),
        ("/evaluations?as_of=2026-11-02", "/evaluations?as_of=2026-11-03"),
        ("/evaluations?as_of=2026-11-02&format=csv", "/evaluations?as_of=2026-11-03&format=csv"),
        ("/changes?from=2026-11-01", "/changes?from=2026-11-03"),
        ("/delivery?from=2026-11-02", "/delivery?from=2026-11-03"),
        ("/packs/new?as_of=2026-11-01", "/packs/new?as_of=2026-11-03"),
    ] {
        let answer = get(&app, &cookie, address).await;
        assert_eq!(answer.status, StatusCode::GONE, "{address}");
        let lead = answer.texts("main .lead").join(" ");
        assert!(lead.starts_with(REMOVED) && lead.ends_with("by the retention setting (7y)."), "{address}: {lead}");
        let links = Selector::parse("main p a").unwrap();
        let document = Html::parse_document(&answer.text);
        let href = document.select(&links).find_map(|link| link.attr("href")).map(str::to_owned);
        assert_eq!(href.as_deref(), Some(next), "{address}");
        assert_eq!(get(&app, &cookie, next).await.status, StatusCode::OK, "{next}");
    }
    let never = get(&app, &cookie, "/?as_of=2026-12-24").await;
    assert_eq!(never.status, StatusCode::NOT_FOUND, "a day that was never collected is another thing");
    assert!(never.text.contains("3 Nov 2026 to 4 Nov 2026"), "{}", never.text);
    for path in ["/", "/changes", "/delivery", "/collections", "/packs"] {
        let notes = get(&app, &cookie, path).await.texts("main p.note");
        assert!(notes.iter().any(|note| note.starts_with(REMOVED)), "{path}: {notes:?}");
    }
    let form = "title=T&from=2026-11-01&as_of_day=2026-11-04";
    let answer = ask(&app, Method::POST, "/packs", Some(&cookie), Some(form)).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        answer.text.contains(REMOVED) && answer.text.contains("Choose that day or a later one."),
        "{}",
        answer.text
    );
}

#[actix_web::test]
async fn the_page_of_collections_says_what_is_kept_and_what_was_removed() {
    let db = collected().await;
    let words = async |state: State| {
        let app = site_of(state).await;
        let cookie = sign_in(&app, "viewer").await;
        get(&app, &cookie, "/collections").await.texts("#retention").join(" ")
    };
    let never = words(state_at(&db, NOW)).await;
    assert!(never.contains("for ever") && !never.contains("removals"), "{never}");
    remove(&db, "Example", date!(2026 - 11 - 03)).await.unwrap();
    let duties = Duties { retention: Duty::of("7y".parse().unwrap(), "Example"), ..Duties::default() };
    let set = words(State { duties: Arc::new(duties), ..state_at(&db, NOW) }).await;
    assert!(
        set.contains("Evidence is kept for 7y") && set.contains("3 Nov 2026") && set.contains("day_total 2"),
        "{set}"
    );
    let never = words(state_at(&db, NOW)).await;
    assert!(never.contains("What was removed stays removed."), "{never}");
    let app = site(&db).await;
    let cookie = sign_in(&app, "viewer").await;
    let collection = get(&app, &cookie, "/collections/1").await;
    let notes = collection.texts("main p.note");
    assert!(notes.iter().any(|note| note.contains("The count ladder is what was counted then.")), "{notes:?}");
    for address in ["/collections", "/collections/1", "/", "/delivery", "/packs"] {
        let (statements, _) = first_visit(&db, address).await;
        assert!(statements.len() <= MOST, "{address}: {}\n{}", statements.len(), statements.join("\n"));
    }
}

#[actix_web::test]
async fn where_nothing_is_left_pages_say_that_it_was_removed() {
    let db = collected().await;
    remove(&db, "Example", date!(2026 - 11 - 07)).await.unwrap();
    let app = site(&db).await;
    let cookie = sign_in(&app, "viewer").await;
    for path in ["/", "/delivery", "/evaluations"] {
        let lead = get(&app, &cookie, path).await.texts("main .lead").join(" ");
        assert!(lead.starts_with("Evidence before 7 Nov 2026 was removed on"), "{path}: {lead}");
    }
    assert_eq!(get(&app, &cookie, "/collections").await.status, StatusCode::OK);
}

#[actix_web::test]
async fn an_issued_pack_stays_and_says_that_the_evidence_behind_it_is_gone() {
    let db = crate::packs::store().await;
    let organization = crate::packs::request().organization;
    let id = crate::packs::pack(&db, &crate::packs::request()).await;
    let kept = Request { from: Some(date!(2026 - 11 - 06)), ..crate::packs::request() };
    let as_it_was = crate::packs::pack(&db, &kept).await;
    remove(&db, &organization, date!(2026 - 11 - 05)).await.unwrap();

    let app = site(&db).await;
    let cookie = sign_in(&app, "viewer").await;
    let page = get(&app, &cookie, &format!("/packs/{id}")).await;
    let notes = page.texts("main p.note").join(" ");
    assert!(
        notes.contains("The evidence behind this pack from before 5 Nov 2026 is no longer in the store")
            && notes.contains("The pack itself is unchanged."),
        "{notes}"
    );
    assert!(!get(&app, &cookie, &format!("/packs/{as_it_was}")).await.text.contains("no longer in the store"));
    let list = get(&app, &cookie, "/packs").await.texts("tbody tr");
    let told = list.iter().filter(|row| row.contains("evidence behind it from before 5 Nov 2026 removed")).count();
    assert_eq!((told, list.len()), (1, 2), "{list:?}");
    let rows = get(&app, &cookie, "/packs?format=csv").await.text;
    assert_eq!(rows.matches(",2026-11-05\r\n").count() + rows.matches(",2026-11-05\n").count(), 1, "{rows}");
    let bytes = stored::bytes(&db, &id, stored::Part::Pdf).await.unwrap();
    assert!(matches!(verify(&db, &bytes, None).await.unwrap(), Verdict::Unchanged { .. }));

    let refused = build(&crate::packs::state(&db), &crate::packs::request(), None, &jobs::Progress::default()).await;
    let refused = refused.unwrap_err();
    assert!(
        matches!(&refused, BuildError::Refused(why) if why.contains("Evidence before 5 Nov 2026 was removed on")),
        "{refused}"
    );
    let later = Request { from: Some(date!(2026 - 11 - 05)), ..crate::packs::request() };
    let later = crate::packs::pack(&db, &later).await;
    let pack = stored::find(&db, &later).await.unwrap().unwrap();
    assert!(pack.cover["notices"].to_string().contains("Evidence before 5 Nov 2026 was removed on"));
    assert!(pack.cover["checks"].as_array().unwrap().iter().all(|check| check["closes"] == true));
}
