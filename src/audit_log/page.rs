//! The audit log: who did what, newest first; one entry with its link.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use serde_json::Value;
use time::format_description::well_known::Rfc3339;
use time::{Date, OffsetDateTime};

use super::acts::{ACTS, Kind};
use super::chain::{self, Checkpoint, fits};
use super::chain_db;
use super::page_db::{self, ORDERS, Shown, Which};
use crate::error::Error;
use crate::web::download::{Cell, Format, download};
use crate::web::form::{Choice, Filters};
use crate::web::keyset::{Keyed, Keyset};
use crate::web::parts::{Empty, Provenance};
use crate::web::table::{self, Column, PAGE_ROWS, PLACE_KEYS, Place, Sort, Table, number, text};
use crate::web::{Access, Address, Endpoint, Frame, Page, Section, Visit, filters, format, parse_day};

pub fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/audit-log", Access::Makers, || web::get().to(list)),
        Endpoint::get("/audit-log/{audit_log_id}", Access::Makers, || web::get().to(show)),
    ]
}

/// Characters of a text that a row shows; the entry's own page shows all.
const SHORT: usize = 160;

fn short(text: &str) -> String {
    if text.chars().count() <= SHORT { text.to_owned() } else { text.chars().take(SHORT - 1).chain(['…']).collect() }
}

fn moment(text: Option<&str>) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text?, &Rfc3339).ok()
}

/// A JSON value for a reader.
fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "–".to_owned(),
        other => other.to_string(),
    }
}

/// A value that was changed: its name, what it was and what it became.
type Changed = (String, String, String);

/// What an entry keeps beside who, what and when.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Detail {
    facts: Vec<(String, String)>,
    /// Of `before` and `after`, where both are objects.
    changes: Vec<Changed>,
}

impl Detail {
    fn of(json: &str) -> Self {
        let Ok(Value::Object(mut fields)) = serde_json::from_str(json) else {
            return Self { facts: vec![("detail".to_owned(), json.to_owned())], changes: vec![] };
        };
        let mut changes = Vec::new();
        if let (Some(Value::Object(before)), Some(Value::Object(after))) = (fields.get("before"), fields.get("after")) {
            let names: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
            let one =
                |of: &serde_json::Map<String, Value>, name: &str| of.get(name).map_or_else(|| "–".to_owned(), words);
            changes = names.into_iter().map(|name| (name.clone(), one(before, name), one(after, name))).collect();
        }
        if let (Some(before), Some(after)) = (fields.get("before"), fields.get("after")) {
            if !(before.is_object() && after.is_object()) {
                changes = vec![("value".to_owned(), words(before), words(after))];
            }
            fields.remove("before");
            fields.remove("after");
        }
        Self { facts: fields.iter().map(|(name, value)| (name.clone(), words(value))).collect(), changes }
    }

    /// On one line, as much of it as a row shows.
    fn short(&self) -> String {
        let changes = self.changes.iter().map(|(name, before, after)| format!("{name}: {before} → {after}"));
        let facts = self.facts.iter().map(|(name, value)| format!("{name}: {value}"));
        short(&changes.chain(facts).collect::<Vec<_>>().join("; "))
    }
}

impl Shown {
    fn at(&self) -> Option<OffsetDateTime> {
        moment(self.entry.at.as_deref())
    }

    fn detail(&self) -> Detail {
        Detail::of(&self.entry.detail)
    }

    /// What is wrong with the entry as far as it and its link tell: a word, and what it means.
    fn wrong(&self) -> Option<(&'static str, &'static str)> {
        match &self.link {
            None => Some(("no link", "This entry was not written as entries are.")),
            Some(link) if !fits(link, &self.entry) => {
                Some(("altered", "This entry, or its link, is not what was hashed when it was written."))
            }
            Some(_) => None,
        }
    }

    fn by_upgrade(&self) -> bool {
        self.link.as_ref().is_some_and(|link| link.linked_by == "upgrade")
    }

    fn position(&self) -> Option<i64> {
        self.link.as_ref().map(|link| link.position)
    }

    fn actor(&self) -> String {
        short(&self.entry.actor)
    }

    fn object(&self) -> String {
        short(&self.entry.object)
    }

    fn path(&self) -> String {
        format!("/audit-log/{}", self.audit_log_id)
    }
}

const KEYS: [&str; 6] = ["actor", "kind", "act", "object", "from", "to"];

