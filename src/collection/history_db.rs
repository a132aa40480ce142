//! Items of history objects, kept for as long as no snapshot speaks. Everything here runs in the place's transaction.

use std::collections::HashMap;

use sqlx::{PgConnection, PgPool};
use time::{Date, OffsetDateTime};

use super::copy::{self, Rows};
use super::day::Day;
use super::history::{Fold, HistoryItem, HistoryPack};
use super::store::PackValue;

/// Evaluated items and pack items that an object of a day held.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) object_id: i64,
    pub(super) day: Day,
    pub(super) items: Vec<HistoryItem>,
    pub(super) packs: Vec<HistoryPack>,
}

/// Keeps what objects held, instead of what an earlier reading kept of them.
pub(super) async fn keep(db: &mut PgConnection, place_id: i32, kept: &[Kept]) -> anyhow::Result<()> {
    let objects: Vec<i64> = kept.iter().map(|it| it.object_id).collect();
    for table in ["history_item", "history_pack_item"] {
        let statement = format!("delete from {table} where place_id = $1 and object_id = any($2)");
        sqlx::query(sqlx::AssertSqlSafe(statement)).bind(place_id).bind(&objects).execute(&mut *db).await?;
    }
    let (mut items, mut packs) = (Rows::new(10), Rows::new(12));
    for it in kept {
        for (ordinal, item) in (0_i32..).zip(&it.items) {
            items
                .row()
                .int4(place_id)
                .int8(it.object_id)
                .int4(ordinal)
                .int4(it.day.0)
                .timestamp(Some(item.captured_at))
                .int8(item.state_id)
                .int4(item.resource_id)
                .boolean(item.deleted)
                .int4_array(item.rules.iter().map(|rule| rule.0))
                .int2_array(item.rules.iter().map(|rule| rule.1));
        }
        for (ordinal, pack) in (0_i32..).zip(&it.packs) {
            packs
                .row()
                .int4(place_id)
                .int8(it.object_id)
                .int4(ordinal)
                .int4(it.day.0)
                .timestamp(Some(pack.captured_at))
                .int8(pack.state_id)
                .int4(pack.pack_id)
                .optional_int2(pack.value.map(|value| value.status_id))
                .int4(pack.value.map_or(0, |value| value.compliant_rules))
                .int4(pack.value.map_or(0, |value| value.non_compliant_rules))
                .int4(pack.value.map_or(0, |value| value.total_rules))
                .int4_array(pack.rules.iter().copied());
        }
    }
    copy::send(
        db,
        "copy history_item (place_id, object_id, ordinal, day, captured_at, state_id, resource_id, deleted, rule_ids,
                            status_ids) from stdin (format binary)",
        items,
    )
    .await?;
    copy::send(
        db,
        "copy history_pack_item (place_id, object_id, ordinal, day, captured_at, state_id, conformance_pack_id,
                                 status_id, compliant_rules, non_compliant_rules, total_rules, rule_ids)
         from stdin (format binary)",
        packs,
    )
    .await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct ItemRow {
    captured_at: OffsetDateTime,
    state_id: i64,
    resource_id: i32,
    deleted: bool,
    rule_ids: Vec<i32>,
    status_ids: Vec<i16>,
}

impl ItemRow {
    fn item(self) -> HistoryItem {
        HistoryItem {
            captured_at: microseconds(self.captured_at),
            state_id: self.state_id,
            resource_id: self.resource_id,
            deleted: self.deleted,
            rules: self.rule_ids.into_iter().zip(self.status_ids).collect(),
        }
    }
}

#[derive(sqlx::FromRow)]
struct PackRow {
    captured_at: OffsetDateTime,
    state_id: i64,
    conformance_pack_id: i32,
    status_id: Option<i16>,
    compliant_rules: i32,
    non_compliant_rules: i32,
    total_rules: i32,
    rule_ids: Vec<i32>,
}

impl PackRow {
    fn pack(self) -> HistoryPack {
        HistoryPack {
            captured_at: microseconds(self.captured_at),
            state_id: self.state_id,
            pack_id: self.conformance_pack_id,
            value: self.status_id.map(|status_id| PackValue {
                status_id,
                compliant_rules: self.compliant_rules,
                non_compliant_rules: self.non_compliant_rules,
                total_rules: self.total_rules,
            }),
            rules: self.rule_ids,
        }
    }
}

fn microseconds(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1000).unwrap_or(i64::MAX)
}

const ITEM: &str = "captured_at, state_id, resource_id, deleted, rule_ids, status_ids";
const PACK: &str = "captured_at, state_id, conformance_pack_id, status_id, compliant_rules, non_compliant_rules,
                    total_rules, rule_ids";

