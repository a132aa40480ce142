//! The audit log: written with the act, never altered.

use auditfolio::audit_log::{self, Entry};
use serde_json::json;

use crate::harness::database;

#[actix_web::test]
async fn an_entry_stands_and_falls_with_its_act() {
    let db = database().await;
    for commits in [false, true] {
        let mut tx = db.begin().await.unwrap();
        let entry = Entry::by_demo("Demo auditor", "download pack", "pack-1").detail(json!({"bytes": 12}));
        audit_log::record(&mut tx, &entry).await.unwrap();
        if commits {
            tx.commit().await.unwrap();
        } else {
            tx.rollback().await.unwrap();
        }
    }
    let rows: Vec<(String, String, String, String, serde_json::Value)> =
        sqlx::query_as("select actor, actor_kind, act, object, detail from audit_log").fetch_all(&db).await.unwrap();
    let expected =
        ("Demo auditor".into(), "demo".into(), "download pack".into(), "pack-1".into(), json!({"bytes": 12}));
    assert_eq!(rows, [expected]);
}

#[actix_web::test]
async fn entries_are_never_altered() {
    let db = database().await;
    let mut tx = db.begin().await.unwrap();
    audit_log::record(&mut tx, &Entry::by_operator("collect", "1")).await.unwrap();
    tx.commit().await.unwrap();
    for statement in ["update audit_log set act = 'x'", "delete from audit_log", "truncate audit_log"] {
        let refused = sqlx::query(statement).execute(&db).await.unwrap_err();
        assert!(refused.to_string().contains("never altered"), "{statement}: {refused}");
    }
}
