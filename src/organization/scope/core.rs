//! Who belongs to a scope on a day: a function of its definitions and of the account list that speaks for the day. Pure.

use std::collections::{BTreeMap, BTreeSet};

use time::Date;

use crate::web::format;

/// What accounts are chosen by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// Everything in an organizational unit or root, and below it. The name is the one last seen, or the id.
    Unit {
        id: String,
        name: String,
    },
    Tag {
        key: String,
        value: String,
    },
    Accounts(BTreeSet<String>),
}

/// One definition of a scope. A scope holds what any of its definitions holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    pub id: i64,
    pub name: String,
    pub selector: Selector,
    pub first_day: Date,
    /// The day from which it no longer holds; `None` is open.
    pub end_day: Option<Date>,
    pub reason: String,
}

/// An account as the speaking list has it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Member {
    pub account_id: String,
    /// The root and the units down to the account's own; `None`: the list does not tell.
    pub unit_ids: Option<Vec<String>>,
    /// `None`: the list does not tell.
    pub tags: Option<BTreeMap<String, String>>,
}

/// Who belongs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Membership {
    pub accounts: BTreeSet<String>,
    /// What could not be decided, and why.
    pub undecided: Option<String>,
}

/// Whether a text can name a scope: it stands in addresses.
pub fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=40).contains(&text.len())
        && text.bytes().next().is_some_and(allowed)
        && text.bytes().all(|byte| allowed(byte) || byte == b'-')
}

impl Definition {
    pub fn holds_on(&self, day: Date) -> bool {
        self.first_day <= day && self.end_day.is_none_or(|end| day < end)
    }

    /// "organizational unit Production (ou-…) and below, from 1 Nov 2026".
    pub fn words(&self) -> String {
        let days = match self.end_day {
            Some(end) if end <= self.first_day => "never in force".to_owned(),
            Some(end) => {
                format!("from {} to {}", format::day(self.first_day), format::day(end.previous_day().unwrap_or(end)))
            }
            None => format!("from {}", format::day(self.first_day)),
        };
        format!("{}, {days}", self.selector.words())
    }
}

impl Selector {
    /// What accounts are chosen by, for a person.
    pub fn words(&self) -> String {
        match self {
            Self::Unit { id, name } if id == name => format!("organizational unit {id} and below"),
            Self::Unit { id, name } => format!("organizational unit {name} ({id}) and below"),
            Self::Tag { key, value } => format!("account tag {key}={value}"),
            Self::Accounts(accounts) if accounts.len() <= 3 => {
                format!("accounts {}", accounts.iter().cloned().collect::<Vec<_>>().join(", "))
            }
            Self::Accounts(accounts) => format!("{} listed accounts", accounts.len()),
        }
    }
}

/// The accounts that belong on a day. `listed` is the account list that speaks for it; `None` where there is none.
pub fn membership(definitions: &[Definition], listed: Option<&[Member]>, day: Date) -> Membership {
    let mut found = Membership::default();
    for definition in definitions.iter().filter(|one| one.holds_on(day)) {
        let chosen = match &definition.selector {
            Selector::Accounts(accounts) => Ok(accounts.clone()),
            Selector::Unit { id, .. } => {
                by(listed, "organizational units", |member| member.unit_ids.as_ref().map(|units| units.contains(id)))
            }
            Selector::Tag { key, value } => {
                by(listed, "account tags", |member| member.tags.as_ref().map(|tags| tags.get(key) == Some(value)))
            }
        };
        match chosen {
            Ok(accounts) => found.accounts.extend(accounts),
            Err(why) => found.undecided = Some(why),
        }
    }
    found
}

