//! Who is at fault, grouped as the pages and the command line answer it.

use falconer_auth::ApiError;

/// Why a use case of this crate did not do what was asked. Texts are for the person who asked, except in [`LoginError::Unavailable`] and
/// [`LoginError::Internal`], which are for the log.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LoginError {
    /// 400: something that was given is not acceptable; the text says what and why.
    #[error("{0}")]
    Input(String),
    /// 403: the person may not do that, or is no longer signed in; the text says what is missing.
    #[error("{0}")]
    Forbidden(String),
    /// 404: there is no such thing.
    #[error("{0}")]
    NotFound(String),
    /// 409: a name that was used before, a link that is used or over, roles that have changed meanwhile.
    #[error("{0}")]
    Conflict(String),
    /// 429: too many wrong passwords.
    #[error("Too many attempts; try again in {retry_after_seconds} seconds")]
    TooManyAttempts {
        /// For the `Retry-After` header.
        retry_after_seconds: u64,
    },
    /// 503: as many passwords are being checked as this node can. Nothing was done; trying again in a second is right.
    #[error("Too many people are signing in at this moment; try again")]
    TooBusy,
    /// 503: the store is away or full, or this node's clock is wrong. Nothing was done. The text is for the log.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// 500: a defect or a damaged store. The text is for the log and is never sent.
    #[error("internal: {0}")]
    Internal(String),
}

impl From<ApiError> for LoginError {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::InvalidRequestArguments(text) | ApiError::InputError(text) => LoginError::Input(text),
            ApiError::AuthenticationFailed(text) => LoginError::Forbidden(text),
            error @ ApiError::InsufficientScopes { .. } => LoginError::Forbidden(error.to_string()),
            ApiError::ResourceNotFound(text) => LoginError::NotFound(text),
            ApiError::RequestConflict(text) => LoginError::Conflict(text),
            ApiError::TooManyRequests { retry_after_seconds } => LoginError::TooManyAttempts { retry_after_seconds },
            ApiError::Unavailable(text) => LoginError::Unavailable(text),
            ApiError::Internal(text) => LoginError::Internal(text),
        }
    }
}

/// Why somebody was not signed in.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SignInError {
    /// Unknown, disabled, without a password, or a wrong one: nobody learns which, neither from the text nor from the time.
    #[error("Name or password is wrong")]
    Wrong,
    /// 429: too many wrong passwords for this account or from this address.
    #[error("Too many attempts; try again in {retry_after_seconds} seconds")]
    TooManyAttempts {
        /// For the `Retry-After` header.
        retry_after_seconds: u64,
    },
    /// 503: as many passwords are being checked as this node can; trying again in a second is right.
    #[error("Too many people are signing in at this moment; try again")]
    TooBusy,
    /// 503: the store is away or full, or this node's clock is wrong. The text is for the log.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// 500: a defect or a damaged store. The text is for the log and is never sent.
    #[error("internal: {0}")]
    Internal(String),
}

impl From<LoginError> for SignInError {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::TooManyAttempts { retry_after_seconds } => SignInError::TooManyAttempts { retry_after_seconds },
            LoginError::TooBusy => SignInError::TooBusy,
            LoginError::Unavailable(text) => SignInError::Unavailable(text),
            LoginError::Internal(text) => SignInError::Internal(text),
            // None of these is an answer to a password: whoever meets one has found a defect, and a guesser learns nothing from it.
            LoginError::Input(text) | LoginError::Forbidden(text) | LoginError::NotFound(text) | LoginError::Conflict(text) => {
                SignInError::Internal(text)
            }
        }
    }
}

/// Why [`crate::Login`] could not be opened: the operator's to fix.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The configuration contradicts itself or the rules; the text says what and where.
    #[error("configuration: {0}")]
    Configuration(String),
    /// Something at start-up failed.
    #[error("{0}")]
    Failed(String),
}
