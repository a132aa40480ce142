//! Hashes objects again that were collected before and speak, and reports those whose bytes are no longer the same.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Context as _;

use super::db::{self, OutcomeRow};
use super::ladder::Tally;
use super::place::{Context, Work};
use super::plan::{Outcome, Stored, Version};
use super::source::Unreachable;

/// Rechecks the objects of one place. Those that a later one superseded speak for nothing and are left alone.
pub(super) async fn place(context: &Arc<Context>, work: &Arc<Work>) -> anyhow::Result<Tally> {
    let mut connection = context.db.acquire().await?;
    let stored = db::stored(&mut connection, work.place_id).await?;
    drop(connection);
    let (tally, outcomes) = {
        let (context, work) = (Arc::clone(context), Arc::clone(work));
        tokio::task::spawn_blocking(move || compare(&context, &work, &stored))
            .await
            .context("hashing was cut off")??
    };
    let mut tx = context.db.begin().await?;
    db::lock_place(&mut tx, work.place_id).await?;
    db::record_outcomes(&mut tx, context.collection_id, &outcomes).await?;
    tx.commit().await?;
    Ok(tally)
}

/// Hashes the place's objects that spoke when they were last judged; says which are not what was collected.
fn compare(context: &Context, work: &Work, stored: &[Stored]) -> anyhow::Result<(Tally, Vec<OutcomeRow>)> {
    let stored: HashMap<&Version, &Stored> = stored.iter().map(|it| (&it.version, it)).collect();
    let mut tally = Tally::default();
    let mut outcomes = Vec::new();
    for object in &work.objects {
        let Some(it) = stored.get(&Version::from(object)) else { continue };
        let (Outcome::Collected | Outcome::Changed, Some(sha256)) = (it.seen.outcome, &it.sha256) else { continue };
        context.go_on()?;
        let now = match context.reader(work).hash(object) {
            Ok(taken) => taken.outcome,
            Err(Unreachable::Now(unreached)) => {
                tally.not_rechecked.push((object.name.clone(), format!("not hashed again: {unreached}")));
                continue;
            }
            Err(ever) => return Err(ever.into()),
        };
        tally.rechecked += 1;
        let reason = match now {
            Ok(now) if now == *sha256 => continue,
            Ok(_) => "its bytes are not those that were collected, though its size and time are".to_owned(),
            Err(error) => format!("it was collected and cannot be read again: {}", error.reason),
        };
        tally.changed.push((object.name.clone(), reason.clone()));
        outcomes.push(OutcomeRow {
            object_id: it.seen.object_id,
            outcome: Outcome::Changed,
            reason: Some(reason),
            position_bytes: None,
            retry_above: None,
            evaluations: 0,
            left_out: serde_json::json!({}),
            query_id: None,
        });
    }
    Ok((tally, outcomes))
}
