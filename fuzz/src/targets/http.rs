//! Requests: whatever a stranger sends, the answer is one of the protocol's or a page, and not large.

use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};

use falconer_web::{Network, Peer, client_address};
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderValue, Request};

use super::{Outcome, magnitude, text};
use crate::site::{Answer, HOST, send};

/// Bytes of answer that somebody without credentials is given, beside what they sent themselves.
const LARGEST: usize = 64 * 1024;

fn judge(answer: &Answer, sent: usize) -> Outcome {
    assert!(answer.status < 500, "{}: {}", answer.status, String::from_utf8_lossy(&answer.body));
    let bound = LARGEST + 4 * sent;
    assert!(answer.body.len() <= bound, "{} bytes of answer for {sent} sent", answer.body.len());
    format!("{} {}", answer.status, magnitude(answer.body.len()))
}

/// The cookies of a browser that asks for a page: none that a stranger makes up signs anybody in.
pub(super) fn cookie(bytes: &[u8]) -> Outcome {
    let Ok(value) = HeaderValue::from_bytes(bytes) else { return "no header".to_owned() };
    let mut outcome = magnitude(bytes.len()).to_string();
    for path in ["/login", "/"] {
        let request =
            Request::builder().method("GET").uri(path).header("host", HOST).header("accept", "text/html").header("cookie", value.clone());
        let Some(answer) = send(request, Vec::new()) else { return "no request".to_owned() };
        let signed_in =
            path == "/" && answer.status < 400 && !answer.location.as_deref().is_some_and(|location| location.starts_with("/login"));
        assert!(!signed_in, "somebody is signed in: {} {:?}", answer.status, answer.location);
        outcome.push_str(&format!(" {}", judge(&answer, bytes.len())));
    }
    outcome
}

/// `X-Forwarded-For` and the like, one header a line: they count from a proxy only.
pub(super) fn forwarded(bytes: &[u8]) -> Outcome {
    const NAMES: [&str; 5] = ["x-forwarded-for", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-port"];
    let mut headers = HeaderMap::new();
    for (name, line) in NAMES.into_iter().zip(bytes.split(|byte| *byte == b'\n')) {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            headers.append(name, value);
        }
    }
    let trusted: Vec<Network> = ["127.0.0.0/8", "::1/128"].iter().filter_map(|network| network.parse().ok()).collect();
    let stranger: SocketAddr = ([192, 0, 2, 7], 5555).into();
    assert_eq!(client_address(Some(&Peer(stranger)), &headers, &trusted), stranger.ip(), "a stranger chose an address");
    let proxy: SocketAddr = ([127, 0, 0, 1], 5555).into();
    let address = client_address(Some(&Peer(proxy)), &headers, &trusted);
    let body_text = text(bytes);
    let is_told =
        |address: IpAddr| body_text.contains(&address.to_string()) || address.is_ipv6() || body_text.contains(':') || address.is_loopback();
    assert!(is_told(address), "{address} comes from nowhere");

    let mut request = Request::builder().method("GET").uri("/api/auth/v1/scopes/current").header("host", HOST);
    for (name, value) in &headers {
        request = request.header(name, value);
    }
    match send(request, Vec::new()) {
        Some(answer) => format!("{} {}", address.is_loopback(), judge(&answer, bytes.len())),
        None => "no request".to_owned(),
    }
}

/// Methods that anybody can call with a body. `PUT`, where creating is another question than changing.
const CALLS: [(&str, &str); 10] = [
    ("POST", "/api/auth/v1/authenticate-hawk"),
    ("GET", "/api/auth/v1/scopes/expand"),
    ("POST", "/api/auth/v1/scopes/expand"),
    ("POST", "/api/auth/v1/test-authenticate"),
    ("PUT", "/api/auth/v1/clients/project%2Frobot"),
    ("POST", "/api/auth/v1/roles/project-role"),
    ("GET", "/api/auth/v1/ping"),
    ("POST", "/api/falconer/v1/import"),
    ("POST", "/api/falconer/v1/check"),
    ("POST", "/api/falconer/v1/checks"),
];

/// A body. Its first line says which method is called, how it is encoded and of what type it is: `0 gzip application/json`.
pub(super) fn json_body(bytes: &[u8]) -> Outcome {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (head, body) = bytes.split_at(end);
    let (head, body) = (text(head), body.get(1..).unwrap_or_default());
    let mut words = head.splitn(3, ' ');
    let number: usize = words.next().and_then(|word| word.parse().ok()).unwrap_or_default();
    let (encoding, kind) = (words.next().unwrap_or_default(), words.next().unwrap_or("application/json"));
    let Some((method, path)) = CALLS.get(number % CALLS.len()) else { return "never".to_owned() };
    let mut request = Request::builder().method(*method).uri(*path).header("host", HOST).header("content-type", kind);
    if !encoding.is_empty() {
        request = request.header("content-encoding", encoding);
    }
    // Sound gzip of an unsound text, too: the other way hardly ever gets past its sum.
    let body = if encoding == "gzip" && !body.starts_with(&[0x1f, 0x8b]) { gzip(body) } else { body.to_vec() };
    let sent = bytes.len();
    match send(request, body) {
        Some(answer) => format!("{number} {}", judge(&answer, sent)),
        None => "no request".to_owned(),
    }
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing to a Vec can't fail.
    let _ = encoder.write_all(body);
    encoder.finish().unwrap_or_default()
}

/// A method, a path and a query: `GET /api/auth/v1/clients/?prefix=a`.
pub(super) fn api_path(bytes: &[u8]) -> Outcome {
    let text = text(bytes);
    let (method, path) = text.split_once(' ').unwrap_or(("GET", &text));
    // The others have routes of their own, which are pages'.
    let path = if path.starts_with("/api/") { path.to_owned() } else { format!("/api/auth/v1/{}", path.trim_start_matches('/')) };
    // The feed of changes does not end.
    if path.contains("/events") {
        return "the feed".to_owned();
    }
    match send(Request::builder().method(method).uri(&path).header("host", HOST), Vec::new()) {
        Some(answer) => judge(&answer, bytes.len()),
        None => "no request".to_owned(),
    }
}
