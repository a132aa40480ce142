//! Populations of days and periods, as known at any collection, and the command that exports them.

use std::collections::{BTreeMap, BTreeSet};

use auditfolio::collection::day::Day;
use auditfolio::collection::splice::{Calendar, Entry, Patch, Run, splice};
use auditfolio::compliance::evidence::export::{ExportArgs, ExportFormat, run};
use auditfolio::compliance::evidence::period::{self, Segment, facts};
use auditfolio::compliance::evidence::{
    DayPopulation, Deliveries, Deviation, Ended, KnownAt, Objects, PeriodCounts, PeriodPopulation, Scope, Totals,
    accounts, completeness_established, gaps, totals,
};
use auditfolio::compliance::{DeliveryState, Severity};
use auditfolio::database::read_only;
use sqlx::PgPool;
use time::macros::date;
use time::{Date, Duration, OffsetDateTime};

use crate::harness::database;

/// Names whose order differs between bytes and locales.
const RULES: [(&str, Option<&str>, Severity); 4] = [
    ("a-rule", Some("A_RULE"), Severity::High),
    ("B-rule", Some("B_RULE"), Severity::Low),
    ("a-rule-conformance-pack-k3yq7n1xz", Some("A_RULE"), Severity::High),
    ("älteste-rule", None, Severity::Unknown),
];
const RESOURCES: [(&str, &str); 4] =
    [("AWS::S3::Bucket", "b"), ("AWS::S3::Bucket", "B"), ("AWS::EC2::Instance", "b"), ("AWS::S3::Bucket", "=cmd")];
const PLACES: [(&str, &str); 3] =
    [("000000000012", "eu-central-1"), ("000000000012", "EU-west"), ("000000000003", "us-east-1")];

type Key = (i32, i32);
type Said = BTreeMap<Key, i16>;
type Captured = Option<OffsetDateTime>;

/// A small organisation, written as a collection writes it, with a table of every day beside it.
struct World {
    db: PgPool,
    organization_id: i16,
    places: Vec<Place>,
    rules: Vec<i32>,
    base: Date,
}

#[derive(Default)]
struct Place {
    id: i32,
    resources: Vec<i32>,
    /// What known days say.
    table: BTreeMap<Day, Said>,
    ever: BTreeSet<Day>,
    runs: Vec<Run<Key, i16, Captured>>,
}

