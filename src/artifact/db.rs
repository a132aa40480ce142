//! Readings of Artifact and what they told, as history.

use std::collections::BTreeMap;

use sqlx::types::Json;
use sqlx::{FromRow, PgConnection};
use time::{Date, OffsetDateTime};

use super::facts::Facts;
use super::history::Held;
use super::kind::Kind;
use super::told::VersionKey;

/// A reading to keep.
#[derive(Debug, Clone)]
pub(super) struct NewReading<'a> {
    pub(super) organization_id: i16,
    /// Whose agreements; `None` is reports.
    pub(super) account_id: Option<&'a str>,
    pub(super) read_at: OffsetDateTime,
    pub(super) source: &'a str,
    pub(super) failure: Option<&'a str>,
    /// What was not read, or not understood, of a reading that did not fail.
    pub(super) problems: &'a [String],
}

/// What a reading tells is compared with what is held: one program at a time.
const LOCK: i64 = 0x6172_7469_6661_6374;

/// Until the commit nobody else writes.
pub(super) async fn lock(db: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query("select pg_advisory_xact_lock($1)").bind(LOCK).execute(db).await?;
    Ok(())
}

/// When reports, or an account's agreements, were read last.
pub(super) async fn last_read_at(
    db: &mut PgConnection,
    organization_id: i16,
    account_id: Option<&str>,
) -> sqlx::Result<Option<OffsetDateTime>> {
    sqlx::query_scalar(
        "select max(read_at) from artifact_reading
         where organization_id = $1 and account_id is not distinct from $2",
    )
    .bind(organization_id)
    .bind(account_id)
    .fetch_one(db)
    .await
}

/// The reading by a job that is queued or running, if one is.
pub(super) async fn unfinished_job(db: &mut PgConnection) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar(
        "select job_id from job where kind = 'artifact' and state in ('queued', 'running') order by job_id limit 1",
    )
    .fetch_optional(db)
    .await
}

/// Whether no job has been put into the queue for so long.
pub(super) async fn is_due(db: &mut PgConnection, every: std::time::Duration) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "select not exists (select from job where kind = 'artifact'
                              and created_at > clock_timestamp() - make_interval(secs => $1))",
    )
    .bind(every.as_secs_f64())
    .fetch_one(db)
    .await
}

/// Keeps a reading and gives its number.
pub(super) async fn add_reading(db: &mut PgConnection, new: &NewReading<'_>) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "insert into artifact_reading (organization_id, subject, account_id, read_at, source, failure, problems)
         values ($1, $2, $3, $4, $5, $6, $7) returning artifact_reading_id",
    )
    .bind(new.organization_id)
    .bind(if new.account_id.is_some() { "agreements" } else { "reports" })
    .bind(new.account_id)
    .bind(new.read_at)
    .bind(new.source)
    .bind(new.failure)
    .bind(new.problems)
    .fetch_one(db)
    .await
}

/// The newest word on every version.
pub(super) async fn held_versions(
    db: &mut PgConnection,
    organization_id: i16,
) -> sqlx::Result<BTreeMap<VersionKey, Held>> {
    let rows: Vec<(String, i64, bool, Json<BTreeMap<String, serde_json::Value>>)> = sqlx::query_as(
        "select report_id, version, listed, facts from artifact_version
         where organization_id = $1 and until_reading is null",
    )
    .bind(organization_id)
    .fetch_all(db)
    .await?;
    let held = |(report_id, version, listed, Json(facts))| ((report_id, version), Held { facts: Facts(facts), listed });
    Ok(rows.into_iter().map(held).collect())
}

/// The newest word on every agreement of an account.
pub(super) async fn held_agreements(
    db: &mut PgConnection,
    organization_id: i16,
    account_id: &str,
) -> sqlx::Result<BTreeMap<String, Held>> {
    let rows: Vec<(String, bool, Json<BTreeMap<String, serde_json::Value>>)> = sqlx::query_as(
        "select agreement_id, listed, facts from artifact_agreement
         where organization_id = $1 and account_id = $2 and until_reading is null",
    )
    .bind(organization_id)
    .bind(account_id)
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|(id, listed, Json(facts))| (id, Held { facts: Facts(facts), listed })).collect())
}

