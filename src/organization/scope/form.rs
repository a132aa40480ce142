//! The forms that make and end a scope's definition: from what was typed to what is meant. Pure.

use std::collections::BTreeSet;

use time::Date;

use super::core::{Selector, is_name};
use crate::web::form::Problems;
use crate::web::parse_day;

/// The longest reason that is taken, in characters.
const REASON: usize = 1_000;
/// Longest key and value of a tag: <https://docs.aws.amazon.com/organizations/latest/APIReference/API_Tag.html>.
const TAG_KEY: usize = 128;
const TAG_VALUE: usize = 256;

/// The form as typed, shown again where something is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct NewForm {
    pub name: String,
    /// `unit`, `tag` or `accounts`.
    pub kind: String,
    pub unit: String,
    pub tag: String,
    pub accounts: String,
    pub first_day: String,
    pub last_day: String,
    pub reason: String,
    /// The definition that this one takes the place of; empty for none.
    pub replaces: String,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub name: String,
    pub selector: Selector,
    pub first_day: Date,
    /// The day after the last.
    pub end_day: Option<Date>,
    pub reason: String,
    pub replaces: Option<i64>,
}

fn value(fields: &[(String, String)], name: &str) -> String {
    fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
}

fn reason(text: &str, problems: &mut Problems) {
    if text.is_empty() {
        problems.add("reason", "Enter a reason: auditors read it.");
    } else if text.chars().count() > REASON || text.contains('\0') {
        problems.add("reason", format!("Shorten the reason to {REASON} characters."));
    }
}

impl NewForm {
    pub(super) fn of(fields: &[(String, String)]) -> Self {
        let value = |name| value(fields, name);
        Self {
            name: value("name"),
            kind: value("kind"),
            unit: value("unit"),
            tag: value("tag"),
            accounts: value("accounts"),
            first_day: value("first_day"),
            last_day: value("last_day"),
            reason: value("reason"),
            replaces: value("replaces"),
        }
    }

    /// Checks it. `units`: ids that the latest list of Organizations has.
    pub(super) fn parse(&self, units: &[&str]) -> Result<Asked, Problems> {
        let mut problems = Problems::default();
        if !is_name(&self.name) {
            problems.add("name", "Enter a name of 1 to 40 small letters, digits and hyphens, such as cardholder-data.");
        }
        let selector = self.selector(units, &mut problems);
        let first_day = parse_day(&self.first_day);
        if first_day.is_none() {
            problems.add("first_day", "Enter the first day as YYYY-MM-DD.");
        }
        let last_day = parse_day(&self.last_day);
        match (first_day, last_day) {
            (_, None) if !self.last_day.is_empty() => {
                problems.add("last_day", "Enter the last day as YYYY-MM-DD, or none.")
            }
            (Some(first), Some(last)) if last < first => {
                problems.add("last_day", "The last day comes before the first one: choose a later one.");
            }
            _ => {}
        }
        reason(&self.reason, &mut problems);
        let replaces = if self.replaces.is_empty() { None } else { self.replaces.parse::<i64>().ok() };
        match (selector, first_day) {
            (Some(selector), Some(first_day)) if problems.is_empty() => Ok(Asked {
                name: self.name.clone(),
                selector,
                first_day,
                end_day: last_day.and_then(Date::next_day),
                reason: self.reason.clone(),
                replaces,
            }),
            _ => Err(problems),
        }
    }

    fn selector(&self, units: &[&str], problems: &mut Problems) -> Option<Selector> {
        match self.kind.as_str() {
            "unit" if units.contains(&self.unit.as_str()) => {
                return Some(Selector::Unit { id: self.unit.clone(), name: self.unit.clone() });
            }
            "unit" => problems.add("unit", "Choose an organizational unit from the list."),
            "tag" => match self.tag.split_once('=') {
                Some((key, value))
                    if !key.trim().is_empty()
                        && key.chars().count() <= TAG_KEY
                        && value.chars().count() <= TAG_VALUE
                        && !self.tag.contains('\0') =>
                {
                    return Some(Selector::Tag { key: key.trim().to_owned(), value: value.trim().to_owned() });
                }
                _ => problems.add("tag", "Enter the tag as key=value, such as data=cardholder."),
            },
            "accounts" => {
                let ids = self.accounts.split(|c: char| c.is_whitespace() || c == ',' || c == ';');
                let ids: BTreeSet<String> = ids.filter(|id| !id.is_empty()).map(str::to_owned).collect();
                let odd = ids.iter().find(|id| id.len() != 12 || !id.bytes().all(|byte| byte.is_ascii_digit()));
                match odd {
                    _ if ids.is_empty() => problems.add("accounts", "Enter at least one account id."),
                    Some(odd) => {
                        problems.add("accounts", format!("“{odd}” is not an account id: those have twelve digits."))
                    }
                    None => return Some(Selector::Accounts(ids)),
                }
            }
            _ => problems.add("kind", "Choose what accounts are chosen by."),
        }
        None
    }
}

