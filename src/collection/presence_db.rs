//! Rows of rule presence, of AWS's verdicts on packs and of rules' attributes of a place. Everything here runs in the place's
//! transaction.

use sqlx::PgConnection;

use super::day::Day;
use super::names::Attribute;
use super::splice::{Changes, Run, Window};
use super::store::PackValue;

/// The runs of rule presence that overlap a window.
pub(super) async fn load(db: &mut PgConnection, place_id: i32, window: Window) -> sqlx::Result<Vec<Run<i32, (), ()>>> {
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

pub(super) async fn write(
    db: &mut PgConnection,
    place_id: i32,
    collection_id: i64,
    changes: &Changes<i32, (), ()>,
) -> sqlx::Result<()> {
    if !changes.restated.is_empty() {
        // Where one collection restates a day twice, what it found first is what earlier knowledge points said.
        sqlx::query(
            "insert into rule_presence_restatement (collection_id, place_id, day, rule_id, was_present)
             select $1, $2, * from unnest($3::date[], $4::int[], $5::bool[]) on conflict do nothing",
        )
        .bind(collection_id)
        .bind(place_id)
        .bind(changes.restated.iter().map(|one| one.day).collect::<Vec<_>>())
        .bind(changes.restated.iter().map(|one| one.key).collect::<Vec<_>>())
        .bind(changes.restated.iter().map(|one| one.old.is_some()).collect::<Vec<_>>())
        .execute(&mut *db)
        .await?;
    }
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

/// The runs of AWS's verdicts that overlap a window.
pub(super) async fn load_packs(
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

pub(super) async fn write_packs(db: &mut PgConnection, changes: &Changes<i32, PackValue, ()>) -> sqlx::Result<()> {
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
