//! The delivery page.

use std::sync::Arc;

use actix_web::{HttpResponse, web};
use askama::Template;
use time::{Date, Duration};

use super::core::{Gap, OneDay, Period, Place};
use super::stopped::{Stopped, stopped};
use super::{db, rows};
use crate::State;
use crate::compliance::{DeliveryState, is_account};
use crate::error::Error;
use crate::organization;
use crate::web::address::Encoded;
use crate::web::chart::{Axis, Fill, Patterns, Segment, Strip};
use crate::web::download::Format;
use crate::web::form::{Choice, Filters};
use crate::web::parts::{Empty, Provenance};
use crate::web::table::{Column, Sort, Table, Window, number, text};
use crate::web::{Access, Address, Endpoint, Frame, Page, Section, View, filters, format, parse_day};

pub fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::get("/delivery", Access::SignedIn, || web::get().to(show))]
}

/// Days of the calendar where the address names no first one.
const DEFAULT_DAYS: i64 = 90;
/// More days would be too narrow to see and too much to read.
const MOST_DAYS: i64 = 366;
const CALENDAR_ROWS: usize = 50;
/// Stretches of equal days that a page of the calendar draws, about.
const CALENDAR_STRETCHES: usize = 200;
const GAP_ROWS: usize = 50;
const LIST_ROWS: usize = 50;

struct CalendarRow<'a> {
    place: &'a Place,
    strip: Strip,
    known: i64,
    gaps: i64,
}

struct LegendEntry {
    state: DeliveryState,
    days: i64,
    swatch: Strip,
    href: String,
}

#[derive(Template)]
#[template(path = "delivery/show.html")]
struct ShowPage<'a> {
    frame: Frame,
    listed: bool,
    as_of: Date,
    day: OneDay,
    period: &'a Period<'a>,
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
    calendar: Vec<CalendarRow<'a>>,
    calendar_table: Table,
    axis: Axis,
    legend: Vec<LegendEntry>,
    /// The same without what narrows it.
    everything: String,
    provenance: Provenance,
    /// That Organizations could not be read again, and how old the list is.
    stale: Option<String>,
}

/// What the page can be asked for beside the day.
const KEYS: [&str; 12] = [
    "account",
    "region",
    "state",
    "from",
    "sort",
    "gaps",
    "stopped",
    "places",
    "never",
    "unexpected",
    "rows",
    "format",
];

