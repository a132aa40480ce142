//! One account: its delivery before any verdict, then rules, failures, unknown, files.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Path};
use askama::Template;
use time::{Date, Duration, OffsetDateTime};

use super::core::{AtLeast, Evidence, Figures, PlaceDay};
use super::db::{self, resource as account_db, rules as rules_db};
use super::filter::Filter;
use super::membership::{self, Said};
use super::shown::{Failures, Shown, known_accounts, link, presence, query_href};
use super::{DeliveryState, Status};
use crate::State;
use crate::error::Error;
use crate::web::chart::{Axis, Fill, Patterns, Segment, Strip, segments};
use crate::web::download::{Cell, Format, download};
use crate::web::form::Filters;
use crate::web::format::{count, day, object_name, plural};
use crate::web::parts::{self, Provenance};
use crate::web::table::{self, Column, Table};
use crate::web::{Access, Endpoint, Frame, Page, Section, View, filters, parse_day};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::get("/accounts/{account_id}", Access::SignedIn, || web::get().to(show))]
}

/// Days of the delivery strips.
const DAYS: i64 = 90;
/// Files listed on the page.
const FILES: i64 = 50;
/// Absent rules listed on the page.
const ABSENT: usize = 60;
/// Changes in the account lists shown on the page.
const HISTORY: usize = 50;
/// Verdicts on conformance packs listed on the page.
const VERDICTS: usize = 60;

const DOWNLOAD: [&str; 13] = [
    "day",
    "account_id",
    "region",
    "expected",
    "delivery",
    "last_known",
    "complying",
    "not_complying",
    "insufficient_data",
    "unrecognised",
    "not_applicable",
    "unknown_without_evidence",
    "snapshot_at",
];

