//! Evidence of a bucket that cannot be reached for a while: its days say why, nothing is inferred past them, and no place is
//! asked without end.

use std::collections::BTreeMap;

use serde_json::json;

use crate::aws::{BUCKET, StandIn, code};
use crate::bucket::{ACCOUNT, Bucket, REGION};
use crate::harness::{database, said};
use crate::s3::{OTHER, place_prefix, state, states, two_accounts};

#[tokio::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn history_is_not_inferred_past_an_object_that_could_not_be_reached() {
    let aws = StandIn::start();
    let bucket = Bucket::new("s3-history");
    bucket.history(1, &[("a", 2, Some(&[("r", "COMPLIANT")]))]);
    bucket.history(3, &[("a", 3, Some(&[("r", "NON_COMPLIANT")]))]);
    bucket.history(4, &[("b", 3, Some(&[("r", "COMPLIANT")]))]);
    aws.load(&bucket.root);
    let inferred = "inferred from history";
    for (hidden, held) in [("2026/11/3/", "denied"), ("2026/11/4/", inferred)] {
        let db = database().await;
        let key_prefix = format!("AWSLogs/{ACCOUNT}/Config/{REGION}/{hidden}");
        aws.fault(&json!({"kind": "deny", "operation": "GetObject", "key_prefix": key_prefix, "times": null}));
        assert_eq!(code(&aws.collect(&db, &[]).output().unwrap()), 2);
        let wanted = [state(ACCOUNT, 1, inferred), state(ACCOUNT, 3, held), state(ACCOUNT, 4, "denied")];
        assert_eq!(states(&db).await, BTreeMap::from(wanted));
        aws.clear_faults();
        assert_eq!(code(&aws.collect(&db, &[]).output().unwrap()), 0);
        let wanted = [1, 3, 4].map(|day| state(ACCOUNT, day, inferred));
        assert_eq!(states(&db).await, BTreeMap::from(wanted));
    }
    // A snapshot that cannot be reached may be the first one, which ends what history says.
    let db = database().await;
    bucket.snapshot(2, 5, &[("a", &[("r", "COMPLIANT")])]);
    aws.load(&bucket.root);
    aws.fault(&json!({"kind": "deny", "operation": "GetObject", "key_prefix": "o-abc/", "times": null}));
    assert_eq!(code(&aws.collect(&db, &[]).output().unwrap()), 2);
    let held = [2, 3, 4].map(|day| state(ACCOUNT, day, "denied"));
    let first = state(ACCOUNT, 1, inferred);
    assert_eq!(states(&db).await, [first.clone()].into_iter().chain(held).collect());
    aws.clear_faults();
    assert_eq!(code(&aws.collect(&db, &[]).output().unwrap()), 0);
    let wanted = [first, state(ACCOUNT, 2, "delivered"), state(ACCOUNT, 3, "missing"), state(ACCOUNT, 4, "missing")];
    assert_eq!(states(&db).await, BTreeMap::from(wanted));
}

#[tokio::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn throttled_calls_are_tried_again_and_a_place_that_stays_throttled_says_so() {
    let (aws, db) = (StandIn::start(), database().await);
    aws.load(&two_accounts("s3-throttled").root);
    aws.fault(&json!({"kind": "throttle", "operation": "ListObjectsV2", "times": 1}));
    aws.fault(&json!({"kind": "throttle", "operation": "GetObject", "key_prefix": place_prefix(ACCOUNT), "times": 1}));
    aws.fault(&json!({"kind": "throttle", "operation": "GetObject", "key_prefix": place_prefix(OTHER), "times": null}));
    let output = aws.collect(&db, &["--aws-attempts", "2"]).output().unwrap();
    assert_eq!(code(&output), 2, "{}", said(&output));
    let wanted = [
        state(ACCOUNT, 9, "delivered"),
        state(ACCOUNT, 10, "delivered"),
        state(OTHER, 9, "throttled"),
        state(OTHER, 10, "throttled"),
    ];
    assert_eq!(states(&db).await, BTreeMap::from(wanted));
}

#[tokio::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn what_ends_in_server_errors_is_not_reachable_and_not_throttled() {
    let (aws, db) = (StandIn::start(), database().await);
    aws.load(&two_accounts("s3-broken").root);
    let broken = |prefix: &str, operation: &str| json!({"kind": "server_error", "status": 500, "operation": operation, "key_prefix": prefix, "times": null});
    aws.fault(&broken(&format!("{}2026/11/9/", place_prefix(ACCOUNT)), "GetObject"));
    aws.fault(&broken(&format!("{}2026/11/9/", place_prefix(OTHER)), "ListObjectsV2"));
    let output = aws.collect(&db, &["--aws-attempts", "2"]).output().unwrap();
    assert_eq!(code(&output), 2, "{}", said(&output));
    assert!(
        said(&output).contains("not reachable: server error: s3:GetObject on s3://acme-config/"),
        "{}",
        said(&output)
    );
    assert!(
        said(&output).contains("not reachable: server error: s3:ListBucket on s3://acme-config/"),
        "{}",
        said(&output)
    );
    let of = |day, word| [state(ACCOUNT, day, word), state(OTHER, day, word)];
    let with = |word| of(9, word).into_iter().chain(of(10, "delivered")).collect::<BTreeMap<_, _>>();
    assert_eq!(states(&db).await, with("not reachable"));
    aws.clear_faults();
    let output = aws.collect(&db, &[]).output().unwrap();
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert_eq!(states(&db).await, with("delivered"));
}

