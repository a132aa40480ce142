//! Conformance packs over all accounts: AWS's own verdicts beside ours.

mod core;
mod db;
mod show;

use std::collections::BTreeMap;
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, Data};
use askama::Template;

use self::core::RuleCounts;
use self::db::Delivered;
use super::Status;
use super::core::{Evidence, PlaceDay};
use super::filter::Filter;
use super::shown::{Shown, link};
use crate::State;
use crate::error::Error;
use crate::web::address::Encoded;
use crate::web::download::{Format, download};
use crate::web::parts::{Empty, Provenance};
use crate::web::table::{self, Column, Sort, Table};
use crate::web::{Access, Endpoint, Frame, Page, Section, View, filters};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/conformance-packs", Access::SignedIn, || web::get().to(list)),
        Endpoint::get("/conformance-packs/{name}", Access::SignedIn, || web::get().to(show::show)),
    ]
}

const COLUMNS: [Column; 8] = [
    table::text("Conformance pack").by("name"),
    table::number("Account-Regions").by("places"),
    table::number("NON_COMPLIANT").by("failing"),
    table::number("COMPLIANT").by("complying"),
    table::number("of those with rules without data").by("hollow"),
    table::number("INSUFFICIENT_DATA"),
    table::number("Unknown").by("unknown"),
    table::number("Rules"),
];

const DOWNLOAD: [&str; 10] = [
    "day",
    "conformance_pack",
    "account_regions",
    "aws_non_compliant",
    "aws_compliant",
    "aws_compliant_with_rules_without_data",
    "aws_insufficient_data",
    "aws_unrecognised",
    "unknown_without_evidence",
    "rules_at_most",
];

#[derive(Template)]
#[template(path = "compliance/conformance_list.html")]
struct ListPage {
    frame: Frame,
    lead: String,
    rows: Vec<PackLine>,
    table: Table,
    empty: Option<Empty>,
    provenance: Provenance,
}

/// A pack over all places.
#[derive(Debug, Clone, Default)]
struct PackLine {
    name: String,
    href: String,
    places: i64,
    failing: i64,
    complying: i64,
    /// Of those complying: with rules without data.
    hollow: i64,
    insufficient: i64,
    unrecognised: i64,
    /// Places without evidence for the day.
    unknown: i64,
    most_rules: i64,
}

impl Delivered {
    /// AWS's own counts of the pack's rules.
    fn theirs(&self) -> RuleCounts {
        RuleCounts {
            failing: self.non_compliant_rules.into(),
            complying: self.compliant_rules.into(),
            all: self.total_rules.into(),
        }
    }
}

/// The packs of the day; they stay the same until the next collection.
async fn delivered(shown: &Shown, view: &mut View) -> Result<Arc<Vec<Delivered>>, Error> {
    let key = view.key(&format!("conformance packs {}", view.as_of));
    if let Some(found) = shown.recall(key.as_deref()) {
        return Ok(found);
    }
    let found = Arc::new(db::delivered(&mut view.read, view.organization_id, None, view.as_of).await?);
    shown.remember(key, &found, found.len() * 320);
    Ok(found)
}

async fn list(state: Data<State>, mut view: View) -> Result<HttpResponse, Error> {
    view.address.only(&[&["sort", "format"]])?;
    let format = Format::of(&view.address)?;
    let shown = Shown::load(state, &mut view).await?;
    let found = delivered(&shown, &mut view).await?;
    let mut rows = lines(&shown, &view, &found);
    let sort = Sort::of(&view.address, &COLUMNS, Sort::up("name"));
    sort_by(&mut rows, sort);
    if let Some(format) = format {
        return Ok(download_rows(format, &view, rows));
    }
    let evidence = Evidence::of(view.as_of, shown.places.iter());
    let page = ListPage {
        lead: lead(&view, &rows),
        table: Table::whole(
            "packs",
            "Conformance packs, by AWS’s own verdict in each account and Region",
            &COLUMNS,
            &view.address,
            rows.len(),
        )
        .sorted(sort)
        .as_of(view.as_of)
        .with_formats(),
        empty: rows.is_empty().then(|| {
            Empty::new(
                "No conformance packs",
                "None was delivered for the day. AWS Config delivers its verdicts on them as \
                 AWS::Config::ConformancePackCompliance items, at no cost, where the recorder records those.",
            )
            .next("See what was delivered when", link(&view, "/delivery", &[]))
        }),
        provenance: shown.provenance(&view, &evidence, &Filter::default()),
        frame: view.frame(Section::Rules, "Conformance packs").crumb("Rules", "/rules"),
        rows,
    };
    Ok(Page(page).answer(StatusCode::OK))
}

fn lines(shown: &Shown, view: &View, found: &[Delivered]) -> Vec<PackLine> {
    let mut packs: BTreeMap<&str, PackLine> = BTreeMap::new();
    for one in found {
        let Some(place) = shown.place(one.place_id) else { continue };
        let line = packs.entry(&one.pack).or_insert_with(|| PackLine {
            name: one.pack.clone(),
            href: link(view, &format!("/conformance-packs/{}", Encoded(&one.pack)), &[]),
            ..PackLine::default()
        });
        line.places += 1;
        line.most_rules = line.most_rules.max(one.total_rules.into());
        if !place.known() {
            line.unknown += 1;
            continue;
        }
        match shown.catalog.status(one.status_id) {
            Status::NonCompliant => line.failing += 1,
            Status::Compliant => {
                line.complying += 1;
                line.hollow += i64::from(one.theirs().no_data() > 0);
            }
            Status::InsufficientData => line.insufficient += 1,
            _ => line.unrecognised += 1,
        }
    }
    packs.into_values().collect()
}

fn lead(view: &View, rows: &[PackLine]) -> String {
    let sum = |of: fn(&PackLine) -> i64| rows.iter().map(of).sum::<i64>();
    let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    let count = crate::web::format::count;
    format!(
        "{} as of {} (UTC): AWS says COMPLIANT of {} deployments, and in {} of them some rules have no data.",
        crate::web::format::plural(number(rows.len()), "conformance pack"),
        crate::web::format::day(view.as_of),
        count(sum(|line| line.complying)),
        count(sum(|line| line.hollow))
    )
}

fn sort_by(rows: &mut [PackLine], sort: Sort) {
    rows.sort_by(|one, other| {
        let order = match sort.by {
            "places" => one.places.cmp(&other.places),
            "failing" => one.failing.cmp(&other.failing),
            "complying" => one.complying.cmp(&other.complying),
            "hollow" => one.hollow.cmp(&other.hollow),
            "unknown" => one.unknown.cmp(&other.unknown),
            _ => one.name.cmp(&other.name),
        };
        let order = if sort.descending { order.reverse() } else { order };
        order.then_with(|| one.name.cmp(&other.name))
    });
}

fn download_rows(format: Format, view: &View, rows: Vec<PackLine>) -> HttpResponse {
    let day = view.as_of;
    download(format, &view.stem("conformance-packs"), &DOWNLOAD, move |mut to| async move {
        for line in rows {
            to.push([
                day.into(),
                line.name.into(),
                line.places.into(),
                line.failing.into(),
                line.complying.into(),
                line.hollow.into(),
                line.insufficient.into(),
                line.unrecognised.into(),
                line.unknown.into(),
                line.most_rules.into(),
            ])
            .await?;
        }
        Ok(to)
    })
}

/// Whether AWS's verdict is of the day.
fn known(place: Option<&PlaceDay>) -> bool {
    place.is_some_and(PlaceDay::known)
}
