//! One pack with what its cover says, as stored.

use std::sync::Arc;

use actix_web::web::Data;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::super::db::{self, Restatement, Stored};
use super::super::names::{self, Names};
use super::lists;
use crate::State;
use crate::error::Error;
use crate::web::download::Format;
use crate::web::parts::Provenance;
use crate::web::table::Table;
use crate::web::{Address, Frame, Page, Section, Visit, filters, format};

#[derive(Template)]
#[template(path = "packs/show.html")]
struct ShowPage {
    frame: Frame,
    pack: Stored,
    names: Names,
    restated: Arc<Vec<Restatement>>,
    /// That evidence behind it was removed.
    removed: Option<String>,
    cover: Cover,
    results: (Vec<CoverResult>, Table),
    checks: (Vec<CoverCheck>, Table),
    attachments: (Vec<CoverAttachment>, Table),
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
pub(super) struct CoverResult {
    pub(super) severity: String,
    pub(super) rules: u64,
    pub(super) resources: u64,
    pub(super) complying: u64,
    pub(super) not_complying: u64,
    pub(super) not_applicable: u64,
    pub(super) unknown: u64,
    pub(super) deviations: u64,
}

#[derive(Debug, serde::Deserialize)]
pub(super) struct CoverCheck {
    pub(super) what: String,
    /// What was counted, and the count.
    pub(super) one: (String, u64),
    pub(super) other: (String, u64),
    pub(super) closes: bool,
}

#[derive(Debug, serde::Deserialize)]
pub(super) struct CoverAttachment {
    pub(super) name: String,
    pub(super) what: String,
    pub(super) rows: u64,
    pub(super) sha256: String,
}

/// What the page can be asked for beside the day. The pack itself is chosen already.
const KEYS: [&str; 5] = ["results-sort", "checks-sort", "attachments-sort", "rows", "format"];

pub(super) async fn show(
    state: Data<State>,
    mut visit: Visit,
    pack_id: web::Path<String>,
) -> Result<HttpResponse, Error> {
    visit.address.only(&[&KEYS])?;
    let organization = visit.organization.clone().ok_or(Error::NotFound)?;
    let pack = db::find(&mut *visit.read, &pack_id)
        .await?
        .filter(|pack| pack.organization_id == organization.id)
        .ok_or(Error::NotFound)?;
    let mut cover: Cover = serde_json::from_value(pack.cover.clone()).map_err(anyhow::Error::from)?;
    if let Some(format) = Format::of(&visit.address)? {
        return rows(format, &visit.address, &pack.pack_id, cover);
    }
    let restated = super::restated(&state, &mut visit, &[&pack.pack_id]).await?;
    let address = &visit.address;
    let caption = format!("AWS Config results on {}, by severity of the rule", format::day(pack.as_of_day));
    let results = lists::results().table(address, caption, std::mem::take(&mut cover.results))?;
    let caption = "Counts of the same things from two places; a pack whose counts differ is not issued";
    let checks = lists::checks().table(address, caption, std::mem::take(&mut cover.checks))?;
    let caption = "Files inside the PDF and in the ZIP";
    let attachments = lists::attachments().table(address, caption, std::mem::take(&mut cover.attachments))?;
    let frame = visit.frame(Section::Packs, pack.title.clone()).crumb("Packs", "/packs");
    let provenance = provenance(&frame, &pack, &cover);
    let names = Names::of(&pack.pack_id);
    let removed = visit.standing.floor.as_ref().and_then(|floor| floor.behind_pack(pack.from_day));
    let page = ShowPage { frame, pack, names, restated, removed, cover, results, checks, attachments, provenance };
    Ok(Page(page).answer(actix_web::http::StatusCode::OK))
}

fn provenance(frame: &Frame, pack: &Stored, cover: &Cover) -> Provenance {
    Provenance::default()
        .link(
            "Knowledge point",
            format!("What was known after collection {}", pack.known_at_collection),
            frame.href(&format!("/collections/{}", pack.known_at_collection)),
        )
        .line("Received", cover.received.clone())
        .line("Made by", format!("Auditfolio {}", cover.program))
        .line("Objects, hashes and collections", "objects.csv in the pack lists every delivered object that was read.")
}

/// The rows of one of the page's tables; those of the results where none is named.
fn rows(format: Format, address: &Address, pack_id: &str, cover: Cover) -> Result<HttpResponse, Error> {
    let stem = |rows: &str| format!("{pack_id}-{rows}");
    Ok(match address.get("rows") {
        None | Some("results") => lists::results().download(format, &stem("results"), address, cover.results),
        Some("checks") => lists::checks().download(format, &stem("checks"), address, cover.checks),
        Some("attachments") => lists::attachments().download(format, &stem("attachments"), address, cover.attachments),
        Some(_) => {
            return Err(Error::Invalid("The rows are those of results, checks or attachments.".to_owned()));
        }
    })
}
