//! Packs in Postgres: stored whole in one transaction, listed, handed out piece by piece, never altered.

pub(super) mod load;

use futures_util::Stream;
use sqlx::{FromRow, PgConnection, PgExecutor, PgPool};
use time::{Date, OffsetDateTime};

use super::model::{Cover, Delivery};
use super::sign::{NewKey, generate, key_id};
use crate::audit_log;
use crate::web::keyset::{Keyed, Keyset, Kind, Order};

/// Bytes of a stored chunk.
const CHUNK: usize = 256 * 1024;

/// The installation's signing key.
#[derive(Clone, FromRow)]
pub struct Key {
    pub key_id: String,
    /// PKCS#8.
    #[sqlx(rename = "private_key")]
    pub(super) private: Vec<u8>,
    pub public_key: Vec<u8>,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

/// The key that signs, made on first use. Two that come first at once agree on one.
pub async fn signing_key(db: &PgPool) -> anyhow::Result<Key> {
    let mut tx = db.begin().await?;
    sqlx::query("lock table installation_key in share row exclusive mode").execute(&mut *tx).await?;
    let found = newest_key(&mut tx).await?;
    let key = if let Some(key) = found {
        key
    } else {
        let NewKey { private_key, public_key } = generate()?;
        let key = Key { key_id: key_id(&public_key), private: private_key, public_key };
        sqlx::query("insert into installation_key (key_id, private_key, public_key) values ($1, $2, $3)")
            .bind(&key.key_id)
            .bind(&key.private)
            .bind(&key.public_key)
            .execute(&mut *tx)
            .await?;
        let entry = audit_log::Entry::by_system("make signing key", &key.key_id);
        audit_log::record(&mut tx, &entry).await?;
        key
    };
    tx.commit().await?;
    Ok(key)
}

async fn newest_key(tx: &mut PgConnection) -> sqlx::Result<Option<Key>> {
    sqlx::query_as(
        "select key_id, private_key, public_key from installation_key order by created_at desc, key_id limit 1",
    )
    .fetch_optional(tx)
    .await
}

/// Every public key of this installation, newest first: its id and its 32 bytes.
pub async fn public_keys(db: impl PgExecutor<'_>) -> sqlx::Result<Vec<(String, Vec<u8>)>> {
    sqlx::query_as("select key_id, public_key from installation_key order by created_at desc, key_id")
        .fetch_all(db)
        .await
}

/// One public key.
pub async fn public_key(db: impl PgExecutor<'_>, key_id: &str) -> sqlx::Result<Option<Vec<u8>>> {
    sqlx::query_scalar("select public_key from installation_key where key_id = $1")
        .bind(key_id)
        .fetch_optional(db)
        .await
}

/// What is stored of a new pack.
#[derive(Debug)]
pub(super) struct New<'a> {
    pub(super) organization_id: i16,
    pub(super) cover: &'a Cover,
    pub(super) cover_json: serde_json::Value,
    pub(super) delivery: &'a Delivery,
    pub(super) evaluations: u64,
    pub(super) not_complying: u64,
    pub(super) pages: usize,
    pub(super) job_id: Option<i64>,
    pub(super) pdf: &'a [u8],
    pub(super) zip: &'a [u8],
    pub(super) key_id: &'a str,
    pub(super) signature: &'a [u8],
}

/// Stores a pack. The caller commits.
pub(super) async fn store(tx: &mut PgConnection, new: &New<'_>) -> anyhow::Result<()> {
    let cover = new.cover;
    sqlx::query(
        "insert into pack (pack_id, organization_id, title, from_day, as_of_day, known_at_collection, account_ids,
             created_by, demo, printed_at, clock_set, job_id, pages, evaluations, not_complying, gap_days,
             expected_days, pdf_bytes, pdf_sha256, zip_bytes, zip_sha256, key_id, signature, cover)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
             $23, $24)",
    )
    .bind(&cover.pack_id)
    .bind(new.organization_id)
    .bind(&cover.title)
    .bind(cover.from)
    .bind(cover.as_of)
    .bind(cover.known_at)
    .bind(&cover.accounts)
    .bind(&cover.created_by)
    .bind(cover.demo)
    .bind(cover.generated)
    .bind(cover.clock_set)
    .bind(new.job_id)
    .bind(i32::try_from(new.pages)?)
    .bind(i64::try_from(new.evaluations)?)
    .bind(i64::try_from(new.not_complying)?)
    .bind(i64::try_from(new.delivery.gap_days)?)
    .bind(i64::try_from(new.delivery.expected_days)?)
    .bind(i64::try_from(new.pdf.len())?)
    .bind(super::sign::sha256(new.pdf).as_slice())
    .bind(i64::try_from(new.zip.len())?)
    .bind(super::sign::sha256(new.zip).as_slice())
    .bind(new.key_id)
    .bind(new.signature)
    .bind(&new.cover_json)
    .execute(&mut *tx)
    .await?;
    for (part, bytes) in [(Part::Pdf, new.pdf), (Part::Zip, new.zip)] {
        for (ordinal, chunk) in bytes.chunks(CHUNK).enumerate() {
            sqlx::query("insert into pack_chunk (pack_id, part, ordinal, bytes) values ($1, $2, $3, $4)")
                .bind(&cover.pack_id)
                .bind(part.word())
                .bind(i32::try_from(ordinal)?)
                .bind(chunk)
                .execute(&mut *tx)
                .await?;
        }
    }
    Ok(())
}

