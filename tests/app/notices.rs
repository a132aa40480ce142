//! Notices: opened once for each cause, closed when it is over, acknowledged, and never altered.

use actix_web::http::{Method, StatusCode};
use auditfolio::State;
use auditfolio::clock::Clock;
use auditfolio::collection::{self, Progress};
use auditfolio::notices::{self, NoticeArgs};
use sqlx::PgPool;
use time::OffsetDateTime;
use time::macros::datetime;

use crate::bucket::{Bucket, options, snapshot_name};
use crate::harness::database;
use crate::site::{ask, get, sign_in, site_of};

/// A rule that the rule data calls critical, and one that it does not.
const CRITICAL: &str = "dms-replication-not-public";
const OTHER: &str = "access-keys-rotated";
const FIRST: &str = "000000000011";
const SECOND: &str = "000000000012";
const REGION: &str = "eu-central-1";

fn state(db: &PgPool, now: OffsetDateTime) -> State {
    crate::site::state_at(db, now)
}

/// Collects and decides, as every command and job does.
async fn collect(db: &PgPool, bucket: &Bucket, now: OffsetDateTime) -> i64 {
    let collecting = collection::Options { clock: Clock::Fixed(now), ..options(&bucket.root) };
    let progress = Progress::silent();
    let outcome = collection::run(db, &collecting, &progress).await;
    notices::after_collection(&state(db, now), &NoticeArgs::default(), "Example", &outcome, &progress).await;
    outcome.unwrap().collection_id
}

/// Kind, what it is about, whether open.
async fn all(db: &PgPool) -> Vec<(String, String, bool)> {
    sqlx::query_as("select kind, about, closed_at is null from notice order by notice_id").fetch_all(db).await.unwrap()
}

fn rows(rows: &[(&str, &str, bool)]) -> Vec<(String, String, bool)> {
    rows.iter().map(|(kind, about, open)| ((*kind).to_owned(), (*about).to_owned(), *open)).collect()
}

const GOOD: &[(&str, &str)] = &[(CRITICAL, "COMPLIANT"), (OTHER, "COMPLIANT")];
const BAD: &[(&str, &str)] = &[(CRITICAL, "NON_COMPLIANT"), (OTHER, "NON_COMPLIANT")];

#[tokio::test]
async fn a_critical_rule_that_newly_fails_is_one_notice_whatever_the_days_and_looks_between() {
    let db = database().await;
    let bucket = Bucket::new("notices-failing");
    for account in [FIRST, SECOND] {
        bucket.snapshot_of(account, REGION, 1, 5, &[("a", GOOD), ("b", GOOD)]);
    }
    collect(&db, &bucket, datetime!(2026-11-01 12:00 UTC)).await;
    assert_eq!(all(&db).await, []);

    // It begins on a day that is not the last of those that arrive together.
    bucket.snapshot_of(FIRST, REGION, 2, 5, &[("a", BAD), ("b", BAD)]);
    bucket.snapshot_of(FIRST, REGION, 3, 5, &[("a", BAD), ("b", BAD)]);
    bucket.snapshot_of(SECOND, REGION, 3, 5, &[("a", BAD), ("b", GOOD)]);
    collect(&db, &bucket, datetime!(2026-11-03 12:00 UTC)).await;
    let expected = rows(&[("critical-failing", CRITICAL, true)]);
    assert_eq!(all(&db).await, expected);
    let facts: serde_json::Value = sqlx::query_scalar("select facts from notice").fetch_one(&db).await.unwrap();
    assert_eq!(
        (&facts["accounts"], &facts["evaluations"], &facts["members"]),
        (&2.into(), &3.into(), &serde_json::json!([FIRST, SECOND]))
    );
    collect(&db, &bucket, datetime!(2026-11-03 13:00 UTC)).await;
    assert_eq!(all(&db).await, expected, "the same day looked at again");

    bucket.snapshot_of(FIRST, REGION, 4, 5, &[("a", GOOD), ("b", GOOD)]);
    bucket.snapshot_of(SECOND, REGION, 4, 5, &[("a", BAD), ("b", GOOD)]);
    collect(&db, &bucket, datetime!(2026-11-04 12:00 UTC)).await;
    assert_eq!(all(&db).await, expected, "one of the two still fails");

    bucket.snapshot_of(FIRST, REGION, 5, 5, &[("a", BAD), ("b", GOOD)]);
    bucket.snapshot_of(SECOND, REGION, 5, 5, &[("a", GOOD), ("b", GOOD)]);
    collect(&db, &bucket, datetime!(2026-11-05 12:00 UTC)).await;
    let both = rows(&[("critical-failing", CRITICAL, true), ("critical-failing", CRITICAL, true)]);
    assert_eq!(all(&db).await, both, "what came back is told again");

    for account in [FIRST, SECOND] {
        bucket.snapshot_of(account, REGION, 6, 5, &[("a", GOOD), ("b", GOOD)]);
    }
    collect(&db, &bucket, datetime!(2026-11-06 12:00 UTC)).await;
    assert!(all(&db).await.iter().all(|(_, _, open)| !open));
    let because: String =
        sqlx::query_scalar("select distinct closed_because from notice").fetch_one(&db).await.unwrap();
    assert_eq!(
        because,
        "No evaluation of it fails in these accounts on their latest known days, or they are no longer expected to deliver."
    );
}

