//! Row ids of names: statuses, resource types and rules of the organisation, resources and packs of a place.

use std::collections::HashMap;

use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres};
use tokio::sync::Mutex;

use super::day::Day;
use super::gather::known_status_id;
use super::vocabulary::Vocabulary;
use crate::compliance::rule_name::{self, Origin, RuleName};

/// Ids that all places share, looked up once.
///
/// New names are committed at once, on a connection of the registry's own: a place's transaction that took them along
/// would make others wait for it, and take back ids that they already use if it failed.
#[derive(Debug)]
pub(super) struct Registry {
    organization_id: i16,
    pub(super) vocabulary: Vocabulary,
    known: Mutex<Known>,
}

#[derive(Debug)]
struct Known {
    db: PoolConnection<Postgres>,
    statuses: HashMap<Box<str>, i16>,
    resource_types: HashMap<Box<str>, i16>,
    rules: HashMap<Box<str>, i32>,
    /// Core names of conformance packs by suffix, of all places.
    packs: HashMap<String, String>,
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
        // An older program left rules on a timeline of their own where their pack was named in an earlier collection.
        let packs: Vec<(String, String)> = sqlx::query_as(
            "select distinct regexp_replace(id, '^conformance-pack-', ''), k.core_name
             from conformance_pack k join place using (place_id) where organization_id = $1 and k.core_name <> ''",
        )
        .bind(organization_id)
        .fetch_all(&mut *db)
        .await?;
        let unnamed: Vec<String> = sqlx::query_scalar(
            "select distinct r.suffix from rule r join timeline t using (timeline_id)
             where r.organization_id = $1 and t.origin = 'conformance-pack' and t.pack = r.suffix",
        )
        .bind(organization_id)
        .fetch_all(&mut *db)
        .await?;
        for (suffix, core_name) in packs.iter().filter(|(suffix, _)| unnamed.contains(suffix)) {
            name_pack(&mut db, organization_id, suffix, core_name).await?;
        }
        let known = Known {
            db,
            statuses: statuses.into_iter().map(|(name, id)| (name.into(), id)).collect(),
            resource_types: types.into_iter().map(|(name, id)| (name.into(), id)).collect(),
            rules: rules.into_iter().map(|(name, id)| (name.into(), id)).collect(),
            packs: packs.into_iter().collect(),
        };
        let vocabulary = Vocabulary::new(known.statuses.keys().cloned(), known.resource_types.keys().cloned());
        Ok(Self { organization_id, vocabulary, known: Mutex::new(known) })
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

    /// Ids of rules by their names as delivered, in order.
    pub(super) async fn rules(&self, names: &[Box<str>]) -> sqlx::Result<Vec<i32>> {
        let known = &mut *self.known.lock().await;
        let new: Vec<&str> = names.iter().map(|name| &**name).filter(|name| !known.rules.contains_key(*name)).collect();
        if !new.is_empty() {
            let rows = insert_rules(&mut known.db, self.organization_id, &new, &known.packs).await?;
            known.rules.extend(rows.into_iter().map(|(name, id)| (name.into(), id)));
        }
        names.iter().map(|name| known.rules.get(name).copied().ok_or(sqlx::Error::RowNotFound)).collect()
    }

    /// Puts rules whose pack was not named before onto the timeline of the pack, now that an item named it. Committed at
    /// once like the rules themselves: a timeline made in a place's transaction would make the maker of the same timeline
    /// wait here, with the registry locked, for a place that waits for the registry.
    pub(super) async fn name_pack(&self, suffix: &str, core_name: &str) -> sqlx::Result<()> {
        let known = &mut *self.known.lock().await;
        if known.packs.get(suffix).is_some_and(|name| name == core_name) {
            return Ok(());
        }
        let mut tx = sqlx::Connection::begin(&mut *known.db).await?;
        name_pack(&mut tx, self.organization_id, suffix, core_name).await?;
        tx.commit().await?;
        known.packs.insert(suffix.to_owned(), core_name.to_owned());
        Ok(())
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

async fn name_pack(db: &mut PgConnection, organization_id: i16, suffix: &str, core_name: &str) -> sqlx::Result<()> {
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

/// A conformance pack of a place.
#[derive(Debug, Clone)]
pub(super) struct Pack {
    pub(super) pack_id: i32,
    /// The name without what changes from deployment to deployment; empty where no item named it.
    pub(super) core_name: String,
}

/// Makes a conformance pack if it is new, and names it if `named` is from no older day than the name that it has.
pub(super) async fn keep_pack(
    db: &mut PgConnection,
    place_id: i32,
    id: &str,
    named: Option<(Day, &str)>,
) -> sqlx::Result<()> {
    let name = named.map_or("", |(_, name)| name);
    sqlx::query(
        "insert into conformance_pack (place_id, id, name, core_name, named_on) values ($1, $2, $3, $4, $5)
         on conflict (place_id, id) do update
             set name = excluded.name, core_name = excluded.core_name, named_on = excluded.named_on
             where excluded.named_on >= coalesce(conformance_pack.named_on, '-infinity')",
    )
    .bind(place_id)
    .bind(id)
    .bind(name)
    .bind(rule_name::core_pack_name(name))
    .bind(named.map(|(day, _)| day))
    .execute(db)
    .await?;
    Ok(())
}

/// All conformance packs of a place by id.
pub(super) async fn packs(db: &mut PgConnection, place_id: i32) -> sqlx::Result<HashMap<String, Pack>> {
    let rows: Vec<(String, i32, String)> =
        sqlx::query_as("select id, conformance_pack_id, core_name from conformance_pack where place_id = $1")
            .bind(place_id)
            .fetch_all(db)
            .await?;
    Ok(rows.into_iter().map(|(id, pack_id, core_name)| (id, Pack { pack_id, core_name })).collect())
}
