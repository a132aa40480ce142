//! The list of packs, with what became of the days of each since it was made.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use askama::Template;

use super::super::db::{self, ORDERS, Restatement, Stored, Which};
use super::super::state::core::Course;
use super::super::state::db as states;
use super::db::Account;
use crate::State;
use crate::compliance::is_account;
use crate::error::Error;
use crate::retention::Floor;
use crate::web::download::{Cell, Format, download};
use crate::web::form::Filters;
use crate::web::keyset::{Keyed, Keyset};
use crate::web::parts::{Empty, Provenance};
use crate::web::table::{Column, PAGE_ROWS, PLACE_KEYS, Place, Sort, Table, cut, number, text};
use crate::web::{Frame, Page, Section, Visit, filters, format, parse_day};

#[derive(Template)]
#[template(path = "packs/list.html")]
struct ListPage {
    frame: Frame,
    filters: Filters,
    filtered: bool,
    packs: Vec<(Stored, Vec<Restatement>, Course)>,
    /// Where the kept evidence begins, where any was removed.
    floor: Option<Floor>,
    table: Table,
    may_make: bool,
    provenance: Provenance,
}

const TABLE: [Column; 10] = [
    text("Pack").by("title"),
    text("State").by("state"),
    text("Days").by("day").most_first(),
    text("Scope").by("scope"),
    text("Made").by("made").most_first(),
    text("By").by("by"),
    number("Pages").by("pages"),
    number("Evaluations").by("evaluations"),
    number("NON_COMPLIANT").by("non-compliant"),
    text("Gaps").by("gaps").most_first(),
];

pub(super) async fn list(state: Data<State>, mut visit: Visit) -> Result<HttpResponse, Error> {
    visit.address.only(&[&PLACE_KEYS, &["account", "day"]])?;
    let accounts = match &visit.organization {
        None => Vec::new(),
        Some(organization) => super::db::accounts(&mut visit.read, organization.id).await?,
    };
    let which = which(&visit, &accounts)?;
    let sort = Sort::of(&visit.address, &TABLE, Sort::down("made"));
    if let Some(format) = Format::of(&visit.address)? {
        let first = Keyset::of(&ORDERS, sort, &Place::First, true)?;
        return Ok(rows(format, state, visit, (which, first)));
    }
    let place = Place::of(&visit.address, 2)?;
    let keyset = Keyset::of(&ORDERS, sort, &place, true)?;
    let mut packs = db::list(&mut *visit.read, &which, &keyset, PAGE_ROWS + 1).await?;
    let total = db::count(&mut *visit.read, &which).await?;
    let more = cut(&mut packs, &place);
    let row_key = |pack: Option<&Keyed<Stored>>| pack.map(|keyed| keyed.key(&keyed.row.pack_id));
    let table = Table::whole("packs", "Packs", &TABLE, &visit.address, packs.len()).sorted(sort).with_formats().paged(
        &place,
        row_key(packs.first()),
        row_key(packs.last()),
        more,
        total,
    );
    let packs = with_restatements(&state, &mut visit, packs).await?;
    let provenance = Provenance::default()
        .line(
            "What is a pack",
            "A PDF with its attachments, stored as it was issued; Postgres refuses to change or delete it.",
        )
        .line("Counts", "As the pack’s own ladder closed on them when it was made.")
        .line("Restated", "Days of the pack that a later collection changed, counted from the store now.")
        .line("Packs of an account", "Those that were made of it, and those of all accounts.");
    let page = ListPage {
        frame: visit.frame(Section::Packs, "Packs"),
        filters: Filters::new(&visit.address)
            .accounts(accounts.iter().map(|account| (account.account_id.as_str(), account.name.as_str())))
            .day("day", "Day that is covered (UTC)"),
        filtered: which.accounts.is_some() || which.day.is_some(),
        packs,
        floor: visit.standing.floor.clone(),
        table,
        may_make: visit.user.role.makes_packs(),
        provenance,
    };
    Ok(Page(page).answer(StatusCode::OK))
}

