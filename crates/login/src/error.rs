//! Who is at fault when nothing was done.

use falconer_auth::ApiError;
use thiserror::Error;

use crate::sessions::forms::TOO_SOON;

/// Why a use case did not do what was asked. Texts are sentences for the person, but for the last two, which are for the log.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LoginError {
    /// Nobody is signed in, or the account is not active any more.
    #[error("You are not signed in.")]
    SignedOut,
    /// Whoever is signed in has to prove once more to be there, and was asked nothing yet.
    #[error("Sign in again first: it is a while since you did.")]
    SignInAgain,
    /// Unknown name, wrong password, or an account that may not sign in: nobody learns which.
    #[error("The name or the password is wrong.")]
    WrongPassword,
    /// Too many attempts: 429 with `Retry-After`.
    #[error("Too many attempts. Try again in {}.", minutes(*retry_after_seconds))]
    Throttled {
        /// For the `Retry-After` header.
        retry_after_seconds: u64,
    },
    /// Too many passwords are being checked at the moment: 503 with `Retry-After: 1`.
    #[error("Too many people are signing in at the moment. Try again.")]
    TooBusy,
    /// What was entered can't be; the text says what to enter instead.
    #[error("{0}")]
    Invalid(String),
    /// The button was pressed before anybody can have read the page.
    #[error("{TOO_SOON}")]
    TooSoon,
    /// There is no such thing (any more).
    #[error("{0}")]
    NotFound(String),
    /// Taken, used up, or changed by somebody else.
    #[error("{0}")]
    Conflict(String),
    /// This node's clock is behind the time of the last change: it can't tell what has ended, and lets nobody in.
    #[error("{}", ApiError::ClockBehind { behind_ms: *behind_ms })]
    ClockBehind {
        /// How far, in milliseconds.
        behind_ms: i64,
    },
    /// This node's clock is implausibly far ahead of the time of the last change: it changes nothing.
    #[error("{}", ApiError::ClockAhead { ahead_ms: *ahead_ms })]
    ClockAhead {
        /// How far, in milliseconds.
        ahead_ms: i64,
    },
    /// What was said is kept, and can't be followed before the operator does something; the text says what.
    #[error("{0}")]
    NotFollowed(String),
    /// The store is away. For the log.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// Nobody knows whether it was done: the store's answer was lost. For the log.
    #[error("nobody knows whether the change was made; look before you repeat it: {0}")]
    OutcomeUnknown(String),
    /// A defect. For the log.
    #[error("internal: {0}")]
    Internal(String),
}

fn minutes(seconds: u64) -> String {
    match seconds.div_ceil(60) {
        1 => "1 minute".to_owned(),
        minutes => format!("{minutes} minutes"),
    }
}

/// Why nobody was signed in.
pub type SignInError = LoginError;

impl LoginError {
    /// The same where something was done before it: then nobody may be told that nothing was done, or changed.
    #[must_use]
    pub fn after_a_change(self) -> LoginError {
        match self {
            LoginError::Unavailable(text) => LoginError::OutcomeUnknown(text),
            error @ (LoginError::SignedOut | LoginError::TooBusy | LoginError::ClockBehind { .. } | LoginError::ClockAhead { .. }) => {
                LoginError::OutcomeUnknown(error.to_string())
            }
            other => other,
        }
    }
}

impl From<ApiError> for LoginError {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::AuthenticationFailed(_) => LoginError::SignedOut,
            ApiError::InsufficientScopes { .. } => {
                LoginError::Conflict("What the account may do has changed meanwhile. Load the page again.".to_owned())
            }
            error @ ApiError::OutlivesGrant { .. } => LoginError::Invalid(error.to_string()),
            ApiError::InvalidRequestArguments(text) | ApiError::InputError(text) => LoginError::Invalid(text),
            ApiError::ResourceNotFound(text) => LoginError::NotFound(text),
            ApiError::RequestConflict(text) => LoginError::Conflict(text),
            ApiError::TooManyRequests { retry_after_seconds } => LoginError::Throttled { retry_after_seconds },
            ApiError::ClockAhead { ahead_ms } => LoginError::ClockAhead { ahead_ms },
            ApiError::ClockBehind { behind_ms } => LoginError::ClockBehind { behind_ms },
            error @ (ApiError::CutOff { .. } | ApiError::TokenNotOpened { .. }) => LoginError::Unavailable(error.to_string()),
            ApiError::Unavailable(text) => LoginError::Unavailable(text),
            ApiError::OutcomeUnknown(text) => LoginError::OutcomeUnknown(text),
            ApiError::Internal(text) => LoginError::Internal(text),
        }
    }
}

/// For administrators, who are told as callers of the API are. What only people meet who sign in is a defect there.
impl From<LoginError> for ApiError {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::Invalid(text) => ApiError::InputError(text),
            LoginError::NotFound(text) => ApiError::ResourceNotFound(text),
            LoginError::Conflict(text) => ApiError::RequestConflict(text),
            LoginError::Throttled { retry_after_seconds } => ApiError::TooManyRequests { retry_after_seconds },
            LoginError::ClockBehind { behind_ms } => ApiError::ClockBehind { behind_ms },
            LoginError::ClockAhead { ahead_ms } => ApiError::ClockAhead { ahead_ms },
            LoginError::TooBusy => ApiError::Unavailable(LoginError::TooBusy.to_string()),
            LoginError::Unavailable(text) | LoginError::NotFollowed(text) => ApiError::Unavailable(text),
            LoginError::OutcomeUnknown(text) => ApiError::OutcomeUnknown(text),
            LoginError::Internal(text) => ApiError::Internal(text),
            LoginError::SignedOut | LoginError::SignInAgain | LoginError::WrongPassword | LoginError::TooSoon => {
                ApiError::Internal(error.to_string())
            }
        }
    }
}
