//! Requests that are refused for their heads, over a real connection: in the shape that whoever asks can read. And calls that are answered quickly, which is decided by
//! the head.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../../falconer/tests/support/patience.rs"]
mod patience;
mod site;
#[path = "support/sockets.rs"]
mod sockets;

use std::net::SocketAddr;

use falconer_web::{HttpService, Limits, serve};
use sockets::exchange;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

async fn address() -> SocketAddr {
    let site = site::site().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = HttpService::new(site.web.clone());
    tokio::spawn(serve(listener, service, Limits::default(), std::future::pending()));
    address
}

/// Story: a request without Host was answered in plain text and without CORS, so that a browser's program saw a network error.
#[tokio::test]
async fn a_request_that_names_no_host_is_answered_like_the_others() {
    let address = address().await;
    let long = format!("GET /api/auth/v1/ping HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "a".repeat(20_000));
    let far = format!("GET /api/auth/v1/ping?{} HTTP/1.1\r\nhost: x\r\n\r\n", "a".repeat(20_000));
    for (request, status, cors, part) in [
        ("GET /api/auth/v1/ping HTTP/1.1\r\n\r\n", "400", true, "\"code\": \"MalformedPayload\""),
        ("GET /api/auth/v1/ping HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n", "400", true, "exactly one host"),
        ("GET /me HTTP/1.1\r\naccept: text/html\r\n\r\n", "400", false, "<h1"),
        (&long, "431", true, "\"code\": \"InputTooLarge\""),
        (&far, "414", true, "\"code\": \"InputTooLarge\""),
    ] {
        let answer = exchange(address, request.as_bytes()).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")) && body.contains(part), "{answer}");
        assert_eq!(head.contains("access-control-allow-origin: *"), cors, "{answer}");
    }
}

/// Story: `gzip, chunked` was read as chunked alone, so that a proxy in front that takes both away and Falconer disagreed about what was sent.
#[tokio::test]
async fn a_transfer_encoding_other_than_chunked_is_refused_and_the_connection_closed() {
    let address = address().await;
    let ping = "GET /api/auth/v1/ping HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    for encoding in [
        "transfer-encoding: gzip, chunked\r\n",
        "transfer-encoding: chunked, chunked\r\n",
        "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: identity\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: x, chunked\r\n",
        "transfer-encoding: ,chunked\r\n",
    ] {
        for path in ["/api/auth/v1/authenticate-hawk", "/api/falconer/v1/nothing", "/login"] {
            // A second request behind the first: whoever reads the first otherwise must not have it answered.
            let request = format!("POST {path} HTTP/1.1\r\nhost: x\r\n{encoding}\r\n0\r\n\r\n{ping}");
            let answer = exchange(address, request.as_bytes()).await;
            assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("Transfer-Encoding"), "{encoding}{path}: {answer}");
            assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
            assert_eq!(answer.contains("\"code\": \"MalformedPayload\""), path.starts_with("/api"), "{answer}");
        }
    }
    for (encoding, version) in [("gzip", "1.1"), ("identity", "1.1"), ("chunked, gzip", "1.1"), ("chunked", "1.0")] {
        let request = format!("POST /api/auth/v1/ping HTTP/{version}\r\nhost: x\r\ntransfer-encoding: {encoding}\r\n\r\n0\r\n\r\n{ping}");
        let answer = exchange(address, request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400 ") || answer.starts_with("HTTP/1.0 400 "), "{encoding}: {answer}");
        assert_eq!(answer.matches("HTTP/1.").count(), 1, "{answer}");
    }
    for encoding in ["chunked", "Chunked"] {
        let request = format!("GET /api/auth/v1/ping HTTP/1.1\r\nhost: x\r\ntransfer-encoding: {encoding}\r\n\r\n0\r\n\r\n{ping}");
        let answer = exchange(address, request.as_bytes()).await;
        assert_eq!(answer.matches("HTTP/1.1 200 ").count(), 2, "{encoding}: {answer}");
    }
}

/// What a line of a head may end with is hyper's (docs/adr/0140): the chunks of a body are read strictly.
#[tokio::test]
async fn chunks_end_with_both_characters() {
    let address = address().await;
    for chunks in ["1\na\r\n0\r\n\r\n", "1\r\na\n0\r\n\r\n", "1\r\na0\r\n\r\n", "0x1\r\na\r\n0\r\n\r\n", "-1\r\n\r\n"] {
        let request = format!("POST /api/auth/v1/authenticate-hawk HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n{chunks}");
        let answer = exchange(address, request.as_bytes()).await;
        assert!(!answer.contains("HTTP/1.1 200 ") && answer.matches("HTTP/1.1").count() <= 1, "{chunks:?}: {answer}");
    }
}

