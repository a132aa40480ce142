//! What a pack says of itself beside the evidence: whether it is a draft, who stands for it, what it is for. Plain data.

use time::OffsetDateTime;

/// Whether a pack is a draft, or who stands for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    Draft,
    Final(Box<Finality>),
}

impl Stage {
    /// The word that stands for it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Final(_) => "final",
        }
    }
}

/// Who prepared and who reviewed a final pack, and the draft that it is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finality {
    pub preparer: Signer,
    pub reviewer: Signer,
    /// The draft's id.
    pub draft: String,
    /// Of the draft's PDF, in hex.
    pub draft_sha256: String,
    /// The draft's printed clock: what no collection brings is as of then in the final pack too.
    pub draft_printed: OffsetDateTime,
    /// What the preparer said with the proposal.
    pub note: Option<String>,
}

/// Somebody who stands for a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    pub identity: String,
    /// What they were then, in words.
    pub role: Option<String>,
    /// A demo identity is not authenticated.
    pub demo: bool,
    pub at: OffsetDateTime,
}

/// The engagement that a pack is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForEngagement {
    pub engagement_id: i64,
    pub title: String,
    /// What changed of its terms after its room had opened, one a line.
    pub changes: Vec<String>,
}
