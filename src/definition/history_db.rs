//! Readings and definitions as they were kept: what held when, what changed, where nothing could be read.

use sqlx::{FromRow, PgConnection};
use time::Date;

use super::core::Definition;
use super::db::DefinitionRow;
use super::outcome::Outcome;

fn outcome(word: &str) -> sqlx::Result<Outcome> {
    Outcome::parse(word).ok_or_else(|| sqlx::Error::Decode(format!("unknown outcome of a reading {word:?}").into()))
}

/// How reading a place's rules went, up to a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlaceReading {
    pub(crate) place_id: i32,
    pub(crate) account_id: String,
    pub(crate) region: String,
    /// The last day on which they were read.
    pub(crate) read_on: Option<Date>,
    /// The last try: how it went, when, and what went wrong.
    pub(crate) last: Option<(Outcome, Date, String)>,
}

#[derive(FromRow)]
struct ReadingRow {
    place_id: i32,
    account_id: String,
    region: String,
    read_on: Option<Date>,
    outcome: Option<String>,
    day: Option<Date>,
    failure: Option<String>,
    until: Date,
}

/// The day that speaks for a day: itself, where something was read up to it; else the first day on which anything was.
const SPEAKING: &str = "
    select greatest($2::date, min(first.day)) as day from unnest($1::int[]) as w (place_id)
    -- The first reading of each place, by the key: places have many.
    cross join lateral (select r.day from rule_reading r where r.place_id = w.place_id and r.outcome = 'read'
                        order by r.collection_id limit 1) first";

/// How reading went in some places, up to a day and a collection, by account and Region.
pub(crate) async fn readings(
    db: &mut PgConnection,
    place_ids: &[i32],
    day: Date,
    known_at: i64,
) -> sqlx::Result<Vec<PlaceReading>> {
    Ok(readings_until(db, "select $2::date as day", place_ids, day, known_at).await?.1)
}

/// The same up to the day that speaks for a day, which comes with it, whichever collection read.
pub(crate) async fn speaking_readings(
    db: &mut PgConnection,
    place_ids: &[i32],
    day: Date,
) -> sqlx::Result<(Date, Vec<PlaceReading>)> {
    let (until, readings) = readings_until(db, SPEAKING, place_ids, day, i64::MAX).await?;
    Ok((until.unwrap_or(day), readings))
}

async fn readings_until(
    db: &mut PgConnection,
    until: &'static str,
    place_ids: &[i32],
    day: Date,
    known_at: i64,
) -> sqlx::Result<(Option<Date>, Vec<PlaceReading>)> {
    let sql = format!(
        "with until as ({until})
         select p.place_id, p.account_id, p.region, ok.day as read_on, last.outcome, last.day, last.failure,
                until.day as until
         from until cross join place p
         left join lateral (select r.day from rule_reading r
                            where r.place_id = p.place_id and r.outcome = 'read' and r.day <= until.day
                              and r.collection_id <= $3
                            order by r.collection_id desc limit 1) ok on true
         left join lateral (select r.day, r.outcome, r.failure from rule_reading r
                            where r.place_id = p.place_id and r.day <= until.day and r.collection_id <= $3
                            order by r.collection_id desc limit 1) last on true
         where p.place_id = any($1)
         order by p.account_id, p.region"
    );
    let rows: Vec<ReadingRow> =
        sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(place_ids).bind(day).bind(known_at).fetch_all(db).await?;
    let until = rows.first().map(|row| row.until);
    let readings: sqlx::Result<_> = rows
        .into_iter()
        .map(|row| {
            let last = match (row.outcome, row.day) {
                (Some(word), Some(day)) => Some((outcome(&word)?, day, row.failure.unwrap_or_default())),
                _ => None,
            };
            Ok(PlaceReading {
                place_id: row.place_id,
                account_id: row.account_id,
                region: row.region,
                read_on: row.read_on,
                last,
            })
        })
        .collect();
    Ok((until, readings?))
}

/// See [`SPEAKING`].
pub(crate) async fn speaking_day(db: &mut PgConnection, place_ids: &[i32], day: Date) -> sqlx::Result<Date> {
    sqlx::query_scalar(SPEAKING).bind(place_ids).bind(day).fetch_one(db).await
}

/// A definition of a place with the days for which it is known to have held.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) place_id: i32,
    pub(crate) account_id: String,
    pub(crate) region: String,
    pub(crate) first_day: Date,
    pub(crate) first_collection: i64,
    /// The last reading that found it.
    pub(crate) last_day: Date,
    pub(crate) last_collection: i64,
    /// The day on which it was found changed or gone, as known at the collection asked for.
    pub(crate) end_day: Option<Date>,
    pub(crate) definition: Definition,
}

#[derive(FromRow)]
struct HeldRow {
    place_id: i32,
    account_id: String,
    region: String,
    first_day: Date,
    since_collection: i64,
    last_day: Option<Date>,
    last_collection: Option<i64>,
    held_until: Option<Date>,
    #[sqlx(flatten)]
    definition: DefinitionRow,
}

