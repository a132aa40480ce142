//! Evaluations whose status differs between two days.

use sqlx::{FromRow, PgConnection};
use time::Date;

use super::Several;

/// An evaluation that holds another status on the later day, in text order.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct Differing {
    pub(crate) place_id: i32,
    /// The name under which it was delivered on the later day, or the earlier where it is gone.
    pub(crate) rule_id: i32,
    pub(crate) resource_id: i32,
    pub(crate) resource_type_id: i16,
    pub(crate) old_status_id: Option<i16>,
    pub(crate) new_status_id: Option<i16>,
    /// When the later status began, or the earlier one ended.
    pub(crate) day: Date,
    /// Statuses before the one of the later day, oldest first; only where that fails.
    pub(crate) before: Vec<i16>,
    pub(crate) rule_present: bool,
    pub(crate) resource_present: bool,
}

/// Of places that are known on the later day. Timelines are compared, so a redeployed pack's new names are no change.
pub(crate) async fn differing(
    db: &mut PgConnection,
    place_ids: &[i32],
    several: &Several,
    from: Date,
    to: Date,
) -> sqlx::Result<Vec<Differing>> {
    sqlx::query_as(
        "with went as materialized (
             select u.place_id, u.resource_id, u.rule_id, r.timeline_id, u.status_id, u.end_day as day
             from run u join rule r using (rule_id)
             where u.end_day > $2 and u.end_day <= $3 and u.end_day < 'infinity' and u.first_day <= $2
                 and u.place_id = any($1)
         ), came as materialized (
             select u.place_id, u.resource_id, u.rule_id, r.timeline_id, u.status_id, u.first_day as day
             from run u join rule r using (rule_id)
             where u.first_day > $2 and u.first_day <= $3 and u.end_day > $3 and u.place_id = any($1)
         ), pair as (
             select coalesce(c.place_id, w.place_id) as place_id, coalesce(c.resource_id, w.resource_id) as resource_id,
                 coalesce(c.rule_id, w.rule_id) as rule_id, coalesce(c.timeline_id, w.timeline_id) as timeline_id,
                 w.status_id as old_status_id, c.status_id as new_status_id, coalesce(c.day, w.day) as day
             from went w full join came c
                 on c.place_id = w.place_id and c.resource_id = w.resource_id and c.timeline_id = w.timeline_id
         ), several as materialized (
             select place_id, timeline_id, array_agg(rule_id) as rule_ids
             from unnest($4::integer[], $5::integer[], $6::integer[]) s (place_id, timeline_id, rule_id)
             group by place_id, timeline_id
         )
         select q.place_id, q.rule_id, q.resource_id, s.resource_type_id, q.old_status_id, q.new_status_id, q.day,
             case when q.new_status_id = 2 then array(
                 select b.status_id from run b
                 where b.place_id = q.place_id and b.rule_id = any(coalesce(v.rule_ids, array[q.rule_id]))
                     and b.resource_id = q.resource_id and b.first_day < q.day
                 order by b.first_day
             ) else '{}' end as before,
             q.new_status_id is not null or exists (
                 select from rule_presence e
                 where e.place_id = q.place_id and e.rule_id = any(coalesce(v.rule_ids, array[q.rule_id]))
                     and e.first_day <= $3 and e.end_day > $3
             ) as rule_present,
             q.new_status_id is not null or exists (
                 select from run o where o.resource_id = q.resource_id and o.first_day <= $3 and o.end_day > $3
             ) as resource_present
         from pair q
         join place p on p.place_id = q.place_id
         join rule r on r.rule_id = q.rule_id
         join resource s on s.resource_id = q.resource_id
         join resource_type y on y.resource_type_id = s.resource_type_id
         left join several v on v.place_id = q.place_id and v.timeline_id = q.timeline_id
         where q.old_status_id is distinct from q.new_status_id
         order by p.account_id, p.region, r.name, y.name, s.id",
    )
    .bind(place_ids)
    .bind(from)
    .bind(to)
    .bind(&several.place_ids)
    .bind(&several.timeline_ids)
    .bind(&several.rule_ids)
    .fetch_all(db)
    .await
}

