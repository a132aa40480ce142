//! Listing a folder and reading its objects, as a collection does.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use auditfolio::collection::files::{list, read};
use auditfolio::collection::source::{ComplianceItem, Limits, PackItem, Sink};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::harness;

/// Counts what it is given.
#[derive(Default)]
struct Counted {
    complying: u64,
    other: u64,
    packs: u64,
}

impl Sink for Counted {
    fn compliance(&mut self, item: &ComplianceItem<'_>) {
        for rule in item.rules {
            if rule.status == "COMPLIANT" { self.complying += 1 } else { self.other += 1 }
        }
    }

    fn pack(&mut self, _item: &PackItem<'_>) {
        self.packs += 1;
    }
}

/// An ordinary item with a body, and the compliance item of the same resource.
fn items(account_id: &str, number: usize) -> String {
    let status = if number.is_multiple_of(10) { "NON_COMPLIANT" } else { "COMPLIANT" };
    let common = format!(
        r#""configurationItemVersion":"1.3","configurationItemCaptureTime":"2026-11-21T05:00:41.007Z","configurationStateId":1795237241007,"awsAccountId":"{account_id}","configurationItemStatus":"OK","awsRegion":"eu-central-1","configurationStateMd5Hash":"""#
    );
    let body = format!(
        r#"{{"name":"bucket-{number}","policy":"{{\"Statement\":[{{\"Sid\":\"}}\"}}]}}","tags":[{{"key":"a","value":"[{{"}}]}}"#
    );
    let rules = format!(
        r#"[{{"configRuleArn":"arn:aws:config:eu-central-1:{account_id}:config-rule/config-rule-w1gogw","configRuleId":"config-rule-w1gogw","configRuleName":"s3-bucket-logging-enabled","complianceType":"{status}"}}]"#
    );
    format!(
        r#"{{"relatedEvents":[],"configuration":{body},{common},"resourceType":"AWS::S3::Bucket","resourceId":"bucket-{number}"}},{{"relatedEvents":[],"relationships":[{{"resourceId":"bucket-{number}","resourceType":"AWS::S3::Bucket","name":"Is associated with "}}],"configuration":{{"complianceType":"{status}","targetResourceId":"bucket-{number}","targetResourceType":"AWS::S3::Bucket","configRuleList":{rules}}},{common},"resourceType":"AWS::Config::ResourceCompliance","resourceId":"AWS::S3::Bucket/bucket-{number}"}}"#
    )
}

/// Puts a snapshot of so many resources into a folder.
fn snapshot(root: &Path, account_id: &str, hour: u8, resources: usize) {
    let folder = root.join(format!("o-a1b2c3d4e5/AWSLogs/{account_id}/Config/eu-central-1/2026/11/3/ConfigSnapshot"));
    fs::create_dir_all(&folder).unwrap();
    let name = format!(
        "{account_id}_Config_eu-central-1_ConfigSnapshot_20261103T{hour:02}0000Z_6292fd47-f519-4323-9b79-6c3cbebe1b2e.json.gz"
    );
    let mut file = GzEncoder::new(fs::File::create(folder.join(name)).unwrap(), Compression::fast());
    file.write_all(
        br#"{"fileVersion":"1.0","configSnapshotId":"6292fd47-f519-4323-9b79-6c3cbebe1b2e","configurationItems":["#,
    )
    .unwrap();
    for number in 0..resources {
        let comma = if number > 0 { "," } else { "" };
        write!(file, "{comma}{}", items(account_id, number)).unwrap();
    }
    file.write_all(b"]}").unwrap();
    file.finish().unwrap();
}

#[test]
fn a_small_and_a_large_object_of_a_folder_are_read_to_the_same_counts() {
    let root = harness::scratch("reader");
    snapshot(&root, "012345678901", 5, 200);
    // Beyond what is read whole, so that this one goes through a window.
    snapshot(&root, "012345678901", 6, 40_000);

    let listing = list(&root).unwrap();

    assert_eq!(listing.objects.len(), 2);
    for (object, resources) in listing.objects.iter().zip([200, 40_000]) {
        let mut counted = Counted::default();
        let reading =
            read(&root.join(&object.name), &object.key.place.account_id, &Limits::default(), &mut counted).unwrap();
        assert_eq!(
            (reading.items, reading.compliance_items, reading.evaluations),
            (2 * resources, resources, resources)
        );
        assert_eq!((counted.complying, counted.other, counted.packs), (resources / 10 * 9, resources / 10, 0));
        assert_eq!(reading.size_bytes, object.size_bytes);
        assert_eq!(reading.unpacked_bytes > 32 << 20, resources == 40_000);
        let whole = ring::digest::digest(&ring::digest::SHA256, &fs::read(root.join(&object.name)).unwrap());
        assert_eq!(reading.sha256, whole.as_ref());
    }
    fs::remove_dir_all(&root).unwrap();
}

#[test]
fn an_object_of_another_account_and_one_that_is_gone_are_unreadable() {
    let root = harness::scratch("reader-wrong");
    snapshot(&root, "012345678901", 5, 2);
    let object = list(&root).unwrap().objects.remove(0);
    let path = root.join(&object.name);

    let other = read(&path, "999999999999", &Limits::default(), &mut Counted::default()).unwrap_err();
    fs::remove_dir_all(&root).unwrap();
    let gone = read(&path, "012345678901", &Limits::default(), &mut Counted::default()).unwrap_err();

    assert_eq!(
        other.reason,
        "configurationItems[0]: the item is of account 012345678901, the object's path says 999999999999"
    );
    assert!(other.unpacked && other.sha256.is_some());
    assert!(gone.reason.starts_with("the file could not be read: "), "{gone}");
    assert_eq!(gone.sha256, None);
}
