//! Freezes a view that a request is answered with: the evaluations of a day, as they are known when the job runs. Later
//! deliveries change nothing of it.

use actix_web::HttpResponse;
use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::db::{self, View};
use crate::State;
use crate::audit_log::{self, Entry};
use crate::engagement::draw::core::{Draw, Strata};
use crate::engagement::draw::job::{Of, Population, file_of};
use crate::engagement::page::object;
use crate::jobs::{self, Job, Progress};

/// Which answer; the payload of a job of kind freeze.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Wanted {
    pub(super) answer: i64,
}

impl View {
    fn of(&self) -> Of {
        Of {
            engagement_id: self.engagement_id,
            engagement_terms_id: self.engagement_terms_id,
            as_of: self.first_day,
            core_name: self.core_name.clone(),
            status: self.status.clone(),
        }
    }
}

/// Carries out a job of kind freeze; see [`jobs`].
pub(crate) async fn carry_out(state: State, job: Job, progress: Progress) -> anyhow::Result<()> {
    let Wanted { answer } = serde_json::from_value(job.payload.clone()).context("reading which answer is asked for")?;
    let view = db::view(&state.db, answer).await?.context("there is no such answer")?;
    let mut population = Population::open(&state, view.of(), None).await?;
    // The hash of a population is that of a sample's; what is drawn of this one is not kept.
    let mut hashed = Draw::new("", 1, Strata::None);
    let mut seen = 0;
    while population
        .batch(&mut |row| {
            seen += 1;
            hashed.add(&row)
        })
        .await?
    {
        progress.set(seen, 0, "evaluations");
    }
    let known_at = population.known_at();
    drop(population);
    let frozen = hashed.finish();
    let mut tx = state.db.begin().await?;
    db::freeze(&mut tx, answer, known_at, (frozen.rows, &frozen.sha256)).await?;
    let detail = serde_json::json!({
        "request": view.number, "answer": answer, "rows": frozen.rows, "sha256": crate::web::format::hex(&frozen.sha256),
        "known_at": known_at,
    });
    audit_log::record(&mut tx, &Entry::by_system("freeze view", object(view.engagement_id)).detail(detail)).await?;
    let result = format!("/engagements/{}/requests/{}", view.engagement_id, view.number);
    anyhow::ensure!(jobs::finish(&mut tx, job.claim, &result).await?, "another worker has taken the job up");
    tx.commit().await?;
    Ok(())
}

/// The rows of a frozen view, one JSON object a line: the bytes whose hash is on record.
pub(super) fn rows(state: State, view: &View, known_at: i64) -> HttpResponse {
    file_of(state, view.of(), known_at, &format!("request-{}-view-{}", view.number, view.engagement_answer_id))
}