#[tokio::test]
async fn a_silent_place_and_one_without_compliance_items_are_noticed_and_closed() {
    let db = database().await;
    let bucket = Bucket::new("notices-silent");
    for account in [FIRST, SECOND] {
        bucket.snapshot_of(account, REGION, 1, 5, &[("a", GOOD)]);
    }
    bucket.snapshot_of(SECOND, REGION, 2, 5, &[]);
    // 29 hours after the first one's snapshot, then 37.
    collect(&db, &bucket, datetime!(2026-11-02 10:00 UTC)).await;
    let second = format!("{SECOND} {REGION}");
    let dropped = ("items-dropped", second.as_str(), true);
    assert_eq!(all(&db).await, rows(&[dropped]));
    collect(&db, &bucket, datetime!(2026-11-02 18:00 UTC)).await;
    let first = format!("{FIRST} {REGION}");
    assert_eq!(all(&db).await, rows(&[dropped, ("place-silent", &first, true)]));
    bucket.snapshot_of(FIRST, REGION, 3, 5, &[("a", GOOD)]);
    bucket.snapshot_of(SECOND, REGION, 3, 5, &[("a", GOOD)]);
    collect(&db, &bucket, datetime!(2026-11-03 10:00 UTC)).await;
    assert_eq!(all(&db).await, rows(&[("items-dropped", &second, false), ("place-silent", &first, false)]));
}

#[tokio::test]
async fn a_place_that_delivers_history_alone_is_not_silent_until_that_ends() {
    let db = database().await;
    let bucket = Bucket::new("notices-history");
    bucket.history(1, &[("a", 3, Some(GOOD))]);
    collect(&db, &bucket, datetime!(2026-11-02 10:00 UTC)).await;
    assert_eq!(all(&db).await, []);
    // 36 hours after its history of 06:00.
    collect(&db, &bucket, datetime!(2026-11-02 18:01 UTC)).await;
    let about = format!("{} {}", crate::bucket::ACCOUNT, crate::bucket::REGION);
    assert_eq!(all(&db).await, rows(&[("place-silent", &about, true)]));
    bucket.history(2, &[("a", 3, Some(GOOD))]);
    collect(&db, &bucket, datetime!(2026-11-02 19:00 UTC)).await;
    assert_eq!(all(&db).await, rows(&[("place-silent", &about, false)]));
}

#[tokio::test]
async fn a_rule_that_is_gone_is_one_notice_for_all_places_until_it_is_back_in_each() {
    let db = database().await;
    let bucket = Bucket::new("notices-gone");
    let only_critical: &[(&str, &str)] = &[(CRITICAL, "COMPLIANT")];
    // The same core rule under another pack's suffix is not gone.
    let before: &[(&str, &str)] =
        &[(CRITICAL, "COMPLIANT"), ("access-keys-rotated-conformance-pack-abcdefgh1", "COMPLIANT")];
    let renamed: &[(&str, &str)] =
        &[(CRITICAL, "COMPLIANT"), ("access-keys-rotated-conformance-pack-abcdefgh2", "COMPLIANT")];
    let third = "000000000013";
    for account in [FIRST, SECOND, third] {
        bucket.snapshot_of(account, REGION, 1, 5, &[("a", before)]);
    }
    bucket.snapshot_of(FIRST, REGION, 2, 5, &[("a", only_critical)]);
    bucket.snapshot_of(SECOND, REGION, 2, 5, &[("a", only_critical)]);
    bucket.snapshot_of(third, REGION, 2, 5, &[("a", renamed)]);
    collect(&db, &bucket, datetime!(2026-11-02 12:00 UTC)).await;
    assert_eq!(all(&db).await, rows(&[("rule-gone", OTHER, true)]));
    let members: serde_json::Value =
        sqlx::query_scalar("select facts -> 'members' from notice").fetch_one(&db).await.unwrap();
    assert_eq!(members, serde_json::json!([format!("{FIRST} {REGION}"), format!("{SECOND} {REGION}")]));

    bucket.snapshot_of(FIRST, REGION, 3, 5, &[("a", before)]);
    collect(&db, &bucket, datetime!(2026-11-03 12:00 UTC)).await;
    assert_eq!(
        all(&db).await,
        rows(&[("rule-gone", OTHER, true)]),
        "the second place is silent, and silence is no return"
    );
    bucket.snapshot_of(SECOND, REGION, 4, 5, &[("a", before)]);
    bucket.snapshot_of(third, REGION, 4, 5, &[("a", before)]);
    bucket.snapshot_of(FIRST, REGION, 4, 5, &[("a", before)]);
    collect(&db, &bucket, datetime!(2026-11-04 12:00 UTC)).await;
    assert_eq!(all(&db).await, rows(&[("rule-gone", OTHER, false)]));
}

