//! The organisation against what delivered, and accounts from AWS Organizations itself, against the stand-in.

use std::process::Output;

use auditfolio::collection::{Options, Progress};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::aws::{StandIn, code};
use crate::bucket::{ACCOUNT, Bucket, REGION, Rules, options};
use crate::harness::{database, said};
use crate::portal::{Reader, texts};

const OTHER: &str = "222222222222";
const MANAGEMENT: &str = "333333333333";

/// Collects what a folder has, with the account lists in it.
async fn collect_folder(db: &PgPool, bucket: &Bucket, lists: &[(&str, Value)]) {
    let accounts = lists.iter().map(|(day, accounts)| {
        let path = bucket.root.join(format!("accounts-{day}.json"));
        std::fs::write(&path, json!({"Accounts": accounts}).to_string()).unwrap();
        path
    });
    let accounts = accounts.collect();
    let options = Options { accounts, regions: vec![REGION.to_owned()], ..options(&bucket.root) };
    auditfolio::collection::run(db, &options, &Progress::silent()).await.unwrap();
}

#[actix_web::test]
async fn a_region_that_fell_silent_and_a_recorder_that_dropped_its_items_are_told_apart() {
    let (db, bucket) = (database().await, Bucket::new("org-silent"));
    let rules: Rules<'_> = &[("r", "COMPLIANT")];
    for day in [9, 10, 11, 12] {
        bucket.snapshot_of("444444444444", REGION, day, 5, &[("a", rules)]);
        let with_items = [("a", rules)];
        bucket.snapshot_of(ACCOUNT, REGION, day, 5, if day < 11 { &with_items } else { &[] });
        if day < 10 {
            bucket.snapshot_of(OTHER, REGION, day, 5, &[("a", rules)]);
        }
    }
    let listed = json!([{"Id": ACCOUNT, "State": "ACTIVE"}, {"Id": OTHER, "State": "ACTIVE"}, {"Id": MANAGEMENT, "State": "ACTIVE"}]);
    collect_folder(&db, &bucket, &[("2026-11-01", listed)]).await;
    let reader = Reader::new(&db).await;
    let page = reader.page("/delivery").await;
    let rows = texts(&page, "#stopped tbody tr");
    assert_eq!(
        rows,
        [
            format!("{REGION} ○ no compliance items 1 of 3 11 Nov 2026"),
            format!("{REGION} □ missing 1 of 3 10 Nov 2026"),
        ],
        "the account that never delivered has not stopped, and the one outside the list is not expected"
    );
    assert_eq!(texts(&page, "#never tbody th"), [MANAGEMENT]);
    assert_eq!(texts(&page, "#unexpected tbody th"), ["444444444444"]);
    let missing = reader.page("/delivery?state=missing").await;
    assert_eq!(texts(&missing, "#stopped tbody tr").len(), 1);
    let before = reader.page("/delivery?as_of=2026-11-09").await;
    assert!(texts(&before, "main").join(" ").contains("Nothing fell silent"));
}

#[actix_web::test]
async fn what_lists_said_of_an_account_is_its_history() {
    let (db, bucket) = (database().await, Bucket::new("org-history"));
    bucket.snapshot(9, 5, &[("a", &[("r", "COMPLIANT")])]);
    let list = |name: &str, state: &str| json!([{"Id": ACCOUNT, "Name": name, "State": state}]);
    let lists = [
        ("2026-11-01", list("<b>shop</b>", "ACTIVE")),
        ("2026-11-05", list("<b>shop</b>", "ACTIVE")),
        ("2026-11-08", json!([{"Id": OTHER, "Name": "play", "State": "ACTIVE"}])),
        ("2026-11-09", list("shop", "SUSPENDED")),
    ];
    collect_folder(&db, &bucket, &lists).await;
    let page = Reader::new(&db).await.page(&format!("/accounts/{ACCOUNT}")).await;
    assert_eq!(
        texts(&page, "#history tbody tr"),
        ["9 Nov 2026 SUSPENDED shop", "8 Nov 2026 not on the list", "1 Nov 2026 ACTIVE <b>shop</b>"]
    );
}

