//! Scope sets on the pages: made and ended on their own, heeded by every other.

use std::collections::BTreeSet;

use actix_web::http::{Method, StatusCode};
use scraper::{Html, Selector};
use serde_json::Value;
use sqlx::PgPool;

use crate::bucket::{ACCOUNT, Bucket, REGION};
use crate::collection::collect;
use crate::harness::database;
use crate::portal::{C, N, OTHER, Reader, links, texts};
use crate::site::{Answer, ask, sign_in, site};

const RULE: &str = "s3-bucket-logging-enabled";
const ELSEWHERE: &str = "s3-bucket-versioning-enabled";
/// A third account, which falls silent on the last day.
const SILENT: &str = "222233334444";

/// Three accounts on three days; the units and tags as Organizations would have told them on the first and on the third.
pub(crate) async fn three_accounts(name: &str) -> PgPool {
    let db = database().await;
    let bucket = Bucket::new(name);
    for day in [1, 2, 3] {
        let b = if day == 3 { C } else { N };
        bucket.snapshot(day, 5, &[("a", &[(RULE, C)]), ("b", &[(RULE, b)])]);
        bucket.snapshot_of(OTHER, REGION, day, 5, &[("c", &[(RULE, N), (ELSEWHERE, C)])]);
        if day < 3 {
            bucket.snapshot_of(SILENT, REGION, day, 5, &[("d", &[(RULE, N)])]);
        }
    }
    collect(&db, &bucket).await;
    list(&db, "2026-11-01", [(ACCOUNT, "ou-prod", "card"), (OTHER, "ou-sand", "none"), (SILENT, "ou-prod", "none")])
        .await;
    db
}

/// An account list as AWS Organizations tells it: accounts, each with its unit below the root and its tag `data`.
pub(crate) async fn list<const COUNT: usize>(db: &PgPool, day: &str, accounts: [(&str, &str, &str); COUNT]) {
    let list_id: i64 = sqlx::query_scalar(
        "insert into account_list (organization_id, collection_id, listed_on, source, sha256, origin)
         select organization_id, collection_id, $1::text::date, 'AWS Organizations', sha256($1::text::bytea), 'organizations'
         from collection where collection_id = 1 returning account_list_id",
    )
    .bind(day)
    .fetch_one(db)
    .await
    .unwrap();
    for (account, unit, data) in accounts {
        sqlx::query(
            "insert into account_listing (account_list_id, account_id, name, status, unit_ids, unit_names, tags)
             values ($1, $2, 'name', 'ACTIVE', array['r-1', $3], array['Root', upper($3)], jsonb_build_object('data', $4::text))",
        )
        .bind(list_id)
        .bind(account)
        .bind(unit)
        .bind(data)
        .execute(db)
        .await
        .unwrap();
    }
}

fn encoded(fields: &[(&str, &str)]) -> String {
    let mut query = auditfolio::web::Address::new("");
    for (key, value) in fields {
        query = query.with(key, value);
    }
    query.to_string().trim_start_matches('?').to_owned()
}

/// Sends a form as somebody.
pub(crate) async fn post(db: &PgPool, role: &str, address: &str, fields: &[(&str, &str)]) -> Answer {
    let app = site(db).await;
    let cookie = sign_in(&app, role).await;
    ask(&app, Method::POST, address, Some(&cookie), Some(&encoded(fields))).await
}

/// The fields of a definition, with what it chooses by.
fn fields<'a>(name: &'a str, by: &[(&'a str, &'a str)], first_day: &'a str) -> Vec<(&'a str, &'a str)> {
    let mut fields =
        vec![("name", name), ("title", "Production"), ("first_day", first_day), ("reason", "PCI DSS audit")];
    fields.extend(by);
    fields
}

pub(crate) async fn make<'a>(db: &PgPool, name: &'a str, by: &[(&'a str, &'a str)], first_day: &'a str) {
    let answer = post(db, "compliance-manager", "/scopes", &fields(name, by, first_day)).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    assert!(answer.header("location").starts_with(&format!("/scopes/{name}?as_of=")), "{}", answer.header("location"));
}

pub(crate) const PRODUCTION: [(&str, &str); 2] = [("kind", "unit"), ("unit", "ou-prod")];
const CARD: [(&str, &str); 3] = [("kind", "tag"), ("tag_key", "data"), ("tag_value", "card")];