async fn show(state: web::Data<State>, mut view: View) -> Result<HttpResponse, Error> {
    view.address.only(&[&KEYS])?;
    let (first, end) = period(&view)?;
    let wanted = match view.address.get("state") {
        None => None,
        Some(slug) => Some(
            DeliveryState::ALL
                .into_iter()
                .find(|state| state.slug() == slug)
                .ok_or_else(|| Error::Invalid(format!("There is no delivery state “{slug}”.")))?,
        ),
    };
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
    let mut period = Period::of(&places, first, end);
    let stopped = account.is_none().then(|| {
        let all = stopped(&period).into_iter();
        all.filter(|one| wanted.is_none_or(|state| one.state == state)).collect::<Vec<_>>()
    });
    if let Some(state) = wanted {
        period.gaps.retain(|gap| gap.state == state);
        period.places.retain(|(_, stretches)| stretches.iter().any(|(_, _, day)| day.state == state));
    }
    let sort = Sort::of(&view.address, &GAP_COLUMNS, Sort::up("cause"));
    sort_gaps(&mut period.gaps, sort);
    if let Some(format) = Format::of(&view.address)? {
        return match view.address.get("rows") {
            None | Some("days") => Ok(rows::rows(format, &view, &period)),
            Some("gaps") => Ok(rows::gap_rows(format, &view, &period)),
            Some(_) => Err(Error::Invalid("The rows are those of days or gaps.".to_owned())),
        };
    }
    let lists = db::lists(&mut view.read, view.organization_id).await?;
    let read = organization::listed(&mut view.read, view.organization_id).await?;
    let stale = read.stale(state.clock.now().date());
    let stopped = stopped.map(|all| stopped_table(&view, &all)).transpose()?;
    let page = page(&view, &period, &places, (filters, sort), &lists)?;
    let page = ShowPage { stopped, stale, ..page };
    Ok(Page(page).answer(actix_web::http::StatusCode::OK))
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

const GAP_COLUMNS: [Column; 6] = [
    text("Cause").by("cause"),
    text("Account").by("account"),
    text("Region").by("region"),
    text("From").by("from").most_first(),
    text("To"),
    number("Days").by("days"),
];

/// Gaps stand by cause, the longest first in each, until another order is asked for.
fn sort_gaps(gaps: &mut [Gap<'_>], sort: Sort) {
    let of = |gap: &Gap<'_>| (gap.place.account_id.clone(), gap.place.region.clone(), gap.first);
    match sort.by {
        "account" => gaps.sort_by_cached_key(of),
        "region" => gaps.sort_by_cached_key(|gap| (gap.place.region.clone(), of(gap))),
        "from" => gaps.sort_by_cached_key(|gap| (gap.first, of(gap))),
        "days" => gaps.sort_by_cached_key(|gap| (gap.days(), of(gap))),
        _ => {}
    }
    if sort.descending {
        gaps.reverse();
    }
}

/// First day and the day after the last: up to the as-of day, from the day in the address.
fn period(view: &View) -> Result<(Date, Date), Error> {
    let end = view.as_of.next_day().unwrap_or(view.as_of);
    let first = match view.address.get("from") {
        None => (end - Duration::days(DEFAULT_DAYS)).max(view.first_day),
        Some(text) => parse_day(text)
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

fn stopped_table(view: &View, all: &[Stopped]) -> Result<(Vec<Stopped>, Table), Error> {
    let window = Window::of(&view.address, "stopped", LIST_ROWS, all.len())?;
    let rows = window.rows(all).to_vec();
    let columns = [text("Region"), text("Cause"), text("Accounts"), text("Not known since")];
    let caption = "Accounts that were known once and are not any more, by Region";
    let table = Table::whole("stopped", caption, &columns, &view.address, rows.len()).as_of(view.as_of);
    Ok((rows, table.windowed(&window)))
}

fn page<'a>(
    view: &View,
    period: &'a Period<'a>,
    places: &'a [Place],
    (filters, sort): (Filters, Sort),
    lists: &db::Lists,
) -> Result<ShowPage<'a>, Error> {
    let address = &view.address;
    let window = Window::of(address, "gaps", GAP_ROWS, period.gaps.len())?;
    let gaps = window.rows(&period.gaps);
    let days = format!("{} to {}", format::day(period.first), format::day(view.as_of));
    let order = if sort == Sort::up("cause") { " by cause, longest first" } else { "" };
    let caption = format!("Gaps{order}, {days}");
    let gap_table = Table::whole("gaps", caption, &GAP_COLUMNS, address, gaps.len())
        .sorted(sort)
        .windowed(&window)
        .with_formats_of("gaps");
    let never: Vec<&Place> =
        places.iter().filter(|place| place.first_known.is_none() && place.is_expected_on(view.as_of)).collect();
    let unexpected: Vec<&Place> = places
        .iter()
        .filter(|place| {
            let day = place.state_on(view.as_of);
            !day.expected && day.state.known()
        })
        .collect();
    let columns = [text("Account"), text("Name"), text("Organizational unit"), text("Region")];
    let list = |id: &'static str, caption: &str, all: &[&'a Place]| {
        let window = Window::of(address, id, LIST_ROWS, all.len())?;
        let rows = window.rows(all).to_vec();
        let table = Table::whole(id, caption, &columns, address, rows.len()).as_of(view.as_of).windowed(&window);
        Ok::<_, Error>((rows, table))
    };
    let (never, never_table) = list("never", "Expected, and never delivered", &never)?;
    let (unexpected, unexpected_table) = list("unexpected", "Delivered, and not expected", &unexpected)?;
    let window = Window::of(address, "places", calendar_rows(period), period.places.len())?;
    let calendar: Vec<CalendarRow<'_>> =
        window.rows(&period.places).iter().map(|row| calendar_row(view, period, row)).collect();
    let calendar_table =
        Table::whole("calendar", format!("Delivery day by day, {days} (UTC)"), &[], address, calendar.len())
            .windowed(&window)
            .with_formats_of("days");
    Ok(ShowPage {
        frame: view.frame(Section::Delivery, "Delivery"),
        listed: view.organization.listed(),
        as_of: view.as_of,
        day: OneDay::of(places, view.as_of),
        period,
        filters,
        gaps: gaps
            .iter()
            .enumerate()
            .map(|(index, gap)| (gap, index == 0 || gaps[index - 1].state != gap.state))
            .collect(),
        gap_table,
        stopped: None,
        never,
        never_table,
        unexpected,
        unexpected_table,
        calendar,
        calendar_table,
        axis: Axis::new(period.first, period.end),
        legend: legend(view, period),
        everything: view.address.start().without(&["account", "region", "state"]).to_string(),
        provenance: provenance(view, lists),
        stale: None,
    })
}

/// Rows of a page of the calendar: fewer where their days change often, so that a page stays small.
fn calendar_rows(period: &Period<'_>) -> usize {
    let stretches: usize = period.places.iter().map(|(_, stretches)| stretches.len()).sum();
    (CALENDAR_STRETCHES * period.places.len() / stretches.max(1)).clamp(5, CALENDAR_ROWS)
}

type Row<'a> = (&'a Place, Vec<(Date, Date, super::core::DayState)>);

