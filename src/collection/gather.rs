//! Takes what a reader finds and makes one day's truth of it.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::day::Day;
use super::names::{Attribute, Interner, Mark, Names};
use super::source::{ComplianceItem, PackItem, Sink};
use crate::compliance::status;

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
    pub captured_at: i64,
    pub state_id: i64,
    /// `None`: the pack is deleted.
    pub status: Option<u32>,
    pub compliant_rules: i32,
    pub non_compliant_rules: i32,
    pub total_rules: i32,
    first_rule: usize,
    end_rule: usize,
}

impl PackVerdict {
    /// A verdict that speaks. Counts: compliant, non-compliant, all rules.
    pub(super) fn said(pack: u32, status: u32, [compliant_rules, non_compliant_rules, total_rules]: [i32; 3]) -> Self {
        Self {
            pack,
            captured_at: 0,
            state_id: 0,
            status: Some(status),
            compliant_rules,
            non_compliant_rules,
            total_rules,
            first_rule: 0,
            end_rule: 0,
        }
    }
}

/// What one object held.
///
/// A reader that fails has handed on items already: [`Self::give_up`] takes back the names that they brought, so that only
/// objects which could be read leave anything in the store.
#[derive(Debug)]
pub(super) struct Gatherer<'a> {
    names: &'a mut Names,
    day: Day,
    before: Mark,
    items: Vec<Item>,
    /// (rule, status) of the items' rule lists, one after the other.
    entries: Vec<(u32, u32)>,
    packs: Vec<PackVerdict>,
    /// Rules that the packs' lists name, one list after the other, whether they evaluated anything or not.
    pack_rules: Vec<u32>,
    /// By pack: when it was captured with this name.
    pack_names: FxHashMap<u32, (i64, Box<str>)>,
    attributes: Vec<Attribute>,
    /// By rule: the last of `attributes`.
    last_attributes: FxHashMap<u32, usize>,
}

/// Why an evaluation that was read is not stored, in words.
pub(super) mod left_out {
    pub(crate) const OLDER_ITEM: &str = "an older item of the same resource in the same object";
    pub(crate) const DELETED: &str = "the resource is deleted";
    pub(crate) const RULE_TWICE: &str = "the same rule twice in one item; the graver status is kept";
    pub(crate) const OLDER_PACK: &str = "an older item of the same conformance pack in the same object";
    pub(crate) const DELETED_PACK: &str = "the conformance pack is deleted";
    pub(crate) const SILENT_DAY: &str = "the object holds no compliance items, so its day is not known";
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
    pub attributes: Vec<Attribute>,
    pub left_out: BTreeMap<&'static str, u64>,
    pub packs_left_out: BTreeMap<&'static str, u64>,
}

/// What a history object holds.
#[derive(Debug, Default)]
pub(super) struct HistoryTruth {
    /// Items with their rule lists, the graver status where a rule stands twice.
    pub items: Vec<(Item, Vec<(u32, u32)>)>,
    /// Pack items with the rules that they name.
    pub packs: Vec<(PackVerdict, Vec<u32>)>,
    pub attributes: Vec<Attribute>,
    pub left_out: BTreeMap<&'static str, u64>,
}

impl<'a> Gatherer<'a> {
    /// Begins an object of a day.
    pub(super) fn new(names: &'a mut Names, day: Day) -> Self {
        Self {
            before: names.mark(),
            names,
            day,
            items: vec![],
            entries: vec![],
            packs: vec![],
            pack_rules: vec![],
            pack_names: FxHashMap::default(),
            attributes: vec![],
            last_attributes: FxHashMap::default(),
        }
    }

    /// Status words and resource types that no object before had.
    pub(super) fn new_words(&self) -> (&[Box<str>], &[Box<str>]) {
        (
            self.names.statuses.texts.get(self.before.statuses..).unwrap_or_default(),
            self.names.resource_types.texts.get(self.before.resource_types..).unwrap_or_default(),
        )
    }

    /// Takes back what an object brought that could not be read.
    pub(super) fn give_up(self) {
        self.names.truncate(self.before);
    }

