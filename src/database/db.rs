//! SQL about databases themselves: making one, its migrations, one state to read.

use anyhow::Context as _;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, PgPool};

/// A transaction in which all statements see one state of the store, and which can change nothing.
pub async fn read_only(db: &PgPool) -> sqlx::Result<sqlx::Transaction<'static, sqlx::Postgres>> {
    db.begin_with("begin isolation level repeatable read, read only").await
}

/// Makes a database unless it is there. The name is one of ours, never from outside.
pub(super) async fn create_database(admin: &PgConnectOptions, name: &'static str) -> anyhow::Result<()> {
    let mut connection = PgConnection::connect_with(admin).await.context("cannot connect to the private Postgres")?;
    let made = connection.execute(AssertSqlSafe(format!("create database \"{name}\""))).await;
    match made {
        Err(error) if !has_code(&error, "42P04") => {
            return Err(error).with_context(|| format!("cannot make database {name}"));
        }
        _ => {}
    }
    connection.close().await?;
    Ok(())
}

/// The versions of the migrations that a database has had, with whether each was finished and its checksum.
pub(super) async fn applied_migrations(connection: &mut PgConnection) -> sqlx::Result<Vec<(i64, bool, Vec<u8>)>> {
    let known: bool =
        sqlx::query_scalar("select to_regclass('_sqlx_migrations') is not null").fetch_one(&mut *connection).await?;
    if !known {
        return Ok(Vec::new());
    }
    sqlx::query_as("select version, success, checksum from _sqlx_migrations order by version")
        .fetch_all(connection)
        .await
}

/// Whether a database has no tables, views or sequences of anybody's.
pub(super) async fn is_empty(connection: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "select not exists (
             select from pg_class
             join pg_namespace on pg_namespace.oid = relnamespace
             where nspname not like 'pg\\_%' and nspname <> 'information_schema')",
    )
    .fetch_one(connection)
    .await
}

/// The release of the server, e.g. 15.
pub(super) async fn server_major(connection: &mut PgConnection) -> anyhow::Result<u32> {
    let number: i32 =
        sqlx::query_scalar("select current_setting('server_version_num')::int / 10000").fetch_one(connection).await?;
    Ok(u32::try_from(number)?)
}

/// Gathers what the planner needs to know of new rows.
pub(super) async fn analyze(connection: &mut PgConnection) -> sqlx::Result<()> {
    connection.execute("analyze").await?;
    Ok(())
}

/// Whether an error of the server has this SQLSTATE.
pub(super) fn has_code(error: &sqlx::Error, code: &str) -> bool {
    error.as_database_error().is_some_and(|error| error.code().as_deref() == Some(code))
}
