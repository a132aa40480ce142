//! Answers of AWS that come too late, a clock that is wrong, and Regions that are not enabled: each ends in its visible state,
//! and in the evidence once it is over.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sqlx::PgPool;
use time::macros::format_description;
use time::{Duration, OffsetDateTime, PrimitiveDateTime};

use crate::athena::{athena, by_athena, collected, compared};
use crate::aws::{BUCKET, StandIn, code};
use crate::bucket::{ACCOUNT, REGION};
use crate::harness::{database, said};
use crate::portal::{Reader, texts};
use crate::s3::{OTHER, place_prefix, state, states, two_accounts};

/// Who waits for an answer for one second, and asks once.
const IMPATIENT: [&str; 6] = ["--aws-attempt-timeout", "1", "--aws-operation-timeout", "2", "--aws-attempts", "1"];
/// Longer than that, of every call that fits.
const SLOW: u64 = 4;
const NO_ANSWER: &str = "not reachable: no proper answer: ";

/// States of both accounts on both days.
fn both(first: &str, second: &str) -> BTreeMap<(String, u8), String> {
    let of = |account, word| [9, 10].map(|day| state(account, day, word));
    of(ACCOUNT, first).into_iter().chain(of(OTHER, second)).collect()
}

/// Collects, and wants an exit code and words.
fn run(aws: &StandIn, db: &PgPool, arguments: &[&str], wanted: i32, words: &str) {
    let output = aws.collect(db, arguments).output().unwrap();
    assert_eq!(code(&output), wanted, "{words}: {}", said(&output));
    assert!(said(&output).contains(words), "{words}: {}", said(&output));
}

#[actix_web::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn a_bucket_that_answers_too_late_is_not_reachable_until_it_answers() {
    for (operation, action) in [("GetObject", "s3:GetObject on s3://"), ("ListObjectsV2", "s3:ListBucket on s3://")] {
        let (aws, db) = (StandIn::start(), database().await);
        aws.load(&two_accounts(&format!("slow-{operation}")).root);
        aws.fault(&json!({"kind": "slow", "operation": operation, "key_prefix": place_prefix(OTHER), "seconds": SLOW,
                          "times": null}));
        let until = ["--since", "2026-11-09", "--until", "2026-11-10"];
        run(&aws, &db, &[&IMPATIENT[..], &until].concat(), 2, &format!("{NO_ANSWER}{action}"));
        let wanted = both("delivered", "not reachable");
        let found = states(&db).await;
        // A place of which not even days could be listed has none to say it of.
        assert!(found.iter().all(|(key, word)| wanted.get(key) == Some(word)), "{operation}: {found:?}");
        assert_eq!(found.len(), if operation == "GetObject" { 4 } else { found.len() });
        assert!(found.len() >= 2, "{operation}: {found:?}");
        if operation == "GetObject" {
            let page = Reader::new(&db).await.page("/delivery").await;
            assert!(texts(&page, "main").join(" ").contains("not reachable"), "{operation}");
        }
        aws.clear_faults();
        run(&aws, &db, &[], 0, "");
        assert_eq!(states(&db).await, both("delivered", "delivered"), "{operation}");
    }
}

#[actix_web::test]
#[ignore = "needs Python's moto and duckdb; tests/run runs it"]
async fn an_athena_that_answers_too_late_fails_the_collection_and_the_next_gives_the_same_rows() {
    let (aws, db, bucket) = (athena("/o-abc"), database().await, two_accounts("slow-athena"));
    aws.load(&bucket.root);
    for operation in ["StartQueryExecution", "GetQueryExecution"] {
        aws.fault(&json!({"kind": "slow", "operation": operation, "seconds": SLOW, "times": null}));
        let output = by_athena(&aws, &db, &IMPATIENT).output().unwrap();
        assert_eq!(code(&output), 1, "{}", said(&output));
        assert!(said(&output).contains(&format!("{NO_ANSWER}athena:{operation}")), "{operation}: {}", said(&output));
        aws.clear_faults();
        assert_eq!(states(&db).await, BTreeMap::new(), "no day is blamed");
    }
    let failures: Vec<String> =
        sqlx::query_scalar("select failure from collection order by collection_id").fetch_all(&db).await.unwrap();
    assert!(failures.iter().all(|failure| failure.contains(NO_ANSWER)) && failures.len() == 2, "{failures:?}");
    // One slow answer is no reason to give up.
    aws.fault(&json!({"kind": "slow", "operation": "GetQueryExecution", "seconds": SLOW}));
    collected(&aws, &db, &IMPATIENT);
    compared(&aws, &bucket, &db).await;
}

/// A stand-in with two accounts, their organisation's aggregator and a role in each.
fn described(name: &str) -> StandIn {
    let aws = StandIn::start();
    aws.load(&two_accounts(name).root);
    aws.describe(&json!({"config": {"bucket": BUCKET,
        "aggregators": [{"name": "organization", "account": "999999999999", "region": REGION}]},
        "roles": [{"arn": "arn:aws:iam::*:role/AuditfolioMember"}]}));
    aws
}

