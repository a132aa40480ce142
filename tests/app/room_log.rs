//! Sign-ins and downloads of an engagement: the same for its auditors and for the team, at once, and nothing else of the log.

use actix_web::http::StatusCode;
use serde_json::Value;

use crate::rooms::{engaged, inside, terms};
use crate::scopes::post;
use crate::site::{Answer, get, sign_in, site};

/// Acts with what they are of, newest first, as JSON lines have them.
fn told(answer: &Answer) -> Vec<(String, String)> {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let text = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let rows = answer.text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    rows.map(|row| (text(&row, "act"), text(&row, "file"))).collect()
}

fn of(act: &str, file: &str) -> (String, String) {
    (act.to_owned(), file.to_owned())
}

#[actix_web::test]
async fn both_sides_see_the_same_sign_ins_and_downloads_and_views_are_nobodys_elses() {
    let db = engaged("room-log", &[]).await;
    let app = site(&db).await;
    let manager = sign_in(&app, "compliance-manager").await;
    let page = get(&app, &manager, "/engagements/1/log").await;
    assert!(page.text.contains("Nothing yet"), "{}", page.text);

    let auditor = inside(&app).await;
    assert_eq!(get(&app, &auditor, "/rules").await.status, StatusCode::OK);
    assert_eq!(get(&app, &auditor, "/rules?format=csv").await.status, StatusCode::OK);
    assert_eq!(get(&app, &manager, "/rules?format=csv").await.status, StatusCode::OK);
    let expected = [of("download rows", "/rules?format=csv"), of("enter room", ""), of("sign in", "")];
    let team = get(&app, &manager, "/engagements/1/log?format=jsonl").await;
    assert_eq!(told(&team), expected);
    let room = get(&app, &auditor, "/room/log?format=jsonl").await;
    // The team's own download is none of the room's.
    assert_eq!(room.text, team.text);

    let page = get(&app, &auditor, "/room/log").await;
    let acts: Vec<String> = page.texts("#log tbody td:nth-child(3)");
    assert_eq!(acts, ["download rows", "download rows", "enter room", "sign in"], "with that of the list itself");
    assert!(get(&app, &manager, "/audit-log").await.text.contains("/room/log?format=jsonl"));
    assert_eq!(get(&app, &manager, "/engagements/9/log").await.status, StatusCode::NOT_FOUND);
    assert_eq!(get(&app, &manager, "/room/log").await.status, StatusCode::NOT_FOUND);
    assert_eq!(get(&app, &auditor, "/engagements/1/log").await.status, StatusCode::FORBIDDEN);

    // Another engagement shows what concerns it, which is a later sign-in alone.
    let made = post(&db, "compliance-manager", "/engagements", &terms(&[("title", "Another")])).await;
    assert_eq!(made.status, StatusCode::SEE_OTHER, "{}", made.text);
    sign_in(&app, "auditor").await;
    let other = get(&app, &manager, "/engagements/2/log?format=jsonl").await;
    assert_eq!(told(&other), [of("sign in", "")]);
}
