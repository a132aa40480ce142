//! What the page asks of the last whole reading and its comparison.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgConnection};
use time::{Date, OffsetDateTime};

use super::compare::Both;
use super::compare_db::Here;
use super::core::{Verdict, verdict_of};
use crate::compliance::Status;
use crate::web::format;
use crate::web::keyset::{Keyed, Keyset, Kind, Order};

/// A try to read the aggregator.
#[derive(Debug, Clone, FromRow)]
pub(super) struct ReadingRow {
    aggregator_reading_id: i64,
    pub(super) collection_id: i64,
    pub(super) aggregator: String,
    pub(super) region: String,
    pub(super) role: Option<String>,
    pub(super) started_at: OffsetDateTime,
    pub(super) ended_at: OffsetDateTime,
    pub(super) failure: Option<String>,
    pub(super) day: Option<Date>,
    pub(super) rules: Option<i64>,
    pub(super) packs: Option<i64>,
}

/// The last reading and the last whole one; the same where the last one was whole.
pub(super) async fn readings(
    db: &mut PgConnection,
    organization_id: i16,
) -> sqlx::Result<(Option<ReadingRow>, Option<ReadingRow>)> {
    let rows: Vec<ReadingRow> = sqlx::query_as(
        "(select * from aggregator_reading where organization_id = $1 order by aggregator_reading_id desc limit 1)
         union all
         (select * from aggregator_reading where organization_id = $1 and failure is null
          order by aggregator_reading_id desc limit 1)",
    )
    .bind(organization_id)
    .fetch_all(db)
    .await?;
    let whole = rows.iter().find(|reading| reading.failure.is_none()).cloned();
    Ok((rows.into_iter().max_by_key(|reading| reading.aggregator_reading_id), whole))
}

/// Which compared rows; nothing asked for is all.
#[derive(Debug, Clone, Default)]
pub(super) struct Which {
    pub(super) organization_id: i16,
    pub(super) verdict: Option<Verdict>,
    pub(super) accounts: Option<Vec<String>>,
    pub(super) region: Option<String>,
    /// A core rule or a pack's own name, or a part of a name as delivered.
    pub(super) named: Option<String>,
}

/// A compared result.
#[derive(Debug, Clone, FromRow)]
pub(super) struct ComparedRow {
    pub(super) comparison_id: i64,
    pub(super) account_id: String,
    pub(super) region: String,
    pub(super) rule_name: String,
    pub(super) core_name: String,
    verdict: i16,
    pub(super) reason: String,
    #[sqlx(flatten)]
    pub(super) counted: Here,
    pub(super) there_compliance: Option<String>,
    pub(super) there_count: Option<i32>,
    pub(super) there_capped: bool,
}

impl ComparedRow {
    pub(super) fn verdict(&self) -> Verdict {
        Verdict::of_id(self.verdict).unwrap_or(Verdict::NotComparable)
    }

    /// What the store says; `None` where it says nothing or a word that we do not know.
    pub(super) fn here(&self) -> Option<Status> {
        verdict_of(&self.counted.counts()?)
    }

    pub(super) fn there(&self) -> Option<Status> {
        self.there_compliance.as_deref().map(Status::parse)
    }

    /// "3 of 12 resources"; `None` where the store says nothing.
    pub(super) fn here_words(&self) -> Option<String> {
        let counts = self.counted.counts()?;
        let all = format::plural(counts.all(), "resource");
        Some(if counts.not_complying > 0 { format!("{} of {all}", format::count(counts.not_complying)) } else { all })
    }

    /// "at least 100 resources"; `None` where AWS gives no count.
    pub(super) fn there_words(&self) -> Option<String> {
        let count = format::plural(i64::from(self.there_count?), "resource");
        Some(if self.there_capped { format!("at least {count}") } else { count })
    }
}

