//! The `backup` and `restore` commands: the whole database as one file of `pg_dump`'s custom format, which `pg_restore` reads too.
//!
//! Once a bucket's lifecycle has expired the sources, this database is the evidence: a backup is one consistent state
//! of it, written whole or not at all, and it is restored only into an empty database.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};
use secrecy::ExposeSecret as _;
use serde_json::json;
use sqlx::{Connection as _, PgConnection};

use super::private::Cluster;
use super::programs::Programs;
use super::schema::{self, Schema};
use super::{address, db};
use crate::audit_log::{self, Entry};
use crate::settings::StoreSettings;

/// Arguments of `backup` and `restore`.
#[derive(Debug, Clone, clap::Args)]
pub struct FileArgs {
    /// The backup's file. It holds all evidence and the key that signs packs: keep it as safe as the database.
    pub file: PathBuf,
}

/// What was written or read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    pub bytes: u64,
    /// Of the file, as 64 hexadecimal digits.
    pub sha256: String,
    /// Migrations that the restored database still lacks.
    pub due: usize,
}

/// Writes the whole database, as it is at one moment, to a new file.
pub async fn backup(settings: &StoreSettings, args: &FileArgs) -> anyhow::Result<Done> {
    let file = &args.file;
    if file.exists() {
        bail!("{} exists already: name a new file", file.display());
    }
    let (options, private) = super::target(settings).await?;
    let mut connection = super::connect_first(&options, private.as_ref()).await?;
    schema::require_current(&schema::look(&mut connection).await?)?;
    let mut dump = client(settings, private.as_ref(), &mut connection, "pg_dump").await?;
    let half = with_ending(file, "part");
    // Made here, so that nobody else can read it at any moment.
    let made = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&half);
    drop(made.with_context(|| format!("cannot write {}", half.display()))?);
    dump.args(["--format=custom", "--compress=1", "--no-owner", "--no-privileges", "--no-unlogged-table-data"]);
    // Who is signed in is no evidence.
    dump.args(["--exclude-table-data=session", "--file"]).arg(&half);
    run(dump).await.inspect_err(|_| drop(std::fs::remove_file(&half)))?;
    File::open(&half)?.sync_all()?;
    let (bytes, sha256) = digest(&half)?;
    std::fs::rename(&half, file).with_context(|| format!("cannot write {}", file.display()))?;
    let detail = json!({ "bytes": bytes, "sha256": sha256 });
    record(&mut connection, Entry::by_operator("backup", file.display().to_string()).detail(detail)).await?;
    close(connection, private).await?;
    Ok(Done { bytes, sha256, due: 0 })
}

/// Reads a backup into an empty database, whole or not at all.
pub async fn restore(settings: &StoreSettings, args: &FileArgs) -> anyhow::Result<Done> {
    let file = &args.file;
    let (bytes, sha256) = digest(file)?;
    let (options, private) = super::target(settings).await?;
    let mut connection = super::connect_first(&options, private.as_ref()).await?;
    if !db::is_empty(&mut connection).await? {
        bail!(
            "the database is not empty. A backup is restored only into an empty one: name another data folder with --data, \
             or an empty database with --database-url"
        );
    }
    let mut look = client(settings, private.as_ref(), &mut connection, "pg_restore").await?;
    look.args(["--data-only", "--table=_sqlx_migrations", "--file=-"]).arg(file);
    let said = run(look).await.with_context(|| format!("{} is not a backup", file.display()))?;
    let due = match schema::compare_with_program(&migrations_in(&said)) {
        Schema::Current => 0,
        Schema::Due { new: true, .. } => bail!("{} is not a backup of Auditfolio", file.display()),
        Schema::Due { count, .. } => count,
        other => {
            schema::require_current(&other).with_context(|| format!("{} cannot be restored", file.display()))?;
            0
        }
    };
    let mut restore = client(settings, private.as_ref(), &mut connection, "pg_restore").await?;
    restore.args(["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", "--dbname"]);
    restore.arg(dbname(settings, private.as_ref()).await?).arg(file);
    run(restore).await?;
    db::analyze(&mut connection).await?;
    let detail = json!({ "bytes": bytes, "sha256": sha256 });
    record(&mut connection, Entry::by_operator("restore", file.display().to_string()).detail(detail)).await?;
    close(connection, private).await?;
    Ok(Done { bytes, sha256, due })
}

