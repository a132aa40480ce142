//! What AWS must allow, and the self-test that says what is missing, against the stand-in.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Output;
use std::sync::Arc;

use actix_web::http::StatusCode;
use auditfolio::collection::CollectArgs;
use auditfolio::schedule::Collecting;
use auditfolio::{Duties, State};
use serde_json::{Value, json};

use crate::aws::{BUCKET, StandIn, code};
use crate::bucket::ACCOUNT;
use crate::harness::{Served, address_of, database, program, said};
use crate::output::LONGEST;
use crate::s3::two_accounts;
use crate::site::{NOW, get, sign_in, site, site_of, state_at};

const ARCHIVE: &str = "arn:aws:iam::999999999999:role/Archive";
const LISTER: &str = "arn:aws:iam::999999999999:role/Lister";
const AGGREGATOR: &str = "arn:aws:iam::999999999999:role/Aggregator";
const RESULTS: &str = "s3://acme-config/athena-results/";

/// Settings that use everything.
const EVERYTHING: [&str; 24] = [
    "--aws-role",
    ARCHIVE,
    "--organizations",
    "--aws-organization-role",
    LISTER,
    "--rule-definitions",
    "--aws-member-role",
    "AuditfolioMember",
    "--aws-external-id",
    "secretsmanager:external#id",
    "--engine",
    "athena",
    "--athena-database",
    "default",
    "--athena-workgroup",
    "audit",
    "--athena-output",
    RESULTS,
    "--aws-region",
    "eu-central-1",
    "--aggregator",
    "organization",
    "--aggregator-role",
    AGGREGATOR,
];

/// A stand-in with an organisation that is set up as [`EVERYTHING`] says.
fn organisation(name: &str) -> StandIn {
    let aws = StandIn::start();
    aws.load(&two_accounts(name).root);
    aws.describe(&json!({
        "config": {"bucket": BUCKET, "aggregators": [
            {"name": "organization", "account": "999999999999", "region": "eu-central-1"},
        ]},
        "roles": [
            {"arn": ARCHIVE, "external_id": "open-sesame"},
            {"arn": LISTER, "external_id": "open-sesame"},
            {"arn": AGGREGATOR, "external_id": "open-sesame"},
            {"arn": "arn:aws:iam::*:role/AuditfolioMember", "external_id": "open-sesame"},
        ],
        "organization": {"id": "o-a1b2c3d4e5", "management_account": "333333333333", "accounts": [
            {"Id": ACCOUNT, "Name": "One", "Email": "one@example.com", "Status": "ACTIVE", "JoinedMethod": "CREATED",
             "JoinedTimestamp": "2024-01-02T03:04:05Z"},
        ]},
        "athena": {"workgroups": {"audit": {"output": RESULTS, "enforced": true}}, "states": ["QUEUED"]},
    }));
    aws.secret("external", r#"{"id": "open-sesame"}"#);
    let from = format!("s3://{BUCKET}");
    let made =
        ["aws", "ddl", "--from", &from, "--create", "--athena-database", "default", "--athena-workgroup", "audit"];
    let output = aws.program(&made).output().unwrap();
    assert_eq!(code(&output), 0, "{}", said(&output));
    aws.clear_log();
    aws
}

fn check(aws: &StandIn, arguments: &[&str]) -> Output {
    let from = format!("s3://{BUCKET}");
    let from = if arguments.contains(&"--from") { vec![] } else { vec!["--from", &from] };
    aws.program(&[&["aws", "check", "--aws-s3-path-style"], &from[..], arguments].concat()).output().unwrap()
}

/// The lines of a self-test that begin with a word.
fn lines(output: &Output, outcome: &str) -> Vec<String> {
    said(output).lines().filter(|line| line.starts_with(outcome)).map(str::to_owned).collect()
}

/// The actions that the printed policies allow.
fn allowed() -> BTreeSet<String> {
    let from = format!("s3://{BUCKET}");
    let holders = ["portal", "archive", "organization", "member", "aggregator"];
    let policies = holders.map(|holder| {
        let output =
            program(&[&["aws", "policy", holder, "--from", &from], &EVERYTHING[..]].concat()).output().unwrap();
        assert_eq!(code(&output), 0, "{}", said(&output));
        let policy: Value = serde_json::from_slice(&output.stdout).unwrap();
        policy["Statement"].as_array().unwrap().iter().flat_map(|it| it["Action"].as_array().unwrap().clone()).collect()
    });
    policies.into_iter().flat_map(|actions: Vec<Value>| actions).map(|it| it.as_str().unwrap().to_owned()).collect()
}

/// The actions that were asked for, as IAM names them.
fn asked(aws: &StandIn) -> BTreeSet<String> {
    aws.log()
        .iter()
        .map(|call| match (call["service"].as_str().unwrap(), call["operation"].as_str().unwrap()) {
            ("s3", "ListObjectsV2") => "s3:ListBucket".to_owned(),
            ("s3", "HeadObject") => "s3:GetObject".to_owned(),
            (service, operation) => format!("{service}:{operation}"),
        })
        .filter(|action| action != "sts:GetCallerIdentity")
        .collect()
}

#[tokio::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn a_self_test_finds_that_all_works_and_asks_for_nothing_that_the_policies_do_not_allow() {
    let aws = organisation("connect-fine");
    let output = check(&aws, &EVERYTHING);
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert!(said(&output).contains("All 28 that these settings need work."), "{}", said(&output));
    assert!(!said(&output).contains("open-sesame"), "{}", said(&output));
    let (allowed, tried) = (allowed(), asked(&aws));
    assert!(tried.is_subset(&allowed), "{:?}", tried.difference(&allowed));
    // Athena does these itself.
    let by_athena = ["glue:GetDatabase", "glue:GetTable", "s3:GetBucketLocation", "s3:PutObject"];
    let untried: Vec<&str> = allowed.difference(&tried).map(String::as_str).collect();
    assert_eq!(untried, by_athena);
    assert_eq!(aws.violations(), Vec::<Value>::new());

    // What a collection asks for is what was tested.
    aws.clear_log();
    let db = database().await;
    let output = aws.collect(&db, &EVERYTHING).output().unwrap();
    assert!(matches!(code(&output), 0 | 2), "{}", said(&output));
    let used = asked(&aws);
    assert!(used.is_subset(&allowed), "{:?}", used.difference(&allowed));
    let unused: Vec<&str> = tried.difference(&used).map(String::as_str).collect();
    // For workgroups that keep results; for a collection that is stopped; for AWS's notes, which people ask for; for an
    // account that was moved meanwhile.
    let on_occasion = [
        "athena:GetQueryResults",
        "athena:StopQueryExecution",
        "config:GetAggregateComplianceDetailsByConfigRule",
        "organizations:ListParents",
    ];
    assert_eq!(unused, on_occasion);
}

