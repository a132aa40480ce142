//! What a notice says in one sentence. Pure.

use std::collections::BTreeSet;
use std::fmt::Display;

use time::Date;

use super::Place;
use crate::definition::Outcome;
use crate::web::format;

/// Members named in a sentence; the others are counted.
const NAMED: usize = 3;

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// `a, b, c and 4 more`.
fn some_of<T: Display>(members: &BTreeSet<T>) -> String {
    let named: Vec<String> = members.iter().take(NAMED).map(ToString::to_string).collect();
    match members.len().saturating_sub(NAMED) {
        0 => named.join(", "),
        more => format!("{} and {} more", named.join(", "), format::count(count(more))),
    }
}

fn place_words(place: &Place) -> String {
    let name = if place.account_name.is_empty() { String::new() } else { format!(" ({})", place.account_name) };
    format!("{}{name}, {}", place.name.account_id, place.name.region)
}

pub(super) fn silent(place: &Place) -> String {
    let since = match (place.last_snapshot_at, place.last_history_at) {
        (Some(at), _) => format!("no snapshot since that of {}", format::at(at)),
        (None, Some(at)) => format!("no snapshot ever, and no history since that of {}", format::at(at)),
        // An account list that does not say when an account joined speaks for all days before it.
        (None, None) if place.expected_since <= crate::organization::BEGINNING => "no snapshot ever".to_owned(),
        (None, None) => format!("no snapshot ever, expected since {}", format::day(place.expected_since)),
    };
    format!("{}: {since}", place_words(place))
}

pub(super) fn dropped(place: &Place, day: Date) -> String {
    format!(
        "{}: the snapshot of {} holds no compliance items, an earlier one did",
        place_words(place),
        format::day(day)
    )
}

pub(super) fn gone(core_name: &str, places: &BTreeSet<String>) -> String {
    format!("{core_name} is gone from {}: {}", format::plural(count(places.len()), "account-Region"), some_of(places))
}

pub(super) fn failing(core_name: &str, accounts: &BTreeSet<&String>, evaluations: i64) -> String {
    format!(
        "{core_name} newly fails in {}, {}: {}",
        format::plural(count(accounts.len()), "account"),
        format::plural(evaluations, "evaluation"),
        some_of(accounts)
    )
}

pub(super) fn collection_failed(collection_id: Option<i64>, failure: &str) -> String {
    match collection_id {
        Some(collection_id) => format!("Collection {collection_id} failed: {failure}"),
        None => format!("A collection could not begin: {failure}"),
    }
}

pub(super) fn unreadable(collection_id: i64, objects: i64) -> String {
    format!("Collection {collection_id} left {} unreadable", format::plural(objects, "object"))
}

pub(super) fn unlisted(files: i64) -> String {
    format!("{} could not be looked at", format::plural(files, "file"))
}

pub(super) fn aggregator_unread(aggregator: &str, failure: &str) -> String {
    format!("AWS Config’s aggregator {aggregator} could not be read: {failure}")
}

pub(super) fn definitions_unread(cause: Outcome, places: &BTreeSet<String>) -> String {
    format!(
        "What rules ask for could not be read in {}, {}: {}",
        format::plural(count(places.len()), "account-Region"),
        cause.cause(),
        some_of(places)
    )
}
