use std::convert::Infallible;
use std::net::SocketAddr;
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
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::reverse_proxy::ReverseProxy;
use crate::decide::Gateway;
use crate::forward;
use crate::rules::{Dialect, Place};

/// Connections at once; more wait to be accepted.
const MOST_CONNECTIONS: usize = 2048;
/// From a connection, or the end of an answer, to the end of the next head.
const HEAD: Duration = Duration::from_secs(75);
/// What is under way when the gateway is told to end may take so long.
const DRAIN: Duration = Duration::from_secs(15);
/// Bytes of the head of a request.
const HEAD_BYTES: usize = 48 * 1024;

/// The body of an answer.
pub(crate) type AnswerBody = BoxBody<Bytes, hyper::Error>;

/// What answers requests.
#[derive(Clone)]
enum Service {
    Beside(Arc<Gateway>, Dialect),
    InFrontOf(Arc<ReverseProxy>),
}

/// How serving ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Served {
    /// Everything under way was finished.
    Done,
    /// Something took too long, and was cut off.
    CutOff,
    /// The rules name neither `proxy` nor `upstream`.
    NoPlace,
}

/// Serves until `shutdown`.
pub async fn serve(listener: TcpListener, gateway: Gateway, shutdown: impl Future<Output = ()>) -> Served {
    let gateway = Arc::new(gateway);
    let service = match &gateway.settings().place {
        Some(Place::Beside(dialect)) => Service::Beside(Arc::clone(&gateway), *dialect),
        Some(Place::InFrontOf(upstream)) => Service::InFrontOf(Arc::new(ReverseProxy::new(Arc::clone(&gateway), upstream.clone()))),
        None => return Served::NoPlace,
    };
    let connections = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let (stop, stopped) = watch::channel(());
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accepted = async {
            let permit = Arc::clone(&connections).acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            accepted = accepted => accepted,
            () = shutdown.as_mut() => break,
        };
        match (permit, accepted) {
            (Ok(permit), Ok((stream, peer))) => {
                tokio::spawn(connection(stream, peer, service.clone(), stopped.clone(), permit));
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
    let all = u32::try_from(MOST_CONNECTIONS).unwrap_or(u32::MAX);
    match tokio::time::timeout(DRAIN, connections.acquire_many(all)).await {
        Ok(_) => Served::Done,
        Err(_) => Served::CutOff,
    }
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    service: Service,
    mut stopped: watch::Receiver<()>,
    _permit: OwnedSemaphorePermit,
) {
    let _ = stream.set_nodelay(true);
    let mut builder = Builder::new(TokioExecutor::new());
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
        tracing::debug!(%peer, error = error.as_ref(), "connection ended");
    }
}

impl Service {
    async fn answer(&self, request: Request<Incoming>, peer: SocketAddr) -> Response<AnswerBody> {
        match self {
            Service::Beside(gateway, Dialect::Envoy) if request.uri().path() == forward::envoy_grpc::CHECK => {
                forward::envoy_grpc::check(gateway, peer.ip(), request).await
            }
            Service::Beside(gateway, dialect) => {
                let (parts, _) = request.into_parts();
                forward::respond(gateway, *dialect, peer.ip(), &parts).await.map(whole)
            }
            Service::InFrontOf(proxy) => proxy.answer(request, peer.ip()).await,
        }
    }
}

/// A body that is there whole.
pub(crate) fn whole(body: Bytes) -> AnswerBody {
    Full::new(body).map_err(|never| match never {}).boxed()
}
