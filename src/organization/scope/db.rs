//! Definitions of scopes and the account list that speaks for a day.

use std::collections::BTreeMap;

use sqlx::types::Json;
use sqlx::{FromRow, PgConnection};
use time::{Date, OffsetDateTime};

use super::core::{Definition, Member, Selector};

#[derive(Debug, Clone, FromRow)]
pub(super) struct Row {
    pub(super) scope_definition_id: i64,
    pub(super) name: String,
    kind: String,
    unit_id: Option<String>,
    unit_name: Option<String>,
    tag_key: Option<String>,
    tag_value: Option<String>,
    account_ids: Option<Vec<String>>,
    first_day: Date,
    end_day: Option<Date>,
    pub(super) reason: String,
    pub(super) made_by: String,
    pub(super) made_at: OffsetDateTime,
    pub(super) replaces: Option<i64>,
    pub(super) end_reason: Option<String>,
    pub(super) ended_by: Option<String>,
    pub(super) ended_at: Option<OffsetDateTime>,
}

impl Row {
    pub(super) fn definition(&self) -> Definition {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let selector = match self.kind.as_str() {
            "unit" => {
                let id = text(&self.unit_id);
                Selector::Unit { name: self.unit_name.clone().unwrap_or_else(|| id.clone()), id }
            }
            "tag" => Selector::Tag { key: text(&self.tag_key), value: text(&self.tag_value) },
            _ => Selector::Accounts(self.account_ids.iter().flatten().cloned().collect()),
        };
        Definition {
            id: self.scope_definition_id,
            name: self.name.clone(),
            selector,
            first_day: self.first_day,
            end_day: self.end_day,
            reason: self.reason.clone(),
        }
    }
}

/// Every definition, or those of a scope: by name, in the order they were made.
pub(super) async fn rows(db: &mut PgConnection, organization_id: i16, name: Option<&str>) -> sqlx::Result<Vec<Row>> {
    sqlx::query_as(
        "select d.scope_definition_id, d.name, d.kind, d.unit_id, unit.name as unit_name, d.tag_key, d.tag_value,
                d.account_ids, d.first_day, least(d.end_day, e.end_day) as end_day, d.reason, d.made_by, d.made_at,
                d.replaces, e.reason as end_reason, e.made_by as ended_by, e.made_at as ended_at
         from scope_definition d
         left join scope_end e using (scope_definition_id)
         left join lateral (
             select m.unit_names[array_position(m.unit_ids, d.unit_id)] as name
             from account_list l join account_listing m using (account_list_id)
             where d.kind = 'unit' and l.organization_id = d.organization_id and m.unit_ids @> array[d.unit_id]
             order by l.listed_on desc, l.account_list_id desc limit 1) unit on true
         where d.organization_id = $1 and ($2::text is null or d.name = $2)
         order by d.name, d.scope_definition_id",
    )
    .bind(organization_id)
    .bind(name)
    .fetch_all(db)
    .await
}

pub(super) async fn definitions(
    db: &mut PgConnection,
    organization_id: i16,
    name: Option<&str>,
) -> sqlx::Result<Vec<Definition>> {
    Ok(rows(db, organization_id, name).await?.iter().map(Row::definition).collect())
}

pub(super) async fn names(db: &mut PgConnection, organization_id: i16) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar("select distinct name from scope_definition where organization_id = $1 order by name")
        .bind(organization_id)
        .fetch_all(db)
        .await
}

#[derive(FromRow)]
struct MemberRow {
    listed_on: Date,
    account_id: String,
    unit_ids: Option<Vec<String>>,
    tags: Option<Json<BTreeMap<String, String>>>,
}