impl World {
    async fn new(db: &PgPool, name: &str) -> Self {
        let organization_id: i16 =
            sqlx::query_scalar("insert into organization (name) values ($1) returning organization_id")
                .bind(name)
                .fetch_one(db)
                .await
                .unwrap();
        sqlx::query("insert into status (status_id, name) values (100, 'ODD') on conflict do nothing")
            .execute(db)
            .await
            .unwrap();
        let mut rules = Vec::new();
        for (name, identifier, severity) in RULES {
            let rule_id: i32 = sqlx::query_scalar(
                "with t as (insert into timeline (organization_id, core_name, origin) values ($1, $2, 'direct') returning timeline_id)
                 insert into rule (organization_id, name, core_name, timeline_id, origin, source_identifier, severity)
                 select $1, $2, $2, timeline_id, 'direct', $3, $4 from t returning rule_id",
            )
            .bind(organization_id)
            .bind(name)
            .bind(identifier)
            .bind(severity.id())
            .fetch_one(db)
            .await
            .unwrap();
            rules.push(rule_id);
        }
        let mut places = Vec::new();
        for (account, region) in PLACES {
            let place_id: i32 = sqlx::query_scalar(
                "insert into place (organization_id, account_id, region) values ($1, $2, $3) returning place_id",
            )
            .bind(organization_id)
            .bind(account)
            .bind(region)
            .fetch_one(db)
            .await
            .unwrap();
            let mut resources = Vec::new();
            for (resource_type, id) in RESOURCES {
                let resource_id: i32 = sqlx::query_scalar(
                    "with t as (
                         insert into resource_type (name) values ($2) on conflict (name) do update set name = excluded.name
                         returning resource_type_id)
                     insert into resource (place_id, resource_type_id, id) select $1, resource_type_id, $3 from t
                     returning resource_id",
                )
                .bind(place_id)
                .bind(resource_type)
                .bind(id)
                .fetch_one(db)
                .await
                .unwrap();
                resources.push(resource_id);
            }
            places.push(Place { id: place_id, resources, ..Place::default() });
        }
        Self { db: db.clone(), organization_id, places, rules, base: date!(2026 - 11 - 01) }
    }

    fn day(&self, offset: i32) -> Day {
        Day(Day::from(self.base).0 + offset)
    }

    fn date(&self, offset: i32) -> Date {
        self.day(offset).date().unwrap()
    }

    fn scope(&self) -> Scope {
        Scope::whole(self.organization_id)
    }

    async fn begin(&self) -> i64 {
        sqlx::query_scalar(
            "insert into collection (organization_id, engine, source, started_by, program_version, program_commit)
             values ($1, 'files', 'test', 'test', '0', '0') returning collection_id",
        )
        .bind(self.organization_id)
        .fetch_one(&self.db)
        .await
        .unwrap()
    }

    async fn finish(&self, collection_id: i64) {
        sqlx::query("update collection set state = 'finished', finished_at = now() where collection_id = $1")
            .bind(collection_id)
            .execute(&self.db)
            .await
            .unwrap();
    }

    /// Collects days of a place: what each says, or `None` where it is known no longer.
    async fn collect(&mut self, collection_id: i64, place: usize, days: BTreeMap<Day, Option<Said>>) {
        let place = &mut self.places[place];
        let (mut patch, mut restate) = (Patch { known: vec![], forgotten: vec![], entries: vec![] }, vec![]);
        for (day, said) in &days {
            match said {
                Some(said) => {
                    patch.known.push(*day);
                    patch.entries.extend(said.iter().map(|(key, value)| Entry {
                        key: *key,
                        day: *day,
                        value: *value,
                        note: Some(captured(*day, collection_id)),
                    }));
                }
                None => patch.forgotten.push(*day),
            }
        }
        let known: Vec<Day> = place.table.keys().copied().collect();
        let ever_known: Vec<Day> = place.ever.iter().copied().collect();
        let changes = splice(Calendar { known: &known, ever_known: &ever_known }, patch, place.runs.clone());
        let mut tx = self.db.begin().await.unwrap();
        for run in &changes.delete {
            place.runs.retain(|stored| stored != run);
        }
        for (run, end) in &changes.shift {
            place.runs.iter_mut().find(|stored| *stored == run).unwrap().end = *end;
        }
        place.runs.extend(changes.insert.iter().copied());
        restate.extend(changes.restated.iter().copied());
        sqlx::query("delete from run where place_id = $1").bind(place.id).execute(&mut *tx).await.unwrap();
        for run in &place.runs {
            sqlx::query("insert into run values ($1, $2, $3, $4, $5, $6, $7)")
                .bind(place.id)
                .bind(run.key.0)
                .bind(run.key.1)
                .bind(run.first)
                .bind(run.end)
                .bind(run.value)
                .bind(run.note)
                .execute(&mut *tx)
                .await
                .unwrap();
        }
        for row in restate {
            sqlx::query(
                "insert into restatement (collection_id, place_id, day, rule_id, resource_id, old_status_id, new_status_id,
                     old_item_captured_at, new_item_captured_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            )
            .bind(collection_id)
            .bind(place.id)
            .bind(row.day)
            .bind(row.key.0)
            .bind(row.key.1)
            .bind(row.old.map(|(status, _)| status))
            .bind(row.new.map(|(status, _)| status))
            .bind(row.old.and_then(|(_, note)| note))
            .bind(row.new.and_then(|(_, note)| note))
            .execute(&mut *tx)
            .await
            .unwrap();
        }
        for (day, said) in days {
            place.ever.insert(day);
            sqlx::query("update delivery set until_collection = $3 where place_id = $1 and day = $2 and until_collection is null")
                .bind(place.id)
                .bind(day)
                .bind(collection_id)
                .execute(&mut *tx)
                .await
                .unwrap();
            let state = if said.is_some() { DeliveryState::Delivered } else { DeliveryState::Unreadable };
            sqlx::query("insert into delivery (place_id, day, state, since_collection, snapshot_at) values ($1, $2, $3, $4, $5)")
                .bind(place.id)
                .bind(day)
                .bind(state.word())
                .bind(collection_id)
                .bind(said.is_some().then(|| captured(day, 0)))
                .execute(&mut *tx)
                .await
                .unwrap();
            match said {
                Some(said) => place.table.insert(day, said),
                None => place.table.remove(&day),
            };
        }
        derive(&mut tx, place.id).await;
        tx.commit().await.unwrap();
    }
}