/// One of PostgreSQL's programs, set up for the store's database, of a release that can talk to its server.
async fn client(
    settings: &StoreSettings,
    private: Option<&Cluster>,
    connection: &mut PgConnection,
    program: &str,
) -> anyhow::Result<Command> {
    let mut command = if let Some(cluster) = private {
        cluster.client(program)
    } else {
        let server = db::server_major(connection).await?;
        let programs = Programs::for_client(settings.postgres_programs.as_deref(), program, server)?;
        let mut command = Command::new(programs.path(program));
        if let Some(password) = outside(settings).await?.password {
            command.env("PGPASSWORD", password.expose_secret());
        }
        command
    };
    if program == "pg_dump" {
        command.arg("--dbname").arg(dbname(settings, private).await?);
    }
    command.stdin(Stdio::null());
    Ok(command)
}

/// What follows `--dbname`: never with a password, since others can read the arguments of a running program.
async fn dbname(settings: &StoreSettings, private: Option<&Cluster>) -> anyhow::Result<String> {
    match private {
        Some(cluster) => Ok(cluster.database().to_owned()),
        None => Ok(outside(settings).await?.without_password),
    }
}

async fn outside(settings: &StoreSettings) -> anyhow::Result<address::Address> {
    let address = super::access::resolve(settings).await?.context("no database is named")?;
    address::take_apart(address.expose_secret())
}

/// Runs a command to its end. Gives its output, or its complaint as the error.
async fn run(mut command: Command) -> anyhow::Result<Vec<u8>> {
    let name = PathBuf::from(command.get_program());
    let output = tokio::task::spawn_blocking(move || command.output()).await?;
    let output = output.with_context(|| format!("cannot run {}", name.display()))?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(output.stdout)
}

/// The rows of `_sqlx_migrations` in a script of `pg_restore`: version, whether finished, checksum. Pure.
fn migrations_in(script: &[u8]) -> Vec<(i64, bool, Vec<u8>)> {
    let script = String::from_utf8_lossy(script);
    let mut lines = script.lines().skip_while(|line| !line.starts_with("COPY "));
    let Some(header) = lines.next() else { return Vec::new() };
    let columns: Vec<&str> = header
        .split_once('(')
        .and_then(|(_, rest)| rest.split_once(')'))
        .map(|(columns, _)| columns.split(", ").collect())
        .unwrap_or_default();
    let place = |name: &str| columns.iter().position(|column| *column == name);
    let (Some(version), Some(success), Some(checksum)) = (place("version"), place("success"), place("checksum")) else {
        return Vec::new();
    };
    lines
        .take_while(|line| *line != "\\.")
        .filter_map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            let hexadecimal = cells.get(checksum)?.strip_prefix("\\\\x")?;
            let pairs = (0..hexadecimal.len() / 2).map(|at| hexadecimal.get(2 * at..2 * at + 2));
            let bytes = pairs.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect::<Option<Vec<u8>>>()?;
            Some((cells.get(version)?.parse().ok()?, *cells.get(success)? == "t", bytes))
        })
        .collect()
}

async fn record(connection: &mut PgConnection, entry: Entry) -> anyhow::Result<()> {
    let mut tx = connection.begin().await?;
    audit_log::record(&mut tx, &entry).await?;
    Ok(tx.commit().await?)
}

async fn close(connection: PgConnection, private: Option<Cluster>) -> anyhow::Result<()> {
    connection.close().await?;
    if let Some(private) = private {
        tokio::task::spawn_blocking(move || private.stop()).await??;
    }
    Ok(())
}

/// Size and SHA-256 of a file.
fn digest(path: &Path) -> anyhow::Result<(u64, String)> {
    let mut file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    let mut buffer = vec![0; 1 << 20];
    let mut bytes: u64 = 0;
    loop {
        let read = file.read(&mut buffer).with_context(|| format!("cannot read {}", path.display()))?;
        if read == 0 {
            break;
        }
        context.update(buffer.get(..read).context("a read gives at most the buffer")?);
        bytes += u64::try_from(read)?;
    }
    let sha256 = super::hex(context.finish().as_ref());
    Ok((bytes, sha256))
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

/// Says on standard output what was done.
pub fn say(what: &str, done: &Done) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{what}: {} bytes, SHA-256 {}", done.bytes, done.sha256)?;
    if done.due > 0 {
        writeln!(
            out,
            "{} migrations are due: run `auditfolio migrate` (the private Postgres does so by itself)",
            done.due
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_are_found_in_a_script() {
        let script = b"SET x = 1;\nCOPY public._sqlx_migrations (version, description, installed_on, success, checksum, execution_time) FROM stdin;\n\
            20261123000001\tstore\t2026-11-23 00:00:00+00\tt\t\\\\x0aff\t12\n7\tx\t2026-11-23\tf\t\\\\x00\t1\n\\.\n\nCOPY other\n";
        assert_eq!(migrations_in(script), [(20_261_123_000_001, true, vec![10, 255]), (7, false, vec![0])]);
        assert_eq!(migrations_in(b"-- nothing here\n"), []);
    }
}
