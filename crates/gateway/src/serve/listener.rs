use std::any::Any;
use std::convert::Infallible;
use std::fmt::Debug;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use super::idle::{Activity, Sent, Watched};
use super::incoming::IncomingBody;
use crate::addresses::{AddressPermit, Addresses};
use crate::decide::InUse;
use crate::metrics::Metrics;

/// Requests at once whose answer has not begun; more are refused. Each has a head in memory.
const MOST_REQUESTS: usize = 2048;
/// Bytes of bodies that nobody has read yet, of a stream and of a connection of HTTP/2.
const UNREAD_OF_STREAM: u32 = 64 * 1024;
const UNREAD_OF_CONNECTION: u32 = 256 * 1024;
/// What is under way at the end may take so long.
const DRAIN: Duration = Duration::from_secs(15);
/// Bytes of the head of a request.
const HEAD_BYTES: usize = 48 * 1024;

/// The body of an answer.
pub(crate) type AnswerBody = BoxBody<Bytes, BoxError>;
/// Why a body broke off.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Where connections come from.
pub(crate) trait Accept {
    /// A connection.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;
    /// Who is at its other end.
    type Peer: Copy + Debug + Send + 'static;

    /// What it holds as long as it is there.
    type Permit: Send + Sync + 'static;

    /// Where it comes from, if that is an address.
    fn address(peer: Self::Peer) -> Option<IpAddr>;

    fn next(&mut self) -> impl Future<Output = std::io::Result<(Self::Stream, Self::Peer, Self::Permit)>> + Send;
}

/// What answers requests.
pub(crate) trait Service<Peer>: Clone + Send + Sync + 'static {
    fn answer(&self, request: Request<IncomingBody>, peer: Peer) -> impl Future<Output = Response<AnswerBody>> + Send;
}

/// How connections are kept.
#[derive(Clone)]
pub(crate) struct Limits {
    /// Connections at once; more wait to be accepted.
    pub(crate) connections: u32,
    /// HTTP/2 without TLS too, for whoever begins with it.
    pub(crate) http2: bool,
    /// What one address may have of them; `None`: all.
    pub(crate) per_address: Option<PerAddressLimit>,
}

/// How many connections one address may have. More are closed at once.
#[derive(Clone)]
pub(crate) struct PerAddressLimit {
    /// Says how many, and counts. Its proxies may have all, because others stand behind them.
    pub(crate) in_use: InUse,
}

impl Accept for TcpListener {
    type Stream = tokio::net::TcpStream;
    type Peer = std::net::SocketAddr;
    type Permit = ();

    fn address(peer: std::net::SocketAddr) -> Option<IpAddr> {
        Some(peer.ip())
    }

    async fn next(&mut self) -> std::io::Result<(Self::Stream, Self::Peer, ())> {
        let (stream, peer) = self.accept().await?;
        let _ = stream.set_nodelay(true);
        Ok((stream, peer, ()))
    }
}

#[cfg(unix)]
impl Accept for tokio::net::UnixListener {
    type Stream = tokio::net::UnixStream;
    type Peer = ();
    type Permit = ();

    fn address((): ()) -> Option<IpAddr> {
        None
    }

    async fn next(&mut self) -> std::io::Result<(Self::Stream, (), ())> {
        Ok((self.accept().await?.0, (), ()))
    }
}

/// What all connections of a service hold of, on however many threads it accepts.
#[derive(Clone)]
pub(super) struct Bounds {
    limits: Limits,
    connections: Arc<Semaphore>,
    requests: Arc<Semaphore>,
    addresses: Addresses,
}

impl Bounds {
    pub(super) fn new(limits: Limits) -> Bounds {
        let connections = Arc::new(Semaphore::new(limits.connections as usize));
        Bounds { limits, connections, requests: Arc::new(Semaphore::new(MOST_REQUESTS)), addresses: Addresses::default() }
    }

    /// Waits until every connection has ended. `false`: one takes too long.
    pub(super) async fn are_free(&self) -> bool {
        tokio::time::timeout(DRAIN, self.connections.acquire_many(self.limits.connections)).await.is_ok()
    }
}

/// Accepts until `shutdown`. `false`: something under way took too long after that, and is cut off.
pub(crate) async fn accept<L: Accept, S: Service<L::Peer>>(
    listener: L,
    service: S,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) -> bool {
    let bounds = Bounds::new(limits);
    let (stop, stopped) = watch::channel(());
    tokio::select! {
        () = accept_until(listener, service, bounds.clone(), stopped) => {}
        () = shutdown => {}
    }
    let _ = stop.send(());
    bounds.are_free().await
}

