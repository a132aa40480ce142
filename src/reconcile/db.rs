//! Keeping readings of the aggregator.

use sqlx::PgConnection;
use time::{Date, OffsetDateTime};

use crate::aws::config_aggregator::{PackResult, RuleResult, Source};

/// One try to read the aggregator.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading<'a> {
    pub(super) organization_id: i16,
    pub(super) collection_id: i64,
    pub(super) aggregator: &'a str,
    pub(super) region: &'a str,
    pub(super) role: Option<&'a str>,
    pub(super) started_at: OffsetDateTime,
}

/// Why a reading was not whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unread {
    /// As column `aggregator_reading.cause` has it.
    pub(super) cause: &'static str,
    pub(super) why: String,
}

/// What a whole reading held.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counted {
    pub(super) sources: usize,
    pub(super) rules: i64,
    pub(super) packs: usize,
    pub(super) day: Option<Date>,
}

/// Texts of AWS may hold a NUL, which Postgres does not take.
pub(super) fn clean<T>(rows: &[T], of: impl Fn(&T) -> &str) -> Vec<String> {
    rows.iter().map(|row| of(row).replace('\0', "\u{fffd}")).collect()
}

/// Makes the staging table, empty, and gives the time. It lives as long as the connection's session.
pub(super) async fn begin(db: &mut PgConnection) -> sqlx::Result<OffsetDateTime> {
    end(db).await?;
    sqlx::query(
        "create temp table aggregate_rule_now (account_id text collate \"C\", region text collate \"C\",
             rule_name text collate \"C\", compliance text, contributors integer, capped boolean)",
    )
    .execute(&mut *db)
    .await?;
    sqlx::query_scalar("select clock_timestamp()").fetch_one(db).await
}

pub(super) async fn end(db: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query("drop table if exists pg_temp.aggregate_rule_now").execute(db).await?;
    Ok(())
}

/// Adds a page of results.
pub(super) async fn stage(db: &mut PgConnection, page: &[RuleResult]) -> sqlx::Result<()> {
    sqlx::query(
        "insert into aggregate_rule_now
         select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::integer[], $6::boolean[])",
    )
    .bind(clean(page, |one| &one.account_id))
    .bind(clean(page, |one| &one.region))
    .bind(clean(page, |one| &one.rule))
    .bind(clean(page, |one| &one.compliance))
    .bind(page.iter().map(|one| one.contributors).collect::<Vec<_>>())
    .bind(page.iter().map(|one| one.capped).collect::<Vec<_>>())
    .execute(db)
    .await?;
    Ok(())
}

/// A rule in an account and Region of which the pages say two things. One that they say twice counts once.
pub(super) async fn contradiction(db: &mut PgConnection) -> sqlx::Result<Option<(String, String, String)>> {
    sqlx::query("analyze pg_temp.aggregate_rule_now").execute(&mut *db).await?;
    sqlx::query_as(
        "select account_id, region, rule_name from (select distinct * from aggregate_rule_now) n
         group by account_id, region, rule_name having count(*) > 1 order by 1, 2, 3 limit 1",
    )
    .fetch_optional(db)
    .await
}

/// How many results were staged.
pub(super) async fn staged(db: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar("select count(*) from (select distinct * from aggregate_rule_now) n").fetch_one(db).await
}

/// The newest day that the portal shows.
pub(super) async fn newest_day(db: &mut PgConnection, organization_id: i16) -> sqlx::Result<Option<Date>> {
    sqlx::query_scalar("select max(day) from day_total where organization_id = $1")
        .bind(organization_id)
        .fetch_one(db)
        .await
}

/// Notes a whole reading; gives its id.
pub(super) async fn note_whole(db: &mut PgConnection, reading: Reading<'_>, counted: &Counted) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "insert into aggregator_reading (organization_id, collection_id, aggregator, region, role, started_at, day,
             sources, rules, packs)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) returning aggregator_reading_id",
    )
    .bind(reading.organization_id)
    .bind(reading.collection_id)
    .bind(reading.aggregator)
    .bind(reading.region)
    .bind(reading.role)
    .bind(reading.started_at)
    .bind(counted.day)
    .bind(i32::try_from(counted.sources).unwrap_or(i32::MAX))
    .bind(counted.rules)
    .bind(i64::try_from(counted.packs).unwrap_or(i64::MAX))
    .fetch_one(db)
    .await
}

/// Notes that the aggregator could not be read. What was known stands.
pub(super) async fn note_failure(db: &mut PgConnection, reading: Reading<'_>, unread: &Unread) -> sqlx::Result<()> {
    sqlx::query(
        "insert into aggregator_reading (organization_id, collection_id, aggregator, region, role, started_at, failure,
             cause)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(reading.organization_id)
    .bind(reading.collection_id)
    .bind(reading.aggregator)
    .bind(reading.region)
    .bind(reading.role)
    .bind(reading.started_at)
    .bind(unread.why.replace('\0', "\u{fffd}"))
    .bind(unread.cause)
    .execute(db)
    .await?;
    Ok(())
}