/// Which file of a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Pdf,
    Zip,
}

impl Part {
    fn word(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Zip => "zip",
        }
    }

    /// For the header of a download.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Zip => "application/zip",
        }
    }
}

/// A stored pack without its bytes.
#[derive(Debug, Clone, FromRow)]
pub struct Stored {
    pub pack_id: String,
    pub organization_id: i16,
    pub title: String,
    pub from_day: Date,
    pub as_of_day: Date,
    pub known_at_collection: i64,
    /// `None` is every account.
    pub account_ids: Option<Vec<String>>,
    pub created_by: String,
    pub demo: bool,
    /// Postgres's own clock.
    pub created_at: OffsetDateTime,
    /// The printed clock.
    pub printed_at: OffsetDateTime,
    pub clock_set: bool,
    pub pages: i32,
    pub evaluations: i64,
    pub not_complying: i64,
    pub gap_days: i64,
    pub expected_days: i64,
    pub pdf_bytes: i64,
    pub pdf_sha256: Vec<u8>,
    pub zip_bytes: i64,
    pub zip_sha256: Vec<u8>,
    pub key_id: String,
    pub signature: Vec<u8>,
    /// See [`super::facts::cover_json`].
    pub cover: serde_json::Value,
}

/// What happened to a pack last; nothing to one that was issued before packs had states.
const STANDING: &str = "coalesce((select e.kind from pack_event e where e.pack_id = pack.pack_id
     order by e.pack_event_id desc limit 1), '')";

/// What the list of packs can be sorted on.
pub const ORDERS: [Order; 10] = [
    Order { name: "made", expression: "created_at", kind: Kind::Moment },
    Order { name: "title", expression: "title", kind: Kind::Text },
    Order { name: "day", expression: "(as_of_day - date '1970-01-01')::bigint", kind: Kind::Number },
    // Every account is more than any list of accounts.
    Order { name: "scope", expression: "coalesce(cardinality(account_ids), 2147483647)::bigint", kind: Kind::Number },
    Order { name: "by", expression: "created_by", kind: Kind::Text },
    Order { name: "state", expression: STANDING, kind: Kind::Text },
    Order { name: "pages", expression: "pages::bigint", kind: Kind::Number },
    Order { name: "evaluations", expression: "evaluations", kind: Kind::Number },
    Order { name: "non-compliant", expression: "not_complying", kind: Kind::Number },
    Order { name: "gaps", expression: "gap_days", kind: Kind::Number },
];

/// The newest first.
pub const NEWEST: Keyset = Keyset::first(ORDERS[0], true);

/// Which packs a list shows.
#[derive(Debug, Clone, Default)]
pub struct Which {
    pub organization_id: i16,
    /// Those that are about one of these accounts: that chose it, or are about every account. `None` is all packs.
    pub accounts: Option<Vec<String>>,
    /// Those that cover the day.
    pub day: Option<Date>,
}

macro_rules! meant {
    ($organization:literal, $accounts:literal, $day:literal) => {
        concat!(
            "pack where organization_id = ",
            $organization,
            " and (",
            $accounts,
            "::text[] is null or cardinality(",
            $accounts,
            ") > 0 and (account_ids is null or account_ids && ",
            $accounts,
            ")) and (",
            $day,
            "::date is null or ",
            $day,
            " between from_day and as_of_day)"
        )
    };
}

/// The packs that are meant, so many at most of a page.
pub async fn list(
    db: impl PgExecutor<'_>,
    which: &Which,
    page: &Keyset,
    most: i64,
) -> sqlx::Result<Vec<Keyed<Stored>>> {
    let (value, id) = page.bounds();
    sqlx::query_as(page.select("pack.*", meant!("$4", "$5", "$6"), "pack_id", "text"))
        .bind(value)
        .bind(id)
        .bind(most)
        .bind(which.organization_id)
        .bind(&which.accounts)
        .bind(which.day)
        .fetch_all(db)
        .await
}

