//! The private Postgres: made once, shared, stopped with its last user however that one ends, back after any kill.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use auditfolio::database::private::{Cluster, Options};
use sqlx::{Connection as _, Executor as _, PgConnection};

use crate::harness::{Served, kill, program, said, scratch};

/// A folder that the server's user may have whole, and options for it.
fn options(name: &str) -> Options {
    Options { folder: Some(scratch(name).join("data")), throwaway: true, ..Options::default() }
}

fn server_pid(folder: &Path) -> Option<String> {
    let text = std::fs::read_to_string(folder.join("postgres/postmaster.pid")).ok()?;
    text.lines().next().map(str::to_owned)
}

/// Waits for a condition; false when it has not come true within a minute.
fn comes_true(condition: impl Fn() -> bool) -> bool {
    let until = Instant::now() + Duration::from_mins(1);
    while Instant::now() < until {
        if condition() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    false
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

async fn connect(cluster: &Cluster) -> PgConnection {
    PgConnection::connect_with(&cluster.connect_options(Some("postgres"))).await.unwrap()
}

fn serve(folder: &Path) -> Served {
    Served::start(&["--data", folder.to_str().unwrap()])
}

#[test]
fn programs_share_a_server_and_the_last_one_stops_it() {
    let options = options("share");
    let first = Cluster::start(&options).unwrap();
    let folder = first.folder().to_owned();
    let pid = server_pid(&folder).unwrap();
    let second = Cluster::start(&options).unwrap();
    assert_eq!(server_pid(&folder).unwrap(), pid, "the running server is joined");
    first.stop().unwrap();
    let one: i32 = run(async { sqlx::query_scalar("select 1").fetch_one(&mut connect(&second).await).await.unwrap() });
    assert_eq!(one, 1, "the server still runs for the second");
    second.stop().unwrap();
    assert_eq!(server_pid(&folder), None, "the server has stopped");
    let third = Cluster::start(&options).unwrap();
    assert_ne!(server_pid(&folder).unwrap(), pid, "and starts anew");
    third.stop().unwrap();
}

#[test]
fn starting_and_stopping_at_the_same_time_does_no_harm() {
    let options = options("race");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..6 {
                    let cluster = Cluster::start(&options).unwrap();
                    run(async {
                        let mut connection = connect(&cluster).await;
                        connection.execute("select pg_sleep(0.01)").await.unwrap();
                        connection.close().await.unwrap();
                    });
                    cluster.stop().unwrap();
                }
            });
        }
    });
    assert_eq!(server_pid(options.folder.as_deref().unwrap()), None);
}

#[test]
fn a_killed_server_comes_back_with_all_that_was_acknowledged() {
    let options = Options { throwaway: false, ..options("killed-server") };
    let cluster = Cluster::start(&options).unwrap();
    let pid = server_pid(cluster.folder()).unwrap();
    run(async {
        let mut connection = connect(&cluster).await;
        connection.execute("create table note (n int)").await.unwrap();
        for n in 0..50 {
            sqlx::query("insert into note values ($1)").bind(n).execute(&mut connection).await.unwrap();
        }
        // A backend that is busy stays for a while after its postmaster was killed.
        let mut busy = connect(&cluster).await;
        let sleeping = busy.execute("select pg_sleep(1)");
        let killing = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            kill("-9", &pid);
        };
        let (_, ()) = tokio::join!(sleeping, killing);
    });
    let again = Cluster::start(&options).unwrap();
    assert_ne!(server_pid(again.folder()).unwrap(), pid);
    let count: i64 = run(async {
        sqlx::query_scalar("select count(*) from note").fetch_one(&mut connect(&again).await).await.unwrap()
    });
    assert_eq!(count, 50);
    again.stop().unwrap();
    let folder = cluster.folder().to_owned();
    cluster.stop().unwrap();
    assert_eq!(server_pid(&folder), None);
}

