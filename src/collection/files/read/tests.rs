//! Each way in which an object can be wrong, read both ways: whole and through a window of a few bytes.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod damaged;
mod not_evidence;
mod not_json;
mod understood;

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;
use crate::collection::source::{ComplianceItem, PackItem, RuleEntry};

pub(super) const ACCOUNT: &str = "012345678901";

/// Name, ARN, id and status of each rule.
pub(super) type Rules = Vec<[String; 4]>;
/// Capture time, state id, deleted, type, id.
pub(super) type Compliance = (i64, i64, bool, String, String, Rules);
/// Capture time, state id, deleted; id, name, status; counts.
pub(super) type Pack = (i64, i64, bool, [String; 3], [i32; 3], Rules);

/// What a sink was given, as own values.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Found {
    pub(super) compliance: Vec<Compliance>,
    pub(super) packs: Vec<Pack>,
}

fn own(rules: &[RuleEntry<'_>]) -> Rules {
    rules
        .iter()
        .map(|rule| [&rule.name, &rule.arn, &rule.id, &rule.status].map(|word| word.clone().into_owned()))
        .collect()
}

impl Sink for Found {
    fn compliance(&mut self, item: &ComplianceItem<'_>) {
        let (resource_type, id) = (item.resource_type.to_string(), item.resource_id.to_string());
        self.compliance.push((item.captured_at, item.state_id, item.deleted, resource_type, id, own(item.rules)));
    }

    fn pack(&mut self, item: &PackItem<'_>) {
        let words = [&item.id, &item.name, &item.status].map(|word| word.clone().into_owned());
        let counts = [item.compliant_rules, item.non_compliant_rules, item.total_rules];
        self.packs.push((item.captured_at, item.state_id, item.deleted, words, counts, own(item.rules)));
    }
}

pub(super) fn gz(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

type Outcome = (Result<Reading, Unreadable>, Found);

/// Reads delivered bytes as a file of the folder would be read.
pub(super) fn read_packed(packed: &[u8], limits: &Limits) -> Outcome {
    let mut found = Found::default();
    let mut buffers = Buffers { packed: packed.to_vec(), ..Buffers::default() };
    let outcome = read_whole(&mut buffers, LOCAL_WHOLE, ACCOUNT, limits, &mut found)
        .unwrap_or_else(|| read_stream(packed, ACCOUNT, limits, WINDOW_BYTES, &mut found));
    (outcome, found)
}

pub(super) fn read_window(packed: &[u8], limits: &Limits, window: usize) -> Outcome {
    let mut found = Found::default();
    (read_stream(packed, ACCOUNT, limits, window, &mut found), found)
}

/// Reads a text both ways, which must agree.
fn both(text: impl AsRef<[u8]>) -> Outcome {
    let packed = gz(text.as_ref());
    let whole = read_packed(&packed, &Limits::default());
    let window = read_window(&packed, &Limits::default(), 7);
    assert_eq!(whole, window);
    whole
}

/// Why a text is refused, and at which text.
fn refused(text: impl AsRef<[u8]>) -> (String, usize) {
    let unreadable = both(&text).0.unwrap_err();
    assert!(unreadable.unpacked);
    assert_eq!(unreadable.sha256, Some(gzip::sha256(&gz(text.as_ref()))));
    (unreadable.reason, unreadable.position.try_into().unwrap())
}

/// Why a text is refused, at the place in it that is marked with `¡`.
fn refused_at_mark(text: &str, reason: &str) {
    let at = text.find('¡').unwrap();
    assert_eq!(refused(text.replace('¡', "")), (reason.to_owned(), at), "{text}");
}

fn file(items: &str) -> String {
    format!(r#"{{"fileVersion":"1.0","configSnapshotId":"s-1","configurationItems":[{items}]}}"#)
}

const RULES: &str = r#""configRuleList":[{"configRuleName":"r","complianceType":"COMPLIANT"}]"#;

/// A compliance item with this configuration, and more members.
fn item_with(configuration: &str, more: &str) -> String {
    let head = r#""awsAccountId":"012345678901","resourceType":"AWS::Config::ResourceCompliance","resourceId":"AWS::S3::Bucket/acme/logs""#;
    let time = if more.contains("configurationItemCaptureTime") {
        ""
    } else {
        r#","configurationItemCaptureTime":"2026-11-21T05:00:41.007Z""#
    };
    format!(r#"{{{head}{time},"configuration":{configuration}{more}}}"#)
}

fn item(configuration: &str) -> String {
    item_with(configuration, "")
}

fn one(text: impl AsRef<[u8]>) -> Compliance {
    let (outcome, mut found) = both(text);
    outcome.unwrap();
    assert_eq!(found.compliance.len(), 1);
    found.compliance.remove(0)
}