/// Ends what was held of these versions and begins what is told now.
pub(super) async fn write_versions(
    db: &mut PgConnection,
    organization_id: i16,
    reading: i64,
    news: &BTreeMap<VersionKey, Held>,
) -> sqlx::Result<()> {
    let ids: Vec<&str> = news.keys().map(|(report_id, _)| report_id.as_str()).collect();
    let versions: Vec<i64> = news.keys().map(|(_, version)| *version).collect();
    let listed: Vec<bool> = news.values().map(|held| held.listed).collect();
    let facts: Vec<Json<&BTreeMap<String, serde_json::Value>>> =
        news.values().map(|held| Json(&held.facts.0)).collect();
    sqlx::query(
        "update artifact_version v set until_reading = $2
         from unnest($3::text[], $4::bigint[]) n (report_id, version)
         where v.organization_id = $1 and v.report_id = n.report_id and v.version = n.version and v.until_reading is null",
    )
    .bind(organization_id)
    .bind(reading)
    .bind(&ids)
    .bind(&versions)
    .execute(&mut *db)
    .await?;
    sqlx::query(
        "insert into artifact_version (organization_id, report_id, version, since_reading, listed, facts)
         select $1, n.report_id, n.version, $2, n.listed, n.facts
         from unnest($3::text[], $4::bigint[], $5::boolean[], $6::jsonb[]) n (report_id, version, listed, facts)",
    )
    .bind(organization_id)
    .bind(reading)
    .bind(&ids)
    .bind(&versions)
    .bind(&listed)
    .bind(&facts)
    .execute(db)
    .await?;
    Ok(())
}

/// Ends what was held of these agreements of an account and begins what is told now.
pub(super) async fn write_agreements(
    db: &mut PgConnection,
    organization_id: i16,
    account_id: &str,
    reading: i64,
    news: &BTreeMap<String, Held>,
) -> sqlx::Result<()> {
    let ids: Vec<&str> = news.keys().map(String::as_str).collect();
    let listed: Vec<bool> = news.values().map(|held| held.listed).collect();
    let facts: Vec<Json<&BTreeMap<String, serde_json::Value>>> =
        news.values().map(|held| Json(&held.facts.0)).collect();
    sqlx::query(
        "update artifact_agreement set until_reading = $3
         where organization_id = $1 and account_id = $2 and agreement_id = any($4) and until_reading is null",
    )
    .bind(organization_id)
    .bind(account_id)
    .bind(reading)
    .bind(&ids)
    .execute(&mut *db)
    .await?;
    sqlx::query(
        "insert into artifact_agreement (organization_id, account_id, agreement_id, since_reading, listed, facts)
         select $1, $2, n.agreement_id, $3, n.listed, n.facts
         from unnest($4::text[], $5::boolean[], $6::jsonb[]) n (agreement_id, listed, facts)",
    )
    .bind(organization_id)
    .bind(account_id)
    .bind(reading)
    .bind(&ids)
    .bind(&listed)
    .bind(&facts)
    .execute(db)
    .await?;
    Ok(())
}

/// Up to when readings count.
#[derive(Debug, Clone, Copy)]
pub(super) struct Until {
    /// Those that AWS answered before it.
    before: OffsetDateTime,
    /// Those that were kept by then: what is brought in later, of earlier days, was not known.
    kept_by: Option<OffsetDateTime>,
}

impl Until {
    /// What was read up to the end of a day, UTC.
    pub(super) fn end_of(day: Date) -> Self {
        let next = day.next_day().unwrap_or(day);
        Self { before: next.midnight().assume_utc(), kept_by: None }
    }

    /// The first moment that does not count any more.
    pub(super) fn moment(self) -> OffsetDateTime {
        self.before
    }

    /// What was read up to the end of a day and known at a moment.
    pub(super) fn end_of_known_at(day: Date, moment: OffsetDateTime) -> Self {
        let Self { before, .. } = Self::end_of(day);
        Self { before: before.min(moment), kept_by: Some(moment) }
    }

    /// What was known at a moment.
    pub(super) fn known_at(moment: OffsetDateTime) -> Self {
        Self { before: moment, kept_by: Some(moment) }
    }
}

