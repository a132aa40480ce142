//! Promise 1 through the store: *at least* does not rise when evidence of an unchanged population is taken away.

use std::collections::BTreeMap;

use auditfolio::collection::{self, Options, Progress};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use sqlx::PgPool;
use time::Date;

use crate::bucket::{Bucket, options};
use crate::collection_laws::runner;

const ACCOUNTS: [&str; 2] = ["012345678901", "210987654321"];
const REGIONS: [&str; 2] = ["eu-central-1", "us-east-1"];
const STATUSES: [&str; 5] = ["COMPLIANT", "NON_COMPLIANT", "INSUFFICIENT_DATA", "NOT_APPLICABLE", "ODD"];

/// By place: what its resources say, on every day.
type Population = Vec<Vec<usize>>;

/// Complying, and complying, not complying and unknown together; `None` where not computable.
type AtLeast = Option<(i64, i64)>;

async fn at_least(db: &PgPool) -> BTreeMap<Date, AtLeast> {
    let days: Vec<(Date, bool, i64, i64)> = sqlx::query_as(
        "select day, never_seen_accounts + never_seen_places > 0, complying,
                complying + not_complying + insufficient_data + unrecognised + unknown_carried
         from day_total order by day",
    )
    .fetch_all(db)
    .await
    .unwrap();
    days.into_iter().map(|(day, never, complying, all)| (day, (!never).then_some((complying, all)))).collect()
}

/// The snapshots that were delivered: place, day and hour.
fn deliver(bucket: &Bucket, population: &Population, (place, day, hour): (usize, u8, u8)) -> String {
    let rules = |status: usize| [("r", STATUSES[status])];
    let rules: Vec<_> = population[place].iter().map(|status| rules(*status)).collect();
    let names: Vec<String> = (0..rules.len()).map(|at| format!("bucket-{at}")).collect();
    let resources: Vec<(&str, &[(&str, &str)])> =
        names.iter().zip(&rules).map(|(name, rules)| (name.as_str(), &rules[..])).collect();
    bucket.snapshot_of(ACCOUNTS[place / 2], REGIONS[place % 2], day, hour, &resources)
}

fn is_not_above(less: AtLeast, more: AtLeast) -> bool {
    match (less, more) {
        (None | Some((_, 0)), _) => true,
        (Some(_), None) => false,
        (Some((complying, all)), Some((of_more, all_of_more))) => complying * all_of_more <= of_more * all,
    }
}

async fn law(
    population: &Population,
    delivered: &[(usize, u8, u8)],
    gone: usize,
    name: &str,
) -> Result<(), TestCaseError> {
    let bucket = Bucket::new(name);
    let names: Vec<String> = delivered.iter().map(|one| deliver(&bucket, population, *one)).collect();
    let list = bucket.root.join("accounts-2026-10-01.json");
    let accounts: Vec<_> = ACCOUNTS.iter().map(|id| serde_json::json!({"Id": id, "Status": "ACTIVE"})).collect();
    std::fs::write(&list, serde_json::json!({ "Accounts": accounts }).to_string()).unwrap();
    let options =
        Options { accounts: vec![list], regions: REGIONS.map(str::to_owned).to_vec(), ..options(&bucket.root) };
    let mut figures = Vec::new();
    for removed in [false, true] {
        if removed {
            std::fs::remove_file(bucket.root.join(&names[gone % names.len()])).unwrap();
        }
        let db = crate::harness::database().await;
        collection::run(&db, &options, &Progress::silent()).await.unwrap();
        figures.push(at_least(&db).await);
        db.close().await;
    }
    std::fs::remove_dir_all(&bucket.root).unwrap();
    let (whole, less) = (&figures[0], &figures[1]);
    for (day, less) in less {
        prop_assert!(
            is_not_above(*less, whole[day]),
            "{} rises to {:?} from {:?} without {}",
            day,
            less,
            whole[day],
            names[gone % names.len()]
        );
    }
    Ok(())
}

#[test]
fn at_least_does_not_rise_when_an_object_is_taken_away() {
    let population = prop::collection::vec(prop::collection::vec(0..STATUSES.len(), 1..5), 4..=4);
    let delivered = prop::collection::btree_set((0..4_usize, 1_u8..5, prop::sample::select(&[5_u8, 21][..])), 1..14);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let number = std::cell::Cell::new(0);
    runner(40)
        .run(&(population, delivered, any::<usize>()), |(population, delivered, gone)| {
            number.set(number.get() + 1);
            let delivered: Vec<_> = delivered.into_iter().collect();
            runtime.block_on(law(&population, &delivered, gone, &format!("at-least-{}", number.get())))
        })
        .unwrap();
}
