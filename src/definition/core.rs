//! Rules as they were read: one form for equal ones, what changed between two readings, which differ. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::aws::config_rules::ConfigRule;

/// A rule, in a form that is equal for equal rules.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Definition {
    pub name: String,
    pub arn: String,
    pub config_rule_id: String,
    /// `AWS`, `CUSTOM_LAMBDA` or `CUSTOM_POLICY`.
    pub owner: String,
    pub source_identifier: String,
    /// JSON with its names in order; `{}` without parameters; a JSON text where AWS's was no JSON.
    pub parameters: String,
    /// JSON with its names in order; empty where the rule has no scope of its own.
    pub scope: String,
    /// JSON; empty where the rule has none.
    pub source_details: String,
    /// `One_Hour` … `TwentyFour_Hours`; empty where the rule has none.
    pub frequency: String,
    pub modes: Vec<String>,
    pub state: String,
    pub created_by: String,
    pub description: String,
}

/// Postgres keeps no NUL, and no rule has a use for one.
fn clean(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

fn canonical(text: &str) -> String {
    // An object's names come out in order: serde_json keeps them sorted.
    match serde_json::from_str::<Value>(text) {
        Ok(value @ Value::Object(_)) => value.to_string(),
        _ => Value::String(clean(text)).to_string(),
    }
}

fn scope(rule: &ConfigRule) -> String {
    let Some(scope) = &rule.scope else { return String::new() };
    let mut object = Map::new();
    let types: BTreeSet<&str> = scope.resource_types.iter().map(String::as_str).collect();
    if !types.is_empty() {
        object.insert("ComplianceResourceTypes".to_owned(), types.into_iter().collect());
    }
    let texts =
        [("ComplianceResourceId", &scope.resource_id), ("TagKey", &scope.tag_key), ("TagValue", &scope.tag_value)];
    for (name, text) in texts {
        if let Some(text) = text {
            object.insert(name.to_owned(), clean(text).into());
        }
    }
    if object.is_empty() { String::new() } else { Value::Object(object).to_string() }
}

fn source_details(rule: &ConfigRule) -> String {
    let mut details = rule.source_details.clone();
    details.sort();
    let details: Vec<Value> = details
        .iter()
        .map(|one| serde_json::json!([clean(&one.event_source), clean(&one.message_type), clean(&one.frequency)]))
        .collect();
    if details.is_empty() { String::new() } else { Value::Array(details).to_string() }
}

impl Definition {
    /// The rule as it is kept.
    pub fn of(rule: &ConfigRule) -> Self {
        let modes: BTreeSet<&String> = rule.modes.iter().collect();
        Self {
            name: clean(&rule.name),
            arn: clean(&rule.arn),
            config_rule_id: clean(&rule.id),
            owner: clean(&rule.owner),
            source_identifier: clean(&rule.source_identifier),
            parameters: rule
                .input_parameters
                .as_deref()
                .filter(|it| !it.trim().is_empty())
                .map_or_else(|| "{}".to_owned(), canonical),
            scope: scope(rule),
            source_details: source_details(rule),
            frequency: clean(rule.frequency.as_deref().unwrap_or_default()),
            modes: modes.into_iter().map(|mode| clean(mode)).collect(),
            state: clean(&rule.state),
            created_by: clean(&rule.created_by),
            description: clean(&rule.description),
        }
    }

    /// The state, in which a rule that was being evaluated when it was read is an active one.
    fn settled_state(&self) -> &str {
        if self.state == "EVALUATING" { "ACTIVE" } else { &self.state }
    }

    /// Whether two readings found the same. That AWS Config was evaluating at one of them is no change of the rule.
    pub fn same(&self, other: &Self) -> bool {
        self.settled_state() == other.settled_state()
            && Self { state: String::new(), ..self.clone() } == Self { state: String::new(), ..other.clone() }
    }
}

/// Whether a rule is of the account and the Region that were asked: an answer of another place must not pass for theirs.
pub(super) fn is_of(arn: &str, account_id: &str, region: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    matches!(parts.as_slice(), ["arn", _, "config", of_region, of_account, _] if *of_region == region && *of_account == account_id)
}

/// What a reading means for what is stored of a place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Difference {
    /// Row ids of definitions that no longer hold.
    pub(super) close: Vec<i64>,
    pub(super) open: Vec<Definition>,
}

/// Tells changed, new and vanished rules from those that stayed.
pub(super) fn difference(stored: &[(i64, Definition)], read: &[Definition]) -> Difference {
    // Pages that a change shifts can tell a rule twice: the later one speaks.
    let read: BTreeMap<&str, &Definition> = read.iter().map(|one| (one.name.as_str(), one)).collect();
    let held: BTreeMap<&str, &Definition> = stored.iter().map(|(_, one)| (one.name.as_str(), one)).collect();
    let holds = |one: &Definition| read.get(one.name.as_str()).is_some_and(|now| now.same(one));
    Difference {
        close: stored.iter().filter(|(_, one)| !holds(one)).map(|(id, _)| *id).collect(),
        open: read
            .into_values()
            .filter(|now| !held.get(now.name.as_str()).is_some_and(|one| now.same(one)))
            .cloned()
            .collect(),
    }
}

