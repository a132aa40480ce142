//! What the page tells of the places that its filters leave. Pure.

use time::Date;

use super::core::{Gap, OneDay, Period, Place};
use super::stopped::{Stopped, stopped};
use crate::compliance::DeliveryState;
use crate::web::format;

/// The tables of the page, whole.
#[derive(Debug)]
pub(super) struct Found<'a> {
    as_of: Date,
    /// The state that is asked for; `None` is every one.
    wanted: Option<DeliveryState>,
    /// Of the places, on the as-of day, those in the state that is asked for.
    in_state: usize,
    places: usize,
    day: OneDay,
    pub(super) period: Period<'a>,
    /// `None` where an account is chosen: one account says nothing of its Regions.
    pub(super) stopped: Option<Vec<Stopped>>,
    /// Expected, and never delivered.
    pub(super) never: Vec<&'a Place>,
    /// Delivered, and not expected.
    pub(super) unexpected: Vec<&'a Place>,
}

impl<'a> Found<'a> {
    /// Of the days from `first` until before `end`, whose last is the as-of day. A state narrows every table to what is
    /// in it: gaps and what fell silent with that cause, places with a day of it, lists of the as-of day.
    pub(super) fn of(
        places: &'a [Place],
        (first, end): (Date, Date),
        as_of: Date,
        wanted: Option<DeliveryState>,
        regions_too: bool,
    ) -> Self {
        let is_meant = |state: DeliveryState| wanted.is_none_or(|wanted| wanted == state);
        let on_day = || places.iter().map(|place| (place, place.state_on(as_of)));
        let mut period = Period::of(places, first, end);
        let stopped = regions_too.then(|| stopped(&period).into_iter().filter(|one| is_meant(one.state)).collect());
        let never = on_day().filter(|(place, day)| place.first_known.is_none() && day.expected && is_meant(day.state));
        let unexpected = on_day().filter(|(_, day)| !day.expected && day.state.known() && is_meant(day.state));
        let (never, unexpected) =
            (never.map(|(place, _)| place).collect(), unexpected.map(|(place, _)| place).collect());
        if let Some(state) = wanted {
            period.keep(state);
        }
        Self {
            as_of,
            wanted,
            in_state: on_day().filter(|(_, day)| is_meant(day.state)).count(),
            places: places.len(),
            day: OneDay::of(places, as_of),
            period,
            stopped,
            never,
            unexpected,
        }
    }

    /// The page's answer: the figure, and the sentences that go on from it. `listed` says whether it is known what should
    /// deliver.
    pub(super) fn lead(&self, listed: bool) -> (String, String) {
        let (day, period) = (format::day(self.as_of), &self.period);
        let number = |number: usize| format::count(i64::try_from(number).unwrap_or(i64::MAX));
        let of = |part: String, whole: String| format!("{part} of {whole}");
        let (figure, today) = if let Some(state) = self.wanted {
            let figure = of(number(self.in_state), number(self.places));
            (figure, format!("account-Regions are “{}” on {day} (UTC).", state.word()))
        } else {
            let what = if listed { "expected account-Regions" } else { "account-Regions that ever delivered" };
            let causes = self.day.causes();
            let causes = if causes.is_empty() { causes } else { format!("; gaps: {causes}") };
            let figure = of(format::count(self.day.known), format::count(self.day.expected));
            (figure, format!("{what} are known for {day} (UTC){causes}."))
        };
        let causes = if period.gap_days > 0 { format!(": {}", period.causes()) } else { String::new() };
        let days = format!(
            "From {} on, {} of {} days are gaps{}{causes}.",
            format::day(period.first),
            format::count(period.gap_days),
            format::count(period.expected_days),
            if self.wanted.is_some() { " of this state" } else { "" }
        );
        (figure, format!("{today} {days}"))
    }

