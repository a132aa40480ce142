//! Rules: what they say over all places, where they are present, how they went day by day.

use std::collections::BTreeMap;

use sqlx::{FromRow, PgConnection};
use time::Date;

use crate::compliance::core::Counts;
use crate::compliance::core::history::PlaceDays;
use crate::compliance::db::evaluations::RowCounts;

/// Places with whether the day is known; counts of places that are not known are what was last known of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope {
    pub(crate) place_ids: Vec<i32>,
    pub(crate) known: Vec<bool>,
}

#[derive(Debug, Clone, FromRow)]
struct TotalRow {
    core_name: String,
    failing_accounts: i64,
    complying: i64,
    not_complying: i64,
    insufficient_data: i64,
    not_applicable: i64,
    unrecognised: i64,
    carried: i64,
}

/// A core rule over some places on a day.
#[derive(Debug, Clone, Default)]
pub(crate) struct RuleTotal {
    pub(crate) core_name: String,
    pub(crate) failing_accounts: i64,
    pub(crate) counts: Counts,
    pub(crate) carried: i64,
}

pub(crate) async fn totals(
    db: &mut PgConnection,
    scope: &Scope,
    resource_type_id: Option<i16>,
    day: Date,
) -> sqlx::Result<Vec<RuleTotal>> {
    let rows: Vec<TotalRow> = sqlx::query_as(
        "with each as (
             select u.rule_id, p.account_id, w.known, sum(complying) as complying, sum(not_complying) as not_complying,
                 sum(insufficient_data) as insufficient_data, sum(not_applicable) as not_applicable,
                 sum(unrecognised) as unrecognised
             from unnest($1::integer[], $2::boolean[]) w (place_id, known)
             join place p using (place_id)
             join rollup u using (place_id)
             where u.first_day <= $4 and u.end_day > $4 and ($3::smallint is null or u.resource_type_id = $3)
             group by u.rule_id, p.account_id, w.known
         ), account as (
             select r.core_name, e.account_id,
                 coalesce(sum(complying) filter (where known), 0) as complying,
                 coalesce(sum(not_complying) filter (where known), 0) as not_complying,
                 coalesce(sum(insufficient_data) filter (where known), 0) as insufficient_data,
                 coalesce(sum(not_applicable) filter (where known), 0) as not_applicable,
                 coalesce(sum(unrecognised) filter (where known), 0) as unrecognised,
                 coalesce(sum(complying + not_complying + insufficient_data + unrecognised) filter (where not known), 0)
                     as carried
             from each e join rule r using (rule_id)
             group by r.core_name, e.account_id
         )
         select core_name, count(*) filter (where not_complying > 0) as failing_accounts,
             sum(complying)::bigint as complying, sum(not_complying)::bigint as not_complying,
             sum(insufficient_data)::bigint as insufficient_data, sum(not_applicable)::bigint as not_applicable,
             sum(unrecognised)::bigint as unrecognised, sum(carried)::bigint as carried
         from account group by core_name",
    )
    .bind(&scope.place_ids)
    .bind(&scope.known)
    .bind(resource_type_id)
    .bind(day)
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| RuleTotal {
            core_name: row.core_name,
            failing_accounts: row.failing_accounts,
            counts: Counts {
                complying: row.complying,
                not_complying: row.not_complying,
                insufficient_data: row.insufficient_data,
                not_applicable: row.not_applicable,
                unrecognised: row.unrecognised,
            },
            carried: row.carried,
        })
        .collect())
}

/// In how many accounts each core rule exists, of places that are known on the day.
pub(crate) async fn presence(db: &mut PgConnection, place_ids: &[i32], day: Date) -> sqlx::Result<Vec<(String, i64)>> {
    sqlx::query_as(
        "select core_name, count(*) from (
             select distinct r.core_name, p.account_id
             from rule_presence e join rule r using (rule_id) join place p using (place_id)
             where e.place_id = any($1) and e.first_day <= $2 and e.end_day > $2
         ) each group by core_name",
    )
    .bind(place_ids)
    .bind(day)
    .fetch_all(db)
    .await
}

/// A rule that exists in a place on a day, with what it says there.
#[derive(Debug, Clone, Copy, FromRow)]
pub(crate) struct InPlace {
    pub(crate) place_id: i32,
    pub(crate) rule_id: i32,
    #[sqlx(flatten)]
    pub(crate) counts: RowCounts,
}

