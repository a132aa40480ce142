//! The aggregator beside the store, and AWS's notes, against the stand-in.

use std::collections::BTreeMap;
use std::process::Output;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::{Method, StatusCode};
use auditfolio::collection::CollectArgs;
use auditfolio::jobs::{self, Standing};
use auditfolio::schedule::Collecting;
use auditfolio::{Duties, State};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::aws::{BUCKET, StandIn, code};
use crate::bucket::{ACCOUNT, Bucket, REGION, Rules, item, pack_item};
use crate::harness::{Served, address_of, database, said};
use crate::portal::{C, N, Reader, texts};
use crate::site::{NOW, Site, ask, get, sign_in, site_of, state_at};
use crate::tables_of_delivery::handed_out_as_shown;

const OTHER: &str = "222222222222";
const THIRD: &str = "999999999999";
const KEYS: &str = "access-keys-rotated";
pub(crate) const LOGGING: &str = "s3-bucket-logging-enabled";
const LATER: &str = "restricted-ssh";
pub(crate) const RULES: &str = "DescribeAggregateComplianceByConfigRules";

/// Three accounts over two days; a rule comes on the second, and three resources of the first account fail another.
fn snapshots(name: &str) -> Bucket {
    let bucket = Bucket::new(name);
    let failing: Rules<'_> = &[(KEYS, C), (LOGGING, N)];
    let good: Rules<'_> = &[(KEYS, C), (LOGGING, C)];
    let later: Rules<'_> = &[(KEYS, C), (LOGGING, C), (LATER, N)];
    for day in [9, 10] {
        bucket.snapshot(day, 5, &[("a", failing), ("b", failing), ("c", failing), ("d", good)]);
        bucket.snapshot_of(OTHER, REGION, day, 5, &[("a", failing)]);
        bucket.snapshot_of(THIRD, REGION, day, 5, &[("a", if day == 9 { good } else { later })]);
    }
    bucket
}

pub(crate) fn started(name: &str) -> StandIn {
    let aws = StandIn::start();
    aws.load(&snapshots(name).root);
    aws.describe(&json!({"config": {"bucket": BUCKET, "page_size": 2,
        "aggregators": [{"name": "organization", "account": THIRD, "region": REGION},
                        {"name": "elsewhere", "account": OTHER, "region": "us-east-1"}]},
        "roles": [{"arn": "arn:aws:iam::222222222222:role/Compare"}]}));
    aws
}

pub(crate) const NAMED: [&str; 2] = ["--aggregator", "organization"];

pub(crate) fn collect(aws: &StandIn, db: &PgPool, more: &[&str]) -> Output {
    aws.collect(db, more).output().unwrap()
}

/// What the download says of each account and rule.
pub(crate) async fn results(reader: &Reader, query: &str) -> BTreeMap<(String, String), Value> {
    let rows = reader.json(&format!("/aggregator?format=json{query}")).await;
    let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    rows.into_iter().map(|row| ((text(&row, "account_id"), text(&row, "rule_name")), row)).collect()
}

fn of<'a>(found: &'a BTreeMap<(String, String), Value>, account: &str, rule: &str) -> &'a Value {
    &found[&(account.to_owned(), rule.to_owned())]
}

async fn counted(db: &PgPool, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(db).await.unwrap()
}

