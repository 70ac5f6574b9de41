use axum::body::Body;
use axum::extract::FromRequestParts;
use http::Response;
use http::request::Parts;

use crate::tower::refused;
use crate::{Caller, Refusal};

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Response<Body>;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        parts.extensions.get::<Caller>().cloned().ok_or_else(|| {
            let refusal = Refusal::Misconfigured("a handler takes a Caller, but its route has no layer of a Guard".to_owned());
            refused(&refusal, &parts.method, &parts.uri, None)
        })
    }
}