/// Rule presence and the roll-up of a place, from its runs, day by day. Both are the runs', over gaps too.
async fn derive(tx: &mut sqlx::PgConnection, place_id: i32) {
    for statement in [
        "delete from rule_presence where place_id = $1",
        "delete from rollup where place_id = $1",
        "insert into rule_presence (place_id, rule_id, first_day, end_day)
         select distinct $1, rule_id, day, day + 1 from delivery d join run using (place_id)
         where place_id = $1 and until_collection is null and first_day <= day and end_day > day",
        "insert into rollup
         select $1, rule_id, resource_type_id, day, day + 1, count(*) filter (where status_id = 1),
             count(*) filter (where status_id = 2), count(*) filter (where status_id = 3),
             count(*) filter (where status_id = 4), count(*) filter (where status_id >= 100)
         from delivery d join run using (place_id) join resource using (place_id, resource_id)
         where place_id = $1 and until_collection is null and first_day <= day and end_day > day
         group by rule_id, resource_type_id, day",
    ] {
        sqlx::query(statement).bind(place_id).execute(&mut *tx).await.unwrap();
    }
}

fn captured(day: Day, collection_id: i64) -> OffsetDateTime {
    day.date().unwrap().midnight().assume_utc() + Duration::milliseconds(collection_id)
}

/// Evaluations in the order of the export: account, Region, rule, type, id, status.
type Row = (String, String, String, String, String, String);

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

async fn read_day(world: &World, day: Day, known_at: KnownAt) -> (Vec<Row>, Vec<Captured>) {
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

type PeriodLine = ((String, String, String, String, String), PeriodCounts, Vec<Deviation>);

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

async fn read_period(world: &World, from: Day, until: Day, known_at: KnownAt) -> Vec<PeriodLine> {
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

/// A stream of numbers that is the same for the same seed.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    fn said(&mut self, world: &World, place: usize) -> Said {
        let rules_here = self.below(4) + 1;
        let mut said = Said::new();
        for rule in world.rules.iter().take(usize::try_from(rules_here).unwrap()) {
            for resource in &world.places[place].resources {
                let status = [1, 1, 2, 2, 2, 3, 4, 100, 0, 0][usize::try_from(self.below(10)).unwrap()];
                if status > 0 {
                    said.insert((*rule, *resource), status);
                }
            }
        }
        said
    }
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
            }
        }
    }
}

/// A world with one place on three days: all good, one bad, then the resource of the bad one is gone.
async fn three_days(db: &PgPool) -> World {
    let mut world = World::new(db, "Example").await;
    let collection_id = world.begin().await;
    let (rule, resources) = (world.rules[0], world.places[0].resources.clone());
    let all: Said = resources.iter().map(|resource| ((rule, *resource), 1)).collect();
    let bad: Said = all.keys().map(|key| (*key, if key.1 == resources[3] { 2 } else { 1 })).collect();
    let gone: Said = all.iter().filter(|(key, _)| key.1 != resources[3]).map(|(key, value)| (*key, *value)).collect();
    let days = [all, bad, gone].into_iter().zip([0, 1, 3]).map(|(said, day)| (world.day(day), Some(said))).collect();
    world.collect(collection_id, 0, days).await;
    world.finish(collection_id).await;
    world
}

fn args(days: &[Date], format: ExportFormat) -> ExportArgs {
    let (as_of, from, until) = match days {
        [day] => (Some(*day), None, None),
        [from, until] => (None, Some(*from), Some(*until)),
        _ => panic!("one day or two"),
    };
    ExportArgs { as_of, from, until, known_at: None, accounts: vec![], scope: None, format }
}

async fn export(world: &World, args: &ExportArgs) -> anyhow::Result<String> {
    let mut out = Vec::new();
    let exported = run(args, "Example", &world.db, &mut out).await?;
    assert!(exported.whole);
    Ok(String::from_utf8(out).unwrap())
}

