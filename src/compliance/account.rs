//! One account: its delivery before any verdict, then rules, failures, unknown, files.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Path};
use askama::Template;
use time::{Date, Duration};

use super::core::{Evidence, Figures, PlaceDay};
use super::db::{self, resource as account_db, rules as rules_db};
use super::shown::{Failures, Shown, known_accounts, link, presence};
use super::{DeliveryState, Status};
use crate::State;
use crate::error::Error;
use crate::web::chart::{Axis, Fill, Patterns, Segment, Strip, segments};
use crate::web::format::{count, day, plural};
use crate::web::parts::{self, Provenance};
use crate::web::{Access, Endpoint, Frame, Page, Section, View, filters};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::get("/accounts/{account_id}", Access::SignedIn, || web::get().to(show))]
}

/// Days of the delivery strips.
const DAYS: i64 = 90;
/// Files listed on the page.
const FILES: i64 = 50;

#[derive(Template)]
#[template(path = "compliance/account.html")]
struct AccountPage {
    frame: Frame,
    id: String,
    name: String,
    life: String,
    /// Organizational unit, e-mail, tags, each with its word.
    listed: Vec<(&'static str, String)>,
    lead: String,
    patterns: Patterns,
    axis: Axis,
    first: Date,
    as_of: Date,
    regions: Vec<RegionLine>,
    figures: Figures,
    rules_sentence: String,
    rules_href: String,
    absent: Vec<(String, String)>,
    failures: Failures,
    unknown: Vec<(String, i64, String)>,
    packs: Vec<PackLine>,
    files: Vec<FileLine>,
    files_left_out: bool,
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
    unknown_href: String,
    /// The last known day, where the day itself is not known.
    last_known: Option<Date>,
}

struct PackLine {
    region: String,
    name: String,
    status: Status,
    since: Date,
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
}

async fn show(state: Data<State>, path: Path<String>, mut view: View) -> Result<HttpResponse, Error> {
    let id = path.into_inner();
    let shown = Shown::load(state, &mut view).await?;
    let places = places_of(&shown, &mut view, &id).await?;
    let account = account_db::account(&mut view.read, view.organization_id, &id, view.as_of).await?;
    if places.is_empty() && account.is_none() {
        return Err(Error::NotFound);
    }
    let places: Vec<&PlaceDay> = places.iter().collect();
    let ids: Vec<i32> = places.iter().map(|place| place.place_id).collect();
    let first = (view.as_of - Duration::days(DAYS - 1)).max(view.first_day);
    let days = account_db::days(&mut view.read, &ids, first, view.as_of).await?;
    let present = rules_db::in_places(&mut view.read, &ids, view.as_of).await?;
    let verdicts = account_db::pack_verdicts(&mut view.read, &ids, view.as_of).await?;
    let mut objects = account_db::objects(&mut view.read, &ids, view.as_of, FILES + 1).await?;
    let everywhere: Vec<&PlaceDay> = shown.places.iter().collect();
    let elsewhere = presence(&shown, &mut view, &everywhere, "").await?;
    let failures = Failures::load(&shown, &mut view, &places, &id, &[("account", &id)]).await?;

    let evidence = Evidence::of(view.as_of, places.iter().copied());
    let known: BTreeSet<i32> = places.iter().filter(|place| place.known()).map(|place| place.place_id).collect();
    let here: BTreeSet<&str> = present
        .iter()
        .filter(|rule| known.contains(&rule.place_id))
        .filter_map(|rule| Some(shown.catalog.rule(rule.rule_id)?.1.core_name.as_str()))
        .collect();
    let mut absent: Vec<&str> =
        elsewhere.keys().map(String::as_str).filter(|name| !known.is_empty() && !here.contains(name)).collect();
    absent.sort_unstable();
    let files_left_out = objects.len() > usize::try_from(FILES).unwrap_or(usize::MAX);
    objects.truncate(usize::try_from(FILES).unwrap_or(usize::MAX));
    let name = account.as_ref().map(|account| account.name.clone()).unwrap_or_default();
    let title = if name.is_empty() { format!("Account {id}") } else { format!("{name} ({id})") };
    let page = AccountPage {
        lead: format!("{} {}", evidence.sentence(), evidence.figures().sentence()),
        life: life(account.as_ref(), &evidence),
        listed: account.as_ref().map(listed).unwrap_or_default(),
        patterns: Patterns,
        axis: Axis::new(first, view.as_of + Duration::DAY),
        first,
        as_of: view.as_of,
        regions: places.iter().map(|place| region_line(&view, place, &days, first)).collect(),
        figures: evidence.figures(),
        rules_sentence: rules_sentence(&here, &absent, known_accounts(&everywhere), !known.is_empty()),
        rules_href: link(&view, "/rules", &[("account", &id)]),
        absent: absent.iter().map(|name| ((*name).to_owned(), super::rules::href(&view, name))).collect(),
        failures,
        unknown: unknown(&view, &id, &evidence),
        packs: verdicts.into_iter().filter_map(|verdict| pack_line(&shown, &places, &present, verdict)).collect(),
        files: objects.into_iter().map(|object| file_line(&view, object)).collect(),
        files_left_out,
        delivery_href: link(&view, "/delivery", &[("account", &id)]),
        provenance: shown.provenance(&view, &evidence),
        frame: view.frame(Section::Accounts, title).crumb("Accounts", "/accounts"),
        id,
        name,
    };
    Ok(Page(page).answer(StatusCode::OK))
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

fn life(account: Option<&account_db::Account>, evidence: &Evidence<'_>) -> String {
    let Some(account) = account else {
        return "No account list names this account.".to_owned();
    };
    let mut words = vec![format!("Organizations says {}", account.status)];
    words.extend(account.joined_on.map(|joined| format!("joined {}", day(joined))));
    words.extend(account.left_on.map(|left| format!("left {}", day(left))));
    if evidence.expected() == 0 {
        words.push(format!("not expected to deliver for {}", day(evidence.day)));
    }
    format!("{}.", words.join("; "))
}

/// What the account list tells beside the account's life.
fn listed(account: &account_db::Account) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    let when = account.listed_on.map(|listed_on| format!(" (listed on {})", day(listed_on))).unwrap_or_default();
    if let Some(units) = &account.unit_names {
        facts.push(("Organizational unit", format!("{}{when}", units.join(" / "))));
    }
    if let Some(tags) = account.tags.as_ref().filter(|tags| !tags.0.is_empty()) {
        let tags: Vec<String> = tags.0.iter().map(|(key, value)| format!("{key}={value}")).collect();
        facts.push(("Tags", tags.join(", ")));
    }
    facts.extend(account.email.clone().map(|email| ("E-mail", email)));
    facts
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
        unknown_href: rows("unknown"),
        last_known: if place.known() { None } else { place.last_known.map(|(day, _)| day) },
    }
}

