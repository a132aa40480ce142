//! Fetching terms and reports as jobs: a page asks, the worker calls AWS.

use anyhow::{Context as _, bail, ensure};
use serde::{Deserialize, Serialize};

use super::content::{LARGEST_BYTES, MediaType};
use super::db::{self, NewFile};
use crate::State;
use crate::artifact::Syncing;
use crate::audit_log::{self, Entry};
use crate::aws::Clients;
use crate::jobs::{self, Job};
use crate::web::format;

/// What is fetched, and for whom; the payload of a job of kind document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::artifact) struct Asked {
    /// The organisation's name.
    pub(in crate::artifact) organization: String,
    #[serde(rename = "created_by")]
    pub(in crate::artifact) by: String,
    /// Whether `by` is a demo identity.
    pub(in crate::artifact) demo: bool,
    #[serde(flatten)]
    pub(in crate::artifact) what: What,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "what")]
pub(in crate::artifact) enum What {
    /// The terms of a version, to be read.
    Terms { organization_id: i16, report_id: String, version: i64 },
    /// The report whose terms were accepted.
    Report { terms_id: i64 },
}

/// Carries out a job of kind document; see [`jobs`].
pub async fn carry_out(state: State, job: Job) -> anyhow::Result<()> {
    let syncing = state.duties.syncing.as_ref().context("this program is not set up to read Artifact")?;
    let asked: Asked = serde_json::from_value(job.payload.clone()).context("reading what is asked for")?;
    ensure!(
        asked.organization == syncing.organization,
        "it is asked for “{}”, and this program reads Artifact for “{}”",
        asked.organization,
        syncing.organization
    );
    match &asked.what {
        What::Terms { organization_id, report_id, version } => {
            terms(&state, syncing, &job, &asked, (*organization_id, report_id, *version)).await
        }
        What::Report { terms_id } => report(&state, syncing, &job, &asked, *terms_id).await,
    }
}

async fn clients(syncing: &Syncing) -> anyhow::Result<Clients> {
    let clients = Clients::load(&syncing.aws).await.map_err(anyhow::Error::msg)?;
    Ok(clients.in_region(&syncing.settings.artifact_region))
}

async fn terms(
    state: &State,
    syncing: &Syncing,
    job: &Job,
    asked: &Asked,
    (organization_id, report_id, version): (i16, &str, i64),
) -> anyhow::Result<()> {
    let clients = clients(syncing).await?;
    let terms = clients.artifact().terms(report_id, version).await.map_err(|failure| words(&failure))?;
    let subject = format!("the terms of {report_id} version {version}");
    let bytes = fetch(&clients, &terms.address, ("artifact:GetTermForReport", &subject)).await?;
    let media_type = MediaType::of(&bytes).map_err(|why| anyhow::anyhow!("{subject} are no document: {why}"))?;
    let mut tx = state.db.begin().await?;
    let document_id = db::store(&mut tx, organization_id, media_type.word(), &bytes).await?;
    let of = (report_id, version);
    let terms_id = db::insert_terms(&mut tx, organization_id, of, document_id, (&asked.by, &terms.token)).await?;
    let detail = serde_json::json!({ "report": report_id, "version": version, "asked_by": asked.by,
                                     "sha256": sha256(&bytes), "bytes": bytes.len() });
    let entry = by(asked, "fetch terms of report", format!("terms {terms_id}")).detail(detail);
    audit_log::record(&mut tx, &entry).await?;
    finish(tx, job, &format!("/artifact/terms/{terms_id}")).await
}

async fn report(state: &State, syncing: &Syncing, job: &Job, asked: &Asked, terms_id: i64) -> anyhow::Result<()> {
    let mut connection = state.db.acquire().await?;
    let terms = db::terms(&mut connection, terms_id).await?.context("there are no such terms")?;
    drop(connection);
    let clients = clients(syncing).await?;
    // Committed before the call: whatever comes of it, the token is never used again.
    let Some(token) = db::take_token(&state.db, terms_id).await? else {
        bail!("the terms’ token is used: ask for the terms again, read them and accept them")
    };
    let (report_id, version) = (terms.report_id.as_str(), terms.version);
    let address = clients.artifact().report(report_id, version, &token).await.map_err(|failure| words(&failure))?;
    let subject = format!("{report_id} version {version}");
    let bytes = fetch(&clients, &address, ("artifact:GetReport", &subject)).await?;
    let media_type = MediaType::of(&bytes).map_err(|why| anyhow::anyhow!("{subject} is no report: {why}"))?;
    let mut tx = state.db.begin().await?;
    let document_id = db::store(&mut tx, terms.organization_id, media_type.word(), &bytes).await?;
    let source = format!("AWS Artifact in {}", syncing.settings.artifact_region);
    let new = NewFile {
        organization_id: terms.organization_id,
        report_id,
        version,
        document_id,
        terms_id: Some(terms_id),
        source: &source,
        stored_by: &asked.by,
    };
    let file_id = db::insert_file(&mut tx, &new).await?;
    let detail = serde_json::json!({ "report": report_id, "version": version, "accepted_by": terms.accepted_by,
                                     "terms_sha256": format::hex(&terms.sha256), "sha256": sha256(&bytes),
                                     "bytes": bytes.len() });
    let entry = by(asked, "fetch report", format!("file {file_id}")).detail(detail);
    audit_log::record(&mut tx, &entry).await?;
    finish(tx, job, &format!("/artifact/reports/{report_id}/versions/{version}")).await
}

async fn finish(mut tx: sqlx::Transaction<'_, sqlx::Postgres>, job: &Job, result: &str) -> anyhow::Result<()> {
    ensure!(jobs::finish(&mut tx, job.claim, result).await?, "another worker has taken the job up");
    tx.commit().await?;
    Ok(())
}

async fn fetch(clients: &Clients, address: &str, of: (&'static str, &str)) -> anyhow::Result<Vec<u8>> {
    clients.fetch(address, LARGEST_BYTES, of).await.map_err(|failure| words(&failure))
}

fn words(failure: &crate::aws::Failure) -> anyhow::Error {
    anyhow::anyhow!("{}", failure.explained())
}

fn sha256(bytes: &[u8]) -> String {
    format::hex(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref())
}

fn by(asked: &Asked, act: &'static str, object: String) -> Entry {
    if asked.demo { Entry::by_demo(asked.by.clone(), act, object) } else { Entry::by_system(act, object) }
}
