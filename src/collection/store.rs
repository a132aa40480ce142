//! Loads a place's runs, splices a patch into them and writes what differs.

use sqlx::PgConnection;

use super::copy::{self, Rows};
use super::day::Day;
use super::db::DeliveryRow;
use super::gather::Attribute;
use super::place::{Ids, no_patch};
use super::rollup::{self, Counts, Delta, Group, Row};
use super::splice::{self, Calendar, Changes, Patch, Restated, Run, Window};

/// (rule, resource).
pub(super) type Key = (i32, i32);
type Captured = Option<i64>;

/// AWS's own verdict on a conformance pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PackValue {
    pub(super) status_id: i16,
    pub(super) compliant_rules: i32,
    pub(super) non_compliant_rules: i32,
    pub(super) total_rules: i32,
}

/// What a collection found out about days of one place, in row ids.
#[derive(Debug)]
pub(super) struct StorePatch {
    pub(super) runs: Patch<Key, i16, Captured>,
    pub(super) presence: Patch<i32, (), ()>,
    pub(super) packs: Patch<i32, PackValue, ()>,
}

impl Default for StorePatch {
    fn default() -> Self {
        Self { runs: no_patch(), presence: no_patch(), packs: no_patch() }
    }
}

/// What writing changed of days that were known before.
#[derive(Debug)]
pub(super) struct Written {
    restated: Vec<Restated<Key, i16, Captured>>,
}

impl Written {
    /// Evaluations that a day has now and had not, and the other way round. A changed status counts in both.
    pub(super) fn difference(&self, row: &DeliveryRow, before: Option<&DeliveryRow>) -> (i64, i64) {
        let before = before.filter(|before| before.state.0.known());
        match (before, row.state.0.known()) {
            (None, false) => (0, 0),
            (None, true) => (row.evaluations(), 0),
            (Some(before), false) => (0, before.evaluations()),
            (Some(_), true) => {
                let mut difference = (0, 0);
                let changed = |one: &&Restated<Key, i16, Captured>| {
                    one.day == row.day && one.old.map(|old| old.0) != one.new.map(|new| new.0)
                };
                for one in self.restated.iter().filter(changed) {
                    difference.0 += i64::from(one.new.is_some());
                    difference.1 += i64::from(one.old.is_some());
                }
                difference
            }
        }
    }
}

/// Puts the patch into the place's store: runs, roll-up, rule presence, pack verdicts, restatements.
pub(super) async fn write(
    db: &mut PgConnection,
    place_id: i32,
    collection_id: i64,
    calendar: Calendar<'_>,
    patch: StorePatch,
    ids: &Ids,
) -> anyhow::Result<Written> {
    let Some(window) = splice::window(calendar, &patch.runs) else {
        return Ok(Written { restated: vec![] });
    };
    let old = load_runs(db, place_id, window).await?;
    let changes = splice::splice(calendar, patch.runs, old);
    write_rollup(db, place_id, &changes, ids).await?;
    write_runs(db, place_id, &changes).await?;
    write_restatements(db, place_id, collection_id, &changes.restated).await?;

    let old = load_presence(db, place_id, window).await?;
    write_presence(db, place_id, &splice::splice(calendar, patch.presence, old)).await?;
    let old = load_packs(db, place_id, window).await?;
    write_packs(db, &splice::splice(calendar, patch.packs, old)).await?;
    Ok(Written { restated: changes.restated })
}

/// What the store says of a known day of a place, in row ids.
#[derive(Debug, Default)]
pub(super) struct StoredDay {
    pub(super) evaluations: Vec<(Key, i16)>,
    pub(super) rules: Vec<i32>,
    pub(super) packs: Vec<(i32, PackValue)>,
}

/// Reads a day that another is told from.
pub(super) async fn stored_day(db: &mut PgConnection, place_id: i32, day: Day) -> sqlx::Result<StoredDay> {
    let statement = format!(
        "copy (select rule_id, resource_id, status_id from run
               where place_id = {place_id} and first_day <= '{day}' and end_day > '{day}') to stdout (format binary)"
    );
    let evaluations = copy::receive(db, &statement, |row| Ok(((row.int4()?, row.int4()?), row.int2()?))).await?;
    let window = Window { from: day, to: day };
    let on = |first: Day, end: Day| first <= day && end > day;
    let rules = load_presence(db, place_id, window).await?;
    let packs = load_packs(db, place_id, window).await?;
    Ok(StoredDay {
        evaluations,
        rules: rules.into_iter().filter(|run| on(run.first, run.end)).map(|run| run.key).collect(),
        packs: packs.into_iter().filter(|run| on(run.first, run.end)).map(|run| (run.key, run.value)).collect(),
    })
}

