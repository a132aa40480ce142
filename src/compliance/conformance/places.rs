//! A conformance pack where it is deployed: AWS's verdict there beside ours.

use time::{Date, OffsetDateTime};

use super::core::RuleCounts;
use super::db::Delivered;
use super::rank;
use crate::compliance::core::PlaceDay;
use crate::compliance::shown::Shown;
use crate::compliance::{Status, accounts};
use crate::web::View;
use crate::web::download::Cell;
use crate::web::format::{count, day, plural};
use crate::web::list::{Field, List};

/// The pack in a place.
#[derive(Debug, Clone)]
pub(super) struct Line {
    day: Date,
    pack: String,
    pub(super) account_id: String,
    pub(super) account_name: String,
    pub(super) account_href: String,
    pub(super) region: String,
    name: String,
    id: String,
    pub(super) known: bool,
    pub(super) verdict: Status,
    pub(super) theirs: RuleCounts,
    pub(super) ours: Option<RuleCounts>,
    pub(super) since: Date,
    /// What AWS's aggregator told last, and when.
    pub(super) there: Option<(Status, RuleCounts, Option<OffsetDateTime>)>,
}

impl Line {
    /// `ours`: the rules of the pack there, by what they say.
    pub(super) fn new(shown: &Shown, view: &View, place: &PlaceDay, one: &Delivered, ours: RuleCounts) -> Self {
        let there = one.there_compliance.as_deref().map(|word| {
            let counts = RuleCounts {
                failing: one.there_non_compliant.unwrap_or_default().into(),
                complying: one.there_compliant.unwrap_or_default().into(),
                all: one.there_total.unwrap_or_default().into(),
            };
            (Status::parse(word), counts, one.there_read_at)
        });
        Self {
            day: view.as_of,
            pack: one.pack.clone(),
            account_href: accounts::href(view, &place.account_id),
            account_id: place.account_id.clone(),
            account_name: place.account_name.clone(),
            region: place.region.clone(),
            name: one.name.clone(),
            id: one.id.clone(),
            known: place.known(),
            verdict: shown.catalog.status(one.status_id),
            theirs: one.theirs(),
            ours: place.known().then_some(ours),
            since: one.first_day,
            there,
        }
    }

    /// What our counts come to; `None` where the day is not known, or no rule of the pack is.
    pub(super) fn our_verdict(&self) -> Option<Status> {
        self.ours?.verdict()
    }

    /// "5 of 130 rules have no data", where AWS says COMPLIANT all the same.
    pub(super) fn hollow(&self) -> Option<String> {
        (self.verdict == Status::Compliant).then(|| self.theirs.no_data_words()).flatten()
    }

    fn our_count(&self, of: fn(RuleCounts) -> i64) -> Cell {
        self.ours.map(of).into()
    }
}

fn word(status: Option<&Status>) -> Cell {
    status.map(|status| status.word().to_owned()).into()
}

/// The columns that count rules are in the order of how many fail.
pub(super) fn places() -> List<Line> {
    let fields = vec![
        Field::unseen("day", |line: &Line| line.day.into()),
        Field::unseen("conformance_pack", |line| line.pack.as_str().into()),
        Field::unseen("name", |line| line.name.as_str().into()),
        Field::unseen("conformance_pack_id", |line| line.id.as_str().into()),
        Field::text("Account", "account_id", |line: &Line| line.account_id.as_str().into())
            .ordered(|line| format!("{} {}", line.account_name.to_lowercase(), line.account_id).into()),
        Field::text("Region", "region", |line| line.region.as_str().into()),
        Field::unseen("known", |line| line.known.into()),
        Field::text("AWS’s verdict", "aws_verdict", |line: &Line| line.verdict.word().into())
            .ordered(|line| rank(Some(&line.verdict)).into())
            .most_first(),
        Field::text("AWS’s counts of rules", "aws_failing_rules", |line: &Line| line.theirs.failing.into())
            .most_first(),
        Field::unseen("aws_complying_rules", |line| line.theirs.complying.into()),
        Field::unseen("aws_rules_without_data", |line| line.theirs.no_data().into()),
        Field::unseen("aws_rules", |line| line.theirs.all.into()),
        Field::text("Ours", "our_verdict", |line: &Line| word(line.our_verdict().as_ref()))
            .ordered(|line| rank(line.our_verdict().as_ref()).into())
            .most_first(),
        Field::text("Our counts of rules", "our_failing_rules", |line: &Line| line.our_count(|counts| counts.failing))
            .most_first(),
        Field::unseen("our_complying_rules", |line| line.our_count(|counts| counts.complying)),
        Field::unseen("our_rules_without_data", |line| line.our_count(RuleCounts::no_data)),
        Field::unseen("our_rules", |line| line.our_count(|counts| counts.all)),
        Field::text("Since", "since", |line| line.since.into()),
        Field::text("Aggregator", "aggregator_verdict", |line: &Line| {
            word(line.there.as_ref().map(|(status, ..)| status))
        })
        .ordered(|line| line.there.as_ref().map(|(status, ..)| rank(Some(status))).into())
        .most_first(),
        Field::unseen("aggregator_read_at", |line| line.there.as_ref().and_then(|(_, _, at)| *at).into()),
    ];
    List::new("places", "sort", 100, fields)
}

/// Of the places that the filters leave.
pub(super) fn lead(view: &View, lines: &[Line]) -> String {
    let number =
        |is: &dyn Fn(&Line) -> bool| i64::try_from(lines.iter().filter(|line| is(line)).count()).unwrap_or(i64::MAX);
    let complying = number(&|line| line.known && line.verdict == Status::Compliant);
    let mut sentence = format!(
        "Deployed in {} as of {} (UTC): AWS says NON_COMPLIANT of {} and COMPLIANT of {}",
        plural(number(&|_| true), "account-Region"),
        day(view.as_of),
        count(number(&|line| line.known && line.verdict == Status::NonCompliant)),
        count(complying)
    );
    let hollow = number(&|line| line.known && line.hollow().is_some());
    if hollow > 0 {
        sentence = format!(
            "{sentence}, {} of which {} rules without data",
            count(hollow),
            if hollow == 1 { "has" } else { "have" }
        );
    }
    let unknown = number(&|line| !line.known);
    if unknown > 0 {
        sentence = format!("{sentence}; {} without evidence for the day", count(unknown));
    }
    sentence + "."
}
