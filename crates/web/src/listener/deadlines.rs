//! What a connection is doing and until when it may: waiting for its first byte, sending the head of a request, having one answered, being sent an
//! answer that lasts, being idle.

use std::future::Future;
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

/// Extension of an answer that goes on as long as the other side listens (server-sent events): the time for a request does not bound it as a
/// whole but each pause between two writes, and it ends where the shutdown begins.
#[derive(Clone, Copy, Debug)]
pub struct Lasting;

struct Now {
    stage: Stage,
    deadline: Instant,
    in_flight: usize,
    /// How many of those in flight last.
    lasting: usize,
    http2: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    FirstByte,
    Headers,
    Request,
    /// Nothing but answers that last.
    Lasting,
    Idle,
}

impl Watch {
    pub(crate) fn new(limits: Limits) -> Self {
        let now = Now { stage: Stage::FirstByte, deadline: Instant::now() + limits.first_byte, in_flight: 0, lasting: 0, http2: false };
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
            Stage::Lasting => "an answer that lasts",
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
        InFlight { watch: Arc::clone(self), lasts: false }
    }

    fn bytes_went(&self) {
        let mut now = self.now();
        if now.stage == Stage::Lasting {
            now.deadline = Instant::now() + self.limits.request;
        }
    }

    fn lasts(&self) {
        let mut now = self.now();
        now.lasting = now.lasting.saturating_add(1);
        self.look(&mut now);
    }

    /// What is left in flight.
    fn look(&self, now: &mut Now) {
        if now.in_flight == 0 {
            now.stage = Stage::Idle;
            now.deadline = Instant::now() + self.limits.idle;
        } else if now.lasting == now.in_flight {
            now.stage = Stage::Lasting;
            now.deadline = Instant::now() + self.limits.request;
        }
    }

    fn bytes_came(&self) {
        let mut now = self.now();
        // HTTP/2 sends frames of its own between requests: there only the idle time counts.
        if !now.http2 && matches!(now.stage, Stage::FirstByte | Stage::Idle) {
            now.stage = Stage::Headers;
            now.deadline = Instant::now() + self.limits.headers;
        }
    }

    fn end(&self, lasted: bool) {
        let mut now = self.now();
        now.in_flight = now.in_flight.saturating_sub(1);
        if lasted {
            now.lasting = now.lasting.saturating_sub(1);
        }
        self.look(&mut now);
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        // Nothing in here can panic halfway, so that a poisoned lock still holds a whole value.
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request, from its head to the last byte of its answer.
pub(crate) struct InFlight {
    watch: Arc<Watch>,
    lasts: bool,
}

impl InFlight {
    /// The request ends when this body has been sent, or given up.
    pub(crate) fn follow(self, body: Body) -> Followed {
        Followed { body, until: None, _in_flight: self }
    }

    /// The same for an answer that lasts: it also ends when `until` is ready.
    pub(crate) fn follow_lasting(mut self, body: Body, until: impl Future<Output = ()> + Send + 'static) -> Followed {
        self.lasts = true;
        self.watch.lasts();
        Followed { body, until: Some(Box::pin(until)), _in_flight: self }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.watch.end(self.lasts);
    }
}

/// The body of an answer that keeps its request in flight.
pub(crate) struct Followed {
    body: Body,
    until: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    _in_flight: InFlight,
}

impl http_body::Body for Followed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if let Some(until) = &mut self.until
            && until.as_mut().poll(cx).is_ready()
        {
            // A whole end, so that the other side knows that it may come again.
            self.until = None;
            self.body = Body::empty();
        }
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A socket that says when bytes come and go.
pub(crate) struct Watched {
    stream: TcpStream,
    watch: Arc<Watch>,
}

impl Watched {
    pub(crate) fn new(stream: TcpStream, watch: Arc<Watch>) -> Self {
        Watched { stream, watch }
    }

    fn note(&self, written: &Poll<io::Result<usize>>) {
        if matches!(written, Poll::Ready(Ok(1..))) {
            self.watch.bytes_went();
        }
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
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, buffers);
        self.note(&polled);
        polled
    }
}