async fn load_runs(
    db: &mut PgConnection,
    place_id: i32,
    Window { from, to }: Window,
) -> sqlx::Result<Vec<Run<Key, i16, Captured>>> {
    let statement = format!(
        "copy (select rule_id, resource_id, first_day, end_day, status_id, item_captured_at from run
               where place_id = {place_id} and end_day > '{from}' and first_day <= '{to}')
         to stdout (format binary)"
    );
    copy::receive(db, &statement, |row| {
        Ok(Run {
            key: (row.int4()?, row.int4()?),
            first: Day(row.int4()?),
            end: Day(row.int4()?),
            value: row.int2()?,
            note: row.timestamp()?,
        })
    })
    .await
}

async fn write_runs(db: &mut PgConnection, place_id: i32, changes: &Changes<Key, i16, Captured>) -> sqlx::Result<()> {
    if !changes.delete.is_empty() {
        sqlx::query(
            "delete from run using unnest($2::int[], $3::int[], $4::date[]) as gone (rule_id, resource_id, first_day)
             where run.place_id = $1 and run.rule_id = gone.rule_id and run.resource_id = gone.resource_id
               and run.first_day = gone.first_day",
        )
        .bind(place_id)
        .bind(changes.delete.iter().map(|run| run.key.0).collect::<Vec<_>>())
        .bind(changes.delete.iter().map(|run| run.key.1).collect::<Vec<_>>())
        .bind(changes.delete.iter().map(|run| run.first).collect::<Vec<_>>())
        .execute(&mut *db)
        .await?;
    }
    if !changes.shift.is_empty() {
        sqlx::query(
            "update run set end_day = moved.end_day
             from unnest($2::int[], $3::int[], $4::date[], $5::date[]) as moved (rule_id, resource_id, first_day, end_day)
             where run.place_id = $1 and run.rule_id = moved.rule_id and run.resource_id = moved.resource_id
               and run.first_day = moved.first_day",
        )
        .bind(place_id)
        .bind(changes.shift.iter().map(|(run, _)| run.key.0).collect::<Vec<_>>())
        .bind(changes.shift.iter().map(|(run, _)| run.key.1).collect::<Vec<_>>())
        .bind(changes.shift.iter().map(|(run, _)| run.first).collect::<Vec<_>>())
        .bind(changes.shift.iter().map(|(_, end)| *end).collect::<Vec<_>>())
        .execute(&mut *db)
        .await?;
    }
    if changes.insert.is_empty() {
        return Ok(());
    }
    let mut rows = Rows::new(7);
    for run in &changes.insert {
        rows.row()
            .int4(place_id)
            .int4(run.key.0)
            .int4(run.key.1)
            .int4(run.first.0)
            .int4(run.end.0)
            .int2(run.value)
            .timestamp(run.note);
    }
    copy::send(
        db,
        "copy run (place_id, rule_id, resource_id, first_day, end_day, status_id, item_captured_at)
         from stdin (format binary)",
        rows,
    )
    .await?;
    Ok(())
}

async fn write_rollup(
    db: &mut PgConnection,
    place_id: i32,
    changes: &Changes<Key, i16, Captured>,
    ids: &Ids,
) -> anyhow::Result<()> {
    let types = resource_types(db, changes, ids).await?;
    let delta = |run: &Run<Key, i16, Captured>, first: Day, end: Day, by: i32| Delta {
        group: Group { rule_id: run.key.0, resource_type_id: types.get(&run.key.1).copied().unwrap_or_default() },
        first,
        end,
        status_id: run.value,
        by,
    };
    let mut deltas = Vec::new();
    deltas.extend(changes.delete.iter().map(|run| delta(run, run.first, run.end, -1)));
    deltas.extend(changes.insert.iter().map(|run| delta(run, run.first, run.end, 1)));
    deltas.extend(
        changes.shift.iter().map(|(run, end)| {
            if *end < run.end { delta(run, *end, run.end, -1) } else { delta(run, run.end, *end, 1) }
        }),
    );
    let Some(first) = deltas.iter().map(|delta| delta.first).min() else { return Ok(()) };
    let statement = format!(
        "copy (select rule_id, resource_type_id, first_day, end_day, complying, not_complying, insufficient_data,
                      not_applicable, unrecognised from rollup
               where place_id = {place_id} and end_day >= '{first}') to stdout (format binary)"
    );
    let old = copy::receive(db, &statement, |row| {
        Ok(Row {
            group: Group { rule_id: row.int4()?, resource_type_id: row.int2()? },
            first: Day(row.int4()?),
            end: Day(row.int4()?),
            counts: Counts([row.int4()?, row.int4()?, row.int4()?, row.int4()?, row.int4()?]),
        })
    })
    .await?;
    let changes = rollup::apply(&old, &deltas);
    if !changes.delete.is_empty() {
        sqlx::query(
            "delete from rollup using unnest($2::int[], $3::smallint[], $4::date[]) as gone (rule_id, type_id, first_day)
             where rollup.place_id = $1 and rollup.rule_id = gone.rule_id
               and rollup.resource_type_id = gone.type_id and rollup.first_day = gone.first_day",
        )
        .bind(place_id)
        .bind(changes.delete.iter().map(|row| row.group.rule_id).collect::<Vec<_>>())
        .bind(changes.delete.iter().map(|row| row.group.resource_type_id).collect::<Vec<_>>())
        .bind(changes.delete.iter().map(|row| row.first).collect::<Vec<_>>())
        .execute(&mut *db)
        .await?;
    }
    let mut rows = Rows::new(10);
    for row in &changes.insert {
        anyhow::ensure!(row.counts.0.iter().all(|count| *count >= 0), "a count of the roll-up fell below zero");
        rows.row()
            .int4(place_id)
            .int4(row.group.rule_id)
            .int2(row.group.resource_type_id)
            .int4(row.first.0)
            .int4(row.end.0);
        for count in row.counts.0 {
            rows.int4(count);
        }
    }
    copy::send(
        db,
        "copy rollup (place_id, rule_id, resource_type_id, first_day, end_day, complying, not_complying,
                      insufficient_data, not_applicable, unrecognised) from stdin (format binary)",
        rows,
    )
    .await?;
    Ok(())
}

