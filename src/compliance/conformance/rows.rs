//! A conformance pack's places and rules as CSV and JSON.

use actix_web::HttpResponse;

use super::core::RuleCounts;
use super::show::{Line, RuleLine};
use crate::web::View;
use crate::web::download::{Cell, Format, download};

const DOWNLOAD: [&str; 19] = [
    "day",
    "conformance_pack",
    "name",
    "account_id",
    "region",
    "known",
    "aws_verdict",
    "aws_failing_rules",
    "aws_complying_rules",
    "aws_rules_without_data",
    "aws_rules",
    "since",
    "our_verdict",
    "our_failing_rules",
    "our_complying_rules",
    "our_rules_without_data",
    "our_rules",
    "aggregator_verdict",
    "aggregator_read_at",
];

const RULE_DOWNLOAD: [&str; 7] =
    ["day", "conformance_pack", "rule", "account_regions", "failing", "complying", "without_data"];

pub(super) fn place_rows(format: Format, view: &View, pack: String, rows: Vec<Line>) -> HttpResponse {
    let as_of = view.as_of;
    download(format, &view.stem(format!("conformance-pack-{pack}")), &DOWNLOAD, move |mut to| async move {
        for line in rows {
            let number = |of: fn(RuleCounts) -> i64| Cell::from(line.ours.map(of));
            let read_at = line.there.as_ref().and_then(|(_, _, at)| *at);
            to.push([
                as_of.into(),
                pack.as_str().into(),
                line.name.as_str().into(),
                line.account_id.as_str().into(),
                line.region.as_str().into(),
                line.known.into(),
                line.verdict.word().into(),
                line.theirs.failing.into(),
                line.theirs.complying.into(),
                line.theirs.no_data().into(),
                line.theirs.all.into(),
                line.since.into(),
                line.our_verdict().map(|status| status.word().to_owned()).into(),
                number(|counts| counts.failing),
                number(|counts| counts.complying),
                number(RuleCounts::no_data),
                number(|counts| counts.all),
                line.there.as_ref().map(|(status, ..)| status.word().to_owned()).into(),
                read_at.and_then(|at| at.format(&time::format_description::well_known::Rfc3339).ok()).into(),
            ])
            .await?;
        }
        Ok(to)
    })
}

pub(super) fn rule_rows(format: Format, view: &View, pack: String, rules: Vec<RuleLine>) -> HttpResponse {
    let as_of = view.as_of;
    download(format, &view.stem(format!("conformance-pack-rules-{pack}")), &RULE_DOWNLOAD, move |mut to| async move {
        for line in rules {
            to.push([
                as_of.into(),
                pack.as_str().into(),
                line.core_name.into(),
                line.places.into(),
                line.failing.into(),
                line.complying.into(),
                line.no_data.into(),
            ])
            .await?;
        }
        Ok(to)
    })
}
