//! The store against a table of every day, under random deliveries to two accounts: any order, gaps, late and restated
//! days, several snapshots a day, unreadable and silent ones, history before snapshots and history alone, duplicates,
//! packs deployed again, resources and rules that vanish and return; collected in small and large batches, from one bucket
//! or from two at once, undisturbed, failing or killed in the middle.
//!
//! `AUDITFOLIO_TEST_CASES` and `AUDITFOLIO_TEST_SEED` run more and other cases than the fixed ones of every run.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use auditfolio::collection::source::Limits;
use auditfolio::collection::{self, Options, Progress};
use auditfolio::compliance::evidence::{DayPopulation, KnownAt, Scope};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use sqlx::{Executor as _, PgPool};
use time::{Date, Month};

use crate::bucket::{Bucket, options};
use crate::collection_model::{DAYS, Day, Delivery, Model, PACK_NAME, Said, Verdicts, delivery};

/// How a collection is disturbed before one runs in peace: at a statement that writes.
#[derive(Debug, Clone, Copy)]
enum Cut {
    /// The store refuses the statement.
    Fails(i64),
    /// The collection is killed while the store works on the statement.
    Killed(i64),
}

#[derive(Debug, Clone)]
struct Case {
    rounds: Vec<(Vec<Delivery>, Option<Cut>)>,
    /// The second account delivers history only.
    history_only: bool,
    /// Deliveries go to two buckets, which are collected at the same time.
    two_buckets: bool,
    batch_evaluations: u64,
}

fn case() -> impl Strategy<Value = Case> {
    let cut = prop_oneof![(1_i64..60).prop_map(Cut::Fails), (1_i64..60).prop_map(Cut::Killed)];
    let round = (prop::collection::vec(delivery(), 1..8), prop::option::weighted(0.3, cut));
    let batch = prop::sample::select(&[1_u64, 12, 600_000][..]);
    (prop::collection::vec(round, 1..5), any::<bool>(), prop::bool::weighted(0.3), batch).prop_map(
        |(rounds, history_only, two_buckets, batch_evaluations)| Case {
            rounds,
            history_only,
            two_buckets,
            batch_evaluations,
        },
    )
}

/// The same cases in every run, so that one that fails once can be looked at again, unless others are asked for.
pub(crate) fn runner(cases: u32) -> TestRunner {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u32>().unwrap());
    let cases = number("AUDITFOLIO_TEST_CASES").unwrap_or(cases);
    let config = Config { cases, max_shrink_iters: 60, failure_persistence: None, ..Config::default() };
    let rng = match number("AUDITFOLIO_TEST_SEED") {
        None => TestRng::deterministic_rng(RngAlgorithm::ChaCha),
        Some(seed) => {
            let mut bytes = [0; 32];
            bytes[..4].copy_from_slice(&seed.to_le_bytes());
            TestRng::from_seed(RngAlgorithm::ChaCha, &bytes)
        }
    };
    TestRunner::new_with_rng(config, rng)
}

fn november(day: u8) -> Date {
    Date::from_calendar_date(2026, Month::November, day).unwrap()
}

async fn run(db: &PgPool, options: &Options) -> Result<i64, String> {
    let outcome = collection::run(db, options, &Progress::silent()).await;
    outcome.map(|outcome| outcome.collection_id).map_err(|error| format!("{error:#}"))
}

