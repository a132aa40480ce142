//! Collecting from a bucket: the same store as from its folder, and what becomes of each fault.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use auditfolio::collection::{self, Progress};
use auditfolio::sample::{Expected, generate};
use serde_json::json;
use sqlx::PgPool;

use crate::aws::{BUCKET, StandIn, code};
use crate::bucket::{ACCOUNT, Bucket, REGION, options, snapshot_name};
use crate::harness::{database, said};
use crate::sample::{Scratch, small};
use crate::sample_collected::{assert_store_is_true, collecting};

pub(crate) const OTHER: &str = "222222222222";

/// Day of November 2026 by account, and what the store says of it.
pub(crate) async fn states(db: &PgPool) -> BTreeMap<(String, u8), String> {
    let rows: Vec<(String, time::Date, String)> = sqlx::query_as(
        "select account_id, day, state from delivery join place using (place_id) where until_collection is null",
    )
    .fetch_all(db)
    .await
    .unwrap();
    rows.into_iter().map(|(account, day, state)| ((account, day.day()), state)).collect()
}

pub(crate) fn state(account: &str, day: u8, word: &str) -> ((String, u8), String) {
    ((account.to_owned(), day), word.to_owned())
}

/// Every run by its names.
pub(crate) async fn runs(db: &PgPool) -> BTreeSet<(String, String, String, String, String, String, String)> {
    sqlx::query_as(
        "select account_id, region, u.name, t.name, r.id, first_day || ' ' || end_day, s.name
         from run join place using (place_id) join rule u using (rule_id) join resource r using (resource_id)
         join resource_type t using (resource_type_id) join status s using (status_id)",
    )
    .fetch_all(db)
    .await
    .unwrap()
    .into_iter()
    .collect()
}

/// Two accounts with two days each.
pub(crate) fn two_accounts(name: &str) -> Bucket {
    let bucket = Bucket::new(name);
    for account in [ACCOUNT, OTHER] {
        for day in [9, 10] {
            let status = if day == 9 { "COMPLIANT" } else { "NON_COMPLIANT" };
            bucket.snapshot_of(account, REGION, day, 5, &[("a", &[("r", status)]), ("b", &[("s", "COMPLIANT")])]);
        }
    }
    bucket
}

pub(crate) fn place_prefix(account: &str) -> String {
    format!("o-abc/AWSLogs/{account}/Config/{REGION}/")
}

#[tokio::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn a_bucket_gives_the_same_store_as_its_folder_and_only_evidence_is_listed() {
    let folder = Scratch::new("s3");
    let made = small(&folder);
    let summary = generate(&made, |_| {}).unwrap();
    let expected = Expected::read(&made.out).unwrap();
    let by_folder = database().await;
    let from_folder = collecting(&made, &summary);
    let collected = collection::run(&by_folder, &from_folder, &Progress::silent()).await.unwrap();
    let aws = StandIn::start();
    aws.load(&made.out);

    let db = database().await;
    let mut arguments: Vec<&str> =
        summary.account_lists.iter().flat_map(|it| ["--accounts", it.to_str().unwrap()]).collect();
    let regions = summary.regions.join(",");
    arguments.extend(["--regions", &regions]);
    let output = aws.collect(&db, &arguments).output().unwrap();
    assert_eq!(code(&output), 2, "the sample has objects that cannot be read: {}", said(&output));
    assert_store_is_true(&db, &expected).await;
    assert_eq!(runs(&db).await, runs(&by_folder).await);

    let (listed, versions, hashes): (i64, i64, i64) =
        sqlx::query_as("select count(*) filter (where etag is not null), count(version_id), count(sha256) from object")
            .fetch_one(&db)
            .await
            .unwrap();
    assert_eq!(u64::try_from(listed), Ok(collected.ladder.objects_listed));
    assert!(versions > 0 && versions >= hashes, "{versions} {hashes}");
    let same: i64 = sqlx::query_scalar("select count(*) from object where sha256 is not null and version_id is null")
        .fetch_one(&db)
        .await
        .unwrap();
    assert_eq!(same, 0, "what was read has its VersionId");

    for call in aws.log() {
        assert!(["ListObjectsV2", "GetObject"].contains(&call["operation"].as_str().unwrap()), "{call}");
        let parameters = &call["parameters"];
        let prefix = parameters["prefix"].as_str().unwrap_or_default();
        let evidence = prefix.ends_with("/ConfigSnapshot/") || prefix.ends_with("/ConfigHistory/");
        if call["operation"] == "ListObjectsV2" {
            assert!(evidence || parameters["delimiter"] == "/", "{call}");
            assert!(!prefix.contains("CloudTrail") && !prefix.contains("Oversized"), "{call}");
        }
    }
    assert_eq!(aws.violations(), Vec::<serde_json::Value>::new());

    // Nothing is new: nothing is read.
    aws.clear_log();
    let again = aws.collect(&db, &[]).output().unwrap();
    assert!(code(&again) == 0 || code(&again) == 2, "{}", said(&again));
    assert_eq!(aws.calls("GetObject").len(), 0);
}