#[test]
fn a_server_that_dies_under_a_program_is_started_again() {
    let cluster = Cluster::start(&options("revived")).unwrap();
    let folder = cluster.folder().to_owned();
    let pid = server_pid(&folder).unwrap();
    kill("-9", &pid);
    assert!(comes_true(|| server_pid(&folder).is_some_and(|now| now != pid)));
    assert!(comes_true(|| {
        let options = cluster.connect_options(Some("postgres"));
        run(async { PgConnection::connect_with(&options).await.is_ok() })
    }));
    cluster.stop().unwrap();
    assert_eq!(server_pid(&folder), None, "and it stops with its program as before");
}

#[test]
fn killing_the_program_stops_the_server_and_the_next_start_works() {
    let folder = scratch("killed-program").join("data");
    let mut served = serve(&folder);
    assert!(server_pid(&folder).is_some());
    kill("-9", &served.pid());
    served.child.wait().unwrap();
    assert!(comes_true(|| server_pid(&folder).is_none()), "the guardian stops the server");
    let mut served = serve(&folder);
    kill("-TERM", &served.pid());
    assert!(served.child.wait().unwrap().success(), "SIGTERM stops the program as asked");
    assert_eq!(server_pid(&folder), None, "and the server is down before the program ends");
}

#[test]
fn a_killed_first_start_is_made_good() {
    let folder = scratch("killed-start").join("data");
    let mut child = program(&["migrate", "--data", folder.to_str().unwrap()]).stderr(Stdio::null()).spawn().unwrap();
    // In the middle of initdb.
    assert!(comes_true(|| {
        let names = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        names.map(|entry| entry.path()).any(|path| path.join("base").exists())
    }));
    kill("-9", &child.id().to_string());
    child.wait().unwrap();
    let output = program(&["migrate", "--data", folder.to_str().unwrap()]).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn a_data_folder_with_a_long_path_works() {
    let folder = scratch("long").join("x".repeat(90)).join("data");
    std::fs::create_dir_all(folder.parent().unwrap()).unwrap();
    let cluster =
        Cluster::start(&Options { folder: Some(folder.clone()), throwaway: true, ..Options::default() }).unwrap();
    let answer: i32 =
        run(async { sqlx::query_scalar("select 2").fetch_one(&mut connect(&cluster).await).await.unwrap() });
    assert_eq!(answer, 2);
    cluster.stop().unwrap();
    assert_eq!(server_pid(&folder), None);
}

#[test]
fn without_postgresql_one_message_says_what_to_install() {
    let folder = scratch("no-programs");
    let data = folder.join("data");
    let empty: PathBuf = folder.join("empty");
    std::fs::create_dir(&empty).unwrap();
    let output = program(&["migrate", "--data", data.to_str().unwrap()])
        .args(["--postgres-programs", empty.to_str().unwrap()])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = said(&output);
    for words in ["apt-get install postgresql", "dnf install postgresql-server", "brew install postgresql"] {
        assert!(message.contains(words), "{message}");
    }
    assert!(!message.contains("panicked"), "{message}");
}

#[test]
fn data_of_another_release_are_refused_with_both_releases_named() {
    let options = options("release");
    let cluster = Cluster::start(&options).unwrap();
    let (folder, major) = (cluster.folder().to_owned(), cluster.programs().major);
    cluster.stop().unwrap();
    std::fs::write(folder.join("postgres/PG_VERSION"), "99\n").unwrap();
    let message = Cluster::start(&options).unwrap_err().to_string();
    assert!(message.contains("made by PostgreSQL 99"), "{message}");
    assert!(message.contains(&format!("PostgreSQL {major} in")), "{message}");
}

#[test]
fn the_server_has_no_port_and_its_folder_is_its_users_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let cluster = Cluster::start(&options("closed")).unwrap();
    let (addresses, checksums): (String, String) = run(async {
        sqlx::query_as("select current_setting('listen_addresses'), current_setting('data_checksums')")
            .fetch_one(&mut connect(&cluster).await)
            .await
            .unwrap()
    });
    assert_eq!((addresses.as_str(), checksums.as_str()), ("", "on"));
    assert_eq!(std::fs::metadata(cluster.folder()).unwrap().permissions().mode() & 0o777, 0o700);
    cluster.stop().unwrap();
}
