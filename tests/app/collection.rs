//! From a folder of delivered objects to the store.

use std::collections::BTreeMap;

use auditfolio::collection::{self, Outcome};
use sqlx::PgPool;
use time::Date;

use crate::bucket::{ACCOUNT, Bucket, REGION, options};

pub(crate) async fn collect(db: &PgPool, bucket: &Bucket) -> Outcome {
    collection::run(db, &options(&bucket.root), &collection::Progress::silent()).await.unwrap()
}

/// The states of the place's days, by day of the month.
pub(crate) async fn states(db: &PgPool) -> BTreeMap<u8, String> {
    let rows: Vec<(Date, String)> =
        sqlx::query_as("select day, state from delivery where until_collection is null order by day")
            .fetch_all(db)
            .await
            .unwrap();
    rows.into_iter().map(|(day, state)| (day.day(), state)).collect()
}

/// What the store says of a day of November: rule, resource, status.
pub(crate) async fn said(db: &PgPool, day: u8) -> Vec<(String, String, String)> {
    sqlx::query_as(
        "select rule.name, resource.id, status.name from run
         join rule using (rule_id) join resource using (resource_id) join status using (status_id)
         where first_day <= make_date(2026, 11, $1) and end_day > make_date(2026, 11, $1)
         order by 1, 2",
    )
    .bind(i32::from(day))
    .fetch_all(db)
    .await
    .unwrap()
}

pub(crate) fn rows(rows: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
    rows.iter().map(|(rule, id, status)| ((*rule).into(), (*id).into(), (*status).into())).collect()
}

#[tokio::test]
async fn days_are_kept_as_runs_and_a_gap_cuts_none() {
    let db = crate::harness::database().await;
    let bucket = Bucket::new("runs");
    bucket.snapshot(1, 5, &[("a", &[("r", "COMPLIANT")]), ("b", &[("r", "NON_COMPLIANT")])]);
    bucket.snapshot(2, 5, &[("a", &[("r", "NON_COMPLIANT")]), ("b", &[("r", "NON_COMPLIANT")])]);
    bucket.snapshot(5, 5, &[("b", &[("r", "NON_COMPLIANT")])]);
    let outcome = collect(&db, &bucket).await;

    assert!(outcome.ladder.closes());
    assert_eq!(outcome.ladder.evaluations_stored, 5);
    assert_eq!(said(&db, 1).await, rows(&[("r", "a", "COMPLIANT"), ("r", "b", "NON_COMPLIANT")]));
    assert_eq!(said(&db, 2).await, rows(&[("r", "a", "NON_COMPLIANT"), ("r", "b", "NON_COMPLIANT")]));
    assert_eq!(said(&db, 5).await, rows(&[("r", "b", "NON_COMPLIANT")]));
    let runs: i64 = sqlx::query_scalar("select count(*) from run").fetch_one(&db).await.unwrap();
    assert_eq!(runs, 3);

    let again = collect(&db, &bucket).await;
    assert_eq!((again.ladder.objects_seen_before, again.ladder.objects_collected), (3, 0));
}

#[tokio::test]
async fn the_last_readable_snapshot_speaks_for_its_day() {
    let db = crate::harness::database().await;
    let bucket = Bucket::new("authority");
    bucket.snapshot(1, 3, &[("a", &[("r", "COMPLIANT")])]);
    bucket.snapshot(1, 9, &[("a", &[("r", "NON_COMPLIANT")])]);
    bucket.put(&crate::bucket::snapshot_name(ACCOUNT, REGION, 1, 21), b"\x1f\x8b cut");
    bucket.put(&crate::bucket::snapshot_name(ACCOUNT, REGION, 2, 21), b"not gzip at all");
    bucket.snapshot(3, 3, &[]);
    bucket.put("o-abc/AWSLogs/012345678901/Config/ConfigWritabilityCheckFile", b"");
    let outcome = collect(&db, &bucket).await;

    assert!(outcome.ladder.closes(), "{:?}", outcome.ladder);
    assert!(!outcome.ladder.whole());
    assert_eq!(outcome.unreadable.len(), 2);
    let ladder = &outcome.ladder;
    assert_eq!((ladder.objects_collected, ladder.objects_superseded, ladder.objects_unreadable), (2, 1, 2));
    assert_eq!(said(&db, 1).await, rows(&[("r", "a", "NON_COMPLIANT")]));
    let states = states(&db).await;
    assert_eq!(states[&1], "delivered, later object unreadable");
    assert_eq!(states[&2], "unreadable");
    assert_eq!(states[&3], "no compliance items");
}

#[tokio::test]
async fn a_late_day_restates_what_it_changes_and_says_so() {
    let db = crate::harness::database().await;
    let bucket = Bucket::new("late");
    bucket.snapshot(1, 5, &[("a", &[("r", "COMPLIANT")])]);
    bucket.snapshot(3, 5, &[("a", &[("r", "COMPLIANT")])]);
    collect(&db, &bucket).await;
    bucket.snapshot(2, 5, &[("a", &[("r", "NON_COMPLIANT")])]);
    bucket.snapshot(3, 8, &[("a", &[("r", "NON_COMPLIANT")]), ("b", &[("r", "COMPLIANT")])]);
    collect(&db, &bucket).await;

    assert_eq!(said(&db, 2).await, rows(&[("r", "a", "NON_COMPLIANT")]));
    assert_eq!(said(&db, 3).await, rows(&[("r", "a", "NON_COMPLIANT"), ("r", "b", "COMPLIANT")]));
    let written: Vec<(Date, i64, i64)> =
        sqlx::query_as("select day, rows_added, rows_removed from delivery where since_collection = 2 order by day")
            .fetch_all(&db)
            .await
            .unwrap();
    let written: Vec<_> = written.into_iter().map(|(day, added, removed)| (day.day(), added, removed)).collect();
    assert_eq!(written, [(2, 1, 0), (3, 2, 1)]);
    let restated: i64 = sqlx::query_scalar("select count(*) from restatement").fetch_one(&db).await.unwrap();
    assert_eq!(restated, 2);
}

