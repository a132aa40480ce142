//! "Connect AWS": what the installation must be allowed, and what came of trying it.

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, LOCATION};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::check::{Outcome, summary};
use super::command::pretty;
use super::db::{self, Check};
use super::job::Asked;
use super::permissions::{Holder, permissions};
use super::setup::{Names, Setup};
use super::{cloudformation, policy};
use crate::State;
use crate::audit_log;
use crate::collection::athena::table_statement;
use crate::error::Error;
use crate::jobs;
use crate::people::{Maker, acted};
use crate::web::parts::{Empty, Provenance};
use crate::web::{Access, Endpoint, Frame, Page, Section, Visit, filters};

pub fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/connect", Access::Makers, || web::get().to(show)),
        Endpoint::post("/connect/check", Access::Makers, || web::post().to(ask)),
        Endpoint::get("/connect/{name}", Access::Makers, || web::get().to(file)),
    ]
}

impl Outcome {
    /// Shape and class of its mark.
    fn mark(self) -> (&'static str, &'static str) {
        match self {
            Self::Works => ("●", "mark mark--compliant"),
            Self::Missing | Self::Failed => ("▲", "mark mark--strong"),
            Self::NotTried => ("?", "mark mark--unrecognised"),
            Self::NotNeeded => ("–", "mark"),
        }
    }
}

/// What a person can copy or download.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Document {
    title: String,
    /// The last part of its address.
    name: String,
    /// What to do with it.
    hint: &'static str,
    media_type: &'static str,
    /// `Err`: why it cannot be made.
    text: Result<String, String>,
}

/// Everything that the settings call for, in the order in which it is set up.
fn documents(setup: &Setup) -> Vec<Document> {
    let names = Names::known(setup);
    let needed: Vec<Holder> =
        permissions(setup, &names).iter().filter(|it| it.needed.is_ok()).map(|permission| permission.holder).collect();
    Holder::ALL
        .into_iter()
        .filter(|holder| *holder == Holder::Portal || needed.contains(holder))
        .flat_map(|holder| {
            let template = Document {
                title: format!("{}: template", holder.title()),
                name: format!("template-{}.json", holder.word()),
                hint: template_hint(holder),
                media_type: JSON,
                text: cloudformation::template(setup, holder).map(|value| pretty(&value)),
            };
            let policy = needed.contains(&holder).then(|| Document {
                title: format!("{}: policy", holder.title()),
                name: format!("policy-{}.json", holder.word()),
                hint: "For a role that is there already: what it must be allowed, and nothing more.",
                media_type: JSON,
                text: setup
                    .check()
                    .map(|()| policy::policy(setup, &names, holder).map(|value| pretty(&value)).unwrap_or_default()),
            });
            [Some(template), policy].into_iter().flatten()
        })
        .chain([table(setup)])
        .collect()
}

const JSON: &str = "application/json";

/// The statement that makes the table which Athena is asked about.
fn table(setup: &Setup) -> Document {
    let why = "Athena reads a bucket in S3, and --collect-from names a folder: set it to s3://BUCKET/PREFIX";
    let text = match setup.bucket() {
        None => Err(why.to_owned()),
        Some(_) => table_statement(&setup.from, &setup.athena, &setup.regions),
    };
    Document {
        title: "Athena’s table of snapshots: statement (DDL)".to_owned(),
        name: "athena-table.sql".to_owned(),
        hint: if setup.athena_asked() {
            "Run it once in Athena, in the Region of the bucket; the database must be there. “auditfolio aws ddl --create” \
             runs it with the settings of this program."
        } else {
            "Not needed now: --collect-engine is files. To let Athena read the snapshots, run this once in Athena and set \
             --collect-engine athena."
        },
        media_type: "application/sql",
        text,
    }
}

fn template_hint(holder: Holder) -> &'static str {
    match holder {
        Holder::Portal => {
            "A CloudFormation stack in the account where Auditfolio runs makes the role. Where another account owns the \
             bucket or its key, the stack’s outputs are the statements for their policies."
        }
        Holder::Archive => "A CloudFormation stack in the account of the delivery bucket makes the role.",
        Holder::Organization => "A CloudFormation stack in the account that may read Organizations makes the role.",
        Holder::Aggregator => "A CloudFormation stack in the account of the aggregator makes the role.",
        Holder::Member => {
            "A CloudFormation stack set for the whole organisation makes the role in each member account."
        }
    }
}