fn numbers(text: &str) -> Vec<i64> {
    let digits = text.replace(',', "");
    digits
        .split(|c: char| !c.is_ascii_digit())
        .filter(|part| !part.is_empty())
        .map(|part| part.parse().unwrap())
        .collect()
}

/// Accounts and evaluations that the bar says are left out.
fn left_out(page: &Html) -> (i64, i64) {
    let words = texts(page, ".bar__set a[href*='#out']").concat();
    let numbers = numbers(&words);
    (numbers[0], numbers[1])
}

/// The accounts that the page of accounts has, by id.
async fn accounts(reader: &Reader, query: &str) -> Vec<String> {
    let rows = reader.json(&format!("/accounts?{query}&format=json")).await;
    let ids: BTreeSet<String> = rows.iter().map(|row| row["account_id"].as_str().unwrap().to_owned()).collect();
    ids.into_iter().collect()
}

#[actix_web::test]
async fn a_scope_leaves_out_on_every_page_what_is_not_in_it_and_says_how_much() {
    let db = three_accounts("scope-pages").await;
    make(&db, "production", &PRODUCTION, "2026-11-01").await;
    let reader = Reader::new(&db).await;
    for path in ["/", "/accounts", "/rules", &format!("/rules/{RULE}"), "/evaluations", "/changes", "/delivery"] {
        let page = reader.page(&format!("{path}?scope=production")).await;
        assert_eq!(left_out(&page), (1, 2), "{path}");
        let note = texts(&page, "main > .note").join(" ");
        assert!(
            note.contains("2 accounts belong to it on 3 Nov 2026 (UTC), by the account list of 1 Nov 2026"),
            "{note}"
        );
        assert!(note.contains("Earlier days on this page") && note.contains("Left out: 1 account with 2"), "{note}");
        let main = texts(&page, "main").join(" ");
        assert!(!main.contains(OTHER), "{path}: {main}");
        let hrefs = links(&page, ".sections a");
        assert!(hrefs.iter().all(|href| href.contains("scope=production") && href.contains("as_of=")), "{hrefs:?}");
        for format in ["csv", "json"] {
            let (status, rows) = reader.ask(&format!("{path}?scope=production&format={format}")).await;
            assert_eq!(status, StatusCode::OK, "{path}");
            assert!(!rows.contains(OTHER), "{path} as {format}: {rows}");
        }
    }
    let rules = reader.json("/rules?scope=production&format=json").await;
    assert_eq!(rules.len(), 1, "the rule of the account that is left out is no rule of the scope: {rules:?}");
    for path in ["/collections", "/packs", "/notices", "/jobs"] {
        let page = reader.page(&format!("{path}?scope=production")).await;
        assert!(texts(&page, "main > .note").join(" ").contains("whole organisation, whatever the scope"), "{path}");
        assert_eq!(left_out(&page), (1, 2), "{path}");
    }
}

