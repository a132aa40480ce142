//! Who belongs to a scope on a day: a function of its definitions and of the account list that speaks for the day. Pure.

use std::collections::{BTreeMap, BTreeSet};

use time::{Date, OffsetDateTime};

use crate::web::format;

/// What accounts are chosen by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// Everything in an organizational unit or root, by its id, and below it.
    Unit(String),
    Tag {
        key: String,
        value: String,
    },
    /// Twelve-digit ids.
    Accounts(BTreeSet<String>),
}

/// The end of a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// The first day on which it no longer holds.
    pub day: Date,
    pub reason: String,
    pub made_by: String,
    pub made_at: OffsetDateTime,
    pub record: i64,
}

/// One definition of a scope. A scope holds what any of its definitions holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// Its number among all definitions and ends, in the order in which they were made.
    pub record: i64,
    pub name: String,
    pub title: String,
    pub selector: Selector,
    pub first_day: Date,
    pub reason: String,
    pub made_by: String,
    pub made_at: OffsetDateTime,
    pub end: Option<End>,
}

/// An account as the speaking list has it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Member {
    /// The root and the units down to the account's own, as ids and names; `None`: the list does not tell.
    pub units: Option<Vec<(String, String)>>,
    /// `None`: the list does not tell.
    pub tags: Option<BTreeMap<String, String>>,
}

/// The account list that speaks for a day: accounts by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub listed_on: Date,
    pub members: BTreeMap<String, Member>,
}

/// Who belongs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Membership {
    /// Accounts, each with the definitions that choose it.
    pub accounts: BTreeMap<String, Vec<i64>>,
    /// What could not be decided, and why, in sentences without a full stop.
    pub undecided: Vec<String>,
}

/// Longest name, in bytes: it stands in every link of a page, which has hundreds of them.
const NAME_BYTES: usize = 24;

/// Whether a text can name a scope: it stands in addresses, where `new` is the form.
pub fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=NAME_BYTES).contains(&text.len())
        && text != "new"
        && text.bytes().next().is_some_and(allowed)
        && text.bytes().all(|byte| allowed(byte) || byte == b'-')
}

impl Definition {
    pub fn holds_on(&self, day: Date) -> bool {
        self.first_day <= day && self.end.as_ref().is_none_or(|end| day < end.day)
    }

    /// "from 1 Nov 2026", "from 1 to 9 Nov 2026", "never".
    pub fn days_words(&self) -> String {
        match self.end.as_ref().map(|end| end.day) {
            Some(end) if end <= self.first_day => "never: ended before it began".to_owned(),
            Some(end) => {
                let last = end.previous_day().unwrap_or(end);
                format!("{} to {}", format::day(self.first_day), format::day(last))
            }
            None => format!("from {}", format::day(self.first_day)),
        }
    }
}

impl Selector {
    /// What accounts are chosen by, for a person; units by the path that a list gives them.
    pub fn words(&self, listed: Option<&Listed>) -> String {
        match self {
            Self::Unit(id) => match listed.and_then(|listed| listed.unit_path(id)) {
                Some(path) => format!("organizational unit {path} ({id}) and below"),
                None => format!("organizational unit {id} and below"),
            },
            Self::Tag { key, value } => format!("account tag {key}={value}"),
            Self::Accounts(accounts) if accounts.len() <= 3 => {
                format!("the list {}", accounts.iter().cloned().collect::<Vec<_>>().join(", "))
            }
            Self::Accounts(accounts) => {
                let accounts = i64::try_from(accounts.len()).unwrap_or(i64::MAX);
                format!("a list of {}", format::plural(accounts, "account"))
            }
        }
    }
}

impl Listed {
    /// The names from the root to a unit.
    pub fn unit_path(&self, unit_id: &str) -> Option<String> {
        self.members.values().filter_map(|member| member.units.as_ref()).find_map(|units| {
            let at = units.iter().position(|(id, _)| id == unit_id)?;
            Some(path(&units[..=at]))
        })
    }

    /// Units with their paths, by path: those that have an account in or below them.
    pub fn units(&self) -> Vec<(String, String)> {
        let mut units: BTreeMap<&str, String> = BTreeMap::new();
        for way in self.members.values().filter_map(|member| member.units.as_ref()) {
            for (at, (id, _)) in way.iter().enumerate() {
                units.entry(id).or_insert_with(|| path(&way[..=at]));
            }
        }
        let mut units: Vec<(String, String)> = units.into_iter().map(|(id, path)| (id.to_owned(), path)).collect();
        units.sort_by(|one, other| (&one.1, &one.0).cmp(&(&other.1, &other.0)));
        units
    }

