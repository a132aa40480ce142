//! The list of notices, one notice with its facts, and its acknowledgement.

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::db::{self, Notice, ORDERS, Which};
use super::kind::Kind;
use super::links::{self, Link};
use crate::State;
use crate::audit_log;
use crate::error::Error;
use crate::people::{Maker, acted};
use crate::web::download::{Cell, Format, download};
use crate::web::form::{Choice, Filters};
use crate::web::keyset::{Keyed, Keyset};
use crate::web::parts::{Empty, Provenance};
use crate::web::table::{self, Column, PAGE_ROWS, PLACE_KEYS, Place, Sort, Table, text};
use crate::web::{Access, Address, Endpoint, Frame, Page, Section, Visit, filters, format};

pub fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/notices", Access::Team, || web::get().to(list)),
        Endpoint::get("/notices/{notice_id}", Access::Team, || web::get().to(show)),
        Endpoint::post("/notices/{notice_id}/acknowledge", Access::Makers, || web::post().to(acknowledge)),
    ]
}

impl Notice {
    fn kind_title(&self) -> &str {
        Kind::parse(&self.kind).map_or(self.kind.as_str(), |kind| kind.title())
    }

    fn is_open(&self) -> bool {
        self.closed_at.is_none()
    }

    fn state_words(&self) -> &'static str {
        match (self.is_open(), self.acknowledged_at.is_some()) {
            (true, false) => "open",
            (true, true) => "open, acknowledged",
            (false, _) => "closed",
        }
    }

    fn evidence(&self) -> Vec<Link> {
        Kind::parse(&self.kind)
            .map(|kind| links::evidence(kind, &self.about, &self.facts, self.as_of_day))
            .unwrap_or_default()
    }

    fn texts(&self, name: &str) -> Vec<&str> {
        let list = self.facts.get(name).and_then(serde_json::Value::as_array);
        list.into_iter().flatten().filter_map(serde_json::Value::as_str).collect()
    }

    /// Members, with the page of each, where there are several kinds of thing to name.
    fn members(&self) -> Vec<(&str, Option<String>)> {
        match Kind::parse(&self.kind) {
            Some(kind @ (Kind::RuleGone | Kind::CriticalFailing | Kind::DefinitionsUnread)) => self
                .texts("members")
                .into_iter()
                .map(|member| (member, links::member(kind, &self.about, member, self.as_of_day)))
                .collect(),
            _ => Vec::new(),
        }
    }

    fn members_title(&self) -> &'static str {
        if self.kind == Kind::CriticalFailing.word() { "Accounts" } else { "Account-Regions" }
    }

    fn path(&self) -> String {
        format!("/notices/{}", self.notice_id)
    }
}

/// From the address; a word that no filter has is refused.
fn which(address: &Address, organization_id: i16) -> Result<Which, Error> {
    address.only(&[&PLACE_KEYS, &["state", "kind"]])?;
    let none = |word: &str, name: &str| Error::Invalid(format!("“{word}” is none of the choices for {name}."));
    let (open, acknowledged) = match address.get("state") {
        None => (None, None),
        Some("open") => (Some(true), None),
        Some("new") => (Some(true), Some(false)),
        Some("closed") => (Some(false), None),
        Some(word) => return Err(none(word, "state")),
    };
    let kind = address
        .get("kind")
        .map(|word| Kind::parse(word).map(|kind| kind.word().to_owned()).ok_or_else(|| none(word, "kind")))
        .transpose()?;
    Ok(Which { organization_id, open, kind, acknowledged })
}

fn choices(address: &Address) -> Filters {
    let states = [("open", "open"), ("new", "open, not acknowledged"), ("closed", "closed")];
    Filters::new(address)
        .select("state", "State", "All states", states.map(|(word, words)| Choice::new(word, words)).to_vec())
        .select("kind", "Kind", "All kinds", Kind::ALL.map(|kind| Choice::new(kind.word(), kind.title())).to_vec())
}

#[derive(Template)]
#[template(path = "notices/list.html")]
struct ListPage {
    frame: Frame,
    lead: String,
    filters: Filters,
    rows: Vec<Notice>,
    table: Table,
    filtered: bool,
    provenance: Provenance,
}

const TABLE: [Column; 6] = [
    text("Notice").by("notice"),
    text("Kind").by("kind"),
    text("State").by("state").most_first(),
    text("Opened").by("opened").most_first(),
    text("Closed").by("closed").most_first(),
    text("Acknowledged").by("acknowledged").most_first(),
];

async fn list(mut visit: Visit) -> Result<HttpResponse, Error> {
    let organization_id = visit.organization.as_ref().map(|organization| organization.id);
    let which = which(&visit.address, organization_id.unwrap_or_default())?;
    let sort = Sort::of(&visit.address, &TABLE, Sort::down("state"));
    if let Some(format) = Format::of(&visit.address)? {
        let first = Keyset::of(&ORDERS, sort, &Place::First, false)?;
        return Ok(rows(format, visit, (which, first)));
    }
    let place = Place::of(&visit.address, 2)?;
    let keyset = Keyset::of(&ORDERS, sort, &place, false)?;
    let mut rows = db::list(&mut visit.read, &which, &keyset, PAGE_ROWS + 1).await?;
    let more = table::cut(&mut rows, &place);
    let total = db::count(&mut visit.read, &which).await?;
    let (open, new) = visit.standing.open_notices;
    let row_key = |row: Option<&Keyed<Notice>>| row.map(|keyed| keyed.key(&keyed.row.notice_id));
    let table = Table::whole("notices", "Notices", &TABLE, &visit.address, rows.len())
        .sorted(sort)
        .with_formats()
        .paged(&place, row_key(rows.first()), row_key(rows.last()), more, total);
    let page = ListPage {
        frame: visit.frame(Section::Notices, "Notices"),
        lead: lead(open, new),
        filters: choices(&visit.address),
        filtered: which.open.is_some() || which.kind.is_some(),
        rows: rows.into_iter().map(|keyed| keyed.row).collect(),
        table,
        provenance: provenance(),
    };
    Ok(Page(page).answer(StatusCode::OK))
}

