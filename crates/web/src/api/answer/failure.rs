//! What a handler answers when it does not answer with success, and how outcomes of use cases become statuses.

use falconer_auth::{ApiError, Reason, RefusedFor};
use falconer_wire::Code;
use http::StatusCode;

use super::without_method;
use crate::metrics::Label;

/// What to do where nobody knows.
const OUTCOME_UNKNOWN: &str = "The change may or may not have been made: the answer of the store was lost. Read what was to be changed again to find out. \
    createClient and createRole may be repeated with the same values: whoever made it the first time is answered as if it were the first.";

/// A clock is not mended within a second.
const CLOCK_RETRY_SECONDS: u64 = 30;

/// An error on its way out. The incident of a 500 is added when the body is written; its detail goes to the log only.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: Code,
    /// Of the answer: nearly always the code's.
    pub(crate) status: StatusCode,
    /// What the caller reads.
    pub(crate) text: String,
    /// What only the log reads.
    pub(crate) detail: Option<String>,
    /// Seconds for `Retry-After`.
    pub(crate) retry_after: Option<u64>,
    /// For the line of the request in the log.
    pub(crate) reason: Option<Label>,
    /// For whoever asks why.
    pub(crate) why: Option<Box<RefusedFor>>,
}

impl Failure {
    pub(crate) fn new(code: Code, text: impl Into<String>) -> Failure {
        let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Failure { code, status, text: text.into(), detail: None, retry_after: None, reason: None, why: None }
    }

    /// With a status that the protocol has no code for.
    pub(crate) fn with_status(status: StatusCode, text: impl Into<String>) -> Failure {
        Failure { status, ..Failure::new(without_method::code(status), text) }
    }

    pub(crate) fn not_found(text: impl Into<String>) -> Failure {
        Failure::new(Code::ResourceNotFound, text)
    }

    pub(crate) fn input(text: impl Into<String>) -> Failure {
        Failure::new(Code::InputError, text)
    }

    pub(crate) fn internal(detail: impl Into<String>) -> Failure {
        Failure { detail: Some(detail.into()), ..Failure::new(Code::InternalServerError, "Internal Server Error") }
    }

    pub(crate) fn unavailable(text: impl Into<String>) -> Failure {
        Failure { retry_after: Some(1), ..Failure::new(Code::ServiceUnavailable, text) }
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Failure {
        let why = RefusedFor::of(&error).map(Box::new);
        Failure { why, ..Failure::without_why(error) }
    }
}

impl Failure {
    fn without_why(error: ApiError) -> Failure {
        let text = error.to_string();
        match error {
            ApiError::AuthenticationFailed(reason) => {
                Failure { reason: Some(Label::of_reason(&reason)), ..Failure::new(Code::AuthenticationFailed, text_of(&reason)) }
            }
            ApiError::InsufficientScopes { client_id, missing, required } => {
                Failure::new(Code::InsufficientScopes, falconer_wire::error::insufficient_scopes(client_id.as_deref(), missing, required))
            }
            ApiError::OutlivesGrant { .. } => Failure::new(Code::InsufficientScopes, text),
            ApiError::InvalidRequestArguments(_) => Failure::new(Code::InvalidRequestArguments, text),
            ApiError::InputError(_) => Failure::new(Code::InputError, text),
            ApiError::ResourceNotFound(_) => Failure::new(Code::ResourceNotFound, text),
            ApiError::RequestConflict(_) => Failure::new(Code::RequestConflict, text),
            ApiError::TooManyRequests { retry_after_seconds } => {
                Failure { retry_after: Some(retry_after_seconds), ..Failure::new(Code::TooManyRequests, text) }
            }
            // The log has it once a minute.
            ApiError::ClockBehind { .. } => Failure {
                retry_after: Some(CLOCK_RETRY_SECONDS),
                reason: Some(Label::ClockBehind),
                ..Failure::new(Code::ServiceUnavailable, text)
            },
            // A node is back in contact by itself, or another one answers.
            ApiError::CutOff { .. } => {
                Failure { retry_after: Some(1), reason: Some(Label::CutOff), ..Failure::new(Code::ServiceUnavailable, text) }
            }
            ApiError::ClockAhead { .. } => {
                Failure { retry_after: Some(CLOCK_RETRY_SECONDS), ..Failure::new(Code::ServiceUnavailable, text) }
            }
            // The keys are read again more often than that.
            ApiError::TokenNotOpened { .. } => Failure { retry_after: Some(1), ..Failure::new(Code::ServiceUnavailable, text) },
            ApiError::Unavailable(detail) => Failure {
                detail: Some(detail),
                reason: Some(Label::Store),
                ..Failure::unavailable("The store does not answer at present; nothing was changed. Try again in a moment.")
            },
            ApiError::OutcomeUnknown(detail) => Failure { detail: Some(detail), ..Failure::unavailable(OUTCOME_UNKNOWN) },
            ApiError::Internal(detail) => Failure::internal(detail),
        }
    }
}

/// The protocol's text of a reason.
pub(crate) fn text_of(reason: &Reason) -> String {
    match reason {
        Reason::PayloadHash { signed, computed } => falconer_wire::error::payload_hash(signed, computed),
        Reason::Credentials(_)
        | Reason::OtherHost
        | Reason::TwoSchemes
        | Reason::SeveralAuthorizations
        | Reason::PayloadNotSigned
        | Reason::Token(_)
        | Reason::Proof(_)
        | Reason::Replayed
        | Reason::ReservedName { .. }
        | Reason::Grant { .. }
        | Reason::OwnerInactive { .. }
        | Reason::PersonInactive { .. }
        | Reason::TooManySteps { .. } => reason.to_string(),
    }
}
