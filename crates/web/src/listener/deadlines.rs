//! What a connection is doing and until when it may: waiting for its first byte, sending the head of a request, having requests answered, being sent an
//! answer that lasts, being idle.
//!
//! Each request has a deadline of its own. Over HTTP/1 one that is over closes the connection. Over HTTP/2 it resets its stream, and the others go on; the
//! connection is closed where even the reset can't be sent.

use std::future::{Future, pending};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::Version;
use tokio::time::Instant;

use super::in_flight::InFlight;
use crate::Limits;

/// Shared by the socket (which sees bytes), the service (which sees requests) and the task that closes the connection.
pub(crate) struct Deadlines {
    limits: Limits,
    began: Instant,
    now: Mutex<Now>,
    body_asked: AtomicBool,
    body_unread: AtomicBool,
}

/// Extension of an answer that goes on as long as the other side listens (server-sent events): the time for a request does not bound it as a
/// whole but each pause between two writes, and it ends where the shutdown begins.
#[derive(Clone, Copy, Debug)]
pub struct Streaming;

struct Now {
    stage: Stage,
    /// Of every stage but [`Stage::Requests`].
    deadline: Instant,
    /// Those whose answers do not last, the oldest first, with their deadlines.
    requests: Vec<(u64, Instant)>,
    /// How many answers last.
    streaming: usize,
    /// How many requests there were.
    count: u64,
    http2: bool,
    /// The request that began last, until its stream is known.
    newest: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    FirstByte,
    Headers,
    Requests,
    /// Nothing but answers that last.
    Streaming,
    Idle,
}

impl Deadlines {
    pub(crate) fn new(limits: Limits) -> Self {
        let deadline = Instant::now() + limits.first_byte;
        let now = Now { stage: Stage::FirstByte, deadline, requests: Vec::new(), streaming: 0, count: 0, http2: false, newest: None };
        Deadlines {
            limits,
            began: Instant::now(),
            now: Mutex::new(now),
            body_asked: AtomicBool::new(false),
            body_unread: AtomicBool::new(false),
        }
    }

    /// When to look again. Stages change without a word to the timer, so it looks at least as often as the shortest of them is long.
    pub(crate) fn wake(&self) -> Instant {
        let tick = self.limits.headers.min(self.limits.first_byte).max(Duration::from_millis(1));
        self.now().deadline(self.limits).min(Instant::now() + tick)
    }

    /// The name of the stage that took too long, if one did.
    pub(crate) fn over(&self) -> Option<&'static str> {
        let now = self.now();
        (Instant::now() >= now.deadline(self.limits)).then_some(match now.stage {
            Stage::FirstByte => "first byte",
            Stage::Headers => "headers",
            Stage::Requests => "request",
            Stage::Streaming => "an answer that lasts",
            Stage::Idle => "idle",
        })
    }

    /// Whether a request has asked for its body, and is to be polled once more to see whether that is there already.
    pub(super) fn is_body_asked(&self) -> &AtomicBool {
        &self.body_asked
    }

    /// The last request was answered, and its body had not come whole.
    pub(super) fn body_is_unread(&self) {
        self.body_unread.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_body_unread(&self) -> bool {
        self.body_unread.load(Ordering::Relaxed)
    }

    /// Whole seconds since the connection began.
    pub(super) fn age_seconds(&self) -> u64 {
        self.began.elapsed().as_secs()
    }

    /// The head of a request has been read.
    pub(crate) fn begin(self: &Arc<Self>, version: Version) -> InFlight {
        self.body_unread.store(false, Ordering::Relaxed);
        let mut now = self.now();
        let id = now.count;
        now.count = now.count.wrapping_add(1);
        now.requests.push((id, Instant::now() + self.limits.request));
        now.stage = Stage::Requests;
        now.http2 = version == Version::HTTP_2;
        now.newest = Some(id);
        drop(now);
        InFlight { deadlines: Arc::clone(self), id, lasts: false }
    }

    pub(super) fn is_http2(&self) -> bool {
        self.now().http2
    }

    /// Until the time of a request is over that does not last.
    async fn until_over(&self, id: u64) {
        loop {
            let deadline = self.now().requests.iter().find(|(other, _)| *other == id).map(|(_, deadline)| *deadline);
            match deadline {
                Some(deadline) if Instant::now() >= deadline => return,
                Some(deadline) => tokio::time::sleep_until(deadline).await,
                None => pending().await,
            }
        }
    }

    pub(super) fn bytes_went(&self) {
        let mut now = self.now();
        if now.stage == Stage::Streaming {
            now.deadline = Instant::now() + self.limits.request;
        }
    }

    /// The answer to a request lasts.
    pub(super) fn lasts(&self, id: u64) {
        let mut now = self.now();
        now.requests.retain(|(other, _)| *other != id);
        now.streaming = now.streaming.saturating_add(1);
        self.next_stage(&mut now);
    }

    pub(super) fn end(&self, id: u64, lasted: bool) {
        let mut now = self.now();
        if lasted {
            now.streaming = now.streaming.saturating_sub(1);
        } else {
            now.requests.retain(|(other, _)| *other != id);
        }
        self.next_stage(&mut now);
    }

    fn next_stage(&self, now: &mut Now) {
        if !now.requests.is_empty() {
            return;
        }
        let (stage, time) = if now.streaming > 0 { (Stage::Streaming, self.limits.request) } else { (Stage::Idle, self.limits.idle) };
        now.stage = stage;
        now.deadline = Instant::now() + time;
    }

    pub(super) fn bytes_came(&self) {
        let mut now = self.now();
        // HTTP/2 sends frames of its own between requests: there only the idle time counts.
        if !now.http2 && matches!(now.stage, Stage::FirstByte | Stage::Idle) {
            now.stage = Stage::Headers;
            now.deadline = Instant::now() + self.limits.headers;
        }
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        // Nothing in here can panic halfway, so that a poisoned lock still holds a whole value.
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Now {
    /// Of the oldest request, or of the stage. A stream that is reset has as long as a head may take until the reset has been sent.
    fn deadline(&self, limits: Limits) -> Instant {
        let more = if self.http2 { limits.headers } else { Duration::ZERO };
        self.requests.first().map_or(self.deadline, |(_, deadline)| *deadline + more)
    }
}

/// Runs the streams of an HTTP/2 connection, each until its deadline. A stream that is dropped before its end is reset.
#[derive(Clone)]
pub(super) struct Streams(pub(super) Arc<Deadlines>);

impl<F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for Streams {
    fn execute(&self, stream: F) {
        // INVARIANT: hyper hands over each stream right after it has called the service for it, so that the newest request is the stream's.
        let newest = self.0.now().newest.take();
        let deadlines = Arc::clone(&self.0);
        tokio::spawn(async move {
            let over = async {
                match newest {
                    Some(id) => deadlines.until_over(id).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                () = stream => {}
                () = over => tracing::debug!("stream reset: too slow"),
            }
        });
    }
}
