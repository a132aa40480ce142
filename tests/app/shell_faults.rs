//! The database goes away under requests: killed, cut off, or silent without a word.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use sqlx::PgPool;

use crate::harness::{Served, kill, scratch};
use crate::shell_served::{cookie, get, status};

/// What becomes of what is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Pass,
    /// Nothing comes through, and nobody is told.
    Hold,
    /// Connections end.
    Refuse,
}

#[derive(Debug)]
struct Road {
    mode: Mutex<(Mode, u32)>,
    changed: Condvar,
    open: Mutex<Vec<UnixStream>>,
}

/// A road to the database that can be closed.
pub(crate) struct Proxy {
    folder: PathBuf,
    road: Arc<Road>,
}

impl Proxy {
    pub(crate) fn before(db: &PgPool, name: &str) -> Self {
        let folder = scratch(name);
        let options = db.connect_options();
        let server = options.get_socket().unwrap().join(format!(".s.PGSQL.{}", options.get_port()));
        let listener = UnixListener::bind(folder.join(".s.PGSQL.5432")).unwrap();
        let road =
            Arc::new(Road { mode: Mutex::new((Mode::Pass, 0)), changed: Condvar::new(), open: Mutex::default() });
        let shared = Arc::clone(&road);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (mode, round) = *shared.mode.lock().unwrap();
                if mode == Mode::Refuse {
                    continue;
                }
                let Ok(server) = UnixStream::connect(&server) else { continue };
                let ends = [client, server].map(|end| (end.try_clone().unwrap(), end));
                shared.open.lock().unwrap().extend(ends.iter().map(|(end, _)| end.try_clone().unwrap()));
                let [(client_in, client_out), (server_in, server_out)] = ends;
                for (from, to) in [(client_in, server_out), (server_in, client_out)] {
                    let road = Arc::clone(&shared);
                    std::thread::spawn(move || carry(from, to, &road, round));
                }
            }
        });
        Self { folder, road }
    }

    pub(crate) fn address(&self, db: &PgPool) -> String {
        let options = db.connect_options();
        let (user, database) = (options.get_username().to_owned(), options.get_database().unwrap().to_owned());
        format!("postgres://{user}@localhost/{database}?host={}", self.folder.display())
    }

    fn set(&self, mode: Mode, is_new_round: bool) {
        let mut held = self.road.mode.lock().unwrap();
        *held = (mode, held.1 + u32::from(is_new_round));
        drop(held);
        self.road.changed.notify_all();
    }

    /// What is sent arrives again, on connections of before too.
    pub(crate) fn pass(&self) {
        self.set(Mode::Pass, false);
    }

    /// Connections of before stay silent for ever; new ones pass.
    fn forget(&self) {
        self.set(Mode::Pass, true);
    }

    fn hold(&self) {
        self.set(Mode::Hold, false);
    }

    /// Ends every connection and lets in no new one.
    pub(crate) fn refuse(&self) {
        self.set(Mode::Refuse, false);
        for end in self.road.open.lock().unwrap().drain(..) {
            let _ended_already = end.shutdown(std::net::Shutdown::Both);
        }
    }
}

fn carry(mut from: UnixStream, mut to: UnixStream, road: &Road, round: u32) {
    let mut bytes = [0; 16_384];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        let waiting = |(mode, now): &mut (Mode, u32)| *mode == Mode::Hold || (*mode == Mode::Pass && *now != round);
        drop(road.changed.wait_while(road.mode.lock().unwrap(), waiting).unwrap());
        if to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    let _ended_already = to.shutdown(std::net::Shutdown::Both);
}

/// A page within a bound of time.
fn bounded(served: &Served, path: &str, cookie: &str, bound: Duration) -> String {
    let begun = Instant::now();
    let answer = get(&served.address, path, cookie);
    assert!(begun.elapsed() < bound, "{path} took {:?}: {answer}", begun.elapsed());
    answer
}

/// Until a page is there again; what else it says meanwhile is that it is not available.
fn recovers(served: &Served, cookie: &str, bound: Duration) -> Duration {
    let begun = Instant::now();
    loop {
        let answer = get(&served.address, "/rules", cookie);
        match status(&answer) {
            200 => return begun.elapsed(),
            503 => assert!(answer.contains("Not available now") && answer.contains("retry-after: "), "{answer}"),
            _ => panic!("{answer}"),
        }
        assert!(begun.elapsed() < bound, "{answer}");
    }
}

/// A page that is asked for while nobody may look at sessions, so that its statement is under way.
async fn in_mid_request(db: &PgPool, served: &Served, cookie: &str, fault: impl FnOnce()) -> String {
    let mut lock = db.begin().await.unwrap();
    sqlx::query("lock table session in access exclusive mode").execute(&mut *lock).await.unwrap();
    let (address, cookie) = (served.address.clone(), cookie.to_owned());
    let asked = std::thread::spawn(move || get(&address, "/rules", &cookie));
    let begun = Instant::now();
    loop {
        let waiting: i64 = sqlx::query_scalar(
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
        )
        .fetch_one(db)
        .await
        .unwrap();
        if waiting > 0 {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "the page asks nothing");
    }
    fault();
    lock.rollback().await.unwrap();
    asked.join().unwrap()
}

