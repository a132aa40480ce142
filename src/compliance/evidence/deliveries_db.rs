//! The statements behind deliveries, objects and accounts.

use sqlx::{FromRow, PgConnection};
use time::{Date, Duration, OffsetDateTime};

use super::db::delivery_state;
use super::deliveries::{Account, NeverSeenPlace, Object, ObjectVersion, PlaceDay};
use super::population::{Place, StatusCounts};
use super::{KnownAt, Scope};
use crate::collection::day::Day;

pub(super) async fn has_account_list(
    db: &mut PgConnection,
    organization_id: i16,
    known_at: KnownAt,
) -> sqlx::Result<bool> {
    sqlx::query_scalar("select exists (select from account_list where organization_id = $1 and collection_id <= $2)")
        .bind(organization_id)
        .bind(known_at.0)
        .fetch_one(db)
        .await
}

/// Whether both lists that say what should deliver were known.
pub(super) async fn has_both_lists(
    db: &mut PgConnection,
    organization_id: i16,
    known_at: KnownAt,
) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "select exists (select from account_list where organization_id = $1 and collection_id <= $2)
             and exists (select from region_list where organization_id = $1 and collection_id <= $2)",
    )
    .bind(organization_id)
    .bind(known_at.0)
    .fetch_one(db)
    .await
}

/// The first and the last day of an organisation with anything delivered, of those that are kept.
pub(super) async fn collected_days(
    db: &mut PgConnection,
    organization_id: i16,
    known_at: KnownAt,
) -> sqlx::Result<Option<(Day, Day)>> {
    let (first, last): (Option<Day>, Option<Day>) = sqlx::query_as(
        // A place's last known day before the first day kept is there for the days that go on from it.
        "select greatest(min(d.day), (select max(first_day) from retention where organization_id = $1)), max(d.day)
         from place p join delivery d using (place_id)
         where p.organization_id = $1
             and d.since_collection <= $2 and (d.until_collection is null or d.until_collection > $2)",
    )
    .bind(organization_id)
    .bind(known_at.0)
    .fetch_one(db)
    .await?;
    Ok(first.zip(last).filter(|(first, last)| first <= last))
}

pub(super) async fn expected_places(
    db: &mut PgConnection,
    scope: &Scope,
    known_at: KnownAt,
) -> sqlx::Result<Vec<(i32, Day, Day)>> {
    sqlx::query_as(
        "select place_id, e.first_day, e.end_day from place p join expected_place e using (place_id)
         where p.organization_id = $1 and ($2::text[] is null or p.account_id = any($2))
             and e.since_collection <= $3 and (e.until_collection is null or e.until_collection > $3)",
    )
    .bind(scope.organization_id)
    .bind(&scope.accounts)
    .bind(known_at.0)
    .fetch_all(db)
    .await
}

/// Places that had been expected or had delivered anything.
pub(super) async fn known_places(db: &mut PgConnection, scope: &Scope, known_at: KnownAt) -> sqlx::Result<Vec<Place>> {
    sqlx::query_as(
        "select place_id, p.account_id, p.region from place p
         where p.organization_id = $1 and ($2::text[] is null or p.account_id = any($2)) and (
             exists (select from delivery d where d.place_id = p.place_id
                 and d.since_collection <= $3 and (d.until_collection is null or d.until_collection > $3))
             or exists (select from expected_place e where e.place_id = p.place_id
                 and e.since_collection <= $3 and (e.until_collection is null or e.until_collection > $3)))
         order by p.account_id, p.region",
    )
    .bind(scope.organization_id)
    .bind(&scope.accounts)
    .bind(known_at.0)
    .fetch_all(db)
    .await
}

#[derive(Debug, FromRow)]
pub(super) struct PlaceDayRow {
    pub(super) day: Day,
    state: String,
    snapshot_at: Option<OffsetDateTime>,
    items: i64,
    compliance_items: i64,
    complying: i64,
    not_complying: i64,
    insufficient_data: i64,
    not_applicable: i64,
    unrecognised: i64,
    since_collection: i64,
    key: Option<String>,
    size_bytes: Option<i64>,
    etag: Option<String>,
    sha256: Option<[u8; 32]>,
}