/// From the address.
fn which(address: &Address) -> Result<Which, Error> {
    address.only(&[&PLACE_KEYS, &KEYS])?;
    let text = |name| -> Result<Option<String>, Error> {
        match address.get(name) {
            Some(text) if text.contains('\0') => Err(Error::Invalid(format!("{name} cannot have such a character."))),
            text => Ok(text.map(str::to_owned)),
        }
    };
    let day = |name| -> Result<Option<Date>, Error> {
        let wanted = || Error::Invalid(format!("A day is written as YYYY-MM-DD: {name} is none."));
        address.get(name).map(|text| parse_day(text).ok_or_else(wanted)).transpose()
    };
    let start = |day: Date| day.midnight().assume_utc();
    let kind = address
        .get("kind")
        .map(|word| {
            Kind::parse(word).ok_or_else(|| Error::Invalid(format!("“{word}” is none of the choices for kind.")))
        })
        .transpose()?;
    Ok(Which {
        actor: text("actor")?,
        kind,
        act: text("act")?,
        object: text("object")?,
        from: day("from")?.map(start),
        before: day("to")?.and_then(Date::next_day).map(start),
    })
}

fn choices(address: &Address) -> Filters {
    let kinds = Kind::ALL.map(|kind| Choice::new(kind.word(), kind.title())).to_vec();
    let acts = ACTS.iter().map(|(act, _)| Choice::new(*act, *act)).collect();
    Filters::new(address)
        .text("actor", "Who", "as it stands in the log")
        .select("kind", "Kind", "All kinds", kinds)
        .select("act", "Act", "All acts", acts)
        .text("object", "Object", "as it stands in the log")
        .day("from", "From (UTC)")
        .day("to", "To (UTC)")
}

#[derive(Template)]
#[template(path = "audit_log/list.html")]
struct ListPage {
    frame: Frame,
    checkpoint: Checkpoint,
    filters: Filters,
    filtered: bool,
    rows: Vec<Shown>,
    table: Table,
    provenance: Provenance,
}

const TABLE: [Column; 7] = [
    text("When").by("at").most_first(),
    text("Who"),
    text("Act"),
    text("Object"),
    text("From where"),
    text("Detail"),
    number("Position"),
];

async fn list(mut visit: Visit) -> Result<HttpResponse, Error> {
    let which = which(&visit.address)?;
    let sort = Sort::of(&visit.address, &TABLE, Sort::down("at"));
    if let Some(format) = Format::of(&visit.address)? {
        let first = Keyset::of(&ORDERS, sort, &Place::First, false)?;
        return Ok(rows(format, visit, which, first));
    }
    let place = Place::of(&visit.address, 2)?;
    let keyset = Keyset::of(&ORDERS, sort, &place, false)?;
    let mut rows = page_db::list(&mut visit.read, &which, &keyset, PAGE_ROWS + 1).await?;
    let more = table::cut(&mut rows, &place);
    let checkpoint = chain_db::newest(&mut *visit.read, None).await?;
    let total = page_db::count(&mut visit.read, &which).await?;
    let row_key = |row: Option<&Keyed<Shown>>| row.map(|keyed| keyed.key(&keyed.row.audit_log_id));
    let table = Table::whole("audit-log", "Entries", &TABLE, &visit.address, rows.len())
        .sorted(sort)
        .with_formats()
        .counted_to(page_db::COUNTED)
        .paged(&place, row_key(rows.first()), row_key(rows.last()), more, total);
    let page = ListPage {
        frame: visit.frame(Section::AuditLog, "Audit log"),
        checkpoint,
        filters: choices(&visit.address),
        filtered: !which.all(),
        rows: rows.into_iter().map(|keyed| keyed.row).collect(),
        table,
        provenance: provenance(),
    };
    Ok(Page(page).answer(StatusCode::OK))
}

fn provenance() -> Provenance {
    Provenance::default()
        .line("Entries", "Each was written in the transaction of its act, so neither stands without the other. Postgres refuses to change or delete them.")
        .line("The chain", "When that transaction committed, the entry was linked: its position, and the SHA-256 of all that it says and of the link before.")
        .line("Left out", "What an auditor looks at and draws in a room is the auditor’s alone until the auditor publishes it or the room closes; then it is shown here. It is in the chain all the while, and “auditfolio audit export” has the whole of it.")
        .line("Altered, no link", "Said of an entry that is not what was hashed, or that was not written as entries are. What is missing is found by “auditfolio audit verify”.")
        .line("Times", "The database’s clock.")
}

