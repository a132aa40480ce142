//! The room of an engagement: it opens and closes by itself, and shows its scope, its period and nothing else.

use actix_web::cookie::Cookie;
use actix_web::http::{Method, StatusCode};
use actix_web::web::Data;
use auditfolio::engagement::{self, Room};
use auditfolio::error::Error;
use auditfolio::packs::Request;
use auditfolio::people::{Kind, Role, User};
use auditfolio::web::{Access, Standing, endpoints};
use sqlx::PgPool;
use time::macros::date;
use time::{Duration, OffsetDateTime};

use crate::bucket::{ACCOUNT, REGION};
use crate::portal::OTHER;
use crate::scopes::{PRODUCTION, make, post, three_accounts};
use crate::site::{Answer, NOW, Site, ask, get, kinds, sign_in, site, site_of, state_at};

/// The rule and the resource that only the account outside the scope has.
const ELSEWHERE: &str = "s3-bucket-versioning-enabled";
const RULE: &str = "s3-bucket-logging-enabled";

/// Terms as a form sends them: of the scope `prod`, three days, open for a month from [`NOW`].
pub(crate) fn terms<'a>(changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut fields = vec![
        ("title", "SOC 2 2026"),
        ("scope", "prod"),
        ("rules", ""),
        ("first_day", "2026-11-01"),
        ("last_day", "2026-11-03"),
        ("opens_at", "2026-11-07T12:00"),
        ("closes_at", "2026-12-07T12:00"),
        ("reason", "agreed"),
        ("auditors", "demo auditor, ann@auditors.example"),
    ];
    for (name, value) in changes {
        fields.iter_mut().find(|(field, _)| field == name).unwrap().1 = value;
    }
    fields
}

/// Three accounts of which two are in the scope of an engagement whose room is open.
pub(crate) async fn engaged(name: &str, changes: &[(&str, &str)]) -> PgPool {
    let db = three_accounts(name).await;
    make(&db, "prod", &PRODUCTION, "2026-11-01").await;
    let made = post(&db, "compliance-manager", "/engagements", &terms(changes)).await;
    assert_eq!(made.status, StatusCode::SEE_OTHER, "{}", made.text);
    db
}

/// The demo's auditor within the room.
pub(crate) async fn inside(site: &Site) -> Cookie<'static> {
    let cookie = sign_in(site, "auditor").await;
    let entered = ask(site, Method::POST, "/rooms/1", Some(&cookie), Some("")).await;
    assert_eq!((entered.status, entered.header("location")), (StatusCode::SEE_OTHER, "/room"), "{}", entered.text);
    cookie
}

async fn at(db: &PgPool, now: OffsetDateTime) -> Site {
    site_of(state_at(db, now)).await
}

fn shut_out(answer: &Answer) -> bool {
    answer.status == StatusCode::FORBIDDEN && answer.text.contains("The room is closed")
}

/// An address of each route of a room, about what lies in it and about what lies outside.
fn addresses(path: &str, (account, rule, resource): (&str, &str, &str)) -> Vec<String> {
    let path = path.replace("{account_id}", account).replace("{core_name}", rule).replace("{name}", rule);
    let query = match path.as_str() {
        "/resources" => format!("?account={account}&region={REGION}&type=AWS::S3::Bucket&id={resource}"),
        "/rule-definitions" => format!("?name={rule}"),
        _ => String::new(),
    };
    let plain = format!("{path}{query}");
    let with = |more: &str| format!("{plain}{}{more}", if query.is_empty() { '?' } else { '&' });
    vec![
        plain.clone(),
        with(&format!("account={account}")),
        with("as_of=2026-11-02"),
        with("scope=sandbox"),
        with("format=csv"),
        with("format=jsonl"),
        with("from=2026-11-01"),
    ]
}

