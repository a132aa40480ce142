//! What a pack says of its evidence: its scope, lists too long to print, an earlier knowledge point.

use std::collections::BTreeMap;
use std::path::Path;

use auditfolio::collection::Options;
use auditfolio::collection::source::Limits;
use auditfolio::packs::Request;
use auditfolio::packs::db::{self, Part};
use sqlx::PgPool;
use time::macros::date;

use crate::bucket::{Bucket, REGION, options};
use crate::collection::collect;
use crate::collection_faults::try_collect;
use crate::harness::database;
use crate::packs::{pack, request, store};
use crate::site::{get, sign_in, site};

#[actix_web::test]
async fn a_scope_holds_and_says_how_many_accounts_are_left_out() {
    let db = store().await;
    let request = Request { accounts: Some(vec!["000000000001".to_owned()]), from: None, ..request() };
    let id = pack(&db, &request).await;
    let stored = db::find(&db, &id).await.unwrap().unwrap();
    assert_eq!((stored.evaluations, stored.not_complying), (5, 2));
    assert_eq!(stored.account_ids.as_deref(), Some(&["000000000001".to_owned()][..]));
    assert_eq!(stored.cover["attachments"].as_array().unwrap().len(), 4, "a single day has no period.csv");
    let text = text_of(&db, &id).await;
    let left_out = text.split_once("Accounts left out").map(|(_, rest)| rest).unwrap_or_default();
    assert!(left_out.contains("000000000002") && left_out.contains("not asked for"), "{text}");
}

#[actix_web::test]
async fn a_pack_names_the_queries_of_athena_that_read_its_objects() {
    let db = store().await;
    let before = pack(&db, &request()).await;
    assert!(!text_of(&db, &before).await.contains("queries.csv"));
    sqlx::query(
        "with query as (
             insert into athena_query (collection_id, question, question_key, day, attempt, token, sql, parameters, workgroup,
                                       database_name, marks, objects, expected_bytes, execution_id, state, bytes_scanned)
             select min(collection_id), 'changes of a day', 'k', min(day), 1, 't', 'select ?', '{2026/11/3}', 'audit', 'evidence',
                    '{}', 2, 7, 'an-execution', 'SUCCEEDED', 12345678
             from object_outcome join object using (object_id) where outcome = 'collected' returning *)
         update object_outcome w set athena_query_id = query.athena_query_id from query
         where w.outcome = 'collected'",
    )
    .execute(&db)
    .await
    .unwrap();
    let id = pack(&db, &request()).await;
    let text = text_of(&db, &id).await;
    assert!(text.contains("that read objects: 1.") && text.contains("queries.csv"), "{text}");
    let collected: i64 = sqlx::query_scalar("select count(*) from object_outcome where outcome = 'collected'")
        .fetch_one(&db)
        .await
        .unwrap();
    for printed in [
        "EngineAmazon Athena",
        "Workgroupaudit",
        &format!("Objects read{collected}"),
        "Bytes scanned12,345,678",
        "Execution idsan-execution",
    ] {
        assert!(text.replace('\n', "").contains(printed), "{printed}: {text}");
    }
    assert_eq!(text_of(&db, &pack(&db, &request()).await).await, text, "the same again");
    let stored = db::find(&db, &id).await.unwrap().unwrap();
    let files = stored.cover["attachments"].as_array().unwrap();
    assert!(files.iter().any(|file| file["name"] == "queries.csv" && file["rows"] == 1), "{files:?}");
    let queries = attached(&db, &id, "execution_id,").await;
    assert_eq!(
        (&queries[0]["execution_id"], &queries[0]["parameters"]),
        (&"an-execution".to_owned(), &r#"["2026/11/3"]"#.to_owned())
    );
    let objects = attached(&db, &id, "account_id,region,day,kind,").await;
    for object in &objects {
        let expected = if object["outcome"] == "collected" { "an-execution" } else { "" };
        assert_eq!(object["athena_execution_id"], expected, "{object:?}");
    }
}

#[actix_web::test]
async fn a_pack_says_in_which_unit_an_account_is() {
    let db = store().await;
    sqlx::raw_sql(
        "with list as (
             insert into account_list (organization_id, collection_id, listed_on, source, sha256, origin)
             values (1, 1, '2026-11-01', 'AWS Organizations', decode(repeat('00', 32), 'hex'), 'organizations')
             returning account_list_id)
         insert into account_listing (account_list_id, account_id, name, status, unit_ids, unit_names)
         select account_list_id, '000000000001', 'shop', 'ACTIVE', '{r-1,ou-2}', '{Root,Production}' from list",
    )
    .execute(&db)
    .await
    .unwrap();
    let id = pack(&db, &request()).await;
    let rows = attached(&db, &id, "account_id,name,").await;
    let unit =
        |account: &str| rows.iter().find(|row| row["account_id"] == account).map(|row| &row["organizational_unit"]);
    assert_eq!(unit("000000000001").map(String::as_str), Some("Root / Production"));
    assert_eq!(unit("000000000002").map(String::as_str), Some(""), "no list tells it");
}

