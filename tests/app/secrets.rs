//! Settings that are kept in Secrets Manager, and a database password that changes while the portal runs.

use std::io::Write as _;
use std::time::{Duration, Instant};

use auditfolio::database::MIGRATIONS;
use auditfolio::database::private::{Cluster, Options};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use crate::aws::{StandIn, code};
use crate::connect::{browse, header};
use crate::harness::{Served, program, said, scratch};

const ROLE: &str = "rotating";

/// A Postgres of its own that asks one role for its password.
async fn guarded(name: &str) -> (Cluster, PgConnection) {
    let options = Options { folder: Some(scratch(name).join("data")), throwaway: true, ..Options::default() };
    let cluster = Cluster::start(&options).unwrap();
    let hba = cluster.folder().join("postgres/pg_hba.conf");
    let mut hba = std::fs::OpenOptions::new().append(true).open(hba).unwrap();
    writeln!(hba, "local all {ROLE} scram-sha-256").unwrap();
    let mut admin = PgConnection::connect_with(&cluster.connect_options(Some("postgres"))).await.unwrap();
    admin.execute(AssertSqlSafe(format!("create role {ROLE} superuser login"))).await.unwrap();
    admin.execute(AssertSqlSafe(format!("create database {} owner {ROLE}", cluster.database()))).await.unwrap();
    admin.execute("select pg_reload_conf()").await.unwrap();
    admin.close().await.unwrap();
    let mut admin = PgConnection::connect_with(&cluster.connect_options(None)).await.unwrap();
    MIGRATIONS.run(&mut admin).await.unwrap();
    (cluster, admin)
}

async fn change_password(admin: &mut PgConnection, password: &str) {
    admin.execute(AssertSqlSafe(format!("alter role {ROLE} password '{password}'"))).await.unwrap();
}

async fn end_connections(admin: &mut PgConnection) {
    let ended: i64 = sqlx::query_scalar(
        "select count(*) from (select pg_terminate_backend(pid, 10000) from pg_stat_activity where usename = $1) x",
    )
    .bind(ROLE)
    .fetch_one(admin)
    .await
    .unwrap();
    assert!(ended > 0, "the portal has connections");
}

/// The status of a page.
fn status(address: &str, cookie: &str) -> u16 {
    let answer = browse(address, "GET /collections", cookie, "");
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn a_password_that_changes_is_read_again_and_the_portal_goes_on() {
    let aws = StandIn::start();
    let (cluster, mut admin) = guarded("secrets-rotation").await;
    let keep = |password: &str| aws.secret("db", &json!({"username": ROLE, "password": password}).to_string());
    change_password(&mut admin, "first").await;
    keep("first");
    let socket = cluster.connect_options(None).get_socket().unwrap().display().to_string();
    let url = format!("postgres://{ROLE}@localhost/{}?host={socket}", cluster.database());
    let mut command = aws.program(&["serve", "--bind", "127.0.0.1:0", "--demo-sign-in", "--database-url", &url]);
    command.args(["--database-password", "secretsmanager:db#password"]);
    let served = Served::run(command);
    let signed = browse(&served.address, "POST /sign-in", "", "role=viewer");
    let cookie = header(&signed, "set-cookie").split(';').next().unwrap().to_owned();
    assert_eq!(status(&served.address, &cookie), 200);
    assert_eq!(aws.calls("GetSecretValue").len(), 1);

    change_password(&mut admin, "second").await;
    keep("second");
    assert_eq!(status(&served.address, &cookie), 200);
    assert_eq!(aws.calls("GetSecretValue").len(), 1, "open connections go on");

    end_connections(&mut admin).await;
    let readers: Vec<_> = (0..8)
        .map(|_| {
            let (address, cookie) = (served.address.clone(), cookie.clone());
            std::thread::spawn(move || status(&address, &cookie))
        })
        .collect();
    let statuses: Vec<u16> = readers.into_iter().map(|reader| reader.join().unwrap()).collect();
    assert_eq!(statuses, [200; 8]);
    assert_eq!(aws.calls("GetSecretValue").len(), 2, "however many were refused, there is one reading");

    // Secrets Manager is behind: nobody gets in until it has caught up.
    change_password(&mut admin, "third").await;
    end_connections(&mut admin).await;
    assert_eq!(status(&served.address, &cookie), 503);
    keep("third");
    let until = Instant::now() + Duration::from_secs(30);
    while status(&served.address, &cookie) != 200 {
        assert!(Instant::now() < until, "the portal does not come back");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(aws.violations(), Vec::<Value>::new());
    drop(served);
    admin.close().await.unwrap();
    cluster.stop().unwrap();
}

#[test]
#[ignore = "needs Python's moto; tests/run runs it"]
fn a_secret_that_cannot_be_read_is_named_with_its_setting_and_the_cause_and_never_shown() {
    let aws = StandIn::start();
    aws.secret("plain", "geheim");
    aws.secret("rds", r#"{"username":"me","password":"geheim"}"#);
    let migrate = |arguments: &[&str]| {
        let output = aws.program(&[&["migrate"], arguments].concat()).output().unwrap();
        assert_eq!(code(&output), 1, "{}", said(&output));
        assert!(!said(&output).contains("geheim"), "{}", said(&output));
        said(&output)
    };
    let url = "postgres://me@127.0.0.1:1/x";
    for (arguments, words) in [
        (
            &["--database-url", url, "--database-password", "secretsmanager:nowhere"][..],
            "--database-password could not be read: it was not found: secretsmanager:GetSecretValue on secret nowhere",
        ),
        (
            &["--database-url", url, "--database-password", "secretsmanager:plain#password"],
            "--database-password could not be read: the secret plain is not JSON, so it has no key \"password\"",
        ),
        (
            &["--database-url", url, "--database-password", "secretsmanager:rds#token"],
            "--database-password could not be read: the secret rds has no key \"token\"",
        ),
        (&["--database-url", "secretsmanager:rds"], "the secret that DATABASE_URL names has no “host”"),
        (&["--database-url", "secretsmanager:plain"], "DATABASE_URL is not an address like"),
        (&["--database-password", "geheim"], "add --database-url"),
    ] {
        let found = migrate(arguments);
        assert!(found.contains(words), "{words}: {found}");
    }
    aws.fault(&json!({"kind": "deny", "operation": "GetSecretValue", "times": null}));
    let denied = migrate(&["--database-url", "secretsmanager:plain"]);
    assert!(
        denied.contains(
            "DATABASE_URL could not be read: access was denied: secretsmanager:GetSecretValue on secret plain"
        ),
        "{denied}"
    );
}

#[test]
fn what_cannot_be_a_reference_is_refused_at_once() {
    let output = program(&["migrate", "--database-url", "secretsmanager:no such"]).output().unwrap();
    assert_eq!(code(&output), 1);
    assert!(said(&output).contains("\"no such\" is not the name of a secret"), "{}", said(&output));
}