/// Everything that Config is asked.
const ALL: [&str; 5] = ["--aggregator", "organization", "--rule-definitions", "--aws-member-role", "AuditfolioMember"];

async fn outcomes(db: &PgPool) -> Vec<String> {
    let last = "select outcome from rule_reading where collection_id = (select max(collection_id) from rule_reading)";
    sqlx::query_scalar(last).fetch_all(db).await.unwrap()
}

async fn open_notices(db: &PgPool) -> Vec<(String, String)> {
    let open = "select kind, about from notice where closed_at is null and kind like '%unread' order by kind";
    sqlx::query_as(open).fetch_all(db).await.unwrap()
}

fn unread(cause: &str) -> [(String, String); 2] {
    ["aggregator-unread", "definitions-unread"].map(|kind| (kind.to_owned(), cause.to_owned()))
}

#[actix_web::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn a_config_that_answers_too_late_is_not_read_and_the_evidence_is_collected_all_the_same() {
    let (aws, db) = (described("slow-config"), database().await);
    aws.fault(&json!({"kind": "slow", "service": "config", "seconds": SLOW, "times": null}));
    run(&aws, &db, &[&ALL[..], &IMPATIENT].concat(), 2, &format!("{NO_ANSWER}config:DescribeConfigRules"));
    assert_eq!(states(&db).await, both("delivered", "delivered"));
    assert_eq!(outcomes(&db).await, ["failed", "failed"]);
    assert_eq!(open_notices(&db).await, unread("failed"));
    let page = Reader::new(&db).await.page("/aggregator").await;
    let notes = texts(&page, ".note").join(" ");
    assert!(notes.contains(&format!("{NO_ANSWER}config:DescribeConfigurationAggregatorSourcesStatus")), "{notes}");
    aws.clear_faults();
    run(&aws, &db, &[&ALL[..], &IMPATIENT].concat(), 0, "4 agree");
    assert_eq!((outcomes(&db).await.len(), open_notices(&db).await), (2, Vec::new()));
}

#[actix_web::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn organizations_that_answer_too_late_are_not_read_and_the_page_says_so() {
    let (aws, db) = (StandIn::start(), database().await);
    aws.load(&two_accounts("slow-organizations").root);
    let account = |id: &str| {
        json!({"Id": id, "Name": "payments", "Email": format!("{id}@example.com"), "Status": "ACTIVE",
                                    "JoinedMethod": "CREATED", "JoinedTimestamp": "2025-01-01T00:00:00Z"})
    };
    aws.describe(&json!({"organization": {"id": "o-abcd123456", "management_account": ACCOUNT,
                                          "accounts": [account(ACCOUNT), account(OTHER)]}}));
    aws.fault(&json!({"kind": "slow", "service": "organizations", "seconds": SLOW, "times": null}));
    let asked = [&["--organizations"][..], &IMPATIENT].concat();
    run(&aws, &db, &asked, 2, &format!("{NO_ANSWER}organizations:"));
    assert_eq!(states(&db).await, both("delivered", "delivered"));
    let page = Reader::new(&db).await.page("/delivery").await;
    assert!(texts(&page, ".note").join(" ").contains("Reading AWS Organizations failed"));
}

/// The hour by which AWS's clock is ahead of this machine's.
const AHEAD: i64 = 3600;

/// How far ahead of this machine's clock a call was signed.
fn ahead(call: &Value) -> Duration {
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    let signed = PrimitiveDateTime::parse(call["signed_at"].as_str().unwrap(), format).unwrap().assume_utc();
    signed - OffsetDateTime::now_utc()
}

#[actix_web::test]
#[ignore = "needs Python's moto and duckdb; tests/run runs it"]
async fn a_wrong_clock_is_corrected_by_what_aws_answers() {
    let skewed = |operation: &str| json!({"kind": "clock_skew", "operation": operation, "seconds": AHEAD});
    let corrected = |aws: &StandIn, operation: &str| {
        let calls = aws.calls(operation);
        let at = calls.iter().position(|call| call["faults"] == json!(["clock_skew"])).expect("the fault struck");
        let same = |call: &Value| ["account", "region", "key"].iter().all(|name| call[name] == calls[at][name]);
        let again = calls[at + 1..].iter().find(|call| same(call) && call["status"] == 200);
        let later = ahead(again.unwrap_or_else(|| panic!("{operation} was not tried again")));
        assert!(later > Duration::minutes(50), "{operation} was signed {later} ahead of the clock");
    };
    let (aws, db, bucket) = (athena("/o-abc"), database().await, two_accounts("skew-athena"));
    aws.load(&bucket.root);
    let operations = ["StartQueryExecution", "GetQueryExecution", "GetObject"];
    for operation in operations {
        aws.fault(&skewed(operation));
    }
    collected(&aws, &db, &[]);
    for operation in operations {
        corrected(&aws, operation);
    }
    compared(&aws, &bucket, &db).await;

    let (aws, db) = (described("skew-config"), database().await);
    let operations = [
        "DescribeConfigRules",
        "DescribeConfigurationAggregatorSourcesStatus",
        "DescribeAggregateComplianceByConfigRules",
        "DescribeAggregateComplianceByConformancePacks",
        "GetObject",
    ];
    for operation in operations {
        aws.fault(&skewed(operation));
    }
    run(&aws, &db, &ALL, 0, "4 agree");
    for operation in operations {
        corrected(&aws, operation);
    }
    assert_eq!((outcomes(&db).await, open_notices(&db).await), (vec!["read".to_owned(); 2], Vec::new()));
}

