//! One connection, from its first byte to its last.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
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
use super::deadlines::{Deadlines, Lasting, Streams};
use super::in_flight::{AnswerBody, InFlight};
use super::quota::{Quota, Share};
use super::request_body::RequestBody;
use super::service::HttpService;
use super::socket::CountedStream;
use crate::Peer;

/// A connection of HTTP/1 holds one answer at a time: only larger ones are counted there, so that the usual call takes no lock.
const SMALL_ANSWER: u64 = 64 * 1024;

/// What a request of HTTP/2 counts from its head on: a connection has many of them, and their heads cost a few bytes to send.
const HEAD: usize = 8 * 1024;

/// Extension of a request that does not name exactly one host.
#[derive(Clone, Copy)]
pub(crate) struct NoHost;

/// What the connections are told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    Serve,
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
    pub(super) stopped: watch::Receiver<Stop>,
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

/// Serves one connection.
pub(super) async fn serve(stream: TcpStream, peer: SocketAddr, mut all: Connections, _permits: Permits) {
    let _open = Open::new(all.service.clone());
    // Small answers would else wait for the acknowledgement of the one before.
    let _ = stream.set_nodelay(true);
    let deadlines = Arc::new(Deadlines::new(all.limits));
    let service = {
        let (deadlines, all) = (Arc::clone(&deadlines), all.clone());
        hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
            let in_flight = deadlines.begin(request.version());
            let all = all.clone();
            async move { Ok::<_, std::convert::Infallible>(all.answer(request, peer, in_flight).await) }
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
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
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

impl Connections {
    async fn answer(mut self, request: hyper::Request<Incoming>, peer: SocketAddr, in_flight: InFlight) -> http::Response<AnswerBody> {
        let address = self.service.address(peer, request.headers());
        let counts_all = request.version() == http::Version::HTTP_2;
        let is_safe = request.method().is_safe();
        let mut share = self.under_way.share(Some(address));
        if counts_all && share.grow(HEAD).is_err() {
            return too_much_under_way().map(|body| in_flight.answer(body, share));
        }
        let mut request = request.map(|body| Body::new(RequestBody::new(body, self.under_way.share(Some(address)))));
        request.extensions_mut().insert(Peer(peer));
        if !names_one_host(&request) {
            request.extensions_mut().insert(NoHost);
        }
        let mut response = self.service.answer(request).await;
        if response.extensions().get::<Lasting>().is_some() {
            return response.map(|body| {
                in_flight.lasting_answer(body, async move {
                    let _ = self.stopped.wait_for(|stop| *stop != Stop::Serve).await;
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
        response.map(|body| in_flight.answer(body, share))
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
