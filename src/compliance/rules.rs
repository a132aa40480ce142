//! Rules by core name: what each says over all accounts.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, Data};
use askama::Template;
use rustc_hash::{FxHashMap, FxHashSet};

use super::Severity;
use super::core::{Evidence, PlaceDay};
use super::db::rules::{self as rules_db, RuleTotal, Scope};
use super::filter::{self, Filter, Offers, Which};
use super::shown::{Shown, known_accounts, link, nothing_left, page_of, presence};
use crate::State;
use crate::error::Error;
use crate::web::address::Encoded;
use crate::web::download::{Format, download};
use crate::web::form::Filters;
use crate::web::format::{count, day, plural};
use crate::web::parts::{self, Empty, Provenance};
use crate::web::table::{self, Column, PLACE_KEYS, Place, Sort, Table};
use crate::web::{Access, Endpoint, Frame, Page, SCOPE, Section, View, filters};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::get("/rules", Access::Rooms, || web::get().to(list))]
}

/// The page of a core rule.
pub(super) fn href(view: &View, core_name: &str) -> String {
    link(view, &format!("/rules/{}", Encoded(core_name)), &[])
}

const OFFERS: Offers = Offers { rule: true, severity: true, status: true, resource_type: true, age: false };

const COLUMNS: [Column; 7] = [
    table::text("Rule").by("rule"),
    table::text("Severity").by("severity").most_first(),
    table::number("Failing").by("failing"),
    table::number("of known").by("known"),
    table::number("Failing accounts").by("accounts"),
    table::number("Unknown").by("unknown"),
    table::number("Absent from accounts").by("absent"),
];

const DOWNLOAD: [&str; 13] = [
    "day",
    "rule",
    "rule_identifier",
    "severity",
    "title",
    "complying",
    "not_complying",
    "insufficient_data",
    "unrecognised",
    "not_applicable",
    "unknown_without_evidence",
    "failing_accounts",
    "present_in_accounts",
];

#[derive(Template)]
#[template(path = "compliance/rules.html")]
struct RulesPage<'a> {
    frame: Frame,
    lead: String,
    filters: Filters,
    table: Table,
    rows: &'a [RuleLine],
    accounts: i64,
    empty: Option<Empty>,
    provenance: Provenance,
}

struct RuleLine {
    core_name: String,
    href: String,
    identifier: Option<String>,
    title: Option<String>,
    severity: Severity,
    /// Names as delivered that stand for it.
    names: i64,
    total: RuleTotal,
    present: i64,
    absent: i64,
    failing_href: String,
    unknown_href: String,
}

impl RuleLine {
    fn unknown(&self) -> i64 {
        self.total.counts.unknown() + self.total.carried
    }

    fn known(&self) -> i64 {
        self.total.counts.complying + self.total.counts.not_complying
    }
}

async fn list(state: Data<State>, mut view: View) -> Result<HttpResponse, Error> {
    let filter = Filter::parse(&view.address, OFFERS, &PLACE_KEYS)?;
    let format = Format::of(&view.address)?;
    let at = Place::of(&view.address, 1)?;
    let shown = Shown::load(state, &mut view).await?;
    let places = filter.places(&shown.places);
    let mut rules = load(&shown, &mut view, &filter, &places).await?;
    let sort = Sort::of(&view.address, &COLUMNS, Sort::down("severity"));
    sort_by(&mut rules, sort);
    if let Some(format) = format {
        return Ok(rows(format, &view, rules));
    }
    let (part, more) = page_of(&rules, &at, |line| line.core_name.as_str())?;
    let key = |line: Option<&RuleLine>| line.map(|line| table::key(&[&line.core_name]));
    let total = i64::try_from(rules.len()).unwrap_or(i64::MAX);
    let evidence = Evidence::of(view.as_of, places.iter().copied());
    let page = RulesPage {
        lead: lead(&view, &rules),
        filters: filter::form(&view.address, &shown.places, &shown.catalog, OFFERS),
        table: Table::whole("rules", "Rules by core name", &COLUMNS, &view.address, part.len())
            .sorted(sort)
            .as_of(view.as_of)
            .with_formats()
            .paged(&at, key(part.first()), key(part.last()), more, total),
        accounts: known_accounts(&places),
        empty: rules.is_empty().then(|| empty(&view, &shown)),
        provenance: shown.provenance(&view, &evidence, &filter),
        frame: view.frame(Section::Rules, "Rules"),
        rows: part,
    };
    Ok(Page(page).answer(StatusCode::OK))
}

fn empty(view: &View, shown: &Shown) -> Empty {
    if shown.catalog.rules.is_empty() {
        return Empty::new("No rules to show", "No AWS::Config::ResourceCompliance item was delivered yet.")
            .next("See what was delivered when", link(view, "/delivery", &[]));
    }
    nothing_left("No rules to show", &view.address)
}

fn lead(view: &View, rules: &[RuleLine]) -> String {
    let failing = rules.iter().filter(|line| line.total.counts.not_complying > 0).count();
    let evaluations: i64 = rules.iter().map(|line| line.total.counts.not_complying).sum();
    let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    let all = plural(number(rules.len()), "rule");
    let verb = if failing == 1 { "fails" } else { "fail" };
    format!(
        "{} of {all} {verb} somewhere, on {}, as of {} (UTC).",
        count(number(failing)),
        plural(evaluations, "evaluation"),
        day(view.as_of)
    )
}