/// What the page shows of an installation that collects from somewhere.
#[derive(Debug, Clone)]
struct Connected {
    settings: Vec<(String, String)>,
    documents: Vec<Document>,
    check: Option<Check>,
    /// Whether the test was of other settings than these.
    of_others: bool,
    /// The self-test that is queued or running.
    job_id: Option<i64>,
}

#[derive(Template)]
#[template(path = "connect/show.html")]
struct ShowPage {
    frame: Frame,
    connected: Option<Connected>,
    provenance: Provenance,
}

impl ShowPage {
    fn lead(&self) -> String {
        match &self.connected {
            None => "This installation is not told where to collect from.".to_owned(),
            Some(Connected { check: None, .. }) => "Nothing has been tried yet.".to_owned(),
            Some(Connected { check: Some(check), .. }) => summary(&check.results),
        }
    }
}

async fn show(state: web::Data<State>, Maker(_): Maker, mut visit: Visit) -> Result<HttpResponse, Error> {
    visit.address.only(&[])?;
    let connected = match (&state.duties.setup, &state.duties.collecting) {
        (Some(setup), Some(collecting)) => {
            let check = db::newest(&mut *visit.read, &collecting.organization).await?;
            let settings = setup.words();
            Some(Connected {
                of_others: check.as_ref().is_some_and(|check| check.settings.0 != settings),
                settings,
                documents: documents(setup),
                check,
                job_id: db::unfinished(&mut *visit.read, &collecting.organization).await?,
            })
        }
        _ => None,
    };
    let frame = visit.frame(Section::Collections, "Connect AWS").crumb("Collections", "/collections");
    let refresh = connected.as_ref().and_then(|connected| connected.job_id).map(|_| 2);
    Ok(Page(ShowPage { frame, connected, provenance: provenance() }).refreshed_after(refresh))
}

fn provenance() -> Provenance {
    Provenance::default()
        .line(
            "The test",
            "A job makes one call for each permission, with the settings and the credentials that collections use. All calls \
             read; where Athena is asked, it describes the table, which costs nothing. This page shows what the job wrote down.",
        )
        .line("Missing", "As AWS names it in its refusal; where AWS does not say, the action that was tried.")
        .line("The documents", "Made from the settings of the program that serves this page. No secret is in them.")
}

/// One of the documents, as a file.
async fn file(state: web::Data<State>, Maker(_): Maker, name: web::Path<String>) -> Result<HttpResponse, Error> {
    let setup = state.duties.setup.as_ref().ok_or(Error::NotFound)?;
    let found = documents(setup).into_iter().find(|document| document.name == *name).ok_or(Error::NotFound)?;
    let text = found.text.map_err(Error::Conflict)?;
    Ok(HttpResponse::build(StatusCode::OK)
        .insert_header((CONTENT_TYPE, found.media_type))
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"auditfolio-{}\"", found.name)))
        .body(text.trim_end().to_owned() + "\n"))
}

/// Puts a self-test into the queue, unless one is there.
async fn ask(request: HttpRequest, state: web::Data<State>, Maker(user): Maker) -> Result<HttpResponse, Error> {
    let (Some(_), Some(collecting)) = (&state.duties.setup, &state.duties.collecting) else {
        return Err(Error::Conflict(
            "This installation is not told where to collect from: start it with --collect-from, or run “auditfolio aws \
             check”."
                .to_owned(),
        ));
    };
    let asked = Asked { organization: collecting.organization.clone(), by: user.identity.clone(), demo: user.demo };
    let payload = serde_json::to_value(&asked).map_err(anyhow::Error::from)?;
    let mut tx = state.db.begin().await?;
    let job_id = if let Some(job_id) = db::unfinished(&mut *tx, &asked.organization).await? {
        job_id
    } else {
        let job_id = jobs::enqueue(&mut tx, jobs::Kind::Check, &payload, &user.identity).await?;
        let entry = acted(&user, &request, "ask for test of permissions", format!("job {job_id}"));
        audit_log::record(&mut tx, &entry).await?;
        job_id
    };
    tx.commit().await?;
    jobs::wake();
    Ok(HttpResponse::SeeOther().insert_header((LOCATION, format!("/jobs/{job_id}"))).finish())
}
