//! What is recorded of whom: a list of every route that changes or hands out something, every command and every job.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use actix_web::http::{Method, StatusCode};
use actix_web::test::TestRequest;
use auditfolio::audit_log::acts::ACTS;
use auditfolio::jobs::Kind;
use auditfolio::people::{Role, User, viewed};
use auditfolio::settings::Settings;
use auditfolio::web::endpoints;
use clap::CommandFactory as _;
use serde_json::{Value, json};

use crate::harness::{Served, address_of, database, kill};
use crate::site::{NOW, ask, collected, get, sign_in, site, state_at};

/// What each route records that changes something.
const CHANGES: &[(&str, &[&str])] = &[
    ("/sign-in", &["sign in"]),
    ("/sign-out", &["sign out"]),
    ("/sign-in/link", &["sign in by admin link", "sign-in refused"]),
    ("/sign-in/test", &["test provider"]),
    ("/sign-in/{name}/back-channel", &["end session", "sign-out refused"]),
    ("/account/sessions/{session_id}/end", &["end session"]),
    ("/account/tokens", &["make token"]),
    ("/account/tokens/{token_id}/end", &["end token"]),
    ("/people/tokens/{token_id}/end", &["end token"]),
    ("/people/{person_id}/disable", &["disable person"]),
    ("/people/{person_id}/enable", &["enable person"]),
    ("/people/{person_id}/end-sessions", &["end sessions"]),
    ("/scopes", &["make scope definition"]),
    ("/scopes/{name}/{scope_definition_id}/end", &["end scope definition"]),
    ("/collections", &["ask for collection"]),
    ("/connect/check", &["ask for test of permissions"]),
    ("/jobs/{job_id}/cancel", &["cancel job"]),
    ("/jobs/{job_id}/retry", &["retry job"]),
    ("/notices/{notice_id}/acknowledge", &["acknowledge notice"]),
    ("/packs", &["ask for pack"]),
    ("/packs/{pack_id}/propose", &["propose pack"]),
    ("/packs/{pack_id}/return", &["return pack"]),
    ("/packs/{pack_id}/approve", &["approve pack"]),
    ("/packs/{pack_id}/supersede", &["supersede pack"]),
    ("/packs/{pack_id}/withdraw", &["withdraw pack"]),
    ("/artifact/reports/{report_id}/kind", &["say kind of report"]),
    ("/artifact/sync", &["ask for sync from Artifact"]),
    ("/artifact/agreements/recorded", &["record agreement"]),
    ("/artifact/agreements/recorded/{id}/withdraw", &["withdraw agreement"]),
    ("/artifact/reports/{report_id}/versions/{version}/terms", &["ask for terms of report"]),
    ("/artifact/reports/{report_id}/versions/{version}/review", &["record review of report"]),
    ("/artifact/terms/{terms_id}", &["accept terms of report"]),
    ("/artifact/files/{file_id}/release", &["release report to auditors"]),
    ("/artifact/files/{file_id}/withdraw", &["withdraw report from auditors"]),
    ("/results/notes", &["ask for notes"]),
    ("/engagements", &["make engagement"]),
    ("/engagements/{engagement_id}/terms", &["change engagement"]),
    ("/engagements/{engagement_id}/close", &["close engagement"]),
    ("/engagements/{engagement_id}/packs", &["put pack into room"]),
    ("/engagements/{engagement_id}/packs/{number}/end", &["take pack out of room"]),
    ("/engagements/{engagement_id}/auditors", &["invite auditor"]),
    ("/engagements/{engagement_id}/auditors/{auditor_id}/end", &["end invitation"]),
    ("/rooms/{engagement_id}", &["enter room"]),
    ("/room/samples", &["ask for sample"]),
    ("/room/publish", &["publish samples and views"]),
    ("/room/requests", &["ask for evidence"]),
    (
        "/room/requests/{number}/{act}",
        &["accept answer", "return answer", "withdraw request", "change due day of request"],
    ),
    ("/engagements/{engagement_id}/requests", &["ask for evidence"]),
    ("/engagements/{engagement_id}/requests/{number}/answers", &["answer request"]),
    ("/engagements/{engagement_id}/requests/{number}/files/{answer_id}/end", &["withdraw file"]),
    ("/engagements/{engagement_id}/requests/{number}/{act}", &["decline request", "change due day of request"]),
];