#[tokio::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn every_action_that_is_denied_is_named() {
    let aws = organisation("connect-denied");
    let table = "arn:aws:glue:eu-central-1:999999999999:table/default/config_snapshots";
    let by_athena = |action: &str| {
        let message =
            format!("FAILED: User: arn:aws:sts::1:x is not authorized to perform: {action} on resource: {table}");
        json!({"kind": "query_failed", "operation": "StartQueryExecution", "message": message, "times": null})
    };
    let denied = |operation: &str| json!({"kind": "deny", "operation": operation, "times": null});
    let of_role = |role: &str| json!({"kind": "deny", "operation": "AssumeRole", "contains": role, "times": null});
    let of_key = |key: &str| {
        json!({"kind": "error", "operation": "GetObject", "key_prefix": "o-abc/AWSLogs/", "times": null,
        "code": "AccessDenied", "status": 403,
        "message": format!("User: arn:aws:sts::1:x is not authorized to perform: kms:Decrypt on resource: {key} because no \
                            identity-based policy allows the kms:Decrypt action")})
    };
    let key = "arn:aws:kms:eu-central-1:999999999999:key/0a1b";
    for (fault, action, resource) in [
        (denied("GetSecretValue"), "secretsmanager:GetSecretValue", "external"),
        (of_role("Archive"), "sts:AssumeRole", ARCHIVE),
        (of_role("Lister"), "sts:AssumeRole", LISTER),
        (of_role("AuditfolioMember"), "sts:AssumeRole", "arn:aws:iam::012345678901:role/AuditfolioMember"),
        (denied("ListObjectsV2"), "s3:ListBucket", "arn:aws:s3:::acme-config"),
        (denied("GetObject"), "s3:GetObject", "arn:aws:s3:::acme-config/"),
        (of_key(key), "kms:Decrypt", key),
        (denied("StartQueryExecution"), "athena:StartQueryExecution", "workgroup/audit"),
        (denied("GetQueryExecution"), "athena:GetQueryExecution", "workgroup/"),
        (denied("GetQueryResults"), "athena:GetQueryResults", "workgroup/"),
        (denied("StopQueryExecution"), "athena:StopQueryExecution", "workgroup/"),
        (by_athena("glue:GetTable"), "glue:GetTable", table),
        (by_athena("s3:PutObject"), "s3:PutObject", table),
        (denied("ListAccounts"), "organizations:ListAccounts", "*"),
        (denied("ListRoots"), "organizations:ListRoots", "*"),
        (denied("ListOrganizationalUnitsForParent"), "organizations:ListOrganizationalUnitsForParent", "*"),
        (denied("ListAccountsForParent"), "organizations:ListAccountsForParent", "*"),
        (denied("ListParents"), "organizations:ListParents", "*"),
        (denied("ListTagsForResource"), "organizations:ListTagsForResource", "*"),
        (denied("DescribeConfigRules"), "config:DescribeConfigRules", "*"),
    ] {
        aws.fault(&fault);
        let output = check(&aws, &EVERYTHING);
        aws.clear_faults();
        assert_eq!(code(&output), 1, "{action}: {}", said(&output));
        let missing = lines(&output, "missing");
        assert!(
            missing.iter().any(|line| line.contains(&format!("Missing: {action} on ")) && line.contains(resource)),
            "{action} on {resource}: {}",
            said(&output)
        );
        let others: Vec<&String> =
            missing.iter().filter(|line| !line.contains(&format!("Missing: {action} on "))).collect();
        assert_eq!(others, Vec::<&String>::new(), "{action}");
    }
    assert_eq!(code(&check(&aws, &EVERYTHING)), 0, "nothing lingers");
}

