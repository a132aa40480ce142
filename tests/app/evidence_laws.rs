//! Any knowledge point reads back: days and periods against a table of every day.

use std::collections::{BTreeMap, BTreeSet};

use auditfolio::collection::day::Day;
use auditfolio::compliance::DeliveryState;
use auditfolio::compliance::evidence::period::{self, Segment, facts};
use auditfolio::compliance::evidence::{
    DayPopulation, Deviation, Ended, KnownAt, PeriodCounts, PeriodPopulation, RuleLife, Totals, rule_lives, totals,
};
use auditfolio::database::read_only;

use crate::harness::database;
use crate::world::{Captured, Key, PLACES, RESOURCES, RULES, Random, Said, World, captured};

/// Evaluations in the order of the export: account, Region, rule, type, id, status.
pub(crate) type Row = (String, String, String, String, String, String);

fn names(world: &World, place: usize, key: Key) -> (String, String, String, String, String) {
    let rule = world.rules.iter().position(|rule| *rule == key.0).unwrap();
    let resource = world.places[place].resources.iter().position(|resource| *resource == key.1).unwrap();
    let ((account, region), (resource_type, id)) = (PLACES[place], RESOURCES[resource]);
    (account.into(), region.into(), RULES[rule].0.into(), resource_type.into(), id.into())
}

fn word(status_id: i16) -> &'static str {
    match status_id {
        1 => "COMPLIANT",
        2 => "NON_COMPLIANT",
        3 => "INSUFFICIENT_DATA",
        4 => "NOT_APPLICABLE",
        _ => "ODD",
    }
}

/// What a day should read, from the table.
fn wanted_day(world: &World, tables: &[BTreeMap<Day, Said>], day: Day) -> Vec<Row> {
    let mut rows = Vec::new();
    for (place, table) in tables.iter().enumerate() {
        for (key, status_id) in table.get(&day).into_iter().flatten() {
            let (account, region, rule, resource_type, id) = names(world, place, *key);
            rows.push((account, region, rule, resource_type, id, word(*status_id).to_owned()));
        }
    }
    rows.sort();
    rows
}

pub(crate) async fn read_day(world: &World, day: Day, known_at: KnownAt) -> (Vec<Row>, Vec<Captured>) {
    let mut read = read_only(&world.db).await.unwrap();
    let day = day.date().unwrap();
    let mut population = DayPopulation::open(&mut read, &world.scope(), day, known_at).await.unwrap();
    let (mut rows, mut since, mut sum) = (Vec::new(), Vec::new(), Totals::default());
    while let Some(batch) = population.next(&mut read).await.unwrap() {
        for row in batch.rows() {
            assert_eq!((row.day, row.delivery), (day, DeliveryState::Delivered));
            assert_eq!(row.snapshot_at, Some(captured(Day::from(day), 0)));
            sum.add(&row);
            since.push(row.since);
            let (account, region) = (row.place.account_id.clone(), row.place.region.clone());
            let (resource_type, id) = (row.resource_type.to_owned(), row.resource_id.to_owned());
            rows.push((account, region, row.rule.name.clone(), resource_type, id, row.status.word().to_owned()));
        }
    }
    let rolled_up = totals(&mut read, &world.scope(), day, known_at).await.unwrap();
    assert_eq!(rolled_up, sum, "the roll-up of {day} as known at {known_at:?}");
    (rows, since)
}

pub(crate) type PeriodLine = ((String, String, String, String, String), PeriodCounts, Vec<Deviation>);

/// What a period should read: each evaluation's days as segments of one day, straight from the table.
fn wanted_period(
    world: &World,
    tables: &[BTreeMap<Day, Said>],
    collected: &BTreeSet<Day>,
    (from, until): (Day, Day),
) -> Vec<PeriodLine> {
    let mut lines = Vec::new();
    let range = (*collected.first().unwrap(), *collected.last().unwrap());
    for (place, table) in tables.iter().enumerate() {
        let known: Vec<Day> = table.keys().copied().collect();
        let first = known.first().copied().unwrap_or(from).min(from);
        let calendar = period::Calendar::new(first, until, &known, |day| range.0 <= day && day <= range.1);
        let keys: BTreeSet<Key> = table.values().flat_map(BTreeMap::keys).copied().collect();
        for key in keys {
            let segments: Vec<Segment> = table
                .iter()
                .filter_map(|(day, said)| {
                    let status_id = *said.get(&key)?;
                    Some(Segment { first: *day, end: Day(day.0 + 1), status_id })
                })
                .collect();
            // A day without evidence is no absence: only known days are looked at.
            let found = facts(&segments, &calendar, first, (from, until), |day| {
                let said = &table[&day];
                match (said.keys().any(|other| other.0 == key.0), said.keys().any(|other| other.1 == key.1)) {
                    (false, _) => Ended::GoneWithRule,
                    (true, true) => Ended::NoLongerEvaluated,
                    (true, false) => Ended::GoneWithResource,
                }
            });
            lines.extend(found.map(|found| (names(world, place, key), found.counts, found.deviations)));
        }
    }
    lines.sort_by(|one, other| one.0.cmp(&other.0));
    lines
}

