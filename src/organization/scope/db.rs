//! The record of definitions and their ends, and the account list that speaks for a day.

use std::collections::BTreeMap;

use sqlx::types::Json;
use sqlx::{FromRow, PgConnection};
use time::{Date, OffsetDateTime};

use super::core::{Definition, End, Listed, Member, Selector};

#[derive(Debug, Clone, FromRow)]
struct Row {
    scope_definition_id: i64,
    name: String,
    title: String,
    kind: String,
    unit_id: Option<String>,
    tag_key: Option<String>,
    tag_value: Option<String>,
    account_ids: Option<Vec<String>>,
    first_day: Date,
    reason: String,
    made_by: String,
    made_at: OffsetDateTime,
    scope_end_id: Option<i64>,
    end_day: Option<Date>,
    end_reason: Option<String>,
    ended_by: Option<String>,
    ended_at: Option<OffsetDateTime>,
}

impl Row {
    fn into_definition(self) -> Definition {
        let selector = match self.kind.as_str() {
            "unit" => Selector::Unit(self.unit_id.unwrap_or_default()),
            "tag" => Selector::Tag { key: self.tag_key.unwrap_or_default(), value: self.tag_value.unwrap_or_default() },
            _ => Selector::Accounts(self.account_ids.unwrap_or_default().into_iter().collect()),
        };
        let end = match (self.scope_end_id, self.end_day, self.end_reason, self.ended_by, self.ended_at) {
            (Some(record), Some(day), Some(reason), Some(made_by), Some(made_at)) => {
                Some(End { day, reason, made_by, made_at, record })
            }
            _ => None,
        };
        Definition {
            record: self.scope_definition_id,
            name: self.name,
            title: self.title,
            selector,
            first_day: self.first_day,
            reason: self.reason,
            made_by: self.made_by,
            made_at: self.made_at,
            end,
        }
    }
}

/// Every definition, or those of a name: by name, in the order they were made, with what the record says up to a number.
pub(super) async fn definitions(
    db: &mut PgConnection,
    organization_id: i16,
    name: Option<&str>,
    record: i64,
) -> sqlx::Result<Vec<Definition>> {
    let rows: Vec<Row> = sqlx::query_as(
        "select d.scope_definition_id, d.name, d.title, d.kind, d.unit_id, d.tag_key, d.tag_value, d.account_ids,
                d.first_day, d.reason, d.made_by, d.made_at,
                e.scope_end_id, e.end_day, e.reason as end_reason, e.made_by as ended_by, e.made_at as ended_at
         from scope_definition d
         left join scope_end e on e.scope_definition_id = d.scope_definition_id and e.scope_end_id <= $3
         where d.organization_id = $1 and ($2::text is null or d.name = $2) and d.scope_definition_id <= $3
         order by d.name, d.scope_definition_id",
    )
    .bind(organization_id)
    .bind(name)
    .bind(record)
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(Row::into_definition).collect())
}

/// Each name with the title of its newest definition.
pub(super) async fn names(db: &mut PgConnection, organization_id: i16) -> sqlx::Result<Vec<(String, String)>> {
    sqlx::query_as(
        "select distinct on (name) name, title from scope_definition where organization_id = $1
         order by name, scope_definition_id desc",
    )
    .bind(organization_id)
    .fetch_all(db)
    .await
}

#[derive(FromRow)]
struct MemberRow {
    listed_on: Date,
    account_id: String,
    unit_ids: Option<Vec<String>>,
    unit_names: Option<Vec<String>>,
    tags: Option<Json<BTreeMap<String, String>>>,
}

/// The list that speaks for a day: of those of Organizations itself (a file tells neither units nor tags) the latest up
/// to it, else the first after it. `None` where none was known at the collection.
pub(super) async fn listed(
    db: &mut PgConnection,
    organization_id: i16,
    day: Date,
    collection_id: i64,
) -> sqlx::Result<Option<Listed>> {
    let rows: Vec<MemberRow> = sqlx::query_as(
        "select l.listed_on, m.account_id, m.unit_ids, m.unit_names, m.tags
         from account_list l join account_listing m using (account_list_id)
         where l.account_list_id = coalesce(
             (select account_list_id from account_list
              where organization_id = $1 and origin = 'organizations' and collection_id <= $3 and listed_on <= $2
              order by listed_on desc, account_list_id desc limit 1),
             (select account_list_id from account_list
              where organization_id = $1 and origin = 'organizations' and collection_id <= $3 and listed_on > $2
              order by listed_on, account_list_id desc limit 1))",
    )
    .bind(organization_id)
    .bind(day)
    .bind(collection_id)
    .fetch_all(db)
    .await?;
    let Some(listed_on) = rows.first().map(|row| row.listed_on) else { return Ok(None) };
    let member = |row: MemberRow| {
        let units = row.unit_ids.zip(row.unit_names).map(|(ids, names)| ids.into_iter().zip(names).collect());
        (row.account_id, Member { units, tags: row.tags.map(|tags| tags.0) })
    };
    Ok(Some(Listed { listed_on, members: rows.into_iter().map(member).collect() }))
}

/// A new definition.
#[derive(Debug, Clone)]
pub(super) struct New<'a> {
    pub(super) organization_id: i16,
    pub(super) name: &'a str,
    pub(super) title: &'a str,
    pub(super) selector: &'a Selector,
    pub(super) first_day: Date,
    pub(super) reason: &'a str,
    pub(super) made_by: &'a str,
}

/// Until the commit nobody else writes to the record: its numbers are the order in which it became known.
const RECORD_LOCK: i64 = 0x7363_6f70_6573;

async fn lock(db: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query("select pg_advisory_xact_lock($1)").bind(RECORD_LOCK).execute(db).await?;
    Ok(())
}

/// Adds a definition and gives its number.
pub(super) async fn make(db: &mut PgConnection, new: &New<'_>) -> sqlx::Result<i64> {
    lock(db).await?;
    let (kind, unit, tag, accounts) = match new.selector {
        Selector::Unit(id) => ("unit", Some(id), None, None),
        Selector::Tag { key, value } => ("tag", None, Some((key, value)), None),
        Selector::Accounts(ids) => ("accounts", None, None, Some(ids.iter().collect::<Vec<_>>())),
    };
    sqlx::query_scalar(
        "insert into scope_definition (organization_id, name, title, kind, unit_id, tag_key, tag_value, account_ids,
                                       first_day, reason, made_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) returning scope_definition_id",
    )
    .bind(new.organization_id)
    .bind(new.name)
    .bind(new.title)
    .bind(kind)
    .bind(unit)
    .bind(tag.map(|(key, _)| key))
    .bind(tag.map(|(_, value)| value))
    .bind(accounts)
    .bind(new.first_day)
    .bind(new.reason)
    .bind(new.made_by)
    .fetch_one(db)
    .await
}

/// Ends a definition; false where it was ended before.
pub(super) async fn end(
    db: &mut PgConnection,
    record: i64,
    end_day: Date,
    reason: &str,
    made_by: &str,
) -> sqlx::Result<bool> {
    lock(db).await?;
    let done = sqlx::query(
        "insert into scope_end (scope_definition_id, end_day, reason, made_by) values ($1, $2, $3, $4)
         on conflict (scope_definition_id) do nothing",
    )
    .bind(record)
    .bind(end_day)
    .bind(reason)
    .bind(made_by)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}
