//! What people do to a pack that is there: propose, return, approve, supersede, withdraw.

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;
use sqlx::PgConnection;

use super::super::build::Request;
use super::super::db::{self as packs, Stored};
use super::super::finalise;
use super::super::state::core::{Course, Standing, Step};
use super::super::state::db as states;
use super::show;
use crate::State;
use crate::audit_log;
use crate::error::Error;
use crate::jobs;
use crate::people::{Maker, User, acted};
use crate::web::form::{Problems, text, value};
use crate::web::{Access, Endpoint, Section, Visit};

/// The longest reason or note, in characters.
const LONGEST: usize = 1000;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::post("/packs/{pack_id}/propose", Access::Makers, || web::post().to(propose)),
        Endpoint::post("/packs/{pack_id}/return", Access::Makers, || web::post().to(give_back)),
        Endpoint::post("/packs/{pack_id}/approve", Access::Makers, || web::post().to(approve)),
        Endpoint::post("/packs/{pack_id}/supersede", Access::Makers, || web::post().to(supersede)),
        Endpoint::post("/packs/{pack_id}/withdraw", Access::Makers, || web::post().to(withdraw)),
    ]
}

/// What a form that does something to a pack sends, and to whom it is.
struct Act {
    request: HttpRequest,
    state: web::Data<State>,
    user: User,
    visit: Visit,
    pack: Stored,
}

type Asked = (HttpRequest, web::Data<State>, Maker, Visit, web::Path<String>);

impl Act {
    async fn of((request, state, Maker(user), mut visit, pack_id): Asked) -> Result<Self, Error> {
        let pack = show::find(&mut visit, &pack_id).await?;
        Ok(Self { request, state, user, visit, pack })
    }

    /// The pack's page again, with what is wrong.
    async fn again(self, problems: Problems, typed: show::Typed) -> Result<HttpResponse, Error> {
        show::page(&self.state, self.visit, self.pack, (problems, typed)).await
    }

    /// Takes a step where it may be taken, and puts it on record with what stood before and after it.
    async fn take(
        &self,
        tx: &mut PgConnection,
        step: Step,
        (note, other): (Option<&str>, Option<&str>),
    ) -> Result<i64, Error> {
        let course = states::hold(&mut *tx, &self.pack.pack_id).await?;
        let making = is_being_made(&mut *tx, &course).await?;
        course.may(step, &self.user.identity, making).map_err(Error::Conflict)?;
        let new = states::NewEvent {
            step,
            by: &self.user.identity,
            role: Some(self.user.role.title()),
            demo: self.user.demo,
            note,
            other,
        };
        let record = states::add(&mut *tx, &self.pack.pack_id, &new).await?;
        let before = course.standing();
        let after = before.after(step).unwrap_or(before);
        let detail = json!({
            "before": before.words(), "after": after.words(), "reason": note, "by_pack": other, "title": self.pack.title,
        });
        let entry = acted(&self.user, &self.request, step.act(), self.pack.pack_id.clone()).detail(detail);
        audit_log::record(tx, &entry).await?;
        Ok(record)
    }

    fn back(&self) -> HttpResponse {
        let path = format!("/packs/{}", crate::web::address::Encoded(&self.pack.pack_id));
        let location = self.visit.frame(Section::Packs, "").href(&path);
        HttpResponse::SeeOther().insert_header((LOCATION, location)).finish()
    }
}

/// Whether the final pack is being made by the approval that stands.
async fn is_being_made(tx: &mut PgConnection, course: &Course) -> sqlx::Result<bool> {
    let Some(approval) = course.approval() else { return Ok(false) };
    let job = states::making(tx, approval.record).await?;
    Ok(job.is_some_and(|(_, state)| matches!(state.as_str(), "queued" | "running")))
}