    /// Keeps what the object says of names: it could be read.
    fn keep_names(&mut self) {
        let last = &mut self.names.last_attributes;
        for (&rule, &at) in &self.last_attributes {
            let rule = usize::try_from(rule).expect("u32 fits usize");
            if last.len() <= rule {
                last.resize_with(rule + 1, || None);
            }
            last[rule] = Some(self.attributes[at].clone());
        }
        for (pack, (_, name)) in self.pack_names.drain() {
            self.names.name_pack(pack, self.day, &name);
        }
    }

    /// The rule list of an item with the graver status where a rule stands twice.
    fn entries(&self, item: &Item) -> &[(u32, u32)] {
        &self.entries[item.first_entry..item.end_entry]
    }

    fn note_attribute(&mut self, rule: u32, arn: &str, config_rule_id: &str) {
        if arn.is_empty() && config_rule_id.is_empty() {
            return;
        }
        let at = usize::try_from(rule).expect("u32 fits usize");
        let last = match self.last_attributes.get(&rule) {
            Some(&at) => Some(&self.attributes[at]),
            None => self.names.last_attributes.get(at).and_then(Option::as_ref),
        };
        if last.is_some_and(|last| *last.arn == *arn && *last.config_rule_id == *config_rule_id) {
            return;
        }
        self.last_attributes.insert(rule, self.attributes.len());
        self.attributes.push(Attribute { rule, arn: arn.into(), config_rule_id: config_rule_id.into() });
    }

    /// The items as a history object gives them: each with its whole rule list.
    pub(super) fn history(mut self) -> HistoryTruth {
        self.keep_names();
        let mut truth = HistoryTruth::default();
        let mut doubled = 0;
        for item in &self.items {
            let mut list = self.entries(item).to_vec();
            gravest_of_each_rule(&mut list, &self.names.statuses);
            doubled += item.end_entry - item.first_entry - list.len();
            truth.items.push((*item, list));
        }
        if doubled > 0 {
            truth.left_out.insert(left_out::RULE_TWICE, u64::try_from(doubled).expect("usize fits u64"));
        }
        truth.packs =
            self.packs.iter().map(|pack| (*pack, self.pack_rules[pack.first_rule..pack.end_rule].to_vec())).collect();
        truth.attributes = self.attributes;
        truth
    }

    /// The day's truth: the newest item of each resource, the newest verdict of each pack.
    pub(super) fn day(mut self) -> DayTruth {
        self.keep_names();
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
        let mut leave_pack_out = |reason| *truth.packs_left_out.entry(reason).or_default() += 1;
        self.packs.sort_by_key(|pack| (pack.pack, pack.captured_at, pack.state_id));
        truth.rules = truth.evaluations.iter().map(|evaluation| evaluation.rule).collect();
        for (at, pack) in self.packs.iter().enumerate() {
            if self.packs.get(at + 1).is_some_and(|next| next.pack == pack.pack) {
                leave_pack_out(left_out::OLDER_PACK);
            } else if pack.status.is_none() {
                leave_pack_out(left_out::DELETED_PACK);
            } else {
                truth.packs.push(*pack);
                truth.rules.extend(&self.pack_rules[pack.first_rule..pack.end_rule]);
            }
        }
        truth.rules.sort_unstable();
        truth.rules.dedup();
        truth.attributes = self.attributes;
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
        let pack = self.names.packs.number(&item.id);
        if !item.name.is_empty() {
            let newest = self.pack_names.get(&pack).is_none_or(|(captured_at, _)| *captured_at <= item.captured_at);
            if newest {
                self.pack_names.insert(pack, (item.captured_at, item.name.as_ref().into()));
            }
        }
        let first_rule = self.pack_rules.len();
        if !item.deleted {
            for entry in item.rules {
                self.pack_rules.push(self.names.rules.number(&entry.name));
            }
        }
        self.packs.push(PackVerdict {
            pack,
            captured_at: item.captured_at,
            state_id: item.state_id,
            // A deleted pack has no status, and the store no word for that.
            status: (!item.deleted).then(|| self.names.statuses.number(&item.status)),
            compliant_rules: item.compliant_rules,
            non_compliant_rules: item.non_compliant_rules,
            total_rules: item.total_rules,
            first_rule,
            end_rule: self.pack_rules.len(),
        });
    }
}

#[cfg(test)]
mod tests;
