//! The sample organisation: its layout, its file shapes, and what happens in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use auditfolio::sample::{Expected, Options, Regions, generate};
use serde_json::Value;
use time::macros::date;
use time::{Date, Month};

/// A folder that is removed with the test.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("sample-{name}"));
        let _ = fs::remove_dir_all(&folder);
        Self(folder)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Ten accounts for ten days: the smallest organisation in which everything happens.
pub(crate) fn small(folder: &Scratch) -> Options {
    Options {
        accounts: 10,
        regions: Regions(vec!["eu-central-1".to_owned(), "us-east-1".to_owned()]),
        days: 10,
        until: Some(date!(2026 - 03 - 05)),
        resources: 9,
        drift: 200,
        ..Options::new(&folder.0)
    }
}

pub(crate) fn make(options: &Options) -> Expected {
    generate(options, |_| ()).unwrap();
    Expected::read(&options.out).unwrap()
}

/// Every file's name below a folder, with its bytes and modification time.
pub(crate) fn files(folder: &Path) -> BTreeMap<String, (Vec<u8>, SystemTime)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                let modified = path.metadata().unwrap().modified().unwrap();
                found.insert(name, (fs::read(&path).unwrap(), modified));
            }
        }
    }
    found
}

/// The text of a gzip, where it is whole.
fn unpacked(bytes: &[u8]) -> Option<String> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(bytes).read_to_string(&mut text).ok().map(|_| text)
}

pub(crate) fn items(bytes: &[u8]) -> Option<Vec<Value>> {
    let mut file: Value = serde_json::from_str(&unpacked(bytes)?).ok()?;
    match file["configurationItems"].take() {
        Value::Array(items) => Some(items),
        _ => None,
    }
}

/// A snapshot or history object by its key.
pub(crate) struct Named {
    pub(crate) account_id: String,
    pub(crate) region: String,
    pub(crate) day: Date,
    pub(crate) kind: String,
    /// The time in the file's name; of a history object the end of its window.
    pub(crate) at: String,
}

/// Takes a key apart; none for what is neither snapshot nor history.
pub(crate) fn named(key: &str) -> Option<Named> {
    let parts: Vec<&str> = key.split("AWSLogs/").nth(1)?.split('/').collect();
    let [account_id, "Config", region, year, month, day, kind, name] = parts[..] else { return None };
    if kind != "ConfigSnapshot" && kind != "ConfigHistory" {
        return None;
    }
    assert!(!month.starts_with('0') && !day.starts_with('0'), "{key}");
    let month = Month::try_from(month.parse::<u8>().unwrap()).unwrap();
    let day = Date::from_calendar_date(year.parse().unwrap(), month, day.parse().unwrap()).unwrap();
    let fields: Vec<&str> = name.split('_').collect();
    assert_eq!(fields[..4], [account_id, "Config", region, kind], "{key}");
    let at = if kind == "ConfigSnapshot" { fields[4] } else { fields[6] };
    let of_day = format!("{:04}{:02}{:02}T", day.year(), u8::from(day.month()), day.day());
    assert!(at.starts_with(&of_day), "{key}");
    Some(Named { account_id: account_id.into(), region: region.into(), day, kind: kind.into(), at: at.into() })
}

#[test]
fn the_same_options_give_the_same_bytes_and_times_and_another_seed_gives_others() {
    let [one, two, three] = ["one", "two", "three"].map(Scratch::new);
    make(&small(&one));
    make(&small(&two));
    make(&Options { seed: 2, ..small(&three) });
    let (first, second, other) = (files(&one.0), files(&two.0), files(&three.0));
    let config = |files: &BTreeMap<String, (Vec<u8>, SystemTime)>| {
        files
            .iter()
            .filter(|(name, _)| name.contains("AWSLogs"))
            .map(|(name, file)| (name.clone(), file.clone()))
            .collect()
    };
    let [first_objects, second_objects]: [BTreeMap<_, _>; 2] = [config(&first), config(&second)];
    assert!(first_objects.len() > 300, "{}", first_objects.len());
    assert!(first_objects == second_objects, "objects or their times differ");
    assert!(first.keys().eq(second.keys()));
    assert!(first.iter().all(|(name, (bytes, _))| second[name].0 == *bytes), "another file differs");
    let shared = other.keys().filter(|name| name.contains("AWSLogs") && first.contains_key(*name)).count();
    assert_eq!(shared, 0);
    // Five bytes of the header say when and where a gzip was made: always the same here.
    for (name, (bytes, _)) in first_objects.iter().filter(|(_, (bytes, _))| !bytes.is_empty()) {
        assert_eq!(bytes[4..8], [0; 4], "{name}");
    }
}

