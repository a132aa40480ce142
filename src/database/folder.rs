//! The data folder: where it is, whose it is, and where the server's socket goes.

use std::fs::DirBuilder;
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context as _, bail};

use super::server_user::ServerUser;

/// Longest path of a Unix socket that all systems take: 104 bytes with the closing NUL on macOS, 108 on Linux.
const SOCKET_PATH_BYTES: usize = 100;
/// What Postgres calls the socket of its usual port.
pub(super) const SOCKET_FILE: &str = ".s.PGSQL.5432";

/// Where data are kept without a setting: `$XDG_DATA_HOME/NAME`, `~/.local/share/NAME`, or for root `/var/lib/NAME`.
pub(super) fn by_default(name: &str, user: &ServerUser) -> anyhow::Result<PathBuf> {
    if user.other() {
        return Ok(Path::new("/var/lib").join(name));
    }
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_DATA_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/share")))
        .map(|folder| folder.join(name))
        .context("no data folder: set --data (neither XDG_DATA_HOME nor HOME is set)")
}

/// Makes the data folder for the server's user alone, and checks that they can enter it.
pub(super) fn make(folder: &Path, user: &ServerUser) -> anyhow::Result<()> {
    let shown = folder.display();
    let new = !folder.exists();
    if new {
        if let Some(parent) = folder.parent() {
            std::fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
        }
        make_whole(folder, user).with_context(|| format!("cannot make {shown}"))?;
    }
    let found = std::fs::metadata(folder)?;
    if found.uid() != user.uid() {
        bail!(
            "{shown} belongs to another user than the one that the private Postgres runs as ({user}): choose another --data"
        );
    }
    if found.permissions().mode() & 0o077 != 0 {
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))?;
    }
    let mut enter = Command::new("sh");
    enter.args(["-c", "cd \"$1\"", "sh"]).arg(folder).current_dir("/").stdin(Stdio::null());
    user.apply(&mut enter);
    if !enter.output().context("cannot run sh")?.status.success() {
        if new {
            std::fs::remove_dir(folder)?;
        }
        bail!(
            "{user}, the user that the private Postgres runs as, cannot enter {shown}: choose another --data, e.g. /var/lib/auditfolio"
        );
    }
    Ok(())
}

/// Makes the folder as its user's own in one step, so that a program which starts at the same time never finds it half
/// made; whoever is later finds it there.
fn make_whole(folder: &Path, user: &ServerUser) -> anyhow::Result<()> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let mut beside = folder.as_os_str().to_owned();
    beside.push(format!(".new-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
    let beside = PathBuf::from(beside);
    DirBuilder::new().mode(0o700).create(&beside)?;
    user.own(&beside)?;
    // An empty folder of the same name is replaced, one that is in use is left alone: rename(2).
    let renamed = std::fs::rename(&beside, folder);
    if renamed.is_err() {
        std::fs::remove_dir(&beside)?;
    }
    match renamed {
        Err(error) if !folder.is_dir() => Err(error.into()),
        _ => Ok(()),
    }
}

/// The socket's folder: in the data folder, or, where that path is too long for a socket, a private one under /tmp.
pub(super) fn of_socket(folder: &Path, user: &ServerUser) -> anyhow::Result<PathBuf> {
    let inside = folder.join("socket");
    let chosen = if inside.join(SOCKET_FILE).as_os_str().len() <= SOCKET_PATH_BYTES {
        inside
    } else {
        let digest = ring::digest::digest(&ring::digest::SHA256, folder.as_os_str().as_encoded_bytes());
        let short = super::hex(digest.as_ref().get(..8).unwrap_or_default());
        PathBuf::from(format!("/tmp/auditfolio-{short}"))
    };
    match DirBuilder::new().mode(0o700).create(&chosen) {
        Ok(()) => user.own(&chosen)?,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => {
            return Err(error).with_context(|| format!("cannot make {}", chosen.display()));
        }
    }
    // Others may write to /tmp: what is there must be ours alone.
    let found = std::fs::symlink_metadata(&chosen)?;
    if !found.is_dir() || found.uid() != user.uid() || found.mode() & 0o077 != 0 {
        bail!("{} is not a folder of {user} alone: remove it, or choose another --data", chosen.display());
    }
    Ok(chosen)
}

/// The release that made the data folder's cluster, where there is one.
pub(super) fn data_major(folder: &Path) -> anyhow::Result<Option<u32>> {
    let path = folder.join("postgres/PG_VERSION");
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text.trim().parse().with_context(|| format!("{} names no release", path.display()))?)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}
