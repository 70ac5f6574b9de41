//! Request bodies (`auth-api.md` section 5): what is read, how it is decoded, and what cannot be.

use std::borrow::Cow;
use std::io::Read;

use axum::body::Body;
use encoding_rs::Encoding;
use falconer_wire::Code;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use http_body::Body as _;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::Value;

use crate::api::answer::failure::Failure;
use crate::api::request::signed::Hashed;

/// Raw bodies larger than this are not repeated in errors: indented JSON may be a hundred times as large as what was sent.
const LARGEST_ECHO: usize = 64 * 1024;

/// What came with a request.
pub(crate) struct Payload {
    /// The `Content-Type`, if there is a body that it could describe.
    pub(crate) content_type: Option<String>,
    /// Whether that is JSON, so that the body was read.
    pub(crate) is_json: bool,
    /// The text that a payload hash is over: empty unless it is JSON.
    pub(crate) text: String,
    /// The parsed body; `{}` where none was read.
    pub(crate) json: Value,
    /// Whether errors may repeat it.
    pub(crate) echo: bool,
}

impl Payload {
    pub(crate) fn hashed(&self) -> Hashed<'_> {
        Hashed { content_type: self.content_type.as_deref(), text: self.text.as_bytes() }
    }
}

/// A body that could not be taken: what to answer, and what the answer may repeat of it.
pub(crate) struct BadBody {
    pub(crate) failure: Box<Failure>,
    pub(crate) echo: Option<Value>,
}

impl From<Failure> for BadBody {
    fn from(failure: Failure) -> BadBody {
        BadBody { failure: Box::new(failure), echo: None }
    }
}

/// A body as it came, before anything is made of it.
pub(crate) struct Sent<'r> {
    headers: &'r HeaderMap,
    content_type: Option<String>,
    is_json: bool,
    /// Empty unless it is JSON: other bodies are not read.
    bytes: bytes::Bytes,
    limit: usize,
}

/// Reads the body of a request, at most `limit` bytes of it.
pub(crate) async fn take(headers: &HeaderMap, body: Body, limit: usize) -> Result<Sent<'_>, BadBody> {
    let present = headers.contains_key(TRANSFER_ENCODING) || headers.contains_key(CONTENT_LENGTH) || !body.is_end_stream();
    let content_type = headers.get(CONTENT_TYPE).filter(|_| present).map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned());
    let is_json = content_type.as_deref().is_some_and(|h| media_type(h) == "application/json");
    let bytes = if is_json { collect(headers, body, limit).await? } else { bytes::Bytes::new() };
    Ok(Sent { headers, content_type, is_json, bytes, limit })
}

impl Sent<'_> {
    /// The bytes, where they are plain JSON text: no charset named, not compressed.
    pub(crate) fn plain_json(&self) -> Option<&[u8]> {
        let plain = self.content_type.as_deref() == Some("application/json") && !self.headers.contains_key(CONTENT_ENCODING);
        plain.then_some(&self.bytes)
    }

    /// Whether nothing was sent.
    pub(crate) fn is_none(&self) -> bool {
        self.content_type.is_none()
    }

    /// What a payload hash of such text, or of no text, is over.
    pub(crate) fn hashed(&self) -> Hashed<'_> {
        Hashed { content_type: self.content_type.as_deref(), text: &self.bytes }
    }

    /// Decodes and parses.
    pub(crate) fn read(self) -> Result<Payload, BadBody> {
        let Sent { headers, content_type, is_json, bytes, limit } = self;
        let mut payload = Payload { content_type, is_json, text: String::new(), json: Value::Object(serde_json::Map::new()), echo: true };
        if !is_json {
            return Ok(payload);
        }
        let bytes = decompress(headers, bytes, limit)?;
        payload.text = to_text(payload.content_type.as_deref().unwrap_or_default(), &bytes)?;
        payload.echo = payload.text.len() <= LARGEST_ECHO;
        if payload.text.is_empty() {
            return Ok(payload);
        }
        let (text, echo) = (&payload.text, payload.echo);
        match serde_json::from_str(&replace_lone_surrogates(text)) {
            Ok(json @ (Value::Object(_) | Value::Array(_))) => payload.json = json,
            Ok(scalar) => {
                let failure = Failure::new(Code::MalformedPayload, "Failed to parse JSON: Must be an object or array");
                return Err(BadBody { failure: Box::new(failure), echo: echo.then_some(scalar) });
            }
            Err(error) => {
                let failure = Failure::new(Code::MalformedPayload, format!("Failed to parse JSON: {error}"));
                return Err(BadBody { failure: Box::new(failure), echo: echo.then(|| Value::String(text.clone())) });
            }
        }
        Ok(payload)
    }
}

