//! A rule in an account and Region: both sides of its result, what fails, and AWS's notes beside it.

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use time::Date;

use super::Asked;
use super::db::{self, Failing, FailingRow, Named, ORDERS, Subject};
use crate::State;
use crate::audit_log;
use crate::compliance::DeliveryState;
use crate::error::Error;
use crate::jobs;
use crate::people::{Maker, acted};
use crate::reconcile::page_db::{self, OneRow};
use crate::web::address::Encoded;
use crate::web::download::{Format, download};
use crate::web::keyset::{Keyed, Keyset};
use crate::web::parts::{self, Provenance};
use crate::web::table::{self, Column, PAGE_ROWS, PLACE_KEYS, Place, Sort, Table, text};
use crate::web::{Access, Address, Endpoint, Frame, Page, Section, View, filters, format};

pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/results", Access::Team, || web::get().to(show)),
        Endpoint::post("/results/notes", Access::Makers, || web::post().to(fetch)),
    ]
}

/// Rows read from the store at a time.
const BATCH: i64 = 5_000;

const COLUMNS: [Column; 4] = [
    text("Resource").by("resource"),
    text("Fails here since").by("since"),
    text("AWS’s note"),
    text("AWS recorded it"),
];

const DOWNLOAD: [&str; 12] = [
    "day",
    "account_id",
    "region",
    "rule_name",
    "resource_type",
    "resource_id",
    "fails_here_since",
    "named_by_aws",
    "note",
    "recorded_at",
    "rule_invoked_at",
    "fetched_at",
];

#[derive(Template)]
#[template(path = "reconcile/result.html")]
struct ResultPage {
    frame: Frame,
    account_id: String,
    account_name: String,
    region: String,
    rule: String,
    account_href: String,
    rule_href: Option<String>,
    as_of: Date,
    lead: String,
    compared: Option<OneRow>,
    subject: Subject,
    /// Whether this person may have the notes fetched, by this program.
    may_fetch: bool,
    rows: Vec<Line>,
    table: Table,
    there_only: i64,
    provenance: Provenance,
}

struct Line {
    row: FailingRow,
    href: String,
}

/// What the address must name.
fn asked<'a>(address: &'a Address, name: &str) -> Result<&'a str, Error> {
    address.get(name).filter(|text| !text.contains('\0')).ok_or(Error::NotFound)
}

async fn show(state: web::Data<State>, mut view: View) -> Result<HttpResponse, Error> {
    view.address.only(&[&["account", "region", "rule"], &PLACE_KEYS])?;
    let address = view.address.clone();
    let (account_id, region) = (asked(&address, "account")?, asked(&address, "region")?);
    view.require(account_id)?;
    let rule = asked(&address, "rule")?;
    let named = Named { organization_id: view.organization_id, account_id, region, rule };
    let subject = db::subject(&mut view.read, named, view.as_of).await?;
    let compared = page_db::one(&mut view.read, view.organization_id, (account_id, region), rule).await?;
    if compared.is_none() && (subject.place_id.is_none() || subject.rule_id.is_none()) {
        return Err(Error::NotFound);
    }
    let failing = Failing {
        // What was last known to fail is not of the day.
        place_id: subject.place_id.filter(|_| subject.known),
        rule_id: subject.rule_id,
        day: view.as_of,
        note_reading_id: subject.note_reading_id,
    };
    let sort = Sort::of(&address, &COLUMNS, Sort::up("resource"));
    if let Some(format) = Format::of(&address)? {
        let first = Keyset::of(&ORDERS, sort, &Place::First, true)?;
        return Ok(rows(format, view, subject.fetched_at, (failing, first)));
    }
    let place = Place::of(&address, 2)?;
    let keyset = Keyset::of(&ORDERS, sort, &place, true)?;
    let mut found = db::failing(&mut view.read, failing, &keyset, PAGE_ROWS + 1).await?;
    let more = table::cut(&mut found, &place);
    let (here, there_only) = db::count(&mut view.read, failing).await?;
    let key = |row: Option<&Keyed<FailingRow>>| row.map(|keyed| keyed.key(&id(&keyed.row)));
    let table = Table::whole("failing", "Resources that fail", &COLUMNS, &address, found.len())
        .sorted(sort)
        .with_formats()
        .paged(&place, key(found.first()), key(found.last()), more, here + there_only);
    let frame = view.frame(Section::Rules, format!("{rule} in {account_id} {region}")).crumb("Rules", "/rules");
    let frame = match &subject.core_name {
        Some(core_name) => frame.crumb(core_name.clone(), &format!("/rules/{}", Encoded(core_name))),
        None => frame,
    };
    let page = ResultPage {
        lead: lead(&view, &subject, here),
        may_fetch: state.duties.collecting.is_some() && view.user.role.makes_packs(),
        account_href: frame.href(&format!("/accounts/{}", Encoded(account_id))),
        rule_href: subject.core_name.as_deref().map(|core| frame.href(&format!("/rules/{}", Encoded(core)))),
        rows: lines(&frame, (account_id, region), found),
        table,
        there_only,
        as_of: view.as_of,
        account_id: account_id.to_owned(),
        account_name: subject.account_name.clone(),
        region: region.to_owned(),
        rule: rule.to_owned(),
        provenance: provenance(),
        compared,
        subject,
        frame,
    };
    Ok(Page(page).answer(StatusCode::OK))
}