/// What was last said of everything before a day.
pub(super) async fn before(db: &mut PgConnection, place_id: i32, day: Day) -> sqlx::Result<Fold> {
    let last = |columns: &str, table: &str, of: &str| {
        sqlx::AssertSqlSafe(format!(
            "select distinct on ({of}) {columns} from {table} where place_id = $1 and day < $2
             order by {of}, captured_at desc, state_id desc, day desc, object_id desc, ordinal desc"
        ))
    };
    let items = last(ITEM, "history_item", "resource_id");
    let items: Vec<ItemRow> = sqlx::query_as(items).bind(place_id).bind(day).fetch_all(&mut *db).await?;
    let packs = last(PACK, "history_pack_item", "conformance_pack_id");
    let packs: Vec<PackRow> = sqlx::query_as(packs).bind(place_id).bind(day).fetch_all(db).await?;
    let mut fold = Fold::default();
    for row in items {
        fold.take(row.item());
    }
    for row in packs {
        fold.take_pack(row.pack());
    }
    Ok(fold)
}

/// Takes what was delivered on a day; returns the number of compliance items.
pub(super) async fn take(db: &mut PgConnection, place_id: i32, day: Day, fold: &mut Fold) -> sqlx::Result<usize> {
    let of_day = |columns: &str, table: &str| {
        sqlx::AssertSqlSafe(format!(
            "select {columns} from {table} where place_id = $1 and day = $2 order by object_id, ordinal"
        ))
    };
    let items: Vec<ItemRow> =
        sqlx::query_as(of_day(ITEM, "history_item")).bind(place_id).bind(day).fetch_all(&mut *db).await?;
    let packs: Vec<PackRow> =
        sqlx::query_as(of_day(PACK, "history_pack_item")).bind(place_id).bind(day).fetch_all(db).await?;
    let count = items.len();
    for row in items {
        fold.take(row.item());
    }
    for row in packs {
        fold.take_pack(row.pack());
    }
    Ok(count)
}

/// Days from `from` until before `end` on which anything was delivered, and whether compliance items were among it.
pub(super) async fn days(db: &mut PgConnection, place_id: i32, from: Day, end: Day) -> sqlx::Result<Vec<(Day, bool)>> {
    sqlx::query_as(
        "select day, bool_or(compliance) from (
             select distinct day, true as compliance from history_item where place_id = $1 and day >= $2 and day < $3
             union all
             select distinct day, false from history_pack_item where place_id = $1 and day >= $2 and day < $3) said
         group by day order by day",
    )
    .bind(place_id)
    .bind(from)
    .bind(end)
    .fetch_all(db)
    .await
}

/// The day from which history objects of a place speak no more.
const FIRST_SNAPSHOT: &str = "(select coalesce(min(f.day), 'infinity') from delivery f
     where f.place_id = p.place_id and f.until_collection is null
       and f.state in ('delivered', 'delivered, later object unreadable'))";

/// Days with history items that speak and whose delivery does not say so: the work of a collection that was cut off. Items of
/// before the first day kept are there for the days that go on from them.
const UNTOLD: &str = "history_item h where h.place_id = p.place_id and h.day < first.day
     and h.day >= coalesce((select max(first_day) from retention k where k.organization_id = p.organization_id), '-infinity')
     and not exists (
         select from delivery d where d.place_id = h.place_id and d.day = h.day and d.until_collection is null
           and (d.state = 'inferred from history' or (d.state = 'no compliance items' and d.object_id is not null)))";

/// The first day with history items that speak and whose delivery does not say so.
pub(super) async fn first_untold(db: &mut PgConnection, place_id: i32) -> sqlx::Result<Option<Day>> {
    let statement = format!(
        "select (select min(h.day) from {UNTOLD})
         from place p cross join lateral (select {FIRST_SNAPSHOT} as day) first where p.place_id = $1"
    );
    sqlx::query_scalar(sqlx::AssertSqlSafe(statement)).bind(place_id).fetch_one(db).await
}

/// What a place's history has to do with its snapshots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, sqlx::FromRow)]
pub(super) struct Part {
    /// The first day with a snapshot that holds compliance items.
    pub(super) first_snapshot: Option<Date>,
    /// Whether the store's days are not what its items say.
    pub(super) unfinished: bool,
}

/// The part of history in each place of the organisation.
pub(super) async fn parts(db: &PgPool, organization_id: i16) -> sqlx::Result<HashMap<i32, Part>> {
    #[derive(sqlx::FromRow)]
    struct Row {
        place_id: i32,
        #[sqlx(flatten)]
        part: Part,
    }
    let statement = format!(
        "select p.place_id, nullif(first.day, 'infinity') as first_snapshot,
                exists (select from delivery d where d.place_id = p.place_id and d.until_collection is null
                          and d.state = 'inferred from history' and d.day >= first.day)
                or exists (select from {UNTOLD}) as unfinished
         from place p cross join lateral (select {FIRST_SNAPSHOT} as day) first where p.organization_id = $1"
    );
    let rows: Vec<Row> = sqlx::query_as(sqlx::AssertSqlSafe(statement)).bind(organization_id).fetch_all(db).await?;
    Ok(rows.into_iter().map(|row| (row.place_id, row.part)).collect())
}
