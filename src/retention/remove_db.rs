//! The statements that find what goes, counted and removed by the same words.

use std::collections::BTreeMap;

use sqlx::postgres::PgArguments;
use sqlx::query::QueryScalar;
use sqlx::{AssertSqlSafe, PgConnection, Postgres, query_scalar};
use time::Date;

use super::anchors::{Known, anchors};
use crate::collection::day::Day;

/// Rows by table.
pub type Counts = BTreeMap<&'static str, i64>;

/// A table and the rows of it, `t`, that go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub(super) table: &'static str,
    rows: &'static str,
}

/// Of a place: $1 its id, $2 the first day kept, $3 the days before it that speak for kept ones, $4 to $6 the runs under other
/// names that kept failures began as (rule, resource, first day), $7 whether snapshots alone speak from before $2 on, $8 the
/// objects that stay, $9 whether every resource is to be looked at and not only those with runs that go.
///
/// In this order: a resource is found by its runs, so it goes before them; what points at a row goes before it.
pub(super) const OF_PLACE: &[Part] = &[
    Part {
        table: "history_pack_item",
        rows: "from history_pack_item t where t.place_id = $1 and t.day < $2 and ($7 or t.ctid in (
                   select ctid from (
                       select ctid, row_number() over (partition by conformance_pack_id
                           order by captured_at desc, state_id desc, day desc, object_id desc, ordinal desc) as n
                       from history_pack_item where place_id = $1 and day < $2) ordered where n > 1))",
    },
    Part {
        table: "history_item",
        rows: "from history_item t where t.place_id = $1 and t.day < $2 and ($7 or t.ctid in (
                   select ctid from (
                       select ctid, row_number() over (partition by resource_id
                           order by captured_at desc, state_id desc, day desc, object_id desc, ordinal desc) as n
                       from history_item where place_id = $1 and day < $2) ordered where n > 1))",
    },
    Part {
        table: "resource",
        rows: "from resource t where t.place_id = $1
                   and ($9 or t.resource_id in (
                       select resource_id from run where place_id = $1 and end_day <= $2 and end_day < 'infinity'
                       union all
                       select resource_id from restatement where place_id = $1 and day < $2))
                   and not exists (
                       select from run r where r.resource_id = t.resource_id and (r.end_day > $2 or exists (
                           select from unnest($3::date[]) a (day) where r.first_day <= a.day and r.end_day > a.day)))
                   and not exists (
                       select from restatement x where x.place_id = $1 and x.resource_id = t.resource_id
                           and (x.day >= $2 or x.day = any($3)))
                   and not exists (
                       select from history_item h where h.resource_id = t.resource_id and (not $7 or h.day >= $2))",
    },
    Part {
        table: "run",
        rows: "from run t where t.place_id = $1 and t.end_day <= $2 and t.end_day < 'infinity'
                   and not exists (
                       select from unnest($3::date[]) a (day) where t.first_day <= a.day and t.end_day > a.day)
                   and not exists (
                       select from unnest($4::integer[], $5::integer[], $6::date[]) c (rule_id, resource_id, first_day)
                       where c.rule_id = t.rule_id and c.resource_id = t.resource_id and c.first_day = t.first_day)",
    },
    Part { table: "restatement", rows: "from restatement t where t.place_id = $1 and t.day < $2 and t.day <> all($3)" },
    Part {
        table: "rule_presence_restatement",
        rows: "from rule_presence_restatement t where t.place_id = $1 and t.day < $2 and t.day <> all($3)",
    },
    Part {
        table: "rollup",
        rows: "from rollup t where t.place_id = $1 and t.end_day <= $2 and not exists (
                   select from unnest($3::date[]) a (day) where t.first_day <= a.day and t.end_day > a.day)",
    },
    Part {
        table: "rule_presence",
        rows: "from rule_presence t where t.place_id = $1 and t.end_day <= $2 and t.rule_id <> all($4)
                   and not exists (
                       select from unnest($3::date[]) a (day) where t.first_day <= a.day and t.end_day > a.day)",
    },
    Part {
        table: "conformance_pack_run",
        rows: "from conformance_pack_run t
               where t.conformance_pack_id in (select conformance_pack_id from conformance_pack where place_id = $1)
                   and t.end_day <= $2 and not exists (
                       select from unnest($3::date[]) a (day) where t.first_day <= a.day and t.end_day > a.day)",
    },
    Part {
        table: "delivery",
        rows: "from delivery t where t.place_id = $1 and t.day < $2 and not (t.known and t.day = any($3))",
    },
    Part {
        table: "object_outcome",
        rows: "from object_outcome t where t.object_id in (
                   select object_id from object where place_id = $1 and day < $2 and object_id <> all($8))",
    },
    Part { table: "object", rows: "from object t where t.place_id = $1 and t.day < $2 and t.object_id <> all($8)" },
    Part { table: "rule_definition", rows: "from rule_definition t where t.place_id = $1 and t.end_day < $2" },
    Part {
        table: "rule_reading",
        rows: "from rule_reading t where t.place_id = $1 and t.day < $2 and t.collection_id not in (
                   select max(collection_id) from rule_reading where place_id = $1 and day < $2
                   union all
                   select coalesce(max(collection_id), 0) from rule_reading
                   where place_id = $1 and day < $2 and outcome = 'read')",
    },
];

