//! The calendar: a strip of days for each account-Region, and what its fills mean.

use std::cmp::Ordering;

use time::Date;

use super::core::{DayState, Period, Place};
use crate::compliance::DeliveryState;
use crate::error::Error;
use crate::web::address;
use crate::web::chart::{Fill, Segment, Strip};
use crate::web::table::{Column, Sort, Table, Window, number, text};
use crate::web::{Frame, View, format};

/// Rows on a page, and the most stretches of equal days that it draws, if the fewest rows are not more already.
const ROWS: [usize; 6] = [50, 40, 30, 20, 10, 5];
const STRETCHES: usize = 220;

/// What orders it, and the first row of a page. A table's id is its place in the address.
const SORT: &str = "places-sort";
const ID: &str = "places";

/// Beside the strip, which stands between the Region and the days.
const COLUMNS: [Column; 4] = [
    text("Account").by("account_id"),
    text("Region").by("region"),
    number("Known").by("known"),
    number("Gaps").by("gaps"),
];

/// The days of a place as stretches of equal ones.
type Stretches = Vec<(Date, Date, DayState)>;

pub(super) struct Row<'a> {
    pub(super) place: &'a Place,
    pub(super) strip: Strip,
    pub(super) known: i64,
    pub(super) gaps: i64,
}

pub(super) struct LegendEntry {
    pub(super) state: DeliveryState,
    pub(super) days: i64,
    pub(super) swatch: Strip,
    pub(super) href: String,
}

/// Puts the places in the order of the address: by account and Region where it names none.
pub(super) fn sort(view: &View, period: &mut Period<'_>) -> Option<Sort> {
    let sort = Sort::asked(&view.address, SORT, &COLUMNS)?;
    sort_by(&mut period.places, sort);
    Some(sort)
}

fn sort_by(places: &mut [(&Place, Stretches)], sort: Sort) {
    let order = |(one, days): &(&Place, Stretches), (other, other_days): &(&Place, Stretches)| -> Ordering {
        match sort.by {
            "region" => one.region.cmp(&other.region),
            "known" => known(days).cmp(&known(other_days)),
            "gaps" => gaps(days).cmp(&gaps(other_days)),
            _ => one.account_id.cmp(&other.account_id),
        }
    };
    places.sort_by(|one, other| {
        let order = order(one, other);
        let order = if sort.descending { order.reverse() } else { order };
        order.then_with(|| (&one.0.account_id, &one.0.region).cmp(&(&other.0.account_id, &other.0.region)))
    });
}

/// The rows of the page and their table; the places are sorted already.
pub(super) fn rows<'a>(
    view: &View,
    frame: &Frame,
    period: &Period<'a>,
    sort: Option<Sort>,
) -> Result<(Vec<Row<'a>>, Table), Error> {
    let window = Window::of(&view.address, ID, size(&period.places), period.places.len())?;
    let rows: Vec<Row<'a>> = window.rows(&period.places).iter().map(|place| row(view, frame, period, place)).collect();
    let caption = format!("Delivery day by day, {} to {} (UTC)", format::day(period.first), format::day(view.as_of));
    let table = Table::whole(ID, caption, &COLUMNS, &view.address, rows.len())
        .sorted_by(SORT, sort)
        .windowed(&window)
        .with_formats_of("days");
    Ok((rows, table))
}

/// Rows of a page: fewer where their days change often, so that every page stays small in any order.
fn size(places: &[(&Place, Stretches)]) -> usize {
    let is_small = |page: &[(&Place, Stretches)]| page.iter().map(|(_, days)| days.len()).sum::<usize>() <= STRETCHES;
    ROWS.into_iter().find(|rows| places.chunks(*rows).all(is_small)).unwrap_or(5)
}

fn days(stretches: &Stretches, wanted: fn(&DayState) -> bool) -> i64 {
    stretches.iter().filter(|(_, _, day)| wanted(day)).map(|(first, end, _)| (*end - *first).whole_days()).sum()
}

fn known(stretches: &Stretches) -> i64 {
    days(stretches, |day| day.state.known())
}

fn gaps(stretches: &Stretches) -> i64 {
    days(stretches, |day| day.is_gap())
}

