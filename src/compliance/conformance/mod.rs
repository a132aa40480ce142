//! Conformance packs over all accounts: AWS's own verdicts beside ours.

mod core;
mod db;
mod elsewhere;
mod list;
mod places;
mod rules;
mod show;

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, Data};
use askama::Template;

use self::core::{RuleCounts, Verdict};
use self::db::Delivered;
use self::list::{Asked, PackLine};
use super::Status;
use super::core::{Evidence, PlaceDay};
use super::filter::Filter;
use super::shown::{Shown, as_of, link, no_such_rows, nothing_left};
use crate::State;
use crate::error::Error;
use crate::web::address::Encoded;
use crate::web::download::Format;
use crate::web::form::{Choice, Filters};
use crate::web::parts::{Empty, Provenance};
use crate::web::table::Table;
use crate::web::{Access, Endpoint, Frame, Page, Section, View, filters};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/conformance-packs", Access::Rooms, || web::get().to(list)),
        Endpoint::get("/conformance-packs/{name}", Access::Rooms, || web::get().to(show::show)),
    ]
}

/// Packs named that only the aggregator has; the others stand where all are compared.
const NAMED: usize = 12;

#[derive(Template)]
#[template(path = "compliance/conformance_list.html")]
struct ListPage {
    frame: Frame,
    lead: String,
    filters: Filters,
    /// What the filters leave.
    only: Option<String>,
    packs: (Vec<PackLine>, Table),
    empty: Option<Empty>,
    /// Packs that only the aggregator has, and their pages; at most [`NAMED`], and how many more.
    elsewhere: Vec<(String, String)>,
    more_elsewhere: usize,
    elsewhere_href: String,
    provenance: Provenance,
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
    view.address.only(&[&["account", "region", "verdict", "packs", "sort", "rows", "format"]])?;
    let format = Format::of(&view.address)?;
    let shown = Shown::load(state, &mut view).await?;
    let found = delivered(&shown, &mut view).await?;
    let mut elsewhere = elsewhere(&mut view, &found).await?;
    let more_elsewhere = elsewhere.len().saturating_sub(NAMED);
    elsewhere.truncate(NAMED);
    let asked = Asked::of(&view)?;
    let rows = list::lines(&shown, &view, &asked, &found);
    if let Some(format) = format {
        return match view.address.get("rows") {
            None | Some("packs") => {
                Ok(list::packs().download(format, &view.stem("conformance-packs"), &view.address, rows))
            }
            Some(_) => Err(no_such_rows()),
        };
    }
    let evidence = Evidence::of(view.as_of, shown.places.iter());
    let caption = "Conformance packs, by AWS’s own verdict in each account and Region";
    let page = ListPage {
        elsewhere,
        more_elsewhere,
        elsewhere_href: link(&view, "/aggregator", &[("pack-result", "only-there")]) + "#packs",
        lead: list::lead(&view, &rows),
        filters: choices(&view, &shown, &found),
        only: asked.sentence(),
        empty: rows.is_empty().then(|| empty(&view, asked.sentence().is_some())),
        packs: as_of(&view, list::packs().table(&view.address, caption, rows)?),
        provenance: shown.provenance(&view, &evidence, &Filter::default()),
        frame: view.frame(Section::Rules, "Conformance packs").crumb("Rules", "/rules"),
    };
    Ok(Page(page).answer(StatusCode::OK))
}

fn empty(view: &View, narrowed: bool) -> Empty {
    if narrowed {
        return nothing_left("No conformance packs", &view.address);
    }
    Empty::new(
        "No conformance packs",
        "None was delivered for the day. AWS Config delivers its verdicts on them as \
         AWS::Config::ConformancePackCompliance items, at no cost, where the recorder records those.",
    )
    .next("See what was delivered when", link(view, "/delivery", &[]))
}

/// The filter form: accounts and Regions with the packs, and AWS's verdict.
fn choices(view: &View, shown: &Shown, found: &[Delivered]) -> Filters {
    let mut places: Vec<&PlaceDay> = found.iter().filter_map(|one| shown.place(one.place_id)).collect();
    places.sort_by(|one, other| one.account_id.cmp(&other.account_id));
    let verdicts = Verdict::ALL.map(|verdict| Choice::new(verdict.slug(), verdict.words())).to_vec();
    Filters::new(&view.address)
        .accounts(places.iter().map(|place| (place.account_id.as_str(), place.account_name.as_str())))
        .regions(places.iter().map(|place| place.region.as_str()))
        .select("verdict", "AWS’s verdict", "All verdicts", verdicts)
}

/// Packs that only the aggregator has and no row tells of, with their pages.
async fn elsewhere(view: &mut View, found: &[Delivered]) -> Result<Vec<(String, String)>, Error> {
    // What was not delivered is no evidence, and a room shows evidence.
    if view.room.is_some() {
        return Ok(Vec::new());
    }
    let accounts = view.scope.as_ref().map(|scope| scope.accounts.clone());
    let names = db::names_only_there(&mut view.read, view.organization_id, accounts.as_deref()).await?;
    let named = names.into_iter().filter(|name| !found.iter().any(|one| one.pack == *name));
    let with_page = |name: String| {
        let href = link(view, &format!("/conformance-packs/{}", Encoded(&name)), &[]);
        (name, href)
    };
    Ok(named.map(with_page).collect())
}

/// How urgent a verdict is, for sorting: the higher, the more.
pub(super) fn rank(status: Option<&Status>) -> i64 {
    match status {
        Some(Status::NonCompliant) => 3,
        Some(Status::Compliant) => 1,
        Some(_) => 2,
        None => 0,
    }
}
