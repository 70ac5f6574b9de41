//! An answer of the API before its headers are put to it: status, body, and what it adds itself.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, UNIX_EPOCH};

use axum::body::Body;
use bytes::Bytes;
use falconer_auth::{AtLeast, History, Revision};
use falconer_scopes::ScopeSet;
use http::StatusCode;
use http::header::{self, HeaderName, HeaderValue};
use serde::Serialize;
use zeroize::Zeroizing;

use super::encoding::{Encoded, etag};
use super::headers::{JSON, REFUSAL, REVISION};
use crate::length::Length;
use crate::listener::parts::Parts;
use crate::metrics::Label;

/// An answer.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) content_type: Option<HeaderValue>,
    pub(crate) body: Content,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// authenticateHawk has neither etag nor compression: its answers are for one request only.
    pub(crate) plain: bool,
    /// For the line of the request in the log.
    pub(crate) reason: Option<Label>,
}

/// What an answer says.
pub(crate) enum Content {
    Bytes(Vec<u8>),
    /// The same in parts, of an answer that is plain.
    Parts(Parts),
    /// Holds a secret: wiped once it was sent, and never compressed, which would leave more of it behind.
    Secret(Zeroizing<Vec<u8>>),
    /// A list of scopes, whose text, etag and compressed form are kept with the set.
    Scopes(ScopeSet),
    /// The same for everybody, kept with its etag and its compressed form.
    Document(Arc<Document>),
    /// Goes on for as long as the other side listens.
    Streaming(Body),
}

impl Reply {
    /// JSON with status 200, indented by two.
    pub(crate) fn json(value: &impl Serialize) -> Reply {
        Reply::json_with(StatusCode::OK, value)
    }

    pub(crate) fn json_with(status: StatusCode, value: &impl Serialize) -> Reply {
        Reply { status, ..Reply::json_bytes(pretty(value)) }
    }

    /// The same of what holds a secret: all of it is written to one place, and wiped from there once it was sent. Whoever has made `value` wipes what is in it.
    pub(crate) fn json_secret(value: &impl Serialize) -> Reply {
        Reply { body: Content::Secret(pretty_once(value)), ..Reply::json_bytes(Vec::new()) }
    }

    /// JSON that is written already.
    pub(crate) fn json_bytes(body: Vec<u8>) -> Reply {
        Reply {
            status: StatusCode::OK,
            content_type: Some(JSON),
            body: Content::Bytes(body),
            headers: Vec::new(),
            plain: false,
            reason: None,
        }
    }

    /// `{"scopes": [...]}`
    pub(crate) fn scopes(scopes: ScopeSet) -> Reply {
        Reply { body: Content::Scopes(scopes), ..Reply::json_bytes(Vec::new()) }
    }

    /// JSON that is the same for everybody.
    pub(crate) fn document(document: Arc<Document>) -> Reply {
        Reply { body: Content::Document(document), ..Reply::json_bytes(Vec::new()) }
    }

    pub(crate) fn text(status: StatusCode, content_type: &'static str, body: impl Into<Vec<u8>>) -> Reply {
        Reply {
            status,
            content_type: Some(HeaderValue::from_static(content_type)),
            body: Content::Bytes(body.into()),
            headers: Vec::new(),
            plain: false,
            reason: None,
        }
    }

    /// 204.
    pub(crate) fn no_content() -> Reply {
        Reply { status: StatusCode::NO_CONTENT, content_type: None, plain: true, ..Reply::json_bytes(Vec::new()) }
    }

    /// A body that goes on for as long as the other side listens; 200.
    pub(crate) fn streaming(content_type: &'static str, body: Body) -> Reply {
        Reply { plain: true, body: Content::Streaming(body), ..Reply::text(StatusCode::OK, content_type, "") }
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

    /// Names the refusal, for whoever asks why.
    pub(crate) fn refused_as(self, id: &str) -> Reply {
        let Ok(id) = HeaderValue::from_str(id) else { return self };
        self.with(REFUSAL, id).with(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("Date, Falconer-Refusal"))
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

/// A text that never changes.
pub(crate) struct Document {
    pub(crate) text: Bytes,
    pub(crate) encoded: Encoded,
}

impl Document {
    pub(crate) fn new(text: Vec<u8>) -> Document {
        Document { encoded: Encoded { etag: etag(text.len(), &text), length: text.len(), gzip: OnceLock::new() }, text: text.into() }
    }
}

/// [`falconer_wire::Scopes`] as the protocol writes it, put together from the members.
pub(crate) fn listed(scopes: &ScopeSet) -> Vec<u8> {
    const BETWEEN: &str = "\",\n    \"";
    if scopes.is_empty() || scopes.json_bytes().contains(&b'\\') {
        return pretty(&falconer_wire::Scopes { scopes: scopes.to_vec() });
    }
    // INVARIANT: without a backslash in their JSON the members are the same in JSON.
    let mut text = Vec::with_capacity(32 + scopes.json_bytes().len() + scopes.len() * (BETWEEN.len() - 3));
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

/// The same without growing on the way: what is left of a smaller piece of memory nobody wipes.
fn pretty_once(value: &impl Serialize) -> Zeroizing<Vec<u8>> {
    let mut length = Length::default();
    let _ = serde_json::to_writer_pretty(&mut length, value);
    let mut body = Zeroizing::new(Vec::with_capacity(length.0));
    let _ = serde_json::to_writer_pretty(&mut *body, value);
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_a_secret_is_written_like_the_rest_and_grows_nowhere() {
        for scopes in [&[][..], &["a", "\u{e9}\"\t"], &["a"; 100]] {
            let value = falconer_wire::Scopes { scopes: scopes.iter().map(|&scope| scope.to_owned()).collect() };
            let once = pretty_once(&value);
            assert_eq!((&*once, once.capacity()), (&pretty(&value), once.len()));
        }
    }

    #[test]
    fn scopes_are_listed_as_their_shape_is_written() {
        for scopes in [&[][..], &["a"], &["a", "b*", "c d"], &["a\"b", "c\\d"], &["\u{e9}", "\u{7f}"], &["\t"]] {
            let scopes = ScopeSet::new(scopes);
            assert_eq!(listed(&scopes), pretty(&falconer_wire::Scopes { scopes: scopes.to_vec() }));
        }
    }
}
