//! The form that asks for a pack: from what was typed to what is meant. Pure.

use time::Date;

use crate::engagement::Terms;
use crate::packs::build::{RECIPIENT, Said, TITLE, classification, recipient_of};
use crate::retention::Floor;
use crate::web::form::Problems;
use crate::web::{format, parse_day};

/// The form as typed, shown again where something is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct NewForm {
    pub title: String,
    pub from: String,
    pub as_of: String,
    /// Chosen accounts; none means all.
    pub accounts: Vec<String>,
    /// A scope's name instead of accounts; empty for none.
    pub scope: String,
    pub classification: String,
    pub recipient: String,
    /// The number of the engagement that it is for; empty for none.
    pub engagement: String,
    pub pseudonyms: bool,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub title: String,
    pub from: Option<Date>,
    pub as_of: Date,
    pub accounts: Option<Vec<String>>,
    pub scope: Option<String>,
    /// Up to which number the scope's definitions are known: that of the engagement, where the scope is its.
    pub scopes_at: Option<i64>,
    pub said: Said,
}

impl NewForm {
    pub(super) fn of(fields: &[(String, String)]) -> Self {
        let value = |name: &str| {
            fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
        };
        Self {
            title: value("title"),
            from: value("from"),
            as_of: value("as_of_day"),
            scope: value("scope"),
            classification: value("classification"),
            recipient: value("recipient"),
            engagement: value("engagement"),
            pseudonyms: !value("pseudonyms").is_empty(),
            // Boxes that were ticked, or one field with an id a line.
            accounts: fields
                .iter()
                .filter(|(key, _)| key == "account")
                .flat_map(|(_, value)| value.split([',', ' ', '\n', '\r', '\t']))
                .filter(|id| !id.is_empty())
                .map(str::to_owned)
                .collect(),
        }
    }

    /// Fills in what is empty from the terms of the engagement: its scope, its period among the collected days, its auditors.
    #[must_use]
    pub(super) fn of_engagement(mut self, terms: &Terms, (first, latest): (Date, Date)) -> Self {
        if self.as_of.is_empty() {
            self.as_of = terms.last_day.min(latest).to_string();
            if self.from.is_empty() {
                self.from = terms.first_day.max(first).to_string();
            }
        }
        if self.scope.is_empty() && self.accounts.is_empty() {
            self.scope = terms.scope_name.clone().unwrap_or_default();
        }
        if self.recipient.is_empty() {
            self.recipient = recipient_of(terms);
        }
        self
    }

    /// The chosen accounts as they are typed, one a line.
    pub(super) fn lines(&self) -> String {
        self.accounts.join("\n")
    }

    pub(super) fn has(&self, account_id: &str) -> bool {
        self.accounts.iter().any(|account| account == account_id)
    }

