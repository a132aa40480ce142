//! Packs that the team puts into a room. One that says more than the room shows goes in only for a reason.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use super::core::Terms;
use super::db;
use super::form::{Invited, reason};
use super::page::{back, found, object, page};
use crate::State;
use crate::audit_log;
use crate::error::Error;
use crate::organization::scope::{Known, resolve};
use crate::packs::db::{Stored, find};
use crate::people::{Maker, acted};
use crate::web::form::{Problems, value};
use crate::web::{Access, Endpoint, Visit};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::post("/engagements/{engagement_id}/packs", Access::Makers, || web::post().to(share)),
        Endpoint::post("/engagements/{engagement_id}/packs/{number}/end", Access::Makers, || web::post().to(unshare)),
    ]
}

/// In what a pack says more than a room shows; `accounts` are the room's, `None` where it is of the whole organisation.
fn wider(pack: &Stored, terms: &Terms, accounts: Option<&[String]>) -> Vec<&'static str> {
    let of_accounts = match (&pack.account_ids, accounts) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(of_pack), Some(of_room)) => of_pack.iter().any(|account| !of_room.contains(account)),
    };
    let of_days = pack.from_day < terms.first_day || pack.as_of_day > terms.last_day;
    let each = [(of_accounts, "accounts"), (of_days, "days"), (terms.core_names.is_some(), "rules")];
    each.into_iter().filter(|(is, _)| *is).map(|(_, what)| what).collect()
}

async fn share(
    request: HttpRequest,
    state: web::Data<State>,
    Maker(user): Maker,
    mut visit: Visit,
    id: web::Path<String>,
    fields: web::Form<Vec<(String, String)>>,
) -> Result<HttpResponse, Error> {
    let (number, all) = found(&mut visit, &id).await?;
    let terms = all.last().ok_or(Error::NotFound)?;
    let organization = visit.organization.clone().ok_or(Error::NotFound)?;
    let (pack_id, because) = (value(&fields, "pack"), value(&fields, "because"));
    let mut problems = Problems::default();
    let pack = find(&mut *visit.read, &pack_id).await?.filter(|pack| pack.organization_id == organization.id);
    let Some(pack) = pack else {
        problems.add("pack", "Enter the id of a pack, as its page has it.");
        return page(&state, visit, &id, Invited::default(), problems).await;
    };
    let accounts = match &terms.scope_name {
        None => None,
        Some(name) => {
            let known = Known { record: terms.scope_record, ..Known::ALL };
            let resolved = resolve(&mut visit.read, organization.id, name, pack.as_of_day, known).await;
            Some(resolved.map_err(anyhow::Error::from)?.account_ids())
        }
    };
    let wider = wider(&pack, terms, accounts.as_deref());
    let because = match reason(&because) {
        _ if wider.is_empty() => None,
        Ok(because) => Some(because),
        Err(_without) => {
            let sentence = format!(
                "The pack has {} that the room does not show. Say why auditors may have it all the same, or make a pack of \
                 the room’s scope and period.",
                wider.join(", ")
            );
            problems.add("because", sentence);
            return page(&state, visit, &id, Invited::default(), problems).await;
        }
    };
    let mut tx = state.db.begin().await?;
    if db::share(&mut tx, number, &pack.pack_id, because.as_deref(), &user.identity).await? {
        let detail = json!({ "pack": pack.pack_id, "wider": wider, "because": because });
        audit_log::record(&mut tx, &acted(&user, &request, "put pack into room", object(number)).detail(detail))
            .await?;
    }
    tx.commit().await?;
    Ok(back(&visit, number))
}

async fn unshare(
    request: HttpRequest,
    state: web::Data<State>,
    Maker(user): Maker,
    mut visit: Visit,
    which: web::Path<(String, String)>,
    fields: web::Form<Vec<(String, String)>>,
) -> Result<HttpResponse, Error> {
    let (id, pack) = which.into_inner();
    let (number, _) = found(&mut visit, &id).await?;
    let pack: i64 = pack.parse().map_err(|_not_a_number| Error::NotFound)?;
    let why = match reason(&value(&fields, "reason")) {
        Ok(why) => why,
        Err(problems) => return page(&state, visit, &id, Invited::default(), problems).await,
    };
    let mut tx = state.db.begin().await?;
    let ended = db::unshare(&mut tx, (number, pack), &why, &user.identity).await?;
    let pack_id = ended.ok_or_else(|| Error::Conflict("The pack does not lie in the room.".to_owned()))?;
    let detail = json!({ "pack": pack_id, "reason": why });
    audit_log::record(&mut tx, &acted(&user, &request, "take pack out of room", object(number)).detail(detail)).await?;
    tx.commit().await?;
    Ok(back(&visit, number))
}
