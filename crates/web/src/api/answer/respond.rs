//! How every answer of the API looks: headers, JSON, etag, compression (`auth-api.md` section 2).

use std::cell::Cell;
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::OnceLock;
use std::time::{Duration, UNIX_EPOCH};

use axum::body::Body;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::Bytes;
use falconer_auth::{AtLeast, History, Random, Revision};
use falconer_scopes::ScopeSet;
use falconer_wire::Service;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::PublicOrigin;
use crate::listener::deadlines::Lasting;

/// Bodies of this size and more are compressed where the caller takes it.
const WORTH_COMPRESSING: usize = 1024;

const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");
const CSP: HeaderValue = HeaderValue::from_static("report-uri /__cspreport__;default-src 'none';frame-ancestors 'none';");
/// What pages of other origins may send.
const ALLOWED: &str = "X-Requested-With,Content-Type,Authorization,Accept,Origin,Cache-Control";
const ALLOWED_WITH_AT_LEAST: &str = "X-Requested-With,Content-Type,Authorization,Accept,Origin,Cache-Control,Falconer-At-Least";
/// The two ids by which an answer can be found in logs.
const TRACE_ID: HeaderName = HeaderName::from_static("x-for-trace-id");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-for-request-id");
/// What pages of other origins may send to our own API: the protocol's list, the revision that they demand, and where a stream is taken up again.
const OUR_ALLOWED: &str = "X-Requested-With,Content-Type,Authorization,Accept,Origin,Cache-Control,Falconer-At-Least,Last-Event-ID";
/// Where a follower of events has heard of everything.
pub(crate) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Revision of a mutation.
pub(crate) const REVISION: HeaderName = HeaderName::from_static("falconer-revision");
/// Revision that a request demands.
pub(crate) const AT_LEAST: HeaderName = HeaderName::from_static("falconer-at-least");

/// Which headers an answer carries besides its own.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Zone {
    /// Below a service's prefix: CORS, no caching.
    Service(Service),
    /// References, schemas, the OpenAPI document: for everybody, from any origin.
    Documents,
    /// Anywhere else that this module answers.
    Outside,
}

/// An answer before it is dressed.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) content_type: Option<HeaderValue>,
    pub(crate) body: Content,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// authenticateHawk has neither etag nor compression: its answers are for one request only.
    pub(crate) plain: bool,
}

/// What an answer says.
pub(crate) enum Content {
    Bytes(Vec<u8>),
    /// A list of scopes, whose text, etag and compressed form are kept with the set.
    Scopes(ScopeSet),
    /// Goes on for as long as the other side listens.
    Lasting(Body),
}

impl Reply {
    /// JSON with status 200, indented by two.
    pub(crate) fn json(value: &impl Serialize) -> Reply {
        Reply::json_with(StatusCode::OK, value)
    }

    pub(crate) fn json_with(status: StatusCode, value: &impl Serialize) -> Reply {
        Reply { status, ..Reply::json_bytes(pretty(value)) }
    }

    /// JSON that is written already.
    pub(crate) fn json_bytes(body: Vec<u8>) -> Reply {
        Reply { status: StatusCode::OK, content_type: Some(JSON), body: Content::Bytes(body), headers: Vec::new(), plain: false }
    }

    /// `{"scopes": [...]}`
    pub(crate) fn scopes(scopes: ScopeSet) -> Reply {
        Reply { body: Content::Scopes(scopes), ..Reply::json_bytes(Vec::new()) }
    }

    pub(crate) fn text(status: StatusCode, content_type: &'static str, body: impl Into<Vec<u8>>) -> Reply {
        Reply {
            status,
            content_type: Some(HeaderValue::from_static(content_type)),
            body: Content::Bytes(body.into()),
            headers: Vec::new(),
            plain: false,
        }
    }

    /// 204.
    pub(crate) fn no_content() -> Reply {
        Reply { status: StatusCode::NO_CONTENT, content_type: None, body: Content::Bytes(Vec::new()), headers: Vec::new(), plain: true }
    }

    /// A body that goes on for as long as the other side listens; 200.
    pub(crate) fn lasting(content_type: &'static str, body: Body) -> Reply {
        Reply { plain: true, body: Content::Lasting(body), ..Reply::text(StatusCode::OK, content_type, "") }
    }

    /// The 404 of paths that are no method: it has neither code nor message.
    pub(crate) fn unknown_path() -> Reply {
        Reply::json_with(StatusCode::NOT_FOUND, &serde_json::json!({ "error": "Not found" }))
    }

    pub(crate) fn with(mut self, name: HeaderName, value: HeaderValue) -> Reply {
        self.headers.push((name, value));
        self
    }

    /// Tells the time that signatures are judged by, to pages of other origins too: a client whose clock is wrong can set it by that.
    pub(crate) fn with_time(self, now_ms: i64) -> Reply {
        let since = Duration::from_millis(u64::try_from(now_ms).unwrap_or(0));
        let Ok(date) = HeaderValue::from_str(&httpdate::fmt_http_date(UNIX_EPOCH + since)) else { return self };
        self.with(header::DATE, date).with(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("Date"))
    }

