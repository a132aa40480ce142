//! Requests: asked in the room or for an auditor, answered by each kind of evidence, and seen by both sides as they stand.

use actix_web::cookie::Cookie;
use actix_web::http::{Method, StatusCode};
use actix_web::test::TestRequest;
use auditfolio::jobs;
use sqlx::PgPool;
use time::Duration;
use tokio_util::sync::CancellationToken;

use crate::bucket::Bucket;
use crate::collection::collect;
use crate::rooms::{engaged, inside};
use crate::scopes::post;
use crate::site::{Answer, NOW, Site, ask, get, sign_in, site, site_of, state_at};

const ASKED: &str =
    "title=Key+rotation&wanted=The+policy%0Aof+the+period&due_day=2026-11-14&first_day=2026-11-02&last_day=";
const TEAM: &str = "/engagements/1/requests";

/// Sends a form with a file, as a browser does.
async fn give(site: &Site, cookie: &Cookie<'static>, fields: &[(&str, &str)], file: Option<(&str, &[u8])>) -> Answer {
    let mut body: Vec<u8> = Vec::new();
    for (name, value) in fields {
        let part = format!("--b0undary\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend(part.as_bytes());
    }
    if let Some((name, bytes)) = file {
        let head = format!("--b0undary\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n");
        body.extend(head.as_bytes());
        body.extend(bytes);
        body.extend(b"\r\n");
    }
    body.extend(b"--b0undary--\r\n");
    let request = TestRequest::default()
        .method(Method::POST)
        .uri(&format!("{TEAM}/1/answers"))
        .insert_header(("sec-fetch-site", "same-origin"))
        .insert_header(("content-type", "multipart/form-data; boundary=b0undary"))
        .cookie(cookie.clone())
        .set_payload(body);
    (site.0)(request).await
}

/// A room in which an auditor has asked for something.
async fn asked(name: &str) -> (PgPool, Site, Cookie<'static>, Cookie<'static>) {
    let db = engaged(name, &[]).await;
    let app = site(&db).await;
    let (auditor, manager) = (inside(&app).await, sign_in(&app, "compliance-manager").await);
    let sent = ask(&app, Method::POST, "/room/requests", Some(&auditor), Some(ASKED)).await;
    assert_eq!((sent.status, sent.header("location")), (StatusCode::SEE_OTHER, "/room/requests/1"), "{}", sent.text);
    (db, app, auditor, manager)
}

async fn to(site: &Site, cookie: &Cookie<'static>, address: &str, form: &str) -> StatusCode {
    ask(site, Method::POST, address, Some(cookie), Some(form)).await.status
}

fn note<'a>() -> [(&'a str, &'a str); 3] {
    [("kind", "note"), ("note", "Every <b>90</b> days"), ("evidence_from", "2026-11-02")]
}

/// Lets a worker do what is queued.
async fn worked(db: &PgPool) {
    let stop = CancellationToken::new();
    let worker = tokio::spawn(jobs::work(state_at(db, NOW), stop.clone()));
    while sqlx::query_scalar::<_, bool>(
        "select exists (select from job where kind = 'freeze' and state in ('queued', 'running'))",
    )
    .fetch_one(db)
    .await
    .unwrap()
    {
        tokio::task::yield_now().await;
    }
    stop.cancel();
    worker.await.unwrap();
}

/// How a request stands, as both sides' pages say it.
async fn stands(site: &Site, auditor: &Cookie<'static>, manager: &Cookie<'static>) -> String {
    let lead = |page: Answer| page.texts(".lead").concat();
    let room = lead(get(site, auditor, "/room/requests/1").await);
    assert_eq!(room, lead(get(site, manager, &format!("{TEAM}/1")).await));
    room.split(':').next().unwrap().to_owned()
}

