//! Reading Artifact itself, against the stand-in: reports with all versions, and every account's agreements.

use std::collections::BTreeMap;
use std::process::Output;

use auditfolio::jobs::{Kind, Pace, work_with};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::aws::{StandIn, code};
use crate::bucket::{ACCOUNT, Bucket, REGION};
use crate::harness::{address_of, database, said};
use crate::portal::{Reader, texts};

const OTHER: &str = "222222222222";
const PORTAL: &str = "999999999999";
pub(crate) const SOC: &str = "report-0123456789abcdef";
const ISO: &str = "report-0123456789abcdeg";

fn soc(versions: &Value) -> Value {
    json!({"id": SOC, "name": "SOC 2 Type 2 Report", "series": "SOC", "state": "PUBLISHED", "versions": versions})
}

fn baa(letter: &str) -> Value {
    json!({"name": "AWS Business Associate Addendum", "id": format!("customer-agreement-012345678901234{letter}"),
           "state": "ACTIVE", "effectiveStart": "2025-02-03T10:11:12Z", "type": "DEFAULT"})
}

/// Two reports, and the agreements of two accounts; small pages, so that there are several.
pub(crate) fn described() -> StandIn {
    let aws = StandIn::start();
    let version = |number: i64, from: &str, to: &str| {
        json!({"version": number, "periodStart": format!("{from}T00:00:00Z"), "periodEnd": format!("{to}T00:00:00Z"),
               "createdAt": "2026-01-02T03:04:05Z", "sequenceNumber": number})
    };
    let versions = json!([version(1, "2025-04-01", "2025-09-30"), version(2, "2025-10-01", "2026-03-31")]);
    aws.describe(&json!({
        "roles": [{"arn": "arn:aws:iam::*:role/AuditfolioMember"}],
        "artifact": {
            "page_size": 1,
            "reports": [soc(&versions), {"id": ISO, "name": "ISO 27001 Certificate", "versions": [{"version": 1}]}],
            "agreements": {ACCOUNT: [baa("a")], OTHER: []},
        },
    }));
    aws
}

/// A store that knows two accounts.
pub(crate) async fn organization(name: &str) -> PgPool {
    let (db, bucket) = (database().await, Bucket::new(name));
    bucket.snapshot_of(ACCOUNT, REGION, 2, 5, &[("a", &[("r", "COMPLIANT")])]);
    let list = bucket.root.join("accounts.json");
    let account = |id: &str| {
        json!({"Id": id, "Name": format!("account {id}"), "Status": "ACTIVE",
                                    "Arn": format!("arn:aws:organizations::{ACCOUNT}:account/o-a1b2c3d4e5/{id}"),
                                    "Email": "a@example.com", "JoinedMethod": "CREATED",
                                    "JoinedTimestamp": "2024-01-01T00:00:00Z"})
    };
    std::fs::write(&list, json!({"Accounts": [account(ACCOUNT), account(OTHER)]}).to_string()).unwrap();
    let from = bucket.root.to_str().unwrap().to_owned();
    let arguments = ["collect", "--from", &from, "--accounts", list.to_str().unwrap(), "--organization", "Example"];
    let done = crate::harness::program(&arguments).args(["--database-url", &address_of(&db)]).output().unwrap();
    assert_eq!(code(&done), 0, "{}", said(&done));
    db
}

const ROLE: [&str; 2] = ["--aws-member-role", "AuditfolioMember"];

fn sync(aws: &StandIn, db: &PgPool, more: &[&str]) -> Output {
    let mut command = aws.program(&["artifact", "sync", "--organization", "Example"]);
    command.args(["--database-url", &address_of(db)]).args(more).output().unwrap()
}

/// What is held now: the report and version, with how many times anything of it changed.
async fn held(db: &PgPool) -> BTreeMap<(String, i64), i64> {
    let rows: Vec<(String, i64, i64)> =
        sqlx::query_as("select report_id, version, count(*) from artifact_version group by 1, 2")
            .fetch_all(db)
            .await
            .unwrap();
    rows.into_iter().map(|(id, version, count)| ((id, version), count)).collect()
}

/// The BAA of each account, as the page says it.
async fn baas(reader: &Reader) -> BTreeMap<String, String> {
    let rows = reader.json("/artifact/agreements?format=json").await;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    rows.iter().map(|row| (text(&row["account_id"]), text(&row["baa"]))).collect()
}

