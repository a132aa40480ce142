//! AWS's reports: which days of a period each kind speaks for.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use time::{Date, Duration, OffsetDateTime};

use super::db::{self, ReadingRow, Until};
use super::documents::page::version_path;
use super::documents::review_db::{ReviewRow, reviews};
use super::documents::{page as one, terms_page};
use super::kind::{Kind, Terms};
use super::letters;
use super::offline::page as offline;
use super::periods::Span;
use super::report_rows::{GapRow, KindRow, Listed, as_at, gap_list, gap_rows, kind_list, version_list};
use super::speaking::{KindSpeaks, Version, reckon};
use super::standing::{Standing, sync_now};
use super::told::VersionKey;
use super::{agreements_page, report_page};
use crate::State;
use crate::error::Error;
use crate::web::address::Encoded;
use crate::web::chart::{Axis, Fill, Patterns, Segment, Strip};
use crate::web::download::Format;
use crate::web::form::Filters;
use crate::web::parts::{Empty, Provenance};
use crate::web::table::Table;
use crate::web::{Access, Endpoint, Frame, Page, Section, Visit, filters, format, parse_day};

pub fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/artifact", Access::Team, || web::get().to(show)),
        Endpoint::get("/artifact/agreements", Access::Team, || web::get().to(agreements_page::show)),
        Endpoint::get("/artifact/agreements/recorded", Access::Team, || web::get().to(offline::show)),
        Endpoint::post("/artifact/agreements/recorded", Access::Makers, || web::post().to(offline::record)),
        Endpoint::post("/artifact/agreements/recorded/{id}/withdraw", Access::Makers, || {
            web::post().to(offline::withdraw)
        }),
        Endpoint::get("/artifact/agreements/recorded/{id}/{name}", Access::Team, || web::get().to(offline::document)),
        Endpoint::get("/artifact/reports/{report_id}", Access::Team, || web::get().to(report_page::show)),
        Endpoint::post("/artifact/sync", Access::Makers, || web::post().to(sync_now)),
        Endpoint::post("/artifact/reports/{report_id}/kind", Access::Makers, || web::post().to(report_page::say_kind)),
        Endpoint::get("/artifact/reports/{report_id}/versions/{version}", Access::Team, || web::get().to(one::show)),
        Endpoint::post("/artifact/reports/{report_id}/versions/{version}/terms", Access::Makers, || {
            web::post().to(one::ask_terms)
        }),
        Endpoint::post("/artifact/reports/{report_id}/versions/{version}/review", Access::Makers, || {
            web::post().to(one::review)
        }),
        Endpoint::get("/artifact/terms/{terms_id}", Access::Team, || web::get().to(terms_page::show)),
        Endpoint::post("/artifact/terms/{terms_id}", Access::Makers, || web::post().to(terms_page::accept)),
        Endpoint::get("/artifact/terms/{terms_id}/{name}", Access::Team, || web::get().to(terms_page::document)),
        Endpoint::post("/artifact/files/{file_id}/release", Access::Makers, || web::post().to(one::release)),
        Endpoint::post("/artifact/files/{file_id}/withdraw", Access::Makers, || web::post().to(one::withdraw)),
        // After those whose last part is a word: the first that fits is taken.
        Endpoint::get("/artifact/files/{file_id}/{name}", Access::Rooms, || web::get().to(one::download)),
    ]
}

/// Longer periods are no audit's.
const MOST_DAYS: i64 = 3_660;

const KEYS: [&str; 10] =
    ["from", "until", "gaps", "gaps-sort", "versions", "versions-sort", "kinds", "kinds-sort", "rows", "format"];

#[derive(Template)]
#[template(path = "artifact/reports.html")]
struct ReportsPage {
    frame: Frame,
    lead: String,
    standing: Standing,
    period: Span,
    filters: Filters,
    axis: Axis,
    kinds: Vec<KindRow>,
    kinds_table: Table,
    gaps: Vec<GapRow>,
    gaps_table: Table,
    versions: Vec<Listed>,
    versions_table: Table,
    /// Reports that speak as at one day of the period.
    as_at: Vec<String>,
    empty: Option<Empty>,
    provenance: Provenance,
    /// How far letters are to reach, in words.
    letter_reach: String,
}

