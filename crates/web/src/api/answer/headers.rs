//! Which headers answers carry besides their own, by the place of their path, and the two ids by which an answer is found in logs.

use falconer_auth::Random;
use falconer_wire::Service;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::response::RequestHead;
use crate::PublicOrigin;

const CSP: HeaderValue = HeaderValue::from_static("report-uri /__cspreport__;default-src 'none';frame-ancestors 'none';");
/// The type of nearly all answers.
pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");
/// What pages of other origins may send.
const ALLOWED: &str = "X-Requested-With,Content-Type,Authorization,Accept,Origin,Cache-Control";
pub(crate) const ALLOWED_WITH_AT_LEAST: &str = "X-Requested-With,Content-Type,Authorization,Accept,Origin,Cache-Control,Falconer-At-Least";
/// The two ids by which an answer can be found in logs.
const TRACE_ID: HeaderName = HeaderName::from_static("x-for-trace-id");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-for-request-id");
/// What pages of other origins may send to our own API: the protocol's list, the revision that they demand, and where a stream is taken up again.
const OUR_ALLOWED: &str = "X-Requested-With,Content-Type,Authorization,Accept,Origin,Cache-Control,Falconer-At-Least,Last-Event-ID";
/// Where a follower of events has heard of everything.
pub(crate) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Revision of a mutation.
pub(crate) const REVISION: HeaderName = HeaderName::from_static("falconer-revision");
/// The id of a refusal, for whoever asks why.
pub(crate) const REFUSAL: HeaderName = HeaderName::from_static("falconer-refusal");
/// Revision that a request demands.
pub(crate) const AT_LEAST: HeaderName = HeaderName::from_static("falconer-at-least");

/// By which a caller names what its call is a part of.
pub(crate) const TRACE_HEADER: HeaderName = HeaderName::from_static("x-taskcluster-trace-id");

/// Which headers an answer carries besides its own.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Zone {
    /// Below a service's prefix: CORS, no caching.
    Service(Service),
    /// References, schemas, the OpenAPI document: for everybody, from any origin.
    Documents,
    /// Anywhere else that the API answers.
    Outside,
}

/// The headers that answers of each zone carry, put together once.
pub(crate) struct ZoneHeaders {
    auth: HeaderMap,
    falconer: HeaderMap,
    documents: HeaderMap,
    outside: HeaderMap,
    quick_auth: HeaderMap,
    quick_falconer: HeaderMap,
}

impl ZoneHeaders {
    pub(crate) fn new(origin: &PublicOrigin) -> ZoneHeaders {
        let of = |zone| of_zone(zone, origin);
        let quick = |service| {
            let mut headers = of_zone(Zone::Service(service), origin);
            headers.insert(header::CONTENT_TYPE, JSON);
            // Whoever writes the head knows the length.
            headers.remove(header::CONTENT_LENGTH);
            headers
        };
        ZoneHeaders {
            auth: of(Zone::Service(Service::Auth)),
            falconer: of(Zone::Service(Service::Falconer)),
            documents: of(Zone::Documents),
            outside: of(Zone::Outside),
            quick_auth: quick(Service::Auth),
            quick_falconer: quick(Service::Falconer),
        }
    }

    /// Of JSON that is all there.
    pub(crate) fn quick(&self, service: Service) -> &HeaderMap {
        match service {
            Service::Auth => &self.quick_auth,
            Service::Falconer => &self.quick_falconer,
        }
    }

    pub(crate) fn of(&self, zone: Zone) -> &HeaderMap {
        match zone {
            Zone::Service(Service::Auth) => &self.auth,
            Zone::Service(Service::Falconer) => &self.falconer,
            Zone::Documents => &self.documents,
            Zone::Outside => &self.outside,
        }
    }
}

/// What an answer of a zone carries, with a place for what differs from answer to answer: taking one away is cheap, one more makes the map grow.
pub(crate) fn of_zone(zone: Zone, origin: &PublicOrigin) -> HeaderMap {
    const LATER: HeaderValue = HeaderValue::from_static("");
    let mut headers = HeaderMap::with_capacity(20);
    for name in [header::CONTENT_TYPE, header::CONTENT_LENGTH, TRACE_ID, REQUEST_ID] {
        headers.insert(name, LATER);
    }
    crate::http::headers::always(&mut headers, origin);
    headers.insert(header::CONTENT_SECURITY_POLICY, CSP);
    match zone {
        Zone::Service(service) => cors(&mut headers, service),
        Zone::Documents => {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        }
        Zone::Outside => {}
    }
    if zone != Zone::Outside {
        headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    headers
}

fn cors(headers: &mut HeaderMap, service: Service) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("900"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("OPTIONS,GET,HEAD,POST,PUT,DELETE,TRACE,CONNECT"));
    headers.insert(header::ACCESS_CONTROL_REQUEST_METHOD, HeaderValue::from_static("*"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store no-cache must-revalidate"));
    if service == Service::Falconer {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(OUR_ALLOWED));
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("Falconer-Revision"));
    } else {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(ALLOWED));
    }
}

/// The protocol's own list goes out word for word, unless somebody asks whether our header may be sent too.
pub(crate) fn may_send_at_least(request: &RequestHead) -> bool {
    let wanted = request.headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS).and_then(|v| v.to_str().ok()).unwrap_or_default();
    wanted.split(',').any(|name| name.trim().eq_ignore_ascii_case(AT_LEAST.as_str()))
}

/// The two ids by which an answer can be found in logs.
pub(crate) fn trace(headers: &mut HeaderMap, given: Option<HeaderValue>, random: &dyn Random) {
    let fresh =
        || HeaderValue::from_str(uuid(random).encode_lower(&mut uuid::Uuid::encode_buffer())).unwrap_or(HeaderValue::from_static(""));
    headers.insert(TRACE_ID, given.unwrap_or_else(fresh));
    headers.insert(REQUEST_ID, fresh());
}

/// A version 4 UUID.
pub(crate) fn fresh_uuid(random: &dyn Random) -> String {
    uuid(random).to_string()
}

fn uuid(random: &dyn Random) -> uuid::fmt::Hyphenated {
    let mut bytes = [0; 16];
    random.fill(&mut bytes);
    uuid::Builder::from_random_bytes(bytes).into_uuid().hyphenated()
}
