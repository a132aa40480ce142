//! Tokens: made by people, shown once, and what a program gets with one.

use actix_web::http::{Method, StatusCode};
use actix_web::test::TestRequest;
use auditfolio::State;
use auditfolio::people::{Gives, TokenScope, token_reads};
use auditfolio::web::{Access, endpoints};
use serde_json::Value;
use sqlx::PgPool;
use time::{Duration, OffsetDateTime};

use crate::harness::database;
use crate::portal::OTHER;
use crate::rooms::{engaged, inside};
use crate::site::{Answer, NOW, ROLES, Site, ask, collected, get, sign_in, site, site_of, state_at};
use crate::web::example;

/// A request of a program: no cookie, nothing that a browser says of itself.
async fn with(site: &Site, method: Method, address: &str, token: &str, headers: &[(&str, &str)]) -> Answer {
    let bearer = format!("Bearer {token}");
    let mut request = TestRequest::default().method(method).uri(address).insert_header(("authorization", bearer));
    for (name, value) in headers {
        request = request.insert_header((*name, *value));
    }
    (site.0)(request).await
}

async fn read(site: &Site, address: &str, token: &str) -> Answer {
    with(site, Method::GET, address, token, &[]).await
}

/// The rows of an answer.
fn rows(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(answer.header("content-type"), "application/json");
    serde_json::from_str(&answer.text).unwrap()
}

/// The problem that an answer tells, which says what its status line says.
fn problem(answer: &Answer) -> Value {
    assert_eq!(answer.header("content-type"), "application/problem+json", "{}", answer.text);
    let problem: Value = serde_json::from_str(&answer.text).unwrap();
    assert_eq!(problem["status"], answer.status.as_u16());
    assert_eq!(problem["request_id"], answer.header("x-request-id"));
    for part in ["type", "title", "detail"] {
        assert!(!problem[part].as_str().unwrap().is_empty(), "{problem}");
    }
    problem
}

/// Makes a token by the form and takes it from the page that shows it.
async fn make(site: &Site, role: &str, form: &str) -> String {
    let cookie = sign_in(site, role).await;
    let made = ask(site, Method::POST, "/account/tokens", Some(&cookie), Some(form)).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.text);
    assert_eq!(made.header("cache-control"), "no-store");
    made.texts("pre.command").concat()
}

const ALL: &str = "name=all&days=1&scope=evidence&scope=documents&scope=log";

async fn acts(db: &PgPool, act: &str) -> Vec<(String, String, Value)> {
    sqlx::query_as("select actor, object, detail from audit_log where act = $1 order by audit_log_id")
        .bind(act)
        .fetch_all(db)
        .await
        .unwrap()
}