/// What each route records that hands out a file. Every page's rows as CSV, JSON or JSON lines are `download rows`.
const FILES: &[(&str, &[&str])] = &[
    ("/packs/{pack_id}/pack.pdf", &["download pack"]),
    ("/packs/{pack_id}/pack.zip", &["download pack"]),
    ("/packs/{pack_id}/pack.sig", &["download pack"]),
    ("/artifact/agreements/recorded/{id}/{name}", &["download agreement"]),
    ("/artifact/terms/{terms_id}/{name}", &["open terms of report"]),
    ("/artifact/files/{file_id}/{name}", &["download AWS report"]),
    ("/room/samples/{sample_id}/population.jsonl", &["download rows"]),
    ("/room/requests/{number}/files/{answer_id}/{name}", &["download answer"]),
    ("/room/requests/{number}/views/{answer_id}/rows.jsonl", &["download rows"]),
    ("/engagements/{engagement_id}/requests/{number}/files/{answer_id}/{name}", &["download answer"]),
    ("/engagements/{engagement_id}/requests/{number}/views/{answer_id}/rows.jsonl", &["download rows"]),
    // What everybody may have: the program's own files, templates that hold no evidence, the public key.
    ("/static/{name}", &[]),
    ("/favicon.ico", &[]),
    ("/connect/{name}", &[]),
    ("/installation-key.pem", &[]),
];

const COLLECTION: &[&str] =
    &["start collection", "finish collection", "fail collection", "interrupt collection", "decide notices"];

/// What each command records.
const COMMANDS: &[(&str, &[&str])] = &[
    ("demo", COLLECTION),
    ("sample", &[]),
    ("admin link", &["make admin link"]),
    (
        "serve",
        &["start server", "stop server", "schedule collection", "schedule removal", "schedule sync from Artifact"],
    ),
    ("collect", COLLECTION),
    (
        "artifact import",
        &["import from Artifact", "import acceptance of terms", "import review of report", "import release of report"],
    ),
    ("artifact sync", &["sync from Artifact"]),
    // Of these AWS keeps the record: CloudTrail.
    ("aws ddl", &[]),
    ("aws policy", &[]),
    ("aws cloudformation", &[]),
    ("aws check", &[]),
    // The table of migrations is its record.
    ("migrate", &[]),
    ("backup", &["backup"]),
    ("restore", &["restore"]),
    ("retain", &["begin removal", "finish removal"]),
    ("export", &["export"]),
    ("pack", &["ask for pack", "make signing key", "make pseudonym key", "make pack"]),
    // These only read, also where nothing can be written.
    ("verify", &[]),
    ("audit verify", &[]),
    ("audit checkpoint", &[]),
    ("audit export", &["export audit log"]),
    ("bench-pack", &[]),
];

/// What the worker records of every job.
const EVERY_JOB: &[&str] = &["start job", "finish job", "fail job", "end cancelled job"];

/// And what each kind of job records of its own.
fn of_job(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Pack => &["make signing key", "make pseudonym key", "make pack"],
        Kind::Collect => COLLECTION,
        Kind::Document => &["fetch terms of report", "fetch report"],
        Kind::Artifact => &["sync from Artifact"],
        Kind::Retain => &["begin removal", "finish removal"],
        Kind::Sample => &["draw sample"],
        Kind::Freeze => &["freeze view"],
        Kind::Digest | Kind::Check | Kind::Notes => &[],
    }
}

/// What is recorded wherever it happens.
const ANYWHERE: &[&str] = &["download rows", "refuse", "test refused", "token refused", "view"];

#[test]
fn every_route_command_and_job_is_listed_with_what_it_records() {
    let changes: BTreeSet<&str> =
        endpoints().iter().filter(|one| one.method == Method::POST).map(|one| one.path).collect();
    assert_eq!(changes, CHANGES.iter().map(|(path, _)| *path).collect(), "say here what a route records");
    let is_file = |path: &str| {
        path.contains('.')
            || path.ends_with("/{name}")
                && !["/scopes/{name}", "/conformance-packs/{name}", "/sign-in/test/{name}"].contains(&path)
    };
    let files: BTreeSet<&str> =
        endpoints().iter().filter(|one| one.method == Method::GET && is_file(one.path)).map(|one| one.path).collect();
    assert_eq!(files, FILES.iter().map(|(path, _)| *path).collect(), "say here what a file's route records");
    let mut commands = BTreeSet::new();
    for command in Settings::command().get_subcommands() {
        let mut inner =
            command.get_subcommands().map(|inner| format!("{} {}", command.get_name(), inner.get_name())).peekable();
        if inner.peek().is_none() {
            commands.insert(command.get_name().to_owned());
        }
        commands.extend(inner);
    }
    assert_eq!(
        commands,
        COMMANDS.iter().map(|(name, _)| (*name).to_owned()).collect(),
        "say here what a command records"
    );

    let of_jobs = Kind::ALL.into_iter().flat_map(of_job);
    let listed = CHANGES.iter().chain(FILES).chain(COMMANDS).flat_map(|(_, acts)| *acts);
    let listed: BTreeSet<&str> = listed.chain(of_jobs).chain(EVERY_JOB).chain(ANYWHERE).copied().collect();
    assert_eq!(listed, ACTS.iter().map(|(act, _)| *act).collect(), "an act is listed here and in audit_log::acts");
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") && !path.ends_with("audit_log/acts.rs") {
            found.push(path);
        }
    }
}

