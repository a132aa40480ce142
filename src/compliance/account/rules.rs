//! Which rules an account has, and which of those that others have it has not.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use rustc_hash::FxHashMap;

use super::told::Of;
use crate::compliance::Severity;
use crate::compliance::core::PlaceDay;
use crate::compliance::db::rules::InPlace;
use crate::compliance::shown::Shown;
use crate::web::View;
use crate::web::format::{count, plural};
use crate::web::list::{Field, List};

/// A rule that others have and the account has not.
#[derive(Debug)]
pub(super) struct AbsentLine {
    day: time::Date,
    account_id: String,
    pub(super) name: String,
    pub(super) severity: Severity,
    /// Of the accounts that are known on the day, those that have it.
    pub(super) accounts: i64,
    pub(super) href: String,
}

/// The rules of an account, as far as the filters leave them.
pub(super) struct Rules {
    here: i64,
    pub(super) absent: Vec<AbsentLine>,
    /// Whether a Region is known on the day.
    known: bool,
    /// Whether only rules with some evaluations are counted: of these none is absent.
    of_evaluations: bool,
}

impl Rules {
    /// `elsewhere`: in how many accounts each rule exists. `places`: those that the filters leave.
    pub(super) fn of(
        shown: &Shown,
        view: &View,
        of: &Of<'_>,
        present: &[InPlace],
        elsewhere: &FxHashMap<String, i64>,
    ) -> Self {
        let places: FxHashMap<i32, &PlaceDay> =
            of.filter.places(of.places).into_iter().map(|place| (place.place_id, place)).collect();
        let known = places.values().any(|place| place.known());
        let of_evaluations = of.asks_for_evaluations();
        let is_meant = |rule: &&InPlace| {
            places.get(&rule.place_id).is_some_and(|place| {
                if of_evaluations {
                    of.filter.which.count(place.known(), &rule.counts.into()) > 0
                } else {
                    place.known()
                }
            })
        };
        let name = |rule: &InPlace| Some(shown.catalog.rule(rule.rule_id)?.1.core_name.as_str());
        let here: BTreeSet<&str> =
            present.iter().filter(is_meant).filter(|rule| of.holds(rule.rule_id)).filter_map(name).collect();
        let mut absent = Vec::new();
        if known && !of_evaluations {
            absent = elsewhere
                .iter()
                .filter(|(name, _)| !here.contains(name.as_str()))
                .filter_map(|(name, accounts)| {
                    let rule = shown.catalog.of_core(name).find(|rule| of.holds(rule.rule_id))?;
                    Some(AbsentLine {
                        day: view.as_of,
                        account_id: of.id.to_owned(),
                        name: name.clone(),
                        severity: rule.severity(),
                        accounts: *accounts,
                        href: crate::compliance::rules::href(view, name),
                    })
                })
                .collect();
            absent.sort_by(|one, other| one.name.cmp(&other.name));
        }
        Self { here: i64::try_from(here.len()).unwrap_or(i64::MAX), absent, known, of_evaluations }
    }

    /// `accounts`: those that are known on the day.
    pub(super) fn sentence(&self, accounts: i64) -> String {
        if self.of_evaluations {
            let have = if self.here == 1 { "has" } else { "have" };
            return format!("{} here {have} evaluations that the filters leave.", plural(self.here, "rule"));
        }
        if !self.known {
            return "Which rules exist here is not known: no evidence for the day.".to_owned();
        }
        let absent = i64::try_from(self.absent.len()).unwrap_or(i64::MAX);
        let mut sentence = format!("{} of {} present", count(self.here), plural(self.here + absent, "rule"));
        if absent > 0 {
            _ = write!(sentence, "; {} absent", count(absent));
        }
        _ = write!(
            sentence,
            ". There is no baseline of rules to hold an account to: expected are the rules that any of the {} known that day has.",
            plural(accounts, "account")
        );
        sentence
    }
}

/// Rules that others have and the account has not.
pub(super) fn absent() -> List<AbsentLine> {
    let fields = vec![
        Field::unseen("day", |line: &AbsentLine| line.day.into()),
        Field::unseen("account_id", |line| line.account_id.as_str().into()),
        Field::text("Rule", "rule", |line| line.name.as_str().into()),
        Field::text("Severity", "severity", |line: &AbsentLine| line.severity.word().into())
            .ordered(|line| line.severity.rank().into())
            .most_first(),
        Field::number("Accounts that have it", "present_in_accounts", |line| line.accounts.into()),
    ];
    List::new("absent", "absent-sort", 60, fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_counts_absent_rules_only_where_rules_are_asked_for() {
        let rules = |here, known, of_evaluations| Rules { here, absent: vec![], known, of_evaluations }.sentence(24);
        assert!(rules(3, true, false).starts_with("3 of 3 rules present. There is no baseline"));
        assert_eq!(rules(1, true, true), "1 rule here has evaluations that the filters leave.");
        assert_eq!(rules(0, false, false), "Which rules exist here is not known: no evidence for the day.");
    }
}
