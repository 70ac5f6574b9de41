//! Whoever holds much of the server at once: connections, bodies that never end, answers that are never read, frames that carry nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::routing::{get, post};
use falconer_web::{Limits, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Longer than any test should take, shorter than anybody's patience.
const PATIENCE: Duration = Duration::from_secs(20);

async fn server(limits: Limits) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let routes = Router::new()
        .route("/", get(|| async { "a".repeat(1000) }))
        .route("/large", get(|| async { "a".repeat(200_000) }))
        .route("/count", post(|body: Bytes| async move { body.len().to_string() }));
    tokio::spawn(serve(listener, routes, limits, std::future::pending()));
    address
}

async fn read_to_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    let read = async {
        while let Ok(count @ 1..) = stream.read(&mut buffer).await {
            bytes.extend_from_slice(buffer.get(..count).unwrap());
        }
    };
    tokio::time::timeout(PATIENCE, read).await.expect("the server did not close");
    bytes
}

async fn exchange(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let _ = stream.write_all(request).await;
    String::from_utf8_lossy(&read_to_end(&mut stream).await).into_owned()
}

const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

/// Story: 11,000 connections that one host kept shut out everybody else.
#[tokio::test]
async fn one_address_does_not_take_all_connections() {
    let address = server(Limits { max_connections_of_address: 2, ..Limits::default() }).await;
    let mut kept = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        stream.read_exact(&mut [0; 12]).await.unwrap();
        kept.push(stream);
    }
    assert!(exchange(address, GET).await.starts_with("HTTP/1.1 503 "));
    drop(kept);
    let freed = async { while !exchange(address, GET).await.starts_with("HTTP/1.1 200 ") {} };
    tokio::time::timeout(PATIENCE, freed).await.expect("places are given back");
}

/// Story: 60 connections of 10 MiB less a byte held 611 MB.
#[tokio::test]
async fn bodies_that_do_not_end_are_bounded_for_an_address() {
    let address = server(Limits { under_way_bytes_of_address: 64 * 1024, ..Limits::default() }).await;
    let head = |length: usize| format!("POST /count HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
    let whole = [head(1000).as_bytes(), &[b'a'; 1000]].concat();
    assert!(exchange(address, &whole).await.ends_with("1000"));
    // One byte is missing for ever; what has come of it is more than one address may hold.
    let endless = [head(200_000).as_bytes(), &[b'a'; 199_999]].concat();
    assert!(!exchange(address, &endless).await.starts_with("HTTP/1.1 200 "));
    assert!(exchange(address, &whole).await.ends_with("1000"), "it is given back");
}

/// Frames of HTTP/2 (RFC 9113): length, kind, flags, stream, payload.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let [_, a, b, c] = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&[a, b, c, kind, flags][..], &stream.to_be_bytes(), payload].concat()
}

/// `GET` of `/` (index 4) or of a literal path.
fn request(stream: u32, path: Option<&str>) -> Vec<u8> {
    let path = path.map_or(vec![0x84], |path| [&[0x44, u8::try_from(path.len()).unwrap()], path.as_bytes()].concat());
    frame(1, 5, stream, &[&[0x82, 0x86][..], &path, &[0x41, 1, b'x']].concat())
}

async fn http2(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    // SETTINGS: a window of no bytes for each stream, so that no answer can be sent.
    stream.write_all(&frame(4, 0, 0, &[0, 4, 0, 0, 0, 0])).await.unwrap();
    stream
}

/// Story: floods of SETTINGS, PING and WINDOW_UPDATE were answered for as long as they came.
#[tokio::test]
async fn floods_of_frames_that_carry_nothing_are_closed() {
    let address = server(Limits::default()).await;
    for (kind, payload) in [(4, &[][..]), (6, &[0; 8]), (8, &[0, 0, 0, 1])] {
        let mut stream = http2(address).await;
        let _ = stream.write_all(&frame(kind, 0, 0, payload).repeat(1100)).await;
        read_to_end(&mut stream).await;
    }
}

/// Story: one deadline served all streams of a connection, so that with a closed window each new request kept the answers before it for ever.
#[tokio::test]
async fn a_request_has_a_deadline_of_its_own() {
    let limits = Limits { request: Duration::from_millis(300), headers: Duration::from_millis(100), ..Limits::default() };
    let address = server(limits).await;
    let mut connection = http2(address).await;
    let (mut reading, mut writing) = connection.split();
    let closed = async {
        let mut buffer = [0; 4096];
        while let Ok(1..) = reading.read(&mut buffer).await {}
    };
    let asking = async {
        let mut every = tokio::time::interval(Duration::from_millis(50));
        for stream in (1..).step_by(2) {
            every.tick().await;
            if writing.write_all(&request(stream, None)).await.is_err() {
                break;
            }
        }
    };
    tokio::select! {
        () = closed => {}
        () = asking => {}
        () = tokio::time::sleep(PATIENCE) => panic!("answers were kept for as long as requests came"),
    }
}

/// Story: answers that were never read held 475 MB over one connection.
#[tokio::test]
async fn answers_that_are_not_read_are_bounded_for_an_address() {
    let address = server(Limits { under_way_bytes_of_address: 500_000, ..Limits::default() }).await;
    let mut stream = http2(address).await;
    for at in 0..4 {
        stream.write_all(&request(1 + 2 * at, Some("/large"))).await.unwrap();
    }
    // The heads of the answers come: 200, 200, and 503 for what is beyond half a megabyte. `:status` is 0x88 for 200 and a literal for 503.
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    let refused = async {
        while !bytes.windows(3).any(|part| part == b"503") && !bytes.windows(3).any(|part| part == HUFFMAN_503) {
            let count = stream.read(&mut buffer).await.unwrap();
            assert!(count > 0, "closed");
            bytes.extend_from_slice(buffer.get(..count).unwrap());
        }
    };
    tokio::time::timeout(PATIENCE, refused).await.expect("answers beyond the bound are refused");
}

/// `503` as HPACK's Huffman code writes it: 011011 00000 011001, filled up with ones.
const HUFFMAN_503: &[u8] = &[0b0110_1100, 0b0000_1100, 0b1111_1111];
