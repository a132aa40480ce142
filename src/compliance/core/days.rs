//! Days of some evaluations over several places: what they come to on each, from what was known and what changed when.

use std::collections::BTreeMap;

use time::{Date, Duration};

use super::figures::{Counts, Figures};

/// An account in a Region over some days, with what is counted there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PlaceCounts {
    pub place_id: i32,
    pub account_id: String,
    /// Whether any day before the first was known.
    pub seen_before: bool,
    /// Days that are known, in order.
    pub known: Vec<Date>,
    /// First day and the day after the last, of each time that it should deliver.
    pub expected: Vec<(Date, Date)>,
    /// By how much the counts change on a day, in order; on the first day from nothing. Counts stay over a gap: on a day
    /// that is not known they are what was last known.
    pub changes: Vec<(Date, Counts)>,
}

impl PlaceCounts {
    /// What is counted on a day, or was when it was last known.
    pub fn counts_on(&self, day: Date) -> Counts {
        self.changes.iter().take_while(|(on, _)| *on <= day).map(|(_, counts)| *counts).sum()
    }

    fn is_expected_on(&self, day: Date) -> bool {
        self.expected.iter().any(|(first, end)| (*first..*end).contains(&day))
    }
}

/// What an account is on a day.
#[derive(Debug, Clone, Copy, Default)]
struct OfAccount {
    expected: bool,
    seen: bool,
    /// Places that are expected and were never known.
    never: i64,
}

/// The figures of each day from one to another, in order.
pub fn day_figures(places: &[PlaceCounts], first: Date, last: Date) -> Vec<(Date, Figures)> {
    let length = usize::try_from((last - first).whole_days() + 1).unwrap_or(0);
    let days: Vec<Date> =
        (0..length).filter_map(|at| first.checked_add(Duration::days(i64::try_from(at).ok()?))).collect();
    let mut figures = vec![Figures::default(); days.len()];
    let mut by_account: BTreeMap<&str, Vec<&PlaceCounts>> = BTreeMap::new();
    for place in places {
        by_account.entry(&place.account_id).or_default().push(place);
    }
    for places in by_account.values() {
        let mut accounts = vec![OfAccount::default(); days.len()];
        for place in places {
            add(place, &days, &mut figures, &mut accounts);
        }
        for (figures, account) in figures.iter_mut().zip(accounts) {
            figures.never_seen.accounts += i64::from(account.expected && !account.seen);
            figures.never_seen.places += if account.seen { account.never } else { 0 };
        }
    }
    days.into_iter().zip(figures).collect()
}

fn add(place: &PlaceCounts, days: &[Date], figures: &mut [Figures], accounts: &mut [OfAccount]) {
    let (mut known, mut changes) = (place.known.iter().peekable(), place.changes.iter().peekable());
    let (mut seen, mut counts) = (place.seen_before, Counts::default());
    for ((day, figures), account) in days.iter().zip(figures).zip(accounts) {
        while let Some((_, change)) = changes.next_if(|(on, _)| on <= day) {
            counts += *change;
        }
        let is_known = known.next_if(|on| *on <= day).is_some();
        let expected = place.is_expected_on(*day);
        seen |= is_known;
        account.expected |= expected;
        account.seen |= seen;
        match (is_known, expected) {
            (true, _) => figures.counts += counts,
            (false, true) if seen => figures.carried += counts.carried(),
            (false, true) => account.never += 1,
            (false, false) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    const FIRST: Date = date!(2026 - 11 - 01);

    fn day(day: u8) -> Date {
        Date::from_calendar_date(2026, time::Month::November, day).expect("a day of November")
    }

    fn counts(complying: i64, not_complying: i64) -> Counts {
        Counts { complying, not_complying, not_applicable: 1, ..Counts::default() }
    }

    fn place(account: &str, known: &[u8]) -> PlaceCounts {
        PlaceCounts {
            account_id: account.to_owned(),
            known: known.iter().copied().map(day).collect(),
            expected: vec![(FIRST, date!(9999 - 12 - 31))],
            changes: vec![
                (FIRST, counts(3, 1)),
                (day(3), Counts { complying: 1, not_complying: -1, ..Counts::default() }),
            ],
            ..PlaceCounts::default()
        }
    }

    #[test]
    fn what_was_last_known_is_unknown_on_a_day_without_evidence() {
        let figures = day_figures(&[place("1", &[1, 3])], FIRST, day(4));
        let told: Vec<_> =
            figures.iter().map(|(_, of)| (of.counts.complying, of.counts.not_complying, of.carried)).collect();
        assert_eq!(told, [(3, 1, 0), (0, 0, 4), (4, 0, 0), (0, 0, 4)]);
        assert!(figures.iter().all(|(_, of)| !of.never_seen.any()));
        assert_eq!(place("1", &[]).counts_on(day(2)), counts(3, 1));
        assert_eq!(place("1", &[]).counts_on(day(9)).complying, 4);
    }

    #[test]
    fn an_account_is_never_seen_until_one_of_its_places_is_known() {
        let left = PlaceCounts { expected: Vec::new(), ..place("3", &[]) };
        let before = PlaceCounts { seen_before: true, ..place("4", &[]) };
        let places = [place("1", &[2]), place("1", &[]), place("2", &[]), left, before];
        let figures = day_figures(&places, FIRST, day(3));
        let never: Vec<_> = figures.iter().map(|(_, of)| (of.never_seen.accounts, of.never_seen.places)).collect();
        assert_eq!(never, [(2, 0), (1, 1), (1, 1)]);
        assert_eq!(
            figures.iter().map(|(_, of)| of.carried).collect::<Vec<_>>(),
            [4, 4, 8],
            "not of who left or never came"
        );
    }
}
