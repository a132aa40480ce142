//! From expected days and delivered days to a state for every day of every place. Pure.

use std::collections::BTreeMap;

use time::Date;

use crate::compliance::DeliveryState;
use crate::web::format;

/// An account in a Region with its days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub place_id: i32,
    pub account_id: String,
    /// Empty where no account list names it.
    pub account_name: String,
    /// Names of the organizational units below the root, down to the account's own; empty where no list tells them.
    pub unit: String,
    pub region: String,
    /// First day and the day after the last, of each time that it should deliver.
    pub expected: Vec<(Date, Date)>,
    /// What was delivered: first day, day after the last, state.
    pub delivered: Vec<(Date, Date, DeliveryState)>,
    /// The first day ever that is known, up to the day that is looked at.
    pub first_known: Option<Date>,
}

/// One day of a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DayState {
    pub state: DeliveryState,
    pub expected: bool,
}

impl DayState {
    /// Expected and not known.
    pub(super) fn is_gap(self) -> bool {
        self.expected && !self.state.known()
    }
}

impl Place {
    /// A state for each day from `first` until before `end`, as stretches of equal days that leave none out.
    pub(super) fn stretches(&self, first: Date, end: Date) -> Vec<(Date, Date, DayState)> {
        let length = usize::try_from((end - first).whole_days()).unwrap_or(0);
        let mut days = vec![DayState { state: DeliveryState::NotExpected, expected: false }; length];
        let index = |day: Date| usize::try_from((day.clamp(first, end) - first).whole_days()).unwrap_or(0);
        for (from, to) in &self.expected {
            days[index(*from)..index(*to).max(index(*from))]
                .fill(DayState { state: DeliveryState::Missing, expected: true });
        }
        for (from, to, state) in &self.delivered {
            for day in &mut days[index(*from)..index(*to).max(index(*from))] {
                day.state = *state;
            }
        }
        let dates = std::iter::successors(Some(first), |day| day.next_day());
        crate::web::chart::segments(dates.zip(days))
    }

    /// The account's name and where it stands, as far as lists tell.
    pub(super) fn named(&self) -> String {
        let words = [self.account_name.as_str(), self.unit.as_str()];
        words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" · ")
    }

    pub(super) fn is_expected_on(&self, day: Date) -> bool {
        self.expected.iter().any(|(from, to)| *from <= day && day < *to)
    }

    pub(super) fn state_on(&self, day: Date) -> DayState {
        let expected = self.is_expected_on(day);
        let silent = if expected { DeliveryState::Missing } else { DeliveryState::NotExpected };
        let found = self.delivered.iter().find(|(from, to, _)| *from <= day && day < *to);
        DayState { state: found.map_or(silent, |(_, _, state)| *state), expected }
    }
}

/// Days that were expected and are not known, one after the other with one cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Gap<'a> {
    pub place: &'a Place,
    pub state: DeliveryState,
    pub first: Date,
    /// The day after the last.
    pub end: Date,
}

impl Gap<'_> {
    pub(super) fn days(&self) -> i64 {
        (self.end - self.first).whole_days()
    }

    pub(super) fn last(&self) -> Date {
        self.end.previous_day().unwrap_or(self.end)
    }
}

/// What a period of places comes to.
#[derive(Debug)]
pub(super) struct Period<'a> {
    pub first: Date,
    /// The day after the last.
    pub end: Date,
    pub places: Vec<(&'a Place, Vec<(Date, Date, DayState)>)>,
    /// By cause: the cause with most days first; in it the longest gap first.
    pub gaps: Vec<Gap<'a>>,
    /// Days by state, all places together.
    pub days: BTreeMap<DeliveryState, i64>,
    pub expected_days: i64,
    pub gap_days: i64,
}

impl<'a> Period<'a> {
    pub(super) fn of(places: &'a [Place], first: Date, end: Date) -> Self {
        let places: Vec<_> = places.iter().map(|place| (place, place.stretches(first, end))).collect();
        let mut days = BTreeMap::new();
        let mut gaps = Vec::new();
        let mut expected_days = 0;
        for (place, stretches) in &places {
            for (from, to, day) in stretches {
                let length = (*to - *from).whole_days();
                *days.entry(day.state).or_default() += length;
                expected_days += if day.expected { length } else { 0 };
                if day.is_gap() {
                    gaps.push(Gap { place, state: day.state, first: *from, end: *to });
                }
            }
        }
        let mut by_cause: BTreeMap<DeliveryState, i64> = BTreeMap::new();
        for gap in &gaps {
            *by_cause.entry(gap.state).or_default() += gap.days();
        }
        let cause = |gap: &Gap<'_>| (-by_cause[&gap.state], gap.state);
        gaps.sort_by(|left, right| {
            cause(left)
                .cmp(&cause(right))
                .then(right.days().cmp(&left.days()))
                .then(left.first.cmp(&right.first))
                .then_with(|| left.place.account_id.cmp(&right.place.account_id))
                .then_with(|| left.place.region.cmp(&right.place.region))
        });
        let gap_days = by_cause.values().sum();
        Self { first, end, places, gaps, days, expected_days, gap_days }
    }

