//! What the cover says of the pack itself: its state, who stands for it, how confidential it is, whom and what it is for.

use super::{fact, moment};
use crate::packs::model::{Cover, Signer, Stage, grouped};

/// State, who stands for it, classification, recipient, and the engagement with each change of its terms after its room had opened.
pub(super) fn facts(cover: &Cover) -> Vec<(String, String)> {
    let mut facts = Vec::new();
    match &cover.stage {
        Stage::Draft => facts.push(fact("State", "DRAFT: nobody has reviewed it, and it is not a final pack")),
        Stage::Final(finality) => {
            facts.push(fact("State", "FINAL"));
            facts.push(fact("Preparer", signer(&finality.preparer, "proposed")));
            if let Some(note) = &finality.note {
                facts.push(fact("Preparer's note", note.clone()));
            }
            facts.push(fact("Reviewer", signer(&finality.reviewer, "approved")));
            facts.push(fact("Made of draft", format!("{}, SHA-256 {}", finality.draft, finality.draft_sha256)));
            let same = "The counts and the SHA-256 of each attachment are those of the draft. What no collection brings is as of";
            facts.push(fact("The same evidence", format!("{same} {}.", moment(finality.draft_printed))));
        }
    }
    facts.push(fact("Classification", cover.classification.clone()));
    let recipient = if cover.recipient.is_empty() { "not named" } else { &cover.recipient };
    facts.push(fact("Recipient", recipient));
    if let Some(engagement) = &cover.engagement {
        facts.push(fact("Engagement", format!("{} (number {})", engagement.title, engagement.engagement_id)));
        for change in &engagement.changes {
            facts.push(fact("Terms changed", format!("after its room had opened, on {change}")));
        }
        if engagement.changes.is_empty() {
            facts.push(fact("Terms changed", "nothing after its room had opened"));
        }
    }
    if let Some(names) = cover.pseudonyms {
        facts.push(fact("Names of persons", pseudonyms(names)));
    }
    facts
}

/// "ann (person 3), Compliance manager, proposed on 2026-11-12 10:11:12 UTC".
fn signer(one: &Signer, did: &str) -> String {
    let role = one.role.as_deref().map(|role| format!(", {role}")).unwrap_or_default();
    let demo = if one.demo { " (demo identity, not authenticated)" } else { "" };
    format!("{}{demo}{role}, {did} on {}", one.identity, moment(one.at))
}

/// What pseudonyms stand for, and what they do not.
fn pseudonyms(names: u64) -> String {
    let number = if names == 1 { "1 name".to_owned() } else { format!("{} names", grouped(names)) };
    format!(
        "{number} in ids of resources stand as pseudonyms of this installation (person-…), the same name as the same in every \
         pack: names of IAM users, of sessions of assumed roles, and e-mail addresses. No count is changed by it. Not touched: names \
         of roles, groups, accounts, buckets and other resources, and of people who made or reviewed packs, scopes and reports."
    )
}
