//! Requests that are refused for their heads, over a real connection: in the shape that whoever asks can read.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod site;
#[path = "support/sockets.rs"]
mod sockets;

use std::net::SocketAddr;

use falconer_web::{HttpService, Limits, serve};
use sockets::exchange;
use tokio::net::TcpListener;

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
    for (request, status, cors, part) in [
        ("GET /api/auth/v1/ping HTTP/1.1\r\n\r\n", "400", true, "\"code\": \"MalformedPayload\""),
        ("GET /api/auth/v1/ping HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n", "400", true, "exactly one host"),
        ("GET /me HTTP/1.1\r\naccept: text/html\r\n\r\n", "400", false, "<h1"),
        (&long, "431", true, "\"code\": \"InputTooLarge\""),
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
