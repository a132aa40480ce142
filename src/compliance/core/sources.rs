//! What the figures of a day stand on: the delivered objects, and who read them. Pure.

use std::collections::{BTreeMap, BTreeSet};

use time::Date;

use super::PlaceDay;
use crate::web::format::{count, plural};

/// What a place's figures stand on: those of the day, or of the last known day before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    /// The day of the evidence.
    pub day: Date,
    /// `None` where the day is inferred from the history objects up to it.
    pub object_id: Option<i64>,
    pub inferred: bool,
    /// The collection that read the object, or that inferred the day.
    pub collection_id: i64,
    /// The query of Athena by which it did; `None` where this program read the object.
    pub query_id: Option<i64>,
}

/// The sources of several places.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sources {
    /// Objects of the day, one of a place.
    pub objects: usize,
    /// Places whose day is inferred from history objects.
    pub inferred: usize,
    /// Places of whose day no object is on record.
    pub unnamed: usize,
    /// Expected places without evidence of the day, whose last known evaluations stand on something older.
    pub older: usize,
    /// Objects, those of older days included, that this program read, and those that Athena did.
    pub by_us: usize,
    pub by_athena: usize,
    pub queries: BTreeSet<i64>,
    /// By collection, how many places it brought the evidence of.
    pub collections: BTreeMap<i64, usize>,
}

impl Sources {
    /// Of the places whose evaluations count: those known, and those that are missed and were known before.
    pub fn of<'a>(places: impl IntoIterator<Item = &'a PlaceDay>) -> Self {
        let mut sources = Self::default();
        for place in places.into_iter().filter(|place| place.known() || place.expected) {
            let Some(source) = &place.source else { continue };
            match (place.known(), source.object_id) {
                (false, _) => sources.older += 1,
                (true, Some(_)) => sources.objects += 1,
                (true, None) if source.inferred => sources.inferred += 1,
                (true, None) => sources.unnamed += 1,
            }
            match (source.object_id, source.query_id) {
                (None, _) => {}
                (Some(_), None) => sources.by_us += 1,
                (Some(_), Some(query)) => {
                    sources.by_athena += 1;
                    sources.queries.insert(query);
                }
            }
            *sources.collections.entry(source.collection_id).or_default() += 1;
        }
        sources
    }

    /// Whether there is nothing to stand on.
    pub fn none(&self) -> bool {
        self.collections.is_empty()
    }

    /// "69 objects of as many account-regions; 2 account-regions are inferred from history objects".
    pub fn sentence(&self) -> String {
        let places = |places: usize| plural(number(places), "account-region");
        let mut parts = Vec::new();
        match self.objects {
            0 => {}
            1 => parts.push("1 object, that of an account-region for the day".to_owned()),
            more => parts.push(format!("{} objects, each that of an account-region for the day", count(number(more)))),
        }
        if self.inferred > 0 {
            parts.push(format!("{} inferred from the history objects up to the day", places(self.inferred)));
        }
        if self.unnamed > 0 {
            parts.push(format!("{} whose object is not on record", places(self.unnamed)));
        }
        if self.older > 0 {
            parts.push(format!("{} without evidence of the day: the last known", places(self.older)));
        }
        if parts.is_empty() { "none".to_owned() } else { parts.join("; ") }
    }

    /// "Amazon Athena: 12 objects in 3 queries; this program: 2 objects".
    pub fn readers(&self) -> String {
        let objects = |objects: usize| plural(number(objects), "object");
        let mut parts = Vec::new();
        if self.by_athena > 0 {
            let queries = match number(self.queries.len()) {
                1 => "1 query".to_owned(),
                more => format!("{} queries", count(more)),
            };
            parts.push(format!("Amazon Athena: {} in {queries}", objects(self.by_athena)));
        }
        if self.by_us > 0 {
            parts.push(format!("this program: {}, each with its SHA-256", objects(self.by_us)));
        }
        if self.inferred > 0 && parts.is_empty() {
            parts.push("this program: history objects".to_owned());
        }
        parts.join("; ")
    }

    /// The newest collections, at most so many, and how many more there are.
    pub fn newest_collections(&self, most: usize) -> (Vec<i64>, usize) {
        let newest: Vec<i64> = self.collections.keys().rev().take(most).copied().collect();
        (newest, self.collections.len().saturating_sub(most))
    }
}

fn number(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::super::Counts;
    use super::*;
    use crate::compliance::DeliveryState;

    fn place(state: DeliveryState, source: Option<(Option<i64>, i64, Option<i64>)>) -> PlaceDay {
        let day = date!(2026 - 11 - 22);
        let inferred = state == DeliveryState::InferredFromHistory;
        let of = |(object_id, collection_id, query_id)| Source { day, object_id, inferred, collection_id, query_id };
        let source = source.map(of);
        PlaceDay {
            place_id: 1,
            account_id: "111122223333".to_owned(),
            account_name: String::new(),
            unit: String::new(),
            region: "eu-central-1".to_owned(),
            expected: true,
            state,
            snapshot_at: None,
            counts: Counts::default(),
            last_known: None,
            source,
        }
    }

    #[test]
    fn sources_are_counted_by_what_they_are_and_who_read_them() {
        let places = [
            place(DeliveryState::Delivered, Some((Some(10), 1, None))),
            place(DeliveryState::Delivered, Some((Some(11), 2, Some(7)))),
            place(DeliveryState::Delivered, Some((Some(12), 2, Some(7)))),
            place(DeliveryState::InferredFromHistory, Some((None, 3, None))),
            place(DeliveryState::Missing, Some((Some(13), 1, None))),
            place(DeliveryState::Missing, None),
            PlaceDay { expected: false, ..place(DeliveryState::Missing, Some((Some(14), 9, None))) },
        ];
        let sources = Sources::of(&places);
        assert_eq!((sources.objects, sources.inferred, sources.unnamed, sources.older), (3, 1, 0, 1));
        assert_eq!((sources.by_us, sources.by_athena, sources.queries.len()), (2, 2, 1));
        assert_eq!(sources.collections, BTreeMap::from([(1, 2), (2, 2), (3, 1)]));
        assert_eq!(sources.newest_collections(2), (vec![3, 2], 1));
        assert_eq!(
            sources.sentence(),
            "3 objects, each that of an account-region for the day; 1 account-region inferred from the history objects up \
             to the day; 1 account-region without evidence of the day: the last known"
        );
        assert_eq!(
            sources.readers(),
            "Amazon Athena: 2 objects in 1 query; this program: 2 objects, each with its SHA-256"
        );
    }

    #[test]
    fn figures_without_evidence_stand_on_nothing() {
        let sources = Sources::of(&[place(DeliveryState::Missing, None)]);
        assert!(sources.none());
        assert_eq!((sources.sentence().as_str(), sources.readers().as_str()), ("none", ""));
    }
}
