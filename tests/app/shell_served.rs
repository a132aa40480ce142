//! What stands around every page, at the real program: bodies, logs, downloads, the end.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use sqlx::PgPool;

use crate::connect::{browse, header};
use crate::harness::{Served, address_of, database, kill, program, scratch};

/// What a bound of time means here, where several tests share the machine.
const SOON: Duration = Duration::from_secs(20);

pub(crate) fn status(answer: &str) -> u16 {
    answer.get(9..12).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("no answer: {answer:?}"))
}

pub(crate) fn get(address: &str, path: &str, cookie: &str) -> String {
    browse(address, &format!("GET {path}"), cookie, "")
}

pub(crate) fn cookie(address: &str, role: &str) -> String {
    let signed = browse(address, "POST /sign-in", "", &format!("role={role}"));
    header(&signed, "set-cookie").split(';').next().unwrap().to_owned()
}

/// Sends bytes, and reads what comes back until the other end closes.
fn exchange(address: &str, sent: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    stream.write_all(sent).unwrap();
    read(&mut stream)
}

fn read(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    // The other end may close before all that was sent is read: what it said came first.
    let _ended = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn is_page(answer: &str, wanted: u16, words: &str) {
    assert_eq!(status(answer), wanted, "{answer}");
    assert!(answer.contains(words) && answer.contains("Request id"), "{answer}");
    assert!(answer.contains("content-security-policy: default-src 'none'"), "{answer}");
}

fn demo(db: &PgPool, more: &[&str]) -> Served {
    Served::start(&[&["--demo-sign-in", "--database-url", &address_of(db)], more].concat())
}

#[actix_web::test]
async fn what_is_too_large_is_refused_before_it_is_sent() {
    let db = database().await;
    let served = demo(&db, &[]);
    let cookie = cookie(&served.address, "administrator");
    let head = |path: &str, more: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nSec-Fetch-Site: same-origin\r\nCookie: {cookie}\r\n\
             Content-Type: multipart/form-data; boundary=b\r\n{more}\r\n",
            served.address
        )
    };
    // Only the head is sent: the answer does not wait for the rest.
    for (path, length) in [("/sign-in", 300_000_u64), ("/artifact/agreements/recorded", 40_000_000)] {
        let answer = exchange(&served.address, head(path, &format!("Content-Length: {length}\r\n")).as_bytes());
        is_page(&answer, 413, "Too large");
        assert_eq!(header(&answer, "connection"), "close", "{answer}");
    }
    let long = format!("GET /rules HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\n\r\n", served.address, "x".repeat(40_000));
    is_page(&exchange(&served.address, long.as_bytes()), 431, "Too long");
    let endless = format!("GET /rules HTTP/1.1\r\nHost: {}\r\nCookie: {}", served.address, "x".repeat(200_000));
    assert_eq!(status(&exchange(&served.address, endless.as_bytes())), 431);
}