#[tokio::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn a_folder_is_collected_without_a_call_to_aws() {
    let (aws, db) = (StandIn::start(), database().await);
    let bucket = two_accounts("s3-none");
    let output = aws.collect_from(bucket.root.to_str().unwrap(), &db, &[]).output().unwrap();
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert_eq!(aws.log().len(), 0);
}

#[tokio::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn days_that_were_not_asked_for_are_not_listed() {
    let (aws, db) = (StandIn::start(), database().await);
    aws.load(&two_accounts("s3-days").root);
    let output = aws.collect(&db, &["--since", "2026-11-10"]).output().unwrap();
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert_eq!(states(&db).await, BTreeMap::from([state(ACCOUNT, 10, "delivered"), state(OTHER, 10, "delivered")]));
    let lists = aws.calls("ListObjectsV2");
    assert!(lists.iter().any(|call| call["parameters"]["prefix"].as_str().unwrap().contains("/2026/11/10/")));
    assert!(!lists.iter().any(|call| call["parameters"]["prefix"].as_str().unwrap().contains("/2026/11/9/")));
}

#[tokio::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn days_before_the_first_one_kept_are_not_listed() {
    let (aws, db) = (StandIn::start(), database().await);
    aws.load(&two_accounts("s3-kept").root);
    let output = aws.collect(&db, &[]).output().unwrap();
    assert_eq!(code(&output), 0, "{}", said(&output));
    crate::retention::remove(&db, "Example", time::macros::date!(2026 - 11 - 10)).await;
    let late = Bucket::new("s3-kept-late");
    late.snapshot_of(ACCOUNT, REGION, 8, 5, &[("a", &[("r", "NON_COMPLIANT")])]);
    aws.load(&late.root);
    for arguments in [&[][..], &["--recheck"], &["--since", "2026-11-01"]] {
        aws.clear_log();
        let output = aws.collect(&db, arguments).output().unwrap();
        assert_eq!(code(&output), 0, "{}", said(&output));
        assert!(
            said(&output).contains("days before 2026-11-10: Evidence before 10 Nov 2026 was removed"),
            "{}",
            said(&output)
        );
        let lists = aws.calls("ListObjectsV2");
        let listed = |day: u8| {
            let folder = format!("/2026/11/{day}/");
            lists.iter().any(|call| call["parameters"]["prefix"].as_str().unwrap().contains(&folder))
        };
        // Known days are listed again only where they are asked for.
        assert_eq!(listed(10), !arguments.is_empty(), "{arguments:?}");
        assert!(!listed(9) && !listed(8), "{arguments:?}");
    }
    let kept = [ACCOUNT, OTHER].map(|account| [state(account, 9, "delivered"), state(account, 10, "delivered")]);
    assert_eq!(states(&db).await, kept.into_iter().flatten().collect());
}

