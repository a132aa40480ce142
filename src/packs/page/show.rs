//! One pack with what its cover says, as stored.

use std::sync::Arc;

use actix_web::web::Data;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::super::db::{self, Restatement, Stored};
use super::super::names::{self, Names};
use crate::State;
use crate::error::Error;
use crate::web::download::{Cell, Format, download};
use crate::web::parts::Provenance;
use crate::web::table::{Column, Table, number, text};
use crate::web::{Address, Frame, Page, Section, Visit, filters, format};

#[derive(Template)]
#[template(path = "packs/show.html")]
struct ShowPage {
    frame: Frame,
    pack: Stored,
    names: Names,
    restated: Arc<Vec<Restatement>>,
    cover: Cover,
    results_table: Table,
    checks_table: Table,
    attachments_table: Table,
    provenance: Provenance,
}

/// What the cover says, as stored beside the pack.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Cover {
    captured_to: Option<String>,
    received: String,
    generated: String,
    clock_set: bool,
    day_open: bool,
    completeness_established: bool,
    gaps_line: String,
    notices: Vec<String>,
    parameters: String,
    parameter_changes: Vec<CoverChange>,
    #[serde(default)]
    scope: Option<CoverScope>,
    register_rows: u64,
    register_printed: bool,
    deviation_rows: u64,
    results: Vec<CoverResult>,
    checks: Vec<CoverCheck>,
    attachments: Vec<CoverAttachment>,
    program: String,
    key_fingerprint: String,
}

/// The scope set that the pack is about.
#[derive(Debug, serde::Deserialize)]
struct CoverScope {
    sentence: String,
    record: i64,
    definitions: Vec<CoverDefinition>,
}

#[derive(Debug, serde::Deserialize)]
struct CoverDefinition {
    record: i64,
    by: String,
    reason: String,
    in_force: bool,
}

/// A change of what a rule asks for; its days as YYYY-MM-DD.
#[derive(Debug, serde::Deserialize)]
struct CoverChange {
    rule: String,
    change: String,
    place: String,
    last_seen_before: String,
    first_seen_after: String,
}

#[derive(Debug, serde::Deserialize)]
struct CoverResult {
    severity: String,
    rules: u64,
    resources: u64,
    complying: u64,
    not_complying: u64,
    not_applicable: u64,
    unknown: u64,
    deviations: u64,
}

#[derive(Debug, serde::Deserialize)]
struct CoverCheck {
    what: String,
    /// What was counted, and the count.
    one: (String, u64),
    other: (String, u64),
    closes: bool,
}

#[derive(Debug, serde::Deserialize)]
struct CoverAttachment {
    name: String,
    what: String,
    rows: u64,
    sha256: String,
}

/// Results, as the cover has them.
const RESULTS: [Column; 8] = [
    text("Severity"),
    number("Rules"),
    number("Resources"),
    number("COMPLIANT"),
    number("NON_COMPLIANT"),
    number("NOT_APPLICABLE"),
    number("Unknown"),
    number("Deviations"),
];

const CHECKS: [Column; 6] =
    [text("What"), text("Counted"), number("Count"), text("Against"), number("Count"), text("Closes")];

const ATTACHMENTS: [Column; 4] = [text("File"), text("What it holds"), number("Rows"), text("SHA-256")];