/// What the results can be sorted on. What one side does not say stands before zero.
pub(super) const ORDERS: [Order; 6] = [
    Order { name: "result", expression: "verdict::bigint", kind: Kind::Number },
    Order { name: "rule", expression: "rule_name", kind: Kind::Text },
    Order { name: "account", expression: "account_id", kind: Kind::Text },
    Order { name: "region", expression: "region", kind: Kind::Text },
    Order { name: "here", expression: "coalesce(not_complying, -1)", kind: Kind::Number },
    Order { name: "aws", expression: "coalesce(there_count, -1)::bigint", kind: Kind::Number },
];

const RESULTS: Kept = Kept {
    table: "comparison",
    id: "comparison_id",
    name: "rule_name",
    columns: "comparison_id, account_id, region, rule_name, core_name, verdict, reason, complying, not_complying,
        insufficient_data, not_applicable, unrecognised, there_compliance, there_count, there_capped",
};

/// A table of compared rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kept {
    pub(super) table: &'static str,
    pub(super) id: &'static str,
    /// What a row is called, as delivered.
    pub(super) name: &'static str,
    pub(super) columns: &'static str,
}

impl Kept {
    /// The rows that are meant, so many at most of a page.
    pub(super) async fn rows<T: for<'r> FromRow<'r, PgRow> + Send + Unpin>(
        self,
        db: &mut PgConnection,
        which: &Which,
        page: &Keyset,
        most: i64,
    ) -> sqlx::Result<Vec<Keyed<T>>> {
        let (value, id) = page.bounds();
        let meant = format!(
            "{} where organization_id = $4 and ($5::smallint is null or verdict = $5)
                 and ($6::text[] is null or account_id = any($6)) and ($7::text is null or region = $7)
                 and ($8::text is null or core_name = $8 or strpos(lower({}), lower($8)) > 0)",
            self.table, self.name
        );
        sqlx::query_as(page.select(self.columns, &meant, self.id, "bigint"))
            .bind(value)
            .bind(id)
            .bind(most)
            .bind(which.organization_id)
            .bind(which.verdict.map(Verdict::id))
            .bind(&which.accounts)
            .bind(&which.region)
            .bind(&which.named)
            .fetch_all(db)
            .await
    }
}

/// The results that are meant, so many at most of a page.
pub(super) async fn compared(
    db: &mut PgConnection,
    which: &Which,
    page: &Keyset,
    most: i64,
) -> sqlx::Result<Vec<Keyed<ComparedRow>>> {
    RESULTS.rows(db, which, page, most).await
}

/// One compared result with the whole reading that it is of.
#[derive(Debug, Clone, FromRow)]
pub(super) struct OneRow {
    #[sqlx(flatten)]
    pub(super) row: ComparedRow,
    pub(super) aggregator: String,
    pub(super) read_at: OffsetDateTime,
    pub(super) day: Option<Date>,
    /// When AWS last heard from the account and Region.
    pub(super) updated_at: Option<OffsetDateTime>,
}

/// What comparing a rule's result in an account and Region came to.
pub(super) async fn one(
    db: &mut PgConnection,
    organization_id: i16,
    (account_id, region): (&str, &str),
    rule: &str,
) -> sqlx::Result<Option<OneRow>> {
    sqlx::query_as(
        "select c.*, r.aggregator, r.ended_at as read_at, r.day, s.updated_at
         from comparison c
         join lateral (
             select * from aggregator_reading r where r.organization_id = $1 and r.failure is null
             order by aggregator_reading_id desc limit 1
         ) r on true
         left join aggregator_source s on s.organization_id = $1 and s.kind = 'ACCOUNT' and s.source_id = c.account_id
             and s.region = c.region and s.until_reading is null
         where c.organization_id = $1 and c.account_id = $2 and c.region = $3 and c.rule_name = $4",
    )
    .bind(organization_id)
    .bind(account_id)
    .bind(region)
    .bind(rule)
    .fetch_optional(db)
    .await
}