#[test]
fn a_sample_stands_once_made_and_nothing_else_is_touched() {
    let folder = Scratch::new("stands");
    let options = Options { accounts: 2, days: 2, resources: 2, ..small(&folder) };
    assert!(!generate(&options, |_| ()).unwrap().already_there);
    let before = files(&folder.0);
    // Without a last day the earlier sample's is taken, so that tomorrow's start finds it too.
    let again = generate(&Options { until: None, ..options.clone() }, |_| ()).unwrap();
    assert!(again.already_there);
    assert_eq!(again.last_day, date!(2026 - 03 - 05));
    assert!(files(&folder.0) == before);

    let refused = generate(&Options { seed: 9, ..options.clone() }, |_| ()).unwrap_err();
    assert!(refused.to_string().contains("other options"), "{refused}");

    // A making that was stopped is taken up again.
    fs::remove_file(folder.0.join("expected.json")).unwrap();
    assert!(!generate(&options, |_| ()).unwrap().already_there);
    assert!(files(&folder.0).keys().eq(before.keys()));

    fs::remove_file(folder.0.join("sample.json")).unwrap();
    let refused = generate(&options, |_| ()).unwrap_err();
    assert!(refused.to_string().contains("not empty"), "{refused}");
}

#[test]
fn objects_lie_and_look_as_aws_config_delivers_them() {
    let folder = Scratch::new("shapes");
    let expected = make(&Options { prefix: Some("/o-abc/config/".to_owned()), ..small(&folder) });
    let all = files(&folder.0);
    let objects: BTreeMap<&String, Named> = all.keys().filter_map(|key| Some((key, named(key)?))).collect();
    let of_kind = |kind: &str| u64::try_from(objects.values().filter(|one| one.kind == kind).count()).unwrap();
    assert_eq!(of_kind("ConfigSnapshot"), expected.snapshots);
    assert_eq!(of_kind("ConfigHistory"), expected.histories);

    let mut types = BTreeSet::new();
    let mut rule_names = BTreeSet::new();
    for (key, object) in &objects {
        assert!(key.starts_with("o-abc/config/AWSLogs/"), "{key}");
        let bytes = &all[*key].0;
        let Some(text) = unpacked(bytes).filter(|text| text.starts_with('{')) else {
            assert!(expected.unreadable_objects.contains(key), "{key}");
            continue;
        };
        assert!(!text.contains('\n'), "{key} is more than one line");
        let file: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(file["fileVersion"], "1.0");
        if object.kind == "ConfigSnapshot" {
            assert!(key.contains(file["configSnapshotId"].as_str().unwrap()), "{key}");
        }
        for item in file["configurationItems"].as_array().unwrap() {
            let resource_type = item["resourceType"].as_str().unwrap();
            types.insert(resource_type.to_owned());
            assert_eq!(item["awsAccountId"], object.account_id.as_str());
            assert_eq!(item["configurationItemVersion"], "1.3");
            assert!(item["configurationStateId"].is_i64(), "{item}");
            let captured = item["configurationItemCaptureTime"].as_str().unwrap();
            assert!(captured.len() == 24 && captured.ends_with('Z'), "{captured}");
            let region = if resource_type.starts_with("AWS::IAM::") { "global" } else { object.region.as_str() };
            let deleted = item["configurationItemStatus"] == "ResourceDeleted";
            if resource_type == "AWS::Config::ResourceCompliance" && !deleted {
                let target = item["configuration"]["targetResourceType"].as_str().unwrap();
                let id = item["configuration"]["targetResourceId"].as_str().unwrap();
                assert_eq!(item["resourceId"], format!("{target}/{id}"));
                assert_eq!(item["relationships"][0]["name"], "Is associated with ");
                let region = if target == "AWS::IAM::User" { "global" } else { region };
                assert_eq!(item["awsRegion"], region);
                for rule in item["configuration"]["configRuleList"].as_array().unwrap() {
                    let arn = rule["configRuleArn"].as_str().unwrap();
                    assert!(arn.ends_with(rule["configRuleId"].as_str().unwrap()), "{rule}");
                    assert!(rule["complianceType"].is_string());
                    rule_names.insert(rule["configRuleName"].as_str().unwrap().to_owned());
                }
            } else if resource_type == "AWS::Config::ConformancePackCompliance" {
                let rules = item["configuration"]["configRuleList"].as_array().unwrap();
                assert_eq!(item["configuration"]["totalRuleCount"], rules.len());
                assert!(item["resourceName"].as_str().unwrap().starts_with("OrgConformsPack-"));
            } else if !deleted && !resource_type.starts_with("AWS::Config::") {
                assert_eq!(item["awsRegion"], region);
                assert!(
                    item["configuration"].is_object() && item["ARN"].is_string() && item["tags"].is_object(),
                    "{item}"
                );
            } else {
                assert!(item["configuration"].is_null(), "{item}");
            }
        }
    }
    for name in [
        "AWS::Config::ResourceCompliance",
        "AWS::Config::ConformancePackCompliance",
        "AWS::S3::Bucket",
        "AWS::IAM::User",
    ] {
        assert!(types.contains(name), "{name} in {types:?}");
    }
    let is_like =
        |start: &str, middle: &str| rule_names.iter().any(|name| name.starts_with(start) && name.contains(middle));
    assert!(is_like("restricted-common-ports", "-conformance-pack-"));
    assert!(is_like("securityhub-", ""));
    assert!(is_like("AWSControlTower_AWS-GR_", "S3_BUCKET_PUBLIC_READ_PROHIBITED"));
    assert!(rule_names.contains("required-tags"));
    for other in
        ["/Config/ConfigWritabilityCheckFile", "/OversizedChangeNotification/", "/CloudTrail/", "/CloudTrail-Digest/"]
    {
        assert!(all.keys().any(|key| key.contains(other)), "{other}");
    }
}

