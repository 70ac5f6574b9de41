use axum::response::{IntoResponse, Response};
use falconer_scopes::Expression;
use falconer_wire::error::{self, RequestInfo};
use falconer_wire::{Code, ErrorBody, date_time};
use http::{HeaderValue, Method, StatusCode, Uri, header};

/// What an error repeats of the request: method and path, never the query, which may hold a signature.
pub(crate) fn asked(method: &Method, uri: &Uri) -> RequestInfo {
    RequestInfo { method: format!("{method} {}", uri.path()), params: Default::default(), payload: None, time: String::new() }
}

/// A request that does not reach its handler, and why.
#[derive(Debug)]
pub(crate) struct Refusal {
    code: Code,
    text: String,
}

impl Refusal {
    pub(crate) fn authentication_failed(text: String) -> Refusal {
        Refusal { code: Code::AuthenticationFailed, text }
    }

    pub(crate) fn insufficient_scopes(client_id: Option<&str>, missing: &Expression, required: &Expression) -> Refusal {
        Refusal { code: Code::InsufficientScopes, text: error::insufficient_scopes(client_id, missing, required) }
    }

    pub(crate) fn bad_request(text: String) -> Refusal {
        Refusal { code: Code::InputError, text }
    }

    pub(crate) fn too_large(limit_bytes: usize) -> Refusal {
        Refusal { code: Code::InputTooLarge, text: format!("The body is larger than {limit_bytes} bytes") }
    }

    pub(crate) fn unavailable() -> Refusal {
        Refusal {
            code: Code::ServiceUnavailable,
            text: "The authorization server cannot be asked at the moment. Try again soon.".to_owned(),
        }
    }

    pub(crate) fn internal() -> Refusal {
        Refusal { code: Code::InternalServerError, text: "This service is not set up correctly. Its log says more.".to_owned() }
    }

    pub(crate) fn response(self, mut info: RequestInfo) -> Response {
        info.time = date_time::format_ms(falconer_client::edge::now_ms());
        let body = ErrorBody::new(self.code, &self.text, info);
        let status = StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, axum::Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        match self.code {
            Code::AuthenticationFailed => drop(headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("hawk"))),
            Code::ServiceUnavailable => drop(headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"))),
            _ => {}
        }
        response
    }
}
