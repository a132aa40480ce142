//! What AWS says of a report's version or of an agreement: fields by AWS's own names. Every field is optional in AWS's
//! model, and a field that is not known here is kept all the same.

use std::collections::BTreeMap;

use serde_json::Value;
use time::format_description::well_known::Rfc3339;
use time::{Date, OffsetDateTime, UtcOffset};

/// Fields in the order of their names. Times are RFC 3339 in UTC, however they were written.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Facts(pub(super) BTreeMap<String, Value>);

/// Fields that hold times: of `ReportSummary`, `ReportDetail` and `CustomerAgreementSummary`,
/// <https://docs.aws.amazon.com/artifact/latest/APIReference/API_Types.html>.
const TIMES: [&str; 7] =
    ["createdAt", "deletedAt", "effectiveEnd", "effectiveStart", "lastModifiedAt", "periodEnd", "periodStart"];

impl Facts {
    /// Takes an object of an answer; what of it is not understood comes back in words, and is kept as it was.
    pub(super) fn of(fields: serde_json::Map<String, Value>) -> (Self, Vec<String>) {
        let mut facts = BTreeMap::new();
        let mut problems = Vec::new();
        for (name, mut value) in fields {
            clean(&mut value);
            // Absent and null are the same to AWS.
            if value.is_null() {
                continue;
            }
            let value = if TIMES.contains(&name.as_str()) {
                if let Some(text) = moment(&value).and_then(|at| at.format(&Rfc3339).ok()) {
                    Value::String(text)
                } else {
                    problems.push(format!("{name} is no time: {value}"));
                    value
                }
            } else {
                value
            };
            facts.insert(name.replace('\0', "\u{fffd}"), value);
        }
        (Self(facts), problems)
    }

    /// A field's text; empty where it is absent or no text.
    pub(super) fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// A field's list of texts, with semicolons between; empty where it is absent.
    pub(super) fn texts(&self, name: &str) -> String {
        let texts = self.0.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        texts.collect::<Vec<_>>().join("; ")
    }

    /// The day of a field's time, UTC.
    pub(super) fn day(&self, name: &str) -> Option<Date> {
        self.0.get(name).and_then(moment).map(OffsetDateTime::date)
    }

    /// Fields whose values differ, each with both values in words.
    pub(super) fn changes(&self, newer: &Self) -> Vec<(String, String, String)> {
        let names: std::collections::BTreeSet<&String> = self.0.keys().chain(newer.0.keys()).collect();
        let words = |value: Option<&Value>| match value {
            None => "not given".to_owned(),
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
        };
        names
            .into_iter()
            .filter(|name| self.0.get(*name) != newer.0.get(*name))
            .map(|name| (name.clone(), words(self.0.get(name)), words(newer.0.get(name))))
            .collect()
    }
}

/// Postgres holds no NUL: it is shown as the character that stands for one that cannot be.
fn clean(value: &mut Value) {
    match value {
        Value::String(text) if text.contains('\0') => *text = text.replace('\0', "\u{fffd}"),
        Value::Array(values) => values.iter_mut().for_each(clean),
        Value::Object(fields) => {
            let cleaned = std::mem::take(fields).into_iter().map(|(name, mut value)| {
                clean(&mut value);
                (name.replace('\0', "\u{fffd}"), value)
            });
            *fields = cleaned.collect();
        }
        _ => {}
    }
}

/// ISO 8601, or seconds since 1970: the AWS CLI writes either (`cli_timestamp_format`).
fn moment(value: &Value) -> Option<OffsetDateTime> {
    let at = match value {
        Value::String(text) => OffsetDateTime::parse(text, &Rfc3339).ok()?,
        Value::Number(seconds) => {
            let since = time::Duration::checked_seconds_f64(seconds.as_f64()?)?;
            OffsetDateTime::UNIX_EPOCH.checked_add(since)?
        }
        _ => return None,
    };
    at.checked_to_offset(UtcOffset::UTC)
}

#[cfg(test)]
pub(super) mod tests {
    use time::macros::date;

    use super::*;

    pub(crate) fn facts(value: Value) -> Facts {
        let Value::Object(fields) = value else { panic!("an object") };
        let (facts, problems) = Facts::of(fields);
        assert!(problems.is_empty(), "{problems:?}");
        facts
    }

    #[test]
    fn a_time_is_the_same_however_it_was_written() {
        let text = facts(serde_json::json!({"periodEnd": "2026-10-01T01:30:00+02:00", "name": null}));
        let seconds = facts(serde_json::json!({"periodEnd": 1_790_811_000}));
        assert_eq!(text, seconds);
        assert_eq!(text.day("periodEnd"), Some(date!(2026 - 09 - 30)), "the day is UTC's");
    }

    #[test]
    fn what_is_no_time_is_said_and_kept() {
        let Value::Object(fields) = serde_json::json!({"periodEnd": "soon", "novel": {"a": 1}}) else { panic!() };
        let (facts, problems) = Facts::of(fields);
        assert_eq!(problems, ["periodEnd is no time: \"soon\""]);
        assert_eq!((facts.day("periodEnd"), facts.text("periodEnd")), (None, "soon"));
        assert!(facts.0.contains_key("novel"));
    }

    #[test]
    fn a_nul_does_not_reach_the_store() {
        let nul = facts(serde_json::json!({"name": "a\u{0}b", "novel": [{"x\u{0}": "\u{0}"}]}));
        assert_eq!(nul.text("name"), "a\u{fffd}b");
        assert!(!serde_json::to_string(&nul.0).expect("facts are JSON").contains("\\u0000"));
    }

    #[test]
    fn changes_name_each_field_with_both_values() {
        let before = facts(serde_json::json!({"name": "SOC 2", "version": 2, "state": "PUBLISHED"}));
        let after = facts(serde_json::json!({"name": "SOC 2", "version": 3, "series": "SOC"}));
        let found = before.changes(&after);
        let found: Vec<(&str, &str, &str)> =
            found.iter().map(|(a, b, c)| (a.as_str(), b.as_str(), c.as_str())).collect();
        assert_eq!(found, [("series", "not given", "SOC"), ("state", "PUBLISHED", "not given"), ("version", "2", "3")]);
    }
}