#[test]
fn everything_that_happens_in_life_happens() {
    let folder = Scratch::new("life");
    let expected = make(&small(&folder));
    let cases: BTreeSet<&str> = expected.cases.iter().map(|case| case.case.as_str()).collect();
    for case in [
        "delivers history only",
        "expected and never delivered",
        "hard names",
        "history before the first snapshot",
        "history out of order",
        "late snapshot",
        "left and still delivers",
        "only unreadable snapshots",
        "pack redeployed under a new suffix",
        "records no compliance items",
        "resource gone and back",
        "rule gone and back",
        "several snapshots",
        "snapshot missing, history delivered",
        "stops recording compliance items",
        "unknown status",
        "unreadable snapshot after a good one",
        "unreadable snapshot before a good one",
    ] {
        assert!(cases.contains(case), "{case} is not among {cases:?}");
    }
    let states: BTreeSet<&str> =
        expected.days.iter().flat_map(|day| &day.places).map(|place| place.state.as_str()).collect();
    assert_eq!(
        states.into_iter().collect::<Vec<_>>(),
        [
            "delivered",
            "delivered, later object unreadable",
            "inferred from history",
            "missing",
            "no compliance items",
            "unreadable",
        ]
    );
    assert!(expected.days.iter().any(|day| day.never_seen_accounts > 0));
    assert!(expected.days.iter().any(|day| day.counts.unrecognised > 0));
    assert!(expected.days.iter().any(|day| day.unknown_carried > 0));
    assert!(expected.days.iter().any(|day| day.counts.insufficient_data > 0 && day.counts.not_applicable > 0));
    assert!(expected.days.iter().flat_map(|day| &day.places).any(|place| !place.expected));

    // A late object's file was last changed on the day on which it came.
    let [late] = &expected.late_objects[..] else { panic!("{:?}", expected.late_objects) };
    let modified: time::OffsetDateTime = folder.0.join(&late.object).metadata().unwrap().modified().unwrap().into();
    assert!(modified.date() == late.arrived && late.arrived > late.day, "{late:?}");

    let text = unpacked(&fs::read(folder.0.join(hard_names(&expected))).unwrap()).unwrap();
    for name in ["<b>disk</b>", "התראה", "生产数据库", "that-goes-on-and-on-that-goes-on-and-on-"] {
        assert!(text.contains(name), "{name}");
    }
}

fn hard_names(expected: &Expected) -> String {
    let case = expected.cases.iter().find(|case| case.case == "hard names").unwrap();
    let place =
        expected.days[0].places.iter().find(|place| place.account_id == case.account_id && place.region == case.region);
    place.unwrap().object.clone().unwrap()
}

#[test]
fn a_huge_snapshot_changes_no_count() {
    let [plain, huge] = ["plain", "huge"].map(Scratch::new);
    let options = |folder| Options { accounts: 1, days: 1, resources: 4, regions: Regions::first(1), ..small(folder) };
    let without = make(&options(&plain));
    let with = make(&Options { huge: true, ..options(&huge) });
    assert_eq!(with.days, without.days);
    let object = with.days[0].places[0].object.as_ref().unwrap();
    let bytes = fs::read(huge.0.join(object)).unwrap();
    let unpacked = std::io::copy(&mut flate2::read::GzDecoder::new(&bytes[..]), &mut std::io::sink()).unwrap();
    assert!((300_000_000..301_000_000).contains(&unpacked), "{unpacked}");
}