#[actix_web::test]
async fn in_scope_and_left_out_add_up_to_the_whole_and_every_count_of_the_scope_agrees() {
    let db = three_accounts("scope-sums").await;
    make(&db, "production", &PRODUCTION, "2026-11-01").await;
    make(&db, "card", &CARD, "2026-11-01").await;
    let reader = Reader::new(&db).await;
    for scope in ["production", "card"] {
        for day in ["2026-11-01", "2026-11-02", "2026-11-03"] {
            let query = format!("scope={scope}&as_of={day}");
            let all = reader.json(&format!("/evaluations?as_of={day}&format=json")).await.len();
            let rows = reader.json(&format!("/evaluations?{query}&format=json")).await;
            let page = reader.page(&format!("/evaluations?{query}")).await;
            let out = left_out(&page);
            assert_eq!(i64::try_from(all - rows.len()).unwrap(), out.1, "{query}");
            assert_eq!(numbers(&texts(&page, ".lead")[0])[0], i64::try_from(rows.len()).unwrap(), "{query}");
            assert_eq!(texts(&page, "#evaluations tbody tr").len(), rows.len());

            // The scope's own page has the same.
            let sum = |rows: &[Value]| rows.iter().map(|row| row["evaluations"].as_i64().unwrap()).sum::<i64>();
            let inside = reader.json(&format!("/scopes/{scope}?rows=in&as_of={day}&format=json")).await;
            let outside = reader.json(&format!("/scopes/{scope}?rows=out&as_of={day}&format=json")).await;
            assert_eq!((sum(&inside), sum(&outside)), (i64::try_from(rows.len()).unwrap(), out.1), "{query}");
            assert_eq!((inside.len() + outside.len(), outside.len()), (3, usize::try_from(out.0).unwrap()));

            // So have overview, accounts and rules.
            let days = reader.json(&format!("/?{query}&format=json")).await;
            let of = |row: &Value, names: &[&str]| names.iter().map(|name| row[*name].as_i64().unwrap()).sum::<i64>();
            let figures = [
                "complying",
                "not_complying",
                "insufficient_data",
                "unrecognised",
                "not_applicable",
                "unknown_without_evidence",
            ];
            assert_eq!(of(days.last().unwrap(), &figures), i64::try_from(rows.len()).unwrap(), "{query}: {days:?}");
            for table in ["accounts", "rules"] {
                let lines = reader.json(&format!("/{table}?{query}&format=json")).await;
                let sum: i64 = lines.iter().map(|row| of(row, &figures)).sum();
                assert_eq!(sum, i64::try_from(rows.len()).unwrap(), "{table} {query}: {lines:?}");
            }
        }
    }
    let silent = texts(&reader.page("/?scope=production").await, ".lead").concat();
    assert!(silent.starts_with("1 of 2 account-regions delivered for 3 Nov 2026 (UTC); 1 silent."), "{silent}");
}

#[actix_web::test]
async fn a_scope_that_holds_every_account_has_the_trend_of_the_organisation() {
    let db = three_accounts("scope-trend").await;
    make(&db, "all", &[("kind", "unit"), ("unit", "r-1")], "2026-11-01").await;
    let reader = Reader::new(&db).await;
    let (whole, scoped) = (reader.json("/?format=json").await, reader.json("/?scope=all&format=json").await);
    assert_eq!((whole.len(), &whole), (3, &scoped));
    assert_eq!(left_out(&reader.page("/?scope=all").await), (0, 0));
}

/// What the pages say in a scope, as rows and in words.
async fn everything(reader: &Reader, scope: &str) -> Vec<Vec<Value>> {
    let rule = format!("/rules/{RULE}?");
    let mut all = Vec::new();
    for path in ["/?", "/accounts?", "/rules?", "/evaluations?", "/changes?from=2026-11-01&", "/delivery?", &rule] {
        all.push(reader.json(&format!("{path}{scope}format=json")).await);
        let page = reader.page(&format!("{path}{scope}")).await;
        all.push(texts(&page, ".lead, .figures dd, table").into_iter().map(Value::from).collect());
    }
    all
}

#[actix_web::test]
async fn what_is_remembered_of_one_scope_is_not_told_of_another_nor_after_a_new_definition() {
    let db = three_accounts("scope-memo").await;
    make(&db, "production", &PRODUCTION, "2026-11-01").await;
    make(&db, "card", &CARD, "2026-11-01").await;
    let reader = Reader::new(&db).await;
    let fresh = async |scope: &str| everything(&Reader::new(&db).await, scope).await;
    let scopes = ["", "scope=production&", "scope=card&"];
    for scope in scopes.into_iter().chain(scopes) {
        assert_eq!(everything(&reader, scope).await, fresh(scope).await, "{scope:?}");
    }
    let before = accounts(&reader, "scope=card").await;
    make(&db, "card", &[("kind", "accounts"), ("accounts", OTHER)], "2026-11-01").await;
    assert_eq!((before, accounts(&reader, "scope=card").await.len()), (vec![ACCOUNT.to_owned()], 2));
    assert_eq!(everything(&reader, "scope=card&").await, fresh("scope=card&").await);
}

