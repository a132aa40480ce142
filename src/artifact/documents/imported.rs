//! Documents that lay beside AWS's answers, and what people recorded elsewhere of them: kept once, marked as imported.

use sqlx::PgConnection;

use super::content::MediaType;
use super::db::{self, FileRow, NewFile, Which};
use super::review::Review;
use super::review_db;
use crate::artifact::records::{Acceptance, Release};
use crate::artifact::told::VersionKey;
use crate::audit_log::{self, Entry};
use crate::web::format;

/// A document as a file holds it.
#[derive(Debug)]
pub(in crate::artifact) struct Document {
    pub(in crate::artifact) media_type: MediaType,
    pub(in crate::artifact) bytes: Vec<u8>,
}

/// What lay beside the answers of one version.
#[derive(Debug, Default)]
pub(in crate::artifact) struct Beside {
    pub(in crate::artifact) report: Option<Document>,
    pub(in crate::artifact) terms: Option<Document>,
    pub(in crate::artifact) acceptance: Option<Acceptance>,
    pub(in crate::artifact) review: Option<Review>,
    pub(in crate::artifact) release: Option<Release>,
}

impl Beside {
    /// Takes in what else was read.
    pub(in crate::artifact) fn add(&mut self, more: Self) {
        let Self { report, terms, acceptance, review, release } = more;
        self.report = report.or(self.report.take());
        self.terms = terms.or(self.terms.take());
        self.acceptance = acceptance.or(self.acceptance.take());
        self.review = review.or(self.review.take());
        self.release = release.or(self.release.take());
    }
}

/// How much of it was new.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(in crate::artifact) struct Kept {
    pub(in crate::artifact) documents: usize,
    pub(in crate::artifact) records: usize,
}

/// Where it goes, and who brings it from where.
#[derive(Debug, Clone, Copy)]
pub(in crate::artifact) struct Origin<'a> {
    pub(in crate::artifact) organization_id: i16,
    pub(in crate::artifact) source: &'a str,
    pub(in crate::artifact) operator: &'a str,
}

impl Origin<'_> {
    /// Who answers for a record that was made elsewhere.
    fn words(&self) -> String {
        format!("{}, imported from the folder {}", self.operator, self.source)
    }
}

/// Keeps what lay beside a version's answers; what is kept already is not kept twice, whatever came after it. What cannot
/// be kept is among the problems.
pub(in crate::artifact) async fn keep(
    tx: &mut PgConnection,
    from: Origin<'_>,
    key: &VersionKey,
    beside: &Beside,
    problems: &mut Vec<String>,
) -> anyhow::Result<Kept> {
    let mut kept = Kept::default();
    let held = held(tx, from.organization_id, key).await?;
    keep_document(tx, from, key, beside, held, &mut kept, problems).await?;
    if let Some(review) = &beside.review {
        kept.records += usize::from(keep_review(tx, from, key, review).await?);
    }
    if let Some(release) = &beside.release {
        match self::held(tx, from.organization_id, key).await?.first() {
            Some(newest) => kept.records += usize::from(keep_release(tx, from, newest, release).await?),
            None => problems.push(format!("release-{}-{}.json: no document is stored to be released", key.0, key.1)),
        }
    }
    Ok(kept)
}

/// The version's files, the newest first.
async fn held(tx: &mut PgConnection, organization_id: i16, key: &VersionKey) -> sqlx::Result<Vec<FileRow>> {
    let mut files = db::files(tx, Which::Of { organization_id, report_id: Some(&key.0), until: None }).await?;
    files.retain(|file| file.version == key.1);
    Ok(files)
}

