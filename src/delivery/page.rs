//! The delivery page.

use std::sync::Arc;

use actix_web::{HttpResponse, web};
use askama::Template;
use time::{Date, Duration};

use super::calendar::{self, LegendEntry, account_path};
use super::core::{Gap, Place};
use super::found::Found;
use super::stopped::Stopped;
use super::{db, known, lists, rows};
use crate::State;
use crate::compliance::{DeliveryState, is_account};
use crate::error::Error;
use crate::organization;
use crate::web::address::Encoded;
use crate::web::chart::{Axis, Patterns};
use crate::web::download::Format;
use crate::web::form::{Choice, Filters};
use crate::web::parts::{Empty, Provenance};
use crate::web::table::{Sort, Table};
use crate::web::{Access, Address, Endpoint, Frame, Page, Section, View, filters, format, kept, parse_day};

pub fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::get("/delivery", Access::Rooms, || web::get().to(show))]
}

/// Days of the calendar where the address names no first one.
const DEFAULT_DAYS: i64 = 90;
/// More days would be too narrow to see and too much to read.
const MOST_DAYS: i64 = 366;

#[derive(Template)]
#[template(path = "delivery/show.html")]
struct ShowPage<'a> {
    frame: Frame,
    listed: bool,
    lead: (String, String),
    no_gaps: bool,
    /// Whether one state is chosen: what is not in it is not told of.
    one_state: bool,
    filters: Filters,
    /// Each with whether it is the first shown of its cause, where the cause is said in words.
    gaps: Vec<(&'a Gap<'a>, bool)>,
    gap_table: Table,
    /// `None` where an account is chosen: one account says nothing of its Regions.
    stopped: Option<(Vec<Stopped>, Table)>,
    never: Vec<&'a Place>,
    never_table: Table,
    unexpected: Vec<&'a Place>,
    unexpected_table: Table,
    calendar: Vec<calendar::Row<'a>>,
    calendar_table: Table,
    axis: Axis,
    legend: Vec<LegendEntry>,
    /// The same without what narrows it.
    everything: String,
    provenance: Provenance,
    /// That Organizations could not be read again, and how old the list is.
    stale: Option<String>,
}

impl ShowPage<'_> {
    /// Why a table is empty, of every state or of the chosen one.
    fn none<'a>(&self, of_all: &'a str, of_one: &'a str) -> &'a str {
        if self.one_state { of_one } else { of_all }
    }
}

/// What the page can be asked for beside the day.
const KEYS: [&str; 15] = [
    "account",
    "region",
    "state",
    "from",
    "sort",
    "stopped-sort",
    "never-sort",
    "unexpected-sort",
    "places-sort",
    "gaps",
    "stopped",
    "never",
    "unexpected",
    "places",
    "rows",
];

async fn show(state: web::Data<State>, mut view: View) -> Result<HttpResponse, Error> {
    view.address.only(&[&KEYS, &["format"]])?;
    let (first, end) = period(&view)?;
    let wanted = wanted(&view.address)?;
    let everywhere = everywhere(&state, &mut view, first, end).await?;
    let (account, region) = (view.address.get("account"), view.address.get("region"));
    let held: Vec<&Place> = everywhere.iter().filter(|place| view.holds(&place.account_id)).collect();
    let filters = choices(&held, &view.address);
    let places: Vec<Place> = held
        .iter()
        .copied()
        .filter(|place| account.is_none_or(|asked| is_account(asked, &place.account_id, &place.account_name)))
        .filter(|place| region.is_none_or(|asked| place.region == asked))
        .cloned()
        .collect();
    let mut found = Found::of(&places, (first, end), view.as_of, wanted, account.is_none());
    let sort = calendar::sort(&view, &mut found.period);
    if let Some(format) = Format::of(&view.address)? {
        return download(format, &view, &found);
    }
    let known = db::lists(&mut view.read, view.organization_id).await?;
    let read = organization::listed(&mut view.read, view.organization_id).await?;
    let stale = read.stale(state.clock.now().date());
    let page = page(&view, &found, (filters, sort), &known)?;
    Ok(Page(ShowPage { stale, ..page }).answer(actix_web::http::StatusCode::OK))
}

/// The rows of one of the page's tables; those of the calendar where none is named.
fn download(format: Format, view: &View, found: &Found<'_>) -> Result<HttpResponse, Error> {
    let (address, stem) = (&view.address, |what: &str| view.stem(format!("delivery-{what}")));
    let gaps = found.period.gaps.iter().collect();
    Ok(match (address.get("rows"), &found.stopped) {
        (None | Some("days"), _) => rows::rows(format, view, &found.period),
        (Some("gaps"), _) => lists::gaps().download(format, &stem("gaps"), address, gaps),
        (Some("stopped"), Some(all)) => {
            lists::stopped().download(format, &stem("stopped"), address, all.iter().collect())
        }
        (Some("never"), _) => lists::never().download(format, &stem("never"), address, found.never.clone()),
        (Some("unexpected"), _) => {
            lists::unexpected().download(format, &stem("unexpected"), address, found.unexpected.clone())
        }
        (Some("stopped"), None) => {
            return Err(Error::Invalid("One account says nothing of its Regions: leave the account out.".to_owned()));
        }
        (Some(_), _) => {
            return Err(Error::Invalid("The rows are those of days, gaps, stopped, never or unexpected.".to_owned()));
        }
    })
}