/// Types of all resources in the changes: most are known from reading; those that vanished are asked for.
async fn resource_types(
    db: &mut PgConnection,
    changes: &Changes<Key, i16, Captured>,
    ids: &Ids,
) -> sqlx::Result<std::collections::HashMap<i32, i16>> {
    let mut types = ids.resource_types.clone();
    let keys = changes.delete.iter().chain(&changes.insert).chain(changes.shift.iter().map(|(run, _)| run));
    let mut missing: Vec<i32> = keys.map(|run| run.key.1).filter(|id| !types.contains_key(id)).collect();
    missing.sort_unstable();
    missing.dedup();
    if !missing.is_empty() {
        let rows: Vec<(i32, i16)> =
            sqlx::query_as("select resource_id, resource_type_id from resource where resource_id = any($1)")
                .bind(&missing)
                .fetch_all(db)
                .await?;
        types.extend(rows);
    }
    Ok(types)
}

async fn write_restatements(
    db: &mut PgConnection,
    place_id: i32,
    collection_id: i64,
    restated: &[Restated<Key, i16, Captured>],
) -> sqlx::Result<()> {
    if restated.is_empty() {
        return Ok(());
    }
    let mut rows = Rows::new(9);
    for one in restated {
        rows.row()
            .int8(collection_id)
            .int4(place_id)
            .int4(one.day.0)
            .int4(one.key.0)
            .int4(one.key.1)
            .optional_int2(one.old.map(|old| old.0))
            .optional_int2(one.new.map(|new| new.0))
            .timestamp(one.old.and_then(|old| old.1))
            .timestamp(one.new.and_then(|new| new.1));
    }
    // One collection can restate a day twice (a batch, then what history says): the first old and the last new stand.
    sqlx::query("create temporary table if not exists restating (like restatement) on commit delete rows")
        .execute(&mut *db)
        .await?;
    sqlx::query("truncate restating").execute(&mut *db).await?;
    copy::send(
        db,
        "copy restating (collection_id, place_id, day, rule_id, resource_id, old_status_id, new_status_id,
                         old_item_captured_at, new_item_captured_at) from stdin (format binary)",
        rows,
    )
    .await?;
    sqlx::query(
        "insert into restatement select * from restating
         on conflict (place_id, day, collection_id, rule_id, resource_id) do update set
             new_status_id = excluded.new_status_id, new_item_captured_at = excluded.new_item_captured_at",
    )
    .execute(db)
    .await?;
    Ok(())
}

async fn load_presence(db: &mut PgConnection, place_id: i32, window: Window) -> sqlx::Result<Vec<Run<i32, (), ()>>> {
    let rows: Vec<(i32, Day, Day)> = sqlx::query_as(
        "select rule_id, first_day, end_day from rule_presence
         where place_id = $1 and end_day > $2 and first_day <= $3",
    )
    .bind(place_id)
    .bind(window.from)
    .bind(window.to)
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|(key, first, end)| Run { key, first, end, value: (), note: () }).collect())
}