#[actix_web::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn what_both_sides_say_alike_agrees_and_is_not_written_again() {
    let (aws, db) = (started("compare-agree"), database().await);
    aws.fault(&json!({"kind": "empty_page", "operation": RULES, "times": 2}));
    aws.fault(&json!({"kind": "empty_page", "operation": "DescribeConfigurationAggregatorSourcesStatus"}));
    let output = collect(&aws, &db, &NAMED);
    assert_eq!(code(&output), 0, "{}", said(&output));
    let words =
        "aggregator organization: 7 agree, 0 differ, 0 only here, 0 only there, 0 not comparable, of 10 Nov 2026";
    assert!(said(&output).contains(words), "{}", said(&output));
    assert!(aws.calls(RULES).len() >= 6, "page by page, with the empty ones");

    let ids = "select array_agg(comparison_id order by comparison_id) from comparison";
    let first: Vec<i64> = sqlx::query_scalar(ids).fetch_one(&db).await.unwrap();
    assert_eq!(code(&collect(&aws, &db, &NAMED)), 0);
    let again: Vec<i64> = sqlx::query_scalar(ids).fetch_one(&db).await.unwrap();
    assert_eq!(first, again);
    assert_eq!(counted(&db, "select count(*) from aggregate_rule").await, 7, "what stayed is not written again");
    assert_eq!(counted(&db, "select count(*) from aggregator_source").await, 3);
    assert_eq!(counted(&db, "select count(*) from aggregator_reading").await, 2);
    assert_eq!(aws.violations(), Vec::<Value>::new());

    let reader = Reader::new(&db).await;
    let page = reader.page("/aggregator").await;
    assert!(texts(&page, ".lead").join(" ").starts_with("Of 7 results"), "{:?}", texts(&page, ".lead"));
    let rows = texts(&page, "#results tbody tr");
    assert_eq!(rows.len(), 7);
    let failing = rows.iter().find(|row| row.contains(ACCOUNT) && row.contains(LOGGING)).unwrap();
    assert!(failing.contains("3 of 4 resources") && failing.contains("3 resources"), "{failing}");
    assert!(failing.contains("10 Nov 2026 05:00:00 UTC"), "{failing}");
    assert_eq!(texts(&page, "#sources tbody tr").len(), 3);
}

#[actix_web::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn differences_tell_both_numbers_and_what_is_on_one_side_only() {
    let (aws, db) = (started("compare-differ"), database().await);
    aws.describe(&json!({"config": {"results": [
        {"name": LOGGING, "account": ACCOUNT, "count": 5},
        {"name": KEYS, "account": OTHER, "absent": true},
        {"name": KEYS, "account": ACCOUNT, "compliance": "NON_COMPLIANT", "count": 1}]}}));
    let output = collect(&aws, &db, &[&NAMED[..], &["--until", "2026-11-09"]].concat());
    assert_eq!(code(&output), 0, "{}", said(&output));

    let reader = Reader::new(&db).await;
    let found = results(&reader, "").await;
    let words: Vec<(&str, &str, &str)> = found
        .iter()
        .map(|((account, rule), row)| (account.as_str(), rule.as_str(), row["result"].as_str().unwrap()))
        .collect();
    assert_eq!(
        words,
        [
            (ACCOUNT, KEYS, "differ"),
            (ACCOUNT, LOGGING, "differ"),
            (OTHER, KEYS, "only here"),
            (OTHER, LOGGING, "agree"),
            (THIRD, KEYS, "agree"),
            (THIRD, LATER, "only there"),
            (THIRD, LOGGING, "agree"),
        ]
    );
    let differs = of(&found, ACCOUNT, LOGGING);
    assert_eq!((&differs["not_complying"], &differs["aws_count"]), (&json!(3), &json!(5)));
    assert_eq!(differs["evidence_taken_at"], "2026-11-09T05:00:00Z");
    assert!(differs["aws_read_at"].is_string() && differs["aws_count_is_at_least"] == json!(false));

    let page = reader.page("/aggregator").await;
    let rows = texts(&page, "#results tbody tr");
    assert!(rows[0].starts_with("≠ differ") && rows[1].starts_with("≠ differ"), "what differs stands first: {rows:?}");
    assert_eq!(results(&reader, "&state=differ").await.len(), 2);
    assert_eq!(results(&reader, &format!("&account={THIRD}&rule=ssh")).await.len(), 1);
    assert_eq!(results(&reader, "&region=eu-west-1").await.len(), 0);
    for (cell, column) in [("td:nth-child(2)", "rule_name"), ("td:nth-child(3)", "account_id")] {
        assert_eq!(handed_out_as_shown(&reader, "/aggregator", ("results", cell, column), 7).await, 6);
    }
    let agreeing = reader.page("/aggregator?state=agree&sort=-rule").await;
    assert_eq!(texts(&agreeing, "#results tbody tr").len(), 3);

    // AWS's later answer and the day that follows put both right, and history keeps what was.
    aws.describe(&json!({"config": {"results": []}}));
    assert_eq!(code(&collect(&aws, &db, &NAMED)), 0);
    let found = results(&reader, "").await;
    assert!(found.values().all(|row| row["result"] == "agree"), "{found:?}");
    assert_eq!(counted(&db, "select count(*) from aggregate_rule where until_reading is not null").await, 2);
    let older = reader.page("/aggregator?as_of=2026-11-09").await;
    assert!(texts(&older, ".note").join(" ").contains("Compared is 10 Nov 2026"));
}

