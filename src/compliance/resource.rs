//! One resource: what each rule said of it over time, as bands and as dates.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, Data};
use askama::Template;
use time::{Date, Duration};

use super::core::history::{Seen, Span, Stretch, stretches};
use super::core::{Evidence, PlaceDay};
use super::db::{self, resource as resource_db};
use super::filter::Filter;
use super::objects;
use super::shown::Shown;
use super::{DeliveryState, Severity, Status};
use crate::State;
use crate::error::Error;
use crate::reconcile::notes::{self, ResourceNote};
use crate::web::chart::{Axis, Fill, Patterns, Segment, Strip};
use crate::web::download::{Cell, Format, download};
use crate::web::format::{day, plural};
use crate::web::parts::{self, Provenance};
use crate::web::table::{self, Column, Table, Window, text};
use crate::web::{Access, Address, Endpoint, Frame, Page, Section, View, filters};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::get("/resources", Access::SignedIn, || web::get().to(show))]
}

/// Days of the bands, where the address asks for no more.
const DAYS: i64 = 90;
/// AWS's notes on the page.
const NOTES: i64 = 50;
/// Bands, and rows with exact dates, on a page.
const BANDS: usize = 40;
const DATES: usize = 100;

const COLUMNS: [Column; 6] = [
    table::text("Rule"),
    table::text("Status"),
    table::text("First day"),
    table::text("Last day"),
    table::number("Days"),
    table::text("Item captured"),
];

const DOWNLOAD: [&str; 9] =
    ["account_id", "region", "resource_type", "resource_id", "rule", "status", "first_day", "last_day", "days"];

#[derive(Template)]
#[template(path = "compliance/resource.html")]
struct ResourcePage {
    frame: Frame,
    account_id: String,
    account_name: String,
    account_href: String,
    region: String,
    resource_type: String,
    id: String,
    lead: String,
    patterns: Patterns,
    axis: Axis,
    bands: Vec<Band>,
    bands_table: Table,
    first: Date,
    as_of: Date,
    /// The same with all collected days, where there are more.
    whole_href: Option<String>,
    table: Table,
    rows: Vec<Line>,
    /// AWS's notes, fetched for some rules, each with the page of its rule here.
    notes: Vec<(ResourceNote, String)>,
    provenance: Provenance,
}

struct Band {
    rule: String,
    href: String,
    /// The rule in the account and Region, with AWS's notes.
    result_href: String,
    severity: Severity,
    now: Now,
    strip: Strip,
}

/// What a band says of the as-of day.
enum Now {
    Says(Status),
    Absent,
    Gap(Option<Status>),
}

#[derive(Clone)]
struct Line {
    /// Among all rows of the table, from 1.
    number: usize,
    rule: String,
    seen: Seen<i16>,
    status: Option<Status>,
    first: Date,
    last: Date,
    days: i64,
    /// The object of the first day, by which it is known.
    first_href: Option<String>,
    /// Whether the first day is the day it began, or only the first that is shown.
    captured_at: Option<time::OffsetDateTime>,
    cause: String,
}

