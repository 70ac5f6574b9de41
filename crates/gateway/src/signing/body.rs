use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, SizeHint};

use super::refused::Refused;
use crate::serve::IncomingBody;

/// How long a body that is held may take to arrive.
const BODY: Duration = Duration::from_secs(60);

/// The body of a request on its way out.
pub(super) enum RequestBody {
    /// There is none.
    None,
    /// All of it: its hash is signed, and it can be sent again.
    Whole(Bytes),
    /// As it comes.
    Stream(Stream),
}

/// What was read already, and the rest of it.
pub(super) struct Stream {
    read: VecDeque<Bytes>,
    rest: IncomingBody,
}

/// Reads a body up to `limit_bytes`. Beyond that it is refused, or, where it `streams`, passed on as it comes.
pub(super) async fn hold(mut body: IncomingBody, limit_bytes: usize, streams: bool) -> Result<RequestBody, Refused> {
    if body.is_end_stream() {
        return Ok(RequestBody::None);
    }
    let too_large = |read: VecDeque<Bytes>, rest: IncomingBody| {
        if streams { Ok(RequestBody::Stream(Stream { read, rest })) } else { Err(Refused::BodyTooLarge { limit_bytes }) }
    };
    if body.size_hint().lower() > limit_bytes as u64 {
        return too_large(VecDeque::new(), body);
    }
    let mut read = VecDeque::new();
    let mut size = 0;
    let reading = async {
        while let Some(frame) = body.frame().await {
            // Trailers are not passed on: nothing signs them.
            if let Ok(data) = frame.map_err(|_| Refused::BodyUnreadable)?.into_data() {
                size += data.len();
                read.push_back(data);
                if size > limit_bytes {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    };
    let complete = tokio::time::timeout(BODY, reading).await.map_err(|_| Refused::BodyUnreadable)??;
    if !complete {
        return too_large(read, body);
    }
    let mut whole = BytesMut::with_capacity(size);
    read.iter().for_each(|part| whole.extend_from_slice(part));
    Ok(RequestBody::Whole(whole.freeze()))
}

impl Body for Stream {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        if let Some(part) = self.read.pop_front() {
            return Poll::Ready(Some(Ok(Frame::data(part))));
        }
        Pin::new(&mut self.rest).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.read.is_empty() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let read: usize = self.read.iter().map(Bytes::len).sum();
        self.rest.size_hint().exact().map_or_else(SizeHint::default, |rest| SizeHint::with_exact(rest.saturating_add(read as u64)))
    }
}
