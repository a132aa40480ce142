//! Rule definitions through the member role, against the stand-in.

use std::collections::BTreeMap;
use std::process::Output;

use auditfolio::State;
use auditfolio::clock::Clock;
use auditfolio::compliance::memo::Memo;
use auditfolio::jobs::Progress;
use auditfolio::packs::{Request, build};
use serde_json::{Value, json};
use sqlx::PgPool;
use time::macros::date;

use crate::aws::{BUCKET, StandIn, code};
use crate::bucket::{ACCOUNT, Bucket, REGION};
use crate::compliance::{Reader, texts};
use crate::harness::{database, said};

const OTHER: &str = "222222222222";
/// The account that the stand-in's own keys are of.
const OWN: &str = "999999999999";
const RULE: &str = "access-keys-rotated";

/// Three accounts with two rules each.
fn snapshots(name: &str) -> Bucket {
    let bucket = Bucket::new(name);
    for account in [ACCOUNT, OTHER, OWN] {
        for day in [9, 10] {
            let rules: crate::bucket::Rules<'_> = &[(RULE, "COMPLIANT"), ("s3-bucket-logging-enabled", "COMPLIANT")];
            bucket.snapshot_of(account, REGION, day, 5, &[("a", rules)]);
        }
    }
    bucket
}

fn started(name: &str) -> StandIn {
    let aws = StandIn::start();
    aws.load(&snapshots(name).root);
    aws.describe(&json!({"config": {"bucket": BUCKET, "page_size": 1},
                         "roles": [{"arn": "arn:aws:iam::*:role/AuditfolioMember"}]}));
    aws
}

fn collect(aws: &StandIn, db: &PgPool, more: &[&str]) -> Output {
    let arguments = [&["--rule-definitions"], more].concat();
    aws.collect(db, &arguments).output().unwrap()
}

const ROLE: [&str; 2] = ["--aws-member-role", "AuditfolioMember"];

/// How the last reading of each account went.
async fn outcomes(db: &PgPool) -> BTreeMap<String, String> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "select account_id, outcome from rule_reading join place using (place_id)
         where collection_id = (select max(collection_id) from collection)",
    )
    .fetch_all(db)
    .await
    .unwrap();
    rows.into_iter().collect()
}

fn outcome(account: &str, word: &str) -> (String, String) {
    (account.to_owned(), word.to_owned())
}

/// Account, parameters and whether it still holds, of a rule's definitions.
async fn parameters(db: &PgPool, rule: &str) -> Vec<(String, String, bool)> {
    sqlx::query_as(
        "select account_id, parameters, until_collection is null from rule_definition join place using (place_id)
         where rule_name = $1 order by account_id, rule_definition_id",
    )
    .bind(rule)
    .fetch_all(db)
    .await
    .unwrap()
}

fn held(account: &str, parameters: &str, holds: bool) -> (String, String, bool) {
    (account.to_owned(), parameters.to_owned(), holds)
}

/// Lets what was read so far have been read on a day of the evidence.
async fn read_on(db: &PgPool, day: time::Date) {
    for statement in [
        "update rule_reading set day = $1 where day > $1",
        "update rule_definition set first_day = $1 where first_day > $1",
    ] {
        sqlx::query(statement).bind(day).execute(db).await.unwrap();
    }
}

const NINETY: &str = r#"{"maxAccessKeyAge":"90"}"#;
const THIRTY: &str = r#"{"maxAccessKeyAge":"30"}"#;

