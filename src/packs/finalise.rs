//! How a pack begins: as a draft, or as the final pack of a draft that another person has reviewed, made of what the draft is made of.

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

use super::build::{BuildError, Request, Said};
use super::content::moment;
use super::db::{self, Stored};
use super::model::{Cover, Finality, ForEngagement, Signer, Stage};
use super::sign;
use super::state::core::{Course, Event, Step};
use super::state::db as states;
use crate::engagement::Change;

/// The draft that a final pack is made of, and who stands for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FinalOf {
    /// The draft's id.
    pub draft: String,
    /// The number of the approval on record.
    pub approval: i64,
}

/// A draft with what the final pack takes from it.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) stored: Stored,
    pub(super) finality: Finality,
}

impl FinalOf {
    /// The draft, if it still stands approved by the same approval.
    pub(super) async fn draft(&self, tx: &mut sqlx::PgConnection) -> Result<Draft, BuildError> {
        let course = states::course(&mut *tx, &self.draft).await?;
        let (proposal, approval) = self.stands(&course)?;
        let stored = db::find(&mut *tx, &self.draft).await?;
        let stored = stored.ok_or_else(|| BuildError::Refused(format!("there is no draft {} any more", self.draft)))?;
        let finality = Finality {
            preparer: signer(proposal),
            reviewer: signer(approval),
            draft: stored.pack_id.clone(),
            draft_sha256: sign::hex(&stored.pdf_sha256),
            draft_printed: stored.printed_at,
            note: proposal.note.clone(),
        };
        Ok(Draft { stored, finality })
    }

    /// Proposal and approval, where the approval is the one that the final pack was asked for with.
    fn stands<'a>(&self, course: &'a Course) -> Result<(&'a Event, &'a Event), BuildError> {
        let approval = course.approval().filter(|approval| approval.record == self.approval);
        course.last(Step::Propose).zip(approval).ok_or_else(|| {
            let now = course.standing().words();
            BuildError::Refused(format!(
                "the approval of draft {} does not stand any more: the pack is {now} now, and no final pack was issued",
                self.draft
            ))
        })
    }

    /// Puts on record that the final pack was issued and that the draft is superseded by it, in the transaction that stores it.
    pub(super) async fn record(
        &self,
        tx: &mut sqlx::PgConnection,
        pack_id: &str,
        finality: &Finality,
    ) -> Result<(), BuildError> {
        let course = states::hold(tx, &self.draft).await?;
        self.stands(&course)?;
        let by = &finality.reviewer;
        let new = |step, note, other| states::NewEvent {
            step,
            by: &by.identity,
            role: by.role.as_deref(),
            demo: by.demo,
            note,
            other: Some(other),
        };
        states::add(tx, pack_id, &new(Step::Final, None, self.draft.as_str())).await?;
        states::add(tx, &self.draft, &new(Step::Supersede, Some("The final pack was made of it."), pack_id)).await?;
        Ok(())
    }
}

fn signer(event: &Event) -> Signer {
    Signer { identity: event.by.clone(), role: event.role.clone(), demo: event.demo, at: event.at }
}

/// The request that makes the final pack: the draft's own, at the points of knowledge that the draft has.
pub(super) fn request(of_draft: Request, draft: &Stored, approval: i64) -> Request {
    let record = draft.cover.get("scope").and_then(|scope| scope.get("record")).and_then(Value::as_i64);
    Request {
        known_at: Some(draft.known_at_collection),
        scopes_at: of_draft.scopes_at.or(record),
        // The clock of the final pack is that of its making, also where the draft's was set.
        at: None,
        final_of: Some(FinalOf { draft: draft.pack_id.clone(), approval }),
        ..of_draft
    }
}

