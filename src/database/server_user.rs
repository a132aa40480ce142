//! Which user the private Postgres runs as: this one, or an unprivileged one when root starts it (Postgres refuses root).

use std::fmt;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};

/// The user of the server's processes and files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ServerUser {
    name: String,
    uid: u32,
    gid: u32,
    /// Another user than the one that runs this program.
    other: bool,
}

impl ServerUser {
    /// This user; for root the named one, else `postgres`, else `nobody`.
    pub(super) fn choose(named: Option<&str>) -> anyhow::Result<Self> {
        let uid = id(&["-u"])?.parse().context("id -u printed no number")?;
        if uid != 0 {
            let gid = id(&["-g"])?.parse().context("id -g printed no number")?;
            let name = name_of_this_user()?;
            if named.is_some_and(|named| named != name) {
                bail!("only root can run the private Postgres as another user");
            }
            return Ok(Self { name, uid, gid, other: false });
        }
        if let Some(name) = named {
            let user = Self::of(name).with_context(|| format!("there is no user {name}"))?;
            if user.uid == 0 {
                bail!("Postgres does not run as root: name an unprivileged user");
            }
            return Ok(user);
        }
        ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| Self::of(name).ok().filter(|user| user.uid != 0))
            .context("Postgres does not run as root, and there is neither a user postgres nor nobody: name one with --postgres-user")
    }

    fn of(name: &str) -> anyhow::Result<Self> {
        let uid = id(&["-u", name])?.parse().context("id -u printed no number")?;
        let gid = id(&["-g", name])?.parse().context("id -g printed no number")?;
        Ok(Self { name: name.to_owned(), uid, gid, other: true })
    }

    /// Their numeric id.
    pub(super) fn uid(&self) -> u32 {
        self.uid
    }

    /// Whether it is another user than the one that runs this program.
    pub(super) fn other(&self) -> bool {
        self.other
    }

    /// Makes a command run as this user, without root's groups.
    pub(super) fn apply(&self, command: &mut Command) {
        if self.other {
            command.gid(self.gid).uid(self.uid);
        }
    }

    /// Gives a file to this user.
    pub(super) fn own(&self, path: &Path) -> anyhow::Result<()> {
        if self.other {
            std::os::unix::fs::lchown(path, Some(self.uid), Some(self.gid))
                .with_context(|| format!("cannot give {} to {self}", path.display()))?;
        }
        Ok(())
    }
}

impl fmt::Display for ServerUser {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name)
    }
}

/// What the system calls the user that runs this program.
pub fn name_of_this_user() -> anyhow::Result<String> {
    id(&["-un"])
}

fn id(arguments: &[&str]) -> anyhow::Result<String> {
    let output = Command::new("id").args(arguments).output().context("cannot run id")?;
    if !output.status.success() {
        bail!("id {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
