//! The evaluations of a day: the rows behind every figure.
//!
//! A page is found by counting: the roll-ups say how many rows each place and rule has, in text order, so only the few
//! rules of the few places that a page covers are read. Never are all rows sorted.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, Data};
use askama::Template;
use rustc_hash::FxHashMap;
use time::Date;

use super::core::{Evidence, PlaceDay};
use super::db::evaluations::{self as rows_db, Asked, Counted, Row};
use super::filter::{self, Filter, Offers};
use super::shown::{Shown, link, nothing_left};
use super::{Severity, Status, status};
use crate::State;
use crate::error::Error;
use crate::web::download::{Cell, Format, Rows, download};
use crate::web::form::Filters;
use crate::web::format::{count, day, plural};
use crate::web::parts::{self, Empty, Provenance};
use crate::web::table::{self, Column, PAGE_ROWS, Place, Table};
use crate::web::{Access, Endpoint, Frame, Page, Section, View, filters};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::get("/evaluations", Access::SignedIn, || web::get().to(list))]
}

const COLUMNS: [Column; 7] = [
    table::text("Account"),
    table::text("Region"),
    table::text("Rule"),
    table::text("Severity"),
    table::text("Resource"),
    table::text("Status"),
    table::text("Since"),
];

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

/// A row is shown in text order: its account, Region, rule name, resource type and resource id.
type Key = [String; 5];

#[derive(Template)]
#[template(path = "compliance/evaluations.html")]
struct EvaluationsPage {
    frame: Frame,
    lead: String,
    filters: Filters,
    table: Table,
    rows: Vec<Line>,
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

pub(super) async fn list(state: Data<State>, mut view: View) -> Result<HttpResponse, Error> {
    let filter = Filter::parse(&view.address)?;
    let format = Format::of(&view.address)?;
    let at = Place::of(&view.address, 5)?;
    let shown = Shown::load(state, &mut view).await?;
    let selection = Selection::load(&shown, &mut view, &filter).await?;
    if let Some(format) = format {
        let stem = format!("evaluations-{}", view.as_of);
        return Ok(download(format, &stem, &DOWNLOAD, |rows| pour(rows, shown, view, selection)));
    }
    let total = selection.total();
    let found = selection.page(&shown, &mut view, &at).await?;
    let key = |row: Option<&Found>| row.map(|row| table::key(&row.key(&shown)));
    let table = Table::whole("evaluations", caption(&filter), &COLUMNS, &view.address, found.rows.len())
        .as_of(view.as_of)
        .with_formats()
        .paged(&at, key(found.rows.first()), key(found.rows.last()), found.more, total);
    let offers = Offers { rule: true, severity: true, status: true, resource_type: true, age: true };
    let evidence = Evidence::of(view.as_of, shown.places.iter());
    let page = EvaluationsPage {
        lead: selection.sentence(&view, &shown),
        filters: filter::form(&view.address, &shown.places, &shown.catalog, offers),
        rows: found.rows.iter().map(|row| row.line(&shown, &view)).collect(),
        empty: (total == 0).then(|| empty(&view, &shown)),
        provenance: shown.provenance(&view, &evidence),
        frame: view.frame(Section::Evaluations, "Evaluations"),
        table,
    };
    Ok(Page(page).answer(StatusCode::OK))
}

fn caption(filter: &Filter) -> String {
    let mut caption = "Evaluations".to_owned();
    if let Some(rule) = &filter.rule {
        _ = write!(caption, " by rules named {rule}");
    }
    if let Some(age) = filter.age {
        _ = write!(caption, ", failing for {}", age.word());
    }
    caption
}

fn empty(view: &View, shown: &Shown) -> Empty {
    if shown.places.iter().any(|place| place.known() || place.carried() > 0) {
        return nothing_left("No evaluations to show", &view.address);
    }
    Empty::new("No evaluations to show", format!("Nothing was delivered for {} (UTC), nor before it.", day(view.as_of)))
        .next("See what was delivered when", link(view, "/delivery", &[]))
}

/// The places and rules that a page's filters leave, counted.
pub(super) struct Selection {
    filter: Filter,
    day: Date,
    rule_ids: Option<Vec<i32>>,
    resource_type_id: Option<i16>,
    /// Places with rows, in text order: index in the shown places and the number of rows.
    counted: Arc<Vec<(usize, i64)>>,
}

/// An evaluation of a page.
struct Found {
    place: usize,
    /// Rank of the rule's name.
    rule: usize,
    row: Row,
    since: Date,
}

struct FoundPage {
    rows: Vec<Found>,
    /// Whether rows follow in the direction that was asked.
    more: bool,
}

impl Selection {
    pub(super) async fn load(shown: &Shown, view: &mut View, filter: &Filter) -> Result<Self, Error> {
        let rule_ids = filter.rule_ids(&shown.catalog);
        let resource_type_id = filter.resource_type_id(&shown.catalog);
        let mut selection = Self {
            filter: filter.clone(),
            day: view.as_of,
            rule_ids,
            resource_type_id: resource_type_id.unwrap_or_default(),
            counted: Arc::default(),
        };
        if resource_type_id.is_err() || selection.rule_ids.as_ref().is_some_and(Vec::is_empty) {
            return Ok(selection);
        }
        let what = format!(
            "counted {} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
            view.as_of,
            filter.account,
            filter.region,
            selection.rule_ids,
            filter.which,
            resource_type_id.unwrap_or_default(),
            filter.age,
            filter.severity,
        );
        let key = shown.key(view, &what);
        selection.counted = if let Some(counted) = shown.recall(key.as_deref()) {
            counted
        } else {
            let counted = Arc::new(selection.count(shown, view).await?);
            shown.remember(key, &counted, counted.len() * 16);
            counted
        };
        Ok(selection)
    }

