//! The evaluations of a day: counted by place and rule from the roll-ups, read by primary key.

use sqlx::{FromRow, PgConnection};
use time::Date;

use crate::compliance::core::Counts;

/// Evaluations of a place, or of a rule in a place.
#[derive(Debug, Clone, Copy, FromRow)]
pub(crate) struct Counted {
    pub(crate) place_id: i32,
    /// 0 where rules are summed.
    pub(crate) rule_id: i32,
    complying: i64,
    not_complying: i64,
    insufficient_data: i64,
    not_applicable: i64,
    unrecognised: i64,
}

impl Counted {
    pub(crate) fn counts(&self) -> Counts {
        Counts {
            complying: self.complying,
            not_complying: self.not_complying,
            insufficient_data: self.insufficient_data,
            not_applicable: self.not_applicable,
            unrecognised: self.unrecognised,
        }
    }
}

/// What of a day is asked for, by the store's ids.
#[derive(Debug, Clone)]
pub(crate) struct Asked<'a> {
    pub(crate) day: Date,
    pub(crate) place_ids: &'a [i32],
    pub(crate) rule_ids: Option<&'a [i32]>,
    pub(crate) resource_type_id: Option<i16>,
}

pub(crate) async fn by_place(db: &mut PgConnection, asked: &Asked<'_>) -> sqlx::Result<Vec<Counted>> {
    sqlx::query_as(
        "select place_id, 0 as rule_id, sum(complying)::bigint as complying, sum(not_complying)::bigint as not_complying,
             sum(insufficient_data)::bigint as insufficient_data, sum(not_applicable)::bigint as not_applicable,
             sum(unrecognised)::bigint as unrecognised
         from rollup
         where place_id = any($1) and first_day <= $2 and end_day > $2
             and ($3::integer[] is null or rule_id = any($3)) and ($4::smallint is null or resource_type_id = $4)
         group by place_id",
    )
    .bind(asked.place_ids)
    .bind(asked.day)
    .bind(asked.rule_ids)
    .bind(asked.resource_type_id)
    .fetch_all(db)
    .await
}

pub(crate) async fn by_rule(db: &mut PgConnection, asked: &Asked<'_>) -> sqlx::Result<Vec<Counted>> {
    sqlx::query_as(
        "select place_id, rule_id, sum(complying)::bigint as complying, sum(not_complying)::bigint as not_complying,
             sum(insufficient_data)::bigint as insufficient_data, sum(not_applicable)::bigint as not_applicable,
             sum(unrecognised)::bigint as unrecognised
         from rollup
         where place_id = any($1) and first_day <= $2 and end_day > $2
             and ($3::integer[] is null or rule_id = any($3)) and ($4::smallint is null or resource_type_id = $4)
         group by place_id, rule_id",
    )
    .bind(asked.place_ids)
    .bind(asked.day)
    .bind(asked.rule_ids)
    .bind(asked.resource_type_id)
    .fetch_all(db)
    .await
}

/// One evaluation.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct Row {
    pub(crate) place_id: i32,
    pub(crate) rule_id: i32,
    pub(crate) resource_id: i32,
    pub(crate) resource_type_id: i16,
    pub(crate) id: String,
    pub(crate) status_id: i16,
    pub(crate) first_day: Date,
}

/// The evaluations of some rules in some places, each place paired with a rule, in no order.
pub(crate) async fn rows(
    db: &mut PgConnection,
    day: Date,
    pairs: &[(i32, i32)],
    resource_type_id: Option<i16>,
) -> sqlx::Result<Vec<Row>> {
    let (place_ids, rule_ids): (Vec<i32>, Vec<i32>) = pairs.iter().copied().unzip();
    sqlx::query_as(
        "select u.place_id, u.rule_id, u.resource_id, s.resource_type_id, s.id, u.status_id, u.first_day
         from unnest($1::integer[], $2::integer[]) w (place_id, rule_id)
         join run u on u.place_id = w.place_id and u.rule_id = w.rule_id
         join resource s on s.resource_id = u.resource_id
         where u.first_day <= $3 and u.end_day > $3 and ($4::smallint is null or s.resource_type_id = $4)",
    )
    .bind(place_ids)
    .bind(rule_ids)
    .bind(day)
    .bind(resource_type_id)
    .fetch_all(db)
    .await
}