/// What is unknown, by why.
fn unknown(view: &View, id: &str, evidence: &Evidence<'_>) -> Vec<(String, i64, String)> {
    let figures = evidence.figures();
    let rows = |status| link(view, "/evaluations", &[("account", id), ("status", status)]);
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
    verdict: account_db::PackVerdict,
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
        name: if verdict.name.is_empty() { verdict.id } else { verdict.name },
        status: shown.catalog.status(verdict.status_id),
        since: verdict.first_day,
        compliant_rules: verdict.compliant_rules.into(),
        non_compliant_rules: verdict.non_compliant_rules.into(),
        total_rules: verdict.total_rules.into(),
        ours: (failing, complying, of_pack.len()),
        known: place.known(),
    })
}

fn file_line(view: &View, object: account_db::Object) -> FileLine {
    let outcome = object.outcome.unwrap_or_else(|| "not read".to_owned());
    FileLine {
        region: object.region,
        kind: object.kind,
        key: object.key,
        size_bytes: object.size_bytes,
        evaluations: object.evaluations,
        outcome: match object.reason {
            Some(reason) if !reason.is_empty() => format!("{outcome}: {reason}"),
            _ => outcome,
        },
        href: object.collection_id.map(|id| link(view, &format!("/collections/{id}"), &[])),
    }
}