#[tokio::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn a_place_that_may_not_be_read_is_denied_until_it_may() {
    let (aws, db) = (StandIn::start(), database().await);
    aws.load(&two_accounts("s3-denied").root);
    aws.fault(&json!({"kind": "deny", "operation": "GetObject", "key_prefix": place_prefix(OTHER), "times": null}));
    let output = aws.collect(&db, &[]).output().unwrap();
    assert_eq!(code(&output), 2, "{}", said(&output));
    assert!(said(&output).contains("access was denied: s3:GetObject on s3://acme-config/o-abc/"), "{}", said(&output));
    let wanted = [
        state(ACCOUNT, 9, "delivered"),
        state(ACCOUNT, 10, "delivered"),
        state(OTHER, 9, "denied"),
        state(OTHER, 10, "denied"),
    ];
    assert_eq!(states(&db).await, BTreeMap::from(wanted));
    let judged: i64 = sqlx::query_scalar("select count(*) from object").fetch_one(&db).await.unwrap();
    assert_eq!(judged, 2, "what could not be reached is not judged");

    aws.clear_faults();
    let output = aws.collect(&db, &[]).output().unwrap();
    assert_eq!(code(&output), 0, "{}", said(&output));
    let all = [ACCOUNT, OTHER].into_iter().flat_map(|it| [state(it, 9, "delivered"), state(it, 10, "delivered")]);
    assert_eq!(states(&db).await, all.collect());
}

#[tokio::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn a_place_that_may_not_be_listed_is_denied_and_empty_days_are_missing_once_it_may() {
    let (aws, db) = (StandIn::start(), database().await);
    let bucket = two_accounts("s3-unlisted");
    aws.load(&bucket.root);
    assert_eq!(code(&aws.collect(&db, &[]).output().unwrap()), 0);
    bucket.snapshot_of(OTHER, REGION, 11, 5, &[("a", &[("r", "COMPLIANT")])]);
    aws.load(&bucket.root);
    aws.fault(&json!({"kind": "deny", "operation": "ListObjectsV2", "key_prefix": place_prefix(OTHER), "times": null}));
    let until = ["--until", "2026-11-12"];
    let output = aws.collect(&db, &until).output().unwrap();
    assert_eq!(code(&output), 2, "{}", said(&output));
    assert!(said(&output).contains("access was denied: s3:ListBucket"), "{}", said(&output));
    let with = |third, fourth| {
        let known = [ACCOUNT, OTHER].into_iter().flat_map(|it| [state(it, 9, "delivered"), state(it, 10, "delivered")]);
        known.chain([state(OTHER, 11, third), state(OTHER, 12, fourth)]).collect::<BTreeMap<_, _>>()
    };
    assert_eq!(states(&db).await, with("denied", "denied"));

    aws.clear_faults();
    let output = aws.collect(&db, &until).output().unwrap();
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert_eq!(states(&db).await, with("delivered", "missing"));
}

