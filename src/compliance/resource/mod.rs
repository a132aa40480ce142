//! One resource: what each rule said of it over time, as bands and as dates.

mod lists;
mod timeline;

use std::collections::BTreeMap;
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, Data};
use askama::Template;
use time::{Date, Duration};

use self::timeline::{Identity, Line, Now, Timeline, timelines};
use super::core::history::Seen;
use super::core::{Evidence, PlaceDay};
use super::db::{self, resource as resource_db};
use super::filter::{self, Filter, Offers};
use super::objects;
use super::shown::{Shown, link, no_such_rows};
use super::{Severity, Status};
use crate::State;
use crate::error::Error;
use crate::reconcile::notes::{self, ResourceNote};
use crate::web::chart::{Axis, Fill, Patterns, Segment, Strip};
use crate::web::download::Format;
use crate::web::form::Filters;
use crate::web::format::{day, plural};
use crate::web::parts::{self, Provenance};
use crate::web::table::Table;
use crate::web::{Access, Address, Endpoint, Frame, Page, Section, View, filters};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::get("/resources", Access::Rooms, || web::get().to(show))]
}

/// Days of the bands, where the address asks for no more.
const DAYS: i64 = 90;
/// AWS's notes on the page.
const NOTES: i64 = 50;

/// What the page can be narrowed by. Account, Region and type name the resource, with its id.
const OFFERS: Offers = Offers { rule: true, severity: true, status: true, resource_type: false, age: false };
const KNOWN: [&str; 9] = ["type", "id", "days", "bands", "bands-sort", "dates", "sort", "rows", "format"];

