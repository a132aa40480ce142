//! One account: its delivery before any verdict, then rules, failures, unknown, files.

mod lists;
mod regions;
mod rules;
mod told;

use std::fmt::Write as _;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Path};
use askama::Template;
use time::{Date, Duration};

use self::lists::{FileLine, PackLine, UnknownLine};
use self::regions::{DeliveryLine, RegionLine};
use self::rules::{AbsentLine, Rules};
use self::told::{Of, Told, places_of};
use super::core::{AtLeast, Evidence, Figures, PlaceDay};
use super::db::rules::InPlace;
use super::failures::{self, FailureLine};
use super::filter::{self, Filter, Offers, Which};
use super::membership::{self, Said};
use super::shown::{Shown, as_of, known_accounts, link, no_such_rows, presence};
use crate::State;
use crate::error::Error;
use crate::web::chart::{Axis, Patterns};
use crate::web::download::Format;
use crate::web::form::Filters;
use crate::web::format::plural;
use crate::web::parts::{self, Provenance};
use crate::web::table::Table;
use crate::web::{Access, Endpoint, Frame, Page, Section, View, filters};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::get("/accounts/{account_id}", Access::Rooms, || web::get().to(show))]
}

const OFFERS: Offers = Offers { rule: true, severity: true, status: true, resource_type: true, age: false };

/// What orders and turns the tables of the page, and names their rows.
const TABLES: [&str; 14] = [
    "sort",
    "delivery-sort",
    "absent",
    "absent-sort",
    "failures-sort",
    "unknown-sort",
    "packs",
    "packs-sort",
    "files",
    "files-sort",
    "history",
    "history-sort",
    "rows",
    "format",
];

