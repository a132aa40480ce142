//! Making, starting, joining and stopping the private Postgres's server. One thread at a time uses it.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use super::folder;
use super::private::Options;
use super::programs::Programs;
use super::server_user::{self, ServerUser};

/// The server's superuser and the database of the store.
pub(super) const NAME: &str = "auditfolio";
/// How long crash recovery, a shutdown with its checkpoint, or orphaned backends may take.
const PATIENCE: Duration = Duration::from_mins(2);
/// How the folder of a cluster that is being made begins.
const HALF: &str = "postgres.new-";
const GUARDIAN: &str = include_str!("guardian.sh");
/// `O_NONBLOCK`, which the standard library does not name.
const NON_BLOCKING: i32 = if cfg!(target_os = "linux") { 0o4000 } else { 0x4 };

/// The server of a data folder, as this program uses it.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) folder: PathBuf,
    pub(super) socket_folder: PathBuf,
    pub(super) programs: Programs,
    throwaway: bool,
    user: ServerUser,
    /// The writing end of the guardian's pipe; `None` once released.
    pipe: Option<File>,
    /// A shared lock for as long as this program uses the server.
    use_lock: Option<File>,
    /// Process id of the server.
    pid: String,
}

impl Server {
    /// Starts the server, or joins the one that runs. Blocks.
    pub(super) fn start(options: &Options) -> anyhow::Result<Self> {
        let user = ServerUser::choose(options.user.as_deref())?;
        let folder = match &options.folder {
            Some(folder) => std::path::absolute(folder)?,
            None => folder::by_default(NAME, &user)?,
        };
        folder::make(&folder, &user)?;
        let socket_folder = folder::of_socket(&folder, &user)?;
        let programs = Programs::find(options.programs.as_deref(), folder::data_major(&folder)?)?;
        let throwaway = options.throwaway;
        let (pipe, use_lock, pid) = (None, None, String::new());
        let mut server = Self { folder, socket_folder, programs, throwaway, user, pipe, use_lock, pid };
        server.join_or_start()?;
        let use_lock = lock_file(&server.folder.join("use.lock"))?;
        use_lock.lock_shared().context("cannot lock the data folder")?;
        server.use_lock = Some(use_lock);
        Ok(server)
    }

    fn join_or_start(&mut self) -> anyhow::Result<()> {
        // One program at a time makes, starts or joins. The lock goes with the program, however it ends.
        let start_lock = lock_file(&self.folder.join("start.lock"))?;
        start_lock.lock().with_context(|| format!("cannot lock {}", self.folder.display()))?;
        if !self.join()? {
            self.make()?;
            self.write_settings()?;
            self.launch()?;
        }
        self.pid = self.server_pid().context("the server has gone right after its start: see its log")?;
        Ok(())
    }

    /// Starts the server again (or joins who did) where it has gone, e.g. killed for want of memory.
    pub(super) fn revive(&mut self) -> anyhow::Result<()> {
        if self.pipe.is_none() {
            return Ok(());
        }
        if self.answers()? {
            if self.server_pid().as_deref() == Some(self.pid.as_str()) {
                return Ok(());
            }
            // Whoever started it does not know of this program, and would stop it under this one.
            tracing::warn!("another program has started the private Postgres again: joining it");
        } else {
            tracing::error!("the private Postgres has gone: starting it again");
        }
        self.join_or_start()?;
        tracing::info!("the private Postgres runs again");
        Ok(())
    }