    /// Where an account stands and what it carries, in words.
    pub fn of(&self, account_id: &str) -> String {
        let Some(member) = self.members.get(account_id) else {
            return format!("not on the account list of {}", format::day(self.listed_on));
        };
        let units = member.units.as_ref().map(|units| format!("in {}", path(units)));
        let tags = member.tags.as_ref().map(|tags| {
            let tags: Vec<String> = tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
            if tags.is_empty() { "without tags".to_owned() } else { format!("tags {}", tags.join(", ")) }
        });
        [units, tags].into_iter().flatten().collect::<Vec<_>>().join("; ")
    }
}

fn path(units: &[(String, String)]) -> String {
    units.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>().join(" / ")
}

/// The accounts that belong on a day. `listed` is the account list that speaks for it; `None` where there is none.
pub fn membership(definitions: &[Definition], listed: Option<&Listed>, day: Date) -> Membership {
    let mut found = Membership::default();
    for definition in definitions.iter().filter(|one| one.holds_on(day)) {
        let chosen = match &definition.selector {
            Selector::Accounts(accounts) => Ok(accounts.clone()),
            Selector::Unit(id) => by(listed, |member| Some(member.units.as_ref()?.iter().any(|(unit, _)| unit == id))),
            Selector::Tag { key, value } => by(listed, |member| Some(member.tags.as_ref()?.get(key) == Some(value))),
        };
        match chosen {
            Ok(accounts) => {
                for account in accounts {
                    found.accounts.entry(account).or_default().push(definition.record);
                }
            }
            Err(Untold) => found.undecided.push(format!(
                "Definition {} chooses by {}, and no account list that was read tells that of every account",
                definition.record,
                definition.selector.words(listed)
            )),
        }
    }
    found
}

/// The list does not tell of what accounts are chosen by.
struct Untold;

