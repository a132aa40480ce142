//! Days that could not be reached, once all places are done: what could not be listed is written down, and what an earlier
//! collection could not reach and this one found empty is missing.

use std::collections::BTreeSet;

use sqlx::PgConnection;
use time::Date;

use super::day::Day;
use super::db::{self, DeliveryChange, DeliveryRow};
use super::ladder::Tally;
use super::place::{Context, empty_row};
use super::settle_db;
use super::source::{Days, PlaceName, Scope};
use crate::compliance::DeliveryState;

/// Writes both down; safe to repeat. `unreached` are the places' days of which an object could not be reached.
pub(super) async fn settle(context: &Context, today: Date, unreached: &BTreeSet<(i32, Day)>) -> anyhow::Result<Tally> {
    let mut tally = Tally::default();
    for unlisted in context.coverage.unlisted() {
        let Some(scope) = &unlisted.scope else { continue };
        let mut connection = context.db.acquire().await?;
        let places = match &scope.region {
            Some(region) => {
                vec![db::place(&mut connection, context.organization_id, &scope.account_id, region).await?]
            }
            None => settle_db::places_of_account(&mut connection, context.organization_id, &scope.account_id).await?,
        };
        drop(connection);
        for place_id in places {
            mark(context, place_id, scope, unlisted.why.state, today, &mut tally).await?;
        }
    }
    let mut connection = context.db.acquire().await?;
    let rows = settle_db::unreached_days(&mut connection, context.organization_id).await?;
    drop(connection);
    for (place_id, account_id, region, day) in rows {
        let Some(date) = day.date() else { continue };
        if context.coverage.tells(&PlaceName { account_id, region }, date) && !unreached.contains(&(place_id, day)) {
            let mut tx = context.db.begin().await?;
            db::lock_place(&mut tx, place_id).await?;
            write(context, &mut tx, place_id, vec![empty_row(day, DeliveryState::Missing)], &mut tally).await?;
            tx.commit().await?;
        }
    }
    Ok(tally)
}

/// Gives the days that a place may have delivered on, and that nothing is known of, the state of why.
async fn mark(
    context: &Context,
    place_id: i32,
    scope: &Scope,
    state: DeliveryState,
    today: Date,
    tally: &mut Tally,
) -> anyhow::Result<()> {
    let mut tx = context.db.begin().await?;
    db::lock_place(&mut tx, place_id).await?;
    let known = Known {
        rows: db::deliveries(&mut tx, place_id).await?,
        settled_before: settle_db::settled_before(&mut tx, place_id, context.collection_id).await?,
        first_expected: settle_db::first_expected(&mut tx, place_id).await?,
    };
    let rows = known.hidden_days(scope.days, today).into_iter().map(|day| empty_row(day, state)).collect();
    write(context, &mut tx, place_id, rows, tally).await?;
    tx.commit().await?;
    Ok(())
}

/// What is known of a place's days.
struct Known {
    /// Ascending.
    rows: Vec<DeliveryRow>,
    /// The last day that an earlier collection found something out of: it found those before it, too.
    settled_before: Option<Day>,
    first_expected: Option<Day>,
}

impl Known {
    /// The days that a listing hid: a single day, for its folder is there; else those after the last day that an earlier
    /// collection knew, and not before the place should deliver or does; and those that were hidden before.
    fn hidden_days(&self, days: Days, today: Date) -> BTreeSet<Day> {
        let last = Day::from(days.until.map_or(today, |until| until.min(today)));
        let since = days.since.map(Day::from);
        let within = |day: &Day| since.is_none_or(|since| *day >= since) && *day <= last;
        let after = self.settled_before.map(|day| Day(day.0 + 1));
        let begun = self.first_expected.or_else(|| self.rows.first().map(|row| row.day)).unwrap_or(last);
        let first = match after {
            Some(after) => after.max(self.first_expected.unwrap_or(after)),
            None => begun,
        };
        let first = if days.since.is_some() && days.since == days.until { last } else { first };
        let before = self.rows.iter().filter(|row| row.state.0.unreached()).map(|row| row.day);
        let found_out = |day: &Day| {
            let row = self.rows.iter().find(|row| row.day == *day);
            row.is_some_and(|row| !row.state.0.unreached() && row.state.0 != DeliveryState::Missing)
        };
        before.chain((first.0..=last.0).map(Day)).filter(|day| within(day) && !found_out(day)).collect()
    }
}

