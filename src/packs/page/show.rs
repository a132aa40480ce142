//! One pack with what its cover says, as stored.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::super::db::{self, Restatement, Stored};
use super::super::names::{self, Names};
use super::super::state::core::{Course, Standing, Step};
use super::super::state::db::{self as states, Download};
use super::lists;
use crate::State;
use crate::error::Error;
use crate::people::User;
use crate::web::download::Format;
use crate::web::form::Problems;
use crate::web::parts::Provenance;
use crate::web::table::Table;
use crate::web::{Address, Frame, Page, Section, Visit, filters, format};

#[derive(Template)]
#[template(path = "packs/show.html")]
struct ShowPage {
    frame: Frame,
    pack: Stored,
    names: Names,
    standing: Standing,
    course: Course,
    /// What the signed-in person can do next.
    next: Next,
    /// The job that makes, or was to make, the final pack, and its state.
    making: Option<(i64, String)>,
    /// The newest downloads and how many there are; `None` in rooms.
    downloads: Option<(Vec<Download>, i64)>,
    may_read_log: bool,
    problems: Problems,
    typed: Typed,
    restated: Arc<Vec<Restatement>>,
    /// That evidence behind it was removed.
    removed: Option<String>,
    cover: Cover,
    results: (Vec<CoverResult>, Table),
    checks: (Vec<CoverCheck>, Table),
    attachments: (Vec<CoverAttachment>, Table),
    provenance: Provenance,
}

/// What was typed into a form of the page, shown again where something is wrong.
#[derive(Debug, Clone, Default)]
pub(super) struct Typed {
    pub(super) note: String,
    pub(super) by: String,
    pub(super) supersede_reason: String,
}

/// What somebody can do next with a pack.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Next {
    propose: bool,
    approve: bool,
    give_back: bool,
    supersede: bool,
    withdraw: bool,
    /// What stands in the way of the next step, where something does.
    waits: Option<&'static str>,
}

impl Next {
    fn of(course: &Course, user: &User, making: Option<&(i64, String)>) -> Self {
        let may_make = user.role.makes_packs();
        let making = making.is_some_and(|(_, state)| matches!(state.as_str(), "queued" | "running"));
        let may = |step| may_make && course.may(step, &user.identity, making).is_ok();
        let waits = match course.standing() {
            Standing::Proposed if !may(Step::Approve) => {
                Some("Another person must review this: a compliance manager or administrator who did not propose it.")
            }
            Standing::Approved if making => Some("The final pack is being made."),
            Standing::Approved => {
                Some("The final pack was not made: see its job, try it again there, or return the draft.")
            }
            _ => None,
        };
        Self {
            propose: may(Step::Propose),
            approve: may(Step::Approve),
            give_back: may(Step::Return),
            supersede: may(Step::Supersede),
            withdraw: may(Step::Withdraw),
            waits,
        }
    }
}

/// What the cover says, as stored beside the pack.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Cover {
    classification: Option<String>,
    recipient: String,
    engagement: Option<CoverEngagement>,
    pseudonyms: Option<u64>,
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

/// The engagement that the pack is for.
#[derive(Debug, serde::Deserialize)]
struct CoverEngagement {
    engagement: i64,
    title: String,
    changes: Vec<String>,
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
    let pack = find(&mut visit, &pack_id).await?;
    if let Some(format) = Format::of(&visit.address)? {
        let cover: Cover = serde_json::from_value(pack.cover).map_err(anyhow::Error::from)?;
        return rows(format, &visit.address, &pack.pack_id, cover);
    }
    page(&state, visit, pack, (Problems::default(), Typed::default())).await
}

/// A pack of the organisation; in a room, one that lies there.
pub(super) async fn find(visit: &mut Visit, pack_id: &str) -> Result<Stored, Error> {
    let organization_id = visit.organization.as_ref().ok_or(Error::NotFound)?.id;
    let pack = db::find(&mut *visit.read, pack_id).await?;
    pack.filter(|pack| pack.organization_id == organization_id).ok_or(Error::NotFound)
}

/// Downloads that the page lists.
const DOWNLOADS: i64 = 50;

/// The page, or the page again with what is wrong with a form of it.
pub(super) async fn page(
    state: &State,
    mut visit: Visit,
    pack: Stored,
    (problems, typed): (Problems, Typed),
) -> Result<HttpResponse, Error> {
    let mut cover: Cover = serde_json::from_value(pack.cover.clone()).map_err(anyhow::Error::from)?;
    let course = states::course(&mut *visit.read, &pack.pack_id).await?;
    let team = visit.room.is_none();
    let making = match course.approval().filter(|_| team) {
        Some(approval) => states::making(&mut *visit.read, approval.record).await?,
        None => None,
    };
    let downloads = if team { Some(states::downloads(&mut visit.read, &pack.pack_id, DOWNLOADS).await?) } else { None };
    let next = Next::of(&course, &visit.user, making.as_ref());
    let restated = super::restated(state, &mut visit, &[&pack.pack_id]).await?;
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
    let status = if problems.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = ShowPage {
        frame,
        pack,
        names,
        standing: course.standing(),
        course,
        next,
        making,
        downloads,
        may_read_log: visit.user.role.makes_packs(),
        problems,
        typed,
        restated,
        removed,
        cover,
        results,
        checks,
        attachments,
        provenance,
    };
    Ok(Page(page).answer(status))
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
