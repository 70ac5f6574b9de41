use bytes::Bytes;
use falconer_middleware::ProtectedResource;
use falconer_wire::error::RequestInfo;
use falconer_wire::{Code, ErrorBody, date_time};
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};

use super::refused::Refused;
use super::request_head::RequestHead;
use crate::page::{self, Page};
use crate::session::shows_page;

/// What somebody gets who gets no further: beside a proxy never with a status of success, which it would take for leave to go on.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// What a refusal looks like: a page for people, else JSON in the protocol's shape; with the reason and an id that stands in the log: Falconer's, where it has one.
    pub(crate) fn refused(refused: &Refused, request: &RequestHead<'_>) -> Answer {
        let known = if let Refused::Verifier(refusal) = refused { refusal.id() } else { None };
        let id = known.map_or_else(falconer_client::system::new_id, str::to_owned);
        refused.log(&id);
        let (status, code, reason, message) = (refused.status(), refused.code(), refused.reason(), refused.message());
        if shows_page(request.headers) {
            let link = refused.link(request);
            let link = link.as_ref().map(|(to, words)| (to.as_str(), *words));
            let page = Page { title: title(code), text: &message, link, report: Some((reason, &id)), ..Page::default() };
            return Answer::page(status, &page).with_headers_of(code);
        }
        let path = request.target.split_once('?').map_or(request.target, |(path, _)| path);
        Answer::error(status, code, reason, &message, &id, &format!("{} {path}", request.method))
    }

    /// An error in the protocol's shape. `request` is its method and path.
    pub(crate) fn error(status: u16, code: Code, reason: &str, message: &str, id: &str, request: &str) -> Answer {
        let time = date_time::format_ms(falconer_client::system::now_ms());
        let request = RequestInfo { method: request.to_owned(), params: serde_json::Map::default(), payload: None, time };
        let mut body = serde_json::to_value(ErrorBody::new(code, message, request)).unwrap_or_default();
        if let Some(fields) = body.as_object_mut() {
            fields.insert("reason".to_owned(), reason.into());
            fields.insert("id".to_owned(), id.into());
        }
        Answer::new(status, "application/json", serde_json::to_vec(&body).unwrap_or_default()).with_headers_of(code)
    }

    fn with_headers_of(mut self, code: Code) -> Answer {
        match code {
            Code::AuthenticationFailed => drop(self.headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("hawk"))),
            Code::ServiceUnavailable | Code::TooManyRequests => {
                drop(self.headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1")))
            }
            _ => {}
        }
        self
    }

    /// What clients of OAuth 2 ask for first. It is the same for everybody, and pages of every origin may read it.
    pub(crate) fn metadata(resource: &ProtectedResource) -> Answer {
        let mut answer = Answer::new(200, "application/json", resource.document().as_bytes().to_vec());
        answer.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
        answer.headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        answer
    }

    /// To another address, which is a whole one: proxies make another of a path. `None`: it is no header value.
    pub(crate) fn to(address: &str, cookies: impl IntoIterator<Item = HeaderValue>) -> Option<Answer> {
        let mut answer = Answer::new(303, "text/plain; charset=utf-8", Vec::new());
        answer.headers.insert(header::LOCATION, HeaderValue::from_str(address).ok()?);
        answer.headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        Some(answer.with_cookies(cookies))
    }

    /// The same with cookies set, or cleared.
    pub(crate) fn with_cookies(mut self, cookies: impl IntoIterator<Item = HeaderValue>) -> Answer {
        for cookie in cookies {
            self.headers.append(header::SET_COOKIE, cookie);
        }
        self
    }

    /// A small page for people.
    pub(crate) fn page(status: u16, page: &Page<'_>) -> Answer {
        let mut answer = Answer::new(status, "text/html; charset=utf-8", page.html().into_bytes());
        answer.headers.insert(header::CONTENT_SECURITY_POLICY, page::policy());
        answer.headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
        answer
    }

    fn new(status: u16, content_type: &'static str, body: Vec<u8>) -> Answer {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        Answer { status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), headers, body: body.into() }
    }

    pub(crate) fn into_response(self) -> Response<Bytes> {
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

/// What a page that refuses is called.
fn title(code: Code) -> &'static str {
    match code {
        Code::AuthenticationFailed | Code::InsufficientScopes => "Not allowed",
        Code::ResourceNotFound | Code::ResourceExpired => "Not found",
        Code::TooManyRequests => "Too many requests",
        Code::InternalServerError => "Not set up correctly",
        Code::ServiceUnavailable => "Not available at the moment",
        Code::MalformedPayload
        | Code::InvalidRequestArguments
        | Code::InputValidationError
        | Code::InputError
        | Code::RequestConflict
        | Code::InputTooLarge => "This request can't be served",
    }
}
