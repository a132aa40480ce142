//! The collection's own rows: its life, its progress, the sums at its end.

use sqlx::{PgConnection, PgPool};
use time::Date;

use super::ladder::Ladder;
use super::run::Options;
use crate::audit_log::{self, Entry};

/// Space of the advisory locks that running collections hold: one an organisation.
const LIFE_LOCK: i32 = 0x6166_636f;

/// The right to collect for an organisation: a lock on a connection of its own, held for as long as the program lives.
/// Dropped in the middle, the connection is closed and the lock with it.
pub(crate) struct Turn {
    organization_id: i16,
    connection: sqlx::pool::PoolConnection<sqlx::Postgres>,
}

/// Waits until no other collection of the organisation runs, nor a removal by retention; `waiting` is called if there is one.
///
/// So collections write one after the other, in the order of their ids: what a restatement undoes is what the one before
/// it wrote, and a day's rows cannot be closed by a collection with a lower id.
pub(crate) async fn turn(db: &PgPool, organization_id: i16, waiting: impl FnOnce()) -> sqlx::Result<Turn> {
    let mut connection = db.acquire().await?;
    connection.close_on_drop();
    let free: bool = sqlx::query_scalar("select pg_try_advisory_lock($1, $2)")
        .bind(LIFE_LOCK)
        .bind(i32::from(organization_id))
        .fetch_one(&mut *connection)
        .await?;
    if !free {
        waiting();
        sqlx::query("select pg_advisory_lock($1, $2)")
            .bind(LIFE_LOCK)
            .bind(i32::from(organization_id))
            .execute(&mut *connection)
            .await?;
    }
    let mut turn = Turn { organization_id, connection };
    turn.end_interrupted().await?;
    Ok(turn)
}

impl Turn {
    /// Lets the next one have its turn. Dropped, the connection takes its time to close.
    pub(crate) async fn end(self) -> sqlx::Result<()> {
        self.connection.close().await
    }

    /// Marks collections whose program is gone: it is our turn, so none of them can be running.
    async fn end_interrupted(&mut self) -> sqlx::Result<()> {
        sqlx::query(
            "update collection set state = 'interrupted', finished_at = now(),
                    failure = 'The program ended before the collection did. What it committed stands.'
             where organization_id = $1 and state = 'running'",
        )
        .bind(self.organization_id)
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    pub(super) async fn begin(mut self, options: &Options) -> sqlx::Result<Life> {
        let mut tx = sqlx::Connection::begin(&mut *self.connection).await?;
        let collection_id: i64 = sqlx::query_scalar(
            "insert into collection (organization_id, engine, source, options, started_by, program_version,
                                     program_commit)
             values ($1, $2, $3, $4, $5, $6, $7) returning collection_id",
        )
        .bind(self.organization_id)
        .bind(options.engine.word())
        .bind(options.from.to_string())
        .bind(serde_json::json!({
            "accounts": options.accounts.iter().map(|path| path.to_string_lossy()).collect::<Vec<_>>(),
            "organizations": options.organizations,
            "regions": options.regions,
            "since": options.since.map(|day| day.to_string()),
            "until": options.until.map(|day| day.to_string()),
            "relist_days": options.relist_days,
            "recheck": options.recheck,
            "rule_definitions": options.rule_definitions,
            "aggregator": options.aggregator.aggregator,
        }))
        .bind(&options.started_by)
        .bind(env!("CARGO_PKG_VERSION"))
        .bind(env!("AUDITFOLIO_COMMIT"))
        .fetch_one(&mut *tx)
        .await?;
        let entry = entry(options, "start collection", collection_id)
            .detail(serde_json::json!({ "source": options.from.to_string() }));
        audit_log::record(&mut tx, &entry).await?;
        tx.commit().await?;
        Ok(Life { collection_id, turn: self })
    }
}

/// A running collection.
pub(super) struct Life {
    pub(super) collection_id: i64,
    turn: Turn,
}

fn entry(options: &Options, act: &'static str, collection_id: i64) -> Entry {
    Entry {
        actor: options.started_by.clone(),
        actor_kind: options.actor_kind,
        ..Entry::by_operator(act, format!("collection {collection_id}"))
    }
}

impl Life {
    /// Ends the collection: finished, or failed with a reason. Its days are its deliveries' days.
    pub(super) async fn finish(
        &mut self,
        ladder: &Ladder,
        failure: Option<&str>,
        options: &Options,
    ) -> sqlx::Result<()> {
        let mut tx = sqlx::Connection::begin(&mut *self.turn.connection).await?;
        let days: (Option<Date>, Option<Date>) =
            sqlx::query_as("select min(day), max(day) from delivery where since_collection = $1")
                .bind(self.collection_id)
                .fetch_one(&mut *tx)
                .await?;
        sqlx::query(
            "update collection set state = $2, failure = $3, finished_at = clock_timestamp(), first_day = $4,
                    last_day = $5, ladder = $6
             where collection_id = $1",
        )
        .bind(self.collection_id)
        .bind(if failure.is_some() { "failed" } else { "finished" })
        .bind(failure)
        .bind(days.0)
        .bind(days.1)
        .bind(sqlx::types::Json(ladder))
        .execute(&mut *tx)
        .await?;
        let act = if failure.is_some() { "fail collection" } else { "finish collection" };
        let entry = entry(options, act, self.collection_id).detail(serde_json::json!({
            "organization_id": self.turn.organization_id,
            "objects_collected": ladder.objects_collected,
            "objects_unreadable": ladder.objects_unreadable,
            "evaluations_stored": ladder.evaluations_stored,
        }));
        audit_log::record(&mut tx, &entry).await?;
        tx.commit().await
    }

