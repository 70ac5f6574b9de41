//! Errors on the wire.
//!
//! ```json
//! {
//!   "code": "ResourceNotFound",
//!   "message": "Client not found\n\n---\n\n* method:     client\n* errorCode:  ResourceNotFound\n* statusCode: 404\n* time:       2026-08-01T12:34:56.789Z",
//!   "requestInfo": { "method": "client", "params": { "clientId": "nope" }, "payload": {}, "time": "2026-08-01T12:34:56.789Z" }
//! }
//! ```

use std::fmt::Display;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What kind of error, as the `code` of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// The body is not JSON, or has the wrong content type.
    MalformedPayload,
    /// A query or path parameter was refused.
    InvalidRequestArguments,
    /// The body does not fit the schema.
    InputValidationError,
    /// Other bad input.
    InputError,
    /// Credentials are present but invalid.
    AuthenticationFailed,
    /// Scopes are missing, or there are no credentials at all.
    InsufficientScopes,
    /// There is no such thing.
    ResourceNotFound,
    /// It exists already, and differently.
    RequestConflict,
    /// Declared by the protocol, not used by auth.
    ResourceExpired,
    /// The body is too large.
    InputTooLarge,
    /// Slow down.
    TooManyRequests,
    /// Our fault.
    InternalServerError,
    /// Not now: the store is away, or this node has not seen the revision that was asked for. Ours; the reference has no such code.
    ServiceUnavailable,
}

impl Code {
    /// Every code, in the order of the statuses.
    pub const ALL: [Code; 13] = [
        Code::MalformedPayload,
        Code::InvalidRequestArguments,
        Code::InputValidationError,
        Code::InputError,
        Code::AuthenticationFailed,
        Code::InsufficientScopes,
        Code::ResourceNotFound,
        Code::RequestConflict,
        Code::ResourceExpired,
        Code::InputTooLarge,
        Code::TooManyRequests,
        Code::InternalServerError,
        Code::ServiceUnavailable,
    ];

    /// The word in the body.
    pub fn as_str(self) -> &'static str {
        match self {
            Code::MalformedPayload => "MalformedPayload",
            Code::InvalidRequestArguments => "InvalidRequestArguments",
            Code::InputValidationError => "InputValidationError",
            Code::InputError => "InputError",
            Code::AuthenticationFailed => "AuthenticationFailed",
            Code::InsufficientScopes => "InsufficientScopes",
            Code::ResourceNotFound => "ResourceNotFound",
            Code::RequestConflict => "RequestConflict",
            Code::ResourceExpired => "ResourceExpired",
            Code::InputTooLarge => "InputTooLarge",
            Code::TooManyRequests => "TooManyRequests",
            Code::InternalServerError => "InternalServerError",
            Code::ServiceUnavailable => "ServiceUnavailable",
        }
    }

    /// The HTTP status.
    pub fn status(self) -> u16 {
        match self {
            Code::MalformedPayload | Code::InvalidRequestArguments | Code::InputValidationError | Code::InputError => 400,
            Code::AuthenticationFailed => 401,
            Code::InsufficientScopes => 403,
            Code::ResourceNotFound => 404,
            Code::RequestConflict => 409,
            Code::ResourceExpired => 410,
            Code::InputTooLarge => 413,
            Code::TooManyRequests => 429,
            Code::InternalServerError => 500,
            Code::ServiceUnavailable => 503,
        }
    }
}

/// The body of an error, as a server writes it and a client reads it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorBody {
    /// [`Code::as_str`].
    pub code: String,
    /// Text, then `\n\n---\n\n` and four lines.
    pub message: String,
    /// What was asked.
    #[serde(default)]
    pub request_info: Option<RequestInfo>,
}

/// What was asked, as the error repeats it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequestInfo {
    /// Name of the API method.
    #[serde(default)]
    pub method: String,
    /// Decoded path parameters.
    #[serde(default)]
    pub params: serde_json::Map<String, Value>,
    /// The parsed body; absent when it could not be read at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Value>,
    /// When, `YYYY-MM-DDTHH:MM:SS.mmmZ`.
    #[serde(default)]
    pub time: String,
}

impl ErrorBody {
    /// Puts a body together: the trailer of the message repeats method, code, status and time.
    pub fn new(code: Code, text: &str, info: RequestInfo) -> ErrorBody {
        ErrorBody::with_status(code, code.status(), text, info)
    }

    /// The same for a status that the protocol has no code for: `code` is the nearest.
    pub fn with_status(code: Code, status: u16, text: &str, info: RequestInfo) -> ErrorBody {
        let message = format!(
            "{text}\n\n---\n\n* method:     {}\n* errorCode:  {}\n* statusCode: {}\n* time:       {}",
            info.method,
            code.as_str(),
            status,
            info.time
        );
        ErrorBody { code: code.as_str().to_owned(), message, request_info: Some(info) }
    }

    /// The message without its trailer.
    pub fn text(&self) -> &str {
        self.message.split("\n\n---\n").next().unwrap_or(&self.message)
    }
}

/// The text of a 403: without credentials only what is required, else also what is missing. Both are scope expressions (`falconer_scopes::Expression`), shown as
/// their `Display` does: a plain scope as raw text, anything else as JSON indented by 2.
pub fn insufficient_scopes(client_id: Option<&str>, missing: impl Display, required: impl Display) -> String {
    match client_id {
        None => {
            format!("This request requires Taskcluster credentials that satisfy the following scope expression:\n\n```\n{required}\n```")
        }
        Some(client_id) => format!(
            "Client ID {client_id} does not have sufficient scopes and is missing the following scopes:\n\n```\n{missing}\n```\n\n\
             This request requires the client to satisfy the following scope expression:\n\n```\n{required}\n```"
        ),
    }
}

/// The text of a 401 for a body whose hash is not the one that was signed. The reference sends the placeholder `{{hash}}` in place of `signed`.
pub fn payload_hash(signed: &str, computed: &str) -> String {
    format!(
        "Invalid payload hash: {signed}\nComputed payload hash: {computed}\nThis happens when your request carries a signed hash of the payload \
         and the hash doesn't match the hash we've computed on the server-side."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No page said what the words mean, although two of them send there.
    #[test]
    fn the_page_says_of_each_code_its_status() {
        let page = include_str!("../../../docs/services.md");
        let section = page.split_once("## Bodies and errors").unwrap().1.split_once("\n## ").unwrap().0;
        let rows: Vec<&str> = section.lines().filter(|line| line.starts_with("| `")).collect();
        assert_eq!(rows.len(), Code::ALL.len());
        for (code, row) in Code::ALL.iter().zip(rows) {
            assert!(row.starts_with(&format!("| `{}` | {} | ", code.as_str(), code.status())), "{row}");
        }
    }
}