#[tokio::test]
async fn unreadable_objects_are_noticed_until_a_later_snapshot_of_the_day_is_read() {
    let db = database().await;
    let bucket = Bucket::new("notices-unreadable");
    bucket.snapshot_of(FIRST, REGION, 1, 5, &[("a", GOOD)]);
    bucket.put(&snapshot_name(FIRST, REGION, 2, 5), b"no gzip");
    let collection = collect(&db, &bucket, datetime!(2026-11-02 12:00 UTC)).await.to_string();
    assert_eq!(all(&db).await, rows(&[("objects-unreadable", &collection, true)]));
    collect(&db, &bucket, datetime!(2026-11-02 13:00 UTC)).await;
    assert_eq!(all(&db).await, rows(&[("objects-unreadable", &collection, true)]));
    bucket.snapshot_of(FIRST, REGION, 2, 11, &[("a", GOOD)]);
    collect(&db, &bucket, datetime!(2026-11-02 14:00 UTC)).await;
    assert_eq!(all(&db).await, rows(&[("objects-unreadable", &collection, false)]));
}

#[tokio::test]
async fn what_a_failed_collection_left_unreadable_is_noticed_by_the_next_that_finishes() {
    let db = database().await;
    let bucket = Bucket::new("notices-unreadable-failed");
    bucket.snapshot_of(FIRST, REGION, 1, 5, &[("a", GOOD)]);
    bucket.put(&snapshot_name(FIRST, REGION, 2, 5), b"no gzip");
    let now = datetime!(2026-11-02 12:00 UTC);
    // It commits everything, and does not come to its end.
    collection::run(&db, &options(&bucket.root), &Progress::silent()).await.unwrap();
    sqlx::query("update collection set state = 'failed', failure = 'x'").execute(&db).await.unwrap();
    collect(&db, &bucket, now).await;
    assert_eq!(all(&db).await, rows(&[("objects-unreadable", "1", true)]));
}

#[tokio::test]
async fn an_object_that_is_tried_again_in_vain_at_each_look_is_one_notice() {
    let db = database().await;
    let bucket = Bucket::new("notices-unreadable-again");
    bucket.snapshot_of(FIRST, REGION, 1, 5, &[("a", GOOD)]);
    bucket.put(&snapshot_name(FIRST, REGION, 2, 5), b"no gzip");
    let now = datetime!(2026-11-02 12:00 UTC);
    for _ in 0..3 {
        let again = collection::Options { recheck: true, clock: Clock::Fixed(now), ..options(&bucket.root) };
        let outcome = collection::run(&db, &again, &Progress::silent()).await;
        notices::after_collection(&state(&db, now), &NoticeArgs::default(), "Example", &outcome, &Progress::silent())
            .await;
    }
    let tried: i64 = sqlx::query_scalar("select count(*) from object_outcome where outcome = 'unreadable'")
        .fetch_one(&db)
        .await
        .unwrap();
    assert_eq!(tried, 3);
    assert_eq!(all(&db).await, rows(&[("objects-unreadable", "1", true)]));
}