#[test]
fn the_list_of_acts_is_that_of_the_sources() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let texts: Vec<String> = files.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    for (act, _) in ACTS {
        assert!(texts.iter().any(|text| text.contains(&format!("\"{act}\""))), "nothing records {act:?} any more");
    }
    for (text, path) in texts.iter().zip(&files) {
        for call in ["acted(", "by_operator(", "by_system(", "by_demo(", "put_on_record("] {
            for (at, _) in text.match_indices(call).filter(|(at, _)| !text[..*at].ends_with("fn ")) {
                let after = &text[at + call.len()..];
                let literal = after.split('"').nth(1).unwrap_or_default();
                // A name of a thing, or none, after an act that is told elsewhere.
                if literal.is_empty()
                    || literal.contains('{')
                    || after.split(';').next().is_some_and(|call| !call.contains('"'))
                {
                    continue;
                }
                let known = ACTS.iter().any(|(act, _)| *act == literal);
                assert!(known, "{}: {call}… {literal:?} is not in audit_log::acts", path.display());
            }
        }
    }
}

#[actix_web::test]
async fn what_somebody_who_is_signed_in_is_refused_is_on_record() {
    let db = collected().await;
    let app = site(&db).await;
    assert_eq!(ask(&app, Method::POST, "/packs", None, Some("title=x")).await.status, StatusCode::UNAUTHORIZED);
    let viewer = sign_in(&app, "viewer").await;
    let refused = ask(&app, Method::POST, "/packs?a=%3Cb%3E%0d%0a", Some(&viewer), Some("title=x")).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let auditor = sign_in(&app, "auditor").await;
    assert_eq!(get(&app, &auditor, "/jobs").await.status, StatusCode::FORBIDDEN);
    assert_eq!(get(&app, &viewer, "/jobs/999").await.status, StatusCode::NOT_FOUND);
    let rows: Vec<(String, String, Value, String)> = sqlx::query_as(
        "select actor, object, detail -> 'role', request_id from audit_log where act = 'refuse' order by audit_log_id",
    )
    .fetch_all(&db)
    .await
    .unwrap();
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert_eq!((rows[0].0.as_str(), &rows[0].2), ("demo viewer", &json!("viewer")));
    assert!(rows[0].1.starts_with("POST /packs?a=") && !rows[0].1.contains('\n'), "{rows:?}");
    assert_eq!(rows[0].3, refused.header("x-request-id"));
    assert_eq!((rows[1].0.as_str(), rows[1].1.as_str()), ("demo auditor", "GET /jobs"));
}

#[actix_web::test]
async fn a_view_is_recorded_with_its_page_and_what_it_was_within() {
    let db = database().await;
    let request = TestRequest::with_uri("/rules?severity=high&as_of=2026-11-02").to_http_request();
    let user = User {
        identity: "demo auditor".to_owned(),
        role: Role::Auditor,
        demo: true,
        kind: auditfolio::people::Kind::Demo,
        person_id: None,
        engagement_id: Some(7),
        token_id: None,
    };
    viewed(&state_at(&db, NOW), &user, &request).await.unwrap();
    let row: (String, String, String, Value) =
        sqlx::query_as("select actor, act, object, detail from audit_log").fetch_one(&db).await.unwrap();
    let page = "/rules?severity=high&as_of=2026-11-02".to_owned();
    assert_eq!(row, ("demo auditor".to_owned(), "view".to_owned(), page, json!({ "engagement": 7 })));
}

#[actix_web::test]
async fn a_server_records_its_settings_what_is_different_and_its_end() {
    let db = database().await;
    let address = address_of(&db);
    for arguments in [
        &["--grace-hours", "7"][..],
        &["--smtp-url", "smtp://me:geheim@127.0.0.1:1", "--mail-from", "a@example.org", "--mail-to", "b@example.org"],
    ] {
        let mut served = Served::start(&[&["--database-url", &address], arguments].concat());
        kill("-TERM", &served.pid());
        assert!(served.child.wait().unwrap().success());
    }
    let rows: Vec<(String, Value)> =
        sqlx::query_as("select act, detail from audit_log order by audit_log_id").fetch_all(&db).await.unwrap();
    let acts: Vec<&str> = rows.iter().map(|(act, _)| act.as_str()).collect();
    assert_eq!(acts, ["start server", "stop server", "start server", "stop server"]);
    let (first, second) = (&rows[0].1, &rows[2].1);
    assert_eq!((&first["settings"]["grace-hours"], &first["before"]), (&json!("7"), &Value::Null));
    assert_eq!(second["settings"]["smtp-url"], "set");
    assert_eq!((&second["before"]["grace-hours"], &second["after"]["grace-hours"]), (&json!("7"), &json!("6")));
    assert_eq!((&second["before"]["smtp-url"], &second["after"]["smtp-url"]), (&Value::Null, &json!("set")));
    assert!(!format!("{rows:?}").contains("geheim"));
}