#[actix_web::test]
async fn a_token_is_shown_once_and_reads_what_its_maker_reads() {
    let db = collected().await;
    let app = site(&db).await;
    let cookie = sign_in(&app, "viewer").await;
    let form = "name=%3Cb%3Enightly%3C%2Fb%3E&days=30&scope=evidence";
    let made = ask(&app, Method::POST, "/account/tokens", Some(&cookie), Some(form)).await;
    let token = made.texts("pre.command").concat();
    assert!(token.starts_with("auditfolio_") && token.len() == 84, "{token}");
    assert!(made.text.contains("&#60;b&#62;nightly"), "{}", made.text);
    let list = get(&app, &cookie, "/account/tokens").await;
    assert!(!list.text.contains(&token[20..]), "shown once");
    assert!(list.text.contains(&token[..19]), "its beginning names it");
    assert!(list.text.contains("never"), "not used yet");
    let stored: String = sqlx::query_scalar(
        "select concat((select string_agg(t::text, ' ') from api_token t), (select string_agg(a::text, ' ') from audit_log a))",
    )
    .fetch_one(&db)
    .await
    .unwrap();
    assert!(!stored.contains(&token[20..]), "only its hash is kept");

    for address in
        ["/", "/rules", "/accounts", "/delivery", "/evaluations", "/changes", "/collections", "/rules?sort=-name"]
    {
        let by_token = read(&app, address, &token).await;
        let sign = if address.contains('?') { '&' } else { '?' };
        let by_session = get(&app, &cookie, &format!("{address}{sign}format=json")).await;
        assert_eq!(rows(&by_token), rows(&by_session), "{address}");
        assert!(address != "/" || !rows(&by_token).is_empty());
    }
    let days = read(&app, "/?as_of=2026-11-03", &token).await;
    assert_eq!((days.header("auditfolio-as-of"), days.header("auditfolio-collection")), ("2026-11-03", "1"));
    let last = rows(&days).pop().unwrap();
    assert_eq!(last["day"], "2026-11-03");
    assert!(last["complying_of_known"].is_string() && last["at_least"].is_string(), "both figures: {last}");

    let csv = with(&app, Method::GET, "/rules", &token, &[("accept", "text/csv")]).await;
    assert!(csv.header("content-type").starts_with("text/csv"), "{}", csv.text);
    let lines = with(&app, Method::GET, "/rules?format=jsonl", &token, &[("accept", "text/csv")]).await;
    assert!(lines.header("content-type").starts_with("application/jsonl"), "the address says it outright");

    let today = get(&app, &cookie, "/account/tokens").await;
    assert!(today.text.contains("7 Nov 2026</td><td>live"), "{}", today.text);
    let uses: i64 = sqlx::query_scalar("select count(*) from api_token_use").fetch_one(&db).await.unwrap();
    assert_eq!(uses, 1, "a row a day, however much is read");
    let downloads = acts(&db, "download rows").await;
    assert!(downloads.iter().any(|(who, _, detail)| who == "demo viewer" && detail["token"] == 1), "{downloads:?}");

    let ended = ask(&app, Method::POST, "/account/tokens/1/end", Some(&cookie), Some("")).await;
    assert_eq!((ended.status, ended.header("location")), (StatusCode::SEE_OTHER, "/account/tokens"));
    let again = ask(&app, Method::POST, "/account/tokens/1/end", Some(&cookie), Some("")).await;
    assert_eq!(again.status, StatusCode::SEE_OTHER);
    let refused = read(&app, "/rules", &token).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert!(refused.header("www-authenticate").starts_with("Bearer "), "{:?}", refused.headers);
    assert_eq!(problem(&refused)["title"], "Token refused");
    let told = acts(&db, "make token").await;
    assert_eq!((told[0].1.as_str(), &told[0].2["name"]), ("token 1", &Value::from("<b>nightly</b>")));
    assert_eq!(acts(&db, "end token").await.len(), 1, "an end is on record once");
    let refusals = acts(&db, "token refused").await;
    assert_eq!((refusals[0].1.as_str(), &refusals[0].2["reason"]), ("token 1", &Value::from("token-ended")));
}

/// What a token of a role and a scope gets of a route, by the table of routes and the table of what tokens read.
fn expected(path: &str, access: Access, role: &str, scope: TokenScope) -> Option<StatusCode> {
    let refused = Some(StatusCode::FORBIDDEN);
    match token_reads(path) {
        None => refused,
        Some((needed, _)) if needed != scope => refused,
        // An auditor's page outside a room is refused whatever the scope; within one it is there.
        Some(_) => match access {
            Access::Makers if matches!(role, "auditor" | "viewer") => refused,
            Access::Team if role == "auditor" => refused,
            _ => None,
        },
    }
}

#[actix_web::test]
async fn every_route_keeps_to_the_scope_and_the_role_of_a_token() {
    let db = engaged("token-rights", &[]).await;
    let app = site(&db).await;
    let mut answered = 0;
    for role in ROLES {
        for scope in TokenScope::ALL {
            let room = if role == "auditor" { "&room=1" } else { "" };
            let token = make(&app, role, &format!("name=x&days=1&scope={}{room}", scope.word())).await;
            for endpoint in endpoints() {
                let address = example(endpoint.path);
                if endpoint.path == "/metrics" {
                    continue;
                }
                let answer =
                    with(&app, endpoint.method.clone(), &address, &token, &[("sec-fetch-site", "same-origin")]).await;
                let called = format!("{} {address} as {role} with {}: {}", endpoint.method, scope.word(), answer.text);
                if endpoint.method != Method::GET {
                    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{called}");
                    continue;
                }
                match expected(endpoint.path, endpoint.access, role, scope) {
                    Some(status) => assert_eq!(answer.status, status, "{called}"),
                    // Of the team's pages alone: samples are the auditors' until they show them.
                    None if endpoint.path.contains("/samples/") && endpoint.access == Access::Team => {
                        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{called}");
                    }
                    None => assert!(
                        [200, 400, 404].contains(&answer.status.as_u16()),
                        "a list, or nothing of that name: {called}"
                    ),
                }
                if !answer.status.is_success() {
                    problem(&answer);
                } else if token_reads(endpoint.path).unwrap().1 == Gives::Rows {
                    rows(&answer);
                    answered += 1;
                }
            }
        }
    }
    assert!(answered > 60, "{answered}");
}

