//! One conformance pack: where it is deployed, AWS's verdict there beside ours, and its rules.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use askama::Template;
use time::{Date, OffsetDateTime};

use super::core::{RuleCounts, Said};
use super::db::{self, Delivered};
use super::known;
use crate::State;
use crate::compliance::Status;
use crate::compliance::core::{Evidence, PlaceDay};
use crate::compliance::db::rules::{self as rules_db, Held};
use crate::compliance::filter::{Filter, is_account};
use crate::compliance::shown::{Shown, link, nothing_left, page_of};
use crate::error::Error;
use crate::web::address::Encoded;
use crate::web::download::{Cell, Format, download};
use crate::web::form::{Choice, Filters};
use crate::web::format::{count, day, plural};
use crate::web::parts::{self, Empty, Provenance};
use crate::web::table::{self, Column, PLACE_KEYS, Place, Sort, Table, Window, number, text};
use crate::web::{Frame, Page, Section, View, filters};

/// Rules on a page of their table.
const RULES: usize = 50;

const COLUMNS: [Column; 8] = [
    text("Account").by("account"),
    text("Region").by("region"),
    text("AWS’s verdict").by("verdict").most_first(),
    text("AWS’s counts of rules"),
    text("Ours").by("ours").most_first(),
    text("Our counts of rules"),
    text("Since"),
    text("Aggregator"),
];

const RULE_COLUMNS: [Column; 5] =
    [text("Rule"), number("Account-Regions"), number("Failing"), number("Complying"), number("Without data")];

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

#[derive(Template)]
#[template(path = "compliance/conformance_show.html")]
struct ShowPage {
    frame: Frame,
    name: String,
    lead: String,
    filters: Filters,
    rows: Vec<Line>,
    table: Table,
    empty: Option<Empty>,
    rules: Vec<RuleLine>,
    rules_table: Table,
    provenance: Provenance,
}

/// The pack in a place.
#[derive(Debug, Clone)]
struct Line {
    key: String,
    account_id: String,
    account_name: String,
    account_href: String,
    region: String,
    name: String,
    known: bool,
    verdict: Status,
    theirs: RuleCounts,
    ours: Option<RuleCounts>,
    since: Date,
    there: Option<(Status, RuleCounts, Option<OffsetDateTime>)>,
}

impl Line {
    /// What our counts come to; `None` where the day is not known, or no rule of the pack is.
    fn our_verdict(&self) -> Option<Status> {
        self.ours?.verdict()
    }

    /// "5 of 130 rules have no data", where AWS says COMPLIANT all the same.
    fn hollow(&self) -> Option<String> {
        (self.verdict == Status::Compliant).then(|| self.theirs.no_data_words()).flatten()
    }
}

/// A rule of the pack over the places that are known.
#[derive(Debug, Clone, Default)]
struct RuleLine {
    core_name: String,
    href: String,
    places: i64,
    failing: i64,
    complying: i64,
    no_data: i64,
}

/// What a pack's rules say, place by place and rule by rule.
#[derive(Debug, Default)]
struct Ours {
    delivered: Vec<Delivered>,
    places: BTreeMap<i32, RuleCounts>,
    /// By core name: account-Regions, those that fail, those that comply.
    rules: BTreeMap<String, RuleCounts>,
}

