//! Requests that are refused for their heads, over a real connection: in the shape that whoever asks can read.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod site;

use std::time::Duration;

use falconer_web::{HttpService, Limits, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Story: a request without Host was answered in plain text and without CORS, so that a browser's program saw a network error.
#[tokio::test]
async fn a_request_that_names_no_host_is_answered_like_the_others() {
    let site = site::site().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = HttpService::new(site.web.clone());
    tokio::spawn(serve(listener, service, Limits::default(), std::future::pending()));
    let long = format!("GET /api/auth/v1/ping HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "a".repeat(20_000));
    for (request, status, cors, part) in [
        ("GET /api/auth/v1/ping HTTP/1.1\r\n\r\n", "400", true, "\"code\": \"MalformedPayload\""),
        ("GET /api/auth/v1/ping HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n", "400", true, "exactly one host"),
        ("GET /me HTTP/1.1\r\naccept: text/html\r\n\r\n", "400", false, "<h1"),
        (&long, "431", true, "\"code\": \"InputTooLarge\""),
    ] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        tokio::time::timeout(Duration::from_secs(20), stream.read_to_string(&mut answer)).await.expect("it is closed").unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")) && body.contains(part), "{answer}");
        assert_eq!(head.contains("access-control-allow-origin: *"), cors, "{answer}");
    }
}