/// How many packs are meant.
pub async fn count(db: impl PgExecutor<'_>, which: &Which) -> sqlx::Result<i64> {
    sqlx::query_scalar(concat!("select count(*) from ", meant!("$1", "$2", "$3")))
        .bind(which.organization_id)
        .bind(&which.accounts)
        .bind(which.day)
        .fetch_one(db)
        .await
}

/// One pack.
pub async fn find(db: impl PgExecutor<'_>, pack_id: &str) -> sqlx::Result<Option<Stored>> {
    sqlx::query_as("select * from pack where pack_id = $1").bind(pack_id).fetch_optional(db).await
}

/// The pack that a job made.
pub(super) async fn of_job(db: impl PgExecutor<'_>, job_id: i64) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar("select pack_id from pack where job_id = $1 limit 1").bind(job_id).fetch_optional(db).await
}

/// The pack whose PDF or ZIP has this SHA-256.
pub(super) async fn by_sha256(db: impl PgExecutor<'_>, sha256: &[u8]) -> sqlx::Result<Option<Stored>> {
    sqlx::query_as("select * from pack where pdf_sha256 = $1 or zip_sha256 = $1 order by created_at limit 1")
        .bind(sha256)
        .fetch_optional(db)
        .await
}

/// A file of a pack, piece by piece: memory for one chunk. Packs never change, so no transaction is held.
pub fn stream(db: PgPool, pack_id: String, part: Part) -> impl Stream<Item = sqlx::Result<Vec<u8>>> {
    futures_util::stream::try_unfold((db, pack_id, 0_i32), move |(db, pack_id, ordinal)| async move {
        let chunk: Option<Vec<u8>> =
            sqlx::query_scalar("select bytes from pack_chunk where pack_id = $1 and part = $2 and ordinal = $3")
                .bind(&pack_id)
                .bind(part.word())
                .bind(ordinal)
                .fetch_optional(&db)
                .await?;
        Ok(chunk.map(|chunk| (chunk, (db, pack_id, ordinal + 1))))
    })
}

/// A file of a pack, whole.
pub async fn bytes(db: &PgPool, pack_id: &str, part: Part) -> sqlx::Result<Vec<u8>> {
    use futures_util::TryStreamExt as _;
    stream(db.clone(), pack_id.to_owned(), part)
        .try_fold(Vec::new(), |mut all, chunk| async move {
            all.extend_from_slice(&chunk);
            Ok(all)
        })
        .await
}

/// A collection that changed days of a pack after its knowledge point.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Restatement {
    pub pack_id: String,
    pub collection_id: i64,
    /// finished, failed or interrupted: what it brought before it ended stands either way.
    pub state: String,
    pub finished_at: Option<OffsetDateTime>,
    /// Evaluations that came and went; a day that was a gap and became known brings all of its own.
    pub rows_added: i64,
    pub rows_removed: i64,
    /// Account-Region-days that changed.
    pub days: i64,
    /// Those of them that had been gaps.
    pub late_days: i64,
}

/// What later collections changed of packs, oldest first; nothing of those that still say what the store says.
///
/// A collection that failed or was interrupted has changed what it had written by then.
pub async fn restated_since(db: impl PgExecutor<'_>, pack_ids: &[&str]) -> sqlx::Result<Vec<Restatement>> {
    sqlx::query_as(
        "select pack.pack_id, d.since_collection as collection_id, c.state, c.finished_at,
             sum(case when before.place_id is null and d.known
                 then d.complying + d.not_complying + d.insufficient_data + d.not_applicable + d.unrecognised
                 else d.rows_added end)::bigint as rows_added,
             sum(d.rows_removed)::bigint as rows_removed,
             count(*) as days,
             count(*) filter (where before.place_id is null and d.known) as late_days
         from pack
         join delivery d on d.day between pack.from_day and pack.as_of_day
             and d.since_collection > pack.known_at_collection
         join place p on p.place_id = d.place_id and p.organization_id = pack.organization_id
             and (pack.account_ids is null or p.account_id = any(pack.account_ids))
         join collection c on c.collection_id = d.since_collection and c.state <> 'running'
         left join delivery before on before.place_id = d.place_id and before.day = d.day
             and before.until_collection = d.since_collection and before.known
         where pack.pack_id = any($1)
         group by pack.pack_id, d.since_collection, c.state, c.finished_at
         order by pack.pack_id, d.since_collection",
    )
    .bind(pack_ids)
    .fetch_all(db)
    .await
}
