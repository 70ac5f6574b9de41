//! Frames of HTTP/2 (RFC 9113), byte by byte.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::patience::patience;

/// What a client says first, before its SETTINGS.
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A frame: length, kind, flags, stream, payload.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let [_, a, b, c] = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&[a, b, c, kind, flags][..], &stream.to_be_bytes(), payload].concat()
}

/// `GET` of `/` (index 4) or of a literal path.
pub fn request(stream: u32, path: Option<&str>) -> Vec<u8> {
    let path = path.map_or(vec![0x84], |path| [&[0x44, u8::try_from(path.len()).unwrap()], path.as_bytes()].concat());
    frame(1, 5, stream, &[&[0x82, 0x86][..], &path, &[0x41, 1, b'x']].concat())
}

/// The next frame: its kind, its stream and its payload.
pub async fn any_frame(stream: &mut TcpStream) -> (u8, u32, Vec<u8>) {
    let next = async {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.expect("the connection was closed");
        let [a, b, c, kind, _flags, d, e, f, g] = head;
        let mut payload = vec![0; usize::try_from(u32::from_be_bytes([0, a, b, c])).unwrap()];
        stream.read_exact(&mut payload).await.unwrap();
        (kind, u32::from_be_bytes([d, e, f, g]), payload)
    };
    tokio::time::timeout(patience(), next).await.expect("no frame came")
}

/// The next frame of a kind that is wanted: its stream and its payload.
pub async fn next_frame(stream: &mut TcpStream, wanted: u8) -> (u32, Vec<u8>) {
    loop {
        let (kind, number, payload) = any_frame(stream).await;
        if kind == wanted {
            return (number, payload);
        }
    }
}