fn wanted(address: &Address) -> Result<Option<DeliveryState>, Error> {
    let Some(slug) = address.get("state") else { return Ok(None) };
    let state = DeliveryState::ALL.into_iter().find(|state| state.slug() == slug);
    state.map(Some).ok_or_else(|| Error::Invalid(format!("There is no delivery state “{slug}”.")))
}

/// Every place with its days, whatever the scope; they stay the same until the next collection.
async fn everywhere(state: &State, view: &mut View, first: Date, end: Date) -> Result<Arc<Vec<Place>>, Error> {
    let key = view.standing.key(view.organization_id, &format!("delivery {first} {end}"));
    if let Some(places) = key.as_deref().and_then(|key| state.memo.get(key)) {
        return Ok(places);
    }
    let places = Arc::new(db::places(&mut view.read, view.organization_id, first, end).await?);
    if let Some(key) = key {
        let weight = places.iter().map(|place| 200 + place.delivered.len() * 12).sum();
        state.memo.put(key, Arc::clone(&places), weight);
    }
    Ok(places)
}

/// First day and the day after the last: up to the as-of day, from the day in the address.
fn period(view: &View) -> Result<(Date, Date), Error> {
    let end = view.as_of.next_day().unwrap_or(view.as_of);
    let first = match view.address.get("from") {
        None => (end - Duration::days(DEFAULT_DAYS)).max(view.first_day),
        Some(text) => kept(parse_day(text), "from", view.standing.floor.as_ref())?
            .filter(|day| *day <= view.as_of)
            .ok_or_else(|| {
                Error::Invalid("The first day is a day up to the as-of day, written as YYYY-MM-DD.".to_owned())
            })?
            .max(view.first_day),
    };
    if (end - first).whole_days() > MOST_DAYS {
        return Err(Error::Invalid(format!(
            "The calendar shows up to {MOST_DAYS} days at once: choose a later first day."
        )));
    }
    Ok((first, end))
}

fn choices(places: &[&Place], address: &Address) -> Filters {
    let states = DeliveryState::ALL.into_iter().map(|state| Choice::new(state.slug(), state.word())).collect();
    Filters::new(address)
        .accounts(places.iter().map(|place| (place.account_id.as_str(), place.account_name.as_str())))
        .regions(places.iter().map(|place| place.region.as_str()))
        .select("state", "State", "All states", states)
        .day("from", "First day of the calendar")
}

fn page<'a>(
    view: &View,
    found: &'a Found<'a>,
    (filters, sort): (Filters, Option<Sort>),
    known: &db::Lists,
) -> Result<ShowPage<'a>, Error> {
    let (address, period) = (&view.address, &found.period);
    let frame = view.frame(Section::Delivery, "Delivery");
    let listed = view.organization.listed();
    let as_of = |(rows, table): (_, Table)| (rows, table.as_of(view.as_of));
    let (gaps, mut gap_table) = lists::gaps().table(address, "Gaps", period.gaps.iter().collect::<Vec<_>>())?;
    let order = if gap_table.sort.is_none() { " by cause, longest first" } else { "" };
    gap_table.caption = format!("Gaps{order}, {} to {}", format::day(period.first), format::day(view.as_of));
    let caption = "Accounts that were known once and are not any more, by Region";
    let stopped = found.stopped.clone().map(|all| lists::stopped().table(address, caption, all)).transpose()?;
    let (never, never_table) =
        as_of(lists::never().table(address, "Expected, and never delivered", found.never.clone())?);
    let caption = "Delivered, and not expected";
    let (unexpected, unexpected_table) =
        as_of(lists::unexpected().table(address, caption, found.unexpected.clone())?);
    let (calendar, calendar_table) = calendar::rows(view, &frame, period, sort)?;
    Ok(ShowPage {
        listed,
        lead: found.lead(listed),
        no_gaps: period.gaps.is_empty(),
        one_state: address.get("state").is_some(),
        filters,
        gaps: Found::by_cause(gaps),
        gap_table,
        stopped: stopped.map(|(rows, table)| (rows, table.as_of(view.as_of))),
        never,
        never_table,
        unexpected,
        unexpected_table,
        calendar,
        calendar_table,
        axis: Axis::new(period.first, period.end),
        legend: calendar::legend(view, period),
        everything: view.address.start().without(&["account", "region", "state"]).to_string(),
        provenance: known::provenance(&frame, known),
        stale: None,
        frame,
    })
}

fn region_path(stopped: &Stopped) -> String {
    format!("/delivery?region={}&state={}", Encoded(&stopped.region), stopped.state.slug())
}
