//! The organisation's days, summed by the collection that wrote them, and its newest packs.

use sqlx::{FromRow, PgConnection};
use time::{Date, OffsetDateTime};

use crate::compliance::core::days::PlaceCounts;
use crate::compliance::core::{Counts, Figures, NeverSeen};

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
    never_seen_places: i32,
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
        "select day, never_seen_accounts, never_seen_places, complying, not_complying, insufficient_data,
             not_applicable, unrecognised, unknown_carried
         from day_total where organization_id = $1 and day between $2 and $3 order by day",
    )
    .bind(organization_id)
    .bind(from)
    .bind(until)
    .fetch_all(db)
    .await?;
    Ok(totals(rows))
}

/// The same of some places only.
pub(crate) async fn trend_of(
    db: &mut PgConnection,
    place_ids: &[i32],
    from: Date,
    until: Date,
) -> sqlx::Result<Vec<DayTotal>> {
    let rows: Vec<DayTotalRow> = sqlx::query_as(
        "with each as (
             select g.day::date as day, p.account_id, bool_or(e.expected) as expected,
                 bool_or(d.known is true or l.unknown is not null) as seen,
                 sum(d.complying) filter (where d.known) as complying,
                 sum(d.not_complying) filter (where d.known) as not_complying,
                 sum(d.insufficient_data) filter (where d.known) as insufficient_data,
                 sum(d.not_applicable) filter (where d.known) as not_applicable,
                 sum(d.unrecognised) filter (where d.known) as unrecognised,
                 sum(l.unknown) filter (where e.expected) as carried,
                 count(*) filter (where e.expected and d.known is not true and l.unknown is null) as never_places
             from place p
             cross join generate_series($2::timestamp, $3::timestamp, interval '1 day') g (day)
             cross join lateral (select exists (
                 select from expected_place x where x.place_id = p.place_id and x.until_collection is null
                     and x.first_day <= g.day::date and x.end_day > g.day::date) as expected) e
             left join delivery d on d.place_id = p.place_id and d.day = g.day::date and d.until_collection is null
             left join lateral (
                 select k.complying + k.not_complying + k.insufficient_data + k.unrecognised as unknown from delivery k
                 where k.place_id = p.place_id and k.day < g.day::date and k.until_collection is null and k.known
                 order by k.day desc limit 1
             ) l on d.known is not true
             where p.place_id = any($1)
             group by 1, 2
         )
         select day, (count(*) filter (where expected and not seen))::integer as never_seen_accounts,
             coalesce(sum(never_places) filter (where seen), 0)::integer as never_seen_places,
             coalesce(sum(complying), 0)::bigint as complying, coalesce(sum(not_complying), 0)::bigint as not_complying,
             coalesce(sum(insufficient_data), 0)::bigint as insufficient_data,
             coalesce(sum(not_applicable), 0)::bigint as not_applicable,
             coalesce(sum(unrecognised), 0)::bigint as unrecognised,
             coalesce(sum(carried), 0)::bigint as unknown_carried
         from each group by day order by day",
    )
    .bind(place_ids)
    .bind(from)
    .bind(until)
    .fetch_all(db)
    .await?;
    Ok(totals(rows))
}