/// The rows of the attached CSV file that begins so.
async fn attached(db: &PgPool, id: &str, beginning: &str) -> Vec<BTreeMap<String, String>> {
    let document = lopdf::Document::load_mem(&db::bytes(db, id, Part::Pdf).await.unwrap()).unwrap();
    let contents = document.objects.values().filter_map(|object| object.as_stream().ok());
    let mut texts = contents.map(|stream| stream.decompressed_content().unwrap_or_else(|_| stream.content.clone()));
    let csv = texts
        .find(|text| text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text).starts_with(beginning.as_bytes()))
        .unwrap();
    let text = csv.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&csv);
    csv::Reader::from_reader(text).deserialize().map(Result::unwrap).collect()
}

/// The words of a pack in the order of its pages, for where no tool is needed to read them.
pub(crate) async fn text_of(db: &PgPool, id: &str) -> String {
    let document = lopdf::Document::load_mem(&db::bytes(db, id, Part::Pdf).await.unwrap()).unwrap();
    let pages: Vec<u32> = document.get_pages().into_keys().collect();
    document.extract_text(&pages).unwrap()
}

#[actix_web::test]
async fn a_list_too_long_to_print_is_in_a_file_that_the_pack_has() {
    let db = store().await;
    // 20,001 failures on the last day, none of them in the same place as the others.
    sqlx::raw_sql(
        "insert into resource (place_id, resource_type_id, id) select 4, 1, 'many-' || n from generate_series(1, 20001) n;
         insert into run (place_id, rule_id, resource_id, first_day, status_id)
             select 4, 1, resource_id, '2026-11-10', 2 from resource where place_id = 4 and id like 'many-%';
         update rollup set not_complying = 20001 where place_id = 4 and first_day = '2026-11-10';
         update delivery set not_complying = 20001 where place_id = 4 and day = '2026-11-10';",
    )
    .execute(&db)
    .await
    .unwrap();
    let request = Request { from: None, ..request() };
    let id = pack(&db, &request).await;
    let cover = db::find(&db, &id).await.unwrap().unwrap().cover;
    assert_eq!((&cover["register_rows"], &cover["register_printed"]), (&20_004.into(), &false.into()));
    let files: Vec<&str> =
        cover["attachments"].as_array().unwrap().iter().map(|file| file["name"].as_str().unwrap()).collect();
    for notice in cover["notices"].as_array().unwrap().iter().map(|notice| notice.as_str().unwrap()) {
        let named: Vec<&str> =
            notice.split(' ').filter(|word| Path::new(word).extension().is_some_and(|it| it == "csv")).collect();
        assert!(named.iter().all(|name| files.contains(name)), "{notice}: {files:?}");
    }
    let attachment = |name: &str| {
        let files = cover["attachments"].as_array().unwrap();
        let file = files.iter().find(|file| file["name"] == name).unwrap();
        (file["rows"].as_u64().unwrap(), file["sha256"].as_str().unwrap())
    };
    let notices = cover["notices"].to_string();
    let (of_day, of_period) = (attachment("population.csv"), attachment("period.csv"));
    assert_eq!((of_day.0, of_period.0), (20_009, 20_009));
    for (what, file, sha256) in
        [("register", "population.csv", of_day.1), ("list of deviations", "period.csv", of_period.1)]
    {
        let notice = format!(
            "The {what} has 20,004 rows and is not printed: it is in the attachment {file} (20,009 rows, SHA-256 {sha256})."
        );
        assert!(notices.contains(&notice), "{notices}");
    }
}

