//! A request in flight, and the body of its answer, which keeps it there until the last byte has been sent.
//!
//! hyper is done with a body once it has queued it. What it queues are pieces of ours, and it drops each of them when the socket has taken it: until then
//! the answer counts for its address, and its deadline goes on.

use std::future::Future;
use std::io::IoSlice;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use axum::body::Body;
use bytes::{Buf, Bytes};
use http_body::{Body as _, Frame, SizeHint};

use super::deadlines::Deadlines;
use super::parts::Parts;
use super::quota::Share;

/// One request, from its head to the last byte of its answer.
pub(crate) struct InFlight {
    pub(super) deadlines: Arc<Deadlines>,
    pub(super) id: u64,
    pub(super) lasts: bool,
}

impl InFlight {
    /// The request ends when this body has been sent, or given up. `held`: what it holds of the memory for answers.
    pub(crate) fn answer(self, body: Outgoing, held: Option<Share>) -> AnswerBody {
        self.body(body, None, held)
    }

    /// The same for an answer that lasts: it also ends when `until` is ready.
    pub(crate) fn lasting_answer(mut self, body: Body, until: impl Future<Output = ()> + Send + 'static) -> AnswerBody {
        self.lasts = true;
        self.deadlines.lasts(self.id);
        self.body(body.into(), Some(Box::pin(until)), None)
    }

    fn body(self, body: Outgoing, until: Option<Pin<Box<dyn Future<Output = ()> + Send>>>, held: Option<Share>) -> AnswerBody {
        let ends_when_sent = self.deadlines.is_http2();
        let unsent = Unsent { pieces: AtomicUsize::new(0), waiting: Mutex::new(None), _in_flight: self, _held: held };
        AnswerBody { body, until, unsent: Arc::new(unsent), ends_when_sent }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.deadlines.end(self.id, self.lasts);
    }
}

/// What the body of an answer and its pieces share: it is there as long as one of them is.
struct Unsent {
    /// Pieces that the socket has not taken.
    pieces: AtomicUsize,
    /// Who waits until there are none.
    waiting: Mutex<Option<Waker>>,
    _in_flight: InFlight,
    /// What the answer holds of the memory for answers.
    _held: Option<Share>,
}

impl Unsent {
    fn is_none(&self) -> bool {
        self.pieces.load(Ordering::Acquire) == 0
    }

    fn poll_none(&self, cx: &Context<'_>) -> Poll<()> {
        *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) = Some(cx.waker().clone());
        if self.is_none() { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// A part of an answer, until the socket has taken it.
pub(crate) struct Piece {
    bytes: Parts,
    unsent: Arc<Unsent>,
}

impl Piece {
    fn new(bytes: Parts, unsent: &Arc<Unsent>) -> Piece {
        unsent.pieces.fetch_add(1, Ordering::AcqRel);
        Piece { bytes, unsent: Arc::clone(unsent) }
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        if self.unsent.pieces.fetch_sub(1, Ordering::AcqRel) == 1
            && let Some(waker) = self.unsent.waiting.lock().unwrap_or_else(PoisonError::into_inner).take()
        {
            waker.wake();
        }
    }
}

impl Buf for Piece {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.chunk()
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        self.bytes.chunks_vectored(slices)
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
    }
}

/// What an answer says. Nearly all answers are there as a whole, and need no body on the heap.
pub(crate) enum Outgoing {
    /// All of it; nothing once it was handed over.
    Whole(Parts),
    Body(Body),
}

impl From<Body> for Outgoing {
    fn from(body: Body) -> Outgoing {
        Outgoing::Body(body)
    }
}

impl From<Outgoing> for Body {
    fn from(content: Outgoing) -> Body {
        match content {
            Outgoing::Whole(bytes) => Body::from(Bytes::from(bytes)),
            Outgoing::Body(body) => body,
        }
    }
}

impl Outgoing {
    /// How many bytes are to be sent, as far as it is known.
    pub(crate) fn least_bytes(&self) -> u64 {
        self.size_hint().lower()
    }

    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Parts>, axum::Error>>> {
        match self {
            Outgoing::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Outgoing::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Outgoing::Body(body) => {
                Pin::new(body).poll_frame(cx).map(|frame| frame.map(|frame| frame.map(|frame| frame.map_data(Parts::from))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Outgoing::Whole(bytes) => bytes.is_empty(),
            Outgoing::Body(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Outgoing::Whole(bytes) => SizeHint::with_exact(bytes.remaining() as u64),
            Outgoing::Body(body) => body.size_hint(),
        }
    }
}

/// The body of an answer that keeps its request in flight.
pub(crate) struct AnswerBody {
    body: Outgoing,
    until: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    unsent: Arc<Unsent>,
    /// Over HTTP/2 the body ends when all of it has been sent: a stream whose end is queued can't be reset any more.
    ends_when_sent: bool,
}

impl http_body::Body for AnswerBody {
    type Data = Piece;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Piece>, axum::Error>>> {
        if let Some(until) = &mut self.until
            && until.as_mut().poll(cx).is_ready()
        {
            // A whole end, so that the other side knows that it may come again.
            self.until = None;
            self.body = Outgoing::Whole(Parts::default());
        }
        match self.body.poll_frame(cx) {
            Poll::Ready(None) if self.ends_when_sent => self.unsent.poll_none(cx).map(|()| None),
            polled => polled.map(|frame| frame.map(|frame| frame.map(|frame| frame.map_data(|bytes| Piece::new(bytes, &self.unsent))))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream() && (!self.ends_when_sent || self.unsent.is_none())
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