#[actix_web::test]
#[ignore = "needs Python's moto and duckdb; tests/run runs it"]
async fn a_clock_that_stays_wrong_is_named() {
    let words = "this machine's clock and AWS's differ too much: ";
    let skewed = |service: &str| json!({"kind": "clock_skew", "service": service, "times": null});
    let (aws, db, bucket) = (athena("/o-abc"), database().await, two_accounts("skewed-athena"));
    aws.load(&bucket.root);
    aws.fault(&skewed("athena"));
    let output = by_athena(&aws, &db, &["--aws-attempts", "2"]).output().unwrap();
    assert_eq!(code(&output), 1, "{}", said(&output));
    assert!(said(&output).contains(&format!("{words}athena:StartQueryExecution")), "{}", said(&output));
    assert_eq!(states(&db).await, BTreeMap::new(), "no day is blamed");
    aws.clear_faults();
    collected(&aws, &db, &[]);
    compared(&aws, &bucket, &db).await;

    let (aws, db) = (described("skewed-config"), database().await);
    aws.fault(&skewed("config"));
    let impatient = [&ALL[..], &["--aws-attempts", "2"]].concat();
    run(&aws, &db, &impatient, 2, &format!("{words}config:DescribeConfigRules"));
    assert_eq!(states(&db).await, both("delivered", "delivered"));
    assert_eq!(
        (outcomes(&db).await, open_notices(&db).await.as_slice()),
        (vec!["expired".to_owned(); 2], &unread("expired")[..])
    );
    let page = Reader::new(&db).await.page("/aggregator").await;
    assert!(texts(&page, ".note").join(" ").contains(words));
    aws.clear_faults();
    run(&aws, &db, &impatient, 0, "4 agree");
    assert_eq!(open_notices(&db).await, Vec::new());
}

#[actix_web::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn evidence_of_a_region_that_is_not_enabled_is_region_off_until_it_is() {
    let (aws, db) = (StandIn::start(), database().await);
    aws.load(&two_accounts("region-off").root);
    // https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
    aws.fault(
        &json!({"kind": "error", "operation": "GetObject", "key_prefix": place_prefix(OTHER), "code": "OptInRequired",
                      "status": 403, "message": "The Region is not enabled", "times": null}),
    );
    run(&aws, &db, &[], 2, "the Region is not enabled: s3:GetObject on s3://acme-config/o-abc/");
    assert_eq!(states(&db).await, both("delivered", "region off"));
    let reader = Reader::new(&db).await;
    let page = texts(&reader.page("/delivery").await, "main").join(" ");
    assert!(page.contains("region off") && page.contains("the Region is not enabled"), "{page}");
    let judged: i64 = sqlx::query_scalar("select count(*) from object").fetch_one(&db).await.unwrap();
    assert_eq!(judged, 2, "what could not be reached is not judged");
    aws.clear_faults();
    run(&aws, &db, &[], 0, "");
    assert_eq!(states(&db).await, both("delivered", "delivered"));
}

#[actix_web::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn a_bucket_in_a_region_that_is_not_enabled_ends_the_collection_and_says_what_to_look_at() {
    let (aws, db) = (StandIn::start(), database().await);
    aws.load(&two_accounts("region-off-bucket").root);
    // The Region does not know the account's good credentials.
    aws.fault(&json!({"kind": "region_disabled", "service": "s3", "times": null}));
    run(&aws, &db, &["--aws-attempts", "1"], 1, "and that their account has enabled the Region");
    aws.clear_faults();
    let role = "arn:aws:iam::999999999999:role/Auditfolio";
    aws.describe(&json!({"roles": [{"arn": role}]}));
    // https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    aws.fault(&json!({"kind": "error", "operation": "AssumeRole", "code": "RegionDisabledException", "status": 403,
                      "message": "STS is not activated in this region for account", "times": null}));
    run(&aws, &db, &["--aws-role", role, "--aws-attempts", "1"], 1, "the Region is not enabled: sts:AssumeRole");
    assert_eq!(states(&db).await, BTreeMap::new(), "no day is blamed");
    aws.clear_faults();
    run(&aws, &db, &["--aws-role", role], 0, "");
    assert_eq!(states(&db).await, both("delivered", "delivered"));
}