/// What is on record of a pack from its first moment: what it was asked for with, and that it is a draft, or final and its draft
/// superseded by it.
pub(super) async fn begin_course(
    tx: &mut sqlx::PgConnection,
    request: &Request,
    cover: &Cover,
) -> Result<(), BuildError> {
    let kept = serde_json::to_value(request).context("keeping what was asked for")?;
    states::keep_request(tx, &cover.pack_id, &kept).await?;
    if let (Some(of), Stage::Final(finality)) = (&request.final_of, &cover.stage) {
        return of.record(tx, &cover.pack_id, finality).await;
    }
    let made = states::NewEvent {
        step: Step::Draft,
        by: &cover.created_by,
        role: None,
        demo: cover.demo,
        note: None,
        other: None,
    };
    states::add(tx, &cover.pack_id, &made).await?;
    Ok(())
}

/// The engagement that a pack is for, with what changed of it.
pub(super) async fn engagement(
    tx: &mut sqlx::PgConnection,
    organization_id: i16,
    said: &Said,
) -> Result<Option<ForEngagement>, BuildError> {
    let Some(engagement_id) = said.engagement else { return Ok(None) };
    let Some((terms, changes)) = crate::engagement::agreed(tx, organization_id, engagement_id).await? else {
        return Err(BuildError::Refused(format!("there is no engagement {engagement_id} of this organisation")));
    };
    let line = |change: Change| {
        format!(
            "{} by {}: {}. Reason: {}",
            moment(change.made_at),
            change.made_by,
            change.what.join(". "),
            change.reason
        )
    };
    let changes = changes.into_iter().map(line).collect();
    Ok(Some(ForEngagement { engagement_id, title: terms.title, changes }))
}

/// Facts of a cover, as stored, that are the same in a draft and in its final pack.
const SAME: [&str; 15] = [
    "organization",
    "days",
    "scope",
    "captured_to",
    "received",
    "known_at_collection",
    "day_open",
    "completeness_established",
    "gaps_line",
    "never_seen",
    "never_seen_regions",
    "parameters",
    "register_rows",
    "deviation_rows",
    "results",
];

/// In what a pack differs from the draft that it is made of; nothing where the evidence is the same. Both are facts of covers as
/// stored.
pub(super) fn differences(draft: &Value, made: &Value) -> Vec<String> {
    let mut found: Vec<String> =
        SAME.iter().filter(|key| draft.get(**key) != made.get(**key)).map(|key| (*key).replace('_', " ")).collect();
    let files = |of: &Value| -> Vec<(String, String)> {
        let text = |file: &Value, key: &str| file.get(key).map(ToString::to_string).unwrap_or_default();
        let one = |file: &Value| {
            let name = file.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
            (name, format!("{} rows, SHA-256 {}", text(file, "rows"), text(file, "sha256")))
        };
        of.get("attachments").and_then(Value::as_array).into_iter().flatten().map(one).collect()
    };
    let (before, after) = (files(draft), files(made));
    let of = |files: &[(String, String)], name: &str| {
        files.iter().find(|(of, _)| of == name).map_or_else(|| "none".to_owned(), |(_, what)| what.clone())
    };
    let mut names: Vec<&String> = before.iter().chain(&after).map(|(name, _)| name).collect();
    names.sort();
    names.dedup();
    for name in names {
        let (was, is) = (of(&before, name), of(&after, name));
        if was != is {
            found.push(format!("{name} ({was} in the draft; {is} now)"));
        }
    }
    found
}

/// When the facts were read that no collection brings: the draft's printed time in a final pack.
pub(super) fn read_at(draft: Option<&Draft>, generated: OffsetDateTime) -> OffsetDateTime {
    draft.map_or(generated, |draft| draft.stored.printed_at)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_draft_and_its_final_pack_differ_in_nothing_that_is_counted() {
        let file = |rows: u64, sha256: &str| json!([{ "name": "population.csv", "rows": rows, "sha256": sha256 }]);
        let draft = json!({ "results": [1], "generated": "then", "attachments": file(8, "ab") });
        let made = json!({ "results": [1], "generated": "now", "attachments": file(8, "ab") });
        assert!(differences(&draft, &made).is_empty());
        let other = json!({ "results": [2], "attachments": file(9, "cd") });
        let found = differences(&draft, &other);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[1].starts_with("population.csv (8 rows") && found[1].contains("9 rows"), "{found:?}");
        assert_eq!(differences(&draft, &json!({ "results": [1] })).len(), 1, "a file that is missing");
    }
}
