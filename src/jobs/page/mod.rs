//! Jobs: the list, one job by plain refresh until its result is there, its cancellation and its retry.

mod db;
mod list;

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use time::OffsetDateTime;

use super::{Kind, Standing};
use crate::State;
use crate::audit_log;
use crate::error::Error;
use crate::people::{Maker, acted};
use crate::web::parts::Provenance;
use crate::web::{Access, Endpoint, Frame, Page, Section, Visit, filters, format};

pub fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/jobs", Access::Team, || web::get().to(list::list)),
        Endpoint::get("/jobs/{job_id}", Access::Team, || web::get().to(show)),
        Endpoint::post("/jobs/{job_id}/cancel", Access::Makers, || web::post().to(cancel)),
        Endpoint::post("/jobs/{job_id}/retry", Access::Makers, || web::post().to(retry)),
    ]
}

impl Standing {
    /// How far it has come, or what it is at before that can be counted.
    fn progress_words(&self, now: OffsetDateTime) -> String {
        let elapsed = now - self.started_at.unwrap_or(self.created_at);
        if self.progress_total == 0 && !self.progress_unit.is_empty() {
            return format!("{}, {} so far", self.progress_unit, format::duration(elapsed));
        }
        let unit = self.progress_unit.trim_end_matches('s');
        format::progress(self.progress_done, self.progress_total, unit, elapsed)
    }

    fn title(&self) -> &str {
        Kind::of(&self.kind).map_or(self.kind.as_str(), |kind| kind.title())
    }

    fn waits(&self) -> bool {
        matches!(self.state.as_str(), "queued" | "running")
    }

    /// "running, to be cancelled"; "queued, to be tried again".
    fn state_words(&self) -> String {
        match self.state.as_str() {
            "running" if self.cancel_asked_by.is_some() => "running, to be cancelled".to_owned(),
            "queued" if self.not_before.is_some() => "failed, to be tried again".to_owned(),
            state => state.to_owned(),
        }
    }

    /// Whether somebody may ask for its end.
    fn may_be_cancelled(&self) -> bool {
        self.waits() && self.cancel_asked_by.is_none()
    }

    fn may_be_retried(&self) -> bool {
        matches!(self.state.as_str(), "failed" | "cancelled") && self.retried_as.is_none()
    }

    /// The address of the result and what to call it. A collection has a page before it has ended.
    fn result_link(&self) -> Option<(String, &'static str)> {
        let address = self.result.as_deref()?;
        let result = crate::web::address::Encoded(address);
        match Kind::of(&self.kind)? {
            Kind::Pack => Some((format!("/packs/{result}"), "Open the pack")),
            Kind::Collect => Some((format!("/collections/{result}"), "Open the collection")),
            Kind::Digest => Some(("/notices".to_owned(), "Open the notices")),
            Kind::Check => Some(("/connect".to_owned(), "Open the results")),
            // The address of the page that shows what came of it.
            Kind::Document => Some((address.to_owned(), "Open it")),
            Kind::Notes => Some((address.to_owned(), "Open the notes")),
            Kind::Artifact => Some(("/artifact".to_owned(), "Open AWS’s reports")),
            Kind::Sample => Some((address.to_owned(), "Open the engagement")),
            Kind::Freeze => Some((address.to_owned(), "Open the request")),
            Kind::Retain => Some(("/collections#retention".to_owned(), "See what was removed")),
        }
    }

    /// What a failure or cancellation means for what is stored.
    fn unfinished_words(&self) -> &'static str {
        match Kind::of(&self.kind) {
            Some(Kind::Pack) => "No pack was issued.",
            Some(Kind::Sample) => "Nothing was drawn.",
            Some(Kind::Freeze) => "The view is not frozen, and cannot be had.",
            Some(Kind::Collect) => "What it committed stands; the next collection goes on from there.",
            Some(Kind::Digest) => "No e-mail is known to have been sent.",
            Some(Kind::Check) => "The results of an earlier test stand.",
            Some(Kind::Notes) => "No note was kept.",
            Some(Kind::Artifact) => "What was read before its end stands.",
            Some(Kind::Document) => "No document was stored.",
            Some(Kind::Retain) => "What was removed stays removed; the next removal goes on from there.",
            None => "",
        }
    }

    fn took(&self, now: OffsetDateTime) -> Option<String> {
        let started_at = self.started_at?;
        Some(format::duration(self.finished_at.unwrap_or(now) - started_at))
    }

    fn path(&self) -> String {
        format!("/jobs/{}", self.job_id)
    }
}

