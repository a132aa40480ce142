//! Each way in which an object can be wrong, read both ways: whole and through a window of a few bytes.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;
use crate::collection::source::{ComplianceItem, PackItem, RuleEntry};

pub(super) const ACCOUNT: &str = "012345678901";

/// What a sink was given, as own values.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Found {
    pub(super) compliance: Vec<(i64, i64, bool, String, String, Vec<[String; 4]>)>,
    pub(super) packs: Vec<(i64, i64, bool, [String; 3], [i32; 3], Vec<[String; 4]>)>,
}

fn own(rules: &[RuleEntry<'_>]) -> Vec<[String; 4]> {
    rules
        .iter()
        .map(|rule| {
            [&rule.name, &rule.arn, &rule.id, &rule.status].map(|word| word.clone().into_owned())
        })
        .collect()
}

impl Sink for Found {
    fn compliance(&mut self, item: &ComplianceItem<'_>) {
        let (resource_type, id) = (item.resource_type.to_string(), item.resource_id.to_string());
        self.compliance.push((
            item.captured_at,
            item.state_id,
            item.deleted,
            resource_type,
            id,
            own(item.rules),
        ));
    }

    fn pack(&mut self, item: &PackItem<'_>) {
        let words = [&item.id, &item.name, &item.status].map(|word| word.clone().into_owned());
        let counts = [
            item.compliant_rules,
            item.non_compliant_rules,
            item.total_rules,
        ];
        self.packs.push((
            item.captured_at,
            item.state_id,
            item.deleted,
            words,
            counts,
            own(item.rules),
        ));
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
    let mut buffers = Buffers {
        packed: packed.to_vec(),
        ..Buffers::default()
    };
    let outcome = read_whole(&mut buffers, ACCOUNT, limits, &mut found)
        .unwrap_or_else(|| read_stream(packed, ACCOUNT, limits, WINDOW_BYTES, &mut found));
    (outcome, found)
}

pub(super) fn read_window(packed: &[u8], limits: &Limits, window: usize) -> Outcome {
    let mut found = Found::default();
    (
        read_stream(packed, ACCOUNT, limits, window, &mut found),
        found,
    )
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
    assert_eq!(
        refused(text.replace('¡', "")),
        (reason.to_owned(), at),
        "{text}"
    );
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

fn one(text: impl AsRef<[u8]>) -> (i64, i64, bool, String, String, Vec<[String; 4]>) {
    let (outcome, mut found) = both(text);
    outcome.unwrap();
    assert_eq!(found.compliance.len(), 1);
    found.compliance.remove(0)
}

#[test]
fn a_file_of_each_kind_of_item_is_read_and_counted() {
    let ordinary = r#"{"configuration":{"a":[{"b":"}]\"{"}]},"tags":{},"resourceType":"AWS::S3::Bucket","awsAccountId":"012345678901","awsRegion":"global"}"#;
    let entry = |status: &str| {
        format!(
            r#"{{"configRuleArn":"arn:a","configRuleId":"id-a","configRuleName":"rule-a","complianceType":"{status}","controls":[]}}"#
        )
    };
    let compliance = item_with(
        &format!(
            r#"{{"targetResourceType":"AWS::EC2::Instance","targetResourceId":"i-1","configRuleList":[{},{}]}}"#,
            entry("NON_COMPLIANT"),
            entry("NEW_WORD")
        ),
        r#","configurationStateId":1795237241007,"configurationItemStatus":"OK""#,
    );
    let pack = compliance.replace("ResourceCompliance", "ConformancePackCompliance").replace("AWS::S3::Bucket/acme/logs", "conformance-pack-k3yq7n1xz").replace(
        r#"{"targetResourceType""#,
        r#"{"complianceType":"NON_COMPLIANT","compliantRuleCount":88,"nonCompliantRuleCount":17,"totalRuleCount":128,"targetResourceType""#,
    );
    let pack = pack.replace(
        r#""configurationItemStatus""#,
        r#""resourceName":"OrgConformsPack-NIST-z6cn9v2w","configurationItemStatus""#,
    );
    let text = file(&[ordinary, &compliance, &pack].join(","));

    let (reading, found) = both(&text);

    let rules: Vec<[String; 4]> = ["NON_COMPLIANT", "NEW_WORD"]
        .map(|status| ["rule-a", "arn:a", "id-a", status].map(str::to_owned))
        .into();
    let (captured_at, state_id) = (1_795_237_241_007_000, 1_795_237_241_007);
    let target = (
        captured_at,
        state_id,
        false,
        "AWS::EC2::Instance".to_owned(),
        "i-1".to_owned(),
        rules.clone(),
    );
    let words = [
        "conformance-pack-k3yq7n1xz",
        "OrgConformsPack-NIST-z6cn9v2w",
        "NON_COMPLIANT",
    ]
    .map(str::to_owned);
    assert_eq!(
        found,
        Found {
            compliance: vec![target],
            packs: vec![(captured_at, state_id, false, words, [88, 17, 128], rules)]
        }
    );
    let packed = gz(text.as_bytes());
    let expected = Reading {
        sha256: gzip::sha256(&packed),
        size_bytes: packed.len().try_into().unwrap(),
        unpacked_bytes: text.len().try_into().unwrap(),
        snapshot_id: Some("s-1".to_owned()),
        items: 3,
        compliance_items: 1,
        evaluations: 2,
        pack_items: 1,
    };
    assert_eq!(reading, Ok(expected));
}

#[test]
fn keys_come_in_any_order_and_the_snapshot_id_is_optional() {
    let text = format!(
        "\r\n {{\t\"configurationItems\" : [ {} ] , \"requestId\" : null , \"x\" : [ 1 , {{}} ] }} \n",
        item(&format!("{{{RULES}}}"))
    );
    let (reading, found) = both(text);
    assert_eq!(
        (reading.unwrap().snapshot_id, found.compliance.len()),
        (None, 1)
    );
    assert_eq!(
        both(r#"{"configurationItems":[],"configSnapshotId":null}"#)
            .0
            .unwrap()
            .items,
        0
    );
}

#[test]
fn the_apis_form_of_an_item_says_the_same() {
    let file_form = one(file(&item_with(
        &format!("{{{RULES}}}"),
        r#","configurationStateId":1795237241007,"ARN":"a""#,
    )));
    let encoded = serde_json::to_string(&format!(" {{{RULES}}} ")).unwrap();
    for time in [
        r#""2026-11-21T05:00:41.007+00:00""#,
        r#""2026-11-21T06:00:41.007+01:00""#,
        "1795237241.007",
        "1.795237241007E9",
    ] {
        let more = format!(
            r#","configurationStateID":"1795237241007","arn":"a","configurationItemCaptureTime":{time}"#
        );
        let api_form = item_with(&encoded, &more).replace("awsAccountId", "accountId");
        assert_eq!(one(file(&api_form)), file_form, "{time}");
    }
}

#[test]
fn escapes_are_decoded_where_the_text_is_used() {
    let rules = r#""configRuleList":[{"configRuleN\u0061me":"caf\u00e9 \ud83d\ude00 \"\\\/\b\f\n\r\t","complianceType":"COMPLIANT"}]"#;
    let found = one(file(&item(&format!("{{{rules}}}"))));
    assert_eq!(found.5[0][0], "café 😀 \"\\/\u{8}\u{c}\n\r\t");
}

#[test]
fn the_resource_is_the_target_and_else_the_id_after_its_type() {
    let target = |configuration: &str| {
        let found = one(file(&item(&format!("{{{configuration}{RULES}}}"))));
        (found.3, found.4)
    };
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(target(""), pair("AWS::S3::Bucket", "acme/logs"));
    assert_eq!(
        target(r#""targetResourceType":null,"targetResourceId":"","#),
        pair("AWS::S3::Bucket", "acme/logs")
    );
    assert_eq!(
        target(r#""targetResourceId":"x","#),
        pair("AWS::S3::Bucket", "x")
    );
}

#[test]
fn a_deleted_item_is_told_and_needs_neither_rules_nor_a_time() {
    let deleted = |text: &str| {
        let found = one(file(text));
        (found.0, found.2, found.5.len())
    };
    let time = 1_795_237_241_007_000;
    assert_eq!(deleted(&item("null")), (time, true, 0));
    assert_eq!(deleted(&item(r#""null""#)), (time, true, 0));
    for status in ["ResourceDeleted", "ResourceDeletedNotRecorded"] {
        let more = format!(r#","configurationItemStatus":"{status}""#);
        assert_eq!(
            deleted(&item_with(&format!("{{{RULES}}}"), &more)),
            (time, true, 0)
        );
        assert_eq!(
            deleted(&item_with(
                "{}",
                &format!(r#"{more},"configurationItemCaptureTime":null"#)
            )),
            (0, true, 0)
        );
        assert_eq!(
            deleted(&item_with("null", &more).replace(r#","configuration":null"#, "")),
            (time, true, 0)
        );
    }
    assert_eq!(
        deleted(&item_with(
            &format!("{{{RULES}}}"),
            r#","configurationItemStatus":"ResourceNotRecorded""#
        )),
        (time, false, 1)
    );
}

#[test]
fn a_rule_named_twice_and_an_unknown_status_are_handed_on_as_delivered() {
    let rule = |status: &str| format!(r#"{{"configRuleName":"r","complianceType":"{status}"}}"#);
    let list = format!(
        r#"{{"configRuleList":[{},{}]}}"#,
        rule("COMPLIANT"),
        rule("compliant")
    );
    let statuses: Vec<String> = one(file(&item(&list)))
        .5
        .into_iter()
        .map(|[_, _, _, status]| status)
        .collect();
    assert_eq!(statuses, ["COMPLIANT", "compliant"]);
}

#[test]
fn a_packs_missing_counts_are_those_of_its_list() {
    let pack = item(&format!(r#"{{"complianceType":"COMPLIANT",{RULES}}}"#))
        .replace("ResourceCompliance", "ConformancePackCompliance");
    let (reading, found) = both(file(&pack));
    assert_eq!(
        (reading.unwrap().pack_items, found.packs[0].4),
        (1, [1, 0, 1])
    );
}

#[test]
fn a_file_that_is_no_gzip_is_refused_with_the_position_in_the_file() {
    let text = file(&item(&format!("{{{RULES}}}")));
    let good = gz(text.as_bytes());
    let changed = |at: usize, by: u8| {
        let mut changed = good.clone();
        changed[at] ^= by;
        changed
    };
    let end = good.len();
    let cases: [(Vec<u8>, &str, usize); 10] = [
        (Vec::new(), "the file is empty", 0),
        (text.clone().into_bytes(), "the file is not gzip", 0),
        (good[..1].to_vec(), "the file is not gzip", 0),
        (
            good[..6].to_vec(),
            "the gzip data end in the middle: the file is cut off",
            6,
        ),
        (
            good[..end / 2].to_vec(),
            "the gzip data end in the middle: the file is cut off",
            end / 2,
        ),
        (
            good[..end - 1].to_vec(),
            "the gzip data end in the middle: the file is cut off",
            end - 1,
        ),
        (
            changed(end - 8, 1),
            "the gzip data are corrupt: what they unpack to does not have their checksum",
            end - 8,
        ),
        (
            changed(end - 1, 1),
            "the gzip data are corrupt: what they unpack to does not have their checksum",
            end - 8,
        ),
        (
            changed(2, 1),
            "the gzip data name a compression that does not exist",
            2,
        ),
        (
            [&good[..], b"\0"].concat(),
            "something that is not gzip follows the gzip data",
            end,
        ),
    ];
    for (packed, reason, position) in cases {
        let whole = read_packed(&packed, &Limits::default()).0;
        assert_eq!(whole, read_window(&packed, &Limits::default(), 7).0);
        let unreadable = whole.unwrap_err();
        assert_eq!(
            (
                unreadable.reason.as_str(),
                unreadable.position,
                unreadable.unpacked
            ),
            (reason, position.try_into().unwrap(), false)
        );
        assert_eq!(unreadable.sha256, Some(gzip::sha256(&packed)));
    }
    let corrupt = read_packed(&changed(12, 0xff), &Limits::default())
        .0
        .unwrap_err();
    assert!(
        corrupt.reason.starts_with("the gzip data are corrupt"),
        "{corrupt}"
    );
}

#[test]
fn junk_that_looks_like_the_end_of_the_gzip_is_still_junk() {
    let good = gz(file("").as_bytes());
    let (end, trailer) = (good.len(), &good[good.len() - 8..]);
    for junk in [[b"junk", trailer].concat(), trailer.to_vec()] {
        let unreadable = read_packed(&[&good[..], &junk].concat(), &Limits::default())
            .0
            .unwrap_err();
        assert_eq!(
            unreadable.reason,
            "something that is not gzip follows the gzip data"
        );
        assert_eq!(unreadable.position, u64::try_from(end).unwrap());
    }
    let twice = read_packed(&[&good[..], &good[..]].concat(), &Limits::default())
        .0
        .unwrap_err();
    assert_eq!(twice.reason, "not JSON: something follows the JSON text");
}

#[test]
fn members_one_after_the_other_are_one_text() {
    let text = file(&item(&format!("{{{RULES}}}")));
    let (a, b) = text.split_at(text.len() / 2);
    let packed = [gz(b""), gz(a.as_bytes()), gz(b""), gz(b.as_bytes())].concat();
    let (reading, found) = read_packed(&packed, &Limits::default());
    assert_eq!(
        reading.as_ref().unwrap().unpacked_bytes,
        u64::try_from(text.len()).unwrap()
    );
    assert_eq!(reading.unwrap().sha256, gzip::sha256(&packed));
    assert_eq!(
        found,
        read_packed(&gz(text.as_bytes()), &Limits::default()).1
    );
}

#[test]
fn a_bomb_ends_at_the_limit() {
    let text = file(&" ".repeat(3_000_000));
    let limits = Limits {
        unpacked_bytes: 1_000_000,
        ..Limits::default()
    };
    for packed in [gz(text.as_bytes()), [gz(text.as_bytes()), gz(b"")].concat()] {
        let unreadable = read_packed(&packed, &limits).0.unwrap_err();
        assert_eq!(
            unreadable.reason,
            "it unpacks to more than the limit of 1000000 bytes"
        );
        assert!(!unreadable.unpacked);
        assert_eq!(unreadable.sha256, Some(gzip::sha256(&packed)));
    }
    let all = Limits {
        unpacked_bytes: text.len().try_into().unwrap(),
        ..Limits::default()
    };
    assert!(read_packed(&gz(text.as_bytes()), &all).0.is_ok());
}

#[test]
fn an_item_over_the_limit_makes_the_object_unreadable_both_ways() {
    let limits = Limits {
        item_bytes: 10_000,
        ..Limits::default()
    };
    let long = |length: usize| {
        gz(file(&format!(r#"{{"resourceType":"{}"}}"#, "x".repeat(length))).as_bytes())
    };
    for outcome in [
        read_packed(&long(20_000), &limits),
        read_window(&long(20_000), &limits, 64),
    ] {
        assert_eq!(
            outcome.0.unwrap_err().reason,
            "configurationItems[0]: one item is larger than the limit of 10000 bytes"
        );
    }
}

#[test]
fn what_is_not_json_is_refused_at_its_first_wrong_byte() {
    let text = |outcome: &str, reason: &str| refused_at_mark(outcome, reason);
    text("¡", "the unpacked text is empty");
    text("  ¡", "the unpacked text is empty");
    text("¡[]", "not JSON: an object was expected, not \"[\"");
    text("¡hello", "not JSON: an object was expected, not \"h\"");
    text(
        "{¡fileVersion:1}",
        "not JSON: a name in quotes was expected, not \"f\"",
    );
    text(
        "{\"a\"¡ \"b\"}".replace(' ', "").as_str(),
        "not JSON: a colon was expected, not \"\"\"",
    );
    text("{\"a\":¡}", "not JSON: a value was expected, not \"}\"");
    text("{\"a\":¡nul}", "not JSON: a value was expected, not \"n\"");
    text("{\"a\":¡01}", "not JSON: a malformed number");
    text("{\"a\":-¡}", "not JSON: a malformed number");
    text("{\"a\":1.¡}", "not JSON: a malformed number");
    text(
        "{\"a\":\"¡\\q\"}",
        "not JSON: an escape that JSON does not have",
    );
    text(
        "{\"a\":\"¡\\u12g4\"}",
        "not JSON: four hexadecimal digits were expected after \\u",
    );
    text("{\"a\":\"x¡\u{1}\"}", "not JSON: byte 0x01 in a string");
    text(
        "{\"a\":¡\0}",
        "not JSON: a value was expected, not byte 0x00",
    );
    text(
        "{\"a\":[1¡}",
        "not JSON: a bracket that does not match its opening",
    );
    text(
        "{\"a\":1,¡}",
        "not JSON: a name in quotes was expected, not \"}\"",
    );
    text(
        "{\"a\":1¡;}",
        "not JSON: a comma or the object's end was expected, not \";\"",
    );
    text("{\"a\":{\"b\":1}¡", "not JSON: the text ends in the middle");
    text(
        r#"{"configurationItems":[],"a":"¡"#,
        "not JSON: the text ends in the middle",
    );
    text(
        &format!("{}¡x", file("")),
        "not JSON: something follows the JSON text",
    );
    text(
        &format!("{}\n¡{{}}", file("")),
        "not JSON: something follows the JSON text",
    );
    let bom = refused(["\u{feff}".as_bytes(), file("").as_bytes()].concat());
    assert_eq!(
        bom,
        (
            "not JSON: the text starts with a byte order mark".to_owned(),
            0
        )
    );
}

#[test]
fn a_text_without_an_array_of_items_is_refused() {
    refused_at_mark("{¡}", "the text has no configurationItems");
    refused_at_mark(
        r#"{"fileVersion":"1.0"¡}"#,
        "the text has no configurationItems",
    );
    refused_at_mark(
        r#"{"configurationItems":¡null}"#,
        "configurationItems is not an array",
    );
    refused_at_mark(
        r#"{"configurationItems":¡{}}"#,
        "configurationItems is not an array",
    );
    refused_at_mark(
        &file("¡7"),
        "configurationItems[0]: not JSON: an object was expected, not \"7\"",
    );
    refused_at_mark(
        &file(r#"{"resourceType":"A"},¡"#),
        "configurationItems[1]: not JSON: an object was expected, not \"]\"",
    );
    refused_at_mark(
        r#"{"configSnapshotId":¡7,"configurationItems":[]}"#,
        "configSnapshotId: a string was expected",
    );
    refused_at_mark(
        r#"{"configSnapshotId":"¡\u0000","configurationItems":[]}"#,
        "configSnapshotId: the character NUL in a string",
    );
}

#[test]
fn invalid_utf8_is_refused_wherever_it_is() {
    for (text, prefix) in [
        (file("¡"), ""),
        (
            file(r#"{"resourceType":"A","configuration":{"x":["¡"]}}"#),
            "configurationItems[0]: ",
        ),
        (r#"{"x":"¡","configurationItems":[]}"#.to_owned(), ""),
    ] {
        let at = text.find('¡').unwrap();
        let text: Vec<u8> = [&text.as_bytes()[..at], b"\xff", &text.as_bytes()[at + 2..]].concat();
        let (reason, position) = refused(&text);
        assert_eq!(position, at);
        assert!(
            reason == format!("{prefix}invalid UTF-8") || reason.contains("byte 0xff"),
            "{reason}"
        );
    }
}

#[test]
fn nul_and_half_surrogates_in_what_is_used_are_refused() {
    let rule = |name: &str| {
        file(&item(&format!(
            r#"{{"configRuleList":[{{"configRuleName":"{name}","complianceType":"COMPLIANT"}}]}}"#
        )))
    };
    let prefix = "configurationItems[0]: configRuleList[0]:";
    refused_at_mark(
        &rule("x¡\\u0000"),
        &format!("{prefix} configRuleName: the character NUL in a string"),
    );
    for half in [
        "¡\\ud800",
        "¡\\udc00",
        "¡\\ud800\\u0041",
        "¡\\ud800x\\udc00",
        "¡\\ud800\\ud800",
    ] {
        refused_at_mark(
            &rule(half),
            &format!("{prefix} half of a surrogate pair without its other half"),
        );
    }
    assert!(
        both(file(
            r#"{"resourceType":"A","configuration":{"x":"\u0000\ud800"}}"#
        ))
        .0
        .is_ok(),
        "not used"
    );
}

#[test]
fn a_name_that_comes_twice_is_refused_in_every_object_that_is_used() {
    let twice = |name: &str| format!("the name \"{name}\" comes twice in one object");
    refused_at_mark(
        r#"{"configurationItems":[],¡"configurationItems":[]}"#,
        &twice("configurationItems"),
    );
    refused_at_mark(
        r#"{"x":1,¡"\u0078":1,"configurationItems":[]}"#,
        &twice("x"),
    );
    refused_at_mark(
        &file(r#"{"resourceType":"A","tags":{},¡"tags":{}}"#),
        &format!("configurationItems[0]: {}", twice("tags")),
    );
    let id = file(r#"{"resourceType":"A","configurationStateId":1,¡"configurationStateID":1}"#);
    refused_at_mark(
        &id,
        &format!("configurationItems[0]: {}", twice("configurationStateID")),
    );
    let many: String = (0..99).map(|n| format!(r#""k{n}":0,"#)).collect();
    refused_at_mark(
        &file(&format!(r#"{{{many}"resourceType":"A",¡"k77":0}}"#)),
        &format!("configurationItems[0]: {}", twice("k77")),
    );
    refused_at_mark(
        &file(&item(&format!("{{{RULES},¡{RULES}}}"))),
        &format!("configurationItems[0]: {}", twice("configRuleList")),
    );
    let rule = r#"{"configRuleList":[{"configRuleName":"r","complianceType":"NON_COMPLIANT",¡"complianceType":"COMPLIANT"}]}"#;
    refused_at_mark(
        &file(&item(rule)),
        &format!(
            "configurationItems[0]: configRuleList[0]: {}",
            twice("complianceType")
        ),
    );
}

#[test]
fn an_item_of_another_account_is_refused_with_both_ids() {
    let good = r#"{"resourceType":"A"}"#;
    let reason = "configurationItems[1]: the item is of account 999999999999, the object's path says 012345678901";
    for name in ["awsAccountId", "accountId"] {
        refused_at_mark(
            &file(&format!(
                r#"{good},{{"resourceType":"A","{name}":¡"999999999999"}}"#
            )),
            reason,
        );
    }
    refused_at_mark(
        &file(r#"{"resourceType":"A","awsAccountId":¡12345678901}"#),
        "configurationItems[0]: awsAccountId is not a text",
    );
}

#[test]
fn an_item_that_does_not_say_what_it_must_is_refused() {
    let refuse = |item: &str, reason: &str| {
        refused_at_mark(&file(item), &format!("configurationItems[0]: {reason}"))
    };
    refuse("¡{}", "the item has no resourceType");
    refuse(r#"¡{"resourceType":""}"#, "the item has no resourceType");
    refuse(r#"{"resourceType":¡["A"]}"#, "resourceType is not a text");
    let full = |configuration: &str| item(&format!("{{{configuration}}}"));
    refuse(
        &format!("¡{}", full("")),
        "the item has no configRuleList in its configuration",
    );
    refuse(
        &format!("¡{}", full(r#""configRuleList":null"#)),
        "the item has no configRuleList in its configuration",
    );
    refuse(
        &full(r#""configRuleList":¡{}"#),
        "configRuleList is not an array",
    );
    refuse(
        &full(r#""configRuleList":[¡1]"#),
        "configRuleList[0]: not JSON: an object was expected, not \"1\"",
    );
    refuse(
        &full(
            r#""configRuleList":[{"configRuleName":"r","complianceType":"COMPLIANT"}¡ {}]"#
                .replace(' ', "")
                .as_str(),
        ),
        "not JSON: a comma or the array's end was expected, not \"{\"",
    );
    refuse(
        &full(r#""configRuleList":[¡{"complianceType":"COMPLIANT"}]"#),
        "configRuleList[0]: the rule has no configRuleName",
    );
    refuse(
        &full(r#""configRuleList":[¡{"configRuleName":"r"}]"#),
        "configRuleList[0]: the rule has no complianceType",
    );
    refuse(
        &full(r#""configRuleList":[¡{"configRuleName":"r","complianceType":""}]"#),
        "configRuleList[0]: the rule has no complianceType",
    );
    refuse(
        &full(r#""configRuleList":[{"configRuleName":"r","complianceType":¡true}]"#),
        "configRuleList[0]: complianceType is not a text",
    );
    let long = "x".repeat(513);
    refuse(
        &full(&format!(
            r#""configRuleList":[{{"configRuleName":¡"{long}","complianceType":"COMPLIANT"}}]"#
        )),
        "configRuleList[0]: configRuleName is longer than 512 bytes",
    );
    refuse(&item("¡7"), "configuration is neither an object nor null");
    refuse(
        &item(r#"¡"[]""#),
        "configuration is a string that holds no JSON object",
    );
    refuse(
        &item(r#"¡"{\"a\":1,\"a\":2}""#),
        "in the JSON that configuration holds as a string: the name \"a\" comes twice in one object",
    );
    refuse(
        &item(r#"¡"{} {}""#),
        "in the JSON that configuration holds as a string: not JSON: the end was expected, not \"{\"",
    );
    refuse(
        &item(r#"¡"{\"a\":""#),
        "in the JSON that configuration holds as a string: not JSON: the text ends in the middle",
    );
    refuse(
        &format!(
            "¡{}",
            full(RULES).replace(r#","configuration":"#, r#","configuration2":"#)
        ),
        "the item has no configuration",
    );
    refuse(
        &format!(
            "¡{}",
            full(RULES)
                .replace("AWS::S3::Bucket/acme", "acme")
                .replace('/', "")
        ),
        "the item has no targetResourceType in its configuration, nor TYPE/ID as its resourceId",
    );
    let rules = format!("{{{RULES}}}");
    let time = |value: &str| {
        item_with(
            &rules,
            &format!(r#","configurationItemCaptureTime":{value}"#),
        )
    };
    refuse(
        &format!("¡{}", time("null")),
        "the item has no configurationItemCaptureTime",
    );
    for value in [
        r#"¡"yesterday""#,
        r#"¡"2026-02-30T00:00:00Z""#,
        r#"¡"2026-02-03T00:00:00""#,
        "¡1e300",
        "¡true",
    ] {
        refuse(&time(value), "configurationItemCaptureTime is no time");
    }
    let state = |value: &str| item_with(&rules, &format!(r#","configurationStateId":{value}"#));
    for value in [
        "¡9223372036854775808",
        "¡1.5",
        "¡1e3",
        r#"¡"""#,
        r#"¡"12x""#,
        "¡[]",
    ] {
        refuse(
            &state(value),
            "configurationStateId is not a whole number of 64 bits",
        );
    }
    let pack = |configuration: &str| {
        item(&format!("{{{configuration}}}"))
            .replace("ResourceCompliance", "ConformancePackCompliance")
    };
    refuse(
        &format!("¡{}", pack(RULES)),
        "the item has no complianceType in its configuration",
    );
    for value in ["¡2147483648", "¡-1", "¡1.0", r#"¡"1""#] {
        refuse(
            &pack(&format!(
                r#""complianceType":"COMPLIANT","totalRuleCount":{value}"#
            )),
            "totalRuleCount is not a count up to 2147483647",
        );
    }
}

#[test]
fn nesting_of_any_depth_is_refused_and_not_followed() {
    let deep =
        |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000));
    for body in [
        deep("[", "]"),
        deep(r#"{"a":"#, "}").replace(":}", ":1}"),
        "[".repeat(100_000),
    ] {
        let text = file(&format!(r#"{{"resourceType":"A","configuration":{body}}}"#));
        assert_eq!(
            refused(&text).0,
            "configurationItems[0]: nested deeper than 512 levels"
        );
    }
    assert_eq!(
        refused(format!(r#"{{"x":{}}}"#, deep("[", "]"))).0,
        "nested deeper than 512 levels"
    );
    refused_at_mark(
        &format!(
            r#"{{"x":{}¡[{},"configurationItems":[]}}"#,
            "[".repeat(511),
            "]".repeat(512)
        ),
        "nested deeper than 512 levels",
    );
    assert!(
        both(format!(
            r#"{{"x":{}{},"configurationItems":[]}}"#,
            "[".repeat(511),
            "]".repeat(511)
        ))
        .0
        .is_ok()
    );
}
