//! One core rule: what it says, where it is, how it went, what fails longest, what it is related to.

mod names;
mod standing;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Path};
use askama::Template;
use time::{Date, Duration};

use self::standing::{Asking, Found, Past, Standing, Variant, variants};
use super::Severity;
use super::core::history::RuleDay;
use super::core::{Counts, Evidence, PlaceDay};
use super::db::Rule;
use super::db::evaluations::FailingRow;
use super::filter::{self, Filter, Offers};
use super::rule_data::{self, Control};
use super::shown::{Shown, link};
use crate::State;
use crate::definition::Parameters;
use crate::error::Error;
use crate::web::address::Encoded;
use crate::web::chart::{Axis, Patterns};
use crate::web::download::{Format, download};
use crate::web::form::Filters;
use crate::web::format::{count, day, plural};
use crate::web::parts::{self, Provenance};
use crate::web::table::{Table, number, text};
use crate::web::{Access, Endpoint, Frame, Page, Section, View, filters};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/rules/{core_name}", Access::SignedIn, || web::get().to(show)),
        Endpoint::get("/rules/{core_name}/names", Access::SignedIn, || web::get().to(names::list)),
    ]
}

/// Ways by which the rule comes that are listed; the page of names has all.
const VARIANTS: usize = 50;
/// Accounts without the rule that are listed; the download by account has all.
const ABSENT: usize = 50;

const DOWNLOAD: [&str; 11] = [
    "day",
    "rule",
    "account_id",
    "account_name",
    "present",
    "complying",
    "not_complying",
    "insufficient_data",
    "unrecognised",
    "not_applicable",
    "unknown_without_evidence",
];

