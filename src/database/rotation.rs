//! A password that changes while the program runs: it is read again when the database refuses it.
//!
//! One keeper does so for all: it knocks at the database now and then, and at once when somebody was refused, so that
//! however many are refused there is one reading. Connections that are open go on; the pool opens new ones with the new
//! password.

use std::future::Future;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::{Connection as _, PgConnection, PgPool};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use super::access;
use super::db::has_code;
use crate::settings::StoreSettings;

/// How often the keeper knocks.
const KNOCK_EVERY: Duration = Duration::from_secs(15);
/// Between two readings, while what is read is refused.
const AGAIN_AFTER: Duration = Duration::from_secs(2);
/// How long somebody who was refused waits for the keeper.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether this program has a keeper.
static KEPT: AtomicBool = AtomicBool::new(false);
/// Somebody was refused.
static REFUSED: Notify = Notify::const_new();
/// Counts the keeper's rounds.
static ROUNDS: LazyLock<watch::Sender<u64>> = LazyLock::new(|| watch::Sender::new(0));

/// Keeps a pool's password; ends when it is dropped.
#[derive(Debug)]
pub(super) struct Keeper(JoinHandle<()>);

impl Drop for Keeper {
    fn drop(&mut self) {
        KEPT.store(false, Ordering::Relaxed);
        self.0.abort();
    }
}

impl Keeper {
    /// Begins, if the settings can give another password.
    pub(super) fn begin(pool: &PgPool, settings: &StoreSettings) -> Option<Self> {
        access::may_change(settings).then(|| {
            KEPT.store(true, Ordering::Relaxed);
            Self(tokio::spawn(keep(pool.clone(), settings.clone())))
        })
    }
}

/// Whether the database does not let in who knocks: a wrong password, or no such user.
///
/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
pub fn is_refused(error: &sqlx::Error) -> bool {
    has_code(error, "28P01") || has_code(error, "28000")
}

/// What `attempt` gives; where the database refuses the password, once more with one that is read anew.
pub async fn admitted<T, F>(attempt: impl Fn() -> F) -> sqlx::Result<T>
where
    F: Future<Output = sqlx::Result<T>>,
{
    let mut rounds = ROUNDS.subscribe();
    match attempt().await {
        Err(error) if is_refused(&error) && KEPT.load(Ordering::Relaxed) => {
            REFUSED.notify_one();
            // Without a round in time, the second attempt says what there is to say.
            let _waited = tokio::time::timeout(PATIENCE, rounds.changed()).await;
            attempt().await
        }
        other => other,
    }
}

async fn keep(pool: PgPool, settings: StoreSettings) {
    let count = || ROUNDS.send_modify(|rounds| *rounds += 1);
    loop {
        tokio::select! {
            () = REFUSED.notified() => {}
            () = tokio::time::sleep(KNOCK_EVERY) => {}
        }
        while !round(&pool, &settings).await {
            count();
            tokio::time::sleep(AGAIN_AFTER).await;
        }
        count();
    }
}

/// Knocks, and reads the password again where it is refused. False: it is refused still.
async fn round(pool: &PgPool, settings: &StoreSettings) -> bool {
    if !knocked_in_vain(pool).await {
        return true;
    }
    let read = async {
        let url = access::resolve(settings).await?;
        url.as_ref().map(access::options).transpose()
    };
    match read.await {
        Ok(Some(options)) => pool.set_connect_options(options),
        Ok(None) => return true,
        Err(error) => {
            tracing::warn!("the database refuses the password, and it could not be read again: {error:#}");
            return false;
        }
    }
    let refused = knocked_in_vain(pool).await;
    if refused {
        tracing::warn!("the database refuses the password, also as it is kept now");
    } else {
        tracing::info!("the database's password was read again");
    }
    !refused
}

/// Whether the database refuses the password that the pool uses. Other failures are for those who meet them.
async fn knocked_in_vain(pool: &PgPool) -> bool {
    match PgConnection::connect_with(&pool.connect_options()).await {
        Ok(connection) => {
            let _closed = connection.close().await;
            false
        }
        Err(error) => is_refused(&error),
    }
}
