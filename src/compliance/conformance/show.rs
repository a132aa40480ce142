//! One conformance pack: where it is deployed, AWS's verdict there beside ours, and its rules.

use std::collections::BTreeSet;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use askama::Template;

use super::choices;
use super::db::OnlyThere;
use super::elsewhere::Elsewhere;
use super::list::Asked;
use super::places::{self, Line};
use super::rules::{self, Ours, RuleLine};
use crate::State;
use crate::compliance::core::Evidence;
use crate::compliance::filter::{self, Filter, Offers};
use crate::compliance::shown::{Shown, as_of, no_such_rows, nothing_left};
use crate::error::Error;
use crate::web::download::Format;
use crate::web::form::Filters;
use crate::web::parts::{self, Empty, Provenance};
use crate::web::table::Table;
use crate::web::{Frame, Page, Section, View, filters};

/// Rule and severity narrow the table of rules alone.
const OFFERS: Offers = Offers { rule: true, severity: true, status: false, resource_type: false, age: false };
const KNOWN: [&str; 9] =
    ["verdict", "places", "sort", "rules", "rules-sort", "elsewhere", "elsewhere-sort", "rows", "format"];

#[derive(Template)]
#[template(path = "compliance/conformance_show.html")]
struct ShowPage {
    frame: Frame,
    name: String,
    lead: String,
    filters: Filters,
    /// What the filters leave: of the places, and of the rules besides.
    only: Option<String>,
    only_rules: Option<String>,
    places: (Vec<Line>, Table),
    empty: Option<Empty>,
    rules: (Vec<RuleLine>, Table),
    /// Whether the evidence of the day holds the pack anywhere.
    delivered: bool,
    elsewhere: (Vec<OnlyThere>, Table),
    elsewhere_read: String,
    provenance: Provenance,
}

pub(super) async fn show(state: Data<State>, path: Path<String>, mut view: View) -> Result<HttpResponse, Error> {
    let name = path.into_inner();
    let filter = Filter::parse(&view.address, OFFERS, &KNOWN)?;
    let format = Format::of(&view.address)?;
    let shown = Shown::load(state, &mut view).await?;
    let ours = Ours::load(&shown, &mut view, &name).await?;
    let elsewhere = Elsewhere::load(&mut view, &name).await?;
    if ours.delivered.is_empty() && elsewhere.is_empty() {
        return Err(Error::NotFound);
    }
    let asked = Asked::of(&view)?;
    let elsewhere = elsewhere.narrowed(&asked, &shown.places);
    let by_place = ours.by_place();
    let mut place_ids: BTreeSet<i32> = BTreeSet::new();
    let mut lines: Vec<Line> = Vec::new();
    for one in &ours.delivered {
        if let Some(place) = shown.place(one.place_id).filter(|place| asked.holds(&shown, place, one)) {
            place_ids.insert(place.place_id);
            let counts = by_place.get(&one.place_id).copied().unwrap_or_default();
            lines.push(Line::new(&shown, &view, place, one, counts));
        }
    }
    let rule_lines = rules::lines(&shown, &view, (&name, &ours), &place_ids, &filter);
    let (address, stem) = (&view.address, view.stem(format!("conformance-pack-{name}")));
    if let Some(format) = format {
        return match address.get("rows") {
            None | Some("places") => Ok(places::places().download(format, &stem, address, lines)),
            Some("rules") => {
                let stem = view.stem(format!("conformance-pack-rules-{name}"));
                Ok(rules::rules().download(format, &stem, address, rule_lines))
            }
            Some(_) if Elsewhere::is_asked_for(address) => {
                let stem = view.stem(format!("conformance-pack-aggregator-{name}"));
                Ok(elsewhere.download(format, &stem, address))
            }
            Some(_) => Err(no_such_rows()),
        };
    }
    let evidence = Evidence::of(view.as_of, shown.places.iter());
    let delivered = ours.delivered.iter().any(|one| shown.place(one.place_id).is_some());
    let lead = elsewhere.lead(&view).filter(|_| !delivered).unwrap_or_else(|| places::lead(&view, &lines));
    let page = ShowPage {
        lead,
        delivered,
        elsewhere_read: elsewhere.read(),
        elsewhere: elsewhere.table(address)?,
        filters: filter::offered(choices(&view, &shown, &ours.delivered), address, &shown.catalog, OFFERS),
        only: asked.sentence(),
        only_rules: filter.sentence(&["account", "region"]),
        empty: lines.is_empty().then(|| nothing_left("No account-Region here", address)),
        places: as_of(&view, places::places().table(address, "Where it is deployed", lines)?),
        rules: as_of(&view, rules::rules().table(address, "Its rules, where the day is known", rule_lines)?),
        provenance: shown.provenance(&view, &evidence, &Filter::default()),
        frame: view
            .frame(Section::Rules, name.clone())
            .crumb("Rules", "/rules")
            .crumb("Conformance packs", "/conformance-packs"),
        name,
    };
    Ok(Page(page).answer(StatusCode::OK))
}
