//! The store's database: migrations and read-only transactions.

use auditfolio::database::read_only;

use crate::harness::database;

#[actix_web::test]
async fn a_test_has_its_own_migrated_database() {
    let db = database().await;
    sqlx::query("insert into organization (name) values ('Example')").execute(&db).await.unwrap();
    let statuses: i64 = sqlx::query_scalar("select count(*) from status").fetch_one(&db).await.unwrap();
    assert_eq!(statuses, 4);
    let organizations: i64 =
        sqlx::query_scalar("select count(*) from organization").fetch_one(&database().await).await.unwrap();
    assert_eq!(organizations, 0, "another database is empty");
}

#[actix_web::test]
async fn a_read_only_transaction_sees_one_state_and_changes_nothing() {
    let db = database().await;
    let mut read = read_only(&db).await.unwrap();
    let count = "select count(*) from organization";
    let before: i64 = sqlx::query_scalar(count).fetch_one(&mut *read).await.unwrap();
    sqlx::query("insert into organization (name) values ('Example')").execute(&db).await.unwrap();
    let after: i64 = sqlx::query_scalar(count).fetch_one(&mut *read).await.unwrap();
    assert_eq!((before, after), (0, 0));
    let refused =
        sqlx::query("insert into organization (name) values ('Other')").execute(&mut *read).await.unwrap_err();
    assert!(refused.to_string().contains("read-only transaction"), "{refused}");
}
