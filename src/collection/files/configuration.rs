//! The `configuration` of compliance items: what AWS Config says of a resource, or of a conformance pack, and of which rules.

use std::borrow::Cow;

use super::document::named;
use super::json::{Fault, Kind, Scanner, Stop, Value};
use super::words::{self, MOST_ID_BYTES, MOST_NAME_BYTES, word};
use crate::collection::source::{Limits, RuleEntry};

/// Where a configuration's text is: in the item, or decoded from a string of JSON (the API's form).
pub(super) struct Source<'t> {
    text: Cow<'t, str>,
    start: usize,
    end: usize,
    /// Containers around it.
    depth: u32,
    /// Where in the item the string of JSON starts.
    encoded_at: Option<usize>,
}

const LIST: usize = 3;

/// What is taken from a configuration of either kind.
#[derive(Debug, Default)]
pub(super) struct Configuration<'t> {
    pub(super) target_type: Option<Cow<'t, str>>,
    pub(super) target_id: Option<Cow<'t, str>>,
    pub(super) status: Option<Cow<'t, str>>,
    /// Compliant, non-compliant, all.
    pub(super) counts: [Option<i32>; 3],
    pub(super) rules: Option<Vec<RuleEntry<'t>>>,
}

fn slot_of(name: &[u8]) -> Option<usize> {
    Some(match name {
        b"complianceType" => 0,
        b"targetResourceType" => 1,
        b"targetResourceId" => 2,
        b"configRuleList" => LIST,
        b"compliantRuleCount" => 4,
        b"nonCompliantRuleCount" => 5,
        b"totalRuleCount" => 6,
        _ => return None,
    })
}

fn slot_of_rule(name: &[u8]) -> Option<usize> {
    Some(match name {
        b"configRuleName" => 0,
        b"configRuleArn" => 1,
        b"configRuleId" => 2,
        b"complianceType" => 3,
        b"controls" => 4,
        _ => return None,
    })
}

impl<'t> Source<'t> {
    /// An object within the item's text.
    pub(super) fn plain(text: &'t str, value: Value, depth: u32) -> Self {
        Self { text: Cow::Borrowed(text), start: value.start, end: value.end, depth, encoded_at: None }
    }

    /// A string of JSON that starts at `at` of the item's text. `None` where the JSON is null.
    pub(super) fn encoded(text: Cow<'t, str>, at: usize, depth: u32) -> Result<Option<Self>, Fault> {
        let trimmed = text.trim_matches([' ', '\n', '\r', '\t']);
        if trimmed == "null" {
            return Ok(None);
        }
        if !trimmed.starts_with('{') {
            return Err(Fault::new("configuration is a string that holds no JSON object", at));
        }
        Ok(Some(Self { start: 0, end: text.len(), text, depth, encoded_at: Some(at) }))
    }

    pub(super) fn read(&self, limits: &Limits) -> Result<Configuration<'_>, Fault> {
        self.scan(limits).map_err(|stop| {
            let fault = match stop {
                Stop::Bad(fault) => *fault,
                Stop::End => Fault::new("not JSON: the text ends in the middle", self.end),
            };
            match self.encoded_at {
                Some(at) => Fault { at, ..named("in the JSON that configuration holds as a string", fault) },
                None => fault,
            }
        })
    }

    fn scan(&self, limits: &Limits) -> Result<Configuration<'_>, Stop> {
        let text = self.text.get(..self.end).unwrap_or_default();
        let mut scanner = Scanner::new(text.as_bytes(), self.start, limits.depth);
        let mut rules = None;
        let slots: [Option<Value>; 7] = scanner.object_with(self.depth, slot_of, |scanner, slot| {
            if slot == Some(LIST) && scanner.peek()? == b'[' {
                let start = scanner.at;
                rules = Some(self::rules(scanner, text, self.depth + 1)?);
                return Ok(Value { kind: Kind::Array, start, end: scanner.at });
            }
            scanner.value(self.depth + 1)
        })?;
        if scanner.peek().is_ok() {
            return scanner.expected("the end");
        }
        let get = |slot: usize| slots.get(slot).copied().flatten().filter(|value| !value.is_null());
        let text_of = |slot, name, most| get(slot).map(|value| word(text, value, name, most)).transpose();
        let count_of = |slot, name| get(slot).map(|value| words::count(text, value, name)).transpose();
        if let Some(list) = get(LIST).filter(|list| list.kind != Kind::Array) {
            return Err(Fault::new("configRuleList is not an array", list.start).into());
        }
        Ok(Configuration {
            status: text_of(0, "complianceType", MOST_NAME_BYTES)?,
            target_type: text_of(1, "targetResourceType", MOST_NAME_BYTES)?,
            target_id: text_of(2, "targetResourceId", MOST_ID_BYTES)?,
            counts: [
                count_of(4, "compliantRuleCount")?,
                count_of(5, "nonCompliantRuleCount")?,
                count_of(6, "totalRuleCount")?,
            ],
            rules,
        })
    }
}

/// Takes the list that `scanner` is at, which is inside `depth` containers.
fn rules<'t>(scanner: &mut Scanner<'_>, text: &'t str, depth: u32) -> Result<Vec<RuleEntry<'t>>, Stop> {
    scanner.take(b'[')?;
    scanner.check_depth(depth)?;
    let mut rules = Vec::new();
    while scanner.more_elements(rules.is_empty())? {
        rules.push(rule(scanner, text, depth + 1).map_err(|stop| match stop {
            Stop::Bad(fault) => named(&format!("configRuleList[{}]", rules.len()), *fault).into(),
            Stop::End => Stop::End,
        })?);
    }
    Ok(rules)
}

fn rule<'t>(scanner: &mut Scanner<'_>, text: &'t str, depth: u32) -> Result<RuleEntry<'t>, Stop> {
    scanner.peek()?;
    let start = scanner.at;
    let slots: [Option<Value>; 5] = scanner.object(depth, slot_of_rule)?;
    let text_of = |slot: usize, name, most| match slots.get(slot).copied().flatten() {
        Some(value) if !value.is_null() => word(text, value, name, most).map(Some),
        _ => Ok(None),
    };
    let needed = |slot, name| match text_of(slot, name, MOST_NAME_BYTES)? {
        Some(word) if !word.is_empty() => Ok(word),
        _ => Err(Fault::new(format!("the rule has no {name}"), start)),
    };
    Ok(RuleEntry {
        name: needed(0, "configRuleName")?,
        arn: text_of(1, "configRuleArn", MOST_ID_BYTES)?.unwrap_or_default(),
        id: text_of(2, "configRuleId", MOST_NAME_BYTES)?.unwrap_or_default(),
        status: needed(3, "complianceType")?,
    })
}
