//! Names of objects, good and bad.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use time::macros::{date, datetime};

use super::*;

const SNAPSHOT: &str = "123456789012/Config/us-east-2/2016/9/27/ConfigSnapshot/\
                        123456789012_Config_us-east-2_ConfigSnapshot_20160927T183939Z_16da64e4-cb65-4846-b1a5-6f6fb2b2a1f0.json.gz";

fn config(name: &str) -> Key {
    match parse(name) {
        Parsed::Config(key) => key,
        other => panic!("{name}: {other:?}"),
    }
}

fn malformed(name: &str) -> String {
    match parse(name) {
        Parsed::Malformed(why) => why,
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn a_snapshot_is_known_at_any_prefix_depth() {
    let prefixes = [
        "AWSLogs/",
        "o-a1b2c3d4e5/AWSLogs/",
        "a/b/c/AWSLogs/",
        "AWSLogs/AWSLogs/",
        "AWSLogs/o-a1b2c3d4e5/",
        "/AWSLogs/",
        "",
    ];
    for prefix in prefixes {
        let key = config(&format!("{prefix}{SNAPSHOT}"));
        assert_eq!(key.place, PlaceName { account_id: "123456789012".to_owned(), region: "us-east-2".to_owned() });
        assert_eq!((key.day, key.kind), (date!(2016 - 09 - 27), Kind::Snapshot));
        assert_eq!(key.taken_at, Some(datetime!(2016-09-27 18:39:39 UTC)));
        assert_eq!(key.resource_type, None);
    }
}

#[test]
fn a_history_object_gives_its_resource_type_and_the_end_of_its_window() {
    let file = "012345678901_Config_eu-central-1_ConfigHistory_AWS::CloudTrail::Trail_20260607T195818Z_20260608T015818Z_1.json.gz";
    let name = format!("AWSLogs/012345678901/Config/eu-central-1/2026/6/8/ConfigHistory/{file}");
    for name in [name.clone(), name.replace("::", "%3A%3A"), name.replace("::", "%3a%3a")] {
        let key = config(&name);
        assert_eq!(key.kind, Kind::History);
        assert_eq!(key.place.account_id, "012345678901", "leading zeros stay");
        assert_eq!(key.resource_type.as_deref(), Some("AWS::CloudTrail::Trail"));
        assert_eq!(key.taken_at, Some(datetime!(2026-06-08 01:58:18 UTC)));
    }
    let key = config(&name.replace("AWS::CloudTrail::Trail", "Acme::My_Own::Thing"));
    assert_eq!(key.resource_type.as_deref(), Some("Acme::My_Own::Thing"));
}

#[test]
fn days_are_read_padded_and_not_padded() {
    for day in ["2026/6/8", "2026/06/08", "2026/6/08"] {
        assert_eq!(
            config(&format!("AWSLogs/123456789012/Config/us-gov-west-1/{day}/ConfigSnapshot/x.json.gz")).day,
            date!(2026 - 06 - 08)
        );
    }
}

#[test]
fn a_file_name_of_another_form_says_nothing_and_is_no_fault() {
    let key = config("AWSLogs/123456789012/Config/us-east-2/2016/9/27/ConfigSnapshot/renamed.json.gz");
    assert_eq!((key.taken_at, key.resource_type), (None, None));
}

#[test]
fn what_else_lives_in_the_bucket_is_ignored_by_reason() {
    let cases = [
        ("AWSLogs/123456789012/Config/ConfigWritabilityCheckFile", Ignored::WritabilityCheck),
        (
            "p/AWSLogs/123456789012/Config/us-east-2/2016/9/27/OversizedChangeNotification/AWS::S3::Bucket/acme/x.json.gz",
            Ignored::OversizedChangeNotification,
        ),
        (
            "AWSLogs/123456789012/CloudTrail/us-east-2/2026/06/08/123456789012_CloudTrail_us-east-2_20260608T0000Z_x.json.gz",
            Ignored::CloudTrail,
        ),
        ("AWSLogs/o-a1b2c3d4e5/123456789012/CloudTrail/us-east-2/2026/06/08/x.json.gz", Ignored::CloudTrail),
        ("AWSLogs/123456789012/CloudTrail-Digest/us-east-2/2026/06/08/x.json.gz", Ignored::CloudTrail),
        ("AWSLogs/123456789012/vpcflowlogs/us-east-2/2026/06/08/x.log.gz", Ignored::NotConfig),
        ("AWSLogs/123456789012/Config/us-east-2/2016/9/27/ConfigSnapshot/", Ignored::NotConfig),
        ("AWSLogs/123456789012/Config/us-east-2/2016/9/27/ConfigSnapshot/.DS_Store", Ignored::NotConfig),
        ("AWSLogs/123456789012/Config", Ignored::NotConfig),
        ("notes/Config/readme.txt", Ignored::NotConfig),
        ("accounts.json", Ignored::NotConfig),
        ("", Ignored::NotConfig),
    ];
    for (name, reason) in cases {
        assert_eq!(parse(name), Parsed::Ignored(reason), "{name}");
    }
}

#[test]
fn what_looks_like_configs_and_is_not_is_malformed_with_a_sentence() {
    let file = "ConfigSnapshot/x.json.gz";
    let cases = [
        (format!("AWSLogs/123456789012/Config/us-east-2/2026/2/30/{file}"), "there is no day 2026/2/30"),
        (format!("AWSLogs/123456789012/Config/us-east-2/2026/13/1/{file}"), "there is no day 2026/13/1"),
        (format!("AWSLogs/123456789012/Config/us-east-2/26/1/1/{file}"), "there is no day 26/1/1"),
        (format!("AWSLogs/123456789012/Config/us-east-2/2026/+1/1/{file}"), "there is no day 2026/+1/1"),
        (
            format!("AWSLogs/12345678901/Config/us-east-2/2026/2/3/{file}"),
            "the account id \"12345678901\" is not 12 digits",
        ),
        (
            format!("AWSLogs/١٢٣٤٥٦٧٨٩٠١٢/Config/us-east-2/2026/2/3/{file}"),
            "the account id \"١٢٣٤٥٦٧٨٩٠١٢\" is not 12 digits",
        ),
        (format!("AWSLogs/123456789012/Config/US_EAST/2026/2/3/{file}"), "\"US_EAST\" is not the name of a Region"),
        (
            "AWSLogs/123456789012/Config/us-east-2/2026/2/3/Snapshot/x.json.gz".to_owned(),
            "the folder \"Snapshot\" is neither ConfigSnapshot nor ConfigHistory",
        ),
        (
            "AWSLogs/123456789012/Config/us-east-2/2026/2/3/x.json.gz".to_owned(),
            "the key is not REGION/YEAR/MONTH/DAY/TYPE/FILE below Config",
        ),
        (
            "AWSLogs/123456789012/Config/us-east-2/2026/2/3/ConfigSnapshot/x.json.gz.6eF4b3A1".to_owned(),
            "the file's name does not end in .json.gz",
        ),
    ];
    for (name, why) in cases {
        assert_eq!(malformed(&name), why, "{name}");
    }
}

#[test]
fn a_file_name_that_contradicts_its_path_is_malformed() {
    let name = format!("AWSLogs/{SNAPSHOT}");
    let contradict = |from: &str, to: &str| {
        let (folder, file) = name.rsplit_once('/').unwrap();
        malformed(&format!("{folder}/{}", file.replace(from, to)))
    };
    assert_eq!(
        contradict("123456789012", "210987654321"),
        "the file's name says account 210987654321, its path 123456789012"
    );
    assert_eq!(contradict("us-east-2", "us-east-1"), "the file's name says Region us-east-1, its path us-east-2");
    assert_eq!(
        contradict("ConfigSnapshot", "ConfigHistory"),
        "the file's name says ConfigHistory, its path ConfigSnapshot"
    );
    assert_eq!(contradict("20160927T", "20160931T"), "the file's name holds 20160931T183939Z, which is no time");
    assert_eq!(contradict("T183939Z", "T243939Z"), "the file's name holds 20160927T243939Z, which is no time");
}

proptest::proptest! {
    #[test]
    fn any_name_is_read_without_a_panic(name in "(AWSLogs/)?[0-9a-z/]{0,12}(/Config/)?[-a-zA-Z0-9/._:%é]{0,60}") {
        let _ = parse(&name);
    }
}
