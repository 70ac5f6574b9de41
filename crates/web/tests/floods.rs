//! Whoever holds much of the server at once: connections, bodies that never end, answers that are never read, frames that carry nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/frames.rs"]
mod frames;
#[path = "../../falconer/tests/support/patience.rs"]
mod patience;
#[path = "support/sockets.rs"]
mod sockets;

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::routing::{get, post};
use falconer_web::{Limits, serve};
use frames::{PREFACE, frame, next_frame, request};
use patience::patience;
use sockets::{exchange, read_to_end};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// More than the kernel keeps for a connection on loopback by far.
const HUGE: usize = 32 * 1024 * 1024;

async fn server(limits: Limits) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let routes = Router::new()
        .route("/", get(|| async { "a".repeat(1000) }))
        .route("/large", get(|| async { "a".repeat(200_000) }))
        .route("/huge", get(|| async { Bytes::from(vec![b'a'; HUGE]) }))
        .route("/count", post(|body: Bytes| async move { body.len().to_string() }));
    tokio::spawn(serve(listener, routes, limits, std::future::pending()));
    address
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
    tokio::time::timeout(patience(), freed).await.expect("places are given back");
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

async fn http2(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(PREFACE).await.unwrap();
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

/// Story: one deadline served all streams of a connection, so that with a closed window each new request kept the answers before it for ever. Later each
/// had its own, but one that was over closed the connection, and took the others along.
#[tokio::test]
async fn a_stream_that_is_not_read_is_reset_alone() {
    const DATA: u8 = 0;
    const RESET: u8 = 3;
    // The last request has its answer within this time, on whatever machine.
    let limits = Limits { request: Duration::from_secs(3), ..Limits::default() };
    let address = server(limits).await;
    let mut connection = http2(address).await;
    // Of the second answer a part may be sent: hyper has handed over all of it then.
    for (stream, window) in [(1, None), (3, Some(10_u32))] {
        connection.write_all(&request(stream, None)).await.unwrap();
        if let Some(window) = window {
            connection.write_all(&frame(8, 0, stream, &window.to_be_bytes())).await.unwrap();
        }
    }
    let mut reset = Vec::new();
    for _ in 0..2 {
        let (stream, reason) = next_frame(&mut connection, RESET).await;
        assert_eq!(reason, 8_u32.to_be_bytes(), "CANCEL");
        reset.push(stream);
    }
    reset.sort_unstable();
    assert_eq!(reset, [1, 3]);
    connection.write_all(&[request(5, None), frame(8, 0, 5, &1000_u32.to_be_bytes())].concat()).await.unwrap();
    let (stream, answer) = next_frame(&mut connection, DATA).await;
    assert_eq!((stream, answer.len()), (5, 1000), "the others go on");
}

/// Story: over HTTP/1 an answer no longer counted once it was queued, so that whoever read nothing held as many as there was memory for.
#[tokio::test]
async fn an_answer_counts_until_it_has_been_sent() {
    const GET_HUGE: &[u8] = b"GET /huge HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let address = server(Limits { under_way_bytes_of_address: HUGE + HUGE / 2, ..Limits::default() }).await;
    let mut slow = TcpStream::connect(address).await.unwrap();
    slow.write_all(GET_HUGE).await.unwrap();
    slow.read_exact(&mut [0; 12]).await.unwrap();
    assert!(exchange(address, GET_HUGE).await.starts_with("HTTP/1.1 503 "), "one and a half of them may be under way");
    drop(slow);
    let freed = async { while !exchange(address, GET_HUGE).await.starts_with("HTTP/1.1 200 ") {} };
    tokio::time::timeout(patience(), freed).await.expect("it is given back");
}

/// Story: over HTTP/1 the deadline of a request ended when its answer was queued, and who read a few bytes a second had as long as that took.
#[tokio::test]
async fn an_answer_that_is_read_slowly_has_a_deadline() {
    let limits = Limits { request: Duration::from_millis(300), headers: Duration::from_secs(1), ..Limits::default() };
    let address = server(limits).await;
    let mut slow = TcpStream::connect(address).await.unwrap();
    slow.write_all(b"GET /huge HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut every = tokio::time::interval(Duration::from_millis(50));
    // Much longer than the answer has: a server that is late notices it all the same.
    for _ in 0..100 {
        every.tick().await;
        if slow.read(&mut [0; 100]).await.is_err() {
            break;
        }
    }
    let rest = read_to_end(&mut slow).await.len();
    assert!(rest < HUGE / 2, "{rest} bytes came after the time was over");
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
    tokio::time::timeout(patience(), refused).await.expect("answers beyond the bound are refused");
}

/// `503` as HPACK's Huffman code writes it: 011011 00000 011001, filled up with ones.
const HUFFMAN_503: &[u8] = &[0b0110_1100, 0b0000_1100, 0b1111_1111];
