//! Every kept day says after a removal what it said before, at every knowledge point.

use std::collections::BTreeMap;

use auditfolio::collection::day::Day;
use auditfolio::compliance::evidence::{
    Deviation, KnownAt, NeverSeenPlace, RuleLife, Totals, carried, never_seen, rule_lives,
};
use auditfolio::database::read_only;
use sqlx::PgPool;

use crate::evidence_laws::{PeriodLine, Row, read_day, read_period};
use crate::harness::database;
use crate::retention::remove;
use crate::world::{Captured, PLACES, Random, World};

const DAYS: i32 = 9;

/// All that a knowledge point says of kept days.
#[derive(Debug, PartialEq)]
struct Told {
    days: Vec<(Vec<Row>, Vec<Captured>)>,
    carried: Vec<Totals>,
    never_seen: Vec<Vec<NeverSeenPlace>>,
    rules: Vec<Vec<RuleLife>>,
    periods: Vec<Vec<PeriodLine>>,
}

async fn told(world: &World, first: i32, known_at: KnownAt) -> Told {
    let mut told = Told { days: vec![], carried: vec![], never_seen: vec![], rules: vec![], periods: vec![] };
    for day in (first..DAYS).map(|day| world.day(day)) {
        told.days.push(read_day(world, day, known_at).await);
        let mut read = read_only(&world.db).await.unwrap();
        let date = day.date().unwrap();
        for place in &world.places {
            told.carried.push(carried(&mut read, &[place.id], date, known_at).await.unwrap());
        }
        told.never_seen.push(never_seen(&mut read, &world.scope(), date, known_at).await.unwrap());
    }
    for from in first..DAYS {
        for until in [from, (from + 2).min(DAYS - 1), DAYS - 1] {
            let (from, until) = (world.day(from), world.day(until));
            told.periods.push(read_period(world, from, until, known_at).await);
            let mut read = read_only(&world.db).await.unwrap();
            let (from, until) = (from.date().unwrap(), until.date().unwrap());
            told.rules.push(rule_lives(&mut read, &world.scope(), from, until, known_at).await.unwrap());
        }
    }
    told
}

/// Of a deviation that began before the first day kept: what happened since, and at the latest knowledge point its first day.
fn since(deviation: &Deviation, latest: bool) -> Deviation {
    Deviation {
        last_day_known_good: None,
        before_removed: true,
        gap_days: 0,
        first_day_bad: if latest { deviation.first_day_bad } else { deviation.last_day_bad },
        ..*deviation
    }
}

/// The periods are the same, but for what is said not to be known any more.
fn same_periods(before: &[Vec<PeriodLine>], after: &[Vec<PeriodLine>], (floor, latest): (Day, bool), words: &str) {
    for (before, after) in before.iter().zip(after) {
        let rows = |lines: &[PeriodLine]| lines.iter().map(|line| (line.0.clone(), line.1)).collect::<Vec<_>>();
        assert_eq!(rows(after), rows(before), "{words}");
        for (was, is) in before.iter().zip(after) {
            assert_eq!(is.2.len(), was.2.len(), "{words}: {:?}", is.0);
            for (was, is) in was.2.iter().zip(&is.2) {
                if is.before_removed {
                    assert_eq!(since(is, latest), since(was, latest), "{words}: {is:?} was {was:?}");
                    assert!(is.gap_days <= was.gap_days, "{words}: {is:?} was {was:?}");
                    // Only what reached back over the floor is not known any more.
                    assert!(was.last_day_known_good.is_none_or(|day| Day::from(day) < floor), "{words}: {was:?}");
                } else {
                    assert_eq!(is, was, "{words}");
                }
            }
        }
    }
}

/// Rows of days before the floor that nothing kept needs.
async fn left_over(db: &PgPool, floor: Day) -> i64 {
    sqlx::query_scalar(
        "select (select count(*) from run r where end_day <= $1 and not exists (
                     select from delivery d where d.place_id = r.place_id and d.known and d.day < $1
                         and r.first_day <= d.day and r.end_day > d.day))
              + (select count(*) from restatement r where day < $1 and not exists (
                     select from delivery d where d.place_id = r.place_id and d.known and d.day = r.day))
              + (select count(*) from delivery where day < $1 and not known)
              + (select count(*) from rollup r where end_day <= $1 and not exists (
                     select from delivery d where d.place_id = r.place_id and d.known and d.day < $1
                         and r.first_day <= d.day and r.end_day > d.day))",
    )
    .bind(floor)
    .fetch_one(db)
    .await
    .unwrap()
}

#[actix_web::test]
async fn every_kept_day_and_period_reads_as_before_at_every_knowledge_point() {
    for seed in 0..10 {
        let db = database().await;
        let mut random = Random(seed);
        let mut world = World::new(&db, "Example").await;
        let mut points = Vec::new();
        for round in 0..6_i32 {
            let collection_id = world.begin().await;
            for place in 0..PLACES.len() {
                let mut days = BTreeMap::new();
                for _ in 0..random.below(4) {
                    // Days come about in their order, some late, as they do.
                    let day = i32::try_from(random.below(6)).unwrap() + round - 2;
                    let day = world.day(day.clamp(0, DAYS - 1));
                    let forget = random.below(6) == 0 && world.places[place].table.contains_key(&day);
                    days.insert(day, (!forget).then(|| random.said(&world, place)));
                }
                world.collect(collection_id, place, days).await;
            }
            world.finish(collection_id).await;
            points.push(KnownAt(collection_id));
        }
        for first in [2, 4, 5, 8] {
            let floor = world.day(first);
            // Who knew nothing of a kept day is not asked any more.
            let from: Option<i64> = sqlx::query_scalar("select min(since_collection) from delivery where day >= $1")
                .bind(floor)
                .fetch_one(&db)
                .await
                .unwrap();
            let points: Vec<_> = points.iter().filter(|point| from.is_some_and(|from| point.0 >= from)).collect();
            let mut before = Vec::new();
            for known_at in &points {
                before.push(told(&world, first, **known_at).await);
            }
            remove(&db, "Example", floor.date().unwrap()).await;
            assert_eq!(left_over(&db, floor).await, 0, "seed {seed}, from {first}");
            for (known_at, before) in points.iter().zip(&before) {
                let words = format!("seed {seed}, from {first}, known at {known_at:?}");
                let after = told(&world, first, **known_at).await;
                let latest = points.last() == Some(known_at);
                assert_eq!(after.days, before.days, "{words}");
                assert_eq!(after.carried, before.carried, "{words}");
                assert_eq!(after.never_seen, before.never_seen, "{words}");
                assert_eq!(after.rules, before.rules, "{words}");
                same_periods(&before.periods, &after.periods, (floor, latest), &words);
            }
        }
    }
}
