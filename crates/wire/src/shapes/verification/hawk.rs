//! Verification of requests.

use serde::{Deserialize, Serialize};

/// What a service passes on of a request that it received.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AuthenticateHawkRequest {
    /// HTTP method in lower case.
    pub method: String,
    /// Path and query exactly as on the request line.
    pub resource: String,
    /// Host name without port.
    pub host: String,
    /// Port as the callers of the service see it.
    pub port: u16,
    /// The Authorization header, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization: Option<String>,
    /// IP address that the request came from; for the log only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_ip: Option<String>,
}

/// What authenticateHawk answers, always with status 200.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all_fields = "camelCase")]
pub enum AuthenticateHawkResponse {
    /// The request is what its signer signed.
    #[serde(rename = "auth-success")]
    Success {
        /// `hawk`, for bewits too.
        scheme: String,
        /// Until when the credentials are good.
        expires: String,
        /// Expanded, normalized, with what `anonymous` gives.
        scopes: Vec<String>,
        /// Who signed; for display and logs, never for decisions.
        client_id: String,
        /// The payload hash that was signed; the service compares it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hash: Option<String>,
        /// Who the person behind a grant is, where the grant lets this service know. Ours.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        identity: Option<Identity>,
    },
    /// The credentials are no good.
    #[serde(rename = "auth-failed")]
    Failed {
        /// Why.
        message: String,
    },
    /// There were no credentials.
    #[serde(rename = "no-auth")]
    NoAuth {
        /// `none`
        scheme: String,
        /// Fifteen minutes ahead.
        expires: String,
        /// What everybody may do.
        scopes: Vec<String>,
    },
}

/// Who a person is, as a grant discloses it to a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// `<provider>/<subject>`
    pub id: String,
    /// The identity provider's configured name.
    pub provider: String,
    /// The provider's immutable name for the person.
    pub subject: String,
    /// For display.
    pub display_name: String,
    /// E-mail address, if the provider gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether the provider vouches for it.
    pub email_verified: bool,
    /// Origin of the target that the grant was given to.
    pub target: String,
}

/// What testAuthenticate takes. Both lists are declared as required, but an absent one counts as empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TestAuthenticateRequest {
    /// Scopes of the pretended client.
    #[serde(default)]
    pub client_scopes: Vec<String>,
    /// Scopes that the pretended method requires.
    #[serde(default)]
    pub required_scopes: Vec<String>,
}

/// What testAuthenticate and testAuthenticateGet answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TestAuthenticateResponse {
    /// Who signed.
    pub client_id: String,
    /// The scopes of the request.
    pub scopes: Vec<String>,
}
