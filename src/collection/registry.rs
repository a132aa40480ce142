//! Row ids of names: statuses, resource types and rules of the organisation, resources and packs of a place.

use std::collections::HashMap;

use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres};
use tokio::sync::Mutex;

use super::gather::known_status_id;
use crate::compliance::rule_name::{self, Origin, RuleName};

/// Ids that all places share, looked up once.
///
/// New names are committed at once, on a connection of the registry's own: a place's transaction that took them along
/// would make others wait for it, and take back ids that they already use if it failed.
#[derive(Debug)]
pub(super) struct Registry {
    organization_id: i16,
    known: Mutex<Known>,
}

#[derive(Debug)]
struct Known {
    db: PoolConnection<Postgres>,
    statuses: HashMap<Box<str>, i16>,
    resource_types: HashMap<Box<str>, i16>,
    rules: HashMap<Box<str>, i32>,
}

impl Registry {
    /// Loads what the store has.
    pub(super) async fn load(db: &PgPool, organization_id: i16) -> sqlx::Result<Self> {
        let mut db = db.acquire().await?;
        let statuses: Vec<(String, i16)> =
            sqlx::query_as("select name, status_id from status").fetch_all(&mut *db).await?;
        let types: Vec<(String, i16)> =
            sqlx::query_as("select name, resource_type_id from resource_type").fetch_all(&mut *db).await?;
        let rules: Vec<(String, i32)> = sqlx::query_as("select name, rule_id from rule where organization_id = $1")
            .bind(organization_id)
            .fetch_all(&mut *db)
            .await?;
        let known = Known {
            db,
            statuses: statuses.into_iter().map(|(name, id)| (name.into(), id)).collect(),
            resource_types: types.into_iter().map(|(name, id)| (name.into(), id)).collect(),
            rules: rules.into_iter().map(|(name, id)| (name.into(), id)).collect(),
        };
        Ok(Self { organization_id, known: Mutex::new(known) })
    }

    /// Ids of status words, in order.
    pub(super) async fn statuses(&self, words: &[Box<str>]) -> sqlx::Result<Vec<i16>> {
        let known = &mut *self.known.lock().await;
        let mut ids = Vec::with_capacity(words.len());
        for word in words {
            let id = match known_status_id(word).or_else(|| known.statuses.get(word).copied()) {
                Some(id) => id,
                None => insert_name(&mut known.db, "status", "status_id", word).await?,
            };
            known.statuses.insert(word.clone(), id);
            ids.push(id);
        }
        Ok(ids)
    }

    /// Ids of resource types, in order.
    pub(super) async fn resource_types(&self, names: &[Box<str>]) -> sqlx::Result<Vec<i16>> {
        let known = &mut *self.known.lock().await;
        let mut ids = Vec::with_capacity(names.len());
        for name in names {
            let id = match known.resource_types.get(name) {
                Some(&id) => id,
                None => insert_name(&mut known.db, "resource_type", "resource_type_id", name).await?,
            };
            known.resource_types.insert(name.clone(), id);
            ids.push(id);
        }
        Ok(ids)
    }

    /// Ids of rules by their names as delivered, in order. `packs` has the core names of conformance packs by suffix.
    pub(super) async fn rules(&self, names: &[Box<str>], packs: &HashMap<String, String>) -> sqlx::Result<Vec<i32>> {
        let known = &mut *self.known.lock().await;
        let new: Vec<&str> = names.iter().map(|name| &**name).filter(|name| !known.rules.contains_key(*name)).collect();
        if !new.is_empty() {
            let rows = insert_rules(&mut known.db, self.organization_id, &new, packs).await?;
            known.rules.extend(rows.into_iter().map(|(name, id)| (name.into(), id)));
        }
        names.iter().map(|name| known.rules.get(name).copied().ok_or(sqlx::Error::RowNotFound)).collect()
    }
}

/// Makes rules that are new, all in one transaction: a place brings a hundred, and each commit waits for the disk.
async fn insert_rules(
    db: &mut PgConnection,
    organization_id: i16,
    names: &[&str],
    packs: &HashMap<String, String>,
) -> sqlx::Result<Vec<(String, i32)>> {
    let parsed: Vec<RuleName> = names.iter().map(|name| rule_name::parse(name)).collect();
    let cores: Vec<&str> = parsed.iter().map(|rule| rule.core.as_str()).collect();
    let origins: Vec<&str> = parsed.iter().map(|rule| rule.origin.word()).collect();
    let packs: Vec<&str> = parsed
        .iter()
        .map(|rule| match (rule.origin, &rule.suffix) {
            (Origin::ConformancePack, Some(suffix)) => packs.get(suffix).unwrap_or(suffix).as_str(),
            _ => "",
        })
        .collect();
    let mut tx = sqlx::Connection::begin(db).await?;
    // In one order everywhere: two programs that make the same rows wait for each other and do not lock up.
    sqlx::query(
        "insert into timeline (organization_id, core_name, origin, pack)
         select distinct $1, u.core_name collate \"C\" as core_name, u.origin, u.pack collate \"C\" as pack
         from unnest($2::text[], $3::text[], $4::text[]) as u (core_name, origin, pack)
         order by core_name, origin, pack
         on conflict do nothing",
    )
    .bind(organization_id)
    .bind(&cores)
    .bind(&origins)
    .bind(&packs)
    .execute(&mut *tx)
    .await?;
    sqlx::query(
        "insert into rule (organization_id, name, core_name, timeline_id, origin, suffix, source_identifier, severity,
                           title)
         select $1, u.name, u.core_name, t.timeline_id, u.origin, u.suffix, u.source_identifier, u.severity, u.title
         from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::smallint[], $9::text[])
              as u (name, core_name, origin, pack, suffix, source_identifier, severity, title)
         join timeline t on t.organization_id = $1 and t.core_name = u.core_name and t.origin = u.origin
                        and t.pack = u.pack
         order by u.name collate \"C\"
         on conflict do nothing",
    )
    .bind(organization_id)
    .bind(names)
    .bind(&cores)
    .bind(&origins)
    .bind(&packs)
    .bind(parsed.iter().map(|rule| rule.suffix.clone()).collect::<Vec<_>>())
    .bind(parsed.iter().map(|rule| rule.data.map(|data| data.source_identifier.as_str())).collect::<Vec<_>>())
    .bind(parsed.iter().map(|rule| rule.data.map_or(0, |data| data.severity.id())).collect::<Vec<_>>())
    .bind(parsed.iter().map(|rule| rule.data.map(|data| data.short_title.as_str())).collect::<Vec<_>>())
    .execute(&mut *tx)
    .await?;
    let rows = sqlx::query_as("select name, rule_id from rule where organization_id = $1 and name = any($2)")
        .bind(organization_id)
        .bind(names)
        .fetch_all(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(rows)
}

