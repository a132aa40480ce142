//! A private Postgres for the test run, and a database of its own for each test.
//!
//! The cluster lives in a folder that later runs use again and stops with the test process. Databases are copies of a
//! migrated template and are dropped when the thread of their test ends, or by the next run.

use std::cell::RefCell;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, OnceLock};

use auditfolio::database::private::{Cluster, Options};
use auditfolio::database::{self, MIGRATIONS};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, PgPool};

use crate::output::Lines;

/// Serialises what must not meet itself in another test process: making the template, dropping leftovers.
const SETUP_LOCK: i64 = 0x6175_6469_7466;

struct Shared {
    cluster: Cluster,
    template: String,
    ended: Mutex<Sender<String>>,
}

static SHARED: OnceLock<Shared> = OnceLock::new();
static COUNT: AtomicU32 = AtomicU32::new(0);

thread_local! {
    static MADE_HERE: RefCell<Made> = const { RefCell::new(Made(Vec::new())) };
}

/// Databases of this thread's test.
struct Made(Vec<String>);

impl Drop for Made {
    fn drop(&mut self) {
        if let Some(shared) = SHARED.get() {
            for name in self.0.drain(..) {
                // The janitor ends with the process; then the next run drops the database.
                let _sent = shared.ended.lock().unwrap().send(name);
            }
        }
    }
}

/// A new, migrated, empty database for this test.
pub(crate) async fn database() -> PgPool {
    copy_of(&shared().template).await
}

/// A new database without a schema.
pub(crate) async fn bare_database() -> PgPool {
    copy_of("template1").await
}

/// The address of a test's database, as an operator would write it.
pub(crate) fn address_of(db: &PgPool) -> String {
    let options = db.connect_options();
    let socket = options.get_socket().unwrap().display().to_string();
    format!("postgres://{}@localhost/{}?host={socket}", options.get_username(), options.get_database().unwrap())
}

fn shared() -> &'static Shared {
    SHARED.get_or_init(|| std::thread::spawn(set_up).join().unwrap())
}

async fn copy_of(template: &str) -> PgPool {
    let shared = shared();
    let name = format!("test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let mut admin = PgConnection::connect_with(&shared.cluster.connect_options(Some("postgres"))).await.unwrap();
    admin.execute(AssertSqlSafe(format!("create database {name} template {template}"))).await.unwrap();
    admin.close().await.unwrap();
    MADE_HERE.with_borrow_mut(|made| made.0.push(name.clone()));
    database::pool_options().max_connections(8).connect_with(shared.cluster.connect_options(Some(&name))).await.unwrap()
}

/// A new folder below the build's scratch space, empty, removed by the next run.
pub(crate) fn scratch(name: &str) -> PathBuf {
    let folder = folder_for_users().join(format!("scratch/{}-{name}", std::process::id()));
    if folder.exists() {
        std::fs::remove_dir_all(&folder).unwrap();
    }
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// The real program with its own arguments only: no setting of ours reaches it.
pub(crate) fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_auditfolio"));
    command.args(arguments).env_remove("DATABASE_URL").stdin(Stdio::null());
    command
}

/// What a program printed, on both ways.
pub(crate) fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Sends a signal to a process, or to a process group where `target` begins with a minus.
pub(crate) fn kill(signal: &str, target: &str) {
    let status = Command::new("kill").args([signal, "--", target]).status().unwrap();
    assert!(status.success(), "kill {signal} {target}");
}

/// A running `serve` on a port of its own; killed when dropped.
pub(crate) struct Served {
    pub(crate) child: Child,
    pub(crate) address: String,
}

impl Served {
    /// Starts it, in a process group of its own, and waits until it serves.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut command = program(&["serve", "--bind", "127.0.0.1:0"]);
        command.args(arguments);
        Self::run(command)
    }

    /// Runs a `serve` that is ready to run, in the same way.
    pub(crate) fn run(mut command: Command) -> Self {
        let child = command.stderr(Stdio::piped()).process_group(0).spawn().unwrap();
        let mut served = Self { child, address: String::new() };
        served.address = Lines::of(served.child.stderr.take().unwrap()).find("its address", |line| {
            let (_, rest) = line.split_once("serving address=")?;
            rest.split(' ').next().map(str::to_owned)
        });
        served
    }

    pub(crate) fn pid(&self) -> String {
        self.child.id().to_string()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _status = self.child.wait();
    }
}

