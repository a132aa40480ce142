//! Which evaluations a list holds, in which order, and the few of them that one of its pages shows.
//!
//! A page is found by counting: the roll-ups say how many rows each place and rule has, in text order, so only the few
//! rules of the few places that a page covers are read. Never are all rows sorted. A list that is sorted on a column is
//! a list of classes, whose rows hold the same in it; within a class rows stand in text order.

mod group;

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use time::Date;

use self::group::Group;
use super::found::Found;
use crate::compliance::core::{Counts, PlaceDay};
use crate::compliance::db::evaluations::{self as rows_db, Asked, Counted, Observed, Pair, Part};
use crate::compliance::filter::{Filter, Which, severity_slug};
use crate::compliance::shown::Shown;
use crate::compliance::{Severity, status};
use crate::error::Error;
use crate::web::View;
use crate::web::table::{PAGE_ROWS, Place};

/// What a list is sorted on, before text order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Text,
    Severity,
    Status,
    /// Of failures only: the day of first observation.
    Since,
}

impl By {
    pub(super) fn of(sort: &str) -> Self {
        match sort {
            "severity" => Self::Severity,
            "status" => Self::Status,
            "since" => Self::Since,
            _ => Self::Text,
        }
    }
}

/// What the rows of a class hold alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    All,
    Severity(Severity),
    Which(Which),
    Since(Date),
}

impl Of {
    /// The word for it in keys.
    fn word(self) -> String {
        match self {
            Self::All => String::new(),
            Self::Severity(severity) => severity_slug(severity).to_owned(),
            Self::Which(which) => which.slug().to_owned(),
            Self::Since(day) => day.to_string(),
        }
    }
}

/// Places with rows, in text order: index in the shown places and the number of rows.
type InPlaces = Vec<(usize, i64)>;

#[derive(Debug)]
struct Class {
    of: Of,
    counted: InPlaces,
}

impl Class {
    fn rows(&self) -> i64 {
        self.counted.iter().map(|(_, rows)| rows).sum()
    }
}

/// Kinds of status in the order of the column: what asks for an answer first.
const KINDS: [(Which, bool, i16); 6] = [
    (Which::NonCompliant, true, status::NON_COMPLIANT),
    (Which::Carried, false, status::COMPLIANT),
    (Which::InsufficientData, true, status::INSUFFICIENT_DATA),
    (Which::Unrecognised, true, status::FIRST_UNRECOGNISED),
    (Which::Compliant, true, status::COMPLIANT),
    (Which::NotApplicable, true, status::NOT_APPLICABLE),
];

/// The evaluations that the filters leave, counted and in order.
pub(super) struct Selection {
    filter: Filter,
    day: Date,
    rule_ids: Option<Vec<i32>>,
    resource_type_id: Option<i16>,
    /// In ascending order.
    classes: Arc<Vec<Class>>,
    descending: bool,
}

pub(super) struct FoundPage {
    pub(super) rows: Vec<Found>,
    /// Whether rows follow in the direction that was asked.
    pub(super) more: bool,
}

impl Selection {
    pub(super) async fn load(
        shown: &Shown,
        view: &mut View,
        filter: &Filter,
        by: By,
        descending: bool,
    ) -> Result<Self, Error> {
        let rule_ids = filter.rule_ids(&shown.catalog);
        let resource_type_id = filter.resource_type_id(&shown.catalog);
        let mut selection = Self {
            filter: filter.clone(),
            day: view.as_of,
            rule_ids,
            resource_type_id: resource_type_id.unwrap_or_default(),
            classes: Arc::default(),
            descending,
        };
        if resource_type_id.is_err() || selection.rule_ids.as_ref().is_some_and(Vec::is_empty) {
            return Ok(selection);
        }
        let key = view.key(&format!("counted {} {by:?} {filter:?}", view.as_of));
        selection.classes = if let Some(classes) = shown.recall(key.as_deref()) {
            classes
        } else {
            let classes = Arc::new(selection.count(shown, view, by).await?);
            let weight = classes.iter().map(|class: &Class| 64 + class.counted.len() * 16).sum();
            shown.remember(key, &classes, weight);
            classes
        };
        Ok(selection)
    }

    pub(super) fn total(&self) -> i64 {
        self.classes.iter().map(Class::rows).sum()
    }

