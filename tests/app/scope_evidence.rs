//! Scope sets in packs and exports: their accounts, their definitions, what they leave out, and what was known when.

use auditfolio::compliance::evidence::export::{self, ExportArgs, ExportFormat};
use auditfolio::jobs::Progress;
use auditfolio::packs::{BuildError, Request, build, db};
use serde_json::Value;
use sqlx::PgPool;
use time::macros::date;

use crate::bucket::ACCOUNT;
use crate::pack_evidence::text_of;
use crate::packs::{pack, request, state};
use crate::portal::{OTHER, Reader};
use crate::scopes::{PRODUCTION, make, post, three_accounts};

fn scoped(name: &str) -> Request {
    Request {
        organization: "Example".to_owned(),
        from: None,
        as_of: date!(2026 - 11 - 02),
        scope: Some(name.to_owned()),
        ..request()
    }
}

async fn refused(db: &PgPool, request: &Request) -> String {
    match build(&state(db), request, None, &Progress::default()).await {
        Err(BuildError::Refused(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[actix_web::test]
async fn a_pack_of_a_scope_says_who_is_in_who_is_out_and_why() {
    let db = three_accounts("scope-pack").await;
    make(&db, "production", &PRODUCTION, "2026-11-01").await;
    let id = pack(&db, &scoped("production")).await;
    let stored = db::find(&db, &id).await.unwrap().unwrap();
    assert_eq!(stored.account_ids.as_deref().map(<[_]>::len), Some(2));
    let rows = Reader::new(&db).await.json("/evaluations?scope=production&as_of=2026-11-02&format=json").await;
    assert_eq!(usize::try_from(stored.evaluations).unwrap(), rows.len(), "as many as the page has");
    let said = stored.cover["scope"]["sentence"].as_str().unwrap();
    assert_eq!(
        said,
        "production, Production: 2 accounts on 2026-11-02, by the account list of 2026-11-01. Left out: 1 account with 2 evaluations of the day"
    );
    // Lines of the PDF end where they are full.
    let packed = |text: &str| text.split_whitespace().collect::<String>();
    let text = packed(&text_of(&db, &id).await);
    for words in [
        "Scope production, Production: 2 accounts on 2026-11-02",
        "organizational unit Root / OU-PROD (ou-prod) and below",
        "PCI DSS audit",
        "demo compliance-manager",
        "definition 1",
        "For 2026-11-02 they delivered 2 evaluations.",
        "in Root / OU-SAND",
    ] {
        assert!(text.contains(&packed(words)), "{words}: {text}");
    }
    let page = Reader::new(&db).await.page(&format!("/packs/{id}?scope=production")).await;
    let facts = crate::portal::texts(&page, "dl.facts").join(" ");
    assert!(facts.contains("organizational unit Root / OU-PROD (ou-prod) and below (PCI DSS audit)"), "{facts}");
}

#[actix_web::test]
async fn the_same_knowledge_of_definitions_gives_the_same_pack_and_later_ones_another() {
    let db = three_accounts("scope-known").await;
    make(&db, "production", &PRODUCTION, "2026-11-01").await;
    let first = pack(&db, &scoped("production")).await;
    make(&db, "sandbox", &[("kind", "accounts"), ("accounts", OTHER)], "2026-11-01").await;
    assert_eq!(pack(&db, &scoped("production")).await, first, "another scope is no news of this one");
    let end = [("end_day", "2026-11-02"), ("reason", "sold")];
    make(&db, "production", &[("kind", "accounts"), ("accounts", OTHER)], "2026-11-02").await;
    post(&db, "administrator", "/scopes/production/1/end", &end).await;
    let now = pack(&db, &scoped("production")).await;
    assert_ne!(now, first);
    let stored = db::find(&db, &now).await.unwrap().unwrap();
    assert_eq!(stored.account_ids.as_deref(), Some(&[OTHER.to_owned()][..]));
    assert_eq!(stored.cover["scope"]["record"], Value::from(4), "definitions and ends share one count");
    let then = Request { scopes_at: Some(1), known_at: Some(1), ..scoped("production") };
    assert_eq!(pack(&db, &then).await, first, "every byte is that of before, or it would have been refused");
}

#[actix_web::test]
async fn a_scope_without_an_answer_is_no_pack_and_no_export() {
    let db = three_accounts("scope-refused").await;
    make(&db, "production", &PRODUCTION, "2026-11-02").await;
    let early = Request { as_of: date!(2026 - 11 - 01), ..scoped("production") };
    assert_eq!(refused(&db, &early).await, "scope production holds no account on 2026-11-01");
    assert!(refused(&db, &scoped("nothing")).await.contains("there is no scope “nothing”"));
    let both = Request { accounts: Some(vec![ACCOUNT.to_owned()]), ..scoped("production") };
    assert!(refused(&db, &both).await.contains("not both"));
    let form = [("title", "t"), ("as_of_day", "2026-11-01"), ("scope", "production")];
    let answer = post(&db, "administrator", "/packs", &form).await;
    assert!(answer.texts("#scope-problem")[0].contains("holds no account on 2026-11-01"), "{}", answer.text);
    for statement in ["delete from account_listing", "delete from account_list"] {
        sqlx::query(statement).execute(&db).await.unwrap();
    }
    let why = refused(&db, &scoped("production")).await;
    assert!(why.starts_with("scope production is undecided on 2026-11-02: Definition 1 chooses by"), "{why}");
}

#[actix_web::test]
async fn a_scope_may_name_an_account_that_is_not_known_yet_and_the_pack_says_so() {
    let db = three_accounts("scope-unknown").await;
    let ids = format!("{ACCOUNT} 999999999999");
    make(&db, "listed", &[("kind", "accounts"), ("accounts", &ids)], "2026-11-01").await;
    let id = pack(&db, &scoped("listed")).await;
    let stored = db::find(&db, &id).await.unwrap().unwrap();
    let notices = stored.cover["notices"].to_string();
    assert!(notices.contains("on no account list and never delivered: 999999999999"), "{notices}");
    assert_eq!(stored.evaluations, 2);
}

#[actix_web::test]
async fn an_export_of_a_scope_holds_its_rows_alone() {
    let db = three_accounts("scope-export").await;
    make(&db, "production", &PRODUCTION, "2026-11-01").await;
    let args = |scope: &str| ExportArgs {
        as_of: Some(date!(2026 - 11 - 02)),
        from: None,
        until: None,
        known_at: None,
        accounts: vec![],
        scope: Some(scope.to_owned()),
        format: ExportFormat::Csv,
    };
    let mut out = Vec::new();
    let exported = export::run(&args("production"), "Example", &db, &mut out).await.unwrap();
    let rows = Reader::new(&db).await.json("/evaluations?scope=production&as_of=2026-11-02&format=json").await;
    assert_eq!(usize::try_from(exported.rows).unwrap(), rows.len());
    assert!(!String::from_utf8(out).unwrap().contains(OTHER));
    let error = export::run(&args("nothing"), "Example", &db, Vec::new()).await.unwrap_err().to_string();
    assert!(error.contains("there is no scope “nothing”"), "{error}");
}