    /// Ends the use. Where this was the last one, waits until the server has stopped.
    pub(super) fn release(&mut self) -> anyhow::Result<()> {
        let Some(pipe) = self.pipe.take() else {
            return Ok(());
        };
        drop(pipe);
        let Some(use_lock) = self.use_lock.take() else {
            return Ok(());
        };
        drop(use_lock);
        // Not the one that this program started: it may have been killed, and another program have started the next.
        let pid = self.server_pid();
        let until = Instant::now() + PATIENCE;
        // Either somebody else uses it, or the guardian stops it.
        while pid.is_some() && self.server_pid() == pid {
            let probe = lock_file(&self.folder.join("use.lock"))?;
            if probe.try_lock().is_err() {
                return Ok(());
            }
            drop(probe);
            if Instant::now() > until {
                bail!(
                    "the private Postgres did not stop within {} s: see {}",
                    PATIENCE.as_secs(),
                    self.log().display()
                );
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    fn postgres_folder(&self) -> PathBuf {
        self.folder.join("postgres")
    }

    fn log(&self) -> PathBuf {
        self.folder.join("postgres.log")
    }

    fn pipe_path(&self) -> PathBuf {
        self.folder.join("users")
    }

    fn answer_path(&self) -> PathBuf {
        self.folder.join("answer")
    }

    /// First line of postmaster.pid.
    fn server_pid(&self) -> Option<String> {
        let text = std::fs::read_to_string(self.postgres_folder().join("postmaster.pid")).ok()?;
        text.lines().next().map(|line| line.trim().to_owned())
    }

    /// A command that runs as the server's user, with nothing of our environment.
    fn server_command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        clean_environment(&mut command, &self.folder);
        command.current_dir(&self.folder).stdin(Stdio::null());
        self.user.apply(&mut command);
        command
    }

    /// Joins the server that another program has started. False: there is none (any more).
    fn join(&mut self) -> anyhow::Result<bool> {
        // Without a reader a non-blocking open for writing fails: the guardian has gone.
        let opened = OpenOptions::new().write(true).custom_flags(NON_BLOCKING).open(self.pipe_path());
        let Ok(mut pipe) = opened else {
            return self.without_guardian();
        };
        let Ok(name) = knock(&mut pipe) else {
            return self.without_guardian();
        };
        let until = Instant::now() + Duration::from_secs(10);
        // The guardian may have stopped reading just before: only its answer means that it counts us.
        while Instant::now() < until && self.server_pid().is_some() {
            if std::fs::read_to_string(self.answer_path()).is_ok_and(|answer| answer.trim() == name) {
                if !self.answers()? {
                    break;
                }
                self.pipe = Some(pipe);
                return Ok(true);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        drop(pipe);
        self.without_guardian()
    }

    /// Stops a server that runs (or is on its way down) without a guardian that would count us.
    fn without_guardian(&self) -> anyhow::Result<bool> {
        if self.server_pid().is_some() {
            // Fails where the server was killed and its pid file is stale, which is as good as stopped.
            let _stopped: Output = self
                .server_command(self.programs.path("pg_ctl"))
                .args(["stop", "-w", "-s", "-m", "fast", "-t"])
                .arg(PATIENCE.as_secs().to_string())
                .arg("-D")
                .arg(self.postgres_folder())
                .output()?;
        }
        Ok(false)
    }

    /// Whether the server accepts a connection on its socket.
    fn answers(&self) -> anyhow::Result<bool> {
        let socket = self.socket_folder.join(folder::SOCKET_FILE);
        let until = Instant::now() + Duration::from_secs(5);
        loop {
            match std::os::unix::net::UnixStream::connect(&socket) {
                Ok(_) => return Ok(true),
                Err(error) if error.kind() == ErrorKind::WouldBlock && Instant::now() < until => {
                    std::thread::sleep(Duration::from_millis(10));
                }
                Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
                    return Ok(false);
                }
                Err(error) => {
                    return Err(error).with_context(|| format!("cannot connect to {}", socket.display()));
                }
            }
        }
    }

    /// Makes the cluster's files. Whole or not at all: made beside, then renamed.
    fn make(&self) -> anyhow::Result<()> {
        self.remove_halves()?;
        if self.postgres_folder().join("PG_VERSION").exists() {
            return Ok(());
        }
        let half = self.folder.join(format!("{HALF}{}", unused_name()?));
        let mut initdb = self.server_command(self.programs.path("initdb"));
        initdb.arg("-D").arg(&half).args(["--encoding=UTF8", "--locale=C", "--data-checksums", "--auth=reject"]);
        initdb.args(["--username", NAME, "--no-instructions"]);
        if self.throwaway {
            initdb.arg("--no-sync");
        }
        let output = initdb.output().context("cannot run initdb")?;
        if !output.status.success() {
            bail!("initdb could not make {}: {}", half.display(), last_lines(&output.stderr));
        }
        OpenOptions::new()
            .append(true)
            .open(half.join("postgresql.conf"))?
            .write_all(b"\n# Written anew at each start; put changes of your own into local.conf.\ninclude 'auditfolio.conf'\ninclude_if_exists 'local.conf'\n")?;
        std::fs::rename(&half, self.postgres_folder()).context("cannot rename the new cluster's folder")?;
        Ok(())
    }

    /// Removes what killed first starts have left. Their initdb may still be writing: what resists goes next time.
    fn remove_halves(&self) -> anyhow::Result<()> {
        for entry in std::fs::read_dir(&self.folder)?.flatten() {
            if entry.file_name().to_string_lossy().starts_with(HALF) {
                let _removed = std::fs::remove_dir_all(entry.path());
            }
        }
        Ok(())
    }

    /// Writes the server's settings and who may connect: this program's user over the Unix socket, nobody else.
    fn write_settings(&self) -> anyhow::Result<()> {
        let socket =
            self.socket_folder.to_str().context("the path of the data folder is not UTF-8")?.replace('\'', "''");
        let mut settings = format!("unix_socket_directories = '{socket}'\n{SETTINGS}");
        if self.throwaway {
            settings.push_str("fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n");
        }
        let own = server_user::name_of_this_user()?;
        let own = own.replace('"', "\"\"");
        for (file, text) in [
            ("auditfolio.conf", settings),
            ("pg_hba.conf", format!("local all {NAME} peer map=own\n")),
            ("pg_ident.conf", format!("own \"{own}\" {NAME}\n")),
        ] {
            let path = self.postgres_folder().join(file);
            std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
            self.user.own(&path)?;
        }
        let log = self.log();
        if std::fs::metadata(&log).is_ok_and(|log| log.len() > 10 << 20) {
            std::fs::rename(&log, log.with_extension("log.old"))?;
        }
        Ok(())
    }

    /// Starts guardian and server, again while backends of a killed server are still leaving.
    fn launch(&mut self) -> anyhow::Result<()> {
        let until = Instant::now() + PATIENCE;
        loop {
            let log_before = std::fs::metadata(self.log()).map_or(0, |log| log.len());
            let (mut guardian, pipe, name) = self.spawn_guardian()?;
            if self.wait_for_answer(&mut guardian, &name)? {
                // Reaps the guardian if it ends before this program does.
                std::thread::Builder::new().name("guardian".to_owned()).spawn(move || guardian.wait())?;
                self.pipe = Some(pipe);
                return Ok(());
            }
            let said = std::fs::read(self.log()).unwrap_or_default();
            let said = said.get(usize::try_from(log_before)?..).unwrap_or_default();
            let text = String::from_utf8_lossy(said);
            let leaving = text.contains("postmaster.pid\" already exists") || text.contains("is still in use");
            if !leaving || Instant::now() > until {
                bail!(
                    "the private Postgres did not start. Its log ({}) ends:\n{}",
                    self.log().display(),
                    last_lines(said)
                );
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn spawn_guardian(&self) -> anyhow::Result<(Child, File, String)> {
        let path = self.pipe_path();
        // A new pipe for each server: programs of an earlier one keep theirs, and cannot stop this one.
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).context("cannot remove the old pipe");
            }
            _ => {}
        }
        let made =
            self.server_command("mkfifo").arg("-m").arg("600").arg(&path).output().context("cannot run mkfifo")?;
        if !made.status.success() {
            bail!("cannot make {}: {}", path.display(), last_lines(&made.stderr));
        }
        // Open for both first: opening one end of a pipe waits for the other.
        let both = OpenOptions::new().read(true).write(true).open(&path)?;
        let reading = File::open(&path)?;
        let mut writing = OpenOptions::new().write(true).open(&path)?;
        drop(both);
        let name = knock(&mut writing)?;
        let mut command = self.server_command("sh");
        command.arg("-c").arg(GUARDIAN).arg("auditfolio-guardian");
        command.arg(self.programs.path("pg_ctl")).arg(self.postgres_folder()).arg(self.log()).arg(self.answer_path());
        command.arg(PATIENCE.as_secs().to_string());
        command.stdin(reading).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        Ok((command.spawn().context("cannot run sh")?, writing, name))
    }

    /// True: the server is up. False: the guardian has given up.
    fn wait_for_answer(&self, guardian: &mut Child, name: &str) -> anyhow::Result<bool> {
        loop {
            if std::fs::read_to_string(self.answer_path()).is_ok_and(|answer| answer.trim() == name) {
                return Ok(true);
            }
            if guardian.try_wait()?.is_some() {
                return Ok(false);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// The server's settings. Small machines run it; `local.conf` in its folder overrides.
const SETTINGS: &str = "listen_addresses = ''
port = 5432
unix_socket_permissions = 0700
max_connections = 100
shared_buffers = 128MB
work_mem = 16MB
maintenance_work_mem = 128MB
effective_cache_size = 1GB
random_page_cost = 1.1
max_wal_size = 2GB
min_wal_size = 128MB
wal_compression = on
checkpoint_timeout = 15min
wal_level = minimal
max_wal_senders = 0
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] '
log_checkpoints = off
fsync = on
";

/// Tells the guardian of us by a name that nobody used before.
fn knock(pipe: &mut File) -> anyhow::Result<String> {
    let name = unused_name()?;
    pipe.write_all(format!("{name}\n").as_bytes())?;
    Ok(name)
}

fn unused_name() -> anyhow::Result<String> {
    let at = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_nanos();
    Ok(format!("{}-{at}", std::process::id()))
}

fn lock_file(path: &Path) -> anyhow::Result<File> {
    let opened = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
    opened.with_context(|| format!("cannot open {}", path.display()))
}

/// `PG*` variables and locales of our environment must not change what PostgreSQL's programs do.
pub(super) fn clean_environment(command: &mut Command, home: &Path) {
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
    command.env_clear().env("PATH", path).env("HOME", home).env("LC_ALL", "C").env("TZ", "UTC");
}

fn last_lines(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let lines: Vec<&str> = text.lines().collect();
    lines.iter().skip(lines.len().saturating_sub(12)).copied().collect::<Vec<_>>().join("\n")
}
