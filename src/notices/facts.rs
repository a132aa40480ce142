//! Asks the store for [`Facts`].

mod unread;

use std::collections::BTreeSet;
use std::time::Duration;

use sqlx::{FromRow, PgConnection};
use time::{Date, OffsetDateTime};

use super::Collected;
use super::core::{Evidence, Facts, Failing, Gone, Open, Place, PlaceName, Said, Unreadable};
use super::db;
use super::kind::Kind;

/// Names of unreadable objects kept in a notice; the collection's page has all.
const NAMES: i32 = 20;

/// Severity CRITICAL as column `rule.severity` has it.
const CRITICAL: i16 = 4;

/// Everything that a decision after this collection needs.
pub(super) async fn gather(
    db: &mut PgConnection,
    organization_id: i16,
    collected: &Collected,
    now: OffsetDateTime,
    silent_after: Duration,
) -> sqlx::Result<Facts> {
    let open = db::open_notices(db, organization_id).await?;
    let as_of = sqlx::query_scalar("select max(day) from day_total where organization_id = $1")
        .bind(organization_id)
        .fetch_one(&mut *db)
        .await?;
    let said = match collected {
        Collected::Finished { collection_id } => {
            Said::Finished(Box::new(evidence(db, organization_id, *collection_id, now.date(), &open).await?))
        }
        Collected::Failed { collection_id, job_id, failure } => {
            Said::Failed { collection_id: *collection_id, job_id: *job_id, failure: failure.clone() }
        }
    };
    Ok(Facts { now, silent_after, as_of, open, said })
}

async fn evidence(
    db: &mut PgConnection,
    organization_id: i16,
    collection_id: i64,
    today: Date,
    open: &[Open],
) -> sqlx::Result<Evidence> {
    let seen_up_to = db::last_whole_decision(db, organization_id).await?;
    keep_days(db, organization_id, seen_up_to, today).await?;
    let noticed: Vec<i64> = open
        .iter()
        .filter(|open| open.kind == Kind::ObjectsUnreadable)
        .filter_map(|open| open.about.parse().ok())
        .collect();
    let evidence = Evidence {
        collection_id,
        places: places(db, organization_id, today).await?,
        gone: gone(db).await?,
        still_gone: still_gone(db, organization_id, open).await?,
        failing: failing(db).await?,
        unreadable: unreadable(db, organization_id, seen_up_to.unwrap_or_default(), collection_id, &noticed).await?,
        unlisted: unlisted(db, collection_id).await?,
        aggregator: unread::aggregator(db, collection_id).await?,
        undefined: unread::undefined(db, collection_id).await?,
        still_undefined: unread::still_undefined(db, organization_id, today, open).await?,
    };
    sqlx::query("drop table noticed_days").execute(db).await?;
    Ok(evidence)
}

#[derive(FromRow)]
struct PlaceRow {
    account_id: String,
    region: String,
    account_name: String,
    expected_since: Date,
    last_snapshot_at: Option<OffsetDateTime>,
    last_history_at: Option<OffsetDateTime>,
    without_items_on: Option<Date>,
}

/// The places that are expected today.
async fn places(db: &mut PgConnection, organization_id: i16, today: Date) -> sqlx::Result<Vec<Place>> {
    let rows: Vec<PlaceRow> = sqlx::query_as(
        "select p.account_id, p.region, coalesce(a.name, '') as account_name, e.first_day as expected_since,
                s.at as last_snapshot_at, h.at as last_history_at,
                case when l.state = 'no compliance items' and exists (
                    select from delivery h
                    where h.place_id = p.place_id and h.until_collection is null and h.day < l.day
                      and h.state in ('delivered', 'delivered, later object unreadable'))
                then l.day end as without_items_on
         from place p
         join lateral (
             select min(first_day) as first_day from expected_place x
             where x.place_id = p.place_id and x.until_collection is null and x.first_day <= $2 and x.end_day > $2
         ) e on e.first_day is not null
         left join account a on a.organization_id = p.organization_id and a.account_id = p.account_id
         left join lateral (
             -- By day, so that the index ends the search at the latest one. A name may hold no time: then some time of its day.
             select coalesce(o.taken_at, (o.day + 1)::timestamp at time zone 'utc') as at from object o
             where o.place_id = p.place_id and o.kind = 'snapshot'
             order by o.day desc, o.taken_at desc nulls first limit 1
         ) s on true
         left join lateral (
             select coalesce(o.taken_at, (o.day + 1)::timestamp at time zone 'utc') as at from object o
             where s.at is null and o.place_id = p.place_id and o.kind = 'history'
             order by o.day desc, o.taken_at desc nulls first limit 1
         ) h on true
         left join lateral (
             -- Snapshots only: history objects hold compliance items on the days on which something changed.
             select d.day, d.state from delivery d join object o using (object_id)
             where d.place_id = p.place_id and d.until_collection is null and o.kind = 'snapshot'
               and d.state in ('delivered', 'delivered, later object unreadable', 'no compliance items')
             order by d.day desc limit 1
         ) l on true
         where p.organization_id = $1
         order by p.account_id, p.region",
    )
    .bind(organization_id)
    .bind(today)
    .fetch_all(db)
    .await?;
    let place = |row: PlaceRow| Place {
        name: PlaceName { account_id: row.account_id, region: row.region },
        account_name: row.account_name,
        expected_since: row.expected_since,
        last_snapshot_at: row.last_snapshot_at,
        last_history_at: row.last_history_at,
        without_items_on: row.without_items_on,
    };
    Ok(rows.into_iter().map(place).collect())
}

