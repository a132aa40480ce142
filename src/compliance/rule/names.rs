//! The names under which a core rule was delivered, one by one: a conformance pack gives its rules a name of their own
//! in every account and Region.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use askama::Template;

use super::OFFERS;
use super::lists::has_status;
use super::standing::{Asking, Variant, variants};
use crate::State;
use crate::compliance::core::{Evidence, PlaceDay};
use crate::compliance::db::Rule;
use crate::compliance::filter::{self, Filter};
use crate::compliance::shown::{Shown, link, nothing_left, page_of};
use crate::error::Error;
use crate::web::address::Encoded;
use crate::web::download::{Format, download};
use crate::web::form::Filters;
use crate::web::parts::{Empty, Provenance};
use crate::web::table::{self, Column, PLACE_KEYS, Place, Sort, Table};
use crate::web::{Frame, Page, Section, View, filters};

const COLUMNS: [Column; 7] = [
    table::text("Name as delivered").by("name"),
    table::text("Comes by").by("origin"),
    table::text("Conformance pack").by("pack"),
    table::number("Accounts").by("accounts"),
    table::number("Account-Regions").by("places"),
    table::number("Failing").by("failing"),
    table::number("Complying").by("complying"),
];

const DOWNLOAD: [&str; 12] = [
    "day",
    "rule",
    "rule_name",
    "origin",
    "conformance_pack",
    "accounts",
    "account_regions",
    "complying",
    "not_complying",
    "insufficient_data",
    "unrecognised",
    "not_applicable",
];

#[derive(Template)]
#[template(path = "compliance/rule_names.html")]
struct NamesPage<'a> {
    frame: Frame,
    core_name: String,
    filters: Filters,
    table: Table,
    rows: Vec<(&'a Variant, String)>,
    empty: Option<Empty>,
    provenance: Provenance,
}

pub(super) async fn list(state: Data<State>, path: Path<String>, mut view: View) -> Result<HttpResponse, Error> {
    let core_name = path.into_inner();
    let filter = Filter::parse(&view.address, OFFERS, &[&PLACE_KEYS[..], &["origin", "pack"]].concat())?;
    let asked = Filter {
        origin: view.address.get("origin").map(str::to_owned),
        pack: view.address.get("pack").map(str::to_owned),
        ..Filter::default()
    };
    let format = Format::of(&view.address)?;
    let at = Place::of(&view.address, 1)?;
    let shown = Shown::load(state, &mut view).await?;
    let rules: Vec<&Rule> = shown.catalog.of_core(&core_name).collect();
    if rules.is_empty() {
        return Err(Error::NotFound);
    }
    let places: Vec<&PlaceDay> = filter.places(&shown.places);
    let rule_ids: Vec<i32> = rules.iter().map(|rule| rule.rule_id).collect();
    let asking = Asking::new(&shown, &core_name, &filter, &places, &rule_ids);
    let found = asking.found(&shown, &mut view).await?;
    let meant = |rule: &&&Rule| {
        asked.origin.as_deref().is_none_or(|origin| rule.origin == origin)
            && asked.pack.as_deref().is_none_or(|pack| rule.pack == pack)
    };
    let rules: Vec<&Rule> = rules.iter().filter(meant).copied().collect();
    let mut names = variants(&shown, &rules, &found, |rule| rule.name.as_str());
    names.retain(|variant| has_status(filter.which, &variant.counts));
    let sort = Sort::of(&view.address, &COLUMNS, Sort::up("name"));
    sort_by(&mut names, sort);
    if let Some(format) = format {
        return Ok(rows(format, &view, core_name, names));
    }
    let (part, more) = page_of(&names, &at, |variant| name(variant))?;
    let key = |variant: Option<&Variant>| variant.map(|variant| table::key(&[name(variant)]));
    let caption = format!("Names under which {core_name} was delivered");
    let table = Table::whole("names", caption, &COLUMNS, &view.address, part.len())
        .sorted(sort)
        .as_of(view.as_of)
        .with_formats()
        .paged(&at, key(part.first()), key(part.last()), more, i64::try_from(names.len()).unwrap_or(i64::MAX));
    let href = |variant: &Variant| {
        let pairs =
            [&[("rule", core_name.as_str()), ("name", name(variant))], &filter.pairs(&["origin", "pack"])[..]].concat();
        let pairs = [&pairs[..], &[("status", filter.which.slug())]].concat();
        link(&view, "/evaluations", &pairs)
    };
    let page = NamesPage {
        filters: filter::form(&view.address, &shown.places, &shown.catalog, OFFERS)
            .text("origin", "Comes by", "the whole word")
            .text("pack", "Conformance pack", "the whole name"),
        empty: names.is_empty().then(|| nothing_left("No names to show", &view.address)),
        rows: part.iter().map(|variant| (variant, href(variant))).collect(),
        provenance: shown.provenance(&view, &Evidence::of(view.as_of, places.iter().copied()), &filter),
        frame: view
            .frame(Section::Rules, format!("Names of {core_name}"))
            .crumb("Rules", "/rules")
            .crumb(core_name.clone(), &format!("/rules/{}", Encoded(&core_name))),
        table,
        core_name,
    };
    Ok(Page(page).answer(StatusCode::OK))
}

fn name(variant: &Variant) -> &str {
    variant.names.first().map_or("", String::as_str)
}

fn sort_by(names: &mut [Variant], sort: Sort) {
    names.sort_by(|one, other| {
        let order = match sort.by {
            "origin" => one.origin.cmp(&other.origin),
            "pack" => one.pack.cmp(&other.pack),
            "accounts" => one.accounts.cmp(&other.accounts),
            "places" => one.places.cmp(&other.places),
            "failing" => one.counts.not_complying.cmp(&other.counts.not_complying),
            "complying" => one.counts.complying.cmp(&other.counts.complying),
            _ => name(one).cmp(name(other)),
        };
        let order = if sort.descending { order.reverse() } else { order };
        order.then_with(|| name(one).cmp(name(other)))
    });
}

fn rows(format: Format, view: &View, core_name: String, names: Vec<Variant>) -> HttpResponse {
    let day = view.as_of;
    download(format, &view.stem("rule-names"), &DOWNLOAD, move |mut to| async move {
        for variant in names {
            let counts = variant.counts;
            to.push([
                day.into(),
                core_name.as_str().into(),
                name(&variant).into(),
                variant.origin.as_str().into(),
                variant.pack.as_str().into(),
                variant.accounts.into(),
                variant.places.into(),
                counts.complying.into(),
                counts.not_complying.into(),
                counts.insufficient_data.into(),
                counts.unrecognised.into(),
                counts.not_applicable.into(),
            ])
            .await?;
        }
        Ok(to)
    })
}