/// The list that speaks for a day, with its day: the latest up to it, else the first after it; one of Organizations
/// itself before a file, which tells neither units nor tags. `None` where no list was known.
pub(super) async fn listed(
    db: &mut PgConnection,
    organization_id: i16,
    day: Date,
    known_at: i64,
) -> sqlx::Result<Option<(Date, Vec<Member>)>> {
    let rows: Vec<MemberRow> = sqlx::query_as(
        "select l.listed_on, m.account_id, m.unit_ids, m.tags
         from (select * from account_list
               where organization_id = $1 and collection_id <= $3
               order by (origin = 'organizations') desc, (listed_on <= $2) desc,
                        case when listed_on <= $2 then listed_on end desc, listed_on, account_list_id desc
               limit 1) l
         join account_listing m using (account_list_id)
         order by m.account_id",
    )
    .bind(organization_id)
    .bind(day)
    .bind(known_at)
    .fetch_all(db)
    .await?;
    let Some(listed_on) = rows.first().map(|row| row.listed_on) else { return Ok(None) };
    let members = rows.into_iter().map(|row| Member {
        account_id: row.account_id,
        unit_ids: row.unit_ids,
        tags: row.tags.map(|tags| tags.0),
    });
    Ok(Some((listed_on, members.collect())))
}

/// Units of the latest list that tells them: id and path of names.
pub(super) async fn units(db: &mut PgConnection, organization_id: i16) -> sqlx::Result<Vec<(String, String)>> {
    sqlx::query_as(
        "with latest as (
             select account_list_id from account_list where organization_id = $1 and origin = 'organizations'
             order by listed_on desc, account_list_id desc limit 1)
         select distinct m.unit_ids[n] as id, array_to_string(m.unit_names[1:n], ' / ') as path
         from latest join account_listing m using (account_list_id), generate_subscripts(m.unit_ids, 1) n
         order by path, id",
    )
    .bind(organization_id)
    .fetch_all(db)
    .await
}

/// A new definition.
#[derive(Debug, Clone)]
pub(super) struct New<'a> {
    pub(super) organization_id: i16,
    pub(super) name: &'a str,
    pub(super) selector: &'a Selector,
    pub(super) first_day: Date,
    pub(super) end_day: Option<Date>,
    pub(super) reason: &'a str,
    pub(super) made_by: &'a str,
    pub(super) replaces: Option<i64>,
}

pub(super) async fn make(db: &mut PgConnection, new: &New<'_>) -> sqlx::Result<i64> {
    let (kind, unit, tag, accounts) = match new.selector {
        Selector::Unit { id, .. } => ("unit", Some(id), None, None),
        Selector::Tag { key, value } => ("tag", None, Some((key, value)), None),
        Selector::Accounts(ids) => ("accounts", None, None, Some(ids.iter().collect::<Vec<_>>())),
    };
    sqlx::query_scalar(
        "insert into scope_definition (organization_id, name, kind, unit_id, tag_key, tag_value, account_ids, first_day,
             end_day, reason, made_by, replaces)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) returning scope_definition_id",
    )
    .bind(new.organization_id)
    .bind(new.name)
    .bind(kind)
    .bind(unit)
    .bind(tag.map(|(key, _)| key))
    .bind(tag.map(|(_, value)| value))
    .bind(accounts)
    .bind(new.first_day)
    .bind(new.end_day)
    .bind(new.reason)
    .bind(new.made_by)
    .bind(new.replaces)
    .fetch_one(db)
    .await
}

/// Ends a definition; false where it was ended before.
pub(super) async fn end(
    db: &mut PgConnection,
    scope_definition_id: i64,
    end_day: Date,
    reason: &str,
    made_by: &str,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "insert into scope_end (scope_definition_id, end_day, reason, made_by) values ($1, $2, $3, $4)
         on conflict (scope_definition_id) do nothing",
    )
    .bind(scope_definition_id)
    .bind(end_day)
    .bind(reason)
    .bind(made_by)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// What a scope leaves out on a day: accounts, and evaluations that were delivered for it.
pub(crate) async fn left_out(
    db: &mut PgConnection,
    organization_id: i16,
    accounts: &[String],
    day: Date,
) -> sqlx::Result<(i64, i64)> {
    sqlx::query_as(
        "select count(distinct p.account_id),
                coalesce(sum(d.complying + d.not_complying + d.insufficient_data + d.not_applicable + d.unrecognised),
                         0)::bigint
         from place p
         left join delivery d on d.place_id = p.place_id and d.day = $3 and d.until_collection is null and d.known
         where p.organization_id = $1 and p.account_id <> all($2)
           and (d.place_id is not null
                or exists (select from expected_place e where e.place_id = p.place_id and e.until_collection is null
                           and e.first_day <= $3 and e.end_day > $3))",
    )
    .bind(organization_id)
    .bind(accounts)
    .bind(day)
    .fetch_one(db)
    .await
}