async fn write_presence(db: &mut PgConnection, place_id: i32, changes: &Changes<i32, (), ()>) -> sqlx::Result<()> {
    for run in &changes.delete {
        sqlx::query("delete from rule_presence where place_id = $1 and rule_id = $2 and first_day = $3")
            .bind(place_id)
            .bind(run.key)
            .bind(run.first)
            .execute(&mut *db)
            .await?;
    }
    for (run, end) in &changes.shift {
        sqlx::query("update rule_presence set end_day = $4 where place_id = $1 and rule_id = $2 and first_day = $3")
            .bind(place_id)
            .bind(run.key)
            .bind(run.first)
            .bind(end)
            .execute(&mut *db)
            .await?;
    }
    sqlx::query(
        "insert into rule_presence (place_id, rule_id, first_day, end_day)
         select $1, * from unnest($2::int[], $3::date[], $4::date[])",
    )
    .bind(place_id)
    .bind(changes.insert.iter().map(|run| run.key).collect::<Vec<_>>())
    .bind(changes.insert.iter().map(|run| run.first).collect::<Vec<_>>())
    .bind(changes.insert.iter().map(|run| run.end).collect::<Vec<_>>())
    .execute(db)
    .await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct PackRow {
    conformance_pack_id: i32,
    first_day: Day,
    end_day: Day,
    status_id: i16,
    compliant_rules: i32,
    non_compliant_rules: i32,
    total_rules: i32,
}

async fn load_packs(
    db: &mut PgConnection,
    place_id: i32,
    window: Window,
) -> sqlx::Result<Vec<Run<i32, PackValue, ()>>> {
    let rows: Vec<PackRow> = sqlx::query_as(
        "select r.* from conformance_pack_run r join conformance_pack p using (conformance_pack_id)
         where p.place_id = $1 and r.end_day > $2 and r.first_day <= $3",
    )
    .bind(place_id)
    .bind(window.from)
    .bind(window.to)
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Run {
            key: row.conformance_pack_id,
            first: row.first_day,
            end: row.end_day,
            value: PackValue {
                status_id: row.status_id,
                compliant_rules: row.compliant_rules,
                non_compliant_rules: row.non_compliant_rules,
                total_rules: row.total_rules,
            },
            note: (),
        })
        .collect())
}

async fn write_packs(db: &mut PgConnection, changes: &Changes<i32, PackValue, ()>) -> sqlx::Result<()> {
    for run in &changes.delete {
        sqlx::query("delete from conformance_pack_run where conformance_pack_id = $1 and first_day = $2")
            .bind(run.key)
            .bind(run.first)
            .execute(&mut *db)
            .await?;
    }
    for (run, end) in &changes.shift {
        sqlx::query("update conformance_pack_run set end_day = $3 where conformance_pack_id = $1 and first_day = $2")
            .bind(run.key)
            .bind(run.first)
            .bind(end)
            .execute(&mut *db)
            .await?;
    }
    for run in &changes.insert {
        sqlx::query(
            "insert into conformance_pack_run (conformance_pack_id, first_day, end_day, status_id, compliant_rules,
                                               non_compliant_rules, total_rules) values ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(run.key)
        .bind(run.first)
        .bind(run.end)
        .bind(run.value.status_id)
        .bind(run.value.compliant_rules)
        .bind(run.value.non_compliant_rules)
        .bind(run.value.total_rules)
        .execute(&mut *db)
        .await?;
    }
    Ok(())
}

/// Keeps the ARNs and configRuleIds that rules were delivered with, each from the first day on which it was seen.
pub(super) async fn note_attributes(
    db: &mut PgConnection,
    place_id: i32,
    seen: &[(i32, Attribute, Day)],
) -> sqlx::Result<()> {
    if seen.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert into rule_attribute (place_id, rule_id, arn, config_rule_id, first_day)
         select $1, u.rule_id, u.arn, u.config_rule_id, min(u.first_day)
         from unnest($2::int[], $3::text[], $4::text[], $5::date[]) as u (rule_id, arn, config_rule_id, first_day)
         group by u.rule_id, u.arn, u.config_rule_id
         on conflict (place_id, rule_id, arn, config_rule_id) do update set first_day = excluded.first_day
             where excluded.first_day < rule_attribute.first_day",
    )
    .bind(place_id)
    .bind(seen.iter().map(|(rule_id, _, _)| *rule_id).collect::<Vec<_>>())
    .bind(seen.iter().map(|(_, attribute, _)| &*attribute.arn).collect::<Vec<_>>())
    .bind(seen.iter().map(|(_, attribute, _)| &*attribute.config_rule_id).collect::<Vec<_>>())
    .bind(seen.iter().map(|(_, _, day)| *day).collect::<Vec<_>>())
    .execute(db)
    .await?;
    Ok(())
}
