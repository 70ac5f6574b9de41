//! Answers that come before the request is whole: whoever is still sending it gets them, and is not waited for without end.

use axum::routing::post;
use falconer_web::Limits;
use http::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::patience::patience;
use super::{hello, read_answer, server};

/// Sends on after the answer has come, and reads to the end: the connection is not reset meanwhile.
async fn send_on(stream: &mut TcpStream, more: &[u8]) {
    for part in more.chunks(16 * 1024) {
        stream.write_all(part).await.unwrap();
    }
    stream.shutdown().await.unwrap();
    let mut rest = Vec::new();
    tokio::time::timeout(patience(), stream.read_to_end(&mut rest)).await.unwrap().unwrap();
}

#[tokio::test]
async fn an_answer_to_a_request_that_is_too_long_reaches_whoever_is_still_sending_it() {
    let server = server(hello().route("/", post(|| async { StatusCode::PAYLOAD_TOO_LARGE })), Limits::default()).await;
    let body = vec![b'a'; 800 * 1024];
    for head in [
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 819200\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nc8000\r\n",
    ] {
        let mut stream = server.connect().await;
        stream.write_all(head.as_bytes()).await.unwrap();
        let answer = read_answer(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
        send_on(&mut stream, &body).await;
    }
    let mut stream = server.connect().await;
    stream.write_all(format!("GET / HTTP/1.1\r\nhost: x\r\nx-large: {}", "a".repeat(700 * 1024)).as_bytes()).await.unwrap();
    let answer = read_answer(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    send_on(&mut stream, &[b'a'; 100 * 1024]).await;
}

#[tokio::test]
async fn whoever_sends_without_end_after_the_answer_is_closed() {
    let server = server(hello().route("/", post(|| async { StatusCode::PAYLOAD_TOO_LARGE })), Limits::default()).await;
    let mut stream = server.connect().await;
    stream.write_all(b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n").await.unwrap();
    read_answer(&mut stream).await;
    let endless = async { while stream.write_all(&[b'a'; 16 * 1024]).await.is_ok() {} };
    tokio::time::timeout(patience(), endless).await.unwrap();
    // And whoever waits.
    let mut stream = server.connect().await;
    stream.write_all(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\n").await.unwrap();
    read_answer(&mut stream).await;
    let mut rest = Vec::new();
    tokio::time::timeout(patience(), stream.read_to_end(&mut rest)).await.unwrap().unwrap();
}
