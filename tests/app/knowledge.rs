//! Knowledge points through real collections: what an export said once it says for ever.

use std::collections::BTreeMap;

use auditfolio::compliance::evidence::KnownAt;
use auditfolio::compliance::evidence::export::{ExportArgs, ExportFormat, run};
use auditfolio::database::read_only;
use sqlx::PgPool;
use time::{Date, Month};

use crate::bucket::{Bucket, snapshot_name};
use crate::collection::collect;
use crate::harness::database;
use crate::world::Random;

const ACCOUNTS: [&str; 2] = ["000000000007", "012345678902"];
const REGION: &str = "eu-west-1";
const RULES: [&str; 3] = ["s3-bucket-versioning-enabled", "encrypted-volumes", "own-rule"];
const RESOURCES: [&str; 4] = ["a", "B", "c", "=d"];
const STATUSES: [&str; 5] = ["COMPLIANT", "NON_COMPLIANT", "NON_COMPLIANT", "INSUFFICIENT_DATA", "NOT_APPLICABLE"];
pub(crate) const DAYS: u8 = 8;

/// By account and day: what the last readable snapshot says, as (rule, resource) and status.
pub(crate) type Table = BTreeMap<(&'static str, u8), BTreeMap<(&'static str, &'static str), &'static str>>;

fn pick<T: Copy>(random: &mut Random, list: &[T]) -> T {
    list[usize::try_from(random.below(u64::try_from(list.len()).unwrap())).unwrap()]
}

/// Delivers some snapshots from a day on, late days and second ones of a day among them, some unreadable.
pub(crate) fn deliver(bucket: &Bucket, random: &mut Random, table: &mut Table, hour: u8, first: u8) {
    let day = |random: &mut Random| u8::try_from(random.below(u64::from(DAYS + 1 - first))).unwrap() + first;
    for account in ACCOUNTS {
        for _ in 0..random.below(4) {
            let day = day(random);
            let name = snapshot_name(account, REGION, day, hour);
            if bucket.root.join(&name).exists() {
                continue;
            }
            if random.below(5) == 0 {
                bucket.put(&name, b"not gzip");
                continue;
            }
            let mut said = BTreeMap::new();
            for rule in RULES {
                for resource in RESOURCES {
                    if random.below(4) > 0 {
                        said.insert((rule, resource), pick(random, &STATUSES));
                    }
                }
            }
            let lists: Vec<(&str, Vec<(&str, &str)>)> = RESOURCES
                .into_iter()
                .map(|resource| {
                    let of_it = said.iter().filter(|(key, _)| key.1 == resource);
                    (resource, of_it.map(|(key, status)| (key.0, *status)).collect())
                })
                .collect();
            let items: Vec<(&str, &[(&str, &str)])> = lists
                .iter()
                .filter(|(_, list)| !list.is_empty())
                .map(|(resource, list)| (*resource, list.as_slice()))
                .collect();
            bucket.snapshot_of(account, REGION, day, hour, &items);
            table.insert((account, day), said);
        }
    }
    // A place with history alone; some day it may deliver a snapshot, even of an earlier day.
    let day = day(random);
    if random.below(3) > 0 {
        bucket.history(day, &[("h", hour, Some(&[("own-rule", pick(random, &STATUSES))]))]);
    } else {
        bucket.snapshot(day, hour, &[("h", &[("own-rule", pick(random, &STATUSES))])]);
    }
}

/// The export of a day or a period; `None` where nothing of it was collected by then.
pub(crate) async fn export(db: &PgPool, from: u8, until: u8, known_at: KnownAt) -> Option<String> {
    let date = |day| Date::from_calendar_date(2026, Month::November, day).unwrap();
    let one = from == until;
    let args = ExportArgs {
        as_of: one.then(|| date(from)),
        from: (!one).then(|| date(from)),
        until: (!one).then(|| date(until)),
        known_at: Some(known_at.0),
        accounts: vec![],
        scope: None,
        format: ExportFormat::Jsonl,
    };
    let mut out = Vec::new();
    match run(&args, "Example", db, &mut out).await {
        Ok(_) => Some(String::from_utf8(out).unwrap()),
        Err(error) if error.to_string().contains("collected day") => None,
        Err(error) => panic!("{error:#}"),
    }
}

fn wanted(table: &Table, day: u8) -> Vec<(String, String, String, String)> {
    let mut rows: Vec<_> = table
        .iter()
        .filter(|(key, _)| key.1 == day)
        .flat_map(|(key, said)| {
            said.iter().map(|((rule, resource), status)| (key.0, *rule, *resource, *status)).collect::<Vec<_>>()
        })
        .map(|(account, rule, resource, status)| (account.into(), rule.into(), resource.into(), status.into()))
        .collect();
    rows.sort();
    rows
}

fn found(text: Option<&str>) -> Vec<(String, String, String, String)> {
    let word = |row: &serde_json::Value, name: &str| row[name].as_str().unwrap().to_owned();
    text.unwrap_or_default()
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|row| (word(&row, "account_id"), word(&row, "rule_name"), word(&row, "resource_id"), word(&row, "status")))
        .filter(|row| ACCOUNTS.contains(&row.0.as_str()))
        .collect()
}

#[actix_web::test]
async fn what_an_export_said_at_a_collection_it_says_after_any_later_one() {
    for seed in 10..13 {
        let (db, bucket, mut random) = (database().await, Bucket::new(&format!("knowledge-{seed}")), Random(seed));
        let mut table = Table::new();
        let mut remembered = Vec::new();
        for hour in 1..=5 {
            deliver(&bucket, &mut random, &mut table, hour, 1);
            collect(&db, &bucket).await;
            let organization_id: i16 =
                sqlx::query_scalar("select organization_id from organization").fetch_one(&db).await.unwrap();
            let known_at = KnownAt::latest(&mut read_only(&db).await.unwrap(), organization_id).await.unwrap().unwrap();
            let mut texts = Vec::new();
            for (from, until) in (1..=DAYS).map(|day| (day, day)).chain([(1, DAYS), (3, 6)]) {
                let text = export(&db, from, until, known_at).await;
                if from == until {
                    assert_eq!(found(text.as_deref()), wanted(&table, from), "day {from}, seed {seed}, hour {hour}");
                }
                texts.push((from, until, text));
            }
            remembered.push((known_at, texts));
        }
        for (known_at, texts) in remembered {
            for (from, until, text) in texts {
                assert_eq!(
                    export(&db, from, until, known_at).await,
                    text,
                    "{from} to {until}, seed {seed}, {known_at:?}"
                );
            }
        }
    }
}
