//! Errors for people, as pages, and for programs, as JSON: what happened, what to do, an id to quote.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use falconer_login::LoginError;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::http::headers::Row;
use crate::http::log::RequestId;
use crate::views::{ErrorPage, Layout, html};
use crate::{PublicOrigin, Web};

/// Something that went wrong, in words that may be sent out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Of the answer.
    pub status: StatusCode,
    /// One line: what happened.
    pub title: String,
    /// What it means and what to do next.
    pub next: String,
    /// A link to go on with: where, and what it says.
    pub link: Option<(String, String)>,
    /// For `Retry-After`.
    pub retry_after_seconds: Option<u64>,
    /// It is for now, and nothing was done: a code or a token that came with the request is as it was.
    pub is_undone: bool,
}

impl Problem {
    /// Any problem; the texts are sent out.
    pub fn new(status: StatusCode, title: impl Into<String>, next: impl Into<String>) -> Self {
        Problem { status, title: title.into(), next: next.into(), link: None, retry_after_seconds: None, is_undone: false }
    }

    /// With a link to go on with.
    #[must_use]
    pub fn with_link(mut self, href: impl Into<String>, text: impl Into<String>) -> Self {
        self.link = Some((href.into(), text.into()));
        self
    }

    /// 404
    pub fn not_found() -> Self {
        Problem::new(StatusCode::NOT_FOUND, "There is no such page", "The address may be mistyped, or the page may have moved.")
            .with_link("/", "Go to your own page")
    }

    /// 500: ours; the log has the details under the id.
    pub fn internal() -> Self {
        Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Something went wrong on our side",
            "It is in the log. Try again; if it stays, tell your administrator the id below.",
        )
    }

    /// 503, with what is the matter in a few words.
    pub fn unavailable(what: &str) -> Self {
        let mut problem = Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "Falconer can't answer this right now",
            format!("The reason: {what}. Nothing was changed. Try again in a moment."),
        );
        problem.retry_after_seconds = Some(5);
        problem.is_undone = true;
        problem
    }

    /// 503: nobody knows whether it was done.
    pub fn outcome_unknown() -> Self {
        Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "Falconer can't say whether that was done",
            "It may have been done, or not: the answer was lost or takes too long. Load the page or the record again and look, before you repeat it.",
        )
        .with_link("/", "Go to your own page")
    }

    /// 403: a form that does not come from one of our own pages.
    pub fn foreign_form(origin: &PublicOrigin) -> Self {
        let origin = origin.as_str();
        Problem::new(
            StatusCode::FORBIDDEN,
            "This form did not come from Falconer",
            format!(
                "Nothing was done. If you pressed the button on a page of Falconer itself, you were signed out meanwhile, or opened it under \
                 another address than {origin}. Go to your own page there and try again."
            ),
        )
        .with_link(format!("{origin}/"), "Go to your own page")
    }

    /// 403: the form belongs to a session that has ended.
    pub fn signed_out() -> Self {
        Problem::new(StatusCode::FORBIDDEN, "You are signed out", "Nothing was done. Sign in and try again.").with_link("/login", "Sign in")
    }

    /// 405
    pub fn method_not_allowed() -> Self {
        Problem::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "This address can't be used that way",
            "It takes another method, for example because it is the address of a form.",
        )
        .with_link("/", "Go to your own page")
    }

    /// 400
    pub fn no_host() -> Self {
        Problem::new(StatusCode::BAD_REQUEST, "The request does not name exactly one host", "Send one Host header.")
    }

    /// 400
    pub fn transfer_encoding() -> Self {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "The request has a Transfer-Encoding other than chunked",
            "Send Transfer-Encoding: chunked once, or Content-Length. A compressed body is announced with Content-Encoding.",
        )
    }

    /// 400
    pub fn field_twice() -> Self {
        Problem::new(StatusCode::BAD_REQUEST, "The form has a field twice", "Nothing was done. Use the form on the page as it is.")
    }

    /// 408
    pub fn too_slow() -> Self {
        Problem::new(StatusCode::REQUEST_TIMEOUT, "The request took too long to arrive", "Try again.")
    }

    /// 413
    pub fn too_large() -> Self {
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "The request is too large", "Send less at once.")
    }

    /// 414
    pub fn uri_too_long() -> Self {
        Problem::new(
            StatusCode::URI_TOO_LONG,
            "The address is too long",
            "If a site sent you here, tell its author to shorten its description or to ask for fewer scopes.",
        )
    }

    /// 431
    pub fn headers_too_large() -> Self {
        Problem::new(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "The request's headers are too large",
            "Too many cookies of this host may be the reason: remove some.",
        )
    }

    /// 429: the same for an account that exists and one that does not.
    pub fn too_many_attempts(retry_after_seconds: u64) -> Self {
        let mut problem = Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            "Too many attempts",
            format!("Wait {} before you try again.", crate::views::words::wait(retry_after_seconds)),
        );
        problem.retry_after_seconds = Some(retry_after_seconds);
        problem
    }

    /// As a page, or as JSON: `{"error": "<title>", "message": "<what to do>", "id": "7kq2-x9mf"}`.
    pub fn answer(self, as_html: bool, web: &Web, id: &RequestId) -> Response {
        let layout = Layout::anonymous(&web.settings.public_origin);
        let (status, retry) = (self.status, self.retry_after_seconds);
        let mut response = if as_html {
            html(status, Row::Page, &ErrorPage { layout, problem: self, id: id.to_string() })
        } else {
            let body = serde_json::json!({"error": self.title, "message": self.next, "id": id.as_str()});
            let mut response = Response::new(Body::from(body.to_string()));
            *response.status_mut() = status;
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
            response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        };
        if let Some(seconds) = retry {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// An answer that the edge turns into a page or into JSON: only there it is known who asks, and under which id.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.status;
        response.extensions_mut().insert(self);
        response
    }
}

