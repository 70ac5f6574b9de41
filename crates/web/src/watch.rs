//! What a connection is doing and until when it may: waiting for its first byte, sending the head of a request, having one answered, being idle.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::Version;
use http_body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::Limits;

/// Shared by the socket (which sees bytes), the service (which sees requests) and the task that closes the connection.
pub(crate) struct Watch {
    limits: Limits,
    now: Mutex<Now>,
}

struct Now {
    stage: Stage,
    deadline: Instant,
    in_flight: usize,
    http2: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    FirstByte,
    Headers,
    Request,
    Idle,
}

impl Watch {
    pub(crate) fn new(limits: Limits) -> Self {
        let now = Now { stage: Stage::FirstByte, deadline: Instant::now() + limits.first_byte, in_flight: 0, http2: false };
        Watch { limits, now: Mutex::new(now) }
    }

    /// When to look again. Stages change without a word to the timer, so it looks at least as often as the shortest of them is long.
    pub(crate) fn wake(&self) -> Instant {
        let tick = self.limits.headers.min(self.limits.first_byte).max(Duration::from_millis(1));
        self.now().deadline.min(Instant::now() + tick)
    }

    /// The name of the stage that took too long, if one did.
    pub(crate) fn over(&self) -> Option<&'static str> {
        let now = self.now();
        (Instant::now() >= now.deadline).then_some(match now.stage {
            Stage::FirstByte => "first byte",
            Stage::Headers => "headers",
            Stage::Request => "request",
            Stage::Idle => "idle",
        })
    }

    /// The head of a request has been read.
    pub(crate) fn begin(self: &Arc<Self>, version: Version) -> InFlight {
        let mut now = self.now();
        now.stage = Stage::Request;
        now.deadline = Instant::now() + self.limits.request;
        now.in_flight = now.in_flight.saturating_add(1);
        now.http2 = version == Version::HTTP_2;
        drop(now);
        InFlight(Arc::clone(self))
    }

    fn bytes_came(&self) {
        let mut now = self.now();
        // HTTP/2 sends frames of its own between requests: there only the idle time counts.
        if !now.http2 && matches!(now.stage, Stage::FirstByte | Stage::Idle) {
            now.stage = Stage::Headers;
            now.deadline = Instant::now() + self.limits.headers;
        }
    }

    fn end(&self) {
        let mut now = self.now();
        now.in_flight = now.in_flight.saturating_sub(1);
        if now.in_flight == 0 {
            now.stage = Stage::Idle;
            now.deadline = Instant::now() + self.limits.idle;
        }
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        // Nothing in here can panic halfway, so that a poisoned lock still holds a whole value.
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request, from its head to the last byte of its answer.
pub(crate) struct InFlight(Arc<Watch>);

impl InFlight {
    /// The request ends when this body has been sent, or given up.
    pub(crate) fn follow(self, body: Body) -> Followed {
        Followed { body, _in_flight: self }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// The body of an answer that keeps its request in flight.
pub(crate) struct Followed {
    body: Body,
    _in_flight: InFlight,
}

impl http_body::Body for Followed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A socket that says when bytes come.
pub(crate) struct Watched {
    stream: TcpStream,
    watch: Arc<Watch>,
}

impl Watched {
    pub(crate) fn new(stream: TcpStream, watch: Arc<Watch>) -> Self {
        Watched { stream, watch }
    }
}

impl AsyncRead for Watched {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.watch.bytes_came();
        }
        polled
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buffer)
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
        Pin::new(&mut self.stream).poll_write_vectored(cx, buffers)
    }
}
