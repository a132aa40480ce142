//! The `demo` command: everything from nothing, again at once, and taken up where it was killed.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};

use crate::harness::{kill, program, said, scratch};
use crate::output::Lines;

struct Demo {
    child: Child,
    lines: Lines,
}

impl Demo {
    fn start(folder: &Path) -> Self {
        let mut child = program(&[
            "demo",
            "--accounts",
            "3",
            "--days",
            "3",
            "--bind",
            "127.0.0.1:0",
            "--data",
            folder.to_str().unwrap(),
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
        let lines = Lines::of(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// The address in the last line.
    fn address(&mut self) -> String {
        let line = self.lines.until("The portal is at http://");
        line.split('/').nth(2).unwrap().to_owned()
    }

    fn end(mut self, signal: &str) -> bool {
        kill(signal, &self.child.id().to_string());
        self.child.wait().unwrap().success()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _status = self.child.wait();
    }
}

fn status_line(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.lines().next().unwrap().to_owned()
}

#[test]
fn a_first_start_makes_everything_and_a_second_one_uses_it() {
    let folder = scratch("demo").join("data");
    let mut demo = Demo::start(&folder);
    demo.lines.until("3/6 Collection");
    demo.lines.until("evaluations stored");
    let pack = demo.lines.until("AF-");
    let address = demo.address();
    assert_eq!(status_line(&address, "/sign-in"), "HTTP/1.1 200 OK");
    assert!(demo.end("-INT"), "Ctrl-C ends it well");
    assert!(!folder.join("postgres/postmaster.pid").exists(), "and the server with it");

    let mut again = Demo::start(&folder);
    again.lines.until("done earlier");
    let same = again.lines.until("AF-");
    let id = |line: &str| line.split_whitespace().next().unwrap().to_owned();
    assert_eq!(id(&same), id(&pack), "no second pack is made");
    assert_eq!(status_line(&again.address(), "/sign-in"), "HTTP/1.1 200 OK");
    assert!(again.end("-TERM"));
}

#[test]
fn a_start_that_was_killed_anywhere_is_taken_up() {
    let folder = scratch("demo-killed").join("data");
    for step in ["1/6", "2/6", "3/6", "4/6", "5/6", "6/6"] {
        let mut demo = Demo::start(&folder);
        demo.lines.until(step);
        assert!(!demo.end("-9"));
    }
    let mut demo = Demo::start(&folder);
    assert_eq!(status_line(&demo.address(), "/sign-in"), "HTTP/1.1 200 OK");
    assert!(demo.end("-INT"));
}

#[test]
fn others_cannot_be_let_in() {
    let folder = scratch("demo-open").join("data");
    let output = program(&["demo", "--bind", "0.0.0.0:0", "--data", folder.to_str().unwrap()]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("the demo signs anybody in"), "{}", said(&output));
    assert!(!folder.exists(), "nothing was made");
}
