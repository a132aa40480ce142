//! Every figure can be walked to the delivered objects that it stands on, and to the query that read them.

use scraper::Html;
use sqlx::PgPool;

use crate::athena::{athena, collected};
use crate::bucket::{ACCOUNT, Bucket, REGION, snapshot_name};
use crate::collection::collect;
use crate::harness::database;
use crate::portal::{C, N, OTHER, Reader, links, texts, walk};
use crate::s3::two_accounts;

/// The SHA-256 of a delivered file, in hexadecimal.
fn sha256(bucket: &Bucket, key: &str) -> String {
    let bytes = std::fs::read(bucket.root.join(key)).unwrap();
    auditfolio::web::format::hex(ring::digest::digest(&ring::digest::SHA256, &bytes).as_ref())
}

/// What "How do we know?" says under a word.
fn says(html: &Html, term: &str) -> Vec<String> {
    let (terms, texts) = (texts(html, "#how dt"), texts(html, "#how dd"));
    terms.into_iter().zip(texts).filter(|(found, _)| found == term).map(|(_, text)| text).collect()
}

/// The link of "How do we know?" to the objects.
fn objects_href(html: &Html) -> String {
    links(html, "#how a[href^='/objects']").remove(0)
}

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
    collected_days(&Bucket::new(name)).await
}

