//! "Collect now", and where the schedule stands.

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::{Asked, db};
use crate::State;
use crate::audit_log;
use crate::error::Error;
use crate::jobs;
use crate::people::{Maker, acted};
use crate::web::parts::html_safe;
use crate::web::{Access, Endpoint, Visit, filters, format};

pub fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::post("/collections", Access::Makers, || web::post().to(collect_now))]
}

/// Where the schedule stands, for the page of collections.
#[derive(Debug, Clone, Template)]
#[template(path = "schedule/standing.html")]
pub struct Standing {
    kept: Option<db::Kept>,
    /// The job that collects now or next.
    job_id: Option<i64>,
    /// Whether this person may start a collection here.
    may_start: bool,
    jobs_href: String,
    /// For those who may see it.
    connect_href: Option<String>,
}

html_safe!(Standing);

impl Standing {
    /// Asks the store.
    pub async fn load(state: &State, visit: &mut Visit) -> Result<Self, Error> {
        Ok(Self {
            kept: db::kept(&mut *visit.read).await?,
            job_id: jobs::unfinished_collection(&mut *visit.read).await?,
            may_start: state.duties.collecting.is_some() && visit.user.role.makes_packs(),
            connect_href: visit
                .user
                .role
                .makes_packs()
                .then(|| visit.frame(crate::web::Section::Collections, "").href("/connect")),
            jobs_href: visit.frame(crate::web::Section::Collections, "").href("/jobs"),
        })
    }

    fn every_words(every_seconds: i32) -> String {
        match every_seconds {
            3600 => "hour".to_owned(),
            60 => "minute".to_owned(),
            86_400 => "day".to_owned(),
            other if other % 3600 == 0 => format::plural(i64::from(other / 3600), "hour"),
            other if other % 60 == 0 => format::plural(i64::from(other / 60), "minute"),
            other => format::plural(i64::from(other), "second"),
        }
    }
}

async fn collect_now(request: HttpRequest, state: web::Data<State>, Maker(user): Maker) -> Result<HttpResponse, Error> {
    let Some(collecting) = &state.duties.collecting else {
        return Err(Error::Conflict(
            "This installation is not told where to collect from: start it with --collect-from, or run “auditfolio \
             collect”."
                .to_owned(),
        ));
    };
    let asked = Asked { organization: collecting.organization.clone(), by: user.identity.clone(), demo: user.demo };
    let payload = serde_json::to_value(&asked).map_err(anyhow::Error::from)?;
    let mut tx = state.db.begin().await?;
    let under_way = || {
        Error::Conflict(
            "A collection is queued or running already: it takes everything that was delivered. See “All jobs” on the \
             page of collections."
                .to_owned(),
        )
    };
    if jobs::unfinished_collection(&mut *tx).await?.is_some() {
        return Err(under_way());
    }
    let job_id = match jobs::enqueue(&mut tx, jobs::Kind::Collect, &payload, &user.identity).await {
        // Two people at once.
        Err(error) if jobs::is_one_at_a_time(&error) => return Err(under_way()),
        other => other?,
    };
    let entry = acted(&user, &request, "ask for collection", format!("job {job_id}"))
        .detail(serde_json::json!({ "source": collecting.source_words() }));
    audit_log::record(&mut tx, &entry).await?;
    tx.commit().await?;
    jobs::wake();
    Ok(HttpResponse::SeeOther().insert_header((LOCATION, format!("/jobs/{job_id}"))).finish())
}