/// Which places are meant.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Places<'a> {
    /// Every one that the organisation ever had.
    All,
    /// Every one that some accounts ever had.
    Of(&'a [String]),
    These(&'a [i32]),
}

#[derive(FromRow)]
struct SpanRow {
    place_id: i32,
    account_id: String,
    seen_before: bool,
    known: Vec<Date>,
    expected_first: Vec<Date>,
    expected_end: Vec<Date>,
    days: Vec<Date>,
    complying: Vec<i64>,
    not_complying: Vec<i64>,
    insufficient_data: Vec<i64>,
    not_applicable: Vec<i64>,
    unrecognised: Vec<i64>,
}

/// Places over the days from one to another, with what some rules (`None`: all) say there of resources of a type or of
/// all.
pub(crate) async fn spans(
    db: &mut PgConnection,
    organization_id: i16,
    places: Places<'_>,
    (rule_ids, resource_type_id): (Option<&[i32]>, Option<i16>),
    (from, until): (Date, Date),
) -> sqlx::Result<Vec<PlaceCounts>> {
    let (accounts, place_ids) = match places {
        Places::All => (None, None),
        Places::Of(accounts) => (Some(accounts), None),
        Places::These(place_ids) => (None, Some(place_ids)),
    };
    let rows: Vec<SpanRow> = sqlx::query_as(
        // A roll-up comes on its first day and goes on its end: the sum of what came and went up to a day is that day's.
        "with meant as materialized (
             select place_id, account_id from place
             where organization_id = $1 and ($2::text[] is null or account_id = any($2))
                 and ($3::integer[] is null or place_id = any($3))
         ), change as (
             select u.place_id, d.day, sum(d.sign * u.complying)::bigint as complying,
                 sum(d.sign * u.not_complying)::bigint as not_complying,
                 sum(d.sign * u.insufficient_data)::bigint as insufficient_data,
                 sum(d.sign * u.not_applicable)::bigint as not_applicable,
                 sum(d.sign * u.unrecognised)::bigint as unrecognised
             from rollup u join meant using (place_id)
             cross join lateral (values (greatest(u.first_day, $6), 1), (u.end_day, -1)) d (day, sign)
             where u.first_day <= $7 and u.end_day > $6 and d.day <= $7
                 and ($4::integer[] is null or u.rule_id + 0 = any($4))
                 and ($5::smallint is null or u.resource_type_id = $5)
             group by u.place_id, d.day
         ), changes as (
             select place_id, array_agg(day order by day) as days, array_agg(complying order by day) as complying,
                 array_agg(not_complying order by day) as not_complying,
                 array_agg(insufficient_data order by day) as insufficient_data,
                 array_agg(not_applicable order by day) as not_applicable,
                 array_agg(unrecognised order by day) as unrecognised
             from change group by place_id
         )
         select m.place_id, m.account_id,
             exists (select from delivery d where d.place_id = m.place_id and d.day < $6
                     and d.until_collection is null and d.known) as seen_before,
             array(select d.day from delivery d where d.place_id = m.place_id and d.day between $6 and $7
                   and d.until_collection is null and d.known order by d.day) as known,
             coalesce(e.firsts, '{}') as expected_first, coalesce(e.ends, '{}') as expected_end,
             coalesce(c.days, '{}') as days, coalesce(c.complying, '{}') as complying,
             coalesce(c.not_complying, '{}') as not_complying,
             coalesce(c.insufficient_data, '{}') as insufficient_data,
             coalesce(c.not_applicable, '{}') as not_applicable, coalesce(c.unrecognised, '{}') as unrecognised
         from meant m
         left join changes c using (place_id)
         left join lateral (
             -- Postgres's infinity is no day of a calendar.
             select array_agg(x.first_day) as firsts, array_agg(least(x.end_day, $7 + 1)) as ends
             from expected_place x where x.place_id = m.place_id and x.until_collection is null and x.first_day <= $7
         ) e on true",
    )
    .bind(organization_id)
    .bind(accounts)
    .bind(place_ids)
    .bind(rule_ids)
    .bind(resource_type_id)
    .bind(from)
    .bind(until)
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(SpanRow::into_span).collect())
}

impl SpanRow {
    fn into_span(self) -> PlaceCounts {
        let spoken = self.complying.into_iter().zip(self.not_complying);
        let rest = self.insufficient_data.into_iter().zip(self.not_applicable).zip(self.unrecognised);
        let counts = spoken.zip(rest).map(|((complying, not_complying), rest)| {
            let ((insufficient_data, not_applicable), unrecognised) = rest;
            Counts { complying, not_complying, insufficient_data, not_applicable, unrecognised }
        });
        PlaceCounts {
            place_id: self.place_id,
            account_id: self.account_id,
            seen_before: self.seen_before,
            known: self.known,
            expected: self.expected_first.into_iter().zip(self.expected_end).collect(),
            changes: self.days.into_iter().zip(counts).collect(),
        }
    }
}

/// Every place that some accounts ever had.
pub(crate) async fn places_of(
    db: &mut PgConnection,
    organization_id: i16,
    accounts: &[String],
) -> sqlx::Result<Vec<i32>> {
    sqlx::query_scalar("select place_id from place where organization_id = $1 and account_id = any($2)")
        .bind(organization_id)
        .bind(accounts)
        .fetch_all(db)
        .await
}

fn totals(rows: Vec<DayTotalRow>) -> Vec<DayTotal> {
    rows.into_iter()
        .map(|row| DayTotal {
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
                never_seen: NeverSeen {
                    accounts: row.never_seen_accounts.into(),
                    places: row.never_seen_places.into(),
                },
            },
        })
        .collect()
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
