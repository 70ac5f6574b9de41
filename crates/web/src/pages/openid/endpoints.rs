//! Discovery (OpenID Connect Discovery 1.0), keys, and who a token is about. No cookie is read here.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use falconer_grants::{ShownToken, SigningAlgorithm};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::Web;
use crate::pages::oauth::endpoints::{is_form, json, read};
use crate::pages::oauth::refused::Refused;
use crate::pages::oauth::{cors, metadata, proof};

/// What an ID token, or the answer about a person, may hold.
const CLAIMS: [&str; 16] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "iat",
    "nonce",
    "auth_time",
    "acr",
    "amr",
    "at_hash",
    "sid",
    "name",
    "preferred_username",
    "email",
    "email_verified",
    "groups",
];

/// `GET /.well-known/openid-configuration`: what RFC 8414 has, and what is added to it.
pub(crate) async fn discovery(State(web): State<Arc<Web>>) -> Response {
    let origin = web.settings.public_origin.as_str();
    let at = |path: &str| format!("{origin}/login/oauth/{path}");
    let algorithms: Vec<&str> =
        SigningAlgorithm::ALL.into_iter().filter(|algorithm| web.grants.signs_by(*algorithm)).map(SigningAlgorithm::as_str).collect();
    let mut body = metadata::of(&web);
    let added = json!({
        "jwks_uri": at("jwks"),
        "userinfo_endpoint": at("userinfo"),
        "end_session_endpoint": at("logout"),
        "scopes_supported": ["openid", "profile", "email", "groups"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": algorithms,
        "claims_supported": CLAIMS,
        "acr_values_supported": ["1", "2"],
        "prompt_values_supported": ["none", "login", "consent"],
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
        "claims_parameter_supported": false,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
    });
    if let (Value::Object(all), Value::Object(added)) = (&mut body, added) {
        all.extend(added);
    }
    metadata::public(&body)
}

/// `GET /login/oauth/jwks`
pub(crate) async fn keys(State(web): State<Arc<Web>>) -> Response {
    match web.grants.signing_keys().await {
        Ok(keys) => metadata::public(&keys),
        Err(error) => Refused::from(falconer_grants::ExchangeError::from(error)).answer(),
    }
}

/// `GET` and `POST /login/oauth/userinfo`, with the access token in the header, or in a form (RFC 6750 sections 2.1 and 2.2)
pub(crate) async fn user_info(State(web): State<Arc<Web>>, request: Request) -> Response {
    let headers = request.headers().clone();
    let mut response = claims(&web, request).await.unwrap_or_else(Refused::answer);
    cors::allow(&web.grants, &headers, response.headers_mut());
    response
}

async fn claims(web: &Web, request: Request) -> Result<Response, Refused> {
    let is_form = request.method() == Method::POST && is_form(request.headers());
    let (parts, body) = request.into_parts();
    let in_form = if is_form {
        let mut request = Request::new(body);
        *request.headers_mut() = parts.headers.clone();
        let (parameters, _) = read(request).await?;
        parameters.one("access_token").map_err(|error| Refused::invalid_request(error.to_string()))?.map(str::to_owned)
    } else {
        None
    };
    // RFC 6750 section 2: by one way only.
    let shown = match (proof::shown(web, &parts)?, in_form.as_deref()) {
        (Some(_), Some(_)) => return Err(Refused::invalid_request("The access token is there twice: use the header or the form.")),
        (Some(shown), None) => shown,
        (None, Some(token)) => ShownToken::bearer(token),
        (None, None) => return Err(Refused::no_token()),
    };
    Ok(json(StatusCode::OK, &web.grants.user_info(&shown).await?))
}
