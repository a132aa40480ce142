//! The pages of delivery and of collections.

use std::process::Stdio;
use std::time::{Duration, Instant};

use actix_web::http::StatusCode;
use scraper::{Html, Selector};

use crate::bucket::Bucket;
use crate::collection::collect;
use crate::harness::{address_of, database, program};
use crate::site::{Answer, collected, get, sign_in, site};

#[actix_web::test]
async fn delivery_counts_the_same_on_the_page_and_in_every_format() {
    let db = collected().await;
    let app = site(&db).await;
    let cookie = sign_in(&app, "viewer").await;
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
    let by_auditor = |ending: &str| ("demo viewer".to_owned(), format!("delivery-2026-11-04.{ending}"));
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
    let cookie = sign_in(&app, "viewer").await;
    let page = get(&app, &cookie, "/collections/1").await;
    assert_eq!(page.texts("#ladder tbody td:last-child"), ["yes"; 9]);
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
    let cookie = sign_in(&app, "viewer").await;
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
async fn a_page_past_the_last_gap_shows_the_last_page_and_another_day_the_first() {
    let db = collected().await;
    let app = site(&db).await;
    let cookie = sign_in(&app, "viewer").await;
    let page = get(&app, &cookie, "/delivery?gaps=51&places=51&state=missing").await;
    assert_eq!(page.texts("#gaps tbody tr").len(), 1, "the gap of the 2nd");
    assert!(!page.text.contains("No gaps here"));
    let html = Html::parse_document(&page.text);
    let earlier = html.select(&Selector::parse(".asof__step").unwrap()).next().unwrap().attr("href").unwrap();
    assert_eq!(earlier, "/delivery?state=missing&as_of=2026-11-03");
    let kept = Selector::parse("form input[type=hidden]").unwrap();
    let kept: Vec<&str> = html.select(&kept).map(|input| input.attr("name").unwrap()).collect();
    assert!(!kept.contains(&"gaps") && !kept.contains(&"places"), "{kept:?}");

    let none = get(&app, &cookie, "/delivery?as_of=2026-11-01").await;
    assert_eq!(none.texts(".empty__what")[0], "No gaps here");
    let gaps = get(&app, &cookie, "/delivery?rows=gaps&sort=first_day&format=csv").await.text;
    let days: Vec<&str> = gaps.lines().skip(1).map(|line| line.split(',').nth(4).unwrap()).collect();
    assert_eq!(days, ["2026-11-02", "2026-11-04"]);
}

#[actix_web::test]
async fn a_collection_is_running_while_its_program_lives_and_interrupted_when_it_was_killed() {
    let db = database().await;
    let bucket = Bucket::new("web-killed");
    bucket.snapshot(1, 5, &[("a", &[("r", "COMPLIANT")])]);
    collect(&db, &bucket).await;
    let app = site(&db).await;
    let cookie = sign_in(&app, "viewer").await;
    // Whoever works on a place waits for this: so the next collection, which has a day to bring, begins and goes no further.
    bucket.snapshot(2, 5, &[("a", &[("r", "COMPLIANT")])]);
    let mut held = db.begin().await.unwrap();
    sqlx::query("select pg_advisory_xact_lock(1634103404, place_id) from place").execute(&mut *held).await.unwrap();
    let mut collecting = program(&["collect", "--organization", "Example", "--from"])
        .arg(&bucket.root)
        .env("DATABASE_URL", address_of(&db))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let until = Instant::now() + Duration::from_mins(1);
    let running = async || {
        let page = get(&app, &cookie, "/collections").await;
        (page.header("refresh") == "2", page.texts("#collections tbody tr").concat())
    };
    while !running().await.0 {
        assert!(Instant::now() < until && collecting.try_wait().unwrap().is_none(), "{}", running().await.1);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    collecting.kill().unwrap();
    collecting.wait().unwrap();
    held.rollback().await.unwrap();
    while running().await.0 {
        assert!(Instant::now() < until, "its row says running, and its program is gone");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(running().await.1.contains("interrupted: the program ended"), "{}", running().await.1);
    assert_eq!(get(&app, &cookie, "/collections/2").await.header("refresh"), "");
    assert!(!get(&app, &cookie, "/evaluations").await.text.contains("a collection is under way"));
}

#[actix_web::test]
async fn the_collections_are_handed_out_as_rows_and_in_either_order() {
    let db = collected().await;
    let bucket = Bucket::new("web-two-collections");
    bucket.snapshot(5, 5, &[("a", &[("r", "COMPLIANT")])]);
    collect(&db, &bucket).await;
    let app = site(&db).await;
    let cookie = sign_in(&app, "viewer").await;
    let ids = async |address: &str| get(&app, &cookie, address).await.texts("#collections tbody th");
    assert_eq!(ids("/collections").await, ["2", "1"]);
    assert_eq!(ids("/collections?sort=collection").await, ["1", "2"]);
    let rows: Vec<serde_json::Value> =
        serde_json::from_str(&get(&app, &cookie, "/collections?format=json").await.text).unwrap();
    assert_eq!((rows[0]["collection_id"].as_i64(), rows[1]["state"].as_str()), (Some(2), Some("finished")));
    assert!(rows[0]["ladder"]["objects_collected"].is_number());
    assert_eq!(get(&app, &cookie, "/jobs/1?format=csv").await.status, StatusCode::BAD_REQUEST);
}

#[actix_web::test]
async fn a_collection_by_athena_shows_how_each_query_knows() {
    let db = collected().await;
    sqlx::query("update collection set engine = 'athena'").execute(&db).await.unwrap();
    sqlx::query(
        "insert into athena_query (collection_id, question, question_key, day, attempt, token, sql, parameters, workgroup,
                                   database_name, marks, objects, expected_bytes, execution_id, state, bytes_scanned,
                                   price_billionths, result_rows, result_location)
         values (1, 'changes of a day', 'k', '2026-11-03', 1, 't', 'select 1 < 2', $1, 'audit', 'evidence', '{}', 2, 7,
                 'an-execution', 'SUCCEEDED', 12345678, 60000, 4321, 's3://results/an-execution.csv')",
    )
    .bind(vec!["'2026/11/3'".to_owned()])
    .execute(&db)
    .await
    .unwrap();
    let app = site(&db).await;
    let cookie = sign_in(&app, "viewer").await;
    let page = get(&app, &cookie, "/collections/1").await;
    assert_eq!(page.texts("#queries tbody tr").len(), 1);
    assert_eq!(page.texts("#spent dd")[..2], ["1", "12,345,678"]);
    assert!(!page.text.contains("select 1"), "the text is on a page of its own");
    let text = get(&app, &cookie, "/collections/1?query=an-execution").await;
    let all = text.texts(".facts dd").join("; ");
    for part in [
        "workgroup audit, database evidence",
        "an-execution, attempt 1",
        "12,345,678, 0.0001 USD",
        "4,321",
        "s3://results/an-execution.csv",
    ] {
        assert!(all.contains(part), "{part}: {all}");
    }
    assert_eq!(text.texts("main pre"), ["select 1 < 2"]);
    assert!(text.texts("main p code").contains(&"'2026/11/3'".to_owned()));
    assert_eq!(get(&app, &cookie, "/collections/1?query=another-execution").await.status, StatusCode::NOT_FOUND);
    sqlx::query("update collection set engine = 'files'").execute(&db).await.unwrap();
    assert!(get(&app, &cookie, "/collections/1").await.texts("#spent").is_empty());
}
