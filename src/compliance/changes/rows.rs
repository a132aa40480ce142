//! The rows of a list of changes in which those of a place stay together: those that are held in memory, and those of
//! silent places, which are read as a page comes to them.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use rustc_hash::FxHashMap;
use time::Date;

use super::between::{Between, Changed, Lost};
use crate::compliance::core::Change;
use crate::compliance::db::changes as changes_db;
use crate::compliance::shown::{Shown, link};
use crate::compliance::{Severity, Status, filter, rules};
use crate::error::Error;
use crate::web::View;
use crate::web::download::Rows;
use crate::web::table::{PAGE_ROWS, Place, Sort};

/// A row as it is shown.
pub(super) struct Line {
    pub(super) change: Change,
    pub(super) account_id: String,
    pub(super) account_name: String,
    pub(super) region: String,
    pub(super) rule: String,
    pub(super) rule_href: String,
    pub(super) severity: Severity,
    pub(super) resource_type: String,
    pub(super) resource_id: String,
    pub(super) href: String,
    pub(super) old: Option<Status>,
    pub(super) new: Option<Status>,
    /// Whether the later day has no evidence at all.
    pub(super) silent: bool,
    pub(super) day: Date,
    /// What the list is sorted on, in keys.
    pub(super) part: String,
}

/// One row in memory, or all rows of a silent place.
#[derive(Debug, Clone, Copy)]
enum Item {
    Row(usize),
    Silent(usize),
}

/// Where an item stands: what the list is sorted on, then its place; rows of a place keep the order they have.
type Rank = (i64, usize);

/// Changes in the order of the table.
pub(super) struct List<'a> {
    between: &'a Between,
    filter: &'a filter::Filter,
    from: Date,
    by: &'static str,
    items: Vec<(Rank, Item)>,
}

impl<'a> List<'a> {
    pub(super) fn new(
        shown: &Shown,
        between: &'a Between,
        filter: &'a filter::Filter,
        (from, class, sort): (Date, Option<Change>, Sort),
    ) -> Self {
        let is_meant = |change: Change| class.is_none_or(|class| class == change);
        let sign = if sort.descending { -1 } else { 1 };
        let regions: BTreeSet<&str> = shown.places.iter().map(|place| place.region.as_str()).collect();
        let regions: Vec<&str> = regions.into_iter().collect();
        let rank = |change: Change, day: Date, place_id: i32| -> Rank {
            let first = match sort.by {
                "change" => Change::ALL.iter().position(|of| *of == change).map_or(0, number),
                "on" => i64::from(day.to_julian_day()),
                "region" => number(regions.partition_point(|region| *region < shown.region(place_id))),
                _ => 0,
            };
            (first * sign, shown.places.rank(place_id).unwrap_or(usize::MAX))
        };
        let rows = between.changed.iter().enumerate().filter(|(_, row)| is_meant(row.change));
        let rows = rows.map(|(at, row)| (rank(row.change, row.day, row.place_id), Item::Row(at)));
        let silent = between.lost.iter().enumerate().filter(|(_, lost)| lost.evaluations > 0);
        let silent = silent.filter(|_| is_meant(Change::BecameUnknown));
        let silent = silent.map(|(at, lost)| (rank(Change::BecameUnknown, lost.day, lost.place_id), Item::Silent(at)));
        let mut items: Vec<(Rank, Item)> = rows.chain(silent).collect();
        // Stable: rows of a place come in text order. Without a sort, accounts turn round and their rows do not.
        items.sort_by(|(one, _), (other, _)| {
            let places = one.1.cmp(&other.1);
            let turned = sort.descending && sort.by == "account";
            one.0.cmp(&other.0).then(if turned { places.reverse() } else { places })
        });
        Self { between, filter, from, by: sort.by, items }
    }

    pub(super) fn total(&self) -> i64 {
        let rows = |item: &Item| match item {
            Item::Row(_) => 1,
            Item::Silent(at) => self.between.lost[*at].evaluations,
        };
        self.items.iter().map(|(_, item)| rows(item)).sum()
    }

    /// The rows beside a place in the table, and whether more follow in the direction asked.
    pub(super) async fn page(&self, shown: &Shown, view: &mut View, at: &Place) -> Result<(Vec<Line>, bool), Error> {
        let (key, backwards): (Option<&[String]>, bool) = match at {
            Place::First => (None, false),
            Place::After(key) => (Some(key), false),
            Place::Before(key) => (Some(key), true),
        };
        let limit = usize::try_from(PAGE_ROWS).unwrap_or(100) + 1;
        let (mut next, mut edge) = match key {
            None => (0, None),
            Some(key) => self.beside(shown, view, key, backwards).await?,
        };
        let mut lines: Vec<Line> = Vec::new();
        let mut rows: Vec<Changed> = Vec::new();
        while lines.len() + rows.len() < limit {
            let item = if backwards { next.checked_sub(1) } else { Some(next) };
            let Some((_, item)) = item.and_then(|at| self.items.get(at)) else { break };
            match item {
                Item::Row(at) => rows.push(self.between.changed[*at]),
                Item::Silent(at) => {
                    lines.extend(self.lines(shown, view, &std::mem::take(&mut rows)).await?);
                    let room = i64::try_from(limit - lines.len()).unwrap_or(0);
                    lines.extend(
                        self.silent(shown, view, &self.between.lost[*at], edge.take(), (backwards, room)).await?,
                    );
                }
            }
            next = if backwards { next - 1 } else { next + 1 };
        }
        lines.extend(self.lines(shown, view, &rows).await?);
        let more = lines.len() >= limit;
        lines.truncate(limit - 1);
        if backwards {
            lines.reverse();
        }
        Ok((lines, more))
    }

