//! Request bodies: what is read within a budget, how it is decoded, and what cannot be.

use std::io::Read;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use encoding_rs::Encoding;
use falconer_wire::{Code, Method, Service};
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use http_body::Body as _;
use http_body_util::BodyExt;
use serde_json::Value;

use super::budget::{Budget, OverBudget};
use super::json::{self, DuplicateKeys, JsonError};
use super::signed::Hashed;
use crate::api::answer::echo;
use crate::api::answer::failure::Failure;
use crate::listener::quota::Full;

/// What came with a request.
pub(crate) struct Payload {
    /// The `Content-Type`, if there is a body that it could describe.
    pub(crate) content_type: Option<String>,
    /// Whether that is JSON, so that the body was read.
    pub(crate) is_json: bool,
    /// The text that a payload hash is over: empty unless it is JSON.
    pub(crate) text: String,
    /// The parsed body of a method that has a schema for it; `{}` where none was sent.
    pub(crate) json: Value,
}

impl Payload {
    pub(crate) fn hashed(&self) -> Hashed<'_> {
        Hashed { content_type: self.content_type.as_deref(), text: self.text.as_bytes() }
    }
}

/// Why a body was not taken.
pub(crate) enum NotAccepted {
    /// It is more than this budget allows; a larger one may do.
    OverBudget(OverBudget),
    /// It is wrong, whatever the budget.
    Bad(BadBody),
}

/// A body that could not be taken: what to answer, and what the answer may repeat of it.
pub(crate) struct BadBody {
    pub(crate) failure: Box<Failure>,
    pub(crate) echo: Option<Value>,
}

impl From<Failure> for NotAccepted {
    fn from(failure: Failure) -> NotAccepted {
        NotAccepted::Bad(BadBody { failure: Box::new(failure), echo: None })
    }
}

/// A body on its way in.
pub(crate) struct Incoming<'r> {
    received: Received<'r>,
    rest: Body,
    ended: bool,
}

/// What has come of a body.
pub(crate) struct Received<'r> {
    headers: &'r HeaderMap,
    content_type: Option<String>,
    is_json: bool,
    /// The first part that came: nearly always the only one.
    first: Bytes,
    /// With the first part, once there is a second.
    all: BytesMut,
}

impl<'r> Incoming<'r> {
    pub(crate) fn new(headers: &'r HeaderMap, body: Body) -> Incoming<'r> {
        let present = headers.contains_key(TRANSFER_ENCODING) || headers.contains_key(CONTENT_LENGTH) || !body.is_end_stream();
        let content_type = headers.get(CONTENT_TYPE).filter(|_| present).map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned());
        let is_json = content_type.as_deref().is_some_and(|h| media_type(h) == "application/json");
        // Other bodies than JSON are not read.
        let received = Received { headers, content_type, is_json, first: Bytes::new(), all: BytesMut::new() };
        Incoming { received, rest: body, ended: !is_json }
    }

    /// What has come so far.
    pub(crate) fn received(&self) -> &Received<'r> {
        &self.received
    }

    /// Receives the rest of the body, unless that is beyond the budget. After [`NotAccepted::OverBudget`] it may go on with a larger one.
    pub(crate) async fn receive(&mut self, budget: &Budget) -> Result<(), NotAccepted> {
        let announced = self.received.headers.get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()).and_then(|v| v.parse::<u64>().ok());
        if self.received.is_json && announced.is_some_and(|n| n > budget.bytes as u64) {
            return Err(NotAccepted::OverBudget(OverBudget::Bytes));
        }
        match tokio::time::timeout(budget.time, self.receive_bytes(budget.bytes)).await {
            Ok(received) => received,
            Err(_) => Err(NotAccepted::OverBudget(OverBudget::Time)),
        }
    }

    async fn receive_bytes(&mut self, most: usize) -> Result<(), NotAccepted> {
        while !self.ended {
            if self.received.bytes().len() > most {
                return Err(NotAccepted::OverBudget(OverBudget::Bytes));
            }
            let Some(frame) = self.rest.frame().await else {
                self.ended = true;
                break;
            };
            // The peer went away or broke the framing; whoever still listens gets a plain answer.
            let frame = frame.map_err(|error| {
                if error.into_inner().is::<Full>() {
                    return Failure::unavailable("Too much of requests from this address is under way; try again in a moment");
                }
                Failure::new(Code::MalformedPayload, "The request body ended early")
            })?;
            if let Ok(data) = frame.into_data() {
                self.received.keep(data);
            }
            self.ended = self.rest.is_end_stream();
        }
        if self.received.bytes().len() > most { Err(NotAccepted::OverBudget(OverBudget::Bytes)) } else { Ok(()) }
    }
}

