//! One of AWS's reports: its versions, what was known of them and since when, and what kind it is.

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use time::OffsetDateTime;

use super::db::{self, KindRow, StepRow, Until};
use super::documents::db::{FileRow, Which, files};
use super::documents::page::version_path;
use super::documents::review_db::{ReviewRow, reviews};
use super::kind::Kind;
use super::notices;
use super::page::{about, provenance, report_path, versions};
use super::speaking::Version;
use super::told::is_report_id;
use crate::State;
use crate::audit_log;
use crate::error::Error;
use crate::people::{Maker, acted};
use crate::web::download::Format;
use crate::web::form::Problems;
use crate::web::list::{Field, List};
use crate::web::parts::Provenance;
use crate::web::table::Table;
use crate::web::{Frame, Page, Section, Visit, filters, format};

const ROWS: usize = 100;
const KEYS: [&str; 4] = ["changes", "changes-sort", "rows", "format"];

/// A change in what was known.
struct Step {
    version: i64,
    read_at: OffsetDateTime,
    source: String,
    words: String,
}

/// What the form holds.
#[derive(Debug, Default)]
struct Form {
    kind: String,
    reason: String,
}

#[derive(Template)]
#[template(path = "artifact/report.html")]
struct ReportPage {
    frame: Frame,
    report_id: String,
    newest: Version,
    versions: Vec<Version>,
    said: Option<KindRow>,
    steps: Vec<Step>,
    steps_table: Table,
    may_say: bool,
    form: Form,
    problems: Problems,
    action: String,
    provenance: Provenance,
    files: Vec<FileRow>,
    reviews: Vec<ReviewRow>,
}

impl ReportPage {
    fn document_words(&self, version: i64) -> String {
        let file = self.files.iter().find(|file| file.version == version);
        file.map_or_else(|| "not stored".to_owned(), |file| format!("stored {}", format::at(file.stored_at)))
    }

    fn review_words(&self, version: i64) -> String {
        let review = self.reviews.iter().find(|review| review.version == version);
        review.map_or_else(
            || "not reviewed".to_owned(),
            |review| format!("{}, {}", format::day(review.reviewed_on), review.reviewer),
        )
    }
}

pub(super) async fn show(
    state: web::Data<State>,
    mut visit: Visit,
    report_id: web::Path<String>,
) -> Result<HttpResponse, Error> {
    visit.address.only(&[&KEYS])?;
    page(&state, &mut visit, &report_id, Form::default(), Problems::default()).await
}

async fn page(
    state: &State,
    visit: &mut Visit,
    report_id: &str,
    form: Form,
    problems: Problems,
) -> Result<HttpResponse, Error> {
    let (organization_id, day) = about(state, visit)?;
    if !is_report_id(report_id) {
        return Err(Error::NotFound);
    }
    let mut all = versions(visit, organization_id, Some(report_id), day).await?;
    all.sort_by_key(|version| std::cmp::Reverse(version.version));
    let Some(newest) = all.first().cloned() else { return Err(Error::NotFound) };
    let steps = steps(&db::steps(&mut visit.read, organization_id, report_id, Until::end_of(day)).await?);
    if let Some(format) = Format::of(&visit.address)? {
        return Ok(step_list().download(format, &format!("{report_id}-history"), &visit.address, steps));
    }
    let said =
        db::kinds(&mut visit.read, organization_id, None).await?.into_iter().find(|said| said.report_id == report_id);
    let reading =
        db::readings(&mut visit.read, organization_id, "reports", Until::end_of(day)).await?.into_iter().next();
    let which = Which::Of { organization_id, report_id: Some(report_id), until: None };
    let files = files(&mut visit.read, which).await?;
    let reviews = reviews(&mut visit.read, organization_id, Some(report_id), None).await?;
    let (steps, steps_table) = step_list().table(&visit.address, "What was known of it, and since when", steps)?;
    let status = if problems.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let title = if problems.is_empty() { newest.name.clone() } else { format!("Error: {}", newest.name) };
    let frame = visit.frame(Section::Artifact, title).crumb("AWS’s reports", "/artifact");
    let page = ReportPage {
        action: frame.href(&format!("{}/kind", report_path(report_id))),
        report_id: report_id.to_owned(),
        versions: all,
        said,
        steps,
        steps_table: steps_table.as_of(day),
        may_say: visit.user.role.makes_packs(),
        form: if form.kind.is_empty() { Form { kind: newest.kind.slug().to_owned(), ..form } } else { form },
        newest,
        problems,
        provenance: provenance(reading.as_ref()),
        files,
        reviews,
        frame,
    };
    Ok(Page(page).answer(status))
}

