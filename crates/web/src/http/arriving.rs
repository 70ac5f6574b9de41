//! How far the body of a request has come: whoever cuts a request off at its deadline has to know whether anything can have been done.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::extract::Request;
use http_body::{Frame, SizeHint};

/// Somebody waits for the rest.
const UNDER_WAY: u8 = 1;
/// All of it is there, or it broke off.
const ENDED: u8 = 2;

/// What is known of a body that somebody else reads.
#[derive(Clone, Default)]
pub(crate) struct Arriving(Arc<AtomicU8>);

impl Arriving {
    /// Whether somebody waits for the rest of it. INVARIANT: bodies are read before anything is done.
    pub(crate) fn is_under_way(&self) -> bool {
        self.0.load(Ordering::Relaxed) == UNDER_WAY
    }
}

/// The same request, with what is known of its body.
pub(crate) fn watch(request: Request) -> (Request, Arriving) {
    let arriving = Arriving::default();
    if http_body::Body::is_end_stream(request.body()) {
        return (request, arriving);
    }
    let watched = arriving.clone();
    (request.map(|body| Body::new(ArrivingBody { body, arriving: watched })), arriving)
}

struct ArrivingBody {
    body: Body,
    arriving: Arriving,
}

impl http_body::Body for ArrivingBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        let ended = matches!(polled, Poll::Ready(None | Some(Err(_)))) || self.body.is_end_stream();
        self.arriving.0.store(if ended { ENDED } else { UNDER_WAY }, Ordering::Relaxed);
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
