//! One resource, one account: their rows as they are.

use std::collections::BTreeMap;

use sqlx::types::Json;
use sqlx::{FromRow, PgConnection};
use time::{Date, OffsetDateTime};

use crate::compliance::DeliveryState;

/// The row id of a resource.
pub(crate) async fn find(
    db: &mut PgConnection,
    place_id: i32,
    resource_type_id: i16,
    id: &str,
) -> sqlx::Result<Option<i32>> {
    sqlx::query_scalar("select resource_id from resource where place_id = $1 and resource_type_id = $2 and id = $3")
        .bind(place_id)
        .bind(resource_type_id)
        .bind(id)
        .fetch_optional(db)
        .await
}

/// A status that a rule held.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct Run {
    pub(crate) rule_id: i32,
    pub(crate) first_day: Date,
    /// Null: still held.
    pub(crate) end_day: Option<Date>,
    pub(crate) status_id: i16,
    pub(crate) item_captured_at: Option<OffsetDateTime>,
}

/// Everything that was said of a resource up to a day.
pub(crate) async fn runs(db: &mut PgConnection, resource_id: i32, until: Date) -> sqlx::Result<Vec<Run>> {
    sqlx::query_as(
        "select rule_id, first_day, nullif(end_day, 'infinity') as end_day, status_id, item_captured_at
         from run where resource_id = $1 and first_day <= $2 order by first_day, rule_id",
    )
    .bind(resource_id)
    .bind(until)
    .fetch_all(db)
    .await
}

/// A place's day.
#[derive(Debug, Clone)]
pub(crate) struct PlaceOn {
    pub(crate) place_id: i32,
    pub(crate) day: Date,
    pub(crate) state: DeliveryState,
}

/// Every day from one to another of some places, in order.
pub(crate) async fn days(
    db: &mut PgConnection,
    place_ids: &[i32],
    from: Date,
    until: Date,
) -> sqlx::Result<Vec<PlaceOn>> {
    let rows: Vec<(i32, Date, Option<String>, bool)> = sqlx::query_as(
        "select w.place_id, g.day::date, d.state,
             exists (select from expected_place e where e.place_id = w.place_id and e.until_collection is null
                     and e.first_day <= g.day::date and e.end_day > g.day::date)
         from unnest($1::integer[]) w (place_id)
         cross join generate_series($2::timestamp, $3::timestamp, interval '1 day') g (day)
         left join delivery d on d.place_id = w.place_id and d.day = g.day::date and d.until_collection is null
         order by w.place_id, g.day",
    )
    .bind(place_ids)
    .bind(from)
    .bind(until)
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|(place_id, day, word, expected)| {
            let state = match word.as_deref() {
                Some(word) => DeliveryState::parse(word)
                    .ok_or_else(|| sqlx::Error::Decode(format!("unknown delivery state {word:?}").into()))?,
                None if expected => DeliveryState::Missing,
                None => DeliveryState::NotExpected,
            };
            Ok(PlaceOn { place_id, day, state })
        })
        .collect()
}

/// A delivered object of a day with its standing.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct Object {
    pub(crate) region: String,
    pub(crate) kind: String,
    pub(crate) key: String,
    pub(crate) size_bytes: i64,
    pub(crate) evaluations: Option<i64>,
    pub(crate) outcome: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) collection_id: Option<i64>,
}

/// The objects of some places on a day, at most so many.
pub(crate) async fn objects(
    db: &mut PgConnection,
    place_ids: &[i32],
    day: Date,
    limit: i64,
) -> sqlx::Result<Vec<Object>> {
    sqlx::query_as(
        "select p.region, o.kind, o.key, o.size_bytes, o.evaluations, c.outcome, c.reason, c.collection_id
         from object o join place p using (place_id)
         left join lateral (
             select outcome, reason, collection_id from object_outcome
             where object_id = o.object_id order by collection_id desc limit 1
         ) c on true
         where o.place_id = any($1) and o.day = $2
         order by p.region, o.key, o.object_id limit $3",
    )
    .bind(place_ids)
    .bind(day)
    .bind(limit)
    .fetch_all(db)
    .await
}

/// An account's life in the organisation.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) status: String,
    pub(crate) joined_on: Option<Date>,
    pub(crate) left_on: Option<Date>,
    pub(crate) email: Option<String>,
    /// The root and the units below it, down to the account's own.
    pub(crate) unit_names: Option<Vec<String>>,
    pub(crate) tags: Option<Json<BTreeMap<String, String>>>,
    /// The day of the list that says so.
    pub(crate) listed_on: Option<Date>,
}

pub(crate) async fn account(
    db: &mut PgConnection,
    organization_id: i16,
    account_id: &str,
    day: Date,
) -> sqlx::Result<Option<Account>> {
    sqlx::query_as(
        // The list that speaks is the latest up to the day, else the first after it; one that tells units before others.
        "select a.name, a.status, a.joined_on, a.left_on, l.email, l.unit_names, l.tags, l.listed_on
         from account a
         left join lateral (
             select m.email, m.unit_names, m.tags, x.listed_on
             from account_list x join account_listing m using (account_list_id)
             where x.organization_id = a.organization_id and m.account_id = a.account_id
             order by (x.listed_on <= $3) desc, (m.unit_names is not null) desc,
                      case when x.listed_on <= $3 then x.listed_on end desc, x.listed_on, x.account_list_id desc
             limit 1) l on true
         where a.organization_id = $1 and a.account_id = $2",
    )
    .bind(organization_id)
    .bind(account_id)
    .bind(day)
    .fetch_optional(db)
    .await
}

/// AWS's own verdict on a conformance pack in a place on a day.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct PackVerdict {
    pub(crate) place_id: i32,
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) core_name: String,
    pub(crate) status_id: i16,
    pub(crate) first_day: Date,
    pub(crate) compliant_rules: i32,
    pub(crate) non_compliant_rules: i32,
    pub(crate) total_rules: i32,
}

pub(crate) async fn pack_verdicts(
    db: &mut PgConnection,
    place_ids: &[i32],
    day: Date,
) -> sqlx::Result<Vec<PackVerdict>> {
    sqlx::query_as(
        "select c.place_id, c.name, c.id, c.core_name, v.status_id, v.first_day, v.compliant_rules, v.non_compliant_rules,
             v.total_rules
         from conformance_pack c join conformance_pack_run v using (conformance_pack_id)
         join place p using (place_id)
         where c.place_id = any($1) and v.first_day <= $2 and v.end_day > $2
         order by c.core_name, p.account_id, p.region, c.id",
    )
    .bind(place_ids)
    .bind(day)
    .fetch_all(db)
    .await
}
