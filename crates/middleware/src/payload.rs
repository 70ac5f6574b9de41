//! The signed hash of a body against the body that came.

use crate::refusal::Refusal;
use axum::body::Body;
use falconer_wire::error;
use http::{HeaderMap, header};
use http_body::Body as _;
use http_body_util::{BodyExt, LengthLimitError, Limited};

/// Reads the body, compares its hash with the signed one, and gives the body back.
pub(crate) async fn verified(headers: &HeaderMap, body: Body, signed: &str, limit_bytes: usize) -> Result<Body, Refusal> {
    let bytes = match Limited::new(body, limit_bytes).collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            return Err(Refusal::too_large(limit_bytes));
        }
        Err(_) => {
            return Err(Refusal::bad_request("The body could not be read".to_owned()));
        }
    };
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let computed = falconer_client::payload_hash(content_type, &bytes);
    if computed != signed {
        return Err(Refusal::authentication_failed(error::payload_hash(signed, &computed)));
    }
    Ok(Body::from(bytes))
}

/// Lets a request without a signed hash through only if it has no body.
pub(crate) fn empty_only(body: Body) -> Result<Body, Refusal> {
    if body.is_end_stream() {
        return Ok(body);
    }
    Err(Refusal::authentication_failed("This service accepts a body only if its hash is signed".to_owned()))
}
