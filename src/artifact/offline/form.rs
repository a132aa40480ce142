//! The form by which a BAA is recorded: from what was typed to what is meant. Pure.

use time::Date;

use crate::aws::role::is_account_id;
use crate::web::form::Problems;
use crate::web::parse_day;

/// The longest texts that are taken, in characters.
const TITLE: usize = 200;
const NOTE: usize = 2_000;

/// The form as typed, shown again where something is wrong; a file has to be chosen anew.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct OfflineForm {
    /// Empty: every account of the organisation.
    pub(super) account: String,
    pub(super) title: String,
    pub(super) from: String,
    pub(super) until: String,
    pub(super) note: String,
}

/// What it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Offline {
    pub(super) account_id: Option<String>,
    pub(super) title: String,
    pub(super) from: Date,
    /// The first day without it.
    pub(super) until: Option<Date>,
    pub(super) note: String,
}

impl OfflineForm {
    /// Takes a field; `false` where there is none of the name.
    pub(super) fn set(&mut self, name: &str, value: &str) -> bool {
        let field = match name {
            "account" => &mut self.account,
            "title" => &mut self.title,
            "from" => &mut self.from,
            "until" => &mut self.until,
            "note" => &mut self.note,
            _ => return false,
        };
        value.trim().replace('\0', "\u{fffd}").clone_into(field);
        true
    }

    /// What it says; `None` where something is wrong, which is then among the problems. `is_known` says whether the
    /// organisation has an account.
    pub(super) fn read(&self, is_known: impl Fn(&str) -> bool, problems: &mut Problems) -> Option<Offline> {
        let account_id = Some(self.account.clone()).filter(|account| !account.is_empty());
        if account_id.as_deref().is_some_and(|id| !is_account_id(id) || !is_known(id)) {
            problems
                .add("account", "Enter the 12 digits of an account of the organisation, or nothing for all of them.");
        }
        if self.title.is_empty() || self.title.chars().count() > TITLE {
            problems.add("title", "Name the agreement as it calls itself, in up to 200 characters.");
        }
        let from = parse_day(&self.from);
        if from.is_none() {
            problems.add("from", "Enter the day from which it is in force.");
        }
        let until = if self.until.is_empty() { Some(None) } else { parse_day(&self.until).map(Some) };
        let until = until.filter(|until| until.is_none_or(|until| from.is_none_or(|from| until > from)));
        if until.is_none() {
            problems.add("until", "Enter the first day without it, after its first day, or leave it empty.");
        }
        if self.note.chars().count() > NOTE {
            problems.add("note", "Shorten the note to 2,000 characters.");
        }
        if !problems.is_empty() {
            return None;
        }
        Some(Offline { account_id, title: self.title.clone(), from: from?, until: until?, note: self.note.clone() })
    }
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    fn form() -> OfflineForm {
        let mut form = OfflineForm::default();
        for (name, value) in [("account", "000000000011"), ("title", "BAA of 2024"), ("from", "2024-05-01")] {
            assert!(form.set(name, value));
        }
        assert!(!form.set("owner", "x"));
        form
    }

    #[test]
    fn a_whole_form_says_what_is_in_force_for_whom() {
        let mut problems = Problems::default();
        let said = form().read(|id| id == "000000000011", &mut problems).expect("it is whole");
        assert_eq!(
            (said.account_id.as_deref(), said.from, said.until),
            (Some("000000000011"), date!(2024 - 05 - 01), None)
        );
        let all = OfflineForm { account: String::new(), until: "2025-05-01".to_owned(), ..form() };
        let said = all.read(|_| false, &mut problems).expect("it is whole");
        assert_eq!((said.account_id, said.until), (None, Some(date!(2025 - 05 - 01))));
    }

    #[test]
    fn each_thing_that_is_wrong_is_said_at_its_field() {
        for (field, wrong) in [
            ("account", OfflineForm { account: "000000000012".to_owned(), ..form() }),
            ("account", OfflineForm { account: "eleven".to_owned(), ..form() }),
            ("title", OfflineForm { title: String::new(), ..form() }),
            ("from", OfflineForm { from: "May".to_owned(), ..form() }),
            ("until", OfflineForm { until: "2024-05-01".to_owned(), ..form() }),
            ("note", OfflineForm { note: "x".repeat(2001), ..form() }),
        ] {
            let mut problems = Problems::default();
            assert_eq!(wrong.read(|id| id == "000000000011", &mut problems), None, "{field}");
            assert!(problems.of(field).is_some(), "{field}: {problems:?}");
        }
    }
}