    /// Names the revision that a mutation made, for callers who want to read their writes elsewhere.
    pub(crate) fn at_revision(self, revision: i64) -> Reply {
        self.with(REVISION, HeaderValue::from(revision))
            .with(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("Falconer-Revision"))
    }

    /// The same with the epoch in front, where the number alone does not say which revision is meant.
    pub(crate) fn in_history(mut self, history: impl Fn() -> History) -> Reply {
        for (_, value) in self.headers.iter_mut().filter(|(name, _)| *name == REVISION) {
            let number = value.to_str().ok().and_then(|text| text.parse().ok());
            let text = number.map(|number| AtLeast::text(history(), Revision(number)));
            *value = text.and_then(|text| text.parse().ok()).unwrap_or_else(|| value.clone());
        }
        self
    }
}

/// What dressing needs to know of the request.
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    pub(crate) zone: Zone,
}

/// The headers that answers of each zone carry, put together once.
pub(crate) struct Wardrobe {
    auth: HeaderMap,
    falconer: HeaderMap,
    documents: HeaderMap,
    outside: HeaderMap,
}

impl Wardrobe {
    pub(crate) fn new(origin: &PublicOrigin) -> Wardrobe {
        let of = |zone| always(zone, origin);
        Wardrobe {
            auth: of(Zone::Service(Service::Auth)),
            falconer: of(Zone::Service(Service::Falconer)),
            documents: of(Zone::Documents),
            outside: of(Zone::Outside),
        }
    }

    fn of(&self, zone: Zone) -> &HeaderMap {
        match zone {
            Zone::Service(Service::Auth) => &self.auth,
            Zone::Service(Service::Falconer) => &self.falconer,
            Zone::Documents => &self.documents,
            Zone::Outside => &self.outside,
        }
    }
}

/// Dresses a reply.
pub(crate) fn finish(wardrobe: &Wardrobe, asked: &Asked, reply: Reply, random: &dyn Random) -> Response {
    let Reply { mut status, content_type, body, headers: own, plain } = reply;
    let mut headers = wardrobe.of(asked.zone).clone();
    if asked.zone == Zone::Service(Service::Auth) && may_send_at_least(asked) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(ALLOWED_WITH_AT_LEAST));
    }
    if status == StatusCode::NO_CONTENT {
        headers.remove(header::VARY);
    }
    trace(&mut headers, asked, random);
    match content_type {
        Some(content_type) => drop(headers.insert(header::CONTENT_TYPE, content_type)),
        None => drop(headers.remove(header::CONTENT_TYPE)),
    }
    let (bytes, lasting) = match body {
        Content::Lasting(lasting) => (Bytes::new(), Some(lasting)),
        Content::Bytes(bytes) if plain => (Bytes::from(bytes), None),
        Content::Bytes(bytes) => {
            let (etag, bytes) = (etag(bytes.len(), &bytes), Bytes::from(bytes));
            (presented(asked, &mut status, &mut headers, etag, bytes.len(), || Some(gzip(&bytes)?.into()), || bytes.clone()), None)
        }
        Content::Scopes(scopes) => {
            // Who makes what is kept has the text at hand.
            let fresh = Cell::new(None);
            let text = || fresh.take().unwrap_or_else(|| listed(&scopes));
            let known = scopes.made(|scopes| {
                let text = listed(scopes);
                let made = Presented { etag: etag(text.len(), scopes.json().as_bytes()), length: text.len(), gzip: OnceLock::new() };
                fresh.set(Some(text));
                made
            });
            let gzip = || known.gzip.get_or_init(|| gzip(&text()).map(Bytes::from)).clone();
            (presented(asked, &mut status, &mut headers, known.etag.clone(), known.length, gzip, || text().into()), None)
        }
    };
    for (name, value) in own {
        headers.insert(name, value);
    }
    if status != StatusCode::NO_CONTENT && status != StatusCode::NOT_MODIFIED && lasting.is_none() {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    } else {
        headers.remove(header::CONTENT_LENGTH);
    }
    let (body, lasts) = match lasting {
        _ if asked.method == Method::HEAD => (Body::empty(), false),
        Some(lasting) => (lasting, true),
        None => (Body::from(bytes), false),
    };
    let mut response = Response::new(body);
    if lasts {
        response.extensions_mut().insert(Lasting);
    }
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// The bytes that are sent of a body with this etag: none, compressed ones, or all.
fn presented(
    asked: &Asked,
    status: &mut StatusCode,
    headers: &mut HeaderMap,
    etag: HeaderValue,
    length: usize,
    gzip: impl FnOnce() -> Option<Bytes>,
    text: impl FnOnce() -> Bytes,
) -> Bytes {
    let fresh = is_fresh(asked, *status, &etag);
    headers.insert(header::ETAG, etag);
    if fresh {
        *status = StatusCode::NOT_MODIFIED;
        headers.remove(header::CONTENT_TYPE);
        return Bytes::new();
    }
    if length >= WORTH_COMPRESSING
        && asked.zone != Zone::Outside
        && takes_gzip(&asked.headers)
        && let Some(compressed) = gzip()
    {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        return compressed;
    }
    text()
}