pub(crate) async fn read_period(world: &World, from: Day, until: Day, known_at: KnownAt) -> Vec<PeriodLine> {
    let mut read = read_only(&world.db).await.unwrap();
    let (from, until) = (from.date().unwrap(), until.date().unwrap());
    let mut population = PeriodPopulation::open(&mut read, &world.scope(), from, until, known_at).await.unwrap();
    let mut lines = Vec::new();
    while let Some(batch) = population.next(&mut read).await.unwrap() {
        for row in batch.rows() {
            let (account, region) = (row.place.account_id.clone(), row.place.region.clone());
            let (resource_type, id) = (row.resource_type.to_owned(), row.resource_id.to_owned());
            lines.push((
                (account, region, row.rule.name.clone(), resource_type, id),
                row.counts,
                row.deviations.to_vec(),
            ));
        }
    }
    lines
}

/// The rules of a period, straight from the table: a place has a rule as its last known day says.
fn wanted_rules(world: &World, tables: &[BTreeMap<Day, Said>], (from, until): (Day, Day)) -> Vec<RuleLife> {
    let mut wanted = Vec::new();
    for (rule_id, (name, identifier, severity)) in world.rules.iter().zip(RULES) {
        let in_place = |table: &BTreeMap<Day, Said>, day: Day| {
            table.range(..=day).next_back().is_some_and(|(_, said)| said.keys().any(|key| key.0 == *rule_id))
        };
        let there = |day: Day| tables.iter().any(|table| in_place(table, day));
        let days = || (from.0..=until.0).map(Day);
        if !days().any(there) {
            continue;
        }
        let turns = |to: bool| {
            let turned = days().skip(1).filter(|day| there(*day) == to && there(Day(day.0 - 1)) != to);
            turned.map(|day| day.date().unwrap()).collect::<Vec<_>>()
        };
        wanted.push(RuleLife {
            core_name: name.to_owned(),
            identifier: identifier.map(str::to_owned),
            severity,
            names: BTreeSet::from([name.to_owned()]),
            places: tables.iter().filter(|table| in_place(table, until)).count().try_into().unwrap(),
            appeared: turns(true),
            vanished: turns(false),
        });
    }
    wanted.sort_by(|one, other| one.core_name.cmp(&other.core_name));
    wanted
}