/// The organisation and the day that a page is about. Artifact is read apart from deliveries: beside the newest collected
/// day stands what is known now, beside an earlier one what was known at its end.
pub(super) fn about(state: &State, visit: &Visit) -> Result<(i16, Date), Error> {
    let organization = visit.organization.as_ref().ok_or(Error::NothingCollected)?;
    let today = state.clock.now().date();
    let day =
        visit.days.map_or(today, |days| if days.as_of < days.latest { days.as_of } else { today.max(days.as_of) });
    Ok((organization.id, day))
}

/// Up to when the page knows what people said and did: of an earlier day than the newest one, up to its end.
fn people_until(visit: &Visit) -> Option<OffsetDateTime> {
    visit.days.filter(|days| days.as_of < days.latest).map(|days| Until::end_of(days.as_of).moment())
}

/// Every version, or those of one report, as known on a day.
pub(super) async fn versions(
    visit: &mut Visit,
    organization_id: i16,
    report_id: Option<&str>,
    day: Date,
) -> Result<Vec<Version>, Error> {
    let until = people_until(visit);
    let said = db::kinds(&mut visit.read, organization_id, until).await?;
    let rows = db::versions(&mut visit.read, organization_id, report_id, Until::end_of(day)).await?;
    Ok(sorted(rows, &said))
}

/// By kind, and of each kind the newest days first; of one report the newest version.
pub(super) fn sorted(rows: Vec<db::VersionRow>, said: &[db::KindRow]) -> Vec<Version> {
    let version = |row: db::VersionRow| {
        let said = said.iter().find(|said| said.report_id == row.report_id).map(db::KindRow::kind);
        Version::of((row.report_id.clone(), row.version), row.held(), row.seen_at, said)
    };
    let mut versions: Vec<Version> = rows.into_iter().map(version).collect();
    versions.sort_by_key(|one| (one.kind, std::cmp::Reverse((one.days.ok(), one.version))));
    versions
}

async fn show(state: web::Data<State>, mut visit: Visit) -> Result<HttpResponse, Error> {
    visit.address.only(&[&KEYS])?;
    let (organization_id, day) = about(&state, &visit)?;
    let period = period(&visit, day)?;
    let versions = versions(&mut visit, organization_id, None, day).await?;
    let reading =
        db::readings(&mut visit.read, organization_id, "reports", Until::end_of(day)).await?.into_iter().next();
    // Before a whole reading nothing is known of any report, which is no gap.
    let is_read = reading.as_ref().is_some_and(|row| row.first_read_at.is_some());
    let speaks = if is_read { reckon(&versions, period, day, state.letter_months) } else { Vec::new() };
    let kinds: Vec<KindRow> =
        speaks.iter().map(|speaks| kind_row(speaks, &versions, period, state.letter_months)).collect();
    let gaps: Vec<GapRow> = speaks.iter().flat_map(|speaks| gap_rows(speaks, &versions, state.letter_months)).collect();
    let until = people_until(&visit);
    let reviews = reviews(&mut visit.read, organization_id, None, until).await?;
    let as_at = as_at(&versions, period);
    let reading_is_empty = versions.is_empty();
    let lead = lead(&versions, reading.as_ref(), day);
    let versions: Vec<Listed> = versions
        .into_iter()
        .map(|one| {
            let is_it = |review: &&ReviewRow| (&review.report_id, review.version) == (&one.report_id, one.version);
            Listed { reviewed: reviews.iter().find(is_it).map(|review| review.reviewed_on), one }
        })
        .collect();
    if let Some(format) = Format::of(&visit.address)? {
        let stem = |what: &str| format!("aws-reports-{what}-{day}");
        let address = &visit.address;
        return match address.get("rows") {
            None | Some("kinds") => Ok(kind_list().download(format, &stem("kinds"), address, kinds)),
            Some("gaps") => Ok(gap_list().download(format, &stem("gaps"), address, gaps)),
            Some("versions") => Ok(version_list().download(format, &stem("versions"), address, versions)),
            Some(_) => Err(Error::Invalid("The rows are those of kinds, gaps or versions.".to_owned())),
        };
    }
    let standing = Standing::load(&state, &mut visit, reading.as_ref()).await?;
    let frame = visit.frame(Section::Artifact, "AWS’s reports");
    let address = &visit.address;
    let (kinds, kinds_table) = kind_list().table(address, "Report periods, kind by kind", kinds)?;
    let (gaps, gaps_table) = gap_list().table(address, "Days for which no report of a kind speaks", gaps)?;
    let empty = reading_is_empty.then(|| empty(reading.as_ref()));
    let (versions, versions_table) =
        version_list().table(address, "Every version that Artifact ever listed", versions)?;
    let page = ReportsPage {
        filters: Filters::new(address).day("from", "First day of the period").day("until", "Last day of the period"),
        axis: Axis::new(period.first, period.last.next_day().unwrap_or(period.last)),
        provenance: provenance(reading.as_ref()),
        frame,
        lead,
        standing,
        period,
        kinds,
        kinds_table: kinds_table.as_of(day),
        gaps,
        gaps_table: gaps_table.as_of(day),
        versions,
        versions_table: versions_table.as_of(day),
        as_at,
        empty,
        letter_reach: format::plural(state.letter_months.into(), "month"),
    };
    Ok(Page(page).answer(StatusCode::OK))
}

