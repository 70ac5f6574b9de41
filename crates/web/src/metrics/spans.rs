//! The span of a request: which trace it belongs to, and what is said of it. Nothing that a caller chose is: no path, no header, no text.

use std::sync::Arc;

use falconer_traces::{Active, Kind, Tracer, Value};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

use crate::http::only::the_only;

/// By which a caller says within which span it asks (W3C Trace Context).
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Begins the span of a request with this head. Of several `traceparent` none counts, as the standard says.
pub(crate) fn begin(tracer: &Arc<Tracer>, headers: &HeaderMap) -> Active {
    let given = the_only(headers, &TRACEPARENT).ok().flatten();
    tracer.request(given.map(HeaderValue::as_bytes))
}

/// The request was answered with this status.
pub(crate) fn end(span: &Active, method: &Method, status: StatusCode) {
    let attributes = || {
        vec![
            ("http.request.method", Value::Word(known_method(method))),
            ("http.response.status_code", Value::Number(i64::from(status.as_u16()))),
        ]
    };
    span.end("request", Kind::Server, attributes, status.is_server_error());
}

/// Any other is text of a stranger.
fn known_method(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("_OTHER")
}
