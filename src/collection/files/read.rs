//! Reads one delivered object.

use std::io::Read as _;
use std::path::Path;

use flate2::read::MultiGzDecoder;
use serde_json::Value;

use crate::collection::source::{
    ComplianceItem, Limits, PackItem, Reading, RuleEntry, Sink, Unreadable,
};

/// Reads the object at `path`, which its key says is `account_id`'s, and hands its compliance items to `sink` one by one.
///
/// # Errors
///
/// The object is refused whole where any part that is used cannot be trusted. `sink` may have taken items by then.
pub fn read(
    path: &Path,
    account_id: &str,
    limits: &Limits,
    sink: &mut impl Sink,
) -> Result<Reading, Unreadable> {
    let refuse = |reason: String| Unreadable {
        reason,
        position: 0,
        unpacked: true,
        sha256: None,
    };
    let delivered = std::fs::read(path)
        .map_err(|error| refuse(format!("the file could not be read: {error}")))?;
    let mut sha256 = [0; 32];
    sha256.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, &delivered).as_ref());
    let mut text = Vec::new();
    MultiGzDecoder::new(&*delivered)
        .take(limits.unpacked_bytes)
        .read_to_end(&mut text)
        .map_err(|error| refuse(format!("it is no whole gzip: {error}")))?;
    let text = serde_json::from_slice::<Value>(&text)
        .map_err(|error| refuse(format!("it is not JSON: {error}")))?;
    let items = text
        .get("configurationItems")
        .and_then(Value::as_array)
        .ok_or_else(|| refuse("it has no configurationItems".to_owned()))?;
    let mut reading = Reading {
        sha256,
        size_bytes: u64::try_from(delivered.len()).unwrap_or(u64::MAX),
        ..Reading::default()
    };
    reading.snapshot_id = text
        .get("configSnapshotId")
        .and_then(Value::as_str)
        .map(str::to_owned);
    for item in items {
        reading.items += 1;
        one(item, account_id, &mut reading, sink)
            .map_err(|why| refuse(format!("item {}: {why}", reading.items - 1)))?;
    }
    Ok(reading)
}

fn word<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn one(
    item: &Value,
    account_id: &str,
    reading: &mut Reading,
    sink: &mut impl Sink,
) -> Result<(), String> {
    if item
        .get("awsAccountId")
        .is_some_and(|id| id.as_str() != Some(account_id))
    {
        return Err("it is of another account".to_owned());
    }
    let configuration = item.get("configuration").unwrap_or(&Value::Null);
    let captured_at = time::OffsetDateTime::parse(
        word(item, "configurationItemCaptureTime"),
        &time::format_description::well_known::Rfc3339,
    )
    .map_err(|error| error.to_string())?;
    let captured_at = i64::try_from(captured_at.unix_timestamp_nanos() / 1000)
        .map_err(|error| error.to_string())?;
    let state_id = item
        .get("configurationStateId")
        .and_then(Value::as_i64)
        .unwrap_or_default();
    let deleted = configuration.is_null()
        || word(item, "configurationItemStatus").starts_with("ResourceDeleted");
    let list = configuration
        .get("configRuleList")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let entry = |entry| RuleEntry {
        name: word(entry, "configRuleName").into(),
        arn: word(entry, "configRuleArn").into(),
        id: word(entry, "configRuleId").into(),
        status: word(entry, "complianceType").into(),
    };
    let rules: Vec<RuleEntry<'_>> = if deleted {
        Vec::new()
    } else {
        list.iter().map(entry).collect()
    };
    match word(item, "resourceType") {
        "AWS::Config::ResourceCompliance" => {
            let (resource_type, resource_id) = word(item, "resourceId")
                .split_once('/')
                .ok_or("its resourceId has no type")?;
            reading.compliance_items += 1;
            reading.evaluations += u64::try_from(rules.len()).unwrap_or(u64::MAX);
            let (resource_type, resource_id) = (resource_type.into(), resource_id.into());
            sink.compliance(&ComplianceItem {
                captured_at,
                state_id,
                deleted,
                resource_type,
                resource_id,
                rules: &rules,
            });
        }
        "AWS::Config::ConformancePackCompliance" => {
            reading.pack_items += 1;
            let count = |key| {
                configuration
                    .get(key)
                    .and_then(Value::as_i64)
                    .and_then(|n| i32::try_from(n).ok())
                    .unwrap_or_default()
            };
            sink.pack(&PackItem {
                captured_at,
                state_id,
                deleted,
                id: word(item, "resourceId").into(),
                name: word(item, "resourceName").into(),
                status: word(configuration, "complianceType").into(),
                compliant_rules: count("compliantRuleCount"),
                non_compliant_rules: count("nonCompliantRuleCount"),
                total_rules: count("totalRuleCount"),
                rules: &rules,
            });
        }
        "" => return Err("it has no resourceType".to_owned()),
        _ => {}
    }
    Ok(())
}
