//! What AWS Config's aggregator says beside the store's newest day, and how fresh its sources are.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use time::OffsetDateTime;

use super::compare::Both;
use super::core::{Totals, Verdict};
use super::packs::table as pack_table;
use super::page_db::{self as db, ComparedRow, ORDERS, ReadingRow, SourceRow, Times, TimesOf, Which};
use super::rows;
use crate::State;
use crate::error::Error;
use crate::organization::{self, NamedPlace};
use crate::web::download::Format;
use crate::web::form::{Choice, Filters};
use crate::web::keyset::{Keyed, Keyset};
use crate::web::parts::{self, Empty, Provenance};
use crate::web::table::{self, Column, PAGE_ROWS, PLACE_KEYS, Place, Sort, Table, Window, text};
use crate::web::{Access, Address, Endpoint, Frame, Page, Section, View, filters, format};

pub fn endpoints() -> Vec<Endpoint> {
    [vec![Endpoint::get("/aggregator", Access::Team, || web::get().to(show))], super::notes::page::endpoints()].concat()
}

/// Sources on a page of their table.
const SOURCES: usize = 25;

const COLUMNS: [Column; 8] = [
    text("Result").by("result"),
    text("Rule").by("rule"),
    text("Account").by("account"),
    text("Region").by("region"),
    text("Here").by("here").most_first(),
    text("Evidence taken"),
    text("AWS").by("aws").most_first(),
    text("AWS heard of it"),
];

const SOURCE_COLUMNS: [Column; 6] =
    [text("Source"), text("Region"), text("Status"), text("Last update"), text("So since"), text("Error")];

#[derive(Template)]
#[template(path = "reconcile/show.html")]
struct ShowPage {
    frame: Frame,
    lead: String,
    /// The last try, where it failed.
    failed: Option<ReadingRow>,
    whole: Option<ReadingRow>,
    /// Whether another day is shown than the one that was compared.
    other_day: bool,
    totals: Vec<(Verdict, u64, String)>,
    filters: Filters,
    rows: Vec<Line>,
    table: Table,
    everything: String,
    packs: Packs,
    sources: Vec<SourceRow>,
    sources_table: Table,
    empty: Option<Empty>,
    provenance: Provenance,
}

/// The conformance packs on the page.
struct Packs {
    totals: Vec<(Verdict, u64, String)>,
    filters: Filters,
    rows: Vec<pack_table::Line>,
    table: Table,
    everything: String,
    /// Whether the aggregator's last whole reading or the evidence has any, whatever the filters.
    any: bool,
}

/// A compared result with the times of both sides.
struct Line {
    row: ComparedRow,
    times: Times,
    /// The page of the rule in the account and Region, as of the latest day: that is what is compared.
    href: String,
}

async fn show(state: web::Data<State>, mut view: View) -> Result<HttpResponse, Error> {
    view.address.only(&[
        &["state", "account", "region", "rule", "sources"],
        &PLACE_KEYS,
        &["rows"],
        &pack_table::KEYS,
    ])?;
    let everywhere = organization::places(&mut view.read, view.organization_id).await?;
    let which = which(&view, &everywhere)?;
    let of_packs = pack_table::which(&view.address, &which)?;
    let (last, whole) = db::readings(&mut view.read, view.organization_id).await?;
    if let Some(format) = Format::of(&view.address)? {
        let first = Keyset::of(&ORDERS, sort(&view), &Place::First, false)?;
        return rows::download_of(format, view, which, of_packs, whole, first);
    }
    let results = find(&mut view, &which).await?;
    let packs = pack_table::find(&mut view, &of_packs).await?;
    let day = whole.as_ref().and_then(|reading| reading.day);
    let places = results.places().chain(packs.places());
    let times = db::times(&mut view.read, view.organization_id, day, places).await?;
    let totals = totals(&state, &mut view, &which, &of_packs).await?;
    let sources = db::sources(&mut view.read, &which).await?;
    let window = Window::of(&view.address, "sources", SOURCES, sources.len())?;
    let sources_table = Table::whole("sources", "Sources of the aggregator", &SOURCE_COLUMNS, &view.address, SOURCES)
        .windowed(&window)
        .with_formats_of("sources");
    let failed = last.filter(|reading| reading.failure.is_some());
    let page = ShowPage {
        lead: lead(whole.as_ref(), &totals),
        other_day: day.is_some_and(|day| day != view.as_of),
        totals: totals_lines(&view, &totals.rules),
        filters: choices(&view, &everywhere),
        table: results.table(&view, meant(&totals.rules, which.verdict)),
        rows: lines(results.rows, &times),
        everything: view.address.start().without(&["state", "account", "region", "rule"]).to_string(),
        packs: Packs {
            totals: pack_table::totals(&view, &totals.packs),
            filters: pack_table::choices(&view),
            table: packs.table(&view, meant(&totals.packs, of_packs.verdict)),
            rows: packs.lines(&view, &times),
            everything: pack_table::everything(&view),
            any: totals.packs.all() > 0 || filtered(&view),
        },
        sources: window.rows(&sources).to_vec(),
        sources_table,
        empty: whole.is_none().then(|| empty(failed.as_ref())),
        provenance: provenance(&view, whole.as_ref()),
        frame: view.frame(Section::Delivery, "Compared with AWS").crumb("Delivery", "/delivery"),
        failed,
        whole,
    };
    Ok(Page(page).answer(StatusCode::OK))
}

