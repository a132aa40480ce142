//! Is this file a pack of this installation, unchanged?

use sqlx::PgPool;

use super::db::{self, Stored};
use super::sign::{hex, sha256, verifies};

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// A stored pack (or the ZIP beside one), byte for byte.
    Unchanged {
        pack_id: String,
        title: String,
        key_id: Option<String>,
    },
    /// Signed by a key of this installation, but not in its store.
    SignedOnly {
        key_id: String,
    },
    /// It names a pack of this installation and is not that pack.
    Altered {
        pack_id: String,
        how: String,
    },
    /// A stored pack (or the ZIP beside one), byte for byte, with a signature that is not its own.
    OtherSignature {
        pack_id: String,
    },
    NotOurs,
}

impl Verdict {
    /// The pack of this installation that the file is, or says that it is.
    pub fn pack_id(&self) -> Option<&str> {
        match self {
            Self::Unchanged { pack_id, .. } | Self::Altered { pack_id, .. } | Self::OtherSignature { pack_id } => {
                Some(pack_id)
            }
            Self::SignedOnly { .. } | Self::NotOurs => None,
        }
    }

    /// Whether the file is one that this installation signed, unchanged; whether its pack still stands is another question.
    pub fn genuine(&self) -> bool {
        matches!(self, Self::Unchanged { .. } | Self::SignedOnly { .. })
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unchanged { pack_id, title, key_id } => {
                write!(f, "pack of this installation, unchanged: {pack_id} {title:?}")?;
                match key_id {
                    Some(key_id) => write!(f, ", its signature verifies with key {key_id}"),
                    None => f.write_str(" (the ZIP beside it)"),
                }
            }
            Self::SignedOnly { key_id } => write!(
                f,
                "signed by this installation and unchanged since (key {key_id}), but not among the packs in its database"
            ),
            Self::Altered { pack_id, how } => write!(f, "altered: it says that it is pack {pack_id}, but {how}"),
            Self::OtherSignature { pack_id } => write!(
                f,
                "the file is pack {pack_id} of this installation, unchanged, but the signature given with it is not the pack's: do not pass it on"
            ),
            Self::NotOurs => f.write_str("not a pack of this installation"),
        }
    }
}

/// Looks the bytes up by SHA-256 and holds `signature` against the pack's own, else tries it with every key of the installation, and else looks for the id of a
/// pack inside.
pub async fn verify(db: &PgPool, bytes: &[u8], signature: Option<&[u8]>) -> anyhow::Result<Verdict> {
    let hash = sha256(bytes);
    if let Some(stored) = db::by_sha256(db, &hash).await? {
        return unchanged(db, bytes, &hash, stored, signature).await;
    }
    for (key_id, public_key) in db::public_keys(db).await? {
        if signature.is_some_and(|signature| verifies(&public_key, bytes, signature)) {
            return Ok(Verdict::SignedOnly { key_id });
        }
    }
    for pack_id in ids_inside(bytes) {
        if let Some(stored) = db::find(db, &pack_id).await? {
            let how = format!(
                "its SHA-256 is {} where {} was issued ({} bytes where {} were)",
                hex(&hash),
                hex(&stored.pdf_sha256),
                bytes.len(),
                stored.pdf_bytes
            );
            return Ok(Verdict::Altered { pack_id, how });
        }
    }
    Ok(Verdict::NotOurs)
}

async fn unchanged(
    db: &PgPool,
    bytes: &[u8],
    hash: &[u8],
    stored: Stored,
    given: Option<&[u8]>,
) -> anyhow::Result<Verdict> {
    let Stored { pack_id, title, key_id, signature, pdf_sha256, .. } = stored;
    // Ed25519 signs the same bytes in one way only.
    if given.is_some_and(|given| given != signature) {
        return Ok(Verdict::OtherSignature { pack_id });
    }
    if pdf_sha256 != hash {
        return Ok(Verdict::Unchanged { pack_id, title, key_id: None });
    }
    let public_key = db::public_key(db, &key_id).await?;
    if public_key.is_some_and(|key| verifies(&key, bytes, &signature)) {
        Ok(Verdict::Unchanged { pack_id, title, key_id: Some(key_id) })
    } else {
        let how = format!("the stored signature does not verify with key {key_id}");
        Ok(Verdict::Altered { pack_id, how })
    }
}

/// Where a pack's file names its id: the identifier in the metadata, which is not compressed.
fn ids_inside(bytes: &[u8]) -> Vec<String> {
    const BEFORE: &[u8] = b"<dc:identifier>";
    memchr::memmem::find_iter(bytes, BEFORE)
        .filter_map(|at| bytes.get(at + BEFORE.len()..at + BEFORE.len() + 26))
        .filter_map(|id| std::str::from_utf8(id).ok())
        .filter(|id| id.starts_with("AF-"))
        .map(ToOwned::to_owned)
        .collect()
}