#[derive(Template)]
#[template(path = "compliance/account.html")]
struct AccountPage {
    frame: Frame,
    id: String,
    name: String,
    life: String,
    /// What the account list tells beside the account's life, each with its word.
    listed: Vec<(&'static str, String)>,
    /// What the lists said.
    history: (Vec<Said>, Table),
    history_open: bool,
    evidence: String,
    verdict: String,
    filters: Filters,
    /// What the filters leave, and of which tables.
    only: Option<String>,
    patterns: Patterns,
    axis: Axis,
    first: Date,
    as_of: Date,
    delivery: (Vec<DeliveryLine>, Table),
    regions: (Vec<RegionLine>, Table),
    figures: Figures,
    rules_sentence: String,
    rules_href: String,
    /// Where the same results stand beside AWS's aggregator, if it was read.
    aggregator_href: Option<String>,
    absent: (Vec<AbsentLine>, Table),
    absent_open: bool,
    failing: String,
    failures: (Vec<FailureLine>, Table),
    failures_href: String,
    unknown: (Vec<UnknownLine>, Table),
    packs: (Vec<PackLine>, Table),
    files: (Vec<FileLine>, Table),
    /// The same with the objects that stand behind them, wherever they were read.
    files_href: String,
    delivery_href: String,
    provenance: Provenance,
}

async fn show(state: Data<State>, path: Path<String>, mut view: View) -> Result<HttpResponse, Error> {
    let id = path.into_inner();
    if view.address.get("account").is_some() {
        return Err(Error::Invalid("This page is of one account: leave “account” out.".to_owned()));
    }
    let filter = Filter { account: Some(id.clone()), ..Filter::parse(&view.address, OFFERS, &TABLES)? };
    view.require(&id)?;
    let format = Format::of(&view.address)?;
    let shown = Shown::load(state, &mut view).await?;
    let places = places_of(&shown, &mut view, &id).await?;
    let of = Of::new(&shown, &id, &places, &filter);
    let told = of.told(&shown, &mut view).await?;
    if places.is_empty() && told.about.account.is_none() {
        return Err(Error::NotFound);
    }
    let present = of.present(&shown, &mut view).await?;
    if let Some(format) = format {
        return rows(format, &shown, &mut view, &of, &told, &present).await;
    }
    let rules = loaded_rules(&shown, &mut view, &of, &present).await?;
    let failing = of.failing(&shown, &mut view).await?;
    let pairs = filter.pairs(&[]);
    let failures = failures::lines(&view, &failing, &pairs);
    let narrowed = of.narrowed(&present);
    let evidence = Evidence::of(view.as_of, filter.places(&places));
    let figures = Evidence::of(view.as_of, &narrowed).figures();
    let account = told.about.account.as_ref();
    let name = account.map(|account| account.name.clone()).unwrap_or_default();
    let title = if name.is_empty() { format!("Account {id}") } else { format!("{name} ({id})") };
    let mut history = membership::history(&told.about.lists);
    let listed = membership::facts(&history, view.as_of);
    history.reverse();
    let address = &view.address;
    let is_asked = |keys: [&str; 2]| keys.iter().any(|key| address.get(key).is_some());
    let everywhere: Vec<&PlaceDay> = shown.places.iter().collect();
    let packs = lists::pack_lines(&shown, &view, &of, &present, &told.about.verdicts);
    let of_filters = [&pairs[..], &[("status", filter.which.slug())]].concat();
    let page = AccountPage {
        evidence: evidence.sentence(),
        verdict: verdict(&filter, &narrowed, &figures),
        filters: filter::offered(
            Filters::new(address).regions(places.iter().map(|place| place.region.as_str())),
            address,
            &shown.catalog,
            OFFERS,
        ),
        only: filter.sentence(&["account"]),
        life: membership::life(account, &evidence),
        listed,
        history: lists::history().table(address, "From each day on, by the lists read from Organizations", history)?,
        history_open: is_asked(["history", "history-sort"]),
        patterns: Patterns,
        axis: Axis::new(told.first, view.as_of + Duration::DAY),
        first: told.first,
        as_of: view.as_of,
        delivery: regions::deliveries().table(address, "What arrived", deliveries(&view, &of, &told))?,
        regions: as_of(
            &view,
            regions::regions().table(address, "Region by Region", region_lines(&view, &of, &narrowed))?,
        ),
        rules_sentence: rules.sentence(known_accounts(&everywhere)),
        rules_href: link(&view, "/rules", &of_filters),
        aggregator_href: shown.beside_aggregator(&view, ("account", id.as_str())),
        absent: as_of(&view, rules::absent().table(address, "Rules that other accounts have", rules.absent)?),
        absent_open: is_asked(["absent", "absent-sort"]),
        failing: failures::sentence(&failures, view.as_of),
        failures_href: link(&view, "/evaluations", &[&pairs[..], &[("status", "non-compliant")]].concat()),
        failures: as_of(&view, failures::list().table(address, failures::CAPTION, failures)?),
        unknown: as_of(
            &view,
            lists::unknown().table(
                address,
                "Unknown evaluations, by why",
                lists::unknown_lines(&view, &of, &figures, &pairs),
            )?,
        ),
        packs: as_of(
            &view,
            lists::packs().table(address, "What AWS Config says of its conformance packs, by rules", packs)?,
        ),
        files: as_of(
            &view,
            lists::files().table(address, "Delivered objects", lists::file_lines(&view, &of, &told.about.objects))?,
        ),
        files_href: link(&view, "/objects", &[&filter.place_pairs()[..], &[("all", "yes")]].concat()),
        figures,
        delivery_href: link(&view, "/delivery", &filter.pairs(&["rule", "name", "origin", "pack", "severity", "type"])),
        provenance: shown.provenance(&view, &evidence, &filter),
        frame: view.frame(Section::Accounts, title).crumb("Accounts", "/accounts"),
        id: id.clone(),
        name,
    };
    Ok(Page(page).answer(StatusCode::OK))
}

async fn loaded_rules(shown: &Shown, view: &mut View, of: &Of<'_>, present: &[InPlace]) -> Result<Rules, Error> {
    let everywhere: Vec<&PlaceDay> = shown.places.iter().collect();
    let elsewhere = presence(shown, view, &everywhere, "").await?;
    Ok(Rules::of(shown, view, of, present, &elsewhere))
}

fn deliveries(view: &View, of: &Of<'_>, told: &Told) -> Vec<DeliveryLine> {
    let places = of.filter.places(of.places);
    places.into_iter().map(|place| DeliveryLine::new(view, place, &told.days, told.first)).collect()
}

fn region_lines(view: &View, of: &Of<'_>, narrowed: &[PlaceDay]) -> Vec<RegionLine> {
    RegionLine::all(view, narrowed, of.filter.which, &of.filter.pairs(&["account", "region"]))
}

/// The rows of one of the tables, those of the evaluations Region by Region where none is named.
async fn rows(
    format: Format,
    shown: &Shown,
    view: &mut View,
    of: &Of<'_>,
    told: &Told,
    present: &[InPlace],
) -> Result<HttpResponse, Error> {
    let asked = view.address.get("rows").unwrap_or("regions").to_owned();
    let stem = match asked.as_str() {
        "regions" => view.stem(format!("account-{}", of.id)),
        rows => view.stem(format!("account-{}-{rows}", of.id)),
    };
    let rules = if asked == "absent" { Some(loaded_rules(shown, view, of, present).await?) } else { None };
    let failing = if asked == "failures" { of.failing(shown, view).await? } else { std::sync::Arc::default() };
    let (view, address) = (&*view, &view.address);
    let pairs = of.filter.pairs(&[]);
    let narrowed = of.narrowed(present);
    let figures = Evidence::of(view.as_of, &narrowed).figures();
    Ok(match asked.as_str() {
        "regions" => regions::regions().download(format, &stem, address, region_lines(view, of, &narrowed)),
        "delivery" => regions::deliveries().download(format, &stem, address, deliveries(view, of, told)),
        "absent" => {
            let absent = rules.map(|rules| rules.absent).unwrap_or_default();
            rules::absent().download(format, &stem, address, absent)
        }
        "failures" => failures::list().download(format, &stem, address, failures::lines(view, &failing, &pairs)),
        "unknown" => {
            lists::unknown().download(format, &stem, address, lists::unknown_lines(view, of, &figures, &pairs))
        }
        "packs" => {
            let packs = lists::pack_lines(shown, view, of, present, &told.about.verdicts);
            lists::packs().download(format, &stem, address, packs)
        }
        "files" => lists::files().download(format, &stem, address, lists::file_lines(view, of, &told.about.objects)),
        "history" => {
            let mut history = membership::history(&told.about.lists);
            history.reverse();
            lists::history().download(format, &stem, address, history)
        }
        _ => return Err(no_such_rows()),
    })
}

/// What the evaluations come to that the filters leave, of the status asked for and of all.
fn verdict(filter: &Filter, places: &[PlaceDay], figures: &Figures) -> String {
    let mut sentence = String::new();
    if filter.which != Which::All {
        let rows = places.iter().map(|place| filter.which.of_place(place)).sum();
        let are = if rows == 1 { "is" } else { "are" };
        _ = write!(sentence, "{} {are} {}. Whatever the status: ", plural(rows, "evaluation"), filter.which.words());
    }
    sentence + &figures.sentence()
}
