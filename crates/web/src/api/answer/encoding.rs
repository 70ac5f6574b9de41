//! Which form of a body is sent: none to whoever has it already, compressed where that is taken and worth it, or as it is.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, StatusCode};
use sha2::{Digest, Sha256};

use super::headers::Zone;
use super::response::RequestHead;

/// Bodies of this size and more are compressed where the caller takes it.
const MIN_COMPRESSED: usize = 1024;

/// What is kept with a body that is often sent: the same answer is often given again, and compressing it costs more than all the rest.
pub(crate) struct Encoded {
    pub(crate) etag: HeaderValue,
    pub(crate) length: usize,
    pub(crate) gzip: OnceLock<Option<Bytes>>,
}

/// The bytes that are sent of a body with this etag: none, compressed ones, or all.
pub(crate) fn chosen(
    request: &RequestHead,
    status: &mut StatusCode,
    headers: &mut HeaderMap,
    etag: HeaderValue,
    length: usize,
    gzip: impl FnOnce() -> Option<Bytes>,
    text: impl FnOnce() -> Bytes,
) -> Bytes {
    let fresh = is_fresh(request, *status, &etag);
    headers.insert(header::ETAG, etag);
    if fresh {
        *status = StatusCode::NOT_MODIFIED;
        headers.remove(header::CONTENT_TYPE);
        return Bytes::new();
    }
    if length >= MIN_COMPRESSED
        && request.zone != Zone::Outside
        && takes_gzip(&request.headers)
        && let Some(compressed) = gzip()
    {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        return compressed;
    }
    text()
}

/// The etag of a body of this length, which is the same whenever `content` is.
pub(crate) fn etag(length: usize, content: &[u8]) -> HeaderValue {
    let digest = Sha256::digest(content);
    let mut text = String::with_capacity(48);
    let _ = write!(text, "W/\"{length:x}-");
    STANDARD_NO_PAD.encode_string(digest.get(..20).unwrap_or_default(), &mut text);
    text.push('"');
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("W/\"0\""))
}

/// Whether the caller has this body already (`If-None-Match`, compared weakly).
fn is_fresh(request: &RequestHead, status: StatusCode, etag: &HeaderValue) -> bool {
    let reading = request.method == Method::GET || request.method == Method::HEAD;
    let insists = request.headers.get(header::CACHE_CONTROL).is_some_and(|v| v.to_str().is_ok_and(|v| v.contains("no-cache")));
    if !reading || !status.is_success() || insists {
        return false;
    }
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let Ok(ours) = etag.to_str().map(opaque) else { return false };
    let listed = request.headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|v| v.to_str().ok());
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
pub(crate) fn gzip(body: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::with_capacity(body.len() / 4), flate2::Compression::fast());
    encoder.write_all(body).and_then(|()| encoder.finish()).ok()
}
