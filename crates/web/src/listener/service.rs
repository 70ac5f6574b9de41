//! What the listener hands each request to. The calls that services need all the time have a way of their own. The rest of the API is found by its raw path, the
//! pages through their router.
//!
//! Calls of the API do not go through the router. There are too many of them, and a client's id in a path may hold what a router would take apart.

use std::net::{IpAddr, SocketAddr};
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use falconer_traces::{Active, Tracer};
use http::HeaderMap;
use tokio::runtime::Handle;
use tokio::task::{JoinError, JoinSet};
use tower::ServiceExt;

use super::in_flight::Outgoing;
use crate::api::{self, Api, quick};
use crate::http::arriving::PeekedBody;
use crate::http::guard::guard;
use crate::http::problem::Problem;
use crate::http::warnings::OncePerMinute;
use crate::metrics::{Answered, Metrics, spans};
use crate::pages::assets;
use crate::{Network, Peer, Web, client_address, pages, scim};

/// Answers requests. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub struct HttpService(Kind);

#[derive(Clone)]
enum Kind {
    FalconerService(Arc<FalconerService>),
    /// The same with a span for each request. Of its own, so that nothing is asked where there are none.
    Traced(Arc<FalconerService>, Arc<Tracer>),
    Other(Router),
}

struct FalconerService {
    web: Arc<Web>,
    api: Api,
    pages: Router,
    /// The runtime of all requests that are not answered quickly.
    home: Option<Handle>,
    /// Warnings about forwarded headers of peers that are not trusted.
    untrusted: OncePerMinute,
}

impl HttpService {
    /// The API, the pages, and what they load. Whatever is no path of the API is a page. Each request gets an id, limits and one log line, and no panic gets out.
    ///
    /// The calls that each request of a service needs are answered on the thread that read them. Everything else may take longer, and is answered on the runtime
    /// that this is called on, so that it does not hold up the others.
    pub fn new(web: Arc<Web>) -> HttpService {
        let (auth, login, grants) = (Arc::clone(&web.auth), Arc::clone(&web.login), Arc::clone(&web.grants));
        let api = Api::new(auth, login, grants, web.settings.clone(), Arc::clone(&web.random), Arc::clone(&web.metrics));
        let pages = assets::router().merge(pages::router(Arc::clone(&web)));
        let traces = web.traces.clone();
        let falconer = Arc::new(FalconerService { web, api, pages, home: Handle::try_current().ok(), untrusted: OncePerMinute::default() });
        HttpService(match traces {
            Some(tracer) => Kind::Traced(falconer, tracer),
            None => Kind::FalconerService(falconer),
        })
    }

    /// Answers one request.
    pub async fn answer(&self, request: Request) -> Response {
        let peer = request.extensions().get::<Peer>().copied();
        let mut request = request.map(PeekedBody::of);
        match self.answer_quickly(peer, &mut request, &AtomicBool::default()).await {
            Some(response) => response.map(Body::from),
            None => self.answer_any(request.map(Body::new)).await,
        }
    }

    /// Answers one of the calls that each request of a service needs, where it came in the usual form and at once. `None`: the request is as it was.
    pub(super) async fn answer_quickly<B>(
        &self,
        peer: Option<Peer>,
        request: &mut http::Request<PeekedBody<B>>,
        is_asked: &AtomicBool,
    ) -> Option<http::Response<Outgoing>>
    where
        B: http_body::Body<Data = Bytes, Error = axum::Error> + Unpin,
    {
        match &self.0 {
            Kind::FalconerService(falconer) => quick::answer::<_, false>(&falconer.web, &falconer.api, peer, request, is_asked).await,
            Kind::Traced(falconer, tracer) => {
                let span = spans::begin(tracer, request.headers());
                let method = request.method().clone();
                let answered = Box::pin(quick::answer::<_, true>(&falconer.web, &falconer.api, peer, request, is_asked));
                let Some(response) = span.within(answered).await else {
                    request.extensions_mut().insert(span);
                    return None;
                };
                spans::end(&span, &method, response.status());
                Some(response)
            }
            Kind::Other(_) => None,
        }
    }

