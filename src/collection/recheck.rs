//! Hashes objects again that were collected before, and reports those whose bytes are no longer the same.

use std::collections::HashMap;

use super::db::{self, OutcomeRow};
use super::ladder::Tally;
use super::place::{Context, Work};
use super::plan::{Outcome, Version};

/// Rechecks the objects of one place.
pub(super) async fn place(context: &Context, work: &Work) -> anyhow::Result<Tally> {
    let mut tx = context.db.begin().await?;
    db::lock_place(&mut tx, work.place_id).await?;
    let seen = db::seen(&mut tx, work.place_id).await?;
    let hashes: HashMap<i64, Vec<u8>> = db::collected_hashes(&mut tx, work.place_id)
        .await?
        .into_iter()
        .map(|(object_id, _, sha256)| (object_id, sha256))
        .collect();
    let mut tally = Tally::default();
    let mut outcomes = Vec::new();
    for object in &work.objects {
        let Some(seen) = seen.get(&Version::from(object)) else { continue };
        let Some(sha256) = hashes.get(&seen.object_id) else { continue };
        let now = hash(&context.root.join(&object.name));
        tally.rechecked += 1;
        let reason = match now {
            Ok(now) if now == *sha256 => continue,
            Ok(_) => "its bytes are not those that were collected, though its size and time are".to_owned(),
            Err(error) => format!("it was collected and cannot be read again: {error}"),
        };
        tally.changed.push((object.name.clone(), reason.clone()));
        outcomes.push(OutcomeRow {
            object_id: seen.object_id,
            outcome: Outcome::Changed,
            reason: Some(reason),
            position_bytes: None,
            evaluations: 0,
            left_out: serde_json::json!({}),
        });
    }
    db::record_outcomes(&mut tx, context.collection_id, &outcomes).await?;
    tx.commit().await?;
    Ok(tally)
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