#[actix_web::test]
async fn a_pack_of_an_earlier_knowledge_point_is_the_same_after_a_late_collection() {
    let (db, bucket) = (database().await, Bucket::new("pack-knowledge"));
    let (one, other) = ("000000000007", "012345678902");
    bucket.snapshot_of(one, REGION, 1, 5, &[("a", &[("rule-a", "NON_COMPLIANT"), ("rule-b", "COMPLIANT")])]);
    bucket.snapshot_of(one, REGION, 4, 5, &[("a", &[("rule-a", "NON_COMPLIANT")])]);
    bucket.snapshot_of(
        other,
        REGION,
        1,
        5,
        &[("b", &[("rule-a", "COMPLIANT")]), ("c", &[("rule-a", "NON_COMPLIANT")])],
    );
    collect(&db, &bucket).await;
    let request =
        Request { organization: "Example".to_owned(), as_of: date!(2026 - 11 - 04), known_at: Some(1), ..request() };
    let id = pack(&db, &request).await;
    let before = db::find(&db, &id).await.unwrap().unwrap();
    let unknown = |cover: &serde_json::Value| {
        cover["results"].as_array().unwrap().iter().map(|one| one["unknown"].as_u64().unwrap()).sum::<u64>()
    };
    assert_eq!(unknown(&before.cover), 2, "the silent account's last known evaluations");

    // The silent account's day comes late with other rules, and a known day and the one before it are restated.
    bucket.snapshot_of(other, REGION, 3, 5, &[("b", &[("rule-c", "NON_COMPLIANT")])]);
    bucket.snapshot_of(other, REGION, 1, 9, &[("b", &[("rule-a", "NON_COMPLIANT"), ("rule-d", "COMPLIANT")])]);
    bucket.snapshot_of(one, REGION, 4, 9, &[("a", &[("rule-b", "COMPLIANT")]), ("d", &[("rule-e", "NON_COMPLIANT")])]);
    bucket.snapshot_of(one, REGION, 2, 5, &[("a", &[("rule-f", "COMPLIANT")])]);
    collect(&db, &bucket).await;
    assert_eq!(pack(&db, &request).await, id, "every byte is that of before, or it would have been refused");

    let now = Request { known_at: None, ..request.clone() };
    let now = db::find(&db, &pack(&db, &now).await).await.unwrap().unwrap();
    assert_eq!(unknown(&now.cover), 1, "the evaluation of the day that came late");
    assert_eq!(db::restated_since(&db, &[&id]).await.unwrap().len(), 1);
}

#[actix_web::test]
async fn an_object_that_a_later_collection_could_read_is_told_as_it_was_known_before() {
    let (db, bucket) = (database().await, Bucket::new("pack-read-later"));
    bucket.snapshot(1, 5, &[("a", &[("rule-a", "NON_COMPLIANT")])]);
    let many: Vec<String> = (0..200).map(|n| format!("bucket-{n}")).collect();
    let many: Vec<(&str, &[(&str, &str)])> =
        many.iter().map(|name| (name.as_str(), [("rule-a", "COMPLIANT")].as_slice())).collect();
    bucket.snapshot(2, 5, &many);
    let small = Limits { unpacked_bytes: 2_000, ..Limits::default() };
    let first = try_collect(&db, &Options { limits: small, ..options(&bucket.root) }).await.unwrap();
    assert_eq!((first.ladder.objects_collected, first.ladder.objects_unreadable), (1, 1));
    let request = Request {
        organization: "Example".to_owned(),
        from: Some(date!(2026 - 11 - 01)),
        as_of: date!(2026 - 11 - 02),
        known_at: Some(1),
        ..request()
    };
    let id = pack(&db, &request).await;
    assert_eq!(collect(&db, &bucket).await.ladder.objects_read_again, 1);
    assert_eq!(pack(&db, &request).await, id, "every byte is that of before, or it would have been refused");
    let now = Request { known_at: None, ..request };
    assert_ne!(pack(&db, &now).await, id);
}

#[actix_web::test]
async fn the_list_and_the_page_of_a_pack_say_what_a_later_collection_changed() {
    let (db, bucket) = (database().await, Bucket::new("pack-restated"));
    bucket.snapshot(3, 5, &[("a", &[("r", "COMPLIANT")]), ("b", &[("r", "COMPLIANT")])]);
    collect(&db, &bucket).await;
    let (from, as_of) = (Some(date!(2026 - 11 - 02)), date!(2026 - 11 - 03));
    let id = pack(&db, &Request { organization: "Example".to_owned(), from, as_of, ..request() }).await;
    let app = site(&db).await;
    let cookie = sign_in(&app, "viewer").await;
    let page = format!("/packs/{id}");
    for address in ["/packs", &page] {
        assert!(!get(&app, &cookie, address).await.text.contains("restated on"), "{address}: nothing has changed");
    }
    // Another snapshot of the day, and one of the day before that was a gap.
    bucket.snapshot(3, 9, &[("a", &[("r", "NON_COMPLIANT")]), ("b", &[("r", "COMPLIANT")])]);
    bucket.snapshot(2, 5, &[("a", &[("r", "COMPLIANT")])]);
    collect(&db, &bucket).await;
    for address in ["/packs", &page] {
        let said = get(&app, &cookie, address).await.texts("main strong").concat();
        let words = "by collection 2: +2 −1 rows, 1 account-Region-day of gaps filled late";
        assert!(said.contains("restated on") && said.contains(words), "{address}: {said}");
    }
}
