//! What a reading adds to what was known: a version once seen is never forgotten.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::Facts;

/// What is held of a version or an agreement as of the newest reading.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Held {
    pub(super) facts: Facts,
    /// Whether AWS still listed it then.
    pub(super) listed: bool,
}

/// A thing as a reading tells it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Told {
    pub(super) facts: Facts,
    /// Whether it was described in full, or only in a list that leaves some fields out.
    pub(super) full: bool,
}

/// Fields of `ReportDetail` that `ReportSummary` has not: a list that leaves them out says nothing of them.
const ONLY_IN_DETAIL: [&str; 5] = ["createdAt", "deletedAt", "lastModifiedAt", "sequenceNumber", "termArn"];

/// Whether something is known that only a full description says.
pub(super) fn is_described(facts: &Facts) -> bool {
    ONLY_IN_DETAIL.iter().any(|name| facts.0.contains_key(*name))
}

/// What is held from now on of a thing that was told, if that is news.
pub(super) fn is_news(before: Option<&Held>, told: &Told) -> Option<Held> {
    let mut facts = told.facts.clone();
    if let Some(before) = before.filter(|_| !told.full) {
        for name in ONLY_IN_DETAIL {
            if let (Some(value), false) = (before.facts.0.get(name), facts.0.contains_key(name)) {
                facts.0.insert(name.to_owned(), value.clone());
            }
        }
    }
    let now = Held { facts, listed: true };
    (before != Some(&now)).then_some(now)
}

/// What is new or changed, and what is no longer listed. `whole` says whether the reading would have told of a thing if it
/// were still there; of others nothing follows from silence.
pub(super) fn news<K: Ord + Clone>(
    held: &BTreeMap<K, Held>,
    told: &BTreeMap<K, Told>,
    whole: impl Fn(&K) -> bool,
) -> BTreeMap<K, Held> {
    let mut news = BTreeMap::new();
    let keys: BTreeSet<&K> = held.keys().chain(told.keys()).collect();
    for key in keys {
        match (held.get(key), told.get(key)) {
            (before, Some(told)) => {
                if let Some(now) = is_news(before, told) {
                    news.insert(key.clone(), now);
                }
            }
            (Some(before), None) if before.listed && whole(key) => {
                news.insert(key.clone(), Held { listed: false, ..before.clone() });
            }
            _ => {}
        }
    }
    news
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::facts::tests::facts;
    use super::*;

    fn told(value: Value, full: bool) -> Told {
        Told { facts: facts(value), full }
    }

    fn held(value: Value) -> Held {
        Held { facts: facts(value), listed: true }
    }

    #[test]
    fn the_same_again_is_no_news() {
        let before = BTreeMap::from([(1, held(json!({"name": "a", "createdAt": "2026-01-01T00:00:00Z"})))]);
        let again = BTreeMap::from([(1, told(json!({"name": "a"}), false))]);
        assert!(news(&before, &again, |_| true).is_empty(), "a list leaves the creation out");
        let again = BTreeMap::from([(1, told(json!({"name": "a"}), true))]);
        assert_eq!(news(&before, &again, |_| true).len(), 1, "a full description says that there is none any more");
    }

    #[test]
    fn what_is_no_longer_listed_is_marked_once_and_comes_back_as_news() {
        let before = BTreeMap::from([(1, held(json!({"name": "a"}))), (2, held(json!({"name": "b"})))]);
        let gone = news(&before, &BTreeMap::new(), |key| *key == 1);
        assert_eq!(gone, BTreeMap::from([(1, Held { listed: false, ..before[&1].clone() })]), "2 was not asked for");
        assert!(news(&gone, &BTreeMap::new(), |_| true).is_empty());
        let back = news(&gone, &BTreeMap::from([(1, told(json!({"name": "a"}), false))]), |_| true);
        assert!(back[&1].listed);
    }
}
