//! Samples: drawn in a room from its population, drawn again by a program that shares no code, kept for good.

use std::process::Command;

use actix_web::cookie::Cookie;
use actix_web::http::{Method, StatusCode};
use auditfolio::jobs;
use serde_json::Value;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::harness::scratch;
use crate::portal::OTHER;
use crate::rooms::{engaged, inside};
use crate::scopes::post;
use crate::site::{NOW, Site, ask, get, sign_in, site, site_of, state_at};

const FORM: &str = "as_of=2026-11-02&rule=&status=&size=2&seed=30+Nov+AB&strata=none&purpose=details";

/// Asks for a sample and lets a worker draw it; gives the page's address.
async fn drawn(db: &PgPool, site: &Site, cookie: &Cookie<'static>, form: &str) -> String {
    let asked = ask(site, Method::POST, "/room/samples", Some(cookie), Some(form)).await;
    assert_eq!(asked.status, StatusCode::SEE_OTHER, "{}", asked.text);
    let address = asked.header("location").to_owned();
    let waiting = get(site, cookie, &address).await;
    assert_eq!((waiting.status, waiting.header("refresh")), (StatusCode::OK, "2"));
    let stop = CancellationToken::new();
    let worker = tokio::spawn(jobs::work(state_at(db, NOW), stop.clone()));
    loop {
        let unfinished: i64 =
            sqlx::query_scalar("select count(*) from job where kind = 'sample' and state in ('queued', 'running')")
                .fetch_one(db)
                .await
                .unwrap();
        if unfinished == 0 {
            break;
        }
        tokio::task::yield_now().await;
    }
    stop.cancel();
    worker.await.unwrap();
    address
}