/// What is meant of rules and of conformance packs, whatever its verdict, by what comparing came to.
pub(super) async fn totals(db: &mut PgConnection, which: &Which, packs: &Which) -> sqlx::Result<Both> {
    let rows: Vec<(bool, i16, i64)> = sqlx::query_as(
        "select false, verdict, count(*) from comparison
         where organization_id = $1 and ($2::text[] is null or account_id = any($2))
             and ($3::text is null or region = $3)
             and ($4::text is null or core_name = $4 or strpos(lower(rule_name), lower($4)) > 0)
         group by verdict
         union all
         select true, verdict, count(*) from pack_comparison
         where organization_id = $1 and ($2::text[] is null or account_id = any($2))
             and ($3::text is null or region = $3)
             and ($5::text is null or core_name = $5 or strpos(lower(pack_name), lower($5)) > 0)
         group by verdict",
    )
    .bind(which.organization_id)
    .bind(&which.accounts)
    .bind(&which.region)
    .bind(&which.named)
    .bind(&packs.named)
    .fetch_all(db)
    .await?;
    let mut totals = Both::default();
    for (of_packs, verdict, results) in rows {
        let verdict = Verdict::of_id(verdict).unwrap_or(Verdict::NotComparable);
        let of = if of_packs { &mut totals.packs } else { &mut totals.rules };
        of.add(verdict, u64::try_from(results).unwrap_or_default());
    }
    Ok(totals)
}

/// When a place's evidence was taken, and when AWS last heard from it.
pub(super) type Times = (Option<OffsetDateTime>, Option<OffsetDateTime>);
/// Those of accounts and Regions.
pub(super) type TimesOf = BTreeMap<(String, String), Times>;

/// The times of some accounts and Regions.
pub(super) async fn times<'a>(
    db: &mut PgConnection,
    organization_id: i16,
    day: Option<Date>,
    places: impl Iterator<Item = (&'a str, &'a str)>,
) -> sqlx::Result<TimesOf> {
    let asked: BTreeSet<(&str, &str)> = places.collect();
    let (accounts, regions): (Vec<&str>, Vec<&str>) = asked.into_iter().unzip();
    let found: Vec<(String, String, Option<OffsetDateTime>, Option<OffsetDateTime>)> = sqlx::query_as(
        "select w.account_id, w.region, d.snapshot_at, s.updated_at
         from unnest($2::text[], $3::text[]) w (account_id, region)
         left join place p on p.organization_id = $1 and p.account_id = w.account_id and p.region = w.region
         left join delivery d on d.place_id = p.place_id and d.day = $4 and d.until_collection is null and d.known
         left join aggregator_source s on s.organization_id = $1 and s.kind = 'ACCOUNT' and s.source_id = w.account_id
             and s.region = w.region and s.until_reading is null",
    )
    .bind(organization_id)
    .bind(&accounts)
    .bind(&regions)
    .bind(day)
    .fetch_all(db)
    .await?;
    Ok(found.into_iter().map(|(account_id, region, ours, theirs)| ((account_id, region), (ours, theirs))).collect())
}

/// A source of the aggregator.
#[derive(Debug, Clone, FromRow)]
pub(super) struct SourceRow {
    pub(super) kind: String,
    pub(super) source_id: String,
    pub(super) region: String,
    pub(super) status: String,
    pub(super) error_code: String,
    pub(super) error_message: String,
    pub(super) updated_at: Option<OffsetDateTime>,
    /// When it was first found to be so.
    pub(super) since: OffsetDateTime,
}

/// The sources that are meant, those that AWS is behind with first.
pub(super) async fn sources(db: &mut PgConnection, which: &Which) -> sqlx::Result<Vec<SourceRow>> {
    sqlx::query_as(
        "select s.kind, s.source_id, s.region, s.status, s.error_code, s.error_message, s.updated_at,
             r.ended_at as since
         from aggregator_source s join aggregator_reading r on r.aggregator_reading_id = s.since_reading
         where s.organization_id = $1 and s.until_reading is null
             and ($2::text[] is null or s.kind = 'ORGANIZATION' or s.source_id = any($2)) and ($3::text is null or s.region = $3)
         order by s.status = 'SUCCEEDED', s.kind desc, s.source_id, s.region",
    )
    .bind(which.organization_id)
    .bind(&which.accounts)
    .bind(&which.region)
    .fetch_all(db)
    .await
}
