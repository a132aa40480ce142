//! What a pack says, as plain data: no database, no clock, no page.

use std::collections::{BTreeMap, BTreeSet};

use time::{Date, OffsetDateTime};

use super::artifact::ArtifactPart;
use super::layout::table::Table;
pub use super::stage::{Finality, ForEngagement, Signer, Stage};
use crate::audit_log::Checkpoint;
use crate::compliance::core::NeverSeen;
use crate::compliance::evidence::{Gap, PlaceDay};
use crate::compliance::{DeliveryState, Severity};

/// Rows of a table that are printed at most; above, the attachment is the table and the cover says so.
pub const PRINTED_ROWS: u64 = 20_000;

/// A whole pack.
#[derive(Debug, Clone)]
pub struct Pack {
    pub cover: Cover,
    pub scope: Scope,
    /// Counts that were made in different ways and must agree.
    pub checks: Vec<Check>,
    pub delivery: Delivery,
    pub results: Results,
    pub deviations: Listed,
    pub register: Listed,
    pub definitions: Definitions,
    /// Where Artifact was read.
    pub artifact: Option<ArtifactPart>,
    pub provenance: Provenance,
    pub attachments: Vec<AttachmentFact>,
    /// SHA-256 of the public key, DER, in hex.
    pub key_fingerprint: String,
}

/// What is on the first page.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own on the cover")]
pub struct Cover {
    pub pack_id: String,
    pub title: String,
    pub organization: String,
    /// First day; the same as `as_of` where the pack is about one day.
    pub from: Date,
    pub as_of: Date,
    /// Accounts that were asked for; `None` is all.
    pub accounts: Option<Vec<String>>,
    /// The scope set that those are of.
    pub scope: Option<NamedScope>,
    /// The newest capture that the pack rests on: of a snapshot, or of an item where there is no snapshot.
    pub captured_to: Option<OffsetDateTime>,
    /// When the collection that is the knowledge point ended.
    pub received: OffsetDateTime,
    /// The printed clock.
    pub generated: OffsetDateTime,
    pub clock_set: bool,
    pub created_by: String,
    pub demo: bool,
    pub stage: Stage,
    /// How confidential it is, in the words that were asked for.
    pub classification: String,
    /// Whom it is for; empty where nobody is named.
    pub recipient: String,
    pub engagement: Option<ForEngagement>,
    /// Names that pseudonyms stand for; `None` where names are as they were delivered.
    pub pseudonyms: Option<u64>,
    pub known_at: i64,
    /// The as-of day could still receive objects when the pack was made.
    pub day_open: bool,
    /// Whether an account list and a region list say what should have been delivered.
    pub completeness_established: bool,
    /// How far the audit log had come at the printed time.
    pub checkpoint: Checkpoint,
    pub program: Program,
}

/// The scope set that a pack is about, as it was defined on the as-of day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedScope {
    pub name: String,
    pub title: String,
    /// The day of the account list that told units and tags; `None` where none did.
    pub listed_on: Option<Date>,
    /// The newest number of its definitions and their ends that was known.
    pub record: i64,
    pub definitions: Vec<ScopeDefinition>,
}

/// One definition of a scope set, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeDefinition {
    pub record: i64,
    pub by: String,
    pub first_day: Date,
    /// The first day on which it no longer holds.
    pub end_day: Option<Date>,
    pub in_force: bool,
    pub reason: String,
    pub made: String,
    /// When, by whom and why; empty where it was not ended.
    pub ended: String,
}

/// The program that made the pack.
#[derive(Debug, Clone)]
pub struct Program {
    pub version: &'static str,
    pub commit: &'static str,
}

/// Accounts and rules, in and out.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    pub accounts: Vec<Account>,
    /// Accounts of the organisation that the pack was asked for without; of their days nothing is said.
    pub left_out: Vec<Account>,
    /// Accounts that a scope set lists and that are on no account list and never delivered.
    pub unknown: Vec<String>,
    pub rules: Vec<Rule>,
}

/// An account of the scope.
#[derive(Debug, Clone)]
pub struct Account {
    pub account_id: String,
    /// Empty where no account list names it.
    pub name: String,
    pub status: String,
    pub joined: Option<Date>,
    pub left: Option<Date>,
    /// Regions with a known day in the period.
    pub regions: u64,
    pub first_known: Option<Date>,
    pub last_known: Option<Date>,
    /// Days on which a Region of it was expected and not known, summed over its Regions.
    pub gap_days: u64,
    /// Of an account that is left out: its evaluations that were delivered for the as-of day.
    pub evaluations: u64,
    /// Why it is in a scope set, or out of it; empty without one.
    pub why: String,
}