fn calendar_row<'a>(view: &View, period: &Period<'_>, (place, stretches): &Row<'a>) -> CalendarRow<'a> {
    let length = |wanted: fn(&super::core::DayState) -> bool| -> i64 {
        stretches.iter().filter(|(_, _, day)| wanted(day)).map(|(first, end, _)| (*end - *first).whole_days()).sum()
    };
    let (known, gaps) = (length(|day| day.state.known()), length(|day| day.is_gap()));
    let segments: Vec<Segment> = stretches
        .iter()
        .map(|(first, end, day)| Segment {
            first: *first,
            end: *end,
            fill: Fill::Delivery(day.state),
            words: day.state.word().to_owned(),
            // A gap leads to the last day of it, where the account says what is missing.
            href: day.is_gap().then(|| {
                let last = end.previous_day().unwrap_or(*first);
                let address = Address::new(account_path(place)).with("as_of", last);
                let kept = view.scope.as_ref().map(|scope| address.with("scope", &scope.name));
                kept.unwrap_or(address).to_string()
            }),
        })
        .collect();
    let label = format!(
        "{} in {}: {} known, {} of gaps",
        place.account_id,
        place.region,
        format::plural(known, "day"),
        format::plural(gaps, "day")
    );
    let end = period.end.min(view.as_of.next_day().unwrap_or(period.end));
    CalendarRow { place, strip: Strip::new(label, period.first, end, &segments), known, gaps }
}

fn legend(view: &View, period: &Period<'_>) -> Vec<LegendEntry> {
    let address = view.address.start();
    period
        .days
        .iter()
        .map(|(&state, &days)| {
            let (first, end) = (period.first, period.end);
            let segment = Segment { first, end, fill: Fill::Delivery(state), words: String::new(), href: None };
            LegendEntry {
                state,
                days,
                swatch: Strip::swatch(&segment),
                href: address.with("state", state.slug()).to_string() + "#calendar",
            }
        })
        .collect()
}

fn region_path(stopped: &Stopped) -> String {
    format!("/delivery?region={}&state={}", Encoded(&stopped.region), stopped.state.slug())
}

fn account_path(place: &Place) -> String {
    format!("/accounts/{}", Encoded(&place.account_id))
}

fn provenance(view: &View, lists: &db::Lists) -> Provenance {
    let href = |path: &str| view.frame(Section::Delivery, "").href(path);
    let mut provenance = Provenance::default()
        .line("What is a day", "The day in the delivered object’s path, in UTC.")
        .line(
            "What is delivered",
            "The last readable snapshot of the day, else what history items say before the first snapshot ever.",
        )
        .link("Which objects", "Collections, with every object that was read", href("/collections"));
    provenance = match (lists.accounts_listed_on, &lists.accounts_source, lists.accounts_collection) {
        (Some(day), Some(source), Some(collection)) => provenance.link(
            "Expected accounts",
            format!("Organizations’ account list of {}, read from {source}", format::day(day)),
            href(&format!("/collections/{collection}")),
        ),
        _ => provenance.line(
            "Expected accounts",
            "No account list was read: completeness against the organisation not established.",
        ),
    };
    match (lists.regions_listed_on, &lists.regions) {
        (Some(day), Some(regions)) => {
            provenance.line("Expected Regions", format!("{}, as listed on {}", regions.join(", "), format::day(day)))
        }
        _ => provenance.line("Expected Regions", "No list of Regions was given."),
    }
}
