//! The calls that each request of a service needs, in the form in which nearly all services send them: answered from the head and the body, before anything is
//! made that only other requests need.
//!
//! The answer is the one that the long way gives, with the same guards around it. Whatever is unusual about a head, a body that did not come with its head, and
//! whatever the short way does not answer, goes the long way as it came.

use std::pin::pin;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use axum::body::Bytes;
use falconer_auth::Unable;
use falconer_traces::Kind;
use falconer_wire::{Call, Service};
use http::{HeaderValue, Method, Version};

use super::answer::headers::{AT_LEAST, TRACE_HEADER};
use super::answer::response::respond_quickly;
use super::{Api, QUICK_BYTES, VERIFICATION};
use crate::http::arriving::{BodyProgress, PeekedBody};
use crate::http::guard::{ErrorShape, line_of, logs_heads, note, within_limits};
use crate::http::log::RequestId;
use crate::listener::in_flight::Outgoing;
use crate::metrics::Answered;
use crate::{Peer, Web, WebSettings};

/// Extension of a request that was tried here and has to go the long way: why this node can't tell, or nothing where something about it is unusual.
#[derive(Clone)]
pub(crate) struct Tried(pub(crate) Option<Unable>);

/// What the answer depends on of a usual head.
struct UsualHead {
    service: Service,
    call: Call,
    trace_id: Option<HeaderValue>,
}

/// Answers such a call. `None`: the request goes the long way, and is as it was. It stays where it is: each move of it would cost as much as looking at its headers.
///
/// `TRACED`: within a span. What is only done there takes no instruction where there is none.
pub(crate) async fn answer<B, const TRACED: bool>(
    web: &Web,
    api: &Api,
    peer: Option<Peer>,
    request: &mut http::Request<PeekedBody<B>>,
    is_asked: &AtomicBool,
) -> Option<http::Response<Outgoing>>
where
    B: http_body::Body<Data = Bytes, Error = axum::Error> + Unpin,
{
    let UsualHead { service, call, trace_id } = UsualHead::of(request, peer, &web.settings)?;
    let started = Instant::now();
    let body = request.body_mut().whole(is_asked).await?;
    let mut random = [0_u8; 5];
    web.random.fill(&mut random);
    let id = RequestId::new(random);
    let outcome = {
        // Stays where it is: it holds much, and would be moved into what waits for it.
        let reply = pin!(async {
            let reply = api.quick_reply(call, &body);
            if TRACED { falconer_traces::step(VERIFICATION, Kind::Internal, |_| false, reply).await } else { reply.await }
        });
        within_limits(web, started, &id, true, &BodyProgress::default(), reply).await
    };
    if TRACED && let Some(method) = falconer_wire::Method::of(call) {
        falconer_traces::name(method.name);
    }
    let (response, by, label) = match outcome {
        Ok(reply) => {
            let (reply, unable) = match reply.transpose() {
                Ok(reply) => (reply, None),
                Err(unable) => (None, Some(unable)),
            };
            let written = reply.and_then(|reply| respond_quickly(api.zone_headers.quick(service), trace_id, reply, api.random.as_ref()));
            let Some((response, label)) = written else {
                request.body_mut().put_back(body);
                request.extensions_mut().insert(Tried(unable));
                return None;
            };
            (response, Answered::Call(call), label)
        }
        Err(problem) => (ErrorShape::of(request).answer(problem, web, &id).map(Outgoing::from), Answered::Nobody, None),
    };
    let took = started.elapsed();
    web.metrics.answered(by, response.status(), took);
    note(web, &line_of(id, request.method(), request.uri(), response.status(), took, label.and_then(|label| label.reason())));
    Some(response)
}

impl UsualHead {
    /// Looks at each header once. `None`: something needs a closer look, be it only to be refused.
    fn of<B: http_body::Body>(request: &http::Request<B>, peer: Option<Peer>, settings: &WebSettings) -> Option<UsualHead> {
        let uri = request.uri();
        let (service, call) = match uri.path() {
            "/api/falconer/v1/check" => (Service::Falconer, Call::Check),
            "/api/falconer/v1/checks" => (Service::Falconer, Call::Checks),
            "/api/auth/v1/authenticate-hawk" if !settings.limits.lists_need_scope => (Service::Auth, Call::AuthenticateHawk),
            _ => return None,
        };
        let is_short = uri.path().len() <= settings.limits.url_bytes && request.body().size_hint().upper()? <= QUICK_BYTES;
        let is_plain = uri.query().is_none() && uri.authority().is_none() && request.version() == Version::HTTP_11;
        if request.method() != Method::POST || !is_short || !is_plain || logs_heads() {
            return None;
        }
        let (mut bytes, mut hosts, mut types, mut forwarded, mut trace_id) = (0, 0, 0, false, None);
        for (name, value) in request.headers() {
            let name = name.as_str();
            bytes += name.len() + value.len() + 4;
            match name {
                "host" => hosts += 1,
                "content-type" if value.as_bytes() == b"application/json" => types += 1,
                "x-forwarded-for" | "x-forwarded-proto" | "x-forwarded-port" => forwarded = true,
                // The first counts.
                _ if *name == TRACE_HEADER => trace_id = trace_id.or_else(|| Some(value.clone())),
                // A signature of the call itself, a body that is not what it looks like, or something that the answer depends on.
                "authorization" | "content-type" | "content-encoding" | "transfer-encoding" | "access-control-request-headers" => {
                    return None;
                }
                _ if *name == AT_LEAST => return None,
                _ => {}
            }
        }
        // Whoever forwards without being trusted is warned of.
        let is_trusted = |peer: Peer| settings.trusted_proxies.iter().any(|network| network.contains(peer.0.ip()));
        let is_usual = bytes <= settings.limits.header_bytes && hosts == 1 && types == 1 && (!forwarded || peer.is_some_and(is_trusted));
        is_usual.then_some(UsualHead { service, call, trace_id })
    }
}
