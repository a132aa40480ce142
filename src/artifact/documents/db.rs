//! Documents, their terms, who accepted them, and who may have them.

use futures_util::Stream;
use sqlx::{FromRow, PgConnection, PgPool};
use time::OffsetDateTime;

use super::content::MediaType;

/// Bytes of a stored chunk.
const CHUNK: usize = 256 * 1024;

/// Stores a document whole and gives its number.
pub(crate) async fn store(
    tx: &mut PgConnection,
    organization_id: i16,
    media_type: &str,
    bytes: &[u8],
) -> anyhow::Result<i64> {
    let sha256 = ring::digest::digest(&ring::digest::SHA256, bytes);
    let id: i64 = sqlx::query_scalar(
        "insert into artifact_document (organization_id, media_type, size_bytes, sha256) values ($1, $2, $3, $4)
         returning artifact_document_id",
    )
    .bind(organization_id)
    .bind(media_type)
    .bind(i64::try_from(bytes.len())?)
    .bind(sha256.as_ref())
    .fetch_one(&mut *tx)
    .await?;
    for (ordinal, chunk) in bytes.chunks(CHUNK).enumerate() {
        sqlx::query("insert into artifact_document_chunk (artifact_document_id, ordinal, bytes) values ($1, $2, $3)")
            .bind(id)
            .bind(i32::try_from(ordinal)?)
            .bind(chunk)
            .execute(&mut *tx)
            .await?;
    }
    Ok(id)
}

/// A document, piece by piece: memory for one chunk. Documents never change, so no transaction is held.
pub(crate) fn stream(db: PgPool, document_id: i64) -> impl Stream<Item = sqlx::Result<Vec<u8>>> {
    futures_util::stream::try_unfold((db, 0_i32), move |(db, ordinal)| async move {
        let chunk: Option<Vec<u8>> = sqlx::query_scalar(
            "select bytes from artifact_document_chunk where artifact_document_id = $1 and ordinal = $2",
        )
        .bind(document_id)
        .bind(ordinal)
        .fetch_optional(&db)
        .await?;
        Ok(chunk.map(|chunk| (chunk, (db, ordinal + 1))))
    })
}

/// Terms that somebody asked for.
#[derive(Debug, Clone, FromRow)]
pub(super) struct TermsRow {
    pub(super) artifact_terms_id: i64,
    pub(super) organization_id: i16,
    pub(super) report_id: String,
    pub(super) version: i64,
    pub(super) artifact_document_id: i64,
    pub(super) asked_by: String,
    pub(super) fetched_at: OffsetDateTime,
    pub(super) used_at: Option<OffsetDateTime>,
    pub(super) media_type: String,
    pub(super) size_bytes: i64,
    pub(super) sha256: Vec<u8>,
    pub(super) accepted_by: Option<String>,
    pub(super) accepted_at: Option<OffsetDateTime>,
    /// The report that they led to.
    pub(super) artifact_file_id: Option<i64>,
}

/// Keeps terms with their token.
pub(super) async fn insert_terms(
    tx: &mut PgConnection,
    organization_id: i16,
    (report_id, version): (&str, i64),
    document_id: i64,
    (asked_by, token): (&str, &str),
) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "insert into artifact_terms (organization_id, report_id, version, artifact_document_id, asked_by, token)
         values ($1, $2, $3, $4, $5, $6) returning artifact_terms_id",
    )
    .bind(organization_id)
    .bind(report_id)
    .bind(version)
    .bind(document_id)
    .bind(asked_by)
    .bind(token)
    .fetch_one(tx)
    .await
}