/// The totals of every core rule over some places.
pub(super) async fn totals(
    shown: &Shown,
    view: &mut View,
    places: &[&PlaceDay],
    resource_type_id: Option<i16>,
    what: &str,
) -> Result<Arc<Vec<RuleTotal>>, Error> {
    let key = view.key(&format!("rules {} {resource_type_id:?} {what}", view.as_of));
    if let Some(totals) = shown.recall(key.as_deref()) {
        return Ok(totals);
    }
    let scope = Scope {
        place_ids: places.iter().map(|place| place.place_id).collect(),
        known: places.iter().map(|place| place.known()).collect(),
    };
    let totals = Arc::new(rules_db::totals(&mut view.read, &scope, resource_type_id, view.as_of).await?);
    shown.remember(key, &totals, totals.len() * 180);
    Ok(totals)
}

async fn load(shown: &Shown, view: &mut View, filter: &Filter, places: &[&PlaceDay]) -> Result<Vec<RuleLine>, Error> {
    let Ok(resource_type_id) = filter.resource_type_id(&shown.catalog) else { return Ok(Vec::new()) };
    let what = filter.scope_words();
    let totals = totals(shown, view, places, resource_type_id, &what).await?;
    let present = presence(shown, view, places, &what).await?;
    let totals: FxHashMap<&str, &RuleTotal> = totals.iter().map(|total| (total.core_name.as_str(), total)).collect();
    let wanted: Option<FxHashSet<i32>> = filter.rule_ids(&shown.catalog).map(|rule_ids| rule_ids.into_iter().collect());
    // Within a scope, a rule that exists elsewhere is absent; without one there is no elsewhere.
    let everywhere = if what.is_empty() {
        Arc::default()
    } else {
        presence(shown, view, &shown.places.iter().collect::<Vec<_>>(), "").await?
    };
    let known = known_accounts(places);
    let kept = filter.pairs(&["rule", "name", "severity"]);
    let scope: Vec<(&str, &str)> = kept.iter().copied().filter(|(key, _)| SCOPE.contains(key)).collect();
    let mut lines: FxHashMap<&str, RuleLine> = FxHashMap::default();
    for rule in &shown.catalog.rules {
        if wanted.as_ref().is_some_and(|wanted| !wanted.contains(&rule.rule_id)) {
            continue;
        }
        let total = totals.get(rule.core_name.as_str());
        let present = present.get(&rule.core_name).copied().unwrap_or(0);
        // A rule that the day does not have is not of the day; nor is one without the asked type.
        let elsewhere = known > 0 && everywhere.contains_key(&rule.core_name);
        if total.is_none() && ((present == 0 && !elsewhere) || resource_type_id.is_some()) {
            continue;
        }
        let status = |total: &&RuleTotal| -> i64 {
            let silent = if matches!(filter.which, Which::Carried | Which::Unknown) { total.carried } else { 0 };
            filter.which.count(true, &total.counts) + silent
        };
        if filter.which != Which::All && total.map_or(0, status) == 0 {
            continue;
        }
        let line = lines.entry(&rule.core_name).or_insert_with(|| {
            let core_name = rule.core_name.as_str();
            let rows =
                |status| link(view, "/evaluations", &[&[("rule", core_name), ("status", status)], &kept[..]].concat());
            RuleLine {
                core_name: core_name.to_owned(),
                href: link(view, &format!("/rules/{}", Encoded(core_name)), &scope),
                identifier: rule.identifier.clone(),
                title: rule.title.clone(),
                severity: rule.severity(),
                names: 0,
                total: total.map(|total| (*total).clone()).unwrap_or_default(),
                present,
                absent: (known - present).max(0),
                failing_href: rows("non-compliant"),
                unknown_href: rows("unknown"),
            }
        });
        line.names += 1;
    }
    Ok(lines.into_values().collect())
}

fn sort_by(rules: &mut [RuleLine], sort: Sort) {
    rules.sort_by(|one, other| {
        let failing = |line: &RuleLine| line.total.counts.not_complying;
        let order = match sort.by {
            "severity" => (one.severity, failing(one)).cmp(&(other.severity, failing(other))),
            "failing" => failing(one).cmp(&failing(other)),
            "known" => one.known().cmp(&other.known()),
            "accounts" => one.total.failing_accounts.cmp(&other.total.failing_accounts),
            "unknown" => one.unknown().cmp(&other.unknown()),
            "absent" => one.absent.cmp(&other.absent),
            _ => one.core_name.cmp(&other.core_name),
        };
        let order = if sort.descending { order.reverse() } else { order };
        order.then_with(|| one.core_name.cmp(&other.core_name))
    });
}

fn rows(format: Format, view: &View, rules: Vec<RuleLine>) -> HttpResponse {
    let day = view.as_of;
    download(format, &view.stem("rules"), &DOWNLOAD, move |mut to| async move {
        for line in rules {
            let counts = line.total.counts;
            to.push([
                day.into(),
                line.core_name.into(),
                line.identifier.into(),
                line.severity.word().into(),
                line.title.into(),
                counts.complying.into(),
                counts.not_complying.into(),
                counts.insufficient_data.into(),
                counts.unrecognised.into(),
                counts.not_applicable.into(),
                line.total.carried.into(),
                line.total.failing_accounts.into(),
                line.present.into(),
            ])
            .await?;
        }
        Ok(to)
    })
}