#[tokio::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn without_an_aggregator_notes_come_through_the_member_role() {
    let aws = organisation("connect-notes");
    let (alone, _aggregator) = EVERYTHING.split_at(20);
    let output = check(&aws, alone);
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert!(said(&output).contains("All 24 that these settings need work."), "{}", said(&output));
    assert_eq!(aws.calls("GetComplianceDetailsByConfigRule").len(), 1);
    // Nor does anything else have to be allowed for it.
    aws.clear_log();
    let notes_alone: Vec<&str> = alone.iter().copied().filter(|argument| *argument != "--rule-definitions").collect();
    let output = check(&aws, &notes_alone);
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert_eq!(aws.calls("DescribeConfigRules").len(), 0);
    assert_eq!(aws.calls("GetComplianceDetailsByConfigRule").len(), 1);
    assert_eq!(aws.violations(), Vec::<Value>::new());
}

#[tokio::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn what_is_not_there_is_told_from_what_is_not_allowed() {
    let aws = organisation("connect-wrong");
    let output = check(&aws, &["--from", "s3://no-such-bucket"]);
    assert_eq!(code(&output), 1, "{}", said(&output));
    assert!(lines(&output, "failed").concat().contains("NoSuchBucket"), "{}", said(&output));
    assert!(lines(&output, "not tried").concat().contains("the bucket could not be listed"), "{}", said(&output));
    assert_eq!(lines(&output, "missing"), Vec::<String>::new());

    let output = check(&aws, &["--from", &format!("s3://{BUCKET}/elsewhere")]);
    assert_eq!(code(&output), 1, "{}", said(&output));
    assert!(said(&output).contains("no object of AWS Config was found below s3://acme-config/elsewhere/"));

    let output = check(&aws, &["--aws-external-id", "secretsmanager:nowhere", "--aws-role", ARCHIVE]);
    assert_eq!(code(&output), 1, "{}", said(&output));
    assert!(lines(&output, "failed").concat().contains("secret nowhere"), "{}", said(&output));
    assert_eq!(lines(&output, "missing"), Vec::<String>::new(), "a role is not tried without its external id");
}