/// The ids of resources, as delivered.
pub(crate) async fn resource_ids(db: &mut PgConnection, resource_ids: &[i32]) -> sqlx::Result<Vec<(i32, String)>> {
    sqlx::query_as("select resource_id, id from resource where resource_id = any($1)")
        .bind(resource_ids)
        .fetch_all(db)
        .await
}

/// An evaluation of a place that fell silent, as it was on the earlier day.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct Silenced {
    pub(crate) rule_id: i32,
    pub(crate) resource_type_id: i16,
    pub(crate) id: String,
    pub(crate) status_id: i16,
}

/// Which evaluations of a silent place.
#[derive(Debug, Clone)]
pub(crate) struct Silent<'a> {
    pub(crate) place_id: i32,
    /// The earlier day, on which the place was known.
    pub(crate) from: Date,
    pub(crate) rule_ids: Option<&'a [i32]>,
    pub(crate) resource_type_id: Option<i16>,
    /// Rule name, resource type and id of the row beside which they begin.
    pub(crate) edge: Option<[&'a str; 3]>,
    /// Whether the rows before are wanted, the nearest first.
    pub(crate) backwards: bool,
    pub(crate) limit: i64,
}

macro_rules! silenced {
    ($beyond:literal, $order:literal) => {
        concat!(
            "select u.rule_id, s.resource_type_id, s.id, u.status_id
             from run u join rule r on r.rule_id = u.rule_id join resource s on s.resource_id = u.resource_id
                 join resource_type y on y.resource_type_id = s.resource_type_id
             where u.place_id = $1 and u.first_day <= $2 and u.end_day > $2 and u.status_id in (1, 2)
                 and ($3::integer[] is null or u.rule_id + 0 = any($3))
                 and ($4::smallint is null or s.resource_type_id = $4) and ($5::text is null or ",
            $beyond,
            ") order by ",
            $order,
            " limit $8"
        )
    };
}

/// The COMPLIANT and `NON_COMPLIANT` evaluations of a place on a day, by rule name, resource type and id.
pub(crate) async fn silenced(db: &mut PgConnection, silent: &Silent<'_>) -> sqlx::Result<Vec<Silenced>> {
    let sql = if silent.backwards {
        silenced!("(r.name, y.name, s.id) < ($5, $6, $7)", "r.name desc, y.name desc, s.id desc")
    } else {
        silenced!("(r.name, y.name, s.id) > ($5, $6, $7)", "r.name, y.name, s.id")
    };
    let edge = |part: usize| silent.edge.map(|edge| edge[part]);
    sqlx::query_as(sql)
        .bind(silent.place_id)
        .bind(silent.from)
        .bind(silent.rule_ids)
        .bind(silent.resource_type_id)
        .bind(edge(0))
        .bind(edge(1))
        .bind(edge(2))
        .bind(silent.limit)
        .fetch_all(db)
        .await
}

/// An evaluation of a place that fell silent, by the store's ids.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct SilencedId {
    pub(crate) place_id: i32,
    pub(crate) rule_id: i32,
    pub(crate) resource_id: i32,
    pub(crate) resource_type_id: i16,
    pub(crate) status_id: i16,
}

/// The COMPLIANT and `NON_COMPLIANT` evaluations of some places on a day: each place's by rule name, resource type and id.
pub(crate) async fn silenced_in(db: &mut PgConnection, place_ids: &[i32], from: Date) -> sqlx::Result<Vec<SilencedId>> {
    sqlx::query_as(
        "select u.place_id, u.rule_id, u.resource_id, s.resource_type_id, u.status_id
         from run u join rule r on r.rule_id = u.rule_id join resource s on s.resource_id = u.resource_id
             join resource_type y on y.resource_type_id = s.resource_type_id
         where u.place_id = any($1) and u.first_day <= $2 and u.end_day > $2 and u.status_id in (1, 2)
         order by u.place_id, r.name, y.name, s.id",
    )
    .bind(place_ids)
    .bind(from)
    .fetch_all(db)
    .await
}
