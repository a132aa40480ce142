//! The rule and framework data in the binary (`DATA.md` says where they come from), parsed once.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Severity;

/// An AWS-managed Config rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleData {
    /// AWS's identifier, e.g. `INCOMING_SSH_DISABLED`.
    pub source_identifier: String,
    /// The name that AWS gives it, e.g. `restricted-ssh`.
    pub rule_name: String,
    pub service: String,
    /// Security Hub's, the gravest where several of its controls use the rule; our judgement where it has none.
    pub severity: Severity,
    pub short_title: String,
    /// What the rule evaluates; empty where the data do not say.
    pub resource_types: Vec<String>,
}

/// A framework's requirement that a rule is related to. Related: never proof of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Control {
    pub framework: &'static str,
    pub control_id: &'static str,
    pub title: &'static str,
    pub section: &'static str,
    /// Where the relation comes from, a word of `DATA.md`.
    pub basis: &'static str,
}

/// All managed rules, sorted by identifier.
pub fn rules() -> &'static [RuleData] {
    &RULES
}

/// The managed rule with this identifier (upper case, as AWS writes it).
pub fn by_identifier(source_identifier: &str) -> Option<&'static RuleData> {
    BY_IDENTIFIER.get(source_identifier).copied()
}

/// The managed rule of this name: AWS's own, or a name that only Security Hub's service-linked variants of it have.
pub fn by_name(rule_name: &str) -> Option<&'static RuleData> {
    BY_NAME.get(rule_name).copied()
}

/// The controls that a managed rule is related to, by framework, in the data's order. Empty for an unknown identifier.
pub fn related_controls(source_identifier: &str) -> &'static [Control] {
    CONTROLS_OF_RULE.get(source_identifier).map(Vec::as_slice).unwrap_or_default()
}

/// The rules of AWS's conformance pack templates, by the template's name.
pub fn template_packs() -> &'static BTreeMap<&'static str, Vec<&'static RuleData>> {
    &TEMPLATE_PACKS
}

#[derive(Deserialize)]
struct RuleRow {
    source_identifier: String,
    rule_name: String,
    service: String,
    severity: String,
    resource_types: String,
    short_title: String,
}

#[derive(Deserialize)]
struct ControlRow {
    framework: String,
    control_id: String,
    section: String,
    title: String,
}

#[derive(Deserialize)]
struct MappingRow {
    framework: String,
    control_id: String,
    source_identifier: String,
    basis: String,
}

#[derive(Deserialize)]
struct SecurityHubRow {
    config_rule_name: String,
    source_identifier: String,
}

#[derive(Deserialize)]
struct PackRow {
    pack: String,
    source_identifier: String,
}

static RULES: LazyLock<Vec<RuleData>> = LazyLock::new(|| {
    let row = |row: RuleRow| RuleData {
        severity: Severity::parse(&row.severity),
        resource_types: row.resource_types.split(';').filter(|word| !word.is_empty()).map(str::to_owned).collect(),
        source_identifier: row.source_identifier,
        rule_name: row.rule_name,
        service: row.service,
        short_title: row.short_title,
    };
    rows(include_str!("rules.csv")).into_iter().map(row).collect()
});
static CONTROLS: LazyLock<Vec<ControlRow>> = LazyLock::new(|| rows(include_str!("controls.csv")));
static MAPPINGS: LazyLock<Vec<MappingRow>> = LazyLock::new(|| rows(include_str!("mappings.csv")));
static SECURITY_HUB: LazyLock<Vec<SecurityHubRow>> = LazyLock::new(|| rows(include_str!("securityhub.csv")));
static PACKS: LazyLock<Vec<PackRow>> = LazyLock::new(|| rows(include_str!("packs.csv")));

static BY_IDENTIFIER: LazyLock<HashMap<&str, &RuleData>> =
    LazyLock::new(|| RULES.iter().map(|rule| (rule.source_identifier.as_str(), rule)).collect());

