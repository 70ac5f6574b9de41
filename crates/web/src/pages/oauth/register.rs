//! `/login/oauth/register`: applications register themselves (RFC 7591), and look after what is registered (RFC 7592). No cookie is read here.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use falconer_grants::{GrantType, RegisteredApplication, RegistrationError, jwks_of_keys};
use http::{HeaderMap, Method, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::{Map, Value, json};

use super::cors;
use super::endpoints::{after_scheme, json, with_member};
use super::refused::Refused;
use crate::api::request_json::{Budget, DuplicateKeys, JsonError, tree};
use crate::http::only::is_of_kind;
use crate::http::problem::Problem;
use crate::pages::visit::PathText;
use crate::{Peer, Web, client_address};

/// Longest metadata in bytes.
const LONGEST_BODY: usize = 16 * 1024;
/// And so many values in it.
const MOST_VALUES: usize = 500;
/// What an application that has registered itself has: the way over the page, and what renews a token.
const GRANT_TYPES: [GrantType; 2] = [GrantType::AuthorizationCode, GrantType::RefreshToken];

/// `POST /login/oauth/register`
pub(crate) async fn register(State(web): State<Arc<Web>>, request: Request) -> Response {
    let address = client_address(request.extensions().get::<Peer>(), request.headers(), &web.settings.trusted_proxies);
    answered(async {
        let token = token(request.headers())?;
        // First: what is not offered reads no body.
        if !web.grants.registration().is_on() {
            return Err(RegistrationError::Off.into());
        }
        let metadata = read(request).await?;
        let registered = web.grants.register(token.as_deref(), &metadata, address).await?;
        Ok(shown(&web, StatusCode::CREATED, registered))
    })
    .await
}

/// `GET`, `PUT` and `DELETE /login/oauth/register/<client_id>`, with the token that came with the registration
pub(crate) async fn manage(State(web): State<Arc<Web>>, id: Result<PathText, Problem>, request: Request) -> Response {
    answered(async {
        // What is no text is the id of none.
        let id = id.map(|PathText(id)| id).unwrap_or_default();
        let token = token(request.headers())?;
        let token = token.as_deref();
        match *request.method() {
            Method::PUT => {
                web.grants.registered(&id, token).await?;
                let metadata = read(request).await?;
                Ok(shown(&web, StatusCode::OK, web.grants.change_registered(&id, token, &metadata).await?))
            }
            Method::DELETE => {
                web.grants.delete_registered(&id, token).await?;
                let mut response = Response::new(Body::empty());
                *response.status_mut() = StatusCode::NO_CONTENT;
                Ok(response)
            }
            _ => Ok(shown(&web, StatusCode::OK, web.grants.registered(&id, token).await?)),
        }
    })
    .await
}

async fn answered(exchange: impl Future<Output = Result<Response, Refused>>) -> Response {
    let mut response = exchange.await.unwrap_or_else(Refused::answer);
    cors::allow_any(response.headers_mut());
    response
}

/// The token of the header. Errors: there is a header, and it is none of a token.
fn token(headers: &HeaderMap) -> Result<Option<String>, Refused> {
    let token = after_scheme(headers, "Bearer").map(str::to_owned);
    if token.is_none() && headers.contains_key(http::header::AUTHORIZATION) {
        return Err(RegistrationError::Token.into());
    }
    Ok(token)
}

async fn read(request: Request) -> Result<Map<String, Value>, Refused> {
    let invalid = |text: &str| Refused::from(RegistrationError::Metadata(text.to_owned()));
    if !is_of_kind(request.headers(), b"application/json") {
        return Err(invalid("Send the metadata as application/json."));
    }
    let body = match Limited::new(request.into_body(), LONGEST_BODY).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Err(Refused::too_large()),
        Err(_) => return Err(Problem::too_slow().into()),
    };
    let budget = Budget { bytes: LONGEST_BODY, nodes: MOST_VALUES, entries: MOST_VALUES, window: 0, time: Duration::MAX };
    let text = std::str::from_utf8(&body).map_err(|_| invalid("The metadata is not UTF-8."))?;
    match tree(text, &budget, DuplicateKeys::Refused) {
        Ok(Value::Object(members)) => Ok(members),
        Err(JsonError::OverBudget(_)) => Err(Refused::too_large()),
        Ok(_) | Err(JsonError::Malformed(_)) => Err(invalid("The metadata is not a JSON object that has each of its members once.")),
    }
}

fn shown(web: &Web, status: StatusCode, registered: RegisteredApplication) -> Response {
    let origin = web.settings.public_origin.as_str();
    let body = json!({
        "registration_client_uri": format!("{origin}/login/oauth/register/{}", registered.id),
        "client_id": registered.id,
        "client_id_issued_at": registered.created_ms / 1000,
        "registration_access_token": registered.access_token,
        "client_name": registered.name,
        "redirect_uris": registered.redirect_uris,
        "token_endpoint_auth_method": registered.method.as_str(),
        "grant_types": GRANT_TYPES.map(GrantType::as_str),
        "response_types": ["code"],
        "id_token_signed_response_alg": registered.id_token_alg.as_str(),
        "require_pushed_authorization_requests": registered.pushed_only,
        "dpop_bound_access_tokens": registered.dpop_bound_access_tokens,
    });
    let body = with_member(body, "scope", registered.scope);
    let jwks = (!registered.keys.is_empty()).then(|| jwks_of_keys(&registered.keys));
    let body = with_member(body, "jwks", jwks);
    // The session is in each logout token, whether it was required or not.
    let told = registered.backchannel_logout_uri;
    let body = with_member(body, "backchannel_logout_session_required", told.is_some().then_some(true));
    let body = with_member(body, "backchannel_logout_uri", told);
    // Needed where there is a secret (RFC 7591 section 3.2.1): it does not end.
    let body = with_member(body, "client_secret_expires_at", registered.secret.as_ref().map(|_| 0));
    let body = with_member(body, "client_secret", registered.secret.as_ref().map(|secret| secret.expose().to_owned()));
    json(status, &body)
}