/// Parameters are named by every variant of a statement.
const NAMED: &str = "and $3::date[] is not null and $4::integer[] is not null and $5::integer[] is not null
    and $6::date[] is not null and $7::boolean is not null and $8::bigint[] is not null and $9::boolean is not null";

/// Of the organisation: $1 its id, $2 the first day kept. What points at a row goes before it.
pub(super) const OF_ORGANIZATION: &[Part] = &[
    Part { table: "day_total", rows: "from day_total t where t.organization_id = $1 and t.day < $2" },
    Part {
        table: "aggregator_source",
        rows: "from aggregator_source t where t.organization_id = $1 and t.until_reading in (
                   select aggregator_reading_id from aggregator_reading
                   where organization_id = $1 and (ended_at at time zone 'UTC')::date < $2)",
    },
    Part {
        table: "aggregate_rule",
        rows: "from aggregate_rule t where t.organization_id = $1 and t.until_reading in (
                   select aggregator_reading_id from aggregator_reading
                   where organization_id = $1 and (ended_at at time zone 'UTC')::date < $2)",
    },
    Part {
        table: "aggregate_pack",
        rows: "from aggregate_pack t where t.organization_id = $1 and t.until_reading in (
                   select aggregator_reading_id from aggregator_reading
                   where organization_id = $1 and (ended_at at time zone 'UTC')::date < $2)",
    },
    Part {
        table: "comparison",
        rows: "from comparison t where t.organization_id = $1 and (
                   select day from aggregator_reading where organization_id = $1 and failure is null
                   order by aggregator_reading_id desc limit 1) < $2",
    },
    Part {
        table: "pack_comparison",
        rows: "from pack_comparison t where t.organization_id = $1 and (
                   select day from aggregator_reading where organization_id = $1 and failure is null
                   order by aggregator_reading_id desc limit 1) < $2",
    },
    Part {
        table: "note",
        rows: "from note t where t.note_reading_id in (
                   select note_reading_id from note_reading
                   where organization_id = $1 and (fetched_at at time zone 'UTC')::date < $2)",
    },
    Part {
        table: "note_reading",
        rows: "from note_reading t where t.organization_id = $1 and (t.fetched_at at time zone 'UTC')::date < $2",
    },
];

/// The tables from which rows are removed, in the order of the data's way out.
pub const TABLES: [&str; OF_PLACE.len() + OF_ORGANIZATION.len()] = {
    let mut tables = [""; OF_PLACE.len() + OF_ORGANIZATION.len()];
    let mut at = 0;
    while at < tables.len() {
        tables[at] = if at < OF_PLACE.len() { OF_PLACE[at].table } else { OF_ORGANIZATION[at - OF_PLACE.len()].table };
        at += 1;
    }
    tables
};

/// What the statements of a place are told.
#[derive(Debug)]
pub(super) struct PlaceFacts {
    place_id: i32,
    first_day: Day,
    anchors: Vec<Day>,
    chain: Chain,
    snapshots_alone: bool,
    objects: Vec<i64>,
    all_resources: bool,
}

