//! The statements about collections, places and names that all of the evidence needs.

use rustc_hash::FxHashMap;
use sqlx::PgConnection;

use super::population::{Place, Statuses};
use super::{KnownAt, Scope};
use crate::compliance::{DeliveryState, Status};

pub(super) async fn latest_collection(db: &mut PgConnection, organization_id: i16) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar(
        "select max(collection_id) from collection
         where organization_id = $1 and state = 'finished' and collection_id < coalesce(
             (select min(collection_id) from collection where organization_id = $1 and state = 'running'),
             9223372036854775807)",
    )
    .bind(organization_id)
    .fetch_one(db)
    .await
}

pub(super) async fn collection_state(
    db: &mut PgConnection,
    organization_id: i16,
    collection_id: i64,
) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar("select state from collection where organization_id = $1 and collection_id = $2")
        .bind(organization_id)
        .bind(collection_id)
        .fetch_optional(db)
        .await
}

pub(super) async fn first_running_collection(db: &mut PgConnection, organization_id: i16) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar("select min(collection_id) from collection where organization_id = $1 and state = 'running'")
        .bind(organization_id)
        .fetch_one(db)
        .await
}

pub(super) async fn statuses(db: &mut PgConnection) -> sqlx::Result<Statuses> {
    let rows: Vec<(i16, String)> = sqlx::query_as("select status_id, name from status").fetch_all(db).await?;
    Ok(rows.into_iter().map(|(id, name)| (id, Status::parse(&name))).collect::<FxHashMap<_, _>>())
}

/// Reads a word of `delivery.state`.
pub(super) fn delivery_state(word: &str) -> sqlx::Result<DeliveryState> {
    DeliveryState::parse(word).ok_or_else(|| sqlx::Error::Decode(format!("unknown delivery state {word:?}").into()))
}

pub(super) async fn places(db: &mut PgConnection, scope: &Scope) -> sqlx::Result<Vec<Place>> {
    sqlx::query_as(
        "select place_id, account_id, region from place
         where organization_id = $1 and ($2::text[] is null or account_id = any($2))
         order by account_id, region",
    )
    .bind(scope.organization_id)
    .bind(&scope.accounts)
    .fetch_all(db)
    .await
}

pub(super) async fn organization(db: &mut PgConnection, name: &str) -> sqlx::Result<Option<i16>> {
    sqlx::query_scalar("select organization_id from organization where name = $1").bind(name).fetch_optional(db).await
}

/// Whether an account delivered anything or was on an account list.
pub(super) async fn is_account(
    db: &mut PgConnection,
    organization_id: i16,
    account_id: &str,
    known_at: KnownAt,
) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "select exists (select from place where organization_id = $1 and account_id = $2)
             or exists (select from account_list l join account_listing m using (account_list_id)
                 where l.organization_id = $1 and m.account_id = $2 and l.collection_id <= $3)",
    )
    .bind(organization_id)
    .bind(account_id)
    .bind(known_at.0)
    .fetch_one(db)
    .await
}
