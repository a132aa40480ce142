//! Configuration items as they stand in delivered files: one JSON object each, without line breaks.

use std::fmt::Write as _;

use serde_json::Value;
use time::{Duration, OffsetDateTime};

use super::bodies::{Body, moment};

/// Where an item is from, as its fields say it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin<'a> {
    pub(super) account_id: &'a str,
    /// The Region, or "global".
    pub(super) region: &'a str,
}

/// The status words of a sample. The last is none that AWS documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    Compliant,
    NonCompliant,
    InsufficientData,
    NotApplicable,
    Unknown,
}

impl Word {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Compliant => "COMPLIANT",
            Self::NonCompliant => "NON_COMPLIANT",
            Self::InsufficientData => "INSUFFICIENT_DATA",
            Self::NotApplicable => "NOT_APPLICABLE",
            Self::Unknown => "EVALUATION_PENDING",
        }
    }

    /// What stands above a list of results.
    pub(super) fn verdict(words: impl IntoIterator<Item = Self>) -> Self {
        let mut verdict = Self::InsufficientData;
        for word in words {
            match word {
                Self::NonCompliant => return Self::NonCompliant,
                Self::Compliant => verdict = Self::Compliant,
                _ => {}
            }
        }
        verdict
    }
}

/// A rule as deployed, for an item's rule list.
#[derive(Debug, Clone)]
pub(super) struct RuleName {
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) id: String,
}

/// Milliseconds since 1970 as a time.
pub(super) fn at(milliseconds: i64) -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH + Duration::milliseconds(milliseconds)
}

/// An item of an ordinary resource.
pub(super) fn ordinary(
    origin: Origin<'_>,
    resource_type: &str,
    body: &Body,
    captured: i64,
    status: &str,
    created: OffsetDateTime,
) -> String {
    let mut text = format!(
        "{{\"relatedEvents\":[],\"relationships\":{},\"configuration\":{},\"supplementaryConfiguration\":{},\"tags\":{},",
        body.relationships, body.configuration, body.supplementary, body.tags
    );
    head(&mut text, origin, captured, status, resource_type, &body.id);
    write!(
        text,
        "\"resourceName\":{},\"ARN\":{},\"awsRegion\":{},\"availabilityZone\":{},\"configurationStateMd5Hash\":\"\",\"resourceCreationTime\":{}}}",
        body.name.as_deref().map_or_else(|| "null".to_owned(), quoted),
        quoted(&body.arn),
        quoted(origin.region),
        quoted(&body.zone),
        quoted(&moment(created)),
    )
    .expect("writing to a string cannot fail");
    text
}

/// The item that says that a resource is gone.
pub(super) fn deleted(origin: Origin<'_>, resource_type: &str, id: &str, captured: i64) -> String {
    let mut text = String::from(
        "{\"relatedEvents\":[],\"relationships\":[],\"configuration\":null,\"supplementaryConfiguration\":{},\"tags\":{},",
    );
    head(&mut text, origin, captured, "ResourceDeleted", resource_type, id);
    write!(
        text,
        "\"awsRegion\":{},\"availabilityZone\":\"Not Applicable\",\"configurationStateMd5Hash\":\"\",\"resourceCreationTime\":null}}",
        quoted(origin.region)
    )
    .expect("writing to a string cannot fail");
    text
}