#[tokio::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn a_body_that_is_cut_is_continued_where_it_broke_off() {
    let (aws, db) = (StandIn::start(), database().await);
    let bucket = Bucket::new("s3-cut");
    // Names that do not compress: a body of some length.
    let names: Vec<String> = (0..2000_u64).map(|n| format!("{:x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
    let rules: crate::bucket::Rules<'_> = &[("r", "COMPLIANT")];
    let resources: Vec<_> = names.iter().map(|name| (name.as_str(), rules)).collect();
    let name = bucket.snapshot(9, 5, &resources);
    let bytes = std::fs::read(bucket.root.join(&name)).unwrap();
    aws.load(&bucket.root);
    aws.fault(&json!({"kind": "cut", "operation": "GetObject", "bytes": 10_000, "times": 2}));
    let output = aws.collect(&db, &[]).output().unwrap();
    assert_eq!(code(&output), 0, "{}", said(&output));
    let ranges: Vec<_> = aws.calls("GetObject").iter().map(|call| call["range"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ranges, ["", "bytes=10000-", "bytes=20000-"]);
    let (sha256, evaluations): (Vec<u8>, i64) =
        sqlx::query_as("select sha256, evaluations from object").fetch_one(&db).await.unwrap();
    assert_eq!(sha256, ring::digest::digest(&ring::digest::SHA256, &bytes).as_ref());
    assert_eq!(evaluations, 2000);
}

#[tokio::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn an_object_overwritten_between_listing_and_reading_is_taken_by_the_next_collection() {
    let (aws, db) = (StandIn::start(), database().await);
    let bucket = Bucket::new("s3-changed");
    let name = bucket.snapshot(9, 5, &[("a", &[("r", "COMPLIANT")])]);
    aws.load(&bucket.root);
    aws.fault(&json!({"kind": "slow", "operation": "GetObject", "seconds": 4}));
    let collecting = aws.collect(&db, &[]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let listed = || {
        let calls = aws.calls("ListObjectsV2");
        calls.iter().filter(|call| call["parameters"]["prefix"].as_str().unwrap().contains("/2026/11/9/")).count() == 2
    };
    let begun = Instant::now();
    while !listed() {
        assert!(begun.elapsed() < Duration::from_mins(1), "the day was not listed");
    }
    bucket.snapshot(9, 5, &[("a", &[("r", "NON_COMPLIANT")]), ("b", &[("r", "COMPLIANT")])]);
    aws.put(&name, &std::fs::read(bucket.root.join(&name)).unwrap(), "STANDARD");
    let output = collecting.wait_with_output().unwrap();
    assert_eq!(code(&output), 2, "{}", said(&output));
    assert!(said(&output).contains("overwritten between listing and reading"), "{}", said(&output));
    assert_eq!(states(&db).await, BTreeMap::from([state(ACCOUNT, 9, "unreadable")]));

    let output = aws.collect(&db, &[]).output().unwrap();
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert_eq!(states(&db).await, BTreeMap::from([state(ACCOUNT, 9, "delivered")]));
    assert_eq!(runs(&db).await.len(), 2);
}

#[tokio::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn an_archived_object_is_unreadable_and_says_how_to_have_it() {
    let (aws, db) = (StandIn::start(), database().await);
    let bucket = Bucket::new("s3-archived");
    let name = snapshot_name(ACCOUNT, REGION, 9, 5);
    bucket.snapshot(9, 5, &[("a", &[("r", "COMPLIANT")])]);
    aws.put(&name, &std::fs::read(bucket.root.join(&name)).unwrap(), "GLACIER");
    let output = aws.collect(&db, &[]).output().unwrap();
    assert_eq!(code(&output), 2, "{}", said(&output));
    assert!(said(&output).contains("restore it, then collect with --recheck"), "{}", said(&output));
    assert_eq!(states(&db).await, BTreeMap::from([state(ACCOUNT, 9, "unreadable")]));
}

#[tokio::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn credentials_that_expire_end_the_collection_and_the_next_one_finishes_it() {
    let (aws, db) = (StandIn::start(), database().await);
    aws.load(&two_accounts("s3-expired").root);
    for operation in ["ListObjectsV2", "GetObject"] {
        aws.fault(&json!({"kind": "expired", "operation": operation, "after": 1, "times": null}));
        let output = aws.collect(&db, &[]).output().unwrap();
        assert_eq!(code(&output), 1, "{}", said(&output));
        assert!(said(&output).contains("the AWS credentials have expired"), "{}", said(&output));
        assert!(!states(&db).await.values().any(|state| state != "delivered"), "no day is blamed");
        aws.clear_faults();
    }
    let output = aws.collect(&db, &[]).output().unwrap();
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert_eq!(states(&db).await.len(), 4);
}

