//! The lists as they were read, and what follows from them: accounts and expected places.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::PgConnection;
use sqlx::types::Json;
use time::{Date, OffsetDateTime};

use super::accounts::AccountFile;
use super::core::{self, Account, AccountList, BEGINNING, Days, Listing, Placement};
use super::reading::Listed;
use crate::collection::day::Day;

/// The organisation's row id, made if it is new.
pub async fn current(db: &mut PgConnection, name: &str) -> sqlx::Result<i16> {
    sqlx::query("insert into organization (name) select $1 where not exists (select from organization where name = $1) on conflict do nothing")
        .bind(name)
        .execute(&mut *db)
        .await?;
    sqlx::query_scalar("select organization_id from organization where name = $1").bind(name).fetch_one(db).await
}

/// Keeps new lists and derives from all lists which places are expected, from `collection_id` on.
///
/// Returns the Regions that the list before had and the new one has not: they stop being expected today.
pub async fn take(
    db: &mut PgConnection,
    organization_id: i16,
    collection_id: i64,
    accounts: &[AccountFile],
    regions: &[String],
    today: Date,
) -> sqlx::Result<Vec<String>> {
    for file in accounts {
        keep_accounts(db, organization_id, collection_id, file).await?;
    }
    let dropped = keep_regions(db, organization_id, collection_id, regions, today).await?;
    derive(db, organization_id, collection_id).await?;
    Ok(dropped)
}

async fn keep_accounts(
    db: &mut PgConnection,
    organization_id: i16,
    collection_id: i64,
    file: &AccountFile,
) -> sqlx::Result<()> {
    let list_id: Option<i64> = sqlx::query_scalar(
        // Of the lists of Organizations itself only one that differs from the list before it is news.
        "insert into account_list (organization_id, collection_id, listed_on, source, sha256, origin)
         select $1, $2, $3, $4, $5, $6
         where $6 = 'file' or $5 is distinct from (
             select sha256 from account_list where organization_id = $1 and listed_on <= $3
             order by listed_on desc, account_list_id desc limit 1)
         on conflict do nothing returning account_list_id",
    )
    .bind(organization_id)
    .bind(collection_id)
    .bind(file.list.listed_on)
    .bind(&file.source)
    .bind(file.sha256.as_slice())
    .bind(file.origin.word())
    .fetch_optional(&mut *db)
    .await?;
    let Some(list_id) = list_id else { return Ok(()) };
    for account in &file.list.accounts {
        sqlx::query(
            "insert into account_listing (account_list_id, account_id, name, email, arn, status, joined_at,
                                          joined_method, unit_ids, unit_names, tags)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(list_id)
        .bind(&account.account_id)
        .bind(&account.name)
        .bind(&account.email)
        .bind(&account.arn)
        .bind(&account.status)
        .bind(account.joined_at)
        .bind(&account.joined_method)
        .bind(account.placement.as_ref().map(|placement| &placement.ids))
        .bind(account.placement.as_ref().map(|placement| &placement.names))
        .bind(account.tags.as_ref().map(Json))
        .execute(&mut *db)
        .await?;
    }
    Ok(())
}

/// Notes that Organizations was asked: read, or why not.
pub async fn note_reading(
    db: &mut PgConnection,
    organization_id: i16,
    collection_id: i64,
    day: Date,
    failure: Option<&str>,
) -> sqlx::Result<()> {
    sqlx::query(
        "insert into account_reading (organization_id, collection_id, day, failure) values ($1, $2, $3, $4)
         on conflict on constraint account_reading_collection_key do nothing",
    )
    .bind(organization_id)
    .bind(collection_id)
    .bind(day)
    .bind(failure)
    .execute(db)
    .await?;
    Ok(())
}

/// The latest account list with the tries since.
pub async fn listed(db: &mut PgConnection, organization_id: i16) -> sqlx::Result<Listed> {
    sqlx::query_as(
        "select l.listed_on, ok.day as confirmed_on, bad.day as failed_on, bad.failure
         from (select 1) one
         left join lateral (select * from account_list where organization_id = $1
                            order by listed_on desc, account_list_id desc limit 1) l on true
         left join lateral (select * from account_reading where organization_id = $1 and failure is null
                            order by account_reading_id desc limit 1) ok on l.origin = 'organizations'
         left join lateral (select * from account_reading where organization_id = $1
                            order by account_reading_id desc limit 1) bad
             on bad.failure is not null and (l.listed_on is null or bad.day >= l.listed_on)",
    )
    .bind(organization_id)
    .fetch_one(db)
    .await
}