#[actix_web::test]
async fn a_day_is_exported_safe_for_spreadsheets_and_exact_in_json() {
    let world = three_days(&database().await).await;
    let day = world.date(1);
    let csv = export(&world, &args(&[day], ExportFormat::Csv)).await.unwrap();
    assert_eq!(
        csv.lines().map(str::trim_end).collect::<Vec<_>>(),
        [
            "day,account_id,region,rule_name,rule_identifier,resource_type,resource_id,status,since,snapshot_at,delivery",
            "2026-11-02,000000000012,eu-central-1,a-rule,A_RULE,AWS::EC2::Instance,b,COMPLIANT,2026-11-01T00:00:00.001Z,2026-11-02T00:00:00.000Z,delivered",
            "2026-11-02,000000000012,eu-central-1,a-rule,A_RULE,AWS::S3::Bucket,\"'=cmd\",NON_COMPLIANT,2026-11-02T00:00:00.001Z,2026-11-02T00:00:00.000Z,delivered",
            "2026-11-02,000000000012,eu-central-1,a-rule,A_RULE,AWS::S3::Bucket,B,COMPLIANT,2026-11-01T00:00:00.001Z,2026-11-02T00:00:00.000Z,delivered",
            "2026-11-02,000000000012,eu-central-1,a-rule,A_RULE,AWS::S3::Bucket,b,COMPLIANT,2026-11-01T00:00:00.001Z,2026-11-02T00:00:00.000Z,delivered",
        ]
    );
    let lines = export(&world, &args(&[day], ExportFormat::Jsonl)).await.unwrap();
    let lines: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 4);
    assert_eq!(lines[1]["resource_id"], "=cmd");
    let array: Vec<serde_json::Value> =
        serde_json::from_str(&export(&world, &args(&[day], ExportFormat::Json)).await.unwrap()).unwrap();
    assert_eq!(array, lines);
}

#[actix_web::test]
async fn a_period_is_exported_with_its_days_and_deviations() {
    let world = three_days(&database().await).await;
    let period = [world.date(0), world.date(3)];
    let lines = export(&world, &args(&period, ExportFormat::Jsonl)).await.unwrap();
    let lines: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        lines[1],
        serde_json::json!({
            "account_id": "000000000012", "region": "eu-central-1", "rule_name": "a-rule", "rule_identifier": "A_RULE",
            "resource_type": "AWS::S3::Bucket", "resource_id": "=cmd",
            "days_expected": 4, "days_observed": 2, "days_complying": 1, "days_not_complying": 1, "days_unknown": 1,
            "deviations": [{
                "last_day_known_good": "2026-11-01", "first_day_bad": "2026-11-02", "last_day_bad": "2026-11-02",
                "first_day_good_again": null, "gap_days": 1, "ended": "gone with resource",
                "first_day_otherwise": "2026-11-04",
            }],
        })
    );
    let text = export(&world, &args(&period, ExportFormat::Csv)).await.unwrap();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(records.len(), 4);
    let deviations: serde_json::Value = serde_json::from_str(&records[1][11]).unwrap();
    assert_eq!(deviations, lines[1]["deviations"]);
    assert_eq!(&records[0][11], "[]");
}

#[actix_web::test]
async fn an_export_of_what_was_never_collected_is_refused_and_says_why() {
    let world = three_days(&database().await).await;
    let refused = async |args: ExportArgs| export(&world, &args).await.unwrap_err().to_string();
    let day = args(&[world.date(1)], ExportFormat::Csv);

    let never = refused(args(&[world.date(9)], ExportFormat::Csv)).await;
    assert!(never.contains("the collected days are 2026-11-01 to 2026-11-04"), "{never}");
    let backwards = refused(args(&[world.date(2), world.date(1)], ExportFormat::Csv)).await;
    assert!(backwards.contains("before it begins"), "{backwards}");
    let account = refused(ExportArgs { accounts: vec!["999999999999".into()], ..day.clone() }).await;
    assert!(account.contains("999999999999"), "{account}");
    let collection = refused(ExportArgs { known_at: Some(77), ..day.clone() }).await;
    assert!(collection.contains("no collection 77"), "{collection}");
    let running = world.begin().await;
    let unfinished = refused(ExportArgs { known_at: Some(running), ..day.clone() }).await;
    assert!(unfinished.contains("has not finished"), "{unfinished}");
    let organization = run(&day, "Other", &world.db, Vec::new()).await.unwrap_err().to_string();
    assert!(organization.contains("no organisation \"Other\""), "{organization}");
}