fn steps(rows: &[StepRow]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let before = index.checked_sub(1).map(|before| &rows[before]).filter(|before| before.version == row.version);
        let words = match before {
            None => "first seen".to_owned(),
            Some(before) if before.listed && !row.listed => "no longer listed".to_owned(),
            Some(before) => {
                let changes = before.facts().changes(&row.facts());
                let changes: Vec<String> =
                    changes.into_iter().map(|(name, old, new)| format!("{name}: {old} → {new}")).collect();
                let again = if before.listed { "" } else { "listed again; " };
                format!(
                    "{again}{}",
                    if changes.is_empty() { "nothing else changed".to_owned() } else { changes.join("; ") }
                )
            }
        };
        steps.push(Step { version: row.version, read_at: row.read_at, source: row.source.clone(), words });
    }
    steps.reverse();
    steps
}

fn step_list() -> List<Step> {
    let fields = vec![
        Field::number("Version", "version", |step: &Step| step.version.into()),
        Field::text("Found on", "found_at", |step: &Step| step.read_at.into()).most_first(),
        Field::text("What changed", "changed", |step| step.words.clone().into()),
        Field::text("Read from", "source", |step| step.source.clone().into()),
    ];
    List::new("changes", "changes-sort", ROWS, fields)
}

/// Keeps what a person says a report is.
pub(super) async fn say_kind(
    request: HttpRequest,
    state: web::Data<State>,
    Maker(user): Maker,
    mut visit: Visit,
    report_id: web::Path<String>,
    fields: web::Form<Vec<(String, String)>>,
) -> Result<HttpResponse, Error> {
    let of = |name: &str| {
        fields
            .iter()
            .find(|(field, _)| field == name)
            .map(|(_, value)| value.trim().replace('\0', "\u{fffd}"))
            .unwrap_or_default()
    };
    let form = Form { kind: of("kind"), reason: of("reason") };
    let mut problems = Problems::default();
    let kind = Kind::of_slug(&form.kind);
    if kind.is_none() {
        problems.add("kind", "Choose one of the kinds.");
    }
    if form.reason.is_empty() || form.reason.chars().count() > 1000 {
        problems.add("reason", "Say why, in up to 1,000 characters.");
    }
    let Some(kind) = kind.filter(|_| problems.is_empty()) else {
        return page(&state, &mut visit, &report_id, form, problems).await;
    };
    let (organization_id, day) = about(&state, &visit)?;
    let all = versions(&mut visit, organization_id, Some(&report_id), day).await?;
    let Some(before) = all.first() else { return Err(Error::NotFound) };
    let mut tx = state.db.begin().await?;
    db::say_kind(&mut tx, organization_id, &report_id, kind, &form.reason, &user.identity).await?;
    let detail = serde_json::json!({
        "name": before.name, "before": before.kind.slug(), "after": kind.slug(), "reason": form.reason,
    });
    let entry = acted(&user, &request, "say kind of report", format!("report {report_id}")).detail(detail);
    audit_log::record(&mut tx, &entry).await?;
    let organization = visit.organization.as_ref().ok_or(Error::NothingCollected)?;
    notices::decide(&mut tx, &state, &organization.name).await?;
    tx.commit().await?;
    let location = visit.frame(Section::Artifact, "").href(&report_path(&report_id));
    Ok(HttpResponse::SeeOther().insert_header((LOCATION, location)).finish())
}