/// The audit period in the address, else the year up to the day.
fn period(visit: &Visit, day: Date) -> Result<Span, Error> {
    let of = |name: &str| match visit.address.get(name) {
        None => Ok(None),
        Some(text) => parse_day(text)
            .map(Some)
            .ok_or_else(|| Error::Invalid("The days of the period are written as YYYY-MM-DD.".to_owned())),
    };
    let last = of("until")?.unwrap_or(day);
    let first = of("from")?.or_else(|| last.checked_sub(Duration::days(364))).unwrap_or(last);
    Span::new(first, last)
        .filter(|period| period.days() <= MOST_DAYS)
        .ok_or_else(|| Error::Invalid("A period goes from a day to a later one, over ten years at most.".to_owned()))
}

fn lead(versions: &[Version], reading: Option<&ReadingRow>, day: Date) -> String {
    let Some(whole_at) = reading.and_then(|reading| reading.whole_at) else {
        return format!("AWS Artifact’s reports were not read up to {} (UTC).", format::day(day));
    };
    let reports: std::collections::BTreeSet<&str> = versions.iter().map(|one| one.report_id.as_str()).collect();
    let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    let others = versions.iter().filter(|one| one.kind == Kind::Other).count();
    format!(
        "{} of {} are known, of which AWS Artifact no longer lists {}; it was read last on {}; {} could be told no kind.",
        format::plural(number(versions.len()), "version"),
        format::plural(number(reports.len()), "report"),
        format::count(number(versions.iter().filter(|one| !one.listed).count())),
        format::at(whole_at),
        format::plural(number(others), "version"),
    )
}

fn empty(reading: Option<&ReadingRow>) -> Empty {
    match reading.and_then(|reading| reading.whole_at) {
        None => Empty::new(
            "No reports read",
            "Let auditfolio artifact sync read them, or set --artifact-every. Without AWS: import what the AWS CLI writes \
             by aws artifact list-reports, with auditfolio artifact import FOLDER.",
        ),
        Some(_) => Empty::new("No reports listed", "AWS Artifact listed no report when it was read."),
    }
}

pub(super) fn provenance(reading: Option<&ReadingRow>) -> Provenance {
    let mut provenance = Provenance::default();
    if let Some(reading) = reading {
        let failed = if reading.failure.is_some() { ": not read" } else { "" };
        provenance =
            provenance.line("Read", format!("{}, from {}{failed}", format::at(reading.read_at), reading.source));
        if let Some(first) = reading.first_read_at {
            provenance =
                provenance.line("Known since", format!("{}: of earlier days nothing is known.", format::at(first)));
        }
    }
    provenance
        .line("As of", "Beside the newest collected day, what is known now; beside an earlier one, at its end (UTC).")
        .line("Which kind", "By name, series and category, by rules that guess nothing; a person’s word goes first.")
        .line("Which days", "Those that AWS gives, as whole days in UTC. An end that is not given is never assumed.")
        .line("Services in scope", "Not compared: whether a report examines the services you use stands in the report.")
}