#[derive(Template)]
#[template(path = "compliance/account.html")]
struct AccountPage {
    frame: Frame,
    id: String,
    name: String,
    life: String,
    /// What the account list tells beside the account's life, each with its word.
    listed: Vec<(&'static str, String)>,
    /// What the lists said, the newest first.
    history: Vec<Said>,
    evidence: String,
    verdict: String,
    filters: Filters,
    patterns: Patterns,
    axis: Axis,
    first: Date,
    as_of: Date,
    regions: Vec<RegionLine>,
    table: Table,
    figures: Figures,
    rules_sentence: String,
    rules_href: String,
    /// Where the same results stand beside AWS's aggregator, if it was read.
    aggregator_href: Option<String>,
    absent: Vec<(String, String)>,
    absent_total: usize,
    absent_href: String,
    failures: Failures,
    unknown: Vec<(String, i64, String)>,
    packs: Vec<PackLine>,
    packs_left_out: usize,
    files: Vec<FileLine>,
    files_left_out: bool,
    /// All of them.
    files_href: String,
    delivery_href: String,
    provenance: Provenance,
}

struct RegionLine {
    region: String,
    state: DeliveryState,
    strip: Strip,
    known: usize,
    gaps: usize,
    figures: Figures,
    failing_href: String,
    complying_href: String,
    unknown_href: String,
    /// The last known day, where the day itself is not known.
    last_known: Option<Date>,
}

struct PackLine {
    region: String,
    name: String,
    status: Status,
    since: Option<Date>,
    compliant_rules: i64,
    non_compliant_rules: i64,
    total_rules: i64,
    /// Rules of the pack here with at least one `NON_COMPLIANT` evaluation, with COMPLIANT ones only, and all.
    ours: (usize, usize, usize),
    /// Whether the place is known on the day: else AWS's verdict is the last known.
    known: bool,
}

struct FileLine {
    region: String,
    kind: String,
    key: String,
    size_bytes: i64,
    evaluations: Option<i64>,
    outcome: String,
    href: Option<String>,
    taken_at: Option<OffsetDateTime>,
    etag: Option<String>,
    sha256: Option<String>,
    /// The execution of Athena that read it, and where it stands.
    query: Option<(String, String)>,
    /// Whether the day's figures stand on it.
    speaks: bool,
}

impl FileLine {
    fn name(&self) -> String {
        object_name(&self.key)
    }
}

/// What the store says of an account on a day, beside its places.
struct Told {
    about: account_db::About,
    days: Vec<account_db::PlaceOn>,
    present: Vec<rules_db::InPlace>,
}

async fn told(shown: &Shown, view: &mut View, id: &str, places: &[PlaceDay], first: Date) -> Result<Arc<Told>, Error> {
    let key = view.key(&format!("account {} {id:?}", view.as_of));
    if let Some(told) = shown.recall(key.as_deref()) {
        return Ok(told);
    }
    let ids: Vec<i32> = places.iter().map(|place| place.place_id).collect();
    let of = (view.organization_id, id);
    let told = Arc::new(Told {
        about: account_db::about(&mut view.read, of, &ids, view.as_of, FILES + 1).await?,
        days: account_db::days(&mut view.read, &ids, first, view.as_of).await?,
        present: rules_db::in_places(&mut view.read, &ids, view.as_of).await?,
    });
    let files: usize = told.about.objects.iter().map(|object| 200 + object.key.len()).sum();
    shown.remember(
        key,
        &told,
        files
            + told.about.lists.len() * 300
            + told.about.verdicts.len() * 300
            + told.days.len() * 16
            + told.present.len() * 24,
    );
    Ok(told)
}

async fn show(state: Data<State>, path: Path<String>, mut view: View) -> Result<HttpResponse, Error> {
    let id = path.into_inner();
    view.address.only(&[&["region", "format"]])?;
    view.require(&id)?;
    let format = Format::of(&view.address)?;
    let shown = Shown::load(state, &mut view).await?;
    let everywhere_here = places_of(&shown, &mut view, &id).await?;
    let first = (view.as_of - Duration::days(DAYS - 1)).max(view.first_day);
    let told = told(&shown, &mut view, &id, &everywhere_here, first).await?;
    if everywhere_here.is_empty() && told.about.account.is_none() {
        return Err(Error::NotFound);
    }
    let region = view.address.get("region").map(str::to_owned);
    let filter = Filter { account: Some(id.clone()), region, ..Filter::default() };
    let places = filter.places(&everywhere_here);
    if let Some(format) = format {
        return Ok(download_rows(format, &view, &places));
    }
    let everywhere: Vec<&PlaceDay> = shown.places.iter().collect();
    let elsewhere = presence(&shown, &mut view, &everywhere, "").await?;
    let pairs = filter.pairs(&[]);
    let failures = Failures::load(&shown, &mut view, &places, &filter.scope_words(), &pairs).await?;

    let evidence = Evidence::of(view.as_of, places.iter().copied());
    let known: BTreeSet<i32> = places.iter().filter(|place| place.known()).map(|place| place.place_id).collect();
    let here: BTreeSet<&str> = told
        .present
        .iter()
        .filter(|rule| known.contains(&rule.place_id))
        .filter_map(|rule| Some(shown.catalog.rule(rule.rule_id)?.1.core_name.as_str()))
        .collect();
    let mut absent: Vec<&str> =
        elsewhere.keys().map(String::as_str).filter(|name| !known.is_empty() && !here.contains(name)).collect();
    absent.sort_unstable();
    let files = usize::try_from(FILES).unwrap_or(usize::MAX);
    let account = told.about.account.as_ref();
    let name = account.map(|account| account.name.clone()).unwrap_or_default();
    let title = if name.is_empty() { format!("Account {id}") } else { format!("{name} ({id})") };
    let verdicts = told.about.verdicts.iter().filter_map(|verdict| pack_line(&shown, &places, &told.present, verdict));
    let mut packs: Vec<PackLine> = verdicts.collect();
    let packs_left_out = packs.len().saturating_sub(VERDICTS);
    packs.truncate(VERDICTS);
    let mut history = membership::history(&told.about.lists);
    let listed = membership::facts(&history, view.as_of);
    history.reverse();
    history.truncate(HISTORY);
    let page = AccountPage {
        evidence: evidence.sentence(),
        verdict: evidence.figures().sentence(),
        filters: Filters::new(&view.address).regions(everywhere_here.iter().map(|place| place.region.as_str())),
        life: membership::life(account, &evidence),
        listed,
        history,
        patterns: Patterns,
        axis: Axis::new(first, view.as_of + Duration::DAY),
        first,
        as_of: view.as_of,
        regions: places.iter().map(|place| region_line(&view, place, &told.days, first)).collect(),
        table: Table::whole("regions", "Region by Region", &COLUMNS, &view.address, places.len())
            .as_of(view.as_of)
            .with_formats(),
        figures: evidence.figures(),
        rules_sentence: rules_sentence(&here, &absent, known_accounts(&everywhere), !known.is_empty()),
        rules_href: link(&view, "/rules", &pairs),
        aggregator_href: shown.beside_aggregator(&view, ("account", id.as_str())),
        absent_total: absent.len(),
        absent_href: link(&view, "/rules", &[&pairs[..], &[("sort", "-absent")]].concat()),
        absent: absent.iter().take(ABSENT).map(|name| ((*name).to_owned(), super::rules::href(&view, name))).collect(),
        failures,
        unknown: unknown(&view, &pairs, &evidence),
        packs,
        packs_left_out,
        files: told.about.objects.iter().take(files).map(|object| file_line(&view, object)).collect(),
        files_href: link(&view, "/objects", &[&pairs[..], &[("all", "yes")]].concat()),
        files_left_out: told.about.objects.len() > files,
        delivery_href: link(&view, "/delivery", &pairs),
        provenance: shown.provenance(&view, &evidence, &filter),
        frame: view.frame(Section::Accounts, title).crumb("Accounts", "/accounts"),
        id,
        name,
    };
    Ok(Page(page).answer(StatusCode::OK))
}

const COLUMNS: [Column; 6] = [
    table::text("Region"),
    table::number("Unknown"),
    table::number("Failing"),
    table::number("Complying"),
    table::number("Complying of known"),
    table::number("At least"),
];

fn download_rows(format: Format, view: &View, places: &[&PlaceDay]) -> HttpResponse {
    let day = view.as_of;
    let places: Vec<PlaceDay> = places.iter().map(|place| (*place).clone()).collect();
    let account_id = places.first().map_or("", |place| place.account_id.as_str());
    let stem = view.stem(format!("account-{account_id}"));
    download(format, &stem, &DOWNLOAD, move |mut to| async move {
        for place in places {
            let time = |at: time::OffsetDateTime| at.format(&time::format_description::well_known::Rfc3339).ok();
            to.push([
                day.into(),
                place.account_id.as_str().into(),
                place.region.as_str().into(),
                place.expected.into(),
                place.state.word().into(),
                if place.known() { Cell::Nothing } else { place.last_known.map(|(day, _)| day).into() },
                place.counts.complying.into(),
                place.counts.not_complying.into(),
                place.counts.insufficient_data.into(),
                place.counts.unrecognised.into(),
                place.counts.not_applicable.into(),
                place.carried().into(),
                place.snapshot_at.and_then(time).into(),
            ])
            .await?;
        }
        Ok(to)
    })
}

/// The account's places; those also that neither delivered nor were expected on the day.
async fn places_of(shown: &Shown, view: &mut View, id: &str) -> Result<Vec<PlaceDay>, Error> {
    let of = |places: &[PlaceDay]| -> Vec<PlaceDay> {
        places.iter().filter(|place| place.account_id == id).cloned().collect()
    };
    let places = of(&shown.places);
    if !places.is_empty() {
        return Ok(places);
    }
    Ok(of(&db::places(&mut view.read, view.organization_id, view.as_of).await?))
}

fn rules_sentence(here: &BTreeSet<&str>, absent: &[&str], accounts: i64, known: bool) -> String {
    let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    if !known {
        return "Which rules exist here is not known: no evidence for the day.".to_owned();
    }
    let all = number(here.len() + absent.len());
    let mut sentence = format!("{} of {} present", count(number(here.len())), plural(all, "rule"));
    if !absent.is_empty() {
        _ = write!(sentence, "; {} absent", count(number(absent.len())));
    }
    _ = write!(
        sentence,
        ". There is no baseline of rules to hold an account to: expected are the rules that any of the {} known that day has.",
        plural(accounts, "account")
    );
    sentence
}

fn region_line(view: &View, place: &PlaceDay, days: &[account_db::PlaceOn], first: Date) -> RegionLine {
    let of: Vec<&account_db::PlaceOn> = days.iter().filter(|on| on.place_id == place.place_id).collect();
    let stretches: Vec<Segment> = segments(of.iter().map(|on| (on.day, on.state)))
        .into_iter()
        .map(|(first, end, state)| Segment {
            first,
            end,
            fill: Fill::Delivery(state),
            words: state.word().to_owned(),
            href: None,
        })
        .collect();
    let label = format!("Delivery of {} from {} to {}", place.region, day(first), day(view.as_of));
    let rows = |status| {
        link(view, "/evaluations", &[("account", &place.account_id), ("region", &place.region), ("status", status)])
    };
    RegionLine {
        region: place.region.clone(),
        state: place.state,
        strip: Strip::new(label, first, view.as_of + Duration::DAY, &stretches),
        known: of.iter().filter(|on| on.state.known()).count(),
        gaps: of.iter().filter(|on| !on.state.known() && on.state != DeliveryState::NotExpected).count(),
        figures: Evidence::of(view.as_of, [place]).figures(),
        failing_href: rows("non-compliant"),
        complying_href: rows("compliant"),
        unknown_href: rows("unknown"),
        last_known: if place.known() { None } else { place.last_known.map(|(day, _)| day) },
    }
}

/// What is unknown, by why.
fn unknown(view: &View, pairs: &[(&str, &str)], evidence: &Evidence<'_>) -> Vec<(String, i64, String)> {
    let figures = evidence.figures();
    let rows = |status| link(view, "/evaluations", &[pairs, &[("status", status)]].concat());
    [
        ("INSUFFICIENT_DATA: AWS Config could not tell", figures.counts.insufficient_data, "insufficient-data"),
        ("A status that AWS does not document", figures.counts.unrecognised, "unrecognised"),
        ("Last known evaluations of Regions without evidence that day", figures.carried, "carried"),
    ]
    .into_iter()
    .map(|(words, evaluations, status)| (words.to_owned(), evaluations, rows(status)))
    .collect()
}

fn pack_line(
    shown: &Shown,
    places: &[&PlaceDay],
    present: &[rules_db::InPlace],
    verdict: &account_db::PackVerdict,
) -> Option<PackLine> {
    let place = places.iter().find(|place| place.place_id == verdict.place_id)?;
    let of_pack: Vec<&rules_db::InPlace> = present
        .iter()
        .filter(|rule| rule.place_id == verdict.place_id)
        .filter(|rule| shown.catalog.rule(rule.rule_id).is_some_and(|(_, rule)| rule.pack == verdict.core_name))
        .collect();
    let failing = of_pack.iter().filter(|rule| rule.not_complying > 0).count();
    let complying = of_pack.iter().filter(|rule| rule.not_complying == 0 && rule.complying > 0).count();
    Some(PackLine {
        region: place.region.clone(),
        name: if verdict.name.is_empty() { verdict.id.clone() } else { verdict.name.clone() },
        status: shown.catalog.status(verdict.status_id),
        since: parse_day(&verdict.first_day),
        compliant_rules: verdict.compliant_rules.into(),
        non_compliant_rules: verdict.non_compliant_rules.into(),
        total_rules: verdict.total_rules.into(),
        ours: (failing, complying, of_pack.len()),
        known: place.known(),
    })
}

fn file_line(view: &View, object: &account_db::Object) -> FileLine {
    let outcome = object.outcome.clone().unwrap_or_else(|| "not read".to_owned());
    FileLine {
        region: object.region.clone(),
        kind: object.kind.clone(),
        key: object.key.clone(),
        size_bytes: object.size_bytes,
        evaluations: object.evaluations,
        outcome: match &object.reason {
            Some(reason) if !reason.is_empty() => format!("{outcome}: {reason}"),
            _ => outcome,
        },
        href: object.collection_id.map(|id| link(view, &format!("/collections/{id}"), &[])),
        taken_at: object.taken_at,
        etag: object.etag.clone(),
        sha256: object.sha256.clone(),
        query: object.read_by.zip(object.execution_id.clone()).map(|(id, query)| {
            let href = query_href(id, &query);
            (query, href)
        }),
        speaks: object.speaks,
    }
}
