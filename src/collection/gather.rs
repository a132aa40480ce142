//! Takes what a reader finds and makes one day's truth of it.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::source::{ComplianceItem, PackItem, Sink};
use crate::compliance::status;

/// Gives each different text a small number, in order of first sight.
#[derive(Debug, Default)]
pub(super) struct Interner {
    numbers: FxHashMap<Box<str>, u32>,
    texts: Vec<Box<str>>,
}

impl Interner {
    pub(super) fn number(&mut self, text: &str) -> u32 {
        if let Some(&number) = self.numbers.get(text) {
            return number;
        }
        let number = u32::try_from(self.texts.len()).expect("fewer than 2^32 names fit in memory");
        self.numbers.insert(text.into(), number);
        self.texts.push(text.into());
        number
    }

    /// The texts by number.
    pub(super) fn texts(&self) -> &[Box<str>] {
        &self.texts
    }
}

/// An ARN and configRuleId that a rule was delivered with.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Attribute {
    pub rule: u32,
    pub arn: Box<str>,
    pub config_rule_id: Box<str>,
}

/// All names of one place, kept from object to object.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub rules: Interner,
    pub resource_types: Interner,
    pub statuses: Interner,
    /// Conformance packs by resourceId, with their names as last delivered.
    pub packs: Interner,
    pub pack_names: Vec<Box<str>>,
    resources: Vec<FxHashMap<Box<str>, u32>>,
    /// (resource type, id) by number.
    pub resource_list: Vec<(u32, Box<str>)>,
    /// By rule: the attribute last seen.
    last_attributes: Vec<Option<Attribute>>,
}

impl Names {
    pub(super) fn resource(&mut self, resource_type: &str, id: &str) -> u32 {
        let resource_type = self.resource_types.number(resource_type);
        let at = usize::try_from(resource_type).expect("u32 fits usize");
        if self.resources.len() <= at {
            self.resources.resize_with(at + 1, FxHashMap::default);
        }
        if let Some(&number) = self.resources[at].get(id) {
            return number;
        }
        let number = u32::try_from(self.resource_list.len()).expect("fewer than 2^32 resources fit in memory");
        self.resources[at].insert(id.into(), number);
        self.resource_list.push((resource_type, id.into()));
        number
    }

    /// A conformance pack; `name` is kept unless it is empty.
    pub(super) fn pack(&mut self, id: &str, name: &str) -> u32 {
        let pack = self.packs.number(id);
        let at = usize::try_from(pack).expect("u32 fits usize");
        if self.pack_names.len() <= at {
            self.pack_names.resize_with(at + 1, Box::default);
        }
        if !name.is_empty() {
            self.pack_names[at] = name.into();
        }
        pack
    }
}

/// One compliance item, in numbers of [`Names`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Item {
    pub resource: u32,
    /// Microseconds since 1970.
    pub captured_at: i64,
    pub state_id: i64,
    pub deleted: bool,
    first_entry: usize,
    end_entry: usize,
}

/// One conformance-pack item, in numbers of [`Names`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PackVerdict {
    pub pack: u32,
    captured_at: i64,
    state_id: i64,
    deleted: bool,
    pub status: u32,
    pub compliant_rules: i32,
    pub non_compliant_rules: i32,
    pub total_rules: i32,
}

impl PackVerdict {
    /// A verdict that speaks. Counts: compliant, non-compliant, all rules.
    pub(super) fn said(pack: u32, status: u32, [compliant_rules, non_compliant_rules, total_rules]: [i32; 3]) -> Self {
        Self {
            pack,
            captured_at: 0,
            state_id: 0,
            deleted: false,
            status,
            compliant_rules,
            non_compliant_rules,
            total_rules,
        }
    }
}

/// What one object held.
#[derive(Debug)]
pub(super) struct Gatherer<'a> {
    names: &'a mut Names,
    pub items: Vec<Item>,
    /// (rule, status) of the items' rule lists, one after the other.
    entries: Vec<(u32, u32)>,
    packs: Vec<PackVerdict>,
    /// Rules that a pack's list names, whether they evaluated anything or not.
    pack_rules: Vec<u32>,
    pub attributes: Vec<Attribute>,
}

/// Why an evaluation that was read is not stored, in words.
pub(super) mod left_out {
    pub(crate) const OLDER_ITEM: &str = "an older item of the same resource in the same object";
    pub(crate) const DELETED: &str = "the resource is deleted";
    pub(crate) const RULE_TWICE: &str = "the same rule twice in one item; the graver status is kept";
}

/// One evaluation of a day, in numbers of [`Names`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Evaluation {
    pub rule: u32,
    pub resource: u32,
    pub status: u32,
    pub captured_at: i64,
}

/// What a snapshot says of its day.
#[derive(Debug, Default)]
pub(super) struct DayTruth {
    pub evaluations: Vec<Evaluation>,
    /// Rules that exist, ascending.
    pub rules: Vec<u32>,
    pub packs: Vec<PackVerdict>,
    pub left_out: BTreeMap<&'static str, u64>,
}