#[tokio::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn without_credentials_nothing_else_is_tried() {
    let aws = organisation("connect-nobody");
    let from = format!("s3://{BUCKET}");
    let mut command = aws.program(&[&["aws", "check", "--from", &from], &EVERYTHING[..]].concat());
    let output = command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY").output().unwrap();
    assert_eq!(code(&output), 1, "{}", said(&output));
    let failed = lines(&output, "failed");
    assert_eq!(failed.len(), 1, "{}", said(&output));
    assert!(failed[0].contains("sts:GetCallerIdentity") && failed[0].contains("AWS_PROFILE"), "{}", failed[0]);
    assert_eq!(lines(&output, "not tried").len(), 27, "{}", said(&output));
    assert_eq!(aws.log(), Vec::<Value>::new());
}

/// An answer to a request with a cookie.
pub(crate) fn browse(address: &str, request: &str, cookie: &str, form: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "{request} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nSec-Fetch-Site: same-origin\r\nCookie: {cookie}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    )
    .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    // Of a document the words are not asked for.
    String::from_utf8_lossy(&answer).into_owned()
}

pub(crate) fn header<'a>(answer: &'a str, name: &str) -> &'a str {
    let line = answer.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    line.unwrap_or_else(|| panic!("no {name} in {answer}"))
}

#[tokio::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn the_page_shows_what_a_job_has_tried() {
    let (aws, db) = (organisation("connect-page"), database().await);
    aws.fault(&json!({"kind": "deny", "operation": "GetObject", "times": null}));
    let from = format!("s3://{BUCKET}");
    let mut command = aws.program(&["serve", "--bind", "127.0.0.1:0", "--demo-sign-in", "--collect-from", &from]);
    command.args(["--database-url", &address_of(&db), "--aws-s3-path-style", "--aws-region", "eu-central-1"]);
    let served = Served::run(command);
    let ask = |request: &str, cookie: &str, form: &str| browse(&served.address, request, cookie, form);
    let signed = ask("POST /sign-in", "", "role=compliance-manager");
    let cookie = header(&signed, "set-cookie").split(';').next().unwrap();

    assert!(ask("GET /connect", cookie, "").contains("Nothing has been tried yet."));
    let asked = ask("POST /connect/check", cookie, "");
    let job = header(&asked, "location").to_owned();
    let begun = std::time::Instant::now();
    loop {
        let page = ask(&format!("GET {job}"), cookie, "");
        assert!(!page.contains("Failed.") && begun.elapsed() < LONGEST, "{page}");
        if page.contains("Open the results") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let page = ask("GET /connect", cookie, "");
    assert!(page.contains("2 of 3 that these settings need work; 1 is missing."), "{page}");
    assert!(page.contains("Missing: s3:GetObject on arn:aws:s3:::acme-config/"), "{page}");
    let log: Vec<String> = sqlx::query_scalar("select object from audit_log where act = 'ask for test of permissions'")
        .fetch_all(&db)
        .await
        .unwrap();
    assert_eq!(log, ["job 1"]);
}

/// A program that would collect a bucket.
fn connected(db: &sqlx::PgPool) -> State {
    let mut source = CollectArgs::of("s3://acme/o-abc".parse().unwrap());
    source.rule_definitions = true;
    source.aws.member_role = Some("AuditfolioMember".parse().unwrap());
    source.aws.external_id = Some("geheim".parse().unwrap());
    let collecting = Collecting { organization: "Example".to_owned(), source, every: None };
    let setup = collecting.setup().with_secrets(&[("--smtp-url", Some(&"secretsmanager:mail".parse().unwrap()))]);
    let duties = Duties { collecting: Some(collecting), setup: Some(setup), ..Duties::default() };
    State { duties: Arc::new(duties), ..state_at(db, NOW) }
}