#[actix_web::test]
async fn an_auditor_enters_a_room_and_finds_its_scope_and_nothing_else() {
    let db = engaged("room-scope", &[]).await;
    let app = site(&db).await;
    let auditor = sign_in(&app, "auditor").await;
    let before = get(&app, &auditor, "/").await;
    assert_eq!((before.status, before.header("location")), (StatusCode::SEE_OTHER, "/rooms"));
    let rooms = get(&app, &auditor, "/rooms").await;
    assert_eq!(rooms.texts("main h2"), ["SOC 2 2026"]);

    let auditor = inside(&app).await;
    let room = get(&app, &auditor, "/room").await;
    assert_eq!((room.status, room.texts("h1")), (StatusCode::OK, vec!["SOC 2 2026".to_owned()]));
    assert!(room.text.contains("2 accounts"), "{}", room.text);
    assert_eq!(room.texts(".sections a").first().map(String::as_str), Some("Room"));
    let overview = get(&app, &auditor, "/").await;
    assert_eq!(overview.status, StatusCode::OK);
    assert!(overview.text.contains(ACCOUNT));
    let note = overview.texts("main > .note").concat();
    assert!(note.contains("2 accounts belong to it on 3 Nov 2026 (UTC)"), "{note}");
    assert!(!overview.texts(".sections a").contains(&"Collections".to_owned()));

    let mut shown = 0;
    let mut links = std::collections::BTreeSet::new();
    for endpoint in endpoints().iter().filter(|e| e.access == Access::Rooms && e.method == Method::GET) {
        for address in addresses(endpoint.path, (ACCOUNT, RULE, "a")) {
            let answer = get(&app, &auditor, &address).await;
            assert!(!answer.status.is_server_error(), "{address}: {}", answer.text);
            for outside in [OTHER, ELSEWHERE] {
                let told = answer.text.replace(&address.replace('&', "&#38;"), "");
                assert!(!told.contains(outside), "{address} tells of {outside}: {told}");
            }
            shown += usize::from(answer.status == StatusCode::OK);
            links.extend(kinds(&answer.text).into_values());
            assert!(!answer.text.contains("href=\"\""), "{address} has a link to nowhere");
        }
        for address in addresses(endpoint.path, (OTHER, ELSEWHERE, "c")) {
            let answer = get(&app, &auditor, &address).await;
            assert!(!answer.status.is_server_error(), "{address}: {}", answer.text);
            // What was typed may come back; what is known of it may not.
            let known = ["ou-sand", "OU-SAND", ">c<", "\"c\""];
            for of_it in known {
                assert!(!answer.text.contains(of_it), "{address} tells {of_it}: {}", answer.text);
            }
        }
    }
    assert!(shown > 30, "{shown}");
    assert!(links.len() > 20, "{links:?}");
    for link in links {
        let answer = get(&app, &auditor, &link.replace("&#38;", "&")).await;
        assert!(!answer.status.is_client_error() && !answer.status.is_server_error(), "{link}: {}", answer.status);
    }
    let outside = get(&app, &auditor, &format!("/accounts/{OTHER}")).await;
    assert_eq!(outside.status, StatusCode::NOT_FOUND);
    let nobody = get(&app, &auditor, "/accounts/999999999999").await;
    assert_eq!(
        outside.texts("main"),
        nobody
            .texts("main")
            .iter()
            .map(|text| { text.replace(nobody.header("x-request-id"), outside.header("x-request-id")) })
            .collect::<Vec<_>>(),
        "an account elsewhere is told from none by nothing"
    );
}

/// Tables with rows of places, accounts, rules or packs, and how many rows of each a transaction sees.
async fn seen(connection: &mut sqlx::PgConnection) -> Vec<(String, i64)> {
    let tables: Vec<String> =
        sqlx::query_scalar("select c.relname::text from pg_class c where c.relrowsecurity order by 1")
            .fetch_all(&mut *connection)
            .await
            .unwrap();
    assert!(tables.len() > 20, "{tables:?}");
    let mut seen = Vec::new();
    for table in tables {
        let sql = sqlx::AssertSqlSafe(format!("select count(*) from {table}"));
        seen.push((table, sqlx::query_scalar(sql).fetch_one(&mut *connection).await.unwrap()));
    }
    seen
}

fn auditor() -> User {
    User {
        identity: "demo auditor".to_owned(),
        role: Role::Auditor,
        demo: true,
        kind: Kind::Demo,
        person_id: None,
        engagement_id: Some(1),
        token_id: None,
    }
}

