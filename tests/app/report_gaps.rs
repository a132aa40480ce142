//! Gaps of AWS's reports in the period of an engagement: noticed while its room is not closed, and only of days that came.

use actix_web::http::StatusCode;
use auditfolio::artifact::command::import_folder;
use sqlx::PgPool;

use crate::artifact::organization;
use crate::rooms::terms;
use crate::scopes::post;
use crate::site::{NOW, get, sign_in, site, state_at};

/// The notices of gaps as they stand: what each is about, and its sentence.
async fn open(db: &PgPool) -> Vec<(String, String)> {
    let sql = "select about, sentence from notice where kind = 'report-gap' and closed_at is null order by 1";
    sqlx::query_as(sql).fetch_all(db).await.unwrap()
}

async fn sent(db: &PgPool, address: &str, fields: &[(&str, &str)]) {
    let answer = post(db, "compliance-manager", address, fields).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{address}: {}", answer.text);
}

/// Of the whole organisation, between two days.
fn period<'a>(first: &'a str, last: &'a str) -> Vec<(&'a str, &'a str)> {
    terms(&[("scope", ""), ("first_day", first), ("last_day", last)])
}

#[actix_web::test]
async fn a_gap_in_an_engagements_period_is_noticed_until_the_period_or_the_room_ends_it() {
    let (db, summary, _folder) = organization("report-gaps").await;
    sent(&db, "/engagements", &period("2025-12-01", "2026-03-05")).await;
    assert_eq!(open(&db).await, [], "nothing is known of any report before Artifact was read");

    // That it is read is enough: nobody has to open the engagement again.
    import_folder(&state_at(&db, NOW), "Example", summary.artifact.last().unwrap(), None).await.unwrap();
    let told = open(&db).await;
    let of = |slug: &str| told.iter().find(|(about, _)| about.ends_with(slug)).map(|(_, sentence)| sentence.as_str());
    assert_eq!(
        of(" 2025-12-01 2026-03-05 soc-2-type-2"),
        Some(
            "Engagement “SOC 2 2026”, 1 Dec 2025 to 5 Mar 2026: on 7 Nov 2026, SOC 2 Type 2 of AWS’s reports: gap 95 days, \
             of which 31 addressed by letter."
        ),
        "{told:?}"
    );
    assert_eq!(of("iso-27001"), None, "a certificate is valid on every day: {told:?}");

    let app = site(&db).await;
    let manager = sign_in(&app, "compliance-manager").await;
    let id: i64 = sqlx::query_scalar("select notice_id from notice where about like '%soc-2-type-2'")
        .fetch_one(&db)
        .await
        .unwrap();
    let page = get(&app, &manager, &format!("/notices/{id}")).await;
    let links = page.texts("main a");
    for link in ["AWS’s reports for its period", "The engagement"] {
        assert!(links.iter().any(|text| text == link), "{link}: {links:?}");
    }
    let reports = get(&app, &manager, "/artifact?from=2025-12-01&until=2026-03-05").await;
    assert!(reports.text.contains("gap 95 days, of which 31 addressed by letter"), "{}", reports.text);

    sent(&db, "/engagements/1/terms", &period("2025-07-01", "2025-09-30")).await;
    let told = open(&db).await;
    assert!(!told.iter().any(|(about, _)| about.contains("soc-2")), "a report speaks for all of it: {told:?}");
    sent(&db, "/engagements/1/terms", &period("2026-01-01", "2026-03-05")).await;
    assert!(open(&db).await.iter().any(|(about, _)| about == "1 2026-01-01 2026-03-05 soc-2-type-2"));
    sent(&db, "/engagements/1/close", &[("reason", "The audit is over.")]).await;
    assert_eq!(open(&db).await, []);
}
