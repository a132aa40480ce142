//! Collections after a removal: kept days as if nothing had been removed, days before them not at all.

use std::collections::BTreeMap;

use auditfolio::collection::{self, Options, Outcome, Progress};
use auditfolio::compliance::evidence::KnownAt;
use auditfolio::retention::Done;
use serde_json::Value;
use sqlx::PgPool;
use time::{Date, Month};

use crate::bucket::{ACCOUNT, Bucket, REGION, options};
use crate::collection::collect;
use crate::harness::database;
use crate::knowledge::{DAYS, Table, deliver, export};
use crate::retention::remove;
use crate::world::Random;

const OTHER: &str = "000000000007";

fn november(day: u8) -> Date {
    Date::from_calendar_date(2026, Month::November, day).unwrap()
}

async fn remove_before(db: &PgPool, day: u8) -> Option<Done> {
    remove(db, "Example", november(day)).await
}

/// States of an account's days as they stand.
async fn states(db: &PgPool, account: &str) -> BTreeMap<u8, String> {
    let rows: Vec<(Date, String)> = sqlx::query_as(
        "select day, state from delivery join place using (place_id)
         where until_collection is null and account_id = $1 order by day",
    )
    .bind(account)
    .fetch_all(db)
    .await
    .unwrap();
    rows.into_iter().map(|(day, state)| (day.day(), state)).collect()
}

fn told(days: &[(u8, &str)]) -> BTreeMap<u8, String> {
    days.iter().map(|(day, state)| (*day, (*state).to_owned())).collect()
}

