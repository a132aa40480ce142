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
        let items: Vec<Value> = resources.iter().map(|(id, rules)| item(account, id, day, hour, rules)).collect();
        self.snapshot_items(account, region, day, hour, &items)
    }

    /// A snapshot of any items.
    pub(crate) fn snapshot_items(&self, account: &str, region: &str, day: u8, hour: u8, items: &[Value]) -> String {
        let name = snapshot_name(account, region, day, hour);
        self.put(
            &name,
            &gz(&json!({"fileVersion": "1.0", "configSnapshotId": "6292fd47", "configurationItems": items})),
        );
        name
    }

    /// A history object of compliance items, each captured at its own hour of the day.
    pub(crate) fn history(&self, day: u8, items: &[(&str, u8, Option<Rules<'_>>)]) -> String {
        let item = |(id, hour, rules): &(&str, u8, Option<Rules<'_>>)| match rules {
            Some(rules) => item(ACCOUNT, id, day, *hour, rules),
            None => deleted(ACCOUNT, id, day, *hour),
        };
        self.history_items(ACCOUNT, REGION, day, &items.iter().map(item).collect::<Vec<_>>())
    }

    /// A history object of any items.
    pub(crate) fn history_items(&self, account: &str, region: &str, day: u8, items: &[Value]) -> String {
        let name = format!(
            "AWSLogs/{account}/Config/{region}/2026/11/{day}/ConfigHistory/{account}_Config_{region}_ConfigHistory_AWS::Config::ResourceCompliance_202611{day:02}T000000Z_202611{day:02}T060000Z_1.json.gz"
        );
        self.put(&name, &gz(&json!({"fileVersion": "1.0", "configurationItems": items})));
        name
    }

    /// Puts other bytes into an object that leave its size and modification time as they are.
    pub(crate) fn change_unseen(&self, name: &str, change: impl FnOnce(&mut [u8])) {
        let path = self.root.join(name);
        let modified = std::fs::metadata(&path).unwrap().modified().unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        change(&mut bytes);
        std::fs::write(&path, &bytes).unwrap();
        std::fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
    }
}

pub(crate) fn snapshot_name(account: &str, region: &str, day: u8, hour: u8) -> String {
    format!(
        "o-abc/AWSLogs/{account}/Config/{region}/2026/11/{day}/ConfigSnapshot/{account}_Config_{region}_ConfigSnapshot_202611{day:02}T{hour:02}0000Z_6292fd47.json.gz"
    )
}

/// The item of a resource that is gone.
pub(crate) fn deleted(account: &str, id: &str, day: u8, hour: u8) -> Value {
    let mut deleted = item(account, id, day, hour, &[]);
    deleted["configuration"] = Value::Null;
    deleted["configurationItemStatus"] = "ResourceDeleted".into();
    deleted
}

/// A conformance pack's item: AWS's verdict on it, with the rules that it names.
pub(crate) fn pack_item(account: &str, id: &str, name: &str, day: u8, hour: u8, rules: Rules<'_>) -> Value {
    let list: Vec<Value> = rules
        .iter()
        .map(|(rule, status)| json!({"configRuleName": rule, "complianceType": status, "controls": []}))
        .collect();
    let counted = |word| rules.iter().filter(|(_, status)| *status == word).count();
    let status = if counted("NON_COMPLIANT") > 0 { "NON_COMPLIANT" } else { "COMPLIANT" };
    json!({
        "configuration": {"complianceType": status, "compliantRuleCount": counted("COMPLIANT"),
                          "nonCompliantRuleCount": counted("NON_COMPLIANT"), "totalRuleCount": rules.len(),
                          "configRuleList": list},
        "configurationItemVersion": "1.3",
        "configurationItemCaptureTime": format!("2026-11-{day:02}T{hour:02}:10:20.123Z"),
        "configurationStateId": 1_795_000_000_000_i64 + i64::from(day) * 86_400_000 + i64::from(hour),
        "awsAccountId": account, "configurationItemStatus": "OK", "resourceName": name,
        "resourceType": "AWS::Config::ConformancePackCompliance", "resourceId": id, "awsRegion": REGION})
}

/// A compliance item of a bucket.
pub(crate) fn item(account: &str, id: &str, day: u8, hour: u8, rules: Rules<'_>) -> Value {
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
    gz_text(&value.to_string())
}

pub(crate) fn gz_text(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
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
