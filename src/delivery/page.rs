//! The delivery page.

use actix_web::{HttpResponse, web};
use askama::Template;
use time::{Date, Duration};

use super::core::{Gap, OneDay, Period, Place};
use super::db::{self, Which};
use crate::State;
use crate::compliance::DeliveryState;
use crate::error::Error;
use crate::organization;
use crate::web::address::Encoded;
use crate::web::chart::{Axis, Fill, Patterns, Segment, Strip};
use crate::web::download::{Cell, Format, download};
use crate::web::form::{Choice, Filters};
use crate::web::parts::{Empty, Provenance};
use crate::web::table::{Table, number, text};
use crate::web::{Access, Address, Endpoint, Frame, Page, Section, View, filters, format, parse_day};

pub fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::get("/delivery", Access::SignedIn, || web::get().to(show))]
}

/// Days of the calendar where the address names no first one.
const DEFAULT_DAYS: i64 = 90;
/// More days would be too narrow to see and too much to read.
const MOST_DAYS: i64 = 366;
const CALENDAR_ROWS: usize = 50;
const GAP_ROWS: usize = 50;

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
    never: Vec<&'a Place>,
    never_table: Table,
    unexpected: Vec<&'a Place>,
    unexpected_table: Table,
    calendar: Vec<CalendarRow<'a>>,
    calendar_table: Table,
    axis: Axis,
    legend: Vec<LegendEntry>,
    provenance: Provenance,
    /// That Organizations could not be read again, and how old the list is.
    stale: Option<String>,
}

async fn show(state: web::Data<State>, mut view: View) -> Result<HttpResponse, Error> {
    let (first, end) = period(&view)?;
    let state = match view.address.get("state") {
        None => None,
        Some(slug) => Some(
            DeliveryState::ALL
                .into_iter()
                .find(|state| state.slug() == slug)
                .ok_or_else(|| Error::Invalid(format!("There is no delivery state “{slug}”.")))?,
        ),
    };
    let which = Which {
        organization_id: view.organization_id,
        account: view.address.get("account"),
        region: view.address.get("region"),
        scope: view.scope.as_ref().map(|scope| scope.resolved.accounts.as_slice()),
    };
    let places = db::places(&mut view.read, which, first, end).await?;
    let mut period = Period::of(&places, first, end);
    if let Some(state) = state {
        period.gaps.retain(|gap| gap.state == state);
        period.places.retain(|(_, stretches)| stretches.iter().any(|(_, _, day)| day.state == state));
    }
    if let Some(format) = Format::of(&view.address)? {
        return Ok(rows(format, &view, &period));
    }
    let (accounts, regions) = db::choices(&mut view.read, view.organization_id).await?;
    let lists = db::lists(&mut view.read, view.organization_id).await?;
    let listed = organization::listed(&mut view.read, view.organization_id).await?;
    let stale = listed.stale(state.clock.now().date());
    let filters = choices(accounts, regions, &view.address);
    let page = ShowPage { stale, ..page(&view, &period, &places, filters, &lists)? };
    Ok(Page(page).answer(actix_web::http::StatusCode::OK))
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

fn choices(accounts: Vec<db::AccountName>, regions: Vec<String>, address: &Address) -> Filters {
    let accounts = accounts
        .into_iter()
        .map(|(id, name)| {
            let words = if name.is_empty() { id.clone() } else { format!("{name} ({id})") };
            Choice::new(id, words)
        })
        .collect();
    let regions = regions.into_iter().map(|region| Choice::new(region.clone(), region)).collect();
    let states = DeliveryState::ALL.into_iter().map(|state| Choice::new(state.slug(), state.word())).collect();
    Filters::new(address)
        .select("account", "Account", "All accounts", accounts)
        .select("region", "Region", "All Regions", regions)
        .select("state", "State", "All states", states)
        .day("from", "First day of the calendar")
}

fn page<'a>(
    view: &View,
    period: &'a Period<'a>,
    places: &'a [Place],
    filters: Filters,
    lists: &db::Lists,
) -> Result<ShowPage<'a>, Error> {
    let address = &view.address;
    let (gap_from, gap_to) = window(address, "gaps", GAP_ROWS, period.gaps.len())?;
    let gaps = &period.gaps[gap_from..gap_to];
    let gap_table = windowed(
        Table::whole(
            "gaps",
            format!("Gaps by cause, longest first, {} to {}", format::day(period.first), format::day(view.as_of)),
            &[text("Cause"), text("Account"), text("Region"), text("From"), text("To"), number("Days")],
            address,
            gaps.len(),
        ),
        ("gaps", GAP_ROWS),
        (gap_from, period.gaps.len()),
    );
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
    let never_table =
        Table::whole("never", "Expected, and never delivered", &columns, address, never.len()).as_of(view.as_of);
    let unexpected_table =
        Table::whole("unexpected", "Delivered, and not expected", &columns, address, unexpected.len())
            .as_of(view.as_of);
    let (from, to) = window(address, "places", CALENDAR_ROWS, period.places.len())?;
    let calendar: Vec<CalendarRow<'_>> =
        period.places[from..to].iter().map(|row| calendar_row(view, period, row)).collect();
    let calendar_table = windowed(
        Table::whole(
            "calendar",
            format!("Delivery day by day, {} to {} (UTC)", format::day(period.first), format::day(view.as_of)),
            &[],
            address,
            calendar.len(),
        ),
        ("places", CALENDAR_ROWS),
        (from, period.places.len()),
    )
    .with_formats();
    Ok(ShowPage {
        frame: view.frame(Section::Delivery, "Delivery"),
        listed: view.organization.listed,
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
        never,
        never_table,
        unexpected,
        unexpected_table,
        calendar,
        calendar_table,
        axis: Axis::new(period.first, period.end),
        legend: legend(view, period),
        provenance: provenance(view, lists),
        stale: None,
    })
}

