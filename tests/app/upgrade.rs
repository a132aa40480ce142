//! A filled database of an earlier version, brought up to date: it says what it said, and what is new in it is sound.

use std::borrow::Cow;

use auditfolio::compliance::evidence::export::{ExportArgs, ExportFormat, run};
use auditfolio::database::MIGRATIONS;
use auditfolio::jobs::Progress;
use auditfolio::packs::{Request, build, db};
use sqlx::PgPool;
use sqlx::migrate::Migrator;
use time::macros::{date, datetime};

use crate::harness::bare_database;

/// The store as the second migration had it, with rows. `upgrade_*.jsonl` are what the program of then exported of it.
async fn second_migration() -> PgPool {
    let db = bare_database().await;
    let first_two = MIGRATIONS.migrations.iter().take(2).cloned().collect();
    Migrator { migrations: Cow::Owned(first_two), ..Migrator::DEFAULT }.run(&db).await.unwrap();
    sqlx::raw_sql(include_str!("upgrade.sql")).execute(&db).await.unwrap();
    db
}

async fn export(db: &PgPool, args: ExportArgs) -> String {
    let mut out = Vec::new();
    run(&args, "Example", db, &mut out).await.unwrap();
    String::from_utf8(out).unwrap()
}

fn args() -> ExportArgs {
    let (as_of, from, until, known_at) = (None, None, None, None);
    ExportArgs { as_of, from, until, known_at, accounts: vec![], scope: None, format: ExportFormat::Jsonl }
}

#[actix_web::test]
async fn a_store_of_the_second_migration_says_after_the_upgrade_what_it_said_before() {
    let db = second_migration().await;
    MIGRATIONS.run(&db).await.unwrap();

    let day = export(&db, ExportArgs { as_of: Some(date!(2026 - 11 - 19)), ..args() }).await;
    assert_eq!(day, include_str!("upgrade_day.jsonl"));
    let (from, until) = (Some(date!(2026 - 11 - 18)), Some(date!(2026 - 11 - 21)));
    let period = export(&db, ExportArgs { from, until, ..args() }).await;
    assert_eq!(period, include_str!("upgrade_period.jsonl"));

    let request = Request {
        organization: "Example".to_owned(),
        title: "Upgraded".to_owned(),
        from,
        as_of: date!(2026 - 11 - 21),
        accounts: None,
        scope: None,
        scopes_at: None,
        known_at: None,
        at: Some(datetime!(2026-11-24 10:00 UTC)),
        created_by: "tester".to_owned(),
        demo: false,
    };
    let pack_id = build(&crate::packs::state(&db), &request, None, &Progress::default()).await.unwrap();
    let pack = db::find(&db, &pack_id).await.unwrap().unwrap();
    // As the pack of the same days said then.
    assert_eq!((pack.evaluations, pack.not_complying, pack.gap_days), (11, 1, 0));
}

#[actix_web::test]
async fn what_the_third_migration_adds_is_filled_from_what_was_there() {
    let db = second_migration().await;
    let (place_id, rule_id): (i32, i32) = sqlx::query_as(
        "select place_id, rule_id from run where first_day <= '2026-11-19' and end_day > '2026-11-19'
         order by place_id, rule_id limit 1",
    )
    .fetch_one(&db)
    .await
    .unwrap();
    // The second collection brought every evaluation of the rule on that day.
    sqlx::query(
        "insert into restatement (collection_id, place_id, day, rule_id, resource_id, new_status_id)
         select 2, place_id, '2026-11-19', rule_id, resource_id, status_id from run
         where place_id = $1 and rule_id = $2 and first_day <= '2026-11-19' and end_day > '2026-11-19'",
    )
    .bind(place_id)
    .bind(rule_id)
    .execute(&db)
    .await
    .unwrap();

    MIGRATIONS.run(&db).await.unwrap();

    let presence: Vec<(i64, i32, time::Date, i32, bool)> =
        sqlx::query_as("select * from rule_presence_restatement").fetch_all(&db).await.unwrap();
    assert_eq!(presence, [(2, place_id, date!(2026 - 11 - 19), rule_id, false)]);
    let severity: i16 = sqlx::query_scalar("select severity from rule where name = 'aws-config-process-check'")
        .fetch_one(&db)
        .await
        .unwrap();
    assert_eq!(severity, auditfolio::compliance::Severity::Informational.id());
}
