//! An account's life in the organisation, and what account lists said of it, list by list. Pure.

use time::Date;

use super::core::Evidence;
use super::db::resource::{Account, ListedAs};
use crate::web::{format, parse_day};

/// What the lists said from a day on, until the next one that said something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub from: Date,
    /// `None`: the lists of these days do not name the account.
    pub listed: Option<Listed>,
}

/// What a list says of an account; empty is what it does not tell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Listed {
    pub name: String,
    pub state: String,
    pub unit: String,
    pub tags: String,
    pub email: String,
}

impl Said {
    /// Its words, for a table.
    pub(super) fn words(&self) -> [&str; 4] {
        match &self.listed {
            Some(listed) => [&listed.state, &listed.name, &listed.unit, &listed.tags],
            None => ["not on the list", "", "", ""],
        }
    }
}

/// An account's life in the organisation, in a sentence.
pub(super) fn life(account: Option<&Account>, evidence: &Evidence<'_>) -> String {
    let Some(account) = account else {
        return "No account list names this account.".to_owned();
    };
    let mut words = vec![format!("Organizations says {}", account.status)];
    let day_of = |text: &Option<String>| text.as_deref().and_then(parse_day).map(format::day);
    words.extend(day_of(&account.joined_on).map(|joined| format!("joined {joined}")));
    words.extend(day_of(&account.left_on).map(|left| format!("left {left}")));
    if evidence.expected() == 0 {
        words.push(format!("not expected to deliver for {}", format::day(evidence.day)));
    }
    format!("{}.", words.join("; "))
}

/// From the first list that names the account on, ascending. Units and tags that a list does not tell stay what they were:
/// a file tells neither.
pub(super) fn history(lists: &[ListedAs]) -> Vec<Said> {
    let mut history: Vec<Said> = Vec::new();
    let mut before = Listed::default();
    for list in lists.iter().skip_while(|list| list.status.is_none()) {
        let Some(from) = parse_day(&list.listed_on) else { continue };
        let listed = list.status.as_ref().map(|state| Listed {
            name: list.name.clone().unwrap_or_default(),
            state: state.clone(),
            unit: list.unit_names.as_ref().map_or_else(|| before.unit.clone(), |units| units.join(" / ")),
            tags: list.tags.as_ref().map_or_else(
                || before.tags.clone(),
                |tags| tags.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(", "),
            ),
            email: list.email.clone().unwrap_or_else(|| before.email.clone()),
        });
        before = listed.clone().unwrap_or_default();
        // Of two lists of one day the one read later speaks.
        history.pop_if(|last| last.from == from);
        if history.last().is_none_or(|last| last.listed != listed) {
            history.push(Said { from, listed });
        }
    }
    history
}

/// What the lists tell of the account as of a day, each fact with its word: by the latest list up to the day, else by the
/// first after it.
pub(super) fn facts(history: &[Said], day: Date) -> Vec<(&'static str, String)> {
    let named: Vec<(Date, &Listed)> =
        history.iter().filter_map(|said| Some((said.from, said.listed.as_ref()?))).collect();
    let speaks = named.iter().rposition(|(from, _)| *from <= day).unwrap_or_default();
    let Some((_, listed)) = named.get(speaks) else { return vec![] };
    // The name, or a tag, may have changed since.
    let in_unit = named.iter().take(speaks + 1).rev().take_while(|(_, before)| before.unit == listed.unit);
    let since = in_unit.last().map(|(from, _)| format!(" (listed since {})", format::day(*from))).unwrap_or_default();
    let facts = [
        ("Organizational unit", &listed.unit, since.as_str()),
        ("Tags", &listed.tags, ""),
        ("E-mail", &listed.email, ""),
    ];
    let told = facts.into_iter().filter(|(_, value, _)| !value.is_empty());
    told.map(|(word, value, more)| (word, format!("{value}{more}"))).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use time::macros::date;

    use super::*;

    fn list(day: &str, status: Option<&str>, units: Option<&[&str]>) -> ListedAs {
        ListedAs {
            listed_on: day.to_owned(),
            name: status.map(|_| "shop".to_owned()),
            status: status.map(str::to_owned),
            email: None,
            unit_names: units.map(|units| units.iter().map(|&unit| unit.to_owned()).collect()),
            tags: units.map(|_| BTreeMap::from([("data".to_owned(), "card".to_owned())])),
        }
    }

    #[test]
    fn a_move_a_closure_and_an_absence_are_lines_and_what_a_file_does_not_tell_is_not() {
        let lists = [
            list("2026-11-01", None, None),
            list("2026-11-02", Some("ACTIVE"), Some(&["Root", "Sandbox"])),
            list("2026-11-03", Some("ACTIVE"), None),
            list("2026-11-04", Some("ACTIVE"), Some(&["Root", "Production"])),
            list("2026-11-05", None, None),
            list("2026-11-06", Some("SUSPENDED"), Some(&["Root"])),
            list("2026-11-07", Some("CLOSED"), Some(&["Root"])),
        ];
        let history = history(&lists);
        let told: Vec<_> = history.iter().map(|said| (said.from, said.words())).collect();
        assert_eq!(
            told,
            [
                (date!(2026 - 11 - 02), ["ACTIVE", "shop", "Root / Sandbox", "data=card"]),
                (date!(2026 - 11 - 04), ["ACTIVE", "shop", "Root / Production", "data=card"]),
                (date!(2026 - 11 - 05), ["not on the list", "", "", ""]),
                (date!(2026 - 11 - 06), ["SUSPENDED", "shop", "Root", "data=card"]),
                (date!(2026 - 11 - 07), ["CLOSED", "shop", "Root", "data=card"]),
            ]
        );
        let unit = |day| facts(&history, day)[0].1.clone();
        assert_eq!(unit(date!(2026 - 11 - 03)), "Root / Sandbox (listed since 2 Nov 2026)");
        assert_eq!(unit(date!(2026 - 10 - 01)), "Root / Sandbox (listed since 2 Nov 2026)");
        assert_eq!(unit(date!(2026 - 11 - 05)), "Root / Production (listed since 4 Nov 2026)");
        assert_eq!(
            unit(date!(2026 - 11 - 08)),
            "Root (listed since 6 Nov 2026)",
            "its state changed, its unit did not"
        );
    }

    #[test]
    fn of_two_lists_of_one_day_the_later_speaks() {
        let lists = [
            list("2026-11-02", Some("ACTIVE"), Some(&["Root"])),
            list("2026-11-02", Some("ACTIVE"), Some(&["Root", "Sandbox"])),
        ];
        let history = history(&lists);
        assert_eq!(history.len(), 1);
        assert_eq!(history[0].words()[2], "Root / Sandbox");
        assert_eq!(facts(&[], date!(2026 - 11 - 02)), []);
    }
}