impl PlaceDayRow {
    pub(super) fn into_place_day(self, day: Date, expected: bool) -> sqlx::Result<PlaceDay> {
        let object = self.key.zip(self.size_bytes).map(|(key, size_bytes)| ObjectVersion {
            key,
            size_bytes,
            etag: self.etag,
            sha256: self.sha256,
        });
        Ok(PlaceDay {
            day,
            expected,
            state: delivery_state(&self.state)?,
            object,
            snapshot_at: self.snapshot_at,
            items: self.items,
            compliance_items: self.compliance_items,
            evaluations: StatusCounts {
                complying: self.complying,
                not_complying: self.not_complying,
                insufficient_data: self.insufficient_data,
                not_applicable: self.not_applicable,
                unrecognised: self.unrecognised,
            },
            collection_id: Some(self.since_collection),
        })
    }
}

pub(super) async fn place_days(
    db: &mut PgConnection,
    place_id: i32,
    (from, until): (Day, Day),
    known_at: KnownAt,
) -> sqlx::Result<Vec<PlaceDayRow>> {
    sqlx::query_as(
        "select d.day, d.state, d.snapshot_at, d.items, d.compliance_items, d.complying, d.not_complying,
             d.insufficient_data, d.not_applicable, d.unrecognised, d.since_collection,
             o.key, o.size_bytes, o.etag, o.sha256
         from delivery d left join object o using (object_id)
         where d.place_id = $1 and d.day between $2 and $3
             and d.since_collection <= $4 and (d.until_collection is null or d.until_collection > $4)
         order by d.day",
    )
    .bind(place_id)
    .bind(from)
    .bind(until)
    .bind(known_at.0)
    .fetch_all(db)
    .await
}

#[derive(Debug, FromRow)]
pub(super) struct ObjectRow {
    day: Date,
    kind: String,
    key: String,
    taken_at: Option<OffsetDateTime>,
    size_bytes: i64,
    modified_ns: Option<i64>,
    etag: Option<String>,
    version_id: Option<String>,
    sha256: Option<[u8; 32]>,
    unpacked_bytes: Option<i64>,
    snapshot_id: Option<String>,
    items: Option<i64>,
    compliance_items: Option<i64>,
    evaluations: Option<i64>,
    first_collection: i64,
    outcome: Option<String>,
    reason: Option<String>,
    position_bytes: Option<i64>,
    athena_execution_id: Option<String>,
}

impl ObjectRow {
    pub(super) fn into_object(self, place: &Place) -> Object {
        let Self { key, size_bytes, etag, sha256, .. } = self;
        Object {
            account_id: place.account_id.clone(),
            region: place.region.clone(),
            day: self.day,
            kind: self.kind,
            version: ObjectVersion { key, size_bytes, etag, sha256 },
            version_id: self.version_id,
            taken_at: self.taken_at,
            modified_at: self
                .modified_ns
                .map(|nanoseconds| OffsetDateTime::UNIX_EPOCH + Duration::nanoseconds(nanoseconds)),
            unpacked_bytes: self.unpacked_bytes,
            snapshot_id: self.snapshot_id,
            items: self.items,
            compliance_items: self.compliance_items,
            evaluations: self.evaluations,
            outcome: self.outcome,
            reason: self.reason,
            position_bytes: self.position_bytes,
            athena_execution_id: self.athena_execution_id,
            first_collection: self.first_collection,
        }
    }
}

