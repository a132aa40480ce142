//! All names of one place, as small numbers.

use rustc_hash::FxHashMap;

use super::day::Day;

/// Gives each different text a small number, in order of first sight.
#[derive(Debug, Default)]
pub(super) struct Interner {
    numbers: FxHashMap<Box<str>, u32>,
    pub(super) texts: Vec<Box<str>>,
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

    /// Forgets all but the first `length`.
    pub(super) fn truncate(&mut self, length: usize) {
        for text in self.texts.drain(length..) {
            self.numbers.remove(&text);
        }
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
    /// Conformance packs by resourceId.
    pub packs: Interner,
    /// By pack: its name as the newest day has it. Shorter than `packs` where the last ones have none.
    pub pack_names: Vec<Option<(Day, Box<str>)>>,
    resources: Vec<FxHashMap<Box<str>, u32>>,
    /// (resource type, id) by number.
    pub resource_list: Vec<(u32, Box<str>)>,
    /// By rule: the attribute last seen.
    pub(super) last_attributes: Vec<Option<Attribute>>,
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

    /// A conformance pack, as a day has it; an empty name says nothing.
    pub(super) fn pack(&mut self, id: &str, day: Day, name: &str) -> u32 {
        let pack = self.packs.number(id);
        if !name.is_empty() {
            self.name_pack(pack, day, name);
        }
        pack
    }

    /// Keeps the name of a pack unless a later day gave it one.
    pub(super) fn name_pack(&mut self, pack: u32, day: Day, name: &str) {
        let at = usize::try_from(pack).expect("u32 fits usize");
        if self.pack_names.len() <= at {
            self.pack_names.resize_with(at + 1, || None);
        }
        if self.pack_names[at].as_ref().is_none_or(|(named_on, _)| *named_on <= day) {
            self.pack_names[at] = Some((day, name.into()));
        }
    }

    pub(super) fn mark(&self) -> Mark {
        Mark {
            rules: self.rules.texts.len(),
            resource_types: self.resource_types.texts.len(),
            statuses: self.statuses.texts.len(),
            packs: self.packs.texts.len(),
            resources: self.resource_list.len(),
        }
    }

    pub(super) fn truncate(&mut self, mark: Mark) {
        self.rules.truncate(mark.rules);
        self.resource_types.truncate(mark.resource_types);
        self.statuses.truncate(mark.statuses);
        self.packs.truncate(mark.packs);
        for (resource_type, id) in self.resource_list.drain(mark.resources..) {
            let at = usize::try_from(resource_type).expect("u32 fits usize");
            self.resources[at].remove(&id);
        }
    }
}

/// How many names there were at a time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    rules: usize,
    pub(super) resource_types: usize,
    pub(super) statuses: usize,
    packs: usize,
    resources: usize,
}
