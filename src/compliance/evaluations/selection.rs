//! Which evaluations a list holds, in which order, and the few of them that one of its pages shows.
//!
//! A page is found by counting: the roll-ups say how many rows each place and rule has, in text order, so only the few
//! rules of the few places that a page covers are read. Never are all rows sorted. A list that is sorted on a column is
//! a list of classes, whose rows hold the same in it; within a class rows stand in text order. Only where no count says
//! the order are rows read and sorted, and only of a list that is short enough.

mod group;
mod order;

use std::collections::BTreeMap;
use std::sync::Arc;

use time::Date;

use self::group::Group;
pub(super) use self::order::By;
use self::order::{Class, Classes, Of};
use super::found::{self, Found};
use crate::compliance::core::{Counts, PlaceDay};
use crate::compliance::db::evaluations::{self as rows_db, Asked, Counted, Observed, Pair, Part};
use crate::compliance::filter::{Filter, Which};
use crate::compliance::shown::Shown;
use crate::compliance::{Severity, status};
use crate::error::Error;
use crate::web::View;
use crate::web::table::{PAGE_ROWS, Place};

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
    resource_type_ids: Option<Vec<i16>>,
    classes: Arc<Classes>,
    by: By,
    descending: bool,
}

/// A list of at most so many rows is read whole where it is sorted on what no count says: the rows of one account or
/// one rule, mostly.
pub(super) const READ_WHOLE: i64 = 20_000;

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
            resource_type_ids: resource_type_id.unwrap_or_default().map(|id| vec![id]),
            classes: Arc::default(),
            by,
            descending,
        };
        if resource_type_id.is_err() || selection.rule_ids.as_ref().is_some_and(Vec::is_empty) {
            return Ok(selection);
        }
        let by = if by.reads_all(filter.which) { By::Text } else { by };
        let key = view.key(&format!("counted {} {by:?} {filter:?}", view.as_of));
        selection.classes = if let Some(classes) = shown.recall(key.as_deref()) {
            classes
        } else {
            let classes = Arc::new(Classes::of(selection.count(shown, view, by).await?));
            shown.remember(key, &classes, classes.weight());
            classes
        };
        Ok(selection)
    }

    /// Whether the list can be sorted on what only its rows say.
    pub(super) fn is_short(&self) -> bool {
        self.total() <= READ_WHOLE
    }

    /// Whether it was to be sorted on what only its rows say, and is too long for that: then it is in text order.
    pub(super) fn take_text_order_if_long(&mut self) -> bool {
        let long = self.by.reads_all(self.filter.which) && !self.is_short();
        if long {
            (self.by, self.descending) = (By::Text, false);
        }
        long
    }

    pub(super) fn total(&self) -> i64 {
        self.classes.total
    }

    /// Index and rows of each place that has any.
    pub(super) fn places(&self) -> &BTreeMap<usize, i64> {
        &self.classes.places
    }

    /// The key of a row of this list.
    pub(super) fn key(&self, row: &Found, shown: &Shown) -> Vec<String> {
        let class = self.classes.get(row.class).map(|class| class.of.word(shown)).unwrap_or_default();
        std::iter::once(class.into_owned()).chain(row.parts(shown).map(str::to_owned)).collect()
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
                let of = |part| Some(Severity::from_id(i16::try_from(part).unwrap_or_default()));
                self.count_by_part(shown, view, &ids, Part::Severity, of, Of::Severity).await
            }
            By::Rule => {
                let of = |part| Some(shown.catalog.rule(part)?.0);
                self.count_by_part(shown, view, &ids, Part::Rule, of, Of::Rule).await
            }
            By::ResourceType if self.resource_type_ids.is_none() => {
                let of = |part| shown.catalog.type_rank(i16::try_from(part).ok()?);
                self.count_by_part(shown, view, &ids, Part::ResourceType, of, Of::ResourceType).await
            }
            By::Region => {
                let mut classes: BTreeMap<&str, (usize, Vec<(i32, i64)>)> = BTreeMap::new();
                for (place_id, known, counts) in self.counts(shown, view, &places, &ids).await? {
                    let Some(at) = shown.places.rank(place_id) else { continue };
                    let (first, rows) = classes.entry(&shown.places[at].region).or_insert((at, Vec::new()));
                    *first = at.min(*first);
                    rows.push((place_id, self.filter.which.count(known, &counts)));
                }
                let class = |(first, rows)| Class::new(shown, Of::Region(first), rows);
                Ok(classes.into_values().map(class).filter(|class| !class.counted.is_empty()).collect())
            }
            By::Status if self.filter.age.is_none() => {
                let counts = self.counts(shown, view, &places, &ids).await?;
                let kinds =
                    KINDS.into_iter().filter(|(_, known, status_id)| self.filter.which.matches(*known, *status_id));
                let rows = |which: Which| {
                    counts.iter().map(|(place, known, counts)| (*place, which.count(*known, counts))).collect()
                };
                Ok(kinds.map(|(which, ..)| Class::new(shown, Of::Which(which), rows(which))).collect())
            }
            By::Text | By::Severity | By::ResourceType | By::Resource | By::Status => {
                let counts = self.counts(shown, view, &places, &ids).await?;
                let rows =
                    counts.iter().map(|(place, known, counts)| (*place, self.filter.which.count(*known, counts)));
                Ok(vec![Class::new(shown, Of::All, rows.collect())])
            }
        }
    }

    /// A class for each value of a part, in the order of the values.
    async fn count_by_part<K: Ord + Copy>(
        &self,
        shown: &Shown,
        view: &mut View,
        ids: &[i32],
        part: Part,
        value: impl Fn(i32) -> Option<K>,
        of: impl Fn(K) -> Of,
    ) -> Result<Vec<Class>, Error> {
        let counted = self.counted(view, shown, &self.asked(ids, self.rule_ids.as_deref()), part, None).await?;
        let mut classes: BTreeMap<K, Vec<(i32, i64)>> = BTreeMap::new();
        for counted in &counted {
            let known = shown.place(counted.place_id).is_some_and(PlaceDay::known);
            let rows = self.filter.which.count(known, &counted.counts());
            if let (Some(value), true) = (value(counted.part), rows > 0) {
                classes.entry(value).or_default().push((counted.place_id, rows));
            }
        }
        Ok(classes.into_iter().map(|(value, rows)| Class::new(shown, of(value), rows)).collect())
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
        Ok(classes.into_iter().map(|(day, rows)| Class::new(shown, Of::Since(day), rows)).collect())
    }

    /// Counts of each place, with whether it is known.
    async fn counts(
        &self,
        shown: &Shown,
        view: &mut View,
        places: &[&PlaceDay],
        ids: &[i32],
    ) -> Result<Vec<(i32, bool, Counts)>, Error> {
        if self.rule_ids.is_none() && self.resource_type_ids.is_none() && self.filter.age.is_none() {
            // What each place delivered was counted as it was collected.
            let counts = |place: &&PlaceDay| match (place.known(), &place.last_known) {
                (true, _) => place.counts,
                (false, Some((_, counts))) if place.expected => *counts,
                _ => Counts::default(),
            };
            return Ok(places.iter().map(|place| (place.place_id, place.known(), counts(place))).collect());
        }
        let asked = self.asked(ids, self.rule_ids.as_deref());
        let counted = self.counted(view, shown, &asked, Part::Whole, None).await?;
        let known = |counted: &Counted| shown.place(counted.place_id).is_some_and(PlaceDay::known);
        Ok(counted.iter().map(|counted| (counted.place_id, known(counted), counted.counts())).collect())
    }

    async fn counted(
        &self,
        view: &mut View,
        shown: &Shown,
        asked: &Asked<'_>,
        part: Part,
        observed: Option<Observed>,
    ) -> Result<Vec<Counted>, Error> {
        Ok(match observed.or_else(|| self.filter.observed(self.day)) {
            Some(observed) => {
                let several = shown.catalog.several(asked.place_ids, asked.rule_ids);
                rows_db::failing_between(&mut view.read, asked, &several, observed, part).await?
            }
            None => rows_db::counted(&mut view.read, asked, part).await?,
        })
    }

    fn asked<'a>(&'a self, place_ids: &'a [i32], rule_ids: Option<&'a [i32]>) -> Asked<'a> {
        Asked { day: self.day, place_ids, rule_ids, resource_type_ids: self.resource_type_ids.as_deref() }
    }

    /// The rows beside a place in the table.
    pub(super) async fn page(&self, shown: &Shown, view: &mut View, at: &Place) -> Result<FoundPage, Error> {
        if self.by.reads_all(self.filter.which) {
            let rows = self.whole(shown, view).await?;
            return beside(&rows, at, shown);
        }
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
            let from = order.iter().position(|at| self.classes[*at].of.word(shown) == *word);
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

    /// Every row, sorted: of a short list.
    async fn whole(&self, shown: &Shown, view: &mut View) -> Result<Arc<Vec<Found>>, Error> {
        let key = view.key(&format!("sorted {} {:?} {} {:?}", self.day, self.by, self.descending, self.filter));
        if let Some(rows) = shown.recall(key.as_deref()) {
            return Ok(rows);
        }
        let group = Group { classes: (0..self.classes.len()).collect(), selection: self };
        let ids: Vec<i32> = self.places().keys().map(|at| shown.places[*at].place_id).collect();
        let pairs: Vec<Pair> = group.pairs(shown, view, &ids).await?.into_iter().map(|(pair, _)| pair).collect();
        let mut rows = group.read(shown, view, &pairs, None, false, READ_WHOLE).await?;
        found::sort(&mut rows, self.by == By::Since, self.descending);
        let rows = Arc::new(rows);
        shown.remember(key, &rows, rows.iter().map(Found::weight).sum());
        Ok(rows)
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

/// The rows of a sorted list beside a place.
fn beside(rows: &[Found], at: &Place, shown: &Shown) -> Result<FoundPage, Error> {
    let size = usize::try_from(PAGE_ROWS).unwrap_or(usize::MAX);
    let find = |key: &[String]| {
        let is = |row: &Found| row.parts(shown).iter().eq(key.iter().skip(1));
        rows.iter()
            .position(is)
            .ok_or_else(|| Error::Invalid("The row that this page begins at is no longer in the table.".to_owned()))
    };
    let (from, to, backwards) = match at {
        Place::First => (0, rows.len().min(size), false),
        Place::After(key) => {
            let from = find(key)? + 1;
            (from, rows.len().min(from + size), false)
        }
        Place::Before(key) => {
            let to = find(key)?;
            (to.saturating_sub(size), to, true)
        }
    };
    let more = if backwards { from > 0 } else { to < rows.len() };
    Ok(FoundPage { rows: rows[from..to].to_vec(), more })
}

fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

fn within(observed: Option<Observed>, since: Date) -> bool {
    observed.is_none_or(|(from, until)| from.is_none_or(|from| from <= since) && since <= until)
}