pub(super) async fn terms(db: &mut PgConnection, terms_id: i64) -> sqlx::Result<Option<TermsRow>> {
    sqlx::query_as(
        "select t.artifact_terms_id, t.organization_id, t.report_id, t.version, t.artifact_document_id, t.asked_by,
                t.fetched_at, t.used_at, d.media_type, d.size_bytes, d.sha256, a.accepted_by, a.accepted_at,
                (select f.artifact_file_id from artifact_file f
                 where f.organization_id = t.organization_id and f.report_id = t.report_id and f.version = t.version
                   and f.artifact_terms_id = t.artifact_terms_id) as artifact_file_id
         from artifact_terms t join artifact_document d using (artifact_document_id)
         left join artifact_acceptance a using (artifact_terms_id)
         where t.artifact_terms_id = $1",
    )
    .bind(terms_id)
    .fetch_optional(db)
    .await
}

/// Keeps terms that somebody accepted elsewhere, with who brought the record in as who asked for them. They can lead to no
/// report: there is no token. Kept later than they were accepted, which is how they are told from those accepted here.
pub(super) async fn insert_accepted_elsewhere(
    tx: &mut PgConnection,
    organization_id: i16,
    (report_id, version): (&str, i64),
    document_id: i64,
    imported_by: &str,
    (accepted_by, accepted_at): (&str, OffsetDateTime),
) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "with terms as (
             insert into artifact_terms (organization_id, report_id, version, artifact_document_id, asked_by, token,
                                         fetched_at, used_at)
             select $1, $2, $3, $4, $5, null, at, at
             from (select greatest(clock_timestamp(), $7 + interval '1 microsecond') as at) kept
             returning artifact_terms_id
         ), reading as (
             insert into artifact_terms_reading (artifact_terms_id, read_by, read_at)
             select artifact_terms_id, $6, $7 from terms
         )
         insert into artifact_acceptance (artifact_terms_id, accepted_by, demo, accepted_at)
         select artifact_terms_id, $6, false, $7 from terms returning artifact_terms_id",
    )
    .bind(organization_id)
    .bind(report_id)
    .bind(version)
    .bind(document_id)
    .bind(imported_by)
    .bind(accepted_by)
    .bind(accepted_at)
    .fetch_one(tx)
    .await
}

/// Whether terms were accepted before they were kept here: the record of it was imported.
fn elsewhere(accepted_at: Option<OffsetDateTime>, kept_at: Option<OffsetDateTime>) -> bool {
    accepted_at.zip(kept_at).is_some_and(|(accepted_at, kept_at)| accepted_at < kept_at)
}

impl TermsRow {
    /// Whether they were accepted elsewhere, and [`Self::asked_by`] brought the record in.
    pub(super) fn is_imported(&self) -> bool {
        elsewhere(self.accepted_at, Some(self.fetched_at))
    }
}

/// Notes that somebody opened the terms.
pub(super) async fn note_read(tx: &mut PgConnection, terms_id: i64, read_by: &str) -> sqlx::Result<()> {
    sqlx::query(
        "insert into artifact_terms_reading (artifact_terms_id, read_by) values ($1, $2) on conflict do nothing",
    )
    .bind(terms_id)
    .bind(read_by)
    .execute(tx)
    .await?;
    Ok(())
}

/// When somebody opened the terms first.
pub(super) async fn read_at(
    db: &mut PgConnection,
    terms_id: i64,
    read_by: &str,
) -> sqlx::Result<Option<OffsetDateTime>> {
    sqlx::query_scalar("select read_at from artifact_terms_reading where artifact_terms_id = $1 and read_by = $2")
        .bind(terms_id)
        .bind(read_by)
        .fetch_optional(db)
        .await
}