#[tokio::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn what_cannot_work_is_said_clearly() {
    let (aws, db) = (StandIn::start(), database().await);
    aws.load(&two_accounts("s3-clear").root);
    let mut without = aws.collect(&db, &[]);
    without.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    let mut regionless = aws.collect(&db, &[]);
    regionless.env_remove("AWS_REGION");
    let cases = [
        (without, "there are no AWS credentials"),
        (regionless, "no AWS Region is set"),
        (aws.collect_from("s3://no-such-bucket", &db, &[]), "NoSuchBucket"),
        (aws.collect_from("s3://no-such-bucket", &db, &[]), "check the name"),
        (aws.collect_from(&format!("s3://{BUCKET}/nowhere"), &db, &[]), "there is no AWSLogs/ folder"),
        (aws.collect_from(&format!("s3://{BUCKET}/o-abc/AWSLogs/{ACCOUNT}/CloudTrail"), &db, &[]), "CloudTrail"),
    ];
    for (mut command, words) in cases {
        let output = command.output().unwrap();
        assert_eq!(code(&output), 1, "{words}: {}", said(&output));
        assert!(said(&output).contains(words), "{words}: {}", said(&output));
    }
    let elsewhere = json!({"kind": "error", "operation": "ListObjectsV2", "code": "PermanentRedirect", "status": 301,
                           "times": null});
    let skewed = json!({"kind": "clock_skew", "operation": "ListObjectsV2", "times": null});
    let denied = json!({"kind": "deny", "operation": "ListObjectsV2", "times": null});
    let expired = json!({"kind": "expired", "operation": "ListObjectsV2", "times": null});
    for (fault, words) in [
        (elsewhere, "set --aws-region"),
        (skewed, "set this machine's clock"),
        (denied, "access was denied: s3:ListBucket on s3://acme-config/"),
        (expired, "the AWS credentials have expired"),
    ] {
        aws.fault(&fault);
        let output = aws.collect(&db, &["--aws-attempts", "1"]).output().unwrap();
        assert_eq!(code(&output), 1, "{words}: {}", said(&output));
        assert!(said(&output).contains(words), "{words}: {}", said(&output));
        aws.clear_faults();
    }
}

#[tokio::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn a_role_of_the_log_archive_account_reads_the_bucket() {
    let (aws, db) = (StandIn::start(), database().await);
    aws.load(&two_accounts("s3-role").root);
    let role = "arn:aws:iam::999999999999:role/Auditfolio";
    let roles = json!({"roles": [{"arn": role, "external_id": "open-sesame"}]});
    aws.describe(&roles);
    let output = aws.collect(&db, &["--aws-role", role, "--aws-external-id", "wrong"]).output().unwrap();
    assert_eq!(code(&output), 1, "{}", said(&output));
    assert!(said(&output).contains("access was denied: sts:AssumeRole"), "{}", said(&output));
    let output = aws.collect(&db, &["--aws-role", role, "--aws-external-id", "open-sesame"]).output().unwrap();
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert_eq!(states(&db).await.len(), 4);
    assert_eq!(aws.violations(), Vec::<serde_json::Value>::new());
}

#[tokio::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn a_collection_that_is_killed_is_finished_by_the_next() {
    let (aws, db) = (StandIn::start(), database().await);
    let bucket = Bucket::new("s3-killed");
    for number in 1..=9 {
        for day in [9, 10] {
            bucket.snapshot_of(&format!("00000000000{number}"), REGION, day, 5, &[("a", &[("r", "COMPLIANT")])]);
        }
    }
    aws.load(&bucket.root);
    let by_folder = database().await;
    collection::run(&by_folder, &options(&bucket.root), &Progress::silent()).await.unwrap();
    aws.fault(&json!({"kind": "slow", "operation": "GetObject", "seconds": 60, "after": 8, "times": null}));
    let mut killed = aws.collect(&db, &["--aws-reads", "2"]).spawn().unwrap();
    let begun = Instant::now();
    while aws.calls("GetObject").len() < 8 {
        assert!(begun.elapsed() < Duration::from_mins(1), "nothing was read");
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    aws.clear_faults();
    let output = aws.collect(&db, &[]).output().unwrap();
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert_eq!(runs(&db).await, runs(&by_folder).await);
    let ended: Vec<String> =
        sqlx::query_scalar("select state from collection order by collection_id").fetch_all(&db).await.unwrap();
    assert_eq!(ended, ["interrupted", "finished"]);
}
