//! Changes in an order in which the rows of a place do not stay together: all of them are in memory, those of silent
//! places too, and sorted there.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
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

/// More evaluations than these of silent places are not held in memory: then a list keeps the rows of a place together.
pub(super) const SILENT_IN_MEMORY: i64 = 400_000;

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
type Value = (i32, Option<i16>, Option<i16>, bool);

/// The ids of the resources that changed, by the store's.
type Names = Arc<FxHashMap<i32, String>>;

/// Changes in the order of the table.
pub(super) struct Merged<'a> {
    shown: &'a Shown,
    by: By,
    descending: bool,
    /// In order.
    rows: Arc<Vec<Changed>>,
    /// Where the resource is what the list is sorted on.
    names: Names,
}

/// Whether the rows of all places that fell silent can be held in memory.
pub(super) fn is_short(all: &Between) -> bool {
    all.lost.iter().map(|lost| lost.evaluations).sum::<i64>() <= SILENT_IN_MEMORY
}

impl<'a> Merged<'a> {
    /// `all` are the changes that nothing was left out of, `left` those that the filters leave.
    pub(super) async fn load(
        shown: &'a Shown,
        view: &mut View,
        (all, left): (&Between, &Between),
        asked: Asked<'_>,
    ) -> Result<Self, Error> {
        let Asked { from, class, by, descending, filter } = asked;
        let silent = silent_rows(shown, view, all, from).await?;
        let names = if by == By::Resource { names(shown, view, (all, &silent), from).await? } else { Names::default() };
        let mut merged = Self { shown, by, descending, rows: Arc::default(), names };
        let key = view.key(&format!("changes {from} {} by {by:?} {descending} of {class:?} {filter:?}", view.as_of));
        if let Some(rows) = shown.recall(key.as_deref()) {
            merged.rows = rows;
            return Ok(merged);
        }
        let is_meant = |row: &&Changed| class.is_none_or(|class| class == row.change);
        let silent = silent_left(shown, &silent, left, filter);
        let mut rows: Vec<Changed> = left.changed.iter().chain(silent.iter()).filter(is_meant).copied().collect();
        // Each part comes in text order, and no place is in both.
        rows.sort_by_key(|row| shown.places.rank(row.place_id).unwrap_or(usize::MAX));
        merged.sort(&mut rows);
        merged.rows = Arc::new(rows);
        shown.remember(key, &merged.rows, merged.rows.len() * size_of::<Changed>());
        Ok(merged)
    }

    pub(super) fn total(&self) -> i64 {
        i64::try_from(self.rows.len()).unwrap_or(i64::MAX)
    }

    /// Rows come in text order; equal ones keep it.
    fn sort(&self, rows: &mut Vec<Changed>) {
        let turned = |order: Ordering| if self.descending { order.reverse() } else { order };
        // What is compared is looked up once for each row.
        if self.by == By::Resource {
            let resource =
                |row: Changed| (self.shown.catalog.type_name(row.resource_type_id), self.name(row.resource_id), row);
            let mut keyed: Vec<(&str, &str, Changed)> = rows.drain(..).map(resource).collect();
            keyed.sort_by(|one, other| turned((one.0, one.1).cmp(&(other.0, other.1))));
            return rows.extend(keyed.into_iter().map(|(.., row)| row));
        }
        let mut parts: FxHashMap<Value, String> = FxHashMap::default();
        for row in rows.iter() {
            parts.entry(self.value(row)).or_insert_with(|| self.part(row));
        }
        let words: BTreeSet<&str> = parts.values().map(String::as_str).collect();
        let rank: FxHashMap<&str, usize> = words.into_iter().enumerate().map(|(rank, word)| (word, rank)).collect();
        let ranks: FxHashMap<Value, usize> = parts.iter().map(|(value, word)| (*value, rank[word.as_str()])).collect();
        let mut keyed: Vec<(usize, Changed)> = rows.drain(..).map(|row| (ranks[&self.value(&row)], row)).collect();
        keyed.sort_by(|one, other| turned(one.0.cmp(&other.0)));
        rows.extend(keyed.into_iter().map(|(_, row)| row));
    }

    /// What rows of one part have in common.
    fn value(&self, row: &Changed) -> Value {
        match self.by {
            By::Status => (0, row.old, row.new, row.silent),
            _ => (row.rule_id, None, None, false),
        }
    }

    /// What the list is sorted on, of a row, in keys.
    fn part(&self, row: &Changed) -> String {
        let rule = || self.shown.catalog.rule(row.rule_id).map(|(_, rule)| rule);
        let word = |held: Option<i16>, none: &str| {
            held.map_or_else(|| none.to_owned(), |held| self.shown.catalog.status(held).word().to_owned())
        };
        match self.by {
            By::Rule => rule().map(|rule| rule.name.clone()).unwrap_or_default(),
            By::Severity => rule().map(|rule| rule.severity().rank().to_string()).unwrap_or_default(),
            By::Status => {
                let none = if row.silent { "no evidence" } else { "not evaluated" };
                format!("{} {}", word(row.old, "not evaluated"), word(row.new, none))
            }
            By::Resource => String::new(),
        }
    }

    fn name(&self, resource_id: i32) -> &str {
        self.names.get(&resource_id).map_or("", String::as_str)
    }

