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
use super::db::totals::{self, Pack};
use super::shown::{Failures, Shown, link};
use crate::State;
use crate::error::Error;
use crate::web::chart::{Trend, TrendDay};
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
    listed: bool,
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
    failures: Failures,
    accounts: Vec<AccountLine>,
    accounts_total: usize,
    accounts_href: String,
    packs: Vec<(String, Pack)>,
    packs_href: String,
    provenance: Provenance,
}

async fn show(state: Data<State>, mut view: View) -> Result<HttpResponse, Error> {
    let shown = Shown::load(state, &mut view).await?;
    let from = (view.as_of - Duration::days(CHANGE_DAYS)).max(view.first_day);
    let trend_from = view.as_of - Duration::days(TREND_DAYS - 1);
    let trend = trend(&shown, &mut view, trend_from).await?;
    let packs = totals::packs(&mut view.read, view.organization_id, PACKS).await?;
    let places: Vec<&PlaceDay> = shown.places.iter().collect();
    let failures = Failures::load(&shown, &mut view, &places, "", &[]).await?;
    let between = Between::load(&shown, &mut view, from).await?;

    let evidence = Evidence::of(view.as_of, places.iter().copied());
    let figures = evidence.figures();
    let mut accounts = AccountLine::all(&view, &places);
    most_urgent_first(&mut accounts);
    let accounts_total = accounts.len();
    accounts.truncate(ACCOUNTS);
    let rows = |status: &str| link(&view, "/evaluations", &[("status", status)]);
    let (from_word, to_word) = (from.to_string(), view.as_of.to_string());
    let changes = |pairs: &[(&str, &str)]| {
        link(&view, "/changes", &[&[("from", from_word.as_str()), ("to", &to_word)], pairs].concat())
    };
    let page = OverviewPage {
        organization: view.organization.name.clone(),
        listed: view.organization.listed,
        evidence: evidence.sentence(),
        delivery_href: link(&view, "/delivery", &[]),
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
        never_href: link(&view, "/delivery", &[]) + "#never",
        trend_computable: trend.iter().any(|total| total.figures.never_seen_accounts == 0),
        trend: chart(&view, &trend),
        failures,
        accounts,
        accounts_total,
        accounts_href: link(&view, "/accounts", &[]),
        packs: packs.into_iter().map(|pack| (link(&view, &format!("/packs/{}", pack.pack_id), &[]), pack)).collect(),
        packs_href: link(&view, "/packs", &[]),
        provenance: shown.provenance(&view, &evidence),
        frame: view.frame(Section::Overview, "Overview"),
        figures,
    };
    Ok(Page(page).answer(StatusCode::OK))
}

/// The organisation's days; those of a scope are summed over the accounts that it holds on the as-of day.
async fn trend(shown: &Shown, view: &mut View, from: Date) -> Result<Arc<Vec<totals::DayTotal>>, Error> {
    let (organization_id, until) = (view.organization_id, view.as_of);
    let Some(accounts) = view.scope_accounts().map(<[String]>::to_vec) else {
        return Ok(Arc::new(totals::trend(&mut view.read, organization_id, from, until).await?));
    };
    let key = shown.key(view, &format!("trend {from} {until}"));
    if let Some(trend) = shown.recall(key.as_deref()) {
        return Ok(trend);
    }
    let trend = Arc::new(totals::trend_of(&mut view.read, organization_id, &accounts, from, until).await?);
    shown.remember(key, &trend, trend.len() * 96);
    Ok(trend)
}

fn chart(view: &View, trend: &[totals::DayTotal]) -> Trend {
    let days: Vec<TrendDay> = trend
        .iter()
        .map(|total| TrendDay {
            day: total.day,
            complying: total.figures.counts.complying,
            not_complying: total.figures.counts.not_complying,
            unknown: total.figures.unknown(),
            computable: total.figures.never_seen_accounts == 0,
        })
        .collect();
    let first = days.first().map_or(view.as_of, |day| day.day);
    Trend::new("trend", format!("The two figures from {} to {} (UTC)", day(first), day(view.as_of)), days)
}