#[actix_web::test]
async fn definitions_add_up_are_dated_and_ended_and_never_altered() {
    let db = three_accounts("scope-history").await;
    make(&db, "production", &CARD, "2026-11-01").await;
    make(&db, "production", &[("kind", "accounts"), ("accounts", OTHER)], "2026-11-02").await;
    let reader = Reader::new(&db).await;
    let on = async |day: &str| accounts(&reader, &format!("scope=production&as_of={day}")).await;
    assert_eq!(on("2026-11-01").await, [ACCOUNT]);
    assert_eq!(on("2026-11-02").await, [ACCOUNT, OTHER]);

    let address = "/scopes/production/1/end";
    let answer = post(&db, "administrator", address, &[("end_day", "2026-11-03"), ("reason", "")]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.text.contains("Please check the form") && answer.text.contains("Enter a reason"), "{}", answer.text);
    let fields = [("end_day", "2026-11-03"), ("reason", "sold")];
    assert_eq!(post(&db, "administrator", address, &fields).await.status, StatusCode::SEE_OTHER);
    assert_eq!(post(&db, "administrator", address, &fields).await.status, StatusCode::CONFLICT, "it has ended already");
    assert_eq!(post(&db, "administrator", "/scopes/other/1/end", &fields).await.status, StatusCode::NOT_FOUND);
    assert_eq!(on("2026-11-03").await, [OTHER]);
    assert_eq!(on("2026-11-02").await, [ACCOUNT, OTHER], "earlier days stay");

    let acts: Vec<String> =
        sqlx::query_scalar("select act from audit_log where object = 'scope production' order by audit_log_id")
            .fetch_all(&db)
            .await
            .unwrap();
    assert_eq!(acts, ["make scope definition", "make scope definition", "end scope definition"]);
    for statement in [
        "update scope_definition set reason = 'x'",
        "delete from scope_definition",
        "delete from scope_end",
        "truncate scope_end",
    ] {
        let error = sqlx::query(statement).execute(&db).await.unwrap_err().to_string();
        assert!(error.contains("never altered"), "{statement}: {error}");
    }
    let page = reader.page("/scopes/production").await;
    let rows = texts(&page, "#definitions tbody tr");
    assert!(rows[0].contains(OTHER) && rows[0].contains("from 2 Nov 2026"), "{rows:?}");
    assert!(rows[1].contains("account tag data=card") && rows[1].contains("1 Nov 2026 to 2 Nov 2026"), "{rows:?}");
    assert!(rows[1].contains("PCI DSS audit") && rows[1].contains("demo administrator: sold"), "{rows:?}");
    let records = reader.json("/scopes/production?rows=definitions&format=json").await;
    assert_eq!(records.len(), 2);
    assert_eq!((&records[1]["end_number"], &records[1]["end_reason"]), (&Value::from(3), &Value::from("sold")));
    assert_eq!(records[0]["no_longer_from"], Value::Null, "the newest first");
}

#[actix_web::test]
async fn who_belongs_is_told_by_the_list_that_speaks_for_the_day() {
    let db = three_accounts("scope-lists").await;
    // On the third day the sandbox's account has moved to production.
    list(&db, "2026-11-03", [(ACCOUNT, "ou-prod", "card"), (OTHER, "ou-prod", "none")]).await;
    make(&db, "production", &PRODUCTION, "2026-11-01").await;
    let reader = Reader::new(&db).await;
    let on = async |day: &str| accounts(&reader, &format!("scope=production&as_of={day}")).await;
    assert_eq!(on("2026-11-02").await, [ACCOUNT, SILENT]);
    assert_eq!(on("2026-11-03").await, [ACCOUNT, OTHER], "the account that is not listed any more does not belong");
    let out = reader.json("/scopes/production?rows=out&format=json").await;
    assert_eq!(out[0]["why"], "chosen by no definition: not on the account list of 3 Nov 2026");
    let changes = reader.json("/changes?scope=production&from=2026-11-02&format=json").await;
    assert_eq!(changes.len(), 1, "an account that came into the scope is no change: {changes:?}");
}

