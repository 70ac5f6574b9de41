//! `/.well-known/oauth-authorization-server` (RFC 8414): what is there, and nothing else.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use falconer_grants::{ASSERTION_ALGORITHMS, ApplicationKind, CommandLine, GrantType, PROOF_ALGORITHMS};
use http::header::ACCESS_CONTROL_ALLOW_ORIGIN;
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};

use super::endpoints;
use crate::Web;

/// `GET /.well-known/oauth-authorization-server`
pub(crate) async fn show(State(web): State<Arc<Web>>) -> Response {
    public(&of(&web))
}

/// What anybody may read, and any page.
pub(crate) fn public(body: &Value) -> Response {
    let mut response = endpoints::json(StatusCode::OK, body);
    response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

/// What OAuth 2 has there.
pub(crate) fn of(web: &Web) -> Value {
    let origin = web.settings.public_origin.as_str();
    let at = |path: &str| format!("{origin}/login/oauth/{path}");
    let has_implicit = web.grants.has_applications_of(ApplicationKind::ReferenceToken);
    let (mut types, mut modes, mut grants) = (vec!["code"], vec!["query"], GrantType::ALL.map(GrantType::as_str).to_vec());
    if has_implicit {
        types.push("token");
        modes.push("fragment");
        grants.push("implicit");
    }
    let proofs = ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"];
    // How `falconer signin` may ask here; where it may not, it goes by the page that every site uses.
    let command_line = web.grants.command_line();
    let body = json!({
        "issuer": origin,
        "authorization_endpoint": at("authorize"),
        "token_endpoint": at("token"),
        "revocation_endpoint": at("revoke"),
        "device_authorization_endpoint": at("device_authorization"),
        "grant_request_endpoint": at("grant_request"),
        "introspection_endpoint": at("introspect"),
        "pushed_authorization_request_endpoint": at("par"),
        "require_pushed_authorization_requests": false,
        "response_types_supported": types,
        "response_modes_supported": modes,
        "grant_types_supported": grants,
        "token_endpoint_auth_methods_supported": proofs,
        "revocation_endpoint_auth_methods_supported": proofs,
        "introspection_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ASSERTION_ALGORITHMS,
        "revocation_endpoint_auth_signing_alg_values_supported": ASSERTION_ALGORITHMS,
        "introspection_endpoint_auth_signing_alg_values_supported": ASSERTION_ALGORITHMS,
        "code_challenge_methods_supported": ["S256"],
        "dpop_signing_alg_values_supported": PROOF_ALGORITHMS,
        "authorization_response_iss_parameter_supported": true,
        "client_id_metadata_document_supported": web.grants.reads_documents(),
    });
    let body = endpoints::with_member(body, "registration_endpoint", web.grants.registration().is_on().then(|| at("register")));
    // Whoever verifies tokens by themselves needs the keys (RFC 9068 section 4).
    let body = endpoints::with_member(body, "jwks_uri", web.grants.signs_access_tokens().then(|| at("jwks")));
    let ended = web.grants.signs_access_tokens().then(|| format!("{origin}/api/falconer/v1/ended-tokens"));
    let body = endpoints::with_member(body, "falconer_ended_tokens_endpoint", ended);
    endpoints::with_member(body, "falconer_command_line", (command_line != CommandLine::Off).then(|| command_line.as_str()))
}