/// What went wrong in a use case of sign-in. What only the log may know goes to the log.
impl From<LoginError> for Problem {
    fn from(error: LoginError) -> Self {
        let own_page = |problem: Problem| problem.with_link("/", "Go to your own page");
        match error {
            LoginError::Invalid(text) => own_page(Problem::new(StatusCode::BAD_REQUEST, "That can't be done", sentence(&text))),
            error @ LoginError::TooSoon => own_page(Problem::new(StatusCode::BAD_REQUEST, "That was too quick", error.to_string())),
            LoginError::SignedOut => Problem::signed_out(),
            error @ LoginError::SignInAgain => {
                Problem::new(StatusCode::FORBIDDEN, "Sign in again", error.to_string()).with_link("/me/again", "Sign in again")
            }
            error @ LoginError::WrongPassword => own_page(Problem::new(StatusCode::FORBIDDEN, "You may not do that", error.to_string())),
            LoginError::NotFound(text) => own_page(Problem::new(StatusCode::NOT_FOUND, "That is not there", sentence(&text))),
            LoginError::Conflict(text) => own_page(Problem::new(StatusCode::CONFLICT, "That can't be done any more", sentence(&text))),
            LoginError::Throttled { retry_after_seconds } => Problem::too_many_attempts(retry_after_seconds),
            LoginError::TooBusy => Problem::unavailable("many people are signing in at this moment"),
            error @ (LoginError::ClockBehind { .. } | LoginError::ClockAhead { .. }) => {
                tracing::warn!(%error, "unavailable");
                Problem::unavailable(&error.to_string())
            }
            LoginError::Unavailable(detail) => {
                tracing::warn!(detail, "unavailable");
                Problem::unavailable("its database does not answer")
            }
            LoginError::NotFollowed(text) => Problem::new(StatusCode::SERVICE_UNAVAILABLE, "That can't be followed yet", sentence(&text)),
            LoginError::OutcomeUnknown(detail) => {
                tracing::warn!(detail, "outcome unknown");
                Problem::outcome_unknown()
            }
            LoginError::Internal(detail) => {
                tracing::error!(detail, "internal error");
                Problem::internal()
            }
        }
    }
}

/// With a full stop at its end.
pub(crate) fn sentence(text: &str) -> String {
    if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}

/// Whether a page is the right form of an answer. Browsers name `text/html`. Without `Accept`, and for `*/*` alone, the answer is JSON, because it is programs that
/// don't say what they read.
pub fn prefers_html(headers: &HeaderMap) -> bool {
    let mut html: f32 = 0.0;
    let mut json: f32 = 0.0;
    for value in headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()) {
        for part in value.split(',') {
            let mut pieces = part.split(';').map(str::trim);
            let kind = pieces.next().unwrap_or_default();
            let quality = pieces.find_map(|piece| piece.strip_prefix("q=")?.parse().ok()).unwrap_or(1.0_f32);
            if kind.eq_ignore_ascii_case("text/html") || kind.eq_ignore_ascii_case("application/xhtml+xml") {
                html = html.max(quality);
            } else if kind.eq_ignore_ascii_case("application/json") {
                json = json.max(quality);
            }
        }
    }
    html > 0.0 && html >= json
}

#[cfg(test)]
mod tests {
    use super::*;

    // Where something was done before, "Nothing was changed" is not true: each error of a use case is made one that may be said then.
    #[test]
    fn behind_a_change_no_page_says_that_nothing_was_done() {
        let text = || "The text".to_owned();
        let errors = [
            LoginError::SignedOut,
            LoginError::SignInAgain,
            LoginError::WrongPassword,
            LoginError::Throttled { retry_after_seconds: 60 },
            LoginError::TooBusy,
            LoginError::Invalid(text()),
            LoginError::TooSoon,
            LoginError::NotFound(text()),
            LoginError::Conflict(text()),
            LoginError::ClockBehind { behind_ms: 1 },
            LoginError::ClockAhead { ahead_ms: 1 },
            LoginError::NotFollowed(text()),
            LoginError::Unavailable(text()),
            LoginError::OutcomeUnknown(text()),
            LoginError::Internal(text()),
        ];
        let says_undone = |error: LoginError| {
            let problem = Problem::from(error);
            problem.is_undone || problem.next.contains("Nothing was")
        };
        assert_eq!(errors.iter().filter(|error| says_undone((*error).clone())).count(), 5, "as they are");
        for error in errors {
            assert!(!says_undone(error.clone().after_a_change()), "{error:?}");
        }
    }

    #[test]
    fn browsers_get_pages_and_programs_get_json() {
        for (accept, expected) in [
            (Some("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"), true),
            (Some("application/json"), false),
            (Some("application/json, text/html;q=0.5"), false),
            (Some("text/html;q=0.9, application/json;q=0.5"), true),
            (Some("*/*"), false),
            (None, false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(accept) = accept {
                headers.insert(ACCEPT, accept.parse().unwrap());
            }
            assert_eq!(prefers_html(&headers), expected, "{accept:?}");
        }
    }
}