#[actix_web::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn what_the_aggregator_says_otherwise_than_before_is_closed_and_opened_anew() {
    let (aws, db) = (StandIn::start(), database().await);
    let bucket = Bucket::new("compare-changed");
    let (complying, failing): (Rules<'_>, Rules<'_>) = (&[(KEYS, C), (LOGGING, C)], &[(KEYS, C), (LOGGING, N)]);
    let snapshot = |day, rules| {
        let mut pack = pack_item(ACCOUNT, "pack-k3yq7n1xz", "Pack", day, 5, rules);
        for entry in pack["configuration"]["configRuleList"].as_array_mut().unwrap() {
            let name = entry["configRuleName"].as_str().unwrap().to_owned();
            entry["configRuleArn"] = format!("arn:aws:config:{REGION}:{ACCOUNT}:config-rule/{name}").into();
        }
        bucket.snapshot_items(ACCOUNT, REGION, day, 5, &[item(ACCOUNT, "a", day, 5, rules), pack]);
        aws.load(&bucket.root);
    };
    let config = |sources| {
        json!({"config": {"bucket": BUCKET, "sources": sources, "aggregators":
            [{"name": "organization", "account": THIRD, "region": REGION}]}})
    };
    aws.describe(&config(json!([])));
    snapshot(9, complying);
    assert_eq!(code(&collect(&aws, &db, &NAMED)), 0);
    snapshot(10, failing);
    aws.describe(&config(json!([{"account": ACCOUNT, "status": "FAILED", "error_code": "AccessDenied"}])));
    let output = collect(&aws, &db, &NAMED);
    assert_eq!(code(&output), 0, "{}", said(&output));
    let history =
        async |sql: &'static str| sqlx::query_as::<_, (String, i64, Option<i64>)>(sql).fetch_all(&db).await.unwrap();
    let was = |word: &str, since, until| (word.to_owned(), since, until);
    assert_eq!(
        history("select status, since_reading, until_reading from aggregator_source order by 2").await,
        [was("SUCCEEDED", 1, Some(2)), was("FAILED", 2, None)]
    );
    assert_eq!(
        history("select compliance, since_reading, until_reading from aggregate_pack order by 2").await,
        [was(C, 1, Some(2)), was(N, 2, None)]
    );
    assert_eq!(
        history(
            "select compliance, since_reading, until_reading from aggregate_rule where rule_name like 's3%' order by 2"
        )
        .await,
        [was(C, 1, Some(2)), was(N, 2, None)]
    );
}

