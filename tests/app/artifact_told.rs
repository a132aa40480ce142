//! What pages, packs and notices tell of Artifact: what is not known is never none, and nothing is told as listed that is not.

use auditfolio::artifact::{Asked, decide_notices, mark_sample, said};
use serde_json::{Value, json};
use sqlx::PgPool;
use time::macros::{date, datetime};
use time::{Date, OffsetDateTime};

use crate::artifact::imported;
use crate::portal::texts;
use crate::site::state_at;

const ORGANIZATION: &str = "Example";

/// What a pack of one day says of each account's BAA, and its lines on what was read.
async fn told(db: &PgPool, day: Date) -> (Vec<String>, String) {
    let asked = Asked {
        organization_id: 1,
        days: (day, day),
        known_at: OffsetDateTime::now_utc(),
        accounts: None,
        letter_months: 3,
    };
    let said = said(&mut db.acquire().await.unwrap(), &asked).await.unwrap().unwrap();
    (said.accounts.into_iter().map(|account| account.baa).collect(), said.readings.join(" "))
}

#[actix_web::test]
async fn a_pack_of_a_day_before_the_first_reading_does_not_know_and_a_page_neither() {
    let (db, reader, _folder) = imported("artifact-before").await;
    let first: OffsetDateTime =
        sqlx::query_scalar("select min(read_at) from artifact_reading where subject = 'agreements'")
            .fetch_one(&db)
            .await
            .unwrap();
    let before = first.date().previous_day().unwrap();
    let (baas, readings) = told(&db, before).await;
    assert!(!baas.is_empty() && baas.iter().all(|baa| baa == "not known"), "{baas:?}");
    assert!(readings.contains("what was in force then is not known"), "{readings}");
    let (baas, readings) = told(&db, first.date()).await;
    assert!(baas.contains(&"own agreement".to_owned()) && baas.contains(&"none listed".to_owned()), "{baas:?}");
    assert!(readings.contains("known since 2"), "{readings}");
    // What came later says nothing of that day.
    let last = reader.json("/artifact/agreements?format=json").await;
    assert!(last.iter().all(|row| row["baa"] != "none listed"), "{last:?}");
}

#[actix_web::test]
async fn an_agreement_is_shown_with_its_state_its_type_and_its_terms_also_once_it_has_ended() {
    let (_db, reader, _folder) = imported("artifact-listed").await;
    let rows = reader.json("/artifact/agreements?rows=listed&format=json").await;
    let ended: Vec<&Value> = rows.iter().filter(|row| row["state"] == "CUSTOMER_TERMINATED").collect();
    assert_eq!(ended.len(), 1, "{rows:?}");
    let ended = ended[0];
    assert_eq!((&ended["type"], &ended["still_listed"]), (&json!("DEFAULT"), &json!(true)));
    assert_eq!(ended["terminate_terms"], "Made up for the sample");
    assert!(ended["effective_end"].is_string(), "{ended}");
    let account = ended["account_id"].as_str().unwrap();
    let page = reader.page(&format!("/artifact/agreements?account={account}")).await;
    let shown = texts(&page, "#listed tbody tr").join("\n");
    assert!(shown.contains("CUSTOMER_TERMINATED") && shown.contains("On its end: Made up for the sample"), "{shown}");
}

#[actix_web::test]
async fn what_was_recorded_by_hand_is_not_told_as_listed() {
    let (db, reader, _folder) = imported("artifact-paper").await;
    let state = state_at(&db, datetime!(2026-03-05 23:00 UTC));
    let days = (date!(2026 - 02 - 24), date!(2026 - 03 - 05));
    mark_sample(&state, ORGANIZATION, days, "demo compliance manager").await.unwrap();
    let page = reader.page("/artifact/agreements?as_of=2026-02-24").await;
    let lead = texts(&page, ".lead").concat();
    assert!(lead.starts_with("A BAA is listed by Artifact for 2 of "), "{lead}");
    assert!(
        lead.contains(", and recorded by hand for 1 more;") && lead.contains("of 5 accounts with health data"),
        "{lead}"
    );
    let again = mark_sample(&state, ORGANIZATION, days, "demo compliance manager").await.unwrap();
    assert_eq!(again, "done earlier");
}

#[actix_web::test]
async fn reviews_stand_beside_the_versions_and_fall_due_as_days_pass() {
    let (db, reader, _folder) = imported("artifact-due").await;
    let page = reader.page("/artifact").await;
    let reviewed = texts(&page, "#versions tbody tr td:nth-child(6)");
    assert!(reviewed.iter().any(|text| text == "not reviewed"), "{reviewed:?}");
    assert!(reviewed.iter().any(|text| text.ends_with("2026") || text.ends_with("2025")), "{reviewed:?}");

    let due: Date = sqlx::query_scalar("select max(next_due) from artifact_review").fetch_one(&db).await.unwrap();
    let open = async |now: OffsetDateTime| -> Vec<String> {
        let mut tx = db.begin().await.unwrap();
        decide_notices(&mut tx, &state_at(&db, now), ORGANIZATION).await.unwrap();
        tx.commit().await.unwrap();
        let sql = "select sentence from notice where kind = 'review-due' and closed_at is null";
        sqlx::query_scalar(sql).fetch_all(&db).await.unwrap()
    };
    let at = |days: i64| (due + time::Duration::days(days)).midnight().assume_utc();
    assert_eq!(open(at(-61)).await, Vec::<String>::new());
    let told = open(at(-60)).await;
    assert!(told.len() == 1 && told[0].starts_with("The next review of “SOC 2 Type 2 Report” version"), "{told:?}");
    sqlx::query(
        "insert into artifact_review (organization_id, report_id, version, reviewer, reviewed_on, opinion, exceptions,
             user_entity_controls, carve_outs, conclusion, next_due, recorded_by)
         select organization_id, report_id, version, reviewer, $1, opinion, exceptions, user_entity_controls, carve_outs,
             conclusion, $2, recorded_by from artifact_review where next_due = $1",
    )
    .bind(due)
    .bind(due + time::Duration::days(365))
    .execute(&db)
    .await
    .unwrap();
    assert_eq!(open(at(-60)).await, Vec::<String>::new(), "it was reviewed again");
}