async fn collected_days(bucket: &Bucket) -> PgPool {
    let db = database().await;
    for day in 1..=3 {
        bucket.snapshot(day, 5, &[("a", &[("r", C)]), ("b", &[("r", N)])]);
        bucket.snapshot_of(OTHER, REGION, day, 5, &[("c", &[("r", N)])]);
    }
    for hour in 6..=8 {
        bucket.put(&snapshot_name(ACCOUNT, REGION, 2, hour), b"no gzip");
    }
    collect(&db, bucket).await;
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
    assert_eq!(heads.len(), 9);
    for head in heads {
        let word = head.split("queries-sort=").nth(1).unwrap().split('#').next().unwrap().trim_start_matches('-');
        let (up, _) = walk(&reader, &format!("/collections/1?queries-sort={word}"), "queries", keys).await;
        assert_eq!(up.len(), 130, "{word}");
    }
    let most = texts(&reader.page("/collections/1?queries-sort=-bytes").await, "#queries tbody td:nth-child(7)");
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
    let by = texts(&page, "#objects tbody th span.id:last-of-type");
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

#[actix_web::test]
async fn figures_of_many_places_lead_to_exactly_their_objects() {
    let bucket = Bucket::new("provenance-walk");
    let db = collected_days(&bucket).await;
    let reader = Reader::new(&db).await;
    let keys = [(ACCOUNT, 5), (OTHER, 5)].map(|(account, hour)| snapshot_name(account, REGION, 2, hour));
    for address in
        ["/", "/accounts", "/rules", "/rules/r", "/rules/r/names", "/evaluations", "/changes", "/conformance-packs"]
    {
        let page = reader.page(&format!("{address}?as_of=2026-11-02")).await;
        assert_eq!(
            says(&page, "Objects"),
            ["2 objects, each that of an account-region for the day; with key, ETag, SHA-256 and time of capture"],
            "{address}"
        );
        assert_eq!(says(&page, "Read by"), ["this program: 2 objects, each with its SHA-256"], "{address}");
        assert_eq!(says(&page, "Collected by"), ["collection 1 (2 account-regions)"], "{address}");
        let href = objects_href(&page);
        let rows = reader.json(&format!("{href}&format=json")).await;
        let found: Vec<(&str, &str)> =
            rows.iter().map(|row| (row["key"].as_str().unwrap(), row["sha256"].as_str().unwrap())).collect();
        let wanted = keys.each_ref().map(|key| (key.as_str(), sha256(&bucket, key)));
        let wanted: Vec<(&str, &str)> = wanted.iter().map(|(key, hash)| (*key, hash.as_str())).collect();
        assert_eq!(found, wanted, "{address}");
        let listed = reader.page(&href).await;
        assert_eq!(texts(&listed, "#objects tbody td:nth-child(2)"), [ACCOUNT, OTHER], "{address}");
        assert_eq!(links(&listed, "#objects tbody td a")[0], "/collections/1?as_of=2026-11-02", "{address}");
    }
    // The filters of the page narrow its objects.
    for address in [format!("/?account={OTHER}"), format!("/evaluations?account={OTHER}&rule=r&status=non-compliant")] {
        let page = reader.page(&format!("{address}&as_of=2026-11-02")).await;
        let rows = reader.json(&format!("{}&format=json", objects_href(&page))).await;
        assert_eq!((rows.len(), rows[0]["key"].as_str()), (1, Some(keys[1].as_str())), "{address}");
    }
    let changes = reader.page("/changes?as_of=2026-11-03&from=2026-11-01").await;
    let earlier = links(&changes, "#how a[href^='/objects']").remove(1);
    let rows = reader.json(&format!("{earlier}&format=json")).await;
    assert_eq!((rows.len(), rows[0]["day"].as_str()), (2, Some("2026-11-01")));
}

#[actix_web::test]
async fn an_evaluation_leads_to_its_resource_and_that_to_the_object_with_its_hash() {
    let bucket = Bucket::new("provenance-row");
    let db = collected_days(&bucket).await;
    let reader = Reader::new(&db).await;
    let rows = reader.page(&format!("/evaluations?account={OTHER}&as_of=2026-11-03")).await;
    let resource = reader.page(&links(&rows, "#evaluations tbody a[href^='/resources']")[0]).await;
    let key = snapshot_name(OTHER, REGION, 3, 5);
    assert_eq!(says(&resource, "Object"), [key.as_str()]);
    assert_eq!(says(&resource, "SHA-256"), [sha256(&bucket, &key)]);
    assert_eq!(says(&resource, "Captured"), ["3 Nov 2026 05:00:00 UTC, for 3 Nov 2026 (UTC)"]);
    assert_eq!(says(&resource, "ETag"), ["none: it comes from a folder"]);
    // Since when it is so, is known from the object of that day.
    let since = links(&resource, "#dates tbody td a").remove(0);
    let first = reader.json(&format!("{since}&format=json")).await;
    let key = snapshot_name(OTHER, REGION, 1, 5);
    assert_eq!((first.len(), first[0]["sha256"].as_str()), (1, Some(sha256(&bucket, &key).as_str())));
    let account = reader.page(&format!("/accounts/{ACCOUNT}?as_of=2026-11-02")).await;
    let files = texts(&account, "#files tbody tr");
    assert_eq!(files.len(), 4);
    let speaks: Vec<&String> = files.iter().filter(|row| row.contains("the figures stand on it")).collect();
    assert_eq!(speaks.len(), 1);
    assert!(speaks[0].contains(&sha256(&bucket, &snapshot_name(ACCOUNT, REGION, 2, 5))), "{speaks:?}");
    let all = reader.json(&format!("{}&format=json", links(&account, "main p a[href^='/objects']")[0])).await;
    assert_eq!(all.len(), 4, "what could not be read is there as well");
}

#[actix_web::test]
async fn a_silent_place_leads_to_the_object_of_its_last_known_day() {
    let bucket = Bucket::new("provenance-silent");
    let db = database().await;
    for day in 1..=3 {
        bucket.snapshot(day, 5, &[("a", &[("r", C)])]);
    }
    bucket.snapshot_of(OTHER, REGION, 1, 5, &[("c", &[("r", N)])]);
    collect(&db, &bucket).await;
    // That it is missed is what an account list would say.
    sqlx::raw_sql(
        "insert into expected_place (place_id, first_day, since_collection) select place_id, '2026-11-01', 1 from place
         on conflict do nothing",
    )
    .execute(&db)
    .await
    .unwrap();
    let reader = Reader::new(&db).await;
    let page = reader.page("/?as_of=2026-11-03").await;
    assert!(says(&page, "Objects")[0].contains("1 account-region without evidence of the day: the last known"));
    let rows = reader.json(&format!("{}&format=json", objects_href(&page))).await;
    let days: Vec<(&str, &str)> =
        rows.iter().map(|row| (row["account_id"].as_str().unwrap(), row["day"].as_str().unwrap())).collect();
    assert_eq!(days, [(ACCOUNT, "2026-11-03"), (OTHER, "2026-11-01")]);
    let resource = format!("/resources?account={OTHER}&region={REGION}&type=AWS::S3::Bucket&id=c&as_of=2026-11-03");
    assert_eq!(says(&reader.page(&resource).await, "Object"), [snapshot_name(OTHER, REGION, 1, 5)]);
}

#[actix_web::test]
async fn an_inferred_day_leads_to_all_history_objects_up_to_it() {
    let bucket = Bucket::new("provenance-history");
    let db = database().await;
    let names = [1, 2, 3].map(|day| bucket.history(day, &[("a", 4, Some(&[("r", C)])), ("b", 5, Some(&[("r", N)]))]));
    collect(&db, &bucket).await;
    let reader = Reader::new(&db).await;
    let page = reader.page("/evaluations?as_of=2026-11-02").await;
    assert!(says(&page, "Objects")[0].starts_with("1 account-region inferred from the history objects up to the day"));
    let rows = reader.json(&format!("{}&format=json", objects_href(&page))).await;
    let found: Vec<(&str, String)> =
        rows.iter().map(|row| (row["key"].as_str().unwrap(), row["sha256"].as_str().unwrap().to_owned())).collect();
    let wanted: Vec<(&str, String)> = names[..2].iter().map(|name| (name.as_str(), sha256(&bucket, name))).collect();
    assert_eq!(found, wanted);
}

#[actix_web::test]
async fn the_accounts_are_handed_out_with_their_units() {
    let db = three_days_of_two_places("provenance-units").await;
    for (day, unit) in [(1, "Sandbox"), (3, "Production")] {
        sqlx::query(
            "with list as (
                 insert into account_list (organization_id, collection_id, listed_on, source, sha256, origin)
                 values (1, 1, date '2026-11-01' + $1 - 1, 'AWS Organizations', decode(repeat('00', 32), 'hex'),
                     'organizations')
                 returning account_list_id)
             insert into account_listing (account_list_id, account_id, name, status, unit_ids, unit_names)
             select account_list_id, $2, 'shop', 'ACTIVE', '{r-1,ou-2}', array['Root', $3] from list",
        )
        .bind(day)
        .bind(ACCOUNT)
        .bind(unit)
        .execute(&db)
        .await
        .unwrap();
    }
    let reader = Reader::new(&db).await;
    for (day, unit) in [(2, "Root / Sandbox"), (3, "Root / Production")] {
        let rows = reader.json(&format!("/accounts?format=json&as_of=2026-11-0{day}")).await;
        let of = |account: &str| &rows.iter().find(|row| row["account_id"] == account).unwrap()["organizational_unit"];
        assert_eq!(of(ACCOUNT), unit);
        assert!(of(OTHER).is_null(), "no list tells it");
    }
}

