//! The collection's reads and writes of one place. Everything here runs in the place's transaction.

use std::collections::HashMap;

use sqlx::PgConnection;
use time::{Date, OffsetDateTime};

use super::day::Day;
use super::plan::{Outcome, Seen, Stored, Version};
use super::source::{Kind, Object, Reading};
use crate::compliance::DeliveryState;

/// Space of the advisory locks that keep a place's writers apart.
const PLACE_LOCK: i32 = 0x6166_706c;

/// Waits until no other collection writes this place; held to the end of the transaction.
pub(super) async fn lock_place(db: &mut PgConnection, place_id: i32) -> sqlx::Result<()> {
    sqlx::query("select pg_advisory_xact_lock($1, $2)").bind(PLACE_LOCK).bind(place_id).execute(db).await?;
    Ok(())
}

/// The row of an account x Region, made if it is new.
pub(super) async fn place(
    db: &mut PgConnection,
    organization_id: i16,
    account_id: &str,
    region: &str,
) -> sqlx::Result<i32> {
    let select = "select place_id from place where organization_id = $1 and account_id = $2 and region = $3";
    let insert = "insert into place (organization_id, account_id, region) values ($1, $2, $3) on conflict do nothing";
    for statement in [select, insert, select] {
        let found: Option<i32> = sqlx::query_scalar(statement)
            .bind(organization_id)
            .bind(account_id)
            .bind(region)
            .fetch_optional(&mut *db)
            .await?;
        if let Some(place_id) = found {
            return Ok(place_id);
        }
    }
    Err(sqlx::Error::RowNotFound)
}

#[derive(sqlx::FromRow)]
struct VersionRow {
    object_id: i64,
    key: String,
    size_bytes: i64,
    modified_ns: Option<i64>,
    etag: Option<String>,
}

impl VersionRow {
    fn version(self) -> Option<Version> {
        Some(Version {
            name: self.key,
            size_bytes: u64::try_from(self.size_bytes).ok()?,
            modified_ns: self.modified_ns,
            etag: self.etag,
        })
    }
}

#[derive(sqlx::FromRow)]
struct StoredRow {
    #[sqlx(flatten)]
    version: VersionRow,
    day: Date,
    snapshot: bool,
    taken_at: Option<OffsetDateTime>,
    sha256: Option<Vec<u8>>,
    first_collection: i64,
    judged_by: i64,
    outcome: String,
    retry_above: Option<i64>,
    reason: Option<String>,
}

impl StoredRow {
    fn stored(self) -> Option<Stored> {
        Some(Stored {
            seen: Seen {
                object_id: self.version.object_id,
                outcome: Outcome::parse(&self.outcome)?,
                retry_above: self.retry_above.and_then(|limit| u64::try_from(limit).ok()),
            },
            version: self.version.version()?,
            day: self.day,
            kind: if self.snapshot { Kind::Snapshot } else { Kind::History },
            taken_at: self.taken_at,
            sha256: self.sha256,
            first_collection: self.first_collection,
            judged_by: self.judged_by,
            reason: self.reason,
        })
    }
}

/// Every object version of the place that a collection judged, with its standing.
pub(super) async fn stored(db: &mut PgConnection, place_id: i32) -> sqlx::Result<Vec<Stored>> {
    let rows: Vec<StoredRow> = sqlx::query_as(
        "select o.object_id, o.key, o.size_bytes, o.modified_ns, o.etag, o.day, o.kind = 'snapshot' as snapshot,
                o.taken_at, o.sha256, o.first_collection,
                latest.collection_id as judged_by, latest.outcome, latest.retry_above,
                case when latest.outcome = 'unreadable' then latest.reason end as reason
         from object o
         cross join lateral (
             select collection_id, outcome, retry_above, reason from object_outcome where object_id = o.object_id
             order by collection_id desc limit 1) latest
         where o.place_id = $1",
    )
    .bind(place_id)
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().filter_map(StoredRow::stored).collect())
}

