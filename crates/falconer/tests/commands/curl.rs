//! `falconer curl` as people know it: headers, the head of the answer, files, streams; and what is said of a refusal.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Stdio;
use std::sync::mpsc::{Receiver, channel};

use crate::support::falconer;
use crate::support::patience::Lines;
use crate::support::user::{Shell, command};
use crate::support::world::world;

/// Answers each request with this; what was sent comes out of the other end.
pub fn service(answer: &'static str) -> (String, Receiver<String>) {
    service_that(move |_| answer.to_owned())
}

/// The same by what was sent.
pub fn service_that(answers: impl Fn(&str) -> String + Send + 'static) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let (say, sent) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let (mut request, mut part) = (Vec::new(), [0; 4096]);
            let is_whole = |request: &[u8]| {
                let text = String::from_utf8_lossy(request).to_lowercase();
                let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
                let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse().ok());
                body.len() >= length.unwrap_or(0)
            };
            while !is_whole(&request) {
                match stream.read(&mut part) {
                    Ok(count @ 1..) => request.extend_from_slice(&part[..count]),
                    _ => break,
                }
            }
            let request = String::from_utf8_lossy(&request).into_owned();
            let answer = answers(&request);
            let _ = say.send(request);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    (origin, sent)
}

const FINE: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nx-steers: a\u{9b}b\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello";

#[test]
fn headers_bodies_and_heads_are_as_one_says() {
    let (origin, sent) = service(FINE);
    let shell = Shell::with(&origin, &falconer_client::Credentials::new("a/b", "secret-of-a-b"));
    let url = format!("{origin}/x");
    assert_eq!(shell.run(&["curl", "-H", "Accept: text/plain", "-H", "x-two: 2", &url]).ok(), "hello");
    let head = sent.recv().unwrap();
    assert!(head.contains("accept: text/plain\r\n") && head.contains("x-two: 2\r\n") && head.contains("Hawk id=\"a/b\""), "{head}");

    let folder = tempfile::tempdir().unwrap();
    let body = folder.path().join("body");
    std::fs::write(&body, "name=ann").unwrap();
    let from_file = format!("@{}", body.display());
    shell.run(&["curl", "-H", "Content-Type: application/x-www-form-urlencoded", "-d", &from_file, &url]).ok();
    let request = sent.recv().unwrap();
    assert!(request.starts_with("POST /x ") && request.ends_with("name=ann") && request.contains("hash=\""), "{request}");
    assert!(request.contains("content-type: application/x-www-form-urlencoded\r\n"), "{request}");

    // With an Authorization of one's own nothing is signed.
    shell.run(&["curl", "-H", "Authorization: Bearer mine", &url]).ok();
    let head = sent.recv().unwrap();
    assert!(head.contains("authorization: Bearer mine\r\n") && !head.contains("Hawk"), "{head}");

    let shown = shell.run(&["curl", "-i", &url]).ok();
    assert!(
        shown.starts_with("HTTP/1.1 200 OK\n") && shown.contains("content-type: text/plain\n") && shown.ends_with("\n\nhello"),
        "{shown}"
    );
    assert!(shown.contains("x-steers: a\u{fffd}b\n"), "a service does not steer the terminal");
    let file = folder.path().join("answer");
    assert_eq!(shell.run(&["curl", "-o", file.to_str().unwrap(), &url]).ok(), "");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "hello");
    assert_eq!(shell.run(&["curl", "-o", "/dev/null", &url]).ok(), "");
    shell.run(&["curl", "-H", "nonsense", &url]).refused(2, "Accept: text/plain");
    shell.run(&["curl", "--token", &url]).refused(1, "needs a session");
}

/// Tells this year as the time, and refuses everything else.
fn in_the_year(year: i32) -> (String, Receiver<String>) {
    service_that(move |request| {
        let status = if request.contains("/api/auth/v1/ping ") { "200 OK" } else { "401 Unauthorized" };
        format!("HTTP/1.1 {status}\r\ndate: Tue, 01 Jan {year} 00:00:00 GMT\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
    })
}

/// The service that was called was believed, and got a signature by whatever time it told: for later, if it liked.
#[test]
fn no_service_sets_the_time_that_is_signed() {
    let credentials = falconer_client::Credentials::new("a/b", "secret-of-a-b");
    let (service, sent) = in_the_year(2030);
    let (falconer, asked) = in_the_year(2008);
    let call = ["curl", "-X", "PUT", "-d", "{}", &format!("{service}/books/red")];
    let times = || -> Vec<i64> {
        let requests = sent.try_iter().inspect(|request| assert!(request.starts_with("PUT /books/red "), "{request}"));
        requests.map(|request| request.split("ts=\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap()).collect()
    };
    let year_2008 = 1_199_145_600..1_199_145_700;

    Shell::with(&falconer, &credentials).run(&call).refused(1, "401");
    assert!(asked.try_iter().all(|request| request.starts_with("GET /api/auth/v1/ping ")));
    let [first, second] = times()[..] else { panic!("Falconer's time was learned") };
    assert!(!year_2008.contains(&first) && year_2008.contains(&second), "{first} {second}");

    let mut nobodys = Shell::with("", &credentials);
    nobodys.unset("TASKCLUSTER_ROOT_URL");
    nobodys.run(&call).refused(1, "401");
    let [only] = times()[..] else { panic!("one request") };
    assert!(!(1_893_456_000 - 86_400..=1_893_456_000 + 86_400).contains(&only), "not the service's time: {only}");
}

#[test]
fn half_an_answer_is_an_error_and_leaves_no_file() {
    let (origin, _sent) = service("HTTP/1.1 200 OK\r\ncontent-length: 500\r\nconnection: close\r\n\r\nhalf");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("answer");
    std::fs::write(&file, "of before").unwrap();
    command(&["curl", "-o", file.to_str().unwrap(), &origin]).refused(1, "broke off");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "of before");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// The body came when all of it had come, and a stream of events never did.
#[test]
fn a_stream_is_passed_on_as_it_comes() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}/", listener.local_addr().unwrap());
    let (go_on, wait) = channel::<()>();
    let serving = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 8192]).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nfirst\n").unwrap();
        wait.recv().unwrap();
        stream.write_all(b"second\n").unwrap();
    });
    let mut child = falconer().args(["curl", &origin]).stdout(Stdio::piped()).spawn().unwrap();
    let lines = Lines::of(child.stdout.take().unwrap(), "curl");
    lines.with("first");
    go_on.send(()).unwrap();
    lines.with("second");
    serving.join().unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_refusal_says_how_to_ask_why() {
    let world = world();
    let wrong = Shell::with(&world.server.root_url, &falconer_client::Credentials::new(&world.root.client_id, "wrong"));
    for words in [&["current-scopes"][..], &["curl", "-i", "/api/auth/v1/scopes/current"]] {
        let refused = wrong.run(words);
        refused.refused(1, "`falconer why ");
        let id = refused.err.split("`falconer why ").nth(1).unwrap().split(' ').next().unwrap();
        let why = world.as_root().run(&["why", id, "--remote"]).ok();
        assert!(why.contains("bad-mac"), "{why}");
        assert_eq!(words.contains(&"-i"), refused.err.contains("HTTP/1.1 401"), "{refused:?}");
    }
}