async fn keep_regions(
    db: &mut PgConnection,
    organization_id: i16,
    collection_id: i64,
    regions: &[String],
    today: Date,
) -> sqlx::Result<Vec<String>> {
    if regions.is_empty() {
        return Ok(vec![]);
    }
    let regions: BTreeSet<&String> = regions.iter().collect();
    let before: Option<Vec<String>> = sqlx::query_scalar(
        "select regions from region_list where organization_id = $1 order by listed_on desc, region_list_id desc
         limit 1",
    )
    .bind(organization_id)
    .fetch_optional(&mut *db)
    .await?;
    // Only a list that differs from the last one is news.
    let before = before.unwrap_or_default();
    if before.iter().eq(regions.iter().copied()) {
        return Ok(vec![]);
    }
    sqlx::query("insert into region_list (organization_id, collection_id, listed_on, regions) values ($1, $2, $3, $4)")
        .bind(organization_id)
        .bind(collection_id)
        .bind(today)
        .bind(regions.iter().collect::<Vec<_>>())
        .execute(db)
        .await?;
    Ok(before.into_iter().filter(|region| !regions.contains(region)).collect())
}

#[derive(sqlx::FromRow)]
struct ListingRow {
    account_list_id: i64,
    listed_on: Date,
    account_id: String,
    name: String,
    email: Option<String>,
    arn: Option<String>,
    status: String,
    joined_at: Option<OffsetDateTime>,
    joined_method: Option<String>,
    unit_ids: Option<Vec<String>>,
    unit_names: Option<Vec<String>>,
    tags: Option<Json<BTreeMap<String, String>>>,
}

async fn account_lists(db: &mut PgConnection, organization_id: i16) -> sqlx::Result<Vec<AccountList>> {
    let rows: Vec<ListingRow> = sqlx::query_as(
        "select account_list_id, listed_on, account_id, name, email, arn, status, joined_at, joined_method,
                unit_ids, unit_names, tags
         from account_list join account_listing using (account_list_id)
         where organization_id = $1 order by listed_on, account_list_id, account_id",
    )
    .bind(organization_id)
    .fetch_all(db)
    .await?;
    let mut lists: Vec<(i64, AccountList)> = Vec::new();
    for row in rows {
        if lists.last().is_none_or(|(id, _)| *id != row.account_list_id) {
            // Of two lists of one day the one read later speaks.
            if lists.last().is_some_and(|(_, list)| list.listed_on == row.listed_on) {
                lists.pop();
            }
            lists.push((row.account_list_id, AccountList { listed_on: row.listed_on, accounts: vec![] }));
        }
        if let Some((_, list)) = lists.last_mut() {
            list.accounts.push(Listing {
                account_id: row.account_id,
                name: row.name,
                email: row.email,
                arn: row.arn,
                status: row.status,
                joined_at: row.joined_at,
                joined_method: row.joined_method,
                placement: row.unit_ids.zip(row.unit_names).map(|(ids, names)| Placement { ids, names }),
                tags: row.tags.map(|tags| tags.0),
            });
        }
    }
    Ok(lists.into_iter().map(|(_, list)| list).collect())
}

/// One expectation: a place by its names, on these days.
type Expectation = (String, String, Days);

/// Derives from all lists which places are expected, from `collection_id` on.
pub async fn derive(db: &mut PgConnection, organization_id: i16, collection_id: i64) -> sqlx::Result<()> {
    let lists = account_lists(db, organization_id).await?;
    let regions: Vec<(Date, Vec<String>)> = sqlx::query_as(
        "select distinct on (listed_on) listed_on, regions from region_list where organization_id = $1
         order by listed_on, region_list_id desc",
    )
    .bind(organization_id)
    .fetch_all(&mut *db)
    .await?;
    let accounts = core::accounts(&lists);
    keep_derived_accounts(db, organization_id, &accounts).await?;
    let expected = if lists.is_empty() || regions.is_empty() {
        delivering(db, organization_id).await?
    } else {
        let regions = core::regions(&regions);
        let places = accounts.iter().flat_map(|account| regions.iter().map(move |region| (account, region)));
        places
            .flat_map(|(account, (region, days))| {
                core::intersect(&account.days, days)
                    .into_iter()
                    .map(|days| (account.account_id.clone(), region.clone(), days))
            })
            .collect()
    };
    write_expected(db, organization_id, collection_id, &expected).await
}

