//! A job: where it stands, by plain refresh, until its result is there.

use actix_web::{HttpResponse, web};
use askama::Template;
use time::OffsetDateTime;

use super::Standing;
use crate::State;
use crate::error::Error;
use crate::web::parts::Provenance;
use crate::web::{Access, Endpoint, Frame, Page, Section, Visit, filters, format};

pub fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::get("/jobs/{job_id}", Access::SignedIn, || web::get().to(show))]
}

#[derive(Template)]
#[template(path = "jobs/show.html")]
struct ShowPage {
    frame: Frame,
    job: Standing,
    now: OffsetDateTime,
    provenance: Provenance,
}

impl Standing {
    fn progress_words(&self, now: OffsetDateTime) -> String {
        let unit = self.progress_unit.trim_end_matches('s');
        format::progress(self.progress_done, self.progress_total, unit, now - self.created_at)
    }

    /// The address of the result.
    fn result_path(&self) -> Option<String> {
        let result = self.result.as_deref()?;
        Some(format!("/packs/{}", crate::web::address::Encoded(result)))
    }
}

async fn show(state: web::Data<State>, mut visit: Visit, id: web::Path<String>) -> Result<HttpResponse, Error> {
    visit.address.only(&[])?;
    let job_id: i64 = id.parse().map_err(|_not_a_number| Error::NotFound)?;
    let job = super::find(&mut *visit.read, job_id).await?.ok_or(Error::NotFound)?;
    let waits = matches!(job.state.as_str(), "queued" | "running");
    let provenance = Provenance::default()
        .line("Where it stands", "What the worker last wrote of the job to the store; it does so every few seconds.")
        .line("Times", "The database’s clock.");
    let frame = visit.frame(Section::Packs, format!("Job {job_id}")).crumb("Packs", "/packs");
    Ok(Page(ShowPage { frame, job, provenance, now: state.clock.now() }).refreshed_after(waits.then_some(1)))
}
