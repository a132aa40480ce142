//! Loads a place's runs, splices a patch into them and writes what differs.

use rustc_hash::FxHashMap;
use sqlx::PgConnection;

use super::copy::{self, Rows};
use super::day::Day;
use super::db::DeliveryRow;
use super::ids::Ids;
use super::place::no_patch;
use super::splice::{self, Calendar, Changes, Patch, Restated, Run, Window};
use super::witness::Times;
use super::{presence_db, rollup_db};

/// (rule, resource).
pub(super) type Key = (i32, i32);
/// When an item was captured, in microseconds since 1970.
pub(super) type Captured = Option<i64>;

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

/// Capture times of known days that a patch says nothing of.
#[derive(Debug, Default)]
pub(super) struct Notes(FxHashMap<(Day, Key), i64>);

impl Notes {
    pub(super) fn of(times: &Times, ids: &Ids) -> Self {
        let id = |ids: &[i32], number: u32| usize::try_from(number).ok().and_then(|at| ids.get(at).copied());
        let keyed = times.0.iter().flat_map(|(&day, times)| {
            times.iter().filter_map(move |(&(rule, resource), &captured_at)| {
                Some(((day, (id(&ids.rules, rule)?, id(&ids.resources, resource)?)), captured_at))
            })
        });
        Self(keyed.collect())
    }

    fn get(&self, key: Key, day: Day) -> Captured {
        self.0.get(&(day, key)).copied()
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
    notes: &Notes,
) -> anyhow::Result<Written> {
    let Some(window) = splice::window(calendar, &patch.runs) else {
        return Ok(Written { restated: vec![] });
    };
    let old = load_runs(db, place_id, window).await?;
    let changes = splice::splice(calendar, patch.runs, old, |key, day| notes.get(key, day));
    rollup_db::write(db, place_id, &changes, ids).await?;
    write_runs(db, place_id, &changes).await?;
    write_restatements(db, place_id, collection_id, &changes.restated).await?;

    let old = presence_db::load(db, place_id, window).await?;
    presence_db::write(db, place_id, collection_id, &splice::splice(calendar, patch.presence, old, |_, _| ())).await?;
    let old = presence_db::load_packs(db, place_id, window).await?;
    presence_db::write_packs(db, &splice::splice(calendar, patch.packs, old, |_, _| ())).await?;
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
    let rules = presence_db::load(db, place_id, window).await?;
    let packs = presence_db::load_packs(db, place_id, window).await?;
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
