//! Collecting by Athena: the same rows as by files, what a day costs, and what becomes of each fault.

use std::process::{Command, Output};

use auditfolio::collection::{self, Progress};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::athena_equal::{AGREED, BY_COLLECTION, rows};
use crate::aws::{BUCKET, StandIn, code};
use crate::bucket::{Bucket, REGION, gz, options, snapshot_name};
use crate::harness::{database, said};
use crate::s3::{OTHER, two_accounts};

/// A stand-in with a workgroup that puts results into the bucket, and with the table that the program makes.
pub(crate) fn athena(prefix: &str) -> StandIn {
    athena_with(prefix, &json!({"output": format!("s3://{BUCKET}/athena-results/")}))
}

fn athena_with(prefix: &str, workgroup: &Value) -> StandIn {
    let aws = StandIn::start();
    aws.describe(
        &json!({"athena": {"workgroups": {"primary": workgroup}, "today": "2026-11-30", "states": ["QUEUED"]}}),
    );
    let from = format!("s3://{BUCKET}{prefix}");
    let arguments = ["aws", "ddl", "--from", &from, "--create", "--athena-database", "default"];
    let output = aws.program(&arguments).output().unwrap();
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert!(
        said(&output).contains("create external table if not exists `default`.`config_snapshots`"),
        "{}",
        said(&output)
    );
    aws
}

/// `collect --engine athena`, ready to run.
pub(crate) fn by_athena(aws: &StandIn, db: &PgPool, arguments: &[&str]) -> Command {
    let mut command = aws.collect(db, &["--engine", "athena", "--athena-database", "default"]);
    command.args(arguments);
    command
}

pub(crate) fn collected(aws: &StandIn, db: &PgPool, arguments: &[&str]) -> Output {
    let output = by_athena(aws, db, arguments).output().unwrap();
    assert_eq!(code(&output), 0, "{}", said(&output));
    output
}

/// Files and Athena over a small bucket.
pub(crate) async fn compared(aws: &StandIn, bucket: &Bucket, db: &PgPool) {
    let files = database().await;
    collection::run(&files, &options(&bucket.root), &Progress::silent()).await.unwrap();
    for (name, query) in AGREED.iter().filter(|(name, _)| !BY_COLLECTION.contains(name)) {
        assert_eq!(rows(&files, query).await, rows(db, query).await, "{name}");
    }
    assert_eq!(aws.violations(), Vec::<Value>::new());
}

/// Bytes and rows of the queries of each collection.
async fn spent(db: &PgPool) -> Vec<(i64, i64)> {
    sqlx::query_as(
        "select sum(bytes_scanned)::bigint, sum(result_rows)::bigint from athena_query group by collection_id
         order by collection_id",
    )
    .fetch_all(db)
    .await
    .unwrap()
}