#[actix_web::test]
async fn a_request_is_asked_answered_returned_answered_again_and_accepted() {
    let (db, app, auditor, manager) = asked("requests").await;
    assert_eq!(stands(&app, &auditor, &manager).await, "open");
    let list = get(&app, &manager, "/engagements/1").await;
    assert!(list.texts("#requests-table tbody tr").concat().contains("Key rotationby demo auditoropen14 Nov 20260"));
    let room = get(&app, &auditor, "/room").await;
    assert_eq!(room.texts("#requests-table tbody th a"), ["Key rotation"]);

    assert_eq!(give(&app, &manager, &note(), None).await.status, StatusCode::SEE_OTHER);
    assert_eq!(stands(&app, &auditor, &manager).await, "answered");
    let page = get(&app, &auditor, "/room/requests/1").await;
    assert!(!page.text.contains("<b>90</b>") && page.text.contains("Every &#60;b&#62;90"), "{}", page.text);
    let facts = page.texts(".course dl div").join("\n");
    assert!(facts.contains("The evidence’s own date2 Nov 2026"), "{facts}");
    assert!(facts.contains("Put here"), "{facts}");

    let returned = ask(&app, Method::POST, "/room/requests/1/return", Some(&auditor), Some("reason=")).await;
    assert_eq!(returned.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(returned.texts(".field__problem").len(), 1, "{}", returned.text);
    assert_eq!(to(&app, &auditor, "/room/requests/1/return", "reason=Which+keys%3F").await, StatusCode::SEE_OTHER);
    assert_eq!(stands(&app, &auditor, &manager).await, "open");
    assert_eq!(to(&app, &auditor, "/room/requests/1/accept", "").await, StatusCode::CONFLICT);
    assert_eq!(give(&app, &manager, &note(), None).await.status, StatusCode::SEE_OTHER);
    assert_eq!(to(&app, &manager, &format!("{TEAM}/1/accept"), "").await, StatusCode::CONFLICT, "the other side’s");
    assert_eq!(to(&app, &manager, &format!("{TEAM}/1/decline"), "reason=x").await, StatusCode::CONFLICT);
    assert_eq!(to(&app, &auditor, "/room/requests/1/accept", "").await, StatusCode::SEE_OTHER);
    assert_eq!(stands(&app, &auditor, &manager).await, "accepted");
    assert_eq!(give(&app, &manager, &note(), None).await.status, StatusCode::CONFLICT, "it has ended");
    let steps = get(&app, &manager, &format!("{TEAM}/1")).await.texts(".course > li > p strong");
    assert_eq!(steps, ["answered", "returned", "answered", "accepted"]);
    let acts: Vec<String> = sqlx::query_scalar(
        "select act from audit_log where act like '%answer%' or act = 'ask for evidence' order by audit_log_id",
    )
    .fetch_all(&db)
    .await
    .unwrap();
    assert_eq!(acts, ["ask for evidence", "answer request", "return answer", "answer request", "accept answer"]);
}

#[actix_web::test]
async fn a_due_day_passes_and_can_be_changed_and_the_first_stays_on_record() {
    let (db, _app, _auditor, _manager) = asked("requests-due").await;
    let later = site_of(state_at(&db, NOW + Duration::days(8))).await;
    let (auditor, manager) = (inside(&later).await, sign_in(&later, "compliance-manager").await);
    assert_eq!(stands(&later, &auditor, &manager).await, "open, overdue");
    let past =
        ask(&later, Method::POST, "/room/requests/1/due", Some(&auditor), Some("due_day=2026-11-14&reason=x")).await;
    assert_eq!(past.status, StatusCode::UNPROCESSABLE_ENTITY);
    let form = "due_day=2026-11-20&reason=They+need+more+time";
    assert_eq!(to(&later, &manager, &format!("{TEAM}/1/due"), form).await, StatusCode::SEE_OTHER);
    assert_eq!(stands(&later, &auditor, &manager).await, "open");
    let page = get(&later, &auditor, "/room/requests/1").await;
    assert!(page.texts(".lead")[0].contains("due by 20 Nov 2026"), "{}", page.text);
    assert!(page.texts("dl.facts div").contains(&"First due14 Nov 2026".to_owned()));
    let detail: serde_json::Value =
        sqlx::query_scalar("select detail from audit_log where act = 'change due day of request'")
            .fetch_one(&db)
            .await
            .unwrap();
    assert_eq!((&detail["before"], &detail["after"]), (&"2026-11-14".into(), &"2026-11-20".into()));

    let form = "title=Owners&wanted=All&due_day=2026-12-24&asked_for=Ann+%D7%A9%D7%9C%D7%95%D7%9D";
    assert_eq!(to(&later, &manager, TEAM, form).await, StatusCode::SEE_OTHER);
    let page = get(&later, &auditor, "/room/requests/2").await;
    assert!(page.text.contains("for Ann שלום, entered by demo compliance-manager"), "{}", page.text);
    assert!(page.texts(".lead")[0].contains("after the room closes"), "{}", page.text);
    assert_eq!(to(&later, &manager, &format!("{TEAM}/2/decline"), "reason=None").await, StatusCode::SEE_OTHER);
    assert_eq!(to(&later, &auditor, "/room/requests/2/withdraw", "reason=x").await, StatusCode::CONFLICT);
    assert_eq!(get(&later, &auditor, "/room/requests/3").await.status, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn a_file_is_what_its_content_says_and_is_had_until_it_is_withdrawn() {
    let (db, app, auditor, manager) = asked("requests-file").await;
    let fields = [("kind", "file"), ("note", ""), ("evidence_from", "2026-10-01"), ("evidence_until", "2026-10-31")];
    for (bytes, why) in [(&b"\x7fELF\xff"[..], "no PDF"), (b"", "Choose a file"), (b"\x89PNG\r\n\x1a\nhalf", "cut off")]
    {
        let refused = give(&app, &manager, &fields, Some(("evidence.pdf", bytes))).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.texts(".field__problem").concat().contains(why), "{}", refused.text);
    }
    let undated = give(&app, &manager, &[("kind", "file")], Some(("a.csv", b"a,b\n"))).await;
    assert_eq!(undated.status, StatusCode::UNPROCESSABLE_ENTITY, "evidence is dated by what it shows");
    assert_eq!(stands(&app, &auditor, &manager).await, "open", "nothing was half-written");
    let documents: i64 = sqlx::query_scalar("select count(*) from artifact_document").fetch_one(&db).await.unwrap();
    assert_eq!(documents, 0);

    let bytes = "rule,owner\n=1,שלום\n".as_bytes();
    let given = give(&app, &manager, &fields, Some(("../own ers\u{202e}x.exe", bytes))).await;
    assert_eq!(given.status, StatusCode::SEE_OTHER, "{}", given.text);
    let page = get(&app, &auditor, "/room/requests/1").await;
    assert!(page.texts(".course dl").concat().contains("1 Oct 2026 to 31 Oct 2026"), "{}", page.text);
    let path = "/room/requests/1/files/1/own-ers-x.exe.txt";
    assert!(page.text.contains(path), "{}", page.text);
    let had = get(&app, &auditor, path).await;
    assert_eq!((had.status, had.text.as_bytes()), (StatusCode::OK, bytes));
    assert_eq!((had.header("content-type"), had.header("cache-control")), ("text/plain", "no-store"));
    assert!(had.header("content-disposition").starts_with("attachment; "), "{}", had.header("content-disposition"));
    assert_eq!(get(&app, &auditor, "/room/requests/1/files/1/else.txt").await.status, StatusCode::NOT_FOUND);
    assert_eq!(get(&app, &auditor, &format!("{TEAM}/1/files/1/own-ers-x.exe.txt")).await.status, StatusCode::FORBIDDEN);
    let log = get(&app, &auditor, "/room/log?format=csv").await;
    assert!(log.text.contains("download answer") && log.text.contains("own-ers-x.exe.txt"), "{}", log.text);

    let end = format!("{TEAM}/1/files/1/end");
    assert_eq!(to(&app, &manager, &end, "reason=").await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(to(&app, &manager, &end, "reason=The+wrong+one").await, StatusCode::SEE_OTHER);
    assert_eq!(to(&app, &manager, &end, "reason=Again").await, StatusCode::CONFLICT);
    let gone = get(&app, &auditor, path).await;
    assert!(gone.status == StatusCode::CONFLICT && gone.text.contains("The wrong one"), "{}", gone.text);
    assert_eq!(get(&app, &manager, &format!("{TEAM}/1/files/1/own-ers-x.exe.txt")).await.status, StatusCode::OK);
    let page = get(&app, &auditor, "/room/requests/1").await;
    let sha256: String =
        sqlx::query_scalar("select encode(sha256, 'hex') from artifact_document").fetch_one(&db).await.unwrap();
    assert!(page.text.contains("withdrawn on") && page.text.contains(&sha256), "{}", page.text);
}

#[actix_web::test]
async fn a_frozen_view_stays_as_it_was_when_a_late_delivery_changes_the_day() {
    let (db, app, auditor, manager) = asked("requests-view").await;
    let fields = [("kind", "view"), ("as_of", "2026-11-02"), ("rule", ""), ("status", "NON_COMPLIANT"), ("note", "")];
    assert_eq!(give(&app, &manager, &fields, None).await.status, StatusCode::SEE_OTHER);
    let path = "/room/requests/1/views/1/rows.jsonl";
    let waiting = get(&app, &auditor, "/room/requests/1").await;
    assert_eq!((waiting.header("refresh"), waiting.text.contains("being frozen")), ("2", true), "{}", waiting.text);
    assert_eq!(get(&app, &auditor, path).await.status, StatusCode::CONFLICT);
    worked(&db).await;
    let frozen = get(&app, &auditor, path).await;
    assert_eq!(frozen.status, StatusCode::OK, "{}", frozen.text);
    // The room's scope: b and d fail on the day; c is of an account outside.
    assert_eq!(frozen.text.lines().count(), 2, "{}", frozen.text);
    assert!(!frozen.text.contains("\"c\""), "{}", frozen.text);
    let (rows, sha256): (i64, String) =
        sqlx::query_as("select rows, encode(sha256, 'hex') from engagement_answer_frozen")
            .fetch_one(&db)
            .await
            .unwrap();
    let own = ring::digest::digest(&ring::digest::SHA256, frozen.text.as_bytes());
    assert_eq!((rows, sha256), (2, own.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()));
    let page = get(&app, &auditor, "/room/requests/1").await;
    assert!(
        page.text.contains("as known at collection 1") && page.text.contains("2 evaluations as JSON lines"),
        "{}",
        page.text
    );

    let late = Bucket::new("requests-view-late");
    late.snapshot(
        2,
        9,
        &[
            ("a", &[("s3-bucket-logging-enabled", "NON_COMPLIANT")]),
            ("b", &[("s3-bucket-logging-enabled", "COMPLIANT")]),
        ],
    );
    collect(&db, &late).await;
    let app = site(&db).await;
    let live = get(&app, &auditor, "/evaluations?as_of=2026-11-02&status=non-compliant&format=jsonl").await;
    assert!(live.text.contains("\"a\"") && !live.text.contains("\"b\""), "the day is another now: {}", live.text);
    assert_eq!(get(&app, &auditor, path).await.text, frozen.text, "the answer is what it was");
    assert_eq!(get(&app, &manager, &format!("{TEAM}/1/views/1/rows.jsonl")).await.text, frozen.text);
}

#[actix_web::test]
async fn another_rooms_requests_are_not_there_and_a_closed_room_hands_nothing_out() {
    let (db, app, auditor, manager) = asked("requests-walls").await;
    let fields = [("kind", "file"), ("evidence_from", "2026-11-02")];
    assert_eq!(give(&app, &manager, &fields, Some(("a.csv", b"a\n"))).await.status, StatusCode::SEE_OTHER);
    let (mine, file) = ("/room/requests/1", "/room/requests/1/files/1/a.csv");
    assert_eq!(get(&app, &auditor, file).await.status, StatusCode::OK);
    let made = post(&db, "compliance-manager", "/engagements", &crate::rooms::terms(&[("title", "Another")])).await;
    assert_eq!(made.status, StatusCode::SEE_OTHER, "{}", made.text);
    let other = sign_in(&app, "auditor").await;
    assert_eq!(ask(&app, Method::POST, "/rooms/2", Some(&other), Some("")).await.status, StatusCode::SEE_OTHER);
    for address in [mine, file] {
        assert_eq!(get(&app, &other, address).await.status, StatusCode::NOT_FOUND, "{address}");
    }
    assert!(get(&app, &other, "/room/requests").await.text.contains("Nothing was asked for yet"));
    assert_eq!(to(&app, &other, "/room/requests/1/withdraw", "reason=x").await, StatusCode::NOT_FOUND);
    // Without any condition of the pages, the room's role sees its own engagement's alone.
    let mut tx = db.begin().await.unwrap();
    sqlx::query("select set_config('auditfolio.engagement', '2', true), set_config('role', 'auditfolio_room', true)")
        .execute(&mut *tx)
        .await
        .unwrap();
    for table in ["engagement_request", "engagement_request_event", "engagement_answer"] {
        let sql = sqlx::AssertSqlSafe(format!("select count(*) from {table}"));
        assert_eq!(sqlx::query_scalar::<_, i64>(sql).fetch_one(&mut *tx).await.unwrap(), 0, "{table}");
    }
    tx.rollback().await.unwrap();

    let last = site_of(state_at(&db, NOW + Duration::days(30) - Duration::seconds(1))).await;
    let auditor = inside(&last).await;
    assert_eq!(get(&last, &auditor, file).await.status, StatusCode::OK);
    // The same session, a second later.
    let over = site_of(state_at(&db, NOW + Duration::days(30))).await;
    for address in [mine, file, "/room/requests"] {
        let answer = get(&over, &auditor, address).await;
        assert!(answer.status == StatusCode::FORBIDDEN && answer.text.contains("The room is closed"), "{address}");
    }
    assert_eq!(to(&over, &auditor, "/room/requests/1/accept", "").await, StatusCode::FORBIDDEN);
    assert_eq!(to(&over, &auditor, "/room/requests", ASKED).await, StatusCode::FORBIDDEN);
    let viewer = sign_in(&app, "viewer").await;
    assert_eq!(get(&app, &viewer, &format!("{TEAM}/1")).await.status, StatusCode::OK);
    assert_eq!(to(&app, &viewer, &format!("{TEAM}/1/decline"), "reason=x").await, StatusCode::FORBIDDEN);
}

#[actix_web::test]
async fn each_mistake_of_a_request_is_named_at_its_field_and_what_was_typed_is_kept() {
    let db = engaged("requests-form", &[]).await;
    let app = site(&db).await;
    let auditor = inside(&app).await;
    let form = "title=%3Cb%3EKeys&wanted=&due_day=2026-11-06&first_day=2026-12-01";
    let wrong = ask(&app, Method::POST, "/room/requests", Some(&auditor), Some(form)).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(wrong.texts(".field__problem").len(), 3, "{}", wrong.text);
    assert!(wrong.text.contains("value=\"&#60;b&#62;Keys\""), "{}", wrong.text);
    let linked = wrong.texts(".problems a");
    assert_eq!(linked.len(), 3, "{}", wrong.text);
    for field in ["wanted", "due_day", "first_day"] {
        assert!(
            wrong.text.contains(&format!("href=\"#{field}\"")) && wrong.text.contains(&format!("id=\"{field}\"")),
            "{field}"
        );
    }
    let unknown = ask(&app, Method::POST, "/room/requests/1/explode", Some(&auditor), Some("")).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}
