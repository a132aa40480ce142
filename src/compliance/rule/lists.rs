//! The tables of a rule: how it comes to be there, accounts without it, what fails longest, related controls.

use time::Date;

use super::standing::{Found, Standing, Variant, variants};
use crate::compliance::core::Counts;
use crate::compliance::db::Rule;
use crate::compliance::db::evaluations::FailingRow;
use crate::compliance::filter::{Filter, Which};
use crate::compliance::rule_data::{self, Control};
use crate::compliance::shown::{Shown, link};
use crate::web::View;
use crate::web::address::Encoded;
use crate::web::list::{Field, List};

/// A way by which the rule comes, with the rows of its names.
#[derive(Debug)]
pub(super) struct VariantLine {
    day: Date,
    core_name: String,
    pub(super) variant: Variant,
    pub(super) href: String,
    pub(super) names_href: String,
}

/// Whether evaluations of a known day have the status asked for.
pub(super) fn has_status(which: Which, counts: &Counts) -> bool {
    which == Which::All || which.count(true, counts) > 0
}

/// The ways by which the rule comes, each conformance pack and each other way: those that are there on the day first.
pub(super) fn variant_lines(
    view: &View,
    shown: &Shown,
    rules: &[&Rule],
    found: &Found,
    filter: &Filter,
) -> Vec<VariantLine> {
    let mut all = variants(shown, rules, found, |rule| (rule.origin.as_str(), rule.pack.as_str()));
    all.retain(|variant| has_status(filter.which, &variant.counts));
    all.sort_by_key(|variant| std::cmp::Reverse(variant.places));
    let core_name = rules.first().map_or("", |rule| rule.core_name.as_str());
    let pairs = [&filter.pairs(&[])[..], &[("status", filter.which.slug())]].concat();
    let line = |variant: Variant| {
        let of = [("origin", variant.origin.as_str()), ("pack", variant.pack.as_str())];
        let rows = match variant.names.as_slice() {
            [name] => vec![("rule", core_name), ("name", name.as_str())],
            _ => [&[("rule", core_name)], &of[..]].concat(),
        };
        VariantLine {
            day: view.as_of,
            core_name: core_name.to_owned(),
            href: link(view, "/evaluations", &[&rows[..], &pairs].concat()),
            names_href: link(view, &format!("/rules/{}/names", Encoded(core_name)), &[&of[..], &pairs].concat()),
            variant,
        }
    };
    all.into_iter().map(line).collect()
}

pub(super) fn ways() -> List<VariantLine> {
    let fields = vec![
        Field::unseen("day", |line: &VariantLine| line.day.into()),
        Field::unseen("rule", |line| line.core_name.as_str().into()),
        Field::text("Comes by", "origin", |line| line.variant.origin.as_str().into()),
        Field::text("Conformance pack", "conformance_pack", |line| line.variant.pack.as_str().into()),
        // One name stands as it is; of several, how many. The page of names has all.
        Field::text("Name as delivered", "name", |line| match line.variant.names.as_slice() {
            [name] => name.as_str().into(),
            _ => crate::web::download::Cell::Nothing,
        }),
        Field::unseen("names", |line| i64::try_from(line.variant.names.len()).unwrap_or(i64::MAX).into()),
        Field::number("Accounts", "accounts", |line| line.variant.accounts.into()),
        Field::number("Account-Regions", "account_regions", |line| line.variant.places.into()),
        Field::number("Failing", "not_complying", |line| line.variant.counts.not_complying.into()),
        Field::number("Complying", "complying", |line| line.variant.counts.complying.into()),
        Field::unseen("insufficient_data", |line| line.variant.counts.insufficient_data.into()),
        Field::unseen("unrecognised", |line| line.variant.counts.unrecognised.into()),
        Field::unseen("not_applicable", |line| line.variant.counts.not_applicable.into()),
    ];
    List::new("variants", "variants-sort", 50, fields)
}

/// An account that brought evidence for the day and has not the rule.
#[derive(Debug)]
pub(super) struct AbsentLine {
    day: Date,
    core_name: String,
    pub(super) account_id: String,
    pub(super) account_name: String,
    pub(super) href: String,
}

/// Accounts without the rule; none where a status is asked for, which a rule that is absent has not.
pub(super) fn absent_lines(view: &View, core_name: &str, which: Which, standing: &Standing<'_>) -> Vec<AbsentLine> {
    let absent = standing.absent.iter().filter(|_| which == Which::All);
    absent
        .map(|(id, name)| AbsentLine {
            day: view.as_of,
            core_name: core_name.to_owned(),
            account_id: (*id).to_owned(),
            account_name: (*name).to_owned(),
            href: crate::compliance::accounts::href(view, id),
        })
        .collect()
}

