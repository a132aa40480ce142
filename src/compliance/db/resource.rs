//! One resource, one account: their rows as they are.

use std::collections::BTreeMap;

use serde::Deserialize;
use sqlx::types::Json;
use sqlx::{FromRow, PgConnection};
use time::{Date, OffsetDateTime};

use crate::compliance::DeliveryState;

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

/// A resource's id and type in a place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Named<'a> {
    pub(crate) place_id: i32,
    pub(crate) resource_type_id: i16,
    pub(crate) id: &'a str,
}

#[derive(FromRow)]
struct RunRow {
    rule_id: Option<i32>,
    first_day: Option<Date>,
    end_day: Option<Date>,
    status_id: Option<i16>,
    item_captured_at: Option<OffsetDateTime>,
}

/// Everything that was said of a resource up to a day; `None` where there never was such a resource.
pub(crate) async fn runs(db: &mut PgConnection, named: Named<'_>, until: Date) -> sqlx::Result<Option<Vec<Run>>> {
    let rows: Vec<RunRow> = sqlx::query_as(
        "select u.rule_id, u.first_day, nullif(u.end_day, 'infinity') as end_day, u.status_id, u.item_captured_at
         from resource s left join run u on u.resource_id = s.resource_id and u.first_day <= $4
         where s.place_id = $1 and s.resource_type_id = $2 and s.id = $3 order by u.first_day, u.rule_id",
    )
    .bind(named.place_id)
    .bind(named.resource_type_id)
    .bind(named.id)
    .bind(until)
    .fetch_all(db)
    .await?;
    if rows.is_empty() {
        return Ok(None);
    }
    let run = |row: RunRow| {
        Some(Run {
            rule_id: row.rule_id?,
            first_day: row.first_day?,
            end_day: row.end_day,
            status_id: row.status_id?,
            item_captured_at: row.item_captured_at,
        })
    };
    Ok(Some(rows.into_iter().filter_map(run).collect()))
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
        // The deliveries are bounded before they are joined: else the planner walks through those of every place.
        "select w.place_id, g.day, d.state,
             exists (select from expected_place e where e.place_id = w.place_id and e.until_collection is null
                     and e.first_day <= g.day and e.end_day > g.day)
         from unnest($1::integer[]) w (place_id)
         cross join (select $2::date + n as day from generate_series(0, $3::date - $2::date) n) g
         left join (
             select place_id, day, state from delivery
             where place_id = any($1) and day between $2 and $3 and until_collection is null
         ) d on d.place_id = w.place_id and d.day = g.day
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
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Object {
    pub(crate) region: String,
    pub(crate) kind: String,
    pub(crate) key: String,
    pub(crate) size_bytes: i64,
    pub(crate) evaluations: Option<i64>,
    pub(crate) outcome: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) collection_id: Option<i64>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub(crate) taken_at: Option<OffsetDateTime>,
    pub(crate) etag: Option<String>,
    /// In hexadecimal; `None` where the bytes were not read by us.
    pub(crate) sha256: Option<String>,
    /// The collection that read it, and the execution of Athena by which it did.
    pub(crate) read_by: Option<i64>,
    pub(crate) execution_id: Option<String>,
    /// Whether the day's figures stand on it.
    pub(crate) speaks: bool,
}

/// An account's life in the organisation; days as YYYY-MM-DD.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) status: String,
    pub(crate) joined_on: Option<String>,
    pub(crate) left_on: Option<String>,
}

/// What one account list says of an account; only lists that differ from the one before them are of interest.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ListedAs {
    /// As YYYY-MM-DD.
    pub(crate) listed_on: String,
    pub(crate) name: Option<String>,
    /// `None`: the list does not name the account.
    pub(crate) status: Option<String>,
    pub(crate) email: Option<String>,
    /// The root and the units below it, down to the account's own; `None`: the list does not tell.
    pub(crate) unit_names: Option<Vec<String>>,
    /// `None`: the list does not tell.
    pub(crate) tags: Option<BTreeMap<String, String>>,
}

/// Lists with news of an account that are looked at, the newest ones.
const LISTS: i64 = 1_000;

