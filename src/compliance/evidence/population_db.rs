//! The statements behind the population of a day and its totals.

use sqlx::{FromRow, PgConnection};
use time::{Date, OffsetDateTime};

use super::db::delivery_state;
use super::population::{Place, Rule, StatusCounts};
use super::{KnownAt, Scope};
use crate::compliance::{DeliveryState, Severity};

/// A place with what it delivered on a day.
#[derive(Debug, Clone)]
pub(super) struct DayPlace {
    pub(super) place: Place,
    pub(super) state: DeliveryState,
    pub(super) snapshot_at: Option<OffsetDateTime>,
}

pub(super) async fn day_places(
    db: &mut PgConnection,
    scope: &Scope,
    day: Date,
    known_at: KnownAt,
) -> sqlx::Result<Vec<DayPlace>> {
    let rows: Vec<(i32, String, String, String, Option<OffsetDateTime>)> = sqlx::query_as(
        "select place_id, p.account_id, p.region, d.state, d.snapshot_at
         from place p join delivery d using (place_id)
         where p.organization_id = $1 and ($2::text[] is null or p.account_id = any($2))
             and d.day = $3 and d.known
             and d.since_collection <= $4 and (d.until_collection is null or d.until_collection > $4)
         order by p.account_id, p.region",
    )
    .bind(scope.organization_id)
    .bind(&scope.accounts)
    .bind(day)
    .bind(known_at.0)
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|(place_id, account_id, region, state, snapshot_at)| {
            let place = Place { place_id, account_id, region };
            Ok(DayPlace { place, state: delivery_state(&state)?, snapshot_at })
        })
        .collect()
}

/// A rule and how many runs it has where it was asked for.
#[derive(Debug, Clone, FromRow)]
pub(super) struct RuleCount {
    pub(super) rule_id: i32,
    name: String,
    core_name: String,
    suffix: Option<String>,
    source_identifier: Option<String>,
    severity: i16,
    title: Option<String>,
    pub(super) runs: i64,
}

impl RuleCount {
    pub(super) fn into_rule(self) -> Rule {
        Rule {
            rule_id: self.rule_id,
            name: self.name,
            core_name: self.core_name,
            suffix: self.suffix,
            identifier: self.source_identifier,
            severity: Severity::from_id(self.severity),
            title: self.title,
        }
    }
}

/// The rules with runs in a place on a day, and `also`, by name.
pub(super) async fn day_rules(
    db: &mut PgConnection,
    place_id: i32,
    day: Date,
    also: &[i32],
) -> sqlx::Result<Vec<RuleCount>> {
    sqlx::query_as(
        "select r.rule_id, r.name, r.core_name, r.suffix, r.source_identifier, r.severity, r.title, coalesce(w.runs, 0) as runs
         from (
             select rule_id, sum(runs)::bigint as runs from (
                 select rule_id, count(*) as runs from run
                 where place_id = $1 and first_day <= $2 and end_day > $2 group by rule_id
                 union all
                 select unnest($3::integer[]), 0
             ) each group by rule_id
         ) w join rule r using (rule_id)
         order by r.name",
    )
    .bind(place_id)
    .bind(day)
    .bind(also)
    .fetch_all(db)
    .await
}

#[derive(Debug, FromRow)]
pub(super) struct ResourceGroup {
    pub(super) resource_type: String,
    pub(super) resource_ids: Vec<i32>,
    pub(super) ids: Vec<String>,
}

/// The resources of a place by type and id.
pub(super) async fn resources(db: &mut PgConnection, place_id: i32) -> sqlx::Result<Vec<ResourceGroup>> {
    sqlx::query_as(
        "select t.name as resource_type, w.resource_ids, w.ids
         from (
             select resource_type_id, array_agg(resource_id order by id) as resource_ids, array_agg(id order by id) as ids
             from resource where place_id = $1 group by resource_type_id
         ) w join resource_type t using (resource_type_id)
         order by t.name",
    )
    .bind(place_id)
    .fetch_all(db)
    .await
}

/// What a day said of an evaluation before it was restated.
#[derive(Debug, Clone, FromRow)]
pub(super) struct Undone {
    pub(super) rule_id: i32,
    pub(super) resource_id: i32,
    pub(super) old_status_id: Option<i16>,
    pub(super) old_item_captured_at: Option<OffsetDateTime>,
}

/// What later collections changed of a place's day, as it stood at the knowledge point.
pub(super) async fn undone(
    db: &mut PgConnection,
    place_id: i32,
    day: Date,
    known_at: KnownAt,
) -> sqlx::Result<Vec<Undone>> {
    sqlx::query_as(
        "select distinct on (rule_id, resource_id) rule_id, resource_id, old_status_id, old_item_captured_at
         from restatement where place_id = $1 and day = $2 and collection_id > $3
         order by rule_id, resource_id, collection_id",
    )
    .bind(place_id)
    .bind(day)
    .bind(known_at.0)
    .fetch_all(db)
    .await
}

