//! Where reading Artifact stands: what failed or was left out, the job under way, and "Read now".

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use time::OffsetDateTime;

use super::db::{self, ReadingRow};
use super::job::{Asked, enqueue};
use crate::State;
use crate::audit_log;
use crate::error::Error;
use crate::jobs;
use crate::people::{Maker, acted};
use crate::web::parts::html_safe;
use crate::web::{Section, Visit, filters};

/// Where it stands, for the pages of reports and agreements.
#[derive(Debug, Clone, Template)]
#[template(path = "artifact/standing.html")]
pub(super) struct Standing {
    /// When the last try failed, and why.
    failed: Option<(OffsetDateTime, String)>,
    /// What the last reading left out.
    problems: Vec<String>,
    /// The job that reads now or next, with its address.
    job: Option<(i64, String)>,
    /// Where to ask for a reading; `None` where this person may not, or the program is not set up to.
    ask: Option<String>,
}

html_safe!(Standing);

impl Standing {
    /// Asks the store for the job; `reading` is the newest of the reports, where the page is about them.
    pub(super) async fn load(state: &State, visit: &mut Visit, reading: Option<&ReadingRow>) -> Result<Self, Error> {
        let may_ask = state.duties.syncing.is_some() && visit.user.role.makes_packs();
        let job_id = if may_ask { db::unfinished_job(&mut visit.read).await? } else { None };
        let frame = visit.frame(Section::Artifact, "");
        Ok(Self {
            failed: reading.and_then(|reading| Some((reading.read_at, reading.failure.clone()?))),
            problems: reading.map(|reading| reading.problems.clone()).unwrap_or_default(),
            job: job_id.map(|job_id| (job_id, frame.href(&format!("/jobs/{job_id}")))),
            ask: may_ask.then(|| frame.href("/artifact/sync")),
        })
    }
}

/// Puts a reading into the queue, unless one is there.
pub(super) async fn sync_now(
    request: HttpRequest,
    state: web::Data<State>,
    Maker(user): Maker,
) -> Result<HttpResponse, Error> {
    let Some(syncing) = &state.duties.syncing else {
        return Err(Error::Conflict(
            "This installation does not read Artifact by itself: start it with --artifact-every, or run “auditfolio \
             artifact sync”."
                .to_owned(),
        ));
    };
    let asked = Asked { organization: syncing.organization.clone(), by: user.identity.clone(), demo: user.demo };
    let mut tx = state.db.begin().await?;
    let (job_id, new) = enqueue(&mut tx, &asked).await?;
    if new {
        let entry = acted(&user, &request, "ask for sync from Artifact", format!("job {job_id}"));
        audit_log::record(&mut tx, &entry).await?;
    }
    tx.commit().await?;
    jobs::wake();
    Ok(HttpResponse::SeeOther().insert_header((LOCATION, format!("/jobs/{job_id}"))).finish())
}
