//! The demo's engagement: a scope of some accounts, a room that is open, and the demo's auditor invited.

use std::collections::BTreeSet;

use serde_json::json;
use time::{Date, Duration, OffsetDateTime};

use super::ask;
use super::db::{self, DEMO_AUDITOR, NewTerms};
use super::page::object;
use crate::State;
use crate::artifact;
use crate::audit_log::{self, Entry};
use crate::organization::scope::{self, Selector};

/// What the scope is called, and how many of the accounts it holds.
const SCOPE: &str = "soc-2";
const ACCOUNTS: i64 = 8;
/// How long the room is open, and how much of the days before the last one it shows.
const OPEN: Duration = Duration::days(60);
const PERIOD: Duration = Duration::days(59);

/// Makes it where the organisation has no engagement. Gives what to say of it.
pub async fn sample(
    state: &State,
    organization: &str,
    (first, latest): (Date, Date),
    made_by: &str,
) -> anyhow::Result<String> {
    let mut tx = state.db.begin().await?;
    let Some(organization_id) = db::organization_without(&mut tx, organization).await? else {
        return Ok("done earlier".to_owned());
    };
    let accounts: BTreeSet<String> =
        db::some_accounts(&mut *tx, organization_id, ACCOUNTS).await?.into_iter().collect();
    let number = accounts.len();
    scope::define(
        &mut tx,
        organization_id,
        (SCOPE, "SOC 2 system boundary"),
        &Selector::Accounts(accounts),
        first,
        ("The accounts of the audited service.", made_by),
    )
    .await?;
    let now: OffsetDateTime = state.clock.now();
    let terms = NewTerms {
        title: "SOC 2 (sample)",
        scope_name: Some(SCOPE),
        core_names: None,
        first_day: first.max(latest - PERIOD),
        last_day: latest,
        opens_at: now,
        closes_at: now + OPEN,
        reason: "So that the demo has a room to enter.",
        made_by,
    };
    let id = db::make(&mut tx, organization_id, made_by).await?;
    let record = db::agree(&mut tx, id, &terms).await?;
    db::invite(&mut tx, id, DEMO_AUDITOR, None, made_by).await?;
    let entry = Entry::by_demo(made_by, "make engagement", object(id)).detail(json!({ "title": terms.title }));
    audit_log::record(&mut tx, &entry).await?;
    ask::sample(&mut tx, (organization_id, id, record), now.date(), (terms.first_day, terms.last_day), made_by).await?;
    artifact::decide_notices(&mut tx, state, organization).await?;
    tx.commit().await?;
    Ok(format!("a room of {number} accounts, open for {} days", OPEN.whole_days()))
}