fn kind_row(speaks: &KindSpeaks, versions: &[Version], period: Span, letter_months: u16) -> KindRow {
    let spoken = &speaks.spoken;
    let name = |by: &[usize]| {
        let of = |number: &usize| speaks.by.get(*number).and_then(|number| versions.get(*number));
        by.iter()
            .filter_map(of)
            .map(|one| format!("{} version {}", one.name, one.version))
            .collect::<Vec<_>>()
            .join(" and ")
    };
    let after = |span: Span| span.last.next_day().unwrap_or(span.last);
    let mut segments: Vec<Segment> = Vec::new();
    for stretch in &spoken.stretches {
        segments.push(Segment {
            first: stretch.span.first,
            end: after(stretch.span),
            fill: Fill::Delivery(crate::compliance::DeliveryState::Delivered),
            words: name(&stretch.by),
            href: None,
        });
    }
    for gap in &spoken.gaps {
        let words = if gap.addressed > 0 { "gap, addressed by a letter in part or whole" } else { "gap" };
        segments.push(Segment {
            first: gap.span.first,
            end: after(gap.span),
            fill: Fill::Gap,
            words: words.to_owned(),
            href: None,
        });
    }
    segments.sort_by_key(|segment| segment.first);
    let spoken_days = spoken.stretches.iter().map(|stretch| stretch.span.days()).sum();
    let label =
        format!("{}: {} of {} spoken for", speaks.kind.title(), spoken_days, format::plural(period.days(), "day"));
    KindRow {
        kind: speaks.kind,
        words: words(speaks, spoken_days, letter_months),
        strip: Strip::new(label, period.first, after(period), &segments),
        spoken_days,
        gap_days: spoken.gap_days(),
        addressed_days: spoken.addressed_days(),
        to_come: spoken.to_come,
    }
}

/// "gap 54 days, of which 54 addressed by letter", in the kind's own terms.
pub(super) fn words(speaks: &KindSpeaks, spoken_days: i64, letter_months: u16) -> String {
    let (gap, addressed) = (speaks.spoken.gap_days(), speaks.spoken.addressed_days());
    let to_come = match speaks.spoken.to_come {
        0 => String::new(),
        days => format!("; {} still to come", format::plural(days, "day")),
    };
    if gap == 0 && spoken_days == 0 {
        return "the period has not begun".to_owned();
    }
    if gap == 0 {
        let every = if to_come.is_empty() { "every day" } else { "every day that has come" };
        return match speaks.kind.terms() {
            Terms::Assessed => format!("within 12 months of an assessment on {every}{to_come}"),
            Terms::Valid => format!("a certificate valid on {every}{to_come}"),
            _ => format!("a report speaks for {every}{to_come}"),
        };
    }
    let gap_words = match speaks.kind.terms() {
        Terms::Assessed => format!("{} beyond 12 months of any assessment", format::plural(gap, "day")),
        Terms::Valid => format!("{} without a valid certificate", format::plural(gap, "day")),
        _ => format!("gap {}", format::plural(gap, "day")),
    };
    if speaks.by.is_empty() && spoken_days == 0 {
        return format!("no report of this kind: {gap_words}{to_come}");
    }
    if !speaks.kind.is_addressed_by_letters() {
        return format!("{gap_words}{to_come}");
    }
    let warning = letters::warning(&speaks.spoken.gaps, letter_months);
    let warning = warning.map(|warning| format!("; {warning}")).unwrap_or_default();
    format!("{gap_words}, of which {} addressed by letter{warning}{to_come}", format::count(addressed))
}

pub(super) fn report_path(report_id: &str) -> String {
    format!("/artifact/reports/{}", Encoded(report_id))
}

fn path_of((report_id, version): &VersionKey) -> String {
    version_path(report_id, *version)
}
