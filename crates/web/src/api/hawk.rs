//! authenticateHawk and the two trial methods (`auth-api.md` 8.5).

use falconer_auth::{RequestParts, TestView, Verdict};
use falconer_wire::{AuthenticateHawkResponse, Identity, TestAuthenticateRequest, TestAuthenticateResponse};
use serde_json::Value;

use super::failure::Failure;
use super::handlers::{Answer, Request, time};
use super::respond::Reply;
use super::signed::payload_mismatch;

pub(super) async fn authenticate(request: &Request<'_>) -> Answer {
    let text = |key: &str| request.body.json.get(key).and_then(Value::as_str);
    // The schema lets 443.0 through: it is an integer. So the number is read as one, not as its text.
    let port = request.body.json.get("port").and_then(Value::as_f64).unwrap_or_default() as u16;
    let parts = RequestParts {
        method: text("method").unwrap_or_default(),
        resource: text("resource").unwrap_or_default(),
        host: text("host").unwrap_or_default(),
        port,
        authorization: text("authorization"),
    };
    let answer = match request.auth.verify(&parts).await {
        Verdict::Success(success) => AuthenticateHawkResponse::Success {
            scheme: "hawk".to_owned(),
            expires: time(success.expires_ms),
            scopes: success.scopes.to_vec(),
            client_id: success.client_id,
            hash: success.hash,
            identity: success.identity.map(|who| Identity {
                id: who.id,
                provider: who.provider,
                subject: who.subject,
                display_name: who.display_name,
                email: who.email,
                email_verified: who.email_verified,
                target: who.target,
            }),
        },
        Verdict::NoAuth { expires_ms, scopes } => {
            AuthenticateHawkResponse::NoAuth { scheme: "none".to_owned(), expires: time(expires_ms), scopes: scopes.to_vec() }
        }
        Verdict::Failed { message } => AuthenticateHawkResponse::Failed { message },
    };
    Ok(Reply { plain: true, ..Reply::json(&answer) })
}

pub(super) fn test(request: &Request<'_>) -> Answer {
    let given: TestAuthenticateRequest = request.input()?;
    let parts = request.signed.parts_of_one_scheme()?;
    shape(request, request.auth.test_authenticate(&parts, &given.client_scopes, &given.required_scopes)?)
}

pub(super) fn test_get(request: &Request<'_>) -> Answer {
    let parts = request.signed.parts_of_one_scheme()?;
    shape(request, request.auth.test_authenticate_get(&parts)?)
}

fn shape(request: &Request<'_>, view: TestView) -> Answer {
    match payload_mismatch(view.hash.as_deref(), request.body) {
        Some(error) => Err(Failure::from(error)),
        None => Ok(Reply::json(&TestAuthenticateResponse { client_id: view.client_id, scopes: view.scopes })),
    }
}