#[actix_web::test]
async fn every_day_and_period_reads_back_as_known_at_any_collection() {
    let db = database().await;
    for seed in 0..8 {
        let mut random = Random(seed);
        let mut world = World::new(&db, &format!("Example {seed}")).await;
        let mut remembered = Vec::new();
        for _ in 0..5 {
            let collection_id = world.begin().await;
            for place in 0..PLACES.len() {
                let mut days = BTreeMap::new();
                for _ in 0..random.below(5) {
                    let day = world.day(i32::try_from(random.below(9)).unwrap());
                    let forget = random.below(5) == 0 && world.places[place].table.contains_key(&day);
                    days.insert(day, (!forget).then(|| random.said(&world, place)));
                }
                world.collect(collection_id, place, days).await;
            }
            world.finish(collection_id).await;
            let tables: Vec<_> = world.places.iter().map(|place| place.table.clone()).collect();
            let mut since = Vec::new();
            for day in (0..9).map(|day| world.day(day)) {
                let (rows, captured) = read_day(&world, day, KnownAt(collection_id)).await;
                assert_eq!(rows, wanted_day(&world, &tables, day), "{day}, seed {seed}, just collected");
                since.push(captured);
            }
            let collected: BTreeSet<Day> = world.places.iter().flat_map(|place| place.ever.iter().copied()).collect();
            remembered.push((KnownAt(collection_id), tables, since, collected));
        }
        for (known_at, tables, since, _) in &remembered {
            for day in (0..9).map(|day| world.day(day)) {
                let (rows, captured) = read_day(&world, day, *known_at).await;
                assert_eq!(rows, wanted_day(&world, tables, day), "{day}, seed {seed}, known at {known_at:?}");
                assert_eq!(&captured, &since[usize::try_from(day.0 - world.day(0).0).unwrap()], "{day}, seed {seed}");
            }
        }
        for (from, until) in [(0, 8), (3, 6), (5, 5), (7, 8)].map(|(from, until)| (world.day(from), world.day(until))) {
            for (known_at, tables, _, collected) in &remembered {
                let wanted = wanted_period(&world, tables, collected, (from, until));
                let found = read_period(&world, from, until, *known_at).await;
                assert_eq!(found, wanted, "{from} to {until}, seed {seed}, known at {known_at:?}");
                let mut read = read_only(&world.db).await.unwrap();
                let (first, last) = (from.date().unwrap(), until.date().unwrap());
                let rules = rule_lives(&mut read, &world.scope(), first, last, *known_at).await.unwrap();
                let wanted = wanted_rules(&world, tables, (from, until));
                assert_eq!(rules, wanted, "rules, {from} to {until}, seed {seed}, known at {known_at:?}");
            }
        }
    }
}

/// Of each row: rule, days complying and not, and the deviations as last good, first bad, last bad, good again, gap-days.
async fn lines(world: &World, from: i32, until: i32, known_at: KnownAt) -> Vec<(String, u32, u32, Vec<String>)> {
    let day = |day: Option<time::Date>| day.map_or_else(|| "-".to_owned(), |day| day.day().to_string());
    let lines = read_period(world, world.day(from), world.day(until), known_at).await;
    lines
        .into_iter()
        .map(|((_, _, rule, ..), counts, deviations)| {
            let deviations = deviations.iter().map(|one| {
                let days = [
                    one.last_day_known_good,
                    Some(one.first_day_bad),
                    Some(one.last_day_bad),
                    one.first_day_good_again,
                ];
                format!("{} {} {}", days.map(day).join(" "), one.gap_days, one.ended.word())
            });
            (rule, counts.complying, counts.not_complying, deviations.collect())
        })
        .collect()
}

#[actix_web::test]
async fn a_deviation_goes_on_under_the_new_name_of_a_pack_that_is_deployed_again() {
    let db = database().await;
    let mut world = World::new(&db, "Example").await;
    let (old, new, resource) = (world.rules[0], world.rules[2], world.places[0].resources[0]);
    let first = world.begin().await;
    // Good, bad, a gap, then bad and good again under the new name.
    let said = [(0, old, 1), (1, old, 2), (3, new, 2), (4, new, 1)];
    let days = said.map(|(day, rule, status)| (world.day(day), Some(Said::from([((rule, resource), status)]))));
    world.collect(first, 0, BTreeMap::from(days)).await;
    world.finish(first).await;
    // A later collection finds out that both are of one pack.
    let second = world.begin().await;
    sqlx::query("update rule set timeline_id = (select timeline_id from rule where rule_id = $1) where rule_id = $2")
        .bind(old)
        .bind(new)
        .execute(&db)
        .await
        .unwrap();
    world.finish(second).await;

    let (old, new) = (RULES[0].0.to_owned(), RULES[2].0.to_owned());
    let whole = vec!["1 2 4 5 1 good again".to_owned()];
    assert_eq!(
        lines(&world, 0, 4, KnownAt(second)).await,
        [(old.clone(), 1, 1, vec![]), (new.clone(), 1, 1, whole.clone())]
    );
    assert_eq!(lines(&world, 3, 4, KnownAt(second)).await, [(new.clone(), 1, 1, whole)], "the past is looked up");
    assert_eq!(
        lines(&world, 0, 1, KnownAt(second)).await,
        [(old.clone(), 1, 1, vec!["1 2 2 - 0 open".to_owned()])],
        "before the new name"
    );
    assert_eq!(
        lines(&world, 0, 4, KnownAt(first)).await,
        [
            (old, 1, 1, vec!["1 2 2 - 1 gone with rule".to_owned()]),
            (new, 1, 1, vec!["- 4 4 5 0 good again".to_owned()])
        ],
        "known before the pack was"
    );
}