#[actix_web::test]
async fn a_statement_without_any_condition_sees_the_room_alone() {
    let db = engaged("room-wall", &[("rules", RULE)]).await;
    let state = Data::new(state_at(&db, NOW));
    let mut tx = db.begin().await.unwrap();
    let whole = seen(&mut tx).await;
    let room: Room = engagement::enter(&mut tx, &auditor(), (1, 1), NOW).await.unwrap();
    engagement::confine(&state, &mut tx, &mut Standing::default(), 1, &room, date!(2026 - 11 - 03)).await.unwrap();
    let confined = seen(&mut tx).await;
    for ((table, all), (_, some)) in whole.iter().zip(&confined) {
        assert!(some <= all, "{table}: {some} of {all}");
    }
    let of = |rows: &[(String, i64)], name: &str| rows.iter().find(|(table, _)| table == name).unwrap().1;
    for table in
        ["place", "account_listing", "delivery", "object", "rule", "run", "rollup", "resource", "rule_presence"]
    {
        assert!(of(&confined, table) > 0 && of(&confined, table) < of(&whole, table), "{table}: {confined:?}");
    }
    for sql in [
        "select count(*) from place where account_id not in ('999900001111', '222233334444')",
        "select count(*) from run join place using (place_id) where account_id = '111122223333'",
        "select count(*) from rule where core_name <> 's3-bucket-logging-enabled'",
        "select count(*) from timeline where core_name <> 's3-bucket-logging-enabled'",
        "select count(*) from resource where id = 'c'",
        "select count(*) from audit_log",
    ] {
        let sql = sql.replace("999900001111", ACCOUNT);
        let found: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(sql.clone())).fetch_one(&mut *tx).await.unwrap();
        assert_eq!(found, 0, "{sql}");
    }
    // What a room does not show it cannot ask for, and it writes nothing.
    for sql in [
        "select count(*) from day_total",
        "select count(*) from audit_chain",
        "select count(*) from session",
        "select private_key from installation_key",
        "select count(*) from notice",
        "delete from run",
        "insert into engagement_pack (engagement_id, pack_id, shared_by) values (1, 'x', 'x')",
    ] {
        let mut inner = sqlx::Acquire::begin(&mut *tx).await.unwrap();
        let refused = sqlx::query(sql).execute(&mut *inner).await.unwrap_err();
        assert_eq!(refused.as_database_error().unwrap().code().as_deref(), Some("42501"), "{sql}: {refused}");
        inner.rollback().await.unwrap();
    }
    tx.rollback().await.unwrap();

    // Without what sign-in gives it, the room's role sees no row at all.
    let mut tx = db.begin().await.unwrap();
    sqlx::query("set local role auditfolio_room").execute(&mut *tx).await.unwrap();
    for (table, rows) in seen(&mut tx).await {
        assert_eq!(rows, 0, "{table}");
    }
}

#[actix_web::test]
async fn a_room_opens_and_closes_by_itself() {
    let db = engaged("room-hours", &[("opens_at", "2026-11-08T12:00")]).await;
    let early = at(&db, NOW).await;
    let cookie = sign_in(&early, "auditor").await;
    let refused = ask(&early, Method::POST, "/rooms/1", Some(&cookie), Some("")).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(
        refused.text.contains("The room is not open yet") && refused.text.contains("8 Nov 2026"),
        "{}",
        refused.text
    );

    let last = at(&db, NOW + Duration::days(30) - Duration::seconds(1)).await;
    let cookie = inside(&last).await;
    assert_eq!(get(&last, &cookie, "/").await.status, StatusCode::OK);
    // The same session, a second later.
    let over = at(&db, NOW + Duration::days(30)).await;
    let mut pages = 0;
    for endpoint in endpoints().iter().filter(|e| e.access == Access::Rooms && e.method == Method::GET) {
        if endpoint.path.starts_with("/artifact") {
            continue;
        }
        for address in addresses(endpoint.path, (ACCOUNT, RULE, "a")) {
            let answer = get(&over, &cookie, &address).await;
            assert!(shut_out(&answer), "{address}: {} {}", answer.status, answer.text);
            pages += 1;
        }
    }
    assert!(pages > 50, "{pages}");
    assert!(get(&over, &cookie, "/rooms").await.text.contains("can still be checked"));
}

#[actix_web::test]
async fn who_is_not_invited_or_not_any_more_does_not_enter() {
    let db = engaged("room-invited", &[("auditors", "ann@auditors.example")]).await;
    let app = site(&db).await;
    let cookie = sign_in(&app, "auditor").await;
    assert!(get(&app, &cookie, "/rooms").await.text.contains("You are not invited"));
    let refused = ask(&app, Method::POST, "/rooms/1", Some(&cookie), Some("")).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let viewer = sign_in(&app, "viewer").await;
    assert_eq!(ask(&app, Method::POST, "/rooms/1", Some(&viewer), Some("")).await.status, StatusCode::FORBIDDEN);

    let invited = post(&db, "compliance-manager", "/engagements/1/auditors", &[("email", "Demo Auditor")]).await;
    assert_eq!(invited.status, StatusCode::SEE_OTHER, "{}", invited.text);
    let cookie = inside(&app).await;
    assert_eq!(get(&app, &cookie, "/").await.status, StatusCode::OK);
    let ended = post(&db, "compliance-manager", "/engagements/1/auditors/2/end", &[("reason", "left the firm")]).await;
    assert_eq!(ended.status, StatusCode::SEE_OTHER, "{}", ended.text);
    let out = get(&app, &cookie, "/").await;
    assert_eq!((out.status, out.header("location")), (StatusCode::SEE_OTHER, "/rooms"));
    let again = post(&db, "compliance-manager", "/engagements/1/auditors/2/end", &[("reason", "left")]).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
}

