//! The response that a reply becomes.

use std::cell::Cell;
use std::sync::OnceLock;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use falconer_auth::Random;
use falconer_wire::Service;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, StatusCode};

use super::encoding::{Encoded, chosen, etag, gzip};
use super::encodings::Encodings;
use super::headers::{ALLOWED_WITH_AT_LEAST, TRACE_HEADER, Zone, ZoneHeaders, may_send_at_least, trace};
use super::reply::{Content, Reply, listed};
use crate::listener::deadlines::Streaming;
use crate::listener::in_flight::Outgoing;
use crate::listener::parts::Parts;
use crate::metrics::Label;

/// What the answer depends on of its request.
pub(crate) struct RequestHead {
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    pub(crate) zone: Zone,
}

/// Makes the response of a reply.
pub(crate) fn respond(
    zone_headers: &ZoneHeaders,
    encodings: &Encodings,
    request: &RequestHead,
    reply: Reply,
    random: &dyn Random,
) -> Response {
    let Reply { mut status, content_type, body, headers: own, plain, reason } = reply;
    let mut headers = zone_headers.of(request.zone).clone();
    if request.zone == Zone::Service(Service::Auth) && may_send_at_least(request) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(ALLOWED_WITH_AT_LEAST));
    }
    if status == StatusCode::NO_CONTENT {
        headers.remove(header::VARY);
    }
    trace(&mut headers, request.headers.get(TRACE_HEADER).cloned(), random);
    match content_type {
        Some(content_type) => drop(headers.insert(header::CONTENT_TYPE, content_type)),
        None => drop(headers.remove(header::CONTENT_TYPE)),
    }
    let (bytes, streaming) = match body {
        Content::Streaming(streaming) => (Bytes::new(), Some(streaming)),
        Content::Bytes(bytes) if plain => (Bytes::from(bytes), None),
        // INVARIANT: such an answer is plain.
        Content::Parts(parts) => (Bytes::from(parts), None),
        Content::Bytes(bytes) => {
            let (etag, bytes) = (etag(bytes.len(), &bytes), Bytes::from(bytes));
            (chosen(request, &mut status, &mut headers, etag, bytes.len(), || Some(gzip(&bytes)?.into()), || bytes.clone()), None)
        }
        Content::Secret(bytes) => {
            let (etag, bytes) = (etag(bytes.len(), &bytes), Bytes::from_owner(bytes));
            (chosen(request, &mut status, &mut headers, etag, bytes.len(), || None, || bytes.clone()), None)
        }
        Content::Document(document) => {
            let (known, text) = (&document.encoded, || document.text.clone());
            let gzip = || known.gzip.get_or_init(|| gzip(&document.text).map(Bytes::from)).clone();
            (chosen(request, &mut status, &mut headers, known.etag.clone(), known.length, gzip, text), None)
        }
        Content::Scopes(scopes) => {
            // Who makes what is kept has the text at hand.
            let fresh = Cell::new(None);
            let text = || fresh.take().unwrap_or_else(|| listed(&scopes));
            let known = encodings.of(&scopes, || {
                let text = listed(&scopes);
                let encoded = Encoded { etag: etag(text.len(), scopes.json_bytes()), length: text.len(), gzip: OnceLock::new() };
                fresh.set(Some(text));
                encoded
            });
            let gzip = || known.gzip.get_or_init(|| gzip(&text()).map(Bytes::from)).clone();
            (chosen(request, &mut status, &mut headers, known.etag.clone(), known.length, gzip, || text().into()), None)
        }
    };
    for (name, value) in own {
        headers.insert(name, value);
    }
    if status != StatusCode::NO_CONTENT && status != StatusCode::NOT_MODIFIED && streaming.is_none() {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    } else {
        headers.remove(header::CONTENT_LENGTH);
    }
    let (body, lasts) = match streaming {
        _ if request.method == Method::HEAD => (Body::empty(), false),
        Some(streaming) => (streaming, true),
        None => (Body::from(bytes), false),
    };
    let mut response = Response::new(body);
    if lasts {
        response.extensions_mut().insert(Streaming);
    }
    if let Some(reason) = reason {
        response.extensions_mut().insert(reason);
    }
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// The same of a reply that is all there and neither compressed nor named by an etag. `headers` are those of [`ZoneHeaders::quick`]. `None`: it is another one.
pub(crate) fn respond_quickly(
    headers: &HeaderMap,
    trace_id: Option<HeaderValue>,
    reply: Reply,
    random: &dyn Random,
) -> Option<(http::Response<Outgoing>, Option<Label>)> {
    let Reply { status, content_type: Some(_), body, headers: own, plain: true, reason } = reply else {
        return None;
    };
    let whole = match body {
        Content::Bytes(bytes) => Parts::One(bytes.into()),
        Content::Parts(parts) => parts,
        Content::Secret(_) | Content::Scopes(_) | Content::Document(_) | Content::Streaming(_) => return None,
    };
    let mut response = http::Response::new(Outgoing::Whole(whole));
    *response.status_mut() = status;
    let all = response.headers_mut();
    *all = headers.clone();
    trace(all, trace_id, random);
    for (name, value) in own {
        all.insert(name, value);
    }
    Some((response, reason))
}