#[actix_web::test]
async fn what_is_noticed_of_an_account_is_over_when_it_leaves_and_does_not_come_back_with_each_look() {
    let db = database().await;
    let bucket = Bucket::new("notices-left");
    let list = |accounts: &[&str], day: u8| {
        let accounts: Vec<_> = accounts
            .iter()
            .map(|id| {
                serde_json::json!({"Id": id, "Name": "<b>one</b>\u{202e}", "Status": "ACTIVE", "Email": "a@example.com",
                    "Arn": "arn:aws:organizations::1:account/o/x", "JoinedTimestamp": "2026-01-01T00:00:00+00:00"})
            })
            .collect();
        let path = bucket.root.join(format!("accounts-2026-11-{day:02}.json"));
        std::fs::write(&path, serde_json::json!({ "Accounts": accounts }).to_string()).unwrap();
        path
    };
    let with_list = async |accounts: std::path::PathBuf, now: OffsetDateTime| {
        let options = collection::Options {
            accounts: vec![accounts],
            regions: vec![REGION.to_owned()],
            clock: Clock::Fixed(now),
            ..options(&bucket.root)
        };
        let outcome = collection::run(&db, &options, &Progress::silent()).await;
        notices::after_collection(&state(&db, now), &NoticeArgs::default(), "Example", &outcome, &Progress::silent())
            .await;
        outcome.unwrap();
    };
    let gone: &[(&str, &str)] = &[(CRITICAL, "NON_COMPLIANT")];
    bucket.snapshot_of(FIRST, REGION, 1, 5, &[("a", GOOD)]);
    bucket.snapshot_of(FIRST, REGION, 2, 5, &[("a", gone)]);
    with_list(list(&[FIRST], 1), datetime!(2026-11-02 12:00 UTC)).await;
    let expected = |open| rows(&[("rule-gone", OTHER, open), ("critical-failing", CRITICAL, open)]);
    assert_eq!(all(&db).await, expected(true));
    let left = list(&[SECOND], 3);
    let now = datetime!(2026-11-03 12:00 UTC);
    for hours in 0..3 {
        with_list(left.clone(), now + time::Duration::hours(hours)).await;
        let mut noticed = all(&db).await;
        let second = noticed.pop().unwrap();
        assert_eq!(second, ("place-silent".to_owned(), format!("{SECOND} {REGION}"), true), "{hours}");
        assert_eq!(noticed, expected(false), "{hours}");
    }
    let site = site_of(state(&db, now)).await;
    let cookie = sign_in(&site, "viewer").await;
    let page = get(&site, &cookie, "/notices?state=open").await;
    assert_eq!(
        page.texts("#notices tbody th bdi"),
        [format!("{SECOND} (<b>one</b>\u{202e}), {REGION}: no snapshot ever, expected since 1 Jan 2026")],
        "whatever an account is called stays words, and turns no others around"
    );
}

#[tokio::test]
async fn a_failed_collection_is_noticed_once_and_closed_by_one_that_finishes() {
    let db = database().await;
    let bucket = Bucket::new("notices-failed");
    bucket.snapshot_of(FIRST, REGION, 1, 5, &[("a", GOOD)]);
    let now = datetime!(2026-11-01 12:00 UTC);
    for _ in 0..2 {
        let missing = options(&bucket.root.join("missing"));
        let progress = Progress::silent();
        let outcome = collection::run(&db, &missing, &progress).await;
        assert!(outcome.is_err());
        notices::after_collection(&state(&db, now), &NoticeArgs::default(), "Example", &outcome, &progress).await;
    }
    assert_eq!(all(&db).await, rows(&[("collection-failed", "collections", true)]));
    let facts: serde_json::Value = sqlx::query_scalar("select facts from notice").fetch_one(&db).await.unwrap();
    assert_eq!(facts["collection"], 1);
    collect(&db, &bucket, now).await;
    assert_eq!(all(&db).await, rows(&[("collection-failed", "collections", false)]));
}

