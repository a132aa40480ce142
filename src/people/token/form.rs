//! The form of a new token: from what was typed to what is meant. Pure.

use time::Duration;

use super::reads::Scope;
use crate::web::form::{Problems, value};

/// The longest name, in characters.
const NAME: usize = 100;
/// The longest time, in days: a leap year.
const DAYS: i64 = 366;

/// The form as typed, shown again where something is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct TokenForm {
    pub name: String,
    pub days: String,
    pub scopes: Vec<String>,
    /// The number of an engagement; of auditors alone.
    pub room: String,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub name: String,
    pub lasts: Duration,
    pub scopes: Vec<Scope>,
    pub engagement_id: Option<i64>,
}

impl TokenForm {
    /// What the form begins with.
    pub(super) fn blank() -> Self {
        Self { days: "90".to_owned(), scopes: vec![Scope::Evidence.word().to_owned()], ..Self::default() }
    }

    pub(super) fn of(fields: &[(String, String)]) -> Self {
        let value = |name| value(fields, name);
        let scopes = fields.iter().filter(|(key, _)| key == "scope").map(|(_, scope)| scope.clone()).collect();
        Self { name: value("name"), days: value("days"), scopes, room: value("room") }
    }

    pub(super) fn has(&self, word: &str) -> bool {
        self.scopes.iter().any(|scope| scope == word)
    }

    /// Checks it. `rooms` are those that an auditor can choose from; `None` where no room is to be chosen.
    pub(super) fn check(&self, rooms: Option<&[i64]>) -> Result<Asked, Problems> {
        let mut problems = Problems::default();
        if self.name.is_empty() {
            problems.add("name", "Enter a name: what the token is for.");
        } else if self.name.chars().count() > NAME || self.name.chars().any(char::is_control) {
            problems.add("name", format!("Shorten the name to {NAME} characters on one line."));
        }
        let days = self.days.parse().ok().filter(|days| (1..=DAYS).contains(days));
        if days.is_none() {
            problems.add("days", format!("Enter for how many days it lasts, 1 to {DAYS}."));
        }
        let scopes: Vec<Scope> = Scope::ALL.into_iter().filter(|scope| self.has(scope.word())).collect();
        if scopes.is_empty() {
            problems.add("scopes", "Choose at least one scope.");
        }
        let room = rooms.map(|rooms| self.room.parse().ok().filter(|room| rooms.contains(room)));
        if room == Some(None) {
            problems.add("room", "Choose one of the rooms that are open to you.");
        }
        match days {
            Some(days) if problems.is_empty() => Ok(Asked {
                name: self.name.clone(),
                lasts: Duration::days(days),
                scopes,
                engagement_id: room.flatten(),
            }),
            _ => Err(problems),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(name: &str, days: &str, scopes: &[&str], room: &str) -> TokenForm {
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        TokenForm { name: name.to_owned(), days: days.to_owned(), scopes, room: room.to_owned() }
    }

    fn wrong(form: &TokenForm, rooms: Option<&[i64]>) -> Vec<&'static str> {
        form.check(rooms)
            .err()
            .map(|problems| problems.found.into_iter().map(|(field, _)| field).collect())
            .unwrap_or_default()
    }

    #[test]
    fn a_form_says_what_is_wrong_with_each_field() {
        assert_eq!(wrong(&form("", "0", &[], ""), None), ["name", "days", "scopes"]);
        assert_eq!(wrong(&form(&"x".repeat(101), "367", &["all"], ""), None), ["name", "days", "scopes"]);
        assert_eq!(wrong(&form("a\nb", "1.5", &["log"], "1"), Some(&[2])), ["name", "days", "room"]);
        assert_eq!(wrong(&form("x", "-1", &["log"], ""), Some(&[2])), ["days", "room"]);
        assert_eq!(wrong(&form(&"中".repeat(100), "366", &["log"], "2"), Some(&[1, 2])), Vec::<&str>::new());
    }

    #[test]
    fn a_room_is_taken_from_auditors_alone() {
        let typed = form("x", "1", &["log", "evidence", "evidence"], "2");
        let asked = Asked {
            name: "x".to_owned(),
            lasts: Duration::DAY,
            scopes: vec![Scope::Evidence, Scope::Log],
            engagement_id: None,
        };
        assert_eq!(typed.check(None).ok(), Some(asked.clone()));
        assert_eq!(typed.check(Some(&[2])).ok(), Some(Asked { engagement_id: Some(2), ..asked }));
    }
}
