//! Configuration items: of all of them the type and the account, of compliance items what they say.
//!
//! The names are those of delivered files; where the API's form of an item differs, its names and forms are understood too.

use std::borrow::Cow;

use super::configuration::{Configuration, Source};
use super::document::{check_piece, named};
use super::json::{Fault, Kind, Scanner, Stop, Value};
use super::words::{self, MOST_ID_BYTES, MOST_NAME_BYTES, word};
use crate::collection::source::{ComplianceItem, Limits, PackItem, Reading, Sink};
use crate::compliance::Status;

const RESOURCE_TYPE: usize = 0;
const RESOURCE_ID: usize = 1;
const RESOURCE_NAME: usize = 2;
const AWS_ACCOUNT_ID: usize = 3;
const ACCOUNT_ID: usize = 4;
const CAPTURE_TIME: usize = 5;
const STATE_ID: usize = 6;
const STATUS: usize = 7;
const CONFIGURATION: usize = 8;
const NAMES: usize = 23;

/// Names that are not used have a slot too, which is the cheapest way to see that none comes twice.
fn slot_of(name: &[u8]) -> Option<usize> {
    Some(match name {
        b"resourceType" => RESOURCE_TYPE,
        b"resourceId" => RESOURCE_ID,
        b"resourceName" => RESOURCE_NAME,
        b"awsAccountId" => AWS_ACCOUNT_ID,
        b"accountId" => ACCOUNT_ID,
        b"configurationItemCaptureTime" => CAPTURE_TIME,
        b"configurationStateId" | b"configurationStateID" => STATE_ID,
        b"configurationItemStatus" => STATUS,
        b"configuration" => CONFIGURATION,
        b"relatedEvents" => 9,
        b"relationships" => 10,
        b"supplementaryConfiguration" => 11,
        b"tags" => 12,
        b"configurationItemVersion" => 13,
        b"version" => 14,
        b"ARN" => 15,
        b"arn" => 16,
        b"awsRegion" => 17,
        b"availabilityZone" => 18,
        b"configurationStateMd5Hash" => 19,
        b"configurationItemMD5Hash" => 20,
        b"resourceCreationTime" => 21,
        b"configurationItemDeliveryTime" => 22,
        _ => return None,
    })
}

/// Reads the item that `scanner` is at, which is inside `depth` containers, and counts it.
pub(super) fn read(
    scanner: &mut Scanner<'_>,
    text: &[u8],
    depth: u32,
    account_id: &str,
    limits: &Limits,
    reading: &mut Reading,
    sink: &mut impl Sink,
) -> Result<(), Stop> {
    let start = scanner.at;
    let slots: [Option<Value>; NAMES] = scanner.object(depth, slot_of)?;
    let text = check_piece(text, scanner.at, limits)?;
    let item = Item { text, slots, start };
    item.check_account(account_id)?;
    let depth = depth + 1;
    match &*item.resource_type()? {
        "AWS::Config::ResourceCompliance" => item.compliance(depth, limits, reading, sink)?,
        "AWS::Config::ConformancePackCompliance" => item.pack(depth, limits, reading, sink)?,
        _ => {}
    }
    reading.items += 1;
    Ok(())
}

struct Item<'t> {
    text: &'t str,
    slots: [Option<Value>; NAMES],
    start: usize,
}

impl<'t> Item<'t> {
    /// A member's value; a null is as good as none.
    fn get(&self, slot: usize) -> Option<Value> {
        self.slots.get(slot).copied().flatten().filter(|value| !value.is_null())
    }