    /// The rows beside a place in the table, and whether more follow in the direction asked.
    pub(super) async fn page(&self, view: &mut View, at: &Place) -> Result<(Vec<Line>, bool), Error> {
        let (key, backwards): (Option<Key<'_>>, bool) = match at {
            Place::First => (None, false),
            Place::After(key) => (parts(key), false),
            Place::Before(key) => (parts(key), true),
        };
        let limit = usize::try_from(PAGE_ROWS).unwrap_or(100) + 1;
        let (before, upto) = match key {
            None => (0, 0),
            Some(key) => self.around(view, key).await?,
        };
        let near = if backwards {
            &self.rows[before.saturating_sub(limit)..before]
        } else {
            &self.rows[upto..self.rows.len().min(upto + limit)]
        };
        let more = near.len() >= limit;
        let first = usize::from(backwards && more);
        let near = &near[first..near.len().min(first + limit - 1)];
        Ok((self.lines(view, near).await?, more))
    }

    /// How many rows stand before a key, and up to it. Its row need not be there any more.
    async fn around(&self, view: &mut View, key: Key<'_>) -> Result<(usize, usize), Error> {
        let order = (self.by, self.descending);
        let is = |row: &Changed, id: &str| compare(order, self.key(row, id).each(), key);
        if self.by == By::Resource {
            let is = |row: &Changed| is(row, self.name(row.resource_id));
            let before = self.rows.partition_point(|row| is(row).is_lt());
            return Ok((before, self.rows.partition_point(|row| is(row).is_le())));
        }
        // Apart from its id, by the key's own one: only of those that are equal so far are ids read.
        let before = self.rows.partition_point(|row| is(row, key[5]).is_lt());
        let upto = self.rows.partition_point(|row| is(row, key[5]).is_le());
        let ids: Vec<i32> = self.rows[before..upto].iter().map(|row| row.resource_id).collect();
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

    async fn lines(&self, view: &mut View, rows: &[Changed]) -> Result<Vec<Line>, Error> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<i32> = rows.iter().map(|row| row.resource_id).collect();
        let names: FxHashMap<i32, String> = changes_db::resource_ids(&mut view.read, &ids).await?.into_iter().collect();
        let status = |held: Option<i16>| held.map(|held| self.shown.catalog.status(held));
        let line = |row: &Changed| {
            let of = (row.place_id, row.rule_id, row.resource_type_id, names.get(&row.resource_id)?.as_str());
            let line = line((self.shown, view), row.change, of, (row.day, self.part(row)))?;
            Some(Line { old: status(row.old), new: status(row.new), silent: row.silent, ..line })
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

/// The evaluations of every place that fell silent and is still expected, in text order within each.
async fn silent_rows(shown: &Shown, view: &mut View, all: &Between, from: Date) -> Result<Arc<Vec<Changed>>, Error> {
    let silent: FxHashMap<i32, &Lost> =
        all.lost.iter().filter(|lost| lost.evaluations > 0).map(|lost| (lost.place_id, lost)).collect();
    if silent.is_empty() {
        return Ok(Arc::default());
    }
    let key = view.key(&format!("changes {from} {} of what fell silent", view.as_of));
    if let Some(rows) = shown.recall(key.as_deref()) {
        return Ok(rows);
    }
    let place_ids: Vec<i32> = silent.keys().copied().collect();
    let rows = changes_db::silenced_in(&mut view.read, &place_ids, from).await?;
    let row = |row: &changes_db::SilencedId| {
        Some(Changed {
            change: Change::BecameUnknown,
            place_id: row.place_id,
            rule_id: row.rule_id,
            resource_id: row.resource_id,
            resource_type_id: row.resource_type_id,
            old: Some(row.status_id),
            new: None,
            day: silent.get(&row.place_id)?.day,
            silent: true,
        })
    };
    let rows: Arc<Vec<Changed>> = Arc::new(rows.iter().filter_map(row).collect());
    shown.remember(key, &rows, rows.len() * size_of::<Changed>());
    Ok(rows)
}

/// Of the evaluations of silent places those that the filters leave; `left` has the places.
fn silent_left(shown: &Shown, silent: &[Changed], left: &Between, filter: &Filter) -> Vec<Changed> {
    let places: FxHashSet<i32> =
        left.lost.iter().filter(|lost| lost.evaluations > 0).map(|lost| lost.place_id).collect();
    let is_rule: Option<FxHashSet<i32>> = filter.rule_ids(&shown.catalog).map(|rules| rules.into_iter().collect());
    let Ok(wanted_type) = filter.resource_type_id(&shown.catalog) else { return Vec::new() };
    let meant = |row: &&Changed| {
        places.contains(&row.place_id)
            && is_rule.as_ref().is_none_or(|rules| rules.contains(&row.rule_id))
            && wanted_type.is_none_or(|wanted| wanted == row.resource_type_id)
    };
    silent.iter().filter(meant).copied().collect()
}

async fn names(
    shown: &Shown,
    view: &mut View,
    (all, silent): (&Between, &[Changed]),
    from: Date,
) -> Result<Names, Error> {
    let key = view.key(&format!("ids of changes {from} {}", view.as_of));
    if let Some(names) = shown.recall(key.as_deref()) {
        return Ok(names);
    }
    let mut ids: Vec<i32> = all.changed.iter().chain(silent).map(|row| row.resource_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let names: Names = Arc::new(changes_db::resource_ids(&mut view.read, &ids).await?.into_iter().collect());
    shown.remember(key, &names, names.values().map(|name| name.len() + 48).sum());
    Ok(names)
}
