//! The store against a table of every day, under random deliveries: any order, gaps, late and restated days, several
//! snapshots a day, unreadable and silent ones, history before snapshots, resources and rules that vanish and return.

use std::collections::{BTreeMap, BTreeSet};

use auditfolio::compliance::evidence::{DayPopulation, KnownAt, Scope};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use sqlx::PgPool;
use time::{Date, Month};

use crate::bucket::{ACCOUNT, Bucket, REGION, snapshot_name};
use crate::collection::collect;

const RESOURCES: [&str; 3] = ["a", "b", "c/<b>"];
const RULES: [&str; 3] = ["r", "s3-bucket-versioning-enabled-conformance-pack-k3yq7n1xz", "t"];
const STATUSES: [&str; 5] = ["COMPLIANT", "NON_COMPLIANT", "INSUFFICIENT_DATA", "NOT_APPLICABLE", "ODD"];
const DAYS: std::ops::Range<u8> = 1..8;

/// Resource and rule to status, by index.
type Truth = BTreeMap<(usize, usize), usize>;

#[derive(Debug, Clone)]
enum Content {
    Snapshot(Truth),
    Unreadable,
    Silent,
}

#[derive(Debug, Clone)]
enum Delivery {
    Snapshot {
        day: u8,
        hour: u8,
        content: Content,
    },
    /// Items by resource and hour; `None` is a deletion.
    History {
        day: u8,
        items: Vec<(usize, u8, Option<BTreeMap<usize, usize>>)>,
    },
}

fn delivery() -> impl Strategy<Value = Delivery> {
    let truth = prop::collection::btree_map((0..RESOURCES.len(), 0..RULES.len()), 0..STATUSES.len(), 1..7);
    let content = prop_oneof![
        6 => truth.prop_map(Content::Snapshot),
        1 => Just(Content::Unreadable),
        1 => Just(Content::Silent),
    ];
    let rules = prop::collection::btree_map(0..RULES.len(), 0..STATUSES.len(), 0..3);
    let items = prop::collection::vec((0..RESOURCES.len(), 0_u8..23, prop::option::weighted(0.8, rules)), 1..4);
    prop_oneof![
        5 => (DAYS, prop::sample::select(vec![3_u8, 9, 21]), content)
            .prop_map(|(day, hour, content)| Delivery::Snapshot { day, hour, content }),
        2 => (DAYS, items).prop_map(|(day, items)| Delivery::History { day, items }),
    ]
}

/// Everything delivered so far, and what must be said of it.
#[derive(Default)]
struct Model {
    snapshots: BTreeMap<(u8, u8), Content>,
    history: BTreeMap<u8, Vec<(usize, u8, Option<BTreeMap<usize, usize>>)>>,
}

type Said = BTreeSet<(String, String, String)>;

fn words(truth: &Truth) -> Said {
    truth
        .iter()
        .map(|(&(resource, rule), &status)| (RULES[rule].into(), RESOURCES[resource].into(), STATUSES[status].into()))
        .collect()
}

impl Model {
    /// State and evaluations of each day.
    fn days(&self) -> BTreeMap<u8, (&'static str, Said)> {
        let mut days = BTreeMap::new();
        for day in DAYS {
            let mut later_unreadable = false;
            for hour in [21, 9, 3] {
                match self.snapshots.get(&(day, hour)) {
                    None => {}
                    Some(Content::Unreadable) => {
                        later_unreadable = true;
                        days.insert(day, ("unreadable", Said::new()));
                    }
                    Some(Content::Silent) => {
                        days.insert(day, ("no compliance items", Said::new()));
                        break;
                    }
                    Some(Content::Snapshot(truth)) => {
                        let state = if later_unreadable { "delivered, later object unreadable" } else { "delivered" };
                        days.insert(day, (state, words(truth)));
                        break;
                    }
                }
            }
        }
        let first = days.iter().find(|(_, (state, _))| state.starts_with("delivered")).map_or(u8::MAX, |(day, _)| *day);
        let silent: BTreeSet<u8> =
            days.iter().filter(|(_, (state, _))| *state == "no compliance items").map(|(day, _)| *day).collect();
        for &day in self.history.keys().filter(|day| **day < first && !silent.contains(day)) {
            days.insert(day, ("inferred from history", self.inferred(day)));
        }
        days
    }

    fn inferred(&self, day: u8) -> Said {
        let mut latest: BTreeMap<usize, ((u8, u8), &Option<BTreeMap<usize, usize>>)> = BTreeMap::new();
        for (&delivered, items) in self.history.range(..=day) {
            for (resource, hour, rules) in items {
                let at = (delivered, *hour);
                if latest.get(resource).is_none_or(|(last, _)| at >= *last) {
                    latest.insert(*resource, (at, rules));
                }
            }
        }
        let mut truth = Truth::new();
        for (resource, (_, rules)) in latest {
            for (&rule, &status) in rules.iter().flatten() {
                truth.insert((resource, rule), status);
            }
        }
        words(&truth)
    }