/// What is kept with a set of scopes: the same answer is often given again, and compressing it costs more than all the rest.
struct Presented {
    etag: HeaderValue,
    length: usize,
    gzip: OnceLock<Option<Bytes>>,
}

/// [`falconer_wire::Scopes`] as the protocol writes it, put together from the members.
fn listed(scopes: &ScopeSet) -> Vec<u8> {
    const BETWEEN: &str = "\",\n    \"";
    if scopes.is_empty() || scopes.json().contains('\\') {
        return pretty(&falconer_wire::Scopes { scopes: scopes.to_vec() });
    }
    // INVARIANT: without a backslash in their JSON the members are the same in JSON.
    let mut text = Vec::with_capacity(32 + scopes.json().len() + scopes.len() * (BETWEEN.len() - 3));
    text.extend_from_slice(b"{\n  \"scopes\": [\n    \"");
    for (at, member) in scopes.iter().enumerate() {
        if at > 0 {
            text.extend_from_slice(BETWEEN.as_bytes());
        }
        text.extend_from_slice(member.as_bytes());
    }
    text.extend_from_slice(b"\"\n  ]\n}");
    text
}

/// JSON as the protocol writes it.
fn pretty(value: &impl Serialize) -> Vec<u8> {
    // Our shapes hold texts, numbers and lists: writing them to memory cannot fail.
    serde_json::to_vec_pretty(value).unwrap_or_default()
}

/// What an answer of a zone carries, with a place for what differs from answer to answer: taking one away is cheap, one more makes the map grow.
fn always(zone: Zone, origin: &PublicOrigin) -> HeaderMap {
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
fn may_send_at_least(asked: &Asked) -> bool {
    let wanted = asked.headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS).and_then(|v| v.to_str().ok()).unwrap_or_default();
    wanted.split(',').any(|name| name.trim().eq_ignore_ascii_case(AT_LEAST.as_str()))
}

/// The two ids by which an answer can be found in logs.
fn trace(headers: &mut HeaderMap, asked: &Asked, random: &dyn Random) {
    let fresh =
        || HeaderValue::from_str(uuid(random).encode_lower(&mut uuid::Uuid::encode_buffer())).unwrap_or(HeaderValue::from_static(""));
    headers.insert(TRACE_ID, asked.headers.get("x-taskcluster-trace-id").cloned().unwrap_or_else(fresh));
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

/// The etag of a body of this length, which is the same whenever `content` is.
fn etag(length: usize, content: &[u8]) -> HeaderValue {
    let digest = Sha256::digest(content);
    let mut text = String::with_capacity(48);
    let _ = write!(text, "W/\"{length:x}-");
    STANDARD_NO_PAD.encode_string(digest.get(..20).unwrap_or_default(), &mut text);
    text.push('"');
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("W/\"0\""))
}

/// Whether the caller has this body already (`If-None-Match`, compared weakly).
fn is_fresh(asked: &Asked, status: StatusCode, etag: &HeaderValue) -> bool {
    let reading = asked.method == Method::GET || asked.method == Method::HEAD;
    let insists = asked.headers.get(header::CACHE_CONTROL).is_some_and(|v| v.to_str().is_ok_and(|v| v.contains("no-cache")));
    if !reading || !status.is_success() || insists {
        return false;
    }
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let Ok(ours) = etag.to_str().map(opaque) else { return false };
    let listed = asked.headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|v| v.to_str().ok());
    listed.flat_map(|v| v.split(',')).any(|tag| tag.trim() == "*" || opaque(tag) == ours)
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    let offers = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(','));
    let mut any = false;
    for offer in offers {
        let mut parts = offer.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let refused = parts.filter_map(|p| p.strip_prefix("q=")).any(|q| q.parse::<f32>().is_ok_and(|q| q <= 0.0));
        if name.eq_ignore_ascii_case("gzip") {
            return !refused;
        }
        any |= name == "*" && !refused;
    }
    any
}

/// Compressed; nothing where that fails, and the body is sent as it is.
fn gzip(body: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::with_capacity(body.len() / 4), flate2::Compression::fast());
    encoder.write_all(body).and_then(|()| encoder.finish()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_listed_as_their_shape_is_written() {
        for scopes in [&[][..], &["a"], &["a", "b*", "c d"], &["a\"b", "c\\d"], &["\u{e9}", "\u{7f}"], &["\t"]] {
            let scopes = ScopeSet::new(scopes);
            assert_eq!(listed(&scopes), pretty(&falconer_wire::Scopes { scopes: scopes.to_vec() }));
        }
    }
}
