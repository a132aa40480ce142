//! The forms that make and end a scope's definition: from what was typed to what is meant. Pure.

use std::collections::BTreeSet;

use time::Date;

use super::core::{Selector, is_name};
use crate::aws::role::is_account_id;
use crate::web::form::{Problems, value};
use crate::web::parse_day;

/// The longest title and reason that are taken, in characters.
const TITLE: usize = 100;
const REASON: usize = 1_000;
/// Most accounts of a list.
const ACCOUNTS: usize = 10_000;
/// Longest key and value of a tag, in characters:
/// <https://docs.aws.amazon.com/organizations/latest/APIReference/API_Tag.html>.
const TAG_KEY: usize = 128;
const TAG_VALUE: usize = 256;
/// Units that a problem names where the words fit several.
const NAMED: usize = 8;

/// An organizational unit: id and path of names.
pub(super) type Unit = (String, String);

/// The form as typed, shown again where something is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct NewForm {
    pub name: String,
    pub title: String,
    /// `unit`, `tag` or `accounts`.
    pub kind: String,
    pub unit: String,
    pub tag_key: String,
    pub tag_value: String,
    pub accounts: String,
    pub first_day: String,
    pub reason: String,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub name: String,
    pub title: String,
    pub selector: Selector,
    pub first_day: Date,
    pub reason: String,
}

impl NewForm {
    pub(super) fn of(fields: &[(String, String)]) -> Self {
        let value = |name| value(fields, name);
        Self {
            name: value("name"),
            title: value("title"),
            kind: value("kind"),
            unit: value("unit"),
            tag_key: value("tag_key"),
            tag_value: value("tag_value"),
            accounts: value("accounts"),
            first_day: value("first_day"),
            reason: value("reason"),
        }
    }

    /// Checks it. `units` are those that the latest list of Organizations has.
    pub(super) fn parse(&self, units: &[Unit]) -> Result<Asked, Problems> {
        let mut problems = Problems::default();
        if !is_name(&self.name) {
            problems.add(
                "name",
                "Enter a name of 1 to 24 small letters, digits and hyphens, such as cardholder-data (and not “new”).",
            );
        }
        problems.text("title", "title", &self.title, TITLE);
        let selector = self.selector(units, &mut problems);
        let first_day = parse_day(&self.first_day);
        if first_day.is_none() {
            problems.add("first_day", "Enter the first day as YYYY-MM-DD.");
        }
        problems.text("reason", "reason", &self.reason, REASON);
        match (selector, first_day) {
            (Some(selector), Some(first_day)) if problems.is_empty() => Ok(Asked {
                name: self.name.clone(),
                title: self.title.clone(),
                selector,
                first_day,
                reason: self.reason.clone(),
            }),
            _ => Err(problems),
        }
    }

    fn selector(&self, units: &[Unit], problems: &mut Problems) -> Option<Selector> {
        let (field, problem) = match self.kind.as_str() {
            "unit" => match unit(&self.unit, units) {
                Ok(id) => return Some(Selector::Unit(id)),
                Err(problem) => ("unit", problem),
            },
            "tag" => {
                let fits = |text: &str, longest| text.chars().count() <= longest && !text.contains('\0');
                if !self.tag_key.is_empty() && fits(&self.tag_key, TAG_KEY) && fits(&self.tag_value, TAG_VALUE) {
                    return Some(Selector::Tag { key: self.tag_key.clone(), value: self.tag_value.clone() });
                }
                let problem =
                    format!("Enter the tag’s key of 1 to {TAG_KEY} characters and its value of at most {TAG_VALUE}.");
                ("tag_key", problem)
            }
            "accounts" => match accounts(&self.accounts) {
                Ok(ids) => return Some(Selector::Accounts(ids)),
                Err(problem) => ("accounts", problem),
            },
            _ => ("kind", "Choose what accounts are chosen by.".to_owned()),
        };
        problems.add(field, problem);
        None
    }
}

/// The unit that is meant by its id, its path, or a part of its path that no other has.
fn unit(typed: &str, units: &[Unit]) -> Result<String, String> {
    if units.is_empty() {
        return Err("No organizational unit is known: collect with --organizations, or choose by list.".to_owned());
    }
    if let Some((id, _)) = units.iter().find(|(id, path)| id == typed || path == typed) {
        return Ok(id.clone());
    }
    let found = matching(typed, units);
    match found.as_slice() {
        _ if typed.is_empty() => Err("Enter an organizational unit: its id, or a part of its path.".to_owned()),
        [] => Err(format!("No organizational unit fits “{typed}”: enter its id, or a part of its path.")),
        [(id, _)] => Ok(id.clone()),
        several => {
            let named: Vec<String> = several.iter().take(NAMED).map(|(id, path)| format!("{path} ({id})")).collect();
            let more = if several.len() > NAMED { " and more" } else { "" };
            let found = several.len();
            Err(format!("{found} organizational units fit “{typed}”: {}{more}. Enter the id of one.", named.join(", ")))
        }
    }
}