/// An `AWS::Config::ResourceCompliance` item.
pub(super) fn compliance<'a>(
    origin: Origin<'_>,
    resource_type: &str,
    resource_id: &str,
    captured: i64,
    first: bool,
    results: impl Iterator<Item = (&'a RuleName, Word)> + Clone,
) -> String {
    let (kind, id) = (quoted(resource_type), quoted(resource_id));
    // The relationship's name ends in a blank in AWS's files.
    let mut text = format!(
        "{{\"relatedEvents\":[],\"relationships\":[{{\"resourceId\":{id},\"resourceType\":{kind},\"name\":\"Is associated with \"}}],\"configuration\":{{\"complianceType\":\"{}\",\"targetResourceId\":{id},\"targetResourceType\":{kind},\"configRuleList\":[",
        Word::verdict(results.clone().map(|(_, word)| word)).text()
    );
    for (index, (rule, word)) in results.enumerate() {
        let comma = if index == 0 { "" } else { "," };
        write!(
            text,
            "{comma}{{\"configRuleArn\":\"{}\",\"configRuleId\":\"{}\",\"configRuleName\":\"{}\",\"complianceType\":\"{}\"}}",
            rule.arn,
            rule.id,
            rule.name,
            word.text()
        )
        .expect("writing to a string cannot fail");
    }
    text.push_str("]},\"supplementaryConfiguration\":{},\"tags\":{},");
    let status = if first { "ResourceDiscovered" } else { "OK" };
    let own_id = format!("{resource_type}/{resource_id}");
    head(&mut text, origin, captured, status, "AWS::Config::ResourceCompliance", &own_id);
    write!(text, "\"awsRegion\":{},\"configurationStateMd5Hash\":\"\"}}", quoted(origin.region))
        .expect("writing to a string cannot fail");
    text
}

/// A conformance pack as deployed.
#[derive(Debug, Clone)]
pub(super) struct PackName {
    pub(super) id: String,
    pub(super) name: String,
}

/// An `AWS::Config::ConformancePackCompliance` item.
pub(super) fn pack<'a>(
    origin: Origin<'_>,
    pack: &PackName,
    captured: i64,
    results: impl Iterator<Item = (&'a RuleName, Word)> + Clone,
) -> String {
    let count = |wanted: Word| results.clone().filter(|(_, word)| *word == wanted).count();
    let mut text = format!(
        "{{\"relatedEvents\":[],\"relationships\":[],\"configuration\":{{\"compliantRuleCount\":{},\"nonCompliantRuleCount\":{},\"totalRuleCount\":{},\"complianceType\":\"{}\",\"configRuleList\":[",
        count(Word::Compliant),
        count(Word::NonCompliant),
        results.clone().count(),
        Word::verdict(results.clone().map(|(_, word)| word)).text()
    );
    for (index, (rule, word)) in results.enumerate() {
        let comma = if index == 0 { "" } else { "," };
        write!(
            text,
            "{comma}{{\"configRuleName\":\"{}\",\"controls\":[],\"configRuleArn\":\"{}\",\"complianceType\":\"{}\"}}",
            rule.name,
            rule.arn,
            word.text()
        )
        .expect("writing to a string cannot fail");
    }
    text.push_str("]},\"supplementaryConfiguration\":{},\"tags\":{},");
    head(&mut text, origin, captured, "OK", "AWS::Config::ConformancePackCompliance", &pack.id);
    write!(
        text,
        "\"resourceName\":\"{0}\",\"ARN\":\"arn:aws:config:{1}:{2}:conformance-pack/{0}/{3}\",\"awsRegion\":\"{1}\",\"configurationStateMd5Hash\":\"\"}}",
        pack.name, origin.region, origin.account_id, pack.id
    )
    .expect("writing to a string cannot fail");
    text
}

/// The fields that every item has in the middle.
fn head(text: &mut String, origin: Origin<'_>, captured: i64, status: &str, resource_type: &str, id: &str) {
    write!(
        text,
        "\"configurationItemVersion\":\"1.3\",\"configurationItemCaptureTime\":\"{}\",\"configurationStateId\":{captured},\"awsAccountId\":\"{}\",\"configurationItemStatus\":\"{status}\",\"resourceType\":\"{resource_type}\",\"resourceId\":{},",
        moment(at(captured)),
        origin.account_id,
        quoted(id)
    )
    .expect("writing to a string cannot fail");
}

/// A string as JSON writes it.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}