    pub(super) fn total(&self) -> i64 {
        self.counted.iter().map(|(_, rows)| rows).sum()
    }

    async fn count(&self, shown: &Shown, view: &mut View) -> Result<Vec<(usize, i64)>, Error> {
        let places = self.filter.places(&shown.places);
        let whole = self.rule_ids.is_none() && self.resource_type_id.is_none() && self.filter.age.is_none();
        let counts: FxHashMap<i32, i64> = if whole {
            // What each place delivered was counted as it was collected.
            let rows = |place: &PlaceDay| match (place.known(), &place.last_known) {
                (true, _) => self.filter.which.count(true, &place.counts),
                (false, Some((_, counts))) if place.expected => self.filter.which.count(false, counts),
                _ => 0,
            };
            places.iter().map(|place| (place.place_id, rows(place))).collect()
        } else {
            let ids: Vec<i32> = places.iter().map(|place| place.place_id).collect();
            let counted = self.counted(view, &ids, None, false).await?;
            counted.iter().map(|counted| (counted.place_id, self.rows_of(shown, counted))).collect()
        };
        Ok(shown
            .places
            .iter()
            .enumerate()
            .filter_map(|(at, place)| Some((at, *counts.get(&place.place_id)?)))
            .filter(|(_, rows)| *rows > 0)
            .collect())
    }

    /// Counts of some places, by rule or not.
    async fn counted(
        &self,
        view: &mut View,
        place_ids: &[i32],
        rule_ids: Option<&[i32]>,
        by_rule: bool,
    ) -> Result<Vec<Counted>, Error> {
        let asked = self.asked(place_ids, rule_ids.or(self.rule_ids.as_deref()));
        let counted = match self.filter.observed(self.day) {
            Some(observed) => rows_db::failing_between(&mut view.read, &asked, observed, by_rule).await?,
            None if by_rule => rows_db::by_rule(&mut view.read, &asked).await?,
            None => rows_db::by_place(&mut view.read, &asked).await?,
        };
        Ok(counted)
    }

    fn asked<'a>(&self, place_ids: &'a [i32], rule_ids: Option<&'a [i32]>) -> Asked<'a> {
        Asked { day: self.day, place_ids, rule_ids, resource_type_id: self.resource_type_id }
    }

    fn rows_of(&self, shown: &Shown, counted: &Counted) -> i64 {
        let known = shown.place(counted.place_id).is_some_and(PlaceDay::known);
        self.filter.which.count(known, &counted.counts())
    }