#[actix_web::test]
async fn a_document_without_an_end_is_refused_when_it_is_too_large_and_not_read_on() {
    let (db, _, _folder) = crate::artifact::organization("shell-upload").await;
    let served = demo(&db, &["--organization", "Example"]);
    let cookie = cookie(&served.address, "administrator");
    let mut stream = TcpStream::connect(&served.address).unwrap();
    stream.set_write_timeout(Some(SOON)).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    write!(
        stream,
        "POST /artifact/agreements/recorded HTTP/1.1\r\nHost: {}\r\nSec-Fetch-Site: same-origin\r\nCookie: {cookie}\r\n\
         Content-Type: multipart/form-data; boundary=b\r\nTransfer-Encoding: chunked\r\n\r\n",
        served.address
    )
    .unwrap();
    let part = "--b\r\nContent-Disposition: form-data; name=\"document\"; filename=\"a.pdf\"\r\n\
                Content-Type: application/pdf\r\n\r\n";
    let chunk = |bytes: &[u8]| [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
    stream.write_all(&chunk(part.as_bytes())).unwrap();
    let mut reading = stream.try_clone().unwrap();
    let answer = std::thread::spawn(move || read(&mut reading));
    let (piece, begun) = (chunk(&vec![b'x'; 65_536]), Instant::now());
    let mut sent = 0_usize;
    while stream.write_all(&piece).is_ok() {
        sent += 65_536;
        assert!(begun.elapsed() < SOON, "{sent} bytes were taken, and more would be");
    }
    assert!(sent >= 32 << 20, "{sent} bytes");
    let answer = answer.join().unwrap();
    is_page(&answer, 413, "Too large");
    assert_eq!(header(&answer, "connection"), "close", "{answer}");
    let kept: i64 = sqlx::query_scalar("select count(*) from artifact_offline_agreement").fetch_one(&db).await.unwrap();
    assert_eq!(kept, 0);
    assert_eq!(status(&get(&served.address, "/rules", &cookie)), 200);
}

#[actix_web::test]
async fn a_form_that_does_not_come_is_not_waited_for() {
    let db = database().await;
    let served = demo(&db, &["--page-time", "1s"]);
    let begun = Instant::now();
    let slow = format!(
        "POST /sign-in HTTP/1.1\r\nHost: {}\r\nSec-Fetch-Site: same-origin\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 20\r\n\r\nrole=",
        served.address
    );
    let answer = exchange(&served.address, slow.as_bytes());
    is_page(&answer, 408, "did not arrive in time");
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
}

/// A `serve` whose log goes to a file.
struct Logged {
    child: Child,
    address: String,
    log: PathBuf,
}

impl Logged {
    fn start(name: &str, arguments: &[&str]) -> Self {
        let log = scratch(name).join("log");
        let mut command: Command = program(&["serve", "--bind", "127.0.0.1:0", "--demo-sign-in"]);
        let child =
            command.args(arguments).stderr(File::create(&log).unwrap()).stdout(Stdio::null()).process_group(0).spawn();
        let mut logged = Self { child: child.unwrap(), address: String::new(), log };
        let begun = Instant::now();
        while logged.address.is_empty() {
            assert!(begun.elapsed() < SOON, "{}", logged.text());
            let text = logged.text();
            let at = text.find("127.0.0.1:").map(|at| &text[at..]);
            let port = |at: &str| at[10..].chars().take_while(char::is_ascii_digit).collect::<String>();
            logged.address = at.map(|at| format!("127.0.0.1:{}", port(at))).unwrap_or_default();
        }
        logged
    }

    fn text(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Logged {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _status = self.child.wait();
    }
}

#[actix_web::test]
async fn a_log_holds_no_secret_and_no_line_that_somebody_else_wrote() {
    let db = database().await;
    let proxy = crate::shell_faults::Proxy::before(&db, "shell-log");
    for (format, level) in [("human", "info,auditfolio=trace"), ("json", "debug")] {
        let address = proxy.address(&db);
        let logged = Logged::start(
            &format!("shell-log-{format}"),
            &["--database-url", &address, "--log-format", format, "--log", level, "--metrics-token", "CANARY-token"],
        );
        let cookie = cookie(&logged.address, "administrator");
        let ask = |line: &str, more: &str, body: &str| {
            let sent = format!(
                "{line} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nSec-Fetch-Site: same-origin\r\nAuthorization: Bearer CANARY-header\r\n\
                 Cookie: {cookie}; auditfolio_other=CANARY-cookie\r\nUser-Agent: a%0d%0aINFO forged\u{2028}CANARY-agent\r\n\
                 Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n{more}\r\n{body}",
                logged.address,
                body.len()
            );
            exchange(&logged.address, sent.as_bytes())
        };
        ask("POST /sign-in", "", "role=CANARY-form&next=%0d%0aINFO+forged");
        ask("GET /rules?search=CANARY-query", "", "");
        ask("GET /metrics", "", "");
        proxy.refuse();
        let failed = ask("GET /rules/a%0d%0aINFO%20forged?search=CANARY-query", "", "");
        assert_eq!(status(&failed), 503, "{failed}");
        let id = header(&failed, "x-request-id").to_owned();
        proxy.pass();
        let text = logged.text();
        assert!(text.contains(&id) && text.contains("the database does not answer"), "{text}");
        assert!(!failed.contains("socket") && !failed.contains("postgres"), "{failed}");
        assert!(!text.contains("CANARY"), "{}", text.lines().find(|line| line.contains("CANARY")).unwrap_or_default());
        let session = cookie.split_once('=').unwrap().1;
        assert!(!text.contains(session), "a session's token");
        for line in text.lines() {
            let is_event = match format {
                "json" => serde_json::from_str::<Value>(line).is_ok_and(|event| event["timestamp"].is_string()),
                _ => line.starts_with("20") && line.contains('Z'),
            };
            assert!(is_event, "{line:?}");
        }
        assert!(!text.contains(['\u{2028}', '\u{202e}', '\r']), "{text:?}");
    }
}

/// A store with a document of so many bytes, and its address.
async fn with_document(name: &str, bytes: usize) -> (PgPool, Vec<u8>, String) {
    let (db, _, _folder) = crate::artifact::organization(name).await;
    let folder = scratch(&format!("{name}-answers"));
    let list = r#"{"reports": [{"id": "report-0123456789abcdef", "name": "SOC 2 Type 2", "version": 1}]}"#;
    std::fs::write(folder.join("list-reports.json"), list).unwrap();
    let mut document = b"%PDF-1.4\n".to_vec();
    document.extend((0..bytes).map(|at| u8::try_from(at * 31 % 251).unwrap()));
    document.extend_from_slice(b"\n%%EOF\n");
    std::fs::write(folder.join("get-report-report-0123456789abcdef-1.pdf"), &document).unwrap();
    let arguments = ["artifact", "import", folder.to_str().unwrap(), "--organization", "Example"];
    let done = program(&arguments).args(["--database-url", &address_of(&db)]).output().unwrap();
    assert!(done.status.success(), "{}", crate::harness::said(&done));
    let id: i64 = sqlx::query_scalar("select artifact_file_id from artifact_file").fetch_one(&db).await.unwrap();
    (db, document, format!("/artifact/files/{id}/report-0123456789abcdef-1.pdf"))
}

/// The head of an answer and the body as it came.
fn download(address: &str, path: &str, cookie: &str) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nCookie: {cookie}\r\n\r\n").unwrap();
    let mut reader = BufReader::new(stream);
    let head = head(&mut reader);
    let mut body = Vec::new();
    reader.read_to_end(&mut body).unwrap();
    (head, body)
}

fn head(reader: &mut impl std::io::BufRead) -> String {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(reader.read_line(&mut head).unwrap() > 0, "{head}");
    }
    head
}

