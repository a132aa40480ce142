//! One core rule: what it says, where it is, how it went, what fails longest, what it is related to.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Path};
use askama::Template;
use time::{Date, Duration};

use super::Severity;
use super::core::history::{PlaceSpan, RuleDay, rule_days};
use super::core::{Counts, Evidence, PlaceDay};
use super::db::evaluations::{self as rows_db, Asked};
use super::db::{Rule, rules as rules_db};
use super::rule_data::{self, Control};
use super::shown::{Shown, link};
use crate::State;
use crate::definition::Parameters;
use crate::error::Error;
use crate::web::chart::{Axis, Patterns};
use crate::web::format::{count, day, plural};
use crate::web::parts::{self, Provenance};
use crate::web::{Access, Endpoint, Frame, Page, Section, View, filters};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::get("/rules/{core_name}", Access::SignedIn, || web::get().to(show))]
}

const DAYS: i64 = 90;
const OLDEST: i64 = 50;

#[derive(Template)]
#[template(path = "compliance/rule.html")]
struct RulePage {
    frame: Frame,
    core_name: String,
    identifier: Option<String>,
    title: Option<String>,
    severity: Severity,
    lead: String,
    several_names: bool,
    facts: Vec<(&'static str, i64, Option<String>)>,
    variants: Vec<Variant>,
    parameters: Parameters,
    absent: Vec<(String, String, String)>,
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

/// A name under which the rule is delivered.
struct Variant {
    name: String,
    href: String,
    origin: String,
    pack: String,
    accounts: i64,
    places: i64,
    counts: Counts,
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
}

async fn show(state: Data<State>, path: Path<String>, mut view: View) -> Result<HttpResponse, Error> {
    let core_name = path.into_inner();
    let shown = Shown::load(state, &mut view).await?;
    let rules: Vec<&Rule> = shown.catalog.rules.iter().filter(|rule| rule.core_name == core_name).collect();
    let Some(first_rule) = rules.first() else { return Err(Error::NotFound) };
    let rule_ids: Vec<i32> = rules.iter().map(|rule| rule.rule_id).collect();
    let place_ids: Vec<i32> = shown.places.iter().map(|place| place.place_id).collect();
    let known_ids: Vec<i32> = shown.places.iter().filter(|place| place.known()).map(|place| place.place_id).collect();
    let first = (view.as_of - Duration::days(DAYS - 1)).max(view.first_day);

    let day_asked = Asked { day: view.as_of, place_ids: &place_ids, rule_ids: Some(&rule_ids), resource_type_id: None };
    let counted = rows_db::by_rule(&mut view.read, &day_asked).await?;
    let present = rules_db::present_in(&mut view.read, &known_ids, &rule_ids, view.as_of).await?;
    let history = rules_db::history(&mut view.read, &place_ids, &rule_ids, first, view.as_of).await?;
    let known_days = rules_db::known_days(&mut view.read, &place_ids, first, view.as_of).await?;
    let failing_asked = Asked { place_ids: &known_ids, ..day_asked };
    let oldest = rows_db::oldest_failing(&mut view.read, &failing_asked, OLDEST).await?;

    let named = present
        .iter()
        .filter_map(|(place_id, rule_id)| shown.catalog.rule(*rule_id).map(|(_, rule)| (*place_id, rule.name.clone())));
    let named: Vec<(i32, String)> = named.collect();
    let definitions = link(&view, "/rule-definitions", &[("rule", &core_name)]);
    let parameters = Parameters::load(&mut view.read, &named, view.as_of, definitions).await?;

    let figures = Standing::of(&shown, &counted, &present);
    let bars = bars(&history, &known_days, first, view.as_of);
    let evidence = Evidence::of(view.as_of, shown.places.iter());
    let rows = |status: &str| link(&view, "/evaluations", &[("rule", &core_name), ("status", status)]);
    let page = RulePage {
        lead: figures.sentence(),
        several_names: figures.several_names,
        facts: figures.facts(&rows),
        variants: rules.iter().map(|rule| variant(&view, &shown, rule, &counted, &present)).collect(),
        parameters,
        absent: figures
            .absent
            .iter()
            .map(|(id, name)| ((*id).to_owned(), (*name).to_owned(), super::accounts::href(&view, id)))
            .collect(),
        patterns: Patterns,
        axis: Axis::new(first, view.as_of + Duration::DAY),
        bars,
        as_of: view.as_of,
        oldest: oldest.into_iter().filter_map(|row| oldest_line(&view, &shown, row)).collect(),
        failing: figures.counts.not_complying,
        failing_href: rows("non-compliant"),
        controls: controls(first_rule),
        provenance: shown.provenance(&view, &evidence),
        frame: view.frame(Section::Rules, core_name.clone()).crumb("Rules", "/rules"),
        identifier: first_rule.identifier.clone(),
        title: first_rule.title.clone(),
        severity: first_rule.severity(),
        core_name,
    };
    Ok(Page(page).answer(StatusCode::OK))
}

/// A rule's standing on a day.
struct Standing<'a> {
    counts: Counts,
    carried: i64,
    failing_accounts: i64,
    accounts: i64,
    present: i64,
    /// Id and name.
    absent: Vec<(&'a str, &'a str)>,
    /// Whether some place has the rule under several names.
    several_names: bool,
}

impl<'a> Standing<'a> {
    fn of(shown: &'a Shown, counted: &[rows_db::Counted], present: &[(i32, i32)]) -> Self {
        let mut counts = Counts::default();
        let mut carried = 0;
        let mut failing: BTreeSet<&str> = BTreeSet::new();
        let mut names: BTreeMap<i32, i64> = BTreeMap::new();
        for counted in counted {
            let Some(place) = shown.place(counted.place_id) else { continue };
            if place.known() {
                counts += counted.counts();
                *names.entry(place.place_id).or_default() += 1;
                if counted.counts().not_complying > 0 {
                    failing.insert(&place.account_id);
                }
            } else {
                carried += counted.counts().carried();
            }
        }
        let known: BTreeMap<&str, &str> = shown
            .places
            .iter()
            .filter(|place| place.known())
            .map(|place| (place.account_id.as_str(), place.account_name.as_str()))
            .collect();
        let here: BTreeSet<&str> = present
            .iter()
            .filter_map(|(place_id, _)| shown.place(*place_id))
            .map(|place| place.account_id.as_str())
            .collect();
        let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        Self {
            counts,
            carried,
            failing_accounts: number(failing.len()),
            accounts: number(known.len()),
            present: number(here.len()),
            absent: known.into_iter().filter(|(id, _)| !here.contains(id)).collect(),
            several_names: names.values().any(|names| *names > 1),
        }
    }

