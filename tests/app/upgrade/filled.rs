//! Databases as each version of the schema had them filled: each migration followed by its fill, a file beside this one
//! with the migration's name and rows for the tables and columns that it brought, as a program of then wrote them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;

use auditfolio::database::MIGRATIONS;
use sqlx::migrate::{Migration, Migrator};
use sqlx::{AssertSqlSafe, PgPool};

use crate::harness::bare_database;

/// What a migration changes on purpose in a column that was there before it.
struct Change {
    /// The migration.
    by: i64,
    table: &'static str,
    column: &'static str,
}

const CHANGES: [Change; 1] = [
    // INFORMATIONAL had no number of its own: it stood as 0, not known.
    Change { by: 20_261_124_000_003, table: "rule", column: "severity" },
];

/// A table with its columns.
pub(super) type Tables = BTreeMap<String, Vec<String>>;

pub(super) fn folder() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests/app/upgrade"].iter().collect()
}

/// The migration that made a version, counted from 1.
pub(super) fn migration(version: usize) -> &'static Migration {
    &MIGRATIONS.migrations[version - 1]
}

pub(super) fn newest() -> usize {
    MIGRATIONS.migrations.len()
}

/// The name of a migration's file, which is that of its fill too.
pub(super) fn file_name(migration: &Migration) -> String {
    format!("{}_{}.sql", migration.version, migration.description.replace(' ', "_"))
}