impl<'a> Gatherer<'a> {
    pub(super) fn new(names: &'a mut Names) -> Self {
        Self { names, items: vec![], entries: vec![], packs: vec![], pack_rules: vec![], attributes: vec![] }
    }

    /// The rule list of an item with the graver status where a rule stands twice.
    pub(super) fn entries(&self, item: &Item) -> &[(u32, u32)] {
        &self.entries[item.first_entry..item.end_entry]
    }

    fn note_attribute(&mut self, rule: u32, arn: &str, config_rule_id: &str) {
        if arn.is_empty() && config_rule_id.is_empty() {
            return;
        }
        let at = usize::try_from(rule).expect("u32 fits usize");
        let last = &mut self.names.last_attributes;
        if last.len() <= at {
            last.resize_with(at + 1, || None);
        }
        if last[at].as_ref().is_some_and(|last| *last.arn == *arn && *last.config_rule_id == *config_rule_id) {
            return;
        }
        let attribute = Attribute { rule, arn: arn.into(), config_rule_id: config_rule_id.into() };
        last[at] = Some(attribute.clone());
        self.attributes.push(attribute);
    }

    /// The items as a history object gives them: each with its whole rule list.
    pub(super) fn history(&self, left_out: &mut BTreeMap<&'static str, u64>) -> Vec<(Item, Vec<(u32, u32)>)> {
        let mut doubled = 0;
        let items = self
            .items
            .iter()
            .map(|item| {
                let mut list = self.entries(item).to_vec();
                gravest_of_each_rule(&mut list, &self.names.statuses);
                doubled += self.entries(item).len() - list.len();
                (*item, list)
            })
            .collect();
        if doubled > 0 {
            left_out.insert(left_out::RULE_TWICE, u64::try_from(doubled).expect("usize fits u64"));
        }
        items
    }

    /// The day's truth: the newest item of each resource, the newest verdict of each pack.
    pub(super) fn day(mut self) -> DayTruth {
        let mut truth = DayTruth::default();
        let mut leave_out = |reason, count: usize| {
            if count > 0 {
                *truth.left_out.entry(reason).or_default() += u64::try_from(count).expect("usize fits u64");
            }
        };
        // Stable: of two items with equal times the later one in the file speaks.
        self.items.sort_by_key(|item| (item.resource, item.captured_at, item.state_id));
        let mut list: Vec<(u32, u32)> = vec![];
        for (at, item) in self.items.iter().enumerate() {
            let entries = self.entries(item);
            if self.items.get(at + 1).is_some_and(|next| next.resource == item.resource) {
                leave_out(left_out::OLDER_ITEM, entries.len());
                continue;
            }
            if item.deleted {
                leave_out(left_out::DELETED, entries.len());
                continue;
            }
            list.clear();
            list.extend_from_slice(entries);
            gravest_of_each_rule(&mut list, &self.names.statuses);
            leave_out(left_out::RULE_TWICE, entries.len() - list.len());
            truth.evaluations.extend(list.iter().map(|&(rule, status)| Evaluation {
                rule,
                resource: item.resource,
                status,
                captured_at: item.captured_at,
            }));
        }
        truth.rules = truth.evaluations.iter().map(|evaluation| evaluation.rule).chain(self.pack_rules).collect();
        truth.rules.sort_unstable();
        truth.rules.dedup();
        self.packs.sort_by_key(|pack| (pack.pack, pack.captured_at, pack.state_id));
        truth.packs = self
            .packs
            .iter()
            .enumerate()
            .filter(|(at, pack)| self.packs.get(at + 1).is_none_or(|next| next.pack != pack.pack) && !pack.deleted)
            .map(|(_, pack)| *pack)
            .collect();
        truth
    }
}

/// How grave a status word is: of two readings the graver one counts.
fn gravity(word: &str) -> u8 {
    match word {
        "NON_COMPLIANT" => 4,
        "INSUFFICIENT_DATA" => 2,
        "COMPLIANT" => 1,
        "NOT_APPLICABLE" => 0,
        _ => 3,
    }
}

/// Keeps one entry a rule: the gravest.
pub(super) fn gravest_of_each_rule(list: &mut Vec<(u32, u32)>, statuses: &Interner) {
    let words = statuses.texts();
    let grave = |status: u32| gravity(&words[usize::try_from(status).expect("u32 fits usize")]);
    list.sort_by_key(|&(rule, status)| (rule, std::cmp::Reverse(grave(status))));
    list.dedup_by_key(|(rule, _)| *rule);
}

/// The row id of one of AWS's four words in table `status`; `None` for any other word.
pub(super) fn known_status_id(word: &str) -> Option<i16> {
    match word {
        "COMPLIANT" => Some(status::COMPLIANT),
        "NON_COMPLIANT" => Some(status::NON_COMPLIANT),
        "INSUFFICIENT_DATA" => Some(status::INSUFFICIENT_DATA),
        "NOT_APPLICABLE" => Some(status::NOT_APPLICABLE),
        _ => None,
    }
}