#[tokio::test]
#[ignore = "needs Python's moto and duckdb; tests/run runs it"]
async fn of_a_further_day_only_changes_travel_and_history_is_not_scanned_again() {
    let (aws, db, bucket) = (athena("/o-abc"), database().await, Bucket::new("athena-further"));
    let mut sizes = Vec::new();
    for day in 1..=6 {
        let names: Vec<String> = (0..60).map(|number| format!("bucket-{number}")).collect();
        let rules: [crate::bucket::Rules<'_>; 2] =
            [&[("r", "COMPLIANT"), ("s", "COMPLIANT")], &[("r", "NON_COMPLIANT")]];
        // One resource turns each day.
        let turned = usize::from(day);
        let resources: Vec<_> =
            names.iter().enumerate().map(|(at, name)| (name.as_str(), rules[usize::from(at == turned)])).collect();
        let name = bucket.snapshot(day, 5, &resources);
        sizes.push(i64::try_from(std::fs::metadata(bucket.root.join(name)).unwrap().len()).unwrap());
        aws.load(&bucket.root);
        // As if each day were collected on the next: the day before is still listed.
        collected(&aws, &db, &["--relist-days", "1000"]);
    }
    let progress: Vec<bool> =
        sqlx::query_scalar("select objects_done = objects_total from collection").fetch_all(&db).await.unwrap();
    assert_eq!(progress, [true; 6]);
    let spent = spent(&db).await;
    println!("objects {sizes:?}, bytes scanned and rows of each day {spent:?}");
    assert_eq!(spent[0].0, sizes[0]);
    // Counts of both days, the one that turned (two rows) and the one that turned back (two rows).
    assert!(spent[0].1 > 120 && spent[2..].iter().all(|(_, rows)| *rows == 6), "{spent:?}");
    for (at, (bytes, _)) in spent.iter().enumerate().skip(1) {
        assert_eq!(*bytes, sizes[at] + sizes[at - 1], "{spent:?}");
    }
    compared(&aws, &bucket, &db).await;
    let (hashed, versions): (i64, i64) =
        sqlx::query_as("select count(sha256), count(version_id) from object").fetch_one(&db).await.unwrap();
    assert_eq!((hashed, versions), (0, 6), "not one object was read by us, and each has its VersionId");
    assert_eq!(
        aws.calls("GetObject").iter().filter(|call| call["key"].as_str().unwrap().contains("AWSLogs")).count(),
        0
    );
}

/// (attempt, state) of all queries in order.
pub(crate) async fn attempts(db: &PgPool) -> Vec<(i32, String)> {
    sqlx::query_as("select attempt, state from athena_query order by athena_query_id").fetch_all(db).await.unwrap()
}

pub(crate) fn attempt(number: i32, state: &str) -> (i32, String) {
    (number, state.to_owned())
}

#[tokio::test]
#[ignore = "needs Python's moto and duckdb; tests/run runs it"]
async fn what_may_pass_is_asked_again_with_a_token_of_its_own() {
    let (aws, db, bucket) = (athena("/o-abc"), database().await, two_accounts("athena-passes"));
    aws.load(&bucket.root);
    aws.fault(&json!({"kind": "query_failed", "service": "athena", "retryable": true, "error_type": 0, "category": 1}));
    aws.fault(
        &json!({"kind": "throttle", "service": "athena", "operation": "StartQueryExecution", "after": 1, "times": 2}),
    );
    aws.fault(&json!({"kind": "throttle", "service": "athena", "operation": "GetQueryExecution", "after": 2}));
    aws.fault(&json!({"kind": "requeue", "operation": "StartQueryExecution", "after": 3}));
    collected(&aws, &db, &["--aws-attempts", "1"]);
    assert_eq!(attempts(&db).await, [attempt(1, "FAILED"), attempt(2, "SUCCEEDED"), attempt(1, "SUCCEEDED")]);
    let tokens: i64 =
        sqlx::query_scalar("select count(distinct token) from athena_query").fetch_one(&db).await.unwrap();
    assert_eq!(tokens, 3);
    compared(&aws, &bucket, &db).await;
}

#[tokio::test]
#[ignore = "needs Python's moto and duckdb; tests/run runs it"]
async fn what_will_not_pass_ends_the_collection_and_says_why() {
    let (aws, db, bucket) = (athena("/o-abc"), database().await, two_accounts("athena-refused"));
    aws.load(&bucket.root);
    let failing = |arguments: &[&str], words: &str| {
        let output = by_athena(&aws, &db, arguments).output().unwrap();
        assert_eq!(code(&output), 1, "{words}: {}", said(&output));
        assert!(said(&output).contains(words), "{words}: {}", said(&output));
    };
    let folder = aws.collect_from(bucket.root.to_str().unwrap(), &db, &["--engine", "athena"]).output().unwrap();
    assert!(code(&folder) == 1 && said(&folder).contains("not the folder"), "{}", said(&folder));
    failing(&["--athena-table", "nowhere"], "TABLE_NOT_FOUND");
    failing(&["--athena-workgroup", "nowhere"], "WorkGroup nowhere is not found");
    failing(&["--athena-limit-bytes", "100"], "its cap is 100 bytes");
    aws.fault(&json!({"kind": "deny", "operation": "StartQueryExecution"}));
    failing(&[], "access was denied: athena:StartQueryExecution");
    aws.describe(&json!({"athena": {"workgroups": {"primary": {"cutoff": 100}}}}));
    failing(&[], "--athena-batch");
    let output = by_athena(&aws, &db, &["--athena-table", "No\"where"]).output().unwrap();
    assert!(said(&output).contains("is no name for Athena"), "{}", said(&output));
    let days: i64 = sqlx::query_scalar("select count(*) from delivery").fetch_one(&db).await.unwrap();
    assert_eq!(days, 0);
    aws.describe(&json!({"athena": {"workgroups": {"primary": {"cutoff": null}}}}));
    let output = collected(&aws, &db, &[]);
    assert!(said(&output).contains("Athena: 2 queries scanned"), "{}", said(&output));
    compared(&aws, &bucket, &db).await;
}

#[tokio::test]
#[ignore = "needs Python's moto and duckdb; tests/run runs it"]
async fn what_hides_an_answer_ends_the_collection_and_the_next_one_reads_it() {
    let (aws, db, bucket) = (athena("/o-abc"), database().await, two_accounts("athena-hidden"));
    aws.load(&bucket.root);
    for (fault, words) in [
        (json!({"kind": "expired", "operation": "StartQueryExecution", "times": null}), "credentials have expired"),
        (json!({"kind": "deny", "operation": "GetQueryExecution", "times": null}), "denied: athena:GetQueryExecution"),
        (
            json!({"kind": "deny", "operation": "GetObject", "key_prefix": "athena-results/", "times": null}),
            "denied: s3:GetObject",
        ),
        (json!({"kind": "server_error", "operation": "GetQueryExecution", "times": null}), "server error"),
    ] {
        aws.fault(&fault);
        let output = by_athena(&aws, &db, &["--aws-attempts", "1"]).output().unwrap();
        assert_eq!(code(&output), 1, "{words}: {}", said(&output));
        let failure: String = sqlx::query_scalar(
            "select failure from collection where state = 'failed' order by collection_id desc limit 1",
        )
        .fetch_one(&db)
        .await
        .unwrap();
        assert!(failure.contains(words), "{words}: {failure}");
        aws.clear_faults();
    }
    let days: i64 = sqlx::query_scalar("select count(*) from delivery").fetch_one(&db).await.unwrap();
    assert_eq!(days, 0, "what could not be told is not missing");
    // A result that is cut off on its way is read again.
    aws.fault(&json!({"kind": "cut", "operation": "GetObject", "key_prefix": "athena-results/", "bytes": 200}));
    aws.fault(&json!({"kind": "server_error", "operation": "GetQueryExecution", "status": 503}));
    collected(&aws, &db, &["--aws-attempts", "1"]);
    compared(&aws, &bucket, &db).await;
    let open: i64 =
        sqlx::query_scalar("select count(*) from athena_query where state in ('starting', 'QUEUED', 'RUNNING')")
            .fetch_one(&db)
            .await
            .unwrap();
    assert_eq!(open, 0);
}

#[tokio::test]
#[ignore = "needs Python's moto and duckdb; tests/run runs it"]
async fn an_object_that_athena_cannot_read_is_found_and_read_by_us() {
    let (aws, db, bucket) = (athena("/o-abc"), database().await, two_accounts("athena-large"));
    // One line of more than 32 MB, which compresses well.
    let name = snapshot_name(OTHER, REGION, 10, 7);
    let padding = "x".repeat(33 << 20);
    let item = json!({"awsAccountId": OTHER, "resourceType": "AWS::S3::Bucket", "configuration": {"padding": padding}});
    let compliance = json!({
        "awsAccountId": OTHER, "resourceType": "AWS::Config::ResourceCompliance", "resourceId": "AWS::S3::Bucket/a",
        "configurationItemCaptureTime": "2026-11-10T06:00:00.000Z", "configurationStateId": 5,
        "configuration": {"targetResourceType": "AWS::S3::Bucket", "targetResourceId": "a",
                          "configRuleList": [{"configRuleName": "r", "complianceType": "COMPLIANT"}]}});
    bucket.put(&name, &gz(&json!({"fileVersion": "1.0", "configurationItems": [item, compliance]})));
    aws.load(&bucket.root);
    collected(&aws, &db, &[]);
    compared(&aws, &bucket, &db).await;
    let (hash, reason): (Option<Vec<u8>>, Option<String>) =
        sqlx::query_as("select sha256, reason from object join object_outcome using (object_id) where key = $1")
            .bind(&name)
            .fetch_one(&db)
            .await
            .unwrap();
    let reason = reason.unwrap();
    assert!(hash.is_some() && reason.starts_with("read by us and not by Athena: HIVE_CURSOR_ERROR"), "{reason}");
    let other: i64 =
        sqlx::query_scalar("select count(*) from object where sha256 is null").fetch_one(&db).await.unwrap();
    assert_eq!(other, 4, "three by Athena and the superseded one");
}

#[tokio::test]
#[ignore = "needs Python's moto and duckdb; tests/run runs it"]
async fn a_table_of_another_place_ends_the_collection_and_is_named() {
    let (aws, db, bucket) = (athena("/o-abc"), database().await, Bucket::new("athena-elsewhere"));
    for account in 1..=16 {
        bucket.snapshot_of(&format!("{account:012}"), REGION, 10, 5, &[("a", &[("r", "COMPLIANT")])]);
    }
    aws.load(&bucket.root);
    let from = format!("s3://{BUCKET}/o-other");
    let elsewhere = ["--athena-database", "default", "--athena-table", "elsewhere"];
    let made = aws.program(&[&["aws", "ddl", "--from", &from, "--create"][..], &elsewhere].concat()).output().unwrap();
    assert_eq!(code(&made), 0, "{}", said(&made));
    let output = by_athena(&aws, &db, &elsewhere[2..]).output().unwrap();
    assert_eq!(code(&output), 1, "{}", said(&output));
    let words =
        "Athena could tell nothing of the first 16 objects: is the table default.elsewhere as `auditfolio aws ddl`";
    assert!(said(&output).contains(words), "{}", said(&output));
    // What was read by us meanwhile stands, and the right table tells the rest.
    collected(&aws, &db, &[]);
    compared(&aws, &bucket, &db).await;
}

#[tokio::test]
#[ignore = "needs Python's moto and duckdb; tests/run runs it"]
async fn what_the_store_cannot_take_is_judged_by_us() {
    let (aws, db, bucket) = (athena("/o-abc"), database().await, two_accounts("athena-nul"));
    let name = bucket.snapshot_of(OTHER, REGION, 10, 7, &[("a", &[("r\0", "COMPLIANT")])]);
    aws.load(&bucket.root);
    let output = by_athena(&aws, &db, &[]).output().unwrap();
    assert_eq!(code(&output), 2, "{}", said(&output));
    let judged: Vec<(String, String)> =
        sqlx::query_as("select outcome, reason from object join object_outcome using (object_id) where key = $1")
            .bind(&name)
            .fetch_all(&db)
            .await
            .unwrap();
    assert!(judged.len() == 1 && judged[0].0 == "unreadable" && judged[0].1.contains("NUL"), "{judged:?}");
    compared(&aws, &bucket, &db).await;
}

#[tokio::test]
#[ignore = "needs Python's moto and duckdb; tests/run runs it"]
async fn a_workgroup_that_keeps_results_itself_is_read_page_by_page() {
    let aws = athena_with("/o-abc", &json!({"managed": true}));
    aws.describe(&json!({"athena": {"page_size": 3}}));
    aws.fault(&json!({"kind": "empty_page", "operation": "GetQueryResults", "after": 1}));
    let (db, bucket) = (database().await, two_accounts("athena-managed"));
    aws.load(&bucket.root);
    collected(&aws, &db, &[]);
    assert!(aws.calls("GetQueryResults").len() > 4);
    compared(&aws, &bucket, &db).await;
}
