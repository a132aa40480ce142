//! Hashes objects again that were collected before and speak, and reports those whose bytes are no longer the same.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Context as _;

use super::db::{self, OutcomeRow};
use super::ladder::Tally;
use super::place::{Context, Work};
use super::plan::{Outcome, Stored, Version};

/// Rechecks the objects of one place. Those that a later one superseded speak for nothing and are left alone.
pub(super) async fn place(context: &Arc<Context>, work: &Arc<Work>) -> anyhow::Result<Tally> {
    let mut connection = context.db.acquire().await?;
    let stored = db::stored(&mut connection, work.place_id).await?;
    drop(connection);
    let (rechecked, changed) = {
        let (context, work) = (Arc::clone(context), Arc::clone(work));
        tokio::task::spawn_blocking(move || compare(&context, &work, &stored)).await.context("reading was cut off")?
    };
    let mut tx = context.db.begin().await?;
    db::lock_place(&mut tx, work.place_id).await?;
    let mut tally = Tally { rechecked, ..Tally::default() };
    let mut outcomes = Vec::new();
    for (object_id, name, reason) in changed {
        tally.changed.push((name, reason.clone()));
        outcomes.push(OutcomeRow {
            object_id,
            outcome: Outcome::Changed,
            reason: Some(reason),
            position_bytes: None,
            retry_above: None,
            evaluations: 0,
            left_out: serde_json::json!({}),
        });
    }
    db::record_outcomes(&mut tx, context.collection_id, &outcomes).await?;
    tx.commit().await?;
    Ok(tally)
}

/// How many objects were hashed, and those that are not what was collected: row id, name and how.
fn compare(context: &Context, work: &Work, stored: &[Stored]) -> (u64, Vec<(i64, String, String)>) {
    let stored: HashMap<&Version, &Stored> = stored.iter().map(|it| (&it.version, it)).collect();
    let mut rechecked = 0;
    let mut changed = Vec::new();
    for object in &work.objects {
        let Some(it) = stored.get(&Version::from(object)) else { continue };
        let (Outcome::Collected | Outcome::Changed, Some(sha256)) = (it.seen.outcome, &it.sha256) else { continue };
        let now = hash(&context.root.join(&object.name));
        rechecked += 1;
        let reason = match now {
            Ok(now) if now == *sha256 => continue,
            Ok(_) => "its bytes are not those that were collected, though its size and time are".to_owned(),
            Err(error) => format!("it was collected and cannot be read again: {error}"),
        };
        changed.push((it.seen.object_id, object.name.clone(), reason));
    }
    (rechecked, changed)
}

fn hash(path: &std::path::Path) -> std::io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut file = std::fs::File::open(path)?;
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(context.finish().as_ref().to_vec()),
            read => context.update(&buffer[..read]),
        }
    }
}
