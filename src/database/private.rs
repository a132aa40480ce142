//! A private Postgres in a data folder: made on first use, shared by programs that use the same folder, stopped with the last.
//!
//! A guardian (a small shell script in its own process group) starts the server and reads a named pipe whose writing ends
//! are held by the programs that use the server. The kernel closes them however a program ends, so the guardian sees the
//! end of the pipe after a `kill -9` too, and stops the server. It must never open a network port.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgSslMode};

use super::folder;
use super::postmaster::{NAME, Server, clean_environment};
use super::programs::Programs;
use super::server_user::ServerUser;

/// How often a program looks whether its server is still there.
const WATCH: Duration = Duration::from_secs(1);

/// How the private Postgres is set up.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The data folder; by default in the user's home, for root `/var/lib/auditfolio`.
    pub folder: Option<PathBuf>,
    /// Folder of PostgreSQL's programs, instead of looking for them.
    pub programs: Option<PathBuf>,
    /// The user that the server runs as when root starts it.
    pub user: Option<String>,
    /// For tests only: a crash of the machine may lose everything.
    pub throwaway: bool,
}

/// A running private Postgres that this program uses. Dropping it ends the use; the last use stops the server.
#[derive(Debug)]
pub struct Cluster {
    folder: PathBuf,
    socket_folder: PathBuf,
    programs: Programs,
    server: Arc<Mutex<Server>>,
    /// Ends the watch when it is dropped.
    _watch: Sender<()>,
}

impl Cluster {
    /// Starts the server of a data folder, or joins the one that runs. Blocks. A server that dies is started again.
    pub fn start(options: &Options) -> anyhow::Result<Self> {
        let server = Server::start(options)?;
        let (folder, socket_folder) = (server.folder.clone(), server.socket_folder.clone());
        let programs = server.programs.clone();
        let server = Arc::new(Mutex::new(server));
        let (watch, ended) = channel::<()>();
        let watched = Arc::downgrade(&server);
        std::thread::Builder::new().name("postgres-watch".to_owned()).spawn(move || {
            while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(WATCH) {
                let Some(server) = watched.upgrade() else { return };
                if let Err(error) = locked(&server).revive() {
                    tracing::error!("the private Postgres: {error:#}");
                }
            }
        })?;
        Ok(Self { folder, socket_folder, programs, server, _watch: watch })
    }

    /// How to connect to the store's database, or to another one of this server.
    pub fn connect_options(&self, database: Option<&str>) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .socket(&self.socket_folder)
            .port(5432)
            .username(NAME)
            .password("")
            .database(database.unwrap_or(NAME))
            .ssl_mode(PgSslMode::Disable)
    }

    /// The name of the store's database.
    pub fn database(&self) -> &'static str {
        NAME
    }

    /// The data folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// PostgreSQL's programs that this server runs on.
    pub fn programs(&self) -> &Programs {
        &self.programs
    }

    /// A command of PostgreSQL's that talks to this server, run as this program's user.
    pub fn client(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.path(program));
        clean_environment(&mut command, &self.folder);
        command.env("PGHOST", &self.socket_folder).env("PGPORT", "5432").env("PGUSER", NAME).current_dir("/");
        command
    }

    /// Ends the use. Where this was the last one, waits until the server has stopped.
    pub fn stop(self) -> anyhow::Result<()> {
        locked(&self.server).release()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Err(error) = locked(&self.server).release() {
            tracing::error!("stopping the private Postgres: {error:#}");
        }
    }
}

fn locked(server: &Mutex<Server>) -> MutexGuard<'_, Server> {
    server.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The data folder of this name that is used without a setting; `user` as in [`Options::user`].
pub fn default_folder(name: &str, user: Option<&str>) -> anyhow::Result<PathBuf> {
    folder::by_default(name, &ServerUser::choose(user)?)
}