/// Keeps what the sources are now: those that are otherwise or gone are closed before the new ones are opened, because only
/// one of a source is open at a time.
pub(super) async fn keep_sources(
    db: &mut PgConnection,
    organization_id: i16,
    reading_id: i64,
    sources: &[Source],
) -> sqlx::Result<()> {
    let now = "with now as (
             select distinct on (kind, source_id, region) * from unnest($3::text[], $4::text[], $5::text[], $6::text[],
                 $7::text[], $8::text[], $9::timestamptz[])
                 n (kind, source_id, region, status, error_code, error_message, updated_at)
             order by kind, source_id, region, updated_at desc nulls last)";
    let same = "(s.kind, s.source_id, s.region, s.status, s.error_code, s.error_message)
             = (n.kind, n.source_id, n.region, n.status, n.error_code, n.error_message)";
    for then in [
        format!(
            "update aggregator_source s set until_reading = $2
             where s.organization_id = $1 and s.until_reading is null and not exists (select from now n where {same})"
        ),
        format!(
            "update aggregator_source s set updated_at = n.updated_at from now n
             where s.organization_id = $1 and s.until_reading is null and {same}"
        ),
        format!(
            "insert into aggregator_source (organization_id, kind, source_id, region, status, error_code, error_message,
                 updated_at, since_reading)
             select $1, n.*, $2 from now n
             where not exists (select from aggregator_source s
                 where s.organization_id = $1 and s.until_reading is null and {same})"
        ),
    ] {
        sqlx::query(sqlx::AssertSqlSafe(format!("{now} {then}")))
            .bind(organization_id)
            .bind(reading_id)
            .bind(clean(sources, |one| &one.kind))
            .bind(clean(sources, |one| &one.id))
            .bind(clean(sources, |one| &one.region))
            .bind(clean(sources, |one| &one.status))
            .bind(clean(sources, |one| &one.error_code))
            .bind(clean(sources, |one| &one.error_message))
            .bind(sources.iter().map(|one| one.updated_at).collect::<Vec<_>>())
            .execute(&mut *db)
            .await?;
    }
    Ok(())
}

/// Keeps what the staged results say now: those that changed or went are closed, those that are new are opened.
pub(super) async fn keep_rules(db: &mut PgConnection, organization_id: i16, reading_id: i64) -> sqlx::Result<()> {
    sqlx::query(
        "update aggregate_rule a set until_reading = $2
         where a.organization_id = $1 and a.until_reading is null
             and not exists (select from aggregate_rule_now n
                 where (n.account_id, n.region, n.rule_name) = (a.account_id, a.region, a.rule_name)
                     and (n.compliance, n.contributors, n.capped)
                         is not distinct from (a.compliance, a.contributors, a.capped))",
    )
    .bind(organization_id)
    .bind(reading_id)
    .execute(&mut *db)
    .await?;
    sqlx::query(
        "insert into aggregate_rule (organization_id, account_id, region, rule_name, compliance, contributors, capped,
             since_reading)
         select distinct $1::smallint, n.account_id, n.region, n.rule_name, n.compliance, n.contributors, n.capped,
             $2::bigint
         from aggregate_rule_now n
         where not exists (select from aggregate_rule a
             where a.organization_id = $1 and a.until_reading is null
                 and (n.account_id, n.region, n.rule_name) = (a.account_id, a.region, a.rule_name))",
    )
    .bind(organization_id)
    .bind(reading_id)
    .execute(db)
    .await?;
    Ok(())
}

/// Keeps what the conformance packs' verdicts are now, likewise.
pub(super) async fn keep_packs(
    db: &mut PgConnection,
    organization_id: i16,
    reading_id: i64,
    packs: &[PackResult],
) -> sqlx::Result<()> {
    let columns = "n (account_id, region, pack_name, compliance, compliant_rules, non_compliant_rules, total_rules)";
    let same = "(a.account_id, a.region, a.pack_name, a.compliance, a.compliant_rules, a.non_compliant_rules,
             a.total_rules) = (n.account_id, n.region, n.pack_name, n.compliance, n.compliant_rules,
             n.non_compliant_rules, n.total_rules)";
    for then in [
        format!(
            "update aggregate_pack a set until_reading = $2
             where a.organization_id = $1 and a.until_reading is null and not exists (select from now n where {same})"
        ),
        format!(
            "insert into aggregate_pack (organization_id, account_id, region, pack_name, compliance, compliant_rules,
                 non_compliant_rules, total_rules, since_reading)
             select $1, n.*, $2 from now n
             where not exists (select from aggregate_pack a
                 where a.organization_id = $1 and a.until_reading is null and {same})"
        ),
    ] {
        let sql = format!(
            "with now as (
                 select distinct on (account_id, region, pack_name) * from unnest($3::text[], $4::text[], $5::text[],
                     $6::text[], $7::integer[], $8::integer[], $9::integer[]) {columns}
                 order by account_id, region, pack_name, compliance desc)
             {then}"
        );
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(organization_id)
            .bind(reading_id)
            .bind(clean(packs, |one| &one.account_id))
            .bind(clean(packs, |one| &one.region))
            .bind(clean(packs, |one| &one.name))
            .bind(clean(packs, |one| &one.compliance))
            .bind(packs.iter().map(|one| one.compliant_rules).collect::<Vec<_>>())
            .bind(packs.iter().map(|one| one.non_compliant_rules).collect::<Vec<_>>())
            .bind(packs.iter().map(|one| one.total_rules).collect::<Vec<_>>())
            .execute(&mut *db)
            .await?;
    }
    Ok(())
}
