//! `POST /login/oauth/par` (RFC 9126): an application pushes its request. No cookie is read here.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use serde_json::json;

use super::endpoints::{answered, json};
use super::proof;
use crate::{Peer, Web, client_address};

/// Gives an application a reference to its request.
pub(crate) async fn push(State(web): State<Arc<Web>>, request: Request) -> Response {
    let peer = request.extensions().get::<Peer>();
    let address = client_address(peer, request.headers(), &web.settings.trusted_proxies);
    answered(&web, request, async |request| {
        let issuer = web.settings.public_origin.as_str();
        let sent = proof::sent(request.dpop.as_deref(), "/login/oauth/par");
        let pushed = web.grants.push_request(&request.parameters, request.proof()?, address, issuer, sent).await?;
        Ok(json(StatusCode::CREATED, &json!({ "request_uri": pushed.request_uri, "expires_in": pushed.seconds })))
    })
    .await
}
