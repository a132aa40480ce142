//! Reviews as they are kept: never altered, the newest of a version counts.

use sqlx::types::Json;
use sqlx::{FromRow, PgConnection};
use time::{Date, OffsetDateTime};

use super::review::{Opinion, Review, UserControl};

/// A review of a version.
#[derive(Debug, Clone, FromRow)]
pub(in crate::artifact) struct ReviewRow {
    pub(in crate::artifact) report_id: String,
    pub(in crate::artifact) version: i64,
    pub(in crate::artifact) reviewer: String,
    pub(in crate::artifact) reviewed_on: Date,
    opinion: String,
    pub(in crate::artifact) exceptions: String,
    user_entity_controls: Json<Vec<UserControl>>,
    pub(in crate::artifact) carve_outs: String,
    pub(in crate::artifact) conclusion: String,
    pub(in crate::artifact) next_due: Option<Date>,
    pub(in crate::artifact) recorded_by: String,
    pub(in crate::artifact) recorded_at: OffsetDateTime,
}

impl ReviewRow {
    /// The auditor's opinion; the store holds nothing else.
    pub(in crate::artifact) fn opinion(&self) -> Opinion {
        Opinion::parse(&self.opinion).unwrap_or(Opinion::None)
    }

    /// Whether it says all that another does.
    pub(super) fn says(&self, review: &Review) -> bool {
        self.reviewer == review.reviewer
            && self.reviewed_on == review.reviewed_on
            && self.opinion() == review.opinion
            && self.exceptions == review.exceptions
            && self.controls() == review.controls
            && self.carve_outs == review.carve_outs
            && self.conclusion == review.conclusion
            && self.next_due == review.next_due
    }

    pub(in crate::artifact) fn controls(&self) -> &[UserControl] {
        &self.user_entity_controls.0
    }
}

/// Reviews of one report, or of all, up to a moment where one is given: the newest of each version first.
pub(in crate::artifact) async fn reviews(
    db: &mut PgConnection,
    organization_id: i16,
    report_id: Option<&str>,
    until: Option<OffsetDateTime>,
) -> sqlx::Result<Vec<ReviewRow>> {
    sqlx::query_as(
        "select report_id, version, reviewer, reviewed_on, opinion, exceptions, user_entity_controls, carve_outs,
                conclusion, next_due, recorded_by, recorded_at
         from artifact_review
         where organization_id = $1 and ($2::text is null or report_id = $2) and ($3::timestamptz is null or recorded_at <= $3)
         order by report_id, version desc, artifact_review_id desc",
    )
    .bind(organization_id)
    .bind(report_id)
    .bind(until)
    .fetch_all(db)
    .await
}

/// Keeps a review and gives its number.
pub(super) async fn insert(
    tx: &mut PgConnection,
    organization_id: i16,
    (report_id, version): (&str, i64),
    review: &Review,
    recorded_by: &str,
) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "insert into artifact_review (organization_id, report_id, version, reviewer, reviewed_on, opinion, exceptions,
                                      user_entity_controls, carve_outs, conclusion, next_due, recorded_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) returning artifact_review_id",
    )
    .bind(organization_id)
    .bind(report_id)
    .bind(version)
    .bind(&review.reviewer)
    .bind(review.reviewed_on)
    .bind(review.opinion.slug())
    .bind(&review.exceptions)
    .bind(Json(&review.controls))
    .bind(&review.carve_outs)
    .bind(&review.conclusion)
    .bind(review.next_due)
    .bind(recorded_by)
    .fetch_one(tx)
    .await
}
