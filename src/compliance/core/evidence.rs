//! What arrived of what was expected on a day, and what it adds up to.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use time::{Date, OffsetDateTime};

use super::figures::{Counts, Figures, NeverSeen};
use super::sources::Source;
use crate::compliance::DeliveryState;
use crate::web::format::{count, day as day_words};

/// An account in a Region on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceDay {
    pub place_id: i32,
    pub account_id: String,
    /// Empty where no account list names it.
    pub account_name: String,
    /// The root and the organizational units down to the account's own, as the list that speaks for the day has them; empty
    /// where none tells.
    pub unit: String,
    pub region: String,
    /// Whether the account list and the Region list say that it should deliver.
    pub expected: bool,
    pub state: DeliveryState,
    pub snapshot_at: Option<OffsetDateTime>,
    /// Of the day, where it is known.
    pub counts: Counts,
    /// The last known day before, where the day itself is not known, with what was known then.
    pub last_known: Option<(Date, Counts)>,
    /// What its figures stand on, those of the last known day included; `None` where no day up to it is known.
    pub source: Option<Source>,
}

impl PlaceDay {
    pub fn known(&self) -> bool {
        self.state.known()
    }

    /// Evaluations that count as unknown because an expected place has no evidence for the day.
    pub fn carried(&self) -> i64 {
        match &self.last_known {
            Some((_, counts)) if self.expected && !self.known() => counts.carried(),
            _ => 0,
        }
    }

    /// Whether there was any known day up to this one.
    pub fn seen(&self) -> bool {
        self.known() || self.last_known.is_some()
    }
}

/// A day of several places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence<'a> {
    pub day: Date,
    pub places: Vec<&'a PlaceDay>,
}

impl<'a> Evidence<'a> {
    pub fn of(day: Date, places: impl IntoIterator<Item = &'a PlaceDay>) -> Self {
        Self { day, places: places.into_iter().collect() }
    }

    pub fn expected(&self) -> usize {
        self.places.iter().filter(|place| place.expected).count()
    }

    /// Expected places whose day is known.
    pub fn delivered(&self) -> usize {
        self.places.iter().filter(|place| place.expected && place.known()).count()
    }

    /// Known places that no list expects.
    pub fn unexpected(&self) -> usize {
        self.places.iter().filter(|place| !place.expected && place.known()).count()
    }

    /// Expected places whose day is not known, by state.
    pub fn gaps(&self) -> BTreeMap<DeliveryState, usize> {
        let mut gaps = BTreeMap::new();
        for place in self.places.iter().filter(|place| place.expected && !place.known()) {
            *gaps.entry(place.state).or_default() += 1;
        }
        gaps
    }

    /// Expected accounts without a known day in any Region up to this day, and expected Regions without one of accounts
    /// that have one elsewhere.
    pub fn never_seen(&self) -> NeverSeen {
        let seen: BTreeSet<&str> =
            self.places.iter().filter(|place| place.seen()).map(|place| place.account_id.as_str()).collect();
        let silent = self.places.iter().filter(|place| place.expected && !place.seen());
        let (places, accounts): (Vec<_>, Vec<_>) =
            silent.map(|place| place.account_id.as_str()).partition(|account| seen.contains(account));
        let accounts: BTreeSet<&str> = accounts.into_iter().collect();
        let number = |length| i64::try_from(length).unwrap_or(i64::MAX);
        NeverSeen { accounts: number(accounts.len()), places: number(places.len()) }
    }

    pub fn figures(&self) -> Figures {
        Figures {
            counts: self.places.iter().filter(|place| place.known()).map(|place| place.counts).sum(),
            carried: self.places.iter().map(|place| place.carried()).sum(),
            never_seen: self.never_seen(),
        }
    }

