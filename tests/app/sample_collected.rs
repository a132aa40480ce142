//! The sample organisation, collected, against its true counts, which know nothing of the reader.

use std::collections::BTreeMap;

use auditfolio::collection::{self, Options as CollectOptions, Progress};
use auditfolio::sample::{Expected, Options, Summary, generate};
use sqlx::PgPool;
use time::Date;
use time::macros::date;

use crate::bucket::options;

type Counts = (i64, i64, i64, i64, i64);

#[derive(sqlx::FromRow)]
struct PlaceDay {
    day: Date,
    account_id: String,
    region: String,
    state: String,
    complying: i64,
    not_complying: i64,
    insufficient_data: i64,
    not_applicable: i64,
    unrecognised: i64,
    key: Option<String>,
}

async fn delivered(db: &PgPool) -> BTreeMap<(Date, String, String), (String, Counts, Option<String>)> {
    let rows: Vec<PlaceDay> = sqlx::query_as(
        "select d.day, p.account_id, p.region, d.state, d.complying, d.not_complying, d.insufficient_data,
                d.not_applicable, d.unrecognised, o.key
         from delivery d join place p using (place_id) left join object o using (object_id)
         where d.until_collection is null and d.state <> 'missing'",
    )
    .fetch_all(db)
    .await
    .unwrap();
    rows.into_iter()
        .map(|row| {
            let counts =
                (row.complying, row.not_complying, row.insufficient_data, row.not_applicable, row.unrecognised);
            ((row.day, row.account_id, row.region), (row.state, counts, row.key))
        })
        .collect()
}

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap()
}

fn expected_places(expected: &Expected) -> BTreeMap<(Date, String, String), (String, Counts, Option<String>)> {
    let mut places = BTreeMap::new();
    for day in &expected.days {
        for place in day.places.iter().filter(|place| place.state != "missing") {
            let it = &place.counts;
            let counts = (
                number(it.complying),
                number(it.not_complying),
                number(it.insufficient_data),
                number(it.not_applicable),
                number(it.unrecognised),
            );
            places.insert(
                (day.day, place.account_id.clone(), place.region.clone()),
                (place.state.clone(), counts, place.object.clone()),
            );
        }
    }
    places
}

pub(crate) async fn assert_store_is_true(db: &PgPool, expected: &Expected) {
    let mut stored = delivered(db).await;
    let mut wanted = expected_places(expected);
    let known = |state: &str| state.starts_with("delivered") || state == "inferred from history";
    // The object is told where it speaks.
    for (state, counts, key) in stored.values_mut().chain(wanted.values_mut()) {
        if !state.starts_with("delivered") {
            *key = None;
        }
        if !known(state) {
            *counts = Counts::default();
        }
    }
    for (place, truth) in &wanted {
        assert_eq!(stored.get(place), Some(truth), "{place:?}");
    }
    let more: Vec<_> = stored.keys().filter(|place| !wanted.contains_key(*place)).collect();
    assert!(more.is_empty(), "delivered and not expected to be: {more:?}");

    let totals: Vec<(Date, i32, i32, i32, i32, i64, i64, i64, i64, i64, i64)> = sqlx::query_as(
        "select day, expected_places, known_places, never_seen_accounts, never_seen_places, complying, not_complying,
                insufficient_data, not_applicable, unrecognised, unknown_carried from day_total order by day",
    )
    .fetch_all(db)
    .await
    .unwrap();
    let wanted: Vec<_> = expected
        .days
        .iter()
        .map(|day| {
            let it = &day.counts;
            let small = |value: u32| i32::try_from(value).unwrap();
            (
                day.day,
                small(day.expected_places),
                small(day.known_places),
                small(day.never_seen_accounts),
                small(day.never_seen_places),
                number(it.complying),
                number(it.not_complying),
                number(it.insufficient_data),
                number(it.not_applicable),
                number(it.unrecognised),
                number(day.unknown_carried),
            )
        })
        .collect();
    assert_eq!(totals, wanted);
}

fn make(name: &str) -> (Options, Summary, Expected) {
    let mut made = Options::new(crate::harness::scratch(name).join("bucket"));
    made.accounts = 12;
    made.days = 30;
    made.resources = 8;
    made.until = Some(date!(2026 - 11 - 21));
    let summary = generate(&made, |_| {}).unwrap();
    let expected = Expected::read(&made.out).unwrap();
    (made, summary, expected)
}

pub(crate) fn collecting(made: &Options, summary: &Summary) -> CollectOptions {
    CollectOptions { accounts: summary.account_lists.clone(), regions: summary.regions.clone(), ..options(&made.out) }
}

#[tokio::test]
async fn the_collected_sample_has_its_true_counts_on_every_day() {
    let db = crate::harness::database().await;
    let (made, summary, expected) = make("sample");
    let outcome = collection::run(&db, &collecting(&made, &summary), &Progress::silent()).await.unwrap();
    assert!(outcome.ladder.closes());
    assert!(!outcome.ladder.whole(), "the sample has objects that cannot be read");
    // One that a later readable snapshot of its day overtook need not be read.
    let superseded: Vec<String> =
        sqlx::query_scalar("select key from object join object_outcome using (object_id) where outcome = 'superseded'")
            .fetch_all(&db)
            .await
            .unwrap();
    let unreadable: Vec<&String> = outcome.unreadable.iter().map(|(name, _)| name).collect();
    let mut wanted: Vec<&String> =
        expected.unreadable_objects.iter().filter(|name| !superseded.contains(name)).collect();
    wanted.sort_unstable();
    assert!(!wanted.is_empty());
    assert_eq!(unreadable, wanted);
    assert_store_is_true(&db, &expected).await;
}

#[tokio::test]
async fn days_that_arrive_late_and_in_pieces_end_in_the_same_store() {
    let db = crate::harness::database().await;
    let (made, summary, expected) = make("sample-late");
    let held_back = made.out.parent().unwrap().join("held-back");
    std::fs::create_dir_all(&held_back).unwrap();
    for (at, late) in expected.late_objects.iter().enumerate() {
        std::fs::rename(made.out.join(&late.object), held_back.join(at.to_string())).unwrap();
    }
    let middle = date!(2026 - 11 - 10);
    let whole = collecting(&made, &summary);
    let second_half = CollectOptions { since: Some(middle), ..whole.clone() };
    let first_half = CollectOptions { until: middle.previous_day(), ..whole.clone() };
    for options in [second_half, first_half] {
        assert!(collection::run(&db, &options, &Progress::silent()).await.unwrap().ladder.closes());
    }
    for (at, late) in expected.late_objects.iter().enumerate() {
        std::fs::rename(held_back.join(at.to_string()), made.out.join(&late.object)).unwrap();
    }
    let outcome = collection::run(&db, &whole, &Progress::silent()).await.unwrap();
    assert_eq!(outcome.ladder.objects_collected, number_of_late(&expected));
    assert_store_is_true(&db, &expected).await;
}

fn number_of_late(expected: &Expected) -> u64 {
    u64::try_from(expected.late_objects.len()).unwrap()
}