#[actix_web::test]
async fn notices_are_read_by_all_acknowledged_by_some_and_altered_by_none() {
    let db = database().await;
    let bucket = Bucket::new("notices-pages");
    bucket.snapshot_of(FIRST, REGION, 1, 5, &[("a", GOOD)]);
    bucket.snapshot_of(FIRST, REGION, 2, 5, &[("a", BAD)]);
    bucket.snapshot_of(SECOND, REGION, 1, 5, &[("a", GOOD)]);
    let now = datetime!(2026-11-02 20:00 UTC);
    collect(&db, &bucket, now).await;
    let site = site_of(state(&db, now)).await;
    let auditor = sign_in(&site, "viewer").await;
    let page = get(&site, &auditor, "/notices").await;
    assert_eq!(page.texts(".lead"), ["2 notices are open, 2 of them not acknowledged."]);
    assert_eq!(page.texts("#notices tbody tr").len(), 2);
    let overview = get(&site, &auditor, "/").await;
    assert!(overview.texts("main p").iter().any(|text| text == "2 open notices, 2 not acknowledged."));
    let failing = get(&site, &auditor, "/notices?kind=critical-failing").await;
    assert_eq!(failing.texts("#notices tbody tr").len(), 1);
    let one: i64 = sqlx::query_scalar("select notice_id from notice where kind = 'critical-failing'")
        .fetch_one(&db)
        .await
        .unwrap();
    let address = format!("/notices/{one}");
    let shown = get(&site, &auditor, &address).await;
    assert!(shown.text.contains("status=non-compliant&#38;as_of=2026-11-02"), "{}", shown.text);
    assert_eq!(shown.texts("main form").len(), 0, "auditors acknowledge nothing");
    for link in shown.text.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
        if link.contains("as_of=2026-11-02") {
            let answer = get(&site, &auditor, &link.replace("&#38;", "&")).await;
            assert_eq!(answer.status, StatusCode::OK, "{link}");
        }
    }

    let manager = sign_in(&site, "compliance-manager").await;
    let administrator = sign_in(&site, "administrator").await;
    for cookie in [&manager, &administrator] {
        let done = ask(&site, Method::POST, &format!("{address}/acknowledge"), Some(cookie), Some("")).await;
        assert_eq!((done.status, done.header("location")), (StatusCode::SEE_OTHER, address.as_str()));
    }
    let by: Vec<(String, String)> =
        sqlx::query_as("select actor, object from audit_log where act = 'acknowledge notice'")
            .fetch_all(&db)
            .await
            .unwrap();
    assert_eq!(by, [("demo compliance-manager".to_owned(), format!("notice {one}"))], "the first one's name stays");
    assert_eq!(get(&site, &auditor, "/notices?state=new").await.texts("#notices tbody tr").len(), 1);
    let csv = get(&site, &auditor, "/notices?format=csv").await.text;
    let read: Vec<csv::StringRecord> = csv::Reader::from_reader(csv.as_bytes()).records().map(Result::unwrap).collect();
    assert_eq!(read.iter().filter(|row| &row[1] == "open, acknowledged").count(), 1, "{csv}");
    assert_eq!(read.len(), 2);

    for statement in [
        "update notice set sentence = 'x'",
        "update notice set facts = '{}'",
        "update notice set acknowledged_by = 'x' where acknowledged_at is not null",
        "delete from notice",
        "truncate notice cascade",
    ] {
        let refused = sqlx::query(statement).execute(&db).await.unwrap_err();
        assert!(refused.to_string().contains("never altered"), "{statement}: {refused}");
    }
}

#[actix_web::test]
async fn notices_are_paged_forth_and_back_with_open_ones_first() {
    let db = database().await;
    let bucket = Bucket::new("notices-paging");
    bucket.snapshot_of(FIRST, REGION, 1, 5, &[("a", GOOD)]);
    let now = datetime!(2026-11-01 12:00 UTC);
    collect(&db, &bucket, now).await;
    sqlx::query(
        "insert into notice (organization_id, kind, about, sentence, facts, opened_at, opened_by, closed_at, closed_by, closed_because)
         select 1, 'rule-gone', n::text, n::text, '{\"members\": []}', now(), 1,
                case when n % 2 = 0 then now() end, case when n % 2 = 0 then 1 end, case when n % 2 = 0 then 'x' end
         from generate_series(1, 230) n",
    )
    .execute(&db)
    .await
    .unwrap();
    let site = site_of(state(&db, now)).await;
    let cookie = sign_in(&site, "viewer").await;
    let link = |text: &str, rel: &str| {
        let page = scraper::Html::parse_document(text);
        let selector = scraper::Selector::parse(&format!("nav.paging a[rel={rel}]")).unwrap();
        page.select(&selector).next().map(|link| link.attr("href").unwrap().to_owned())
    };
    let mut page = get(&site, &cookie, "/notices").await;
    let mut seen = vec![page.texts("#notices tbody th")];
    while let Some(next) = link(&page.text, "next") {
        page = get(&site, &cookie, &next).await;
        seen.push(page.texts("#notices tbody th"));
    }
    let numbers = |parity: i32| (1..=230).rev().filter(move |n| n % 2 == parity).map(|n| n.to_string());
    assert_eq!(seen.concat(), numbers(1).chain(numbers(0)).collect::<Vec<_>>());
    seen.pop();
    while let Some(before) = link(&page.text, "prev") {
        page = get(&site, &cookie, &before).await;
        assert_eq!(Some(page.texts("#notices tbody th")), seen.pop());
    }
    assert!(seen.is_empty());
}
