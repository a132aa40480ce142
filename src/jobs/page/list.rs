//! The list of jobs.

use actix_web::{HttpResponse, web};
use askama::Template;
use time::OffsetDateTime;

use super::super::{Kind, Standing};
use super::db::{self, ORDERS, Which};
use crate::State;
use crate::error::Error;
use crate::web::download::{Format, download};
use crate::web::form::{Choice, Filters};
use crate::web::keyset::{Keyed, Keyset};
use crate::web::parts::{Empty, Provenance};
use crate::web::table::{self, Column, PAGE_ROWS, PLACE_KEYS, Place, Sort, Table, text};
use crate::web::{Address, Frame, Page, Section, Visit, filters};

/// Seconds after which a list with work under way is asked for again.
const REFRESH_SECONDS: u32 = 2;
const STATES: [&str; 5] = ["queued", "running", "done", "failed", "cancelled"];

const TABLE: [Column; 6] = [
    text("Job").by("job").most_first(),
    text("What").by("kind"),
    text("State").by("state"),
    text("Asked for by").by("by"),
    text("Asked for").by("asked").most_first(),
    text("Took").by("took").most_first(),
];

#[derive(Template)]
#[template(path = "jobs/list.html")]
struct ListPage {
    frame: Frame,
    filters: Filters,
    rows: Vec<Standing>,
    table: Table,
    now: OffsetDateTime,
    filtered: bool,
    provenance: Provenance,
}

/// From the address; a word that no filter has is refused.
fn which(address: &Address) -> Result<Which, Error> {
    address.only(&[&PLACE_KEYS, &["state", "kind"]])?;
    let one_of = |name: &str, words: &[&str]| match address.get(name) {
        Some(word) if !words.contains(&word) => {
            Err(Error::Invalid(format!("“{word}” is none of the choices for {name}.")))
        }
        word => Ok(word.map(str::to_owned)),
    };
    Ok(Which { state: one_of("state", &STATES)?, kind: one_of("kind", &shown().map(Kind::word).collect::<Vec<_>>())? })
}

pub(super) async fn list(state: web::Data<State>, mut visit: Visit) -> Result<HttpResponse, Error> {
    let which = which(&visit.address)?;
    let sort = Sort::of(&visit.address, &TABLE, Sort::down("job"));
    if let Some(format) = Format::of(&visit.address)? {
        let first = Keyset::of(&ORDERS, sort, &Place::First, false)?;
        return Ok(rows(format, visit, (which, first)));
    }
    let place = Place::of(&visit.address, 2)?;
    let keyset = Keyset::of(&ORDERS, sort, &place, false)?;
    let mut rows = db::list(&mut visit.read, &which, &keyset, PAGE_ROWS + 1).await?;
    let more = table::cut(&mut rows, &place);
    let total = db::count(&mut visit.read, &which).await?;
    let row_key = |row: Option<&Keyed<Standing>>| row.map(|keyed| keyed.key(&keyed.row.job_id));
    let table = Table::whole("jobs", "Jobs", &TABLE, &visit.address, rows.len()).sorted(sort).with_formats().paged(
        &place,
        row_key(rows.first()),
        row_key(rows.last()),
        more,
        total,
    );
    let rows: Vec<Standing> = rows.into_iter().map(|keyed| keyed.row).collect();
    let waits = rows.iter().any(Standing::waits);
    let page = ListPage {
        frame: visit.frame(Section::Collections, "Jobs").crumb("Collections", "/collections"),
        filters: choices(&visit.address),
        filtered: which.state.is_some() || which.kind.is_some(),
        rows,
        table,
        now: state.clock.now(),
        provenance: Provenance::default()
            .line("What is a job", "Work that was asked for or scheduled; its row is never deleted.")
            .line("Where it stands", "What its worker last wrote to the store; it does so every few seconds.")
            .line("Times", "The database’s clock."),
    };
    Ok(Page(page).refreshed_after(waits.then_some(REFRESH_SECONDS)))
}

/// What the team is shown: samples are the auditors' own.
fn shown() -> impl Iterator<Item = Kind> {
    Kind::ALL.into_iter().filter(|kind| *kind != Kind::Sample)
}

fn choices(address: &Address) -> Filters {
    let choice = |word: &str| Choice::new(word, word);
    Filters::new(address).select("state", "State", "All states", STATES.map(choice).to_vec()).select(
        "kind",
        "What",
        "All jobs",
        shown().map(|kind| Choice::new(kind.word(), kind.title())).collect(),
    )
}

const COLUMNS: [&str; 15] = [
    "job_id",
    "kind",
    "state",
    "failure",
    "result",
    "asked_for_by",
    "asked_for_at",
    "started_at",
    "finished_at",
    "attempts",
    "tried_again_not_before",
    "progress_done",
    "progress_total",
    "cancelled_by",
    "does_again",
];

/// Every job that the filters leave, in the order of the page.
fn rows(format: Format, mut visit: Visit, (which, first): (Which, Keyset)) -> HttpResponse {
    download(format, "jobs", &COLUMNS, move |mut rows| async move {
        let mut page = first;
        loop {
            let part = db::list(&mut visit.read, &which, &page, 1000).await?;
            let Some(last) = part.last() else { break };
            page = page.after(last.sort_key.clone(), last.row.job_id.to_string());
            for Keyed { row: job, .. } in part {
                rows.push([
                    job.job_id.into(),
                    job.kind.into(),
                    job.state.into(),
                    job.failure.into(),
                    job.result.into(),
                    job.created_by.into(),
                    job.created_at.into(),
                    job.started_at.into(),
                    job.finished_at.into(),
                    job.attempts.into(),
                    job.not_before.into(),
                    job.progress_done.into(),
                    job.progress_total.into(),
                    job.cancel_asked_by.into(),
                    job.retry_of.into(),
                ])
                .await?;
            }
        }
        Ok(rows)
    })
}