#[actix_web::test]
async fn objects_of_a_day_are_paged_in_any_order() {
    let bucket = Bucket::new("provenance-many");
    let db = database().await;
    for account in 1..=110 {
        bucket.snapshot_of(&format!("{account:012}"), REGION, 1, 5, &[("a", &[("r", C)])]);
    }
    collect(&db, &bucket).await;
    let reader = Reader::new(&db).await;
    let keys = |html: &Html| texts(html, "#objects tbody td:nth-child(2)");
    let heads = links(&reader.page("/objects").await, "#objects thead a");
    assert_eq!(heads.len(), 10);
    for head in heads {
        let word = head.split("sort=").nth(1).unwrap().trim_start_matches('-');
        let (mut up, pages) = walk(&reader, &format!("/objects?sort={word}"), "objects", keys).await;
        assert_eq!((up.len(), pages), (110, 2), "{word}");
        let rows = reader.json(&format!("/objects?sort={word}&format=json")).await;
        let handed: Vec<&str> = rows.iter().map(|row| row["account_id"].as_str().unwrap()).collect();
        assert_eq!(handed, up, "{word}: handed out in the order of the page");
        up.sort();
        up.dedup();
        assert_eq!(up.len(), 110, "{word}: each object once");
    }
    assert_eq!(reader.json("/objects?format=json").await.len(), 110);
    assert_eq!(reader.ask("/objects?all=no").await.0.as_u16(), 400);
    assert_eq!(reader.ask("/objects?rule=r").await.0.as_u16(), 400);
}

#[actix_web::test]
#[ignore = "needs Python's moto and duckdb; tests/run runs it"]
async fn what_athena_read_leads_to_its_execution() {
    let (aws, db, bucket) = (athena("/o-abc"), database().await, two_accounts("provenance-athena"));
    aws.load(&bucket.root);
    collected(&aws, &db, &[]);
    let asked: Vec<(String, i64)> = sqlx::query_as(
        "select q.execution_id, count(*) from athena_query q join object_outcome w using (athena_query_id)
         group by 1 order by 1",
    )
    .fetch_all(&db)
    .await
    .unwrap();
    assert!(!asked.is_empty());
    let reader = Reader::new(&db).await;
    let page = reader.page("/").await;
    assert!(
        says(&page, "Read by")[0].starts_with("Amazon Athena: 2 objects in 1 query"),
        "{:?}",
        says(&page, "Read by")
    );
    let rows = reader.json(&format!("{}&format=json", objects_href(&page))).await;
    let execution = rows[0]["athena_execution_id"].as_str().unwrap().to_owned();
    let (_, objects) = asked.iter().find(|(id, _)| *id == execution).expect("an execution that Athena was asked for");
    assert!(rows.iter().all(|row| row["athena_execution_id"] == execution && row["sha256"].is_null()));
    let resource = links(&reader.page("/evaluations").await, "#evaluations tbody a[href^='/resources']").remove(0);
    let resource = reader.page(&resource).await;
    assert_eq!(says(&resource, "Query"), [execution.as_str()]);
    assert_eq!(says(&resource, "SHA-256"), ["not read by us"]);
    assert_ne!(says(&resource, "ETag"), ["none: it comes from a folder"]);
    let query = links(&resource, "#how a[href*='query=']").remove(0);
    let collection = reader.page(query.split('#').next().unwrap()).await;
    assert_eq!(texts(&collection, "#query"), [format!("Query {execution}")]);
    assert_eq!(texts(&collection, "#objects tbody tr").len(), usize::try_from(*objects).unwrap());
    assert!(texts(&collection, "main pre").concat().contains("$path"), "the text of the query");
}
