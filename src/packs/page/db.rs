//! What the form for a new pack offers.

use sqlx::{FromRow, PgConnection};

#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub(super) struct Account {
    pub account_id: String,
    /// Empty where no account list names it.
    pub name: String,
}

/// Accounts that delivered or are on an account list.
pub(super) async fn accounts(db: &mut PgConnection, organization_id: i16) -> sqlx::Result<Vec<Account>> {
    sqlx::query_as(
        "select account_id, coalesce(max(name), '') as name
         from (select account_id, name from account where organization_id = $1
               union all
               select account_id, null from place where organization_id = $1) known
         group by account_id order by account_id",
    )
    .bind(organization_id)
    .fetch_all(db)
    .await
}