/// Takes a step that says nothing without a reason, which is the form's field of a name.
async fn with_reason(
    asked: Asked,
    fields: &[(String, String)],
    (step, field): (Step, &'static str),
) -> Result<HttpResponse, Error> {
    let act = Act::of(asked).await?;
    let why = match text(field, "reason", &value(fields, field), LONGEST) {
        Ok(why) => why,
        Err(problems) => return act.again(problems, show::Typed::default()).await,
    };
    let mut tx = act.state.db.begin().await?;
    act.take(&mut tx, step, (Some(&why), None)).await?;
    tx.commit().await?;
    Ok(act.back())
}

async fn propose(
    request: HttpRequest,
    state: web::Data<State>,
    maker: Maker,
    visit: Visit,
    pack_id: web::Path<String>,
    fields: web::Form<Vec<(String, String)>>,
) -> Result<HttpResponse, Error> {
    let act = Act::of((request, state, maker, visit, pack_id)).await?;
    let note = value(&fields, "note");
    if !note.is_empty()
        && let Err(problems) = text("note", "reason", &note, LONGEST)
    {
        return act.again(problems, show::Typed { note, ..show::Typed::default() }).await;
    }
    let mut tx = act.state.db.begin().await?;
    act.take(&mut tx, Step::Propose, (Some(note.as_str()).filter(|note| !note.is_empty()), None)).await?;
    tx.commit().await?;
    Ok(act.back())
}

async fn give_back(
    request: HttpRequest,
    state: web::Data<State>,
    maker: Maker,
    visit: Visit,
    pack_id: web::Path<String>,
    fields: web::Form<Vec<(String, String)>>,
) -> Result<HttpResponse, Error> {
    with_reason((request, state, maker, visit, pack_id), &fields, (Step::Return, "return-reason")).await
}

/// Approves and asks for the final pack, in one transaction.
async fn approve(
    request: HttpRequest,
    state: web::Data<State>,
    maker: Maker,
    visit: Visit,
    pack_id: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let act = Act::of((request, state, maker, visit, pack_id)).await?;
    let mut tx = act.state.db.begin().await?;
    let record = act.take(&mut tx, Step::Approve, (None, None)).await?;
    let asked = states::request(&mut *tx, &act.pack.pack_id).await?;
    let asked = asked.ok_or_else(|| anyhow::anyhow!("a draft without what it was asked for with"))?;
    let asked: Request = serde_json::from_value(asked).map_err(anyhow::Error::from)?;
    let asked = Request { demo: asked.demo || act.user.demo, ..finalise::request(asked, &act.pack, record) };
    let payload = serde_json::to_value(&asked).map_err(anyhow::Error::from)?;
    let job_id = jobs::enqueue(&mut tx, jobs::Kind::Pack, &payload, &act.user.identity).await?;
    tx.commit().await?;
    jobs::wake();
    let location = act.visit.frame(Section::Packs, "").href(&format!("/jobs/{job_id}"));
    Ok(HttpResponse::SeeOther().insert_header((LOCATION, location)).finish())
}

async fn withdraw(
    request: HttpRequest,
    state: web::Data<State>,
    maker: Maker,
    visit: Visit,
    pack_id: web::Path<String>,
    fields: web::Form<Vec<(String, String)>>,
) -> Result<HttpResponse, Error> {
    with_reason((request, state, maker, visit, pack_id), &fields, (Step::Withdraw, "withdraw-reason")).await
}

async fn supersede(
    request: HttpRequest,
    state: web::Data<State>,
    maker: Maker,
    visit: Visit,
    pack_id: web::Path<String>,
    fields: web::Form<Vec<(String, String)>>,
) -> Result<HttpResponse, Error> {
    let mut act = Act::of((request, state, maker, visit, pack_id)).await?;
    let typed = show::Typed {
        by: value(&fields, "by"),
        supersede_reason: value(&fields, "supersede-reason"),
        ..show::Typed::default()
    };
    let mut problems = Problems::default();
    let other = packs::find(&mut *act.visit.read, &typed.by).await?;
    let other = other.filter(|other| other.organization_id == act.pack.organization_id);
    match &other {
        None => problems.add("by", "Enter the id of the pack that takes its place, as its page has it."),
        Some(other) if other.pack_id == act.pack.pack_id => problems.add("by", "Enter the id of another pack."),
        Some(_) => {}
    }
    problems.text("supersede-reason", "reason", &typed.supersede_reason, LONGEST);
    let Some(other) = other.filter(|_| problems.is_empty()) else { return act.again(problems, typed).await };
    let mut tx = act.state.db.begin().await?;
    // Two packs that take each other's place at the same moment would leave none.
    let mut both = [act.pack.pack_id.as_str(), other.pack_id.as_str()];
    both.sort_unstable();
    for pack_id in both {
        states::hold(&mut tx, pack_id).await?;
    }
    let standing = states::course(&mut *tx, &other.pack_id).await?.standing();
    if matches!(standing, Standing::Superseded | Standing::Withdrawn) {
        problems.add("by", format!("That pack is {} itself: enter one that stands.", standing.words()));
        drop(tx);
        return act.again(problems, typed).await;
    }
    act.take(&mut tx, Step::Supersede, (Some(&typed.supersede_reason), Some(&other.pack_id))).await?;
    tx.commit().await?;
    Ok(act.back())
}