fn is_friendly(answer: &str) {
    assert_eq!(status(answer), 503, "{answer}");
    assert!(answer.contains("Not available now") && answer.contains("Request id"), "{answer}");
    assert!(answer.contains("retry-after: 10"), "{answer}");
}

#[actix_web::test]
async fn a_database_that_falls_silent_costs_pages_a_bounded_wait_and_nothing_after_it() {
    let (db, _, _folder) = crate::artifact::organization("shell-silent").await;
    let proxy = Proxy::before(&db, "shell-silent-road");
    let served = Served::start(&["--demo-sign-in", "--database-url", &proxy.address(&db), "--page-time", "8s"]);
    let cookie = cookie(&served.address, "viewer");
    assert_eq!(status(&get(&served.address, "/rules", &cookie)), 200);
    let begun = Instant::now();
    let page = in_mid_request(&db, &served, &cookie, || proxy.hold()).await;
    is_friendly(&page);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    is_friendly(&bounded(&served, "/rules", &cookie, Duration::from_secs(12)));
    assert_eq!(status(&bounded(&served, "/healthz", "", Duration::from_secs(2))), 200);
    let ready = bounded(&served, "/readyz", "", Duration::from_secs(8));
    assert!(status(&ready) == 503 && ready.contains("database: does not answer"), "{ready}");
    // A new way to the database, while the old connections never say anything again.
    proxy.forget();
    let took = recovers(&served, &cookie, Duration::from_mins(1));
    println!("pages came back after {took:?}");
    // It may meet the last of the connections that say nothing any more.
    let begun = Instant::now();
    while status(&bounded(&served, "/readyz", "", Duration::from_secs(8))) != 200 {
        assert!(begun.elapsed() < Duration::from_mins(1), "it is not ready");
    }
}

#[actix_web::test]
async fn a_database_that_is_cut_off_in_mid_request_is_said_and_comes_back_by_itself() {
    let (db, _, _folder) = crate::artifact::organization("shell-cut").await;
    let proxy = Proxy::before(&db, "shell-cut-road");
    let served = Served::start(&["--demo-sign-in", "--database-url", &proxy.address(&db)]);
    let cookie = cookie(&served.address, "viewer");
    is_friendly(&in_mid_request(&db, &served, &cookie, || proxy.refuse()).await);
    is_friendly(&bounded(&served, "/rules", &cookie, Duration::from_secs(12)));
    assert_eq!(status(&get(&served.address, "/healthz", "")), 200);
    assert_eq!(status(&bounded(&served, "/readyz", "", Duration::from_secs(8))), 503);
    proxy.pass();
    recovers(&served, &cookie, Duration::from_secs(30));

    // A table that breaks off has no end.
    let mut stream = TcpStream::connect(&served.address).unwrap();
    let address = &served.address;
    write!(
        stream,
        "GET /evaluations?format=jsonl HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nCookie: {cookie}\r\n\r\n"
    )
    .unwrap();
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        reader.read_line(&mut head).unwrap();
    }
    assert!(head.starts_with("HTTP/1.1 200") && head.contains("transfer-encoding: chunked"), "{head}");
    proxy.refuse();
    let mut body = Vec::new();
    let ended = reader.read_to_end(&mut body);
    assert!(ended.is_err() || !body.ends_with(b"0\r\n\r\n"), "{} bytes pass for a whole table", body.len());
}

#[actix_web::test]
async fn a_database_that_is_killed_comes_back_by_itself_and_no_page_fails_without_saying_so() {
    let data = scratch("shell-killed").join("data");
    let served = Served::start(&["--demo-sign-in", "--data", data.to_str().unwrap()]);
    let cookie = cookie(&served.address, "viewer");
    assert_eq!(status(&get(&served.address, "/collections", &cookie)), 200);
    for _ in 0..2 {
        let pid = std::fs::read_to_string(data.join("postgres/postmaster.pid")).unwrap();
        kill("-KILL", pid.lines().next().unwrap());
        let begun = Instant::now();
        loop {
            let answer = bounded(&served, "/collections", &cookie, Duration::from_secs(12));
            assert_eq!(status(&bounded(&served, "/healthz", "", Duration::from_secs(2))), 200);
            match status(&answer) {
                200 => break,
                503 => is_friendly(&answer),
                _ => panic!("{answer}"),
            }
            assert!(begun.elapsed() < Duration::from_mins(1), "{answer}");
        }
        assert_eq!(status(&get(&served.address, "/readyz", "")), 200);
    }
}