    /// "Fails on 37 of 1,204 resources in 6 of 24 accounts; not present in 3."
    fn sentence(&self) -> String {
        let known = self.counts.complying + self.counts.not_complying;
        let mut sentence = if self.present == 0 && known == 0 {
            format!("Exists in none of {} with evidence for the day", plural(self.accounts, "account"))
        } else if self.counts.not_complying == 0 {
            let what = if self.several_names { "evaluation" } else { "resource" };
            format!("Fails on none of {} in {}", plural(known, what), plural(self.accounts, "account"))
        } else {
            let what = if self.several_names { "evaluation" } else { "resource" };
            format!(
                "Fails on {} of {} in {} of {}",
                count(self.counts.not_complying),
                plural(known, what),
                count(self.failing_accounts),
                plural(self.accounts, "account")
            )
        };
        if !self.absent.is_empty() && self.present > 0 {
            _ = write!(sentence, "; not present in {}", count(self.accounts - self.present));
        }
        let unknown = self.counts.unknown() + self.carried;
        if unknown > 0 {
            _ = write!(sentence, "; {} unknown", count(unknown));
        }
        sentence.push('.');
        sentence
    }

    fn facts(&self, rows: &dyn Fn(&str) -> String) -> Vec<(&'static str, i64, Option<String>)> {
        [
            ("NON_COMPLIANT", self.counts.not_complying, "non-compliant"),
            ("COMPLIANT", self.counts.complying, "compliant"),
            ("INSUFFICIENT_DATA", self.counts.insufficient_data, "insufficient-data"),
            ("unrecognised status", self.counts.unrecognised, "unrecognised"),
            ("unknown: no evidence that day", self.carried, "carried"),
            ("NOT_APPLICABLE", self.counts.not_applicable, "not-applicable"),
        ]
        .into_iter()
        .map(|(words, evaluations, status)| (words, evaluations, (evaluations > 0).then(|| rows(status))))
        .collect()
    }
}

fn variant(view: &View, shown: &Shown, rule: &Rule, counted: &[rows_db::Counted], present: &[(i32, i32)]) -> Variant {
    let places: Vec<&PlaceDay> = present
        .iter()
        .filter(|(_, rule_id)| *rule_id == rule.rule_id)
        .filter_map(|(place_id, _)| shown.place(*place_id))
        .collect();
    let accounts: BTreeSet<&str> = places.iter().map(|place| place.account_id.as_str()).collect();
    let counts = counted
        .iter()
        .filter(|counted| counted.rule_id == rule.rule_id)
        .filter(|counted| shown.place(counted.place_id).is_some_and(PlaceDay::known))
        .map(rows_db::Counted::counts)
        .sum();
    Variant {
        name: rule.name.clone(),
        href: link(view, "/evaluations", &[("rule", &rule.name)]),
        origin: rule.origin.clone(),
        pack: rule.pack.clone(),
        accounts: i64::try_from(accounts.len()).unwrap_or(i64::MAX),
        places: i64::try_from(places.len()).unwrap_or(i64::MAX),
        counts,
    }
}

fn bars(history: &[rules_db::Held], known: &[(i32, Vec<Date>)], first: Date, until: Date) -> Bars {
    let spans: Vec<PlaceSpan> = history
        .iter()
        .map(|held| PlaceSpan {
            place_id: held.place_id,
            first: held.first_day,
            end: held.end_day,
            failing: held.not_complying,
            spoken: held.spoken,
        })
        .collect();
    let days = rule_days(&spans, known, first, until);
    let known = days.iter().filter(|day| day.known_places > 0).count();
    let failing = days.iter().filter(|day| day.failing > 0).count();
    let most = days.iter().rev().max_by_key(|day| day.failing);
    let words = |number: usize| plural(i64::try_from(number).unwrap_or(i64::MAX), "known day");
    let sentence = match most {
        Some(most) if most.failing > 0 => format!(
            "Failing on {} of {} from {} to {} (UTC); most on {}: {}.",
            count(i64::try_from(failing).unwrap_or(i64::MAX)),
            words(known),
            day(first),
            day(until),
            day(most.day),
            count(most.failing)
        ),
        _ => format!("Failing on none of {} from {} to {} (UTC).", words(known), day(first), day(until)),
    };
    Bars { most: most.map_or(0, |day| day.failing), days, sentence }
}

impl Bars {
    fn width(&self) -> usize {
        self.days.len().max(1)
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "a template hands on references")]
    /// Height of a bar, of 100; what fails at all can be seen.
    fn height(&self, failing: &i64) -> i64 {
        if self.most == 0 || *failing == 0 { 0 } else { (failing * 100 / self.most).max(2) }
    }
}

fn oldest_line(view: &View, shown: &Shown, row: rows_db::FailingRow) -> Option<Oldest> {
    let place = shown.place(row.place_id)?;
    let (_, rule) = shown.catalog.rule(row.rule_id)?;
    let resource_type = shown.catalog.type_name(row.resource_type_id).to_owned();
    let pairs =
        [("account", place.account_id.as_str()), ("region", &place.region), ("type", &resource_type), ("id", &row.id)];
    Some(Oldest {
        since: row.since,
        days: (view.as_of - row.since).whole_days() + 1,
        account_href: super::accounts::href(view, &place.account_id),
        account_id: place.account_id.clone(),
        account_name: place.account_name.clone(),
        region: place.region.clone(),
        rule: rule.name.clone(),
        href: link(view, "/resources", &pairs),
        resource_type,
        resource_id: row.id,
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