pub(super) async fn show(state: Data<State>, path: Path<String>, mut view: View) -> Result<HttpResponse, Error> {
    let name = path.into_inner();
    view.address.only(&[&["account", "region", "verdict", "rules", "rows"], &PLACE_KEYS])?;
    let format = Format::of(&view.address)?;
    let at = Place::of(&view.address, 1)?;
    let shown = Shown::load(state, &mut view).await?;
    let ours = ours(&shown, &mut view, &name).await?;
    if ours.delivered.is_empty() {
        return Err(Error::NotFound);
    }
    let all: Vec<Line> = ours.delivered.iter().filter_map(|one| line(&shown, &view, &ours, one)).collect();
    let mut rows: Vec<Line> = all.iter().filter(|line| is_meant(&view, line)).cloned().collect();
    let sort = Sort::of(&view.address, &COLUMNS, Sort::up("account"));
    sort_by(&mut rows, sort);
    let mut rules = rule_lines(&view, &ours);
    rules.sort_by(|one, other| (-one.failing, &one.core_name).cmp(&(-other.failing, &other.core_name)));
    if let Some(format) = format {
        return match view.address.get("rows") {
            None | Some("places") => Ok(place_rows(format, &view, name, rows)),
            Some("rules") => Ok(rule_rows(format, &view, name, rules)),
            Some(_) => Err(Error::Invalid("The rows are those of places or rules.".to_owned())),
        };
    }
    let (part, more) = page_of(&rows, &at, |line| line.key.as_str())?;
    let key = |line: Option<&Line>| line.map(|line| table::key(&[&line.key]));
    let total = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    let table = Table::whole("places", "Where it is deployed", &COLUMNS, &view.address, part.len())
        .sorted(sort)
        .as_of(view.as_of)
        .with_formats_of("places")
        .paged(&at, key(part.first()), key(part.last()), more, total);
    let window = Window::of(&view.address, "rules", RULES, rules.len())?;
    let rules_table = Table::whole("rules", "Its rules, where the day is known", &RULE_COLUMNS, &view.address, RULES)
        .windowed(&window)
        .as_of(view.as_of)
        .with_formats_of("rules");
    let evidence = Evidence::of(view.as_of, shown.places.iter());
    let page = ShowPage {
        lead: lead(&view, &all),
        filters: choices(&view, &all),
        empty: rows.is_empty().then(|| nothing_left("No account-Region here", &view.address)),
        rows: part.to_vec(),
        table,
        rules: window.rows(&rules).to_vec(),
        rules_table,
        provenance: shown.provenance(&view, &evidence, &Filter::default()),
        frame: view
            .frame(Section::Rules, name.clone())
            .crumb("Rules", "/rules")
            .crumb("Conformance packs", "/conformance-packs"),
        name,
    };
    Ok(Page(page).answer(StatusCode::OK))
}

/// What the pack's rules say on the day; it stays the same until the next collection.
async fn ours(shown: &Shown, view: &mut View, name: &str) -> Result<Arc<Ours>, Error> {
    let key = view.key(&format!("conformance pack {} {name:?}", view.as_of));
    if let Some(ours) = shown.recall(key.as_deref()) {
        return Ok(ours);
    }
    let delivered = db::delivered(&mut view.read, view.organization_id, Some(name), view.as_of).await?;
    let rule_ids: Vec<i32> =
        shown.catalog.rules.iter().filter(|rule| rule.pack == name).map(|rule| rule.rule_id).collect();
    let here: BTreeSet<i32> = delivered.iter().map(|one| one.place_id).collect();
    let place_ids: Vec<i32> = here.into_iter().filter(|place_id| known(shown.place(*place_id))).collect();
    let (read, day) = (&mut view.read, view.as_of);
    let held = rules_db::history(read, (&place_ids, &place_ids), &rule_ids, day, day).await?;
    let counted = rules_db::counts_on(&held, day);
    let mut ours = Ours { delivered, ..Ours::default() };
    for Held { place_id, rule_id, .. } in held.into_iter().filter(|one| one.presence) {
        let Some((_, rule)) = shown.catalog.rule(rule_id) else { continue };
        let said = counted.get(&(place_id, rule_id)).map_or(Said::NoData, Said::of);
        let of_place = ours.places.entry(place_id).or_default();
        add(of_place, said);
        add(ours.rules.entry(rule.core_name.clone()).or_default(), said);
    }
    let ours = Arc::new(ours);
    shown.remember(key, &ours, ours.delivered.len() * 320 + ours.places.len() * 64 + ours.rules.len() * 120);
    Ok(ours)
}

fn add(counts: &mut RuleCounts, said: Said) {
    counts.all += 1;
    match said {
        Said::Fails => counts.failing += 1,
        Said::Complies => counts.complying += 1,
        Said::NoData => {}
    }
}