    /// "1,003,221 evaluations in 180 account-regions as of 22 Nov 2026 (UTC); 7,221 of them are last known …".
    fn sentence(&self, view: &View, shown: &Shown) -> String {
        let total = self.total();
        let mut sentence = format!(
            "{} in {} as of {} (UTC)",
            plural(total, "evaluation"),
            plural(i64::try_from(self.counted.len()).unwrap_or(i64::MAX), "account-region"),
            day(view.as_of)
        );
        let carried: i64 = self.counted.iter().filter(|(at, _)| !shown.places[*at].known()).map(|(_, rows)| rows).sum();
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

    /// The rows beside a place in the table.
    async fn page(&self, shown: &Shown, view: &mut View, at: &Place) -> Result<FoundPage, Error> {
        let (edge, backwards): (Option<&[String]>, bool) = match at {
            Place::First => (None, false),
            Place::After(key) => (Some(key), false),
            Place::Before(key) => (Some(key), true),
        };
        let beyond = |order: Ordering| if backwards { order.is_lt() } else { order.is_gt() };
        let places = self.places_beside(shown, edge, backwards);
        let ids: Vec<i32> = places.iter().filter_map(|at| Some(shown.places.get(*at)?.place_id)).collect();
        let pairs = self.pairs_beside(shown, view, &ids, edge, backwards).await?;
        let mut rows = self.read(shown, view, &pairs).await?;
        if let Some(edge) = edge {
            rows.retain(|row| beyond(compare(&row.parts(shown), edge)));
        }
        rows.sort_by(|one, other| one.order(other, shown));
        if backwards {
            rows.reverse();
        }
        let limit = usize::try_from(PAGE_ROWS).unwrap_or(100);
        let more = rows.len() > limit;
        rows.truncate(limit);
        if backwards {
            rows.reverse();
        }
        Ok(FoundPage { rows, more })
    }

    /// Enough places from the edge on for one page and one row, in the direction asked.
    fn places_beside(&self, shown: &Shown, edge: Option<&[String]>, backwards: bool) -> Vec<usize> {
        let order = |at: usize| -> Ordering {
            match (edge, shown.places.get(at)) {
                (Some(edge), Some(place)) => compare(&[&place.account_id, &place.region], &edge[..2]),
                _ => {
                    if backwards {
                        Ordering::Less
                    } else {
                        Ordering::Greater
                    }
                }
            }
        };
        let mut counted: Vec<(usize, i64)> = self.counted.to_vec();
        if backwards {
            counted.reverse();
        }
        let mut sum = 0;
        let mut chosen = Vec::new();
        for (at, rows) in counted {
            match order(at) {
                Ordering::Equal => chosen.push(at),
                order if order.is_lt() == backwards => {
                    if sum > PAGE_ROWS {
                        break;
                    }
                    sum += rows;
                    chosen.push(at);
                }
                _ => {}
            }
        }
        chosen
    }

    /// Enough rules of those places, likewise.
    async fn pairs_beside(
        &self,
        shown: &Shown,
        view: &mut View,
        place_ids: &[i32],
        edge: Option<&[String]>,
        backwards: bool,
    ) -> Result<Vec<(i32, i32)>, Error> {
        let mut segments: Vec<([&str; 3], i64, (i32, i32))> = Vec::new();
        for counted in self.counted(view, place_ids, None, true).await? {
            let rows = self.rows_of(shown, &counted);
            if let (Some(place), Some((_, rule)), 1..) =
                (shown.place(counted.place_id), shown.catalog.rule(counted.rule_id), rows)
            {
                let key = [place.account_id.as_str(), place.region.as_str(), rule.name.as_str()];
                segments.push((key, rows, (counted.place_id, counted.rule_id)));
            }
        }
        segments.sort_unstable();
        if backwards {
            segments.reverse();
        }
        let mut sum = 0;
        let mut pairs = Vec::new();
        for (key, rows, pair) in segments {
            let order = edge.map_or(Ordering::Equal, |edge| compare(&key, &edge[..3]));
            // Of the edge's own rule only a part may remain: it is read and not counted on.
            if edge.is_some() && order.is_eq() {
                pairs.push(pair);
            } else if edge.is_none() || order.is_lt() == backwards {
                if sum > PAGE_ROWS {
                    break;
                }
                sum += rows;
                pairs.push(pair);
            }
        }
        Ok(pairs)
    }

    /// Reads the evaluations of some rules in some places, those that the filters leave.
    async fn read(&self, shown: &Shown, view: &mut View, pairs: &[(i32, i32)]) -> Result<Vec<Found>, Error> {
        let rows = rows_db::rows(&mut view.read, self.day, pairs, self.resource_type_id).await?;
        let failing = rows.iter().any(|row| row.status_id == status::NON_COMPLIANT);
        let mut since: FxHashMap<(i32, i32, i32), Date> = FxHashMap::default();
        if failing {
            let place_ids: Vec<i32> = pairs.iter().map(|(place_id, _)| *place_id).collect();
            let rule_ids: Vec<i32> = pairs.iter().map(|(_, rule_id)| *rule_id).collect();
            let asked = self.asked(&place_ids, Some(&rule_ids));
            for (place_id, rule_id, resource_id, day) in rows_db::failing_since(&mut view.read, &asked).await? {
                since.insert((place_id, rule_id, resource_id), day);
            }
        }
        let observed = self.filter.observed(self.day);
        let place_at: FxHashMap<i32, usize> =
            shown.places.iter().enumerate().map(|(at, place)| (place.place_id, at)).collect();
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            let (Some(&place), Some((rule, _))) = (place_at.get(&row.place_id), shown.catalog.rule(row.rule_id)) else {
                continue;
            };
            let known = shown.places[place].known();
            let key = (row.place_id, row.rule_id, row.resource_id);
            let since = since.get(&key).copied().unwrap_or(row.first_day);
            let of_age = observed.is_none_or(|(from, until)| from.is_none_or(|from| from <= since) && since <= until);
            if of_age && self.filter.which.matches(known, row.status_id) {
                found.push(Found { place, rule, row, since });
            }
        }
        Ok(found)
    }
}

fn compare(key: &[&str], edge: &[String]) -> Ordering {
    key.iter().copied().cmp(edge.iter().map(String::as_str))
}

impl Found {
    fn parts<'a>(&'a self, shown: &'a Shown) -> [&'a str; 5] {
        let place = &shown.places[self.place];
        let rule = shown.catalog.rules[self.rule].name.as_str();
        let resource_type = shown.catalog.type_name(self.row.resource_type_id);
        [&place.account_id, &place.region, rule, resource_type, &self.row.id]
    }