    /// Index and rows of each place that has any.
    pub(super) fn places(&self) -> BTreeMap<usize, i64> {
        let mut places = BTreeMap::new();
        for (at, rows) in self.classes.iter().flat_map(|class| &class.counted) {
            *places.entry(*at).or_default() += rows;
        }
        places
    }

    /// The key of a row of this list.
    pub(super) fn key(&self, row: &Found, shown: &Shown) -> Vec<String> {
        let class = self.classes.get(row.class).map(|class| class.of.word()).unwrap_or_default();
        std::iter::once(class).chain(row.parts(shown).map(str::to_owned)).collect()
    }

    /// The rows of a download of one place: its rules in text order with how many rows each has.
    pub(super) async fn rules_of(
        &self,
        shown: &Shown,
        view: &mut View,
        place: usize,
    ) -> Result<Vec<(Pair, i64)>, Error> {
        let group = Group { classes: vec![0], selection: self };
        group.pairs(shown, view, &[shown.places[place].place_id]).await
    }

    /// Every row of some rules in some places.
    pub(super) async fn rows_of(&self, shown: &Shown, view: &mut View, pairs: &[Pair]) -> Result<Vec<Found>, Error> {
        let group = Group { classes: vec![0], selection: self };
        group.read(shown, view, pairs, None, false, i64::MAX).await
    }

    async fn count(&self, shown: &Shown, view: &mut View, by: By) -> Result<Vec<Class>, Error> {
        let places = self.filter.places(&shown.places);
        let ids: Vec<i32> = places.iter().map(|place| place.place_id).collect();
        match by {
            By::Since => self.count_by_day(shown, view, &places).await,
            By::Severity if self.filter.severity.is_none() => {
                let counted = self.counted(shown, view, &ids, self.rule_ids.as_deref(), Part::Severity, None).await?;
                let mut classes: BTreeMap<Severity, Vec<(i32, i64)>> = BTreeMap::new();
                for counted in &counted {
                    let known = shown.place(counted.place_id).is_some_and(PlaceDay::known);
                    let rows = self.filter.which.count(known, &counted.counts());
                    let severity = Severity::from_id(i16::try_from(counted.part).unwrap_or_default());
                    classes.entry(severity).or_default().push((counted.place_id, rows));
                }
                Ok(classes.into_iter().map(|(severity, rows)| class(shown, Of::Severity(severity), rows)).collect())
            }
            By::Status if self.filter.age.is_none() => {
                let counts = self.counts(shown, view, &places, &ids).await?;
                let kinds =
                    KINDS.into_iter().filter(|(_, known, status_id)| self.filter.which.matches(*known, *status_id));
                let rows = |which: Which| {
                    counts.iter().map(|(place, known, counts)| (*place, which.count(*known, counts))).collect()
                };
                Ok(kinds.map(|(which, ..)| class(shown, Of::Which(which), rows(which))).collect())
            }
            By::Text | By::Severity | By::Status => {
                let counts = self.counts(shown, view, &places, &ids).await?;
                let rows =
                    counts.iter().map(|(place, known, counts)| (*place, self.filter.which.count(*known, counts)));
                Ok(vec![class(shown, Of::All, rows.collect())])
            }
        }
    }

    async fn count_by_day(&self, shown: &Shown, view: &mut View, places: &[&PlaceDay]) -> Result<Vec<Class>, Error> {
        let known: Vec<i32> = places.iter().filter(|place| place.known()).map(|place| place.place_id).collect();
        let asked = self.asked(&known, self.rule_ids.as_deref());
        let mut classes: BTreeMap<Date, Vec<(i32, i64)>> = BTreeMap::new();
        let observed = self.filter.observed(self.day);
        let several = shown.catalog.several(&known, asked.rule_ids);
        for row in rows_db::failing_by_day(&mut view.read, &asked, &several).await? {
            if within(observed, row.since) {
                classes.entry(row.since).or_default().push((row.place_id, row.evaluations));
            }
        }
        Ok(classes.into_iter().map(|(day, rows)| class(shown, Of::Since(day), rows)).collect())
    }

