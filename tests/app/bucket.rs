//! A delivery bucket's folder, written object by object.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// Rule name and status word.
pub(crate) type Rules<'a> = &'a [(&'a str, &'a str)];

pub(crate) struct Bucket {
    pub(crate) root: PathBuf,
}

pub(crate) const ACCOUNT: &str = "012345678901";
pub(crate) const REGION: &str = "eu-central-1";

impl Bucket {
    pub(crate) fn new(name: &str) -> Self {
        Self { root: crate::harness::scratch(name) }
    }

    /// Writes bytes under a name, however deep.
    pub(crate) fn put(&self, name: &str, bytes: &[u8]) {
        let path = self.root.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    /// A snapshot of November 2026 taken at an hour, of buckets with their rules.
    pub(crate) fn snapshot(&self, day: u8, hour: u8, resources: &[(&str, Rules<'_>)]) -> String {
        self.snapshot_of(ACCOUNT, REGION, day, hour, resources)
    }

    pub(crate) fn snapshot_of(
        &self,
        account: &str,
        region: &str,
        day: u8,
        hour: u8,
        resources: &[(&str, Rules<'_>)],
    ) -> String {
        let name = snapshot_name(account, region, day, hour);
        let items: Vec<Value> = resources.iter().map(|(id, rules)| item(account, id, day, hour, rules)).collect();
        self.put(
            &name,
            &gz(&json!({"fileVersion": "1.0", "configSnapshotId": "6292fd47", "configurationItems": items})),
        );
        name
    }

    /// A history object of compliance items, each captured at its own hour of the day.
    pub(crate) fn history(&self, day: u8, items: &[(&str, u8, Option<Rules<'_>>)]) -> String {
        let name = format!(
            "AWSLogs/{ACCOUNT}/Config/{REGION}/2026/11/{day}/ConfigHistory/{ACCOUNT}_Config_{REGION}_ConfigHistory_AWS::Config::ResourceCompliance_202611{day:02}T000000Z_202611{day:02}T060000Z_1.json.gz"
        );
        let items: Vec<Value> = items
            .iter()
            .map(|(id, hour, rules)| {
                if let Some(rules) = rules {
                    item(ACCOUNT, id, day, *hour, rules)
                } else {
                    let mut deleted = item(ACCOUNT, id, day, *hour, &[]);
                    deleted["configuration"] = Value::Null;
                    deleted["configurationItemStatus"] = "ResourceDeleted".into();
                    deleted
                }
            })
            .collect();
        self.put(&name, &gz(&json!({"fileVersion": "1.0", "configurationItems": items})));
        name
    }
}

pub(crate) fn snapshot_name(account: &str, region: &str, day: u8, hour: u8) -> String {
    format!(
        "o-abc/AWSLogs/{account}/Config/{region}/2026/11/{day}/ConfigSnapshot/{account}_Config_{region}_ConfigSnapshot_202611{day:02}T{hour:02}0000Z_6292fd47.json.gz"
    )
}

fn item(account: &str, id: &str, day: u8, hour: u8, rules: Rules<'_>) -> Value {
    let list: Vec<Value> = rules
        .iter()
        .map(|(rule, status)| {
            json!({"configRuleArn": format!("arn:aws:config:{REGION}:{account}:config-rule/{rule}"),
                   "configRuleId": rule, "configRuleName": rule, "complianceType": status})
        })
        .collect();
    json!({
        "configuration": {"complianceType": "NON_COMPLIANT", "targetResourceId": id,
                          "targetResourceType": "AWS::S3::Bucket", "configRuleList": list},
        "configurationItemVersion": "1.3",
        "configurationItemCaptureTime": format!("2026-11-{day:02}T{hour:02}:10:20.123Z"),
        "configurationStateId": 1_795_000_000_000_i64 + i64::from(day) * 86_400_000 + i64::from(hour),
        "awsAccountId": account, "configurationItemStatus": "OK",
        "resourceType": "AWS::Config::ResourceCompliance", "resourceId": format!("AWS::S3::Bucket/{id}"),
        "awsRegion": REGION})
}

pub(crate) fn gz(value: &Value) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(value.to_string().as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// Options for collecting a folder.
pub(crate) fn options(from: &Path) -> auditfolio::collection::Options {
    auditfolio::collection::Options {
        organization: "Example".to_owned(),
        from: from.into(),
        started_by: "test".to_owned(),
        ..Default::default()
    }
}
