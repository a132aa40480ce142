//! The smaller tables of an account: what is unknown by why, AWS's verdicts on conformance packs, delivered objects, what
//! the account lists said.

use rustc_hash::FxHashSet;
use time::Date;

use super::told::Of;
use crate::compliance::core::{Figures, PlaceDay};
use crate::compliance::db::evaluations::RowCounts;
use crate::compliance::db::resource::{Object, PackVerdict};
use crate::compliance::db::rules::InPlace;
use crate::compliance::filter::Which;
use crate::compliance::membership::Said;
use crate::compliance::shown::{Shown, link, query_href};
use crate::compliance::{Status, conformance};
use crate::web::format::object_name;
use crate::web::list::{Field, List};
use crate::web::{View, parse_day};

/// Evaluations that are unknown for one reason.
#[derive(Debug)]
pub(super) struct UnknownLine {
    day: Date,
    account_id: String,
    pub(super) words: &'static str,
    status: Which,
    pub(super) evaluations: i64,
    pub(super) href: String,
}

/// What is unknown of what the filters leave, by why.
pub(super) fn unknown_lines(view: &View, of: &Of<'_>, figures: &Figures, pairs: &[(&str, &str)]) -> Vec<UnknownLine> {
    let rows = |status| link(view, "/evaluations", &[pairs, &[("status", status)]].concat());
    [
        (Which::InsufficientData, "INSUFFICIENT_DATA: AWS Config could not tell", figures.counts.insufficient_data),
        (Which::Unrecognised, "A status that AWS does not document", figures.counts.unrecognised),
        (Which::Carried, "Last known evaluations of Regions without evidence that day", figures.carried),
    ]
    .into_iter()
    .filter(|(status, ..)| of.filter.which.meets(*status))
    .map(|(status, words, evaluations)| UnknownLine {
        day: view.as_of,
        account_id: of.id.to_owned(),
        words,
        status,
        evaluations,
        href: rows(status.slug()),
    })
    .collect()
}

pub(super) fn unknown() -> List<UnknownLine> {
    let fields = vec![
        Field::unseen("day", |line: &UnknownLine| line.day.into()),
        Field::unseen("account_id", |line| line.account_id.as_str().into()),
        Field::unseen("status", |line| line.status.slug().into()),
        Field::text("Why", "why", |line| line.words.into()),
        Field::number("Evaluations", "evaluations", |line| line.evaluations.into()),
    ];
    List::new("unknown", "unknown-sort", usize::MAX, fields)
}

/// AWS's own verdict on a conformance pack in a Region.
#[derive(Debug)]
pub(super) struct PackLine {
    day: Date,
    account_id: String,
    core_name: String,
    pub(super) region: String,
    pub(super) name: String,
    pub(super) status: Status,
    pub(super) since: Option<Date>,
    pub(super) compliant_rules: i64,
    pub(super) non_compliant_rules: i64,
    pub(super) total_rules: i64,
    /// Rules of the pack here with at least one `NON_COMPLIANT` evaluation, with COMPLIANT ones only, and all.
    pub(super) ours: (i64, i64, i64),
    /// Whether the place is known on the day: else AWS's verdict is the last known.
    pub(super) known: bool,
}

/// The verdicts that the filters leave: of a status, AWS's own; of rules or a type, packs with such a rule.
pub(super) fn pack_lines(
    shown: &Shown,
    view: &View,
    of: &Of<'_>,
    present: &[InPlace],
    verdicts: &[PackVerdict],
) -> Vec<PackLine> {
    let meant: FxHashSet<(i32, &str)> = present
        .iter()
        .filter(|rule| of.holds(rule.rule_id))
        .filter(|rule| of.filter.resource_type.is_none() || rule.counts != RowCounts::default())
        .filter_map(|rule| Some((rule.place_id, shown.catalog.rule(rule.rule_id)?.1.pack.as_str())))
        .collect();
    let places = of.filter.places(of.places);
    verdicts
        .iter()
        .filter(|verdict| !of.filter.narrows_rules() || meant.contains(&(verdict.place_id, verdict.core_name.as_str())))
        .filter_map(|verdict| {
            let place = places.iter().find(|place| place.place_id == verdict.place_id)?;
            let which = of.filter.which;
            (which == Which::All || which.matches(place.known(), verdict.status_id))
                .then(|| pack_line(shown, view, place, present, verdict))
        })
        .collect()
}

fn pack_line(shown: &Shown, view: &View, place: &PlaceDay, present: &[InPlace], verdict: &PackVerdict) -> PackLine {
    let of_pack: Vec<&InPlace> = present
        .iter()
        .filter(|rule| rule.place_id == verdict.place_id)
        .filter(|rule| shown.catalog.rule(rule.rule_id).is_some_and(|(_, rule)| rule.pack == verdict.core_name))
        .collect();
    let rules =
        |are: fn(&InPlace) -> bool| i64::try_from(of_pack.iter().filter(|rule| are(rule)).count()).unwrap_or(i64::MAX);
    PackLine {
        day: view.as_of,
        account_id: place.account_id.clone(),
        core_name: verdict.core_name.clone(),
        region: place.region.clone(),
        name: if verdict.name.is_empty() { verdict.id.clone() } else { verdict.name.clone() },
        status: shown.catalog.status(verdict.status_id),
        since: parse_day(&verdict.first_day),
        compliant_rules: verdict.compliant_rules.into(),
        non_compliant_rules: verdict.non_compliant_rules.into(),
        total_rules: verdict.total_rules.into(),
        ours: (
            rules(|rule| rule.counts.not_complying > 0),
            rules(|rule| rule.counts.not_complying == 0 && rule.counts.complying > 0),
            rules(|_| true),
        ),
        known: place.known(),
    }
}