/// Runs of other names of a timeline that kept failures began as.
#[derive(Debug, Default)]
struct Chain {
    rule_ids: Vec<i32>,
    resource_ids: Vec<i32>,
    first_days: Vec<Day>,
}

/// The organisation's places.
pub(super) async fn places(db: &mut PgConnection, organization_id: i16) -> sqlx::Result<Vec<i32>> {
    query_scalar("select place_id from place where organization_id = $1 order by place_id")
        .bind(organization_id)
        .fetch_all(db)
        .await
}

/// The first collection that said anything of a kept day.
pub(super) async fn first_point(
    db: &mut PgConnection,
    organization_id: i16,
    first_day: Date,
) -> sqlx::Result<Option<i64>> {
    query_scalar(
        "select min(d.since_collection) from delivery d join place p using (place_id)
         where p.organization_id = $1 and d.day >= $2",
    )
    .bind(organization_id)
    .bind(first_day)
    .fetch_one(db)
    .await
}

impl PlaceFacts {
    /// Reads what decides. The same is read again of a place whose removal was cut off: what decides is never removed.
    pub(super) async fn load(
        db: &mut PgConnection,
        place_id: i32,
        (first_day, first_point): (Date, Option<i64>),
        again: bool,
    ) -> sqlx::Result<Self> {
        let first_day = Day::from(first_day);
        let before: Vec<Known> = sqlx::query_as(
            "select day, since_collection, until_collection from delivery where place_id = $1 and day < $2 and known",
        )
        .bind(place_id)
        .bind(first_day)
        .fetch_all(&mut *db)
        .await?;
        let anchors: Vec<Day> = anchors(before, first_point).into_iter().collect();
        let (snapshots_alone, has_history): (bool, bool) = sqlx::query_as(
            "select exists (select from delivery where place_id = $1 and day < $2 and until_collection is null
                                and state in ('delivered', 'delivered, later object unreadable')),
                    exists (select from history_item where place_id = $1)",
        )
        .bind(place_id)
        .bind(first_day)
        .fetch_one(&mut *db)
        .await?;
        let chain = chain(db, place_id, first_day, &anchors).await?;
        let objects = objects(db, place_id, first_day, &anchors, snapshots_alone).await?;
        let all_resources = again || has_history;
        Ok(Self { place_id, first_day, anchors, chain, snapshots_alone, objects, all_resources })
    }

    fn bind(&self, sql: String) -> QueryScalar<'_, Postgres, i64, PgArguments> {
        query_scalar(AssertSqlSafe(sql))
            .bind(self.place_id)
            .bind(self.first_day)
            .bind(&self.anchors)
            .bind(&self.chain.rule_ids)
            .bind(&self.chain.resource_ids)
            .bind(&self.chain.first_days)
            .bind(self.snapshots_alone)
            .bind(&self.objects)
            .bind(self.all_resources)
    }

    /// How many rows go.
    pub(super) async fn count(&self, db: &mut PgConnection, part: &Part) -> sqlx::Result<i64> {
        self.bind(format!("select count(*) {} {NAMED}", part.rows)).fetch_one(db).await
    }

    /// Whether any row goes.
    async fn any(&self, db: &mut PgConnection, part: &Part) -> sqlx::Result<bool> {
        let one = self.bind(format!("select 1::bigint {} {NAMED} limit 1", part.rows)).fetch_optional(db).await?;
        Ok(one.is_some())
    }

    /// Removes at most so many rows; says how many.
    pub(super) async fn remove(&self, db: &mut PgConnection, part: &Part, most: i64) -> sqlx::Result<i64> {
        self.bind(format!("{} {NAMED} limit $10{}", removing(part), COUNTING)).bind(most).fetch_one(db).await
    }
}

/// How many rows of the organisation's own go.
pub(super) async fn count(db: &mut PgConnection, part: &Part, of: (i16, Date)) -> sqlx::Result<i64> {
    query_scalar(AssertSqlSafe(format!("select count(*) {}", part.rows))).bind(of.0).bind(of.1).fetch_one(db).await
}