static BY_NAME: LazyLock<HashMap<&str, &RuleData>> = LazyLock::new(|| {
    let linked = SECURITY_HUB
        .iter()
        .filter_map(|row| Some((row.config_rule_name.as_str(), by_identifier(&row.source_identifier)?)));
    // AWS's own names last: they win.
    linked.chain(RULES.iter().map(|rule| (rule.rule_name.as_str(), rule))).collect()
});

static CONTROLS_OF_RULE: LazyLock<HashMap<&str, Vec<Control>>> = LazyLock::new(|| {
    let controls: HashMap<(&str, &str), &'static ControlRow> =
        CONTROLS.iter().map(|row| ((row.framework.as_str(), row.control_id.as_str()), row)).collect();
    let mut of_rule: HashMap<&str, Vec<Control>> = HashMap::new();
    for mapping in MAPPINGS.iter() {
        let Some(row) = controls.get(&(mapping.framework.as_str(), mapping.control_id.as_str())) else {
            continue;
        };
        of_rule.entry(&mapping.source_identifier).or_default().push(Control {
            framework: &row.framework,
            control_id: &row.control_id,
            title: &row.title,
            section: &row.section,
            basis: &mapping.basis,
        });
    }
    of_rule
});

static TEMPLATE_PACKS: LazyLock<BTreeMap<&str, Vec<&RuleData>>> = LazyLock::new(|| {
    let mut packs: BTreeMap<&str, Vec<&RuleData>> = BTreeMap::new();
    for row in PACKS.iter() {
        packs.entry(&row.pack).or_default().extend(by_identifier(&row.source_identifier));
    }
    packs
});

fn rows<T: DeserializeOwned>(text: &'static str) -> Vec<T> {
    csv::Reader::from_reader(text.as_bytes())
        .into_deserialize()
        .collect::<Result<_, _>>()
        .expect("the data are part of the program, and a test reads every file")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

    use super::*;

    #[test]
    fn every_row_of_the_data_finds_what_it_refers_to() {
        assert_eq!((RULES.len(), CONTROLS.len(), MAPPINGS.len()), (560, 1159, 7552));
        assert_eq!((PACKS.len(), SECURITY_HUB.len()), (825, 451));
        assert_eq!(CONTROLS_OF_RULE.values().map(Vec::len).sum::<usize>(), MAPPINGS.len());
        assert_eq!(TEMPLATE_PACKS.values().map(Vec::len).sum::<usize>(), PACKS.len());
        assert!(MAPPINGS.iter().all(|row| by_identifier(&row.source_identifier).is_some()));
        assert!(SECURITY_HUB.iter().all(|row| by_name(&row.config_rule_name).is_some()));
        assert_eq!((BY_IDENTIFIER.len(), TEMPLATE_PACKS.len()), (560, 8));
    }

    #[test]
    fn a_rule_has_its_severity_title_types_and_related_controls() {
        let rule = by_identifier("INCOMING_SSH_DISABLED").unwrap();
        assert_eq!(by_name("restricted-ssh"), Some(rule));
        assert_eq!((rule.severity, rule.service.as_str()), (Severity::High, "EC2"));
        assert_eq!(rule.resource_types, ["AWS::EC2::SecurityGroup"]);
        assert!(!rule.short_title.is_empty());
        let controls = related_controls("INCOMING_SSH_DISABLED");
        assert!(controls.iter().any(|control| control.framework == "nist-800-53-r5" && !control.title.is_empty()));
        assert!(controls.is_sorted_by_key(|control| control.framework));
        assert_eq!(related_controls("NO_SUCH_RULE"), []);
    }

    #[test]
    fn a_name_that_only_security_hub_has_leads_to_its_managed_rule() {
        assert_eq!(by_name("restricted-rdp").unwrap().source_identifier, "RESTRICTED_INCOMING_TRAFFIC");
        assert_eq!(by_name("no-such-rule"), None);
    }
}
