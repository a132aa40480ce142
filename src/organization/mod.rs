//! Expected accounts and Regions, and their life dates.

pub mod accounts;
mod core;
mod db;
mod live;
pub mod scope;

use time::Date;

pub use self::core::{Account, AccountList, AccountSource, Days, Listing, Origin, Placement};
use crate::aws::AwsSettings;
pub use accounts::AccountFile;
pub use db::{Listed, current, derive, listed, note_reading, take};

/// The lists that could be read, and why Organizations could not.
#[derive(Debug, Clone, Default)]
pub struct ReadLists {
    pub lists: Vec<AccountFile>,
    /// Whether Organizations was asked.
    pub asked: bool,
    pub failure: Option<String>,
}

/// Reads the lists that are files.
///
/// # Errors
///
/// A file cannot be read or is no account list.
pub fn read_files(sources: &[AccountSource]) -> anyhow::Result<Vec<AccountFile>> {
    let files = sources.iter().filter_map(|source| match source {
        AccountSource::File(path) => Some(accounts::read(path)),
        AccountSource::Organizations => None,
    });
    files.collect()
}

/// Adds what Organizations says, where it is among the sources. What it refuses to say leaves the last list standing.
pub async fn read_live(
    sources: &[AccountSource],
    files: Vec<AccountFile>,
    aws: &AwsSettings,
    today: Date,
) -> ReadLists {
    let mut read = ReadLists { lists: files, asked: sources.contains(&AccountSource::Organizations), failure: None };
    if read.asked {
        match live::read(aws, today).await {
            Ok(list) => read.lists.push(list),
            Err(failure) => read.failure = Some(failure),
        }
    }
    read
}
