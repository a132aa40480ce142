//! The overview: evidence, changes, the two figures, failures, accounts, packs, in this order.

mod lists;
mod narrowed;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, Data};
use askama::Template;
use time::{Date, Duration};

use self::lists::DayLine;
use self::narrowed::{Of, failing};
use super::accounts::{AccountLine, most_urgent_first};
use super::changes::{Between, ClassLine, DAYS as CHANGE_DAYS};
use super::core::{AtLeast, Change, Evidence, Figures, PlaceDay};
use super::db::totals::{self, Pack};
use super::failures::{self, FailureLine};
use super::filter::{self, Filter, Offers, Which};
use super::shown::{Shown, link};
use crate::State;
use crate::error::Error;
use crate::web::chart::Trend;
use crate::web::download::Format;
use crate::web::form::Filters;
use crate::web::format::day;
use crate::web::parts::{self, Provenance};
use crate::web::table::Table;
use crate::web::{Access, Endpoint, Frame, Page, Section, View, filters};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::get("/", Access::Rooms, || web::get().to(show))]
}

const TREND_DAYS: i64 = 90;
/// More than there are days.
const DAY_ROWS: usize = 100;
const PACKS: i64 = 5;
const PACK_ROWS: usize = 5;

const OFFERS: Offers = Offers { rule: true, severity: true, status: true, resource_type: true, age: false };

/// What the page can be asked for beside the day and its filters.
const KEYS: [&str; 7] = ["accounts", "accounts-sort", "days-sort", "failures-sort", "packs-sort", "rows", "format"];

