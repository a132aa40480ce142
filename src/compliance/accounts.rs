//! Accounts: who is unknown and who fails.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, Data};
use askama::Template;
use rustc_hash::FxHashMap;

use super::core::{AtLeast, Counts, Evidence, Figures, PlaceDay, Share};
use super::db::evaluations::{Asked, Part, counted};
use super::filter::{self, Filter, Offers, Which};
use super::shown::{Shown, link, nothing_left, page_of};
use crate::State;
use crate::error::Error;
use crate::web::address::Encoded;
use crate::web::download::{Format, download};
use crate::web::form::Filters;
use crate::web::format::plural;
use crate::web::parts::{Empty, Provenance};
use crate::web::table::{self, Column, PLACE_KEYS, Place, Sort, Table};
use crate::web::{Access, Endpoint, Frame, Page, Section, View, filters};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::get("/accounts", Access::Rooms, || web::get().to(list))]
}

/// The page of an account.
pub(super) fn href(view: &View, account_id: &str) -> String {
    link(view, &format!("/accounts/{}", Encoded(account_id)), &[])
}

const OFFERS: Offers = Offers { rule: true, severity: true, status: true, resource_type: true, age: false };

const COLUMNS: [Column; 7] = [
    table::text("Account").by("account"),
    table::text("Delivered").by("delivered"),
    table::number("Unknown").by("unknown"),
    table::number("Failing").by("failing"),
    table::number("Complying").by("complying"),
    table::number("Complying of known").by("of-known"),
    table::number("At least").by("at-least"),
];

const DOWNLOAD: [&str; 12] = [
    "day",
    "account_id",
    "account_name",
    "expected_regions",
    "delivered_regions",
    "complying",
    "not_complying",
    "insufficient_data",
    "unrecognised",
    "not_applicable",
    "unknown_without_evidence",
    "organizational_unit",
];

#[derive(Template)]
#[template(path = "compliance/accounts.html")]
struct AccountsPage {
    frame: Frame,
    lead: String,
    filters: Filters,
    table: Table,
    rows: Vec<AccountLine>,
    empty: Option<Empty>,
    provenance: Provenance,
}

/// An account of a list.
pub(super) struct AccountLine {
    pub(super) id: String,
    pub(super) name: String,
    /// The root and the organizational units down to its own; empty where no list tells.
    unit: String,
    pub(super) href: String,
    pub(super) expected: usize,
    pub(super) delivered: usize,
    pub(super) unexpected: usize,
    /// What is missing and why, in words.
    pub(super) gaps: String,
    pub(super) figures: Figures,
    pub(super) unknown_href: String,
    pub(super) failing_href: String,
    pub(super) complying_href: String,
}

impl AccountLine {
    /// One for each account of the places, which stand by account. `pairs` are the filters that its links keep.
    pub(super) fn all(view: &View, places: &[&PlaceDay], pairs: &[(&str, &str)]) -> Vec<Self> {
        places.chunk_by(|one, other| one.account_id == other.account_id).map(|of| Self::new(view, of, pairs)).collect()
    }

    fn new(view: &View, places: &[&PlaceDay], pairs: &[(&str, &str)]) -> Self {
        let evidence = Evidence::of(view.as_of, places.iter().copied());
        let (id, name, unit) = places.first().map_or_else(Default::default, |place| {
            (place.account_id.clone(), place.account_name.clone(), place.unit.clone())
        });
        let gaps: Vec<String> = evidence.gaps().into_iter().map(|(state, n)| format!("{n} {}", state.word())).collect();
        let rows =
            |status| link(view, "/evaluations", &[&[("account", id.as_str()), ("status", status)], pairs].concat());
        let region: Vec<(&str, &str)> = pairs.iter().copied().filter(|(key, _)| *key == "region").collect();
        Self {
            href: link(view, &format!("/accounts/{}", Encoded(&id)), &region),
            expected: evidence.expected(),
            delivered: evidence.delivered(),
            unexpected: evidence.unexpected(),
            gaps: gaps.join(", "),
            figures: evidence.figures(),
            unknown_href: rows("unknown"),
            failing_href: rows("non-compliant"),
            complying_href: rows("compliant"),
            id,
            name,
            unit,
        }
    }

    /// In tenths of a percent; below all shares where nothing is known.
    fn of_known(&self) -> i64 {
        self.figures.complying_of_known().map_or(-1, Share::tenths)
    }

    /// In tenths of a percent; what cannot be computed stands below all that can.
    fn at_least(&self) -> i64 {
        match self.figures.at_least() {
            AtLeast::Share(share) => share.tenths(),
            AtLeast::NotComputable(_) => -1,
            AtLeast::Nothing => -2,
        }
    }

    pub(super) fn never_seen(&self) -> bool {
        self.figures.never_seen.accounts > 0
    }

    /// Seen, but not in every Region.
    pub(super) fn partly_seen(&self) -> bool {
        self.figures.never_seen.places > 0
    }
}

/// By what is unknown, then by open failures: what an auditor must ask about comes first.
pub(super) fn most_urgent_first(accounts: &mut [AccountLine]) {
    accounts.sort_by(|one, other| {
        let urgency = |line: &AccountLine| {
            let figures = &line.figures;
            (line.never_seen(), line.partly_seen(), figures.unknown(), figures.counts.not_complying)
        };
        urgency(other).cmp(&urgency(one)).then_with(|| one.id.cmp(&other.id))
    });
}

