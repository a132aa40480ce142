//! Recorded agreements as they are kept: withdrawn with a reason, never removed.

use sqlx::{FromRow, PgConnection};
use time::{Date, OffsetDateTime};

use super::form::Offline;

/// A BAA that somebody recorded.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub(in crate::artifact) struct OfflineRow {
    pub(in crate::artifact) artifact_offline_agreement_id: i64,
    pub(in crate::artifact) organization_id: i16,
    /// `None`: every account of the organisation.
    pub(in crate::artifact) account_id: Option<String>,
    pub(in crate::artifact) title: String,
    pub(in crate::artifact) effective_from: Date,
    pub(in crate::artifact) effective_until: Option<Date>,
    pub(in crate::artifact) note: String,
    pub(in crate::artifact) artifact_document_id: i64,
    pub(in crate::artifact) media_type: String,
    pub(in crate::artifact) size_bytes: i64,
    pub(in crate::artifact) sha256: Vec<u8>,
    pub(in crate::artifact) recorded_by: String,
    pub(in crate::artifact) recorded_at: OffsetDateTime,
    pub(in crate::artifact) withdrawn_by: Option<String>,
    pub(in crate::artifact) withdrawn_at: Option<OffsetDateTime>,
    pub(in crate::artifact) withdrawn_because: Option<String>,
}

impl OfflineRow {
    /// Whether it is in force for an account on a day; as far as was known at a moment, where one is given.
    pub(in crate::artifact) fn holds(&self, account_id: &str, day: Date, known_at: Option<OffsetDateTime>) -> bool {
        self.account_id.as_deref().is_none_or(|of| of == account_id)
            && self.effective_from <= day
            && self.effective_until.is_none_or(|until| until > day)
            && self.withdrawn_at.is_none_or(|at| known_at.is_some_and(|known_at| at > known_at))
    }
}

/// What was recorded, up to a moment where one is given, withdrawn or not; the newest first.
pub(in crate::artifact) async fn offline(
    db: &mut PgConnection,
    organization_id: i16,
    until: Option<OffsetDateTime>,
) -> sqlx::Result<Vec<OfflineRow>> {
    sqlx::query_as(
        "select o.artifact_offline_agreement_id, o.organization_id, o.account_id, o.title, o.effective_from,
                o.effective_until, o.note, o.artifact_document_id, d.media_type, d.size_bytes, d.sha256, o.recorded_by,
                o.recorded_at, o.withdrawn_by, o.withdrawn_at, o.withdrawn_because
         from artifact_offline_agreement o join artifact_document d using (artifact_document_id)
         where o.organization_id = $1 and ($2::timestamptz is null or o.recorded_at <= $2) order by o.artifact_offline_agreement_id desc",
    )
    .bind(organization_id)
    .bind(until)
    .fetch_all(db)
    .await
}

pub(super) async fn insert(
    tx: &mut PgConnection,
    organization_id: i16,
    said: &Offline,
    document_id: i64,
    recorded_by: &str,
) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "insert into artifact_offline_agreement (organization_id, account_id, title, effective_from, effective_until, note,
                                                 artifact_document_id, recorded_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8) returning artifact_offline_agreement_id",
    )
    .bind(organization_id)
    .bind(&said.account_id)
    .bind(&said.title)
    .bind(said.from)
    .bind(said.until)
    .bind(&said.note)
    .bind(document_id)
    .bind(recorded_by)
    .fetch_one(tx)
    .await
}

/// Withdraws one that should not have been recorded. False: it is withdrawn already, or not there.
pub(super) async fn withdraw(
    tx: &mut PgConnection,
    (organization_id, id): (i16, i64),
    by: &str,
    because: &str,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "update artifact_offline_agreement
         set withdrawn_by = $3, withdrawn_at = clock_timestamp(), withdrawn_because = $4
         where organization_id = $1 and artifact_offline_agreement_id = $2 and withdrawn_at is null",
    )
    .bind(organization_id)
    .bind(id)
    .bind(by)
    .bind(because)
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}