#[derive(Debug, FromRow)]
pub(super) struct DayRuns {
    pub(super) rule_id: i32,
    pub(super) resource_ids: Vec<i32>,
    pub(super) status_ids: Vec<i16>,
    pub(super) since: Vec<Option<OffsetDateTime>>,
}

/// The runs of some rules in a place on a day. Arrays travel and decode several times faster than rows.
pub(super) async fn day_runs(
    db: &mut PgConnection,
    place_id: i32,
    day: Date,
    rule_ids: &[i32],
) -> sqlx::Result<Vec<DayRuns>> {
    sqlx::query_as(
        "select rule_id, array_agg(resource_id) as resource_ids, array_agg(status_id) as status_ids,
             array_agg(item_captured_at) as since
         from run where place_id = $1 and first_day <= $2 and end_day > $2 and rule_id = any($3)
         group by rule_id",
    )
    .bind(place_id)
    .bind(day)
    .bind(rule_ids)
    .fetch_all(db)
    .await
}

#[derive(Debug, FromRow)]
pub(super) struct RolledUp {
    pub(super) severity: i16,
    complying: i64,
    not_complying: i64,
    insufficient_data: i64,
    not_applicable: i64,
    unrecognised: i64,
}

impl RolledUp {
    pub(super) fn counts(&self) -> StatusCounts {
        StatusCounts {
            complying: self.complying,
            not_complying: self.not_complying,
            insufficient_data: self.insufficient_data,
            not_applicable: self.not_applicable,
            unrecognised: self.unrecognised,
        }
    }
}

/// Places with a day of each.
#[derive(Debug, Default)]
pub(super) struct PlaceDays {
    pub(super) place_ids: Vec<i32>,
    pub(super) days: Vec<Date>,
}

/// The last day up to one that was known, of each place that has one.
pub(super) async fn last_known_days(
    db: &mut PgConnection,
    place_ids: &[i32],
    until: Date,
    known_at: KnownAt,
) -> sqlx::Result<PlaceDays> {
    let rows: Vec<(i32, Date)> = sqlx::query_as(
        "select place_id, max(day) from delivery
         where place_id = any($1) and day <= $2 and known
             and since_collection <= $3 and (until_collection is null or until_collection > $3)
         group by place_id",
    )
    .bind(place_ids)
    .bind(until)
    .bind(known_at.0)
    .fetch_all(db)
    .await?;
    let (place_ids, days) = rows.into_iter().unzip();
    Ok(PlaceDays { place_ids, days })
}

/// What the roll-up says now of places' days.
pub(super) async fn rolled_up(db: &mut PgConnection, of: &PlaceDays) -> sqlx::Result<Vec<RolledUp>> {
    sqlx::query_as(
        "select r.severity, sum(u.complying)::bigint as complying, sum(u.not_complying)::bigint as not_complying,
             sum(u.insufficient_data)::bigint as insufficient_data, sum(u.not_applicable)::bigint as not_applicable,
             sum(u.unrecognised)::bigint as unrecognised
         from unnest($1::integer[], $2::date[]) w (place_id, day)
             join rollup u on u.place_id = w.place_id and u.first_day <= w.day and u.end_day > w.day
             join rule r using (rule_id)
         group by r.severity",
    )
    .bind(&of.place_ids)
    .bind(&of.days)
    .fetch_all(db)
    .await
}

/// Evaluations that a day counted otherwise at the knowledge point than now.
#[derive(Debug, FromRow)]
pub(super) struct RestatedTotal {
    pub(super) severity: i16,
    pub(super) now_status_id: Option<i16>,
    pub(super) then_status_id: Option<i16>,
    pub(super) evaluations: i64,
}

pub(super) async fn restated_totals(
    db: &mut PgConnection,
    of: &PlaceDays,
    known_at: KnownAt,
) -> sqlx::Result<Vec<RestatedTotal>> {
    sqlx::query_as(
        "select r.severity, w.now_status_id, w.then_status_id, count(*) as evaluations
         from (
             select rule_id,
                 (array_agg(new_status_id order by collection_id desc))[1] as now_status_id,
                 (array_agg(old_status_id order by collection_id))[1] as then_status_id
             from unnest($1::integer[], $2::date[]) w (place_id, day) join restatement using (place_id, day)
             where collection_id > $3
             group by place_id, rule_id, resource_id
         ) w join rule r using (rule_id)
         where w.now_status_id is distinct from w.then_status_id
         group by r.severity, w.now_status_id, w.then_status_id",
    )
    .bind(&of.place_ids)
    .bind(&of.days)
    .bind(known_at.0)
    .fetch_all(db)
    .await
}