/// Puts rules whose pack was not named before onto the timeline of the pack, now that an item named it.
pub(super) async fn name_pack(
    db: &mut PgConnection,
    organization_id: i16,
    suffix: &str,
    core_name: &str,
) -> sqlx::Result<()> {
    sqlx::query(
        "insert into timeline (organization_id, core_name, origin, pack)
         select t.organization_id, t.core_name, t.origin, $3 from timeline t
         where t.organization_id = $1 and t.pack = $2 and t.origin = 'conformance-pack'
         on conflict do nothing",
    )
    .bind(organization_id)
    .bind(suffix)
    .bind(core_name)
    .execute(&mut *db)
    .await?;
    sqlx::query(
        "update rule r set timeline_id = named.timeline_id
         from timeline unnamed
         join timeline named on named.organization_id = unnamed.organization_id
              and named.core_name = unnamed.core_name and named.origin = unnamed.origin and named.pack = $3
         where r.timeline_id = unnamed.timeline_id and r.suffix = $2
           and unnamed.organization_id = $1 and unnamed.pack = $2 and unnamed.origin = 'conformance-pack'",
    )
    .bind(organization_id)
    .bind(suffix)
    .bind(core_name)
    .execute(db)
    .await?;
    Ok(())
}

async fn insert_name(db: &mut PgConnection, table: &str, id: &str, name: &str) -> sqlx::Result<i16> {
    let insert = sqlx::AssertSqlSafe(format!("insert into {table} (name) values ($1) on conflict do nothing"));
    sqlx::query(insert).bind(name).execute(&mut *db).await?;
    let select = sqlx::AssertSqlSafe(format!("select {id} from {table} where name = $1"));
    sqlx::query_scalar(select).bind(name).fetch_one(db).await
}

/// Ids of a place's resources given as (resource type id, id), in order; new ones are made.
pub(super) async fn resources(
    db: &mut PgConnection,
    place_id: i32,
    types: &[i16],
    ids: &[&str],
) -> sqlx::Result<Vec<i32>> {
    // Not `on conflict`: it would use up a number of the sequence for each resource that is there already.
    sqlx::query(
        "insert into resource (place_id, resource_type_id, id)
         select $1, u.resource_type_id, u.id from unnest($2::smallint[], $3::text[]) as u (resource_type_id, id)
         where not exists (select from resource r
                           where r.place_id = $1 and r.resource_type_id = u.resource_type_id and r.id = u.id)",
    )
    .bind(place_id)
    .bind(types)
    .bind(ids)
    .execute(&mut *db)
    .await?;
    sqlx::query_scalar(
        "select r.resource_id
         from unnest($2::smallint[], $3::text[]) with ordinality as u (resource_type_id, id, position)
         join resource r on r.place_id = $1 and r.resource_type_id = u.resource_type_id and r.id = u.id
         order by u.position",
    )
    .bind(place_id)
    .bind(types)
    .bind(ids)
    .fetch_all(db)
    .await
}

/// Conformance packs of a place that are known by name: resourceId and core name.
pub(super) async fn pack_names(db: &mut PgConnection, place_id: i32) -> sqlx::Result<Vec<(String, String)>> {
    sqlx::query_as("select id, core_name from conformance_pack where place_id = $1 and core_name <> ''")
        .bind(place_id)
        .fetch_all(db)
        .await
}

/// The id of a conformance pack in a place, and whether it is new or has a new name.
pub(super) async fn conformance_pack(
    db: &mut PgConnection,
    place_id: i32,
    id: &str,
    name: &str,
) -> sqlx::Result<(i32, bool)> {
    let core_name = rule_name::core_pack_name(name);
    let found: Option<(i32, String)> =
        sqlx::query_as("select conformance_pack_id, name from conformance_pack where place_id = $1 and id = $2")
            .bind(place_id)
            .bind(id)
            .fetch_optional(&mut *db)
            .await?;
    if let Some((pack_id, stored)) = &found
        && (stored == name || name.is_empty())
    {
        return Ok((*pack_id, false));
    }
    let pack_id = sqlx::query_scalar(
        "insert into conformance_pack (place_id, id, name, core_name) values ($1, $2, $3, $4)
         on conflict (place_id, id) do update set name = excluded.name, core_name = excluded.core_name
         returning conformance_pack_id",
    )
    .bind(place_id)
    .bind(id)
    .bind(name)
    .bind(core_name)
    .fetch_one(db)
    .await?;
    Ok((pack_id, true))
}
