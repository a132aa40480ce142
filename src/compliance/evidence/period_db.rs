//! The statements behind the population of a period.

use sqlx::{FromRow, PgConnection};

use super::KnownAt;
use super::period::Segment;
use super::population_db::RuleCount;
use crate::collection::day::Day;

/// The days of a place up to `until` that were known, ascending.
pub(super) async fn known_days(
    db: &mut PgConnection,
    place_id: i32,
    until: Day,
    known_at: KnownAt,
) -> sqlx::Result<Vec<Day>> {
    sqlx::query_scalar(
        "select day from delivery
         where place_id = $1 and day <= $2 and known
             and since_collection <= $3 and (until_collection is null or until_collection > $3)
         order by day",
    )
    .bind(place_id)
    .bind(until)
    .bind(known_at.0)
    .fetch_all(db)
    .await
}

/// The rules with runs in a place on any day of a window, now or at the knowledge point, by name.
pub(super) async fn period_rules(
    db: &mut PgConnection,
    place_id: i32,
    window: (Day, Day),
    known_at: KnownAt,
) -> sqlx::Result<Vec<RuleCount>> {
    sqlx::query_as(
        "select r.rule_id, r.name, r.core_name, r.suffix, r.source_identifier, r.severity, r.title, w.runs
         from (
             select rule_id, sum(runs)::bigint as runs from (
                 select rule_id, count(*) as runs from run
                 where place_id = $1 and first_day <= $3 and end_day > $2 group by rule_id
                 union all
                 select rule_id, count(*) from restatement
                 where place_id = $1 and day between $2 and $3 and collection_id > $4 group by rule_id
             ) each group by rule_id
         ) w join rule r using (rule_id)
         order by r.name",
    )
    .bind(place_id)
    .bind(window.0)
    .bind(window.1)
    .bind(known_at.0)
    .fetch_all(db)
    .await
}

#[derive(Debug, FromRow)]
pub(super) struct PeriodRuns {
    pub(super) rule_id: i32,
    pub(super) resource_ids: Vec<i32>,
    pub(super) first_days: Vec<Day>,
    pub(super) end_days: Vec<Day>,
    pub(super) status_ids: Vec<i16>,
}

pub(super) async fn period_runs(
    db: &mut PgConnection,
    place_id: i32,
    rule_ids: &[i32],
    window: (Day, Day),
) -> sqlx::Result<Vec<PeriodRuns>> {
    sqlx::query_as(
        "select rule_id, array_agg(resource_id) as resource_ids, array_agg(first_day) as first_days,
             array_agg(end_day) as end_days, array_agg(status_id) as status_ids
         from run where place_id = $1 and first_day <= $3 and end_day > $2 and rule_id = any($4)
         group by rule_id",
    )
    .bind(place_id)
    .bind(window.0)
    .bind(window.1)
    .bind(rule_ids)
    .fetch_all(db)
    .await
}

/// What a day said of an evaluation before it was restated.
#[derive(Debug, FromRow)]
pub(super) struct UndoneDay {
    pub(super) day: Day,
    pub(super) rule_id: i32,
    pub(super) resource_id: i32,
    pub(super) old_status_id: Option<i16>,
}

pub(super) async fn undone_days(
    db: &mut PgConnection,
    place_id: i32,
    rule_ids: &[i32],
    window: (Day, Day),
    known_at: KnownAt,
) -> sqlx::Result<Vec<UndoneDay>> {
    sqlx::query_as(
        "select distinct on (day, rule_id, resource_id) day, rule_id, resource_id, old_status_id
         from restatement
         where place_id = $1 and day between $2 and $3 and collection_id > $4 and rule_id = any($5)
         order by day, rule_id, resource_id, collection_id",
    )
    .bind(place_id)
    .bind(window.0)
    .bind(window.1)
    .bind(known_at.0)
    .bind(rule_ids)
    .fetch_all(db)
    .await
}

/// As [`undone_days`], for some evaluations on all days before one.
pub(super) async fn undone_before(
    db: &mut PgConnection,
    place_id: i32,
    (rule_ids, resource_ids): (&[i32], &[i32]),
    before: Day,
    known_at: KnownAt,
) -> sqlx::Result<Vec<UndoneDay>> {
    sqlx::query_as(
        "select distinct on (day, rule_id, resource_id) day, rule_id, resource_id, old_status_id
         from restatement join unnest($2::integer[], $3::integer[]) as key (rule_id, resource_id) using (rule_id, resource_id)
         where place_id = $1 and day < $4 and collection_id > $5
         order by day, rule_id, resource_id, collection_id",
    )
    .bind(place_id)
    .bind(rule_ids)
    .bind(resource_ids)
    .bind(before)
    .bind(known_at.0)
    .fetch_all(db)
    .await
}

#[derive(Debug, FromRow)]
pub(super) struct HistoryRun {
    pub(super) rule_id: i32,
    pub(super) resource_id: i32,
    first_day: Day,
    end_day: Day,
    status_id: i16,
}

impl HistoryRun {
    pub(super) fn segment(&self) -> Segment {
        Segment { first: self.first_day, end: self.end_day, status_id: self.status_id }
    }
}

/// All runs of some evaluations that began by `until`, each evaluation's in order.
pub(super) async fn history_runs(
    db: &mut PgConnection,
    place_id: i32,
    (rule_ids, resource_ids): (&[i32], &[i32]),
    until: Day,
) -> sqlx::Result<Vec<HistoryRun>> {
    sqlx::query_as(
        "select rule_id, resource_id, first_day, end_day, status_id
         from unnest($2::integer[], $3::integer[]) as key (rule_id, resource_id) join run using (rule_id, resource_id)
         where place_id = $1 and first_day <= $4
         order by rule_id, resource_id, first_day",
    )
    .bind(place_id)
    .bind(rule_ids)
    .bind(resource_ids)
    .bind(until)
    .fetch_all(db)
    .await
}

/// Those of some resources that had an evaluation by any rule on the day beside them, as known.
pub(super) async fn present_resources(
    db: &mut PgConnection,
    place_id: i32,
    resource_ids: &[i32],
    days: &[Day],
    known_at: KnownAt,
) -> sqlx::Result<Vec<(i32, Day)>> {
    sqlx::query_as(
        "with asked as (
             select distinct resource_id, day from unnest($2::integer[], $3::date[]) as asked (resource_id, day)
         ), undone as (
             select distinct on (x.day, x.rule_id, x.resource_id) x.day, x.rule_id, x.resource_id, x.old_status_id
             from restatement x join asked using (resource_id, day)
             where x.place_id = $1 and x.collection_id > $4
             order by x.day, x.rule_id, x.resource_id, x.collection_id
         )
         select resource_id, day from asked
         where exists (select from undone u
                 where u.resource_id = asked.resource_id and u.day = asked.day and u.old_status_id is not null)
             or exists (select from run r
                 where r.resource_id = asked.resource_id and r.place_id = $1
                     and r.first_day <= asked.day and r.end_day > asked.day
                     and not exists (select from undone u where u.day = asked.day
                         and u.rule_id = r.rule_id and u.resource_id = r.resource_id))",
    )
    .bind(place_id)
    .bind(resource_ids)
    .bind(days)
    .bind(known_at.0)
    .fetch_all(db)
    .await
}