#[tokio::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn changed_parameters_are_history_with_the_old_and_the_new_ones() {
    let (aws, db) = (started("rules-changed"), database().await);
    aws.fault(&json!({"kind": "empty_page", "operation": "DescribeConfigRules", "times": 2}));
    let output = collect(&aws, &db, &ROLE);
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert!(
        said(&output).contains("rule definitions: 3 of 3 account-regions read, 6 rules, 6 new"),
        "{}",
        said(&output)
    );
    let first = [held(ACCOUNT, NINETY, true), held(OTHER, NINETY, true), held(OWN, NINETY, true)];
    assert_eq!(parameters(&db, RULE).await, first);
    read_on(&db, date!(2026 - 11 - 09)).await;

    assert_eq!(code(&collect(&aws, &db, &ROLE)), 0);
    assert_eq!(parameters(&db, RULE).await, first, "what stayed is not written again");
    read_on(&db, date!(2026 - 11 - 09)).await;

    aws.describe(&json!({"config": {"rules": [
        {"name": RULE, "account": OTHER, "parameters": {"maxAccessKeyAge": "30"}},
        {"name": "s3-bucket-logging-enabled", "account": OWN, "absent": true}]}}));
    let output = collect(&aws, &db, &ROLE);
    assert_eq!(code(&output), 0, "{}", said(&output));
    let now =
        [held(ACCOUNT, NINETY, true), held(OTHER, NINETY, false), held(OTHER, THIRTY, true), held(OWN, NINETY, true)];
    assert_eq!(parameters(&db, RULE).await, now);
    assert_eq!(parameters(&db, "s3-bucket-logging-enabled").await.last(), Some(&held(OWN, "{}", false)));
    read_on(&db, date!(2026 - 11 - 10)).await;
    sqlx::query("update rule_definition set end_day = '2026-11-10' where end_day is not null")
        .execute(&db)
        .await
        .unwrap();
    assert_eq!(aws.violations(), Vec::<Value>::new());

    let reader = Reader::new(&db).await;
    let page = reader.page(&format!("/rules/{RULE}")).await;
    let rows = texts(&page, "#parameters tbody tr");
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert!(rows[0].contains("90") && rows[0].ends_with("2 2"), "{rows:?}");
    assert!(rows[1].contains("30") && rows[1].contains(OTHER) && rows[1].ends_with("1 1"), "{rows:?}");
    let before = reader.page(&format!("/rules/{RULE}?as_of=2026-11-09")).await;
    assert_eq!(texts(&before, "#parameters tbody tr").len(), 1, "the day before all asked for the same");
    let gone = reader.page("/rules/s3-bucket-logging-enabled").await;
    assert!(texts(&gone, ".note").join(" ").contains("was not among those that AWS Config described"));

    let page = reader.page("/rule-definitions").await;
    let changes = texts(&page, "#changed tbody tr");
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert!(changes[0].contains("parameter maxAccessKeyAge: 90 → 30 9 Nov 2026 10 Nov 2026"), "{changes:?}");
    let rows = reader.json(&format!("/rule-definitions?format=json&account={OTHER}&rule={RULE}")).await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["parameters"], json!({"maxAccessKeyAge": "30"}));
    assert_eq!(reader.json("/rule-definitions?format=json&from=2026-11-09").await.len(), 7, "with the one that ended");
    assert_eq!(pack_says(&db).await, ["parameter maxAccessKeyAge: 90 → 30"]);
}

