//! Which migrations a database has had, against those that the program knows.

use anyhow::{Context as _, bail};
use sqlx::PgConnection;
use sqlx::migrate::Migrator;

use super::db;

/// The schema, embedded in the program.
pub static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// How a database's schema stands to this program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Schema {
    /// The program's own.
    Current,
    /// This many migrations are due; `new` where it has had none.
    Due { count: usize, new: bool },
    /// Made by a newer program: it has had this migration, which is unknown here.
    Newer { version: i64 },
    /// A migration stopped half-way, or is not what this program has under the number.
    Foreign { version: i64 },
}

/// Compares what was applied with what is known, as (version, checksum). Pure.
fn compare(applied: &[(i64, bool, Vec<u8>)], known: &[(i64, Vec<u8>)]) -> Schema {
    for (version, finished, checksum) in applied {
        match known.iter().find(|(known, _)| known == version) {
            None => return Schema::Newer { version: *version },
            Some((_, known)) if !finished || known != checksum => {
                return Schema::Foreign { version: *version };
            }
            Some(_) => {}
        }
    }
    match known.len() - applied.len() {
        0 => Schema::Current,
        count => Schema::Due { count, new: applied.is_empty() },
    }
}

/// Looks at a database. Changes nothing.
pub async fn look(connection: &mut PgConnection) -> anyhow::Result<Schema> {
    let applied = db::applied_migrations(connection).await.context("cannot read the database's migrations")?;
    Ok(compare_with_program(&applied))
}

/// How a schema that has had these migrations (version, whether finished, checksum) stands to this program.
pub(super) fn compare_with_program(applied: &[(i64, bool, Vec<u8>)]) -> Schema {
    let known: Vec<(i64, Vec<u8>)> = MIGRATIONS.iter().map(|known| (known.version, known.checksum.to_vec())).collect();
    compare(applied, &known)
}

/// Refuses a database whose schema is not exactly the program's.
pub(super) fn require_current(schema: &Schema) -> anyhow::Result<()> {
    match schema {
        Schema::Current => Ok(()),
        Schema::Due { new: true, .. } => {
            bail!("the database has no schema yet: run `auditfolio migrate` first")
        }
        Schema::Due { count, .. } => {
            bail!(
                "migration is due: the database lacks {count} of this program's migrations. Back it up, then run `auditfolio migrate`"
            )
        }
        Schema::Newer { version } => bail!(
            "the database's schema is newer than this program ({}): it has had migration {version}, which this program does not know. \
             Use the program that made it, or a newer one",
            env!("CARGO_PKG_VERSION"),
        ),
        Schema::Foreign { version } => bail!(
            "the database's migration {version} is not the one of this program ({}), or did not finish: \
             restore a backup, or use the program that made it",
            env!("CARGO_PKG_VERSION"),
        ),
    }
}

/// Brings a database up to date. Gives the number of migrations applied. Refuses what [`look`] calls newer or foreign.
pub async fn migrate(connection: &mut PgConnection) -> anyhow::Result<usize> {
    let count = match look(connection).await? {
        Schema::Due { count, .. } => count,
        other => {
            require_current(&other)?;
            return Ok(0);
        }
    };
    MIGRATIONS.run(&mut *connection).await.context("migrating the database")?;
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Vec<(i64, Vec<u8>)> {
        vec![(1, vec![1]), (2, vec![2])]
    }

    #[test]
    fn a_database_with_all_migrations_is_current() {
        assert_eq!(compare(&[(1, true, vec![1]), (2, true, vec![2])], &known()), Schema::Current);
    }

    #[test]
    fn missing_migrations_are_due() {
        assert_eq!(compare(&[(1, true, vec![1])], &known()), Schema::Due { count: 1, new: false });
        assert_eq!(compare(&[], &known()), Schema::Due { count: 2, new: true });
    }

    #[test]
    fn an_older_program_refuses_a_newer_schema() {
        let schema = compare(&[(1, true, vec![1]), (2, true, vec![2]), (3, true, vec![3])], &known());
        assert_eq!(schema, Schema::Newer { version: 3 });
        let message = require_current(&schema).expect_err("newer").to_string();
        assert!(message.contains("newer than this program"), "{message}");
    }

    #[test]
    fn an_unfinished_or_altered_migration_is_refused() {
        assert_eq!(compare(&[(1, false, vec![1])], &known()), Schema::Foreign { version: 1 });
        assert_eq!(compare(&[(1, true, vec![9])], &known()), Schema::Foreign { version: 1 });
    }
}