#[actix_web::test]
async fn what_a_collection_knew_is_settled_only_when_none_before_it_runs() {
    let world = three_days(&database().await).await;
    let (slow, fast) = (world.begin().await, world.begin().await);
    world.finish(fast).await;
    let mut read = read_only(&world.db).await.unwrap();
    let latest = KnownAt::latest(&mut read, world.organization_id).await.unwrap();
    assert_eq!(latest, Some(KnownAt(slow - 1)), "the one that still runs may yet write below {fast}");
    let refused = KnownAt::asked(&mut read, world.organization_id, fast).await.unwrap_err().to_string();
    assert!(refused.contains("still runs"), "{refused}");
    drop(read);
    world.finish(slow).await;
    let mut read = read_only(&world.db).await.unwrap();
    assert_eq!(KnownAt::latest(&mut read, world.organization_id).await.unwrap(), Some(KnownAt(fast)));
}

#[actix_web::test]
async fn an_export_holds_only_the_accounts_that_were_asked_for() {
    let db = database().await;
    let mut world = three_days(&db).await;
    let collection_id = world.begin().await;
    let said = Said::from([((world.rules[1], world.places[2].resources[0]), 2)]);
    let days = BTreeMap::from([(world.day(1), Some(said))]);
    world.collect(collection_id, 2, days).await;
    world.finish(collection_id).await;
    let mut asked = args(&[world.date(1)], ExportFormat::Csv);
    let count = async |args: &ExportArgs| export(&world, args).await.unwrap().lines().count() - 1;
    assert_eq!(count(&asked).await, 5);
    asked.accounts = vec!["000000000003".into()];
    assert_eq!(count(&asked).await, 1);
    asked.known_at = Some(collection_id - 1);
    assert_eq!(count(&asked).await, 0, "not delivered yet");
}

#[actix_web::test]
async fn every_export_is_in_the_audit_log() {
    let world = three_days(&database().await).await;
    let asked = ExportArgs { accounts: vec!["000000000012".into()], ..args(&[world.date(1)], ExportFormat::Jsonl) };
    export(&world, &asked).await.unwrap();
    let (act, object, detail): (String, String, serde_json::Value) =
        sqlx::query_as("select act, object, detail from audit_log").fetch_one(&world.db).await.unwrap();
    assert_eq!((act.as_str(), object.as_str()), ("export", "population of 2026-11-02"));
    assert_eq!(detail["accounts"], serde_json::json!(["000000000012"]));
    assert_eq!(detail["format"], "jsonl");
}

/// Takes some bytes, then says that nobody reads on, or that the disk is full.
struct Ends(usize, std::io::ErrorKind);

impl std::io::Write for Ends {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0 == 0 {
            return Err(self.1.into());
        }
        let taken = bytes.len().min(self.0);
        self.0 -= taken;
        Ok(taken)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[actix_web::test]
async fn a_reader_that_has_enough_is_no_error_and_a_full_disk_is() {
    use std::io::ErrorKind::{BrokenPipe, StorageFull};
    let world = three_days(&database().await).await;
    let asked = args(&[world.date(1)], ExportFormat::Csv);
    assert!(!run(&asked, "Example", &world.db, Ends(10, BrokenPipe)).await.unwrap().whole);
    run(&asked, "Example", &world.db, Ends(10, StorageFull)).await.unwrap_err();
}

#[actix_web::test]
async fn deliveries_name_what_was_expected_and_did_not_come() {
    use DeliveryState::{Delivered, Missing, NotExpected};
    let db = database().await;
    let world = three_days(&db).await;
    let read_all = async |known_at: KnownAt| {
        let mut read = read_only(&db).await.unwrap();
        let mut deliveries =
            Deliveries::open(&mut read, &world.scope(), world.date(0), world.date(4), known_at).await.unwrap();
        let mut places = Vec::new();
        while let Some(place) = deliveries.next(&mut read).await.unwrap() {
            places.push(place);
        }
        (places, completeness_established(&mut read, world.organization_id, known_at).await.unwrap())
    };
    let first = KnownAt::latest(&mut read_only(&db).await.unwrap(), world.organization_id).await.unwrap().unwrap();

    let (places, established) = read_all(first).await;
    assert!(!established, "no account list yet");
    assert_eq!(places.len(), 1, "of the others nothing was known");
    let states: Vec<_> = places[0].days.iter().map(|day| (day.expected, day.state)).collect();
    assert_eq!(
        states,
        [(true, Delivered), (true, Delivered), (true, Missing), (true, Delivered), (false, NotExpected)]
    );

    // A list expects the first place from its second day on, and another one that never delivered.
    let second = world.begin().await;
    for (place, offset) in [(0, 1), (2, 3)] {
        sqlx::query("insert into expected_place (place_id, first_day, since_collection) values ($1, $2, $3)")
            .bind(world.places[place].id)
            .bind(world.day(offset))
            .bind(second)
            .execute(&db)
            .await
            .unwrap();
    }
    sqlx::query(
        "with l as (
             insert into account_list (organization_id, collection_id, listed_on, source, sha256)
             values ($1, $2, $3, 'accounts.json', sha256('')) returning account_list_id)
         insert into account_listing (account_list_id, account_id, name, status)
         select account_list_id, id, 'Account ' || id, 'ACTIVE' from l, unnest(array['000000000003', '000000000012']) id",
    )
    .bind(world.organization_id)
    .bind(second)
    .bind(world.date(3))
    .execute(&db)
    .await
    .unwrap();
    world.finish(second).await;

