//! The floors: what the same bytes cost without any work. Bare hyper reads the same bodies and answers the same headers and body; the raw
//! socket reads the same requests and answers the very same bytes. Neither looks at what it reads, but for the length.

use std::convert::Infallible;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::requests::pool::Pool;
use crate::requests::turns::Driven;
use crate::subjects::process::Process;

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

/// A floor that runs; it ends with this value.
pub struct FloorProcess {
    kind: Floor,
    process: Process,
    address: String,
}

impl FloorProcess {
    /// Starts it with the answer of a file.
    pub fn start(kind: Floor, answer: &Path) -> Result<FloorProcess> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("floor").arg(kind.word()).arg(answer);
        let (process, address) = Process::listening(command)?;
        Ok(FloorProcess { kind, process, address })
    }

    /// As one of those that are driven in turn.
    pub fn driven<'a>(&'a self, pool: &'a Pool) -> Driven<'a> {
        Driven { name: self.kind.word(), address: &self.address, process: Some(self.process.id()), pool }
    }
}

/// Serves `answer` (head and body, as a server gave them) for every request, for ever; says where in one line.
pub fn serve(kind: Floor, answer: Vec<u8>) -> Result<()> {
    // As many workers as the product has: one for each core.
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("listening on http://{}", listener.local_addr()?);
        let (response, whole) = (parsed(&answer)?, Bytes::from(answer));
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            match kind {
                Floor::Hyper => drop(tokio::spawn(hyper_connection(stream, response.clone()))),
                Floor::Raw => drop(tokio::spawn(raw_connection(stream, whole.clone()))),
            }
        }
    })
}

/// The answer for hyper to write, without what hyper writes itself.
fn parsed(answer: &[u8]) -> Result<Response<Full<Bytes>>> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut head = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(body_at) = head.parse(answer)? else { bail!("an answer without a whole head") };
    let mut response = Response::builder().status(head.code.context("no status")?);
    let own = |name: &str| ["content-length", "date", "connection"].iter().any(|known| name.eq_ignore_ascii_case(known));
    for header in head.headers.iter().filter(|header| !own(header.name)) {
        response = response.header(header.name, header.value);
    }
    Ok(response.body(Full::new(Bytes::copy_from_slice(answer.get(body_at..).unwrap_or_default())))?)
}

async fn hyper_connection(stream: TcpStream, answer: Response<Full<Bytes>>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let answer = answer.clone();
        async move {
            let _ = request.into_body().collect().await;
            Ok::<_, Infallible>(answer)
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
    fn bare_hyper_answers_what_was_answered() {
        let response = parsed(b"HTTP/1.1 200 OK\r\netag: x\r\ncontent-length: 2\r\n\r\n{}").unwrap();
        assert_eq!((response.status().as_u16(), response.headers().len(), response.headers()["etag"].as_bytes()), (200, 1, &b"x"[..]));
        assert!(parsed(b"HTTP/1.1 200 OK\r\n").is_err());
    }

    #[test]
    fn requests_end_where_their_length_says() {
        assert_eq!(end_of_request(b"POST / HTTP/1.1\r\ncontent-length: 3\r\n\r\nab"), Some(41));
        assert_eq!(end_of_request(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"), Some(27));
        assert_eq!(end_of_request(b"GET / HTTP/1.1\r\nhost: a\r\n"), None);
    }
}