async fn list(state: Data<State>, mut view: View) -> Result<HttpResponse, Error> {
    let filter = Filter::parse(&view.address, OFFERS, &PLACE_KEYS)?;
    let format = Format::of(&view.address)?;
    let at = Place::of(&view.address, 1)?;
    let shown = Shown::load(state, &mut view).await?;
    let narrowed = narrowed(&shown, &mut view, &filter).await?;
    let places: Vec<&PlaceDay> = match &narrowed {
        Some(narrowed) => narrowed.iter().collect(),
        None => filter.places(&shown.places),
    };
    let mut accounts = AccountLine::all(&view, &places, &filter.pairs(&["account"]));
    if filter.which != Which::All {
        let rows: FxHashMap<&str, i64> = places.iter().fold(FxHashMap::default(), |mut rows, place| {
            *rows.entry(place.account_id.as_str()).or_default() += filter.which.of_place(place);
            rows
        });
        accounts.retain(|line| rows.get(line.id.as_str()).is_some_and(|rows| *rows > 0));
    }
    let sort = Sort::of(&view.address, &COLUMNS, Sort::down("unknown"));
    sort_by(&mut accounts, sort);
    if let Some(format) = format {
        return Ok(rows(format, &view, accounts));
    }
    let evidence = Evidence::of(view.as_of, places.iter().copied());
    let total = accounts.len();
    let page = {
        let (part, more) = page_of(&accounts, &at, |line| line.id.as_str())?;
        let key = |line: Option<&AccountLine>| line.map(|line| table::key(&[&line.id]));
        let table = Table::whole("accounts", "Accounts", &COLUMNS, &view.address, part.len())
            .sorted(sort)
            .as_of(view.as_of)
            .with_formats()
            .paged(&at, key(part.first()), key(part.last()), more, i64::try_from(total).unwrap_or(i64::MAX));
        (table, part.iter().map(|line| line.id.clone()).collect::<Vec<_>>())
    };
    let (table, ids) = page;
    accounts.retain(|line| ids.contains(&line.id));
    let page = AccountsPage {
        lead: lead(total, &evidence),
        filters: filter::form(&view.address, &shown.places, &shown.catalog, OFFERS),
        empty: (total == 0).then(|| nothing_left("No accounts to show", &view.address)),
        provenance: shown.provenance(&view, &evidence, &filter),
        frame: view.frame(Section::Accounts, "Accounts"),
        rows: accounts,
        table,
    };
    Ok(Page(page).answer(StatusCode::OK))
}

/// The places with what only some rules or a resource type say there; `None` where all is meant.
async fn narrowed(shown: &Shown, view: &mut View, filter: &Filter) -> Result<Option<Vec<PlaceDay>>, Error> {
    if !filter.narrows_rules() {
        return Ok(None);
    }
    let places = filter.places(&shown.places);
    let key = view.key(&format!("accounts {} {:?}", view.as_of, Filter { which: Which::All, ..filter.clone() }));
    let counts: Arc<FxHashMap<i32, Counts>> =
        match (shown.recall(key.as_deref()), filter.resource_type_id(&shown.catalog)) {
            (Some(counts), _) => counts,
            (None, Err(_)) => Arc::default(),
            (None, Ok(resource_type_id)) => {
                let rule_ids = filter.rule_ids(&shown.catalog);
                let place_ids: Vec<i32> = places.iter().map(|place| place.place_id).collect();
                let asked = Asked {
                    day: view.as_of,
                    place_ids: &place_ids,
                    rule_ids: rule_ids.as_deref(),
                    resource_type_ids: resource_type_id.as_ref().map(std::slice::from_ref),
                };
                let rows = counted(&mut view.read, &asked, Part::Whole).await?;
                let counts: Arc<FxHashMap<i32, Counts>> =
                    Arc::new(rows.iter().map(|row| (row.place_id, row.counts())).collect());
                shown.remember(key, &counts, counts.len() * 64);
                counts
            }
        };
    Ok(Some(filter::narrowed(&places, &counts)))
}

fn lead(accounts: usize, evidence: &Evidence<'_>) -> String {
    let accounts = plural(i64::try_from(accounts).unwrap_or(i64::MAX), "account");
    format!("{accounts}. {}", evidence.sentence())
}

fn sort_by(accounts: &mut [AccountLine], sort: Sort) {
    if sort == Sort::down("unknown") {
        return most_urgent_first(accounts);
    }
    accounts.sort_by(|one, other| {
        let order = match sort.by {
            "delivered" => (one.delivered, one.expected).cmp(&(other.delivered, other.expected)),
            "unknown" => one.figures.unknown().cmp(&other.figures.unknown()),
            "failing" => one.figures.counts.not_complying.cmp(&other.figures.counts.not_complying),
            "complying" => one.figures.counts.complying.cmp(&other.figures.counts.complying),
            "of-known" => one.of_known().cmp(&other.of_known()),
            "at-least" => one.at_least().cmp(&other.at_least()),
            _ => (one.name.to_lowercase(), &one.id).cmp(&(other.name.to_lowercase(), &other.id)),
        };
        let order = if sort.descending { order.reverse() } else { order };
        order.then_with(|| one.id.cmp(&other.id))
    });
}

fn rows(format: Format, view: &View, accounts: Vec<AccountLine>) -> HttpResponse {
    let (day, stem) = (view.as_of, view.stem("accounts"));
    download(format, &stem, &DOWNLOAD, move |mut to| async move {
        for line in accounts {
            let counts = line.figures.counts;
            to.push([
                day.into(),
                line.id.into(),
                line.name.into(),
                line.expected.into(),
                (line.delivered + line.unexpected).into(),
                counts.complying.into(),
                counts.not_complying.into(),
                counts.insufficient_data.into(),
                counts.unrecognised.into(),
                counts.not_applicable.into(),
                line.figures.carried.into(),
                Some(line.unit).filter(|unit| !unit.is_empty()).into(),
            ])
            .await?;
        }
        Ok(to)
    })
}
