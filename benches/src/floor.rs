//! The floors: what the same bytes cost without any work. Bare hyper reads the same bodies and answers the same body; the raw socket reads
//! the same requests and answers the very same bytes. Neither looks at what it reads, but for the length.

use std::convert::Infallible;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A kind of floor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Floor {
    /// hyper's HTTP/1.1 server, the one that Falconer stands on.
    Hyper,
    /// A socket.
    Raw,
}

impl Floor {
    /// Its word on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Floor::Hyper => "hyper",
            Floor::Raw => "raw",
        }
    }
}

/// Serves `answer` (head and body, as a server gave them) for every request, for ever; says where in one line.
pub fn serve(kind: Floor, answer: Vec<u8>) -> Result<()> {
    // As many workers as the product has: one for each core.
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("listening on http://{}", listener.local_addr()?);
        let body_at = answer.windows(4).position(|four| four == b"\r\n\r\n").context("an answer without a head")? + 4;
        let answer = Bytes::from(answer);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let (whole, body) = (answer.clone(), answer.slice(body_at..));
            match kind {
                Floor::Hyper => drop(tokio::spawn(hyper_connection(stream, body))),
                Floor::Raw => drop(tokio::spawn(raw_connection(stream, whole))),
            }
        }
    })
}

async fn hyper_connection(stream: TcpStream, answer: Bytes) {
    let service = service_fn(move |request: Request<Incoming>| {
        let answer = answer.clone();
        async move {
            let _ = request.into_body().collect().await;
            let mut response = Response::new(Full::new(answer));
            let json = hyper::header::HeaderValue::from_static("application/json; charset=utf-8");
            response.headers_mut().insert(hyper::header::CONTENT_TYPE, json);
            Ok::<_, Infallible>(response)
        }
    });
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn raw_connection(mut stream: TcpStream, answer: Bytes) -> Result<()> {
    let mut buffer = vec![0_u8; 256 * 1024];
    loop {
        let mut have = 0;
        let end = loop {
            let count = stream.read(buffer.get_mut(have..).context("a request that is too long")?).await?;
            if count == 0 {
                bail!("closed");
            }
            have += count;
            if let Some(end) = end_of_request(buffer.get(..have).unwrap_or_default()) {
                break end;
            }
        };
        if have < end {
            stream.read_exact(buffer.get_mut(have..end).context("a request that is too long")?).await?;
        }
        stream.write_all(&answer).await?;
    }
}

/// Where the request ends, once its head is there.
fn end_of_request(bytes: &[u8]) -> Option<usize> {
    const LENGTH: &[u8] = b"\r\ncontent-length: ";
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let length = bytes.get(..head)?.windows(LENGTH.len()).position(|window| window == LENGTH).and_then(|at| {
        let digits = bytes.get(at + LENGTH.len()..head)?;
        let end = digits.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(digits.len());
        std::str::from_utf8(digits.get(..end)?).ok()?.parse::<usize>().ok()
    });
    Some(head + 4 + length.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_end_where_their_length_says() {
        assert_eq!(end_of_request(b"POST / HTTP/1.1\r\ncontent-length: 3\r\n\r\nab"), Some(41));
        assert_eq!(end_of_request(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"), Some(27));
        assert_eq!(end_of_request(b"GET / HTTP/1.1\r\nhost: a\r\n"), None);
    }
}
