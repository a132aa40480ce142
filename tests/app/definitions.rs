//! Rule definitions through the member role, against the stand-in.

use std::collections::BTreeMap;
use std::process::Output;

use auditfolio::packs::Request;
use serde_json::{Value, json};
use sqlx::PgPool;
use time::macros::date;

use crate::aws::{BUCKET, StandIn, code};
use crate::bucket::{ACCOUNT, Bucket, REGION};
use crate::harness::{database, said};
use crate::packs;
use crate::portal::{Reader, texts};

const OTHER: &str = "222222222222";
const THIRD: &str = "999999999999";
const RULE: &str = "access-keys-rotated";

/// Three accounts with two rules each.
fn snapshots(name: &str) -> Bucket {
    let bucket = Bucket::new(name);
    for account in [ACCOUNT, OTHER, THIRD] {
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

#[actix_web::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn changed_parameters_are_history_with_the_old_and_the_new_ones() {
    let (aws, db) = (started("rules-changed"), database().await);
    aws.fault(&json!({"kind": "empty_page", "operation": "DescribeConfigRules", "times": 2}));
    let output = collect(&aws, &db, &ROLE);
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert!(
        said(&output).contains("rule definitions: 3 of 3 account-Regions read, 6 rules, 6 new"),
        "{}",
        said(&output)
    );
    let first = [held(ACCOUNT, NINETY, true), held(OTHER, NINETY, true), held(THIRD, NINETY, true)];
    assert_eq!(parameters(&db, RULE).await, first);
    read_on(&db, date!(2026 - 11 - 09)).await;

    assert_eq!(code(&collect(&aws, &db, &ROLE)), 0);
    assert_eq!(parameters(&db, RULE).await, first, "what stayed is not written again");
    read_on(&db, date!(2026 - 11 - 09)).await;

    aws.describe(&json!({"config": {"rules": [
        {"name": RULE, "account": OTHER, "parameters": {"maxAccessKeyAge": "30"}},
        {"name": "s3-bucket-logging-enabled", "account": THIRD, "absent": true}]}}));
    let output = collect(&aws, &db, &ROLE);
    assert_eq!(code(&output), 0, "{}", said(&output));
    let now =
        [held(ACCOUNT, NINETY, true), held(OTHER, NINETY, false), held(OTHER, THIRTY, true), held(THIRD, NINETY, true)];
    assert_eq!(parameters(&db, RULE).await, now);
    assert_eq!(parameters(&db, "s3-bucket-logging-enabled").await.last(), Some(&held(THIRD, "{}", false)));
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
    let variants = async |order: &str| {
        let rows = reader.json(&format!("/rules/{RULE}?parameters-sort={order}&rows=parameters&format=json")).await;
        let shown = texts(
            &reader.page(&format!("/rules/{RULE}?parameters-sort={order}")).await,
            "#parameters tbody td:last-child",
        );
        let places: Vec<String> = rows.iter().map(|row| row["account_regions"].to_string()).collect();
        assert_eq!(shown, places, "{order}");
        rows.iter().map(|row| row["parameters"].to_string()).collect::<Vec<String>>()
    };
    let (up, mut down) = (variants("parameters").await, variants("-parameters").await);
    down.reverse();
    assert!(up.len() > 1 && up.is_sorted() && up == down, "{up:?}");
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

#[actix_web::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn who_made_a_rule_stands_with_what_it_asks_for() {
    let (aws, db) = (started("rules-creator"), database().await);
    let service = "securityhub.amazonaws.com";
    aws.describe(&json!({"config": {"rules": [
        {"name": RULE, "account": OTHER, "members": {"CreatedBy": service, "ConfigRuleState": "DELETING"}},
        {"name": RULE, "account": THIRD, "members": {"CreatedBy": service}}]}}));
    assert_eq!(code(&collect(&aws, &db, &ROLE)), 0);
    read_on(&db, date!(2026 - 11 - 10)).await;
    let reader = Reader::new(&db).await;
    let address = |rule: &str| format!("/rules/{rule}");
    let told = async |rule: &str| {
        let page = reader.page(&address(rule)).await;
        let cells = ["6", "5"].map(|column| texts(&page, &format!("#parameters tbody td:nth-child({column})")));
        let rows = reader.json(&format!("{}?rows=parameters&format=json", address(rule))).await;
        let handed = ["created_by", "state"]
            .map(|name| rows.iter().map(|row| row[name].as_str().unwrap().to_owned()).collect::<Vec<String>>());
        assert_eq!(cells, handed, "the page and the file say the same");
        let (_, csv) = reader.ask(&format!("{}?rows=parameters&format=csv", address(rule))).await;
        assert!(csv.lines().next().unwrap().contains("state,created_by"), "{csv}");
        cells.map(|cells| cells.join("; "))
    };
    let of_two = [format!("{service} (2), not given (1)"), "ACTIVE (2), DELETING (1)".to_owned()];
    assert_eq!(told(RULE).await, of_two);
    assert_eq!(told("s3-bucket-logging-enabled").await, ["not given", "ACTIVE"]);
}

/// The changes on a pack's page, as it stores them.
async fn pack_says(db: &PgPool) -> Vec<String> {
    let request = Request {
        organization: "Example".to_owned(),
        from: Some(date!(2026 - 11 - 09)),
        as_of: date!(2026 - 11 - 10),
        at: None,
        ..packs::request()
    };
    let id = packs::pack(db, &request).await;
    let cover: Value =
        sqlx::query_scalar("select cover from pack where pack_id = $1").bind(id).fetch_one(db).await.unwrap();
    let attachments = cover["attachments"].as_array().unwrap();
    assert!(attachments.iter().any(|file| file["name"] == "definitions.csv" && file["rows"] == 7), "{attachments:?}");
    let said = cover["parameters"].as_str().unwrap();
    assert!(said.contains("in 3 of 3 account-Regions with evidence"), "{said}");
    let changes = cover["parameter_changes"].as_array().unwrap();
    changes.iter().map(|one| one["change"].as_str().unwrap().to_owned()).collect()
}

#[actix_web::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn what_may_not_be_read_has_its_own_state_and_closes_nothing() {
    let (aws, db) = (started("rules-denied"), database().await);
    assert_eq!(code(&collect(&aws, &db, &ROLE)), 0);
    read_on(&db, date!(2026 - 11 - 10)).await;
    let before = parameters(&db, RULE).await;

    let describe = "DescribeConfigRules";
    aws.fault(&json!({"kind": "deny", "operation": describe, "account": ACCOUNT, "times": null}));
    aws.fault(&json!({"kind": "throttle", "operation": describe, "account": OTHER, "times": null}));
    aws.fault(&json!({"kind": "region_disabled", "operation": describe, "account": THIRD, "times": null}));
    let output = collect(&aws, &db, &[&ROLE[..], &["--aws-attempts", "2"]].concat());
    assert_eq!(code(&output), 2, "{}", said(&output));
    let wanted = [outcome(ACCOUNT, "denied"), outcome(OTHER, "throttled"), outcome(THIRD, "region off")];
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
    aws.fault(&json!({"kind": "expired", "operation": describe, "account": THIRD, "times": null}));
    let output = collect(&aws, &db, &ROLE);
    assert_eq!(code(&output), 2, "{}", said(&output));
    assert!(said(&output).contains("access was denied: sts:AssumeRole"), "{}", said(&output));
    let wanted = [outcome(ACCOUNT, "read"), outcome(OTHER, "denied"), outcome(THIRD, "expired")];
    assert_eq!(outcomes(&db).await, BTreeMap::from(wanted));
}

