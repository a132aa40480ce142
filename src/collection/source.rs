//! What every source of evidence gives: delivered objects, and what is in them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use time::{Date, OffsetDateTime};

use super::files::keys::Ignored;
use crate::compliance::DeliveryState;

/// What kind of AWS Config object a key names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Snapshot,
    History,
}

impl Kind {
    /// The word in column `object.kind`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Snapshot => "snapshot",
            Self::History => "history",
        }
    }
}

/// An account in a Region, from the path of an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlaceName {
    /// Twelve digits, leading zeros kept.
    pub account_id: String,
    /// The path's Region; items inside may say "global".
    pub region: String,
}

/// What an object's key says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    pub place: PlaceName,
    /// The path's day, UTC.
    pub day: Date,
    pub kind: Kind,
    /// For snapshots the time in the file's name; for history objects the end of their window. `None` if the name has none.
    pub taken_at: Option<OffsetDateTime>,
    /// For history objects the resource type in the file's name.
    pub resource_type: Option<String>,
}

/// One version of a delivered object, as the source lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// The whole key, `/`-separated, relative to the source's root.
    pub name: String,
    pub key: Key,
    pub size_bytes: u64,
    /// Folder: modification time in nanoseconds since 1970. S3: `None`.
    pub modified_ns: Option<i64>,
    /// S3: the `ETag`. Folder: `None`.
    pub etag: Option<String>,
    /// S3: the `VersionId`, known once the object is read: a listing does not say it.
    pub version_id: Option<String>,
}

/// The days to look at, both inclusive; `None` is without end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Days {
    pub since: Option<Date>,
    pub until: Option<Date>,
}

impl Days {
    pub fn contain(&self, day: Date) -> bool {
        self.since.is_none_or(|since| day >= since) && self.until.is_none_or(|until| day <= until)
    }
}

/// Why an object was not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreachable {
    /// Not this time.
    #[error(transparent)]
    Now(Unreached),
    /// Nothing can be read, for a reason that stays: the collection ends.
    #[error("{0}")]
    Ever(String),
}

/// What lies in a source. Everything that was seen is in exactly one of the parts.
#[derive(Debug, Default)]
pub struct Listing {
    /// Sorted by name, bytewise.
    pub objects: Vec<Object>,
    /// How many names were not AWS Config's, by reason.
    pub ignored: BTreeMap<Ignored, u64>,
    /// Names that look like AWS Config's and are not, and what is wrong with them. Sorted.
    pub malformed: Vec<(String, String)>,
    /// Folders and files that could not be looked at, and why. Sorted.
    pub unreadable: Vec<(PathBuf, String)>,
    /// Prefixes of a bucket that could not be listed this time. Sorted.
    pub unreached: Vec<Unlisted>,
    /// What was not listed on purpose, and why.
    pub skipped: Vec<(String, String)>,
    /// What was looked at, whether it had objects or not.
    pub looked_at: Vec<Scope>,
}

/// A part of a source that could not be listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unlisted {
    pub prefix: String,
    /// Whose evidence lies there; `None` where the prefix does not say it.
    pub scope: Option<Scope>,
    pub why: Unreached,
}

/// Days of an account, in one Region or in all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    pub account_id: String,
    pub region: Option<String>,
    /// Both inclusive; `None` is without end.
    pub days: Days,
}

impl Scope {
    pub fn of(place: &PlaceName, days: Days) -> Self {
        Self { account_id: place.account_id.clone(), region: Some(place.region.clone()), days }
    }
}

/// Why evidence could not be reached. It says nothing of the evidence: the next collection tries again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Unreached {
    /// The state of a day that depends on it.
    pub state: DeliveryState,
    /// For a person: which action on what, as whom, and the service's own words.
    pub reason: String,
}