/// What the pack's attachment and its stored model say is tested with the packs; here: that a change is a line of it.
async fn pack_says(db: &PgPool) -> Vec<String> {
    let clock = Clock::Fixed(time::macros::datetime!(2026-11-12 09:00 UTC));
    let state = State { db: db.clone(), memo: Memo::default(), clock, demo: false };
    let request = Request {
        organization: "Example".to_owned(),
        title: "Parameters".to_owned(),
        from: Some(date!(2026 - 11 - 09)),
        as_of: date!(2026 - 11 - 10),
        accounts: None,
        scope: None,
        known_at: None,
        at: None,
        created_by: "test".to_owned(),
        demo: false,
    };
    let id = build(&state, &request, None, &Progress::default()).await.unwrap();
    let cover: Value =
        sqlx::query_scalar("select cover from pack where pack_id = $1").bind(id).fetch_one(db).await.unwrap();
    assert!(
        cover["attachments"]
            .as_array()
            .unwrap()
            .iter()
            .any(|file| file["name"] == "definitions.csv" && file["rows"] == 7)
    );
    cover["parameter_changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["change"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn what_may_not_be_read_has_its_own_state_and_closes_nothing() {
    let (aws, db) = (started("rules-denied"), database().await);
    assert_eq!(code(&collect(&aws, &db, &ROLE)), 0);
    read_on(&db, date!(2026 - 11 - 10)).await;
    let before = parameters(&db, RULE).await;

    let describe = "DescribeConfigRules";
    aws.fault(&json!({"kind": "deny", "operation": describe, "account": ACCOUNT, "times": null}));
    aws.fault(&json!({"kind": "throttle", "operation": describe, "account": OTHER, "times": null}));
    aws.fault(&json!({"kind": "region_disabled", "operation": describe, "account": OWN, "times": null}));
    let output = collect(&aws, &db, &[&ROLE[..], &["--aws-attempts", "2"]].concat());
    assert_eq!(code(&output), 2, "{}", said(&output));
    let wanted = [outcome(ACCOUNT, "denied"), outcome(OTHER, "throttled"), outcome(OWN, "region off")];
    assert_eq!(outcomes(&db).await, BTreeMap::from(wanted));
    let words = format!(
        "access was denied: config:DescribeConfigRules on account {ACCOUNT}, Region {REGION} as arn:aws:iam::{ACCOUNT}:role/AuditfolioMember"
    );
    assert!(said(&output).contains(&words), "{}", said(&output));
    assert_eq!(parameters(&db, RULE).await, before, "a failure closes nothing");
    sqlx::query("update rule_reading set day = '2026-11-10'").execute(&db).await.unwrap();
    let page = Reader::new(&db).await.page(&format!("/rules/{RULE}")).await;
    assert_eq!(texts(&page, "#parameters tbody tr").len(), 1);
    assert!(texts(&page, ".note").join(" ").contains("Not read again since"), "{:?}", texts(&page, ".note"));

    aws.clear_faults();
    aws.fault(&json!({"kind": "deny", "operation": "AssumeRole", "contains": OTHER, "times": null}));
    aws.fault(&json!({"kind": "expired", "operation": describe, "account": OWN, "times": null}));
    let output = collect(&aws, &db, &ROLE);
    assert_eq!(code(&output), 2, "{}", said(&output));
    assert!(said(&output).contains("access was denied: sts:AssumeRole"), "{}", said(&output));
    let wanted = [outcome(ACCOUNT, "read"), outcome(OTHER, "denied"), outcome(OWN, "expired")];
    assert_eq!(outcomes(&db).await, BTreeMap::from(wanted));
}

#[tokio::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn without_a_member_role_only_the_programs_own_account_is_read() {
    let (aws, db) = (started("rules-own"), database().await);
    let output = collect(&aws, &db, &[]);
    assert_eq!(code(&output), 2, "{}", said(&output));
    let none = "no member role";
    let wanted = [outcome(ACCOUNT, none), outcome(OTHER, none), outcome(OWN, "read")];
    assert_eq!(outcomes(&db).await, BTreeMap::from(wanted));
    assert_eq!(parameters(&db, RULE).await, [held(OWN, NINETY, true)]);
    let asked = aws.calls("DescribeConfigRules");
    assert!(asked.iter().all(|call| call["account"] == OWN), "{asked:?}");
    let page = Reader::new(&db).await.page(&format!("/rules/{RULE}")).await;
    let notes = texts(&page, ".note").join(" ");
    assert!(notes.contains("Parameters not collected in 2 more account-Regions"), "{notes}");
    assert!(notes.contains("no member role is set"), "{notes}");
}

#[tokio::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn where_rules_were_never_asked_for_the_page_and_the_pack_say_so() {
    let (aws, db) = (started("rules-never"), database().await);
    assert_eq!(code(&aws.collect(&db, &[]).output().unwrap()), 0);
    assert!(aws.calls("DescribeConfigRules").is_empty());
    let reader = Reader::new(&db).await;
    let page = reader.page(&format!("/rules/{RULE}")).await;
    let notes = texts(&page, ".note").join(" ");
    assert!(notes.contains("Parameters not collected: in 3 account-Regions never asked for"), "{notes}");
    let page = reader.page("/rule-definitions").await;
    assert!(texts(&page, ".lead").join(" ").contains("never read"));
}
