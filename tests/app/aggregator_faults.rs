//! What hides an answer of the aggregator: each of its operations and each fault ends in a state of its own, and what was
//! compared before stands.

use std::collections::BTreeSet;
use std::time::Duration;

use actix_web::http::Method;
use auditfolio::jobs::{self, Standing};
use serde_json::{Value, json};
use sqlx::{Executor as _, PgPool};

use crate::aws::code;
use crate::bucket::{ACCOUNT, REGION};
use crate::harness::{database, said};
use crate::portal::{Reader, texts};
use crate::reconcile::{LOGGING, NAMED, RULES, collect, ended, portal, results, served, started};
use crate::site::{ask, get, sign_in};

const SOURCES: &str = "DescribeConfigurationAggregatorSourcesStatus";
const PACKS: &str = "DescribeAggregateComplianceByConformancePacks";
const NOTES: &str = "GetAggregateComplianceDetailsByConfigRule";

/// Who waits for an answer for one second, and asks once.
const IMPATIENT: [&str; 6] = ["--aws-attempt-timeout", "1", "--aws-operation-timeout", "2", "--aws-attempts", "1"];
const NO_ANSWER: &str = "not reachable: no proper answer";
const SKEWED: &str = "this machine's clock and AWS's differ too much";

/// Faults of any operation, with the words and the cause of the notice that each ends in.
fn faults() -> [(Value, &'static str, &'static str); 9] {
    [
        (json!({"kind": "deny"}), "access was denied", "denied"),
        (json!({"kind": "throttle"}), "AWS throttled the calls", "throttled"),
        (json!({"kind": "expired"}), "the AWS credentials have expired", "expired"),
        (json!({"kind": "region_disabled"}), "AWS does not accept the credentials", "region off"),
        (json!({"kind": "clock_skew"}), SKEWED, "expired"),
        (json!({"kind": "server_error", "status": 503}), "not reachable: server error", "failed"),
        (json!({"kind": "cut"}), NO_ANSWER, "failed"),
        (json!({"kind": "reset"}), NO_ANSWER, "failed"),
        // Longer than anybody waits.
        (json!({"kind": "slow", "seconds": 4}), NO_ANSWER, "failed"),
    ]
}

fn of(mut fault: Value, operation: &str, times: &Value) -> Value {
    fault["operation"] = operation.into();
    fault["times"] = times.clone();
    fault
}

/// Causes of the notices that are open.
async fn causes(db: &PgPool) -> BTreeSet<String> {
    let open = "select about from notice where kind = 'aggregator-unread' and closed_at is null";
    sqlx::query_scalar(open).fetch_all(db).await.unwrap().into_iter().collect()
}

#[actix_web::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn whatever_hides_an_answer_of_the_aggregator_is_said_and_what_was_compared_before_stands() {
    let (aws, db) = (started("aggregator-faults"), database().await);
    assert_eq!(code(&collect(&aws, &db, &NAMED)), 0);
    let reader = Reader::new(&db).await;
    let before = results(&reader, "").await;
    let sources = reader.json("/aggregator?format=json&rows=sources").await;
    assert!(before.len() == 7 && before.values().all(|row| row["result"] == "agree"), "{before:?}");
    // What AWS says now is otherwise, and must not be seen in part.
    aws.describe(&json!({"config": {"results": [{"compliance": "COMPLIANT"}],
                                    "sources": [{"account": ACCOUNT, "status": "OUTDATED"}]}}));
    let mut wanted = BTreeSet::new();
    for operation in [SOURCES, RULES, PACKS] {
        for (fault, words, cause) in faults() {
            aws.fault(&of(fault, operation, &Value::Null));
            let output = collect(&aws, &db, &[&NAMED[..], &IMPATIENT].concat());
            let failure = format!("{words}: config:{operation} on aggregator organization, Region {REGION}");
            assert_eq!(code(&output), 2, "{failure}: {}", said(&output));
            assert!(said(&output).contains(&failure), "{failure}: {}", said(&output));
            let page = reader.page("/aggregator").await;
            let note = texts(&page, ".note").join(" ");
            assert!(note.contains(&failure) && note.contains("What stands below is the reading before"), "{note}");
            wanted.insert(cause.to_owned());
            assert_eq!(causes(&db).await, wanted, "{failure}");
            assert_eq!(results(&reader, "").await, before, "{failure}");
            assert_eq!(reader.json("/aggregator?format=json&rows=sources").await, sources, "{failure}");
            aws.clear_faults();
        }
    }
    let states: Vec<String> = sqlx::query_scalar("select distinct state from delivery").fetch_all(&db).await.unwrap();
    assert_eq!(states, ["delivered"], "the evidence knows nothing of it");
    assert_eq!(code(&collect(&aws, &db, &NAMED)), 0);
    assert_eq!(causes(&db).await, BTreeSet::new());
    assert_ne!(results(&reader, "").await, before, "what AWS says now is seen once it is read");
}

