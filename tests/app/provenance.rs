//! Every figure can be walked to the delivered objects that it stands on, and to the query that read them.

use scraper::Html;
use sqlx::PgPool;

use crate::bucket::{ACCOUNT, Bucket, REGION};
use crate::collection::collect;
use crate::harness::database;
use crate::portal::{C, N, OTHER, Reader, links, texts, walk};

/// A collection that is said to have been made by Athena: a query for each day, and more that were tried and failed.
async fn asked_of_athena(db: &PgPool) {
    sqlx::raw_sql(
        "update collection set engine = 'athena';
         insert into athena_query (collection_id, question, question_key, day, attempt, token, sql, parameters, workgroup,
             database_name, marks, objects, expected_bytes, execution_id, state, bytes_scanned, price_billionths, result_rows)
         select 1, 'changes of a day', 'k' || n, date '2026-11-01' + n % 3, 1, 't' || n, 'select ' || n, '{x}', 'audit',
             'evidence', '{}', n % 7, 7, case when n % 20 > 0 then 'execution-' || n end,
             case when n % 20 = 0 then 'not started' when n > 3 then 'FAILED' else 'SUCCEEDED' end,
             case when n % 20 > 0 then n % 11 * 1000 end, n % 5, n % 13
         from generate_series(1, 130) n;
         update object_outcome w set athena_query_id = q.athena_query_id
         from object o, athena_query q
         where o.object_id = w.object_id and w.outcome = 'collected' and q.day = o.day and q.state = 'SUCCEEDED'",
    )
    .execute(db)
    .await
    .unwrap();
}

async fn three_days_of_two_places(name: &str) -> PgPool {
    let db = database().await;
    let bucket = Bucket::new(name);
    for day in 1..=3 {
        bucket.snapshot(day, 5, &[("a", &[("r", C)]), ("b", &[("r", N)])]);
        bucket.snapshot_of(OTHER, REGION, day, 5, &[("c", &[("r", N)])]);
    }
    for hour in 6..=8 {
        bucket.put(&crate::bucket::snapshot_name(ACCOUNT, REGION, 2, hour), b"no gzip");
    }
    collect(&db, &bucket).await;
    db
}

#[actix_web::test]
async fn queries_of_a_collection_are_paged_sorted_and_handed_out_with_their_texts() {
    let db = three_days_of_two_places("provenance-queries").await;
    asked_of_athena(&db).await;
    let reader = Reader::new(&db).await;
    let keys = |html: &Html| links(html, "#queries tbody th a");
    let (all, pages) = walk(&reader, "/collections/1", "queries", keys).await;
    assert_eq!((all.len(), pages), (130, 3));
    let heads = links(&reader.page("/collections/1").await, "#queries thead a");
    assert_eq!(heads.len(), 10);
    for head in heads {
        let word = head.split("queries-sort=").nth(1).unwrap().split('#').next().unwrap().trim_start_matches('-');
        let (up, _) = walk(&reader, &format!("/collections/1?queries-sort={word}"), "queries", keys).await;
        assert_eq!(up.len(), 130, "{word}");
    }
    let most = texts(&reader.page("/collections/1?queries-sort=-bytes").await, "#queries tbody td:nth-child(8)");
    assert_eq!(most[0], "10,000");
    let rows = reader.json("/collections/1?rows=queries&format=json").await;
    assert_eq!(rows.len(), 130);
    assert_eq!(
        (rows[0]["execution_id"].as_str(), rows[0]["sql"].as_str()),
        (Some("execution-130"), Some("select 130"))
    );
    assert_eq!(rows[0]["parameters"], serde_json::json!(["x"]));
    // What was never started has no execution id, and is found all the same.
    let page = reader.page("/collections/1?query=120").await;
    assert_eq!(texts(&page, "#query"), ["Query that was not started"]);
    assert!(texts(&page, "#objects").is_empty(), "it read nothing");
}

#[actix_web::test]
async fn objects_say_which_query_read_them_and_a_query_leads_to_its_objects() {
    let db = three_days_of_two_places("provenance-by-query").await;
    asked_of_athena(&db).await;
    let reader = Reader::new(&db).await;
    let rows = reader.json("/collections/1?format=json").await;
    let read: Vec<&str> = rows.iter().filter_map(|row| row["athena_execution_id"].as_str()).collect();
    assert_eq!((rows.len(), read.len()), (9, 6));
    let page = reader.page("/collections/1?queries-sort=question&queries=101").await;
    let href = links(&page, "#queries tbody th a").pop().unwrap();
    let page = reader.page(href.split('#').next().unwrap()).await;
    let heading = texts(&page, "#query").concat();
    let execution = heading.strip_prefix("Query ").unwrap();
    let by = texts(&page, "#objects tbody td:last-child");
    assert_eq!(by, [execution, execution]);
    assert_eq!(texts(&page, ".table-foot__rows").pop().unwrap(), "All 2 rows");
    let narrowed = reader.json(&format!("/collections/1?query={execution}&account={OTHER}&format=json")).await;
    assert_eq!((narrowed.len(), narrowed[0]["account_id"].as_str()), (1, Some(OTHER)));
    assert!(narrowed[0]["taken_at"].is_string());
    // In the order of their queries, each object once.
    let keys = |html: &Html| texts(html, "#objects tbody th span.id:first-of-type");
    assert_eq!(walk(&reader, "/collections/1?sort=-query", "objects", keys).await.0.len(), 9);
    assert_eq!(reader.ask("/collections/1?query=nowhere").await.0.as_u16(), 404);
}