#[derive(Template)]
#[template(path = "compliance/overview.html")]
struct OverviewPage {
    frame: Frame,
    organization: String,
    filters: Filters,
    /// What the filters leave, and of what.
    only: Option<String>,
    evidence: String,
    delivery_href: String,
    changes_from: Date,
    as_of: Date,
    classes: Vec<ClassLine>,
    changes_href: String,
    figures: Figures,
    unknown_parts: Vec<(i64, &'static str, String)>,
    complying_href: String,
    unknown_href: String,
    never_href: String,
    trend: Trend,
    trend_computable: bool,
    days: (Vec<DayLine>, Table),
    days_open: bool,
    failing: String,
    failing_total: i64,
    failing_href: String,
    failures: (Vec<FailureLine>, Table),
    accounts: (Vec<AccountLine>, Table),
    accounts_href: String,
    packs: (Vec<(String, Pack)>, Table),
    packs_href: String,
    provenance: Provenance,
    open_notices: (i64, i64),
    notices_href: String,
}

async fn show(state: Data<State>, mut view: View) -> Result<HttpResponse, Error> {
    let filter = Filter::parse(&view.address, OFFERS, &KEYS)?;
    let format = Format::of(&view.address)?;
    let shown = Shown::load(state, &mut view).await?;
    let places = filter.places(&shown.places);
    let first = (view.as_of - Duration::days(TREND_DAYS - 1)).max(view.first_day);
    let from = (view.as_of - Duration::days(CHANGE_DAYS)).max(view.first_day);
    let of = Of::load(&shown, &mut view, &filter, &places, (first, from)).await?;
    if let Some(format) = format {
        return rows(format, &shown, &mut view, (&filter, &places), &of).await;
    }
    let packs = totals::packs(&mut view.read, view.organization_id, PACKS).await?;
    let failing = failing(&shown, &mut view, &filter, &places).await?;
    let between = Between::load(&shown, &mut view, from).await?.leave(&shown, &filter, &of.spoken());
    let page = page(&shown, &view, (&filter, &places), &of, (&between, from), (packs, &failing))?;
    Ok(Page(page).answer(StatusCode::OK))
}

fn page(
    shown: &Shown,
    view: &View,
    (filter, places): (&Filter, &[&PlaceDay]),
    of: &Of,
    (between, from): (&Between, Date),
    (packs, failing): (Vec<Pack>, &[super::db::evaluations::Failing]),
) -> Result<OverviewPage, Error> {
    let address = &view.address;
    let evidence = Evidence::of(view.as_of, places.iter().copied());
    let figures = figures(view, of, places);
    let pairs = filter.pairs(&[]);
    let scoped = |path: &str, more: &[(&str, &str)]| link(view, path, &[more, &pairs].concat());
    let of_status =
        |path: &str, more: &[(&str, &str)]| scoped(path, &[more, &[("status", filter.which.slug())]].concat());
    let rows = |status: &str| scoped("/evaluations", &[("status", status)]);
    let delivery = link(view, "/delivery", &filter.pairs(&NOT_OF_DELIVERY));
    let from_word = from.to_string();
    let changes = |pairs: &[(&str, &str)]| of_status("/changes", &[&[("from", from_word.as_str())], pairs].concat());
    let failures = failures::lines(view, failing, &pairs);
    let as_of = |(rows, table): (Vec<_>, Table)| (rows, table.as_of(view.as_of));
    let (days, day_table) = lists::days(DAY_ROWS).table(
        address,
        "The two figures day by day",
        of.days.iter().map(DayLine::from).collect::<Vec<_>>(),
    )?;
    Ok(OverviewPage {
        organization: view.organization.name.clone(),
        filters: filter::form(address, &shown.places, &shown.catalog, OFFERS),
        only: only(filter),
        evidence: evidence.sentence(),
        never_href: format!("{delivery}#never"),
        delivery_href: delivery,
        changes_from: from,
        as_of: view.as_of,
        classes: between.classes(|change| changes(&[("change", change.slug())])),
        changes_href: changes(&[]),
        unknown_parts: [
            (figures.carried, "last known, where no evidence came for the day", rows("carried")),
            (figures.counts.insufficient_data, "INSUFFICIENT_DATA", rows("insufficient-data")),
            (figures.counts.unrecognised, "an unrecognised status", rows("unrecognised")),
        ]
        .into_iter()
        .filter(|(evaluations, ..)| *evaluations > 0)
        .collect(),
        complying_href: rows("compliant"),
        unknown_href: rows("unknown"),
        trend_computable: of.days.iter().any(|total| !total.figures.never_seen.any()),
        trend: chart(view, of, filter),
        days: (days, day_table),
        days_open: address.get("days-sort").is_some(),
        failing: failures::sentence(&failures, view.as_of),
        failing_total: failures.iter().map(|line| line.total).sum(),
        failing_href: rows("non-compliant"),
        failures: failures::list().table(address, failures::CAPTION, failures)?,
        accounts: as_of(lists::accounts().table(address, "Accounts", accounts(view, filter, of, places))?),
        accounts_href: of_status("/accounts", &[]),
        packs: lists::packs(PACK_ROWS).table(address, "The latest packs", with_pages(view, packs))?,
        packs_href: link(view, "/packs", &[]),
        open_notices: view.standing.open_notices,
        notices_href: link(view, "/notices", &[]),
        provenance: shown.provenance(view, &evidence, filter),
        frame: view.frame(Section::Overview, "Overview"),
        figures,
    })
}

/// Filters of what was evaluated: what arrived is of no rule.
const NOT_OF_DELIVERY: [&str; 6] = ["rule", "name", "origin", "pack", "severity", "type"];

/// What the filters leave, and which figures are of it.
fn only(filter: &Filter) -> Option<String> {
    let mut sentence = filter.sentence(&[])?;
    sentence.push_str(
        " Changes, figures, days, failures and accounts are narrowed to it, evidence by account and Region alone, \
         notices and packs not at all.",
    );
    if filter.which != Which::All {
        sentence.push_str(" The two figures compare statuses: they and their days are of every status.");
    }
    Some(sentence)
}

fn figures(view: &View, of: &Of, places: &[&PlaceDay]) -> Figures {
    match of.places(places) {
        Some(narrowed) => Evidence::of(view.as_of, &narrowed).figures(),
        None => Evidence::of(view.as_of, places.iter().copied()).figures(),
    }
}

/// The accounts with an evaluation that the filters leave, or all where they leave every one; the most urgent first.
fn accounts(view: &View, filter: &Filter, of: &Of, places: &[&PlaceDay]) -> Vec<AccountLine> {
    let narrowed = of.places(places);
    let places: Vec<&PlaceDay> = narrowed.as_ref().map_or_else(|| places.to_vec(), |of| of.iter().collect());
    let mut accounts = AccountLine::all(view, &places, &filter.pairs(&["account"]));
    if filter.which != Which::All {
        let meant = |line: &AccountLine| {
            let of_account = places.iter().filter(|place| place.account_id == line.id);
            of_account.map(|place| filter.which.of_place(place)).sum::<i64>() > 0
        };
        accounts.retain(meant);
    }
    most_urgent_first(&mut accounts);
    accounts
}

fn with_pages(view: &View, packs: Vec<Pack>) -> Vec<(String, Pack)> {
    packs.into_iter().map(|pack| (link(view, &format!("/packs/{}", pack.pack_id), &[]), pack)).collect()
}

/// The rows of one of the page's tables; those of the days where none is named.
async fn rows(
    format: Format,
    shown: &Shown,
    view: &mut View,
    (filter, places): (&Filter, &[&PlaceDay]),
    of: &Of,
) -> Result<HttpResponse, Error> {
    let asked = view.address.get("rows").unwrap_or("days").to_owned();
    let stem = if asked == "days" { view.stem("overview") } else { view.stem(format!("overview-{asked}")) };
    Ok(match asked.as_str() {
        "days" => {
            let days: Vec<DayLine> = of.days.iter().map(DayLine::from).collect();
            lists::days(DAY_ROWS).download(format, &stem, &view.address, days)
        }
        "accounts" => {
            let accounts = accounts(view, filter, of, places);
            lists::accounts().download(format, &stem, &view.address, accounts)
        }
        "failures" => {
            let failing = failing(shown, view, filter, places).await?;
            let lines = failures::lines(view, &failing, &filter.pairs(&[]));
            failures::list().download(format, &stem, &view.address, lines)
        }
        "packs" => {
            let packs = totals::packs(&mut view.read, view.organization_id, PACKS).await?;
            lists::packs(PACK_ROWS).download(format, &stem, &view.address, with_pages(view, packs))
        }
        _ => return Err(Error::Invalid("The rows are those of days, accounts, failures or packs.".to_owned())),
    })
}

fn chart(view: &View, of: &Of, filter: &Filter) -> Trend {
    let first = of.days.first().map_or(view.as_of, |total| total.day);
    let left = if filter.narrows_rules() { ", of what the filters leave" } else { "" };
    let caption = format!("The two figures from {} to {} (UTC){left}", day(first), day(view.as_of));
    Trend::new("trend", caption, of.days.iter().map(|total| DayLine::from(total).drawn).collect())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::web::Address;

    #[test]
    fn a_figure_that_is_narrowed_says_so_and_one_that_is_not_too() {
        let only = |query| only(&Filter::parse(&Address::parse("/", query), OFFERS, &KEYS).unwrap());
        assert_eq!(only(""), None);
        let severity = only("severity=high").unwrap();
        assert!(severity.starts_with("Only severity HIGH. Changes, figures, days"), "{severity}");
        assert!(!severity.contains("every status"));
        assert!(only("status=compliant").unwrap().ends_with("they and their days are of every status."));
    }
}
