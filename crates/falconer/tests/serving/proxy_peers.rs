//! `falconer proxy` before peers that no service of a test is: one with another clock, one that switches to another protocol, one that speaks none.

#![cfg(unix)]
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use crate::signing::Proxy;
use axum::Router;
use axum::routing::get;
use http::{HeaderMap, StatusCode, header};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A proxy with credentials that nobody checks here.
fn proxy(root_url: &str, more: &[&str]) -> Proxy {
    let mut command = crate::support::falconer();
    command.args(["proxy", "--listen", "127.0.0.1:0", "--root-url", root_url]).args(more).stdin(Stdio::null());
    command.env("TASKCLUSTER_CLIENT_ID", "tests/job").env("TASKCLUSTER_ACCESS_TOKEN", "a-token-of-more-than-22-characters");
    Proxy::of(command)
}

/// The year 2015, in which these peers live.
const THERE: &str = "Thu, 01 Jan 2015 00:00:00 GMT";
const THERE_SECONDS: i64 = 1_420_070_400;

/// What a call brought: whether it was signed in 2015, with a hash, and its body.
type Seen = Arc<Mutex<Vec<(bool, bool, String)>>>;

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_clock_of_this_machine_costs_one_more_call_once() {
    let seen = Seen::default();
    let kept = Arc::clone(&seen);
    let answer = async move |headers: HeaderMap, body: String| {
        let signature = headers[header::AUTHORIZATION].to_str().unwrap();
        let ts: i64 = signature.split_once("ts=\"").unwrap().1.split('"').next().unwrap().parse().unwrap();
        let right = (ts - THERE_SECONDS).abs() < 900;
        kept.lock().unwrap().push((right, signature.contains("hash=\""), body));
        if right { StatusCode::OK } else { StatusCode::UNAUTHORIZED }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let root_url = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new().route("/api/auth/v1/ping", get(async || [(header::DATE, THERE)])).fallback(answer);
    tokio::spawn(async move { axum::serve(listener, app).await });

    let proxy = proxy(&root_url, &[]);
    let text = [("content-type", "text/plain")];
    assert_eq!(proxy.send("POST", "/notes/v1/books", &text, "a note").await.status, 200);
    let note = || "a note".to_owned();
    assert_eq!(std::mem::take(&mut *seen.lock().unwrap()), [(false, true, note()), (true, true, note())]);
    assert_eq!(proxy.send("POST", "/notes/v1/books", &text, "a note").await.status, 200);
    assert_eq!(std::mem::take(&mut *seen.lock().unwrap()), [(true, true, note())]);
}

/// Reads to the end of a head.
async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn web_sockets_are_signed_and_passed_through() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let service = tokio::spawn(async move {
        let mut stream = listener.accept().await.unwrap().0;
        let request_head = head(&mut stream).await;
        stream
            .write_all(
                b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: x\r\n\r\nfirst",
            )
            .await
            .unwrap();
        let mut received = [0; 6];
        stream.read_exact(&mut received).await.unwrap();
        stream.write_all(&received).await.unwrap();
        (request_head, received)
    });
    let proxy = proxy("http://127.0.0.1:1", &["--host", &origin]);
    let address = proxy.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.unwrap();
    let below = origin.trim_start_matches("http://");
    let request = format!(
        "GET /{below}/live HTTP/1.1\r\nhost: {address}\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-key: abc\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let answered = head(&mut stream).await.to_ascii_lowercase();
    assert!(answered.starts_with("http/1.1 101") && answered.contains("sec-websocket-accept: x"), "{answered}");
    let mut said = [0; 5];
    stream.read_exact(&mut said).await.unwrap();
    stream.write_all(b"second").await.unwrap();
    let mut back = [0; 6];
    stream.read_exact(&mut back).await.unwrap();
    assert_eq!((&said, &back), (b"first", b"second"));
    let (request_head, received) = service.await.unwrap();
    let lowercase_head = request_head.to_ascii_lowercase();
    assert!(
        lowercase_head.starts_with("get /live http/1.1\r\n") && lowercase_head.contains("authorization: hawk id=\"tests/job\""),
        "{lowercase_head}"
    );
    assert!(lowercase_head.contains("sec-websocket-key: abc") && lowercase_head.contains("upgrade: websocket"), "{lowercase_head}");
    assert_eq!(&received, b"second");
}

/// Nobody follows an answer into another protocol that was not asked for.
#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_speaks_something_else_is_a_bad_gateway() {
    for said in ["HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: other\r\n\r\n", "nonsense\r\n\r\n", ""] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        tokio::spawn(async move {
            loop {
                let mut stream = listener.accept().await.unwrap().0;
                head(&mut stream).await;
                stream.write_all(said.as_bytes()).await.unwrap();
            }
        });
        let proxy = proxy("http://127.0.0.1:1", &["--host", &format!("http://{at}")]);
        let answer = proxy.get(&format!("/{at}/x")).await;
        assert_eq!((answer.status, answer.reason().as_str()), (502, "unreachable"), "{said:?}: {answer:?}");
    }
}