/// One entry of `configRuleList`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleEntry<'a> {
    /// `configRuleName`.
    pub name: std::borrow::Cow<'a, str>,
    /// `configRuleArn`; empty where absent.
    pub arn: std::borrow::Cow<'a, str>,
    /// `configRuleId`; empty where absent.
    pub id: std::borrow::Cow<'a, str>,
    /// `complianceType`, as delivered.
    pub status: std::borrow::Cow<'a, str>,
}

/// An `AWS::Config::ResourceCompliance` item.
#[derive(Debug)]
pub struct ComplianceItem<'a> {
    /// `configurationItemCaptureTime` in microseconds since 1970, UTC.
    pub captured_at: i64,
    /// `configurationStateId`; 0 where absent.
    pub state_id: i64,
    /// `configurationItemStatus` is `ResourceDeleted` or `ResourceDeletedNotRecorded`, or `configuration` is null.
    pub deleted: bool,
    /// `targetResourceType`, else the type part of `resourceId`.
    pub resource_type: std::borrow::Cow<'a, str>,
    /// `targetResourceId`, else the id part of `resourceId`.
    pub resource_id: std::borrow::Cow<'a, str>,
    pub rules: &'a [RuleEntry<'a>],
}

/// An `AWS::Config::ConformancePackCompliance` item.
#[derive(Debug)]
pub struct PackItem<'a> {
    pub captured_at: i64,
    pub state_id: i64,
    pub deleted: bool,
    /// `resourceId`, e.g. `conformance-pack-k3yq7n1xz`.
    pub id: std::borrow::Cow<'a, str>,
    /// `resourceName`; empty where absent.
    pub name: std::borrow::Cow<'a, str>,
    /// `complianceType`.
    pub status: std::borrow::Cow<'a, str>,
    pub compliant_rules: i32,
    pub non_compliant_rules: i32,
    pub total_rules: i32,
    pub rules: &'a [RuleEntry<'a>],
}

/// Takes what a reader finds, item by item, in the object's order.
///
/// A reader that fails has already handed on items: whoever implements this drops them then.
pub trait Sink {
    fn compliance(&mut self, item: &ComplianceItem<'_>);
    fn pack(&mut self, item: &PackItem<'_>);
}

/// What reading one object found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    /// Of the object's bytes as delivered (compressed).
    pub sha256: [u8; 32],
    pub size_bytes: u64,
    pub unpacked_bytes: u64,
    /// `configSnapshotId`, where there is one.
    pub snapshot_id: Option<String>,
    /// All configuration items.
    pub items: u64,
    /// Items of type `AWS::Config::ResourceCompliance`.
    pub compliance_items: u64,
    /// Entries of the rule lists of those.
    pub evaluations: u64,
    /// Items of type `AWS::Config::ConformancePackCompliance`.
    pub pack_items: u64,
}

/// Why an object could not be read, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason} (at byte {position} of the {})", if *.unpacked { "unpacked text" } else { "file" })]
pub struct Unreadable {
    /// One sentence for a person, without the position.
    pub reason: String,
    /// Byte offset from 0.
    pub position: u64,
    /// True: the offset is in the unpacked text. False: in the file as delivered.
    pub unpacked: bool,
    /// Of the object's bytes, where they could be read to the end.
    pub sha256: Option<[u8; 32]>,
    /// `None`: the bytes are at fault. Else it may be readable another time: with a limit on unpacked bytes above this
    /// (0: with any, because the bytes could not be reached).
    pub retry_above: Option<u64>,
}

/// Limits that keep one bad object from harming the rest. All are settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// An object that unpacks to more is unreadable (a gzip bomb, or set too low).
    pub unpacked_bytes: u64,
    /// One configuration item larger than this makes the object unreadable.
    pub item_bytes: u64,
    /// JSON nested deeper than this makes the object unreadable.
    pub depth: u32,
    /// Evaluations that all workers together hold before they commit what they read: a few hundred bytes each. The days of
    /// one object are never parted.
    pub batch_evaluations: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { unpacked_bytes: 8 << 30, item_bytes: 64 << 20, depth: 512, batch_evaluations: 600_000 }
    }
}
