//! Which evaluations a list holds, in which order, and the few of them that one of its pages shows.
//!
//! A page is found by counting: the roll-ups say how many rows each place and rule has, in text order, so only the few
//! rules of the few places that a page covers are read. Never are all rows sorted. A list that is sorted on a column is
//! a list of classes, whose rows hold the same in it; within a class rows stand in text order.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use time::Date;

use super::found::Found;
use crate::compliance::core::{Counts, PlaceDay};
use crate::compliance::db::Several;
use crate::compliance::db::evaluations::{self as rows_db, Asked, Counted, Observed, Pair, Part, Wanted};
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
        let key = shown.key(view, &format!("counted {} {by:?} {filter:?}", view.as_of));
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

/// Classes that follow one another and are read together.
struct Group<'a> {
    classes: Vec<usize>,
    selection: &'a Selection,
}

impl Group<'_> {
    fn of(&self) -> impl Iterator<Item = Of> {
        self.classes.iter().filter_map(|at| Some(self.selection.classes.get(*at)?.of))
    }

    /// The kinds of status that are meant.
    fn kinds(&self) -> Vec<Which> {
        let kinds: Vec<Which> =
            self.of().filter_map(|of| if let Of::Which(which) = of { Some(which) } else { None }).collect();
        if kinds.is_empty() { vec![self.selection.filter.which] } else { kinds }
    }

    fn statuses(&self, known: bool) -> Vec<i16> {
        self.kinds().into_iter().flat_map(|which| which.statuses(known)).collect()
    }

    fn observed(&self) -> Option<Observed> {
        let days = || self.of().filter_map(|of| if let Of::Since(day) = of { Some(day) } else { None });
        match (days().min(), days().max()) {
            (Some(first), Some(last)) => Some((Some(first), last)),
            _ => self.selection.filter.observed(self.selection.day),
        }
    }

    fn rule_ids(&self, shown: &Shown) -> Option<Vec<i32>> {
        let severities: Vec<Severity> =
            self.of().filter_map(|of| if let Of::Severity(severity) = of { Some(severity) } else { None }).collect();
        if severities.is_empty() {
            return self.selection.rule_ids.clone();
        }
        let meant =
            |rule_id: i32| shown.catalog.rule(rule_id).is_some_and(|(_, rule)| severities.contains(&rule.severity()));
        Some(match &self.selection.rule_ids {
            Some(rule_ids) => rule_ids.iter().copied().filter(|rule_id| meant(*rule_id)).collect(),
            None => shown.catalog.rules.iter().map(|rule| rule.rule_id).filter(|rule_id| meant(*rule_id)).collect(),
        })
    }

    /// Places of the classes, with how many rows each has.
    fn counted(&self) -> InPlaces {
        let mut places: BTreeMap<usize, i64> = BTreeMap::new();
        for (at, rows) in
            self.classes.iter().filter_map(|at| self.selection.classes.get(*at)).flat_map(|class| &class.counted)
        {
            *places.entry(*at).or_default() += rows;
        }
        places.into_iter().collect()
    }

    /// The rows beside an edge, or from the beginning, in the direction asked.
    async fn page(
        &self,
        shown: &Shown,
        view: &mut View,
        edge: Option<&[String]>,
        backwards: bool,
        limit: i64,
    ) -> Result<Vec<Found>, Error> {
        let places = self.places_beside(shown, edge, backwards);
        let ids: Vec<i32> = places.iter().filter_map(|at| Some(shown.places.get(*at)?.place_id)).collect();
        let mut counted = self.pairs(shown, view, &ids).await?;
        if backwards {
            counted.reverse();
        }
        let mut sum = 0;
        let mut pairs = Vec::new();
        let mut beside = None;
        for (pair, rows) in counted {
            let order = edge.map_or(Ordering::Equal, |edge| compare(&pair_parts(shown, &pair), &edge[..3]));
            // Of the edge's own rule only a part may remain: it is read and not counted on.
            if let (Some([_, _, _, resource_type, id]), Ordering::Equal) = (edge, order) {
                beside = Some((resource_type.clone(), id.clone()));
                pairs.push(pair);
            } else if edge.is_none() || order.is_lt() == backwards {
                if sum >= limit {
                    break;
                }
                sum += rows;
                pairs.push(pair);
            }
        }
        let mut rows = self.read(shown, view, &pairs, beside, backwards, limit).await?;
        if self.classes.len() > 1 {
            // Whole classes: all of their rows are here.
            let rank = |class: usize| self.classes.iter().position(|at| *at == class);
            rows.sort_by(|one, other| {
                let text = one.order(other, shown);
                rank(one.class).cmp(&rank(other.class)).then(if backwards { text.reverse() } else { text })
            });
        }
        Ok(rows)
    }

    /// Enough places from the edge on for one page and one row, in the direction asked.
    fn places_beside(&self, shown: &Shown, edge: Option<&[String]>, backwards: bool) -> Vec<usize> {
        let order = |at: usize| -> Ordering {
            match (edge, shown.places.get(at)) {
                (Some(edge), Some(place)) => compare(&[&place.account_id, &place.region], &edge[..2]),
                _ if backwards => Ordering::Less,
                _ => Ordering::Greater,
            }
        };
        let mut counted = self.counted();
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

    /// The rules of some places that have rows, in text order, with how many.
    async fn pairs(&self, shown: &Shown, view: &mut View, place_ids: &[i32]) -> Result<Vec<(Pair, i64)>, Error> {
        let rule_ids = self.rule_ids(shown);
        let counted =
            self.selection.counted(shown, view, place_ids, rule_ids.as_deref(), Part::Rule, self.observed()).await?;
        let kinds = self.kinds();
        let mut pairs: Vec<(Pair, i64)> = counted
            .iter()
            .filter_map(|counted| {
                let known = shown.place(counted.place_id)?.known();
                let rows = kinds.iter().map(|which| which.count(known, &counted.counts())).sum();
                shown.catalog.rule(counted.part)?;
                Some((Pair { place_id: counted.place_id, rule_id: counted.part, known }, rows))
            })
            .filter(|(_, rows)| *rows > 0)
            .collect();
        pairs.sort_by(|(one, _), (other, _)| pair_parts(shown, one).cmp(&pair_parts(shown, other)));
        Ok(pairs)
    }

    /// Reads the evaluations of some rules in some places, those that the filters leave, in the order of the rules.
    async fn read(
        &self,
        shown: &Shown,
        view: &mut View,
        pairs: &[Pair],
        edge: Option<(String, String)>,
        backwards: bool,
        limit: i64,
    ) -> Result<Vec<Found>, Error> {
        let wanted = Wanted {
            day: self.selection.day,
            resource_type_id: self.selection.resource_type_id,
            statuses: (self.statuses(true), self.statuses(false)),
            edge,
            backwards,
            limit,
        };
        let mut since: FxHashMap<(i32, i32, i32), Date> = FxHashMap::default();
        let rows = if let Some(observed) = self.observed() {
            let several = several(shown, pairs);
            let failing = rows_db::failing_rows(&mut view.read, pairs, &wanted, &several, observed).await?;
            failing
                .into_iter()
                .map(|row| rows_db::Row {
                    place_id: row.place_id,
                    rule_id: row.rule_id,
                    resource_id: row.resource_id,
                    resource_type_id: row.resource_type_id,
                    id: row.id,
                    status_id: status::NON_COMPLIANT,
                    first_day: row.since,
                })
                .collect()
        } else {
            let rows = rows_db::rows(&mut view.read, pairs, &wanted).await?;
            let failing: Vec<&rows_db::Row> =
                rows.iter().filter(|row| row.status_id == status::NON_COMPLIANT).collect();
            // Without several names the run's own first day is it.
            let several = several(shown, pairs);
            if !failing.is_empty() && !several.is_empty() {
                let found = rows_db::failing_since(&mut view.read, wanted.day, &failing, &several).await?;
                for (place, rule, resource, day) in found {
                    since.insert((place, rule, resource), day);
                }
            }
            rows
        };
        Ok(rows
            .into_iter()
            .filter_map(|row| {
                let place = shown.places.rank(row.place_id)?;
                let (rule, named) = shown.catalog.rule(row.rule_id)?;
                let since = since.get(&(row.place_id, row.rule_id, row.resource_id)).copied().unwrap_or(row.first_day);
                let holds = |of: Of| match of {
                    Of::All => true,
                    Of::Severity(severity) => named.severity() == severity,
                    Of::Which(which) => which.matches(shown.places[place].known(), row.status_id),
                    Of::Since(day) => day == since,
                };
                let class = self.classes.iter().find(|at| holds(self.selection.classes[**at].of));
                Some(Found { class: *class?, place, rule, row, since })
            })
            .collect())
    }
}

/// Where the places of some pairs have had several names of their rules' timelines.
fn several(shown: &Shown, pairs: &[Pair]) -> Several {
    let place_ids: Vec<i32> = pairs.iter().map(|pair| pair.place_id).collect();
    let rule_ids: Vec<i32> = pairs.iter().map(|pair| pair.rule_id).collect();
    shown.catalog.several(&place_ids, Some(&rule_ids))
}

fn pair_parts<'a>(shown: &'a Shown, pair: &Pair) -> [&'a str; 3] {
    match (shown.place(pair.place_id), shown.catalog.rule(pair.rule_id)) {
        (Some(place), Some((_, rule))) => [&place.account_id, &place.region, &rule.name],
        _ => [""; 3],
    }
}

fn compare(key: &[&str], edge: &[String]) -> Ordering {
    key.iter().copied().cmp(edge.iter().map(String::as_str))
}
