//! What the layer takes from a request. A router may have changed the address and have taken parameters out of it: with the feature `axum`
//! this asks axum for both.

use falconer_scopes::Params;
use http::request::Parts;

use crate::Refusal;

/// Path and query as they came.
pub(crate) fn resource(parts: &Parts) -> &str {
    #[cfg(feature = "axum")]
    let uri = parts.extensions.get::<axum::extract::OriginalUri>().map_or(&parts.uri, |original| &original.0);
    #[cfg(not(feature = "axum"))]
    let uri = &parts.uri;
    uri.path_and_query().map_or("/", |resource| resource.as_str())
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
            Err(Refusal::NotVerifiable { message: "a path parameter is not UTF-8".to_owned() })
        }
        Err(_) => Ok(Params::new()),
    }
}

/// Without a router there are none.
#[cfg(not(feature = "axum"))]
pub(crate) async fn path_parameters(_: &mut Parts) -> Result<Params, Refusal> {
    Ok(Params::new())
}