/// Whether a reading counts, under its alias: with `$2` and `$3` of [`Until`].
macro_rules! counts {
    ($reading:literal) => {
        concat!($reading, ".read_at < $2 and ($3::timestamptz is null or ", $reading, ".recorded_at <= $3)")
    };
}

/// A version as it was known on a day.
#[derive(Debug, Clone, FromRow)]
pub(super) struct VersionRow {
    pub(super) report_id: String,
    pub(super) version: i64,
    pub(super) listed: bool,
    facts: Json<BTreeMap<String, serde_json::Value>>,
    /// When it was first seen.
    pub(super) seen_at: OffsetDateTime,
}

impl VersionRow {
    pub(super) fn held(&self) -> Held {
        Held { facts: Facts(self.facts.0.clone()), listed: self.listed }
    }
}

/// Every version, or those of one report, as the readings that count described it.
pub(super) async fn versions(
    db: &mut PgConnection,
    organization_id: i16,
    report_id: Option<&str>,
    until: Until,
) -> sqlx::Result<Vec<VersionRow>> {
    sqlx::query_as(concat!(
        "select v.report_id, v.version, v.listed, v.facts, f.seen_at
         from artifact_version v
         join artifact_reading s on s.artifact_reading_id = v.since_reading
         left join artifact_reading u on u.artifact_reading_id = v.until_reading
         join lateral (select min(r.read_at) as seen_at
                       from artifact_version w join artifact_reading r on r.artifact_reading_id = w.since_reading
                       where w.organization_id = v.organization_id and w.report_id = v.report_id
                         and w.version = v.version) f on true
         where v.organization_id = $1 and ($4::text is null or v.report_id = $4) and ",
        counts!("s"),
        " and (u.artifact_reading_id is null or not (",
        counts!("u"),
        ")) order by v.report_id, v.version desc",
    ))
    .bind(organization_id)
    .bind(until.before)
    .bind(until.kept_by)
    .bind(report_id)
    .fetch_all(db)
    .await
}

/// One step of what was known of a version.
#[derive(Debug, Clone, FromRow)]
pub(super) struct StepRow {
    pub(super) version: i64,
    pub(super) listed: bool,
    facts: Json<BTreeMap<String, serde_json::Value>>,
    pub(super) read_at: OffsetDateTime,
    pub(super) source: String,
}

impl StepRow {
    pub(super) fn facts(&self) -> Facts {
        Facts(self.facts.0.clone())
    }
}

/// All that the readings that count told of a report: by version, oldest first.
pub(super) async fn steps(
    db: &mut PgConnection,
    organization_id: i16,
    report_id: &str,
    until: Until,
) -> sqlx::Result<Vec<StepRow>> {
    sqlx::query_as(concat!(
        "select v.version, v.listed, v.facts, r.read_at, r.source
         from artifact_version v join artifact_reading r on r.artifact_reading_id = v.since_reading
         where v.organization_id = $1 and v.report_id = $4 and ",
        counts!("r"),
        " order by v.version, v.since_reading",
    ))
    .bind(organization_id)
    .bind(until.before)
    .bind(until.kept_by)
    .bind(report_id)
    .fetch_all(db)
    .await
}

/// What a person said a report is.
#[derive(Debug, Clone, FromRow)]
pub(super) struct KindRow {
    pub(super) report_id: String,
    kind: String,
    pub(super) reason: String,
    pub(super) made_by: String,
    pub(super) made_at: OffsetDateTime,
}

impl KindRow {
    pub(super) fn kind(&self) -> Kind {
        Kind::of_slug(&self.kind).unwrap_or(Kind::Other)
    }
}

/// The newest word of a person on each report, up to a moment.
pub(super) async fn kinds(
    db: &mut PgConnection,
    organization_id: i16,
    until: Option<OffsetDateTime>,
) -> sqlx::Result<Vec<KindRow>> {
    sqlx::query_as(
        "select distinct on (report_id) report_id, kind, reason, made_by, made_at from artifact_kind
         where organization_id = $1 and ($2::timestamptz is null or made_at <= $2)
         order by report_id, artifact_kind_id desc",
    )
    .bind(organization_id)
    .bind(until)
    .fetch_all(db)
    .await
}