/// The rows from the one that `?key=` names, counted from 1.
fn window(address: &Address, key: &str, size: usize, total: usize) -> Result<(usize, usize), Error> {
    let first = match address.get(key) {
        None => 1,
        Some(text) => text.parse::<usize>().ok().filter(|row| *row >= 1).ok_or_else(|| {
            Error::Invalid("The place in the table is not one of its own links. Start from its first page.".to_owned())
        })?,
    };
    let from = (first - 1).min(total);
    Ok((from, from.saturating_add(size).min(total)))
}

fn windowed(mut table: Table, (key, size): (&str, usize), (from, total): (usize, usize)) -> Table {
    let rows = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    table.first_row = rows(from) + 1;
    table.total = rows(total);
    let base = table.address.without(&["format"]);
    table.previous = (from > 0).then(|| base.with(key, from.saturating_sub(size) + 1));
    table.next = (from + size < total).then(|| base.with(key, from + size + 1));
    table.first = base.without(&[key]);
    table
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
                let scope = view.scope.as_ref().map(|scope| format!("&scope={}", scope.resolved.name));
                format!("/accounts/{}?as_of={last}{}", Encoded(&place.account_id), scope.unwrap_or_default())
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
    let address = view.address.without(&["gaps", "places", "format"]);
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

fn account_path(place: &Place) -> String {
    format!("/accounts/{}", Encoded(&place.account_id))
}

fn provenance(view: &View, lists: &db::Lists) -> Provenance {
    let mut provenance = Provenance::default()
        .line("What is a day", "The day in the delivered object’s path, in UTC.")
        .line(
            "What is delivered",
            "The last readable snapshot of the day, else what history items say before the first snapshot ever.",
        )
        .link(
            "Which objects",
            "Collections, with every object that was read",
            format!("/collections?as_of={}", view.as_of),
        );
    provenance = match (lists.accounts_listed_on, &lists.accounts_source, lists.accounts_collection) {
        (Some(day), Some(source), Some(collection)) => provenance.link(
            "Expected accounts",
            format!("Organizations’ account list of {}, read from {source}", format::day(day)),
            format!("/collections/{collection}?as_of={}", view.as_of),
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

const COLUMNS: [&str; 7] = ["account_id", "region", "state", "expected", "first_day", "last_day", "days"];

/// Every stretch of the calendar.
fn rows(format: Format, view: &View, period: &Period<'_>) -> HttpResponse {
    let cells: Vec<[Cell; 7]> = period
        .places
        .iter()
        .flat_map(|(place, stretches)| {
            stretches.iter().map(|(first, end, day)| {
                [
                    place.account_id.as_str().into(),
                    place.region.as_str().into(),
                    day.state.word().into(),
                    day.expected.into(),
                    (*first).into(),
                    end.previous_day().into(),
                    (*end - *first).whole_days().into(),
                ]
            })
        })
        .collect();
    download(format, &format!("delivery-{}", view.as_of), &COLUMNS, |mut rows| async move {
        for row in cells {
            rows.push(row).await?;
        }
        Ok(rows)
    })
}
