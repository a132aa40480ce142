//! Evaluations whose status differs between two days.

use sqlx::{FromRow, PgConnection};
use time::Date;

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
    from: Date,
    to: Date,
) -> sqlx::Result<Vec<Differing>> {
    sqlx::query_as(
        "with timeline_rules as (
             select timeline_id, array_agg(rule_id) as rule_ids from rule group by timeline_id
         ), went as materialized (
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
         )
         select q.place_id, q.rule_id, q.resource_id, s.resource_type_id, q.old_status_id, q.new_status_id, q.day,
             case when q.new_status_id = 2 then array(
                 select b.status_id from run b
                 where b.place_id = q.place_id and b.rule_id = any(t.rule_ids) and b.resource_id = q.resource_id
                     and b.first_day < q.day
                 order by b.first_day
             ) else '{}' end as before,
             q.new_status_id is not null or exists (
                 select from rule_presence e where e.place_id = q.place_id and e.rule_id = any(t.rule_ids)
                     and e.first_day <= $3 and e.end_day > $3
             ) as rule_present,
             q.new_status_id is not null or exists (
                 select from run o where o.resource_id = q.resource_id and o.first_day <= $3 and o.end_day > $3
             ) as resource_present
         from pair q
         join timeline_rules t using (timeline_id)
         join place p using (place_id)
         join rule r using (rule_id)
         join resource s on s.resource_id = q.resource_id
         join resource_type y using (resource_type_id)
         where q.old_status_id is distinct from q.new_status_id
         order by p.account_id, p.region, r.name, y.name, s.id",
    )
    .bind(place_ids)
    .bind(from)
    .bind(to)
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