    fn deliver(&mut self, bucket: &Bucket, delivery: &Delivery) {
        match delivery {
            Delivery::Snapshot { day, hour, content } => {
                // A key is delivered once.
                if self.snapshots.contains_key(&(*day, *hour)) {
                    return;
                }
                self.snapshots.insert((*day, *hour), content.clone());
                match content {
                    Content::Snapshot(truth) => {
                        let mut by_resource: BTreeMap<usize, Vec<(&str, &str)>> = BTreeMap::new();
                        for (&(resource, rule), &status) in truth {
                            by_resource.entry(resource).or_default().push((RULES[rule], STATUSES[status]));
                        }
                        let resources: Vec<(&str, &[(&str, &str)])> =
                            by_resource.iter().map(|(at, rules)| (RESOURCES[*at], rules.as_slice())).collect();
                        bucket.snapshot(*day, *hour, &resources);
                    }
                    Content::Unreadable => bucket.put(&snapshot_name(ACCOUNT, REGION, *day, *hour), b"\x1f\x8bcut"),
                    Content::Silent => {
                        bucket.snapshot(*day, *hour, &[]);
                    }
                }
            }
            Delivery::History { day, items } => {
                if self.history.contains_key(day) {
                    return;
                }
                self.history.insert(*day, items.clone());
                let lists: Vec<Option<Vec<(&str, &str)>>> = items
                    .iter()
                    .map(|(_, _, rules)| {
                        rules
                            .as_ref()
                            .map(|it| it.iter().map(|(&rule, &status)| (RULES[rule], STATUSES[status])).collect())
                    })
                    .collect();
                let items: Vec<_> = items
                    .iter()
                    .zip(&lists)
                    .map(|((resource, hour, _), rules)| (RESOURCES[*resource], *hour, rules.as_deref()))
                    .collect();
                bucket.history(*day, &items);
            }
        }
    }
}

fn november(day: u8) -> Date {
    Date::from_calendar_date(2026, Month::November, day).unwrap()
}

/// What the store says of each day as known at a collection; nothing for days that it does not know.
async fn said(db: &PgPool, known_at: i64) -> BTreeMap<u8, Said> {
    let organization_id: i16 =
        sqlx::query_scalar("select organization_id from organization").fetch_one(db).await.unwrap();
    let mut tx = auditfolio::database::read_only(db).await.unwrap();
    let mut days = BTreeMap::new();
    for day in DAYS {
        let scope = Scope::whole(organization_id);
        let mut population = DayPopulation::open(&mut tx, &scope, november(day), KnownAt(known_at)).await.unwrap();
        let mut said = Said::new();
        while let Some(batch) = population.next(&mut tx).await.unwrap() {
            said.extend(
                batch.rows().map(|row| (row.rule.name.clone(), row.resource_id.to_string(), row.status.to_string())),
            );
        }
        days.insert(day, said);
    }
    days
}

/// The roll-up's counts against the runs', on every day.
async fn rollup_differs(db: &PgPool) -> i64 {
    sqlx::query_scalar(
        "with days as (select make_date(2026, 11, n) as day from generate_series(1, 9) n),
         counted as (
             select d.day, r.rule_id, s.resource_type_id, r.status_id, count(*) as n
             from days d join run r on r.first_day <= d.day and r.end_day > d.day join resource s using (resource_id)
             group by 1, 2, 3, 4
         ), rolled as (
             select d.day, r.rule_id, r.resource_type_id, v.status_id, v.n
             from days d join rollup r on r.first_day <= d.day and r.end_day > d.day
             cross join lateral (values (1, r.complying), (2, r.not_complying), (3, r.insufficient_data),
                                        (4, r.not_applicable), (100, r.unrecognised)) v (status_id, n)
             where v.n > 0
         )
         select count(*) from counted full join rolled using (day, rule_id, resource_type_id, status_id)
         where counted.n is distinct from rolled.n",
    )
    .fetch_one(db)
    .await
    .unwrap()
}

#[test]
fn the_store_equals_a_table_of_every_day_and_every_collection_can_be_read_back() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let config = Config { cases: 40, max_shrink_iters: 60, ..Config::default() };
    // The same cases in every run: one that fails once can be looked at again.
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let rounds = prop::collection::vec(prop::collection::vec(delivery(), 1..6), 1..5);
    let case = std::cell::Cell::new(0);
    runner
        .run(&rounds, |rounds| {
            case.set(case.get() + 1);
            runtime.block_on(async {
                let db = crate::harness::database().await;
                let bucket = Bucket::new(&format!("laws-{}", case.get()));
                let mut model = Model::default();
                let mut known: Vec<(i64, BTreeMap<u8, Said>)> = Vec::new();
                for round in &rounds {
                    for delivery in round {
                        model.deliver(&bucket, delivery);
                    }
                    let outcome = collect(&db, &bucket).await;
                    prop_assert!(outcome.ladder.closes());
                    let days = model.days();
                    let states: Vec<(Date, String)> = sqlx::query_as(
                        "select day, state from delivery where until_collection is null and state <> 'missing' order by day",
                    )
                    .fetch_all(&db)
                    .await
                    .unwrap();
                    let states: Vec<_> = states.iter().map(|(day, state)| (day.day(), state.as_str())).collect();
                    let expected: Vec<_> = days.iter().map(|(day, (state, _))| (*day, *state)).collect();
                    prop_assert_eq!(states, expected);
                    let expected: BTreeMap<u8, Said> =
                        DAYS.map(|day| (day, days.get(&day).map(|(_, said)| said.clone()).unwrap_or_default())).collect();
                    prop_assert_eq!(&said(&db, outcome.collection_id).await, &expected);
                    prop_assert_eq!(rollup_differs(&db).await, 0);
                    known.push((outcome.collection_id, expected));
                }
                for (collection_id, expected) in known {
                    prop_assert_eq!(said(&db, collection_id).await, expected, "as known at {}", collection_id);
                }
                db.close().await;
                Ok(())
            })
        })
        .unwrap();
}