/// What an answer says, without what differs from answer to answer: its head line by line, sorted, and its body without the id of a refusal.
fn said(answer: &str) -> (Vec<String>, String) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let own = ["date: ", "x-for-trace-id: ", "x-for-request-id: ", "falconer-refusal: ", "content-length: "];
    let mut lines: Vec<String> = head.lines().filter(|line| !own.iter().any(|name| line.starts_with(name))).map(str::to_owned).collect();
    lines.sort();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    assert_eq!(length.parse::<usize>().unwrap(), body.len(), "{answer}");
    for name in ["x-for-trace-id: ", "x-for-request-id: "] {
        assert_eq!(head.lines().filter_map(|line| line.strip_prefix(name)).map(str::len).collect::<Vec<_>>(), [36], "{answer}");
    }
    let without_id = match body.split_once(",\"id\":\"") {
        Some((before, after)) => format!("{before}{}", after.split_at(23).1),
        None => body.to_owned(),
    };
    (lines, without_id)
}

/// The same question in the usual form, and in forms that go the long way: what is answered is the same.
#[tokio::test]
async fn what_is_answered_quickly_is_what_the_long_way_answers() {
    let address = address().await;
    let parts = |authorization: &str| format!("{{\"method\":\"get\",\"resource\":\"/\",\"host\":\"h\",\"port\":1{authorization}}}");
    let (nobody, wrong) = (parts(""), parts(",\"authorization\":\"Hawk id=\\\"a\\\", ts=\\\"1\\\", nonce=\\\"n\\\", mac=\\\"bWFj\\\"\""));
    let one = |request: &str, required: &str| format!("{{\"request\":{request},\"required\":{required}}}");
    let all = one(&nobody, "{\"AllOf\":[]}");
    let cases = [
        ("/api/falconer/v1/check", all.clone(), "\"status\":\"allowed\""),
        ("/api/falconer/v1/check", one(&nobody, "\"a\""), "\"reason\":\"no-credentials\""),
        ("/api/falconer/v1/check", one(&wrong, "\"a\""), "\"reason\":\"bad-mac\""),
        ("/api/falconer/v1/check", one(&nobody, "1"), "\"code\": \"InputValidationError\""),
        ("/api/falconer/v1/check", "{".to_owned(), "\"code\": \"MalformedPayload\""),
        ("/api/falconer/v1/checks", format!("{{\"checks\":[{all},{all}]}}"), "{\"checks\":[{\"status\":\"allowed\""),
        ("/api/auth/v1/authenticate-hawk", nobody.clone(), "{\"status\":\"no-auth\""),
        ("/api/auth/v1/authenticate-hawk", wrong.clone(), "{\"status\":\"auth-failed\""),
        ("/api/auth/v1/authenticate-hawk", "{}".to_owned(), "\"code\": \"InputValidationError\""),
    ];
    let of = |path: &str, headers: &str, body: &str| {
        let length = body.len();
        format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
        )
    };
    for (path, body, part) in cases {
        let quick = exchange(address, of(path, "", &body).as_bytes()).await;
        assert!(quick.contains(part), "{path} {body}: {quick}");
        let traced =
            exchange(address, of(path, "x-taskcluster-trace-id: 01234567-89ab-cdef-0123-456789abcdef\r\n", &body).as_bytes()).await;
        assert!(traced.contains("x-for-trace-id: 01234567-89ab-cdef-0123-456789abcdef\r\n"), "{traced}");
        // A body that is said to be as it is; one that comes after its head; one in chunks.
        let encoded = exchange(address, of(path, "content-encoding: identity\r\n", &body).as_bytes()).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        let expecting = of(path, "expect: 100-continue\r\n", &body);
        let (head, _) = expecting.split_at(expecting.len() - body.len());
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut go_on = [0; 25];
        stream.read_exact(&mut go_on).await.unwrap();
        assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
        stream.write_all(body.as_bytes()).await.unwrap();
        let later = sockets::read_to_end(&mut stream).await;
        let chunks = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
        let chunked = of(path, "", &chunks).replace(&format!("content-length: {}", chunks.len()), "transfer-encoding: chunked");
        let chunked = exchange(address, chunked.as_bytes()).await;
        for other in [&traced, &encoded, &later, &chunked] {
            assert_eq!(said(&quick), said(other), "{path} {body}");
        }
        if !part.contains("code") {
            // The long way writes the length among its headers, and hyper that of a quick answer behind them: so this is one, and those are none.
            let is_quick = |answer: &str| answer.find("content-length: ") > answer.find("cache-control: ");
            assert_eq!([&quick, &traced, &encoded, &later, &chunked].map(|answer| is_quick(answer)), [true, true, false, false, false]);
        }
    }
    let two = of("/api/falconer/v1/check", "", &all).replace("connection: close\r\n", "");
    let three = format!("{two}{two}{}", of("/api/falconer/v1/check", "", &all));
    let answers = exchange(address, three.as_bytes()).await;
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 3, "one behind the other: {answers}");
    for (headers, status) in [("host: y\r\n".to_owned(), "400"), (format!("x: {}\r\n", "a".repeat(20_000)), "431")] {
        let answer = exchange(address, of("/api/falconer/v1/check", &headers, &all).as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    }
}