    pub(super) async fn fail(&mut self, failure: &str, options: &Options) -> sqlx::Result<()> {
        self.end("failed", failure, &entry(options, "fail collection", self.collection_id)).await
    }

    /// Ends the collection because somebody asked for it.
    pub(super) async fn interrupt(&mut self, options: &Options) -> sqlx::Result<()> {
        let entry = entry(options, "interrupt collection", self.collection_id);
        self.end("interrupted", "It was asked to stop. What it committed stands.", &entry).await
    }

    async fn end(&mut self, state: &str, why: &str, entry: &Entry) -> sqlx::Result<()> {
        let mut tx = sqlx::Connection::begin(&mut *self.turn.connection).await?;
        sqlx::query(
            "update collection set state = $2, failure = $3, finished_at = clock_timestamp()
             where collection_id = $1",
        )
        .bind(self.collection_id)
        .bind(state)
        .bind(why)
        .execute(&mut *tx)
        .await?;
        audit_log::record(&mut tx, entry).await?;
        tx.commit().await
    }
}

pub(super) async fn set_total(db: &PgPool, collection_id: i64, total: usize) -> sqlx::Result<()> {
    sqlx::query("update collection set objects_total = $2 where collection_id = $1")
        .bind(collection_id)
        .bind(i64::try_from(total).unwrap_or(i64::MAX))
        .execute(db)
        .await?;
    Ok(())
}

pub(super) async fn set_done(db: &PgPool, collection_id: i64, done: u64) -> sqlx::Result<()> {
    sqlx::query("update collection set objects_done = greatest(objects_done, $2) where collection_id = $1")
        .bind(collection_id)
        .bind(i64::try_from(done).unwrap_or(i64::MAX))
        .execute(db)
        .await?;
    Ok(())
}

/// Tells the planner what the tables hold now: after a first collection it would guess, and join millions of rows badly.
pub(super) async fn analyze(db: &PgPool) -> sqlx::Result<()> {
    sqlx::query(
        "analyze run, rollup, rule_presence, delivery, object, object_outcome, resource, rule, place, restatement",
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Sums the organisation's days anew, from what is delivered and expected now.
///
/// A place that is expected and not known on a day counts with its last known evaluations before it; one that was never
/// known before makes *at least* not computable.
pub(super) async fn sum_days(db: &mut PgConnection, organization_id: i16) -> sqlx::Result<()> {
    sqlx::query("delete from day_total where organization_id = $1").bind(organization_id).execute(&mut *db).await?;
    sqlx::query(
        "with delivered as (
             select d.* from delivery d join place p using (place_id)
             where p.organization_id = $1 and d.until_collection is null
         ), days as (
             -- A place's last known day before the first day kept is there for the days that go on from it.
             select day::date from generate_series(
                 greatest((select min(day) from delivered),
                          (select max(first_day) from retention where organization_id = $1)),
                 (select max(day) from delivered), interval '1 day') as day
         ), expected as (
             select e.place_id, p.account_id, e.first_day, e.end_day
             from expected_place e join place p using (place_id)
             where p.organization_id = $1 and e.until_collection is null
         ), known as (
             select day, count(*) as places, sum(complying) as complying, sum(not_complying) as not_complying,
                    sum(insufficient_data) as insufficient_data, sum(not_applicable) as not_applicable,
                    sum(unrecognised) as unrecognised
             from delivered where known group by day
         ), silent as (
             -- Expected and not known: the days between one known day and the next carry the first one's counts.
             select days.day, e.account_id, last.unknown
             from expected e
             join days on days.day >= e.first_day and days.day < e.end_day
             left join delivered d on d.place_id = e.place_id and d.day = days.day and d.known
             left join lateral (
                 select complying + not_complying + insufficient_data + unrecognised as unknown
                 from delivery l
                 where l.place_id = e.place_id and l.day < days.day and l.until_collection is null and l.known
                 order by l.day desc limit 1) last on true
             where d.place_id is null
         ), carried as (
             select day, sum(unknown) as unknown from silent group by day
         ), wanted as (
             select days.day, count(*) as places from expected e
             join days on days.day >= e.first_day and days.day < e.end_day group by days.day
         ), first_known as (
             select p.account_id, min(d.day) as day from delivered d join place p using (place_id)
             where d.known group by p.account_id
         ), never as (
             -- Whole accounts, and Regions of accounts that were known elsewhere.
             select s.day, count(distinct s.account_id) filter (where f.day is null) as accounts,
                    count(*) filter (where f.day is not null) as places
             from silent s left join first_known f on f.account_id = s.account_id and f.day <= s.day
             where s.unknown is null group by s.day
         )
         insert into day_total (organization_id, day, expected_places, known_places, never_seen_accounts,
                                never_seen_places, complying, not_complying, insufficient_data, not_applicable,
                                unrecognised, unknown_carried)
         select $1, days.day, coalesce(wanted.places, 0), coalesce(known.places, 0), coalesce(never.accounts, 0),
                coalesce(never.places, 0), coalesce(known.complying, 0), coalesce(known.not_complying, 0), coalesce(known.insufficient_data, 0),
                coalesce(known.not_applicable, 0), coalesce(known.unrecognised, 0), coalesce(carried.unknown, 0)
         from days
         left join known using (day) left join carried using (day) left join wanted using (day)
         left join never using (day)",
    )
    .bind(organization_id)
    .execute(db)
    .await?;
    Ok(())
}