/// Keeps what a person says a report is.
pub(super) async fn say_kind(
    db: &mut PgConnection,
    organization_id: i16,
    report_id: &str,
    kind: Kind,
    reason: &str,
    made_by: &str,
) -> sqlx::Result<()> {
    sqlx::query(
        "insert into artifact_kind (organization_id, report_id, kind, reason, made_by) values ($1, $2, $3, $4, $5)",
    )
    .bind(organization_id)
    .bind(report_id)
    .bind(kind.slug())
    .bind(reason)
    .bind(made_by)
    .execute(db)
    .await?;
    Ok(())
}

/// The readings that speak: of reports, or of each account's agreements, the newest that counts.
#[derive(Debug, Clone, FromRow)]
pub(super) struct ReadingRow {
    pub(super) account_id: Option<String>,
    pub(super) read_at: OffsetDateTime,
    pub(super) source: String,
    pub(super) failure: Option<String>,
    /// What it left out.
    pub(super) problems: Vec<String>,
    /// When the last one that did not fail was read.
    pub(super) whole_at: Option<OffsetDateTime>,
    /// The first that ever read it.
    pub(super) first_read_at: Option<OffsetDateTime>,
}

pub(super) async fn readings(
    db: &mut PgConnection,
    organization_id: i16,
    subject: &str,
    until: Until,
) -> sqlx::Result<Vec<ReadingRow>> {
    sqlx::query_as(concat!(
        "select distinct on (account_id) account_id, read_at, source, failure, problems,
                max(read_at) filter (where failure is null) over (partition by account_id) as whole_at,
                min(read_at) filter (where failure is null) over (partition by account_id) as first_read_at
         from artifact_reading r where organization_id = $1 and subject = $4 and ",
        counts!("r"),
        " order by account_id, artifact_reading_id desc",
    ))
    .bind(organization_id)
    .bind(until.before)
    .bind(until.kept_by)
    .bind(subject)
    .fetch_all(db)
    .await
}

/// An agreement as it was known on a day.
#[derive(Debug, Clone, FromRow)]
pub(super) struct AgreementRow {
    pub(super) account_id: String,
    pub(super) listed: bool,
    facts: Json<BTreeMap<String, serde_json::Value>>,
}

impl AgreementRow {
    pub(super) fn facts(&self) -> Facts {
        Facts(self.facts.0.clone())
    }
}

/// Every account's agreements as the readings that count described them.
pub(super) async fn agreements(
    db: &mut PgConnection,
    organization_id: i16,
    until: Until,
) -> sqlx::Result<Vec<AgreementRow>> {
    sqlx::query_as(concat!(
        "select a.account_id, a.listed, a.facts
         from artifact_agreement a
         join artifact_reading s on s.artifact_reading_id = a.since_reading
         left join artifact_reading u on u.artifact_reading_id = a.until_reading
         where a.organization_id = $1 and ",
        counts!("s"),
        " and (u.artifact_reading_id is null or not (",
        counts!("u"),
        ")) order by a.account_id, a.agreement_id",
    ))
    .bind(organization_id)
    .bind(until.before)
    .bind(until.kept_by)
    .fetch_all(db)
    .await
}

/// An account of the organisation.
#[derive(Debug, Clone, FromRow)]
pub(super) struct AccountRow {
    pub(super) account_id: String,
    pub(super) name: String,
    pub(super) joined_on: Option<Date>,
}

/// Accounts that belong to the organisation on a day, as far as lists tell.
pub(super) async fn accounts_on(
    db: &mut PgConnection,
    organization_id: i16,
    day: Date,
) -> sqlx::Result<Vec<AccountRow>> {
    sqlx::query_as(
        "select account_id, name, joined_on from account
         where organization_id = $1 and (joined_on is null or joined_on <= $2) and (left_on is null or left_on > $2)
         order by account_id",
    )
    .bind(organization_id)
    .bind(day)
    .fetch_all(db)
    .await
}

/// Whether a source was read.
pub(super) async fn is_read(db: &sqlx::PgPool, organization: &str, source: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "select exists (select from artifact_reading join organization using (organization_id)
                        where name = $1 and source = $2)",
    )
    .bind(organization)
    .bind(source)
    .fetch_one(db)
    .await
}
