//! Questions of services about requests, and the answers.

use falconer_scopes::Expression;
use serde::{Deserialize, Serialize};

use super::{AuthenticateHawkRequest, Identity};

/// May the signer of this request do this?
///
/// ```json
/// {"request": {"method": "get", "resource": "/books/red", "host": "notes.example.com", "port": 443}, "required": "notes:read:red"}
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CheckRequest {
    /// What the service received.
    pub request: CheckedRequest,
    /// What the operation needs.
    pub required: Expression,
    /// The payload hash of the body that arrived: SHA-256 in base64, 44 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload_hash: Option<String>,
    /// Below which prefixes the service wants to see the caller's scopes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reveal: Vec<String>,
    /// Whether the service wants to know who the person is.
    #[serde(default, skip_serializing_if = "is_false")]
    pub identity: bool,
    /// More expressions about the same request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub each: Vec<Expression>,
    /// Whether the service takes access tokens (`Authorization: Bearer`), too.
    #[serde(default, skip_serializing_if = "is_false")]
    pub bearer: bool,
}

/// What a service passes on of a request that it received, with what goes with an access token that is bound to a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CheckedRequest {
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
    /// The DPoP header, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dpop: Option<String>,
    /// In place of it, where this is not the first question about the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follow_up: Option<String>,
    /// `http` or `https`, by which the callers of the service reach it. `None`: https.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheme: Option<String>,
}

impl From<AuthenticateHawkRequest> for CheckedRequest {
    fn from(request: AuthenticateHawkRequest) -> CheckedRequest {
        let AuthenticateHawkRequest { method, resource, host, port, authorization, source_ip } = request;
        CheckedRequest { method, resource, host, port, authorization, source_ip, dpop: None, follow_up: None, scheme: None }
    }
}

impl CheckedRequest {
    /// What authenticateHawk takes of it.
    pub fn of_signature(&self) -> AuthenticateHawkRequest {
        AuthenticateHawkRequest {
            method: self.method.clone(),
            resource: self.resource.clone(),
            host: self.host.clone(),
            port: self.port,
            authorization: self.authorization.clone(),
            source_ip: self.source_ip.clone(),
        }
    }
}

/// Several of them, at most 16.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChecksRequest {
    /// None depends on another.
    pub checks: Vec<CheckRequest>,
}

/// What check answers, always with status 200.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "lowercase", rename_all_fields = "camelCase")]
pub enum CheckResponse {
    /// The credentials hold, or there are none, and what is required is satisfied.
    Allowed {
        /// Until when the credentials are good.
        expires: String,
        /// Who signed; for display and logs, never for decisions. `None`: nobody did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        client_id: Option<String>,
        /// The payload hash that was signed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hash: Option<String>,
        /// Who the person behind a grant is, where the service asked and the grant lets it know.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        identity: Option<Identity>,
        /// The caller's scopes below the prefixes that the service named.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        revealed: Option<Vec<String>>,
        /// In place of `dpop` where the service asks once more about the same request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        follow_up: Option<String>,
        /// There are more than these.
        #[serde(default, skip_serializing_if = "is_false")]
        revealed_more: bool,
        /// The other expressions, in the order of the question.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        each: Option<Vec<Each>>,
    },
    /// The same, and what is required is not satisfied.
    Denied {
        /// A stable word.
        reason: String,
        /// For the caller.
        message: String,
        /// Of this refusal.
        id: String,
        /// What of it the caller lacks.
        missing: Expression,
        /// Until when the credentials are good.
        expires: String,
        /// Who signed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        client_id: Option<String>,
        /// The payload hash that was signed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hash: Option<String>,
    },
    /// The credentials do not hold, or the body is not the one that was signed.
    Failed {
        /// A stable word.
        reason: String,
        /// For the caller.
        message: String,
        /// Of this refusal.
        id: String,
    },
}

/// One of several expressions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "lowercase")]
pub enum Each {
    /// Satisfied.
    Allowed {},
    /// Not satisfied.
    Denied {
        /// What of it the caller lacks.
        missing: Expression,
    },
}

/// The answers to several questions, in their order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChecksResponse {
    /// One for each question.
    pub checks: Vec<CheckResponse>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // Its shape is serde's.
fn is_false(value: &bool) -> bool {
    !value
}