#[actix_web::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn a_capped_count_is_at_least_and_a_failed_source_is_not_comparable() {
    let (aws, db) = (started("compare-capped"), database().await);
    aws.describe(&json!({"config": {"cap": 2, "sources": [
        {"account": THIRD, "status": "FAILED", "error_code": "AccessDenied", "error_message": "<b>no</b>"},
        {"account": OTHER, "status": "OUTDATED"}]}}));
    let output = collect(&aws, &db, &NAMED);
    assert_eq!(code(&output), 0, "{}", said(&output));
    let reader = Reader::new(&db).await;
    let found = results(&reader, "").await;
    let capped = of(&found, ACCOUNT, LOGGING);
    assert_eq!((&capped["result"], &capped["aws_count_is_at_least"]), (&json!("agree"), &json!(true)));
    let failed = of(&found, THIRD, KEYS);
    assert_eq!(failed["result"], "not comparable");
    assert_eq!(failed["reason"], "AWS could not collect from the source");
    assert_eq!(of(&found, OTHER, KEYS)["reason"], "AWS says that its data of the source are outdated");
    let (_, html) = reader.ask("/aggregator").await;
    assert!(html.contains("at least 2 resources") && !html.contains("<b>no</b>"));
    let sources = reader.json("/aggregator?format=json&rows=sources").await;
    assert_eq!(sources.iter().filter(|source| source["status"] == "SUCCEEDED").count(), 1);
    assert_ne!(sources[0]["status"], "SUCCEEDED", "those that AWS is behind with stand first");
}

#[actix_web::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn a_place_without_evidence_for_the_day_is_not_comparable() {
    let aws = StandIn::start();
    let bucket = snapshots("compare-silent");
    // The newest day is one account's alone.
    bucket.snapshot(11, 5, &[("a", &[(KEYS, C)])]);
    aws.load(&bucket.root);
    aws.describe(&json!({"config": {"bucket": BUCKET,
        "aggregators": [{"name": "organization", "account": THIRD, "region": REGION}]}}));
    let db = database().await;
    assert_eq!(code(&collect(&aws, &db, &NAMED)), 0);
    let found = results(&Reader::new(&db).await, "").await;
    assert_eq!(of(&found, ACCOUNT, KEYS)["result"], "agree");
    let silent = of(&found, OTHER, KEYS);
    assert_eq!(silent["result"], "not comparable", "what was last known is not of the day");
    assert_eq!(silent["reason"], "no evidence here for the day: missing");
    assert_eq!(silent["complying"], Value::Null);
}

#[actix_web::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn a_reading_that_fails_is_seen_compares_nothing_and_leaves_the_evidence_alone() {
    let (aws, db) = (started("compare-denied"), database().await);
    aws.fault(&json!({"kind": "deny", "operation": RULES, "times": null}));
    let output = collect(&aws, &db, &NAMED);
    assert_eq!(code(&output), 2, "{}", said(&output));
    let denied = format!("access was denied: config:{RULES} on aggregator organization, Region {REGION}");
    assert!(said(&output).contains(&denied), "{}", said(&output));
    assert!(said(&output).contains("user/portal"), "AWS's own words name the account: {}", said(&output));
    let state: String = sqlx::query_scalar("select state from collection").fetch_one(&db).await.unwrap();
    assert_eq!(state, "finished", "the evidence is collected all the same");
    let reader = Reader::new(&db).await;
    let page = reader.page("/aggregator").await;
    assert!(texts(&page, ".note").join(" ").contains(&denied));
    assert!(texts(&page, ".lead").join(" ").contains("nothing is compared"));
    assert!(texts(&reader.page("/collections/1").await, "main").join(" ").contains("not read, nothing was compared"));

    aws.clear_faults();
    assert_eq!(code(&collect(&aws, &db, &NAMED)), 0);
    let before = results(&reader, "").await;
    assert_eq!(before.len(), 7);

    // Throttled after the first page: what that page said is not kept.
    aws.describe(&json!({"config": {"results": [{"compliance": "COMPLIANT"}]}}));
    aws.fault(&json!({"kind": "throttle", "operation": RULES, "after": 1, "times": null}));
    let output = collect(&aws, &db, &[&NAMED[..], &["--aws-attempts", "2"]].concat());
    assert_eq!(code(&output), 2, "{}", said(&output));
    assert!(said(&output).contains("AWS throttled the calls"), "{}", said(&output));
    assert_eq!(results(&reader, "").await, before, "the last whole reading stands");
    let page = reader.page("/aggregator").await;
    assert!(texts(&page, ".note").join(" ").contains("What stands below is the reading before"));

    aws.clear_faults();
    let output = collect(&aws, &db, &["--aggregator", "nothing"]);
    assert_eq!(code(&output), 2, "{}", said(&output));
    assert!(said(&output).contains("it was not found: config:DescribeConfigurationAggregatorSourcesStatus"));
}

