//! The pool, migrations, the private Postgres, backup and restore.

mod access;
mod address;
pub mod backup;
mod db;
mod folder;
mod postmaster;
pub mod private;
pub mod programs;
mod rotation;
pub mod schema;
mod server_user;

use std::time::Duration;

use anyhow::Context as _;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection as _, PgConnection, PgPool};

pub use db::read_only;
pub use rotation::{admitted, is_refused};
pub use schema::MIGRATIONS;
pub use server_user::name_of_this_user;

use crate::settings::StoreSettings;

/// The store, open.
#[derive(Debug)]
pub struct Store {
    pub db: PgPool,
    /// The private Postgres, where it is used: it runs for as long as this is kept.
    pub private: Option<private::Cluster>,
    /// Where the password is kept elsewhere.
    keeper: Option<rotation::Keeper>,
}

impl Store {
    fn open(options: PgConnectOptions, private: Option<private::Cluster>, settings: &StoreSettings) -> Self {
        let db = pool_options().connect_lazy_with(options);
        let keeper = rotation::Keeper::begin(&db, settings);
        Self { db, private, keeper }
    }

    /// Closes the pool and ends the use of the private Postgres.
    pub async fn close(self) -> anyhow::Result<()> {
        drop(self.keeper);
        self.db.close().await;
        if let Some(private) = self.private {
            tokio::task::spawn_blocking(move || private.stop()).await??;
        }
        Ok(())
    }
}

/// Opens the store: the database that the settings name, else the private Postgres.
///
/// The private one is brought up to date by itself. An outside one is not: then the error says that migration is due.
pub async fn connect(settings: &StoreSettings) -> anyhow::Result<Store> {
    let (options, private) = target(settings).await?;
    let mut connection = connect_first(&options, private.as_ref()).await?;
    if private.is_some() {
        schema::migrate(&mut connection).await?;
    } else {
        schema::require_current(&schema::look(&mut connection).await?)?;
    }
    make_ready_for_rooms(&mut connection).await;
    connection.close().await?;
    Ok(Store::open(options, private, settings))
}

/// Opens the store as [`connect`] does, and brings an outside database up to date too. Gives the number of migrations applied.
pub async fn connect_and_migrate(settings: &StoreSettings) -> anyhow::Result<(Store, usize)> {
    let (options, private) = target(settings).await?;
    let mut connection = connect_first(&options, private.as_ref()).await?;
    let count = schema::migrate(&mut connection).await?;
    make_ready_for_rooms(&mut connection).await;
    connection.close().await?;
    Ok((Store::open(options, private, settings), count))
}

/// Sees to the role that auditors' rooms read as. Without it everything but rooms works, so that it is no reason to stop.
async fn make_ready_for_rooms(connection: &mut PgConnection) {
    if let Err(error) = crate::engagement::make_ready(connection).await {
        tracing::warn!(
            error = %error,
            "engagements cannot have rooms: the database refuses to make role auditfolio_room. As its administrator run: \
             create role auditfolio_room nologin; grant auditfolio_room to the portal's own user; then start the portal again",
        );
    }
}

/// How to connect, with the private Postgres started where no database is named.
async fn target(settings: &StoreSettings) -> anyhow::Result<(PgConnectOptions, Option<private::Cluster>)> {
    if let Some(url) = access::resolve(settings).await? {
        return Ok((access::options(&url)?, None));
    }
    let private = private::Options {
        folder: settings.data.clone(),
        programs: settings.postgres_programs.clone(),
        user: settings.postgres_user.clone(),
        throwaway: false,
    };
    let cluster = tokio::task::spawn_blocking(move || private::Cluster::start(&private)).await??;
    Ok((cluster.connect_options(None).application_name("auditfolio"), Some(cluster)))
}

/// The first connection; makes the private Postgres's database where it is new.
async fn connect_first(options: &PgConnectOptions, private: Option<&private::Cluster>) -> anyhow::Result<PgConnection> {
    match (PgConnection::connect_with(options).await, private) {
        (Ok(connection), _) => Ok(connection),
        (Err(error), Some(cluster)) if db::has_code(&error, "3D000") => {
            db::create_database(&cluster.connect_options(Some("postgres")), cluster.database()).await?;
            PgConnection::connect_with(options).await.context("cannot connect to the private Postgres")
        }
        (Err(error), Some(_)) => Err(error).context("cannot connect to the private Postgres"),
        (Err(error), None) => Err(error).context("cannot connect to the database that DATABASE_URL names"),
    }
}

/// A pool as all parts of the program use it.
pub fn pool_options() -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(16)
        .acquire_timeout(Duration::from_secs(5))
        .after_connect(|connection, _| {
            // Compiling a statement takes longer than any page's statement runs.
            Box::pin(async move { sqlx::query("set jit = off").execute(connection).await.map(drop) })
        })
        // The pool's own look at a connection waits for ever on one whose other end is gone without a word.
        .test_before_acquire(false)
        .before_acquire(|connection, _| Box::pin(answers_within(connection, LOOK)))
        .after_release(|connection, _| Box::pin(answers_within(connection, LET_GO)))
}

/// Whether a connection is good. An error, and not `false`, ends it without a word to the other end.
async fn answers_within(connection: &mut PgConnection, time: Duration) -> sqlx::Result<bool> {
    tokio::time::timeout(time, connection.ping()).await.map_err(|_elapsed| sqlx::Error::PoolTimedOut)??;
    Ok(true)
}

/// How long a connection of the pool may take to answer before it is used.
const LOOK: Duration = Duration::from_secs(1);
/// How long a statement that nobody waits for any more may keep its connection.
const LET_GO: Duration = Duration::from_secs(5);

/// Bytes as hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string does not fail");
        text
    })
}