/// Where what a notice says comes from.
fn provenance() -> Provenance {
    Provenance::default()
        .line(
            "What is noticed",
            "After each collection the store is compared with itself as the decision before saw it. Each cause is told \
             once, for all places or accounts that show it, and closed by a later decision when none of them does any more.",
        )
        .line("What was seen", "Kept with the notice as it was then; Postgres refuses to change or delete it.")
}

/// "3 notices are open, 1 of them not acknowledged."
fn lead(open: i64, new: i64) -> String {
    match (open, new) {
        (0, _) => "No notice is open.".to_owned(),
        (1, 0) => "1 notice is open, and acknowledged.".to_owned(),
        (1, _) => "1 notice is open, and not acknowledged.".to_owned(),
        (open, 0) => format!("{} notices are open, all of them acknowledged.", format::count(open)),
        (open, new) => {
            format!("{} notices are open, {} of them not acknowledged.", format::count(open), format::count(new))
        }
    }
}

#[derive(Template)]
#[template(path = "notices/show.html")]
struct ShowPage {
    frame: Frame,
    notice: Notice,
    provenance: Provenance,
    may_acknowledge: bool,
}

async fn show(mut visit: Visit, id: web::Path<String>) -> Result<HttpResponse, Error> {
    visit.address.only(&[])?;
    let notice_id: i64 = id.parse().map_err(|_not_a_number| Error::NotFound)?;
    let organization = visit.organization.clone().ok_or(Error::NotFound)?;
    let notice = db::find(&mut visit.read, organization.id, notice_id).await?.ok_or(Error::NotFound)?;
    let may_acknowledge = visit.user.role.makes_packs() && notice.acknowledged_at.is_none();
    let frame = visit.frame(Section::Notices, format!("Notice {notice_id}")).crumb("Notices", "/notices");
    Ok(Page(ShowPage { frame, notice, provenance: provenance(), may_acknowledge }).answer(StatusCode::OK))
}

async fn acknowledge(
    request: HttpRequest,
    state: web::Data<State>,
    Maker(user): Maker,
    visit: Visit,
    id: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let notice_id: i64 = id.parse().map_err(|_not_a_number| Error::NotFound)?;
    let organization = visit.organization.clone().ok_or(Error::NotFound)?;
    let mut tx = state.db.begin().await?;
    let notice = db::find(&mut tx, organization.id, notice_id).await?.ok_or(Error::NotFound)?;
    // Pressed twice, or by two people: the first one's name stays.
    if db::acknowledge(&mut tx, notice_id, &user.identity, state.clock.now()).await? {
        let entry = acted(&user, &request, "acknowledge notice", format!("notice {notice_id}")).detail(
            serde_json::json!({ "kind": notice.kind, "about": notice.about,
                                         "before": { "acknowledged_by": null },
                                         "after": { "acknowledged_by": user.identity } }),
        );
        audit_log::record(&mut tx, &entry).await?;
    }
    tx.commit().await?;
    Ok(HttpResponse::SeeOther().insert_header((LOCATION, notice.path())).finish())
}

const COLUMNS: [&str; 14] = [
    "notice_id",
    "state",
    "kind",
    "about",
    "sentence",
    "as_of_day",
    "opened_at",
    "opened_after_collection",
    "closed_at",
    "closed_after_collection",
    "closed_because",
    "acknowledged_at",
    "acknowledged_by",
    "facts",
];

/// Every notice that the filters leave, in the order of the page.
fn rows(format: Format, mut visit: Visit, (which, first): (Which, Keyset)) -> HttpResponse {
    download(format, "notices", &COLUMNS, move |mut rows| async move {
        let mut page = first;
        loop {
            let notices = db::list(&mut visit.read, &which, &page, 1000).await?;
            let Some(last) = notices.last() else { break };
            page = page.after(last.sort_key.clone(), last.row.notice_id.to_string());
            for Keyed { row: notice, .. } in notices {
                rows.push([
                    notice.notice_id.into(),
                    notice.state_words().into(),
                    notice.kind.into(),
                    notice.about.into(),
                    notice.sentence.into(),
                    notice.as_of_day.into(),
                    notice.opened_at.into(),
                    notice.opened_after.into(),
                    notice.closed_at.into(),
                    notice.closed_after.into(),
                    notice.closed_because.into(),
                    notice.acknowledged_at.into(),
                    notice.acknowledged_by.into(),
                    Cell::Json(notice.facts.to_string()),
                ])
                .await?;
            }
        }
        Ok(rows)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lead_counts_what_is_open_and_what_nobody_has_acknowledged() {
        assert_eq!(lead(0, 0), "No notice is open.");
        assert_eq!(lead(1, 1), "1 notice is open, and not acknowledged.");
        assert_eq!(lead(3, 0), "3 notices are open, all of them acknowledged.");
        assert_eq!(lead(1200, 3), "1,200 notices are open, 3 of them not acknowledged.");
    }

    #[test]
    fn a_word_that_no_filter_has_is_refused() {
        assert!(which(&Address::parse("/notices", "state=new&kind=rule-gone"), 1).is_ok());
        assert!(matches!(which(&Address::parse("/notices", "state=sunny"), 1), Err(Error::Invalid(_))));
        assert!(matches!(which(&Address::parse("/notices", "kind=x"), 1), Err(Error::Invalid(_))));
    }
}