    /// Counts of each place, with whether it is known.
    async fn counts(
        &self,
        shown: &Shown,
        view: &mut View,
        places: &[&PlaceDay],
        ids: &[i32],
    ) -> Result<Vec<(i32, bool, Counts)>, Error> {
        if self.rule_ids.is_none() && self.resource_type_id.is_none() && self.filter.age.is_none() {
            // What each place delivered was counted as it was collected.
            let counts = |place: &&PlaceDay| match (place.known(), &place.last_known) {
                (true, _) => place.counts,
                (false, Some((_, counts))) if place.expected => *counts,
                _ => Counts::default(),
            };
            return Ok(places.iter().map(|place| (place.place_id, place.known(), counts(place))).collect());
        }
        let counted = self
            .counted(shown, view, ids, self.rule_ids.as_deref(), Part::Whole, self.filter.observed(self.day))
            .await?;
        let known = |counted: &Counted| shown.place(counted.place_id).is_some_and(PlaceDay::known);
        Ok(counted.iter().map(|counted| (counted.place_id, known(counted), counted.counts())).collect())
    }

    async fn counted(
        &self,
        shown: &Shown,
        view: &mut View,
        place_ids: &[i32],
        rule_ids: Option<&[i32]>,
        part: Part,
        observed: Option<Observed>,
    ) -> Result<Vec<Counted>, Error> {
        let asked = self.asked(place_ids, rule_ids);
        Ok(match observed.or_else(|| self.filter.observed(self.day)) {
            Some(observed) => {
                let several = shown.catalog.several(place_ids, rule_ids);
                rows_db::failing_between(&mut view.read, &asked, &several, observed, part).await?
            }
            None => rows_db::counted(&mut view.read, &asked, part).await?,
        })
    }

    fn asked<'a>(&self, place_ids: &'a [i32], rule_ids: Option<&'a [i32]>) -> Asked<'a> {
        Asked { day: self.day, place_ids, rule_ids, resource_type_id: self.resource_type_id }
    }

    /// The rows beside a place in the table.
    pub(super) async fn page(&self, shown: &Shown, view: &mut View, at: &Place) -> Result<FoundPage, Error> {
        let (mut edge, backwards): (Option<&[String]>, bool) = match at {
            Place::First => (None, false),
            Place::After(key) => (Some(key), false),
            Place::Before(key) => (Some(key), true),
        };
        let mut order: Vec<usize> = (0..self.classes.len()).collect();
        if self.descending != backwards {
            order.reverse();
        }
        let mut order = order.as_slice();
        if let Some([word, ..]) = edge {
            let from = order.iter().position(|at| self.classes[*at].of.word() == *word);
            order = &order[from.unwrap_or(order.len())..];
        }
        let limit = PAGE_ROWS + 1;
        let mut rows: Vec<Found> = Vec::new();
        while !order.is_empty() && count(rows.len()) < limit {
            let room = limit - count(rows.len());
            let length = if edge.is_some() { 1 } else { self.small(order, room) };
            let (these, rest) = order.split_at(length);
            let group = Group { classes: these.to_vec(), selection: self };
            let key = edge.take().and_then(|key| key.get(1..));
            rows.extend(group.page(shown, view, key, backwards, room).await?);
            order = rest;
        }
        let more = count(rows.len()) >= limit;
        rows.truncate(usize::try_from(PAGE_ROWS).unwrap_or(usize::MAX));
        if backwards {
            rows.reverse();
        }
        Ok(FoundPage { rows, more })
    }

    /// How many classes from the first on are read at once: as many as fit whole, or the first alone.
    fn small(&self, order: &[usize], room: i64) -> usize {
        let mut sum = 0;
        let fit = order.iter().take_while(|at| {
            sum += self.classes[**at].rows();
            sum <= room
        });
        fit.count().max(1)
    }
}

fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

fn within(observed: Option<Observed>, since: Date) -> bool {
    observed.is_none_or(|(from, until)| from.is_none_or(|from| from <= since) && since <= until)
}

/// A class from rows by place id, its places in text order.
fn class(shown: &Shown, of: Of, rows: Vec<(i32, i64)>) -> Class {
    let rows: FxHashMap<i32, i64> = rows.into_iter().collect();
    let counted = shown
        .places
        .iter()
        .enumerate()
        .filter_map(|(at, place)| Some((at, *rows.get(&place.place_id)?)))
        .filter(|(_, rows)| *rows > 0)
        .collect();
    Class { of, counted }
}
