//! Which pages of others may read what these endpoints answer: those of registered applications, and of registering any. Cookies count for nothing there, so none are asked
//! for.

use axum::body::Body;
use axum::response::Response;
use falconer_grants::Grants;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, StatusCode};

/// The answer to a preflight.
pub(crate) fn preflight(grants: &Grants, request: &HeaderMap) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    if allow(grants, request, response.headers_mut()) {
        say_how(response.headers_mut(), "GET, POST");
    }
    response
}

/// The answer to a preflight of registering, which any page may do.
pub(crate) async fn preflight_of_any() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    allow_any(response.headers_mut());
    say_how(response.headers_mut(), "GET, POST, PUT, DELETE");
    response
}

/// Lets any page read the answer.
pub(crate) fn allow_any(answer: &mut HeaderMap) {
    answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
}

fn say_how(answer: &mut HeaderMap, methods: &'static str) {
    answer.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(methods));
    answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("authorization, content-type, dpop"));
    answer.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
}

/// Lets a page of an application read the answer. Whether it did.
pub(crate) fn allow(grants: &Grants, request: &HeaderMap, answer: &mut HeaderMap) -> bool {
    answer.insert(VARY, HeaderValue::from_static("Origin"));
    let Some(origin) = request.get(ORIGIN) else { return false };
    let is_known = origin.to_str().is_ok_and(|text| grants.has_application_at(text));
    if is_known {
        answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    }
    is_known
}