/// The job once its attempt has ended: in the end, or until it is tried again.
async fn attempted(db: &PgPool, job_id: i64) -> Standing {
    for _ in 0..1500 {
        let standing = jobs::find(db, job_id).await.unwrap().unwrap();
        if standing.state != "running" && standing.failure.is_some() {
            return standing;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the job stays as {:?}", jobs::find(db, job_id).await.unwrap());
}

#[actix_web::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn notes_that_cannot_be_fetched_are_tried_again_or_said_to_have_failed() {
    let (aws, db) = (started("notes-faults"), database().await);
    assert_eq!(code(&collect(&aws, &db, &NAMED)), 0);
    let site = portal(&db).await;
    let manager = sign_in(&site, "compliance-manager").await;
    let form = format!("account={ACCOUNT}&region={REGION}&rule={LOGGING}");
    let address = format!("/results?{form}");
    let _program = served(&aws, &db, &[&NAMED[..], &IMPATIENT].concat());
    for (number, (fault, words, cause)) in (1..).zip(faults()) {
        aws.fault(&of(fault, NOTES, &json!(1)));
        let asked = ask(&site, Method::POST, "/results/notes", Some(&manager), Some(&form)).await;
        assert_eq!(asked.header("location"), format!("/jobs/{number}"));
        let failure = format!("{words}: config:{NOTES} on aggregator organization, Region {REGION}");
        let standing = attempted(&db, number).await;
        assert!(standing.failure.unwrap().contains(&failure), "{failure}");
        let page = get(&site, &manager, &address).await;
        assert!(page.texts(".note, p").join(" ").contains(&failure), "{failure}: {}", page.text);
        let job = get(&site, &manager, &format!("/jobs/{number}")).await;
        assert!(job.texts(".note").join(" ").contains(&failure), "{failure}: {}", job.text);
        // What fails here is known all the same, and what AWS would say of it is not.
        let rows = page.texts("#failing tbody tr");
        let noted = if rows[0].contains("not fetched") { "not fetched" } else { "does not meet" };
        assert!(rows.len() == 3 && rows.iter().all(|row| row.contains(noted)), "{rows:?}");
        if ["throttled", "failed"].contains(&cause) {
            assert_eq!(standing.state, "queued", "{failure}");
            assert!(page.text.contains("it is tried again") && job.text.contains("It is tried again at"), "{failure}");
            db.execute("update job set not_before = null where not_before is not null").await.unwrap();
            assert_eq!(ended(&db, number).await.state, "done", "{failure}");
            let after = get(&site, &manager, &address).await;
            assert!(after.texts("#failing tbody tr")[0].contains("a does not meet"), "{failure}");
        } else {
            assert_eq!(standing.state, "failed", "{failure}");
            assert!(page.text.contains("failed the last time"), "{failure}");
        }
    }
    assert_eq!(aws.violations(), Vec::<Value>::new());
}
