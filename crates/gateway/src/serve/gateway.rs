use std::net::SocketAddr;
use std::sync::Arc;

use http::{Request, Response};
use hyper::body::Incoming;
use tokio::net::TcpListener;

use super::listener::{AnswerBody, Limits, Service, accept, whole};
use super::reverse_proxy::ReverseProxy;
use crate::decide::Gateway;
use crate::forward;
use crate::rules::{Dialect, Place};

const LIMITS: Limits = Limits { connections: 2048, http2: true };

/// What the gateway is to what asks it.
#[derive(Clone)]
enum Standing {
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
    let standing = match &gateway.settings().place {
        Some(Place::Beside(dialect)) => Standing::Beside(Arc::clone(&gateway), *dialect),
        Some(Place::InFrontOf(upstream)) => Standing::InFrontOf(Arc::new(ReverseProxy::new(Arc::clone(&gateway), upstream.clone()))),
        None => return Served::NoPlace,
    };
    if accept(listener, standing, LIMITS, shutdown).await { Served::Done } else { Served::CutOff }
}

impl Service<SocketAddr> for Standing {
    async fn answer(&self, request: Request<Incoming>, peer: SocketAddr) -> Response<AnswerBody> {
        match self {
            Standing::Beside(gateway, Dialect::Envoy) if request.uri().path() == forward::envoy_grpc::CHECK => {
                forward::envoy_grpc::check(gateway, peer.ip(), request).await
            }
            Standing::Beside(gateway, dialect) => {
                let (parts, _) = request.into_parts();
                forward::respond(gateway, *dialect, peer.ip(), &parts).await.map(whole)
            }
            Standing::InFrontOf(proxy) => proxy.answer(request, peer.ip()).await,
        }
    }
}
