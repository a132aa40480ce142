//! Whatever a text is, both ways of reading agree with each other and with a plain reading by another parser.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::fmt::Write as _;

use proptest::prelude::*;
use serde::de::IgnoredAny;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::tests::{ACCOUNT, Found, gz, read_packed, read_window};
use crate::collection::source::{Limits, Reading};

/// Makes texts from a seed: what to write, in which order, with which white space and escapes.
struct Writer {
    state: u64,
    text: String,
    /// Whether members and bodies that nobody reads are written.
    extras: bool,
}

impl Writer {
    fn document(seed: u64, extras: bool) -> String {
        let mut writer = Self { state: seed | 1, text: String::new(), extras };
        writer.value(Kind::Document);
        writer.space();
        writer.text
    }

    fn below(&mut self, limit: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from(self.state >> 33).unwrap() % limit
    }

    fn space(&mut self) {
        for _ in 0..self.below(8).saturating_sub(5) {
            let space = [" ", "\n", "\r", "\t"][self.below(4)];
            self.text.push_str(space);
        }
    }

    fn string(&mut self, word: &str) {
        self.text.push('"');
        for character in word.chars() {
            match (character, self.below(12)) {
                ('"' | '\\', _) => self.text.extend(['\\', character]),
                ('\n', _) => self.text.push_str("\\n"),
                ('\0'..' ', _) | (_, 0) => {
                    for unit in character.encode_utf16(&mut [0; 2]) {
                        write!(self.text, "\\u{unit:04x}").unwrap();
                    }
                }
                _ => self.text.push(character),
            }
        }
        self.text.push('"');
    }

    fn word(&mut self) {
        let length = self.below(9);
        let word: String = (0..length)
            .map(|_| ['a', 'Z', '/', '"', '\\', '{', '}', '[', ']', ',', 'é', '😀', '\n', ':'][self.below(14)])
            .collect();
        self.string(&format!("w{word}"));
    }

    /// Writes the members of an object in a random order.
    fn object(&mut self, mut members: Vec<(&str, Kind)>) {
        if self.extras && self.below(2) == 0 {
            members.extend([("unknown", Kind::Anything(3)), ("un{known", Kind::Anything(3))]);
        }
        self.text.push('{');
        let count = members.len();
        for left in (1..=count).rev() {
            let (name, kind) = members.swap_remove(self.below(left));
            self.space();
            self.string(name);
            self.space();
            self.text.push(':');
            self.value(kind);
            self.space();
            if left > 1 {
                self.text.push(',');
            }
        }
        self.text.push('}');
    }

    fn array(&mut self, count: usize, kind: Kind) {
        self.text.push('[');
        for index in 0..count {
            if index > 0 {
                self.text.push(',');
            }
            self.value(kind);
            self.space();
        }
        self.text.push(']');
    }

    fn raw(&mut self, values: &[&str]) {
        let value = values[self.below(values.len())];
        self.text.push_str(value);
    }

