//! One core rule: what it says, where it is, how it went, what fails longest, what it is related to.

mod bars;
mod lists;
mod names;
mod standing;

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Path};
use askama::Template;
use time::{Date, Duration};

use self::bars::{Bars, bars};
use self::lists::{AbsentLine, Oldest, VariantLine};
use self::standing::{Asking, Found, Standing};
use super::Severity;
use super::core::history::RuleDay;
use super::core::{Counts, Evidence, PlaceDay};
use super::db::Rule;
use super::filter::{self, Filter, Offers, Which};
use super::rule_data::Control;
use super::shown::{Shown, as_of, link, no_such_rows};
use crate::State;
use crate::definition::{PARAMETERS_KEYS, ParametersPart};
use crate::error::Error;
use crate::web::address::Encoded;
use crate::web::chart::{Axis, Patterns};
use crate::web::download::{Format, download};
use crate::web::form::Filters;
use crate::web::parts::{self, Provenance};
use crate::web::table::Table;
use crate::web::{Access, Endpoint, Frame, Page, SCOPE, Section, View, filters};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/rules/{core_name}", Access::Rooms, || web::get().to(show)),
        Endpoint::get("/rules/{core_name}/names", Access::Rooms, || web::get().to(names::list)),
    ]
}

const OFFERS: Offers = Offers { rule: false, severity: false, status: true, resource_type: true, age: false };

/// What orders and turns the tables of the page, and names their rows.
const TABLES: [&str; 10] = [
    "variants",
    "variants-sort",
    "absent",
    "absent-sort",
    "oldest-sort",
    "daily-sort",
    "controls",
    "controls-sort",
    "rows",
    "format",
];

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
    /// What the filters leave.
    only: Option<String>,
    several_names: bool,
    facts: Vec<(&'static str, i64, Option<String>)>,
    variants: (Vec<VariantLine>, Table),
    names: usize,
    names_href: String,
    absent: (Vec<AbsentLine>, Table),
    absent_open: bool,
    by_account_href: String,
    /// Where the same results stand beside AWS's aggregator, if it was read.
    aggregator_href: Option<String>,
    parameters: ParametersPart,
    patterns: Patterns,
    axis: Axis,
    bars: Bars,
    daily: (Vec<RuleDay>, Table),
    daily_open: bool,
    as_of: Date,
    oldest: (Vec<Oldest>, Table),
    failing: i64,
    failing_href: String,
    controls: (Vec<&'static Control>, Table),
    controls_open: bool,
    provenance: Provenance,
}

async fn show(state: Data<State>, path: Path<String>, mut view: View) -> Result<HttpResponse, Error> {
    let core_name = path.into_inner();
    let filter = Filter::parse(&view.address, OFFERS, &[&TABLES[..], &PARAMETERS_KEYS].concat())?;
    let format = Format::of(&view.address)?;
    let shown = Shown::load(state, &mut view).await?;
    let rules: Vec<&Rule> = shown.catalog.of_core(&core_name).collect();
    let Some(first_rule) = rules.first() else { return Err(Error::NotFound) };
    let rule_ids: Vec<i32> = rules.iter().map(|rule| rule.rule_id).collect();
    let places = filter.places(&shown.places);
    let asking = Asking::new(&shown, &core_name, &filter, &places, &rule_ids);
    if let Some(format) = format {
        return rows(format, &shown, &mut view, &asking, &rules).await;
    }
    let (found, past) = asking.found_and_past(&shown, &mut view).await?;
    let parameters = asking.parameters(&shown, &mut view, &found.present).await?;

    let figures = Standing::of(&shown, &places, &found);
    let evidence = Evidence::of(view.as_of, places.iter().copied());
    let pairs = filter.pairs(&[]);
    let evaluations = |status: &str| {
        link(&view, "/evaluations", &[&[("rule", core_name.as_str()), ("status", status)], &pairs[..]].concat())
    };
    let scope: Vec<(&str, &str)> = pairs.iter().copied().filter(|(key, _)| SCOPE.contains(key)).collect();
    let definitions = link(&view, "/rule-definitions", &[&[("rule", core_name.as_str())], &scope[..]].concat());
    let address = &view.address;
    let is_asked = |keys: &[&str]| keys.iter().any(|key| address.get(key).is_some());
    let variants = lists::variant_lines(&view, &shown, &rules, &found, &filter);
    let absent = lists::absent_lines(&view, &core_name, filter.which, &figures);
    let oldest = lists::oldest_lines(&view, &shown, filter.which, &past.oldest);
    let named = [&pairs[..], &[("status", filter.which.slug())]].concat();
    let page = RulePage {
        lead: figures.sentence(),
        filters: filter::form(address, &shown.places, &shown.catalog, OFFERS),
        only: filter.sentence(&[]),
        several_names: figures.several_names,
        facts: figures.facts(filter.which, &evaluations),
        variants: as_of(
            &view,
            lists::ways().table(address, "How the rule comes to be there, and where it exists", variants)?,
        ),
        names: rules.len(),
        names_href: link(&view, &format!("/rules/{}/names", Encoded(&core_name)), &named),
        absent: as_of(&view, lists::absent().table(address, "Accounts without the rule", absent)?),
        absent_open: is_asked(&["absent", "absent-sort"]),
        aggregator_href: shown.beside_aggregator(&view, ("rule", core_name.as_str())),
        parameters: parameters.part(address, definitions)?,
        by_account_href: address.start().with("format", "csv").to_string(),
        patterns: Patterns,
        axis: Axis::new(past.first, view.as_of + Duration::DAY),
        bars: bars(&past, view.as_of),
        daily: bars::daily().table(address, "Failing evaluations each day", past.days.clone())?,
        daily_open: is_asked(&["daily-sort"]),
        as_of: view.as_of,
        oldest: as_of(&view, lists::oldest().table(address, "Failing evaluations, longest first", oldest)?),
        failing: figures.counts.not_complying,
        failing_href: evaluations("non-compliant"),
        controls: lists::controls().table(address, "Related controls", related(first_rule))?,
        controls_open: is_asked(&["controls", "controls-sort"]),
        provenance: shown.provenance(&view, &evidence, &filter),
        frame: view.frame(Section::Rules, core_name.clone()).crumb("Rules", "/rules"),
        identifier: first_rule.identifier.clone(),
        title: first_rule.title.clone(),
        severity: first_rule.severity(),
        core_name: core_name.clone(),
    };
    Ok(Page(page).answer(StatusCode::OK))
}

fn related(rule: &Rule) -> Vec<&'static Control> {
    lists::related(rule).iter().collect()
}

