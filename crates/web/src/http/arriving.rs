//! How far the body of a request has come: whoever cuts a request off at its deadline has to know whether anything can have been done.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
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
pub(crate) struct BodyProgress(Arc<AtomicU8>);

impl BodyProgress {
    /// Whether somebody waits for the rest of it. INVARIANT: bodies are read before anything is done.
    pub(crate) fn is_under_way(&self) -> bool {
        self.0.load(Ordering::Relaxed) == UNDER_WAY
    }
}

/// The same request, with what is known of its body.
pub(crate) fn watch(request: Request) -> (Request, BodyProgress) {
    let progress = BodyProgress::default();
    if http_body::Body::is_end_stream(request.body()) {
        return (request, progress);
    }
    let watched = progress.clone();
    (request.map(|body| Body::new(WatchedBody { body, progress: watched })), progress)
}

struct WatchedBody {
    body: Body,
    progress: BodyProgress,
}

impl http_body::Body for WatchedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        let ended = matches!(polled, Poll::Ready(None | Some(Err(_)))) || self.body.is_end_stream();
        self.progress.0.store(if ended { ENDED } else { UNDER_WAY }, Ordering::Relaxed);
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The next piece of a body, as it came.
type Piece = Option<Result<Frame<Bytes>, axum::Error>>;

/// A body of which somebody has looked at the first piece. Whoever reads it afterwards gets all of it.
pub(crate) struct PeekedBody<B> {
    body: B,
    first: Option<Piece>,
}

impl<B: http_body::Body<Data = Bytes, Error = axum::Error> + Unpin> PeekedBody<B> {
    pub(crate) fn of(body: B) -> PeekedBody<B> {
        PeekedBody { body, first: None }
    }

    /// All of it, if it came together with the head and in one piece. Whoever does not get it has waited for nothing: a body that is still to come is left to those who
    /// know how long to wait.
    ///
    /// hyper hands over what it has when it is asked for the second time. `is_asked` is true until then: whoever polls the connection does it once more.
    pub(crate) async fn whole(&mut self, is_asked: &AtomicBool) -> Option<Bytes> {
        let mut is_first = true;
        let piece = poll_fn(|cx| match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(piece) => Poll::Ready(Some(piece)),
            Poll::Pending if is_first => {
                is_first = false;
                is_asked.store(true, Ordering::Relaxed);
                Poll::Pending
            }
            Poll::Pending => Poll::Ready(None),
        })
        .await;
        is_asked.store(false, Ordering::Relaxed);
        match piece? {
            Some(Ok(frame)) if frame.is_data() && self.body.is_end_stream() => frame.into_data().ok(),
            other => {
                self.first = Some(other);
                None
            }
        }
    }

    /// Gives back what [`PeekedBody::whole`] gave.
    pub(crate) fn put_back(&mut self, whole: Bytes) {
        self.first = Some(Some(Ok(Frame::data(whole))));
    }
}

impl<B: http_body::Body<Data = Bytes, Error = axum::Error> + Unpin> http_body::Body for PeekedBody<B> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Piece> {
        match self.first.take() {
            Some(piece) => Poll::Ready(piece),
            None => Pin::new(&mut self.body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.body.size_hint();
        let Some(Some(Ok(frame))) = &self.first else { return rest };
        let first = frame.data_ref().map_or(0, Bytes::len) as u64;
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(first));
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(first));
        }
        hint
    }
}
