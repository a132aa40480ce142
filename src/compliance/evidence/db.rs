//! The statements behind the evidence.

use rustc_hash::FxHashMap;
use sqlx::{FromRow, PgConnection};
use time::{Date, OffsetDateTime};

use super::period::Segment;
use super::population::{Place, Rule, StatusCounts, Statuses};
use super::{KnownAt, Scope};
use crate::collection::day::Day;
use crate::compliance::{DeliveryState, Severity, Status};

pub(super) async fn latest_collection(db: &mut PgConnection, organization_id: i16) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar(
        "select max(collection_id) from collection
         where organization_id = $1 and state = 'finished' and collection_id < coalesce(
             (select min(collection_id) from collection where organization_id = $1 and state = 'running'),
             9223372036854775807)",
    )
    .bind(organization_id)
    .fetch_one(db)
    .await
}

pub(super) async fn collection_state(
    db: &mut PgConnection,
    organization_id: i16,
    collection_id: i64,
) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar("select state from collection where organization_id = $1 and collection_id = $2")
        .bind(organization_id)
        .bind(collection_id)
        .fetch_optional(db)
        .await
}

pub(super) async fn first_running_collection(db: &mut PgConnection, organization_id: i16) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar("select min(collection_id) from collection where organization_id = $1 and state = 'running'")
        .bind(organization_id)
        .fetch_one(db)
        .await
}

pub(super) async fn statuses(db: &mut PgConnection) -> sqlx::Result<Statuses> {
    let rows: Vec<(i16, String)> = sqlx::query_as("select status_id, name from status").fetch_all(db).await?;
    Ok(rows.into_iter().map(|(id, name)| (id, Status::parse(&name))).collect::<FxHashMap<_, _>>())
}

/// A place with what it delivered on a day.
#[derive(Debug, Clone)]
pub(super) struct DayPlace {
    pub(super) place: Place,
    pub(super) state: DeliveryState,
    pub(super) snapshot_at: Option<OffsetDateTime>,
}

/// Reads a word of `delivery.state`.
pub(super) fn delivery_state(word: &str) -> sqlx::Result<DeliveryState> {
    DeliveryState::parse(word).ok_or_else(|| sqlx::Error::Decode(format!("unknown delivery state {word:?}").into()))
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
        "select r.rule_id, r.name, r.source_identifier, r.severity, r.title, coalesce(w.runs, 0) as runs
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

pub(super) async fn rolled_up(db: &mut PgConnection, place_ids: &[i32], day: Date) -> sqlx::Result<Vec<RolledUp>> {
    sqlx::query_as(
        "select r.severity, sum(u.complying)::bigint as complying, sum(u.not_complying)::bigint as not_complying,
             sum(u.insufficient_data)::bigint as insufficient_data, sum(u.not_applicable)::bigint as not_applicable,
             sum(u.unrecognised)::bigint as unrecognised
         from rollup u join rule r using (rule_id)
         where u.place_id = any($1) and u.first_day <= $2 and u.end_day > $2
         group by r.severity",
    )
    .bind(place_ids)
    .bind(day)
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
    place_ids: &[i32],
    day: Date,
    known_at: KnownAt,
) -> sqlx::Result<Vec<RestatedTotal>> {
    sqlx::query_as(
        "select r.severity, w.now_status_id, w.then_status_id, count(*) as evaluations
         from (
             select rule_id,
                 (array_agg(new_status_id order by collection_id desc))[1] as now_status_id,
                 (array_agg(old_status_id order by collection_id))[1] as then_status_id
             from restatement where place_id = any($1) and day = $2 and collection_id > $3
             group by place_id, rule_id, resource_id
         ) w join rule r using (rule_id)
         where w.now_status_id is distinct from w.then_status_id
         group by r.severity, w.now_status_id, w.then_status_id",
    )
    .bind(place_ids)
    .bind(day)
    .bind(known_at.0)
    .fetch_all(db)
    .await
}

pub(super) async fn places(db: &mut PgConnection, scope: &Scope) -> sqlx::Result<Vec<Place>> {
    sqlx::query_as(
        "select place_id, account_id, region from place
         where organization_id = $1 and ($2::text[] is null or account_id = any($2))
         order by account_id, region",
    )
    .bind(scope.organization_id)
    .bind(&scope.accounts)
    .fetch_all(db)
    .await
}

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
        "select r.rule_id, r.name, r.source_identifier, r.severity, r.title, w.runs
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

pub(super) async fn rule_presence(
    db: &mut PgConnection,
    place_id: i32,
    rule_ids: &[i32],
) -> sqlx::Result<Vec<(i32, Day, Day)>> {
    sqlx::query_as("select rule_id, first_day, end_day from rule_presence where place_id = $1 and rule_id = any($2)")
        .bind(place_id)
        .bind(rule_ids)
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

pub(super) async fn organization(db: &mut PgConnection, name: &str) -> sqlx::Result<Option<i16>> {
    sqlx::query_scalar("select organization_id from organization where name = $1").bind(name).fetch_optional(db).await
}

/// Whether an account delivered anything or was on an account list.
pub(super) async fn is_account(
    db: &mut PgConnection,
    organization_id: i16,
    account_id: &str,
    known_at: KnownAt,
) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "select exists (select from place where organization_id = $1 and account_id = $2)
             or exists (select from account_list l join account_listing m using (account_list_id)
                 where l.organization_id = $1 and m.account_id = $2 and l.collection_id <= $3)",
    )
    .bind(organization_id)
    .bind(account_id)
    .bind(known_at.0)
    .fetch_one(db)
    .await
}