pub(super) async fn show(
    state: Data<State>,
    mut visit: Visit,
    pack_id: web::Path<String>,
) -> Result<HttpResponse, Error> {
    visit.address.only(&[&["rows", "format"]])?;
    let organization = visit.organization.clone().ok_or(Error::NotFound)?;
    let pack = db::find(&mut *visit.read, &pack_id)
        .await?
        .filter(|pack| pack.organization_id == organization.id)
        .ok_or(Error::NotFound)?;
    let cover: Cover = serde_json::from_value(pack.cover.clone()).map_err(anyhow::Error::from)?;
    if let Some(format) = Format::of(&visit.address)? {
        return rows(format, &visit.address, &pack.pack_id, cover);
    }
    let restated = super::restated(&state, &mut visit, &[&pack.pack_id]).await?;
    let address = &visit.address;
    let table = |id, caption: String, columns: &[Column], rows| {
        Table::whole(id, caption, columns, address, rows).with_formats_of(id)
    };
    let caption = format!("AWS Config results on {}, by severity of the rule", format::day(pack.as_of_day));
    let results_table = table("results", caption, &RESULTS, cover.results.len());
    let caption = "Counts of the same things from two places; a pack whose counts differ is not issued";
    let checks_table = table("checks", caption.to_owned(), &CHECKS, cover.checks.len());
    let caption = "Files inside the PDF and in the ZIP";
    let attachments_table = table("attachments", caption.to_owned(), &ATTACHMENTS, cover.attachments.len());
    let provenance = provenance(&pack, &cover);
    let frame = visit.frame(Section::Packs, pack.title.clone()).crumb("Packs", "/packs");
    let names = Names::of(&pack.pack_id);
    let page =
        ShowPage { frame, pack, names, restated, cover, results_table, checks_table, attachments_table, provenance };
    Ok(Page(page).answer(actix_web::http::StatusCode::OK))
}

fn provenance(pack: &Stored, cover: &Cover) -> Provenance {
    Provenance::default()
        .link(
            "Knowledge point",
            format!("What was known after collection {}", pack.known_at_collection),
            format!("/collections/{}", pack.known_at_collection),
        )
        .line("Received", cover.received.clone())
        .line("Made by", format!("Auditfolio {}", cover.program))
        .line("Objects, hashes and collections", "objects.csv in the pack lists every delivered object that was read.")
}

const RESULT_COLUMNS: [&str; 8] =
    ["severity", "rules", "resources", "compliant", "non_compliant", "not_applicable", "unknown", "deviations"];

const CHECK_COLUMNS: [&str; 6] = ["what", "counted", "count", "against", "against_count", "closes"];

const ATTACHMENT_COLUMNS: [&str; 4] = ["file", "what_it_holds", "rows", "sha256"];

/// The rows of one of the page's tables; those of the results where none is named.
fn rows(format: Format, address: &Address, pack_id: &str, cover: Cover) -> Result<HttpResponse, Error> {
    let figure = |figure: u64| Cell::from(i64::try_from(figure).unwrap_or(i64::MAX));
    let (table, columns, rows): (&str, &'static [&'static str], Vec<Vec<Cell>>) = match address.get("rows") {
        None | Some("results") => {
            let row = |one: CoverResult| {
                let figures = [
                    one.rules,
                    one.resources,
                    one.complying,
                    one.not_complying,
                    one.not_applicable,
                    one.unknown,
                    one.deviations,
                ];
                std::iter::once(one.severity.into()).chain(figures.map(figure)).collect()
            };
            ("results", &RESULT_COLUMNS, cover.results.into_iter().map(row).collect())
        }
        Some("checks") => {
            let row = |check: CoverCheck| {
                let ((one, ones), (other, others)) = (check.one, check.other);
                vec![check.what.into(), one.into(), figure(ones), other.into(), figure(others), check.closes.into()]
            };
            ("checks", &CHECK_COLUMNS, cover.checks.into_iter().map(row).collect())
        }
        Some("attachments") => {
            let row =
                |file: CoverAttachment| vec![file.name.into(), file.what.into(), figure(file.rows), file.sha256.into()];
            ("attachments", &ATTACHMENT_COLUMNS, cover.attachments.into_iter().map(row).collect())
        }
        Some(_) => {
            return Err(Error::Invalid("The rows are those of results, checks or attachments.".to_owned()));
        }
    };
    Ok(download(format, &format!("{pack_id}-{table}"), columns, |mut out| async move {
        for row in rows {
            out.push(row).await?;
        }
        Ok(out)
    }))
}
