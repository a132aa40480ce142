//! The ZIP beside a pack, and what it says of itself.

use super::content::moment;
use super::csv::Finished;
use super::db::Key;
use super::model::{Pack, Stage};
use super::names::{self, Names};
use super::pdf::Rendered;
use super::sign;
use super::zip::{Entry, zip};
use crate::audit_log::Checkpoint;

/// The ZIP beside the PDF: its attachments, the key, the signature, the audit log's checkpoint, and how to use them.
pub(super) fn bundle(
    pack: &Pack,
    files: &[Finished],
    key: &Key,
    rendered: &Rendered,
    signature: &[u8],
) -> anyhow::Result<Vec<u8>> {
    let names = Names::of(&pack.cover.pack_id);
    let readme = readme(pack, &names, &sign::sha256_hex(&rendered.bytes));
    let pem = sign::pem(&key.public_key);
    let checkpoint = pack.cover.checkpoint.json() + "\n";
    let mut entries = vec![
        Entry::Plain("README.txt", readme.as_bytes()),
        Entry::Plain(names::KEY, pem.as_bytes()),
        Entry::Plain(&names.signature, signature),
        Entry::Plain(names::CHECKPOINT, checkpoint.as_bytes()),
    ];
    entries.extend(files.iter().map(|file| Entry::Zlib(&file.fact.name, &file.zlib)));
    zip(&entries)
}

fn readme(pack: &Pack, names: &Names, sha256: &str) -> String {
    let cover = &pack.cover;
    let mut text = format!(
        "{}{}\n{}, {}\nPack {}, generated {}\n{}\n\
         The files beside the pack {}. The same CSV files are inside the PDF.\n\n\
         SHA-256 of {}:\n  {sha256}\n\n\
         Check that the pack is the one that the installation signed (OpenSSL 3):\n  \
         openssl pkeyutl -verify -pubin -inkey {} -rawin -in {} -sigfile {}\n\
         Check the key against a fingerprint that you were given on another way:\n  \
         openssl pkey -pubin -in {} -outform DER | sha256sum\n  {}\n\nFiles, rows without the header, SHA-256:\n",
        if cover.stage == Stage::Draft { "DRAFT: not reviewed, not a final pack.\n" } else { "" },
        cover.title,
        cover.organization,
        cover.days(),
        cover.pack_id,
        moment(cover.generated),
        said(pack),
        names.pdf,
        names.pdf,
        names::KEY,
        names.pdf,
        names.signature,
        names::KEY,
        pack.key_fingerprint,
    );
    for file in &pack.attachments {
        let line = format!("  {}  {} rows, {} bytes\n    {}\n", file.name, file.rows, file.bytes, file.sha256);
        text.push_str(&line);
    }
    let Checkpoint { entries, head, .. } = &cover.checkpoint;
    let line = format!(
        "\nThe installation's audit log at that time, in {}: {entries} entries, hash of the last\n  {head}\n\
         Whether the log up to there is still the same:\n  auditfolio audit verify --checkpoint {}\n",
        names::CHECKPOINT,
        names::CHECKPOINT,
    );
    text.push_str(&line);
    text.push_str("\nCSV: text that a spreadsheet would take for a formula has a ' before it.\n");
    text
}

/// State, classification and recipient, a line each.
fn said(pack: &Pack) -> String {
    let cover = &pack.cover;
    let state = match &cover.stage {
        Stage::Draft => "draft".to_owned(),
        Stage::Final(of) => format!(
            "final, prepared by {}, reviewed by {}, made of draft {}",
            of.preparer.identity, of.reviewer.identity, of.draft
        ),
    };
    let recipient = if cover.recipient.is_empty() { "not named" } else { &cover.recipient };
    format!("State: {state}\nClassification: {}\nRecipient: {recipient}\n", cover.classification)
}