    fn word(&self, slot: usize, name: &str, most_bytes: usize) -> Result<Option<Cow<'t, str>>, Fault> {
        self.get(slot).map(|value| word(self.text, value, name, most_bytes)).transpose()
    }

    fn missing(&self, what: &str) -> Fault {
        Fault::new(format!("the item has no {what}"), self.start)
    }

    fn resource_type(&self) -> Result<Cow<'t, str>, Fault> {
        let found = self.word(RESOURCE_TYPE, "resourceType", MOST_NAME_BYTES)?;
        found.filter(|word| !word.is_empty()).ok_or_else(|| self.missing("resourceType"))
    }

    fn check_account(&self, account_id: &str) -> Result<(), Fault> {
        for (slot, name) in [(AWS_ACCOUNT_ID, "awsAccountId"), (ACCOUNT_ID, "accountId")] {
            if let Some(value) = self.get(slot) {
                let found = word(self.text, value, name, MOST_NAME_BYTES)?;
                if *found != *account_id {
                    let reason =
                        format!("the item is of account {}, the object's path says {account_id}", found.escape_debug());
                    return Err(Fault::new(reason, value.start));
                }
            }
        }
        Ok(())
    }

    fn compliance(
        &self,
        depth: u32,
        limits: &Limits,
        reading: &mut Reading,
        sink: &mut impl Sink,
    ) -> Result<(), Fault> {
        let source = self.configuration(depth)?;
        let deleted = self.deleted()? || source.is_none();
        let configuration = source.as_ref().map(|source| source.read(limits)).transpose()?.unwrap_or_default();
        let (resource_type, resource_id) = self.target(&configuration)?;
        let rules = match configuration.rules {
            _ if deleted => Vec::new(),
            Some(rules) => rules,
            None => return Err(self.missing("configRuleList in its configuration")),
        };
        let (captured_at, state_id) = (self.captured_at(deleted)?, self.state_id()?);
        reading.compliance_items += 1;
        reading.evaluations += u64::try_from(rules.len()).expect("a length fits in 64 bits");
        sink.compliance(&ComplianceItem { captured_at, state_id, deleted, resource_type, resource_id, rules: &rules });
        Ok(())
    }

    fn pack(&self, depth: u32, limits: &Limits, reading: &mut Reading, sink: &mut impl Sink) -> Result<(), Fault> {
        let source = self.configuration(depth)?;
        let deleted = self.deleted()? || source.is_none();
        let configuration = source.as_ref().map(|source| source.read(limits)).transpose()?.unwrap_or_default();
        let id = self.word(RESOURCE_ID, "resourceId", MOST_NAME_BYTES)?;
        let id = id.filter(|id| !id.is_empty()).ok_or_else(|| self.missing("resourceId"))?;
        let status = match configuration.status {
            _ if deleted => Cow::Borrowed(""),
            Some(status) if !status.is_empty() => status,
            _ => return Err(self.missing("complianceType in its configuration")),
        };
        let rules = configuration.rules.filter(|_| !deleted).unwrap_or_default();
        // AWS's own counts; where it gives none, those of the list that it gives.
        let counted = |wanted: Option<Status>| {
            let count =
                rules.iter().filter(|rule| wanted.as_ref().is_none_or(|wanted| rule.status == wanted.word())).count();
            i32::try_from(count).unwrap_or(i32::MAX)
        };
        let [compliant, non_compliant, total] = configuration.counts;
        let (captured_at, state_id) = (self.captured_at(deleted)?, self.state_id()?);
        reading.pack_items += 1;
        sink.pack(&PackItem {
            captured_at,
            state_id,
            deleted,
            id,
            name: self.word(RESOURCE_NAME, "resourceName", MOST_NAME_BYTES)?.unwrap_or_default(),
            status,
            compliant_rules: compliant.unwrap_or_else(|| counted(Some(Status::Compliant))),
            non_compliant_rules: non_compliant.unwrap_or_else(|| counted(Some(Status::NonCompliant))),
            total_rules: total.unwrap_or_else(|| counted(None)),
            rules: &rules,
        });
        Ok(())
    }

    /// `None`: null, which stands for a deleted resource. An item without any `configuration` says nothing and is a fault.
    fn configuration(&self, depth: u32) -> Result<Option<Source<'t>>, Fault> {
        let value = self.slots.get(CONFIGURATION).copied().flatten();
        let value = match value {
            Some(value) => value,
            None if self.deleted()? => return Ok(None),
            None => return Err(self.missing("configuration")),
        };
        match value.kind {
            Kind::Null => Ok(None),
            Kind::Object => Ok(Some(Source::plain(self.text, value, depth))),
            Kind::String | Kind::EscapedString => {
                let decoded = value.string(self.text).map_err(|fault| named("configuration", fault))?;
                Source::encoded(decoded, value.start, depth)
            }
            _ => Err(Fault::new("configuration is neither an object nor null", value.start)),
        }
    }

    fn deleted(&self) -> Result<bool, Fault> {
        let status = self.word(STATUS, "configurationItemStatus", MOST_NAME_BYTES)?;
        Ok(matches!(status.as_deref(), Some("ResourceDeleted" | "ResourceDeletedNotRecorded")))
    }

    /// The resource that was evaluated: by the configuration, else by the item's own id, which is `TYPE/ID`.
    fn target<'c>(&self, configuration: &Configuration<'c>) -> Result<(Cow<'c, str>, Cow<'c, str>), Fault>
    where
        't: 'c,
    {
        let own = self.word(RESOURCE_ID, "resourceId", MOST_NAME_BYTES + 1 + MOST_ID_BYTES)?;
        let own = own.as_deref().and_then(|own| own.split_once('/')).unwrap_or_default();
        let chosen = |given: &Option<Cow<'c, str>>, own: &str, most_bytes: usize, name: &str| {
            let chosen = given.clone().filter(|word| !word.is_empty()).unwrap_or_else(|| Cow::Owned(own.to_owned()));
            match chosen.len() {
                0 => Err(self.missing(&format!("{name} in its configuration, nor TYPE/ID as its resourceId"))),
                length if length > most_bytes => {
                    Err(Fault::new(format!("the resourceId is longer than {most_bytes} bytes"), self.start))
                }
                _ => Ok(chosen),
            }
        };
        let resource_type = chosen(&configuration.target_type, own.0, MOST_NAME_BYTES, "targetResourceType")?;
        Ok((resource_type, chosen(&configuration.target_id, own.1, MOST_ID_BYTES, "targetResourceId")?))
    }

    /// A deleted item without a time was captured in 1970: it sorts before all others, so it ends nothing by mistake.
    fn captured_at(&self, deleted: bool) -> Result<i64, Fault> {
        match self.get(CAPTURE_TIME) {
            Some(value) => words::microseconds(self.text, value, "configurationItemCaptureTime"),
            None if deleted => Ok(0),
            None => Err(self.missing("configurationItemCaptureTime")),
        }
    }

    fn state_id(&self) -> Result<i64, Fault> {
        self.get(STATE_ID).map_or(Ok(0), |value| words::whole_number(self.text, value, "configurationStateId"))
    }
}
