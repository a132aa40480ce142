//! Filter forms, whose state is the address, and the errors of forms that write.

use askama::Template;

use super::address::{Address, PLACE};
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

/// A longer list of choices is a field to type in: a select of thousands would be most of the page.
pub const CHOICES: usize = 120;

/// A name that fits a choice.
pub fn shortened(name: &str) -> String {
    if name.chars().count() <= 48 {
        return name.to_owned();
    }
    name.chars().take(47).chain(['…']).collect()
}

/// A plain GET form above a table.
#[derive(Debug, Clone, Template)]
#[template(path = "parts/filters.html")]
pub struct Filters {
    address: Address,
    filters: Vec<Filter>,
    /// What the form is called, where the page has several.
    label: &'static str,
}

impl Filters {
    pub fn new(address: &Address) -> Self {
        Self { address: address.clone(), filters: Vec::new(), label: "Filters" }
    }

    /// Called so, where the page has several.
    #[must_use]
    pub fn called(mut self, label: &'static str) -> Self {
        self.label = label;
        self
    }

    #[must_use]
    pub fn select(mut self, name: &'static str, label: &'static str, all: &'static str, choices: Vec<Choice>) -> Self {
        self.filters.push(Filter { name, label, input: Input::Select { all, choices } });
        self
    }

    /// Accounts by id and name (empty where none is known), in order; one that follows itself counts once. A select, or a
    /// field to type in where they are many.
    #[must_use]
    pub fn accounts<'a>(self, accounts: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut accounts: Vec<(&str, &str)> = accounts.into_iter().collect();
        accounts.dedup_by_key(|(id, _)| *id);
        let choices: Vec<Choice> = accounts
            .into_iter()
            .take(CHOICES + 1)
            .map(|(id, name)| Choice::new(id, format!("{} {id}", shortened(name)).trim_start()))
            .collect();
        if choices.len() > CHOICES {
            self.text("account", "Account", "id, or part of its name")
        } else {
            self.select("account", "Account", "All accounts", choices)
        }
    }

    /// Regions, likewise.
    #[must_use]
    pub fn regions<'a>(self, regions: impl IntoIterator<Item = &'a str>) -> Self {
        let regions: std::collections::BTreeSet<&str> = regions.into_iter().collect();
        let choices = regions.into_iter().map(|region| Choice::new(region, region)).collect();
        self.select("region", "Region", "All Regions", choices)
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
        self.address
            .pairs()
            .iter()
            .filter(|(key, _)| !PLACE.contains(&key.as_str()) && !self.filters.iter().any(|filter| filter.name == key))
            .collect()
    }

    fn active(&self) -> bool {
        self.filters.iter().any(|filter| !self.value(filter.name).is_empty())
    }

    fn cleared(&self) -> Address {
        let names: Vec<&str> = self.filters.iter().map(|filter| filter.name).collect();
        self.address.start().without(&names)
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

    /// Adds what is wrong with a text that auditors read: it has 1 to `longest` characters.
    pub fn text(&mut self, field: &'static str, what: &str, text: &str, longest: usize) {
        if text.is_empty() {
            self.add(field, format!("Enter a {what}: auditors read it."));
        } else if text.chars().count() > longest || text.contains('\0') {
            self.add(field, format!("Shorten the {what} to {longest} characters."));
        }
    }

    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// What is wrong with one field.
    pub fn of(&self, field: &str) -> Option<&str> {
        self.found.iter().find(|(name, _)| *name == field).map(|(_, sentence)| sentence.as_str())
    }
}

/// A text that auditors read, of 1 to `longest` characters, or what is wrong with it.
pub fn text(field: &'static str, what: &str, typed: &str, longest: usize) -> Result<String, Problems> {
    let mut problems = Problems::default();
    problems.text(field, what, typed, longest);
    if problems.is_empty() { Ok(typed.to_owned()) } else { Err(problems) }
}

/// The trimmed value of a form's field; empty where it was not sent.
pub fn value(fields: &[(String, String)], name: &str) -> String {
    fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
}

html_safe!(Filters, Problems);