#[actix_web::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn every_version_and_every_accounts_agreements_are_read_and_the_same_again_is_no_news() {
    let (aws, db) = (described(), organization("artifact-sync").await);
    let done = sync(&aws, &db, &ROLE);
    assert_eq!(code(&done), 0, "{}", said(&done));
    assert!(said(&done).contains("3 versions of AWS’s reports read, 3 new or changed."), "{}", said(&done));
    assert!(said(&done).contains("Agreements of 3 accounts read, of 0 not"), "{}", said(&done));
    let once = BTreeMap::from([((SOC.to_owned(), 1), 1), ((SOC.to_owned(), 2), 1), ((ISO.to_owned(), 1), 1)]);
    assert_eq!(held(&db).await, once);
    let described: Value =
        sqlx::query_scalar("select facts from artifact_version where version = 2").fetch_one(&db).await.unwrap();
    assert_eq!((&described["sequenceNumber"], &described["periodEnd"]), (&json!(2), &json!("2026-03-31T00:00:00Z")));
    let reader = Reader::new(&db).await;
    let found = baas(&reader).await;
    assert_eq!((found[ACCOUNT].as_str(), found[OTHER].as_str()), ("own agreement", "none listed"));
    let asked: Vec<Value> = aws.calls("ListCustomerAgreements").iter().map(|call| call["account"].clone()).collect();
    for account in [ACCOUNT, OTHER, PORTAL] {
        assert!(asked.contains(&json!(account)), "{account} is asked as itself: {asked:?}");
    }
    assert!(aws.calls("GetReport").is_empty() && aws.calls("GetTermForReport").is_empty(), "nothing by itself");

    aws.clear_log();
    let again = sync(&aws, &db, &ROLE);
    assert!(said(&again).contains("3 versions of AWS’s reports read, 0 new or changed."), "{}", said(&again));
    assert_eq!(held(&db).await, once);
    // The newest of each report is asked for in full again, and an older one if it is its turn.
    let described = aws.calls("GetReportMetadata").len();
    assert!((2..=3).contains(&described), "{described}");
    assert_eq!(aws.violations(), Vec::<Value>::new());
}

#[actix_web::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn what_appears_changes_and_goes_between_two_readings_is_history() {
    let (aws, db) = (described(), organization("artifact-between").await);
    assert_eq!(code(&sync(&aws, &db, &ROLE)), 0);
    aws.describe(&json!({"artifact": {
        "reports": [soc(&json!([{"version": 2, "description": "Corrected", "createdAt": "2026-01-02T03:04:05Z"},
                                {"version": 3, "createdAt": "2026-10-02T03:04:05Z"}]))],
        "agreements": {ACCOUNT: [], OTHER: [baa("b")]},
    }}));
    let done = sync(&aws, &db, &ROLE);
    assert_eq!(code(&done), 0, "{}", said(&done));
    let reader = Reader::new(&db).await;
    let versions = reader.json("/artifact?rows=versions&format=json").await;
    let state = |id: &str, version: i64| {
        let row = versions.iter().find(|row| row["report_id"] == id && row["version"] == version);
        row.unwrap()["state"].as_str().unwrap().to_owned()
    };
    assert!(state(SOC, 1).contains("no longer listed"), "{}", state(SOC, 1));
    assert!(state(ISO, 1).contains("no longer listed"), "the whole report is gone from the list");
    assert!(!state(SOC, 3).contains("no longer"), "{}", state(SOC, 3));
    let page = reader.page(&format!("/artifact/reports/{SOC}")).await;
    let history = texts(&page, "#changes tbody tr").join("\n");
    assert!(history.contains("→ Corrected"), "{history}");
    let found = baas(&reader).await;
    assert_eq!((found[ACCOUNT].as_str(), found[OTHER].as_str()), ("none listed", "own agreement"));
    assert_eq!(aws.violations(), Vec::<Value>::new());
}

#[actix_web::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn a_deletion_that_stands_in_no_list_is_seen_and_is_a_new_row() {
    let (aws, db) = (described(), organization("artifact-deleted").await);
    assert_eq!(code(&sync(&aws, &db, &ROLE)), 0);
    let before = held(&db).await;
    let listed = soc(&json!([{"version": 1, "createdAt": "2026-01-02T03:04:05Z"},
                             {"version": 2, "createdAt": "2026-01-02T03:04:05Z", "deletedAt": "2026-11-01T00:00:00Z"}]));
    aws.describe(&json!({"artifact": {"reports": [listed]}}));
    let done = sync(&aws, &db, &ROLE);
    assert_eq!(code(&done), 0, "{}", said(&done));
    let key = (SOC.to_owned(), 2);
    assert_eq!((before[&key], held(&db).await[&key]), (1, 2), "what was known before stands");
    let versions = Reader::new(&db).await.json("/artifact?rows=versions&format=json").await;
    let row = versions.iter().find(|row| row["report_id"] == SOC && row["version"] == 2).unwrap();
    assert_eq!(row["state"], "deleted");
    assert_eq!(aws.violations(), Vec::<Value>::new());
}