#[tokio::test]
async fn history_speaks_only_before_the_first_snapshot() {
    let db = crate::harness::database().await;
    let bucket = Bucket::new("history");
    bucket.history(1, &[("a", 2, Some(&[("r", "COMPLIANT")])), ("b", 2, Some(&[("r", "COMPLIANT")]))]);
    bucket.history(3, &[("a", 3, Some(&[("r", "NON_COMPLIANT")])), ("b", 4, None)]);
    let outcome = collect(&db, &bucket).await;
    assert!(outcome.ladder.closes());
    assert_eq!(said(&db, 1).await, rows(&[("r", "a", "COMPLIANT"), ("r", "b", "COMPLIANT")]));
    assert_eq!(said(&db, 3).await, rows(&[("r", "a", "NON_COMPLIANT")]));
    assert_eq!(
        states(&db).await,
        BTreeMap::from([(1, "inferred from history".into()), (3, "inferred from history".into())])
    );

    // A snapshot of the 2nd arrives late: the 3rd is a gap from now on.
    bucket.snapshot(2, 5, &[("a", &[("r", "COMPLIANT")])]);
    bucket.history(4, &[("a", 3, Some(&[("r", "COMPLIANT")]))]);
    let outcome = collect(&db, &bucket).await;
    assert!(outcome.ladder.closes(), "{:?}", outcome.ladder);
    assert_eq!(
        states(&db).await,
        BTreeMap::from([(1, "inferred from history".into()), (2, "delivered".into()), (3, "missing".into())])
    );
    assert_eq!(outcome.ladder.objects_superseded, 1);
}

#[tokio::test]
async fn a_day_that_history_no_longer_speaks_for_is_as_its_snapshots_are() {
    let db = crate::harness::database().await;
    let bucket = Bucket::new("outlived");
    bucket.history(3, &[("a", 2, Some(&[("r", "COMPLIANT")]))]);
    bucket.put(&crate::bucket::snapshot_name(ACCOUNT, REGION, 3, 3), b"\x1f\x8bcut");
    collect(&db, &bucket).await;
    assert_eq!(states(&db).await, BTreeMap::from([(3, "inferred from history".into())]));
    bucket.snapshot(1, 3, &[("a", &[("r", "COMPLIANT")])]);
    collect(&db, &bucket).await;
    assert_eq!(states(&db).await, BTreeMap::from([(1, "delivered".into()), (3, "unreadable".into())]));
}

#[tokio::test]
async fn history_speaks_again_once_the_first_snapshot_is_taken_back() {
    let db = crate::harness::database().await;
    let bucket = Bucket::new("taken-back");
    bucket.snapshot(1, 3, &[("a", &[("r", "COMPLIANT")])]);
    collect(&db, &bucket).await;
    bucket.history(2, &[("a", 2, Some(&[("r", "NON_COMPLIANT")]))]);
    collect(&db, &bucket).await;
    assert_eq!(states(&db).await, BTreeMap::from([(1, "delivered".into())]));
    bucket.snapshot(1, 9, &[]);
    collect(&db, &bucket).await;
    let wanted = BTreeMap::from([(1, "no compliance items".into()), (2, "inferred from history".into())]);
    assert_eq!(states(&db).await, wanted);
    assert_eq!(said(&db, 2).await, rows(&[("r", "a", "NON_COMPLIANT")]));
}

#[tokio::test]
async fn an_object_that_changed_after_it_was_collected_is_reported_by_recheck() {
    let db = crate::harness::database().await;
    let bucket = Bucket::new("recheck");
    let name = bucket.snapshot(1, 5, &[("a", &[("r", "COMPLIANT")])]);
    collect(&db, &bucket).await;
    // The time in the gzip header: no reader looks at it.
    bucket.change_unseen(&name, |bytes| bytes[4] ^= 1);

    assert!(collect(&db, &bucket).await.ladder.whole(), "size and time are the same");
    let recheck = collection::Options { recheck: true, ..options(&bucket.root) };
    let outcome = collection::run(&db, &recheck, &collection::Progress::silent()).await.unwrap();
    assert!(!outcome.ladder.whole());
    assert_eq!(outcome.ladder.changed.len(), 1);
    assert_eq!(outcome.ladder.changed[0].0, name);
}

#[tokio::test]
async fn two_collections_at_once_do_no_harm() {
    let db = crate::harness::database().await;
    let bucket = Bucket::new("twice");
    for day in 1..=9 {
        for account in ["111111111111", "222222222222", "333333333333"] {
            let status = if day % 2 == 0 { "COMPLIANT" } else { "NON_COMPLIANT" };
            bucket.snapshot_of(account, REGION, day, 5, &[("a", &[("r", status)]), ("b", &[("s", "COMPLIANT")])]);
        }
    }
    let (one, other) = tokio::join!(collect(&db, &bucket), collect(&db, &bucket));
    assert!(one.ladder.closes() && other.ladder.closes());
    let mut collected = [one.ladder.objects_collected, other.ladder.objects_collected];
    collected.sort_unstable();
    assert_eq!(collected, [0, 27], "the second waited for the first");
    let deliveries: i64 = sqlx::query_scalar("select count(*) from delivery").fetch_one(&db).await.unwrap();
    assert_eq!(deliveries, 27);
    assert_eq!(said(&db, 4).await.len(), 6);
}