impl From<HeldRow> for Held {
    fn from(row: HeldRow) -> Self {
        Self {
            place_id: row.place_id,
            account_id: row.account_id,
            region: row.region,
            last_day: row.last_day.unwrap_or(row.first_day),
            last_collection: row.last_collection.unwrap_or(row.since_collection),
            first_day: row.first_day,
            first_collection: row.since_collection,
            end_day: row.held_until,
            definition: row.definition.into(),
        }
    }
}

/// Which definitions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Which<'a> {
    pub(crate) place_ids: &'a [i32],
    /// Names as AWS Config has them; `None` is all.
    pub(crate) names: Option<&'a [String]>,
    /// They held on one of these days, or were found on it.
    pub(crate) first: Date,
    pub(crate) last: Date,
    /// What this collection and those before it found.
    pub(crate) known_at: i64,
}

/// The columns of a definition, and its place and last reading, beside `rule_definition d`.
const COLUMNS: &str =
    "d.*, p.account_id, p.region, case when d.until_collection <= $5 then d.end_day end as held_until,
    seen.day as last_day, seen.collection_id as last_collection";
const BESIDE: &str = "
    join place p using (place_id)
    left join lateral (
        select r.day, r.collection_id from rule_reading r
        where r.place_id = d.place_id and r.outcome = 'read' and r.collection_id <= $5
          and r.collection_id < coalesce(d.until_collection, 9223372036854775807)
        order by r.collection_id desc limit 1) seen on true";

/// Definitions that held in some days, by account, Region, rule and time.
pub(crate) async fn held(db: &mut PgConnection, which: Which<'_>) -> sqlx::Result<Vec<Held>> {
    let text = format!(
        "select {COLUMNS} from rule_definition d {BESIDE}
         where d.place_id = any($1) and ($2::text[] is null or d.rule_name = any($2))
           and d.since_collection <= $5 and d.first_day <= $4
           and (d.end_day is null or d.end_day > $3 or d.until_collection > $5)
         order by p.account_id, p.region, d.rule_name, d.since_collection"
    );
    let rows: Vec<HeldRow> = sqlx::query_as(sqlx::AssertSqlSafe(text))
        .bind(which.place_ids)
        .bind(which.names)
        .bind(which.first)
        .bind(which.last)
        .bind(which.known_at)
        .fetch_all(db)
        .await?;
    Ok(rows.into_iter().map(Held::from).collect())
}

/// Definitions that may have changed in some days, each with the one that came after it: what was last seen before the
/// last of the days, and found otherwise on the first or later. Those that only went are left out: the rule's presence
/// tells them.
pub(crate) async fn changed(db: &mut PgConnection, which: Which<'_>) -> sqlx::Result<Vec<(Held, Held)>> {
    let text = format!(
        "with pair as (
             select d.rule_definition_id as old_id, n.rule_definition_id as new_id
             from rule_definition d
             join lateral (select x.rule_definition_id, x.first_day from rule_definition x
                           where x.place_id = d.place_id and x.rule_name = d.rule_name
                             and x.since_collection >= d.until_collection and x.since_collection <= $5
                           order by x.since_collection limit 1) n on true
             where d.place_id = any($1) and ($2::text[] is null or d.rule_name = any($2))
               and d.until_collection <= $5 and n.first_day >= $3 and d.first_day <= $4
         ), one as (
             select old_id, new_id, old_id as id from pair union all select old_id, new_id, new_id from pair
         )
         select {COLUMNS}, one.new_id from one join rule_definition d on d.rule_definition_id = one.id {BESIDE}
         order by p.account_id, p.region, d.rule_name, one.old_id, d.since_collection"
    );
    let rows: Vec<PairRow> = sqlx::query_as(sqlx::AssertSqlSafe(text))
        .bind(which.place_ids)
        .bind(which.names)
        .bind(which.first)
        .bind(which.last)
        .bind(which.known_at)
        .fetch_all(db)
        .await?;
    let mut pairs = Vec::with_capacity(rows.len() / 2);
    let mut old: Option<Held> = None;
    for row in rows {
        let is_new = row.new_id == row.held.definition.rule_definition_id;
        let held = Held::from(row.held);
        if is_new {
            pairs.extend(old.take().map(|old| (old, held)));
        } else {
            old = Some(held);
        }
    }
    pairs.retain(|(old, new)| new.first_day <= which.last || old.last_day < which.last);
    Ok(pairs)
}

#[derive(FromRow)]
struct PairRow {
    new_id: i64,
    #[sqlx(flatten)]
    held: HeldRow,
}

/// The places with evidence of one of some days, as known at a collection: where there are rules whose parameters could be
/// known.
pub(crate) async fn with_evidence(
    db: &mut PgConnection,
    organization_id: i16,
    accounts: Option<&[String]>,
    (first, last): (Date, Date),
    known_at: i64,
) -> sqlx::Result<Vec<i32>> {
    sqlx::query_scalar(
        "select place_id from place p
         where organization_id = $1 and ($2::text[] is null or account_id = any($2))
           and exists (select from delivery d where d.place_id = p.place_id and d.day between $3 and $4 and d.known
                         and d.since_collection <= $5 and (d.until_collection is null or d.until_collection > $5))
         order by account_id, region",
    )
    .bind(organization_id)
    .bind(accounts)
    .bind(first)
    .bind(last)
    .bind(known_at)
    .fetch_all(db)
    .await
}
