//! Expected and delivered days of places.

use sqlx::PgConnection;
use time::Date;

use super::core::Place;
use crate::compliance::DeliveryState;

/// Which places.
#[derive(Debug, Clone, Copy)]
pub(super) struct Which<'a> {
    pub organization_id: i16,
    pub account: Option<&'a str>,
    pub region: Option<&'a str>,
    /// Accounts of the scope; `None` is every account.
    pub scope: Option<&'a [String]>,
}

#[derive(sqlx::FromRow)]
struct PlaceRow {
    place_id: i32,
    account_id: String,
    account_name: String,
    unit: String,
    region: String,
    expected_first: Vec<Date>,
    expected_end: Vec<Date>,
    first_known: Option<Date>,
}

#[derive(sqlx::FromRow)]
struct RunRow {
    place_id: i32,
    state: String,
    first: Date,
    end: Date,
}

/// Places with what they delivered from `first` until before `end`, by account and Region.
pub(super) async fn places(
    db: &mut PgConnection,
    which: Which<'_>,
    first: Date,
    end: Date,
) -> sqlx::Result<Vec<Place>> {
    let rows: Vec<PlaceRow> = sqlx::query_as(
        "select p.place_id, p.account_id, coalesce(a.name, '') as account_name, p.region,
                coalesce(array_to_string(m.unit_names[2:], ' / '), '') as unit,
                coalesce(e.firsts, '{}') as expected_first, coalesce(e.ends, '{}') as expected_end,
                (select min(d.day) from delivery d
                 where d.place_id = p.place_id and d.until_collection is null and d.known and d.day < $5) as first_known
         from place p
         left join account a on a.organization_id = p.organization_id and a.account_id = p.account_id
         -- Units are told by the latest list of Organizations up to the last day, else by the first after it.
         left join account_listing m on m.account_id = p.account_id and m.account_list_id = (
             select account_list_id from account_list
             where organization_id = $1 and origin = 'organizations'
             order by (listed_on < $5) desc, case when listed_on < $5 then listed_on end desc, listed_on,
                      account_list_id desc
             limit 1)
         left join lateral (
             -- Postgres's infinity is no day of a calendar.
             select array_agg(x.first_day order by x.first_day) as firsts,
                    array_agg(least(x.end_day, date '9999-12-31') order by x.first_day) as ends
             from expected_place x where x.place_id = p.place_id and x.until_collection is null) e on true
         where p.organization_id = $1 and ($2::text is null or p.account_id = $2) and ($3::text is null or p.region = $3)
           and ($6::text[] is null or p.account_id = any($6))
           and (e.firsts is not null
                or exists (select 1 from delivery d where d.place_id = p.place_id and d.until_collection is null))
           and $4::date < $5::date
         order by p.account_id, p.region",
    )
    .bind(which.organization_id)
    .bind(which.account)
    .bind(which.region)
    .bind(first)
    .bind(end)
    .bind(which.scope)
    .fetch_all(&mut *db)
    .await?;
    let runs: Vec<RunRow> = sqlx::query_as(
        "select place_id, state, min(day) as first, max(day) + 1 as \"end\"
         from (select d.place_id, d.state, d.day,
                      d.day - (row_number() over (partition by d.place_id, d.state order by d.day))::integer as island
               from delivery d
               join place p using (place_id)
               where d.until_collection is null and d.day >= $4 and d.day < $5 and p.organization_id = $1
                 and ($2::text is null or p.account_id = $2) and ($3::text is null or p.region = $3)
                 and ($6::text[] is null or p.account_id = any($6))) days
         group by place_id, state, island
         order by place_id, 3",
    )
    .bind(which.organization_id)
    .bind(which.account)
    .bind(which.region)
    .bind(first)
    .bind(end)
    .bind(which.scope)
    .fetch_all(&mut *db)
    .await?;
    let mut delivered = rustc_hash::FxHashMap::<i32, Vec<(Date, Date, DeliveryState)>>::default();
    for run in runs {
        let state = DeliveryState::parse(&run.state)
            .ok_or_else(|| sqlx::Error::Decode(format!("unknown delivery state {:?}", run.state).into()))?;
        delivered.entry(run.place_id).or_default().push((run.first, run.end, state));
    }
    Ok(rows
        .into_iter()
        .map(|row| Place {
            delivered: delivered.remove(&row.place_id).unwrap_or_default(),
            place_id: row.place_id,
            account_id: row.account_id,
            account_name: row.account_name,
            unit: row.unit,
            region: row.region,
            expected: row.expected_first.into_iter().zip(row.expected_end).collect(),
            first_known: row.first_known,
        })
        .collect())
}

/// An account and its name; empty where no list names it.
pub(super) type AccountName = (String, String);

/// Accounts and Regions to choose from.
pub(super) async fn choices(
    db: &mut PgConnection,
    organization_id: i16,
) -> sqlx::Result<(Vec<AccountName>, Vec<String>)> {
    let rows: Vec<(String, String, Vec<String>)> = sqlx::query_as(
        "select p.account_id, coalesce(a.name, ''), array_agg(p.region order by p.region)
         from place p left join account a on a.organization_id = p.organization_id and a.account_id = p.account_id
         where p.organization_id = $1 group by 1, 2 order by 1",
    )
    .bind(organization_id)
    .fetch_all(db)
    .await?;
    let regions: std::collections::BTreeSet<String> = rows.iter().flat_map(|row| row.2.iter().cloned()).collect();
    Ok((rows.into_iter().map(|row| (row.0, row.1)).collect(), regions.into_iter().collect()))
}

#[derive(Debug, sqlx::FromRow)]
pub(super) struct Lists {
    pub accounts_listed_on: Option<Date>,
    pub accounts_source: Option<String>,
    pub accounts_collection: Option<i64>,
    pub regions_listed_on: Option<Date>,
    pub regions: Option<Vec<String>>,
}

/// The lists that say what is expected.
pub(super) async fn lists(db: &mut PgConnection, organization_id: i16) -> sqlx::Result<Lists> {
    sqlx::query_as(
        "select a.listed_on as accounts_listed_on, a.source as accounts_source, a.collection_id as accounts_collection,
                r.listed_on as regions_listed_on, r.regions
         from (select 1) one
         left join lateral (select * from account_list where organization_id = $1
                            order by listed_on desc, account_list_id desc limit 1) a on true
         left join lateral (select * from region_list where organization_id = $1
                            order by listed_on desc, region_list_id desc limit 1) r on true",
    )
    .bind(organization_id)
    .fetch_one(db)
    .await
}
