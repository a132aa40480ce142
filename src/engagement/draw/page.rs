//! The pages of samples: in the room where they are drawn, and for the team once an auditor shows them or the room closes.

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde_json::json;

use super::core::{Strata, script};
use super::db::{self, RowDrawn, Sample};
use super::form::{DrawForm, STATUSES};
use super::job::{Wanted, file};
use crate::State;
use crate::audit_log;
use crate::engagement::core::Moment;
use crate::engagement::db as engagements;
use crate::engagement::page::{found, object};
use crate::error::Error;
use crate::jobs::{self, Kind};
use crate::people::acted;
use crate::web::download::Format;
use crate::web::form::Problems;
use crate::web::list::{Field, List};
use crate::web::table::Table;
use crate::web::{Access, Endpoint, Frame, Page, Section, Visit, filters, format};

pub(in crate::engagement) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/room/samples", Access::Rooms, || web::get().to(list)),
        Endpoint::post("/room/samples", Access::Rooms, || web::post().to(ask)),
        Endpoint::get("/room/samples/{sample_id}", Access::Rooms, || web::get().to(show)),
        Endpoint::get("/room/samples/{sample_id}/population.jsonl", Access::Rooms, || web::get().to(population)),
        Endpoint::post("/room/publish", Access::Rooms, || web::post().to(publish)),
        Endpoint::get("/engagements/{engagement_id}/samples/{sample_id}", Access::Team, || web::get().to(show_team)),
    ]
}

/// Rows of a sample on a page.
const ROWS: usize = 100;

/// The room of an auditor's request.
fn room(visit: &Visit) -> Result<i64, Error> {
    visit.room.as_ref().map(crate::engagement::Room::engagement_id).ok_or(Error::NotFound)
}