/// What a rule asks for, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    pub owner: String,
    pub source_identifier: String,
    pub parameters: String,
    pub scope: String,
    pub frequency: String,
    /// The rule's states and its creators there, each with the number of account-Regions, the most frequent first. A creator
    /// is a service's name; AWS gives none of a rule that the account made itself, and the text is empty then:
    /// <https://docs.aws.amazon.com/config/latest/APIReference/API_ConfigRule.html>.
    pub states: Vec<(String, usize)>,
    pub creators: Vec<(String, usize)>,
    /// Account and Region, in order.
    pub places: Vec<(String, String)>,
}

/// Different words with how often each is there, the most frequent first.
fn counted<'a>(words: impl IntoIterator<Item = &'a str>) -> Vec<(String, usize)> {
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    for word in words {
        *found.entry(word).or_default() += 1;
    }
    let mut counted: Vec<(String, usize)> = found.into_iter().map(|(word, number)| (word.to_owned(), number)).collect();
    counted.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
    counted
}

impl Variant {
    pub fn accounts(&self) -> usize {
        self.places.iter().map(|(account, _)| account).collect::<BTreeSet<_>>().len()
    }
}

/// Groups definitions by what they ask for: the one in most places first.
pub fn variants<'a>(definitions: impl IntoIterator<Item = (&'a str, &'a str, &'a Definition)>) -> Vec<Variant> {
    let mut found: BTreeMap<[&str; 5], BTreeMap<(&str, &str), &Definition>> = BTreeMap::new();
    for (account, region, one) in definitions {
        let key = [
            one.owner.as_str(),
            one.source_identifier.as_str(),
            one.parameters.as_str(),
            one.scope.as_str(),
            one.frequency.as_str(),
        ];
        found.entry(key).or_default().insert((account, region), one);
    }
    let mut variants: Vec<Variant> = found
        .into_iter()
        .map(|([owner, source_identifier, parameters, scope, frequency], places)| Variant {
            owner: owner.to_owned(),
            source_identifier: source_identifier.to_owned(),
            parameters: parameters.to_owned(),
            scope: scope.to_owned(),
            frequency: frequency.to_owned(),
            states: counted(places.values().map(|one| one.settled_state())),
            creators: counted(places.values().map(|one| one.created_by.as_str())),
            places: places.into_keys().map(|(account, region)| (account.to_owned(), region.to_owned())).collect(),
        })
        .collect();
    variants.sort_by_key(|variant| std::cmp::Reverse(variant.places.len()));
    variants
}

/// One thing that differs between two definitions of a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// "parameter maxAccessKeyAge", "scope" …
    pub what: String,
    /// `None`: it was not there.
    pub old: Option<String>,
    /// `None`: it is not there.
    pub new: Option<String>,
}

/// What differs, parameter by parameter, then the rest that decides what a rule asks for.
pub(crate) fn changes(old: &Definition, new: &Definition) -> Vec<Change> {
    let mut found = parameter_changes(&old.parameters, &new.parameters);
    let others = [
        ("scope", &old.scope, &new.scope),
        ("frequency", &old.frequency, &new.frequency),
        ("identifier", &old.source_identifier, &new.source_identifier),
        ("owner", &old.owner, &new.owner),
        ("trigger", &old.source_details, &new.source_details),
    ];
    let some = |text: &String| (!text.is_empty()).then(|| text.clone());
    for (what, old, new) in others {
        if old != new {
            found.push(Change { what: what.to_owned(), old: some(old), new: some(new) });
        }
    }
    found
}

fn parameter_changes(old: &str, new: &str) -> Vec<Change> {
    let objects = serde_json::from_str(old).ok().zip(serde_json::from_str(new).ok());
    let Some((Value::Object(one), Value::Object(other))) = objects else {
        let whole = Change { what: "parameters".to_owned(), old: Some(old.to_owned()), new: Some(new.to_owned()) };
        return if old == new { Vec::new() } else { vec![whole] };
    };
    let names: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    names
        .into_iter()
        .filter(|name| one.get(*name) != other.get(*name))
        .map(|name| Change {
            what: format!("parameter {name}"),
            old: one.get(name).map(plain),
            new: other.get(name).map(plain),
        })
        .collect()
}