/// Without both lists, what has delivered once is expected from then on: its silence is a gap. What delivered first on a day
/// whose evidence was removed is told from what was expected by then.
async fn delivering(db: &mut PgConnection, organization_id: i16) -> sqlx::Result<Vec<Expectation>> {
    let rows: Vec<(String, String, Date)> = sqlx::query_as(
        "select account_id, region, min(day) from place join (
             select place_id, day from delivery where until_collection is null
             union all
             select place_id, first_day from expected_place e join place p using (place_id)
             where until_collection is null
               and first_day < (select max(first_day) from retention k where k.organization_id = p.organization_id)
         ) seen using (place_id)
         where organization_id = $1 group by account_id, region",
    )
    .bind(organization_id)
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|(account, region, first)| (account, region, Days { first, end: None })).collect())
}

async fn keep_derived_accounts(db: &mut PgConnection, organization_id: i16, accounts: &[Account]) -> sqlx::Result<()> {
    for account in accounts {
        let joined_on = account.days.first().map(|days| days.first).filter(|first| *first > BEGINNING);
        sqlx::query(
            "insert into account (organization_id, account_id, name, status, joined_on, left_on)
             values ($1, $2, $3, $4, $5, $6)
             on conflict (organization_id, account_id) do update set
                 name = excluded.name, status = excluded.status, joined_on = excluded.joined_on,
                 left_on = excluded.left_on",
        )
        .bind(organization_id)
        .bind(&account.account_id)
        .bind(&account.name)
        .bind(&account.status)
        .bind(joined_on)
        .bind(account.days.last().and_then(|days| days.end))
        .execute(&mut *db)
        .await?;
    }
    Ok(())
}

/// Closes expectations that no longer hold and adds new ones; those that stay keep their first collection.
async fn write_expected(
    db: &mut PgConnection,
    organization_id: i16,
    collection_id: i64,
    expected: &[Expectation],
) -> sqlx::Result<()> {
    let accounts: Vec<&str> = expected.iter().map(|(account, _, _)| account.as_str()).collect();
    let regions: Vec<&str> = expected.iter().map(|(_, region, _)| region.as_str()).collect();
    let first: Vec<Date> = expected.iter().map(|(_, _, days)| days.first).collect();
    let end: Vec<Day> = expected.iter().map(|(_, _, days)| days.end.map_or(Day::INFINITY, Day::from)).collect();
    sqlx::query(
        "insert into place (organization_id, account_id, region)
         select distinct $1, u.account_id, u.region from unnest($2::text[], $3::text[]) as u (account_id, region)
         where not exists (select from place p where p.organization_id = $1 and p.account_id = u.account_id
                                                 and p.region = u.region)
         on conflict do nothing",
    )
    .bind(organization_id)
    .bind(&accounts)
    .bind(&regions)
    .execute(&mut *db)
    .await?;
    let wanted = "select p.place_id, u.first_day, u.end_day
                  from unnest($2::text[], $3::text[], $4::date[], $5::date[]) as u (account_id, region, first_day, end_day)
                  join place p on p.organization_id = $1 and p.account_id = u.account_id and p.region = u.region";
    for statement in [
        format!(
            "with wanted as ({wanted})
             update expected_place e set until_collection = $6
             from place p
             where p.place_id = e.place_id and p.organization_id = $1 and e.until_collection is null
               and not exists (select from wanted w where w.place_id = e.place_id and w.first_day = e.first_day
                                                      and w.end_day = e.end_day)"
        ),
        format!(
            "with wanted as ({wanted})
             insert into expected_place (place_id, first_day, end_day, since_collection)
             select w.place_id, w.first_day, w.end_day, $6 from wanted w
             where not exists (select from expected_place e where e.place_id = w.place_id
                               and e.first_day = w.first_day and e.end_day = w.end_day and e.until_collection is null)
             on conflict (place_id, first_day, since_collection) do update
                 set end_day = excluded.end_day, until_collection = null"
        ),
    ] {
        sqlx::query(sqlx::AssertSqlSafe(statement))
            .bind(organization_id)
            .bind(&accounts)
            .bind(&regions)
            .bind(&first)
            .bind(&end)
            .bind(collection_id)
            .execute(&mut *db)
            .await?;
    }
    Ok(())
}
