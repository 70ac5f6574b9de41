//! What the layer takes from a request. A router may have changed the address and have taken parameters out of it: with the feature `axum`
//! this asks axum for both.

use falconer_scopes::Params;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, header};

use crate::Refusal;

/// Path and query as they came.
pub(crate) fn resource(parts: &Parts) -> &str {
    #[cfg(feature = "axum")]
    let uri = parts.extensions.get::<axum::extract::OriginalUri>().map_or(&parts.uri, |original| &original.0);
    #[cfg(not(feature = "axum"))]
    let uri = &parts.uri;
    uri.path_and_query().map_or("/", |resource| resource.as_str())
}

/// The one Authorization header. Errors: there are several.
pub(crate) fn authorization(headers: &HeaderMap) -> Result<Option<&[u8]>, Refusal> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let first = values.next().map(HeaderValue::as_bytes);
    if values.next().is_some() { Err(Refusal::SeveralAuthorizations) } else { Ok(first) }
}

/// Whether the query holds a signature. Caches keep answers to such requests, unlike those to requests with an Authorization header (RFC 9111, 3.5).
pub(crate) fn is_signed_url(resource: &str) -> bool {
    resource.contains("?bewit=") || resource.contains("&bewit=")
}

/// Address of the caller, where the server was told to remember it.
pub(crate) fn source_ip(parts: &Parts) -> Option<String> {
    #[cfg(feature = "axum")]
    return parts.extensions.get::<axum::extract::ConnectInfo<std::net::SocketAddr>>().map(|address| address.0.ip().to_string());
    #[cfg(not(feature = "axum"))]
    return parts.extensions.get::<std::net::SocketAddr>().map(|address| address.ip().to_string());
}

/// The decoded parameters of the path.
#[cfg(feature = "axum")]
pub(crate) async fn path_parameters(parts: &mut Parts) -> Result<Params, Refusal> {
    use axum::extract::rejection::RawPathParamsRejection;
    use axum::extract::{FromRequestParts, RawPathParams};
    match RawPathParams::from_request_parts(parts, &()).await {
        Ok(params) => Ok(params.iter().map(|(name, value)| (name.to_owned(), value.into())).collect()),
        Err(RawPathParamsRejection::InvalidUtf8InPathParam(_)) => {
            Err(Refusal::Parameter { message: "a path parameter is not UTF-8".to_owned() })
        }
        Err(_) => Ok(Params::new()),
    }
}

/// Without a router there are none.
#[cfg(not(feature = "axum"))]
pub(crate) async fn path_parameters(_: &mut Parts) -> Result<Params, Refusal> {
    Ok(Params::new())
}
