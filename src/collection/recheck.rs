//! Hashes objects again that were collected before, and reports those whose bytes are no longer the same.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Context as _;

use super::db::{self, OutcomeRow};
use super::ladder::Tally;
use super::place::{Context, Work};
use super::plan::{Outcome, Version};
use super::source::Unreachable;

/// Rechecks the objects of one place.
pub(super) async fn place(context: &Arc<Context>, work: &Arc<Work>) -> anyhow::Result<Tally> {
    let mut tx = context.db.begin().await?;
    db::lock_place(&mut tx, work.place_id).await?;
    let seen = db::seen(&mut tx, work.place_id).await?;
    let hashes: HashMap<i64, Vec<u8>> = db::collected_hashes(&mut tx, work.place_id)
        .await?
        .into_iter()
        .map(|(object_id, _, sha256)| (object_id, sha256))
        .collect();
    let known = |version| {
        let object_id = seen.get(&version)?.object_id;
        Some((object_id, hashes.get(&object_id)?.clone()))
    };
    let known: Vec<_> = work.objects.iter().map(|object| known(Version::from(object))).collect();
    let (context_there, work_there) = (Arc::clone(context), Arc::clone(work));
    let (tally, outcomes) = tokio::task::spawn_blocking(move || compare(&context_there, &work_there, &known))
        .await
        .context("hashing was cut off")??;
    db::record_outcomes(&mut tx, context.collection_id, &outcomes).await?;
    tx.commit().await?;
    Ok(tally)
}

/// `known`: for each of the place's objects its row id and what it hashed to, where it was read.
fn compare(
    context: &Context,
    work: &Work,
    known: &[Option<(i64, Vec<u8>)>],
) -> anyhow::Result<(Tally, Vec<OutcomeRow>)> {
    let mut tally = Tally::default();
    let mut outcomes = Vec::new();
    for (object, known) in work.objects.iter().zip(known) {
        let Some((object_id, sha256)) = known else { continue };
        context.go_on()?;
        let now = match context.source.hash(object) {
            Ok(taken) => taken.outcome,
            Err(Unreachable::Now(unreached)) => {
                tally.not_rechecked.push((object.name.clone(), format!("not hashed again: {unreached}")));
                continue;
            }
            Err(Unreachable::Ever(why)) => anyhow::bail!(why),
        };
        tally.rechecked += 1;
        let reason = match now {
            Ok(now) if now == *sha256 => continue,
            Ok(_) => "its bytes are not those that were collected, though its size and time are".to_owned(),
            Err(error) => format!("it was collected and cannot be read again: {}", error.reason),
        };
        tally.changed.push((object.name.clone(), reason.clone()));
        outcomes.push(OutcomeRow {
            object_id: *object_id,
            outcome: Outcome::Changed,
            reason: Some(reason),
            position_bytes: None,
            evaluations: 0,
            left_out: serde_json::json!({}),
        });
    }
    Ok((tally, outcomes))
}