/// One version of a place's day, as stored.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct DeliveryRow {
    pub(super) day: Day,
    #[sqlx(try_from = "String")]
    pub(super) state: StoredState,
    pub(super) object_id: Option<i64>,
    pub(super) snapshot_at: Option<OffsetDateTime>,
    pub(super) items: i64,
    pub(super) compliance_items: i64,
    pub(super) complying: i64,
    pub(super) not_complying: i64,
    pub(super) insufficient_data: i64,
    pub(super) not_applicable: i64,
    pub(super) unrecognised: i64,
}

impl DeliveryRow {
    pub(super) fn evaluations(&self) -> i64 {
        self.complying + self.not_complying + self.insufficient_data + self.not_applicable + self.unrecognised
    }
}

/// A delivery state read from the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StoredState(pub(super) DeliveryState);

impl TryFrom<String> for StoredState {
    type Error = String;

    fn try_from(word: String) -> Result<Self, Self::Error> {
        DeliveryState::parse(&word).map(Self).ok_or_else(|| format!("unknown delivery state {word:?} in the store"))
    }
}

/// The place's days as they stand.
pub(super) async fn deliveries(db: &mut PgConnection, place_id: i32) -> sqlx::Result<Vec<DeliveryRow>> {
    sqlx::query_as(
        "select day, state, object_id, snapshot_at, items, compliance_items, complying, not_complying,
                insufficient_data, not_applicable, unrecognised
         from delivery where place_id = $1 and until_collection is null order by day",
    )
    .bind(place_id)
    .fetch_all(db)
    .await
}

/// The days that any collection knew.
pub(super) async fn ever_known(db: &mut PgConnection, place_id: i32) -> sqlx::Result<Vec<Day>> {
    sqlx::query_scalar("select distinct day from delivery where place_id = $1 and known order by day")
        .bind(place_id)
        .fetch_all(db)
        .await
}

/// An object version to record, with what reading it found if it was read.
#[derive(Debug)]
pub(super) struct ObjectRow<'a> {
    pub(super) object: &'a Object,
    pub(super) reading: Option<&'a Reading>,
    /// Of an object that was hashed and could not be read.
    pub(super) sha256: Option<[u8; 32]>,
    /// Whether the bytes came to us; if not, nobody hashed and unpacked them.
    pub(super) ours: bool,
}

#[derive(sqlx::FromRow)]
struct RecordedRow {
    new: bool,
    #[sqlx(flatten)]
    version: VersionRow,
}

