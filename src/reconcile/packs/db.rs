//! Both sides of the conformance packs' comparison, keeping what it came to, and reading it for the page.

use sqlx::{FromRow, PgConnection};
use time::Date;

use super::core::{Ours, Said};
use crate::compliance::{Status, rule_name};
use crate::reconcile::core::{Compared, Verdict};
use crate::reconcile::db::clean;
use crate::reconcile::page_db::{Kept, Which};
use crate::web::keyset::{Keyed, Keyset, Kind, Order};

/// AWS's verdict and counts as columns; all null or none.
#[derive(Debug, Clone, Default, FromRow)]
pub(in crate::reconcile) struct HereRow {
    pub(super) here_compliance: Option<String>,
    pub(super) here_compliant: Option<i32>,
    pub(super) here_non_compliant: Option<i32>,
    pub(super) here_total: Option<i32>,
}

impl HereRow {
    pub(super) fn said(&self) -> Option<Said> {
        Some(Said {
            compliance: Status::parse(self.here_compliance.as_deref()?),
            compliant: self.here_compliant?,
            non_compliant: self.here_non_compliant?,
            total: self.here_total?,
        })
    }
}

/// The aggregator's, likewise.
#[derive(Debug, Clone, Default, FromRow)]
pub(in crate::reconcile) struct ThereRow {
    pub(super) there_compliance: Option<String>,
    pub(super) there_compliant: Option<i32>,
    pub(super) there_non_compliant: Option<i32>,
    pub(super) there_total: Option<i32>,
}

impl ThereRow {
    pub(in crate::reconcile) fn said(&self) -> Option<Said> {
        Some(Said {
            compliance: Status::parse(self.there_compliance.as_deref()?),
            compliant: self.there_compliant?,
            non_compliant: self.there_non_compliant?,
            total: self.there_total?,
        })
    }
}

/// What either side says of a pack in an account and Region.
#[derive(Debug, Clone, FromRow)]
pub(in crate::reconcile) struct Side {
    pub(in crate::reconcile) account_id: String,
    pub(in crate::reconcile) region: String,
    pack_name: String,
    /// As the store has it; null where only the aggregator has the pack.
    core_name: Option<String>,
    named: bool,
    packs: i64,
    #[sqlx(flatten)]
    here: HereRow,
    #[sqlx(flatten)]
    there: ThereRow,
}

impl Side {
    pub(in crate::reconcile) fn here(&self) -> Option<Ours> {
        self.here.said().map(|said| Ours { said, named: self.named, packs: self.packs })
    }

    pub(in crate::reconcile) fn there(&self) -> Option<Said> {
        self.there.said()
    }

    /// The name of the pack's page.
    fn core_name(&self) -> &str {
        self.core_name.as_deref().unwrap_or_else(|| rule_name::core_pack_name(&self.pack_name))
    }
}

/// Both sides of some accounts; the store's only where the day is known.
pub(in crate::reconcile) async fn sides(
    db: &mut PgConnection,
    organization_id: i16,
    day: Date,
    accounts: &[String],
) -> sqlx::Result<Vec<Side>> {
    sqlx::query_as(
        "with ours as (
             select distinct on (p.account_id, p.region, pack_name) p.account_id, p.region,
                 coalesce(nullif(c.name, ''), c.id) as pack_name, coalesce(nullif(c.core_name, ''), c.id) as core_name,
                 c.name <> '' as named, count(*) over (partition by p.place_id, coalesce(nullif(c.name, ''), c.id)) as packs,
                 s.name as compliance, v.compliant_rules, v.non_compliant_rules, v.total_rules
             from place p
             join delivery d on d.place_id = p.place_id and d.day = $2 and d.until_collection is null and d.known
             join conformance_pack c on c.place_id = p.place_id
             join conformance_pack_run v on v.conformance_pack_id = c.conformance_pack_id
                 and v.first_day <= $2 and v.end_day > $2
             join status s using (status_id)
             where p.organization_id = $1 and p.account_id = any($3)
             order by p.account_id, p.region, pack_name, v.first_day desc, c.id
         ), theirs as (
             select account_id, region, pack_name, compliance, compliant_rules, non_compliant_rules, total_rules
             from aggregate_pack
             where organization_id = $1 and account_id = any($3) and until_reading is null
         )
         select account_id, region, pack_name, o.core_name, coalesce(o.named, true) as named,
             coalesce(o.packs, 0) as packs, o.compliance as here_compliance, o.compliant_rules as here_compliant,
             o.non_compliant_rules as here_non_compliant, o.total_rules as here_total,
             t.compliance as there_compliance, t.compliant_rules as there_compliant,
             t.non_compliant_rules as there_non_compliant, t.total_rules as there_total
         from ours o full join theirs t using (account_id, region, pack_name)",
    )
    .bind(organization_id)
    .bind(day)
    .bind(accounts)
    .fetch_all(db)
    .await
}

/// A row of table `pack_comparison`.
#[derive(Debug, Clone)]
pub(in crate::reconcile) struct Row {
    pub(in crate::reconcile) side: Side,
    pub(in crate::reconcile) compared: Compared,
}

