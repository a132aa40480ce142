//! The audit log's page: filters, paging, the same rows as files, and what is shown of names from outside.

use actix_web::http::StatusCode;
use auditfolio::audit_log::{self, Entry};
use scraper::Html;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor as _, PgPool};

use crate::audit_chain::{HOSTILE, python, tamper, ten_lines};
use crate::harness::{database, said, scratch};
use crate::portal::{Reader, links, texts, walk};
use crate::rooms::{engaged, inside};
use crate::site::{get, sign_in, site};

/// 230 entries of three people on three days, oldest first.
async fn filled() -> PgPool {
    let db = database().await;
    db.execute(
        "insert into audit_log (at, actor, actor_kind, act, object, detail, remote)
         select timestamptz '2026-11-01 10:00:00.000001Z' + n % 3 * interval '1 day' + n / 9 * interval '1 second',
             'person ' || n % 3, 'demo', (array['sign in', 'download pack', 'ask for pack', 'collect'])[n % 4 + 1],
             'pack ' || n % 5, jsonb_build_object('number', n), '127.0.0.1'
         from generate_series(1, 230) n",
    )
    .await
    .unwrap();
    db
}

fn ids(html: &Html) -> Vec<String> {
    links(html, "#audit-log tbody th a").iter().map(|href| href.split(['/', '?']).nth(2).unwrap().to_owned()).collect()
}

async fn ids_of(db: &PgPool, condition: &str) -> Vec<String> {
    let statement =
        format!("select audit_log_id::text from audit_log l where {condition} order by at desc, l.audit_log_id desc");
    sqlx::query_scalar(AssertSqlSafe(statement)).fetch_all(db).await.unwrap()
}

#[actix_web::test]
async fn the_log_is_paged_newest_first_and_narrowed_by_each_filter() {
    let db = filled().await;
    let reader = Reader::as_role(&db, "compliance-manager").await;
    let (all, pages) = walk(&reader, "/audit-log", "audit-log", ids).await;
    assert_eq!(pages, 3);
    assert_eq!(all, ids_of(&db, "true").await, "the sign-in too");
    let (mut oldest, _) = walk(&reader, "/audit-log?sort=at", "audit-log", ids).await;
    oldest.reverse();
    assert_eq!(oldest, all);
    for (filter, condition) in [
        ("actor=person+1", "actor = 'person 1'"),
        ("act=download+pack", "act = 'download pack'"),
        ("act=collect", "act = 'collect'"),
        ("object=pack+3", "object = 'pack 3'"),
        ("kind=download", "act in ('download pack', 'download rows')"),
        ("kind=job", "act = 'ask for pack'"),
        ("kind=other", "act = 'collect'"),
        ("from=2026-11-02", "at >= '2026-11-02Z'"),
        ("to=2026-11-02", "at < '2026-11-03Z'"),
        ("from=2026-11-02&to=2026-11-02", "at >= '2026-11-02Z' and at < '2026-11-03Z'"),
        (
            "actor=person+1&kind=download&object=pack+3&from=2026-11-01&to=2026-11-03",
            "actor = 'person 1' and act = 'download pack' and object = 'pack 3'",
        ),
        ("actor=nobody", "false"),
    ] {
        let expected = ids_of(&db, condition).await;
        let address = format!("/audit-log?{filter}");
        let (found, _) = walk(&reader, &address, "audit-log", ids).await;
        assert_eq!(found, expected, "{filter}");
        let page = reader.page(&address).await;
        let total = match expected.len() {
            0 => "No entries here".to_owned(),
            1 => "1 row".to_owned(),
            few @ 2..=100 => format!("All {few} rows"),
            many => format!("of {many}"),
        };
        let said = texts(&page, ".table-foot, .empty").concat();
        assert!(said.contains(&total), "{filter}: {said}");
        // Last, because it is on record itself.
        let rows = reader.json(&format!("{address}&format=json")).await;
        let rows: Vec<String> = rows.iter().map(|row| row["audit_log_id"].to_string()).collect();
        assert_eq!(rows, expected, "{filter}");
    }
    for wrong in ["kind=sunny", "from=yesterday", "severity=high", "after=%5B%22x%22%5D"] {
        assert_eq!(reader.ask(&format!("/audit-log?{wrong}")).await.0, StatusCode::BAD_REQUEST, "{wrong}");
    }
}

