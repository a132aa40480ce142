//! Filter forms, whose state is the address, and the errors of forms that write.

use askama::Template;

use super::address::Address;
use super::parts::html_safe;

/// One choice of a select.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    pub value: String,
    pub words: String,
}

impl Choice {
    pub fn new(value: impl Into<String>, words: impl Into<String>) -> Self {
        Self { value: value.into(), words: words.into() }
    }
}

/// One filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The parameter in the address.
    pub name: &'static str,
    pub label: &'static str,
    pub input: Input,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// One of these, or all of them (the empty value, with these words).
    Select {
        all: &'static str,
        choices: Vec<Choice>,
    },
    /// Free text, with a hint of what it matches.
    Text {
        hint: &'static str,
    },
    Day,
}

/// A plain GET form above a table.
#[derive(Debug, Clone, Template)]
#[template(path = "parts/filters.html")]
pub struct Filters {
    address: Address,
    filters: Vec<Filter>,
}

impl Filters {
    pub fn new(address: &Address) -> Self {
        Self { address: address.clone(), filters: Vec::new() }
    }

    #[must_use]
    pub fn select(mut self, name: &'static str, label: &'static str, all: &'static str, choices: Vec<Choice>) -> Self {
        self.filters.push(Filter { name, label, input: Input::Select { all, choices } });
        self
    }

    #[must_use]
    pub fn text(mut self, name: &'static str, label: &'static str, hint: &'static str) -> Self {
        self.filters.push(Filter { name, label, input: Input::Text { hint } });
        self
    }

    #[must_use]
    pub fn day(mut self, name: &'static str, label: &'static str) -> Self {
        self.filters.push(Filter { name, label, input: Input::Day });
        self
    }

    fn value(&self, name: &str) -> &str {
        self.address.get(name).unwrap_or("")
    }

    /// Parameters that the form keeps as they are: the as-of day and the sort.
    fn hidden(&self) -> Vec<&(String, String)> {
        let left_out = ["after", "before", "row", "format"];
        self.address
            .pairs()
            .iter()
            .filter(|(key, _)| {
                !left_out.contains(&key.as_str()) && !self.filters.iter().any(|filter| filter.name == key)
            })
            .collect()
    }

    fn active(&self) -> bool {
        self.filters.iter().any(|filter| !self.value(filter.name).is_empty())
    }

    fn cleared(&self) -> Address {
        let names: Vec<&str> =
            self.filters.iter().map(|filter| filter.name).chain(["after", "before", "row", "format"]).collect();
        self.address.without(&names)
    }
}

/// What is wrong with a form: the field's id and a sentence that says what to enter.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "parts/problems.html")]
pub struct Problems {
    pub found: Vec<(&'static str, String)>,
}

impl Problems {
    pub fn add(&mut self, field: &'static str, sentence: impl Into<String>) {
        self.found.push((field, sentence.into()));
    }

    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// What is wrong with one field.
    pub fn of(&self, field: &str) -> Option<&str> {
        self.found.iter().find(|(name, _)| *name == field).map(|(_, sentence)| sentence.as_str())
    }
}

html_safe!(Filters, Problems);