/// Nine days of one account.
fn nine_days(name: &str) -> Bucket {
    let bucket = Bucket::new(name);
    for day in 1..=9 {
        bucket.snapshot(day, 5, &[("a", &[("r", "COMPLIANT")])]);
    }
    bucket
}

#[tokio::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn a_place_that_is_denied_again_and_again_is_left_to_the_next_collection() {
    let (aws, db) = (StandIn::start(), database().await);
    aws.load(&nine_days("s3-given-up").root);
    aws.fault(&json!({"kind": "deny", "operation": "GetObject", "key_prefix": place_prefix(ACCOUNT), "times": null}));
    let output = aws.collect(&db, &[]).output().unwrap();
    assert_eq!(code(&output), 2, "{}", said(&output));
    assert!(said(&output).contains("not reached 9: the next collection tries them again"), "{}", said(&output));
    assert!(said(&output).contains("not asked for, after 4 others"), "{}", said(&output));
    assert_eq!(aws.calls("GetObject").len(), 5, "four in a row, and the newest");
    assert_eq!(states(&db).await, (1..=9).map(|day| state(ACCOUNT, day, "denied")).collect());
    aws.clear_faults();
    let output = aws.collect(&db, &[]).output().unwrap();
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert_eq!(states(&db).await, (1..=9).map(|day| state(ACCOUNT, day, "delivered")).collect());
}

#[tokio::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn a_bucket_that_throttles_everything_is_not_asked_without_end() {
    let (aws, db) = (StandIn::start(), database().await);
    let bucket = Bucket::new("s3-all-throttled");
    let accounts: Vec<String> = (1..=6).map(|number| format!("00000000000{number}")).collect();
    for account in &accounts {
        for day in 1..=5 {
            bucket.snapshot_of(account, REGION, day, 5, &[("a", &[("r", "COMPLIANT")])]);
        }
    }
    aws.load(&bucket.root);
    aws.fault(&json!({"kind": "throttle", "operation": "GetObject", "times": null}));
    let output = aws.collect(&db, &["--aws-attempts", "1", "--aws-reads", "1"]).output().unwrap();
    assert_eq!(code(&output), 2, "{}", said(&output));
    assert!(said(&output).contains("not asked for, after 16 others of the bucket in a row"), "{}", said(&output));
    assert_eq!(aws.calls("GetObject").len(), 4 * (4 + 1));
    let days = |word| accounts.iter().flat_map(move |it| (1..=5).map(move |day| state(it, day, word)));
    assert_eq!(states(&db).await, days("throttled").collect());
    aws.clear_faults();
    assert_eq!(code(&aws.collect(&db, &[]).output().unwrap()), 0);
    assert_eq!(states(&db).await, days("delivered").collect());
}

#[tokio::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn old_days_that_are_denied_do_not_keep_new_ones_from_being_read() {
    let (aws, db) = (StandIn::start(), database().await);
    aws.load(&nine_days("s3-old-denied").root);
    for day in 1..=6 {
        let key_prefix = format!("{}2026/11/{day}/", place_prefix(ACCOUNT));
        aws.fault(&json!({"kind": "deny", "operation": "GetObject", "key_prefix": key_prefix, "times": null}));
    }
    let output = aws.collect(&db, &[]).output().unwrap();
    assert_eq!(code(&output), 2, "{}", said(&output));
    let word = |day| if day <= 6 { "denied" } else { "delivered" };
    assert_eq!(states(&db).await, (1..=9).map(|day| state(ACCOUNT, day, word(day))).collect());
}