/// Keeps, for this transaction and for places that have not left the organisation, each one's latest known day and the known day to compare it with: the latest that the
/// last decision looked at, so that nothing that happened on the days between is missed, else the one before.
///
/// A place that no list ever named stays: the list may be behind.
async fn keep_days(
    db: &mut PgConnection,
    organization_id: i16,
    seen_up_to: Option<i64>,
    today: Date,
) -> sqlx::Result<()> {
    sqlx::query("create temporary table noticed_days (place_id integer primary key, account_id text, region text, day date, before date) on commit drop")
        .execute(&mut *db)
        .await?;
    sqlx::query(
        "insert into noticed_days
         select p.place_id, p.account_id, p.region, l.day, coalesce(seen.day, earlier.day)
         from place p
         join lateral (
             select d.day from delivery d
             where d.place_id = p.place_id and d.until_collection is null and d.known
             order by d.day desc limit 1
         ) l on true
         left join lateral (
             select d.day from delivery d
             where d.place_id = p.place_id and d.until_collection is null and d.known and d.day < l.day
               and d.since_collection <= $2
             order by d.day desc limit 1
         ) seen on true
         left join lateral (
             select d.day from delivery d
             where d.place_id = p.place_id and d.until_collection is null and d.known and d.day < l.day
             order by d.day desc limit 1
         ) earlier on true
         where p.organization_id = $1
           and (exists (select from expected_place e where e.place_id = p.place_id and e.until_collection is null
                          and e.first_day <= $3 and e.end_day > $3)
                or not exists (select from expected_place e
                               where e.place_id = p.place_id and e.until_collection is null))",
    )
    .bind(organization_id)
    .bind(seen_up_to)
    .bind(today)
    .execute(&mut *db)
    .await?;
    sqlx::query("analyze noticed_days").execute(db).await?;
    Ok(())
}

/// Core rules that a place had on the earlier day and has not on its latest.
async fn gone(db: &mut PgConnection) -> sqlx::Result<Vec<Gone>> {
    let rows: Vec<(String, String, String, Date, Date)> = sqlx::query_as(
        "select distinct r.core_name, n.account_id, n.region, n.before, n.day
         from noticed_days n
         join rule_presence x on x.place_id = n.place_id and x.first_day <= n.before and x.end_day > n.before
                             and x.end_day <= n.day
         join rule r using (rule_id)
         where not exists (
             select from rule_presence y join rule same on same.rule_id = y.rule_id
             where y.place_id = n.place_id and y.first_day <= n.day and y.end_day > n.day
               and same.core_name = r.core_name)
         order by 1, 2, 3",
    )
    .fetch_all(db)
    .await?;
    let gone = |(core_name, account_id, region, before, day)| Gone {
        core_name,
        place: PlaceName { account_id, region },
        before,
        day,
    };
    Ok(rows.into_iter().map(gone).collect())
}

/// Of the members of open notices of gone rules, those that have not left and are still without the rule.
async fn still_gone(
    db: &mut PgConnection,
    organization_id: i16,
    open: &[Open],
) -> sqlx::Result<BTreeSet<(String, String)>> {
    let members: Vec<(&String, PlaceName)> = open
        .iter()
        .filter(|open| open.kind == Kind::RuleGone)
        .flat_map(|open| open.members.iter().filter_map(|member| Some((&open.about, PlaceName::of_member(member)?))))
        .collect();
    let rules: Vec<&String> = members.iter().map(|(rule, _)| *rule).collect();
    let accounts: Vec<&String> = members.iter().map(|(_, place)| &place.account_id).collect();
    let regions: Vec<&String> = members.iter().map(|(_, place)| &place.region).collect();
    let rows: Vec<(String, String, String)> = sqlx::query_as(
        "select m.core_name, m.account_id, m.region
         from unnest($2::text[], $3::text[], $4::text[]) as m (core_name, account_id, region)
         join place p on p.organization_id = $1 and p.account_id = m.account_id and p.region = m.region
         join noticed_days n using (place_id)
         where not exists (
             select from rule_presence y join rule r using (rule_id)
             where y.place_id = p.place_id and y.first_day <= n.day and y.end_day > n.day
               and r.core_name = m.core_name)",
    )
    .bind(organization_id)
    .bind(rules)
    .bind(accounts)
    .bind(regions)
    .fetch_all(db)
    .await?;
    let pair = |(core_name, account_id, region)| (core_name, PlaceName { account_id, region }.member());
    Ok(rows.into_iter().map(pair).collect())
}

