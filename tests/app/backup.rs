//! Backup and restore, drilled: what comes back is what was there, and nothing is overwritten.

use std::path::Path;
use std::process::Output;

use sqlx::{AssertSqlSafe, Executor as _, PgPool};

use crate::harness::{address_of, bare_database, database, program, said, scratch};

/// Rows in every kind of table, and a pack of three chunks.
const FILL: &str = "
    insert into organization (name) values ('Example');
    insert into collection (organization_id, engine, source, started_by, program_version, program_commit)
        values (1, 'files', '/evidence', 'somebody', '0.1.0', 'abc');
    insert into place (organization_id, account_id, region)
        select 1, lpad(n::text, 12, '0'), 'eu-central-1' from generate_series(1, 50) n;
    insert into audit_log (actor, actor_kind, act) values ('somebody', 'operator', 'collect');
    insert into session (token_hash, identity, role, demo, expires_at)
        values (decode(repeat('ab', 32), 'hex'), 'somebody', 'auditor', true, 'infinity');
    insert into installation_key (key_id, private_key, public_key) values ('key', '\\x01', '\\x02');
    insert into pack (pack_id, organization_id, title, from_day, as_of_day, known_at_collection, created_by, demo, printed_at,
            clock_set, pages, evaluations, not_complying, gap_days, expected_days, pdf_bytes, pdf_sha256, zip_bytes, zip_sha256,
            key_id, signature, cover)
        values ('pack-1', 1, 'Title', '2026-01-01', '2026-01-31', 1, 'somebody', true, now(),
            false, 1, 1, 0, 0, 1, 3, '\\x00', 0, '\\x00', 'key', '\\x00', '{}');
    insert into pack_chunk (pack_id, part, ordinal, bytes)
        select 'pack-1', 'pdf', n, decode(md5(n::text), 'hex') from generate_series(0, 2) n;
    insert into retention (organization_id, setting, first_day, started_by, finished_at, removed)
        values (1, '7y', '2019-01-31', 'retention', now(), '{\"run\": 12}');
";

fn run(arguments: &[&str]) -> Output {
    program(arguments).output().unwrap()
}

/// Rows of every table, except who is signed in, which a backup leaves out, and the log, which grows by the acts themselves.
async fn counts(db: &PgPool) -> Vec<(String, i64)> {
    let tables: Vec<String> = sqlx::query_scalar(
        "select relname::text from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace
           and relname not in ('session', 'audit_log', 'audit_chain') order by 1",
    )
    .fetch_all(db)
    .await
    .unwrap();
    let mut counts = Vec::new();
    for table in tables {
        let statement = AssertSqlSafe(format!("select count(*) from \"{table}\""));
        counts.push((table, sqlx::query_scalar(statement).fetch_one(db).await.unwrap()));
    }
    counts
}

async fn pack(db: &PgPool) -> Vec<Vec<u8>> {
    sqlx::query_scalar("select bytes from pack_chunk order by ordinal").fetch_all(db).await.unwrap()
}

/// A filled database and its backup.
async fn filled(folder: &Path) -> (PgPool, String) {
    let db = database().await;
    db.execute(FILL).await.unwrap();
    let file = folder.join("backup").display().to_string();
    let output = run(&["backup", &file, "--database-url", &address_of(&db)]);
    assert!(output.status.success(), "{}", said(&output));
    (db, file)
}

#[actix_web::test]
async fn a_restored_database_is_the_one_that_was_backed_up() {
    let (db, file) = filled(&scratch("backup")).await;
    let restored = bare_database().await;
    let output = run(&["restore", &file, "--database-url", &address_of(&restored)]);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(counts(&restored).await, counts(&db).await);
    assert_eq!(pack(&restored).await, pack(&db).await);
    assert_eq!(pack(&restored).await.len(), 3);
    let acts: Vec<String> =
        sqlx::query_scalar("select act from audit_log order by audit_log_id").fetch_all(&restored).await.unwrap();
    assert_eq!(acts, ["collect", "restore"]);
    let refused = sqlx::query("update pack set title = 'x'").execute(&restored).await.unwrap_err();
    assert!(refused.to_string().contains("never altered"), "triggers are restored too: {refused}");
    let refused = sqlx::query("delete from retention").execute(&restored).await.unwrap_err();
    assert!(refused.to_string().contains("never altered"), "what was removed stays on record: {refused}");
    let sessions: i64 = sqlx::query_scalar("select count(*) from session").fetch_one(&restored).await.unwrap();
    assert_eq!(sessions, 0, "nobody is signed in after a restore");
}