impl Sink for Gatherer<'_> {
    fn compliance(&mut self, item: &ComplianceItem<'_>) {
        let resource = self.names.resource(&item.resource_type, &item.resource_id);
        let first_entry = self.entries.len();
        for entry in item.rules {
            let rule = self.names.rules.number(&entry.name);
            let status = self.names.statuses.number(&entry.status);
            self.entries.push((rule, status));
            self.note_attribute(rule, &entry.arn, &entry.id);
        }
        self.items.push(Item {
            resource,
            captured_at: item.captured_at,
            state_id: item.state_id,
            deleted: item.deleted,
            first_entry,
            end_entry: self.entries.len(),
        });
    }

    fn pack(&mut self, item: &PackItem<'_>) {
        let pack = self.names.pack(&item.id, &item.name);
        if !item.deleted {
            for entry in item.rules {
                let rule = self.names.rules.number(&entry.name);
                self.pack_rules.push(rule);
            }
        }
        self.packs.push(PackVerdict {
            pack,
            captured_at: item.captured_at,
            state_id: item.state_id,
            deleted: item.deleted,
            status: self.names.statuses.number(&item.status),
            compliant_rules: item.compliant_rules,
            non_compliant_rules: item.non_compliant_rules,
            total_rules: item.total_rules,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::source::RuleEntry;
    use super::*;

    fn item<'a>(id: &'a str, captured_at: i64, deleted: bool, rules: &'a [RuleEntry<'a>]) -> ComplianceItem<'a> {
        let resource_type = "AWS::S3::Bucket".into();
        ComplianceItem { captured_at, state_id: captured_at, deleted, resource_type, resource_id: id.into(), rules }
    }

    fn rule<'a>(name: &'a str, status: &'a str) -> RuleEntry<'a> {
        RuleEntry { name: name.into(), arn: "".into(), id: "".into(), status: status.into() }
    }

    fn said(names: &Names, truth: &DayTruth) -> Vec<(String, String, String)> {
        let text = |interner: &Interner, number: u32| {
            super::super::place::at(&interner.texts().iter().collect::<Vec<_>>(), number).to_string()
        };
        truth
            .evaluations
            .iter()
            .map(|evaluation| {
                (
                    text(&names.rules, evaluation.rule),
                    names.resource_list[usize::try_from(evaluation.resource).unwrap_or(usize::MAX)].1.to_string(),
                    text(&names.statuses, evaluation.status),
                )
            })
            .collect()
    }

    #[test]
    fn the_newest_item_of_a_resource_speaks_whatever_its_place_in_the_file() {
        let mut names = Names::default();
        let mut gatherer = Gatherer::new(&mut names);
        gatherer.compliance(&item("a", 20, false, &[rule("r", "NON_COMPLIANT")]));
        gatherer.compliance(&item("a", 10, false, &[rule("r", "COMPLIANT"), rule("s", "COMPLIANT")]));
        gatherer.compliance(&item("b", 10, true, &[rule("r", "COMPLIANT")]));
        let truth = gatherer.day();
        assert_eq!(said(&names, &truth), [("r".into(), "a".into(), "NON_COMPLIANT".into())]);
        assert_eq!(truth.left_out, BTreeMap::from([(left_out::OLDER_ITEM, 2), (left_out::DELETED, 1)]));
    }

    #[test]
    fn a_rule_that_stands_twice_is_read_in_the_graver_way() {
        let mut names = Names::default();
        let mut gatherer = Gatherer::new(&mut names);
        let rules = [rule("r", "COMPLIANT"), rule("r", "NON_COMPLIANT"), rule("s", "MAYBE"), rule("s", "COMPLIANT")];
        gatherer.compliance(&item("a", 1, false, &rules));
        let truth = gatherer.day();
        let words: Vec<_> = said(&names, &truth).into_iter().map(|(_, _, status)| status).collect();
        assert_eq!(words, ["NON_COMPLIANT", "MAYBE"]);
        assert_eq!(truth.left_out, BTreeMap::from([(left_out::RULE_TWICE, 2)]));
    }

    #[test]
    fn a_rule_exists_when_only_a_pack_names_it() {
        let mut names = Names::default();
        let mut gatherer = Gatherer::new(&mut names);
        gatherer.pack(&PackItem {
            captured_at: 1,
            state_id: 1,
            deleted: false,
            id: "conformance-pack-abc".into(),
            name: "Pack".into(),
            status: "COMPLIANT".into(),
            compliant_rules: 1,
            non_compliant_rules: 0,
            total_rules: 1,
            rules: &[rule("r-conformance-pack-abc", "COMPLIANT")],
        });
        let truth = gatherer.day();
        assert_eq!((truth.rules.len(), truth.packs.len(), truth.evaluations.len()), (1, 1, 0));
    }
}
