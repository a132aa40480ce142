//! Changes in an order in which the rows of a place do not stay together: those in memory are sorted, those of silent
//! places are read in the same order from where a page begins, and the page is what comes first of both.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use time::Date;

use super::between::{Between, Changed, Lost};
use super::order::{By, Key, compare};
use super::rows::{Line, line};
use crate::compliance::core::Change;
use crate::compliance::db::changes as changes_db;
use crate::compliance::filter::Filter;
use crate::compliance::shown::Shown;
use crate::error::Error;
use crate::web::View;
use crate::web::table::{PAGE_ROWS, Place};

/// What is sorted, and how.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) from: Date,
    pub(super) class: Option<Change>,
    pub(super) by: By,
    pub(super) descending: bool,
    pub(super) filter: &'a Filter,
}

/// What of a row says on what it is sorted: its rule, or what the two days say.
type Value = (i32, Option<i16>, Option<i16>);

/// The ids of the resources that changed, by the store's.
type Names = Arc<FxHashMap<i32, String>>;

/// Changes in the order of the table.
pub(super) struct Merged<'a> {
    shown: &'a Shown,
    left: &'a Between,
    asked: Asked<'a>,
    /// Of those that are left, in order.
    rows: Vec<usize>,
    silent: Vec<&'a Lost>,
    /// Where the resource is what the list is sorted on.
    names: Names,
}

