use http::{HeaderMap, header};
use reqwest::Url;
use serde_json::Value;

use crate::connection::resolver::UnknownHost;
use crate::connection::target;

/// What lies below an error.
type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why a call did not give what was asked for, grouped by who is at fault.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operator's: an address, an environment variable or credentials that cannot be used. The text says which and why.
    #[error("{0}")]
    Settings(String),
    /// The caller's: a call that cannot be sent as asked for.
    #[error("{0}")]
    Request(String),
    /// The caller's: `.` and `..` cannot be sent as a segment of a path. URLs know no way to write them.
    #[error("`{0}` cannot be part of a path")]
    Segment(String),
    /// The server said no: HTTP status 400 and above (5xx: after the last try), or a redirect.
    #[error("{message}")]
    Api {
        /// Host and port that were called.
        host: String,
        /// HTTP status.
        status: u16,
        /// The protocol's code, such as `InsufficientScopes`; `UnknownError` where the body had none.
        code: String,
        /// The server's words, up to the `---` that begins the technical part.
        message: String,
        /// The whole body, `Null` if it was not JSON.
        body: Box<Value>,
        /// By what Falconer remembers the refusal ([`Client::explain`](crate::Client::explain)), where it said so: the header `Falconer-Refusal`.
        refusal: Option<String>,
    },
    /// The server was not reached, or the connection broke, until the last try.
    #[error("{host} cannot be reached: {detail}")]
    Network {
        /// Host and port that were called.
        host: String,
        /// What the network said.
        detail: String,
        /// The error of the HTTP client, if there was one.
        #[source]
        source: Option<Source>,
    },
    /// The server answered with success and something that is not what this call answers.
    #[error("{host} gave an answer that cannot be understood: {detail}")]
    Answer {
        /// Host and port that were called.
        host: String,
        /// What is wrong with it.
        detail: String,
        /// The error of the reader, if there was one.
        #[source]
        source: Option<Source>,
    },
    /// The operating system gives no randomness.
    #[error("the operating system gives no randomness")]
    Randomness,
}

impl Error {
    /// HTTP status of a refusal.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        if let Error::Api { status, .. } = self { Some(*status) } else { None }
    }

    /// The protocol's code of a refusal.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        if let Error::Api { code, .. } = self { Some(code) } else { None }
    }

    /// Whether the server's name leads to no address.
    #[must_use]
    pub fn is_unknown_host(&self) -> bool {
        let mut next = std::error::Error::source(self);
        while let Some(cause) = next {
            if cause.is::<UnknownHost>() {
                return true;
            }
            next = cause.source();
        }
        false
    }

    /// Whether there was a connection, and what came over it is not HTTP, or broke off.
    #[must_use]
    pub fn is_no_http(&self) -> bool {
        self.of_http_client().is_some_and(|error| error.is_request() && !error.is_connect() && !error.is_timeout())
    }

    /// From the HTTP client, whose own text names the URL with its query.
    pub(crate) fn network(url: &Url, error: reqwest::Error) -> Error {
        Error::Network { host: target::shown(url), detail: innermost(&error), source: Some(Box::new(error.without_url())) }
    }

    /// An answer that breaks off after its head.
    pub(crate) fn broken(host: &str, error: reqwest::Error) -> Error {
        Error::Network { host: host.to_owned(), detail: innermost(&error), source: Some(Box::new(error.without_url())) }
    }

    /// Nothing came in time.
    pub(crate) fn silent(url: &Url) -> Error {
        Error::Network { host: target::shown(url), detail: NO_ANSWER.to_owned(), source: None }
    }

    /// From the reader of an answer.
    pub(crate) fn answer(url: &Url, error: serde_json::Error) -> Error {
        Error::Answer { host: target::shown(url), detail: error.to_string(), source: Some(Box::new(error)) }
    }

    /// Whether it is certain that the server got nothing: there was no connection.
    #[must_use]
    pub fn was_not_sent(&self) -> bool {
        self.of_http_client().is_some_and(reqwest::Error::is_connect)
    }

    fn of_http_client(&self) -> Option<&reqwest::Error> {
        match self {
            Error::Network { source: Some(source), .. } => source.downcast_ref(),
            _ => None,
        }
    }

    /// From an answer of status 300 and above.
    pub(crate) fn from_answer(url: &Url, status: u16, headers: &HeaderMap, body: &[u8]) -> Error {
        let body: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        let message = match text("message").or_else(|| text("error")) {
            Some(message) => message.split("\n\n---\n").next().unwrap_or(message).to_owned(),
            None => match status {
                300..=399 => match location(headers) {
                    Some(location) => format!("Unexpected redirect (status {status}) to {location}"),
                    None => format!("Unexpected redirect (status {status})"),
                },
                401 => "Authentication error".to_owned(),
                500.. => format!("Server error (status {status})"),
                _ => format!("The server refused the call (status {status})"),
            },
        };
        let code = text("code").unwrap_or("UnknownError").to_owned();
        Error::Api { host: target::shown(url), status, code, message, body: Box::new(body), refusal: refusal(headers) }
    }
}

/// Where a redirect leads: what is in front of a query, which may hold what nobody else is to see.
fn location(headers: &HeaderMap) -> Option<String> {
    let location = headers.get(header::LOCATION)?.to_str().ok()?;
    location.split(['?', '#']).next().map(|place| place.chars().take(200).collect())
}

/// As Falconer makes them; anything else is of somebody else.
fn refusal(headers: &HeaderMap) -> Option<String> {
    let id = headers.get("falconer-refusal")?.to_str().ok()?;
    (id.len() == 22 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))).then(|| id.to_owned())
}

const NO_ANSWER: &str = "no answer in time";

/// The cause at the bottom (`connection refused`) is what a person needs.
pub(crate) fn innermost(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return NO_ANSWER.to_owned();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_answer(status: u16, body: &[u8]) -> Error {
        Error::from_answer(&Url::parse("https://auth.example.com/api").unwrap(), status, &HeaderMap::new(), body)
    }

    #[test]
    fn the_servers_words_without_the_technical_part() {
        let body = r#"{"code":"ResourceNotFound","message":"Client not found\n\n---\n\n* method:     client","requestInfo":{}}"#;
        let error = from_answer(404, body.as_bytes());
        assert_eq!((error.status(), error.code(), error.to_string().as_str()), (Some(404), Some("ResourceNotFound"), "Client not found"));
    }

    #[test]
    fn an_answer_that_says_nothing_still_reads_well() {
        assert_eq!(from_answer(502, b"<h1>Bad gateway</h1>").to_string(), "Server error (status 502)");
        assert_eq!(from_answer(303, b"").to_string(), "Unexpected redirect (status 303)");
        assert_eq!(from_answer(404, br#"{"error":"Not found"}"#).to_string(), "Not found");
        assert_eq!(from_answer(400, b"[1]").code(), Some("UnknownError"));
        let url = Url::parse("https://auth.example.com/api").unwrap();
        let elsewhere = HeaderMap::from_iter([(header::LOCATION, "https://www.example.com/?secret=1".parse().unwrap())]);
        let moved = Error::from_answer(&url, 301, &elsewhere, b"");
        assert_eq!(moved.to_string(), "Unexpected redirect (status 301) to https://www.example.com/");
        assert!(matches!(moved, Error::Api { host, .. } if host == "auth.example.com"));
    }
}
