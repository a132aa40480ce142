//! The e-mail that tells of a decision: its text, and the job that sends it.

use std::fmt::Write as _;

use anyhow::Context as _;
use serde::Deserialize;

use super::db::{self, Digest, Notice};
use super::kind::Kind;
use crate::State;
use crate::jobs::{self, Job};
use crate::web::format;

/// What is to be sent; the payload of a job of kind digest.
#[derive(Debug, Deserialize)]
struct Asked {
    decision: i64,
    /// The organisation's name.
    organization: String,
}

/// Notices that a digest names; the others are counted.
const NAMED: usize = 100;

/// Carries out a job of kind digest; see [`jobs`]. A message that was accepted by the server before a crash may be sent
/// again, under the same Message-ID.
pub async fn send(state: State, job: Job) -> anyhow::Result<()> {
    let mail = state.duties.mail.as_ref().context("this program is not set up to send e-mail")?;
    let asked: Asked = serde_json::from_value(job.payload).context("reading what is to be sent")?;
    let mut tx = crate::database::read_only(&state.db).await?;
    let digest = db::digest(&mut tx, asked.decision).await?.context("there is no such digest")?;
    let (opened, closed) = db::decided(&mut tx, asked.decision).await?;
    tx.commit().await?;
    if digest.sent_at.is_none() {
        let subject = subject(&asked.organization, opened.len(), closed.len());
        let text = text(&asked.organization, mail.portal(), &digest, &opened, &closed);
        mail.send(&digest.message_id, &subject, text).await?;
    }
    let mut tx = state.db.begin().await?;
    db::sent(&mut tx, asked.decision, i32::try_from(mail.recipients()).unwrap_or(i32::MAX)).await?;
    anyhow::ensure!(jobs::finish(&mut tx, job.claim, "notices").await?, "another worker has taken the job up");
    tx.commit().await?;
    Ok(())
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// One line, read from one end to the other: what comes from elsewhere must not begin another line, nor turn around the
/// words after it.
fn line(text: &str) -> String {
    let turns = |letter| matches!(letter, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|letter| if letter.is_control() || turns(letter) { ' ' } else { letter }).collect()
}

fn subject(organization: &str, opened: usize, closed: usize) -> String {
    let news = match (opened, closed) {
        (0, closed) => format!("{} closed", format::plural(count(closed), "notice")),
        (opened, 0) => format::plural(count(opened), "new notice"),
        (opened, closed) => {
            format!("{}, {} closed", format::plural(count(opened), "new notice"), format::count(count(closed)))
        }
    };
    format!("Auditfolio: {news} – {}", line(organization))
}

/// The message, in plain text.
fn text(organization: &str, portal: Option<&str>, digest: &Digest, opened: &[Notice], closed: &[Notice]) -> String {
    let mut text = String::new();
    let after = digest
        .collection_id
        .map_or_else(|| "a collection, or a reading of Artifact".to_owned(), |id| format!("collection {id}"));
    let _ = writeln!(text, "{}\nAfter {after}, {}.", line(organization), format::at(digest.decided_at));
    if !opened.is_empty() {
        let _ = writeln!(text, "\nNEW: {}", format::count(count(opened.len())));
    }
    for kind in Kind::ALL {
        let of_kind: Vec<&Notice> = opened.iter().filter(|notice| notice.kind == kind.word()).collect();
        if of_kind.is_empty() {
            continue;
        }
        let _ = writeln!(text, "\n{}", kind.title());
        for notice in of_kind.iter().take(NAMED) {
            let _ = writeln!(text, "- {}", line(&notice.sentence));
        }
        more(&mut text, of_kind.len());
    }
    if !closed.is_empty() {
        let _ = writeln!(text, "\nCLOSED: {}\n", format::count(count(closed.len())));
        for notice in closed.iter().take(NAMED) {
            let because = notice.closed_because.as_deref().unwrap_or_default();
            let _ = writeln!(text, "- {}. {because}", line(&notice.sentence));
        }
        more(&mut text, closed.len());
    }
    let _ = match portal {
        Some(portal) => writeln!(text, "\nAll notices: {portal}/notices"),
        None => writeln!(text, "\nThe portal has all of them on its page “Notices”."),
    };
    text
}

fn more(text: &mut String, all: usize) {
    if all > NAMED {
        let _ = writeln!(text, "- and {} more", format::count(count(all - NAMED)));
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn notice(kind: Kind, sentence: &str) -> Notice {
        Notice {
            notice_id: 1,
            kind: kind.word().to_owned(),
            about: String::new(),
            sentence: sentence.to_owned(),
            as_of_day: None,
            facts: serde_json::Value::Null,
            opened_at: datetime!(2026-11-22 06:00 UTC),
            opened_after: Some(4),
            closed_at: None,
            closed_after: None,
            closed_because: None,
            acknowledged_at: None,
            acknowledged_by: None,
        }
    }

    fn written(opened: &[Notice], closed: &[Notice]) -> String {
        let digest = Digest {
            message_id: "<1@example.com>".to_owned(),
            sent_at: None,
            collection_id: Some(4),
            decided_at: datetime!(2026-11-22 06:00 UTC),
        };
        text("Example", Some("https://audit.example.com"), &digest, opened, closed)
    }

    #[test]
    fn the_subject_counts_what_is_new_and_what_is_over() {
        assert_eq!(subject("Example", 1, 0), "Auditfolio: 1 new notice – Example");
        assert_eq!(subject("Example", 3, 2), "Auditfolio: 3 new notices, 2 closed – Example");
        assert_eq!(subject("Exa\r\nBcc: x", 0, 1), "Auditfolio: 1 notice closed – Exa  Bcc: x");
        assert_eq!(subject("Exa\u{202e}elpm\u{2028}X", 1, 0), "Auditfolio: 1 new notice – Exa elpm X");
    }

    #[test]
    fn the_text_names_what_is_new_by_kind_and_why_others_are_closed() {
        let over = Notice {
            closed_because: Some("A later collection finished.".to_owned()),
            ..notice(Kind::CollectionFailed, "Collection 3 failed: no such folder")
        };
        let opened = [notice(Kind::RuleGone, "a is gone"), notice(Kind::CriticalFailing, "b newly fails\nin x")];
        assert_eq!(
            written(&opened, &[over]),
            "Example\nAfter collection 4, 22 Nov 2026 06:00:00 UTC.\n\nNEW: 2\n\nCritical rule newly failing\n\
             - b newly fails in x\n\nRule gone\n- a is gone\n\nCLOSED: 1\n\n\
             - Collection 3 failed: no such folder. A later collection finished.\n\n\
             All notices: https://audit.example.com/notices\n"
        );
    }

    #[test]
    fn a_flood_is_counted_and_not_listed() {
        let flood: Vec<Notice> = (0..103).map(|n| notice(Kind::PlaceSilent, &format!("place {n}"))).collect();
        let text = written(&flood, &[]);
        assert!(text.contains("NEW: 103") && text.contains("- and 3 more"), "{text}");
        assert_eq!(text.matches("- place").count(), 100);
    }
}