/// The rules that exist in some places on a day, with what they say of resources of a type or of all.
pub(crate) async fn in_places(
    db: &mut PgConnection,
    place_ids: &[i32],
    resource_type_id: Option<i16>,
    day: Date,
) -> sqlx::Result<Vec<InPlace>> {
    sqlx::query_as(
        "select e.place_id, e.rule_id, coalesce(sum(u.complying), 0)::bigint as complying,
             coalesce(sum(u.not_complying), 0)::bigint as not_complying,
             coalesce(sum(u.insufficient_data), 0)::bigint as insufficient_data,
             coalesce(sum(u.not_applicable), 0)::bigint as not_applicable,
             coalesce(sum(u.unrecognised), 0)::bigint as unrecognised
         from rule_presence e
         left join rollup u on u.place_id = e.place_id and u.rule_id = e.rule_id and u.first_day <= $2 and u.end_day > $2
             and ($3::smallint is null or u.resource_type_id = $3)
         where e.place_id = any($1) and e.first_day <= $2 and e.end_day > $2
         group by e.place_id, e.rule_id",
    )
    .bind(place_ids)
    .bind(day)
    .bind(resource_type_id)
    .fetch_all(db)
    .await
}

/// What held of a rule in a place from one day until before another.
#[derive(Debug, Clone, Copy, FromRow)]
pub(crate) struct Held {
    pub(crate) place_id: i32,
    pub(crate) rule_id: i32,
    pub(crate) first_day: Date,
    /// Within the days asked for.
    pub(crate) end_day: Date,
    /// Whether it says that the rule exists on the last day, and not what it counts.
    pub(crate) presence: bool,
    #[sqlx(flatten)]
    pub(crate) counts: RowCounts,
}

/// What the roll-ups count on a day, by place and rule.
pub(crate) fn counts_on(held: &[Held], day: Date) -> BTreeMap<(i32, i32), Counts> {
    let mut counted: BTreeMap<(i32, i32), Counts> = BTreeMap::new();
    for one in held.iter().filter(|one| !one.presence && one.first_day <= day && day < one.end_day) {
        *counted.entry((one.place_id, one.rule_id)).or_default() += one.counts.into();
    }
    counted
}

/// The roll-ups of some rules that touch the days from one to another, of one resource type or all, and where, of the
/// known places, the rules exist on the last of them.
pub(crate) async fn history(
    db: &mut PgConnection,
    (place_ids, known_ids): (&[i32], &[i32]),
    rule_ids: &[i32],
    resource_type_id: Option<i16>,
    (from, until): (Date, Date),
) -> sqlx::Result<Vec<Held>> {
    sqlx::query_as(
        // `+ 0`: the rules lead, and no index is asked for every pair of two long lists.
        "select place_id, rule_id, greatest(first_day, $4) as first_day, least(end_day, $5 + 1) as end_day,
             false as presence, complying::bigint, not_complying::bigint, insufficient_data::bigint,
             not_applicable::bigint, unrecognised::bigint
         from rollup
         where rule_id = any($3) and place_id + 0 = any($1) and first_day <= $5 and end_day > $4
             and ($6::smallint is null or resource_type_id = $6)
         union all
         select place_id, rule_id, $5, $5 + 1, true, 0, 0, 0, 0, 0
         from rule_presence
         where rule_id = any($3) and place_id + 0 = any($2) and first_day <= $5 and end_day > $5",
    )
    .bind(place_ids)
    .bind(known_ids)
    .bind(rule_ids)
    .bind(from)
    .bind(until)
    .bind(resource_type_id)
    .fetch_all(db)
    .await
}

/// What is known of the days from one to another of some places.
pub(crate) async fn place_days(
    db: &mut PgConnection,
    place_ids: &[i32],
    from: Date,
    until: Date,
) -> sqlx::Result<Vec<PlaceDays>> {
    let rows: Vec<(i32, Vec<Date>, Vec<Date>, Vec<Date>)> = sqlx::query_as(
        "select w.place_id,
             array(select d.day from delivery d where d.place_id = w.place_id and d.day between $2 and $3
                   and d.until_collection is null and d.known),
             coalesce(e.firsts, '{}'), coalesce(e.ends, '{}')
         from unnest($1::integer[]) w (place_id)
         left join lateral (
             -- Postgres's infinity is no day of a calendar.
             select array_agg(x.first_day) as firsts, array_agg(least(x.end_day, $3 + 1)) as ends
             from expected_place x where x.place_id = w.place_id and x.until_collection is null and x.first_day <= $3
         ) e on true",
    )
    .bind(place_ids)
    .bind(from)
    .bind(until)
    .fetch_all(db)
    .await?;
    let place = |(place_id, known, firsts, ends): (i32, Vec<Date>, Vec<Date>, Vec<Date>)| PlaceDays {
        place_id,
        known,
        expected: firsts.into_iter().zip(ends).collect(),
    };
    Ok(rows.into_iter().map(place).collect())
}