#[derive(Template)]
#[template(path = "compliance/resource.html")]
struct ResourcePage {
    frame: Frame,
    of: Arc<Identity>,
    account_name: String,
    account_href: String,
    lead: String,
    filters: Filters,
    /// What the filters leave.
    only: Option<String>,
    /// Without the filters, where they leave nothing.
    cleared_href: String,
    patterns: Patterns,
    axis: Axis,
    bands: Vec<Band>,
    bands_table: Table,
    first: Date,
    as_of: Date,
    /// The same with all collected days, where there are more.
    whole_href: Option<String>,
    /// Each with the object of its first day, by which it is known.
    dates: (Vec<(Line, Option<String>)>, Table),
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

async fn show(state: Data<State>, mut view: View) -> Result<HttpResponse, Error> {
    let filter = asked(&view.address)?;
    let format = Format::of(&view.address)?;
    let of = Arc::new(identity(&view.address)?);
    view.require(&of.account_id)?;
    let whole = view.address.get("days") == Some("all");
    let shown = Shown::load(state, &mut view).await?;
    let place = place(&shown, &mut view, &of).await?;
    let type_id = shown.catalog.types.iter().find(|(_, name)| *name == of.resource_type).map(|(id, _)| *id);
    let type_id = type_id.ok_or(Error::NotFound)?;
    let named = resource_db::Named { place_id: place.place_id, resource_type_id: type_id, id: &of.id };
    let runs = resource_db::runs(&mut view.read, named, view.as_of).await?.ok_or(Error::NotFound)?;
    let first = if whole { view.first_day } else { (view.as_of - Duration::days(DAYS - 1)).max(view.first_day) };
    let days = resource_db::days(&mut view.read, &[place.place_id], first, view.as_of).await?;

    let timelines = timelines(&shown.catalog, &of, &filter, &runs, &days, (first, view.as_of));
    let lines: Vec<Line> = timelines.iter().flat_map(|timeline| timeline.lines.clone()).collect();
    if let Some(format) = format {
        return match view.address.get("rows") {
            None | Some("dates") => Ok(lists::dates().download(format, &view.stem("resource"), &view.address, lines)),
            Some("bands") => {
                Ok(lists::bands().download(format, &view.stem("resource-rules"), &view.address, timelines))
            }
            Some(_) => Err(no_such_rows()),
        };
    }
    let notes = fetched(&mut view, &of).await?;
    let object = match place.source.and_then(|source| source.object_id) {
        Some(object_id) => objects::db::one(&mut view.read, object_id).await?,
        None => None,
    };
    let here = Filter { account: Some(of.account_id.clone()), region: Some(of.region.clone()), ..Filter::default() };
    let evidence = Evidence::of(view.as_of, [&place]);
    let address = &view.address;
    let only = filter.sentence(&["account", "region", "type"]);
    let lead = lead(&view, &timelines, &place, only.is_some());
    let places = date_places(address, &lines);
    let end = view.as_of + Duration::DAY;
    let (shown_bands, bands_table) = lists::bands().table(address, "A band for each rule", timelines)?;
    let bands = shown_bands.into_iter().map(|timeline| band(timeline, &view, &place, (first, end), &places)).collect();
    let page = ResourcePage {
        lead,
        filters: filter::offered(Filters::new(address), address, &shown.catalog, OFFERS),
        only,
        cleared_href: address.start().without(&["rule", "name", "origin", "pack", "severity", "status"]).to_string(),
        patterns: Patterns,
        axis: Axis::new(first, end),
        bands,
        bands_table: bands_table.as_of(view.as_of),
        first,
        as_of: view.as_of,
        whole_href: (first > view.first_day).then(|| address.start().with("days", "all").to_string()),
        dates: with_objects(
            &view,
            &here,
            lists::dates().table(address, "What each rule said, with exact dates", lines)?,
        ),
        notes,
        provenance: shown.provenance_with(&view, &evidence, &here, object.as_ref()),
        account_name: place.account_name.clone(),
        account_href: super::accounts::href(&view, &of.account_id),
        frame: view
            .frame(Section::Evaluations, of.id.clone())
            .crumb("Accounts", "/accounts")
            .crumb(of.account_id.clone(), &format!("/accounts/{}", crate::web::address::Encoded(&of.account_id))),
        of,
    };
    Ok(Page(page).answer(StatusCode::OK))
}

/// Lines with the objects of their first days.
fn with_objects(
    view: &View,
    here: &Filter,
    (lines, table): (Vec<Line>, Table),
) -> (Vec<(Line, Option<String>)>, Table) {
    let places = here.place_pairs();
    let of = |line: Line| {
        let known = matches!(line.seen, Seen::Value(_));
        let href = known.then(|| objects::href_on(view, line.first, &places));
        (line, href)
    };
    (lines.into_iter().map(of).collect(), table)
}

/// What narrows the page, beside what names the resource.
fn asked(address: &Address) -> Result<Filter, Error> {
    let filter = Filter::parse(address, OFFERS, &KNOWN)?;
    Ok(Filter { account: None, region: None, resource_type: None, ..filter })
}

fn identity(address: &Address) -> Result<Identity, Error> {
    let asked = |name: &str| address.get(name).map(str::to_owned).ok_or(Error::NotFound);
    Ok(Identity {
        account_id: asked("account")?,
        region: asked("region")?,
        resource_type: asked("type")?,
        id: asked("id")?,
    })
}

async fn place(shown: &Shown, view: &mut View, of: &Identity) -> Result<PlaceDay, Error> {
    let is = |place: &&PlaceDay| place.account_id == of.account_id && place.region == of.region;
    if let Some(place) = shown.places.iter().find(is) {
        return Ok(place.clone());
    }
    // Neither expected nor heard of on the day: it has a past all the same.
    let places = db::places(&mut view.read, view.organization_id, view.as_of).await?;
    places.iter().find(is).cloned().ok_or(Error::NotFound)
}

/// AWS's notes, each with the page of its rule here.
async fn fetched(view: &mut View, of: &Identity) -> Result<Vec<(ResourceNote, String)>, Error> {
    // Fetched for the team, when it asked; no part of what was delivered.
    if view.room.is_some() {
        return Ok(Vec::new());
    }
    let place = (of.account_id.as_str(), of.region.as_str());
    let resource = (of.resource_type.as_str(), of.id.as_str());
    let notes = notes::of_resource(&mut view.read, view.organization_id, place, resource, NOTES).await?;
    let with_href = |note: ResourceNote| {
        let href = result_href(view, place, &note.rule_name);
        (note, href)
    };
    Ok(notes.into_iter().map(with_href).collect())
}

/// Where each line stands, by its number: the row of the exact dates, on the page of the table that holds it.
fn date_places(address: &Address, lines: &[Line]) -> BTreeMap<usize, String> {
    let ordered = lists::dates().all(address, lines.iter().collect::<Vec<&Line>>());
    let bare = address.without(&["dates", "format", "rows"]);
    let href = |(at, line): (usize, &Line)| {
        let page = at / lists::DATES * lists::DATES + 1;
        let address = if page == 1 { bare.clone() } else { bare.with("dates", page) };
        (line.number, format!("{address}#date-{}", line.number))
    };
    ordered.into_iter().enumerate().map(href).collect()
}

/// The band of a timeline, whose stretches lead to their lines among the exact dates.
fn band(
    timeline: Timeline,
    view: &View,
    place: &PlaceDay,
    (first, end): (Date, Date),
    places: &BTreeMap<usize, String>,
) -> Band {
    let segments: Vec<Segment> = timeline
        .stretches
        .iter()
        .zip(timeline.numbers())
        .map(|((stretch, status), number)| {
            let (fill, words) = match (stretch.seen, status) {
                (Seen::Value(_), Some(status)) => (Fill::Status(status.clone()), status.word().to_owned()),
                (Seen::Gap(_), Some(status)) => (Fill::Gap, format!("no evidence, last known {status}")),
                (Seen::Gap(_), None) => (Fill::Gap, "no evidence".to_owned()),
                _ => (Fill::Absent, "not evaluated".to_owned()),
            };
            let href = number.and_then(|number| places.get(&number).cloned());
            Segment { first: stretch.first, end: stretch.last + Duration::DAY, fill, words, href }
        })
        .collect();
    Band {
        now: timeline.now(),
        href: super::rules::href(view, &timeline.core_name),
        result_href: result_href(view, (&place.account_id, &place.region), &timeline.rule),
        severity: timeline.severity,
        strip: Strip::new(format!("{} day by day", timeline.rule), first, end, &segments),
        rule: timeline.rule,
    }
}

/// The page of a rule in an account and Region.
fn result_href(view: &View, (account_id, region): (&str, &str), rule: &str) -> String {
    link(view, "/results", &[("account", account_id), ("region", region), ("rule", rule)])
}

/// `narrowed`: only some of its rules are spoken of.
fn lead(view: &View, timelines: &[Timeline], place: &PlaceDay, narrowed: bool) -> String {
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
    if speaking == 0 && narrowed {
        return format!("No rule that the filters leave speaks of this resource as of {as_of} (UTC).");
    }
    if speaking == 0 {
        return format!(
            "No rule speaks of this resource as of {as_of} (UTC): it is gone, or out of scope of every rule."
        );
    }
    let failing = count(|status| *status == Status::NonCompliant);
    let complying = count(|status| *status == Status::Compliant);
    format!(
        "Of {}{} that {} of it as of {as_of} (UTC), {failing} {} NON_COMPLIANT and {complying} COMPLIANT.",
        plural(number(speaking), "rule"),
        if narrowed { " that the filters leave and" } else { "" },
        if speaking == 1 { "speaks" } else { "speak" },
        if failing == 1 { "says" } else { "say" }
    )
}
