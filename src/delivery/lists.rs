//! The page's tables beside the calendar: what each column is called, what it holds and how it is ordered.

use super::core::{Gap, Place};
use super::stopped::Stopped;
use crate::web::list::{Field, List};

/// Rows on a page of each.
const ROWS: usize = 50;

/// Gaps. They come by cause, the longest first in each.
pub(super) fn gaps<'a>() -> List<Gap<'a>> {
    let fields = vec![
        Field::text("Cause", "state", |gap: &Gap<'a>| gap.state.word().into()),
        Field::text("Account", "account_id", |gap| gap.place.account_id.as_str().into()),
        Field::unseen("account_name", |gap| gap.place.account_name.as_str().into()),
        Field::text("Region", "region", |gap| gap.place.region.as_str().into()),
        Field::text("From", "first_day", |gap: &Gap<'a>| gap.first.into()).most_first(),
        Field::text("To", "last_day", |gap: &Gap<'a>| gap.last().into()).most_first(),
        Field::number("Days", "days", |gap| gap.days().into()),
    ];
    List::new("gaps", "sort", ROWS, fields)
}

/// Regions in which accounts fell silent. They come with whole Regions first.
pub(super) fn stopped() -> List<Stopped> {
    let fields = vec![
        Field::text("Region", "region", |one: &Stopped| one.region.as_str().into()),
        Field::text("Cause", "state", |one| one.state.word().into()),
        Field::text("Accounts", "accounts", |one: &Stopped| one.accounts.into()).most_first(),
        Field::unseen("expected_accounts", |one| one.expected.into()),
        Field::text("Not known since", "not_known_since", |one: &Stopped| one.since.0.into()).most_first(),
        Field::unseen("last_account_not_known_since", |one| one.since.1.into()),
        Field::unseen("first_day_is_known", |one| one.since_known.into()),
    ];
    List::new("stopped", "stopped-sort", ROWS, fields)
}

/// Account-Regions that are expected and never delivered.
pub(super) fn never() -> List<Place> {
    List::new("never", "never-sort", ROWS, places())
}

/// Account-Regions that delivered and are not expected.
pub(super) fn unexpected() -> List<Place> {
    List::new("unexpected", "unexpected-sort", ROWS, places())
}

fn places() -> Vec<Field<Place>> {
    vec![
        Field::text("Account", "account_id", |place: &Place| place.account_id.as_str().into()),
        Field::text("Name", "account_name", |place| place.account_name.as_str().into()),
        Field::text("Organizational unit", "organizational_unit", |place| place.unit.as_str().into()),
        Field::text("Region", "region", |place| place.region.as_str().into()),
    ]
}