fn row<'a>(view: &View, frame: &Frame, period: &Period<'_>, (place, stretches): &(&'a Place, Stretches)) -> Row<'a> {
    let (known, gaps) = (known(stretches), gaps(stretches));
    let segments: Vec<Segment> = stretches
        .iter()
        .map(|(first, end, day)| Segment {
            first: *first,
            end: *end,
            fill: Fill::Delivery(day.state),
            words: day.state.word().to_owned(),
            // A gap leads to the last day of it, where the account says what is missing.
            href: day.is_gap().then(|| frame.href_on(&account_path(place), &end.previous_day().unwrap_or(*first))),
        })
        .collect();
    let label = format!(
        "{} in {}: {} known, {} of gaps",
        place.account_id,
        place.region,
        format::plural(known, "day"),
        format::plural(gaps, "day")
    );
    let end = period.end.min(view.as_of.next_day().unwrap_or(period.end));
    Row { place, strip: Strip::new(label, period.first, end, &segments), known, gaps }
}

pub(super) fn account_path(place: &Place) -> String {
    address::account_path(&place.account_id)
}

/// Each state with its days, all places together.
pub(super) fn legend(view: &View, period: &Period<'_>) -> Vec<LegendEntry> {
    let address = view.address.start();
    period
        .days
        .iter()
        .map(|(&state, &days)| {
            let (first, end) = (period.first, period.end);
            let segment = Segment { first, end, fill: Fill::Delivery(state), words: String::new(), href: None };
            LegendEntry {
                state,
                days,
                swatch: Strip::swatch(&segment),
                href: address.with("state", state.slug()).to_string() + "#calendar",
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    fn place(account: &str, region: &str) -> Place {
        Place {
            place_id: 1,
            account_id: account.to_owned(),
            account_name: String::new(),
            unit: String::new(),
            region: region.to_owned(),
            expected: Vec::new(),
            delivered: Vec::new(),
            first_known: None,
        }
    }

    /// So many days that are known, then so many of gaps.
    fn days(known: i64, gaps: i64) -> Stretches {
        let first = date!(2026 - 11 - 01);
        let then = first + time::Duration::days(known);
        let missing = DayState { state: DeliveryState::Missing, expected: true };
        vec![
            (first, then, DayState { state: DeliveryState::Delivered, expected: true }),
            (then, then + time::Duration::days(gaps), missing),
        ]
    }

    #[test]
    fn a_page_has_fewer_rows_where_days_change_often_anywhere() {
        let place = place("1", "eu-west-1");
        let many = |stretches: usize| (&place, days(1, 1).into_iter().cycle().take(stretches).collect::<Stretches>());
        let calm: Vec<_> = (0..120).map(|_| many(1)).collect();
        assert_eq!(size(&calm), 50);
        let restless: Vec<_> = (0..120).map(|at| many(if at < 20 { 20 } else { 1 })).collect();
        assert_eq!(size(&restless), 10);
        assert_eq!(size(&[many(900), many(900)]), 5);
        assert_eq!(size(&[]), 50);
    }

    #[test]
    fn places_of_equal_figures_stay_by_account_and_region_in_either_direction() {
        let [a, b, c] = [place("1", "eu-west-3"), place("1", "us-east-1"), place("2", "eu-west-1")];
        let sorted = |by, descending| {
            let mut places = vec![(&a, days(4, 1)), (&b, days(5, 0)), (&c, days(4, 1))];
            sort_by(&mut places, Sort { by, descending });
            places.iter().map(|(place, _)| place.region.as_str()).collect::<Vec<_>>()
        };
        assert_eq!(sorted("known", false), ["eu-west-3", "eu-west-1", "us-east-1"]);
        assert_eq!(sorted("known", true), ["us-east-1", "eu-west-3", "eu-west-1"]);
        assert_eq!(sorted("gaps", true), ["eu-west-3", "eu-west-1", "us-east-1"]);
        assert_eq!(sorted("region", false), ["eu-west-1", "eu-west-3", "us-east-1"]);
        assert_eq!(sorted("account_id", true), ["eu-west-1", "eu-west-3", "us-east-1"]);
    }
}
