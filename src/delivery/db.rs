//! Expected and delivered days of places.

use sqlx::PgConnection;
use time::Date;

use super::core::Place;
use crate::compliance::DeliveryState;

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

/// Every place with what it delivered from `first` until before `end`, by account and Region.
pub(super) async fn places(
    db: &mut PgConnection,
    organization_id: i16,
    first: Date,
    end: Date,
) -> sqlx::Result<Vec<Place>> {
    let rows: Vec<PlaceRow> = sqlx::query_as(
        "select p.place_id, p.account_id, coalesce(a.name, '') as account_name, p.region,
                coalesce(array_to_string(m.unit_names[2:], ' / '), '') as unit,
                coalesce(e.firsts, '{}') as expected_first, coalesce(e.ends, '{}') as expected_end,
                (select min(d.day) from delivery d
                 where d.place_id = p.place_id and d.until_collection is null and d.known and d.day < $3) as first_known
         from place p
         left join account a on a.organization_id = p.organization_id and a.account_id = p.account_id
         -- Units are told by the latest list of Organizations up to the last day, else by the first after it.
         left join account_listing m on m.account_id = p.account_id and m.account_list_id = (
             select account_list_id from account_list
             where organization_id = $1 and origin = 'organizations'
             order by (listed_on < $3) desc, case when listed_on < $3 then listed_on end desc, listed_on,
                      account_list_id desc
             limit 1)
         left join lateral (
             -- Postgres's infinity is no day of a calendar.
             select array_agg(x.first_day order by x.first_day) as firsts,
                    array_agg(least(x.end_day, date '9999-12-31') order by x.first_day) as ends
             from expected_place x where x.place_id = p.place_id and x.until_collection is null) e on true
         where p.organization_id = $1
           and (e.firsts is not null
                or exists (select 1 from delivery d where d.place_id = p.place_id and d.until_collection is null))
           and $2::date < $3::date
         order by p.account_id, p.region",
    )
    .bind(organization_id)
    .bind(first)
    .bind(end)
    .fetch_all(&mut *db)
    .await?;
    let days: Vec<(i32, String, Vec<Date>)> = sqlx::query_as(
        "select d.place_id, d.state, array_agg(d.day order by d.day)
         from delivery d join place p using (place_id)
         where d.until_collection is null and d.day >= $2 and d.day < $3 and p.organization_id = $1
         group by d.place_id, d.state",
    )
    .bind(organization_id)
    .bind(first)
    .bind(end)
    .fetch_all(&mut *db)
    .await?;
    let mut delivered = rustc_hash::FxHashMap::<i32, Vec<(Date, Date, DeliveryState)>>::default();
    for (place_id, word, days) in days {
        let state = DeliveryState::parse(&word)
            .ok_or_else(|| sqlx::Error::Decode(format!("unknown delivery state {word:?}").into()))?;
        let runs = crate::web::chart::segments(days.into_iter().map(|day| (day, state)));
        delivered.entry(place_id).or_default().extend(runs);
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