#[actix_web::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn what_is_refused_is_not_read_and_never_none() {
    let (aws, db) = (described(), organization("artifact-denied").await);
    aws.fault(&json!({"kind": "deny", "operation": "ListCustomerAgreements", "account": OTHER, "times": null}));
    aws.fault(&json!({"kind": "deny", "operation": "ListReportVersions", "contains": SOC, "times": null}));
    let done = sync(&aws, &db, &ROLE);
    assert_eq!(code(&done), 2, "{}", said(&done));
    let reader = Reader::new(&db).await;
    assert_eq!(baas(&reader).await[OTHER], "not read");
    let page = reader.page("/artifact/agreements").await;
    let rows = texts(&page, "#accounts tbody tr").join("\n");
    assert!(rows.contains("artifact:ListCustomerAgreements"), "{rows}");
    // The newest version is in the list of reports; of older ones nothing is known.
    assert_eq!(held(&db).await.keys().filter(|(id, _)| id == SOC).count(), 1);
    let page = reader.page("/artifact").await;
    let left_out = texts(&page, "main details.note").join("\n");
    assert!(left_out.contains("artifact:ListReportVersions"), "{left_out}");

    aws.clear_faults();
    aws.fault(&json!({"kind": "deny", "operation": "ListReports", "times": null}));
    let done = sync(&aws, &db, &[]);
    assert_eq!(code(&done), 2, "{}", said(&done));
    let page = reader.page("/artifact").await;
    let notes = texts(&page, "p.note").join("\n");
    assert!(notes.contains("AWS Artifact could not be read") && notes.contains("artifact:ListReports"), "{notes}");
    assert_eq!(texts(&page, "#versions tbody tr").len(), 2, "what was known stands");
    let found = baas(&reader).await;
    assert_eq!((found[ACCOUNT].as_str(), found[OTHER].as_str()), ("not read", "not read"), "no member role is set");
    aws.clear_faults();
    assert_eq!(code(&sync(&aws, &db, &ROLE)), 0);
    assert_eq!(held(&db).await.keys().filter(|(id, _)| id == SOC).count(), 2);
    let page = reader.page("/artifact").await;
    assert!(texts(&page, "main details.note").is_empty() && !texts(&page, "p.note").join("").contains("could not be"));
    assert_eq!(aws.violations(), Vec::<Value>::new());
}

#[actix_web::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn an_answer_without_its_list_is_not_read_and_takes_nothing_away() {
    let (aws, db) = (described(), organization("artifact-no-list").await);
    assert_eq!(code(&sync(&aws, &db, &ROLE)), 0);
    let known = held(&db).await;
    for operation in ["ListReports", "ListReportVersions", "ListCustomerAgreements"] {
        aws.fault(&json!({"kind": "no_list", "operation": operation, "times": null}));
        let done = sync(&aws, &db, &ROLE);
        assert_eq!(code(&done), 2, "{}", said(&done));
        assert!(said(&done).contains("the answer lacks its list"), "{}", said(&done));
        let reader = Reader::new(&db).await;
        let listed = reader.json("/artifact?rows=versions&format=json").await;
        assert!(listed.iter().all(|row| row["state"] != "no longer listed"), "{listed:?}");
        let wanted = if operation == "ListCustomerAgreements" { "not read" } else { "none listed" };
        assert_eq!(baas(&reader).await[OTHER], wanted, "{operation}");
        assert_eq!(held(&db).await, known, "{operation}");
        aws.clear_faults();
    }
    assert_eq!(aws.violations(), Vec::<Value>::new());
}

#[actix_web::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn throttling_empty_pages_and_outages_are_waited_out() {
    let (aws, db) = (described(), organization("artifact-throttled").await);
    for fault in [
        json!({"kind": "throttle", "service": "artifact", "times": 4}),
        json!({"kind": "empty_page", "operation": "ListReports", "times": 2}),
        json!({"kind": "empty_page", "operation": "ListCustomerAgreements", "times": 3}),
        json!({"kind": "server_error", "operation": "GetReportMetadata", "times": 1}),
        json!({"kind": "cut", "operation": "ListReportVersions", "times": 1}),
    ] {
        aws.fault(&fault);
    }
    let done = sync(&aws, &db, &[&ROLE[..], &["--aws-attempts", "8"]].concat());
    assert_eq!(code(&done), 0, "{}", said(&done));
    assert_eq!(held(&db).await.len(), 3);
    assert_eq!(baas(&Reader::new(&db).await).await[ACCOUNT], "own agreement");
    assert_eq!(aws.violations(), Vec::<Value>::new());
}