#[actix_web::test]
async fn an_invitation_is_bound_to_the_first_person_with_the_address() {
    let db = engaged("room-bound", &[]).await;
    let person = |person_id| User { person_id: Some(person_id), demo: false, ..auditor() };
    let mut tx = db.begin().await.unwrap();
    sqlx::query(
        "insert into person (person_id, issuer, subject, provider, first_seen_at, last_seen_at) overriding system value
         select n, 'https://auditors.example', n::text, 'auditors', now(), now() from generate_series(7, 9) n",
    )
    .execute(&mut *tx)
    .await
    .unwrap();
    let lets_in = async |tx: &mut sqlx::PgConnection, id| engagement::enter(tx, &person(id), (1, 1), NOW).await.is_ok();
    assert!(!lets_in(&mut tx, 7).await);
    assert_eq!(engagement::bind(&mut tx, 7, "auditors", "Ann@Auditors.example").await.unwrap(), 1);
    assert!(lets_in(&mut tx, 7).await);
    // Somebody else who has the address later.
    assert_eq!(engagement::bind(&mut tx, 8, "auditors", "ann@auditors.example").await.unwrap(), 0);
    assert!(!lets_in(&mut tx, 8).await);
    assert_eq!(engagement::bind(&mut tx, 9, "auditors", "bob@auditors.example").await.unwrap(), 0);
    let refused = engagement::enter(&mut tx, &person(9), (1, 1), NOW).await.unwrap_err();
    assert!(matches!(refused, Error::NoRoom), "{refused}");
}