#[derive(Template)]
#[template(path = "compliance/rule.html")]
struct RulePage {
    frame: Frame,
    core_name: String,
    identifier: Option<String>,
    title: Option<String>,
    severity: Severity,
    lead: String,
    filters: Filters,
    several_names: bool,
    facts: Vec<(&'static str, i64, Option<String>)>,
    variants: Vec<VariantLine>,
    variants_table: Table,
    names: usize,
    names_href: String,
    absent: Vec<(String, String, String)>,
    absent_total: usize,
    by_account_href: String,
    /// Where the same results stand beside AWS's aggregator, if it was read.
    aggregator_href: Option<String>,
    parameters: Parameters,
    patterns: Patterns,
    axis: Axis,
    bars: Bars,
    as_of: Date,
    oldest: Vec<Oldest>,
    failing: i64,
    failing_href: String,
    controls: Vec<(&'static str, Vec<&'static Control>)>,
    provenance: Provenance,
}

/// A way by which the rule comes, with the rows of its names.
struct VariantLine {
    variant: Variant,
    href: String,
    names_href: String,
}

/// Failing evaluations day by day, as bars.
struct Bars {
    days: Vec<RuleDay>,
    most: i64,
    sentence: String,
}

struct Oldest {
    since: Date,
    days: i64,
    account_id: String,
    account_name: String,
    account_href: String,
    region: String,
    rule: String,
    resource_type: String,
    resource_id: String,
    href: String,
    /// The rule in the account and Region, with AWS's notes.
    result_href: String,
}

async fn show(state: Data<State>, path: Path<String>, mut view: View) -> Result<HttpResponse, Error> {
    let core_name = path.into_inner();
    let filter = Filter::parse(&view.address, Offers::default(), &["format"])?;
    let format = Format::of(&view.address)?;
    let shown = Shown::load(state, &mut view).await?;
    let rules: Vec<&Rule> = shown.catalog.of_core(&core_name).collect();
    let Some(first_rule) = rules.first() else { return Err(Error::NotFound) };
    let rule_ids: Vec<i32> = rules.iter().map(|rule| rule.rule_id).collect();
    let places = filter.places(&shown.places);
    let asking = Asking { core_name: &core_name, filter: &filter, places: &places, rule_ids: &rule_ids };
    if let Some(format) = format {
        let found = asking.found(&shown, &mut view).await?;
        let accounts = by_account(&shown, &places, &found);
        return Ok(download_rows(format, &view, core_name, accounts));
    }
    let (found, past) = asking.found_and_past(&shown, &mut view).await?;
    let parameters = asking.parameters(&shown, &mut view, &found.present).await?;

    let figures = Standing::of(&shown, &places, &found);
    let evidence = Evidence::of(view.as_of, places.iter().copied());
    let scope = filter.pairs(&[]);
    let rows = |status: &str| {
        link(&view, "/evaluations", &[&[("rule", core_name.as_str()), ("status", status)], &scope[..]].concat())
    };
    let definitions = [("rule", core_name.as_str())];
    let definitions = link(&view, "/rule-definitions", &[&definitions, &scope[..]].concat());
    let (variants, variants_table) = variant_lines(&view, &shown, &rules, &found, &scope);
    let page = RulePage {
        lead: figures.sentence(),
        filters: filter::form(&view.address, &shown.places, &shown.catalog, Offers::default()),
        several_names: figures.several_names,
        facts: figures.facts(&rows),
        variants,
        variants_table,
        names: rules.len(),
        names_href: link(&view, &format!("/rules/{}/names", Encoded(&core_name)), &scope),
        absent_total: figures.absent.len(),
        absent: figures
            .absent
            .iter()
            .take(ABSENT)
            .map(|(id, name)| ((*id).to_owned(), (*name).to_owned(), super::accounts::href(&view, id)))
            .collect(),
        aggregator_href: shown.beside_aggregator(&view, ("rule", core_name.as_str())),
        parameters: parameters.leading_to(definitions),
        by_account_href: view.address.start().with("format", "csv").to_string(),
        patterns: Patterns,
        axis: Axis::new(past.first, view.as_of + Duration::DAY),
        bars: bars(&past, view.as_of),
        as_of: view.as_of,
        oldest: past.oldest.iter().filter_map(|row| oldest_line(&view, &shown, row)).collect(),
        failing: figures.counts.not_complying,
        failing_href: rows("non-compliant"),
        controls: controls(first_rule),
        provenance: shown.provenance(&view, &evidence, &filter),
        frame: view.frame(Section::Rules, core_name.clone()).crumb("Rules", "/rules"),
        identifier: first_rule.identifier.clone(),
        title: first_rule.title.clone(),
        severity: first_rule.severity(),
        core_name,
    };
    Ok(Page(page).answer(StatusCode::OK))
}

/// The ways by which the rule comes: each conformance pack, and each other way.
fn variant_lines(
    view: &View,
    shown: &Shown,
    rules: &[&Rule],
    found: &Found,
    scope: &[(&str, &str)],
) -> (Vec<VariantLine>, Table) {
    let mut all = variants(shown, rules, found, |rule| (rule.origin.as_str(), rule.pack.as_str()));
    // Those that are there on the day first.
    all.sort_by_key(|variant| std::cmp::Reverse(variant.places));
    let core_name = rules.first().map_or("", |rule| rule.core_name.as_str());
    let columns = [
        text("Comes by"),
        text("Conformance pack"),
        text("Name as delivered"),
        number("Accounts"),
        number("Account-Regions"),
        number("Failing"),
        number("Complying"),
    ];
    let caption = "How the rule comes to be there, and where it exists";
    let mut table =
        Table::whole("variants", caption, &columns, &view.address, all.len().min(VARIANTS)).as_of(view.as_of);
    table.total = i64::try_from(all.len()).unwrap_or(i64::MAX);
    let line = |variant: Variant| {
        let of = [("origin", variant.origin.as_str()), ("pack", variant.pack.as_str())];
        let rows = match variant.names.as_slice() {
            [name] => vec![("rule", core_name), ("name", name.as_str())],
            _ => [&[("rule", core_name)], &of[..]].concat(),
        };
        VariantLine {
            href: link(view, "/evaluations", &[&rows[..], scope].concat()),
            names_href: link(view, &format!("/rules/{}/names", Encoded(core_name)), &[&of[..], scope].concat()),
            variant,
        }
    };
    (all.into_iter().take(VARIANTS).map(line).collect(), table)
}

/// What the rule says in each account: present, counts, and last known evaluations without evidence that day.
type ByAccount = BTreeMap<String, (String, bool, Counts, i64)>;

fn by_account(shown: &Shown, places: &[&PlaceDay], found: &Found) -> ByAccount {
    let mut accounts: ByAccount = BTreeMap::new();
    for place in places {
        accounts
            .entry(place.account_id.clone())
            .or_insert_with(|| (place.account_name.clone(), false, Counts::default(), 0));
    }
    for (place_id, _) in &found.present {
        if let Some(line) = shown.place(*place_id).and_then(|place| accounts.get_mut(&place.account_id)) {
            line.1 = true;
        }
    }
    for counted in &found.counted {
        let Some(place) = shown.place(counted.place_id) else { continue };
        let Some(line) = accounts.get_mut(&place.account_id) else { continue };
        if place.known() {
            line.2 += counted.counts;
        } else if place.expected {
            line.3 += counted.counts.carried();
        }
    }
    accounts
}

fn download_rows(format: Format, view: &View, core_name: String, accounts: ByAccount) -> HttpResponse {
    let day = view.as_of;
    download(format, &view.stem(format!("rule-{core_name}")), &DOWNLOAD, move |mut to| async move {
        for (account_id, (account_name, present, counts, carried)) in accounts {
            to.push([
                day.into(),
                core_name.as_str().into(),
                account_id.into(),
                account_name.into(),
                present.into(),
                counts.complying.into(),
                counts.not_complying.into(),
                counts.insufficient_data.into(),
                counts.unrecognised.into(),
                counts.not_applicable.into(),
                carried.into(),
            ])
            .await?;
        }
        Ok(to)
    })
}

fn bars(past: &Past, until: Date) -> Bars {
    let days = past.days.clone();
    let known = days.iter().filter(|day| day.known_places > 0).count();
    let failing = days.iter().filter(|day| day.failing > 0).count();
    let silent = days.iter().filter(|day| day.silent_failing > 0).count();
    let worst = days.iter().rev().max_by_key(|day| day.failing);
    let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    let words = |days: usize| plural(number(days), "known day");
    let mut sentence = match worst {
        Some(worst) if worst.failing > 0 => format!(
            "Failing on {} of {} from {} to {} (UTC); most on {}: {}.",
            count(number(failing)),
            words(known),
            day(past.first),
            day(until),
            day(worst.day),
            count(worst.failing)
        ),
        _ => format!("Failing on none of {} from {} to {} (UTC).", words(known), day(past.first), day(until)),
    };
    if silent > 0 {
        let on = if silent == 1 { "1 day".to_owned() } else { format!("{} days", count(number(silent))) };
        _ = write!(
            sentence,
            " On {on} some account-Regions brought no evidence; what was last known to fail there is hatched."
        );
    }
    let most = days.iter().map(|day| day.failing + day.silent_failing).max().unwrap_or_default();
    Bars { days, most, sentence }
}

impl Bars {
    fn width(&self) -> usize {
        self.days.len().max(1)
    }