    /// The item at which a page beside a key begins, and the row within it where it is a silent place. The row of the
    /// key need not be there any more.
    async fn beside<'k>(
        &self,
        shown: &Shown,
        view: &mut View,
        key: &'k [String],
        backwards: bool,
    ) -> Result<(usize, Option<[&'k str; 3]>), Error> {
        let [part, account, region, rule, resource_type, id] = key else { return Ok((0, None)) };
        let wanted = (part.clone(), account.as_str(), region.as_str());
        let of = |item: &Item| self.part_and_place(shown, item);
        let first = self.items.iter().position(|(_, item)| of(item) == wanted);
        let Some(first) = first else { return Ok((self.after(shown, &wanted), None)) };
        let end = first + self.items[first..].iter().take_while(|(_, item)| of(item) == wanted).count();
        if let (_, Item::Silent(_)) = self.items[first] {
            return Ok((if backwards { end } else { first }, Some([rule, resource_type, id])));
        }
        let rows: Vec<Changed> = self.items[first..end]
            .iter()
            .filter_map(|(_, item)| if let Item::Row(at) = item { Some(self.between.changed[*at]) } else { None })
            .collect();
        let named = |row: &Changed| {
            let rule = shown.catalog.rule(row.rule_id).map_or("", |(_, rule)| rule.name.as_str());
            (rule, shown.catalog.type_name(row.resource_type_id))
        };
        let edge = (rule.as_str(), resource_type.as_str());
        let same: Vec<i32> = rows.iter().filter(|row| named(row) == edge).map(|row| row.resource_id).collect();
        let names: FxHashMap<i32, String> =
            changes_db::resource_ids(&mut view.read, &same).await?.into_iter().collect();
        let order = |row: &Changed| {
            named(row).cmp(&edge).then_with(|| names.get(&row.resource_id).map_or(Ordering::Less, |name| name.cmp(id)))
        };
        let before = rows.iter().filter(|row| order(row).is_lt()).count();
        let upto = rows.iter().filter(|row| order(row).is_le()).count();
        Ok((first + if backwards { before } else { upto }, None))
    }

    /// The first item after a place that has none any more.
    fn after(&self, shown: &Shown, wanted: &(String, &str, &str)) -> usize {
        let same_part = |item: &Item| self.part_and_place(shown, item).0 == wanted.0;
        let Some(first) = self.items.iter().position(|(_, item)| same_part(item)) else { return 0 };
        let before = |item: &Item| {
            let (part, account, region) = self.part_and_place(shown, item);
            part == wanted.0 && (account, region) < (wanted.1, wanted.2)
        };
        first + self.items[first..].iter().take_while(|(_, item)| before(item)).count()
    }

    fn part_and_place<'s>(&self, shown: &'s Shown, item: &Item) -> (String, &'s str, &'s str) {
        let (change, place_id, day) = match item {
            Item::Row(at) => {
                let row = &self.between.changed[*at];
                (row.change, row.place_id, row.day)
            }
            Item::Silent(at) => {
                let lost = &self.between.lost[*at];
                (Change::BecameUnknown, lost.place_id, lost.day)
            }
        };
        let part = self.part(shown, change, place_id, day);
        match shown.place(place_id) {
            Some(place) => (part, &place.account_id, &place.region),
            None => (part, "", ""),
        }
    }

    /// What the list is sorted on, of a row, in keys.
    fn part(&self, shown: &Shown, change: Change, place_id: i32, day: Date) -> String {
        match self.by {
            "change" => change.slug().to_owned(),
            "on" => day.to_string(),
            "region" => shown.region(place_id).to_owned(),
            _ => String::new(),
        }
    }

    async fn lines(&self, shown: &Shown, view: &mut View, rows: &[Changed]) -> Result<Vec<Line>, Error> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<i32> = rows.iter().map(|row| row.resource_id).collect();
        let names: FxHashMap<i32, String> = changes_db::resource_ids(&mut view.read, &ids).await?.into_iter().collect();
        let line = |row: &Changed| {
            let status = |held: Option<i16>| held.map(|held| shown.catalog.status(held));
            let of = (row.place_id, row.rule_id, row.resource_type_id, names.get(&row.resource_id)?.as_str());
            let part = self.part(shown, row.change, row.place_id, row.day);
            let line = line((shown, view), row.change, of, (row.day, part))?;
            Some(Line { old: status(row.old), new: status(row.new), ..line })
        };
        Ok(rows.iter().filter_map(line).collect())
    }

    async fn silent(
        &self,
        shown: &Shown,
        view: &mut View,
        lost: &Lost,
        edge: Option<[&str; 3]>,
        (backwards, limit): (bool, i64),
    ) -> Result<Vec<Line>, Error> {
        let rule_ids = self.filter.rule_ids(&shown.catalog);
        let silent = changes_db::Silent {
            place_id: lost.place_id,
            from: self.from,
            rule_ids: rule_ids.as_deref(),
            resource_type_id: self.filter.resource_type_id(&shown.catalog).unwrap_or_default(),
            edge,
            backwards,
            limit,
        };
        let rows = changes_db::silenced(&mut view.read, &silent).await?;
        let line = |row: &changes_db::Silenced| {
            let of = (lost.place_id, row.rule_id, row.resource_type_id, row.id.as_str());
            let part = self.part(shown, Change::BecameUnknown, lost.place_id, lost.day);
            let line = line((shown, view), Change::BecameUnknown, of, (lost.day, part))?;
            Some(Line { old: Some(shown.catalog.status(row.status_id)), silent: true, ..line })
        };
        Ok(rows.iter().filter_map(line).collect())
    }
}

