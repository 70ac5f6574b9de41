//! A header that decides something is there once: two readers could disagree about which of several counts.

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
