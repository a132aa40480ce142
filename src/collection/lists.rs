//! The lists of a collection: which accounts and Regions should deliver.

use sqlx::PgPool;
use time::Date;

use super::progress::Progress;
use super::run::Options;
use crate::organization::{self, AccountFile};

/// What taking the lists came to.
#[derive(Debug)]
pub(super) struct Lists {
    /// Why Organizations could not be read, where it was asked: the last account list stands.
    pub accounts_unread: Option<String>,
    /// What a person should know.
    pub notes: Vec<String>,
}

/// Keeps the account lists that are files, what Organizations itself says where it is asked, and the list of Regions.
pub(super) async fn take(
    db: &PgPool,
    (organization_id, collection_id): (i16, i64),
    options: &Options,
    mut accounts: Vec<AccountFile>,
    today: Date,
    progress: &Progress,
) -> sqlx::Result<Lists> {
    let mut accounts_unread = None;
    if options.organizations {
        progress.step("Asking AWS Organizations");
        match organization::read_organizations(&options.aws, today).await {
            Ok(list) => accounts.push(list),
            Err(failure) => accounts_unread = Some(failure),
        }
    }
    let mut tx = db.begin().await?;
    if options.organizations {
        let failure = accounts_unread.as_deref();
        organization::note_reading(&mut tx, organization_id, collection_id, today, failure).await?;
    }
    let dropped =
        organization::take(&mut tx, organization_id, collection_id, &accounts, &options.regions, today).await?;
    tx.commit().await?;
    Ok(Lists { accounts_unread, notes: dropped_words(&dropped, today).into_iter().collect() })
}

/// Says which Regions the list had before and has no more.
fn dropped_words(dropped: &[String], today: Date) -> Option<String> {
    (!dropped.is_empty()).then(|| {
        format!("no longer expected from {today} on, because --regions does not name it: {}", dropped.join(", "))
    })
}