/// Accounts of the list that have something; an error where the list does not tell of it.
fn by(
    listed: Option<&[Member]>,
    what: &str,
    has: impl Fn(&Member) -> Option<bool>,
) -> Result<BTreeSet<String>, String> {
    let untold = || format!("No account list tells {what}: collect with --accounts organizations.");
    let listed = listed.ok_or_else(untold)?;
    let mut chosen = BTreeSet::new();
    for member in listed {
        if has(member).ok_or_else(untold)? {
            chosen.insert(member.account_id.clone());
        }
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::date;

    use super::*;

    fn definition(selector: Selector, first_day: Date, end_day: Option<Date>) -> Definition {
        Definition { id: 1, name: "production".to_owned(), selector, first_day, end_day, reason: "r".to_owned() }
    }

    fn member(id: &str, units: &[&str], tag: (&str, &str)) -> Member {
        Member {
            account_id: id.to_owned(),
            unit_ids: Some(units.iter().map(|unit| (*unit).to_owned()).collect()),
            tags: Some(BTreeMap::from([(tag.0.to_owned(), tag.1.to_owned())])),
        }
    }

    fn unit(id: &str) -> Selector {
        Selector::Unit { id: id.to_owned(), name: id.to_owned() }
    }

    const DAY: Date = date!(2026 - 11 - 10);

    #[test]
    fn a_unit_holds_everything_below_it_and_definitions_add_up() {
        let listed = [member("1", &["r", "a", "b"], ("data", "card")), member("2", &["r", "c"], ("data", "none"))];
        let of = |definitions: &[Definition]| membership(definitions, Some(&listed), DAY).accounts;
        let set = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(of(&[definition(unit("a"), DAY, None)]), set(&["1"]));
        assert_eq!(of(&[definition(unit("r"), DAY, None)]), set(&["1", "2"]));
        let card = Selector::Tag { key: "data".to_owned(), value: "card".to_owned() };
        assert_eq!(of(&[definition(card, DAY, None)]), set(&["1"]));
        let list = Selector::Accounts(set(&["9"]));
        assert_eq!(of(&[definition(unit("c"), DAY, None), definition(list, DAY, None)]), set(&["2", "9"]));
    }

    #[test]
    fn a_definition_holds_from_its_first_day_until_before_its_end() {
        let on = |day| {
            let definition = definition(unit("r"), DAY, Some(date!(2026 - 11 - 12)));
            membership(&[definition], Some(&[member("1", &["r"], ("", ""))]), day).accounts.len()
        };
        let days = [date!(2026 - 11 - 09), DAY, date!(2026 - 11 - 11), date!(2026 - 11 - 12)];
        assert_eq!(days.map(on), [0, 1, 1, 0]);
    }

    #[test]
    fn what_no_list_tells_is_undecided_and_not_empty() {
        let definitions = [definition(unit("r"), DAY, None)];
        let file = [Member { account_id: "1".to_owned(), ..Member::default() }];
        for listed in [None, Some(file.as_slice())] {
            let found = membership(&definitions, listed, DAY);
            assert!(found.undecided.is_some_and(|why| why.contains("organizational units")));
        }
    }

    #[test]
    fn a_name_can_stand_in_an_address() {
        for name in ["production", "cardholder-data", "a", "2026"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "-a", "Production", "a b", "ä", &"x".repeat(41)] {
            assert!(!is_name(name), "{name}");
        }
    }

    proptest! {
        #[test]
        fn more_definitions_never_hold_less(units in prop::collection::vec(0_u8..4, 0..6), more in 0_u8..4) {
            let listed: Vec<Member> = (0_u8..4).map(|n| member(&n.to_string(), &[&n.to_string()], ("", ""))).collect();
            let mut definitions: Vec<Definition> =
                units.iter().map(|n| definition(unit(&n.to_string()), DAY, None)).collect();
            let before = membership(&definitions, Some(&listed), DAY).accounts;
            definitions.push(definition(unit(&more.to_string()), DAY, None));
            let after = membership(&definitions, Some(&listed), DAY).accounts;
            prop_assert!(before.is_subset(&after) && after.contains(&more.to_string()));
        }
    }
}