/// A database of so many migrations, each filled before the next one came.
pub(super) async fn filled(version: usize) -> PgPool {
    let db = bare_database().await;
    for version in 1..=version {
        let so_far = MIGRATIONS.migrations[..version].to_vec();
        Migrator { migrations: Cow::Owned(so_far), ..Migrator::DEFAULT }.run(&db).await.unwrap();
        let name = file_name(migration(version));
        let fill = std::fs::read_to_string(folder().join(&name)).unwrap_or_else(|error| {
            panic!(
                "{error}: write tests/app/upgrade/{name}, rows for the tables and columns that migrations/{name} brings"
            )
        });
        sqlx::raw_sql(AssertSqlSafe(fill)).execute(&db).await.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    db
}

/// Every table of the schema as it stands.
pub(super) async fn tables(db: &PgPool) -> Tables {
    let columns: Vec<(String, String)> = sqlx::query_as(
        "select relname::text, attname::text from pg_class join pg_attribute on attrelid = pg_class.oid
         where relkind = 'r' and relnamespace = 'public'::regnamespace and relname <> '_sqlx_migrations'
           and attnum > 0 and not attisdropped
         order by relname, attnum",
    )
    .fetch_all(db)
    .await
    .unwrap();
    columns.into_iter().fold(Tables::new(), |mut tables, (table, column)| {
        tables.entry(table).or_default().push(column);
        tables
    })
}

/// The columns that no later migration changes on purpose, and those that one does.
pub(super) fn kept_and_changed(tables: Tables, version: usize) -> (Tables, Tables) {
    let changed = |table: &str, column: &str| {
        let of_it = |change: &Change| change.table == table && change.column == column;
        CHANGES.iter().any(|change| of_it(change) && change.by > migration(version).version)
    };
    let mut of_changes = Tables::new();
    let mut kept = Tables::new();
    for (table, columns) in tables {
        let (these, those): (Vec<_>, Vec<_>) = columns.into_iter().partition(|column| changed(&table, column));
        if !these.is_empty() {
            of_changes.insert(table.clone(), these);
        }
        kept.insert(table, those);
    }
    (kept, of_changes)
}

/// All rows of these columns, as JSON, in order.
pub(super) async fn rows(db: &PgPool, tables: &Tables) -> BTreeMap<String, Vec<String>> {
    let mut rows = BTreeMap::new();
    for (table, columns) in tables {
        let columns = columns.join("\", \"");
        let statement = format!("select to_jsonb(t)::text from (select \"{columns}\" from \"{table}\") t order by 1");
        rows.insert(table.clone(), sqlx::query_scalar(AssertSqlSafe(statement)).fetch_all(db).await.unwrap());
    }
    rows
}

/// Words of check constraints that no row has, as `table.column: word`.
pub(super) async fn words_without_rows(db: &PgPool) -> Vec<String> {
    let words: Vec<(String, String, String)> = sqlx::query_as(
        "select relname::text, attname::text, word[1]
         from pg_constraint c
         join pg_class on pg_class.oid = conrelid and relnamespace = 'public'::regnamespace
         join pg_attribute on attrelid = conrelid and attnum = conkey[1]
         cross join regexp_matches(pg_get_constraintdef(c.oid), '''([^'']*)''::text', 'g') word
         where contype = 'c' and cardinality(conkey) = 1 and pg_get_constraintdef(c.oid) like '% = ANY (ARRAY[%'",
    )
    .fetch_all(db)
    .await
    .unwrap();
    assert!(words.len() > 30, "the words of states are found among the constraints: {words:?}");
    let mut missing = Vec::new();
    for (table, column, word) in words {
        let statement = format!("select exists (select from \"{table}\" where \"{column}\" = $1)");
        let there: bool = sqlx::query_scalar(AssertSqlSafe(statement)).bind(&word).fetch_one(db).await.unwrap();
        if !there {
            missing.push(format!("{table}.{column}: {word}"));
        }
    }
    missing
}

/// What the store must never say, in words; nothing where it is sound.
pub(super) async fn faults(db: &PgPool) -> Vec<String> {
    sqlx::query_scalar(
        "with days as (select distinct day from delivery),
         in_runs as (
             select d.day, r.place_id, r.rule_id, s.resource_type_id, count(*) filter (where status_id = 1) as c,
                 count(*) filter (where status_id = 2) as n, count(*) filter (where status_id = 3) as i,
                 count(*) filter (where status_id = 4) as a, count(*) filter (where status_id > 4) as u
             from days d join run r on r.first_day <= d.day and r.end_day > d.day join resource s using (resource_id)
             group by 1, 2, 3, 4
         ), in_rollup as (
             select d.day, place_id, rule_id, resource_type_id, complying as c, not_complying as n,
                 insufficient_data as i, not_applicable as a, unrecognised as u
             from days d join rollup r on r.first_day <= d.day and r.end_day > d.day
         ), known as (
             select place_id, organization_id, day, complying as c, not_complying as n, insufficient_data as i,
                 not_applicable as a, unrecognised as u
             from delivery join place using (place_id) where until_collection is null and known
         )
         select format('roll-up: %s, %s', r, o) from in_runs r full join in_rollup o using (day, place_id, rule_id, resource_type_id)
         where (r.c, r.n, r.i, r.a, r.u) is distinct from (o.c::bigint, o.n::bigint, o.i::bigint, o.a::bigint, o.u::bigint)
         union all
         select format('delivery: %s, %s', k, r) from known k
         cross join lateral (
             select coalesce(sum(c), 0) as c, coalesce(sum(n), 0) as n, coalesce(sum(i), 0) as i, coalesce(sum(a), 0) as a,
                 coalesce(sum(u), 0) as u
             from in_runs where in_runs.day = k.day and in_runs.place_id = k.place_id) r
         where (k.c, k.n, k.i, k.a, k.u) is distinct from (r.c, r.n, r.i, r.a, r.u)
         union all
         select format('day: %s, %s', t, k) from day_total t
         cross join lateral (
             select count(*) as places, coalesce(sum(c), 0) as c, coalesce(sum(n), 0) as n, coalesce(sum(i), 0) as i,
                 coalesce(sum(a), 0) as a, coalesce(sum(u), 0) as u
             from known where known.day = t.day and known.organization_id = t.organization_id) k
         where (t.known_places, t.complying, t.not_complying, t.insufficient_data, t.not_applicable, t.unrecognised)
             is distinct from (k.places, k.c, k.n, k.i, k.a, k.u)
         union all
         select format('presence: %s', r) from in_runs r join known k using (day, place_id)
         where not exists (select from rule_presence p where p.place_id = r.place_id and p.rule_id = r.rule_id
             and p.first_day <= r.day and p.end_day > r.day)",
    )
    .fetch_all(db)
    .await
    .unwrap()
}
