//! What the store knows of days that could not be reached, and of those that need not be listed again.

use sqlx::PgConnection;
use time::Date;

use super::day::Day;
use super::settled::Settled;
use super::source::PlaceName;

/// The account's places, in every Region that a collection ever saw or expected.
pub(super) async fn places_of_account(
    db: &mut PgConnection,
    organization_id: i16,
    account_id: &str,
) -> sqlx::Result<Vec<i32>> {
    sqlx::query_scalar("select place_id from place where organization_id = $1 and account_id = $2 order by place_id")
        .bind(organization_id)
        .bind(account_id)
        .fetch_all(db)
        .await
}

/// The first day on which the place should deliver, as far as a list says it.
pub(super) async fn first_expected(db: &mut PgConnection, place_id: i32) -> sqlx::Result<Option<Day>> {
    sqlx::query_scalar("select min(first_day) from expected_place where place_id = $1 and until_collection is null")
        .bind(place_id)
        .fetch_one(db)
        .await
}

/// The last day of the place of which a collection before this one found out what was delivered.
pub(super) async fn settled_before(
    db: &mut PgConnection,
    place_id: i32,
    collection_id: i64,
) -> sqlx::Result<Option<Day>> {
    sqlx::query_scalar(
        "select max(day) from delivery
         where place_id = $1 and since_collection < $2
           and state not in ('denied', 'throttled', 'not reachable', 'region off')",
    )
    .bind(place_id)
    .bind(collection_id)
    .fetch_one(db)
    .await
}

/// Days as they stand that an earlier collection could not reach: place, account, Region, day.
pub(super) async fn unreached_days(
    db: &mut PgConnection,
    organization_id: i16,
) -> sqlx::Result<Vec<(i32, String, String, Day)>> {
    sqlx::query_as(
        "select d.place_id, p.account_id, p.region, d.day
         from delivery d join place p using (place_id)
         where p.organization_id = $1 and d.until_collection is null
           and d.state in ('denied', 'throttled', 'not reachable', 'region off')
         order by d.place_id, d.day",
    )
    .bind(organization_id)
    .fetch_all(db)
    .await
}

/// Days that the source need not be asked for again: known, and not after the horizon, which is `relist_days` before the last
/// collection that listed all of the source. That one listed the day too, after it was over, or found it settled.
///
/// A day with an object that may be readable another time is not settled.
pub(super) async fn settled(
    db: &mut PgConnection,
    organization_id: i16,
    source: &str,
    relist_days: u16,
) -> sqlx::Result<Settled> {
    let stretches: Vec<(String, String, Date, Date)> = sqlx::query_as(
        "with listed as (
             select collection_id, (started_at at time zone 'UTC')::date - $3::integer as horizon from collection
             where organization_id = $1 and source = $2 and state = 'finished'
               and options->>'since' is null and options->>'until' is null
               and (ladder->>'objects_unreached')::bigint = 0 and jsonb_array_length(ladder->'unlisted') = 0
             order by collection_id desc limit 1
         ), retried as (
             select distinct o.place_id, o.day from object_outcome x join object o using (object_id)
             where x.outcome = 'unreadable' and x.retry_above is not null
               and not exists (select from object_outcome later
                               where later.object_id = x.object_id and later.collection_id > x.collection_id)
         ), settled as (
             select d.place_id, d.day, d.day - (row_number() over (partition by d.place_id order by d.day))::integer as stretch
             from delivery d join place p using (place_id) cross join listed
             where p.organization_id = $1 and d.until_collection is null and d.day < listed.horizon
               and d.since_collection <= listed.collection_id
               and d.state in ('delivered', 'inferred from history', 'no compliance items')
               and not exists (select from retried where retried.place_id = d.place_id and retried.day = d.day)
         )
         select p.account_id, p.region, min(s.day), max(s.day) from settled s join place p using (place_id)
         group by p.account_id, p.region, s.stretch",
    )
    .bind(organization_id)
    .bind(source)
    .bind(i32::from(relist_days))
    .fetch_all(db)
    .await?;
    let place = |account_id, region| PlaceName { account_id, region };
    Ok(Settled::new(stretches.into_iter().map(|(account, region, first, last)| (place(account, region), first, last))))
}