#[actix_web::test]
async fn each_list_of_a_token_answers_as_json_for_the_roles_that_it_is_for() {
    let db = engaged("token-lists", &[]).await;
    let app = site(&db).await;
    for role in ROLES {
        let room = if role == "auditor" { "&room=1" } else { "" };
        let token = make(&app, role, &format!("{ALL}{room}")).await;
        for endpoint in endpoints().iter().filter(|one| one.method == Method::GET && !one.path.contains('{')) {
            let Some((_, Gives::Rows)) = token_reads(endpoint.path) else { continue };
            // Of a room, which the team reads by the engagement's own page.
            if endpoint.path.starts_with("/room") && role != "auditor" {
                continue;
            }
            if expected(endpoint.path, endpoint.access, role, token_reads(endpoint.path).unwrap().0).is_some() {
                continue;
            }
            let query = match endpoint.path {
                "/evaluations" | "/objects" | "/changes" => "?as_of=2026-11-02",
                "/resources" | "/rule-definitions" | "/results" => continue,
                _ => "",
            };
            let answer = read(&app, &format!("{}{query}", endpoint.path), &token).await;
            assert_eq!(answer.status, StatusCode::OK, "{} as {role}: {}", endpoint.path, answer.text);
            rows(&answer);
        }
    }
}

#[actix_web::test]
async fn a_token_of_a_room_reads_the_room_and_ends_with_it() {
    let db = engaged("token-room", &[]).await;
    let app = site(&db).await;
    let cookie = sign_in(&app, "auditor").await;
    for room in ["", "2", "x"] {
        let form = format!("{ALL}&room={room}");
        let refused = ask(&app, Method::POST, "/account/tokens", Some(&cookie), Some(&form)).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{room}");
        assert_eq!(refused.texts(".problems a"), ["Choose one of the rooms that are open to you."]);
    }
    let token = make(&app, "auditor", &format!("{ALL}&days=60&room=1")).await;
    let session = inside(&app).await;
    for address in ["/", "/accounts", "/rules", "/evaluations", "/delivery", "/packs", "/room/log"] {
        let by_token = read(&app, address, &token).await;
        let by_session = get(&app, &session, &format!("{address}?format=json")).await;
        // The log of the room tells of what was downloaded just now.
        if address != "/room/log" {
            assert_eq!(rows(&by_token), rows(&by_session), "{address}");
        }
        assert!(!by_token.text.contains(OTHER), "{address}: {}", by_token.text);
    }
    assert_eq!(read(&app, &format!("/accounts/{OTHER}"), &token).await.status, StatusCode::NOT_FOUND);
    for outside in ["/jobs", "/audit-log", "/engagements", "/collections"] {
        assert_eq!(read(&app, outside, &token).await.status, StatusCode::FORBIDDEN, "{outside}");
    }
    let log = acts(&db, "download rows").await;
    assert!(log.iter().all(|(_, _, detail)| detail["engagement"] == 1), "{log:?}");
    assert!(log.iter().any(|(_, _, detail)| detail["token"] == 1), "{log:?}");

    let later = async |length| site_of(state_at(&db, NOW + length)).await;
    let last = later(Duration::days(30) - Duration::SECOND).await;
    // The form of the test gives the token a day.
    let renewed = make(&last, "auditor", &format!("{ALL}&room=1")).await;
    assert_eq!(read(&last, "/rules", &renewed).await.status, StatusCode::OK);
    let shut = read(&later(Duration::days(30)).await, "/rules", &renewed).await;
    assert_eq!(shut.status, StatusCode::FORBIDDEN);
    assert_eq!(problem(&shut)["title"], "The room is closed");

    let ended =
        crate::scopes::post(&db, "compliance-manager", "/engagements/1/auditors/1/end", &[("reason", "left")]).await;
    assert_eq!(ended.status, StatusCode::SEE_OTHER, "{}", ended.text);
    let out = read(&app, "/rules", &token).await;
    assert_eq!((out.status, problem(&out)["title"].as_str()), (StatusCode::FORBIDDEN, Some("No room")));
}

/// A person of a provider, with a role and a token, straight in the store.
async fn person(db: &PgPool, role: &str, seen: OffsetDateTime) -> String {
    let token = format!("auditfolio_01234567_{}", "5e".repeat(32));
    sqlx::query(
        "insert into person (issuer, subject, provider, name, first_seen_at, last_seen_at)
         values ('https://login.example.com', '1', 'company', 'Ada Lovelace', $1, $1)",
    )
    .bind(seen)
    .execute(db)
    .await
    .unwrap();
    sqlx::query("insert into person_role (person_id, role, since, why) values (1, $1, $2, 'group')")
        .bind(role)
        .bind(seen)
        .execute(db)
        .await
        .unwrap();
    sqlx::query(
        "insert into api_token (public_id, token_hash, person_id, name, scopes, made_by, made_at, expires_at)
         values ('01234567', sha256($1::bytea), 1, 'x', '{evidence,log}', 'Ada Lovelace (person 1)', $2, $3)",
    )
    .bind(token.as_bytes())
    .bind(NOW)
    .bind(NOW + Duration::days(366))
    .execute(db)
    .await
    .unwrap();
    token
}