#[derive(Template)]
#[template(path = "jobs/show.html")]
struct ShowPage {
    frame: Frame,
    job: Standing,
    now: OffsetDateTime,
    provenance: Provenance,
    may_act: bool,
}

/// A job that the team may see: what an auditor draws is told in the room.
fn of_team(job: Option<Standing>) -> Result<Standing, Error> {
    job.filter(|job| job.kind != Kind::Sample.word()).ok_or(Error::NotFound)
}

async fn show(state: web::Data<State>, mut visit: Visit, id: web::Path<String>) -> Result<HttpResponse, Error> {
    visit.address.only(&[])?;
    let job_id = number_of(&id)?;
    let job = of_team(super::find(&mut *visit.read, job_id).await?)?;
    let may_act = visit.user.role.makes_packs();
    let frame = if job.kind == Kind::Pack.word() {
        visit.frame(Section::Packs, format!("Job {job_id}")).crumb("Packs", "/packs")
    } else {
        visit.frame(Section::Collections, format!("Job {job_id}")).crumb("Collections", "/collections")
    };
    let frame = frame.crumb("Jobs", "/jobs");
    let provenance = Provenance::default()
        .line("Where it stands", "What the worker last wrote of the job to the store; it does so every few seconds.")
        .line("Times", "The database’s clock.");
    // A job that waits for an hour is no reason to ask each second.
    let refresh = job.waits().then_some(if job.not_before.is_some() { 30 } else { 1 });
    Ok(Page(ShowPage { frame, job, provenance, now: state.clock.now(), may_act }).refreshed_after(refresh))
}

fn number_of(id: &str) -> Result<i64, Error> {
    id.parse().map_err(|_not_a_number| Error::NotFound)
}

fn to_job(job_id: i64) -> HttpResponse {
    HttpResponse::build(StatusCode::SEE_OTHER).insert_header((LOCATION, format!("/jobs/{job_id}"))).finish()
}

async fn cancel(
    request: HttpRequest,
    state: web::Data<State>,
    Maker(user): Maker,
    id: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let job_id = number_of(&id)?;
    let mut tx = state.db.begin().await?;
    let job = of_team(super::find(&mut *tx, job_id).await?)?;
    if !super::db::ask_to_cancel(&mut tx, job_id, &user.identity).await? {
        return Err(Error::Conflict(format!("Job {job_id} has ended already: there is nothing to cancel.")));
    }
    let entry = acted(&user, &request, "cancel job", format!("job {job_id}")).detail(
        serde_json::json!({ "kind": job.kind, "state": job.state,
                                     "before": { "cancel_asked_by": null },
                                     "after": { "cancel_asked_by": user.identity } }),
    );
    audit_log::record(&mut tx, &entry).await?;
    tx.commit().await?;
    Ok(to_job(job_id))
}

async fn retry(
    request: HttpRequest,
    state: web::Data<State>,
    Maker(user): Maker,
    id: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let job_id = number_of(&id)?;
    let mut tx = state.db.begin().await?;
    let job = of_team(super::find(&mut *tx, job_id).await?)?;
    // What it makes is made in the name of whoever asks now.
    let asker = serde_json::json!({ "created_by": user.identity, "demo": user.demo });
    let again = match super::db::retry(&mut tx, job_id, &user.identity, &asker).await {
        Err(error) if super::is_one_at_a_time(&error) => {
            return Err(Error::Conflict(
                "Another of this kind is queued or running already: it does what this one did not.".to_owned(),
            ));
        }
        other => other?,
    };
    let Some(again) = again else {
        return Err(Error::Conflict(format!("Job {job_id} has not failed, or was tried again already: see its page.")));
    };
    let entry = acted(&user, &request, "retry job", format!("job {job_id}"))
        .detail(serde_json::json!({ "kind": job.kind, "again": again }));
    audit_log::record(&mut tx, &entry).await?;
    tx.commit().await?;
    super::wake();
    Ok(to_job(again))
}
