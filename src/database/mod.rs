//! The pool, migrations, the private Postgres, backup and restore.

pub mod private;
pub mod programs;
mod server_user;

use std::time::Duration;

use anyhow::Context as _;
use sqlx::PgPool;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

/// The schema, embedded in the program.
pub static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// A pool as all parts of the program use it.
pub fn pool_options() -> PgPoolOptions {
    PgPoolOptions::new().max_connections(16).acquire_timeout(Duration::from_secs(5))
}

/// A transaction in which all statements see one state of the store, and which can change nothing.
pub async fn read_only(db: &PgPool) -> sqlx::Result<sqlx::Transaction<'static, sqlx::Postgres>> {
    db.begin_with("begin isolation level repeatable read, read only").await
}

/// Makes a database unless it is there.
pub(crate) async fn create_database(admin: &PgConnectOptions, name: &str) -> anyhow::Result<()> {
    use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
    let mut connection = sqlx::PgConnection::connect_with(admin).await.context("cannot connect to the private Postgres")?;
    let made = connection.execute(AssertSqlSafe(format!("create database \"{name}\""))).await;
    let duplicate = |error: &sqlx::Error| error.as_database_error().is_some_and(|error| error.code().as_deref() == Some("42P04"));
    match made {
        Err(error) if !duplicate(&error) => return Err(error).with_context(|| format!("cannot make database {name}")),
        _ => {}
    }
    connection.close().await?;
    Ok(())
}