/// Where the server's user can enter: below /tmp, one folder for each checkout.
fn folder_for_users() -> PathBuf {
    let checkout = ring_hex(env!("CARGO_MANIFEST_DIR").as_bytes());
    PathBuf::from(format!("/tmp/auditfolio-test-{checkout}"))
}

fn ring_hex(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest.as_ref().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// Runs on a thread of its own: tests have runtimes of their own that end before the process does.
fn set_up() -> Shared {
    let folder = folder_for_users();
    std::fs::create_dir_all(&folder).unwrap();
    let scratch = folder.join("scratch");
    for leftover in std::fs::read_dir(&scratch).into_iter().flatten().flatten() {
        let name = leftover.file_name().to_string_lossy().into_owned();
        if name.split('-').next().is_some_and(|pid| !is_running(pid)) {
            let _removed = std::fs::remove_dir_all(leftover.path());
        }
    }
    let options = Options { folder: Some(folder.join("cluster")), throwaway: true, ..Options::default() };
    let cluster = Cluster::start(&options).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let template = runtime.block_on(template(&cluster));
    let (ended, receiver) = channel();
    let admin = cluster.connect_options(Some("postgres"));
    std::thread::spawn(move || {
        runtime.block_on(async {
            let admin = PgConnection::connect_with(&admin).await.unwrap();
            drop_ended(admin, &receiver).await;
        });
    });
    Shared { cluster, template, ended: Mutex::new(ended) }
}

/// The template's name tells the migrations it was made by and what rooms may read, so that a change makes a new one.
async fn template(cluster: &Cluster) -> String {
    let checksums: Vec<u8> = MIGRATIONS.iter().flat_map(|migration| migration.checksum.to_vec()).collect();
    let granted = auditfolio::engagement::READ.concat();
    let name = format!("template_{}", ring_hex(&[checksums, granted.into_bytes()].concat()));
    let mut admin = PgConnection::connect_with(&cluster.connect_options(Some("postgres"))).await.unwrap();
    sqlx::query("select pg_advisory_lock($1)").bind(SETUP_LOCK).execute(&mut admin).await.unwrap();
    let found: Vec<String> = sqlx::query_scalar("select datname from pg_database where datname ~ '^(test|template)_'")
        .fetch_all(&mut admin)
        .await
        .unwrap();
    for database in found.iter().filter(|database| **database != name) {
        let owner = database.strip_prefix("test_").and_then(|rest| rest.split('_').next());
        if !owner.is_some_and(is_running) {
            admin.execute(AssertSqlSafe(format!("drop database {database} with (force)"))).await.unwrap();
        }
    }
    if !found.contains(&name) {
        let half = format!("template_half_{}", std::process::id());
        admin.execute(AssertSqlSafe(format!("create database {half}"))).await.unwrap();
        let mut connection = PgConnection::connect_with(&cluster.connect_options(Some(&half))).await.unwrap();
        MIGRATIONS.run(&mut connection).await.unwrap();
        auditfolio::engagement::make_ready(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        admin.execute(AssertSqlSafe(format!("alter database {half} rename to {name}"))).await.unwrap();
    }
    admin.close().await.unwrap();
    name
}

async fn drop_ended(mut admin: PgConnection, ended: &Receiver<String>) {
    while let Ok(name) = ended.recv() {
        admin.execute(AssertSqlSafe(format!("drop database if exists {name} with (force)"))).await.unwrap();
    }
}

fn is_running(pid: &str) -> bool {
    pid.parse::<u32>()
        .is_ok_and(|pid| Command::new("kill").args(["-0", &pid.to_string()]).output().unwrap().status.success())
}