pub(super) async fn objects(
    db: &mut PgConnection,
    place_id: i32,
    (from, until): (Date, Date),
    known_at: KnownAt,
) -> sqlx::Result<Vec<ObjectRow>> {
    sqlx::query_as(
        "select o.day, o.kind, o.key, o.taken_at, o.size_bytes, o.modified_ns, o.etag,
             h.version_id, h.sha256,
             r.unpacked_bytes, r.snapshot_id, r.items, r.compliance_items, r.evaluations, o.first_collection,
             w.outcome, w.reason, w.position_bytes, q.execution_id as athena_execution_id
         from object o
         left join lateral (
             select case when least(o.hashed_by, o.read_by) <= $4 then o.version_id end as version_id,
                 case when o.hashed_by <= $4 then o.sha256 end as sha256
         ) h on true
         left join lateral (
             select o.unpacked_bytes, o.snapshot_id, o.items, o.compliance_items, o.evaluations where o.read_by <= $4
         ) r on true
         left join lateral (
             select outcome, reason, position_bytes from object_outcome w
             where w.object_id = o.object_id and w.collection_id <= $4
             order by w.collection_id desc limit 1
         ) w on true
         left join lateral (
             select execution_id from object_outcome x join athena_query using (athena_query_id)
             where x.object_id = o.object_id and x.collection_id = o.read_by and o.read_by <= $4
         ) q on true
         where o.place_id = $1 and o.day between $2 and $3 and o.first_collection <= $4
         order by o.day, o.key, o.size_bytes, o.modified_ns, o.etag collate \"C\"",
    )
    .bind(place_id)
    .bind(from)
    .bind(until)
    .bind(known_at.0)
    .fetch_all(db)
    .await
}

pub(super) async fn never_seen(
    db: &mut PgConnection,
    scope: &Scope,
    day: Date,
    known_at: KnownAt,
) -> sqlx::Result<Vec<NeverSeenPlace>> {
    sqlx::query_as(
        "with seen as (
             select p.place_id, p.account_id from place p
             where p.organization_id = $1 and exists (
                 select from delivery d
                 where d.place_id = p.place_id and d.day <= $3 and d.known
                     and d.since_collection <= $4 and (d.until_collection is null or d.until_collection > $4))
         )
         select p.account_id, p.region, p.account_id in (select account_id from seen) as account_seen
         from place p
         where p.organization_id = $1 and ($2::text[] is null or p.account_id = any($2))
             and p.place_id not in (select place_id from seen)
             and exists (
                 select from expected_place e
                 where e.place_id = p.place_id and e.first_day <= $3 and e.end_day > $3
                     and e.since_collection <= $4 and (e.until_collection is null or e.until_collection > $4))
         order by p.account_id, p.region",
    )
    .bind(scope.organization_id)
    .bind(&scope.accounts)
    .bind(day)
    .bind(known_at.0)
    .fetch_all(db)
    .await
}

pub(super) async fn accounts(db: &mut PgConnection, scope: &Scope, known_at: KnownAt) -> sqlx::Result<Vec<Account>> {
    sqlx::query_as(
        "with listed as (
             select distinct on (m.account_id) m.account_id, m.name, m.status, l.listed_on
             from account_list l join account_listing m using (account_list_id)
             where l.organization_id = $1 and l.collection_id <= $3
             order by m.account_id, l.listed_on desc, l.account_list_id desc
         ), units as (
             select distinct on (m.account_id) m.account_id, m.unit_names
             from account_list l join account_listing m using (account_list_id)
             where l.organization_id = $1 and l.collection_id <= $3 and m.unit_names is not null
             order by m.account_id, l.listed_on desc, l.account_list_id desc
         ), expected as (
             select p.account_id, count(distinct p.region) as regions, min(e.first_day) as first_day,
                 nullif(max(e.end_day), 'infinity') as end_day
             from place p join expected_place e using (place_id)
             where p.organization_id = $1
                 and e.since_collection <= $3 and (e.until_collection is null or e.until_collection > $3)
             group by p.account_id
         ), seen as (
             select p.account_id, min(d.day) filter (where d.known) as first_day, max(d.day) filter (where d.known) as last_day
             from place p join delivery d using (place_id)
             where p.organization_id = $1
                 and d.since_collection <= $3 and (d.until_collection is null or d.until_collection > $3)
             group by p.account_id
         )
         select account_id, listed.name, listed.status, listed.listed_on,
             coalesce(expected.regions, 0) as expected_regions,
             expected.first_day as expected_from, expected.end_day as expected_until,
             seen.first_day as first_known_day, seen.last_day as last_known_day, units.unit_names
         from listed full join expected using (account_id) full join seen using (account_id)
             left join units using (account_id)
         where $2::text[] is null or account_id = any($2)
         order by account_id",
    )
    .bind(scope.organization_id)
    .bind(&scope.accounts)
    .bind(known_at.0)
    .fetch_all(db)
    .await
}