/// Accepts until `stopped` says something. What was accepted goes on by itself.
pub(super) async fn accept_until<L: Accept, S: Service<L::Peer>>(
    mut listener: L,
    service: S,
    bounds: Bounds,
    mut stopped: watch::Receiver<()>,
) {
    let connections_see = stopped.clone();
    loop {
        let accepted = async {
            let permit = Arc::clone(&bounds.connections).acquire_owned().await;
            (permit, listener.next().await)
        };
        let (permit, accepted) = tokio::select! {
            accepted = accepted => accepted,
            _ = stopped.changed() => return,
        };
        match (permit, accepted) {
            (Ok(permit), Ok((stream, peer, held))) => {
                let per_address = bounds.limits.per_address.as_ref();
                let Ok(counted) = per_address.map(|per_address| per_address.count(&bounds.addresses, L::address(peer))).transpose() else {
                    tracing::debug!(?peer, "an address has too many connections; this one was closed");
                    continue;
                };
                let connected = Connected { stopped: connections_see.clone(), _held: Arc::new((permit, counted, held)) };
                tokio::spawn(connection(stream, peer, service.clone(), bounds.limits.http2, connected, Arc::clone(&bounds.requests)));
            }
            (_, Err(error)) => {
                tracing::warn!(%error, "accepting a connection failed");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            (Err(_), _) => return,
        }
    }
}

/// What a connection holds as long as it is there, also where it became a tunnel.
#[derive(Clone)]
pub(crate) struct Connected {
    /// Says when the program ends.
    pub(super) stopped: watch::Receiver<()>,
    _held: Arc<dyn Any + Send + Sync>,
}

/// A connection that is counted, for the metrics and for its address.
struct Counted {
    metrics: Arc<Metrics>,
    _of_address: Option<AddressPermit>,
}

impl PerAddressLimit {
    /// `Err`: the address has enough.
    fn count(&self, addresses: &Addresses, address: Option<IpAddr>) -> Result<Counted, ()> {
        let gateway = self.in_use.now();
        let (settings, metrics) = (gateway.settings(), gateway.metrics());
        let bound = address.filter(|address| !settings.proxies.have(*address));
        let slot = bound.map(|address| addresses.hold(address, settings.connections_per_address).ok_or(())).transpose();
        let slot = slot.inspect_err(|()| {
            let _ = metrics.connections_refused.inc();
        })?;
        metrics.connections.inc();
        Ok(Counted { metrics: Arc::clone(metrics), _of_address: slot })
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.metrics.connections.dec();
    }
}

async fn connection<Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static, Peer: Copy + Debug + Send + 'static>(
    stream: Stream,
    peer: Peer,
    service: impl Service<Peer>,
    http2: bool,
    connected: Connected,
    requests: Arc<Semaphore>,
) {
    let activity = Activity::new();
    let mut builder = Builder::new(TokioExecutor::new());
    if !http2 {
        builder = builder.http1_only();
    }
    // How long a head may take is looked at by `activity`.
    builder.http1().timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(HEAD_BYTES);
    let mut http2 = builder.http2();
    http2.timer(TokioTimer::new()).max_concurrent_streams(128).max_header_list_size(HEAD_BYTES as u32);
    http2.initial_stream_window_size(UNREAD_OF_STREAM).initial_connection_window_size(UNREAD_OF_CONNECTION);
    let (asks, mut stopped) = (activity.clone(), connected.stopped.clone());
    let answer = service_fn(move |mut request: Request<Incoming>| {
        let (service, under_way, requests) = (service.clone(), asks.begin(), Arc::clone(&requests));
        request.extensions_mut().insert(connected.clone());
        async move {
            let answer = match requests.try_acquire() {
                Ok(_turn) => service.answer(request.map(IncomingBody::from), peer).await,
                Err(_) => busy(),
            };
            Ok::<_, Infallible>(answer.map(|body| Sent { body, _under_way: under_way }))
        }
    });
    let io = TokioIo::new(Watched::new(stream, activity.clone()));
    let mut connection = std::pin::pin!(builder.serve_connection_with_upgrades(io, answer));
    let mut ending = false;
    let ended = loop {
        tokio::select! {
            ended = connection.as_mut() => break ended,
            _ = stopped.changed(), if !ending => {
                ending = true;
                connection.as_mut().graceful_shutdown();
            }
            () = tokio::time::sleep_until(activity.until()) => {
                if activity.is_over() {
                    tracing::debug!(?peer, "a connection that did nothing was closed");
                    return;
                }
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(?peer, error = error.as_ref(), "connection ended");
    }
}

fn busy() -> Response<AnswerBody> {
    let mut response = Response::new(whole(Bytes::new()));
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

/// A body that is there whole.
pub(crate) fn whole(body: Bytes) -> AnswerBody {
    Full::new(body).map_err(|never| match never {}).boxed()
}

/// A body that comes as it comes.
pub(crate) fn boxed<B>(body: B) -> AnswerBody
where
    B: hyper::body::Body<Data = Bytes, Error: Into<BoxError>> + Send + Sync + 'static,
{
    body.map_err(Into::into).boxed()
}