    fn key(&self, shown: &Shown) -> Key {
        self.parts(shown).map(str::to_owned)
    }

    fn order(&self, other: &Self, shown: &Shown) -> Ordering {
        // Places and rules stand in text order already.
        (self.place, self.rule).cmp(&(other.place, other.rule)).then_with(|| self.parts(shown).cmp(&other.parts(shown)))
    }

    fn line(&self, shown: &Shown, view: &View) -> Line {
        let place = &shown.places[self.place];
        let rule = &shown.catalog.rules[self.rule];
        let [account_id, region, name, resource_type, id] = self.parts(shown);
        let resource = [("account", account_id), ("region", region), ("type", resource_type), ("id", id)];
        Line {
            account_id: account_id.to_owned(),
            account_name: place.account_name.clone(),
            account_href: super::accounts::href(view, account_id),
            region: region.to_owned(),
            rule: name.to_owned(),
            rule_href: super::rules::href(view, &rule.core_name),
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

/// Rows are read in pieces of about this many.
const PIECE_ROWS: i64 = 20_000;

/// Writes every row that the filters leave, in text order, a few rules of a place at a time.
async fn pour(mut to: Rows, shown: Shown, mut view: View, selection: Selection) -> anyhow::Result<Rows> {
    for (place, _) in selection.counted.iter() {
        let place_id = shown.places[*place].place_id;
        let mut by_rank: BTreeMap<usize, (i32, i64)> = BTreeMap::new();
        let counted = selection.counted(&mut view, &[place_id], None, true).await;
        for counted in counted.map_err(|error| anyhow::anyhow!("counting rows: {error}"))? {
            let rows = selection.rows_of(&shown, &counted);
            if let (Some((rank, _)), 1..) = (shown.catalog.rule(counted.rule_id), rows) {
                by_rank.insert(rank, (counted.rule_id, rows));
            }
        }
        let mut pairs = Vec::new();
        let mut sum = 0;
        let last = by_rank.len();
        for (at, (rule_id, rows)) in by_rank.into_values().enumerate() {
            pairs.push((place_id, rule_id));
            sum += rows;
            if sum < PIECE_ROWS && at + 1 < last {
                continue;
            }
            let read = selection.read(&shown, &mut view, &pairs).await;
            let mut found = read.map_err(|error| anyhow::anyhow!("reading rows: {error}"))?;
            found.sort_by(|one, other| one.order(other, &shown));
            for row in &found {
                to.push(row.cells(&shown, &view)).await?;
            }
            pairs.clear();
            sum = 0;
        }
    }
    Ok(to)
}