#[derive(Template)]
#[template(path = "engagement/samples.html")]
struct ListPage {
    frame: Frame,
    samples: Vec<Sample>,
    form: DrawForm,
    problems: Problems,
    statuses: [&'static str; 4],
    strata: [Strata; 4],
    days: Option<(time::Date, time::Date)>,
    published: bool,
}

async fn list(mut visit: Visit) -> Result<HttpResponse, Error> {
    visit.address.only(&[])?;
    let form = DrawForm {
        as_of: visit.days.map(|days| days.as_of.to_string()).unwrap_or_default(),
        size: "25".to_owned(),
        strata: Strata::None.word().to_owned(),
        ..DrawForm::default()
    };
    page(&mut visit, form, Problems::default()).await
}

async fn page(visit: &mut Visit, form: DrawForm, problems: Problems) -> Result<HttpResponse, Error> {
    let engagement_id = room(visit)?;
    let samples = db::of_engagement(&mut *visit.read, engagement_id).await?;
    let published = db::is_published(&mut *visit.read, engagement_id).await?;
    let (title, status) = if problems.is_empty() {
        ("Samples", StatusCode::OK)
    } else {
        ("Error: Samples", StatusCode::UNPROCESSABLE_ENTITY)
    };
    let frame = Frame { whole: true, ..visit.frame(Section::Room, title).crumb("Room", "/room") };
    let days = visit.days.map(|days| (days.first, days.latest));
    let page = ListPage { frame, samples, form, problems, statuses: STATUSES, strata: Strata::ALL, days, published };
    Ok(Page(page).answer(status))
}

async fn ask(
    request: HttpRequest,
    state: web::Data<State>,
    mut visit: Visit,
    fields: web::Form<Vec<(String, String)>>,
) -> Result<HttpResponse, Error> {
    let room = visit.room.clone().ok_or(Error::NotFound)?;
    let organization = visit.organization.clone().ok_or(Error::NotFound)?;
    let days = visit.days.ok_or_else(|| visit.without_days())?;
    let form = DrawForm::of(&fields);
    let rules = engagements::core_names(&mut *visit.read, organization.id).await?;
    let asked = match form.parse((days.first, days.latest), &rules) {
        Ok(asked) => asked,
        Err(problems) => return page(&mut visit, form, problems).await,
    };
    let user = visit.user.clone();
    let mut tx = state.db.begin().await?;
    let number = db::next_number(&mut *tx).await?;
    let payload = serde_json::to_value(Wanted { sample: number }).map_err(anyhow::Error::from)?;
    let job_id = jobs::enqueue(&mut tx, Kind::Sample, &payload, &user.identity).await?;
    let of = (room.engagement_id(), room.terms().record);
    db::ask(&mut tx, (number, job_id), of, &asked, &user.identity).await?;
    let detail = json!({
        "engagement": room.engagement_id(), "sample": number, "as_of": asked.as_of.to_string(), "rule": asked.core_name, "status": asked.status,
        "size": asked.size, "seed": asked.seed, "strata": asked.strata.word(), "purpose": asked.purpose,
    });
    let entry = acted(&user, &request, "ask for sample", object(room.engagement_id())).detail(detail);
    audit_log::record(&mut tx, &entry).await?;
    tx.commit().await?;
    jobs::wake();
    let location = format!("/room/samples/{number}");
    Ok(HttpResponse::SeeOther().insert_header((LOCATION, location)).finish())
}

#[derive(Template)]
#[template(path = "engagement/sample.html")]
struct ShowPage {
    frame: Frame,
    sample: Sample,
    strata: Strata,
    sha256: String,
    /// What its job says, while it is not drawn.
    state: String,
    done: String,
    failure: Option<String>,
    rows: Vec<RowDrawn>,
    taken: usize,
    table: Table,
    script: String,
    /// Empty where the reader is the team, which has no such file.
    population_href: String,
}

fn drawn() -> List<RowDrawn> {
    let fields = vec![
        Field::number("No.", "ordinal", |row: &RowDrawn| row.ordinal.into()),
        Field::text("Account", "account_id", |row| row.account_id.as_str().into()),
        Field::text("Region", "region", |row| row.region.as_str().into()),
        Field::text("Rule", "rule", |row| row.rule_name.as_str().into()),
        Field::text("Resource", "resource_id", |row| row.resource_id.as_str().into()),
        Field::unseen("resource_type", |row| row.resource_type.as_str().into()),
        Field::text("AWS Config result", "status", |row| row.status.as_str().into()),
        Field::unseen("stratum", |row| row.stratum.as_str().into()),
        Field::unseen("digest", |row| format::hex(&row.digest).into()),
    ];
    List::new("rows", "sort", ROWS, fields)
}

async fn show(state: web::Data<State>, mut visit: Visit, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let engagement_id = room(&visit)?;
    let id: i64 = id.parse().map_err(|_not_a_number| Error::NotFound)?;
    let sample = db::find(&mut *visit.read, engagement_id, id).await?.ok_or(Error::NotFound)?;
    let rows = db::rows(&mut *visit.read, id).await?;
    let frame = visit.frame(Section::Room, format!("Sample {id}"));
    let frame = Frame { whole: true, ..frame }.crumb("Room", "/room").crumb("Samples", "/room/samples");
    one(&state, &visit, (sample, rows), (frame, format!("/room/samples/{id}/population.jsonl"))).await
}

/// The same for the team: once it was shown, or the room has closed.
async fn show_team(
    state: web::Data<State>,
    mut visit: Visit,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Error> {
    let (engagement_id, all) = found(&mut visit, &path.0).await?;
    let terms = all.last().ok_or(Error::NotFound)?;
    let id: i64 = path.1.parse().map_err(|_not_a_number| Error::NotFound)?;
    let shown =
        terms.moment(state.clock.now()) == Moment::Closed || db::is_published(&mut *visit.read, engagement_id).await?;
    if !shown {
        return Err(Error::Forbidden(
            "Auditors show their samples, or the room closes: until then they are the auditors’.",
        ));
    }
    let sample = db::find(&mut *visit.read, engagement_id, id).await?.ok_or(Error::NotFound)?;
    let rows = db::rows(&mut *visit.read, id).await?;
    let frame = visit
        .frame(Section::Engagements, format!("Sample {id}"))
        .crumb("Engagements", "/engagements")
        .crumb(terms.title.clone(), &format!("/engagements/{engagement_id}"));
    one(&state, &visit, (sample, rows), (frame, String::new())).await
}

async fn one(
    state: &State,
    visit: &Visit,
    (sample, rows): (Sample, Vec<RowDrawn>),
    (frame, population_href): (Frame, String),
) -> Result<HttpResponse, Error> {
    visit.address.only(&[&["rows", "sort", "format"]])?;
    if let Some(format) = Format::of(&visit.address)? {
        let stem = format!("sample-{}", sample.engagement_sample_id);
        return Ok(drawn().download(format, &stem, &visit.address, rows));
    }
    let strata = Strata::of(&sample.strata).unwrap_or(Strata::None);
    let job = jobs::find(&state.db, sample.job_id).await?;
    let size = usize::try_from(sample.size).unwrap_or_default();
    let taken = rows.len();
    let (rows, table) = drawn().table(&visit.address, "What was drawn, in its order", rows)?;
    let waiting = sample.drawn_at.is_none();
    let job_state = job.as_ref().map_or("gone", |job| job.state.as_str()).to_owned();
    let refresh = (waiting && matches!(job_state.as_str(), "queued" | "running")).then_some(2);
    let page = ShowPage {
        script: script(&sample.seed, size, strata),
        sha256: sample.population_sha256.as_deref().map(format::hex).unwrap_or_default(),
        state: job_state,
        done: job.as_ref().map(|job| format::count(job.progress_done)).unwrap_or_default(),
        failure: job.and_then(|job| job.failure),
        frame,
        sample,
        strata,
        rows,
        taken,
        table,
        population_href,
    };
    Ok(Page(page).refreshed_after(refresh))
}

/// The population as it was when the sample was drawn.
async fn population(state: web::Data<State>, mut visit: Visit, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let engagement_id = room(&visit)?;
    let id: i64 = id.parse().map_err(|_not_a_number| Error::NotFound)?;
    let sample = db::find(&mut *visit.read, engagement_id, id).await?.ok_or(Error::NotFound)?;
    let known_at =
        sample.known_at_collection.ok_or_else(|| Error::Conflict("The sample is not drawn yet.".to_owned()))?;
    Ok(file(state.get_ref().clone(), &sample, known_at))
}

/// Shows the team what was viewed and drawn.
async fn publish(request: HttpRequest, state: web::Data<State>, visit: Visit) -> Result<HttpResponse, Error> {
    let engagement_id = room(&visit)?;
    let mut tx = state.db.begin().await?;
    if db::publish(&mut tx, engagement_id, &visit.user.identity).await? {
        let entry = acted(&visit.user, &request, "publish samples and views", object(engagement_id));
        audit_log::record(&mut tx, &entry).await?;
    }
    tx.commit().await?;
    Ok(HttpResponse::SeeOther().insert_header((LOCATION, "/room/samples")).finish())
}

/// What the team's page of an engagement lists: nothing while the room is open and nobody has shown it.
pub(in crate::engagement) async fn shown(
    db: &mut sqlx::PgConnection,
    engagement_id: i64,
    moment: Moment,
) -> sqlx::Result<Option<Vec<(i64, String)>>> {
    if moment != Moment::Closed && !db::is_published(&mut *db, engagement_id).await? {
        return Ok(None);
    }
    let samples = db::of_engagement(db, engagement_id).await?;
    let line = |sample: Sample| {
        let words = format!("{} rows of {}: {}", sample.size, format::day(sample.as_of), sample.purpose);
        (sample.engagement_sample_id, words)
    };
    Ok(Some(samples.into_iter().map(line).collect()))
}
