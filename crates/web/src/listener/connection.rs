//! One connection, from its first byte to its last.

use std::future::{Future, poll_fn};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Body;
use http_body::Body as _;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::Limits;
use super::deadlines::{Deadlines, Streaming, Streams};
use super::in_flight::{AnswerBody, InFlight};
use super::quota::{Quota, Share};
use super::request_body::RequestBody;
use super::service::HttpService;
use super::socket::CountedStream;
use crate::Peer;
use crate::http::arriving::PeekedBody;

/// A connection of HTTP/1 holds one answer at a time: only larger ones are counted there, so that the usual call takes no lock.
const SMALL_ANSWER: u64 = 64 * 1024;

/// What a request of HTTP/2 counts from its head on: a connection has many of them, and their heads cost a few bytes to send.
const HEAD: usize = 8 * 1024;

/// Extension of a request that does not name exactly one host.
#[derive(Clone, Copy)]
pub(crate) struct NoHost;

/// What the connections are told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ServingState {
    Serve,
    /// Go on, and end each connection with its next answer.
    Announce,
    /// End what is in flight, take nothing new.
    Drain,
    /// Close.
    Now,
}

/// What all connections of a listener share.
#[derive(Clone)]
pub(super) struct Connections {
    pub(super) service: HttpService,
    pub(super) limits: Limits,
    /// Bytes of requests and answers that are under way.
    pub(super) under_way: Arc<Quota>,
    pub(super) stopped: watch::Receiver<ServingState>,
}

/// What a connection holds as long as it is there.
pub(super) struct Permits {
    _permit: OwnedSemaphorePermit,
    _of_address: Share,
}

impl Permits {
    pub(super) fn new(permit: OwnedSemaphorePermit, of_address: Share) -> Permits {
        Permits { _permit: permit, _of_address: of_address }
    }
}

/// One connection: what all share, and who is at the other end. Its requests share it, and touch nothing that other connections count in.
pub(super) struct Connection {
    all: Connections,
    peer: SocketAddr,
    deadlines: Arc<Deadlines>,
    /// The next answer is the last one.
    ends_next: AtomicBool,
}

/// Serves one connection.
pub(super) async fn serve(stream: TcpStream, peer: SocketAddr, mut all: Connections, _permits: Permits) {
    let _open = Open::new(all.service.clone());
    // Small answers would else wait for the acknowledgement of the one before.
    let _ = stream.set_nodelay(true);
    let deadlines = Arc::new(Deadlines::new(all.limits));
    // Whoever connects while the end is announced may have sent a request already.
    let ends_next = AtomicBool::new(*all.stopped.borrow() != ServingState::Serve);
    let shared = Arc::new(Connection { all: all.clone(), peer, deadlines: Arc::clone(&deadlines), ends_next });
    let service = {
        let connection = Arc::clone(&shared);
        hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
            let in_flight = connection.deadlines.begin(request.version());
            // Over HTTP/2 a connection says by itself that it takes nothing more.
            let is_last = connection.ends_next.load(Ordering::Relaxed) && request.version() != http::Version::HTTP_2;
            let connection = Arc::clone(&connection);
            async move {
                let mut response = connection.answer(request, in_flight).await;
                if is_last {
                    response.headers_mut().insert(http::header::CONNECTION, http::HeaderValue::from_static("close"));
                }
                Ok::<_, std::convert::Infallible>(response)
            }
        })
    };
    let mut builder = Builder::new(Streams(Arc::clone(&deadlines)));
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(None)
        .max_buf_size(all.limits.head_bytes.max(8192))
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(128)
        .max_header_list_size(u32::try_from(all.limits.head_bytes).unwrap_or(u32::MAX));
    let io = TokioIo::new(CountedStream::new(stream, Arc::clone(&deadlines)));
    let mut connection = pin!(builder.serve_connection(io, service));
    let mut said_goaway = false;
    loop {
        tokio::select! {
            // Nearly each time it is the connection that has something to do.
            biased;
            ended = poll_fn(|cx| {
                let polled = connection.as_mut().poll(cx);
                // Not before the first request: a connection that has not said which version it speaks would be closed.
                if shared.ends_next.load(Ordering::Relaxed) && !said_goaway && polled.is_pending() && deadlines.is_http2() {
                    said_goaway = true;
                    connection.as_mut().graceful_shutdown();
                    cx.waker().wake_by_ref();
                }
                if polled.is_pending() && deadlines.is_body_asked().load(Ordering::Relaxed) {
                    cx.waker().wake_by_ref();
                }
                polled
            }) => {
                if let Err(error) = ended {
                    tracing::debug!(%peer, error = %Causes(error.as_ref()), "connection ended");
                }
                return;
            }
            () = tokio::time::sleep_until(deadlines.wake()) => {
                if let Some(stage) = deadlines.over() {
                    tracing::debug!(%peer, stage, "connection closed: too slow");
                    all.service.count(|metrics| &metrics.too_slow);
                    return;
                }
            }
            changed = all.stopped.changed() => {
                let stop = *all.stopped.borrow_and_update();
                if changed.is_err() || stop == ServingState::Now {
                    return;
                }
                match stop {
                    ServingState::Announce => shared.ends_next.store(true, Ordering::Relaxed),
                    ServingState::Drain => connection.as_mut().graceful_shutdown(),
                    ServingState::Serve | ServingState::Now => {}
                }
            }
        }
    }
}

