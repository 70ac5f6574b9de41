//! What the server says of itself, and its keys.

use crate::site::site;
use serde_json::{Value, json};

/// Members of the discovery document: where they come from, and what they are.
pub fn members() -> Vec<(&'static str, &'static str, Value)> {
    let at = |path: &str| json!(format!("https://auth.example.com/login/oauth/{path}"));
    vec![
        ("Discovery 3", "issuer", json!("https://auth.example.com")),
        ("Discovery 3", "authorization_endpoint", at("authorize")),
        ("Discovery 3", "token_endpoint", at("token")),
        ("Discovery 3", "userinfo_endpoint", at("userinfo")),
        ("Discovery 3", "jwks_uri", at("jwks")),
        ("Discovery 3", "scopes_supported", json!(["openid", "profile", "email", "groups"])),
        ("Discovery 3", "subject_types_supported", json!(["public"])),
        ("Discovery 3", "id_token_signing_alg_values_supported", json!(["ES256", "EdDSA"])),
        ("Discovery 3", "acr_values_supported", json!(["1", "2"])),
        ("Discovery 3", "claims_parameter_supported", json!(false)),
        ("Discovery 3", "request_parameter_supported", json!(false)),
        ("Discovery 3", "request_uri_parameter_supported", json!(false)),
        (
            "Discovery 3",
            "token_endpoint_auth_methods_supported",
            json!(["none", "client_secret_basic", "client_secret_post", "private_key_jwt"]),
        ),
        (
            "Discovery 3",
            "token_endpoint_auth_signing_alg_values_supported",
            json!(["ES256", "Ed25519", "EdDSA", "ES384", "PS256", "RS256"]),
        ),
        ("Logout 2.1", "end_session_endpoint", at("logout")),
        ("Back-Channel 2.1", "backchannel_logout_supported", json!(true)),
        ("Back-Channel 2.1", "backchannel_logout_session_supported", json!(true)),
        ("RFC 9207 3", "authorization_response_iss_parameter_supported", json!(true)),
        ("RFC 8628 4", "device_authorization_endpoint", at("device_authorization")),
    ]
}

#[tokio::test]
async fn the_server_says_of_itself_what_the_table_has() {
    let site = site().await;
    let said = site.plain("/.well-known/openid-configuration").await;
    for (section, member, value) in members() {
        assert_eq!(said[member], value, "{section}: {member}");
    }
    let keys = site.plain("/login/oauth/jwks").await;
    for key in keys["keys"].as_array().unwrap() {
        assert_eq!(key["use"], "sig", "RFC 7517 4.2");
        assert!(key["d"].is_null(), "RFC 7518 6.2.2: the private part is nowhere");
    }
    assert_eq!(keys["keys"].as_array().unwrap().len(), 2);
}