/// Whether a removal would take anything away.
pub(super) async fn any_at_all(db: &mut PgConnection, organization_id: i16, first_day: Date) -> sqlx::Result<bool> {
    for part in OF_ORGANIZATION {
        if any(db, part, (organization_id, first_day)).await? {
            return Ok(true);
        }
    }
    let first_point = first_point(db, organization_id, first_day).await?;
    for place_id in places(db, organization_id).await? {
        let facts = PlaceFacts::load(db, place_id, (first_day, first_point), false).await?;
        for part in OF_PLACE {
            if facts.any(db, part).await? {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Whether any row of the organisation's own goes.
async fn any(db: &mut PgConnection, part: &Part, of: (i16, Date)) -> sqlx::Result<bool> {
    query_scalar(AssertSqlSafe(format!("select exists (select {})", part.rows)))
        .bind(of.0)
        .bind(of.1)
        .fetch_one(db)
        .await
}

/// Removes at most so many rows of the organisation's own; says how many.
pub(super) async fn remove(db: &mut PgConnection, part: &Part, of: (i16, Date), most: i64) -> sqlx::Result<i64> {
    query_scalar(AssertSqlSafe(format!("{} limit $3{}", removing(part), COUNTING)))
        .bind(of.0)
        .bind(of.1)
        .bind(most)
        .fetch_one(db)
        .await
}

/// A statement up to its limit; [`COUNTING`] ends it.
fn removing(part: &Part) -> String {
    let Part { table, rows } = part;
    format!("with gone as (delete from {table} where ctid = any(array(select t.ctid {rows}")
}

const COUNTING: &str = ")) returning 1) select count(*) from gone";

/// The runs before the first day kept that a failure of a kept day began as, under another name of its timeline: where a pack was
/// deployed again, a failure is as old as its timeline.
async fn chain(db: &mut PgConnection, place_id: i32, first_day: Day, anchors: &[Day]) -> sqlx::Result<Chain> {
    let rows: Vec<(i32, i32, Day)> = sqlx::query_as(
        "with recursive several as materialized (
             select r.timeline_id, array_agg(distinct e.rule_id) as rule_ids
             from rule_presence e join rule r using (rule_id) where e.place_id = $1
             group by r.timeline_id having min(e.rule_id) <> max(e.rule_id)
         ), chain as (
             select u.rule_id, u.resource_id, u.first_day, s.rule_ids
             from several s join run u on u.place_id = $1 and u.rule_id = any(s.rule_ids)
             where u.status_id = 2 and u.first_day < $2 and (u.end_day > $2 or exists (
                 select from unnest($3::date[]) a (day) where u.first_day <= a.day and u.end_day > a.day))
             union all
             select u.rule_id, u.resource_id, u.first_day, c.rule_ids
             from chain c join run u on u.place_id = $1 and u.rule_id = any(c.rule_ids) and u.resource_id = c.resource_id
                 and u.end_day = c.first_day and u.status_id = 2
         )
         select distinct rule_id, resource_id, first_day from chain",
    )
    .bind(place_id)
    .bind(first_day)
    .bind(anchors)
    .fetch_all(db)
    .await?;
    let mut chain = Chain::default();
    for (rule_id, resource_id, first) in rows {
        chain.rule_ids.push(rule_id);
        chain.resource_ids.push(resource_id);
        chain.first_days.push(first);
    }
    Ok(chain)
}

/// The objects before the first day kept that something points at which stays.
async fn objects(
    db: &mut PgConnection,
    place_id: i32,
    first_day: Day,
    anchors: &[Day],
    snapshots_alone: bool,
) -> sqlx::Result<Vec<i64>> {
    query_scalar(
        "select object_id from delivery
         where place_id = $1 and day = any($3) and known and object_id is not null
         union
         select object_id from (
             select object_id, row_number() over (partition by resource_id
                 order by captured_at desc, state_id desc, day desc, object_id desc, ordinal desc) as n
             from history_item where place_id = $1 and day < $2 and not $4) items where n = 1
         union
         select object_id from (
             select object_id, row_number() over (partition by conformance_pack_id
                 order by captured_at desc, state_id desc, day desc, object_id desc, ordinal desc) as n
             from history_pack_item where place_id = $1 and day < $2 and not $4) packs where n = 1",
    )
    .bind(place_id)
    .bind(first_day)
    .bind(anchors)
    .bind(snapshots_alone)
    .fetch_all(db)
    .await
}
