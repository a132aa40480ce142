//! Regions where accounts that delivered once have fallen silent, or deliver without compliance items. Pure.

use std::collections::BTreeMap;

use time::Date;

use super::core::{Period, Place};
use crate::compliance::DeliveryState;

/// What accounts of one Region that were known before come to at the end of a period, by one cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stopped {
    pub region: String,
    /// The cause on the last day.
    pub state: DeliveryState,
    /// Accounts with this cause, and all that are expected in the Region on the last day.
    pub accounts: usize,
    pub expected: usize,
    /// The first day that is not known any more: of the account that stopped first, and of the last one.
    pub since: (Date, Date),
    /// False: it stopped before the period, or on its first day.
    pub since_known: bool,
}

impl Stopped {
    /// Whether no account of the Region is left.
    pub(super) fn whole_region(&self) -> bool {
        self.accounts == self.expected
    }
}

/// By Region and cause: whole Regions first, in each the most accounts first.
pub(super) fn stopped(period: &Period<'_>) -> Vec<Stopped> {
    let mut expected: BTreeMap<&str, usize> = BTreeMap::new();
    let mut found: BTreeMap<(&str, DeliveryState), Stopped> = BTreeMap::new();
    for (place, stretches) in &period.places {
        let Some((_, _, last)) = stretches.last().filter(|(_, _, day)| day.expected) else { continue };
        *expected.entry(&place.region).or_default() += 1;
        // From the last to the first: days without evidence that end with the period.
        let silent = stretches.iter().rev().take_while(|(_, _, day)| day.is_gap());
        let Some(since) = silent.last().map(|(first, _, _)| *first).filter(|since| was_known(place, *since)) else {
            continue;
        };
        let one = found.entry((&place.region, last.state)).or_insert_with(|| Stopped {
            region: place.region.clone(),
            state: last.state,
            accounts: 0,
            expected: 0,
            since: (since, since),
            since_known: true,
        });
        one.accounts += 1;
        one.since = (one.since.0.min(since), one.since.1.max(since));
        one.since_known &= since > period.first;
    }
    let mut all: Vec<Stopped> = found.into_values().collect();
    for one in &mut all {
        one.expected = expected[one.region.as_str()];
    }
    all.sort_by_key(|one| (!one.whole_region(), std::cmp::Reverse(one.accounts), one.region.clone(), one.state));
    all
}

fn was_known(place: &Place, day: Date) -> bool {
    place.first_known.is_some_and(|known| known < day)
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    const DELIVERED: DeliveryState = DeliveryState::Delivered;
    const NO_ITEMS: DeliveryState = DeliveryState::NoComplianceItems;

    fn place(account: &str, region: &str, delivered: &[(u8, u8, DeliveryState)]) -> Place {
        let day = |day| Date::from_calendar_date(2026, time::Month::November, day).expect("a day of November");
        let known = delivered.iter().filter(|(_, _, state)| state.known());
        Place {
            place_id: 1,
            account_id: account.to_owned(),
            account_name: String::new(),
            unit: String::new(),
            region: region.to_owned(),
            expected: vec![(date!(2026 - 10 - 01), date!(9999 - 12 - 31))],
            first_known: known.map(|(from, _, _)| day(*from)).min(),
            delivered: delivered.iter().map(|(from, to, state)| (day(*from), day(*to), *state)).collect(),
        }
    }

    fn of(places: &[Place]) -> Vec<Stopped> {
        stopped(&Period::of(places, date!(2026 - 11 - 01), date!(2026 - 11 - 11)))
    }

    #[test]
    fn a_region_in_which_every_account_fell_silent_stands_first() {
        let places = [
            place("1", "eu-west-1", &[(1, 11, DELIVERED)]),
            place("2", "eu-west-1", &[(1, 9, DELIVERED)]),
            place("3", "eu-west-1", &[(1, 9, DELIVERED), (9, 11, NO_ITEMS)]),
            place("1", "eu-west-3", &[(1, 4, DELIVERED)]),
            place("2", "eu-west-3", &[(1, 6, DELIVERED)]),
        ];
        let stopped = of(&places);
        let told: Vec<_> = stopped.iter().map(|it| (it.region.as_str(), it.state, it.accounts, it.expected)).collect();
        assert_eq!(
            told,
            [
                ("eu-west-3", DeliveryState::Missing, 2, 2),
                ("eu-west-1", NO_ITEMS, 1, 3),
                ("eu-west-1", DeliveryState::Missing, 1, 3),
            ]
        );
        assert_eq!(stopped[0].since, (date!(2026 - 11 - 04), date!(2026 - 11 - 06)));
        assert!(stopped[0].whole_region() && stopped[0].since_known && !stopped[1].whole_region());
    }

    #[test]
    fn what_never_delivered_and_what_is_back_has_not_stopped() {
        let never = place("1", "eu-west-1", &[]);
        let back = place("2", "eu-west-1", &[(1, 4, DELIVERED), (6, 11, DELIVERED)]);
        let mut left = place("3", "eu-west-1", &[(1, 4, DELIVERED)]);
        left.expected = vec![(date!(2026 - 10 - 01), date!(2026 - 11 - 04))];
        assert_eq!(of(&[never, back, left]), []);
    }

    #[test]
    fn silence_that_began_before_the_period_has_no_known_first_day() {
        let mut before = place("1", "eu-west-1", &[]);
        before.first_known = Some(date!(2026 - 10 - 20));
        let stopped = of(&[before]);
        assert_eq!((stopped[0].since.0, stopped[0].since_known), (date!(2026 - 11 - 01), false));
    }
}