/// AWS's own verdict on a conformance pack in a place on a day.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct PackVerdict {
    pub(crate) place_id: i32,
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) core_name: String,
    pub(crate) status_id: i16,
    /// As YYYY-MM-DD.
    pub(crate) first_day: String,
    pub(crate) compliant_rules: i32,
    pub(crate) non_compliant_rules: i32,
    pub(crate) total_rules: i32,
}

/// What a page says of an account beside its evaluations.
#[derive(Debug, Clone)]
pub(crate) struct About {
    /// `None` where no account list names it.
    pub(crate) account: Option<Account>,
    /// Ascending.
    pub(crate) lists: Vec<ListedAs>,
    pub(crate) verdicts: Vec<PackVerdict>,
    /// The delivered objects of its places on the day, by Region and key.
    pub(crate) objects: Vec<Object>,
}

/// One statement for all, as JSON: a page has few to spend.
pub(crate) async fn about(
    db: &mut PgConnection,
    (organization_id, account_id): (i16, &str),
    place_ids: &[i32],
    day: Date,
) -> sqlx::Result<About> {
    let (account, lists, verdicts, objects): (
        Option<Json<Account>>,
        Json<Vec<ListedAs>>,
        Json<Vec<PackVerdict>>,
        Json<Vec<Object>>,
    ) = sqlx::query_as(
        "select
                 (select to_jsonb(a) from (
                     select name, status, joined_on, left_on from account where organization_id = $1 and account_id = $2
                 ) a),
                 (select coalesce(jsonb_agg(n order by n.listed_on, n.account_list_id), '[]') from (
                     select * from (
                         select x.account_list_id, x.listed_on, m.name, m.status, m.email, m.unit_names, m.tags,
                             jsonb_build_array(m.name, m.status, m.email, m.unit_names, m.tags) is distinct from
                                 lag(jsonb_build_array(m.name, m.status, m.email, m.unit_names, m.tags))
                                 over (order by x.listed_on, x.account_list_id) as news
                         from account_list x
                         left join account_listing m on m.account_list_id = x.account_list_id and m.account_id = $2
                         where x.organization_id = $1
                     ) l where news order by listed_on desc, account_list_id desc limit $5
                 ) n),
                 (select coalesce(jsonb_agg(v), '[]') from (
                     select c.place_id, c.name, c.id, c.core_name, v.status_id, v.first_day, v.compliant_rules,
                         v.non_compliant_rules, v.total_rules
                     from conformance_pack c join conformance_pack_run v using (conformance_pack_id)
                     join place p using (place_id)
                     where c.place_id = any($3) and v.first_day <= $4 and v.end_day > $4
                     order by c.core_name, p.account_id, p.region, c.id
                 ) v),
                 (select coalesce(jsonb_agg(f), '[]') from (
                     select p.region, o.kind, o.key, o.size_bytes, o.evaluations, c.outcome, c.reason, c.collection_id,
                         o.taken_at, o.etag, encode(o.sha256, 'hex') as sha256, o.read_by, q.execution_id,
                         coalesce(d.known and (d.object_id = o.object_id
                             or d.object_id is null and o.kind = 'history' and o.read_by is not null), false) as speaks
                     from object o join place p using (place_id)
                     left join delivery d on d.place_id = o.place_id and d.day = o.day and d.until_collection is null
                     left join object_outcome r on r.object_id = o.object_id and r.collection_id = o.read_by
                     left join athena_query q on q.athena_query_id = r.athena_query_id
                     left join lateral (
                         select outcome, reason, collection_id from object_outcome
                         where object_id = o.object_id order by collection_id desc limit 1
                     ) c on true
                     where o.place_id = any($3) and o.day = $4
                     order by p.region, o.key, o.object_id
                 ) f)",
    )
    .bind(organization_id)
    .bind(account_id)
    .bind(place_ids)
    .bind(day)
    .bind(LISTS)
    .fetch_one(db)
    .await?;
    Ok(About { account: account.map(|account| account.0), lists: lists.0, verdicts: verdicts.0, objects: objects.0 })
}
