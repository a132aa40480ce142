//! What AWS Artifact says of AWS itself: reports (SOC, PCI, ISO) with the days they speak for, and agreements (BAA).

mod agreement_rows;
mod agreements;
mod agreements_page;
mod classify;
pub mod command;
mod db;
mod documents;
mod facts;
mod history;
mod import;
mod job;
mod keep;
mod kind;
mod letters;
mod notices;
mod offline;
pub mod page;
mod period_gaps;
mod periods;
mod records;
mod report_page;
mod report_rows;
mod said;
mod settings;
mod speaking;
mod standing;
mod sync;
mod told;

pub(crate) use documents::db::{store, stream};
pub use documents::job::carry_out as carry_out_document;
pub use documents::released::{Released, released};
pub use job::{carry_out, keep, look};
pub use letters::LETTER_MONTHS;
pub use notices::decide as decide_notices;
pub use offline::sample::mark as mark_sample;
pub use said::{AccountSaid, Asked, GapSaid, KindSaid, ReviewSaid, Said, VersionSaid, said};
pub use settings::{ArtifactArgs, ArtifactSettings, Syncing};

/// What a document is, by its content: the media type of a whole PDF or ZIP.
///
/// # Errors
///
/// It is neither, in words.
pub(crate) fn media_type(bytes: &[u8]) -> Result<&'static str, String> {
    documents::content::MediaType::of(bytes).map(documents::content::MediaType::word)
}

/// Whether a folder's answers, by its name, are kept for an organisation.
pub async fn is_read(db: &sqlx::PgPool, organization: &str, source: &str) -> sqlx::Result<bool> {
    db::is_read(db, organization, source).await
}
