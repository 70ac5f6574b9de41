//! What both ends of a raw connection say, byte by byte.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::patience::patience;

/// Reads until the server closes. A reset counts as that: it closes with unread bytes where it refuses.
pub async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    let read = async {
        while let Ok(count @ 1..) = stream.read(&mut buffer).await {
            bytes.extend_from_slice(buffer.get(..count).unwrap());
        }
    };
    tokio::time::timeout(patience(), read).await.expect("the server did not close");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Sends bytes and reads until the server closes, which it may do before everything is sent: that is what some tests are about.
pub async fn exchange(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let _ = stream.write_all(bytes).await;
    read_to_end(&mut stream).await
}
