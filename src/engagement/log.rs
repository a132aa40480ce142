//! Who came and what was downloaded: the same list for the auditors in the room and for the team.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::log_db::{self, Entry, ORDERS};
use super::page::found;
use crate::error::Error;
use crate::web::download::{Format, download};
use crate::web::keyset::{Keyed, Keyset};
use crate::web::parts::{Empty, Provenance};
use crate::web::table::{self, Column, PAGE_ROWS, PLACE_KEYS, Place, Sort, Table, text};
use crate::web::{Access, Endpoint, Frame, Page, Section, Visit, filters};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/room/log", Access::Rooms, || web::get().to(of_room)),
        Endpoint::get("/engagements/{engagement_id}/log", Access::Team, || web::get().to(of_team)),
    ]
}

const TABLE: [Column; 6] =
    [text("When").by("at").most_first(), text("Who"), text("Act"), text("Of what"), text("File"), text("From where")];

const COLUMNS: [&str; 7] = ["audit_log_id", "at", "who", "act", "of_what", "file", "from_where"];

#[derive(Template)]
#[template(path = "engagement/log.html")]
struct LogPage {
    frame: Frame,
    rows: Vec<Entry>,
    table: Table,
    provenance: Provenance,
    empty: Option<Empty>,
}

async fn of_room(visit: Visit) -> Result<HttpResponse, Error> {
    let id = visit.room.as_ref().ok_or(Error::NotFound)?.engagement_id();
    let frame = visit.frame(Section::Room, TITLE).crumb("Room", "/room");
    page(visit, id, Frame { whole: true, ..frame }).await
}

async fn of_team(mut visit: Visit, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let (id, terms) = found(&mut visit, &id).await?;
    let title = terms.last().map(|terms| terms.title.clone()).unwrap_or_default();
    let frame = visit.frame(Section::Engagements, TITLE);
    let frame = frame.crumb("Engagements", "/engagements").crumb(title, &format!("/engagements/{id}"));
    page(visit, id, frame).await
}

const TITLE: &str = "Sign-ins and downloads";

async fn page(mut visit: Visit, id: i64, frame: Frame) -> Result<HttpResponse, Error> {
    visit.address.only(&[&PLACE_KEYS])?;
    let sort = Sort::of(&visit.address, &TABLE, Sort::down("at"));
    if let Some(format) = Format::of(&visit.address)? {
        let first = Keyset::of(&ORDERS, sort, &Place::First, false)?;
        return Ok(rows(format, visit, id, first));
    }
    let place = Place::of(&visit.address, 2)?;
    let keyset = Keyset::of(&ORDERS, sort, &place, false)?;
    let mut rows = log_db::list(&mut visit.read, id, &keyset, PAGE_ROWS + 1).await?;
    let more = table::cut(&mut rows, &place);
    let total = log_db::count(&mut visit.read, id).await?;
    let key = |row: Option<&Keyed<Entry>>| row.map(|keyed| keyed.key(&keyed.row.audit_log_id));
    let table = Table::whole("log", TITLE, &TABLE, &visit.address, rows.len()).sorted(sort).with_formats().paged(
        &place,
        key(rows.first()),
        key(rows.last()),
        more,
        total,
    );
    let empty = rows.is_empty().then(|| {
        let what = "Nobody who is invited has signed in since the invitation, and nothing was downloaded in the room.";
        Empty::new("Nothing yet", what)
    });
    let provenance = Provenance::default()
        .line(
            "Entries",
            "Of the audit log, whose entries are never changed or deleted. Auditors and the team see the same.",
        )
        .line("Sign-ins", "Of everybody who was invited to the engagement when they signed in.")
        .line("Left out", "What auditors view and draw: it is theirs until one of them shows it, or the room closes.")
        .line("Times", "The database’s clock.");
    let rows = rows.into_iter().map(|keyed| keyed.row).collect();
    Ok(Page(LogPage { frame, rows, table, provenance, empty }).answer(StatusCode::OK))
}

fn rows(format: Format, mut visit: Visit, id: i64, first: Keyset) -> HttpResponse {
    download(format, "sign-ins-and-downloads", &COLUMNS, move |mut rows| async move {
        let mut page = first;
        loop {
            let entries = log_db::list(&mut visit.read, id, &page, 1000).await?;
            let Some(last) = entries.last() else { break };
            page = page.after(last.sort_key.clone(), last.row.audit_log_id.to_string());
            for Keyed { row, .. } in entries {
                rows.push([
                    row.audit_log_id.into(),
                    row.at.into(),
                    row.actor.into(),
                    row.act.into(),
                    row.object.into(),
                    row.file.into(),
                    row.remote.into(),
                ])
                .await?;
            }
        }
        Ok(rows)
    })
}
