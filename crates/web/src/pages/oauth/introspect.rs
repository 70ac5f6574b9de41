//! `POST /login/oauth/introspect` (RFC 7662): what a token is worth, for its application, and for services with credentials of Falconer.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use falconer_auth::{ApiError, Caller};
use falconer_grants::{ActiveToken, BearerKind, Introspector, Parameters, TokenScheme};
use falconer_login::LoginError;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde_json::json;

use super::endpoints::{after_scheme, answered, json, read, with_member};
use super::refused::Refused;
use crate::Web;
use crate::api::request_signed::{Hashed, Signed, payload_mismatch, text_of};
use crate::http::problem::Problem;

/// `POST /login/oauth/introspect`
pub(crate) async fn introspect(State(web): State<Arc<Web>>, request: Request) -> Response {
    if after_scheme(request.headers(), "Hawk").is_some() {
        return of_service(&web, request).await.unwrap_or_else(Refused::answer);
    }
    answered(&web, request, async |request| {
        let by = Introspector::Application(request.proof()?);
        Ok(answer(&web, web.grants.introspect(&request.parameters, by).await?))
    })
    .await
}

async fn of_service(web: &Web, request: Request) -> Result<Response, Refused> {
    let (caller, parameters) = signed(web, request).await?;
    Ok(answer(web, web.grants.introspect(&parameters, Introspector::Service(&caller)).await?))
}

/// Who signed it: looked at before the body is read, and then whether the body is the one that was signed.
async fn signed(web: &Web, request: Request) -> Result<(Caller, Parameters), Refused> {
    let (parts, body) = request.into_parts();
    let signed = Signed::of(&parts, &web.settings.trusted_proxies, |host, port| web.auth.is_own_site(host, port));
    let no_host = |_| Refused::invalid_request("The Host header of the request is not the name of a host.");
    let authentication = signed.authenticate_head(&web.auth).await.map_err(no_host)?;
    let caller = authentication.caller().map_err(|error| not_verified(error.clone()))?.clone();
    let content_type = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let (parameters, body) = read(Request::from_parts(parts, body)).await?;
    let hashed = Hashed { content_type: content_type.as_deref(), text: &body };
    match payload_mismatch(caller.hash.as_deref(), hashed) {
        Some(error) => Err(not_verified(error)),
        None => Ok((caller, parameters)),
    }
}

fn not_verified(error: ApiError) -> Refused {
    match error {
        ApiError::AuthenticationFailed(reason) => Refused::not_verified(text_of(&reason)),
        other => Problem::from(LoginError::from(other)).into(),
    }
}

fn answer(web: &Web, token: Option<ActiveToken>) -> Response {
    let Some(token) = token else { return json(StatusCode::OK, &json!({ "active": false })) };
    let body = json!({
        "active": true,
        "iss": web.settings.public_origin.as_str(),
        "client_id": token.application,
        "scope": token.scope,
        "exp": token.expires_seconds,
    });
    let audience = (!token.resources.is_empty()).then_some(token.resources);
    let body = with_member(body, "aud", audience);
    let scheme = if token.jkt.is_some() { TokenScheme::Dpop } else { TokenScheme::Bearer };
    let token_type = (token.kind != BearerKind::Refresh).then(|| scheme.as_str());
    let key = token.jkt.map(|jkt| json!({ "jkt": jkt }));
    json(StatusCode::OK, &with_member(with_member(body, "token_type", token_type), "cnf", key))
}