    /// Keeps what is in one state: its gaps, and the places that have a day of it.
    pub(super) fn keep(&mut self, state: DeliveryState) {
        self.gaps.retain(|gap| gap.state == state);
        self.places.retain(|(_, stretches)| stretches.iter().any(|(_, _, day)| day.state == state));
        self.gap_days = self.gaps.iter().map(Gap::days).sum();
    }

    /// "40 missing, 12 unreadable": days of gaps by cause, most first.
    pub(super) fn causes(&self) -> String {
        let mut by_cause: BTreeMap<DeliveryState, i64> = BTreeMap::new();
        for gap in &self.gaps {
            *by_cause.entry(gap.state).or_default() += gap.days();
        }
        let mut by_cause: Vec<(DeliveryState, i64)> = by_cause.into_iter().collect();
        by_cause.sort_by_key(|(state, days)| (-days, *state));
        let words: Vec<String> =
            by_cause.iter().map(|(state, days)| format!("{} {}", format::count(*days), state.word())).collect();
        words.join(", ")
    }
}

/// How many of the expected places delivered on a day, and why the others did not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct OneDay {
    pub expected: i64,
    pub known: i64,
    pub causes: BTreeMap<DeliveryState, i64>,
    /// Delivered though no list expects them.
    pub unexpected: i64,
}

impl OneDay {
    pub(super) fn of(places: &[Place], day: Date) -> Self {
        let mut one = Self::default();
        for place in places {
            let state = place.state_on(day);
            match (state.expected, state.state.known()) {
                (true, true) => {
                    one.expected += 1;
                    one.known += 1;
                }
                (true, false) => {
                    one.expected += 1;
                    *one.causes.entry(state.state).or_default() += 1;
                }
                (false, true) => one.unexpected += 1,
                (false, false) => {}
            }
        }
        one
    }

    /// "2 missing, 1 unreadable"; empty without gaps.
    pub(super) fn causes(&self) -> String {
        let words: Vec<String> =
            self.causes.iter().map(|(state, places)| format!("{} {}", format::count(*places), state.word())).collect();
        words.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    fn place() -> Place {
        Place {
            place_id: 1,
            account_id: "000000000001".to_owned(),
            account_name: String::new(),
            unit: String::new(),
            region: "eu-west-1".to_owned(),
            expected: vec![(date!(2026 - 11 - 03), date!(9999 - 12 - 31))],
            delivered: vec![
                (date!(2026 - 11 - 02), date!(2026 - 11 - 04), DeliveryState::Delivered),
                (date!(2026 - 11 - 05), date!(2026 - 11 - 06), DeliveryState::Unreadable),
            ],
            first_known: Some(date!(2026 - 11 - 02)),
        }
    }

    #[test]
    fn every_day_has_a_state_and_none_is_left_out() {
        let stretches = place().stretches(date!(2026 - 11 - 01), date!(2026 - 11 - 08));
        let states: Vec<_> =
            stretches.iter().map(|(first, end, day)| ((*end - *first).whole_days(), day.state, day.expected)).collect();
        assert_eq!(
            states,
            [
                (1, DeliveryState::NotExpected, false),
                (1, DeliveryState::Delivered, false),
                (1, DeliveryState::Delivered, true),
                (1, DeliveryState::Missing, true),
                (1, DeliveryState::Unreadable, true),
                (2, DeliveryState::Missing, true),
            ]
        );
    }

    #[test]
    fn gaps_stand_by_cause_with_most_days_first_and_the_longest_first_in_it() {
        let places = [place()];
        let period = Period::of(&places, date!(2026 - 11 - 01), date!(2026 - 11 - 08));
        let gaps: Vec<_> = period.gaps.iter().map(|gap| (gap.state, gap.first, gap.days())).collect();
        assert_eq!(
            gaps,
            [
                (DeliveryState::Missing, date!(2026 - 11 - 06), 2),
                (DeliveryState::Missing, date!(2026 - 11 - 04), 1),
                (DeliveryState::Unreadable, date!(2026 - 11 - 05), 1),
            ]
        );
        assert_eq!((period.expected_days, period.gap_days), (5, 4));
        assert_eq!(period.causes(), "3 missing, 1 unreadable");
        assert_eq!(period.days.values().sum::<i64>(), 7);
    }

    #[test]
    fn a_day_counts_who_was_expected_and_who_came_unasked() {
        let places = [place()];
        let on = |day| OneDay::of(&places, day);
        assert_eq!((on(date!(2026 - 11 - 02)).expected, on(date!(2026 - 11 - 02)).unexpected), (0, 1));
        assert_eq!((on(date!(2026 - 11 - 03)).expected, on(date!(2026 - 11 - 03)).known), (1, 1));
        assert_eq!(on(date!(2026 - 11 - 04)).causes(), "1 missing");
    }
}
