use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, Uri, header};

use falconer_wire::Code;

use crate::Refusal;

/// The answer to a request that was refused, in the protocol's shape. Whatever is not the caller's fault is logged.
pub(crate) fn refused<R: From<Bytes>>(refusal: &Refusal, method: &Method, uri: &Uri) -> Response<R> {
    match refusal {
        Refusal::Unavailable(_) => tracing::warn!("{refusal}"),
        Refusal::Misconfigured(_) => tracing::error!(path = uri.path(), "{refusal}"),
        _ => {}
    }
    let code = refusal.code();
    let body = serde_json::to_vec(&refusal.body(method.as_str(), uri.path())).unwrap_or_default();
    let mut response = Response::new(R::from(Bytes::from(body)));
    *response.status_mut() = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    match code {
        Code::AuthenticationFailed => drop(headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("hawk"))),
        Code::ServiceUnavailable => drop(headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"))),
        _ => {}
    }
    response
}