const CUTTER: &str = "
    create sequence written;
    create table cut (at bigint, kill boolean);
    create function cut() returns trigger language plpgsql as $$
    begin
        if nextval('written') = (select at from cut) then
            if (select kill from cut) then perform pg_advisory_xact_lock(7077); else raise exception 'cut'; end if;
        end if;
        return null;
    end $$;
    do $$ declare name text; begin
        foreach name in array array['collection', 'place', 'expected_place', 'object', 'object_outcome', 'delivery', 'run',
            'rollup', 'rule_presence', 'conformance_pack', 'conformance_pack_run', 'history_item', 'history_pack_item',
            'restatement', 'rule', 'timeline', 'resource', 'day_total'] loop
            execute format('create trigger cut after insert or update or delete on %I for each statement
                            execute function cut()', name);
        end loop;
    end $$;";

/// Starts a collection and disturbs it; it may end before it comes to the statement.
async fn disturbed(db: &PgPool, options: &Options, cut: Cut) {
    let (at, kill) = match cut {
        Cut::Fails(at) => (at, false),
        Cut::Killed(at) => (at, true),
    };
    // Connections of its own, as a program has them: those of one that is killed are not used again.
    let own =
        auditfolio::database::pool_options().max_connections(6).connect_lazy_with((*db.connect_options()).clone());
    db.execute("alter sequence written restart; delete from cut").await.unwrap();
    sqlx::query("insert into cut values ($1, $2)").bind(at).bind(kill).execute(db).await.unwrap();
    let mut holder = db.acquire().await.unwrap();
    holder.execute("select pg_advisory_lock(7077)").await.unwrap();
    let held = async {
        let waiting = "select exists (select from pg_locks where locktype = 'advisory' and objid = 7077 and not granted
                       and database = (select oid from pg_database where datname = current_database()))";
        while !sqlx::query_scalar::<_, bool>(waiting).fetch_one(&mut *holder).await.unwrap() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::select! {
        _ended = run(&own, options) => {}
        () = held => {}
    }
    db.execute("delete from cut").await.unwrap();
    holder.execute("select pg_advisory_unlock_all()").await.unwrap();
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
            said.extend(batch.rows().map(|row| {
                let account_id = row.place.account_id.clone();
                (account_id, row.rule.name.clone(), row.resource_id.to_string(), row.status.to_string())
            }));
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
             select d.day, r.place_id, r.rule_id, s.resource_type_id, least(r.status_id, 5) as status_id, count(*) as n
             from days d join run r on r.first_day <= d.day and r.end_day > d.day join resource s using (resource_id)
             group by 1, 2, 3, 4, 5
         ), rolled as (
             select d.day, r.place_id, r.rule_id, r.resource_type_id, v.status_id, v.n
             from days d join rollup r on r.first_day <= d.day and r.end_day > d.day
             cross join lateral (values (1, r.complying), (2, r.not_complying), (3, r.insufficient_data),
                                        (4, r.not_applicable), (5, r.unrecognised)) v (status_id, n)
             where v.n > 0
         )
         select count(*)
         from counted full join rolled using (day, place_id, rule_id, resource_type_id, status_id)
         where counted.n is distinct from rolled.n",
    )
    .fetch_one(db)
    .await
    .unwrap()
}

/// Which rules exist in an account on each known day.
async fn presence(db: &PgPool) -> BTreeMap<(String, u8), BTreeSet<String>> {
    let rows: Vec<(String, Date, Option<String>)> = sqlx::query_as(
        "select p.account_id, d.day, rule.name
         from delivery d join place p using (place_id)
         left join rule_presence r on r.place_id = d.place_id and r.first_day <= d.day and r.end_day > d.day
         left join rule using (rule_id)
         where d.until_collection is null and d.known",
    )
    .fetch_all(db)
    .await
    .unwrap();
    let mut days: BTreeMap<(String, u8), BTreeSet<String>> = BTreeMap::new();
    for (account, day, rule) in rows {
        days.entry((account, day.day())).or_default().extend(rule);
    }
    days
}

/// AWS's verdicts on packs in an account on each known day.
async fn verdicts(db: &PgPool) -> BTreeMap<(String, u8), Verdicts> {
    let rows: Vec<(String, Date, String, String, i32, i32, i32)> = sqlx::query_as(
        "select p.account_id, d.day, k.id, s.name, r.compliant_rules, r.non_compliant_rules, r.total_rules
         from delivery d join place p using (place_id) join conformance_pack k using (place_id)
         join conformance_pack_run r on r.conformance_pack_id = k.conformance_pack_id
              and r.first_day <= d.day and r.end_day > d.day
         join status s using (status_id)
         where d.until_collection is null and d.known",
    )
    .fetch_all(db)
    .await
    .unwrap();
    let mut days: BTreeMap<(String, u8), Verdicts> = BTreeMap::new();
    for (account, day, pack, status, good, bad, all) in rows {
        days.entry((account, day.day())).or_default().insert((pack, status, good, bad, all));
    }
    days
}

/// Runs whose capture time is not their first day's item's. Where the object of that day lies in another bucket, it can be
/// unknown.
async fn wrong_times(db: &PgPool, days: &BTreeMap<(String, u8), Day>, may_be_unknown: bool) -> Vec<String> {
    let rows: Vec<(String, String, String, Date, Option<String>)> = sqlx::query_as(
        "select p.account_id, rule.name, s.id, r.first_day, to_char(item_captured_at at time zone 'UTC', 'FMDD FMHH24')
         from run r join place p using (place_id) join rule using (rule_id) join resource s using (resource_id)",
    )
    .fetch_all(db)
    .await
    .unwrap();
    let wrong = rows.into_iter().filter(|(account, rule, resource, first, at)| {
        let day = &days[&(account.clone(), first.day())];
        let (day, hour) = day.captured[&(rule.clone(), resource.clone())];
        at.as_ref().map_or(!may_be_unknown, |at| *at != format!("{day} {hour}"))
    });
    wrong.map(|row| format!("{row:?}")).collect()
}