#[actix_web::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn an_aggregator_of_another_account_and_region_is_asked_through_its_role() {
    let (aws, db) = (started("compare-role"), database().await);
    let role = "arn:aws:iam::222222222222:role/Compare";
    let settings = ["--aggregator", "elsewhere", "--aggregator-role", role, "--aggregator-region", "us-east-1"];
    let output = collect(&aws, &db, &settings);
    assert_eq!(code(&output), 0, "{}", said(&output));
    let calls = aws.calls(RULES);
    assert!(calls.iter().all(|call| call["account"] == OTHER && call["region"] == "us-east-1"), "{calls:?}");
    let page = Reader::new(&db).await.page("/aggregator").await;
    assert!(texts(&page, ".facts").join(" ").contains(role));
}

#[actix_web::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn without_an_aggregator_nothing_is_asked_and_the_page_says_how_to_set_one() {
    let (aws, db) = (started("compare-none"), database().await);
    assert_eq!(code(&collect(&aws, &db, &[])), 0);
    assert!(aws.calls(RULES).is_empty());
    let page = Reader::new(&db).await.page("/aggregator").await;
    assert!(texts(&page, ".empty").join(" ").contains("--aggregator NAME"));
}

/// A program that does the jobs of a portal, and reaches the stand-in.
pub(crate) fn served(aws: &StandIn, db: &PgPool, more: &[&str]) -> Served {
    let (address, from) = (address_of(db), format!("s3://{BUCKET}"));
    let mut command = aws.program(&["serve", "--bind", "127.0.0.1:0", "--organization", "Example"]);
    command.args(["--database-url", &address, "--collect-from", &from]).args(more);
    Served::run(command)
}

/// A portal that says it can collect; its jobs are done by [`served`].
pub(crate) async fn portal(db: &PgPool) -> Site {
    let source = CollectArgs::of(format!("s3://{BUCKET}").parse().unwrap());
    let collecting = Collecting { organization: "Example".to_owned(), source, every: None };
    let duties = Duties { collecting: Some(collecting), ..Duties::default() };
    site_of(State { duties: Arc::new(duties), ..state_at(db, NOW) }).await
}

