//! Why a request of an application is not put before the person, and whose doing that is.

use falconer_login::LoginError;

use crate::oauth::request::parameters::ParameterError;

/// Whose doing it is that there is nobody to send an answer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The application's: it has asked for something that can't be.
    Wrong,
    /// Nobody's: it was good for a while, or once. Whoever starts again gets on.
    Over,
    /// Something that it takes can't be had at this moment. Whoever tries again may get on.
    Away,
    /// No application of this `client_id` is known here: a link may be wrong, or an administrator has taken the application out.
    Unregistered,
}

/// What the page says of an application that is not known.
pub(crate) const NOT_REGISTERED: &str = "No application of this `client_id` is registered.";

/// Why there is nobody to send an answer to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unanswerable {
    /// Whose doing it is.
    pub cause: Cause,
    /// What it is, in a sentence for the page.
    pub why: String,
}

impl Unanswerable {
    pub(crate) fn wrong(why: impl Into<String>) -> Unanswerable {
        Unanswerable { cause: Cause::Wrong, why: why.into() }
    }

    pub(crate) fn over(why: impl Into<String>) -> Unanswerable {
        Unanswerable { cause: Cause::Over, why: why.into() }
    }

    pub(crate) fn unregistered(why: impl Into<String>) -> Unanswerable {
        Unanswerable { cause: Cause::Unregistered, why: why.into() }
    }
}

/// Why there is nothing to ask the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthorizationError {
    /// It is not known where an answer could go: a page says why, and nothing is redirected.
    Unknown(Unanswerable),
    /// The application is told.
    AtApplication {
        /// At this address.
        location: String,
        /// Whether an administrator has registered it: nobody is sent to the address of another one who has not signed in (RFC 9700 section 4.11.2).
        is_trusted: bool,
    },
    /// Falconer itself can't at this moment, or has done as much as it does for one person.
    Login(LoginError),
}

/// Why there is no request.
pub(crate) enum Refusal {
    /// It is not known where an answer could go.
    Unknown(Unanswerable),
    /// The application can be told.
    Fault {
        /// What is wrong.
        fault: Fault,
        /// Where it is told so.
        location: String,
    },
}

/// What is told to the application, by the codes of RFC 6749 section 4.1.2.1.
pub(crate) enum Fault {
    InvalidRequest(String),
    UnsupportedResponseType(String),
    InvalidScope(String),
    RequestNotSupported,
    RequestUriNotSupported,
    InvalidTarget,
    /// It came with the browser.
    MustBePushed,
    /// `server_error`: nothing could be signed for it.
    NoSigningKey,
}

impl Fault {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Fault::InvalidRequest(_) | Fault::MustBePushed => "invalid_request",
            Fault::UnsupportedResponseType(_) => "unsupported_response_type",
            Fault::InvalidScope(_) => "invalid_scope",
            Fault::RequestNotSupported => "request_not_supported",
            Fault::RequestUriNotSupported => "request_uri_not_supported",
            Fault::InvalidTarget => "invalid_target",
            Fault::NoSigningKey => "server_error",
        }
    }

    pub(crate) fn description(&self) -> &str {
        match self {
            Fault::InvalidRequest(text) | Fault::UnsupportedResponseType(text) | Fault::InvalidScope(text) => text,
            Fault::MustBePushed => "This application has to push its requests.",
            Fault::RequestNotSupported => "Send the parameters themselves, not as a request object.",
            Fault::RequestUriNotSupported => "Send the parameters themselves, not the address of a request object.",
            Fault::InvalidTarget => {
                "A resource is the URL of a service, without fragment: https, or http on a loopback host. There are at most four."
            }
            Fault::NoSigningKey => {
                "This server has no key for the id_token_alg of this application: falconer keys rotate-openid --rsa brings one."
            }
        }
    }
}

impl From<ParameterError> for Fault {
    fn from(error: ParameterError) -> Self {
        // A description holds no quotation marks, but backticks are allowed (RFC 6749 section 4.1.2.1).
        Fault::InvalidRequest(error.to_string())
    }
}

impl From<ParameterError> for Unanswerable {
    fn from(error: ParameterError) -> Self {
        Unanswerable::wrong(error.to_string())
    }
}

impl From<Unanswerable> for AuthorizationError {
    fn from(reason: Unanswerable) -> Self {
        AuthorizationError::Unknown(reason)
    }
}

impl From<Unanswerable> for Refusal {
    fn from(reason: Unanswerable) -> Self {
        Refusal::Unknown(reason)
    }
}

impl From<LoginError> for AuthorizationError {
    fn from(error: LoginError) -> Self {
        AuthorizationError::Login(error)
    }
}