    fn value(&mut self, kind: Kind) {
        self.space();
        match kind {
            Kind::Document => self.object(vec![
                ("configurationItems", Kind::Items),
                ("configSnapshotId", Kind::Word),
                ("fileVersion", Kind::Word),
            ]),
            Kind::Items => {
                let count = self.below(5);
                self.array(count, Kind::Item);
            }
            Kind::Item => {
                let account = ["awsAccountId", "accountId"][self.below(2)];
                let state = ["configurationStateId", "configurationStateID"][self.below(2)];
                let mut members =
                    vec![(account, Kind::Account), (state, Kind::State), ("configurationItemStatus", Kind::Status)];
                members.extend([("configurationItemCaptureTime", Kind::Time), ("resourceName", Kind::Word)]);
                match self.below(3) {
                    0 if self.extras => {
                        members.extend([("resourceType", Kind::Ordinary), ("configuration", Kind::Anything(5))]);
                    }
                    0 | 1 => members.extend([
                        ("resourceType", Kind::Pack),
                        ("resourceId", Kind::Word),
                        ("configuration", Kind::Configuration),
                    ]),
                    _ => members.extend([
                        ("resourceType", Kind::Resource),
                        ("resourceId", Kind::Target),
                        ("configuration", Kind::Configuration),
                    ]),
                }
                self.object(members);
            }
            Kind::Configuration if self.below(8) == 0 => self.text.push_str("null"),
            Kind::Configuration if self.below(4) == 0 => {
                let outer = std::mem::take(&mut self.text);
                self.value(Kind::PlainConfiguration);
                let inner = std::mem::replace(&mut self.text, outer);
                self.string(&inner);
            }
            Kind::Configuration | Kind::PlainConfiguration => {
                let mut members = vec![
                    ("complianceType", Kind::Compliance),
                    ("configRuleList", Kind::Rules),
                    ("totalRuleCount", Kind::Count),
                ];
                if self.below(2) == 0 {
                    members.extend([
                        ("targetResourceType", Kind::Word),
                        ("targetResourceId", Kind::Word),
                        ("compliantRuleCount", Kind::Count),
                    ]);
                }
                self.object(members);
            }
            Kind::Rules => {
                let count = self.below(4);
                self.array(count, Kind::Rule);
            }
            Kind::Rule => {
                let mut members = vec![("configRuleName", Kind::Word), ("complianceType", Kind::Compliance)];
                if self.below(2) == 0 {
                    members.extend([("configRuleArn", Kind::Word), ("configRuleId", Kind::Null)]);
                }
                self.object(members);
            }
            Kind::Anything(depth) => match self.below(if depth == 0 { 3 } else { 5 }) {
                0 => self.word(),
                1 => self.raw(&["0", "-1.5e3", "true", "false", "{}", "[]", "123456789012345678901234567890"]),
                2 => self.string(r#"{"a":"\"}"]"#),
                3 => {
                    let count = self.below(4);
                    self.array(count, Kind::Anything(depth - 1));
                }
                _ => self.object(vec![("a", Kind::Anything(depth - 1)), ("}\"", Kind::Anything(depth - 1))]),
            },
            Kind::Word => self.word(),
            Kind::Null => self.raw(&["null"]),
            Kind::Account => self.string(ACCOUNT),
            Kind::State => self.raw(&["7", "\"8\"", "null", "1795237241007"]),
            Kind::Status => self.raw(&["\"OK\"", "\"ResourceDeleted\"", "null"]),
            Kind::Time => self.raw(&["\"2026-11-21T05:00:41.007Z\"", "\"2026-11-21T05:00:41+02:00\""]),
            Kind::Count => self.raw(&["0", "128", "null"]),
            Kind::Compliance => self.raw(&["\"COMPLIANT\"", "\"NON_COMPLIANT\"", "\"other\""]),
            Kind::Target => self.string("AWS::S3::Bucket/a/b"),
            Kind::Ordinary => self.string("AWS::S3::Bucket"),
            Kind::Resource => self.string("AWS::Config::ResourceCompliance"),
            Kind::Pack => self.string("AWS::Config::ConformancePackCompliance"),
        }
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Document,
    Items,
    Item,
    Configuration,
    PlainConfiguration,
    Rules,
    Rule,
    Anything(u8),
    Word,
    Null,
    Account,
    State,
    Status,
    Time,
    Count,
    Compliance,
    Target,
    Ordinary,
    Resource,
    Pack,
}

/// The plain reading of a text that is known to be right: snapshot id, number of items, and what is found.
fn plainly(text: &[u8]) -> (Option<String>, u64, Found) {
    let text: Value = serde_json::from_slice(text).unwrap();
    let mut found = Found::default();
    let items = text["configurationItems"].as_array().unwrap();
    for item in items {
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let configuration = match &item["configuration"] {
            Value::String(encoded) => serde_json::from_str(encoded).unwrap_or(Value::Null),
            plain => plain.clone(),
        };
        let deleted = configuration.is_null() || word(&item["configurationItemStatus"]).starts_with("ResourceDeleted");
        let time = OffsetDateTime::parse(&word(&item["configurationItemCaptureTime"]), &Rfc3339);
        let time = time.map_or(0, |time| i64::try_from(time.unix_timestamp_nanos() / 1000).unwrap());
        let state = [&item["configurationStateId"], &item["configurationStateID"]]
            .map(|id| id.as_i64().or_else(|| id.as_str()?.parse().ok()));
        let state = state[0].or(state[1]).unwrap_or(0);
        let names = ["configRuleName", "configRuleArn", "configRuleId", "complianceType"];
        let list = configuration["configRuleList"].as_array().cloned().unwrap_or_default();
        let rules: Vec<[String; 4]> =
            list.iter().filter(|_| !deleted).map(|rule| names.map(|name| word(&rule[name]))).collect();
        match item["resourceType"].as_str().unwrap() {
            "AWS::Config::ResourceCompliance" => {
                let own = word(&item["resourceId"]);
                let own = own.split_once('/').unwrap_or_default();
                let given = ["targetResourceType", "targetResourceId"].map(|name| word(&configuration[name]));
                let target = if given[0].is_empty() { own.0.to_owned() } else { given[0].clone() };
                let id = if given[1].is_empty() { own.1.to_owned() } else { given[1].clone() };
                found.compliance.push((time, state, deleted, target, id, rules));
            }
            "AWS::Config::ConformancePackCompliance" => {
                let status = if deleted { String::new() } else { word(&configuration["complianceType"]) };
                let listed = |status: &str| {
                    i32::try_from(rules.iter().filter(|rule| status.is_empty() || rule[3] == status).count()).unwrap()
                };
                let count = |name: &str, status: &str| {
                    configuration[name].as_i64().map_or_else(|| listed(status), |count| count.try_into().unwrap())
                };
                let counts = [
                    count("compliantRuleCount", "COMPLIANT"),
                    count("nonCompliantRuleCount", "NON_COMPLIANT"),
                    count("totalRuleCount", ""),
                ];
                found.packs.push((
                    time,
                    state,
                    deleted,
                    [word(&item["resourceId"]), word(&item["resourceName"]), status],
                    counts,
                    rules,
                ));
            }
            _ => {}
        }
    }
    (text["configSnapshotId"].as_str().map(str::to_owned), items.len().try_into().unwrap(), found)
}

fn agrees(text: &[u8], reading: &Reading, found: &Found) -> Result<(), TestCaseError> {
    let (snapshot_id, items, plain) = plainly(text);
    prop_assert_eq!(found, &plain);
    prop_assert_eq!((&reading.snapshot_id, reading.items), (&snapshot_id, items));
    prop_assert_eq!(reading.unpacked_bytes, u64::try_from(text.len()).unwrap());
    let evaluations: usize = plain.compliance.iter().map(|item| item.5.len()).sum();
    prop_assert_eq!(reading.evaluations, u64::try_from(evaluations).unwrap());
    let counts = (reading.compliance_items, reading.pack_items);
    prop_assert_eq!(counts, (plain.compliance.len().try_into().unwrap(), plain.packs.len().try_into().unwrap()));
    Ok(())
}

impl Found {
    fn deletions(&self) -> usize {
        let packs = self.packs.iter().map(|item| item.2);
        self.compliance.iter().map(|item| item.2).chain(packs).filter(|deleted| *deleted).count()
    }

    fn rules(&self) -> usize {
        let packs = self.packs.iter().map(|item| item.5.len());
        self.compliance.iter().map(|item| item.5.len()).chain(packs).sum()
    }
}

/// Changes bytes of a text: overwrites, removes, doubles, cuts off.
fn mutate(text: &mut Vec<u8>, changes: &[(prop::sample::Index, u8)]) {
    for (index, change) in changes {
        if text.is_empty() {
            return;
        }
        let at = index.index(text.len());
        match change % 16 {
            0 => text.truncate(at),
            1..4 => drop(text.remove(at)),
            4..6 => text.insert(at, text[at]),
            _ => text[at] = *b"\"\\{}[],:0x\xff\0 en.-"[..].get(usize::from(*change) % 18).unwrap_or(change),
        }
    }
}

fn changes() -> impl Strategy<Value = Vec<(prop::sample::Index, u8)>> {
    prop::collection::vec(any::<(prop::sample::Index, u8)>(), 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_ways_read_what_a_plain_reading_reads(seed in any::<u64>(), window in 1_usize..200) {
        let text = Writer::document(seed, true);
        let packed = gz(text.as_bytes());
        let (reading, found) = read_packed(&packed, &Limits::default());
        let reading = reading.map_err(|error| TestCaseError::fail(format!("{error}: {text}")))?;
        agrees(text.as_bytes(), &reading, &found)?;
        prop_assert_eq!(read_window(&packed, &Limits::default(), window), (Ok(reading), found));
    }

    #[test]
    fn a_changed_text_is_read_only_as_what_it_says(seed in any::<u64>(), changes in changes(), window in 1_usize..200) {
        let mut text = Writer::document(seed, false).into_bytes();
        let original = read_packed(&gz(&text), &Limits::default()).1;
        mutate(&mut text, &changes);
        let packed = gz(&text);
        let (reading, found) = read_packed(&packed, &Limits::default());
        let streamed = read_window(&packed, &Limits::default(), window);
        prop_assert_eq!((&streamed.0, &streamed.1), (&reading, &found));
        let Ok(reading) = reading else { return Ok(()) };
        match serde_json::from_slice::<Value>(&text) {
            Ok(_) => agrees(&text, &reading, &found)?,
            // A change of a name or a type can have made a body of what was read: only there may something be overlooked.
            Err(error) => {
                let refused = serde_json::from_slice::<IgnoredAny>(&text).is_err();
                let skipped = reading.items != reading.compliance_items + reading.pack_items
                    || found.deletions() > 0
                    || found.rules() != original.rules();
                prop_assert!(!refused || skipped, "{error}: {}", String::from_utf8_lossy(&text));
            }
        }
    }

    #[test]
    fn a_change_in_a_skipped_body_never_panics_and_both_ways_agree(seed in any::<u64>(), changes in changes(), window in 1_usize..200) {
        let mut text = Writer::document(seed, true).into_bytes();
        mutate(&mut text, &changes);
        let packed = gz(&text);
        let whole = read_packed(&packed, &Limits::default());
        prop_assert_eq!(read_window(&packed, &Limits::default(), window), whole);
    }

    #[test]
    fn a_changed_gzip_is_refused_or_gives_the_same(seed in any::<u64>(), changes in changes(), window in 1_usize..200) {
        let text = Writer::document(seed, true);
        let mut packed = gz(text.as_bytes());
        mutate(&mut packed, &changes);
        let (reading, found) = read_packed(&packed, &Limits::default());
        let (streamed, streamed_found) = read_window(&packed, &Limits::default(), window);
        prop_assert_eq!(reading.is_ok(), streamed.is_ok());
        if let Ok(reading) = reading {
            agrees(text.as_bytes(), &reading, &found)?;
            prop_assert_eq!((reading, found), (streamed.unwrap(), streamed_found));
        }
    }
}
