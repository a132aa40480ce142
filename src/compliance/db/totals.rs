//! The organisation's days, summed by the collection that wrote them, and its newest packs.

use sqlx::{FromRow, PgConnection};
use time::{Date, OffsetDateTime};

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
    Ok(rows
        .into_iter()
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
        .collect())
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