impl<'a> Merged<'a> {
    /// `all` are the changes that nothing was left out of; the ids of their resources are read once for all filters.
    pub(super) async fn load(
        shown: &'a Shown,
        view: &mut View,
        (all, left): (&Between, &'a Between),
        asked: Asked<'a>,
    ) -> Result<Self, Error> {
        let names =
            if asked.by == By::Resource { names(shown, view, all, asked.from).await? } else { Names::default() };
        let is_meant = |change: Change| asked.class.is_none_or(|class| class == change);
        let rows = left.changed.iter().enumerate().filter(|(_, row)| is_meant(row.change)).map(|(at, _)| at).collect();
        let silent = left.lost.iter().filter(|lost| lost.evaluations > 0 && is_meant(Change::BecameUnknown)).collect();
        let mut merged = Self { shown, left, asked, rows, silent, names };
        let mut rows = std::mem::take(&mut merged.rows);
        merged.sort(&mut rows);
        merged.rows = rows;
        Ok(merged)
    }

    pub(super) fn total(&self) -> i64 {
        let silent: i64 = self.silent.iter().map(|lost| lost.evaluations).sum();
        i64::try_from(self.rows.len()).unwrap_or(i64::MAX).saturating_add(silent)
    }

    /// Rows come in text order; equal ones keep it.
    fn sort(&self, rows: &mut Vec<usize>) {
        let turned = |order: Ordering| if self.asked.descending { order.reverse() } else { order };
        let changed = |at: usize| &self.left.changed[at];
        // What is compared is looked up once for each row.
        if self.asked.by == By::Resource {
            let resource = |at: usize| {
                let row = changed(at);
                (self.shown.catalog.type_name(row.resource_type_id), self.name(row), at)
            };
            let mut keyed: Vec<(&str, &str, usize)> = rows.drain(..).map(resource).collect();
            keyed.sort_by(|one, other| turned((one.0, one.1).cmp(&(other.0, other.1))));
            return rows.extend(keyed.into_iter().map(|(.., at)| at));
        }
        let mut parts: FxHashMap<Value, String> = FxHashMap::default();
        for at in rows.iter() {
            let row = changed(*at);
            parts.entry(self.value(row)).or_insert_with(|| self.part(row));
        }
        let words: BTreeSet<&str> = parts.values().map(String::as_str).collect();
        let rank: FxHashMap<&str, usize> = words.into_iter().enumerate().map(|(rank, word)| (word, rank)).collect();
        let ranks: FxHashMap<Value, usize> = parts.iter().map(|(value, word)| (*value, rank[word.as_str()])).collect();
        let mut keyed: Vec<(usize, usize)> = rows.drain(..).map(|at| (ranks[&self.value(changed(at))], at)).collect();
        keyed.sort_by(|one, other| turned(one.0.cmp(&other.0)));
        rows.extend(keyed.into_iter().map(|(_, at)| at));
    }

    /// What rows of one part have in common.
    fn value(&self, row: &Changed) -> Value {
        match self.asked.by {
            By::Status => (0, row.old, row.new),
            _ => (row.rule_id, None, None),
        }
    }

    /// What the list is sorted on, of a row, in keys.
    fn part(&self, row: &Changed) -> String {
        let status = |held: Option<i16>| held.map(|held| self.shown.catalog.status(held).word().to_owned());
        self.part_of(row.rule_id, || {
            let word = |held| status(held).unwrap_or_else(|| "not evaluated".to_owned());
            format!("{} {}", word(row.old), word(row.new))
        })
    }

    fn part_of(&self, rule_id: i32, statuses: impl FnOnce() -> String) -> String {
        let rule = || self.shown.catalog.rule(rule_id).map(|(_, rule)| rule);
        match self.asked.by {
            By::Rule => rule().map(|rule| rule.name.clone()).unwrap_or_default(),
            By::Severity => rule().map(|rule| rule.severity().rank().to_string()).unwrap_or_default(),
            By::Status => statuses(),
            By::Resource => String::new(),
        }
    }

    fn name(&self, row: &Changed) -> &str {
        self.names.get(&row.resource_id).map_or("", String::as_str)
    }

    /// The rows beside a place in the table, and whether more follow in the direction asked.
    pub(super) async fn page(&self, view: &mut View, at: &Place) -> Result<(Vec<Line>, bool), Error> {
        let (key, backwards): (Option<Key<'_>>, bool) = match at {
            Place::First => (None, false),
            Place::After(key) => (parts(key), false),
            Place::Before(key) => (parts(key), true),
        };
        let limit = usize::try_from(PAGE_ROWS).unwrap_or(100) + 1;
        let near: Vec<usize> = match key {
            None => self.rows.iter().take(limit).copied().collect(),
            Some(key) => {
                let (before, upto) = self.around(view, key).await?;
                if backwards {
                    self.rows[before.saturating_sub(limit)..before].to_vec()
                } else {
                    self.rows[upto..self.rows.len().min(upto + limit)].to_vec()
                }
            }
        };
        let mut lines = self.lines(view, &near).await?;
        lines.extend(self.silent(view, key, backwards, limit).await?);
        let order = (self.asked.by, self.asked.descending);
        lines.sort_by(|one, other| compare(order, one.key(), other.key()));
        let more = lines.len() >= limit;
        if backwards {
            lines.drain(..lines.len().saturating_sub(limit - 1));
        } else {
            lines.truncate(limit - 1);
        }
        Ok((lines, more))
    }

    /// How many rows in memory stand before a key, and up to it. Its row need not be there any more.
    async fn around(&self, view: &mut View, key: Key<'_>) -> Result<(usize, usize), Error> {
        let order = (self.asked.by, self.asked.descending);
        let is = |at: &usize, id: &str| compare(order, self.key(&self.left.changed[*at], id).each(), key);
        if self.asked.by == By::Resource {
            let is = |at: &usize| is(at, self.name(&self.left.changed[*at]));
            let before = self.rows.partition_point(|at| is(at).is_lt());
            return Ok((before, self.rows.partition_point(|at| is(at).is_le())));
        }
        // Apart from its id, by the key's own one: only of those that are equal so far are ids read.
        let before = self.rows.partition_point(|at| is(at, key[5]).is_lt());
        let upto = self.rows.partition_point(|at| is(at, key[5]).is_le());
        let ids: Vec<i32> = self.rows[before..upto].iter().map(|at| self.left.changed[*at].resource_id).collect();
        let names: FxHashMap<i32, String> = changes_db::resource_ids(&mut view.read, &ids).await?.into_iter().collect();
        let name = |id: &&i32| names.get(*id).map_or("", String::as_str);
        let below = ids.iter().filter(|id| name(id) < key[5]).count();
        let same = ids.iter().filter(|id| name(id) == key[5]).count();
        Ok((before + below, before + below + same))
    }

    fn key(&self, row: &Changed, id: &str) -> OwnKey {
        let place = self.shown.place(row.place_id);
        let rule = self.shown.catalog.rule(row.rule_id).map(|(_, rule)| rule.name.clone());
        OwnKey([
            self.part(row),
            place.map(|place| place.account_id.clone()).unwrap_or_default(),
            place.map(|place| place.region.clone()).unwrap_or_default(),
            rule.unwrap_or_default(),
            self.shown.catalog.type_name(row.resource_type_id).to_owned(),
            id.to_owned(),
        ])
    }

    async fn lines(&self, view: &mut View, rows: &[usize]) -> Result<Vec<Line>, Error> {
        let rows: Vec<&Changed> = rows.iter().map(|at| &self.left.changed[*at]).collect();
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<i32> = rows.iter().map(|row| row.resource_id).collect();
        let names: FxHashMap<i32, String> = changes_db::resource_ids(&mut view.read, &ids).await?.into_iter().collect();
        let status = |held: Option<i16>| held.map(|held| self.shown.catalog.status(held));
        let line = |row: &&Changed| {
            let of = (row.place_id, row.rule_id, row.resource_type_id, names.get(&row.resource_id)?.as_str());
            let line = line((self.shown, view), row.change, of, (row.day, self.part(row)))?;
            Some(Line { old: status(row.old), new: status(row.new), ..line })
        };
        Ok(rows.iter().filter_map(line).collect())
    }

    async fn silent(
        &self,
        view: &mut View,
        key: Option<Key<'_>>,
        backwards: bool,
        limit: usize,
    ) -> Result<Vec<Line>, Error> {
        if self.silent.is_empty() {
            return Ok(Vec::new());
        }
        let Asked { filter, by, descending, from, .. } = self.asked;
        let place_ids: Vec<i32> = self.silent.iter().map(|lost| lost.place_id).collect();
        let rule_ids = filter.rule_ids(&self.shown.catalog);
        let wanted = changes_db::SilentPlaces {
            place_ids: &place_ids,
            from,
            rule_ids: rule_ids.as_deref(),
            resource_type_id: filter.resource_type_id(&self.shown.catalog).unwrap_or_default(),
            by,
            descending,
            edge: key,
            backwards,
            limit: i64::try_from(limit).unwrap_or(i64::MAX),
        };
        let rows = changes_db::silenced_in_order(&mut view.read, &wanted).await?;
        let days: FxHashMap<i32, Date> = self.silent.iter().map(|lost| (lost.place_id, lost.day)).collect();
        let line = |row: &changes_db::Silenced| {
            let old = self.shown.catalog.status(row.status_id);
            let part = self.part_of(row.rule_id, || format!("{} no evidence", old.word()));
            let of = (row.place_id, row.rule_id, row.resource_type_id, row.id.as_str());
            let day = days.get(&row.place_id)?;
            let line = line((self.shown, view), Change::BecameUnknown, of, (*day, part))?;
            Some(Line { old: Some(old), silent: true, ..line })
        };
        Ok(rows.iter().filter_map(line).collect())
    }
}

/// A key with its own texts.
struct OwnKey([String; 6]);

impl OwnKey {
    fn each(&self) -> Key<'_> {
        self.0.each_ref().map(String::as_str)
    }
}

fn parts(key: &[String]) -> Option<Key<'_>> {
    let key: &[String; 6] = key.try_into().ok()?;
    Some(key.each_ref().map(String::as_str))
}

async fn names(shown: &Shown, view: &mut View, all: &Between, from: Date) -> Result<Names, Error> {
    let key = view.key(&format!("ids of changes {from} {}", view.as_of));
    if let Some(names) = shown.recall(key.as_deref()) {
        return Ok(names);
    }
    let mut ids: Vec<i32> = all.changed.iter().map(|row| row.resource_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let names: Names = Arc::new(changes_db::resource_ids(&mut view.read, &ids).await?.into_iter().collect());
    shown.remember(key, &names, names.values().map(|name| name.len() + 48).sum());
    Ok(names)
}