    /// Checks against the collected days, the accounts that are known and the engagement that is named, with its number.
    pub(super) fn parse(
        &self,
        (first, latest): (Date, Date),
        known: &[&str],
        floor: Option<&Floor>,
        terms: Option<&(i64, Terms)>,
    ) -> Result<Asked, Problems> {
        let mut problems = Problems::default();
        let days = format!("from {} to {}", format::day(first), format::day(latest));
        if self.title.is_empty() {
            problems.add("title", "Enter a title.");
        } else if self.title.chars().count() > TITLE {
            problems.add("title", format!("Shorten the title to {TITLE} characters."));
        }
        let removed =
            || floor.map(|floor| format!("{} Choose that day or a later one.", floor.sentence())).unwrap_or_default();
        let as_of = parse_day(&self.as_of);
        match as_of {
            None => problems.add("as_of_day", "Enter the as-of day as YYYY-MM-DD."),
            Some(day) if floor.is_some_and(|floor| floor.removed(day)) => problems.add("as_of_day", removed()),
            Some(day) if day < first || day > latest => {
                problems.add("as_of_day", format!("Choose an as-of day among the collected ones, {days}."));
            }
            Some(_) => {}
        }
        let from = if self.from.is_empty() { None } else { parse_day(&self.from) };
        match (from, as_of) {
            (None, _) if !self.from.is_empty() => problems.add("from", "Enter the first day as YYYY-MM-DD, or none."),
            (Some(from), _) if floor.is_some_and(|floor| floor.removed(from)) => problems.add("from", removed()),
            (Some(from), _) if from < first => {
                problems.add("from", format!("Choose a first day among the collected ones, {days}."));
            }
            (Some(from), Some(as_of)) if from > as_of => {
                problems.add("from", "The first day comes after the as-of day: choose an earlier one.");
            }
            _ => {}
        }
        if let Some(stranger) = self.accounts.iter().find(|account| !known.contains(&account.as_str())) {
            problems.add("accounts", format!("Account {stranger} is not known here: choose from the list."));
        }
        if let Err(problem) = classification(&self.classification) {
            problems.add("classification", format!("Enter a classification: {problem}."));
        }
        if self.recipient.chars().count() > RECIPIENT || self.recipient.contains('\0') {
            problems.add("recipient", format!("Shorten the recipient to {RECIPIENT} characters."));
        }
        if !self.engagement.is_empty() && terms.is_none() {
            problems.add("engagement", "Choose an engagement from the list, or none.");
        }
        if !self.scope.is_empty() && !self.accounts.is_empty() {
            problems.add("scope", "Choose a scope or accounts, not both.");
        }
        match as_of {
            Some(as_of) if problems.is_empty() => Ok(Asked {
                title: self.title.clone(),
                from,
                as_of,
                accounts: (!self.accounts.is_empty()).then(|| self.accounts.clone()),
                scope: (!self.scope.is_empty()).then(|| self.scope.clone()),
                scopes_at: terms
                    .map(|(_, terms)| terms)
                    .filter(|terms| terms.scope_name.as_ref() == Some(&self.scope))
                    .map(|terms| terms.scope_record),
                said: Said {
                    classification: self.classification.clone(),
                    recipient: self.recipient.clone(),
                    engagement: terms.map(|(engagement_id, _)| *engagement_id),
                    pseudonyms: self.pseudonyms,
                },
            }),
            _ => Err(problems),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use time::macros::date;

    use super::*;

    fn parse(title: &str, from: &str, as_of: &str, account: &[&str]) -> Result<Asked, Vec<&'static str>> {
        let form = NewForm {
            title: title.to_owned(),
            from: from.to_owned(),
            as_of: as_of.to_owned(),
            accounts: account.iter().map(|id| (*id).to_owned()).collect(),
            classification: "Confidential".to_owned(),
            ..NewForm::default()
        };
        form.parse((date!(2026 - 09 - 01), date!(2026 - 11 - 22)), &["000000000001"], None, None)
            .map_err(|problems| problems.found.into_iter().map(|(field, _)| field).collect())
    }

    #[test]
    fn no_account_chosen_means_all() {
        let asked = parse("Q3", "", "2026-11-22", &[]).unwrap();
        assert_eq!((asked.accounts, asked.from), (None, None));
        assert_eq!(
            parse("Q3", "2026-10-01", "2026-11-22", &["000000000001"]).unwrap().accounts,
            Some(vec!["000000000001".to_owned()])
        );
    }

    #[test]
    fn accounts_are_ticked_or_typed_one_a_line() {
        let of = |values: &[&str]| {
            let fields: Vec<(String, String)> =
                values.iter().map(|value| ("account".to_owned(), (*value).to_owned())).collect();
            NewForm::of(&fields).accounts
        };
        assert_eq!(of(&["000000000001", "000000000002"]), ["000000000001", "000000000002"]);
        assert_eq!(of(&["000000000001\r\n000000000002, 000000000003\r\n"]).len(), 3);
        assert!(of(&[""]).is_empty());
    }

    #[test]
    fn every_problem_is_named_at_its_field() {
        assert_eq!(parse("", "", "2026-11-23", &[]), Err(vec!["title", "as_of_day"]));
        assert_eq!(parse("Q3", "2026-11-22", "2026-11-21", &[]), Err(vec!["from"]));
        assert_eq!(parse("Q3", "yesterday", "", &[]), Err(vec!["as_of_day", "from"]));
        assert_eq!(parse("Q3", "2026-08-31", "2026-11-21", &["999999999999"]), Err(vec!["from", "accounts"]));
        assert_eq!(parse(&"x".repeat(201), "", "2026-11-21", &[]), Err(vec!["title"]));
    }

    #[test]
    fn what_is_empty_is_the_engagements_and_what_was_typed_stays() {
        let terms = Terms {
            record: 1,
            title: "ביקורת".to_owned(),
            scope_name: Some("prod".to_owned()),
            scope_record: 4,
            core_names: None,
            first_day: date!(2026 - 08 - 01),
            last_day: date!(2026 - 12 - 31),
            opens_at: time::OffsetDateTime::UNIX_EPOCH,
            closes_at: time::OffsetDateTime::UNIX_EPOCH,
            reason: "agreed".to_owned(),
            made_by: "manager".to_owned(),
            made_at: time::OffsetDateTime::UNIX_EPOCH,
        };
        let days = (date!(2026 - 09 - 01), date!(2026 - 11 - 22));
        let empty = NewForm {
            title: "t".to_owned(),
            classification: "Secret".to_owned(),
            engagement: "7".to_owned(),
            ..NewForm::default()
        };
        let filled = empty.clone().of_engagement(&terms, days);
        assert_eq!((filled.from.as_str(), filled.as_of.as_str()), ("2026-09-01", "2026-11-22"));
        let of = (7, terms.clone());
        let asked = filled.parse(days, &[], None, Some(&of)).unwrap();
        assert_eq!((asked.scope.as_deref(), asked.scopes_at, asked.said.engagement), (Some("prod"), Some(4), Some(7)));
        assert!(asked.said.recipient.contains("ביקורת"), "{}", asked.said.recipient);
        let typed = NewForm { as_of: "2026-11-01".to_owned(), recipient: "Ann".to_owned(), ..empty.clone() };
        let typed = typed.of_engagement(&terms, days);
        assert_eq!((typed.from.as_str(), typed.recipient.as_str()), ("", "Ann"), "a pack of one day");
        let stranger = empty.parse(days, &[], None, None).unwrap_err();
        assert!(stranger.of("engagement").is_some());
        let long = NewForm { classification: "x".repeat(61), recipient: "x".repeat(201), ..filled };
        let problems = long.parse(days, &[], None, Some(&of)).unwrap_err();
        assert!(problems.of("classification").is_some() && problems.of("recipient").is_some());
    }
}