/// Records object versions; returns the row id of each, in order, and whether it is new.
pub(super) async fn record_objects(
    db: &mut PgConnection,
    place_id: i32,
    collection_id: i64,
    rows: &[ObjectRow<'_>],
) -> sqlx::Result<Vec<(i64, bool)>> {
    if rows.is_empty() {
        return Ok(vec![]);
    }
    let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    let read = |of: fn(&Reading) -> u64| -> Vec<Option<i64>> {
        rows.iter().map(|row| row.reading.map(|reading| number(of(reading)))).collect()
    };
    let recorded: Vec<RecordedRow> = sqlx::query_as(
        "insert into object (place_id, first_collection, hashed_by, read_by, day, kind, key, taken_at, size_bytes,
                             modified_ns, etag, version_id, sha256, unpacked_bytes, snapshot_id, items,
                             compliance_items, evaluations)
         select $1, $2, case when u.sha256 is not null then $2 end, case when u.items is not null then $2 end, u.*
         from unnest($3::date[], $4::text[], $5::text[], $6::timestamptz[], $7::bigint[], $8::bigint[], $9::text[],
                     $10::text[], $11::bytea[], $12::bigint[], $13::text[], $14::bigint[], $15::bigint[], $16::bigint[])
              as u (day, kind, key, taken_at, size_bytes, modified_ns, etag, version_id, sha256, unpacked_bytes,
                    snapshot_id, items, compliance_items, evaluations)
         on conflict (place_id, key, size_bytes, modified_ns, etag) do update set
             version_id = coalesce(excluded.version_id, object.version_id),
             sha256 = coalesce(excluded.sha256, object.sha256),
             hashed_by = case when excluded.sha256 = object.sha256 then object.hashed_by
                              else coalesce(excluded.hashed_by, object.hashed_by) end,
             unpacked_bytes = coalesce(excluded.unpacked_bytes, object.unpacked_bytes),
             read_by = coalesce(object.read_by, excluded.read_by),
             snapshot_id = coalesce(excluded.snapshot_id, object.snapshot_id),
             items = coalesce(excluded.items, object.items),
             compliance_items = coalesce(excluded.compliance_items, object.compliance_items),
             evaluations = coalesce(excluded.evaluations, object.evaluations)
         returning object_id, xmax = 0 as new, key, size_bytes, modified_ns, etag",
    )
    .bind(place_id)
    .bind(collection_id)
    .bind(rows.iter().map(|row| row.object.key.day).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.object.key.kind.word()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.object.name.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.object.key.taken_at).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| number(row.object.size_bytes)).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.object.modified_ns).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.object.etag.clone()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.object.version_id.clone()).collect::<Vec<_>>())
    .bind(
        rows.iter()
            .map(|row| row.reading.filter(|_| row.ours).map(|reading| reading.sha256).or(row.sha256).map(Vec::from))
            .collect::<Vec<_>>(),
    )
    .bind(
        rows.iter()
            .map(|row| row.reading.filter(|_| row.ours).map(|reading| number(reading.unpacked_bytes)))
            .collect::<Vec<_>>(),
    )
    .bind(rows.iter().map(|row| row.reading.and_then(|reading| reading.snapshot_id.clone())).collect::<Vec<_>>())
    .bind(read(|reading| reading.items))
    .bind(read(|reading| reading.compliance_items))
    .bind(read(|reading| reading.evaluations))
    .fetch_all(db)
    .await?;
    let by_version: HashMap<Version, (i64, bool)> = recorded
        .into_iter()
        .filter_map(|row| {
            let object_id = row.version.object_id;
            Some((row.version.version()?, (object_id, row.new)))
        })
        .collect();
    rows.iter().map(|row| by_version.get(&Version::from(row.object)).copied().ok_or(sqlx::Error::RowNotFound)).collect()
}

/// What a collection made of an object, for the record.
#[derive(Debug, Clone)]
pub(super) struct OutcomeRow {
    pub(super) object_id: i64,
    pub(super) outcome: Outcome,
    pub(super) reason: Option<String>,
    pub(super) position_bytes: Option<i64>,
    /// For unreadable: null where the bytes are at fault (see `Unreadable::retry_above`).
    pub(super) retry_above: Option<i64>,
    pub(super) evaluations: i64,
    pub(super) left_out: serde_json::Value,
    /// The query of Athena that read it, if one did.
    pub(super) query_id: Option<i64>,
}

pub(super) async fn record_outcomes(
    db: &mut PgConnection,
    collection_id: i64,
    rows: &[OutcomeRow],
) -> sqlx::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert into object_outcome (object_id, collection_id, outcome, reason, position_bytes, evaluations, left_out,
                                     retry_above, athena_query_id)
         select u.object_id, $1, u.outcome, u.reason, u.position_bytes, u.evaluations, u.left_out, u.retry_above,
                u.query_id
         from unnest($2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::jsonb[], $8::bigint[],
                     $9::bigint[])
              as u (object_id, outcome, reason, position_bytes, evaluations, left_out, retry_above, query_id)
         on conflict (object_id, collection_id) do update set
             outcome = excluded.outcome, reason = excluded.reason, position_bytes = excluded.position_bytes,
             evaluations = excluded.evaluations, left_out = excluded.left_out, retry_above = excluded.retry_above,
             athena_query_id = excluded.athena_query_id",
    )
    .bind(collection_id)
    .bind(rows.iter().map(|row| row.object_id).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.outcome.word()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.reason.clone()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.position_bytes).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.evaluations).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.left_out.clone()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.retry_above).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.query_id).collect::<Vec<_>>())
    .execute(db)
    .await?;
    Ok(())
}