async fn show(state: Data<State>, mut view: View) -> Result<HttpResponse, Error> {
    view.address.only(&[&["account", "region", "type", "id", "days", "bands", "dates", "format"]])?;
    let format = Format::of(&view.address)?;
    let asked = |name: &str| view.address.get(name).map(str::to_owned).ok_or(Error::NotFound);
    let (account_id, region, resource_type, id) = (asked("account")?, asked("region")?, asked("type")?, asked("id")?);
    view.require(&account_id)?;
    let whole = view.address.get("days") == Some("all");
    let shown = Shown::load(state, &mut view).await?;
    let place = place(&shown, &mut view, &account_id, &region).await?;
    let type_id = shown.catalog.types.iter().find(|(_, name)| *name == resource_type).map(|(id, _)| *id);
    let type_id = type_id.ok_or(Error::NotFound)?;
    let named = resource_db::Named { place_id: place.place_id, resource_type_id: type_id, id: &id };
    let runs = resource_db::runs(&mut view.read, named, view.as_of).await?.ok_or(Error::NotFound)?;
    let first = if whole { view.first_day } else { (view.as_of - Duration::days(DAYS - 1)).max(view.first_day) };
    let days = resource_db::days(&mut view.read, &[place.place_id], first, view.as_of).await?;

    let timelines = timelines(&shown, &runs, &days, first, view.as_of);
    let mut rows: Vec<Line> = timelines.iter().flat_map(|timeline| timeline.lines.clone()).collect();
    if let Some(format) = format {
        return Ok(download_rows(format, &view, [account_id, region, resource_type, id], rows));
    }
    let named = ((account_id.as_str(), region.as_str()), (resource_type.as_str(), id.as_str()));
    let notes = notes::of_resource(&mut view.read, view.organization_id, named.0, named.1, NOTES).await?;
    let evidence = Evidence::of(view.as_of, [&place]);
    let object = match place.source.and_then(|source| source.object_id) {
        Some(object_id) => objects::db::one(&mut view.read, object_id).await?,
        None => None,
    };
    let here = Filter { account: Some(account_id.clone()), region: Some(region.clone()), ..Filter::default() };
    for (number, row) in rows.iter_mut().enumerate() {
        row.number = number + 1;
        let known = matches!(row.seen, Seen::Value(_));
        row.first_href = known.then(|| objects::href_on(&view, row.first, &here.place_pairs()));
    }
    let bands = Window::of(&view.address, "bands", BANDS, timelines.len())?;
    let dates = Window::of(&view.address, "dates", DATES, rows.len())?;
    let lead = lead(&view, &timelines, &place);
    let mut first_row = 1;
    let mut all_bands = Vec::new();
    for timeline in timelines {
        let rows = timeline.lines.len();
        all_bands.push((timeline, first_row));
        first_row += rows;
    }
    let shown_bands = all_bands.drain(bands.from..bands.to);
    let link = |row: usize| date_href(&view.address, row);
    let shown_bands: Vec<Band> = shown_bands
        .map(|(timeline, first_row)| {
            timeline.band(&view, &place, (first, view.as_of + Duration::DAY), (first_row, &link))
        })
        .collect();
    let band_columns = [text("Rule"), text("Severity"), text("Now"), text("Days")];
    let bands_table =
        Table::whole("bands", "A band for each rule", &band_columns, &view.address, shown_bands.len()).windowed(&bands);
    let table = Table::whole("dates", "What each rule said, with exact dates", &COLUMNS, &view.address, rows.len())
        .with_formats()
        .windowed(&dates);
    let end = view.as_of + Duration::DAY;
    let page = ResourcePage {
        lead,
        patterns: Patterns,
        axis: Axis::new(first, end),
        bands: shown_bands,
        bands_table,
        first,
        as_of: view.as_of,
        whole_href: (first > view.first_day).then(|| view.address.start().with("days", "all").to_string()),
        rows: dates.rows(&rows).to_vec(),
        table,
        notes: notes
            .into_iter()
            .map(|note| {
                let href = result_href(&view, (&account_id, &region), &note.rule_name);
                (note, href)
            })
            .collect(),
        provenance: shown.provenance_with(&view, &evidence, &here, object.as_ref()),
        account_name: place.account_name.clone(),
        account_href: super::accounts::href(&view, &account_id),
        frame: view
            .frame(Section::Evaluations, id.clone())
            .crumb("Accounts", "/accounts")
            .crumb(account_id.clone(), &format!("/accounts/{}", crate::web::address::Encoded(&account_id))),
        account_id,
        region,
        resource_type,
        id,
    };
    Ok(Page(page).answer(StatusCode::OK))
}

async fn place(shown: &Shown, view: &mut View, account_id: &str, region: &str) -> Result<PlaceDay, Error> {
    let is = |place: &&PlaceDay| place.account_id == account_id && place.region == region;
    if let Some(place) = shown.places.iter().find(is) {
        return Ok(place.clone());
    }
    // Neither expected nor heard of on the day: it has a past all the same.
    let places = db::places(&mut view.read, view.organization_id, view.as_of).await?;
    places.iter().find(is).cloned().ok_or(Error::NotFound)
}