/// Rules of packs that are not on their pack's timeline.
async fn strangers(db: &PgPool, model: &Model) -> Vec<(String, String)> {
    let (speaking, any) = model.named_packs();
    let rows: Vec<(String, String, String)> = sqlx::query_as(
        "select rule.name, rule.suffix, t.pack from rule join timeline t using (timeline_id) where suffix is not null",
    )
    .fetch_all(db)
    .await
    .unwrap();
    rows.into_iter()
        .filter(|(_, suffix, pack)| {
            let at_home = if pack == PACK_NAME {
                any.contains(suffix)
            } else {
                // What a superseded object named may be known or not: it need not have been read.
                pack == suffix && !speaking.contains(suffix)
            };
            !at_home
        })
        .map(|(rule, _, pack)| (rule, pack))
        .collect()
}

/// What the store must hold now.
async fn holds(db: &PgPool, model: &Model, two_buckets: bool) -> Result<(), TestCaseError> {
    let days = model.days();
    let states: Vec<(String, Date, String)> = sqlx::query_as(
        "select account_id, day, state from delivery join place using (place_id)
         where until_collection is null and state <> 'missing' order by account_id, day",
    )
    .fetch_all(db)
    .await
    .unwrap();
    let states: Vec<_> =
        states.iter().map(|(account, day, state)| ((account.clone(), day.day()), state.as_str())).collect();
    let expected: Vec<_> = days.iter().map(|(key, day)| (key.clone(), day.state)).collect();
    prop_assert_eq!(states, expected);
    prop_assert_eq!(rollup_differs(db).await, 0);
    let known =
        || days.iter().filter(|(_, day)| day.state.starts_with("delivered") || day.state.starts_with("inferred"));
    let rules: BTreeMap<_, _> = known().map(|(key, day)| (key.clone(), day.rules.clone())).collect();
    prop_assert_eq!(presence(db).await, rules, "rule presence");
    let wanted =
        known().filter(|(_, day)| !day.verdicts.is_empty()).map(|(key, day)| (key.clone(), day.verdicts.clone()));
    prop_assert_eq!(verdicts(db).await, wanted.collect::<BTreeMap<_, _>>(), "AWS's verdicts on packs");
    prop_assert_eq!(wrong_times(db, &days, two_buckets).await, Vec::<String>::new());
    prop_assert_eq!(strangers(db, model).await, vec![], "timelines");
    Ok(())
}

fn population(model: &Model) -> BTreeMap<u8, Said> {
    let mut population: BTreeMap<u8, Said> = DAYS.map(|day| (day, Said::new())).collect();
    for ((_, day), it) in model.days() {
        population.entry(day).or_default().extend(it.said);
    }
    population
}

async fn law(case: &Case, name: &str) -> Result<(), TestCaseError> {
    let db = crate::harness::database().await;
    db.execute(CUTTER).await.unwrap();
    let buckets: Vec<Bucket> =
        (0..if case.two_buckets { 2 } else { 1 }).map(|at| Bucket::new(&format!("{name}-{at}"))).collect();
    let limits = Limits { batch_evaluations: case.batch_evaluations, ..Limits::default() };
    let of = |bucket: &Bucket| Options { limits, ..options(&bucket.root) };
    let mut model = Model::new(case.history_only);
    let mut known: Vec<(i64, BTreeMap<u8, Said>)> = Vec::new();
    for (deliveries, cut) in &case.rounds {
        for delivery in deliveries {
            model.deliver(&buckets, delivery);
        }
        if let Some(cut) = cut {
            disturbed(&db, &of(&buckets[0]), *cut).await;
        }
        if let [one, other] = &buckets[..] {
            let (one, other) = (of(one), of(other));
            let (first, second) = tokio::join!(run(&db, &one), run(&db, &other));
            prop_assert!(first.is_ok() && second.is_ok(), "{:?} {:?}", first, second);
            // History of the one may speak again, or no more, because of snapshots of the other.
            let again = run(&db, &one).await;
            prop_assert!(again.is_ok(), "{:?}", again);
        }
        let collection_id = run(&db, &of(buckets.last().unwrap())).await;
        prop_assert!(collection_id.is_ok(), "{:?}", collection_id);
        let collection_id = collection_id.unwrap();
        holds(&db, &model, case.two_buckets).await?;
        let expected = population(&model);
        prop_assert_eq!(&said(&db, collection_id).await, &expected);
        known.push((collection_id, expected));
    }
    for (collection_id, expected) in known {
        prop_assert_eq!(said(&db, collection_id).await, expected, "as known at {}", collection_id);
    }
    db.close().await;
    for bucket in buckets {
        std::fs::remove_dir_all(bucket.root).unwrap();
    }
    Ok(())
}

#[test]
fn the_store_equals_a_table_of_every_day_and_every_collection_can_be_read_back() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let number = std::cell::Cell::new(0);
    runner(40)
        .run(&case(), |case| {
            number.set(number.get() + 1);
            runtime.block_on(law(&case, &format!("laws-{}", number.get())))
        })
        .unwrap();
}
