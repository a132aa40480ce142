//! Classes of a list that are read together, and the rows of them that stand on a page.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};
use time::Date;

use super::super::found::Found;
use super::Selection;
use super::order::{InPlaces, Of};
use crate::compliance::db::Several;
use crate::compliance::db::evaluations::{self as rows_db, Asked, Observed, Pair, Part, Wanted};
use crate::compliance::filter::Which;
use crate::compliance::shown::Shown;
use crate::compliance::{Severity, status};
use crate::error::Error;
use crate::web::View;
use crate::web::table::PAGE_ROWS;

/// Classes that follow one another and are read together.
pub(super) struct Group<'a> {
    pub(super) classes: Vec<usize>,
    pub(super) selection: &'a Selection,
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

    fn resource_type_ids(&self, shown: &Shown) -> Option<Vec<i16>> {
        let type_id = |of| if let Of::ResourceType(at) = of { Some(shown.catalog.types[at].0) } else { None };
        let types: Vec<i16> = self.of().filter_map(type_id).collect();
        if types.is_empty() { self.selection.resource_type_ids.clone() } else { Some(types) }
    }

    /// The rules of classes that are one rule each: counted already.
    fn counted_pairs(&self, shown: &Shown, place_ids: &[i32]) -> Option<Vec<(Pair, i64)>> {
        let asked: FxHashSet<i32> = place_ids.iter().copied().collect();
        let mut pairs = Vec::new();
        for class in self.classes.iter().filter_map(|at| self.selection.classes.get(*at)) {
            let Of::Rule(rule) = class.of else { return None };
            let rule_id = shown.catalog.rules[rule].rule_id;
            for (at, rows) in &class.counted {
                let place = &shown.places[*at];
                if asked.contains(&place.place_id) {
                    pairs.push((Pair { place_id: place.place_id, rule_id, known: place.known() }, *rows));
                }
            }
        }
        Some(pairs)
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
    pub(super) async fn page(
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
    pub(super) async fn pairs(
        &self,
        shown: &Shown,
        view: &mut View,
        place_ids: &[i32],
    ) -> Result<Vec<(Pair, i64)>, Error> {
        if let Some(mut pairs) = self.counted_pairs(shown, place_ids) {
            pairs.sort_by(|(one, _), (other, _)| pair_parts(shown, one).cmp(&pair_parts(shown, other)));
            return Ok(pairs);
        }
        let (rule_ids, type_ids) = (self.rule_ids(shown), self.resource_type_ids(shown));
        let asked =
            Asked { resource_type_ids: type_ids.as_deref(), ..self.selection.asked(place_ids, rule_ids.as_deref()) };
        let counted = self.selection.counted(view, shown, &asked, Part::Rule, self.observed()).await?;
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
    pub(super) async fn read(
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
            resource_type_ids: self.resource_type_ids(shown),
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
                    Of::Region(at) => shown.places[at].region == shown.places[place].region,
                    Of::Rule(at) => at == rule,
                    Of::ResourceType(at) => shown.catalog.types[at].0 == row.resource_type_id,
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