fn account(id: &str, name: &str, state: &str, parent: &str, tags: &Value) -> Value {
    json!({"Id": id, "Name": name, "Email": format!("{name}@example.com"), "Status": "ACTIVE", "State": state,
           "JoinedMethod": "CREATED", "JoinedTimestamp": "2024-02-01T10:00:00Z", "parent": parent, "tags": tags})
}

/// Three accounts in a tree of two levels below the root.
fn organization() -> Value {
    json!({"id": "o-abc1234567", "management_account": MANAGEMENT, "root": "r-ab12", "page_size": 2,
           "units": [{"id": "ou-ab12-workload", "name": "Workloads", "parent": "r-ab12"},
                     {"id": "ou-ab12-producti", "name": "Production", "parent": "ou-ab12-workload"},
                     {"id": "ou-ab12-sandbox1", "name": "Sandbox", "parent": "r-ab12"}],
           "accounts": [account(ACCOUNT, "shop", "ACTIVE", "ou-ab12-producti", &json!({"data": "card", "team": "a", "z": ""})),
                        account(OTHER, "play", "PENDING_CLOSURE", "ou-ab12-sandbox1", &json!({})),
                        account(MANAGEMENT, "management", "ACTIVE", "r-ab12", &json!({}))]})
}

fn snapshots(name: &str) -> Bucket {
    let bucket = Bucket::new(name);
    bucket.snapshot(9, 5, &[("a", &[("r", "COMPLIANT")])]);
    bucket
}

fn collect(aws: &StandIn, db: &PgPool, more: &[&str]) -> Output {
    let arguments = [&["--organizations", "--regions", REGION], more].concat();
    aws.collect(db, &arguments).output().unwrap()
}

/// Account, state, names of its units, tags of the latest list.
async fn listed(db: &PgPool) -> Vec<(String, String, Vec<String>, Value)> {
    sqlx::query_as(
        "select account_id, status, unit_names, tags from account_listing
         where account_list_id = (select max(account_list_id) from account_list) order by account_id",
    )
    .fetch_all(db)
    .await
    .unwrap()
}

async fn lists(db: &PgPool) -> i64 {
    sqlx::query_scalar("select count(*) from account_list").fetch_one(db).await.unwrap()
}

#[actix_web::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn accounts_come_with_units_tags_and_states_page_by_page() {
    let (aws, db) = (StandIn::start(), database().await);
    aws.load(&snapshots("org-pages").root);
    aws.describe(&json!({"organization": organization()}));
    aws.fault(&json!({"kind": "empty_page", "operation": "ListAccounts", "after": 1}));
    aws.fault(&json!({"kind": "empty_page", "operation": "ListTagsForResource"}));
    aws.fault(&json!({"kind": "throttle", "operation": "ListOrganizationalUnitsForParent", "times": 1}));
    let output = collect(&aws, &db, &[]);
    assert_eq!(code(&output), 0, "{}", said(&output));
    let names = |names: &[&str]| names.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
    let wanted = vec![
        (
            ACCOUNT.to_owned(),
            "ACTIVE".to_owned(),
            names(&["Root", "Workloads", "Production"]),
            json!({"data": "card", "team": "a", "z": ""}),
        ),
        (OTHER.to_owned(), "PENDING_CLOSURE".to_owned(), names(&["Root", "Sandbox"]), json!({})),
        (MANAGEMENT.to_owned(), "ACTIVE".to_owned(), names(&["Root"]), json!({})),
    ];
    assert_eq!(listed(&db).await, wanted);
    assert_eq!(aws.violations(), Vec::<Value>::new());
    let expected: i64 = sqlx::query_scalar("select count(*) from expected_place where until_collection is null")
        .fetch_one(&db)
        .await
        .unwrap();
    assert_eq!(expected, 3, "each account is expected in the Region");

    let output = collect(&aws, &db, &[]);
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert_eq!(lists(&db).await, 1, "an unchanged organisation is no new list");
    let readings: i64 =
        sqlx::query_scalar("select count(*) from account_reading where failure is null").fetch_one(&db).await.unwrap();
    assert_eq!(readings, 2, "and was confirmed");

    // Listed yesterday, as it were: an account is expected until the day of the list without it.
    sqlx::query("update account_list set listed_on = listed_on - 1").execute(&db).await.unwrap();
    let mut smaller = organization();
    smaller["accounts"].as_array_mut().unwrap().remove(1);
    aws.describe(&json!({"organization": smaller}));
    let output = collect(&aws, &db, &[]);
    assert_eq!(code(&output), 0, "{}", said(&output));
    let left: (Option<time::Date>, time::Date) =
        sqlx::query_as("select left_on, (select max(listed_on) from account_list) from account where account_id = $1")
            .bind(OTHER)
            .fetch_one(&db)
            .await
            .unwrap();
    assert_eq!(left.0, Some(left.1));

    let reader = Reader::new(&db).await;
    let page = reader.page(&format!("/accounts/{ACCOUNT}")).await;
    let facts = texts(&page, "main").join(" ");
    assert!(facts.contains("Root / Workloads / Production"), "{facts}");
    assert!(facts.contains("data=card"), "{facts}");
}