/// Keeps who accepted the terms. False: somebody has already.
pub(super) async fn accept(tx: &mut PgConnection, terms_id: i64, accepted_by: &str, demo: bool) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "insert into artifact_acceptance (artifact_terms_id, accepted_by, demo) values ($1, $2, $3)
         on conflict do nothing",
    )
    .bind(terms_id)
    .bind(accepted_by)
    .bind(demo)
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Takes the token of accepted terms: from then on it is used, whatever comes of it.
pub(super) async fn take_token(db: &PgPool, terms_id: i64) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar(
        "with taken as (
             select artifact_terms_id, token from artifact_terms
             where artifact_terms_id = $1 and token is not null
               and exists (select from artifact_acceptance a where a.artifact_terms_id = $1)
             for update
         )
         update artifact_terms t set token = null, used_at = clock_timestamp()
         from taken where t.artifact_terms_id = taken.artifact_terms_id returning taken.token",
    )
    .bind(terms_id)
    .fetch_optional(db)
    .await
}

/// A file to keep.
#[derive(Debug, Clone)]
pub(in crate::artifact) struct NewFile<'a> {
    pub(in crate::artifact) organization_id: i16,
    pub(in crate::artifact) report_id: &'a str,
    pub(in crate::artifact) version: i64,
    pub(in crate::artifact) document_id: i64,
    /// The terms that were accepted for it here.
    pub(in crate::artifact) terms_id: Option<i64>,
    pub(in crate::artifact) source: &'a str,
    pub(in crate::artifact) stored_by: &'a str,
}

/// Keeps a version's file and gives its number.
pub(in crate::artifact) async fn insert_file(tx: &mut PgConnection, new: &NewFile<'_>) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "insert into artifact_file (organization_id, report_id, version, artifact_document_id, artifact_terms_id, source,
                                    stored_by)
         values ($1, $2, $3, $4, $5, $6, $7) returning artifact_file_id",
    )
    .bind(new.organization_id)
    .bind(new.report_id)
    .bind(new.version)
    .bind(new.document_id)
    .bind(new.terms_id)
    .bind(new.source)
    .bind(new.stored_by)
    .fetch_one(tx)
    .await
}

/// A version's file with what is known of it.
#[derive(Debug, Clone, FromRow)]
pub(in crate::artifact) struct FileRow {
    pub(in crate::artifact) artifact_file_id: i64,
    pub(in crate::artifact) organization_id: i16,
    pub(in crate::artifact) report_id: String,
    pub(in crate::artifact) version: i64,
    pub(in crate::artifact) artifact_document_id: i64,
    pub(in crate::artifact) source: String,
    pub(in crate::artifact) stored_by: String,
    pub(in crate::artifact) stored_at: OffsetDateTime,
    media_type: String,
    pub(in crate::artifact) size_bytes: i64,
    pub(in crate::artifact) sha256: Vec<u8>,
    pub(in crate::artifact) artifact_terms_id: Option<i64>,
    pub(in crate::artifact) terms_sha256: Option<Vec<u8>>,
    terms_fetched_at: Option<OffsetDateTime>,
    pub(in crate::artifact) accepted_by: Option<String>,
    pub(in crate::artifact) accepted_at: Option<OffsetDateTime>,
    /// Who let auditors have it, where somebody does now.
    pub(in crate::artifact) released_by: Option<String>,
    pub(in crate::artifact) released_at: Option<OffsetDateTime>,
    pub(in crate::artifact) release_reason: Option<String>,
}

impl FileRow {
    /// What it is; the store holds nothing else.
    pub(in crate::artifact) fn media_type(&self) -> MediaType {
        MediaType::parse(&self.media_type).unwrap_or(MediaType::Pdf)
    }

    /// Whether it was brought in from a folder, and not fetched from AWS.
    pub(in crate::artifact) fn is_imported(&self) -> bool {
        self.artifact_terms_id.is_none() || self.is_accepted_elsewhere()
    }

    /// Whether its terms were accepted elsewhere, of which a record was imported.
    pub(in crate::artifact) fn is_accepted_elsewhere(&self) -> bool {
        elsewhere(self.accepted_at, self.terms_fetched_at)
    }
}