#[derive(Template)]
#[template(path = "audit_log/show.html")]
struct ShowPage {
    frame: Frame,
    shown: Shown,
    detail: Detail,
    /// The entry's line of the log, whose beginning is what is hashed.
    line: Option<String>,
    provenance: Provenance,
}

async fn show(mut visit: Visit, id: web::Path<String>) -> Result<HttpResponse, Error> {
    visit.address.only(&[])?;
    let audit_log_id: i64 = id.parse().map_err(|_not_a_number| Error::NotFound)?;
    let shown = page_db::find(&mut visit.read, audit_log_id).await?.ok_or(Error::NotFound)?;
    let frame = visit.frame(Section::AuditLog, format!("Entry {audit_log_id}")).crumb("Audit log", "/audit-log");
    let page = ShowPage {
        frame,
        detail: shown.detail(),
        line: shown.link.as_ref().map(|link| chain::line(link, &shown.entry)),
        shown,
        provenance: provenance(),
    };
    Ok(Page(page).answer(StatusCode::OK))
}

/// As the fields of [`chain::hashed_text`], and then the hash: so a line of JSON lines is the line that is hashed.
const COLUMNS: [&str; 14] = [
    "position",
    "previous",
    "linked_at",
    "linked_by",
    "audit_log_id",
    "at",
    "actor",
    "actor_kind",
    "act",
    "object",
    "detail",
    "remote",
    "request_id",
    "hash",
];

/// Every entry that the filters leave, in the order of the page.
fn rows(format: Format, mut visit: Visit, which: Which, first: Keyset) -> HttpResponse {
    download(format, "audit-log", &COLUMNS, move |mut rows| async move {
        let mut page = first;
        loop {
            let entries = page_db::list(&mut visit.read, &which, &page, 1000).await?;
            let Some(last) = entries.last() else { break };
            page = page.after(last.sort_key.clone(), last.row.audit_log_id.to_string());
            for Keyed { row: Shown { audit_log_id, entry, link }, .. } in entries {
                let of_link = |cell: fn(&chain::Link) -> Cell| link.as_ref().map_or(Cell::Nothing, cell);
                rows.push([
                    of_link(|link| link.position.into()),
                    of_link(|link| format::hex(&link.previous).into()),
                    of_link(|link| link.linked_at.clone().into()),
                    of_link(|link| link.linked_by.clone().into()),
                    audit_log_id.into(),
                    entry.at.into(),
                    entry.actor.into(),
                    entry.actor_kind.into(),
                    entry.act.into(),
                    entry.object.into(),
                    Cell::Json(entry.detail),
                    entry.remote.into(),
                    entry.request_id.into(),
                    of_link(|link| format::hex(&link.hash).into()),
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
    fn what_an_address_asks_for_is_understood_or_refused() {
        let of = |query| which(&Address::parse("/audit-log", query));
        assert!(of("").is_ok_and(|which| which.all()));
        let day = of("from=2026-11-30&to=2026-11-30").expect("days");
        assert_eq!(day.before.zip(day.from).map(|(before, from)| (before - from).whole_hours()), Some(24));
        for wrong in ["kind=sunny", "from=x", "to=2026-13-01", "sort=x&severity=high", "actor=%00"] {
            assert!(matches!(of(wrong), Err(Error::Invalid(_))), "{wrong}");
        }
    }

    #[test]
    fn before_and_after_are_told_side_by_side() {
        let detail = Detail::of(r#"{"before": {"a": 1, "gone": "x"}, "after": {"a": 2, "new": null}, "why": "<b>"}"#);
        let changed = |name: &str, before: &str, after: &str| (name.to_owned(), before.to_owned(), after.to_owned());
        assert_eq!(detail.changes, [changed("a", "1", "2"), changed("gone", "x", "–"), changed("new", "–", "–")]);
        assert_eq!(detail.facts, [("why".to_owned(), "<b>".to_owned())]);
        assert_eq!(detail.short(), "a: 1 → 2; gone: x → –; new: – → –; why: <b>");
        assert_eq!(Detail::of(r#"{"before": 1}"#).facts, [("before".to_owned(), "1".to_owned())]);
        assert_eq!(Detail::of(r#"{"before": "x", "after": 1}"#).changes, [changed("value", "x", "1")]);
        assert_eq!(Detail::of(&format!("{{\"long\": \"{}\"}}", "ü".repeat(500))).short().chars().count(), SHORT);
    }
}
