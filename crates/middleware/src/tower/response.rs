use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, Uri, header};

use falconer_wire::{Code, ErrorBody};
use serde::Serialize;

use crate::Refusal;

/// The protocol's body, with a stable word and what the refusal is called in logs: in Falconer's, or in this service's own.
#[derive(Serialize)]
struct Shown<'s> {
    #[serde(flatten)]
    body: ErrorBody,
    reason: &'s str,
    id: &'s str,
}

/// The answer to a request that was refused, in the protocol's shape. `challenge` stands in place of the protocol's own. One line of the log for each.
pub(crate) fn refused<R: From<Bytes>>(refusal: &Refusal, method: &Method, uri: &Uri, challenge: Option<HeaderValue>) -> Response<R> {
    let code = refusal.code();
    let id = refusal.id().map_or_else(falconer_client::system::new_id, str::to_owned);
    let (path, status, reason) = (uri.path(), code.status(), refusal.reason().unwrap_or_default());
    // Never the query: it may hold a signature.
    match code {
        Code::ServiceUnavailable => tracing::warn!(%method, path, status, reason, id, "refused: {refusal}"),
        Code::InternalServerError => tracing::error!(%method, path, status, reason, id, "refused: {refusal}"),
        _ => tracing::info!(%method, path, status, reason, id, "refused"),
    }
    let shown = Shown { body: refusal.body(method.as_str(), path), reason, id: &id };
    let body = serde_json::to_vec(&shown).unwrap_or_default();
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
    if let Some(challenge) = challenge {
        headers.insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}