/// From the address; an account is asked for as on every page, by its id or by a part of its name.
fn which(visit: &Visit, accounts: &[Account]) -> Result<Which, Error> {
    let of = |asked: &str| {
        let is_meant = |account: &&Account| is_account(asked, &account.account_id, &account.name);
        accounts.iter().filter(is_meant).map(|account| account.account_id.clone()).collect()
    };
    let day = |text: &str| {
        parse_day(text).ok_or_else(|| Error::Invalid(format!("“{text}” is no day: write it as YYYY-MM-DD.")))
    };
    Ok(Which {
        organization_id: visit.organization.as_ref().map_or(0, |organization| organization.id),
        accounts: visit.address.get("account").map(of),
        day: visit.address.get("day").map(day).transpose()?,
    })
}

async fn with_restatements(
    state: &State,
    visit: &mut Visit,
    packs: Vec<Keyed<Stored>>,
) -> Result<Vec<(Stored, Vec<Restatement>, Course)>, Error> {
    let ids: Vec<&str> = packs.iter().map(|pack| pack.row.pack_id.as_str()).collect();
    let mut courses = states::courses(&mut *visit.read, &ids).await?;
    let restated = super::restated(state, visit, &ids).await?;
    let with = |Keyed { row: pack, .. }: Keyed<Stored>| {
        let of_pack = restated.iter().filter(|one| one.pack_id == pack.pack_id).cloned().collect();
        let course = courses.remove(&pack.pack_id).unwrap_or_default();
        (pack, of_pack, course)
    };
    Ok(packs.into_iter().map(with).collect())
}

const COLUMNS: [&str; 27] = [
    "pack_id",
    "title",
    "from",
    "as_of",
    "account_ids",
    "known_at_collection",
    "created_at",
    "created_by",
    "demo_identity",
    "printed_at",
    "clock_set_by_operator",
    "pages",
    "evaluations",
    "non_compliant",
    "gap_days",
    "expected_days",
    "pdf_bytes",
    "pdf_sha256",
    "zip_bytes",
    "zip_sha256",
    "key_id",
    "state",
    "superseded_by",
    "end_reason",
    "restated_by",
    "restated",
    "evidence_removed_before",
];

/// Every pack that the filters leave, in the order of the page.
fn rows(format: Format, state: Data<State>, mut visit: Visit, (which, first): (Which, Keyset)) -> HttpResponse {
    download(format, "packs", &COLUMNS, |mut rows| async move {
        let mut page = first;
        loop {
            let packs = db::list(&mut *visit.read, &which, &page, 1000).await?;
            let Some(last) = packs.last() else { break };
            page = page.after(last.sort_key.clone(), last.row.pack_id.clone());
            for (pack, restated, course) in with_restatements(&state, &mut visit, packs).await? {
                rows.push(cells(pack, (&restated, &course), visit.standing.floor.as_ref())).await?;
            }
        }
        Ok(rows)
    })
}

fn cells(pack: Stored, (restated, course): (&[Restatement], &Course), floor: Option<&Floor>) -> [Cell; COLUMNS.len()] {
    let removed = floor.filter(|floor| floor.removed(pack.from_day)).map(|floor| floor.first_day);
    let together = |words: Vec<String>| if words.is_empty() { None } else { Some(words.join("; ")) };
    [
        pack.pack_id.into(),
        pack.title.into(),
        pack.from_day.into(),
        pack.as_of_day.into(),
        // Empty is every account.
        pack.account_ids.map(|accounts| accounts.join(" ")).into(),
        pack.known_at_collection.into(),
        pack.created_at.into(),
        pack.created_by.into(),
        pack.demo.into(),
        pack.printed_at.into(),
        pack.clock_set.into(),
        pack.pages.into(),
        pack.evaluations.into(),
        pack.not_complying.into(),
        pack.gap_days.into(),
        pack.expected_days.into(),
        pack.pdf_bytes.into(),
        format::hex(&pack.pdf_sha256).into(),
        pack.zip_bytes.into(),
        format::hex(&pack.zip_sha256).into(),
        pack.key_id.into(),
        course.standing().words().into(),
        course.end().and_then(|end| end.other.as_deref()).into(),
        course.end().and_then(|end| end.note.as_deref()).into(),
        together(restated.iter().map(|one| one.collection_id.to_string()).collect()).into(),
        together(restated.iter().map(Restatement::sentence).collect()).into(),
        removed.into(),
    ]
}
