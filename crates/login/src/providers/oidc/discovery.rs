//! What a provider says of itself (OpenID Connect Discovery 1.0).

use serde::Deserialize;
use url::Url;

use super::settings::Issuer;
use crate::providers::error::{ProviderError, malformed, short};

/// The document, as far as it is used.
#[derive(Clone, Debug, Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
    response_types_supported: Option<Vec<String>>,
    id_token_signing_alg_values_supported: Option<Vec<String>>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

/// The document, checked.
#[derive(Clone, Debug)]
pub(crate) struct Discovery {
    pub(crate) authorization: Url,
    pub(crate) token: Url,
    pub(crate) keys: Url,
    pub(crate) userinfo: Option<Url>,
    /// What it says that it signs with; `None`: it does not say.
    pub(crate) algorithms: Option<Vec<String>>,
    /// Whether a client proves itself in a header rather than in the form.
    pub(crate) secret_in_header: bool,
    /// Whether each callback names the issuer (RFC 9207).
    pub(crate) names_itself: bool,
}

impl Discovery {
    pub(crate) fn read(body: &[u8], issuer: &Issuer) -> Result<Discovery, ProviderError> {
        let document: Document = serde_json::from_slice(body).map_err(|error| malformed("discovery document", &error))?;
        if document.issuer != issuer.text {
            return Err(ProviderError::ForeignDiscovery(short(&document.issuer)));
        }
        if document.response_types_supported.is_some_and(|types| !types.iter().any(|kind| kind == "code")) {
            return Err(ProviderError::Unsupported("code flow"));
        }
        let methods = document.token_endpoint_auth_methods_supported;
        let offers = |method: &str| methods.as_ref().is_some_and(|methods| methods.iter().any(|offered| offered == method));
        // Basic is what counts where nothing is said.
        let secret_in_header = methods.is_none() || offers("client_secret_basic") || !offers("client_secret_post");
        Ok(Discovery {
            authorization: endpoint("authorization_endpoint", &document.authorization_endpoint, issuer)?,
            token: endpoint("token_endpoint", &document.token_endpoint, issuer)?,
            keys: endpoint("jwks_uri", &document.jwks_uri, issuer)?,
            userinfo: document.userinfo_endpoint.map(|url| endpoint("userinfo_endpoint", &url, issuer)).transpose()?,
            algorithms: document.id_token_signing_alg_values_supported,
            secret_in_header,
            names_itself: document.authorization_response_iss_parameter_supported,
        })
    }
}

fn endpoint(what: &'static str, text: &str, issuer: &Issuer) -> Result<Url, ProviderError> {
    let wrong = |why| ProviderError::Endpoint { what, url: short(text), why };
    let url = Url::parse(text).map_err(|_| wrong("it is no URL"))?;
    match issuer.fault_of(&url) {
        None => Ok(url),
        Some(why) => Err(wrong(why)),
    }
}