impl Received<'_> {
    fn keep(&mut self, data: Bytes) {
        if self.first.is_empty() && self.all.is_empty() {
            self.first = data;
        } else {
            self.all.extend_from_slice(&std::mem::take(&mut self.first));
            self.all.extend_from_slice(&data);
        }
    }

    fn bytes(&self) -> &[u8] {
        if self.all.is_empty() { &self.first } else { &self.all }
    }

    /// The bytes, where they are plain JSON text: no charset named, not compressed.
    pub(crate) fn plain_json(&self) -> Option<&[u8]> {
        let plain = self.content_type.as_deref() == Some("application/json") && !self.headers.contains_key(CONTENT_ENCODING);
        plain.then(|| self.bytes())
    }

    /// Whether nothing was sent.
    pub(crate) fn is_none(&self) -> bool {
        self.content_type.is_none()
    }

    /// What a payload hash of such text, or of no text, is over.
    pub(crate) fn hashed(&self) -> Hashed<'_> {
        Hashed { content_type: self.content_type.as_deref(), text: self.bytes() }
    }

    /// Decodes and parses what was received. Methods without a schema for it have its syntax checked only.
    pub(crate) fn read(&self, method: &Method, budget: &Budget) -> Result<Payload, NotAccepted> {
        let mut payload = Payload {
            content_type: self.content_type.clone(),
            is_json: self.is_json,
            text: String::new(),
            json: Value::Object(serde_json::Map::new()),
        };
        if !self.is_json {
            return Ok(payload);
        }
        let bytes = decompress(self.headers, self.bytes(), budget)?;
        payload.text = to_text(payload.content_type.as_deref().unwrap_or_default(), &bytes)?;
        if payload.text.len() > budget.bytes {
            return Err(NotAccepted::OverBudget(OverBudget::Bytes));
        }
        if payload.text.is_empty() {
            return Ok(payload);
        }
        let text = payload.text.as_str();
        let is_scalar = !text.trim_start_matches([' ', '\t', '\r', '\n']).starts_with(['{', '[']);
        let parsed = match is_scalar || method.input.is_some() {
            true => json::tree(text, budget, repeats(method)).map(Some),
            false => json::syntax(text).map(|()| None),
        };
        match parsed {
            Ok(Some(scalar)) if is_scalar => {
                let failure = Failure::new(Code::MalformedPayload, "Failed to parse JSON: Must be an object or array");
                return Err(NotAccepted::Bad(BadBody { failure: Box::new(failure), echo: Some(scalar) }));
            }
            Ok(Some(json)) => payload.json = json,
            Ok(None) => {}
            Err(JsonError::OverBudget(beyond)) => return Err(NotAccepted::OverBudget(beyond)),
            Err(JsonError::Malformed(error)) => {
                let failure = Failure::new(Code::MalformedPayload, format!("Failed to parse JSON: {error}"));
                return Err(NotAccepted::Bad(BadBody { failure: Box::new(failure), echo: Some(Value::from(text)) }));
            }
        }
        Ok(payload)
    }
}

/// The protocol takes the last of two keys of one name; our own API has nobody who relies on that.
fn repeats(method: &Method) -> DuplicateKeys {
    match method.service {
        Service::Auth => DuplicateKeys::LastCounts,
        Service::Falconer => DuplicateKeys::Refused,
    }
}