/// A core rule, under all its names as delivered.
#[derive(Debug, Clone)]
pub struct Rule {
    pub name: String,
    /// How many names: a conformance pack gives the same rule a name of its own in each place.
    pub names: u64,
    pub identifier: Option<String>,
    pub severity: Severity,
    /// Evaluations on the as-of day.
    pub evaluations: u64,
    pub not_complying: u64,
    /// Account-Regions that had it on the as-of day, or when last known.
    pub places: u64,
    /// Days after the first on which it came to the first of its places, or came back.
    pub appeared: Vec<Date>,
    /// Days from which no place had it.
    pub vanished: Vec<Date>,
}

/// What is known of the rules' parameters.
#[derive(Debug, Clone)]
pub struct Definitions {
    /// Account-Regions with evidence, and those of them whose rules were ever read.
    pub places: u64,
    pub read: u64,
    /// Those never read, by cause.
    pub missing: BTreeMap<String, u64>,
    pub changes: Listed,
    /// The first of them, for the pack's page.
    pub change_lines: Vec<[String; 5]>,
    /// Account-Regions that were asked and not read at the last try.
    pub unread: Listed,
}

impl Definitions {
    /// "access was denied: 3", for each cause.
    pub fn causes(&self) -> Vec<String> {
        self.missing.iter().map(|(cause, places)| format!("{cause}: {}", grouped(*places))).collect()
    }
}

/// Two counts of the same thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What is counted.
    pub what: String,
    /// How the first count was made, and what it is.
    pub one: (String, u64),
    /// How the second was made.
    pub other: (String, u64),
}

impl Check {
    pub fn new(what: impl Into<String>, one: (&str, u64), other: (&str, u64)) -> Self {
        Self { what: what.into(), one: (one.0.to_owned(), one.1), other: (other.0.to_owned(), other.1) }
    }

    pub fn closes(&self) -> bool {
        self.one.1 == self.other.1
    }
}

impl std::fmt::Display for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {} says {}, {} says {}", self.what, self.one.0, self.one.1, self.other.0, self.other.1)
    }
}

/// What arrived of what was expected.
#[derive(Debug, Clone, Default)]
pub struct Delivery {
    /// Account-Region-days by state.
    pub states: Vec<(DeliveryState, u64)>,
    /// Account-Region-days that were expected, and those of them that are not known.
    pub expected_days: u64,
    pub gap_days: u64,
    /// Longest first.
    pub gaps: Vec<Gap>,
    /// Expected accounts that never delivered up to the as-of day.
    pub never_seen: Vec<String>,
    /// The same of Regions, as account and Region, of accounts that delivered elsewhere.
    pub never_seen_regions: Vec<(String, String)>,
}

impl Delivery {
    /// What makes *at least* not computable.
    pub fn never_seen(&self) -> NeverSeen {
        let number = |length| i64::try_from(length).unwrap_or(i64::MAX);
        NeverSeen { accounts: number(self.never_seen.len()), places: number(self.never_seen_regions.len()) }
    }

    /// Counts a day of a place.
    pub fn add(&mut self, one: &PlaceDay) {
        match self.states.iter_mut().find(|(of, _)| *of == one.state) {
            Some((_, days)) => *days += 1,
            None => self.states.push((one.state, 1)),
        }
        self.expected_days += u64::from(one.expected);
        self.gap_days += u64::from(one.is_gap());
    }

    /// Brings states into the order of the list and gaps into that of their length.
    pub fn settle(&mut self) {
        self.states.sort_by_key(|(state, _)| *state);
        self.gaps.sort_by(|a, b| {
            let key = |gap: &Gap| (gap.account_id.clone(), gap.region.clone(), gap.first);
            b.days.cmp(&a.days).then_with(|| key(a).cmp(&key(b)))
        });
    }

    /// Days of all states.
    pub fn days(&self) -> u64 {
        self.states.iter().map(|(_, days)| days).sum()
    }

    /// "issued with 14 gap-days, 0.6 %", rounded up so that a gap never reads as none.
    pub fn gaps_line(&self) -> String {
        if self.expected_days == 0 {
            return "no day of any account-Region was expected".to_owned();
        }
        let permille = (u128::from(self.gap_days) * 1000).div_ceil(u128::from(self.expected_days));
        format!(
            "issued with {} gap-day{}, {}.{} % of {} expected account-Region-days",
            grouped(self.gap_days),
            if self.gap_days == 1 { "" } else { "s" },
            permille / 10,
            permille % 10,
            grouped(self.expected_days)
        )
    }
}

/// Evaluations of the as-of day, and deviations of the period.
#[derive(Debug, Clone, Default)]
pub struct Results {
    /// Gravest first.
    pub severities: Vec<SeverityResult>,
}

