//! Filled databases of every earlier version, brought up to date: they say what they said, and what is new is sound.

mod filled;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use auditfolio::audit_log;
use auditfolio::compliance::evidence::export::{ExportArgs, ExportFormat, run};
use auditfolio::database::MIGRATIONS;
use auditfolio::jobs;
use auditfolio::packs::db;
use auditfolio::packs::verify::verify;
use sqlx::PgPool;
use time::macros::{date, datetime};
use time::{Date, OffsetDateTime};

use self::filled::{faults, file_name, filled, folder, kept_and_changed, migration, newest, rows, tables};
use crate::site::{get, kinds, sign_in, site_of, state_at};

/// After all that the fills say.
const NOW: OffsetDateTime = datetime!(2026-11-30 12:00 UTC);
/// The first version of which rows were kept.
const FIRST: usize = 2;
/// The pack that was issued before all upgrades, and the job that had asked for another one.
const ISSUED: &str = "AF-BC74A-14A35-35615-BA791";
const QUEUED: i64 = 4;

async fn export(db: &PgPool, args: ExportArgs) -> String {
    let mut out = Vec::new();
    run(&args, "Example", db, &mut out).await.unwrap();
    String::from_utf8(out).unwrap()
}

async fn day(db: &PgPool, day: Date, known_at: Option<i64>) -> String {
    export(db, ExportArgs { as_of: Some(day), known_at, ..args() }).await
}

async fn period(db: &PgPool, from: Date, until: Date, known_at: Option<i64>) -> String {
    export(db, ExportArgs { from: Some(from), until: Some(until), known_at, ..args() }).await
}

fn args() -> ExportArgs {
    let (as_of, from, until, known_at) = (None, None, None, None);
    ExportArgs { as_of, from, until, known_at, accounts: vec![], scope: None, format: ExportFormat::Jsonl }
}

/// What was known when the first version's rows were complete, of a day that each of its later collections restated and
/// of the days around it.
async fn known_early(db: &PgPool) -> Vec<String> {
    let mut texts = Vec::new();
    for known_at in [2, 3] {
        for of in [date!(2026 - 11 - 22), date!(2026 - 11 - 23)] {
            texts.push(day(db, of, Some(known_at)).await);
        }
        texts.push(period(db, date!(2026 - 11 - 18), date!(2026 - 11 - 23), Some(known_at)).await);
    }
    texts
}

#[actix_web::test]
async fn every_migration_has_a_fill_with_all_that_it_brings() {
    let expected: BTreeSet<String> = MIGRATIONS.migrations.iter().map(file_name).collect();
    let found = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let is_sql = |name: &String| Path::new(name).extension().is_some_and(|ending| ending == "sql");
    let strange: Vec<String> = found.filter(|name| is_sql(name) && !expected.contains(name)).collect();
    assert!(strange.is_empty(), "fills of no migration: {strange:?}");

    for version in 1..=newest() {
        let name = file_name(migration(version));
        assert!(
            folder().join(&name).exists(),
            "write tests/app/upgrade/{name}: rows for what migrations/{name} brings"
        );
    }
    let db = filled(newest()).await;
    let mut missing = Vec::new();
    for (table, columns) in tables(&db).await {
        for column in columns {
            let statement = sqlx::AssertSqlSafe(format!("select count(\"{column}\") from \"{table}\""));
            if sqlx::query_scalar::<_, i64>(statement).fetch_one(&db).await.unwrap() == 0 {
                missing.push(format!("{table}.{column}"));
            }
        }
    }
    missing.extend(filled::words_without_rows(&db).await);
    assert!(missing.is_empty(), "no row of the fills has a value in: {missing:#?}");
}