/// The part of a content type before its parameters, trimmed, in lower case.
pub(crate) fn media_type(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn decompress<'b>(headers: &HeaderMap, bytes: &'b [u8], budget: &Budget) -> Result<std::borrow::Cow<'b, [u8]>, NotAccepted> {
    let encoding = headers.get(CONTENT_ENCODING).map(|v| String::from_utf8_lossy(v.as_bytes()).to_ascii_lowercase());
    let reader: Box<dyn Read + '_> = match encoding.as_deref().map(str::trim) {
        None | Some("" | "identity") => return Ok(bytes.into()),
        Some("gzip") => Box::new(flate2::read::MultiGzDecoder::new(bytes)),
        Some("deflate") => Box::new(flate2::read::ZlibDecoder::new(bytes)),
        Some("br") if brotli_window(bytes) > budget.window => return Err(NotAccepted::OverBudget(OverBudget::Window)),
        Some("br") => Box::new(brotli_decompressor::Decompressor::new(bytes, 4096)),
        Some(other) => {
            return Err(Failure::new(
                Code::MalformedPayload,
                format!("Content-Encoding \"{}\" is not supported; use gzip, deflate, br or identity", echo::shown(other)),
            )
            .into());
        }
    };
    let mut out = Vec::new();
    let ceiling = u64::try_from(budget.bytes).unwrap_or(u64::MAX);
    match reader.take(ceiling.saturating_add(1)).read_to_end(&mut out) {
        Ok(_) if out.len() > budget.bytes => Err(NotAccepted::OverBudget(OverBudget::Bytes)),
        Ok(_) => Ok(out.into()),
        Err(_) => Err(Failure::new(Code::MalformedPayload, "The request body is not what its Content-Encoding says").into()),
    }
}

/// The window that the first byte of a brotli stream asks for (RFC 7932, section 9.1): the decompressor sets it aside at once, up to 16 MiB.
fn brotli_window(bytes: &[u8]) -> usize {
    let first = bytes.first().copied().unwrap_or_default();
    let bits = match (first & 1, first >> 1 & 7, first >> 4 & 7) {
        (0, _, _) => 16,
        (_, 0, 0) => 17,
        // No window of the format: the decompressor says so, or takes it for one of more than 16 MiB.
        (_, 0, 1) => 30,
        (_, 0, more) => 8 + u32::from(more),
        (_, more, _) => 17 + u32::from(more),
    };
    1 << bits
}

/// Decodes by the `charset` parameter (UTF-8 without one); a byte order mark is dropped, what is no text becomes U+FFFD.
fn to_text(content_type: &str, bytes: &[u8]) -> Result<String, Failure> {
    let charset = content_type
        .split(';')
        .skip(1)
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(key, _)| key.trim().eq_ignore_ascii_case("charset"));
    let Some((_, label)) = charset else {
        return Ok(encoding_rs::UTF_8.decode_with_bom_removal(bytes).0.into_owned());
    };
    let label = label.trim().trim_matches('"');
    match Encoding::for_label(label.as_bytes()) {
        // The standard maps labels that nobody should decode to "replacement", which yields one U+FFFD for everything.
        Some(encoding) if encoding != encoding_rs::REPLACEMENT => Ok(encoding.decode_with_bom_removal(bytes).0.into_owned()),
        _ => Err(Failure::new(Code::MalformedPayload, format!("The charset \"{}\" is not supported", echo::shown(label)))),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn windows_are_those_that_the_compressor_was_asked_for() {
        for bits in [10, 11, 15, 16, 17, 18, 19, 22, 24] {
            let mut out = Vec::new();
            brotli::CompressorWriter::new(&mut out, 4096, 5, bits).write_all(&[b'a'; 100]).unwrap();
            assert_eq!(brotli_window(&out), 1 << bits, "{bits}");
        }
        assert_eq!(brotli_window(b""), 1 << 16);
    }
}
