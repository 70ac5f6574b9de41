use std::net::SocketAddr;
use std::sync::Arc;

use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use tokio::net::TcpListener;

use super::incoming::IncomingBody;
use super::listener::{AnswerBody, Limits, PerAddressLimit, Service, accept, whole};
use super::reverse_proxy::ReverseProxy;
use super::threads::{self, accept_on_threads};
use crate::decide::InUse;
use crate::forward;
use crate::rules::{Dialect, Place};

const CONNECTIONS: u32 = 2048;
/// Whoever collects metrics.
const FOR_METRICS: Limits = Limits { connections: 16, http2: false, per_address: None };

/// What the gateway is to what asks it.
#[derive(Clone)]
enum Standing {
    Beside(InUse, Dialect),
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

/// Serves until `shutdown`. `metrics`: where `GET /metrics` is answered, and nothing else.
pub async fn serve(listener: TcpListener, metrics: Option<TcpListener>, in_use: InUse, shutdown: impl Future<Output = ()>) -> Served {
    let Some(place) = in_use.now().settings().place.clone() else { return Served::NoPlace };
    let services = in_use.on_threads(threads::count()).into_iter().map(|in_use| match &place {
        Place::Beside(dialect) => Standing::Beside(in_use, *dialect),
        Place::InFrontOf(upstream) => Standing::InFrontOf(Arc::new(ReverseProxy::new(in_use, upstream.clone()))),
    });
    // These proxies ask over HTTP/1 only, so that nobody has to look which it is.
    let http2 = !matches!(place, Place::Beside(Dialect::Nginx | Dialect::Haproxy));
    let limits = Limits { connections: CONNECTIONS, http2, per_address: Some(PerAddressLimit { in_use: in_use.clone() }) };
    let serving = accept_on_threads(listener, services.collect(), limits, shutdown);
    let serving = async {
        serving.await.unwrap_or_else(|error| {
            tracing::error!(%error, "the gateway can't serve");
            false
        })
    };
    let done = match metrics {
        Some(metrics) => tokio::select! {
            done = serving => done,
            // It is never told to end.
            _ = accept(metrics, MetricsPage(in_use), FOR_METRICS, std::future::pending()) => false,
        },
        None => serving.await,
    };
    if done { Served::Done } else { Served::CutOff }
}

/// What operators may know of a gateway.
#[derive(Clone)]
struct MetricsPage(InUse);

impl Service<SocketAddr> for MetricsPage {
    async fn answer(&self, request: Request<IncomingBody>, _: SocketAddr) -> Response<AnswerBody> {
        let is_page = request.uri().path() == "/metrics";
        let (status, text) = match request.method() {
            &Method::GET | &Method::HEAD if is_page => (StatusCode::OK, self.0.now().metrics_text()),
            _ if is_page => (StatusCode::METHOD_NOT_ALLOWED, String::new()),
            _ => (StatusCode::NOT_FOUND, String::new()),
        };
        let mut response = Response::new(whole(text.into()));
        *response.status_mut() = status;
        let content_type = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
        response.headers_mut().insert(header::CONTENT_TYPE, content_type);
        response
    }
}

impl Service<SocketAddr> for Standing {
    async fn answer(&self, request: Request<IncomingBody>, peer: SocketAddr) -> Response<AnswerBody> {
        match self {
            Standing::Beside(in_use, Dialect::Envoy) if request.uri().path() == forward::envoy_grpc::CHECK => {
                forward::envoy_grpc::check(&in_use.now(), peer.ip(), request).await
            }
            Standing::Beside(in_use, dialect) => {
                let (parts, _) = request.into_parts();
                forward::respond(&in_use.now(), *dialect, peer.ip(), &parts).await.map(whole)
            }
            Standing::InFrontOf(proxy) => proxy.answer(request, peer.ip()).await,
        }
    }
}
