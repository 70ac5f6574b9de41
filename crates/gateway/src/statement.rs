//! What the service behind is told of a request: a JSON Web Token, HS256, in the header `Falconer-Caller`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use falconer_middleware::{Caller, Identity};
use http::{HeaderName, HeaderValue};
use serde::Serialize;

use crate::keys::Key;

/// The header. What a client sends under this name never arrives: each request that is let through gets one.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("falconer-caller");

/// So long it may be used: the way from the proxy to the service behind.
const LIFETIME_SECONDS: i64 = 60;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Statement<'a> {
    iat: i64,
    exp: i64,
    method: &'a str,
    host: &'a str,
    path: &'a str,
    /// For display only; `null`: nobody signed.
    client_id: Option<&'a str>,
    identity: Option<&'a Identity>,
    /// Below the prefixes that the rule reveals.
    scopes: Vec<String>,
    /// Until when the credentials are good.
    expires: Option<&'a str>,
}

/// Who sent a request, for the service behind. `path` is path and query as they were sent; of the caller's scopes it holds those below `reveal`.
pub(crate) fn of(key: &Key, now_ms: i64, request: (&str, &str, &str), caller: Option<&Caller>, reveal: &[String]) -> Option<HeaderValue> {
    let (method, host, path) = request;
    let scopes = caller.map(Caller::scopes).into_iter().flat_map(|scopes| {
        let below = reveal.iter().flat_map(|prefix| scopes.below(prefix));
        below.map(std::borrow::Cow::into_owned).collect::<Vec<_>>()
    });
    let iat = now_ms / 1000;
    let statement = Statement {
        iat,
        exp: iat + LIFETIME_SECONDS,
        method,
        host,
        path,
        client_id: caller.and_then(Caller::client_id),
        identity: caller.and_then(Caller::identity),
        scopes: scopes.collect(),
        expires: caller.map(Caller::expires),
    };
    let claims = serde_json::to_vec(&statement).ok()?;
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(br#"{"alg":"HS256","typ":"JWT"}"#), URL_SAFE_NO_PAD.encode(claims));
    let mac = URL_SAFE_NO_PAD.encode(key.mac(signed.as_bytes()));
    HeaderValue::from_str(&format!("{signed}.{mac}")).ok()
}
