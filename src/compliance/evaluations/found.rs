//! An evaluation as a row of the page and of a download.

use std::cmp::Ordering;

use time::Date;

use super::Line;
use super::selection::Selection;
use crate::compliance::accounts;
use crate::compliance::db::evaluations::Row;
use crate::compliance::rules;
use crate::compliance::shown::{Shown, link};
use crate::web::View;
use crate::web::download::{Cell, Rows};

/// An evaluation of a page.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// Index of the class that it is of.
    pub(super) class: usize,
    /// Index of its place among the shown.
    pub(super) place: usize,
    /// Rank of the rule's name.
    pub(super) rule: usize,
    pub(super) row: Row,
    pub(super) since: Date,
}

impl Found {
    /// What text order is by: account, Region, rule name, resource type and resource id.
    pub(super) fn parts<'a>(&'a self, shown: &'a Shown) -> [&'a str; 5] {
        let place = &shown.places[self.place];
        let rule = shown.catalog.rules[self.rule].name.as_str();
        let resource_type = shown.catalog.type_name(self.row.resource_type_id);
        [&place.account_id, &place.region, rule, resource_type, &self.row.id]
    }

    pub(super) fn order(&self, other: &Self, shown: &Shown) -> Ordering {
        // Places and rules stand in text order already.
        (self.place, self.rule).cmp(&(other.place, other.rule)).then_with(|| self.parts(shown).cmp(&other.parts(shown)))
    }

    /// About how much memory it takes.
    pub(super) fn weight(&self) -> usize {
        size_of::<Self>() + self.row.id.len()
    }

    pub(super) fn line(&self, shown: &Shown, view: &View) -> Line {
        let place = &shown.places[self.place];
        let rule = &shown.catalog.rules[self.rule];
        let [account_id, region, name, resource_type, id] = self.parts(shown);
        let resource = [("account", account_id), ("region", region), ("type", resource_type), ("id", id)];
        Line {
            account_id: account_id.to_owned(),
            account_name: place.account_name.clone(),
            account_href: accounts::href(view, account_id),
            region: region.to_owned(),
            rule: name.to_owned(),
            rule_href: rules::href(view, &rule.core_name),
            severity: rule.severity(),
            resource_type: resource_type.to_owned(),
            resource_id: id.to_owned(),
            resource_href: link(view, "/resources", &resource),
            status: shown.catalog.status(self.row.status_id),
            since: self.since,
            last_known: if place.known() { None } else { place.last_known.map(|(day, _)| day) },
        }
    }

    fn cells(&self, shown: &Shown, view: &View) -> [Cell; 14] {
        let place = &shown.places[self.place];
        let rule = &shown.catalog.rules[self.rule];
        let [account_id, region, name, resource_type, id] = self.parts(shown);
        let time = |at: time::OffsetDateTime| at.format(&time::format_description::well_known::Rfc3339).ok();
        [
            view.as_of.into(),
            account_id.into(),
            place.account_name.clone().into(),
            region.into(),
            name.into(),
            rule.identifier.clone().into(),
            rule.severity().word().into(),
            resource_type.into(),
            id.into(),
            shown.catalog.status(self.row.status_id).word().into(),
            self.since.into(),
            place.snapshot_at.and_then(time).into(),
            place.state.word().into(),
            if place.known() { Cell::Nothing } else { place.last_known.map(|(day, _)| day).into() },
        ]
    }
}

/// Sorts rows that stand in text order by the day of first observation or by the resource's id; what holds the same
/// stays in text order.
pub(super) fn sort(rows: &mut [Found], by_day: bool, descending: bool) {
    rows.sort_by(|one, other| {
        let order = if by_day { one.since.cmp(&other.since) } else { one.row.id.cmp(&other.row.id) };
        if descending { order.reverse() } else { order }
    });
}

/// Rows are read in pieces of about this many.
const PIECE_ROWS: i64 = 20_000;

/// Writes every row that the filters leave, in text order, a few rules of a place at a time.
pub(super) async fn pour(mut to: Rows, shown: Shown, mut view: View, selection: Selection) -> anyhow::Result<Rows> {
    let places: Vec<usize> = selection.places().keys().copied().collect();
    for place in places {
        let rules = selection.rules_of(&shown, &mut view, place).await;
        let rules = rules.map_err(|error| anyhow::anyhow!("counting rows: {error}"))?;
        let mut pairs = Vec::new();
        let mut sum = 0;
        let last = rules.len();
        for (at, (pair, rows)) in rules.into_iter().enumerate() {
            pairs.push(pair);
            sum += rows;
            if sum < PIECE_ROWS && at + 1 < last {
                continue;
            }
            let read = selection.rows_of(&shown, &mut view, &pairs).await;
            for row in &read.map_err(|error| anyhow::anyhow!("reading rows: {error}"))? {
                to.push(row.cells(&shown, &view)).await?;
            }
            pairs.clear();
            sum = 0;
        }
    }
    Ok(to)
}