#[actix_web::test]
async fn a_scope_that_no_list_decides_shows_no_figure_and_says_why() {
    let db = three_accounts("scope-undecided").await;
    make(&db, "production", &PRODUCTION, "2026-11-01").await;
    make(&db, "production", &[("kind", "accounts"), ("accounts", OTHER)], "2026-11-01").await;
    for statement in ["delete from account_listing", "delete from account_list"] {
        sqlx::query(statement).execute(&db).await.unwrap();
    }
    let reader = Reader::new(&db).await;
    for path in ["/", "/accounts", "/rules", "/evaluations?format=csv", "/changes", "/delivery"] {
        let join = if path.contains('?') { '&' } else { '?' };
        let (status, text) = reader.ask(&format!("{path}{join}scope=production")).await;
        assert_eq!(status, StatusCode::CONFLICT, "{path}");
        let page = Html::parse_document(&text);
        assert_eq!(texts(&page, "h1"), ["The scope is undecided"], "{path}");
        assert!(
            text.contains("Definition 1 chooses by organizational unit ou-prod") && !text.contains(ACCOUNT),
            "{text}"
        );
        assert!(!text.contains("COMPLIANT"), "{path}");
    }
    let page = reader.page("/scopes/production?scope=production").await;
    assert!(texts(&page, ".lead")[0].starts_with("Who belongs on 3 Nov 2026 (UTC) is undecided."));
    assert_eq!(texts(&page, ".bar__set")[0], "Scope production , undecided whole organisation");
    assert!(texts(&page, "#in tbody tr")[0].contains(OTHER), "what a list names is decided");
    assert!(texts(&page, "#out tbody tr").iter().all(|row| row.ends_with("undecided")));
    let rows = reader.json("/scopes?format=json").await;
    assert_eq!((&rows[0]["accounts"], rows[0]["undecided"].as_str().unwrap().is_empty()), (&Value::Null, false));
}

#[actix_web::test]
async fn a_name_that_was_never_defined_and_an_account_that_is_left_out_are_not_found() {
    let db = three_accounts("scope-strange").await;
    make(&db, "production", &PRODUCTION, "2026-11-01").await;
    let reader = Reader::new(&db).await;
    for name in ["nothing", "Production", "new", "%3Cb%3E", "a%00b"] {
        for path in ["/", "/evaluations?format=csv", "/packs", "/scopes"] {
            let join = if path.contains('?') { '&' } else { '?' };
            let (status, text) = reader.ask(&format!("{path}{join}scope={name}")).await;
            assert_eq!(status, StatusCode::NOT_FOUND, "{path} {name}");
            assert_eq!(texts(&Html::parse_document(&text), "h1"), ["No such scope"], "{path} {name}");
        }
    }
    let resource = format!("/resources?account={OTHER}&region={REGION}&type=AWS::S3::Bucket&id=c");
    let result = format!("/results?account={OTHER}&region={REGION}&rule={RULE}&");
    for path in [format!("/accounts/{OTHER}?"), format!("{resource}&"), result] {
        let (status, text) = reader.ask(&format!("{path}as_of=2026-11-02&scope=production")).await;
        let page = Html::parse_document(&text);
        assert_eq!((status, texts(&page, "h1")), (StatusCode::NOT_FOUND, vec!["Not in this scope".to_owned()]));
        let whole = links(&page, "main a");
        let (status, _) = reader.ask(&whole[0]).await;
        assert_eq!(status, StatusCode::OK, "{whole:?}");
    }
    let page = reader.page(&format!("/accounts/{ACCOUNT}?scope=production")).await;
    assert_eq!(left_out(&page), (1, 2));
}

#[actix_web::test]
async fn every_link_of_a_page_keeps_the_scope() {
    let db = three_accounts("scope-links").await;
    make(&db, "production", &PRODUCTION, "2026-11-01").await;
    let reader = Reader::new(&db).await;
    let mut seen = BTreeSet::new();
    for path in [
        "/?",
        "/accounts?",
        &format!("/accounts/{ACCOUNT}?"),
        "/rules?",
        &format!("/rules/{RULE}?"),
        &format!("/rules/{RULE}/names?"),
        "/evaluations?",
        "/changes?from=2026-11-01&",
        "/delivery?",
        "/rule-definitions?",
        "/collections?",
        "/packs?",
        "/scopes?",
        "/scopes/production?",
    ] {
        let page = reader.page(&format!("{path}as_of=2026-11-02&scope=production")).await;
        for link in page.select(&Selector::parse("a[href^='/']").unwrap()) {
            let href = link.attr("href").unwrap();
            let leaves = ["whole organisation", OTHER].contains(&link.text().collect::<String>().trim());
            assert_eq!(href.contains("scope=production"), !leaves, "{path}: {href}");
            seen.insert(href.split('?').next().unwrap().to_owned());
        }
        for form in page.select(&Selector::parse("form[method=get]").unwrap()) {
            let kept = form.select(&Selector::parse("input[type=hidden][name=scope]").unwrap()).count();
            assert_eq!(kept, 1, "{path}: {}", form.html());
        }
    }
    assert!(seen.len() > 14, "{seen:?}");
}

