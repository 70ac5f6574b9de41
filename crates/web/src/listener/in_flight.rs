//! A request in flight, and the body of its answer, which keeps it there.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};

use super::deadlines::Deadlines;
use super::quota::Share;

/// One request, from its head to the last byte of its answer.
pub(crate) struct InFlight {
    pub(super) deadlines: Arc<Deadlines>,
    pub(super) id: u64,
    pub(super) lasts: bool,
}

impl InFlight {
    /// The request ends when this body has been sent, or given up.
    pub(crate) fn answer(self, body: Body, held: Share) -> AnswerBody {
        AnswerBody { body, until: None, _in_flight: self, _held: Some(held) }
    }

    /// The same for an answer that lasts: it also ends when `until` is ready.
    pub(crate) fn lasting_answer(mut self, body: Body, until: impl Future<Output = ()> + Send + 'static) -> AnswerBody {
        self.lasts = true;
        self.deadlines.lasts(self.id);
        AnswerBody { body, until: Some(Box::pin(until)), _in_flight: self, _held: None }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.deadlines.end(self.id, self.lasts);
    }
}

/// The body of an answer that keeps its request in flight.
pub(crate) struct AnswerBody {
    body: Body,
    until: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    _in_flight: InFlight,
    /// What it holds of the memory for answers.
    _held: Option<Share>,
}

impl http_body::Body for AnswerBody {
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
