//! Both sides of a comparison, and keeping what it came to.

use sqlx::{FromRow, PgConnection};
use time::Date;

use super::core::Compared;
use super::db::clean;
use crate::compliance::DeliveryState;
use crate::compliance::core::Counts;

/// Kind, id, Region and status of the sources.
pub(super) async fn source_statuses(
    db: &mut PgConnection,
    organization_id: i16,
) -> sqlx::Result<Vec<(String, String, String, String)>> {
    sqlx::query_as(
        "select kind, source_id, region, status from aggregator_source
         where organization_id = $1 and until_reading is null",
    )
    .bind(organization_id)
    .fetch_all(db)
    .await
}

/// Every account that either side knows, or that was compared before.
pub(super) async fn accounts(db: &mut PgConnection, organization_id: i16) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "select account_id from place where organization_id = $1
         union select account_id from aggregate_rule where organization_id = $1 and until_reading is null
         union select account_id from aggregate_pack where organization_id = $1 and until_reading is null
         union select account_id from comparison where organization_id = $1
         union select account_id from pack_comparison where organization_id = $1
         order by 1",
    )
    .bind(organization_id)
    .fetch_all(db)
    .await
}

/// What the day brought of each account and Region.
pub(super) async fn places(
    db: &mut PgConnection,
    organization_id: i16,
    day: Date,
    accounts: &[String],
) -> sqlx::Result<Vec<((String, String), DeliveryState)>> {
    let rows: Vec<(String, String, Option<String>, bool)> = sqlx::query_as(
        "select p.account_id, p.region, d.state,
             exists (select from expected_place e where e.place_id = p.place_id and e.until_collection is null
                     and e.first_day <= $2 and e.end_day > $2)
         from place p
         left join delivery d on d.place_id = p.place_id and d.day = $2 and d.until_collection is null
         where p.organization_id = $1 and p.account_id = any($3)",
    )
    .bind(organization_id)
    .bind(day)
    .bind(accounts)
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|(account_id, region, word, expected)| {
            let state = match word.as_deref() {
                Some(word) => DeliveryState::parse(word)
                    .ok_or_else(|| sqlx::Error::Decode(format!("unknown delivery state {word:?}").into()))?,
                None if expected => DeliveryState::Missing,
                None => DeliveryState::NotExpected,
            };
            Ok(((account_id, region), state))
        })
        .collect()
}

/// Resources by status here; null where the store says nothing.
#[derive(Debug, Clone, FromRow)]
pub(super) struct Here {
    pub(super) complying: Option<i64>,
    pub(super) not_complying: Option<i64>,
    pub(super) insufficient_data: Option<i64>,
    pub(super) not_applicable: Option<i64>,
    pub(super) unrecognised: Option<i64>,
}

impl Here {
    /// What the store says; `None` where it says nothing.
    pub(super) fn counts(&self) -> Option<Counts> {
        Some(Counts {
            complying: self.complying?,
            not_complying: self.not_complying?,
            insufficient_data: self.insufficient_data?,
            not_applicable: self.not_applicable?,
            unrecognised: self.unrecognised?,
        })
    }
}

/// What either side says of a rule in an account and Region.
#[derive(Debug, Clone, FromRow)]
pub(super) struct Side {
    pub(super) account_id: String,
    pub(super) region: String,
    pub(super) rule_name: String,
    #[sqlx(flatten)]
    pub(super) here: Here,
    pub(super) there_compliance: Option<String>,
    pub(super) there_count: Option<i32>,
    pub(super) there_capped: bool,
}

/// Both sides of some accounts; the store's only where the day is known.
pub(super) async fn sides(
    db: &mut PgConnection,
    organization_id: i16,
    day: Date,
    accounts: &[String],
) -> sqlx::Result<Vec<Side>> {
    sqlx::query_as(
        "with ours as (
             select p.account_id, p.region, r.name as rule_name, sum(u.complying)::bigint as complying,
                 sum(u.not_complying)::bigint as not_complying, sum(u.insufficient_data)::bigint as insufficient_data,
                 sum(u.not_applicable)::bigint as not_applicable, sum(u.unrecognised)::bigint as unrecognised
             from place p
             join delivery d on d.place_id = p.place_id and d.day = $2 and d.until_collection is null and d.known
             join rollup u on u.place_id = p.place_id and u.first_day <= $2 and u.end_day > $2
             join rule r using (rule_id)
             where p.organization_id = $1 and p.account_id = any($3)
             group by p.account_id, p.region, r.name
         ), theirs as (
             select account_id, region, rule_name, compliance, contributors, capped from aggregate_rule
             where organization_id = $1 and account_id = any($3) and until_reading is null
         )
         select account_id, region, rule_name, o.complying, o.not_complying, o.insufficient_data, o.not_applicable,
             o.unrecognised, t.compliance as there_compliance, t.contributors as there_count,
             coalesce(t.capped, false) as there_capped
         from ours o full join theirs t using (account_id, region, rule_name)",
    )
    .bind(organization_id)
    .bind(day)
    .bind(accounts)
    .fetch_all(db)
    .await
}

/// A row of table `comparison`.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) side: Side,
    pub(super) core_name: String,
    pub(super) compared: Compared,
}

/// Brings the rows of some accounts up to date; what stayed is not written.
pub(super) async fn keep_comparison(
    db: &mut PgConnection,
    organization_id: i16,
    accounts: &[String],
    rows: &[Row],
) -> sqlx::Result<()> {
    let said = "verdict, reason, complying, not_complying, insufficient_data, not_applicable, unrecognised,
         there_compliance, there_count, there_capped";
    let of =
        |table: &str| said.split(',').map(|column| format!("{table}.{}", column.trim())).collect::<Vec<_>>().join(", ");
    let sql = format!(
        "with now as (
             select * from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::smallint[], $8::text[],
                 $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::text[], $15::integer[],
                 $16::boolean[]) n (account_id, region, rule_name, core_name, {said})
         ), gone as (
             delete from comparison c where c.organization_id = $1 and c.account_id = any($2)
                 and not exists (select from now n
                     where (n.account_id, n.region, n.rule_name) = (c.account_id, c.region, c.rule_name))
             returning c.comparison_id
         )
         insert into comparison (organization_id, account_id, region, rule_name, core_name, {said})
         select $1, n.* from now n order by account_id, region, rule_name
         on conflict on constraint comparison_key do update
             set core_name = excluded.core_name, ({said}) = row ({excluded})
             where (comparison.core_name, {held}) is distinct from (excluded.core_name, {excluded})",
        excluded = of("excluded"),
        held = of("comparison"),
    );
    let number = |of: fn(&Side) -> Option<i64>| rows.iter().map(|row| of(&row.side)).collect::<Vec<_>>();
    sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(organization_id)
        .bind(accounts)
        .bind(clean(rows, |row| &row.side.account_id))
        .bind(clean(rows, |row| &row.side.region))
        .bind(clean(rows, |row| &row.side.rule_name))
        .bind(clean(rows, |row| &row.core_name))
        .bind(rows.iter().map(|row| row.compared.verdict.id()).collect::<Vec<_>>())
        .bind(clean(rows, |row| &row.compared.reason))
        .bind(number(|side| side.here.complying))
        .bind(number(|side| side.here.not_complying))
        .bind(number(|side| side.here.insufficient_data))
        .bind(number(|side| side.here.not_applicable))
        .bind(number(|side| side.here.unrecognised))
        .bind(rows.iter().map(|row| row.side.there_compliance.as_deref()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.side.there_count).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.side.there_capped).collect::<Vec<_>>())
        .execute(db)
        .await?;
    Ok(())
}