#[tokio::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn history_is_not_inferred_past_a_day_that_could_not_be_listed() {
    let (aws, db) = (StandIn::start(), database().await);
    let bucket = Bucket::new("s3-history-unlisted");
    for day in [1, 3, 5] {
        bucket.history(day, &[("a", 2, Some(&[("r", "COMPLIANT")]))]);
    }
    bucket.snapshot(2, 5, &[("a", &[("r", "COMPLIANT")])]);
    aws.load(&bucket.root);
    let key_prefix = format!("{}2026/11/2/ConfigSnapshot/", place_prefix(ACCOUNT));
    aws.fault(&json!({"kind": "throttle", "operation": "ListObjectsV2", "key_prefix": key_prefix, "times": null}));
    let throttled = |from: u8| {
        let later = [2, 3, 5].into_iter().filter(move |day| *day >= from).map(|day| state(ACCOUNT, day, "throttled"));
        [state(ACCOUNT, 1, "inferred from history")].into_iter().chain(later).collect::<BTreeMap<_, _>>()
    };
    let output = aws.collect(&db, &["--aws-attempts", "1"]).output().unwrap();
    assert_eq!(code(&output), 2, "{}", said(&output));
    assert_eq!(states(&db).await, throttled(2));
    // Asked for later days alone, the day between is still unknown.
    aws.clear_faults();
    let output = aws.collect(&db, &["--since", "2026-11-04"]).output().unwrap();
    assert_eq!(code(&output), 2, "{}", said(&output));
    assert_eq!(states(&db).await, throttled(2));
    let output = aws.collect(&db, &[]).output().unwrap();
    assert_eq!(code(&output), 0, "{}", said(&output));
    let wanted = [
        state(ACCOUNT, 1, "inferred from history"),
        state(ACCOUNT, 2, "delivered"),
        state(ACCOUNT, 3, "missing"),
        state(ACCOUNT, 5, "missing"),
    ];
    assert_eq!(states(&db).await, BTreeMap::from(wanted));
}

#[tokio::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn a_part_of_the_bucket_says_nothing_of_the_rest() {
    let (aws, db) = (StandIn::start(), database().await);
    aws.load(&two_accounts("s3-part").root);
    aws.fault(&json!({"kind": "deny", "operation": "GetObject", "key_prefix": place_prefix(ACCOUNT), "times": null}));
    assert_eq!(code(&aws.collect(&db, &[]).output().unwrap()), 2);
    aws.clear_faults();
    let day = format!("s3://{BUCKET}/{}2026/11/10", place_prefix(ACCOUNT));
    let elsewhere = format!("s3://{BUCKET}/o-abc/AWSLogs/{ACCOUNT}/Config/{REGION}/2026/12");
    assert_eq!(code(&aws.collect_from(&elsewhere, &db, &[]).output().unwrap()), 0);
    let of_other = [state(OTHER, 9, "delivered"), state(OTHER, 10, "delivered")];
    let with = |ninth, tenth| {
        of_other.clone().into_iter().chain([state(ACCOUNT, 9, ninth), state(ACCOUNT, 10, tenth)]).collect()
    };
    assert_eq!(states(&db).await, with("denied", "denied"));
    assert_eq!(code(&aws.collect_from(&day, &db, &[]).output().unwrap()), 0);
    assert_eq!(states(&db).await, with("denied", "delivered"));
}

#[tokio::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn known_days_are_not_listed_again_and_gaps_are() {
    let (aws, db) = (StandIn::start(), database().await);
    let bucket = Bucket::new("s3-settled");
    for day in [2, 3, 6] {
        bucket.snapshot(day, 5, &[("a", &[("r", "COMPLIANT")])]);
    }
    aws.load(&bucket.root);
    let collect = async |arguments: &[&str]| {
        aws.clear_log();
        let output = aws.collect(&db, arguments).output().unwrap();
        assert_eq!(code(&output), 0, "{}", said(&output));
        let prefixes =
            aws.calls("ListObjectsV2").into_iter().map(|it| it["parameters"]["prefix"].as_str().unwrap().to_owned());
        let days = prefixes.filter_map(|it| it.split_once("/2026/11/").map(|it| it.1.to_owned()));
        let mut days: Vec<u8> = days.filter_map(|it| it.split_once('/').and_then(|it| it.0.parse().ok())).collect();
        days.sort_unstable();
        days.dedup();
        days
    };
    assert_eq!(collect(&["--since", "2026-11-03"]).await, [3, 6]);
    assert_eq!(collect(&[]).await, [2, 3, 6], "no collection listed all before");
    sqlx::query("update collection set started_at = '2026-11-11 12:00Z'").execute(&db).await.unwrap();
    // A gap is filled late; a known day is delivered a second time.
    bucket.snapshot(4, 5, &[("a", &[("r", "NON_COMPLIANT")])]);
    bucket.snapshot(3, 9, &[("a", &[("r", "NON_COMPLIANT")])]);
    aws.load(&bucket.root);
    assert_eq!(collect(&[]).await, [4, 6], "of the known days the last seven before that collection");
    let delivered = |days: &[u8]| days.iter().map(|day| state(ACCOUNT, *day, "delivered")).collect::<BTreeMap<_, _>>();
    assert_eq!(states(&db).await, delivered(&[2, 3, 4, 6]));
    let objects = async || sqlx::query_scalar::<_, i64>("select count(*) from object").fetch_one(&db).await.unwrap();
    assert_eq!(objects().await, 4);
    assert_eq!(collect(&["--since", "2026-11-03"]).await, [3, 4, 6]);
    assert_eq!(objects().await, 5);
}
