//! What AWS Artifact says of AWS itself: reports (SOC, PCI, ISO) with the days they speak for, and agreements (BAA).

mod agreements;
mod agreements_page;
mod classify;
pub mod command;
mod db;
mod facts;
mod history;
mod import;
mod kind;
pub mod page;
mod periods;
mod report_page;
mod speaking;

/// Whether a folder's answers, by its name, are kept for an organisation.
pub async fn is_read(db: &sqlx::PgPool, organization: &str, source: &str) -> sqlx::Result<bool> {
    db::is_read(db, organization, source).await
}
