//! What AWS did not tell beside the deliveries.

use std::collections::BTreeSet;

use sqlx::PgConnection;
use time::Date;

use crate::definition::Outcome;
use crate::notices::core::{AggregatorReading, Open, PlaceName, Undefined};
use crate::notices::kind::Kind;

/// How the collection's reading of the aggregator went; `None` where it asked none.
pub(super) async fn aggregator(db: &mut PgConnection, collection_id: i64) -> sqlx::Result<Option<AggregatorReading>> {
    let found: Option<(String, Option<String>, Option<String>)> =
        sqlx::query_as("select aggregator, cause, failure from aggregator_reading where collection_id = $1")
            .bind(collection_id)
            .fetch_optional(db)
            .await?;
    Ok(found.map(|(aggregator, cause, failure)| AggregatorReading {
        aggregator,
        failure: failure.map(|failure| (cause.unwrap_or_else(|| Outcome::Failed.word().to_owned()), failure)),
    }))
}

/// Places of which the collection could not read what their rules ask for.
pub(super) async fn undefined(db: &mut PgConnection, collection_id: i64) -> sqlx::Result<Vec<Undefined>> {
    let rows: Vec<(String, String, String, String)> = sqlx::query_as(
        "select r.outcome, p.account_id, p.region, r.failure from rule_reading r join place p using (place_id)
         where r.collection_id = $1 and r.failure is not null order by p.account_id, p.region",
    )
    .bind(collection_id)
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|(outcome, account_id, region, failure)| {
            let cause = Outcome::parse(&outcome)
                .ok_or_else(|| sqlx::Error::Decode(format!("unknown outcome of a reading: {outcome}").into()))?;
            Ok(Undefined { cause, place: PlaceName { account_id, region }, failure })
        })
        .collect()
}

/// Of the members of open notices of rules that were not read, those that are expected today and of which the last reading
/// failed too, for whatever cause.
pub(super) async fn still_undefined(
    db: &mut PgConnection,
    organization_id: i16,
    today: Date,
    open: &[Open],
) -> sqlx::Result<BTreeSet<String>> {
    let members: BTreeSet<PlaceName> = open
        .iter()
        .filter(|open| open.kind == Kind::DefinitionsUnread)
        .flat_map(|open| open.members.iter().filter_map(|member| PlaceName::of_member(member)))
        .collect();
    let accounts: Vec<&String> = members.iter().map(|place| &place.account_id).collect();
    let regions: Vec<&String> = members.iter().map(|place| &place.region).collect();
    let rows: Vec<(String, String)> = sqlx::query_as(
        "select p.account_id, p.region
         from unnest($2::text[], $3::text[]) as m (account_id, region)
         join place p on p.organization_id = $1 and p.account_id = m.account_id and p.region = m.region
         join lateral (
             select outcome from rule_reading r where r.place_id = p.place_id order by r.collection_id desc limit 1
         ) r on r.outcome <> 'read'
         where exists (select from expected_place e where e.place_id = p.place_id and e.until_collection is null
                       and e.first_day <= $4 and e.end_day > $4)",
    )
    .bind(organization_id)
    .bind(accounts)
    .bind(regions)
    .bind(today)
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|(account_id, region)| PlaceName { account_id, region }.member()).collect())
}