pub(super) fn absent() -> List<AbsentLine> {
    let fields = vec![
        Field::unseen("day", |line: &AbsentLine| line.day.into()),
        Field::unseen("rule", |line| line.core_name.as_str().into()),
        Field::text("Account", "account_name", |line: &AbsentLine| line.account_name.as_str().into())
            .ordered(|line| line.account_name.to_lowercase().into()),
        Field::text("Id", "account_id", |line| line.account_id.as_str().into()),
    ];
    List::new("absent", "absent-sort", 50, fields)
}

/// An evaluation that fails.
#[derive(Debug)]
pub(super) struct Oldest {
    day: Date,
    pub(super) since: Date,
    pub(super) days: i64,
    pub(super) account_id: String,
    pub(super) account_name: String,
    pub(super) account_href: String,
    pub(super) region: String,
    pub(super) rule: String,
    pub(super) resource_type: String,
    pub(super) resource_id: String,
    pub(super) href: String,
    /// The rule in the account and Region, with AWS's notes.
    pub(super) result_href: String,
}

pub(super) fn oldest_lines(view: &View, shown: &Shown, which: Which, rows: &[FailingRow]) -> Vec<Oldest> {
    let rows = rows.iter().filter(|_| which.meets(Which::NonCompliant));
    rows.filter_map(|row| oldest_line(view, shown, row)).collect()
}

fn oldest_line(view: &View, shown: &Shown, row: &FailingRow) -> Option<Oldest> {
    let place = shown.place(row.place_id)?;
    let (_, rule) = shown.catalog.rule(row.rule_id)?;
    let resource_type = shown.catalog.type_name(row.resource_type_id).to_owned();
    let pairs = [
        ("account", place.account_id.as_str()),
        ("region", &place.region),
        ("type", &resource_type),
        ("id", row.id.as_str()),
    ];
    Some(Oldest {
        day: view.as_of,
        since: row.since,
        days: (view.as_of - row.since).whole_days() + 1,
        account_href: crate::compliance::accounts::href(view, &place.account_id),
        account_id: place.account_id.clone(),
        account_name: place.account_name.clone(),
        region: place.region.clone(),
        rule: rule.name.clone(),
        href: link(view, "/resources", &pairs),
        result_href: link(
            view,
            "/results",
            &[("account", place.account_id.as_str()), ("region", &place.region), ("rule", &rule.name)],
        ),
        resource_type,
        resource_id: row.id.clone(),
    })
}

pub(super) fn oldest() -> List<Oldest> {
    let fields = vec![
        Field::unseen("day", |line: &Oldest| line.day.into()),
        Field::unseen("resource_type", |line| line.resource_type.as_str().into()),
        Field::text("Resource", "resource_id", |line: &Oldest| line.resource_id.as_str().into())
            .ordered(|line| format!("{} {}", line.resource_type, line.resource_id).into()),
        Field::unseen("account_id", |line| line.account_id.as_str().into()),
        Field::text("Account", "account_name", |line: &Oldest| line.account_name.as_str().into())
            .ordered(|line| format!("{} {}", line.account_name.to_lowercase(), line.account_id).into()),
        Field::text("Region", "region", |line| line.region.as_str().into()),
        Field::text("Rule as delivered", "rule_name", |line| line.rule.as_str().into()),
        Field::text("First observed", "since", |line| line.since.into()),
        Field::number("Days", "days", |line| line.days.into()),
    ];
    List::new("oldest", "oldest-sort", usize::MAX, fields)
}

/// Where a relation comes from, in words; the data's own words stand in `DATA.md`.
pub(super) fn basis(word: &str) -> String {
    let (word, detail) = word.split_once(':').unwrap_or((word, ""));
    match word {
        "aws-docs" => "AWS Security Hub User Guide, related requirements".to_owned(),
        "aws-guard-registry" => "AWS CloudFormation Guard rules registry".to_owned(),
        "cdk-nag" => "cdk-nag, rules".to_owned(),
        "prowler-check" => format!("Prowler, check {detail}, put to this rule by us"),
        "prowler-text" => "Prowler, whose text names the rule".to_owned(),
        "turbot" => format!("Turbot, control {detail}, put to this rule by us"),
        "judged" => "our judgement".to_owned(),
        other => other.to_owned(),
    }
}

/// Controls that are related to the rule, by framework.
pub(super) fn related(rule: &Rule) -> &'static [Control] {
    rule.identifier.as_deref().map(rule_data::related_controls).unwrap_or_default()
}

pub(super) fn controls() -> List<Control> {
    let fields = vec![
        Field::text("Framework", "framework", |control: &Control| control.framework.into()),
        Field::text("Control", "control", |control| control.control_id.into()),
        Field::text("Title", "title", |control| control.title.into()),
        Field::text("Basis of the relation", "basis", |control| basis(control.basis).into()),
    ];
    List::new("controls", "controls-sort", 50, fields)
}