/// How many results the filter by outcome leaves.
fn meant(totals: &Totals, verdict: Option<Verdict>) -> u64 {
    verdict.map_or_else(|| totals.all(), |verdict| totals.of(verdict))
}

/// Whether something keeps conformance packs from the page.
fn filtered(view: &View) -> bool {
    view.scope.is_some() || ["account", "region", "pack"].into_iter().any(|name| view.address.get(name).is_some())
}

/// A page of rules' results, before its times are known.
struct Found {
    rows: Vec<Keyed<ComparedRow>>,
    place: Place,
    sort: Sort,
    more: bool,
}

fn sort(view: &View) -> Sort {
    Sort::of(&view.address, &COLUMNS, Sort::up("result"))
}

async fn find(view: &mut View, which: &Which) -> Result<Found, Error> {
    let place = Place::of(&view.address, 2)?;
    let sort = sort(view);
    let keyset = Keyset::of(&ORDERS, sort, &place, false)?;
    let mut rows = db::compared(&mut view.read, which, &keyset, PAGE_ROWS + 1).await?;
    let more = table::cut(&mut rows, &place);
    Ok(Found { rows, place, sort, more })
}

impl Found {
    fn places(&self) -> impl Iterator<Item = (&str, &str)> {
        self.rows.iter().map(|keyed| (keyed.row.account_id.as_str(), keyed.row.region.as_str()))
    }

    fn table(&self, view: &View, total: u64) -> Table {
        let key = |row: Option<&Keyed<ComparedRow>>| row.map(|keyed| keyed.key(&keyed.row.comparison_id));
        let (first, last) = (key(self.rows.first()), key(self.rows.last()));
        Table::whole("results", "Results on both sides", &COLUMNS, &view.address, self.rows.len())
            .sorted(self.sort)
            .with_formats_of("results")
            .paged(&self.place, first, last, self.more, i64::try_from(total).unwrap_or(i64::MAX))
    }
}

/// The result that the address asks for; `None` is every one.
pub(super) fn asked_verdict(address: &Address, key: &str) -> Result<Option<Verdict>, Error> {
    let Some(slug) = address.get(key) else { return Ok(None) };
    let unknown = || Error::Invalid(format!("There is no result “{slug}”."));
    Verdict::parse(slug).ok_or_else(unknown).map(Some)
}

fn which(view: &View, everywhere: &[NamedPlace]) -> Result<Which, Error> {
    let address = &view.address;
    let verdict = asked_verdict(address, "state")?;
    // The aggregator may know accounts that no list names: an id stands for itself.
    let accounts = address.get("account").map(|asked| {
        let named = everywhere.iter().filter(|place| place.is_asked_for(Some(asked), None));
        let mut accounts: Vec<String> = named.map(|place| place.account_id.clone()).collect();
        accounts.push(asked.to_owned());
        accounts.dedup();
        accounts
    });
    let accounts = match (&view.scope, accounts) {
        (None, accounts) => accounts,
        (Some(scope), None) => Some(scope.accounts.clone()),
        (Some(scope), Some(accounts)) => Some(accounts.into_iter().filter(|account| scope.holds(account)).collect()),
    };
    Ok(Which {
        organization_id: view.organization_id,
        verdict,
        accounts,
        region: address.get("region").map(str::to_owned),
        named: address.get("rule").map(str::to_owned),
    })
}