#[actix_web::test]
async fn a_download_is_the_chain_and_is_on_record_itself() {
    let db = filled().await;
    let app = site(&db).await;
    let cookie = sign_in(&app, "administrator").await;
    let lines = get(&app, &cookie, "/audit-log?format=jsonl").await;
    assert_eq!(lines.header("content-disposition"), "attachment; filename=\"audit-log.jsonl\"");
    let folder = scratch("audit-page");
    let log = folder.join("log.jsonl");
    std::fs::write(&log, &lines.text).unwrap();
    let checked = python(&ten_lines(&folder), &log);
    assert!(checked.status.success(), "{}", said(&checked));
    assert!(said(&checked).starts_with("231 "), "{}", said(&checked));
    let csv = get(&app, &cookie, "/audit-log?format=csv&actor=person+1").await.text;
    let rows: Vec<csv::StringRecord> = csv::Reader::from_reader(csv.as_bytes()).records().map(Result::unwrap).collect();
    let of_person = ids_of(&db, "actor = 'person 1'").await;
    assert_eq!(rows.iter().map(|row| row[4].to_owned()).collect::<Vec<_>>(), of_person);
    let recorded: Vec<(String, String, Value)> = sqlx::query_as(
        "select actor, object, detail -> 'address' from audit_log where act = 'download rows' order by audit_log_id",
    )
    .fetch_all(&db)
    .await
    .unwrap();
    let of = |ending: &str, query: &str| {
        let address = json!(format!("/audit-log?{query}"));
        ("demo administrator".to_owned(), format!("audit-log.{ending}"), address)
    };
    assert_eq!(recorded.len(), 2);
    assert_eq!(recorded[0], of("jsonl", "format=jsonl"));
    assert_eq!(recorded[1].1, "audit-log.csv");
}

#[actix_web::test]
async fn names_from_outside_are_shown_as_text_and_cut_to_fit() {
    let db = database().await;
    let long = format!("{HOSTILE}{}", "x".repeat(200));
    let mut entry = Entry::by_demo(&long, "sign in", &long)
        .detail(json!({ HOSTILE: long, "before": { "a": 1 }, "after": { "a": long } }));
    entry.remote = Some(HOSTILE.to_owned());
    entry.request_id = Some(HOSTILE.to_owned());
    audit_log::record_alone(&db, &entry).await.unwrap();
    let reader = Reader::as_role(&db, "administrator").await;
    for address in ["/audit-log", "/audit-log/1"] {
        let (status, html) = reader.ask(address).await;
        assert_eq!(status, StatusCode::OK, "{address}");
        assert!(!html.contains("<b>") && html.contains("&#60;b&#62;"), "{address}: {html}");
        assert!(html.len() < 20_000, "{address}: {} bytes", html.len());
    }
    let row = texts(&reader.page("/audit-log").await, "#audit-log tbody td");
    assert!(row.iter().all(|cell| cell.chars().count() < 180), "{row:?}");
    let page = reader.page("/audit-log/1").await;
    assert!(texts(&page, ".facts dd").iter().any(|fact| fact.ends_with(&"x".repeat(200))));
    let narrowed = links(&page, ".facts a");
    for href in narrowed {
        assert_eq!(ids(&reader.page(&href).await), ["1"], "{href}");
    }
}

#[actix_web::test]
async fn what_was_altered_or_put_in_is_marked_where_it_stands() {
    let db = filled().await;
    tamper(
        &db,
        "update audit_log set object = 'pack 9' where audit_log_id = 7;
         insert into audit_log (actor, actor_kind, act) values ('x', 'demo', 'sign in')",
    )
    .await;
    let reader = Reader::as_role(&db, "administrator").await;
    let marked = |html: &Html| texts(html, "#audit-log tbody strong");
    assert_eq!(marked(&reader.page("/audit-log?object=pack+9").await), ["altered"]);
    assert_eq!(marked(&reader.page("/audit-log?actor=x").await), ["no link"]);
    assert_eq!(marked(&reader.page("/audit-log?actor=person+2").await), Vec::<String>::new());
    assert!(texts(&reader.page("/audit-log/7").await, ".note--bad").concat().contains("is not what was hashed"));
    assert!(texts(&reader.page("/audit-log/231").await, ".note--bad").concat().contains("not written as entries are"));
}