const SAID: &str = "core_name, verdict, reason, here_compliance, here_compliant, here_non_compliant, here_total,
     there_compliance, there_compliant, there_non_compliant, there_total";

/// Brings the rows of some accounts up to date; what stayed is not written.
pub(in crate::reconcile) async fn keep(
    db: &mut PgConnection,
    organization_id: i16,
    accounts: &[String],
    rows: &[Row],
) -> sqlx::Result<()> {
    let of =
        |table: &str| SAID.split(',').map(|column| format!("{table}.{}", column.trim())).collect::<Vec<_>>().join(", ");
    let sql = format!(
        "with now as (
             select * from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::smallint[], $8::text[],
                 $9::text[], $10::integer[], $11::integer[], $12::integer[], $13::text[], $14::integer[],
                 $15::integer[], $16::integer[]) n (account_id, region, pack_name, {SAID})
         ), gone as (
             delete from pack_comparison c where c.organization_id = $1 and c.account_id = any($2)
                 and not exists (select from now n
                     where (n.account_id, n.region, n.pack_name) = (c.account_id, c.region, c.pack_name))
             returning c.pack_comparison_id
         )
         insert into pack_comparison (organization_id, account_id, region, pack_name, {SAID})
         select $1, n.* from now n order by account_id, region, pack_name
         on conflict on constraint pack_comparison_key do update set ({SAID}) = row ({excluded})
             where ({held}) is distinct from ({excluded})",
        excluded = of("excluded"),
        held = of("pack_comparison"),
    );
    let number = |of: fn(&Side) -> Option<i32>| rows.iter().map(|row| of(&row.side)).collect::<Vec<_>>();
    // Only what is said here and of the day: the store's side of a place whose day is not known is not in the sides at all.
    sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(organization_id)
        .bind(accounts)
        .bind(clean(rows, |row| &row.side.account_id))
        .bind(clean(rows, |row| &row.side.region))
        .bind(clean(rows, |row| &row.side.pack_name))
        .bind(clean(rows, |row| row.side.core_name()))
        .bind(rows.iter().map(|row| row.compared.verdict.id()).collect::<Vec<_>>())
        .bind(clean(rows, |row| &row.compared.reason))
        .bind(rows.iter().map(|row| row.side.here.here_compliance.as_deref()).collect::<Vec<_>>())
        .bind(number(|side| side.here.here_compliant))
        .bind(number(|side| side.here.here_non_compliant))
        .bind(number(|side| side.here.here_total))
        .bind(rows.iter().map(|row| row.side.there.there_compliance.as_deref()).collect::<Vec<_>>())
        .bind(number(|side| side.there.there_compliant))
        .bind(number(|side| side.there.there_non_compliant))
        .bind(number(|side| side.there.there_total))
        .execute(db)
        .await?;
    Ok(())
}

/// A compared pack.
#[derive(Debug, Clone, FromRow)]
pub(in crate::reconcile) struct ComparedPack {
    pack_comparison_id: i64,
    pub(in crate::reconcile) account_id: String,
    pub(in crate::reconcile) region: String,
    pub(in crate::reconcile) pack_name: String,
    pub(in crate::reconcile) core_name: String,
    verdict: i16,
    pub(in crate::reconcile) reason: String,
    #[sqlx(flatten)]
    pub(super) here: HereRow,
    #[sqlx(flatten)]
    pub(super) there: ThereRow,
}

impl ComparedPack {
    pub(in crate::reconcile) fn verdict(&self) -> Verdict {
        Verdict::of_id(self.verdict).unwrap_or(Verdict::NotComparable)
    }
}

/// What the packs can be sorted on. What one side does not say stands before zero.
pub(super) const ORDERS: [Order; 6] = [
    Order { name: "result", expression: "verdict::bigint", kind: Kind::Number },
    Order { name: "pack", expression: "pack_name", kind: Kind::Text },
    Order { name: "account", expression: "account_id", kind: Kind::Text },
    Order { name: "region", expression: "region", kind: Kind::Text },
    Order { name: "here", expression: "coalesce(here_non_compliant, -1)::bigint", kind: Kind::Number },
    Order { name: "aws", expression: "coalesce(there_non_compliant, -1)::bigint", kind: Kind::Number },
];

const PACKS: Kept = Kept {
    table: "pack_comparison",
    id: "pack_comparison_id",
    name: "pack_name",
    columns: "pack_comparison_id, account_id, region, pack_name, core_name, verdict, reason, here_compliance,
        here_compliant, here_non_compliant, here_total, there_compliance, there_compliant, there_non_compliant, there_total",
};

/// The packs that are meant, so many at most from a place in their order.
pub(super) async fn compared(
    db: &mut PgConnection,
    which: &Which,
    page: &Keyset,
    most: i64,
) -> sqlx::Result<Vec<Keyed<ComparedPack>>> {
    PACKS.rows(db, which, page, most).await
}

/// The same page after the last row.
pub(super) fn after(page: Keyset, last: &Keyed<ComparedPack>) -> Keyset {
    page.after(last.sort_key.clone(), last.row.pack_comparison_id.to_string())
}

/// Where a row stands in the list, as it stands in the address.
pub(super) fn key(row: &Keyed<ComparedPack>) -> String {
    row.key(&row.row.pack_comparison_id)
}