/// The totals of what is meant; without a part of a name they stay the same until the next collection.
async fn totals(state: &State, view: &mut View, which: &Which, packs: &Which) -> Result<Arc<Both>, Error> {
    let what = format!("compared {:?} {:?}", view.address.get("account"), which.region);
    let key = view.key(&what).filter(|_| which.named.is_none() && packs.named.is_none());
    if let Some(totals) = key.as_deref().and_then(|key| state.memo.get(key)) {
        return Ok(totals);
    }
    let totals = Arc::new(db::totals(&mut view.read, which, packs).await?);
    if let Some(key) = key {
        state.memo.put(key, Arc::clone(&totals), size_of::<Both>());
    }
    Ok(totals)
}

fn totals_lines(view: &View, totals: &Totals) -> Vec<(Verdict, u64, String)> {
    let address = view.address.start();
    Verdict::ALL
        .into_iter()
        .map(|verdict| (verdict, totals.of(verdict), address.with("state", verdict.slug()).to_string() + "#results"))
        .collect()
}

fn lines(found: Vec<Keyed<ComparedRow>>, times: &TimesOf) -> Vec<Line> {
    found
        .into_iter()
        .map(|Keyed { row, .. }| Line {
            times: times.get(&(row.account_id.clone(), row.region.clone())).copied().unwrap_or_default(),
            href: super::notes::address((&row.account_id, &row.region), &row.rule_name),
            row,
        })
        .collect()
}

fn lead(whole: Option<&ReadingRow>, totals: &Both) -> String {
    let Some(reading) = whole else {
        return "No aggregator of AWS Config has been read whole: nothing is compared.".to_owned();
    };
    let at = format::at(reading.ended_at);
    let Some(day) = reading.day else {
        return format!("The aggregator was read on {at}; nothing had been collected to compare it with.");
    };
    let all = format::plural(i64::try_from(totals.rules.all()).unwrap_or(i64::MAX), "result");
    format!(
        "Of {all} of a rule in an account and Region, {}: the evidence of {} (UTC) beside what AWS said on {at}.{}",
        totals.rules.words(),
        format::day(day),
        pack_table::sentence(&totals.packs)
    )
}

fn empty(failed: Option<&ReadingRow>) -> Empty {
    if failed.is_some() {
        return Empty::new("Nothing to compare with", "The aggregator was asked and never read whole: see above.");
    }
    Empty::new(
        "No aggregator is set",
        "AWS Config’s aggregator tells the same results in another way. Collect with --aggregator NAME, and where it is \
         in another account or Region than the bucket with --aggregator-role and --aggregator-region, to compare each \
         collection’s newest day with it.",
    )
}

fn choices(view: &View, everywhere: &[NamedPlace]) -> Filters {
    let states = Verdict::ALL.into_iter().map(|verdict| Choice::new(verdict.slug(), verdict.word())).collect();
    Filters::new(&view.address)
        .called("Filters of rules’ results, accounts and Regions")
        .select("state", "Result", "All results", states)
        .accounts(everywhere.iter().map(|place| (place.account_id.as_str(), place.account_name.as_str())))
        .regions(everywhere.iter().map(|place| place.region.as_str()))
        .text("rule", "Rule", "name, or part of it")
}

fn provenance(view: &View, whole: Option<&ReadingRow>) -> Provenance {
    let provenance = Provenance::default()
        .line("Here", "Resources that the newest day’s evidence tells a status of, rule by rule; where one fails, the rule does. One of which all are NOT_APPLICABLE is INSUFFICIENT_DATA to AWS.")
        .line("AWS", "The answers of AWS Config’s DescribeAggregateComplianceByConfigRules. It counts what fails and stops at a limit: such a count is “at least”.")
        .line("What a difference is", "The evidence is a snapshot of its time, the aggregator tells what is now: what changed between the two times differs. It is part of no figure and no pack.");
    let provenance = pack_table::provenance(provenance, view);
    match whole {
        None => provenance,
        Some(reading) => provenance.link(
            "Read by",
            format!("collection {}", reading.collection_id),
            view.frame(Section::Delivery, "").href(&format!("/collections/{}", reading.collection_id)),
        ),
    }
}

fn age(at: OffsetDateTime, now: OffsetDateTime) -> String {
    format::duration(now - at)
}