/// Writes rows that say something new.
async fn write(
    context: &Context,
    tx: &mut PgConnection,
    place_id: i32,
    rows: Vec<DeliveryRow>,
    tally: &mut Tally,
) -> anyhow::Result<()> {
    let standing = db::deliveries(tx, place_id).await?;
    let changes: Vec<DeliveryChange> = rows
        .into_iter()
        .filter(|row| !standing.contains(row))
        .map(|row| DeliveryChange { row, rows_added: 0, rows_removed: 0 })
        .collect();
    tally.days += u64::try_from(changes.len()).unwrap_or(u64::MAX);
    db::set_deliveries(tx, place_id, context.collection_id, &changes).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    const TODAY: Date = date!(2026 - 11 - 20);

    fn november(day: u8) -> Date {
        Date::from_calendar_date(2026, time::Month::November, day).expect("a day of November")
    }

    fn hidden(rows: &[(u8, DeliveryState)], settled: Option<u8>, expected: Option<u8>, days: Days) -> Vec<u8> {
        let day = |day| Day::from(november(day));
        let known = Known {
            rows: rows.iter().map(|(on, state)| empty_row(day(*on), *state)).collect(),
            settled_before: settled.map(day),
            first_expected: expected.map(day),
        };
        known.hidden_days(days, TODAY).into_iter().filter_map(Day::date).map(Date::day).collect()
    }

    fn days(since: Option<u8>, until: Option<u8>) -> Days {
        Days { since: since.map(november), until: until.map(november) }
    }

    #[test]
    fn a_listing_hides_the_days_after_the_last_one_that_was_known_of() {
        let known = [(17, DeliveryState::Delivered)];
        assert_eq!(hidden(&known, Some(17), Some(1), days(None, None)), [18, 19, 20]);
        assert_eq!(hidden(&[], None, Some(19), days(None, None)), [19, 20]);
        assert_eq!(hidden(&[], None, None, days(None, None)), [20]);
    }

    #[test]
    fn days_that_were_hidden_before_stay_hidden_and_none_outside_the_days_asked_for() {
        let rows = [(15, DeliveryState::Denied), (17, DeliveryState::Unreadable)];
        assert_eq!(hidden(&rows, Some(17), None, days(None, None)), [15, 18, 19, 20]);
        assert_eq!(hidden(&rows, Some(17), None, days(Some(18), Some(19))), [18, 19]);
        assert_eq!(hidden(&rows, Some(17), None, days(None, Some(16))), [15]);
    }

    #[test]
    fn what_this_collection_found_out_of_later_days_says_nothing_of_hidden_ones() {
        let rows = [(16, DeliveryState::Delivered), (19, DeliveryState::Delivered)];
        assert_eq!(hidden(&rows, None, None, days(None, Some(18))), [17, 18]);
        assert_eq!(hidden(&rows, Some(16), None, days(None, None)), [17, 18, 20]);
    }

    #[test]
    fn a_day_whose_folder_is_there_is_hidden_whatever_was_known_of_later_ones() {
        let one = days(Some(12), Some(12));
        assert_eq!(hidden(&[(19, DeliveryState::Delivered)], Some(19), None, one), [12]);
        assert_eq!(hidden(&[(12, DeliveryState::Missing)], Some(19), None, one), [12]);
        assert_eq!(hidden(&[(12, DeliveryState::Delivered)], Some(19), None, one), Vec::<u8>::new());
    }
}
