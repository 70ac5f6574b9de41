//! `POST /login/oauth/grant_request`: whoever has an access token asks its person for more than its grant. No cookie is read here.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use serde_json::json;

use crate::Web;
use crate::pages::oauth::endpoints::{answered, json};
use crate::pages::oauth::proof;

/// The answer is that of a device (RFC 8628 section 3.2), but for the short code: the address of the page has all that is needed.
pub(crate) async fn request(State(web): State<Arc<Web>>, request: Request) -> Response {
    answered(&web, request, async |request| {
        let server = web.settings.public_origin.server();
        let sent = proof::sent(request.dpop.as_deref(), "/login/oauth/grant_request");
        let waiting = web.grants.request_more_by_token(&request.parameters, request.proof()?, sent, server).await?;
        let seconds = (waiting.expires_ms - web.clock.now_ms()).max(0) / 1000;
        let body = json!({
            "device_code": waiting.code,
            "verification_uri": waiting.page,
            "verification_uri_complete": waiting.page,
            "expires_in": seconds,
            "interval": waiting.interval_seconds,
        });
        Ok(json(StatusCode::OK, &body))
    })
    .await
}