/// Which files are meant.
#[derive(Debug, Clone, Copy)]
pub(in crate::artifact) enum Which<'a> {
    File(i64),
    /// All of a report, or of every report; those that were stored up to a moment, where one is given.
    Of {
        organization_id: i16,
        report_id: Option<&'a str>,
        until: Option<OffsetDateTime>,
    },
}

/// The files that are meant, the newest of each version first.
pub(in crate::artifact) async fn files(db: &mut PgConnection, which: Which<'_>) -> sqlx::Result<Vec<FileRow>> {
    let (file_id, organization_id, report_id, until) = match which {
        Which::File(file_id) => (Some(file_id), None, None, None),
        Which::Of { organization_id, report_id, until } => (None, Some(organization_id), report_id, until),
    };
    sqlx::query_as(
        "select f.artifact_file_id, f.organization_id, f.report_id, f.version, f.artifact_document_id, f.source,
                f.stored_by, f.stored_at, d.media_type, d.size_bytes, d.sha256, f.artifact_terms_id,
                td.sha256 as terms_sha256, t.fetched_at as terms_fetched_at, a.accepted_by, a.accepted_at, r.released_by, r.released_at,
                r.reason as release_reason
         from artifact_file f join artifact_document d using (artifact_document_id)
         left join artifact_acceptance a on a.artifact_terms_id = f.artifact_terms_id
         left join artifact_terms t on t.artifact_terms_id = f.artifact_terms_id
         left join artifact_document td on td.artifact_document_id = t.artifact_document_id
         left join artifact_release r on r.artifact_file_id = f.artifact_file_id and r.withdrawn_at is null
         where ($1::bigint is null or f.artifact_file_id = $1) and ($2::smallint is null or f.organization_id = $2)
           and ($3::text is null or f.report_id = $3) and ($4::timestamptz is null or f.stored_at <= $4)
         order by f.report_id, f.version desc, f.artifact_file_id desc",
    )
    .bind(file_id)
    .bind(organization_id)
    .bind(report_id)
    .bind(until)
    .fetch_all(db)
    .await
}

/// Whether somebody has opened terms of a version.
pub(super) async fn has_read_terms_of(
    db: &mut PgConnection,
    organization_id: i16,
    (report_id, version): (&str, i64),
    who: &str,
) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "select exists (select from artifact_terms t join artifact_terms_reading using (artifact_terms_id)
                        where t.organization_id = $1 and t.report_id = $2 and t.version = $3 and read_by = $4)",
    )
    .bind(organization_id)
    .bind(report_id)
    .bind(version)
    .bind(who)
    .fetch_one(db)
    .await
}

/// Lets auditors have a file. False: they have it already.
pub(super) async fn release(
    tx: &mut PgConnection,
    file_id: i64,
    released_by: &str,
    reason: &str,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "insert into artifact_release (artifact_file_id, released_by, reason) values ($1, $2, $3) on conflict do nothing",
    )
    .bind(file_id)
    .bind(released_by)
    .bind(reason)
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Whether somebody let auditors have the version for this reason before, whatever came of it.
pub(super) async fn was_released(
    db: &mut PgConnection,
    organization_id: i16,
    (report_id, version): (&str, i64),
    (released_by, reason): (&str, &str),
) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "select exists (select from artifact_release r join artifact_file f using (artifact_file_id)
                        where f.organization_id = $1 and f.report_id = $2 and f.version = $3 and r.reason = $5
                          and starts_with(r.released_by, $4 || ' ('))",
    )
    .bind(organization_id)
    .bind(report_id)
    .bind(version)
    .bind(released_by)
    .bind(reason)
    .fetch_one(db)
    .await
}

/// Ends that auditors may have a file. False: they may not.
pub(super) async fn withdraw(tx: &mut PgConnection, file_id: i64, withdrawn_by: &str) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "update artifact_release set withdrawn_by = $2, withdrawn_at = clock_timestamp()
         where artifact_file_id = $1 and withdrawn_at is null",
    )
    .bind(file_id)
    .bind(withdrawn_by)
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}
