//! AWS's verdicts on conformance packs: as delivered, and as the aggregator told them last.

use sqlx::{FromRow, PgConnection};
use time::{Date, OffsetDateTime};

/// A conformance pack as it stood in a place on a day.
#[derive(Debug, Clone, FromRow)]
pub(super) struct Delivered {
    pub(super) place_id: i32,
    /// The name without what a deployment added.
    pub(super) pack: String,
    pub(super) name: String,
    pub(super) id: String,
    pub(super) status_id: i16,
    pub(super) first_day: Date,
    pub(super) compliant_rules: i32,
    pub(super) non_compliant_rules: i32,
    pub(super) total_rules: i32,
    /// What the aggregator's last whole reading says.
    pub(super) there_compliance: Option<String>,
    pub(super) there_compliant: Option<i32>,
    pub(super) there_non_compliant: Option<i32>,
    pub(super) there_total: Option<i32>,
    pub(super) there_read_at: Option<OffsetDateTime>,
}

/// The packs of a day, of all places or of one pack.
pub(super) async fn delivered(
    db: &mut PgConnection,
    organization_id: i16,
    pack: Option<&str>,
    day: Date,
) -> sqlx::Result<Vec<Delivered>> {
    sqlx::query_as(
        "select c.place_id, coalesce(nullif(c.core_name, ''), c.id) as pack, coalesce(nullif(c.name, ''), c.id) as name,
             c.id, v.status_id, v.first_day, v.compliant_rules, v.non_compliant_rules, v.total_rules,
             a.compliance as there_compliance, a.compliant_rules as there_compliant,
             a.non_compliant_rules as there_non_compliant, a.total_rules as there_total, r.ended_at as there_read_at
         from conformance_pack c
         join place p using (place_id)
         join conformance_pack_run v on v.conformance_pack_id = c.conformance_pack_id
             and v.first_day <= $3 and v.end_day > $3
         left join aggregate_pack a on a.organization_id = p.organization_id and a.account_id = p.account_id
             and a.region = p.region and a.pack_name = c.name and a.until_reading is null
         left join lateral (
             select ended_at from aggregator_reading r where r.organization_id = $1 and r.failure is null
             order by aggregator_reading_id desc limit 1
         ) r on a.pack_name is not null
         where p.organization_id = $1 and ($2::text is null or coalesce(nullif(c.core_name, ''), c.id) = $2)
         order by p.account_id, p.region, c.id",
    )
    .bind(organization_id)
    .bind(pack)
    .bind(day)
    .fetch_all(db)
    .await
}

/// A pack in an account and Region where the aggregator alone has it.
#[derive(Debug, Clone, FromRow)]
pub(super) struct OnlyThere {
    pub(super) account_id: String,
    pub(super) region: String,
    /// As deployed.
    pub(super) name: String,
    pub(super) compliance: String,
    pub(super) compliant_rules: i32,
    pub(super) non_compliant_rules: i32,
    pub(super) total_rules: i32,
    /// Whether a delivery of any day from there held it.
    pub(super) delivered_before: bool,
    /// When the aggregator was last read whole, and the day of the store that it was compared with.
    pub(super) read_at: OffsetDateTime,
    pub(super) compared_day: Option<Date>,
}

/// Where the aggregator alone has a pack: `verdict` 2 of `pack_comparison`.
pub(super) async fn only_there(
    db: &mut PgConnection,
    organization_id: i16,
    pack: &str,
) -> sqlx::Result<Vec<OnlyThere>> {
    sqlx::query_as(
        "select c.account_id, c.region, c.pack_name as name, c.there_compliance as compliance,
             c.there_compliant as compliant_rules, c.there_non_compliant as non_compliant_rules,
             c.there_total as total_rules, r.ended_at as read_at, r.day as compared_day,
             exists (select from place p join conformance_pack k using (place_id)
                 where p.organization_id = $1 and p.account_id = c.account_id and p.region = c.region
                     and coalesce(nullif(k.core_name, ''), k.id) = $2) as delivered_before
         from pack_comparison c
         join lateral (
             select * from aggregator_reading r where r.organization_id = $1 and r.failure is null
             order by aggregator_reading_id desc limit 1
         ) r on true
         where c.organization_id = $1 and c.core_name = $2 and c.verdict = 2
         order by c.account_id, c.region, c.pack_name",
    )
    .bind(organization_id)
    .bind(pack)
    .fetch_all(db)
    .await
}

/// Names of packs that the aggregator alone has somewhere, of some accounts or all.
pub(super) async fn names_only_there(
    db: &mut PgConnection,
    organization_id: i16,
    accounts: Option<&[String]>,
) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "select distinct core_name from pack_comparison
         where organization_id = $1 and verdict = 2 and ($2::text[] is null or account_id = any($2))
         order by core_name",
    )
    .bind(organization_id)
    .bind(accounts)
    .fetch_all(db)
    .await
}