fn line(shown: &Shown, view: &View, ours: &Ours, one: &Delivered) -> Option<Line> {
    let place: &PlaceDay = shown.place(one.place_id)?;
    let there = one.there_compliance.as_deref().map(|word| {
        let counts = RuleCounts {
            failing: one.there_non_compliant.unwrap_or_default().into(),
            complying: one.there_compliant.unwrap_or_default().into(),
            all: one.there_total.unwrap_or_default().into(),
        };
        (Status::parse(word), counts, one.there_read_at)
    });
    Some(Line {
        key: format!("{} {}", one.place_id, one.id),
        account_href: crate::compliance::accounts::href(view, &place.account_id),
        account_id: place.account_id.clone(),
        account_name: place.account_name.clone(),
        region: place.region.clone(),
        name: one.name.clone(),
        known: place.known(),
        verdict: shown.catalog.status(one.status_id),
        theirs: one.theirs(),
        ours: place.known().then(|| ours.places.get(&one.place_id).copied().unwrap_or_default()),
        since: one.first_day,
        there,
    })
}

fn is_meant(view: &View, line: &Line) -> bool {
    let asked = |name| view.address.get(name);
    asked("account").is_none_or(|account| is_account(account, &line.account_id, &line.account_name))
        && asked("region").is_none_or(|region| region == line.region)
        && asked("verdict").is_none_or(|verdict| match verdict {
            "unknown" => !line.known,
            "hollow" => line.known && line.hollow().is_some(),
            slug => line.known && line.verdict.slug() == slug,
        })
}

fn choices(view: &View, all: &[Line]) -> Filters {
    let choice = |slug: &str, words: &str| Choice::new(slug, words);
    let verdicts = vec![
        choice("non-compliant", "NON_COMPLIANT"),
        choice("compliant", "COMPLIANT"),
        choice("hollow", "COMPLIANT, with rules without data"),
        choice("insufficient-data", "INSUFFICIENT_DATA"),
        choice("unknown", "no evidence that day"),
    ];
    Filters::new(&view.address)
        .accounts(all.iter().map(|line| (line.account_id.as_str(), line.account_name.as_str())))
        .regions(all.iter().map(|line| line.region.as_str()))
        .select("verdict", "AWS’s verdict", "All verdicts", verdicts)
}

fn lead(view: &View, all: &[Line]) -> String {
    let number =
        |is: &dyn Fn(&Line) -> bool| i64::try_from(all.iter().filter(|line| is(line)).count()).unwrap_or(i64::MAX);
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

fn rank(status: Option<&Status>) -> u8 {
    match status {
        Some(Status::NonCompliant) => 3,
        Some(Status::Compliant) => 1,
        Some(_) => 2,
        None => 0,
    }
}

fn sort_by(rows: &mut [Line], sort: Sort) {
    rows.sort_by(|one, other| {
        let order = match sort.by {
            "region" => one.region.cmp(&other.region),
            "verdict" => rank(Some(&one.verdict)).cmp(&rank(Some(&other.verdict))),
            "ours" => rank(one.our_verdict().as_ref()).cmp(&rank(other.our_verdict().as_ref())),
            _ => one.account_id.cmp(&other.account_id),
        };
        let order = if sort.descending { order.reverse() } else { order };
        order
            .then_with(|| (&one.account_id, &one.region, &one.key).cmp(&(&other.account_id, &other.region, &other.key)))
    });
}

fn rule_lines(view: &View, ours: &Ours) -> Vec<RuleLine> {
    ours.rules
        .iter()
        .map(|(core_name, counts)| RuleLine {
            href: link(view, &format!("/rules/{}", Encoded(core_name)), &[]),
            core_name: core_name.clone(),
            places: counts.all,
            failing: counts.failing,
            complying: counts.complying,
            no_data: counts.no_data(),
        })
        .collect()
}

fn place_rows(format: Format, view: &View, pack: String, rows: Vec<Line>) -> HttpResponse {
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

fn rule_rows(format: Format, view: &View, pack: String, rules: Vec<RuleLine>) -> HttpResponse {
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
