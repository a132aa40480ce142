//! The overview: evidence, changes, the two figures, failures, accounts, packs, in this order.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, Data};
use askama::Template;
use time::{Date, Duration};

use super::accounts::{AccountLine, most_urgent_first};
use super::changes::{Between, ClassLine, DAYS as CHANGE_DAYS};
use super::core::{AtLeast, Change, Evidence, Figures, PlaceDay};
use super::db::totals::{self, DayTotal, Pack};
use super::filter::{self, Filter, Offers};
use super::shown::{Failures, Shown, link};
use crate::State;
use crate::error::Error;
use crate::web::chart::{Trend, TrendDay};
use crate::web::download::{Format, download};
use crate::web::form::Filters;
use crate::web::format::day;
use crate::web::parts::Provenance;
use crate::web::{Access, Endpoint, Frame, Page, Section, View, filters};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::get("/", Access::SignedIn, || web::get().to(show))]
}

const TREND_DAYS: i64 = 90;
const ACCOUNTS: usize = 10;
const PACKS: i64 = 5;

#[derive(Template)]
#[template(path = "compliance/overview.html")]
struct OverviewPage {
    frame: Frame,
    organization: String,
    filters: Filters,
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
    days_href: String,
    trend_computable: bool,
    failures: Failures,
    accounts: Vec<AccountLine>,
    accounts_total: usize,
    accounts_href: String,
    packs: Vec<(String, Pack)>,
    packs_href: String,
    provenance: Provenance,
    open_notices: (i64, i64),
    notices_href: String,
}

const DOWNLOAD: [&str; 10] = [
    "day",
    "complying",
    "not_complying",
    "insufficient_data",
    "unrecognised",
    "not_applicable",
    "unknown_without_evidence",
    "never_seen_accounts",
    "never_seen_account_regions",
    "at_least_computable",
];

async fn show(state: Data<State>, mut view: View) -> Result<HttpResponse, Error> {
    let filter = Filter::parse(&view.address, Offers::default(), &["format"])?;
    let format = Format::of(&view.address)?;
    let shown = Shown::load(state, &mut view).await?;
    let places = filter.places(&shown.places);
    let trend = trend(&shown, &mut view, &filter, &places).await?;
    if let Some(format) = format {
        return Ok(rows(format, &view, &trend));
    }
    let from = (view.as_of - Duration::days(CHANGE_DAYS)).max(view.first_day);
    let packs = totals::packs(&mut view.read, view.organization_id, PACKS).await?;
    let scope = filter.pairs(&[]);
    let failures = Failures::load(&shown, &mut view, &places, &filter.scope_words(), &scope).await?;
    let between = Between::load(&shown, &mut view, from).await?;
    let between = between.left(&shown, &mut view, &filter, from).await?;

    let evidence = Evidence::of(view.as_of, places.iter().copied());
    let figures = evidence.figures();
    let mut accounts = AccountLine::all(&view, &places, &filter.pairs(&["account"]));
    most_urgent_first(&mut accounts);
    let accounts_total = accounts.len();
    accounts.truncate(ACCOUNTS);
    let scoped = |path: &str, pairs: &[(&str, &str)]| link(&view, path, &[pairs, &scope].concat());
    let rows = |status: &str| scoped("/evaluations", &[("status", status)]);
    let from_word = from.to_string();
    let changes = |pairs: &[(&str, &str)]| scoped("/changes", &[&[("from", from_word.as_str())], pairs].concat());
    let page = OverviewPage {
        organization: view.organization.name.clone(),
        filters: filter::form(&view.address, &shown.places, &shown.catalog, Offers::default()),
        evidence: evidence.sentence(),
        delivery_href: scoped("/delivery", &[]),
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
        never_href: scoped("/delivery", &[]) + "#never",
        trend_computable: trend.iter().any(|total| !total.figures.never_seen.any()),
        trend: chart(&view, &trend),
        failures,
        accounts,
        accounts_total,
        accounts_href: scoped("/accounts", &[]),
        days_href: view.address.start().with("format", "csv").to_string(),
        packs: packs.into_iter().map(|pack| (link(&view, &format!("/packs/{}", pack.pack_id), &[]), pack)).collect(),
        packs_href: link(&view, "/packs", &[]),
        open_notices: view.standing.open_notices,
        notices_href: link(&view, "/notices", &[]),
        provenance: shown.provenance(&view, &evidence, &filter),
        frame: view.frame(Section::Overview, "Overview"),
        figures,
    };
    Ok(Page(page).answer(StatusCode::OK))
}

/// The days up to the as-of day: those that were summed for the organisation, or those of the places that are read.
/// Those of a scope are of all its accounts, also of Regions that neither deliver nor are expected to any more.
async fn trend(
    shown: &Shown,
    view: &mut View,
    filter: &Filter,
    places: &[&PlaceDay],
) -> Result<Arc<Vec<DayTotal>>, Error> {
    let from = (view.as_of - Duration::days(TREND_DAYS - 1)).max(view.first_day);
    let scope = filter.scope_words();
    if scope.is_empty() && view.scope.is_none() {
        return Ok(Arc::new(totals::trend(&mut view.read, view.organization_id, from, view.as_of).await?));
    }
    let key = view.key(&format!("trend {} {scope}", view.as_of));
    if let Some(trend) = shown.recall(key.as_deref()) {
        return Ok(trend);
    }
    let ids: Vec<i32> = match &view.scope {
        Some(of) if scope.is_empty() => totals::places_of(&mut view.read, view.organization_id, &of.accounts).await?,
        _ => places.iter().map(|place| place.place_id).collect(),
    };
    let trend = Arc::new(totals::trend_of(&mut view.read, &ids, from, view.as_of).await?);
    shown.remember(key, &trend, trend.len() * size_of::<DayTotal>());
    Ok(trend)
}

fn rows(format: Format, view: &View, trend: &[DayTotal]) -> HttpResponse {
    let trend = trend.to_vec();
    download(format, &view.stem("overview"), &DOWNLOAD, |mut to| async move {
        for total in trend {
            let figures = total.figures;
            to.push([
                total.day.into(),
                figures.counts.complying.into(),
                figures.counts.not_complying.into(),
                figures.counts.insufficient_data.into(),
                figures.counts.unrecognised.into(),
                figures.counts.not_applicable.into(),
                figures.carried.into(),
                figures.never_seen.accounts.into(),
                figures.never_seen.places.into(),
                (!figures.never_seen.any()).into(),
            ])
            .await?;
        }
        Ok(to)
    })
}

fn chart(view: &View, trend: &[DayTotal]) -> Trend {
    let days: Vec<TrendDay> = trend
        .iter()
        .map(|total| TrendDay {
            day: total.day,
            complying: total.figures.counts.complying,
            not_complying: total.figures.counts.not_complying,
            unknown: total.figures.unknown(),
            computable: !total.figures.never_seen.any(),
        })
        .collect();
    let first = days.first().map_or(view.as_of, |day| day.day);
    Trend::new("trend", format!("The two figures from {} to {} (UTC)", day(first), day(view.as_of)), days)
}