#[actix_web::test]
async fn the_room_shows_days_of_its_period_alone() {
    let db = engaged("room-period", &[("first_day", "2026-11-02"), ("last_day", "2026-11-02")]).await;
    let app = site(&db).await;
    let cookie = inside(&app).await;
    let overview = get(&app, &cookie, "/").await;
    assert_eq!(overview.texts(".asof__latest"), ["latest, 2 Nov 2026 (UTC)"]);
    for day in ["2026-11-01", "2026-11-03"] {
        let answer = get(&app, &cookie, &format!("/?as_of={day}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        assert!(answer.text.contains("2 Nov 2026 to 2 Nov 2026"), "{}", answer.text);
        let from = get(&app, &cookie, &format!("/changes?from={day}")).await;
        assert_ne!(from.status, StatusCode::OK, "{}", from.text);
    }
    // On 3 November b complied: the room does not know it.
    let history =
        get(&app, &cookie, &format!("/resources?account={ACCOUNT}&region={REGION}&type=AWS::S3::Bucket&id=b")).await;
    assert_eq!(history.status, StatusCode::OK, "{}", history.text);
    assert!(!history.text.contains("3 Nov 2026"), "{}", history.text);

    let db = engaged("room-period-later", &[("first_day", "2027-01-01"), ("last_day", "2027-01-31")]).await;
    let app = site(&db).await;
    let cookie = inside(&app).await;
    let nothing = get(&app, &cookie, "/").await;
    assert_eq!(
        (nothing.status, nothing.texts("h1")),
        (StatusCode::OK, vec!["Nothing collected of the period".to_owned()])
    );
    assert_eq!(get(&app, &cookie, "/room").await.status, StatusCode::OK);
}

#[actix_web::test]
async fn what_changes_after_the_opening_shows_and_later_definitions_do_not_reach_in() {
    let db = engaged("room-changed", &[]).await;
    let app = site(&db).await;
    let cookie = inside(&app).await;
    let by_list = [("kind", "accounts"), ("accounts", OTHER)];
    make(&db, "prod", &by_list, "2026-11-01").await;
    assert_eq!(get(&app, &cookie, &format!("/accounts/{OTHER}")).await.status, StatusCode::NOT_FOUND);
    assert!(!get(&app, &cookie, "/").await.text.contains("Changed after it had opened"));

    let whole = terms(&[("scope", ""), ("reason", "the sandbox is in, too")]);
    let agreed = post(&db, "compliance-manager", "/engagements/1/terms", &whole).await;
    assert_eq!(agreed.status, StatusCode::SEE_OTHER, "{}", agreed.text);
    assert_eq!(get(&app, &cookie, &format!("/accounts/{OTHER}")).await.status, StatusCode::OK);
    let room = get(&app, &cookie, "/room").await;
    assert!(room.text.contains("scope: the whole organisation; was scope prod"), "{}", room.text);
    assert!(room.text.contains("the sandbox is in, too"));
    assert!(get(&app, &cookie, "/").await.text.contains("Changed after it had opened"));

    let closed = post(&db, "compliance-manager", "/engagements/1/close", &[("reason", "done")]).await;
    assert_eq!(closed.status, StatusCode::SEE_OTHER, "{}", closed.text);
    assert!(shut_out(&get(&app, &cookie, "/").await));
    let acts: Vec<String> =
        sqlx::query_scalar("select act from audit_log where object = 'engagement 1' order by audit_log_id")
            .fetch_all(&db)
            .await
            .unwrap();
    assert_eq!(acts, ["make engagement", "enter room", "change engagement", "close engagement"]);
}

#[actix_web::test]
async fn what_is_remembered_of_a_room_is_shown_nowhere_else() {
    let db = engaged("room-memo", &[]).await;
    let app = site(&db).await;
    let (auditor, viewer) = (inside(&app).await, sign_in(&app, "viewer").await);
    let pages = ["/", "/accounts", "/rules", "/changes", "/evaluations", "/delivery"];
    let alone = site(&db).await;
    for address in pages {
        let known = |text: &str| (text.contains(OTHER), text.contains(ACCOUNT));
        let expected = known(&get(&alone, &viewer, address).await.text);
        for _ in 0..2 {
            assert!(!known(&get(&app, &auditor, address).await.text).0, "{address}");
            assert_eq!(known(&get(&app, &viewer, address).await.text), expected, "{address}");
        }
    }
}

#[actix_web::test]
async fn a_form_with_problems_is_shown_again_and_makes_nothing() {
    let db = three_accounts("room-form").await;
    let answer = post(&db, "compliance-manager", "/engagements", &terms(&[("rules", "<b>x</b>")])).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(answer.texts(".problems a").len(), 2, "scope and rule: {}", answer.text);
    assert!(!answer.text.contains("<b>x"), "{}", answer.text);
    let made: i64 = sqlx::query_scalar("select count(*) from engagement").fetch_one(&db).await.unwrap();
    assert_eq!(made, 0);
    let app = site(&db).await;
    let viewer = sign_in(&app, "viewer").await;
    assert!(get(&app, &viewer, "/engagements").await.texts(".empty__what").contains(&"No engagements".to_owned()));
}

#[actix_web::test]
async fn packs_lie_in_a_room_only_where_the_team_puts_them() {
    let db = engaged("room-packs", &[]).await;
    let organization = "Example".to_owned();
    let request = Request { organization, as_of: date!(2026 - 11 - 03), from: None, ..crate::packs::request() };
    let id = crate::packs::pack(&db, &request).await;
    let app = site(&db).await;
    let auditor = inside(&app).await;
    let files = ["", "/pack.pdf", "/pack.zip", "/pack.sig"].map(|file| format!("/packs/{id}{file}"));
    for address in &files {
        assert_eq!(get(&app, &auditor, address).await.status, StatusCode::NOT_FOUND, "{address}");
    }
    let put = async |fields: &[(&str, &str)]| post(&db, "compliance-manager", "/engagements/1/packs", fields).await;
    assert_eq!(put(&[("pack", "AF-NONE")]).await.texts(".problems a"), ["Enter the id of a pack, as its page has it."]);
    let wider = put(&[("pack", &id)]).await;
    assert_eq!(wider.status, StatusCode::UNPROCESSABLE_ENTITY, "it is of all accounts");
    assert!(wider.text.contains("The pack has accounts that the room does not show"), "{}", wider.text);
    let put = put(&[("pack", &id), ("because", "agreed")]).await;
    assert_eq!(put.status, StatusCode::SEE_OTHER, "{}", put.text);
    for address in &files {
        let answer = get(&app, &auditor, address).await;
        assert_eq!(answer.status, StatusCode::OK, "{address}: {}", answer.text);
    }
    assert_eq!(get(&app, &auditor, "/packs").await.texts("tbody tr").len(), 1);
    assert_eq!(get(&app, &auditor, "/installation-key.pem").await.status, StatusCode::OK);
    let out = post(&db, "compliance-manager", "/engagements/1/packs/1/end", &[("reason", "superseded")]).await;
    assert_eq!(out.status, StatusCode::SEE_OTHER, "{}", out.text);
    for address in &files {
        assert_eq!(get(&app, &auditor, address).await.status, StatusCode::NOT_FOUND, "{address}");
    }
    // What was downloaded is on record with who has it, for both sides at once; what was looked at is not.
    let manager = sign_in(&app, "compliance-manager").await;
    let log = get(&app, &manager, "/audit-log?actor=demo+auditor&format=json").await.text;
    assert_eq!(log.matches("\"download pack\"").count(), 3, "{log}");
    assert!(!log.contains("\"view\""), "{log}");
    let views: i64 =
        sqlx::query_scalar("select count(*) from audit_log where act = 'view'").fetch_one(&db).await.unwrap();
    assert!(views > 0, "{views}");
    let files: i64 = sqlx::query_scalar("select count(*) from audit_log where act = 'view' and object like '%/pack.%'")
        .fetch_one(&db)
        .await
        .unwrap();
    assert_eq!(files, 0, "a download is no view too");
    let shown = ask(&app, Method::POST, "/room/publish", Some(&auditor), Some("")).await;
    assert_eq!(shown.status, StatusCode::SEE_OTHER);
    assert!(get(&app, &manager, "/audit-log?actor=demo+auditor&format=json").await.text.contains("\"view\""));
}

#[actix_web::test]
async fn an_account_of_the_scope_that_never_came_is_told() {
    let db = three_accounts("room-absent").await;
    let accounts = format!("{ACCOUNT}, 999988887777");
    make(&db, "wide", &[("kind", "accounts"), ("accounts", &accounts)], "2026-11-01").await;
    let made = post(&db, "compliance-manager", "/engagements", &terms(&[("scope", "wide")])).await;
    assert_eq!(made.status, StatusCode::SEE_OTHER, "{}", made.text);
    let app = site(&db).await;
    let cookie = inside(&app).await;
    let note = get(&app, &cookie, "/").await.texts("main > .note").concat();
    assert!(note.contains("2 accounts belong to it"), "{note}");
    assert!(note.contains("1 of them neither delivered anything for that day nor was expected to"), "{note}");
}

#[actix_web::test]
async fn a_report_of_aws_is_had_in_a_room_once_it_is_released() {
    let db = engaged("room-report", &[]).await;
    sqlx::raw_sql(
        "begin;
         insert into artifact_document (organization_id, media_type, size_bytes, sha256)
             values (1, 'application/pdf', 9, sha256('%PDF-1.4 '));
         insert into artifact_document_chunk (artifact_document_id, ordinal, bytes) values (1, 0, '%PDF-1.4 ');
         commit;
         insert into artifact_terms (organization_id, report_id, version, artifact_document_id, asked_by, token)
             values (1, 'report-0123456789abcdef', 2, 1, 'manager', '0123456789abcdef');
         insert into artifact_terms_reading (artifact_terms_id, read_by) values (1, 'manager');
         insert into artifact_acceptance (artifact_terms_id, accepted_by, demo) values (1, 'manager', true);
         insert into artifact_file (organization_id, report_id, version, artifact_document_id, artifact_terms_id, source, stored_by)
             values (1, 'report-0123456789abcdef', 2, 1, 1, 'AWS Artifact', 'manager')",
    )
    .execute(&db)
    .await
    .unwrap();
    let app = site(&db).await;
    let cookie = inside(&app).await;
    let address = "/artifact/files/1/report-0123456789abcdef-2.pdf";
    assert_eq!(get(&app, &cookie, address).await.status, StatusCode::NOT_FOUND, "not released");
    sqlx::query(
        "insert into artifact_release (artifact_file_id, released_by, reason) values (1, 'manager', 'the audit')",
    )
    .execute(&db)
    .await
    .unwrap();
    let file = get(&app, &cookie, address).await;
    assert_eq!((file.status, file.text.as_str()), (StatusCode::OK, "%PDF-1.4 "));
    for elsewhere in ["/artifact", "/artifact/agreements", "/artifact/reports/report-0123456789abcdef"] {
        assert_eq!(get(&app, &cookie, elsewhere).await.status, StatusCode::FORBIDDEN, "{elsewhere}");
    }
}
