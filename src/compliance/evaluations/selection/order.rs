//! What a list of evaluations is sorted on, and the classes that makes of it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use time::Date;

use crate::compliance::Severity;
use crate::compliance::filter::{Which, severity_slug};
use crate::compliance::shown::Shown;

/// What a list is sorted on, before text order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::compliance::evaluations) enum By {
    Text,
    Region,
    /// The name as delivered.
    Rule,
    Severity,
    ResourceType,
    /// The resource's id.
    Resource,
    Status,
    /// The day of first observation.
    Since,
}

impl By {
    pub(in crate::compliance::evaluations) fn of(sort: &str) -> Self {
        match sort {
            "region" => Self::Region,
            "rule" => Self::Rule,
            "severity" => Self::Severity,
            "type" => Self::ResourceType,
            "resource" => Self::Resource,
            "status" => Self::Status,
            "since" => Self::Since,
            _ => Self::Text,
        }
    }

    /// Whether every row must be read to know the order: no count that is kept says it. Of failures an index has the day.
    pub(super) fn reads_all(self, which: Which) -> bool {
        self == Self::Resource || (self == Self::Since && which != Which::NonCompliant)
    }
}

/// What the rows of a class hold alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    All,
    /// By the index of the first of its places among the shown.
    Region(usize),
    /// By the rank of its name.
    Rule(usize),
    Severity(Severity),
    /// By the rank of its name.
    ResourceType(usize),
    Which(Which),
    Since(Date),
}

impl Of {
    /// The word for it in keys.
    pub(super) fn word(self, shown: &Shown) -> Cow<'_, str> {
        match self {
            Self::All => "".into(),
            Self::Region(place) => shown.places[place].region.as_str().into(),
            Self::Rule(rule) => shown.catalog.rules[rule].name.as_str().into(),
            Self::Severity(severity) => severity_slug(severity).into(),
            Self::ResourceType(at) => shown.catalog.types[at].1.as_str().into(),
            Self::Which(which) => which.slug().into(),
            Self::Since(day) => day.to_string().into(),
        }
    }
}

/// Places with rows, in text order: index in the shown places and the number of rows.
pub(super) type InPlaces = Vec<(usize, i64)>;

#[derive(Debug)]
pub(super) struct Class {
    pub(super) of: Of,
    pub(super) counted: InPlaces,
}

impl Class {
    /// From rows by place id.
    pub(super) fn new(shown: &Shown, of: Of, rows: Vec<(i32, i64)>) -> Self {
        let mut counted: InPlaces = rows
            .into_iter()
            .filter(|(_, rows)| *rows > 0)
            .filter_map(|(place_id, rows)| Some((shown.places.rank(place_id)?, rows)))
            .collect();
        counted.sort_unstable();
        Self { of, counted }
    }

    pub(super) fn rows(&self) -> i64 {
        self.counted.iter().map(|(_, rows)| rows).sum()
    }
}

/// The classes of a list in ascending order, added up once: sorted on rules, a list has thousands.
#[derive(Debug, Default)]
pub(super) struct Classes {
    list: Vec<Class>,
    /// Index and rows of each place that has any.
    pub(super) places: BTreeMap<usize, i64>,
    pub(super) total: i64,
}

impl Classes {
    pub(super) fn of(list: Vec<Class>) -> Self {
        let mut places = BTreeMap::new();
        for (at, rows) in list.iter().flat_map(|class| &class.counted) {
            *places.entry(*at).or_default() += rows;
        }
        Self { total: places.values().sum(), places, list }
    }

    /// About how much memory they take.
    pub(super) fn weight(&self) -> usize {
        self.list.iter().map(|class| size_of::<Class>() + class.counted.len() * 16).sum::<usize>()
            + self.places.len() * 32
    }
}

impl std::ops::Deref for Classes {
    type Target = [Class];

    fn deref(&self) -> &Self::Target {
        &self.list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_add_up_over_their_places() {
        let class = |counted: &[(usize, i64)]| Class { of: Of::All, counted: counted.to_vec() };
        let classes = Classes::of(vec![class(&[(0, 3), (2, 1)]), class(&[(2, 5)])]);
        assert_eq!((classes.total, classes.places.clone()), (9, [(0, 3), (2, 6)].into()));
        assert_eq!(classes.iter().map(Class::rows).collect::<Vec<_>>(), [4, 5]);
    }

    #[test]
    fn only_ids_and_days_that_no_index_has_need_every_row() {
        let all = ["account", "region", "rule", "severity", "type", "resource", "status", "since"];
        let reading = |which| all.into_iter().filter(|sort| By::of(sort).reads_all(which)).collect::<Vec<&str>>();
        assert_eq!(reading(Which::All), ["resource", "since"]);
        assert_eq!(reading(Which::NonCompliant), ["resource"]);
    }
}
