//! The socket of a connection, which tells its deadlines when bytes come and go, ends where an HTTP/2 connection does nothing but keep the server busy, and
//! closes so that the last answer arrives.

use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;

use super::deadlines::Deadlines;
use super::frames::Frames;

/// Pieces of so many bytes together are put into one and sent so: for a small answer that takes the kernel less time than looking at each of them.
const SMALL: usize = 4096;

/// How long, and how much of a request that was answered before it had come whole, is still read and thrown away before the socket is closed.
const LINGER: Duration = Duration::from_millis(500);
const LINGER_BYTES: usize = 1024 * 1024;

thread_local! {
    /// Where pieces are put together. Nothing of them stays here.
    static TOGETHER: RefCell<Vec<u8>> = RefCell::new(Vec::with_capacity(SMALL));
}

/// A socket whose bytes are noticed.
pub(crate) struct CountedStream {
    stream: TcpStream,
    deadlines: Arc<Deadlines>,
    frames: Frames,
    lingering: Option<Lingering>,
}

/// The end of a connection. To close a socket with unread bytes resets the connection: whoever is still sending is told of an error of the network instead of
/// reading the answer (RFC 9112, section 9.6).
struct Lingering {
    until: Pin<Box<Sleep>>,
    left: usize,
}

impl Lingering {
    fn poll(&mut self, stream: &mut TcpStream, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            match poll_discard(stream, cx) {
                Poll::Ready(bytes @ 1..) if bytes < self.left => self.left = self.left.saturating_sub(bytes),
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return self.until.as_mut().poll(cx),
            }
        }
    }
}

/// Reads some bytes and forgets them. None: the other side has closed, or the connection is broken.
fn poll_discard(stream: &mut TcpStream, cx: &mut Context<'_>) -> Poll<usize> {
    let mut room = [0_u8; SMALL];
    let mut buffer = ReadBuf::new(&mut room);
    let read = ready!(Pin::new(stream).poll_read(cx, &mut buffer));
    Poll::Ready(if read.is_ok() { buffer.filled().len() } else { 0 })
}

impl CountedStream {
    pub(crate) fn new(stream: TcpStream, deadlines: Arc<Deadlines>) -> Self {
        CountedStream { stream, deadlines, frames: Frames::new(), lingering: None }
    }

    fn note(&mut self, written: &Poll<io::Result<usize>>) {
        if let Poll::Ready(Ok(bytes @ 1..)) = written {
            self.deadlines.bytes_went();
            self.frames.wrote(*bytes);
        }
    }
}

impl AsyncRead for CountedStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        let came = buffer.filled().get(before..).unwrap_or_default();
        if !came.is_empty() {
            self.deadlines.bytes_came();
            if self.frames.counts() {
                let seconds = self.deadlines.age_seconds();
                if !self.frames.read(came, seconds) {
                    return Poll::Ready(Err(io::Error::other("too many frames that carry nothing")));
                }
            }
        }
        polled
    }
}

impl AsyncWrite for CountedStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, buffer);
        self.note(&polled);
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let CountedStream { stream, deadlines, lingering, .. } = &mut *self;
        if lingering.is_none() {
            ready!(Pin::new(&mut *stream).poll_shutdown(cx))?;
            // A head that was too long leaves no body behind, but bytes.
            let is_unread = deadlines.is_body_unread() || matches!(poll_discard(stream, cx), Poll::Ready(1..));
            if !is_unread || deadlines.is_http2() {
                return Poll::Ready(Ok(()));
            }
            *lingering = Some(Lingering { until: Box::pin(tokio::time::sleep(LINGER)), left: LINGER_BYTES });
        }
        match lingering {
            Some(lingering) => lingering.poll(stream, cx).map(Ok),
            None => Poll::Ready(Ok(())),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffers: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let stream = Pin::new(&mut self.stream);
        let bytes = buffers.iter().fold(0_usize, |sum, buffer| sum.saturating_add(buffer.len()));
        let polled = if buffers.len() > 1 && bytes <= SMALL {
            TOGETHER.with_borrow_mut(|together| {
                together.clear();
                buffers.iter().for_each(|buffer| together.extend_from_slice(buffer));
                let polled = stream.poll_write(cx, together);
                // It may hold a secret.
                together.fill(0);
                polled
            })
        } else {
            stream.poll_write_vectored(cx, buffers)
        };
        self.note(&polled);
        polled
    }
}
