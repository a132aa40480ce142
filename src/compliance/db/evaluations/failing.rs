//! Failing evaluations and since when they fail.

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::QueryAs;
use sqlx::{FromRow, PgConnection, Postgres};
use time::Date;

use super::{Asked, Counted, Pair, Part, Row, Wanted, part_number};
use crate::compliance::db::Several;

/// Failing evaluations with the day each was first observed, `found`: a failure that a redeployed pack took over under a
/// new rule name is as old as its timeline. $1 is the day; $2, $3 and $4 are where a place has had several names of a
/// timeline: nowhere, mostly, and then there is nothing to follow.
macro_rules! first_observed {
    ($several:expr, $base:literal, $then:expr) => {
        if $several.is_empty() {
            concat!(
                "with found as (
                     select u.place_id, u.rule_id, u.resource_id, r.severity, u.first_day as since
                     from ",
                $base,
                " join rule r on r.rule_id = u.rule_id
                     where u.status_id = 2 and u.first_day <= $1 and u.end_day > $1
                         -- Parameters are named by every variant of a statement.
                         and $2::integer[] is not null and $3::integer[] is not null and $4::integer[] is not null
                 ) ",
                $then
            )
        } else {
            concat!(
                "with recursive base as (
                     select u.place_id, u.rule_id, u.resource_id, r.timeline_id, r.severity, u.first_day
                     from ",
                $base,
                " join rule r on r.rule_id = u.rule_id
                     where u.status_id = 2 and u.first_day <= $1 and u.end_day > $1
                 ), several as materialized (
                     select place_id, timeline_id, array_agg(rule_id) as rule_ids
                     from unnest($2::integer[], $3::integer[], $4::integer[]) s (place_id, timeline_id, rule_id)
                     group by place_id, timeline_id
                 ), chain as (
                     select b.place_id, b.rule_id, b.resource_id, b.first_day, v.rule_ids
                     from base b join several v on v.place_id = b.place_id and v.timeline_id = b.timeline_id
                     union all
                     select c.place_id, c.rule_id, c.resource_id, u.first_day, c.rule_ids
                     from chain c
                     join run u on u.place_id = c.place_id and u.rule_id = any(c.rule_ids)
                         and u.resource_id = c.resource_id and u.end_day = c.first_day and u.status_id = 2
                 ), older as (
                     select place_id, rule_id, resource_id, min(first_day) as since from chain
                     group by place_id, rule_id, resource_id
                 ), found as (
                     select b.place_id, b.rule_id, b.resource_id, b.severity, coalesce(o.since, b.first_day) as since
                     from base b left join older o using (place_id, rule_id, resource_id)
                 ) ",
                $then
            )
        }
    };
}

/// The same by places or by rules, whichever lead. $5 places, $6 rules, $7 resource type.
macro_rules! first_observed_of {
    ($asked:expr, $several:expr, $then:literal) => {
        if $asked.by_rules() {
            first_observed!(
                $several,
                "(select * from run v where v.rule_id = any($6) and v.place_id + 0 = any($5)
                     and ($7::smallint[] is null or exists (
                         select from resource s where s.resource_id = v.resource_id and s.resource_type_id = any($7)))) u",
                $then
            )
        } else {
            first_observed!(
                $several,
                "(select * from run v where v.place_id = any($5) and ($6::integer[] is null or v.rule_id + 0 = any($6))
                     and ($7::smallint[] is null or exists (
                         select from resource s where s.resource_id = v.resource_id and s.resource_type_id = any($7)))) u",
                $then
            )
        }
    };
}

/// The query of what [`first_observed_of`] gives, with all that it names bound.
fn of<'q, R>(sql: &'static str, asked: &'q Asked<'_>, several: &'q Several) -> QueryAs<'q, Postgres, R, PgArguments>
where
    R: for<'row> FromRow<'row, PgRow>,
{
    sqlx::query_as(sql)
        .bind(asked.day)
        .bind(&several.place_ids)
        .bind(&several.timeline_ids)
        .bind(&several.rule_ids)
        .bind(asked.place_ids)
        .bind(asked.rule_ids)
        .bind(asked.resource_type_ids)
}

/// Failing evaluations by severity and by days since first observed (the first day counts as 1).
#[derive(Debug, Clone, Copy, FromRow)]
pub(crate) struct Failing {
    pub(crate) severity: i16,
    pub(crate) days: i32,
    pub(crate) evaluations: i64,
}

pub(crate) async fn failing_by_age(
    db: &mut PgConnection,
    asked: &Asked<'_>,
    several: &Several,
) -> sqlx::Result<Vec<Failing>> {
    let sql = first_observed_of!(
        asked,
        several,
        "select severity, $1 - since + 1 as days, count(*) as evaluations from found group by severity, since"
    );
    of(sql, asked, several).fetch_all(db).await
}

/// Failing evaluations of places by the day they were first observed.
#[derive(Debug, Clone, Copy, FromRow)]
pub(crate) struct FailingSince {
    pub(crate) place_id: i32,
    pub(crate) since: Date,
    pub(crate) evaluations: i64,
}

pub(crate) async fn failing_by_day(
    db: &mut PgConnection,
    asked: &Asked<'_>,
    several: &Several,
) -> sqlx::Result<Vec<FailingSince>> {
    let sql = first_observed_of!(
        asked,
        several,
        "select place_id, since, count(*) as evaluations from found group by place_id, since"
    );
    of(sql, asked, several).fetch_all(db).await
}

/// Days of first observation, from (`None`: however early) and until.
pub(crate) type Observed = (Option<Date>, Date);

