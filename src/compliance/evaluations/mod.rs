//! The evaluations of a day: the rows behind every figure.

mod found;
mod selection;

use std::fmt::Write as _;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, Data};
use askama::Template;
use time::Date;

use self::found::{Found, pour};
use self::selection::{By, READ_WHOLE, Selection};
use super::core::Evidence;
use super::filter::{self, Filter, Offers, Which};
use super::shown::{Shown, link, nothing_left};
use super::{Severity, Status};
use crate::State;
use crate::error::Error;
use crate::web::download::{Format, download};
use crate::web::form::Filters;
use crate::web::format::{count, day, plural};
use crate::web::parts::{self, Empty, Provenance};
use crate::web::table::{self, Column, PLACE_KEYS, Place, Sort, Table};
use crate::web::{Access, Endpoint, Frame, Page, Section, View, filters};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::get("/evaluations", Access::Rooms, || web::get().to(list))]
}

const OFFERS: Offers = Offers { rule: true, severity: true, status: true, resource_type: true, age: true };

/// What every list can be sorted on: how many rows hold the same in it is counted as they are collected.
const COLUMNS: [Column; 8] = [
    table::text("Account").by("account"),
    table::text("Region").by("region"),
    table::text("Rule").by("rule"),
    table::text("Severity").by("severity").most_first(),
    table::text("Resource type").by("type"),
    table::text("Resource"),
    table::text("Status").by("status"),
    table::text("Since"),
];
/// What a short list, or in the one case a list of failures, can be sorted on besides.
const RESOURCE: Column = table::text("Resource").by("resource");
const SINCE: Column = table::text("Since").by("since");

fn columns(is_short: bool, failing_only: bool) -> Vec<Column> {
    let column = |column: Column| match column.title {
        "Resource" if is_short => RESOURCE,
        "Since" if is_short || failing_only => SINCE,
        _ => column,
    };
    COLUMNS.map(column).to_vec()
}

const DOWNLOAD: [&str; 14] = [
    "day",
    "account_id",
    "account_name",
    "region",
    "rule_name",
    "rule_identifier",
    "severity",
    "resource_type",
    "resource_id",
    "status",
    "since",
    "snapshot_at",
    "delivery",
    "last_known",
];

#[derive(Template)]
#[template(path = "compliance/evaluations.html")]
struct EvaluationsPage {
    frame: Frame,
    lead: String,
    filters: Filters,
    table: Table,
    rows: Vec<Line>,
    failing_only: bool,
    /// The most rows of a list that can be sorted on every column, where this one has more.
    too_long: Option<i64>,
    empty: Option<Empty>,
    provenance: Provenance,
}

/// A row of the table.
struct Line {
    account_id: String,
    account_name: String,
    account_href: String,
    region: String,
    rule: String,
    rule_href: String,
    severity: Severity,
    resource_type: String,
    resource_id: String,
    resource_href: String,
    status: Status,
    since: Date,
    /// The last known day, where the day itself has no evidence.
    last_known: Option<Date>,
}

async fn list(state: Data<State>, mut view: View) -> Result<HttpResponse, Error> {
    let filter = Filter::parse(&view.address, OFFERS, &PLACE_KEYS)?;
    let format = Format::of(&view.address)?;
    // The part of the sort that the row is of, then its account, Region, rule name, resource type and id.
    let at = Place::of(&view.address, 6)?;
    let failing_only = filter.which == Which::NonCompliant;
    let sort = Sort::of(&view.address, &columns(true, failing_only), Sort::up("account"));
    let shown = Shown::load(state, &mut view).await?;
    if let Some(format) = format {
        // The same rows, always in text order.
        let selection = Selection::load(&shown, &mut view, &filter, By::Text, false).await?;
        let stem = view.stem("evaluations");
        return Ok(download(format, &stem, &DOWNLOAD, |rows| pour(rows, shown, view, selection)));
    }
    let mut selection = Selection::load(&shown, &mut view, &filter, By::of(sort.by), sort.descending).await?;
    let sort = if selection.take_text_order_if_long() { Sort::up("account") } else { sort };
    let total = selection.total();
    let found = selection.page(&shown, &mut view, &at).await?;
    let key = |row: Option<&Found>| row.map(|row| table::key(&selection.key(row, &shown)));
    let columns = columns(selection.is_short(), failing_only);
    let table = Table::whole("evaluations", caption(&filter), &columns, &view.address, found.rows.len())
        .sorted(sort)
        .as_of(view.as_of)
        .with_formats()
        .paged(&at, key(found.rows.first()), key(found.rows.last()), found.more, total);
    let evidence = Evidence::of(view.as_of, filter.places(&shown.places));
    let page = EvaluationsPage {
        lead: sentence(&selection, &view, &shown),
        filters: filter::form(&view.address, &shown.places, &shown.catalog, OFFERS),
        rows: found.rows.iter().map(|row| row.line(&shown, &view)).collect(),
        failing_only,
        too_long: (!selection.is_short()).then_some(READ_WHOLE),
        empty: (total == 0).then(|| empty(&view, &shown)),
        provenance: shown.provenance(&view, &evidence, &filter),
        frame: view.frame(Section::Evaluations, "Evaluations"),
        table,
    };
    Ok(Page(page).answer(StatusCode::OK))
}

fn caption(filter: &Filter) -> String {
    let mut caption = "Evaluations".to_owned();
    if let Some(rule) = filter.name.as_ref().or(filter.rule.as_ref()) {
        _ = write!(caption, " by rules named {rule}");
    }
    if let Some(age) = filter.age {
        _ = write!(caption, ", failing for {}", age.word());
    }
    caption
}

/// "1,003,221 evaluations in 180 account-regions as of 22 Nov 2026 (UTC); 7,221 of them are last known …".
fn sentence(selection: &Selection, view: &View, shown: &Shown) -> String {
    let places = selection.places();
    let mut sentence = format!(
        "{} in {} as of {} (UTC)",
        plural(selection.total(), "evaluation"),
        plural(i64::try_from(places.len()).unwrap_or(i64::MAX), "account-region"),
        day(view.as_of)
    );
    let carried: i64 = places.iter().filter(|(at, _)| !shown.places[**at].known()).map(|(_, rows)| rows).sum();
    if carried > 0 {
        let are = if carried == 1 { "is" } else { "are" };
        _ = write!(
            sentence,
            "; {} of them {are} the last known, where no evidence came for the day, and count as unknown",
            count(carried)
        );
    }
    sentence.push('.');
    sentence
}

fn empty(view: &View, shown: &Shown) -> Empty {
    if shown.places.iter().any(|place| place.known() || place.carried() > 0) {
        return nothing_left("No evaluations to show", &view.address);
    }
    Empty::new("No evaluations to show", format!("Nothing was delivered for {} (UTC), nor before it.", day(view.as_of)))
        .next("See what was delivered when", link(view, "/delivery", &[]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_count_says_is_sorted_on_in_short_lists_alone() {
        let unsorted = |is_short, failing_only| -> Vec<&str> {
            let columns = columns(is_short, failing_only);
            columns.iter().filter(|column| column.sort.is_none()).map(|column| column.title).collect()
        };
        assert_eq!(unsorted(true, false), [""; 0]);
        assert_eq!(unsorted(false, false), ["Resource", "Since"]);
        assert_eq!(unsorted(false, true), ["Resource"]);
    }
}