#[actix_web::test]
async fn a_store_of_each_earlier_version_says_after_the_upgrade_what_it_said_before() {
    let mut known = None;
    for version in FIRST..newest() {
        let name = file_name(migration(version));
        let db = filled(version).await;
        let (kept, changed) = kept_and_changed(tables(&db).await, version);
        let (before, before_changed) = (rows(&db, &kept).await, rows(&db, &changed).await);
        for (table, rows) in &before {
            assert!(!rows.is_empty(), "{table} has no rows: put some into tests/app/upgrade/{name}");
        }

        MIGRATIONS.run(&db).await.unwrap();

        for (table, rows) in rows(&db, &kept).await {
            assert_eq!(rows, before[&table], "{table}, upgraded from {name}");
        }
        for (table, rows) in rows(&db, &changed).await {
            assert_ne!(rows, before_changed[&table], "{table}: nothing changes it any more, from {name}");
        }
        assert_eq!(faults(&db).await, Vec::<String>::new(), "upgraded from {name}");
        assert_eq!(day(&db, date!(2026 - 11 - 19), None).await, include_str!("upgrade/day.jsonl"), "from {name}");
        let said = period(&db, date!(2026 - 11 - 18), date!(2026 - 11 - 21), None).await;
        assert_eq!(said, include_str!("upgrade/period.jsonl"), "upgraded from {name}");
        let early = known_early(&db).await;
        assert_eq!(known.get_or_insert_with(|| early.clone()), &early, "known early, upgraded from {name}");
    }
}

/// What everybody reads, whatever the upgrade began from.
const MAIN: [&str; 12] = [
    "/",
    "/accounts",
    "/aggregator",
    "/artifact",
    "/changes",
    "/collections",
    "/conformance-packs",
    "/delivery",
    "/notices",
    "/packs",
    "/rule-definitions",
    "/scopes",
];
/// Kinds of pages to which those lead, directly or not, whatever the version.
const FURTHER: [&str; 7] =
    ["/accounts 1", "/collections 1", "/evaluations 0", "/jobs 1", "/packs 1", "/resources 0", "/rules 1"];
/// And where the newest version's rows are there.
const FURTHEST: [&str; 4] = ["/artifact 2", "/conformance-packs 1", "/notices 1", "/scopes 1"];

/// Visits the main pages; where kinds are wanted, follows the links to a page of every kind, those among them.
async fn visit(db: &PgPool, version: &str, wanted: &[&str]) {
    let site = site_of(state_at(db, NOW)).await;
    let cookie = sign_in(&site, "administrator").await;
    let mut to_visit: BTreeMap<String, String> = MAIN.map(|path| (format!("{path} 0"), path.to_owned())).into();
    let mut visited = BTreeSet::new();
    while let Some((kind, address)) = to_visit.pop_first() {
        let answer = get(&site, &cookie, &address).await;
        assert_eq!(answer.status, 200, "{address}, upgraded from {version}");
        visited.insert(kind);
        if !wanted.is_empty() {
            to_visit.extend(kinds(&answer.text).into_iter().filter(|(kind, _)| !visited.contains(kind)));
        }
    }
    let missed: Vec<_> = wanted.iter().filter(|kind| !visited.contains(**kind)).collect();
    assert!(missed.is_empty(), "no page of the kinds {missed:?} among {visited:?}, upgraded from {version}");
}

#[actix_web::test]
async fn pages_and_packs_of_each_earlier_version_are_there_after_the_upgrade() {
    for version in FIRST..=newest() {
        let name = file_name(migration(version));
        let store = filled(version).await;
        MIGRATIONS.run(&store).await.unwrap();

        let made = jobs::run_to_end(&state_at(&store, NOW), QUEUED, |_| {}).await.unwrap();
        let pack = db::find(&store, &made).await.unwrap().unwrap();
        // As the pack that was issued of the same days says.
        let issued = db::find(&store, ISSUED).await.unwrap().unwrap();
        let counts = |pack: &db::Stored| (pack.evaluations, pack.not_complying, pack.gap_days, pack.expected_days);
        assert_eq!(counts(&pack), counts(&issued), "upgraded from {name}");
        assert_eq!(pack.key_id, issued.key_id, "by the same key, upgraded from {name}");
        let bytes = db::bytes(&store, ISSUED, db::Part::Pdf).await.unwrap();
        let verdict = verify(&store, &bytes, Some(&issued.signature)).await.unwrap();
        assert!(verdict.genuine(), "{verdict}, upgraded from {name}");

        let wanted = match version {
            FIRST => FURTHER.to_vec(),
            _ if version == newest() => [&FURTHER[..], &FURTHEST].concat(),
            _ => vec![],
        };
        visit(&store, &name, &wanted).await;
    }
}