impl Connection {
    /// What a request of this address holds: nothing yet.
    pub(super) fn share(&self, address: IpAddr) -> Share {
        self.all.under_way.share(Some(address))
    }

    /// The body of a request is given up before it has come whole.
    pub(super) fn body_is_unread(&self) {
        self.deadlines.body_is_unread();
    }

    async fn answer(self: Arc<Self>, request: hyper::Request<Incoming>, in_flight: InFlight) -> http::Response<AnswerBody> {
        let address = self.all.service.address(self.peer, request.headers());
        let mut request = request.map(|body| PeekedBody::of(RequestBody::new(body, Arc::clone(&self), address)));
        if request.version() != http::Version::HTTP_2 {
            let quickly = self.all.service.answer_quickly(Some(Peer(self.peer)), &mut request, self.deadlines.is_body_asked());
            if let Some(response) = quickly.await {
                let bytes = response.body().least_bytes();
                let reserved = (bytes > SMALL_ANSWER).then(|| {
                    let mut share = self.share(address);
                    // A POST was done, so that it must be said, as below.
                    share.grow_anyway(usize::try_from(bytes).unwrap_or(usize::MAX));
                    share
                });
                return response.map(|body| in_flight.answer(body, reserved));
            }
        }
        // On the heap, so that a quick call does not carry the room for everything else.
        Box::pin(self.answer_any(address, request, in_flight)).await
    }

    async fn answer_any(
        self: Arc<Self>,
        address: IpAddr,
        request: http::Request<PeekedBody<RequestBody>>,
        in_flight: InFlight,
    ) -> http::Response<AnswerBody> {
        let counts_all = request.version() == http::Version::HTTP_2;
        let is_safe = request.method().is_safe();
        let mut share = self.share(address);
        if counts_all && share.grow(HEAD).is_err() {
            return too_much_under_way().map(|body| in_flight.answer(body.into(), Some(share)));
        }
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Peer(self.peer));
        if !names_one_host(&request) {
            request.extensions_mut().insert(NoHost);
        }
        let mut response = self.all.service.answer_any(request).await;
        if response.extensions().get::<Streaming>().is_some() {
            let mut stopped = self.all.stopped.clone();
            return response.map(|body| {
                in_flight.lasting_answer(body, async move {
                    let _ = stopped.wait_for(|stop| matches!(stop, ServingState::Drain | ServingState::Now)).await;
                })
            });
        }
        let size = response.body().size_hint().lower();
        let bytes = usize::try_from(size).unwrap_or(usize::MAX);
        if (counts_all || size > SMALL_ANSWER) && share.grow(bytes).is_err() {
            if is_safe || !response.status().is_success() {
                response = too_much_under_way();
            } else {
                // What was done must be said: the secret in this answer may be nowhere else.
                share.grow_anyway(bytes);
            }
        }
        response.map(|body| in_flight.answer(body.into(), Some(share)))
    }
}

/// A connection, as long as it is counted as open.
struct Open(HttpService);

impl Open {
    fn new(service: HttpService) -> Open {
        service.count(|metrics| &metrics.accepted);
        Open(service)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.count(|metrics| &metrics.closed);
    }
}

/// Exactly one Host (RFC 9112, section 3.2). HTTP/1.0 may do without; an absolute-form target and HTTP/2 name the host themselves.
fn names_one_host(request: &http::Request<Body>) -> bool {
    match request.headers().get_all(http::header::HOST).iter().count() {
        0 => request.version() == http::Version::HTTP_10 || request.uri().host().is_some(),
        hosts => hosts == 1,
    }
}

/// The other side does not read its answers as fast as it asks.
fn too_much_under_way() -> http::Response<Body> {
    let mut response =
        http::Response::new(Body::from("{\"error\":\"Too many answers to this address are under way\",\"message\":\"Try again soon.\"}"));
    *response.status_mut() = http::StatusCode::SERVICE_UNAVAILABLE;
    let headers = response.headers_mut();
    headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json; charset=utf-8"));
    headers.insert(http::header::X_CONTENT_TYPE_OPTIONS, http::HeaderValue::from_static("nosniff"));
    headers.insert(http::header::ACCESS_CONTROL_ALLOW_ORIGIN, http::HeaderValue::from_static("*"));
    headers.insert(http::header::RETRY_AFTER, http::HeaderValue::from_static("1"));
    response
}

/// Answers 503 at once, without reading a request, and closes.
pub(super) async fn refuse(mut stream: TcpStream, _permit: OwnedSemaphorePermit) {
    const ANSWER: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: 61\r\n\
        access-control-allow-origin: *\r\nx-content-type-options: nosniff\r\nretry-after: 1\r\nconnection: close\r\n\r\n\
        {\"error\":\"Too many connections\",\"message\":\"Try again soon.\"}\n";
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