/// Failing evaluations first observed on one day or later and on another or earlier, counted.
pub(crate) async fn failing_between(
    db: &mut PgConnection,
    asked: &Asked<'_>,
    several: &Several,
    (from, until): Observed,
    part: Part,
) -> sqlx::Result<Vec<Counted>> {
    let sql = first_observed_of!(
        asked,
        several,
        "select place_id, case $10 when 0 then 0 when 1 then rule_id when 2 then severity else (
                 select s.resource_type_id from resource s where s.resource_id = found.resource_id) end as part,
             0::bigint as complying, count(*) as not_complying,
             0::bigint as insufficient_data, 0::bigint as not_applicable, 0::bigint as unrecognised
         from found where since between coalesce($8, '-infinity'::date) and $9 group by 1, 2"
    );
    of(sql, asked, several).bind(from).bind(until).bind(part_number(part)).fetch_all(db).await
}

/// A failing evaluation with the day it was first observed.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct FailingRow {
    pub(crate) place_id: i32,
    pub(crate) rule_id: i32,
    pub(crate) resource_id: i32,
    pub(crate) resource_type_id: i16,
    pub(crate) id: String,
    pub(crate) since: Date,
}

/// Failing evaluations, oldest first, at most so many.
pub(crate) async fn oldest_failing(
    db: &mut PgConnection,
    asked: &Asked<'_>,
    several: &Several,
    limit: i64,
) -> sqlx::Result<Vec<FailingRow>> {
    let sql = first_observed_of!(
        asked,
        several,
        "select f.place_id, f.rule_id, f.resource_id, s.resource_type_id, s.id, f.since
         from found f join resource s on s.resource_id = f.resource_id join place p on p.place_id = f.place_id
             join rule r on r.rule_id = f.rule_id join resource_type y using (resource_type_id)
         order by f.since, p.account_id, p.region, r.name, y.name, s.id limit $8"
    );
    of(sql, asked, several).bind(limit).fetch_all(db).await
}

macro_rules! failing_rows {
    ($several:expr, $beyond:literal, $order:literal) => {
        first_observed!(
            $several,
            "unnest($5::integer[], $6::integer[]) w (place_id, rule_id)
             join run u on u.place_id = w.place_id and u.rule_id = w.rule_id",
            concat!(
                "select f.place_id, f.rule_id, f.resource_id, s.resource_type_id, s.id, f.since
                 from unnest($5::integer[], $6::integer[]) with ordinality w (place_id, rule_id, n)
                 join found f on f.place_id = w.place_id and f.rule_id = w.rule_id
                 join resource s on s.resource_id = f.resource_id
                 join resource_type y on y.resource_type_id = s.resource_type_id
                 where ($7::smallint[] is null or s.resource_type_id = any($7))
                     and f.since between coalesce($8, '-infinity'::date) and $9
                     and (w.n > 1 or $10::text is null or ",
                $beyond,
                ") order by ",
                $order,
                " limit $12"
            )
        )
    };
}

/// Failing evaluations of some rules in some places, first observed within some days; in the order of [`rows`].
pub(crate) async fn failing_rows(
    db: &mut PgConnection,
    pairs: &[Pair],
    wanted: &Wanted,
    several: &Several,
    (from, until): Observed,
) -> sqlx::Result<Vec<FailingRow>> {
    let sql = if wanted.backwards {
        failing_rows!(several, "(y.name, s.id) < ($10, $11)", "w.n, y.name desc, s.id desc")
    } else {
        failing_rows!(several, "(y.name, s.id) > ($10, $11)", "w.n, y.name, s.id")
    };
    let place_ids: Vec<i32> = pairs.iter().map(|pair| pair.place_id).collect();
    let rule_ids: Vec<i32> = pairs.iter().map(|pair| pair.rule_id).collect();
    let (edge_type, edge_id) = wanted.edge.clone().unzip();
    sqlx::query_as(sql)
        .bind(wanted.day)
        .bind(&several.place_ids)
        .bind(&several.timeline_ids)
        .bind(&several.rule_ids)
        .bind(place_ids)
        .bind(rule_ids)
        .bind(&wanted.resource_type_ids)
        .bind(from)
        .bind(until)
        .bind(edge_type)
        .bind(edge_id)
        .bind(wanted.limit)
        .fetch_all(db)
        .await
}

/// When each of some failing evaluations was first observed: place, rule, resource, day.
pub(crate) async fn failing_since(
    db: &mut PgConnection,
    day: Date,
    rows: &[&Row],
    several: &Several,
) -> sqlx::Result<Vec<(i32, i32, i32, Date)>> {
    let place_ids: Vec<i32> = rows.iter().map(|row| row.place_id).collect();
    let rule_ids: Vec<i32> = rows.iter().map(|row| row.rule_id).collect();
    let resource_ids: Vec<i32> = rows.iter().map(|row| row.resource_id).collect();
    sqlx::query_as(first_observed!(
        several,
        "unnest($5::integer[], $6::integer[], $7::integer[]) w (place_id, rule_id, resource_id)
         join run u on u.place_id = w.place_id and u.rule_id = w.rule_id and u.resource_id = w.resource_id",
        "select place_id, rule_id, resource_id, since from found"
    ))
    .bind(day)
    .bind(&several.place_ids)
    .bind(&several.timeline_ids)
    .bind(&several.rule_ids)
    .bind(place_ids)
    .bind(rule_ids)
    .bind(resource_ids)
    .fetch_all(db)
    .await
}
