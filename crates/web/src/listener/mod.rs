//! The listener: our own accept loop, so that time, size and number of connections are bounded before any route is asked.
//!
//! hyper's own header timeout also ends idle connections, so that it can't tell "slow" from "quiet"; `deadlines.rs` can.

mod cores;
pub(crate) mod deadlines;
pub(crate) mod front;
pub(crate) mod network;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Body;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::listener::cores::Cores;
use crate::listener::deadlines::{Lasting, Watch, Watched};
use crate::metrics::Metrics;
use crate::{Front, Peer};

/// What one listener allows.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once; more are answered 503 and closed. Default 8192.
    pub max_connections: usize,
    /// From accepting to the first byte. Default 10 s.
    pub first_byte: Duration,
    /// From the first byte of a request to the end of its headers. Default 10 s.
    pub headers: Duration,
    /// Between two requests of one connection. Default 90 s.
    pub idle: Duration,
    /// From the end of the headers to the end of the answer, body and writing included; for an answer that lasts, between two writes. Default
    /// 60 s.
    pub request: Duration,
    /// How long the requests in flight may take after the shutdown began. Default 15 s.
    pub drain: Duration,
    /// Buffer for the head of a request in bytes; beyond it 431. Default 48 KiB (routes apply the finer limits).
    pub head_bytes: usize,
    /// Threads that serve connections; 0: as many as the runtime has. Default 0.
    pub threads: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            max_connections: 8192,
            first_byte: Duration::from_secs(10),
            headers: Duration::from_secs(10),
            idle: Duration::from_secs(90),
            request: Duration::from_secs(60),
            drain: Duration::from_secs(15),
            head_bytes: 48 * 1024,
            threads: 0,
        }
    }
}

/// How many connections beyond the cap may wait for their 503 at once; the rest are closed without a word.
const REFUSALS: usize = 256;

/// What the connections are told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stop {
    Serve,
    /// End what is in flight, take nothing new.
    Drain,
    /// Close.
    Now,
}

/// Serves until `shutdown` is ready, then lets the requests in flight end (at most `limits.drain`). Errors: the threads could not be started.
///
/// Every request carries the [`Peer`] extension. What answers must apply the limits of one request (URL, headers, body) itself: see
/// [`crate::RequestLimits`].
pub async fn serve(listener: TcpListener, front: impl Into<Front>, limits: Limits, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    let front = front.into();
    let threads = if limits.threads == 0 { tokio::runtime::Handle::current().metrics().num_workers() } else { limits.threads };
    let cores = Cores::start(threads)?;
    let most = u32::try_from(limits.max_connections).unwrap_or(u32::MAX >> 4).min(u32::MAX >> 4);
    let connections = Arc::new(Semaphore::new(most as usize));
    let refusals = Arc::new(Semaphore::new(REFUSALS));
    let (stop, stopped) = watch::channel(Stop::Serve);
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.as_mut() => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                pause_after(&error).await;
                continue;
            }
        };
        match Arc::clone(&connections).try_acquire_owned() {
            Ok(permit) => {
                let (front, stopped) = (front.clone(), stopped.clone());
                if let Err(error) = cores.serve(stream, move |stream| connection(stream, peer, front, limits, stopped, permit)) {
                    tracing::warn!(%error, "a connection could not be handed over");
                }
            }
            Err(_) => {
                count(&front, |metrics| &metrics.refused);
                if let Ok(permit) = Arc::clone(&refusals).try_acquire_owned() {
                    tokio::spawn(refuse(stream, permit));
                }
            }
        }
    }
    // Nobody may connect and wait while the last requests end.
    drop(listener);
    let _ = stop.send(Stop::Drain);
    if tokio::time::timeout(limits.drain, connections.acquire_many(most)).await.is_err() {
        let _ = stop.send(Stop::Now);
        let _ = tokio::time::timeout(Duration::from_secs(1), connections.acquire_many(most)).await;
    }
    cores.end().await;
    Ok(())
}