/// The part of a content type before its parameters, trimmed, in lower case.
pub(crate) fn media_type(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

async fn collect(headers: &HeaderMap, body: Body, limit: usize) -> Result<bytes::Bytes, Failure> {
    let too_large = || Failure::new(Code::InputTooLarge, format!("The request body is larger than {limit} bytes"));
    let announced = headers.get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()).and_then(|v| v.parse::<u64>().ok());
    if announced.is_some_and(|n| n > limit as u64) {
        return Err(too_large());
    }
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        // The peer went away or broke the framing; whoever still listens gets a plain answer.
        Err(_) => Err(Failure::new(Code::MalformedPayload, "The request body ended early")),
    }
}

fn decompress(headers: &HeaderMap, bytes: bytes::Bytes, limit: usize) -> Result<Vec<u8>, Failure> {
    let encoding = headers.get(CONTENT_ENCODING).map(|v| String::from_utf8_lossy(v.as_bytes()).to_ascii_lowercase());
    let reader: Box<dyn Read + '_> = match encoding.as_deref().map(str::trim) {
        None | Some("" | "identity") => return Ok(bytes.to_vec()),
        Some("gzip") => Box::new(flate2::read::MultiGzDecoder::new(bytes.as_ref())),
        Some("deflate") => Box::new(flate2::read::ZlibDecoder::new(bytes.as_ref())),
        Some("br") => Box::new(brotli_decompressor::Decompressor::new(bytes.as_ref(), 4096)),
        Some(other) => {
            return Err(Failure::new(
                Code::MalformedPayload,
                format!("Content-Encoding {other:?} is not supported; use gzip, deflate, br or identity"),
            ));
        }
    };
    let mut out = Vec::new();
    let ceiling = u64::try_from(limit).unwrap_or(u64::MAX);
    match reader.take(ceiling.saturating_add(1)).read_to_end(&mut out) {
        Ok(_) if out.len() > limit => {
            Err(Failure::new(Code::InputTooLarge, format!("The request body decompresses to more than {limit} bytes")))
        }
        Ok(_) => Ok(out),
        Err(_) => Err(Failure::new(Code::MalformedPayload, "The request body is not what its Content-Encoding says")),
    }
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
        _ => Err(Failure::new(Code::MalformedPayload, format!("The charset {label:?} is not supported"))),
    }
}

/// JavaScript accepts a surrogate escape without its partner (`"\ud800"`), and the reference stores U+FFFD for it; our parser would refuse it.
fn replace_lone_surrogates(text: &str) -> Cow<'_, str> {
    if !text.contains("\\ud") && !text.contains("\\uD") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let length = match (unit(escape), escape.get(6..).and_then(unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
            (Some(0xd800..=0xdfff), _) => {
                out.push_str("\\ufffd");
                rest = escape.get(6..).unwrap_or_default();
                continue;
            }
            // Two characters, so that the second backslash of an escaped backslash begins nothing.
            _ => escape.char_indices().nth(2).map_or(escape.len(), |(i, _)| i),
        };
        let (kept, after) = escape.split_at_checked(length).unwrap_or((escape, ""));
        out.push_str(kept);
        rest = after;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The code unit of a `\uXXXX` escape at the beginning.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lone_surrogates_are_replaced_and_pairs_kept() {
        for (given, expected) in [
            (r#""\ud800""#, r#""\ufffd""#),
            (r#""\ud83d\ude00""#, r#""\ud83d\ude00""#),
            (r#""\uDC00x""#, r#""\ufffdx""#),
            (r#""\ud800\u0041""#, r#""\ufffd\u0041""#),
            (r#""\\ud800""#, r#""\\ud800""#),
            (r#""\ud8""#, r#""\ud8""#),
            ("\"\\ud800\u{e9}", "\"\\ufffd\u{e9}"),
            (r"\ud800\", r"\ufffd\"),
        ] {
            assert_eq!(replace_lone_surrogates(given), expected);
        }
    }
}