#[actix_web::test]
async fn restated_days_and_unreadable_objects_are_sorted_and_handed_out() {
    let db = three_days_of_two_places("provenance-restated").await;
    let bucket = Bucket::new("provenance-restated-later");
    for day in 1..=2 {
        bucket.snapshot(day, 9, &[("a", &[("r", N)])]);
    }
    collect(&db, &bucket).await;
    let reader = Reader::new(&db).await;
    let days = async |address: &str| texts(&reader.page(address).await, "#restated tbody th");
    assert_eq!(days("/collections/2").await, ["2 Nov 2026", "1 Nov 2026"]);
    for word in ["day", "account-regions", "late", "rows-added", "rows-removed"] {
        assert_eq!(days(&format!("/collections/2?restated-sort={word}")).await.len(), 2, "{word}");
    }
    assert_eq!(days("/collections/2?restated-sort=day").await, ["1 Nov 2026", "2 Nov 2026"]);
    let rows = reader.json("/collections/2?rows=restated&format=json&restated-sort=day").await;
    assert_eq!((rows.len(), rows[0]["day"].as_str()), (2, Some("2026-11-01")));
    assert_eq!(reader.ask("/collections/2?rows=everything&format=json").await.0.as_u16(), 400);

    let names = async |address: &str| texts(&reader.page(address).await, "#unreadable tbody th summary");
    let found = names("/collections/1").await;
    assert_eq!(found.len(), 3);
    for word in ["found", "why", "account", "region", "day"] {
        let (up, mut down) = (
            names(&format!("/collections/1?unreadable-sort={word}")).await,
            names(&format!("/collections/1?unreadable-sort=-{word}")).await,
        );
        down.reverse();
        assert_eq!((up.len(), up), (3, down), "{word}");
    }
    let page = reader.page("/collections/1").await;
    let handed = links(&page, "#unreadable").len();
    assert_eq!(handed, 0);
    let rows = reader.json("/collections/1?outcome=unreadable&format=json").await;
    assert_eq!(rows.len(), 3);
    let formats = links(&page, ".table-foot__formats a");
    assert!(formats.iter().any(|href| href == "/collections/1?outcome=unreadable&format=csv"), "{formats:?}");
}

#[actix_web::test]
async fn collections_are_narrowed_by_what_they_brought() {
    let db = three_days_of_two_places("provenance-narrowed").await;
    let bucket = Bucket::new("provenance-narrowed-later");
    bucket.snapshot(4, 5, &[("a", &[("r", N)])]);
    collect(&db, &bucket).await;
    let reader = Reader::new(&db).await;
    let ids = async |query: &str| {
        let page = reader.page(&format!("/collections{query}")).await;
        let shown = texts(&page, "#collections tbody th");
        let rows = format!("/collections{query}{}format=json", if query.is_empty() { "?" } else { "&" });
        let handed: Vec<String> = reader.json(&rows).await.iter().map(|row| row["collection_id"].to_string()).collect();
        assert_eq!(shown, handed, "{query}");
        shown
    };
    assert_eq!(ids("").await, ["2", "1"]);
    assert_eq!(ids(&format!("?account={OTHER}")).await, ["1"]);
    assert_eq!(ids(&format!("?account={ACCOUNT}&region={REGION}")).await, ["2", "1"]);
    assert_eq!(ids("?outcome=unreadable").await, ["1"]);
    assert_eq!(ids("?state=finished&engine=files").await, ["2", "1"]);
    assert!(ids("?engine=athena").await.is_empty());
    assert_eq!(reader.ask("/collections?state=green").await.0.as_u16(), 400);
    // One collection's objects of a day.
    assert_eq!(reader.json("/collections/1?day=2026-11-02&format=json").await.len(), 5);
    assert_eq!(texts(&reader.page("/collections/1?day=2026-11-02").await, "#objects tbody tr").len(), 5);
    assert_eq!(reader.ask("/collections/1?day=yesterday").await.0.as_u16(), 400);
}