fn id(row: &FailingRow) -> String {
    format!("{}/{}", row.resource_type, row.resource_id)
}

fn lines(frame: &Frame, (account_id, region): (&str, &str), found: Vec<Keyed<FailingRow>>) -> Vec<Line> {
    let href = |row: &FailingRow| {
        let address = Address::new("/resources").with("account", account_id).with("region", region);
        frame.href(&address.with("type", &row.resource_type).with("id", &row.resource_id).to_string())
    };
    found.into_iter().map(|keyed| Line { href: href(&keyed.row), row: keyed.row }).collect()
}

fn lead(view: &View, subject: &Subject, here: i64) -> String {
    let day = format::day(view.as_of);
    if !subject.known {
        let state = subject.state.as_deref().and_then(DeliveryState::parse).unwrap_or(DeliveryState::Missing);
        return format!(
            "Unknown as of {day} (UTC): no evidence from this account and Region for the day ({}).",
            state.word()
        );
    }
    let fail = if here == 1 { "fails" } else { "fail" };
    format!("{} {fail} under this rule in this account and Region as of {day} (UTC).", format::plural(here, "resource"))
}

fn provenance() -> Provenance {
    Provenance::default()
        .line("What fails here", "The evaluations of the day, as everywhere in the portal.")
        .line("AWS’s notes", "What AWS Config’s GetAggregateComplianceDetailsByConfigRule (or, without an aggregator, the account’s GetComplianceDetailsByConfigRule) told when somebody asked: the rule’s own words, up to 256 characters. They are as of when they were fetched and no part of the evidence.")
}

/// All of them as CSV or JSON, in the order of the page.
fn rows(
    format: Format,
    mut view: View,
    fetched_at: Option<time::OffsetDateTime>,
    (failing, first): (Failing, Keyset),
) -> HttpResponse {
    let of = |name: &str| view.address.get(name).unwrap_or_default().to_owned();
    let (account_id, region, rule) = (of("account"), of("region"), of("rule"));
    download(format, &view.stem("failing"), &DOWNLOAD, move |mut to| async move {
        let mut page = first;
        loop {
            let found = db::failing(&mut view.read, failing, &page, BATCH).await?;
            let Some(last) = found.last() else { return Ok(to) };
            page = page.after(last.sort_key.clone(), id(&last.row));
            for Keyed { row, .. } in found {
                to.push([
                    view.as_of.into(),
                    account_id.as_str().into(),
                    region.as_str().into(),
                    rule.as_str().into(),
                    row.resource_type.into(),
                    row.resource_id.into(),
                    row.since.into(),
                    failing.note_reading_id.map(|_| row.noted).into(),
                    row.annotation.into(),
                    row.recorded_at.into(),
                    row.invoked_at.into(),
                    fetched_at.into(),
                ])
                .await?;
            }
        }
    })
}

/// The account, Region and rule that a form names.
fn of_form(fields: &[(String, String)]) -> Result<(String, String, String), Error> {
    let field = |name: &str| {
        let found = fields.iter().find(|(field, text)| field == name && !text.contains('\0'));
        found.map(|(_, text)| text.clone()).ok_or(Error::NotFound)
    };
    Ok((field("account")?, field("region")?, field("rule")?))
}

async fn fetch(
    request: HttpRequest,
    state: web::Data<State>,
    Maker(user): Maker,
    mut view: View,
    fields: web::Form<Vec<(String, String)>>,
) -> Result<HttpResponse, Error> {
    let Some(collecting) = &state.duties.collecting else {
        return Err(Error::Conflict(
            "This installation is not told how to reach AWS: start it with --collect-from, and with --aggregator or \
             --aws-member-role."
                .to_owned(),
        ));
    };
    let (account_id, region, rule) = of_form(&fields)?;
    view.require(&account_id)?;
    let organization_id = view.organization_id;
    let named = Named { organization_id, account_id: &account_id, region: &region, rule: &rule };
    let subject = db::subject(&mut view.read, named, view.as_of).await?;
    let compared = page_db::one(&mut view.read, organization_id, (&account_id, &region), &rule).await?;
    if compared.is_none() && (subject.place_id.is_none() || subject.rule_id.is_none()) {
        return Err(Error::NotFound);
    }
    let mut tx = state.db.begin().await?;
    let job_id = if let Some(job_id) = db::waiting(&mut tx, named).await? {
        job_id
    } else {
        let detail = serde_json::json!({ "account": account_id, "region": region, "rule": rule });
        let organization = collecting.organization.clone();
        let (by, demo) = (user.identity.clone(), user.demo);
        let asked = Asked { organization, organization_id, account_id, region, rule, by, demo };
        let payload = serde_json::to_value(&asked).map_err(anyhow::Error::from)?;
        let job_id = jobs::enqueue(&mut tx, jobs::Kind::Notes, &payload, &user.identity).await?;
        let entry = acted(&user, &request, "ask for notes", format!("job {job_id}")).detail(detail);
        audit_log::record(&mut tx, &entry).await?;
        job_id
    };
    tx.commit().await?;
    jobs::wake();
    Ok(HttpResponse::SeeOther().insert_header((LOCATION, format!("/jobs/{job_id}"))).finish())
}