/// The portal with the provider of [`person`].
async fn with_provider(db: &PgPool, now: OffsetDateTime) -> Site {
    let state = state_at(db, now);
    site_of(State { demo: false, sign_in: crate::sign_in::named("company"), ..state }).await
}

async fn reason(db: &PgPool) -> String {
    acts(db, "token refused").await.pop().unwrap().2["reason"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn a_token_of_a_person_is_worth_what_they_are_now() {
    let db = collected().await;
    let token = person(&db, "compliance-manager", NOW).await;
    let app = with_provider(&db, NOW).await;
    assert_eq!(read(&app, "/audit-log", &token).await.status, StatusCode::OK);
    let log = acts(&db, "download rows").await;
    assert_eq!((log[0].0.as_str(), &log[0].2["token"]), ("Ada Lovelace (person 1)", &Value::from(1)));

    let note = async |role: &str| {
        sqlx::query("insert into person_role (person_id, role, since, why) values (1, $1, $2, 'group')")
            .bind(role)
            .bind(NOW)
            .execute(&db)
            .await
            .unwrap();
    };
    note("viewer").await;
    let lowered = read(&app, "/audit-log", &token).await;
    assert_eq!(lowered.status, StatusCode::FORBIDDEN, "{}", lowered.text);
    assert_eq!(read(&app, "/rules", &token).await.status, StatusCode::OK);
    note("auditor").await;
    assert_eq!(
        (read(&app, "/rules", &token).await.status, reason(&db).await),
        (StatusCode::UNAUTHORIZED, "token-other-role".to_owned())
    );
    note("administrator").await;
    assert_eq!(read(&app, "/rules", &token).await.status, StatusCode::OK);

    let cases = [
        (with_provider(&db, NOW + Duration::days(90) + Duration::SECOND).await, "token-asleep"),
        (with_provider(&db, NOW + Duration::days(366)).await, "token-expired"),
        (site_of(State { demo: false, ..state_at(&db, NOW) }).await, "token-provider-gone"),
    ];
    for (app, word) in cases {
        let refused = read(&app, "/rules", &token).await;
        assert_eq!((refused.status, reason(&db).await.as_str()), (StatusCode::UNAUTHORIZED, word));
        problem(&refused);
    }
    sqlx::query("update person set disabled_at = $1").bind(NOW).execute(&db).await.unwrap();
    assert_eq!(read(&app, "/rules", &token).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(reason(&db).await, "token-person-disabled");
}

#[actix_web::test]
async fn what_is_no_token_or_more_than_a_token_is_refused() {
    let db = collected().await;
    let app = site(&db).await;
    let token = make(&app, "administrator", ALL).await;
    let other = format!("{}0", &token[..83]);
    let other = if other == token { format!("{}1", &token[..83]) } else { other };
    for bad in [other.as_str(), "x", "auditfolio_", "' or 1=1 --", "auditfolio_00000000_zz"] {
        let refused = read(&app, "/rules", bad).await;
        assert_eq!((refused.status, reason(&db).await.as_str()), (StatusCode::UNAUTHORIZED, "token-unknown"), "{bad}");
        assert!(!refused.text.contains(bad), "{}", refused.text);
    }
    let told: String =
        sqlx::query_scalar("select string_agg(detail::text, ' ') from audit_log").fetch_one(&db).await.unwrap();
    assert!(!told.contains(&other[20..]) && !told.contains(&token[20..]), "no token is written down");

    let cookie = sign_in(&app, "viewer").await;
    let value = format!("{}={}", cookie.name(), cookie.value());
    let both = with(&app, Method::GET, "/rules", &token, &[("cookie", &value)]).await;
    assert_eq!(both.status, StatusCode::BAD_REQUEST);
    problem(&both);
    let change = with(&app, Method::POST, "/packs", &token, &[]).await;
    assert_eq!(change.status, StatusCode::FORBIDDEN);
    problem(&change);
    let page = read(&app, "/rules?format=html", &token).await;
    assert_eq!((page.status, problem(&page)["title"].as_str()), (StatusCode::NOT_ACCEPTABLE, Some("Not acceptable")));
    for (address, status) in [
        ("/nowhere", StatusCode::NOT_FOUND),
        ("/rules?as_of=2027-01-01", StatusCode::NOT_FOUND),
        ("/rules?age=7", StatusCode::BAD_REQUEST),
        ("/rules?format=xlsx", StatusCode::BAD_REQUEST),
        ("/sign-in", StatusCode::FORBIDDEN),
        ("/account/tokens", StatusCode::FORBIDDEN),
    ] {
        let answer = read(&app, address, &token).await;
        assert_eq!(answer.status, status, "{address}");
        problem(&answer);
    }
    let refusals = acts(&db, "refuse").await;
    assert!(refusals.iter().any(|(_, what, detail)| what == "POST /packs" && detail["token"] == 1), "{refusals:?}");

    let off = site_of(State { demo: false, ..state_at(&db, NOW) }).await;
    assert_eq!(read(&off, "/rules", &token).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(reason(&db).await, "token-demo-off");
    let empty = site(&database().await).await;
    let token = make(&empty, "viewer", ALL).await;
    assert_eq!(
        read(&empty, "/rules", &token).await.status,
        StatusCode::NOT_FOUND,
        "nothing collected is no empty list"
    );
}

#[actix_web::test]
async fn a_form_says_what_is_wrong_and_keeps_what_was_typed() {
    let db = collected().await;
    let app = site(&db).await;
    let cookie = sign_in(&app, "viewer").await;
    let wrong = ask(&app, Method::POST, "/account/tokens", Some(&cookie), Some("name=%3Cb%3E&days=400")).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        wrong.texts(".problems a"),
        ["Enter for how many days it lasts, 1 to 366.", "Choose at least one scope."]
    );
    assert!(wrong.text.contains("value=\"400\"") && wrong.text.contains("value=\"&#60;b&#62;\""), "{}", wrong.text);
    let tokens: i64 = sqlx::query_scalar("select count(*) from api_token").fetch_one(&db).await.unwrap();
    assert_eq!(tokens, 0);
}

#[actix_web::test]
async fn nobody_ends_anothers_token_but_administrators() {
    let db = collected().await;
    let app = site(&db).await;
    let token = make(&app, "viewer", "name=a&days=1&scope=evidence").await;
    let manager = sign_in(&app, "compliance-manager").await;
    assert_eq!(get(&app, &manager, "/account/tokens").await.texts(".empty__what"), ["No tokens"]);
    let ended = ask(&app, Method::POST, "/account/tokens/1/end", Some(&manager), Some("")).await;
    assert_eq!(ended.status, StatusCode::NOT_FOUND);
    assert_eq!(
        ask(&app, Method::POST, "/people/tokens/1/end", Some(&manager), Some("")).await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(read(&app, "/rules", &token).await.status, StatusCode::OK);
    let admin = sign_in(&app, "administrator").await;
    let all = get(&app, &admin, "/people/tokens").await;
    assert_eq!(all.texts("tbody tr").len(), 1);
    assert!(all.text.contains("demo viewer"), "{}", all.text);
    let ended = ask(&app, Method::POST, "/people/tokens/1/end", Some(&admin), Some("")).await;
    assert_eq!((ended.status, ended.header("location")), (StatusCode::SEE_OTHER, "/people/tokens"));
    assert_eq!(read(&app, "/rules", &token).await.status, StatusCode::UNAUTHORIZED);
    let own = get(&app, &sign_in(&app, "viewer").await, "/account/tokens").await;
    assert!(own.text.contains("demo administrator"), "who ended it: {}", own.text);
}

#[actix_web::test]
async fn no_more_than_fifty_tokens_of_somebody_live_at_once() {
    let db = collected().await;
    sqlx::query(
        "insert into api_token (public_id, token_hash, demo_role, name, scopes, made_by, made_at, expires_at)
         select n::text, sha256(n::text::bytea), 'viewer', 'x', '{log}', 'demo viewer', $1, $1 + make_interval(days => 1)
         from generate_series(1, 50) n",
    )
    .bind(NOW)
    .execute(&db)
    .await
    .unwrap();
    let app = site(&db).await;
    let cookie = sign_in(&app, "viewer").await;
    let one_more = ask(&app, Method::POST, "/account/tokens", Some(&cookie), Some(ALL)).await;
    assert_eq!(one_more.status, StatusCode::CONFLICT);
    make(&app, "administrator", ALL).await;
    let next_day = site_of(state_at(&db, NOW + Duration::days(1))).await;
    make(&next_day, "viewer", ALL).await;
}