/// The rows of an export without what is said not to be known any more of deviations that began before the first day kept.
fn comparable(whole: Option<&str>, cut: Option<&str>) -> (Vec<Value>, Vec<Value>) {
    let parse = |text: Option<&str>| -> Vec<Value> {
        text.unwrap_or_default().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let (mut whole, mut cut) = (parse(whole), parse(cut));
    for (was, is) in whole.iter_mut().zip(&mut cut) {
        let deviations = |row: &mut Value| row["deviations"].as_array().map_or(0, Vec::len);
        for at in 0..deviations(was).min(deviations(is)) {
            if is["deviations"][at]["before_removed"] == true {
                for row in [&mut *was, &mut *is] {
                    for name in ["before_removed", "last_day_known_good", "gap_days", "first_day_bad"] {
                        row["deviations"][at][name] = Value::Null;
                    }
                }
            }
        }
    }
    (whole, cut)
}

#[actix_web::test]
async fn what_is_collected_after_a_removal_is_what_would_have_been_without_it() {
    for seed in 20..24 {
        let (whole, cut) = (database().await, database().await);
        let (bucket, mut random) = (Bucket::new(&format!("retention-{seed}")), Random(seed));
        let mut table = Table::new();
        let mut points = 0;
        for hour in 1..=6 {
            let first = if hour > 3 { 5 } else { 1 };
            deliver(&bucket, &mut random, &mut table, hour, first);
            assert!(collect(&whole, &bucket).await.ladder.closes());
            let outcome = collect(&cut, &bucket).await;
            assert!(outcome.ladder.closes(), "seed {seed}, hour {hour}: {:?}", outcome.ladder);
            points = outcome.collection_id;
            if hour == 3 {
                remove_before(&cut, 5).await.unwrap();
            }
        }
        for point in 1..=points {
            let known_at = KnownAt(point);
            for (from, until) in (5..=DAYS).map(|day| (day, day)).chain([(5, DAYS), (6, 7)]) {
                let one = export(&whole, from, until, known_at).await;
                let other = export(&cut, from, until, known_at).await;
                let (was, is) = comparable(one.as_deref(), other.as_deref());
                assert_eq!(is, was, "{from} to {until}, seed {seed}, known at {point}");
            }
        }
        let totals = "select (t.*)::text from day_total t where day >= '2026-11-05' order by day";
        let of = async |db: &PgPool| sqlx::query_scalar::<_, String>(totals).fetch_all(db).await.unwrap();
        assert_eq!(of(&cut).await, of(&whole).await, "seed {seed}");
        let before: i64 = sqlx::query_scalar("select count(*) from day_total where day < '2026-11-05'")
            .fetch_one(&cut)
            .await
            .unwrap();
        assert_eq!(before, 0, "no day before the first one kept is summed");
    }
}

async fn collect_with(db: &PgPool, bucket: &Bucket, change: impl FnOnce(&mut Options)) -> Outcome {
    let mut options = options(&bucket.root);
    change(&mut options);
    collection::run(db, &options, &Progress::silent()).await.unwrap()
}

#[actix_web::test]
async fn objects_of_days_before_the_first_one_kept_are_counted_and_not_read() {
    let (db, bucket) = (database().await, Bucket::new("retention-floor"));
    for day in [1, 3, 4] {
        bucket.snapshot(day, 5, &[("a", &[("r", "COMPLIANT")])]);
    }
    collect(&db, &bucket).await;
    remove_before(&db, 3).await.unwrap();
    assert_eq!(states(&db, ACCOUNT).await, told(&[(1, "delivered"), (3, "delivered"), (4, "delivered")]));
    remove_before(&db, 4).await.unwrap();
    let left = told(&[(3, "delivered"), (4, "delivered")]);
    assert_eq!(states(&db, ACCOUNT).await, left, "the last day before stands for days without evidence");

    // Late, of before: a day of its own, and a later snapshot of the day that stands for others.
    bucket.snapshot(2, 5, &[("b", &[("r", "NON_COMPLIANT")])]);
    bucket.snapshot(3, 20, &[("a", &[("r", "NON_COMPLIANT")])]);
    bucket.put(&crate::bucket::snapshot_name(ACCOUNT, REGION, 1, 20), b"no gzip");
    for recheck in [false, true] {
        let outcome = collect_with(&db, &bucket, |options| options.recheck = recheck).await;
        let ladder = &outcome.ladder;
        assert!(ladder.closes(), "{ladder:?}");
        assert_eq!((ladder.objects_listed, ladder.objects_before_kept, ladder.objects_seen_before), (6, 5, 1));
        assert_eq!((ladder.objects_collected, ladder.objects_unreadable, ladder.days_written), (0, 0, 0));
        assert_eq!(ladder.rechecked, u64::from(recheck));
        assert!(ladder.skipped.iter().any(|(what, why)| what == "days before 2026-11-04" && why.contains("removed")));
        assert_eq!(states(&db, ACCOUNT).await, left);
    }
    let outcome = collect_with(&db, &bucket, |options| options.since = Some(november(1))).await;
    assert_eq!((outcome.ladder.objects_before_kept, outcome.ladder.objects_collected), (5, 0));
    let outcome = collect_with(&db, &bucket, |options| options.until = Some(november(2))).await;
    let ladder = &outcome.ladder;
    assert_eq!((ladder.objects_listed, ladder.objects_before_kept, ladder.objects_outside_days), (3, 3, 3));
    assert!(ladder.closes());
}

#[actix_web::test]
async fn a_first_snapshot_that_was_removed_is_still_the_first() {
    let (db, bucket) = (database().await, Bucket::new("retention-first"));
    bucket.snapshot(1, 5, &[("a", &[("r", "NON_COMPLIANT")])]);
    bucket.snapshot(2, 5, &[("a", &[("r", "NON_COMPLIANT")])]);
    for day in 1..=6 {
        bucket.snapshot_of(OTHER, REGION, day, 5, &[("o", &[("r", "COMPLIANT")])]);
    }
    collect(&db, &bucket).await;
    remove_before(&db, 5).await.unwrap();
    // Snapshots alone speak since day 1, which is gone: history changes nothing.
    bucket.history(5, &[("h", 6, Some(&[("r", "COMPLIANT")]))]);
    let outcome = collect(&db, &bucket).await;
    assert!(outcome.ladder.closes());
    assert_eq!((outcome.ladder.objects_superseded, outcome.ladder.days_inferred), (1, 0));
    assert_eq!(states(&db, ACCOUNT).await, told(&[(2, "delivered")]));
    let carried: Vec<i64> =
        sqlx::query_scalar("select unknown_carried from day_total order by day").fetch_all(&db).await.unwrap();
    assert_eq!(carried, [1, 1], "what was last known still counts as unknown");
    // A snapshot after the gap goes on from what was last known.
    bucket.snapshot(6, 5, &[("a", &[("r", "NON_COMPLIANT")])]);
    assert!(collect(&db, &bucket).await.ladder.closes());
    let first: Vec<Date> =
        sqlx::query_scalar("select first_day from run join place using (place_id) where account_id = $1")
            .bind(ACCOUNT)
            .fetch_all(&db)
            .await
            .unwrap();
    assert_eq!(first, [november(1)], "the failure is as old as it is");
}

#[actix_web::test]
async fn history_alone_goes_on_from_what_it_said_before_the_first_day_kept() {
    let (db, bucket) = (database().await, Bucket::new("retention-history"));
    bucket.history(1, &[("a", 6, Some(&[("r", "COMPLIANT")])), ("b", 6, Some(&[("r", "COMPLIANT")]))]);
    bucket.history(2, &[("a", 6, Some(&[("r", "NON_COMPLIANT")])), ("c", 6, Some(&[("r", "COMPLIANT")]))]);
    bucket.history(3, &[("c", 6, None)]);
    bucket.history(4, &[("d", 6, Some(&[("r", "COMPLIANT")]))]);
    collect(&db, &bucket).await;
    let done = remove_before(&db, 4).await.unwrap();
    assert_eq!(done.removed["history_item"], 2, "what was last said of each resource stays");
    // Said of a kept day, and of what nobody has spoken of since.
    bucket.history(5, &[("b", 6, Some(&[("r", "INSUFFICIENT_DATA")]))]);
    assert!(collect(&db, &bucket).await.ladder.closes());
    assert_eq!(
        states(&db, ACCOUNT).await,
        told(&[(3, "inferred from history"), (4, "inferred from history"), (5, "inferred from history")])
    );
    let text = export(&db, 5, 5, KnownAt(2)).await.unwrap();
    let said: Vec<(String, String)> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|row| (row["resource_id"].as_str().unwrap().to_owned(), row["status"].as_str().unwrap().to_owned()))
        .collect();
    let wanted = [("a", "NON_COMPLIANT"), ("b", "INSUFFICIENT_DATA"), ("d", "COMPLIANT")];
    assert_eq!(said, wanted.map(|(id, status)| (id.to_owned(), status.to_owned())));
    // A snapshot ends it; what history said before goes with the next removal.
    bucket.snapshot(6, 5, &[("a", &[("r", "COMPLIANT")])]);
    collect(&db, &bucket).await;
    remove_before(&db, 7).await.unwrap();
    let items: i64 = sqlx::query_scalar("select count(*) from history_item").fetch_one(&db).await.unwrap();
    assert_eq!(items, 0);
    let resources: Vec<String> =
        sqlx::query_scalar("select id from resource order by id").fetch_all(&db).await.unwrap();
    assert_eq!(resources, ["a"], "names of what nothing is left of are gone");
}

#[actix_web::test]
async fn a_collection_waits_for_a_removal_and_the_other_way_round() {
    let (db, bucket) = (database().await, Bucket::new("retention-turns"));
    for day in [1, 3, 4] {
        bucket.snapshot(day, 5, &[("a", &[("r", "COMPLIANT")])]);
    }
    collect(&db, &bucket).await;
    bucket.snapshot(5, 5, &[("a", &[("r", "NON_COMPLIANT")])]);
    let (collected, removed) = tokio::join!(collect(&db, &bucket), remove_before(&db, 4));
    assert!(collected.ladder.closes() && removed.is_some());
    assert_eq!(states(&db, ACCOUNT).await, told(&[(3, "delivered"), (4, "delivered"), (5, "delivered")]));
}
