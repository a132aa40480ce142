//! What AWS did not tell beside the deliveries: the aggregator, and what rules ask for. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::{Evidence, Facts, Opening, Undefined, words};
use crate::definition::Outcome;
use crate::notices::kind::Kind;

/// One notice for each cause until the aggregator is read whole again.
pub(super) fn aggregator(facts: &Facts, evidence: &Evidence) -> Vec<Opening> {
    let Some(reading) = &evidence.aggregator else { return Vec::new() };
    let Some((cause, failure)) = &reading.failure else { return Vec::new() };
    if facts.covered(Kind::AggregatorUnread, cause, cause, None) {
        return Vec::new();
    }
    vec![Opening {
        kind: Kind::AggregatorUnread,
        about: cause.clone(),
        sentence: words::aggregator_unread(&reading.aggregator, failure),
        facts: json!({ "members": [cause], "aggregator": reading.aggregator, "cause": cause, "failure": failure,
                       "collection": evidence.collection_id }),
    }]
}

/// One notice for each cause, of the places that no open notice of that cause names.
pub(super) fn definitions(facts: &Facts, evidence: &Evidence) -> Vec<Opening> {
    let mut causes: BTreeMap<Outcome, Vec<&Undefined>> = BTreeMap::new();
    for one in &evidence.undefined {
        if !facts.covered(Kind::DefinitionsUnread, one.cause.word(), &one.place.member(), None) {
            causes.entry(one.cause).or_default().push(one);
        }
    }
    causes
        .into_iter()
        .map(|(cause, places)| {
            let members: BTreeSet<String> = places.iter().map(|one| one.place.member()).collect();
            Opening {
                kind: Kind::DefinitionsUnread,
                about: cause.word().to_owned(),
                sentence: words::definitions_unread(cause, &members),
                facts: json!({
                    "members": members, "cause": cause.word(), "places": members.len(),
                    // What AWS said of one of them: of one cause it is much the same.
                    "failure": places.first().map(|one| &one.failure), "collection": evidence.collection_id,
                }),
            }
        })
        .collect()
}
