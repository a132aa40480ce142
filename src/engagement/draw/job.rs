//! Draws a sample in a transaction that is confined to the room that it was asked for in.

use actix_web::HttpResponse;
use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use time::Date;

use super::core::{COLUMNS, Draw, Row, Strata};
use super::db::{self, Sample};
use crate::State;
use crate::audit_log::{self, Entry};
use crate::compliance::evidence::{DayPopulation, DayRow, KnownAt, Scope};
use crate::database::read_only;
use crate::engagement::confine;
use crate::engagement::db as engagements;
use crate::jobs::{self, Job, Progress};
use crate::web::download::{Cell, Format, download};

/// Which sample; the payload of a job of kind sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Wanted {
    pub(super) sample: i64,
}

/// Carries out a job of kind sample; see [`jobs`].
pub(crate) async fn carry_out(state: State, job: Job, progress: Progress) -> anyhow::Result<()> {
    let Wanted { sample } = serde_json::from_value(job.payload.clone()).context("reading which sample is asked for")?;
    let sample = db::by_number(&state.db, sample).await?.context("there is no such sample")?;
    let strata = Strata::of(&sample.strata).with_context(|| format!("unknown strata {:?}", sample.strata))?;
    let size = usize::try_from(sample.size)?;
    let mut draw = Draw::new(&sample.seed, size, strata);
    let mut population = Population::open(&state, sample.of(), None).await?;
    let mut seen = 0;
    while population
        .batch(&mut |row| {
            seen += 1;
            draw.add(&row)
        })
        .await?
    {
        progress.set(seen, 0, "evaluations of the population");
    }
    let known_at = population.known_at();
    let drawn = draw.finish();
    let number = sample.engagement_sample_id;
    let mut tx = state.db.begin().await?;
    db::keep(&mut tx, number, known_at, &drawn).await?;
    let detail = serde_json::json!({
        "engagement": sample.engagement_id, "sample": number, "population": drawn.rows, "sha256": crate::web::format::hex(&drawn.sha256),
        "rows": drawn.taken.len(), "known_at": known_at,
    });
    let entry = Entry::by_system("draw sample", super::super::page::object(sample.engagement_id)).detail(detail);
    audit_log::record(&mut tx, &entry).await?;
    anyhow::ensure!(
        jobs::finish(&mut tx, job.claim, &format!("/engagements/{}", sample.engagement_id)).await?,
        "another worker has taken the job up"
    );
    tx.commit().await?;
    Ok(())
}

/// A population: the evaluations of a day within an engagement's terms, of a rule and a result or of all.
#[derive(Debug, Clone)]
pub(in crate::engagement) struct Of {
    pub(in crate::engagement) engagement_id: i64,
    pub(in crate::engagement) engagement_terms_id: i64,
    pub(in crate::engagement) as_of: Date,
    pub(in crate::engagement) core_name: Option<String>,
    pub(in crate::engagement) status: Option<String>,
}

impl Sample {
    fn of(&self) -> Of {
        Of {
            engagement_id: self.engagement_id,
            engagement_terms_id: self.engagement_terms_id,
            as_of: self.as_of,
            core_name: self.core_name.clone(),
            status: self.status.clone(),
        }
    }
}

/// A population, read in its order in a transaction that sees the room alone.
pub(in crate::engagement) struct Population {
    of: Of,
    read: sqlx::Transaction<'static, sqlx::Postgres>,
    rows: DayPopulation,
    known_at: KnownAt,
}

/// What is done with each row.
pub(in crate::engagement) type Take<'a> = &'a mut (dyn FnMut(Row<'_>) -> anyhow::Result<()> + Send);

impl Population {
    /// The collection up to which it knows.
    pub(in crate::engagement) fn known_at(&self) -> i64 {
        self.known_at.0
    }

    /// As it was known at a collection, or as it is known now.
    pub(in crate::engagement) async fn open(state: &State, of: Of, known_at: Option<i64>) -> anyhow::Result<Self> {
        let terms = engagements::terms(&state.db, of.engagement_id).await?;
        let terms = terms.into_iter().find(|terms| terms.record == of.engagement_terms_id);
        let terms = terms.context("the engagement’s terms are gone")?;
        let organization_id = engagements::organization_of(&state.db, of.engagement_id).await?;
        let organization_id = organization_id.context("the engagement is gone")?;
        let mut read = read_only(&state.db).await?;
        let known_at = match known_at {
            Some(known_at) => KnownAt(known_at),
            None => KnownAt::latest(&mut read, organization_id).await?.context("no collection has finished yet")?,
        };
        let room = (of.engagement_id, &terms);
        let accounts = confine::confine_job(&mut read, organization_id, room, of.as_of).await?;
        let scope = Scope { organization_id, accounts: Some(accounts) };
        let rows = DayPopulation::open(&mut read, &scope, of.as_of, known_at).await?;
        Ok(Self { of, read, rows, known_at })
    }

    /// Takes the rows of the next batch; false at the end.
    pub(in crate::engagement) async fn batch(&mut self, take: Take<'_>) -> anyhow::Result<bool> {
        let Some(batch) = self.rows.next(&mut self.read).await? else {
            return Ok(false);
        };
        for row in batch.rows().filter(|row| is_asked_for(&self.of, row)) {
            let DayRow { place, rule, resource_type, resource_id, status, .. } = row;
            take([&place.account_id, &place.region, &rule.name, resource_type, resource_id, status.word()])?;
        }
        Ok(true)
    }
}

fn is_asked_for(of: &Of, row: &DayRow<'_>) -> bool {
    of.core_name.as_ref().is_none_or(|name| *name == row.rule.core_name)
        && of.status.as_ref().is_none_or(|status| status == row.status.word())
}

/// The population's file, as it was when the sample was drawn.
pub(super) fn file(state: State, sample: &Sample, known_at: i64) -> HttpResponse {
    file_of(state, sample.of(), known_at, &format!("population-of-sample-{}", sample.engagement_sample_id))
}

/// A population's file, as it was known at a collection.
pub(in crate::engagement) fn file_of(state: State, of: Of, known_at: i64, stem: &str) -> HttpResponse {
    download(Format::JsonLines, stem, &COLUMNS, |mut rows| async move {
        let mut population = Population::open(&state, of, Some(known_at)).await?;
        loop {
            let mut batch: Vec<[String; 6]> = Vec::new();
            let more = population
                .batch(&mut |row| {
                    batch.push(row.map(str::to_owned));
                    Ok(())
                })
                .await?;
            for row in batch {
                rows.push(row.map(Cell::from)).await?;
            }
            if !more {
                return Ok(rows);
            }
        }
    })
}
