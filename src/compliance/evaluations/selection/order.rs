//! What a list of evaluations is sorted on, and the classes that makes of it.

use std::borrow::Cow;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ids_and_days_that_no_index_has_need_every_row() {
        let all = ["account", "region", "rule", "severity", "type", "resource", "status", "since"];
        let reading = |which| all.into_iter().filter(|sort| By::of(sort).reads_all(which)).collect::<Vec<&str>>();
        assert_eq!(reading(Which::All), ["resource", "since"]);
        assert_eq!(reading(Which::NonCompliant), ["resource"]);
    }
}