    /// Answers any request.
    pub(super) async fn answer_any(&self, request: Request) -> Response {
        match &self.0 {
            Kind::FalconerService(falconer) => guard(&falconer.web, request, |request| Arc::clone(falconer).answer(request)).await,
            Kind::Traced(falconer, tracer) => {
                let mut request = request;
                let begun = request.extensions_mut().remove::<Active>();
                let span = begun.unwrap_or_else(|| spans::begin(tracer, request.headers()));
                let method = request.method().clone();
                let answered = Box::pin(guard(&falconer.web, request, |request| Arc::clone(falconer).answer(request)));
                let response = span.within(answered).await;
                spans::end(&span, &method, response.status());
                response
            }
            Kind::Other(routes) => routes.clone().oneshot(request).await.into_response(),
        }
    }

    /// From now on the heartbeat says that this server ends, so that whoever asks it sends requests elsewhere.
    pub(super) fn announce_end(&self) {
        if let Kind::FalconerService(falconer) | Kind::Traced(falconer, _) = &self.0 {
            falconer.api.announce_end();
        }
    }

    /// Counts something of a connection.
    pub(super) fn count(&self, of: impl Fn(&Metrics) -> &AtomicU64) {
        if let Kind::FalconerService(falconer) | Kind::Traced(falconer, _) = &self.0 {
            of(&falconer.web.metrics).fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether a peer is a proxy that tells whom it speaks for.
    pub(super) fn trusts(&self, peer: IpAddr) -> bool {
        self.trusted().iter().any(|network| network.contains(peer))
    }

    /// The address that a request comes from.
    pub(super) fn address(&self, peer: SocketAddr, headers: &HeaderMap) -> IpAddr {
        client_address(Some(&Peer(peer)), headers, self.trusted())
    }

    fn trusted(&self) -> &[Network] {
        match &self.0 {
            Kind::FalconerService(falconer) | Kind::Traced(falconer, _) => &falconer.web.settings.trusted_proxies,
            Kind::Other(_) => &[],
        }
    }
}

/// Routes of somebody else, as they are.
impl From<Router> for HttpService {
    fn from(routes: Router) -> HttpService {
        HttpService(Kind::Other(routes))
    }
}

impl FalconerService {
    async fn answer(self: Arc<Self>, request: Request) -> Response {
        self.warn_of_untrusted(&request);
        match &self.home {
            Some(home) if !api::is_quick(&request) => {
                let changes = !request.method().is_safe();
                let mut task = JoinSet::new();
                // Whoever gives up waiting ends the task.
                task.spawn_on(falconer_traces::carry(Arc::clone(&self).answer_here(request)), home);
                match task.join_next().await.map(|done| done.map_err(JoinError::try_into_panic)) {
                    Some(Ok(response)) => response,
                    Some(Err(Ok(panic))) => resume_unwind(panic),
                    // The runtime is going down.
                    Some(Err(Err(_))) | None if changes => Problem::outcome_unknown().into_response(),
                    Some(Err(Err(_))) | None => Problem::unavailable("the server is ending").into_response(),
                }
            }
            _ => self.answer_here(request).await,
        }
    }

    /// A proxy that is not trusted is the one mistake that makes all visitors one, and every signed call a 401.
    fn warn_of_untrusted(&self, request: &Request) {
        let Some(name) =
            ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-port"].iter().find(|name| request.headers().contains_key(**name))
        else {
            return;
        };
        let Some(Peer(peer)) = request.extensions().get::<Peer>() else { return };
        let is_trusted = self.web.settings.trusted_proxies.iter().any(|network| network.contains(peer.ip()));
        if !is_trusted && self.untrusted.may_speak(self.web.clock.now_ms()) {
            tracing::warn!(
                %peer,
                header = *name,
                "a forwarded header counts for nothing, because this peer is not in trusted_proxies (said at most once a minute)"
            );
        }
    }

    async fn answer_here(self: Arc<Self>, request: Request) -> Response {
        if api::owns(request.uri().path()) {
            self.api.answer(request).await
        } else if scim::owns(request.uri().path()) {
            falconer_traces::name("scim");
            Box::pin(scim::answer(&self.web, request)).await
        } else {
            falconer_traces::name("page");
            let began = Instant::now();
            let response = Box::pin(self.pages.clone().oneshot(request)).await.into_response();
            self.web.metrics.answered(Answered::Page, response.status(), began.elapsed());
            response
        }
    }
}
