//! How long a connection may do nothing: before its first request, between two requests, and while somebody who asked for an answer does not read it. Strangers who only
//! connect would else take all connections that there are.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::listener::{AnswerBody, BoxError};

/// To the end of the first head.
const FIRST: Duration = Duration::from_secs(15);
/// From the end of an answer to the end of the next head.
const NEXT: Duration = Duration::from_secs(75);
/// For a part of an answer that the other side does not take.
const UNREAD: Duration = Duration::from_secs(75);

/// What one connection is doing.
#[derive(Clone, Debug)]
pub(super) struct Activity(Arc<Mutex<Now>>);

#[derive(Debug)]
struct Now {
    under_way: usize,
    /// When there is nothing under way.
    until: Instant,
    unread_since: Option<Instant>,
}

/// One request, until its answer was sent or given up.
#[derive(Debug)]
pub(super) struct ActiveRequest(Activity);

impl Activity {
    pub(super) fn new() -> Activity {
        Activity(Arc::new(Mutex::new(Now { under_way: 0, until: Instant::now() + FIRST, unread_since: None })))
    }

    pub(super) fn begin(&self) -> ActiveRequest {
        self.now().under_way += 1;
        ActiveRequest(self.clone())
    }

    /// Until when it may go on like this; whoever waits for it has to ask again then.
    pub(super) fn until(&self) -> Instant {
        let now = self.now();
        let unread = now.unread_since.map(|since| since + UNREAD);
        let idle = if now.under_way == 0 { Some(now.until) } else { None };
        // What begins in the meantime says nothing: it is looked at as often as the shortest of these times.
        [unread, idle].into_iter().flatten().min().unwrap_or_else(|| Instant::now() + FIRST)
    }

    /// Whether it did nothing for too long.
    pub(super) fn is_over(&self) -> bool {
        let (now, at) = (self.now(), Instant::now());
        now.unread_since.is_some_and(|since| at >= since + UNREAD) || (now.under_way == 0 && at >= now.until)
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ActiveRequest {
    fn drop(&mut self) {
        let mut now = self.0.now();
        now.under_way = now.under_way.saturating_sub(1);
        now.until = Instant::now() + NEXT;
    }
}

/// A connection that notes what is not read.
pub(super) struct Watched<Stream> {
    stream: Stream,
    activity: Activity,
}

impl<Stream> Watched<Stream> {
    pub(super) fn new(stream: Stream, activity: Activity) -> Watched<Stream> {
        Watched { stream, activity }
    }

    fn note<T>(&self, written: Poll<T>) -> Poll<T> {
        let mut now = self.activity.now();
        now.unread_since = if written.is_pending() { now.unread_since.or_else(|| Some(Instant::now())) } else { None };
        drop(now);
        written
    }
}

impl<Stream: AsyncRead + Unpin> AsyncRead for Watched<Stream> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<Stream: AsyncWrite + Unpin> AsyncWrite for Watched<Stream> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.note(written)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, context: &mut Context<'_>, parts: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.note(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// The body of an answer, which is under way until its end.
pub(super) struct Sent {
    pub(super) body: AnswerBody,
    pub(super) _under_way: ActiveRequest,
}

impl Body for Sent {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn whoever_does_nothing_is_over() {
        let activity = Activity::new();
        assert!(!activity.is_over());
        tokio::time::advance(FIRST).await;
        assert!(activity.is_over(), "it never asked");
        let (one, other) = (activity.begin(), activity.begin());
        tokio::time::advance(NEXT * 10).await;
        assert!(!activity.is_over(), "two are under way");
        drop(one);
        assert!(!activity.is_over());
        drop(other);
        tokio::time::advance(NEXT - Duration::from_millis(1)).await;
        assert!(!activity.is_over());
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(activity.is_over());
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_reads_nothing_is_over() {
        let activity = Activity::new();
        let _asked = activity.begin();
        activity.now().unread_since = Some(Instant::now());
        tokio::time::advance(UNREAD).await;
        assert!(activity.is_over());
        activity.now().unread_since = None;
        assert!(!activity.is_over());
    }
}
