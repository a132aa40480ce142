//! The account-Regions of an organisation, to choose from.

use sqlx::{FromRow, PgConnection};

use crate::compliance::is_account;

/// An account in a Region.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct NamedPlace {
    pub place_id: i32,
    pub account_id: String,
    /// Empty where no account list names it.
    pub account_name: String,
    pub region: String,
}

impl NamedPlace {
    /// Whether the filters of a page leave it: an account by its id or a part of its name, a Region.
    pub fn is_asked_for(&self, account: Option<&str>, region: Option<&str>) -> bool {
        account.is_none_or(|asked| is_account(asked, &self.account_id, &self.account_name))
            && region.is_none_or(|asked| asked == self.region)
    }
}

/// All that are in the store, by account and Region.
pub async fn places(db: &mut PgConnection, organization_id: i16) -> sqlx::Result<Vec<NamedPlace>> {
    sqlx::query_as(
        "select p.place_id, p.account_id, coalesce(a.name, '') as account_name, p.region
         from place p left join account a on a.organization_id = p.organization_id and a.account_id = p.account_id
         where p.organization_id = $1 order by p.account_id, p.region",
    )
    .bind(organization_id)
    .fetch_all(db)
    .await
}