#[actix_web::test]
async fn a_form_with_problems_keeps_what_was_typed_and_auditors_make_no_scope() {
    let db = three_accounts("scope-form").await;
    let typed =
        [("name", "Production"), ("kind", "accounts"), ("accounts", "12"), ("first_day", "soon"), ("reason", "<b>")];
    let answer = post(&db, "compliance-manager", "/scopes", &typed).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    for words in ["Please check the form", "small letters", "Enter a title", "twelve digits", "YYYY-MM-DD"] {
        assert!(answer.text.contains(words), "{words}");
    }
    assert!(answer.text.contains("value=\"Production\"") && !answer.text.contains("<b>"), "{}", answer.text);
    let fields = fields("production", &PRODUCTION, "2026-11-01");
    assert_eq!(post(&db, "viewer", "/scopes", &fields).await.status, StatusCode::FORBIDDEN);
    let made: i64 = sqlx::query_scalar("select count(*) from scope_definition").fetch_one(&db).await.unwrap();
    assert_eq!(made, 0);
    let empty = Reader::new(&db).await.page("/scopes").await;
    assert_eq!(texts(&empty, ".empty__what"), ["No scopes"]);
    assert!(texts(&empty, ".empty").concat().contains("Compliance managers define it"));
}

#[actix_web::test]
async fn lists_of_thousands_and_units_by_the_thousand_are_taken_and_shown_in_pages() {
    let db = three_accounts("scope-large").await;
    let ids: Vec<String> = (0..5_000).map(|n| format!("{n:012}")).chain([ACCOUNT.to_owned()]).collect();
    make(&db, "many", &[("kind", "accounts"), ("accounts", &ids.join("\r\n"))], "2026-11-01").await;
    sqlx::query(
        "insert into account_listing (account_list_id, account_id, name, status, unit_ids, unit_names, tags)
         select 1, (500000000000 + n)::text, 'name', 'ACTIVE', array['r-1', 'ou-' || n], array['Root', 'A unit with a name ' || n], '{}'
         from generate_series(1, 1000) n",
    )
    .execute(&db)
    .await
    .unwrap();
    let reader = Reader::new(&db).await;
    let page = reader.page("/?scope=many").await;
    let note = texts(&page, "main > .note").join(" ");
    assert!(note.contains("5,001 accounts belong") && note.contains("5,000 of them neither delivered"), "{note}");
    assert_eq!(accounts(&reader, "scope=many").await, [ACCOUNT]);
    let page = reader.page("/scopes/many").await;
    assert!(
        texts(&page, ".table-foot__rows")[1].starts_with("Rows 1 to 50 of 5,001"),
        "{:?}",
        texts(&page, ".table-foot__rows")
    );
    assert_eq!(reader.json("/scopes/many?rows=in&format=json").await.len(), 5_001);

    let app = site(&db).await;
    let cookie = sign_in(&app, "administrator").await;
    let form = ask(&app, Method::GET, "/scopes/new", Some(&cookie), None).await;
    assert!(form.text.len() < 100_000, "{} bytes", form.text.len());
    assert!(form.texts("#unit-hint")[0].contains("1,003 units have accounts"), "{:?}", form.texts("#unit-hint"));
    let several =
        post(&db, "administrator", "/scopes", &fields("x", &[("kind", "unit"), ("unit", "name 77")], "2026-11-01"))
            .await;
    assert_eq!(several.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        several.texts("#unit-problem")[0].starts_with("11 organizational units fit “name 77”"),
        "{:?}",
        several.texts("#unit-problem")
    );
    assert_eq!(several.texts("#units option").len(), 11, "those that fit are offered");
    make(&db, "x", &[("kind", "unit"), ("unit", "name 777")], "2026-11-01").await;
}
