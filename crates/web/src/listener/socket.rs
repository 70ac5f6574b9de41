//! The socket of a connection, which tells its deadlines when bytes come and go, and ends where an HTTP/2 connection does nothing but keep the server busy.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::deadlines::Deadlines;
use super::frames::Frames;

/// Pieces of so many bytes together are put into one and sent so: for a small answer that takes the kernel less time than looking at each of them.
const SMALL: usize = 4096;

thread_local! {
    /// Where pieces are put together. Nothing of them stays here.
    static TOGETHER: RefCell<Vec<u8>> = RefCell::new(Vec::with_capacity(SMALL));
}

/// A socket whose bytes are noticed.
pub(crate) struct CountedStream {
    stream: TcpStream,
    deadlines: Arc<Deadlines>,
    frames: Frames,
}

impl CountedStream {
    pub(crate) fn new(stream: TcpStream, deadlines: Arc<Deadlines>) -> Self {
        CountedStream { stream, deadlines, frames: Frames::new() }
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
        Pin::new(&mut self.stream).poll_shutdown(cx)
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