#[actix_web::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn expired_credentials_end_it_with_words_and_keep_what_was_known() {
    let (aws, db) = (described(), organization("artifact-expired").await);
    assert_eq!(code(&sync(&aws, &db, &ROLE)), 0);
    aws.fault(&json!({"kind": "expired", "service": "artifact", "times": null}));
    let done = sync(&aws, &db, &ROLE);
    assert_eq!(code(&done), 2);
    assert!(said(&done).contains("the AWS credentials have expired"), "{}", said(&done));
    let reader = Reader::new(&db).await;
    assert_eq!(baas(&reader).await[ACCOUNT], "not read", "what it said before is not now");
    assert_eq!(reader.json("/artifact?rows=versions&format=json").await.len(), 3);
}

#[actix_web::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn three_hundred_reports_and_five_hundred_accounts_come_out_right_and_the_same_again() {
    let (aws, db) = (described(), database().await);
    let id = |number: usize| format!("report-{number:016}");
    let version = |number: i64| json!({"version": number, "createdAt": "2026-01-02T03:04:05Z"});
    let reports: Vec<Value> = (0..300)
        .map(|number| {
            json!({"id": id(number), "name": format!("SOC 2 Type 2 Report {number}"),
                             "versions": (1..=6).map(version).collect::<Vec<_>>()})
        })
        .collect();
    let account = |number: usize| format!("{:012}", 100_000_000_000 + number);
    let agreements: serde_json::Map<String, Value> =
        (0..500).filter(|number| number % 3 == 0).map(|number| (account(number), json!([baa("a")]))).collect();
    aws.describe(&json!({"artifact": {"page_size": 100, "reports": reports, "agreements": agreements}}));
    sqlx::query("insert into organization (name) values ('Example')").execute(&db).await.unwrap();
    let ids: Vec<String> = (0..500).map(account).collect();
    sqlx::query(
        "insert into account (organization_id, account_id, name, status, joined_on)
         select organization_id, id, 'account ' || id, 'ACTIVE', '2024-01-01' from organization, unnest($1::text[]) id",
    )
    .bind(&ids)
    .execute(&db)
    .await
    .unwrap();
    let denied: Vec<String> = [7, 8].map(account).to_vec();
    for account in &denied {
        let deny = json!({"kind": "deny", "operation": "ListCustomerAgreements", "account": account, "times": null});
        aws.fault(&deny);
    }
    let patient = [&ROLE[..], &["--aws-attempts", "20"]].concat();
    let mut before = None;
    for _ in 0..2 {
        for (operation, times) in [("ListReportVersions", 3), ("GetReportMetadata", 3), ("ListCustomerAgreements", 3)] {
            aws.fault(&json!({"kind": "throttle", "operation": operation, "after": 10, "times": times}));
        }
        let done = sync(&aws, &db, &patient);
        assert_eq!(code(&done), 2, "{}", said(&done));
        assert!(said(&done).contains("1,800 versions of AWS’s reports read"), "{}", said(&done));
        let versions = held(&db).await;
        assert_eq!((versions.len(), versions.values().all(|count| *count == 1)), (1800, true));
        let found = baas(&Reader::new(&db).await).await;
        for number in 0..500 {
            let wanted = match number {
                7 | 8 => "not read",
                number if number % 3 == 0 => "own agreement",
                _ => "none listed",
            };
            assert_eq!(found[&account(number)], wanted, "{number}");
        }
        assert!(before.is_none_or(|before| before == found), "the same again");
        before = Some(found);
    }
    assert_eq!(aws.violations(), Vec::<Value>::new());
}

/// Keeps the job kinds that a worker is asked for from growing apart from what it can do.
#[actix_web::test]
async fn a_job_without_settings_fails_with_words() {
    let db = database().await;
    let mut tx = db.begin().await.unwrap();
    let payload = json!({"organization": "Example", "created_by": "tester", "demo": false});
    let job_id = auditfolio::jobs::enqueue(&mut tx, Kind::Artifact, &payload, "tester").await.unwrap();
    tx.commit().await.unwrap();
    let stop = tokio_util::sync::CancellationToken::new();
    let state = crate::site::state_at(&db, crate::site::NOW);
    let worker = tokio::spawn({
        let stop = stop.clone();
        async move {
            work_with(state, stop, Pace::default(), &[Kind::Artifact], |state, job, progress| {
                Box::pin(auditfolio::artifact::carry_out(state, job, progress))
            })
            .await;
        }
    });
    let ended = loop {
        let standing = auditfolio::jobs::find(&db, job_id).await.unwrap().unwrap();
        if standing.finished_at.is_some() {
            break standing;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    stop.cancel();
    worker.await.unwrap();
    assert_eq!(
        (ended.state.as_str(), ended.failure.as_deref()),
        ("failed", Some("this program is not set up to read Artifact"))
    );
}