/// What the page's own program prints over the downloaded population, run by a real Python.
async fn drawn_again(site: &Site, cookie: &Cookie<'static>, address: &str, name: &str) -> Vec<String> {
    let page = get(site, cookie, address).await;
    let script = page.texts("pre.command");
    assert_eq!(script.len(), 1, "{}", page.text);
    // The words of the page lose their lines: the program is taken as it stands in the source.
    let html = scraper::Html::parse_document(&page.text);
    let script: String =
        html.select(&scraper::Selector::parse("pre.command").unwrap()).next().unwrap().text().collect();
    assert!(script.lines().count() <= 10, "{script}");
    let folder = scratch(name);
    let population = get(site, cookie, &format!("{address}/population.jsonl")).await;
    assert_eq!(population.status, StatusCode::OK);
    std::fs::write(folder.join("population.jsonl"), &population.text).unwrap();
    let output = Command::new("python3").arg("-c").arg(script).current_dir(&folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// The rows of a sample as lines of its population.
async fn lines(site: &Site, cookie: &Cookie<'static>, address: &str) -> Vec<String> {
    let rows = get(site, cookie, &format!("{address}?format=json")).await;
    let rows: Vec<Value> = serde_json::from_str(&rows.text).unwrap();
    let text = |row: &Value, name: &str| serde_json::to_string(&row[name]).unwrap();
    let names = ["account_id", "region", "rule", "resource_type", "resource_id", "status"];
    rows.iter()
        .map(|row| {
            let cells: Vec<String> = names.iter().map(|name| format!("\"{name}\":{}", text(row, name))).collect();
            format!("{{{}}}", cells.join(","))
        })
        .collect()
}

#[actix_web::test]
async fn a_sample_is_drawn_from_the_room_and_again_by_ten_lines_of_python() {
    let db = engaged("samples", &[]).await;
    let app = site(&db).await;
    let cookie = inside(&app).await;
    for (number, form) in [
        FORM.to_owned(),
        FORM.replace("strata=none", "strata=account").replace("size=2", "size=1"),
        FORM.replace("strata=none", "strata=status"),
        FORM.replace("status=", "status=NON_COMPLIANT"),
        FORM.replace("rule=", "rule=s3-bucket-logging-enabled").replace("seed=30+Nov+AB", "seed=%22%5C%27+x"),
    ]
    .iter()
    .enumerate()
    {
        let address = drawn(&db, &app, &cookie, form).await;
        let again = drawn_again(&app, &cookie, &address, &format!("samples-{number}")).await;
        let page = get(&app, &cookie, &address).await;
        assert!(page.text.contains(again[0].strip_prefix("population ").unwrap()), "{}", page.text);
        let drawn = lines(&app, &cookie, &address).await;
        assert!(!drawn.is_empty(), "{form}: {}", page.text);
        assert_eq!(drawn, again[1..], "{form}");
        assert!(drawn.iter().all(|line| !line.contains(OTHER)));
    }
    // Nothing that was drawn is drawn over.
    let kept: Vec<i64> = sqlx::query_scalar("select engagement_sample_id from engagement_sample order by 1")
        .fetch_all(&db)
        .await
        .unwrap();
    assert_eq!(kept, [1, 2, 3, 4, 5]);
    for sql in ["delete from engagement_sample_row", "update engagement_sample set seed = 'y'"] {
        assert!(sqlx::query(sql).execute(&db).await.is_err(), "{sql}");
    }
    assert_eq!(get(&app, &cookie, "/room/samples").await.texts("tbody tr").len(), 5);
}

#[actix_web::test]
async fn the_team_sees_samples_once_they_are_shown_or_the_room_has_closed() {
    let db = engaged("samples-shown", &[]).await;
    let app = site(&db).await;
    let cookie = inside(&app).await;
    drawn(&db, &app, &cookie, FORM).await;
    let manager = sign_in(&app, "compliance-manager").await;
    let team = "/engagements/1/samples/1";
    assert_eq!(get(&app, &manager, team).await.status, StatusCode::FORBIDDEN);
    assert!(!get(&app, &manager, "/engagements/1").await.text.contains(team));
    assert!(!get(&app, &manager, "/jobs").await.text.contains("Drawing a sample"));
    assert_eq!(get(&app, &manager, "/room/samples/1").await.status, StatusCode::NOT_FOUND);

    let later = site_of(state_at(&db, NOW + time::Duration::days(30))).await;
    let closed = sign_in(&later, "compliance-manager").await;
    assert_eq!(get(&later, &closed, team).await.status, StatusCode::OK, "the room is closed");

    // A month later the first sessions had ended.
    let cookie = inside(&app).await;
    let manager = sign_in(&app, "compliance-manager").await;
    let shown = ask(&app, Method::POST, "/room/publish", Some(&cookie), Some("")).await;
    assert_eq!(shown.status, StatusCode::SEE_OTHER);
    let page = get(&app, &manager, team).await;
    assert_eq!((page.status, page.texts("tbody tr").len()), (StatusCode::OK, 2), "{}", page.text);
    assert!(get(&app, &manager, "/engagements/1").await.text.contains(team));
}

#[actix_web::test]
async fn a_sample_of_another_room_is_not_found_and_a_wrong_form_draws_nothing() {
    let db = engaged("samples-other", &[]).await;
    let app = site(&db).await;
    let cookie = inside(&app).await;
    drawn(&db, &app, &cookie, FORM).await;
    let second = crate::rooms::terms(&[("title", "Another audit")]);
    assert_eq!(post(&db, "compliance-manager", "/engagements", &second).await.status, StatusCode::SEE_OTHER);
    let other = sign_in(&app, "auditor").await;
    let entered = ask(&app, Method::POST, "/rooms/2", Some(&other), Some("")).await;
    assert_eq!(entered.status, StatusCode::SEE_OTHER);
    for address in ["/room/samples/1", "/room/samples/1/population.jsonl", "/room/samples/x"] {
        assert_eq!(get(&app, &other, address).await.status, StatusCode::NOT_FOUND, "{address}");
    }
    for wrong in ["size=0", "seed=", "as_of=2026-11-09", "rule=s3-bucket-versioning-enabled"] {
        let name = wrong.split('=').next().unwrap();
        let form: Vec<&str> = FORM.split('&').filter(|pair| !pair.starts_with(&format!("{name}="))).collect();
        let form = format!("{}&{wrong}", form.join("&"));
        let answer = ask(&app, Method::POST, "/room/samples", Some(&other), Some(&form)).await;
        assert_eq!(
            (answer.status, answer.texts(".problems a").len()),
            (StatusCode::UNPROCESSABLE_ENTITY, 1),
            "{wrong}"
        );
    }
    let all: i64 = sqlx::query_scalar("select count(*) from engagement_sample").fetch_one(&db).await.unwrap();
    assert_eq!(all, 1);
}
