//! The roll-up's rows of a place. Everything here runs in the place's transaction.

use sqlx::PgConnection;

use super::copy::{self, Rows};
use super::day::Day;
use super::ids::Ids;
use super::rollup::{self, Counts, Delta, Group, Row};
use super::splice::{Changes, Run};
use super::store::{Captured, Key};

/// Puts changes of runs into the roll-up.
pub(super) async fn write(
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