fn by(listed: Option<&Listed>, has: impl Fn(&Member) -> Option<bool>) -> Result<BTreeSet<String>, Untold> {
    let mut chosen = BTreeSet::new();
    for (account_id, member) in &listed.ok_or(Untold)?.members {
        if has(member).ok_or(Untold)? {
            chosen.insert(account_id.clone());
        }
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::{date, datetime};

    use super::*;

    fn definition(record: i64, selector: Selector, first_day: Date, end_day: Option<Date>) -> Definition {
        let made_at = datetime!(2026-11-01 09:00 UTC);
        let end = |day| End { day, reason: "e".to_owned(), made_by: "x".to_owned(), made_at, record: record + 100 };
        Definition {
            record,
            name: "production".to_owned(),
            title: "Production".to_owned(),
            selector,
            first_day,
            reason: "r".to_owned(),
            made_by: "x".to_owned(),
            made_at,
            end: end_day.map(end),
        }
    }

    fn member(units: &[&str], tag: (&str, &str)) -> Member {
        Member {
            units: Some(units.iter().map(|unit| ((*unit).to_owned(), unit.to_uppercase())).collect()),
            tags: Some(BTreeMap::from([(tag.0.to_owned(), tag.1.to_owned())])),
        }
    }

    fn listed<const N: usize>(members: [(&str, Member); N]) -> Listed {
        let members = members.into_iter().map(|(id, member)| (id.to_owned(), member)).collect();
        Listed { listed_on: DAY, members }
    }

    fn unit(id: &str) -> Selector {
        Selector::Unit(id.to_owned())
    }

    fn set(ids: &[&str]) -> BTreeSet<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    const DAY: Date = date!(2026 - 11 - 10);

    #[test]
    fn a_unit_holds_everything_below_it_and_definitions_add_up() {
        let listed =
            listed([("1", member(&["r", "a", "b"], ("data", "card"))), ("2", member(&["r", "c"], ("data", "none")))]);
        let of = |selectors: &[&Selector]| {
            let definitions: Vec<Definition> = (1..)
                .zip(selectors)
                .map(|(record, selector)| definition(record, (*selector).clone(), DAY, None))
                .collect();
            membership(&definitions, Some(&listed), DAY).accounts
        };
        let ids = |selectors: &[&Selector]| of(selectors).into_keys().collect::<BTreeSet<_>>();
        assert_eq!(ids(&[&unit("a")]), set(&["1"]));
        assert_eq!(ids(&[&unit("r")]), set(&["1", "2"]));
        let card = Selector::Tag { key: "data".to_owned(), value: "card".to_owned() };
        assert_eq!(ids(&[&card]), set(&["1"]));
        let list = Selector::Accounts(set(&["9"]));
        assert_eq!(ids(&[&unit("c"), &list]), set(&["2", "9"]));
        assert_eq!(of(&[&unit("r"), &card])["1"], [1, 2], "both choose it");
        assert_eq!(listed.unit_path("b").as_deref(), Some("R / A / B"));
        assert_eq!(listed.of("2"), "in R / C; tags data=none");
        assert_eq!(listed.units().len(), 4);
    }

    #[test]
    fn a_definition_holds_from_its_first_day_until_before_its_end() {
        let one = definition(1, unit("r"), DAY, Some(date!(2026 - 11 - 12)));
        let listed = listed([("1", member(&["r"], ("", "")))]);
        let on = |day| membership(std::slice::from_ref(&one), Some(&listed), day).accounts.len();
        let days = [date!(2026 - 11 - 09), DAY, date!(2026 - 11 - 11), date!(2026 - 11 - 12)];
        assert_eq!(days.map(on), [0, 1, 1, 0]);
        assert_eq!(one.days_words(), "10 Nov 2026 to 11 Nov 2026");
        assert!(definition(1, unit("r"), DAY, Some(DAY)).days_words().starts_with("never"));
    }

    #[test]
    fn what_no_list_tells_is_undecided_and_not_empty() {
        let tag = Selector::Tag { key: "k".to_owned(), value: "v".to_owned() };
        let list = definition(7, Selector::Accounts(set(&["5"])), DAY, None);
        let half = listed([("1", member(&["r"], ("", ""))), ("2", Member::default())]);
        for selector in [unit("r"), tag] {
            for listed in [None, Some(&half)] {
                let definitions = [definition(1, selector.clone(), DAY, None), list.clone()];
                let found = membership(&definitions, listed, DAY);
                assert_eq!(found.undecided.len(), 1, "{found:?}");
                assert!(found.undecided[0].starts_with("Definition 1 chooses by"), "{found:?}");
                assert_eq!(found.accounts.into_keys().collect::<Vec<_>>(), ["5"], "a list needs no other list");
            }
        }
        let over = definition(1, unit("r"), DAY, Some(date!(2026 - 11 - 10)));
        assert!(membership(&[over], None, DAY).undecided.is_empty(), "what does not hold needs no decision");
    }

    #[test]
    fn a_name_can_stand_in_an_address() {
        for name in ["production", "cardholder-data", "a", "2026"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "-a", "Production", "a b", "ä", "new", &"x".repeat(25)] {
            assert!(!is_name(name), "{name}");
        }
    }

    /// Selectors over four accounts, account `n` being in unit `n % 2` of the root and carrying `t = n`.
    fn selector() -> impl Strategy<Value = Selector> {
        prop_oneof![
            prop_oneof![Just("r"), Just("0"), Just("1"), Just("none")].prop_map(unit),
            (0_u8..5).prop_map(|n| Selector::Tag { key: "t".to_owned(), value: n.to_string() }),
            prop::collection::btree_set((0_u8..6).prop_map(|n| format!("a{n}")), 1..3).prop_map(Selector::Accounts),
        ]
    }

    fn four() -> Listed {
        let member = |n: u8| (format!("a{n}"), member(&["r", &(n % 2).to_string()], ("t", &n.to_string())));
        Listed { listed_on: DAY, members: (0..4).map(member).collect() }
    }

    proptest! {
        #[test]
        fn a_scope_holds_exactly_what_one_of_its_definitions_holds(
            spans in prop::collection::vec((selector(), 0_i64..4, prop::option::of(0_i64..6)), 0..6), on in 0_i64..6,
        ) {
            let listed = four();
            let day = |offset: i64| DAY + time::Duration::days(offset);
            let definitions: Vec<Definition> = (1..)
                .zip(spans)
                .map(|(record, (selector, first, end))| definition(record, selector, day(first), end.map(day)))
                .collect();
            let found = membership(&definitions, Some(&listed), day(on));
            prop_assert!(found.undecided.is_empty());
            let mut union: BTreeMap<String, Vec<i64>> = BTreeMap::new();
            for one in &definitions {
                let alone = membership(std::slice::from_ref(one), Some(&listed), day(on));
                prop_assert!(one.holds_on(day(on)) || alone.accounts.is_empty());
                for account in alone.accounts.into_keys() {
                    union.entry(account).or_default().push(one.record);
                }
            }
            prop_assert_eq!(found.accounts, union);
        }

        #[test]
        fn an_account_is_chosen_by_what_the_list_says_of_it_and_of_no_other(selector in selector(), n in 0_u8..4) {
            let whole = four();
            let id = format!("a{n}");
            let alone = Listed { members: [(id.clone(), whole.members[&id].clone())].into(), ..whole.clone() };
            let one = [definition(1, selector, DAY, None)];
            let is_in = |listed: &Listed| membership(&one, Some(listed), DAY).accounts.contains_key(&id);
            prop_assert_eq!(is_in(&whole), is_in(&alone));
        }
    }
}