pub(super) fn packs() -> List<PackLine> {
    let fields = vec![
        Field::unseen("day", |line: &PackLine| line.day.into()),
        Field::unseen("account_id", |line| line.account_id.as_str().into()),
        Field::unseen("conformance_pack", |line| line.core_name.as_str().into()),
        Field::text("Conformance pack", "name", |line| line.name.as_str().into()),
        Field::text("Region", "region", |line| line.region.as_str().into()),
        Field::unseen("known", |line| line.known.into()),
        Field::text("AWS's verdict", "aws_verdict", |line: &PackLine| line.status.word().into())
            .ordered(|line| conformance::rank(Some(&line.status)).into())
            .most_first(),
        Field::number("AWS: rules failing", "aws_failing_rules", |line| line.non_compliant_rules.into()),
        Field::number("complying", "aws_complying_rules", |line| line.compliant_rules.into()),
        Field::number("of", "aws_rules", |line| line.total_rules.into()),
        Field::number("Ours: rules failing", "our_failing_rules", |line| line.ours.0.into()),
        Field::number("complying", "our_complying_rules", |line| line.ours.1.into()),
        Field::number("of", "our_rules", |line| line.ours.2.into()),
        Field::text("Since", "since", |line| line.since.into()),
    ];
    List::new("packs", "packs-sort", 60, fields)
}

/// A delivered object.
#[derive(Debug)]
pub(super) struct FileLine {
    day: Date,
    account_id: String,
    pub(super) object: Object,
    pub(super) outcome: String,
    pub(super) href: Option<String>,
    /// The execution of Athena that read it, and where it stands.
    pub(super) query: Option<(String, String)>,
}

impl FileLine {
    pub(super) fn name(&self) -> String {
        object_name(&self.object.key)
    }
}

/// The delivered objects of the Region asked for.
pub(super) fn file_lines(view: &View, of: &Of<'_>, objects: &[Object]) -> Vec<FileLine> {
    let region = of.filter.region.as_deref();
    objects
        .iter()
        .filter(|object| region.is_none_or(|region| object.region == region))
        .map(|object| {
            let outcome = object.outcome.clone().unwrap_or_else(|| "not read".to_owned());
            FileLine {
                day: view.as_of,
                account_id: of.id.to_owned(),
                outcome: match &object.reason {
                    Some(reason) if !reason.is_empty() => format!("{outcome}: {reason}"),
                    _ => outcome,
                },
                href: object
                    .collection_id
                    .map(|id| link(view, &format!("/collections/{id}"), &[]))
                    .filter(|href| !href.is_empty()),
                query: object.read_by.zip(object.execution_id.clone()).map(|(id, query)| {
                    let href = query_href(id, &query);
                    (query, href)
                }),
                object: object.clone(),
            }
        })
        .collect()
}

pub(super) fn files() -> List<FileLine> {
    let fields = vec![
        Field::unseen("day", |line: &FileLine| line.day.into()),
        Field::unseen("account_id", |line| line.account_id.as_str().into()),
        Field::text("Object", "key", |line| line.object.key.as_str().into()),
        Field::text("Region", "region", |line| line.object.region.as_str().into()),
        Field::text("Kind", "kind", |line| line.object.kind.as_str().into()),
        Field::number("Size", "size_bytes", |line| line.object.size_bytes.into()),
        Field::number("Evaluations", "evaluations", |line| line.object.evaluations.into()),
        Field::text("Outcome", "outcome", |line| line.outcome.as_str().into()),
        Field::unseen("collection_id", |line| line.object.collection_id.into()),
        Field::unseen("figures_stand_on_it", |line| line.object.speaks.into()),
        Field::unseen("etag", |line| line.object.etag.clone().into()),
        Field::unseen("sha256", |line| line.object.sha256.clone().into()),
        Field::unseen("taken_at", |line| line.object.taken_at.into()),
        Field::unseen("query_execution_id", |line| line.object.execution_id.clone().into()),
    ];
    List::new("files", "files-sort", 50, fields)
}

/// What the account lists said, from each day on.
pub(super) fn history() -> List<Said> {
    let fields = vec![
        Field::text("From", "from", |said: &Said| said.from.into()).most_first(),
        Field::text("State", "state", |said| said.words()[0].into()),
        Field::text("Name", "name", |said| said.words()[1].into()),
        Field::text("Organizational unit", "organizational_unit", |said| said.words()[2].into()),
        Field::text("Tags", "tags", |said| said.words()[3].into()),
    ];
    List::new("history", "history-sort", 50, fields)
}