/// The results of one severity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SeverityResult {
    pub severity: Severity,
    pub rules: u64,
    pub resources: u64,
    pub complying: u64,
    pub not_complying: u64,
    pub insufficient_data: u64,
    pub not_applicable: u64,
    pub unrecognised: u64,
    /// Last known evaluations of expected places without evidence of the day.
    pub carried: u64,
    /// Intervals in the period.
    pub deviations: u64,
}

impl SeverityResult {
    pub fn unknown(&self) -> u64 {
        self.insufficient_data + self.unrecognised + self.carried
    }

    /// Evaluations delivered for the day.
    pub fn delivered(&self) -> u64 {
        self.complying + self.not_complying + self.insufficient_data + self.not_applicable + self.unrecognised
    }
}

impl Results {
    /// All severities together; `rules` add up because a rule has one severity, `resources` do not.
    pub fn all(&self) -> SeverityResult {
        self.severities.iter().fold(SeverityResult::default(), |mut all, one| {
            all.rules += one.rules;
            all.complying += one.complying;
            all.not_complying += one.not_complying;
            all.insufficient_data += one.insufficient_data;
            all.not_applicable += one.not_applicable;
            all.unrecognised += one.unrecognised;
            all.carried += one.carried;
            all.deviations += one.deviations;
            all
        })
    }
}

/// A list that is printed up to [`PRINTED_ROWS`].
#[derive(Debug, Clone)]
pub struct Listed {
    /// Rows in all.
    pub rows: u64,
    /// Those printed: all of them, or none.
    pub table: Table,
}

impl Listed {
    pub fn printed(&self) -> bool {
        self.rows <= PRINTED_ROWS
    }
}

/// Where the evidence came from.
#[derive(Debug, Clone, Default)]
pub struct Provenance {
    /// Collections up to the knowledge point that brought what the pack rests on, oldest first.
    pub collections: Vec<Collection>,
    /// Objects in the pack's scope and days, by outcome.
    pub objects: Vec<(String, u64)>,
    /// Objects whose bytes were not read by this installation.
    pub not_read_by_us: u64,
    /// Queries of Athena that read objects; `None` where there are none.
    pub queries: Option<Queries>,
    /// Readings of the organisation's account list, with SHA-256 in hex.
    pub account_lists: Vec<(Date, String, String)>,
    /// What was removed before the pack's days, where anything was.
    pub removed: Option<String>,
}

/// What was asked of Amazon Athena.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Queries {
    pub count: u64,
    /// As Athena names them.
    pub engines: BTreeSet<String>,
    pub workgroups: BTreeSet<String>,
    pub bytes_scanned: u64,
    /// Objects of the pack's scope and days that they read.
    pub objects_read: u64,
    /// In the order in which they were asked.
    pub execution_ids: Vec<String>,
}

/// One run that brought evidence in.
#[derive(Debug, Clone)]
pub struct Collection {
    pub collection_id: i64,
    pub engine: String,
    pub source: String,
    pub started_by: String,
    pub started: OffsetDateTime,
    pub finished: Option<OffsetDateTime>,
    pub program: String,
}

/// A file inside the PDF, as the pack describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachmentFact {
    pub name: String,
    pub what: &'static str,
    pub rows: u64,
    pub bytes: u64,
    /// In hex.
    pub sha256: String,
}

impl Pack {
    /// The checks that do not close.
    pub fn disagreements(&self) -> Vec<&Check> {
        self.checks.iter().filter(|check| !check.closes()).collect()
    }
}

/// A number with thousands apart: 1,284.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A share in per cent with one decimal, rounded down; `None` of nothing.
pub fn share_down(part: u64, whole: u64) -> Option<String> {
    let permille = (u128::from(part) * 1000).checked_div(u128::from(whole))?;
    Some(format!("{}.{} %", permille / 10, permille % 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_in_thousands() {
        assert_eq!([0, 12, 999, 1_000, 1_234_567].map(grouped), ["0", "12", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn shares_are_rounded_down_and_gaps_up() {
        assert_eq!(share_down(9_999, 10_000).as_deref(), Some("99.9 %"));
        assert_eq!(share_down(0, 0), None);
        let delivery = Delivery { expected_days: 100_000, gap_days: 1, ..Delivery::default() };
        assert_eq!(delivery.gaps_line(), "issued with 1 gap-day, 0.1 % of 100,000 expected account-Region-days");
    }

    #[test]
    fn counts_that_differ_do_not_close() {
        let check = Check::new("evaluations", ("the rows", 3), ("the roll-up", 4));
        assert!(!check.closes());
        assert_eq!(check.to_string(), "evaluations: the rows says 3, the roll-up says 4");
    }
}
