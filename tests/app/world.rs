//! A small organisation, written as a collection writes it, with a table of every day beside it.

use std::collections::{BTreeMap, BTreeSet};

use auditfolio::collection::day::Day;
use auditfolio::collection::splice::{Calendar, Entry, Patch, Run, splice};
use auditfolio::compliance::evidence::Scope;
use auditfolio::compliance::{DeliveryState, Severity};
use sqlx::PgPool;
use time::macros::date;
use time::{Date, Duration, OffsetDateTime};

/// Names whose order differs between bytes and locales.
pub(crate) const RULES: [(&str, Option<&str>, Severity); 4] = [
    ("a-rule", Some("A_RULE"), Severity::High),
    ("B-rule", Some("B_RULE"), Severity::Low),
    ("a-rule-conformance-pack-k3yq7n1xz", Some("A_RULE"), Severity::High),
    ("älteste-rule", None, Severity::Unknown),
];
pub(crate) const RESOURCES: [(&str, &str); 4] =
    [("AWS::S3::Bucket", "b"), ("AWS::S3::Bucket", "B"), ("AWS::EC2::Instance", "b"), ("AWS::S3::Bucket", "=cmd")];
pub(crate) const PLACES: [(&str, &str); 3] =
    [("000000000012", "eu-central-1"), ("000000000012", "EU-west"), ("000000000003", "us-east-1")];

pub(crate) type Key = (i32, i32);
pub(crate) type Said = BTreeMap<Key, i16>;
pub(crate) type Captured = Option<OffsetDateTime>;

/// A small organisation, written as a collection writes it, with a table of every day beside it.
pub(crate) struct World {
    pub(crate) db: PgPool,
    pub(crate) organization_id: i16,
    pub(crate) places: Vec<Place>,
    pub(crate) rules: Vec<i32>,
    pub(crate) base: Date,
}

#[derive(Default)]
pub(crate) struct Place {
    pub(crate) id: i32,
    pub(crate) resources: Vec<i32>,
    /// What known days say.
    pub(crate) table: BTreeMap<Day, Said>,
    pub(crate) ever: BTreeSet<Day>,
    pub(crate) runs: Vec<Run<Key, i16, Captured>>,
}

impl World {
    pub(crate) async fn new(db: &PgPool, name: &str) -> Self {
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

    pub(crate) fn day(&self, offset: i32) -> Day {
        Day(Day::from(self.base).0 + offset)
    }

    pub(crate) fn date(&self, offset: i32) -> Date {
        self.day(offset).date().unwrap()
    }

    pub(crate) fn scope(&self) -> Scope {
        Scope::whole(self.organization_id)
    }

    pub(crate) async fn begin(&self) -> i64 {
        sqlx::query_scalar(
            "insert into collection (organization_id, engine, source, started_by, program_version, program_commit)
             values ($1, 'files', 'test', 'test', '0', '0') returning collection_id",
        )
        .bind(self.organization_id)
        .fetch_one(&self.db)
        .await
        .unwrap()
    }

    pub(crate) async fn finish(&self, collection_id: i64) {
        sqlx::query("update collection set state = 'finished', finished_at = now() where collection_id = $1")
            .bind(collection_id)
            .execute(&self.db)
            .await
            .unwrap();
    }

    /// Collects days of a place: what each says, or `None` where it is known no longer.
    pub(crate) async fn collect(&mut self, collection_id: i64, place: usize, days: BTreeMap<Day, Option<Said>>) {
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
        let changes =
            splice(Calendar { known: &known, ever_known: &ever_known }, patch, place.runs.clone(), |_, _| None);
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
        let before = presence(&mut tx, place.id).await;
        derive(&mut tx, place.id).await;
        let after = presence(&mut tx, place.id).await;
        for (rule_id, day) in before.symmetric_difference(&after).filter(|(_, day)| ever_known.contains(day)) {
            sqlx::query("insert into rule_presence_restatement values ($1, $2, $3, $4, $5)")
                .bind(collection_id)
                .bind(place.id)
                .bind(day)
                .bind(rule_id)
                .bind(before.contains(&(*rule_id, *day)))
                .execute(&mut *tx)
                .await
                .unwrap();
        }
        tx.commit().await.unwrap();
    }
}

/// Rules and the days on which the place has them: `derive` writes a row for each.
async fn presence(tx: &mut sqlx::PgConnection, place_id: i32) -> BTreeSet<(i32, Day)> {
    sqlx::query_as("select rule_id, first_day from rule_presence where place_id = $1")
        .bind(place_id)
        .fetch_all(tx)
        .await
        .unwrap()
        .into_iter()
        .collect()
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

pub(crate) fn captured(day: Day, collection_id: i64) -> OffsetDateTime {
    day.date().unwrap().midnight().assume_utc() + Duration::milliseconds(collection_id)
}

/// A world with one place on three days: all good, one bad, then the resource of the bad one is gone.
pub(crate) async fn three_days(db: &PgPool) -> World {
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

/// A stream of numbers that is the same for the same seed.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    pub(crate) fn said(&mut self, world: &World, place: usize) -> Said {
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