/// Units whose id or path holds the words, whatever the case; all of them where there are none.
pub(super) fn matching<'a>(typed: &str, units: &'a [Unit]) -> Vec<&'a Unit> {
    let part = typed.to_lowercase();
    let fits = |(id, path): &&Unit| id.contains(&part) || path.to_lowercase().contains(&part);
    units.iter().filter(fits).collect()
}

/// Ids of twelve digits, apart by anything that stands between ids.
fn accounts(typed: &str) -> Result<BTreeSet<String>, String> {
    let ids = typed.split(|c: char| c.is_whitespace() || c == ',' || c == ';');
    let ids: BTreeSet<String> = ids.filter(|id| !id.is_empty()).map(str::to_owned).collect();
    let odd = ids.iter().find(|id| !is_account_id(id));
    match odd {
        _ if ids.is_empty() => Err("Enter at least one account id.".to_owned()),
        Some(odd) => {
            let odd: String = odd.chars().take(40).collect();
            Err(format!("“{odd}” is not an account id: those have twelve digits."))
        }
        None if ids.len() > ACCOUNTS => {
            Err(format!("A list has at most {ACCOUNTS} accounts: make a second definition under the same name."))
        }
        None => Ok(ids),
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
        problems.text("reason", "reason", &self.reason, REASON);
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

    fn units() -> Vec<Unit> {
        let unit = |id: &str, path: &str| (id.to_owned(), path.to_owned());
        vec![unit("r-1", "Root"), unit("ou-1", "Root / Production"), unit("ou-2", "Root / Production / Shop")]
    }

    fn form(kind: &str, what: &str) -> NewForm {
        NewForm {
            name: "production".to_owned(),
            title: "Production".to_owned(),
            kind: kind.to_owned(),
            unit: what.to_owned(),
            tag_key: what.to_owned(),
            tag_value: "v".to_owned(),
            accounts: what.to_owned(),
            first_day: "2026-11-01".to_owned(),
            reason: "card data".to_owned(),
        }
    }

    fn wrong(form: &NewForm) -> Vec<&'static str> {
        form.parse(&units()).err().unwrap_or_default().found.into_iter().map(|(field, _)| field).collect()
    }

    #[test]
    fn each_way_of_choosing_is_understood() {
        let selector = |kind, what| form(kind, what).parse(&units()).map(|asked| asked.selector).ok();
        assert_eq!(selector("tag", "data"), Some(Selector::Tag { key: "data".to_owned(), value: "v".to_owned() }));
        let accounts = ["000000000001", "000000000002"].map(str::to_owned).into();
        assert_eq!(
            selector("accounts", "000000000002, 000000000001\r\n000000000002"),
            Some(Selector::Accounts(accounts))
        );
        let unit = |what| selector("unit", what);
        let of = |id: &str| Some(Selector::Unit(id.to_owned()));
        for (typed, id) in [("ou-1", "ou-1"), ("Root / Production", "ou-1"), ("shop", "ou-2"), ("Root", "r-1")] {
            assert_eq!(unit(typed), of(id), "{typed}");
        }
    }

    #[test]
    fn a_unit_that_several_fit_is_asked_for_again_with_their_names() {
        let problems = form("unit", "prod").parse(&units()).err().unwrap_or_default();
        assert_eq!(
            problems.of("unit"),
            Some(
                "2 organizational units fit “prod”: Root / Production (ou-1), Root / Production / Shop (ou-2). Enter the id of one."
            )
        );
    }

    #[test]
    fn every_problem_is_named_at_its_field() {
        assert_eq!(wrong(&NewForm::default()), ["name", "title", "kind", "first_day", "reason"]);
        assert_eq!(wrong(&form("unit", "ou-9")), ["unit"]);
        assert_eq!(wrong(&form("unit", "")), ["unit"]);
        assert_eq!(wrong(&form("tag", "")), ["tag_key"]);
        assert_eq!(wrong(&form("tag", &"k".repeat(129))), ["tag_key"]);
        assert_eq!(wrong(&form("accounts", "12")), ["accounts"]);
        assert_eq!(wrong(&form("accounts", " , ")), ["accounts"]);
        assert_eq!(wrong(&NewForm { reason: "x".repeat(1001), ..form("tag", "a") }), ["reason"]);
        assert_eq!(wrong(&NewForm { name: "new".to_owned(), ..form("tag", "a") }), ["name"]);
    }

    #[test]
    fn an_end_needs_a_day_and_a_reason() {
        assert!(EndForm::default().parse().is_err_and(|problems| problems.found.len() == 2));
        let form = EndForm { end_day: "2026-11-30".to_owned(), reason: "sold".to_owned() };
        assert_eq!(form.parse().map(|(day, _)| day).ok(), Some(date!(2026 - 11 - 30)));
    }
}
