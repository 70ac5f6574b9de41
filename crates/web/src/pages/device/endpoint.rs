//! `POST /login/oauth/device_authorization`: a device asks for its codes. No cookie is read here.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use serde_json::json;

use crate::pages::oauth::endpoints::{answered, json};
use crate::{Peer, Web, client_address};

/// Gives a device a pair of codes (RFC 8628 section 3.2).
pub(crate) async fn authorize(State(web): State<Arc<Web>>, request: Request) -> Response {
    let peer = request.extensions().get::<Peer>();
    let address = client_address(peer, request.headers(), &web.settings.trusted_proxies);
    answered(&web, request, async |request| {
        let given = web.grants.authorize_device(&request.parameters, request.proof()?, address).await?;
        let page = format!("{}/device", web.settings.public_origin.as_str());
        let body = json!({
            "device_code": given.device_code,
            "user_code": given.user_code,
            "verification_uri": page,
            "verification_uri_complete": format!("{page}?user_code={}", given.user_code),
            "expires_in": given.seconds,
            "interval": given.interval_seconds,
        });
        Ok(json(StatusCode::OK, &body))
    })
    .await
}