    /// Each gap with whether it is the first shown of its cause.
    pub(super) fn by_cause(gaps: Vec<&'a Gap<'a>>) -> Vec<(&'a Gap<'a>, bool)> {
        let mut last = None;
        let begins = |gap: &Gap<'_>| last.replace(gap.state) != Some(gap.state);
        let begins: Vec<bool> = gaps.iter().copied().map(begins).collect();
        gaps.into_iter().zip(begins).collect()
    }
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    const AS_OF: Date = date!(2026 - 11 - 07);

    fn place(account: &str, expected: bool, delivered: &[(Date, Date, DeliveryState)]) -> Place {
        Place {
            place_id: 1,
            account_id: account.to_owned(),
            account_name: String::new(),
            unit: String::new(),
            region: "eu-west-1".to_owned(),
            expected: if expected { vec![(date!(2026 - 11 - 01), date!(9999 - 12 - 31))] } else { Vec::new() },
            first_known: delivered.iter().filter(|(_, _, state)| state.known()).map(|(first, ..)| *first).min(),
            delivered: delivered.to_vec(),
        }
    }

    fn places() -> [Place; 4] {
        let days = |first, end, state| [(first, end, state)];
        let (first, end) = (date!(2026 - 11 - 01), date!(2026 - 11 - 08));
        [
            place("1", true, &days(first, date!(2026 - 11 - 06), DeliveryState::Delivered)),
            place("2", true, &days(first, end, DeliveryState::Unreadable)),
            place("3", true, &[]),
            place("4", false, &days(first, end, DeliveryState::Delivered)),
        ]
    }

    fn of(places: &[Place], wanted: Option<DeliveryState>) -> Found<'_> {
        Found::of(places, (date!(2026 - 11 - 01), date!(2026 - 11 - 08)), AS_OF, wanted, true)
    }

    fn accounts<'a>(places: &[&'a Place]) -> Vec<&'a str> {
        places.iter().map(|place| place.account_id.as_str()).collect()
    }

    #[test]
    fn a_state_narrows_every_table_and_the_counts_that_are_said() {
        let places = places();
        let all = of(&places, None);
        assert_eq!(accounts(&all.never), ["2", "3"]);
        assert_eq!(accounts(&all.unexpected), ["4"]);
        assert_eq!((all.period.gaps.len(), all.stopped.as_ref().map(Vec::len)), (3, Some(1)));
        let (figure, rest) = all.lead(true);
        assert_eq!(figure, "0 of 3");
        assert!(
            rest.starts_with(
                "expected account-Regions are known for 7 Nov 2026 (UTC); gaps: 1 unreadable, 2 missing. "
            )
        );
        assert!(rest.ends_with("16 of 21 days are gaps: 9 missing, 7 unreadable."), "{rest}");

        let unreadable = of(&places, Some(DeliveryState::Unreadable));
        assert_eq!((accounts(&unreadable.never), unreadable.unexpected.len()), (vec!["2"], 0));
        assert_eq!((unreadable.period.gaps.len(), unreadable.stopped.as_ref().map(Vec::len)), (1, Some(0)));
        assert_eq!(unreadable.period.places.len(), 1);
        let (figure, rest) = unreadable.lead(true);
        assert_eq!(figure, "1 of 4");
        assert!(rest.starts_with("account-Regions are “unreadable” on 7 Nov 2026 (UTC). "), "{rest}");
        assert!(rest.ends_with("7 of 21 days are gaps of this state: 7 unreadable."), "{rest}");
        assert_eq!(accounts(&of(&places, Some(DeliveryState::Delivered)).unexpected), ["4"]);
    }

    #[test]
    fn a_cause_is_said_where_it_begins() {
        let places = places();
        let found = of(&places, None);
        let gaps: Vec<&Gap<'_>> = found.period.gaps.iter().collect();
        let said: Vec<bool> = Found::by_cause(gaps).into_iter().map(|(_, begins)| begins).collect();
        assert_eq!(said, [true, false, true]);
    }
}