/// What a day is from now on.
#[derive(Debug)]
pub(super) struct DeliveryChange {
    pub(super) row: DeliveryRow,
    /// Evaluations against the day as known before.
    pub(super) rows_added: i64,
    pub(super) rows_removed: i64,
}

/// Sets what days are from now on, one change a day; the versions before are closed.
pub(super) async fn set_deliveries(
    db: &mut PgConnection,
    place_id: i32,
    collection_id: i64,
    changes: &[DeliveryChange],
) -> sqlx::Result<()> {
    let days: Vec<Day> = changes.iter().map(|change| change.row.day).collect();
    // A row that this same collection wrote is not history yet.
    sqlx::query(
        "update delivery set until_collection = $3
         where place_id = $1 and day = any($2) and until_collection is null and since_collection < $3",
    )
    .bind(place_id)
    .bind(&days)
    .bind(collection_id)
    .execute(&mut *db)
    .await?;
    let numbers = |of: fn(&DeliveryChange) -> i64| -> Vec<i64> { changes.iter().map(of).collect() };
    sqlx::query(
        "insert into delivery (place_id, since_collection, day, state, object_id, snapshot_at, items,
                               compliance_items, complying, not_complying, insufficient_data, not_applicable,
                               unrecognised, rows_added, rows_removed)
         select $1, $2, u.* from unnest($3::date[], $4::text[], $5::bigint[], $6::timestamptz[], $7::bigint[],
                                        $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[],
                                        $13::bigint[], $14::bigint[], $15::bigint[]) as u
         on conflict (place_id, day, since_collection) do update set
             state = excluded.state, object_id = excluded.object_id, snapshot_at = excluded.snapshot_at,
             items = excluded.items, compliance_items = excluded.compliance_items, complying = excluded.complying,
             not_complying = excluded.not_complying, insufficient_data = excluded.insufficient_data,
             not_applicable = excluded.not_applicable, unrecognised = excluded.unrecognised,
             rows_added = delivery.rows_added + excluded.rows_added,
             rows_removed = delivery.rows_removed + excluded.rows_removed",
    )
    .bind(place_id)
    .bind(collection_id)
    .bind(&days)
    .bind(changes.iter().map(|change| change.row.state.0.word()).collect::<Vec<_>>())
    .bind(changes.iter().map(|change| change.row.object_id).collect::<Vec<_>>())
    .bind(changes.iter().map(|change| change.row.snapshot_at).collect::<Vec<_>>())
    .bind(numbers(|change| change.row.items))
    .bind(numbers(|change| change.row.compliance_items))
    .bind(numbers(|change| change.row.complying))
    .bind(numbers(|change| change.row.not_complying))
    .bind(numbers(|change| change.row.insufficient_data))
    .bind(numbers(|change| change.row.not_applicable))
    .bind(numbers(|change| change.row.unrecognised))
    .bind(numbers(|change| change.rows_added))
    .bind(numbers(|change| change.rows_removed))
    .execute(db)
    .await?;
    Ok(())
}

/// Days of the place with a snapshot that could not be read.
pub(super) async fn unreadable_snapshot_days(db: &mut PgConnection, place_id: i32) -> sqlx::Result<Vec<Day>> {
    sqlx::query_scalar(
        "select distinct o.day from object o
         cross join lateral (
             select outcome from object_outcome where object_id = o.object_id
             order by collection_id desc limit 1) latest
         where o.place_id = $1 and o.kind = 'snapshot' and latest.outcome = 'unreadable'",
    )
    .bind(place_id)
    .fetch_all(db)
    .await
}
