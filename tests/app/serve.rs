//! The `serve` command: what it refuses, how it answers, how it stops.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use crate::harness::{Served, address_of, database, kill, program, said};

/// The answer to a GET, headers and all.
fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[actix_web::test]
async fn the_demo_sign_in_is_refused_where_others_could_reach_it() {
    let db = database().await;
    for bind in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let address = address_of(&db);
        let output =
            program(&["serve", "--demo-sign-in", "--bind", bind, "--database-url", &address]).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{bind}");
        assert!(said(&output).contains("the demo sign-in authenticates nobody"), "{}", said(&output));
    }
}

#[actix_web::test]
async fn a_port_in_use_is_said_clearly() {
    let db = database().await;
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let bind = taken.local_addr().unwrap().to_string();
    let output = program(&["serve", "--bind", &bind, "--database-url", &address_of(&db)]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains(&format!("{bind} is in use by another program")), "{}", said(&output));
}

#[actix_web::test]
async fn pages_are_served_until_a_signal_and_then_the_program_ends_well() {
    let db = database().await;
    for signal in ["-TERM", "-INT"] {
        let mut served = Served::start(&["--database-url", &address_of(&db)]);
        let answer = get(&served.address, "/sign-in");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        // To the whole group, as a terminal does on Ctrl-C.
        kill(signal, &format!("-{}", served.pid()));
        assert!(served.child.wait().unwrap().success(), "{signal}");
    }
}

#[test]
fn an_unknown_command_or_setting_is_a_usage_error() {
    for arguments in [&["surf"][..], &["serve", "--nothing"], &[]] {
        let output = program(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "2 is kept for evidence that could not be read");
        assert!(said(&output).contains("Usage"), "{}", said(&output));
    }
}

#[test]
fn a_wrong_database_address_is_refused_without_showing_its_password() {
    let output = program(&["migrate", "--database-url", "postgres://me:geheim@@:port/x"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(!said(&output).contains("geheim"), "{}", said(&output));
}