#[actix_web::test]
async fn what_the_third_migration_adds_is_filled_from_what_was_there() {
    let db = filled(2).await;
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

    let presence: Vec<(i64, i32, Date, i32, bool)> =
        sqlx::query_as("select * from rule_presence_restatement").fetch_all(&db).await.unwrap();
    assert_eq!(presence, [(2, place_id, date!(2026 - 11 - 19), rule_id, false)]);
    let severity: i16 = sqlx::query_scalar("select severity from rule where name = 'aws-config-process-check'")
        .fetch_one(&db)
        .await
        .unwrap();
    assert_eq!(severity, auditfolio::compliance::Severity::Informational.id());
}

#[actix_web::test]
async fn new_columns_are_filled_from_what_old_rows_tell() {
    let db = filled(2).await;
    MIGRATIONS.run(&db).await.unwrap();
    let unseen: Vec<(Date, i32)> =
        sqlx::query_as("select day, never_seen_places from day_total where never_seen_places > 0 order by day")
            .fetch_all(&db)
            .await
            .unwrap();
    let (from, until) = (date!(2026 - 11 - 22), date!(2026 - 11 - 24));
    assert_eq!(
        unseen,
        [(from, 1), (date!(2026 - 11 - 23), 1), (until, 1)],
        "us-east-1 of an account that delivers elsewhere"
    );
    let again: Vec<(i64, Option<i64>)> =
        sqlx::query_as("select object_id, retry_above from object_outcome where outcome = 'unreadable' order by 1")
            .fetch_all(&db)
            .await
            .unwrap();
    assert_eq!(again, [(49, None), (50, Some(1_048_576)), (51, Some(0))], "cut; beyond the limit; not opened");
    let named: Option<Date> = sqlx::query_scalar("select named_on from conformance_pack where conformance_pack_id = 4")
        .fetch_one(&db)
        .await
        .unwrap();
    assert_eq!(named, Some(date!(2026 - 11 - 23)));
    let read: Vec<(i64, Option<i64>, Option<i64>)> = sqlx::query_as(
        "select object_id, hashed_by, read_by from object where object_id in (16, 20, 41, 49, 51) order by 1",
    )
    .fetch_all(&db)
    .await
    .unwrap();
    let expected =
        [(16, Some(1), Some(1)), (20, None, None), (41, Some(2), Some(2)), (49, Some(3), None), (51, None, None)];
    assert_eq!(read, expected);
}

#[actix_web::test]
async fn entries_that_stood_before_the_chain_are_linked_by_its_migration() {
    let before = MIGRATIONS.migrations.iter().position(|migration| migration.version == 20_261_201_000_026).unwrap();
    let db = filled(before).await;
    let entries: i64 = sqlx::query_scalar("select count(*) from audit_log").fetch_one(&db).await.unwrap();
    assert!(entries > 10);
    MIGRATIONS.run(&db).await.unwrap();
    audit_log::record_alone(&db, &audit_log::Entry::by_operator("collect", "")).await.unwrap();

    let checked = audit_log::command::verify(&db, vec![]).await.unwrap();
    assert!(checked.whole(), "{}", checked.report());
    assert_eq!((checked.by_upgrade, checked.head.entries), (entries, entries + 1));
    assert!(checked.report().contains(&format!("not proven: that {entries} entries stand as they were written")));
    let in_order: Vec<i64> =
        sqlx::query_scalar("select audit_log_id from audit_chain order by link_position").fetch_all(&db).await.unwrap();
    assert!(in_order.is_sorted(), "{in_order:?}");
}