    let (places, established) = read_all(KnownAt(second)).await;
    assert!(established);
    let found: Vec<_> =
        places.iter().flat_map(gaps).map(|gap| (gap.account_id, gap.first, gap.last, gap.days)).collect();
    assert_eq!(
        found,
        [
            ("000000000003".into(), world.date(3), world.date(4), 2),
            ("000000000012".into(), world.date(2), world.date(2), 1),
            ("000000000012".into(), world.date(4), world.date(4), 1),
        ]
    );
    assert!(!places[1].days[0].expected, "delivered before it was expected");
    let (again, _) = read_all(first).await;
    assert_eq!(again.len(), 1, "the earlier knowledge point knows no list");

    let mut read = read_only(&db).await.unwrap();
    let listed = accounts(&mut read, &world.scope(), KnownAt(second)).await.unwrap();
    let [never, known] = listed.as_slice() else { panic!("two accounts: {listed:?}") };
    assert_eq!((never.account_id.as_str(), never.name.as_deref()), ("000000000003", Some("Account 000000000003")));
    assert_eq!((never.first_known_day, never.expected_from), (None, Some(world.date(3))));
    assert_eq!((known.last_known_day, known.expected_until), (Some(world.date(3)), None));
    let before = accounts(&mut read, &world.scope(), first).await.unwrap();
    assert_eq!(before.iter().map(|account| account.name.clone()).collect::<Vec<_>>(), [None]);
}

#[actix_web::test]
async fn objects_stand_with_what_was_made_of_them_by_then() {
    let db = database().await;
    let world = three_days(&db).await;
    let first = KnownAt::latest(&mut read_only(&db).await.unwrap(), world.organization_id).await.unwrap().unwrap();
    let object_id: i64 = sqlx::query_scalar(
        "insert into object (place_id, day, kind, key, size_bytes, modified_ns, first_collection)
         values ($1, $2, 'snapshot', 'AWSLogs/x.json.gz', 10, 1500000000, $3) returning object_id",
    )
    .bind(world.places[0].id)
    .bind(world.day(1))
    .bind(first.0)
    .fetch_one(&db)
    .await
    .unwrap();
    let second = world.begin().await;
    for (collection_id, outcome) in [(first.0, "collected"), (second, "superseded")] {
        sqlx::query("insert into object_outcome (object_id, collection_id, outcome) values ($1, $2, $3)")
            .bind(object_id)
            .bind(collection_id)
            .bind(outcome)
            .execute(&db)
            .await
            .unwrap();
    }
    world.finish(second).await;
    for (known_at, outcome) in [(first, "collected"), (KnownAt(second), "superseded")] {
        let mut read = read_only(&db).await.unwrap();
        let mut objects =
            Objects::open(&mut read, &world.scope(), world.date(0), world.date(3), known_at).await.unwrap();
        let mut found = Vec::new();
        while let Some(of_place) = objects.next(&mut read).await.unwrap() {
            found.extend(of_place);
        }
        let [object] = found.as_slice() else { panic!("one object: {found:?}") };
        assert_eq!(object.outcome.as_deref(), Some(outcome));
        assert_eq!(object.version.sha256_text(), "not read by us");
        assert_eq!(object.modified_at, Some(OffsetDateTime::UNIX_EPOCH + Duration::milliseconds(1500)));
    }
}
