//! PostgreSQL's own programs on this machine: where they are and which release they belong to.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

/// The oldest release of PostgreSQL whose SQL the store uses (`unique nulls not distinct`).
pub const OLDEST_MAJOR: u32 = 15;

/// What to install, for people whose machine has no PostgreSQL.
pub const WHAT_TO_INSTALL: &str =
    "PostgreSQL's programs (initdb, pg_ctl, postgres) were not found. Install PostgreSQL 15 or newer:
  Debian, Ubuntu:  sudo apt-get install postgresql
  Fedora:          sudo dnf install postgresql-server postgresql-contrib
  macOS:           brew install postgresql@17
They are looked for by pg_config --bindir, on PATH, in /usr/lib/postgresql/*/bin and in Homebrew's folders.
Or name their folder with --postgres-programs, or an existing database with --database-url.";

/// One folder with PostgreSQL's programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Programs {
    folder: PathBuf,
    /// The release, e.g. 15.
    pub major: u32,
}

impl Programs {
    /// The path of a program, e.g. `initdb`.
    pub fn path(&self, program: &str) -> PathBuf {
        self.folder.join(program)
    }

    /// The programs in a folder, if it has all that are needed. The last one is asked for its release.
    fn in_folder(folder: &Path, needed: &[&str]) -> Option<Self> {
        if !needed.iter().all(|program| folder.join(program).is_file()) {
            return None;
        }
        let output = Command::new(folder.join(needed.last()?)).arg("--version").current_dir("/").output().ok()?;
        let major = major_of(&String::from_utf8_lossy(&output.stdout))?;
        Some(Self { folder: folder.to_owned(), major })
    }

    /// The programs to use: those of the data folder's release where it has one, else the newest.
    pub fn find(named: Option<&Path>, data_major: Option<u32>) -> anyhow::Result<Self> {
        choose(Self::all(named, &["initdb", "pg_ctl", "postgres"]), data_major)
    }

    /// The folder of a client program that can talk to a server of this release: clients refuse newer servers.
    pub(super) fn for_client(named: Option<&Path>, program: &str, server_major: u32) -> anyhow::Result<Self> {
        let found = Self::all(named, &[program]);
        found.into_iter().filter(|programs| programs.major >= server_major).min_by_key(|programs| programs.major).with_context(
            || format!("{program} of PostgreSQL {server_major} or newer was not found: install the server's release here too"),
        )
    }

    fn all(named: Option<&Path>, needed: &[&str]) -> Vec<Self> {
        match named {
            Some(folder) => Self::in_folder(folder, needed).into_iter().collect(),
            None => candidates().iter().filter_map(|folder| Self::in_folder(folder, needed)).collect(),
        }
    }
}

impl fmt::Display for Programs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PostgreSQL {} in {}", self.major, self.folder.display())
    }
}

/// Chooses among what was found. Pure.
fn choose(mut found: Vec<Programs>, data_major: Option<u32>) -> anyhow::Result<Programs> {
    if found.is_empty() {
        bail!("{WHAT_TO_INSTALL}");
    }
    // A stable sort keeps the order of search (pg_config first) within a release.
    found.sort_by_key(|programs| std::cmp::Reverse(programs.major));
    let newest = found.first().context("just checked")?.clone();
    let Some(wanted) = data_major else {
        if newest.major < OLDEST_MAJOR {
            bail!("{newest} is too old: the store needs PostgreSQL {OLDEST_MAJOR} or newer.\n{WHAT_TO_INSTALL}");
        }
        return Ok(newest);
    };
    match found.iter().find(|programs| programs.major == wanted) {
        Some(programs) => Ok(programs.clone()),
        None => bail!(
            "the data folder was made by PostgreSQL {wanted}, but the programs found are of {}. Install PostgreSQL {wanted} beside it, \
             or move the data: with PostgreSQL {wanted} `auditfolio backup FILE`, then `auditfolio restore FILE` into a new data folder",
            found.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        ),
    }
}

/// `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)` and `postgres (PostgreSQL) 18beta1` name their release.
fn major_of(version: &str) -> Option<u32> {
    let (_, number) = version.split_once("(PostgreSQL) ")?;
    let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// Folders that may have the programs, best first.
fn candidates() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    if let Ok(output) = Command::new("pg_config").arg("--bindir").output()
        && output.status.success()
    {
        folders.push(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    }
    if let Some(path) = std::env::var_os("PATH") {
        folders.extend(std::env::split_paths(&path).filter(|folder| folder.is_absolute()));
    }
    for (parent, prefix) in [
        ("/usr/lib/postgresql", ""),
        ("/usr", "pgsql-"),
        ("/opt/homebrew/opt", "postgresql"),
        ("/usr/local/opt", "postgresql"),
    ] {
        let Ok(entries) = std::fs::read_dir(parent) else { continue };
        let names = entries.flatten().map(|entry| entry.path());
        let mut releases: Vec<PathBuf> = names
            .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix)))
            .map(|path| path.join("bin"))
            .collect();
        releases.sort();
        folders.extend(releases);
    }
    let mut seen = std::collections::HashSet::new();
    folders.retain(|folder| seen.insert(folder.clone()));
    folders
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn programs(major: u32) -> Programs {
        Programs { folder: format!("/usr/lib/postgresql/{major}/bin").into(), major }
    }

    #[test]
    fn the_release_is_read_from_the_version_line() {
        assert_eq!(major_of("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(major_of("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(major_of("something else"), None);
    }

    #[test]
    fn the_newest_programs_are_used_for_a_new_folder() {
        assert_eq!(choose(vec![programs(15), programs(17), programs(16)], None).unwrap().major, 17);
    }

    #[test]
    fn programs_of_the_data_folders_release_win_over_newer_ones() {
        assert_eq!(choose(vec![programs(17), programs(15)], Some(15)).unwrap().major, 15);
    }

    #[test]
    fn a_data_folder_of_another_release_is_refused_naming_both() {
        let message = choose(vec![programs(17)], Some(15)).unwrap_err().to_string();
        assert!(message.contains("made by PostgreSQL 15"), "{message}");
        assert!(message.contains("PostgreSQL 17 in /usr/lib/postgresql/17/bin"), "{message}");
    }

    #[test]
    fn without_programs_the_message_says_what_to_install() {
        let message = choose(Vec::new(), None).unwrap_err().to_string();
        for words in ["apt-get install postgresql", "dnf install postgresql-server", "brew install postgresql"] {
            assert!(message.contains(words), "{message}");
        }
    }

    #[test]
    fn an_old_release_is_refused() {
        assert!(choose(vec![programs(13)], None).unwrap_err().to_string().contains("too old"));
    }
}