/// A row as it is shown, with what the list is sorted on.
pub(super) fn line(
    (shown, view): (&Shown, &View),
    change: Change,
    (place_id, rule_id, type_id, id): (i32, i32, i16, &str),
    (day, part): (Date, String),
) -> Option<Line> {
    let place = shown.place(place_id)?;
    let (_, rule) = shown.catalog.rule(rule_id)?;
    let resource_type = shown.catalog.type_name(type_id);
    let pairs =
        [("account", place.account_id.as_str()), ("region", &place.region), ("type", resource_type), ("id", id)];
    Some(Line {
        change,
        account_id: place.account_id.clone(),
        account_name: place.account_name.clone(),
        region: place.region.clone(),
        rule: rule.name.clone(),
        rule_href: rules::href(view, &rule.core_name),
        severity: rule.severity(),
        resource_type: resource_type.to_owned(),
        resource_id: id.to_owned(),
        href: link(view, "/resources", &pairs),
        old: None,
        new: None,
        silent: false,
        day,
        part,
    })
}

impl Line {
    /// The row's key: it stays the same whatever is collected later.
    pub(super) fn key(&self) -> [&str; 6] {
        [&self.part, &self.account_id, &self.region, &self.rule, &self.resource_type, &self.resource_id]
    }
}

fn number(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Rows of silent places are read in pieces of this many.
const PIECE_ROWS: i64 = 20_000;

/// Writes every row, in text order.
pub(super) async fn pour(
    mut to: Rows,
    shown: Shown,
    mut view: View,
    (between, filter): (Between, filter::Filter),
    (from, class): (Date, Option<Change>),
) -> anyhow::Result<Rows> {
    let list = List::new(&shown, &between, &filter, (from, class, Sort::up("account")));
    let mut rows: Vec<Changed> = Vec::new();
    for (_, item) in &list.items {
        match item {
            Item::Row(at) => {
                rows.push(between.changed[*at]);
                if rows.len() >= 1000 {
                    let lines = list.lines(&shown, &mut view, &std::mem::take(&mut rows)).await;
                    push(&mut to, &view, from, lines).await?;
                }
            }
            Item::Silent(at) => {
                let lines = list.lines(&shown, &mut view, &std::mem::take(&mut rows)).await;
                push(&mut to, &view, from, lines).await?;
                let mut last: Option<[String; 3]> = None;
                loop {
                    let edge = last.as_ref().map(|[rule, of, id]| [rule.as_str(), of.as_str(), id.as_str()]);
                    let lost = &between.lost[*at];
                    let lines = list.silent(&shown, &mut view, lost, edge, (false, PIECE_ROWS)).await;
                    let end = lines.as_ref().ok().and_then(|lines| lines.last());
                    last = end.map(|line| [&line.rule, &line.resource_type, &line.resource_id].map(Clone::clone));
                    push(&mut to, &view, from, lines).await?;
                    if last.is_none() {
                        break;
                    }
                }
            }
        }
    }
    let lines = list.lines(&shown, &mut view, &rows).await;
    push(&mut to, &view, from, lines).await?;
    Ok(to)
}

async fn push(to: &mut Rows, view: &View, from: Date, lines: Result<Vec<Line>, Error>) -> anyhow::Result<()> {
    for line in lines.map_err(|error| anyhow::anyhow!("reading rows: {error}"))? {
        let status_to =
            if line.silent { Some("no evidence".to_owned()) } else { line.new.map(|new| new.word().to_owned()) };
        to.push([
            from.into(),
            view.as_of.into(),
            line.change.word().into(),
            line.account_id.into(),
            line.region.into(),
            line.rule.into(),
            line.severity.word().into(),
            line.resource_type.into(),
            line.resource_id.into(),
            line.old.map(|status| status.word().to_owned()).into(),
            status_to.into(),
            line.day.into(),
        ])
        .await?;
    }
    Ok(())
}