async fn keep_document(
    tx: &mut PgConnection,
    from: Origin<'_>,
    key: &VersionKey,
    beside: &Beside,
    held: Vec<FileRow>,
    kept: &mut Kept,
    problems: &mut Vec<String>,
) -> anyhow::Result<()> {
    let sha256 = |document: &Document| ring::digest::digest(&ring::digest::SHA256, &document.bytes);
    let accepted = beside.acceptance.as_ref().zip(beside.terms.as_ref());
    let is_accepted = |file: &FileRow| {
        accepted.is_none_or(|(acceptance, terms)| {
            file.accepted_by.as_ref() == Some(&acceptance.accepted_by)
                && file.accepted_at == Some(acceptance.accepted_at)
                && file.terms_sha256.as_deref() == Some(sha256(terms).as_ref())
        })
    };
    let same = |file: &FileRow| beside.report.as_ref().is_none_or(|report| file.sha256 == sha256(report).as_ref());
    // Without an acceptance only the newest counts: bytes that came back are a new file.
    let known = if accepted.is_some() { held.as_slice() } else { held.get(..1).unwrap_or_default() };
    if known.iter().any(|file| same(file) && is_accepted(file)) || (beside.report.is_none() && accepted.is_none()) {
        return Ok(());
    }
    let document_id = match (&beside.report, held.iter().find(|file| same(file))) {
        (_, Some(file)) => file.artifact_document_id,
        (Some(report), None) => {
            kept.documents += 1;
            db::store(tx, from.organization_id, report.media_type.word(), &report.bytes).await?
        }
        (None, None) => {
            problems.push(format!("acceptance-{}-{}.json: no document is stored that was accepted", key.0, key.1));
            return Ok(());
        }
    };
    let terms_id = match accepted {
        None => None,
        Some(accepted) => Some(keep_acceptance(tx, from, key, accepted).await?),
    };
    kept.records += usize::from(terms_id.is_some());
    let (organization_id, source, stored_by) = (from.organization_id, from.source, from.operator);
    let (report_id, version) = (key.0.as_str(), key.1);
    let new = NewFile { organization_id, report_id, version, document_id, terms_id, source, stored_by };
    db::insert_file(tx, &new).await?;
    Ok(())
}

async fn keep_acceptance(
    tx: &mut PgConnection,
    from: Origin<'_>,
    key: &VersionKey,
    (acceptance, terms): (&Acceptance, &Document),
) -> anyhow::Result<i64> {
    let document_id = db::store(tx, from.organization_id, terms.media_type.word(), &terms.bytes).await?;
    let of = (key.0.as_str(), key.1);
    let accepted = (acceptance.accepted_by.as_str(), acceptance.accepted_at);
    let terms_id =
        db::insert_accepted_elsewhere(tx, from.organization_id, of, document_id, &from.words(), accepted).await?;
    let detail = serde_json::json!({
        "report": key.0, "version": key.1, "source": from.source, "accepted_by": acceptance.accepted_by,
        "accepted_at": format::at(acceptance.accepted_at),
        "terms_sha256": format::hex(ring::digest::digest(&ring::digest::SHA256, &terms.bytes).as_ref()),
    });
    let entry = Entry::by_operator("import acceptance of terms", format!("terms {terms_id}")).detail(detail);
    audit_log::record(tx, &entry).await?;
    Ok(terms_id)
}

/// False: there is such a review already, which a later one may follow.
async fn keep_review(
    tx: &mut PgConnection,
    from: Origin<'_>,
    key: &VersionKey,
    review: &Review,
) -> anyhow::Result<bool> {
    let reviews = review_db::reviews(tx, from.organization_id, Some(&key.0), None).await?;
    if reviews.iter().any(|row| row.version == key.1 && row.says(review)) {
        return Ok(false);
    }
    let of = (key.0.as_str(), key.1);
    let id = review_db::insert(tx, from.organization_id, of, review, &from.words()).await?;
    let detail = serde_json::json!({ "report": key.0, "version": key.1, "source": from.source,
                                     "reviewer": review.reviewer, "opinion": review.opinion.slug(),
                                     "conclusion": review.conclusion });
    let entry = Entry::by_operator("import review of report", format!("review {id}")).detail(detail);
    audit_log::record(tx, &entry).await?;
    Ok(true)
}

/// False: it was released so before; a release that was withdrawn does not come back.
async fn keep_release(
    tx: &mut PgConnection,
    from: Origin<'_>,
    file: &FileRow,
    release: &Release,
) -> anyhow::Result<bool> {
    let by = format!("{} ({})", release.released_by, from.words());
    let of = (file.report_id.as_str(), file.version);
    if db::was_released(tx, file.organization_id, of, (&release.released_by, &release.reason)).await?
        || !db::release(tx, file.artifact_file_id, &by, &release.reason).await?
    {
        return Ok(false);
    }
    let detail = serde_json::json!({ "report": of.0, "version": of.1, "source": from.source,
                                     "released_by": release.released_by, "reason": release.reason });
    let object = format!("file {}", file.artifact_file_id);
    audit_log::record(tx, &Entry::by_operator("import release of report", object).detail(detail)).await?;
    Ok(true)
}
