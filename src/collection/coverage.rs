//! Of which places' days a listing can tell: a day that could not be listed is not an empty one. Pure.

use std::collections::BTreeMap;

use time::Date;

use super::day::Day;
use super::source::{Days, PlaceName, Scope, Unlisted};
use crate::compliance::DeliveryState;

/// What a collection asked for, saw and could not see.
#[derive(Debug, Default)]
pub(super) struct Coverage {
    days: Days,
    /// By account.
    looked_at: BTreeMap<String, Vec<Scope>>,
    unlisted: Vec<Unlisted>,
}

impl Coverage {
    pub(super) fn new(days: Days, scopes: Vec<Scope>, unlisted: Vec<Unlisted>) -> Self {
        let mut looked_at: BTreeMap<String, Vec<Scope>> = BTreeMap::new();
        for scope in scopes {
            looked_at.entry(scope.account_id.clone()).or_default().push(scope);
        }
        Self { days, looked_at, unlisted }
    }

    /// What could not be listed.
    pub(super) fn unlisted(&self) -> &[Unlisted] {
        &self.unlisted
    }

    /// Whether nothing lies there of the place's day if nothing is listed of it.
    pub(super) fn tells(&self, place: &PlaceName, day: Date) -> bool {
        let mut looked_at = self.looked_at.get(&place.account_id).into_iter().flatten();
        // Where it is not known whose evidence could not be listed, it may be anybody's.
        let hidden = |it: &Unlisted| it.scope.as_ref().is_none_or(|scope| holds(scope, place, day));
        self.days.contain(day) && looked_at.any(|scope| holds(scope, place, day)) && !self.unlisted.iter().any(hidden)
    }

    /// The first day from `first` on of which a part of the place could not be listed, and why.
    pub(super) fn hidden(&self, place: &PlaceName, first: Date) -> Option<(Day, DeliveryState)> {
        let of_place = self.unlisted.iter().filter_map(|it| Some((it.scope.as_ref()?, it.why.state)));
        of_place
            .filter(|(scope, _)| is_of(scope, place) && scope.days.until.is_none_or(|until| until >= first))
            .map(|(scope, state)| (scope.days.since.map_or(first, |since| since.max(first)).into(), state))
            .min_by_key(|it| it.0)
    }
}

fn is_of(scope: &Scope, place: &PlaceName) -> bool {
    scope.account_id == place.account_id && scope.region.as_ref().is_none_or(|region| *region == place.region)
}

fn holds(scope: &Scope, place: &PlaceName, day: Date) -> bool {
    is_of(scope, place) && scope.days.contain(day)
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::super::source::Unreached;
    use super::*;

    const ALL: Days = Days { since: None, until: None };
    const DAY: Date = date!(2026 - 11 - 20);

    fn place(account_id: &str, region: &str) -> PlaceName {
        PlaceName { account_id: account_id.to_owned(), region: region.to_owned() }
    }

    fn scope(region: Option<&str>, days: Days) -> Scope {
        Scope { account_id: "012345678901".to_owned(), region: region.map(str::to_owned), days }
    }

    fn unlisted(scope: Option<Scope>) -> Unlisted {
        let why = Unreached { state: DeliveryState::Denied, reason: String::new() };
        Unlisted { prefix: String::new(), scope, why }
    }

    #[test]
    fn a_listing_tells_of_what_it_looked_at_and_was_asked_for() {
        let here = place("012345678901", "eu-central-1");
        let since = Days { since: Some(DAY), until: None };
        let whole = Coverage::new(since, vec![scope(None, ALL)], vec![]);
        assert!(whole.tells(&here, DAY));
        assert!(!whole.tells(&here, date!(2026 - 11 - 19)));
        assert!(!whole.tells(&place("012345678902", "eu-central-1"), DAY));
        let one_region = Coverage::new(ALL, vec![scope(Some("eu-west-1"), ALL)], vec![]);
        assert!(!one_region.tells(&here, DAY));
        assert!(one_region.tells(&place("012345678901", "eu-west-1"), DAY));
    }

    #[test]
    fn a_listing_does_not_tell_of_what_it_could_not_list() {
        let here = place("012345678901", "eu-central-1");
        let month = Days { since: Some(date!(2026 - 11 - 01)), until: Some(date!(2026 - 11 - 30)) };
        for hidden in [scope(None, ALL), scope(Some("eu-central-1"), month)] {
            let coverage = Coverage::new(ALL, vec![scope(None, ALL)], vec![unlisted(Some(hidden))]);
            assert!(!coverage.tells(&here, DAY));
        }
        let other = Coverage::new(ALL, vec![scope(None, ALL)], vec![unlisted(Some(scope(Some("eu-west-1"), ALL)))]);
        assert!(other.tells(&here, DAY));
        assert!(!Coverage::new(ALL, vec![scope(None, ALL)], vec![unlisted(None)]).tells(&here, DAY));
    }

    #[test]
    fn the_first_hidden_day_of_a_place_is_known() {
        let here = place("012345678901", "eu-central-1");
        let month = Days { since: Some(date!(2026 - 11 - 01)), until: Some(date!(2026 - 11 - 30)) };
        let hidden = |scope, first| Coverage::new(ALL, vec![], vec![unlisted(scope)]).hidden(&here, first);
        let denied = |day: Date| Some((Day::from(day), DeliveryState::Denied));
        assert_eq!(hidden(Some(scope(None, ALL)), DAY), denied(DAY));
        assert_eq!(hidden(Some(scope(None, month)), date!(2026 - 10 - 05)), denied(date!(2026 - 11 - 01)));
        assert_eq!(hidden(Some(scope(None, month)), DAY), denied(DAY));
        assert_eq!(hidden(Some(scope(None, month)), date!(2026 - 12 - 01)), None);
        assert_eq!(hidden(Some(scope(Some("eu-west-1"), ALL)), DAY), None);
        assert_eq!(hidden(None, DAY), None);
    }
}