#[actix_web::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn without_a_member_role_no_account_is_asked_and_that_is_said() {
    let (aws, db) = (started("rules-no-role"), database().await);
    let output = collect(&aws, &db, &[]);
    assert_eq!(code(&output), 2, "{}", said(&output));
    let none = "no member role";
    let wanted = [outcome(ACCOUNT, none), outcome(OTHER, none), outcome(THIRD, none)];
    assert_eq!(outcomes(&db).await, BTreeMap::from(wanted));
    assert!(aws.calls("DescribeConfigRules").is_empty(), "the program's own rules are nobody else's");
    sqlx::query("update rule_reading set day = '2026-11-10'").execute(&db).await.unwrap();
    let page = Reader::new(&db).await.page(&format!("/rules/{RULE}")).await;
    let notes = texts(&page, ".note").join(" ");
    assert!(notes.contains("Parameters not collected: no role to ask member accounts with was set (3"), "{notes}");
}

#[actix_web::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn where_rules_were_never_asked_for_the_page_and_the_pack_say_so() {
    let (aws, db) = (started("rules-never"), database().await);
    assert_eq!(code(&aws.collect(&db, &[]).output().unwrap()), 0);
    assert!(aws.calls("DescribeConfigRules").is_empty());
    let reader = Reader::new(&db).await;
    let page = reader.page(&format!("/rules/{RULE}")).await;
    let notes = texts(&page, ".note").join(" ");
    assert!(notes.contains("Parameters not collected: never asked for up to the as-of day (3"), "{notes}");
    let page = reader.page("/rule-definitions").await;
    assert!(texts(&page, ".lead").join(" ").contains("never read"));
}
