//! The true counts of a sample, day by day: what a collection of it must find.

use std::io::BufReader;
use std::path::Path;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use time::Date;

use super::options::Choice;

time::serde::format_description!(pub(super) day, Date, "[year]-[month]-[day]");

/// The true counts, in the sample's folder. Written last: a folder that holds it is complete.
pub const EXPECTED_FILE: &str = "expected.json";
/// The options, in the sample's folder. Written first: it tells a sample's folder from any other.
pub const MARKER_FILE: &str = "sample.json";

/// Everything that is true of a sample.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    pub options: Choice,
    #[serde(with = "day")]
    pub first_day: Date,
    #[serde(with = "day")]
    pub last_day: Date,
    pub regions: Vec<String>,
    pub accounts: Vec<ExpectedAccount>,
    /// Files with the account list, in the order of their dates.
    pub account_lists: Vec<AccountList>,
    /// Objects that came days after the day of their path. The counts below are those with them.
    pub late_objects: Vec<LateObject>,
    /// Keys of objects that cannot be read.
    pub unreadable_objects: Vec<String>,
    /// The special things in this sample and where they are.
    pub cases: Vec<Case>,
    /// Config snapshots and history objects; everything else in the folder is none.
    pub snapshots: u64,
    pub histories: u64,
    pub days: Vec<ExpectedDay>,
}

impl Expected {
    /// Reads the counts from a sample's folder.
    ///
    /// # Errors
    /// Where the file is absent or is not what this program writes.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join(EXPECTED_FILE);
        let file = std::fs::File::open(&path).with_context(|| format!("opening {}", path.display()))?;
        serde_json::from_reader(BufReader::new(file)).with_context(|| format!("reading {}", path.display()))
    }
}

/// An account and the days on which it is expected to deliver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedAccount {
    pub id: String,
    pub name: String,
    /// The day of `JoinedTimestamp`.
    #[serde(with = "day")]
    pub from: Date,
    /// The day of the first account list that lacks it or shows it SUSPENDED: no longer expected from then on.
    #[serde(with = "day::option")]
    pub until: Option<Date>,
}

/// A file with Organizations' account list and the day that it speaks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountList {
    pub file: String,
    #[serde(with = "day")]
    pub day: Date,
}

/// An object that came late: its file's modification time is `arrived`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LateObject {
    pub object: String,
    pub account_id: String,
    pub region: String,
    #[serde(with = "day")]
    pub day: Date,
    #[serde(with = "day")]
    pub arrived: Date,
}

/// Something special that the sample holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Case {
    pub case: String,
    pub account_id: String,
    pub region: String,
    /// The first day on which it shows.
    #[serde(with = "day")]
    pub day: Date,
}

/// Evaluations by status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    pub complying: u64,
    pub not_complying: u64,
    pub insufficient_data: u64,
    pub not_applicable: u64,
    pub unrecognised: u64,
}

impl Counts {
    /// Those that turn unknown when a day brings no evidence: all but `NOT_APPLICABLE`.
    pub(super) fn carried(&self) -> u64 {
        self.complying + self.not_complying + self.insufficient_data + self.unrecognised
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.complying += other.complying;
        self.not_complying += other.not_complying;
        self.insufficient_data += other.insufficient_data;
        self.not_applicable += other.not_applicable;
        self.unrecognised += other.unrecognised;
    }
}

/// A day of the organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedDay {
    #[serde(with = "day")]
    pub day: Date,
    /// Expected accounts x Regions.
    pub expected_places: u32,
    /// Accounts x Regions whose results are known that day, also those that are not expected.
    pub known_places: u32,
    /// Expected accounts without a known day in any Region up to and including this day.
    pub never_seen_accounts: u32,
    /// Expected Regions without a known day up to and including this day, of accounts with one in another Region.
    pub never_seen_places: u32,
    /// Sum over known places.
    #[serde(flatten)]
    pub counts: Counts,
    /// Sum of the last known evaluations of expected places that are not known this day.
    pub unknown_carried: u64,
    /// Account by account, Region by Region; no entry where nothing was expected and nothing came.
    pub places: Vec<Delivery>,
}

/// What arrived for an account and Region on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    pub account_id: String,
    pub region: String,
    pub expected: bool,
    /// A word of [`crate::compliance::DeliveryState`].
    pub state: String,
    /// Key of the snapshot that speaks for the day; none where there is none.
    pub object: Option<String>,
    /// Zero where the state is not a known one.
    #[serde(flatten)]
    pub counts: Counts,
}