#[actix_web::test]
async fn the_section_is_there_for_who_may_open_it_and_shows_the_checkpoint() {
    let db = filled().await;
    let app = site(&db).await;
    for (role, there) in [("viewer", false), ("compliance-manager", true), ("administrator", true)] {
        let cookie = sign_in(&app, role).await;
        let page = get(&app, &cookie, "/packs").await;
        assert_eq!(page.texts(".sections li").contains(&"Audit log".to_owned()), there, "{role}");
        let answer = get(&app, &cookie, "/audit-log").await;
        assert_eq!(answer.status == StatusCode::OK, there, "{role}");
    }
    let known = audit_log::checkpoint(&db, time::OffsetDateTime::now_utc()).await.unwrap();
    let cookie = sign_in(&app, "administrator").await;
    let page = get(&app, &cookie, "/audit-log").await;
    let shown = page.texts("pre.command").concat();
    let (entries, head) = shown.rsplit(' ').next().unwrap().split_once(':').unwrap();
    assert_eq!(entries.parse::<i64>().unwrap(), known.entries + 1, "the last sign-in");
    let newest: String =
        sqlx::query_scalar("select encode(hash, 'hex') from audit_chain order by link_position desc limit 1")
            .fetch_one(&db)
            .await
            .unwrap();
    assert_eq!(head, newest);
    assert_eq!(get(&app, &cookie, "/audit-log/0").await.status, StatusCode::NOT_FOUND);
    assert_eq!(get(&app, &cookie, "/audit-log/x").await.status, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn what_an_auditor_looks_at_is_shown_once_the_room_is_closed() {
    let db = engaged("audit-room", &[]).await;
    let app = site(&db).await;
    let auditor = inside(&app).await;
    assert_eq!(get(&app, &auditor, "/rules?sort=rule").await.status, StatusCode::OK);
    assert_eq!(get(&app, &auditor, "/rules?format=csv").await.status, StatusCode::OK);
    let views: Vec<(i64, String, Value)> =
        sqlx::query_as("select audit_log_id, object, detail from audit_log where act = 'view' order by 1")
            .fetch_all(&db)
            .await
            .unwrap();
    let [(view, page, within)] = views.as_slice() else { panic!("{views:?}") };
    assert_eq!((page.as_str(), within), ("/rules?sort=rule", &json!({ "engagement": 1 })));

    db.execute(
        "insert into audit_log (actor, actor_kind, act, object, detail) values
             ('demo auditor', 'demo', 'ask for sample', 'engagement 1', '{}'),
             ('auditfolio', 'system', 'draw sample', 'engagement 1', '{}'),
             ('auditfolio', 'system', 'start job', 'job 7', '{\"kind\": \"sample\"}')",
    )
    .await
    .unwrap();
    let reader = Reader::as_role(&db, "compliance-manager").await;
    let acts = async |address: &str| texts(&reader.page(address).await, "#audit-log tbody td:nth-child(3)");
    assert_eq!(acts("/audit-log?kind=view").await, ["enter room"]);
    assert_eq!(acts("/audit-log?kind=job&actor=auditfolio").await, Vec::<String>::new());
    assert_eq!(acts("/audit-log?act=ask+for+sample").await, Vec::<String>::new());
    assert_eq!(acts("/audit-log?kind=download").await, ["download rows"], "downloads are told at once");
    assert!(!reader.ask("/audit-log?format=jsonl").await.1.contains("sort=rule"));
    let its_page = format!("/audit-log/{view}");
    assert_eq!(reader.ask(&its_page).await.0, StatusCode::NOT_FOUND);

    db.execute(
        "insert into engagement_terms (engagement_id, title, scope_name, scope_record, first_day, last_day, opens_at, closes_at, reason, made_by)
         select engagement_id, title, scope_name, scope_record, first_day, last_day, opens_at - interval '1 year',
             now() - interval '1 second', 'over', made_by from engagement_terms",
    )
    .await
    .unwrap();
    assert_eq!(acts("/audit-log?kind=view").await, ["draw sample", "ask for sample", "view", "enter room"]);
    assert_eq!(reader.ask(&its_page).await.0, StatusCode::OK);
}