/// The most memory that a process ever had, in bytes.
fn peak(pid: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

#[actix_web::test]
async fn two_hundred_downloads_at_once_are_each_whole_or_told_to_come_back() {
    let (db, document, path) = with_document("shell-parallel", 4 << 20).await;
    for (limit, whole) in [("never", 200), ("50/1h", 50)] {
        let served = demo(&db, &["--organization", "Example", "--limit-downloads", limit]);
        let cookie = cookie(&served.address, "administrator");
        let threads: Vec<_> = (0..200)
            .map(|_| {
                let (address, path, cookie) = (served.address.clone(), path.clone(), cookie.clone());
                std::thread::spawn(move || download(&address, &path, &cookie))
            })
            .collect();
        let mut seen: BTreeMap<u16, usize> = BTreeMap::new();
        for thread in threads {
            let (head, body) = thread.join().unwrap();
            *seen.entry(status(&head)).or_default() += 1;
            if status(&head) == 200 {
                assert!(body == document, "{} of {} bytes", body.len(), document.len());
            } else {
                assert!(header(&head, "retry-after").parse::<u32>().is_ok(), "{head}");
            }
        }
        assert_eq!(seen.get(&200), Some(&whole), "{seen:?}");
        assert_eq!(seen.get(&429).copied().unwrap_or_default(), 200 - whole, "{seen:?}");
        let peak = peak(&served.pid());
        println!("limit {limit}: {seen:?}, at most {} MB", peak / 1_000_000);
        assert!(peak < 600_000_000, "{peak} bytes");
        assert_eq!(status(&get(&served.address, "/rules", &cookie)), 200);
    }
}

#[actix_web::test]
async fn two_hundred_tables_at_once_are_each_whole_or_told_to_come_back() {
    let (db, _, _folder) = crate::artifact::organization("shell-tables").await;
    let served = demo(&db, &["--organization", "Example", "--limit-downloads", "never"]);
    let cookie = cookie(&served.address, "administrator");
    let path = "/evaluations?format=csv";
    let (whole_head, whole) = download(&served.address, path, &cookie);
    assert!(status(&whole_head) == 200 && whole.ends_with(b"0\r\n\r\n") && whole.len() > 100_000, "{}", whole.len());
    let threads: Vec<_> = (0..200)
        .map(|_| {
            let (address, cookie) = (served.address.clone(), cookie.clone());
            std::thread::spawn(move || download(&address, path, &cookie))
        })
        .collect();
    let mut seen: BTreeMap<u16, usize> = BTreeMap::new();
    for thread in threads {
        let (head, body) = thread.join().unwrap();
        *seen.entry(status(&head)).or_default() += 1;
        match status(&head) {
            200 => assert!(body == whole, "{} of {} bytes", body.len(), whole.len()),
            503 => assert!(header(&head, "retry-after").parse::<u32>().is_ok(), "{head}"),
            _ => panic!("{head}"),
        }
    }
    println!("tables: {seen:?}");
    assert!(seen.contains_key(&200), "{seen:?}");
    assert_eq!(status(&get(&served.address, "/rules", &cookie)), 200);
}

#[actix_web::test]
async fn an_end_is_told_before_it_comes_and_waits_for_downloads() {
    let (db, document, path) = with_document("shell-drain", 8 << 20).await;
    let metrics = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let mut served = demo(&db, &["--organization", "Example", "--stop-notice", "3s", "--metrics-bind", &metrics]);
    let cookie = cookie(&served.address, "administrator");
    assert_eq!(status(&get(&served.address, "/readyz", "")), 200);
    assert!(get(&metrics, "/metrics", "").contains("auditfolio_database_up 1"));
    let mut stream = TcpStream::connect(&served.address).unwrap();
    let address = &served.address;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nCookie: {cookie}\r\n\r\n").unwrap();
    let mut reader = BufReader::new(stream);
    assert_eq!(status(&head(&mut reader)), 200);

    kill("-TERM", &served.pid());
    let begun = Instant::now();
    let told = loop {
        let ready = get(&served.address, "/readyz", "");
        if status(&ready) == 503 {
            break ready;
        }
        assert!(begun.elapsed() < SOON, "{ready}");
    };
    assert!(told.contains("program: stops"), "{told}");
    assert_eq!(status(&get(&served.address, "/rules", &cookie)), 200, "until then it answers");
    // When nobody is let in any more, the download still goes on.
    while TcpStream::connect(&served.address).is_ok_and(|stream| {
        let mut stream = stream;
        stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
        write!(stream, "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").is_ok()
            && read(&mut stream).starts_with("HTTP/1.1 200")
    }) {
        assert!(begun.elapsed() < SOON, "it takes requests still");
    }
    assert!(get(&metrics, "/metrics", "").contains("auditfolio_files_active 1"));
    let mut body = Vec::new();
    reader.read_to_end(&mut body).unwrap();
    assert!(body == document, "{} of {} bytes", body.len(), document.len());
    let _closed = reader.into_inner().shutdown(Shutdown::Both);
    let ended = served.child.wait().unwrap();
    assert!(ended.success(), "{ended}");
}

#[actix_web::test]
#[ignore = "needs slowhttptest; tests/run runs it"]
async fn slow_clients_keep_nobody_out() {
    let (db, _, path) = with_document("shell-slow", 4 << 20).await;
    let served = demo(&db, &["--organization", "Example", "--page-time", "3s"]);
    let cookie = cookie(&served.address, "administrator");
    let page = format!("http://{}/sign-in", served.address);
    let file = format!("http://{}{path}", served.address);
    let common = ["-c", "200", "-r", "200", "-l", "8", "-i", "2", "-p", "3"];
    let attacks: [(&str, Vec<&str>); 3] = [
        ("slow heads", vec!["-H", "-t", "GET", "-u", &page]),
        ("slow bodies", vec!["-B", "-t", "POST", "-s", "100000", "-u", &page]),
        ("slow reading", vec!["-X", "-w", "1", "-y", "10", "-n", "1", "-z", "32", "-j", &cookie, "-u", &file]),
    ];
    for (name, arguments) in attacks {
        let mut attack = Command::new("slowhttptest")
            .args(common)
            .args(&arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (mut asked, mut longest) = (0, Duration::ZERO);
        while attack.try_wait().unwrap().is_none() {
            let begun = Instant::now();
            assert_eq!(status(&get(&served.address, "/rules", &cookie)), 200, "{name}");
            longest = longest.max(begun.elapsed());
            asked += 1;
        }
        println!("{name}: {asked} pages meanwhile, the slowest in {longest:?}");
        assert!(asked > 5 && longest < Duration::from_secs(5), "{name}: {asked} pages, {longest:?}");
    }
}
