//! What is asked about, and what was known when.

use sqlx::PgConnection;

use super::db;

/// An organisation, or some of its accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    pub organization_id: i16,
    /// Twelve-digit ids; `None` is every account.
    pub accounts: Option<Vec<String>>,
}

impl Scope {
    /// Every account of an organisation.
    pub fn whole(organization_id: i16) -> Self {
        Self { organization_id, accounts: None }
    }
}

/// A knowledge point: what the store said when this collection and all before it had ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KnownAt(pub i64);

/// Why a collection cannot be a knowledge point.
#[derive(Debug, thiserror::Error)]
pub enum Unsettled {
    #[error("there is no collection {0} of this organisation")]
    Unknown(i64),
    #[error("collection {0} has not finished")]
    NotFinished(i64),
    #[error(
        "collection {earlier} began before collection {asked} and still runs: what was known then is not settled yet"
    )]
    EarlierRuns { asked: i64, earlier: i64 },
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl KnownAt {
    /// The newest finished collection before which none still runs; `None` where there is none yet.
    pub async fn latest(db: &mut PgConnection, organization_id: i16) -> sqlx::Result<Option<Self>> {
        Ok(db::latest_collection(db, organization_id).await?.map(Self))
    }

    /// A collection that was asked for, if what was known at it can no longer change.
    pub async fn asked(db: &mut PgConnection, organization_id: i16, collection_id: i64) -> Result<Self, Unsettled> {
        match db::collection_state(db, organization_id, collection_id).await?.as_deref() {
            None => return Err(Unsettled::Unknown(collection_id)),
            Some("finished") => {}
            Some(_) => return Err(Unsettled::NotFinished(collection_id)),
        }
        match db::first_running_collection(db, organization_id).await? {
            Some(earlier) if earlier < collection_id => Err(Unsettled::EarlierRuns { asked: collection_id, earlier }),
            _ => Ok(Self(collection_id)),
        }
    }
}
