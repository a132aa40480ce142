//! Scope sets: made and ended on their page, heeded by pages, packs and exports.

use actix_web::http::StatusCode;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use auditfolio::State;
use auditfolio::clock::Clock;
use auditfolio::compliance::evidence::export::{self, ExportArgs, ExportFormat};
use auditfolio::compliance::memo::Memo;
use auditfolio::jobs::Progress;
use auditfolio::packs::{BuildError, Request, build};
use serde_json::Value;
use sqlx::PgPool;
use time::macros::{date, datetime};

use crate::bucket::{ACCOUNT, Bucket, REGION};
use crate::collection::collect;
use crate::compliance::{Reader, texts};
use crate::harness::database;

const OTHER: &str = "111122223333";
const RULE: &str = "s3-bucket-logging-enabled";

fn state(db: &PgPool) -> State {
    State { db: db.clone(), memo: Memo::default(), clock: Clock::Fixed(datetime!(2026-11-12 09:00 UTC)), demo: true }
}

/// Two accounts on two days; the units and tags as Organizations would have told them on the first.
async fn two_accounts(name: &str) -> PgPool {
    let db = database().await;
    let bucket = Bucket::new(name);
    for day in [1, 2] {
        bucket.snapshot(day, 5, &[("a", &[(RULE, "COMPLIANT")]), ("b", &[(RULE, "NON_COMPLIANT")])]);
        bucket.snapshot_of(OTHER, REGION, day, 5, &[("c", &[(RULE, "NON_COMPLIANT")])]);
    }
    collect(&db, &bucket).await;
    sqlx::raw_sql(
        r#"insert into account_list (organization_id, collection_id, listed_on, source, sha256, origin)
           select organization_id, collection_id, '2026-11-01', 'AWS Organizations', sha256('x'), 'organizations' from collection;
           insert into account_listing (account_list_id, account_id, name, status, unit_ids, unit_names, tags)
           select account_list_id, '012345678901', 'shop', 'ACTIVE', '{r-1,ou-1}'::text[], '{Root,Production}'::text[],
                  '{"data": "card"}'::jsonb from account_list
           union all
           select account_list_id, '111122223333', 'play', 'ACTIVE', '{r-1,ou-2}'::text[], '{Root,Sandbox}'::text[], '{}'::jsonb from account_list"#,
    )
    .execute(&db)
    .await
    .unwrap();
    db
}

/// Sends a form as somebody; the answer's status and body.
async fn post(db: &PgPool, role: &str, address: &str, fields: &[(&str, &str)]) -> (StatusCode, String) {
    let app = init_service(auditfolio::web::app(state(db))).await;
    let sent = |address: &str| {
        let request = TestRequest::post().uri(address).insert_header(("origin", "http://localhost:8080"));
        request.insert_header(("sec-fetch-site", "same-origin"))
    };
    let signed = call_service(&app, sent("/sign-in").set_form([("role", role)]).to_request()).await;
    let cookie = signed.headers().get("set-cookie").unwrap().to_str().unwrap().split(';').next().unwrap().to_owned();
    let request = sent(address).insert_header(("cookie", cookie)).set_form(fields).to_request();
    let response = call_service(&app, request).await;
    let status = response.status();
    (status, String::from_utf8(read_body(response).await.to_vec()).unwrap())
}

fn production<'a>(kind: &'a str, what: &'a str, first_day: &'a str) -> Vec<(&'a str, &'a str)> {
    let value = match kind {
        "unit" => "unit",
        "tag" => "tag",
        _ => "accounts",
    };
    vec![("name", "production"), ("kind", kind), (value, what), ("first_day", first_day), ("reason", "PCI DSS audit")]
}

async fn make(db: &PgPool, fields: &[(&str, &str)]) {
    let (status, body) = post(db, "compliance-manager", "/scopes", fields).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{body}");
}