#[actix_web::test]
async fn the_page_hands_out_policies_and_templates_of_the_settings_and_no_secret() {
    let db = database().await;
    let site = site_of(connected(&db)).await;
    let cookie = sign_in(&site, "administrator").await;
    let page = get(&site, &cookie, "/connect").await;
    let titles = [
        "How do we know?",
        "The portal’s own credentials: template",
        "The portal’s own credentials: policy",
        "The member role: template",
        "The member role: policy",
        "Athena’s table of snapshots: statement (DDL)",
    ];
    assert_eq!(page.texts("details > summary"), titles);
    assert!(!page.text.contains("geheim"));
    let settings: Vec<String> = page
        .texts(".facts dt")
        .into_iter()
        .zip(page.texts(".facts dd"))
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    assert!(settings.contains(&"Evidence: s3://acme/o-abc/".to_owned()), "{settings:?}");
    assert!(settings.contains(&"External id: set".to_owned()), "{settings:?}");
    assert!(settings.contains(&"Secret: mail, for --smtp-url".to_owned()), "{settings:?}");

    let file = get(&site, &cookie, "/connect/template-member.json").await;
    assert_eq!((file.status, file.header("content-type")), (StatusCode::OK, "application/json"));
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"auditfolio-template-member.json\"");
    let template: Value = serde_json::from_str(&file.text).unwrap();
    assert_eq!(template["Resources"]["Role"]["Properties"]["RoleName"], "AuditfolioMember");
    let policy: Value = serde_json::from_str(&get(&site, &cookie, "/connect/policy-portal.json").await.text).unwrap();
    assert_eq!(policy["Statement"].as_array().unwrap().len(), 4);
    assert_eq!(get(&site, &cookie, "/connect/policy-archive.json").await.status, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn the_page_hands_out_the_table_that_the_command_prints() {
    let db = database().await;
    let site = site_of(connected(&db)).await;
    let cookie = sign_in(&site, "administrator").await;
    let file = get(&site, &cookie, "/connect/athena-table.sql").await;
    assert_eq!((file.status, file.header("content-type")), (StatusCode::OK, "application/sql"));
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"auditfolio-athena-table.sql\"");
    let printed = program(&["aws", "ddl", "--from", "s3://acme/o-abc"]).output().unwrap();
    assert_eq!(file.text, String::from_utf8(printed.stdout).unwrap());
    assert!(file.text.contains("location 's3://acme/o-abc/AWSLogs/'"), "{}", file.text);
    let page = get(&site, &cookie, "/connect").await;
    assert!(page.texts("main pre").iter().any(|text| text.contains("create external table")));
    assert!(page.text.contains("href=\"/connect/athena-table.sql\""));
}

#[actix_web::test]
async fn a_portal_that_collects_a_folder_has_no_table_and_says_which_setting_would_make_one() {
    let db = database().await;
    let source = CollectArgs::of("/evidence".parse().unwrap());
    let collecting = Collecting { organization: "Example".to_owned(), source, every: None };
    let setup = Some(collecting.setup());
    let duties = Duties { collecting: Some(collecting), setup, ..Duties::default() };
    let site = site_of(State { duties: Arc::new(duties), ..state_at(&db, NOW) }).await;
    let cookie = sign_in(&site, "administrator").await;
    let page = get(&site, &cookie, "/connect").await;
    let why = "--collect-from names a folder: set it to s3://BUCKET/PREFIX";
    assert!(page.texts(".note p").iter().any(|text| text.contains(why)), "{:?}", page.texts(".note p"));
    assert!(!page.text.contains("href=\"/connect/athena-table.sql\""));
    assert_eq!(get(&site, &cookie, "/connect/athena-table.sql").await.status, StatusCode::CONFLICT);
}

#[actix_web::test]
async fn a_portal_that_collects_nothing_says_how_to_begin() {
    let db = database().await;
    let site = site(&db).await;
    let cookie = sign_in(&site, "compliance-manager").await;
    assert_eq!(get(&site, &cookie, "/connect").await.texts(".empty__what"), ["Not set up to collect"]);
    assert_eq!(get(&site, &cookie, "/connect/policy-portal.json").await.status, StatusCode::NOT_FOUND);
    let collections = get(&site, &cookie, "/collections").await;
    assert!(collections.text.contains("href=\"/connect"), "{}", collections.text);
    let auditor = sign_in(&site, "viewer").await;
    assert!(!get(&site, &auditor, "/collections").await.text.contains("/connect"));
}

#[test]
fn settings_that_make_no_document_say_why() {
    for (arguments, why) in [
        (&["policy", "member", "--from", "s3://acme"][..], "there is nothing to allow for “member”"),
        (&["cloudformation", "archive", "--from", "s3://acme"], "no --aws-role is set"),
        (&["policy", "--from", "s3://acme", "--aws-kms-keys", "alias/x"], "it is not a key's ARN"),
    ] {
        let output = program(&[&["aws"], arguments].concat()).output().unwrap();
        assert_eq!(code(&output), 1, "{}", said(&output));
        assert!(said(&output).contains(why), "{}", said(&output));
    }
}