/// What continues when a pack is deployed again: the runs of all names of a core rule within its pack.
struct Timeline {
    rule: String,
    core_name: String,
    severity: Severity,
    stretches: Vec<(Stretch<i16>, Option<Status>)>,
    lines: Vec<Line>,
}

fn timelines(
    shown: &Shown,
    runs: &[resource_db::Run],
    days: &[resource_db::PlaceOn],
    first: Date,
    until: Date,
) -> Vec<Timeline> {
    let known: BTreeSet<Date> = days.iter().filter(|on| on.state.known()).map(|on| on.day).collect();
    let state_on: BTreeMap<Date, DeliveryState> = days.iter().map(|on| (on.day, on.state)).collect();
    let mut by_timeline: BTreeMap<i32, Vec<&resource_db::Run>> = BTreeMap::new();
    for run in runs {
        if let Some((_, rule)) = shown.catalog.rule(run.rule_id) {
            by_timeline.entry(rule.timeline_id).or_default().push(run);
        }
    }
    let mut timelines: Vec<Timeline> = by_timeline
        .into_values()
        .filter_map(|runs| {
            // The newest name stands for the timeline.
            let (_, rule) = shown.catalog.rule(runs.last()?.rule_id)?;
            let spans: Vec<Span<i16>> =
                runs.iter().map(|run| Span { first: run.first_day, end: run.end_day, value: run.status_id }).collect();
            let stretches: Vec<(Stretch<i16>, Option<Status>)> = stretches(&spans, &known, first, until)
                .into_iter()
                .map(|stretch| {
                    let held = match stretch.seen {
                        Seen::Value(held) | Seen::Gap(Some(held)) => Some(shown.catalog.status(held)),
                        _ => None,
                    };
                    (stretch, held)
                })
                .collect();
            // Nothing within the days shown.
            if stretches.iter().all(|(_, held)| held.is_none()) {
                return None;
            }
            let lines = lines(shown, &runs, &stretches, &state_on);
            Some(Timeline {
                rule: rule.name.clone(),
                core_name: rule.core_name.clone(),
                severity: rule.severity(),
                stretches,
                lines,
            })
        })
        .collect();
    timelines.sort_by(|one, other| one.rule.cmp(&other.rule));
    timelines
}

fn lines(
    shown: &Shown,
    runs: &[&resource_db::Run],
    stretches: &[(Stretch<i16>, Option<Status>)],
    state_on: &BTreeMap<Date, DeliveryState>,
) -> Vec<Line> {
    stretches
        .iter()
        .rev()
        .map(|(stretch, status)| {
            let run = runs
                .iter()
                .rev()
                .find(|run| run.first_day <= stretch.first && run.end_day.is_none_or(|end| stretch.first < end));
            let name = run.or(runs.last()).and_then(|run| shown.catalog.rule(run.rule_id));
            let cause = match stretch.seen {
                Seen::Gap(_) => state_on.get(&stretch.first).map(|state| state.word().to_owned()),
                _ => None,
            };
            Line {
                number: 0,
                first_href: None,
                rule: name.map(|(_, rule)| rule.name.clone()).unwrap_or_default(),
                seen: stretch.seen,
                status: status.clone(),
                first: stretch.first,
                last: stretch.last,
                days: stretch.days(),
                captured_at: run
                    .filter(|run| matches!(stretch.seen, Seen::Value(_)) && run.first_day == stretch.first)
                    .and_then(|run| run.item_captured_at),
                cause: cause.unwrap_or_default(),
            }
        })
        .collect()
}

impl Timeline {
    fn now(&self) -> Now {
        match self.stretches.last() {
            Some((Stretch { seen: Seen::Value(_), .. }, Some(status))) => Now::Says(status.clone()),
            Some((Stretch { seen: Seen::Gap(_), .. }, status)) => Now::Gap(status.clone()),
            _ => Now::Absent,
        }
    }