pub(crate) async fn ended(db: &PgPool, job_id: i64) -> Standing {
    for _ in 0..1500 {
        let standing = jobs::find(db, job_id).await.unwrap().unwrap();
        if !matches!(standing.state.as_str(), "queued" | "running") {
            return standing;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the job stays as {:?}", jobs::find(db, job_id).await.unwrap());
}

#[actix_web::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn awss_notes_are_fetched_by_a_job_and_stand_beside_what_fails() {
    let (aws, db) = (started("notes"), database().await);
    assert_eq!(code(&collect(&aws, &db, &NAMED)), 0);
    let site = portal(&db).await;
    let address = format!("/results?account={ACCOUNT}&region={REGION}&rule={LOGGING}");
    let auditor = sign_in(&site, "viewer").await;
    let before = get(&site, &auditor, &address).await;
    assert_eq!(before.texts("#failing tbody tr").len(), 3, "{}", before.text);
    assert!(before.text.contains("not fetched") && !before.text.contains("Fetch AWS"), "auditors start nothing");

    let manager = sign_in(&site, "compliance-manager").await;
    assert!(get(&site, &manager, &address).await.text.contains("Fetch AWS’s notes"));
    let form = format!("account={ACCOUNT}&region={REGION}&rule={LOGGING}");
    for _ in 0..2 {
        let asked = ask(&site, Method::POST, "/results/notes", Some(&manager), Some(&form)).await;
        let to = (asked.status, asked.header("location"));
        assert_eq!(to, (StatusCode::SEE_OTHER, "/jobs/1"), "one that waits is not asked for again");
    }
    let nowhere = format!("account={ACCOUNT}&region={REGION}&rule=nothing");
    let refused = ask(&site, Method::POST, "/results/notes", Some(&manager), Some(&nowhere)).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);

    let details = "GetAggregateComplianceDetailsByConfigRule";
    aws.fault(&json!({"kind": "empty_page", "operation": details}));
    let program = served(&aws, &db, &NAMED);
    let done = ended(&db, 1).await;
    assert_eq!((done.state.as_str(), done.result.as_deref()), ("done", Some(address.as_str())), "{done:?}");
    assert_eq!(aws.calls(details).len(), 3, "an empty page, and two pages of three resources");
    let after = get(&site, &auditor, &address).await;
    let rows = after.texts("#failing tbody tr");
    assert!(rows[0].contains("a does not meet s3-bucket-logging-enabled."), "{rows:?}");
    assert!(after.text.contains("they are not part of the evidence"));
    let resource = format!("/resources?account={ACCOUNT}&region={REGION}&type=AWS::S3::Bucket&id=a");
    let notes = get(&site, &auditor, &resource).await.texts("#notes");
    assert!(notes.join(" ").contains("a does not meet"), "{notes:?}");
    let other = resource.replace(ACCOUNT, OTHER);
    assert!(get(&site, &auditor, &other).await.texts("#notes").is_empty(), "another account's bucket of that name");

    // Markup in a note is text, and what AWS names beyond the evidence is told apart.
    sqlx::query("update note set annotation = '<b>x</b>', resource_id = 'z' where resource_id = 'a'")
        .execute(&db)
        .await
        .unwrap();
    let page = get(&site, &auditor, &address).await;
    assert!(!page.text.contains("<b>x</b>") && page.text.contains("not known to fail here"));

    aws.fault(&json!({"kind": "deny", "operation": details, "times": null}));
    let asked = ask(&site, Method::POST, "/results/notes", Some(&manager), Some(&form)).await;
    assert_eq!(asked.header("location"), "/jobs/2");
    let failed = ended(&db, 2).await;
    assert!(failed.failure.unwrap().contains(&format!("access was denied: config:{details}")));
    let page = get(&site, &auditor, &address).await;
    assert!(page.text.contains("failed the last time") && page.texts("#failing tbody tr").len() == 4);
    drop(program);
}

#[actix_web::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn without_an_aggregator_the_account_itself_is_asked_for_its_notes() {
    let (aws, db) = (started("notes-member"), database().await);
    assert_eq!(code(&collect(&aws, &db, &[])), 0);
    aws.describe(&json!({"roles": [{"arn": "arn:aws:iam::*:role/AuditfolioMember"}]}));
    let site = portal(&db).await;
    let manager = sign_in(&site, "administrator").await;
    let form = format!("account={OTHER}&region={REGION}&rule={LOGGING}");
    ask(&site, Method::POST, "/results/notes", Some(&manager), Some(&form)).await;
    let _program = served(&aws, &db, &["--aws-member-role", "AuditfolioMember"]);
    let done = ended(&db, 1).await;
    assert_eq!(done.state, "done", "{done:?}");
    let calls = aws.calls("GetComplianceDetailsByConfigRule");
    assert!(!calls.is_empty() && calls.iter().all(|call| call["account"] == OTHER), "{calls:?}");
    assert_eq!(aws.violations(), Vec::<Value>::new());
    let rows = get(&site, &manager, &format!("/results?{form}")).await.texts("#failing tbody tr");
    assert!(rows[0].contains("a does not meet"), "{rows:?}");
}