#[actix_web::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn an_organisation_that_cannot_be_read_leaves_the_last_list_standing_and_says_why() {
    let (aws, db) = (StandIn::start(), database().await);
    aws.load(&snapshots("org-denied").root);
    aws.describe(&json!({"organization": organization()}));
    assert_eq!(code(&collect(&aws, &db, &[])), 0);
    let before = listed(&db).await;
    let role = format!("arn:aws:iam::{MANAGEMENT}:role/AuditfolioOrganization");
    aws.describe(&json!({"roles": [{"arn": role}]}));
    let cases = [
        ("deny", "ListAccounts", "access was denied: organizations:ListAccounts on the organisation as"),
        ("deny", "ListTagsForResource", "access was denied: organizations:ListTagsForResource on"),
        ("throttle", "ListRoots", "AWS throttled the calls: organizations:ListRoots"),
        ("expired", "ListAccountsForParent", "the AWS credentials have expired"),
        ("server_error", "ListAccounts", "not reachable: server error"),
    ];
    for (kind, operation, words) in cases {
        aws.fault(&json!({"kind": kind, "operation": operation, "times": null}));
        let output = collect(&aws, &db, &["--aws-organization-role", &role, "--aws-attempts", "1"]);
        assert_eq!(code(&output), 2, "{}", said(&output));
        assert!(said(&output).contains(words), "{words}: {}", said(&output));
        assert!(said(&output).contains(&role), "{}", said(&output));
        assert_eq!((lists(&db).await, listed(&db).await), (1, before.clone()), "{kind} {operation}");
        aws.clear_faults();
    }
    let page = Reader::new(&db).await.page("/delivery").await;
    let notes = texts(&page, ".note").join(" ");
    assert!(
        notes.contains("Reading AWS Organizations failed") && notes.contains("still says what is expected"),
        "{notes}"
    );
    assert_eq!(aws.violations(), Vec::<Value>::new());
}

#[actix_web::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn an_account_outside_any_organisation_has_no_list_and_evidence_is_collected_all_the_same() {
    let (aws, db) = (StandIn::start(), database().await);
    aws.load(&snapshots("org-none").root);
    let output = collect(&aws, &db, &[]);
    assert_eq!(code(&output), 2, "{}", said(&output));
    let words = "the account is in no organisation of AWS Organizations: organizations:ListAccounts";
    assert!(said(&output).contains(words), "{}", said(&output));
    let known: i64 = sqlx::query_scalar("select count(*) from delivery where known").fetch_one(&db).await.unwrap();
    assert_eq!((lists(&db).await, known), (0, 1));
    let page = Reader::new(&db).await.page("/delivery").await;
    assert!(texts(&page, ".note").join(" ").contains("Completeness against the organisation not established"));
}
