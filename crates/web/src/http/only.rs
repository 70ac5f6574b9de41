//! A header that decides something is there once: two readers could disagree about which of several counts.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};

/// The header is there several times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Several;

/// The header of this name, if there is one. Errors: there are several.
pub(crate) fn the_only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h HeaderValue>, Several> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() { Err(Several) } else { Ok(first) }
}

/// Whether one header says that the body is of this kind, whatever it says of the encoding.
pub(crate) fn is_of_kind(headers: &HeaderMap, kind: &[u8]) -> bool {
    the_only(headers, &CONTENT_TYPE).ok().flatten().is_some_and(|sent| {
        let sent = sent.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
        sent.trim_ascii().eq_ignore_ascii_case(kind)
    })
}
