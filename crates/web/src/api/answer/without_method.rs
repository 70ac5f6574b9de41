//! Errors of a call that no method answers: refused for its head, or given up. They have the shape and the headers of all the others.

use axum::body::Body;
use axum::response::Response;
use falconer_wire::error::RequestInfo;
use falconer_wire::{Code, ErrorBody, Service, date_time};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};

use super::headers::{Zone, of_zone, trace};
use crate::Web;
use crate::http::problem::Problem;

/// The answer to a call of a service, with the request id in its text.
pub(crate) fn answer(web: &Web, service: Service, trace_id: Option<HeaderValue>, problem: Problem, id: &str) -> Response {
    let text = format!("{}. {} The request id is {id}.", problem.title, problem.next);
    let info = RequestInfo {
        time: date_time::format_ms(web.clock.now_ms()),
        method: String::new(),
        params: serde_json::Map::new(),
        payload: None,
    };
    let body = ErrorBody::with_status(code(problem.status), problem.status.as_u16(), &text, info);
    let text = serde_json::to_vec_pretty(&body).unwrap_or_default();
    let mut headers = of_zone(Zone::Service(service), &web.settings.public_origin);
    trace(&mut headers, trace_id, web.random.as_ref());
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(text.len()));
    if let Some(seconds) = problem.retry_after_seconds {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = problem.status;
    *response.headers_mut() = headers;
    response
}

/// The nearest code that the protocol has for a status.
pub(crate) fn code(status: StatusCode) -> Code {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE | StatusCode::URI_TOO_LONG | StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => Code::InputTooLarge,
        StatusCode::INTERNAL_SERVER_ERROR => Code::InternalServerError,
        StatusCode::REQUEST_TIMEOUT | StatusCode::BAD_REQUEST => Code::MalformedPayload,
        _ => Code::ServiceUnavailable,
    }
}
