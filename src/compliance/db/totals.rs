//! The organisation's days, summed by the collection that wrote them, and its newest packs.

use sqlx::{FromRow, PgConnection};
use time::{Date, OffsetDateTime};

use crate::compliance::core::{Counts, Figures};

/// A day of the organisation.
#[derive(Debug, Clone)]
pub(crate) struct DayTotal {
    pub(crate) day: Date,
    pub(crate) figures: Figures,
}

#[derive(FromRow)]
struct DayTotalRow {
    day: Date,
    never_seen_accounts: i32,
    complying: i64,
    not_complying: i64,
    insufficient_data: i64,
    not_applicable: i64,
    unrecognised: i64,
    unknown_carried: i64,
}

/// The days from one to another, in order.
pub(crate) async fn trend(
    db: &mut PgConnection,
    organization_id: i16,
    from: Date,
    until: Date,
) -> sqlx::Result<Vec<DayTotal>> {
    let rows: Vec<DayTotalRow> = sqlx::query_as(
        "select day, never_seen_accounts, complying, not_complying, insufficient_data,
             not_applicable, unrecognised, unknown_carried
         from day_total where organization_id = $1 and day between $2 and $3 order by day",
    )
    .bind(organization_id)
    .bind(from)
    .bind(until)
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(DayTotal::from).collect())
}

impl From<DayTotalRow> for DayTotal {
    fn from(row: DayTotalRow) -> Self {
        Self {
            day: row.day,
            figures: Figures {
                counts: Counts {
                    complying: row.complying,
                    not_complying: row.not_complying,
                    insufficient_data: row.insufficient_data,
                    not_applicable: row.not_applicable,
                    unrecognised: row.unrecognised,
                },
                carried: row.unknown_carried,
                never_seen_accounts: row.never_seen_accounts.into(),
            },
        }
    }
}

/// The same days summed over some accounts, as a collection sums them over all (see `collection::run_db`).
pub(crate) async fn trend_of(
    db: &mut PgConnection,
    organization_id: i16,
    accounts: &[String],
    from: Date,
    until: Date,
) -> sqlx::Result<Vec<DayTotal>> {
    let rows: Vec<DayTotalRow> = sqlx::query_as(
        "with mine as (
             select place_id, account_id from place where organization_id = $1 and account_id = any($2)
         ), days as (
             select day from day_total where organization_id = $1 and day between $3 and $4
         ), known as (
             select d.place_id, d.day, d.complying, d.not_complying, d.insufficient_data, d.not_applicable, d.unrecognised
             from mine join delivery d using (place_id)
             where d.until_collection is null and d.known and d.day <= $4
         ), sums as (
             select day, sum(complying)::bigint as complying, sum(not_complying)::bigint as not_complying,
                    sum(insufficient_data)::bigint as insufficient_data, sum(not_applicable)::bigint as not_applicable,
                    sum(unrecognised)::bigint as unrecognised
             from known where day >= $3 group by day
         ), wanted as (
             select days.day, e.place_id, mine.account_id
             from mine join expected_place e using (place_id)
             join days on days.day >= e.first_day and days.day < e.end_day
             where e.until_collection is null
         ), carried as (
             select w.day, sum(last.unknown)::bigint as unknown
             from wanted w
             left join known k on k.place_id = w.place_id and k.day = w.day
             join lateral (
                 select l.complying + l.not_complying + l.insufficient_data + l.unrecognised as unknown
                 from delivery l
                 where l.place_id = w.place_id and l.day < w.day and l.until_collection is null and l.known
                 order by l.day desc limit 1) last on true
             where k.place_id is null
             group by w.day
         ), first_known as (
             select mine.account_id, min(known.day) as day from known join mine using (place_id) group by mine.account_id
         ), never as (
             select w.day, count(distinct w.account_id) as accounts
             from wanted w left join first_known f on f.account_id = w.account_id
             where f.day is null or f.day > w.day
             group by w.day
         )
         select days.day, coalesce(never.accounts, 0)::integer as never_seen_accounts,
                coalesce(sums.complying, 0) as complying, coalesce(sums.not_complying, 0) as not_complying,
                coalesce(sums.insufficient_data, 0) as insufficient_data,
                coalesce(sums.not_applicable, 0) as not_applicable, coalesce(sums.unrecognised, 0) as unrecognised,
                coalesce(carried.unknown, 0) as unknown_carried
         from days left join sums using (day) left join carried using (day) left join never using (day)
         order by days.day",
    )
    .bind(organization_id)
    .bind(accounts)
    .bind(from)
    .bind(until)
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(DayTotal::from).collect())
}

/// An issued pack.
#[expect(clippy::struct_field_names, reason = "the column's name, which tells it from other ids")]
#[derive(Debug, Clone, FromRow)]
pub(crate) struct Pack {
    pub(crate) pack_id: String,
    pub(crate) title: String,
    pub(crate) from_day: Date,
    pub(crate) as_of_day: Date,
    pub(crate) created_at: OffsetDateTime,
    pub(crate) created_by: String,
    pub(crate) gap_days: i64,
}

/// The newest packs, at most so many.
pub(crate) async fn packs(db: &mut PgConnection, organization_id: i16, limit: i64) -> sqlx::Result<Vec<Pack>> {
    sqlx::query_as(
        "select pack_id, title, from_day, as_of_day, created_at, created_by, gap_days
         from pack where organization_id = $1 order by created_at desc, pack_id limit $2",
    )
    .bind(organization_id)
    .bind(limit)
    .fetch_all(db)
    .await
}