/// A value as a person wrote it: texts without their quotes.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Changes in words: `parameter maxAccessKeyAge: 90 → 180; frequency: none → One_Hour`.
pub(crate) fn change_words(changes: &[Change]) -> String {
    let side = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
    let words: Vec<String> =
        changes.iter().map(|one| format!("{}: {} → {}", one.what, side(&one.old), side(&one.new))).collect();
    words.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::config_rules::RuleScope;

    fn rule(name: &str, parameters: &str) -> Definition {
        let rule = ConfigRule {
            name: name.to_owned(),
            input_parameters: Some(parameters.to_owned()),
            state: "ACTIVE".to_owned(),
            ..ConfigRule::default()
        };
        Definition::of(&rule)
    }

    #[test]
    fn the_order_of_parameters_and_of_types_is_no_difference() {
        assert_eq!(rule("r", r#"{"b": "1", "a": "2"}"#), rule("r", r#" {"a":"2","b":"1"}"#));
        assert_eq!(rule("r", "").parameters, "{}");
        assert_eq!(rule("r", "not json").parameters, r#""not json""#);
        let scoped = |types: &[&str]| {
            let resource_types = types.iter().map(|it| (*it).to_owned()).collect();
            let scope = Some(RuleScope { resource_types, ..RuleScope::default() });
            Definition::of(&ConfigRule { scope, ..ConfigRule::default() }).scope
        };
        assert_eq!(scoped(&["b", "a"]), scoped(&["a", "b"]));
        assert_eq!(scoped(&[]), "");
    }

    #[test]
    fn a_reading_closes_what_changed_or_went_and_opens_what_is_new() {
        let stored = [(1, rule("same", "{}")), (2, rule("changed", r#"{"a":"1"}"#)), (3, rule("gone", "{}"))];
        let evaluating = Definition { state: "EVALUATING".to_owned(), ..rule("same", "{}") };
        let read = [evaluating, rule("changed", r#"{"a":"2"}"#), rule("new", "{}")];
        let difference = difference(&stored, &read);
        assert_eq!(difference.close, [2, 3]);
        let opened: Vec<&str> = difference.open.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(opened, ["changed", "new"]);
        let deleting = Definition { state: "DELETING".to_owned(), ..rule("same", "{}") };
        assert!(!deleting.same(&rule("same", "{}")));
    }

    #[test]
    fn a_change_names_each_parameter_with_both_values() {
        let old = rule("r", r#"{"age":"90","gone":"x","kept":"1"}"#);
        let new = Definition { frequency: "One_Hour".to_owned(), ..rule("r", r#"{"age":"180","new":7,"kept":"1"}"#) };
        assert_eq!(
            change_words(&changes(&old, &new)),
            "parameter age: 90 → 180; parameter gone: x → none; parameter new: none → 7; frequency: none → One_Hour"
        );
        assert!(changes(&old, &Definition { state: "DELETING".to_owned(), ..old.clone() }).is_empty());
        assert_eq!(changes(&rule("r", "text"), &rule("r", "{}")).len(), 1);
    }

    #[test]
    fn variants_stand_with_the_most_frequent_first() {
        let (usual, other) = (rule("r", r#"{"age":"90"}"#), rule("r", r#"{"age":"180"}"#));
        let found = variants([("1", "a", &other), ("2", "a", &usual), ("2", "b", &usual), ("3", "a", &usual)]);
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].accounts(), found[0].places.len()), (2, 3));
        assert_eq!(found[1].places, [("1".to_owned(), "a".to_owned())]);
    }

    #[test]
    fn who_made_a_rule_and_its_state_make_no_variant_and_are_told_with_it() {
        let made = |by: &str, state: &str| Definition {
            created_by: by.to_owned(),
            state: state.to_owned(),
            ..rule("r", "{}")
        };
        let (own, service) = (made("", "ACTIVE"), made("securityhub.amazonaws.com", "EVALUATING"));
        let going = made("securityhub.amazonaws.com", "DELETING");
        let found = variants([("1", "a", &own), ("2", "a", &service), ("3", "a", &going)]);
        assert_eq!(found.len(), 1);
        let counts = |counts: &[(&str, usize)]| {
            counts.iter().map(|(word, number)| ((*word).to_owned(), *number)).collect::<Vec<_>>()
        };
        assert_eq!(found[0].creators, counts(&[("securityhub.amazonaws.com", 2), ("", 1)]));
        assert_eq!(found[0].states, counts(&[("ACTIVE", 2), ("DELETING", 1)]));
    }

    #[test]
    fn a_rule_of_another_place_is_told_by_its_arn() {
        let arn = "arn:aws:config:eu-central-1:111122223333:config-rule/config-rule-abc";
        assert!(is_of(arn, "111122223333", "eu-central-1"));
        assert!(!is_of(arn, "111122223334", "eu-central-1"));
        assert!(!is_of(arn, "111122223333", "eu-west-1"));
        assert!(!is_of("", "111122223333", "eu-central-1"));
    }
}
