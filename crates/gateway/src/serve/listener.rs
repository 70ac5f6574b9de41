use std::convert::Infallible;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// From a connection, or the end of an answer, to the end of the next head.
const HEAD: Duration = Duration::from_secs(75);
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

    fn next(&self) -> impl Future<Output = std::io::Result<(Self::Stream, Self::Peer)>> + Send;
}

/// What answers requests.
pub(crate) trait Service<Peer>: Clone + Send + Sync + 'static {
    fn answer(&self, request: Request<Incoming>, peer: Peer) -> impl Future<Output = Response<AnswerBody>> + Send;
}

/// How connections are kept.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    /// Connections at once; more wait to be accepted.
    pub(crate) connections: u32,
    /// HTTP/2 without TLS too, for whoever begins with it.
    pub(crate) http2: bool,
}

impl Accept for TcpListener {
    type Stream = tokio::net::TcpStream;
    type Peer = std::net::SocketAddr;

    async fn next(&self) -> std::io::Result<(Self::Stream, Self::Peer)> {
        let (stream, peer) = self.accept().await?;
        let _ = stream.set_nodelay(true);
        Ok((stream, peer))
    }
}

#[cfg(unix)]
impl Accept for tokio::net::UnixListener {
    type Stream = tokio::net::UnixStream;
    type Peer = ();

    async fn next(&self) -> std::io::Result<(Self::Stream, ())> {
        Ok((self.accept().await?.0, ()))
    }
}

/// Accepts until `shutdown`. `false`: something under way took too long after that, and is cut off.
pub(crate) async fn accept<L: Accept, S: Service<L::Peer>>(
    listener: L,
    service: S,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) -> bool {
    let connections = Arc::new(Semaphore::new(limits.connections as usize));
    let (stop, stopped) = watch::channel(());
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accepted = async {
            let permit = Arc::clone(&connections).acquire_owned().await;
            (permit, listener.next().await)
        };
        let (permit, accepted) = tokio::select! {
            accepted = accepted => accepted,
            () = shutdown.as_mut() => break,
        };
        match (permit, accepted) {
            (Ok(permit), Ok((stream, peer))) => {
                tokio::spawn(connection(stream, peer, service.clone(), limits.http2, stopped.clone(), permit));
            }
            (_, Err(error)) => {
                tracing::warn!(%error, "accepting a connection failed");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            (Err(_), _) => break,
        }
    }
    drop(listener);
    let _ = stop.send(());
    tokio::time::timeout(DRAIN, connections.acquire_many(limits.connections)).await.is_ok()
}

async fn connection<Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static, Peer: Copy + Debug + Send + 'static>(
    stream: Stream,
    peer: Peer,
    service: impl Service<Peer>,
    http2: bool,
    mut stopped: watch::Receiver<()>,
    _permit: OwnedSemaphorePermit,
) {
    let mut builder = Builder::new(TokioExecutor::new());
    if !http2 {
        builder = builder.http1_only();
    }
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(HEAD_BYTES);
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(128).max_header_list_size(HEAD_BYTES as u32);
    let answer = service_fn(move |request: Request<Incoming>| {
        let service = service.clone();
        async move { Ok::<_, Infallible>(service.answer(request, peer).await) }
    });
    let mut connection = std::pin::pin!(builder.serve_connection_with_upgrades(TokioIo::new(stream), answer));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        _ = stopped.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(?peer, error = error.as_ref(), "connection ended");
    }
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