/// Critical rules that fail in an account on the latest known days of its places, with the days before.
async fn failing(db: &mut PgConnection) -> sqlx::Result<Vec<Failing>> {
    let rows: Vec<(String, String, i64, Option<Date>, i64)> = sqlx::query_as(
        "with accounts as (select account_id, max(before) as before from noticed_days group by account_id),
         counted as (
             select r.core_name, n.account_id,
                    coalesce(sum(u.not_complying) filter (where u.first_day <= n.day and u.end_day > n.day), 0)::bigint
                        as failing,
                    coalesce(sum(u.not_complying) filter (where u.first_day <= n.before and u.end_day > n.before), 0)
                        ::bigint as failed_before
             from noticed_days n
             join rollup u on u.place_id = n.place_id and u.not_complying > 0
                          and u.first_day <= n.day and u.end_day > coalesce(n.before, n.day)
             join rule r using (rule_id)
             where r.severity = $1
             group by r.core_name, n.account_id)
         select core_name, account_id, failing, before, failed_before
         from counted join accounts using (account_id)
         where failing > 0
         order by core_name, account_id",
    )
    .bind(CRITICAL)
    .fetch_all(db)
    .await?;
    let failing = |(core_name, account_id, not_complying, before, failed_before): (_, _, _, Option<Date>, i64)| {
        Failing { core_name, account_id, not_complying, before: before.map(|day| (day, failed_before)) }
    };
    Ok(rows.into_iter().map(failing).collect())
}

/// What collections left unreadable and is so still: neither read since, nor overtaken by a later snapshot of its day.
/// Of those that ran since the last decision, also where they failed, and of those that open notices are about.
///
/// An object that is tried again and again counts with the first that could not read it.
async fn unreadable(
    db: &mut PgConnection,
    organization_id: i16,
    seen_up_to: i64,
    collection_id: i64,
    noticed: &[i64],
) -> sqlx::Result<Vec<Unreadable>> {
    // The outcomes are said twice: the second is what the partial index holds.
    let rows: Vec<(i64, i64, Vec<String>)> = sqlx::query_as(
        "select x.collection_id, count(*), (array_agg(o.key order by o.key))[1:$5]
         from collection c
         join object_outcome x using (collection_id)
         join object o using (object_id)
         where c.organization_id = $1 and (c.collection_id > $2 and c.collection_id <= $3 or c.collection_id = any($4))
           and x.outcome = 'unreadable' and x.outcome in ('unreadable', 'changed')
           and coalesce((select earlier.outcome from object_outcome earlier
                         where earlier.object_id = x.object_id and earlier.collection_id < x.collection_id
                         order by earlier.collection_id desc limit 1), '') <> 'unreadable'
           and not exists (select from object_outcome later
                           where later.object_id = x.object_id and later.collection_id > x.collection_id
                             and later.outcome <> 'unreadable')
           and not exists (select from delivery d
                           where d.place_id = o.place_id and d.day = o.day and d.until_collection is null
                             and d.since_collection > x.collection_id and d.state = 'delivered')
         group by x.collection_id order by x.collection_id",
    )
    .bind(organization_id)
    .bind(seen_up_to)
    .bind(collection_id)
    .bind(noticed)
    .bind(NAMES)
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|(collection_id, objects, names)| Unreadable { collection_id, objects, names }).collect())
}

/// Files that the collection could not even look at.
async fn unlisted(db: &mut PgConnection, collection_id: i64) -> sqlx::Result<(i64, Vec<String>)> {
    let ladder: Option<sqlx::types::Json<crate::collection::Ladder>> =
        sqlx::query_scalar("select ladder from collection where collection_id = $1")
            .bind(collection_id)
            .fetch_one(db)
            .await?;
    let names: Vec<String> = ladder.into_iter().flat_map(|ladder| ladder.0.unlisted).map(|(name, _)| name).collect();
    let kept = usize::try_from(NAMES).unwrap_or_default();
    Ok((i64::try_from(names.len()).unwrap_or(i64::MAX), names.into_iter().take(kept).collect()))
}
