//! How a server ends: with an announcement, without one, and at once.

#![cfg(unix)]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::Server;
use crate::support::patience::{Lines, end_of, eventually, patience};
use crate::support::place::Place;

/// The most that a setting may say, and longer than any of this takes.
const ANNOUNCED: Duration = Duration::from_secs(60);

fn start(place: &Place) -> (Server, Lines) {
    place.init(&[]);
    let mut command = place.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("FALCONER_LIMITS__ANNOUNCE_SECONDS", ANNOUNCED.as_secs().to_string()).stderr(Stdio::piped());
    let mut server = Server::of(command);
    let log = Lines::of(server.child.stderr.take().unwrap(), "the log");
    (server, log)
}

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(patience())).unwrap();
    stream
}

/// Asks, and reads the answer, whose body is short JSON.
fn ask(stream: &mut TcpStream, path: &str) -> String {
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").as_bytes()).unwrap();
    let mut text = String::new();
    let mut buffer = [0; 4096];
    while !text.split_once("\r\n\r\n").is_some_and(|(_, body)| body.ends_with('}')) {
        let count = stream.read(&mut buffer).unwrap();
        assert!(count > 0, "closed after {text:?}");
        text.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
    }
    text
}

/// Story: of 33,160 requests 8 were lost behind a proxy while three servers were restarted one after the other.
#[test]
fn a_server_that_is_told_to_end_says_so_first_and_goes_on_meanwhile() {
    let place = Place::file();
    let (mut server, log) = start(&place);
    let mut kept = connect(&server);
    assert!(ask(&mut kept, "/__heartbeat__").starts_with("HTTP/1.1 200 "));
    server.terminate();
    eventually("the kept connection ends with an answer", || {
        let answer = ask(&mut kept, "/__heartbeat__");
        assert!(answer.contains("The server is ending") || !answer.contains("connection: close"), "the heartbeat says it first: {answer}");
        answer.contains("connection: close").then_some(())
    });
    assert_eq!(kept.read(&mut [0; 1]).unwrap(), 0, "and then it is closed");
    for path in ["/api/auth/v1/ping", "/__lbheartbeat__", "/__version__"] {
        let answer = ask(&mut connect(&server), path);
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("connection: close"), "{path}: {answer}");
    }
    for path in ["/__heartbeat__", "/api/auth/v1/__heartbeat__"] {
        let answer = ask(&mut connect(&server), path);
        assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("The server is ending"), "{path}: {answer}");
    }
    assert!(server.lives());
    // Somebody loses patience.
    server.signal("INT");
    log.with("because of a second signal");
    assert_eq!(end_of(&mut server.child, "a server that was told twice").code(), Some(0));
}

/// Whoever presses Ctrl-C sits there and waits.
#[test]
fn ctrl_c_announces_nothing() {
    let place = Place::file();
    let (mut server, _log) = start(&place);
    let began = Instant::now();
    server.signal("INT");
    assert_eq!(end_of(&mut server.child, "a server that got Ctrl-C").code(), Some(0));
    assert!(began.elapsed() < ANNOUNCED);
}
