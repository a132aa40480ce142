//! A field of a form: its label, its hint, what was typed, and what is wrong with it.

use askama::Template;

/// How a field is filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    Text,
    /// Several lines.
    Lines,
    Day,
    File,
}

/// A field as a page shows it.
#[derive(Debug, Template)]
#[template(path = "parts/field.html")]
pub struct Field<'a> {
    pub id: String,
    pub name: &'a str,
    pub label: &'a str,
    pub hint: String,
    pub input: Entry,
    pub value: &'a str,
    pub problem: Option<&'a str>,
}

/// Attributes that tell a screen reader what describes a field, and that it is wrong.
#[derive(Debug, Template)]
#[template(path = "parts/marks.html")]
struct Marks {
    described: String,
    wrong: bool,
}

impl Field<'_> {
    fn marks(&self) -> Marks {
        let each = [(!self.hint.is_empty(), "hint"), (self.problem.is_some(), "problem")];
        let each = each.into_iter().filter(|(is, _)| *is).map(|(_, what)| format!("{}-{what}", self.id));
        Marks { described: each.collect::<Vec<_>>().join(" "), wrong: self.problem.is_some() }
    }
}

impl askama::filters::HtmlSafe for Field<'_> {}
impl askama::filters::HtmlSafe for Marks {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_says_what_describes_it_and_keeps_what_was_typed() {
        let field = Field {
            id: "a".to_owned(),
            name: "a",
            label: "A",
            hint: "Say it.".to_owned(),
            input: Entry::Text,
            value: "<b>\"",
            problem: Some("It is wrong."),
        };
        let html = field.to_string();
        assert!(
            html.contains("value=\"&#60;b&#62;&#34;\" aria-describedby=\"a-hint a-problem\" aria-invalid=\"true\">"),
            "{html}"
        );
        let plain = Field { hint: String::new(), problem: None, ..field }.to_string();
        assert!(!plain.contains("aria-"), "{plain}");
    }
}
