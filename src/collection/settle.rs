//! Days that could not be reached, once all places are done: what could not be listed is written down, and what an earlier
//! collection could not reach and this one found empty is missing.

use std::collections::BTreeSet;

use sqlx::PgConnection;
use time::Date;

use super::day::Day;
use super::db::{self, DeliveryChange, DeliveryRow};
use super::ladder::Tally;
use super::place::{Context, empty_row};
use super::source::{Days, Scope, Unlisted};
use crate::compliance::DeliveryState;

/// What the listing and the places left open.
#[derive(Debug)]
pub(super) struct Open<'a> {
    /// The days asked for.
    pub(super) days: Days,
    pub(super) today: Date,
    pub(super) unlisted: &'a [Unlisted],
    /// Accounts that the listing looked at.
    pub(super) accounts: &'a BTreeSet<String>,
    /// Places' days of which an object could not be reached.
    pub(super) unreached: &'a BTreeSet<(i32, Day)>,
}

/// Writes both down; safe to repeat.
pub(super) async fn settle(context: &Context, open: &Open<'_>) -> anyhow::Result<Tally> {
    let mut tally = Tally::default();
    for unlisted in open.unlisted {
        let Some(scope) = &unlisted.scope else { continue };
        let mut connection = context.db.acquire().await?;
        let places = match &scope.region {
            Some(region) => {
                vec![db::place(&mut connection, context.organization_id, &scope.account_id, region).await?]
            }
            None => db::places_of_account(&mut connection, context.organization_id, &scope.account_id).await?,
        };
        drop(connection);
        for place_id in places {
            mark(context, place_id, scope, unlisted.why.state, open, &mut tally).await?;
        }
    }
    let mut connection = context.db.acquire().await?;
    let rows = db::unreached_days(&mut connection, context.organization_id).await?;
    drop(connection);
    for (place_id, account_id, region, day) in rows {
        let Some(date) = day.date() else { continue };
        let hidden = open
            .unlisted
            .iter()
            .filter_map(|it| it.scope.as_ref())
            .any(|scope| hides(scope, &account_id, &region, date));
        let looked_at = open.accounts.contains(&account_id) && open.days.contain(date) && !hidden;
        if looked_at && !open.unreached.contains(&(place_id, day)) {
            let mut tx = context.db.begin().await?;
            db::lock_place(&mut tx, place_id).await?;
            write(context, &mut tx, place_id, vec![empty_row(day, DeliveryState::Missing)], &mut tally).await?;
            tx.commit().await?;
        }
    }
    Ok(tally)
}

fn hides(scope: &Scope, account_id: &str, region: &str, day: Date) -> bool {
    scope.account_id == account_id
        && scope.region.as_deref().is_none_or(|hidden| hidden == region)
        && scope.days.contain(day)
}

/// Gives the days that a place may have delivered on, and that nothing is known of, the state of why.
async fn mark(
    context: &Context,
    place_id: i32,
    scope: &Scope,
    state: DeliveryState,
    open: &Open<'_>,
    tally: &mut Tally,
) -> anyhow::Result<()> {
    let mut tx = context.db.begin().await?;
    db::lock_place(&mut tx, place_id).await?;
    let rows = db::deliveries(&mut tx, place_id).await?;
    let first_expected = db::first_expected(&mut tx, place_id).await?;
    let rows = hidden_days(&rows, first_expected, scope.days, open.today)
        .into_iter()
        .map(|day| empty_row(day, state))
        .collect();
    write(context, &mut tx, place_id, rows, tally).await?;
    tx.commit().await?;
    Ok(())
}

/// The days of a place that a listing hid: those after the last one that something is known of, and not before the place
/// should deliver; and those that were hidden before. Without either, only the last day.
fn hidden_days(rows: &[DeliveryRow], first_expected: Option<Day>, days: Days, today: Date) -> Vec<Day> {
    let last = Day::from(days.until.map_or(today, |until| until.min(today)));
    let settled = rows.iter().filter(|row| !row.state.0.unreached()).map(|row| Day(row.day.0 + 1)).max();
    let first = match (settled, first_expected) {
        (None, None) => last,
        (settled, expected) => settled.max(expected).unwrap_or(last),
    };
    let since = days.since.map(Day::from);
    let first = since.map_or(first, |since| since.max(first));
    let within = |day: &Day| since.is_none_or(|since| *day >= since) && *day <= last;
    let before = rows.iter().filter(|row| row.state.0.unreached()).map(|row| row.day).filter(within);
    let after = (first.0..=last.0).map(Day);
    before.chain(after).collect::<BTreeSet<_>>().into_iter().collect()
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

    fn row(day: Date, state: DeliveryState) -> DeliveryRow {
        empty_row(Day::from(day), state)
    }

    fn hidden(rows: &[DeliveryRow], first_expected: Option<Date>, days: Days) -> Vec<u8> {
        let days = hidden_days(rows, first_expected.map(Day::from), days, TODAY);
        days.into_iter().filter_map(Day::date).map(Date::day).collect()
    }

    #[test]
    fn a_listing_hides_the_days_after_the_last_one_that_is_known_of() {
        let known = [row(date!(2026 - 11 - 17), DeliveryState::Delivered)];
        assert_eq!(hidden(&known, Some(date!(2026 - 11 - 01)), Days::default()), [18, 19, 20]);
        assert_eq!(hidden(&[], Some(date!(2026 - 11 - 19)), Days::default()), [19, 20]);
        assert_eq!(hidden(&[], None, Days::default()), [20]);
    }

    #[test]
    fn days_that_were_hidden_before_stay_hidden_and_none_outside_the_days_asked_for() {
        let rows =
            [row(date!(2026 - 11 - 15), DeliveryState::Denied), row(date!(2026 - 11 - 17), DeliveryState::Unreadable)];
        assert_eq!(hidden(&rows, None, Days::default()), [15, 18, 19, 20]);
        let two = Days { since: Some(date!(2026 - 11 - 18)), until: Some(date!(2026 - 11 - 19)) };
        assert_eq!(hidden(&rows, None, two), [18, 19]);
        let early = Days { since: None, until: Some(date!(2026 - 11 - 16)) };
        assert_eq!(hidden(&rows, None, early), [15]);
    }

    #[test]
    fn a_scope_without_a_region_hides_all_of_the_account() {
        let scope = Scope { account_id: "012345678901".to_owned(), region: None, days: Days::default() };
        assert!(hides(&scope, "012345678901", "eu-central-1", TODAY));
        assert!(!hides(&scope, "012345678902", "eu-central-1", TODAY));
        let one = Scope { region: Some("eu-west-1".to_owned()), ..scope };
        assert!(!hides(&one, "012345678901", "eu-central-1", TODAY));
    }
}