    /// The band of the timeline, whose stretches lead to their rows among the exact dates: the first of them is
    /// `first_row`, and the newest stretch comes first there.
    fn band(
        self,
        view: &View,
        place: &PlaceDay,
        (first, end): (Date, Date),
        (first_row, href): (usize, &dyn Fn(usize) -> String),
    ) -> Band {
        let newest = first_row + self.stretches.len();
        let segments: Vec<Segment> = self
            .stretches
            .iter()
            .enumerate()
            .map(|(at, (stretch, status))| {
                let (fill, words) = match (stretch.seen, status) {
                    (Seen::Value(_), Some(status)) => (Fill::Status(status.clone()), status.word().to_owned()),
                    (Seen::Gap(_), Some(status)) => (Fill::Gap, format!("no evidence, last known {status}")),
                    (Seen::Gap(_), None) => (Fill::Gap, "no evidence".to_owned()),
                    _ => (Fill::Absent, "not evaluated".to_owned()),
                };
                let href = Some(href(newest - 1 - at));
                Segment { first: stretch.first, end: stretch.last + Duration::DAY, fill, words, href }
            })
            .collect();
        Band {
            now: self.now(),
            href: super::rules::href(view, &self.core_name),
            result_href: result_href(view, (&place.account_id, &place.region), &self.rule),
            severity: self.severity,
            strip: Strip::new(format!("{} day by day", self.rule), first, end, &segments),
            rule: self.rule,
        }
    }
}

/// The page of a rule in an account and Region.
fn result_href(view: &View, (account_id, region): (&str, &str), rule: &str) -> String {
    super::shown::link(view, "/results", &[("account", account_id), ("region", region), ("rule", rule)])
}

/// The row of the exact dates with a number, on the page of the table that holds it.
fn date_href(address: &Address, row: usize) -> String {
    let page = (row - 1) / DATES * DATES + 1;
    let address = address.without(&["dates", "format"]);
    let address = if page == 1 { address } else { address.with("dates", page) };
    format!("{address}#date-{row}")
}

fn lead(view: &View, timelines: &[Timeline], place: &PlaceDay) -> String {
    let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    let count = |is: fn(&Status) -> bool| {
        timelines.iter().filter(|timeline| matches!(timeline.now(), Now::Says(status) if is(&status))).count()
    };
    let as_of = day(view.as_of);
    if !place.known() {
        let last = match place.last_known {
            Some((last, _)) => format!("the last known day is {}", day(last)),
            None => "it was never known".to_owned(),
        };
        return format!("Unknown as of {as_of} (UTC): no evidence from this account and Region for the day; {last}.");
    }
    let speaking = timelines.iter().filter(|timeline| matches!(timeline.now(), Now::Says(_))).count();
    if speaking == 0 {
        return format!(
            "No rule speaks of this resource as of {as_of} (UTC): it is gone, or out of scope of every rule."
        );
    }
    let failing = count(|status| *status == Status::NonCompliant);
    let complying = count(|status| *status == Status::Compliant);
    format!(
        "Of {} that {} of it as of {as_of} (UTC), {failing} {} NON_COMPLIANT and {complying} COMPLIANT.",
        plural(number(speaking), "rule"),
        if speaking == 1 { "speaks" } else { "speak" },
        if failing == 1 { "says" } else { "say" }
    )
}

fn download_rows(format: Format, view: &View, of: [String; 4], rows: Vec<Line>) -> HttpResponse {
    download(format, &view.stem("resource"), &DOWNLOAD, move |mut to| async move {
        for line in rows {
            let status = match line.seen {
                Seen::Value(_) => line.status.map(|status| status.word().to_owned()).unwrap_or_default(),
                Seen::Gap(_) => format!("no evidence: {}", line.cause),
                Seen::Absent => "not evaluated".to_owned(),
            };
            let [account_id, region, resource_type, id] = of.clone().map(Cell::from);
            to.push([
                account_id,
                region,
                resource_type,
                id,
                line.rule.into(),
                status.into(),
                line.first.into(),
                line.last.into(),
                line.days.into(),
            ])
            .await?;
        }
        Ok(to)
    })
}