#[actix_web::test]
async fn a_backup_is_restored_into_a_new_private_postgres_and_backed_up_again() {
    let folder = scratch("backup-private");
    let (_db, file) = filled(&folder).await;
    let data = folder.join("data").display().to_string();
    let output = run(&["restore", &file, "--data", &data]);
    assert!(output.status.success(), "{}", said(&output));
    let output = run(&["restore", &file, "--data", &data]);
    assert_eq!(output.status.code(), Some(1), "the second time it is not empty");
    assert!(said(&output).contains("the database is not empty"), "{}", said(&output));
    let again = folder.join("again").display().to_string();
    let output = run(&["backup", &again, "--data", &data]);
    assert!(output.status.success(), "{}", said(&output));
}

#[actix_web::test]
async fn a_backup_is_recorded_readable_by_its_owner_only_and_never_overwrites() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = scratch("backup-file");
    let (db, file) = filled(&folder).await;
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let bytes = std::fs::read(&file).unwrap();
    let sha256: String =
        ring::digest::digest(&ring::digest::SHA256, &bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let recorded: String = sqlx::query_scalar("select detail->>'sha256' from audit_log where act = 'backup'")
        .fetch_one(&db)
        .await
        .unwrap();
    assert_eq!(recorded, sha256);
    let output = run(&["backup", &file, "--database-url", &address_of(&db)]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("exists already"), "{}", said(&output));
    assert_eq!(std::fs::read(&file).unwrap(), bytes);
}

#[actix_web::test]
async fn what_is_not_a_whole_backup_is_refused_and_leaves_the_database_empty() {
    let folder = scratch("backup-broken");
    let (_db, file) = filled(&folder).await;
    let bytes = std::fs::read(&file).unwrap();
    let broken = folder.join("broken").display().to_string();
    for content in [bytes.get(..bytes.len() - 200).unwrap(), b"something else".as_slice(), b""] {
        std::fs::write(&broken, content).unwrap();
        let empty = bare_database().await;
        let output = run(&["restore", &broken, "--database-url", &address_of(&empty)]);
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        assert_eq!(counts(&empty).await, []);
    }
}

#[actix_web::test]
async fn an_outside_database_is_migrated_only_when_asked() {
    let db = bare_database().await;
    let address = address_of(&db);
    let output = run(&["serve", "--bind", "127.0.0.1:0", "--database-url", &address]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("run `auditfolio migrate` first"), "{}", said(&output));
    assert!(counts(&db).await.is_empty(), "nothing was changed unasked");
    let output = run(&["migrate", "--database-url", &address]);
    assert!(output.status.success(), "{}", said(&output));
    let output = run(&["migrate", "--database-url", &address]);
    assert!(said(&output).starts_with("0 migrations applied"), "{}", said(&output));
}

#[actix_web::test]
async fn a_newer_schema_is_refused_by_every_command() {
    let db = database().await;
    db.execute(
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
         values (99991231000000, 'later', true, '\\x00', 0)",
    )
    .await
    .unwrap();
    let address = address_of(&db);
    let folder = scratch("newer");
    let (file, from) = (folder.join("backup").display().to_string(), folder.display().to_string());
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    for arguments in [
        vec!["serve", "--bind", "127.0.0.1:0"],
        vec!["migrate"],
        vec!["backup", &file],
        vec!["collect", "--from", &from],
        vec!["export", "--as-of", "2026-11-01"],
        vec!["pack", "--as-of", "2026-11-01", "--title", "Title", "--out", &file],
        vec!["verify", manifest],
        vec!["artifact", "import", &from],
    ] {
        let output = run(&[arguments.as_slice(), &["--database-url", &address]].concat());
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(said(&output).contains("newer than this program"), "{arguments:?}: {}", said(&output));
    }
}
