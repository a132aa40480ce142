//! AWS's reports that auditors may have, as the rooms of engagements list them.

use sqlx::{FromRow, PgConnection};
use time::Date;

use super::content::MediaType;
use crate::artifact::facts::Facts;
use crate::web::address::Encoded;

/// A report that was released to auditors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Released {
    pub file_id: i64,
    pub name: String,
    pub report_id: String,
    pub version: i64,
    /// The days that AWS gives, where it gives both.
    pub days: Option<(Date, Date)>,
    pub size_bytes: i64,
    pub sha256: Vec<u8>,
    /// Where it is handed out.
    pub path: String,
}

#[derive(Debug, FromRow)]
struct Row {
    artifact_file_id: i64,
    report_id: String,
    version: i64,
    media_type: String,
    size_bytes: i64,
    sha256: Vec<u8>,
    facts: Option<sqlx::types::Json<serde_json::Map<String, serde_json::Value>>>,
}

/// Reports that are released now; in a room as far as it shows them.
pub async fn released(db: &mut PgConnection, organization_id: i16) -> sqlx::Result<Vec<Released>> {
    let rows: Vec<Row> = sqlx::query_as(
        "select f.artifact_file_id, f.report_id, f.version, d.media_type, d.size_bytes, d.sha256, v.facts
         from artifact_file f join artifact_document d using (artifact_document_id)
         join artifact_release r on r.artifact_file_id = f.artifact_file_id and r.withdrawn_at is null
         left join artifact_version v on v.organization_id = f.organization_id and v.report_id = f.report_id
             and v.version = f.version and v.until_reading is null
         where f.organization_id = $1 order by f.report_id, f.version desc, f.artifact_file_id desc limit 500",
    )
    .bind(organization_id)
    .fetch_all(db)
    .await?;
    let released = rows.into_iter().map(|row| {
        let facts = row.facts.map(|facts| Facts::of(facts.0).0).unwrap_or_default();
        let ending = MediaType::parse(&row.media_type).unwrap_or(MediaType::Pdf).ending();
        let name = format!("{}-{}.{ending}", row.report_id, row.version);
        Released {
            file_id: row.artifact_file_id,
            path: format!("/artifact/files/{}/{}", row.artifact_file_id, Encoded(&name)),
            name: match facts.text("name") {
                "" => row.report_id.clone(),
                name => name.to_owned(),
            },
            report_id: row.report_id,
            version: row.version,
            days: facts.day("periodStart").zip(facts.day("periodEnd")).filter(|(first, last)| first <= last),
            size_bytes: row.size_bytes,
            sha256: row.sha256,
        }
    });
    Ok(released.collect())
}
