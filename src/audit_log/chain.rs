//! The chain that the audit log is: what is hashed of an entry, and how far the log had come. Pure.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::packs::sign::sha256;
use crate::web::format::hex;

/// What stands before the first link.
pub const NOTHING: [u8; 32] = [0; 32];

/// An entry as it stands in the log. Times are UTC to the microsecond, as they are hashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// `None` where the stored time is none that anybody could have written.
    pub at: Option<String>,
    pub actor: String,
    pub actor_kind: String,
    pub act: String,
    pub object: String,
    /// JSON as Postgres writes it.
    pub detail: String,
    pub remote: Option<String>,
    pub request_id: Option<String>,
}

/// An entry's link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// From 1, without a gap.
    pub position: i64,
    pub audit_log_id: i64,
    pub previous: Vec<u8>,
    /// `None` as in [`Written::at`].
    pub linked_at: Option<String>,
    /// `commit`, or `upgrade` for entries that were there before the chain was.
    pub linked_by: String,
    pub hash: Vec<u8>,
}

/// A link with the entry that it is of; `None` where that is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linked {
    pub link: Link,
    pub entry: Option<Written>,
}

/// The text whose bytes are hashed: the entry's line of the log as JSON lines, up to its hash.
///
/// Function `audit_link_text` of the database writes the same when the link is made.
pub fn hashed_text(link: &Link, entry: &Written) -> String {
    let mut text = String::with_capacity(512);
    let _ = write!(text, "{{\"position\":{},\"previous\":\"{}\"", link.position, hex(&link.previous));
    put(&mut text, "linked_at", link.linked_at.as_deref());
    put(&mut text, "linked_by", Some(&link.linked_by));
    let _ = write!(text, ",\"audit_log_id\":{}", link.audit_log_id);
    put(&mut text, "at", entry.at.as_deref());
    put(&mut text, "actor", Some(&entry.actor));
    put(&mut text, "actor_kind", Some(&entry.actor_kind));
    put(&mut text, "act", Some(&entry.act));
    put(&mut text, "object", Some(&entry.object));
    text.push_str(",\"detail\":");
    text.push_str(&entry.detail);
    put(&mut text, "remote", entry.remote.as_deref());
    put(&mut text, "request_id", entry.request_id.as_deref());
    text
}

fn put(text: &mut String, name: &str, value: Option<&str>) {
    let value = value.map_or_else(|| "null".to_owned(), |value| serde_json::Value::from(value).to_string());
    let _ = write!(text, ",\"{name}\":{value}");
}

/// An entry's line of the log as JSON lines, without the line break.
pub fn line(link: &Link, entry: &Written) -> String {
    format!("{},\"hash\":\"{}\"}}", hashed_text(link, entry), hex(&link.hash))
}

/// Whether an entry is what was hashed when its link was made.
pub(super) fn fits(link: &Link, entry: &Written) -> bool {
    sha256(hashed_text(link, entry).as_bytes()).as_slice() == link.hash
}

/// How far the log had come at a moment: whoever keeps it elsewhere can tell later whether the log up to there is the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// Entries in the chain.
    pub entries: i64,
    /// The hash of the last one's link, in hexadecimal digits; zeros where there is none.
    pub head: String,
    /// When that link was made, UTC; `None` where there is none.
    #[serde(default)]
    pub linked_at: Option<String>,
}

impl Checkpoint {
    /// Before the first entry.
    pub fn empty() -> Self {
        Self { entries: 0, head: hex(&NOTHING), linked_at: None }
    }

    /// As it stands in a file: one line of JSON.
    pub fn json(&self) -> String {
        serde_json::json!({ "entries": self.entries, "head": self.head, "linked_at": self.linked_at }).to_string()
    }

    /// Reads [`Self::json`], or `ENTRIES:HEAD` as somebody types it from paper.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let read = match text.split_once(':') {
            Some((entries, head)) if !text.starts_with('{') => {
                let entries =
                    entries.parse().map_err(|error| format!("{entries:?} is no number of entries: {error}"))?;
                Self { entries, head: head.to_ascii_lowercase(), linked_at: None }
            }
            _ => serde_json::from_str(text).map_err(|error| {
                format!("not a checkpoint like {{\"entries\":12,\"head\":\"64 hexadecimal digits\"}}: {error}")
            })?,
        };
        let is_hash = read.head.len() == 64 && read.head.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !is_hash || read.entries < 0 || (read.entries == 0) != (read.head == hex(&NOTHING)) {
            return Err(
                "not a checkpoint: a number of entries and the 64 hexadecimal digits of the last one's hash".to_owned()
            );
        }
        Ok(read)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::audit_log) fn written(act: &str) -> Written {
        Written {
            at: Some("2026-11-30T20:00:00.000001Z".to_owned()),
            actor: "somebody \"x\"\n\u{202e}<b>".to_owned(),
            actor_kind: "demo".to_owned(),
            act: act.to_owned(),
            object: String::new(),
            detail: "{\"a\": 1.50}".to_owned(),
            remote: None,
            request_id: Some("00ff".to_owned()),
        }
    }

    pub(in crate::audit_log) fn chain(length: i64) -> Vec<Linked> {
        let mut previous = NOTHING.to_vec();
        (1..=length)
            .map(|position| {
                let linked_at = Some("2026-11-30T20:00:01.000000Z".to_owned());
                let (audit_log_id, linked_by) = (position * 2, "commit".to_owned());
                let mut link =
                    Link { position, audit_log_id, previous: previous.clone(), linked_at, linked_by, hash: vec![] };
                let entry = written(&format!("act {position}"));
                link.hash = sha256(hashed_text(&link, &entry).as_bytes()).to_vec();
                previous.clone_from(&link.hash);
                Linked { link, entry: Some(entry) }
            })
            .collect()
    }

    #[test]
    fn a_line_is_json_and_its_beginning_is_what_was_hashed() {
        let Linked { link, entry } = chain(1).remove(0);
        let line = line(&link, &entry.expect("it has one"));
        assert!(!line.contains('\n'), "{line}");
        let value: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(value["actor"], "somebody \"x\"\n\u{202e}<b>");
        assert_eq!(value["remote"], serde_json::Value::Null);
        let (said, hash) = line.rsplit_once(",\"hash\":").expect("the hash is last");
        assert_eq!(format!("\"{}\"}}", hex(&sha256(said.as_bytes()))), hash);
    }

    #[test]
    fn a_checkpoint_is_read_from_its_file_and_from_paper() {
        let checkpoint = Checkpoint { entries: 7, head: "ab".repeat(32), linked_at: None };
        assert_eq!(Checkpoint::parse(&checkpoint.json()), Ok(checkpoint.clone()));
        assert_eq!(Checkpoint::parse(&format!("7:{}\n", "AB".repeat(32))), Ok(checkpoint));
        assert_eq!(Checkpoint::parse(&Checkpoint::empty().json()), Ok(Checkpoint::empty()));
        for wrong in [
            "",
            "7",
            "7:ab",
            "x:00",
            "{\"entries\":7}",
            &format!("0:{}", "ab".repeat(32)),
            &format!("3:{}", "00".repeat(32)),
        ] {
            assert!(Checkpoint::parse(wrong).is_err(), "{wrong}");
        }
    }
}