    /// "69 of 72 account-regions delivered for 22 Nov 2026 (UTC); 2 silent, 1 unreadable".
    pub fn sentence(&self) -> String {
        let day = day_words(self.day);
        let number = |number: usize| count(i64::try_from(number).unwrap_or(i64::MAX));
        if self.expected() == 0 {
            let delivered = self.unexpected();
            let places = if delivered == 1 { "account-region" } else { "account-regions" };
            return format!(
                "{} {places} delivered for {day} (UTC); none is expected by an account list.",
                number(delivered)
            );
        }
        let mut sentence = format!(
            "{} of {} account-regions delivered for {day} (UTC)",
            number(self.delivered()),
            number(self.expected())
        );
        let gaps: Vec<String> = self
            .gaps()
            .into_iter()
            .map(|(state, places)| {
                let word = if state == DeliveryState::Missing { "silent" } else { state.word() };
                format!("{} {word}", number(places))
            })
            .collect();
        if !gaps.is_empty() {
            sentence.push_str("; ");
            sentence.push_str(&gaps.join(", "));
        }
        if self.unexpected() > 0 {
            _ = write!(sentence, "; {} more that no list expects", number(self.unexpected()));
        }
        sentence.push('.');
        sentence
    }
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    const DAY: Date = date!(2026 - 11 - 22);

    fn place(account: &str, state: DeliveryState) -> PlaceDay {
        PlaceDay {
            place_id: 1,
            account_id: account.to_owned(),
            account_name: String::new(),
            unit: String::new(),
            region: "eu-central-1".to_owned(),
            expected: true,
            state,
            snapshot_at: None,
            counts: if state.known() {
                Counts { complying: 9, not_complying: 1, ..Counts::default() }
            } else {
                Counts::default()
            },
            last_known: None,
            source: None,
        }
    }

    #[test]
    fn the_sentence_says_what_is_missing_and_why() {
        let places = [
            place("1", DeliveryState::Delivered),
            place("2", DeliveryState::InferredFromHistory),
            place("3", DeliveryState::Missing),
            place("4", DeliveryState::Missing),
            place("5", DeliveryState::Unreadable),
        ];
        assert_eq!(
            Evidence::of(DAY, &places).sentence(),
            "2 of 5 account-regions delivered for 22 Nov 2026 (UTC); 1 unreadable, 2 silent."
        );
        assert_eq!(
            Evidence::of(DAY, &places[..1]).sentence(),
            "1 of 1 account-regions delivered for 22 Nov 2026 (UTC)."
        );
        let stranger = PlaceDay { expected: false, ..place("6", DeliveryState::Delivered) };
        assert_eq!(
            Evidence::of(DAY, [&stranger]).sentence(),
            "1 account-region delivered for 22 Nov 2026 (UTC); none is expected by an account list."
        );
    }

    #[test]
    fn an_account_that_never_delivered_makes_the_lower_figure_not_computable() {
        let places = [
            place("1", DeliveryState::Delivered),
            place("2", DeliveryState::Missing),
            place("3", DeliveryState::NoComplianceItems),
        ];
        let figures = Evidence::of(DAY, &places).figures();
        assert_eq!(figures.never_seen, NeverSeen { accounts: 2, places: 0 });
        assert_eq!(figures.at_least().to_string(), "not computable: 2 accounts never seen");
    }

    #[test]
    fn a_region_that_never_delivered_makes_it_not_computable_too() {
        let elsewhere = PlaceDay { region: "eu-west-1".to_owned(), ..place("1", DeliveryState::Missing) };
        let places = [place("1", DeliveryState::Delivered), elsewhere, place("2", DeliveryState::Missing)];
        let figures = Evidence::of(DAY, &places).figures();
        assert_eq!(figures.never_seen, NeverSeen { accounts: 1, places: 1 });
        let seen = Evidence::of(DAY, &places[..2]).figures();
        assert_eq!(seen.at_least().to_string(), "not computable: 1 account-Region never seen");
    }

    #[test]
    fn the_last_known_evaluations_of_a_silent_place_are_unknown() {
        let counts =
            Counts { complying: 5, not_complying: 2, insufficient_data: 1, not_applicable: 7, unrecognised: 1 };
        let silent =
            PlaceDay { last_known: Some((date!(2026 - 11 - 20), counts)), ..place("2", DeliveryState::Missing) };
        let places = [place("1", DeliveryState::Delivered), silent.clone()];
        let figures = Evidence::of(DAY, &places).figures();
        assert_eq!(figures.carried, 9);
        assert!(!figures.never_seen.any());
        let left = PlaceDay { expected: false, ..silent };
        assert_eq!(Evidence::of(DAY, [&left]).figures().carried, 0, "what is not expected is not missed");
    }
}
