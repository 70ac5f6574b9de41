//! The body of a request as it comes. What has come of one that is not whole yet counts for its address.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::connection::Connection;
use super::quota::{Full, Share};

pub(super) struct RequestBody {
    body: Incoming,
    connection: Arc<Connection>,
    address: IpAddr,
    /// Of nearly all bodies nothing is ever held: they come whole.
    held: Option<Share>,
    /// It has ended, which a body in chunks says only to whoever reads on.
    ended: bool,
}

impl RequestBody {
    pub(super) fn new(body: Incoming, connection: Arc<Connection>, address: IpAddr) -> RequestBody {
        RequestBody { body, connection, address, held: None, ended: false }
    }

    fn hold(&mut self, more: usize) -> Result<(), Full> {
        self.held.get_or_insert_with(|| self.connection.share(self.address)).grow(more)
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if !self.ended && !self.body.is_end_stream() {
            self.connection.body_is_unread();
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        // The end of a body in chunks comes by itself, after the last piece.
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.held = None;
            self.ended = true;
        }
        let Poll::Ready(Some(Ok(frame))) = &polled else {
            return polled.map(|frame| frame.map(|frame| frame.map_err(axum::Error::new)));
        };
        if self.body.is_end_stream() {
            self.held = None;
        } else {
            let more = frame.data_ref().map_or(0, Bytes::len);
            if self.hold(more).is_err() {
                return Poll::Ready(Some(Err(axum::Error::new(Full))));
            }
        }
        polled.map(|frame| frame.map(|frame| frame.map_err(axum::Error::new)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