/// The rows of one of the tables, what the rule says in each account where none is named.
async fn rows(
    format: Format,
    shown: &Shown,
    view: &mut View,
    asking: &Asking<'_>,
    rules: &[&Rule],
) -> Result<HttpResponse, Error> {
    let asked = view.address.get("rows").unwrap_or("accounts").to_owned();
    let core_name = asking.core_name;
    let past = match asked.as_str() {
        "oldest" | "daily" => Some(asking.found_and_past(shown, view).await?.1),
        _ => None,
    };
    let found = asking.found(shown, view).await?;
    if asked == "parameters" {
        let parameters = asking.parameters(shown, view, &found.present).await?;
        return Ok(parameters.download(format, &view.stem(format!("rule-{core_name}-parameters")), &view.address));
    }
    let (view, address, filter) = (&*view, &view.address, asking.filter);
    let stem = match asked.as_str() {
        "accounts" => view.stem(format!("rule-{core_name}")),
        rows => view.stem(format!("rule-{core_name}-{rows}")),
    };
    Ok(match (asked.as_str(), past) {
        ("accounts", _) => {
            let accounts = by_account(shown, asking.places, &found, filter.which);
            download_rows(format, view, &stem, core_name.to_owned(), accounts)
        }
        ("variants", _) => {
            let lines = lists::variant_lines(view, shown, rules, &found, filter);
            lists::ways().download(format, &stem, address, lines)
        }
        ("absent", _) => {
            let standing = Standing::of(shown, asking.places, &found);
            let lines = lists::absent_lines(view, core_name, filter.which, &standing);
            lists::absent().download(format, &stem, address, lines)
        }
        ("oldest", Some(past)) => {
            let lines = lists::oldest_lines(view, shown, filter.which, &past.oldest);
            lists::oldest().download(format, &stem, address, lines)
        }
        ("daily", Some(past)) => bars::daily().download(format, &stem, address, past.days.clone()),
        ("controls", _) => {
            let controls = rules.first().map(|rule| related(rule)).unwrap_or_default();
            lists::controls().download(format, &stem, address, controls)
        }
        _ => return Err(no_such_rows()),
    })
}

/// What the rule says in each account: present, counts, and last known evaluations without evidence that day.
type ByAccount = BTreeMap<String, (String, bool, Counts, i64)>;

fn by_account(shown: &Shown, places: &[&PlaceDay], found: &Found, which: Which) -> ByAccount {
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
    if which != Which::All {
        let silent = |carried: i64| if which.meets(Which::Carried) { carried } else { 0 };
        accounts.retain(|_, (_, _, counts, carried)| which.count(true, counts) + silent(*carried) > 0);
    }
    accounts
}

fn download_rows(format: Format, view: &View, stem: &str, core_name: String, accounts: ByAccount) -> HttpResponse {
    let day = view.as_of;
    download(format, stem, &DOWNLOAD, move |mut to| async move {
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