/// The form that ends a definition, as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct EndForm {
    pub end_day: String,
    pub reason: String,
}

impl EndForm {
    pub(super) fn of(fields: &[(String, String)]) -> Self {
        Self { end_day: value(fields, "end_day"), reason: value(fields, "reason") }
    }

    /// The day from which it no longer holds, and why.
    pub(super) fn parse(&self) -> Result<(Date, String), Problems> {
        let mut problems = Problems::default();
        let end_day = parse_day(&self.end_day);
        if end_day.is_none() {
            problems.add("end_day", "Enter the day from which it no longer holds as YYYY-MM-DD.");
        }
        reason(&self.reason, &mut problems);
        match end_day {
            Some(end_day) if problems.is_empty() => Ok((end_day, self.reason.clone())),
            _ => Err(problems),
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    fn form(kind: &str, what: &str) -> NewForm {
        NewForm {
            name: "production".to_owned(),
            kind: kind.to_owned(),
            unit: what.to_owned(),
            tag: what.to_owned(),
            accounts: what.to_owned(),
            first_day: "2026-11-01".to_owned(),
            reason: "card data".to_owned(),
            ..NewForm::default()
        }
    }

    fn wrong(form: &NewForm) -> Vec<&'static str> {
        form.parse(&["ou-1"]).err().unwrap_or_default().found.into_iter().map(|(field, _)| field).collect()
    }

    #[test]
    fn each_way_of_choosing_is_understood() {
        let selector = |kind, what| form(kind, what).parse(&["ou-1"]).map(|asked| asked.selector).ok();
        assert_eq!(selector("unit", "ou-1"), Some(Selector::Unit { id: "ou-1".to_owned(), name: "ou-1".to_owned() }));
        let tag = Selector::Tag { key: "data".to_owned(), value: "a=b".to_owned() };
        assert_eq!(selector("tag", "data=a=b"), Some(tag));
        let accounts = ["000000000001", "000000000002"].map(str::to_owned).into();
        assert_eq!(
            selector("accounts", "000000000002, 000000000001\n000000000002"),
            Some(Selector::Accounts(accounts))
        );
    }

    #[test]
    fn every_problem_is_named_at_its_field() {
        assert_eq!(wrong(&NewForm::default()), ["name", "kind", "first_day", "reason"]);
        assert_eq!(wrong(&form("unit", "ou-2")), ["unit"]);
        assert_eq!(wrong(&form("tag", "data")), ["tag"]);
        assert_eq!(wrong(&form("accounts", "12")), ["accounts"]);
        assert_eq!(wrong(&NewForm { last_day: "2026-10-31".to_owned(), ..form("tag", "a=b") }), ["last_day"]);
        assert_eq!(wrong(&NewForm { reason: "x".repeat(1001), ..form("tag", "a=b") }), ["reason"]);
    }

    #[test]
    fn the_last_day_belongs() {
        let asked = NewForm { last_day: "2026-11-30".to_owned(), ..form("tag", "a=b") }.parse(&[]);
        assert_eq!(asked.map(|asked| asked.end_day).ok(), Some(Some(date!(2026 - 12 - 01))));
    }

    #[test]
    fn an_end_needs_a_day_and_a_reason() {
        let form = EndForm::default();
        assert!(form.parse().is_err_and(|problems| problems.found.len() == 2));
        let form = EndForm { end_day: "2026-11-30".to_owned(), reason: "sold".to_owned() };
        assert_eq!(form.parse().map(|(day, _)| day).ok(), Some(date!(2026 - 11 - 30)));
    }
}
