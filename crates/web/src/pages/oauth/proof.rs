//! The header `DPoP` (RFC 9449), and the tokens that are shown at the endpoints here.

use falconer_grants::{SentProof, ShownToken, TokenScheme, UrlScheme};
use http::request::Parts;
use http::{HeaderMap, HeaderName, header};

use super::refused::Refused;
use crate::Web;
use crate::http::only::the_only;

/// A proof that whoever sends a request has a key.
pub(crate) const DPOP: HeaderName = HeaderName::from_static("dpop");

/// The proof of a request, if it has one. Errors: several, or one that is no text.
pub(crate) fn of_headers(headers: &HeaderMap) -> Result<Option<&str>, Refused> {
    let several = |_| Refused::invalid_proof("There are several DPoP headers: send one.");
    let unreadable = |_| Refused::invalid_proof("The DPoP header is no text.");
    the_only(headers, &DPOP).map_err(several)?.map(|value| value.to_str().map_err(unreadable)).transpose()
}

/// The same for an endpoint that gives tokens.
pub(crate) fn sent<'a>(proof: Option<&'a str>, path: &'a str) -> SentProof<'a> {
    SentProof { header: proof, path }
}

/// The token in the `Authorization` header of a request, with the proof beside it. `None`: there is none.
pub(crate) fn shown<'r>(web: &'r Web, parts: &'r Parts) -> Result<Option<ShownToken<'r>>, Refused> {
    let header = the_only(&parts.headers, &header::AUTHORIZATION).ok().flatten().and_then(|value| value.to_str().ok());
    let Some((scheme, token)) = TokenScheme::token_of(header).filter(|(_, token)| !token.is_empty()) else { return Ok(None) };
    let origin = web.auth.public_origin();
    Ok(Some(ShownToken {
        scheme,
        token,
        proof: of_headers(&parts.headers)?,
        follow_up: None,
        method: parts.method.as_str(),
        url_scheme: UrlScheme::named(&origin.scheme).unwrap_or_default(),
        host: &origin.host,
        port: origin.port,
        resource: parts.uri.path(),
    }))
}