/// Failing evaluations `base` with the day each was first observed, `found`: a failure that a redeployed pack took over
/// under a new rule name is as old as its timeline. $1 places, $2 day, $3 rules, $4 resource type.
macro_rules! first_observed {
    ($then:literal) => {
        concat!(
            "with recursive base as not materialized (
                 select u.place_id, u.rule_id, u.resource_id, r.timeline_id, u.first_day
                 from run u join rule r using (rule_id)
                 where u.status_id = 2 and u.place_id = any($1) and u.first_day <= $2 and u.end_day > $2
                     and ($3::integer[] is null or u.rule_id = any($3))
                     and ($4::smallint is null or exists (
                         select from resource s where s.resource_id = u.resource_id and s.resource_type_id = $4))
             ), several as (
                 select timeline_id from rule group by timeline_id having count(*) > 1
             ), chain as (
                 select place_id, rule_id, resource_id, timeline_id, first_day from base
                 where timeline_id in (select timeline_id from several)
                 union all
                 select c.place_id, c.rule_id, c.resource_id, c.timeline_id, u.first_day
                 from chain c join rule r using (timeline_id)
                 join run u on u.place_id = c.place_id and u.rule_id = r.rule_id and u.resource_id = c.resource_id
                     and u.end_day = c.first_day and u.status_id = 2
                 where r.rule_id <> c.rule_id
             ), found as (
                 select place_id, rule_id, resource_id, first_day as since from base
                 where timeline_id not in (select timeline_id from several)
                 union all
                 select b.place_id, b.rule_id, b.resource_id, min(c.first_day)
                 from base b join chain c using (place_id, rule_id, resource_id)
                 group by b.place_id, b.rule_id, b.resource_id
             ) ",
            $then
        )
    };
}

/// Failing evaluations by severity and by days since first observed (the first day counts as 1).
#[derive(Debug, Clone, Copy, FromRow)]
pub(crate) struct Failing {
    pub(crate) severity: i16,
    pub(crate) days: i32,
    pub(crate) evaluations: i64,
}

pub(crate) async fn failing_by_age(db: &mut PgConnection, asked: &Asked<'_>) -> sqlx::Result<Vec<Failing>> {
    sqlx::query_as(first_observed!(
        "select r.severity, $2 - f.since + 1 as days, count(*) as evaluations
         from found f join rule r using (rule_id) group by r.severity, f.since"
    ))
    .bind(asked.place_ids)
    .bind(asked.day)
    .bind(asked.rule_ids)
    .bind(asked.resource_type_id)
    .fetch_all(db)
    .await
}

/// Failing evaluations first observed on one day or later and on another or earlier, counted by place, or by place and
/// rule.
pub(crate) async fn failing_between(
    db: &mut PgConnection,
    asked: &Asked<'_>,
    (from, until): (Option<Date>, Date),
    by_rule: bool,
) -> sqlx::Result<Vec<Counted>> {
    sqlx::query_as(first_observed!(
        "select place_id, case when $7 then rule_id else 0 end as rule_id, 0::bigint as complying, count(*) as not_complying,
             0::bigint as insufficient_data, 0::bigint as not_applicable, 0::bigint as unrecognised
         from found where since between coalesce($5, '-infinity'::date) and $6 group by 1, 2"
    ))
    .bind(asked.place_ids)
    .bind(asked.day)
    .bind(asked.rule_ids)
    .bind(asked.resource_type_id)
    .bind(from)
    .bind(until)
    .bind(by_rule)
    .fetch_all(db)
    .await
}

/// A failing evaluation with the day it was first observed.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct FailingRow {
    pub(crate) place_id: i32,
    pub(crate) rule_id: i32,
    pub(crate) resource_type_id: i16,
    pub(crate) id: String,
    pub(crate) since: Date,
}

/// Failing evaluations, oldest first, at most so many.
pub(crate) async fn oldest_failing(
    db: &mut PgConnection,
    asked: &Asked<'_>,
    limit: i64,
) -> sqlx::Result<Vec<FailingRow>> {
    sqlx::query_as(first_observed!(
        "select f.place_id, f.rule_id, s.resource_type_id, s.id, f.since
         from found f join resource s using (resource_id) join place p on p.place_id = f.place_id
             join rule r using (rule_id) join resource_type y using (resource_type_id)
         order by f.since, p.account_id, p.region, r.name, y.name, s.id limit $5"
    ))
    .bind(asked.place_ids)
    .bind(asked.day)
    .bind(asked.rule_ids)
    .bind(asked.resource_type_id)
    .bind(limit)
    .fetch_all(db)
    .await
}

/// When each failing evaluation of some rules in some places was first observed: place, rule, resource, day.
pub(crate) async fn failing_since(
    db: &mut PgConnection,
    asked: &Asked<'_>,
) -> sqlx::Result<Vec<(i32, i32, i32, Date)>> {
    sqlx::query_as(first_observed!("select place_id, rule_id, resource_id, since from found"))
        .bind(asked.place_ids)
        .bind(asked.day)
        .bind(asked.rule_ids)
        .bind(asked.resource_type_id)
        .fetch_all(db)
        .await
}