    /// Height of a bar, of 100; what fails at all can be seen.
    fn height(&self, failing: i64) -> i64 {
        if self.most == 0 || failing == 0 { 0 } else { (failing * 100 / self.most).max(2) }
    }

    /// Heights of a day's two parts: failing, and on top of it last known to fail.
    fn heights(&self, day: &RuleDay) -> (i64, i64) {
        let failing = self.height(day.failing);
        let all = self.height(day.failing + day.silent_failing).max(failing);
        (failing, all - failing)
    }
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
        since: row.since,
        days: (view.as_of - row.since).whole_days() + 1,
        account_href: super::accounts::href(view, &place.account_id),
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

/// Where a relation comes from, in words; the data's own words stand in `DATA.md`.
fn basis(word: &str) -> String {
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

/// Related controls by framework.
fn controls(rule: &Rule) -> Vec<(&'static str, Vec<&'static Control>)> {
    let mut frameworks: Vec<(&'static str, Vec<&'static Control>)> = Vec::new();
    for control in rule.identifier.as_deref().map(rule_data::related_controls).unwrap_or_default() {
        match frameworks.last_mut() {
            Some((framework, controls)) if *framework == control.framework => controls.push(control),
            _ => frameworks.push((control.framework, vec![control])),
        }
    }
    frameworks
}