/// One connection, from the first byte to the last.
async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    front: Front,
    limits: Limits,
    mut stopped: watch::Receiver<Stop>,
    _permit: OwnedSemaphorePermit,
) {
    let _open = Open::new(front.clone());
    // Small answers would else wait for the acknowledgement of the one before.
    let _ = stream.set_nodelay(true);
    let watch = Arc::new(Watch::new(limits));
    let service = {
        let (watch, stopped, front) = (Arc::clone(&watch), stopped.clone(), front.clone());
        hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
            let in_flight = watch.begin(request.version());
            let front = front.clone();
            let mut stopped = stopped.clone();
            async move {
                let mut request = request.map(Body::new);
                request.extensions_mut().insert(Peer(peer));
                let response = if names_one_host(&request) { front.answer(request).await } else { no_host() };
                let lasts = response.extensions().get::<Lasting>().is_some();
                Ok::<_, std::convert::Infallible>(response.map(|body| {
                    if !lasts {
                        return in_flight.follow(body);
                    }
                    in_flight.follow_lasting(body, async move {
                        let _ = stopped.wait_for(|stop| *stop != Stop::Serve).await;
                    })
                }))
            }
        })
    };
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(None)
        .max_buf_size(limits.head_bytes.max(8192))
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(128)
        .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX));
    let io = TokioIo::new(Watched::new(stream, Arc::clone(&watch)));
    let mut connection = pin!(builder.serve_connection(io, service));
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%peer, error = %Causes(error.as_ref()), "connection ended");
                }
                return;
            }
            () = tokio::time::sleep_until(watch.wake()) => {
                if let Some(stage) = watch.over() {
                    tracing::debug!(%peer, stage, "connection closed: too slow");
                    count(&front, |metrics| &metrics.too_slow);
                    return;
                }
            }
            changed = stopped.changed() => {
                let stop = *stopped.borrow_and_update();
                if changed.is_err() || stop == Stop::Now {
                    return;
                }
                if stop == Stop::Drain {
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }
}

fn count(front: &Front, of: impl Fn(&Metrics) -> &AtomicU64) {
    if let Some(metrics) = front.metrics() {
        of(metrics).fetch_add(1, Ordering::Relaxed);
    }
}

/// A connection, as long as it is counted as open.
struct Open(Front);

impl Open {
    fn new(front: Front) -> Open {
        count(&front, |metrics| &metrics.accepted);
        Open(front)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        count(&self.0, |metrics| &metrics.closed);
    }
}

/// Exactly one Host (RFC 9112, section 3.2). HTTP/1.0 may do without; an absolute-form target and HTTP/2 name the host themselves.
fn names_one_host(request: &http::Request<Body>) -> bool {
    match request.headers().get_all(http::header::HOST).iter().count() {
        0 => request.version() == http::Version::HTTP_10 || request.uri().host().is_some(),
        hosts => hosts == 1,
    }
}

fn no_host() -> http::Response<Body> {
    let mut response = http::Response::new(Body::from("A request names exactly one host.\n"));
    *response.status_mut() = http::StatusCode::BAD_REQUEST;
    let headers = response.headers_mut();
    headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(http::header::X_CONTENT_TYPE_OPTIONS, http::HeaderValue::from_static("nosniff"));
    headers.insert(http::header::CONNECTION, http::HeaderValue::from_static("close"));
    response
}

/// Answers 503 at once, without reading a request, and closes.
async fn refuse(mut stream: TcpStream, _permit: OwnedSemaphorePermit) {
    const ANSWER: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 38\r\n\
        retry-after: 1\r\nconnection: close\r\n\r\nToo many connections; try again soon.\n";
    let answer = async {
        stream.write_all(ANSWER).await?;
        stream.shutdown().await?;
        // Closing with unread bytes would reset the connection and could take the answer along.
        let mut rest = [0_u8; 1024];
        while stream.read(&mut rest).await? > 0 {}
        Ok::<_, io::Error>(())
    };
    let _ = tokio::time::timeout(Duration::from_millis(500), answer).await;
}

/// A failed accept is the connection's own fault (go on), or the process is out of descriptors (wait for one to be free).
async fn pause_after(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        tracing::warn!(%error, "accepting a connection failed");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// An error with what caused it: hyper keeps the interesting part below.
struct Causes<'a>(&'a (dyn std::error::Error + 'static));

impl std::fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut next = self.0.source();
        while let Some(cause) = next {
            write!(f, ": {cause}")?;
            next = cause.source();
        }
        Ok(())
    }
}