fn asked(scope: &str, accounts: Option<Vec<String>>) -> Request {
    Request {
        organization: "Example".to_owned(),
        title: "Scoped".to_owned(),
        from: None,
        as_of: date!(2026 - 11 - 02),
        accounts,
        scope: Some(scope.to_owned()),
        known_at: None,
        at: None,
        created_by: "test".to_owned(),
        demo: false,
    }
}

#[actix_web::test]
async fn a_scope_leaves_out_what_is_not_in_it_on_every_page_and_says_how_much() {
    let db = two_accounts("scope-pages").await;
    make(&db, &production("unit", "ou-1", "2026-11-01")).await;
    let reader = Reader::new(&db).await;
    for path in ["/", "/accounts", "/rules", "/evaluations", "/changes", "/delivery", "/rule-definitions"] {
        let page = reader.page(&format!("{path}?scope=production")).await;
        let note = texts(&page, ".scope-note").join(" ");
        assert!(note.contains("1 account. Left out: 1 account with 1 evaluation of the day"), "{path}: {note}");
        let main = texts(&page, "main").join(" ");
        let shown = texts(&page, "select").iter().fold(main, |main, choices| main.replace(choices, ""));
        assert!(!shown.contains(OTHER), "{path}: {shown}");
        let sections = page.select(&scraper::Selector::parse(".sections a").unwrap()).count();
        let kept = page.select(&scraper::Selector::parse(".sections a[href*='scope=production']").unwrap()).count();
        assert_eq!(sections, kept, "{path}: each section keeps the scope");
    }
    assert_eq!(reader.json("/evaluations?scope=production&format=json").await.len(), 2);
    assert_eq!(reader.json("/evaluations?format=json").await.len(), 3, "remembered figures of a scope are its own");
    let figures = texts(&reader.page("/?scope=production").await, ".figures dd");
    assert!(figures.contains(&"50.0 %".to_owned()), "{figures:?}");
    let (status, _) = reader.ask("/?scope=nothing").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[actix_web::test]
async fn the_trend_of_all_accounts_in_a_scope_is_that_of_the_organisation() {
    let db = two_accounts("scope-trend").await;
    make(&db, &production("unit", "r-1", "2026-11-01")).await;
    let reader = Reader::new(&db).await;
    let days = |page: &scraper::Html| texts(page, ".chart tbody tr");
    let (whole, scoped) = (reader.page("/").await, reader.page("/?scope=production").await);
    assert!(!days(&whole).is_empty());
    assert_eq!(days(&whole), days(&scoped));
}

#[actix_web::test]
async fn a_definition_is_replaced_or_ended_and_never_altered() {
    let db = two_accounts("scope-history").await;
    make(&db, &production("tag", "data=card", "2026-11-01")).await;
    let first: i64 =
        sqlx::query_scalar("select scope_definition_id from scope_definition").fetch_one(&db).await.unwrap();
    let replaces = first.to_string();
    let fields = [production("accounts", OTHER, "2026-11-02"), vec![("replaces", replaces.as_str())]].concat();
    make(&db, &fields).await;
    let reader = Reader::new(&db).await;
    let accounts = async |day: &str| {
        let rows = reader.json(&format!("/accounts?scope=production&as_of={day}&format=json")).await;
        rows.iter().map(|row| row["account_id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(accounts("2026-11-01").await, [ACCOUNT]);
    assert_eq!(accounts("2026-11-02").await, [OTHER]);

    let second = first + 1;
    let address = format!("/scopes/{second}/end");
    let (status, body) = post(&db, "administrator", &address, &[("end_day", "2026-11-02"), ("reason", "")]).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(body.contains("Please check the form") && body.contains("Enter a reason"), "{body}");
    let fields = [("end_day", "2026-11-02"), ("reason", "sold")];
    assert_eq!(post(&db, "administrator", &address, &fields).await.0, StatusCode::SEE_OTHER);
    assert_eq!(post(&db, "administrator", &address, &fields).await.0, StatusCode::CONFLICT, "it has ended already");
    assert!(accounts("2026-11-02").await.is_empty());
    assert_eq!(accounts("2026-11-01").await, [ACCOUNT], "earlier days stay");

    let acts: Vec<String> =
        sqlx::query_scalar("select act from audit_log where object = 'scope production' order by audit_log_id")
            .fetch_all(&db)
            .await
            .unwrap();
    assert_eq!(acts, ["make scope definition", "replace scope definition", "end scope definition"]);
    for statement in ["update scope_definition set reason = 'x'", "delete from scope_end"] {
        let error = sqlx::query(statement).execute(&db).await.unwrap_err().to_string();
        assert!(error.contains("never altered"), "{statement}: {error}");
    }
    let page = texts(&reader.page("/scopes").await, "main").join(" ");
    assert!(page.contains("account tag data=card") && page.contains("sold"), "{page}");
}

#[actix_web::test]
async fn a_form_with_problems_keeps_what_was_typed_and_auditors_make_no_scope() {
    let db = two_accounts("scope-form").await;
    let fields =
        [("name", "Production"), ("kind", "accounts"), ("accounts", "12"), ("first_day", "soon"), ("reason", "x")];
    let (status, body) = post(&db, "compliance-manager", "/scopes", &fields).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    for words in ["Please check the form", "small letters", "twelve digits", "YYYY-MM-DD", "value=\"Production\""] {
        assert!(body.contains(words), "{words}");
    }
    let (status, _) = post(&db, "auditor", "/scopes", &production("unit", "ou-1", "2026-11-01")).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let made: i64 = sqlx::query_scalar("select count(*) from scope_definition").fetch_one(&db).await.unwrap();
    assert_eq!(made, 0);
}

#[actix_web::test]
async fn packs_and_exports_of_a_scope_hold_its_accounts_and_name_its_definition() {
    let db = two_accounts("scope-pack").await;
    make(&db, &production("unit", "ou-1", "2026-11-01")).await;
    let id = build(&state(&db), &asked("production", None), None, &Progress::default()).await.unwrap();
    let (accounts, cover): (Vec<String>, Value) =
        sqlx::query_as("select account_ids, cover from pack where pack_id = $1")
            .bind(&id)
            .fetch_one(&db)
            .await
            .unwrap();
    assert_eq!(accounts, [ACCOUNT]);
    let words = cover["scope"].to_string();
    assert!(words.contains("organizational unit Production (ou-1) and below, from 1 Nov 2026"), "{words}");
    assert!(words.contains("PCI DSS audit"), "{words}");

    let args = ExportArgs {
        as_of: Some(date!(2026 - 11 - 02)),
        from: None,
        until: None,
        known_at: None,
        accounts: vec![],
        scope: Some("production".to_owned()),
        format: ExportFormat::Csv,
    };
    let mut out = Vec::new();
    let exported = export::run(&args, "Example", &db, &mut out).await.unwrap();
    assert_eq!(exported.rows, 2);
    assert!(!String::from_utf8(out).unwrap().contains(OTHER));

    let refused = async |request: Request| match build(&state(&db), &request, None, &Progress::default()).await {
        Err(BuildError::Refused(why)) => why,
        other => panic!("{other:?}"),
    };
    assert!(refused(asked("nothing", None)).await.contains("there is no scope"));
    assert!(refused(asked("production", Some(vec![ACCOUNT.to_owned()]))).await.contains("not both"));
    let early = Request { as_of: date!(2026 - 11 - 01), ..asked("sandbox", None) };
    make(
        &db,
        &[("name", "sandbox"), ("kind", "unit"), ("unit", "ou-2"), ("first_day", "2026-11-02"), ("reason", "play")],
    )
    .await;
    assert!(refused(early).await.contains("holds no account on 2026-11-01"));
}
