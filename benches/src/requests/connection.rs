//! One HTTP/1.1 connection that sends ready-made bytes and reads whole answers.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// Answers that take longer than this are a fault of the server.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a server answered; borrowed from the connection until the next exchange.
#[derive(Clone, Copy)]
pub struct Answer<'a> {
    /// The status of the response line.
    pub status: u16,
    /// Everything as it came, head included.
    pub whole: &'a [u8],
    /// Where the body begins in `whole`. The body of a chunked answer keeps its chunk lines.
    pub body_at: usize,
}

impl<'a> Answer<'a> {
    /// The body as it came.
    pub fn body(&self) -> &'a [u8] {
        self.whole.get(self.body_at..).unwrap_or_default()
    }

    /// Status line and headers.
    pub fn head(&self) -> &'a [u8] {
        self.whole.get(..self.body_at).unwrap_or_default()
    }

    /// The values of a header, in their order.
    pub fn headers(&self, name: &str) -> Vec<String> {
        String::from_utf8_lossy(self.head())
            .lines()
            .filter_map(|line| line.split_once(':'))
            .filter(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim().to_owned())
            .collect()
    }

    /// The body, chunks joined.
    pub fn content(&self) -> Vec<u8> {
        let chunked = self.headers("transfer-encoding").iter().any(|value| value.eq_ignore_ascii_case("chunked"));
        if chunked { joined(self.body()) } else { self.body().to_vec() }
    }
}

/// A keep-alive connection.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// What the head of an answer says of its body.
enum Length {
    Bytes(usize),
    Chunked,
}

impl Connection {
    /// Connects to `host:port`.
    pub fn open(address: &str) -> Result<Connection> {
        let stream = TcpStream::connect(address).with_context(|| format!("can't connect to {address}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Connection { stream, buffer: vec![0; 64 * 1024] })
    }

    /// Sends `request` and reads the whole answer to it.
    pub fn exchange(&mut self, request: &[u8]) -> Result<Answer<'_>> {
        self.stream.write_all(request)?;
        let mut have = 0;
        let (status, body_at, length) = loop {
            have += self.more(have)?;
            if let Some(head) = read_head(self.buffer.get(..have).unwrap_or_default())? {
                break head;
            }
        };
        let end = loop {
            let end = match length {
                Length::Bytes(length) => Some(body_at + length).filter(|end| *end <= have),
                Length::Chunked => end_of_chunks(self.buffer.get(body_at..have).unwrap_or_default()).map(|end| body_at + end),
            };
            match end {
                Some(end) => break end,
                None => have += self.more(have)?,
            }
        };
        Ok(Answer { status, whole: self.buffer.get(..end).unwrap_or_default(), body_at })
    }

    fn more(&mut self, have: usize) -> Result<usize> {
        if have == self.buffer.len() {
            self.buffer.resize(have * 2, 0);
        }
        match self.stream.read(self.buffer.get_mut(have..).context("no room")?)? {
            0 => bail!("the server closed the connection"),
            count => Ok(count),
        }
    }
}

fn read_head(bytes: &[u8]) -> Result<Option<(u16, usize, Length)>> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(body_at) = response.parse(bytes).context("no HTTP answer")? else {
        return Ok(None);
    };
    let status = response.code.context("no status")?;
    let mut length = if status == 204 || status == 304 { Some(Length::Bytes(0)) } else { None };
    for header in response.headers.iter() {
        if header.name.eq_ignore_ascii_case("content-length") {
            length = Some(Length::Bytes(std::str::from_utf8(header.value)?.trim().parse()?));
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            length = Some(Length::Chunked);
        }
    }
    Ok(Some((status, body_at, length.context("an answer without a length")?)))
}

/// Where the last chunk ends, once all of it is there. Trailers are not expected.
fn end_of_chunks(body: &[u8]) -> Option<usize> {
    chunks(body, |_| ())
}

fn joined(body: &[u8]) -> Vec<u8> {
    let mut all = Vec::with_capacity(body.len());
    chunks(body, |chunk| all.extend_from_slice(chunk));
    all
}

fn chunks(body: &[u8], mut each: impl FnMut(&[u8])) -> Option<usize> {
    let mut at = 0;
    loop {
        let rest = body.get(at..)?;
        let line = rest.windows(2).position(|two| two == b"\r\n")?;
        let size = std::str::from_utf8(rest.get(..line)?).ok()?;
        let size = usize::from_str_radix(size.split(';').next()?.trim(), 16).ok()?;
        let chunk = rest.get(line + 2..line + 2 + size)?;
        at += line + 2 + size + 2;
        body.get(..at)?;
        if size == 0 {
            return Some(at);
        }
        each(chunk);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_joined_once_they_are_all_there() {
        let body = b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n";
        assert_eq!(end_of_chunks(body), Some(body.len()));
        assert_eq!(joined(body), b"abcde");
        for cut in 0..body.len() {
            assert_eq!(end_of_chunks(&body[..cut]), None, "{cut}");
        }
    }

    #[test]
    fn heads_say_where_the_body_begins_and_how_long_it_is() {
        assert!(read_head(b"HTTP/1.1 200 OK\r\ncontent-le").unwrap().is_none());
        let (status, at, length) = read_head(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").unwrap().unwrap();
        assert!(status == 200 && at == 38 && matches!(length, Length::Bytes(2)));
        let (status, _, length) = read_head(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap().unwrap();
        assert!(status == 204 && matches!(length, Length::Bytes(0)));
    }
}
